#include "inside.h"
#include "spans.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golanes/transition.h"

#define COUNT_NS 10000 /* goroutines by state are told no more often than this */

void ex_spans_init(ex_spans *x, const gl_export_options *opt, const ex_listener *on)
{
    *x = (ex_spans){.on = *on, .dict = opt->dict, .wanted = opt->goroutines, .wanted_count = opt->goroutine_count};
}

void ex_spans_clean_up(ex_spans *x)
{
    for (size_t i = 0; i < x->block_count; i++) {
        for (size_t k = 0; k < EX_BLOCK; k++)
            free(x->blocks[i][k].ops);
        free(x->blocks[i]);
    }
    free(x->blocks);
    free(x->free_slots);
    free(x->procs);
    free(x->tasks);
    gl_map_clean_up(&x->by_id);
    gl_map_clean_up(&x->proc_of);
    gl_map_clean_up(&x->task_of);
}

bool ex_wanted(const uint64_t *sorted, size_t n, uint64_t g)
{
    size_t from = 0;
    if (n == 0)
        return true;
    while (n) {
        size_t half = n / 2;
        if (sorted[from + half] == g)
            return true;
        if (sorted[from + half] < g) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return false;
}

static bool wanted(const ex_spans *x, uint64_t g) { return ex_wanted(x->wanted, x->wanted_count, g); }

static int tell_begin(ex_spans *x, const ex_span *s) { return x->on.begin ? x->on.begin(x->on.user, s) : 0; }
static int tell_end(ex_spans *x, const ex_span *s) { return x->on.end ? x->on.end(x->on.user, s) : 0; }

/* ---- goroutines --------------------------------------------------------------------------------------------------- */

static ex_goroutine *at_slot(const ex_spans *x, uint32_t slot) { return &x->blocks[slot / EX_BLOCK][slot % EX_BLOCK]; }

static ex_goroutine *find(const ex_spans *x, uint64_t g)
{
    uint32_t slot = g ? gl_map_get(&x->by_id, g) : GL_NONE32;
    return slot == GL_NONE32 ? NULL : at_slot(x, slot);
}

const ex_goroutine *ex_spans_goroutine(const ex_spans *x, uint64_t g) { return find(x, g); }

static int add_block(ex_spans *x)
{
    if (x->block_count >= GL_NONE32 / EX_BLOCK)
        return GL_E_LIMIT;
    if (GL_GROW(x->blocks, x->block_capacity, x->block_count + 1) < 0 ||
        GL_GROW(x->free_slots, x->free_capacity, (x->block_count + 1) * EX_BLOCK) < 0)
        return GL_E_NOMEM;
    ex_goroutine *block = calloc(EX_BLOCK, sizeof *block);
    if (!block)
        return GL_E_NOMEM;
    uint32_t first = (uint32_t)x->block_count * EX_BLOCK;
    x->blocks[x->block_count++] = block;
    for (uint32_t i = EX_BLOCK; i-- > 0;)
        x->free_slots[x->free_count++] = first + i;
    return 0;
}

static int add(ex_spans *x, uint64_t id, ex_goroutine **out)
{
    int status = x->free_count ? 0 : add_block(x);
    if (status == 0)
        status = gl_map_put(&x->by_id, id, x->free_slots[x->free_count - 1]);
    if (status < 0)
        return status;
    ex_goroutine *g = at_slot(x, x->free_slots[--x->free_count]);
    *g = (ex_goroutine){.id = id, .ops = g->ops, .op_capacity = g->op_capacity, .p = GL_NO_PROC, .thread = GL_NO_THREAD};
    *out = g;
    return 0;
}

static void drop(ex_spans *x, ex_goroutine *g)
{
    x->free_slots[x->free_count++] = gl_map_get(&x->by_id, g->id); /* its room was made when the record was */
    gl_map_remove(&x->by_id, g->id);
}

static int name_by(ex_spans *x, ex_goroutine *g, uint32_t stack)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(x->dict, stack, &n);
    uint32_t name = n ? gl_dict_get_func(x->dict, gl_dict_get_frame(x->dict, frames[n - 1]).func).name : 0;
    if (g->told && (g->name || !name))
        return 0;
    g->name = name;
    g->told = true;
    return wanted(x, g->id) && x->on.named ? x->on.named(x->on.user, g) : 0;
}

bool ex_spans_first_doing(ex_spans *x, uint64_t id)
{
    ex_goroutine *g = find(x, id);
    bool first = g && !g->doing_told;
    if (g)
        g->doing_told = true;
    return first;
}

size_t ex_goroutine_name(const ex_spans *x, uint64_t g, char *out, size_t size)
{
    const ex_goroutine *live = find(x, g);
    char digits[20];
    size_t length = 0, number = ex_decimal(EX_NUMBER(g), digits), at = number + 2;
    const char *name = live ? gl_dict_text(x->dict, live->name, &length) : "";
    if (size < sizeof digits + 2)
        return 0;
    out[0] = 'G';
    memcpy(out + 1, digits, number);
    if (!length)
        return number + 1;
    out[number + 1] = ' ';
    length = length < size - at ? length : size - at;
    memcpy(out + at, name, length);
    return at + length;
}

const char *ex_state_word(unsigned state)
{
    static const char *const words[GL_G_STATES] = {
        [GL_G_RUNNABLE] = "runnable", [GL_G_RUNNING] = "running", [GL_G_SYSCALL] = "system call", [GL_G_WAITING] = "waiting"};
    return state < GL_G_STATES && words[state] ? words[state] : "not known";
}

/* ---- states --------------------------------------------------------------------------------------------------------- */

static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

static ex_span state_span(const ex_goroutine *g)
{
    return (ex_span){.kind = EX_STATE, .begin = g->since, .g = g->id, .name = g->reason, .stack = g->stack, .p = g->p,
                     .thread = g->thread, .state = g->state, .open_begin = g->open_begin,
                     .flow = g->state == GL_G_RUNNING ? g->woken.flow : 0};
}

static int find_proc(ex_spans *x, uint32_t id, ex_proc **out)
{
    uint32_t at = gl_map_get(&x->proc_of, id);
    if (at == GL_NONE32) {
        at = (uint32_t)x->proc_count;
        if (GL_GROW(x->procs, x->proc_capacity, x->proc_count + 1) < 0 || gl_map_put(&x->proc_of, id, at) < 0)
            return GL_E_NOMEM;
        x->procs[x->proc_count++] = (ex_proc){.last = INT64_MIN};
    }
    *out = &x->procs[at];
    return 0;
}

/* What ran on a P is told when it is over: two Ps may disagree a little on when a goroutine went from one to the other. */
static int tell_run(ex_spans *x, const ex_span *state)
{
    ex_proc *p;
    if (state->p == GL_NO_PROC || !x->on.end)
        return 0;
    int status = find_proc(x, state->p, &p);
    if (status < 0)
        return status;
    ex_span run = *state;
    run.kind = EX_RUN;
    run.begin = later(run.begin, p->last);
    run.end = later(run.end, run.begin);
    p->last = run.end;
    return tell_end(x, &run);
}

static int leave_state(ex_spans *x, ex_goroutine *g, int64_t time, uint64_t waker, bool open_end)
{
    ex_span s = state_span(g);
    s.end = later(time, g->since);
    s.waker = waker;
    s.open_end = open_end;
    g->since = s.end;
    x->in_state[g->state]--;
    x->counts_changed = true;
    if (!wanted(x, g->id))
        return 0;
    int status = tell_end(x, &s);
    return status == 0 && g->state == GL_G_RUNNING ? tell_run(x, &s) : status;
}

static int enter_state(ex_spans *x, ex_goroutine *g, const gl_event *ev, const gl_transition *t)
{
    g->state = t->to;
    g->reason = t->reason;
    g->stack = ev->stack;
    g->p = ev->p;
    g->thread = ev->thread;
    x->in_state[g->state]++;
    x->counts_changed = true;
    if (!wanted(x, g->id))
        return 0;
    int status = 0;
    if (t->to == GL_G_RUNNING && g->woken.g && x->on.wake) {
        g->woken.flow = ++x->flows;
        g->woken.time = g->woken.time < g->since ? g->woken.time : g->since;
        status = x->on.wake(x->on.user, &g->woken);
    }
    ex_span s = state_span(g);
    return status == 0 ? tell_begin(x, &s) : status;
}

static void keep_wake(ex_spans *x, ex_goroutine *g, const gl_event *ev)
{
    const ex_goroutine *by = find(x, ev->g);
    if (!ev->g || !wanted(x, ev->g) || !wanted(x, g->id))
        return;
    g->woken = (ex_wake){.time = by ? later(ev->time, by->since) : ev->time, .waker = ev->g, .g = g->id, .p = ev->p,
                         .stack = ev->stack, .create = ev->type == GL_EV_GoCreate};
}

static int close_ops(ex_spans *x, ex_goroutine *g, size_t keep, int64_t time, bool open_end);

static int end_goroutine(ex_spans *x, ex_goroutine *g)
{
    int status = close_ops(x, g, 0, g->since, false);
    drop(x, g);
    return status;
}

/* First sight of a goroutine that is older than what is at hand. */
static void meet_old(ex_spans *x, ex_goroutine *g, const gl_event *ev, const gl_transition *t)
{
    g->open_begin = true;
    g->since = x->first;
    g->state = t->from == GL_G_UNDETERMINED ? t->to : t->from;
    g->stack = t->from == GL_G_UNDETERMINED ? ev->stack : 0;
    g->p = ev->p;
    g->thread = ev->thread;
    x->in_state[g->state]++;
    x->counts_changed = true;
}

static int meet(ex_spans *x, const gl_event *ev, const gl_transition *t, ex_goroutine **out)
{
    int status = add(x, t->id, out);
    if (status < 0)
        return status;
    ex_goroutine *g = *out;
    if (t->from == GL_G_NOT_EXIST) {
        g->since = ev->time;
        return 0;
    }
    meet_old(x, g, ev, t);
    if (!wanted(x, g->id))
        return 0;
    ex_span s = state_span(g);
    return tell_begin(x, &s);
}

static uint32_t name_stack(const gl_event *ev)
{
    if (ev->type == GL_EV_GoCreate)
        return ev->arg[2] <= UINT32_MAX ? (uint32_t)ev->arg[2] : 0;
    return ev->type == GL_EV_GoUnpark || ev->type == GL_EV_GoStart ? 0 : ev->stack;
}

static int change(ex_spans *x, ex_goroutine *g, const gl_event *ev, const gl_transition *t)
{
    bool wakes = t->to == GL_G_RUNNABLE && (ev->type == GL_EV_GoUnpark || ev->type == GL_EV_GoCreate);
    int status = t->from == GL_G_NOT_EXIST ? 0 : leave_state(x, g, ev->time, ev->type == GL_EV_GoUnpark ? ev->g : 0, false);
    g->open_begin = false;
    if (status < 0 || t->to == GL_G_NOT_EXIST)
        return status < 0 ? status : end_goroutine(x, g);
    if (wakes || t->from == GL_G_RUNNING)
        g->woken = (ex_wake){0};
    if (wakes)
        keep_wake(x, g, ev);
    return enter_state(x, g, ev, t);
}

static int move(ex_spans *x, const gl_event *ev, const gl_transition *t)
{
    if (t->from >= GL_G_STATES || t->to >= GL_G_STATES || t->to == GL_G_UNDETERMINED || t->id == 0)
        return 0;
    ex_goroutine *g = find(x, t->id);
    bool known = g != NULL;
    int status = 0;
    if (known && t->from == GL_G_NOT_EXIST) { /* damage hid its end */
        status = leave_state(x, g, ev->time, 0, false);
        if (status == 0)
            status = end_goroutine(x, g);
        known = false;
    }
    if (status == 0 && !known)
        status = meet(x, ev, t, &g);
    if (status == 0)
        status = name_by(x, g, name_stack(ev));
    if (status < 0 || t->from == GL_G_UNDETERMINED)
        return status;
    if (t->from != t->to)
        return change(x, g, ev, t);
    if (t->reason && !g->reason)
        g->reason = t->reason;
    return 0;
}

/* ---- what goroutines do, nested ------------------------------------------------------------------------------------ */

static int close_op(ex_spans *x, ex_goroutine *g, int64_t time, bool open_end)
{
    ex_span s = g->ops[--g->op_count];
    s.end = later(time, s.begin);
    s.open_end = open_end;
    return wanted(x, g->id) ? tell_end(x, &s) : 0;
}

static int close_ops(ex_spans *x, ex_goroutine *g, size_t keep, int64_t time, bool open_end)
{
    int status = 0;
    while (status == 0 && g->op_count > keep)
        status = close_op(x, g, time, open_end);
    return status;
}

static ex_span op_of(const ex_spans *x, const gl_event *ev, ex_kind kind)
{
    (void)x;
    ex_span s = {.kind = (uint8_t)kind, .begin = ev->time, .g = ev->g, .stack = ev->stack, .p = ev->p, .thread = ev->thread};
    if (kind == EX_REGION) {
        s.task = ev->arg[0];
        s.name = (uint32_t)ev->arg[1];
    } else if (kind == EX_CHAN) {
        s.op = ev->type;
        s.chan = ev->type == GL_EV_ChanSelectBegin ? 0 : ev->arg[0];
    }
    return s;
}

static int begin_op(ex_spans *x, const gl_event *ev, ex_kind kind)
{
    ex_goroutine *g = find(x, ev->g);
    if (!g)
        return 0;
    if (GL_GROW(g->ops, g->op_capacity, g->op_count + 1) < 0)
        return GL_E_NOMEM;
    ex_span s = op_of(x, ev, kind);
    if (g->op_count)
        s.begin = later(s.begin, g->ops[g->op_count - 1].begin);
    g->ops[g->op_count++] = s;
    return wanted(x, g->id) ? tell_begin(x, &s) : 0;
}

/* Its begin is not in the trace: it goes on from the start. What is open began later, and so is within it. */
static int end_old_op(ex_spans *x, ex_goroutine *g, const gl_event *ev, ex_kind kind)
{
    ex_span s = op_of(x, ev, kind);
    int status = close_ops(x, g, 0, ev->time, false);
    s.begin = x->first;
    s.end = later(ev->time, s.begin);
    s.open_begin = true;
    s.stack = 0;
    if (status < 0 || kind != EX_REGION || !wanted(x, g->id))
        return status;
    status = tell_begin(x, &s);
    return status == 0 ? tell_end(x, &s) : status;
}

static int end_op(ex_spans *x, const gl_event *ev, ex_kind kind)
{
    ex_goroutine *g = find(x, ev->g);
    if (!g)
        return 0;
    size_t i = g->op_count;
    for (; i > 0; i--) {
        const ex_span *s = &g->ops[i - 1];
        if (s->kind == kind && (kind != EX_REGION || (s->task == ev->arg[0] && s->name == (uint32_t)ev->arg[1])))
            break;
    }
    if (i == 0)
        return end_old_op(x, g, ev, kind);
    if (ev->type == GL_EV_ChanSelectEnd)
        g->ops[i - 1].chan = ev->arg[0];
    return close_ops(x, g, i - 1, ev->time, false);
}

/* ---- the program's tasks ------------------------------------------------------------------------------------------- */

static int begin_task(ex_spans *x, const gl_event *ev)
{
    ex_span s = {.kind = EX_TASK, .begin = ev->time, .g = ev->g, .task = ev->arg[0], .parent = ev->arg[1],
                 .name = (uint32_t)ev->arg[2], .stack = ev->stack, .p = ev->p, .thread = ev->thread};
    if (gl_map_get(&x->task_of, s.task) != GL_NONE32)
        return 0;
    if (GL_GROW(x->tasks, x->task_capacity, x->task_count + 1) < 0 ||
        gl_map_put(&x->task_of, s.task, (uint32_t)x->task_count) < 0)
        return GL_E_NOMEM;
    x->tasks[x->task_count++] = (ex_task){s.task, s};
    return wanted(x, s.g) ? tell_begin(x, &s) : 0;
}

/* The last one takes its place. */
static int drop_task(ex_spans *x, uint32_t at)
{
    gl_map_remove(&x->task_of, x->tasks[at].id);
    x->tasks[at] = x->tasks[--x->task_count];
    return at < x->task_count ? gl_map_put(&x->task_of, x->tasks[at].id, at) : 0;
}

static int end_task(ex_spans *x, const gl_event *ev)
{
    uint32_t at = gl_map_get(&x->task_of, ev->arg[0]);
    if (at != GL_NONE32) {
        ex_span s = x->tasks[at].span;
        s.end = later(ev->time, s.begin);
        int status = drop_task(x, at);
        return status == 0 && wanted(x, s.g) ? tell_end(x, &s) : status;
    }
    ex_span s = {.kind = EX_TASK, .begin = x->first, .end = later(ev->time, x->first), .g = ev->g, .task = ev->arg[0],
                 .open_begin = true, .p = ev->p, .thread = ev->thread};
    if (!wanted(x, s.g))
        return 0;
    int status = tell_begin(x, &s);
    return status == 0 ? tell_end(x, &s) : status;
}

/* ---- the collector -------------------------------------------------------------------------------------------------- */

static bool is_gc_reason(const ex_spans *x, uint32_t reason)
{
    const char *text = gl_dict_text(x->dict, reason, NULL);
    return strstr(text, "mark termination") || strstr(text, "sweep termination");
}

static int begin_alone(ex_spans *x, ex_span *s, bool *on, const gl_event *ev, ex_kind kind, bool open)
{
    if (*on)
        return 0;
    *s = (ex_span){.kind = (uint8_t)kind, .begin = open ? x->first : later(ev->time, s->end), .g = ev->g, .stack = ev->stack,
                   .p = ev->p, .thread = ev->thread, .open_begin = open};
    if (kind == EX_STW) {
        s->name = (uint32_t)ev->arg[0];
        s->gc = is_gc_reason(x, s->name);
    }
    *on = true;
    return tell_begin(x, s);
}

static int end_alone(ex_spans *x, ex_span *s, bool *on, const gl_event *ev, ex_kind kind)
{
    int status = *on ? 0 : begin_alone(x, s, on, ev, kind, true);
    s->end = later(ev->time, s->begin);
    *on = false;
    return status == 0 ? tell_end(x, s) : status;
}

/* ---- everything else ------------------------------------------------------------------------------------------------ */

static int count(ex_spans *x, int64_t time, ex_counter c, uint64_t value)
{
    return x->on.count ? x->on.count(x->on.user, time, c, value) : 0;
}

static int count_states(ex_spans *x)
{
    static const struct {
        ex_counter counter;
        gl_gstate state;
    } told[] = {{EX_RUNNING, GL_G_RUNNING}, {EX_RUNNABLE, GL_G_RUNNABLE}, {EX_WAITING, GL_G_WAITING}, {EX_IN_SYSCALL, GL_G_SYSCALL}};
    int status = 0;
    for (size_t i = 0; i < sizeof told / sizeof *told && status == 0; i++)
        status = count(x, x->clock, told[i].counter, x->in_state[told[i].state]);
    x->counted_at = x->clock;
    x->counts_changed = false;
    return status;
}

static int take_other(ex_spans *x, const gl_event *ev)
{
    switch (ev->type) {
    case GL_EV_GCStart: return begin_alone(x, &x->gc, &x->gc_on, ev, EX_GC, false);
    case GL_EV_GCActive: return begin_alone(x, &x->gc, &x->gc_on, ev, EX_GC, true);
    case GL_EV_GCEnd: return end_alone(x, &x->gc, &x->gc_on, ev, EX_GC);
    case GL_EV_GCSTWBegin: return begin_alone(x, &x->stw, &x->stw_on, ev, EX_STW, false);
    case GL_EV_GCSTWEnd: return end_alone(x, &x->stw, &x->stw_on, ev, EX_STW);
    case GL_EV_GCMarkAssistBegin: return begin_op(x, ev, EX_ASSIST);
    case GL_EV_GCMarkAssistEnd: return end_op(x, ev, EX_ASSIST);
    case GL_EV_GCSweepBegin: return begin_op(x, ev, EX_SWEEP);
    case GL_EV_GCSweepEnd: return end_op(x, ev, EX_SWEEP);
    case GL_EV_ChanSendBegin:
    case GL_EV_ChanRecvBegin:
    case GL_EV_ChanSelectBegin: return begin_op(x, ev, EX_CHAN);
    case GL_EV_ChanSendEnd:
    case GL_EV_ChanRecvEnd:
    case GL_EV_ChanSelectEnd: return end_op(x, ev, EX_CHAN);
    case GL_EV_RegionBegin: return begin_op(x, ev, EX_REGION);
    case GL_EV_RegionEnd: return end_op(x, ev, EX_REGION);
    case GL_EV_TaskBegin: return begin_task(x, ev);
    case GL_EV_TaskEnd: return end_task(x, ev);
    case GL_EV_HeapLive: return count(x, ev->time, EX_HEAP_LIVE, ev->arg[0]);
    case GL_EV_HeapGoal: return count(x, ev->time, EX_HEAP_GOAL, ev->arg[0]);
    case GL_EV_ProcsChange: return count(x, ev->time, EX_PROCS, ev->arg[0]);
    case GL_EV_UserLog:
    case GL_EV_CPUSample:
    case GL_EV_Panic:
    case GL_EV_ChanMake:
    case GL_EV_ChanClose:
    case GL_EV_Lost: return x->on.mark && (!ev->g || wanted(x, ev->g)) ? x->on.mark(x->on.user, ev, ev->time) : 0;
    default: return 0;
    }
}

int ex_spans_take(ex_spans *x, const gl_event *ev)
{
    gl_transition t;
    if (!x->begun) {
        x->begun = true;
        x->first = x->clock = x->counted_at = ev->time;
        x->gc.end = x->stw.end = ev->time;
    }
    if (ev->type != GL_EV_ClockSync)
        x->clock = later(x->clock, ev->time);
    int status = gl_transition_of(ev, &t) ? move(x, ev, &t) : take_other(x, ev);
    if (status == 0 && x->counts_changed && x->clock - x->counted_at >= COUNT_NS)
        status = count_states(x);
    return status;
}

static int finish_goroutine(ex_spans *x, ex_goroutine *g)
{
    int status = leave_state(x, g, x->clock, 0, true);
    return status == 0 ? close_ops(x, g, 0, x->clock, true) : status;
}

int ex_spans_finish(ex_spans *x)
{
    int status = x->counts_changed ? count_states(x) : 0;
    for (size_t i = 0; x->by_id.slots && i <= x->by_id.mask && status == 0; i++)
        if (x->by_id.slots[i].value != GL_NONE32)
            status = finish_goroutine(x, at_slot(x, x->by_id.slots[i].value));
    for (size_t i = 0; i < x->task_count && status == 0; i++) {
        ex_span s = x->tasks[i].span;
        s.end = later(x->clock, s.begin);
        s.open_end = true;
        status = wanted(x, s.g) ? tell_end(x, &s) : 0;
    }
    x->gc.open_end = x->stw.open_end = true;
    x->gc.end = later(x->clock, x->gc.begin);
    x->stw.end = later(x->clock, x->stw.begin);
    if (status == 0 && x->gc_on)
        status = tell_end(x, &x->gc);
    if (status == 0 && x->stw_on)
        status = tell_end(x, &x->stw);
    return status;
}
