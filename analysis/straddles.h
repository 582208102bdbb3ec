/*
 * Waits and sends against pauses. By stamps, a pause may come later in the stream than the end of a send that it
 * overlaps (they step back between threads), so what has ended stays in a short queue before it is compared.
 */
#ifndef GOLANES_ANALYSIS_STRADDLES_H
#define GOLANES_ANALYSIS_STRADDLES_H

#include "golanes_analysis/summary.h"
#include "goroutines.h"
#include "keep.h"
#include "ranges.h"
#include "sites.h"

#define GL_WAITS_QUEUE 512
#define GL_SENDS_QUEUE 512

typedef struct gl_wait {
    int64_t begin, end;
    uint64_t number;
    uint32_t slot;
} gl_wait;

/** A send that has ended, with what will be needed to tell of it. */
typedef struct gl_ended_send {
    gl_operation op;
    int64_t end;
    uint64_t number;
    uint32_t slot;
} gl_ended_send;

typedef struct gl_straddles {
    gl_goroutines *goroutines;
    gl_reasons *reasons;
    gl_sites *sites;
    const gl_ranges *stw, *gc;
    /* Rings; entries carry rising numbers, so that a goroutine knows by its newest one whether it is still in there. */
    gl_wait waits[GL_WAITS_QUEUE];
    size_t wait_at, wait_count;
    gl_ended_send sends[GL_SENDS_QUEUE];
    size_t send_at, send_count;
    uint64_t number, waits_done, sends_done;
    gl_sends_figures figures[GL_OPERATION_KINDS];
    gl_keep worst_sends, worst_selects; /* of gl_send */
    unsigned watched; /* bits of gl_operation_kind: kinds that somebody asked for beyond sends and selects */
    uint64_t send_waits, send_waiters; /* waits in a send that overlap any stopped world, and their goroutines */
    gl_send_fn on_send; /* for every operation that met a pause, or only marking */
    void *user;
} gl_straddles;

void gl_straddles_init(gl_straddles *x, unsigned worst, gl_send_fn on_send, void *user);
/** The wait that the goroutine is in has ended (or ends with the trace). */
int gl_straddles_wait(gl_straddles *x, uint32_t slot, int64_t time, int64_t order) GL_MUST_CHECK;
/** The operation g->op has ended at `end`. */
int gl_straddles_send(gl_straddles *x, uint32_t slot, int64_t end) GL_MUST_CHECK;
/** Works out what is queued. */
int gl_straddles_drain(gl_straddles *x) GL_MUST_CHECK;
/** The same, if anything of the goroutine is queued. */
int gl_straddles_release(gl_straddles *x, const gl_goroutine *g) GL_MUST_CHECK;
void gl_straddles_finish(gl_straddles *x);
void gl_straddles_clean_up(gl_straddles *x);

#endif
