/* The lanes: a goroutine, a group or a P each, with pauses as bands across them and wake-ups between them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "far.h"

typedef struct frame {
    gl_app *a;
    gl_cells *c;
    gl_rect time;
    gl_scale s;
    const gl_window *w;       /* NULL: too much for spans, lanes come from the pyramid */
    gl_pause_column *pause;
    gl_column_mix *mix;
    gl_column_sum *sums;      /* of the groups on the screen, a row of columns each */
    uint32_t *row_of_group;   /* GL_NONE: not on the screen */
    bool pauses_are_dense;    /* so many that lines for narrow ones would hide the lanes */
} frame;

static gl_role band_of(const frame *f, int x)
{
    if (f->pause[x].gc >= 0.5f)
        return GL_ROLE_STW_BAND;
    return f->pause[x].other >= 0.5f ? GL_ROLE_STOP_BAND : GL_ROLE_DEFAULT;
}

static bool is_filled(gl_span_kind k) { return gl_span_is_busy(k) || k == GL_SPAN_RUNNABLE || k == GL_SPAN_STRADDLE; }

typedef struct look {
    const char *glyph;
    gl_style style;
} look;

static look look_of_kind(const frame *f, gl_span_kind k, gl_role band)
{
    const gl_span_look *l = gl_span_look_of(k);
    look out = {l->glyph, gl_style_on(l->role, band)};
    /* Nothing truly runs while the world is stopped, and what is filled would hide the band. */
    if (band != GL_ROLE_DEFAULT && k == GL_SPAN_RUNNING)
        out.glyph = "━";
    if (k == GL_SPAN_STRADDLE && !f->a->plain)
        out.style.bg = GL_ROLE_STRADDLE_DEEP;
    if (k == GL_SPAN_NONE && band == GL_ROLE_DEFAULT)
        out.style = gl_style_of(GL_ROLE_DEFAULT);
    return out;
}

/* Two kinds that meet inside the cell: the left one's block, by eighths, on the right one's colour. */
static look look_of_boundary(const frame *f, const gl_column_mix *mix, gl_role band)
{
    gl_span_kind left = (gl_span_kind)mix->left, right = (gl_span_kind)mix->right;
    gl_span_kind larger = mix->share[left] >= mix->share[right] ? left : right;
    if (left == GL_SPAN_STRADDLE || right == GL_SPAN_STRADDLE)
        larger = GL_SPAN_STRADDLE;
    int split = mix->split;
    if (f->a->plain || (!is_filled(left) && !is_filled(right)) || split <= 0 || split >= 8)
        return look_of_kind(f, larger, band);
    gl_role l = gl_span_look_of(left)->role, r = gl_span_look_of(right)->role;
    if (is_filled(left))
        return (look){gl_block_left[split], gl_style_on(l, is_filled(right) ? r : band)};
    look out = {gl_block_left[split], gl_style_on(r, band)};
    out.style.attr = GL_ATTR_REVERSE;
    return out;
}

/* Many kinds in one cell: how busy it is as height, in the colour of what keeps it busy. */
static look look_of_mix(const frame *f, const gl_column_mix *mix, gl_role band)
{
    unsigned busy = mix->share[GL_SPAN_RUNNING] + mix->share[GL_SPAN_ASSIST] + mix->share[GL_SPAN_SYSCALL];
    if (mix->share[GL_SPAN_STRADDLE]) {
        int level = (int)(mix->share[GL_SPAN_STRADDLE] * 8u / GL_SHARE_FULL) + 2;
        return (look){gl_block_low[level > 8 ? 8 : level], gl_style_on(GL_ROLE_STRADDLE, band)};
    }
    if (busy < GL_SHARE_FULL / 100)
        return look_of_kind(f, gl_column_main(mix), band);
    gl_span_kind k = GL_SPAN_RUNNING;
    k = mix->share[GL_SPAN_ASSIST] > mix->share[k] ? GL_SPAN_ASSIST : k;
    k = mix->share[GL_SPAN_SYSCALL] > mix->share[k] ? GL_SPAN_SYSCALL : k;
    int level = (int)ceil((double)busy * 8 / GL_SHARE_FULL);
    return (look){gl_block_low[level > 8 ? 8 : level], gl_style_on(gl_span_look_of(k)->role, band)};
}

/* A pause narrower than half a cell is a line through it; what lies behind stays as background. */
static look with_narrow_pause(const frame *f, int x, const gl_column_mix *mix, look l)
{
    const gl_pause_column *p = &f->pause[x];
    bool narrow = (p->gc > 0 && p->gc < 0.5f) || (p->gc <= 0 && p->other > 0 && p->other < 0.5f);
    /* What is left of a band in the column beside it is not a pause of its own. */
    narrow = narrow && (x == 0 || band_of(f, x - 1) == GL_ROLE_DEFAULT) &&
             (x + 1 == f->s.n || band_of(f, x + 1) == GL_ROLE_DEFAULT);
    if (!narrow || f->pauses_are_dense || mix->share[GL_SPAN_STRADDLE])
        return l;
    gl_role ink = p->gc > 0 ? GL_ROLE_STW_LINE : GL_ROLE_STOP_LINE;
    gl_span_kind k = gl_column_main(mix);
    if (f->a->plain && is_filled(k))
        return l;
    bool behind = is_filled(k) && mix->parts <= 2 && mix->share[k] > GL_SHARE_FULL / 2;
    return (look){"│", gl_style_on(ink, behind ? gl_span_look_of(k)->role : GL_ROLE_DEFAULT)};
}

/* Without colour a band is told by its edges. */
static bool is_band_edge(const frame *f, int x)
{
    if (band_of(f, x) == GL_ROLE_DEFAULT)
        return false;
    return x == 0 || x + 1 == f->s.n || band_of(f, x - 1) == GL_ROLE_DEFAULT || band_of(f, x + 1) == GL_ROLE_DEFAULT;
}

static void draw_mix(const frame *f, int y)
{
    for (int x = 0; x < f->s.n; x++) {
        const gl_column_mix *mix = &f->mix[x];
        gl_role band = band_of(f, x);
        look l;
        if (mix->parts <= 1)
            l = look_of_kind(f, mix->parts ? (gl_span_kind)mix->right : gl_column_main(mix), band);
        else if (mix->parts == 2)
            l = look_of_boundary(f, mix, band);
        else
            l = look_of_mix(f, mix, band);
        l = with_narrow_pause(f, x, mix, l);
        if (f->a->plain && is_band_edge(f, x) && gl_column_main(mix) != GL_SPAN_STRADDLE)
            l = (look){"┃", gl_style_on(GL_ROLE_STW, band)};
        gl_cells_glyph(f->c, f->time.x + x, y, l.style, l.glyph);
    }
}

/* A word inside a stretch that has room for it. */
static void draw_label(const frame *f, int y, int64_t begin, int64_t end, const char *text, gl_style style, int least)
{
    int from = begin <= f->s.from ? 0 : gl_scale_column(f->s, begin) + 1;
    int to = end >= f->s.to ? f->s.n : gl_scale_column(f->s, end);
    int width = (int)gl_text_width(text, strlen(text));
    int room = to - from;
    if (room < least || !*text)
        return;
    int w = width + 2;
    if (w + 2 > room)
        return;
    int x = from + (room - w) / 2;
    for (int i = x; i < x + w; i++) {
        const gl_cell *cell = gl_cells_at(f->c, f->time.x + i, y);
        gl_style s = style;
        if (cell && s.bg == GL_ROLE_DEFAULT && band_of(f, i) != GL_ROLE_DEFAULT)
            s.bg = (uint8_t)band_of(f, i);
        gl_cells_glyph(f->c, f->time.x + i, y, s, " ");
    }
    int at = x + 1;
    char one[GL_CELL_BYTES];
    for (size_t i = 0; text[i] && at < x + w - 1;) {
        size_t n = 1;
        while ((text[i + n] & 0xc0) == 0x80 && n < sizeof one - 1)
            n++;
        gl_style s = style;
        if (s.bg == GL_ROLE_DEFAULT && at < f->s.n && band_of(f, at) != GL_ROLE_DEFAULT)
            s.bg = (uint8_t)band_of(f, at);
        at += gl_cells_put(f->c, f->time.x + at, y, x + w - 1 - at, s, text + i, n);
        i += n;
    }
}

static void label_spans(const frame *f, uint32_t gor, int y)
{
    size_t n;
    const gl_span *spans = gl_window_spans(f->w, gor, &n);
    int shown = 0;
    for (size_t i = 0; i < n && spans[i].begin < f->s.to && shown < f->s.n; i++) {
        int64_t end = gl_model_end(f->a->m, spans[i].end);
        if (end <= f->s.from || !gl_span_is_wait((gl_span_kind)spans[i].kind))
            continue;
        shown++;
        const char *text = spans[i].reason ? gl_model_text(f->a->m, spans[i].reason) : "";
        draw_label(f, y, spans[i].begin, end, text, gl_style_of(gl_span_look_of((gl_span_kind)spans[i].kind)->role),
                   20);
    }
}

static void label_straddles(const frame *f, uint32_t gor, int y)
{
    const gl_model *m = f->a->m;
    for (uint32_t i = m->gors[gor].first_straddle; i != GL_NONE; i = m->straddles[i].next_of_gor) {
        const gl_straddle *s = &m->straddles[i];
        char text[128], t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX];
        if (s->end <= f->s.from || s->begin >= f->s.to)
            continue;
        snprintf(text, sizeof text, "chan send %s, %s in GC pause", gl_unit_ns(t, s->end - s->begin),
                 gl_unit_ns(u, s->overlap));
        gl_style style = gl_style_bold(gl_style_on(GL_ROLE_STRADDLE_INK, GL_ROLE_STRADDLE));
        int room = gl_scale_column(f->s, s->end) - gl_scale_column(f->s, s->begin);
        if (room < (int)strlen(text) + 6)
            snprintf(text, sizeof text, "chan send %s", gl_unit_ns(t, s->end - s->begin));
        draw_label(f, y, s->begin, s->end, text, style, (int)gl_text_width(text, strlen(text)) + 4);
    }
}

static void draw_gor(const frame *f, uint32_t gor, int y)
{
    if (f->w) {
        gl_columns_of_gor(f->a->m, f->w, gor, f->s, f->mix);
    } else {
        gl_far_lane(&f->a->far, gor, f->mix);
        gl_columns_straddles(f->a->m, gor, f->s, f->mix);
    }
    draw_mix(f, y);
    if (f->w && !f->a->plain)
        label_spans(f, gor, y);
    label_straddles(f, gor, y);
}

static void draw_proc(const frame *f, uint32_t p, int y)
{
    const gl_model *m = f->a->m;
    gl_columns_clear(f->mix, f->s.n);
    if (f->w)
        gl_columns_of_proc(m, f->w, p, f->s, f->mix);
    draw_mix(f, y);
    size_t n = 0;
    const uint32_t *at = f->w ? gl_window_proc(f->w, p, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        const gl_span *span = &f->w->spans[at[i]];
        int64_t end = gl_model_end(m, span->end);
        if (i + 1 < n && f->w->spans[at[i + 1]].begin < end)
            end = f->w->spans[at[i + 1]].begin;
        if (end <= f->s.from || span->begin >= f->s.to)
            continue;
        char text[160];
        snprintf(text, sizeof text, "G%llu %s", (unsigned long long)m->gors[span->gor].id,
                 gl_model_group_name(m, m->gors[span->gor].group));
        gl_role role = gl_span_look_of((gl_span_kind)span->kind)->role;
        draw_label(f, y, span->begin, end, text, gl_style_on(GL_ROLE_TITLE, role), 10);
    }
}

/* A group's band: how many of it run, as height over the Ps, what waits for a P behind it, straddles in their colour.
 */
static void draw_group(const frame *f, uint32_t group, int y)
{
    const gl_model *m = f->a->m;
    double procs = m->procs ? (double)m->procs : 4;
    double top = m->groups[group].n < procs ? m->groups[group].n : procs;
    const gl_column_sum *sums = &f->sums[(size_t)(y - f->time.y) * (size_t)f->s.n];
    for (int x = 0; x < f->s.n; x++) {
        const gl_column_sum *sum = &sums[x];
        gl_role band = band_of(f, x);
        double share = (sum->busy + sum->syscall) / (top > 0 ? top : 1);
        int level = (int)ceil(share * 8 - 1e-6);
        level = level > 8 ? 8 : level;
        look l = {gl_block_low[level > 0 ? level : 0], gl_style_on(GL_ROLE_RUNNING, band)};
        if (sum->syscall > sum->busy)
            l.style.fg = GL_ROLE_SYSCALL;
        if (level <= 0 && sum->runnable > 0.05f)
            l = (look){"░", gl_style_on(GL_ROLE_RUNNABLE, band)};
        else if (level <= 0 && sum->wait > 0)
            l = (look){"·", gl_style_on(GL_ROLE_FAINT, band)};
        /* As high as the part of the group that suffers, but never too low to be seen. */
        int suffers = sum->straddle > 0 ? (int)ceil(sum->straddle * 8 / (double)m->groups[group].n) + 1 : 0;
        if (suffers >= 8)
            l = look_of_kind(f, GL_SPAN_STRADDLE, band);
        else if (suffers > 0)
            l = (look){gl_block_low[suffers], gl_style_on(GL_ROLE_STRADDLE, band)};
        else if (level <= 0 && f->pause[x].gc > 0 && f->pause[x].gc < 0.5f && !f->pauses_are_dense)
            l = (look){"│", gl_style_on(GL_ROLE_STW_LINE, GL_ROLE_DEFAULT)};
        gl_cells_glyph(f->c, f->time.x + x, y, l.style, l.glyph);
    }
}

/* Names at the left; at the right of the gutter what the order goes by, straddles first. */
static void draw_gutter_gor(const frame *f, uint32_t gor, int y)
{
    const gl_app *a = f->a;
    const gl_gor *g = &a->m->gors[gor];
    gl_rect r = {0, y, a->layout.gutter, 1};
    char value[64] = "", t[GL_UNIT_TEXT_MAX];
    gl_role role = GL_ROLE_DIM;
    int64_t by = gl_order_value(a->m, a->lanes.order, gor);
    if (g->straddles && (a->lanes.order == GL_ORDER_STRADDLE || by < 0)) {
        snprintf(value, sizeof value, "▓%u %s", g->straddles, gl_unit_ns(t, g->straddle_ns));
        role = GL_ROLE_STRADDLE;
    } else if (by > 0) {
        snprintf(value, sizeof value, "%s", gl_unit_ns(t, by));
    }
    int room = r.w - 2;
    int width = (int)gl_text_width(value, strlen(value));
    if (*value && room - width >= 7) {
        gl_cells_fit_right(f->c, r.x + 1, y, room, gl_style_of(role), value);
        room -= width + 1;
    }
    char name[300];
    bool alone = a->m->groups[g->group].n == 1 && !a->lanes.flat;
    int indent = r.w > 12 && !a->lanes.flat ? 2 : 0;
    snprintf(name, sizeof name, "%*sG%llu", indent, "", (unsigned long long)g->id);
    gl_style style = gl_style_of(a->row.type == GL_ROW_GOR && a->row.index == gor ? GL_ROLE_TITLE : GL_ROLE_TEXT);
    int used = gl_cells_fit(f->c, r.x + 1, y, room, style, name, GL_CUT_END);
    bool named = alone || a->lanes.flat || a->layout.gutter >= 28;
    if (!named || room - used <= 6)
        return;
    gl_style dim = gl_style_of(GL_ROLE_DIM), own = gl_style_bold(gl_style_of(GL_ROLE_GROUP));
    gl_cells_fit(f->c, r.x + 2 + used, y, room - used - 1, alone && !a->m->groups[g->group].system ? own : dim,
                 gl_model_group_name(a->m, g->group), GL_CUT_START);
}

static void draw_gutter_group(const frame *f, uint32_t group, int y)
{
    const gl_app *a = f->a;
    const gl_group *g = &a->m->groups[group];
    char count[32], marks[32] = "";
    int room = a->layout.gutter - 2;
    bool open = group < a->lanes.open_capacity && a->lanes.open[group];
    snprintf(count, sizeof count, "×%u", group < a->lanes.open_capacity ? a->lanes.shown[group] : g->n);
    if (g->straddles && !open)
        snprintf(marks, sizeof marks, "▓%u", g->straddles);
    int tail = (int)gl_text_width(count, strlen(count));
    if (*marks) {
        gl_cells_fit_right(f->c, 1, y, room, gl_style_of(GL_ROLE_STRADDLE), marks);
        room -= (int)gl_text_width(marks, strlen(marks)) + 1;
    }
    gl_cells_fit(f->c, 1, y, room, gl_style_of(GL_ROLE_DIM), open ? "▾" : "▸", GL_CUT_END);
    gl_style style = gl_style_of(g->system ? GL_ROLE_DIM : GL_ROLE_GROUP);
    style.attr |= g->system ? 0 : GL_ATTR_BOLD;
    int name_room = room - 2 - tail - 1 > 3 ? room - 2 - tail - 1 : room - 2;
    int used = gl_cells_fit(f->c, 3, y, name_room, style, gl_model_group_name(a->m, group), GL_CUT_START);
    gl_cells_fit(f->c, 4 + used, y, room - 3 - used, gl_style_of(GL_ROLE_DIM), count, GL_CUT_END);
}

static gl_column_sum *sums_of(const frame *f, uint32_t gor)
{
    uint32_t group = f->a->m->gors[gor].group;
    uint32_t row = group < f->a->m->group_count ? f->row_of_group[group] : GL_NONE;
    return row == GL_NONE ? NULL : &f->sums[(size_t)row * (size_t)f->s.n];
}

/* All groups on the screen in one pass over what the window holds. */
static void sum_groups(const frame *f)
{
    const gl_app *a = f->a;
    const gl_lanes *l = &a->lanes;
    for (size_t i = 0; i < a->m->group_count; i++)
        f->row_of_group[i] = GL_NONE;
    for (uint32_t i = 0; i < (uint32_t)f->time.h && a->top + i < l->n; i++)
        if (l->rows[a->top + i].type == GL_ROW_GROUP)
            f->row_of_group[l->rows[a->top + i].index] = i;
    for (size_t i = 0; f->w && i < f->w->slot_count; i++) {
        const gl_slot *slot = &f->w->slots[i];
        gl_column_sum *out = slot->n ? sums_of(f, f->w->spans[slot->first].gor) : NULL;
        if (out)
            gl_columns_sum(&f->w->spans[slot->first], slot->n, f->s, out);
    }
    for (size_t i = 0; !f->w && i < a->far.count; i++) {
        gl_column_sum *out = sums_of(f, a->far.shares[i].gor);
        if (out)
            gl_far_sum(&a->far, &a->far.shares[i], out);
    }
    size_t first, last_one;
    gl_model_straddles_in(a->m, f->s.from, f->s.to, &first, &last_one);
    for (size_t i = first; i < last_one; i++) {
        const gl_straddle *s = &a->m->straddles[i];
        gl_column_sum *out = s->end > f->s.from && s->begin < f->s.to ? sums_of(f, s->gor) : NULL;
        if (!out)
            continue;
        double step = gl_scale_step(f->s), from = ((double)s->begin - (double)f->s.from) / step;
        double to = ((double)s->end - (double)f->s.from) / step;
        from = from < 0 ? 0 : from;
        for (int x = (int)from; x < f->s.n && x < to; x++)
            out[x].straddle += (float)((to < x + 1 ? to : x + 1) - (from > x ? from : x)) + 1e-6f;
    }
}

static void draw_row(const frame *f, gl_row row, int y)
{
    char name[32];
    switch (row.type) {
    case GL_ROW_GOR:
        draw_gor(f, row.index, y);
        draw_gutter_gor(f, row.index, y);
        break;
    case GL_ROW_GROUP:
        draw_group(f, row.index, y);
        draw_gutter_group(f, row.index, y);
        break;
    default:
        draw_proc(f, row.index, y);
        snprintf(name, sizeof name, "P%u", row.index);
        gl_cells_fit(f->c, 1, y, f->a->layout.gutter - 2, gl_style_of(GL_ROLE_TEXT), name, GL_CUT_END);
    }
}

/* Row on the screen of a goroutine's lane: -1 where it is not in the list, above or below where it is scrolled off. */
static int row_of_gor(const frame *f, uint32_t gor, bool *listed)
{
    uint32_t at = gl_lanes_find(&f->a->lanes, GL_ROW_GOR, gor);
    if (at == GL_NONE && gor < f->a->m->gor_count)
        at = gl_lanes_find_group(&f->a->lanes, f->a->m, f->a->m->gors[gor].group);
    *listed = at != GL_NONE;
    return *listed ? f->time.y + (int)at - (int)f->a->top : -1;
}

/* From whom it was woken to where: a line in the column of the wake-up. */
static void draw_wake(const frame *f, const gl_span *span, int y)
{
    bool listed;
    int64_t when = span->end;
    uint32_t waker = span->by ? gl_model_find(f->a->m, span->by) : GL_NONE;
    if (waker == GL_NONE || when < f->s.from || when >= f->s.to)
        return;
    int x = f->time.x + gl_scale_column(f->s, when);
    int from = row_of_gor(f, waker, &listed);
    gl_style style = gl_style_bold(gl_style_of(GL_ROLE_ARROW));
    if (!listed || from == y)
        return;
    int top = f->time.y, bottom = f->time.y + f->time.h - 1;
    int start = from < top ? top : from > bottom ? bottom : from;
    for (int i = start; i != y; i += start < y ? 1 : -1)
        gl_cells_glyph(f->c, x, i, style, "┃");
    gl_cells_glyph(f->c, x, y, style, start < y ? "▼" : "▲");
    if (from == start) {
        gl_cells_glyph(f->c, x, start, style, "●");
        return;
    }
    char text[64];
    snprintf(text, sizeof text, " %s G%llu ", from < top ? "↑" : "↓", (unsigned long long)span->by);
    int room = f->time.x + f->time.w - x - 1;
    int width = (int)gl_text_width(text, strlen(text));
    gl_cells_fit(f->c, room >= width ? x + 1 : x - width, start, width, style, text, GL_CUT_END);
}

static void draw_cursor(const frame *f)
{
    gl_app *a = f->a;
    int y = f->time.y + (int)a->at - (int)a->top;
    int x = f->time.x + gl_scale_column(f->s, a->cursor);
    for (int i = f->time.y; i < f->time.y + f->time.h; i++) {
        gl_cell *cell = gl_cells_at(f->c, x, i);
        if (cell && (strcmp(cell->text, " ") == 0 || strcmp(cell->text, "·") == 0) && cell->style.bg == GL_ROLE_DEFAULT)
            gl_cells_glyph(f->c, x, i, gl_style_of(GL_ROLE_DIM), "┊");
    }
    if (y < f->time.y || y >= f->time.y + f->time.h)
        return;
    /* Without colour the row's mark is its attribute, which would turn the lane's glyphs about. */
    gl_cells_tint(f->c, (gl_rect){0, y, a->plain ? a->layout.gutter - 1 : a->w, 1}, GL_ROLE_ROW);
    gl_cell *cell = gl_cells_at(f->c, x, y);
    if (cell)
        cell->style = gl_style_on(GL_ROLE_DEFAULT, GL_ROLE_CURSOR);
}

static void draw_all(frame *f)
{
    gl_app *a = f->a;
    const gl_lanes *l = gl_app_lanes(a);
    gl_pause_columns(a->m, f->s, f->pause);
    int narrow = 0;
    for (int x = 0; x < f->s.n; x++)
        narrow += f->pause[x].gc > 0 && f->pause[x].gc < 0.5f;
    f->pauses_are_dense = narrow > f->s.n / 3;
    if (a->view == GL_VIEW_GOROUTINES)
        sum_groups(f);
    for (int i = 0; i < f->time.h && a->top + (uint32_t)i < l->n; i++)
        draw_row(f, l->rows[a->top + (uint32_t)i], f->time.y + i);
    if (l->n == 0)
        gl_cells_fit(f->c, a->layout.gutter, f->time.y, f->time.w, gl_style_of(GL_ROLE_DIM),
                     a->m->scanned ? (a->filter ? "no goroutine matches the filter" : "no goroutines in this trace")
                                   : "reading…", GL_CUT_END);
    uint32_t gor = a->row.type == GL_ROW_GOR && l->n && a->view == GL_VIEW_GOROUTINES ? a->row.index : GL_NONE;
    const gl_span *span = gor != GL_NONE && f->w ? gl_window_span_at(f->w, gor, a->cursor) : NULL;
    if (span && span->kind == GL_SPAN_RUNNABLE && span > f->w->spans && span[-1].gor == gor && span[-1].by)
        span--;
    if (span && gl_span_is_wait((gl_span_kind)span->kind))
        draw_wake(f, span, f->time.y + (int)a->at - (int)a->top);
    draw_cursor(f);
}

void gl_draw_lanes(gl_app *a, gl_cells *c)
{
    frame f = {.a = a, .c = c, .time = gl_layout_time(&a->layout, a->layout.lanes)};
    if (f.time.h < 1 || f.time.w < 1)
        return;
    f.s = (gl_scale){a->from, a->to, f.time.w};
    size_t n = (size_t)f.s.n;
    f.pause = malloc(n * sizeof *f.pause);
    f.mix = malloc(n * sizeof *f.mix);
    f.sums = calloc(n * (size_t)f.time.h, sizeof *f.sums);
    f.row_of_group = malloc((a->m->group_count + 1) * sizeof *f.row_of_group);
    f.w = gl_app_window(a);
    if (f.pause && f.mix && f.sums && f.row_of_group && (f.w || gl_far_look(&a->far, a->m, f.s) == 0))
        draw_all(&f);
    free(f.pause);
    free(f.mix);
    free(f.sums);
    free(f.row_of_group);
}
