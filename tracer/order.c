#include "order.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_FIRST 256u

gl_event *gl_queue_room(gl_queue *q, size_t n)
{
    if (q->head == q->tail)
        q->head = q->tail = 0;
    if (q->tail + n > q->capacity && q->head > 0 && q->head >= 3 * gl_queue_count(q)) {
        /* What waits moves to the front: little, against what has gone meanwhile. */
        memcpy(q->event, q->event + q->head, gl_queue_count(q) * sizeof *q->event);
        q->tail -= q->head;
        q->head = 0;
    }
    if (q->tail + n > q->capacity) {
        size_t more = q->capacity ? q->capacity : QUEUE_FIRST;
        while (more < q->tail + n)
            more *= 2;
        gl_event *grown = realloc(q->event, more * sizeof *grown);
        if (!grown)
            return NULL;
        q->event = grown;
        q->capacity = more;
    }
    return q->event + q->tail;
}

void gl_queue_free(gl_queue *q)
{
    free(q->event);
    *q = (gl_queue){0};
}

void gl_order_init(gl_order *o, gl_order_fn deliver, void *user)
{
    memset(o, 0, offsetof(gl_order, batch));
    o->reached = INT64_MIN;
    o->deliver = deliver;
    o->user = user;
}

int gl_order_add(gl_order *o, gl_queue *q)
{
    if (o->n == o->capacity) {
        size_t more = o->capacity ? 2 * o->capacity : 16;
        gl_queue **queue = realloc(o->queue, more * sizeof(gl_queue *));
        if (queue)
            o->queue = queue;
        uint32_t *heap = realloc(o->heap, more * sizeof *heap);
        if (heap)
            o->heap = heap;
        if (!queue || !heap)
            return GL_E_NOMEM;
        o->capacity = more;
    }
    o->queue[o->n++] = q;
    return 0;
}

void gl_order_free(gl_order *o)
{
    free(o->queue);
    free(o->heap);
    o->queue = NULL;
    o->heap = NULL;
    o->n = o->capacity = 0;
}

static int64_t first_time(const gl_order *o, size_t place)
{
    const gl_queue *q = o->queue[o->heap[place]];
    return q->event[q->head].time;
}

/** Equal times: by the number of the ring. */
static bool before(const gl_order *o, size_t a, size_t b)
{
    int64_t x = first_time(o, a), y = first_time(o, b);
    return x != y ? x < y : o->heap[a] < o->heap[b];
}

static void sift_down(gl_order *o, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= o->heap_n)
            return;
        if (child + 1 < o->heap_n && before(o, child + 1, child))
            child++;
        if (!before(o, child, i))
            return;
        uint32_t swap = o->heap[i];
        o->heap[i] = o->heap[child];
        o->heap[child] = swap;
        i = child;
    }
}

static void make_heap(gl_order *o, int64_t upto)
{
    o->heap_n = 0;
    for (size_t i = 0; i < o->n; i++) {
        const gl_queue *q = o->queue[i];
        if (q->head < q->tail && q->event[q->head].time <= upto)
            o->heap[o->heap_n++] = (uint32_t)i;
    }
    for (size_t i = o->heap_n / 2; i > 0; i--)
        sift_down(o, i - 1);
}

/** How far the first queue may go before another one's turn comes: up to the smaller of the root's children. */
static int64_t turn_of(const gl_order *o, int64_t upto)
{
    int64_t limit = upto;
    for (size_t child = 1; child <= 2 && child < o->heap_n; child++) {
        int64_t other = first_time(o, child);
        limit = other < limit ? other : limit;
    }
    return limit;
}

static int flush(gl_order *o)
{
    size_t n = o->batch_n;
    o->batch_n = 0;
    return n ? o->deliver(o->user, o->batch, n) : 0;
}

/** Moves events of the queue up to `limit` into the batch; at least one, as the heap says that it is the first. */
static int take_turn(gl_order *o, gl_queue *q, int64_t limit)
{
    size_t at = q->head;
    int status = 0;
    do {
        const gl_event *ev = &q->event[at++];
        if (ev->time < o->reached)
            o->late++;
        else
            o->reached = ev->time;
        o->batch[o->batch_n++] = *ev;
        if (o->batch_n == GL_ORDER_BATCH)
            status = flush(o);
    } while (status >= 0 && at < q->tail && q->event[at].time <= limit);
    q->head = at;
    return status;
}

int gl_order_run(gl_order *o, int64_t upto)
{
    make_heap(o, upto);
    int status = 0;
    while (o->heap_n && status >= 0) {
        gl_queue *q = o->queue[o->heap[0]];
        status = take_turn(o, q, turn_of(o, upto));
        if (q->head == q->tail || q->event[q->head].time > upto)
            o->heap[0] = o->heap[--o->heap_n];
        sift_down(o, 0);
    }
    return status < 0 ? status : flush(o);
}
