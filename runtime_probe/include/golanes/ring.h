/*
 * The shared memory between a traced program and its recorder: layout, coding, and who may write what.
 * docs/ring.md tells it in prose; this header is what both sides are compiled from.
 *
 * One file (a memfd) holds it all:
 *
 *     header page | slot table | ring 0: control, data | ring 1: control, data | …
 *
 * Each ring has one writer at a time, a thread of the program, and one reader, the recorder. Positions in a ring are
 * counts of bytes since its beginning, so they only grow; the place of a position is its remainder by the ring's size.
 * The data are blocks of GL_RING_BLOCK bytes. A block stands for itself: its header names its thread, time and context,
 * and texts and stacks are defined in it before they are used. So a reader may begin at any block.
 *
 * All numbers are little-endian. Units: bytes, and ticks of the session's clock (gl_ring_clock).
 * Plain C99 and C++11; no function here calls another library.
 */
#ifndef GOLANES_RING_H
#define GOLANES_RING_H

#include <stdint.h>
#include <string.h>

#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "golanes rings are little-endian: this machine is not"
#endif

#define GL_RING_MAGIC UINT64_C(0x31474e49524c47) /* "GLRING1" */
#define GL_RING_VERSION 1u
#define GL_RING_HEADER_BYTES 4096u
#define GL_RING_CONTROL_BYTES 8192u
#define GL_RING_BLOCK 16384u
#define GL_RING_BLOCK_HEADER 64u
#define GL_RING_BLOCKS_MIN 4u   /**< blocks a ring has at least */
#define GL_RING_WINDOW (8u * GL_RING_BLOCK) /**< what a writer uses while the reader keeps up: it stays in the cache */
#define GL_RING_SLOTS_MAX 16384u
#define GL_RING_TEXT_MAX 4000u  /**< bytes of a text; the rest is cut off */
#define GL_RING_STACK_MAX 64u   /**< frames of a stack; the outermost are cut off */
#define GL_RING_MEMO 128u       /**< texts, and stacks, that a writer remembers */
#define GL_RING_PAIRS 64u       /**< clock pairs kept in the header */

/** The most that one event takes, a gap and a wide form included, and where a store may reach beyond its value. Writers
    keep this much of a block in reserve, so that one comparison an event is enough. */
#define GL_RING_EVENT_MAX 72u

/** An argument of this name is copied from any buffer; other texts are known by address. */
#define GL_RING_COPIED "message"

/** The memfd's name, by which a recorder finds it in /proc/PID/fd. */
#define GL_RING_FILE_NAME "golanes"
/** Environment variable: number of an inherited descriptor of a recorder's file. */
#define GL_RING_ENV_FD "GOLANES_RING_FD"
/** Environment variable: "off" makes a program offer nothing to a recorder. */
#define GL_RING_ENV_OFF "GOLANES_EMIT"

/** What a tick is. Numbers are part of the layout. */
typedef enum gl_ring_clock {
    GL_RING_CLOCK_MONOTONIC = 0, /**< ns of CLOCK_MONOTONIC: the fallback */
    GL_RING_CLOCK_TSC = 1,       /**< rdtsc; only where it is constant and non-stop */
    GL_RING_CLOCK_CNTVCT = 2     /**< aarch64's virtual counter */
} gl_ring_clock;

/** What a writer does when its ring is full. Numbers are part of the layout. */
typedef enum gl_ring_policy {
    GL_RING_DROP = 0,      /**< drop the new events, count them exactly */
    GL_RING_OVERWRITE = 1, /**< overwrite the oldest block: the flight recorder */
    GL_RING_WAIT = 2       /**< wait for the reader as long as it lives, then drop: the only policy that blocks */
} gl_ring_policy;

/** Who has a ring. Numbers are part of the layout. */
typedef enum gl_ring_state {
    GL_RING_FREE = 0,  /**< nobody; its next writer begins a new block */
    GL_RING_OWNED = 1, /**< a thread writes it */
    GL_RING_CLOSED = 2 /**< its thread ended in good order; the next writer goes on where that one stopped */
} gl_ring_state;

#define GL_RING_FOLLOW 1u /**< gl_ring_header.flags: children by fork and exec join the session with rings of their own */

/** Clocks read together. */
typedef struct gl_ring_pair {
    uint64_t ticks;
    int64_t monotonic_ns; /**< CLOCK_MONOTONIC */
    int64_t wall_ns;      /**< CLOCK_REALTIME, since 1970 */
} gl_ring_pair;

/**
 * Page 0. "once": written before `laid_out` is set, never again. Others: by the side named, atomically.
 * What is written often by different parties lies 128 bytes apart: processors fetch lines in pairs.
 */
typedef struct gl_ring_header {
    uint64_t magic;         /**< once */
    uint32_t version;       /**< once */
    uint32_t laid_out;      /**< recorder: 1 when sizes and slot table stand */
    uint64_t total_bytes;   /**< once: size of the file */
    uint64_t table_offset;  /**< once: the slot table */
    uint32_t slots;         /**< once */
    uint32_t block_bytes;   /**< once: GL_RING_BLOCK */
    uint32_t control_bytes; /**< once: GL_RING_CONTROL_BYTES */
    uint32_t clock;         /**< once: gl_ring_clock */
    uint32_t flags;         /**< once: GL_RING_FOLLOW */
    uint32_t maker_pid;     /**< once: the process that made the file */
    uint64_t pid_namespace; /**< once: inode of the maker's /proc/self/ns/pid, 0 not known */
    uint8_t pad0[64];

    uint32_t listening; /**< recorder: 0 while nobody listens, else 1; the one word that every event looks at */
    uint32_t policy;    /**< recorder: gl_ring_policy */
    uint8_t pad1[120];

    uint32_t attached;        /**< programs: how often one has taken up this file */
    uint32_t refused_version; /**< programs: the version of a library that could not take it up, 0 none */
    uint32_t slots_used;      /**< programs: slots ever taken are below this */
    uint32_t releases;        /**< both: counts rings given back; wakes threads that found none */
    uint64_t lost;            /**< programs: events of threads that had no ring */
    uint64_t lost_first;      /**< programs: ticks of the first of them */
    uint64_t lost_last;       /**< programs: ticks of the last of them */
    uint8_t pad2[88];

    uint32_t recorder_pid; /**< recorder */
    uint32_t pairs_taken;  /**< recorder: pair i is pairs[i % GL_RING_PAIRS] */
    uint8_t pad3[120];
    gl_ring_pair pairs[GL_RING_PAIRS]; /**< recorder */
    uint8_t pad4[GL_RING_HEADER_BYTES - 512 - GL_RING_PAIRS * 24];
} gl_ring_header;

/**
 * One row of the slot table. `owner` says all that decides who may write, in one word, so that a ring changes hands by
 * one compare-and-swap: bits 0-1 gl_ring_state, 2-31 how often it was taken (its turn), 32-63 the taker's thread id.
 */
typedef struct gl_ring_slot {
    uint64_t owner;
    uint32_t pid;         /**< owner: process of who has it, or had it last */
    uint32_t ready;       /**< recorder: 1 when its first pages are there, 2: all of them */
    uint64_t ring_offset; /**< once: where its control and then its data lie in the file */
    uint64_t ring_bytes;  /**< once: size of the data, a power of two */
    uint8_t pad[32];
} gl_ring_slot;

static inline gl_ring_state gl_ring_owner_state(uint64_t owner)
{
    return (gl_ring_state)(owner & 3);
}

static inline uint32_t gl_ring_owner_turn(uint64_t owner)
{
    return (uint32_t)(owner >> 2) & 0x3fffffffu;
}

static inline uint32_t gl_ring_owner_tid(uint64_t owner)
{
    return (uint32_t)(owner >> 32);
}

static inline uint64_t gl_ring_owner_word(gl_ring_state state, uint32_t turn, uint32_t tid)
{
    return (uint64_t)tid << 32 | (uint64_t)(turn & 0x3fffffffu) << 2 | (uint64_t)state;
}

/** A text or a stack that a writer has defined: good while `block` is the current block's number. */
typedef struct gl_ring_memo {
    uint64_t key;
    uint32_t block;
    uint32_t id;
} gl_ring_memo;

/** Start of a ring: two pages. The reader trusts nothing here but head, opening and the loss counters, and those only
    as far as they make sense. */
typedef struct gl_ring_control {
    uint64_t head;    /**< writer, release: what is below this position is complete */
    uint64_t opening; /**< writer: start of the block that is being opened, or was last: what it replaces is going */
    uint64_t skipped; /**< writer: of the positions below head, how many were jumped over */
    uint64_t jump_from, jump_to; /**< writer: the last jump */
    uint8_t pad0[88];

    uint64_t tail; /**< reader, release: what is below this position is done with */
    uint8_t pad1[120];

    uint64_t lost;       /**< writer: events dropped since the ring was made */
    uint64_t lost_first; /**< writer: ticks of the first one not yet told in the stream */
    uint64_t lost_last;  /**< writer: ticks of the last one */
    uint8_t pad2[104];

    /* The writer's own, for the next owner of a closed ring. */
    uint64_t lost_told; /**< of `lost`: those that the stream tells of */
    uint64_t last;      /**< ticks of the last record */
    uint64_t chan;      /**< the last channel */
    uint32_t texts;     /**< defined in the current block */
    uint32_t stacks;
    uint8_t pad3[GL_RING_CONTROL_BYTES / 2 - 384 - 32];

    gl_ring_memo text_memo[GL_RING_MEMO];
    gl_ring_memo stack_memo[GL_RING_MEMO];
} gl_ring_control;

/** Start of a block. */
typedef struct gl_ring_block {
    uint64_t position; /**< of this block in its ring: tells this lap's block from an older one */
    uint64_t ticks;    /**< what the first time difference counts from */
    uint64_t g;        /**< goroutine that the thread runs, 0 none */
    uint64_t lost;     /**< events lost and told before this block */
    uint32_t pid, tid, turn;
    uint32_t p; /**< P that the thread has, UINT32_MAX none */
    uint64_t unused[2];
} gl_ring_block;

/*
 * Records. An event is
 *
 *     code (1 byte; bit 7: a stack follows the arguments), ticks since the last record (2), arguments, [stack (2)]
 *
 * where each argument has the width of its kind, see GL_RING_WIDTH; a channel is the difference to the block's last
 * channel (0 at first), signed. Texts and stacks are numbers of the block, from 1; 0 is none. So an event has a fixed
 * form: most take 3 to 11 bytes, writing one is a handful of stores, and machine code can do it too.
 *
 * What does not fit: more than 65535 ticks go into a GL_RING_GAP before the event. Where an argument is too large for its
 * width, the event is written as GL_RING_WIDE. Differences of ticks are modulo 2^64: a clock that steps back makes a gap.
 *
 * GL_RING_END closes a block early; so does GL_RING_JUMP, by which a writer whose reader keeps up goes back to the place
 * where the ring starts: to the next position that is a multiple of the ring's size. (Not under GL_RING_OVERWRITE.)
 * GL_RING_CONTROL is followed by one of gl_ring_record and its fields, which are
 * varints but where a size is given.
 */
#define GL_RING_END 0x00u
#define GL_RING_CONTROL 0x80u
#define GL_RING_HAS_STACK 0x80u
#define GL_RING_TICKS_MAX 0xffffu

typedef enum gl_ring_record {
    GL_RING_CONTEXT = 1, /**< g, p + 1 (mod 2^32): the caller set them, or events that were not written did */
    GL_RING_LOST = 2,    /**< lost so far (since the ring was made), zigzag(first - last record's ticks), last - first, g, p + 1 */
    GL_RING_OWNER = 3,   /**< pid, tid, turn, g, p + 1: another thread goes on in this block */
    GL_RING_TEXT = 4,    /**< bytes, then the text: its id is one more than the block's last (the first is 1) */
    GL_RING_STACK = 5,   /**< frames, then each pc as zigzag difference to the one before: ids as with texts */
    GL_RING_GAP = 6,     /**< ticks (8 bytes) to be added before the event that follows */
    GL_RING_WIDE = 7,    /**< an event: code (1), ticks (8), arguments (8 each, channels as they are), [stack (2)] */
    GL_RING_JUMP = 8     /**< position (8 bytes) of the block that follows this one, which ends here */
} gl_ring_record;

/** Bytes of an argument of this kind in an event's common form; a constant where kind is one. */
#define GL_RING_WIDTH(kind)                                                                                            \
    ((kind) == GL_KIND_GSTATE || (kind) == GL_KIND_PSTATE || (kind) == GL_KIND_BOOL || (kind) == GL_KIND_CHANRESULT || \
             (kind) == GL_KIND_CHANDIR                                                                                 \
         ? 1u                                                                                                          \
     : (kind) == GL_KIND_STRING || (kind) == GL_KIND_STACK || (kind) == GL_KIND_PROC || (kind) == GL_KIND_COUNT        \
         ? 2u                                                                                                          \
     : (kind) == GL_KIND_TIME || (kind) == GL_KIND_CLOCK || (kind) == GL_KIND_NUMBER || (kind) == GL_KIND_NONE         \
         ? 8u                                                                                                          \
         : 4u)

/**
 * A varint of 1 to 9 bytes, 7 bits a byte: the count of zero bits at the bottom of the first byte is how many bytes
 * follow it; nine bytes begin with a zero byte. So neither side needs a loop. Writes up to 8 bytes beyond its end.
 */
static inline uint8_t *gl_ring_put(uint8_t *p, uint64_t v)
{
    unsigned more = ((63u ^ (unsigned)__builtin_clzll(v | 1)) * 37u) >> 8; /* top bit / 7 */
    uint64_t word = ((v << 1) | 1) << more;
    if (__builtin_expect(more >= 8, 0)) {
        *p++ = 0;
        word = v;
        more = 7;
    }
    memcpy(p, &word, 8);
    return p + more + 1;
}

/** Reads one varint; the caller has 9 readable bytes at p. */
static inline const uint8_t *gl_ring_get(const uint8_t *p, uint64_t *v)
{
    uint64_t word;
    if (__builtin_expect(*p == 0, 0)) {
        memcpy(v, p + 1, 8);
        return p + 9;
    }
    memcpy(&word, p, 8);
    unsigned n = (unsigned)__builtin_ctzll(word) + 1;
    *v = (word >> n) & (UINT64_MAX >> (64 - 7 * n));
    return p + n;
}

static inline uint64_t gl_ring_zigzag(uint64_t difference)
{
    return (difference << 1) ^ (0 - (difference >> 63));
}

static inline uint64_t gl_ring_unzigzag(uint64_t v)
{
    return (v >> 1) ^ (0 - (v & 1));
}

/** Codes of events that change their thread's context. */
#define GL_RING_MOVES(code)                                                                                             \
    ((code) == GL_EV_GoStart || (code) == GL_EV_GoBlock || (code) == GL_EV_GoYield || (code) == GL_EV_GoEnd ||          \
     (code) == GL_EV_ProcStart || (code) == GL_EV_ProcStop || (code) == GL_EV_GoSyscallEnd)

/**
 * What an event does to the context of its thread's next events: the one place where writer and reader have it from.
 * True where it does something; first: its first argument.
 */
static inline int gl_ring_effect(unsigned code, uint64_t first, uint64_t *g, uint32_t *p)
{
    switch (code) {
    case GL_EV_GoStart: *g = first; return 1;
    case GL_EV_GoBlock:
    case GL_EV_GoYield:
    case GL_EV_GoEnd: *g = 0; return 1;
    case GL_EV_ProcStart: *p = (uint32_t)first; return 1;
    case GL_EV_ProcStop: *p = GL_NO_PROC; return 1;
    case GL_EV_GoSyscallEnd:
        if (!first)
            return 0;
        *g = 0;
        *p = GL_NO_PROC;
        return 1;
    default: return 0;
    }
}

#ifdef __cplusplus
}
#endif
#endif
