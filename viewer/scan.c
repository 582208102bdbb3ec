/* The catalogue's pass over the events: goroutines and their times, pauses, straddles, notes, heap. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "golanes/state.h"

static int64_t positive(int64_t ns) { return ns > 0 ? ns : 0; }

static int group_of(gl_model *m, uint32_t name, uint32_t *out)
{
    *out = gl_ids_get(&m->by_name, name);
    if (*out != GL_NONE)
        return 0;
    if (GL_ROOM(m->groups, m->group_capacity, m->group_count) < 0 ||
        gl_ids_put(&m->by_name, name, (uint32_t)m->group_count) < 0)
        return GL_E_NOMEM;
    const char *text = gl_model_text(m, name);
    m->groups[m->group_count] = (gl_group){.name = name, .first = GL_TIME_NONE};
    m->groups[m->group_count].system = (strncmp(text, "runtime.", 8) == 0 && strcmp(text, "runtime.main") != 0) ||
                                       strncmp(text, "runtime/trace.", 14) == 0;
    *out = (uint32_t)m->group_count++;
    return 0;
}

static int join_group(gl_model *m, gl_gor *g, uint32_t name)
{
    uint32_t group;
    if (group_of(m, name, &group) < 0)
        return GL_E_NOMEM;
    if (g->group < m->group_count) {
        gl_group *old = &m->groups[g->group];
        old->n--;
        old->alive -= g->last == GL_TIME_NONE;
        old->straddles -= g->straddles;
        old->straddle_ns -= g->straddle_ns;
    }
    gl_group *new = &m->groups[group];
    g->group = group;
    new->n++;
    new->alive += g->last == GL_TIME_NONE;
    new->straddles += g->straddles;
    new->straddle_ns += g->straddle_ns;
    if (g->first < new->first)
        new->first = g->first;
    return 0;
}

uint32_t gl_model_add(gl_model *m, uint64_t id, int64_t time)
{
    uint32_t at = gl_model_find(m, id);
    if (at != GL_NONE)
        return at;
    if (gl_spill_grow(&m->gors_spill, &m->gors, &m->gor_capacity, m->gor_count, sizeof *m->gors, GL_SPILL_FROM) < 0 ||
        gl_id_map_put(&m->by_id, id, (uint32_t)m->gor_count) < 0)
        return GL_NONE;
    gl_model_pass(m, m->gor_count);
    gl_gor *g = &m->gors[m->gor_count];
    *g = (gl_gor){.id = id, .first = time, .last = GL_TIME_NONE, .group = GL_NONE, .first_straddle = GL_NONE, .life = GL_NONE};
    if (join_group(m, g, 0) < 0)
        return GL_NONE;
    return (uint32_t)m->gor_count++;
}

/* NULL: no memory. */
static gl_life *life_of(gl_model *m, uint32_t gor)
{
    gl_gor *g = &m->gors[gor];
    if (g->life != GL_NONE)
        return &m->lives[g->life];
    if (m->free_life_count) {
        g->life = m->free_lives[--m->free_life_count];
    } else if (GL_ROOM(m->lives, m->life_capacity, m->life_count) == 0) {
        g->life = (uint32_t)m->life_count++;
    } else {
        return NULL;
    }
    gl_life *x = &m->lives[g->life];
    *x = (gl_life){.gor = gor, .since = g->last == GL_TIME_NONE ? g->first : g->last, .send_begin = GL_TIME_NONE,
                   .unparked = GL_TIME_NONE, .last_straddle = GL_NONE, .p = GL_NO_PROC, .thread = GL_NO_THREAD,
                   .op = {.chan = GL_NONE, .gor = gor, .last = g->last_chan}};
    for (uint32_t i = g->first_straddle; i != GL_NONE; i = m->straddles[i].next_of_gor)
        x->last_straddle = i; /* it has lived before */
    return x;
}

static int end_life(gl_model *m, gl_gor *g, int64_t time)
{
    m->groups[g->group].alive -= g->last == GL_TIME_NONE;
    g->last = time;
    if (GL_ROOM(m->free_lives, m->free_life_capacity, m->free_life_count) < 0)
        return GL_E_NOMEM;
    gl_life *x = &m->lives[g->life];
    g->last_chan = x->op.last;
    *x = (gl_life){.gor = GL_NONE};
    m->free_lives[m->free_life_count++] = g->life;
    g->life = GL_NONE;
    return 0;
}

/* String id of a stack's outermost function. Stacks repeat, so the answer is kept. */
static uint32_t root_name(gl_model *m, uint32_t stack)
{
    if (stack >= m->root_capacity) {
        size_t capacity = (size_t)gl_dict_stack_count(m->dict) + 64;
        uint32_t *p = stack < capacity ? realloc(m->root_of_stack, capacity * sizeof *p) : NULL;
        if (!p)
            return 0;
        memset(p + m->root_capacity, 0, (capacity - m->root_capacity) * sizeof *p);
        m->root_of_stack = p;
        m->root_capacity = capacity;
    }
    if (!m->root_of_stack[stack]) {
        size_t n;
        const uint32_t *frames = gl_dict_get_stack(m->dict, stack, &n);
        uint32_t name = n ? gl_dict_get_func(m->dict, gl_dict_get_frame(m->dict, frames[n - 1]).func).name : 0;
        m->root_of_stack[stack] = name + 1;
    }
    return m->root_of_stack[stack] - 1;
}

int gl_model_name(gl_model *m, uint32_t gor, uint32_t stack)
{
    gl_gor *g = &m->gors[gor];
    if (!stack || (g->group < m->group_count && m->groups[g->group].name))
        return 0;
    uint32_t name = root_name(m, stack);
    return name ? join_group(m, g, name) : 0;
}

/* The pauses that a send touched: those that began before its end and had not ended at its begin. */
static void measure_overlap(gl_model *m, gl_straddle *s)
{
    int64_t restart = INT64_MIN;
    for (size_t i = gl_model_pause_after(m, s->begin); i < m->pause_count && m->pauses[i].begin < s->end; i++) {
        gl_pause *p = &m->pauses[i];
        if (!p->gc)
            continue;
        int64_t from = p->begin > s->begin ? p->begin : s->begin, to = p->end < s->end ? p->end : s->end;
        if (to <= from)
            continue;
        if (s->pauses++ == 0)
            s->pause = (uint32_t)i;
        s->overlap += to - from;
        restart = p->end;
        if (s->unparked != GL_TIME_NONE && s->unparked >= p->begin && s->unparked < p->end)
            s->released_inside = true;
    }
    s->delay = s->pauses && restart != GL_TIME_NONE && s->end >= restart ? s->end - restart : -1;
}

static int add_straddle(gl_model *m, uint32_t gor, gl_straddle s)
{
    measure_overlap(m, &s);
    if (!s.pauses)
        return 0;
    if (m->straddle_count >= GL_NONE - 1 || GL_ROOM(m->straddles, m->straddle_capacity, m->straddle_count) < 0)
        return GL_E_NOMEM;
    uint32_t at = (uint32_t)m->straddle_count++;
    gl_gor *g = &m->gors[gor];
    gl_life *life = life_of(m, gor);
    if (!life)
        return GL_E_NOMEM;
    s.next_of_gor = GL_NONE;
    m->straddles[at] = s;
    uint32_t chan = gl_chans_find(&m->chans, s.chan);
    if (chan != GL_NONE) {
        m->chans.list[chan].straddles++;
        m->chans.list[chan].straddle_ns += s.overlap;
    }
    m->straddle_longest = s.end - s.begin > m->straddle_longest ? s.end - s.begin : m->straddle_longest;
    if (life->last_straddle == GL_NONE)
        g->first_straddle = at;
    else
        m->straddles[life->last_straddle].next_of_gor = at;
    life->last_straddle = at;
    g->straddles++;
    g->straddle_ns += s.overlap;
    m->groups[g->group].straddles++;
    m->groups[g->group].straddle_ns += s.overlap;
    for (uint32_t i = s.pause, seen = 0; seen < s.pauses && i < m->pause_count; i++)
        if (m->pauses[i].gc)
            m->pauses[i].straddles++, seen++;
    return 0;
}

static int end_send(gl_model *m, uint32_t gor, int64_t time)
{
    gl_life *x = life_of(m, gor);
    if (!x || x->send_begin == GL_TIME_NONE)
        return x ? 0 : GL_E_NOMEM;
    gl_straddle s = {.begin = x->send_begin, .end = time, .unparked = x->unparked, .g = m->gors[gor].id, .by = x->unparked_by,
                     .chan = x->chan, .gor = gor, .stack = x->stack, .unpark_stack = x->unpark_stack};
    x->send_begin = GL_TIME_NONE;
    x->chan = 0;
    x->recorded = false;
    return add_straddle(m, gor, s);
}

static void begin_wait(gl_model *m, gl_life *x, const gl_event *ev, uint32_t reason)
{
    x->reason = reason;
    x->stack = ev->stack ? ev->stack : x->stack;
    x->unparked = GL_TIME_NONE;
    x->unparked_by = 0;
    if (!x->recorded && gl_model_kind(m, reason) == GL_SPAN_SEND)
        x->send_begin = ev->time;
}

static int take_transition(gl_model *m, const gl_event *ev, const gl_transition *t)
{
    uint32_t at = gl_model_add(m, t->id, ev->time);
    if (at == GL_NONE)
        return GL_E_NOMEM;
    gl_gor *g = &m->gors[at];
    gl_life *x = life_of(m, at);
    if (!x)
        return GL_E_NOMEM;
    /* What a status tells, it tells of the time before it too. */
    bool told = t->from == GL_G_UNDETERMINED && x->since == g->first;
    if (told) {
        g->from_before = true;
        x->since = g->first = m->begin;
    }
    if (t->to == t->from)
        return 0;
    if (gl_use_take(&m->use, ev, t, &x->p, &x->thread) < 0 ||
        ((x->op.chan != GL_NONE || x->op.select) && gl_chans_wait(&m->chans, &x->op, ev->time, t->to == GL_G_WAITING) < 0))
        return GL_E_NOMEM;
    if (t->from == GL_G_NOT_EXIST)
        g->first = x->since = ev->time;
    if (g->state >= GL_G_RUNNABLE && g->state < GL_G_STATES)
        g->ns[g->state - GL_G_RUNNABLE] += positive(ev->time - x->since);
    if (t->to == GL_G_WAITING)
        begin_wait(m, x, ev, t->reason);
    if (t->from == GL_G_WAITING && t->to == GL_G_RUNNABLE) {
        x->unparked = ev->time;
        x->unparked_by = ev->g;
        x->unpark_stack = ev->stack;
    }
    g->state = t->to;
    x->since = told ? m->begin : ev->time;
    if (t->to == GL_G_NOT_EXIST)
        return end_life(m, g, ev->time);
    if (t->to == GL_G_RUNNING && !x->recorded)
        return end_send(m, at, ev->time);
    return 0;
}

static int take_create(gl_model *m, const gl_event *ev)
{
    uint32_t at = gl_model_find(m, ev->arg[0]);
    if (at == GL_NONE)
        return 0;
    m->gors[at].creator = ev->g;
    m->gors[at].start_stack = (uint32_t)ev->arg[2];
    return gl_model_name(m, at, (uint32_t)ev->arg[2]);
}

static int begin_recorded_send(gl_model *m, const gl_event *ev)
{
    uint32_t at = gl_model_find(m, ev->g);
    if (at == GL_NONE)
        return 0;
    gl_life *x = life_of(m, at);
    if (!x)
        return GL_E_NOMEM;
    x->send_begin = ev->time;
    x->chan = ev->type == GL_EV_ChanSendBegin ? ev->arg[0] : 0;
    x->stack = ev->stack;
    x->recorded = true;
    x->unparked = GL_TIME_NONE;
    return 0;
}

/* NULL where none is going on. */
static gl_life *recorded_send(gl_model *m, uint32_t gor)
{
    uint32_t life = gor == GL_NONE ? GL_NONE : m->gors[gor].life;
    return life == GL_NONE || !m->lives[life].recorded ? NULL : &m->lives[life];
}

static int end_recorded_send(gl_model *m, const gl_event *ev)
{
    uint32_t at = gl_model_find(m, ev->g);
    gl_life *x = recorded_send(m, at);
    if (!x)
        return 0;
    if (ev->arg[2] == GL_CHAN_WOULD_BLOCK) /* it has not taken place */
        x->send_begin = GL_TIME_NONE;
    x->recorded = false;
    return end_send(m, at, ev->time);
}

static int take_pause_begin(gl_model *m, const gl_event *ev)
{
    if (GL_ROOM(m->pauses, m->pause_capacity, m->pause_count) < 0)
        return GL_E_NOMEM;
    gl_pause *p = &m->pauses[m->pause_count++];
    *p = (gl_pause){
        .begin = ev->time, .end = GL_TIME_NONE, .g = ev->g, .reason = (uint32_t)ev->arg[0], .stack = ev->stack};
    p->gc = gl_stop_is_gc(gl_model_text(m, p->reason));
    m->gc_pause_count += p->gc;
    return 0;
}

static int take_pause_end(gl_model *m, const gl_event *ev)
{
    gl_pause *p = m->pause_count ? &m->pauses[m->pause_count - 1] : NULL;
    if (p && p->end == GL_TIME_NONE) {
        p->end = ev->time > p->begin ? ev->time : p->begin;
        m->pause_ns += p->gc ? p->end - p->begin : 0;
    }
    return 0;
}

static int take_gc_begin(gl_model *m, const gl_event *ev)
{
    if (m->gc_count && m->gcs[m->gc_count - 1].end == GL_TIME_NONE)
        return 0;
    if (GL_ROOM(m->gcs, m->gc_capacity, m->gc_count) < 0)
        return GL_E_NOMEM;
    m->gcs[m->gc_count++] = (gl_stretch){ev->time, GL_TIME_NONE, ev->arg[0]};
    return 0;
}

static int take_gc_end(gl_model *m, const gl_event *ev)
{
    if (m->gc_count && m->gcs[m->gc_count - 1].end == GL_TIME_NONE)
        m->gcs[m->gc_count - 1].end = ev->time;
    return 0;
}

static int take_note(gl_model *m, const gl_event *ev)
{
    if (GL_ROOM(m->notes, m->note_capacity, m->note_count) < 0)
        return GL_E_NOMEM;
    uint32_t text = (uint32_t)ev->arg[ev->type == GL_EV_Lost ? 3 : 0];
    m->notes[m->note_count++] = (gl_note){ev->time, ev->g, text, ev->type};
    return 0;
}

/* Neighbours in pairs, as if from the earlier one's time on: the larger heap, the later goal. What comes from now on is
 * as far apart as what is there, so that no part of a long trace is told in fewer points than the others. */
static void thin_heap(gl_model *m)
{
    size_t n = m->heap_count / 2;
    int64_t range = m->heap[m->heap_count - 1].time - m->heap[0].time, step = range / (int64_t)n;
    for (size_t i = 0; i < n; i++) {
        gl_heap_point a = m->heap[2 * i], b = m->heap[2 * i + 1];
        m->heap[i] = (gl_heap_point){a.time, a.live > b.live ? a.live : b.live, b.goal};
    }
    m->heap_count = n;
    m->heap_step = step > m->heap_step ? step : m->heap_step;
}

static int take_heap(gl_model *m, const gl_event *ev)
{
    if (!m->heap && !(m->heap = calloc(GL_HEAP_POINTS, sizeof *m->heap)))
        return GL_E_NOMEM;
    *(ev->type == GL_EV_HeapLive ? &m->heap_live : &m->heap_goal) = ev->arg[0];
    gl_heap_point *last = m->heap_count ? &m->heap[m->heap_count - 1] : NULL;
    if (last && ev->time - last->time < m->heap_step) {
        last->live = m->heap_live > last->live ? m->heap_live : last->live;
        last->goal = m->heap_goal;
        return 0;
    }
    if (m->heap_count == GL_HEAP_POINTS)
        thin_heap(m);
    m->heap[m->heap_count++] = (gl_heap_point){ev->time, m->heap_live, m->heap_goal};
    return 0;
}

static int take_clock(gl_model *m, const gl_event *ev)
{
    if (!m->wall_unix_ns && ev->arg[2])
        m->wall_unix_ns = (int64_t)(ev->arg[2] - (uint64_t)ev->time);
    return 0;
}

static int take_procs(gl_model *m, const gl_event *ev)
{
    m->procs = ev->arg[0];
    return 0;
}

/* A select that chose a send case counts as a send; which case it will be is only known at its end. */
static int end_recorded_select(gl_model *m, const gl_event *ev)
{
    uint32_t at = gl_model_find(m, ev->g);
    gl_life *x = recorded_send(m, at);
    if (!x)
        return 0;
    if (ev->arg[1] != GL_CHAN_SEND)
        x->send_begin = GL_TIME_NONE;
    x->chan = ev->arg[0];
    x->recorded = false;
    return end_send(m, at, ev->time);
}

typedef int (*taker)(gl_model *m, const gl_event *ev);
static const taker takers[GL_EV_LIMIT] = {
    [GL_EV_GoCreate] = take_create,
    [GL_EV_ChanSendBegin] = begin_recorded_send,
    [GL_EV_ChanSendEnd] = end_recorded_send,
    [GL_EV_ChanSelectBegin] = begin_recorded_send,
    [GL_EV_ChanSelectEnd] = end_recorded_select,
    [GL_EV_GCSTWBegin] = take_pause_begin,
    [GL_EV_GCSTWEnd] = take_pause_end,
    [GL_EV_GCStart] = take_gc_begin,
    [GL_EV_GCActive] = take_gc_begin,
    [GL_EV_GCEnd] = take_gc_end,
    [GL_EV_Panic] = take_note,
    [GL_EV_Lost] = take_note,
    [GL_EV_HeapLive] = take_heap,
    [GL_EV_HeapGoal] = take_heap,
    [GL_EV_ClockSync] = take_clock,
    [GL_EV_ProcsChange] = take_procs,
};

/* A stack in a goroutine's own context ends in its start function; GoStatus carries the stack of whom it names. */
static int name_by_stack(gl_model *m, const gl_event *ev)
{
    bool status = ev->type == GL_EV_GoStatus || ev->type == GL_EV_GoCarried;
    if (!ev->stack || (!status && !ev->g))
        return 0;
    uint32_t at = gl_model_find(m, status ? ev->arg[0] : ev->g);
    return at == GL_NONE ? 0 : gl_model_name(m, at, ev->stack);
}

/* What only a recorder, or the program itself, tells. */
static int take_told(gl_model *m, const gl_event *ev)
{
    if (ev->type >= GL_EV_ChanMake && ev->type <= GL_EV_ChanSelectEnd) {
        gl_chan_op none = {.chan = GL_NONE, .gor = GL_NONE};
        uint32_t at = gl_model_find(m, ev->g);
        gl_life *x = at == GL_NONE ? NULL : life_of(m, at);
        return gl_chans_take(&m->chans, ev, x ? &x->op : &none);
    }
    return ev->type >= GL_EV_TaskBegin && ev->type <= GL_EV_RegionEnd ? gl_tasks_take(&m->tasks, ev, m->begin) : 0;
}

int gl_model_take(gl_model *m, const gl_event *events, size_t n)
{
    int status = 0;
    for (size_t i = 0; i < n && status == 0; i++) {
        const gl_event *ev = &events[i];
        gl_transition t;
        if (gl_event_transition(ev, &t) && t.id)
            status = take_transition(m, ev, &t);
        if (status == 0 && ev->stack)
            status = name_by_stack(m, ev);
        if (status == 0 && ev->type < GL_EV_LIMIT && takers[ev->type])
            status = takers[ev->type](m, ev);
        if (status == 0)
            status = take_told(m, ev);
    }
    if (n) {
        m->scanned_events += n;
        if (events[n - 1].time > m->scanned_to)
            m->scanned_to = events[n - 1].time;
    }
    return status;
}
