/*
 * The event vocabulary as C sees it, made from events.def, and the event itself.
 *
 * Threads: everything here is constant data or works on the caller's own storage.
 */
#ifndef GOLANES_EVENTS_H
#define GOLANES_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Event codes: GL_EV_GoBlock and so on. */
typedef enum gl_event_type {
    GL_EV_INVALID = 0,
#define GL_ARG(kind, name)
#define GL_EVENT(code, name, op, phase, stack, meaning, count, ...) GL_EV_##name = code,
#include "golanes/events.def"
#undef GL_EVENT
#undef GL_ARG
    GL_EV_LIMIT = 128 /**< codes are below this; a file may hold codes that this table does not */
} gl_event_type;

typedef enum gl_phase { GL_PHASE_INSTANT, GL_PHASE_BEGIN, GL_PHASE_END, GL_PHASE_ACTIVE } gl_phase;

/** How an argument is read. The order is part of the file format (FORMAT.md, "Argument kinds"): append only. */
typedef enum gl_kind {
    GL_KIND_NONE = 0,
    GL_KIND_GOROUTINE,  /**< goroutine id, 0 none */
    GL_KIND_PROC,       /**< P id; GL_NO_PROC none */
    GL_KIND_THREAD,     /**< index into the thread table; GL_NO_THREAD none */
    GL_KIND_CHAN,       /**< channel address, 0 not known */
    GL_KIND_STRING,     /**< string id */
    GL_KIND_STACK,      /**< stack id, 0 none */
    GL_KIND_GSTATE,     /**< gl_gstate */
    GL_KIND_PSTATE,     /**< gl_pstate */
    GL_KIND_BOOL,       /**< 0 or 1 */
    GL_KIND_CHANRESULT, /**< gl_chan_result */
    GL_KIND_CHANDIR,    /**< gl_chan_dir */
    GL_KIND_TASK,       /**< user task id, 0 none or background */
    GL_KIND_COUNT,      /**< a plain count */
    GL_KIND_BYTES,      /**< bytes */
    GL_KIND_TIME,       /**< ns since the start of the trace */
    GL_KIND_CLOCK,      /**< ns of another clock, 0 not known */
    GL_KIND_SEQUENCE,   /**< a number that grows by steps of one or two */
    GL_KIND_NUMBER,     /**< any 64-bit number */
    GL_KIND_COUNT_
} gl_kind;

/** Life of a goroutine. Numbers are part of the file format. */
typedef enum gl_gstate {
    GL_G_UNDETERMINED = 0, /**< not known yet: before it was first mentioned */
    GL_G_NOT_EXIST = 1,
    GL_G_RUNNABLE = 2,
    GL_G_RUNNING = 3,
    GL_G_SYSCALL = 4,
    GL_G_WAITING = 5,
    GL_G_STATES
} gl_gstate;

/** Life of a P. Numbers are part of the file format. */
typedef enum gl_pstate { GL_P_UNDETERMINED = 0, GL_P_NOT_EXIST = 1, GL_P_RUNNING = 2, GL_P_IDLE = 3, GL_P_STATES } gl_pstate;

typedef enum gl_chan_result {
    GL_CHAN_DONE = 0,       /**< the operation took place */
    GL_CHAN_WOULD_BLOCK = 1,/**< non-blocking and not ready (select with default) */
    GL_CHAN_CLOSED = 2,     /**< a receive returned because the channel is closed and empty */
    GL_CHAN_PANIC = 3       /**< send on closed, close of closed or nil channel */
} gl_chan_result;

typedef enum gl_chan_dir { GL_CHAN_DEFAULT = 0, GL_CHAN_SEND = 1, GL_CHAN_RECV = 2 } gl_chan_dir;

#define GL_EVENT_ARGS_MAX 4
#define GL_NO_THREAD UINT32_C(0xffffffff)
#define GL_NO_PROC UINT32_C(0xffffffff)

/** Bits of gl_event.flags. Numbers are part of the file format. */
#define GL_FLAG_COROUTINE 1u /**< part of a coroutine switch (iter.Pull): GoUnpark, GoBlock or GoEnd, GoStart come as three */
#define GL_FLAG_INFERRED 2u  /**< not stated by the source but concluded from it */
#define GL_FLAG_RESYNC 4u    /**< the source was damaged before this event; state was taken up anew here */

/**
 * One event. Context fields (thread, p, g) are those before the event took effect.
 * 64 bytes; plain data, copied freely.
 */
typedef struct gl_event {
    int64_t time;   /**< ns since the start of the trace; the event's own stamp, may step back between threads */
    uint64_t g;     /**< goroutine, 0 none. Bits 48 and up: process index where a trace holds several */
    uint64_t arg[GL_EVENT_ARGS_MAX];
    uint32_t thread; /**< thread table index, GL_NO_THREAD none */
    uint32_t p;      /**< P id, GL_NO_PROC none */
    uint32_t stack;  /**< stack id, 0 none */
    uint16_t type;   /**< gl_event_type; may be unknown to this table */
    uint16_t flags;
} gl_event;

typedef struct gl_arg_info {
    gl_kind kind;
    const char *name; /**< JSON name */
} gl_arg_info;

typedef struct gl_event_info {
    const char *name;      /**< "GoBlock" */
    const char *operation; /**< "GoSyscall" for GoSyscallBegin and GoSyscallEnd */
    const char *meaning;   /**< one clause */
    gl_phase phase;
    uint8_t code;
    uint8_t has_stack;
    uint8_t arg_count;
    gl_arg_info args[GL_EVENT_ARGS_MAX];
} gl_event_info;

/** The table's row for a code, or NULL where the table has none. */
GL_API const gl_event_info *gl_event_lookup(unsigned code);
/** The row whose name is NAME (exact), or NULL. */
GL_API const gl_event_info *gl_event_by_name(const char *name);
/** "Waiting", "Running"…: Go's own words. Out of range: "Bad". */
GL_API const char *gl_gstate_name(unsigned state);
GL_API const char *gl_pstate_name(unsigned state);
GL_API const char *gl_kind_name(unsigned kind);

/**
 * A consumer of events: called with n >= 1 events in trace order. The array is the caller's until the return.
 * Returns 0, or a negative gl_status which stops the producer and is passed on (GL_E_CANCELLED to stop politely).
 */
typedef int (*gl_event_fn)(void *user, const gl_event *events, size_t n);

#ifdef __cplusplus
}
#endif
#endif
