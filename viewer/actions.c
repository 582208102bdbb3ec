/* What the commands for moving and looking do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define ZOOM_STEP 1.6

#define ACTION(id) void gl_do_##id(gl_app *a, const char *text, int key)
#define NO_ARGUMENT (void)text, (void)key

static bool in_list(const gl_app *a) { return gl_view_info_of(a->view)->list; }

static void move_frame(gl_app *a, int64_t by)
{
    uint32_t stack = gl_app_stack(a);
    size_t n = 0;
    gl_site_text f;
    while (stack != GL_NONE && n < 10000 && gl_model_frame(a->m, stack, n, &f))
        n++;
    int64_t at = (int64_t)a->frame + by;
    a->frame = at < 0 || n == 0 ? 0 : (size_t)at >= n ? n - 1 : (size_t)at;
}

static void move_row(gl_app *a, int64_t by)
{
    if (a->in_stack) {
        move_frame(a, by);
        return;
    }
    if (!in_list(a)) {
        gl_app_move_lane(a, by);
        a->moved = true;
        return;
    }
    gl_app_list_fill(a);
    gl_list_state *st = &a->lists[a->view];
    int64_t at = (int64_t)st->cursor + by;
    st->cursor = at < 0 ? 0 : (size_t)at >= a->list_count ? (a->list_count ? a->list_count - 1 : 0) : (size_t)at;
}

/* Moves the cursor by columns; at an edge the window comes along. */
static void move_cursor(gl_app *a, int columns)
{
    if (in_list(a))
        return;
    gl_scale s = gl_app_scale(a);
    /* Where there is no room for four columns one is more than the window moves. */
    int64_t by = (int64_t)(gl_scale_step(s) * columns), most = (a->to - a->from) / 4;
    by = by > most ? most : by < -most ? -most : by;
    by = by ? by : columns > 0 ? 1 : -1;
    int64_t to = a->cursor + by;
    to = to < a->m->begin ? a->m->begin : to >= a->m->end ? a->m->end - 1 : to;
    if (to < a->from)
        gl_app_show(a, a->from - (a->to - a->from) / 4, a->to - (a->to - a->from) / 4);
    else if (to >= a->to)
        gl_app_show(a, a->from + (a->to - a->from) / 4, a->to + (a->to - a->from) / 4);
    a->cursor = to;
    a->moved = true;
}

static void pan(gl_app *a, int quarters)
{
    int64_t by = (a->to - a->from) / 4 * quarters, at = a->cursor - a->from;
    if (by == 0)
        by = quarters;
    int64_t from = a->from;
    gl_app_show(a, a->from + by, a->to + by);
    /* The cursor keeps its column, except where the window could not move. */
    a->cursor = a->from == from ? a->cursor : a->from + at < a->to ? a->from + at : a->to - 1;
}

ACTION(left) { NO_ARGUMENT; move_cursor(a, -1); }
ACTION(right) { NO_ARGUMENT; move_cursor(a, 1); }
ACTION(up) { NO_ARGUMENT; move_row(a, -1); }
ACTION(down) { NO_ARGUMENT; move_row(a, 1); }
ACTION(pan_left) { NO_ARGUMENT; pan(a, -1); }
ACTION(pan_right) { NO_ARGUMENT; pan(a, 1); }

static int page_of(const gl_app *a)
{
    int h = in_list(a) ? a->layout.table.h - 1 : a->layout.lanes.h;
    return h > 2 ? h - 1 : 1;
}

ACTION(page_up) { NO_ARGUMENT; move_row(a, -page_of(a)); }
ACTION(page_down) { NO_ARGUMENT; move_row(a, page_of(a)); }
ACTION(first_lane) { NO_ARGUMENT; move_row(a, -(int64_t)UINT32_MAX); }
ACTION(last_lane) { NO_ARGUMENT; move_row(a, UINT32_MAX); }

ACTION(begin)
{
    NO_ARGUMENT;
    gl_app_show(a, a->m->begin, a->m->begin + (a->to - a->from));
    a->cursor = a->from;
}

ACTION(end)
{
    NO_ARGUMENT;
    gl_app_show(a, a->m->end - (a->to - a->from), a->m->end);
    a->cursor = a->to - 1;
    a->follow = a->m->follow;
}

ACTION(zoom_in) { NO_ARGUMENT; gl_app_zoom(a, 1 / ZOOM_STEP, a->cursor); }
ACTION(zoom_out) { NO_ARGUMENT; gl_app_zoom(a, ZOOM_STEP, a->cursor); }

ACTION(whole)
{
    NO_ARGUMENT;
    gl_app_remember(a);
    gl_app_show(a, a->m->begin, a->m->end);
}

ACTION(zoom_span)
{
    NO_ARGUMENT;
    int64_t from = a->cursor, to = a->cursor;
    uint32_t gor = gl_app_gor(a), at = gor == GL_NONE ? GL_NONE : gl_app_straddle(a, gor);
    const gl_window *w = gor == GL_NONE ? NULL : gl_app_window(a);
    const gl_lane_span *span = w ? gl_window_span_at(w, gor, a->cursor) : NULL;
    if (a->anchor != GL_TIME_NONE) {
        from = a->anchor < a->cursor ? a->anchor : a->cursor;
        to = a->anchor < a->cursor ? a->cursor : a->anchor;
    } else if (at != GL_NONE) {
        from = a->m->straddles[at].begin;
        to = a->m->straddles[at].end;
    } else if (a->view == GL_VIEW_TASKS && a->row.type == GL_ROW_TASK && a->row.index < a->m->tasks.n) {
        from = a->m->tasks.list[a->row.index].begin;
        to = gl_model_end(a->m, a->m->tasks.list[a->row.index].end);
    } else if (span) {
        from = span->begin;
        to = gl_model_end(a->m, span->end);
    }
    if (to <= from) {
        gl_app_say(a, false, "there is nothing to zoom to here");
        return;
    }
    gl_app_remember(a);
    int64_t margin = (to - from) / 8 + 1, cursor = a->cursor < from ? from : a->cursor > to ? to : a->cursor;
    gl_app_show(a, from - margin, to + margin);
    gl_app_go(a, cursor);
}

ACTION(undo)
{
    NO_ARGUMENT;
    if (a->undo_count == 0) {
        gl_app_say(a, false, "there is no view before this one");
        return;
    }
    gl_place now = gl_app_place(a);
    gl_app_return(a, a->undo[--a->undo_count]);
    if (a->redo_count < GL_PLACES_MAX)
        a->redo[a->redo_count++] = now;
}

ACTION(redo)
{
    NO_ARGUMENT;
    if (a->redo_count == 0) {
        gl_app_say(a, false, "there is nothing to redo");
        return;
    }
    gl_place now = gl_app_place(a);
    gl_app_return(a, a->redo[--a->redo_count]);
    if (a->undo_count < GL_PLACES_MAX)
        a->undo[a->undo_count++] = now;
}

/* Between the two cursors where there are two, else what the window shows. */
static void count_selection(gl_app *a)
{
    gl_error err = {0};
    int64_t from = a->from, to = a->to;
    if (a->anchor != GL_TIME_NONE && a->anchor != a->cursor) {
        from = a->anchor < a->cursor ? a->anchor : a->cursor;
        to = a->anchor < a->cursor ? a->cursor : a->anchor;
    }
    if (gl_stats_begin(&a->stats, a->m, from, to, &err) < 0)
        gl_app_say(a, true, "%.250s", err.text);
    a->stats.in_all = gl_nodes_events(&a->m->nodes, from, to);
}

void gl_app_set_view(gl_app *a, gl_view v)
{
    if (v == a->view)
        return;
    a->view = v;
    a->at = a->top = 0;
    a->in_stack = false;
    if (v == GL_VIEW_SELECTION)
        count_selection(a);
    if (!in_list(a))
        gl_app_relist(a);
    gl_app_resize(a, a->w, a->h);
}

ACTION(view)
{
    for (int v = 0; v < GL_VIEWS; v++) {
        const gl_view_info *info = gl_view_info_of((gl_view)v);
        bool named = *text && (strcmp(text, info->word) == 0 || (text[0] == info->digit && !text[1]));
        if (named || (!*text && key == info->digit)) {
            gl_app_remember(a);
            gl_app_set_view(a, (gl_view)v);
            return;
        }
    }
    gl_app_say(a, true, "there is no view %.40s", text);
}

ACTION(next_view) { NO_ARGUMENT; gl_app_set_view(a, (gl_view)((a->view + 1) % GL_VIEWS)); }
ACTION(prev_view) { NO_ARGUMENT; gl_app_set_view(a, (gl_view)((a->view + GL_VIEWS - 1) % GL_VIEWS)); }

/* The first frame that is not the runtime's own. */
static size_t first_own_frame(const gl_model *m, uint32_t stack)
{
    gl_site_text f;
    for (size_t i = 0; gl_model_frame(m, stack, i, &f); i++)
        if (strncmp(f.func, "runtime.", 8) != 0)
            return i;
    return 0;
}

/* Into the stack; from there, to its source. */
static void enter_stack(gl_app *a)
{
    uint32_t stack = gl_app_stack(a);
    gl_site_text f;
    if (stack == GL_NONE || !gl_model_frame(a->m, stack, 0, &f)) {
        a->in_stack = false;
        gl_app_say(a, false, "there is no stack to look at here");
        return;
    }
    if (!a->in_stack) {
        a->in_stack = true;
        a->frame = first_own_frame(a->m, stack);
        a->detail = GL_DETAIL_LARGE;
        gl_app_resize(a, a->w, a->h);
        return;
    }
    if (!gl_model_frame(a->m, stack, a->frame, &f) || !*f.file) {
        gl_app_say(a, false, "this frame's file is not known");
        return;
    }
    snprintf(a->edit_file, sizeof a->edit_file, "%s", f.file);
    a->edit_line = f.line;
    a->wants_editor = true;
}

static void leave_stack(gl_app *a)
{
    a->in_stack = false;
    a->detail = GL_DETAIL_NORMAL;
    gl_app_resize(a, a->w, a->h);
}

ACTION(enter)
{
    NO_ARGUMENT;
    if (in_list(a)) {
        gl_app_list_enter(a);
        return;
    }
    if (gl_app_fold(a))
        return;
    enter_stack(a);
}

ACTION(unfold_all) { NO_ARGUMENT; gl_app_fold_all(a); }

ACTION(detail)
{
    NO_ARGUMENT;
    a->in_stack = false;
    a->detail = a->detail == GL_DETAIL_NONE     ? GL_DETAIL_NORMAL
                : a->detail == GL_DETAIL_NORMAL ? GL_DETAIL_LARGE
                                                : GL_DETAIL_NONE;
    gl_app_resize(a, a->w, a->h);
}

ACTION(order)
{
    NO_ARGUMENT;
    if (in_list(a)) {
        gl_app_list_next_order(a);
        gl_app_say(a, false, "ordered by: %s", gl_app_list_order(a));
        return;
    }
    bool chans = a->view == GL_VIEW_CHANNELS;
    if (chans)
        a->chan_order = (gl_chan_order)((a->chan_order + 1) % GL_CHAN_ORDERS);
    else
        a->lanes.order = (gl_order)((a->lanes.order + 1) % GL_ORDERS);
    a->moved = true;
    gl_app_relist(a);
    gl_app_say(a, false, "lanes by %s", chans ? gl_app_chan_order_name(a) : gl_order_name(a->lanes.order));
}

void gl_app_prompt(gl_app *a, gl_prompt_kind kind, const char *text)
{
    a->prompt = kind;
    snprintf(a->prompt_text, sizeof a->prompt_text, "%s", text);
    a->prompt_n = strlen(a->prompt_text);
}

ACTION(filter)
{
    if (key) {
        gl_app_prompt(a, GL_PROMPT_FILTER, a->filter.text);
        return;
    }
    gl_error err = {0};
    size_t at = 0;
    if (!*text)
        gl_filter_clean_up(&a->filter);
    else if (gl_filter_begin(&a->filter, a->m->reader, text, &at, &err) < 0)
        gl_app_say(a, true, "%.250s", err.text);
    a->moved = true;
    gl_app_relist(a);
}

ACTION(find)
{
    gl_error err = {0};
    if (key)
        gl_app_prompt(a, GL_PROMPT_FIND, "");
    else if (*text && gl_search_begin_query(&a->search, a->m->reader, text, &err) < 0)
        gl_app_say(a, true, "%.250s", err.text);
}

ACTION(prompt) { NO_ARGUMENT; gl_app_prompt(a, GL_PROMPT_COMMAND, ""); }

ACTION(anchor)
{
    NO_ARGUMENT;
    a->anchor = a->anchor == GL_TIME_NONE ? a->cursor : GL_TIME_NONE;
}

ACTION(theme)
{
    (void)key;
    const gl_theme *next = *text ? gl_theme_by_name(text) : NULL;
    if (*text && !next) {
        gl_app_say(a, true, "there is no theme %.40s: dark, light, safe, 16, mono", text);
        return;
    }
    for (size_t i = 0; !next; i++)
        if (gl_theme_at(i) == a->theme)
            next = gl_theme_at(i + 1) ? gl_theme_at(i + 1) : gl_theme_at(0);
    a->theme = next;
    a->plain = a->ascii || next->depth == GL_DEPTH_MONO;
    gl_app_say(a, false, "theme %s: %s", next->name, next->help);
}

ACTION(help)
{
    NO_ARGUMENT;
    a->help = true;
    a->help_top = 0;
}

ACTION(cancel)
{
    NO_ARGUMENT;
    if (a->in_stack) {
        leave_stack(a);
    } else if (a->search.cursor) {
        gl_search_stop(&a->search);
        gl_app_say(a, false, "search stopped: what was found so far stays");
    } else if (a->stats.cursor) {
        gl_stats_stop(&a->stats);
        gl_app_say(a, false, "stopped: these are the figures of a part");
    } else if (a->filter.cursor) {
        gl_filter_stop(&a->filter);
        gl_app_say(a, false, "filter stopped: the goroutines found so far are shown");
    } else if (a->trail.n || a->trail.cursor) {
        gl_trail_clean_up(&a->trail);
    } else if (a->anchor != GL_TIME_NONE) {
        a->anchor = GL_TIME_NONE;
    } else if (in_list(a)) {
        gl_app_set_view(a, GL_VIEW_GOROUTINES);
    } else if (gl_app_hides(a)) {
        a->related = 0;
        a->hide = GL_HIDE_NONE;
        gl_do_filter(a, "", 0);
    } else if (gl_search_is_on(&a->search)) {
        gl_search_clean_up(&a->search);
    }
}

ACTION(redraw) { NO_ARGUMENT; gl_app_resize(a, a->w, a->h); }
