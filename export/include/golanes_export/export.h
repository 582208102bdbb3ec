/*
 * A trace in the formats of other tools: events go in as a producer gives them, bytes come out through a callback.
 *
 *     gl_export *x;
 *     gl_export_options o = {.dict = dict, .sink = write_bytes, .sink_user = file};
 *     if ((status = gl_export_open("chrome", &o, &x, &err)) < 0) …
 *     producer(…, gl_export_sink, x);
 *     status = gl_export_close(x, &err);
 *
 * Memory follows the live goroutines and the distinct names and stacks of the trace, never its length.
 *
 * Threads: one thread at a time per gl_export.
 */
#ifndef GOLANES_EXPORT_EXPORT_H
#define GOLANES_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Takes n bytes, all of them. 0, or a negative gl_status that stops the export and is passed on. */
typedef int (*gl_export_sink_fn)(void *user, const void *bytes, size_t n);

/** What a format can be told. */
#define GL_EXPORT_TABLES 1u   /**< it writes one of the tables, some of its columns */
#define GL_EXPORT_PROFILES 2u /**< it writes one of the profiles */
#define GL_EXPORT_BINARY 4u   /**< not for a terminal */

typedef struct gl_export_format {
    const char *name;   /**< "chrome" */
    const char *ending; /**< ".json" */
    const char *brief;  /**< half a sentence */
    unsigned abilities; /**< GL_EXPORT_… */
} gl_export_format;
/** The i-th format, NULL past the last. */
const gl_export_format *gl_export_format_at(size_t i);
/** By its name, NULL where there is none. */
const gl_export_format *gl_export_format_find(const char *name);

/** A named thing to choose: a table or a profile. */
typedef struct gl_export_choice {
    const char *name, *brief;
} gl_export_choice;
/** The i-th table and profile, NULL past the last. */
const gl_export_choice *gl_export_table_at(size_t i);
const gl_export_choice *gl_export_profile_at(size_t i);
/** Name of the i-th column of a table; NULL past the last, and where there is no such table. */
const char *gl_export_column_at(const char *table, size_t i);

typedef struct gl_export_options {
    const gl_dict *dict; /**< required; may grow while events come, must outlive the export */
    gl_export_sink_fn sink; /**< required */
    void *sink_user;
    const char *table;          /**< NULL: events */
    const char *const *columns; /**< in this order; NULL: all */
    size_t column_count;
    const char *profile;        /**< NULL: sync */
    const uint64_t *goroutines; /**< sorted; what is not of these is left out */
    size_t goroutine_count;     /**< 0: all */
    bool go_times;              /**< profiles of Go's own kinds: times as Go's reader makes them, not each event's own */
    const char *title;          /**< what the trace is called; may be NULL */
} gl_export_options;

typedef struct gl_export gl_export;

int gl_export_open(const char *format, const gl_export_options *opt, gl_export **out, gl_error *err) GL_MUST_CHECK;
/** A gl_event_fn. After a failure every further call returns the same failure. */
int gl_export_sink(void *x, const gl_event *events, size_t n);
/** The trace ends here: writes what is left, frees. The export is gone even on failure. */
int gl_export_close(gl_export *x, gl_error *err) GL_MUST_CHECK;
/** Frees without writing on. NULL is accepted. */
void gl_export_abandon(gl_export *x);

#ifdef __cplusplus
}
#endif
#endif
