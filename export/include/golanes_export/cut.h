/*
 * A part of a trace that stands alone: events go in from the trace's start, those of the part come out, and before them
 * what was going on when it began. What was under way then (a stop of the world, an assist, a region, a task, an operation
 * on a channel) is begun again, marked inferred.
 *
 * The part begins with the first event, in the order of the trace, at or after `from`, and holds every event after it
 * whose time lies before `to`; stamps may step back a little, so that some of them can lie before `from`.
 *
 * Memory follows the live goroutines. Threads: one thread at a time per gl_cut.
 */
#ifndef GOLANES_EXPORT_CUT_H
#define GOLANES_EXPORT_CUT_H

#include <stdbool.h>

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_cut_options {
    const gl_dict *dict; /**< required */
    int64_t from, to;    /**< ns: [from, to) */
    bool rebase;         /**< times that come out count from the part's first event */
    gl_event_fn on_events; /**< required */
    void *user;
} gl_cut_options;

typedef struct gl_cut gl_cut;

/** NULL: no memory. */
gl_cut *gl_cut_new(const gl_cut_options *opt);
/** A gl_event_fn. */
int gl_cut_sink(void *cut, const gl_event *events, size_t n);
/** True where the part has begun; *first is then its first time, in the time of the trace that came in. */
bool gl_cut_began(const gl_cut *c, int64_t *first);
/** True once nothing more can come out: the producer may stop. */
bool gl_cut_done(const gl_cut *c);
void gl_cut_destroy(gl_cut *c);

#ifdef __cplusplus
}
#endif
#endif
