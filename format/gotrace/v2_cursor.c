/*
 * One thread's batches as a row of decoded events, and the heap that has the thread with the earliest event on top.
 */
#include "v2.h"

#include <endian.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The largest event: a type and five numbers of ten bytes. */
#define EVENT_BYTES_MAX 51
/*
 * Behind the bytes of a window stands so much more room, which is read but means nothing: a number that begins inside
 * is
 * then read without asking, and so are those behind it. Zeros first, so that a number that is cut ends there.
 */
#define PADDING 128

/* Numbers behind the type: the time delta and the arguments. 0: no event of an event batch. */
static const uint8_t number_count[256] = {
#define V2_EVENT(code, name, args, rule) [code] = (args) + 1,
#include "v2_events.def"
#undef V2_EVENT
};

bool gl_v2_event_known(unsigned type)
{
    return type < 256 && number_count[type] != 0;
}

/* A number of three to ten bytes, of which the first eight are w. One that is longer sets *bad. */
static const uint8_t *read_long_number(const uint8_t *p, uint64_t w, uint64_t *v, bool *bad)
{
    uint64_t stop = ~w & UINT64_C(0x8080808080808080);
    if (stop == 0) {
        const uint8_t *end = p + 10;
        *bad = !gl_leb_read(&p, end, v) || *bad;
        return *bad ? end : p;
    }
    unsigned bits = (unsigned)__builtin_ctzll(stop) + 1; /* of the number, in groups of eight */
    w &= stop ^ (stop - 1);
    w = (w & UINT64_C(0x007f007f007f007f)) | (w & UINT64_C(0x7f007f007f007f00)) >> 1;
    w = (w & UINT64_C(0x00003fff00003fff)) | (w & UINT64_C(0x3fff00003fff0000)) >> 2;
    *v = (w & UINT64_C(0x0fffffff)) | (w & UINT64_C(0x0fffffff00000000)) >> 4;
    return p + bits / 8;
}

/* A number that mostly has one byte, so that asking for it first is foreseen well. */
static inline const uint8_t *read_small(const uint8_t *p, uint64_t *v, bool *bad)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    if (!(w & 0x80)) {
        *v = w & 0x7f;
        return p + 1;
    }
    if (!(w & 0x8000)) {
        *v = (w & 0x7f) | (w >> 1 & 0x3f80);
        return p + 2;
    }
    return read_long_number(p, w, v, bad);
}

/* A number of one to four bytes, how many cannot be foreseen: no branch hangs on it. */
static inline const uint8_t *read_mixed(const uint8_t *p, uint64_t *v, bool *bad)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    uint32_t low = (uint32_t)w, stop = ~low & UINT32_C(0x80808080);
    if (stop == 0)
        return read_long_number(p, w, v, bad);
    low &= stop ^ (stop - 1);
    *v = (low & 0x7f) | (low >> 1 & 0x3f80) | (low >> 2 & 0x1fc000) | (low >> 3 & 0xfe00000);
    return p + (((unsigned)__builtin_ctz(stop) + 1) >> 3);
}

/* The numbers of an event, of which the first is the time delta. A row of tests is faster here than a loop. */
static inline const uint8_t *read_numbers(const uint8_t *p, unsigned n, uint64_t *delta, uint64_t *arg, bool *bad)
{
    p = read_mixed(p, delta, bad);
    if (n == 1)
        return p;
    p = read_mixed(p, &arg[0], bad);
    if (n == 2)
        return p;
    p = read_mixed(p, &arg[1], bad);
    if (n == 3)
        return p;
    p = read_small(p, &arg[2], bad);
    return n == 4 ? p : read_small(p, &arg[3], bad);
}

/*
 * Most events have at most four numbers in at most 16 bytes. Where these end is found at once and not number after
 * number, so that the next event may begin before the numbers of this one are put together.
 */
#define QUICK_NUMBERS 4u
#define QUICK_BYTES 16

/* By byte, a bit: a number ends here. */
static inline uint32_t number_ends(const uint8_t *p)
{
#ifdef __SSE2__
    return ~(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)p)) & 0xffff;
#else
    uint64_t w[2];
    memcpy(w, p, sizeof w);
    uint64_t low = ~le64toh(w[0]) >> 7 & UINT64_C(0x0101010101010101);
    uint64_t high = ~le64toh(w[1]) >> 7 & UINT64_C(0x0101010101010101);
    const uint64_t gather = UINT64_C(0x0102040810204080); /* each byte's bit to its place in the highest byte */
    return (uint32_t)(low * gather >> 56 | high * gather >> 56 << 8);
#endif
}

/* Seven bits of each byte, one after the other. */
static inline uint64_t join_sevens(uint64_t w, bool pext)
{
#ifdef __x86_64__
    if (pext) {
        __asm__("pext %2, %1, %0" : "=r"(w) : "r"(w), "r"(UINT64_C(0x7f7f7f7f7f7f7f7f)));
        return w;
    }
#endif
    (void)pext;
    w = (w & UINT64_C(0x007f007f007f007f)) | (w & UINT64_C(0x7f007f007f007f00)) >> 1;
    w = (w & UINT64_C(0x00003fff00003fff)) | (w & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (w & UINT64_C(0x0fffffff)) | (w & UINT64_C(0x0fffffff00000000)) >> 4;
}

/* A number of at most eight bytes; false: it is longer. */
static inline bool read_quick(const uint8_t *p, uint64_t *v, bool pext)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    uint64_t stop = ~w & UINT64_C(0x8080808080808080);
    *v = join_sevens(w & (stop ^ (stop - 1)), pext);
    return stop != 0;
}

/* Without its lowest bit. */
static inline uint32_t next_end(uint32_t ends)
{
    return ends & (ends - 1);
}

/* Where what is behind the lowest bit begins. */
static inline const uint8_t *behind(const uint8_t *p, uint32_t ends)
{
    return p + __builtin_ctz(ends | 1u << QUICK_BYTES) + 1;
}

/*
 * The n numbers of the event at p: what stands behind it, or NULL where it is not of the short kind. There are
 * QUICK_BYTES and a number's more to read at p; arguments that the event does not have get any value.
 */
static inline const uint8_t *read_event(const uint8_t *p, unsigned n, uint64_t *delta, uint64_t *arg, bool pext)
{
    uint32_t ends0 = next_end(number_ends(p) | 1); /* the type is one byte, whatever it is */
    uint32_t ends1 = next_end(ends0), ends2 = next_end(ends1), ends3 = next_end(ends2);
    uint32_t last = n == 1 ? ends0 : n == 2 ? ends1 : n == 3 ? ends2 : ends3;
    bool good = read_quick(p + 1, delta, pext);
    good &= read_quick(behind(p, ends0), &arg[0], pext);
    good &= read_quick(behind(p, ends1), &arg[1], pext);
    good &= read_quick(behind(p, ends2), &arg[2], pext);
    return good && last != 0 && n <= QUICK_NUMBERS ? behind(p, last) : NULL;
}

/* gl_v2_ns without its float, where a tick is a whole number of ns: the product is exact either way. */
static inline int64_t delta_ns(const gl_v2_gen *gen, uint64_t ticks)
{
    return gen->whole_ns != 0 && ticks <= UINT32_MAX ? (int64_t)(ticks * gen->whole_ns)
                                                     : gl_v2_ns(gen->ns_per_tick, ticks);
}

/*
 * Decodes events from c->at on while there is room, and while an event of any length would be in the window whole, or
 * the
 * batch ends with it. What is no event sets c->broken.
 */
static inline __attribute__((always_inline)) void decode_with(gl_v2_cursor *c, const gl_v2_gen *gen, bool pext)
{
    const uint8_t *at = c->at, *const end = c->end, *const stop = c->rest ? end - EVENT_BYTES_MAX : end;
    gl_v2_event *out = c->events, *const out_end = out + c->ahead;
    int64_t time = c->time;
    for (; out < out_end && at < stop; out++) {
        unsigned n = number_count[*at];
        uint64_t ticks;
        bool bad = n == 0;
        const uint8_t *p = read_event(at, n, &ticks, out->arg, pext);
        if (__builtin_expect(!p, 0))
            p = read_numbers(at + 1, n, &ticks, out->arg, &bad);
        int64_t next = time + delta_ns(gen, ticks);
        if (bad || p > end || next >= V2_TIME_LIMIT) {
            c->broken = true;
            break;
        }
        out->type = *at;
        out->time = time = next;
        at = p;
    }
    c->time = time;
    c->at = at;
    c->ev = c->events;
    c->ev_end = out;
}

void gl_v2_cursor_decode(gl_v2_cursor *c, const gl_v2_gen *gen, bool pext)
{
    if (pext)
        decode_with(c, gen, true);
    else
        decode_with(c, gen, false);
}

bool gl_v2_has_pext(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("bmi2") && !__builtin_cpu_is("znver1") && !__builtin_cpu_is("znver2");
#else
    return false;
#endif
}

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
        if (c->end - c->at <= EVENT_BYTES_MAX && c->rest != 0) {
            int rc = refill(c, src);
            if (rc < 0)
                return rc;
        }
        if (c->at == c->end) {
            int rc = next_batch(c, src);
            if (rc <= 0)
                return rc;
        }
        gl_v2_cursor_decode(c, src->gen, gl_v2_has_pext());
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
