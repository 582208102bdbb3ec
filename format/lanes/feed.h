/*
 * Events on their way to a thread that encodes them, in batches, so that a caller that decodes and the encoder run side by
 * side. A batch says how far the dictionary reached when its events came: so a file does not depend on who was faster.
 *
 * Threads: one caller, one taker (the feed's own). Memory: LN_FEED_BATCHES batches.
 */
#ifndef GOLANES_LANES_FEED_H
#define GOLANES_LANES_FEED_H

#include <pthread.h>

#include "lanes/dictchunk.h"

#define LN_FEED_BATCHES 32u
#define LN_FEED_EVENTS 1024u

typedef struct ln_batch {
    gl_event *events; /* LN_FEED_EVENTS */
    size_t n;
    ln_dict_mark reach;
} ln_batch;

/** Takes a batch up: 0, or a negative code, after which no more are given to it. Runs on the feed's thread. */
typedef int (*ln_feed_fn)(void *user, const ln_batch *batch);

typedef struct ln_feed {
    ln_feed_fn take;
    void *user;
    ln_batch batches[LN_FEED_BATCHES];
    gl_event *events; /* of all batches; NULL: the feed is not open */
    uint64_t given, taken; /* batches so far: batch i is batches[i % LN_FEED_BATCHES] */
    int rc;                /* first failure */
    bool stop;
    bool taker_waits, caller_waits;
    uint64_t wanted;       /* the caller waits for no more than so many batches to be left */
    pthread_t id;
    pthread_mutex_t lock;
    pthread_cond_t changed;
} ln_feed;

/** 0; negative where there is no memory or no thread to be had: the feed then is not open. */
int ln_feed_open(ln_feed *f, ln_feed_fn take, void *user);
static inline bool ln_feed_is_open(const ln_feed *f)
{
    return f->events != NULL;
}
/** Adds events; waits while all batches are full. reach: of the dictionary now. 0, or the first failure of a batch. */
int ln_feed_put(ln_feed *f, const gl_event *events, size_t n, const ln_dict_mark *reach);
/** Waits until all that was put is taken: the taker's memory is then the caller's, until the next put. 0 or the failure. */
int ln_feed_settle(ln_feed *f);
/** Ends the thread; what is not yet taken is dropped. Of a feed that is not open: nothing. */
void ln_feed_close(ln_feed *f);

#endif
