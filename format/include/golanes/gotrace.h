/*
 * Import of Go's own execution traces, every wire format from Go 1.5 to 1.27.
 *
 * The importer reads an input (golanes/input.h), decides what Go's sequence numbers and states decide, and hands the
 * events to a consumer in the order that Go's own parser gives, each with its own time stamp. It keeps whatever is
 * sound in a damaged input, says what was lost (a Lost event where it was, and the list of damages in the result), and
 * never trusts a length before it has compared it with a limit.
 *
 * Memory: bounded by the live goroutines, one batch a thread and, for a v1 trace, an index of its batches.
 * Threads: one import at a time per input; different inputs are independent.
 */
#ifndef GOLANES_GOTRACE_H
#define GOLANES_GOTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"
#include "golanes/input.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Names a bare PC (Go 1.5 and 1.6 traces hold nothing else). Returns the number of frames (0: not known), at most max. */
typedef struct gl_pc_name {
    const char *func; /**< valid until the next call */
    const char *file;
    uint32_t line;
} gl_pc_name;
typedef size_t (*gl_symbolize_fn)(void *user, uint64_t pc, gl_pc_name *out, size_t max);

/** Called now and then with bytes done and in all. Returns 0 to go on, non-zero to cancel (GL_E_CANCELLED). */
typedef int (*gl_progress_fn)(void *user, uint64_t done, uint64_t total);

/** One stretch of the input that could not be used, or not wholly. */
typedef struct gl_damage {
    uint64_t offset; /**< where in the (uncompressed) input */
    uint64_t bytes;  /**< how much was passed over; 0 where only meaning was lost (names, order) */
    uint64_t events; /**< events passed over, 0 not known */
    int64_t time_from, time_to; /**< ns since the start of the trace, -1 not known */
    char reason[160];           /**< one clause, no newline */
} gl_damage;

typedef struct gl_gotrace_options {
    gl_dict *dict;          /**< receives strings, stacks, threads; required */
    gl_event_fn on_events;  /**< required */
    void *events_user;
    gl_progress_fn on_progress; /**< may be NULL */
    void *progress_user;
    gl_symbolize_fn symbolize; /**< may be NULL */
    void *symbolize_user;
} gl_gotrace_options;

#define GL_GOTRACE_DAMAGES_MAX 64

typedef struct gl_gotrace_result {
    uint32_t header_version; /**< 26 for "go 1.26 trace" */
    bool complete;           /**< nothing was lost and the source ended as its format says */
    bool truncated;          /**< the source ended early */
    uint64_t bytes_total, bytes_lost;
    uint64_t events;         /**< events delivered */
    uint64_t events_lost;    /**< events known to be passed over */
    uint64_t parts;          /**< generations read (v2), 1 for v1 */
    uint64_t unnamed_parts;  /**< generations without strings or stacks of their own: an unfinished end */
    uint64_t resyncs;        /**< times that state had to be taken up anew */
    uint64_t experimental_batches; /**< batches of the runtime's experiments, passed over: their contents are their own */
    int64_t first_abs_ns;    /**< source clock of time 0, -1 where it has none (v1) */
    int64_t wall_unix_ns;    /**< wall clock at time 0, 0 not known */
    double ticks_per_second;
    uint64_t damage_count;   /**< all; the first GL_GOTRACE_DAMAGES_MAX are kept */
    gl_damage damages[GL_GOTRACE_DAMAGES_MAX];
} gl_gotrace_result;

/** Header version (5, 7, 11, 19, 21, 22, 23, 25, 26…) if the first 16 bytes are those of a Go trace, else 0. Newer ones too. */
GL_API unsigned gl_gotrace_detect(const void *first16, size_t n);

/**
 * Reads the whole input and delivers its events. 0 where something could be delivered, however damaged (see *result);
 * negative where nothing can be (not a trace, an unknown version, no memory, I/O error, a callback's code).
 */
GL_API int gl_gotrace_import(gl_input *in, const gl_gotrace_options *opt, gl_gotrace_result *result, gl_error *err) GL_MUST_CHECK;

/** What a quick walk over batch headers tells, without decoding events. */
typedef struct gl_gotrace_glance {
    uint32_t header_version;
    uint64_t bytes_total, bytes_walked; /**< bytes_walked < bytes_total: structure broke there, or not all was walked */
    uint64_t batches, parts, threads;
    bool ends_well;
    double ticks_per_second;
    int64_t span_ns;       /**< from the first to the last batch's start, -1 not known */
    int64_t wall_unix_ns;  /**< 0 not known */
    uint64_t events_estimate;
} gl_gotrace_glance;
GL_API int gl_gotrace_look(gl_input *in, gl_gotrace_glance *out, gl_error *err) GL_MUST_CHECK;

/** Takes n bytes, all of them. 0, or a negative gl_status that stops and is passed on. */
typedef int (*gl_write_fn)(void *user, const void *bytes, size_t n);

typedef struct gl_gotrace_part {
    uint64_t generations;      /**< that were written */
    uint64_t generations_left; /**< whole ones that were left out */
    int64_t from, to;          /**< what they cover, ns since the start of the trace; to INT64_MAX: to its end */
    bool damaged;              /**< the source breaks off or breaks; what lies behind that is not in the part */
} gl_gotrace_part;

/**
 * Writes the generations that hold the time [from, to) as a Go trace of its own, byte for byte: Go's tools read it, as
 * each generation has all that it needs. GL_E_UNSUPPORTED for traces before Go 1.22, which have no generations,
 * GL_E_NOT_FOUND where no whole generation lies there.
 */
GL_API int gl_gotrace_cut(gl_input *in, int64_t from, int64_t to, gl_write_fn write, void *user, gl_gotrace_part *out,
                          gl_error *err) GL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
