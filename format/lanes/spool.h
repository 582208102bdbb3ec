/*
 * Types and times of a chunk's events, wound up lane by lane as they come, and how the lanes take turns. When the chunk
 * is finished, each lane's steps of time are looked at and written in one go: no question is asked anew for each event.
 */
#ifndef GOLANES_LANES_SPOOL_H
#define GOLANES_LANES_SPOOL_H

#include "lanes/col.h"
#include "lanes/order.h"

#define LN_BLOCK_EVENTS 256u

typedef struct ln_block {
    struct ln_block *next;
    int64_t times[LN_BLOCK_EVENTS];
    uint8_t types[LN_BLOCK_EVENTS];
} ln_block;

/** The events of one lane. */
typedef struct ln_reel {
    ln_block *block; /* the last */
    uint32_t n;
    ln_block *first;
    int64_t taken;   /* when it had an event last: tells whose turn it is among equal times */
    ln_buf more;     /* what follows the escapes among its steps */
} ln_reel;

/** Events in a row on one lane: from this one to the next run's first. */
typedef struct ln_run {
    uint32_t from, lane;
} ln_run;

typedef struct ln_spool {
    ln_reel *reel;    /* of the lane whose turn it is */
    uint32_t n;       /* events of the chunk so far */
    int64_t *times;   /* of all, in their order */
    ln_run *runs;     /* at most as many as events, and one that ends the last */
    uint32_t runs_n;
    ln_reel *reels;   /* LN_LANES_MAX */
    uint32_t reels_n;
    ln_block *blocks; /* as many as may be needed */
    uint32_t blocks_n;
    ln_col order;     /* where lanes come together in another order than the rule's */
    /* what ln_spool_survey finds */
    int64_t smallest, largest;
    uint64_t unit;    /* of time steps */
    bool tame;        /* times are far from the ends of their range: differences have signs */
    bool forth;       /* on no lane does time step back; only told where tame */
} ln_spool;

/** False without memory; ln_spool_free then is still due. */
bool ln_spool_init(ln_spool *s, uint32_t capacity);
void ln_spool_free(ln_spool *s);
/** Starts a chunk. */
void ln_spool_start(ln_spool *s);
/** Gives a reel its next block. */
void ln_spool_block(ln_spool *s, ln_reel *r);

/** The next events are on this lane: one that had events already, or the next number. */
LN_INLINE void ln_spool_turn(ln_spool *s, uint32_t lane)
{
    if (LN_UNLIKELY(lane == s->reels_n))
        s->reels[s->reels_n++].n = 0;
    s->reel = &s->reels[lane];
    s->runs[s->runs_n++] = (ln_run){s->n, lane};
}

LN_INLINE void ln_spool_add(ln_spool *s, unsigned type, int64_t time)
{
    ln_reel *r = s->reel;
    uint32_t k = r->n++ % LN_BLOCK_EVENTS;
    if (LN_UNLIKELY(k == 0))
        ln_spool_block(s, r);
    r->block->types[k] = (uint8_t)type;
    r->block->times[k] = time;
    s->times[s->n++] = time;
}

/** Looks at all times, for the largest unit that every step is a whole number of. There must be an event. */
void ln_spool_survey(ln_spool *s);
static inline int64_t ln_spool_first(const ln_spool *s, uint32_t lane)
{
    return s->reels[lane].first->times[0];
}
/** After the survey: works out the order, and writes the steps section. False without memory. */
bool ln_spool_put_times(ln_spool *s, ln_buf *out);
void ln_spool_put_types(const ln_spool *s, ln_buf *out);

#endif
