#include "trail.h"

#include <stdlib.h>
#include <string.h>

#include "golanes_analysis/path.h"
#include "golanes_analysis/summary.h"

static void stop(gl_trail *t)
{
    gl_cursor_close(t->cursor);
    gl_path_destroy(t->path);
    gl_summary_destroy(t->summary);
    t->cursor = NULL;
    t->path = NULL;
    t->summary = NULL;
}

void gl_trail_clean_up(gl_trail *t)
{
    stop(t);
    free(t->steps);
    memset(t, 0, sizeof *t);
}

/* How a goroutine stood at the keyframe, as the event that a cut trace begins with. */
static int carry(gl_trail *t, const gl_goroutine_at *at, int64_t begin)
{
    gl_event ev = {.time = at->since < begin ? begin : at->since, .type = GL_EV_GoCarried, .p = GL_NO_PROC,
                   .thread = GL_NO_THREAD, .stack = at->stack ? at->stack : at->start_stack,
                   .arg = {at->g, at->state, at->reason, at->creator}};
    return gl_summary_sink(t->summary, &ev, 1);
}

static int prepare(gl_trail *t, gl_model *m, gl_error *err)
{
    const gl_goroutine_at *at;
    size_t n = 0;
    gl_path_options o = {.g = m->gors[t->gor].id, .from = t->from, .to = t->to};
    t->summary = gl_summary_new(&(gl_summary_options){.dict = m->dict});
    t->path = t->summary ? gl_path_new(t->summary, &o) : NULL;
    if (!t->path)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory is left for the path");
    int status = gl_cursor_open(m->reader, GL_COL_ALL, &t->cursor, err);
    if (status == 0)
        status = gl_cursor_keyframe(t->cursor, t->from, &at, &n, err);
    if (status == GL_E_NOT_FOUND) {
        n = 0;
        status = gl_cursor_seek(t->cursor, t->from, err);
    }
    for (size_t i = 0; i < n && status == 0; i++)
        if (carry(t, &at[i], m->begin) < 0)
            status = gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory is left for the path");
    return status;
}

int gl_trail_begin(gl_trail *t, gl_model *m, uint32_t gor, int64_t from, int64_t to, gl_error *err)
{
    gl_trail_clean_up(t);
    t->gor = gor;
    t->from = from;
    t->to = to;
    t->in_all = gl_nodes_events(&m->nodes, from, to) + 1;
    int status = prepare(t, m, err);
    if (status < 0)
        stop(t);
    return status;
}

static gl_span_kind kind_of(gl_model *m, const gl_path_step *s)
{
    switch (s->state) {
    case GL_G_RUNNING: return GL_SPAN_RUNNING;
    case GL_G_RUNNABLE: return GL_SPAN_RUNNABLE;
    case GL_G_SYSCALL: return GL_SPAN_SYSCALL;
    default: return gl_model_kind(m, s->reason);
    }
}

static int take_steps(gl_trail *t, gl_model *m, const gl_path_result *r)
{
    t->steps = calloc(r->step_count + 1, sizeof *t->steps);
    if (!t->steps)
        return GL_E_NOMEM;
    for (size_t i = r->step_count; r->found && i-- > 0;) {
        const gl_path_step *s = &r->steps[i];
        uint32_t gor = gl_model_add(m, s->g, s->begin);
        if (gor == GL_NONE)
            return GL_E_NOMEM;
        gl_span_kind kind = kind_of(m, s);
        t->steps[t->n++] = (gl_trail_step){s->begin, s->end, gor, (uint8_t)kind};
        *(gl_span_is_busy(kind) ? &t->running : kind == GL_SPAN_RUNNABLE ? &t->runnable : &t->waiting) += s->end - s->begin;
    }
    t->hops = (size_t)r->hops;
    t->cut = r->cut;
    if (t->n) {
        t->from = t->steps[t->n - 1].begin;
        t->to = t->steps[0].end;
    }
    return 0;
}

/* All events up to the moment were taken. */
static int finish(gl_trail *t, gl_model *m)
{
    const gl_summary_result *whole;
    const gl_path_result *r;
    int status = gl_summary_finish(t->summary, &whole);
    if (status == 0)
        status = gl_path_finish(t->path, whole->end_ns, &r);
    if (status == 0)
        status = take_steps(t, m, r);
    stop(t);
    return status;
}

int gl_trail_step_on(gl_trail *t, gl_model *m, uint64_t events, gl_error *err)
{
    for (uint64_t done = 0; t->cursor && done < events;) {
        const gl_event *ev;
        size_t n = 0;
        int status = gl_cursor_next(t->cursor, &ev, &n, err);
        bool over = status == 0 && (n == 0 || ev[0].time > t->to);
        if (status == 0 && !over && gl_summary_sink(t->summary, ev, n) < 0)
            status = gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory is left for the path");
        if (over && finish(t, m) < 0)
            status = gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory is left for the path");
        if (status < 0) {
            gl_trail_clean_up(t);
            return status;
        }
        t->looked += n;
        done += n;
    }
    return t->cursor != NULL;
}
