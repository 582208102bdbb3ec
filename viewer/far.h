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
    uint32_t node;
    uint8_t running, runnable, waiting, syscall; /**< 255 = all of it */
    uint8_t wait_kind;      /**< gl_span_kind of the longest wait */
} gl_far_share;

typedef struct gl_far_node {
    float from, to;         /**< in columns */
} gl_far_node;

typedef struct gl_far {
    gl_cursor *cursor;
    gl_scale scale;         /**< of what is kept */
    uint64_t revision;
    gl_far_node *nodes;
    size_t node_count, node_capacity;
    gl_far_share *shares;   /**< goroutine by goroutine, in order of time */
    size_t count, capacity;
    gl_ids slot_of_gor;
    gl_slot *slots;
    size_t slot_count, slot_capacity;
} gl_far;

void gl_far_clean_up(gl_far *f);
/** Reads what is needed for a scale, unless it is there already. Adds goroutines that the catalogue has not met yet. */
int gl_far_look(gl_far *f, gl_model *m, gl_scale s) GL_MUST_CHECK;
void gl_far_lane(const gl_far *f, uint32_t gor, gl_column_mix *out);
/** Adds a share to the sums of its group. */
void gl_far_sum(const gl_far *f, const gl_far_share *share, gl_column_sum *out);

#endif
