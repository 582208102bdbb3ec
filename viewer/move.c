/* Where the view stands: window, cursor, lane, and the way back. */
#include <string.h>

#include "app.h"

#define WINDOW_MIN_NS 10

/* ns as a difference of two times of the trace; its times lie far from the ends of the type, see FORMAT.md. */
static int64_t clamp_time(const gl_app *a, int64_t t)
{
    return t < a->m->begin ? a->m->begin : t > a->m->end ? a->m->end : t;
}

void gl_app_show(gl_app *a, int64_t from, int64_t to)
{
    int64_t all = a->m->end - a->m->begin;
    int64_t least = all < WINDOW_MIN_NS ? all : WINDOW_MIN_NS;
    int64_t span = to - from < least ? least : to - from > all ? all : to - from;
    if (from < a->m->begin)
        from = a->m->begin;
    if (from > a->m->end - span)
        from = a->m->end - span;
    a->from = from;
    a->to = from + span;
    if (a->cursor < a->from)
        a->cursor = a->from;
    if (a->cursor >= a->to)
        a->cursor = a->to - 1;
    if (a->to < a->m->end)
        a->follow = false;
    a->moved = true;
}

void gl_app_go(gl_app *a, int64_t time)
{
    time = clamp_time(a, time);
    a->cursor = time;
    a->moved = true;
    if (time >= a->from && time < a->to)
        return;
    int64_t span = a->to - a->from;
    gl_app_show(a, time - span / 2, time - span / 2 + span);
    a->cursor = time < a->to ? time : a->to - 1;
}

void gl_app_zoom(gl_app *a, double factor, int64_t around)
{
    double span = (double)(a->to - a->from), next = span * factor;
    double most = (double)(a->m->end - a->m->begin);
    next = next > most ? most : next < WINDOW_MIN_NS ? WINDOW_MIN_NS : next;
    double share = span > 0 ? (double)(around - a->from) / span : 0.5;
    int64_t from = around - (int64_t)(next * share);
    gl_app_show(a, from, from + (int64_t)next);
}

/* Rows that stay on top: at most half of the lanes. */
static uint32_t fixed_rows(gl_app *a)
{
    uint32_t half = a->layout.lanes.h > 1 ? (uint32_t)a->layout.lanes.h / 2 : 0, pins = gl_app_lanes(a)->pins;
    return pins < half ? pins : half;
}

uint32_t gl_app_row_at(gl_app *a, int i)
{
    const gl_lanes *l = gl_app_lanes(a);
    uint32_t at = (uint32_t)i < fixed_rows(a) ? (uint32_t)i : a->top + (uint32_t)i;
    return i >= 0 && at < l->n ? at : GL_NONE;
}

int gl_app_screen_row(gl_app *a, uint32_t at)
{
    uint32_t fixed = fixed_rows(a);
    if (at < fixed)
        return (int)at;
    int64_t row = (int64_t)at - a->top;
    /* What would stand under the fixed rows is scrolled off. */
    return row < fixed ? -1 : row > INT32_MAX / 2 ? INT32_MAX / 2 : (int)row;
}

/* Moves the first row shown so that the cursor's is on the screen, with its group above it where that fits. */
static void scroll_to_row(gl_app *a, const gl_lanes *l)
{
    uint32_t rows = a->layout.lanes.h > 0 ? (uint32_t)a->layout.lanes.h : 1, fixed = fixed_rows(a);
    if (a->at >= fixed && a->at < a->top + fixed)
        a->top = a->at - fixed;
    if (a->at >= a->top + rows)
        a->top = a->at - rows + 1;
    if (l->n <= rows)
        a->top = 0;
    else if (a->top > l->n - rows)
        a->top = (uint32_t)l->n - rows;
}

void gl_app_move_lane(gl_app *a, int64_t by)
{
    const gl_lanes *l = gl_app_lanes(a);
    if (l->n == 0) {
        a->at = a->top = 0;
        return;
    }
    int64_t at = (int64_t)a->at + by;
    a->at = at < 0 ? 0 : at >= (int64_t)l->n ? (uint32_t)l->n - 1 : (uint32_t)at;
    a->row = l->rows[a->at];
    scroll_to_row(a, l);
}

bool gl_app_go_lane(gl_app *a, uint32_t gor)
{
    if (gor == GL_NONE || gor >= a->m->gor_count)
        return false;
    a->view = GL_VIEW_GOROUTINES;
    a->moved = true;
    uint32_t group = gl_lanes_group_of(&a->lanes, gor);
    uint32_t at = gl_lanes_find(&a->lanes, GL_ROW_GOR, gor);
    if (at == GL_NONE && group != GL_NONE && !a->lanes.groups[group].open) {
        a->lanes.groups[group].open = true;
        gl_app_relist(a);
        at = gl_lanes_find(&a->lanes, GL_ROW_GOR, gor);
    }
    gl_app_resize(a, a->w, a->h);
    if (at == GL_NONE)
        return false;
    a->at = at;
    gl_app_move_lane(a, 0);
    return true;
}

gl_place gl_app_place(const gl_app *a)
{
    return (gl_place){
        .from = a->from, .to = a->to, .cursor = a->cursor, .row = a->row, .top = a->top, .view = (uint8_t)a->view};
}

void gl_app_return(gl_app *a, gl_place p)
{
    gl_app_set_view(a, (gl_view)p.view);
    a->moved = true;
    gl_app_show(a, p.from, p.to);
    a->cursor = clamp_time(a, p.cursor);
    a->row = p.row;
    if (p.row.type == GL_ROW_GOR && a->view == GL_VIEW_GOROUTINES)
        gl_app_go_lane(a, p.row.index);
    uint32_t at = gl_lanes_find(gl_app_lanes(a), (gl_row_type)p.row.type, p.row.index);
    a->at = at == GL_NONE ? a->at : at;
    a->top = p.top;
    gl_app_move_lane(a, 0);
}

void gl_app_remember(gl_app *a)
{
    if (a->undo_count == GL_PLACES_MAX) {
        memmove(a->undo, a->undo + 1, (GL_PLACES_MAX - 1) * sizeof *a->undo);
        a->undo_count--;
    }
    a->undo[a->undo_count++] = gl_app_place(a);
    a->redo_count = 0;
}

uint32_t gl_app_chan(const gl_app *a)
{
    bool has = a->view == GL_VIEW_CHANNELS && a->other.n && a->row.index < a->m->chans.n;
    return has && a->row.type >= GL_ROW_CHAN && a->row.type <= GL_ROW_CHAN_RECEIVERS ? a->row.index : GL_NONE;
}

/* Who waits for a channel at the cursor, senders first. */
static uint32_t waiting_at(const gl_app *a, uint32_t chan)
{
    const gl_chans *cs = &a->m->chans;
    uint32_t best = GL_NONE;
    uint8_t want = a->row.type == GL_ROW_CHAN_RECEIVERS ? GL_CHAN_RECV : GL_CHAN_SEND;
    for (uint32_t i = cs->list[chan].first_wait; i != GL_NONE; i = cs->waits[i].next)
        if (cs->waits[i].begin <= a->cursor && a->cursor < cs->waits[i].end && (best == GL_NONE || cs->waits[i].dir == want))
            best = cs->waits[i].gor;
    for (size_t i = 0; i < a->m->life_count; i++) {
        const gl_chan_op *op = &a->m->lives[i].op;
        if (op->waits && op->chan == chan && op->since <= a->cursor && (best == GL_NONE || op->dir == want))
            best = a->m->lives[i].gor;
    }
    return best;
}

static uint32_t running_at(gl_app *a, bool threads)
{
    const gl_window *w = gl_app_window(a);
    size_t n = 0;
    const uint32_t *at = w ? gl_window_unit(threads ? &w->threads : &w->procs, a->row.index, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        const gl_lane_span *s = &w->spans[at[i]];
        if (s->begin <= a->cursor && a->cursor < s->end)
            return s->gor;
    }
    return GL_NONE;
}

uint32_t gl_app_gor(gl_app *a)
{
    if (gl_view_info_of(a->view)->list || gl_app_lanes(a)->n == 0)
        return GL_NONE;
    uint32_t i = a->row.index;
    switch (a->row.type) {
    case GL_ROW_GOR: return i < a->m->gor_count ? i : GL_NONE;
    case GL_ROW_PROC:
    case GL_ROW_THREAD: return running_at(a, a->row.type == GL_ROW_THREAD);
    case GL_ROW_TASK: return i < a->m->tasks.n ? gl_model_find(a->m, a->m->tasks.list[i].g) : GL_NONE;
    default: return gl_app_chan(a) == GL_NONE ? GL_NONE : waiting_at(a, i);
    }
}

uint32_t gl_app_stack(gl_app *a)
{
    uint32_t chan = gl_app_chan(a), gor = gl_app_gor(a);
    if (!gl_view_info_of(a->view)->list && a->other.n && a->view == GL_VIEW_TASKS && a->row.type == GL_ROW_TASK)
        return a->m->tasks.list[a->row.index].stack;
    uint32_t straddle = gor == GL_NONE ? GL_NONE : gl_app_straddle(a, gor);
    if (straddle != GL_NONE && a->view == GL_VIEW_GOROUTINES)
        return a->m->straddles[straddle].stack;
    const gl_window *w = gor == GL_NONE ? NULL : gl_app_window(a);
    const gl_lane_span *span = w ? gl_window_span_at(w, gor, a->cursor) : NULL;
    /* Who was just released still stands where it waited. */
    if (span && !span->stack && span > w->spans && span[-1].gor == gor)
        span--;
    if (span)
        return span->stack;
    return chan == GL_NONE ? GL_NONE : a->m->chans.list[chan].stack;
}

uint32_t gl_app_straddle(const gl_app *a, uint32_t gor)
{
    uint32_t i = gor < a->m->gor_count ? a->m->gors[gor].first_straddle : GL_NONE;
    for (; i != GL_NONE; i = a->m->straddles[i].next_of_gor)
        if (a->m->straddles[i].begin <= a->cursor && a->cursor < a->m->straddles[i].end)
            return i;
    return GL_NONE;
}
