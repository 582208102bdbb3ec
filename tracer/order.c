#include "order.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_FIRST 256u
/* So many events of one queue in a row are delivered from where they lie: fewer are better in one batch with others. */
#define RUN_LONG 256u

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

void gl_order_init(gl_order *o, gl_order_fn deliver, gl_refill_fn refill, void *user)
{
    memset(o, 0, offsetof(gl_order, batch));
    o->reached = INT64_MIN;
    o->deliver = deliver;
    o->refill = refill;
    o->user = user;
}

int gl_order_add(gl_order *o, gl_queue *q)
{
    if (o->n == o->capacity) {
        size_t more = o->capacity ? 2 * o->capacity : 16;
        gl_queue **queue = realloc(o->queue, more * sizeof(gl_queue *));
        if (queue)
            o->queue = queue;
        gl_order_head *heap = realloc(o->heap, more * sizeof *heap);
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

static gl_order_head head_of(const gl_order *o, uint32_t queue)
{
    const gl_queue *q = o->queue[queue];
    return (gl_order_head){q->event[q->head].time, queue};
}

/** Equal times: by the number of the ring. */
static inline bool before(gl_order_head a, gl_order_head b)
{
    return a.time != b.time ? a.time < b.time : a.queue < b.queue;
}

/** Puts `what` where the heap's place i is free. */
static void sift_down(gl_order *o, size_t i, gl_order_head what)
{
    gl_order_head *heap = o->heap;
    for (size_t child; (child = 2 * i + 1) < o->heap_n; i = child) {
        child += child + 1 < o->heap_n && before(heap[child + 1], heap[child]);
        if (!before(heap[child], what))
            break;
        heap[i] = heap[child];
    }
    heap[i] = what;
}

static void make_heap(gl_order *o, int64_t upto)
{
    o->heap_n = 0;
    for (size_t i = 0; i < o->n; i++) {
        const gl_queue *q = o->queue[i];
        if (q->head < q->tail && q->event[q->head].time <= upto)
            o->heap[o->heap_n++] = head_of(o, (uint32_t)i);
    }
    for (size_t i = o->heap_n / 2; i > 0; i--)
        sift_down(o, i - 1, o->heap[i - 1]);
}

/** How far the first queue may go before another one's turn comes: up to the smaller of the root's children. */
static int64_t turn_of(const gl_order *o, int64_t upto)
{
    int64_t limit = upto;
    for (size_t child = 1; child <= 2 && child < o->heap_n; child++)
        limit = o->heap[child].time < limit ? o->heap[child].time : limit;
    return limit;
}

static int flush(gl_order *o)
{
    size_t n = o->batch_n;
    o->batch_n = 0;
    return n ? o->deliver(o->user, o->batch, n) : 0;
}

/** How many events of the queue come before any later than `limit`. Each is looked at: stamps may step back. */
static size_t run_length(gl_order *o, const gl_queue *q, int64_t limit)
{
    const gl_event *first = q->event + q->head, *end = q->event + q->tail, *ev = first;
    int64_t reached = o->reached;
    uint64_t late = 0;
    for (; ev < end && ev->time <= limit; ev++) {
        late += ev->time < reached;
        reached = ev->time < reached ? reached : ev->time;
    }
    o->reached = reached;
    o->late += late;
    return (size_t)(ev - first);
}

static int put(gl_order *o, const gl_event *events, size_t n)
{
    int status = 0;
    while (n && status >= 0) {
        size_t some = n < GL_ORDER_BATCH - o->batch_n ? n : GL_ORDER_BATCH - o->batch_n;
        memcpy(o->batch + o->batch_n, events, some * sizeof *events);
        o->batch_n += some;
        events += some;
        n -= some;
        if (o->batch_n == GL_ORDER_BATCH)
            status = flush(o);
    }
    return status;
}

/** Delivers events of the queue up to `limit`. */
static int take_turn(gl_order *o, gl_queue *q, int64_t limit)
{
    gl_event *first = q->event + q->head;
    size_t n = run_length(o, q, limit);
    q->head += n;
    if (n < RUN_LONG)
        return put(o, first, n);
    int status = flush(o);
    return status < 0 ? status : o->deliver(o->user, first, n);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/** The same for two queues, whose turns may be short. Which is next can't be foretold, so nothing hangs on it but an
    address. At most n events, and no more than either has. */
static void take_mixed(gl_order *o, const gl_event **first, const gl_event **second, size_t n, int64_t upto)
{
    const gl_event *a = *first, *b = *second;
    gl_event *out = o->batch + o->batch_n, *end = out + n;
    int64_t reached = o->reached;
    uint64_t late = 0;
    while (out < end) {
        bool other = b->time < a->time;
        const gl_event *ev = other ? b : a;
        if (ev->time > upto)
            break;
        late += ev->time < reached;
        reached = ev->time < reached ? reached : ev->time;
        *out++ = *ev;
        a += !other;
        b += other;
    }
    o->batch_n = (size_t)(out - o->batch);
    o->reached = reached;
    o->late += late;
    *first = a;
    *second = b;
}

static bool is_long_run(const gl_queue *q, int64_t limit)
{
    return gl_queue_count(q) >= RUN_LONG && q->event[q->head + RUN_LONG - 1].time <= limit && q->event[q->head].time <= limit;
}

static int take_some_mixed(gl_order *o, gl_queue *first, gl_queue *second, int64_t upto)
{
    const gl_event *a = first->event + first->head, *b = second->event + second->head;
    size_t n = least(least(gl_queue_count(first), gl_queue_count(second)), least(RUN_LONG, GL_ORDER_BATCH - o->batch_n));
    take_mixed(o, &a, &b, n, upto);
    first->head = (size_t)(a - first->event);
    second->head = (size_t)(b - second->event);
    return o->batch_n == GL_ORDER_BATCH ? flush(o) : 0;
}

static bool is_done(const gl_queue *q, int64_t upto)
{
    return q->head == q->tail || q->event[q->head].time > upto;
}

/** Until one of them is empty, or nothing is left up to then. */
static int take_from_two(gl_order *o, gl_queue *first, gl_queue *second, int64_t upto)
{
    int status = 0;
    while (status >= 0 && gl_queue_count(first) && gl_queue_count(second)) {
        int64_t a = first->event[first->head].time, b = second->event[second->head].time;
        if (a > upto && b > upto)
            break;
        gl_queue *next = b < a ? second : first;
        int64_t limit = b < a ? a : b;
        limit = limit < upto ? limit : upto;
        status = is_long_run(next, limit) ? take_turn(o, next, limit) : take_some_mixed(o, first, second, upto);
    }
    return status;
}

static int fill(gl_order *o, gl_queue *q)
{
    return q->more && o->refill && gl_queue_count(q) == 0 ? o->refill(o->user, q) : 0;
}

/** The queue at the heap's place i has given something: on with what it has now, or without it. */
static int put_back(gl_order *o, size_t i, int64_t upto)
{
    uint32_t queue = o->heap[i].queue;
    int status = fill(o, o->queue[queue]);
    if (status >= 0 && !is_done(o->queue[queue], upto))
        sift_down(o, i, head_of(o, queue));
    else if (--o->heap_n > i)
        sift_down(o, i, o->heap[o->heap_n]);
    return status;
}

static int take_next_of_two(gl_order *o, int64_t upto)
{
    uint32_t i = o->heap[0].queue, k = o->heap[1].queue;
    int status = take_from_two(o, o->queue[i < k ? i : k], o->queue[i < k ? k : i], upto);
    if (status >= 0)
        status = put_back(o, 1, upto);
    return status < 0 ? status : put_back(o, 0, upto);
}

static int take_next(gl_order *o, int64_t upto)
{
    int status = take_turn(o, o->queue[o->heap[0].queue], turn_of(o, upto));
    return status < 0 ? status : put_back(o, 0, upto);
}

int gl_order_run(gl_order *o, int64_t upto)
{
    int status = 0;
    for (size_t i = 0; i < o->n && status >= 0; i++)
        status = fill(o, o->queue[i]);
    make_heap(o, upto);
    while (o->heap_n && status >= 0)
        status = o->heap_n == 2 ? take_next_of_two(o, upto) : take_next(o, upto);
    return status < 0 ? status : flush(o);
}
