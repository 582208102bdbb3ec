/* Lanes of tasks and regions: what the program says of itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

/* Of one name: how many were going on at once, as height; alone, its stretches with their goroutines. */
static void draw_kind(const gl_canvas *f, uint32_t kind, int y)
{
    const gl_model *m = f->a->m;
    const gl_task_kind *k = &m->tasks.kinds[kind];
    double step = gl_scale_step(f->s);
    float *open = calloc((size_t)f->s.n, sizeof *open);
    for (uint32_t i = k->first; open && i != GL_NONE; i = m->tasks.list[i].next_of_kind) {
        const gl_task *t = &m->tasks.list[i];
        int64_t end = gl_model_end(m, t->end);
        if (t->begin >= f->s.to)
            break;
        if (end <= f->s.from)
            continue;
        double from = t->begin <= f->s.from ? 0 : ((double)t->begin - (double)f->s.from) / step;
        double to = end >= f->s.to ? f->s.n : ((double)end - (double)f->s.from) / step;
        for (int x = (int)from; x < f->s.n && (x < to || x == (int)from); x++)
            open[x] += (float)((to < x + 1 ? to : x + 1) - (from > x ? from : x)) + 1e-4f;
    }
    for (int x = 0; open && x < f->s.n; x++)
        gl_canvas_bar(f, x, y, (double)open[x] / (k->most ? k->most : 1), k->regions ? GL_ROLE_REGION : GL_ROLE_TASK);
    free(open);
    for (uint32_t i = k->most == 1 ? k->first : GL_NONE; i != GL_NONE; i = m->tasks.list[i].next_of_kind) {
        const gl_task *t = &m->tasks.list[i];
        char text[64], u[GL_UNIT_TEXT_MAX];
        if (t->begin >= f->s.to)
            break;
        if (gl_model_end(m, t->end) <= f->s.from)
            continue;
        snprintf(text, sizeof text, "G%llu %s", (unsigned long long)t->g, gl_unit_ns(u, gl_model_end(m, t->end) - t->begin));
        gl_canvas_label(f, y, t->begin, gl_model_end(m, t->end), text,
                       gl_style_on(GL_ROLE_TITLE, k->regions ? GL_ROLE_REGION : GL_ROLE_TASK), 10);
    }
}

static void draw_task(const gl_canvas *f, uint32_t task, int y)
{
    const gl_model *m = f->a->m;
    const gl_task *t = &m->tasks.list[task];
    bool region = m->tasks.kinds[t->kind].regions;
    gl_role role = region ? GL_ROLE_REGION : GL_ROLE_TASK;
    int64_t end = gl_model_end(m, t->end);
    double step = gl_scale_step(f->s);
    double from = ((double)t->begin - (double)f->s.from) / step, to = ((double)end - (double)f->s.from) / step;
    char text[96], u[GL_UNIT_TEXT_MAX];
    if (from >= f->s.n || to < 0)
        return;
    from = from < 0 ? 0 : from;
    for (int x = (int)from; x < f->s.n && (x < to || x == (int)from); x++)
        gl_cells_glyph(f->c, f->time.x + x, y, gl_style_on(role, gl_canvas_band(f, x)),
                       to - from < 1 ? "▌" : to < x + 1 ? gl_block_left[(int)((to - x) * 8) > 0 ? (int)((to - x) * 8) : 1] : "█");
    snprintf(text, sizeof text, "%s%s", gl_unit_ns(u, end - t->begin), t->end == GL_TIME_NONE ? " so far" : "");
    gl_canvas_label(f, y, t->begin, end, text, gl_style_on(GL_ROLE_TITLE, role), 8);
}

void gl_canvas_task(const gl_canvas *f, gl_row row, int y)
{
    const gl_app *a = f->a;
    const gl_tasks *ts = &a->m->tasks;
    char name[160], value[48] = "", t[GL_UNIT_TEXT_MAX];
    if (row.type == GL_ROW_TASK && row.index < ts->n) {
        const gl_task *task = &ts->list[row.index];
        draw_task(f, row.index, y);
        if (ts->kinds[task->kind].regions)
            snprintf(name, sizeof name, "  G%llu", (unsigned long long)task->g);
        else
            snprintf(name, sizeof name, "  task %llu", (unsigned long long)task->id);
        snprintf(value, sizeof value, "%s", gl_unit_ns(t, gl_model_end(a->m, task->end) - task->begin));
        gl_canvas_gutter(f, y, name, gl_style_of(GL_ROLE_TEXT), value, GL_ROLE_DIM);
    } else if (row.type == GL_ROW_TASK_KIND && row.index < ts->kind_count) {
        const gl_task_kind *k = &ts->kinds[row.index];
        bool open = row.index < a->kind_open_capacity && a->kind_open[row.index];
        draw_kind(f, row.index, y);
        snprintf(name, sizeof name, "%s %s", open ? "▾" : "▸", gl_model_text(a->m, k->name));
        snprintf(value, sizeof value, "%s ×%u", k->regions ? "regions" : "tasks", k->n);
        gl_canvas_gutter(f, y, name, gl_style_bold(gl_style_of(GL_ROLE_GROUP)), value, GL_ROLE_DIM);
    }
}
