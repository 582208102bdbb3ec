/*
 * The critical path to a goroutine at a moment, as far back as another moment: what golanes path prints (analysis/path.h),
 * asked of the events between the two, in steps.
 * Threads: as the model's.
 */
#ifndef GOLANES_VIEWER_TRAIL_H
#define GOLANES_VIEWER_TRAIL_H

#include "model.h"

struct gl_path;
struct gl_summary;

typedef struct gl_trail_step {
    int64_t begin, end;
    uint32_t gor;
    uint8_t kind; /**< gl_span_kind */
} gl_trail_step;

typedef struct gl_trail {
    gl_trail_step *steps; /**< the last one first */
    size_t n;
    int64_t from, to;     /**< what it reaches over */
    int64_t running, runnable, waiting; /**< ns; running: system calls too */
    size_t hops;          /**< from one goroutine to another */
    uint32_t gor;         /**< to whom */
    bool cut;             /**< its beginning was forgotten, too many steps ago */
    gl_cursor *cursor;    /**< NULL: nothing is being followed */
    struct gl_summary *summary;
    struct gl_path *path;
    uint64_t looked, in_all; /**< events */
} gl_trail;

/** Begins to follow it, from `from` to `to`. */
int gl_trail_begin(gl_trail *t, gl_model *m, uint32_t gor, int64_t from, int64_t to, gl_error *err) GL_MUST_CHECK;
/** Goes on for about `events` events. 1: more to do; 0: t->steps are there, t->n 0 where the goroutine was not. */
int gl_trail_step_on(gl_trail *t, gl_model *m, uint64_t events, gl_error *err) GL_MUST_CHECK;
void gl_trail_clean_up(gl_trail *t);

#endif
