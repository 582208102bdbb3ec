/*
 * The collector: mark and sweep. Marking runs beside the program, between two short stops of the world; sweeping comes
 * with allocation and in the background.
 *
 * What keeps it right: an object that a goroutine stores into another one while marking is shaded (rt_store), new objects
 * are born marked, and stacks, channels and roots are looked at again in the second stop. Stacks are searched word by
 * word: whatever looks like a pointer to an object is one.
 */
#include <stdlib.h>
#include <string.h>

#include "rt.h"

#define HEAP_MIN ((size_t)4 << 20)
#define LIVE_TOLD ((uint64_t)256 << 10) /* HeapLive at least so often */
#define ASSIST_EVERY ((size_t)64 << 10)
#define ASSIST_OBJECTS 256
#define SLICE 1024 /* objects or spans the collector works on before it lets others run */

static struct {
    uint32_t lock;     /* of what is grey, and of who waits */
    object **grey;     /* found, and not looked at yet */
    size_t n, capacity;
    uint32_t cut;      /* one could not be kept: this cycle frees nothing */
    uint32_t marking;
    uint32_t mark;     /* of this cycle, 1 to 255 */
    uint64_t goal, live_min, told;
    uint64_t cycles, wanted; /* ended; asked for */
    uint32_t wait_lock;
    goroutine *sleeping; /* the collector, while it has nothing to do */
    goroutine *waiting;  /* for a cycle's end */
    void **roots[RT_ROOTS_MAX];
    uint32_t root_count;
} gc;

static const gl_emit_stack none = {NULL, 0};

/* Marking. */

static void shade(object *o)
{
    uint8_t mark = (uint8_t)__atomic_load_n(&gc.mark, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&o->mark, mark, __ATOMIC_ACQ_REL) == mark || !o->pointers)
        return;
    rt_lock(&gc.lock);
    if (gc.n == gc.capacity) {
        size_t more = gc.capacity ? 2 * gc.capacity : 1024;
        object **grey = realloc(gc.grey, more * sizeof *grey);
        if (grey) {
            gc.grey = grey;
            gc.capacity = more;
        }
    }
    if (gc.n < gc.capacity)
        gc.grey[gc.n++] = o;
    else
        gc.cut = 1;
    rt_unlock(&gc.lock);
}

static void shade_word(uintptr_t word)
{
    object *o = rt_heap_find(word);
    if (o)
        shade(o);
}

/** Memory of stacks and of buffers: everything in it may be a pointer, and sanitizers think of some as forbidden. */
#if defined(__clang__)
__attribute__((no_sanitize("address", "thread")))
#else
__attribute__((no_sanitize("address"), no_sanitize("thread")))
#endif
static void shade_words(const uintptr_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        shade_word(*(const volatile uintptr_t *)&words[i]);
}

static object *take_grey(void)
{
    rt_lock(&gc.lock);
    object *o = gc.n ? gc.grey[--gc.n] : NULL;
    rt_unlock(&gc.lock);
    return o;
}

/** Looks at up to n grey objects; false: there were none left. */
static bool mark_some(size_t n)
{
    object *o;
    while (n-- > 0) {
        if (!(o = take_grey()))
            return false;
        void *const *slot = (void *const *)(o + 1);
        for (unsigned i = 0; i < o->pointers; i++)
            shade_word((uintptr_t)__atomic_load_n(&slot[i], __ATOMIC_RELAXED));
    }
    return true;
}

/** With the world stopped. */
static void shade_roots(void)
{
    for (goroutine *g = rt_sched.all; g; g = g->all) {
        if (!g->alive || g == rt_current())
            continue;
        shade_word((uintptr_t)g->arg);
        if (g->in_syscall) /* its thread keeps nothing of ours in registers, see rt_system_sleep */
            shade_words((const uintptr_t *)g->stack.low, (g->stack.high - g->stack.low) / sizeof(uintptr_t));
        else
            rt_context_words(&g->context, &g->stack, shade_words);
    }
    rt_chans_each(shade_words);
    for (uint32_t i = 0; i < gc.root_count; i++)
        shade_word((uintptr_t)__atomic_load_n(gc.roots[i], __ATOMIC_RELAXED));
}

/* A cycle. */

static void begin_marking(void)
{
    while (rt_heap_sweep((uint8_t)gc.mark))
        continue;
    __atomic_store_n(&gc.mark, gc.mark % 255 + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&gc.marking, 1, __ATOMIC_RELEASE);
    gl_emit_GCStart(gc.cycles + 1);
    shade_roots();
}

static void end_marking(void)
{
    shade_roots();
    while (mark_some(SLICE))
        continue;
    __atomic_store_n(&gc.marking, 0, __ATOMIC_RELEASE);
    gl_emit_GCEnd(gc.cycles + 1);
    COUNT(gcs);
    if (!gc.cut)
        rt_heap_sweep_again();
    gc.cut = 0;
}

/** How much is live is known when all is swept; the next cycle is due at twice that. */
static void set_goal(void)
{
    uint64_t live = rt_heap_live(), goal = 2 * live > gc.live_min ? 2 * live : gc.live_min;
    __atomic_store_n(&gc.goal, goal, __ATOMIC_RELAXED);
    __atomic_store_n(&gc.told, live, __ATOMIC_RELAXED);
    gl_emit_HeapLive(live);
    gl_emit_HeapGoal(goal);
}

static void cycle(void)
{
    static const char begin[] = "GC sweep termination", end[] = "GC mark termination";
    gl_emit_GoLabel("GC (dedicated)");
    rt_stop_world(begin, true, none);
    begin_marking();
    rt_start_world(begin, true);
    while (mark_some(SLICE))
        rt_yield_for("preempted", none);
    rt_stop_world(end, true, none);
    end_marking();
    rt_start_world(end, true);
    while (rt_heap_sweep((uint8_t)gc.mark))
        rt_safepoint(none);
    set_goal();
}

static void wake_waiting(void)
{
    rt_lock(&gc.wait_lock);
    gc.cycles++;
    goroutine *g = gc.waiting;
    gc.waiting = NULL;
    rt_unlock(&gc.wait_lock);
    while (g) {
        goroutine *next = g->next;
        rt_ready(g, none);
        g = next;
    }
}

static void unlock_wait(void *arg)
{
    (void)arg;
    rt_unlock(&gc.wait_lock);
}

static void collect_garbage(void *arg)
{
    (void)arg;
    for (;;) {
        rt_lock(&gc.wait_lock);
        if (gc.wanted <= gc.cycles) {
            gc.sleeping = rt_current();
            rt_park_then("system goroutine wait", unlock_wait, NULL, none);
            continue;
        }
        rt_unlock(&gc.wait_lock);
        cycle();
        wake_waiting();
    }
}

/** Asks for a cycle that begins from now on. With the lock held; the collector, if it has to be woken. */
static goroutine *want(void)
{
    goroutine *g = gc.sleeping;
    gc.sleeping = NULL;
    gc.wanted = gc.cycles + (g ? 1 : 2); /* one that is under way may have begun too early */
    return g;
}

void rt_gc(void)
{
    CALLER(at);
    rt_safepoint(at);
    rt_lock(&gc.wait_lock);
    goroutine *collector = want(), *g = rt_current();
    uint64_t until = gc.wanted;
    if (collector) {
        rt_unlock(&gc.wait_lock);
        rt_ready(collector, at);
        rt_lock(&gc.wait_lock);
    }
    while (gc.cycles < until) {
        g->next = gc.waiting;
        gc.waiting = g;
        rt_park("wait until GC ends", &gc.wait_lock, at);
        rt_lock(&gc.wait_lock);
    }
    rt_unlock(&gc.wait_lock);
}

/* Allocation. */

static void assist(goroutine *g, size_t bytes)
{
    g->assist_debt += bytes;
    if (g->assist_debt < ASSIST_EVERY)
        return;
    g->assist_debt = 0;
    COUNT(assists);
    gl_emit_GCMarkAssistBegin();
    mark_some(ASSIST_OBJECTS);
    gl_emit_GCMarkAssistEnd();
}

static void tell_live(gl_emit_stack at)
{
    uint64_t live = rt_heap_live(), told = __atomic_load_n(&gc.told, __ATOMIC_RELAXED);
    if (live < told + LIVE_TOLD)
        return;
    __atomic_store_n(&gc.told, live, __ATOMIC_RELAXED);
    gl_emit_HeapLive(live);
    if (live < __atomic_load_n(&gc.goal, __ATOMIC_RELAXED))
        return;
    rt_lock(&gc.wait_lock);
    goroutine *collector = gc.sleeping ? want() : NULL;
    rt_unlock(&gc.wait_lock);
    if (collector)
        rt_ready(collector, at);
}

__attribute__((noinline)) void *rt_alloc(size_t bytes, unsigned pointers)
{
    CALLER(at);
    rt_safepoint(at);
    if (pointers > UINT16_MAX || pointers * sizeof(void *) > bytes)
        rt_panic_at("more pointers than the object has room for", 0, at);
    if (__atomic_load_n(&gc.marking, __ATOMIC_ACQUIRE))
        assist(rt_current(), bytes);
    object *o = rt_heap_take(bytes, pointers, (uint8_t)__atomic_load_n(&gc.mark, __ATOMIC_RELAXED));
    if (!o) {
        rt_gc();
        o = rt_heap_take(bytes, pointers, (uint8_t)__atomic_load_n(&gc.mark, __ATOMIC_RELAXED));
    }
    if (!o)
        rt_panic_at("out of memory", 0, at);
    tell_live(at);
    return o + 1;
}

void rt_store(void **slot, void *value)
{
    if (value && __atomic_load_n(&gc.marking, __ATOMIC_ACQUIRE))
        shade_word((uintptr_t)value);
    __atomic_store_n(slot, value, __ATOMIC_RELEASE);
}

void *rt_load(void *const *slot)
{
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

void rt_root(void **slot)
{
    rt_lock(&gc.lock);
    if (gc.root_count < RT_ROOTS_MAX)
        gc.roots[gc.root_count++] = slot;
    rt_unlock(&gc.lock);
}

bool rt_gc_init(size_t heap_min)
{
    memset(&gc, 0, sizeof gc);
    gc.live_min = heap_min ? heap_min : HEAP_MIN;
    gc.goal = gc.live_min;
    gc.mark = 1;
    goroutine *g = rt_goroutine_new(collect_garbage, NULL);
    if (!g)
        return false;
    uint64_t pc = (uint64_t)(uintptr_t)collect_garbage;
    rt_sched.workers[0].counts.goroutines++;
    gl_emit_GoCreate(g->id, GL_G_RUNNABLE, (gl_emit_stack){&pc, 1});
    rt_push(&rt_sched.workers[0], g);
    return true;
}

void rt_gc_clean_up(void)
{
    free(gc.grey);
    memset(&gc, 0, sizeof gc);
}
