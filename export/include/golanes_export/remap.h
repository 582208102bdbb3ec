/*
 * Events of one dictionary told in the words of another: texts, functions, frames, stacks and threads that an event refers
 * to are added to the other dictionary when they are first met, so that it holds what is used and nothing else.
 *
 * With a process number, what a number means in one process only (goroutines, tasks, channels, Ps) is made different from
 * what other processes call so: goroutines, tasks and channels get the process in bits 48 and up, the Ps of process k are
 * 1000 k and up. Where the trace holds several processes, k is the number of the first of them.
 *
 * Threads: one thread at a time per gl_remap.
 */
#ifndef GOLANES_EXPORT_REMAP_H
#define GOLANES_EXPORT_REMAP_H

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_remap gl_remap;

/** from may grow while events come. NULL: no memory. */
gl_remap *gl_remap_new(const gl_dict *from, gl_dict *to, uint32_t process);
void gl_remap_destroy(gl_remap *r);
/** Changes the event in place. */
int gl_remap_event(gl_remap *r, gl_event *ev) GL_MUST_CHECK;
/** The other dictionary's number of a text. */
int gl_remap_string(gl_remap *r, uint32_t id, uint32_t *out) GL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
