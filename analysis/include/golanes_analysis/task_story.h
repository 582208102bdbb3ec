/*
 * One task: everything that happened in it, in the order of the trace, its regions, its children, and who worked on it.
 *
 * Memory: about 100 bytes for each event and region of the task, at most GL_TASK_EVENTS_MAX of either.
 */
#ifndef GOLANES_ANALYSIS_TASK_STORY_H
#define GOLANES_ANALYSIS_TASK_STORY_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_TASK_EVENTS_MAX ((size_t)1 << 17)

typedef enum gl_task_event_kind {
    GL_TASK_BEGAN,
    GL_TASK_ENDED,
    GL_TASK_CHILD_BEGAN,
    GL_TASK_CHILD_ENDED,
    GL_TASK_REGION_BEGAN,
    GL_TASK_REGION_ENDED,
    GL_TASK_LOGGED,
    GL_TASK_EVENT_KINDS
} gl_task_event_kind;
/** "task begins", "message", … */
extern const char *const gl_task_event_name[GL_TASK_EVENT_KINDS];

typedef struct gl_task_event {
    gl_task_event_kind kind;
    int64_t time;
    uint64_t g, child;   /**< child: of GL_TASK_CHILD_… */
    uint32_t group;      /**< start function of g, 0 not known */
    uint32_t name, text; /**< string ids: of the task, the region or the category; a message */
} gl_task_event;

/** Who did something in the task. */
typedef struct gl_task_worker {
    uint64_t g;
    uint32_t group;
    uint64_t events, regions;
    uint64_t ns[GL_G_STATES]; /**< within its regions of this task that lie in none other */
} gl_task_worker;

typedef struct gl_task_story_result {
    bool found;
    gl_task_figures task;
    const gl_task_event *events;
    size_t event_count;
    const gl_region *regions; /**< in order of their begin */
    size_t region_count;
    const gl_task_worker *workers; /**< in order of their first event */
    size_t worker_count;
    bool cut; /**< there was more than is kept */
} gl_task_story_result;

typedef struct gl_task_story gl_task_story;
/** Watches s, which must outlive it. NULL: no memory. */
gl_task_story *gl_task_story_new(gl_summary *s, uint64_t task);
/** r: the result of gl_summary_finish. */
int gl_task_story_finish(gl_task_story *x, const gl_summary_result *r, const gl_task_story_result **out) GL_MUST_CHECK;
void gl_task_story_destroy(gl_task_story *x);

#ifdef __cplusplus
}
#endif
#endif
