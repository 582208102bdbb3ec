/*
 * Batch headers: reading them, finding the next one after damage, and collecting the index of one generation.
 */
#include "v2.h"

#include <stdlib.h>

/* A header is a type, an experiment, and four numbers; one byte of data is looked at. */
#define HEADER_BYTES_MAX (2u + 4 * 10 + 2)

int gl_v2_walker_init(gl_v2_walker *w, gl_input *in, unsigned version)
{
    memset(w, 0, sizeof *w);
    w->in = in;
    w->size = gl_input_size(in);
    w->at = GL_GOTRACE_HEADER_BYTES;
    w->version = version;
    size_t n = w->size < V2_WINDOW_BYTES ? (size_t)w->size : V2_WINDOW_BYTES;
    w->window = malloc(n ? n : 1);
    return w->window ? 0 : GL_E_NOMEM;
}

void gl_v2_walker_free(gl_v2_walker *w)
{
    free(w->window);
    w->window = NULL;
}

/* Makes [at, at+want) part of the window, as far as the input goes. `load`: bytes to read where it is not. */
static int window_at(gl_v2_walker *w, uint64_t at, size_t want, size_t load)
{
    uint64_t left = at < w->size ? w->size - at : 0;
    if (want > left)
        want = (size_t)left;
    if (at >= w->window_at && at - w->window_at + want <= w->window_n)
        return 0;
    if (load < want)
        load = want;
    if (load > V2_WINDOW_BYTES)
        load = V2_WINDOW_BYTES;
    if (load > left)
        load = (size_t)left;
    w->window_n = 0;
    ssize_t n = gl_input_read(w->in, at, w->window, load);
    if (n < 0)
        return (int)n;
    w->window_at = at;
    w->window_n = (size_t)n;
    if ((size_t)n < load)
        w->size = at + (uint64_t)n; /* the file shrank meanwhile */
    return 0;
}

int gl_v2_walker_bytes(gl_v2_walker *w, uint64_t at, size_t want, const uint8_t **p, size_t *n)
{
    int rc = window_at(w, at, want, want);
    if (rc < 0)
        return rc;
    *n = at - w->window_at <= w->window_n ? w->window_n - (size_t)(at - w->window_at) : 0;
    if (*n > want)
        *n = want;
    *p = w->window + (at - w->window_at);
    return 0;
}

/* The numbers of a header. BATCH, CUT or BAD; *h is complete but for what depends on the input's size. */
static gl_v2_header_kind parse_header(const uint8_t *p, const uint8_t *end, gl_v2_header *h)
{
    const uint8_t *at = p + 1;
    h->experimental = *p == V2_EXPERIMENTAL_BATCH;
    if (*p != V2_EVENT_BATCH && !h->experimental)
        return V2_HEADER_BAD;
    if (h->experimental && at++ == end)
        return V2_HEADER_CUT;
    uint64_t size = UINT64_MAX;
    uint64_t *const fields[] = {&h->gen, &h->m, &h->time, &size};
    size_t i = 0;
    while (i < 4 && gl_leb_read(&at, end, fields[i]))
        i++;
    if (i < 4 && end - at < 10)
        return V2_HEADER_CUT;
    if (i < 3 || h->gen == 0)
        return V2_HEADER_BAD;
    if (i == 3)
        at += 10; /* the runtime writes a size with ten bytes */
    h->data = (uint64_t)(at - p);
    h->first = at < end && size > 0 ? *at : 0;
    h->size_broken = size > V2_BATCH_MAX;
    h->size = h->size_broken ? 0 : (uint32_t)size;
    return h->size_broken ? V2_HEADER_BAD : V2_HEADER_BATCH;
}

static int read_header(gl_v2_walker *w, uint64_t at, size_t load, gl_v2_header *h)
{
    memset(h, 0, sizeof *h);
    int rc = window_at(w, at, HEADER_BYTES_MAX, load);
    if (rc < 0)
        return rc;
    if (at >= w->size)
        return V2_HEADER_EOF;
    const uint8_t *p = w->window + (at - w->window_at);
    if (*p == V2_END_OF_GENERATION && w->version >= 26)
        return V2_HEADER_END_MARK;
    gl_v2_header_kind kind = parse_header(p, w->window + w->window_n, h);
    h->data += at;
    uint64_t left = h->data < w->size ? w->size - h->data : 0;
    h->got = h->size <= left ? h->size : (uint32_t)left;
    return kind;
}

int gl_v2_walker_header(gl_v2_walker *w, uint64_t at, gl_v2_header *h)
{
    return read_header(w, at, V2_WINDOW_HEADERS, h);
}

bool gl_v2_is_table(unsigned version, const gl_v2_header *h)
{
    if (h->experimental || h->got == 0)
        return false;
    return h->first == V2_STRINGS || h->first == V2_STACKS || h->first == V2_CPU_SAMPLES ||
           h->first == (version < 25 ? V2_FREQUENCY : V2_SYNC);
}

/* Finding the next header after damage */

/* A header that could well stand there: right generation, a thread as systems have them, a first byte that exists. */
static bool believable(const gl_v2_walker *w, const gl_v2_header *h, const gl_v2_gen *gen)
{
    if (h->got != h->size)
        return false;
    if (w->gen != 0 ? h->gen != w->gen && h->gen != w->gen + 1 : h->gen >= UINT64_C(1) << 32)
        return false;
    if (h->m != V2_NO_M && h->m >= UINT64_C(1) << 47 && gl_v2_map_get(&gen->stream_of, h->m) == V2_NONE)
        return false;
    if (w->gen != 0 && (h->time < w->min_time / 2 || h->time / 2 > w->last_time))
        return false;
    return h->experimental || (h->size == 0 && !h->size_broken) || gl_v2_is_table(w->version, h) ||
           gl_v2_event_known(h->first);
}

/* True where a believable batch stands at `at` and what follows it is one too, or the end. */
static int believable_at(gl_v2_walker *w, uint64_t at, const gl_v2_gen *gen)
{
    gl_v2_header h;
    int kind = read_header(w, at, V2_WINDOW_BYTES, &h);
    if (kind == V2_HEADER_END_MARK && gen->any) {
        gl_v2_header next;
        int after = read_header(w, at + 1, V2_WINDOW_BYTES, &next);
        return after == V2_HEADER_EOF ||
               (after == V2_HEADER_BATCH && next.gen == gen->number + 1 && believable(w, &next, gen));
    }
    if (kind != V2_HEADER_BATCH || !believable(w, &h, gen))
        return kind < 0 ? kind : 0;
    gl_v2_header next;
    kind = read_header(w, h.data + h.size, V2_WINDOW_BYTES, &next);
    if (kind == V2_HEADER_BATCH)
        return believable(w, &next, gen) || (next.got < next.size && next.gen == h.gen);
    return kind == V2_HEADER_BAD ? 0 : kind < 0 ? kind : 1;
}

int gl_v2_walker_resync(gl_v2_walker *w, uint64_t from, const gl_v2_gen *gen, uint64_t *found)
{
    /* The header behind the largest batch stays in the window, so that looking at it does not read the window anew. */
    const size_t reach = V2_BATCH_MAX + 2 * HEADER_BYTES_MAX;
    for (uint64_t at = from; at < w->size; at++) {
        int rc = window_at(w, at, reach, V2_WINDOW_BYTES);
        if (rc < 0)
            return rc;
        uint8_t b = w->window[at - w->window_at];
        if (b != V2_EVENT_BATCH && b != V2_EXPERIMENTAL_BATCH && b != V2_END_OF_GENERATION)
            continue;
        rc = believable_at(w, at, gen);
        if (rc == 1)
            *found = at;
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Collecting a generation */

static int lose(gl_v2_gen *gen, int64_t ticks, uint64_t offset, uint64_t bytes, const char *reason)
{
    return gl_v2_gen_lose(
        gen, (gl_v2_loss){.time = ticks, .until = ticks, .offset = offset, .bytes = bytes, .reason = reason});
}

static int add_table(gl_v2_gen *gen, const gl_v2_header *h)
{
    gl_v2_table *t = gl_v2_array_add(&gen->tables);
    if (!t)
        return GL_E_NOMEM;
    *t = (gl_v2_table){.offset = h->data, .time = h->time, .size = h->got, .kind = h->first};
    return 0;
}

static int stream_for(gl_v2_gen *gen, uint64_t m, gl_v2_stream **out)
{
    uint32_t i = gl_v2_map_get(&gen->stream_of, m);
    if (i == V2_NONE) {
        i = (uint32_t)gen->streams.n;
        gl_v2_stream *s = i < V2_STREAMS_MAX ? gl_v2_array_add(&gen->streams) : NULL;
        if (!s)
            return i < V2_STREAMS_MAX ? GL_E_NOMEM : GL_E_LIMIT;
        *s = (gl_v2_stream){.m = m, .first = V2_NONE, .last = V2_NONE};
        int rc = gl_v2_map_put(&gen->stream_of, m, i);
        if (rc < 0)
            return rc;
    }
    *out = (gl_v2_stream *)(void *)gen->streams.at + i;
    return 0;
}

static int add_events(gl_v2_gen *gen, const gl_v2_header *h)
{
    gl_v2_stream *s = NULL;
    int rc = stream_for(gen, h->m, &s);
    if (rc == GL_E_LIMIT)
        return lose(gen, (int64_t)(h->time & INT64_MAX), h->data, h->got, "too many threads in one generation");
    uint32_t i = (uint32_t)gen->batches.n;
    gl_v2_batch *b = rc == 0 && i < V2_NONE ? gl_v2_array_add(&gen->batches) : NULL;
    if (!b)
        return GL_E_NOMEM;
    *b = (gl_v2_batch){.offset = h->data, .time = h->time, .size = h->got, .next = V2_NONE};
    if (s->last == V2_NONE)
        s->first = i;
    else
        ((gl_v2_batch *)(void *)gen->batches.at)[s->last].next = i;
    s->last = i;
    if (h->got > s->largest)
        s->largest = h->got;
    return 0;
}

/* As Go does: the smallest batch time, where 0 stands for "none yet" (Go 1.26 src/internal/trace/generation.go). */
static int add_batch(gl_v2_gen *gen, gl_v2_walker *w, const gl_v2_header *h)
{
    if (!gen->any) {
        gen->any = true;
        gen->number = h->gen;
    }
    if (gen->min_time == 0 || h->time < gen->min_time)
        gen->min_time = h->time;
    if (h->time > gen->last_time)
        gen->last_time = h->time;
    w->gen = gen->number;
    w->min_time = gen->min_time;
    w->last_time = gen->last_time;
    w->at = h->data + h->got;
    if (h->experimental) {
        gen->experimental_batches++;
        return 0;
    }
    if (gl_v2_is_table(w->version, h))
        return add_table(gen, h);
    return add_events(gen, h);
}

static bool only_zeros(gl_v2_walker *w, uint64_t at)
{
    for (; at < w->size; at++) {
        if (window_at(w, at, 1, V2_WINDOW_BYTES) < 0 || at >= w->size || w->window[at - w->window_at] != 0)
            return false;
    }
    return true;
}

static bool second_trace(gl_v2_walker *w, uint64_t at)
{
    const uint8_t *p;
    size_t n;
    return gl_v2_walker_bytes(w, at, GL_GOTRACE_HEADER_BYTES, &p, &n) == 0 && gl_gotrace_detect(p, n) != 0;
}

/* Damage at w->at: goes on at the next believable header. 0 or negative. */
static int pass_over(gl_v2_gen *gen, gl_v2_walker *w)
{
    uint64_t from = w->at, found = w->size;
    const char *reason = "no batch begins here";
    if (second_trace(w, from)) {
        reason = "a second trace begins here; it is not read";
    } else {
        int rc = gl_v2_walker_resync(w, from + 1, gen, &found);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            found = w->size;
            reason =
                only_zeros(w, from) ? "nothing but zeros follows" : "no batch begins here, and none was found behind";
        }
    }
    w->at = found;
    return lose(gen, w->gen != 0 ? (int64_t)(w->last_time & INT64_MAX) : -1, from, found - from, reason);
}

/*
 * A batch of another generation than the one in hand: does it begin the next one? A single header with a flipped bit
 * does
 * not: the batch behind it belongs to the generation in hand.
 */
static int begins_next(gl_v2_gen *gen, gl_v2_walker *w, const gl_v2_header *h)
{
    gl_v2_header next;
    int kind = read_header(w, h->data + h->got, V2_WINDOW_HEADERS, &next);
    if (kind < 0)
        return kind;
    if (kind != V2_HEADER_BATCH || next.gen != gen->number)
        return 1;
    return lose(gen, (int64_t)(h->time & INT64_MAX), h->data, 0,
                "a batch names another generation; taken as of this one");
}

/* One batch. 1: go on; 0: the generation is complete; negative: error. */
static int collect_batch(gl_v2_gen *gen, gl_v2_walker *w, gl_v2_header *h)
{
    if (gen->any && h->gen != gen->number) {
        int next = begins_next(gen, w, h);
        if (next != 0) {
            gen->finished = next > 0 && w->version < 26;
            return next < 0 ? next : 0;
        }
        h->gen = gen->number;
    }
    gen->cut = h->got < h->size;
    int rc = add_batch(gen, w, h);
    return rc < 0 ? rc : 1;
}

static int collect_end_mark(gl_v2_gen *gen, gl_v2_walker *w)
{
    w->at++;
    if (gen->any) {
        gen->finished = true;
        return 0;
    }
    int rc = lose(gen, -1, w->at - 1, 1, "a generation ends here without having begun");
    return rc < 0 ? rc : 1;
}

/* The input ends inside a header. */
static int collect_cut(gl_v2_gen *gen, gl_v2_walker *w)
{
    uint64_t at = w->at;
    gen->cut = true;
    w->at = w->size;
    int rc = lose(gen, -1, at, w->size - at, "the file ends inside the header of a batch");
    return rc < 0 ? rc : 1;
}

/*
 * A header of which only the size is broken: its batch reaches to the next believable header. 1, 0: as collect_batch.
 */
static int collect_unsized(gl_v2_gen *gen, gl_v2_walker *w, gl_v2_header *h)
{
    uint64_t next = w->size;
    int rc = gl_v2_walker_resync(w, h->data, gen, &next);
    if (rc < 0)
        return rc;
    if (next - h->data > V2_BATCH_MAX) {
        rc = pass_over(gen, w);
        return rc < 0 ? rc : 1;
    }
    h->size = h->got = (uint32_t)(next - h->data);
    rc = lose(gen, (int64_t)(h->time & INT64_MAX), w->at, 0,
              "the size of a batch is damaged; it is taken to reach to the next");
    return rc < 0 ? rc : collect_batch(gen, w, h);
}

/* What stands at w->at. 1: go on; 0: the generation is complete; negative: error. */
static int collect_next(gl_v2_gen *gen, gl_v2_walker *w)
{
    gl_v2_header h;
    int rc, kind = gl_v2_walker_header(w, w->at, &h);
    switch (kind) {
    case V2_HEADER_BATCH:
        return collect_batch(gen, w, &h);
    case V2_HEADER_END_MARK:
        return collect_end_mark(gen, w);
    case V2_HEADER_CUT:
        return collect_cut(gen, w);
    case V2_HEADER_EOF:
        gen->finished = gen->any && !gen->cut && w->version < 26;
        return 0;
    case V2_HEADER_BAD:
        if (h.size_broken && believable(w, &h, gen))
            return collect_unsized(gen, w, &h);
        rc = pass_over(gen, w);
        return rc < 0 ? rc : 1;
    default:
        return kind;
    }
}

int gl_v2_gen_collect(gl_v2_gen *gen, gl_v2_walker *w)
{
    gen->begin = w->at;
    int rc = 1;
    while (rc == 1)
        rc = collect_next(gen, w);
    gen->end = w->at;
    return rc < 0 ? rc : gen->any || gen->losses.n != 0;
}
