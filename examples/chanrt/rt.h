/* What the files of chanrt share. */
#ifndef CHANRT_RT_H
#define CHANRT_RT_H

#include <pthread.h>
#include <setjmp.h>

#include "chanrt.h"
#include "golanes/emit.h"
#include "switch.h"

#define RT_FRAMES 16
#define RT_ROOTS_MAX 64

/* Locks of a word: for a few instructions each, and given back by another stack than took them, as parking needs it. */
void rt_lock(uint32_t *word);
void rt_unlock(uint32_t *word);
/** Sleeps while *word is `value`, at most ns (0: without end). May return early. */
void rt_futex_wait(uint32_t *word, uint32_t value, uint64_t ns);
void rt_futex_wake(uint32_t *word, int n);
uint64_t rt_now(void);

/** A goroutine in the queue of a channel. */
typedef struct waiter {
    struct goroutine *g;
    struct waiter *next, *before;
    rt_chan *chan;
    void *value;
    bool select;  /* one of several: whoever serves it must claim the goroutine first */
    bool served;  /* by a partner; false: by a close */
} waiter;

typedef struct catcher {
    jmp_buf back;
    struct catcher *outer;
} catcher;

typedef struct goroutine {
    uint64_t id;
    rt_context context;
    rt_stack stack;
    uintptr_t outermost; /* frame of its entry: where walks of its stack end */
    void (*f)(void *);
    void *arg;
    struct goroutine *next; /* in a queue */
    struct goroutine *all;  /* in the list of all */
    waiter *woken_as;
    uint32_t claimed;    /* its select was served */
    uint32_t alive;
    uint32_t pause_seen; /* the pause number when its operation began */
    uint32_t in_syscall;
    bool waits; /* counted in rt_sched.waiting */
    size_t assist_debt;
    catcher *catchers;
    const char *panic;
    uint64_t wake_at;
} goroutine;

typedef enum worker_state { WORKER_RUNNING, WORKER_IDLE, WORKER_STOPPED, WORKER_SYSCALL } worker_state;

/** A thread, with the P that it always has. */
typedef struct worker {
    rt_context context; /* of its own stack */
    goroutine *current;
    void (*after)(void *); /* done on its own stack once a goroutine has left */
    void *after_arg;
    uint32_t id;
    uint32_t queue_lock;
    goroutine *first, *last; /* what is to run */
    uint32_t queued;
    uint32_t note; /* 1: wake up */
    worker_state state;
    uint64_t random;
    pthread_t thread;
    rt_counts counts;
} __attribute__((aligned(128))) worker;

typedef struct scheduler {
    uint32_t lock;
    worker *workers;
    uint32_t worker_count;
    uint32_t running, idle, in_syscall; /* workers */
    uint32_t done;
    rt_end end;
    const char *message;
    /* The stopped world. */
    uint32_t stop;         /* asked for */
    uint32_t stopper_note; /* 1: all others have stopped */
    uint32_t stop_lock;    /* held by who stops it */
    uint32_t pause;        /* odd from the begin of a collector's pause to its end */
    /* Goroutines. */
    uint32_t all_lock;
    goroutine *all, *dead;
    uint64_t last_id;
    uint64_t alive;   /* of rt_go, not ended */
    uint64_t waiting; /* parked, and not for time */
    size_t stack_bytes;
} scheduler;

extern scheduler rt_sched;

/* worker.c */
/** This thread's. Ask again after whatever may switch. */
worker *rt_self(void);
#define COUNT(what) (rt_self()->counts.what++)
void rt_worker_set(worker *w);
void rt_worker_run(worker *w);
/** To this thread's own stack; the goroutine goes on when somebody runs it again. */
void rt_leave(void (*after)(void *), void *arg);
void rt_push(worker *w, goroutine *g);
/** Something is in a queue: wakes a worker that has nothing to do. */
void rt_wake_one(void);
/** With the scheduler's lock held: this worker runs no more; a stopper is told. */
void rt_running_less(worker *w, worker_state state);
/** With the scheduler's lock held, which may be given up meanwhile: it runs again, once the world does. */
void rt_running_more(worker *w);
void rt_wake_worker(worker *w);

/* goroutine.c */
goroutine *rt_goroutine_new(void (*f)(void *), void *arg);
goroutine *rt_current(void);
/** Parks; `unlock` is unlocked once nobody can find the goroutine half parked. */
void rt_park(const char *reason, uint32_t *unlock, gl_emit_stack at);
void rt_park_then(const char *reason, void (*after)(void *), void *arg, gl_emit_stack at);
/** It is about to park, and not for time: until it is ready again it counts as waiting. */
void rt_wait_counted(goroutine *g);
/** The goroutine may run again; told before it can. */
void rt_ready(goroutine *g, gl_emit_stack at);
void rt_yield_for(const char *reason, gl_emit_stack at);
/** A place where the world can be stopped. */
void rt_safepoint(gl_emit_stack at);
void rt_goroutines_clean_up(void);

/** The stack of the one who called the function of chanrt.h whose frame this is; none where nobody listens. */
gl_emit_stack rt_walk(const void *frame, uint64_t pcs[RT_FRAMES]);
#define CALLER(name)                \
    uint64_t name##_pcs[RT_FRAMES]; \
    gl_emit_stack name = rt_walk(__builtin_frame_address(0), name##_pcs)

/* world.c */
void rt_stop_world(const char *reason, bool collector, gl_emit_stack at);
void rt_start_world(const char *reason, bool collector);
/** A send, or a select that may become one, begins or has ended: for the count of straddles. */
void rt_send_begun(goroutine *g);
void rt_send_ended(goroutine *g, uint32_t before_end);
uint32_t rt_pause_number(void);

/* timer.c */
/** Wakes whom it is time for. Returns ns until the next one, 0: none. */
uint64_t rt_timers_run(void);
bool rt_timers_any(void);
void rt_timers_clean_up(void);

/* panic.c */
_Noreturn void rt_panic_at(const char *message, uint64_t chan, gl_emit_stack at);

/* chan.c */
void rt_chans_each(void (*f)(const uintptr_t *words, size_t n));
void rt_chans_clean_up(void);

/* gc.c, heap.c */
typedef struct object {
    struct object *next_free;
    uint32_t bytes;
    uint16_t pointers;
    uint8_t mark; /* the cycle that found it last */
    uint8_t used;
} object;

bool rt_heap_init(size_t min, size_t max);
void rt_heap_clean_up(void);
/** The object that this word may point into, or NULL. */
object *rt_heap_find(uintptr_t word);
object *rt_heap_take(size_t bytes, unsigned pointers, uint8_t mark);
/** Frees what the last cycle has not found, in some more of the heap; false: all is done. */
bool rt_heap_sweep(uint8_t mark);
void rt_heap_sweep_again(void);
uint64_t rt_heap_live(void);
bool rt_gc_init(size_t heap_min);
void rt_gc_clean_up(void);

#endif
