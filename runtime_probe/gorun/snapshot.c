/*
 * Read with as few system calls as possible, since the whole program waits meanwhile: all pointers, then the structures in
 * batches, then the stacks' frames, one level of all stacks at a time.
 */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define BATCH 512
#define MAX_GS (UINT64_C(1) << 24)
#define MAX_MS 65536

typedef struct reading {
    const gl_surgeon *s;
    const gl_golayout *l;
    uint64_t bias;
} reading;

/** Reads n things of `size` bytes each from addresses into to. What can't be read (address 0, too) becomes zeros. */
static void read_many(const reading *r, const uint64_t *address, size_t n, size_t size, uint8_t *to)
{
    memset(to, 0, n * size);
    for (size_t at = 0; at < n;) {
        struct iovec theirs[BATCH], ours;
        size_t count = 0;
        while (at + count < n && count < BATCH && address[at + count] != 0) {
            theirs[count] = (struct iovec){(void *)(uintptr_t)address[at + count], size};
            count++;
        }
        if (count == 0) {
            at++;
            continue;
        }
        ours = (struct iovec){to + at * size, count * size};
        ssize_t got = process_vm_readv(r->s->pid, &ours, 1, theirs, count, 0);
        if (got == (ssize_t)(count * size)) {
            at += count;
            continue;
        }
        for (size_t i = 0; i < count; i++)
            if (!gl_surgeon_read(r->s, address[at + i], to + (at + i) * size, size))
                memset(to + (at + i) * size, 0, size);
        at += count;
    }
}

static uint64_t word(const uint8_t *at, int32_t offset)
{
    uint64_t v;
    memcpy(&v, at + offset, 8);
    return v;
}

static uint32_t word32(const uint8_t *at, int32_t offset)
{
    uint32_t v;
    memcpy(&v, at + offset, 4);
    return v;
}

/* Ms */

static int read_ms(const reading *r, uint64_t all, gl_snapshot *out)
{
    const gl_golayout *l = r->l;
    size_t size = (size_t)l->m_alllink + 8, room = 0;
    uint8_t *m = malloc(size);
    uint64_t at = 0;
    int rc = m ? 0 : GL_E_NOMEM;
    if (rc == 0 && !gl_surgeon_read(r->s, all, &at, 8))
        at = 0;
    while (rc == 0 && at != 0 && out->ms < MAX_MS && gl_surgeon_read(r->s, at, m, size)) {
        if (out->ms == room) {
            room = room ? 2 * room : 64;
            gl_snapshot_m *more = realloc(out->m, room * sizeof *more);
            if (!more) {
                rc = GL_E_NOMEM;
                break;
            }
            out->m = more;
        }
        gl_snapshot_m *x = &out->m[out->ms++];
        *x = (gl_snapshot_m){.address = at, .id = word(m, l->m_id), .tid = word(m, l->m_procid)};
        uint64_t g = word(m, l->m_curg), p = word(m, l->m_p);
        uint32_t id;
        if (g != 0 && !gl_surgeon_read(r->s, g + (uint64_t)l->g_goid, &x->g, 8))
            x->g = 0;
        if (p != 0 && gl_surgeon_read(r->s, p + (uint64_t)l->p_id, &id, 4))
            x->p = id + 1;
        at = word(m, l->m_alllink);
    }
    free(m);
    return rc;
}

/* Gs */

static size_t g_bytes(const gl_golayout *l)
{
    int32_t most = l->g_waiting;
    if (l->g_startpc > most)
        most = l->g_startpc;
    if (l->g_parentGoid > most)
        most = l->g_parentGoid;
    return (size_t)most + 8;
}

typedef struct stacks {
    uint64_t *bp, *low, *high;
} stacks;

static bool take_g(const gl_golayout *l, const uint8_t *raw, uint64_t address, gl_snapshot_g *g, stacks *st, size_t i)
{
    *g = (gl_snapshot_g){.address = address,
                         .id = word(raw, l->g_goid),
                         .m = word(raw, l->g_m),
                         .start_pc = word(raw, l->g_startpc),
                         .go_pc = word(raw, l->g_gopc),
                         .chan = word(raw, l->g_waiting),
                         .wait_since = (int64_t)word(raw, l->g_waitsince),
                         .status = word32(raw, l->g_atomicstatus) & 0xfff,
                         .reason = raw[l->g_waitreason]};
    if (l->g_parentGoid >= 0)
        g->parent = word(raw, l->g_parentGoid);
    if (g->status == 0 || g->status == 6 || g->status == 11 || g->id == 0)
        return false;
    st->bp[i] = word(raw, l->g_sched_bp);
    st->low[i] = word(raw, l->g_stack_lo);
    st->high[i] = word(raw, l->g_stack_hi);
    if (g->status != 4 && g->status != 10 && g->status != 1) /* elsewhere g.sched is not up to date */
        st->bp[i] = 0;
    return true;
}

static void walk_stacks(const reading *r, gl_snapshot *out, stacks *st)
{
    uint8_t *frame = malloc(out->gs * 16 + 1);
    if (!frame)
        return;
    for (unsigned depth = 0; depth < GL_SNAPSHOT_FRAMES; depth++) {
        size_t left = 0;
        for (size_t i = 0; i < out->gs; i++) {
            bool inside = st->bp[i] >= st->low[i] && st->bp[i] + 16 <= st->high[i] && (st->bp[i] & 7) == 0;
            st->bp[i] = inside ? st->bp[i] : 0;
            left += inside;
        }
        if (left == 0)
            break;
        read_many(r, st->bp, out->gs, 16, frame);
        for (size_t i = 0; i < out->gs; i++) {
            uint64_t next = word(frame + 16 * i, 0), pc = word(frame + 16 * i, 8);
            if (st->bp[i] != 0 && pc != 0)
                out->g[i].pcs[out->g[i].frames++] = pc;
            st->bp[i] = next > st->bp[i] && st->bp[i] != 0 ? next : 0;
        }
    }
    free(frame);
}

/** g.waiting is a sudog: its channel. */
static void find_channels(const reading *r, gl_snapshot *out, uint64_t *address)
{
    uint8_t *c = malloc(out->gs * 8 + 1);
    for (size_t i = 0; c && i < out->gs; i++)
        address[i] = out->g[i].chan != 0 ? out->g[i].chan + (uint64_t)r->l->sudog_c : 0;
    if (c)
        read_many(r, address, out->gs, 8, c);
    for (size_t i = 0; i < out->gs; i++)
        out->g[i].chan = c ? word(c + 8 * i, 0) : 0;
    free(c);
}

static int read_gs(const reading *r, const uint64_t *address, size_t n, gl_snapshot *out)
{
    size_t size = g_bytes(r->l);
    uint8_t *raw = malloc(n * size + 1);
    uint64_t *words = malloc((3 * n + 1) * sizeof *words);
    out->g = calloc(n + 1, sizeof *out->g);
    int rc = raw && words && out->g ? 0 : GL_E_NOMEM;
    if (rc == 0) {
        stacks st = {words, words + n, words + 2 * n};
        read_many(r, address, n, size, raw);
        for (size_t i = 0; i < n; i++)
            if (take_g(r->l, raw + i * size, address[i], &out->g[out->gs], &st, out->gs))
                out->gs++;
        walk_stacks(r, out, &st);
        find_channels(r, out, words);
    }
    free(raw);
    free(words);
    return rc;
}

int gl_snapshot_take(const gl_surgeon *s, const gl_golayout *l, const gl_govars *v, uint64_t bias, gl_snapshot *out,
                     gl_error *err)
{
    reading r = {s, l, bias};
    uint64_t slice[2] = {0, 0};
    memset(out, 0, sizeof *out);
    if (v->allgs == 0 || !gl_surgeon_read(s, v->allgs + bias, slice, sizeof slice) || slice[1] > MAX_GS)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the list of goroutines of process %d can't be found", (int)s->pid);
    uint64_t *address = malloc(slice[1] * 8 + 1);
    int rc = address ? 0 : GL_E_NOMEM;
    if (rc == 0 && slice[1] > 0 && !gl_surgeon_read(s, slice[0], address, slice[1] * 8))
        rc = GL_E_IO;
    if (rc == 0)
        rc = read_gs(&r, address, slice[1], out);
    if (rc == 0 && v->allm != 0)
        rc = read_ms(&r, v->allm + bias, out);
    free(address);
    if (rc == 0)
        return 0;
    gl_snapshot_free(out);
    return gl_fail(err, (gl_status)rc, UINT64_MAX, "the goroutines of process %d can't be read: %s", (int)s->pid, gl_status_text(rc));
}

void gl_snapshot_free(gl_snapshot *snap)
{
    free(snap->g);
    free(snap->m);
    memset(snap, 0, sizeof *snap);
}
