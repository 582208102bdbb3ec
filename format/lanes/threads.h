/*
 * The threads with events in one chunk: each gets a number, its lane, in the order of their first events.
 */
#ifndef GOLANES_LANES_THREADS_H
#define GOLANES_LANES_THREADS_H

#include "lanes/order.h"

#define LN_THREAD_SLOTS (LN_LANES_MAX * 2)

typedef struct ln_threads {
    uint32_t n;
    uint32_t thread[LN_LANES_MAX];    /* by lane */
    uint16_t slots[LN_THREAD_SLOTS];  /* lane + 1 by thread, open addressing */
} ln_threads;

static inline void ln_threads_start(ln_threads *t)
{
    t->n = 0;
    memset(t->slots, 0, sizeof t->slots);
}

/** Where a thread's slot is, or would be. */
static inline uint32_t ln_threads_slot(const ln_threads *t, uint32_t thread)
{
    uint32_t i = thread * UINT32_C(0x9e3779b1) >> 21;
    while (t->slots[i] && t->thread[t->slots[i] - 1] != thread)
        i = (i + 1) % LN_THREAD_SLOTS;
    return i;
}
_Static_assert(LN_THREAD_SLOTS == 1u << (32 - 21), "the hash's top bits index the slots");

/** The number of a thread's lane, or UINT32_MAX. */
static inline uint32_t ln_threads_find(const ln_threads *t, uint32_t thread)
{
    return t->slots[ln_threads_slot(t, thread)] - UINT32_C(1);
}

/** Adds a thread that has no lane yet; the caller knows that there is room. */
static inline uint32_t ln_threads_add(ln_threads *t, uint32_t thread)
{
    uint32_t lane = t->n++;
    t->slots[ln_threads_slot(t, thread)] = (uint16_t)(lane + 1);
    t->thread[lane] = thread;
    return lane;
}

#endif
