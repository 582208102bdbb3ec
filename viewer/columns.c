#include "columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEEN (GL_SHARE_FULL / 16) /* narrower than this a stretch is not drawn for itself */

int gl_scale_column(gl_scale s, int64_t time)
{
    double c = floor(((double)time - (double)s.from) / gl_scale_step(s));
    return c < -1 ? -1 : c > s.n ? s.n : (int)c;
}

int64_t gl_scale_time(gl_scale s, int column) { return s.from + (int64_t)ceil(gl_scale_step(s) * column); }

void gl_columns_clear(gl_column_mix *c, int n) { memset(c, 0, (size_t)n * sizeof *c); }

static void add_part(gl_column_mix *c, double from, double to, gl_span_kind kind)
{
    double share = (to - from) * GL_SHARE_FULL;
    unsigned sum = c->share[kind] + (unsigned)(share + 0.5);
    c->share[kind] = (uint16_t)(sum > GL_SHARE_FULL ? GL_SHARE_FULL : sum);
    if (share < SEEN && kind != GL_SPAN_STRADDLE)
        return;
    if (c->parts && c->right == kind)
        return;
    if (c->parts == 0)
        c->left = (uint8_t)kind;
    else if (c->parts == 1)
        c->split = (uint8_t)lrint(from * 8);
    c->right = (uint8_t)kind;
    c->parts += c->parts < 3;
}

void gl_columns_add(gl_column_mix *c, gl_scale s, int64_t begin, int64_t end, gl_span_kind kind)
{
    if (end <= s.from || begin >= s.to || end <= begin)
        return;
    double step = gl_scale_step(s);
    double from = begin <= s.from ? 0 : ((double)begin - (double)s.from) / step;
    double to = end >= s.to ? s.n : ((double)end - (double)s.from) / step;
    int first = (int)from, last = (int)ceil(to) - 1;
    for (int i = first; i <= last && i < s.n; i++)
        add_part(&c[i], from > i ? from - i : 0, to < i + 1 ? to - i : 1, kind);
}

/* A column that a straddle fills in part keeps what stood on the other side of the boundary. */
static void paint_part(gl_column_mix *c, double from, double to)
{
    gl_column_mix old = *c;
    unsigned share = c->share[GL_SPAN_STRADDLE] + (unsigned)((to - from) * GL_SHARE_FULL + 1);
    c->share[GL_SPAN_STRADDLE] = (uint16_t)(share > GL_SHARE_FULL ? GL_SHARE_FULL : share);
    if (from <= 1.0 / 16 && to >= 15.0 / 16) {
        c->left = c->right = GL_SPAN_STRADDLE;
        c->parts = 1;
    } else if (to >= 15.0 / 16) {
        *c =
            (gl_column_mix){.left = old.left, .right = GL_SPAN_STRADDLE, .parts = 2, .split = (uint8_t)lrint(from * 8)};
        memcpy(c->share, old.share, sizeof c->share);
        c->share[GL_SPAN_STRADDLE] = (uint16_t)share;
    } else if (from <= 1.0 / 16) {
        c->left = GL_SPAN_STRADDLE;
        c->parts = 2;
        c->split = (uint8_t)lrint(to * 8);
        c->split = c->split ? c->split : 1;
    } else {
        c->parts = 3;
    }
}

void gl_columns_paint(gl_column_mix *c, gl_scale s, int64_t begin, int64_t end)
{
    if (end <= s.from || begin >= s.to || end <= begin)
        return;
    double step = gl_scale_step(s);
    double from = begin <= s.from ? 0 : ((double)begin - (double)s.from) / step;
    double to = end >= s.to ? s.n : ((double)end - (double)s.from) / step;
    int first = (int)from, last = (int)ceil(to) - 1;
    last = last >= s.n ? s.n - 1 : last;
    for (int i = first; i <= last; i++)
        paint_part(&c[i], from > i ? from - i : 0, to < i + 1 ? to - i : 1);
    c[first].begins = c[first].begins || begin >= s.from;
    c[last].ends = c[last].ends || end <= s.to;
}

gl_span_kind gl_column_main(const gl_column_mix *c)
{
    if (c->share[GL_SPAN_STRADDLE])
        return GL_SPAN_STRADDLE;
    int best = GL_SPAN_NONE;
    for (int k = 1; k < GL_SPAN_KINDS; k++)
        if (c->share[k] > c->share[best] || (best == GL_SPAN_NONE && c->share[k]))
            best = k;
    return (gl_span_kind)best;
}

/* Before its first and after its last stretch a lane is empty, which counts where it shares a column with them. */
static void close_ends(gl_column_mix *c, int n)
{
    for (int i = 0; i < n; i++) {
        unsigned sum = 0;
        for (int k = 1; k < GL_SPAN_STRADDLE; k++)
            sum += c[i].share[k];
        c[i].share[GL_SPAN_NONE] = (uint16_t)(sum < GL_SHARE_FULL ? GL_SHARE_FULL - sum : 0);
    }
}

void gl_columns_straddles(const gl_model *m, uint32_t gor, gl_scale s, gl_column_mix *out)
{
    for (uint32_t i = m->gors[gor].first_straddle; i != GL_NONE; i = m->straddles[i].next_of_gor) {
        if (m->straddles[i].begin >= s.to)
            break;
        gl_columns_paint(out, s, m->straddles[i].begin, m->straddles[i].end);
    }
}

void gl_columns_of_gor(const gl_model *m, const gl_window *w, uint32_t gor, gl_scale s, gl_column_mix *out)
{
    size_t n;
    const gl_lane_span *spans = gl_window_spans(w, gor, &n);
    int64_t last = s.from;
    gl_columns_clear(out, s.n);
    for (size_t i = gl_spans_after(spans, n, s.from); i < n && spans[i].begin < s.to; i++) {
        gl_columns_add(out, s, last, spans[i].begin, GL_SPAN_NONE);
        last = gl_model_end(m, spans[i].end);
        gl_columns_add(out, s, spans[i].begin, last, (gl_span_kind)spans[i].kind);
    }
    gl_columns_add(out, s, last, s.to, GL_SPAN_NONE);
    close_ends(out, s.n);
    gl_columns_straddles(m, gor, s, out);
}

void gl_columns_of_unit(const gl_model *m, const gl_window *w, const gl_window_units *us, uint32_t unit, gl_scale s,
                        gl_column_mix *out)
{
    size_t n;
    const uint32_t *at = gl_window_unit(us, unit, &n);
    int64_t last = s.from;
    gl_columns_clear(out, s.n);
    for (size_t i = 0; i < n; i++) {
        const gl_lane_span *span = &w->spans[at[i]];
        /* A system call's span lasts until its return, but its P may have run something else long before. */
        int64_t end = gl_model_end(m, span->end);
        if (i + 1 < n && w->spans[at[i + 1]].begin < end)
            end = w->spans[at[i + 1]].begin;
        if (end <= s.from)
            continue;
        if (span->begin >= s.to)
            break;
        gl_columns_add(out, s, last, span->begin, GL_SPAN_NONE);
        last = end;
        gl_columns_add(out, s, span->begin, last, (gl_span_kind)span->kind);
    }
    gl_columns_add(out, s, last, s.to, GL_SPAN_NONE);
    close_ends(out, s.n);
}

/* Parts of a sum, in the order of gl_column_tally.part. */
static unsigned part_of(gl_span_kind kind)
{
    switch (kind) {
    case GL_SPAN_RUNNING:
    case GL_SPAN_ASSIST: return 0;
    case GL_SPAN_SYSCALL: return 1;
    case GL_SPAN_RUNNABLE: return 2;
    case GL_SPAN_STRADDLE: return 4;
    default: return 3;
    }
}

#define UNIT (INT64_C(1) << 20) /* of a column */

/* The time of a boundary in units, so that what ends and what begins there share it to the last bit. */
static int64_t units_of(gl_scale s, double per_ns, int64_t time)
{
    return time <= s.from ? 0 : time >= s.to ? s.n * UNIT : (int64_t)((double)(time - s.from) * per_ns + 0.5);
}

/* Only where a sum changes is told: a stretch costs the same however many columns it covers. */
void gl_columns_tally(const gl_lane_span *spans, size_t n, gl_scale s, gl_column_tally *out)
{
    double per_ns = (double)UNIT / gl_scale_step(s);
    for (size_t i = gl_spans_after(spans, n, s.from); i < n && spans[i].begin < s.to; i++) {
        unsigned k = part_of((gl_span_kind)spans[i].kind);
        int64_t from = units_of(s, per_ns, spans[i].begin), to = units_of(s, per_ns, spans[i].end);
        to += k == 4 && to == from && to < s.n * UNIT; /* a straddle counts however short it is */
        int64_t first = from / UNIT, last = to / UNIT, in = from % UNIT, left = to % UNIT;
        out[first].part[k] += UNIT - in;
        out[first + 1].part[k] += in;
        out[last].part[k] -= UNIT - left;
        out[last + 1].part[k] -= left;
    }
}

void gl_columns_settle(const gl_column_tally *t, int n, gl_column_sum *out)
{
    int64_t sum[5] = {0};
    for (int x = 0; x < n; x++) {
        for (int k = 0; k < 5; k++)
            sum[k] += t[x].part[k];
        out[x].busy += (float)((double)sum[0] / (double)UNIT);
        out[x].syscall += (float)((double)sum[1] / (double)UNIT);
        out[x].runnable += (float)((double)sum[2] / (double)UNIT);
        out[x].wait += (float)((double)sum[3] / (double)UNIT);
        out[x].straddle += (float)((double)sum[4] / (double)UNIT);
    }
}

int gl_columns_sum(const gl_window *w, gl_scale s, gl_column_sum *out)
{
    gl_column_tally *t = calloc((size_t)s.n + 2, sizeof *t);
    for (size_t i = 0; t && i < w->slot_count; i++)
        gl_columns_tally(&w->spans[w->slots[i].first], w->slots[i].n, s, t);
    if (t)
        gl_columns_settle(t, s.n, out);
    free(t);
    return t ? 0 : GL_E_NOMEM;
}
