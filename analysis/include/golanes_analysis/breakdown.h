/*
 * Where goroutines spent their lives: for each start function, how the times of its goroutines are spread over the
 * classes that go tool trace's goroutine page has; and the goroutines that had most of one class.
 *
 * Memory: some KB for each start function, and the rows asked for.
 */
#ifndef GOLANES_ANALYSIS_BREAKDOWN_H
#define GOLANES_ANALYSIS_BREAKDOWN_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gl_time_class {
    GL_TIME_LIFE,     /**< all of the below */
    GL_TIME_RUNNING,  /**< executing */
    GL_TIME_SCHED,    /**< runnable, waiting for a processor */
    GL_TIME_CHANNEL,  /**< send, receive, select */
    GL_TIME_SYNC,     /**< mutexes, conditions, wait groups */
    GL_TIME_NETWORK,
    GL_TIME_SLEEP,
    GL_TIME_COLLECTOR, /**< waits of or for the garbage collector */
    GL_TIME_OTHER,     /**< other waits */
    GL_TIME_SYSCALL,
    GL_TIME_CLASSES
} gl_time_class;
/** "life", "running", "sched", … as options and JSON have them. */
extern const char *const gl_time_class_name[GL_TIME_CLASSES];
/** The class of a wait reason, in Go's words. */
gl_time_class gl_time_class_of(const char *reason);

typedef struct gl_breakdown_row {
    uint64_t g, parent; /**< parent GL_NO_GOROUTINE: not known */
    uint32_t group;
    uint8_t end_state;
    int64_t created, ended; /**< ended -1: it did not */
    uint64_t ns[GL_TIME_CLASSES];
} gl_breakdown_row;

typedef struct gl_breakdown_group {
    uint32_t group;
    bool system;
    uint64_t n, created, alive;
    gl_spread time[GL_TIME_CLASSES]; /**< over its goroutines */
    gl_spread sched_span;            /**< over each single wait for a processor */
} gl_breakdown_group;

typedef struct gl_breakdown_result {
    const gl_breakdown_group *groups; /**< most of the sorted class first */
    size_t group_count;
    const gl_breakdown_row *rows; /**< most of the sorted class first */
    size_t row_count;
    uint64_t rows_in_all;
    gl_breakdown_group all; /**< over all that were wanted */
} gl_breakdown_result;

typedef struct gl_breakdown_options {
    gl_time_class sort;
    size_t rows; /**< goroutines to keep */
    /** Which start functions are wanted; NULL: all. */
    bool (*wanted)(void *user, uint32_t group);
    void *user;
} gl_breakdown_options;

typedef struct gl_breakdown gl_breakdown;
/** Watches s, which must outlive it. NULL: no memory. */
gl_breakdown *gl_breakdown_new(gl_summary *s, const gl_dict *dict, const gl_breakdown_options *opt);
/** After gl_summary_finish. */
int gl_breakdown_finish(gl_breakdown *b, const gl_breakdown_result **out) GL_MUST_CHECK;
void gl_breakdown_destroy(gl_breakdown *b);

#ifdef __cplusplus
}
#endif
#endif
