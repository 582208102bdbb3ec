/* Between lanes: who ended the wait under the cursor, whom what runs there releases, and the critical path. */
#include <stdio.h>
#include <string.h>

#include "canvas.h"

#define TRAIL_DRAWN_MAX 400 /* more steps than this lie side by side in one column */
#define WAKEES_MAX 24 /* arrows from one stretch; more would hide the lanes */

/* Row on the screen of a goroutine's lane: -1 where it is not in the list, above or below where it is scrolled off. */
static int row_of_gor(const gl_canvas *f, uint32_t gor, bool *listed)
{
    const gl_lanes *l = &f->a->lanes;
    uint32_t at = gl_lanes_find(l, GL_ROW_GOR, gor);
    if (at == GL_NONE)
        at = gl_lanes_find_group(l, gl_lanes_group_of(l, gor));
    *listed = at != GL_NONE;
    return *listed ? f->time.y + gl_app_screen_row(f->a, at) : -1;
}

/* A lane beyond the edge is named there. */
static void name_end(const gl_canvas *f, int x, int edge, bool above, uint32_t gor)
{
    char text[64];
    snprintf(text, sizeof text, " %s G%llu ", above ? "↑" : "↓", (unsigned long long)f->a->m->gors[gor].id);
    int room = f->time.x + f->time.w - x - 1, width = (int)gl_text_width(text, strlen(text));
    gl_cells_fit(f->c, room >= width ? x + 1 : x - width, edge, width, gl_style_bold(gl_style_of(GL_ROLE_ARROW)), text,
                 GL_CUT_END);
}

/* A line in the column of the moment, from one goroutine's lane to another's. */
static void draw_arrow(const gl_canvas *f, uint32_t from, uint32_t to, int64_t when, gl_role role)
{
    bool from_listed, to_listed;
    int a = row_of_gor(f, from, &from_listed), b = row_of_gor(f, to, &to_listed);
    int top = f->time.y, bottom = f->time.y + f->time.h - 1;
    if (!from_listed || !to_listed || a == b || when < f->s.from || when >= f->s.to)
        return;
    if ((a < top && b < top) || (a > bottom && b > bottom))
        return;
    int x = f->time.x + gl_scale_column(f->s, when);
    int start = a < top ? top : a > bottom ? bottom : a, end = b < top ? top : b > bottom ? bottom : b;
    gl_style style = gl_style_bold(gl_style_of(role));
    for (int i = start; i != end; i += start < end ? 1 : -1)
        gl_cells_glyph(f->c, x, i, style, "┃");
    gl_cells_glyph(f->c, x, end, style, b != end ? "┃" : start < end || a < b ? "▼" : "▲");
    if (a == start)
        gl_cells_glyph(f->c, x, start, style, "●");
    else
        name_end(f, x, start, a < top, from);
    if (b != end)
        name_end(f, x, end, b < top, to);
}

/* What the stretch that runs under the cursor releases. */
static void draw_wakees(const gl_canvas *f, uint32_t gor, const gl_lane_span *span)
{
    const gl_model *m = f->a->m;
    int64_t from = span->begin > f->s.from ? span->begin : f->s.from;
    int64_t to = span->end < f->s.to ? span->end : f->s.to;
    int drawn = 0;
    for (size_t i = 0; i < f->w->count && drawn < WAKEES_MAX; i++) {
        const gl_lane_span *s = &f->w->spans[i];
        if (s->kind != GL_SPAN_RUNNABLE || s->by != m->gors[gor].id || s->begin < from || s->begin >= to)
            continue;
        draw_arrow(f, gor, s->gor, s->begin, GL_ROLE_ARROW);
        drawn++;
    }
}

/* A line over what each goroutine of the critical path did while the path was its own, and arrows where it changes. */
static void draw_trail(const gl_canvas *f)
{
    const gl_trail *t = &f->a->trail;
    int drawn = 0;
    for (size_t i = 0; i < t->n && drawn < TRAIL_DRAWN_MAX; i++) {
        const gl_trail_step *s = &t->steps[i];
        bool listed;
        if (s->end <= f->s.from || s->begin >= f->s.to)
            continue;
        drawn++;
        int y = row_of_gor(f, s->gor, &listed), from = gl_scale_column(f->s, s->begin), to = gl_scale_column(f->s, s->end);
        for (int x = from < 0 ? 0 : from; listed && x <= to && x < f->s.n && y >= f->time.y && y < f->time.y + f->time.h; x++) {
            gl_role behind = gl_span_is_busy((gl_span_kind)s->kind) ? gl_span_look_of((gl_span_kind)s->kind)->role
                                                                    : GL_ROLE_DEFAULT;
            gl_cells_glyph(f->c, f->time.x + x, y, gl_style_bold(gl_style_on(GL_ROLE_PATH, behind)), "━");
        }
        if (i > 0 && t->steps[i - 1].gor != s->gor)
            draw_arrow(f, s->gor, t->steps[i - 1].gor, s->end, GL_ROLE_PATH);
    }
}

void gl_canvas_arrows(const gl_canvas *f)
{
    const gl_app *a = f->a;
    if (a->trail.n && a->view == GL_VIEW_GOROUTINES) {
        draw_trail(f);
        return;
    }
    bool has = a->view == GL_VIEW_GOROUTINES && a->lanes.n && a->row.type == GL_ROW_GOR && f->w;
    const gl_lane_span *span = has ? gl_window_span_at(f->w, a->row.index, a->cursor) : NULL;
    if (span && span->kind == GL_SPAN_RUNNABLE && span > f->w->spans && span[-1].gor == a->row.index && span[-1].by)
        span--;
    if (!span)
        return;
    if (gl_span_is_busy((gl_span_kind)span->kind)) {
        draw_wakees(f, a->row.index, span);
        return;
    }
    uint32_t waker = gl_span_is_wait((gl_span_kind)span->kind) && span->by ? gl_model_find(a->m, span->by) : GL_NONE;
    if (waker != GL_NONE)
        draw_arrow(f, waker, a->row.index, span->end, GL_ROLE_ARROW);
}
