/*
 * Scheduler latency: how long goroutines that could run waited for a processor, by what had made them runnable and by
 * start function, as a histogram, and the longest of these waits.
 *
 * Spans that began before the trace or were not over at its end are left out, as everywhere.
 */
#ifndef GOLANES_ANALYSIS_LATENCY_H
#define GOLANES_ANALYSIS_LATENCY_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What made a goroutine runnable. */
typedef enum gl_latency_cause {
    GL_LATENCY_CREATED, /**< it was made */
    GL_LATENCY_WOKEN,   /**< a goroutine ended its wait */
    GL_LATENCY_EVENT,   /**< a timer or the network did */
    GL_LATENCY_YIELD,   /**< preempted, or Gosched */
    GL_LATENCY_SYSCALL, /**< it came back from a system call that had lost its P */
    GL_LATENCY_UNKNOWN,
    GL_LATENCY_CAUSES
} gl_latency_cause;
/** "created", "woken", "timer or network", … */
extern const char *const gl_latency_cause_name[GL_LATENCY_CAUSES];

/** Buckets in steps of 1, 2, 5 from 100 ns; the last one is open upwards. */
#define GL_LATENCY_BUCKETS 26
/** Upper bound of a bucket, exclusive; INT64_MAX for the last. */
extern const int64_t gl_latency_bucket_ns[GL_LATENCY_BUCKETS];

typedef struct gl_latency_wait {
    uint64_t g;
    uint32_t group;
    gl_latency_cause cause;
    uint64_t by; /**< who woke or made it, 0 nobody */
    int64_t begin, end;
    gl_site site; /**< where that was done */
} gl_latency_wait;

typedef struct gl_latency_group {
    uint32_t group;
    gl_spread wait;
} gl_latency_group;

typedef struct gl_latency_result {
    gl_spread all;
    uint64_t bucket[GL_LATENCY_BUCKETS], bucket_ns[GL_LATENCY_BUCKETS]; /**< how many, and their time */
    gl_spread cause[GL_LATENCY_CAUSES];
    const gl_latency_group *groups; /**< most time first */
    size_t group_count;
    const gl_latency_wait *worst; /**< longest first */
    size_t worst_count;
} gl_latency_result;

typedef struct gl_latency_options {
    size_t worst; /**< waits to keep */
    bool (*wanted)(void *user, uint32_t group); /**< NULL: all start functions */
    void *user;
} gl_latency_options;

typedef struct gl_latency gl_latency;
/** Watches s, which must outlive it. NULL: no memory. */
gl_latency *gl_latency_new(gl_summary *s, const gl_latency_options *opt);
/** After gl_summary_finish. */
int gl_latency_finish(gl_latency *l, const gl_latency_result **out) GL_MUST_CHECK;
void gl_latency_destroy(gl_latency *l);

#ifdef __cplusplus
}
#endif
#endif
