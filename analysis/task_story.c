#include "golanes_analysis/task_story.h"

#include <stdlib.h>

#include "collect.h"

const char *const gl_task_event_name[GL_TASK_EVENT_KINDS] = {"task begins",   "task ends",   "child begins", "child ends",
                                                             "region begins", "region ends", "message"};

struct gl_task_story {
    gl_summary *summary;
    uint64_t task;
    gl_task_event *events;
    gl_region *regions;
    gl_task_worker *workers;
    size_t event_capacity, event_count, region_capacity, region_count, worker_capacity, worker_count;
    gl_map worker_of, children;
    gl_task_story_result result;
};

static int find_worker(gl_task_story *x, uint64_t g, uint32_t group, gl_task_worker **out)
{
    uint32_t at = gl_map_get(&x->worker_of, g);
    if (at == GL_NONE32) {
        at = (uint32_t)x->worker_count;
        if (GL_GROW(x->workers, x->worker_capacity, x->worker_count + 1) < 0 || gl_map_put(&x->worker_of, g, at) < 0)
            return GL_E_NOMEM;
        x->workers[x->worker_count++] = (gl_task_worker){.g = g, .group = group};
    }
    *out = &x->workers[at];
    return 0;
}

static int add_event(gl_task_story *x, const gl_event *ev, gl_task_event_kind kind, uint32_t name)
{
    gl_task_event e = {
        .kind = kind, .time = ev->time, .g = ev->g, .group = gl_summary_group_of(x->summary, ev->g), .name = name};
    gl_task_worker *worker;
    if (x->event_count == GL_TASK_EVENTS_MAX) {
        x->result.cut = true;
        return 0;
    }
    if (kind == GL_TASK_CHILD_BEGAN || kind == GL_TASK_CHILD_ENDED)
        e.child = ev->arg[0];
    if (kind == GL_TASK_LOGGED)
        e.text = (uint32_t)ev->arg[2];
    int status = GL_GROW(x->events, x->event_capacity, x->event_count + 1);
    if (status < 0)
        return status;
    x->events[x->event_count++] = e;
    if (!ev->g)
        return 0;
    status = find_worker(x, ev->g, e.group, &worker);
    if (status == 0)
        worker->events++;
    return status;
}

static int take_child(gl_task_story *x, const gl_event *ev)
{
    int status = gl_map_put(&x->children, ev->arg[0], 1);
    return status < 0 ? status : add_event(x, ev, GL_TASK_CHILD_BEGAN, (uint32_t)ev->arg[2]);
}

static int take_event(void *user, const gl_event *ev)
{
    gl_task_story *x = user;
    bool mine = ev->arg[0] == x->task;
    switch (ev->type) {
    case GL_EV_TaskBegin:
        if (mine)
            return add_event(x, ev, GL_TASK_BEGAN, (uint32_t)ev->arg[2]);
        return x->task && ev->arg[1] == x->task ? take_child(x, ev) : 0;
    case GL_EV_TaskEnd:
        if (mine)
            return add_event(x, ev, GL_TASK_ENDED, 0);
        return gl_map_get(&x->children, ev->arg[0]) != GL_NONE32 ? add_event(x, ev, GL_TASK_CHILD_ENDED, 0) : 0;
    case GL_EV_RegionBegin: return mine ? add_event(x, ev, GL_TASK_REGION_BEGAN, (uint32_t)ev->arg[1]) : 0;
    case GL_EV_RegionEnd: return mine ? add_event(x, ev, GL_TASK_REGION_ENDED, (uint32_t)ev->arg[1]) : 0;
    case GL_EV_UserLog: return mine ? add_event(x, ev, GL_TASK_LOGGED, (uint32_t)ev->arg[1]) : 0;
    default: return 0;
    }
}

static int take_region(void *user, const gl_region *r)
{
    gl_task_story *x = user;
    gl_task_worker *worker;
    if (r->task != x->task)
        return 0;
    if (x->region_count == GL_TASK_EVENTS_MAX) {
        x->result.cut = true;
        return 0;
    }
    int status = GL_GROW(x->regions, x->region_capacity, x->region_count + 1);
    if (status == 0)
        status = find_worker(x, r->g, r->group, &worker);
    if (status < 0)
        return status;
    x->regions[x->region_count++] = *r;
    worker->regions++;
    return 0;
}

gl_task_story *gl_task_story_new(gl_summary *s, uint64_t task)
{
    gl_task_story *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->summary = s;
    x->task = task;
    if (gl_summary_watch(s, &(gl_watcher){.user = x, .on_event = take_event, .on_region = take_region}) == 0)
        return x;
    gl_task_story_destroy(x);
    return NULL;
}

static int by_begin(const void *a, const void *b)
{
    const gl_region *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end > y->end ? -1 : 1; /* the outer one first */
    return x->g < y->g ? -1 : x->g > y->g;
}

/* The time of each worker: of its outermost regions, so that nothing counts twice. */
static int add_times(gl_task_story *x)
{
    int64_t *until = calloc(x->worker_count + 1, sizeof *until);
    if (!until)
        return GL_E_NOMEM;
    for (size_t i = 0; i < x->region_count; i++) {
        const gl_region *r = &x->regions[i];
        uint32_t at = gl_map_get(&x->worker_of, r->g);
        if (r->begin < until[at])
            continue;
        until[at] = r->end;
        for (unsigned s = 0; s < GL_G_STATES; s++)
            x->workers[at].ns[s] += r->ns[s];
    }
    free(until);
    return 0;
}

int gl_task_story_finish(gl_task_story *x, const gl_summary_result *r, const gl_task_story_result **out)
{
    gl_task_story_result *o = &x->result;
    *out = o;
    if (x->region_count)
        qsort(x->regions, x->region_count, sizeof *x->regions, by_begin);
    int status = add_times(x);
    o->task = (gl_task_figures){.id = x->task, .parent = UINT64_MAX, .start = -1, .end = -1};
    o->found = x->event_count || x->region_count;
    for (size_t i = 0; i < r->user.task_count; i++) {
        if (r->user.tasks[i].id == x->task) {
            o->task = r->user.tasks[i];
            o->found = true;
        }
    }
    o->events = x->events;
    o->event_count = x->event_count;
    o->regions = x->regions;
    o->region_count = x->region_count;
    o->workers = x->workers;
    o->worker_count = x->worker_count;
    return status;
}

void gl_task_story_destroy(gl_task_story *x)
{
    if (!x)
        return;
    free(x->events);
    free(x->regions);
    free(x->workers);
    gl_map_clean_up(&x->worker_of);
    gl_map_clean_up(&x->children);
    free(x);
}
