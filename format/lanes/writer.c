#include "golanes/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lanes/dictchunk.h"
#include "lanes/encode.h"
#include "lanes/feed.h"
#include "lanes/keyframe.h"
#include "lanes/pipe.h"
#include "lanes/rows.h"
#include "lanes/spool.h"
#include "lanes/sums.h"
#include "lanes/track_move.h"
#include "src/dict_lock.h"

#define CHUNK_EVENTS_DEFAULT (UINT32_C(1) << 18)
#define LEVEL_DEFAULT 1
/* Where goroutines are more than a core's cache has room for, events are looked at so many ahead. */
#define AHEAD 8u
#define AHEAD_FROM 8192u
#define RUN_EVENTS 1024u /* taken at once: room is made for the goroutines that so many could be about */
/* A keyframe costs about five bytes a live goroutine: with this many events for each, a twentieth of a byte an event. */
#define KEYFRAME_EVENTS_PER_LIVE 96u
#define GOROUTINE_ROWS_ENOUGH 4096u

struct gl_writer {
    gl_dict *dict;
    ln_dict_mark mark;  /* what of the dictionary is in the file */
    ln_dict_mark reach; /* how far it went when the events at hand came */
    ln_feed feed;       /* open where there are helper threads: all below belongs to its thread while events are under way */
    ln_enc enc;
    ln_spool spool;
    ln_pipe pipe;
    ln_job *job;     /* being filled, NULL before a chunk's first event */
    ln_buf meta;     /* pairs not yet in the file */
    uint32_t meta_n;
    gl_process_info *processes; /* not yet in the file */
    size_t processes_n, processes_capacity;
    gl_channel_info *channels;  /* not yet in the file */
    size_t channels_n, channels_capacity;
    ln_track track;
    ln_pyramid pyramid;
    uint64_t keyframe_base;  /* chunk of the last full keyframe */
    uint64_t keyframe_event; /* number of the event that the last keyframe stands before */
    unsigned keyframes;      /* since the full one */
    uint64_t events, chunks;
    char *path;      /* for messages; NULL where the caller gave an fd */
    int fd;
    bool owns_fd;
    int rc;          /* first failure: nothing is taken after it */
};

static int open_file(const gl_writer_options *o, gl_error *err)
{
    if (!o->path)
        return o->fd;
    int fd = open(o->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "Cannot create %s: %s.", o->path, strerror(errno));
    return fd;
}

static int check_options(const gl_writer_options *o, gl_error *err)
{
    if (!o || !o->dict)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "A writer needs a dictionary.");
    if (o->level < 0 || o->level > 22)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "Compression level %d is not in 1..22.", o->level);
    if (o->threads > LN_PIPE_THREADS_MAX)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "At most %u compression threads are allowed.", LN_PIPE_THREADS_MAX);
    if (o->chunk_events > LN_CHUNK_EVENTS_MAX)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "At most %u events fit a chunk.", LN_CHUNK_EVENTS_MAX);
    return 0;
}

static void writer_free(gl_writer *w, bool drop)
{
    if (ln_feed_is_open(&w->feed)) {
        ln_feed_close(&w->feed);
        gl_dict_share(w->dict, false);
    }
    if (w->pipe.jobs)
        ln_pipe_close(&w->pipe, drop);
    ln_spool_free(&w->spool);
    ln_enc_free(&w->enc);
    ln_buf_free(&w->meta);
    ln_track_free(&w->track);
    ln_pyramid_free(&w->pyramid);
    free(w->processes);
    free(w->channels);
    if (w->owns_fd)
        close(w->fd);
    free(w->path);
    free(w);
}

static int take_batch(void *writer, const ln_batch *b);

int gl_writer_open(const gl_writer_options *opt, gl_writer **out, gl_error *err)
{
    int rc = check_options(opt, err);
    if (rc < 0)
        return rc;
    int fd = open_file(opt, err);
    if (fd < 0)
        return opt->path ? fd : gl_fail(err, GL_E_USAGE, UINT64_MAX, "A writer needs a path or an open file.");
    gl_writer *w = calloc(1, sizeof *w);
    if (!w) {
        if (opt->path)
            close(fd);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "No memory for a writer.");
    }
    w->fd = fd;
    w->owns_fd = opt->path != NULL;
    w->dict = opt->dict;
    w->mark = LN_DICT_MARK_START;
    w->path = opt->path ? strdup(opt->path) : NULL;
    rc = !opt->path || w->path ? 0 : GL_E_NOMEM;
    uint32_t chunk_events = opt->chunk_events ? opt->chunk_events : CHUNK_EVENTS_DEFAULT;
    if (rc == 0 && (!ln_enc_init(&w->enc) || !ln_spool_init(&w->spool, chunk_events)))
        rc = GL_E_NOMEM;
    ln_track_init(&w->track, &w->enc.model.map, w->dict);
    if (rc == 0)
        rc = ln_pipe_open(&w->pipe, fd, opt->level ? opt->level : LEVEL_DEFAULT, opt->threads);
    uint8_t header[LN_FILE_HEADER_BYTES];
    ln_file_header_put(header);
    if (rc == 0)
        rc = ln_pipe_raw(&w->pipe, header, sizeof header);
    if (rc < 0) {
        gl_fail(err, (gl_status)rc, 0, "Cannot begin %s: %s.", opt->path ? opt->path : "the trace file",
                rc == GL_E_IO ? strerror(errno) : gl_status_text(rc));
        writer_free(w, true);
        return rc;
    }
    /* without the thread the same work is done at once */
    if (opt->threads && !opt->encode_here && ln_feed_open(&w->feed, take_batch, w) == 0)
        gl_dict_share(w->dict, true);
    *out = w;
    return 0;
}

static int failed(gl_writer *w, int rc)
{
    if (rc < 0 && w->rc == 0)
        w->rc = rc;
    return rc;
}

/** Brings the writer to rest, so that the caller's thread may change it. */
static int settle(gl_writer *w)
{
    if (ln_feed_is_open(&w->feed))
        ln_feed_settle(&w->feed);
    w->reach = ln_dict_reach(w->dict);
    return w->rc;
}

static int why(gl_writer *w, int rc, gl_error *err)
{
    const char *reason = rc == GL_E_IO ? strerror(w->pipe.error_number) : gl_status_text(rc);
    return gl_fail(err, (gl_status)rc, w->pipe.offset, "Cannot write %s: %s. What was flushed before can be read.",
                   w->path ? w->path : "the trace file", reason);
}

int gl_writer_meta(gl_writer *w, const char *key, const char *value)
{
    size_t key_n = strlen(key), value_n = strlen(value);
    if (key_n == 0 || key_n > LN_STRING_MAX || value_n > LN_STRING_MAX)
        return GL_E_USAGE;
    settle(w);
    ln_buf_num(&w->meta, key_n);
    ln_buf_bytes(&w->meta, key, key_n);
    ln_buf_num(&w->meta, value_n);
    ln_buf_bytes(&w->meta, value, value_n);
    w->meta_n++;
    return w->meta.failed ? failed(w, GL_E_NOMEM) : 0;
}

int gl_writer_process(gl_writer *w, const gl_process_info *p)
{
    settle(w);
    gl_process_info *grown = ln_grow(w->processes, &w->processes_capacity, w->processes_n + 1, sizeof *grown);
    if (!grown)
        return failed(w, GL_E_NOMEM);
    w->processes = grown;
    grown[w->processes_n++] = *p;
    return 0;
}

/** A new draft of the job with one section to fill, or NULL without memory. */
static ln_draft *add_rows(gl_writer *w, ln_chunk_kind kind, size_t count)
{
    ln_draft *d = ln_job_draft(w->job, kind);
    if (d) {
        d->h.count = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
        d->h.number = w->chunks;
        d->present = 1u << LN_S_ROWS;
    }
    return d;
}

static int add_keyframe(gl_writer *w, int64_t time)
{
    size_t live;
    ln_track_sorted(&w->track, &live);
    if (live == 0 || w->events - w->keyframe_event < live * KEYFRAME_EVENTS_PER_LIVE)
        return 0;
    if (w->keyframe_event == 0 || ++w->keyframes == LN_KEYFRAME_FULL_EVERY) {
        w->keyframe_base = w->chunks;
        w->keyframes = 0;
    }
    ln_draft *d = add_rows(w, LN_KEYFRAME, live);
    if (!d)
        return GL_E_NOMEM;
    w->keyframe_event = w->events;
    d->h.first = w->keyframe_base;
    d->h.a = d->h.b = time;
    /* a full one holds everybody's constant fields: all have been live since before this chunk */
    return ln_keyframe_put(&w->track, w->keyframe_base == w->chunks ? 0 : w->keyframe_base, &d->sections[LN_S_ROWS]);
}

/** Before a chunk's first event (NULL: none will come): its job, the keyframe where one is due, and new sums. */
static int begin_chunk(gl_writer *w, const gl_event *first)
{
    w->job = ln_pipe_take(&w->pipe);
    if (!w->job)
        return failed(w, w->pipe.rc < 0 ? w->pipe.rc : GL_E_NOMEM);
    ln_track_start(&w->track, w->chunks, w->events, first ? &first->time : NULL);
    return first ? failed(w, add_keyframe(w, first->time)) : 0;
}

static int add_small_tables(gl_writer *w)
{
    ln_draft *d;
    if (w->processes_n) {
        if (!(d = add_rows(w, LN_PROCESSES, w->processes_n)))
            return GL_E_NOMEM;
        ln_processes_put(w->processes, w->processes_n, &d->sections[LN_S_ROWS]);
        w->processes_n = 0;
    }
    if (w->channels_n) {
        if (!(d = add_rows(w, LN_CHANNELS, w->channels_n)))
            return GL_E_NOMEM;
        ln_channels_put(w->channels, w->channels_n, &d->sections[LN_S_ROWS]);
        w->channels_n = 0;
    }
    return 0;
}

static int add_goroutines(gl_writer *w)
{
    ln_track *t = &w->track;
    ln_draft *d = add_rows(w, LN_GOROUTINES, t->ended_n);
    if (!d)
        return GL_E_NOMEM;
    uint64_t least = t->ended[0].g, most = least;
    for (size_t i = 1; i < t->ended_n; i++) {
        least = t->ended[i].g < least ? t->ended[i].g : least;
        most = t->ended[i].g > most ? t->ended[i].g : most;
    }
    d->h.a = (int64_t)least;
    d->h.b = (int64_t)most;
    ln_goroutines_put(t->ended, t->ended_n, w->chunks, &d->sections[LN_S_ROWS]);
    t->ended_n = 0;
    return 0;
}

/** What must stand before the events that use it. */
static int add_tables(gl_writer *w)
{
    ln_draft *d;
    if (w->meta_n) {
        if (!(d = add_rows(w, LN_META, w->meta_n)))
            return GL_E_NOMEM;
        ln_buf swap = d->sections[LN_S_ROWS];
        d->sections[LN_S_ROWS] = w->meta;
        w->meta = swap;
        ln_buf_clear(&w->meta);
        w->meta_n = 0;
    }
    while (ln_dict_grew(&w->reach, &w->mark)) {
        if (!(d = add_rows(w, LN_TABLES, 0)))
            return GL_E_NOMEM;
        ln_dict_put(w->dict, &w->reach, &w->mark, &d->sections[LN_S_ROWS]);
    }
    return add_small_tables(w);
}

static int add_sum(void *user, unsigned level, uint64_t number, const ln_sum *sum)
{
    gl_writer *w = user;
    ln_draft *d = ln_job_draft(w->job, LN_SUMMARY);
    if (!d)
        return GL_E_NOMEM;
    ln_sum_draft(d, level, number, sum);
    return 0;
}

static int add_events(gl_writer *w)
{
    ln_enc *e = &w->enc;
    ln_draft *d = ln_job_draft(w->job, LN_EVENTS);
    if (!d || !ln_enc_finish(e, &w->spool, d->sections))
        return GL_E_NOMEM;
    d->h.count = e->n;
    d->h.number = w->chunks;
    d->h.first = w->events;
    d->h.a = w->spool.smallest;
    d->h.b = w->spool.largest;
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        if (e->counts[code])
            d->h.aux[code / 64] |= UINT64_C(1) << code % 64;
    for (unsigned i = LN_S_SHAPE; i <= LN_S_ARGS; i++)
        d->present |= 1u << i;
    return 0;
}

/** The chunk's sums, its events, and the levels above that it completes, in this order: a cut leaves no events unsummed. */
static int add_chunk(gl_writer *w)
{
    ln_enc *e = &w->enc;
    ln_sum sum = {.lanes = NULL};
    ln_spool_range(&w->spool);
    int rc = ln_track_finish(&w->track, e->counts, w->spool.smallest, &sum.lanes, &sum.n);
    sum.node = w->track.node;
    if (rc == 0)
        rc = add_sum(w, 0, w->chunks, &sum);
    if (rc == 0)
        rc = add_events(w);
    if (rc < 0) {
        free(sum.lanes);
        return rc;
    }
    w->events += e->n;
    w->chunks++;
    ln_enc_start(e);
    ln_spool_start(&w->spool);
    return ln_pyramid_add(&w->pyramid, &sum, add_sum, w);
}

/** Hands over what was gathered: tables, then the chunk of events, if there are any. */
static int seal(gl_writer *w, bool everything)
{
    int rc = w->job ? 0 : begin_chunk(w, NULL);
    if (rc == 0)
        rc = add_tables(w);
    if (rc == 0 && w->enc.n)
        rc = add_chunk(w);
    if (rc == 0 && w->track.ended_n >= (everything ? 1 : GOROUTINE_ROWS_ENOUGH))
        rc = add_goroutines(w);
    if (rc < 0)
        return failed(w, rc);
    ln_pipe_give(&w->pipe, w->job);
    w->job = NULL;
    return 0;
}

static int add_channel(gl_writer *w, const gl_event *ev)
{
    gl_channel_info *grown = ln_grow(w->channels, &w->channels_capacity, w->channels_n + 1, sizeof *grown);
    if (!grown)
        return failed(w, GL_E_NOMEM);
    w->channels = grown;
    grown[w->channels_n++] = (gl_channel_info){.chan = ev->arg[0],
                                               .cap = ev->arg[1],
                                               .g = ev->g,
                                               .made = ev->time,
                                               .elem_type = (uint32_t)ev->arg[2],
                                               .stack = ev->stack};
    return 0;
}

/** One event that is not of the frequent types. False on failure (w->rc). */
static bool take_other(gl_writer *w, const gl_event *ev, uint32_t lane)
{
    uint32_t gi, ti;
    if (LN_UNLIKELY(ev->type - 1u >= GL_EV_LIMIT - 1u)) {
        failed(w, GL_E_USAGE);
        return false;
    }
    ln_enc_event(&w->enc, ev, lane, ev->type, &w->enc.shapes[ev->type], &gi, &ti);
    ln_track_event(&w->track, ev, gi, ti);
    return ev->type != GL_EV_ChanMake || add_channel(w, ev) == 0;
}

/** An operation on a channel. type: a constant. */
LN_INLINE void take_chan(gl_writer *w, const gl_event *ev, uint32_t lane, unsigned type)
{
    uint32_t gi, ti;
    ln_enc_event(&w->enc, ev, lane, type, &ln_vocabulary[type], &gi, &ti);
    if (type == GL_EV_ChanSendBegin)
        ln_track_send_begin(&w->track, ev, gi);
    else if (type == GL_EV_ChanSendEnd)
        ln_track_send_end(&w->track, ev, gi);
    else
        ln_track_time(&w->track, ev->time);
}

/** One event. The types that make up nine tenths of a busy trace, imported or recorded, have code of their own. As
    take_other. */
LN_INLINE bool take_one(gl_writer *w, const gl_event *ev, uint32_t lane)
{
    ln_enc *e = &w->enc;
    uint32_t gi, ti;
    switch (ev->type) {
    case GL_EV_GoStart:
        ln_enc_event(e, ev, lane, GL_EV_GoStart, &ln_vocabulary[GL_EV_GoStart], &gi, &ti);
        ln_track_start_of(&w->track, ev, ti);
        return true;
    case GL_EV_GoBlock:
        ln_enc_event(e, ev, lane, GL_EV_GoBlock, &ln_vocabulary[GL_EV_GoBlock], &gi, &ti);
        ln_track_block(&w->track, ev, gi);
        return true;
    case GL_EV_GoUnpark:
        ln_enc_event(e, ev, lane, GL_EV_GoUnpark, &ln_vocabulary[GL_EV_GoUnpark], &gi, &ti);
        ln_track_unpark(&w->track, ev, ti);
        return true;
    case GL_EV_ChanSendBegin: take_chan(w, ev, lane, GL_EV_ChanSendBegin); return true;
    case GL_EV_ChanSendEnd: take_chan(w, ev, lane, GL_EV_ChanSendEnd); return true;
    case GL_EV_ChanRecvBegin: take_chan(w, ev, lane, GL_EV_ChanRecvBegin); return true;
    case GL_EV_ChanRecvEnd: take_chan(w, ev, lane, GL_EV_ChanRecvEnd); return true;
    default:
        return take_other(w, ev, lane);
    }
}

/** Its first argument is a channel. */
LN_INLINE bool operates(const gl_event *ev)
{
    return (unsigned)ev->type - GL_EV_ChanSendBegin <= GL_EV_ChanRecvEnd - GL_EV_ChanSendBegin;
}

/** Fetches what events will need into the cache: far ahead where it is written down, less far the records themselves. */
static void fetch(const gl_writer *w, const gl_event *events, size_t far, size_t near, size_t n)
{
    for (size_t i = far; i < n && i < far + AHEAD; i++)
        if (operates(&events[i]))
            ln_enc_prefetch_chan(&w->enc, &events[i]);
        else
            ln_enc_prefetch(&w->enc, &events[i]);
    for (size_t i = near; i < n && i < near + AHEAD; i++)
        if (!operates(&events[i]))
            ln_track_prefetch(&w->track, &events[i]);
}

/** Up to the end of the chunk at hand, or of the array: how many were taken. */
static size_t take_run(gl_writer *w, const gl_event *events, size_t n)
{
    ln_spool *spool = &w->spool;
    bool many = w->enc.model.map.used > AHEAD_FROM;
    size_t left = spool->capacity - spool->n, run = n < left ? n : left;
    for (size_t i = 0, stop; i < run; i = stop) {
        stop = i + AHEAD < run ? i + AHEAD : run;
        if (many)
            fetch(w, events, i + 2 * AHEAD, i + AHEAD, n);
        for (; i < stop; i++) {
            uint32_t lane = ln_spool_put(spool, &events[i]);
            if (LN_UNLIKELY(lane == LN_SPOOL_FULL || !take_one(w, &events[i], lane)))
                return i;
        }
    }
    return run;
}

static int take_events(gl_writer *w, const gl_event *events, size_t n)
{
    while (n && w->rc == 0) {
        size_t run = n < RUN_EVENTS ? n : RUN_EVENTS;
        if (!w->job && begin_chunk(w, events) < 0)
            break;
        if (!ln_track_reserve(&w->track, run))
            return failed(w, GL_E_NOMEM);
        size_t taken = take_run(w, events, run);
        events += taken;
        n -= taken;
        if (w->rc == 0 && (taken < run || w->spool.n == w->spool.capacity))
            seal(w, false);
    }
    return w->rc;
}

static int take_batch(void *writer, const ln_batch *b)
{
    gl_writer *w = writer;
    w->reach = b->reach;
    return take_events(w, b->events, b->n);
}

int gl_writer_events(gl_writer *w, const gl_event *events, size_t n)
{
    ln_dict_mark reach = ln_dict_reach(w->dict);
    if (ln_feed_is_open(&w->feed))
        return ln_feed_put(&w->feed, events, n, &reach);
    w->reach = reach;
    return take_events(w, events, n);
}

int gl_writer_sink(void *writer, const gl_event *events, size_t n)
{
    return gl_writer_events(writer, events, n);
}

static bool anything(const gl_writer *w)
{
    return w->enc.n || w->meta_n || w->processes_n || w->track.ended_n || ln_dict_grew(&w->reach, &w->mark);
}

int gl_writer_flush(gl_writer *w, gl_error *err)
{
    int rc = settle(w);
    if (rc == 0 && anything(w))
        rc = seal(w, true);
    if (rc == 0)
        rc = failed(w, ln_pipe_wait(&w->pipe));
    return rc < 0 ? why(w, rc, err) : 0;
}

/** The index chunk is a chunk like the others, but for its payload, which is raw: a reader finds rows in it by place. */
static int put_index(gl_writer *w)
{
    ln_buf out = {0};
    uint64_t at = w->pipe.offset;
    int rc = ln_index_chunk(&w->pipe.index, &out);
    uint8_t trailer[LN_TRAILER_BYTES];
    if (rc == 0)
        rc = ln_pipe_raw(&w->pipe, out.base, ln_buf_size(&out));
    if (rc == 0) {
        ln_trailer_put(trailer, &(ln_trailer){at, w->pipe.offset + LN_TRAILER_BYTES});
        rc = ln_pipe_raw(&w->pipe, trailer, sizeof trailer);
    }
    ln_buf_free(&out);
    return failed(w, rc);
}

/** The goroutines that are still alive, and the open ends of the pyramid. */
static int put_ends(gl_writer *w)
{
    int rc = ln_track_end_all(&w->track);
    if (rc == 0 && !w->job)
        rc = begin_chunk(w, NULL);
    if (rc == 0)
        rc = ln_pyramid_finish(&w->pyramid, add_sum, w);
    if (rc == 0)
        rc = seal(w, true);
    return failed(w, rc < 0 ? rc : ln_pipe_wait(&w->pipe));
}

int gl_writer_close(gl_writer *w, gl_writer_stats *stats, gl_error *err)
{
    int rc = gl_writer_flush(w, err);
    if (rc == 0 && put_ends(w) < 0)
        rc = why(w, w->rc, err);
    uint64_t before_index = w->pipe.offset;
    if (rc == 0) {
        rc = put_index(w);
        if (rc < 0)
            why(w, rc, err);
    }
    const ln_totals *t = &w->pipe.index.totals;
    if (stats)
        *stats = (gl_writer_stats){w->events,         w->chunks,           w->pipe.offset,     t->bytes_events,
                                   t->bytes_tables, t->bytes_keyframes, t->bytes_summaries, w->pipe.offset - before_index};
    if (rc == 0 && w->owns_fd) {
        w->owns_fd = false;
        if (close(w->fd) < 0)
            rc = gl_fail(err, GL_E_IO, UINT64_MAX, "Cannot finish %s: %s.", w->path, strerror(errno));
    }
    writer_free(w, false);
    return rc;
}

void gl_writer_abandon(gl_writer *w)
{
    if (w)
        writer_free(w, true);
}
