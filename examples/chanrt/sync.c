/* A mutex that parks, and what a program says of itself. */
#include "rt.h"

__attribute__((noinline)) void rt_mutex_lock(rt_mutex *m)
{
    CALLER(at);
    rt_safepoint(at);
    rt_lock(&m->lock);
    if (!m->locked) {
        m->locked = 1;
        rt_unlock(&m->lock);
        return;
    }
    goroutine *g = rt_current(), *last = m->last;
    g->next = NULL;
    if (last)
        last->next = g;
    else
        m->first = g;
    m->last = g;
    rt_park("sync", &m->lock, at); /* whoever wakes us has left the mutex locked, for us */
}

__attribute__((noinline)) void rt_mutex_unlock(rt_mutex *m)
{
    CALLER(at);
    rt_lock(&m->lock);
    goroutine *g = m->first;
    if (g) {
        m->first = g->next;
        if (!m->first)
            m->last = NULL;
    } else {
        m->locked = 0;
    }
    rt_unlock(&m->lock);
    if (g)
        rt_ready(g, at);
}

uint64_t rt_task_begin(uint64_t parent, const char *name)
{
    uint64_t task = gl_emit_new_task();
    COUNT(tasks);
    gl_emit_TaskBegin(task, parent, name);
    return task;
}

void rt_task_end(uint64_t task)
{
    gl_emit_TaskEnd(task);
}

void rt_region_begin(uint64_t task, const char *name)
{
    COUNT(regions);
    gl_emit_RegionBegin(task, name);
}

void rt_region_end(uint64_t task, const char *name)
{
    gl_emit_RegionEnd(task, name);
}

void rt_log(uint64_t task, const char *category, const char *message)
{
    COUNT(logs);
    gl_emit_UserLog(task, category, message);
}
