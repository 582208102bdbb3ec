/*
 * Damage in a v1 trace: where an event can't be one, the first pass goes on a little behind it, in step with the events
 * again, or else at the next believable batch.
 */
#include "v1_walk.h"

#include <stdlib.h>

#define GAPS_MAX 16384u
#define PROBE_EVENTS 16                  /* behind a batch header that is to be believed */
#define PROBE_BYTES 256                  /* how far behind a bad event its batch is taken up again */
#define PROBE_INSIDE 64                  /* events that have to fit there */
#define PROBE_SKIP 8                     /* of them are passed over: the first fit by chance */
#define PROBE_DELTA (UINT64_C(1) << 32)
#define PASSED_DELTA (UINT64_C(1) << 14) /* of the events passed over, times below this are believed */
#define DOUBTED 2                        /* events before a bad one that are not believed either */
#define BATCH_BYTE 0x41                  /* a batch header's first */

/* How far a batch may be away from all others: any that is met, and one that is looked for behind damage. */
#define FAR (INT64_C(1) << 45)
#define NEAR_BEFORE (INT64_C(1) << 32)
#define NEAR_AFTER (INT64_C(1) << 36)

/* Whether a batch may begin at this time: not too long before its P's last one, and not far away from the others. */
static bool within(const gl_v1_trace *t, uint32_t proc, int64_t ticks, int64_t before, int64_t after)
{
    if (ticks < 0 || ticks >= V1_TIME_LIMIT || t->batches == 0)
        return ticks >= 0 && ticks < V1_TIME_LIMIT;
    int64_t least = proc != V1_NONE ? t->procs[proc].batch : t->first_ticks;
    int64_t most = t->events ? t->max_ticks : t->first_ticks;
    return ticks >= least - before && (ticks <= most || ticks - most <= after);
}

bool gl_v1_believable_time(const gl_v1_trace *t, uint32_t proc, int64_t ticks)
{
    return within(t, proc, ticks, FAR, FAR);
}

/* Whether what is at `at` is a batch header of this trace, with events behind it. */
static bool believable_batch(const gl_v1_walker *w, const uint8_t *at)
{
    const gl_v1_trace *t = w->t;
    gl_v1_raw raw;
    int32_t pid;
    uint32_t proc;
    if (gl_v1_step_event(&t->wire, &at, w->end, &raw) != V1_STEP_OK || raw.type != V1_EV_Batch ||
        !gl_v1_batch_pid(&raw, &pid))
        return false;
    if (!gl_v1_ids_get(&t->proc_of, (uint64_t)((int64_t)pid + 2), &proc))
        proc = V1_NONE;
    int64_t before = proc == V1_NONE ? NEAR_BEFORE : V1_SKEW;
    bool likely = proc != V1_NONE || (pid >= 0 && (uint32_t)pid <= 64 + 4 * t->proc_count);
    if (!likely || !within(t, proc, (int64_t)raw.number[t->wire.times], before, NEAR_AFTER))
        return false;
    for (int i = 0; i < PROBE_EVENTS; i++) {
        gl_v1_step step = gl_v1_step_event(&t->wire, &at, w->end, &raw);
        if (step != V1_STEP_OK || (size_t)(w->end - at) < raw.blob)
            return step != V1_STEP_BAD;
        at += raw.blob;
    }
    return true;
}

/* The next believable batch from an offset on, or the end of the input. The window stands there. */
static int find_batch(gl_v1_walker *w, uint64_t from)
{
    gl_v1_walk_seek(w, from);
    for (;;) {
        int rc = gl_v1_walk_ensure(w, V1_WALK_WINDOW / 2);
        if (rc < 0 || w->at == w->end)
            return rc;
        bool last = gl_v1_walk_offset(w, w->end) >= w->t->size;
        size_t n = (size_t)(w->end - w->at), sure = last ? n : n - V1_WALK_WINDOW / 4;
        const uint8_t *stop = w->at + sure;
        while (w->at < stop) {
            const uint8_t *p = memchr(w->at, BATCH_BYTE, (size_t)(stop - w->at));
            if (p && believable_batch(w, p)) {
                w->at = p;
                return 0;
            }
            w->at = p ? p + 1 : stop;
        }
    }
}

typedef struct fit {
    const uint8_t *at; /* behind the events to be passed over */
    uint64_t ticks, seq; /* that they take */
    int events;
} fit;

/* How many events in a row can be read from here, and where to begin among them. */
static fit fit_at(const gl_v1_walker *w, const uint8_t *at)
{
    const gl_v1_trace *t = w->t;
    fit f = {.at = at};
    for (; f.events < PROBE_INSIDE; f.events++) {
        gl_v1_raw raw;
        gl_v1_step step = gl_v1_step_event(&t->wire, &at, w->end, &raw);
        if (step == V1_STEP_SHORT || (step == V1_STEP_OK && (size_t)(w->end - at) < raw.blob))
            break;
        bool timed = step == V1_STEP_OK && gl_v1_rule_of(raw.type) != V1_RULE_NONE;
        if (step == V1_STEP_BAD || (timed && raw.number[t->wire.times - 1] >= PROBE_DELTA)) {
            f.events = 0;
            break;
        }
        if (raw.type == V1_EV_Batch)
            break;
        at += raw.blob;
        if (f.events < PROBE_SKIP) {
            f.at = at;
            f.ticks += timed && raw.number[t->wire.times - 1] < PASSED_DELTA ? raw.number[t->wire.times - 1] : 0;
            f.seq += timed ? raw.number[0] : 0;
        }
    }
    return f;
}

/*
 * Takes the batch up again a little behind a bad event. Numbers of this format end at a byte below 128, so a reading
 * from a wrong byte falls into step after an event or a few. 1: the window stands there; 0: no such place.
 */
static int resume_inside(gl_v1_walker *w, uint64_t offset)
{
    gl_v1_trace *t = w->t;
    if (w->proc == V1_NONE)
        return 0;
    gl_v1_walk_seek(w, offset + 1);
    int rc = gl_v1_walk_ensure(w, V1_WALK_WINDOW / 2);
    if (rc < 0)
        return rc;
    for (int i = 0; i < PROBE_BYTES && w->at + i < w->end; i++) {
        fit f = fit_at(w, w->at + i);
        if (f.events < PROBE_SKIP * 3)
            continue;
        w->at = f.at;
        t->procs[w->proc].last = gl_v1_later(t->procs[w->proc].last, f.ticks);
        w->seq += f.seq;
        return 1;
    }
    return 0;
}

/* The batch goes on here, in an extent of its own. */
static int open_inside(gl_v1_walker *w, uint32_t gap)
{
    gl_v1_trace *t = w->t;
    int rc = gl_v1_walk_open(w, gl_v1_walk_offset(w, w->at), t->procs[w->proc].last);
    if (rc < 0)
        return rc;
    gl_v1_extent *x = &t->extents[t->extent_count - 1];
    x->ticks = t->procs[w->proc].last;
    x->seq = w->seq;
    t->gaps[gap].until = x->ticks;
    t->gaps[gap].has_until = true;
    return 0;
}

/* Where an event of an extent stands, and what was known before it. */
typedef struct mark {
    uint64_t offset, seq;
    int64_t ticks;
} mark;

/* Reads an extent once more up to `end`: its last timed events, in turn. Returns how many there are, or negative. */
static int64_t mark_events(const gl_v1_trace *t, const gl_v1_extent *x, uint64_t end, mark marks[DOUBTED])
{
    gl_v1_cursor c = {.window = NULL};
    gl_v1_extent part = *x;
    part.length = (uint32_t)(end - x->offset);
    part.limit = INT64_MAX;
    part.next = part.gap = V1_NONE;
    gl_v1_trace one = *t;
    one.extents = &part;
    int64_t n = 0;
    mark next = {x->offset, 0, x->ticks};
    int rc = gl_v1_cursor_open(&c, &one, 0, 0, V1_EXTENT_BYTES);
    while (rc == 0 && (rc = gl_v1_cursor_next(&c, &one, V1_EXTENT_BYTES)) > 0) {
        if (n == 0)
            next.ticks = c.ev.ticks;
        marks[n++ % DOUBTED] = next;
        next = (mark){c.rest_at - (uint64_t)(c.end - c.at), c.seq, c.ticks};
        rc = 0;
    }
    free(c.window);
    return rc < 0 ? rc : n;
}

/*
 * A damaged byte may give an event that looks sound before it gives one that does not: the last events before a bad one
 * are not believed, the time that they brought least of all. *offset: where damage is taken to begin.
 */
static int step_back(gl_v1_walker *w, uint64_t *offset)
{
    gl_v1_trace *t = w->t;
    mark marks[DOUBTED];
    if (!w->open || !w->has_events)
        return 0;
    int64_t n = mark_events(t, &t->extents[t->extent_count - 1], *offset, marks);
    if (n <= DOUBTED)
        return n < 0 ? (int)n : 0;
    const mark *m = &marks[n % DOUBTED];
    *offset = m->offset;
    w->seq = m->seq;
    t->procs[w->proc].last = m->ticks;
    t->events = w->events_before + (uint64_t)n - DOUBTED;
    t->max_ticks = m->ticks > w->max_before ? m->ticks : w->max_before;
    return 0;
}

/* Nothing from `offset` on could be used; goes on a little behind it, or at the next batch. */
int gl_v1_pass_over(gl_v1_walker *w, uint64_t offset, bool cut)
{
    gl_v1_trace *t = w->t;
    t->damaged = true;
    uint64_t bad = offset;
    int rc = cut ? 0 : step_back(w, &offset);
    if (rc < 0)
        return rc;
    int64_t from = w->proc == V1_NONE ? 0 : t->procs[w->proc].last;
    if (cut || t->gap_count >= GAPS_MAX)
        gl_v1_walk_seek(w, t->size);
    else if ((rc = resume_inside(w, bad)) == 0)
        rc = find_batch(w, bad + 1);
    bool inside = rc > 0;
    uint32_t gap = t->gap_count;
    if (rc >= 0)
        rc = gl_v1_room(&t->gaps, gap, &t->gap_room, sizeof *t->gaps);
    if (rc < 0)
        return rc;
    t->gaps[t->gap_count++] = (gl_v1_gap){
        .offset = offset, .bytes = gl_v1_walk_offset(w, w->at) - offset, .from = from, .proc = w->proc, .at_end = cut};
    gl_v1_walk_close(w, offset, gap);
    if (inside)
        return open_inside(w, gap);
    t->lost_much = true;
    if (w->proc != V1_NONE) {
        t->procs[w->proc].last_gap = gap;
        t->procs[w->proc].cut = true;
    }
    return 0;
}

