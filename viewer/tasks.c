#include "tasks.h"

#include <stdlib.h>
#include <string.h>

#define NO_REGION (GL_NONE - 2) /* what gl_ids can hold and no index is */

void gl_tasks_clean_up(gl_tasks *ts)
{
    free(ts->list);
    free(ts->kinds);
    free(ts->outer);
    gl_ids_clean_up(&ts->by_id);
    gl_ids_clean_up(&ts->kind_by_name);
    gl_ids_clean_up(&ts->open_region);
    memset(ts, 0, sizeof *ts);
}

static int kind_of(gl_tasks *ts, uint32_t name, bool regions, uint32_t *out)
{
    uint64_t key = (uint64_t)name * 2 + regions;
    *out = gl_ids_get(&ts->kind_by_name, key);
    if (*out != GL_NONE)
        return 0;
    if (GL_ROOM(ts->kinds, ts->kind_capacity, ts->kind_count) < 0 ||
        gl_ids_put(&ts->kind_by_name, key, (uint32_t)ts->kind_count) < 0)
        return GL_E_NOMEM;
    ts->kinds[ts->kind_count] = (gl_task_kind){.name = name, .regions = regions, .first = GL_NONE, .last = GL_NONE};
    *out = (uint32_t)ts->kind_count++;
    return 0;
}

/* GL_NONE in *out: there are more than are kept. */
static int add(gl_tasks *ts, gl_task t, uint32_t name, bool regions, uint32_t *out)
{
    *out = GL_NONE;
    if (ts->n >= GL_TASKS_MAX) {
        ts->beyond++;
        return 0;
    }
    if (kind_of(ts, name, regions, &t.kind) < 0 || GL_ROOM(ts->list, ts->capacity, ts->n) < 0 ||
        GL_ROOM(ts->outer, ts->outer_capacity, ts->n) < 0)
        return GL_E_NOMEM;
    gl_task_kind *k = &ts->kinds[t.kind];
    uint32_t at = (uint32_t)ts->n++;
    t.next_of_kind = GL_NONE;
    ts->list[at] = t;
    ts->outer[at] = GL_NONE;
    *(k->last == GL_NONE ? &k->first : &ts->list[k->last].next_of_kind) = at;
    k->last = at;
    k->n++;
    k->open++;
    k->most = k->open > k->most ? k->open : k->most;
    *out = at;
    return 0;
}

static void end(gl_tasks *ts, uint32_t at, int64_t time)
{
    gl_task *t = &ts->list[at];
    gl_task_kind *k = &ts->kinds[t->kind];
    if (t->end != GL_TIME_NONE)
        return;
    t->end = time > t->begin ? time : t->begin;
    k->open--;
    k->ns += t->end - t->begin;
    k->longest = t->end - t->begin > k->longest ? t->end - t->begin : k->longest;
}

static int begin_task(gl_tasks *ts, const gl_event *ev)
{
    uint32_t at;
    gl_task t = {.begin = ev->time, .end = GL_TIME_NONE, .id = ev->arg[0], .parent = ev->arg[1], .g = ev->g,
                 .stack = ev->stack};
    int status = add(ts, t, (uint32_t)ev->arg[2], false, &at);
    return status < 0 || at == GL_NONE ? status : gl_ids_put(&ts->by_id, t.id, at);
}

static void end_task(gl_tasks *ts, const gl_event *ev)
{
    uint32_t at = gl_ids_get(&ts->by_id, ev->arg[0]);
    if (at != GL_NONE)
        end(ts, at, ev->time);
}

static int begin_region(gl_tasks *ts, const gl_event *ev)
{
    uint32_t at, around = gl_ids_get(&ts->open_region, ev->g);
    gl_task t = {.begin = ev->time, .end = GL_TIME_NONE, .id = ev->arg[0], .g = ev->g, .stack = ev->stack};
    int status = add(ts, t, (uint32_t)ev->arg[1], true, &at);
    if (status < 0 || at == GL_NONE)
        return status;
    ts->outer[at] = around < ts->n ? around : GL_NONE;
    return gl_ids_put(&ts->open_region, ev->g, at);
}

/* Regions end innermost first; one whose begin lies before the trace ends with a name of its own. */
static int end_region(gl_tasks *ts, const gl_event *ev, int64_t begin)
{
    uint32_t at = gl_ids_get(&ts->open_region, ev->g);
    while (at < ts->n && ts->kinds[ts->list[at].kind].name != (uint32_t)ev->arg[1])
        at = ts->outer[at];
    if (at < ts->n) {
        uint32_t around = ts->outer[at];
        end(ts, at, ev->time);
        return gl_ids_put(&ts->open_region, ev->g, around < ts->n ? around : NO_REGION);
    }
    gl_task t = {.begin = begin, .end = GL_TIME_NONE, .id = ev->arg[0], .g = ev->g, .since_before = true};
    int status = add(ts, t, (uint32_t)ev->arg[1], true, &at);
    if (status == 0 && at != GL_NONE)
        end(ts, at, ev->time);
    return status;
}

int gl_tasks_take(gl_tasks *ts, const gl_event *ev, int64_t begin)
{
    switch (ev->type) {
    case GL_EV_TaskBegin: return begin_task(ts, ev);
    case GL_EV_TaskEnd: end_task(ts, ev); return 0;
    case GL_EV_RegionBegin: return begin_region(ts, ev);
    case GL_EV_RegionEnd: return end_region(ts, ev, begin);
    default: return 0;
    }
}
