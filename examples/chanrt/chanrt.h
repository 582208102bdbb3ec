/*
 * chanrt: a small runtime with goroutines, channels and a garbage collector, which tells all it does to whoever records
 * it (golanes-emit(3)). It is here to be read, and to be a source of traces whose truth is known: it counts what it does.
 *
 *     rt_options o = {.procs = 2};
 *     rt_counts counts;
 *     rt_end how = rt_run(&o, my_main, argument, &counts);
 *
 * Goroutines are cooperative: they can be stopped where they call something of this header, and nowhere else. All but
 * rt_run is for goroutines only. A goroutine may go on as another thread at any such call, so it must keep no address of a
 * thread-local variable across one.
 *
 * Channels live until rt_run returns. Objects of the heap live as long as they are reachable from a goroutine's stack, a
 * channel's buffer, a root, or the pointers of another object.
 */
#ifndef CHANRT_H
#define CHANRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rt_options {
    unsigned procs;     /**< threads that run goroutines, 0: 2 */
    size_t heap_min;    /**< the first collection starts at so many live bytes, 0: 4 MiB */
    size_t heap_max;    /**< more cannot be allocated, 0: 256 MiB */
    size_t stack_bytes; /**< of each goroutine, 0: 64 KiB, and 256 under a sanitizer */
} rt_options;

/** What has happened. Everything here but the last four is told by an event each time. */
#define RT_COUNTS(X)                                                                                               \
    X(goroutines) X(ended) X(chans) X(sends) X(send_panics) X(receives) X(receives_closed) X(closes) X(close_panics) \
    X(selects) X(select_sends) X(select_receives) X(select_defaults) X(select_panics) X(panics) X(blocks) X(unparks)  \
    X(yields) X(syscalls) X(gcs) X(pauses) X(stws) X(assists) X(sweeps) X(tasks) X(regions) X(logs)                   \
    X(straddles) X(straddles_maybe) X(waiting) X(objects_freed)

typedef struct rt_counts {
#define RT_MEMBER(name) uint64_t name;
    RT_COUNTS(RT_MEMBER)
#undef RT_MEMBER
} rt_counts;

typedef enum rt_end {
    RT_DONE,     /**< the main goroutine has returned */
    RT_DEADLOCK, /**< all goroutines wait for each other */
    RT_PANIC,    /**< a goroutine panicked and nobody caught it */
    RT_FAILED    /**< no memory, no thread */
} rt_end;

/** Runs `main` as goroutine 1 until it returns; the others are left where they are. *message: of the panic, or NULL. */
rt_end rt_run(const rt_options *o, void (*main)(void *), void *arg, rt_counts *counts, const char **message);

/* Goroutines. */
uint64_t rt_go(void (*f)(void *), void *arg);
uint64_t rt_id(void);
void rt_yield(void);
void rt_sleep(uint64_t ns);
/** Sleeps in the system, as a call that blocks: the thread sleeps too. */
void rt_system_sleep(uint64_t ns);
/** So many goroutines have not ended, main included and the collector's left out. */
uint64_t rt_alive(void);
/** So many goroutines wait for something that is not time, the system goroutines left out. */
uint64_t rt_waiting(void);

/* Panics. */
_Noreturn void rt_panic(const char *message);
/** Runs f; NULL, or the message of the panic that ended it. */
const char *rt_catch(void (*f)(void *), void *arg);

/* Channels, as Go has them. A NULL channel blocks for ever. */
typedef struct rt_chan rt_chan;
rt_chan *rt_chan_make(size_t elem_bytes, uint32_t cap, const char *elem_type);
void rt_send(rt_chan *c, const void *value);
/** False: the channel is closed and empty; *value is zero. value may be NULL. */
bool rt_recv(rt_chan *c, void *value);
void rt_close(rt_chan *c);
/** How many goroutines wait in a send, or in a receive. */
uint32_t rt_chan_senders(rt_chan *c);
uint32_t rt_chan_receivers(rt_chan *c);

typedef struct rt_case {
    rt_chan *chan;
    bool send;
    void *value; /**< to send, or where to put what is received */
    bool ok;     /**< out: as rt_recv */
} rt_case;

#define RT_CASES_MAX 16u
/** Index of the case that was chosen, or -1: none was ready, and has_default. */
int rt_select(rt_case *cases, unsigned n, bool has_default);

/* A mutex that parks goroutines, first come, first served. */
typedef struct rt_mutex {
    uint32_t lock, locked;
    void *first, *last;
} rt_mutex;
void rt_mutex_lock(rt_mutex *m);
void rt_mutex_unlock(rt_mutex *m);

/* The heap. Objects are zeroed; their first `pointers` words hold pointers to objects or NULL, written by rt_store. */
void *rt_alloc(size_t bytes, unsigned pointers);
void rt_store(void **slot, void *object);
void *rt_load(void *const *slot);
/** Where a pointer lies that is no object's and no goroutine's. At most 64. */
void rt_root(void **slot);
/** A whole cycle, and returns when it has ended. */
void rt_gc(void);
/** Stops the world for another reason than the collector's, as Go does for GOMAXPROCS and the like. */
void rt_stop_briefly(const char *reason);

/* What a program says of itself. Texts are literals; a message may be anything. */
uint64_t rt_task_begin(uint64_t parent, const char *name);
void rt_task_end(uint64_t task);
void rt_region_begin(uint64_t task, const char *name);
void rt_region_end(uint64_t task, const char *name);
void rt_log(uint64_t task, const char *category, const char *message);

#endif
