/*
 * What goes on in the trace while it is written: the state of every live goroutine, and the sums of the chunk at hand.
 *
 * All sums run on one clock, the largest event time so far: it never steps back, so that every stretch of a goroutine's
 * life is counted once.
 */
#ifndef GOLANES_LANES_TRACK_H
#define GOLANES_LANES_TRACK_H

#include "golanes/dict.h"
#include "golanes/reader.h"
#include "lanes/gmap.h"

/** Classes of wait reasons in lane shares. Numbers are part of the format. */
typedef enum ln_wait_class {
    LN_WAIT_NONE,
    LN_WAIT_CHAN_SEND,
    LN_WAIT_CHAN_RECEIVE,
    LN_WAIT_SELECT,
    LN_WAIT_SYNC,    /* mutexes, conditions, wait groups */
    LN_WAIT_SLEEP,
    LN_WAIT_NETWORK,
    LN_WAIT_GC,
    LN_WAIT_OTHER
} ln_wait_class;

#define LN_LIVE_IN_SEND 1u   /* between ChanSendBegin and ChanSendEnd */
#define LN_LIVE_SEND_WAIT 2u /* parked for "chan send", or woken from it and not yet running */
#define LN_LANE_STRADDLE 1u
#define LN_LANE_PANIC 2u

/** A goroutine, what every change of state touches: one cache line. Index: that of the codec's map. state 0: not live. */
typedef struct ln_live {
    int64_t since;       /* time of its last change of state */
    uint64_t mark;       /* clock up to which `spent` is complete, if it was touched in this chunk */
    uint64_t spent[3];   /* running, runnable, in system calls; the rest of its life it waits */
    uint32_t reason, stack;
    uint32_t chunk;      /* chunk (number, low bits) that `spent` is of */
    uint32_t longest;    /* longest wait in this chunk, in units of 1024 ns */
    uint8_t state, flags, wait_class, lane_flags, long_class;
} ln_live;
_Static_assert(sizeof(ln_live) == 64, "one cache line");

/** And what is asked for rarely. */
typedef struct ln_life {
    uint64_t creator, first_chunk; /* chunk in which it was created or first seen */
    int64_t created;
    uint64_t birth;                /* clock when it became live */
    uint64_t send_since;
    uint32_t start_stack;
    bool fresh;                    /* became live in this chunk */
} ln_life;

/** A row of the goroutine table. */
typedef struct ln_ended {
    uint64_t g, creator, first_chunk, last_chunk;
    uint32_t start_stack;
    bool before; /* it existed when the trace began */
} ln_ended;

typedef struct ln_track {
    ln_gmap *map;
    const gl_dict *dict;
    ln_live *live;
    ln_life *lives;
    uint32_t capacity;
    uint64_t alive, alive_max;
    uint32_t *sorted;        /* live goroutines at the chunk's start, by id */
    size_t sorted_n, sorted_capacity;
    uint32_t *fresh;         /* that came in this chunk */
    size_t fresh_n, fresh_capacity;
    ln_ended *ended;         /* not yet in the file's goroutine table */
    size_t ended_n, ended_capacity;
    uint8_t *classes;        /* of reasons, by string id, plus one; 0 not looked up yet */
    uint8_t *gc_reasons;     /* 2 where a stop's reason is GC, 1 where not, 0 not looked up yet */
    uint32_t classes_n;
    bool started, no_memory;
    uint64_t chunk;          /* number of the chunk at hand */
    uint64_t clock, from;    /* largest time so far; that at the chunk's start. As unsigned: differences never overflow */
    uint64_t in_state[GL_G_STATES], state_sum[GL_G_STATES];
    bool gc_on, stw_on, stw_gc;
    uint64_t gc_since, stw_since, stw_begin; /* since: within this chunk; begin: the pause's own */
    uint64_t pause_begin, pause_end;         /* the last GC pause that ended */
    bool pause_seen;
    gl_summary_node node;    /* of the chunk at hand; by_type is filled at its end */
} ln_track;

void ln_track_init(ln_track *t, ln_gmap *map, const gl_dict *dict);
void ln_track_free(ln_track *t);
/** Starts a chunk. time: of its first event, NULL where it has none. */
void ln_track_start(ln_track *t, uint64_t number, uint64_t first_event, const int64_t *time);
/** Makes room for all goroutines that so many events could be about. False without memory: none may come then. */
bool ln_track_reserve(ln_track *t, size_t events);
/** Fetches what an event will need, some events ahead, by the first place that the map would look at. */
static inline void ln_track_prefetch(const ln_track *t, const gl_event *ev)
{
    uint32_t index = t->map->slots[ln_gmap_hash(ev->arg[0]) & t->map->mask];
    __builtin_prefetch(&t->map->recs[index]);
    /* `live` may not reach so far yet, or not be there at all: an address, not a place in the array */
    __builtin_prefetch((const void *)((uintptr_t)t->live + index * sizeof *t->live));
}

/** Takes in an event, for which there is room; gi and ti are the encoder's indices of its context's goroutine and its target. */
void ln_track_event(ln_track *t, const gl_event *ev, uint32_t gi, uint32_t ti);
/** For an operation on a channel, which changes no state. */
void ln_track_send_begin(ln_track *t, const gl_event *ev, uint32_t gi);
void ln_track_send_end(ln_track *t, const gl_event *ev, uint32_t gi);
/**
 * Closes the chunk's sums; by_type and smallest are the encoder's. Shares of goroutines that lived through at least a
 * sixteenth of the chunk go to *lanes (malloc, sorted by goroutine). 0 or GL_E_NOMEM.
 */
int ln_track_finish(ln_track *t, const uint32_t *by_type, int64_t smallest, gl_lane_share **lanes, size_t *n);
/** Live goroutines as the chunk starts, sorted by id: indices. Only between two chunks. */
const uint32_t *ln_track_sorted(const ln_track *t, size_t *n);
/** Adds those that are still alive to the ended, for the end of the file. */
int ln_track_end_all(ln_track *t);
/** The eight-bit share of `part` in `whole`. */
uint8_t ln_share(uint64_t part, uint64_t whole);

#endif
