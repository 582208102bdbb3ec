/*
 * How processors (Ps) and threads (Ms) were used, and how many goroutines were in which state, over the whole trace.
 * Threads: as the model's.
 */
#ifndef GOLANES_VIEWER_USE_H
#define GOLANES_VIEWER_USE_H

#include "golanes/events.h"
#include "golanes/state.h"
#include "history.h"
#include "ids.h"

/** A P or a thread. */
typedef struct gl_unit_use {
    uint64_t g;             /**< that has it now, 0 none */
    int64_t since, first;
    int64_t run_ns, syscall_ns;
    uint64_t starts;        /**< how often a goroutine began to run there */
    bool syscall;
    gl_history running, in_syscall;
} gl_unit_use;

#define GL_UNITS_MAX 65536 /* further ones have no lane */

typedef struct gl_units {
    gl_unit_use *list;      /**< by P id, by thread index */
    uint32_t n;
    size_t capacity;
} gl_units;

typedef struct gl_use {
    gl_units procs, threads;
    uint32_t count[GL_G_STATES];     /**< goroutines in each state now */
    gl_history counts[GL_G_STATES];
    uint32_t most;                   /**< alive at once */
} gl_use;

/** A goroutine goes from one state to another; p and thread are the event's. *p_of and *thread_of: where the goroutine
 *  is (GL_NO_PROC, GL_NO_THREAD nowhere). */
int gl_use_take(gl_use *u, const gl_event *ev, const gl_transition *t, uint32_t *p_of, uint32_t *thread_of)
    GL_MUST_CHECK;
void gl_use_clean_up(gl_use *u);

#endif
