/*
 * The recent past in memory: trace files of its own, in memory, one after the other; the oldest goes when the rest is
 * enough. Each begins with how things stood, so that it can be understood without those before it.
 *
 * A snapshot takes what is there and writes one file from it, while the recording goes on.
 *
 * Threads: one, but gl_flight_write and gl_flight_taken_free, which need nothing but what was taken.
 */
#ifndef GOLANES_FLIGHT_H
#define GOLANES_FLIGHT_H

#include <stdbool.h>

#include "facts.h"
#include "states.h"

typedef struct gl_flight gl_flight;

typedef struct gl_flight_options {
    int64_t keep_ns;     /**< keep at least so much time; 0: whatever fits into keep_bytes */
    uint64_t keep_bytes; /**< and at most so many bytes; 0: 256 MiB */
    int level;
    gl_dict *dict;
    const gl_facts *facts; /**< put into every file, as they are when it begins */
} gl_flight_options;

gl_flight *gl_flight_new(const gl_flight_options *opt);
void gl_flight_free(gl_flight *f);
/** Takes events in trace order. states: how things stand before them. */
int gl_flight_events(gl_flight *f, const gl_states *states, const gl_event *events, size_t n, gl_error *err) GL_MUST_CHECK;
uint64_t gl_flight_bytes(const gl_flight *f);
/** The file at hand is as full as it should be: the next events begin another one, so have the states ready. */
bool gl_flight_full(const gl_flight *f);

/** What was there at one moment. */
typedef struct gl_flight_taken gl_flight_taken;
/** NULL: no memory, or *err says what else. The facts are copied. */
gl_flight_taken *gl_flight_take(gl_flight *f, gl_error *err);
void gl_flight_taken_free(gl_flight_taken *t);
/** Writes it as one file that stands alone. reason: what it was written for. */
int gl_flight_write(const gl_flight_taken *t, const char *path, const char *reason, gl_writer_stats *stats, gl_error *err)
    GL_MUST_CHECK;

#endif
