/* Workers: each a thread with a P and a queue of goroutines to run, from which the others steal. */
#include "rt.h"

scheduler rt_sched;

static __thread worker *self;

/* Never inlined, so that no address of `self` outlives a switch. */
__attribute__((noinline)) worker *rt_self(void)
{
    worker *w = self;
    __asm__ volatile("" : "+r"(w));
    return w;
}

void rt_worker_set(worker *w)
{
    self = w;
}

/* Queues. */

void rt_push(worker *w, goroutine *g)
{
    rt_lock(&w->queue_lock);
    g->next = NULL;
    if (w->last)
        w->last->next = g;
    else
        w->first = g;
    w->last = g;
    __atomic_store_n(&w->queued, w->queued + 1, __ATOMIC_RELAXED);
    rt_unlock(&w->queue_lock);
}

static goroutine *pop(worker *w)
{
    if (!__atomic_load_n(&w->queued, __ATOMIC_RELAXED))
        return NULL;
    rt_lock(&w->queue_lock);
    goroutine *g = w->first;
    if (g) {
        w->first = g->next;
        if (!w->first)
            w->last = NULL;
        __atomic_store_n(&w->queued, w->queued - 1, __ATOMIC_RELAXED);
    }
    rt_unlock(&w->queue_lock);
    return g;
}

/** Half of what a neighbour has; one of it is to be run, the rest is ours. */
static goroutine *steal(worker *w)
{
    for (uint32_t i = 1; i < rt_sched.worker_count; i++) {
        worker *v = &rt_sched.workers[(w->id + i) % rt_sched.worker_count];
        uint32_t n = (__atomic_load_n(&v->queued, __ATOMIC_RELAXED) + 1) / 2;
        goroutine *g = n ? pop(v) : NULL;
        if (!g)
            continue;
        while (--n > 0) {
            goroutine *more = pop(v);
            if (!more)
                break;
            rt_push(w, more);
        }
        return g;
    }
    return NULL;
}

static bool any_queued(void)
{
    for (uint32_t i = 0; i < rt_sched.worker_count; i++) {
        worker *v = &rt_sched.workers[i];
        rt_lock(&v->queue_lock);
        bool some = v->first != NULL;
        rt_unlock(&v->queue_lock);
        if (some)
            return true;
    }
    return false;
}

/* Sleeping and waking. */

void rt_wake_worker(worker *w)
{
    __atomic_store_n(&w->note, 1, __ATOMIC_RELEASE);
    rt_futex_wake(&w->note, 1);
}

static void sleep_until_woken(worker *w, uint64_t ns)
{
    if (__atomic_load_n(&w->note, __ATOMIC_ACQUIRE) == 0)
        rt_futex_wait(&w->note, 0, ns);
    __atomic_store_n(&w->note, 0, __ATOMIC_RELAXED);
}

void rt_wake_one(void)
{
    if (!__atomic_load_n(&rt_sched.idle, __ATOMIC_SEQ_CST))
        return;
    rt_lock(&rt_sched.lock);
    for (uint32_t i = 0; i < rt_sched.worker_count; i++) {
        worker *v = &rt_sched.workers[i];
        if (v->state == WORKER_IDLE && !__atomic_load_n(&v->note, __ATOMIC_RELAXED)) {
            rt_wake_worker(v);
            break;
        }
    }
    rt_unlock(&rt_sched.lock);
}

void rt_running_less(worker *w, worker_state state)
{
    w->state = state;
    rt_sched.running--;
    if (rt_sched.stop && rt_sched.running == 1) {
        __atomic_store_n(&rt_sched.stopper_note, 1, __ATOMIC_RELEASE);
        rt_futex_wake(&rt_sched.stopper_note, 1);
    }
}

void rt_running_more(worker *w)
{
    while (rt_sched.stop) {
        rt_unlock(&rt_sched.lock);
        sleep_until_woken(w, 0);
        rt_lock(&rt_sched.lock);
    }
    w->state = WORKER_RUNNING;
    rt_sched.running++;
}

/** The world is to stop: so does this worker. */
static void stop_here(worker *w)
{
    gl_emit_ProcStop(w->id);
    rt_lock(&rt_sched.lock);
    rt_running_less(w, WORKER_STOPPED);
    rt_running_more(w);
    rt_unlock(&rt_sched.lock);
    gl_emit_ProcStart(w->id);
}

/** Nobody runs, nobody will: with the scheduler's lock held. */
static void end_in_deadlock(void)
{
    rt_sched.end = RT_DEADLOCK;
    __atomic_store_n(&rt_sched.done, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < rt_sched.worker_count; i++)
        rt_wake_worker(&rt_sched.workers[i]);
}

/** Nothing to run, for as long as nothing comes or for ns. */
static void be_idle(worker *w, uint64_t ns)
{
    gl_emit_ProcStop(w->id);
    rt_lock(&rt_sched.lock);
    rt_running_less(w, WORKER_IDLE);
    __atomic_fetch_add(&rt_sched.idle, 1, __ATOMIC_SEQ_CST);
    /* Whoever queues something from here on sees an idle worker. */
    bool some = any_queued();
    if (!some && !rt_sched.running && !rt_sched.in_syscall && !rt_sched.stop && !rt_timers_any() && !rt_sched.done)
        end_in_deadlock();
    rt_unlock(&rt_sched.lock);
    if (!some && !__atomic_load_n(&rt_sched.done, __ATOMIC_ACQUIRE))
        sleep_until_woken(w, ns);
    rt_lock(&rt_sched.lock);
    __atomic_fetch_sub(&rt_sched.idle, 1, __ATOMIC_SEQ_CST);
    w->state = WORKER_STOPPED;
    rt_running_more(w);
    rt_unlock(&rt_sched.lock);
    gl_emit_ProcStart(w->id);
}

static goroutine *next(worker *w)
{
    while (!__atomic_load_n(&rt_sched.done, __ATOMIC_ACQUIRE)) {
        if (__atomic_load_n(&rt_sched.stop, __ATOMIC_ACQUIRE)) {
            stop_here(w);
            continue;
        }
        uint64_t ns = rt_timers_run();
        goroutine *g = pop(w);
        if (!g)
            g = steal(w);
        if (g)
            return g;
        be_idle(w, ns);
    }
    return NULL;
}

void rt_worker_run(worker *w)
{
    goroutine *g;
    rt_worker_set(w);
    rt_context_of_thread(&w->context);
    gl_emit_ProcStart(w->id);
    while ((g = next(w)) != NULL) {
        w->current = g;
        gl_emit_set_stack_bounds(g->stack.low, g->stack.high);
        gl_emit_GoStart(g->id);
        rt_switch(&w->context, &g->context, false);
        w->current = NULL;
        if (w->after)
            w->after(w->after_arg);
        w->after = NULL;
    }
    rt_lock(&rt_sched.lock);
    rt_running_less(w, WORKER_IDLE);
    rt_unlock(&rt_sched.lock);
    gl_emit_ProcStop(w->id);
}

void rt_leave(void (*after)(void *), void *arg)
{
    worker *w = rt_self();
    goroutine *g = w->current;
    w->after = after;
    w->after_arg = arg;
    rt_switch(&g->context, &w->context, !g->alive);
}
