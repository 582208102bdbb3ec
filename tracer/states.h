/*
 * How things stand at one point of a trace: which goroutines live and in which state, which Ps run, whether the collector
 * marks. So a file that begins in the middle of a recording can say so at its start.
 *
 * Threads: one. Memory: the live goroutines.
 */
#ifndef GOLANES_STATES_H
#define GOLANES_STATES_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/events.h"

typedef struct gl_states_g {
    uint64_t g; /* 0: an empty cell */
    uint32_t stack, reason, thread;
    uint8_t state;
} gl_states_g;

typedef struct gl_states_p {
    bool running;
    uint32_t thread;
} gl_states_p;

/** Zero-initialise. */
typedef struct gl_states {
    gl_states_g *cell; /* open addressing */
    size_t n, mask;
    gl_states_p *proc; /* by P */
    size_t procs;
    bool marking;
    uint64_t cycle;
} gl_states;

/** GL_E_NOMEM or 0. */
int gl_states_event(gl_states *s, const gl_event *ev);
static inline size_t gl_states_goroutines(const gl_states *s)
{
    return s->n;
}
/**
 * Events that say how things stand, all at `time`, flagged as inferred: a goroutine that waits comes as one that runs and
 * then blocks, so that its reason is known. out gets them in batches.
 */
int gl_states_put(const gl_states *s, int64_t time, gl_event_fn out, void *user);
void gl_states_free(gl_states *s);

#endif
