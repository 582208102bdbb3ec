/* What both sides know of the file's layout. */
#ifndef GOLANES_RING_LAYOUT_H
#define GOLANES_RING_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "golanes/ring.h"

/* Thread sanitizers know no fences, and warn; for them the atomic accesses beside the fence are all there is. */
#if defined(__SANITIZE_THREAD__)
#define GL_RING_FENCE(order) ((void)0)
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GL_RING_FENCE(order) ((void)0)
#endif
#endif
#ifndef GL_RING_FENCE
#define GL_RING_FENCE(order) __atomic_thread_fence(order)
#endif

/**
 * Looks over a header and slot table of a file that has `bytes` bytes, at least a header page of which is mapped at h:
 * NULL where sizes and places make sense, else one clause that says what doesn't. The table itself is looked at by
 * gl_ring_check_slot.
 */
const char *gl_ring_check(const gl_ring_header *h, uint64_t bytes);
/** True where the slot's ring lies inside the file. */
bool gl_ring_check_slot(const gl_ring_header *h, const gl_ring_slot *slot);

static inline gl_ring_slot *gl_ring_table(gl_ring_header *h)
{
    return (gl_ring_slot *)(void *)((char *)h + h->table_offset);
}

/** Bytes that were written and not yet read. There is never more than one jump between reader and writer. */
static inline uint64_t gl_ring_waiting(const gl_ring_control *r)
{
    uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE), tail = __atomic_load_n(&r->tail, __ATOMIC_RELAXED);
    uint64_t from = __atomic_load_n(&r->jump_from, __ATOMIC_RELAXED), to = __atomic_load_n(&r->jump_to, __ATOMIC_RELAXED);
    uint64_t jumped = tail < to && to <= head && from < to ? to - from : 0;
    return head > tail + jumped ? head - tail - jumped : 0;
}

/** True where ticks come from the processor's counter, on the machine that this is compiled for. */
static inline bool gl_ring_clock_is_counter(uint32_t clock)
{
#if defined(__x86_64__)
    return clock == GL_RING_CLOCK_TSC;
#elif defined(__aarch64__)
    return clock == GL_RING_CLOCK_CNTVCT;
#else
    (void)clock;
    return false;
#endif
}

#endif
