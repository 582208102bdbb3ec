/*
 * A running process, looked at from outside and left as it is: may it be traced, and what stands against it.
 */
#ifndef GOLANES_GOPROCESS_H
#define GOLANES_GOPROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_GOPROCESS_THREADS_MAX 4096

typedef struct gl_goprocess {
    int pid;
    char state;           /**< as ps(1) has it: 'R', 'S', 'Z' … */
    unsigned uid, own_uid;
    int tracer;           /**< process that traces it already, 0: none */
    int seccomp;          /**< 0: none, 1: strict, 2: filter */
    int ptrace_scope;     /**< kernel.yama.ptrace_scope; -1: there is no Yama */
    bool may_trace;       /**< the kernel allows this process to trace it (asked by reading its memory, which needs the same right) */
    size_t thread_count;  /**< the first GL_GOPROCESS_THREADS_MAX are in threads */
    int threads[GL_GOPROCESS_THREADS_MAX];
} gl_goprocess;

/** GL_E_NOT_FOUND: no such process. */
GL_API int gl_goprocess_look(int pid, gl_goprocess *out, gl_error *err) GL_MUST_CHECK;
/** 0, or GL_E_UNSUPPORTED and one sentence why it can't be traced, with what to do. */
GL_API int gl_goprocess_check(const gl_goprocess *p, gl_error *err) GL_MUST_CHECK;

/** The machine's clock, as far as stamps by the processor's counter (TSC) depend on it. */
typedef struct gl_goclock {
    char source[32];             /**< the kernel's clock source: "tsc" */
    bool constant, nonstop;      /**< flags of the processor: the counter's rate never changes, and it never stops */
    bool trusted;                /**< it keeps its rate, and the kernel keeps time by it */
} gl_goclock;
GL_API void gl_goclock_look(gl_goclock *out);

#ifdef __cplusplus
}
#endif
#endif
