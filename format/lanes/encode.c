#include "lanes/encode.h"

#include <stdlib.h>

#include "lanes/layout.h"

/** Of a type that is not in the vocabulary everything is kept. */
static void shape_of(unsigned code, ln_shape *s)
{
    *s = ln_vocabulary[code];
    if (gl_event_lookup(code))
        return;
    *s = (ln_shape){.arg_count = GL_EVENT_ARGS_MAX, .has_stack = true};
    memset(s->kinds, GL_KIND_NUMBER, sizeof s->kinds);
}

bool ln_enc_init(ln_enc *e, uint32_t capacity)
{
    memset(e, 0, sizeof *e);
    e->capacity = capacity;
    e->what = malloc(capacity * sizeof *e->what);
    e->times = malloc(((size_t)capacity + 1) * sizeof *e->times);
    e->lanes = calloc(LN_LANES_MAX, sizeof *e->lanes);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        shape_of(code, &e->shapes[code]);
    if (!e->what || !e->times || !e->lanes || !ln_model_init(&e->model)) {
        ln_enc_free(e);
        return false;
    }
    ln_enc_start(e);
    return true;
}

static void col_free(ln_col *c)
{
    ln_buf_free(&c->gaps);
    ln_buf_free(&c->values);
}

static void col_start(ln_col *c)
{
    c->after = 0;
    ln_buf_clear(&c->gaps);
    ln_buf_clear(&c->values);
}

/** Runs fn on every column of the encoder. */
static void each_col(ln_enc *e, void (*fn)(ln_col *))
{
    ln_col *plain[] = {&e->order, &e->p, &e->g, &e->stack, &e->flags};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        fn(plain[i]);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        for (unsigned i = 0; i < GL_EVENT_ARGS_MAX; i++)
            fn(&e->args[code][i]);
}

void ln_enc_free(ln_enc *e)
{
    each_col(e, col_free);
    for (unsigned i = 0; e->lanes && i < LN_LANES_MAX; i++)
        ln_buf_free(&e->lanes[i].more);
    ln_buf_free(&e->columns);
    free(e->lanes);
    free(e->what);
    free(e->times);
    ln_model_free(&e->model);
}

void ln_enc_start(ln_enc *e)
{
    each_col(e, col_start);
    memset(e->counts, 0, sizeof e->counts);
    e->n = e->stacks = 0;
    e->bits = 0;
    e->smallest = INT64_MAX;
    e->largest = INT64_MIN;
    e->steady = true;
    e->current = UINT32_MAX;
    e->other = 0;
    ln_model_start(&e->model);
}

bool ln_enc_lane(ln_enc *e, uint32_t thread, int64_t time)
{
    ln_model *m = &e->model;
    uint32_t lane = e->other; /* mostly, two threads take turns */
    if (m->lanes_n <= lane || m->lanes[lane].thread != thread)
        lane = ln_model_find_lane(m, thread);
    if (lane == UINT32_MAX) {
        if (m->lanes_n == LN_LANES_MAX)
            return false;
        lane = ln_model_add_lane(m, thread);
        m->lanes[lane].seen = true;
        ln_lane_out *l = &e->lanes[lane];
        l->first = l->last = time;
        l->n = 0;
    }
    e->other = e->current == UINT32_MAX ? lane : e->current;
    e->current = lane;
    e->thread = thread;
    return true;
}

void ln_enc_p(ln_enc *e, ln_lane *l, uint32_t p, uint32_t at)
{
    ln_col_miss(&e->p, at, ln_zigzag((uint32_t)(p + 1)));
    l->p = p;
}

void ln_enc_g(ln_enc *e, ln_lane *l, uint64_t g, uint32_t at)
{
    ln_col_miss(&e->g, at, ln_zigzag(g - l->g));
    l->g = g;
    l->gi = ln_gmap_touch(&e->model.map, g);
    if (l->gi == UINT32_MAX) {
        e->no_memory = true;
        l->gi = 0;
    }
}

void ln_enc_args(ln_enc *e, const gl_event *ev, unsigned type, unsigned i, uint32_t at)
{
    const ln_shape *s = &e->shapes[type];
    for (; i < s->arg_count; i++)
        ln_enc_arg(e, ev, type, s, i, at);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

LN_INLINE uint32_t lane_of(const ln_enc *e, uint32_t i)
{
    return e->what[i] >> LN_WHAT_LANE;
}

/** Looks for an odd factor that all steps have, beside the power of two: it is rare, so this ends soon. */
static uint64_t whole_unit(ln_enc *e, uint64_t power)
{
    uint64_t divisor = 0;
    for (uint32_t k = 0; k < e->model.lanes_n; k++)
        e->lanes[k].last = e->lanes[k].first;
    for (uint32_t i = 0; i < e->n && divisor != power; i++) {
        ln_lane_out *l = &e->lanes[lane_of(e, i)];
        uint64_t step = e->times[i] < l->last ? (uint64_t)l->last - (uint64_t)e->times[i]
                                              : (uint64_t)e->times[i] - (uint64_t)l->last;
        divisor = common_divisor(step, divisor);
        l->last = e->times[i];
    }
    return divisor;
}

/** Finds the largest unit that every step is a whole number of: mostly 64 (Go's ticks). */
void ln_enc_survey(ln_enc *e)
{
    e->smallest = e->times[0] < e->smallest ? e->times[0] : e->smallest;
    e->unit = e->bits ? whole_unit(e, e->bits & (0 - e->bits)) : 1;
}

static void put_step(ln_lane_out *l, uint64_t step, bool back)
{
    if (step < LN_NUM_TWO && !back) {
        step -= LN_NUM_ONE;
        *l->steps++ = (uint8_t)(LN_NUM_ONE + (step >> 8));
        ln_buf_u8(&l->more, (uint8_t)step);
    } else {
        *l->steps++ = (uint8_t)(back ? LN_NUM_NEGATIVE : LN_NUM_ESCAPE);
        if (ln_buf_room(&l->more, LN_NUM_MAX))
            l->more.p = ln_leb_put(l->more.p, back ? step : step - LN_NUM_TWO);
    }
}

/** Gives each lane its place in the columns: types of all lanes, then steps of all lanes. */
static bool share_columns(ln_enc *e)
{
    ln_buf_clear(&e->columns);
    if (!ln_buf_room(&e->columns, (size_t)e->n * 2 + 1))
        return false;
    uint8_t *at = e->columns.base;
    for (uint32_t k = 0; k < e->model.lanes_n; k++) {
        ln_lane_out *l = &e->lanes[k];
        l->types = at;
        l->steps = at + e->n;
        l->last = l->first;
        l->taken = (int64_t)k - LN_LANES_MAX; /* all stand in line from the start, later ones in front */
        ln_buf_clear(&l->more);
        at += l->n;
    }
    e->columns.p = e->columns.base + (size_t)e->n * 2;
    return true;
}

#define TIES_MAX 64u

/**
 * Events of one time from `from` on: where they come in another order than the rule's, that is stored. The end of them,
 * or 0 where there are too many.
 */
static uint32_t put_ties(ln_enc *e, uint32_t from)
{
    bool several = false;
    uint32_t end = from + 1;
    for (; end < e->n && e->times[end] == e->times[from]; end++)
        several |= lane_of(e, end) != lane_of(e, from);
    if (!several)
        return end;
    if (end - from > TIES_MAX)
        return 0;
    for (uint32_t k = from; k < end; k++) {
        uint32_t next = lane_of(e, k);
        for (uint32_t q = k + 1; q < end; q++)
            if (e->lanes[lane_of(e, q)].taken > e->lanes[next].taken)
                next = lane_of(e, q);
        if (LN_UNLIKELY(next != lane_of(e, k)))
            ln_col_miss(&e->order, k, lane_of(e, k));
        e->lanes[lane_of(e, k)].taken = k;
    }
    return end;
}

/**
 * Sorts types and time steps by lane: a byte or two per step, what follows an escape in the lane's `more`. On the way it
 * puts the order, as long as times never step back: then only events of equal time can come in another order than the
 * rule's. *ordered: it is all there.
 */
static bool split_lanes(ln_enc *e, bool *ordered)
{
    if (!share_columns(e))
        return false;
    const unsigned shift = (unsigned)__builtin_ctzll(e->unit);
    const bool power = e->unit == UINT64_C(1) << shift;
    const int64_t *const times = e->times;
    uint32_t ties = e->steady ? 0 : UINT32_MAX; /* up to here, ties need no look any more */
    e->times[e->n] = INT64_MAX;
    for (uint32_t i = 0; i < e->n; i++) {
        ln_lane_out *l = &e->lanes[lane_of(e, i)];
        int64_t time = times[i];
        if (LN_UNLIKELY(time == times[i + 1] && i >= ties)) {
            ties = put_ties(e, i);
            if (ties == 0)
                ties = UINT32_MAX;
        }
        l->taken = i;
        *l->types++ = (uint8_t)e->what[i];
        uint64_t step = (uint64_t)time - (uint64_t)l->last;
        bool back = time < l->last;
        l->last = time;
        step = back ? 0 - step : step;
        step = LN_LIKELY(power) ? step >> shift : step / e->unit;
        if (LN_LIKELY(step < LN_NUM_ONE && !back))
            *l->steps++ = (uint8_t)step;
        else
            put_step(l, step, back);
    }
    *ordered = ties != UINT32_MAX;
    bool ok = true;
    for (uint32_t k = 0; k < e->model.lanes_n; k++)
        ok = ok && !e->lanes[k].more.failed;
    return ok;
}

/** The rule itself, run as a reader runs it. */
static bool put_order(ln_enc *e)
{
    ln_order *o = malloc(sizeof *o);
    uint32_t *following = malloc(((size_t)e->n + LN_LANES_MAX) * sizeof *following);
    uint32_t *last = following + e->n;
    if (!o || !following) {
        free(o);
        free(following);
        return false;
    }
    for (uint32_t k = 0; k < e->model.lanes_n; k++)
        last[k] = UINT32_MAX;
    for (uint32_t i = e->n; i-- > 0;) { /* each event's successor on its lane */
        following[i] = last[lane_of(e, i)];
        last[lane_of(e, i)] = i;
    }
    ln_order_start(o);
    for (uint32_t k = 0; k < e->model.lanes_n; k++)
        ln_order_put(o, e->times[last[k]], k);
    for (uint32_t i = 0; i < e->n; i++) {
        uint32_t lane = lane_of(e, i);
        if (ln_order_next(o) == lane) {
            ln_order_take(o);
        } else {
            ln_col_miss(&e->order, i, lane);
            ln_order_take_lane(o, lane);
        }
        if (following[i] != UINT32_MAX)
            ln_order_put(o, e->times[following[i]], lane);
    }
    free(o);
    free(following);
    return true;
}

static void put_shape(ln_enc *e, ln_buf *out)
{
    unsigned kinds = 0;
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        kinds += e->counts[code] > 0;
    ln_buf_num(out, e->unit);
    ln_buf_num(out, kinds);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        if (e->counts[code]) {
            const ln_shape *s = &e->shapes[code];
            ln_buf_u8(out, (uint8_t)code);
            ln_buf_num(out, e->counts[code]);
            ln_buf_u8(out, (uint8_t)(s->arg_count | (s->has_stack ? LN_SHAPE_STACK : 0)));
            ln_buf_bytes(out, s->kinds, s->arg_count);
        }
    ln_buf_num(out, e->model.lanes_n);
    for (uint32_t k = 0; k < e->model.lanes_n; k++) {
        ln_buf_num(out, e->model.lanes[k].thread);
        ln_buf_num(out, e->lanes[k].n);
        ln_buf_num(out, ln_buf_size(&e->lanes[k].more));
        ln_buf_u64(out, (uint64_t)e->lanes[k].first);
    }
}

/** Steps of all lanes, then what follows their escapes, then the order's column. */
static void put_times(ln_enc *e, ln_buf *out)
{
    ln_buf_num(out, ln_buf_size(&e->order.gaps));
    ln_buf_num(out, ln_buf_size(&e->order.values));
    ln_buf_bytes(out, e->columns.base + e->n, e->n);
    for (uint32_t k = 0; k < e->model.lanes_n; k++)
        ln_buf_bytes(out, e->lanes[k].more.base, ln_buf_size(&e->lanes[k].more));
    ln_buf_bytes(out, e->order.gaps.base, ln_buf_size(&e->order.gaps));
    ln_buf_bytes(out, e->order.values.base, ln_buf_size(&e->order.values));
    out->failed |= e->order.gaps.failed || e->order.values.failed;
}

/** Streams of one section: their number, their lengths, then their bytes. */
static void put_streams(ln_buf *out, ln_buf *const *streams, size_t n)
{
    ln_buf_num(out, n);
    for (size_t i = 0; i < n; i++)
        ln_buf_num(out, ln_buf_size(streams[i]));
    for (size_t i = 0; i < n; i++) {
        ln_buf_bytes(out, streams[i]->base, ln_buf_size(streams[i]));
        out->failed |= streams[i]->failed;
    }
}

#define STREAMS_MAX (2u * GL_EV_LIMIT * GL_EVENT_ARGS_MAX + 8u)

static size_t add_col(ln_buf **streams, size_t n, ln_col *c)
{
    streams[n] = &c->gaps;
    streams[n + 1] = &c->values;
    return n + 2;
}

/** Columns of the arguments that lie in the context section, or of those that do not, in order of code and place. */
static size_t add_args(ln_enc *e, ln_buf **streams, size_t n, bool context)
{
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        for (unsigned i = 0; e->counts[code] && i < e->shapes[code].arg_count; i++)
            if ((ln_context_args[code] >> i & 1) == context)
                n = add_col(streams, n, &e->args[code][i]);
    return n;
}

bool ln_enc_finish(ln_enc *e, ln_buf sections[LN_S_ARGS + 1])
{
    for (unsigned i = LN_S_SHAPE; i <= LN_S_ARGS; i++)
        ln_buf_clear(&sections[i]);
    bool ordered;
    if (!split_lanes(e, &ordered))
        return false;
    if (!ordered) {
        col_start(&e->order);
        if (!put_order(e))
            return false;
    }
    put_shape(e, &sections[LN_S_SHAPE]);
    ln_buf_bytes(&sections[LN_S_TYPES], e->columns.base, e->n);
    put_times(e, &sections[LN_S_TIMES]);

    ln_buf *streams[STREAMS_MAX];
    size_t n = add_col(streams, 0, &e->p);
    n = add_col(streams, n, &e->g);
    put_streams(&sections[LN_S_CONTEXT], streams, add_args(e, streams, n, true));
    put_streams(&sections[LN_S_STACKS], streams, add_col(streams, 0, &e->stack));
    n = add_col(streams, 0, &e->flags);
    put_streams(&sections[LN_S_ARGS], streams, add_args(e, streams, n, false));
    bool ok = !e->no_memory;
    for (unsigned i = LN_S_SHAPE; i <= LN_S_ARGS; i++)
        ok = ok && !sections[i].failed;
    return ok;
}
