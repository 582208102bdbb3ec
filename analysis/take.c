/*
 * The hot path of a summary: what every event does. Written so that the type of an event is asked once, after which the
 * compiler knows which states it leads from and to.
 */
#include "golanes/transition.h"
#include "inside.h"

#define INLINE static inline __attribute__((always_inline))

static int close_wait(gl_summary *s, gl_goroutine *g, uint32_t slot, int64_t end, uint64_t ns, bool spread)
{
    gl_waited *w = gl_goroutine_waited(g, g->reason);
    if (!w)
        return GL_E_NOMEM;
    w->ns += ns;
    gl_stack_facts *k = spread ? gl_sites_get(&s->sites, g->wait_stack) : NULL;
    if (k) {
        k->wait_ns += ns;
        k->waits_ended++;
    }
    int status = gl_straddles_wait(&s->straddles, slot, end, s->order);
    return status == 0 && spread ? gl_dist_add(&s->reasons.list[g->reason].wait, ns) : status;
}

/* A span that is over counts where its beginning was seen; time counts always. state is g->state. */
INLINE int close_span(gl_summary *s, gl_goroutine *g, uint32_t slot, unsigned state, int64_t end, bool finished)
{
    uint64_t ns = end > g->since ? (uint64_t)(end - g->since) : 0;
    bool spread = finished && !g->since_open;
    g->ns[state] += ns;
    switch (state) {
    case GL_G_RUNNING: return spread ? gl_dist_add(&s->running, ns) : 0;
    case GL_G_RUNNABLE: return spread ? gl_dist_add(&s->runnable, ns) : 0;
    case GL_G_SYSCALL: return spread ? gl_dist_add(&s->syscall, ns) : 0;
    case GL_G_WAITING: return close_wait(s, g, slot, end, ns, spread);
    default: return 0;
    }
}

/* The state that a damaged trace has led to need not be the one that an event expects. */
int gl_close_span(gl_summary *s, gl_goroutine *g, uint32_t slot, int64_t end, bool finished)
{
    return close_span(s, g, slot, g->state, end, finished);
}

static int wake(gl_summary *s, gl_goroutine *g, const gl_event *ev)
{
    s->result.unparks++;
    s->result.unparks_by_goroutine += ev->g != 0;
    uint8_t kind = s->reasons.list[g->reason].kind;
    if (kind == GL_WAIT_SEND || kind == GL_WAIT_RECV || kind == GL_WAIT_SELECT) {
        g->op.release = (uint8_t)gl_summary_release_of(s, ev->g, ev->stack, &g->op.release_recorded);
        s->result.released[kind - GL_WAIT_SEND][g->op.release]++;
        s->result.released_recorded += g->op.release_recorded;
    }
    g->op.woken = true;
    g->op.woken_at = ev->time;
    g->op.woken_by = ev->g;
    g->op.wake_stack = ev->stack;
    if (!ev->g || g->last_waker == ev->g)
        return 0;
    g->last_waker = ev->g;
    return gl_pairs_add(&s->wakes, (gl_pair){ev->g, g->id});
}

/* An imported trace shows a channel operation only where it blocks. */
static void begin_wait(gl_summary *s, gl_goroutine *g, const gl_event *ev, const gl_transition *t)
{
    g->reason = gl_reasons_find(&s->reasons, t->reason);
    g->wait_stack = ev->stack;
    gl_reason *r = &s->reasons.list[g->reason];
    r->figures.blocks += t->from == GL_G_RUNNING;
    gl_stack_facts *k = gl_sites_get(&s->sites, ev->stack);
    if (k) {
        k->waits++;
        k->wait_reason = t->reason;
    }
    /* A recorder that takes no stack at each operation takes one where the goroutine parks: the same place. */
    if (g->op.recorded && g->op.kind && !g->op.stack)
        g->op.stack = ev->stack;
    if (!g->op.recorded && (r->kind == GL_WAIT_SEND || r->kind == GL_WAIT_RECV || r->kind == GL_WAIT_SELECT ||
                            (r->kind == GL_WAIT_SYNC && (s->straddles.watched >> GL_OPERATION_MUTEX & 1))))
        g->op = (gl_operation){.kind = r->kind, .stack = ev->stack, .begin = ev->time};
}

static int end_operation(gl_summary *s, gl_goroutine *g, uint32_t slot, int64_t time)
{
    bool counts = (g->op.kind != GL_WAIT_RECV || (s->straddles.watched >> GL_OPERATION_RECV & 1)) && !g->since_open;
    int status = counts ? gl_straddles_send(&s->straddles, slot, time) : 0;
    g->op = (gl_operation){0};
    return status;
}

INLINE int enter_state(gl_summary *s, gl_goroutine *g, uint32_t slot, const gl_event *ev, const gl_transition *t)
{
    g->state = t->to;
    if (t->to == GL_G_WAITING)
        begin_wait(s, g, ev, t);
    if (t->from == GL_G_RUNNING && t->to == GL_G_RUNNABLE)
        s->reasons.list[gl_reasons_find(&s->reasons, t->reason)].figures.stops++;
    if (t->to == GL_G_RUNNING && g->started < 0)
        g->started = ev->time;
    return t->to == GL_G_RUNNING && g->op.kind && !g->op.recorded ? end_operation(s, g, slot, ev->time) : 0;
}

/* The goroutine is where the event expects it, or was led elsewhere by damage. */
INLINE int change(gl_summary *s, gl_goroutine *g, uint32_t slot, const gl_event *ev, const gl_transition *t)
{
    int status = 0;
    if (t->from == GL_G_WAITING && t->to == GL_G_RUNNABLE)
        status = wake(s, g, ev);
    if (g->gc_work && status == 0)
        status = gl_mmu_move(gl_summary_mmu(s, GL_PROCESS_OF(g->id)), ev->time, g, gl_summary_proc_in(s, ev->p), t->from, t->to);
    if (status == 0)
        status = g->state == t->from ? close_span(s, g, slot, t->from, ev->time, true)
                                     : gl_close_span(s, g, slot, ev->time, true);
    if (s->watched_spans && status == 0)
        status = gl_watch_span(s, g, ev, t->from, ev->time);
    g->since = ev->time;
    g->order = s->order;
    if (status == 0)
        status = enter_state(s, g, slot, ev, t);
    g->since_open = false;
    return status == 0 && t->to == GL_G_NOT_EXIST ? gl_end_goroutine(s, g, slot, ev->time) : status;
}

/* Inlined once for each type of event, where most of its questions are answered. */
INLINE int move(gl_summary *s, const gl_event *ev)
{
    gl_transition t;
    if (!gl_transition_of(ev, &t) || t.from >= GL_G_STATES || t.to >= GL_G_STATES || t.to == GL_G_UNDETERMINED ||
        t.id == GL_NO_GOROUTINE)
        return 0;
    s->result.goroutine_moves[t.from][t.to]++;
    uint32_t slot = gl_goroutines_find(&s->goroutines, t.id);
    int status = slot == GL_NONE32 ? gl_meet_goroutine(s, ev, &t, &slot) : 0;
    if (status < 0)
        return status;
    gl_goroutine *g = gl_goroutines_at(&s->goroutines, slot);
    g->transitions += t.from != t.to;
    if (t.from == GL_G_NOT_EXIST)
        gl_create_goroutine(s, g, ev);
    else if (!g->name && ev->type != GL_EV_GoUnpark && ev->type != GL_EV_GoStart)
        gl_name_goroutine(s, g, ev->stack);
    if (t.from == t.to)
        return 0;
    if (t.from == GL_G_UNDETERMINED) {
        g->wait_stack = ev->stack;
        if (ev->type == GL_EV_GoCarried)
            gl_carry_goroutine(s, g, ev);
        return 0;
    }
    return change(s, g, slot, ev, &t);
}

/* Threads are counted by the system's number for them: several entries of the table may stand for one. */
static int see_thread(gl_summary *s, uint32_t thread)
{
    int status = 0;
    if (thread == GL_NO_THREAD || thread >= gl_dict_thread_count(s->dict) ||
        !gl_bits_set(&s->threads_seen, thread, &status))
        return status;
    gl_thread_info info = gl_dict_get_thread(s->dict, thread);
    return gl_map_put(&s->tids, info.tid ^ (uint64_t)info.process << 48, 0);
}

INLINE int take(gl_summary *s, const gl_event *ev)
{
    int status = 0;
    s->order++;
    s->result.by_type[ev->type < GL_EV_LIMIT ? ev->type : 0]++;
    s->result.with_stack += ev->stack != 0;
    gl_sites_get(&s->sites, ev->stack);
    if (!gl_bits_get(&s->threads_seen, ev->thread))
        status = see_thread(s, ev->thread);
    if (ev->time > s->result.end_ns && ev->type != GL_EV_ClockSync)
        s->result.end_ns = ev->time;
    if (status < 0)
        return status;
    switch (ev->type) {
    case GL_EV_GoStart: return move(s, ev);
    case GL_EV_GoBlock: return move(s, ev);
    case GL_EV_GoUnpark: return move(s, ev);
    case GL_EV_GoYield: return move(s, ev);
    case GL_EV_GoSyscallBegin: return move(s, ev);
    case GL_EV_GoSyscallEnd:
    case GL_EV_GoCreate:
    case GL_EV_GoEnd:
    case GL_EV_GoStatus: return move(s, ev);
    case GL_EV_GoCarried: return move(s, ev);
    default: return gl_take_other(s, ev);
    }
}

/* Stamps of a damaged trace can be anything; within 73 years of time 0 no difference or sum of two overflows. */
#define TIME_MAX (INT64_C(1) << 61)

static int64_t bounded(int64_t time) { return time < -TIME_MAX ? -TIME_MAX : time > TIME_MAX ? TIME_MAX : time; }

static int take_bounded(gl_summary *s, const gl_event *ev)
{
    gl_event copy = *ev;
    copy.time = bounded(ev->time);
    return take(s, &copy);
}

int gl_summary_sink(void *summary, const gl_event *events, size_t n)
{
    gl_summary *s = summary;
    if (s->finished)
        return GL_E_USAGE;
    if (!s->mmu.begun && n && s->status == 0)
        s->status = gl_mmu_begin(&s->mmu, bounded(events[0].time));
    for (size_t i = 0; i < n && s->status == 0; i++) {
        s->status = events[i].time == bounded(events[i].time) ? take(s, &events[i]) : take_bounded(s, &events[i]);
        if (s->watched_events && s->status == 0)
            s->status = gl_watch_event(s, &events[i]);
    }
    s->result.events += n;
    if (s->status == 0)
        s->status = s->reasons.status < 0 ? s->reasons.status : s->sites.status;
    if (s->status == 0)
        s->status = s->mmu_status;
    return s->status;
}
