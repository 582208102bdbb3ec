/* The rows of the other timelines: processors, threads, channels, tasks. Their order too holds still. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "sort.h"

static int list_units(gl_lanes *l, const gl_units *us, uint32_t least, gl_row_type type)
{
    int status = 0;
    for (uint32_t i = 0; i < GL_UNITS_MAX && (i < us->n || i < least) && status == 0; i++)
        if (i < least || us->list[i].first != GL_TIME_NONE)
            status = gl_lanes_push(l, type, i);
    return status;
}

static const char *const chan_orders[GL_CHAN_ORDERS] = {"time waited", "first seen", "operations", "most waiting"};

const char *gl_app_chan_order_name(const gl_app *a) { return chan_orders[a->chan_order]; }

static int64_t chan_key(const gl_app *a, uint32_t i)
{
    const gl_chan *c = &a->m->chans.list[i];
    switch (a->chan_order) {
    case GL_CHAN_BY_WAIT: return -(c->send_wait + c->recv_wait);
    case GL_CHAN_BY_OPERATIONS: return -(int64_t)(c->sends + c->recvs);
    case GL_CHAN_BY_WAITING: return -(int64_t)(c->senders_most + c->receivers_most);
    default: return c->first;
    }
}

static int list_chans(gl_app *a)
{
    gl_lanes *l = &a->other;
    size_t n = a->m->chans.n;
    if (n > a->chan_open_capacity) {
        uint8_t *open = realloc(a->chan_open, n * 2);
        if (!open)
            return GL_E_NOMEM;
        memset(open + a->chan_open_capacity, 0, n * 2 - a->chan_open_capacity);
        a->chan_open = open;
        a->chan_open_capacity = n * 2;
    }
    gl_item *items = malloc((n ? n : 1) * sizeof *items);
    int status = items ? 0 : GL_E_NOMEM;
    for (uint32_t i = 0; status == 0 && i < n; i++)
        items[i] = (gl_item){.key = chan_key(a, i), .tie = i, .index = i};
    if (status == 0)
        status = gl_items_sort(items, n);
    for (size_t i = 0; status == 0 && i < n; i++) {
        status = gl_lanes_push(l, GL_ROW_CHAN, items[i].index);
        if (status == 0 && a->chan_open[items[i].index]) {
            status = gl_lanes_push(l, GL_ROW_CHAN_SENDERS, items[i].index);
            if (status == 0)
                status = gl_lanes_push(l, GL_ROW_CHAN_RECEIVERS, items[i].index);
        }
    }
    free(items);
    return status;
}

/* Tasks before regions, each by the time that they took. */
static int list_tasks(gl_app *a)
{
    gl_lanes *l = &a->other;
    const gl_tasks *ts = &a->m->tasks;
    size_t n = ts->kind_count;
    if (n > a->kind_open_capacity) {
        uint8_t *open = realloc(a->kind_open, n * 2);
        if (!open)
            return GL_E_NOMEM;
        memset(open + a->kind_open_capacity, 0, n * 2 - a->kind_open_capacity);
        a->kind_open = open;
        a->kind_open_capacity = n * 2;
    }
    gl_item *items = malloc((n ? n : 1) * sizeof *items);
    int status = items ? 0 : GL_E_NOMEM;
    for (uint32_t i = 0; status == 0 && i < n; i++)
        items[i] = (gl_item){.group = ts->kinds[i].regions, .key = -ts->kinds[i].ns, .tie = i, .index = i};
    if (status == 0)
        status = gl_items_sort(items, n);
    for (size_t i = 0; status == 0 && i < n; i++) {
        uint32_t kind = items[i].index;
        status = gl_lanes_push(l, GL_ROW_TASK_KIND, kind);
        for (uint32_t t = a->kind_open[kind] ? ts->kinds[kind].first : GL_NONE; t != GL_NONE && status == 0;
             t = ts->list[t].next_of_kind)
            status = gl_lanes_push(l, GL_ROW_TASK, t);
    }
    free(items);
    return status;
}

int gl_app_list_other(gl_app *a)
{
    gl_lanes *l = &a->other;
    l->n = l->gor_count = 0;
    switch (a->view) {
    case GL_VIEW_PROCS:
        return list_units(l, &a->m->use.procs, a->m->procs < 4096 ? (uint32_t)a->m->procs : 4096, GL_ROW_PROC);
    case GL_VIEW_THREADS: return list_units(l, &a->m->use.threads, 0, GL_ROW_THREAD);
    case GL_VIEW_CHANNELS: return list_chans(a);
    case GL_VIEW_TASKS: return list_tasks(a);
    default: return 0;
    }
}

bool gl_app_fold(gl_app *a)
{
    gl_lanes *l = gl_app_lanes(a);
    if (l->n == 0)
        return false;
    uint32_t i = a->row.index;
    switch (a->row.type) {
    case GL_ROW_GROUP:
        if (i < l->group_count)
            l->groups[i].open = !l->groups[i].open;
        break;
    case GL_ROW_CHAN:
        if (i < a->chan_open_capacity)
            a->chan_open[i] ^= 1;
        break;
    case GL_ROW_TASK_KIND:
        if (i < a->kind_open_capacity)
            a->kind_open[i] ^= 1;
        break;
    default: return false;
    }
    a->moved = true;
    gl_app_relist(a);
    return true;
}

void gl_app_fold_all(gl_app *a)
{
    uint8_t *open = a->view == GL_VIEW_CHANNELS ? a->chan_open : a->kind_open;
    size_t n = a->view == GL_VIEW_CHANNELS ? a->m->chans.n : a->view == GL_VIEW_TASKS ? a->m->tasks.kind_count : 0;
    bool any = false;
    a->moved = true;
    if (a->view == GL_VIEW_GOROUTINES) {
        for (size_t i = 0; i < a->lanes.group_count; i++)
            any = any || !a->lanes.groups[i].open;
        for (size_t i = 0; i < a->lanes.group_count; i++)
            a->lanes.groups[i].open = any;
    } else if (open) {
        any = memchr(open, 0, n) != NULL;
        memset(open, any, n);
    }
    gl_app_relist(a);
}
