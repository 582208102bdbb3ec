/*
 * First pass over a v1 trace. Batches have no length, so every event has to be stepped over once: that shows where each
 * P's batches lie, where the structure is broken, and what stands in the footer.
 *
 * Only the time of most events is read here, and few of them need more.
 */
#include "v1_fast.h"
#include "v1_walk.h"

#include <stdlib.h>

#define EVENT_BYTES_MAX 4096u       /* more than an event's byte and numbers can take */
#define EXTENT_BYTES_MAX (1u << 30) /* no batch comes near */

int gl_v1_room(void *array, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return 0;
    void *at;
    memcpy(&at, array, sizeof at);
    uint64_t more = *room ? (uint64_t)*room * 2 : 64;
    void *grown = more < UINT32_MAX ? realloc(at, (size_t)more * size) : NULL;
    if (!grown)
        return GL_E_NOMEM;
    memcpy(array, &grown, sizeof grown);
    *room = (uint32_t)more;
    return 0;
}

/* The window */

/* Makes n bytes ready, fewer only at the end of the input. 0 or negative. */
int gl_v1_walk_ensure(gl_v1_walker *w, size_t n)
{
    size_t have = (size_t)(w->end - w->at);
    if (have >= n)
        return 0;
    w->base = gl_v1_walk_offset(w, w->at);
    memmove(w->window, w->at, have);
    w->at = w->window;
    if (n > w->room) {
        uint8_t *grown = realloc(w->window, n);
        if (!grown)
            return GL_E_NOMEM;
        w->window = grown;
        w->at = grown;
        w->room = n;
    }
    w->end = w->at + have;
    ssize_t got = gl_input_read(w->t->in, w->base + have, w->window + have, w->room - have);
    if (got < 0)
        return (int)got;
    w->end += got;
    if (got == 0)
        w->t->size = gl_v1_walk_offset(w, w->end); /* the input got shorter meanwhile */
    const gl_gotrace_options *opt = w->t->opt;
    if (opt && opt->on_progress && opt->on_progress(opt->progress_user, w->base / 2, w->t->size))
        return GL_E_CANCELLED;
    return 0;
}

/* Ps and extents */

/* *proc: V1_NONE where there are too many. */
static int find_proc(gl_v1_trace *t, int32_t pid, uint32_t *proc)
{
    uint64_t key = (uint64_t)((int64_t)pid + 2);
    if (gl_v1_ids_get(&t->proc_of, key, proc))
        return 0;
    *proc = V1_NONE;
    if (t->proc_count == V1_PROCS_MAX)
        return 0;
    int rc = gl_v1_room(&t->procs, t->proc_count, &t->proc_room, sizeof *t->procs);
    if (rc < 0)
        return rc;
    *proc = t->proc_count++;
    t->procs[*proc] = (gl_v1_proc){.first = V1_NONE, .last_gap = V1_NONE, .thread = GL_NO_THREAD, .pid = pid};
    return gl_v1_ids_put(&t->proc_of, key, *proc);
}

/* Ends the open extent before an offset. One without events is forgotten, unless something is missing behind it. */
void gl_v1_walk_close(gl_v1_walker *w, uint64_t end, uint32_t gap)
{
    gl_v1_trace *t = w->t;
    if (!w->open)
        return;
    w->open = false;
    gl_v1_extent *x = &t->extents[t->extent_count - 1];
    x->length = (uint32_t)(end - x->offset);
    x->exit_min = w->exit_min;
    x->gap = gap;
    if (!w->has_events && gap == V1_NONE)
        t->extent_count--;
}

int gl_v1_walk_open(gl_v1_walker *w, uint64_t offset, int64_t ticks)
{
    gl_v1_trace *t = w->t;
    int rc = gl_v1_room(&t->extents, t->extent_count, &t->extent_room, sizeof *t->extents);
    if (rc < 0)
        return rc;
    t->extents[t->extent_count++] = (gl_v1_extent){
        .offset = offset, .limit = ticks, .proc = w->proc, .next = V1_NONE, .gap = V1_NONE};
    w->open = true;
    w->has_events = false;
    w->exit_min = UINT64_MAX;
    w->max_before = t->max_ticks;
    w->events_before = t->events;
    return 0;
}

/* The latest time of the Ps that are whole. */
static int64_t last_sound_time(const gl_v1_trace *t)
{
    int64_t last = INT64_MIN;
    for (uint32_t i = 0; i < t->proc_count; i++)
        if (!t->procs[i].cut && t->procs[i].last > last)
            last = t->procs[i].last;
    return last == INT64_MIN ? INT64_MAX : last;
}

/* Gives the extents of each P their order, and says from each on what the earliest true return from a call is. */
static void link_extents(gl_v1_trace *t)
{
    int64_t end = last_sound_time(t);
    for (uint32_t i = 0; i < t->proc_count; i++)
        t->procs[i].last = end;
    for (uint32_t i = t->extent_count; i-- > 0;) {
        gl_v1_extent *x = &t->extents[i];
        gl_v1_proc *p = &t->procs[x->proc];
        x->next = p->first;
        if (p->first != V1_NONE && t->extents[p->first].exit_min < x->exit_min)
            x->exit_min = t->extents[p->first].exit_min;
        p->first = i;
        int64_t ticks = x->limit;
        x->limit = p->last;
        p->last = ticks;
    }
}

/* What an event says. Each returns 1, 0 where it contradicts the format, or a negative status. */

static int take_batch(gl_v1_walker *w, const gl_v1_raw *raw, uint64_t offset)
{
    gl_v1_trace *t = w->t;
    int32_t pid;
    uint32_t proc;
    if (!gl_v1_batch_pid(raw, &pid))
        return 0;
    int rc = find_proc(t, pid, &proc);
    if (rc < 0 || proc == V1_NONE)
        return rc;
    int64_t ticks = (int64_t)raw->number[t->wire.times];
    gl_v1_proc *p = &t->procs[proc];
    if (!gl_v1_believable_time(t, p->batch ? proc : V1_NONE, ticks))
        return 0;
    w->seq = raw->number[1];
    if (t->batches++ == 0)
        t->first_ticks = ticks;
    if (p->last_gap != V1_NONE) {
        t->gaps[p->last_gap].until = ticks;
        t->gaps[p->last_gap].has_until = true;
    }
    p->last_gap = V1_NONE;
    p->cut = false;
    p->last = p->batch = ticks;
    if (w->open && w->proc == proc && offset - t->extents[t->extent_count - 1].offset < V1_EXTENT_BYTES)
        return 1;
    gl_v1_walk_close(w, offset, V1_NONE);
    w->proc = proc;
    rc = gl_v1_walk_open(w, offset, ticks);
    return rc < 0 ? rc : 1;
}

static int take_name(gl_v1_walker *w, const gl_v1_raw *raw)
{
    gl_v1_trace *t = w->t;
    int rc = gl_v1_walk_ensure(w, raw->blob);
    if (rc < 0)
        return rc;
    if ((size_t)(w->end - w->at) < raw->blob || !t->opt)
        return 1;
    if (raw->type == V1_EV_String)
        return (rc = gl_v1_take_string(t, raw->number[0], w->at, raw->blob)) < 0 ? rc : 1;
    bool later;
    rc = gl_v1_take_stack(t, w->at, raw->blob, false, &later);
    if (rc == 0 && later && (rc = gl_v1_room(&t->late, t->late_count, &t->late_room, sizeof *t->late)) == 0)
        t->late[t->late_count++] = (struct gl_v1_late){gl_v1_walk_offset(w, w->at), raw->blob};
    return rc < 0 ? rc : 1;
}

static int take_sample(gl_v1_walker *w, const gl_v1_raw *raw)
{
    gl_v1_trace *t = w->t;
    int rc = gl_v1_room(&t->samples, t->sample_count, &t->sample_room, sizeof *t->samples);
    if (rc < 0)
        return rc;
    const uint64_t *a = raw->number + w->t->wire.times;
    t->samples[t->sample_count] = (gl_v1_sample){
        .ticks = (int64_t)a[0],
        .p = (uint32_t)a[1],
        .g = a[2] & (V1_GOROUTINE_LIMIT - 1),
        .stack = (uint32_t)a[3],
        .order = t->sample_count,
    };
    t->sample_count++;
    return 1;
}

static void note_time(gl_v1_trace *t, int64_t ticks)
{
    if (t->events++ == 0)
        t->min_ticks = t->max_ticks = ticks;
    if (ticks < t->min_ticks)
        t->min_ticks = ticks;
    if (ticks > t->max_ticks)
        t->max_ticks = ticks;
}

/* The few events that say more than their time. */
static void take_special(gl_v1_walker *w, const gl_v1_raw *raw)
{
    unsigned times = w->t->wire.times;
    if (raw->type == V1_EV_Gomaxprocs)
        w->t->has_gomaxprocs = true;
    if (raw->type == V1_EV_GoSysExit) {
        uint64_t key = raw->number[times + (times == 2 ? 1 : 2)];
        if (key != 0 && key < w->exit_min)
            w->exit_min = key;
    }
}

static inline void take_timed(gl_v1_walker *w, gl_v1_proc *p, const gl_v1_raw *raw)
{
    gl_v1_trace *t = w->t;
    uint64_t delta = raw->number[t->wire.times - 1];
    t->times_refused += delta >= V1_DELTA_LIMIT;
    p->last = gl_v1_later(p->last, delta);
    w->seq += raw->number[0];
    note_time(t, p->last);
    if (raw->type == V1_EV_GoSysExit || raw->type == V1_EV_Gomaxprocs)
        take_special(w, raw);
}

/* Whether an event may stand here: behind a batch's header, and not farther from it than any batch is long. */
static bool takes_events(const gl_v1_walker *w, uint64_t offset)
{
    return w->open && offset - w->t->extents[w->t->extent_count - 1].offset <= EXTENT_BYTES_MAX;
}

/* A row of events of numbers only, which nearly all are, as far as it goes. */
static void walk_run(gl_v1_walker *w)
{
    const gl_v1_wire *wire = &w->t->wire;
    gl_v1_proc *p = &w->t->procs[w->proc];
    const uint8_t *at = w->at, *end = w->end;
    gl_v1_raw raw;
    while (end - at >= V1_FAST_BYTES && wire->plain >> (*at & 0x3f) & 1 &&
           gl_v1_skim_event(wire, &at, end, &raw) == V1_STEP_OK) {
        take_timed(w, p, &raw);
        w->has_events = true;
    }
    w->at = at;
}

static int take_event(gl_v1_walker *w, const gl_v1_raw *raw, uint64_t offset)
{
    switch (raw->type) {
    case V1_EV_Batch:
        return take_batch(w, raw, offset);
    case V1_EV_String:
    case V1_EV_Stack:
        return take_name(w, raw);
    case V1_EV_Frequency:
        w->t->frequency = raw->number[0] <= INT64_MAX ? (int64_t)raw->number[0] : 0;
        return 1;
    case V1_EV_TimerGoroutine: {
        int rc = gl_v1_ids_put(&w->t->timers, raw->number[0] & (V1_GOROUTINE_LIMIT - 1), 1);
        return rc < 0 ? rc : 1;
    }
    case V1_EV_CPUSample:
        return take_sample(w, raw);
    default:
        if (!takes_events(w, offset))
            return 0;
        w->has_events = true;
        take_timed(w, &w->t->procs[w->proc], raw);
        return 1;
    }
}

/* The walk */

static int skip_blob(gl_v1_walker *w, uint32_t n, uint64_t offset)
{
    if ((size_t)(w->end - w->at) >= n) {
        w->at += n;
        return 0;
    }
    uint64_t target = gl_v1_walk_offset(w, w->at) + n;
    if (target > w->t->size)
        return gl_v1_pass_over(w, offset, true);
    gl_v1_walk_seek(w, target);
    return 0;
}

static int walk_event(gl_v1_walker *w)
{
    uint64_t offset = gl_v1_walk_offset(w, w->at);
    gl_v1_raw raw;
    gl_v1_step step = gl_v1_skim_event(&w->t->wire, &w->at, w->end, &raw);
    if (step == V1_STEP_SHORT)
        return gl_v1_pass_over(w, offset, true);
    if (step == V1_STEP_BAD)
        return gl_v1_pass_over(w, offset, false);
    int rc = take_event(w, &raw, offset);
    if (rc <= 0)
        return rc < 0 ? rc : gl_v1_pass_over(w, offset, false);
    return raw.blob ? skip_blob(w, raw.blob, offset) : 0;
}

static int sample_order(const void *a, const void *b)
{
    const gl_v1_sample *x = a, *y = b;
    if (x->ticks != y->ticks)
        return x->ticks < y->ticks ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static int finish(gl_v1_trace *t)
{
    for (uint32_t i = 0; i < t->sample_count; i++)
        if (gl_v1_believable_time(t, V1_NONE, t->samples[i].ticks)) {
            note_time(t, t->samples[i].ticks);
        } else {
            t->times_refused++;
            t->samples[i].ticks = t->max_ticks;
        }
    if (t->sample_count > 1)
        qsort(t->samples, t->sample_count, sizeof *t->samples, sample_order);
    link_extents(t);
    return t->opt ? gl_v1_take_late_stacks(t) : 0;
}

int gl_v1_walk(gl_v1_trace *t)
{
    gl_v1_walker w = {.t = t, .room = V1_WALK_WINDOW, .proc = V1_NONE};
    t->max_ticks = -1;
    w.window = malloc(w.room);
    if (!w.window)
        return GL_E_NOMEM;
    gl_v1_walk_seek(&w, GL_GOTRACE_HEADER_BYTES);
    int rc = 0;
    while (rc == 0) {
        bool more = gl_v1_walk_offset(&w, w.end) < t->size;
        if (more && (size_t)(w.end - w.at) < EVENT_BYTES_MAX && (rc = gl_v1_walk_ensure(&w, EVENT_BYTES_MAX)) < 0)
            break;
        if (takes_events(&w, gl_v1_walk_offset(&w, w.at)))
            walk_run(&w);
        if (w.at == w.end && !more)
            break;
        if (!more || (size_t)(w.end - w.at) >= EVENT_BYTES_MAX)
            rc = walk_event(&w);
    }
    t->walked = gl_v1_walk_offset(&w, w.at);
    if (rc == 0) {
        gl_v1_walk_close(&w, t->walked, V1_NONE);
        rc = finish(t);
    }
    free(w.window);
    return rc;
}

void gl_v1_trace_free(gl_v1_trace *t)
{
    free(t->procs);
    free(t->extents);
    free(t->gaps);
    free(t->samples);
    free(t->late);
    gl_v1_ids_free(&t->proc_of);
    gl_v1_ids_free(&t->strings);
    gl_v1_ids_free(&t->stacks);
    gl_v1_ids_free(&t->timers);
}
