/* The parts of the anomalies question. */
#ifndef GOLANES_ANALYSIS_ANOMALIES_INSIDE_H
#define GOLANES_ANALYSIS_ANOMALIES_INSIDE_H

#include "collect.h"
#include "golanes_analysis/anomalies.h"
#include "keep.h"

/* Something that a goroutine does again and again without ever waiting. */
typedef struct gl_row {
    uint64_t n;
    int64_t begin, last;
    uint32_t stack;
} gl_row;

/* A goroutine with such a row, or that has panicked. */
typedef struct gl_suspect {
    uint64_t g;
    uint32_t group;
    gl_row looks, yields;
    int64_t panicked_at; /* -1: it has not, or went on */
    bool waits_for_death; /* as Go has it: nothing recovered */
    uint32_t panic_text, panic_stack;
    uint64_t panic_chan;
    uint8_t told_by; /* a panic in a channel operation was told of already: by its Panic event, or by its result */
    bool used;
} gl_suspect;

enum { GL_TOLD_NOT, GL_TOLD_BY_PANIC, GL_TOLD_BY_RESULT };

#define GL_RECENT_PAUSES 16
#define GL_ALIVE_PARTS 10

typedef struct gl_recent_pause {
    int64_t begin, end;
    uint64_t g;
    uint32_t reason, process;
} gl_recent_pause;

struct gl_anomalies {
    gl_summary *summary;
    const gl_dict *dict;
    const gl_channels *channels;
    gl_keep kept[GL_ANOMALY_KINDS];
    gl_anomalies_result result;
    gl_anomaly *list;
    bool recorded; /* the trace has channel operations or panics */
    gl_map suspect_of;
    gl_suspect *suspects;
    uint32_t *free_suspects;
    size_t suspect_capacity, free_capacity, suspect_count, free_count;
    gl_recent_pause pauses[GL_RECENT_PAUSES];
    size_t pause_count; /* all so far; the ring holds the last ones */
    int64_t lost_until; /* what a goroutine did up to here need not be in the trace */
    /* timers */
    int64_t timers_from;
    uint64_t timers;
    gl_anomaly timer_storm; /* count 0: none goes on */
    /* how many goroutines there are: the fewest in each tenth of the time looked back on */
    int64_t alive_part;
    int64_t alive, fewest[GL_ALIVE_PARTS];
    uint32_t maker_stack; /* where most of those since were made, by majority */
    uint64_t maker_votes;
    gl_anomaly explosion; /* count 0: none goes on */
    int64_t explosion_base;
};

int gl_anomaly_add(gl_anomalies *a, const gl_anomaly *found) GL_MUST_CHECK;
/** A finding about goroutine g at a moment. */
gl_anomaly gl_anomaly_of(const gl_anomalies *a, gl_anomaly_kind kind, int64_t time, uint64_t g, uint32_t stack);

/* anomalies_crowd.c: what is only wrong in great number */
int gl_crowd_look(gl_anomalies *a, const gl_event *ev, uint32_t stack) GL_MUST_CHECK;
int gl_crowd_yield(gl_anomalies *a, const gl_event *ev) GL_MUST_CHECK;
int gl_crowd_break(gl_anomalies *a, gl_suspect *s) GL_MUST_CHECK;
int gl_crowd_timer(gl_anomalies *a, int64_t time) GL_MUST_CHECK;
int gl_crowd_alive(gl_anomalies *a, int64_t time, int step, uint32_t stack) GL_MUST_CHECK;
int gl_crowd_finish(gl_anomalies *a) GL_MUST_CHECK;

/** NULL in *out: there is none, and make is false. */
int gl_suspect_find(gl_anomalies *a, uint64_t g, bool make, gl_suspect **out) GL_MUST_CHECK;

#endif
