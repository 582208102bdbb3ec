/*
 * A program may have many more threads in its life than at once: C code that comes and goes, goroutines that end with a
 * thread locked to them. So the ring of a thread that has ended is given to the next one.
 *
 * The thread is gone when the system does not know it any more; what it wrote is read by then. One thing can still come: an
 * M that belongs to C's threads (needm, in Go's words) serves one after another. So its place in the slot table is cleared
 * first, which makes whoever comes from then on take another ring; and after a while, if nothing was written and the M has
 * no living thread, the ring is free.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "reader.h"

#define LOOK_TICKS UINT64_C(500000000)   /* a quarter of a second, roughly: it need not be exact */
#define GRACE_TICKS UINT64_C(1000000000)

static bool runs(const gl_reader *r, uint64_t tid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%llu", (int)r->p->pid, (unsigned long long)tid);
    return access(path, F_OK) == 0;
}

/** Numbers of threads mean the same to us and to the program. */
static bool same_numbers(const gl_reader *r)
{
    char path[64];
    struct stat ours, theirs;
    snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)r->p->pid);
    return stat("/proc/self/ns/pid", &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino;
}

/** The thread that took the ring has ended, and its M has no other. */
static bool is_gone(const gl_reader *r, const gl_patch_ring *ring)
{
    uint64_t now = 0, m = ring->m;
    struct iovec ours = {&now, sizeof now}, theirs = {(void *)(uintptr_t)(m + (uint64_t)r->p->layout.m_procid), sizeof now};
    if (ring->tid == 0 || runs(r, ring->tid))
        return false;
    bool read = process_vm_readv(r->p->pid, &ours, 1, &theirs, 1, 0) == sizeof now;
    return !read || now == ring->tid || now == 0 || now > INT32_MAX || !runs(r, now);
}

static bool is_read(const gl_reader_ring *q, const gl_patch_ring *ring)
{
    return gl_record_queue_bytes(&q->queue) == 0 && q->tail == __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) &&
           __atomic_load_n(&ring->busy, __ATOMIC_ACQUIRE) == 0;
}

static void retire(gl_reader *r, uint32_t i, uint64_t now)
{
    gl_patch_ring *ring = gl_patch_ring_of(r->p, i);
    uint64_t *slot = (uint64_t *)(void *)(r->p->memory + gl_patch_slots_offset()) + (ring->m_id & (GL_PATCH_MS - 1));
    uint64_t ours = r->p->data + gl_patch_rings_offset() + i * gl_patch_ring_stride(GL_PATCH_RING_BYTES);
    (void)__atomic_compare_exchange_n(slot, &ours, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    r->ring[i].retired = now;
}

static void offer(gl_reader *r, uint32_t i)
{
    gl_patch_ring *ring = gl_patch_ring_of(r->p, i);
    gl_translate_gone(r->t, i, r->handed);
    r->ring[i].retired = 0;
    r->ring[i].turn++;
    ring->m = ring->m_id = ring->tid = 0;
    ring->op_g = ring->op_arg = 0;
    memset(ring->memo, 0, sizeof ring->memo);
    __atomic_store_n(&ring->assigned, 0, __ATOMIC_RELEASE);
    gl_patch_memory_offer(r->p, i);
}

void gl_reader_recycle(gl_reader *r, uint64_t now)
{
    if (now - r->recycled < LOOK_TICKS)
        return;
    if (r->recycled == 0)
        r->same_ns = same_numbers(r);
    r->recycled = now;
    for (uint32_t i = 0; r->same_ns && i < r->rings; i++) {
        gl_patch_ring *ring = gl_patch_ring_of(r->p, i);
        gl_reader_ring *q = &r->ring[i];
        if (!__atomic_load_n(&ring->assigned, __ATOMIC_ACQUIRE) || !r->t->threads[i].known || !is_gone(r, ring) || !is_read(q, ring))
            continue;
        if (q->retired == 0)
            retire(r, i, now);
        else if (now - q->retired > GRACE_TICKS)
            offer(r, i);
    }
}
