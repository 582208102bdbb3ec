/*
 * An event chunk's sections back into events, a run at a time.
 */
#ifndef GOLANES_LANES_DECODE_H
#define GOLANES_LANES_DECODE_H

#include "lanes/encode.h"

/** A guessed column, read: `left` hits until the next miss. */
typedef struct ln_dcol {
    uint64_t left;
    ln_in gaps, values;
} ln_dcol;

/** What is left of a lane. */
typedef struct ln_lane_in {
    int64_t time; /* of its next event */
    const uint8_t *types, *steps;
    uint32_t left;
    ln_in more;
} ln_lane_in;

#define LN_RUN 1024u /* events a run: 64 KB, which stay in the cache between decoder and caller */

typedef struct ln_dec {
    ln_model model;
    unsigned columns;  /* GL_COL_…, what the runs fill */
    uint32_t n, at;
    uint64_t unit;
    ln_lane_in lanes[LN_LANES_MAX];
    ln_order line;
    uint16_t lane_of[LN_RUN]; /* of the run's events */
    bool bad;
    ln_dcol order, p, g, stack, flags;
    ln_dcol args[GL_EV_LIMIT][GL_EVENT_ARGS_MAX];
    ln_shape shapes[GL_EV_LIMIT];
    uint32_t counts[GL_EV_LIMIT];
} ln_dec;

typedef struct ln_span {
    const uint8_t *bytes; /* NULL: this section was not loaded */
    size_t n;
} ln_span;

/** *d must be zero. */
bool ln_dec_init(ln_dec *d);
void ln_dec_free(ln_dec *d);
/** Bit (1 << section) of every section that these columns need. */
unsigned ln_dec_sections(unsigned columns);
/** Starts a chunk of n events; spans are indexed by section and must stay until the chunk is done. 0 or GL_E_CORRUPT. */
int ln_dec_start(ln_dec *d, unsigned columns, uint32_t n, const ln_span spans[LN_S_ARGS + 1]);
/** Decodes up to LN_RUN events; the number, or GL_E_CORRUPT. 0 at the end of the chunk. */
int ln_dec_run(ln_dec *d, gl_event out[LN_RUN]);

#endif
