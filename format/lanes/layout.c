#include "lanes/layout.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void ln_file_header_put(uint8_t out[LN_FILE_HEADER_BYTES])
{
    memset(out, 0, LN_FILE_HEADER_BYTES);
    memcpy(out, LN_MAGIC, 8);
    ln_put16(out + 8, LN_VERSION_MAJOR);
    ln_put16(out + 10, LN_VERSION_MINOR);
    ln_put32(out + 12, LN_FILE_HEADER_BYTES);
    ln_put64(out + 56, XXH3_64bits(out, 56));
}

int ln_file_header_get(const uint8_t *in, size_t n, uint16_t version[2], uint32_t *header_bytes, gl_error *err)
{
    if (n < 8 || memcmp(in, LN_MAGIC, 8) != 0)
        return gl_fail(err, GL_E_NOT_TRACE, 0, "This is not a golanes trace file: its first bytes are not the format's.");
    if (n < LN_FILE_HEADER_BYTES)
        return gl_fail(err, GL_E_TRUNCATED, n, "The file ends inside its header: nothing was recorded yet.");
    version[0] = ln_get16(in + 8);
    version[1] = ln_get16(in + 10);
    if (version[0] != LN_VERSION_MAJOR)
        return gl_fail(err, GL_E_VERSION, 8,
                       "The file is of format version %u.%u, and this golanes reads version %u.x: use a newer golanes.",
                       version[0], version[1], LN_VERSION_MAJOR);
    if (ln_get64(in + 56) != XXH3_64bits(in, 56))
        return gl_fail(err, GL_E_CORRUPT, 56, "The file header's checksum does not match: its first 64 bytes are damaged.");
    if (ln_get64(in + 16) != 0)
        return gl_fail(err, GL_E_VERSION, 16,
                       "The file header uses a field that this version does not know: use a newer golanes.");
    *header_bytes = ln_get32(in + 12);
    if (*header_bytes < LN_FILE_HEADER_BYTES || *header_bytes > LN_FILE_HEADER_MAX)
        return gl_fail(err, GL_E_LIMIT, 12, "The file header says that it is %u bytes long; at most %u are allowed.",
                       *header_bytes, LN_FILE_HEADER_MAX);
    return 0;
}

void ln_chunk_header_put(uint8_t out[LN_CHUNK_HEADER_BYTES], const ln_chunk_header *h)
{
    ln_put32(out, LN_CHUNK_MAGIC);
    ln_put16(out + 4, h->kind);
    ln_put16(out + 6, h->level);
    ln_put32(out + 8, h->count);
    ln_put16(out + 12, 0); /* must be zero */
    ln_put16(out + 14, 0); /* ignored */
    ln_put64(out + 16, h->stored);
    ln_put64(out + 24, h->number);
    ln_put64(out + 32, h->first);
    ln_put64(out + 40, (uint64_t)h->a);
    ln_put64(out + 48, (uint64_t)h->b);
    ln_put64(out + 56, h->aux[0]);
    ln_put64(out + 64, h->aux[1]);
    ln_put64(out + 72, h->payload_hash);
    ln_put64(out + 80, XXH3_64bits(out, 80));
}

int ln_chunk_header_get(const uint8_t in[LN_CHUNK_HEADER_BYTES], ln_chunk_header *h)
{
    if (ln_get32(in) != LN_CHUNK_MAGIC || ln_get64(in + 80) != XXH3_64bits(in, 80))
        return GL_E_CORRUPT;
    if (ln_get16(in + 12) != 0)
        return GL_E_VERSION;
    h->kind = ln_get16(in + 4);
    h->level = ln_get16(in + 6);
    h->count = ln_get32(in + 8);
    h->stored = ln_get64(in + 16);
    h->number = ln_get64(in + 24);
    h->first = ln_get64(in + 32);
    h->a = (int64_t)ln_get64(in + 40);
    h->b = (int64_t)ln_get64(in + 48);
    h->aux[0] = ln_get64(in + 56);
    h->aux[1] = ln_get64(in + 64);
    h->payload_hash = ln_get64(in + 72);
    if (h->kind == LN_EVENTS && h->count > LN_CHUNK_EVENTS_MAX)
        return GL_E_LIMIT;
    return h->stored <= (h->kind == LN_INDEX ? UINT64_MAX >> 1 : LN_PAYLOAD_MAX) ? 0 : GL_E_LIMIT;
}

void ln_trailer_put(uint8_t out[LN_TRAILER_BYTES], const ln_trailer *t)
{
    memset(out, 0, LN_TRAILER_BYTES);
    memcpy(out, LN_TRAILER_MAGIC, 8);
    ln_put64(out + 8, t->index_offset);
    ln_put64(out + 16, t->file_bytes);
    ln_put64(out + 56, XXH3_64bits(out, 56));
}

bool ln_trailer_get(const uint8_t in[LN_TRAILER_BYTES], ln_trailer *t)
{
    if (memcmp(in, LN_TRAILER_MAGIC, 8) != 0 || ln_get64(in + 56) != XXH3_64bits(in, 56) || ln_get64(in + 24) != 0)
        return false;
    t->index_offset = ln_get64(in + 8);
    t->file_bytes = ln_get64(in + 16);
    return true;
}
