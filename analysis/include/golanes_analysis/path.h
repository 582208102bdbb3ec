/*
 * The critical path: what a goroutine's progress depended on, followed back from a moment along the wakes. While it ran or
 * waited for a processor the path is its own; where it waited for another goroutine the path is that one's, up to the
 * unpark; where it waited for time or the network the wait itself is on the path.
 *
 * It is built forwards, in the one pass: each goroutine has its path so far, and shares what came before with those who
 * woke it. Memory: 48 bytes for each step that some living goroutine's path still holds, at most GL_PATH_STEPS_MAX of them;
 * where there are more the oldest part is forgotten.
 */
#ifndef GOLANES_ANALYSIS_PATH_H
#define GOLANES_ANALYSIS_PATH_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_PATH_STEPS_MAX ((size_t)1 << 18) /* more are no slower to find, but fall out of the caches */

typedef enum gl_path_link {
    GL_PATH_GOES_ON, /**< the same goroutine's next state */
    GL_PATH_WAKES,   /**< it woke the next step's goroutine */
    GL_PATH_CREATES, /**< it made that one */
    GL_PATH_END
} gl_path_link;

typedef struct gl_path_step {
    uint64_t g;
    uint32_t group;
    uint8_t state; /**< gl_gstate; waiting: for time or the network, or for somebody who never came */
    gl_path_link link;
    uint32_t reason; /**< of a wait */
    gl_site site;    /**< where it waited, or woke or made the next one */
    int64_t begin, end;
} gl_path_step;

/** All that the path spent in one state of the goroutines of one start function. */
typedef struct gl_path_share {
    uint32_t group, reason;
    uint8_t state;
    uint64_t steps, ns;
} gl_path_share;

typedef struct gl_path_result {
    bool found;          /**< the goroutine was there */
    bool cut;            /**< the beginning was forgotten */
    int64_t begin, end;  /**< of what is known of the path */
    const gl_path_step *steps; /**< in order of time; a goroutine's steps in one state that follow each other are one */
    size_t step_count;
    uint64_t hops; /**< from one goroutine to another */
    const gl_path_share *shares; /**< most time first */
    size_t share_count;
} gl_path_result;

typedef struct gl_path_options {
    uint64_t g;
    int64_t from, to; /**< to INT64_MAX: the end of the trace, or of the goroutine */
    size_t steps_max; /**< 0: GL_PATH_STEPS_MAX */
} gl_path_options;

typedef struct gl_path gl_path;
/** Watches s, which must outlive it. NULL: no memory. */
gl_path *gl_path_new(gl_summary *s, const gl_path_options *opt);
/** After gl_summary_finish. */
int gl_path_finish(gl_path *p, int64_t end_ns, const gl_path_result **out) GL_MUST_CHECK;
void gl_path_destroy(gl_path *p);

#ifdef __cplusplus
}
#endif
#endif
