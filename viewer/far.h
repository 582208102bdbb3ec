/*
 * Lanes seen from afar: where a window holds too many events to decode, what each goroutine did comes from the shares
 * that the file keeps beside each stretch of events.
 * Threads: one thread per gl_far.
 */
#ifndef GOLANES_VIEWER_FAR_H
#define GOLANES_VIEWER_FAR_H

#include "columns.h"

/** What one goroutine did in one stretch of the file. */
typedef struct gl_far_share {
    uint32_t gor;           /**< index in the catalogue */
    uint8_t part[4];        /**< running, runnable, waiting, in system calls: 255 = all of it */
    uint8_t wait_kind;      /**< gl_span_kind of the longest wait */
} gl_far_share;

typedef struct gl_far_node {
    float from, to;         /**< in columns */
    uint32_t first, n;      /**< its shares, in order of ids */
} gl_far_node;

/** Sums of what a group's goroutines did in a node, in the order of gl_far_share.part. */
typedef struct gl_far_sum {
    uint32_t part[4];
} gl_far_sum;

typedef struct gl_far {
    gl_cursor *cursor;
    gl_scale scale;         /**< of what is kept */
    uint64_t revision;
    uint64_t looks;         /**< changes with what is kept */
    gl_far_node *nodes;
    size_t node_count, node_capacity;
    gl_far_share *shares;   /**< node by node */
    size_t count, capacity;
} gl_far;

/** Ran there, or was in a system call. */
static inline bool gl_far_is_busy(const gl_far_share *s) { return s->part[0] || s->part[3]; }

void gl_far_clean_up(gl_far *f);
/** Reads what is needed for a scale, unless it is there already. Adds goroutines that the catalogue has not met yet. */
int gl_far_look(gl_far *f, gl_model *m, gl_scale s) GL_MUST_CHECK;
/** What a goroutine did, by its id. */
void gl_far_lane(const gl_far *f, const gl_model *m, uint64_t g, gl_column_mix *out);
/** A group's sums as columns. */
void gl_far_columns(const gl_far *f, const gl_far_sum *sums, gl_column_sum *out);

#endif
