/*
 * Two traces compared: what is worse or better in the second one, beyond what chance explains.
 *
 * A profile holds, for each pause reason, wait reason and start function, how the times are spread, and counts. It is
 * compared so that two runs of one program are equal:
 *
 * - Two spreads differ when short ones and the middle have both moved (p25 and median by more than the tolerance, p75 by
 *   half of that), and when the means of slices of time, which scatter as chance has it, say that this is no chance
 *   (GL_COMPARE_SURE standard deviations of these).
 * - Where everything else has moved too (the mood) the tolerance grows by a power of that, the larger the more the
 *   scheduler has to do with it: then it may have been the machine. What is between the two tolerances is told as unsure.
 * - Two counts differ when they do so by more than that many standard deviations of such counts and by more than the
 *   tolerance, as they are, for the length of the traces, and for the work that was done meanwhile (spans of goroutines);
 *   straddles also for the number and the length of the pauses. So a longer run is no difference.
 * - What does not depend on chance (a channel's capacity) differs when it is not equal.
 *
 * Memory: some KB for each reason and start function.
 */
#ifndef GOLANES_ANALYSIS_COMPARE_H
#define GOLANES_ANALYSIS_COMPARE_H

#include "golanes_analysis/anomalies.h"
#include "golanes_analysis/blocked.h"
#include "golanes_analysis/channels.h"
#include "golanes_analysis/straddling.h"
#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_COMPARE_SURE 4.0      /**< of what the program decides */
#define GL_COMPARE_SURE_MOOD 5.0 /**< of what the scheduler does: waits, and what meets a pause */

typedef enum gl_aspect {
    GL_ASPECT_PAUSE,      /**< lengths of stops, by reason */
    GL_ASPECT_PAUSES,     /**< how many of them a second, by reason */
    GL_ASPECT_SCHED,      /**< waits for a processor, by start function */
    GL_ASPECT_WAIT,       /**< waits, by reason and start function */
    GL_ASPECT_RUNNING,    /**< time that each goroutine ran, by start function */
    GL_ASPECT_SYSCALL,    /**< system calls, by start function */
    GL_ASPECT_STRADDLES,  /**< operations that straddle a pause, a second, by kind */
    GL_ASPECT_STUCK,      /**< goroutines that wait at the end, by place */
    GL_ASPECT_ANOMALIES,  /**< findings, by kind */
    GL_ASPECT_GOROUTINES, /**< goroutines, a second, by start function */
    GL_ASPECT_CAPACITY,   /**< of channels, by place of making */
    GL_ASPECTS
} gl_aspect;
/** "pause length", … */
extern const char *const gl_aspect_name[GL_ASPECTS];
/** What is compared is times (spreads), else counts or values. */
bool gl_aspect_is_time(gl_aspect a);

typedef struct gl_profile gl_profile;
/** Watches s, which must outlive it. NULL: no memory. */
gl_profile *gl_profile_new(gl_summary *s, const gl_dict *dict);

typedef struct gl_profile_sources {
    const gl_summary_result *summary;
    const gl_blocked_result *blocked;
    const gl_channels_result *channels;
    const gl_anomalies_result *anomalies;
    const gl_straddling_result *straddling; /**< of all kinds */
} gl_profile_sources;
/** After everything else is finished. */
int gl_profile_finish(gl_profile *p, const gl_profile_sources *from) GL_MUST_CHECK;
void gl_profile_destroy(gl_profile *p);

typedef struct gl_difference {
    gl_aspect aspect;
    const char *key; /**< the profiles' */
    bool worse, unsure;
    double factor;       /**< b over a; 0: a has none */
    gl_spread a, b;      /**< of times */
    double value_a, value_b; /**< of counts and values */
    double sigmas; /**< how many standard deviations apart; 0 of what does not depend on chance */
} gl_difference;

typedef struct gl_comparison {
    gl_difference *list; /**< the weightiest first; the caller frees it */
    size_t n;      /**< that are sure */
    size_t unsure; /**< that follow them in the list: a machine as busy as the mood tells may explain them */
    double mood; /**< the factor by which times differ throughout: near 1 for two runs on a quiet machine */
} gl_comparison;

/** tolerance: 0.5 lets b be half again as much. */
int gl_profile_compare(gl_profile *a, gl_profile *b, double tolerance, gl_comparison *out) GL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
