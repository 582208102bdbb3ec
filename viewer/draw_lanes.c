/* The lanes of goroutines, and all lanes put together. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "command.h"

static void label_spans(const gl_canvas *f, uint32_t gor, int y)
{
    size_t n;
    const gl_lane_span *spans = gl_window_spans(f->w, gor, &n);
    int shown = 0;
    for (size_t i = gl_spans_after(spans, n, f->s.from); i < n && spans[i].begin < f->s.to && shown < f->s.n; i++) {
        int64_t end = gl_model_end(f->a->m, spans[i].end);
        if (end <= f->s.from || !gl_span_is_wait((gl_span_kind)spans[i].kind))
            continue;
        shown++;
        const char *text = spans[i].reason ? gl_model_text(f->a->m, spans[i].reason) : "";
        gl_canvas_label(f, y, spans[i].begin, end, text, gl_style_of(gl_span_look_of((gl_span_kind)spans[i].kind)->role),
                   20);
    }
}

static void label_straddles(const gl_canvas *f, uint32_t gor, int y)
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
        gl_canvas_label(f, y, s->begin, s->end, text, style, (int)gl_text_width(text, strlen(text)) + 4);
    }
}

static void draw_gor(const gl_canvas *f, uint32_t gor, int y)
{
    if (f->w) {
        gl_columns_of_gor(f->a->m, f->w, gor, f->s, f->mix);
    } else {
        gl_far_lane(&f->a->far, f->a->m, f->a->m->gors[gor].id, f->mix);
        gl_columns_straddles(f->a->m, gor, f->s, f->mix);
    }
    gl_canvas_mix(f, y);
    if (f->w && !f->a->plain)
        label_spans(f, gor, y);
    label_straddles(f, gor, y);
}

/* Names at the left; at the right of the gutter what the order goes by, straddles first. */
static void draw_gutter_gor(const gl_canvas *f, uint32_t gor, int y, bool pinned)
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
    uint32_t own_group = gl_lanes_group_of(&a->lanes, gor);
    bool alone = (own_group != GL_NONE && a->lanes.groups[own_group].n == 1 && !a->lanes.flat) || pinned;
    int indent = r.w > 12 && !a->lanes.flat ? 2 : 0;
    snprintf(name, sizeof name, "%s%sG%llu", pinned ? "^" : "", indent && !pinned ? "  " : "", (unsigned long long)g->id);
    gl_style style = gl_style_of(a->row.type == GL_ROW_GOR && a->row.index == gor ? GL_ROLE_TITLE : GL_ROLE_TEXT);
    int used = gl_cells_fit(f->c, r.x + 1, y, room, style, name, GL_CUT_END);
    bool named = alone || a->lanes.flat || a->layout.gutter >= 28 || a->lanes.by != GL_BY_FUNCTION;
    if (!named || room - used <= 6)
        return;
    gl_style dim = gl_style_of(GL_ROLE_DIM), own = gl_style_bold(gl_style_of(GL_ROLE_GROUP));
    gl_cells_fit(f->c, r.x + 2 + used, y, room - used - 1, alone && !a->m->groups[g->group].system ? own : dim,
                 gl_model_group_name(a->m, g->group), GL_CUT_START);
}

static void draw_row(const gl_canvas *f, uint32_t at, int y)
{
    const gl_lanes *l = gl_app_lanes(f->a);
    gl_row row = l->rows[at];
    switch (row.type) {
    case GL_ROW_GOR:
        draw_gor(f, row.index, y);
        draw_gutter_gor(f, row.index, y, at < l->pins);
        break;
    case GL_ROW_GROUP: gl_canvas_group(f, row.index, y); break;
    case GL_ROW_PROC:
    case GL_ROW_THREAD: gl_canvas_unit(f, row, y); break;
    case GL_ROW_TASK_KIND:
    case GL_ROW_TASK: gl_canvas_task(f, row, y); break;
    default: gl_canvas_chan(f, row, y);
    }
}

static void draw_cursor(const gl_canvas *f)
{
    gl_app *a = f->a;
    int y = f->time.y + gl_app_screen_row(a, a->at);
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

static const char *nothing_to_show(const gl_app *a, char *out, size_t size)
{
    char key[GL_KEYS_TEXT_MAX];
    if (a->importing && a->m->follow)
        return "importing…";
    if (!a->m->scanned)
        return "reading…";
    switch (a->view) {
    case GL_VIEW_GOROUTINES:
        if (!gl_app_hides(a))
            return "no goroutines in this trace";
        snprintf(out, size, "no goroutine matches; %s shows all", gl_app_key_of(a, "cancel", key));
        return out;
    case GL_VIEW_CHANNELS:
        return "this trace names no channels: Go's own do not, those of golanes record do";
    case GL_VIEW_TASKS: return "this program has no tasks and no regions (runtime/trace.NewTask, WithRegion)";
    default: return "none in this trace";
    }
}

/* What an import has not brought yet begins at a line, and is empty. */
static void draw_unread(const gl_canvas *f)
{
    const gl_model *m = f->a->m;
    if (m->read_end >= m->end || m->read_end >= f->s.to)
        return;
    int from = m->read_end <= f->s.from ? 0 : gl_scale_column(f->s, m->read_end) + 1;
    for (int y = 0; y < f->time.h; y++)
        for (int x = from; x < f->s.n; x++)
            gl_cells_glyph(f->c, f->time.x + x, f->time.y + y, gl_style_of(GL_ROLE_FAINT), x == from ? "┊" : " ");
    static const char text[] = "not imported yet";
    int room = f->s.n - from, width = (int)sizeof text - 1;
    if (room > width + 4)
        gl_cells_fit(f->c, f->time.x + from + (room - width) / 2, f->time.y + f->time.h / 2, width,
                     gl_style_of(GL_ROLE_DIM), text, GL_CUT_END);
}

static void draw_all(gl_canvas *f)
{
    gl_app *a = f->a;
    const gl_lanes *l = gl_app_lanes(a);
    gl_pause_columns(a->m, f->s, f->pause);
    int narrow = 0;
    for (int x = 0; x < f->s.n; x++)
        narrow += f->pause[x].gc > 0 && f->pause[x].gc < 0.5f;
    f->pauses_are_dense = narrow > f->s.n / 3;
    if (a->view == GL_VIEW_GOROUTINES)
        gl_canvas_sum_groups(f);
    for (int i = 0; i < f->time.h; i++) {
        uint32_t at = gl_app_row_at(a, i);
        if (at != GL_NONE)
            draw_row(f, at, f->time.y + i);
    }
    char text[120];
    if (l->n == 0)
        gl_cells_fit(f->c, 1, f->time.y, a->w - 2, gl_style_of(GL_ROLE_DIM), nothing_to_show(a, text, sizeof text),
                     GL_CUT_END);
    draw_unread(f);
    gl_canvas_arrows(f);
    draw_cursor(f);
}

void gl_draw_lanes(gl_app *a, gl_cells *c)
{
    gl_canvas f = {.a = a, .c = c, .time = gl_layout_time(&a->layout, a->layout.lanes)};
    if (f.time.h < 1 || f.time.w < 1)
        return;
    f.s = (gl_scale){a->from, a->to, f.time.w};
    size_t n = (size_t)f.s.n;
    f.pause = malloc(n * sizeof *f.pause);
    f.mix = malloc(n * sizeof *f.mix);
    f.sums = calloc(n * (size_t)f.time.h, sizeof *f.sums);
    f.row_of_group = malloc((a->lanes.group_count + 1) * sizeof *f.row_of_group);
    f.w = gl_app_window(a);
    bool far = !f.w && a->view == GL_VIEW_GOROUTINES;
    if (f.pause && f.mix && f.sums && f.row_of_group && (!far || gl_far_look(&a->far, a->m, f.s) == 0))
        draw_all(&f);
    free(f.pause);
    free(f.mix);
    free(f.sums);
    free(f.row_of_group);
}
