/*
 * The goroutines that are alive, their clocks, and what leaves when one has ended: a row for the callback, and totals
 * for its group.
 */
#ifndef GOLANES_ANALYSIS_GOROUTINES_H
#define GOLANES_ANALYSIS_GOROUTINES_H

#include "collect.h"
#include "golanes_analysis/summary.h"
#include "reasons.h"

/** Time waited for one reason. */
typedef struct gl_waited {
    uint64_t ns;
    uint8_t reason;
    bool over_stw, over_gc; /* one of these waits overlapped such a range */
} gl_waited;

/** A channel operation in progress. */
typedef struct gl_operation {
    uint8_t kind;  /* gl_wait_kind: GL_WAIT_SEND, GL_WAIT_RECV, GL_WAIT_SELECT; GL_WAIT_OTHER none */
    bool recorded; /* seen as such, not only as a block */
    bool closing;  /* its last operation closed a channel: whom it wakes from one, the close has released */
    bool release_recorded;
    uint8_t release; /* gl_release, once woken */
    bool woken;
    uint32_t stack, wake_stack;
    uint64_t chan, woken_by;
    int64_t begin, woken_at;
} gl_operation;

#define GL_WAITED_INSIDE 3 /* few goroutines wait for more reasons */

/* Laid out by cache line: the first two are touched by every transition, the next two by every wait. */
typedef struct gl_goroutine {
    _Alignas(64) uint64_t id; /* GL_NO_GOROUTINE: the record is nobody's */
    int64_t since;            /* when it came into its state: where that is not known, when this part began */
    int64_t order;            /* number of the event that told of its state */
    uint64_t transitions;
    int64_t started;
    uint64_t last_waker;
    uint32_t name; /* string id of the start function, 0 not known yet */
    uint32_t wait_stack;
    uint32_t gc_proc; /* where its work for the collector was counted */
    uint8_t state;    /* gl_gstate */
    uint8_t reason;   /* of the wait it is in */
    uint8_t gc_work;  /* bits of mmu.c */
    bool since_open;  /* it was in its state before the trace started */

    uint64_t ns[GL_G_STATES];
    uint64_t queued; /* number of its newest entry in the queues of straddles.c */
    uint32_t waited_count;
    uint32_t regions; /* open user regions: head of a list in user.c, 0 none */

    gl_operation op;
    gl_waited waited[GL_WAITED_INSIDE];
    gl_waited *more_waited; /* reused with the record */

    size_t more_capacity;
    uint64_t parent;
    int64_t created, ended;
    uint32_t create_stack;
    bool preexisting;
    bool leaving; /* in the queue of those that ended */
    bool wait_straddled;
    uint8_t straddled; /* bits of gl_operation_kind */
    /* The event that led to its state, kept where spans are watched. */
    uint16_t cause;
    uint32_t cause_stack;
    uint64_t cause_g;
} gl_goroutine;

static inline gl_waited *gl_goroutine_waited_at(gl_goroutine *g, uint32_t i)
{
    return i < GL_WAITED_INSIDE ? &g->waited[i] : &g->more_waited[i - GL_WAITED_INSIDE];
}

#define GL_LEAVING 64 /* how many ended goroutines are kept, in case an id is used again soon after */

typedef struct gl_group {
    uint32_t name;
    uint64_t n, alive;
    uint64_t ns[GL_G_STATES];
    uint64_t *block; /* by reason number */
    size_t block_capacity;
} gl_group;

typedef struct gl_goroutines {
    const gl_dict *dict;
    gl_reasons *reasons;
    gl_map by_id;
    gl_goroutine **blocks; /* records in blocks of GL_GOROUTINE_BLOCK that never move */
    size_t block_capacity, block_count;
    uint32_t *free_slots;
    size_t free_capacity, free_count;
    uint32_t leaving[GL_LEAVING];
    size_t leaving_at, leaving_count;
    gl_goroutine_fn on_goroutine;
    void *user;
    gl_map group_of;
    gl_group *groups;
    size_t group_capacity, group_count;
    uint64_t seen, preexisting, alive, unnamed, system, end_states[GL_G_STATES];
    gl_reason_time *row;
    size_t row_capacity;
} gl_goroutines;

#define GL_GOROUTINE_BLOCK 256

static inline gl_goroutine *gl_goroutines_at(const gl_goroutines *gs, uint32_t slot)
{
    return &gs->blocks[slot / GL_GOROUTINE_BLOCK][slot % GL_GOROUTINE_BLOCK];
}

/** GL_NONE32 where it is not alive. */
static inline uint32_t gl_goroutines_find(const gl_goroutines *gs, uint64_t id) { return gl_map_get(&gs->by_id, id); }

/** A new record; it is the caller's to fill. */
int gl_goroutines_add(gl_goroutines *gs, uint64_t id, uint32_t *slot) GL_MUST_CHECK;
/** The entry of a goroutine for a reason. NULL: no memory. */
gl_waited *gl_goroutine_waited(gl_goroutine *g, uint8_t reason);
/** It has ended: it leaves when GL_LEAVING others have ended after it. *out gets the slot that must leave now, or
 * GL_NONE32. */
void gl_goroutines_ended(gl_goroutines *gs, uint32_t slot, uint32_t *out);
/** Gives it to the callback, adds it to its group, frees the record. */
int gl_goroutines_leave(gl_goroutines *gs, uint32_t slot) GL_MUST_CHECK;
/** Slots of all records, in order of id: *slots is the caller's. */
int gl_goroutines_all(const gl_goroutines *gs, uint32_t **slots, size_t *n) GL_MUST_CHECK;
bool gl_system_goroutine(const char *name);
void gl_goroutines_clean_up(gl_goroutines *gs);

#endif
