/*
 * Goroutine id -> small index, with the codec's record of each goroutine. The writer keeps one map for its whole life and
 * resets a record when a chunk first touches it; a cursor empties its map at each chunk. Index 0 stands for goroutine 0
 * ("none") and is always there.
 */
#ifndef GOLANES_LANES_GMAP_H
#define GOLANES_LANES_GMAP_H

#include "lanes/bytes.h"

/** What guesses know of a goroutine within one chunk. All zero at the chunk's start. */
typedef struct ln_grec {
    uint64_t id;
    uint32_t woke[2];  /* index of whom it woke last, and of the one before that was another */
    uint32_t stack[2]; /* its last two stacks */
    uint32_t turn;     /* low two bits: ln_ready; the rest counts its runs, so that a run queue's old entries show */
    uint32_t epoch;    /* chunk that touched it last; of a free record: the next free one */
} ln_grec;
_Static_assert(sizeof(ln_grec) == 32, "two in a cache line");

/** What guesses know of a goroutine's state. */
enum { LN_READY_UNKNOWN, LN_READY_WAITS, LN_READY_RUNNABLE, LN_READY_RUNS, LN_READY_MASK = 3, LN_TURN = 4 };

typedef struct ln_gmap {
    uint32_t *slots; /* index, 0 free; open addressing, linear; at most a quarter full: few steps, few cache lines */
    uint32_t mask;
    uint32_t used;      /* records in use, index 0 included */
    uint32_t top;       /* records ever used: those above were never touched */
    uint32_t capacity;
    uint32_t free_head; /* chain of free records through .epoch, 0 none */
    ln_grec *recs;
    uint32_t epoch;
    uint32_t *touched;  /* records that this epoch touched, in order; room for capacity */
    uint32_t touched_n;
} ln_gmap;

bool ln_gmap_init(ln_gmap *m);
void ln_gmap_free(ln_gmap *m);
/** Starts a chunk: records keep their ids and indices, and count as untouched. */
void ln_gmap_next_epoch(ln_gmap *m);
/** Forgets every goroutine that this epoch touched (all that are in a map used by a cursor). */
void ln_gmap_forget_touched(ln_gmap *m);
/** Removes one goroutine. Not for index 0. */
void ln_gmap_remove(ln_gmap *m, uint32_t index);
/** The slow path of ln_gmap_touch: adds. Returns UINT32_MAX without memory. */
uint32_t ln_gmap_add(ln_gmap *m, uint64_t id);

static inline uint32_t ln_gmap_hash(uint64_t id)
{
    return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/** The index of a goroutine that is in the map, or UINT32_MAX. */
static inline uint32_t ln_gmap_find(const ln_gmap *m, uint64_t id)
{
    if (id == 0)
        return 0;
    for (uint32_t i = ln_gmap_hash(id) & m->mask; m->slots[i]; i = (i + 1) & m->mask)
        if (m->recs[m->slots[i]].id == id)
            return m->slots[i];
    return UINT32_MAX;
}

void ln_gmap_reset(ln_gmap *m, uint32_t index);

/** Finds or adds, and makes the record this epoch's. UINT32_MAX without memory. */
LN_INLINE uint32_t ln_gmap_touch(ln_gmap *m, uint64_t id)
{
    uint32_t index = ln_gmap_find(m, id);
    if (LN_UNLIKELY(index == UINT32_MAX))
        return ln_gmap_add(m, id);
    if (LN_UNLIKELY(m->recs[index].epoch != m->epoch))
        ln_gmap_reset(m, index);
    return index;
}

#endif
