/*
 * Emitting events from a C or C++ program.
 *
 *     #include <golanes/emit.h>
 *
 *     gl_emit_GoStart(42);                     goroutine 42 runs on this thread from now on
 *     gl_emit_ChanSendBegin(chan, len, cap);
 *     gl_emit_GoBlock("chan send");            … and has parked
 *
 * There is one function for each event of the vocabulary (golanes/emit_events.h is made from events.def). Ids of
 * goroutines, channels, Ps and tasks are the caller's own numbers; 0 means none (GL_NO_PROC for Ps).
 *
 * Cost: a predicted branch while no recorder listens; else little more than reading the clock. Events are stamped when
 * the function is called, so emit an event that wakes somebody before you wake them.
 *
 * Rules
 * - Nothing here blocks (unless the recorder was asked to make it wait), allocates (but gl_emit_intern), fails, or
 *   changes errno. Where there is no room the event is dropped and counted, and the trace says so.
 * - Any thread may emit at any time, and so may a signal handler. If it interrupts an emit of its own thread, then the
 *   handler's event is dropped and counted. A handler must not leave an emit behind, by siglongjmp or by switching to
 *   another stack: see gl_emit_busy.
 * - fork: the child emits to rings of its own, or to none, as the recorder wishes; never into its parent's.
 * - Goroutines may move between threads anywhere but inside an emit function.
 *
 * Texts. `const char *` arguments are known by their address: give string literals, or what gl_emit_intern returns, as
 * a changed text at the same address is not noticed. An argument called `message` is the exception: it is copied, from
 * any buffer. NULL is the empty text. GL_RING_TEXT_MAX bytes are kept.
 *
 * Stacks. NAME_here takes the stack by walking frame pointers (compile the program with -fno-omit-frame-pointer);
 * NAME_at takes frames that the caller has. Plain NAME has no stack.
 *
 * Context. The thread remembers its goroutine and P, and each event carries them as they were before it. Events that
 * say what changes them do so: GoStart sets the goroutine; GoBlock, GoYield, GoEnd and a GoSyscallEnd that was blocked
 * clear it; ProcStart sets the P; ProcStop and a GoSyscallEnd that was blocked clear it. Otherwise use the setters.
 */
#ifndef GOLANES_EMIT_H
#define GOLANES_EMIT_H

#include <stddef.h>
#include <stdint.h>

#include "golanes/events.h"
#include "golanes/ring.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Frames of a stack, innermost first: code addresses, return addresses for all but the innermost. n = 0: no stack. */
typedef struct gl_emit_stack {
    const uint64_t *pcs; /**< read during the call only */
    uint32_t n;          /**< at most GL_RING_STACK_MAX are kept */
} gl_emit_stack;

/** Where an event wants a stack and the caller has none: a goroutine's start that is not known. */
static inline gl_emit_stack gl_emit_no_stack(void)
{
    gl_emit_stack none;
    none.pcs = NULL;
    none.n = 0;
    return none;
}

/** How this thread fares. */
typedef struct gl_emit_status {
    int listening;    /**< a recorder listens */
    int has_ring;     /**< this thread has a ring */
    uint64_t written; /**< bytes that its ring has taken, of earlier owners too */
    uint64_t lost;    /**< events that its ring had no room for, of earlier owners too */
    uint64_t no_ring; /**< events of threads that found no free ring, whole session */
} gl_emit_status;

/** Offers this process to recorders. Called by the library when it is loaded; call it only where that may be too late
    (constructors of other libraries that emit). Harmless when repeated. Not for signal handlers. */
GL_API void gl_emit_init(void);

/** The goroutine and P that this thread runs now; for runtimes that switch without an event that says so. */
GL_API void gl_emit_set_goroutine(uint64_t g);
GL_API void gl_emit_set_proc(uint32_t p);

/** The stack that this thread runs on now, [low, high): tell it after each switch of stacks, or NAME_here gives the
    innermost frame only. 0, 0: find out again. Without a call the stack that the first walk meets is looked up. */
GL_API void gl_emit_set_stack_bounds(uintptr_t low, uintptr_t high);
/** Frames that NAME_here takes at most, for all threads: 8 at first, at most GL_RING_STACK_MAX; 0: no stacks. */
GL_API void gl_emit_set_stack_depth(unsigned frames);

/** An address that stands for these n bytes for the rest of the process: give a text that is not a literal once, use
    the result often. NULL: no memory. Takes a lock and may allocate: not for signal handlers. */
GL_API const char *gl_emit_intern(const char *text, size_t n);

/** A task id that this process has not used yet. */
GL_API uint64_t gl_emit_new_task(void);

/** Gives this thread's ring back. Done by itself when a pthread ends; for threads that end in other ways. */
GL_API void gl_emit_thread_end(void);

/** 1 while this thread is inside an emit function: a preempting signal handler must then not switch goroutines. */
GL_API int gl_emit_busy(void);
/** 1 while a recorder listens: for programs that would have to work out what to emit. */
static inline int gl_emit_listening(void);

GL_API void gl_emit_get_status(gl_emit_status *out);

/*
 * From here on: what the generated functions use. Names that end in _ are no interface; both sides of them come from
 * the same release.
 */

/**
 * A writer's side of its ring. `pos` and `limit` are where the next event goes, and up to where it may begin. It lies in
 * memory that the kernel empties in any forked child, so that a child finds no room there and looks around. Writers lie
 * side by side, each of another thread: so none shares cache lines with the next.
 */
typedef struct gl_emit_writer {
    uint8_t *pos, *limit;
    uint64_t last;  /* ticks of the last record */
    uint64_t bias;  /* pos + bias is the position in the ring */
    uint64_t *head; /* where that is published */
    uint64_t chan;
    gl_ring_control *ring;
    uint32_t block; /* number of the current block, as memos have it */
    /* Not for the fast path. */
    uint32_t pending;    /* a loss or a context is to be told before the next event */
    uint8_t *real_limit; /* what limit is while nothing is pending */
    uint8_t *data;       /* the ring's data */
    uint64_t data_mask;  /* their size less one */
    uint32_t slot, turn, texts, stacks, soft_clock;
    uint32_t ghost; /* in a child: its parent's ring is gone, what is written now goes nowhere */
} __attribute__((aligned(128))) gl_emit_writer;

enum { GL_EMIT_NONE_, GL_EMIT_READY_, GL_EMIT_PARKED_, GL_EMIT_ENTERING_ };

/** A thread. `writer` is NULL while an event is being written: then an emit that interrupts it can see so. */
typedef struct gl_emit_thread {
    gl_emit_writer *writer; /* first: it is read by its place */
    gl_emit_writer *ring;   /* what writer is, between events; NULL: none */
    uint64_t g;
    uint32_t p;
    uint32_t state; /* NONE: no ring. READY. PARKED: a ring, but nobody listens. ENTERING: on the way to a ring. */
    uint32_t tid;
    uint32_t in_vain, releases; /* found no ring when this many had been given back */
    uint32_t has_key;           /* the end of this thread will be noticed */
    uint32_t stack_known;
    uintptr_t stack_low, stack_high;
} gl_emit_thread;

#if defined(__aarch64__)
#define GL_EMIT_PAGE_ 65536
#else
#define GL_EMIT_PAGE_ 4096
#endif

/** A page of its own, which the kernel empties in children of any kind of fork. */
typedef struct gl_emit_process {
    const uint32_t *listening; /* NULL: no recorder can be heard */
    char rest[GL_EMIT_PAGE_ - sizeof(uint32_t *)];
} __attribute__((aligned(GL_EMIT_PAGE_))) gl_emit_process;

extern GL_API gl_emit_process gl_emit_process_;
__extension__ extern GL_API __thread gl_emit_thread gl_emit_self_ __attribute__((tls_model("initial-exec")));

/**
 * Any event in any state, out of line: what the inline functions do not do themselves. args: as many as the event has;
 * texts by their address, stacks by that of a gl_emit_stack. at: the event's own stack, or NULL.
 */
GL_API void gl_emit_slowly_(unsigned code, const uint64_t *args, const gl_emit_stack *at);
GL_API uint32_t gl_emit_walk_(const void *frame, uint64_t pc, uint64_t *pcs);

static inline int gl_emit_listening(void)
{
    const uint32_t *word = __atomic_load_n(&gl_emit_process_.listening, __ATOMIC_RELAXED);
    return word != NULL && __atomic_load_n(word, __ATOMIC_RELAXED);
}

/*
 * This thread's gl_emit_self_. By hand where possible: a compiler may keep the address of a thread-local variable across
 * a call, and after a switch of goroutines that was another thread's. `place` is where to find it from any thread.
 */
static inline uintptr_t gl_emit_place_(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
    uintptr_t place;
    __asm__("movq gl_emit_self_@gottpoff(%%rip), %0" : "=r"(place));
    return place;
#else
    return 0;
#endif
}

static inline gl_emit_thread *gl_emit_thread_(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
    gl_emit_thread *self;
    __asm__ volatile("movq gl_emit_self_@gottpoff(%%rip), %0\n\taddq %%fs:0, %0" : "=r"(self) : : "memory", "cc");
    return self;
#elif defined(__aarch64__)
    gl_emit_thread *self;
    uintptr_t offset;
    __asm__ volatile("mrs %0, tpidr_el0\n\tadrp %1, :gottprel:gl_emit_self_\n\t"
                     "ldr %1, [%1, :gottprel_lo12:gl_emit_self_]\n\tadd %0, %0, %1"
                     : "=&r"(self), "=&r"(offset) : : "memory");
    return self;
#else
    return &gl_emit_self_;
#endif
}

/** This thread's writer: read, and put (back). The first member, so the place is its place. */
static inline gl_emit_writer *gl_emit_writer_(uintptr_t place)
{
    gl_emit_writer *t;
#if defined(__x86_64__) && !defined(__ILP32__)
    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(t) : "r"(place) : "memory");
#else
    (void)place;
    t = __atomic_load_n(&gl_emit_thread_()->writer, __ATOMIC_RELAXED);
#endif
    return t;
}

static inline void gl_emit_mark_(uintptr_t place, gl_emit_writer *t)
{
#if defined(__x86_64__) && !defined(__ILP32__)
    __asm__ volatile("movq %1, %%fs:(%0)" : : "r"(place), "er"(t) : "memory");
#else
    (void)place;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&gl_emit_thread_()->writer, t, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

/** The clock of the fast way; sessions with another one never come here. */
static inline uint64_t gl_emit_counter_(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return 0;
#endif
}

/*
 * The short way of an emit, as the generated functions take it:
 *
 *     take the writer away     (a handler that emits now finds none, and sees that there should be one)
 *     is there room?           one comparison; full rings, losses to be told, other clocks: all say no by `limit`
 *     read the clock
 *     does it all fit?         the event's common form, see golanes/ring.h
 *     store, publish, put the writer back
 *
 * and whatever answers otherwise goes to gl_emit_slowly_ from the start. So the short way calls nothing and keeps nothing
 * on the stack. While nobody listens a thread has no writer; a recorder that goes is noticed when a block is full.
 */
static inline uint8_t *gl_emit_u8_(uint8_t *p, uint64_t v)
{
    *p = (uint8_t)v;
    return p + 1;
}

static inline uint8_t *gl_emit_u16_(uint8_t *p, uint64_t v)
{
    uint16_t w = (uint16_t)v;
    memcpy(p, &w, 2);
    return p + 2;
}

static inline uint8_t *gl_emit_u32_(uint8_t *p, uint64_t v)
{
    uint32_t w = (uint32_t)v;
    memcpy(p, &w, 4);
    return p + 4;
}

static inline uint8_t *gl_emit_u64_(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, 8);
    return p + 8;
}

/** Ends an emit: the reader sees all that was written before p. */
static inline void gl_emit_close_(uintptr_t place, gl_emit_writer *t, uint8_t *p)
{
    t->pos = p;
    __atomic_store_n(t->head, (uint64_t)(uintptr_t)p + t->bias, __ATOMIC_RELEASE);
    gl_emit_mark_(place, t);
}

static inline unsigned gl_emit_memo_index_(uint64_t key)
{
    return (unsigned)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 57);
}

/** Id of a text by its address; more than 16 bits where the current block does not know it yet. */
static inline uint64_t gl_emit_text_(const gl_emit_writer *t, const char *text)
{
    uint64_t key = (uint64_t)(uintptr_t)text;
    const gl_ring_memo *m = &t->ring->text_memo[gl_emit_memo_index_(key)];
    return m->key == key && m->block == t->block ? m->id : UINT32_MAX;
}

/** The address of the code that asks. */
#if defined(__x86_64__)
#define GL_EMIT_PC_(pc) __asm__ volatile("leaq 0(%%rip), %0" : "=r"(pc))
#elif defined(__aarch64__)
#define GL_EMIT_PC_(pc) __asm__ volatile("adr %0, ." : "=r"(pc))
#else
#define GL_EMIT_PC_(pc) ((pc) = 0)
#endif

/** Fills an array `pcs` of GL_RING_STACK_MAX and makes the stack of the code that asks. */
#define GL_EMIT_HERE_(stack, array)                                              \
    do {                                                                         \
        uint64_t gl_emit_pc_;                                                    \
        GL_EMIT_PC_(gl_emit_pc_);                                                \
        (stack).pcs = (array);                                                   \
        (stack).n = gl_emit_walk_(__builtin_frame_address(0), gl_emit_pc_, (array)); \
    } while (0)

#ifdef __cplusplus
}
#endif

#include "golanes/emit_events.h"

#endif
