#include "proto.h"

#include <stdlib.h>
#include <string.h>

#include "out.h"

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };
#define LENGTH_BYTES 5 /* of a length not known yet: a varint may be longer than it needs to be */

void ex_proto_clean_up(ex_proto *p)
{
    free(p->bytes);
    *p = (ex_proto){0};
}

void ex_proto_clear(ex_proto *p) { p->n = 0; }

static unsigned char *room(ex_proto *p, size_t n)
{
    if (p->failed)
        return NULL;
    if (n > p->capacity - p->n) {
        size_t capacity = p->capacity * 2 > p->n + n ? p->capacity * 2 : p->n + n + 256;
        unsigned char *bytes = realloc(p->bytes, capacity);
        if (!bytes) {
            p->failed = true;
            return NULL;
        }
        p->bytes = bytes;
        p->capacity = capacity;
    }
    p->n += n;
    return p->bytes + p->n - n;
}

void ex_proto_varint(ex_proto *p, uint64_t value)
{
    unsigned char text[10];
    size_t n = 0;
    do {
        text[n++] = (unsigned char)((value & 127) | (value > 127 ? 128 : 0));
    } while (value >>= 7);
    unsigned char *at = room(p, n);
    if (at)
        memcpy(at, text, n);
}

static void tag(ex_proto *p, unsigned field, unsigned wire) { ex_proto_varint(p, (uint64_t)field << 3 | wire); }

void ex_proto_uint(ex_proto *p, unsigned field, uint64_t value)
{
    tag(p, field, WIRE_VARINT);
    ex_proto_varint(p, value);
}

void ex_proto_int(ex_proto *p, unsigned field, int64_t value) { ex_proto_uint(p, field, (uint64_t)value); }

void ex_proto_fixed64(ex_proto *p, unsigned field, uint64_t value)
{
    tag(p, field, WIRE_FIXED64);
    unsigned char *at = room(p, 8);
    for (unsigned i = 0; at && i < 8; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

void ex_proto_bytes(ex_proto *p, unsigned field, const void *bytes, size_t n)
{
    tag(p, field, WIRE_BYTES);
    ex_proto_varint(p, n);
    unsigned char *at = room(p, n);
    if (at && n)
        memcpy(at, bytes, n);
}

void ex_proto_text(ex_proto *p, unsigned field, const char *text, size_t n)
{
    size_t begun = ex_proto_begin(p, field);
    for (size_t i = 0; i < n;) {
        size_t length = (unsigned char)text[i] < 0x80 ? 1 : ex_character(text + i, n - i);
        unsigned char *at = room(p, length ? length : 3);
        if (at)
            memcpy(at, length ? text + i : "\xef\xbf\xbd", length ? length : 3);
        i += length ? length : 1;
    }
    ex_proto_end(p, begun);
}

void ex_proto_str(ex_proto *p, unsigned field, const char *text) { ex_proto_text(p, field, text, strlen(text)); }

size_t ex_proto_begin(ex_proto *p, unsigned field)
{
    tag(p, field, WIRE_BYTES);
    room(p, LENGTH_BYTES);
    return p->n;
}

/* The length in five bytes of the form, or, as most messages are short, in one with the message moved up. */
void ex_proto_end(ex_proto *p, size_t begun)
{
    if (p->failed)
        return;
    size_t length = p->n - begun;
    unsigned char *at = p->bytes + begun - LENGTH_BYTES;
    if (length < 128) {
        at[0] = (unsigned char)length;
        memmove(at + 1, p->bytes + begun, length);
        p->n -= LENGTH_BYTES - 1;
        return;
    }
    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        at[i] = (unsigned char)((length >> (7 * i) & 127) | (i + 1 < LENGTH_BYTES ? 128 : 0));
}
