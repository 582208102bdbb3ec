/* Programs with a bit of everything: selects, a pipeline, a storm, the collector. */
#include <stdio.h>
#include <string.h>

#include "demo.h"

/* Selects. */

typedef struct crossing {
    rt_chan *in, *out, *quit;
    uint64_t n;
} crossing;

static void feed(void *arg)
{
    crossing *x = arg;
    for (uint64_t i = 0; i < x->n; i++)
        rt_send(x->in, &i);
    rt_close(x->quit);
}

static void drain(void *arg)
{
    crossing *x = arg;
    while (rt_recv(x->out, NULL))
        continue;
}

/** Takes and passes on, whatever can be done now; ends when told, and all is passed on. */
static void relay(void *arg)
{
    crossing *x = arg;
    uint64_t held[4], n = 0;
    for (bool more = true; more || n;) {
        uint64_t value = 0;
        rt_case cases[] = {
            {.chan = more && n < 4 ? x->in : NULL, .value = &value},
            {.chan = n ? x->out : NULL, .send = true, .value = &held[n ? n - 1 : 0]},
            {.chan = more && n < 4 ? x->quit : NULL},
        };
        switch (rt_select(cases, 3, n == 2)) {
        case 0: held[n++] = value; break;
        case 1: n--; break;
        case 2: more = false; break;
        default: rt_yield();
        }
    }
    rt_close(x->out);
}

void demo_select(uint64_t n)
{
    uint64_t before = rt_alive();
    crossing x = {rt_chan_make(sizeof(uint64_t), 0, "uint64"), rt_chan_make(sizeof(uint64_t), 2, "uint64"),
                  rt_chan_make(0, 0, "struct{}"), n};
    for (uint64_t i = 0; i < n / 10; i++) { /* nothing is there yet */
        rt_case both[] = {{.chan = x.in, .value = &before}, {.chan = x.in, .send = true, .value = &before}};
        rt_select(both, 2, true);
    }
    rt_go(feed, &x);
    rt_go(relay, &x);
    rt_go(drain, &x);
    demo_wait_for(before);
}

/* A pipeline: each job is an object with a list of parts. */

typedef struct part {
    struct part *next; /* pointers come first */
    uint64_t value;
} part;

typedef struct job {
    part *parts;
    uint64_t number, task, sum;
} job;

typedef struct pipeline {
    rt_chan *made, *worked;
    uint64_t n, workers;
    rt_mutex lock;
    uint64_t sum;
} pipeline;

#define PARTS 24

static void make_jobs(void *arg)
{
    pipeline *p = arg;
    for (uint64_t i = 0; i < p->n; i++) {
        job *j = rt_alloc(sizeof *j, 1);
        j->number = i;
        j->task = rt_task_begin(0, "job");
        rt_region_begin(j->task, "make");
        for (uint64_t k = 0; k < PARTS; k++) {
            part *q = rt_alloc(sizeof *q, 1);
            q->value = i * k;
            rt_store((void **)&q->next, rt_load((void *const *)&j->parts));
            rt_store((void **)&j->parts, q);
        }
        rt_region_end(j->task, "make");
        rt_send(p->made, &j);
    }
    rt_close(p->made);
}

static void work_on_jobs(void *arg)
{
    pipeline *p = arg;
    job *j;
    while (rt_recv(p->made, &j)) {
        rt_region_begin(j->task, "work");
        for (const part *q = rt_load((void *const *)&j->parts); q; q = rt_load((void *const *)&q->next))
            j->sum += q->value;
        (void)rt_alloc(j->number % 64 == 0 ? 40000 : 200, 0); /* garbage */
        rt_region_end(j->task, "work");
        rt_send(p->worked, &j);
    }
    rt_mutex_lock(&p->lock);
    bool last = --p->workers == 0;
    rt_mutex_unlock(&p->lock);
    if (last)
        rt_close(p->worked);
}

static void collect_jobs(void *arg)
{
    pipeline *p = arg;
    job *j;
    while (rt_recv(p->worked, &j)) {
        if (j->number % 100 == 0) {
            char text[64];
            snprintf(text, sizeof text, "job %llu: %llu", (unsigned long long)j->number, (unsigned long long)j->sum);
            rt_log(j->task, "progress", text);
        }
        p->sum += j->sum;
        rt_task_end(j->task);
    }
}

void demo_pipeline(uint64_t n)
{
    uint64_t before = rt_alive(), want = 0;
    pipeline p = {.n = n, .workers = 3};
    p.made = rt_chan_make(sizeof(job *), 4, "*job");
    p.worked = rt_chan_make(sizeof(job *), 0, "*job");
    rt_go(make_jobs, &p);
    for (uint64_t i = 0; i < p.workers; i++)
        rt_go(work_on_jobs, &p);
    rt_go(collect_jobs, &p);
    demo_wait_for(before);
    for (uint64_t i = 0; i < n; i++)
        want += i * (PARTS * (PARTS - 1) / 2);
    if (p.sum != want)
        rt_panic("the collector has freed what was in use");
}

/* A storm: a shared list under a mutex, whose pieces come and go. */

typedef struct storm {
    rt_chan *c;
    rt_mutex lock;
    part *list;
    uint64_t listed;
} storm;

static void be_busy(void *arg)
{
    storm *s = arg;
    uint64_t id = rt_id();
    for (unsigned i = 0; i < 4; i++) {
        part *q = rt_alloc(sizeof *q, 1);
        q->value = id;
        rt_mutex_lock(&s->lock);
        if (s->listed >= 100) {
            rt_store((void **)&s->list, NULL);
            s->listed = 0;
        }
        rt_store((void **)&q->next, rt_load((void *const *)&s->list));
        rt_store((void **)&s->list, q);
        s->listed++;
        rt_mutex_unlock(&s->lock);
        if (id % 64 == 0)
            rt_sleep(100000);
        if (id % 2)
            rt_send(s->c, &q);
        else
            rt_recv(s->c, &q);
        if (id % 16 == 0)
            rt_yield();
    }
}

void demo_storm(uint64_t n)
{
    static storm s; /* static: a root must stay where it is */
    static bool rooted;
    uint64_t before = rt_alive();
    memset(&s, 0, sizeof s);
    if (!rooted)
        rt_root((void **)&s.list);
    rooted = true;
    s.c = rt_chan_make(sizeof(part *), 16, "*part");
    for (uint64_t i = 0; i < n + n % 2; i++) /* ids alternate: as many receive as send */
        rt_go(be_busy, &s);
    demo_wait_for(before);
}

/* The rest. */

void demo_gc(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        for (unsigned k = 0; k < 1000; k++)
            (void)rt_alloc(16 + k, 2);
        rt_gc();
    }
}

void demo_stop(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        rt_stop_briefly("GOMAXPROCS");
}

void demo_system(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        rt_system_sleep(20000);
}
