/*
 * The bytes of events as numbers: a type, a time delta, and arguments, each number seven bits a byte, the lowest first.
 */
#include "v2.h"

#include <endian.h>
#ifdef __SSE2__
#include <tmmintrin.h>
#define SPREADS 1
#endif

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

/* One number after the other */

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

/* Short events at once */

/*
 * Most events have at most four numbers, each of at most four bytes, in eight bytes together. Which of the eight end a
 * number says where each lies, so all four are put in place, and their sevens joined, by a few instructions without a
 * branch.
 */
void gl_v2_spread_init(gl_v2_spread *s)
{
    memset(s->place, 0x80, sizeof s->place); /* a zero */
    memset(s->behind, 0, sizeof s->behind);
    for (unsigned goes_on = 0; goes_on < 256; goes_on++)
        for (unsigned i = 0, number = 0, byte = 0; i < V2_SPREAD_BYTES && number < V2_SPREAD_NUMBERS && byte < 4; i++) {
            s->place[goes_on][number * 4 + byte++] = (uint8_t)i;
            if (goes_on >> i & 1)
                continue;
            s->behind[goes_on][++number] = (uint8_t)(i + 1);
            byte = 0;
        }
}

bool gl_v2_has_spread(void)
{
#ifdef SPREADS
    return __builtin_cpu_supports("ssse3");
#else
    return false;
#endif
}

#ifdef SPREADS
/* The numbers of the short event whose type is before p: what follows it, or NULL where it is not short. */
static inline __attribute__((always_inline, target("ssse3"))) const uint8_t *
read_short(const gl_v2_spread *s, const uint8_t *p, unsigned n, uint64_t *delta, uint64_t *arg)
{
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)p);
    unsigned goes_on = (unsigned)_mm_movemask_epi8(bytes) & 0xff, length = s->behind[goes_on][n];
    __m128i sevens = _mm_and_si128(_mm_shuffle_epi8(bytes, _mm_loadu_si128((const __m128i *)(const void *)s->place[goes_on])),
                                   _mm_set1_epi8(0x7f));
    __m128i pairs = _mm_maddubs_epi16(_mm_set1_epi16((int16_t)(1 | 128 << 8)), sevens);
    __m128i numbers = _mm_madd_epi16(pairs, _mm_set1_epi32(1 | 1 << 14 << 16));
    __m128i args = _mm_srli_si128(numbers, 4), zero = _mm_setzero_si128();
    *delta = (uint32_t)_mm_cvtsi128_si32(numbers);
    _mm_storeu_si128((__m128i *)(void *)arg, _mm_unpacklo_epi32(args, zero));
    _mm_storeu_si128((__m128i *)(void *)(arg + 2), _mm_unpackhi_epi32(args, zero));
    return length ? p + length : NULL;
}
#endif

/* A window */

/* gl_v2_ns without its float, where a tick is a whole number of ns: the product is exact either way. */
static inline int64_t delta_ns(const gl_v2_gen *gen, uint64_t ticks)
{
    return gen->whole_ns != 0 && ticks <= UINT32_MAX ? (int64_t)(ticks * gen->whole_ns)
                                                     : gl_v2_ns(gen->ns_per_tick, ticks);
}

typedef const uint8_t *(*short_reader)(const gl_v2_spread *s, const uint8_t *p, unsigned n, uint64_t *delta,
                                       uint64_t *arg);

/* The event at `at`, of any length: what follows it, or NULL where it is none. */
static __attribute__((noinline)) const uint8_t *read_any(const gl_v2_gen *gen, const uint8_t *at, gl_v2_event *out, int64_t *step)
{
    unsigned n = number_count[*at];
    uint64_t ticks;
    bool bad = n == 0;
    const uint8_t *p = read_numbers(at + 1, n, &ticks, out->arg, &bad);
    *step = delta_ns(gen, ticks);
    return bad ? NULL : p;
}

/*
 * Decodes events from c->at on while there is room, and while an event of any length would be in the window whole, or the
 * batch ends with it. What is no event sets c->broken. read: NULL for one number after the other; else a tick is a whole
 * number of ns.
 */
static inline __attribute__((always_inline)) void decode_with(gl_v2_cursor *c, const gl_v2_gen *gen, short_reader read,
                                                              const gl_v2_spread *spread)
{
    const uint8_t *at = c->at, *const end = c->end, *const stop = c->rest ? end - V2_EVENT_BYTES_MAX : end;
    gl_v2_event *out = c->events, *const out_end = out + c->ahead;
    const uint64_t whole_ns = gen->whole_ns;
    int64_t time = c->time;
    for (; out < out_end && at < stop; out++) {
        uint64_t ticks;
        int64_t step;
        const uint8_t *p = read ? read(spread, at + 1, number_count[*at], &ticks, out->arg) : NULL;
        if (__builtin_expect(p != NULL, 1))
            step = (int64_t)(ticks * whole_ns);
        else
            p = read_any(gen, at, out, &step);
        if (__builtin_expect(!p || p > end || time + step >= V2_TIME_LIMIT, 0)) {
            c->broken = true;
            break;
        }
        out->type = *at;
        out->time = time += step;
        at = p;
    }
    c->time = time;
    c->at = at;
    c->ev = c->events;
    c->ev_end = out;
}

#ifdef SPREADS
static __attribute__((target("ssse3"))) void decode_spread(gl_v2_cursor *c, const gl_v2_gen *gen, const gl_v2_spread *s)
{
    decode_with(c, gen, read_short, s);
}
#endif

void gl_v2_cursor_decode(gl_v2_cursor *c, const gl_v2_gen *gen, const gl_v2_spread *spread)
{
#ifdef SPREADS
    if (spread && gen->whole_ns != 0) {
        decode_spread(c, gen, spread);
        return;
    }
#endif
    (void)spread;
    decode_with(c, gen, NULL, NULL);
}
