/*
 * Writing a golanes trace file (.lanes).
 *
 *     gl_dict *d = gl_dict_new();
 *     gl_writer *w;
 *     gl_writer_options o = {.path = "out.lanes", .dict = d};
 *     if (gl_writer_open(&o, &w, &err) < 0) …
 *     gl_writer_meta(w, "source", "my recorder");
 *     gl_writer_events(w, events, n);        any number of times
 *     gl_writer_close(w, &err);
 *
 * The file is written append-only: whatever was flushed can be read although the writer is killed at any moment.
 * Table entries that events refer to must be in the dictionary when gl_writer_events is called; the writer puts new
 * entries into the file before the events that use them.
 *
 * Threads: one thread at a time per writer and its dictionary. With `threads` in the options the writer has so many threads
 * of its own that compress, and one that encodes unless `encode_here`: a failure is then told by a later call, at the latest by gl_writer_close.
 */
#ifndef GOLANES_WRITER_H
#define GOLANES_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_writer gl_writer;

typedef struct gl_writer_options {
    const char *path;       /**< created or cut to nothing; NULL: use fd */
    int fd;                 /**< where path is NULL: written from its current position; stays the caller's */
    gl_dict *dict;          /**< required; must outlive the writer */
    int level;              /**< zstd level, 0: the default (1) */
    unsigned threads;       /**< threads that compress beside the caller's (and one that encodes), 0: none */
    uint32_t chunk_events;  /**< events a chunk at most, 0: the default */
    bool encode_here;       /**< the caller's thread encodes whatever `threads` says: what it has in its cache stays there */
} gl_writer_options;

typedef struct gl_writer_stats {
    uint64_t events, chunks, bytes;           /**< written so far */
    uint64_t bytes_events, bytes_tables, bytes_keyframes, bytes_summaries, bytes_index;
} gl_writer_stats;

GL_API int gl_writer_open(const gl_writer_options *opt, gl_writer **out, gl_error *err) GL_MUST_CHECK;
/** A fact about the whole trace, UTF-8; the last value of a key holds. Keys are listed in FORMAT.md, "Metadata". */
GL_API int gl_writer_meta(gl_writer *w, const char *key, const char *value) GL_MUST_CHECK;
/** A process of the trace. A trace of one process needs no call: its process 0 is then all zero. */
typedef struct gl_process_info {
    uint32_t index;      /**< bits 48 and up of its goroutine ids; gl_thread_info.process */
    uint64_t pid;        /**< 0 not known */
    uint32_t name;       /**< string id, 0 none */
    uint32_t go_version; /**< string id, 0 not known */
    uint64_t parent;     /**< pid, 0 not known */
} gl_process_info;
GL_API int gl_writer_process(gl_writer *w, const gl_process_info *p) GL_MUST_CHECK;
/** Adds n events in trace order. Arguments beyond the type's count are not kept,
 *  nor is a stack where the type's row in the event table has none. The array is the caller's again on return. Fits gl_event_fn through gl_writer_sink. */
GL_API int gl_writer_events(gl_writer *w, const gl_event *events, size_t n) GL_MUST_CHECK;
GL_API int gl_writer_sink(void *writer, const gl_event *events, size_t n);
/** Everything given so far is in the file, readable, when this returns (not fsynced). */
GL_API int gl_writer_flush(gl_writer *w, gl_error *err) GL_MUST_CHECK;
/** Flushes, writes summaries' upper levels and the index, frees. *stats may be NULL. The writer is gone even on failure. */
GL_API int gl_writer_close(gl_writer *w, gl_writer_stats *stats, gl_error *err) GL_MUST_CHECK;
/** Frees without finishing: the file stays as it was last flushed. NULL is accepted. */
GL_API void gl_writer_abandon(gl_writer *w);

#ifdef __cplusplus
}
#endif
#endif
