/* The detail of groups, processors, threads, channels and tasks. */
#include <stdio.h>
#include <string.h>

#include "detail.h"

void gl_lane_group_lines(gl_lines *l, gl_app *a, uint32_t group)
{
    char t[GL_UNIT_TEXT_MAX], text[160];
    if (group >= a->lanes.group_count)
        return;
    const gl_lane_group *g = &a->lanes.groups[group];
    gl_pen p = gl_lines_next(l);
    gl_pen_text(&p, GL_ROLE_GROUP, gl_lanes_group_text(&a->lanes, a->m, group, text, sizeof text));
    gl_pen_printf(&p, GL_ROLE_TEXT, "  %s goroutines with this %s", gl_unit_count(t, g->n),
                  gl_grouping_what(a->lanes.by));
    if (a->lanes.by == GL_BY_FUNCTION && group < a->m->group_count)
        gl_pen_printf(&p, GL_ROLE_TEXT, ", %u alive at the end", a->m->groups[group].alive);
    p = gl_lines_next(l);
    if (g->straddles)
        gl_pen_printf(&p, GL_ROLE_STRADDLE, "%u straddling sends, %s inside GC pauses", g->straddles,
                      gl_unit_ns(t, g->straddle_ns));
    else
        gl_pen_text(&p, GL_ROLE_DIM, "none of its sends straddles a GC pause");
    gl_pause_line(l, a);
}

static void unit_lines(gl_lines *l, gl_app *a, gl_row row)
{
    bool threads = row.type == GL_ROW_THREAD;
    const gl_units *us = threads ? &a->m->use.threads : &a->m->use.procs;
    uint32_t gor = gl_app_gor(a);
    gl_pen p = {0};
    if (gor != GL_NONE) {
        gl_gor_lines(l, a, gor);
    } else {
        p = gl_lines_next(l);
        gl_pen_printf(&p, GL_ROLE_TEXT, "%c%u runs no goroutine at this moment", threads ? 'M' : 'P', row.index);
        gl_pause_line(l, a);
    }
    if (row.index >= us->n)
        return;
    const gl_unit_use *u = &us->list[row.index];
    char t[GL_UNIT_TEXT_MAX], s[GL_UNIT_TEXT_MAX], n[GL_UNIT_TEXT_MAX];
    p = gl_lines_next(l);
    gl_pen_printf(&p, GL_ROLE_DIM, "in the whole trace: ran goroutines %s, in system calls %s, %s times began one",
                  gl_unit_ns(t, u->run_ns), gl_unit_ns(s, u->syscall_ns), gl_unit_count(n, u->starts));
}

/* Who waits at the cursor: their number, and the first of them. */
static void waiting_line(gl_lines *l, gl_app *a, uint32_t chan)
{
    const gl_chans *cs = &a->m->chans;
    const gl_chan *c = &cs->list[chan];
    unsigned n[3] = {0};
    uint64_t first[3] = {0};
    for (uint32_t i = c->first_wait; i != GL_NONE; i = cs->waits[i].next) {
        const gl_chan_wait *w = &cs->waits[i];
        if (w->begin <= a->cursor && a->cursor < w->end && w->gor < a->m->gor_count && n[w->dir]++ == 0)
            first[w->dir] = a->m->gors[w->gor].id;
    }
    for (size_t i = 0; i < a->m->life_count && c->senders + c->receivers; i++) {
        const gl_chan_op *op = &a->m->lives[i].op;
        if (!op->waits || op->chan != chan || op->since > a->cursor)
            continue;
        uint64_t g = a->m->gors[a->m->lives[i].gor].id;
        first[op->dir] = n[op->dir]++ == 0 || g < first[op->dir] ? g : first[op->dir];
    }
    gl_pen p = gl_lines_next(l);
    gl_pen_printf(&p, n[GL_CHAN_SEND] ? GL_ROLE_SEND : GL_ROLE_DIM, "%u sender%s wait%s", n[GL_CHAN_SEND],
                  n[GL_CHAN_SEND] == 1 ? "" : "s", n[GL_CHAN_SEND] == 1 ? "s" : "");
    if (n[GL_CHAN_SEND]) {
        gl_pen_text(&p, GL_ROLE_DIM, " (");
        gl_put_gor(&p, a->m, first[GL_CHAN_SEND]);
        gl_pen_text(&p, GL_ROLE_DIM, n[GL_CHAN_SEND] > 1 ? ", …)" : ")");
    }
    gl_pen_printf(&p, n[GL_CHAN_RECV] ? GL_ROLE_RECV : GL_ROLE_DIM, ", %u receiver%s wait%s", n[GL_CHAN_RECV],
                  n[GL_CHAN_RECV] == 1 ? "" : "s", n[GL_CHAN_RECV] == 1 ? "s" : "");
    if (n[GL_CHAN_RECV]) {
        gl_pen_text(&p, GL_ROLE_DIM, " (");
        gl_put_gor(&p, a->m, first[GL_CHAN_RECV]);
        gl_pen_text(&p, GL_ROLE_DIM, n[GL_CHAN_RECV] > 1 ? ", …)" : ")");
    }
}

/* The fill at the cursor, from the last step before it; -1 not known. */
static int64_t fill_at(gl_app *a, uint32_t chan)
{
    const gl_window *w = gl_app_window(a);
    size_t n = 0;
    const gl_step *s = w ? gl_steps_of(&w->steps, chan, &n) : NULL;
    int64_t fill = -1;
    for (size_t i = 0; i < n && s[i].time <= a->cursor; i++)
        fill = s[i].len;
    return fill;
}

static void chan_lines(gl_lines *l, gl_app *a, uint32_t chan)
{
    const gl_model *m = a->m;
    const gl_chan *c = &m->chans.list[chan];
    char t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX];
    double step = gl_scale_step(gl_app_scale(a)) / 10;
    int64_t fill = fill_at(a, chan);
    gl_pen p = gl_lines_next(l);
    gl_pen_printf(&p, GL_ROLE_KEY, "chan %#llx", (unsigned long long)c->id);
    gl_pen_printf(&p, GL_ROLE_TITLE, " %s", gl_model_text(m, c->elem));
    if (c->cap == 0)
        gl_pen_text(&p, GL_ROLE_TEXT, "  unbuffered");
    else if (fill >= 0)
        gl_pen_printf(&p, GL_ROLE_TEXT, "  holds %lld of %llu%s", (long long)fill, (unsigned long long)c->cap,
                      (uint64_t)fill == c->cap ? ", full" : "");
    else
        gl_pen_printf(&p, GL_ROLE_TEXT, "  buffer of %llu", (unsigned long long)c->cap);
    if (c->made) {
        gl_pen_printf(&p, GL_ROLE_DIM, "  made at %s by ", gl_time_text(t, c->first, step));
        gl_put_gor(&p, m, c->maker);
        gl_pen_text(&p, GL_ROLE_DIM, " ");
        gl_put_site(&p, m, c->stack);
    } else {
        gl_pen_text(&p, GL_ROLE_DIM, "  made before the trace, or not seen");
    }
    waiting_line(l, a, chan);
    p = gl_lines_next(l);
    gl_pen_printf(&p, GL_ROLE_TEXT, "%s send%s", gl_unit_count(t, c->sends), c->sends == 1 ? "" : "s");
    gl_pen_printf(&p, GL_ROLE_DIM, " took %s", gl_unit_ns(u, c->send_wait));
    gl_pen_printf(&p, GL_ROLE_TEXT, ", %s receive%s", gl_unit_count(t, c->recvs), c->recvs == 1 ? "" : "s");
    gl_pen_printf(&p, GL_ROLE_DIM, " took %s", gl_unit_ns(u, c->recv_wait));
    if (c->refused)
        gl_pen_printf(&p, GL_ROLE_DIM, ", %s not done", gl_unit_count(t, c->refused));
    if (c->straddles)
        gl_pen_printf(&p, GL_ROLE_STRADDLE, "  %u send%s GC pauses, %s", c->straddles,
                      c->straddles == 1 ? " straddles" : "s straddle", gl_unit_ns(t, c->straddle_ns));
    if (c->closed != GL_TIME_NONE) {
        p = gl_lines_next(l);
        gl_pen_printf(&p, GL_ROLE_PANIC, "closed at %s by ", gl_time_text(t, c->closed, step));
        gl_put_gor(&p, m, c->closer);
        gl_pen_text(&p, GL_ROLE_DIM, " ");
        gl_put_site(&p, m, c->close_stack);
    }
    gl_pause_line(l, a);
}

static void task_lines(gl_lines *l, gl_app *a, uint32_t task)
{
    const gl_model *m = a->m;
    const gl_task *t = &m->tasks.list[task];
    const gl_task_kind *k = &m->tasks.kinds[t->kind];
    gl_pen p = gl_lines_next(l);
    gl_pen_text(&p, k->regions ? GL_ROLE_REGION : GL_ROLE_TASK, k->regions ? "region " : "task ");
    gl_pen_text(&p, GL_ROLE_TITLE, gl_model_text(m, k->name));
    gl_put_times(&p, a, GL_NONE, t->begin, t->end);
    if (t->since_before)
        gl_pen_text(&p, GL_ROLE_DIM, "  (began before the trace)");
    p = gl_lines_next(l);
    gl_pen_text(&p, GL_ROLE_DIM, k->regions ? "of " : "begun by ");
    gl_put_gor(&p, m, t->g);
    if (k->regions && t->id)
        gl_pen_printf(&p, GL_ROLE_DIM, "  in task %llu", (unsigned long long)t->id);
    if (!k->regions && t->parent)
        gl_pen_printf(&p, GL_ROLE_DIM, "  part of task %llu", (unsigned long long)t->parent);
    gl_pen_text(&p, GL_ROLE_DIM, "  ");
    gl_put_site(&p, m, t->stack);
    gl_pause_line(l, a);
}

static void kind_lines(gl_lines *l, gl_app *a, uint32_t kind)
{
    const gl_task_kind *k = &a->m->tasks.kinds[kind];
    char n[GL_UNIT_TEXT_MAX], t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX], v[GL_UNIT_TEXT_MAX];
    uint32_t ended = k->n - k->open;
    gl_pen p = gl_lines_next(l);
    gl_pen_text(&p, GL_ROLE_GROUP, gl_model_text(a->m, k->name));
    gl_pen_printf(&p, GL_ROLE_TEXT, "  %s %s%s, %u still open, at most %u at once", gl_unit_count(n, k->n),
                  k->regions ? "region" : "task", k->n == 1 ? "" : "s", k->open, k->most);
    p = gl_lines_next(l);
    gl_pen_printf(&p, GL_ROLE_DIM, "took %s together, %s on average, %s at most", gl_unit_ns(t, k->ns),
                  gl_unit_ns(u, ended ? k->ns / ended : 0), gl_unit_ns(v, k->longest));
    if (a->m->tasks.beyond) {
        p = gl_lines_next(l);
        gl_pen_printf(&p, GL_ROLE_WARN, "%s more tasks and regions are not shown",
                      gl_unit_count(n, a->m->tasks.beyond));
    }
    gl_pause_line(l, a);
}

void gl_other_lines(gl_lines *l, gl_app *a, gl_row row)
{
    switch (row.type) {
    case GL_ROW_PROC:
    case GL_ROW_THREAD: unit_lines(l, a, row); break;
    case GL_ROW_TASK:
        if (row.index < a->m->tasks.n)
            task_lines(l, a, row.index);
        break;
    case GL_ROW_TASK_KIND:
        if (row.index < a->m->tasks.kind_count)
            kind_lines(l, a, row.index);
        break;
    default:
        if (row.index < a->m->chans.n)
            chan_lines(l, a, row.index);
    }
}
