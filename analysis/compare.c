#include "compare_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 400

const char *const gl_aspect_name[GL_ASPECTS] = {
    "pause length", "pauses",     "wait for a processor", "wait", "running time", "system call", "straddles", "stuck",
    "anomalies",    "goroutines", "channel capacity"};

bool gl_aspect_is_time(gl_aspect a)
{
    return a == GL_ASPECT_PAUSE || a == GL_ASPECT_SCHED || a == GL_ASPECT_WAIT || a == GL_ASPECT_RUNNING ||
           a == GL_ASPECT_SYSCALL;
}

/* --- while the trace is read --- */

static gl_profile_entry *entry_of(gl_profile *p, unsigned aspect, uint32_t name, uint32_t second)
{
    uint64_t key = gl_mix((uint64_t)name << 32 | second) * (GL_ASPECTS + 1) + aspect;
    uint32_t at = gl_map_get(&p->entry_of, key);
    while (at != GL_NONE32 &&
           (p->entries[at].aspect != aspect || p->entries[at].name != name || p->entries[at].second != second))
        at = gl_map_get(&p->entry_of, ++key);
    if (at != GL_NONE32)
        return &p->entries[at];
    at = (uint32_t)p->count;
    if (GL_GROW(p->entries, p->capacity, p->count + 1) < 0 || gl_map_put(&p->entry_of, key, at) < 0)
        return NULL;
    p->entries[p->count++] = (gl_profile_entry){.aspect = aspect, .name = name, .second = second};
    return &p->entries[at];
}

static int add_time(gl_profile *p, unsigned aspect, uint32_t name, uint32_t second, int64_t at, int64_t begin, int64_t end)
{
    gl_profile_entry *e = entry_of(p, aspect, name, second);
    uint64_t ns = end > begin ? (uint64_t)(end - begin) : 0;
    if (!e)
        return GL_E_NOMEM;
    int status = gl_slices_add(&e->slices, at, ns);
    return status < 0 ? status : gl_sample_add(&e->times, ns);
}

static int take_span(void *user, const gl_span *s)
{
    static const unsigned aspects[GL_G_STATES] = {[GL_G_RUNNABLE] = GL_ASPECT_SCHED,
                                                  [GL_G_RUNNING] = GL_ASPECT_CONTROL,
                                                  [GL_G_WAITING] = GL_ASPECT_WAIT,
                                                  [GL_G_SYSCALL] = GL_ASPECT_SYSCALL};
    gl_profile *p = user;
    bool runtime = s->group && gl_summary_of_runtime(p->summary, s->group);
    if (s->open_start || s->open_end || s->state == GL_G_NOT_EXIST)
        return 0;
    p->work += !runtime;
    /* of the runtime's own: in which state is told by the second name, which is no text then */
    unsigned aspect = runtime ? GL_ASPECT_CONTROL : aspects[s->state];
    uint32_t second = aspect == GL_ASPECT_CONTROL ? s->state : aspect == GL_ASPECT_WAIT ? s->reason : 0;
    return add_time(p, aspect, s->group, second, s->begin, s->begin, s->end);
}

static int take_operation(void *user, const gl_send *s)
{
    gl_profile *p = user;
    if (s->pauses)
        gl_slices_count(&p->straddled[s->kind], s->begin);
    return 0;
}

static int take_goroutine(void *user, const gl_goroutine_figures *g)
{
    gl_profile *p = user;
    if (gl_summary_of_runtime(p->summary, g->name))
        return 0;
    gl_profile_entry *e = entry_of(p, GL_ASPECT_GOROUTINES, g->name, 0);
    if (!e)
        return GL_E_NOMEM;
    e->value++;
    /* Only whole lives: the part of one that a trace shows depends on when it was taken. */
    if (g->preexisting || g->end_state != GL_G_NOT_EXIST)
        return 0;
    return add_time(p, GL_ASPECT_RUNNING, g->name, 0, g->created, 0, (int64_t)g->times.ns[GL_G_RUNNING]);
}

gl_profile *gl_profile_new(gl_summary *s, const gl_dict *dict)
{
    gl_profile *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->summary = s;
    p->dict = dict;
    gl_watcher w = {.user = p, .on_span = take_span, .on_goroutine = take_goroutine, .on_operation = take_operation,
                    .kinds = (1u << GL_OPERATION_KINDS) - 1};
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

static int add_value(gl_profile *p, gl_aspect aspect, const char *key, double value)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->entries[i].aspect == aspect && p->entries[i].key && strcmp(p->entries[i].key, key) == 0) {
            p->entries[i].value += value; /* of capacities too: a function may make several channels of one type */
            return 0;
        }
    }
    int grown = GL_GROW(p->entries, p->capacity, p->count + 1);
    char *copy = strdup(key);
    if (grown < 0 || !copy) {
        free(copy);
        return GL_E_NOMEM;
    }
    p->entries[p->count++] = (gl_profile_entry){.aspect = aspect, .key = copy, .value = value};
    return 0;
}

static int name_entries(gl_profile *p)
{
    for (size_t i = 0; i < p->count; i++) {
        gl_profile_entry *e = &p->entries[i];
        char key[KEY_MAX];
        /* Held up by the collector's looking at its stack: nothing that the program does. */
        if (e->aspect == GL_ASPECT_WAIT && strcmp(text(p, e->second), "preempted") == 0)
            *e = (gl_profile_entry){.aspect = GL_ASPECT_CONTROL, .name = e->name, .second = GL_G_WAITING, .slices = e->slices, .times = e->times};
        if (e->aspect == GL_ASPECT_CONTROL)
            snprintf(key, sizeof key, "%s: %s", text(p, e->name), gl_gstate_name(e->second));
        else if (e->second)
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
        status = add_value(p, GL_ASPECT_STUCK, key, (double)f->n);
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
        status = add_value(p, GL_ASPECT_CAPACITY, key, (double)g->cap_most);
    }
    return status;
}

static int add_pauses(gl_profile *p, const gl_summary_result *r)
{
    int status = 0;
    for (size_t i = 0; i < r->stw.list_count && status == 0; i++) {
        const gl_range_figures *x = &r->stw.list[i];
        p->pauses += x->gc;
        p->paused += x->gc && x->end > x->begin ? (double)(x->end - x->begin) : 0;
        if (!x->open_start && !x->open_end)
            status = add_time(p, GL_ASPECT_PAUSE, x->reason, 0, x->begin, x->begin, x->end);
    }
    return status;
}

static int count_pauses(gl_profile *p, size_t n)
{
    int status = 0;
    for (size_t i = 0; i < n && status == 0; i++) {
        if (p->entries[i].aspect == GL_ASPECT_PAUSE)
            status = add_value(p, GL_ASPECT_PAUSES, p->entries[i].key, (double)p->entries[i].times.n);
    }
    return status;
}

static int count_straddles(gl_profile *p, const gl_straddling_result *r)
{
    int status = 0;
    for (unsigned i = 0; r && i < GL_OPERATION_KINDS && status == 0; i++) {
        status = add_value(p, GL_ASPECT_STRADDLES, gl_operation_name[i], (double)r->of_kind[i].n);
        if (status == 0) {
            p->entries[p->count - 1].slices = p->straddled[i];
            p->entries[p->count - 1].sliced = true;
        }
    }
    return status;
}

int gl_profile_finish(gl_profile *p, const gl_profile_sources *from)
{
    if (p->finished)
        return 0;
    p->finished = true;
    p->end_ns = from->summary->end_ns;
    p->length = (double)p->end_ns;
    int status = add_pauses(p, from->summary);
    if (status == 0)
        status = name_entries(p);
    if (status == 0)
        status = count_pauses(p, p->count);
    if (status == 0)
        status = count_straddles(p, from->straddling);
    /* Long and delayed waits are compared as waits; losses are the recorder's. */
    for (unsigned i = 0; from->anomalies && i < GL_ANOMALY_LONG_RUNNABLE && status == 0; i++)
        status = add_value(p, GL_ASPECT_ANOMALIES, gl_anomaly_kinds[i].name, (double)from->anomalies->kind[i].n);
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
        gl_slices_clean_up(&p->entries[i].slices);
        free(p->entries[i].key);
    }
    free(p->entries);
    gl_map_clean_up(&p->entry_of);
    free(p);
}
