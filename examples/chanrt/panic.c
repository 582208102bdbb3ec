/* Panics, and who catches them. */
#include "rt.h"

/** Nobody has: the program is over. On the worker's own stack. */
static void give_up(void *arg)
{
    goroutine *g = arg;
    rt_lock(&rt_sched.lock);
    if (!rt_sched.done) {
        rt_sched.end = RT_PANIC;
        rt_sched.message = g->panic;
    }
    __atomic_store_n(&rt_sched.done, 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < rt_sched.worker_count; i++)
        rt_wake_worker(&rt_sched.workers[i]);
    rt_unlock(&rt_sched.lock);
}

_Noreturn void rt_panic_at(const char *message, uint64_t chan, gl_emit_stack at)
{
    goroutine *g = rt_current();
    COUNT(panics);
    gl_emit_Panic_at(at, message, chan);
    g->panic = message;
    catcher *c = g->catchers;
    if (c) {
        g->catchers = c->outer;
        longjmp(c->back, 1);
    }
    rt_park_then("panicwait", give_up, g, at);
    __builtin_unreachable();
}

_Noreturn __attribute__((noinline)) void rt_panic(const char *message)
{
    CALLER(at);
    rt_panic_at(message, 0, at);
}

const char *rt_catch(void (*f)(void *), void *arg)
{
    goroutine *g = rt_current();
    catcher c = {.outer = g->catchers};
    g->catchers = &c;
    if (setjmp(c.back)) {
        g = rt_current();
        const char *message = g->panic;
        g->panic = NULL;
        return message;
    }
    f(arg);
    g->catchers = c.outer;
    return NULL;
}
