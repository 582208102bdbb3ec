#include "golanes_analysis/latency.h"

#include <stdlib.h>

#include "distribution.h"
#include "keep.h"
#include "reasons.h"
#include "sample.h"
#include "collect.h"

const char *const gl_latency_cause_name[GL_LATENCY_CAUSES] = {"created",   "woken",   "timer or network",
                                                              "preempted", "syscall", "not known"};

#define DECADE(n) 1 * INT64_C(n), 2 * INT64_C(n), 5 * INT64_C(n)
const int64_t gl_latency_bucket_ns[GL_LATENCY_BUCKETS] = {
    DECADE(100),      DECADE(1000),      DECADE(10000),      DECADE(100000),       DECADE(1000000),
    DECADE(10000000), DECADE(100000000), DECADE(1000000000), INT64_C(10000000000), INT64_MAX};

typedef struct group {
    uint32_t name;
    gl_sample wait;
} group;

struct gl_latency {
    gl_latency_options opt;
    gl_summary *summary;
    gl_dist all;
    gl_sample cause[GL_LATENCY_CAUSES];
    gl_map group_of;
    group *groups;
    size_t group_capacity, group_count;
    gl_keep worst;
    gl_latency_group *list;
    gl_latency_result result;
};

static int longer(const void *a, const void *b)
{
    const gl_latency_wait *x = a, *y = b;
    int64_t left = x->end - x->begin, right = y->end - y->begin;
    if (left != right)
        return left > right ? -1 : 1;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->g < y->g ? -1 : x->g > y->g;
}

static gl_latency_cause cause_of(const gl_span *s)
{
    switch (s->cause) {
    case GL_EV_GoCreate: return GL_LATENCY_CREATED;
    case GL_EV_GoUnpark: return s->cause_g ? GL_LATENCY_WOKEN : GL_LATENCY_EVENT;
    case GL_EV_GoYield: return GL_LATENCY_YIELD;
    case GL_EV_GoSyscallEnd: return GL_LATENCY_SYSCALL;
    default: return GL_LATENCY_UNKNOWN;
    }
}

static unsigned bucket_of(uint64_t ns)
{
    unsigned i = 0;
    while (i + 1 < GL_LATENCY_BUCKETS && ns >= (uint64_t)gl_latency_bucket_ns[i])
        i++;
    return i;
}

static int add_to_group(gl_latency *l, uint32_t name, uint64_t ns)
{
    uint32_t at = gl_map_get(&l->group_of, name);
    if (at == GL_NONE32) {
        at = (uint32_t)l->group_count;
        if (GL_GROW(l->groups, l->group_capacity, l->group_count + 1) < 0 || gl_map_put(&l->group_of, name, at) < 0)
            return GL_E_NOMEM;
        l->groups[l->group_count++].name = name;
    }
    return gl_sample_add(&l->groups[at].wait, ns);
}

static int take_span(void *user, const gl_span *s)
{
    gl_latency *l = user;
    if (s->state != GL_G_RUNNABLE || s->open_start || s->open_end ||
        (l->opt.wanted && !l->opt.wanted(l->opt.user, s->group)))
        return 0;
    uint64_t ns = s->end > s->begin ? (uint64_t)(s->end - s->begin) : 0;
    unsigned bucket = bucket_of(ns);
    gl_latency_cause cause = cause_of(s);
    l->result.bucket[bucket]++;
    l->result.bucket_ns[bucket] += ns;
    int status = gl_dist_add(&l->all, ns);
    if (status == 0)
        status = gl_sample_add(&l->cause[cause], ns);
    if (status == 0)
        status = add_to_group(l, s->group, ns);
    if (status < 0)
        return status;
    bool made = cause == GL_LATENCY_CREATED || cause == GL_LATENCY_WOKEN;
    gl_latency_wait w = {s->g, s->group, cause, made ? s->cause_g : 0, s->begin, s->end, {.stack = s->cause_stack}};
    return gl_keep_add(&l->worst, &w);
}

gl_latency *gl_latency_new(gl_summary *s, const gl_latency_options *opt)
{
    gl_latency *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->opt = *opt;
    l->summary = s;
    l->worst = (gl_keep){.most = opt->worst, .bytes = sizeof(gl_latency_wait), .better = longer};
    gl_watcher w = {.user = l, .on_span = take_span};
    if (gl_summary_watch(s, &w) == 0)
        return l;
    gl_latency_destroy(l);
    return NULL;
}

static int by_total(const void *a, const void *b)
{
    const gl_latency_group *x = a, *y = b;
    if (x->wait.total_ns != y->wait.total_ns)
        return x->wait.total_ns > y->wait.total_ns ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

int gl_latency_finish(gl_latency *l, const gl_latency_result **out)
{
    gl_latency_result *r = &l->result;
    *out = r;
    if (l->list)
        return 0;
    l->list = calloc(l->group_count + 1, sizeof *l->list);
    if (!l->list)
        return GL_E_NOMEM;
    for (size_t i = 0; i < l->group_count; i++)
        l->list[i] = (gl_latency_group){l->groups[i].name, gl_sample_spread(&l->groups[i].wait)};
    qsort(l->list, l->group_count, sizeof *l->list, by_total);
    for (unsigned i = 0; i < GL_LATENCY_CAUSES; i++)
        r->cause[i] = gl_sample_spread(&l->cause[i]);
    gl_keep_sort(&l->worst);
    gl_latency_wait *worst = (gl_latency_wait *)(void *)l->worst.list;
    for (size_t i = 0; i < l->worst.count; i++)
        worst[i].site = gl_summary_site_of(l->summary, worst[i].site.stack);
    r->groups = l->list;
    r->group_count = l->group_count;
    r->worst = worst;
    r->worst_count = l->worst.count;
    return gl_spread_of(&l->all, &r->all);
}

void gl_latency_destroy(gl_latency *l)
{
    if (!l)
        return;
    gl_dist_clean_up(&l->all);
    for (unsigned i = 0; i < GL_LATENCY_CAUSES; i++)
        gl_sample_clean_up(&l->cause[i]);
    for (size_t i = 0; i < l->group_count; i++)
        gl_sample_clean_up(&l->groups[i].wait);
    free(l->groups);
    gl_map_clean_up(&l->group_of);
    gl_keep_clean_up(&l->worst);
    free(l->list);
    free(l);
}
