/*
 * Changes of a goroutine's state: the runtime's numbers on the left, the vocabulary's events on the right. And Ps: the
 * runtime does not tell when one begins or ends, but each change says which one its thread has.
 */
#include <stdlib.h>
#include <string.h>

#include "translate_internal.h"

enum { RUNNABLE = 1, RUNNING = 2, SYSCALL = 3, WAITING = 4, DEAD = 6, COPYSTACK = 8, PREEMPTED = 9, DEADEXTRA = 11 };

/* Reasons */

/** A goroutine with one of these goes on running, as we see it: the runtime calls it waiting while it does its own
    bookkeeping on that thread (casGToWaitingForGC, casGToWaitingForSuspendG). */
static const char *const hidden_reasons[] = {
    "stopping the world", "GC mark termination", "GC worker (active)", "GC assist marking", "garbage collection",
    "garbage collection scan", "flushing proc caches", "trace goroutine status", "trace proc status", "page trace flush",
    "dumping heap",
};

enum { LOOKED_UP = 1, HIDDEN = 2, COROUTINE = 4 };

/** What kind of wait it is: looked up once for each reason, by its name in this release. */
static unsigned kind_of_wait(gl_translation *t, uint8_t reason)
{
    uint8_t *kind = &t->reason_kind[reason];
    if (*kind)
        return *kind;
    const char *name = gl_goprog_wait_reason(t->of.minor, reason);
    *kind = LOOKED_UP;
    for (size_t i = 0; name && i < sizeof hidden_reasons / sizeof *hidden_reasons; i++)
        if (strcmp(name, hidden_reasons[i]) == 0)
            *kind |= HIDDEN;
    if (name && strcmp(name, "coroutine") == 0)
        *kind |= COROUTINE;
    return *kind;
}

static uint32_t reason_text(gl_translation *t, unsigned reason)
{
    if (!t->reason_known[reason]) {
        const char *name = gl_goprog_wait_reason(t->of.minor, reason);
        t->reason_text[reason] = gl_translate_text(t, name ? name : "", name ? strlen(name) : 0);
        t->reason_known[reason] = true;
    }
    return t->reason_text[reason];
}

/* Ps */

static bool know_p(gl_translation *t, uint32_t p)
{
    if (p >= 65536)
        return false;
    if (p >= t->ps) {
        uint32_t n = p + 64;
        int32_t *more = realloc(t->p_thread, n * sizeof *more);
        if (!more)
            return false;
        for (uint32_t i = t->ps; i < n; i++)
            more[i] = -1;
        t->p_thread = more;
        t->ps = n;
    }
    return true;
}

static void stop_p(const gl_turn *x, uint32_t ring)
{
    gl_turn of = *x;
    of.thread = &x->t->threads[ring];
    if (of.thread->p == GL_NO_PROC)
        return;
    gl_event *ev = gl_turn_event(&of, GL_EV_ProcStop, 0);
    ev->arg[0] = of.thread->p;
    ev->flags = GL_FLAG_INFERRED;
    x->t->p_thread[of.thread->p] = -1;
    of.thread->p = GL_NO_PROC;
}

void gl_translate_gone(gl_translation *t, uint32_t ring, uint64_t ticks)
{
    gl_patch_record r = {.ticks = ticks};
    gl_turn x = {.t = t, .thread = &t->threads[ring], .ring = ring, .r = &r};
    stop_p(&x, ring);
    free(t->threads[ring].itself.cases);
    t->threads[ring] = (gl_patch_thread){.p = GL_NO_PROC};
}

static void has_p(const gl_turn *x)
{
    uint32_t p = x->r->aux - 1;
    if (x->r->aux == 0 || x->thread->p == p || !know_p(x->t, p))
        return;
    if (x->t->p_thread[p] >= 0)
        stop_p(x, (uint32_t)x->t->p_thread[p]);
    stop_p(x, x->ring);
    gl_event *ev = gl_turn_event(x, GL_EV_ProcStart, 0);
    ev->arg[0] = p;
    ev->flags = GL_FLAG_INFERRED;
    x->thread->p = p;
    x->t->p_thread[p] = (int32_t)x->ring;
}

/* Goroutines */

/** The state is what the change says it was; where we thought otherwise, records are missing. */
static gl_patch_g *in_state(const gl_turn *x, uint64_t id, gl_gstate state)
{
    gl_patch_g *g = gl_patch_gs_get(&x->t->gs, id);
    if (!g) {
        x->t->status = GL_E_NOMEM;
        return NULL;
    }
    if (g->state == state)
        return g;
    if (g->state != GL_G_UNDETERMINED)
        x->t->broken++;
    gl_event *ev = gl_turn_event(x, GL_EV_GoStatus, 0);
    ev->arg[0] = gl_turn_goroutine(x, id);
    ev->arg[1] = g->state;
    ev->arg[2] = state;
    ev->arg[3] = GL_NO_THREAD;
    ev->flags = GL_FLAG_INFERRED | (g->state != GL_G_UNDETERMINED ? GL_FLAG_RESYNC : 0);
    g->state = (uint8_t)state;
    g->hidden = false;
    return g;
}

static void start(const gl_turn *x)
{
    gl_patch_g *g = in_state(x, x->g, GL_G_RUNNABLE);
    if (!g)
        return;
    has_p(x);
    gl_turn_event(x, GL_EV_GoStart, 0)->arg[0] = gl_turn_goroutine(x, x->g);
    g->state = GL_G_RUNNING;
    x->thread->g = x->g;
}

static void block_for(const gl_turn *x, uint32_t reason, bool coroutine)
{
    gl_patch_g *g = in_state(x, x->g, GL_G_RUNNING);
    if (!g)
        return;
    gl_event *ev = gl_turn_event(x, GL_EV_GoBlock, x->g);
    ev->arg[0] = reason;
    ev->stack = gl_translate_stack_id(x->t, x->r->arg);
    ev->flags = coroutine ? GL_FLAG_COROUTINE : 0;
    g->state = GL_G_WAITING;
    g->parked = true;
    if (x->thread->g == x->g)
        x->thread->g = 0;
}

static void block(const gl_turn *x)
{
    unsigned kind = kind_of_wait(x->t, x->r->c);
    if (!(kind & HIDDEN)) {
        block_for(x, reason_text(x->t, x->r->c), (kind & COROUTINE) != 0);
        return;
    }
    gl_patch_g *g = in_state(x, x->g, GL_G_RUNNING);
    if (g)
        g->hidden = true;
}

static void preempt(const gl_turn *x)
{
    block_for(x, gl_translate_text(x->t, "preempted", 9), false);
}

static void unpark_event(const gl_turn *x, gl_patch_g *g, uint16_t flags)
{
    gl_event *ev = gl_turn_event(x, GL_EV_GoUnpark, x->thread->g);
    ev->arg[0] = gl_turn_goroutine(x, x->g);
    ev->flags = flags;
    g->state = GL_G_RUNNABLE;
}

static void unpark(const gl_turn *x)
{
    gl_patch_g *g = in_state(x, x->g, GL_G_WAITING);
    if (g)
        unpark_event(x, g, 0);
}

/** From waiting to running with nothing between: the end of a bookkeeping, or a switch of coroutines. */
static void resume(const gl_turn *x)
{
    gl_patch_g *g = gl_patch_gs_get(&x->t->gs, x->g);
    if (!g) {
        x->t->status = GL_E_NOMEM;
        return;
    }
    if (g->hidden) {
        g->hidden = false;
        return;
    }
    g = in_state(x, x->g, GL_G_WAITING);
    unpark_event(x, g, GL_FLAG_COROUTINE);
    gl_event *ev = gl_turn_event(x, GL_EV_GoStart, 0);
    ev->arg[0] = gl_turn_goroutine(x, x->g);
    ev->flags = GL_FLAG_COROUTINE;
    g->state = GL_G_RUNNING;
    x->thread->g = x->g;
}

static void yield(const gl_turn *x)
{
    gl_patch_g *g = in_state(x, x->g, GL_G_RUNNING);
    if (!g)
        return;
    gl_event *ev = gl_turn_event(x, GL_EV_GoYield, x->g);
    ev->arg[0] = x->t->empty_text;
    ev->stack = gl_translate_stack_id(x->t, x->r->arg);
    g->state = GL_G_RUNNABLE;
    if (x->thread->g == x->g)
        x->thread->g = 0;
}

static void end_from(const gl_turn *x, gl_gstate from)
{
    if (!in_state(x, x->g, from))
        return;
    gl_turn_event(x, GL_EV_GoEnd, x->g)->arg[0] = from;
    gl_patch_gs_remove(&x->t->gs, x->g);
    if (x->thread->g == x->g)
        x->thread->g = 0;
}

static void end(const gl_turn *x)
{
    end_from(x, GL_G_RUNNING);
}

static void callback_end(const gl_turn *x)
{
    end_from(x, GL_G_SYSCALL);
}

/** A thread of C's calls into Go: it gets a goroutine for the time. */
static void callback_begin(const gl_turn *x)
{
    gl_patch_g *g = gl_patch_gs_get(&x->t->gs, x->g);
    if (!g) {
        x->t->status = GL_E_NOMEM;
        return;
    }
    gl_event *ev = gl_turn_event(x, GL_EV_GoCreate, 0);
    ev->arg[0] = gl_turn_goroutine(x, x->g);
    ev->arg[1] = GL_G_SYSCALL;
    g->state = GL_G_SYSCALL;
    x->thread->g = x->g;
}

static void syscall_begin(const gl_turn *x)
{
    gl_patch_g *g = in_state(x, x->g, GL_G_RUNNING);
    if (!g)
        return;
    has_p(x);
    gl_turn_event(x, GL_EV_GoSyscallBegin, x->g)->stack = gl_translate_stack_id(x->t, x->r->arg);
    g->state = GL_G_SYSCALL;
}

static void syscall_end(const gl_turn *x)
{
    gl_patch_g *g = in_state(x, x->g, GL_G_SYSCALL);
    if (!g)
        return;
    has_p(x);
    gl_turn_event(x, GL_EV_GoSyscallEnd, x->g)->arg[0] = 0;
    g->state = GL_G_RUNNING;
    x->thread->g = x->g;
}

static void syscall_end_blocked(const gl_turn *x)
{
    gl_patch_g *g = in_state(x, x->g, GL_G_SYSCALL);
    if (!g)
        return;
    gl_event *ev = gl_turn_event(x, GL_EV_GoSyscallEnd, x->g);
    ev->arg[0] = 1;
    g->state = GL_G_RUNNABLE;
    if (x->thread->g == x->g)
        x->thread->g = 0;
}

/** What is not in the table is the runtime's own affair: a new g's first steps, the copying of a stack, dead ones at rest. */
static const struct {
    uint8_t old, new;
    gl_turn_fn turn;
} changes[] = {
    {RUNNABLE, RUNNING, start},
    {RUNNING, WAITING, block},
    {WAITING, RUNNABLE, unpark},
    {WAITING, RUNNING, resume},
    {RUNNING, RUNNABLE, yield},
    {RUNNING, SYSCALL, syscall_begin},
    {SYSCALL, RUNNING, syscall_end},
    {SYSCALL, RUNNABLE, syscall_end_blocked},
    {RUNNING, PREEMPTED, preempt},
    {RUNNING, DEAD, end},
    {SYSCALL, DEAD, callback_end},
    {SYSCALL, DEADEXTRA, callback_end},
    {DEAD, SYSCALL, callback_begin},
    {DEADEXTRA, SYSCALL, callback_begin},
};

void gl_turn_cas(const gl_turn *x)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (changes[i].old == x->r->a && changes[i].new == x->r->b) {
            changes[i].turn(x);
            return;
        }
}

/** Where a goroutine's own code begins: in what the compiler may have wrapped. */
static uint64_t own_start(const gl_translation *t, uint64_t start_pc)
{
    uint64_t inside = gl_goprog_wrapped(t->of.prog, start_pc - t->of.bias);
    return inside ? inside + t->of.bias : start_pc;
}

void gl_turn_newproc(const gl_turn *x)
{
    gl_translation *t = x->t;
    uint64_t start_pc = own_start(x->t, x->more[1]);
    uint32_t start_stack = 0;
    gl_patch_g *g = gl_patch_gs_get(&t->gs, x->r->arg);
    if (!g) {
        t->status = GL_E_NOMEM;
        return;
    }
    int status = t->sink->on_stack(t->sink->user, (uint32_t)t->of.pid, &start_pc, 1, &start_stack);
    if (status < 0)
        t->status = status;
    unsigned state = (x->r->aux & 0xfff) == WAITING ? GL_G_WAITING : GL_G_RUNNABLE;
    gl_event *ev = gl_turn_event(x, GL_EV_GoCreate, x->g);
    ev->arg[0] = gl_turn_goroutine(x, x->r->arg);
    ev->arg[1] = state;
    ev->arg[2] = start_stack;
    ev->stack = gl_translate_stack_id(t, x->more[0]);
    g->state = (uint8_t)state;
}

/* What was there already */

static gl_gstate state_of(uint32_t status)
{
    switch (status) {
    case RUNNABLE: return GL_G_RUNNABLE;
    case RUNNING:
    case COPYSTACK: return GL_G_RUNNING;
    case SYSCALL: return GL_G_SYSCALL;
    default: return GL_G_WAITING;
    }
}

/** A return address lies in the function of another address. */
static bool returns_into(const gl_translation *t, uint64_t return_pc, uint64_t pc)
{
    gl_gofunc a, b;
    return gl_goprog_func_of(t->of.prog, return_pc - t->of.bias - 1, &a) && gl_goprog_func_of(t->of.prog, pc - t->of.bias, &b) &&
           a.entry == b.entry;
}

static uint32_t stack_of(gl_translation *t, const gl_snapshot_g *g)
{
    uint64_t pcs[GL_SNAPSHOT_FRAMES + 1];
    size_t n = 0;
    uint32_t id = 0;
    uint64_t start_pc = own_start(t, g->start_pc);
    gl_gofunc start_of;
    for (; n < g->frames; n++)
        pcs[n] = g->pcs[n] - (n == 0);
    /* Below the first function stands goexit, which nobody wants to see; the first function names the goroutine. */
    n = gl_translate_unwrapped(t, pcs, n);
    bool begins = n > 0 && (returns_into(t, pcs[n - 1], start_pc) || returns_into(t, pcs[n - 1], g->start_pc));
    if (!begins && gl_goprog_func_of(t->of.prog, start_pc - t->of.bias, &start_of)) {
        pcs[n] = start_pc + (n > 0);
        n++;
    }
    if (n > 0 && t->sink->on_stack(t->sink->user, (uint32_t)t->of.pid, pcs, n, &id) < 0)
        return 0;
    return id;
}

static uint32_t thread_of(gl_translation *t, const gl_snapshot *snap, uint64_t m)
{
    for (size_t i = 0; m && i < snap->ms; i++)
        if (snap->m[i].address == m) {
            gl_session_owner owner = {.pid = (uint32_t)t->of.pid, .tid = (uint32_t)snap->m[i].tid};
            gl_session_thread th;
            if (snap->m[i].tid && t->sink->on_thread(t->sink->user, &owner, &th) >= 0) {
                t->process = th.process;
                return th.thread;
            }
        }
    return GL_NO_THREAD;
}

static void tell_g(gl_translation *t, const gl_snapshot *snap, const gl_snapshot_g *s)
{
    gl_patch_record r = {.ticks = t->of.begin_ticks};
    gl_turn x = {.t = t, .r = &r};
    uint32_t stack = stack_of(t, s);
    uint32_t thread = thread_of(t, snap, s->m);
    gl_gstate state = state_of(s->status);
    bool hidden = state == GL_G_WAITING && (kind_of_wait(t, s->reason) & HIDDEN);
    bool waits = state == GL_G_WAITING && !hidden;
    gl_patch_g *g = gl_patch_gs_get(&t->gs, s->id);
    if (!g)
        return;
    /* That it waits is known, and for what; when it began lies before the trace. */
    gl_event *ev = gl_turn_event(&x, GL_EV_GoStatus, 0);
    ev->arg[0] = gl_turn_goroutine(&x, s->id);
    ev->arg[1] = GL_G_UNDETERMINED;
    ev->arg[2] = waits ? GL_G_RUNNING : hidden ? GL_G_RUNNING : state;
    ev->arg[3] = state == GL_G_WAITING ? GL_NO_THREAD : thread;
    ev->stack = stack;
    g->state = (uint8_t)(hidden ? GL_G_RUNNING : state);
    g->hidden = hidden;
    if (!waits)
        return;
    ev->flags = GL_FLAG_INFERRED;
    uint32_t reason = reason_text(t, s->reason);
    ev = gl_turn_event(&x, GL_EV_GoBlock, s->id);
    ev->arg[0] = reason;
    ev->stack = stack;
    ev->flags = GL_FLAG_INFERRED;
}

void gl_translate_snapshot(gl_translation *t)
{
    const gl_snapshot *snap = t->of.snapshot;
    t->empty_text = gl_translate_text(t, "", 0);
    for (size_t i = 0; i < snap->gs && t->status >= 0; i++)
        tell_g(t, snap, &snap->g[i]);
    gl_translate_flush(t);
}
