/*
 * Import of a v2 trace: generation by generation, and in each the earliest event that may come.
 *
 * The search for that event is Go's (Go 1.26 src/internal/trace/reader.go): the thread on top of the heap, and where
 * its
 * event has to wait, all others in order of time. Where nothing may come, Go gives up; here the earliest is forced.
 */
#include "v2_often.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Most bytes of a batch that one cursor holds; the second where threads are many. */
#define WINDOW_FEW_THREADS V2_BATCH_MAX
#define WINDOW_MANY_THREADS (8u * 1024)
#define MANY_THREADS 512

/*
 * Trying the threads behind the top costs their number. A sound trace does so seldom; a made-up one could do it for
 * each
 * event, so there is a budget: so many tries at first and so many more for each event. Without it, few are tried.
 */
#define TRIES_AT_FIRST (UINT64_C(1) << 24)
#define TRIES_PER_EVENT 512
#define TRIES_WITHOUT_BUDGET 64

/* Once something was lost, an event does not wait longer than this for one that is perhaps not there any more. */
#define PATIENCE_NS (INT64_C(20) * 1000 * 1000)
/* Events that did not fit are told at most once in this time. */
#define TELL_AGAIN_NS (INT64_C(10) * 1000 * 1000)
#define PROGRESS_BYTES (UINT64_C(1) << 20)

typedef struct importer {
    const gl_gotrace_options *opt;
    gl_gotrace_result *result;
    gl_v2_walker walker;
    gl_v2_gen gen;
    gl_v2_names names;
    gl_v2_order order;
    gl_v2_source src;
    gl_v2_spread spread;
    gl_v2_cursor *cursors;
    size_t cursor_count;
    gl_v2_heap heap;
    size_t next_sample, next_loss;
    int64_t special; /* a sample or a loss comes before events later than this */
    uint64_t tries;  /* of threads behind the top, in this generation */
    uint64_t before; /* events delivered before this generation */
    uint64_t last_number;
    int64_t last_batch; /* ns, the latest start of a batch so far */
    uint64_t progress_at;
    bool damaged; /* something was lost before here */
    bool any;     /* an event was tried */
    /* Events of this generation that did not fit. */
    uint64_t forced, skipped, first_forced_at;
    int64_t first_forced, last_forced, told;
} importer;

static gl_v2_loss *loss_at(const importer *im, size_t i)
{
    return (gl_v2_loss *)(void *)im->gen.losses.at + i;
}

static gl_v2_sample *sample_at(const importer *im, size_t i)
{
    return (gl_v2_sample *)(void *)im->gen.samples.at + i;
}

/* What is neither decoded nor ordered: samples and losses */

static void plan_special(importer *im)
{
    im->special = INT64_MAX;
    if (im->next_sample < im->gen.samples.n)
        im->special = sample_at(im, im->next_sample)->time;
    if (im->next_loss < im->gen.losses.n && loss_at(im, im->next_loss)->time < im->special)
        im->special = loss_at(im, im->next_loss)->time;
}

static int deliver_loss(importer *im, const gl_v2_loss *l)
{
    int64_t zero = im->order.time_zero;
    im->damaged = true;
    return gl_event_run_lost(&im->order.run, im->opt->dict, l->time - zero, l->until - zero, l->events, l->bytes,
                             l->reason);
}

static int deliver_special(importer *im)
{
    int rc;
    if (im->next_loss < im->gen.losses.n && loss_at(im, im->next_loss)->time == im->special)
        rc = deliver_loss(im, loss_at(im, im->next_loss++));
    else
        rc = gl_v2_order_sample(&im->order, sample_at(im, im->next_sample++));
    plan_special(im);
    return rc;
}

/* Damage that was met on the way */

/* An event is about to be forced: say so in the stream, though not each time. */
static int tell_forced(importer *im, const gl_v2_cursor *c)
{
    const gl_v2_event *ev = c->ev;
    bool first = im->forced + im->skipped == 0;
    if (first) {
        im->first_forced = ev->time;
        im->first_forced_at = c->rest_at - (uint64_t)(c->end - c->at);
    }
    im->last_forced = ev->time;
    if (!first && ev->time - im->told < TELL_AGAIN_NS)
        return 0;
    im->told = ev->time;
    int64_t time = ev->time - im->order.time_zero;
    return gl_event_run_lost(&im->order.run, im->opt->dict, time, time, 0, 0,
                             "an event here does not fit what is known; state is taken up anew");
}

static int tell_broken_batch(importer *im, gl_v2_cursor *c)
{
    gl_v2_source *src = &im->src;
    const char *reason = "the rest of a batch cannot be decoded";
    int64_t zero = im->order.time_zero, until = src->broke_until;
    src->broke = false;
    bool end_of_file = im->gen.cut && src->broke_at + src->broke_bytes >= im->walker.size;
    if (end_of_file)
        reason = "the file ends inside a batch";
    gl_damage_add(im->result, src->broke_at, src->broke_bytes, 0, src->broke_time - zero, until - zero, "%s", reason);
    im->damaged = im->damaged || !end_of_file;
    if (!end_of_file && c->m)
        gl_v2_state_doubt(&im->order.state, c->m);
    return gl_event_run_lost(&im->order.run, im->opt->dict, src->broke_time - zero, until - zero, 0, src->broke_bytes,
                             reason);
}

/* One step */

static int progress(importer *im)
{
    uint64_t done = im->gen.begin + im->src.bytes_done;
    if (!im->opt->on_progress || done < im->progress_at)
        return 0;
    im->progress_at = done + PROGRESS_BYTES;
    return im->opt->on_progress(im->opt->progress_user, done, im->result->bytes_total) ? GL_E_CANCELLED : 0;
}

/* The event of entry i was used: its thread's next. */
static int refresh(importer *im, size_t i)
{
    gl_v2_cursor *c = im->heap.at[i].cursor;
    uint32_t batch = c->batch;
    int rc = gl_v2_cursor_next(c, &im->src);
    if (rc < 0)
        return rc;
    if (rc == 1)
        gl_v2_heap_update(&im->heap, i);
    else
        gl_v2_heap_remove(&im->heap, i);
    if (im->src.broke)
        return tell_broken_batch(im, c);
    return c->batch != batch ? progress(im) : 0;
}

static int force_top(importer *im)
{
    gl_v2_cursor *c = im->heap.at[0].cursor;
    int rc = tell_forced(im, c);
    if (rc < 0)
        return rc;
    im->damaged = true;
    int v = gl_v2_order_advance(&im->order, c->m, c->ev, true);
    if (v < 0)
        return v;
    if (v == V2_SKIP)
        im->skipped++;
    else
        im->forced++;
    return refresh(im, 0);
}

/* The top has to wait: the first of the others that need not. */
static int search(importer *im)
{
    size_t limit = im->heap.n;
    uint64_t budget = TRIES_AT_FIRST + TRIES_PER_EVENT * (im->result->events + im->order.run.n - im->before);
    if (im->tries > budget && limit > TRIES_WITHOUT_BUDGET)
        limit = TRIES_WITHOUT_BUDGET;
    else
        gl_v2_heap_sort(&im->heap);
    im->tries += limit;
    for (size_t i = 1; i < limit; i++) {
        gl_v2_cursor *c = im->heap.at[i].cursor;
        if (im->damaged && c->ev->time - im->heap.at[0].time > PATIENCE_NS)
            break;
        int v = gl_v2_order_advance(&im->order, c->m, c->ev, false);
        if (v <= V2_OK)
            return v < 0 ? v : refresh(im, i);
    }
    return force_top(im);
}

/* Up to this time the top stays on top, and nothing else is due. */
static int64_t top_limit(const importer *im)
{
    int64_t limit = im->special;
    for (size_t i = 1; i < 3 && i < im->heap.n; i++)
        limit = im->heap.at[i].time < limit ? im->heap.at[i].time : limit;
    return limit;
}

/* The events of the thread on top, as long as it stays there. */
static int step(importer *im)
{
    gl_v2_cursor *const c = im->heap.at[0].cursor;
    const int64_t limit = top_limit(im);
    do {
        int v = gl_v2_order_next(&im->order, c->m, c->ev);
        if (v != V2_OK)
            return v < 0 ? v : v == V2_WAIT ? search(im) : force_top(im);
        if (c->ev + 1 == c->ev_end)
            return refresh(im, 0);
        c->ev++; /* refresh, for most events */
        gl_v2_g_prefetch(&im->order.state, c->ev[V2_LOOK_AHEAD].arg[0]);
        im->heap.at[0].time = c->ev->time;
    } while (c->ev->time <= limit);
    gl_v2_heap_sift_down(&im->heap, 0);
    return 0;
}

/* One generation */

static void free_cursors(importer *im)
{
    for (size_t i = 0; i < im->cursor_count; i++) {
        free(im->cursors[i].buf);
        free(im->cursors[i].events);
    }
    free(im->cursors);
    free(im->heap.at);
    free(im->heap.spare);
    im->cursors = NULL;
    im->cursor_count = 0;
    im->heap = (gl_v2_heap){0};
}

static int add_cursor(importer *im, uint32_t stream)
{
    gl_v2_cursor *c = &im->cursors[stream];
    const gl_v2_stream *s = (const gl_v2_stream *)(const void *)im->gen.streams.at + stream;
    im->cursor_count++;
    int rc = gl_v2_cursor_init(c, &im->src, stream);
    if (rc < 0)
        return rc;
    c->m = &im->order.state.nobody;
    if (s->m != V2_NO_M)
        rc = gl_v2_m_add(&im->order.state, s->m, &c->m);
    if (rc == 0 && im->order.lenient) { /* what it ran before the gap, it may run no more */
        c->m->g = 0;
        gl_v2_m_drop_p(c->m);
    }
    if (rc == 0)
        rc = gl_v2_cursor_next(c, &im->src);
    if (rc == 1)
        gl_v2_heap_insert(&im->heap, c);
    if (rc >= 0 && im->src.broke)
        rc = tell_broken_batch(im, c);
    return rc < 0 ? rc : 0;
}

static int add_cursors(importer *im)
{
    size_t n = im->gen.streams.n;
    im->src.gen = &im->gen;
    im->src.window = n <= MANY_THREADS ? WINDOW_FEW_THREADS : WINDOW_MANY_THREADS;
    im->src.bytes_done = 0;
    im->cursors = calloc(n + 1, sizeof *im->cursors);
    im->heap.at = calloc(n + 1, sizeof *im->heap.at);
    im->heap.spare = calloc(n + 1, sizeof *im->heap.spare);
    int rc = im->cursors && im->heap.at && im->heap.spare ? 0 : GL_E_NOMEM;
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = add_cursor(im, i);
    return rc;
}

/* The first generation sets time 0, and what the result tells of the clocks. */
static void start_time(importer *im, int64_t begin)
{
    gl_gotrace_result *r = im->result;
    im->order.time_zero = begin;
    r->first_abs_ns = begin;
    r->ticks_per_second = (double)im->gen.frequency;
    if (im->gen.has_clock && im->gen.wall_unix_ns != 0)
        r->wall_unix_ns = im->gen.wall_unix_ns - (gl_v2_ns(im->gen.ns_per_tick, im->gen.clock_ticks) - begin);
}

static int deliver_sync(importer *im, int64_t begin)
{
    int rc = 0;
    gl_event *ev = gl_event_run_next(&im->order.run, &rc);
    if (!ev)
        return rc;
    ev->type = GL_EV_ClockSync;
    ev->time = begin - im->order.time_zero;
    ev->arg[0] = im->gen.number;
    if (im->gen.has_clock) {
        ev->arg[1] = im->gen.mono_ns;
        ev->arg[2] = (uint64_t)im->gen.wall_unix_ns;
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const gl_v2_loss *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/*
 * Losses of the walk get their times in ns and go on the list of damages. `begin`: where they stand if they have
 * none.
 */
static void settle_losses(importer *im, int64_t begin)
{
    int64_t zero = im->order.time_zero;
    for (size_t i = 0; i < im->gen.losses.n; i++) {
        gl_v2_loss *l = loss_at(im, i);
        bool known = l->time >= 0;
        l->time = known ? gl_v2_ns(im->gen.ns_per_tick, (uint64_t)l->time) : begin;
        l->until = known ? gl_v2_ns(im->gen.ns_per_tick, (uint64_t)l->until) : begin;
        gl_damage_add(im->result, l->offset, l->bytes, l->events, known ? l->time - zero : -1,
                      known ? l->until - zero : -1, "%s", l->reason);
    }
    if (im->gen.losses.n > 1)
        qsort(im->gen.losses.at, im->gen.losses.n, sizeof(gl_v2_loss), by_time);
}

/* Numbers that do not follow each other: a generation is missing, comes twice, or stands in the wrong place. */
static int check_number(importer *im, int64_t begin)
{
    uint64_t n = im->gen.number;
    bool follows = im->order.part == 0 || n == im->last_number + 1;
    im->order.lenient = im->damaged || !follows;
    if (im->order.lenient)
        gl_v2_order_forget(&im->order);
    if (follows)
        return 0;
    char reason[128];
    if (n > im->last_number)
        snprintf(reason, sizeof reason, "generation %" PRIu64 " follows %" PRIu64 ": what was between is missing", n,
                 im->last_number);
    else
        snprintf(reason, sizeof reason, "generation %" PRIu64 " after %" PRIu64 ": repeated or in the wrong place", n,
                 im->last_number);
    int64_t time = begin - im->order.time_zero;
    gl_damage_add(im->result, im->gen.begin, 0, 0, time, time, "%s", reason);
    return gl_event_run_lost(&im->order.run, im->opt->dict, time, time, 0, 0, reason);
}

static int install(importer *im)
{
    int64_t begin = gl_v2_ns(im->gen.ns_per_tick, im->gen.min_time);
    im->last_batch = gl_v2_ns(im->gen.ns_per_tick, im->gen.last_time);
    if (im->order.part == 0)
        start_time(im, begin);
    im->forced = im->skipped = 0;
    im->next_sample = im->next_loss = 0;
    settle_losses(im, begin);
    plan_special(im);
    int rc = deliver_sync(im, begin);
    if (rc == 0)
        rc = check_number(im, begin);
    /* Of an unfinished generation the last batches of all threads are missing. */
    im->damaged = im->damaged || !im->gen.finished || !im->gen.has_strings;
    if (rc == 0)
        rc = add_cursors(im);
    return rc;
}

/*
 * Before 1.26 nothing marks the end, but each generation ends with its frequency, or with its strings behind its
 * stacks.
 */
static bool lacks_its_end(const gl_v2_gen *gen, unsigned version)
{
    bool needs_strings = version >= 25 || gen->streams.n != 0;
    return gen->names_missing != 0 || !gen->has_frequency || (needs_strings && !gen->has_strings);
}

/* What is to be said at the end of a generation. last: nothing follows it. */
static int conclude(importer *im, bool last)
{
    gl_gotrace_result *r = im->result;
    const gl_v2_gen *gen = &im->gen;
    int64_t zero = im->order.time_zero;
    r->parts++;
    r->resyncs = im->order.resyncs;
    r->experimental_batches += gen->experimental_batches;
    if (im->forced + im->skipped != 0)
        gl_damage_add(r, im->first_forced_at, 0, im->skipped, im->first_forced - zero, im->last_forced - zero,
                      "%" PRIu64 " events did not fit what was known; state was taken up anew, %" PRIu64
                      " were left out",
                      im->forced + im->skipped, im->skipped);
    bool unfinished = !gen->finished || (last && im->walker.version < 26 && lacks_its_end(gen, im->walker.version));
    bool unnamed = gen->names_missing != 0 && !gen->has_strings;
    r->unnamed_parts += unnamed;
    r->truncated = r->truncated || (last && unfinished);
    if (unfinished)
        gl_damage_add(r, gen->end, 0, 0, -1, -1, "generation %" PRIu64 " has no end%s%s", gen->number,
                      last ? ": the trace was cut or its program stopped" : "",
                      gen->names_missing ? "; stacks and names are missing" : "");
    else if (gen->names_missing + gen->names_broken != 0)
        gl_damage_add(r, gen->end, 0, 0, -1, -1, "generation %" PRIu64 ": %" PRIu64 " names are missing, %" PRIu64
                      " could not be read", gen->number, gen->names_missing, gen->names_broken);
    im->damaged = im->damaged || !gen->finished;
    return 0;
}

static int play(importer *im, bool last)
{
    int rc = gl_v2_gen_read_tables(&im->gen, &im->walker, im->opt->dict, &im->names);
    if (rc == 0)
        rc = install(im);
    im->tries = 0;
    im->before = im->result->events;
    im->any = im->any || im->heap.n > 0;
    while (rc == 0 && im->heap.n > 0)
        rc = im->heap.at[0].time > im->special ? deliver_special(im) : step(im);
    while (rc == 0 && im->special != INT64_MAX)
        rc = deliver_special(im);
    free_cursors(im);
    if (rc == 0)
        rc = conclude(im, last);
    im->order.initial = im->order.initial && !im->any;
    im->order.part++;
    im->last_number = im->gen.number;
    return rc;
}

/* Damage behind the last generation. */
static int leftover(importer *im)
{
    int64_t end = im->last_batch;
    int rc = 0;
    im->result->truncated = im->result->truncated || im->gen.cut;
    for (size_t i = 0; i < im->gen.losses.n && rc == 0; i++) {
        gl_v2_loss *l = loss_at(im, i);
        l->time = l->until = end;
        gl_damage_add(im->result, l->offset, l->bytes, l->events, -1, -1, "%s", l->reason);
        rc = deliver_loss(im, l);
    }
    return rc;
}

/* Since 1.26 each generation is marked at its end, so a trace of none contradicts nothing, and Go takes it as whole. */
static bool is_empty_trace(const importer *im)
{
    return im->walker.version >= 26 && im->walker.size == GL_GOTRACE_HEADER_BYTES;
}

static int import_all(importer *im)
{
    int rc;
    while ((rc = gl_v2_gen_collect(&im->gen, &im->walker)) == 1) {
        im->order.gen = &im->gen;
        rc = im->gen.any ? play(im, im->walker.at >= im->walker.size) : leftover(im);
        if (rc < 0)
            return rc;
        gl_v2_gen_reset(&im->gen);
    }
    if (rc == 0 && im->order.part == 0 && !is_empty_trace(im)) {
        im->result->truncated = true;
        gl_damage_add(im->result, im->walker.size, 0, 0, -1, -1,
                      "there is no generation: the program stopped before it wrote one");
    }
    return rc < 0 ? rc : gl_event_run_flush(&im->order.run);
}

int gl_v2_import(gl_input *in, const gl_gotrace_options *opt, unsigned version, gl_gotrace_result *result,
                 gl_error *err)
{
    importer *im = calloc(1, sizeof *im);
    if (!im)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: no memory", gl_input_name(in));
    im->opt = opt;
    im->result = result;
    im->src.in = in;
    gl_v2_spread_init(&im->spread);
    im->src.spread = gl_v2_has_spread() ? &im->spread : NULL;
    gl_v2_gen_init(&im->gen);
    int rc = gl_v2_walker_init(&im->walker, in, version);
    if (rc == 0)
        rc = gl_v2_order_init(&im->order, opt, result);
    im->order.names = &im->names;
    im->order.version = version;
    if (rc == 0)
        rc = import_all(im);
    if (rc < 0)
        gl_fail(err, (gl_status)rc, im->walker.at, "%s: import stopped at byte %" PRIu64 ": %s", gl_input_name(in),
                im->walker.at, gl_status_text(rc));
    free_cursors(im);
    gl_v2_order_free(&im->order);
    gl_v2_gen_free(&im->gen);
    gl_v2_walker_free(&im->walker);
    free(im);
    return rc;
}
