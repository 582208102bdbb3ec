/* The profiles that `go tool trace -pprof` makes. */
#include <string.h>

#include "golanes/transition.h"
#include "profile.h"

bool ex_counts_all(const char *reason)
{
    (void)reason;
    return true;
}

bool ex_counts_net(const char *reason) { return strcmp(reason, "network") == 0; }

bool ex_counts_sync(const char *reason)
{
    return strstr(reason, "chan") || strstr(reason, "sync") || strstr(reason, "select");
}

static int waiter(ex_profile *p, uint64_t g, ex_waiter **out)
{
    uint32_t at = gl_map_get(&p->waiter_of, g);
    if (at == GL_NONE32) {
        if (p->free_count) {
            at = p->free_waiters[p->free_count - 1];
        } else {
            at = (uint32_t)p->waiter_count;
            if (GL_GROW(p->waiters, p->waiter_capacity, p->waiter_count + 1) < 0 ||
                GL_GROW(p->free_waiters, p->free_capacity, p->waiter_count + 1) < 0)
                return GL_E_NOMEM;
        }
        if (gl_map_put(&p->waiter_of, g, at) < 0)
            return GL_E_NOMEM;
        if (p->free_count)
            p->free_count--;
        else
            p->waiter_count++;
        p->waiters[at] = (ex_waiter){0};
    }
    *out = &p->waiters[at];
    return 0;
}

/* A goroutine that never ran has no start, so that its waits count from the beginning of time. */
static int count_pending(ex_profile *p, ex_waiter *w)
{
    int status = 0;
    for (unsigned i = 0; i < w->pending && status == 0 && !w->started; i++)
        status = ex_profile_add(p, w->pending_stack[i], NULL, w->pending_count[i], w->pending_ns[i]);
    w->pending = 0;
    return status;
}

static int end_wait(ex_profile *p, ex_waiter *w, int64_t time)
{
    uint64_t ns = time > w->since ? (uint64_t)(time - w->since) : 0;
    w->tracking = false;
    if (ns == 0)
        return 0;
    if (w->started)
        return ex_profile_add(p, w->stack, NULL, 1, ns);
    unsigned i = w->pending;
    if (i == 2)
        i = w->pending_stack[1] == w->stack ? 1 : 0; /* no goroutine does so many things before it runs */
    else
        w->pending++;
    if (w->pending_stack[i] != w->stack)
        w->pending_count[i] = w->pending_ns[i] = 0;
    w->pending_stack[i] = w->stack;
    w->pending_count[i]++;
    w->pending_ns[i] += ns;
    return 0;
}

static int forget(ex_profile *p, uint64_t g, ex_waiter *w)
{
    int status = count_pending(p, w);
    p->free_waiters[p->free_count++] = (uint32_t)(w - p->waiters);
    gl_map_remove(&p->waiter_of, g);
    return status;
}

static int move(ex_profile *p, const gl_event *ev, const gl_transition *t, int64_t time)
{
    ex_waiter *w;
    int status = waiter(p, t->id, &w);
    if (status < 0)
        return status;
    if (t->to == GL_G_RUNNING && !w->started) {
        w->started = true; /* what ended until now lies before the start */
        w->tracking = false;
        w->pending = 0;
    }
    if (w->tracking && t->to != p->kind->state) {
        status = end_wait(p, w, time);
    } else if (!w->tracking && t->to == p->kind->state && p->kind->counts(ex_text(p->dict, t->reason, NULL))) {
        w->tracking = true;
        w->since = time;
        w->stack = ev->stack;
    }
    return status == 0 && t->to == GL_G_NOT_EXIST ? forget(p, t->id, w) : status;
}

int ex_take_go(ex_profile *p, const gl_event *ev)
{
    gl_transition t;
    int64_t time = ev->time;
    if (p->options.go_times) { /* Go's reader has no two events at one time */
        time = p->begun && time <= p->last ? p->last + 1 : time;
        p->begun = true;
        p->last = time;
    }
    if (!gl_transition_of(ev, &t) || t.to >= GL_G_STATES ||
        !ex_wanted(p->options.goroutines, p->options.goroutine_count, t.id))
        return 0;
    return move(p, ev, &t, time);
}

int ex_finish_go(ex_profile *p)
{
    int status = 0;
    for (size_t i = 0; p->waiter_of.slots && i <= p->waiter_of.mask && status == 0; i++)
        if (p->waiter_of.slots[i].value != GL_NONE32)
            status = count_pending(p, &p->waiters[p->waiter_of.slots[i].value]);
    return status;
}
