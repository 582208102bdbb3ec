#include "window.h"

#include <stdlib.h>
#include <string.h>

#include "golanes/state.h"

/* While a window is being read: spans come in order of events, each goroutine's last one is open. */
typedef struct load {
    gl_window *w;
    gl_model *m;
    uint32_t *open;      /* by slot: index + 1 of the open span, 0 none */
    size_t open_capacity;
    int status;
} load;

static void window_free(gl_window *w)
{
    if (!w)
        return;
    free(w->spans);
    free(w->slots);
    free(w->slot_of_gor);
    gl_window_units_clean_up(&w->procs);
    gl_window_units_clean_up(&w->threads);
    gl_steps_clean_up(&w->steps);
    free(w->heap);
    free(w);
}

static bool reach_gor(gl_window *w, uint32_t gor)
{
    if (gor < w->gor_capacity)
        return true;
    size_t capacity = (size_t)gor + gor / 2 + 256;
    uint32_t *p = realloc(w->slot_of_gor, capacity * sizeof *p);
    if (!p)
        return false;
    memset(p + w->gor_capacity, 0, (capacity - w->gor_capacity) * sizeof *p);
    w->slot_of_gor = p;
    w->gor_capacity = capacity;
    return true;
}

static uint32_t find_slot(const gl_window *w, uint32_t gor)
{
    return gor < w->gor_capacity ? w->slot_of_gor[gor] - 1 : GL_NONE;
}

static uint32_t slot_for(load *l, uint32_t gor)
{
    gl_window *w = l->w;
    uint32_t slot = find_slot(w, gor);
    if (slot != GL_NONE)
        return slot;
    if (GL_ROOM(w->slots, w->slot_capacity, w->slot_count) < 0 ||
        GL_ROOM(l->open, l->open_capacity, w->slot_count) < 0 || !reach_gor(w, gor)) {
        l->status = GL_E_NOMEM;
        return GL_NONE;
    }
    w->slots[w->slot_count] = (gl_slot){0};
    l->open[w->slot_count] = 0;
    w->slot_of_gor[gor] = (uint32_t)w->slot_count + 1;
    return (uint32_t)w->slot_count++;
}

static gl_lane_span *open_span(load *l, uint32_t slot)
{
    return slot != GL_NONE && l->open[slot] ? &l->w->spans[l->open[slot] - 1] : NULL;
}

/* Ends the open span at s->begin and begins s, unless there is nothing to begin. */
static void change(load *l, uint32_t slot, const gl_lane_span *s)
{
    gl_window *w = l->w;
    gl_lane_span *old = open_span(l, slot);
    if (old)
        old->end = s->begin > old->begin ? s->begin : old->begin;
    /* What ended before the window was only a way to know how things stand at its beginning. */
    if (old && old->end < w->from && s->kind != GL_SPAN_NONE) {
        *old = *s;
        return;
    }
    l->open[slot] = 0;
    if (s->kind == GL_SPAN_NONE)
        return;
    if (w->count >= GL_NONE - 1 || GL_ROOM(w->spans, w->capacity, w->count) < 0) {
        l->status = GL_E_NOMEM;
        return;
    }
    w->spans[w->count++] = *s;
    l->open[slot] = (uint32_t)w->count;
    w->slots[slot].n++;
}

static gl_span_kind kind_of_state(gl_model *m, unsigned state, uint32_t reason)
{
    switch (state) {
    case GL_G_RUNNING: return GL_SPAN_RUNNING;
    case GL_G_RUNNABLE: return GL_SPAN_RUNNABLE;
    case GL_G_SYSCALL: return GL_SPAN_SYSCALL;
    case GL_G_WAITING: return gl_model_kind(m, reason);
    default: return GL_SPAN_NONE;
    }
}

static void take_keyframe(load *l, const gl_goroutine_at *at, size_t n, int64_t begin)
{
    for (size_t i = 0; i < n && l->status == 0; i++) {
        uint32_t gor = gl_model_add(l->m, at[i].g, at[i].since);
        uint32_t slot = gor == GL_NONE ? GL_NONE : slot_for(l, gor);
        if (slot == GL_NONE) {
            l->status = GL_E_NOMEM;
            return;
        }
        if (at[i].start_stack && gl_model_name(l->m, gor, at[i].start_stack) < 0)
            l->status = GL_E_NOMEM;
        bool before = at[i].since < begin;
        gl_lane_span s = {.begin = before ? begin : at[i].since, .end = GL_TIME_NONE, .gor = gor, .reason = at[i].reason,
                     .stack = at[i].stack, .p = GL_NO_PROC, .thread = GL_NO_THREAD, .since_before = before,
                     .kind = (uint8_t)kind_of_state(l->m, at[i].state, at[i].reason)};
        change(l, slot, &s);
    }
}

static void take_transition(load *l, const gl_event *ev, const gl_transition *t)
{
    uint32_t gor = gl_model_add(l->m, t->id, ev->time);
    uint32_t slot = gor == GL_NONE ? GL_NONE : slot_for(l, gor);
    if (slot == GL_NONE) {
        l->status = GL_E_NOMEM;
        return;
    }
    gl_lane_span *old = open_span(l, slot);
    if (old && t->from == t->to)
        return;
    if (old && t->from == GL_G_WAITING && t->to == GL_G_RUNNABLE) {
        old->by = ev->g;
        old->by_stack = ev->stack;
    }
    bool before = t->from == GL_G_UNDETERMINED && !old;
    bool takes_proc = t->to == GL_G_RUNNING || t->to == GL_G_SYSCALL;
    bool own = t->id == ev->g || ev->type == GL_EV_GoStatus || ev->type == GL_EV_GoCarried;
    gl_lane_span s = {.begin = before ? l->m->begin : ev->time, .end = GL_TIME_NONE, .gor = gor, .reason = t->reason,
                 .stack = own ? ev->stack : 0, .p = takes_proc ? ev->p : GL_NO_PROC,
                 .thread = takes_proc ? ev->thread : GL_NO_THREAD, .since_before = before,
                 .kind = (uint8_t)kind_of_state(l->m, t->to, t->reason)};
    if (s.kind == GL_SPAN_RUNNABLE) {
        s.by = own ? 0 : ev->g;
        s.by_stack = own ? 0 : ev->stack;
    }
    change(l, slot, &s);
}

/* Help with marking is a part of running. */
static void take_assist(load *l, const gl_event *ev, gl_span_kind kind)
{
    uint32_t gor = gl_model_find(l->m, ev->g);
    uint32_t slot = gor == GL_NONE ? GL_NONE : find_slot(l->w, gor);
    const gl_lane_span *old = open_span(l, slot);
    if (!old || !gl_span_is_busy((gl_span_kind)old->kind) || old->kind == GL_SPAN_SYSCALL || old->kind == kind)
        return;
    gl_lane_span s = *old;
    s.begin = ev->time;
    s.kind = (uint8_t)kind;
    s.stack = ev->stack ? ev->stack : s.stack;
    s.since_before = false;
    change(l, slot, &s);
}

static void take_heap(load *l, const gl_event *ev)
{
    gl_window *w = l->w;
    gl_heap_point p = w->heap_count ? w->heap[w->heap_count - 1] : gl_model_heap_at(l->m, ev->time);
    p.time = ev->time;
    *(ev->type == GL_EV_HeapLive ? &p.live : &p.goal) = ev->arg[0];
    if (GL_ROOM(w->heap, w->heap_capacity, w->heap_count) < 0)
        l->status = GL_E_NOMEM;
    else
        w->heap[w->heap_count++] = p;
}

static void take_event(load *l, const gl_event *ev)
{
    gl_transition t;
    if (gl_event_transition(ev, &t) && t.id)
        take_transition(l, ev, &t);
    else if (ev->type == GL_EV_GCMarkAssistBegin)
        take_assist(l, ev, GL_SPAN_ASSIST);
    else if (ev->type == GL_EV_GCMarkAssistEnd)
        take_assist(l, ev, GL_SPAN_RUNNING);
    else if (ev->type == GL_EV_HeapLive || ev->type == GL_EV_HeapGoal)
        take_heap(l, ev);
    else if (ev->type >= GL_EV_ChanMake && ev->type <= GL_EV_ChanSelectEnd && gl_steps_take(&l->w->steps, l->m, ev) < 0)
        l->status = GL_E_NOMEM;
}

/* Spans stand in the order of events; a counting sort puts each goroutine's together and keeps that order. */
static int group_spans(gl_window *w)
{
    gl_lane_span *sorted = malloc((w->count ? w->count : 1) * sizeof *sorted);
    if (!sorted)
        return GL_E_NOMEM;
    uint32_t at = 0;
    for (size_t i = 0; i < w->slot_count; i++) {
        w->slots[i].first = at;
        at += w->slots[i].n;
        w->slots[i].n = 0;
    }
    for (size_t i = 0; i < w->count; i++) {
        gl_slot *slot = &w->slots[find_slot(w, w->spans[i].gor)];
        sorted[slot->first + slot->n++] = w->spans[i];
    }
    free(w->spans);
    w->spans = sorted;
    w->capacity = w->count;
    return 0;
}

static int read_events(load *l, gl_cursor *c, int64_t to, gl_error *err)
{
    for (;;) {
        const gl_event *ev;
        size_t n;
        int status = gl_cursor_next(c, &ev, &n, err);
        if (status < 0)
            return status;
        if (n == 0 || ev[0].time > to)
            return 0;
        for (size_t i = 0; i < n && l->status == 0; i++)
            take_event(l, &ev[i]);
        if (l->status < 0)
            return gl_fail(err, (gl_status)l->status, UINT64_MAX, "no memory is left for the spans of this window");
    }
}

static int window_read(gl_windows *ws, int64_t from, int64_t to, gl_window *w, gl_error *err)
{
    load l = {.w = w, .m = ws->model};
    const gl_goroutine_at *at;
    size_t n;
    w->from = from;
    w->to = to;
    w->revision = ws->model->info->usable_bytes;
    int status = gl_cursor_keyframe(ws->cursor, from, &at, &n, err);
    if (status == GL_E_NOT_FOUND) {
        n = 0;
        status = gl_cursor_seek(ws->cursor, from, err);
    }
    if (status == 0) {
        take_keyframe(&l, at, n, ws->model->begin);
        status = l.status;
    }
    if (status == 0)
        status = read_events(&l, ws->cursor, to, err);
    if (status == 0)
        status = group_spans(w);
    free(l.open);
    return status;
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
    memset(ws, 0, sizeof *ws);
}

/* A cached window that was read to what was then the end of a growing file is stale once more has come. */
static bool covers(const gl_model *m, const gl_window *w, int64_t from, int64_t to)
{
    return w && w->from <= from && w->to >= to && w->revision == m->info->usable_bytes;
}

static int keep(gl_windows *ws, gl_window *w)
{
    int oldest = 0;
    for (int i = 1; i < GL_WINDOWS; i++)
        if (!ws->w[i] || (ws->w[oldest] && ws->w[i]->used < ws->w[oldest]->used))
            oldest = i;
    window_free(ws->w[oldest]);
    ws->w[oldest] = w;
    return oldest;
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
    /* What is read reaches beyond what is shown, so that the next steps of a pan find it. */
    int64_t margin = (to - from) / 2;
    int64_t wide_from = from - m->begin > margin ? from - margin : m->begin;
    int64_t wide_to = m->end - to > margin ? to + margin : (to > m->end ? to : m->end);
    if (gl_nodes_events(&m->nodes, wide_from, wide_to) > GL_WINDOW_EVENTS_MAX / 2) {
        wide_from = from;
        wide_to = to;
        if (gl_nodes_events(&m->nodes, from, to) > GL_WINDOW_EVENTS_MAX)
            return GL_E_LIMIT;
    }
    gl_window *w = calloc(1, sizeof *w);
    if (!w)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory is left for the spans of this window");
    int status = window_read(ws, wide_from, wide_to, w, err);
    if (status == 0 && ws->want_units)
        status = gl_window_index(w, m);
    if (status < 0) {
        window_free(w);
        return status;
    }
    w->used = ++ws->clock;
    *out = ws->w[keep(ws, w)];
    return 0;
}

const gl_lane_span *gl_window_spans(const gl_window *w, uint32_t gor, size_t *n)
{
    uint32_t slot = find_slot(w, gor);
    *n = slot == GL_NONE ? 0 : w->slots[slot].n;
    return *n ? &w->spans[w->slots[slot].first] : NULL;
}

const gl_lane_span *gl_window_span_at(const gl_window *w, uint32_t gor, int64_t time)
{
    size_t n;
    const gl_lane_span *s = gl_window_spans(w, gor, &n);
    for (size_t lo = 0, hi = n; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;
        if (s[mid].end <= time)
            lo = mid + 1;
        else if (s[mid].begin > time)
            hi = mid;
        else
            return &s[mid];
    }
    return NULL;
}
