/*
 * Statistics of a selected span of time: what each group of goroutines did there, by state and wait reason, with the
 * spread of the lengths. Made in steps from a keyframe and the events after it, so that the span may hold any number of
 * events. A stretch counts with the part of it that lies in the selection.
 * Threads: one thread per gl_stats.
 */
#ifndef GOLANES_VIEWER_STATS_H
#define GOLANES_VIEWER_STATS_H

#include "model.h"

#define GL_STATS_SUB 32                        /* buckets between two powers of two: lengths are told to 3 % */
#define GL_STATS_BUCKETS (64 * GL_STATS_SUB)

typedef struct gl_stats_row {
    uint32_t group;      /**< of the model */
    uint32_t reason;     /**< string id, of waits */
    uint8_t state;       /**< gl_gstate */
    uint64_t n;
    int64_t ns, longest, longest_begin;
    uint32_t longest_gor;
    uint32_t *bucket;    /**< GL_STATS_BUCKETS of them */
} gl_stats_row;

typedef struct gl_stats_gor {
    int64_t since;
    uint32_t reason;
    uint8_t state;
} gl_stats_gor;

typedef struct gl_stats {
    int64_t from, to;    /**< the selection; to == from: none made yet */
    gl_stats_row *rows;
    size_t n, capacity;
    gl_ids row_of;       /**< group, state and reason to row */
    gl_stats_gor *gors;  /**< by index in the catalogue */
    size_t gor_capacity;
    gl_cursor *cursor;   /**< NULL: not going on */
    uint64_t looked, in_all; /**< events, about */
    uint64_t revision;   /**< changes with every step */
} gl_stats;

int gl_stats_begin(gl_stats *s, gl_model *m, int64_t from, int64_t to, gl_error *err) GL_MUST_CHECK;
/** 1: more to do, 0: done, negative: a gl_status. */
int gl_stats_step(gl_stats *s, gl_model *m, uint64_t events, gl_error *err) GL_MUST_CHECK;
/** The length below which `share` of the stretches lie, at most 3 % too long. */
int64_t gl_stats_percentile(const gl_stats_row *r, double share);
void gl_stats_stop(gl_stats *s);
void gl_stats_clean_up(gl_stats *s);

#endif
