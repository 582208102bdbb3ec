#include "golanes_analysis/marks.h"

#include <stdlib.h>

#include "collect.h"
#include "keep.h"
#include "sample.h"

typedef struct kind {
    gl_marks_type figures;
    gl_sample time;
} kind;

typedef struct kinds {
    gl_map of;
    kind *list;
    size_t capacity, count;
    gl_marks_type *figures;
} kinds;

struct gl_marks {
    gl_marks_options opt;
    kinds regions, tasks;
    gl_keep slow_regions, slow_tasks;
    gl_marks_result result;
    bool finished;
};

static kind *kind_of(kinds *k, uint32_t name)
{
    uint32_t at = gl_map_get(&k->of, name);
    if (at == GL_NONE32) {
        at = (uint32_t)k->count;
        if (GL_GROW(k->list, k->capacity, k->count + 1) < 0 || gl_map_put(&k->of, name, at) < 0)
            return NULL;
        k->list[k->count++].figures.name = name;
    }
    return &k->list[at];
}

static uint64_t length(int64_t begin, int64_t end) { return end > begin ? (uint64_t)(end - begin) : 0; }

static int slower_region(const void *a, const void *b)
{
    const gl_region *x = a, *y = b;
    uint64_t left = length(x->begin, x->end), right = length(y->begin, y->end);
    if (left != right)
        return left > right ? -1 : 1;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->g < y->g ? -1 : x->g > y->g;
}

static bool unended(const gl_task_figures *t) { return t->start >= 0 && t->end < 0; }

static int slower_task(const void *a, const void *b)
{
    const gl_task_figures *x = a, *y = b;
    if (unended(x) != unended(y))
        return unended(x) ? -1 : 1;
    uint64_t left = length(x->start, x->end), right = length(y->start, y->end);
    if (left != right)
        return left > right ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int take_region(void *user, const gl_region *r)
{
    gl_marks *m = user;
    if (m->opt.wanted && !m->opt.wanted(m->opt.user, r->type))
        return 0;
    kind *k = kind_of(&m->regions, r->type);
    if (!k)
        return GL_E_NOMEM;
    if (!k->figures.site.stack)
        k->figures.site = r->site;
    k->figures.open_start += r->open_start;
    k->figures.open_end += r->open_end;
    if (r->open_start)
        return 0;
    if (r->open_end)
        return gl_keep_add(&m->slow_regions, r);
    for (unsigned i = 0; i < GL_G_STATES; i++)
        k->figures.ns[i] += r->ns[i];
    int status = gl_sample_add(&k->time, length(r->begin, r->end));
    return status < 0 ? status : gl_keep_add(&m->slow_regions, r);
}

gl_marks *gl_marks_new(gl_summary *s, const gl_marks_options *opt)
{
    gl_marks *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->opt = *opt;
    m->slow_regions = (gl_keep){.most = opt->slow, .bytes = sizeof(gl_region), .better = slower_region};
    m->slow_tasks = (gl_keep){.most = opt->slow, .bytes = sizeof(gl_task_figures), .better = slower_task};
    gl_watcher w = {.user = m, .on_region = take_region};
    if (gl_summary_watch(s, &w) == 0)
        return m;
    gl_marks_destroy(m);
    return NULL;
}

/* A task that only regions or messages name has no name of its own, and neither begin nor end. */
static int add_task(gl_marks *m, const gl_task_figures *t)
{
    if (t->id == 0 || (m->opt.wanted && !m->opt.wanted(m->opt.user, t->name)))
        return 0;
    kind *k = kind_of(&m->tasks, t->name);
    if (!k)
        return GL_E_NOMEM;
    m->result.tasks_in_all++;
    k->figures.open_start += t->start < 0;
    k->figures.open_end += unended(t);
    k->figures.regions += t->regions;
    k->figures.logs += t->logs;
    int status = 0;
    if (t->start >= 0 && t->end >= 0)
        status = gl_sample_add(&k->time, length(t->start, t->end));
    return status < 0 ? status : gl_keep_add(&m->slow_tasks, t);
}

static int by_total(const void *a, const void *b)
{
    const gl_marks_type *x = a, *y = b;
    if (x->time.total_ns != y->time.total_ns)
        return x->time.total_ns > y->time.total_ns ? -1 : 1;
    return x->name < y->name ? -1 : x->name > y->name;
}

static int finish_kinds(kinds *k)
{
    k->figures = calloc(k->count + 1, sizeof *k->figures);
    if (!k->figures)
        return GL_E_NOMEM;
    for (size_t i = 0; i < k->count; i++) {
        k->list[i].figures.time = gl_sample_spread(&k->list[i].time);
        k->figures[i] = k->list[i].figures;
    }
    qsort(k->figures, k->count, sizeof *k->figures, by_total);
    return 0;
}

/* Ends of regions whose begin is not in the trace are known to the summary only. */
static int add_unbegun(gl_marks *m, const gl_region_figures *f)
{
    if (!f->open_start || (m->opt.wanted && !m->opt.wanted(m->opt.user, f->type)))
        return 0;
    kind *k = kind_of(&m->regions, f->type);
    if (!k)
        return GL_E_NOMEM;
    k->figures.open_start = f->open_start;
    return 0;
}

int gl_marks_finish(gl_marks *m, const gl_summary_result *r, const gl_marks_result **out)
{
    int status = 0;
    *out = &m->result;
    if (m->finished)
        return 0;
    m->finished = true;
    for (size_t i = 0; i < r->user.task_count && status == 0; i++)
        status = add_task(m, &r->user.tasks[i]);
    for (size_t i = 0; i < r->user.region_count && status == 0; i++)
        status = add_unbegun(m, &r->user.regions[i]);
    if (status == 0)
        status = finish_kinds(&m->regions);
    if (status == 0)
        status = finish_kinds(&m->tasks);
    gl_keep_sort(&m->slow_regions);
    gl_keep_sort(&m->slow_tasks);
    m->result.regions = m->regions.figures;
    m->result.region_count = m->regions.count;
    m->result.tasks = m->tasks.figures;
    m->result.task_count = m->tasks.count;
    m->result.slow_regions = (const gl_region *)(const void *)m->slow_regions.list;
    m->result.slow_region_count = m->slow_regions.count;
    m->result.slow_tasks = (const gl_task_figures *)(const void *)m->slow_tasks.list;
    m->result.slow_task_count = m->slow_tasks.count;
    m->result.tasks_cut = r->user.tasks_cut;
    return status;
}

static void kinds_clean_up(kinds *k)
{
    for (size_t i = 0; i < k->count; i++)
        gl_sample_clean_up(&k->list[i].time);
    free(k->list);
    free(k->figures);
    gl_map_clean_up(&k->of);
}

void gl_marks_destroy(gl_marks *m)
{
    if (!m)
        return;
    kinds_clean_up(&m->regions);
    kinds_clean_up(&m->tasks);
    gl_keep_clean_up(&m->slow_regions);
    gl_keep_clean_up(&m->slow_tasks);
    free(m);
}
