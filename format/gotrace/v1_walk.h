/*
 * The first pass: v1_walk.c steps over the events, v1_mend.c finds the way on where they break.
 */
#ifndef GOLANES_GOTRACE_V1_WALK_H
#define GOLANES_GOTRACE_V1_WALK_H

#include "v1.h"

#define V1_WALK_WINDOW ((size_t)256 * 1024)
#define V1_EXTENT_BYTES (64u * 1024) /* small batches of one P in a row share an entry up to here */

typedef struct gl_v1_walker {
    gl_v1_trace *t;
    uint8_t *window;
    size_t room;
    const uint8_t *at, *end;
    uint64_t base;   /* offset of the window's first byte */
    uint32_t proc;   /* V1_NONE: no batch yet */
    bool open;       /* the last extent takes what comes */
    bool has_events; /* it holds a timed event */
    uint64_t exit_min;
    uint64_t seq;
    int64_t max_before;  /* latest time before the open extent */
    uint64_t events_before;
} gl_v1_walker;

static inline uint64_t gl_v1_walk_offset(const gl_v1_walker *w, const uint8_t *p)
{
    return w->base + (uint64_t)(p - w->window);
}

static inline void gl_v1_walk_seek(gl_v1_walker *w, uint64_t offset)
{
    w->base = offset;
    w->at = w->end = w->window;
}

/** Makes n bytes ready, fewer only at the end of the input. 0 or negative. */
int gl_v1_walk_ensure(gl_v1_walker *w, size_t n);
/** Ends the open extent before an offset. One without events is forgotten, unless something is missing behind it. */
void gl_v1_walk_close(gl_v1_walker *w, uint64_t end, uint32_t gap);
int gl_v1_walk_open(gl_v1_walker *w, uint64_t offset, int64_t ticks);

/** Whether a batch may begin at this time: any that is met. proc: V1_NONE where the P is new. */
bool gl_v1_believable_time(const gl_v1_trace *t, uint32_t proc, int64_t ticks);
/** Nothing from `offset` on could be used (cut: the input ends inside an event): goes on where events can be read. */
int gl_v1_pass_over(gl_v1_walker *w, uint64_t offset, bool cut);

#endif
