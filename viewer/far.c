#include "far.h"

#include <stdlib.h>
#include <string.h>

#define SHARES_MAX 600000 /* more goroutines times stretches than this are looked at from further away */
#define SHARES_MOST (SHARES_MAX * 4u) /* of the coarsest level, where no further away is left */

/* FORMAT.md, "Lane shares": the classes of wait reasons. */
static uint8_t wait_kind_of(uint8_t reason_class)
{
    static const uint8_t kinds[] = {GL_SPAN_OTHER, GL_SPAN_SEND,  GL_SPAN_RECV, GL_SPAN_SELECT, GL_SPAN_SYNC,
                                    GL_SPAN_SLEEP, GL_SPAN_NET, GL_SPAN_GCWAIT, GL_SPAN_OTHER};
    return reason_class < sizeof kinds ? kinds[reason_class] : GL_SPAN_OTHER;
}

void gl_far_clean_up(gl_far *f)
{
    gl_cursor_close(f->cursor);
    free(f->nodes);
    free(f->shares);
    free(f->slots);
    free(f->gor_of_slot);
    gl_ids_clean_up(&f->slot_of_gor);
    memset(f, 0, sizeof *f);
}

/* First node of a level that ends after `time`. */
static uint64_t first_node(gl_reader *r, unsigned level, int64_t time)
{
    uint64_t lo = 0, hi = gl_reader_level_size(r, level);
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        gl_summary_node node;
        if (gl_reader_summary(r, level, mid, &node, NULL) < 0)
            return hi;
        if (node.time_to <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The shares of two neighbours are of nearly the same goroutines, in the same order: walking along the one before finds
 * most slots without a search. */
typedef struct load {
    gl_far *f;
    gl_model *m;
    uint64_t *g;       /* of the node before, and their slots */
    uint32_t *slot;
    size_t n;
} load;

static uint32_t slot_for(load *l, uint64_t g, int64_t time)
{
    gl_far *f = l->f;
    uint32_t gor = gl_model_add(l->m, g, time), slot = gor == GL_NONE ? GL_NONE : gl_ids_get(&f->slot_of_gor, gor);
    if (slot != GL_NONE || gor == GL_NONE)
        return slot;
    slot = (uint32_t)f->slot_count;
    if (GL_ROOM(f->slots, f->slot_capacity, slot) < 0 || GL_ROOM(f->gor_of_slot, f->gor_of_slot_capacity, slot) < 0 ||
        gl_ids_put(&f->slot_of_gor, gor, slot) < 0)
        return GL_NONE;
    f->slots[slot] = (gl_slot){0};
    f->gor_of_slot[slot] = gor;
    f->slot_count++;
    return slot;
}

static int add_shares(load *l, const gl_summary_node *node, const gl_lane_share *share, size_t n)
{
    gl_far *f = l->f;
    double step = gl_scale_step(f->scale);
    if (GL_ROOM(f->nodes, f->node_capacity, f->node_count) < 0)
        return GL_E_NOMEM;
    while (f->count + n > f->capacity)
        if (GL_ROOM(f->shares, f->capacity, f->capacity) < 0)
            return GL_E_NOMEM;
    uint32_t at = (uint32_t)f->node_count++;
    f->nodes[at] = (gl_far_node){(float)(((double)node->time_from - (double)f->scale.from) / step),
                                 (float)(((double)node->time_to - (double)f->scale.from) / step)};
    uint64_t *g = malloc((n ? n : 1) * sizeof *g);
    uint32_t *slots = malloc((n ? n : 1) * sizeof *slots);
    int status = g && slots ? 0 : GL_E_NOMEM;
    for (size_t i = 0, k = 0; i < n && status == 0; i++) {
        while (k < l->n && l->g[k] < share[i].g)
            k++;
        slots[i] = k < l->n && l->g[k] == share[i].g ? l->slot[k] : slot_for(l, share[i].g, node->time_from);
        if (slots[i] == GL_NONE) {
            status = GL_E_NOMEM;
            break;
        }
        g[i] = share[i].g;
        f->slots[slots[i]].n++;
        f->shares[f->count++] = (gl_far_share){slots[i], at,
                                               {share[i].running, share[i].runnable, share[i].waiting, share[i].syscall},
                                               wait_kind_of(share[i].dominant_reason_class)};
    }
    free(l->g);
    free(l->slot);
    l->g = g;
    l->slot = slots;
    l->n = status == 0 ? n : 0;
    return status;
}

/* Shares stand node by node; a counting sort puts each goroutine's together. */
static int group_shares(gl_far *f)
{
    gl_far_share *sorted = malloc((f->count ? f->count : 1) * sizeof *sorted);
    if (!sorted)
        return GL_E_NOMEM;
    uint32_t at = 0;
    for (size_t i = 0; i < f->slot_count; i++) {
        f->slots[i].first = at;
        at += f->slots[i].n;
        f->slots[i].n = 0;
    }
    for (size_t i = 0; i < f->count; i++) {
        gl_slot *slot = &f->slots[f->shares[i].slot];
        sorted[slot->first + slot->n++] = f->shares[i];
    }
    free(f->shares);
    f->shares = sorted;
    f->capacity = f->count;
    return 0;
}

/* Shares of a level's nodes in the window, as far as the file says without being asked for them. */
static uint64_t count_shares(const gl_model *m, gl_scale s, unsigned level)
{
    uint64_t last = first_node(m->reader, level, s.to), sum = 0;
    for (uint64_t i = first_node(m->reader, level, s.from); i <= last && sum <= SHARES_MAX; i++)
        sum += gl_reader_lane_count(m->reader, level, i);
    return sum;
}

/* Reads one level's nodes in the window. GL_E_LIMIT: there are too many shares. */
static int read_level(load *l, unsigned level, bool coarsest)
{
    gl_far *f = l->f;
    uint64_t size = gl_reader_level_size(l->m->reader, level);
    f->count = f->node_count = f->slot_count = l->n = 0;
    gl_ids_clean_up(&f->slot_of_gor);
    for (uint64_t i = first_node(l->m->reader, level, f->scale.from); i < size; i++) {
        gl_summary_node node;
        const gl_lane_share *share;
        size_t n;
        int status = gl_reader_summary(l->m->reader, level, i, &node, NULL);
        if (status == 0 && node.time_from >= f->scale.to)
            break;
        if (status == 0)
            status = gl_cursor_lanes(f->cursor, level, i, &share, &n, NULL);
        if (status < 0)
            return status;
        if (f->count + n > SHARES_MAX && !coarsest)
            return GL_E_LIMIT;
        if (f->count + n > SHARES_MOST)
            break;
        status = add_shares(l, &node, share, n);
        if (status < 0)
            return status;
    }
    return group_shares(f);
}

int gl_far_look(gl_far *f, gl_model *m, gl_scale s)
{
    bool same = f->cursor && f->scale.from == s.from && f->scale.to == s.to && f->scale.n == s.n;
    if (same && f->revision == m->info->usable_bytes)
        return 0;
    int status = f->cursor ? 0 : gl_cursor_open(m->reader, GL_COL_ALL, &f->cursor, NULL);
    unsigned levels = gl_reader_levels(m->reader), level = 0;
    if (status < 0 || levels == 0)
        return status < 0 ? status : GL_E_NOT_FOUND;
    f->scale = s;
    f->revision = m->info->usable_bytes;
    /* The coarsest level that still has about a node for each column. */
    while (level + 1 < levels &&
           first_node(m->reader, level + 1, s.to) - first_node(m->reader, level + 1, s.from) >= (uint64_t)s.n)
        level++;
    while (level + 1 < levels && count_shares(m, s, level) > SHARES_MAX)
        level++;
    load l = {.f = f, .m = m};
    do
        status = read_level(&l, level, level + 1 >= levels);
    while (status == GL_E_LIMIT && ++level < levels);
    free(l.g);
    free(l.slot);
    if (status < 0)
        f->scale.n = 0;
    return status;
}

/* Calls for each column that a node covers, with the part of the column and the first of them. */
static void add_share(gl_column_mix *c, double part, const gl_far_share *share)
{
    const struct {
        uint8_t share;
        gl_span_kind kind;
    } kinds[] = {{share->part[0], GL_SPAN_RUNNING}, {share->part[1], GL_SPAN_RUNNABLE},
                 {share->part[2], (gl_span_kind)share->wait_kind}, {share->part[3], GL_SPAN_SYSCALL}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!kinds[i].share)
            continue;
        unsigned sum = c->share[kinds[i].kind] + (unsigned)(part * kinds[i].share * GL_SHARE_FULL / 255);
        c->share[kinds[i].kind] = (uint16_t)(sum > GL_SHARE_FULL ? GL_SHARE_FULL : sum);
        bool new = c->parts == 0 || c->right != kinds[i].kind;
        c->parts = (uint8_t)(new ? (c->parts ? 3 : 1) : c->parts);
        c->right = (uint8_t)kinds[i].kind;
    }
}

void gl_far_lane(const gl_far *f, uint32_t gor, gl_column_mix *out)
{
    uint32_t at = gl_ids_get(&f->slot_of_gor, gor);
    gl_columns_clear(out, f->scale.n);
    for (uint32_t i = 0; at != GL_NONE && i < f->slots[at].n; i++) {
        const gl_far_share *share = &f->shares[f->slots[at].first + i];
        gl_far_node node = f->nodes[share->node];
        double from = node.from < 0 ? 0 : node.from, to = node.to;
        for (int x = (int)from; x < f->scale.n && (x < to || x == (int)from); x++)
            add_share(&out[x], (to < x + 1 ? to : x + 1) - (from > x ? from : x), share);
    }
}

void gl_far_add(const gl_far *f, uint32_t slot, gl_far_sum *sums)
{
    const gl_far_share *share = &f->shares[f->slots[slot].first];
    for (uint32_t i = 0; i < f->slots[slot].n; i++)
        for (int k = 0; k < 4; k++)
            sums[share[i].node].part[k] += share[i].part[k];
}

void gl_far_columns(const gl_far *f, const gl_far_sum *sums, gl_column_sum *out)
{
    for (size_t i = 0; i < f->node_count; i++) {
        double from = f->nodes[i].from < 0 ? 0 : f->nodes[i].from, to = f->nodes[i].to;
        for (int x = (int)from; x < f->scale.n && x < to; x++) {
            float part = (float)((to < x + 1 ? to : x + 1) - (from > x ? from : x)) / 255;
            out[x].busy += part * (float)sums[i].part[0];
            out[x].runnable += part * (float)sums[i].part[1];
            out[x].wait += part * (float)sums[i].part[2];
            out[x].syscall += part * (float)sums[i].part[3];
        }
    }
}
