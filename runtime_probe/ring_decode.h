/* From the bytes of a ring to events. */
#ifndef GOLANES_RING_DECODE_H
#define GOLANES_RING_DECODE_H

#include "golanes/probe_session.h"

#define GL_DECODE_SLACK 64 /* zero bytes behind what is to be decoded, where a record that is cut off may reach */

/** What a reader remembers of one ring between drains. */
typedef struct gl_ring_decoder {
    uint32_t ring;
    uint64_t head;       /* position up to where all is written */
    uint64_t tail;       /* position up to where all is decoded */
    uint64_t mute_until; /* records before this position are not delivered */
    uint64_t last, chan, g;
    uint32_t p, pid, tid, turn;
    gl_session_thread thread;
    bool thread_known, in_block, delivered;
    uint64_t lost_seen; /* of the ring's losses: told in the stream so far */
    bool lost_known;
    uint32_t *text, *stack; /* ids by number in the block */
    uint32_t texts, stacks, text_cap, stack_cap;
    uint64_t overwritten, damaged;
} gl_ring_decoder;

void gl_ring_decoder_free(gl_ring_decoder *d);

/**
 * Decodes the n bytes that lie at d->tail, all in one block, and moves the tail: to the end of those bytes, or to where
 * the next block is. The caller has set d->head. `cut`: more of the block follows, and the last record may be cut off; the
 * tail is where that begins then, which is where it was if it is the first. GL_E_CORRUPT where the bytes make no sense; the
 * tail is where they began then. Other negative values come from the sink. GL_DRAIN_ENOUGH where the sink wants no more: the
 * tail may be before n bytes then.
 */
int gl_ring_decode(gl_ring_decoder *d, const uint8_t *bytes, size_t n, bool cut, const gl_session_sink *sink);

/** Delivers a Lost event. */
int gl_ring_decode_lost(gl_ring_decoder *d, const gl_session_sink *sink, uint64_t events, uint64_t bytes, uint64_t first,
                        uint64_t last, const char *why);

#endif
