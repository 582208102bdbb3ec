/*
 * Events made into spans: what each goroutine did from when to when, what ran on each P, and what the collector did.
 * One pass, one state machine for every format that draws.
 *
 * Stamps may step back a little from one event to the next. On each track (a goroutine, a P) time never does: a span
 * begins where the one before it ended, so that what is written nests.
 */
#ifndef GOLANES_EXPORT_SPANS_H
#define GOLANES_EXPORT_SPANS_H

#include "collect.h"
#include "golanes_export/export.h"

typedef enum ex_kind {
    EX_STATE,  /* of a goroutine */
    EX_RUN,    /* of a goroutine on a P */
    EX_GC,     /* the concurrent mark phase */
    EX_STW,    /* the world stands */
    EX_TASK,   /* of the program */
    EX_REGION, /* from here on: what a goroutine does, properly nested */
    EX_ASSIST,
    EX_SWEEP,
    EX_CHAN    /* a channel operation */
} ex_kind;

typedef struct ex_span {
    int64_t begin, end; /* end: only where it has ended */
    uint64_t g;         /* 0 none */
    uint64_t waker;     /* EX_STATE waiting: who ended it, 0 none */
    uint64_t task;      /* EX_TASK, EX_REGION */
    uint64_t parent;    /* EX_TASK */
    uint64_t chan;      /* EX_CHAN, 0 not known */
    uint64_t flow;      /* EX_STATE running: number of the wake-up that led here, told just before; 0 none */
    uint32_t name;      /* string id: reason of a wait or a stop, name of a task or region */
    uint32_t stack;     /* where it began, 0 not known */
    uint32_t p, thread; /* that it began on, GL_NO_PROC, GL_NO_THREAD */
    uint16_t op;        /* EX_CHAN: type of the event that began it */
    uint8_t kind;       /* ex_kind */
    uint8_t state;      /* EX_STATE: gl_gstate */
    bool open_begin, open_end; /* went on when the trace began, when it ended */
    bool gc;            /* EX_STW: of the collector */
} ex_span;

/** A goroutine is made runnable, or made, by another. Told when it runs: there is no wake-up without its effect. */
typedef struct ex_wake {
    int64_t time;
    uint64_t waker, g, flow;
    uint32_t p, stack;
    bool create;
} ex_wake;

typedef enum ex_counter { EX_HEAP_LIVE, EX_HEAP_GOAL, EX_PROCS, EX_RUNNING, EX_RUNNABLE, EX_WAITING, EX_IN_SYSCALL, EX_COUNTERS } ex_counter;

typedef struct ex_goroutine {
    uint64_t id;
    int64_t since;     /* of the state; never steps back */
    ex_wake woken;     /* that led to what it does; g 0: none */
    ex_span *ops;      /* open, outermost first */
    size_t op_count, op_capacity;
    uint32_t name;     /* string id of its start function, 0 not known */
    uint32_t reason, stack, p, thread;
    uint8_t state;
    bool open_begin, told, doing_told;
} ex_goroutine;

/** What is told as it comes; any may be NULL. Each returns 0 or a negative gl_status. */
typedef struct ex_listener {
    void *user;
    int (*begin)(void *user, const ex_span *s);
    int (*end)(void *user, const ex_span *s);
    int (*named)(void *user, const ex_goroutine *g); /* seen first, or its name became known */
    int (*wake)(void *user, const ex_wake *w);
    int (*count)(void *user, int64_t time, ex_counter c, uint64_t value);
    int (*mark)(void *user, const gl_event *ev, int64_t time); /* UserLog, CPUSample, Panic, Lost, ChanMake, ChanClose */
} ex_listener;

#define EX_BLOCK 256

typedef struct ex_proc {
    int64_t last; /* end of the last span */
} ex_proc;

typedef struct ex_task {
    uint64_t id;
    ex_span span;
} ex_task;

typedef struct ex_spans {
    ex_listener on;
    const gl_dict *dict;
    const uint64_t *wanted; /* sorted goroutines; NULL: all */
    size_t wanted_count;
    int64_t first, clock; /* first and largest time */
    bool begun;
    ex_goroutine **blocks;
    size_t block_capacity, block_count;
    uint32_t *free_slots;
    size_t free_capacity, free_count;
    gl_map by_id;
    gl_map proc_of;
    ex_proc *procs;
    size_t proc_capacity, proc_count;
    gl_map task_of;
    ex_task *tasks;
    size_t task_capacity, task_count;
    uint64_t in_state[GL_G_STATES];
    int64_t counted_at;
    bool counts_changed;
    uint64_t flows;
    ex_span gc, stw;
    bool gc_on, stw_on;
} ex_spans;

void ex_spans_init(ex_spans *x, const gl_export_options *opt, const ex_listener *on);
int ex_spans_take(ex_spans *x, const gl_event *ev) GL_MUST_CHECK;
/** The trace ends: what is open ends with it. */
int ex_spans_finish(ex_spans *x) GL_MUST_CHECK;
void ex_spans_clean_up(ex_spans *x);
/** NULL where it is not live. */
const ex_goroutine *ex_spans_goroutine(const ex_spans *x, uint64_t g);
/** True at the first call for a live goroutine: its track of doings has not been named yet. */
bool ex_spans_first_doing(ex_spans *x, uint64_t g);
/** "G37 main.worker" into out, of at least 32 bytes, without a NUL; its length. */
size_t ex_goroutine_name(const ex_spans *x, uint64_t g, char *out, size_t size);
/** "running", "waiting"… */
const char *ex_state_word(unsigned state);
/** True where g is among those that were asked for. */
bool ex_wanted(const uint64_t *sorted, size_t n, uint64_t g);

#endif
