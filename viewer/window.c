#include "window.h"

#include <stdlib.h>
#include <string.h>

static void window_free(gl_window *w)
{
    if (!w)
        return;
    free(w->spans);
    free(w->sorted);
    free(w->slots);
    free(w->slot_of_gor);
    gl_window_units_clean_up(&w->procs);
    gl_window_units_clean_up(&w->threads);
    gl_steps_clean_up(&w->steps);
    free(w->heap);
    free(w);
}

int gl_windows_init(gl_windows *ws, gl_model *m, gl_error *err)
{
    memset(ws, 0, sizeof *ws);
    ws->model = m;
    return gl_cursor_open(m->reader, GL_COL_ALL, &ws->cursor, err);
}

void gl_windows_clean_up(gl_windows *ws)
{
    for (int i = 0; i < GL_WINDOWS; i++)
        window_free(ws->w[i]);
    gl_cursor_close(ws->cursor);
    gl_stands_clean_up(&ws->stands);
    memset(ws, 0, sizeof *ws);
}

/* A cached window that was read to what was then the end of a growing file is stale once more has come. */
static bool covers(const gl_model *m, const gl_window *w, int64_t from, int64_t to)
{
    return w && w->from <= from && w->to >= to && w->revision == m->info->usable_bytes;
}

/* The window that was not asked for the longest, emptied: a new one has its memory, which was touched already. */
static gl_window *take_oldest(gl_windows *ws)
{
    int oldest = 0;
    for (int i = 1; i < GL_WINDOWS; i++)
        if (!ws->w[i] || (ws->w[oldest] && ws->w[i]->used < ws->w[oldest]->used))
            oldest = i;
    gl_window *w = ws->w[oldest] ? ws->w[oldest] : calloc(1, sizeof *w);
    ws->w[oldest] = NULL;
    if (!w)
        return NULL;
    gl_window_units_clean_up(&w->procs);
    gl_window_units_clean_up(&w->threads);
    gl_steps_clean_up(&w->steps);
    if (w->slot_of_gor)
        memset(w->slot_of_gor, 0, w->gor_capacity * sizeof *w->slot_of_gor);
    w->count = w->slot_count = w->heap_count = 0;
    return w;
}

static void keep(gl_windows *ws, gl_window *w)
{
    for (int i = 0; i < GL_WINDOWS; i++)
        if (!ws->w[i]) {
            ws->w[i] = w;
            return;
        }
}

/* What is read reaches beyond what is shown, so that the next steps of a pan find it: as far as events are few. */
static bool widen(gl_model *m, int64_t *from, int64_t *to)
{
    for (int eighths = 16; eighths >= 2; eighths /= 2) {
        int64_t margin = (*to - *from) / 8 * eighths;
        int64_t wide_from = *from - m->begin > margin ? *from - margin : m->begin;
        int64_t wide_to = m->end - *to > margin ? *to + margin : (*to > m->end ? *to : m->end);
        uint64_t most = eighths > 4 ? GL_WINDOW_EVENTS_MAX / 4 : eighths > 2 ? GL_WINDOW_EVENTS_MAX * 2 / 3 : GL_WINDOW_EVENTS_MAX;
        if (gl_nodes_events(&m->nodes, wide_from, wide_to) <= most) {
            *from = wide_from;
            *to = wide_to;
            return true;
        }
    }
    return gl_nodes_events(&m->nodes, *from, *to) <= GL_WINDOW_EVENTS_MAX;
}

int gl_windows_get(gl_windows *ws, int64_t from, int64_t to, const gl_window **out, gl_error *err)
{
    gl_model *m = ws->model;
    for (int i = 0; i < GL_WINDOWS; i++)
        if (covers(m, ws->w[i], from, to)) {
            ws->w[i]->used = ++ws->clock;
            *out = ws->w[i];
            return ws->want_units ? gl_window_index(ws->w[i], m) : 0;
        }
    if (!widen(m, &from, &to))
        return GL_E_LIMIT;
    gl_window *w = take_oldest(ws);
    if (!w)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory is left for the spans of this window");
    int status = gl_window_read(ws, from, to, w, err);
    if (status == 0 && ws->want_units)
        status = gl_window_index(w, m);
    if (status < 0) {
        window_free(w);
        return status;
    }
    w->used = ++ws->clock;
    keep(ws, w);
    *out = w;
    return 0;
}

const gl_lane_span *gl_window_spans(const gl_window *w, uint32_t gor, size_t *n)
{
    uint32_t slot = gl_window_slot(w, gor);
    *n = slot == GL_NONE ? 0 : w->slots[slot].n;
    return *n ? &w->spans[w->slots[slot].first] : NULL;
}

size_t gl_spans_after(const gl_lane_span *s, size_t n, int64_t time)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s[mid].end <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const gl_lane_span *gl_window_span_at(const gl_window *w, uint32_t gor, int64_t time)
{
    size_t n;
    const gl_lane_span *s = gl_window_spans(w, gor, &n);
    size_t i = gl_spans_after(s, n, time);
    return i < n && s[i].begin <= time ? &s[i] : NULL;
}
