/*
 * A session's small matters: its descriptor, its words, its clock, its housekeeping, its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "session_internal.h"

int gl_session_fd(const gl_session *s)
{
    return s->fd;
}

void gl_session_environment(const gl_session *s, char *text, size_t size)
{
    snprintf(text, size, GL_RING_ENV_FD "=%d", s->fd);
}

void gl_session_listen(gl_session *s, bool on)
{
    __atomic_store_n(&s->header->listening, on, __ATOMIC_RELEASE);
}

void gl_session_set_policy(gl_session *s, gl_ring_policy policy)
{
    __atomic_store_n(&s->header->policy, policy, __ATOMIC_RELAXED);
}

gl_ring_clock gl_session_clock(const gl_session *s)
{
    return s->clock;
}

void gl_session_take_clock(gl_session *s, gl_ring_pair *out)
{
    gl_clock_take(s->clock, out);
    uint32_t taken = __atomic_load_n(&s->header->pairs_taken, __ATOMIC_RELAXED);
    s->header->pairs[taken % GL_RING_PAIRS] = *out;
    __atomic_store_n(&s->header->pairs_taken, taken + 1, __ATOMIC_RELEASE);
}

uint32_t gl_session_attached(const gl_session *s, uint32_t *refused_version)
{
    if (refused_version)
        *refused_version = __atomic_load_n(&s->header->refused_version, __ATOMIC_RELAXED);
    return __atomic_load_n(&s->header->attached, __ATOMIC_RELAXED);
}

uint32_t gl_session_rings(const gl_session *s)
{
    uint32_t used = __atomic_load_n(&s->header->slots_used, __ATOMIC_ACQUIRE);
    return used < s->slots ? used : s->slots;
}

void gl_session_ring_info_get(const gl_session *s, uint32_t ring, gl_session_ring_info *out)
{
    *out = (gl_session_ring_info){0};
    if (ring >= s->slots)
        return;
    const gl_ring_slot *slot = gl_session_slot(s, ring);
    const gl_ring_control *r = gl_session_control(s, ring);
    const gl_ring_decoder *d = &s->decoder[ring];
    uint64_t owner = __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE), head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
    out->state = gl_ring_owner_state(owner);
    out->turn = gl_ring_owner_turn(owner);
    out->tid = gl_ring_owner_tid(owner);
    out->pid = __atomic_load_n(&slot->pid, __ATOMIC_RELAXED);
    out->bytes = s->ring_bytes[ring];
    out->written = head - __atomic_load_n(&r->skipped, __ATOMIC_RELAXED);
    out->waiting = gl_ring_waiting(r);
    out->lost = __atomic_load_n(&r->lost, __ATOMIC_RELAXED);
    out->overwritten = d->overwritten;
    out->damaged = d->damaged;
}

void gl_session_no_ring_get(const gl_session *s, gl_session_no_ring *out)
{
    const gl_ring_header *h = s->header;
    out->events = __atomic_load_n(&h->lost, __ATOMIC_RELAXED);
    out->first = __atomic_load_n(&h->lost_first, __ATOMIC_RELAXED);
    out->last = __atomic_load_n(&h->lost_last, __ATOMIC_RELAXED);
}

#define FIRST_BYTES (1u << 20) /* of a free ring: tens of milliseconds, until the next tend */
#define RINGS_A_TEND 4u        /* whose rest is allocated: a millisecond each, in which nothing is drained */

enum { PAGES_NONE, PAGES_FIRST, PAGES_ALL };

/** Allocates a ring's pages; without memory now, the thread that writes there will see for itself. */
static bool allocate(gl_session *s, uint32_t i, bool all)
{
    bool whole = all || s->ring_bytes[i] <= FIRST_BYTES;
    uint64_t data = whole ? s->ring_bytes[i] : FIRST_BYTES;
    if (fallocate(s->fd, 0, (off_t)s->ring_offset[i], (off_t)(GL_RING_CONTROL_BYTES + data)) < 0)
        return false;
    __atomic_store_n(&gl_session_slot(s, i)->ready, whole ? PAGES_ALL : PAGES_FIRST, __ATOMIC_RELEASE);
    return true;
}

/** A ring that was taken gets all of its pages. */
static void complete_taken(gl_session *s)
{
    uint32_t n = 0, used = gl_session_rings(s);
    for (uint32_t i = 0; i < used && n < RINGS_A_TEND; i++) {
        const gl_ring_slot *slot = gl_session_slot(s, i);
        if (gl_ring_owner_state(__atomic_load_n(&slot->owner, __ATOMIC_RELAXED)) == GL_RING_FREE ||
            __atomic_load_n(&slot->ready, __ATOMIC_RELAXED) == PAGES_ALL)
            continue;
        if (!allocate(s, i, true))
            return;
        n++;
    }
}

/** Allocates the first pages of free rings, so that the thread that takes one finds them there. */
static void keep_ready(gl_session *s)
{
    uint32_t have = 0;
    for (uint32_t i = 0; i < s->slots && have < s->ready; i++) {
        gl_ring_slot *slot = gl_session_slot(s, i);
        if (gl_ring_owner_state(__atomic_load_n(&slot->owner, __ATOMIC_RELAXED)) != GL_RING_FREE)
            continue;
        if (__atomic_load_n(&slot->ready, __ATOMIC_RELAXED) == PAGES_NONE && !allocate(s, i, false))
            return;
        have++;
    }
}

/** True where the ring's thread is known to be gone without having given it back. Ids of another pid namespace say nothing
    here; their rings come back when a thread ends in good order. */
static bool is_orphan(const gl_session *s, uint64_t owner)
{
    return s->same_pid_namespace && gl_ring_owner_state(owner) == GL_RING_OWNED &&
           kill((pid_t)gl_ring_owner_tid(owner), 0) < 0 && errno == ESRCH;
}

/** A thread that is about to take a ring has its id in the owner word already, so what the word says is the truth, and
    where it has changed meanwhile the exchange fails. */
static uint32_t take_back(gl_session *s)
{
    uint32_t n = 0, used = gl_session_rings(s);
    for (uint32_t i = 0; i < used; i++) {
        gl_ring_slot *slot = gl_session_slot(s, i);
        uint64_t owner = __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE);
        if (!is_orphan(s, owner))
            continue;
        uint64_t free_now = gl_ring_owner_word(GL_RING_FREE, gl_ring_owner_turn(owner), gl_ring_owner_tid(owner));
        n += __atomic_compare_exchange_n(&slot->owner, &owner, free_now, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
    if (n)
        __atomic_fetch_add(&s->header->releases, n, __ATOMIC_RELEASE);
    return n;
}

uint32_t gl_session_tend(gl_session *s)
{
    uint32_t n = take_back(s);
    complete_taken(s);
    keep_ready(s);
    return n;
}

/** A ring that nobody has taken, nor was made ready for anybody, has no page. */
static bool has_memory(const gl_ring_slot *slot, uint64_t owner)
{
    return gl_ring_owner_turn(owner) > 0 || __atomic_load_n(&slot->ready, __ATOMIC_RELAXED) != PAGES_NONE;
}

/** A program that goes on keeps its rings; those that no thread has give their memory back. The file stays as long as it
    is, for a store into what was given back must not fault. */
static void give_memory_back(gl_session *s)
{
    uint32_t self = (uint32_t)getpid();
    for (uint32_t i = 0; i < s->slots; i++) {
        gl_ring_slot *slot = gl_session_slot(s, i);
        uint64_t owner = __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE);
        if (gl_ring_owner_state(owner) == GL_RING_OWNED || !has_memory(slot, owner))
            continue;
        uint64_t taken = gl_ring_owner_word(GL_RING_OWNED, gl_ring_owner_turn(owner), self);
        if (!__atomic_compare_exchange_n(&slot->owner, &owner, taken, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        __atomic_store_n(&slot->ready, PAGES_NONE, __ATOMIC_RELAXED);
        off_t data = (off_t)(s->ring_offset[i] + GL_RING_CONTROL_BYTES);
        (void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, data, (off_t)s->ring_bytes[i]);
        __atomic_store_n(&slot->owner, gl_ring_owner_word(GL_RING_FREE, gl_ring_owner_turn(owner), 0), __ATOMIC_RELEASE);
    }
}

void gl_session_close(gl_session *s)
{
    if (!s)
        return;
    if (s->decoder) { /* opened to the end */
        gl_session_listen(s, false);
        give_memory_back(s);
        for (uint32_t i = 0; i < s->slots; i++)
            gl_ring_decoder_free(&s->decoder[i]);
    }
    if (s->header)
        munmap(s->header, s->bytes);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    if (s->fd >= 0)
        close(s->fd);
    free(s->ring_offset);
    free(s->ring_bytes);
    free(s->decoder);
    free(s);
}
