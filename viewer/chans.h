/*
 * Channels of a trace: who made them, what was done with them, how full they were and who waited for them. Only a
 * recorder sees channels; the traces that Go itself writes have none.
 * Threads: as the model's.
 */
#ifndef GOLANES_VIEWER_CHANS_H
#define GOLANES_VIEWER_CHANS_H

#include "golanes/events.h"
#include "history.h"
#include "ids.h"

typedef struct gl_chan {
    uint64_t id;               /**< its address: another channel may have it later */
    uint64_t maker, closer;    /**< goroutines, 0 not known */
    uint64_t cap, len;         /**< len: as last seen */
    int64_t first;             /**< made, or first seen */
    int64_t closed;            /**< GL_TIME_NONE: not in this trace */
    int64_t send_wait, recv_wait; /**< ns that operations on it took, from begin to end, those of selects too */
    int64_t straddle_ns;
    uint64_t sends, recvs, refused; /**< operations done; others (with default, of a closed channel) */
    uint32_t elem, stack, close_stack; /**< string id, stack ids */
    uint32_t senders, receivers; /**< waiting now */
    uint32_t senders_most, receivers_most;
    uint32_t straddles;
    uint32_t older;            /**< the channel that had this address before, GL_NONE none */
    uint32_t first_wait, last_wait; /**< of those kept, in order of their ends */
    bool made;                 /**< its make was seen */
    gl_history fill, sending, receiving;
} gl_chan;

/** What a goroutine is doing with channels. */
typedef struct gl_chan_op {
    uint32_t chan;  /**< index, GL_NONE none */
    uint32_t gor;   /**< whose it is: index in the catalogue */
    uint32_t last;  /**< index + 1 of the channel of its latest operation, 0 none */
    uint8_t dir;    /**< gl_chan_dir, GL_CHAN_DEFAULT none */
    bool open;      /**< its begin was seen */
    bool select;    /**< which channel it is for is known at its end */
    bool waits;
    int64_t begin;
    int64_t since;  /**< of the wait */
    int64_t until;  /**< of a select's: its end, 0 it did not wait */
} gl_chan_op;

/** A goroutine waited for a channel. */
typedef struct gl_chan_wait {
    int64_t begin, end;
    uint32_t gor;   /**< index in the catalogue */
    uint32_t next;  /**< of the same channel */
    uint8_t dir;
} gl_chan_wait;

#define GL_CHAN_WAITS_MAX 500000
#define GL_CHANS_DRAWN_MAX 20000 /* further channels have figures, but no history for a view from afar */

typedef struct gl_chans {
    gl_chan *list;
    size_t n, capacity;
    gl_ids by_id; /**< the newest with an address */
    gl_chan_wait *waits;
    size_t wait_count, wait_capacity;
    uint64_t waits_beyond; /**< not kept */
} gl_chans;

/** Index of the channel with this address now, GL_NONE where it was not met. */
uint32_t gl_chans_find(const gl_chans *cs, uint64_t id);
/** The channel that had this address at a time. */
uint32_t gl_chans_at(const gl_chans *cs, uint64_t id, int64_t time);
/** Takes a channel event of the goroutine whose operation is *op. Others are passed over. */
int gl_chans_take(gl_chans *cs, const gl_event *ev, gl_chan_op *op) GL_MUST_CHECK;
/** The goroutine of *op parks, or is released. */
int gl_chans_wait(gl_chans *cs, gl_chan_op *op, int64_t time, bool waits) GL_MUST_CHECK;
void gl_chans_clean_up(gl_chans *cs);

#endif
