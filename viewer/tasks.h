/*
 * What a program says of itself: tasks and regions (runtime/trace), by name.
 * Threads: as the model's.
 */
#ifndef GOLANES_VIEWER_TASKS_H
#define GOLANES_VIEWER_TASKS_H

#include "golanes/events.h"
#include "ids.h"

/** A task, or a region of a goroutine. */
typedef struct gl_task {
    int64_t begin, end;   /**< end GL_TIME_NONE: still open */
    uint64_t id, parent;  /**< of a region: its task, and 0 */
    uint64_t g;           /**< that began it */
    uint32_t kind, next_of_kind;
    uint32_t stack;
    bool since_before;    /**< its begin is not in the trace */
} gl_task;

/** Tasks, or regions, of one name. */
typedef struct gl_task_kind {
    uint32_t name;        /**< string id */
    bool regions;
    uint32_t n, open;
    uint32_t first, last; /**< in order of their begins */
    int64_t ns, longest;  /**< of those that ended */
    uint32_t most;        /**< open at once */
} gl_task_kind;

#define GL_TASKS_MAX 1000000 /* further ones are counted, not kept */

typedef struct gl_tasks {
    gl_task *list;
    size_t n, capacity;
    gl_task_kind *kinds;
    size_t kind_count, kind_capacity;
    gl_ids by_id;         /**< open tasks */
    gl_ids kind_by_name;  /**< name x 2, + 1 for regions */
    gl_ids open_region;   /**< by goroutine: its innermost open region; further ones in `outer` */
    uint32_t *outer;      /**< by index: the region around it, GL_NONE none */
    size_t outer_capacity;
    uint64_t beyond;      /**< not kept */
} gl_tasks;

/** Takes task and region events; others are passed over. begin: of the trace. */
int gl_tasks_take(gl_tasks *ts, const gl_event *ev, int64_t begin) GL_MUST_CHECK;
void gl_tasks_clean_up(gl_tasks *ts);

#endif
