/*
 * System calls in the name of a thread that is held, so that it goes on as it was whatever becomes of us: what it runs
 * makes the call and then puts its signal mask and its registers back by itself, from values that stand beside the code.
 * Whoever is killed at any moment of this leaves a thread that is at most some instructions late.
 *
 *     gl_inject_begin(&in, s, at, ...);   s->held[0] is stopped; at: GL_INJECT_BYTES of code that nobody runs
 *     gl_inject(&in, SYS_..., args, &result, &err);   as often as wanted
 *     gl_inject_end(&in);                 the code is what it was
 */
#ifndef GOLANES_GORUN_INJECT_H
#define GOLANES_GORUN_INJECT_H

#include "surgeon.h"

#define GL_INJECT_BYTES 256u
#define GL_INJECT_TEXT 64u /* bytes of a text that a call may point to */

typedef struct gl_injector {
    gl_surgeon *s;
    uint64_t at;
    uint8_t before[GL_INJECT_BYTES];
} gl_injector;

/** Whether one that was killed has left its code there: then a thread might still be in it. */
bool gl_inject_is_left(const gl_surgeon *s, uint64_t at);
/** file: what the program's file has there, NULL where it has nothing. */
int gl_inject_begin(gl_injector *in, gl_surgeon *s, uint64_t at, const uint8_t *file, gl_error *err) GL_MUST_CHECK;
/** Puts a text where calls can point to: its address. 0 where that does not work. */
uint64_t gl_inject_text(gl_injector *in, const char *text);
/** *result is the kernel's, negative: -errno. */
int gl_inject(gl_injector *in, long number, const uint64_t args[6], int64_t *result, gl_error *err) GL_MUST_CHECK;
void gl_inject_end(gl_injector *in);

#endif
