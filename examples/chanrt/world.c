/* The start and the end of it all, and the stopping of the world in between. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rt.h"

/* Stopping. */

void rt_stop_world(const char *reason, bool collector, gl_emit_stack at)
{
    while (true) { /* one stopper at a time; the others have to stop themselves while they wait */
        uint32_t none = 0;
        if (__atomic_compare_exchange_n(&rt_sched.stop_lock, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            break;
        rt_yield_for("preempted", at);
    }
    COUNT(stws);
    rt_self()->counts.pauses += collector;
    /* Odd before the pause begins, even after it has ended: see rt_send_ended. */
    if (collector)
        __atomic_add_fetch(&rt_sched.pause, 1, __ATOMIC_SEQ_CST);
    gl_emit_GCSTWBegin_at(at, reason);
    rt_lock(&rt_sched.lock);
    __atomic_store_n(&rt_sched.stopper_note, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&rt_sched.stop, 1, __ATOMIC_RELEASE);
    while (rt_sched.running > 1) {
        rt_unlock(&rt_sched.lock);
        rt_futex_wait(&rt_sched.stopper_note, 0, 0);
        rt_lock(&rt_sched.lock);
    }
    rt_unlock(&rt_sched.lock);
}

void rt_start_world(const char *reason, bool collector)
{
    gl_emit_GCSTWEnd(reason);
    if (collector)
        __atomic_add_fetch(&rt_sched.pause, 1, __ATOMIC_SEQ_CST);
    rt_lock(&rt_sched.lock);
    __atomic_store_n(&rt_sched.stop, 0, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < rt_sched.worker_count; i++)
        if (rt_sched.workers[i].state != WORKER_RUNNING)
            rt_wake_worker(&rt_sched.workers[i]);
    rt_unlock(&rt_sched.lock);
    __atomic_store_n(&rt_sched.stop_lock, 0, __ATOMIC_RELEASE);
}

void rt_stop_briefly(const char *reason)
{
    CALLER(at);
    rt_safepoint(at);
    rt_stop_world(reason, false, at);
    rt_start_world(reason, false);
}

/*
 * Our own count of sends that straddle a collector's pause. A pause is from its begin event to its end event, a send
 * likewise. The number is odd from just before the begin of a pause to just after its end, and a goroutine that runs
 * while it is odd has not been stopped yet. So where the number that was seen after the send began is of an earlier pause
 * than the one seen before it ended, a whole pause, or its end at least, lies within the send: it straddles. Where the
 * send ended while a world was about to stop, nobody can say but the two events' stamps.
 */
uint32_t rt_pause_number(void)
{
    return __atomic_load_n(&rt_sched.pause, __ATOMIC_SEQ_CST);
}

void rt_send_begun(goroutine *g)
{
    g->pause_seen = rt_pause_number();
}

void rt_send_ended(goroutine *g, uint32_t before_end)
{
    if (before_end / 2 > g->pause_seen / 2)
        COUNT(straddles);
    else if (rt_pause_number() & 1)
        COUNT(straddles_maybe);
}

/* Calls that block. */

__attribute__((noinline)) void rt_system_sleep(uint64_t ns)
{
    CALLER(at);
    struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
    worker *w = rt_self();
    goroutine *g = w->current;
    __builtin_unwind_init(); /* registers that may hold pointers go where the collector looks */
    rt_safepoint(at);
    w = rt_self();
    w->counts.syscalls++;
    gl_emit_GoSyscallBegin_at(at);
    rt_lock(&rt_sched.lock);
    __atomic_store_n(&g->in_syscall, 1, __ATOMIC_RELEASE);
    rt_sched.in_syscall++;
    rt_running_less(w, WORKER_SYSCALL);
    rt_unlock(&rt_sched.lock);
    nanosleep(&ts, NULL);
    rt_lock(&rt_sched.lock);
    rt_running_more(w);
    rt_sched.in_syscall--;
    __atomic_store_n(&g->in_syscall, 0, __ATOMIC_RELEASE);
    rt_unlock(&rt_sched.lock);
    gl_emit_GoSyscallEnd(0);
}

/* Begin and end. */

static void *run_worker(void *w)
{
    rt_worker_run(w);
    return NULL;
}

static bool start(const rt_options *o, void (*f)(void *), void *arg)
{
    unsigned n = o->procs ? o->procs : 2;
    rt_sched = (scheduler){.worker_count = n, .running = n, .alive = 1};
    rt_sched.stack_bytes = o->stack_bytes ? o->stack_bytes : (RT_ASAN || RT_TSAN ? 256u : 64u) << 10;
    rt_sched.workers = aligned_alloc(_Alignof(worker), n * sizeof(worker));
    if (!rt_sched.workers || !rt_heap_init(o->heap_min, o->heap_max))
        return false;
    memset(rt_sched.workers, 0, n * sizeof(worker));
    for (unsigned i = 0; i < n; i++) {
        rt_sched.workers[i].id = i;
        rt_sched.workers[i].random = 88172645463325252u + i * 7919u;
    }
    rt_worker_set(&rt_sched.workers[0]);
    gl_emit_ProcsChange(n);
    goroutine *g = rt_goroutine_new(f, arg);
    if (!g)
        return false;
    uint64_t pc = (uint64_t)(uintptr_t)f;
    rt_sched.workers[0].counts.goroutines++;
    gl_emit_GoCreate(g->id, GL_G_RUNNABLE, (gl_emit_stack){&pc, 1});
    rt_push(&rt_sched.workers[0], g);
    return rt_gc_init(o->heap_min);
}

static void add_counts(rt_counts *sum, const rt_counts *one)
{
#define ADD(name) sum->name += one->name;
    RT_COUNTS(ADD)
#undef ADD
}

static void run_all(void)
{
    unsigned started = 1;
    for (; started < rt_sched.worker_count; started++) {
        worker *w = &rt_sched.workers[started];
        if (pthread_create(&w->thread, NULL, run_worker, w) != 0)
            break;
    }
    if (started < rt_sched.worker_count) {
        rt_lock(&rt_sched.lock);
        rt_sched.running -= rt_sched.worker_count - started;
        rt_sched.end = RT_FAILED;
        __atomic_store_n(&rt_sched.done, 1, __ATOMIC_RELEASE);
        rt_unlock(&rt_sched.lock);
    }
    rt_worker_run(&rt_sched.workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(rt_sched.workers[i].thread, NULL);
}

rt_end rt_run(const rt_options *o, void (*f)(void *), void *arg, rt_counts *counts, const char **message)
{
    memset(counts, 0, sizeof *counts);
    *message = NULL;
    if (!start(o, f, arg))
        rt_sched.end = RT_FAILED;
    else
        run_all();
    for (unsigned i = 0; rt_sched.workers && i < rt_sched.worker_count; i++)
        add_counts(counts, &rt_sched.workers[i].counts);
    counts->waiting = rt_sched.waiting;
    *message = rt_sched.message;
    rt_timers_clean_up();
    rt_goroutines_clean_up();
    rt_chans_clean_up();
    rt_gc_clean_up();
    rt_heap_clean_up();
    free(rt_sched.workers);
    rt_sched.workers = NULL;
    rt_worker_set(NULL);
    return rt_sched.end;
}
