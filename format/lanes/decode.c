#include "lanes/decode.h"

#include "golanes/reader.h"
#include "lanes/layout.h"

bool ln_dec_init(ln_dec *d)
{
    return ln_model_init(&d->model);
}

void ln_dec_free(ln_dec *d)
{
    ln_model_free(&d->model);
}

unsigned ln_dec_sections(unsigned columns)
{
    unsigned sections = 1u << LN_S_SHAPE | 1u << LN_S_TYPES | 1u << LN_S_TIMES;
    if (columns)
        sections |= 1u << LN_S_CONTEXT;
    if (columns & (GL_COL_STACK | GL_COL_ARGS))
        sections |= 1u << LN_S_STACKS;
    if (columns & GL_COL_ARGS)
        sections |= 1u << LN_S_ARGS;
    return sections;
}

static bool read_types(ln_dec *d, ln_in *in)
{
    const uint8_t *bytes;
    uint64_t types = ln_num_get(in), total = 0;
    memset(d->counts, 0, sizeof d->counts);
    for (uint64_t i = 0; i < types; i++) {
        if (!ln_in_bytes(in, 1, &bytes))
            return false;
        unsigned code = *bytes;
        uint64_t count = ln_num_get(in);
        if (code == 0 || code >= GL_EV_LIMIT || d->counts[code] || count == 0 || count > d->n)
            return false;
        d->counts[code] = (uint32_t)count;
        total += count;
        ln_shape *s = &d->shapes[code];
        if (!ln_in_bytes(in, 1, &bytes) || (*bytes & ~LN_SHAPE_STACK) > GL_EVENT_ARGS_MAX)
            return false;
        s->arg_count = *bytes & (uint8_t)~LN_SHAPE_STACK;
        s->has_stack = *bytes & LN_SHAPE_STACK;
        if (!ln_in_bytes(in, s->arg_count, &bytes))
            return false;
        memcpy(s->kinds, bytes, s->arg_count);
    }
    return !in->bad && total == d->n;
}

/** The threads of the chunk, their events (together as many as the chunk has) and where their bytes lie. */
static bool read_lanes(ln_dec *d, ln_in *in, ln_span types, ln_span times)
{
    ln_in t = {times.bytes, times.bytes + times.n, false};
    uint64_t gaps = ln_num_get(&t), values = ln_num_get(&t), lanes = ln_num_get(in), total = 0;
    const uint8_t *steps, *first;
    if (lanes > LN_LANES_MAX || types.n != d->n || !ln_in_bytes(&t, d->n, &steps))
        return false;
    for (uint64_t k = 0; k < lanes; k++) {
        uint64_t thread = ln_num_get(in), n = ln_num_get(in), more = ln_num_get(in);
        ln_lane_in *l = &d->lanes[k];
        if (thread > UINT32_MAX || ln_threads_find(&d->model.threads, (uint32_t)thread) != UINT32_MAX || n == 0 ||
            n > d->n - total || more > times.n || !ln_in_bytes(in, 8, &first))
            return false;
        ln_model_add_lane(&d->model, (uint32_t)thread);
        *l = (ln_lane_in){(int64_t)ln_get64(first), types.bytes + total, steps + total, (uint32_t)n, {NULL, NULL, false}};
        if (!ln_in_bytes(&t, (size_t)more, &l->more.p))
            return false;
        l->more.end = t.p;
        total += n;
    }
    if (in->bad || t.bad || total != d->n || gaps > times.n || values > times.n ||
        gaps + values != (uint64_t)(t.end - t.p))
        return false;
    d->order.gaps = (ln_in){t.p, t.p + gaps, false};
    d->order.values = (ln_in){t.p + gaps, t.end, false};
    return true;
}

/** Every type in the column must be one that the shape section lists, as often as it says. */
static bool check_types(const ln_dec *d, const uint8_t *types)
{
    uint32_t seen[4][256] = {{0}};
    uint32_t i = 0;
    for (; i + 4 <= d->n; i += 4) /* four tables: counting into one stalls on runs of one type */
        for (unsigned k = 0; k < 4; k++)
            seen[k][types[i + k]]++;
    for (; i < d->n; i++)
        seen[0][types[i]]++;
    for (unsigned code = 0; code < 256; code++)
        if (seen[0][code] + seen[1][code] + seen[2][code] + seen[3][code] != (code < GL_EV_LIMIT ? d->counts[code] : 0))
            return false;
    return true;
}

#define STREAMS_MAX (2u * GL_EV_LIMIT * GL_EVENT_ARGS_MAX + 8u)

/** Splits a section into its streams; their number must be n. */
static bool split(ln_span span, ln_in *streams, size_t n)
{
    ln_in in = {span.bytes, span.bytes + span.n, false};
    uint64_t sizes[STREAMS_MAX], total = 0;
    if (ln_num_get(&in) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        sizes[i] = ln_num_get(&in);
        if (sizes[i] > span.n)
            return false;
        total += sizes[i];
    }
    if (in.bad || total != (uint64_t)(in.end - in.p))
        return false;
    for (size_t i = 0; i < n; i++) {
        streams[i] = (ln_in){in.p, in.p + sizes[i], false};
        in.p += sizes[i];
    }
    return true;
}

LN_INLINE uint64_t next_gap(ln_in *gaps)
{
    return gaps->p < gaps->end ? ln_num_get(gaps) : UINT64_MAX;
}

static void col_begin(ln_dcol *c)
{
    c->left = next_gap(&c->gaps);
}

static void col_start(ln_dcol *c, const ln_in *streams)
{
    c->gaps = streams[0];
    c->values = streams[1];
    col_begin(c);
}

/** True where the next value of this column was not as guessed: it is then in *value. */
LN_INLINE bool col_missed(ln_dcol *c, uint64_t *value)
{
    if (LN_LIKELY(c->left-- != 0))
        return false;
    *value = ln_num_get(&c->values);
    c->left = next_gap(&c->gaps);
    return true;
}

static void args_start(ln_dec *d, const ln_in *streams, size_t n, bool context)
{
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        for (unsigned i = 0; d->counts[code] && i < d->shapes[code].arg_count; i++)
            if ((ln_context_args[code] >> i & 1) == context) {
                col_start(&d->args[code][i], streams + n);
                n += 2;
            }
}

static size_t args_count(const ln_dec *d, bool context)
{
    size_t n = 0;
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        for (unsigned i = 0; d->counts[code] && i < d->shapes[code].arg_count; i++)
            n += (ln_context_args[code] >> i & 1) == context;
    return n;
}

static bool start_columns(ln_dec *d, const ln_span *spans, unsigned sections)
{
    ln_in streams[STREAMS_MAX];
    if (sections & 1u << LN_S_CONTEXT) {
        if (!split(spans[LN_S_CONTEXT], streams, 4 + 2 * args_count(d, true)))
            return false;
        col_start(&d->p, streams);
        col_start(&d->g, streams + 2);
        args_start(d, streams, 4, true);
    }
    if (sections & 1u << LN_S_STACKS) {
        if (!split(spans[LN_S_STACKS], streams, 2))
            return false;
        col_start(&d->stack, streams);
    }
    if (sections & 1u << LN_S_ARGS) {
        if (!split(spans[LN_S_ARGS], streams, 2 + 2 * args_count(d, false)))
            return false;
        col_start(&d->flags, streams);
        args_start(d, streams, 2, false);
    }
    return true;
}

/** Every lane stands in line with its first event. */
static void line_up(ln_dec *d)
{
    ln_order_start(&d->line);
    for (uint32_t k = 0; k < d->model.threads.n; k++)
        ln_order_put(&d->line, d->lanes[k].time, k);
    col_begin(&d->order);
}

int ln_dec_start(ln_dec *d, unsigned columns, uint32_t n, const ln_span spans[LN_S_ARGS + 1])
{
    unsigned sections = ln_dec_sections(columns);
    d->columns = columns;
    d->n = n;
    d->at = 0;
    d->bad = false;
    for (unsigned i = LN_S_SHAPE; i <= LN_S_ARGS; i++)
        if ((sections >> i & 1) && !spans[i].bytes)
            return GL_E_CORRUPT;
    ln_gmap_forget_touched(&d->model.map);
    ln_model_start(&d->model);
    ln_in in = {spans[LN_S_SHAPE].bytes, spans[LN_S_SHAPE].bytes + spans[LN_S_SHAPE].n, false};
    d->unit = ln_num_get(&in);
    if (!read_types(d, &in) || !read_lanes(d, &in, spans[LN_S_TYPES], spans[LN_S_TIMES]) ||
        !check_types(d, spans[LN_S_TYPES].bytes) || !start_columns(d, spans, sections))
        return GL_E_CORRUPT;
    line_up(d);
    return 0;
}

static uint64_t odd_step(ln_dec *d, ln_lane_in *l, uint8_t first)
{
    uint64_t v = 0;
    if (first >= LN_NUM_NEGATIVE) {
        v = ln_leb_get(&l->more);
        v = first == LN_NUM_ESCAPE ? v + LN_NUM_TWO : 0 - v;
    } else if (l->more.p < l->more.end) {
        v = LN_NUM_ONE + (uint64_t)(first - LN_NUM_ONE) * 256 + *l->more.p++;
    } else {
        l->more.bad = true;
    }
    d->bad |= l->more.bad;
    return v;
}

/** The lane of the next event; it leaves the line. UINT32_MAX where the order column names one that has none left. */
LN_INLINE uint32_t take_lane(ln_dec *d)
{
    uint64_t named;
    uint32_t lane = ln_order_next(&d->line);
    if (LN_LIKELY(!col_missed(&d->order, &named))) {
        ln_order_take(&d->line);
        return lane;
    }
    if (named >= d->model.threads.n || !ln_order_take_lane(&d->line, (uint32_t)named))
        return UINT32_MAX;
    return (uint32_t)named;
}

/** Types, times and lanes of n events: the threads come together. */
static bool merge(ln_dec *d, gl_event *out, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t lane = take_lane(d);
        if (LN_UNLIKELY(lane == UINT32_MAX))
            return false;
        ln_lane_in *l = &d->lanes[lane];
        d->lane_of[k] = (uint16_t)lane;
        out[k].type = *l->types++;
        out[k].time = l->time;
        if (LN_UNLIKELY(--l->left == 0))
            continue;
        uint8_t first = *++l->steps; /* the first event's step, zero, is passed over */
        uint64_t step = LN_LIKELY(first < LN_NUM_ONE) ? first : odd_step(d, l, first);
        l->time = (int64_t)((uint64_t)l->time + step * d->unit);
        ln_order_put(&d->line, l->time, lane);
    }
    d->at += n;
    return !d->bad;
}

static uint64_t get_arg(ln_dec *d, const gl_event *ev, const uint64_t *arg, unsigned type, unsigned i)
{
    const ln_shape *s = &d->shapes[type];
    ln_around around = {.g = ev->g, .arg0 = arg[0], .thread = ev->thread, .stack = ev->stack};
    ln_arg_guess guess = ln_model_arg(&d->model, type, i, s->kinds[i], s->kinds[0], &around);
    uint64_t value = guess.value, miss;
    if (col_missed(&d->args[type][i], &miss))
        value = guess.base + ln_unzigzag(miss);
    ln_model_learn(&d->model, type, i, s->kinds[i], &guess, value);
    return value;
}

LN_INLINE bool get_context(ln_dec *d, gl_event *ev, ln_lane *l)
{
    uint64_t miss;
    if (col_missed(&d->p, &miss))
        l->p = (uint32_t)ln_unzigzag(miss) - 1;
    if (col_missed(&d->g, &miss)) {
        l->g += ln_unzigzag(miss);
        l->gi = ln_gmap_touch(&d->model.map, l->g);
        if (l->gi == UINT32_MAX) {
            l->gi = 0;
            return false;
        }
    }
    l->seen = true;
    ev->thread = l->thread;
    ev->p = l->p;
    ev->g = l->g;
    return true;
}

LN_INLINE uint32_t get_stack(ln_dec *d, ln_grec *r, unsigned type)
{
    ln_site *site = ln_model_site(&d->model, r, type);
    uint64_t miss;
    uint32_t stack = col_missed(&d->stack, &miss) ? (uint32_t)miss : site->stack;
    ln_model_site_learn(site, r, stack);
    return stack;
}

LN_INLINE bool get_target(ln_dec *d, uint32_t p_id, unsigned type, uint32_t gi, uint64_t *target, uint32_t *ti)
{
    ln_model *m = &d->model;
    ln_proc *p = ln_model_proc(m, p_id);
    uint64_t miss;
    bool missed = col_missed(&d->args[type][0], &miss);
    if (LN_UNLIKELY(missed)) {
        *target = m->last[type][0] + ln_unzigzag(miss);
        *ti = ln_gmap_touch(&m->map, *target);
        if (type == GL_EV_GoStart)
            ln_proc_next(m, p); /* stale entries leave the queue on either side */
    } else if (type == GL_EV_GoCreate) {
        *target = p->created + 1;
        *ti = ln_gmap_touch(&m->map, *target);
    } else {
        *ti = ln_model_target(m, type, gi, p);
        *target = m->map.recs[*ti].id;
    }
    if (LN_UNLIKELY(*ti == UINT32_MAX))
        return false;
    ln_model_target_learn(m, type, gi, p, *target, *ti);
    return true;
}

/** One loop, compiled once for each set of columns. */
LN_INLINE int run(ln_dec *d, gl_event *out, uint32_t n, const bool stacks, const bool args)
{
    ln_model *m = &d->model;
    for (uint32_t k = 0; k < n; k++) {
        gl_event *ev = &out[k];
        ln_lane *l = &m->lanes[d->lane_of[k]];
        unsigned type = ev->type, i = 0;
        const ln_shape *s = &d->shapes[type];
        uint64_t arg[GL_EVENT_ARGS_MAX] = {0}, miss;
        uint32_t ti = 0;
        if (LN_UNLIKELY(!get_context(d, ev, l)))
            return GL_E_NOMEM;
        if (stacks)
            ev->stack = s->has_stack ? get_stack(d, &m->map.recs[l->gi], type) : 0;
        if (args)
            ev->flags = col_missed(&d->flags, &miss) ? (uint16_t)miss : 0;
        if (ln_has_target(type) && s->arg_count) {
            if (LN_UNLIKELY(!get_target(d, l->p, type, l->gi, &arg[0], &ti)))
                return GL_E_NOMEM;
            i = 1;
        }
        if (args || ln_context_args[type] >> i)
            for (; i < s->arg_count; i++)
                if (args || (ln_context_args[type] >> i & 1))
                    arg[i] = get_arg(d, ev, arg, type, i);
        if (args)
            memcpy(ev->arg, arg, sizeof arg);
        ln_model_after(m, l, type, arg, ti);
    }
    return (int)n;
}

static bool col_bad(const ln_dcol *c)
{
    return c->gaps.bad || c->values.bad;
}

/** Any column read past its end, or out of step with the events. */
static bool any_bad(const ln_dec *d)
{
    if (col_bad(&d->p) || col_bad(&d->g))
        return true;
    if ((d->columns & (GL_COL_STACK | GL_COL_ARGS)) && col_bad(&d->stack))
        return true;
    if ((d->columns & GL_COL_ARGS) && col_bad(&d->flags))
        return true;
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        for (unsigned i = 0; d->counts[code] && i < d->shapes[code].arg_count; i++)
            if (((d->columns & GL_COL_ARGS) || (ln_context_args[code] >> i & 1)) && col_bad(&d->args[code][i]))
                return true;
    return false;
}

int ln_dec_run(ln_dec *d, gl_event out[LN_RUN])
{
    uint32_t n = d->n - d->at < LN_RUN ? d->n - d->at : LN_RUN;
    if (!merge(d, out, n) || col_bad(&d->order))
        return GL_E_CORRUPT;
    if (!d->columns)
        return (int)n;
    int got;
    if (d->columns & GL_COL_ARGS)
        got = run(d, out, n, true, true);
    else if (d->columns & GL_COL_STACK)
        got = run(d, out, n, true, false);
    else
        got = run(d, out, n, false, false);
    return got > 0 && any_bad(d) ? GL_E_CORRUPT : got;
}
