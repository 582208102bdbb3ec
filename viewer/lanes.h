/*
 * The list of lanes: which goroutines (or Ps) stand in which order, in groups that fold. It is made anew only on
 * command or when the catalogue has grown; panning and zooming never move a lane. Threads: one thread per list.
 */
#ifndef GOLANES_VIEWER_LANES_H
#define GOLANES_VIEWER_LANES_H

#include "model.h"

typedef enum gl_row_type { GL_ROW_GROUP, GL_ROW_GOR, GL_ROW_PROC } gl_row_type;
typedef struct gl_row {
    uint8_t type;   /**< gl_row_type */
    uint32_t index; /**< group, goroutine (of the catalogue), or P id */
} gl_row;

/** Orders of lanes; the names are those of the command line. */
typedef enum gl_order {
    GL_ORDER_STRADDLE, GL_ORDER_FIRST, GL_ORDER_ID, GL_ORDER_BLOCKED, GL_ORDER_RUNNING, GL_ORDER_RUNNABLE, GL_ORDERS
} gl_order;

/** Says which goroutines are to be shown. */
typedef bool (*gl_gor_filter)(void *user, uint32_t gor);

typedef struct gl_lanes {
    gl_row *rows;
    size_t n, capacity;
    uint8_t *open;    /**< by group: unfolded */
    size_t open_capacity;
    uint32_t *shown;  /**< by group: members that pass the filter */
    gl_order order;
    bool flat;        /**< no groups */
    size_t gor_count; /**< goroutines shown, folded or not */
} gl_lanes;

void gl_lanes_clean_up(gl_lanes *l);
const char *gl_order_name(gl_order o);
/** The value that an order sorts by, ns; -1 where it is no time. */
int64_t gl_order_value(const gl_model *m, gl_order o, uint32_t gor);
/** Lists goroutines by group. filter may be NULL. */
int gl_lanes_list(gl_lanes *l, const gl_model *m, gl_gor_filter filter, void *user) GL_MUST_CHECK;
/** Lists Ps 0 .. n-1. */
int gl_lanes_procs(gl_lanes *l, uint32_t n) GL_MUST_CHECK;
/** Unfolds what fits into `rows` rows: those that suffer most first, small ones before large, the runtime's own last.
 */
int gl_lanes_unfold_to_fit(gl_lanes *l, const gl_model *m, int rows) GL_MUST_CHECK;
/** First row of a group: its own, or its goroutine's where it is a group of one. */
uint32_t gl_lanes_find_group(const gl_lanes *l, const gl_model *m, uint32_t group);
/** Row of a group, goroutine or P; GL_NONE where it is folded away or filtered out. */
uint32_t gl_lanes_find(const gl_lanes *l, gl_row_type type, uint32_t index);

#endif
