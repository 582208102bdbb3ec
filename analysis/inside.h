/*
 * A summary from within: the parts that take an event, and what they share.
 */
#ifndef GOLANES_ANALYSIS_INSIDE_H
#define GOLANES_ANALYSIS_INSIDE_H

#include "collect.h"
#include "golanes/state.h"
#include "golanes_analysis/watch.h"
#include "goroutines.h"
#include "mmu.h"
#include "ranges.h"
#include "reasons.h"
#include "sites.h"
#include "straddles.h"
#include "stuck.h"
#include "user.h"

typedef struct gl_proc_state {
    uint64_t running_ns, running_spans;
    int64_t since, sweep_begin;
    uint8_t state; /* gl_pstate */
    bool seen, sweeping;
} gl_proc_state;

typedef struct gl_assist {
    uint64_t g;
    int64_t begin;
} gl_assist;

#define GL_PROC_ID_MAX 65536

struct gl_summary {
    gl_summary_result result;
    const gl_dict *dict;
    int status; /* the first failure */
    bool finished;
    int64_t order;      /* number of the event at hand */
    int64_t part_begin; /* stamp of the newest ClockSync: what is found to be going on was so since then */
    gl_reasons reasons;
    gl_sites sites;
    gl_goroutines goroutines;
    gl_dist running, runnable, syscall;
    gl_ranges gc, stw;
    gl_straddles straddles;
    gl_mmu mmu;     /* of process 0; after the end, of all */
    gl_mmu **mmus;  /* of the others of a merged trace: process 1 is at 0 */
    size_t mmu_capacity, mmu_count;
    int mmu_status; /* sticky */
    gl_mmu_request mmu_request;
    gl_user user;
    gl_stuck stuck;
    gl_pairs wakes;
    gl_bits threads_seen;
    bool recorded;   /* the trace tells of channel operations themselves */
    uint8_t forever; /* number of that wait reason, 0 not in the trace */
    gl_map tids;
    gl_map proc_of; /* P id to index */
    gl_proc_state *procs;
    uint32_t *proc_ids;
    size_t proc_capacity, proc_id_capacity, proc_count;
    gl_map assists; /* goroutine to the begin of its assist: index into assist_list */
    gl_assist *assist_list;
    size_t assist_capacity, assist_count;
    gl_map label_of;
    gl_named_count *labels;
    size_t label_capacity, label_count;
    /* what finish makes for the result */
    gl_reason_figures *reason_list;
    gl_group_figures *group_list;
    gl_reason_time *group_times;
    gl_proc_figures *proc_list;
    gl_block_site *block_sites;
    gl_watcher watchers[GL_WATCHERS_MAX];
    unsigned watcher_count;
    bool watched_events, watched_spans;
    gl_goroutine_fn on_goroutine; /* those of the options */
    void *goroutine_user;
    gl_send_fn on_send;
    void *send_user;
};

/* take.c: the hot path */
/** The goroutine leaves its state (or the trace ends: finished false). */
int gl_close_span(gl_summary *s, gl_goroutine *g, uint32_t slot, int64_t end, bool finished) GL_MUST_CHECK;

/* processes.c: what each process of a merged trace has for itself */
/** Made at need. Where that fails the summary does, at the next event. */
gl_mmu *gl_summary_mmu_of(gl_summary *s, uint32_t process);
static inline gl_mmu *gl_summary_mmu(gl_summary *s, uint32_t process)
{
    return process ? gl_summary_mmu_of(s, process) : &s->mmu;
}
/** The number of a P within its process. */
static inline uint32_t gl_summary_proc_in(const gl_summary *s, uint32_t p)
{
    return s->mmu_count && p != GL_NO_PROC ? p % GL_PROCS_APART : p;
}
int gl_finish_mmus(gl_summary *s) GL_MUST_CHECK;
void gl_mmus_clean_up(gl_summary *s);

/* moves.c: what happens less often to goroutines, and to Ps */
/** First sight of a goroutine: made here, or there since before this part of the trace. */
int gl_meet_goroutine(gl_summary *s, const gl_event *ev, const gl_transition *t, uint32_t *slot) GL_MUST_CHECK;
void gl_create_goroutine(gl_summary *s, gl_goroutine *g, const gl_event *ev);
/** What is known of it from before the cut that the trace begins with. */
void gl_carry_goroutine(gl_summary *s, gl_goroutine *g, const gl_event *ev);
/** By the root of one of its stacks. */
void gl_name_goroutine(gl_summary *s, gl_goroutine *g, uint32_t stack);
int gl_end_goroutine(gl_summary *s, gl_goroutine *g, uint32_t slot, int64_t time) GL_MUST_CHECK;
int gl_take_proc(gl_summary *s, const gl_event *ev, const gl_transition *t) GL_MUST_CHECK;
int gl_take_chan(gl_summary *s, const gl_event *ev) GL_MUST_CHECK;
/** The trace ends at s->result.end_ns: closes every clock, finds who is stuck, and lets everybody leave. */
int gl_finish_goroutines(gl_summary *s) GL_MUST_CHECK;
void gl_finish_procs(gl_summary *s);

/* happenings.c: everything else */
int gl_take_other(gl_summary *s, const gl_event *ev) GL_MUST_CHECK;

/* watch.c */
int gl_watch_event(gl_summary *s, const gl_event *ev) GL_MUST_CHECK;
int gl_watch_goroutine(void *summary, const gl_goroutine_figures *g) GL_MUST_CHECK;
int gl_watch_send(void *summary, const gl_send *x) GL_MUST_CHECK;
/** The goroutine leaves its state by ev (NULL: the trace ends), which expected the state left_as. */
int gl_watch_span(gl_summary *s, gl_goroutine *g, const gl_event *ev, unsigned left_as, int64_t end) GL_MUST_CHECK;
void gl_watch_region_begin(const gl_goroutine *g, const gl_event *ev, gl_open_region *r);
int gl_watch_region(gl_summary *s, const gl_goroutine *g, const gl_open_region *was, int64_t end,
                    bool open_end) GL_MUST_CHECK;

/* result.c */
int gl_fill_result(gl_summary *s) GL_MUST_CHECK;

#endif
