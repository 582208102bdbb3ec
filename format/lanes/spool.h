/*
 * Types and times of a chunk's events, lane by lane, already as the file has them: a byte for the type, a byte for the
 * step of time, and apart what follows an escape. Steps are counted in the unit of the chunk before; where that turns out
 * to be wrong, they are all counted anew. How the lanes take turns is kept apart, and so is where they do so in another
 * order than a reader would put them in.
 */
#ifndef GOLANES_LANES_SPOOL_H
#define GOLANES_LANES_SPOOL_H

#include "golanes/events.h"
#include "lanes/col.h"
#include "lanes/threads.h"

#define LN_BLOCK_EVENTS 256u
#define LN_SPOOL_FULL UINT32_MAX

typedef struct ln_block {
    struct ln_block *next, *before;
    uint8_t types[LN_BLOCK_EVENTS], steps[LN_BLOCK_EVENTS];
} ln_block;

/** The events of one lane. */
typedef struct ln_reel {
    ln_block *block; /* the last */
    uint32_t n;
    int64_t last;    /* time of its last event */
    int64_t first;   /* and of its first */
    ln_block *blocks;
    int64_t taken;   /* which event was its last before times that several lanes have */
    ln_buf more;     /* what follows the escapes among its steps */
} ln_reel;

/** Events in a row on one lane: number of the first, and from bit LN_RUN_LANE down the lane. */
typedef uint32_t ln_run;
#define LN_RUN_LANE 10u
_Static_assert(LN_LANES_MAX <= 1u << LN_RUN_LANE, "a lane fits a run's low bits");

#define LN_TIES_MAX 64u

/** Events of one time on several lanes: where they come in another order than the rule's, that is stored. */
typedef struct ln_ties {
    bool open;
    uint32_t n;
    int64_t time;
    uint16_t lanes[LN_TIES_MAX];
} ln_ties;

typedef struct ln_spool {
    uint64_t thread;  /* whose turn it is; none: at the chunk's start */
    uint32_t lane;    /* its lane, and the one before that was another */
    uint32_t other;
    ln_reel *reel;    /* of that lane */
    uint32_t n;       /* events of the chunk so far */
    uint32_t capacity;
    unsigned shift;   /* the unit of steps, as a power of two */
    uint64_t bits;    /* set in any step */
    ln_ties ties;
    ln_run *runs;     /* at most as many as events, and one that ends the last */
    uint32_t runs_n;
    ln_reel *reels;   /* LN_LANES_MAX: by lane */
    ln_block *pool;   /* as many blocks as may be needed */
    uint32_t pool_n;
    ln_col order;     /* where lanes come together in another order than the rule's */
    bool steady;      /* times never step back, whatever the lane */
    int64_t smallest, largest; /* whole after ln_spool_range */
    bool no_memory;
    ln_threads threads;
} ln_spool;

/** capacity: events a chunk has at most. False without memory; ln_spool_free then is still due. */
bool ln_spool_init(ln_spool *s, uint32_t capacity);
void ln_spool_free(ln_spool *s);
/** Starts a chunk. */
void ln_spool_start(ln_spool *s);

/* The parts of what follows that are rare. */
bool ln_spool_new_thread(ln_spool *s, uint32_t thread, int64_t time);
void ln_spool_block(ln_spool *s, ln_reel *r, int64_t time);
void ln_spool_meet(ln_spool *s, int64_t time);
void ln_spool_tie(ln_spool *s, int64_t time);
uint8_t ln_spool_long(ln_spool *s, ln_reel *r, int64_t time);

/** The next event, at `time`, is on another lane: one that had events already, or the next number. */
LN_INLINE void ln_spool_turn(ln_spool *s, uint32_t lane, int64_t time)
{
    ln_reel *before = s->reel;
    if (LN_LIKELY(!s->ties.open && time > before->last))
        before->taken = (int64_t)s->n - 1;
    else
        ln_spool_meet(s, time);
    s->other = s->lane;
    s->lane = lane;
    s->thread = s->threads.thread[lane];
    s->reel = &s->reels[lane];
    s->runs[s->runs_n++] = s->n << LN_RUN_LANE | lane;
}

/** A number below LN_NUM_ONE where `time` is so many steps later than `last`; more, where that is not sure. */
LN_INLINE uint64_t ln_spool_step(const ln_spool *s, int64_t last, int64_t time)
{
    uint64_t difference = (uint64_t)time - (uint64_t)last;
    return difference >> s->shift | difference << (-s->shift & 63); /* what is no whole step comes out large */
}

LN_INLINE void ln_spool_add(ln_spool *s, unsigned type, int64_t time)
{
    ln_reel *r = s->reel;
    uint32_t k = r->n++ % LN_BLOCK_EVENTS;
    if (LN_UNLIKELY(k == 0))
        ln_spool_block(s, r, time);
    if (LN_UNLIKELY(s->ties.open))
        ln_spool_tie(s, time);
    uint64_t step = ln_spool_step(s, r->last, time);
    r->block->types[k] = (uint8_t)type;
    if (LN_LIKELY(step < LN_NUM_ONE && time >= 0)) {
        r->block->steps[k] = (uint8_t)step;
        s->bits |= step;
        r->last = time;
    } else {
        r->block->steps[k] = ln_spool_long(s, r, time);
    }
    s->n++;
}

/** Takes an event's type and time up; its lane. LN_SPOOL_FULL: the chunk has to end before this event. */
LN_INLINE uint32_t ln_spool_put(ln_spool *s, const gl_event *ev)
{
    if (ev->thread != s->thread) {
        uint32_t lane = s->other; /* mostly, two threads take turns */
        if (LN_LIKELY(lane < s->threads.n && s->threads.thread[lane] == ev->thread))
            ln_spool_turn(s, lane, ev->time);
        else if (!ln_spool_new_thread(s, ev->thread, ev->time))
            return LN_SPOOL_FULL;
    }
    ln_spool_add(s, ev->type, ev->time);
    return s->lane;
}

/** Finds the chunk's range of time. There must be an event. */
void ln_spool_range(ln_spool *s);
/**
 * When all events are in: works out their order and the largest unit that every step is a whole number of, and writes the
 * sections of types and times. False without memory.
 */
bool ln_spool_finish(ln_spool *s, uint64_t *unit, ln_buf *types, ln_buf *times);

#endif
