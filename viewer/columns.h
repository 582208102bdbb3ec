/*
 * Time to columns: what of a lane falls into each column of the screen. Pure; spans or shares in, columns out.
 * Threads: works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_COLUMNS_H
#define GOLANES_VIEWER_COLUMNS_H

#include "window.h"

/** A stretch of time shown in n columns. */
typedef struct gl_scale {
    int64_t from, to; /**< to > from */
    int n;            /**< >= 1 */
} gl_scale;

#define GL_SHARE_FULL 60000u

/** What one lane shows in one column. */
typedef struct gl_column_mix {
    uint16_t share[GL_SPAN_KINDS]; /**< of the column, GL_SHARE_FULL all of it */
    uint8_t left, right;           /**< kinds at the column's edges */
    uint8_t parts;                 /**< stretches large enough to see: 1 one kind, 2 one boundary, 3 more */
    uint8_t split;                 /**< where the boundary is, in eighths from the left (parts == 2) */
    bool begins, ends;             /**< a straddling send begins or ends here */
} gl_column_mix;

/** What a group of goroutines, or all, show in one column: goroutine-time over column-time. */
typedef struct gl_column_sum {
    float busy, runnable, syscall, wait, straddle;
    uint32_t alive; /**< how many were there */
} gl_column_sum;

static inline double gl_scale_step(gl_scale s) { return (double)(s.to - s.from) / s.n; }
/** The column of a time, below 0 or n and above where it is outside. */
int gl_scale_column(gl_scale s, int64_t time);
/** The time at a column's left edge. */
int64_t gl_scale_time(gl_scale s, int column);

void gl_columns_clear(gl_column_mix *c, int n);
/** Adds one stretch. Stretches of a lane come in order of time. */
void gl_columns_add(gl_column_mix *c, gl_scale s, int64_t begin, int64_t end, gl_span_kind kind);
/** Paints a straddling send over what is there: it stays visible however narrow. */
void gl_columns_paint(gl_column_mix *c, gl_scale s, int64_t begin, int64_t end);
/** The kind with the largest share; a straddle wins wherever there is one. */
gl_span_kind gl_column_main(const gl_column_mix *c);

/** A goroutine's columns from a window, its straddles painted. */
void gl_columns_of_gor(const gl_model *m, const gl_window *w, uint32_t gor, gl_scale s, gl_column_mix *out);
/** Columns of a P or a thread: what ran on it. us: of w. */
void gl_columns_of_unit(const gl_model *m, const gl_window *w, const gl_window_units *us, uint32_t unit, gl_scale s,
                        gl_column_mix *out);
/** A P's straddles do not exist; a goroutine's do, from the catalogue, whatever the source of the rest. */
void gl_columns_straddles(const gl_model *m, uint32_t gor, gl_scale s, gl_column_mix *out);
/** Where the sums of some goroutines change, of a column each: n + 2 of them for n columns. */
typedef struct gl_column_tally {
    int64_t part[5]; /**< running, in system calls, runnable, waiting; straddles, which are counted beside those */
} gl_column_tally;
/** Adds a goroutine's spans, or its straddles as spans of that kind. */
void gl_columns_tally(const gl_lane_span *spans, size_t n, gl_scale s, gl_column_tally *out);
/** Adds what was told to the sums of n columns. */
void gl_columns_settle(const gl_column_tally *t, int n, gl_column_sum *out);
/** The sums of all goroutines of a window. */
int gl_columns_sum(const gl_window *w, gl_scale s, gl_column_sum *out) GL_MUST_CHECK;

#endif
