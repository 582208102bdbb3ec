/*
 * Where time went, by stack: what pprof and flame graphs are made of.
 *
 * net, sync, syscall and sched are those of `go tool trace -pprof`, sample for sample, with what follows from it: a wait
 * counts only from the goroutine's first run on, what has not ended by the end of the trace does not count, and (with
 * go_times) a stamp that is not later than the one before is moved to a nanosecond after it.
 */
#ifndef GOLANES_EXPORT_PROFILE_H
#define GOLANES_EXPORT_PROFILE_H

#include "collect.h"
#include "golanes_analysis/summary.h"
#include "inside.h"
#include "spans.h"

typedef struct ex_label {
    uint64_t chan;  /* 0 none */
    uint32_t reason; /* string id, 0 none */
    uint16_t op;    /* type of the event that began the operation, 0 none */
} ex_label;

typedef struct ex_sample {
    uint64_t count, ns;
    uint32_t stack;
    uint32_t label; /* 0 none, else index + 1 */
} ex_sample;

typedef struct ex_profile_kind ex_profile_kind;

typedef struct ex_waiter {
    int64_t since;
    uint64_t pending_count[2], pending_ns[2]; /* what ended before it first ran */
    uint32_t pending_stack[2];
    uint32_t stack;
    bool tracking, started;
    uint8_t pending;
} ex_waiter;

typedef struct ex_profile {
    const ex_profile_kind *kind;
    const gl_dict *dict;
    gl_export_options options;
    int64_t last;      /* Go's reader's newest stamp */
    bool begun, recorded;
    gl_map waiter_of;
    ex_waiter *waiters;
    uint32_t *free_waiters;
    size_t waiter_capacity, waiter_count, free_capacity, free_count;
    gl_map sample_of, label_of;
    ex_sample *samples;
    ex_label *labels;
    size_t sample_capacity, sample_count, label_capacity, label_count;
    ex_spans *spans;
    gl_summary *summary;
} ex_profile;

struct ex_profile_kind {
    gl_export_choice choice;
    const char *value[2][2]; /* type and unit of the values; the second may be NULL */
    int (*take)(ex_profile *p, const gl_event *ev);
    uint8_t state;           /* of Go's own kinds */
    bool (*counts)(const char *reason);
    bool uses_spans, uses_summary;
};

int ex_profile_open(ex_profile **out, const gl_export_options *opt, gl_error *err) GL_MUST_CHECK;
int ex_profile_take(ex_profile *p, const gl_event *ev) GL_MUST_CHECK;
/** The trace ends: samples are complete, those with most time first. */
int ex_profile_finish(ex_profile *p) GL_MUST_CHECK;
void ex_profile_discard(ex_profile *p);
/** Adds to the sample of a stack. label may be NULL. */
int ex_profile_add(ex_profile *p, uint32_t stack, const ex_label *label, uint64_t count, uint64_t ns) GL_MUST_CHECK;
/** "send 0xc000123", "chan send"; "" for none. */
const char *ex_label_text(const ex_profile *p, uint32_t label, char *out, size_t n);

/* profile_go.c */
int ex_take_go(ex_profile *p, const gl_event *ev) GL_MUST_CHECK;
int ex_finish_go(ex_profile *p) GL_MUST_CHECK;
bool ex_counts_all(const char *reason);
bool ex_counts_net(const char *reason);
bool ex_counts_sync(const char *reason);

#endif
