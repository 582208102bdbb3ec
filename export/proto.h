/*
 * Protocol buffers, written: fields into a buffer that grows. A message within a message is begun, filled and ended; its
 * length is put in when it is known.
 */
#ifndef GOLANES_EXPORT_PROTO_H
#define GOLANES_EXPORT_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ex_proto {
    unsigned char *bytes;
    size_t n, capacity;
    bool failed; /* no memory; sticky */
} ex_proto;

void ex_proto_clean_up(ex_proto *p);
void ex_proto_clear(ex_proto *p);
/** Varint fields: uint64, int64, enum, bool. */
void ex_proto_uint(ex_proto *p, unsigned field, uint64_t value);
void ex_proto_int(ex_proto *p, unsigned field, int64_t value);
void ex_proto_fixed64(ex_proto *p, unsigned field, uint64_t value);
/** string, bytes, and messages that are whole. */
void ex_proto_bytes(ex_proto *p, unsigned field, const void *bytes, size_t n);
/** A string field: what is not UTF-8 becomes U+FFFD, as decoders refuse it. */
void ex_proto_text(ex_proto *p, unsigned field, const char *text, size_t n);
void ex_proto_str(ex_proto *p, unsigned field, const char *text);
/** Where the message that begins here is to be ended. */
size_t ex_proto_begin(ex_proto *p, unsigned field);
void ex_proto_end(ex_proto *p, size_t begun);
/** A packed repeated field: between begin and end. */
void ex_proto_varint(ex_proto *p, uint64_t value);

#endif
