#include "use.h"

#include <stdlib.h>
#include <string.h>

static void units_clean_up(gl_units *us)
{
    for (uint32_t i = 0; i < us->n; i++) {
        gl_history_clean_up(&us->list[i].running);
        gl_history_clean_up(&us->list[i].in_syscall);
    }
    free(us->list);
}

void gl_use_clean_up(gl_use *u)
{
    units_clean_up(&u->procs);
    units_clean_up(&u->threads);
    for (int s = 0; s < GL_G_STATES; s++)
        gl_history_clean_up(&u->counts[s]);
    memset(u, 0, sizeof *u);
}

/* NULL with *status 0: there is no such lane. */
static gl_unit_use *unit_at(gl_units *us, uint32_t i, int64_t time, int *status)
{
    if (i >= GL_UNITS_MAX)
        return NULL;
    while (us->n <= i) {
        if (GL_ROOM(us->list, us->capacity, us->n) < 0) {
            *status = GL_E_NOMEM;
            return NULL;
        }
        us->list[us->n++] = (gl_unit_use){.first = GL_TIME_NONE};
    }
    if (us->list[i].first == GL_TIME_NONE)
        us->list[i].first = time;
    return &us->list[i];
}

static int release(gl_units *us, uint32_t i, uint64_t g, int64_t time)
{
    int status = 0;
    gl_unit_use *u = unit_at(us, i, time, &status);
    if (!u || u->g != g)
        return status;
    int64_t ns = time > u->since ? time - u->since : 0;
    *(u->syscall ? &u->syscall_ns : &u->run_ns) += ns;
    u->g = 0;
    return gl_history_set(u->syscall ? &u->in_syscall : &u->running, GL_HISTORY_FEW, time, 0);
}

static int take_up(gl_units *us, uint32_t i, uint64_t g, int64_t time, bool syscall)
{
    int status = 0;
    gl_unit_use *u = unit_at(us, i, time, &status);
    if (!u)
        return status;
    if (u->g)
        status = release(us, i, u->g, time);
    u->g = g;
    u->since = time;
    u->syscall = syscall;
    u->starts += !syscall;
    return status < 0 ? status : gl_history_set(syscall ? &u->in_syscall : &u->running, GL_HISTORY_FEW, time, 1);
}

static int count(gl_use *u, unsigned state, int by, int64_t time)
{
    if (state < GL_G_RUNNABLE || state >= GL_G_STATES)
        return 0;
    u->count[state] = by < 0 && !u->count[state] ? 0 : u->count[state] + (uint32_t)by;
    return gl_history_set(&u->counts[state], GL_HISTORY_MANY, time, u->count[state]);
}

int gl_use_take(gl_use *u, const gl_event *ev, const gl_transition *t, uint32_t *p_of, uint32_t *thread_of)
{
    bool runs = t->to == GL_G_RUNNING, calls = t->to == GL_G_SYSCALL;
    int status = count(u, t->from, -1, ev->time);
    if (status == 0)
        status = count(u, t->to, 1, ev->time);
    uint32_t alive = 0;
    for (int s = GL_G_RUNNABLE; s < GL_G_STATES; s++)
        alive += u->count[s];
    u->most = alive > u->most ? alive : u->most;
    if (status == 0 && *p_of != GL_NO_PROC)
        status = release(&u->procs, *p_of, t->id, ev->time);
    if (status == 0 && *thread_of != GL_NO_THREAD)
        status = release(&u->threads, *thread_of, t->id, ev->time);
    *p_of = runs || calls ? ev->p : GL_NO_PROC;
    *thread_of = runs || calls ? ev->thread : GL_NO_THREAD;
    if (status == 0 && *p_of != GL_NO_PROC)
        status = take_up(&u->procs, *p_of, t->id, ev->time, calls);
    if (status == 0 && *thread_of != GL_NO_THREAD)
        status = take_up(&u->threads, *thread_of, t->id, ev->time, calls);
    return status;
}
