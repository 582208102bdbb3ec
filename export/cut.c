#include "golanes_export/cut.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "golanes/transition.h"

#define BATCH 256

typedef struct live {
    uint64_t id, creator;
    uint32_t reason, stack, start_stack, thread, p;
    uint8_t state;
    gl_event *ops; /* that began what it is in, outermost first */
    size_t op_count, op_capacity;
} live;

typedef struct proc {
    uint32_t id, thread;
    uint8_t state;
} proc;

struct gl_cut {
    gl_cut_options opt;
    bool began, follows; /* follows: something lies before the part */
    int64_t first, base, last; /* last: largest time that came out */
    unsigned parts_behind;     /* of the trace, begun behind the cut's end */
    bool done;                 /* nothing more can come out */
    gl_map by_id;
    live *lives;
    uint32_t *free_slots;
    size_t live_capacity, live_count, free_capacity, free_count;
    gl_map proc_of;
    proc *procs;
    size_t proc_capacity, proc_count;
    gl_map task_of;
    gl_event *tasks; /* TaskBegin of those that are open */
    size_t task_capacity, task_count;
    gl_event gc, stw, clock, count; /* newest GCStart or GCActive, GCSTWBegin, ClockSync, ProcsChange */
    bool gc_on, stw_on, clock_known, count_known;
    size_t n;
    gl_event batch[BATCH];
};

gl_cut *gl_cut_new(const gl_cut_options *opt)
{
    gl_cut *c = calloc(1, sizeof *c);
    if (c)
        c->opt = *opt;
    return c;
}

bool gl_cut_done(const gl_cut *c) { return c->done; }

void gl_cut_destroy(gl_cut *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->live_count; i++)
        free(c->lives[i].ops);
    free(c->lives);
    free(c->free_slots);
    free(c->procs);
    free(c->tasks);
    gl_map_clean_up(&c->by_id);
    gl_map_clean_up(&c->proc_of);
    gl_map_clean_up(&c->task_of);
    free(c);
}

bool gl_cut_began(const gl_cut *c, int64_t *first)
{
    *first = c->base;
    return c->began;
}

/* ---- what goes on --------------------------------------------------------------------------------------------------- */

static live *find(gl_cut *c, uint64_t g)
{
    uint32_t at = g ? gl_map_get(&c->by_id, g) : GL_NONE32;
    return at == GL_NONE32 ? NULL : &c->lives[at];
}

static int add(gl_cut *c, uint64_t id, live **out)
{
    uint32_t at = c->free_count ? c->free_slots[c->free_count - 1] : (uint32_t)c->live_count;
    if (GL_GROW(c->lives, c->live_capacity, c->live_count + 1) < 0 ||
        GL_GROW(c->free_slots, c->free_capacity, c->live_count + 1) < 0 || gl_map_put(&c->by_id, id, at) < 0)
        return GL_E_NOMEM;
    if (c->free_count)
        c->free_count--;
    else
        c->live_count++;
    live *l = &c->lives[at];
    *l = (live){.id = id, .ops = l->ops, .op_capacity = l->op_capacity, .thread = GL_NO_THREAD, .p = GL_NO_PROC};
    *out = l;
    return 0;
}

static void drop(gl_cut *c, live *l)
{
    c->free_slots[c->free_count++] = (uint32_t)(l - c->lives);
    gl_map_remove(&c->by_id, l->id);
}

static bool keeps_stack(unsigned type)
{
    return type == GL_EV_GoBlock || type == GL_EV_GoYield || type == GL_EV_GoSyscallBegin || type == GL_EV_GoStatus ||
           type == GL_EV_GoCarried;
}

static int move(gl_cut *c, const gl_event *ev, const gl_transition *t)
{
    live *l = find(c, t->id);
    if (t->to >= GL_G_STATES || t->to == GL_G_UNDETERMINED || t->id == 0)
        return 0;
    if (t->to == GL_G_NOT_EXIST) {
        if (l)
            drop(c, l);
        return 0;
    }
    if (!l && add(c, t->id, &l) < 0)
        return GL_E_NOMEM;
    if (ev->type == GL_EV_GoCreate) {
        l->creator = ev->g;
        l->start_stack = ev->arg[2] <= UINT32_MAX ? (uint32_t)ev->arg[2] : 0;
    } else if (ev->type == GL_EV_GoCarried) {
        l->creator = ev->arg[3];
    }
    bool restated = t->from == t->to;
    l->state = t->to;
    if (!restated || t->reason)
        l->reason = t->to == GL_G_WAITING ? t->reason : 0;
    if (keeps_stack(ev->type) && (ev->stack || !restated))
        l->stack = ev->stack;
    if (t->to == GL_G_RUNNING || t->to == GL_G_SYSCALL) {
        l->thread = ev->thread;
        l->p = ev->p;
    }
    return 0;
}

static int move_proc(gl_cut *c, const gl_event *ev, const gl_transition *t)
{
    uint32_t at = gl_map_get(&c->proc_of, t->id);
    if (at == GL_NONE32) {
        at = (uint32_t)c->proc_count;
        if (GL_GROW(c->procs, c->proc_capacity, c->proc_count + 1) < 0 || gl_map_put(&c->proc_of, t->id, at) < 0)
            return GL_E_NOMEM;
        c->procs[c->proc_count++] = (proc){.id = (uint32_t)t->id};
    }
    c->procs[at].state = t->to;
    c->procs[at].thread = ev->thread;
    return 0;
}

static int begin_op(gl_cut *c, const gl_event *ev)
{
    live *l = find(c, ev->g);
    if (!l)
        return 0;
    if (GL_GROW(l->ops, l->op_capacity, l->op_count + 1) < 0)
        return GL_E_NOMEM;
    l->ops[l->op_count++] = *ev;
    return 0;
}

/* The innermost that ev can be the end of, and what is in it. */
static void end_op(gl_cut *c, const gl_event *ev, unsigned begin)
{
    live *l = find(c, ev->g);
    for (size_t i = l ? l->op_count : 0; i > 0; i--) {
        const gl_event *op = &l->ops[i - 1];
        bool same = op->type == begin &&
                    (begin != GL_EV_RegionBegin || (op->arg[0] == ev->arg[0] && op->arg[1] == ev->arg[1]));
        if (same) {
            l->op_count = i - 1;
            return;
        }
    }
}

static int begin_task(gl_cut *c, const gl_event *ev)
{
    if (gl_map_get(&c->task_of, ev->arg[0]) != GL_NONE32)
        return 0;
    if (GL_GROW(c->tasks, c->task_capacity, c->task_count + 1) < 0 ||
        gl_map_put(&c->task_of, ev->arg[0], (uint32_t)c->task_count) < 0)
        return GL_E_NOMEM;
    c->tasks[c->task_count++] = *ev;
    return 0;
}

static int end_task(gl_cut *c, const gl_event *ev)
{
    uint32_t at = gl_map_get(&c->task_of, ev->arg[0]);
    if (at == GL_NONE32)
        return 0;
    gl_map_remove(&c->task_of, ev->arg[0]);
    c->tasks[at] = c->tasks[--c->task_count];
    return at < c->task_count ? gl_map_put(&c->task_of, c->tasks[at].arg[0], at) : 0;
}

static void note(gl_event *kept, bool *on, const gl_event *ev)
{
    *kept = *ev;
    *on = true;
}

static int follow_other(gl_cut *c, const gl_event *ev)
{
    switch (ev->type) {
    case GL_EV_GCStart:
    case GL_EV_GCActive: note(&c->gc, &c->gc_on, ev); return 0;
    case GL_EV_GCEnd: c->gc_on = false; return 0;
    case GL_EV_GCSTWBegin: note(&c->stw, &c->stw_on, ev); return 0;
    case GL_EV_GCSTWEnd: c->stw_on = false; return 0;
    case GL_EV_ClockSync: note(&c->clock, &c->clock_known, ev); return 0;
    case GL_EV_ProcsChange: note(&c->count, &c->count_known, ev); return 0;
    case GL_EV_RegionBegin:
    case GL_EV_GCMarkAssistBegin:
    case GL_EV_GCSweepBegin:
    case GL_EV_ChanSendBegin:
    case GL_EV_ChanRecvBegin:
    case GL_EV_ChanSelectBegin: return begin_op(c, ev);
    case GL_EV_RegionEnd: end_op(c, ev, GL_EV_RegionBegin); return 0;
    case GL_EV_GCMarkAssistEnd: end_op(c, ev, GL_EV_GCMarkAssistBegin); return 0;
    case GL_EV_GCSweepEnd: end_op(c, ev, GL_EV_GCSweepBegin); return 0;
    case GL_EV_ChanSendEnd: end_op(c, ev, GL_EV_ChanSendBegin); return 0;
    case GL_EV_ChanRecvEnd: end_op(c, ev, GL_EV_ChanRecvBegin); return 0;
    case GL_EV_ChanSelectEnd: end_op(c, ev, GL_EV_ChanSelectBegin); return 0;
    case GL_EV_TaskBegin: return begin_task(c, ev);
    case GL_EV_TaskEnd: return end_task(c, ev);
    default: return 0;
    }
}

static int follow(gl_cut *c, const gl_event *ev)
{
    gl_transition t;
    c->follows = true;
    if (gl_event_proc_transition(ev, &t))
        return move_proc(c, ev, &t);
    return gl_transition_of(ev, &t) ? move(c, ev, &t) : follow_other(c, ev);
}

/* ---- what comes out ------------------------------------------------------------------------------------------------- */

static int flush(gl_cut *c)
{
    size_t n = c->n;
    c->n = 0;
    return n ? c->opt.on_events(c->opt.user, c->batch, n) : 0;
}

static int put(gl_cut *c, const gl_event *ev)
{
    gl_event *out = &c->batch[c->n++];
    *out = *ev;
    if (c->opt.rebase)
        out->time -= c->base;
    if (c->opt.rebase && ev->type == GL_EV_Lost)
        out->arg[2] = (uint64_t)((int64_t)ev->arg[2] - c->base);
    return c->n == BATCH ? flush(c) : 0;
}

/* An event of our own, at the part's first time. */
static int put_own(gl_cut *c, gl_event ev)
{
    ev.time = c->first;
    ev.flags |= GL_FLAG_INFERRED;
    return put(c, &ev);
}

static int put_clock(gl_cut *c)
{
    gl_event ev = {.type = GL_EV_ClockSync, .thread = GL_NO_THREAD, .p = GL_NO_PROC, .arg = {1}};
    uint64_t since = (uint64_t)(c->first - c->clock.time);
    for (unsigned i = 1; i <= 2; i++)
        ev.arg[i] = c->clock_known && c->clock.arg[i] ? c->clock.arg[i] + since : 0;
    return put_own(c, ev);
}

static int by_id(const void *a, const void *b)
{
    const live *x = *(const live *const *)a, *y = *(const live *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int put_goroutine(gl_cut *c, const live *l)
{
    bool on_thread = l->state == GL_G_RUNNING || l->state == GL_G_SYSCALL;
    return put_own(c, (gl_event){.type = GL_EV_GoCarried, .stack = l->stack ? l->stack : l->start_stack,
                                 .thread = on_thread ? l->thread : GL_NO_THREAD,
                                 .p = l->state == GL_G_RUNNING ? l->p : GL_NO_PROC,
                                 .arg = {l->id, l->state, l->reason, l->creator}});
}

static int put_ops(gl_cut *c, const live *l)
{
    int status = 0;
    for (size_t i = 0; i < l->op_count && status == 0; i++)
        status = put_own(c, l->ops[i]);
    return status;
}

static int put_goroutines(gl_cut *c)
{
    size_t n = 0;
    live **sorted = malloc((c->by_id.count + 1) * sizeof *sorted);
    if (!sorted)
        return GL_E_NOMEM;
    for (size_t i = 0; c->by_id.slots && i <= c->by_id.mask; i++)
        if (c->by_id.slots[i].value != GL_NONE32)
            sorted[n++] = &c->lives[c->by_id.slots[i].value];
    qsort(sorted, n, sizeof *sorted, by_id);
    int status = 0;
    for (size_t i = 0; i < n && status == 0; i++)
        status = put_goroutine(c, sorted[i]);
    for (size_t i = 0; i < n && status == 0; i++)
        status = put_ops(c, sorted[i]);
    free(sorted);
    return status;
}

static int put_procs(gl_cut *c)
{
    int status = c->count_known ? put_own(c, c->count) : 0;
    for (size_t i = 0; i < c->proc_count && status == 0; i++) {
        const proc *p = &c->procs[i];
        if (p->state == GL_P_RUNNING || p->state == GL_P_IDLE)
            status = put_own(c, (gl_event){.type = GL_EV_ProcStatus, .p = GL_NO_PROC,
                                           .thread = p->state == GL_P_RUNNING ? p->thread : GL_NO_THREAD,
                                           .arg = {p->id, GL_P_UNDETERMINED, p->state}});
    }
    return status;
}

/* Everything that was going on before the part's first event. */
static int begin(gl_cut *c, int64_t time)
{
    c->began = true;
    c->first = c->base = c->last = time;
    if (!c->follows)
        return 0; /* it begins where the trace does */
    int status = put_clock(c);
    if (status == 0)
        status = put_procs(c);
    for (size_t i = 0; i < c->task_count && status == 0; i++)
        status = put_own(c, c->tasks[i]);
    if (status == 0)
        status = put_goroutines(c);
    if (status == 0 && c->gc_on) {
        gl_event active = c->gc;
        active.type = GL_EV_GCActive;
        active.stack = 0;
        status = put_own(c, active);
    }
    return status == 0 && c->stw_on ? put_own(c, c->stw) : status;
}

static bool restates(unsigned type) { return type == GL_EV_GoStatus || type == GL_EV_ProcStatus || type == GL_EV_ClockSync; }

/*
 * Go tells of a goroutine that does nothing only at the end of the trace's first part, and means that it was there from
 * its start: such a one belongs to what was cut, too. Once a later part has begun there can be no more of them.
 */
static int take_behind(gl_cut *c, const gl_event *ev)
{
    gl_transition t;
    if (ev->type == GL_EV_ClockSync)
        c->parts_behind++;
    else if (c->parts_behind && !restates(ev->type))
        c->done = true;
    if (ev->type != GL_EV_GoStatus || !gl_transition_of(ev, &t) || t.from != GL_G_UNDETERMINED)
        return 0;
    gl_event late = *ev;
    late.time = c->last;
    late.flags |= GL_FLAG_INFERRED;
    return put(c, &late);
}

static int take(gl_cut *c, const gl_event *ev)
{
    if (!c->began) {
        /* States are restated late at the end of a part of Go's traces: their stamps run ahead of what follows. */
        if (ev->time < c->opt.from || (restates(ev->type) && c->opt.from > 0))
            return follow(c, ev);
        int status = begin(c, ev->time);
        if (status < 0)
            return status;
    }
    if (ev->time >= c->opt.to)
        return take_behind(c, ev);
    c->last = ev->time > c->last ? ev->time : c->last;
    return put(c, ev);
}

int gl_cut_sink(void *cut, const gl_event *events, size_t n)
{
    gl_cut *c = cut;
    int status = 0;
    for (size_t i = 0; i < n && status == 0; i++)
        status = take(c, &events[i]);
    return status == 0 ? flush(c) : status;
}
