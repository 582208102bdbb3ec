/*
 * Whether a thread's seccomp filters allow the calls that are to be made in its name: found out by running the filters on
 * them here, since one that kills would kill the program.
 */
#ifndef GOLANES_PATCH_SECCOMP_H
#define GOLANES_PATCH_SECCOMP_H

#include <linux/filter.h>

#include "gorun/surgeon.h"

typedef struct gl_seccomp_call {
    const char *name;
    long number;
    uint64_t args[6];
} gl_seccomp_call;

/** 0 where s->held[0] may make all the calls from the instruction before `ip`; else a sentence that says why not. */
int gl_seccomp_check(const gl_surgeon *s, uint64_t ip, const gl_seccomp_call *calls, size_t n, gl_error *err) GL_MUST_CHECK;

/** What a filter answers; SECCOMP_RET_KILL_PROCESS where it is none. */
uint32_t gl_seccomp_run(const struct sock_filter *filter, size_t n, const gl_seccomp_call *call, uint64_t ip);

#endif
