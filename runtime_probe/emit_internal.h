/* What the files of the emitting side share. Everything here may run in a signal handler, except where said. */
#ifndef GOLANES_EMIT_INTERNAL_H
#define GOLANES_EMIT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/emit.h"

/** Gives the thread a ring (self->ring), or false: no memory, or all rings are taken. */
bool gl_emit_acquire(gl_emit_thread *self);
/** Counts an event of a thread without a ring. */
void gl_emit_count_no_ring(void);
/** The header of the session's file; where there is none, one that is all zero. */
gl_ring_header *gl_emit_header(void);
/** This process, as the last fork left it. */
uint32_t gl_emit_pid(void);
/** False when the session's recorder is known to be gone. */
bool gl_emit_recorder_lives(void);

uint64_t gl_emit_soft_clock(void);
/** Now, in ticks of the writer's session. */
uint64_t gl_emit_now(const gl_emit_writer *t);
/** Goes on in the next block, or counts a loss and returns false. */
bool gl_emit_next_block(gl_emit_thread *self, gl_emit_writer *t);
/** Publishes all that was written before p. */
void gl_emit_publish(gl_emit_writer *t, uint8_t *p);

/** What an event refers to. */
enum { GL_EMIT_TEXT, GL_EMIT_COPY, GL_EMIT_STACK };
typedef struct gl_emit_ref {
    const void *p;
    uint32_t n; /* frames of a stack */
    uint32_t kind;
    uint32_t id; /* out: its number in the current block, 0 none */
} gl_emit_ref;

/** Finds or defines them all in one block; false: no room, counted. An event fits behind them, if its block is not full. */
bool gl_emit_resolve(gl_emit_thread *self, gl_emit_writer *t, gl_emit_ref *refs, unsigned n);

/** For tests that race both sides in one address space, where a sanitizer can see it: takes up a session's file by the
    recorder's own mapping of it. Not for signal handlers. */
void gl_emit_adopt_(void *base, int fd);

#endif
