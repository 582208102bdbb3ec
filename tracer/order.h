/*
 * Bringing events of many rings into one order: by time, while each ring's own order is never changed.
 *
 * What a ring has given waits in a queue; where there is more in the ring, the queue is filled again when its turn comes
 * and it is empty, so that little is under way at any time, and that is in the cache. The merge delivers up to a time that
 * the caller names: one up to which nothing more is to be expected of any ring. Where a ring gives something older after
 * all (its thread was stopped between reading the clock and storing the event), that comes next, and its stamp steps back.
 *
 * Threads: one.
 */
#ifndef GOLANES_ORDER_H
#define GOLANES_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/events.h"

/** Events of one ring, oldest first. Zero-initialise. */
typedef struct gl_queue {
    gl_event *event;
    size_t head, tail, capacity; /* events are [head, tail) */
    bool more; /* there are others where these came from */
} gl_queue;

static inline size_t gl_queue_count(const gl_queue *q)
{
    return q->tail - q->head;
}

/** Places for n events at the end, to be filled and then added to tail by the caller; NULL: no memory. */
gl_event *gl_queue_room(gl_queue *q, size_t n);
void gl_queue_free(gl_queue *q);

#define GL_ORDER_BATCH 256

/** The array is the receiver's to change. 0, or a negative gl_status that ends the run. */
typedef int (*gl_order_fn)(void *user, gl_event *events, size_t n);
/** Fills an empty queue that has more: afterwards it is not empty, or has no more. 0, or a negative gl_status. */
typedef int (*gl_refill_fn)(void *user, gl_queue *q);

/** A queue in line: the time of its first event. */
typedef struct gl_order_head {
    int64_t time;
    uint32_t queue;
} gl_order_head;

typedef struct gl_order {
    gl_queue **queue; /* not its own */
    size_t n, capacity;
    gl_order_head *heap; /* queues that have events to give */
    size_t heap_n;
    int64_t reached;  /* largest time delivered */
    uint64_t late;    /* events delivered behind a later one */
    gl_order_fn deliver;
    gl_refill_fn refill; /* NULL: queues never have more */
    void *user;
    size_t batch_n;
    gl_event batch[GL_ORDER_BATCH];
} gl_order;

void gl_order_init(gl_order *o, gl_order_fn deliver, gl_refill_fn refill, void *user);
/** The queue must stay where it is until gl_order_free. */
int gl_order_add(gl_order *o, gl_queue *q) GL_MUST_CHECK;
/** Delivers all events whose time is at most `upto`, and those that stand in a ring before one of them. 0, or what
    deliver or refill returned below 0. */
int gl_order_run(gl_order *o, int64_t upto) GL_MUST_CHECK;
void gl_order_free(gl_order *o);

#endif
