/*
 * The recorder's side of the rings: makes them or joins a program that offers itself, and reads them.
 *
 *     gl_session_create(&options, &s, &err);          before the program starts, or
 *     gl_session_join(pid, &options, &s, &err);       while it runs
 *     gl_session_listen(s, true);
 *     until the program has ended:
 *         for (i = 0; i < gl_session_rings(s); i++)
 *             gl_session_drain(s, i, &sink, &err);
 *         gl_session_tend(s);
 *     for each ring: gl_session_finish(s, i, &sink, &err);
 *     gl_session_close(s);
 *
 * A program started by the recorder finds the session by an inherited descriptor and an environment variable:
 * gl_session_fd and gl_session_environment. One that was started before is found by /proc/PID/fd. The memory outlives
 * the program: what it wrote last can be drained after its death, however it died.
 *
 * Nothing that is read from the shared memory is trusted: what makes no sense is passed over and becomes a Lost event.
 *
 * Errors: 0 or negative gl_status; *err (may be NULL) says it in a sentence.
 * Threads: create, join, listen, tend and close by one thread at a time, not during a drain. Different rings may be
 * drained by different threads at once; one ring by one thread at a time.
 */
#ifndef GOLANES_PROBE_SESSION_H
#define GOLANES_PROBE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "golanes/clock.h"
#include "golanes/error.h"
#include "golanes/events.h"
#include "golanes/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_session gl_session;

/** Zero-initialise: 0 everywhere is the default. Memory is used as rings are used; slots that nobody takes cost nothing. */
typedef struct gl_session_options {
    uint32_t slots;       /**< rings in all, that is threads at once; 0: 2048 */
    uint32_t large_rings; /**< how many of them are large: the first to be taken; 0: 32 */
    uint64_t large_bytes; /**< size of those, made a power of two; 0: 8 MiB, 150 ms and more at 5 million events a second */
    uint64_t small_bytes; /**< size of the others; 0: 256 KiB */
    uint32_t ready;       /**< free rings whose memory is kept at hand; 0: twice the processors, and four */
    gl_ring_policy policy;
    bool follow;     /**< children of the program, by fork or exec, join with rings of their own */
    bool soft_clock; /**< CLOCK_MONOTONIC even where a better clock can be had */
    bool salvage;    /**< join: begin with what a recorder that is gone has left undrained, not with the present */
} gl_session_options;

/** Who wrote what follows. */
typedef struct gl_session_owner {
    uint32_t pid, tid; /**< as the program sees itself: of its own pid namespace */
    uint32_t turn;     /**< owners of this ring so far: tells threads apart that had the same tid; 0: from an argument */
    uint32_t ring;
} gl_session_owner;

/** What the recorder makes of a thread. */
typedef struct gl_session_thread {
    uint32_t thread;  /**< index for gl_event.thread and THREAD arguments */
    uint32_t process; /**< index, put into bits 48 and up of goroutine ids that are not 0 */
} gl_session_thread;

/**
 * Where drained events go. Each returns 0, or a negative gl_status that ends the drain and is passed on: the ring cannot
 * be drained further then. on_events may also return GL_DRAIN_ENOUGH: after one call more at most the drain ends, with 0,
 * and what is left stays in the ring. Pointers are good during the call.
 *
 * Events come in the order of their thread. They are complete gl_events, but for their time, and argument `until` of
 * Lost, which are ticks: see golanes/clock.h. Texts and stacks are ids as the callbacks gave them; threads likewise.
 */
#define GL_DRAIN_ENOUGH 1

/** For a sink that wants events where it keeps them, without a copy, and their times (and `until` of Lost) in ns. */
typedef struct gl_session_direct {
    /** Places for events; *n of them, at least one. NULL: no memory. They are good up to the next call of added. */
    gl_event *(*room)(void *user, size_t *n);
    /** n of those places hold events now. Returns what on_events would. */
    int (*added)(void *user, size_t n);
    const gl_clock_map *clock;
} gl_session_direct;

typedef struct gl_session_sink {
    void *user;
    int (*on_thread)(void *user, const gl_session_owner *owner, gl_session_thread *out);
    int (*on_text)(void *user, const char *text, size_t n, uint32_t *id);
    /** Code addresses of process `pid`, innermost first; return addresses but for the innermost. */
    int (*on_stack)(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id);
    gl_event_fn on_events;
    const gl_session_direct *direct; /**< what a ring's decoder uses in the place of on_events; may be NULL */
} gl_session_sink;

typedef struct gl_session_ring_info {
    gl_ring_state state;
    uint32_t pid, tid, turn; /**< owner, or the last one */
    uint64_t bytes;          /**< size */
    uint64_t written;        /**< since it was made */
    uint64_t waiting;        /**< not drained yet */
    uint64_t lost;           /**< events that found no room */
    uint64_t overwritten;    /**< bytes that the writer overwrote before they were drained */
    uint64_t damaged;        /**< bytes that made no sense */
} gl_session_ring_info;

/** Events of threads that found no free ring. */
typedef struct gl_session_no_ring {
    uint64_t events;
    uint64_t first, last; /**< ticks */
} gl_session_no_ring;

/** GL_E_IO, GL_E_NOMEM, GL_E_USAGE (sizes that don't make sense), GL_E_UNSUPPORTED (no /proc). */
GL_API int gl_session_create(const gl_session_options *opt, gl_session **out, gl_error *err) GL_MUST_CHECK;
/**
 * Joins a running program. Sizes and clock hold where no recorder has joined it before, else they stay as they are.
 * GL_E_NOT_FOUND: no such process, or it does not offer itself. GL_E_UNSUPPORTED: may not be looked at, or another
 * version. GL_E_USAGE: it is being recorded already. One recorder at a time; when it ends, in whatever way, the next
 * can come.
 */
GL_API int gl_session_join(pid_t pid, const gl_session_options *opt, gl_session **out, gl_error *err) GL_MUST_CHECK;

/** The descriptor that a started program is to inherit, close-on-exec here: clear that in the child (in posix_spawn by
    adddup2 onto itself). Stays the session's. */
GL_API int gl_session_fd(const gl_session *s);
/** Writes "GOLANES_RING_FD=n" for the program's environment. */
GL_API void gl_session_environment(const gl_session *s, char *text, size_t size);

/** Programs emit from now on, or do so no more. */
GL_API void gl_session_listen(gl_session *s, bool on);
GL_API void gl_session_set_policy(gl_session *s, gl_ring_policy policy);
GL_API gl_ring_clock gl_session_clock(const gl_session *s);
/** Reads the clocks together; the pair is also kept in the shared memory, for whoever reads it after us. */
GL_API void gl_session_take_clock(gl_session *s, gl_ring_pair *out);
/** How often a program has taken up the session, and the version of a library that could not (0: none). */
GL_API uint32_t gl_session_attached(const gl_session *s, uint32_t *refused_version);

/** Housekeeping, every 10 to 100 ms: keeps memory of free rings at hand, takes rings back from threads that are gone
    without saying so. Returns the number of rings taken back. */
GL_API uint32_t gl_session_tend(gl_session *s);

/** Rings ever used: 0 … n-1 are worth a drain. Only grows. */
GL_API uint32_t gl_session_rings(const gl_session *s);
/** All that is complete in the ring now, or as much as the sink wants. */
GL_API int gl_session_drain(gl_session *s, uint32_t ring, const gl_session_sink *sink, gl_error *err) GL_MUST_CHECK;
/** The last drain, when nobody writes any more: also tells of losses that the program could not tell of itself. */
GL_API int gl_session_finish(gl_session *s, uint32_t ring, const gl_session_sink *sink, gl_error *err) GL_MUST_CHECK;
GL_API void gl_session_ring_info_get(const gl_session *s, uint32_t ring, gl_session_ring_info *out);
GL_API void gl_session_no_ring_get(const gl_session *s, gl_session_no_ring *out);

/** Stops listening, gives memory of unused rings back, frees. The program goes on. NULL is accepted. */
GL_API void gl_session_close(gl_session *s);

#ifdef __cplusplus
}
#endif
#endif
