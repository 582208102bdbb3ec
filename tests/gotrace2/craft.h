/*
 * Small v2 traces made by hand, byte by byte, for the rules of the importer.
 */
#ifndef GOLANES_TEST_CRAFT_H
#define GOLANES_TEST_CRAFT_H

#include <stddef.h>
#include <stdint.h>

/* Wire codes (Go 1.26 src/internal/trace/tracev2/events.go). */
enum {
    W_PROCS_CHANGE = 9,
    W_PROC_START,
    W_PROC_STOP,
    W_PROC_STEAL,
    W_PROC_STATUS,
    W_GO_CREATE,
    W_GO_CREATE_SYSCALL,
    W_GO_START,
    W_GO_DESTROY,
    W_GO_DESTROY_SYSCALL,
    W_GO_STOP,
    W_GO_BLOCK,
    W_GO_UNBLOCK,
    W_GO_SYSCALL_BEGIN,
    W_GO_SYSCALL_END,
    W_GO_SYSCALL_END_BLOCKED,
    W_GO_STATUS,
    W_STW_BEGIN,
    W_STW_END,
    W_GC_ACTIVE,
    W_GC_BEGIN,
    W_GC_END,
    W_HEAP_ALLOC = 37,
    W_GO_LABEL = 39,
    W_USER_LOG = 44,
    W_GO_SWITCH = 45,
    W_GO_SWITCH_DESTROY,
    W_GO_CREATE_BLOCKED,
    W_SPAN = 128
};
enum { W_RUNNABLE = 1, W_RUNNING, W_SYSCALL, W_WAITING };
enum { W_P_RUNNING = 1, W_P_IDLE, W_P_SYSCALL, W_P_ABANDONED };

#define CRAFT_MAX (1u << 20)

typedef struct craft {
    unsigned version;
    uint64_t frequency; /* ticks per second */
    uint64_t gen;
    size_t n;       /* bytes so far */
    size_t size_at; /* where the open batch's size stands, 0: none is open */
    uint8_t bytes[CRAFT_MAX];
} craft;

/** A header. 22, 23, 25 or 26. */
void craft_begin(craft *c, unsigned version);
/** Opens an event batch (and closes the one before). One tick is 64 ns. */
void craft_batch(craft *c, uint64_t m, uint64_t ticks);
/** An event in the open batch: n numbers, which are its type, the ticks since the one before, its arguments. */
void craft_event(craft *c, const uint64_t *v, size_t n);
#define EV(c, ...)                                                                                                     \
    craft_event(c, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))
/** Bytes as they are. */
void craft_raw(craft *c, const void *bytes, size_t n);
void craft_number(craft *c, uint64_t v);
/** Starts a generation: number, and for 1.25 and later its clocks. */
void craft_generation(craft *c, uint64_t gen, uint64_t ticks);
/** A batch with one string; a batch with one stack of one frame. */
void craft_string(craft *c, uint64_t id, const char *text);
void craft_stack(craft *c, uint64_t id, uint64_t pc, uint64_t func, uint64_t file, uint64_t line);
void craft_sample(craft *c, uint64_t ticks, uint64_t m, uint64_t p, uint64_t g, uint64_t stack);
/** Ends a generation as its version does: the frequency up to 1.24, the mark from 1.26 on. */
void craft_finish(craft *c);
/** P 0 runs on thread 1 with goroutine 1: what a generation begins with. In the open batch. */
void craft_running(craft *c);
/** A whole generation in which goroutine 1 makes goroutine 2 and blocks, and 2 runs, wakes 1 and ends. */
void craft_small(craft *c, uint64_t gen, uint64_t ticks);
/** A whole generation of statuses: goroutine 1 runs, goroutine 2 is in this state. */
void craft_states(craft *c, uint64_t gen, uint64_t ticks, unsigned g2);

#endif
