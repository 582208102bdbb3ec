/*
 * Where a recording's events come from. The recorder (tracer/) knows sources and providers only: a source is drained, a
 * provider makes one for a program that is about to start, or for a process. The C emit API is one kind; a probe that
 * patches programs which know nothing of us is another. Several sources may feed one file.
 *
 *     for each provider, in turn, the first that fits() the target:
 *         prepare() → fork → forked() → exec → started()           a program to be started, or
 *         join()                                                   a process
 *     begin()
 *     until the program has ended, or the recording is to end:
 *         take_clock() now and then; for each of rings(): drain(); tend()
 *     stop(); for each of rings(): finish(); close()
 *
 * Errors: 0 or negative gl_status, and a sentence in *err, as everywhere.
 * Threads: a provider's functions are called by one thread, the one that forks (so that it may trace the child). A
 * source's functions are called by one thread at a time, which may be another than that.
 */
#ifndef GOLANES_PROBE_SOURCE_H
#define GOLANES_PROBE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "golanes/probe_session.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where in the source code an address belongs. Texts live as long as the source. "" and 0: not known. */
typedef struct gl_probe_place {
    const char *func, *file;
    uint32_t line;
} gl_probe_place;
#define GL_PROBE_PLACES_MAX 16

/**
 * In memory that a recorded program shares with us: where a child of it waits between fork and exec, or a thread before
 * an exec, until we have seized it. While `open` is 0 nobody waits. One that has waited for `patience` in vain closes the
 * gate: the recorder is gone.
 */
typedef struct gl_probe_gate {
    uint32_t open;
    uint32_t tid;      /**< who waits, as it sees itself */
    uint32_t asked;    /**< counts those who have come; a futex */
    uint32_t answered; /**< who waits goes on once this is what `asked` was for it; a futex */
    int64_t patience[2]; /**< s, ns */
} gl_probe_gate;

/** Functions that may be NULL say so. `self` is the source's own. */
typedef struct gl_probe_source_ops {
    const char *name; /**< "emit": goes into the trace's metadata as source.kind */

    /** Rings 0 … n-1 are worth a drain. Only grows. */
    uint32_t (*rings)(void *self);
    /**
     * Delivers what is complete in the ring, in its order; times are ticks of `clock`. When on_events returns
     * GL_DRAIN_ENOUGH the rest should stay in the ring: drain then returns soon, with 0.
     */
    int (*drain)(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err);
    /** After stop, and after drain has found the ring empty: also what can be known only now. */
    int (*finish)(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err);
    /** Bytes that wait in the ring, and its size. */
    void (*fill)(void *self, uint32_t ring, uint64_t *waiting, uint64_t *size);
    /** Housekeeping, every 10 to 100 ms. */
    void (*tend)(void *self);
    void (*take_clock)(void *self, gl_ring_pair *out);

    /** Once, before any drain: events for the state in which things are found (GoStatus, ProcStatus, ChanMake…), delivered
        before all others. NULL: there are none. */
    int (*begin)(void *self, const gl_session_sink *sink, gl_error *err);
    /** Events of threads without a ring, so far. NULL: that cannot be. */
    void (*no_ring)(void *self, gl_session_no_ring *out);
    /** False once no more events can come though the process lives on. NULL: as long as the process lives. */
    bool (*alive)(void *self);
    /** The program is to emit no more; what it has emitted stays to be drained. */
    void (*stop)(void *self);
    /** Where nothing was recorded: a sentence on why, into text; false where there is nothing to say. NULL: never. */
    bool (*explain)(void *self, char *text, size_t size);
    /** Places of a code address in process pid, the innermost (inlined) function first; their number, 0: not known here.
        Of a return address the recorder takes 1 off first. NULL: the recorder looks into the process's ELF files. */
    size_t (*places)(void *self, uint32_t pid, uint64_t pc, gl_probe_place *out, size_t n);
    /** Metadata of the trace: calls put(user, key, value) for each. NULL: none. */
    int (*meta)(void *self, int (*put)(void *user, const char *key, const char *value), void *user);
    /** A descriptor of memory with the program's gate in it, which is the caller's, and where; -1: it has none. NULL: never. */
    int (*gate)(void *self, size_t *offset);
    void (*close)(void *self);
} gl_probe_source_ops;

typedef struct gl_probe_source {
    const gl_probe_source_ops *ops;
    void *self;
    gl_ring_clock clock;
    uint32_t pid;           /**< the process that was started or joined */
    const char *go_version; /**< "go1.26.1", as long as the source lives; NULL: not a Go program, or not known */
    const char *path;       /**< of the program, as long as the source lives; NULL: not known */
} gl_probe_source;

/** What is to be recorded. */
typedef struct gl_probe_target {
    pid_t pid;          /**< a process; 0: a program that is to be started */
    const char *path;   /**< the file that will be executed, or /proc/PID/exe */
    char *const *argv;  /**< NULL for a process */
    gl_session_options rings; /**< sizes, policy, follow, salvage */
    bool gate;          /**< what it starts is to wait for us */
} gl_probe_target;

/** What a program that is to be started gets beside what it would have: descriptors, NAME=value. Fixed at prepare. */
typedef struct gl_probe_start {
    int fds[4];
    unsigned fd_count;
    char environment[4][256];
    unsigned environment_count;
} gl_probe_start;

typedef struct gl_probe_provider {
    const char *name;
    /** 1: this target is for this provider. 0: it is not. Negative: it would be, but can't be recorded, *err says why. */
    int (*fits)(const gl_probe_target *target, gl_error *err);
    /** Before the fork. *state goes to the functions below. */
    int (*prepare)(const gl_probe_target *target, gl_probe_start *start, void **state, gl_error *err);
    /** After the fork, while the child waits in front of its exec, by the thread that forked, which may trace it. 0 or an
        errno: then `started` is not called. May be NULL. */
    int (*forked)(void *state, pid_t pid);
    /** After a successful exec, called by the thread that forked, before it does anything else with the child; *out takes
        the state over. On failure the state is gone too, and the child must be left running as it would be without us. */
    int (*started)(void *state, pid_t pid, gl_probe_source *out, gl_error *err);
    /** Like `started`, for a process that the calling thread has seized and that stands in the stop of its exec
        (PTRACE_EVENT_EXEC). Whatever comes of it, nobody traces the process afterwards. NULL: it can't be done. */
    int (*caught)(void *state, pid_t pid, gl_probe_source *out, gl_error *err);
    /** No program was started. */
    void (*discard)(void *state);
    int (*join)(const gl_probe_target *target, gl_probe_source *out, gl_error *err);
} gl_probe_provider;

/** Programs that are linked with golanes. Fits whatever it is asked about (any program may start one that is linked, and
    joining tells what is wrong with a process), so it goes last. */
extern GL_API const gl_probe_provider gl_probe_emit;

#ifdef __cplusplus
}
#endif
#endif
