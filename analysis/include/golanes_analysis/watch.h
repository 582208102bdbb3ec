/*
 * Questions beyond the summary's own figures, answered in the same pass: a watcher is told of each span, region and
 * event as the summary has worked it out, so that the rules for states and times stand in one place.
 *
 *     gl_summary_watch(s, &(gl_watcher){.user = x, .on_span = gl_breakdown_span});
 *
 * Every function may be NULL. Each returns 0, or a negative gl_status that stops the summary and is passed on. What is
 * pointed to lives until the function returns. Add watchers before the first event.
 */
#ifndef GOLANES_ANALYSIS_WATCH_H
#define GOLANES_ANALYSIS_WATCH_H

#include "golanes_analysis/summary.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A goroutine in one state, from the event that led to it to the one that ended it. */
typedef struct gl_span {
    uint64_t g;
    uint32_t group;  /**< start function, 0 not known (yet) */
    uint32_t reason; /**< of a wait (string id) */
    uint8_t state;   /**< gl_gstate */
    uint8_t left_as; /**< the state that the ending event expected: differs only where a rule is broken */
    bool open_start; /**< it was so before the trace, or this part of it, started */
    bool open_end;   /**< it was so when the trace ended */
    bool resync;     /**< the ending event follows damage, or was inferred */
    int64_t begin, end;
    uint16_t cause, ender;             /**< event types that began and ended it, 0 not known */
    uint64_t cause_g, ender_g;         /**< in whose context: cause_g of a runnable span is who woke or made it; 0 none */
    uint32_t cause_stack, ender_stack; /**< of those events: cause_stack of a wait is where it waits */
} gl_span;

/** A user region that ended, or was open when its goroutine or the trace ended. */
typedef struct gl_region {
    uint64_t g, task;
    uint32_t group, type;
    gl_site site; /**< where it began; 0 where that is not in the trace */
    int64_t begin, end;
    bool open_start, open_end;
    uint64_t ns[GL_G_STATES]; /**< time in each state of the goroutine meanwhile */
} gl_region;

typedef struct gl_watcher {
    void *user;
    int (*on_event)(void *user, const gl_event *ev); /**< after the summary has taken it */
    int (*on_span)(void *user, const gl_span *span);
    int (*on_region)(void *user, const gl_region *region);
    int (*on_goroutine)(void *user, const gl_goroutine_figures *g);
    int (*on_send)(void *user, const gl_send *send); /**< a send that straddles a GC pause */
    /** Any operation of `kinds` (1 << gl_operation_kind) that straddles a GC pause, or met only concurrent marking. */
    int (*on_operation)(void *user, const gl_send *operation);
    unsigned kinds;
} gl_watcher;

#define GL_WATCHERS_MAX 12

/** GL_E_LIMIT: too many. */
int gl_summary_watch(gl_summary *s, const gl_watcher *w) GL_MUST_CHECK;

/** The process that an event is of, in a merged trace; else 0. */
uint32_t gl_summary_process_of(const gl_summary *s, const gl_event *ev);
/** The start function of a goroutine that is alive (or has just ended), 0 not known. */
uint32_t gl_summary_group_of(const gl_summary *s, uint64_t g);
/** Text id of why it waited the last time, or waits now; 0 not known. */
uint32_t gl_summary_wait_before(const gl_summary *s, uint64_t g);
/** Where in the user's code a stack is. */
gl_site gl_summary_site_of(gl_summary *s, uint32_t stack);
/** Where a channel was made, by the stack of that: in the runtime where the runtime made it for itself, as when a program's
    allocation starts a collection. */
gl_site gl_summary_maker_of(gl_summary *s, uint32_t stack);
/**
 * What ended a wait in a channel operation: the one that the waker is in, where operations were recorded; else concluded
 * from the stack of its GoUnpark. *recorded (may be NULL) says which.
 */
gl_release gl_summary_release_of(gl_summary *s, uint64_t waker, uint32_t stack, bool *recorded);
/** What the top of a stack says that a goroutine waits for, in Go's words; NULL where it does not tell. */
const char *gl_summary_wait_of(gl_summary *s, uint32_t stack);
/** True for the runtime's own goroutines, by their start function. */
bool gl_summary_of_runtime(const gl_summary *s, uint32_t group);

#ifdef __cplusplus
}
#endif
#endif
