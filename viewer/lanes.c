#include "lanes.h"

#include <stdlib.h>
#include <string.h>

static const char *const order_names[GL_ORDERS] = {"straddle time", "first seen", "id", "blocked time", "running time",
                                                   "time waiting for a P"};

const char *gl_order_name(gl_order o) { return o < GL_ORDERS ? order_names[o] : ""; }

int64_t gl_order_value(const gl_model *m, gl_order o, uint32_t gor)
{
    const gl_gor *g = &m->gors[gor];
    int64_t open = g->last == GL_TIME_NONE && m->scanned ? m->end - g->since : 0;
    switch (o) {
    case GL_ORDER_STRADDLE: return g->straddle_ns;
    case GL_ORDER_BLOCKED: return g->ns[GL_G_WAITING] + (g->state == GL_G_WAITING ? open : 0);
    case GL_ORDER_RUNNING: return g->ns[GL_G_RUNNING] + (g->state == GL_G_RUNNING ? open : 0);
    case GL_ORDER_RUNNABLE: return g->ns[GL_G_RUNNABLE] + (g->state == GL_G_RUNNABLE ? open : 0);
    default: return -1;
    }
}

void gl_lanes_clean_up(gl_lanes *l)
{
    free(l->rows);
    free(l->open);
    free(l->shown);
    memset(l, 0, sizeof *l);
}

/* What is sorted: a key and ties broken by id, so that the order is one and the same on every machine. */
typedef struct item {
    int64_t key, tie;
    uint32_t group, index;
} item;

static int by_key(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->tie < y->tie ? -1 : x->tie > y->tie;
}

static int64_t key_of(const gl_model *m, gl_order o, uint32_t gor)
{
    if (o == GL_ORDER_FIRST)
        return m->gors[gor].first;
    if (o == GL_ORDER_ID)
        return (int64_t)(m->gors[gor].id >> 1);
    return -gl_order_value(m, o, gor);
}

/* Groups: what suffers before what does not, the runtime's own last, then by first appearance or the order's sum. */
static item *sort_groups(const gl_lanes *l, const gl_model *m, const int64_t *sum)
{
    item *list = malloc((m->group_count ? m->group_count : 1) * sizeof *list);
    if (!list)
        return NULL;
    for (size_t i = 0; i < m->group_count; i++) {
        const gl_group *g = &m->groups[i];
        bool by_time = l->order != GL_ORDER_FIRST && l->order != GL_ORDER_ID && sum[i] != 0;
        list[i] = (item){.group = g->system ? 2
                                  : by_time ? 0
                                            : 1,
                         .key = by_time ? sum[i] : g->first,
                         .tie = (int64_t)i,
                         .index = (uint32_t)i};
    }
    qsort(list, m->group_count, sizeof *list, by_key);
    return list;
}

static int push(gl_lanes *l, gl_row_type type, uint32_t index)
{
    if (GL_ROOM(l->rows, l->capacity, l->n) < 0)
        return GL_E_NOMEM;
    l->rows[l->n++] = (gl_row){(uint8_t)type, index};
    return 0;
}

static int fit_groups(gl_lanes *l, size_t groups)
{
    if (groups <= l->open_capacity)
        return 0;
    size_t capacity = groups + groups / 2 + 16;
    uint8_t *open = realloc(l->open, capacity);
    if (open)
        l->open = open;
    uint32_t *shown = realloc(l->shown, capacity * sizeof *shown);
    if (shown)
        l->shown = shown;
    if (!open || !shown)
        return GL_E_NOMEM;
    memset(l->open + l->open_capacity, 0, capacity - l->open_capacity);
    l->open_capacity = capacity;
    return 0;
}

/* Goroutines of open groups, in the order of `rank` (place of each group in the list), then of the lanes' order. */
static item *collect(gl_lanes *l, const gl_model *m, gl_gor_filter filter, void *user, int64_t *sum, size_t *n)
{
    item *list = malloc((m->gor_count ? m->gor_count : 1) * sizeof *list);
    *n = 0;
    for (size_t i = 0; list && i < m->gor_count; i++) {
        const gl_gor *g = &m->gors[i];
        if (g->group >= m->group_count || (filter && !filter(user, (uint32_t)i)))
            continue;
        l->shown[g->group]++;
        l->gor_count++;
        int64_t key = key_of(m, l->order, (uint32_t)i);
        if (l->order != GL_ORDER_FIRST && l->order != GL_ORDER_ID)
            sum[g->group] += key;
        if (l->open[g->group] || l->flat || m->groups[g->group].n == 1)
            list[(*n)++] = (item){key, (int64_t)(g->id >> 1), g->group, (uint32_t)i};
    }
    return list;
}

static int list_rows(gl_lanes *l, const gl_model *m, item *groups, item *gors, size_t n)
{
    uint32_t *rank = malloc((m->group_count ? m->group_count : 1) * sizeof *rank);
    if (!rank)
        return GL_E_NOMEM;
    for (size_t i = 0; i < m->group_count; i++)
        rank[groups[i].index] = (uint32_t)i;
    for (size_t i = 0; i < n; i++)
        gors[i].group = l->flat ? 0 : rank[gors[i].group];
    free(rank);
    qsort(gors, n, sizeof *gors, by_key);
    int status = 0;
    size_t at = 0;
    for (size_t i = 0; i < m->group_count && status == 0 && !l->flat; i++) {
        if (!l->shown[groups[i].index])
            continue;
        /* A group of one is its goroutine's lane. */
        if (m->groups[groups[i].index].n > 1)
            status = push(l, GL_ROW_GROUP, groups[i].index);
        for (; at < n && gors[at].group == i && status == 0; at++)
            status = push(l, GL_ROW_GOR, gors[at].index);
    }
    for (; at < n && status == 0; at++)
        status = push(l, GL_ROW_GOR, gors[at].index);
    return status;
}

int gl_lanes_list(gl_lanes *l, const gl_model *m, gl_gor_filter filter, void *user)
{
    if (fit_groups(l, m->group_count) < 0)
        return GL_E_NOMEM;
    if (l->shown)
        memset(l->shown, 0, m->group_count * sizeof *l->shown);
    l->n = l->gor_count = 0;
    size_t n = 0;
    int64_t *sum = calloc(m->group_count ? m->group_count : 1, sizeof *sum);
    item *gors = sum ? collect(l, m, filter, user, sum, &n) : NULL;
    item *groups = gors ? sort_groups(l, m, sum) : NULL;
    int status = groups ? list_rows(l, m, groups, gors, n) : GL_E_NOMEM;
    free(sum);
    free(gors);
    free(groups);
    return status;
}

int gl_lanes_procs(gl_lanes *l, uint32_t n)
{
    int status = 0;
    l->n = l->gor_count = 0;
    for (uint32_t p = 0; p < n && status == 0; p++)
        status = push(l, GL_ROW_PROC, p);
    return status;
}

/* How much a group wants to be seen: suffering first, then the user's, small ones before large. */
static item want_of(const gl_model *m, const gl_lanes *l, uint32_t group)
{
    const gl_group *g = &m->groups[group];
    return (item){.group = g->straddles ? 0
                           : g->system  ? 2
                                        : 1,
                  .key = g->straddles ? -g->straddle_ns : l->shown[group],
                  .tie = group,
                  .index = group};
}

int gl_lanes_unfold_to_fit(gl_lanes *l, const gl_model *m, int rows)
{
    int status = gl_lanes_list(l, m, NULL, NULL);
    item *list = malloc((m->group_count ? m->group_count : 1) * sizeof *list);
    if (status < 0 || !list) {
        free(list);
        return status < 0 ? status : GL_E_NOMEM;
    }
    for (uint32_t i = 0; i < m->group_count; i++)
        list[i] = want_of(m, l, i);
    qsort(list, m->group_count, sizeof *list, by_key);
    int64_t left = rows - (int64_t)l->n;
    for (size_t i = 0; i < m->group_count; i++) {
        uint32_t group = list[i].index;
        /* The group that suffers most opens even where it is too large for the screen. */
        int64_t more = m->groups[group].n > 1 ? (int64_t)l->shown[group] : 0;
        bool fits = more <= left || (i == 0 && m->groups[group].straddles);
        l->open[group] = fits;
        left -= fits ? more : 0;
    }
    free(list);
    return gl_lanes_list(l, m, NULL, NULL);
}

uint32_t gl_lanes_find_group(const gl_lanes *l, const gl_model *m, uint32_t group)
{
    for (size_t i = 0; i < l->n; i++) {
        const gl_row *row = &l->rows[i];
        if (row->type == GL_ROW_GROUP ? row->index == group
                                      : row->type == GL_ROW_GOR && m->gors[row->index].group == group)
            return (uint32_t)i;
    }
    return GL_NONE;
}

uint32_t gl_lanes_find(const gl_lanes *l, gl_row_type type, uint32_t index)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->rows[i].type == type && l->rows[i].index == index)
            return (uint32_t)i;
    return GL_NONE;
}
