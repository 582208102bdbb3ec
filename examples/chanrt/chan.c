/* Channels. */
#include "chan.h"

#include <stdlib.h>
#include <string.h>

static struct {
    uint32_t lock;
    rt_chan *first;
} chans;

rt_chan *rt_chan_make(size_t elem_bytes, uint32_t cap, const char *elem_type)
{
    CALLER(at);
    rt_safepoint(at);
    rt_chan *c = calloc(1, sizeof *c);
    /* One element more: nobody then needs to ask whether there is a buffer. Whole words, for the collector. */
    size_t bytes = ((elem_bytes ? elem_bytes : 1) * (cap + 1u) + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
    if (!c || !(c->buffer = calloc(1, bytes))) {
        free(c);
        rt_panic_at("no memory for a channel", 0, at);
    }
    c->elem_bytes = elem_bytes;
    c->buffer_bytes = bytes;
    c->cap = cap;
    rt_lock(&chans.lock);
    c->next = chans.first;
    chans.first = c;
    rt_unlock(&chans.lock);
    COUNT(chans);
    gl_emit_ChanMake_at(at, rt_chan_id(c), cap, elem_type);
    return c;
}

void rt_waiters_add(waiters *q, waiter *w)
{
    w->next = NULL;
    w->before = q->last;
    if (q->last)
        q->last->next = w;
    else
        q->first = w;
    q->last = w;
    q->n++;
}

void rt_waiters_remove(waiters *q, waiter *w)
{
    if (w->before ? w->before->next != w : q->first != w)
        return; /* it was taken out by whoever served it */
    *(w->before ? &w->before->next : &q->first) = w->next;
    *(w->next ? &w->next->before : &q->last) = w->before;
    w->next = w->before = NULL;
    q->n--;
}

/** The first that can be served. One that waits in a select elsewhere too belongs to whoever claims it first. */
static waiter *take_waiter(waiters *q)
{
    waiter *w;
    while ((w = q->first) != NULL) {
        rt_waiters_remove(q, w);
        uint32_t no = 0;
        if (!w->select || __atomic_compare_exchange_n(&w->g->claimed, &no, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return w;
    }
    return NULL;
}

static void serve(waiter *w, bool served, gl_emit_stack at)
{
    w->served = served;
    w->g->woken_as = w;
    rt_ready(w->g, at);
}

static void *element(rt_chan *c, uint32_t i)
{
    return c->buffer + (size_t)(i % (c->cap + 1)) * c->elem_bytes;
}

static void set_len(rt_chan *c, uint32_t len)
{
    __atomic_store_n(&c->len, len, __ATOMIC_RELAXED);
}

/** With the channel's lock held: true where the send took place, false where it would have to wait. */
bool rt_chan_try_send(rt_chan *c, const void *value, gl_emit_stack at)
{
    waiter *w = take_waiter(&c->receivers);
    if (w) {
        if (w->value)
            memcpy(w->value, value, c->elem_bytes);
        serve(w, true, at);
        return true;
    }
    if (c->len == c->cap)
        return false;
    memcpy(element(c, c->at + c->len), value, c->elem_bytes);
    set_len(c, c->len + 1);
    return true;
}

/** Likewise; *ok is false where the channel is closed and empty. */
bool rt_chan_try_recv(rt_chan *c, void *value, bool *ok, gl_emit_stack at)
{
    *ok = true;
    if (c->len) {
        if (value)
            memcpy(value, element(c, c->at), c->elem_bytes);
        c->at = (c->at + 1) % (c->cap + 1);
        set_len(c, c->len - 1);
        waiter *w = take_waiter(&c->senders); /* there is room for one who waits */
        if (w) {
            memcpy(element(c, c->at + c->len), w->value, c->elem_bytes);
            set_len(c, c->len + 1);
            serve(w, true, at);
        }
        return true;
    }
    waiter *w = take_waiter(&c->senders);
    if (w) {
        if (value)
            memcpy(value, w->value, c->elem_bytes);
        serve(w, true, at);
        return true;
    }
    if (!c->closed)
        return false;
    *ok = false;
    if (value)
        memset(value, 0, c->elem_bytes);
    return true;
}

static void block_for_ever(gl_emit_stack at)
{
    for (;;)
        rt_park("forever", NULL, at);
}

static void end_send(goroutine *g, rt_chan *c, gl_chan_result result)
{
    uint32_t pause = rt_pause_number();
    gl_emit_ChanSendEnd(rt_chan_id(c), rt_chan_len(c), result);
    rt_send_ended(g, pause);
}

static _Noreturn void panic_in_send(goroutine *g, rt_chan *c, gl_emit_stack at)
{
    COUNT(send_panics);
    end_send(g, c, GL_CHAN_PANIC);
    rt_panic_at("send on closed channel", rt_chan_id(c), at);
}

__attribute__((noinline)) void rt_send(rt_chan *c, const void *value)
{
    CALLER(at);
    rt_safepoint(at);
    goroutine *g = rt_current();
    gl_emit_ChanSendBegin_at(at, rt_chan_id(c), rt_chan_len(c), c ? c->cap : 0);
    rt_send_begun(g);
    if (!c)
        block_for_ever(at);
    rt_lock(&c->lock);
    if (c->closed) {
        rt_unlock(&c->lock);
        panic_in_send(g, c, at);
    }
    if (rt_chan_try_send(c, value, at)) {
        rt_unlock(&c->lock);
    } else {
        waiter me = {.g = g, .chan = c, .value = (void *)(uintptr_t)value};
        rt_waiters_add(&c->senders, &me);
        rt_park("chan send", &c->lock, at);
        if (!me.served)
            panic_in_send(g, c, at);
    }
    COUNT(sends);
    end_send(g, c, GL_CHAN_DONE);
}

__attribute__((noinline)) bool rt_recv(rt_chan *c, void *value)
{
    CALLER(at);
    rt_safepoint(at);
    bool ok = false;
    gl_emit_ChanRecvBegin_at(at, rt_chan_id(c), rt_chan_len(c), c ? c->cap : 0);
    if (!c)
        block_for_ever(at);
    rt_lock(&c->lock);
    if (rt_chan_try_recv(c, value, &ok, at)) {
        rt_unlock(&c->lock);
    } else {
        waiter me = {.g = rt_current(), .chan = c, .value = value};
        rt_waiters_add(&c->receivers, &me);
        rt_park("chan receive", &c->lock, at);
        ok = me.served;
        if (!ok && value)
            memset(value, 0, c->elem_bytes);
    }
    if (ok)
        COUNT(receives);
    else
        COUNT(receives_closed);
    gl_emit_ChanRecvEnd(rt_chan_id(c), rt_chan_len(c), ok ? GL_CHAN_DONE : GL_CHAN_CLOSED);
    return ok;
}

static const char *close_problem(rt_chan *c)
{
    if (!c)
        return "close of nil channel";
    rt_lock(&c->lock);
    if (c->closed) {
        rt_unlock(&c->lock);
        return "close of closed channel";
    }
    return NULL;
}

__attribute__((noinline)) void rt_close(rt_chan *c)
{
    CALLER(at);
    rt_safepoint(at);
    const char *problem = close_problem(c);
    if (problem) {
        COUNT(close_panics);
        gl_emit_ChanClose_at(at, rt_chan_id(c), rt_chan_len(c), GL_CHAN_PANIC);
        rt_panic_at(problem, rt_chan_id(c), at);
    }
    COUNT(closes);
    gl_emit_ChanClose_at(at, rt_chan_id(c), rt_chan_len(c), GL_CHAN_DONE);
    c->closed = true;
    waiter *w;
    while ((w = take_waiter(&c->receivers)) != NULL || (w = take_waiter(&c->senders)) != NULL)
        serve(w, false, at);
    rt_unlock(&c->lock);
}

static uint32_t count_of(rt_chan *c, const waiters *q)
{
    rt_lock(&c->lock);
    uint32_t n = q->n;
    rt_unlock(&c->lock);
    return n;
}

uint32_t rt_chan_senders(rt_chan *c)
{
    return count_of(c, &c->senders);
}

uint32_t rt_chan_receivers(rt_chan *c)
{
    return count_of(c, &c->receivers);
}

void rt_chans_each(void (*f)(const uintptr_t *words, size_t n))
{
    for (rt_chan *c = chans.first; c; c = c->next)
        f((const uintptr_t *)(const void *)c->buffer, c->buffer_bytes / sizeof(uintptr_t));
}

void rt_chans_clean_up(void)
{
    while (chans.first) {
        rt_chan *c = chans.first;
        chans.first = c->next;
        free(c->buffer);
        free(c);
    }
}
