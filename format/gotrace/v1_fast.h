/*
 * Reading v1 events where enough bytes are at hand, which is nearly always: eight bytes at a time, without a branch a
 * byte. What is not plain here falls back to gl_v1_step_event, which says the same of every event.
 */
#ifndef GOLANES_GOTRACE_V1_FAST_H
#define GOLANES_GOTRACE_V1_FAST_H

#include "v1.h"

#define V1_FAST_BYTES 96 /* a type, a length, six numbers, and eight bytes more */
#define V1_STOP_BITS UINT64_C(0x8080808080808080)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define V1_FAST 1

static inline uint64_t gl_v1_load(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* The number in the lowest bytes of x; stops: the highest bit of each byte that ends one. */
static inline uint64_t gl_v1_pack(uint64_t x, uint64_t stops)
{
    x &= stops ^ (stops - 1); /* up to the first byte that ends one */
    x = (x & UINT64_C(0x007f007f007f007f)) | (x & UINT64_C(0x7f007f007f007f00)) >> 1;
    x = (x & UINT64_C(0x00003fff00003fff)) | (x & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (x & UINT64_C(0x000000000fffffff)) | (x & UINT64_C(0x0fffffff00000000)) >> 4;
}

static inline bool gl_v1_fast_number(const uint8_t **at, const uint8_t *end, uint64_t *number)
{
    uint64_t x = gl_v1_load(*at), stops = ~x & V1_STOP_BITS;
    if (stops == 0)
        return gl_leb_read(at, end, number);
    *number = gl_v1_pack(x, stops);
    *at += (unsigned)__builtin_ctzll(stops) / 8 + 1;
    return true;
}

/* How many numbers end in the lowest n bytes, n up to 8. */
static inline unsigned gl_v1_count(uint64_t x, uint64_t n)
{
    uint64_t stops = ~x & V1_STOP_BITS & (n < 8 ? (UINT64_C(1) << n * 8) - 1 : UINT64_MAX);
    return (unsigned)((stops >> 7) * UINT64_C(0x0101010101010101) >> 56);
}
#else
#define V1_FAST 0
#endif

/** As gl_v1_step_event. */
static inline gl_v1_step gl_v1_read_event(const gl_v1_wire *w, const uint8_t **at, const uint8_t *end, gl_v1_raw *raw)
{
#if V1_FAST
    const uint8_t *p = *at, *stop = NULL;
    if (end - p < V1_FAST_BYTES || !(w->plain >> (*p & 0x3f) & 1))
        return gl_v1_step_event(w, at, end, raw);
    unsigned type = *p & 0x3f, bits = *p >> 6, n = w->numbers[type];
    p++;
    if (bits == V1_COUNT_IN_BYTES) {
        if (n < w->times + V1_COUNT_IN_BYTES || *p > 0x7f)
            return gl_v1_step_event(w, at, end, raw);
        stop = p + 1 + *p;
        p++;
    } else if (n != w->times + bits) {
        return V1_STEP_BAD;
    }
    for (unsigned i = 0; i < n; i++)
        if (!gl_v1_fast_number(&p, end, &raw->number[i]))
            return V1_STEP_BAD;
    if (stop && p != stop)
        return V1_STEP_BAD;
    raw->type = (uint8_t)type;
    raw->blob = 0;
    *at = p;
    return V1_STEP_OK;
#else
    return gl_v1_step_event(w, at, end, raw);
#endif
}

/**
 * As gl_v1_step_event, but of events of numbers only the time (before 1.7: sequence and time) may be all that is read.
 * Returns from system calls are always read whole.
 */
static inline gl_v1_step gl_v1_skim_event(const gl_v1_wire *w, const uint8_t **at, const uint8_t *end, gl_v1_raw *raw)
{
#if V1_FAST
    const uint8_t *p = *at;
    if (end - p < V1_FAST_BYTES || !(w->plain >> (*p & 0x3f) & 1) || w->times != 1)
        return gl_v1_step_event(w, at, end, raw);
    unsigned type = *p & 0x3f, bits = *p >> 6, n = w->numbers[type];
    uint64_t x = gl_v1_load(p + 1);
    if (bits < V1_COUNT_IN_BYTES) {
        uint64_t stops = ~x & V1_STOP_BITS, last = stops;
        for (unsigned i = 1; i < bits + 1; i++)
            last &= last - 1;
        if (n != bits + 1 || last == 0)
            return gl_v1_step_event(w, at, end, raw);
        raw->number[0] = gl_v1_pack(x, stops);
        p += 1 + (unsigned)__builtin_ctzll(last) / 8 + 1;
    } else {
        unsigned length = (uint8_t)x;
        x = gl_v1_load(p + 2);
        uint64_t stops = ~x & V1_STOP_BITS, y = gl_v1_load(p + 10);
        unsigned first = length < 8 ? length : 8;
        bool whole = length <= 16 && length != 0 && p[1 + length] < 0x80;
        if (!whole || stops == 0 || type == V1_EV_GoSysExit || n < 1 + V1_COUNT_IN_BYTES ||
            gl_v1_count(x, first) + gl_v1_count(y, length - first) != n)
            return gl_v1_step_event(w, at, end, raw);
        raw->number[0] = gl_v1_pack(x, stops);
        p += 2 + length;
    }
    raw->type = (uint8_t)type;
    raw->blob = 0;
    *at = p;
    return V1_STEP_OK;
#else
    return gl_v1_step_event(w, at, end, raw);
#endif
}

#endif
