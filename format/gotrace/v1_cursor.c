/*
 * One P's batches as a row of decoded events (second pass). The first pass has stepped over the same bytes; a file that
 * changed meanwhile ends an extent early, no more.
 */
#include "v1_fast.h"

#include <stdlib.h>

int gl_v1_cursor_open(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t proc, uint32_t extent, uint32_t window)
{
    if (!c->window)
        c->window = malloc(window);
    if (!c->window)
        return GL_E_NOMEM;
    c->at = c->end = c->window;
    c->proc = proc;
    c->extent = extent;
    c->next_waiter = V1_NONE;
    c->rest = 0;
    if (extent != V1_NONE) {
        const gl_v1_extent *x = &t->extents[extent];
        c->rest_at = x->offset;
        c->rest = x->length;
        c->ticks = x->ticks;
        c->seq = x->seq;
        c->limit = x->limit;
    }
    return 0;
}

/* Reads on. 1: more bytes came; 0: the extent has no more; negative: I/O. */
static int refill(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t window)
{
    size_t have = (size_t)(c->end - c->at), want = window - have;
    if (c->rest == 0 || want == 0)
        return 0;
    memmove(c->window, c->at, have);
    ssize_t got = gl_input_read(t->in, c->rest_at, c->window + have, want < c->rest ? want : c->rest);
    if (got < 0)
        return (int)got;
    c->at = c->window;
    c->end = c->window + have + got;
    c->rest_at += (uint64_t)got;
    c->rest = got == 0 ? 0 : c->rest - (uint32_t)got;
    return got > 0;
}

/* Passes over what follows an event's numbers. */
static void skip(gl_v1_cursor *c, uint32_t n)
{
    size_t here = (size_t)(c->end - c->at);
    if (n <= here) {
        c->at += n;
        return;
    }
    uint32_t beyond = n - (uint32_t)here;
    c->at = c->end;
    c->rest_at += beyond;
    c->rest = beyond < c->rest ? c->rest - beyond : 0;
}

/* The next wire event: its numbers, or less of them. 1, 0 at the end of the extent, negative: I/O. */
static inline int next_raw(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t window, gl_v1_raw *raw, bool skim)
{
    for (;;) {
        gl_v1_step step = skim ? gl_v1_skim_event(&t->wire, &c->at, c->end, raw)
                               : gl_v1_read_event(&t->wire, &c->at, c->end, raw);
        if (step == V1_STEP_OK)
            return 1;
        int rc = step == V1_STEP_SHORT ? refill(c, t, window) : 0;
        if (rc <= 0)
            return rc;
    }
}

/* Numbers behind the time go to arg, a stack to stack. Every field of the event is set, one by one: it is hot here. */
static void fill(gl_v1_event *ev, const gl_v1_wire *w, const gl_v1_raw *raw)
{
    unsigned n = w->numbers[raw->type] - w->times;
    ev->stack = 0;
    if (gl_v1_specs[raw->type].stack)
        ev->stack = (uint32_t)raw->number[w->times + --n];
    const uint64_t *number = raw->number + w->times;
    ev->arg[0] = n > 0 ? number[0] : 0;
    ev->arg[1] = n > 1 ? number[1] : 0;
    ev->arg[2] = n > 2 ? number[2] : 0;
    ev->arg[3] = 0;
}

static uint64_t g_of(uint64_t number)
{
    return number & (V1_GOROUTINE_LIMIT - 1);
}

/*
 * Whose event it is, who runs on the P afterwards (Go 1.26 src/internal/trace/internal/tracev1/parser.go, parseEvent), and
 * what has to be so before it may come (order.go there). The "Local" events need no number, as what leads up to them
 * stands before them in the same P.
 */
static void set_context(gl_v1_cursor *c, gl_v1_event *ev)
{
    gl_v1_rule rule = gl_v1_rule_of(ev->type);
    ev->ordered = rule > V1_RULE_FREE;
    ev->subject = 0;
    ev->needs = V1_ANY_SEQ;
    switch (rule) {
    case V1_RULE_START:
    case V1_RULE_START_LOCAL:
        c->g = ev->g = ev->subject = ev->arg[0] = g_of(ev->arg[0]);
        ev->needs = rule == V1_RULE_START ? ev->arg[1] : V1_ANY_SEQ;
        break;
    case V1_RULE_PRESENT:
        ev->g = ev->subject = ev->arg[0] = g_of(ev->arg[0]);
        ev->needs = 1;
        break;
    case V1_RULE_CREATE:
        ev->subject = ev->arg[0] = g_of(ev->arg[0]);
        ev->needs = 0;
        break;
    case V1_RULE_UNPARK:
    case V1_RULE_UNPARK_LOCAL:
        ev->subject = ev->arg[0] = g_of(ev->arg[0]);
        ev->needs = rule == V1_RULE_UNPARK ? ev->arg[1] : V1_ANY_SEQ;
        if (ev->type == V1_EV_GoSysExit || ev->type == V1_EV_GoSysExitLocal)
            ev->g = ev->subject;
        break;
    case V1_RULE_PARK:
    case V1_RULE_YIELD:
        ev->subject = ev->g;
        ev->ordered = ev->g != 0; /* not known whose: its start is missing */
        c->g = 0;
        break;
    case V1_RULE_GC:
        ev->subject = V1_GC_ID;
        ev->needs = ev->arg[0];
        break;
    default:
        if (ev->type == V1_EV_GoEnd || ev->type == V1_EV_GoStop)
            c->g = 0;
        break;
    }
}

/* The event's time; one that is later than the P's next batch can't be true. */
static inline void pass_time(gl_v1_cursor *c, const gl_v1_wire *w, const gl_v1_raw *raw)
{
    c->ticks = gl_v1_later(c->ticks, raw->number[w->times - 1]);
    c->seq += raw->number[0];
    if (c->ticks > c->limit && c->ticks - c->limit > V1_SKEW) {
        c->ticks = c->limit;
        c->clamped++;
    }
}

static uint64_t key_of(const gl_v1_cursor *c, const gl_v1_wire *w)
{
    return w->times == 2 ? c->seq : (uint64_t)c->ticks;
}

static void take_event(gl_v1_cursor *c, const gl_v1_wire *w, const gl_v1_raw *raw)
{
    gl_v1_event *ev = &c->ev;
    pass_time(c, w, raw);
    ev->ticks = c->ticks;
    ev->key = key_of(c, w);
    ev->g = c->g;
    ev->proc = c->proc;
    ev->record = V1_NONE;
    ev->type = raw->type;
    fill(ev, w, raw);
    set_context(c, ev);
    if (raw->type == V1_EV_UserLog) {
        ev->arg[2] = c->rest_at - (uint64_t)(c->end - c->at);
        ev->arg[3] = raw->blob;
    }
}

static void take_batch(gl_v1_cursor *c, const gl_v1_wire *w, const gl_v1_raw *raw)
{
    c->seq = raw->number[1];
    c->ticks = (int64_t)(raw->number[w->times] & (uint64_t)INT64_MAX);
}

/* The next event of the extent in c->ev: 1; 0: it has no more; negative: I/O. */
static int next_in_extent(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t window)
{
    gl_v1_raw raw;
    int rc;
    while ((rc = next_raw(c, t, window, &raw, false)) > 0) {
        bool timed = gl_v1_rule_of(raw.type) != V1_RULE_NONE;
        if (timed)
            take_event(c, &t->wire, &raw);
        else if (raw.type == V1_EV_Batch)
            take_batch(c, &t->wire, &raw);
        if (raw.blob)
            skip(c, raw.blob);
        if (timed)
            return 1;
    }
    return rc;
}

/* Tells what is missing behind the extent just read, at the time of the last event before it. */
static void take_gap(gl_v1_cursor *c, const gl_v1_wire *w, uint32_t gap)
{
    c->ev = (gl_v1_event){.ticks = c->ticks, .key = key_of(c, w), .proc = c->proc, .record = V1_NONE,
                          .type = V1_EV_Lost, .arg = {gap}};
    c->g = 0;
}

int gl_v1_cursor_next(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t window)
{
    while (c->extent != V1_NONE) {
        int rc = next_in_extent(c, t, window);
        if (rc != 0)
            return rc;
        const gl_v1_extent *done = &t->extents[c->extent];
        if (done->gap != V1_NONE)
            take_gap(c, &t->wire, done->gap);
        rc = gl_v1_cursor_open(c, t, c->proc, done->next, window);
        if (rc < 0 || done->gap != V1_NONE)
            return rc < 0 ? rc : 1;
    }
    return 0;
}

int gl_v1_cursor_next_exit(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t window)
{
    gl_v1_raw raw;
    int rc;
    while ((rc = next_raw(c, t, window, &raw, true)) > 0) {
        if (raw.type == V1_EV_GoSysExit) {
            take_event(c, &t->wire, &raw);
            return 1;
        }
        if (raw.type == V1_EV_Batch)
            take_batch(c, &t->wire, &raw);
        else if (gl_v1_rule_of(raw.type) != V1_RULE_NONE)
            pass_time(c, &t->wire, &raw);
        if (raw.blob)
            skip(c, raw.blob);
    }
    return rc;
}
