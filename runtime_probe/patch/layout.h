/*
 * The memory that a patched program and its recorder share, and the records in it.
 *
 *     header (4096) | undo table | slot table | ring 0: control (4096), data, slack | ring 1 …
 *
 * A ring belongs to one M (a thread, in Go's words), which alone writes to it; when the thread has ended it is offered anew. A record is one or more 32-byte units;
 * positions are bytes and only grow; a record that begins before the end of the ring may reach into the slack behind it,
 * so that each lies in one piece. The writer stores the record, then the new head: on x86-64 a plain store publishes. A ring
 * has memory from its start to `populated` only: there the writer goes on to the next lap, by a jump. It does so after the
 * first GL_PATCH_LAP bytes already where the reader is close behind: memory that was written before is in the cache and in
 * the page tables, and what lies behind it is for times when the reader is not. The more it falls behind, the more memory it
 * gives the ring. A ring's end, its memory's and a lap's lie between pieces.
 *
 * A record may have no time of its own, ticks 0 (gorun/queue.h).
 *
 * Everything a hook touches lies at a fixed place of this layout; whatever the recorder reads from here it checks, as the
 * program could scribble over it.
 */
#ifndef GOLANES_PATCH_LAYOUT_H
#define GOLANES_PATCH_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/probe_source.h"

#include "gorun/record.h"

#define GL_PATCH_MAGIC "GLPATCH1"
#define GL_PATCH_VERSION 3u
#define GL_PATCH_NAME "golanes-probe" /* of the memory, as /proc/PID/maps shows it */

#define GL_PATCH_SITES 256u    /* in the undo table */
#define GL_PATCH_BYTES 24u     /* displaced bytes of a site at most */
#define GL_PATCH_MS 16384u     /* in the slot table, a power of two: an M's place is its number modulo this */
#define GL_PATCH_RINGS 128u
#define GL_PATCH_RING_BYTES (UINT64_C(1) << 24) /* of addresses; memory is there as it is needed */
#define GL_PATCH_LAP (UINT64_C(1) << 20)
#define GL_PATCH_SLACK 4096u
#define GL_PATCH_PIECE UINT64_C(4096) /* of a ring: the writer looks for room once in it */
#define GL_PATCH_CODE_BYTES (UINT64_C(1) << 17) /* two halves, used in turn: a thread may still be in the other one */

typedef enum gl_patch_state { GL_PATCH_EMPTY, GL_PATCH_PATCHED, GL_PATCH_RESTORED } gl_patch_state;

typedef struct gl_patch_header {
    char magic[8];
    uint32_t version, state;
    uint64_t bytes;      /* of the file */
    uint64_t data, code; /* where it and the hooks lie in the program */
    uint64_t ring_bytes;
    uint32_t rings, sites;
    uint32_t half;       /* of the code that is, or was last, in use */
    uint32_t recorder;   /* its pid */
    uint64_t recorder_start; /* when that process started, as its stat file says: tells it from a later one of that pid */
    uint64_t attached;   /* ticks */
    uint8_t pad0[128 - 80];
    uint64_t taken;      /* 128: rings taken, by the program */
    uint8_t pad1[64 - 8];
    uint64_t offered;    /* 192: rings offered, by the recorder */
    uint8_t pad2[64 - 8];
    uint64_t no_ring;    /* 256: events of threads that found none */
    uint64_t no_ring_last; /* ticks */
    uint8_t pad3[256 - 16];
    uint16_t offer[1024]; /* 512: offer[n & 1023] is the n-th ring offered */
    gl_probe_gate gate;   /* 2560 */
    uint8_t rest[4096 - 512 - 2048 - sizeof(gl_probe_gate)];
} gl_patch_header;
static_assert(sizeof(gl_patch_header) == 4096, "a page");
static_assert(offsetof(gl_patch_header, taken) == 128 && offsetof(gl_patch_header, offered) == 192, "lines");
static_assert(offsetof(gl_patch_header, offer) == 512, "offers");

/** What stood at a place before. Written before the place is changed, so that whoever comes later can mend it. */
typedef struct gl_patch_undo {
    uint64_t address;
    uint32_t length;
    uint32_t done; /* 1: the hook's jump stands there */
    uint8_t before[GL_PATCH_BYTES];
    uint8_t after[GL_PATCH_BYTES];
} gl_patch_undo;
static_assert(sizeof(gl_patch_undo) == 64, "64 bytes");

typedef struct gl_patch_ring {
    uint64_t head;       /* writer's */
    uint64_t busy;       /* 1 while a record is in the making */
    uint64_t op_g;       /* goroutine of the last channel operation that began here, and what it was on: */
    uint64_t op_arg;     /* the channel; of a select, how far its cases lie below the end of the stack */
    uint64_t stamp;      /* of the change of state in the making */
    uint64_t limit;      /* a record may begin before this position: then there is room for it */
    uint64_t m;          /* who writes */
    uint8_t pad2[72];
    uint64_t tail;       /* 128: reader's */
    uint64_t populated;  /* bytes from the ring's start that have memory */
    uint8_t pad0[48];
    uint64_t dropped;    /* 192: records that found no room */
    uint64_t dropped_last; /* ticks */
    uint8_t pad1[48];
    uint64_t m_id, tid;  /* 256: of m */
    uint64_t assigned;   /* 1: these and m are there */
    uint8_t pad3[512 - 256 - 24];
    uint64_t memo[256];  /* 512: stacks that stand in the ring already, by their hash */
    uint8_t rest[4096 - 512 - 2048];
} gl_patch_ring;
static_assert(sizeof(gl_patch_ring) == 4096, "a page");
static_assert(offsetof(gl_patch_ring, tail) == 128 && offsetof(gl_patch_ring, dropped) == 192, "lines");
static_assert(offsetof(gl_patch_ring, m_id) == 256 && offsetof(gl_patch_ring, memo) == 512, "places");

static inline uint64_t gl_patch_undo_offset(void)
{
    return sizeof(gl_patch_header);
}
static inline uint64_t gl_patch_slots_offset(void)
{
    return gl_patch_undo_offset() + GL_PATCH_SITES * sizeof(gl_patch_undo);
}
static inline uint64_t gl_patch_ring_stride(uint64_t ring_bytes)
{
    return sizeof(gl_patch_ring) + ring_bytes + GL_PATCH_SLACK;
}
static inline uint64_t gl_patch_rings_offset(void)
{
    return gl_patch_slots_offset() + GL_PATCH_MS * sizeof(uint64_t);
}
static inline uint64_t gl_patch_file_bytes(uint32_t rings, uint64_t ring_bytes)
{
    return gl_patch_rings_offset() + rings * gl_patch_ring_stride(ring_bytes);
}

#endif
