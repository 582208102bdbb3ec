/*
 * Returns from blocking system calls. The runtime can write such an event only when the thread has a P again, so it
 * stands later in the file than it happened, with its true time inside. To deliver it where it belongs, one has to know
 * it before its place comes: the first pass noted for each stretch of a P what the earliest true time in it, or behind
 * it, is; when the merge comes near that time, the stretch is looked through and its returns are put into a heap.
 */
#include "v1.h"

#include <stdlib.h>

bool gl_v1_exit_of(const gl_v1_trace *t, const gl_v1_event *ev, uint64_t *key, int64_t *ticks)
{
    if (ev->type != V1_EV_GoSysExit)
        return false;
    *ticks = ev->arg[2] != 0 ? (int64_t)ev->arg[2] : ev->ticks;
    *key = t->wire.version < 7 ? ev->arg[1] : ev->arg[2];
    return *key != 0;
}

static bool sooner(const gl_v1_exit *a, const gl_v1_exit *b)
{
    return a->key != b->key ? a->key < b->key : a->own < b->own;
}

static int push(gl_v1_exits *x, gl_v1_exit e)
{
    int rc = gl_v1_room(&x->heap, x->n, &x->room, sizeof *x->heap);
    if (rc < 0)
        return rc;
    uint32_t i = x->n++;
    for (; i > 0 && sooner(&e, &x->heap[(i - 1) / 2]); i = (i - 1) / 2)
        x->heap[i] = x->heap[(i - 1) / 2];
    x->heap[i] = e;
    return 0;
}

static gl_v1_exit pop(gl_v1_exits *x)
{
    gl_v1_exit first = x->heap[0], last = x->heap[--x->n];
    uint32_t i = 0;
    for (uint32_t child; (child = 2 * i + 1) < x->n; i = child) {
        if (child + 1 < x->n && sooner(&x->heap[child + 1], &x->heap[child]))
            child++;
        if (!sooner(&x->heap[child], &last))
            break;
        x->heap[i] = x->heap[child];
    }
    x->heap[i] = last;
    return first;
}

/* Puts the returns of the P's next stretch into the heap. */
static int look_through(gl_v1_exits *x, uint32_t proc)
{
    uint32_t extent = x->next[proc];
    x->next[proc] = x->t->extents[extent].next;
    int rc = gl_v1_cursor_open(&x->scout, x->t, proc, extent, x->window);
    while (rc == 0 && (rc = gl_v1_cursor_next_exit(&x->scout, x->t, x->window)) > 0) {
        gl_v1_exit e = {.own = x->scout.ev.key, .g = x->scout.ev.g};
        rc = gl_v1_exit_of(x->t, &x->scout.ev, &e.key, &e.ticks) ? push(x, e) : 0;
        if (rc < 0)
            return rc;
    }
    return rc;
}

static void find_soonest(gl_v1_exits *x)
{
    x->soonest = UINT64_MAX;
    for (uint32_t i = 0; i < x->t->proc_count; i++) {
        uint32_t extent = x->next[i];
        if (extent != V1_NONE && x->t->extents[extent].exit_min < x->soonest)
            x->soonest = x->t->extents[extent].exit_min;
    }
}

static bool wants_look(const gl_v1_exits *x, uint32_t proc, uint64_t key)
{
    if (x->next[proc] == V1_NONE)
        return false;
    uint64_t min = x->t->extents[x->next[proc]].exit_min;
    return min <= key && min != UINT64_MAX;
}

static int look_ahead(gl_v1_exits *x, uint64_t key)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < x->t->proc_count; i++)
        while (rc == 0 && wants_look(x, i, key))
            rc = look_through(x, i);
    find_soonest(x);
    return rc;
}

int gl_v1_exits_init(gl_v1_exits *x, gl_v1_trace *t)
{
    *x = (gl_v1_exits){.t = t, .window = 64 * 1024};
    x->next = calloc(t->proc_count + 1, sizeof *x->next);
    if (!x->next)
        return GL_E_NOMEM;
    for (uint32_t i = 0; i < t->proc_count; i++)
        x->next[i] = t->procs[i].first;
    find_soonest(x);
    return 0;
}

void gl_v1_exits_free(gl_v1_exits *x)
{
    free(x->next);
    free(x->heap);
    free(x->scout.window);
}

/* Of equal places, the event comes first, unless the return stands before it in the file's order. */
int gl_v1_exits_before(gl_v1_exits *x, uint64_t key, gl_v1_exit *out)
{
    if (x->soonest <= key) {
        int rc = look_ahead(x, key);
        if (rc < 0)
            return rc;
    }
    if (x->n == 0 || x->heap[0].key > key || (x->heap[0].key == key && x->heap[0].own >= key))
        return 0;
    *out = pop(x);
    return 1;
}
