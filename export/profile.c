#include "profile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int take_spans(ex_profile *p, const gl_event *ev) { return ex_spans_take(p->spans, ev); }
static int take_summary(ex_profile *p, const gl_event *ev) { return gl_summary_sink(p->summary, ev, 1); }

static int take_cpu(ex_profile *p, const gl_event *ev)
{
    if (ev->type != GL_EV_CPUSample || !ex_wanted(p->options.goroutines, p->options.goroutine_count, ev->g))
        return 0;
    return ex_profile_add(p, ev->stack, NULL, 1, 0);
}

#define DELAY {{"contentions", "count"}, {"delay", "nanoseconds"}}
static const ex_profile_kind kinds[] = {
    {.choice = {"sync", "time blocked on channels, selects and package sync, as go tool trace -pprof=sync"}, .value = DELAY,
     .take = ex_take_go, .state = GL_G_WAITING, .counts = ex_counts_sync},
    {.choice = {"net", "time blocked on the network, as go tool trace -pprof=net"}, .value = DELAY, .take = ex_take_go,
     .state = GL_G_WAITING, .counts = ex_counts_net},
    {.choice = {"syscall", "time in system calls, as go tool trace -pprof=syscall"}, .value = DELAY, .take = ex_take_go,
     .state = GL_G_SYSCALL, .counts = ex_counts_all},
    {.choice = {"sched", "time from runnable to running, as go tool trace -pprof=sched"}, .value = DELAY, .take = ex_take_go,
     .state = GL_G_RUNNABLE, .counts = ex_counts_all},
    {.choice = {"wait", "all waits that ended, by reason"}, .value = {{"waits", "count"}, {"wait", "nanoseconds"}},
     .take = take_spans, .uses_spans = true},
    {.choice = {"channel", "time in channel operations, by channel where the trace knows it, else blocked on some channel"},
     .value = {{"operations", "count"}, {"time", "nanoseconds"}}, .take = take_spans, .uses_spans = true},
    {.choice = {"straddle", "sends that straddle a stop-the-world pause of the collector, and the time shared with it"},
     .value = {{"straddles", "count"}, {"overlap", "nanoseconds"}}, .take = take_summary, .uses_summary = true},
    {.choice = {"cpu", "samples of the profiler's signal"}, .value = {{"samples", "count"}}, .take = take_cpu},
};
#define KINDS (sizeof kinds / sizeof *kinds)

const gl_export_choice *ex_profile_choice(size_t i) { return i < KINDS ? &kinds[i].choice : NULL; }

/* ---- samples -------------------------------------------------------------------------------------------------------- */

static int label_index(ex_profile *p, const ex_label *l, uint32_t *out)
{
    uint64_t key = l->chan ^ (uint64_t)l->reason << 20 ^ (uint64_t)l->op << 56;
    uint32_t at = gl_map_get(&p->label_of, key);
    if (at == GL_NONE32) {
        at = (uint32_t)p->label_count;
        if (GL_GROW(p->labels, p->label_capacity, p->label_count + 1) < 0 || gl_map_put(&p->label_of, key, at) < 0)
            return GL_E_NOMEM;
        p->labels[p->label_count++] = *l;
    }
    *out = at + 1;
    return 0;
}

/* A stack of nameless frames at address 0 says no more than no stack does; Go counts both as one. */
static bool says_nothing(const gl_dict *d, uint32_t stack)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(d, stack, &n);
    for (size_t i = 0; i < n; i++) {
        gl_frame f = gl_dict_get_frame(d, frames[i]);
        if (f.pc || *ex_func(d, f))
            return false;
    }
    return true;
}

int ex_profile_add(ex_profile *p, uint32_t stack, const ex_label *label, uint64_t count, uint64_t ns)
{
    uint32_t number = 0;
    if (says_nothing(p->dict, stack))
        stack = 0;
    if (label && label_index(p, label, &number) < 0)
        return GL_E_NOMEM;
    uint64_t key = (uint64_t)number << 32 | stack;
    uint32_t at = gl_map_get(&p->sample_of, key);
    if (at == GL_NONE32) {
        at = (uint32_t)p->sample_count;
        if (GL_GROW(p->samples, p->sample_capacity, p->sample_count + 1) < 0 || gl_map_put(&p->sample_of, key, at) < 0)
            return GL_E_NOMEM;
        p->samples[p->sample_count++] = (ex_sample){.stack = stack, .label = number};
    }
    p->samples[at].count += count;
    p->samples[at].ns += ns;
    return 0;
}

const char *ex_label_text(const ex_profile *p, uint32_t label, char *out, size_t n)
{
    if (n)
        *out = 0;
    if (label == 0)
        return out;
    const ex_label *l = &p->labels[label - 1];
    const gl_event_info *op = gl_event_lookup(l->op);
    if (op && l->chan)
        snprintf(out, n, "%s 0x%" PRIx64, op->operation, l->chan);
    else
        snprintf(out, n, "%s", op ? op->operation : ex_text(p->dict, l->reason, NULL));
    return out;
}

/* ---- spans and sends ------------------------------------------------------------------------------------------------ */

static bool about_channels(const char *reason)
{
    return strcmp(reason, "chan send") == 0 || strcmp(reason, "chan receive") == 0 || strcmp(reason, "select") == 0;
}

static int on_span(void *user, const ex_span *s)
{
    ex_profile *p = user;
    bool channel = strcmp(p->kind->choice.name, "channel") == 0;
    uint64_t ns = (uint64_t)(s->end - s->begin);
    if (channel && s->kind == EX_CHAN && !s->open_end) {
        if (!p->recorded) /* the operations are there: what was counted by their waits counts again */
            p->sample_count = p->label_count = 0;
        if (!p->recorded) {
            gl_map_clean_up(&p->sample_of);
            gl_map_clean_up(&p->label_of);
            p->sample_of = p->label_of = (gl_map){0};
        }
        p->recorded = true;
        return ex_profile_add(p, s->stack, &(ex_label){.chan = s->chan, .op = s->op}, 1, ns);
    }
    bool waits = s->kind == EX_STATE && s->state == GL_G_WAITING && !s->open_begin && !s->open_end;
    if (!waits || (channel && (p->recorded || !about_channels(ex_text(p->dict, s->name, NULL)))))
        return 0;
    return ex_profile_add(p, s->stack, &(ex_label){.reason = s->name}, 1, ns);
}

static int on_send(void *user, const gl_send *s)
{
    ex_profile *p = user;
    if (!ex_wanted(p->options.goroutines, p->options.goroutine_count, s->g))
        return 0;
    ex_label l = {.chan = s->chan, .op = GL_EV_ChanSendBegin};
    return ex_profile_add(p, s->site.stack, s->chan ? &l : NULL, 1, s->overlap_ns);
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static const ex_profile_kind *kind_by_name(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].choice.name, name) == 0)
            return &kinds[i];
    return NULL;
}

static int open_parts(ex_profile *p)
{
    if (p->kind->uses_spans) {
        p->spans = malloc(sizeof *p->spans);
        if (!p->spans)
            return GL_E_NOMEM;
        ex_spans_init(p->spans, &p->options, &(ex_listener){.user = p, .end = on_span});
    }
    if (p->kind->uses_summary) {
        p->summary = gl_summary_new(&(gl_summary_options){.dict = p->dict, .on_send = on_send, .send_user = p});
        if (!p->summary)
            return GL_E_NOMEM;
    }
    return 0;
}

int ex_profile_open(ex_profile **out, const gl_export_options *opt, gl_error *err)
{
    const char *name = opt->profile ? opt->profile : kinds[0].choice.name;
    const ex_profile_kind *kind = kind_by_name(name);
    if (!kind)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "there is no profile %s", name);
    ex_profile *p = calloc(1, sizeof *p);
    if (!p)
        return GL_E_NOMEM;
    p->kind = kind;
    p->dict = opt->dict;
    p->options = *opt;
    *out = p;
    return open_parts(p);
}

int ex_profile_take(ex_profile *p, const gl_event *ev) { return p->kind->take(p, ev); }

static int by_time(const void *a, const void *b)
{
    const ex_sample *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->stack < y->stack ? -1 : x->stack > y->stack;
}

int ex_profile_finish(ex_profile *p)
{
    const gl_summary_result *result;
    int status = 0;
    if (p->spans)
        status = ex_spans_finish(p->spans);
    else if (p->summary)
        status = gl_summary_finish(p->summary, &result);
    else if (p->kind->counts)
        status = ex_finish_go(p);
    if (p->sample_count)
        qsort(p->samples, p->sample_count, sizeof *p->samples, by_time);
    return status;
}

void ex_profile_discard(ex_profile *p)
{
    if (!p)
        return;
    gl_map_clean_up(&p->waiter_of);
    gl_map_clean_up(&p->sample_of);
    gl_map_clean_up(&p->label_of);
    free(p->waiters);
    free(p->free_waiters);
    free(p->samples);
    free(p->labels);
    if (p->spans)
        ex_spans_clean_up(p->spans);
    free(p->spans);
    gl_summary_destroy(p->summary);
    free(p);
}
