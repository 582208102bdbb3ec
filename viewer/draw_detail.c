/* The detail: what is under the cursor, in words. */
#include <stdio.h>
#include <string.h>

#include "detail.h"

/* A pen at the next free line; beyond the last one it writes nowhere. */
gl_pen gl_lines_next(gl_lines *l)
{
    int y = l->used < l->r.h ? l->r.y + l->used : -1;
    l->used++;
    return (gl_pen){l->c, l->r.x + 1, y, l->r.x + l->r.w};
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void gl_put_site(gl_pen *p, const gl_model *m, uint32_t stack)
{
    gl_site_text site = gl_model_site(m, stack);
    if (*site.func)
        gl_pen_printf(p, GL_ROLE_TEXT, "%s %s:%u", site.func, file_name(site.file), site.line);
}

void gl_put_gor(gl_pen *p, const gl_model *m, uint64_t g)
{
    uint32_t gor = gl_model_find(m, g);
    gl_pen_printf(p, GL_ROLE_KEY, "G%llu", (unsigned long long)g);
    if (gor != GL_NONE)
        gl_pen_printf(p, GL_ROLE_TEXT, " %s", gl_model_group_name(m, m->gors[gor].group));
}

/* True where what began then and did not end in the window does not end after it either: the goroutine is at the end of
 * the trace what it was then. gor GL_NONE: something of the catalogue, which looks beyond windows. */
static bool stays_open(gl_app *a, uint32_t gor, int64_t begin)
{
    if (a->m->scanned)
        return gor == GL_NONE || gl_model_since(a->m, gor) <= begin;
    const gl_window *w = gl_app_window(a);
    return w && w->to >= a->m->read_end;
}

void gl_put_times(gl_pen *p, gl_app *a, uint32_t gor, int64_t begin, int64_t end)
{
    char t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX];
    double step = gl_scale_step(gl_app_scale(a)) / 10;
    if (end == GL_TIME_NONE) {
        gl_pen_printf(p, GL_ROLE_DIM, "  since %s, %s", gl_time_text(t, begin, step),
                      stays_open(a, gor, begin) ? "still so when the trace ends" : "not ended in what is shown");
        return;
    }
    gl_pen_printf(p, GL_ROLE_TITLE, "  %s", gl_unit_ns(t, end - begin));
    gl_pen_printf(p, GL_ROLE_DIM, "  %s → %s", gl_time_text(t, begin, step), gl_time_text(u, end, step));
}

static void straddle_lines(gl_lines *l, gl_app *a, const gl_straddle *s)
{
    const gl_model *m = a->m;
    char t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX];
    gl_pen p = gl_lines_next(l);
    gl_pen_printf(&p, GL_ROLE_STRADDLE, "straddles %s", gl_model_text(m, m->pauses[s->pause].reason));
    if (s->pauses > 1)
        gl_pen_printf(&p, GL_ROLE_STRADDLE, " and %u more", s->pauses - 1);
    gl_pen_printf(&p, GL_ROLE_TEXT, ": %s inside the pause%s", gl_unit_ns(t, s->overlap), s->pauses > 1 ? "s" : "");
    if (s->delay >= 0)
        gl_pen_printf(&p, GL_ROLE_TEXT, ", ran %s after the restart", gl_unit_ns(u, s->delay));
    if (s->chan)
        gl_pen_printf(&p, GL_ROLE_TEXT, "  chan %#llx", (unsigned long long)s->chan);
    p = gl_lines_next(l);
    gl_pen_text(&p, GL_ROLE_DIM, "released by ");
    if (s->by)
        gl_put_gor(&p, m, s->by);
    else
        gl_pen_text(&p, GL_ROLE_TEXT,
                    s->unparked == GL_TIME_NONE ? "itself" : "the runtime (not known which goroutine)");
    if (s->unparked != GL_TIME_NONE)
        gl_pen_printf(&p, GL_ROLE_DIM, " at %s%s  ", gl_time_text(t, s->unparked, gl_scale_step(gl_app_scale(a)) / 10),
                      s->released_inside ? ", inside the pause" : "");
    if (s->by)
        gl_put_site(&p, m, s->unpark_stack);
}

static void wake_line(gl_lines *l, gl_app *a, const gl_lane_span *span)
{
    if (!gl_span_is_wait((gl_span_kind)span->kind) && span->kind != GL_SPAN_RUNNABLE)
        return;
    gl_pen p = gl_lines_next(l);
    bool waits = gl_span_is_wait((gl_span_kind)span->kind);
    if (waits && span->end == GL_TIME_NONE) {
        gl_pen_text(&p, GL_ROLE_WARN,
                    stays_open(a, span->gor, span->begin) ? "never released in this trace" : "not released in what is shown");
        return;
    }
    if (span->by || waits)
        gl_pen_text(&p, GL_ROLE_DIM, waits ? "released by " : "made runnable by ");
    if (span->by) {
        gl_put_gor(&p, a->m, span->by);
        if (*gl_model_site(a->m, span->by_stack).func)
            gl_pen_text(&p, GL_ROLE_DIM, "  at ");
        gl_put_site(&p, a->m, span->by_stack);
    } else if (span->kind == GL_SPAN_RUNNABLE && span->reason) {
        gl_pen_printf(&p, GL_ROLE_DIM, "taken off its P: %s", gl_model_text(a->m, span->reason));
    } else if (waits) {
        gl_pen_text(&p, GL_ROLE_TEXT, "a timer, the network or the runtime: no goroutine");
    }
}

void gl_life_line(gl_lines *l, const gl_app *a, uint32_t gor)
{
    const gl_model *m = a->m;
    const gl_gor *g = &m->gors[gor];
    static const struct {
        const char *word;
        unsigned state;
        gl_role role;
    } parts[] = {{"running", GL_G_RUNNING, GL_ROLE_RUNNING}, {"runnable", GL_G_RUNNABLE, GL_ROLE_RUNNABLE},
                 {"waiting", GL_G_WAITING, GL_ROLE_RECV}, {"in system calls", GL_G_SYSCALL, GL_ROLE_SYSCALL}};
    int64_t end = gl_model_end(m, g->last), life = end - g->first;
    char t[GL_UNIT_TEXT_MAX];
    gl_pen p = gl_lines_next(l);
    if (g->from_before)
        gl_pen_text(&p, GL_ROLE_DIM, "was there when the trace began");
    else if (g->creator)
        gl_pen_printf(&p, GL_ROLE_DIM, "created by G%llu", (unsigned long long)g->creator);
    gl_pen_printf(&p, GL_ROLE_DIM, "%s%s %s: ", p.x > l->r.x + 1 ? ", " : "",
                  g->last == GL_TIME_NONE ? "alive for" : "lived", gl_unit_ns(t, life > 0 ? life : 0));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int64_t ns =
            gl_gor_ns(g, parts[i].state) +
            (g->state == parts[i].state && g->last == GL_TIME_NONE ? end - gl_model_since(m, gor) : 0);
        if (ns > 0)
            gl_pen_printf(&p, parts[i].role, "%s %s  ", parts[i].word,
                          gl_unit_share(t, life > 0 ? (double)ns / (double)life : 0));
    }
    if (g->straddles)
        gl_pen_printf(&p, GL_ROLE_STRADDLE, "%u straddling send%s, %s", g->straddles, g->straddles == 1 ? "" : "s",
                      gl_unit_ns(t, g->straddle_ns));
}

void gl_pause_line(gl_lines *l, gl_app *a)
{
    const gl_model *m = a->m;
    size_t i = gl_model_pause_after(m, a->cursor);
    if (i >= m->pause_count || m->pauses[i].begin > a->cursor)
        return;
    const gl_pause *q = &m->pauses[i];
    gl_pen p = gl_lines_next(l);
    gl_pen_printf(&p, q->gc ? GL_ROLE_STW : GL_ROLE_STOP, "the world is stopped: %s", gl_model_text(m, q->reason));
    gl_put_times(&p, a, GL_NONE, q->begin, q->end);
    gl_pen_printf(&p, GL_ROLE_DIM, "  by G%llu", (unsigned long long)q->g);
    if (q->straddles)
        gl_pen_printf(&p, GL_ROLE_STRADDLE, q->straddles == 1 ? "  1 send straddles it" : "  %u sends straddle it",
                      q->straddles);
}

void gl_gor_lines(gl_lines *l, gl_app *a, uint32_t gor)
{
    const gl_model *m = a->m;
    const gl_window *w = gl_app_window(a);
    const gl_lane_span *span = w ? gl_window_span_at(w, gor, a->cursor) : NULL;
    uint32_t at = gl_app_straddle(a, gor);
    gl_pen p = gl_lines_next(l);
    gl_put_gor(&p, m, m->gors[gor].id);
    gl_pen_text(&p, GL_ROLE_DIM, "  ");
    if (at != GL_NONE) {
        gl_pen_text(&p, GL_ROLE_STRADDLE, "chan send");
        gl_put_times(&p, a, GL_NONE, m->straddles[at].begin, m->straddles[at].end);
        gl_pen_text(&p, GL_ROLE_DIM, "  ");
        gl_put_site(&p, m, m->straddles[at].stack);
    } else if (span) {
        const gl_span_look *look = gl_span_look_of((gl_span_kind)span->kind);
        bool waits = gl_span_is_wait((gl_span_kind)span->kind) && span->reason;
        gl_pen_text(&p, look->role, waits ? gl_model_text(m, span->reason) : look->word);
        gl_put_times(&p, a, gor, span->begin, span->end);
        if (span->p != GL_NO_PROC && gl_span_is_busy((gl_span_kind)span->kind))
            gl_pen_printf(&p, GL_ROLE_DIM, "  P%u", span->p);
        gl_pen_text(&p, GL_ROLE_DIM, "  ");
        gl_put_site(&p, m, span->stack);
    } else {
        gl_pen_text(&p, GL_ROLE_DIM, w ? "not there at this moment" : "zoom in to see what it did at this moment");
    }
    if (at != GL_NONE)
        straddle_lines(l, a, &m->straddles[at]);
    else if (span)
        wake_line(l, a, span);
    gl_life_line(l, a, gor);
    gl_pause_line(l, a);
}

/* Of a row of the groups list: by start function. */
static void group_lines(gl_lines *l, gl_app *a, uint32_t group)
{
    const gl_group *g = &a->m->groups[group];
    char t[GL_UNIT_TEXT_MAX];
    gl_pen p = gl_lines_next(l);
    gl_pen_text(&p, GL_ROLE_GROUP, gl_model_group_name(a->m, group));
    gl_pen_printf(&p, GL_ROLE_TEXT, "  %s goroutines with this start function, %u alive at the end",
                  gl_unit_count(t, g->n), g->alive);
    p = gl_lines_next(l);
    if (g->straddles)
        gl_pen_printf(&p, GL_ROLE_STRADDLE, "%u straddling sends, %s inside GC pauses", g->straddles,
                      gl_unit_ns(t, g->straddle_ns));
    else
        gl_pen_text(&p, GL_ROLE_DIM, "none of its sends straddles a GC pause");
    gl_pause_line(l, a);
}

/* Names of the views with their digits; the one in view stands out. */
static void draw_views(const gl_app *a, gl_cells *c, gl_rect r)
{
    gl_pen p = {c, r.x + 1, r.y, r.x + r.w};
    int all = 1;
    for (int v = 0; v < GL_VIEWS; v++)
        all += (int)strlen(gl_view_info_of((gl_view)v)->word) + 4;
    for (int v = 0; v < GL_VIEWS; v++) {
        const gl_view_info *info = gl_view_info_of((gl_view)v);
        bool here = (int)a->view == v;
        char digit[2] = {info->digit, '\0'};
        gl_pen_text(&p, GL_ROLE_KEY, digit);
        /* Where they do not all fit, the others are their digits. */
        if (here || all <= r.w)
            gl_pen_printf(&p, here ? GL_ROLE_TITLE : GL_ROLE_DIM, " %s", info->word);
        gl_pen_text(&p, GL_ROLE_DIM, "  ");
    }
}

/* Of a list: what the row of the cursor has no columns for. */
static void list_lines(gl_lines *l, gl_app *a)
{
    gl_app_list_fill(a);
    const gl_list_state *st = &a->lists[a->view];
    if (st->cursor >= a->list_count)
        return;
    uint32_t row = a->list[st->cursor];
    const gl_model *m = a->m;
    gl_pen p = {0};
    switch (a->view) {
    case GL_VIEW_STRADDLES:
        p = gl_lines_next(l);
        gl_put_gor(&p, m, m->straddles[row].g);
        gl_pen_text(&p, GL_ROLE_STRADDLE, "  chan send");
        gl_put_times(&p, a, GL_NONE, m->straddles[row].begin, m->straddles[row].end);
        gl_pen_text(&p, GL_ROLE_DIM, "  ");
        gl_put_site(&p, m, m->straddles[row].stack);
        straddle_lines(l, a, &m->straddles[row]);
        break;
    case GL_VIEW_PAUSES:
        p = gl_lines_next(l);
        gl_pen_printf(&p, m->pauses[row].gc ? GL_ROLE_STW : GL_ROLE_STOP, "%s",
                      gl_model_text(m, m->pauses[row].reason));
        gl_put_times(&p, a, GL_NONE, m->pauses[row].begin, m->pauses[row].end);
        p = gl_lines_next(l);
        gl_pen_text(&p, GL_ROLE_DIM, "stopped by ");
        gl_put_gor(&p, m, m->pauses[row].g);
        gl_pen_text(&p, GL_ROLE_DIM, "  ");
        gl_put_site(&p, m, m->pauses[row].stack);
        break;
    case GL_VIEW_STUCK:
        p = gl_lines_next(l);
        gl_put_gor(&p, m, m->gors[row].id);
        gl_pen_printf(&p, GL_ROLE_WARN, "  %s  ", gl_model_text(m, gl_model_life(m, row)->reason));
        gl_put_site(&p, m, gl_model_life(m, row)->stack);
        gl_life_line(l, a, row);
        break;
    case GL_VIEW_SELECTION: {
        const gl_stats_row *r = &a->stats.rows[row];
        char t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX], v[GL_UNIT_TEXT_MAX];
        double step = (double)(a->stats.to - a->stats.from) / 1000;
        p = gl_lines_next(l);
        gl_pen_printf(&p, GL_ROLE_TEXT, "from %s to %s (%s), parts inside it count", gl_time_text(t, a->stats.from, step),
                      gl_time_text(u, a->stats.to, step), gl_unit_ns(v, a->stats.to - a->stats.from));
        p = gl_lines_next(l);
        gl_pen_printf(&p, GL_ROLE_DIM, "the longest, %s from %s: ", gl_unit_ns(t, r->longest),
                      gl_time_text(u, r->longest_begin, step));
        gl_put_gor(&p, m, m->gors[r->longest_gor].id);
        break;
    }
    default: group_lines(l, a, row);
    }
}

/* The stack where the goroutine stands, leaf first; one frame is chosen where Enter has gone into it. */
static void draw_stack(gl_app *a, gl_cells *c, gl_rect r)
{
    uint32_t stack = gl_app_stack(a);
    if (stack == GL_NONE || r.h < 1)
        return;
    gl_site_text f;
    size_t skip = a->in_stack && a->frame >= (size_t)r.h ? a->frame - (size_t)r.h + 1 : 0;
    int y = r.y;
    for (size_t i = skip; y < r.y + r.h && gl_model_frame(a->m, stack, i, &f); i++, y++) {
        gl_pen p = {c, r.x + 1, y, r.x + r.w};
        bool ours = strncmp(f.func, "runtime.", 8) != 0;
        gl_pen_printf(&p, ours ? GL_ROLE_TEXT : GL_ROLE_DIM, "%s", f.func);
        gl_pen_printf(&p, GL_ROLE_DIM, "  %s:%u", file_name(f.file), f.line);
        if (a->in_stack && i == a->frame)
            gl_cells_tint(c, (gl_rect){r.x, y, r.w, 1}, GL_ROLE_ROW);
    }
    if (y == r.y)
        gl_cells_fit(c, r.x + 1, y, r.w - 1, gl_style_of(GL_ROLE_DIM), "no stack for this moment in the trace",
                     GL_CUT_END);
}

void gl_draw_detail(gl_app *a, gl_cells *c)
{
    const gl_layout *l = &a->layout;
    if (l->rule.h)
        gl_cells_fill(c, l->rule, gl_style_of(GL_ROLE_FAINT), "─");
    if (!l->detail.h)
        return;
    gl_lines out = {c, l->detail, 0};
    if (gl_view_info_of(a->view)->list) {
        out.r.h--;
        list_lines(&out, a);
        draw_views(a, c, (gl_rect){l->detail.x, l->detail.y + l->detail.h - 1, a->w, 1});
        return;
    }
    if (gl_app_lanes(a)->n == 0)
        return;
    switch (a->row.type) {
    case GL_ROW_GROUP: gl_lane_group_lines(&out, a, a->row.index); break;
    case GL_ROW_GOR: gl_gor_lines(&out, a, a->row.index); break;
    default: gl_other_lines(&out, a, a->row);
    }
    gl_rect side = l->side;
    if (!side.h && a->detail == GL_DETAIL_LARGE && out.used < l->detail.h)
        side = (gl_rect){l->detail.x, l->detail.y + out.used, l->detail.w, l->detail.h - out.used};
    draw_stack(a, c, side);
}
