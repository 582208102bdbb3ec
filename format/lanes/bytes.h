/*
 * Bytes in and out: little-endian fields, the format's number coding, growing buffers and bounded readers.
 * FORMAT.md, "Numbers", describes the coding.
 */
#ifndef GOLANES_LANES_BYTES_H
#define GOLANES_LANES_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LN_LIKELY(x) __builtin_expect(!!(x), 1)
#define LN_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LN_INLINE static inline __attribute__((always_inline))
/** Before a loop of at most GL_EVENT_ARGS_MAX turns that is to be code for each turn. */
#ifdef __clang__
#define LN_UNROLL _Pragma("unroll")
#else
#define LN_UNROLL _Pragma("GCC unroll 4")
#endif

static inline void ln_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void ln_put32(uint8_t *p, uint32_t v)
{
    ln_put16(p, (uint16_t)v);
    ln_put16(p + 2, (uint16_t)(v >> 16));
}

static inline void ln_put64(uint8_t *p, uint64_t v)
{
    ln_put32(p, (uint32_t)v);
    ln_put32(p + 4, (uint32_t)(v >> 32));
}

static inline uint16_t ln_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t ln_get32(const uint8_t *p)
{
    return ln_get16(p) | (uint32_t)ln_get16(p + 2) << 16;
}

static inline uint64_t ln_get64(const uint8_t *p)
{
    return ln_get32(p) | (uint64_t)ln_get32(p + 4) << 32;
}

/** A difference of either sign as a small number: 0, -1, 1, -2… become 0, 1, 2, 3… */
static inline uint64_t ln_zigzag(uint64_t difference)
{
    return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t ln_unzigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

/*
 * A number: one byte below LN_NUM_ONE; two bytes below LN_NUM_TWO; else the escape byte and seven bits a byte. The two
 * short forms need one test each, and their first byte tells the length, which keeps entropy coders' tables sharp.
 */
#define LN_NUM_ONE 224u
#define LN_NUM_TWO (LN_NUM_ONE + 30u * 256u)
#define LN_NUM_NEGATIVE 254u /* in the time column: a step back follows; elsewhere not allowed */
#define LN_NUM_ESCAPE 255u
#define LN_NUM_MAX 11u       /* bytes at most */

static inline uint8_t *ln_leb_put(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

LN_INLINE uint8_t *ln_num_put(uint8_t *p, uint64_t v)
{
    if (LN_LIKELY(v < LN_NUM_ONE)) {
        *p = (uint8_t)v;
        return p + 1;
    }
    if (v < LN_NUM_TWO) {
        v -= LN_NUM_ONE;
        p[0] = (uint8_t)(LN_NUM_ONE + (v >> 8));
        p[1] = (uint8_t)v;
        return p + 2;
    }
    *p = LN_NUM_ESCAPE;
    return ln_leb_put(p + 1, v - LN_NUM_TWO);
}

/** A bounded reader. Reading past the end gives 0 and sets bad, so that a caller may test once per run. */
typedef struct ln_in {
    const uint8_t *p, *end;
    bool bad;
} ln_in;

static inline uint64_t ln_leb_get(ln_in *in)
{
    uint64_t v = 0;
    for (unsigned shift = 0; in->p < in->end; shift += 7) {
        uint8_t b = *in->p++;
        if (shift == 63 && b > 1)
            break;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    in->bad = true;
    return 0;
}

uint64_t ln_num_get_slow(ln_in *in);

LN_INLINE uint64_t ln_num_get(ln_in *in)
{
    if (LN_LIKELY(in->p < in->end && *in->p < LN_NUM_ONE))
        return *in->p++;
    return ln_num_get_slow(in);
}

static inline bool ln_in_bytes(ln_in *in, size_t n, const uint8_t **out)
{
    if ((size_t)(in->end - in->p) < n) {
        in->bad = true;
        return false;
    }
    *out = in->p;
    in->p += n;
    return true;
}

/** A growing buffer. All zero is an empty one. A failed growth sets failed; what is put after that is dropped. */
typedef struct ln_buf {
    uint8_t *base, *p, *end;
    bool failed;
} ln_buf;

bool ln_buf_grow(ln_buf *b, size_t room);
void ln_buf_free(ln_buf *b);

static inline size_t ln_buf_size(const ln_buf *b)
{
    return (size_t)(b->p - b->base);
}

static inline void ln_buf_clear(ln_buf *b)
{
    b->p = b->base;
}

/** Makes sure that n more bytes fit. */
LN_INLINE bool ln_buf_room(ln_buf *b, size_t n)
{
    return LN_LIKELY((size_t)(b->end - b->p) >= n) || ln_buf_grow(b, n);
}

LN_INLINE void ln_buf_num(ln_buf *b, uint64_t v)
{
    if (ln_buf_room(b, LN_NUM_MAX))
        b->p = ln_num_put(b->p, v);
}

static inline void ln_buf_bytes(ln_buf *b, const void *bytes, size_t n)
{
    if (n && ln_buf_room(b, n)) {
        memcpy(b->p, bytes, n);
        b->p += n;
    }
}

static inline void ln_buf_u8(ln_buf *b, uint8_t v)
{
    ln_buf_bytes(b, &v, 1);
}

static inline void ln_buf_u32(ln_buf *b, uint32_t v)
{
    uint8_t x[4];
    ln_put32(x, v);
    ln_buf_bytes(b, x, sizeof x);
}

static inline void ln_buf_u64(ln_buf *b, uint64_t v)
{
    uint8_t x[8];
    ln_put64(x, v);
    ln_buf_bytes(b, x, sizeof x);
}

/** The array with room for at least n entries of `size` bytes, or NULL without memory (the array stays). */
void *ln_grow(void *array, size_t *capacity, uint64_t n, size_t size);

#endif
