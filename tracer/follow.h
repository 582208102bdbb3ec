/*
 * Following a program's children to the Go programs among them.
 *
 * A process that is no recorded program itself (a shell, make, the go command) is traced for what leads to others: fork
 * and exec. When one of these executes a program that is wanted, it is handed to the provider while it stands in front
 * of its first instruction, and is traced no more. What leads nowhere (a compiler) is let go at once. A recorded program is
 * not traced: its children wait for us at a gate (golanes/probe_source.h) before their exec.
 *
 *     gl_follow_new(&options, &f, &err);
 *     gl_follow_take(f, pid, &err);       a child of ours, before its exec
 *     after each SIGCHLD, or whenever gl_follow_descriptor is readable: gl_follow_look(f);
 *     gl_follow_free(f);                  all go on by themselves
 *
 * Threads: all calls by the thread that forks and traces.
 */
#ifndef GOLANES_FOLLOW_H
#define GOLANES_FOLLOW_H

#include <stdbool.h>
#include <sys/types.h>

#include "golanes/goprog.h"
#include "golanes/probe_source.h"

typedef struct gl_follow gl_follow;

typedef struct gl_follow_options {
    const gl_probe_provider *provider; /**< which can take up what was caught */
    gl_session_options rings;
    /** Whether a Go program is to be recorded. */
    bool (*wanted)(void *user, const char *path, gl_goprog_role role);
    bool through_tools; /**< Go's tools are followed too, though they start nothing of interest */
    /** A program is recorded from its first instruction on; the source is the receiver's. */
    void (*recorded)(void *user, const gl_probe_source *source);
    /** A program that was wanted runs unrecorded: err says why. */
    void (*refused)(void *user, const char *path, const gl_error *err);
    void *user;
} gl_follow_options;

int gl_follow_new(const gl_follow_options *opt, gl_follow **out, gl_error *err) GL_MUST_CHECK;
/** Seizes a process that has not executed its program yet. The first one is the root. */
int gl_follow_take(gl_follow *f, pid_t pid, gl_error *err) GL_MUST_CHECK;
/** What a recorded program starts, or becomes by exec, is followed from now on, where it has a gate. Before the source is
    handed on. root: it is the program that was started. */
void gl_follow_gate(gl_follow *f, const gl_probe_source *source, bool root);
/** Readable when there is something to be looked at beside what SIGCHLD tells. */
int gl_follow_descriptor(const gl_follow *f);
/** Goes on with whatever has stopped. */
void gl_follow_look(gl_follow *f);
/** While we trace the root, or it is about to become ours, nobody else may wait for it: */
bool gl_follow_has_root(const gl_follow *f);
/** True once it has ended while we traced it; its status, as waitpid has it. */
bool gl_follow_root_ended(const gl_follow *f, int *wait_status);
/** The signal by which the root was stopped since the last call, 0: none. */
int gl_follow_root_stopped(gl_follow *f);
/** Lets all go. NULL is accepted. */
void gl_follow_free(gl_follow *f);

/** Whether a program file is one that joins a recording by itself: it is linked with golanes. */
bool gl_follow_is_linked(const char *path);

#endif
