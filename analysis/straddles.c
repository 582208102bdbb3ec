#include "straddles.h"

#include <stdlib.h>

#define WORST_DEFAULT 10

const char *const gl_operation_name[GL_OPERATION_KINDS] = {"send", "receive", "select", "mutex"};

void gl_straddles_clean_up(gl_straddles *x)
{
    gl_keep_clean_up(&x->worst_sends);
    gl_keep_clean_up(&x->worst_selects);
}

static void compare_wait(gl_straddles *x, const gl_wait *w)
{
    x->waits_done = w->number;
    gl_goroutine *g = gl_goroutines_at(x->goroutines, w->slot);
    if (!gl_ranges_overlap(x->stw, GL_PROCESS_OF(g->id), w->begin, w->end, false, 0).count)
        return;
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
    uint32_t process = GL_PROCESS_OF(g->id);
    uint32_t stw = gl_ranges_met(x->stw, process, g->order, order), gc = gl_ranges_met(x->gc, process, g->order, order);
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
static int by_worst(const void *a, const void *b)
{
    const gl_send *x = a, *y = b;
    if (x->overlap_ns != y->overlap_ns)
        return x->overlap_ns > y->overlap_ns ? -1 : 1;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->g < y->g ? -1 : x->g > y->g;
}

void gl_straddles_init(gl_straddles *x, unsigned worst, gl_send_fn on_send, void *user)
{
    x->worst_sends = (gl_keep){.most = worst ? worst : WORST_DEFAULT, .bytes = sizeof(gl_send), .better = by_worst};
    x->worst_selects = x->worst_sends;
    x->on_send = on_send;
    x->user = user;
}

/* The kind of a wait's operation; what is none is not queued. */
static gl_operation_kind kind_of(const gl_operation *op)
{
    switch (op->kind) {
    case GL_WAIT_RECV: return GL_OPERATION_RECV;
    case GL_WAIT_SELECT: return GL_OPERATION_SELECT;
    case GL_WAIT_SYNC: return GL_OPERATION_MUTEX;
    default: return GL_OPERATION_SEND;
    }
}

static gl_send describe(gl_straddles *x, const gl_ended_send *e, const gl_goroutine *g, const gl_overlap *o)
{
    const gl_operation *op = &e->op;
    gl_send s = {
        .kind = kind_of(op),
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
        .delay_ns = o->count && e->end >= o->last_end ? e->end - o->last_end : -1,
    };
    s.release = (gl_release)op->release;
    s.release_recorded = op->release_recorded;
    return s;
}

/* No pause, but perhaps marking: a fainter class. */
static int compare_with_marking(gl_straddles *x, const gl_ended_send *e, gl_sends_figures *f)
{
    const gl_goroutine *g = gl_goroutines_at(x->goroutines, e->slot);
    gl_overlap o = gl_ranges_overlap(x->gc, GL_PROCESS_OF(g->id), e->op.begin, e->end, false, 0);
    f->during_gc += o.count > 0;
    if (!o.count || !x->on_send)
        return 0;
    gl_overlap none = {.last_end = INT64_MIN};
    gl_send s = describe(x, e, g, &none);
    s.cycle_ns = o.ns;
    s.delay_ns = -1;
    return x->on_send(x->user, &s);
}

static int compare_send(gl_straddles *x, const gl_ended_send *e)
{
    x->sends_done = e->number;
    gl_operation_kind kind = kind_of(&e->op);
    gl_sends_figures *f = &x->figures[kind];
    gl_goroutine *g = gl_goroutines_at(x->goroutines, e->slot);
    gl_overlap o = gl_ranges_overlap(x->stw, GL_PROCESS_OF(g->id), e->op.begin, e->end, true,
                                     e->op.woken ? e->op.woken_at : INT64_MIN);
    f->n++;
    f->recorded |= e->op.recorded;
    f->wait_ns += e->end > e->op.begin ? (uint64_t)(e->end - e->op.begin) : 0;
    if (!o.count)
        return compare_with_marking(x, e, f);
    f->goroutines += !(g->straddled >> kind & 1);
    g->straddled |= (uint8_t)(1u << kind);
    f->straddling++;
    f->overlap_ns += o.ns;
    gl_send s = describe(x, e, g, &o);
    f->released_inside += s.released_inside;
    int status = kind == GL_OPERATION_SEND     ? gl_keep_add(&x->worst_sends, &s)
                 : kind == GL_OPERATION_SELECT ? gl_keep_add(&x->worst_selects, &s)
                                               : 0;
    return status == 0 && x->on_send ? x->on_send(x->user, &s) : status;
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

static void set_worst(gl_keep *worst, gl_sends_figures *f)
{
    gl_keep_sort(worst);
    f->worst = (const gl_send *)(const void *)worst->list;
    f->worst_count = worst->count;
}

void gl_straddles_finish(gl_straddles *x)
{
    set_worst(&x->worst_sends, &x->figures[GL_OPERATION_SEND]);
    set_worst(&x->worst_selects, &x->figures[GL_OPERATION_SELECT]);
}
