/* What the programs of bench_record and bench_drain emit: goroutines that hand things over by channels. */
#ifndef BENCH_HAND_OVER_H
#define BENCH_HAND_OVER_H

#include "golanes/emit.h"

#define BENCH_GOROUTINES 5200u

/** Ten events: a goroutine receives, wakes a sender, sends on, parks. */
static inline unsigned bench_hand_over(uint64_t *random, unsigned thread, unsigned threads)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    unsigned share = BENCH_GOROUTINES / threads;
    uint64_t g = 1 + thread * share + (*random >> 33) % share, other = 1 + (*random >> 20) % BENCH_GOROUTINES;
    uint64_t in = 0xc000000000 + g * 96, out = in + 96;
    gl_emit_GoStart(g);
    gl_emit_ChanRecvEnd(in, 0, GL_CHAN_DONE);
    gl_emit_ChanSendBegin(out, 0, 1);
    gl_emit_GoUnpark(other);
    gl_emit_ChanSendEnd(out, 1, GL_CHAN_DONE);
    gl_emit_ChanRecvBegin(in, 1, 1);
    gl_emit_ChanRecvEnd(in, 0, GL_CHAN_DONE);
    gl_emit_ChanSendBegin(out, 1, 1);
    gl_emit_ChanSendEnd(out, 1, GL_CHAN_DONE);
    gl_emit_GoBlock("chan receive");
    return 10;
}

#endif
