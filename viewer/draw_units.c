/* Lanes of processors and threads: what ran on each. */
#include <stdio.h>
#include <string.h>

#include "canvas.h"

static const gl_window_units *units_of(const gl_canvas *f, bool threads)
{
    return threads ? &f->w->threads : &f->w->procs;
}

static void label_unit(const gl_canvas *f, const gl_window_units *us, uint32_t unit, int y)
{
    const gl_model *m = f->a->m;
    size_t n = 0;
    const uint32_t *at = gl_window_unit(us, unit, &n);
    for (size_t i = 0; i < n; i++) {
        const gl_lane_span *span = &f->w->spans[at[i]];
        int64_t end = gl_model_end(m, span->end);
        if (i + 1 < n && f->w->spans[at[i + 1]].begin < end)
            end = f->w->spans[at[i + 1]].begin;
        if (end <= f->s.from || span->begin >= f->s.to)
            continue;
        char text[160];
        snprintf(text, sizeof text, "G%llu %s", (unsigned long long)m->gors[span->gor].id,
                 gl_model_group_name(m, m->gors[span->gor].group));
        gl_role role = gl_span_look_of((gl_span_kind)span->kind)->role;
        gl_canvas_label(f, y, span->begin, end, text, gl_style_on(GL_ROLE_TITLE, role), 10);
    }
}

/* From afar: how much of each column it was used. */
static void draw_use(const gl_canvas *f, const gl_unit_use *u, int y)
{
    for (int x = 0; x < f->s.n; x++) {
        int64_t from = gl_scale_time(f->s, x), to = gl_scale_time(f->s, x + 1);
        double run = (double)gl_history_get(&u->running, from, to).mean;
        double call = (double)gl_history_get(&u->in_syscall, from, to).mean;
        gl_canvas_bar(f, x, y, run + call, call > run ? GL_ROLE_SYSCALL : GL_ROLE_RUNNING);
    }
}

void gl_canvas_unit(const gl_canvas *f, gl_row row, int y)
{
    const gl_model *m = f->a->m;
    bool threads = row.type == GL_ROW_THREAD;
    const gl_units *us = threads ? &m->use.threads : &m->use.procs;
    const gl_unit_use *u = row.index < us->n ? &us->list[row.index] : NULL;
    char name[48], value[48] = "", t[GL_UNIT_TEXT_MAX];
    if (f->w) {
        gl_columns_of_unit(m, f->w, units_of(f, threads), row.index, f->s, f->mix);
        gl_canvas_mix(f, y);
        label_unit(f, units_of(f, threads), row.index, y);
    } else if (u) {
        draw_use(f, u, y);
    }
    uint64_t tid = threads ? gl_dict_get_thread(m->dict, row.index).tid : 0;
    if (threads && tid)
        snprintf(name, sizeof name, f->a->layout.gutter < 28 ? "M%u %llu" : "M%u thread %llu", row.index, (unsigned long long)tid);
    else
        snprintf(name, sizeof name, "%c%u", threads ? 'M' : 'P', row.index);
    int64_t all = m->read_end - m->begin;
    if (u && all > 0 && m->scanned)
        snprintf(value, sizeof value, "%s",
                 gl_unit_share(t, (double)(u->run_ns + u->syscall_ns + (u->g ? m->read_end - u->since : 0)) / (double)all));
    gl_canvas_gutter(f, y, name, gl_style_of(GL_ROLE_TEXT), value, GL_ROLE_DIM);
}
