#include "far.h"

#include <stdlib.h>
#include <string.h>

#define SHARES_MAX 1000000 /* more goroutines times stretches than this are looked at from further away */

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

static uint32_t slot_for(gl_far *f, uint32_t gor)
{
    uint32_t slot = gl_ids_get(&f->slot_of_gor, gor);
    if (slot != GL_NONE)
        return slot;
    if (GL_ROOM(f->slots, f->slot_capacity, f->slot_count) < 0 ||
        gl_ids_put(&f->slot_of_gor, gor, (uint32_t)f->slot_count) < 0)
        return GL_NONE;
    f->slots[f->slot_count] = (gl_slot){0};
    return (uint32_t)f->slot_count++;
}

static int add_shares(gl_far *f, gl_model *m, const gl_summary_node *node, const gl_lane_share *share, size_t n)
{
    double step = gl_scale_step(f->scale);
    if (GL_ROOM(f->nodes, f->node_capacity, f->node_count) < 0)
        return GL_E_NOMEM;
    f->nodes[f->node_count++] = (gl_far_node){(float)(((double)node->time_from - (double)f->scale.from) / step),
                                              (float)(((double)node->time_to - (double)f->scale.from) / step)};
    for (size_t i = 0; i < n; i++) {
        uint32_t gor = gl_model_add(m, share[i].g, node->time_from);
        uint32_t slot = gor == GL_NONE ? GL_NONE : slot_for(f, gor);
        if (slot == GL_NONE || GL_ROOM(f->shares, f->capacity, f->count) < 0)
            return GL_E_NOMEM;
        f->slots[slot].n++;
        f->shares[f->count++] = (gl_far_share){gor,
                                               (uint32_t)f->node_count - 1,
                                               share[i].running,
                                               share[i].runnable,
                                               share[i].waiting,
                                               share[i].syscall,
                                               wait_kind_of(share[i].dominant_reason_class)};
    }
    return 0;
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
        gl_slot *slot = &f->slots[gl_ids_get(&f->slot_of_gor, f->shares[i].gor)];
        sorted[slot->first + slot->n++] = f->shares[i];
    }
    free(f->shares);
    f->shares = sorted;
    f->capacity = f->count;
    return 0;
}

/* Reads one level's nodes in the window. GL_E_LIMIT: there are too many shares. */
static int read_level(gl_far *f, gl_model *m, unsigned level, bool coarsest)
{
    uint64_t size = gl_reader_level_size(m->reader, level);
    f->count = f->node_count = f->slot_count = 0;
    gl_ids_clean_up(&f->slot_of_gor);
    for (uint64_t i = first_node(m->reader, level, f->scale.from); i < size; i++) {
        gl_summary_node node;
        const gl_lane_share *share;
        size_t n;
        int status = gl_reader_summary(m->reader, level, i, &node, NULL);
        if (status == 0 && node.time_from >= f->scale.to)
            break;
        if (status == 0)
            status = gl_cursor_lanes(f->cursor, level, i, &share, &n, NULL);
        if (status < 0)
            return status;
        if (f->count + n > SHARES_MAX && !coarsest)
            return GL_E_LIMIT;
        if (f->count + n > SHARES_MAX * 4u)
            break;
        status = add_shares(f, m, &node, share, n);
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
    do
        status = read_level(f, m, level, level + 1 >= levels);
    while (status == GL_E_LIMIT && ++level < levels);
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
    } kinds[] = {{share->running, GL_SPAN_RUNNING}, {share->runnable, GL_SPAN_RUNNABLE},
                 {share->waiting, (gl_span_kind)share->wait_kind}, {share->syscall, GL_SPAN_SYSCALL}};
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

void gl_far_sum(const gl_far *f, const gl_far_share *share, gl_column_sum *out)
{
    gl_far_node node = f->nodes[share->node];
    double from = node.from < 0 ? 0 : node.from, to = node.to;
    for (int x = (int)from; x < f->scale.n && x < to; x++) {
        float part = (float)((to < x + 1 ? to : x + 1) - (from > x ? from : x)) / 255;
        out[x].busy += part * share->running;
        out[x].syscall += part * share->syscall;
        out[x].runnable += part * share->runnable;
        out[x].wait += part * share->waiting;
    }
}
