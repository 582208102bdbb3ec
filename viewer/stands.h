/*
 * How all goroutines stood at some moments. The file has that in its keyframes, but those are far apart where very many
 * goroutines live: what was read on the way from one to a window is kept, so that the next window begins nearby.
 * Threads: one thread per gl_stands.
 */
#ifndef GOLANES_VIEWER_STANDS_H
#define GOLANES_VIEWER_STANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One stretch of one goroutine's life. */
typedef struct gl_lane_span {
    int64_t begin, end;   /**< end GL_TIME_NONE: goes on beyond the window */
    uint64_t by;          /**< waiting: who ended it; runnable: who made it so. 0 not known, or not a goroutine */
    uint32_t gor;         /**< index in the catalogue */
    uint32_t reason;      /**< string id: why it waits, or why it was stopped; 0 none */
    uint32_t stack, by_stack;
    uint32_t p, thread;   /**< GL_NO_PROC, GL_NO_THREAD */
    uint8_t kind;         /**< gl_span_kind, never STRADDLE */
    bool since_before;    /**< began before the trace did */
} gl_lane_span;

typedef struct gl_stand {
    uint64_t event;       /**< it is as things stood before this event */
    int64_t reach;        /**< no event before that is later */
    gl_lane_span *open;   /**< what each goroutine was at */
    size_t n;
    uint64_t used;        /**< when it was last asked for */
} gl_stand;

#define GL_STANDS 8
#define GL_STANDS_SPANS 600000 /* of all of them together: some 32 MiB */
typedef struct gl_stands {
    gl_stand at[GL_STANDS];
    size_t count, spans;
    uint64_t clock;
} gl_stands;

void gl_stands_clean_up(gl_stands *ss);
/** The last that is not after `time`, NULL none; it lives until the next one is kept. */
const gl_stand *gl_stands_find(gl_stands *ss, int64_t time);
/** Takes `open` over. Those that were not asked for the longest go; where it is too large it is not kept at all. */
void gl_stands_keep(gl_stands *ss, uint64_t event, int64_t reach, gl_lane_span *open, size_t n);

#endif
