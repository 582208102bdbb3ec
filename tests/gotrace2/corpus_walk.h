/*
 * The corpus from the point of view of the v2 importer's tests: which files there are, and an import of one of them.
 */
#ifndef GOLANES_TEST_CORPUS_WALK_H
#define GOLANES_TEST_CORPUS_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/dict.h"
#include "golanes/gotrace.h"

typedef struct corpus_file {
    char folder[512];
    char name[256]; /* without .trace */
} corpus_file;

/** Calls fn for each NAME.trace or NAME.trace.zst whose header names Go 1.22 or later. Returns how many. */
size_t corpus_each(const char *const *folders, size_t n, void (*fn)(const corpus_file *f, void *user), void *user);
/** FOLDER/NAME+SUFFIX, or its .zst, whole; NULL where absent. Free it. */
char *corpus_load(const corpus_file *f, const char *suffix, size_t *n);
/** Number in NAME.oracle.json at a path of keys, -1 where there is none. */
long long corpus_figure(const corpus_file *f, const char *const *path);

typedef struct imported {
    gl_dict *dict;
    gl_event *events;
    size_t n, room;
    gl_gotrace_result result;
    gl_error err;
    int rc;
} imported;

/** Imports bytes and keeps all events. */
void import_bytes(const void *data, size_t n, imported *out);
void imported_free(imported *out);

#endif
