#include "reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "golanes/clock.h"

#define SLACK UINT64_C(20000) /* ticks that a store may need to be seen: far less than that */
#define PATIENCE UINT64_C(40000000) /* ticks, some 15 ms */
#define LATER (UINT64_C(1) << 40) /* ticks: records come in while we read */
#define PROCS_MAX 65536u /* more are a sign that something else was read */
#define QUEUE_MAX ((size_t)8 << 20) /* of a ring: more stays in it */

int gl_reader_start(gl_reader *r, gl_patch *p, gl_translation *t)
{
    memset(r, 0, sizeof *r);
    r->p = p;
    r->t = t;
    r->ring = calloc(GL_PATCH_RINGS, sizeof *r->ring);
    for (uint32_t i = 0; r->ring && i < GL_PATCH_RINGS; i++)
        r->ring[i].queue.last = r->ring[i].bound = r->ring[i].looked = p->begin_ticks;
    return r->ring ? 0 : GL_E_NOMEM;
}

void gl_reader_end(gl_reader *r)
{
    for (uint32_t i = 0; r->ring && i < GL_PATCH_RINGS; i++)
        gl_record_queue_free(&r->ring[i].queue);
    free(r->ring);
    r->ring = NULL;
}

/* From a ring into its queue */

/** One record at the tail: taken, or passed over. False: what is there makes no sense. */
static bool take_record(gl_reader *r, gl_reader_ring *q, const gl_patch_record *rec, uint64_t left, uint64_t now)
{
    uint32_t units = gl_record_units(rec);
    uint64_t bytes = units * (uint64_t)GL_PATCH_UNIT;
    if (units == 0 || bytes > left)
        return false;
    q->tail += bytes;
    if (rec->type == GL_PATCH_JUMP) {
        q->tail = (q->tail + GL_PATCH_RING_BYTES - 1) & ~(GL_PATCH_RING_BYTES - 1);
        return true;
    }
    if (rec->type == GL_PATCH_STACK) {
        size_t n = (size_t)(rec->g & 0xff), most = (units - 1) * (GL_PATCH_UNIT / 8);
        gl_translate_stack(r->t, rec, (const uint64_t *)(const void *)(rec + 1), n < most ? n : most);
        return true;
    }
    if (!gl_record_queue_put(&q->queue, rec, bytes, r->passed, now + LATER)) /* a thread stamps its records in order: this is none */
        r->t->damaged++;
    return true;
}

static int read_ring(gl_reader *r, uint32_t i, uint64_t head, uint64_t now)
{
    gl_reader_ring *q = &r->ring[i];
    gl_patch_ring *ring = gl_patch_ring_of(r->p, i);
    const uint8_t *data = (const uint8_t *)(ring + 1);
    if (head < q->tail || head - q->tail > GL_PATCH_RING_BYTES || head % GL_PATCH_UNIT != 0) {
        r->t->damaged++;
        q->tail = head;
    }
    if (!gl_record_queue_room(&q->queue, head - q->tail))
        return GL_E_NOMEM;
    while (q->tail < head) {
        const gl_patch_record *rec = (const gl_patch_record *)(const void *)(data + (q->tail & (GL_PATCH_RING_BYTES - 1)));
        if (!take_record(r, q, rec, head - q->tail, now) || q->tail > head) {
            r->t->damaged++;
            q->tail = head;
        }
    }
    __atomic_store_n(&ring->tail, q->tail, __ATOMIC_RELEASE);
    return 0;
}

static void meet(gl_reader *r, uint32_t i)
{
    gl_patch_ring *ring = gl_patch_ring_of(r->p, i);
    gl_patch_thread *th = &r->t->threads[i];
    if (th->known || !__atomic_load_n(&ring->assigned, __ATOMIC_ACQUIRE))
        return;
    const gl_snapshot *snap = &r->p->snapshot;
    gl_session_owner owner = {.pid = (uint32_t)r->p->pid, .tid = (uint32_t)ring->tid, .turn = 1 + r->ring[i].turn, .ring = i};
    if (owner.tid == 0) /* the first thread takes part before it knows its number */
        owner.tid = owner.pid;
    int status = r->t->sink->on_thread(r->t->sink->user, &owner, &th->who);
    if (status < 0)
        r->t->status = status;
    r->t->process = th->who.process;
    th->known = true;
    for (size_t k = 0; k < snap->ms; k++)
        if (snap->m[k].id == ring->m_id)
            th->g = snap->m[k].g;
}

/**
 * A begin whose thread has not gone on since holds up what is younger than the moment when we first saw it, but not for long:
 * its thread may be kept from the processor.
 */
static void wait_for_time(gl_reader *r, gl_reader_ring *q, uint64_t now)
{
    if (!gl_record_queue_waits(&q->queue)) {
        q->waits_since = 0;
        return;
    }
    if (q->waits_since == 0)
        q->waits_since = now;
    if (now - q->waits_since > PATIENCE)
        gl_record_queue_settle(&q->queue, r->passed);
    else if (q->bound > q->waits_since - SLACK)
        q->bound = q->waits_since - SLACK;
}

/** How old a record of this ring can still be that we have not seen. */
static void look(gl_reader *r, uint32_t i, uint64_t now)
{
    gl_reader_ring *q = &r->ring[i];
    gl_patch_ring *ring = gl_patch_ring_of(r->p, i);
    uint64_t second = UINT64_C(2000000000);
    bool busy = __atomic_load_n(&ring->busy, __ATOMIC_ACQUIRE) != 0;
    uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    if (head - q->tail > ring->populated / 4)
        gl_patch_memory_grow(r->p, i);
    if (gl_record_queue_bytes(&q->queue) < QUEUE_MAX) {
        int status = read_ring(r, i, head, now);
        if (status < 0)
            r->t->status = status;
    }
    if (!busy) {
        q->stuck_since = 0;
        q->bound = now - SLACK;
    } else if (q->stuck_since == 0 || q->stuck_head != head) {
        q->stuck_since = now;
        q->stuck_head = head;
        q->bound = q->queue.last;
    } else {
        /* A thread that was ended in the middle of a record never finishes it. */
        q->bound = now - q->stuck_since > second ? now - SLACK : q->queue.last;
    }
    if (q->tail < head)
        q->bound = q->queue.last;
    wait_for_time(r, q, now);
}

static void tell_losses(gl_reader *r, uint32_t i, uint64_t now)
{
    gl_reader_ring *q = &r->ring[i];
    uint64_t n = __atomic_load_n(&gl_patch_ring_of(r->p, i)->dropped, __ATOMIC_RELAXED);
    if (n > q->dropped)
        gl_translate_lost(r->t, i, n - q->dropped, q->looked, now, NULL);
    q->dropped = n;
    q->looked = now;
}

static void tell_no_ring(gl_reader *r, uint64_t now)
{
    uint64_t n = __atomic_load_n(&r->p->header->no_ring, __ATOMIC_RELAXED);
    if (n > r->no_ring)
        gl_translate_lost(r->t, UINT32_MAX, n - r->no_ring, now, now, "no ring for the thread");
    r->no_ring = n;
}

/* From the queues to the translation */

/** The ring whose next record is oldest, and up to when that stays so. */
static uint32_t oldest(const gl_reader *r, uint64_t *until)
{
    uint32_t best = UINT32_MAX;
    uint64_t first = UINT64_MAX, second = UINT64_MAX;
    for (uint32_t k = 0; k < r->filled_count; k++) {
        uint32_t i = r->filled[k];
        const gl_patch_record *rec = gl_record_queue_next(&r->ring[i].queue);
        if (!rec)
            continue;
        if (rec->ticks < first) {
            second = first;
            first = rec->ticks;
            best = i;
        } else if (rec->ticks < second) {
            second = rec->ticks;
        }
    }
    *until = second;
    return best;
}

static void hand_on(gl_reader *r, uint64_t watermark)
{
    uint64_t until;
    r->filled_count = 0;
    for (uint32_t i = 0; i < r->rings; i++)
        if (gl_record_queue_next(&r->ring[i].queue))
            r->filled[r->filled_count++] = i;
    for (uint32_t i; r->t->status == 0 && (i = oldest(r, &until)) != UINT32_MAX;) {
        gl_reader_ring *q = &r->ring[i];
        const gl_patch_record *rec = gl_record_queue_next(&q->queue);
        if (rec->ticks > watermark)
            break;
        if (until > watermark)
            until = watermark;
        while (rec && rec->ticks <= until && r->t->status == 0) {
            r->handed = rec->ticks;
            gl_translate(r->t, i, rec);
            gl_record_queue_taken(&q->queue, gl_record_units(rec) * (size_t)GL_PATCH_UNIT);
            rec = gl_record_queue_next(&q->queue);
        }
    }
}

/** The number of Ps, which is the length of allp, is looked up, where it may be another than it was: it changes while the world
    is stopped (runtime/proc.go, startTheWorldWithSema), and a hook for it would have to be in a place of its own. */
static void tell_procs(gl_reader *r)
{
    uint64_t n = 0, at = r->p->vars.allp, restarts = r->t->restarts;
    if (r->procs != 0 && r->restarts == restarts)
        return;
    struct iovec ours = {&n, sizeof n}, theirs = {(void *)(uintptr_t)(at + r->p->bias + 8), sizeof n};
    if (at == 0 || !gl_patch_is_there(r->p) || process_vm_readv(r->p->pid, &ours, 1, &theirs, 1, 0) != sizeof n)
        return;
    r->restarts = restarts;
    if (n == r->procs || n == 0 || n > PROCS_MAX)
        return;
    if (gl_translate_procs(r->t, n, r->handed > r->p->begin_ticks ? r->handed : r->p->begin_ticks))
        r->procs = n;
}

int gl_reader_drain(gl_reader *r, const gl_session_sink *sink, bool last, gl_error *err)
{
    r->t->sink = sink;
    r->t->status = 0;
    uint64_t now = gl_clock_ticks(GL_RING_CLOCK_TSC), watermark = last ? UINT64_MAX : now;
    r->rings = r->p->made;
    if (!last)
        gl_reader_recycle(r, now);
    for (uint32_t i = 0; i < r->rings; i++) {
        meet(r, i);
        look(r, i, now);
        if (last)
            gl_record_queue_settle(&r->ring[i].queue, r->passed);
        else if (r->ring[i].bound < watermark)
            watermark = r->ring[i].bound;
    }
    hand_on(r, watermark);
    if (!last) {
        r->passed = watermark > r->passed ? watermark : r->passed;
        tell_procs(r);
    }
    for (uint32_t i = 0; i < r->rings; i++)
        tell_losses(r, i, now);
    tell_no_ring(r, now);
    gl_translate_flush(r->t);
    if (r->t->status >= 0)
        return 0;
    return gl_fail(err, (gl_status)r->t->status, UINT64_MAX, "reading what process %d wrote failed: %s", (int)r->p->pid,
                   gl_status_text(r->t->status));
}

uint64_t gl_reader_waiting(const gl_reader *r)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < r->rings; i++) {
        const gl_patch_ring *ring = gl_patch_ring_of(r->p, i);
        uint64_t n = __atomic_load_n(&ring->head, __ATOMIC_RELAXED) - r->ring[i].tail;
        most = n > most ? n : most;
    }
    return most;
}
