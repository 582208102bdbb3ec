#include "far.h"

#include <stdlib.h>
#include <string.h>

#define SHARES_MAX 600000 /* more goroutines times stretches than this are looked at from further away */
#define SHARES_MOST 1500000 /* of the coarsest level, where no further away is left */

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
    memset(f, 0, sizeof *f);
}

/* Shares of a level's nodes in the window, as far as the file says without being asked for them. */
static uint64_t count_shares(gl_model *m, gl_scale s, unsigned level)
{
    uint64_t last = gl_nodes_after(&m->nodes, level, s.to), sum = 0;
    for (uint64_t i = gl_nodes_after(&m->nodes, level, s.from); i <= last && sum <= SHARES_MAX; i++)
        sum += gl_reader_lane_count(m->reader, level, i);
    return sum;
}

static int reserve(gl_far *f, size_t n)
{
    if (f->count + n <= f->capacity)
        return 0;
    size_t capacity = f->count + n > f->capacity * 2 ? f->count + n : f->capacity * 2;
    gl_far_share *p = gl_memory(f->shares, capacity * sizeof *p);
    if (!p)
        return GL_E_NOMEM;
    f->shares = p;
    f->capacity = capacity;
    return 0;
}

/* The shares of two neighbours are of nearly the same goroutines, in the same order: walking along the node before finds
 * most of them without a search. */
static int add_shares(gl_far *f, gl_model *m, const gl_node *node, const gl_lane_share *share, size_t n)
{
    double step = gl_scale_step(f->scale);
    if (GL_ROOM(f->nodes, f->node_capacity, f->node_count) < 0 || reserve(f, n) < 0)
        return GL_E_NOMEM;
    const gl_far_node *old = f->node_count ? &f->nodes[f->node_count - 1] : NULL;
    const gl_far_share *at = old ? &f->shares[old->first] : NULL, *end = old ? at + old->n : NULL;
    for (size_t i = 0; i < n; i++) {
        while (at != end && m->gors[at->gor].id < share[i].g)
            at++;
        bool same = at != end && m->gors[at->gor].id == share[i].g;
        uint32_t gor = same ? at->gor : gl_model_add(m, share[i].g, node->time_from);
        if (gor == GL_NONE)
            return GL_E_NOMEM;
        f->shares[f->count + i] = (gl_far_share){
            gor, {share[i].running, share[i].runnable, share[i].waiting, share[i].syscall},
            wait_kind_of(share[i].dominant_reason_class)};
    }
    f->nodes[f->node_count++] =
        (gl_far_node){(float)(((double)node->time_from - (double)f->scale.from) / step),
                      (float)(((double)node->time_to - (double)f->scale.from) / step), (uint32_t)f->count, (uint32_t)n};
    f->count += n;
    return 0;
}

/* Reads one level's nodes in the window. GL_E_LIMIT: there are too many shares. */
static int read_level(gl_far *f, gl_model *m, unsigned level, bool coarsest)
{
    uint64_t size = gl_reader_level_size(m->reader, level), known = count_shares(m, f->scale, level);
    f->count = f->node_count = 0;
    if (reserve(f, known > SHARES_MAX ? SHARES_MAX : (size_t)known) < 0)
        return GL_E_NOMEM;
    for (uint64_t i = gl_nodes_after(&m->nodes, level, f->scale.from); i < size; i++) {
        gl_node node;
        const gl_lane_share *share;
        size_t n;
        int status = gl_nodes_get(&m->nodes, level, i, &node);
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
        status = add_shares(f, m, &node, share, n);
        if (status < 0)
            return status;
    }
    return 0;
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
    f->looks++;
    f->revision = m->info->usable_bytes;
    /* The coarsest level that still has about a node for each column. */
    while (level + 1 < levels && gl_nodes_after(&m->nodes, level + 1, s.to) -
                                         gl_nodes_after(&m->nodes, level + 1, s.from) >= (uint64_t)s.n)
        level++;
    while (level + 1 < levels && count_shares(m, s, level) > SHARES_MAX)
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

static uint64_t id_of(const gl_model *m, const gl_far_share *share) { return m->gors[share->gor].id; }

/* A goroutine's share in a node, NULL none. *hint: how far into the node before it stood; it hardly moves. */
static const gl_far_share *find_share(const gl_far *f, const gl_model *m, const gl_far_node *node, uint64_t g, uint32_t *hint)
{
    const gl_far_share *list = &f->shares[node->first];
    uint32_t lo = 0, hi = node->n, step = 4, at = *hint < node->n ? *hint : node->n;
    if (at < node->n && id_of(m, &list[at]) == g)
        return &list[at];
    if (at < node->n && id_of(m, &list[at]) < g) {
        for (lo = at + 1; lo + step < hi && id_of(m, &list[lo + step]) < g; step *= 4)
            lo += step;
        hi = lo + step < hi ? lo + step + 1 : hi;
    } else {
        for (hi = at; hi > step && id_of(m, &list[hi - step]) > g; step *= 4)
            hi -= step;
        lo = hi > step ? hi - step : 0;
    }
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (id_of(m, &list[mid]) < g)
            lo = mid + 1;
        else
            hi = mid;
    }
    *hint = lo;
    return lo < node->n && id_of(m, &list[lo]) == g ? &list[lo] : NULL;
}

void gl_far_lane(const gl_far *f, const gl_model *m, uint64_t g, gl_column_mix *out)
{
    uint32_t hint = 0;
    gl_columns_clear(out, f->scale.n);
    for (size_t i = 0; i < f->node_count; i++) {
        gl_far_node node = f->nodes[i];
        const gl_far_share *share = find_share(f, m, &f->nodes[i], g, &hint);
        double from = node.from < 0 ? 0 : node.from, to = node.to;
        for (int x = (int)from; share && x < f->scale.n && (x < to || x == (int)from); x++)
            add_share(&out[x], (to < x + 1 ? to : x + 1) - (from > x ? from : x), share);
    }
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
