/*
 * A cursor: one chunk at a time, decoded in runs.
 */
#ifndef GOLANES_LANES_CURSOR_H
#define GOLANES_LANES_CURSOR_H

#include "golanes/writer.h"
#include "lanes/file.h"
#include "lanes/sums.h"

struct gl_cursor {
    gl_reader *reader;
    unsigned columns;
    uint64_t at;        /* next event chunk */
    uint64_t expected;  /* number of the event that should come next, UINT64_MAX after a jump */
    ln_row row;         /* of the chunk at hand */
    bool open;          /* a chunk is being decoded */
    bool dirty;         /* run[0] holds more than the decoder writes */
    bool choosy;
    uint64_t want[2];
    ln_buf payload;
    ln_unpacker unpacker;
    ln_dec dec;
    gl_event run[LN_RUN];
    /* beside events */
    ln_buf side;
    ln_unpacker side_unpacker;
    gl_lane_share *lanes;
    gl_goroutine_at *full, *keyframe;
    size_t full_n, full_capacity, keyframe_n, keyframe_capacity;
    uint64_t full_number; /* whose full keyframe `full` is, UINT64_MAX none */
    gl_goroutine_info *goroutines;
    size_t goroutines_n, goroutines_capacity;
    gl_channel_info *channels;
    size_t channels_capacity;
};

/** Puts the cursor before an event chunk. */
void ln_cursor_place(gl_cursor *c, uint64_t chunk);

void ln_cursor_side_free(gl_cursor *c);
/** Node i of a level with its shares (lanes: malloc), stored or merged from below. */
int ln_sum_load(const gl_reader *r, ln_buf *payload, ln_unpacker *unpacker, unsigned level, uint64_t i, ln_sum *out);
/** The first node from i on of a level above 0 that a row of the level below belongs to; UINT64_MAX: none. */
uint64_t ln_sum_next(const gl_reader *r, unsigned level, uint64_t i);
/** True where node i of a level is in the file. */
bool ln_sum_stored(const gl_reader *r, unsigned level, uint64_t i);

#endif
