/*
 * A trace from a running program that serves net/http/pprof.
 *
 * Threads: one fetch at a time per process start-up of libcurl; see gl_pprof_fetch.
 */
#ifndef GOLANES_TRACER_PPROF_FETCH_H
#define GOLANES_TRACER_PPROF_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

/** Called a few times a second: ns since the program began to trace, ns asked for, bytes so far. Non-zero cancels. */
typedef int (*gl_pprof_progress_fn)(void *user, uint64_t done_ns, uint64_t total_ns, uint64_t bytes);

typedef struct gl_pprof_options {
    const char *address;           /**< http://HOST:PORT[/PATH][?QUERY]; without a path: /debug/pprof/trace */
    unsigned seconds;              /**< how long to trace; not used where the address has seconds= itself */
    unsigned patience_s;           /**< give up after this much silence beyond `seconds`; 0: 30 */
    gl_pprof_progress_fn progress; /**< may be NULL */
    void *progress_user;
} gl_pprof_options;

/** True for what gl_pprof_fetch takes: http:// and https://. */
bool gl_pprof_is_address(const char *text);
/** The address that will be asked, with path and seconds. Bytes as of snprintf. */
int gl_pprof_address(const char *address, unsigned seconds, char *out, size_t n);
/**
 * Fetches a trace into a nameless temporary file ($TMPDIR, else /tmp); *fd is the caller's, at its start. Blocks for as
 * long as the trace takes. The first call in a process must not run beside other threads that use libcurl.
 * GL_E_IO: no connection, or it broke; GL_E_NOT_FOUND: no such page there; GL_E_UNSUPPORTED: the program answered that
 * it will not; GL_E_CANCELLED.
 */
int gl_pprof_fetch(const gl_pprof_options *opt, int *fd, gl_error *err) GL_MUST_CHECK;

#endif
