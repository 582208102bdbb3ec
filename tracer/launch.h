/*
 * Starting the program that is to be recorded, as if it were started without us: same streams, same process group, same
 * signal dispositions and mask as this process was given itself.
 *
 * Threads: one; gl_launch_remember before any handler is set.
 */
#ifndef GOLANES_LAUNCH_H
#define GOLANES_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "golanes/probe_source.h"

/** Remembers which signals are ignored and blocked: a program that is started finds them so. */
void gl_launch_remember(void);

/** The file that execvp would run, into path; false where there is none that can be run. */
bool gl_launch_find(const char *name, char *path, size_t size);

/** How a launch failed, beside gl_status. */
typedef enum gl_launch_result {
    GL_LAUNCHED = 0,
    GL_LAUNCH_NOT_FOUND,      /**< there is no such program */
    GL_LAUNCH_NOT_EXECUTABLE, /**< it can't be executed */
    GL_LAUNCH_FAILED          /**< anything else; the program does not run */
} gl_launch_result;

/** What is done between fork and exec: the child waits until it is done. */
typedef struct gl_launch_gate {
    void (*forked)(void *user, pid_t pid);
    void *user;
} gl_launch_gate;

/**
 * Starts target->argv with what the provider wants it to have. Signals that are blocked when this is called stay blocked
 * here. gate may be NULL. *pid, *source: the program and its events. Where the program runs but can't be recorded, source->ops is NULL and
 * *err says why.
 */
gl_launch_result gl_launch(const gl_probe_provider *provider, const gl_probe_target *target, const gl_launch_gate *gate,
                           pid_t *pid, gl_probe_source *source, gl_error *err);

#endif
