/*
 * What the program says of itself: tasks, regions, log messages.
 */
#ifndef GOLANES_ANALYSIS_USER_H
#define GOLANES_ANALYSIS_USER_H

#include "collect.h"
#include "golanes_analysis/summary.h"
#include "goroutines.h"

#define GL_TASKS_MAX ((size_t)1 << 18) /* tasks listed; all are counted */
#define GL_REGIONS_OPEN_MAX ((size_t)1 << 20)

typedef struct gl_open_region {
    uint64_t task;
    int64_t begin;
    uint32_t type, below; /* string id; number of the region around it, 0 none */
    uint32_t stack;       /* where it began */
    uint64_t ns[GL_G_STATES]; /* of its goroutine then */
} gl_open_region;

typedef struct gl_user {
    gl_user_figures figures;
    gl_task_figures *tasks;
    size_t task_capacity, task_count;
    gl_map task_of;
    gl_region_figures *regions;
    size_t region_capacity, region_count;
    gl_map region_of;
    gl_named_count *categories;
    size_t category_capacity, category_count;
    gl_map category_of;
    gl_open_region *open; /* number 0 is not used */
    size_t open_capacity, open_count;
    uint32_t free_open; /* head of the list of unused ones */
} gl_user;

int gl_user_task_begin(gl_user *u, const gl_event *ev) GL_MUST_CHECK;
int gl_user_task_end(gl_user *u, const gl_event *ev) GL_MUST_CHECK;
/** g may be NULL: not known. *begun is the region, NULL where it is not kept, until the next call. */
int gl_user_region_begin(gl_user *u, const gl_event *ev, gl_goroutine *g, gl_open_region **begun) GL_MUST_CHECK;
/** *had: it was open here, and was *out. */
int gl_user_region_end(gl_user *u, const gl_event *ev, gl_goroutine *g, gl_open_region *out, bool *had) GL_MUST_CHECK;
int gl_user_log(gl_user *u, const gl_event *ev) GL_MUST_CHECK;
/** The goroutine, or the trace, ends: takes the innermost open region off, which stays open. There must be one. */
int gl_user_leave(gl_user *u, gl_goroutine *g, gl_open_region *out) GL_MUST_CHECK;
void gl_user_finish(gl_user *u);
void gl_user_clean_up(gl_user *u);

#endif
