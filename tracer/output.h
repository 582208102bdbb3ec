/*
 * The file that a recording writes. Facts of the trace and its processes are kept, so that a file begun later has them too.
 *
 * Threads: one at a time.
 */
#ifndef GOLANES_OUTPUT_H
#define GOLANES_OUTPUT_H

#include <stdbool.h>

#include "golanes/writer.h"

typedef struct gl_output gl_output;

typedef struct gl_output_options {
    const char *path; /**< "-": standard output */
    bool force;       /**< overwrite it where it exists */
    int level;
    unsigned threads;
    gl_dict *dict;
} gl_output_options;

/** Creates the file, so that what is in the way is said before a program starts. */
int gl_output_open(const gl_output_options *opt, gl_output **out, gl_error *err) GL_MUST_CHECK;
int gl_output_meta(gl_output *o, const char *key, const char *value) GL_MUST_CHECK;
int gl_output_process(gl_output *o, const gl_process_info *process) GL_MUST_CHECK;
int gl_output_events(gl_output *o, const gl_event *events, size_t n, gl_error *err) GL_MUST_CHECK;
int gl_output_flush(gl_output *o, gl_error *err) GL_MUST_CHECK;
/** Bytes in the file so far; 0 where it is no file. */
uint64_t gl_output_bytes(const gl_output *o);
const char *gl_output_path(const gl_output *o);
/** Finishes the file where nothing failed before, else leaves it as it is. Frees. *stats may be NULL. */
int gl_output_close(gl_output *o, gl_writer_stats *stats, gl_error *err) GL_MUST_CHECK;

#endif
