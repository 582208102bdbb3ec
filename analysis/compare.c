#include "golanes_analysis/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "golanes_analysis/breakdown.h"
#include "sample.h"

#define SPREAD_LEAST 8 /* values, of which a median says something */
#define KEY_MAX 400

const char *const gl_aspect_name[GL_ASPECTS] = {
    "pause length", "pauses",     "wait for a processor", "wait", "running time", "system call", "straddles", "stuck",
    "anomalies",    "goroutines", "channel capacity"};

bool gl_aspect_is_time(gl_aspect a)
{
    return a == GL_ASPECT_PAUSE || a == GL_ASPECT_SCHED || a == GL_ASPECT_WAIT || a == GL_ASPECT_RUNNING ||
           a == GL_ASPECT_SYSCALL;
}

#define BATCHES 32

/*
 * Means of consecutive values (of their logarithms), so many to a batch that there are at most BATCHES: how they
 * scatter tells how far chance goes where values that follow each other are alike, as those of a busy machine are.
 */
typedef struct batches {
    double mean[BATCHES], sum;
    uint64_t size, in; /* values to a batch; in the one at hand */
    unsigned count;
} batches;

typedef struct entry {
    gl_aspect aspect;
    batches batches;
    uint32_t name, second; /* while the trace is read: string ids */
    char *key;             /* after */
    gl_sample times;
    double value, clusters; /* of a count: how many independent occasions it had, 0 as many as there are */
    bool matched;
} entry;

struct gl_profile {
    gl_summary *summary;
    const gl_dict *dict;
    gl_map entry_of;
    entry *entries;
    size_t capacity, count;
    int64_t stw_begin;
    uint32_t stw_reason;
    bool stw_open, finished;
    int64_t end_ns;
};

static entry *entry_of(gl_profile *p, gl_aspect aspect, uint32_t name, uint32_t second)
{
    uint64_t key = gl_mix((uint64_t)name << 32 | second) * GL_ASPECTS + aspect;
    uint32_t at = gl_map_get(&p->entry_of, key);
    while (at != GL_NONE32 &&
           (p->entries[at].aspect != aspect || p->entries[at].name != name || p->entries[at].second != second))
        at = gl_map_get(&p->entry_of, ++key);
    if (at != GL_NONE32)
        return &p->entries[at];
    at = (uint32_t)p->count;
    if (GL_GROW(p->entries, p->capacity, p->count + 1) < 0 || gl_map_put(&p->entry_of, key, at) < 0)
        return NULL;
    p->entries[p->count++] = (entry){.aspect = aspect, .name = name, .second = second};
    return &p->entries[at];
}

static void add_to_batches(batches *b, double value)
{
    b->size = b->size ? b->size : 1;
    b->sum += value;
    if (++b->in < b->size)
        return;
    b->mean[b->count++] = b->sum / (double)b->size;
    b->sum = 0;
    b->in = 0;
    if (b->count < BATCHES)
        return;
    for (unsigned i = 0; i < BATCHES / 2; i++)
        b->mean[i] = (b->mean[2 * i] + b->mean[2 * i + 1]) / 2;
    b->count = BATCHES / 2;
    b->size *= 2;
}

/* Mean of the batches, and the variance of that mean. */
static double batch_mean(const batches *b, double *variance)
{
    double mean = 0, sum = 0;
    for (unsigned i = 0; i < b->count; i++)
        mean += b->mean[i] / b->count;
    for (unsigned i = 0; i < b->count; i++)
        sum += (b->mean[i] - mean) * (b->mean[i] - mean);
    *variance = b->count > 1 ? sum / (b->count - 1) / b->count : 0;
    return mean;
}

static int add_time(gl_profile *p, gl_aspect aspect, uint32_t name, uint32_t second, int64_t begin, int64_t end)
{
    entry *e = entry_of(p, aspect, name, second);
    uint64_t ns = end > begin ? (uint64_t)(end - begin) : 0;
    if (!e)
        return GL_E_NOMEM;
    add_to_batches(&e->batches, log((double)ns + 1));
    return gl_sample_add(&e->times, ns);
}

static int take_event(void *user, const gl_event *ev)
{
    gl_profile *p = user;
    if (ev->type == GL_EV_GCSTWBegin) {
        p->stw_open = true;
        p->stw_begin = ev->time;
        p->stw_reason = (uint32_t)ev->arg[0];
    } else if (ev->type == GL_EV_GCSTWEnd && p->stw_open) {
        p->stw_open = false;
        return add_time(p, GL_ASPECT_PAUSE, p->stw_reason, 0, p->stw_begin, ev->time);
    }
    return 0;
}

static int take_span(void *user, const gl_span *s)
{
    gl_profile *p = user;
    if (s->open_start || s->open_end || (s->group && gl_summary_of_runtime(p->summary, s->group)))
        return 0;
    switch (s->state) {
    case GL_G_RUNNABLE: return add_time(p, GL_ASPECT_SCHED, s->group, 0, s->begin, s->end);
    case GL_G_WAITING: return add_time(p, GL_ASPECT_WAIT, s->group, s->reason, s->begin, s->end);
    case GL_G_SYSCALL: return add_time(p, GL_ASPECT_SYSCALL, s->group, 0, s->begin, s->end);
    default: return 0;
    }
}

static int take_goroutine(void *user, const gl_goroutine_figures *g)
{
    gl_profile *p = user;
    if (gl_summary_of_runtime(p->summary, g->name))
        return 0;
    entry *e = entry_of(p, GL_ASPECT_GOROUTINES, g->name, 0);
    if (!e)
        return GL_E_NOMEM;
    e->value++;
    /* Only whole lives: the part of one that a trace shows depends on when it was taken. */
    if (g->preexisting || g->end_state != GL_G_NOT_EXIST)
        return 0;
    return add_time(p, GL_ASPECT_RUNNING, g->name, 0, 0, (int64_t)g->times.ns[GL_G_RUNNING]);
}

gl_profile *gl_profile_new(gl_summary *s, const gl_dict *dict)
{
    gl_profile *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->summary = s;
    p->dict = dict;
    gl_watcher w = {.user = p, .on_event = take_event, .on_span = take_span, .on_goroutine = take_goroutine};
    if (gl_summary_watch(s, &w) == 0)
        return p;
    gl_profile_destroy(p);
    return NULL;
}

/* --- the end of a profile --- */

static const char *text(const gl_profile *p, uint32_t id)
{
    const char *s = gl_dict_text(p->dict, id, NULL);
    return *s ? s : "(not known)";
}

static int add_value(gl_profile *p, gl_aspect aspect, const char *key, double value, double clusters)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->entries[i].aspect == aspect && p->entries[i].key && strcmp(p->entries[i].key, key) == 0) {
            p->entries[i].value += aspect == GL_ASPECT_CAPACITY ? 0 : value;
            return 0;
        }
    }
    int grown = GL_GROW(p->entries, p->capacity, p->count + 1);
    char *copy = strdup(key);
    if (grown < 0 || !copy) {
        free(copy);
        return GL_E_NOMEM;
    }
    p->entries[p->count++] = (entry){.aspect = aspect, .key = copy, .value = value, .clusters = clusters};
    return 0;
}

static int name_entries(gl_profile *p)
{
    for (size_t i = 0; i < p->count; i++) {
        entry *e = &p->entries[i];
        char key[KEY_MAX];
        if (e->second)
            snprintf(key, sizeof key, "%s: %s", text(p, e->name), text(p, e->second));
        else
            snprintf(key, sizeof key, "%s", text(p, e->name));
        e->key = strdup(key);
        if (!e->key)
            return GL_E_NOMEM;
    }
    return 0;
}

static int add_stuck(gl_profile *p, const gl_blocked_result *r)
{
    int status = 0;
    for (size_t i = 0; i < r->site_count && status == 0; i++) {
        const gl_stuck_site *f = r->sites[i].figures;
        char key[KEY_MAX];
        if (f->system || f->idle)
            continue;
        snprintf(key, sizeof key, "%s: %s in %s", text(p, f->name), text(p, f->reason), text(p, f->site.func));
        status = add_value(p, GL_ASPECT_STUCK, key, (double)f->n, 0);
    }
    return status;
}

static int add_capacities(gl_profile *p, const gl_channels_result *r)
{
    int status = 0;
    for (size_t i = 0; i < r->group_count && status == 0; i++) {
        const gl_channel_group *g = &r->groups[i];
        char key[KEY_MAX];
        if (!g->site.stack || g->cap_least != g->cap_most)
            continue; /* where it depends on something it is no property of the place */
        snprintf(key, sizeof key, "chan %s made in %s", text(p, g->elem), text(p, g->site.func));
        status = add_value(p, GL_ASPECT_CAPACITY, key, (double)g->cap_most, 0);
    }
    return status;
}

int gl_profile_finish(gl_profile *p, const gl_profile_sources *from)
{
    if (p->finished)
        return 0;
    p->finished = true;
    p->end_ns = from->summary->end_ns;
    int status = name_entries(p);
    size_t n = p->count;
    uint64_t pauses = 0;
    for (size_t i = 0; i < from->summary->reason_count; i++)
        pauses += strstr(text(p, from->summary->reasons[i].reason), "GC") ? from->summary->reasons[i].stw_begins : 0;
    for (size_t i = 0; i < n && status == 0; i++) {
        if (p->entries[i].aspect == GL_ASPECT_PAUSE)
            status = add_value(p, GL_ASPECT_PAUSES, p->entries[i].key, (double)p->entries[i].times.n, 0);
    }
    for (unsigned i = 0; from->straddling && i < GL_OPERATION_KINDS && status == 0; i++) {
        const gl_straddling_group *g = &from->straddling->of_kind[i];
        status = add_value(p, GL_ASPECT_STRADDLES, gl_operation_name[i], (double)g->n, (double)pauses);
    }
    /* Long and delayed waits are compared as waits; losses are the recorder's. */
    for (unsigned i = 0; from->anomalies && i < GL_ANOMALY_LONG_RUNNABLE && status == 0; i++)
        status = add_value(p, GL_ASPECT_ANOMALIES, gl_anomaly_kinds[i].name, (double)from->anomalies->kind[i].n, 0);
    if (from->blocked && status == 0)
        status = add_stuck(p, from->blocked);
    if (from->channels && status == 0)
        status = add_capacities(p, from->channels);
    return status;
}

void gl_profile_destroy(gl_profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        gl_sample_clean_up(&p->entries[i].times);
        free(p->entries[i].key);
    }
    free(p->entries);
    gl_map_clean_up(&p->entry_of);
    free(p);
}

/* --- comparing --- */

/* What depends on the scheduler's mood differs more between two runs of one program than within one: it gets so many
 * times the tolerance. */
static const double slack[GL_ASPECTS] = {
    [GL_ASPECT_PAUSE] = 1,     [GL_ASPECT_PAUSES] = 1,     [GL_ASPECT_SCHED] = 2,     [GL_ASPECT_WAIT] = 2,
    [GL_ASPECT_RUNNING] = 1,   [GL_ASPECT_SYSCALL] = 2,    [GL_ASPECT_STRADDLES] = 4, [GL_ASPECT_STUCK] = 1,
    [GL_ASPECT_ANOMALIES] = 1, [GL_ASPECT_GOROUTINES] = 1, [GL_ASPECT_CAPACITY] = 1};

static double sure(gl_aspect a) { return slack[a] > 1 ? GL_COMPARE_SURE_MOOD : GL_COMPARE_SURE; }

#define SMALL_NS 2000.0 /* below this, times are the clock's and the scheduler's own grain */

static bool times_differ(entry *a, entry *b, double tolerance, gl_difference *d)
{
    if (a->times.n < SPREAD_LEAST || b->times.n < SPREAD_LEAST)
        return false;
    d->a = gl_sample_spread(&a->times);
    d->b = gl_sample_spread(&b->times);
    double x = (double)d->a.p50_ns, y = (double)d->b.p50_ns;
    d->worse = y > x;
    d->factor = x > 0 ? y / x : 0;
    double more = d->worse ? y : x, less = d->worse ? x : y;
    if (more <= SMALL_NS || more <= less * (1 + tolerance))
        return false;
    double va, vb, ma = batch_mean(&a->batches, &va), mb = batch_mean(&b->batches, &vb);
    double apart = d->worse ? mb - ma : ma - mb;
    d->sigmas = apart / (va + vb > 0 ? sqrt(va + vb) : 1e-3);
    return d->sigmas > sure(b->aspect) && exp(apart) > 1 + tolerance;
}

/* Counts of what comes by chance; a trace twice as long has twice as many. */
static bool counts_differ(const entry *x, const entry *y, double scale, double tolerance, gl_difference *d)
{
    double a = x->value, b = y->value, b_here = b * scale;
    /* What comes in clusters scatters more: as if the clusters were counted, each for its size. */
    double deviation = sqrt(a * (x->clusters > 0 ? 1 + a / x->clusters : 1) +
                            b * (y->clusters > 0 ? 1 + b / y->clusters : 1) * scale * scale + 1);
    d->value_a = a;
    d->value_b = b;
    d->worse = b_here > a;
    d->factor = a > 0 ? b_here / a : 0;
    double more = d->worse ? b_here : a, less = d->worse ? a : b_here;
    d->sigmas = (more - less) / deviation;
    return d->sigmas > sure(y->aspect) && more > less * (1 + tolerance);
}

static bool values_differ(double a, double b, gl_difference *d)
{
    d->value_a = a;
    d->value_b = b;
    d->worse = b < a; /* a channel that holds less makes its senders wait */
    d->factor = a > 0 ? b / a : 0;
    return a != b;
}

static bool differ(entry *a, entry *b, double scale, double tolerance, gl_difference *d)
{
    *d = (gl_difference){.aspect = b->aspect, .key = b->key ? b->key : a->key};
    tolerance *= slack[b->aspect];
    if (gl_aspect_is_time(b->aspect))
        return times_differ(a, b, tolerance, d);
    if (b->aspect == GL_ASPECT_CAPACITY)
        return a->key && b->key && values_differ(a->value, b->value, d);
    /* Those who are stuck do not go on coming. */
    return counts_differ(a, b, b->aspect == GL_ASPECT_STUCK ? 1 : scale, tolerance, d);
}

static int by_weight(const void *a, const void *b)
{
    const gl_difference *x = a, *y = b;
    if (x->worse != y->worse)
        return x->worse ? -1 : 1;
    if (x->aspect != y->aspect)
        return x->aspect < y->aspect ? -1 : 1;
    double left = x->factor > 0 ? fabs(log(x->factor)) : INFINITY,
           right = y->factor > 0 ? fabs(log(y->factor)) : INFINITY;
    if (left != right)
        return left > right ? -1 : 1;
    return strcmp(x->key, y->key);
}

static entry *find(gl_profile *p, const entry *like)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->entries[i].aspect == like->aspect && strcmp(p->entries[i].key, like->key) == 0)
            return &p->entries[i];
    }
    return NULL;
}

int gl_profile_compare(gl_profile *a, gl_profile *b, double tolerance, gl_difference **out, size_t *n)
{
    double scale = a->end_ns > 0 && b->end_ns > 0 ? (double)a->end_ns / (double)b->end_ns : 1;
    gl_difference *list = calloc(a->count + b->count + 1, sizeof *list);
    *n = 0;
    *out = list;
    if (!list)
        return GL_E_NOMEM;
    for (size_t i = 0; i < a->count; i++)
        a->entries[i].matched = false;
    for (size_t i = 0; i < b->count; i++) {
        entry *y = &b->entries[i], *x = find(a, y), none = {.aspect = y->aspect, .key = NULL};
        if (x)
            x->matched = true;
        *n += differ(x ? x : &none, y, scale, tolerance, &list[*n]);
    }
    for (size_t i = 0; i < a->count; i++) {
        entry *x = &a->entries[i], none = {.aspect = x->aspect, .key = NULL};
        if (!x->matched)
            *n += differ(x, &none, scale, tolerance, &list[*n]);
    }
    qsort(list, *n, sizeof *list, by_weight);
    return 0;
}
