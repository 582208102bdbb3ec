#include "golanes_analysis/straddling.h"

#include <stdlib.h>

#include "collect.h"
#include "keep.h"
#include "sample.h"

typedef struct group {
    gl_straddling_group figures;
    gl_sample overlap, delay;
} group;

struct gl_straddling {
    gl_straddling_options opt;
    gl_map group_of; /* a hash of the key, or the next free number after it, to index */
    group *groups;
    size_t group_capacity, group_count;
    group all, of_kind[GL_OPERATION_KINDS];
    gl_keep worst, worst_during_gc;
    gl_straddling_group *list;
    gl_straddling_result result;
};

static int worse(uint64_t a, uint64_t b, const gl_send *x, const gl_send *y)
{
    if (a != b)
        return a > b ? -1 : 1;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->g < y->g ? -1 : x->g > y->g;
}

static int by_overlap(const void *a, const void *b)
{
    const gl_send *x = a, *y = b;
    return worse(x->overlap_ns, y->overlap_ns, x, y);
}

static int by_cycle(const void *a, const void *b)
{
    const gl_send *x = a, *y = b;
    return worse(x->cycle_ns, y->cycle_ns, x, y);
}

static bool same(const gl_straddling_group *g, const gl_send *s, uint64_t chan)
{
    return g->kind == s->kind && g->group == s->group && g->chan == chan && g->site.func == s->site.func &&
           g->site.line == s->site.line;
}

static group *group_of(gl_straddling *x, const gl_send *s)
{
    uint64_t chan = s->chan;
    if (x->group_count >= GL_STRADDLING_MAX) {
        x->result.cut |= chan != 0;
        chan = 0;
    }
    uint64_t key =
        gl_mix(gl_mix(chan ^ (uint64_t)s->group << 32) + ((uint64_t)s->site.func << 32 | s->site.line)) + s->kind;
    uint32_t at = gl_map_get(&x->group_of, key);
    while (at != GL_NONE32 && !same(&x->groups[at].figures, s, chan))
        at = gl_map_get(&x->group_of, ++key);
    if (at != GL_NONE32)
        return &x->groups[at];
    at = (uint32_t)x->group_count;
    if (GL_GROW(x->groups, x->group_capacity, x->group_count + 1) < 0 || gl_map_put(&x->group_of, key, at) < 0)
        return NULL;
    x->groups[x->group_count++].figures =
        (gl_straddling_group){.kind = s->kind, .group = s->group, .chan = chan, .site = s->site};
    return &x->groups[at];
}

static int add_to(group *g, const gl_send *s)
{
    gl_straddling_group *f = &g->figures;
    if (!s->pauses) {
        f->during_gc++;
        f->during_gc_ns += s->cycle_ns;
        return 0;
    }
    f->n++;
    f->took_ns += s->end > s->begin ? (uint64_t)(s->end - s->begin) : 0;
    f->released_inside += s->released_inside;
    if (s->woken)
        f->released[s->release]++;
    int status = gl_sample_add(&g->overlap, s->overlap_ns);
    return status == 0 && s->delay_ns >= 0 ? gl_sample_add(&g->delay, (uint64_t)s->delay_ns) : status;
}

static int take_operation(void *user, const gl_send *s)
{
    gl_straddling *x = user;
    if ((!s->pauses && !x->opt.cycle) || (x->opt.wanted && !x->opt.wanted(x->opt.user, s->group)))
        return 0;
    group *g = group_of(x, s);
    if (!g)
        return GL_E_NOMEM;
    int status = add_to(g, s);
    if (status == 0)
        status = add_to(&x->all, s);
    if (status == 0)
        status = add_to(&x->of_kind[s->kind], s);
    return status < 0 ? status : gl_keep_add(s->pauses ? &x->worst : &x->worst_during_gc, s);
}

gl_straddling *gl_straddling_new(gl_summary *s, const gl_straddling_options *opt)
{
    gl_straddling *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->opt = *opt;
    x->worst = (gl_keep){.most = opt->worst, .bytes = sizeof(gl_send), .better = by_overlap};
    x->worst_during_gc = (gl_keep){.most = opt->worst, .bytes = sizeof(gl_send), .better = by_cycle};
    if (gl_summary_watch(s, &(gl_watcher){.user = x, .on_operation = take_operation, .kinds = opt->kinds}) == 0)
        return x;
    gl_straddling_destroy(x);
    return NULL;
}

static gl_straddling_group figures(group *g)
{
    g->figures.overlap = gl_sample_spread(&g->overlap);
    g->figures.delay = gl_sample_spread(&g->delay);
    return g->figures;
}

static int by_weight(const void *a, const void *b)
{
    const gl_straddling_group *x = a, *y = b;
    if (x->overlap.total_ns != y->overlap.total_ns)
        return x->overlap.total_ns > y->overlap.total_ns ? -1 : 1;
    if (x->during_gc_ns != y->during_gc_ns)
        return x->during_gc_ns > y->during_gc_ns ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->site.line != y->site.line)
        return x->site.line < y->site.line ? -1 : 1;
    return x->chan < y->chan ? -1 : x->chan > y->chan;
}

int gl_straddling_finish(gl_straddling *x, const gl_straddling_result **out)
{
    gl_straddling_result *r = &x->result;
    *out = r;
    if (x->list)
        return 0;
    x->list = calloc(x->group_count + 1, sizeof *x->list);
    if (!x->list)
        return GL_E_NOMEM;
    for (size_t i = 0; i < x->group_count; i++)
        x->list[i] = figures(&x->groups[i]);
    qsort(x->list, x->group_count, sizeof *x->list, by_weight);
    gl_keep_sort(&x->worst);
    gl_keep_sort(&x->worst_during_gc);
    r->groups = x->list;
    r->group_count = x->group_count;
    r->all = figures(&x->all);
    for (unsigned i = 0; i < GL_OPERATION_KINDS; i++)
        r->of_kind[i] = figures(&x->of_kind[i]);
    r->worst = (const gl_send *)(const void *)x->worst.list;
    r->worst_count = x->worst.count;
    r->worst_during_gc = (const gl_send *)(const void *)x->worst_during_gc.list;
    r->worst_during_gc_count = x->worst_during_gc.count;
    return 0;
}

static void group_clean_up(group *g)
{
    gl_sample_clean_up(&g->overlap);
    gl_sample_clean_up(&g->delay);
}

void gl_straddling_destroy(gl_straddling *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->group_count; i++)
        group_clean_up(&x->groups[i]);
    group_clean_up(&x->all);
    for (unsigned i = 0; i < GL_OPERATION_KINDS; i++)
        group_clean_up(&x->of_kind[i]);
    free(x->groups);
    free(x->list);
    gl_map_clean_up(&x->group_of);
    gl_keep_clean_up(&x->worst);
    gl_keep_clean_up(&x->worst_during_gc);
    free(x);
}
