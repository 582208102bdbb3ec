/*
 * Go's v1 traces (Go 1.5 to 1.21): the parts that the importer is made of.
 *
 *   v1_wire     one event from bytes; what each version's events look like
 *   v1_tables   maps from the file's ids, and the goroutines as far as they are known
 *   v1_walk     first pass: steps over every event, notes where each P's batches lie
 *   v1_names    strings and stacks, which stand in the footer, into the dictionary
 *   v1_cursor   second pass: one P's batches as a row of decoded events
 *   v1_order    merges the Ps: by time, where the goroutines' sequence numbers agree
 *   v1_exits    returns from system calls, which the file holds later than they happened
 *   v1_convert  what an event of then is in today's words
 *   v1_import   drives them
 *
 * A file is walked twice, as its frequency, strings and stacks stand at its end. In memory are the names, an index of
 * the batches, the live goroutines and one window a P; never the events.
 *
 * Threads: all objects belong to one import.
 */
#ifndef GOLANES_GOTRACE_V1_H
#define GOLANES_GOTRACE_V1_H

#include "internal.h"

#define V1_NONE UINT32_C(0xffffffff)

/* Limits of the format: Go 1.26 src/internal/trace/internal/tracev1/parser.go. */
#define V1_ARGS_BYTES_MAX 2048u
#define V1_FRAMES_MAX 1000u
#define V1_STRING_MAX 1000000u

/* Ours: goroutine ids from 2^48 on have another meaning in gl_event; 30 hours between two events of a P is damage. */
#define V1_GOROUTINE_LIMIT (UINT64_C(1) << 48)
/* Starts of GC cycles are ordered as if they were this goroutine's. */
#define V1_GC_ID V1_GOROUTINE_LIMIT
#define V1_DELTA_LIMIT (UINT64_C(1) << 42)
/* Clocks of two processors may differ by this many ticks (some 25 ms) before a time is held for damage. */
#define V1_SKEW (INT64_C(1) << 20)
#define V1_TIME_LIMIT (INT64_C(1) << 62) /* ticks */
#define V1_STACK_BYTES_MAX (64u * 1024)
/* Ps that a file may have; Go's own limit was 1024 for most of these versions. */
#define V1_PROCS_MAX 4096u

/* P numbers that Go's readers give to events that have no true one. */
enum { V1_P_TIMERS = 1000001, V1_P_NETPOLL, V1_P_SYSCALLS, V1_P_GC, V1_P_PROFILE };

/* Wire codes: V1_EV_GoStart and so on. */
enum {
#define V1_EVENT(code, name, version, args, stack, order) V1_EV_##name = code,
#include "v1_events.def"
#undef V1_EVENT
    V1_EV_LIMIT = 64, /* six bits */
    V1_EV_Lost = 64   /* made by a cursor where bytes of its P are missing */
};

/* What an event needs from its goroutine before it may come, and what it makes of it. */
typedef enum gl_v1_rule {
    V1_RULE_NONE, /* no event of a P */
    V1_RULE_FREE,
    V1_RULE_CREATE,
    V1_RULE_PRESENT, /* was there when the trace started: waits, or is in a system call */
    V1_RULE_START,
    V1_RULE_START_LOCAL,
    V1_RULE_PARK,
    V1_RULE_YIELD,
    V1_RULE_UNPARK,
    V1_RULE_UNPARK_LOCAL,
    V1_RULE_GC
} gl_v1_rule;

/* v1_wire */

#define V1_NUMBERS_MAX 6u
#define V1_COUNT_IN_BYTES 3u /* value of an event's two highest bits: a length comes first */

typedef struct gl_v1_wire {
    unsigned version;
    uint8_t times;                /* leading numbers that are time (and before 1.7 sequence) */
    uint64_t plain;               /* bit a type: an event of numbers only, the time first */
    uint8_t numbers[V1_EV_LIMIT]; /* all numbers of an event; 0xff: no such event in this version */
} gl_v1_wire;

/** One event as it stands in the file. What follows its numbers (a text, a stack's frames) is the caller's to pass over. */
typedef struct gl_v1_raw {
    uint64_t number[V1_NUMBERS_MAX];
    uint32_t blob; /* bytes that follow */
    uint8_t type;
} gl_v1_raw;

typedef enum gl_v1_step { V1_STEP_OK, V1_STEP_SHORT, V1_STEP_BAD } gl_v1_step;

typedef struct gl_v1_spec {
    uint8_t version, arguments, stack, rule;
} gl_v1_spec;

/** What v1_events.def says; one more entry for V1_EV_Lost. */
extern const gl_v1_spec gl_v1_specs[V1_EV_LIMIT + 1];

static inline gl_v1_rule gl_v1_rule_of(unsigned type)
{
    return (gl_v1_rule)gl_v1_specs[type].rule;
}

void gl_v1_wire_init(gl_v1_wire *w, unsigned version);
/** Reads the event at *at. *at moves on only where the result is V1_STEP_OK. SHORT: it goes on behind the end. */
gl_v1_step gl_v1_step_event(const gl_v1_wire *w, const uint8_t **at, const uint8_t *end, gl_v1_raw *raw);
/**
 * Ticks after a delta. One that cannot be true (a damaged byte) counts as none, so that it does not carry the rest of
 * the P's events away from all others.
 */
static inline int64_t gl_v1_later(int64_t ticks, uint64_t delta)
{
    return ticks + (delta < V1_DELTA_LIMIT && ticks < V1_TIME_LIMIT ? (int64_t)delta : 0);
}
/** A batch's P: -1 where it has none; false where there can be no such P. */
bool gl_v1_batch_pid(const gl_v1_raw *raw, int32_t *pid);

/* v1_tables */

/* Ids of the file to ids of the dictionary: an array while ids are dense, as the runtime's are, else a map. */
typedef struct gl_v1_ids {
    uint32_t *dense; /* plus one; 0: not there */
    uint32_t dense_size;
    struct gl_v1_id_slot {
        uint64_t key; /* plus one; 0: empty */
        uint32_t value;
    } *slots;
    uint32_t count, mask; /* of the map */
    uint32_t all;
} gl_v1_ids;

bool gl_v1_ids_get_sparse(const gl_v1_ids *ids, uint64_t key, uint32_t *value);

/** False where the id is not there; *value is 0 then. */
static inline bool gl_v1_ids_get(const gl_v1_ids *ids, uint64_t key, uint32_t *value)
{
    if (key < ids->dense_size && ids->dense[key] != 0) {
        *value = ids->dense[key] - 1;
        return true;
    }
    return gl_v1_ids_get_sparse(ids, key, value);
}
/** Adds, or replaces. 0 or GL_E_NOMEM. */
int gl_v1_ids_put(gl_v1_ids *ids, uint64_t key, uint32_t value) GL_MUST_CHECK;
void gl_v1_ids_free(gl_v1_ids *ids);

typedef enum gl_v1_status { V1_G_DEAD, V1_G_RUNNABLE, V1_G_RUNNING, V1_G_WAITING } gl_v1_status;

/* Bits of a goroutine. */
enum {
    V1_G_PRESENT = 1,   /* created before the trace began, state not told yet */
    V1_G_NETPOLL = 2,   /* parked for the network */
    V1_G_IN_CALL = 4,   /* in a system call that is known to block */
    V1_G_CALLED = 8,    /* its blocking call was told, the block itself comes */
    V1_G_EXIT_TOLD = 16 /* its return was delivered at its true time, ahead of its place in the file */
};

typedef struct gl_v1_g {
    uint64_t id;
    uint64_t seq;
    uint32_t waiters; /* cursor whose next event waits for this goroutine, V1_NONE: none */
    uint8_t status, bits;
} gl_v1_g;

/* Records stay where they are while their goroutine lives; a record's number is good as long as its id is. */
typedef struct gl_v1_gs {
    gl_v1_g *records;
    uint32_t *slots; /* record plus one; 0: empty */
    uint32_t used, room, count, mask;
    uint32_t unused; /* first of the records given back, linked by waiters; V1_NONE: none */
} gl_v1_gs;

/** Number of the goroutine's record, or V1_NONE. */
uint32_t gl_v1_gs_find(const gl_v1_gs *gs, uint64_t id);
/** Finds or adds (dead, sequence 0). V1_NONE: no memory. */
uint32_t gl_v1_gs_add(gl_v1_gs *gs, uint64_t id);
void gl_v1_gs_drop(gl_v1_gs *gs, uint32_t record);
void gl_v1_gs_free(gl_v1_gs *gs);

/* v1_walk */

/** Bytes of one P that follow each other in the file: one batch or several. */
typedef struct gl_v1_extent {
    uint64_t offset;
    uint64_t exit_min; /* earliest true return from a system call in here or later in this P; UINT64_MAX: none */
    int64_t limit;     /* ticks of the P's next batch: no event can be later (while walking: ticks of its own first) */
    int64_t ticks;     /* at its start where that is inside of a batch, behind damage; else the batch says it */
    uint64_t seq;
    uint32_t length;
    uint32_t next; /* of the same P, V1_NONE: last */
    uint32_t proc;
    uint32_t gap;  /* index of what is missing behind it, V1_NONE: nothing */
} gl_v1_extent;

typedef struct gl_v1_gap {
    uint64_t offset, bytes;
    int64_t from; /* ticks of the last event before it */
    int64_t until; /* ticks of the P's next batch */
    uint32_t proc; /* V1_NONE: before the first batch */
    bool at_end, has_until;
} gl_v1_gap;

typedef struct gl_v1_proc {
    int64_t last;      /* ticks, while walking */
    int64_t batch;     /* ticks of the last batch, while walking */
    uint32_t first;    /* extent */
    uint32_t last_gap; /* that still wants its end, while walking */
    uint32_t thread;   /* dictionary index of the M, while converting */
    int32_t pid;       /* -1: events without a P */
    bool cut;          /* ended in a gap, while walking */
    bool seen;         /* its first start or stop was converted */
} gl_v1_proc;

typedef struct gl_v1_sample {
    int64_t ticks;
    uint64_t g;
    uint32_t order;
    uint32_t stack;
    uint32_t p;
} gl_v1_sample;

typedef struct gl_v1_trace {
    gl_input *in;
    const gl_gotrace_options *opt; /* NULL: names are passed over */
    gl_v1_wire wire;
    uint64_t size;

    gl_v1_proc *procs;
    gl_v1_extent *extents;
    gl_v1_gap *gaps;
    gl_v1_sample *samples;
    uint32_t proc_count, proc_room, extent_count, extent_room, gap_count, gap_room, sample_count, sample_room;
    gl_v1_ids proc_of; /* P + 2 -> index */

    gl_v1_ids strings, stacks, timers;
    struct gl_v1_late {
        uint64_t offset;
        uint32_t length;
    } *late; /* stacks whose names come after them */
    uint32_t late_count, late_room;

    int64_t frequency; /* ticks a second, 0 not known */
    int64_t min_ticks, max_ticks; /* of events; max < min: there is none */
    int64_t first_ticks;          /* of the first batch */
    uint64_t batches, events, walked;
    uint64_t times_refused;
    uint64_t name_faults; /* strings and stacks that contradict the format */
    bool has_gomaxprocs, has_stacks, damaged;
    bool lost_much; /* more than a few events at a place */
} gl_v1_trace;

/** First pass. 0, or negative: I/O, memory, cancelled. Damage is in gaps. */
int gl_v1_walk(gl_v1_trace *t);
void gl_v1_trace_free(gl_v1_trace *t);
/** Room for one more element in a growing array. 0 or GL_E_NOMEM. */
int gl_v1_room(void *array, uint32_t count, uint32_t *room, size_t size) GL_MUST_CHECK;

/* v1_names: strings and stacks of the file, into the dictionary */

int gl_v1_take_string(gl_v1_trace *t, uint64_t id, const uint8_t *p, size_t n);
/** Frames of a stack. *later: a name of it is not there yet, nothing was done; never so where last_try is true. */
int gl_v1_take_stack(gl_v1_trace *t, const uint8_t *p, size_t n, bool last_try, bool *later);
/** Stacks that came before their names. */
int gl_v1_take_late_stacks(gl_v1_trace *t);
/** Dictionary id of the one-frame stack of a function's first instruction: start functions before Go 1.7. */
int gl_v1_pc_stack(gl_v1_trace *t, uint64_t pc, uint32_t *stack);

/* v1_cursor */

#define V1_ANY_SEQ UINT64_MAX

typedef struct gl_v1_event {
    int64_t ticks;
    uint64_t key; /* place in the order: ticks, before 1.7 the sequence number */
    uint64_t g;
    uint64_t arg[4]; /* UserLog: offset and length of the message in 2 and 3; Lost: the gap in 0 */
    uint32_t stack;
    uint32_t proc; /* index */
    uint64_t subject; /* the goroutine whose order decides */
    uint64_t needs;   /* its sequence number before the event, V1_ANY_SEQ: any */
    uint32_t record;  /* of the subject, V1_NONE: not looked up */
    uint8_t type;
    bool ordered;     /* it has to wait for its subject */
} gl_v1_event;

typedef struct gl_v1_cursor {
    gl_v1_event ev; /* the next event */
    uint8_t *window;
    const uint8_t *at, *end; /* in the window */
    uint64_t rest_at;        /* offset of what is not in the window yet */
    uint32_t rest;           /* bytes of the extent that are not in the window yet */
    uint32_t extent, proc;
    uint64_t g;              /* what runs on the P */
    int64_t ticks, limit;
    uint64_t seq;
    uint64_t clamped;        /* events that were put back to their P's next batch */
    uint32_t place;          /* in its heap */
    uint32_t next_waiter;
    uint32_t tries;          /* how often its event could not come */
} gl_v1_cursor;

/** window: bytes; a cursor has room for them from gl_v1_cursor_open on. */
int gl_v1_cursor_open(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t proc, uint32_t extent, uint32_t window);
/** 1: the next event is in c->ev; 0: no more; negative: I/O. */
int gl_v1_cursor_next(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t window);
/** The next return from a system call in the extent that was opened: as above. */
int gl_v1_cursor_next_exit(gl_v1_cursor *c, const gl_v1_trace *t, uint32_t window);

/* v1_order */

typedef struct gl_v1_heap {
    struct gl_v1_heap_entry {
        uint64_t key;
        uint32_t cursor;
    } *at;
    uint32_t n;
} gl_v1_heap;

typedef struct gl_v1_order {
    gl_v1_trace *t;
    gl_v1_gs gs;
    gl_v1_cursor *cursors; /* one a P, and one more for the CPU samples */
    uint32_t cursor_count;
    uint32_t next_sample;
    uint32_t window;
    gl_v1_heap ready, stuck;
    uint64_t patience; /* ticks that an event may wait for what it needs */
    gl_v1_heap *taken_from; /* where the cursor of the last event is, NULL: it has gone on */
    uint32_t taken;
    gl_v1_event kept;  /* a copy of the last event, where its cursor had to go on early */
    bool next_blocks;  /* the next event of the same P says that this system call blocks */
} gl_v1_order;

int gl_v1_order_init(gl_v1_order *o, gl_v1_trace *t);
void gl_v1_order_free(gl_v1_order *o);
/**
 * 1: *ev is the next event (until the next call), *forced: it came without what it needs; 0: no more; negative: I/O,
 * memory.
 */
int gl_v1_order_next(gl_v1_order *o, const gl_v1_event **ev, bool *forced);

/* v1_exits */

typedef struct gl_v1_exit {
    uint64_t key; /* true place */
    uint64_t own; /* place in the file's order */
    int64_t ticks;
    uint64_t g;
} gl_v1_exit;

typedef struct gl_v1_exits {
    gl_v1_trace *t;
    uint32_t *next; /* next extent to look into, one a P */
    gl_v1_exit *heap;
    uint32_t n, room;
    uint64_t soonest; /* key of the earliest exit that was not looked at, or less */
    gl_v1_cursor scout;
    uint32_t window;
} gl_v1_exits;

int gl_v1_exits_init(gl_v1_exits *x, gl_v1_trace *t);
void gl_v1_exits_free(gl_v1_exits *x);
/** True place and time of a return from a system call; false where the file has none. */
bool gl_v1_exit_of(const gl_v1_trace *t, const gl_v1_event *ev, uint64_t *key, int64_t *ticks);
/** Whether gl_v1_exits_before has something to do for this place. */
static inline bool gl_v1_exits_near(const gl_v1_exits *x, uint64_t key)
{
    return x->soonest <= key || (x->n != 0 && x->heap[0].key <= key);
}
/** 1: the next return whose place is before `key` is in *out; 0: none; negative: I/O, memory. */
int gl_v1_exits_before(gl_v1_exits *x, uint64_t key, gl_v1_exit *out);

/* v1_convert */

typedef struct gl_v1_convert {
    gl_v1_trace *t;
    gl_v1_order *order;
    gl_event_run *run;
    double ns_per_tick;
    bool starting; /* goroutines that were there before the trace are being told */
    uint64_t cycle;
    uint32_t stw_word, stw_depth;
    uint32_t words[32]; /* dictionary ids of our own texts, plus one */
    char *message;      /* a log's text */
    uint64_t stacks_missing, strings_missing;
    uint64_t ownerless; /* events of a goroutine that is not known, as its start is missing */
} gl_v1_convert;

void gl_v1_convert_init(gl_v1_convert *c, gl_v1_trace *t, gl_v1_order *order, gl_event_run *run, double frequency);
void gl_v1_convert_free(gl_v1_convert *c);
int64_t gl_v1_ns(const gl_v1_convert *c, int64_t ticks);
/** Delivers what the event is today. flags: for gl_event. 0 or negative. */
int gl_v1_convert_event(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
/** A return from a blocking system call at its true time; *told: false where the goroutine is in no call. */
int gl_v1_convert_exit(gl_v1_convert *c, const gl_v1_exit *exit, bool *told);

#endif
