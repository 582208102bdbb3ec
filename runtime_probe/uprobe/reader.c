#include "reader.h"

#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "golanes/clock.h"

#define QUEUE_MAX ((size_t)16 << 20) /* bytes taken from the ring and not handed on: more stays in it */
#define SLACK 20000u                 /* ns by which two ways to read the same clock may differ, and more */
#define NEAR 2000000u                /* ns: how late a change may be stamped */
#define JUST_BEGUN 100000000u        /* ns after the snapshot in which a change may be in it already */
#define TABLE (2 * GL_UPROBE_THREADS)

enum { IDLE = 0, SYSCALL = 3, WAITING = 4, DEAD = 6, PREEMPTED = 9, DEADEXTRA = 11 };

int gl_uprobe_reader_start(gl_uprobe_reader *r, gl_uprobe_kernel *k, gl_translation *t)
{
    memset(r, 0, sizeof *r);
    r->k = k;
    r->t = t;
    r->bound = r->looked = t->of.begin_ticks;
    r->tids = calloc(TABLE, sizeof *r->tids);
    r->numbers = calloc(TABLE, sizeof *r->numbers);
    if (!r->tids || !r->numbers)
        return GL_E_NOMEM;
    for (size_t i = 0; i < t->of.snapshot->gs; i++) {
        gl_patch_g *g = gl_patch_gs_get(&r->states, t->of.snapshot->g[i].id);
        if (!g)
            return GL_E_NOMEM;
        g->state = (uint8_t)(t->of.snapshot->g[i].status + 1);
    }
    return 0;
}

void gl_uprobe_reader_end(gl_uprobe_reader *r)
{
    free(r->bytes);
    free(r->items);
    free(r->tids);
    free(r->numbers);
    gl_patch_gs_free(&r->states);
    memset(r, 0, sizeof *r);
}

/* Threads */

static int meet(gl_uprobe_reader *r, uint32_t number, uint32_t tid)
{
    gl_patch_thread *th = &r->t->threads[number];
    const gl_snapshot *snap = r->t->of.snapshot;
    gl_session_owner owner = {.pid = (uint32_t)r->t->of.pid, .tid = tid, .turn = 1, .ring = number};
    int status = r->t->sink->on_thread(r->t->sink->user, &owner, &th->who);
    if (status < 0)
        return status;
    r->t->process = th->who.process;
    th->known = true;
    for (size_t i = 0; i < snap->ms; i++)
        if (snap->m[i].tid == tid)
            th->g = snap->m[i].g;
    return 0;
}

/** A thread's number; UINT32_MAX: there are too many. */
static uint32_t number_of(gl_uprobe_reader *r, uint32_t tid)
{
    uint32_t i = (tid * 2654435761u) & (TABLE - 1);
    while (r->tids[i] != 0 && r->tids[i] != tid)
        i = (i + 1) & (TABLE - 1);
    if (r->tids[i] == tid)
        return r->numbers[i];
    if (r->threads == GL_UPROBE_THREADS)
        return UINT32_MAX;
    int status = meet(r, r->threads, tid);
    if (status < 0)
        r->t->status = status;
    r->tids[i] = tid;
    return r->numbers[i] = r->threads++;
}

/* From the ring */

static uint64_t stack_hash(const uint64_t *pcs, unsigned n)
{
    uint64_t h = n;
    for (unsigned i = 0; i < n; i++)
        h = (h ^ pcs[i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
    return n ? h | 1 : 0;
}

static bool room_for(gl_uprobe_reader *r, size_t bytes)
{
    if (r->next == r->n)
        r->next = r->n = r->used = 0;
    if (r->used + bytes > r->room) {
        size_t room = r->room ? 2 * r->room : (size_t)1 << 18;
        uint8_t *more = realloc(r->bytes, room);
        if (!more)
            return false;
        r->bytes = more;
        r->room = room;
    }
    if (r->n == r->items_room) {
        size_t room = r->items_room ? 2 * r->items_room : 4096;
        gl_uprobe_item *more = realloc(r->items, room * sizeof *more);
        if (!more)
            return false;
        r->items = more;
        r->items_room = room;
    }
    return true;
}

/** Into its place by time: most come last. */
static void insert(gl_uprobe_reader *r, gl_uprobe_item item)
{
    size_t i = r->n++;
    while (i > r->next && r->items[i - 1].ticks > item.ticks) {
        r->items[i] = r->items[i - 1];
        i--;
    }
    r->items[i] = item;
}

static int take_entry(gl_uprobe_reader *r, const gl_uprobe_head *h, uint32_t bytes)
{
    size_t units = GL_PATCH_UNIT * (1 + (size_t)h->units), frames = h->frames * sizeof(uint64_t);
    const gl_patch_record *rec = (const gl_patch_record *)(const void *)(h + 1);
    if (sizeof *h + h->bytes + frames > bytes || units > h->bytes || gl_record_units(rec) != 1u + h->units) {
        r->t->damaged++;
        return 0;
    }
    uint32_t thread = number_of(r, h->tid);
    if (thread == UINT32_MAX) {
        r->crowded++;
        return 0;
    }
    if (!room_for(r, units))
        return GL_E_NOMEM;
    gl_patch_record *mine = (gl_patch_record *)(void *)(r->bytes + r->used);
    memcpy(mine, rec, units);
    if (frames) {
        const uint64_t *pcs = (const uint64_t *)(const void *)((const uint8_t *)rec + h->bytes);
        gl_patch_record stack = {.arg = stack_hash(pcs, h->frames)};
        gl_translate_stack(r->t, &stack, pcs, h->frames);
        if (rec->type == GL_PATCH_CAS)
            mine->arg = stack.arg;
        else if (h->units > 0)
            memcpy(mine + 1, &stack.arg, sizeof stack.arg);
    }
    insert(r, (gl_uprobe_item){rec->ticks, (uint32_t)r->used, thread});
    r->used += units;
    return 0;
}

/** All entries up to the first that is in the making. Moves the bound where there was none. */
static int read_ring(gl_uprobe_reader *r)
{
    uint64_t now = gl_clock_ticks(GL_RING_CLOCK_MONOTONIC);
    uint64_t at = *r->k->consumer, end = __atomic_load_n(r->k->producer, __ATOMIC_ACQUIRE);
    int rc = 0;
    while (rc == 0 && at < end && r->used < QUEUE_MAX) {
        const uint32_t *len = (const uint32_t *)(const void *)(r->k->data + (at & (r->k->size - 1)));
        uint32_t l = __atomic_load_n(len, __ATOMIC_ACQUIRE), n = l & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
        if (l & BPF_RINGBUF_BUSY_BIT)
            break;
        if (!(l & BPF_RINGBUF_DISCARD_BIT))
            rc = take_entry(r, (const gl_uprobe_head *)(const void *)((const uint8_t *)len + BPF_RINGBUF_HDR_SZ), n);
        at += (n + BPF_RINGBUF_HDR_SZ + 7) & ~UINT64_C(7);
    }
    __atomic_store_n(r->k->consumer, at, __ATOMIC_RELEASE);
    if (at >= end)
        r->bound = now - SLACK;
    return rc;
}

/* In turn */

static gl_patch_record *record_of(const gl_uprobe_reader *r, const gl_uprobe_item *i)
{
    return (gl_patch_record *)(void *)(r->bytes + i->at);
}

static uint64_t goroutine_of(const gl_patch_record *rec)
{
    return rec->g & ((UINT64_C(1) << GL_PATCH_EXTRA_SHIFT) - 1);
}

static unsigned plain(unsigned state)
{
    return state == PREEMPTED ? WAITING : state;
}

/** Whether a record can follow on what its goroutine was in. One that is dead may have another's number yet. */
static bool follows(gl_uprobe_reader *r, const gl_patch_record *rec)
{
    if (rec->type != GL_PATCH_CAS || rec->a == DEAD || rec->a == IDLE || rec->a == DEADEXTRA)
        return true;
    const gl_patch_g *g = gl_patch_gs_get(&r->states, goroutine_of(rec));
    return !g || g->state == 0 || plain(g->state - 1u) == plain(rec->a);
}

static void note(gl_uprobe_reader *r, const gl_patch_record *rec)
{
    bool made = rec->type == GL_PATCH_NEWPROC;
    if (!made && rec->type != GL_PATCH_CAS)
        return;
    if (!made && (rec->a == DEAD || rec->a == IDLE || rec->a == DEADEXTRA) && rec->b != SYSCALL)
        return;
    uint64_t id = made ? rec->arg : goroutine_of(rec);
    if (!made && (rec->b == DEAD || rec->b == DEADEXTRA)) {
        gl_patch_gs_remove(&r->states, id);
        return;
    }
    gl_patch_g *g = gl_patch_gs_get(&r->states, id);
    if (g)
        g->state = (uint8_t)((made ? rec->aux & 0xff : rec->b) + 1);
    else
        r->t->status = GL_E_NOMEM;
}

static void hand(gl_uprobe_reader *r, gl_uprobe_item *i)
{
    gl_patch_record *rec = record_of(r, i);
    note(r, rec);
    gl_translate(r->t, i->thread, rec);
    i->thread = UINT32_MAX;
}

typedef enum verdict { AS_IT_IS, DROP, LATER } verdict;

/** The change that must have been before `i` is handed on first, if it is there. */
static verdict mend(gl_uprobe_reader *r, size_t i, bool last)
{
    const gl_patch_record *rec = record_of(r, &r->items[i]);
    uint64_t until = rec->ticks + NEAR;
    for (size_t k = i + 1; k < r->n && r->items[k].ticks <= until; k++) {
        gl_patch_record *other = record_of(r, &r->items[k]);
        if (r->items[k].thread == UINT32_MAX || other->type != GL_PATCH_CAS || goroutine_of(other) != goroutine_of(rec) ||
            !follows(r, other))
            continue;
        other->ticks = rec->ticks;
        hand(r, &r->items[k]);
        r->mended++;
        return AS_IT_IS;
    }
    if (!last && until > r->bound)
        return LATER;
    const gl_patch_g *g = gl_patch_gs_get(&r->states, goroutine_of(rec));
    bool seen = g && g->state != 0 && plain(g->state - 1u) == plain(rec->b);
    return seen && rec->ticks < r->t->of.begin_ticks + JUST_BEGUN && r->t->of.snapshot->gs ? DROP : AS_IT_IS;
}

static void hand_on(gl_uprobe_reader *r, bool last)
{
    uint64_t bound = last ? UINT64_MAX : r->bound;
    while (r->next < r->n && r->items[r->next].ticks <= bound && r->t->status == 0) {
        gl_uprobe_item *i = &r->items[r->next];
        verdict v = AS_IT_IS;
        if (i->thread != UINT32_MAX && !follows(r, record_of(r, i)))
            v = mend(r, r->next, last);
        if (v == LATER)
            break;
        if (i->thread != UINT32_MAX && v == AS_IT_IS)
            hand(r, i);
        r->next++;
    }
}

/** What was handed on makes room, once it is the greater part. */
static void compact(gl_uprobe_reader *r)
{
    if (r->next == 0 || 2 * r->next < r->n)
        return;
    uint32_t from = r->next < r->n ? UINT32_MAX : (uint32_t)r->used;
    for (size_t i = r->next; i < r->n; i++)
        from = r->items[i].at < from ? r->items[i].at : from;
    memmove(r->bytes, r->bytes + from, r->used - from);
    r->used -= from;
    for (size_t i = r->next; i < r->n; i++) {
        r->items[i - r->next] = r->items[i];
        r->items[i - r->next].at -= from;
    }
    r->n -= r->next;
    r->next = 0;
}

static void tell_losses(gl_uprobe_reader *r)
{
    uint64_t now = gl_clock_ticks(GL_RING_CLOCK_MONOTONIC);
    uint64_t n = __atomic_load_n(&r->k->state->lost, __ATOMIC_RELAXED);
    if (n > r->lost)
        gl_translate_lost(r->t, UINT32_MAX, n - r->lost, r->looked, now, NULL);
    if (r->crowded)
        gl_translate_lost(r->t, UINT32_MAX, r->crowded, r->looked, now, "too many threads");
    r->crowded = 0;
    r->lost = n;
    r->looked = now;
}

int gl_uprobe_reader_drain(gl_uprobe_reader *r, const gl_session_sink *sink, bool last, gl_error *err)
{
    r->t->sink = sink;
    r->t->status = 0;
    int rc;
    bool more;
    do { /* once; at the end until nothing comes any more */
        uint64_t before = *r->k->consumer;
        rc = read_ring(r);
        more = last && rc == 0 && *r->k->consumer != before;
        hand_on(r, last && !more);
        compact(r);
    } while (more && r->t->status == 0);
    tell_losses(r);
    gl_translate_flush(r->t);
    if (rc == 0 && r->t->status < 0)
        rc = r->t->status;
    if (rc == 0)
        return 0;
    return gl_fail(err, (gl_status)rc, UINT64_MAX, "reading what the kernel tells of process %d failed: %s", (int)r->t->of.pid,
                   gl_status_text(rc));
}

uint64_t gl_uprobe_reader_waiting(const gl_uprobe_reader *r)
{
    return __atomic_load_n(r->k->producer, __ATOMIC_RELAXED) - *r->k->consumer;
}
