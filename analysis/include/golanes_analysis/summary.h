/*
 * The figures of a trace: one pass over its events, in trace order, from whatever source (an importer, a cursor).
 *
 *     gl_summary *s = gl_summary_new(&(gl_summary_options){.dict = dict});
 *     producer(…, gl_summary_sink, s);
 *     const gl_summary_result *r;
 *     if ((status = gl_summary_finish(s, &r)) == 0) …
 *     gl_summary_destroy(s);
 *
 * All times are nanoseconds since the start of the trace; all durations are differences of two events' own time stamps,
 * a negative one counts 0. Texts are string ids of the dictionary, so that equal texts have equal ids.
 *
 * Memory follows the live goroutines and the distinct things in the trace (names, reasons, stacks, values), never its
 * length. A goroutine that has ended leaves through on_goroutine; only its group's totals stay. Where a bound is met, a
 * flag beside the figure says that it is approximate or cut.
 *
 * Threads: one thread at a time per gl_summary.
 */
#ifndef GOLANES_ANALYSIS_SUMMARY_H
#define GOLANES_ANALYSIS_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/dict.h"
#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_NO_GOROUTINE UINT64_MAX

/** Time spent waiting for one reason (a string id). */
typedef struct gl_reason_time {
    uint32_t reason;
    uint64_t ns;
} gl_reason_time;

/** Time in each state; waiting is also split by reason. */
typedef struct gl_state_times {
    uint64_t ns[GL_G_STATES];
    const gl_reason_time *block;
    size_t block_count;
} gl_state_times;

/** One goroutine over the whole trace. */
typedef struct gl_goroutine_figures {
    uint64_t id;
    uint64_t parent;                 /**< who created it, GL_NO_GOROUTINE not known */
    uint32_t name;                   /**< its start function, 0 not known */
    uint8_t end_state;               /**< gl_gstate */
    bool preexisting;                /**< was there when the trace started */
    int64_t created, started, ended; /**< ns; created is the start of the trace for a preexisting one; -1 never */
    uint64_t transitions;
    gl_state_times times; /**< block lives until the callback returns */
} gl_goroutine_figures;
/** Returns 0, or a negative gl_status that stops the summary and is passed on. */
typedef int (*gl_goroutine_fn)(void *user, const gl_goroutine_figures *g);

/** Spread of a set of durations; percentiles by nearest rank. */
typedef struct gl_spread {
    uint64_t n, total_ns, p50_ns, p90_ns, p95_ns, p99_ns, max_ns;
    bool approximate; /**< too many distinct values were met: percentiles are within 1.6 %, mostly 0.2 % */
} gl_spread;

/** What ended a wait, concluded from the stack of the goroutine that ended it. */
typedef enum gl_release {
    GL_RELEASE_UNKNOWN = 0, /**< a goroutine whose stack the trace does not have, or something else of the runtime */
    GL_RELEASE_SEND,
    GL_RELEASE_RECV,
    GL_RELEASE_SELECT,
    GL_RELEASE_CLOSE,
    GL_RELEASE_OUTSIDE, /**< no goroutine: a timer or the network poller */
    GL_RELEASE_KINDS
} gl_release;
/** "send", "receive", "select", "close", "timer or network", "not known" */
const char *gl_release_name(unsigned kind);

/** Where something happened: the leaf-most frame that is not the runtime's. All 0: not known. */
typedef struct gl_site {
    uint32_t func, file; /**< string ids */
    uint32_t line;
    uint32_t stack; /**< the stack that it was taken from */
} gl_site;

/** What an operation that takes time is. */
typedef enum gl_operation_kind {
    GL_OPERATION_SEND,   /**< of a recorded trace also a select that chose to send */
    GL_OPERATION_RECV,   /**< only where it is watched; of a recorded trace also a select that chose to receive */
    GL_OPERATION_SELECT, /**< of an imported trace: what it chose is not known */
    GL_OPERATION_MUTEX,  /**< a wait for a mutex or a wait group; only where it is watched */
    GL_OPERATION_KINDS
} gl_operation_kind;
/** "send", "receive", "select", "mutex" */
extern const char *const gl_operation_name[GL_OPERATION_KINDS];

/** A send (or, listed apart, another operation) from its begin to its end. */
typedef struct gl_send {
    gl_operation_kind kind;
    uint64_t g;
    uint32_t group; /**< start function, 0 not known */
    bool recorded;  /**< begin and end are the operation's own, not those of the blocking */
    uint64_t chan;  /**< 0 not known */
    gl_site site;
    int64_t begin, end;
    uint32_t pauses;     /**< GC pauses touched */
    uint64_t overlap_ns; /**< time shared with them */
    uint64_t cycle_ns;   /**< time shared with concurrent mark phases; only where there is no pause */
    bool woken;          /**< a GoUnpark ended its wait; the rest holds only then */
    int64_t woken_at;
    uint64_t woken_by; /**< goroutine, 0 none */
    gl_release release;
    bool release_recorded; /**< the waker was seen in that operation; else it is concluded from its stack */
    gl_site release_site;
    bool released_inside; /**< woken_at lies inside a GC pause */
    int64_t delay_ns;     /**< from the restart after the last pause touched until it ran again, -1: it ran before */
} gl_send;
/** Called for each straddling send, not in order of anything. Returns like gl_goroutine_fn. */
typedef int (*gl_send_fn)(void *user, const gl_send *s);

/** What a request's percentiles are: the utilisation that 99.9, 99 and 95 of a hundred windows have, or more. */
enum { GL_MMU_P999, GL_MMU_P99, GL_MMU_P95, GL_MMU_PERCENTILES };

/** A curve of minimum mutator utilisation beyond those that a summary always has. */
typedef struct gl_mmu_request {
    bool background, assist, sweep; /**< what of the collector's counts beside its stops */
    bool all_stw;                   /**< every stop of the world counts */
    bool no_stw;                    /**< not even the collector's stops count */
    bool per_proc;                  /**< the worst P, else the system as a whole */
    bool percentiles;               /**< how the windows are spread (of all Ps, where each is looked at) */
    const int64_t *windows;         /**< lengths, rising */
    unsigned window_count;          /**< at most 64 */
    unsigned worst_of;              /**< of which length the worst windows are to be found */
    unsigned worst;                 /**< how many of them, at most 32 */
} gl_mmu_request;

typedef struct gl_mmu_window {
    int64_t begin;
    double utilisation;
    uint32_t p; /**< UINT32_MAX: the system */
    uint32_t process; /**< whose, of a merged trace; else 0 */
} gl_mmu_window;

typedef struct gl_mmu_curve {
    const double *least; /**< for each length asked for; NULL where there is none */
    const double (*percentile)[GL_MMU_PERCENTILES]; /**< the same; within a thousandth. NULL: not asked for */
    double mean;
    const gl_mmu_window *worst; /**< least utilisation first; they do not overlap (on one P) */
    size_t worst_count;
} gl_mmu_curve;

typedef struct gl_summary_options {
    const gl_dict *dict;          /**< required; may grow while events come, must outlive the summary */
    gl_goroutine_fn on_goroutine; /**< may be NULL */
    void *goroutine_user;
    gl_send_fn on_send; /**< may be NULL */
    void *send_user;
    unsigned worst; /**< how many sends to keep, worst first; 0: 10 */
    const gl_mmu_request *mmu; /**< a curve of its own, or NULL */
} gl_summary_options;

typedef struct gl_named_count {
    uint32_t name; /**< string id */
    uint64_t n;
} gl_named_count;

typedef struct gl_range_figures {
    int64_t begin, end;
    uint64_t g;      /**< who did it, 0 not known */
    uint32_t reason; /**< string id, stop-the-world only */
    bool gc;         /**< a stop-the-world of the collector */
    bool open_start; /**< was going on when the trace started */
    bool open_end;   /**< was going on when the trace ended */
    uint32_t process; /**< whose, of a merged trace; else 0 */
} gl_range_figures;

typedef struct gl_ranges_figures {
    uint64_t count, total_ns, max_ns;
    const gl_range_figures *list;
    size_t list_count; /**< less than count where there were too many to keep */
} gl_ranges_figures;

/** One wait or stop reason. */
typedef struct gl_reason_figures {
    uint32_t reason;
    uint64_t blocks;               /**< running -> waiting for it */
    uint64_t stops;                /**< running -> runnable for it */
    uint64_t stw_begins, stw_ends; /**< stops of the world for it */
    gl_spread wait;                /**< finished waits */
    gl_spread stw;
    uint64_t spans, spans_over_stw, goroutines_over_stw, pairs_stw, spans_over_gc, goroutines_over_gc;
} gl_reason_figures;

typedef struct gl_metric_figures {
    const char *name; /**< Go's own name for it */
    uint64_t count, first, last, min, max;
} gl_metric_figures;
enum { GL_METRIC_LIVE, GL_METRIC_GOAL, GL_METRIC_PROCS, GL_METRICS };

typedef struct gl_proc_figures {
    uint32_t id;
    uint64_t running_ns, running_spans;
} gl_proc_figures;

typedef struct gl_task_figures {
    uint64_t id, parent; /**< parent UINT64_MAX none */
    uint32_t name;
    int64_t start, end; /**< -1 not in the trace */
    uint64_t regions, logs, children;
} gl_task_figures;

typedef struct gl_region_figures {
    uint32_t type;
    uint64_t complete, total_ns, open_start, open_end;
} gl_region_figures;

typedef struct gl_user_figures {
    uint64_t task_begin, task_end, region_begin, region_end, logs;
    const gl_task_figures *tasks; /**< by id */
    size_t task_count;
    bool tasks_cut; /**< more tasks than are kept */
    const gl_region_figures *regions;
    size_t region_count;
    const gl_named_count *logs_by_category;
    size_t category_count;
} gl_user_figures;

/** Goroutines with the same start function. */
typedef struct gl_group_figures {
    uint32_t name; /**< 0 not known */
    bool system;   /**< the runtime's own (or of no known start) */
    uint64_t n, alive;
    gl_state_times times;
} gl_group_figures;

#define GL_MMU_WINDOWS 5
extern const int64_t gl_mmu_window_ns[GL_MMU_WINDOWS];
extern const char *const gl_mmu_window_name[GL_MMU_WINDOWS];

/** Minimum mutator utilisation: the least share of the processors that the program had in any window of that length. Of a
 *  merged trace: the process that had least. */
typedef struct gl_mmu_figures {
    const char *set; /**< what counts as not the program's: "stw+background+assist" */
    double window[GL_MMU_WINDOWS];
    double mean;
} gl_mmu_figures;

typedef struct gl_block_site {
    uint32_t reason;
    gl_site site;
    uint64_t n, ns;
} gl_block_site;

typedef struct gl_sends_figures {
    bool recorded;       /**< sends were recorded as such; else they are the blocked ones of an imported trace */
    uint64_t n, wait_ns; /**< all sends that ended */
    uint64_t straddling, overlap_ns, goroutines, released_inside, not_ended;
    uint64_t during_gc; /**< overlap a concurrent mark phase, but no pause */
    const gl_send *worst;
    size_t worst_count;
} gl_sends_figures;

typedef struct gl_stuck_goroutine {
    uint64_t g, parent;
    uint32_t name, reason;
    bool since_known; /**< else it was waiting when the trace started */
    int64_t since;
    int64_t created; /**< -1: before the trace */
    gl_site site, created_at;
} gl_stuck_goroutine;

/** Goroutines that wait at the end at the same place for the same reason. */
typedef struct gl_stuck_site {
    uint32_t reason, name;
    const char *inferred_reason; /**< where the trace gives none: by the stack, NULL where that does not tell */
    gl_site site, created_at;
    const gl_stuck_goroutine *goroutines; /**< longest first */
    size_t n;
    uint64_t released_here; /**< waits at this stack that did end: 0 hints at a leak, many at a worker between jobs */
    bool system;            /**< the runtime's and the tracer's own goroutines */
    bool idle;              /**< waits for time or the network, not for another goroutine */
} gl_stuck_site;

enum { GL_WAITED_SEND, GL_WAITED_RECV, GL_WAITED_SELECT, GL_WAITED_KINDS };

typedef struct gl_summary_result {
    int64_t end_ns;       /**< largest time stamp */
    int64_t wall_unix_ns; /**< wall clock at time 0 by the first ClockSync that has one, 0 not known */
    uint64_t parts;       /**< ClockSync events */
    uint64_t events, by_type[GL_EV_LIMIT], unknown_types, with_stack;
    uint64_t goroutine_moves[GL_G_STATES][GL_G_STATES], proc_moves[GL_P_STATES][GL_P_STATES];
    const gl_reason_figures *reasons;
    size_t reason_count;
    const gl_named_count *labels;
    size_t label_count;

    uint64_t seen, created, ended, preexisting, alive, blocked_forever, unnamed, system;
    uint64_t end_states[GL_G_STATES];
    gl_state_times sum;
    const gl_group_figures *groups;
    size_t group_count;
    gl_spread runnable, running, syscall;

    gl_ranges_figures gc, stw;
    uint64_t sweeps, sweep_ns, swept_bytes, reclaimed_bytes;
    uint64_t assists, assist_ns;
    gl_metric_figures metrics[GL_METRICS];
    uint64_t samples, samples_with_g, samples_with_p;
    gl_user_figures user;
    const gl_proc_figures *procs;
    size_t proc_count;
    uint32_t threads;
    uint64_t stacks, stack_frames, stack_lines, stack_funcs, stack_depth;
    uint64_t unparks, unparks_by_goroutine, unpark_pairs;
    bool unpark_pairs_cut;

    const gl_mmu_figures *mmu;
    size_t mmu_count;
    gl_mmu_curve mmu_curve;           /**< the one that was asked for */
    const char *mmu_missing;          /**< why there is none, or NULL */
    bool mmu_inferred;                /**< who had which P is inferred; work of idle workers counts as background work */
    const gl_block_site *block_sites; /**< most time first */
    size_t block_site_count;

    gl_sends_figures sends, selects;
    gl_sends_figures operations[GL_OPERATION_KINDS]; /**< of the kinds that are watched; without `worst` */
    uint64_t send_waits_over_stw,
        send_waiters_over_stw; /**< waits with reason "chan send" alone, against any stopped world */
    uint64_t released[GL_WAITED_KINDS][GL_RELEASE_KINDS];
    uint64_t released_recorded; /**< of those, how many are not concluded from stacks */
    const gl_stuck_site *stuck; /**< user's first, largest first */
    size_t stuck_count;

    uint64_t lost_places, lost_events, lost_bytes;
    uint64_t panics;
} gl_summary_result;

typedef struct gl_summary gl_summary;

/** NULL: no memory, or no dictionary given. */
gl_summary *gl_summary_new(const gl_summary_options *opt);
/** A gl_event_fn. After a failure every further call returns the same failure. */
int gl_summary_sink(void *summary, const gl_event *events, size_t n);
/** No events may follow. *out lives as long as the summary. The last goroutines leave through on_goroutine here. */
int gl_summary_finish(gl_summary *s, const gl_summary_result **out) GL_MUST_CHECK;
void gl_summary_destroy(gl_summary *s);

#ifdef __cplusplus
}
#endif
#endif
