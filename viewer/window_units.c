/* Spans by the P and by the thread that they ran on. */
#include <stdlib.h>
#include <string.h>

#include "window.h"

void gl_window_units_clean_up(gl_window_units *us)
{
    free(us->spans);
    free(us->slots);
    gl_ids_clean_up(&us->slot_of);
    memset(us, 0, sizeof *us);
}

typedef struct order {
    uint32_t unit, span;
    int64_t begin;
} order;

static int by_unit_and_time(const void *a, const void *b)
{
    const order *x = a, *y = b;
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static int list_units(gl_window_units *us, const order *list, size_t n)
{
    int status = 0;
    for (size_t i = 0; i < n && status == 0; i++) {
        us->spans[i] = list[i].span;
        if (i == 0 || list[i].unit != list[i - 1].unit) {
            status = GL_ROOM(us->slots, us->capacity, us->count);
            if (status == 0)
                status = gl_ids_put(&us->slot_of, list[i].unit, (uint32_t)us->count);
            if (status == 0)
                us->slots[us->count++] = (gl_slot){(uint32_t)i, 0};
        }
        if (status == 0)
            us->slots[us->count - 1].n++;
    }
    return status;
}

static int index_units(gl_window *w, gl_window_units *us, bool threads)
{
    size_t room = w->count ? w->count : 1, n = 0;
    order *list = malloc(room * sizeof *list);
    gl_window_units_clean_up(us);
    us->spans = malloc(room * sizeof *us->spans);
    int status = list && us->spans ? 0 : GL_E_NOMEM;
    for (size_t i = 0; status == 0 && i < w->count; i++) {
        const gl_lane_span *s = &w->spans[i];
        uint32_t unit = threads ? s->thread : s->p;
        if (gl_span_is_busy((gl_span_kind)s->kind) && unit != (threads ? GL_NO_THREAD : GL_NO_PROC))
            list[n++] = (order){unit, (uint32_t)i, s->begin};
    }
    if (status == 0) {
        qsort(list, n, sizeof *list, by_unit_and_time);
        status = list_units(us, list, n);
    }
    free(list);
    return status;
}

int gl_window_index(gl_window *w, const gl_model *m)
{
    int status = w->procs.spans ? 0 : index_units(w, &w->procs, false);
    if (status == 0 && !w->threads.spans)
        status = index_units(w, &w->threads, true);
    return status < 0 ? status : gl_steps_sort(&w->steps, m);
}

const uint32_t *gl_window_unit(const gl_window_units *us, uint32_t unit, size_t *n)
{
    uint32_t slot = gl_ids_get(&us->slot_of, unit);
    *n = slot == GL_NONE ? 0 : us->slots[slot].n;
    return *n ? &us->spans[us->slots[slot].first] : NULL;
}
