/*
 * Why goroutines are blocked at the end: for each place of gl_summary_result.stuck, what the trace says about who could
 * still release them, whether their number grows, and whether they wait for each other in a circle.
 *
 * A conclusion holds as far as the trace saw: a goroutine that never touched a channel before the trace ended may still do
 * so after.
 */
#ifndef GOLANES_ANALYSIS_BLOCKED_H
#define GOLANES_ANALYSIS_BLOCKED_H

#include "golanes_analysis/channels.h"
#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gl_blocked_cause {
    GL_BLOCKED_UNKNOWN,
    GL_BLOCKED_NIL,          /**< an operation on a nil channel never ends */
    GL_BLOCKED_EMPTY_SELECT, /**< select {} */
    GL_BLOCKED_CYCLE,        /**< all who ever used the other end wait for each other */
    GL_BLOCKED_NO_CLOSE,     /**< receives until the channel is closed, but all who sent have ended */
    GL_BLOCKED_NO_SENDER,    /**< all who ever sent have ended, or nobody ever did and nobody is left who has the channel */
    GL_BLOCKED_NO_RECEIVER,
    GL_BLOCKED_BETWEEN_JOBS, /**< waits here did end before: a worker, as like as not */
    GL_BLOCKED_CAUSES
} gl_blocked_cause;
/** "nil channel", "deadlock", … */
extern const char *const gl_blocked_cause_name[GL_BLOCKED_CAUSES];

typedef struct gl_blocked_goroutine {
    const gl_stuck_goroutine *figures;
    gl_blocked_cause cause;
    bool in_operation;       /**< `op` is what it is in the middle of */
    gl_channel_operation op;
    uint32_t cycle; /**< number of the circle that it waits in, or for; 0 none */
} gl_blocked_goroutine;

#define GL_BLOCKED_REACH_MAX 8

typedef struct gl_blocked_site {
    const gl_stuck_site *figures;
    const gl_blocked_goroutine *goroutines; /**< figures->n of them */
    gl_blocked_cause cause;                 /**< of most of them */
    bool growing;         /**< their number grew all the time: a leak */
    double grown_per_s;   /**< then */
    bool channel_known;   /**< the rest is about the channel of the first goroutine */
    gl_channel channel;   /**< without spreads */
    uint64_t others;      /**< goroutines that wait at the same end of it elsewhere, or at the other end */
    uint64_t reach[GL_BLOCKED_REACH_MAX]; /**< living goroutines that used, made or closed it, and do not wait for it */
    size_t reach_count;
    bool reach_complete;  /**< the trace saw all who used it */
} gl_blocked_site;

typedef struct gl_blocked_result {
    const gl_blocked_site *sites; /**< in the order of the summary: those of the program first */
    size_t site_count;
    uint64_t waiting;       /**< goroutines of the program that wait for each other */
    uint64_t idle, system;  /**< that wait for time or the network; of the runtime */
    uint64_t active;        /**< goroutines of the program that do not wait, or only for time or the network */
    bool everybody;         /**< all goroutines of the program wait for each other: a deadlock */
    uint32_t cycles;
} gl_blocked_result;

typedef struct gl_blocked gl_blocked;
/** Watches s. channels may be NULL, and must not be finished before this is. NULL: no memory. */
gl_blocked *gl_blocked_new(gl_summary *s, const gl_dict *dict, const gl_channels *channels);
/** r: the result of gl_summary_finish. */
int gl_blocked_finish(gl_blocked *b, const gl_summary_result *r, const gl_blocked_result **out) GL_MUST_CHECK;
void gl_blocked_destroy(gl_blocked *b);

#ifdef __cplusplus
}
#endif
#endif
