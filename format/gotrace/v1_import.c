/*
 * Import of a v1 trace: walk, merge, convert.
 */
#include "v1.h"

#include <inttypes.h>
#include <stdlib.h>

/*
 * Without its last record a trace does not say how long a tick is. On amd64 ticks are the processor's time stamp counter
 * divided by 64 (Go 1.19 src/runtime/trace.go, traceTickDiv); 2.5 GHz is a common rate.
 */
#define ASSUMED_FREQUENCY INT64_C(39062500)
/*
 * How long an event waits for what it needs: a millisecond, as clocks may differ. Where much is missing it would mostly
 * wait in vain, and come after later ones: a microsecond.
 */
#define PATIENCE_PER_SECOND 1000
#define PATIENCE_PER_SECOND_DAMAGED 1000000
#define PROGRESS_EVENTS 65536

typedef struct import {
    gl_v1_trace trace;
    gl_v1_order order;
    gl_v1_exits exits;
    gl_v1_convert convert;
    gl_event_run run;
    gl_gotrace_result *result;
    uint64_t taken;
    int64_t last;     /* ticks of the latest event */
    uint64_t disorder; /* events that came after later ones */
} import;

static int fail(const import *im, int rc, gl_error *err)
{
    const char *name = gl_input_name(im->trace.in);
    switch (rc) {
    case GL_E_NOMEM:
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: there is not enough memory to read this trace", name);
    case GL_E_IO:
        return gl_fail(err, GL_E_IO, im->trace.walked, "%s: reading failed half-way", name);
    default:
        return rc;
    }
}

/* The part of the trace starts: Go's readers put it a nanosecond before the first event. */
static int begin(import *im)
{
    int rc = 0;
    gl_event *ev = gl_event_run_next(&im->run, &rc);
    if (!ev)
        return rc;
    ev->type = GL_EV_ClockSync;
    ev->arg[0] = 1;
    return 0;
}

static int lost(import *im, const gl_v1_gap *gap, int64_t ticks)
{
    int64_t from = gl_v1_ns(&im->convert, ticks);
    int64_t until = gap->has_until ? gl_v1_ns(&im->convert, gap->until) : from;
    return gl_event_run_lost(&im->run, im->trace.opt->dict, from, until < from ? from : until, 0, gap->bytes,
                             gap->at_end ? "the file ends inside an event" : "these bytes are no events of this version");
}

static int progress(const import *im)
{
    const gl_gotrace_options *opt = im->trace.opt;
    if (!opt->on_progress || im->trace.events == 0)
        return 0;
    double part = (double)im->taken / (double)im->trace.events;
    uint64_t half = im->trace.size / 2;
    return opt->on_progress(opt->progress_user, half + (uint64_t)((part < 1 ? part : 1) * (double)half),
                            im->trace.size) ? GL_E_CANCELLED : 0;
}

/* Returns from system calls that belong before a place. */
static int exits_before(import *im, uint64_t key)
{
    gl_v1_exit exit;
    int rc;
    while ((rc = gl_v1_exits_before(&im->exits, key, &exit)) > 0) {
        bool told;
        rc = gl_v1_convert_exit(&im->convert, &exit, &told);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* Time goes on in a sound trace. Only returns from system calls have another time than their place. */
static void note_order(import *im, const gl_v1_event *ev)
{
    if (ev->type == V1_EV_GoSysExit)
        return;
    if (im->taken != 0 && ev->ticks < im->last)
        im->disorder++;
    else
        im->last = ev->ticks;
}

/* A trace that was not closed lacks what its Ps had in hand: something is missing after its last event. */
static int lost_at_end(import *im)
{
    const gl_v1_trace *t = &im->trace;
    bool told = t->gap_count != 0 && t->gaps[t->gap_count - 1].at_end;
    if (t->frequency > 0 || told || t->events == 0)
        return 0;
    int64_t end = gl_v1_ns(&im->convert, im->last);
    return gl_event_run_lost(&im->run, t->opt->dict, end, end, 0, 0,
                             "the trace was not closed: what its Ps had not written yet is missing");
}

static int deliver(import *im)
{
    const gl_v1_event *ev;
    bool forced;
    int rc = begin(im);
    while (rc == 0 && (rc = gl_v1_order_next(&im->order, &ev, &forced)) > 0) {
        rc = gl_v1_exits_near(&im->exits, ev->key) ? exits_before(im, ev->key) : 0;
        if (rc < 0)
            return rc;
        im->result->resyncs += forced;
        note_order(im, ev);
        if (ev->type == V1_EV_Lost)
            rc = lost(im, &im->trace.gaps[ev->arg[0]], ev->ticks);
        else
            rc = gl_v1_convert_event(&im->convert, ev, forced ? GL_FLAG_RESYNC : 0);
        if (rc == 0 && ++im->taken % PROGRESS_EVENTS == 0)
            rc = progress(im);
    }
    if (rc == 0)
        rc = exits_before(im, UINT64_MAX);
    if (rc == 0)
        rc = lost_at_end(im);
    return rc < 0 ? rc : gl_event_run_flush(&im->run);
}

/* What was not as it should be */

static void report_gaps(import *im)
{
    const gl_v1_trace *t = &im->trace;
    for (uint32_t i = 0; i < t->gap_count; i++) {
        const gl_v1_gap *g = &t->gaps[i];
        int64_t until = g->has_until ? gl_v1_ns(&im->convert, g->until) : -1;
        int64_t from = g->proc == V1_NONE ? -1 : gl_v1_ns(&im->convert, g->from);
        if (until >= 0 && from > until)
            from = until;
        if (g->at_end) {
            im->result->truncated = true;
            gl_damage_add(im->result, g->offset, g->bytes, 0, from, until, "the file ends inside an event");
        } else if (g->proc == V1_NONE || t->procs[g->proc].pid < 0) {
            gl_damage_add(im->result, g->offset, g->bytes, 0, from, until,
                          "no events of this version, passed over up to the next batch");
        } else {
            gl_damage_add(im->result, g->offset, g->bytes, 0, from, until,
                          "no events of this version, passed over up to the next batch; they were P %" PRId32 "'s",
                          t->procs[g->proc].pid);
        }
    }
}

static void report(import *im)
{
    const gl_v1_trace *t = &im->trace;
    gl_gotrace_result *r = im->result;
    const gl_v1_convert *c = &im->convert;
    report_gaps(im);
    if (t->frequency <= 0) {
        r->truncated = true;
        gl_damage_add(r, t->size, 0, 0, -1, -1,
                      "no frequency record (the program ended before its trace did): times take a tick for %.1f ns, "
                      "their scale may be wrong", 1e9 / (double)ASSUMED_FREQUENCY);
    }
    if (c->stacks_missing != 0)
        gl_damage_add(r, t->size, 0, 0, -1, -1, "%" PRIu64 " events have stacks that the file does not hold%s",
                      c->stacks_missing, t->has_stacks ? "" : ": its end is missing");
    if (c->stacks_missing != 0 && !t->damaged)
        r->truncated = true;
    if (c->strings_missing != 0)
        gl_damage_add(r, t->size, 0, 0, -1, -1, "%" PRIu64 " events have texts that the file does not hold",
                      c->strings_missing);
    if (t->name_faults != 0)
        gl_damage_add(r, t->size, 0, 0, -1, -1, "%" PRIu64 " strings or stacks contradict the format", t->name_faults);
    uint64_t refused = t->times_refused;
    for (uint32_t i = 0; i < im->order.cursor_count; i++)
        refused += im->order.cursors[i].clamped;
    if (refused != 0)
        gl_damage_add(r, t->size, 0, 0, -1, -1, "%" PRIu64 " events have impossible times", refused);
    if (c->ownerless != 0)
        gl_damage_add(r, t->size, 0, c->ownerless, -1, -1,
                      "%" PRIu64 " events belong to goroutines whose start is missing: passed over", c->ownerless);
    if (im->disorder != 0)
        gl_damage_add(r, t->size, 0, 0, -1, -1, "%" PRIu64 " events have times before those of events that precede them",
                      im->disorder);
    if (r->resyncs != 0)
        gl_damage_add(r, t->size, 0, 0, -1, -1,
                      "%" PRIu64 " events came without what must precede them: their goroutines were taken up anew",
                      r->resyncs);
}

static int run_import(import *im)
{
    gl_v1_trace *t = &im->trace;
    int rc = gl_v1_walk(t);
    if (rc < 0)
        return rc;
    im->result->ticks_per_second = (double)(t->frequency > 0 ? t->frequency : ASSUMED_FREQUENCY);
    im->result->parts = 1;
    im->result->unnamed_parts = !t->has_stacks && t->events != 0;
    gl_v1_convert_init(&im->convert, t, &im->order, &im->run, im->result->ticks_per_second);
    rc = gl_v1_order_init(&im->order, t);
    if (rc == 0)
        rc = gl_v1_exits_init(&im->exits, t);
    bool damaged = t->lost_much || t->frequency <= 0;
    uint64_t patience = (uint64_t)im->result->ticks_per_second /
                        (damaged ? PATIENCE_PER_SECOND_DAMAGED : PATIENCE_PER_SECOND);
    im->order.patience = patience ? patience : 1;
    return rc < 0 ? rc : deliver(im);
}

int gl_v1_import(gl_input *in, const gl_gotrace_options *opt, unsigned version, gl_gotrace_result *result, gl_error *err)
{
    import *im = calloc(1, sizeof *im);
    if (!im)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: there is not enough memory to read this trace",
                       gl_input_name(in));
    im->trace.in = in;
    im->trace.opt = opt;
    im->trace.size = gl_input_size(in);
    im->result = result;
    gl_v1_wire_init(&im->trace.wire, version);
    gl_event_run_init(&im->run, opt, result);
    int rc = run_import(im);
    bool empty = im->trace.events == 0 && im->trace.frequency <= 0;
    if (rc == 0)
        report(im);
    if (rc == 0 && empty)
        rc = gl_fail(err, GL_E_TRUNCATED, GL_GOTRACE_HEADER_BYTES,
                     "%s: the trace holds no events: the program ended before it wrote any", gl_input_name(in));
    else
        rc = fail(im, rc, err);
    gl_v1_exits_free(&im->exits);
    gl_v1_order_free(&im->order);
    gl_v1_convert_free(&im->convert);
    gl_v1_trace_free(&im->trace);
    free(im);
    return rc;
}

int gl_v1_look(gl_input *in, unsigned version, gl_gotrace_glance *out, gl_error *err)
{
    gl_v1_trace t = {.in = in, .size = gl_input_size(in)};
    gl_v1_wire_init(&t.wire, version);
    int rc = gl_v1_walk(&t);
    if (rc == 0) {
        uint64_t missing = 0;
        for (uint32_t i = 0; i < t.gap_count; i++)
            missing += t.gaps[i].bytes;
        out->bytes_walked = t.walked - missing;
        out->batches = t.batches;
        out->parts = 1;
        out->threads = t.proc_count;
        out->events_estimate = t.events;
        out->ends_well = t.frequency > 0 && t.gap_count == 0;
        out->ticks_per_second = (double)t.frequency;
        double hz = t.frequency > 0 ? (double)t.frequency : (double)ASSUMED_FREQUENCY;
        double span = t.events == 0 ? 0 : (double)((uint64_t)t.max_ticks - (uint64_t)t.min_ticks) * (1e9 / hz);
        out->span_ns = t.events == 0 ? -1 : span < 4e18 ? (int64_t)span : INT64_C(4000000000000000000);
    }
    gl_v1_trace_free(&t);
    return rc < 0 ? gl_fail(err, (gl_status)rc, t.walked, "%s: cannot be read", gl_input_name(in)) : 0;
}
