/*
 * Where every chunk is: lists of rows, one list per chunk kind and level. A writer fills it and puts it at the file's end;
 * a reader takes it from there, or builds it from chunk headers.
 */
#ifndef GOLANES_LANES_INDEX_H
#define GOLANES_LANES_INDEX_H

#include "golanes/reader.h"
#include "lanes/layout.h"

/** A chunk: its header's fields and its place. */
typedef struct ln_row {
    uint64_t offset; /* of the chunk's header */
    uint64_t stored, number, first;
    int64_t a, b;
    int64_t reach; /* event chunks: the largest time in this and all event chunks before it */
    uint64_t aux[2];
    uint32_t count;
} ln_row;

#define LN_ROW_BYTES 80u
#define LN_LISTS_MAX 64u
#define LN_INDEX_HEAD_BYTES 120u
#define LN_LIST_HEAD_BYTES 24u
/* An index up to this size is held in memory; rows of a larger one are read from the file one by one. */
#define LN_INDEX_RESIDENT_BYTES (UINT64_C(2) << 20)

typedef struct ln_list {
    uint16_t kind, level;
    uint64_t n;
    ln_row *rows; /* NULL: at `offset` in the file */
    uint64_t capacity, offset;
} ln_list;

typedef struct ln_totals {
    uint64_t events, chunks, unknown_chunks;
    int64_t time_first, time_last;
    uint64_t bytes_events, bytes_tables, bytes_keyframes, bytes_summaries;
} ln_totals;

typedef struct ln_index {
    ln_list lists[LN_LISTS_MAX];
    unsigned n;
    ln_totals totals;
} ln_index;

void ln_index_free(ln_index *x);
/** Takes up a chunk. Unknown kinds are counted only. */
int ln_index_add(ln_index *x, const ln_chunk_header *h, uint64_t offset);
/** The list, or NULL where there is no such chunk. */
const ln_list *ln_index_list(const ln_index *x, unsigned kind, unsigned level);
/** Reads row i of a list: from memory, or from the file. 0 or GL_E_IO, GL_E_TRUNCATED. */
int ln_index_row(const ln_list *l, int fd, uint64_t i, ln_row *out);
/** The index as a chunk: header and payload. */
int ln_index_chunk(const ln_index *x, ln_buf *out);
/** Reads a payload of n bytes that starts at `offset` in the file, and checks its hash without holding it all. */
int ln_index_get(ln_index *x, int fd, uint64_t offset, uint64_t n, uint64_t hash, gl_error *err);

/** pread of exactly n bytes: 0, GL_E_IO, or GL_E_TRUNCATED where the file ends before. */
int ln_read_at(int fd, void *out, size_t n, uint64_t offset);

#endif
