/*
 * Events into columns, and columns into an event chunk's sections; types and times are spool.h's. One encoder serves chunk
 * after chunk.
 */
#ifndef GOLANES_LANES_ENCODE_H
#define GOLANES_LANES_ENCODE_H

#include "lanes/model.h"
#include "lanes/spool.h"

/** Sections of an event chunk. Numbers are part of the format. */
typedef enum ln_event_section {
    LN_S_SHAPE = 1,   /* time unit; per type: count, argument kinds; per thread: events, first time */
    LN_S_TYPES = 2,   /* thread after thread */
    LN_S_TIMES = 3,   /* steps, thread after thread; how threads come together */
    LN_S_CONTEXT = 4, /* P, goroutine, and the arguments that these depend on */
    LN_S_STACKS = 5,
    LN_S_ARGS = 6     /* all other arguments, and flags */
} ln_event_section;

#define LN_SHAPE_STACK 0x80u /* in the byte of the argument count: events of this type have stacks */

typedef struct ln_shape {
    uint8_t arg_count;
    uint8_t kinds[GL_EVENT_ARGS_MAX];
    bool has_stack;
} ln_shape;

/** The shape that a type of the vocabulary has: a constant, where the compiler knows the type. */
static const ln_shape ln_vocabulary[GL_EV_LIMIT] = {
#define GL_ARG(kind, name) GL_KIND_##kind
#define GL_EVENT(code_, name_, op_, phase_, stack_, meaning_, count_, ...) \
    [code_] = {.arg_count = count_, .kinds = {__VA_ARGS__}, .has_stack = stack_},
#include "golanes/events.def"
#undef GL_EVENT
#undef GL_ARG
};

typedef struct ln_enc {
    ln_model model;
    uint32_t n;
    uint32_t stacks;      /* events so far whose type has stacks */
    ln_col p, g, stack, flags;
    ln_col args[GL_EV_LIMIT][GL_EVENT_ARGS_MAX];
    ln_shape shapes[GL_EV_LIMIT];
    uint32_t counts[GL_EV_LIMIT];
    bool no_memory;
} ln_enc;

bool ln_enc_init(ln_enc *e);
void ln_enc_free(ln_enc *e);
void ln_enc_start(ln_enc *e);
/** The chunk's sections, raw, one buffer each (sections[id], cleared first). spool: of its types and times. False without memory. */
bool ln_enc_finish(ln_enc *e, ln_spool *spool, ln_buf sections[LN_S_ARGS + 1]);

LN_INLINE void ln_enc_arg(ln_enc *e, const gl_event *ev, unsigned type, const ln_shape *s, unsigned i, uint32_t at)
{
    ln_around around = {.g = ev->g, .arg0 = ev->arg[0], .thread = ev->thread, .stack = ev->stack};
    ln_arg_guess guess = ln_model_arg(&e->model, type, i, s->kinds[i], s->kinds[0], &around);
    uint64_t value = ev->arg[i];
    if (guess.value != value)
        ln_col_miss(&e->args[type][i], at, ln_zigzag(value - guess.base));
    ln_model_learn(&e->model, type, i, s->kinds[i], &guess, value);
}

/** Arguments from number i on, of a type that is not known before. */
void ln_enc_args(ln_enc *e, const gl_event *ev, unsigned type, unsigned i, uint32_t at);
/** The goroutine that GoStart, GoUnpark or GoCreate names: its index in the map. at: events of the type so far. */
LN_INLINE uint32_t ln_enc_target(ln_enc *e, const gl_event *ev, unsigned type, uint32_t gi, uint32_t at)
{
    ln_model *m = &e->model;
    ln_proc *p = ln_model_proc(m, ev->p);
    uint64_t target = ev->arg[0];
    uint32_t ti = 0;
    if (type == GL_EV_GoCreate) {
        if (LN_UNLIKELY(p->created + 1 != target))
            ln_col_miss(&e->args[type][0], at, ln_zigzag(target - m->last[type][0]));
        ti = ln_gmap_touch(&m->map, target);
    } else {
        ti = ln_model_target(m, type, gi, p);
        if (LN_UNLIKELY(m->map.recs[ti].id != target)) {
            ln_col_miss(&e->args[type][0], at, ln_zigzag(target - m->last[type][0]));
            ti = ln_gmap_touch(&m->map, target);
        }
    }
    if (LN_UNLIKELY(ti == UINT32_MAX)) {
        e->no_memory = true;
        ti = 0;
    }
    ln_model_target_learn(m, type, gi, p, target, ti);
    return ti;
}

/** Fetches what an event will need, some events ahead. */
LN_INLINE void ln_enc_prefetch(const ln_enc *e, const gl_event *ev)
{
    const ln_gmap *map = &e->model.map;
    __builtin_prefetch(&map->slots[ln_gmap_hash(ev->arg[0]) & map->mask]);
}

/** The same for a channel's operation: what guesses know of the channel. */
LN_INLINE void ln_enc_prefetch_chan(const ln_enc *e, const gl_event *ev)
{
    ln_model_prefetch_chan(&e->model, ev->arg[0]);
}

/** Adds one context field that was not as guessed. */
void ln_enc_p(ln_enc *e, ln_lane *l, uint32_t p, uint32_t at);
void ln_enc_g(ln_enc *e, ln_lane *l, uint64_t g, uint32_t at);

/**
 * Adds an event whose type is 1..127, on this lane (a number that is new: the next). type: the event's; where it is a
 * constant, `shape` is that of the vocabulary, and most of this is decided when it is compiled; elsewhere the encoder's
 * own. *gi and *ti get the map's indices of the context's goroutine and of the goroutine that GoStart, GoUnpark or
 * GoCreate names (0 elsewhere).
 */
LN_INLINE void ln_enc_event(ln_enc *e, const gl_event *ev, uint32_t lane, unsigned type, const ln_shape *s, uint32_t *gi,
                            uint32_t *ti)
{
    ln_model *m = &e->model;
    ln_lane *l = &m->lanes[lane];
    if (LN_UNLIKELY(lane == m->threads.n))
        m->lanes[ln_model_add_lane(m, ev->thread)].seen = true;
    uint32_t n = e->n++, at = e->counts[type]++;
    if (LN_UNLIKELY(l->p != ev->p))
        ln_enc_p(e, l, ev->p, n);
    if (LN_UNLIKELY(l->g != ev->g))
        ln_enc_g(e, l, ev->g, n);
    *gi = l->gi;

    if (s->has_stack) {
        ln_grec *r = &m->map.recs[l->gi];
        ln_site *site = ln_model_site(m, r, type);
        uint32_t k = e->stacks++;
        if (LN_UNLIKELY(site->stack != ev->stack))
            ln_col_miss(&e->stack, k, ev->stack);
        ln_model_site_learn(site, r, ev->stack);
    }
    if (LN_UNLIKELY(ev->flags != 0))
        ln_col_miss(&e->flags, n, ev->flags);

    unsigned i = 0;
    *ti = 0;
    if (ln_has_target(type)) {
        *ti = ln_enc_target(e, ev, type, l->gi, at);
        i = 1;
    }
    if (!__builtin_constant_p(type))
        ln_enc_args(e, ev, type, i, at);
    else
        LN_UNROLL for (; i < s->arg_count; i++) /* each is code for its kind */
            ln_enc_arg(e, ev, type, s, i, at);
    ln_model_after(m, l, type, ev->arg, *ti);
}

#endif
