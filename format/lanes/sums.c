#include "lanes/sums.h"

#include <stdlib.h>



/* The plain fields of a node in the file's order; a later minor version may append more. */
static uint64_t *plain_field(gl_summary_node *n, unsigned i)
{
    uint64_t *const fields[] = {&n->first_event, &n->events,        &n->gc_ns,         &n->stw_ns,
                                &n->stw_max_ns,  &n->stw_gc_ns,     &n->straddles,     &n->heap_live_min,
                                &n->heap_live_max, &n->heap_goal_max, &n->goroutines_max, &n->lost_events};
    return i < sizeof fields / sizeof *fields ? fields[i] : NULL;
}

void ln_node_put(const gl_summary_node *n, ln_buf *out)
{
    gl_summary_node copy = *n;
    uint64_t types = 0;
    ln_buf_u64(out, (uint64_t)n->time_from);
    ln_buf_u64(out, (uint64_t)n->time_to);
    for (unsigned i = 0; plain_field(&copy, i); i++)
        ln_buf_num(out, *plain_field(&copy, i));
    for (unsigned s = 0; s < GL_G_STATES; s++)
        ln_buf_num(out, n->state_ns[s]);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        types += n->by_type[code] > 0;
    ln_buf_num(out, types);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        if (n->by_type[code]) {
            ln_buf_u8(out, (uint8_t)code);
            ln_buf_num(out, n->by_type[code]);
        }
}

int ln_node_get(const uint8_t *bytes, size_t n, gl_summary_node *out)
{
    ln_in in = {bytes, bytes + n, false};
    const uint8_t *times, *code;
    memset(out, 0, sizeof *out);
    if (!ln_in_bytes(&in, 16, &times))
        return GL_E_CORRUPT;
    out->time_from = (int64_t)ln_get64(times);
    out->time_to = (int64_t)ln_get64(times + 8);
    for (unsigned i = 0; plain_field(out, i); i++)
        *plain_field(out, i) = ln_num_get(&in);
    for (unsigned s = 0; s < GL_G_STATES; s++)
        out->state_ns[s] = ln_num_get(&in);
    uint64_t types = ln_num_get(&in);
    for (uint64_t i = 0; i < types && !in.bad; i++) {
        if (!ln_in_bytes(&in, 1, &code) || *code >= GL_EV_LIMIT)
            return GL_E_CORRUPT;
        out->by_type[*code] = ln_num_get(&in);
    }
    return in.bad ? GL_E_CORRUPT : 0;
}

/** What waiting would be if the four shares made up the whole. */
static uint8_t rest(const gl_lane_share *s)
{
    return (uint8_t)(255 - s->running - s->runnable - s->syscall);
}

/* Columns: steps of g, running, runnable, syscall, waiting as the difference to the rest, class, flags. */
void ln_shares_put(const gl_lane_share *lanes, size_t n, ln_buf *out)
{
    uint64_t g = 0;
    ln_buf_num(out, n);
    if (!ln_buf_room(out, n * 6))
        return;
    for (size_t i = 0; i < n; i++)
        *out->p++ = lanes[i].running;
    for (size_t i = 0; i < n; i++)
        *out->p++ = lanes[i].runnable;
    for (size_t i = 0; i < n; i++)
        *out->p++ = lanes[i].syscall;
    for (size_t i = 0; i < n; i++)
        *out->p++ = (uint8_t)(lanes[i].waiting - rest(&lanes[i]));
    for (size_t i = 0; i < n; i++)
        *out->p++ = lanes[i].dominant_reason_class;
    for (size_t i = 0; i < n; i++)
        *out->p++ = lanes[i].flags;
    for (size_t i = 0; i < n; i++) {
        ln_buf_num(out, lanes[i].g - g);
        g = lanes[i].g;
    }
}

int ln_shares_get(const uint8_t *bytes, size_t n, gl_lane_share **out, size_t *capacity, size_t *count)
{
    ln_in in = {bytes, bytes + n, false};
    const uint8_t *col;
    uint64_t rows = ln_num_get(&in), g = 0;
    *count = 0;
    if (in.bad || rows > (uint64_t)(in.end - in.p) / 6 || !ln_in_bytes(&in, (size_t)rows * 6, &col))
        return GL_E_CORRUPT;
    gl_lane_share *grown = ln_grow(*out, capacity, rows, sizeof *grown);
    if (!grown)
        return GL_E_NOMEM;
    *out = grown;
    for (size_t i = 0; i < rows; i++) {
        gl_lane_share s = {.running = col[i], .runnable = col[rows + i], .syscall = col[2 * rows + i]};
        s.waiting = (uint8_t)(col[3 * rows + i] + rest(&s));
        s.dominant_reason_class = col[4 * rows + i];
        s.flags = col[5 * rows + i];
        s.g = g += ln_num_get(&in);
        (*out)[i] = s;
    }
    *count = (size_t)rows;
    return in.bad ? GL_E_CORRUPT : 0;
}

void ln_sum_draft(ln_draft *d, unsigned level, uint64_t number, const ln_sum *sum)
{
    d->h.level = (uint16_t)level;
    d->h.number = number;
    d->h.count = (uint32_t)sum->n;
    d->h.a = sum->node.time_from;
    d->h.b = sum->node.time_to;
    d->present = 1u << LN_S_ROWS | 1u << LN_S_LANES;
    ln_node_put(&sum->node, &d->sections[LN_S_ROWS]);
    ln_shares_put(sum->lanes, sum->n, &d->sections[LN_S_LANES]);
}

static uint64_t least_seen(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void merge_nodes(const ln_sum *parts, size_t n, gl_summary_node *out)
{
    *out = parts[0].node;
    for (size_t i = 1; i < n; i++) {
        const gl_summary_node *p = &parts[i].node;
        if (p->time_from < out->time_from)
            out->time_from = p->time_from;
        if (p->time_to > out->time_to)
            out->time_to = p->time_to;
        out->events += p->events;
        for (unsigned code = 0; code < GL_EV_LIMIT; code++)
            out->by_type[code] += p->by_type[code];
        for (unsigned s = 0; s < GL_G_STATES; s++)
            out->state_ns[s] += p->state_ns[s];
        out->gc_ns += p->gc_ns;
        out->stw_ns += p->stw_ns;
        out->stw_max_ns = most(out->stw_max_ns, p->stw_max_ns);
        out->stw_gc_ns += p->stw_gc_ns;
        out->straddles += p->straddles;
        out->heap_live_min = least_seen(out->heap_live_min, p->heap_live_min);
        out->heap_live_max = most(out->heap_live_max, p->heap_live_max);
        out->heap_goal_max = most(out->heap_goal_max, p->heap_goal_max);
        out->goroutines_max = most(out->goroutines_max, p->goroutines_max);
        out->lost_events += p->lost_events;
    }
}

/** Lengths of nodes, shifted alike until sums of 8-bit shares times lengths fit. All zero counts as all the same. */
static uint64_t weigh(const ln_sum *parts, size_t n, uint64_t weights[LN_FANOUT])
{
    uint64_t total = 0, bits = 0;
    for (size_t i = 0; i < n; i++) {
        weights[i] = (uint64_t)parts[i].node.time_to - (uint64_t)parts[i].node.time_from;
        bits |= weights[i];
    }
    unsigned shift = bits >> 48 ? 16 : 0;
    for (size_t i = 0; i < n; i++) {
        weights[i] = bits ? weights[i] >> shift : 1;
        total += weights[i];
    }
    return total;
}

typedef struct share_sum {
    uint64_t parts[4], longest; /* running, runnable, waiting, syscall */
    uint8_t class, flags;
} share_sum;

static void add_share(share_sum *sum, const gl_lane_share *s, uint64_t weight)
{
    sum->parts[0] += s->running * weight;
    sum->parts[1] += s->runnable * weight;
    sum->parts[2] += s->waiting * weight;
    sum->parts[3] += s->syscall * weight;
    if (s->dominant_reason_class && s->waiting * weight >= sum->longest) {
        sum->longest = s->waiting * weight;
        sum->class = s->dominant_reason_class;
    }
    sum->flags |= s->flags;
}

static uint8_t average(uint64_t part, uint64_t total)
{
    uint64_t share = total ? (part + total / 2) / total : 0;
    return share > 255 ? 255 : (uint8_t)share;
}

static bool close_share(const share_sum *sum, uint64_t g, uint64_t total, gl_lane_share *out)
{
    uint64_t lived = sum->parts[0] + sum->parts[1] + sum->parts[2] + sum->parts[3];
    if (lived / 16 < total && !sum->flags) /* 255 / 16 of 255: one part in sixteen */
        return false;
    *out = (gl_lane_share){.g = g,
                           .running = average(sum->parts[0], total),
                           .runnable = average(sum->parts[1], total),
                           .waiting = average(sum->parts[2], total),
                           .syscall = average(sum->parts[3], total),
                           .dominant_reason_class = sum->class,
                           .flags = sum->flags};
    return true;
}

int ln_sum_merge(const ln_sum *parts, size_t n, ln_sum *out)
{
    uint64_t weights[LN_FANOUT], total = weigh(parts, n, weights);
    size_t at[LN_FANOUT] = {0}, rows = 0;
    for (size_t i = 0; i < n; i++)
        rows += parts[i].n;
    *out = (ln_sum){.lanes = malloc((rows + 1) * sizeof *out->lanes)};
    if (!out->lanes)
        return GL_E_NOMEM;
    merge_nodes(parts, n, &out->node);
    for (;;) {
        uint64_t g = UINT64_MAX;
        bool any = false;
        share_sum sum = {{0}, 0, 0, 0};
        for (size_t i = 0; i < n; i++)
            if (at[i] < parts[i].n && parts[i].lanes[at[i]].g <= g) {
                g = parts[i].lanes[at[i]].g;
                any = true;
            }
        if (!any)
            return 0;
        for (size_t i = 0; i < n; i++)
            while (at[i] < parts[i].n && parts[i].lanes[at[i]].g == g)
                add_share(&sum, &parts[i].lanes[at[i]++], weights[i]);
        out->n += close_share(&sum, g, total, &out->lanes[out->n]);
    }
}

static int complete(ln_pyramid *p, unsigned level, ln_sum_fn emit, void *user)
{
    ln_sum merged;
    int rc = ln_sum_merge(p->open[level], p->open_n[level], &merged);
    for (size_t i = 0; i < p->open_n[level]; i++)
        free(p->open[level][i].lanes);
    p->open_n[level] = 0;
    if (rc < 0)
        return rc;
    rc = emit(user, level + 1, p->done[level + 1]++, &merged);
    p->open[level + 1][p->open_n[level + 1]++] = merged;
    return rc;
}

int ln_pyramid_add(ln_pyramid *p, ln_sum *sum, ln_sum_fn emit, void *user)
{
    int rc = 0;
    p->done[0]++;
    p->open[0][p->open_n[0]++] = *sum;
    *sum = (ln_sum){.lanes = NULL};
    for (unsigned level = 0; rc == 0 && level + 1 < LN_LEVELS_MAX && p->open_n[level] == LN_FANOUT; level++)
        rc = complete(p, level, emit, user);
    return rc;
}

int ln_pyramid_finish(ln_pyramid *p, ln_sum_fn emit, void *user)
{
    int rc = 0;
    for (unsigned level = 0; rc == 0 && level + 1 < LN_LEVELS_MAX && p->done[level] > 1; level++)
        if (p->open_n[level])
            rc = complete(p, level, emit, user);
    return rc;
}

void ln_pyramid_free(ln_pyramid *p)
{
    for (unsigned level = 0; level < LN_LEVELS_MAX; level++) {
        for (size_t i = 0; i < p->open_n[level]; i++)
            free(p->open[level][i].lanes);
        p->open_n[level] = 0;
    }
}
