/* Sleeping goroutines, in a heap with the next one on top. Workers look here before they look for other work. */
#include <stdlib.h>

#include "rt.h"

static struct {
    uint32_t lock;
    goroutine **heap;
    size_t n, capacity;
    uint64_t next; /* when the first is to wake, 0: none; may be looked at without the lock */
} timers;

static void put(size_t at, goroutine *g)
{
    timers.heap[at] = g;
}

static void sift_up(goroutine *g)
{
    size_t at = timers.n++;
    for (; at && timers.heap[(at - 1) / 2]->wake_at > g->wake_at; at = (at - 1) / 2)
        put(at, timers.heap[(at - 1) / 2]);
    put(at, g);
}

static goroutine *take_first(void)
{
    goroutine *first = timers.heap[0], *g = timers.heap[--timers.n];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < timers.n && timers.heap[child + 1]->wake_at < timers.heap[child]->wake_at)
            child++;
        if (child >= timers.n || timers.heap[child]->wake_at >= g->wake_at)
            break;
        put(at, timers.heap[child]);
        at = child;
    }
    if (timers.n)
        put(at, g);
    return first;
}

static void note_next(void)
{
    __atomic_store_n(&timers.next, timers.n ? timers.heap[0]->wake_at : 0, __ATOMIC_RELEASE);
}

/** On the worker's stack: nobody can wake the goroutine before it has left its own. */
static void queue_sleeper(void *arg)
{
    goroutine *g = arg;
    rt_lock(&timers.lock);
    if (timers.n == timers.capacity) {
        size_t more = timers.capacity ? 2 * timers.capacity : 64;
        goroutine **heap = realloc(timers.heap, more * sizeof(goroutine *));
        if (heap) {
            timers.heap = heap;
            timers.capacity = more;
        }
    }
    bool room = timers.n < timers.capacity;
    if (room)
        sift_up(g);
    note_next();
    rt_unlock(&timers.lock);
    if (!room) /* no memory: a short sleep */
        rt_ready(g, gl_emit_no_stack());
    rt_wake_one(); /* an idle worker must know until when to sleep now */
}

void rt_sleep(uint64_t ns)
{
    CALLER(at);
    goroutine *g = rt_current();
    g->wake_at = rt_now() + ns;
    rt_park_then("sleep", queue_sleeper, g, at);
}

uint64_t rt_timers_run(void)
{
    for (;;) {
        uint64_t next = __atomic_load_n(&timers.next, __ATOMIC_ACQUIRE), now = next ? rt_now() : 0;
        if (!next)
            return 0;
        if (next > now)
            return next - now;
        rt_lock(&timers.lock);
        goroutine *g = timers.n && timers.heap[0]->wake_at <= now ? take_first() : NULL;
        note_next();
        rt_unlock(&timers.lock);
        if (g)
            rt_ready(g, gl_emit_no_stack());
    }
}

bool rt_timers_any(void)
{
    return __atomic_load_n(&timers.next, __ATOMIC_ACQUIRE) != 0;
}

void rt_timers_clean_up(void)
{
    free(timers.heap);
    timers.heap = NULL;
    timers.n = timers.capacity = 0;
    timers.next = 0;
}
