/* Select: all its channels are locked, in the order of their addresses, so that nothing changes while it chooses. */
#include <string.h>

#include "chan.h"

typedef struct selecting {
    rt_case *cases;
    unsigned n;
    rt_chan *locked[RT_CASES_MAX]; /* each channel once, by address */
    unsigned locked_n;
    waiter waiter[RT_CASES_MAX];
    gl_emit_stack at;
} selecting;

static void collect(selecting *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        rt_chan *c = s->cases[i].chan;
        unsigned at = 0;
        while (at < s->locked_n && s->locked[at] < c)
            at++;
        if (!c || (at < s->locked_n && s->locked[at] == c))
            continue;
        memmove(&s->locked[at + 1], &s->locked[at], (s->locked_n - at) * sizeof *s->locked);
        s->locked[at] = c;
        s->locked_n++;
    }
}

static void lock_all(selecting *s)
{
    for (unsigned i = 0; i < s->locked_n; i++)
        rt_lock(&s->locked[i]->lock);
}

static void unlock_all(void *arg)
{
    selecting *s = arg;
    /* The last one frees the goroutine, whose stack holds all of this. */
    rt_chan *locked[RT_CASES_MAX];
    unsigned n = s->locked_n;
    memcpy(locked, s->locked, n * sizeof *locked);
    while (n-- > 0)
        rt_unlock(&locked[n]->lock);
}

enum { NOT_READY = -1, WILL_PANIC = -2 };

/** One that can be done at once, is done. Begins anywhere, so that none is preferred. */
static int do_ready(selecting *s, int *which)
{
    worker *w = rt_self();
    w->random ^= w->random << 13, w->random ^= w->random >> 7, w->random ^= w->random << 17;
    for (unsigned k = 0; k < s->n; k++) {
        unsigned i = (unsigned)((w->random + k) % s->n);
        rt_case *c = &s->cases[i];
        *which = (int)i;
        if (!c->chan)
            continue;
        if (c->send && c->chan->closed)
            return WILL_PANIC;
        c->ok = true;
        if (c->send ? rt_chan_try_send(c->chan, c->value, s->at) : rt_chan_try_recv(c->chan, c->value, &c->ok, s->at))
            return (int)i;
    }
    return NOT_READY;
}

static int wait_for_one(selecting *s, goroutine *g, int *which)
{
    __atomic_store_n(&g->claimed, 0, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < s->n; i++) {
        rt_case *c = &s->cases[i];
        s->waiter[i] = (waiter){.g = g, .chan = c->chan, .value = c->value, .select = true};
        if (c->chan)
            rt_waiters_add(c->send ? &c->chan->senders : &c->chan->receivers, &s->waiter[i]);
    }
    rt_wait_counted(g);
    rt_park_then("select", unlock_all, s, s->at);
    waiter *w = g->woken_as;
    lock_all(s);
    for (unsigned i = 0; i < s->n; i++) {
        rt_case *c = &s->cases[i];
        if (c->chan && &s->waiter[i] != w)
            rt_waiters_remove(c->send ? &c->chan->senders : &c->chan->receivers, &s->waiter[i]);
    }
    unlock_all(s);
    *which = (int)(w - s->waiter);
    rt_case *c = &s->cases[*which];
    c->ok = w->served;
    if (!w->served && c->send)
        return WILL_PANIC;
    if (!w->served && c->value)
        memset(c->value, 0, c->chan->elem_bytes);
    return *which;
}

static void end_select(goroutine *g, rt_chan *c, gl_chan_dir direction, gl_chan_result result)
{
    uint32_t pause = rt_pause_number();
    gl_emit_ChanSelectEnd(rt_chan_id(c), direction, rt_chan_len(c), result);
    if (direction == GL_CHAN_SEND)
        rt_send_ended(g, pause);
}

static void end_chosen(goroutine *g, const rt_case *c)
{
    if (c->send)
        COUNT(select_sends);
    else
        COUNT(select_receives);
    end_select(g, c->chan, c->send ? GL_CHAN_SEND : GL_CHAN_RECV, c->ok ? GL_CHAN_DONE : GL_CHAN_CLOSED);
}

__attribute__((noinline)) int rt_select(rt_case *cases, unsigned n, bool has_default)
{
    CALLER(at);
    rt_safepoint(at);
    goroutine *g = rt_current();
    selecting s = {.cases = cases, .n = n < RT_CASES_MAX ? n : RT_CASES_MAX, .at = at};
    unsigned sends = 0;
    int which = 0;
    for (unsigned i = 0; i < s.n; i++)
        sends += cases[i].send;
    COUNT(selects);
    gl_emit_ChanSelectBegin_at(at, sends, s.n - sends, has_default);
    rt_send_begun(g);
    collect(&s);
    if (!s.locked_n && !has_default)
        for (;;)
            rt_park("forever", NULL, at);
    lock_all(&s);
    int chosen = do_ready(&s, &which);
    if (chosen == NOT_READY && !has_default)
        chosen = wait_for_one(&s, g, &which);
    else
        unlock_all(&s);
    if (chosen == WILL_PANIC) {
        COUNT(select_panics);
        end_select(g, cases[which].chan, GL_CHAN_SEND, GL_CHAN_PANIC);
        rt_panic_at("send on closed channel", rt_chan_id(cases[which].chan), at);
    }
    if (chosen == NOT_READY) {
        COUNT(select_defaults);
        end_select(g, NULL, GL_CHAN_DEFAULT, GL_CHAN_WOULD_BLOCK);
    } else {
        end_chosen(g, &cases[chosen]);
    }
    return chosen;
}
