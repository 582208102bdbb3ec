/*
 * What encoder and decoder both know while they walk a chunk, and from which both guess the next field. Only wrong
 * guesses cost bytes. Everything here is part of the format (FORMAT.md, "Guesses"): a change of any rule is a change of
 * the format's major version.
 *
 * A guess may be wrong, two things may share a table's entry: that costs bytes, never correctness, as both sides run
 * the same functions on the same values.
 */
#ifndef GOLANES_LANES_MODEL_H
#define GOLANES_LANES_MODEL_H

#include "golanes/events.h"
#include "lanes/gmap.h"
#include "lanes/threads.h"

#define LN_PROCS 256u
#define LN_QUEUE 256u
#define LN_GUESSES 16384u
#define LN_CONTEXT_GUESSES 256u

/** A thread with events in this chunk, and the context that its next event should have. */
typedef struct ln_lane {
    uint64_t g;
    uint32_t gi; /* index of g in the map */
    uint32_t thread, p;
    bool seen;   /* it had an event: a cursor knows all lanes from the start, a writer does not */
} ln_lane;

/** A goroutine that was made runnable, and its record's turn then. */
typedef struct ln_queued {
    uint32_t gi, turn;
} ln_queued;

/** A P and its run queue, as Go 1.26 src/runtime/proc.go runs it: the one woken last runs next, the others in line. */
typedef struct ln_proc {
    uint32_t p, epoch;
    uint64_t created; /* the last goroutine created on it */
    ln_queued next;
    uint32_t head, tail; /* counts; entries lie at them modulo LN_QUEUE */
    ln_queued queue[LN_QUEUE];
} ln_proc;

typedef struct ln_guess {
    uint64_t value;
    uint32_t epoch;
} ln_guess;

/** A guessed stack. */
typedef struct ln_site {
    uint32_t stack, epoch;
} ln_site;

typedef struct ln_model {
    ln_gmap map;
    ln_threads threads;
    ln_lane lanes[LN_LANES_MAX];
    ln_proc procs[LN_PROCS];
    ln_guess guesses[LN_GUESSES];
    ln_site sites[LN_GUESSES]; /* stacks */
    ln_guess context_guesses[LN_CONTEXT_GUESSES]; /* apart: a cursor may skip the other arguments */
    uint64_t last[GL_EV_LIMIT][GL_EVENT_ARGS_MAX]; /* last value of each argument column */
    uint64_t step[GL_EV_LIMIT][GL_EVENT_ARGS_MAX]; /* and its last difference, for SEQUENCE */
    uint32_t epoch;
} ln_model;

/** *m must be zero: a megabyte that a caller of calloc need not touch. */
bool ln_model_init(ln_model *m);
void ln_model_free(ln_model *m);
/** Forgets all that was learnt: every chunk starts so. */
void ln_model_start(ln_model *m);

/** Arguments that context depends on: they lie in the context section, one bit an argument. */
static const uint8_t ln_context_args[GL_EV_LIMIT] = {
    [GL_EV_GoCreate] = 1, [GL_EV_GoStart] = 1,  [GL_EV_GoUnpark] = 1,  [GL_EV_GoSyscallEnd] = 1,
    [GL_EV_ProcStart] = 1, [GL_EV_ProcStop] = 1, [GL_EV_ProcSteal] = 7,
};

/** Adds a thread that has no lane yet; the caller knows that there is room. */
uint32_t ln_model_add_lane(ln_model *m, uint32_t thread);

void ln_model_reset_proc(ln_model *m, ln_proc *x, uint32_t p);

LN_INLINE ln_proc *ln_model_proc(ln_model *m, uint32_t p)
{
    ln_proc *x = &m->procs[p % LN_PROCS];
    if (LN_UNLIKELY(x->p != p || x->epoch != m->epoch))
        ln_model_reset_proc(m, x, p);
    return x;
}

LN_INLINE uint32_t ln_guess_slot(uint64_t context, uint64_t salt)
{
    return (uint32_t)(((context ^ salt << 56) * UINT64_C(0x9e3779b97f4a7c15)) >> 50);
}

LN_INLINE ln_guess *ln_model_guess(ln_model *m, uint64_t context, uint64_t salt)
{
    ln_guess *x = &m->guesses[ln_guess_slot(context, salt)];
    if (LN_UNLIKELY(x->epoch != m->epoch))
        *x = (ln_guess){.epoch = m->epoch};
    return x;
}
_Static_assert(LN_GUESSES == 1u << (64 - 50), "the hash's top bits index the table");

LN_INLINE ln_guess *ln_model_context_guess(ln_model *m, uint64_t context)
{
    ln_guess *x = &m->context_guesses[context * UINT64_C(0x9e3779b97f4a7c15) >> 56];
    if (LN_UNLIKELY(x->epoch != m->epoch))
        *x = (ln_guess){.epoch = m->epoch};
    return x;
}
_Static_assert(LN_CONTEXT_GUESSES == 1u << (64 - 56), "the hash's top bits index the table");

/** Where a goroutine is in its program says where it goes next: the guess hangs on its last two stacks. */
LN_INLINE ln_site *ln_model_site(ln_model *m, const ln_grec *r, unsigned type)
{
    uint64_t key = (uint64_t)r->stack[0] << 32 ^ (uint64_t)r->stack[1] << 8 ^ type;
    ln_site *x = &m->sites[key * UINT64_C(0x9e3779b97f4a7c15) >> 50];
    if (LN_UNLIKELY(x->epoch != m->epoch))
        *x = (ln_site){.epoch = m->epoch};
    return x;
}

LN_INLINE void ln_model_site_learn(ln_site *x, ln_grec *r, uint32_t stack)
{
    x->stack = stack;
    r->stack[1] = r->stack[0];
    r->stack[0] = stack;
}

/** The event that an argument belongs to, as far as guessing looks at it. */
typedef struct ln_around {
    uint64_t g, arg0;
    uint32_t thread, stack;
} ln_around;

/** A guess for one argument: hit where the value is `value`, else the zigzag difference to `base` is stored. */
typedef struct ln_arg_guess {
    uint64_t value, base;
    ln_guess *at[2]; /* entries to teach, NULL none */
} ln_arg_guess;

enum { SALT_CHAN = 1, SALT_TASK = 2, SALT_CHAN_COUNT = 3, SALT_THREAD = 4, SALT_PLAIN = 5 };

/** Fetches what is guessed of a channel's fill and size. */
LN_INLINE void ln_model_prefetch_chan(const ln_model *m, uint64_t chan)
{
    __builtin_prefetch(&m->guesses[ln_guess_slot(chan ^ UINT64_C(1) << 52, SALT_CHAN_COUNT)]);
    __builtin_prefetch(&m->guesses[ln_guess_slot(chan ^ UINT64_C(2) << 52, SALT_CHAN_COUNT)]);
}

LN_INLINE ln_arg_guess ln_guess_keyed(ln_guess *key, uint64_t base)
{
    return (ln_arg_guess){key->value, base, {key, NULL}};
}

LN_INLINE ln_arg_guess ln_model_arg(ln_model *m, unsigned type, unsigned i, unsigned kind, unsigned kind0,
                                        const ln_around *a)
{
    uint64_t last = m->last[type][i], column = (uint64_t)type << 40 | (uint64_t)i << 48;
    if (ln_context_args[type] >> i & 1)
        return ln_guess_keyed(ln_model_context_guess(m, column | a->thread), last);
    switch (kind) {
    case GL_KIND_CHAN: {
        ln_guess *by_g = ln_model_guess(m, a->g, SALT_CHAN);
        if (!a->stack)
            return (ln_arg_guess){by_g->value, last, {by_g, NULL}};
        ln_guess *by_site = ln_model_guess(m, a->g ^ (uint64_t)a->stack << 32, SALT_CHAN);
        return (ln_arg_guess){by_site->value, last, {by_site, by_g}};
    }
    case GL_KIND_TASK:
        return ln_guess_keyed(ln_model_guess(m, a->g, SALT_TASK), last);
    case GL_KIND_COUNT: {
        /* len and cap are a channel's, whatever the operation; ChanMake and ChanSelectEnd have them in other places */
        unsigned place = type == GL_EV_ChanMake || type == GL_EV_ChanSelectEnd ? i ^ 3 : i;
        ln_guess *key = kind0 == GL_KIND_CHAN ? ln_model_guess(m, a->arg0 ^ (uint64_t)place << 52, SALT_CHAN_COUNT)
                                              : ln_model_guess(m, column | a->stack, SALT_PLAIN);
        return ln_guess_keyed(key, key->value);
    }
    case GL_KIND_PROC:
    case GL_KIND_THREAD:
        return ln_guess_keyed(ln_model_guess(m, column | a->thread, SALT_THREAD), last);
    case GL_KIND_STRING:
        return ln_guess_keyed(ln_model_guess(m, column | a->stack, SALT_PLAIN), last);
    case GL_KIND_STACK:
    case GL_KIND_GSTATE:
    case GL_KIND_PSTATE:
    case GL_KIND_BOOL:
    case GL_KIND_CHANRESULT:
    case GL_KIND_CHANDIR:
        return ln_guess_keyed(ln_model_guess(m, column | a->stack, SALT_PLAIN), 0);
    case GL_KIND_SEQUENCE:
        return (ln_arg_guess){last + m->step[type][i], last, {NULL, NULL}};
    default: /* GOROUTINE, BYTES, TIME, CLOCK, NUMBER, and kinds that come after this version */
        return (ln_arg_guess){last, last, {NULL, NULL}};
    }
}

LN_INLINE void ln_model_learn(ln_model *m, unsigned type, unsigned i, unsigned kind, const ln_arg_guess *guess, uint64_t value)
{
    if (kind == GL_KIND_SEQUENCE)
        m->step[type][i] = value - m->last[type][i];
    m->last[type][i] = value;
    if (guess->at[0])
        guess->at[0]->value = value;
    if (guess->at[1])
        guess->at[1]->value = value;
}

/** An entry is good while its goroutine is still in the very state in which it was put in line: runnable. */
LN_INLINE bool ln_queued_valid(const ln_model *m, ln_queued q)
{
    return m->map.recs[q.gi].turn == q.turn && (q.turn & LN_READY_MASK) == LN_READY_RUNNABLE;
}

/** Whom a P should run next: index in the map, 0 not known. */
LN_INLINE uint32_t ln_proc_next(const ln_model *m, ln_proc *p)
{
    if (LN_LIKELY(ln_queued_valid(m, p->next)))
        return p->next.gi;
    while (p->head != p->tail) {
        ln_queued q = p->queue[p->head % LN_QUEUE];
        if (ln_queued_valid(m, q))
            return q.gi;
        p->head++;
    }
    return 0;
}

/** A goroutine became runnable on a P: it runs next, and the one that was to run next goes in line. */
LN_INLINE void ln_proc_ready(const ln_model *m, ln_proc *p, uint32_t gi)
{
    if (ln_queued_valid(m, p->next)) {
        if (LN_UNLIKELY(p->tail - p->head == LN_QUEUE))
            p->head += LN_QUEUE / 2;
        p->queue[p->tail++ % LN_QUEUE] = p->next;
    }
    p->next = (ln_queued){gi, m->map.recs[gi].turn};
}

/** The index of the goroutine that GoStart or GoUnpark should name, 0 not known. gi: the context's goroutine. */
LN_INLINE uint32_t ln_model_target(const ln_model *m, unsigned type, uint32_t gi, ln_proc *p)
{
    if (type == GL_EV_GoStart)
        return ln_proc_next(m, p);
    const uint32_t *woke = m->map.recs[gi].woke;
    return woke[(m->map.recs[woke[0]].turn & LN_READY_MASK) > LN_READY_WAITS]; /* who does not wait cannot be woken */
}

/** What GoStart, GoUnpark and GoCreate teach. ti: index of the target. */
LN_INLINE void ln_model_target_learn(ln_model *m, unsigned type, uint32_t gi, ln_proc *p, uint64_t target, uint32_t ti)
{
    ln_grec *t = &m->map.recs[ti];
    m->last[type][0] = target;
    if (type == GL_EV_GoStart) {
        t->turn = (t->turn | LN_READY_MASK) + LN_TURN;
        return;
    }
    if (type == GL_EV_GoUnpark) {
        ln_grec *r = &m->map.recs[gi];
        if (r->woke[0] != ti) {
            r->woke[1] = r->woke[0];
            r->woke[0] = ti;
        }
    } else {
        p->created = target;
    }
    t->turn = (t->turn & ~(uint32_t)LN_READY_MASK) | LN_READY_RUNNABLE;
    ln_proc_ready(m, p, ti);
}

LN_INLINE bool ln_has_target(unsigned type)
{
    return type == GL_EV_GoStart || type == GL_EV_GoUnpark || type == GL_EV_GoCreate;
}

/** What an event leaves behind on its thread. l already holds the event's own context; ti: index of its target. */
LN_INLINE void ln_model_after(ln_model *m, ln_lane *l, unsigned type, const uint64_t *arg, uint32_t ti)
{
    switch (type) {
    case GL_EV_GoStart:
        l->g = arg[0];
        l->gi = ti;
        break;
    case GL_EV_GoBlock:
        m->map.recs[l->gi].turn = (m->map.recs[l->gi].turn & ~(uint32_t)LN_READY_MASK) | LN_READY_WAITS;
        l->g = l->gi = 0;
        break;
    case GL_EV_GoYield:
    case GL_EV_GoEnd:
        l->g = l->gi = 0;
        break;
    case GL_EV_GoSyscallEnd:
        if (arg[0])
            l->g = l->gi = 0;
        break;
    case GL_EV_ProcStart:
        l->p = (uint32_t)arg[0];
        break;
    case GL_EV_ProcStop:
        l->p = GL_NO_PROC;
        break;
    case GL_EV_ProcSteal: {
        uint32_t from = arg[2] <= UINT32_MAX ? ln_threads_find(&m->threads, (uint32_t)arg[2]) : UINT32_MAX;
        if (from != UINT32_MAX && m->lanes[from].seen)
            m->lanes[from].p = GL_NO_PROC;
        break;
    }
    default:
        break;
    }
}

#endif
