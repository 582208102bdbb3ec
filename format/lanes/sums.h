/*
 * Summary nodes and lane shares: as chunk sections, and merged into the levels above.
 */
#ifndef GOLANES_LANES_SUMS_H
#define GOLANES_LANES_SUMS_H

#include "golanes/reader.h"
#include "lanes/pack.h"

void ln_node_put(const gl_summary_node *n, ln_buf *out);
int ln_node_get(const uint8_t *bytes, size_t n, gl_summary_node *out);
void ln_shares_put(const gl_lane_share *lanes, size_t n, ln_buf *out);
/** *out is a growing array that *capacity counts; it may be NULL at first. */
int ln_shares_get(const uint8_t *bytes, size_t n, gl_lane_share **out, size_t *capacity, size_t *count);

/** A node with its shares. */
typedef struct ln_sum {
    gl_summary_node node;
    gl_lane_share *lanes;
    size_t n;
} ln_sum;

/**
 * Merges up to LN_FANOUT neighbours, in order of time, into *out (lanes: malloc). Shares are weighed by the length of
 * their node; a goroutine stays where it lived through at least a sixteenth. 0 or GL_E_NOMEM.
 */
int ln_sum_merge(const ln_sum *parts, size_t n, ln_sum *out);

/** A summary chunk's draft. */
void ln_sum_draft(ln_draft *d, unsigned level, uint64_t number, const ln_sum *sum);

/** The open end of every level while a file is written. */
typedef struct ln_pyramid {
    ln_sum open[LN_LEVELS_MAX][LN_FANOUT];
    size_t open_n[LN_LEVELS_MAX];
    uint64_t done[LN_LEVELS_MAX]; /* nodes so far */
} ln_pyramid;

/** Called with each node of level 1 and up as it becomes complete. */
typedef int (*ln_sum_fn)(void *user, unsigned level, uint64_t number, const ln_sum *sum);

/** Takes over a level-0 node (lanes: malloc). */
int ln_pyramid_add(ln_pyramid *p, ln_sum *sum, ln_sum_fn emit, void *user);
/** Completes the levels with what there is, until one has a single node. */
int ln_pyramid_finish(ln_pyramid *p, ln_sum_fn emit, void *user);
void ln_pyramid_free(ln_pyramid *p);

#endif
