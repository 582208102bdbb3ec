/* Summary lanes: the heap and its goal, goroutines by state. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

static void label(const gl_app *a, gl_cells *c, gl_rect r, gl_role role, const char *text)
{
    gl_cells_fit(c, r.x + 1, r.y + r.h - 1, a->layout.gutter - 2, gl_style_of(role), text, GL_CUT_END);
}

/* From afar curves are the catalogue's: what the scan has not reached is not known yet, and not drawn. */
static int64_t known_until(const gl_model *m, bool window)
{
    return window || m->scanned ? m->read_end : m->scanned_to < m->read_end ? m->scanned_to : m->read_end;
}

/* ---- heap ---- */

static uint64_t heap_top(const gl_model *m)
{
    uint64_t top = 1;
    for (size_t i = 0; i < m->heap_count; i++)
        top = m->heap[i].live > top ? m->heap[i].live : m->heap[i].goal > top ? m->heap[i].goal : top;
    return top;
}

/* The goal is a line at its height, where the live heap does not reach. */
static void draw_goal(gl_cells *c, gl_rect r, int x, double share)
{
    static const char *const heights[] = {"▁", "─", "▔"};
    double rows = share * r.h;
    int row = (int)rows, third = (int)((rows - row) * 3);
    row = row >= r.h ? r.h - 1 : row;
    gl_cell *cell = gl_cells_at(c, x, r.y + r.h - 1 - row);
    if (cell && strcmp(cell->text, " ") == 0)
        gl_cells_glyph(c, x, r.y + r.h - 1 - row, gl_style_of(GL_ROLE_DIM), heights[third > 2 ? 2 : third]);
}

/* Where a window is in view, every change in it; else the catalogue's points. */
static void draw_heap(gl_app *a, gl_cells *c, gl_rect r, gl_scale s)
{
    const gl_model *m = a->m;
    const gl_window *w = gl_app_window(a);
    const gl_heap_point *list = w ? w->heap : m->heap;
    size_t n = w ? w->heap_count : m->heap_count, at = 0;
    double top = (double)heap_top(m);
    gl_heap_point now = gl_model_heap_at(m, w && w->from < s.from ? w->from : s.from);
    for (; at < n && list[at].time <= s.from; at++)
        now = list[at];
    for (int x = 0; x < s.n && gl_scale_time(s, x) <= known_until(m, w != NULL); x++) {
        int64_t until = gl_scale_time(s, x + 1);
        uint64_t most = now.live;
        for (; at < n && list[at].time < until; at++) {
            now = list[at];
            most = now.live > most ? now.live : most;
        }
        gl_draw_bar(c, r, r.x + x, (double)most / top, gl_style_of(GL_ROLE_HEAP));
        if (now.goal && r.h > 1)
            draw_goal(c, r, r.x + x, (double)now.goal / top);
    }
}

static gl_heap_point heap_at_cursor(gl_app *a)
{
    const gl_window *w = gl_app_window(a);
    gl_heap_point at = gl_model_heap_at(a->m, w && w->from < a->cursor ? w->from : a->cursor);
    for (size_t i = 0; w && i < w->heap_count && w->heap[i].time <= a->cursor; i++)
        at = w->heap[i];
    return at;
}

/* ---- goroutines by state ---- */

typedef struct counts {
    float running, runnable; /* running: those in system calls too */
} counts;

static void count_from_window(const gl_window *w, gl_scale s, counts *out)
{
    gl_column_sum *sum = calloc((size_t)s.n, sizeof *sum);
    bool done = sum && gl_columns_sum(w, s, sum) == 0;
    for (int x = 0; done && x < s.n; x++)
        out[x] = (counts){sum[x].busy + sum[x].syscall, sum[x].runnable};
    free(sum);
}

static void count_from_afar(const gl_model *m, gl_scale s, counts *out)
{
    for (int x = 0; x < s.n && gl_scale_time(s, x) <= known_until(m, false); x++) {
        int64_t from = gl_scale_time(s, x), to = gl_scale_time(s, x + 1);
        out[x].running = gl_history_get(&m->use.counts[GL_G_RUNNING], from, to).mean +
                         gl_history_get(&m->use.counts[GL_G_SYSCALL], from, to).mean;
        out[x].runnable = gl_history_get(&m->use.counts[GL_G_RUNNABLE], from, to).mean;
    }
}

/* Those that run from the bottom, those that wait for a P on top of them; one boundary fits into a cell. */
static void stack_cell(gl_cells *c, int x, int y, double running, double all)
{
    int low = (int)lrint((running < 0 ? 0 : running > 1 ? 1 : running) * 8);
    int high = (int)ceil((all < 0 ? 0 : all > 1 ? 1 : all) * 8 - 1e-6);
    if (low == 0)
        gl_cells_glyph(c, x, y, gl_style_of(GL_ROLE_RUNNABLE), gl_block_low[high]);
    else if (high == 8 && low < 8)
        gl_cells_glyph(c, x, y, gl_style_on(GL_ROLE_RUNNING, GL_ROLE_RUNNABLE), gl_block_low[low]);
    else
        gl_cells_glyph(c, x, y, gl_style_of(high - low > low ? GL_ROLE_RUNNABLE : GL_ROLE_RUNNING),
                       gl_block_low[high > low ? high : low]);
}

static void draw_counts(gl_app *a, gl_cells *c, gl_rect r, gl_scale s)
{
    counts *list = calloc((size_t)s.n, sizeof *list);
    const gl_window *w = gl_app_window(a);
    double top = a->m->procs ? (double)a->m->procs : 1;
    if (!list)
        return;
    if (w)
        count_from_window(w, s, list);
    else
        count_from_afar(a->m, s, list);
    for (int x = 0; x < s.n; x++)
        top = (double)(list[x].running + list[x].runnable) > top ? (double)(list[x].running + list[x].runnable) : top;
    for (int x = 0; x < s.n; x++)
        for (int i = 0; i < r.h; i++) {
            double running = (double)list[x].running / top * r.h - i;
            double all = (double)(list[x].running + list[x].runnable) / top * r.h - i;
            if (all > 0)
                stack_cell(c, r.x + x, r.y + r.h - 1 - i, running, all);
        }
    free(list);
}

static void label_counts(gl_app *a, gl_cells *c, gl_rect r)
{
    const gl_use *u = &a->m->use;
    unsigned n[GL_G_STATES];
    char text[96];
    /* At the cursor as it is in the window; from afar the mean around it. */
    const gl_window *w = gl_app_window(a);
    int64_t step = (int64_t)gl_scale_step(gl_app_scale(a)) + 1;
    for (int s = GL_G_RUNNABLE; s < GL_G_STATES; s++)
        n[s] = w ? 0 : (unsigned)lrint((double)gl_history_get(&u->counts[s], a->cursor, a->cursor + step).mean);
    for (size_t i = 0; w && i < w->slot_count; i++) {
        const gl_slot *slot = &w->slots[i];
        const gl_lane_span *span = slot->n ? gl_window_span_at(w, w->spans[slot->first].gor, a->cursor) : NULL;
        if (!span)
            continue;
        gl_span_kind k = (gl_span_kind)span->kind;
        n[k == GL_SPAN_RUNNABLE     ? GL_G_RUNNABLE
          : k == GL_SPAN_SYSCALL    ? GL_G_SYSCALL
          : gl_span_is_busy(k)      ? GL_G_RUNNING
                                    : GL_G_WAITING]++;
    }
    int width = snprintf(text, sizeof text, "%u run, %u ready, %u wait", n[GL_G_RUNNING] + n[GL_G_SYSCALL],
                         n[GL_G_RUNNABLE], n[GL_G_WAITING]);
    if (width > a->layout.gutter - 2)
        snprintf(text, sizeof text, "%u+%u of %u", n[GL_G_RUNNING] + n[GL_G_SYSCALL], n[GL_G_RUNNABLE],
                 n[GL_G_RUNNING] + n[GL_G_SYSCALL] + n[GL_G_RUNNABLE] + n[GL_G_WAITING]);
    label(a, c, r, GL_ROLE_RUNNING, text);
}

void gl_draw_curves(gl_app *a, gl_cells *c)
{
    const gl_layout *l = &a->layout;
    gl_rect heap = gl_layout_time(l, l->heap), count = gl_layout_time(l, l->counts);
    gl_scale s = gl_app_scale(a);
    if (heap.h && a->m->heap_count) {
        char text[96], bytes[GL_UNIT_TEXT_MAX], goal[GL_UNIT_TEXT_MAX];
        gl_heap_point at = heap_at_cursor(a);
        draw_heap(a, c, heap, s);
        if (at.goal && l->gutter >= 28)
            snprintf(text, sizeof text, "heap %s of %s", gl_unit_bytes(bytes, at.live), gl_unit_bytes(goal, at.goal));
        else
            snprintf(text, sizeof text, "heap %s", gl_unit_bytes(bytes, at.live));
        label(a, c, l->heap, GL_ROLE_HEAP, text);
    }
    if (heap.h && a->m->heap_count == 0 && a->m->scanned)
        label(a, c, l->heap, GL_ROLE_DIM, l->gutter >= 28 ? "heap: not in this trace" : "heap not known");
    if (count.h) {
        draw_counts(a, c, count, s);
        label_counts(a, c, l->counts);
    }
}
