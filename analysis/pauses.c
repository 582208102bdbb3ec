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
    uint32_t process;
    bool running, asked; /* asked: it has yet to stop */
    bool inferred;       /* nobody tells when it stops: it has when its goroutine has */
    bool in_syscall;     /* which is no hindrance then: the P is taken from it at once */
} proc;

/* Of a merged trace each process stops for itself. */
typedef struct process {
    size_t newest;  /* its last pause, plus one; 0: none yet */
    bool open;      /* that one goes on */
    uint32_t asked; /* processors that have yet to stop */
    bool stopped, restarted;
    int64_t stopped_at;
    uint32_t last_p, last_stack;
    uint64_t last_g;
} process;

struct gl_pauses {
    gl_summary *summary;
    const gl_dict *dict;
    gl_map proc_of;
    proc *procs;
    size_t proc_capacity, proc_count;
    gl_pause *list;
    size_t *before; /* for each: the one before it of the same process, plus one; 0: none */
    size_t capacity, before_capacity, count;
    process *processes;
    size_t process_capacity, process_count;
    gl_sample stopping;
    gl_pauses_result result;
};

static int find_process(gl_pauses *x, uint32_t index, process **out)
{
    int grown = GL_GROW(x->processes, x->process_capacity, (size_t)index + 1);
    if (grown < 0)
        return grown;
    x->process_count = x->process_count > index ? x->process_count : (size_t)index + 1;
    *out = &x->processes[index];
    return 0;
}

static int find_proc(gl_pauses *x, uint64_t id, uint32_t index, proc **out)
{
    uint32_t at = gl_map_get(&x->proc_of, id);
    if (at == GL_NONE32) {
        at = (uint32_t)x->proc_count;
        if (GL_GROW(x->procs, x->proc_capacity, x->proc_count + 1) < 0 || gl_map_put(&x->proc_of, id, at) < 0)
            return GL_E_NOMEM;
        x->procs[x->proc_count++] = (proc){.process = index};
    }
    *out = &x->procs[at];
    return 0;
}

static int begin_pause(gl_pauses *x, const gl_event *ev)
{
    process *s = NULL;
    uint32_t index = gl_summary_process_of(x->summary, ev);
    int status = find_process(x, index, &s);
    if (status < 0)
        return status;
    x->result.in_all++;
    s->open = false;
    if (x->count == GL_PAUSES_MAX)
        return 0;
    if (GL_GROW(x->list, x->capacity, x->count + 1) < 0 || GL_GROW(x->before, x->before_capacity, x->count + 1) < 0)
        return GL_E_NOMEM;
    x->before[x->count] = s->newest;
    gl_pause *p = &x->list[x->count++];
    *s = (process){.newest = x->count, .open = true, .last_p = GL_NO_PROC, .stopped_at = ev->time};
    *p = (gl_pause){.begin = ev->time,
                    .end = INT64_MAX,
                    .reason = (uint32_t)ev->arg[0],
                    .g = ev->g,
                    .group = gl_summary_group_of(x->summary, ev->g),
                    .site = gl_summary_site_of(x->summary, ev->stack),
                    .stopping_ns = -1,
                    .last_p = GL_NO_PROC};
    p->gc = strstr(gl_dict_text(x->dict, p->reason, NULL), "GC") != NULL;
    for (size_t i = 0; i < x->proc_count; i++) {
        proc *q = &x->procs[i];
        if (q->process != index)
            continue;
        q->asked = q->running && gl_map_get(&x->proc_of, ev->p) != i && (!q->inferred || (q->g && !q->in_syscall));
        q->last_g = q->g;
        q->last_stack = 0;
        s->asked += q->asked;
    }
    p->running = s->asked;
    s->stopped = s->asked == 0;
    return 0;
}

static void stop_proc(process *s, proc *q, uint32_t id, int64_t time)
{
    q->asked = false;
    s->last_p = id;
    s->last_g = q->last_g;
    s->last_stack = q->last_stack;
    if (time > s->stopped_at)
        s->stopped_at = time;
    s->stopped = --s->asked == 0;
}

static int end_pause(gl_pauses *x, const gl_event *ev)
{
    process *s = NULL;
    int status = find_process(x, gl_summary_process_of(x->summary, ev), &s);
    if (status < 0 || !s->open)
        return status;
    gl_pause *p = &x->list[s->newest - 1];
    s->open = false;
    p->end = ev->time;
    if (!s->stopped || (s->stopped_at > p->end && p->running))
        return 0;
    p->stopping_ns = s->stopped_at > p->begin ? s->stopped_at - p->begin : 0;
    p->last_p = s->last_p;
    p->last_g = s->last_g;
    p->last_group = gl_summary_group_of(x->summary, s->last_g);
    p->last_site = gl_summary_site_of(x->summary, s->last_stack);
    x->result.stopping_known++;
    x->result.stopping_ns += (uint64_t)p->stopping_ns;
    return gl_sample_add(&x->stopping, (uint64_t)p->stopping_ns);
}

/* A processor that starts while the world is being stopped has to be stopped too; after that it is the restart. */
static int take_proc(gl_pauses *x, const gl_event *ev, const gl_transition *t)
{
    proc *q;
    process *s = NULL;
    uint32_t index = gl_summary_process_of(x->summary, ev);
    int status = find_proc(x, t->id, index, &q);
    if (status == 0)
        status = find_process(x, index, &s);
    if (status < 0)
        return status;
    bool runs = t->to == GL_P_RUNNING;
    if (s->open && runs && !q->running && t->from != t->to) {
        s->restarted |= s->stopped;
        if (!s->restarted) {
            q->asked = true;
            s->asked++;
            x->list[s->newest - 1].running++;
        }
    }
    if (s->open && !runs && q->asked)
        stop_proc(s, q, (uint32_t)t->id, ev->time);
    q->running = runs;
    q->inferred = (ev->flags & GL_FLAG_INFERRED) != 0;
    if (!runs)
        q->g = 0;
    return 0;
}

/* On a P of which nobody tells: one that is preempted, waits or ends has stopped it. */
static void take_stop_of(gl_pauses *x, const gl_event *ev, proc *q)
{
    process *s = &x->processes[q->process];
    if (q->inferred && q->asked && q->process < x->process_count && s->open)
        stop_proc(s, q, ev->p, ev->time);
}

/* Who runs where. */
static int take_goroutine(gl_pauses *x, const gl_event *ev, const gl_transition *t)
{
    proc *q;
    if (ev->p == GL_NO_PROC || (t->from != GL_G_RUNNING && t->to != GL_G_RUNNING))
        return 0;
    int status = find_proc(x, ev->p, GL_PROCESS_OF(t->id), &q);
    if (status < 0)
        return status;
    q->in_syscall = t->to == GL_G_SYSCALL;
    if (t->to == GL_G_RUNNING) {
        q->g = q->last_g = t->id;
        q->last_stack = 0;
    } else if (q->g == t->id || !q->g) {
        q->last_g = t->id;
        q->last_stack = ev->stack;
        q->g = t->to == GL_G_SYSCALL ? t->id : 0;
        take_stop_of(x, ev, q);
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
        return end_pause(x, ev);
    if (gl_event_proc_transition(ev, &t))
        return take_proc(x, ev, &t);
    return gl_event_transition(ev, &t) ? take_goroutine(x, ev, &t) : 0;
}

/* Adds what [begin, end) has in common with the pauses of its process; a world is never stopped twice at a time. */
static void add_overlaps(gl_pauses *x, uint64_t g, int64_t begin, int64_t end, bool gc_only, size_t count_at, size_t ns_at)
{
    size_t newest = GL_PROCESS_OF(g) < x->process_count ? x->processes[GL_PROCESS_OF(g)].newest : 0;
    for (size_t i = newest; i && x->list[i - 1].end > begin; i = x->before[i - 1]) {
        gl_pause *p = &x->list[i - 1];
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
        add_overlaps(user, s->g, s->begin, s->end, false, offsetof(gl_pause, delayed), offsetof(gl_pause, delayed_ns));
    return 0;
}

static int take_send(void *user, const gl_send *s)
{
    if (s->pauses)
        add_overlaps(user, s->g, s->begin, s->end, true, offsetof(gl_pause, sends), offsetof(gl_pause, sends_ns));
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
    free(x->before);
    free(x->processes);
    gl_sample_clean_up(&x->stopping);
    free(x);
}
