#include "user.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t no_task = UINT64_MAX;

/* The task's row, made at first mention. *out is NULL where there are too many. */
static int find_task(gl_user *u, uint64_t id, gl_task_figures **out)
{
    *out = NULL;
    uint32_t at = gl_map_get(&u->task_of, id);
    if (at == GL_NONE32) {
        if (u->task_count == GL_TASKS_MAX) {
            u->figures.tasks_cut = true;
            return 0;
        }
        at = (uint32_t)u->task_count;
        if (GL_GROW(u->tasks, u->task_capacity, u->task_count + 1) < 0 || gl_map_put(&u->task_of, id, at) < 0)
            return GL_E_NOMEM;
        u->tasks[u->task_count++] = (gl_task_figures){.id = id, .parent = no_task, .start = -1, .end = -1};
    }
    *out = &u->tasks[at];
    return 0;
}

int gl_user_task_begin(gl_user *u, const gl_event *ev)
{
    uint64_t parent = ev->arg[1];
    gl_task_figures *t, *p = NULL;
    u->figures.task_begin++;
    int status = find_task(u, ev->arg[0], &t);
    if (status < 0 || !t)
        return status;
    t->name = (uint32_t)ev->arg[2];
    t->start = ev->time;
    if (!parent || parent == no_task || t->parent != no_task)
        return 0;
    t->parent = parent;
    status = find_task(u, parent, &p);
    if (p)
        p->children++;
    return status;
}

int gl_user_task_end(gl_user *u, const gl_event *ev)
{
    gl_task_figures *t;
    u->figures.task_end++;
    int status = find_task(u, ev->arg[0], &t);
    if (t)
        t->end = ev->time;
    return status;
}

static int find_region(gl_user *u, uint32_t type, gl_region_figures **out)
{
    uint32_t at = gl_map_get(&u->region_of, type);
    if (at == GL_NONE32) {
        at = (uint32_t)u->region_count;
        if (GL_GROW(u->regions, u->region_capacity, u->region_count + 1) < 0 || gl_map_put(&u->region_of, type, at) < 0)
            return GL_E_NOMEM;
        u->regions[u->region_count++].type = type;
    }
    *out = &u->regions[at];
    return 0;
}

static int count_in_task(gl_user *u, uint64_t task)
{
    gl_task_figures *t;
    int status = find_task(u, task, &t);
    if (t)
        t->regions++;
    return status;
}

static int take_open(gl_user *u, uint32_t *number)
{
    *number = 0;
    if (u->free_open) {
        *number = u->free_open;
        u->free_open = u->open[*number].below;
        return 0;
    }
    if (u->open_count >= GL_REGIONS_OPEN_MAX)
        return 0;
    size_t next = u->open_count ? u->open_count : 1;
    int grown = GL_GROW(u->open, u->open_capacity, next + 1);
    if (grown < 0)
        return grown;
    u->open_count = next + 1;
    *number = (uint32_t)next;
    return 0;
}

int gl_user_region_begin(gl_user *u, const gl_event *ev, gl_goroutine *g, gl_open_region **begun)
{
    *begun = NULL;
    uint32_t number = 0;
    u->figures.region_begin++;
    int status = count_in_task(u, ev->arg[0]);
    if (status == 0 && g)
        status = take_open(u, &number);
    if (status < 0 || !number)
        return status;
    u->open[number] = (gl_open_region){
        .task = ev->arg[0], .begin = ev->time, .type = (uint32_t)ev->arg[1], .below = g->regions};
    g->regions = number;
    *begun = &u->open[number];
    return 0;
}

/* Takes the innermost region off; its type and begin go to *out. */
static void pop_region(gl_user *u, gl_goroutine *g, gl_open_region *out)
{
    uint32_t number = g->regions;
    *out = u->open[number];
    g->regions = out->below;
    u->open[number].below = u->free_open;
    u->free_open = number;
}

int gl_user_region_end(gl_user *u, const gl_event *ev, gl_goroutine *g, gl_open_region *out, bool *had)
{
    gl_region_figures *r;
    u->figures.region_end++;
    *had = g && g->regions;
    if (*had) {
        pop_region(u, g, out);
        int status = find_region(u, out->type, &r);
        if (status < 0)
            return status;
        r->complete++;
        r->total_ns += ev->time > out->begin ? (uint64_t)(ev->time - out->begin) : 0;
        return 0;
    }
    int status = count_in_task(u, ev->arg[0]);
    if (status == 0)
        status = find_region(u, (uint32_t)ev->arg[1], &r);
    if (status == 0)
        r->open_start++;
    return status;
}

int gl_user_leave(gl_user *u, gl_goroutine *g, gl_open_region *out)
{
    gl_region_figures *r;
    pop_region(u, g, out);
    int status = find_region(u, out->type, &r);
    if (status == 0)
        r->open_end++;
    return status;
}

int gl_user_log(gl_user *u, const gl_event *ev)
{
    gl_task_figures *t;
    u->figures.logs++;
    int status = find_task(u, ev->arg[0], &t);
    if (t)
        t->logs++;
    uint32_t category = (uint32_t)ev->arg[1];
    uint32_t at = gl_map_get(&u->category_of, category);
    if (status == 0 && at == GL_NONE32) {
        at = (uint32_t)u->category_count;
        if (GL_GROW(u->categories, u->category_capacity, u->category_count + 1) < 0 ||
            gl_map_put(&u->category_of, category, at) < 0)
            return GL_E_NOMEM;
        u->categories[u->category_count++].name = category;
    }
    if (status == 0)
        u->categories[at].n++;
    return status;
}

static int by_id(const void *a, const void *b)
{
    const gl_task_figures *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

void gl_user_finish(gl_user *u)
{
    if (u->task_count)
        qsort(u->tasks, u->task_count, sizeof *u->tasks, by_id);
    u->figures.tasks = u->tasks;
    u->figures.task_count = u->task_count;
    u->figures.regions = u->regions;
    u->figures.region_count = u->region_count;
    u->figures.logs_by_category = u->categories;
    u->figures.category_count = u->category_count;
}

void gl_user_clean_up(gl_user *u)
{
    free(u->tasks);
    free(u->regions);
    free(u->categories);
    free(u->open);
    gl_map_clean_up(&u->task_of);
    gl_map_clean_up(&u->region_of);
    gl_map_clean_up(&u->category_of);
}
