/*
 * Bytes on their way to the sink: buffered here, so that a number costs no call. A failure of the sink is sticky.
 */
#ifndef GOLANES_EXPORT_OUT_H
#define GOLANES_EXPORT_OUT_H

#include <stdbool.h>
#include <string.h>

#include "golanes_export/export.h"

typedef struct ex_out {
    gl_export_sink_fn sink;
    void *user;
    int status; /* of the first failure */
    size_t n;
    char buffer[1 << 16];
} ex_out;

void ex_out_init(ex_out *o, gl_export_sink_fn sink, void *user);
/** Hands over what is buffered, so that there is room for n bytes; false: they are too many, and were handed over too. */
bool ex_out_make_room(ex_out *o, const void *bytes, size_t n);

/* Most of what is written are a few bytes whose number the compiler knows. */
static inline void ex_out_add(ex_out *o, const void *bytes, size_t n)
{
    if (n > sizeof o->buffer - o->n && !ex_out_make_room(o, bytes, n))
        return;
    if (n)
        memcpy(o->buffer + o->n, bytes, n);
    o->n += n;
}

static inline void ex_out_str(ex_out *o, const char *s) { ex_out_add(o, s, strlen(s)); }

static inline void ex_out_char(ex_out *o, char c)
{
    if (o->n < sizeof o->buffer || ex_out_make_room(o, &c, 1))
        o->buffer[o->n++] = c;
}

void ex_out_u64(ex_out *o, uint64_t n);
void ex_out_i64(ex_out *o, int64_t n);
/** ns as microseconds with three decimals: the time unit of Chrome's format. */
void ex_out_us(ex_out *o, int64_t ns);
/** 0x… */
void ex_out_hex(ex_out *o, uint64_t n);
/** As a JSON string with its quotes; malformed UTF-8 becomes U+FFFD, byte by byte. */
void ex_out_json(ex_out *o, const char *s, size_t n);
/** As a field of RFC 4180: in quotes where it needs them; malformed UTF-8 becomes U+FFFD. */
void ex_out_csv(ex_out *o, const char *s, size_t n);
/** The digits of n into out, without a NUL; how many. */
size_t ex_decimal(uint64_t n, char out[20]);
/** Length of the UTF-8 character at s, of n bytes; 0 where there is none. */
size_t ex_character(const char *s, size_t n);
/** Hands over what is buffered. The status. */
int ex_out_flush(ex_out *o);

#endif
