/* What the files of the translation share. */
#ifndef GOLANES_GORUN_TRANSLATE_INTERNAL_H
#define GOLANES_GORUN_TRANSLATE_INTERNAL_H

#include "translate.h"

/** A record on its way. */
typedef struct gl_turn {
    gl_translation *t;
    gl_patch_thread *thread;
    uint32_t ring;
    const gl_patch_record *r;
    const uint64_t *more; /* its further units */
    uint64_t g;           /* of r, without the count */
} gl_turn;

/** Adds an event in the context of the record's thread; it can be completed until the next one. */
gl_event *gl_turn_event(const gl_turn *x, gl_event_type type, uint64_t g);
uint64_t gl_turn_goroutine(const gl_turn *x, uint64_t g);
uint32_t gl_translate_text(gl_translation *t, const char *text, size_t n);
size_t gl_translate_unwrapped(const gl_translation *t, const uint64_t *pcs, size_t n);
uint32_t gl_translate_stack_id(gl_translation *t, uint64_t hash);

typedef void (*gl_turn_fn)(const gl_turn *x);
/* translate_state.c */
void gl_turn_cas(const gl_turn *x);
void gl_turn_newproc(const gl_turn *x);
/* translate_gc.c */
void gl_turn_gc_start(const gl_turn *x);
void gl_turn_gc_end(const gl_turn *x);
void gl_turn_stop(const gl_turn *x);
void gl_turn_stop_end(const gl_turn *x);
void gl_turn_assist(const gl_turn *x);
void gl_turn_assist_end(const gl_turn *x);
/* translate_chan.c */
void gl_turn_chan_begin(const gl_turn *x);
void gl_turn_send_end(const gl_turn *x);
void gl_turn_recv_end(const gl_turn *x);
void gl_turn_close(const gl_turn *x);
void gl_turn_select(const gl_turn *x);
void gl_turn_select_end(const gl_turn *x);
void gl_turn_make(const gl_turn *x);
void gl_turn_failure(const gl_turn *x);

#endif
