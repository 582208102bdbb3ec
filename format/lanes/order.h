/*
 * How the events of several threads come into one order: the thread whose next event has the smallest time is next; of
 * equal times, the thread that had an event last. What deviates from this is stored.
 */
#ifndef GOLANES_LANES_ORDER_H
#define GOLANES_LANES_ORDER_H

#include "lanes/bytes.h"

#define LN_LANES_MAX 1024u /* threads with events in one chunk: a chunk ends before one more comes */

typedef struct ln_turn {
    int64_t time;
    uint32_t lane;
} ln_turn;

/** Lanes that have events left, the next one last. turns[0] is a sentinel that no time passes. */
typedef struct ln_order {
    uint32_t n; /* with the sentinel */
    ln_turn turns[LN_LANES_MAX + 1];
} ln_order;

static inline void ln_order_start(ln_order *o)
{
    o->n = 1;
    o->turns[0] = (ln_turn){INT64_MAX, UINT32_MAX};
}

static inline bool ln_order_empty(const ln_order *o)
{
    return o->n == 1;
}

/** Puts a lane in line, before those with the same time. */
LN_INLINE void ln_order_put(ln_order *o, int64_t time, uint32_t lane)
{
    uint32_t i = o->n++;
    for (; o->turns[i - 1].time < time; i--)
        o->turns[i] = o->turns[i - 1];
    o->turns[i] = (ln_turn){time, lane};
}

static inline uint32_t ln_order_next(const ln_order *o)
{
    return o->turns[o->n - 1].lane;
}

/** Takes the next lane out of line. */
static inline void ln_order_take(ln_order *o)
{
    o->n--;
}

/** Takes a lane out that is not the next; false where it is not in line. */
static inline bool ln_order_take_lane(ln_order *o, uint32_t lane)
{
    uint32_t i = o->n - 1;
    while (i > 0 && o->turns[i].lane != lane)
        i--;
    if (i == 0)
        return false;
    memmove(&o->turns[i], &o->turns[i + 1], (o->n - 1 - i) * sizeof *o->turns);
    o->n--;
    return true;
}

#endif
