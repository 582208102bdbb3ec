/*
 * Reading a ring while its thread writes on.
 *
 * Bytes are copied first and decoded from the copy. Under GL_RING_OVERWRITE the writer may overtake the copying; it says
 * in `opening` which block goes before it touches it, so a look at that word afterwards tells whether the copy is good.
 */
#include <string.h>

#include "session_internal.h"

/**
 * For GL_RING_OVERWRITE: word by word, so that each load is one. A thread sanitizer must not look: a copy that raced with
 * the writer is noticed and thrown away, but it cannot know that. The last word may reach beyond what is complete; those
 * bytes are not looked at.
 */
#if defined(__clang__)
__attribute__((no_sanitize("thread")))
#else
__attribute__((no_sanitize_thread))
#endif
static void copy_words(uint64_t *to, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* Of a block, so much is copied at once: it stays in the nearest cache until it is decoded. */
#define PIECE 4096u
_Static_assert(PIECE > GL_RING_BLOCK_HEADER + GL_DECODE_SLACK, "a piece gets on");

typedef struct reading {
    gl_session *s;
    gl_ring_decoder *d;
    gl_ring_control *r;
    const uint8_t *data;
    uint64_t size;
    const gl_session_sink *sink;
    bool racing;
    uint64_t words[GL_RING_BLOCK / 8 + GL_DECODE_SLACK / 8];
} reading;

static void set_tail(reading *rd, uint64_t tail)
{
    rd->d->tail = tail;
    __atomic_store_n(&rd->r->tail, tail, __ATOMIC_RELEASE);
}

static uint64_t block_of(uint64_t position)
{
    return position & ~(uint64_t)(GL_RING_BLOCK - 1);
}

/** Goes on at `to` and says what was passed over: unless that was never to be delivered. */
static int skip(reading *rd, uint64_t to, bool tell, const char *why)
{
    gl_ring_decoder *d = rd->d;
    uint64_t bytes = to - d->tail, first = d->last;
    tell &= to > d->mute_until;
    d->in_block = false;
    set_tail(rd, to);
    return tell ? gl_ring_decode_lost(d, rd->sink, 0, bytes, first, first, why) : 0;
}

/** The writer was faster: on to the oldest block that it will leave alone for a while. A flight recorder's first look at
    a ring begins there, and nothing is missing; later it is a gap. */
static int skip_overwritten(reading *rd, uint64_t opening, uint64_t head)
{
    uint64_t ahead = rd->size / GL_RING_BLOCK >= 8 ? 2 * GL_RING_BLOCK : GL_RING_BLOCK;
    uint64_t to = block_of(opening) + ahead - rd->size;
    if (to <= rd->d->tail || to > head)
        to = head;
    rd->d->overwritten += to - rd->d->tail;
    return skip(rd, to, rd->d->delivered, "overwritten before it was read");
}

/** What makes no sense: pass over the block, or as much of it as there is yet. */
static int skip_damaged(reading *rd, uint64_t upto)
{
    rd->d->damaged += upto - rd->d->tail;
    return skip(rd, upto, true, "the ring is damaged");
}

/** Copies [tail, upto), which is in one block; false where the writer has overtaken. */
static bool copy(reading *rd, uint64_t upto, uint64_t *opening)
{
    uint64_t from = rd->d->tail & ~(uint64_t)7;
    const uint8_t *at = rd->data + (from & (rd->size - 1));
    size_t words = (size_t)(upto - from + 7) / 8;
    if (rd->racing)
        copy_words(rd->words, (const uint64_t *)(const void *)at, words);
    else /* what is complete stays as it is until we move the tail */
        memcpy((char *)rd->words + (rd->d->tail - from), at + (rd->d->tail - from), (size_t)(upto - rd->d->tail));
    memset((char *)rd->words + (upto - from), 0, GL_DECODE_SLACK);
    GL_RING_FENCE(__ATOMIC_ACQUIRE);
    *opening = __atomic_load_n(&rd->r->opening, __ATOMIC_RELAXED);
    return !rd->racing || *opening < block_of(rd->d->tail) + rd->size;
}

/** One piece, or all there is of the block: for a record that is longer than a piece. */
static int read_piece(reading *rd, uint64_t head, bool whole)
{
    gl_ring_decoder *d = rd->d;
    uint64_t end = block_of(d->tail) + GL_RING_BLOCK, all = head < end ? head : end, opening;
    uint64_t upto = whole || all - d->tail <= PIECE ? all : d->tail + PIECE;
    if (!copy(rd, upto, &opening))
        return skip_overwritten(rd, opening, head);
    size_t before = d->tail & 7;
    int status = gl_ring_decode(d, (const uint8_t *)rd->words + before, (size_t)(upto - d->tail), upto < all, rd->sink);
    if (status == GL_E_CORRUPT)
        return skip_damaged(rd, all);
    set_tail(rd, d->tail);
    return status;
}

static int read_block(reading *rd, uint64_t head)
{
    uint64_t block = block_of(rd->d->tail), before = head;
    int status = 0;
    while (status == 0 && rd->d->tail < head && block_of(rd->d->tail) == block) {
        bool stuck = rd->d->tail == before;
        before = rd->d->tail;
        status = read_piece(rd, head, stuck);
    }
    return status;
}

static void begin(reading *rd, gl_session *s, uint32_t ring, const gl_session_sink *sink)
{
    rd->s = s;
    rd->d = &s->decoder[ring];
    rd->r = gl_session_control(s, ring);
    rd->data = (const uint8_t *)rd->r + GL_RING_CONTROL_BYTES;
    rd->size = s->ring_bytes[ring];
    rd->sink = sink;
    rd->racing = __atomic_load_n(&s->header->policy, __ATOMIC_RELAXED) == GL_RING_OVERWRITE;
}

static int read_all(reading *rd)
{
    uint64_t head = rd->d->head = __atomic_load_n(&rd->r->head, __ATOMIC_ACQUIRE);
    int status = 0;
    if (head < rd->d->tail) /* a head that went back is no writer's doing */
        return 0;
    if (rd->racing && head - rd->d->tail > rd->size)
        status = skip_overwritten(rd, block_of(head - 1), head);
    /* No ring holds more blocks than this; a head that promises more is not to be believed. */
    for (uint64_t n = rd->size / GL_RING_BLOCK + 2; n && status == 0 && rd->d->tail < head; n--)
        status = read_block(rd, head);
    if (status == 0 && rd->d->tail < head && !rd->racing)
        status = skip_damaged(rd, head);
    return status;
}

static int told(int status, uint32_t ring, gl_error *err)
{
    if (status >= 0)
        return 0;
    return gl_fail(err, (gl_status)status, UINT64_MAX, "draining ring %u ended: %s", ring, gl_status_text(status));
}

int gl_session_drain(gl_session *s, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    if (ring >= s->slots)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "there is no ring %u: there are %u", ring, s->slots);
    reading rd;
    begin(&rd, s, ring, sink);
    return told(read_all(&rd), ring, err);
}

/** Losses that the writer had no more occasion to tell of. */
static int untold_losses(reading *rd)
{
    gl_ring_decoder *d = rd->d;
    uint64_t lost = __atomic_load_n(&rd->r->lost, __ATOMIC_ACQUIRE);
    if (lost <= d->lost_seen)
        return 0;
    uint64_t events = lost - d->lost_seen;
    d->lost_seen = lost;
    return gl_ring_decode_lost(d, rd->sink, events, 0, __atomic_load_n(&rd->r->lost_first, __ATOMIC_RELAXED),
                               __atomic_load_n(&rd->r->lost_last, __ATOMIC_RELAXED), "no room in the ring");
}

int gl_session_finish(gl_session *s, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    int status = gl_session_drain(s, ring, sink, err);
    if (status < 0)
        return status;
    reading rd;
    begin(&rd, s, ring, sink);
    return told(untold_losses(&rd), ring, err);
}
