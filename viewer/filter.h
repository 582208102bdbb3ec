/*
 * A filter on goroutines: those of which an expression (golanes_analysis/query.h) means any event. Where it asks only
 * what a goroutine is, the catalogue answers at once; else the trace is read in steps, and what was found so far is
 * there at every moment.
 * Threads: one thread per filter.
 */
#ifndef GOLANES_VIEWER_FILTER_H
#define GOLANES_VIEWER_FILTER_H

#include "golanes_analysis/query.h"
#include "model.h"

typedef struct gl_filter {
    gl_query *query;     /**< NULL: no filter */
    char text[256];
    gl_cursor *cursor;   /**< NULL: not going on */
    uint8_t *meant;      /**< by goroutine */
    size_t capacity;
    uint64_t looked, found; /**< events, goroutines */
    bool at_once;        /**< asks only what goroutines are */
} gl_filter;

/** Ends what was going on and begins anew. GL_E_USAGE with text for a wrong expression: *at says where. */
int gl_filter_begin(gl_filter *f, gl_reader *r, const char *expression, size_t *at, gl_error *err) GL_MUST_CHECK;
/** Looks at about `events` events. 1: more to do, 0: done, negative: a gl_status. */
int gl_filter_step(gl_filter *f, gl_model *m, uint64_t events, gl_error *err) GL_MUST_CHECK;
bool gl_filter_keeps(gl_filter *f, const gl_model *m, uint32_t gor);
/** Stops looking, keeps what was found. */
void gl_filter_stop(gl_filter *f);
void gl_filter_clean_up(gl_filter *f);

#endif
