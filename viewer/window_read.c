/* Reading a window: spans from how things stood at its beginning, and the events after that. */
#include "window.h"

#include <stdlib.h>
#include <string.h>

#include "golanes/state.h"

#define NEAR_EVENTS 300000 /* a chunk, about */
#define SHORTLY 16384      /* events before a window in which a stand is left, so that the next window begins near it */

/* While a window is being read: spans come in order of events, each goroutine's last one is open. */
typedef struct load {
    gl_window *w;
    gl_model *m;
    int64_t reach;       /* the latest event so far */
    uint64_t begun;      /* the event that the last stand stood before */
    uint64_t skip;       /* events that come again before those after it */
    int status;
} load;

/* Until the spans are sorted a slot's `first` is the number + 1 of its open span, 0 none. */

static bool reach_gor(gl_window *w, uint32_t gor)
{
    if (gor < w->gor_capacity)
        return true;
    size_t capacity = (size_t)gor + gor / 2 + 256;
    uint32_t *p = gl_memory(w->slot_of_gor, capacity * sizeof *p);
    if (!p)
        return false;
    memset(p + w->gor_capacity, 0, (capacity - w->gor_capacity) * sizeof *p);
    w->slot_of_gor = p;
    w->gor_capacity = capacity;
    return true;
}

static uint32_t slot_for(load *l, uint32_t gor)
{
    gl_window *w = l->w;
    uint32_t slot = gl_window_slot(w, gor);
    if (slot != GL_NONE)
        return slot;
    if (GL_ROOM(w->slots, w->slot_capacity, w->slot_count) < 0 || !reach_gor(w, gor)) {
        l->status = GL_E_NOMEM;
        return GL_NONE;
    }
    w->slots[w->slot_count] = (gl_slot){0};
    w->slot_of_gor[gor] = (uint32_t)w->slot_count + 1;
    return (uint32_t)w->slot_count++;
}

static gl_lane_span *open_span(load *l, uint32_t slot)
{
    return slot != GL_NONE && l->w->slots[slot].first ? &l->w->spans[l->w->slots[slot].first - 1] : NULL;
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
    w->slots[slot].first = 0;
    if (s->kind == GL_SPAN_NONE)
        return;
    if (w->count >= GL_NONE - 1 || GL_ROOM(w->spans, w->capacity, w->count) < 0) {
        l->status = GL_E_NOMEM;
        return;
    }
    w->spans[w->count++] = *s;
    w->slots[slot].first = (uint32_t)w->count;
    w->slots[slot].n++;
}

static void take_stand(load *l, const gl_stand *s)
{
    for (size_t i = 0; i < s->n && l->status == 0; i++) {
        uint32_t slot = slot_for(l, s->open[i].gor);
        if (slot != GL_NONE)
            change(l, slot, &s->open[i]);
    }
}

/* Whoever comes back need not read what led here. */
static void leave_stand(load *l, gl_stands *stands, uint64_t event)
{
    const gl_window *w = l->w;
    l->begun = event;
    gl_lane_span *open = gl_memory(NULL, (w->slot_count ? w->slot_count : 1) * sizeof *open);
    size_t n = 0;
    for (size_t i = 0; open && i < w->slot_count; i++)
        if (w->slots[i].first)
            open[n++] = w->spans[w->slots[i].first - 1];
    if (open)
        gl_stands_keep(stands, event, l->reach, open, n);
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

/* gor: of t->id, GL_NONE where it is not known yet. */
static void take_transition(load *l, const gl_event *ev, const gl_transition *t, uint32_t gor)
{
    gor = gor == GL_NONE ? gl_model_add(l->m, t->id, ev->time) : gor;
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
    uint32_t slot = gor == GL_NONE ? GL_NONE : gl_window_slot(l->w, gor);
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

static void take_other(load *l, const gl_event *ev)
{
    if (ev->type == GL_EV_GCMarkAssistBegin)
        take_assist(l, ev, GL_SPAN_ASSIST);
    else if (ev->type == GL_EV_GCMarkAssistEnd)
        take_assist(l, ev, GL_SPAN_RUNNING);
    else if (ev->type == GL_EV_HeapLive || ev->type == GL_EV_HeapGoal)
        take_heap(l, ev);
    else if (ev->type >= GL_EV_ChanMake && ev->type <= GL_EV_ChanSelectEnd && gl_steps_take(&l->w->steps, l->m, ev) < 0)
        l->status = GL_E_NOMEM;
}

#define BATCH 64

typedef struct move {
    gl_transition t;
    uint32_t gor;  /* GL_NONE: not known yet */
    bool is;
} move;

/* With very many goroutines each step to an event's span waits for memory: many at once wait together. */
static void look_ahead(const load *l, const gl_event *ev, size_t n, move *out)
{
    const gl_window *w = l->w;
    for (size_t i = 0; i < n; i++) {
        out[i].is = gl_event_transition(&ev[i], &out[i].t) && out[i].t.id;
        out[i].gor = out[i].is ? gl_model_find(l->m, out[i].t.id) : GL_NONE;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = out[i].gor == GL_NONE ? GL_NONE : gl_window_slot(w, out[i].gor);
        if (slot != GL_NONE && w->slots[slot].first)
            __builtin_prefetch(&w->spans[w->slots[slot].first - 1], 1);
    }
}

static void take_events(load *l, const gl_event *ev, size_t n)
{
    move moves[BATCH];
    for (size_t i = 0; i < n && l->status == 0; i++) {
        const move *m = &moves[i % BATCH];
        if (i % BATCH == 0)
            look_ahead(l, &ev[i], n - i < BATCH ? n - i : BATCH, moves);
        l->reach = ev[i].time > l->reach ? ev[i].time : l->reach;
        if (m->is)
            take_transition(l, &ev[i], &m->t, m->gor);
        else
            take_other(l, &ev[i]);
    }
}

/* Spans stand in the order of events; a counting sort puts each goroutine's together and keeps that order. */
static int group_spans(gl_window *w)
{
    if (gl_list_reserve(&w->sorted, &w->sorted_capacity, w->count ? w->count : 1, sizeof *w->sorted) < 0)
        return GL_E_NOMEM;
    gl_lane_span *sorted = w->sorted;
    size_t capacity = w->sorted_capacity;
    uint32_t at = 0;
    for (size_t i = 0; i < w->slot_count; i++) {
        w->slots[i].first = at;
        at += w->slots[i].n;
        w->slots[i].n = 0;
    }
    for (size_t i = 0; i < w->count; i++) {
        gl_slot *slot = &w->slots[gl_window_slot(w, w->spans[i].gor)];
        sorted[slot->first + slot->n++] = w->spans[i];
    }
    w->sorted = w->spans;
    w->sorted_capacity = w->capacity;
    w->spans = sorted;
    w->capacity = capacity;
    return 0;
}

/* Between chunks, and shortly before the window, where it costs less than to come here again. */
static bool is_worth_a_stand(const load *l, uint64_t at, bool new_chunk, uint64_t goal)
{
    if (l->reach >= l->w->from || l->skip || at <= l->begun)
        return false;
    return new_chunk || (at + SHORTLY > goal && at - l->begun > l->w->slot_count / 4);
}

static int read_events(load *l, gl_windows *ws, int64_t to, gl_error *err)
{
    uint64_t goal = gl_nodes_events(&l->m->nodes, INT64_MIN, l->w->from);
    for (;;) {
        const gl_event *ev;
        size_t n;
        uint64_t at;
        bool new_chunk = gl_cursor_position(ws->cursor, &at);
        if (is_worth_a_stand(l, at, new_chunk, goal))
            leave_stand(l, &ws->stands, at);
        int status = gl_cursor_next(ws->cursor, &ev, &n, err);
        if (status == 0 && l->skip) {
            size_t known = l->skip < n ? (size_t)l->skip : n;
            l->skip = n ? l->skip - known : 0;
            ev += known;
            n -= known;
            if (known && n == 0)
                continue;
        }
        if (status < 0)
            return status;
        if (n == 0 || ev[0].time > to)
            return 0;
        take_events(l, ev, n);
        if (l->status < 0)
            return gl_fail(err, (gl_status)l->status, UINT64_MAX, "no memory is left for the spans of this window");
    }
}

static int begin_at(load *l, gl_windows *ws, const gl_stand *stand, gl_error *err)
{
    uint64_t at = 0;
    int status = gl_cursor_seek_event(ws->cursor, stand->event, err);
    (void)gl_cursor_position(ws->cursor, &at);
    l->reach = stand->reach;
    l->begun = stand->event;
    l->skip = stand->event > at ? stand->event - at : 0;
    take_stand(l, stand);
    return status;
}

/* Puts the cursor before the window, with what is known of how things stand there. */
static int begin_near(load *l, gl_windows *ws, int64_t from, gl_error *err)
{
    const gl_stand *stand = gl_stands_find(&ws->stands, from);
    if (stand && gl_nodes_events(&l->m->nodes, stand->reach, from) < NEAR_EVENTS)
        return begin_at(l, ws, stand, err);
    const gl_goroutine_at *at;
    size_t n;
    uint64_t event = 0;
    int status = gl_cursor_keyframe(ws->cursor, from, &at, &n, err);
    if (status < 0)
        return status == GL_E_NOT_FOUND ? gl_cursor_seek(ws->cursor, from, err) : status;
    (void)gl_cursor_position(ws->cursor, &event);
    if (stand && stand->event > event)
        return begin_at(l, ws, stand, err);
    l->begun = event;
    take_keyframe(l, at, n, l->m->begin);
    return 0;
}

int gl_window_read(gl_windows *ws, int64_t from, int64_t to, gl_window *w, gl_error *err)
{
    load l = {.w = w, .m = ws->model, .reach = INT64_MIN};
    w->from = from;
    w->to = to;
    w->revision = ws->model->info->usable_bytes;
    w->serial = ++ws->serials;
    int status = begin_near(&l, ws, from, err);
    if (status == 0 && l.status < 0)
        status = gl_fail(err, (gl_status)l.status, UINT64_MAX, "no memory is left for the spans of this window");
    if (status == 0)
        status = read_events(&l, ws, to, err);
    if (status == 0)
        status = group_spans(w);
    return status;
}
