#include "states.h"

#include <stdlib.h>
#include <string.h>

#include "golanes/transition.h"

#include "idmap.h"

#define PROCS_MAX 65536u
#define BATCH 256

/* The table of goroutines. */

static gl_states_g *find(const gl_states *s, uint64_t g)
{
    size_t i = gl_idmap_hash(g) & s->mask;
    while (s->cell[i].g && s->cell[i].g != g)
        i = (i + 1) & s->mask;
    return &s->cell[i];
}

static bool grow(gl_states *s)
{
    gl_states more = {.mask = s->cell ? 2 * s->mask + 1 : 255};
    more.cell = calloc(more.mask + 1, sizeof *more.cell);
    if (!more.cell)
        return false;
    for (size_t i = 0; s->cell && i <= s->mask; i++)
        if (s->cell[i].g)
            *find(&more, s->cell[i].g) = s->cell[i];
    free(s->cell);
    s->cell = more.cell;
    s->mask = more.mask;
    return true;
}

/** Takes a cell out; those behind it move up, so that none is out of reach. */
static void drop(gl_states *s, gl_states_g *cell)
{
    size_t hole = (size_t)(cell - s->cell);
    for (size_t i = (hole + 1) & s->mask; s->cell[i].g; i = (i + 1) & s->mask) {
        size_t home = gl_idmap_hash(s->cell[i].g) & s->mask;
        if (((i - home) & s->mask) >= ((i - hole) & s->mask)) {
            s->cell[hole] = s->cell[i];
            hole = i;
        }
    }
    s->cell[hole].g = 0;
    s->n--;
}

static int move(gl_states *s, const gl_event *ev, const gl_transition *t)
{
    if (!t->id || t->to == GL_G_UNDETERMINED)
        return 0;
    if ((!s->cell || 2 * s->n >= s->mask) && !grow(s))
        return GL_E_NOMEM;
    gl_states_g *cell = find(s, t->id);
    if (t->to == GL_G_NOT_EXIST) {
        if (cell->g)
            drop(s, cell);
        return 0;
    }
    if (!cell->g) {
        *cell = (gl_states_g){.g = t->id, .thread = GL_NO_THREAD};
        s->n++;
    }
    cell->state = t->to;
    cell->reason = t->reason;
    cell->thread = t->to == GL_G_RUNNING || t->to == GL_G_SYSCALL ? ev->thread : GL_NO_THREAD;
    if (ev->stack && (ev->type == GL_EV_GoBlock || ev->type == GL_EV_GoStatus))
        cell->stack = ev->stack;
    else if (ev->type == GL_EV_GoCreate)
        cell->stack = (uint32_t)ev->arg[2];
    return 0;
}

static int move_proc(gl_states *s, uint64_t p, bool running, const gl_event *ev)
{
    if (p >= PROCS_MAX)
        return 0;
    if (p >= s->procs) {
        size_t more = (size_t)p + 16;
        gl_states_p *grown = realloc(s->proc, more * sizeof *grown);
        if (!grown)
            return GL_E_NOMEM;
        memset(grown + s->procs, 0, (more - s->procs) * sizeof *grown);
        s->proc = grown;
        s->procs = more;
    }
    s->proc[p] = (gl_states_p){running, running ? ev->thread : GL_NO_THREAD};
    return 0;
}

int gl_states_event(gl_states *s, const gl_event *ev)
{
    gl_transition t;
    if (gl_transition_of(ev, &t))
        return move(s, ev, &t);
    switch (ev->type) {
    case GL_EV_ProcStart: return move_proc(s, ev->arg[0], true, ev);
    case GL_EV_ProcStop: return move_proc(s, ev->arg[0], false, ev);
    case GL_EV_ProcSteal: return move_proc(s, ev->arg[0], false, ev);
    case GL_EV_ProcStatus: return move_proc(s, ev->arg[0], ev->arg[2] == GL_P_RUNNING, ev);
    case GL_EV_GCStart:
    case GL_EV_GCActive: s->marking = true; s->cycle = ev->arg[0]; return 0;
    case GL_EV_GCEnd: s->marking = false; return 0;
    default: return 0;
    }
}

void gl_states_free(gl_states *s)
{
    free(s->cell);
    free(s->proc);
    *s = (gl_states){0};
}

/* Saying it. */

typedef struct saying {
    int64_t time;
    gl_event_fn out;
    void *user;
    gl_event batch[BATCH];
    size_t n;
    int status;
} saying;

static void flush(saying *y)
{
    if (y->n && y->status >= 0)
        y->status = y->out(y->user, y->batch, y->n);
    y->n = 0;
}

static gl_event *add(saying *y, unsigned type, uint32_t thread)
{
    if (y->n == BATCH)
        flush(y);
    gl_event *ev = &y->batch[y->n++];
    *ev = (gl_event){.time = y->time, .thread = thread, .p = GL_NO_PROC, .type = (uint16_t)type, .flags = GL_FLAG_INFERRED};
    return ev;
}

static void say_goroutine(saying *y, const gl_states_g *g)
{
    bool waits = g->state == GL_G_WAITING && g->reason;
    gl_event *ev = add(y, GL_EV_GoStatus, GL_NO_THREAD);
    ev->arg[0] = g->g;
    ev->arg[1] = GL_G_UNDETERMINED;
    ev->arg[2] = waits ? GL_G_RUNNING : g->state;
    ev->arg[3] = g->thread;
    ev->stack = g->stack;
    if (!waits)
        return;
    ev = add(y, GL_EV_GoBlock, GL_NO_THREAD);
    ev->g = g->g;
    ev->arg[0] = g->reason;
    ev->stack = g->stack;
}

int gl_states_put(const gl_states *s, int64_t time, gl_event_fn out, void *user)
{
    saying y = {.time = time, .out = out, .user = user};
    for (size_t i = 0; i < s->procs; i++)
        if (s->proc[i].running) {
            gl_event *ev = add(&y, GL_EV_ProcStatus, s->proc[i].thread);
            ev->arg[0] = i;
            ev->arg[1] = GL_P_UNDETERMINED;
            ev->arg[2] = GL_P_RUNNING;
        }
    if (s->marking)
        add(&y, GL_EV_GCActive, GL_NO_THREAD)->arg[0] = s->cycle;
    for (size_t i = 0; s->cell && i <= s->mask; i++)
        if (s->cell[i].g)
            say_goroutine(&y, &s->cell[i]);
    flush(&y);
    return y.status;
}
