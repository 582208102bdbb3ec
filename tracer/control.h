/*
 * How a recording is asked for a snapshot from outside: a socket without a place in the file system, named after the
 * recorder's process and after the one that it records. Only the recorder's own user, and root, are heard.
 *
 * Threads: open and close by one; it answers on a thread of its own.
 */
#ifndef GOLANES_CONTROL_H
#define GOLANES_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

#include "golanes/error.h"

typedef struct gl_control gl_control;

/** Does what was asked; text gets the answer. 0 or a gl_status. */
typedef int (*gl_control_fn)(void *user, char *text, size_t size);

/** program: the process that is recorded. NULL: no memory, or no socket is to be had; then nobody can ask. */
gl_control *gl_control_open(pid_t program, gl_control_fn answer, void *user);
void gl_control_close(gl_control *c);

/** Asks the recorder that is process `pid`, or that records it. text gets its answer, or what is wrong. GL_E_NOT_FOUND:
    nobody is there. */
int gl_control_ask(pid_t pid, char *text, size_t size);

#endif
