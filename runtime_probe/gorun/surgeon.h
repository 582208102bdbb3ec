/*
 * Holding a process still, all of it or one thread, by ptrace; changing its memory; letting it go as it was.
 *
 * A thread that is held when we die is let go by the kernel, as it was; one that stands at a signal gets it. So nothing is
 * ever done to a thread that it could not go on with by itself (inject.h says how it is made to call the system).
 *
 * Threads: all calls between a stop and its release by one thread, with signals blocked (gl_surgeon_quiet).
 */
#ifndef GOLANES_GORUN_SURGEON_H
#define GOLANES_GORUN_SURGEON_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "golanes/error.h"

typedef struct gl_held {
    pid_t tid;
    bool stopped, gone;
    int signal; /* that was about to be delivered when it stopped */
} gl_held;

typedef struct gl_surgeon {
    pid_t pid;
    int mem;
    gl_held *held;
    size_t n, room;
} gl_surgeon;

int gl_surgeon_open(gl_surgeon *s, pid_t pid, gl_error *err) GL_MUST_CHECK;
void gl_surgeon_close(gl_surgeon *s);

/** Blocks signals for this thread, so that nothing ends us while others are held; and takes it back. */
void gl_surgeon_quiet(sigset_t *before);
void gl_surgeon_unquiet(const sigset_t *before);

/** Stops all threads; none is stopped after a failure. GL_E_CANCELLED: a thread did not stop in time; try again. */
int gl_surgeon_stop(gl_surgeon *s, int64_t within_ns, gl_error *err) GL_MUST_CHECK;
/** Stops one thread, whichever answers: s->held[0]. */
int gl_surgeon_stop_one(gl_surgeon *s, int64_t within_ns, gl_error *err) GL_MUST_CHECK;
/** Seizes a child between fork and exec, so that its exec stops it: 0 or an errno. (What PTRACE_TRACEME gives instead, a
    SIGTRAP, would be its end should we die.) */
int gl_surgeon_seize_child(pid_t pid);
/** Takes up such a child, in front of the first instruction that it runs. caught: this thread has waited for the stop of
    its exec already. Where it has ended, its status is still to be waited for. */
int gl_surgeon_adopt(gl_surgeon *s, bool caught, gl_error *err) GL_MUST_CHECK;
/** Lets all go on. */
void gl_surgeon_release(gl_surgeon *s);

bool gl_surgeon_regs(const gl_held *h, struct user_regs_struct *out);
bool gl_surgeon_set_regs(const gl_held *h, const struct user_regs_struct *regs);

/** Exactly n bytes, or false. The writes go through what is mapped read-only. */
bool gl_surgeon_read(const gl_surgeon *s, uint64_t address, void *to, size_t n);
bool gl_surgeon_write(gl_surgeon *s, uint64_t address, const void *from, size_t n);

/** Lets held[0] go on to the next begin or end of a system call. */
int gl_surgeon_to_call(gl_surgeon *s, gl_error *err) GL_MUST_CHECK;
/** Brings held[0] into the stop of an interrupt; its program goes on by no instruction. */
int gl_surgeon_interrupt(gl_surgeon *s, gl_error *err) GL_MUST_CHECK;

#endif
