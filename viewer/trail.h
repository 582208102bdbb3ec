/*
 * The critical path to a goroutine at a moment, as far back as another moment, over the spans of a window: what runs or
 * waits for a processor is on it; where a goroutine waited for another, the path goes on along that one, up to the wake-up.
 * A wait that no goroutine ended (for time, for the network) is on the path itself.
 * Threads: works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_TRAIL_H
#define GOLANES_VIEWER_TRAIL_H

#include "window.h"

#define GL_TRAIL_STEPS_MAX 100000

typedef struct gl_trail_step {
    int64_t begin, end;
    uint32_t gor;
    uint8_t kind; /**< gl_span_kind */
} gl_trail_step;

typedef struct gl_trail {
    gl_trail_step *steps; /**< the last one first */
    size_t n, capacity;
    int64_t from, to;     /**< what it reaches over */
    int64_t running, runnable, waiting; /**< ns; running: system calls too */
    size_t hops;          /**< from one goroutine to another */
    uint32_t gor;         /**< to whom */
} gl_trail;

/** Follows it back from `to`. w must cover from..to. */
int gl_trail_make(gl_trail *t, const gl_model *m, const gl_window *w, uint32_t gor, int64_t from, int64_t to) GL_MUST_CHECK;
void gl_trail_clean_up(gl_trail *t);

#endif
