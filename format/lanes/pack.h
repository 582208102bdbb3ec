/*
 * Chunks between memory and file: sections are compressed into a payload and found again in one.
 */
#ifndef GOLANES_LANES_PACK_H
#define GOLANES_LANES_PACK_H

#include "lanes/decode.h"
#include "lanes/layout.h"

/** Section numbers of chunks that are not event chunks. */
enum { LN_S_ROWS = 1, LN_S_LANES = 2 };
#define LN_S_LIMIT 8u /* section numbers that this version knows are below */

enum { LN_CODING_RAW = 0, LN_CODING_ZSTD = 1 };

typedef struct ln_packer {
    struct ZSTD_CCtx_s *zstd;
    bool fast;  /* the level is the fastest */
    bool light; /* the search for repeats is set to be light */
} ln_packer;

/** A chunk before compression. Section i is absent where its bit in `present` is 0. */
typedef struct ln_draft {
    ln_chunk_header h; /* stored and payload_hash are set by ln_pack */
    unsigned present;
    ln_buf sections[LN_S_LIMIT];
} ln_draft;

int ln_packer_init(ln_packer *p, int level);
void ln_packer_free(ln_packer *p);
/** Appends header and payload to out, and fills h.stored. 0 or a negative code. */
int ln_pack(ln_packer *p, ln_draft *d, ln_buf *out);

typedef struct ln_unpacker {
    struct ZSTD_DCtx_s *zstd;
    ln_buf raw; /* decompressed sections */
} ln_unpacker;

int ln_unpacker_init(ln_unpacker *u);
void ln_unpacker_free(ln_unpacker *u);
/**
 * Finds the wanted sections (bits) of a payload whose hash was checked; compressed ones are unpacked into u. The spans
 * live until the next call and as long as the payload. Sections that are not there keep bytes = NULL.
 */
int ln_unpack(ln_unpacker *u, const uint8_t *payload, size_t n, unsigned wanted, ln_span spans[LN_S_LIMIT]);

#endif
