/*
 * A recording: drains sources, brings their events into one order, and writes the file. It works on a thread of its own;
 * whoever started it looks after the program and the person.
 *
 *     gl_recording_open(&options, &r, &err);      creates the file
 *     gl_recording_add(r, &source, &err);         once or more
 *     gl_recording_start(r, &err);
 *     … gl_recording_look(r, &figures) now and then …
 *     gl_recording_close(r, &figures, &err);      drains the rest, finishes the file
 *
 * Memory is bounded: rings keep what the recording has no room for yet. When the file can't be written on, sources are
 * let go at once, the program goes on, and gl_recording_close says what happened.
 */
#ifndef GOLANES_RECORDING_H
#define GOLANES_RECORDING_H

#include <stdbool.h>

#include "golanes/probe_source.h"
#include "golanes/writer.h"

#include "trigger.h"

typedef struct gl_recording gl_recording;

typedef struct gl_recording_options {
    const char *path;    /**< "-": standard output */
    bool force;          /**< overwrite the file where it exists */
    int64_t flush_ns;    /**< what was drained is in the file within this time; 0: one second */
    int level;           /**< zstd level, 0: the default */
    uint64_t max_bytes;  /**< begin another file (NAME-2.lanes, …) where one has so many; 0: never */
    unsigned max_files;  /**< and keep so many of them; 0: all */
    bool flight;         /**< keep the recent past in memory only, and write it when that is asked for */
    int64_t keep_ns;     /**< of a flight: how much of the past, in time; 0: whatever keep_bytes holds */
    uint64_t keep_bytes; /**< and in bytes at most; 0: 256 MiB */
    gl_trigger *const *triggers; /**< of a flight: what makes it write; the caller's, until the end */
    size_t trigger_count;
    int64_t cooldown_ns; /**< triggers rest so long after one of them */
    unsigned limit;      /**< so many snapshots by triggers at most; 0: any number */
    const char *command; /**< the program's command line, or NULL */
    const char *version; /**< of golanes, or NULL */
} gl_recording_options;

/** How it goes. Counts are since the start. */
typedef struct gl_recording_figures {
    uint64_t events, lost, late; /**< lost: as Lost events tell; late: delivered behind a later one */
    uint64_t bytes;              /**< in the file; 0 where it is no file */
    uint64_t goroutines;         /**< alive, of those whose life was seen */
    int64_t last_stop_ns;        /**< length of the last stop-the-world, 0: none yet */
    uint32_t threads, processes, rings;
    unsigned fill;               /**< percent: the fullest ring at the last look */
    uint32_t refused;            /**< sources for which there was no place */
    bool failed;                 /**< nothing is written any more */
} gl_recording_figures;

int gl_recording_open(const gl_recording_options *opt, gl_recording **out, gl_error *err) GL_MUST_CHECK;
/** Takes the source over, also where it fails. At any time; while it runs, by one thread. */
int gl_recording_add(gl_recording *r, const gl_probe_source *source, gl_error *err) GL_MUST_CHECK;
int gl_recording_start(gl_recording *r, gl_error *err) GL_MUST_CHECK;
/** From any thread. */
void gl_recording_look(const gl_recording *r, gl_recording_figures *out);
/** True once every source has said that nothing more will come of it. */
bool gl_recording_ended(const gl_recording *r);
/** Has the past of a flight written; see gl_snap_ask. GL_E_UNSUPPORTED where it is none. */
int gl_recording_snap(gl_recording *r, const char *reason, bool wait, char *text, size_t size);
#define GL_RECORDING_NOTE_MAX 4608
/** What became of a snapshot, each told once; false: nothing new. */
bool gl_recording_note(gl_recording *r, char *text, size_t size);

/** How it ended. */
typedef struct gl_recording_result {
    gl_recording_figures figures;
    gl_writer_stats stats;
    char explain[512];   /**< where nothing was recorded and the source knows why */
    char last_note[GL_RECORDING_NOTE_MAX]; /**< of a flight: what became of the last snapshot */
} gl_recording_result;
/** Ends it, whatever its state. reason: why, for the last snapshot of a flight; NULL: none is written. */
int gl_recording_close(gl_recording *r, const char *reason, gl_recording_result *result, gl_error *err) GL_MUST_CHECK;

#endif
