/*
 * A glance at a v2 trace: batch headers, and the clocks that stand in batches of their own.
 */
#include "v2.h"

/* Bytes of an event batch per event, as Go programs write them. */
#define BYTES_PER_EVENT 5.5

typedef struct glance {
    gl_v2_walker walker;
    gl_v2_gen gen; /* for its clocks */
    gl_v2_map threads;
    gl_gotrace_glance *out;
    uint64_t first, last; /* ticks */
    uint64_t event_bytes, number;
} glance;

static int look_at_clocks(glance *g, const gl_v2_header *h)
{
    const uint8_t *p;
    size_t n;
    int rc = gl_v2_walker_bytes(&g->walker, h->data, h->got, &p, &n);
    if (rc < 0 || n == 0 || g->gen.frequency != 0)
        return rc;
    gl_v2_gen_read_sync(&g->gen, g->walker.version, h->time, p, n);
    g->out->wall_unix_ns = g->gen.wall_unix_ns;
    if (g->gen.frequency != 0)
        g->out->ticks_per_second = (double)g->gen.frequency;
    return 0;
}

static int look_at_batch(glance *g, const gl_v2_header *h)
{
    if (h->gen != g->number)
        g->out->parts++;
    g->number = h->gen;
    if (g->out->batches++ == 0 || h->time < g->first)
        g->first = h->time;
    if (h->time > g->last)
        g->last = h->time;
    if (h->first == (g->walker.version < 25 ? V2_FREQUENCY : V2_SYNC) && gl_v2_is_table(g->walker.version, h))
        return look_at_clocks(g, h);
    if (h->experimental || gl_v2_is_table(g->walker.version, h))
        return 0;
    g->event_bytes += h->got;
    if (h->m != V2_NO_M && g->threads.count < V2_STREAMS_MAX)
        return gl_v2_map_put(&g->threads, h->m, 0);
    return 0;
}

static int walk(glance *g)
{
    bool marked = false;
    for (;;) {
        gl_v2_header h;
        int kind = gl_v2_walker_header(&g->walker, g->walker.at, &h);
        if (kind < 0)
            return kind;
        if (kind == V2_HEADER_EOF) /* where ends are marked, a trace of no generations is whole */
            g->out->ends_well = g->walker.version < 26 ? g->out->batches != 0 : marked || g->out->batches == 0;
        if (kind != V2_HEADER_BATCH && kind != V2_HEADER_END_MARK)
            return 0;
        marked = kind == V2_HEADER_END_MARK;
        int rc = marked ? 0 : look_at_batch(g, &h);
        if (rc < 0)
            return rc;
        g->walker.at = marked ? g->walker.at + 1 : h.data + h.got;
        if (!marked && h.got < h.size)
            return 0;
    }
}

int gl_v2_look(gl_input *in, unsigned version, gl_gotrace_glance *out, gl_error *err)
{
    glance g = {.out = out};
    gl_v2_gen_init(&g.gen);
    int rc = gl_v2_walker_init(&g.walker, in, version);
    if (rc == 0)
        rc = walk(&g);
    out->bytes_walked = g.walker.at;
    out->threads = g.threads.count;
    out->events_estimate = (uint64_t)((double)g.event_bytes / BYTES_PER_EVENT);
    if (out->batches != 0 && out->ticks_per_second > 0)
        out->span_ns = gl_v2_ns(1.0 / (out->ticks_per_second / 1e9), g.last - g.first);
    gl_v2_map_free(&g.threads);
    gl_v2_gen_free(&g.gen);
    gl_v2_walker_free(&g.walker);
    if (rc < 0)
        return gl_fail(err, (gl_status)rc, g.walker.at, "%s: %s", gl_input_name(in), gl_status_text(rc));
    return 0;
}
