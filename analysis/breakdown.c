#include "golanes_analysis/breakdown.h"

#include <stdlib.h>
#include <string.h>

#include "goroutines.h"
#include "keep.h"
#include "sample.h"

const char *const gl_time_class_name[GL_TIME_CLASSES] = {"life",    "running", "sched",     "channel", "sync",
                                                         "network", "sleep",   "collector", "other",   "syscall"};

/* Go's words since 1.11, by how they begin. */
static const struct {
    const char *prefix;
    gl_time_class class;
} wait_classes[] = {
    {"chan ", GL_TIME_CHANNEL},   {"select", GL_TIME_CHANNEL},  {"sync", GL_TIME_SYNC},
    {"semacquire", GL_TIME_SYNC}, {"network", GL_TIME_NETWORK}, {"IO wait", GL_TIME_NETWORK},
    {"sleep", GL_TIME_SLEEP},     {"GC ", GL_TIME_COLLECTOR},   {"wait until GC", GL_TIME_COLLECTOR},
};

gl_time_class gl_time_class_of(const char *reason)
{
    for (size_t i = 0; i < sizeof wait_classes / sizeof *wait_classes; i++) {
        if (strncmp(reason, wait_classes[i].prefix, strlen(wait_classes[i].prefix)) == 0)
            return wait_classes[i].class;
    }
    return GL_TIME_OTHER;
}

typedef struct group {
    uint32_t name;
    uint64_t n, created, alive;
    gl_sample time[GL_TIME_CLASSES];
    gl_sample sched_span;
} group;

struct gl_breakdown {
    gl_breakdown_options opt;
    const gl_dict *dict;
    gl_map group_of;
    group *groups;
    size_t group_capacity, group_count;
    group all;
    gl_keep rows;
    gl_breakdown_group *list;
    gl_breakdown_result result;
};

static _Thread_local gl_time_class sorted_by; /* qsort hands no context on */

static int by_class(const void *a, const void *b)
{
    const gl_breakdown_row *x = a, *y = b;
    if (x->ns[sorted_by] != y->ns[sorted_by])
        return x->ns[sorted_by] > y->ns[sorted_by] ? -1 : 1;
    return x->g < y->g ? -1 : x->g > y->g;
}

static group *group_of(gl_breakdown *b, uint32_t name)
{
    uint32_t at = gl_map_get(&b->group_of, name);
    if (at != GL_NONE32)
        return &b->groups[at];
    if (GL_GROW(b->groups, b->group_capacity, b->group_count + 1) < 0 ||
        gl_map_put(&b->group_of, name, (uint32_t)b->group_count) < 0)
        return NULL;
    b->groups[b->group_count].name = name;
    return &b->groups[b->group_count++];
}

static void classify(const gl_breakdown *b, const gl_goroutine_figures *g, gl_breakdown_row *row)
{
    *row = (gl_breakdown_row){.g = g->id,
                              .parent = g->parent,
                              .group = g->name,
                              .end_state = g->end_state,
                              .created = g->created,
                              .ended = g->ended};
    row->ns[GL_TIME_RUNNING] = g->times.ns[GL_G_RUNNING];
    row->ns[GL_TIME_SCHED] = g->times.ns[GL_G_RUNNABLE];
    row->ns[GL_TIME_SYSCALL] = g->times.ns[GL_G_SYSCALL];
    for (size_t i = 0; i < g->times.block_count; i++)
        row->ns[gl_time_class_of(gl_dict_text(b->dict, g->times.block[i].reason, NULL))] += g->times.block[i].ns;
    for (unsigned i = GL_TIME_RUNNING; i < GL_TIME_CLASSES; i++)
        row->ns[GL_TIME_LIFE] += row->ns[i];
}

static int add_to(group *x, const gl_goroutine_figures *g, const gl_breakdown_row *row)
{
    x->n++;
    x->created += !g->preexisting;
    x->alive += g->end_state != GL_G_NOT_EXIST;
    int status = 0;
    for (unsigned i = 0; i < GL_TIME_CLASSES && status == 0; i++)
        status = gl_sample_add(&x->time[i], row->ns[i]);
    return status;
}

static bool wanted(const gl_breakdown *b, uint32_t name) { return !b->opt.wanted || b->opt.wanted(b->opt.user, name); }

static int take_goroutine(void *user, const gl_goroutine_figures *g)
{
    gl_breakdown *b = user;
    if (!wanted(b, g->name))
        return 0;
    group *x = group_of(b, g->name);
    if (!x)
        return GL_E_NOMEM;
    gl_breakdown_row row;
    classify(b, g, &row);
    b->result.rows_in_all++;
    int status = add_to(x, g, &row);
    if (status == 0)
        status = add_to(&b->all, g, &row);
    sorted_by = b->opt.sort;
    return status < 0 ? status : gl_keep_add(&b->rows, &row);
}

static int take_span(void *user, const gl_span *s)
{
    gl_breakdown *b = user;
    if (s->state != GL_G_RUNNABLE || s->open_start || s->open_end || !wanted(b, s->group))
        return 0;
    group *x = group_of(b, s->group);
    uint64_t ns = s->end > s->begin ? (uint64_t)(s->end - s->begin) : 0;
    if (!x)
        return GL_E_NOMEM;
    int status = gl_sample_add(&x->sched_span, ns);
    return status < 0 ? status : gl_sample_add(&b->all.sched_span, ns);
}

gl_breakdown *gl_breakdown_new(gl_summary *s, const gl_dict *dict, const gl_breakdown_options *opt)
{
    gl_breakdown *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->opt = *opt;
    b->dict = dict;
    b->rows = (gl_keep){.most = opt->rows, .bytes = sizeof(gl_breakdown_row), .better = by_class};
    gl_watcher w = {.user = b, .on_goroutine = take_goroutine, .on_span = take_span};
    if (gl_summary_watch(s, &w) == 0)
        return b;
    gl_breakdown_destroy(b);
    return NULL;
}

static gl_breakdown_group figures(const gl_breakdown *b, group *x)
{
    gl_breakdown_group f = {.group = x->name, .n = x->n, .created = x->created, .alive = x->alive};
    f.system = gl_system_goroutine(gl_dict_text(b->dict, x->name, NULL));
    for (unsigned i = 0; i < GL_TIME_CLASSES; i++)
        f.time[i] = gl_sample_spread(&x->time[i]);
    f.sched_span = gl_sample_spread(&x->sched_span);
    return f;
}

static int by_total(const void *a, const void *b)
{
    const gl_breakdown_group *x = a, *y = b;
    uint64_t left = x->time[sorted_by].total_ns, right = y->time[sorted_by].total_ns;
    if (left != right)
        return left > right ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

int gl_breakdown_finish(gl_breakdown *b, const gl_breakdown_result **out)
{
    *out = &b->result;
    if (b->list)
        return 0;
    b->list = calloc(b->group_count + 1, sizeof *b->list);
    if (!b->list)
        return GL_E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < b->group_count; i++) {
        if (b->groups[i].n) /* a name that only spans had came later than they did */
            b->list[n++] = figures(b, &b->groups[i]);
    }
    sorted_by = b->opt.sort;
    qsort(b->list, n, sizeof *b->list, by_total);
    gl_keep_sort(&b->rows);
    b->result.groups = b->list;
    b->result.group_count = n;
    b->result.rows = (const gl_breakdown_row *)(const void *)b->rows.list;
    b->result.row_count = b->rows.count;
    b->result.all = figures(b, &b->all);
    return 0;
}

static void group_clean_up(group *x)
{
    for (unsigned i = 0; i < GL_TIME_CLASSES; i++)
        gl_sample_clean_up(&x->time[i]);
    gl_sample_clean_up(&x->sched_span);
}

void gl_breakdown_destroy(gl_breakdown *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->group_count; i++)
        group_clean_up(&b->groups[i]);
    group_clean_up(&b->all);
    free(b->groups);
    gl_map_clean_up(&b->group_of);
    gl_keep_clean_up(&b->rows);
    free(b->list);
    free(b);
}
