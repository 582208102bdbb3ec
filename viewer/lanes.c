#include "lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sort.h"

static const char *const order_names[GL_ORDERS] = {"straddle time", "first seen", "id", "blocked time", "running time",
                                                   "time waiting for a P"};

const char *gl_order_name(gl_order o) { return o < GL_ORDERS ? order_names[o] : ""; }

int64_t gl_order_value(const gl_model *m, gl_order o, uint32_t gor)
{
    const gl_gor *g = &m->gors[gor];
    int64_t open = g->last == GL_TIME_NONE && m->scanned ? m->read_end - gl_model_since(m, gor) : 0;
    switch (o) {
    case GL_ORDER_STRADDLE: return g->straddle_ns;
    case GL_ORDER_BLOCKED: return gl_gor_ns(g, GL_G_WAITING) + (g->state == GL_G_WAITING ? open : 0);
    case GL_ORDER_RUNNING: return gl_gor_ns(g, GL_G_RUNNING) + (g->state == GL_G_RUNNING ? open : 0);
    case GL_ORDER_RUNNABLE: return gl_gor_ns(g, GL_G_RUNNABLE) + (g->state == GL_G_RUNNABLE ? open : 0);
    default: return -1;
    }
}

#define X(name, word, what) word,
static const char *const grouping_words[GL_GROUPINGS] = {GL_GROUPING_LIST(X)};
#undef X
#define X(name, word, what) what,
static const char *const grouping_whats[GL_GROUPINGS] = {GL_GROUPING_LIST(X)};
#undef X

const char *gl_grouping_word(gl_grouping by) { return by < GL_GROUPINGS ? grouping_words[by] : ""; }
const char *gl_grouping_what(gl_grouping by) { return by < GL_GROUPINGS ? grouping_whats[by] : ""; }

void gl_lanes_clean_up(gl_lanes *l)
{
    free(l->rows);
    free(l->groups);
    free(l->group_of);
    free(l->keys);
    free(l->pinned);
    gl_ids_clean_up(&l->by_key);
    memset(l, 0, sizeof *l);
}

void gl_lanes_group(gl_lanes *l, gl_grouping by, uint64_t *keys, size_t key_count)
{
    free(l->keys);
    l->keys = keys;
    l->key_count = keys ? key_count : 0;
    l->by = by;
    l->flat = false;
    l->group_count = 0;
    gl_ids_clean_up(&l->by_key);
}

bool gl_lanes_is_pinned(const gl_lanes *l, uint32_t gor)
{
    for (size_t i = 0; i < l->pin_count; i++)
        if (l->pinned[i] == gor)
            return true;
    return false;
}

bool gl_lanes_pin(gl_lanes *l, uint32_t gor)
{
    for (size_t i = 0; i < l->pin_count; i++)
        if (l->pinned[i] == gor) {
            memmove(&l->pinned[i], &l->pinned[i + 1], (l->pin_count - i - 1) * sizeof *l->pinned);
            l->pin_count--;
            return false;
        }
    if (GL_ROOM(l->pinned, l->pin_capacity, l->pin_count) < 0)
        return false;
    l->pinned[l->pin_count++] = gor;
    return true;
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
static gl_item *sort_groups(const gl_lanes *l, const int64_t *sum)
{
    gl_item *list = malloc((l->group_count ? l->group_count : 1) * sizeof *list);
    if (!list)
        return NULL;
    for (size_t i = 0; i < l->group_count; i++) {
        const gl_lane_group *g = &l->groups[i];
        bool by_time = l->order != GL_ORDER_FIRST && l->order != GL_ORDER_ID && sum[i] != 0;
        list[i] = (gl_item){.group = g->system ? 2 : by_time ? 0 : 1, .key = by_time ? sum[i] : g->first,
                         .tie = (int64_t)i, .index = (uint32_t)i};
    }
    if (gl_items_sort(list, l->group_count) < 0) {
        free(list);
        return NULL;
    }
    return list;
}

int gl_lanes_push(gl_lanes *l, gl_row_type type, uint32_t index)
{
    if (GL_ROOM(l->rows, l->capacity, l->n) < 0)
        return GL_E_NOMEM;
    l->rows[l->n++] = (gl_row){(uint8_t)type, index};
    return 0;
}

static uint64_t group_key(const gl_lanes *l, const gl_model *m, uint32_t gor)
{
    const gl_gor *g = &m->gors[gor];
    switch (l->by) {
    case GL_BY_CREATOR: return g->creator;
    case GL_BY_PROCESS: return g->id >> 48;
    case GL_BY_FUNCTION: return g->group;
    default: return gor < l->key_count ? l->keys[gor] : 0;
    }
}

static int reach_groups(gl_lanes *l, size_t n)
{
    size_t had = l->group_capacity;
    while (n > l->group_capacity)
        if (GL_ROOM(l->groups, l->group_capacity, l->group_capacity) < 0)
            return GL_E_NOMEM;
    if (l->group_capacity > had)
        memset(l->groups + had, 0, (l->group_capacity - had) * sizeof *l->groups);
    return 0;
}

/* By start function a group has the model's number, so that both mean the same; else it gets the next one. */
static int group_for(gl_lanes *l, uint64_t key, uint32_t *out)
{
    *out = l->by == GL_BY_FUNCTION ? (uint32_t)key : gl_ids_get(&l->by_key, key);
    if (*out != GL_NONE)
        return 0;
    if (reach_groups(l, l->group_count + 1) < 0 || gl_ids_put(&l->by_key, key, (uint32_t)l->group_count) < 0)
        return GL_E_NOMEM;
    l->groups[l->group_count] = (gl_lane_group){.key = key, .first = GL_TIME_NONE};
    *out = (uint32_t)l->group_count++;
    return 0;
}

static bool is_system(const gl_model *m, uint32_t gor)
{
    return m->gors[gor].group < m->group_count && m->groups[m->gors[gor].group].system;
}

/* Puts each goroutine into its group and counts anew. Which groups are open stays. */
static int make_groups(gl_lanes *l, const gl_model *m)
{
    if (l->by == GL_BY_FUNCTION) {
        if (reach_groups(l, m->group_count) < 0)
            return GL_E_NOMEM;
        l->group_count = m->group_count;
    }
    if (l->group_of_capacity < m->gor_count) {
        size_t capacity = m->gor_count + m->gor_count / 8 + 64;
        uint32_t *p = gl_memory(l->group_of, capacity * sizeof *p);
        if (!p)
            return GL_E_NOMEM;
        memset(p, 0xff, capacity * sizeof *p);
        l->group_of = p;
        l->group_of_capacity = capacity;
    }
    for (size_t i = 0; i < l->group_count; i++) {
        uint64_t key = l->by == GL_BY_FUNCTION ? i : l->groups[i].key;
        l->groups[i] = (gl_lane_group){.key = key, .first = GL_TIME_NONE, .system = true, .open = l->groups[i].open};
    }
    for (uint32_t i = 0; i < m->gor_count; i++) {
        const gl_gor *g = &m->gors[i];
        uint32_t at = GL_NONE;
        gl_model_pass(m, i);
        if (group_for(l, group_key(l, m, i), &at) < 0)
            return GL_E_NOMEM;
        l->group_of[i] = at;
        gl_lane_group *group = &l->groups[at];
        group->system = (group->n == 0 || group->system) && is_system(m, i);
        group->n++;
        group->straddles += g->straddles;
        group->straddle_ns += g->straddle_ns;
        group->first = g->first < group->first ? g->first : group->first;
    }
    return 0;
}

/* Goroutines of open groups; their place among the groups comes later. */
static gl_item *collect(gl_lanes *l, const gl_model *m, gl_gor_filter filter, void *user, int64_t *sum, size_t *n)
{
    size_t most = 1;
    for (size_t i = 0; i < l->group_count; i++)
        most += l->groups[i].open || l->flat || l->groups[i].n == 1 ? l->groups[i].n : 0;
    gl_item *list = gl_memory(NULL, most * sizeof *list);
    *n = 0;
    for (uint32_t i = 0; list && i < m->gor_count; i++) {
        gl_model_pass(m, i);
        if (filter && !filter(user, i))
            continue;
        gl_lane_group *group = &l->groups[l->group_of[i]];
        group->shown++;
        l->gor_count++;
        int64_t key = key_of(m, l->order, i);
        if (l->order != GL_ORDER_FIRST && l->order != GL_ORDER_ID)
            sum[l->group_of[i]] += key;
        /* What is pinned stands on top, and only there. */
        if ((group->open || l->flat || group->n == 1) && !gl_lanes_is_pinned(l, i))
            list[(*n)++] = (gl_item){key, (int64_t)(m->gors[i].id >> 1), l->group_of[i], i};
    }
    return list;
}

static int list_rows(gl_lanes *l, gl_item *groups, gl_item *gors, size_t n)
{
    uint32_t *rank = malloc((l->group_count ? l->group_count : 1) * sizeof *rank);
    if (!rank)
        return GL_E_NOMEM;
    for (size_t i = 0; i < l->group_count; i++)
        rank[groups[i].index] = (uint32_t)i;
    for (size_t i = 0; i < n; i++)
        gors[i].group = l->flat ? 0 : rank[gors[i].group];
    free(rank);
    int status = gl_items_sort(gors, n);
    size_t at = 0;
    for (size_t i = 0; i < l->group_count && status == 0 && !l->flat; i++) {
        if (!l->groups[groups[i].index].shown)
            continue;
        /* A group of one is its goroutine's lane. */
        if (l->groups[groups[i].index].n > 1)
            status = gl_lanes_push(l, GL_ROW_GROUP, groups[i].index);
        for (; at < n && gors[at].group == i && status == 0; at++)
            status = gl_lanes_push(l, GL_ROW_GOR, gors[at].index);
    }
    for (; at < n && status == 0; at++)
        status = gl_lanes_push(l, GL_ROW_GOR, gors[at].index);
    return status;
}

static int list_pins(gl_lanes *l, const gl_model *m)
{
    int status = 0;
    for (size_t i = 0; i < l->pin_count && status == 0; i++)
        if (l->pinned[i] < m->gor_count)
            status = gl_lanes_push(l, GL_ROW_GOR, l->pinned[i]);
    l->pins = (uint32_t)l->n;
    return status;
}

int gl_lanes_list(gl_lanes *l, const gl_model *m, gl_gor_filter filter, void *user)
{
    l->n = l->gor_count = 0;
    l->listings++;
    if (make_groups(l, m) < 0 || list_pins(l, m) < 0)
        return GL_E_NOMEM;
    size_t n = 0;
    int64_t *sum = calloc(l->group_count ? l->group_count : 1, sizeof *sum);
    gl_item *gors = sum ? collect(l, m, filter, user, sum, &n) : NULL;
    gl_item *groups = gors ? sort_groups(l, sum) : NULL;
    int status = groups ? list_rows(l, groups, gors, n) : GL_E_NOMEM;
    free(sum);
    free(gors);
    free(groups);
    return status;
}

/* How much a group wants to be seen: suffering first, then the user's, small ones before large. */
static gl_item want_of(const gl_lanes *l, uint32_t group)
{
    const gl_lane_group *g = &l->groups[group];
    return (gl_item){.group = g->straddles ? 0 : g->system ? 2 : 1, .key = g->straddles ? -g->straddle_ns : g->shown,
                  .tie = group, .index = group};
}

int gl_lanes_unfold_to_fit(gl_lanes *l, const gl_model *m, int rows)
{
    for (size_t i = 0; i < l->group_count; i++)
        l->groups[i].open = false;
    int status = gl_lanes_list(l, m, NULL, NULL);
    gl_item *list = malloc((l->group_count ? l->group_count : 1) * sizeof *list);
    if (status < 0 || !list) {
        free(list);
        return status < 0 ? status : GL_E_NOMEM;
    }
    for (uint32_t i = 0; i < l->group_count; i++)
        list[i] = want_of(l, i);
    status = gl_items_sort(list, l->group_count);
    int64_t left = rows - (int64_t)l->n;
    for (size_t i = 0; i < l->group_count; i++) {
        gl_lane_group *g = &l->groups[list[i].index];
        /* The group that suffers most opens even where it is too large for the screen. */
        int64_t more = g->n > 1 ? (int64_t)g->shown : 0;
        g->open = more <= left || (i == 0 && g->straddles);
        left -= g->open ? more : 0;
    }
    free(list);
    return status < 0 ? status : gl_lanes_list(l, m, NULL, NULL);
}

static const char *state_words[GL_G_STATES] = {"not there yet", "not there", "runnable", "running", "in a system call",
                                               "waiting"};

const char *gl_lanes_group_text(const gl_lanes *l, const gl_model *m, uint32_t group, char *out, size_t size)
{
    uint64_t key = group < l->group_count ? l->groups[group].key : 0;
    uint32_t gor = GL_NONE;
    switch (l->by) {
    case GL_BY_FUNCTION: return gl_model_group_name(m, group);
    case GL_BY_STATE: return state_words[key < GL_G_STATES ? key : 0];
    case GL_BY_REASON: return key ? gl_model_text(m, (uint32_t)key) : "(not waiting)";
    case GL_BY_CREATOR:
        gor = gl_model_find(m, key);
        if (!key)
            return "(creator not known)";
        snprintf(out, size, "by G%llu %s", (unsigned long long)key,
                 gor == GL_NONE ? "" : gl_model_group_name(m, m->gors[gor].group));
        return out;
    case GL_BY_CHANNEL:
        if (key == 0 || key > m->chans.n)
            return "(no channel)";
        snprintf(out, size, "chan %#llx %s", (unsigned long long)m->chans.list[key - 1].id,
                 gl_model_text(m, m->chans.list[key - 1].elem));
        return out;
    default: snprintf(out, size, "process %llu", (unsigned long long)key); return out;
    }
}

uint32_t gl_lanes_group_of(const gl_lanes *l, uint32_t gor)
{
    return gor < l->group_of_capacity && l->group_of[gor] < l->group_count ? l->group_of[gor] : GL_NONE;
}

uint32_t gl_lanes_find_group(const gl_lanes *l, uint32_t group)
{
    for (size_t i = l->pins; i < l->n; i++) {
        const gl_row *row = &l->rows[i];
        if (row->type == GL_ROW_GROUP ? row->index == group
                                      : row->type == GL_ROW_GOR && gl_lanes_group_of(l, row->index) == group)
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
