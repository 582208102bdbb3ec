/*
 * The session's clock: which counter ticks, and what a tick is in nanoseconds.
 *
 * Ticks are read by many threads for the price of one instruction; nanoseconds are worked out by the recorder from pairs
 * of (ticks, CLOCK_MONOTONIC) read together, at the start and then about once a second.
 *
 * Threads: a gl_clock_map belongs to one thread at a time; the other functions are safe from any thread.
 */
#ifndef GOLANES_CLOCK_H
#define GOLANES_CLOCK_H

#include <stdint.h>

#include "golanes/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The best clock that this machine can be trusted with: its counter where the processor says that it is constant and
    never stops, and the kernel keeps time by it too; else CLOCK_MONOTONIC. */
GL_API gl_ring_clock gl_clock_best(void);
/** Now, in ticks of that clock. A counter that this machine has not gives CLOCK_MONOTONIC's ns. */
GL_API uint64_t gl_clock_ticks(gl_ring_clock clock);
/** Reads the clocks together: of several tries the one that was interrupted least. Takes some microseconds. */
GL_API void gl_clock_take(gl_ring_clock clock, gl_ring_pair *out);

#define GL_CLOCK_SEGMENTS 64

/** Ticks to ns of CLOCK_MONOTONIC: straight lines, joined without steps, each valid up to where the next begins. */
typedef struct gl_clock_segment {
    uint64_t ticks;
    int64_t ns;
    uint64_t rate; /**< ns a tick, times 2^32 */
} gl_clock_segment;

typedef struct gl_clock_map {
    gl_clock_segment segment[GL_CLOCK_SEGMENTS]; /**< a ring; the oldest is used for all earlier ticks */
    gl_ring_pair last;
    uint32_t count; /**< segments made so far */
} gl_clock_map;

/** From two pairs, best 10 ms or more apart; the more, the better is the rate of the first second. */
GL_API void gl_clock_map_start(gl_clock_map *map, const gl_ring_pair *first, const gl_ring_pair *second);
/** Takes a later pair in. What was converted before stays as it was; what follows is steered so that the error is gone
    by the time the next pair is due, a like time from now. Pairs that are not later than the last are ignored. */
GL_API void gl_clock_map_add(gl_clock_map *map, const gl_ring_pair *pair);
/** ns of CLOCK_MONOTONIC. Never steps back as ticks grow. */
GL_API int64_t gl_clock_map_ns(const gl_clock_map *map, uint64_t ticks);

/** The line that most ticks are on. Before the map has begun: ticks are ns. */
static inline gl_clock_segment gl_clock_map_newest(const gl_clock_map *map)
{
    gl_clock_segment ticks_are_ns = {0, 0, UINT64_C(1) << 32};
    return map && map->count ? map->segment[(map->count - 1) % GL_CLOCK_SEGMENTS] : ticks_are_ns;
}

/** The line that these ticks are on, and how many of it are left for those that follow, itself counted; 0: it begins later. */
GL_API uint64_t gl_clock_map_find(const gl_clock_map *map, uint64_t ticks, gl_clock_segment *line);

/** ns that so many ticks of a line take. */
static inline uint64_t gl_clock_span_ns(const gl_clock_segment *line, uint64_t ticks)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)ticks * line->rate) >> 32);
}

/** The same as gl_clock_map_ns, for many ticks in a row: `newest` is a copy of the newest line. */
static inline int64_t gl_clock_line_ns(const gl_clock_map *map, const gl_clock_segment *newest, uint64_t ticks)
{
    if (ticks >= newest->ticks)
        return (int64_t)((uint64_t)newest->ns + gl_clock_span_ns(newest, ticks - newest->ticks));
    return gl_clock_map_ns(map, ticks);
}

#ifdef __cplusplus
}
#endif
#endif
