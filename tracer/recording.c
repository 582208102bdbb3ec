#include "recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "recording_internal.h"

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)
#define FLUSH_DEFAULT SECOND
/* How long events wait for others that were stamped earlier and come later: long while there is little to keep, shorter
   when rings fill more than stays in a writer's cache. A thread that the system stops in the middle of an emit is what
   makes them late. */
#define HOLD_NS (50 * MS)
#define HOLD_BUSY_NS (5 * MS)
#define HOLD_FULL_NS MS
#define RING_BUSY (32u << 10) /* bytes in the fullest ring, or an eighth of a small one */
#define RING_FULL (96u << 10) /* or a quarter */
/* Pauses between two looks at the rings: so long that about half of the writers' windows is filled meanwhile.
   At most, a burst that begins behind a quiet time should fit into a ring: 30000 records in that of a Go program's thread. */
#define PAUSE_MIN_NS (200 * INT64_C(1000))
#define PAUSE_MAX_NS (3 * MS)
#define WINDOW_LOW 32768u
#define WINDOW_HIGH 81920u
#define URGENT (-10) /* nice value of the thread that reads the rings */
#define TEND_NS (20 * MS)
#define CLOCK_NS SECOND
#define CLOCK_EARLY_NS (100 * MS)
#define SETTLE_NS (2 * MS) /* an emit that was under way when the program was told to stop ends within this time */

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

/* ---- what is delivered ---------------------------------------------------------------------------------------------- */

static int fail(gl_recording *r, int status)
{
    if (r->status == 0) {
        r->status = status;
        if (!r->error.text[0])
            gl_fail(&r->error, (gl_status)status, UINT64_MAX, "%s", gl_status_text(status));
    }
    return status;
}

/** Events that the figures are made of: few of them all. */
static const bool counted[GL_EV_LIMIT] = {
    [GL_EV_GoCreate] = true, [GL_EV_GoStatus] = true, [GL_EV_GoEnd] = true,
    [GL_EV_GCSTWBegin] = true, [GL_EV_GCSTWEnd] = true, [GL_EV_Lost] = true,
};

static inline bool is_counted(const gl_event *ev)
{
    return ev->type < GL_EV_LIMIT && counted[ev->type];
}

static void count_event(gl_recording *r, const gl_event *ev)
{
    switch (ev->type) {
    case GL_EV_GoCreate: r->now.goroutines++; break;
    case GL_EV_GoStatus:
        /* At a start: it was there before, and is met for the first time. */
        r->now.goroutines += ev->arg[1] == GL_G_UNDETERMINED && ev->arg[2] > GL_G_NOT_EXIST;
        break;
    case GL_EV_GoEnd: r->now.goroutines -= r->now.goroutines > 0; break;
    case GL_EV_GCSTWBegin: r->stop_began = ev->time; break;
    case GL_EV_GCSTWEnd:
        if (r->stop_began)
            r->now.last_stop_ns = ev->time - r->stop_began;
        break;
    case GL_EV_Lost: r->now.lost += ev->arg[0]; break;
    default: break;
    }
}

/** Each trigger sees each event, also while they rest. */
static void look_for_triggers(gl_recording *r, const gl_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        count_event(r, &events[i]);
        for (size_t k = 0; k < r->opt.trigger_count; k++)
            if (gl_trigger_event(r->opt.triggers[k], r->dict, &events[i], r->now.goroutines) && !r->hit)
                r->hit = r->opt.triggers[k];
    }
}

static int deliver(void *user, gl_event *events, size_t n)
{
    gl_recording *r = user;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        events[i].time -= r->zero;
        any |= is_counted(&events[i]);
    }
    for (size_t i = 0; any && i < n; i++) {
        if (events[i].type == GL_EV_Lost)
            events[i].arg[2] -= (uint64_t)r->zero;
        if (!r->opt.trigger_count && is_counted(&events[i]))
            count_event(r, &events[i]);
    }
    if (r->status < 0)
        return 0;
    r->now.events += n;
    if (r->opt.trigger_count)
        look_for_triggers(r, events, n);
    int status = gl_store_events(&r->store, events, n, &r->error);
    return status < 0 ? fail(r, status) : 0;
}

/* ---- one look at all rings ------------------------------------------------------------------------------------------ */

/** Time 0 is the first event's, or the start of the recording: events that were made before it come from a recorder that
    is gone. The state at the start is delivered at once: it precedes everything. */
static int set_zero(gl_recording *r)
{
    int64_t zero = r->intake[0].first.monotonic_ns;
    for (size_t i = 0; i < r->order.n; i++) {
        const gl_queue *q = r->order.queue[i];
        for (size_t k = q->head; k < q->tail; k++)
            zero = q->event[k].time < zero ? q->event[k].time : zero;
    }
    r->zero = zero;
    r->zero_known = true;
    const gl_ring_pair *first = &r->intake[0].first;
    int64_t wall = first->wall_ns - (first->monotonic_ns - zero);
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, zero);
    int status = gl_store_meta(&r->store, "clock.first_abs_ns", text);
    snprintf(text, sizeof text, "%" PRId64, wall);
    if (status >= 0)
        status = gl_store_meta(&r->store, "clock.wall_unix_ns", text);
    if (status < 0)
        return fail(r, status);
    gl_event sync = {.time = zero, .arg = {0, (uint64_t)zero, (uint64_t)wall}, .thread = GL_NO_THREAD, .p = GL_NO_PROC,
                     .type = GL_EV_ClockSync};
    return deliver(r, &sync, 1);
}

static int deliver_start_state(gl_recording *r)
{
    int status = 0;
    for (unsigned i = 0; i < r->intakes && status >= 0; i++) {
        gl_queue *q = &r->intake[i].aside->queue;
        if (gl_queue_count(q))
            status = deliver(r, q->event + q->head, gl_queue_count(q));
        q->head = q->tail;
    }
    return status;
}

static int64_t hold_for(uint64_t waiting, uint64_t size)
{
    uint64_t busy = size / 8 < RING_BUSY ? size / 8 : RING_BUSY, full = size / 4 < RING_FULL ? size / 4 : RING_FULL;
    return waiting > full ? HOLD_FULL_NS : waiting > busy ? HOLD_BUSY_NS : HOLD_NS;
}

static int drain_all(gl_recording *r)
{
    int status = 0;
    for (unsigned i = 0; i < r->intakes && status >= 0; i++)
        status = gl_intake_drain(&r->intake[i], &r->error);
    return status;
}

typedef enum reach { OLD_ENOUGH, UP_TO_NOW, ALL } reach;

/** Drains each ring as far as it was filled when this began, and delivers what is old enough, or what happened until now,
    or all there is: once nothing more is to come. */
static int pass(gl_recording *r, reach how)
{
    int64_t began = now_ns();
    int status = drain_all(r);
    if (status >= 0 && !r->zero_known) {
        status = set_zero(r);
        if (status >= 0)
            status = deliver_start_state(r);
    }
    if (status >= 0)
        status = gl_order_run(&r->order, how == ALL ? INT64_MAX : how == UP_TO_NOW ? began : began - r->hold);
    for (unsigned i = 0; i < r->intakes; i++)
        gl_intake_note_left(&r->intake[i]);
    return status < 0 ? fail(r, status) : 0;
}

/* ---- the thread ----------------------------------------------------------------------------------------------------- */

/** Bytes that have come into a ring since the last pass: the most of all rings. */
static uint64_t look_at_rings(gl_recording *r)
{
    uint64_t most = 0;
    r->now.fill = 0;
    r->hold = HOLD_NS;
    for (unsigned i = 0; i < r->intakes; i++)
        for (uint32_t k = 0; r->intake[i].open && k < r->intake[i].feeds; k++) {
            uint64_t waiting = 0, size = 0;
            r->intake[i].source.ops->fill(r->intake[i].source.self, k, &waiting, &size);
            uint64_t left = r->intake[i].feed[k]->left, fresh = waiting > left ? waiting - left : 0;
            most = fresh > most ? fresh : most;
            int64_t hold = hold_for(waiting, size);
            r->hold = hold < r->hold ? hold : r->hold;
            unsigned percent = size ? (unsigned)(100 * waiting / size) : 0;
            r->now.fill = percent > r->now.fill ? percent : r->now.fill;
        }
    return most;
}

static void show(gl_recording *r)
{
    r->now.late = r->order.late;
    r->now.bytes = gl_store_bytes(&r->store);
    r->now.rings = r->rings > r->now.rings ? r->rings : r->now.rings;
    r->now.failed = r->status < 0;
    bool alive = false;
    for (unsigned i = 0; i < r->intakes; i++) {
        const gl_intake *in = &r->intake[i];
        alive |= in->open && (!in->source.ops->alive || in->source.ops->alive(in->source.self));
    }
    pthread_mutex_lock(&r->lock);
    r->shown = r->now;
    r->ended = !alive;
    pthread_mutex_unlock(&r->lock);
}

/** The program is not to suffer for us: sources are let go as soon as nothing can be written. */
static void let_go(gl_recording *r)
{
    for (unsigned i = 0; i < r->intakes; i++)
        gl_intake_close(&r->intake[i]);
    pthread_mutex_lock(&r->lock);
    r->end = true; /* nothing is taken up any more */
    pthread_mutex_unlock(&r->lock);
    show(r);
}

/** Sleeps unless the end was asked for; true where it was. */
static bool pause_for(gl_recording *r, int64_t ns)
{
    int64_t until = now_ns() + ns;
    struct timespec ts = {until / SECOND, until % SECOND};
    int failed;
    while ((failed = sem_clockwait(&r->wake, CLOCK_MONOTONIC, &ts)) != 0 && errno == EINTR) {
    }
    return failed == 0;
}

typedef struct schedule {
    int64_t pause, tend, clock, flush;
    unsigned clocks;
} schedule;

/* ---- sources that come and go while it runs ------------------------------------------------------------------------- */

static int put_meta(void *user, const char *key, const char *value);

/** The next source, from now on. */
static int open_intake(gl_recording *r, gl_intake *in, const gl_probe_source *source)
{
    int status = gl_intake_open(in, r, source);
    static const char *const clocks[] = {"CLOCK_MONOTONIC", "TSC", "CNTVCT"};
    if (status >= 0)
        status = put_meta(r, "source.kind", source->ops->name);
    if (status >= 0 && (unsigned)source->clock < sizeof clocks / sizeof *clocks)
        status = put_meta(r, "clock.kind", clocks[source->clock]);
    if (status >= 0)
        status = put_meta(r, "go.version", source->go_version);
    if (status >= 0 && source->ops->meta)
        status = source->ops->meta(source->self, put_meta, r);
    return status < 0 ? status : gl_life_begin(r, in);
}

/** A place that no source has any more, or a new one; NULL: all are taken. */
static gl_intake *free_place(gl_recording *r)
{
    for (unsigned i = 0; i < r->intakes; i++)
        if (gl_intake_is_free(&r->intake[i]))
            return &r->intake[i];
    return r->intakes < GL_RECORDING_SOURCES_MAX ? &r->intake[r->intakes++] : NULL;
}

static bool next_coming(gl_recording *r, gl_probe_source *out)
{
    pthread_mutex_lock(&r->lock);
    bool any = r->comings > 0;
    if (any) {
        *out = r->coming[0];
        memmove(r->coming, r->coming + 1, --r->comings * sizeof *r->coming);
    }
    pthread_mutex_unlock(&r->lock);
    return any;
}

/** A source of which nothing more can come is let go once its rings are empty: its memory is wanted for others. */
static int retire(gl_recording *r, gl_intake *in)
{
    int status = gl_intake_drain(in, &r->error);
    for (uint32_t i = 0; i < in->feeds && status >= 0; i++) {
        uint64_t waiting = 0, size = 0;
        in->source.ops->fill(in->source.self, i, &waiting, &size);
        if (waiting || in->feed[i]->queue.more)
            return 0;
    }
    if (status >= 0)
        status = gl_intake_finish(in, &r->error);
    if (status >= 0)
        status = gl_life_end(r, in, true);
    gl_intake_close(in);
    gl_names_end(r->names, in->source.pid);
    return status;
}

/** A process that executes another program is another process to the trace: what it was before ends first. */
static int retire_former(gl_recording *r, uint32_t pid)
{
    int status = 0;
    for (unsigned i = 0; i < r->intakes; i++) {
        gl_intake *in = &r->intake[i];
        for (int tries = 0; tries < 1000 && status >= 0 && in->open && in->source.path && in->source.pid == pid; tries++) {
            status = retire(r, in);
            if (status >= 0 && in->open)
                status = pass(r, OLD_ENOUGH);
        }
    }
    return status;
}

static int take_up_new(gl_recording *r)
{
    gl_probe_source source;
    int status = 0;
    while (status >= 0 && next_coming(r, &source)) {
        status = retire_former(r, source.pid);
        gl_intake *in = free_place(r);
        if (!in) { /* more at once than there are places: this one goes on unrecorded */
            source.ops->close(source.self);
            r->now.refused++;
            continue;
        }
        if (status >= 0)
            status = open_intake(r, in, &source);
        else
            source.ops->close(source.self);
        if (status >= 0)
            status = gl_intake_begin(in, &r->error);
    }
    return status < 0 ? fail(r, status) : 0;
}

static int retire_dead(gl_recording *r)
{
    int status = 0;
    for (unsigned i = 0; i < r->intakes && status >= 0; i++) {
        gl_intake *in = &r->intake[i];
        if (in->open && in->source.path && in->source.ops->alive && !in->source.ops->alive(in->source.self))
            status = retire(r, in);
    }
    return status;
}

static void take_clocks(gl_recording *r)
{
    for (unsigned i = 0; i < r->intakes; i++)
        if (r->intake[i].open)
            gl_intake_take_clock(&r->intake[i]);
}

static int do_what_is_due(gl_recording *r, schedule *s)
{
    int64_t now = now_ns(), flush = r->opt.flush_ns;
    int status = 0;
    if (now >= s->tend) {
        s->tend = now + TEND_NS;
        for (unsigned i = 0; i < r->intakes && status >= 0; i++) {
            if (r->intake[i].open)
                r->intake[i].source.ops->tend(r->intake[i].source.self);
            status = gl_intake_no_ring(&r->intake[i]);
        }
        if (status >= 0)
            status = retire_dead(r);
        show(r);
    }
    if (now >= s->clock) {
        s->clock = now + (s->clocks++ ? CLOCK_NS : CLOCK_EARLY_NS);
        take_clocks(r);
    }
    if (now >= s->flush && status >= 0) {
        /* What was drained just now waits for HOLD_NS first. */
        s->flush = now + (flush > 4 * HOLD_NS ? flush - 2 * HOLD_NS : flush / 2);
        status = gl_store_flush(&r->store, &r->error);
    }
    return status < 0 ? fail(r, status) : 0;
}

static void choose_pause(schedule *s, uint64_t waiting)
{
    if (waiting > WINDOW_HIGH)
        s->pause = s->pause / 2 > PAUSE_MIN_NS ? s->pause / 2 : PAUSE_MIN_NS;
    else if (waiting < WINDOW_LOW)
        s->pause = s->pause * 5 / 4 < PAUSE_MAX_NS ? s->pause * 5 / 4 : PAUSE_MAX_NS;
}

/** What was asked for comes first. All that was drained goes into the snapshot. */
static int snap_where_due(gl_recording *r)
{
    const gl_trigger *hit = r->hit;
    int64_t now = now_ns();
    r->hit = NULL;
    if (!r->store.flight || gl_snap_is_busy(&r->snap))
        return 0;
    bool wanted = gl_snap_is_wanted(&r->snap), resting = now < r->rest_until || (r->opt.limit && r->hits >= r->opt.limit);
    if (!wanted && (!hit || resting))
        return 0;
    int status = pass(r, UP_TO_NOW);
    if (status < 0)
        return status;
    r->hit = NULL;
    if (!wanted) {
        r->rest_until = now + r->opt.cooldown_ns;
        r->hits++;
    }
    gl_snap_begin(&r->snap, r->store.flight, wanted ? NULL : gl_trigger_text(hit));
    return 0;
}

static int run_until_end(gl_recording *r)
{
    int64_t now = now_ns();
    schedule s = {.pause = MS, .tend = now, .clock = now + CLOCK_EARLY_NS, .flush = now};
    int status = 0;
    while (status >= 0) {
        choose_pause(&s, look_at_rings(r));
        status = take_up_new(r);
        if (status >= 0)
            status = pass(r, OLD_ENOUGH);
        if (status >= 0)
            status = do_what_is_due(r, &s);
        if (status >= 0)
            status = snap_where_due(r);
        if (status >= 0 && pause_for(r, s.pause))
            return 0;
    }
    return status;
}

/** Nothing more is to come: the rest of the rings, and what can be known only now. */
static int drain_rest(gl_recording *r)
{
    int status = take_up_new(r);
    if (status < 0)
        return status;
    for (unsigned i = 0; i < r->intakes; i++)
        gl_intake_stop(&r->intake[i]);
    struct timespec settle = {0, SETTLE_NS};
    nanosleep(&settle, NULL);
    take_clocks(r);
    status = pass(r, ALL);
    for (unsigned i = 0; i < r->intakes && status >= 0; i++) {
        gl_intake *in = &r->intake[i];
        status = gl_intake_finish(in, &r->error);
        if (in->open && status >= 0)
            status = gl_life_end(r, in, in->source.ops->alive && !in->source.ops->alive(in->source.self));
    }
    if (status >= 0)
        status = gl_life_settle(r);
    if (status >= 0)
        status = gl_order_run(&r->order, INT64_MAX);
    return status < 0 ? fail(r, status) : 0;
}

/** Whoever reads too late on a busy machine loses events. Where it is not allowed, it is as it was. */
static void be_urgent(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), URGENT);
}

static void *run(void *user)
{
    gl_recording *r = user;
    int status = 0;
    be_urgent();
    for (unsigned i = 0; i < r->intakes && status >= 0; i++)
        if ((status = gl_intake_begin(&r->intake[i], &r->error)) < 0)
            fail(r, status);
    if (status >= 0)
        status = run_until_end(r);
    if (status >= 0)
        status = drain_rest(r);
    if (r->store.flight) {
        gl_snap_end(&r->snap);
        if (status >= 0 && r->end_reason)
            gl_snap_begin(&r->snap, r->store.flight, r->end_reason);
        gl_snap_end(&r->snap);
    }
    if (status < 0)
        let_go(r);
    show(r);
    return NULL;
}

/* ---- from outside --------------------------------------------------------------------------------------------------- */

static int on_process(void *user, const gl_process_info *process)
{
    gl_recording *r = user;
    r->now.processes++;
    return gl_store_process(&r->store, process);
}

static int put_meta(void *user, const char *key, const char *value)
{
    gl_recording *r = user;
    return value && *value ? gl_store_meta(&r->store, key, value) : 0;
}

static int put_facts(gl_recording *r)
{
    char host[256] = "";
    (void)!gethostname(host, sizeof host - 1);
    int status = put_meta(r, "source.name", r->opt.command);
    if (status >= 0)
        status = put_meta(r, "golanes.version", r->opt.version);
    return status < 0 ? status : put_meta(r, "host.name", host);
}

static void recording_free(gl_recording *r)
{
    for (unsigned i = 0; i < r->intakes; i++) {
        gl_intake *in = &r->intake[i];
        gl_intake_close(in);
        for (uint32_t k = 0; k < in->made; k++) {
            gl_queue_free(&in->feed[k]->queue);
            free(in->feed[k]);
        }
        if (in->aside)
            gl_queue_free(&in->aside->queue);
        free(in->aside);
        free(in->feed);
    }
    for (unsigned i = 0; i < r->comings; i++)
        r->coming[i].ops->close(r->coming[i].self);
    gl_life_free(r);
    gl_snap_destroy(&r->snap);
    gl_order_free(&r->order);
    gl_names_free(r->names);
    gl_dict_destroy(r->dict);
    sem_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r->met);
    free(r);
}

/** Threads begin as urgent as who makes them: where the one that compresses is late, the one that reads waits for it. */
static int open_store(gl_recording *r, const gl_store_options *o, gl_error *err)
{
    int usual = getpriority(PRIO_PROCESS, (id_t)gettid());
    be_urgent();
    int status = gl_store_open(&r->store, o, r->dict, err);
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), usual);
    return status;
}

int gl_recording_open(const gl_recording_options *opt, gl_recording **out, gl_error *err)
{
    gl_recording *r = calloc(1, sizeof *r);
    if (!r)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    r->opt = *opt;
    if (r->opt.flush_ns <= 0)
        r->opt.flush_ns = FLUSH_DEFAULT;
    sem_init(&r->wake, 0, 0);
    pthread_mutex_init(&r->lock, NULL);
    gl_order_init(&r->order, deliver, gl_intake_refill, r);
    r->dict = gl_dict_new();
    r->names = r->dict ? gl_names_new(r->dict, on_process, r) : NULL;
    int status = r->names ? 0 : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    gl_store_options o = {.path = opt->path, .force = opt->force, .level = opt->level, .max_bytes = opt->max_bytes,
                          .max_files = opt->max_files, .flight = opt->flight, .keep_ns = opt->keep_ns,
                          .keep_bytes = opt->keep_bytes};
    gl_snap_init(&r->snap, opt->path);
    if (status >= 0)
        status = open_store(r, &o, err);
    if (status >= 0 && (status = put_facts(r)) < 0)
        gl_fail(err, (gl_status)status, UINT64_MAX, "no memory for a recording");
    if (status < 0) {
        (void)!gl_store_close(&r->store, NULL, NULL);
        recording_free(r);
        return status;
    }
    *out = r;
    return 0;
}

/** The recording's thread takes it up soon. */
static int add_later(gl_recording *r, const gl_probe_source *source, gl_error *err)
{
    pthread_mutex_lock(&r->lock);
    bool room = !r->end && r->comings < GL_RECORDING_SOURCES_MAX;
    if (room)
        r->coming[r->comings++] = *source;
    pthread_mutex_unlock(&r->lock);
    if (room)
        return 0;
    source->ops->close(source->self);
    return gl_fail(err, GL_E_LIMIT, UINT64_MAX, "one recording takes at most %u programs at once", GL_RECORDING_SOURCES_MAX);
}

int gl_recording_add(gl_recording *r, const gl_probe_source *source, gl_error *err)
{
    if (r->running)
        return add_later(r, source, err);
    int status = r->intakes < GL_RECORDING_SOURCES_MAX ? 0 : GL_E_LIMIT;
    if (status < 0) {
        source->ops->close(source->self);
        return gl_fail(err, (gl_status)status, UINT64_MAX, "one recording takes at most %u sources", GL_RECORDING_SOURCES_MAX);
    }
    status = open_intake(r, &r->intake[r->intakes++], source);
    return status < 0 ? gl_fail(err, (gl_status)status, UINT64_MAX, "no memory for a recording") : 0;
}

int gl_recording_start(gl_recording *r, gl_error *err)
{
    int failed = pthread_create(&r->thread, NULL, run, r);
    if (failed)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "the recording's thread can't be started: %s", strerror(failed));
    r->running = true;
    return 0;
}

void gl_recording_look(const gl_recording *r, gl_recording_figures *out)
{
    gl_recording *own = (gl_recording *)(uintptr_t)r; /* the lock is no part of what is looked at */
    pthread_mutex_lock(&own->lock);
    *out = own->shown;
    pthread_mutex_unlock(&own->lock);
}

bool gl_recording_ended(const gl_recording *r)
{
    gl_recording *own = (gl_recording *)(uintptr_t)r;
    pthread_mutex_lock(&own->lock);
    bool ended = own->ended;
    pthread_mutex_unlock(&own->lock);
    return ended;
}

static void end_thread(gl_recording *r)
{
    if (!r->running)
        return;
    pthread_mutex_lock(&r->lock);
    r->end = true;
    pthread_mutex_unlock(&r->lock);
    sem_post(&r->wake);
    pthread_join(r->thread, NULL);
    r->running = false;
}

int gl_recording_snap(gl_recording *r, const char *reason, bool wait, char *text, size_t size)
{
    if (r->store.flight)
        return gl_snap_ask(&r->snap, reason, wait, text, size);
    if (text)
        snprintf(text, size, "this recording keeps no past: all of it is in %s", r->store.path);
    return GL_E_UNSUPPORTED;
}

bool gl_recording_note(gl_recording *r, char *text, size_t size)
{
    return gl_snap_note(&r->snap, text, size);
}

static void explain(const gl_recording *r, char *text, size_t size)
{
    *text = '\0';
    for (unsigned i = 0; i < r->intakes && !*text && r->now.threads == 0; i++) {
        const gl_probe_source *s = &r->intake[i].source;
        if (r->intake[i].open && s->ops->explain && !s->ops->explain(s->self, text, size))
            *text = '\0';
    }
}

int gl_recording_close(gl_recording *r, const char *reason, gl_recording_result *result, gl_error *err)
{
    gl_recording_result unused;
    result = result ? result : &unused;
    *result = (gl_recording_result){0};
    r->end_reason = reason;
    end_thread(r);
    explain(r, result->explain, sizeof result->explain);
    if (r->store.flight)
        snprintf(result->last_note, sizeof result->last_note, "%s", r->snap.text);
    int status = gl_store_close(&r->store, &result->stats, err);
    if (r->store.opt.flight && r->snap.status < 0)
        status = gl_fail(err, (gl_status)r->snap.status, UINT64_MAX, "%s", r->snap.text);
    if (r->status < 0) {
        status = r->status;
        if (err)
            *err = r->error;
    }
    result->figures = r->shown;
    recording_free(r);
    return status;
}
