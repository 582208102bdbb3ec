/*
 * Whole generations of a v2 trace as a trace of their own. Go's reader asks of a trace's first generation what it asks of
 * every one: each has its strings, stacks, clocks and states, and its order starts anew. So bytes are copied, nothing more.
 */
#include <stdlib.h>

#include "v2.h"

#define HEADER_BYTES 16
#define COPY_BYTES ((size_t)1 << 18)

typedef struct extent {
    uint64_t begin, end, min_time; /* offsets; ticks */
    bool whole;
} extent;

typedef struct cutter {
    gl_v2_walker walker;
    gl_v2_gen gen;    /* for its clocks */
    gl_v2_array list; /* extent */
    uint64_t number;
    bool open;        /* the last extent of the list is being walked through */
    bool damaged;
} cutter;

static extent *at(const cutter *c, size_t i) { return (extent *)(void *)(c->list.at + i * sizeof(extent)); }

static void close_extent(cutter *c, uint64_t end, bool whole)
{
    if (!c->open)
        return;
    at(c, c->list.n - 1)->end = end;
    at(c, c->list.n - 1)->whole = whole;
    c->open = false;
}

static int take_batch(cutter *c, const gl_v2_header *h, uint64_t offset)
{
    if (c->open && h->gen != c->number)
        close_extent(c, offset, c->walker.version < 26);
    if (!c->open) {
        extent *e = gl_v2_array_add(&c->list);
        if (!e)
            return GL_E_NOMEM;
        *e = (extent){.begin = offset, .min_time = h->time};
        c->open = true;
        c->number = h->gen;
    }
    extent *e = at(c, c->list.n - 1);
    e->min_time = h->time < e->min_time ? h->time : e->min_time;
    bool clocks = h->first == (c->walker.version < 25 ? V2_FREQUENCY : V2_SYNC) && gl_v2_is_table(c->walker.version, h);
    const uint8_t *p;
    size_t n = 0;
    int rc = clocks && c->gen.frequency == 0 ? gl_v2_walker_bytes(&c->walker, h->data, h->got, &p, &n) : 0;
    if (rc == 0 && n)
        gl_v2_gen_read_sync(&c->gen, c->walker.version, h->time, p, n);
    return rc;
}

/* Finds where generations begin and end, up to the first place that makes no sense. */
static int walk(cutter *c)
{
    gl_v2_walker *w = &c->walker;
    for (;;) {
        gl_v2_header h;
        int kind = gl_v2_walker_header(w, w->at, &h);
        if (kind < 0)
            return kind;
        if (kind == V2_HEADER_END_MARK) {
            close_extent(c, ++w->at, true);
            continue;
        }
        bool sound = kind == V2_HEADER_BATCH && h.got == h.size;
        if (!sound) {
            c->damaged = kind != V2_HEADER_EOF || (c->open && w->version >= 26);
            close_extent(c, w->at, !c->damaged);
            return 0;
        }
        int rc = take_batch(c, &h, w->at);
        if (rc < 0)
            return rc;
        w->at = h.data + h.got;
    }
}

static int copy(gl_input *in, uint64_t from, uint64_t to, gl_write_fn write, void *user)
{
    char *buffer = malloc(COPY_BYTES);
    int rc = buffer ? 0 : GL_E_NOMEM;
    while (rc == 0 && from < to) {
        size_t want = to - from < COPY_BYTES ? (size_t)(to - from) : COPY_BYTES;
        ssize_t n = gl_input_read(in, from, buffer, want);
        rc = n <= 0 ? GL_E_IO : write(user, buffer, (size_t)n);
        from += n > 0 ? (uint64_t)n : 0;
    }
    free(buffer);
    return rc;
}

static int64_t begin_ns(const cutter *c, size_t i)
{
    double ns_per_tick = c->gen.frequency ? 1.0 / ((double)c->gen.frequency / 1e9) : 1.0;
    uint64_t first = at(c, 0)->min_time;
    return at(c, i)->min_time > first ? gl_v2_ns(ns_per_tick, at(c, i)->min_time - first) : 0;
}

static int write_chosen(cutter *c, gl_input *in, int64_t from, int64_t to, gl_write_fn write, void *user, gl_gotrace_part *out)
{
    int rc = 0;
    for (size_t i = 0; i < c->list.n && rc == 0; i++) {
        const extent *e = at(c, i);
        int64_t begin = begin_ns(c, i), end = i + 1 < c->list.n ? begin_ns(c, i + 1) : INT64_MAX;
        if (!e->whole)
            continue;
        if (begin >= to || end <= from) {
            out->generations_left++;
            continue;
        }
        if (out->generations++ == 0) {
            out->from = begin;
            rc = copy(in, 0, HEADER_BYTES, write, user);
        }
        out->to = end;
        if (rc == 0)
            rc = copy(in, e->begin, e->end, write, user);
    }
    return rc;
}

int gl_gotrace_cut(gl_input *in, int64_t from, int64_t to, gl_write_fn write, void *user, gl_gotrace_part *out, gl_error *err)
{
    unsigned char first[HEADER_BYTES];
    ssize_t n = gl_input_read(in, 0, first, sizeof first);
    unsigned version = n > 0 ? gl_gotrace_detect(first, (size_t)n) : 0;
    *out = (gl_gotrace_part){0};
    if (version == 0)
        return gl_fail(err, GL_E_NOT_TRACE, 0, "%s: not a Go trace", gl_input_name(in));
    if (version < 22)
        return gl_fail(err, GL_E_UNSUPPORTED, 0, "%s: a trace of Go before 1.22 is one piece and cannot be cut as a Go trace",
                       gl_input_name(in));
    cutter c = {.list = {.size = sizeof(extent)}};
    gl_v2_gen_init(&c.gen);
    int rc = gl_v2_walker_init(&c.walker, in, version);
    if (rc == 0)
        rc = walk(&c);
    out->damaged = c.damaged;
    if (rc == 0)
        rc = write_chosen(&c, in, from, to, write, user, out);
    free(c.list.at);
    gl_v2_gen_free(&c.gen);
    gl_v2_walker_free(&c.walker);
    if (rc < 0)
        return gl_fail(err, (gl_status)rc, UINT64_MAX, "%s: %s", gl_input_name(in), gl_status_text(rc));
    if (out->generations == 0)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "%s: no whole generation lies there", gl_input_name(in));
    return 0;
}
