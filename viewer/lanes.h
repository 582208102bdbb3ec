/*
 * The list of lanes: which goroutines (or Ps, threads, channels, tasks) stand in which order, in groups that fold. It is
 * made anew only on command or when the catalogue has grown; panning and zooming never move a lane.
 * Threads: one thread per list.
 */
#ifndef GOLANES_VIEWER_LANES_H
#define GOLANES_VIEWER_LANES_H

#include "model.h"

typedef enum gl_row_type {
    GL_ROW_GROUP,
    GL_ROW_GOR,
    GL_ROW_PROC,
    GL_ROW_THREAD,
    GL_ROW_CHAN,
    GL_ROW_CHAN_SENDERS,   /**< below an unfolded channel */
    GL_ROW_CHAN_RECEIVERS,
    GL_ROW_TASK_KIND,      /**< tasks, or regions, of one name */
    GL_ROW_TASK
} gl_row_type;

typedef struct gl_row {
    uint8_t type;   /**< gl_row_type */
    uint32_t index; /**< group of the list; goroutine, channel, task or kind of the catalogue; P id, thread index */
} gl_row;

/** Orders of lanes; the names are those of the command line. */
typedef enum gl_order {
    GL_ORDER_STRADDLE, GL_ORDER_FIRST, GL_ORDER_ID, GL_ORDER_BLOCKED, GL_ORDER_RUNNING, GL_ORDER_RUNNABLE, GL_ORDERS
} gl_order;

/** What goroutines are put together by: X(NAME, "word", "what a group is"). */
#define GL_GROUPING_LIST(X)                                                                                            \
    X(FUNCTION, "function", "start function")                                                                          \
    X(STATE, "state", "state at the cursor")                                                                           \
    X(REASON, "reason", "wait reason at the cursor")                                                                   \
    X(CREATOR, "creator", "goroutine that created them")                                                               \
    X(CHANNEL, "channel", "channel used last")                                                                         \
    X(PROCESS, "process", "process")

typedef enum gl_grouping {
#define X(name, word, what) GL_BY_##name,
    GL_GROUPING_LIST(X)
#undef X
    GL_GROUPINGS
} gl_grouping;
const char *gl_grouping_word(gl_grouping by);
const char *gl_grouping_what(gl_grouping by);

/** Goroutines that stand together. By start function the index is that of the model's group. */
typedef struct gl_lane_group {
    uint64_t key;        /**< what they share; see gl_grouping */
    uint32_t n, shown;   /**< goroutines; those that pass the filter */
    uint32_t straddles;
    int64_t straddle_ns, first;
    bool system, open;
} gl_lane_group;

/** Says which goroutines are to be shown. */
typedef bool (*gl_gor_filter)(void *user, uint32_t gor);

typedef struct gl_lanes {
    gl_row *rows;
    size_t n, capacity;
    gl_lane_group *groups;
    size_t group_count, group_capacity;
    gl_ids by_key;
    uint32_t *group_of;  /**< by goroutine */
    size_t group_of_capacity;
    uint64_t *keys;      /**< by goroutine, of a moment: states and reasons hold still while the cursor moves */
    size_t key_count;
    gl_grouping by;
    gl_order order;
    bool flat;           /**< no groups */
    size_t gor_count;    /**< goroutines shown, folded or not */
    uint32_t *pinned;    /**< goroutines that stand on top, in the order in which they were put there */
    size_t pin_count, pin_capacity;
    uint32_t pins;       /**< rows of them in the list */
    uint64_t listings;   /**< changes with every listing */
} gl_lanes;

void gl_lanes_clean_up(gl_lanes *l);
const char *gl_order_name(gl_order o);
/** The value that an order sorts by, ns; -1 where it is no time. */
int64_t gl_order_value(const gl_model *m, gl_order o, uint32_t gor);
/** Groups from now on by this. keys (taken over, may be NULL): of a moment, by goroutine, where `by` needs one. */
void gl_lanes_group(gl_lanes *l, gl_grouping by, uint64_t *keys, size_t key_count);
/** What a group's goroutines share, in words. */
const char *gl_lanes_group_text(const gl_lanes *l, const gl_model *m, uint32_t group, char *out, size_t size);
/** Lists goroutines by group. filter may be NULL. */
int gl_lanes_list(gl_lanes *l, const gl_model *m, gl_gor_filter filter, void *user) GL_MUST_CHECK;
/** Puts a goroutine on top, or back. True where it is on top now. */
bool gl_lanes_pin(gl_lanes *l, uint32_t gor);
bool gl_lanes_is_pinned(const gl_lanes *l, uint32_t gor);
/** Unfolds what fits into `rows` rows: those that suffer most first, small ones before large, the runtime's own last.
 */
int gl_lanes_unfold_to_fit(gl_lanes *l, const gl_model *m, int rows) GL_MUST_CHECK;
/** Group of a goroutine, GL_NONE where it is not listed yet. */
uint32_t gl_lanes_group_of(const gl_lanes *l, uint32_t gor);
/** Lists other things than goroutines. */
int gl_lanes_push(gl_lanes *l, gl_row_type type, uint32_t index) GL_MUST_CHECK;
/** First row of a group: its own, or its goroutine's where it is a group of one. */
uint32_t gl_lanes_find_group(const gl_lanes *l, uint32_t group);
/** Row of a group, goroutine or other thing; GL_NONE where it is folded away or filtered out. */
uint32_t gl_lanes_find(const gl_lanes *l, gl_row_type type, uint32_t index);

#endif
