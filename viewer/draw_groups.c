/* Lanes of groups: how many of its goroutines run, wait for a P, and suffer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

/* A group's band: how many of it run, as height over the Ps, what waits for a P behind it, straddles in their colour.
 */
static void draw_group(const gl_canvas *f, uint32_t group, int y)
{
    const gl_model *m = f->a->m;
    uint32_t n = f->a->lanes.groups[group].n;
    double procs = m->procs ? (double)m->procs : 4;
    double top = n < procs ? n : procs;
    const gl_column_sum *sums = &f->sums[(size_t)(y - f->time.y) * (size_t)f->s.n];
    for (int x = 0; x < f->s.n; x++) {
        const gl_column_sum *sum = &sums[x];
        gl_role band = gl_canvas_band(f, x);
        double share = (sum->busy + sum->syscall) / (top > 0 ? top : 1);
        int level = (int)ceil(share * 8 - 1e-6);
        level = level > 8 ? 8 : level;
        gl_look l = {gl_block_low[level > 0 ? level : 0], gl_style_on(GL_ROLE_RUNNING, band)};
        if (sum->syscall > sum->busy)
            l.style.fg = GL_ROLE_SYSCALL;
        if (level <= 0 && sum->runnable > 0.05f)
            l = (gl_look){"░", gl_style_on(GL_ROLE_RUNNABLE, band)};
        else if (level <= 0 && sum->wait > 0)
            l = (gl_look){"·", gl_style_on(GL_ROLE_FAINT, band)};
        /* As high as the part of the group that suffers, but never too low to be seen. */
        int suffers = sum->straddle > 0 ? (int)ceil(sum->straddle * 8 / (double)n + 1e-6) + 1 : 0;
        if (suffers >= 8)
            l = gl_look_of_kind(f, GL_SPAN_STRADDLE, band);
        else if (suffers > 0)
            l = (gl_look){gl_block_low[suffers], gl_style_on(GL_ROLE_STRADDLE, band)};
        else if (level <= 0 && gl_canvas_has_line(f, x))
            l = (gl_look){"│", gl_style_on(GL_ROLE_STW_LINE, GL_ROLE_DEFAULT)};
        gl_cells_glyph(f->c, f->time.x + x, y, l.style, l.glyph);
    }
}

static void draw_gutter_group(const gl_canvas *f, uint32_t group, int y)
{
    const gl_app *a = f->a;
    const gl_lane_group *g = &a->lanes.groups[group];
    char count[32], marks[32] = "", text[160];
    int room = a->layout.gutter - 2;
    const char *name = gl_lanes_group_text(&a->lanes, a->m, group, text, sizeof text);
    snprintf(count, sizeof count, "×%u", g->shown);
    if (g->straddles && !g->open)
        snprintf(marks, sizeof marks, "▓%u", g->straddles);
    int tail = (int)gl_text_width(count, strlen(count));
    if (*marks) {
        gl_cells_fit_right(f->c, 1, y, room, gl_style_of(GL_ROLE_STRADDLE), marks);
        room -= (int)gl_text_width(marks, strlen(marks)) + 1;
    }
    gl_cells_fit(f->c, 1, y, room, gl_style_of(GL_ROLE_DIM), g->open ? "▾" : "▸", GL_CUT_END);
    gl_style style = gl_style_of(g->system ? GL_ROLE_DIM : GL_ROLE_GROUP);
    style.attr |= g->system ? 0 : GL_ATTR_BOLD;
    int name_room = room - 2 - tail - 1 > 3 ? room - 2 - tail - 1 : room - 2;
    int used = gl_cells_fit(f->c, 3, y, name_room, style, name,
                            a->lanes.by == GL_BY_FUNCTION ? GL_CUT_START : GL_CUT_END);
    gl_cells_fit(f->c, 4 + used, y, room - 3 - used, gl_style_of(GL_ROLE_DIM), count, GL_CUT_END);
}

void gl_canvas_group(const gl_canvas *f, uint32_t group, int y)
{
    if (group >= f->a->lanes.group_count)
        return;
    draw_group(f, group, y);
    draw_gutter_group(f, group, y);
}

static uint32_t row_of(const gl_canvas *f, uint32_t gor)
{
    uint32_t group = gl_lanes_group_of(&f->a->lanes, gor);
    return group == GL_NONE ? GL_NONE : f->row_of_group[group];
}

/* There may be half a million shares to add up, or spans, and as many straddles: it is done once for what is in view. */
static bool is_summed(const gl_canvas *f, size_t cells)
{
    const gl_group_sums *kept = &f->a->group_sums;
    if (kept->count != cells || kept->window != (f->w ? f->w->serial : 0) || kept->looks != f->a->far.looks ||
        kept->from != f->s.from || kept->to != f->s.to || kept->columns != f->s.n ||
        kept->listings != f->a->lanes.listings || kept->top != f->a->top || kept->straddles != f->a->m->straddle_count)
        return false;
    memcpy(f->sums, kept->sums, cells * sizeof *f->sums);
    return true;
}

static void keep_sums(const gl_canvas *f, size_t cells)
{
    gl_group_sums *kept = &f->a->group_sums;
    if (cells > kept->capacity) {
        gl_column_sum *p = realloc(kept->sums, cells * sizeof *p);
        kept->capacity = p ? cells : kept->capacity;
        kept->sums = p ? p : kept->sums;
    }
    kept->count = cells <= kept->capacity ? cells : 0;
    if (kept->count)
        memcpy(kept->sums, f->sums, cells * sizeof *f->sums);
    kept->window = f->w ? f->w->serial : 0;
    kept->looks = f->a->far.looks;
    kept->from = f->s.from;
    kept->to = f->s.to;
    kept->columns = f->s.n;
    kept->listings = f->a->lanes.listings;
    kept->top = f->a->top;
    kept->straddles = f->a->m->straddle_count;
}

/* First by node, which are few, then those as columns. */
static void sum_far(const gl_canvas *f)
{
    const gl_far *far = &f->a->far;
    gl_far_sum *sums = calloc((far->node_count + 1) * (size_t)f->time.h, sizeof *sums);
    for (size_t i = 0; sums && i < far->node_count; i++)
        for (const gl_far_share *s = &far->shares[far->nodes[i].first], *end = s + far->nodes[i].n; s < end; s++) {
            uint32_t row = row_of(f, s->gor);
            for (int k = 0; k < 4 && row != GL_NONE; k++)
                sums[far->node_count * row + i].part[k] += s->part[k];
        }
    for (size_t row = 0; sums && row < (size_t)f->time.h; row++)
        gl_far_columns(far, &sums[far->node_count * row], &f->sums[row * (size_t)f->s.n]);
    free(sums);
}

static void sum_near(const gl_canvas *f)
{
    size_t stride = (size_t)f->s.n + 2;
    gl_column_tally *tally = calloc(stride * (size_t)f->time.h, sizeof *tally);
    for (size_t i = 0; tally && i < f->w->slot_count; i++) {
        const gl_slot *slot = &f->w->slots[i];
        uint32_t row = slot->n ? row_of(f, f->w->spans[slot->first].gor) : GL_NONE;
        if (row != GL_NONE)
            gl_columns_tally(&f->w->spans[slot->first], slot->n, f->s, &tally[stride * row]);
    }
    for (size_t row = 0; tally && row < (size_t)f->time.h; row++)
        gl_columns_settle(&tally[stride * row], f->s.n, &f->sums[row * (size_t)f->s.n]);
    free(tally);
}

/* The same way, as one more kind of span; however short, it counts. */
static void sum_straddles(const gl_canvas *f)
{
    size_t first, last, stride = (size_t)f->s.n + 2;
    gl_column_tally *tally = calloc(stride * (size_t)f->time.h, sizeof *tally);
    gl_model_straddles_in(f->a->m, f->s.from, f->s.to, &first, &last);
    for (size_t i = first; tally && i < last; i++) {
        const gl_straddle *s = &f->a->m->straddles[i];
        uint32_t row = s->end > f->s.from && s->begin < f->s.to ? row_of(f, s->gor) : GL_NONE;
        if (row != GL_NONE)
            gl_columns_tally(&(gl_lane_span){.begin = s->begin, .end = s->end, .kind = GL_SPAN_STRADDLE}, 1, f->s, &tally[stride * row]);
    }
    for (size_t row = 0; tally && row < (size_t)f->time.h; row++)
        gl_columns_settle(&tally[stride * row], f->s.n, &f->sums[row * (size_t)f->s.n]);
    free(tally);
}

/* Which rows are groups'. False where none is. */
static bool find_groups(const gl_canvas *f)
{
    gl_app *a = f->a;
    bool any = false;
    for (size_t i = 0; i < a->lanes.group_count; i++)
        f->row_of_group[i] = GL_NONE;
    for (int i = 0; i < f->time.h; i++) {
        uint32_t at = gl_app_row_at(a, i);
        if (at == GL_NONE || a->lanes.rows[at].type != GL_ROW_GROUP)
            continue;
        f->row_of_group[a->lanes.rows[at].index] = (uint32_t)i;
        any = true;
    }
    return any;
}

/* All groups on the screen in one pass over what the window holds. */
void gl_canvas_sum_groups(const gl_canvas *f)
{
    size_t cells = (size_t)f->time.h * (size_t)f->s.n;
    if (is_summed(f, cells) || !find_groups(f))
        return;
    if (f->w)
        sum_near(f);
    else
        sum_far(f);
    sum_straddles(f);
    keep_sums(f, cells);
}
