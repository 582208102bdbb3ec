#include "flight.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "golanes/reader.h"

#define PARTS 8u /* files that the past is kept in, about */
#define KEEP_BYTES_DEFAULT (UINT64_C(256) << 20)
#define CHUNK_EVENTS (UINT32_C(1) << 15) /* what is not in a chunk yet takes more memory */
#define SEGMENTS_MAX 1024u

/** One file in memory. */
typedef struct segment {
    int fd;
    gl_writer *writer;      /* NULL: finished */
    int64_t first, last;    /* ns; first > last: no events yet */
    uint64_t stated, events; /* events that say how things stood, and others */
    uint64_t bytes;
} segment;

struct gl_flight {
    gl_flight_options opt;
    segment segment[SEGMENTS_MAX];
    size_t n;
};

struct gl_flight_taken {
    segment segment[SEGMENTS_MAX];
    size_t n;
    gl_facts facts;
};

gl_flight *gl_flight_new(const gl_flight_options *opt)
{
    gl_flight *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->opt = *opt;
    if (!f->opt.keep_bytes)
        f->opt.keep_bytes = KEEP_BYTES_DEFAULT;
    return f;
}

static void segment_drop(segment *s)
{
    gl_writer_abandon(s->writer);
    if (s->fd >= 0)
        close(s->fd);
}

void gl_flight_free(gl_flight *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        segment_drop(&f->segment[i]);
    free(f);
}

static segment *newest(const gl_flight *f)
{
    return f->n ? (segment *)(uintptr_t)&f->segment[f->n - 1] : NULL;
}

static uint64_t size_of(const segment *s)
{
    struct stat st;
    return !s->writer ? s->bytes : fstat(s->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t gl_flight_bytes(const gl_flight *f)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < f->n; i++)
        bytes += size_of(&f->segment[i]);
    return bytes;
}

bool gl_flight_full(const gl_flight *f)
{
    const segment *s = newest(f);
    if (!s || !s->writer)
        return true;
    if (f->opt.keep_ns && s->first <= s->last && s->last - s->first >= f->opt.keep_ns / PARTS)
        return true;
    return size_of(s) >= f->opt.keep_bytes / PARTS;
}

/** What is older than what is to be kept. */
static void forget(gl_flight *f)
{
    const segment *s = newest(f);
    int64_t since = s->last - f->opt.keep_ns;
    size_t old = 0;
    uint64_t bytes = gl_flight_bytes(f);
    while (old + 1 < f->n && (bytes > f->opt.keep_bytes || (f->opt.keep_ns && f->segment[old + 1].first <= since) ||
                              f->n - old >= SEGMENTS_MAX - 1))
        bytes -= size_of(&f->segment[old++]);
    for (size_t i = 0; i < old; i++)
        segment_drop(&f->segment[i]);
    f->n -= old;
    memmove(f->segment, f->segment + old, f->n * sizeof *f->segment);
}

static int finish(segment *s, gl_error *err)
{
    gl_writer_stats stats = {0};
    if (!s->writer)
        return 0;
    int status = gl_writer_close(s->writer, &stats, err);
    s->writer = NULL;
    s->bytes = stats.bytes;
    return status;
}

static int state(void *user, const gl_event *events, size_t n)
{
    segment *s = user;
    s->stated += n;
    return gl_writer_events(s->writer, events, n);
}

static int begin(gl_flight *f, const gl_states *states, int64_t time, gl_error *err)
{
    segment *s = &f->segment[f->n];
    *s = (segment){.fd = memfd_create("golanes-flight", MFD_CLOEXEC), .first = time, .last = INT64_MIN};
    if (s->fd < 0)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "memory for the past can't be had: %s", strerror(errno));
    f->n++;
    gl_writer_options o = {.fd = s->fd, .dict = f->opt.dict, .level = f->opt.level, .chunk_events = CHUNK_EVENTS};
    int status = gl_writer_open(&o, &s->writer, err);
    return status < 0 ? status : gl_states_put(states, time, state, s);
}

int gl_flight_events(gl_flight *f, const gl_states *states, const gl_event *events, size_t n, gl_error *err)
{
    int status = 0;
    if (gl_flight_full(f)) {
        if (newest(f)) {
            status = finish(newest(f), err);
            forget(f);
        }
        if (status >= 0)
            status = begin(f, states, events[0].time, err);
        if (status < 0)
            return status;
    }
    segment *s = newest(f);
    for (size_t i = 0; i < n; i++)
        s->last = events[i].time > s->last ? events[i].time : s->last;
    s->events += n;
    status = gl_writer_events(s->writer, events, n);
    return status < 0 ? gl_fail(err, (gl_status)status, UINT64_MAX, "the past can't be kept: %s", gl_status_text(status)) : 0;
}

/* ---- snapshots ------------------------------------------------------------------------------------------------------ */

gl_flight_taken *gl_flight_take(gl_flight *f, gl_error *err)
{
    gl_flight_taken *t = calloc(1, sizeof *t);
    int status = t ? gl_facts_copy(&t->facts, f->opt.facts) : GL_E_NOMEM;
    if (status >= 0 && newest(f))
        status = finish(newest(f), err);
    for (size_t i = 0; i < f->n && status >= 0; i++) {
        t->segment[i] = f->segment[i];
        t->segment[i].fd = fcntl(f->segment[i].fd, F_DUPFD_CLOEXEC, 3);
        status = t->segment[i].fd < 0 ? GL_E_IO : 0;
        t->n += status >= 0;
    }
    if (status >= 0)
        return t;
    if (err && !err->text[0])
        gl_fail(err, (gl_status)status, UINT64_MAX, "what is kept can't be taken: %s", gl_status_text(status));
    gl_flight_taken_free(t);
    return NULL;
}

void gl_flight_taken_free(gl_flight_taken *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        close(t->segment[i].fd);
    gl_facts_free(&t->facts);
    free(t);
}

/** Times count from the snapshot's own start. */
typedef struct writing {
    gl_writer *writer;
    int64_t zero;
    uint64_t skip; /* events at the start of the file at hand that say again what the reader knows */
} writing;

static int put_events(writing *w, const gl_event *events, size_t n)
{
    gl_event batch[256];
    int status = 0;
    size_t i = n < w->skip ? n : (size_t)w->skip;
    w->skip -= i;
    while (i < n && status >= 0) {
        size_t k = 0;
        for (; k < sizeof batch / sizeof *batch && i < n; i++) {
            batch[k] = events[i];
            batch[k].time -= w->zero;
            if (batch[k].type == GL_EV_Lost)
                batch[k].arg[2] -= (uint64_t)w->zero;
            k++;
        }
        status = gl_writer_events(w->writer, batch, k);
    }
    return status;
}

static int copy_segment(writing *w, gl_reader *r, gl_error *err)
{
    gl_cursor *c;
    const gl_event *events;
    size_t n;
    int status = gl_cursor_open(r, GL_COL_ALL, &c, err);
    if (status < 0)
        return status;
    while ((status = gl_cursor_next(c, &events, &n, err)) == 0 && n > 0 && (status = put_events(w, events, n)) >= 0) {
    }
    gl_cursor_close(c);
    return status;
}

static int open_segment(const segment *s, gl_reader **out, gl_error *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
    return gl_reader_open(path, out, err);
}

static int64_t number_of(const gl_facts *f, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->fact[i].key, key) == 0)
            return strtoll(f->fact[i].value, NULL, 10);
    return 0;
}

/** The clocks at the snapshot's time 0, and what it was written for. */
static int put_start(writing *w, const gl_facts *facts, const char *reason)
{
    char text[32];
    int64_t monotonic = number_of(facts, "clock.first_abs_ns") + w->zero, wall = number_of(facts, "clock.wall_unix_ns") + w->zero;
    gl_event sync = {.arg = {0, (uint64_t)monotonic, (uint64_t)wall}, .thread = GL_NO_THREAD, .p = GL_NO_PROC,
                     .type = GL_EV_ClockSync};
    int status = gl_facts_put(facts, w->writer);
    snprintf(text, sizeof text, "%" PRId64, monotonic);
    if (status >= 0)
        status = gl_writer_meta(w->writer, "clock.first_abs_ns", text);
    snprintf(text, sizeof text, "%" PRId64, wall);
    if (status >= 0)
        status = gl_writer_meta(w->writer, "clock.wall_unix_ns", text);
    if (status >= 0)
        status = gl_writer_meta(w->writer, "snap.reason", reason);
    return status < 0 ? status : gl_writer_events(w->writer, &sync, 1);
}

static int write_all(const gl_flight_taken *t, gl_reader **reader, writing *w, const char *reason, gl_error *err)
{
    int status = put_start(w, &t->facts, reason);
    for (size_t i = 0; i < t->n && status >= 0; i++) {
        w->skip = i ? t->segment[i].stated : 0;
        if (!reader[i])
            status = open_segment(&t->segment[i], &reader[i], err);
        if (status >= 0)
            status = copy_segment(w, reader[i], err);
        if (i + 1 < t->n) {
            gl_reader_close(reader[i]);
            reader[i] = NULL;
        }
    }
    return status;
}

/** The newest file has all names: the dictionary only grows. */
static int write_with(const gl_flight_taken *t, gl_reader **reader, int fd, const char *reason, gl_writer_stats *stats,
                      gl_error *err)
{
    const gl_dict *dict;
    int status = open_segment(&t->segment[t->n - 1], &reader[t->n - 1], err);
    if (status >= 0)
        status = gl_reader_dict(reader[t->n - 1], &dict, err);
    if (status < 0)
        return status;
    writing w = {.zero = t->segment[0].first};
    /* The writer does not change it. */
    gl_writer_options o = {.fd = fd, .dict = (gl_dict *)(uintptr_t)dict};
    status = gl_writer_open(&o, &w.writer, err);
    if (status < 0)
        return status;
    status = write_all(t, reader, &w, reason, err);
    if (status >= 0)
        return gl_writer_close(w.writer, stats, err);
    gl_error why = {0};
    if (gl_writer_flush(w.writer, &why) < 0 && err)
        *err = why;
    gl_writer_abandon(w.writer);
    return status;
}

int gl_flight_write(const gl_flight_taken *t, const char *path, const char *reason, gl_writer_stats *stats, gl_error *err)
{
    if (!t->n)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "nothing was recorded yet");
    gl_reader **reader = calloc(t->n, sizeof *reader);
    if (!reader)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a snapshot");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int status = fd < 0 ? gl_fail(err, GL_E_IO, UINT64_MAX, "%s can't be created: %s", path, strerror(errno))
                        : write_with(t, reader, fd, reason, stats, err);
    for (size_t i = 0; i < t->n; i++)
        gl_reader_close(reader[i]);
    free(reader);
    if (fd >= 0)
        close(fd);
    return status;
}
