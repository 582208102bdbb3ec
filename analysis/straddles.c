#include "straddles.h"

#include <stdlib.h>

#define WORST_DEFAULT 10

void gl_straddles_init(gl_straddles *x, unsigned worst, gl_send_fn on_send, void *user)
{
    x->worst_sends.most = x->worst_selects.most = worst ? worst : WORST_DEFAULT;
    x->on_send = on_send;
    x->user = user;
}

void gl_straddles_clean_up(gl_straddles *x)
{
    free(x->worst_sends.list);
    free(x->worst_selects.list);
}

static void compare_wait(gl_straddles *x, const gl_wait *w)
{
    x->waits_done = w->number;
    if (!gl_ranges_overlap(x->stw, w->begin, w->end, false, 0).count)
        return;
    gl_goroutine *g = gl_goroutines_at(x->goroutines, w->slot);
    x->send_waits++;
    x->send_waiters += !g->wait_straddled;
    g->wait_straddled = true;
}

static void queue_wait(gl_straddles *x, gl_goroutine *g, uint32_t slot, int64_t end)
{
    if (x->wait_count == GL_WAITS_QUEUE)
        compare_wait(x, &x->waits[x->wait_at]);
    else
        x->wait_count++;
    g->queued = ++x->number;
    x->waits[x->wait_at] = (gl_wait){g->since, end, g->queued, slot};
    x->wait_at = (x->wait_at + 1) % GL_WAITS_QUEUE;
}

int gl_straddles_wait(gl_straddles *x, uint32_t slot, int64_t time, int64_t order)
{
    gl_goroutine *g = gl_goroutines_at(x->goroutines, slot);
    gl_reason *r = &x->reasons->list[g->reason];
    gl_reason_figures *f = &r->figures;
    f->spans++;
    if (r->kind == GL_WAIT_SEND)
        queue_wait(x, g, slot, time);
    uint32_t stw = gl_ranges_met(x->stw, g->order, order), gc = gl_ranges_met(x->gc, g->order, order);
    if (!stw && !gc)
        return 0;
    gl_waited *waited = gl_goroutine_waited(g, g->reason);
    if (!waited)
        return GL_E_NOMEM;
    f->spans_over_stw += stw > 0;
    f->goroutines_over_stw += stw > 0 && !waited->over_stw;
    f->pairs_stw += stw;
    f->spans_over_gc += gc > 0;
    f->goroutines_over_gc += gc > 0 && !waited->over_gc;
    waited->over_stw |= stw > 0;
    waited->over_gc |= gc > 0;
    return 0;
}

/* More overlap is worse; of equal ones the earlier comes first. */
static bool worse(const gl_send *a, const gl_send *b)
{
    if (a->overlap_ns != b->overlap_ns)
        return a->overlap_ns > b->overlap_ns;
    return a->begin != b->begin ? a->begin < b->begin : a->g < b->g;
}

static void sift_down(gl_worst *w, gl_send s)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < w->count && worse(&w->list[child], &w->list[child + 1]))
            child++;
        if (child >= w->count || !worse(&s, &w->list[child]))
            break;
        w->list[at] = w->list[child];
        at = child;
    }
    w->list[at] = s;
}

static int keep_worst(gl_worst *w, const gl_send *s)
{
    if (w->count == w->most) {
        if (worse(s, &w->list[0]))
            sift_down(w, *s);
        return 0;
    }
    int grown = GL_GROW(w->list, w->capacity, w->count + 1);
    if (grown < 0)
        return grown;
    size_t at = w->count++;
    for (; at > 0 && worse(&w->list[(at - 1) / 2], s); at = (at - 1) / 2)
        w->list[at] = w->list[(at - 1) / 2];
    w->list[at] = *s;
    return 0;
}

static int by_worst(const void *a, const void *b) { return worse(a, b) ? -1 : worse(b, a); }

static gl_send describe(gl_straddles *x, const gl_ended_send *e, const gl_goroutine *g, const gl_overlap *o)
{
    const gl_operation *op = &e->op;
    gl_send s = {
        .g = g->id,
        .group = g->name,
        .recorded = op->recorded,
        .chan = op->chan,
        .site = gl_sites_where(x->sites, op->stack),
        .begin = op->begin,
        .end = e->end,
        .pauses = o->count,
        .overlap_ns = o->ns,
        .woken = op->woken,
        .woken_at = op->woken_at,
        .woken_by = op->woken_by,
        .release_site = gl_sites_where(x->sites, op->wake_stack),
        .released_inside = op->woken && o->mark_inside,
        .delay_ns = e->end >= o->last_end ? e->end - o->last_end : -1,
    };
    s.release = (gl_release)op->release;
    s.release_recorded = op->release_recorded;
    return s;
}

static int compare_send(gl_straddles *x, const gl_ended_send *e)
{
    x->sends_done = e->number;
    bool select = e->op.kind == GL_WAIT_SELECT;
    gl_sends_figures *f = select ? &x->select_figures : &x->send_figures;
    gl_overlap o = gl_ranges_overlap(x->stw, e->op.begin, e->end, true, e->op.woken ? e->op.woken_at : INT64_MIN);
    f->n++;
    f->recorded |= e->op.recorded;
    f->wait_ns += e->end > e->op.begin ? (uint64_t)(e->end - e->op.begin) : 0;
    if (!o.count) {
        f->during_gc += gl_ranges_overlap(x->gc, e->op.begin, e->end, false, 0).count > 0;
        return 0;
    }
    gl_goroutine *g = gl_goroutines_at(x->goroutines, e->slot);
    bool *before = select ? &g->select_straddled : &g->straddled;
    f->goroutines += !*before;
    *before = true;
    f->straddling++;
    f->overlap_ns += o.ns;
    gl_send s = describe(x, e, g, &o);
    f->released_inside += s.released_inside;
    int status = keep_worst(select ? &x->worst_selects : &x->worst_sends, &s);
    return status < 0 ? status : x->on_send && !select ? x->on_send(x->user, &s) : 0;
}

int gl_straddles_send(gl_straddles *x, uint32_t slot, int64_t end)
{
    int status = 0;
    gl_goroutine *g = gl_goroutines_at(x->goroutines, slot);
    if (x->send_count == GL_SENDS_QUEUE)
        status = compare_send(x, &x->sends[x->send_at]);
    else
        x->send_count++;
    g->queued = ++x->number;
    x->sends[x->send_at] = (gl_ended_send){g->op, end, g->queued, slot};
    x->send_at = (x->send_at + 1) % GL_SENDS_QUEUE;
    return status;
}

int gl_straddles_drain(gl_straddles *x)
{
    int status = 0;
    for (; x->wait_count; x->wait_count--)
        compare_wait(x, &x->waits[(x->wait_at + GL_WAITS_QUEUE - x->wait_count) % GL_WAITS_QUEUE]);
    for (; x->send_count && status == 0; x->send_count--)
        status = compare_send(x, &x->sends[(x->send_at + GL_SENDS_QUEUE - x->send_count) % GL_SENDS_QUEUE]);
    return status;
}

int gl_straddles_release(gl_straddles *x, const gl_goroutine *g)
{
    bool waits = x->wait_count && g->queued > x->waits_done, sends = x->send_count && g->queued > x->sends_done;
    return g->queued && (waits || sends) ? gl_straddles_drain(x) : 0;
}

static void sort_worst(gl_worst *w)
{
    if (w->count)
        qsort(w->list, w->count, sizeof *w->list, by_worst);
}

void gl_straddles_finish(gl_straddles *x)
{
    sort_worst(&x->worst_sends);
    sort_worst(&x->worst_selects);
    x->send_figures.worst = x->worst_sends.list;
    x->send_figures.worst_count = x->worst_sends.count;
    x->select_figures.worst = x->worst_selects.list;
    x->select_figures.worst_count = x->worst_selects.count;
}
