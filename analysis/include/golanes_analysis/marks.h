/*
 * The program's own marks: regions by type and tasks by name, with how long they took and where the time of their
 * goroutines went, and the slowest of them.
 */
#ifndef GOLANES_ANALYSIS_MARKS_H
#define GOLANES_ANALYSIS_MARKS_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_marks_type {
    uint32_t name;
    gl_site site;                  /**< of the first one of the type; 0 for tasks */
    uint64_t open_start, open_end; /**< without a begin, or without an end, in the trace */
    gl_spread time;                /**< of those that are whole */
    uint64_t ns[GL_G_STATES];      /**< regions: where the time of the whole ones went */
    uint64_t regions, logs;        /**< tasks: what they held */
} gl_marks_type;

typedef struct gl_marks_result {
    const gl_marks_type *regions; /**< most time first */
    size_t region_count;
    const gl_region *slow_regions; /**< slowest first */
    size_t slow_region_count;
    const gl_marks_type *tasks;
    size_t task_count;
    const gl_task_figures *slow_tasks; /**< slowest first; those without an end come first of all */
    size_t slow_task_count;
    uint64_t tasks_in_all;
    bool tasks_cut; /**< there were more tasks than are kept */
} gl_marks_result;

typedef struct gl_marks_options {
    size_t slow;                               /**< how many to keep */
    bool (*wanted)(void *user, uint32_t name); /**< types of regions or names of tasks; NULL: all */
    void *user;
} gl_marks_options;

typedef struct gl_marks gl_marks;
/** Watches s, which must outlive it. NULL: no memory. */
gl_marks *gl_marks_new(gl_summary *s, const gl_marks_options *opt);
/** r: the result of gl_summary_finish. */
int gl_marks_finish(gl_marks *m, const gl_summary_result *r, const gl_marks_result **out) GL_MUST_CHECK;
void gl_marks_destroy(gl_marks *m);

#ifdef __cplusplus
}
#endif
#endif
