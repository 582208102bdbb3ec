/*
 * lanes_unpack IN OUT: the same .lanes file with its sections unpacked and without its index, so that a fuzzer's changes
 * meet the decoders and not the compression. Where IN is cut, OUT is too.
 */
#include "lanes/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)

static uint8_t *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_BYTES_MAX);
    *n = f && bytes ? fread(bytes, 1, FILE_BYTES_MAX, f) : 0;
    if (f)
        fclose(f);
    return bytes;
}

/* One payload: its directory with every section raw, then the sections. Returns the new length, 0 where it is damaged. */
static size_t unpack_payload(ln_unpacker *u, const uint8_t *payload, size_t n, uint8_t *out)
{
    ln_span spans[LN_S_LIMIT];
    if (n < 4 || ln_unpack(u, payload, n, ~0u, spans) < 0)
        return 0;
    uint32_t count = ln_get32(payload);
    size_t directory = 4 + (size_t)count * LN_DIRECTORY_ROW_BYTES, at = directory;
    memcpy(out, payload, directory);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *row = out + 4 + (size_t)i * LN_DIRECTORY_ROW_BYTES;
        unsigned id = ln_get16(row);
        if (id >= LN_S_LIMIT || at + spans[id].n > FILE_BYTES_MAX)
            return 0;
        if (spans[id].n)
            memcpy(out + at, spans[id].bytes, spans[id].n);
        row[2] = LN_CODING_RAW;
        ln_put32(row + 4, (uint32_t)spans[id].n);
        ln_put32(row + 8, (uint32_t)spans[id].n);
        at += spans[id].n;
    }
    return at;
}

static void unpack_chunks(ln_unpacker *u, const uint8_t *in, size_t n, uint8_t *scratch, FILE *out)
{
    size_t at = LN_FILE_HEADER_BYTES;
    while (at + LN_CHUNK_HEADER_BYTES <= n) {
        ln_chunk_header h;
        if (ln_chunk_header_get(in + at, &h) < 0 || h.kind == LN_INDEX || h.stored > n - at - LN_CHUNK_HEADER_BYTES)
            return;
        uint8_t header[LN_CHUNK_HEADER_BYTES];
        size_t plain = unpack_payload(u, in + at + LN_CHUNK_HEADER_BYTES, (size_t)h.stored, scratch);
        at += LN_CHUNK_HEADER_BYTES + (size_t)h.stored;
        if (plain == 0)
            continue;
        h.stored = plain;
        ln_chunk_header_put(header, &h); /* the payload's hash is left to the fuzz target, which mends it anyway */
        fwrite(header, 1, sizeof header, out);
        fwrite(scratch, 1, plain, out);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    size_t n;
    uint8_t *in = read_file(argv[1], &n), *scratch = malloc(FILE_BYTES_MAX + 4096);
    FILE *out = fopen(argv[2], "wb");
    ln_unpacker u;
    if (!in || !scratch || !out || n < LN_FILE_HEADER_BYTES || ln_unpacker_init(&u) < 0) {
        fprintf(stderr, "lanes_unpack: %s: no file, or too small\n", argv[1]);
        return 1;
    }
    fwrite(in, 1, LN_FILE_HEADER_BYTES, out);
    unpack_chunks(&u, in, n, scratch, out);
    ln_unpacker_free(&u);
    free(in);
    free(scratch);
    return fclose(out) == 0 ? 0 : 1;
}
