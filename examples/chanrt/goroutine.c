/* Goroutines: made, parked, made ready, ended. */
#include <stdlib.h>

#include "rt.h"

goroutine *rt_current(void)
{
    return rt_self()->current;
}

static void put_away(void *arg)
{
    goroutine *g = arg;
    rt_lock(&rt_sched.all_lock);
    g->next = rt_sched.dead;
    rt_sched.dead = g;
    rt_unlock(&rt_sched.all_lock);
}

static void end_of_main(void *arg)
{
    put_away(arg);
    rt_lock(&rt_sched.lock);
    __atomic_store_n(&rt_sched.done, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < rt_sched.worker_count; i++)
        rt_wake_worker(&rt_sched.workers[i]);
    rt_unlock(&rt_sched.lock);
}

/** Where every goroutine begins and ends. */
static void entry(void)
{
    rt_context_entered(&rt_self()->context);
    goroutine *g = rt_current();
    g->outermost = (uintptr_t)__builtin_frame_address(0);
    g->f(g->arg);
    COUNT(ended);
    gl_emit_GoEnd(GL_G_RUNNING);
    __atomic_fetch_sub(&rt_sched.alive, 1, __ATOMIC_RELEASE); /* all that it did is in the trace */
    __atomic_store_n(&g->alive, 0, __ATOMIC_RELAXED);
    rt_leave(g->id == 1 ? end_of_main : put_away, g);
    __builtin_unreachable();
}

static goroutine *from_the_dead(void)
{
    rt_lock(&rt_sched.all_lock);
    goroutine *g = rt_sched.dead;
    if (g)
        rt_sched.dead = g->next;
    rt_unlock(&rt_sched.all_lock);
    return g;
}

static goroutine *make(void)
{
    goroutine *g = calloc(1, sizeof *g);
    if (!g || !rt_stack_make(&g->stack, rt_sched.stack_bytes)) {
        free(g);
        return NULL;
    }
    rt_lock(&rt_sched.all_lock);
    g->all = rt_sched.all;
    rt_sched.all = g;
    rt_unlock(&rt_sched.all_lock);
    return g;
}

goroutine *rt_goroutine_new(void (*f)(void *), void *arg)
{
    goroutine *g = from_the_dead();
    if (!g && !(g = make()))
        return NULL;
    g->id = __atomic_add_fetch(&rt_sched.last_id, 1, __ATOMIC_RELAXED);
    g->f = f;
    g->arg = arg;
    g->catchers = NULL;
    g->panic = NULL;
    g->assist_debt = 0;
    rt_context_make(&g->context, &g->stack, entry);
    __atomic_store_n(&g->alive, 1, __ATOMIC_RELEASE);
    return g;
}

uint64_t rt_go(void (*f)(void *), void *arg)
{
    CALLER(at);
    rt_safepoint(at);
    goroutine *g = rt_goroutine_new(f, arg);
    if (!g)
        rt_panic_at("no memory for a goroutine", 0, at);
    uint64_t id = g->id, pc = (uint64_t)(uintptr_t)f;
    COUNT(goroutines);
    __atomic_fetch_add(&rt_sched.alive, 1, __ATOMIC_RELAXED);
    gl_emit_GoCreate_at(at, id, GL_G_RUNNABLE, (gl_emit_stack){&pc, 1});
    rt_push(rt_self(), g);
    rt_wake_one();
    return id;
}

uint64_t rt_id(void)
{
    return rt_current()->id;
}

static void unlock_word(void *word)
{
    rt_unlock(word);
}

void rt_park_then(const char *reason, void (*after)(void *), void *arg, gl_emit_stack at)
{
    COUNT(blocks);
    gl_emit_GoBlock_at(at, reason);
    rt_leave(after, arg);
}

void rt_park(const char *reason, uint32_t *unlock, gl_emit_stack at)
{
    rt_wait_counted(rt_current());
    rt_park_then(reason, unlock ? unlock_word : NULL, unlock, at);
}

void rt_wait_counted(goroutine *g)
{
    g->waits = true;
    __atomic_fetch_add(&rt_sched.waiting, 1, __ATOMIC_RELAXED);
}

void rt_ready(goroutine *g, gl_emit_stack at)
{
    COUNT(unparks);
    if (g->waits)
        __atomic_fetch_sub(&rt_sched.waiting, 1, __ATOMIC_RELAXED);
    g->waits = false;
    gl_emit_GoUnpark_at(at, g->id);
    rt_push(rt_self(), g);
    rt_wake_one();
}

static void queue_again(void *g)
{
    rt_push(rt_self(), g);
}

void rt_yield_for(const char *reason, gl_emit_stack at)
{
    COUNT(yields);
    gl_emit_GoYield_at(at, reason);
    rt_leave(queue_again, rt_current());
}

void rt_safepoint(gl_emit_stack at)
{
    if (__atomic_load_n(&rt_sched.stop, __ATOMIC_ACQUIRE))
        rt_yield_for("preempted", at);
}

void rt_yield(void)
{
    CALLER(at);
    rt_yield_for("runtime.Gosched", at);
}

uint64_t rt_alive(void)
{
    return __atomic_load_n(&rt_sched.alive, __ATOMIC_ACQUIRE);
}

uint64_t rt_waiting(void)
{
    return __atomic_load_n(&rt_sched.waiting, __ATOMIC_RELAXED);
}

/** One word of a frame, which a sanitizer may think is none of ours. */
__attribute__((noinline))
#if defined(__clang__)
__attribute__((no_sanitize("address", "thread")))
#else
__attribute__((no_sanitize("address"), no_sanitize("thread")))
#endif
static uintptr_t word_at(uintptr_t address)
{
    return *(const volatile uintptr_t *)address;
}

gl_emit_stack rt_walk(const void *frame, uint64_t pcs[RT_FRAMES])
{
    goroutine *g = rt_current();
    gl_emit_stack stack = {pcs, 0};
    uintptr_t fp = (uintptr_t)frame;
    if (!gl_emit_listening())
        return stack;
    while (stack.n < RT_FRAMES && fp >= g->stack.low && fp < g->outermost && fp % sizeof fp == 0) {
        uintptr_t up = word_at(fp), ret = word_at(fp + sizeof fp);
        if (up == g->outermost && stack.n) /* the goroutine's own function was the last frame; this is who called it */
            break;
        /* The innermost address is to lie in the call, as those of signals and faults do; the others behind theirs. */
        pcs[stack.n] = stack.n ? ret : ret - 1;
        stack.n++;
        if (up <= fp || up == g->outermost)
            break;
        fp = up;
    }
    return stack;
}

void rt_goroutines_clean_up(void)
{
    while (rt_sched.all) {
        goroutine *g = rt_sched.all;
        rt_sched.all = g->all;
        rt_context_free(&g->context);
        rt_stack_free(&g->stack);
        free(g);
    }
    rt_sched.dead = NULL;
}
