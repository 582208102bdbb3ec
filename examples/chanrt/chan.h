/* A channel, for chan.c and select.c. */
#ifndef CHANRT_CHAN_H
#define CHANRT_CHAN_H

#include "rt.h"

typedef struct waiters {
    waiter *first, *last;
    uint32_t n;
} waiters;

struct rt_chan {
    uint32_t lock;
    uint32_t cap;
    uint32_t len; /* also looked at without the lock */
    uint32_t at;  /* the oldest element */
    bool closed;
    size_t elem_bytes, buffer_bytes;
    unsigned char *buffer; /* cap + 1 elements */
    waiters senders, receivers;
    rt_chan *next; /* of all */
};

static inline uint64_t rt_chan_id(const rt_chan *c)
{
    return (uint64_t)(uintptr_t)c;
}

static inline uint32_t rt_chan_len(const rt_chan *c)
{
    return c ? __atomic_load_n(&c->len, __ATOMIC_RELAXED) : 0;
}

void rt_waiters_add(waiters *q, waiter *w);
/** Takes it out, if it is still in. */
void rt_waiters_remove(waiters *q, waiter *w);
bool rt_chan_try_send(rt_chan *c, const void *value, gl_emit_stack at);
bool rt_chan_try_recv(rt_chan *c, void *value, bool *ok, gl_emit_stack at);

#endif
