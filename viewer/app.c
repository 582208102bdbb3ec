/* Opening, background work, and what is listed. */
#include "app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_NS 30000000 /* read before the first frame, which may then be the last of it */
#define FIRST_LARGE_EVENTS 8192 /* of a file that takes longer anyway: as much as gives the first goroutines their names */
#define LARGE_EVENTS 2000000
#define STEP_EVENTS 65536 /* between two looks at the clock */

static const gl_view_info views[GL_VIEWS] = {
#define X(name, digit, word, list) {digit, word, list},
    GL_VIEW_LIST(X)
#undef X
};

const gl_view_info *gl_view_info_of(gl_view v) { return &views[v]; }

int gl_app_open(const gl_app_options *opt, gl_app **out, gl_error *err)
{
    gl_app *a = calloc(1, sizeof *a);
    if (!a)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s cannot be shown: no memory", opt->name);
    int status = gl_model_open(opt->reader, opt->name, &a->m, err);
    if (status == 0)
        status = gl_windows_init(&a->windows, a->m, err);
    if (status < 0) {
        gl_app_close(a);
        return status;
    }
    a->theme = opt->theme;
    a->ascii = opt->ascii;
    a->importing = opt->importing;
    a->import_state = opt->import_state;
    a->import_user = opt->import_user;
    if (a->importing)
        gl_model_promise(a->m, opt->promised);
    a->live = opt->live;
    if (a->live && a->live->notice)
        gl_app_say(a, false, "%s", a->live->notice);
    a->plain = a->ascii || a->theme->depth == GL_DEPTH_MONO;
    a->detail = GL_DETAIL_NORMAL;
    a->from = a->m->begin;
    a->to = a->m->end;
    a->cursor = a->m->begin;
    a->anchor = GL_TIME_NONE;
    a->follow = a->m->follow && a->m->read_end == a->m->end;
    a->row.index = GL_NONE;
    *out = a;
    gl_app_resize(a, 80, 24);
    return 0;
}

void gl_app_close(gl_app *a)
{
    if (!a)
        return;
    gl_windows_clean_up(&a->windows);
    gl_far_clean_up(&a->far);
    gl_search_clean_up(&a->search);
    gl_lanes_clean_up(&a->lanes);
    gl_lanes_clean_up(&a->other);
    free(a->chan_open);
    gl_bookmarks_clean_up(&a->bookmarks);
    free(a->kind_open);
    gl_ids_clean_up(&a->active);
    gl_filter_clean_up(&a->filter);
    gl_stats_clean_up(&a->stats);
    gl_trail_clean_up(&a->trail);
    gl_ids_clean_up(&a->related_to);
    free(a->list);
    free(a->group_time);
    free(a->map);
    free(a->group_sums.sums);
    free(a->map_marks);
    gl_model_close(a->m);
    free(a);
}

void gl_app_say(gl_app *a, bool error, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->message, sizeof a->message, fmt, ap);
    va_end(ap);
    a->message_is_error = error;
}

gl_lanes *gl_app_lanes(gl_app *a) { return a->view == GL_VIEW_GOROUTINES || views[a->view].list ? &a->lanes : &a->other; }

gl_scale gl_app_scale(const gl_app *a)
{
    int n = a->layout.too_small ? 1 : a->w - a->layout.gutter;
    return (gl_scale){a->from, a->to, n < 1 ? 1 : n};
}

const gl_window *gl_app_window(gl_app *a)
{
    const gl_window *w;
    a->windows.want_units = gl_app_lanes(a) == &a->other;
    return gl_windows_get(&a->windows, a->from, a->to, &w, NULL) == 0 ? w : NULL;
}

static bool passes(void *user, uint32_t gor)
{
    gl_app *a = user;
    if (a->related && gl_ids_get(&a->related_to, a->m->gors[gor].id) == GL_NONE)
        return false;
    if (a->hide && gl_ids_get(&a->active, gor) == GL_NONE)
        return false;
    return !a->filter.query || gl_filter_keeps(&a->filter, a->m, gor);
}

/* The cursor stays on its lane; where that is folded away, on its group; else on the nearest row. */
static void find_row_again(gl_app *a)
{
    gl_lanes *l = gl_app_lanes(a);
    uint32_t at = a->row.index == GL_NONE ? GL_NONE : gl_lanes_find(l, (gl_row_type)a->row.type, a->row.index);
    if (at == GL_NONE && a->row.type == GL_ROW_GOR && a->row.index < a->m->gor_count)
        at = gl_lanes_find_group(l, gl_lanes_group_of(l, a->row.index));
    if (at == GL_NONE)
        at = a->at;
    a->at = l->n == 0 ? 0 : at < l->n ? at : (uint32_t)l->n - 1;
    gl_app_move_lane(a, 0);
}

static void pin_those_met(gl_app *a)
{
    size_t left = 0;
    for (size_t i = 0; i < a->pins_wanted_count; i++) {
        uint32_t gor = gl_model_find(a->m, a->pins_wanted[i]);
        if (gor == GL_NONE)
            a->pins_wanted[left++] = a->pins_wanted[i];
        else if (!gl_lanes_is_pinned(&a->lanes, gor))
            gl_lanes_pin(&a->lanes, gor);
    }
    a->pins_wanted_count = left;
}

void gl_app_relist(gl_app *a)
{
    pin_those_met(a);
    if (gl_lanes_list(&a->lanes, a->m, gl_app_hides(a) ? passes : NULL, a) < 0 || gl_app_list_other(a) < 0)
        gl_app_say(a, true, "no memory is left for the list of lanes");
    a->lanes_revision = a->m->revision;
    a->filter_listed = a->filter.found;
    find_row_again(a);
}

/* Where the first look should fall: on the worst straddling send, else on the longest pause. */
static void choose_first_lane(gl_app *a)
{
    const gl_straddle *worst = NULL;
    for (size_t i = 0; i < a->m->straddle_count; i++)
        if (!worst || a->m->straddles[i].overlap > worst->overlap)
            worst = &a->m->straddles[i];
    if (worst && gl_app_go_lane(a, worst->gor)) {
        a->cursor = worst->begin > a->m->pauses[worst->pause].begin ? worst->begin : a->m->pauses[worst->pause].begin;
        a->moved = false;
        return;
    }
    const gl_pause *longest = NULL;
    for (size_t i = 0; i < a->m->pause_count; i++) {
        const gl_pause *p = &a->m->pauses[i];
        if (p->gc &&
            (!longest || gl_model_end(a->m, p->end) - p->begin > gl_model_end(a->m, longest->end) - longest->begin))
            longest = p;
    }
    if (longest)
        a->cursor = longest->begin;
    for (uint32_t i = 0; i < a->lanes.n; i++)
        if (a->lanes.rows[i].type == GL_ROW_GOR) {
            a->row = a->lanes.rows[i];
            a->at = i;
            break;
        }
    gl_app_move_lane(a, 0);
}

static void fit_lanes(gl_app *a)
{
    int rows = a->layout.lanes.h;
    if (a->moved || a->view != GL_VIEW_GOROUTINES || rows < 1) {
        gl_app_relist(a);
        return;
    }
    if (gl_lanes_unfold_to_fit(&a->lanes, a->m, rows) < 0)
        gl_app_say(a, true, "no memory is left for the list of lanes");
    gl_app_relist(a);
    choose_first_lane(a);
    a->lanes_fitted = a->m->scanned;
}

void gl_app_resize(gl_app *a, int w, int h)
{
    a->w = w < 1 ? 1 : w;
    a->h = h < 1 ? 1 : h;
    a->layout = gl_layout_make(a->w, a->h, views[a->view].list, a->detail, a->curves);
    if (!a->moved && a->m->scanned)
        fit_lanes(a);
    gl_app_move_lane(a, 0);
}

static int64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The newest stays at the right edge, and the cursor with it where it stood there. Who has chosen no place yet sees all. */
static void keep_up(gl_app *a)
{
    int64_t span = a->to - a->from;
    bool at_edge = a->follow && a->cursor >= a->to - span / (gl_app_scale(a).n + 1) - 1;
    bool whole = !a->moved && (a->follow || a->importing);
    if (whole)
        a->to = a->m->end;
    else if (a->follow)
        a->to = a->m->read_end;
    else if (a->to > a->m->end)
        a->to = a->m->end; /* the import's end came earlier than it was thought */
    else
        return;
    a->from = whole || a->to - span < a->m->begin ? a->m->begin : a->to - span;
    if (at_edge && a->moved)
        a->cursor = a->to - 1;
    a->cursor = a->cursor < a->from ? a->from : a->cursor;
}

/* How fast a growing file grows, smoothed over some seconds. */
static void count_rate(gl_app *a, int64_t now)
{
    uint64_t events = a->m->info->events;
    if (a->live_ns && now > a->live_ns) {
        double rate = (double)(events - a->live_events) * 1e9 / (double)(now - a->live_ns);
        a->live_rate = a->live_rate > 0 ? a->live_rate * 0.8 + rate * 0.2 : rate;
    }
    a->live_ns = now;
    a->live_events = events;
}

/* One step of the scan. True while there is more. */
static bool scan_on(gl_app *a, uint64_t events)
{
    gl_error err = {0};
    int status = gl_model_scan(a->m, events, &err);
    if (status < 0) {
        gl_app_say(a, true, "%s", err.text);
        a->m->scanned = true;
    }
    /* While the file grows this comes again and again; with a million lanes it must not take all the time there is. */
    int64_t start = monotonic_ns();
    if (a->m->scanned && (!a->m->follow || start - a->listed_ns > 8 * a->list_took_ns)) {
        fit_lanes(a);
        a->listed_ns = monotonic_ns();
        a->list_took_ns = a->listed_ns - start;
    }
    return status > 0;
}

static bool search_on(gl_app *a)
{
    gl_error err = {0};
    int64_t start = monotonic_ns();
    int status = gl_search_step(&a->search, a->m->dict, STEP_EVENTS, &err);
    a->search.ns += monotonic_ns() - start;
    if (status < 0)
        gl_app_say(a, true, "%s", err.text);
    return status > 0;
}

static bool filter_on(gl_app *a)
{
    gl_error err = {0};
    int status = gl_filter_step(&a->filter, a->m, STEP_EVENTS, &err);
    if (status < 0)
        gl_app_say(a, true, "%s", err.text);
    return status > 0;
}

static bool stats_on(gl_app *a)
{
    gl_error err = {0};
    int status = gl_stats_step(&a->stats, a->m, STEP_EVENTS, &err);
    if (status < 0)
        gl_app_say(a, true, "%s", err.text);
    return status > 0;
}

static bool trail_on(gl_app *a)
{
    gl_error err = {0};
    int status = gl_trail_step_on(&a->trail, a->m, STEP_EVENTS, &err);
    if (status < 0)
        gl_app_say(a, true, "%s", err.text);
    else if (status == 0 && a->trail.n == 0)
        gl_app_say(a, false, "this goroutine was not there then");
    return status > 0;
}

/* The importing process knows better than the file whether more will come. */
static void ask_import(gl_app *a)
{
    gl_error err = {0};
    int state = a->import_state(a->import_user);
    if (state > 0)
        return;
    /* What it wrote last may have come after the look that found nothing. */
    if (gl_model_refresh(a->m, &err) <= 0) {
        a->importing = false;
        a->m->follow = false;
        gl_model_promise(a->m, 0);
        fit_lanes(a);
    }
    keep_up(a);
    if (state < 0)
        gl_app_say(a, true, "the import broke off; what it had is shown");
}

bool gl_app_step(gl_app *a, int64_t budget_ns)
{
    int64_t start = monotonic_ns();
    uint64_t events = a->m->scanned_events;
    if (a->m->scanned && a->m->follow && start - a->now_ns > 200000000) {
        a->now_ns = start;
        gl_error err = {0};
        int grown = gl_model_refresh(a->m, &err);
        if (grown > 0)
            keep_up(a);
        else if (a->importing && a->import_state)
            ask_import(a);
        count_rate(a, start);
    }
    bool more;
    do {
        more = false;
        if (a->search.cursor)
            more = search_on(a);
        if (a->filter.cursor)
            more = filter_on(a) || more;
        if (a->stats.cursor)
            more = stats_on(a) || more;
        if (a->trail.cursor)
            more = trail_on(a) || more;
        if (!a->m->scanned)
            more = scan_on(a, STEP_EVENTS) || more;
    } while (more && monotonic_ns() - start < budget_ns);
    int64_t took = monotonic_ns() - start;
    if (a->m->scanned_events > events && took > 0)
        a->rate = (double)(a->m->scanned_events - events) * 1e9 / (double)took;
    if (!a->m->scanned && (a->lanes.n == 0 || !a->moved) && a->m->revision - a->lanes_revision > 200)
        gl_app_relist(a);
    if (a->filter.found != a->filter_listed)
        gl_app_relist(a);
    return more;
}

int gl_app_settle(gl_app *a, gl_error *err)
{
    int status = 1;
    while (status > 0 && !a->m->scanned)
        status = gl_model_scan(a->m, UINT64_MAX, err);
    if (status < 0)
        return status;
    fit_lanes(a);
    while (a->search.cursor && status >= 0)
        status = gl_search_step(&a->search, a->m->dict, UINT64_MAX, err);
    while (a->stats.cursor && status >= 0)
        status = gl_stats_step(&a->stats, a->m, UINT64_MAX, err);
    while (a->filter.cursor && status >= 0)
        status = gl_filter_step(&a->filter, a->m, UINT64_MAX, err);
    while (a->trail.cursor)
        trail_on(a);
    if (status >= 0 && a->filter.found != a->filter_listed)
        gl_app_relist(a);
    return status < 0 ? status : 0;
}

void gl_app_begin(gl_app *a, int w, int h)
{
    gl_app_resize(a, w, h);
    if (a->m->info->events < LARGE_EVENTS)
        gl_app_step(a, FIRST_NS);
    else
        scan_on(a, FIRST_LARGE_EVENTS);
    if (!a->m->scanned)
        gl_app_relist(a);
}
