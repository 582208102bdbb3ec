/*
 * Rules for Ps and for the collector. See v2_rules.h.
 */
#include "v2_rules.h"

/* Ps */

int gl_v2_rule_proc_start(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint32_t i = gl_v2_p_find(&o->state, ev->arg[0]);
    if (ev->arg[0] >= GL_NO_PROC)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_p *p = i != V2_NONE ? gl_v2_p_at(&o->state, i) : NULL;
    unsigned v = p ? p_is(p, V2_P_IDLE, V2_WAIT) : V2_WAIT;
    if (v == V2_OK && !p_follows(o, p, ev->arg[1]))
        v = V2_WAIT;
    if (m->p != V2_NONE)
        v = worse(v, gl_v2_p_at(&o->state, m->p)->status == V2_P_DOUBTFUL ? V2_DOUBT : V2_WAIT);
    else if (v <= V2_DOUBT && nobody(o, m))
        v = V2_BAD;
    if (!go_on(o, v, force))
        return (int)v;
    if (i == V2_NONE && (i = gl_v2_p_add(&o->state, (uint32_t)ev->arg[0])) == V2_NONE)
        return GL_E_NOMEM;
    gl_event *out = emit(o, m, ev, GL_EV_ProcStart);
    out->arg[0] = ev->arg[0];
    if (v != V2_OK) {
        gl_v2_m *owner = gl_v2_p_owner(&o->state, i);
        if (owner)
            gl_v2_m_drop_p(owner);
        if (m->p != V2_NONE)
            gl_v2_p_at(&o->state, m->p)->status = V2_P_DOUBTFUL;
    }
    p_set(o, gl_v2_p_at(&o->state, i), V2_P_RUNNING, ev->arg[1]);
    gl_v2_m_bind_p(&o->state, m, i);
    return V2_OK;
}

int gl_v2_rule_proc_stop(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (m->p == V2_NONE)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_p *p = gl_v2_p_at(&o->state, m->p);
    unsigned v = p->status == V2_P_RUNNING ? V2_OK : p_is(p, V2_P_SYSCALL, V2_BAD);
    if (!go_on(o, v, force))
        return (int)v;
    emit(o, m, ev, GL_EV_ProcStop)->arg[0] = p->id;
    p->status = V2_P_IDLE;
    gl_v2_m_drop_p(m);
    return V2_OK;
}

/* The P is taken from the thread that the event names, which may be the thread's own. */
static unsigned steal_verdict(const gl_v2_order *o, const gl_v2_m *m, const gl_v2_event *ev, uint32_t i)
{
    const gl_v2_p *p = gl_v2_p_at(&o->state, i);
    unsigned v = p->status == V2_P_ABANDONED ? V2_OK : p_is(p, V2_P_SYSCALL, V2_WAIT);
    if (v != V2_OK)
        return v;
    if (!p_follows(o, p, ev->arg[1]))
        return V2_WAIT;
    if (nobody(o, m))
        return V2_BAD;
    if (p->status == V2_P_ABANDONED)
        return V2_OK;
    const gl_v2_m *from = ev->arg[2] == m->id ? m : gl_v2_m_find(&o->state, ev->arg[2]);
    return from && from->p == i ? V2_OK : V2_BAD;
}

int gl_v2_rule_proc_steal(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint32_t i = gl_v2_p_find(&o->state, ev->arg[0]);
    if (ev->arg[0] >= GL_NO_PROC)
        return force ? V2_SKIP : V2_BAD;
    unsigned v = i != V2_NONE ? steal_verdict(o, m, ev, i) : V2_WAIT;
    if (!go_on(o, v, force))
        return (int)v;
    if (i == V2_NONE && (i = gl_v2_p_add(&o->state, (uint32_t)ev->arg[0])) == V2_NONE)
        return GL_E_NOMEM;
    gl_v2_p *p = gl_v2_p_at(&o->state, i);
    gl_event *out = emit(o, m, ev, GL_EV_ProcSteal);
    out->arg[0] = p->id;
    out->arg[1] = p->status == V2_P_ABANDONED || p->status == V2_P_IDLE ? GL_P_IDLE : GL_P_RUNNING;
    out->arg[2] = gl_v2_order_thread(o, ev->arg[2]);
    gl_v2_m *owner = p->status == V2_P_ABANDONED ? NULL : gl_v2_p_owner(&o->state, i);
    if (owner)
        gl_v2_m_drop_p(owner);
    p_set(o, p, V2_P_IDLE, ev->arg[1]);
    return V2_OK;
}

/* What a status is called in Go's interface: an abandoned P looks idle. */
static uint64_t p_shown(uint64_t status)
{
    return status == V2_P_RUNNING || status == V2_P_SYSCALL ? GL_P_RUNNING : GL_P_IDLE;
}

/* The state before, as Go shows it; *verdict where it contradicts. */
static uint64_t p_state_before(const gl_v2_order *o, const gl_v2_p *p, unsigned status, unsigned *verdict)
{
    if (!p)
        return o->initial ? GL_P_UNDETERMINED : GL_P_NOT_EXIST;
    if (p->status == status || (status == V2_P_ABANDONED && p->status == V2_P_SYSCALL))
        return p_shown(p->status);
    *verdict = p->status == V2_P_DOUBTFUL || o->lenient ? V2_DOUBT : V2_BAD;
    return p->status == V2_P_DOUBTFUL ? GL_P_UNDETERMINED : p_shown(p->status);
}

int gl_v2_rule_proc_status(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint64_t id = ev->arg[0], status = ev->arg[1];
    if (id >= GL_NO_PROC || status == 0 || status >= V2_P_STATUSES)
        return force ? V2_SKIP : V2_BAD;
    uint32_t i = gl_v2_p_find(&o->state, id);
    unsigned v = V2_OK;
    uint64_t from = p_state_before(o, i != V2_NONE ? gl_v2_p_at(&o->state, i) : NULL, (unsigned)status, &v);
    const gl_v2_m *context = m;
    /* A P that is about to be taken from a system call: shown on the thread that still has it. */
    if (i != V2_NONE && v == V2_OK && status == V2_P_ABANDONED && gl_v2_p_at(&o->state, i)->status == V2_P_SYSCALL) {
        context = gl_v2_p_owner(&o->state, i);
        if (!context && !o->lenient)
            v = V2_BAD;
        else
            status = V2_P_SYSCALL;
    }
    if (!go_on(o, v, force))
        return (int)v;
    if (i == V2_NONE && (i = gl_v2_p_add(&o->state, (uint32_t)id)) == V2_NONE)
        return GL_E_NOMEM;
    gl_event *out = emit(o, context ? context : m, ev, GL_EV_ProcStatus);
    out->arg[0] = id;
    out->arg[1] = from;
    out->arg[2] = p_shown(status);
    p_set(o, gl_v2_p_at(&o->state, i), (uint8_t)status, 0);
    if (ev->arg[1] == V2_P_RUNNING || ev->arg[1] == V2_P_SYSCALL)
        gl_v2_m_bind_p(&o->state, m, i);
    return V2_OK;
}

/* The collector */

int gl_v2_rule_gc_mark(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    bool on = ev->type != V2_EV_GCEnd, begin = ev->type == V2_EV_GCBegin;
    bool first = begin ? o->gc_state == GC_UNKNOWN : ev->type == V2_EV_GCActive && o->initial;
    unsigned v = V2_OK;
    if (o->gc_state == GC_DOUBTFUL)
        v = V2_DOUBT;
    else if (first)
        v = o->gc_state == GC_UNKNOWN ? V2_OK : V2_BAD;
    else if (ev->arg[0] != o->gc_seq + 1)
        v = V2_WAIT;
    else
        v = o->gc_state != (begin ? GC_OFF : GC_ON) ? V2_BAD : needs_user(m);
    if (!go_on(o, v, force))
        return (int)v;
    o->gc_seq = ev->arg[0];
    o->gc_state = on ? GC_ON : GC_OFF;
    gl_event *out = emit(o, m, ev, begin ? GL_EV_GCStart : on ? GL_EV_GCActive : GL_EV_GCEnd);
    out->arg[0] = ev->arg[0];
    if (begin)
        out->stack = gl_v2_order_stack(o, ev->arg[1]);
    return V2_OK;
}

int gl_v2_rule_gc_sweep(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    unsigned v = m->p == V2_NONE ? V2_BAD : V2_OK;
    if (!go_on(o, v, force))
        return (int)v;
    if (ev->type == V2_EV_GCSweepBegin) {
        emit(o, m, ev, GL_EV_GCSweepBegin)->stack = gl_v2_order_stack(o, ev->arg[0]);
        return V2_OK;
    }
    gl_event *out = emit(o, m, ev, GL_EV_GCSweepEnd);
    out->arg[0] = ev->arg[0];
    out->arg[1] = ev->arg[1];
    return V2_OK;
}

int gl_v2_rule_gc_sweep_active(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (ev->arg[0] >= GL_NO_PROC)
        return force ? V2_SKIP : V2_BAD;
    unsigned v = gl_v2_p_find(&o->state, ev->arg[0]) == V2_NONE ? V2_BAD : V2_OK;
    if (!go_on(o, v, force))
        return (int)v;
    emit(o, m, ev, GL_EV_GCSweepActive)->arg[0] = ev->arg[0];
    return V2_OK;
}

int gl_v2_rule_gc_assist(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    unsigned v = worse(needs_user(m), current(o, m) ? V2_OK : V2_BAD);
    if (!go_on(o, v, force))
        return (int)v;
    if (ev->type == V2_EV_GCMarkAssistBegin)
        emit(o, m, ev, GL_EV_GCMarkAssistBegin)->stack = gl_v2_order_stack(o, ev->arg[0]);
    else
        emit(o, m, ev, GL_EV_GCMarkAssistEnd);
    return V2_OK;
}

int gl_v2_rule_gc_assist_active(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (!good_goroutine(ev->arg[0]))
        return force ? V2_SKIP : V2_BAD;
    unsigned v = gl_v2_g_find(&o->state, ev->arg[0]) ? V2_OK : V2_BAD;
    if (!go_on(o, v, force))
        return (int)v;
    emit(o, m, ev, GL_EV_GCMarkAssistActive)->arg[0] = ev->arg[0];
    return V2_OK;
}

/* Stops of the world under way, by goroutine: there is one at a time, but a trace may say what it likes. */
int gl_v2_rule_stw_begin(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    unsigned v = worse(needs_user(m), current(o, m) ? V2_OK : V2_BAD);
    if (!go_on(o, v, force))
        return (int)v;
    uint32_t reason = gl_v2_order_string(o, ev->arg[0], ev->type);
    if (o->stw_count < V2_STW_MAX)
        o->stw[o->stw_count++] = (gl_v2_stw){.g = m->g, .reason = reason};
    gl_event *out = emit(o, m, ev, GL_EV_GCSTWBegin);
    out->arg[0] = reason;
    out->stack = gl_v2_order_stack(o, ev->arg[1]);
    return V2_OK;
}

int gl_v2_rule_stw_end(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint32_t i = 0;
    while (i < o->stw_count && o->stw[i].g != m->g)
        i++;
    unsigned v = i == o->stw_count ? V2_BAD : needs_user(m);
    if (!go_on(o, v, force))
        return (int)v;
    gl_event *out = emit(o, m, ev, GL_EV_GCSTWEnd);
    if (i < o->stw_count) {
        out->arg[0] = o->stw[i].reason;
        o->stw_count--;
        memmove(&o->stw[i], &o->stw[i + 1], (o->stw_count - i) * sizeof o->stw[0]);
    }
    return V2_OK;
}
