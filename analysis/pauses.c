#include "golanes_analysis/pauses.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "golanes/state.h"
#include "reasons.h"
#include "sample.h"

typedef struct proc {
    uint64_t g, last_g; /* who runs on it; who did so last while the world was being stopped */
    uint32_t last_stack;
    bool running, asked; /* asked: it has yet to stop */
} proc;

struct gl_pauses {
    gl_summary *summary;
    const gl_dict *dict;
    gl_map proc_of;
    proc *procs;
    size_t proc_capacity, proc_count;
    gl_pause *list;
    size_t capacity, count;
    bool open;      /* the newest pause goes on */
    uint32_t asked; /* processors that have yet to stop */
    bool stopped, restarted;
    int64_t stopped_at;
    uint32_t last_p, last_stack;
    uint64_t last_g;
    gl_sample stopping;
    gl_pauses_result result;
};

static int find_proc(gl_pauses *x, uint64_t id, proc **out)
{
    uint32_t at = gl_map_get(&x->proc_of, id);
    if (at == GL_NONE32) {
        at = (uint32_t)x->proc_count;
        if (GL_GROW(x->procs, x->proc_capacity, x->proc_count + 1) < 0 || gl_map_put(&x->proc_of, id, at) < 0)
            return GL_E_NOMEM;
        x->procs[x->proc_count++] = (proc){0};
    }
    *out = &x->procs[at];
    return 0;
}

static int begin_pause(gl_pauses *x, const gl_event *ev)
{
    x->result.in_all++;
    x->open = false;
    if (x->count == GL_PAUSES_MAX)
        return 0;
    int grown = GL_GROW(x->list, x->capacity, x->count + 1);
    if (grown < 0)
        return grown;
    gl_pause *p = &x->list[x->count++];
    *p = (gl_pause){.begin = ev->time,
                    .end = INT64_MAX,
                    .reason = (uint32_t)ev->arg[0],
                    .g = ev->g,
                    .group = gl_summary_group_of(x->summary, ev->g),
                    .site = gl_summary_site_of(x->summary, ev->stack),
                    .stopping_ns = -1,
                    .last_p = GL_NO_PROC};
    p->gc = strstr(gl_dict_text(x->dict, p->reason, NULL), "GC") != NULL;
    x->open = true;
    x->asked = 0;
    x->restarted = x->stopped = false;
    x->last_g = 0;
    x->last_p = GL_NO_PROC;
    x->last_stack = 0;
    x->stopped_at = ev->time;
    for (size_t i = 0; i < x->proc_count; i++) {
        proc *q = &x->procs[i];
        q->asked = q->running && gl_map_get(&x->proc_of, ev->p) != i;
        q->last_g = q->g;
        q->last_stack = 0;
        x->asked += q->asked;
    }
    p->running = x->asked;
    x->stopped = x->asked == 0;
    return 0;
}

static void stop_proc(gl_pauses *x, proc *q, uint32_t id, int64_t time)
{
    q->asked = false;
    x->last_p = id;
    x->last_g = q->last_g;
    x->last_stack = q->last_stack;
    if (time > x->stopped_at)
        x->stopped_at = time;
    x->stopped = --x->asked == 0;
}

static int end_pause(gl_pauses *x, int64_t time)
{
    gl_pause *p = &x->list[x->count - 1];
    x->open = false;
    p->end = time;
    if (!x->stopped || (x->stopped_at > time && p->running))
        return 0;
    p->stopping_ns = x->stopped_at > p->begin ? x->stopped_at - p->begin : 0;
    p->last_p = x->last_p;
    p->last_g = x->last_g;
    p->last_group = gl_summary_group_of(x->summary, x->last_g);
    p->last_site = gl_summary_site_of(x->summary, x->last_stack);
    x->result.stopping_known++;
    x->result.stopping_ns += (uint64_t)p->stopping_ns;
    return gl_sample_add(&x->stopping, (uint64_t)p->stopping_ns);
}

/* A processor that starts while the world is being stopped has to be stopped too; after that it is the restart. */
static int take_proc(gl_pauses *x, const gl_event *ev, const gl_transition *t)
{
    proc *q;
    int status = find_proc(x, t->id, &q);
    if (status < 0)
        return status;
    bool runs = t->to == GL_P_RUNNING;
    if (x->open && runs && !q->running && t->from != t->to) {
        x->restarted |= x->stopped;
        if (!x->restarted) {
            q->asked = true;
            x->asked++;
            x->list[x->count - 1].running++;
        }
    }
    if (x->open && !runs && q->asked)
        stop_proc(x, q, (uint32_t)t->id, ev->time);
    q->running = runs;
    if (!runs)
        q->g = 0;
    return 0;
}

/* Who runs where. */
static int take_goroutine(gl_pauses *x, const gl_event *ev, const gl_transition *t)
{
    proc *q;
    if (ev->p == GL_NO_PROC || (t->from != GL_G_RUNNING && t->to != GL_G_RUNNING))
        return 0;
    int status = find_proc(x, ev->p, &q);
    if (status < 0)
        return status;
    if (t->to == GL_G_RUNNING) {
        q->g = q->last_g = t->id;
        q->last_stack = 0;
    } else if (q->g == t->id || !q->g) {
        q->last_g = t->id;
        q->last_stack = ev->stack;
        q->g = t->to == GL_G_SYSCALL ? t->id : 0;
    }
    return 0;
}

static int take_event(void *user, const gl_event *ev)
{
    gl_pauses *x = user;
    gl_transition t;
    if (ev->type == GL_EV_GCSTWBegin)
        return begin_pause(x, ev);
    if (ev->type == GL_EV_GCSTWEnd)
        return x->open ? end_pause(x, ev->time) : 0;
    if (gl_event_proc_transition(ev, &t))
        return take_proc(x, ev, &t);
    return gl_event_transition(ev, &t) ? take_goroutine(x, ev, &t) : 0;
}

/* Adds what [begin, end) has in common with the pauses; the world is never stopped twice at a time. */
static void add_overlaps(gl_pauses *x, int64_t begin, int64_t end, bool gc_only, size_t count_at, size_t ns_at)
{
    for (size_t i = x->count; i-- > 0 && x->list[i].end > begin;) {
        gl_pause *p = &x->list[i];
        int64_t from = p->begin > begin ? p->begin : begin, to = p->end < end ? p->end : end;
        if (from >= to || (gc_only && !p->gc))
            continue;
        uint64_t *n = (uint64_t *)(void *)((char *)p + count_at), *ns = (uint64_t *)(void *)((char *)p + ns_at);
        *n += 1;
        *ns += (uint64_t)(to - from);
    }
}

static int take_span(void *user, const gl_span *s)
{
    if (s->state == GL_G_RUNNABLE)
        add_overlaps(user, s->begin, s->end, false, offsetof(gl_pause, delayed), offsetof(gl_pause, delayed_ns));
    return 0;
}

static int take_send(void *user, const gl_send *s)
{
    if (s->pauses)
        add_overlaps(user, s->begin, s->end, true, offsetof(gl_pause, sends), offsetof(gl_pause, sends_ns));
    return 0;
}

gl_pauses *gl_pauses_new(gl_summary *s, const gl_dict *dict, unsigned kinds)
{
    gl_pauses *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->summary = s;
    x->dict = dict;
    gl_watcher w = {.user = x, .on_event = take_event, .on_span = take_span, .on_operation = take_send, .kinds = kinds};
    if (gl_summary_watch(s, &w) == 0)
        return x;
    gl_pauses_destroy(x);
    return NULL;
}

int gl_pauses_finish(gl_pauses *x, int64_t end_ns, const gl_pauses_result **out)
{
    for (size_t i = 0; i < x->count; i++) {
        if (x->list[i].end == INT64_MAX) {
            x->list[i].end = end_ns;
            x->list[i].open_end = true;
        }
    }
    x->open = false;
    x->result.list = x->list;
    x->result.count = x->count;
    x->result.stopping = gl_sample_spread(&x->stopping);
    *out = &x->result;
    return 0;
}

int gl_pauses_lengths(const gl_pauses_result *r, bool gc_only, gl_spread *out)
{
    gl_dist d = {0};
    int status = 0;
    for (size_t i = 0; i < r->count && status == 0; i++) {
        const gl_pause *p = &r->list[i];
        if (!p->open_end && (p->gc || !gc_only))
            status = gl_dist_add(&d, p->end > p->begin ? (uint64_t)(p->end - p->begin) : 0);
    }
    if (status == 0)
        status = gl_spread_of(&d, out);
    gl_dist_clean_up(&d);
    return status;
}

void gl_pauses_destroy(gl_pauses *x)
{
    if (!x)
        return;
    free(x->procs);
    gl_map_clean_up(&x->proc_of);
    free(x->list);
    gl_sample_clean_up(&x->stopping);
    free(x);
}
