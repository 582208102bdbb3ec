/*
 * Hand-made v1 traces, and what the importer makes of them as lines of text.
 */
#ifndef GOLANES_TEST_V1FILE_H
#define GOLANES_TEST_V1FILE_H

#include <stddef.h>
#include <stdint.h>

#include "golanes/gotrace.h"

typedef struct v1file {
    uint8_t *bytes;
    size_t n, room;
    unsigned version;
} v1file;

void v1file_begin(v1file *f, unsigned version);
void v1file_free(v1file *f);
void v1file_byte(v1file *f, unsigned byte);
void v1file_number(v1file *f, uint64_t v);
void v1file_batch(v1file *f, uint64_t pid, uint64_t ticks);
/** Batches before Go 1.7 have a sequence number. */
void v1file_batch_seq(v1file *f, uint64_t pid, uint64_t seq, uint64_t ticks);
/** One event: its n numbers, the time (before 1.7: sequence and time) first. */
void v1file_event(v1file *f, unsigned type, unsigned n, ...);
void v1file_log(v1file *f, uint64_t delta, uint64_t task, uint64_t key, uint64_t stack, const char *message);
void v1file_string(v1file *f, uint64_t id, const char *text);
/** A stack of n frames: pc, function and file (string ids), line each. */
void v1file_stack(v1file *f, uint64_t id, unsigned n, ...);
void v1file_frequency(v1file *f, uint64_t hz);
/** Start of a plain trace: P 0 on M 7 runs goroutine 1; the event before is at `ticks` of a batch of P 0. */
void v1file_start(v1file *f, uint64_t ticks);

typedef struct v1lines {
    char **at;
    size_t n, room;
    int rc;
    gl_gotrace_result result;
    gl_error err;
} v1lines;

/** Imports bytes; frees nothing of them. Ends of lines name the event's flags: " RESYNC", " INFERRED". */
void v1lines_import(v1lines *l, const void *bytes, size_t n, gl_symbolize_fn symbolize);
void v1lines_free(v1lines *l);
/** Fails the test where the lines are not these; NULL ends the list. */
void v1lines_expect(const v1lines *l, const char *const *want);
/** Imports a file, frees it, and expects the lines. */
v1lines v1file_expect(v1file *f, const char *const *want);

/* Wire codes that the tests use. */
enum {
    EV_BATCH = 1, EV_FREQUENCY = 2, EV_STACK = 3, EV_GOMAXPROCS = 4, EV_PROC_START = 5, EV_PROC_STOP = 6, EV_GC_START = 7,
    EV_GC_DONE = 8, EV_STW_START = 9, EV_STW_DONE = 10, EV_SWEEP_START = 11, EV_SWEEP_DONE = 12, EV_GO_CREATE = 13,
    EV_GO_START = 14, EV_GO_END = 15, EV_GO_STOP = 16, EV_GO_SCHED = 17, EV_GO_PREEMPT = 18, EV_GO_SLEEP = 19,
    EV_GO_BLOCK = 20, EV_GO_UNBLOCK = 21, EV_GO_BLOCK_SEND = 22, EV_GO_BLOCK_RECV = 23, EV_GO_BLOCK_SELECT = 24,
    EV_GO_BLOCK_SYNC = 25, EV_GO_BLOCK_COND = 26, EV_GO_BLOCK_NET = 27, EV_SYS_CALL = 28, EV_SYS_EXIT = 29,
    EV_SYS_BLOCK = 30, EV_GO_WAITING = 31, EV_GO_IN_SYSCALL = 32, EV_HEAP_ALLOC = 33, EV_HEAP_GOAL = 34,
    EV_TIMER_GOROUTINE = 35, EV_FUTILE_WAKEUP = 36, EV_STRING = 37, EV_GO_START_LOCAL = 38, EV_GO_UNBLOCK_LOCAL = 39,
    EV_SYS_EXIT_LOCAL = 40, EV_GO_START_LABEL = 41, EV_GO_BLOCK_GC = 42, EV_ASSIST_START = 43, EV_ASSIST_DONE = 44,
    EV_TASK_CREATE = 45, EV_TASK_END = 46, EV_REGION = 47, EV_LOG = 48, EV_CPU_SAMPLE = 49
};

#endif
