/*
 * Where a recording's ordered events go: a file, or one file after the other, or the past in memory. It knows how things
 * stand, so that whatever begins in the middle can say so.
 *
 * Threads: one at a time.
 */
#ifndef GOLANES_STORE_H
#define GOLANES_STORE_H

#include "facts.h"
#include "flight.h"
#include "output.h"
#include "states.h"

#define GL_STORE_PATH_MAX 4096

typedef struct gl_store_options {
    const char *path;   /**< of the file, or what the names of snapshots are made from */
    bool force;
    int level;
    uint64_t max_bytes; /**< begin another file where one has so many; 0: never */
    unsigned max_files; /**< and keep so many; 0: all */
    bool flight;        /**< keep the past in memory, write nothing */
    int64_t keep_ns;    /**< of a flight, as gl_flight_options has them */
    uint64_t keep_bytes;
} gl_store_options;

/** Zero-initialise. */
typedef struct gl_store {
    gl_store_options opt;
    char path[GL_STORE_PATH_MAX];    /* as given */
    char current[GL_STORE_PATH_MAX]; /* the file at hand */
    gl_dict *dict;
    gl_facts facts;
    gl_states states;
    bool track; /* states are kept up to date */
    gl_output *output;
    gl_flight *flight;
    unsigned files;
    uint64_t bytes_before; /* in files that are finished */
    uint64_t since_look;   /* events since the size was looked at */
    int64_t last;          /* time of the last event */
} gl_store;

/** Creates the file; for a flight looks whether one could be made there. */
int gl_store_open(gl_store *s, const gl_store_options *opt, gl_dict *dict, gl_error *err) GL_MUST_CHECK;
int gl_store_meta(gl_store *s, const char *key, const char *value) GL_MUST_CHECK;
int gl_store_process(gl_store *s, const gl_process_info *process) GL_MUST_CHECK;
int gl_store_events(gl_store *s, const gl_event *events, size_t n, gl_error *err) GL_MUST_CHECK;
int gl_store_flush(gl_store *s, gl_error *err) GL_MUST_CHECK;
uint64_t gl_store_bytes(const gl_store *s);
/** NAME-N.lanes for NAME.lanes. */
void gl_store_numbered(const char *path, unsigned number, char *out, size_t size);
/** Finishes the file; of a flight nothing is written. Frees. */
int gl_store_close(gl_store *s, gl_writer_stats *stats, gl_error *err) GL_MUST_CHECK;

#endif
