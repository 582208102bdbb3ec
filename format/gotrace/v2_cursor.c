/*
 * One thread's batches as a row of decoded events, and the heap that has the thread with the earliest event on top.
 */
#include "v2.h"

#include <stdlib.h>

/*
 * Behind the bytes of a window stands so much more room, which is read but means nothing: a number that begins inside is
 * then read without asking, and so are those behind it. Zeros first, so that a number that is cut ends there.
 */
#define PADDING 128

int gl_v2_cursor_init(gl_v2_cursor *c, const gl_v2_source *src, uint32_t stream)
{
    memset(c, 0, sizeof *c);
    const gl_v2_stream *s = (const gl_v2_stream *)(const void *)src->gen->streams.at + stream;
    c->stream = stream;
    c->batch = V2_NONE;
    c->buf_size = s->largest < src->window ? s->largest : src->window;
    c->ahead = s->largest / 2 + 1 < V2_DECODE_AHEAD ? s->largest / 2 + 1 : V2_DECODE_AHEAD;
    c->buf = malloc((size_t)c->buf_size + PADDING);
    c->events = calloc(c->ahead + V2_LOOK_AHEAD, sizeof *c->events);
    c->at = c->end = c->buf;
    c->ev = c->ev_end = c->events;
    return c->buf && c->events ? 0 : GL_E_NOMEM;
}

/* Fills the window behind what is still unread. */
static int refill(gl_v2_cursor *c, gl_v2_source *src)
{
    size_t kept = (size_t)(c->end - c->at);
    memmove(c->buf, c->at, kept);
    size_t want = c->buf_size - kept < c->rest ? c->buf_size - kept : c->rest;
    ssize_t n = gl_input_read(src->in, c->rest_at, c->buf + kept, want);
    if (n < 0)
        return (int)n;
    c->rest_at += (uint64_t)n;
    c->rest -= (uint32_t)n;
    if ((size_t)n < want)
        c->rest = 0; /* the file shrank meanwhile: the event there will be found cut */
    src->bytes_done += (uint64_t)n;
    c->at = c->buf;
    c->end = c->buf + kept + n;
    memset(c->buf + kept + n, 0, PADDING);
    return 0;
}

/* 1: the next batch is in hand; 0: there is none. */
static int next_batch(gl_v2_cursor *c, gl_v2_source *src)
{
    const gl_v2_batch *all = (const void *)src->gen->batches.at;
    const gl_v2_stream *s = (const gl_v2_stream *)(const void *)src->gen->streams.at + c->stream;
    uint32_t next = c->batch == V2_NONE ? s->first : all[c->batch].next;
    if (next == V2_NONE)
        return 0;
    const gl_v2_batch *b = &all[next];
    c->batch = next;
    c->rest_at = b->offset;
    c->rest = b->size;
    c->at = c->end = c->buf;
    c->time = gl_v2_ns(src->gen->ns_per_tick, b->time);
    int rc = refill(c, src);
    return rc < 0 ? rc : 1;
}

/* Passes over the rest of a batch that makes no sense. */
static void give_up_batch(gl_v2_cursor *c, gl_v2_source *src)
{
    const gl_v2_batch *all = (const void *)src->gen->batches.at;
    uint64_t left = (uint64_t)(c->end - c->at) + c->rest;
    if (!src->broke) {
        src->broke = true;
        src->broke_at = c->rest_at - (uint64_t)(c->end - c->at);
        src->broke_time = c->time;
        src->broke_bytes = 0;
    }
    src->broke_bytes += left;
    uint32_t next = all[c->batch].next;
    src->broke_until = gl_v2_ns(src->gen->ns_per_tick, next == V2_NONE ? src->gen->last_time : all[next].time);
    if (src->broke_until < c->time)
        src->broke_until = c->time;
    c->at = c->end;
    c->rest = 0;
    c->broken = false;
}

int gl_v2_cursor_fill(gl_v2_cursor *c, gl_v2_source *src)
{
    for (;;) {
        if (c->broken)
            give_up_batch(c, src);
        if (c->end - c->at <= V2_EVENT_BYTES_MAX && c->rest != 0) {
            int rc = refill(c, src);
            if (rc < 0)
                return rc;
        }
        if (c->at == c->end) {
            int rc = next_batch(c, src);
            if (rc <= 0)
                return rc;
        }
        gl_v2_cursor_decode(c, src->gen, src->spread);
        if (c->ev < c->ev_end)
            return 1;
    }
}

/* The heap */

static size_t sift_up(gl_v2_heap *h, size_t i)
{
    gl_v2_heap_entry e = h->at[i];
    for (; i > 0 && h->at[(i - 1) / 2].time > e.time; i = (i - 1) / 2)
        h->at[i] = h->at[(i - 1) / 2];
    h->at[i] = e;
    return i;
}

void gl_v2_heap_insert(gl_v2_heap *h, gl_v2_cursor *c)
{
    h->at[h->n] = (gl_v2_heap_entry){.time = c->ev->time, .cursor = c};
    sift_up(h, h->n++);
}

void gl_v2_heap_update(gl_v2_heap *h, size_t i)
{
    h->at[i].time = h->at[i].cursor->ev->time;
    if (sift_up(h, i) == i)
        gl_v2_heap_sift_down(h, i);
}

/* Up to the root without looking at times, the last one into its place, and down. */
void gl_v2_heap_remove(gl_v2_heap *h, size_t i)
{
    for (; i > 0; i = (i - 1) / 2)
        h->at[i] = h->at[(i - 1) / 2];
    h->at[0] = h->at[--h->n];
    if (h->n > 0)
        gl_v2_heap_sift_down(h, 0);
}

static void insertion_sort(gl_v2_heap_entry *e, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k > 0 && e[k].time < e[k - 1].time; k--) {
            gl_v2_heap_entry swap = e[k];
            e[k] = e[k - 1];
            e[k - 1] = swap;
        }
}

/* Stable; a sorted heap is a heap. */
void gl_v2_heap_sort(gl_v2_heap *h)
{
    const size_t run = 12;
    bool sorted = true;
    for (size_t i = 1; i < h->n && sorted; i++)
        sorted = h->at[i - 1].time <= h->at[i].time;
    if (sorted)
        return;
    for (size_t lo = 0; lo < h->n; lo += run)
        insertion_sort(h->at + lo, h->n - lo < run ? h->n - lo : run);
    for (size_t width = run; width < h->n; width *= 2) {
        gl_v2_heap_entry *from = h->at, *to = h->spare;
        for (size_t lo = 0; lo < h->n; lo += 2 * width) {
            size_t mid = lo + width < h->n ? lo + width : h->n, hi = mid + width < h->n ? mid + width : h->n;
            for (size_t i = lo, j = mid, k = lo; k < hi; k++)
                to[k] = i < mid && (j >= hi || from[i].time <= from[j].time) ? from[i++] : from[j++];
        }
        h->at = to;
        h->spare = from;
    }
}
