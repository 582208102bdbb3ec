/*
 * From a source to the queues of a recording: ticks become nanoseconds, threads are announced, and a queue that is full
 * leaves the rest in its ring.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "recording_internal.h"

#define CLOCK_FIRST_NS 10000000 /* two readings this far apart give the clock's rate */
#define QUOTA_MIN 256u
#define QUOTA_MAX 1024u /* what two rings give at once stays in the cache until it is encoded */
#define WAITING_MAX (128u << 10) /* events in all queues, about: 8 MiB */
#define ROOM 128u /* events that a decoder gets places for at once */

enum { THREAD_NOT_MET, THREAD_PENDING, THREAD_MET };

/* Time. */

static void sleep_until(int64_t ns)
{
    struct timespec ts = {ns / 1000000000, ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0) {
    }
}

void gl_intake_take_clock(gl_intake *in)
{
    gl_ring_pair pair;
    in->source.ops->take_clock(in->source.self, &pair);
    gl_clock_map_add(&in->clock, &pair);
}

/* What a drain delivers. */

static int set_met(gl_recording *r, uint32_t thread, uint8_t state)
{
    if (thread >= r->met_n) {
        size_t more = r->met_n ? 2 * r->met_n : 64;
        while (more <= thread)
            more *= 2;
        uint8_t *grown = realloc(r->met, more);
        if (!grown)
            return GL_E_NOMEM;
        memset(grown + r->met_n, THREAD_NOT_MET, more - r->met_n);
        r->met = grown;
        r->met_n = more;
    }
    r->met[thread] = state;
    return 0;
}

static int on_thread(void *user, const gl_session_owner *owner, gl_session_thread *out)
{
    gl_feed *feed = user;
    gl_recording *r = feed->intake->recording;
    bool fresh;
    int status = gl_names_thread(r->names, &feed->intake->source, owner->pid, owner->tid, out, &fresh);
    if (status < 0 || owner->turn == 0 || (out->thread < r->met_n && r->met[out->thread]))
        return status;
    r->now.threads++;
    feed->pending++;
    return set_met(r, out->thread, THREAD_PENDING);
}

static int on_text(void *user, const char *text, size_t n, uint32_t *id)
{
    gl_feed *feed = user;
    return gl_dict_string(feed->intake->recording->dict, text, n, id);
}

static int on_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    gl_feed *feed = user;
    return gl_names_stack(feed->intake->recording->names, &feed->intake->source, pid, pcs, n, id);
}

static bool is_pending(const gl_recording *r, uint32_t thread)
{
    return thread < r->met_n && r->met[thread] == THREAD_PENDING;
}

/** Puts a thread's ThreadStart before its first event, which is among the last n. */
static int announce(gl_feed *feed, size_t n)
{
    gl_recording *r = feed->intake->recording;
    gl_queue *q = &feed->queue;
    for (; feed->pending && n; n--) {
        uint32_t thread = q->event[q->tail - n].thread;
        if (!is_pending(r, thread))
            continue;
        if (!gl_queue_room(q, 1))
            return GL_E_NOMEM;
        gl_event *first = q->event + q->tail - n;
        memmove(first + 1, first, n * sizeof *first);
        *first = (gl_event){.time = first[1].time, .arg = {thread}, .thread = thread, .p = GL_NO_PROC, .type = GL_EV_ThreadStart};
        q->tail++;
        r->met[thread] = THREAD_MET;
        feed->pending--;
    }
    return 0;
}

#define PROCS_APART 1000u

/** What a number means in one process only is made different from what the others call so: Ps, channels, tasks.
    (Goroutines are told apart where they come from.) */
static void set_apart(gl_event *ev, uint32_t of)
{
    const gl_event_info *info = gl_event_lookup(ev->type);
    if (ev->p != GL_NO_PROC)
        ev->p += of * PROCS_APART;
    for (unsigned i = 0; info && i < info->arg_count; i++) {
        gl_kind kind = info->args[i].kind;
        if (kind == GL_KIND_PROC && ev->arg[i] != GL_NO_PROC)
            ev->arg[i] += (uint64_t)of * PROCS_APART;
        else if ((kind == GL_KIND_CHAN || kind == GL_KIND_TASK) && ev->arg[i])
            ev->arg[i] += (uint64_t)of << 48;
    }
}

/** n more events lie behind the queue's tail, times in ns. */
static int added(void *user, size_t n)
{
    gl_feed *feed = user;
    gl_queue *q = &feed->queue;
    q->tail += n;
    for (size_t i = feed->intake->process ? n : 0; i > 0; i--)
        set_apart(&q->event[q->tail - i], feed->intake->process);
    int status = feed->pending ? announce(feed, n) : 0;
    q->more = gl_queue_count(q) >= feed->quota;
    return status < 0 ? status : q->more ? GL_DRAIN_ENOUGH : 0;
}

static gl_event *room(void *user, size_t *n)
{
    gl_feed *feed = user;
    size_t have = gl_queue_count(&feed->queue), left = have < feed->quota ? feed->quota - have : 1;
    *n = left < ROOM ? left : ROOM;
    return gl_queue_room(&feed->queue, *n);
}

/** From a source that has its events elsewhere, in ticks. */
static int on_events(void *user, const gl_event *events, size_t n)
{
    gl_feed *feed = user;
    const gl_clock_map *clock = &feed->intake->clock;
    const gl_clock_segment line = gl_clock_map_newest(clock);
    gl_event *to = gl_queue_room(&feed->queue, n);
    if (!to)
        return GL_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        to[i] = events[i];
        to[i].time = gl_clock_line_ns(clock, &line, (uint64_t)events[i].time);
        if (to[i].type == GL_EV_Lost)
            to[i].arg[2] = (uint64_t)gl_clock_line_ns(clock, &line, to[i].arg[2]);
    }
    return added(feed, n);
}

/* Feeds. */

static gl_feed *new_feed(gl_intake *in)
{
    gl_feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return NULL;
    feed->intake = in;
    feed->quota = SIZE_MAX;
    feed->direct = (gl_session_direct){room, added, &in->clock};
    feed->sink = (gl_session_sink){feed, on_thread, on_text, on_stack, on_events, &feed->direct};
    if (gl_order_add(&in->recording->order, &feed->queue) < 0) {
        free(feed);
        return NULL;
    }
    return feed;
}

/** One that an earlier source of this place had: its queue stays in the order. */
static void renew(gl_feed *feed)
{
    feed->queue.more = false;
    feed->pending = 0;
}

static int find_rings(gl_intake *in)
{
    uint32_t n = in->source.ops->rings(in->source.self);
    if (n > in->capacity) {
        gl_feed **grown = realloc(in->feed, n * sizeof(gl_feed *));
        if (!grown)
            return GL_E_NOMEM;
        in->feed = grown;
        in->capacity = n;
    }
    for (; in->feeds < n; in->feeds++) {
        if (in->feeds == in->made) {
            if (!(in->feed[in->made] = new_feed(in)))
                return GL_E_NOMEM;
            in->made++;
        }
        in->feed[in->feeds]->ring = in->feeds;
        renew(in->feed[in->feeds]);
        in->recording->rings++;
    }
    return 0;
}

static int drain(gl_feed *feed, gl_error *err)
{
    const gl_recording *r = feed->intake->recording;
    gl_queue *q = &feed->queue;
    size_t share = WAITING_MAX / (r->rings ? r->rings : 1);
    feed->quota = share < QUOTA_MIN ? QUOTA_MIN : share > QUOTA_MAX ? QUOTA_MAX : share;
    q->more = gl_queue_count(q) >= feed->quota;
    if (q->more)
        return 0;
    const gl_probe_source *s = &feed->intake->source;
    return s->ops->drain(s->self, feed->ring, &feed->sink, err);
}

int gl_intake_refill(void *recording, gl_queue *q)
{
    gl_recording *r = recording;
    return drain((gl_feed *)(void *)((char *)q - offsetof(gl_feed, queue)), &r->error);
}

void gl_intake_note_left(gl_intake *in)
{
    for (uint32_t i = 0; in->open && i < in->feeds; i++) {
        uint64_t size;
        in->feed[i]->left = 0;
        if (in->feed[i]->queue.more)
            in->source.ops->fill(in->source.self, i, &in->feed[i]->left, &size);
    }
}

int gl_intake_drain(gl_intake *in, gl_error *err)
{
    int status = in->open ? find_rings(in) : 0;
    for (uint32_t i = 0; in->open && i < in->feeds && status >= 0; i++)
        status = drain(in->feed[i], err);
    return status;
}

int gl_intake_no_ring(gl_intake *in)
{
    gl_session_no_ring now = {0};
    if (!in->open || !in->source.ops->no_ring)
        return 0;
    in->source.ops->no_ring(in->source.self, &now);
    if (now.events <= in->told.events)
        return 0;
    static const char why[] = "no free ring for the thread";
    uint32_t id = 0;
    int status = gl_dict_string(in->recording->dict, why, sizeof why - 1, &id);
    uint64_t from = in->told.events ? in->told.last : now.first;
    gl_event lost = {.time = (int64_t)from, .arg = {now.events - in->told.events, 0, now.last, id}, .thread = GL_NO_THREAD,
                     .p = GL_NO_PROC, .type = GL_EV_Lost};
    in->told = now;
    return status < 0 ? status : in->aside->sink.on_events(in->aside, &lost, 1) < 0 ? GL_E_NOMEM : 0;
}

int gl_intake_finish(gl_intake *in, gl_error *err)
{
    int status = 0;
    for (uint32_t i = 0; in->open && i < in->feeds && status >= 0; i++) {
        in->feed[i]->quota = SIZE_MAX;
        status = in->source.ops->finish(in->source.self, i, &in->feed[i]->sink, err);
    }
    return status < 0 ? status : gl_intake_no_ring(in);
}

/* Beginning and end. */

int gl_intake_open(gl_intake *in, gl_recording *r, const gl_probe_source *source)
{
    *in = (gl_intake){.source = *source, .recording = r, .open = true, .feed = in->feed, .made = in->made,
                      .capacity = in->capacity, .aside = in->aside};
    source->ops->take_clock(source->self, &in->first);
    if (!in->aside)
        in->aside = new_feed(in);
    return in->aside ? 0 : GL_E_NOMEM;
}

/** Another source that reads the same clock and has done so for a while. */
static const gl_intake *same_clock(const gl_intake *in)
{
    const gl_recording *r = in->recording;
    for (unsigned i = 0; i < r->intakes; i++)
        if (&r->intake[i] != in && r->intake[i].open && r->intake[i].source.clock == in->source.clock && r->intake[i].clock.count > 0)
            return &r->intake[i];
    return NULL;
}

int gl_intake_begin(gl_intake *in, gl_error *err)
{
    gl_ring_pair second;
    /* At once, as a short program is gone soon; its libraries are not mapped yet where it has just been started. */
    gl_names_look(in->recording->names, &in->source, in->source.pid);
    const gl_intake *known = same_clock(in);
    if (known) { /* there is one on this machine, and it is known better by now */
        in->clock = known->clock;
    } else {
        sleep_until(in->first.monotonic_ns + CLOCK_FIRST_NS);
        in->source.ops->take_clock(in->source.self, &second);
        gl_clock_map_start(&in->clock, &in->first, &second);
    }
    gl_names_look(in->recording->names, &in->source, in->source.pid);
    return in->source.ops->begin ? in->source.ops->begin(in->source.self, &in->aside->sink, err) : 0;
}

bool gl_intake_is_free(const gl_intake *in)
{
    bool any = in->open || gl_queue_count(&in->aside->queue) > 0;
    for (uint32_t i = 0; i < in->made; i++)
        any |= gl_queue_count(&in->feed[i]->queue) > 0;
    return !any;
}

void gl_intake_stop(gl_intake *in)
{
    if (in->open && !in->stopped)
        in->source.ops->stop(in->source.self);
    in->stopped = true;
}

void gl_intake_close(gl_intake *in)
{
    gl_intake_stop(in);
    if (!in->open)
        return;
    in->source.ops->close(in->source.self);
    in->open = false;
    for (uint32_t i = 0; i < in->feeds; i++)
        in->feed[i]->queue.more = false;
    in->recording->rings -= in->feeds;
    in->feeds = 0;
}
