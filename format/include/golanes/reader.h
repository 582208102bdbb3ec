/*
 * Reading a golanes trace file (.lanes), out of core: a cursor reads and decodes one chunk at a time, and memory does not
 * grow with the file. Reads use pread: a file that shrinks meanwhile gives an error, never a signal.
 *
 *     gl_reader *r;
 *     if (gl_reader_open("x.lanes", &r, &err) < 0) …
 *     gl_cursor *c;
 *     gl_cursor_open(r, GL_COL_ALL, &c, &err);
 *     const gl_event *ev; size_t n;
 *     while ((status = gl_cursor_next(c, &ev, &n, &err)) == 0 && n > 0) …
 *
 * A file without an index (its writer was killed, or is still at work) is opened by a walk over chunk headers.
 * Threads: a reader may be shared by cursors on several threads after gl_reader_open; a cursor belongs to one thread.
 */
#ifndef GOLANES_READER_H
#define GOLANES_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_reader gl_reader;
typedef struct gl_cursor gl_cursor;

typedef struct gl_reader_info {
    uint16_t version_major, version_minor;
    bool indexed;             /**< an index was found at the end */
    bool cut;                 /**< bytes after the last whole chunk (a killed or a working writer) */
    uint64_t file_bytes, usable_bytes;
    uint64_t events, event_chunks, chunks, unknown_chunks;
    uint64_t bytes_events, bytes_tables, bytes_keyframes, bytes_summaries, bytes_index; /**< on disk */
    uint64_t damaged_chunks;  /**< whose checksum did not match, passed over */
    int64_t time_first, time_last; /**< smallest and largest event time, ns */
} gl_reader_info;

/** True where the first bytes are those of a golanes file, of whatever version. */
GL_API bool gl_reader_detect(const void *bytes, size_t n);
GL_API int gl_reader_open(const char *path, gl_reader **out, gl_error *err) GL_MUST_CHECK;
GL_API void gl_reader_close(gl_reader *r);
/** Takes up what a writer has added since; 1 where something was added, 0 where not. Cursors stay valid. Not thread-safe. */
GL_API int gl_reader_refresh(gl_reader *r, gl_error *err) GL_MUST_CHECK;
GL_API const gl_reader_info *gl_reader_get_info(const gl_reader *r);
/** A metadata value, NULL where the file has none. Lives as long as the reader. */
GL_API const char *gl_reader_meta(const gl_reader *r, const char *key);
GL_API int gl_reader_meta_at(const gl_reader *r, size_t i, const char **key, const char **value); /**< GL_E_NOT_FOUND past the end */
/** The tables, loaded at the first call. */
GL_API int gl_reader_dict(gl_reader *r, const gl_dict **out, gl_error *err) GL_MUST_CHECK;

/**
 * Which parts of an event a cursor decodes; the others are zero, but for parts that had to be decoded on the way. Type and
 * time always come. A chunk that cannot be read comes as one Lost event (flags GL_FLAG_INFERRED | GL_FLAG_RESYNC).
 */
#define GL_COL_CONTEXT 1u /**< thread, p, g */
#define GL_COL_ARGS 2u    /**< with flags */
#define GL_COL_STACK 4u
#define GL_COL_ALL 7u

GL_API int gl_cursor_open(gl_reader *r, unsigned columns, gl_cursor **out, gl_error *err) GL_MUST_CHECK;
GL_API void gl_cursor_close(gl_cursor *c);
/** The next run of events of one chunk; n = 0 at the end of what is there. The array lives until the next call. */
GL_API int gl_cursor_next(gl_cursor *c, const gl_event **events, size_t *n, gl_error *err) GL_MUST_CHECK;
/** Puts the cursor at the first event of the first chunk that holds an event at or after `time` (ns). */
GL_API int gl_cursor_seek(gl_cursor *c, int64_t time, gl_error *err) GL_MUST_CHECK;
/** Number of the event that comes next, where nothing is passed over. True where a chunk begins there. */
GL_API bool gl_cursor_position(const gl_cursor *c, uint64_t *event);
/** Puts the cursor at the first event of the chunk that holds the event of that number. */
GL_API int gl_cursor_seek_event(gl_cursor *c, uint64_t event, gl_error *err) GL_MUST_CHECK;
/** Chunks that hold none of these types are skipped from now on, without decoding; events within chunks are not
 *  filtered. n = 0: no skipping. */
GL_API int gl_cursor_want_types(gl_cursor *c, const uint16_t *types, size_t n) GL_MUST_CHECK;

/** A goroutine as it stood at a keyframe. */
typedef struct gl_goroutine_at {
    uint64_t g, creator;   /**< creator 0: not known */
    int64_t since, created; /**< ns: in this state since; created (INT64_MIN: before the trace) */
    uint32_t reason;       /**< string id, 0 none */
    uint32_t stack;        /**< where it stopped, 0 not known */
    uint32_t start_stack;  /**< its root frame is the start function, 0 not known */
    uint8_t state;         /**< gl_gstate */
} gl_goroutine_at;

/**
 * All live goroutines just before the first event of the last keyframed chunk whose first event is at or before `time`;
 * puts the cursor at that event, so that reading on to `time` gives the state there. *out lives until the next call on
 * this cursor.
 */
GL_API int gl_cursor_keyframe(gl_cursor *c, int64_t time, const gl_goroutine_at **out, size_t *n, gl_error *err) GL_MUST_CHECK;

/**
 * What happened in a stretch of the trace: a node of the pyramid. Level 0: one event chunk; level k: up to 8 nodes of k-1.
 * Neighbours meet: time_from is the largest time before the chunk (or the chunk's smallest, where its clock stepped back).
 */
typedef struct gl_summary_node {
    int64_t time_from, time_to;
    uint64_t first_event, events;
    uint64_t by_type[GL_EV_LIMIT];      /**< events by code */
    uint64_t state_ns[GL_G_STATES];     /**< goroutine-time in each state, summed over all goroutines */
    uint64_t gc_ns, stw_ns, stw_max_ns; /**< concurrent mark, stop-the-world (all reasons) */
    uint64_t stw_gc_ns;                 /**< stop-the-world whose reason is GC */
    uint64_t straddles;                 /**< waits for "chan send" that ended here and overlapped a GC pause */
    uint64_t heap_live_min, heap_live_max, heap_goal_max; /**< bytes, 0 none seen */
    uint64_t goroutines_max;            /**< most alive at once */
    uint64_t lost_events;
} gl_summary_node;
GL_API unsigned gl_reader_levels(const gl_reader *r);
GL_API uint64_t gl_reader_level_size(const gl_reader *r, unsigned level);
GL_API int gl_reader_summary(gl_reader *r, unsigned level, uint64_t i, gl_summary_node *out, gl_error *err) GL_MUST_CHECK;

/** Time by state of one goroutine within one level-0 node (8-bit shares of its span). For lanes seen from afar. */
typedef struct gl_lane_share {
    uint64_t g;
    uint8_t running, runnable, waiting, syscall; /**< 255 = the whole span */
    uint8_t dominant_reason_class;               /**< 0 none, else see FORMAT.md "Lane shares" */
    uint8_t flags;                               /**< 1: a straddling send ended here; 2: panicked here */
} gl_lane_share;
/** Shares for level `level`, node i, sorted by g: of goroutines that lived through at least a sixteenth of it. *out lives until the next call on this cursor. */
GL_API int gl_cursor_lanes(gl_cursor *c, unsigned level, uint64_t i, const gl_lane_share **out, size_t *n, gl_error *err) GL_MUST_CHECK;

/** How many shares that node has, without reading it; 0 where the file does not say (its upper levels are missing). */
GL_API uint64_t gl_reader_lane_count(const gl_reader *r, unsigned level, uint64_t i);

/** A goroutine over its whole life. */
#define GL_STILL_ALIVE UINT64_MAX
typedef struct gl_goroutine_info {
    uint64_t g, creator;             /**< creator 0: not known */
    uint64_t first_chunk, last_chunk; /**< event chunks of its first and last state; GL_STILL_ALIVE: no end was seen */
    uint32_t start_stack;            /**< its root frame is the start function, 0 not known */
    bool before;                     /**< it existed when the trace began */
} gl_goroutine_info;
/** The goroutine table: rows in order of the goroutines' ends, in blocks. A file that was not finished has no rows of
 *  goroutines that had not ended. */
GL_API uint64_t gl_reader_goroutine_blocks(const gl_reader *r);
/** Rows of block i. *out lives until the next call on this cursor. */
GL_API int gl_cursor_goroutines(gl_cursor *c, uint64_t i, const gl_goroutine_info **out, size_t *n, gl_error *err) GL_MUST_CHECK;
/** The row of one goroutine; GL_E_NOT_FOUND (err untouched) where there is none. */
GL_API int gl_cursor_goroutine(gl_cursor *c, uint64_t g, gl_goroutine_info *out, gl_error *err) GL_MUST_CHECK;

/** A channel, from its ChanMake. */
typedef struct gl_channel_info {
    uint64_t chan, cap, g;        /**< g made it */
    int64_t made;                 /**< ns */
    uint32_t elem_type, stack;    /**< string id, stack id */
} gl_channel_info;
GL_API uint64_t gl_reader_channel_blocks(const gl_reader *r);
GL_API int gl_cursor_channels(gl_cursor *c, uint64_t i, const gl_channel_info **out, size_t *n, gl_error *err) GL_MUST_CHECK;

/** Process i of the trace (gl_process_info: golanes/writer.h), or GL_E_NOT_FOUND past the last. */
struct gl_process_info;
GL_API int gl_cursor_process(gl_cursor *c, uint32_t i, struct gl_process_info *out, gl_error *err) GL_MUST_CHECK;

/**
 * Writes a copy of what is readable in `path`, with a new index, to `out_path` (which may be the same: replaced at the
 * end by rename). *what gets one sentence on what was found and done.
 */
GL_API int gl_repair(const char *path, const char *out_path, char *what, size_t what_size, gl_error *err) GL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
