/*
 * What came out of a recording, counted: of each event how many, whether the states of each goroutine follow each other,
 * and apart from what Go's runtime does for itself, what the program did.
 */
#ifndef GOLANES_TESTS_TALLY_H
#define GOLANES_TESTS_TALLY_H

#include <stdio.h>

#include "golanes/dict.h"
#include "golanes/probe_source.h"
#include "golanes/state.h"

#define TALLY_REASONS 4096

/** Who made a channel, by the innermost function that was not the runtime's. */
typedef enum tally_maker { TALLY_OTHER, TALLY_MAIN, TALLY_TIME, TALLY_MAKERS } tally_maker;

typedef struct tally {
    uint64_t of[GL_EV_LIMIT], events, violations, back, lost;
    uint64_t by[TALLY_MAKERS][GL_EV_LIMIT]; /* of what is done to channels, by who made the channel */
    uint64_t created_by_main, callbacks, switches;
    uint64_t gc_stops, nameless_stops, left; /* of the world: for the collector, for no known reason; records that a killed recorder left */
    uint64_t blocks[TALLY_REASONS]; /* of goroutines that are not the runtime's own, by the reason's text */
    int64_t last;
    gl_dict *dict;
    const gl_probe_source *source; /* names functions */
    struct tally_goroutine {
        uint8_t state;
        bool own; /* the runtime's */
    } *goroutine;
    size_t goroutines;
    struct tally_stack {
        uint64_t inner, outer;
    } *stack;
    size_t stacks, stack_room;
    struct tally_chan {
        uint64_t address;
        tally_maker maker;
    } *chan;
    size_t chans, chan_room;
    bool dump;
    uint32_t threads;
} tally;

gl_session_sink tally_sink(tally *t);
/** NAME TAB COUNT, one a line. */
void tally_print(const tally *t, FILE *to);
void tally_free(tally *t);

#endif
