/*
 * A .lanes file open for reading, as the reader's parts see it.
 */
#ifndef GOLANES_LANES_FILE_H
#define GOLANES_LANES_FILE_H

#include <pthread.h>

#include "golanes/reader.h"
#include "lanes/index.h"
#include "lanes/pack.h"

typedef struct ln_meta {
    char *key, *value;
} ln_meta;

/** Called with every sound chunk of a walk, unknown kinds too. A negative code ends the walk. */
typedef int (*ln_chunk_fn)(void *user, const ln_chunk_header *h, uint64_t offset);

struct gl_reader {
    int fd;
    char *path;
    ln_index index;
    gl_reader_info *info; /* apart, so that a cursor may count damage through a reader that it may not change */
    uint64_t at;          /* end of what was walked */
    ln_meta *metas;       /* latest values, in order of first appearance */
    size_t metas_n, metas_capacity;
    char **old_values;    /* values that later ones replaced: pointers given out stay good */
    size_t old_n;
    uint64_t metas_loaded; /* META chunks taken up */
    gl_dict *dict;
    uint64_t tables_loaded; /* TABLES chunks taken up */
    uint64_t entries_lost;  /* of the dictionary: stand-ins are there for them */
    ln_chunk_fn on_chunk; /* NULL: none */
    void *chunk_user;
    pthread_mutex_t lock;   /* dict, scratch */
    ln_buf payload;
    ln_unpacker unpacker;
};

/** Reads a chunk's payload into *out (cleared first) and checks it against the row. */
int ln_file_payload(const gl_reader *r, const ln_row *row, unsigned kind, ln_buf *out);
/** Counts a chunk whose checksum does not match. */
void ln_file_damaged(const gl_reader *r);
/** Loads one section of row i of a list, with the reader's own scratch; the caller holds the lock. */
int ln_file_section(gl_reader *r, const ln_row *row, unsigned kind, unsigned section, ln_span *out);
/** Walks over the chunk headers from r->at; *added says whether there were any. */
int ln_file_walk(gl_reader *r, bool *added, gl_error *err);
/** Size, header, index or walk, metadata. */
int ln_file_open(gl_reader *r, gl_error *err);
/** 1 where chunks came since, 0 where not. */
int ln_file_grown(gl_reader *r, gl_error *err);
int ln_file_load_metas(gl_reader *r, gl_error *err);

#endif
