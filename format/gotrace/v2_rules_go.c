/*
 * Rules for goroutines. See v2_rules.h.
 */
#include "v2_often.h"

int gl_v2_rule_go_create(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint64_t id = ev->arg[0];
    if (!good_goroutine(id))
        return force ? V2_SKIP : V2_BAD;
    const gl_v2_g *creator = current(o, m);
    unsigned v = creator ? g_is(creator, GL_G_RUNNING, V2_BAD) : V2_OK;
    if (m->p == V2_NONE || gl_v2_g_find(&o->state, id))
        v = V2_BAD;
    if (!go_on(o, v, force))
        return (int)v;
    gl_v2_g *g = gl_v2_g_add(&o->state, id);
    if (!g)
        return GL_E_NOMEM;
    gl_gstate status = ev->type == V2_EV_GoCreateBlocked ? GL_G_WAITING : GL_G_RUNNABLE;
    g_set(o, g, status, 0);
    gl_event *out = emit(o, m, ev, GL_EV_GoCreate);
    out->arg[0] = id;
    out->arg[1] = status;
    out->arg[2] = gl_v2_order_stack(o, ev->arg[1]);
    out->stack = gl_v2_order_stack(o, ev->arg[2]);
    return V2_OK;
}

int gl_v2_rule_go_create_syscall(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint64_t id = ev->arg[0];
    if (!good_goroutine(id))
        return force ? V2_SKIP : V2_BAD;
    unsigned v = nobody(o, m) || m->g != 0 || gl_v2_g_find(&o->state, id) ? V2_BAD : V2_OK;
    if (!go_on(o, v, force))
        return (int)v;
    gl_v2_g *g = gl_v2_g_add(&o->state, id);
    if (!g)
        return GL_E_NOMEM;
    g_set(o, g, GL_G_SYSCALL, 0);
    gl_event *out = emit(o, m, ev, GL_EV_GoCreate);
    out->arg[0] = id;
    out->arg[1] = GL_G_SYSCALL;
    m->g = id;
    return V2_OK;
}

int gl_v2_rule_go_start(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    return often_go_start(o, m, ev, force);
}

int gl_v2_rule_go_stop(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    return often_go_stop(o, m, ev, ev->type, force);
}

int gl_v2_rule_go_unblock(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    return often_go_unblock(o, m, ev, force);
}

/* A coroutine switch is three events: the next one is unparked, this one parks or ends, the next one starts. */
int gl_v2_rule_go_switch(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint64_t id = ev->arg[0];
    if (!good_goroutine(id) || id == m->g)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_g *g = current(o, m), *next = gl_v2_g_find(&o->state, id);
    unsigned v = worse(g_is(g, GL_G_RUNNING, V2_BAD), needs_user(m));
    if (v <= V2_DOUBT)
        v = worse(v, g_is_next(o, next, GL_G_WAITING, ev->arg[1]));
    if (!go_on(o, v, force))
        return (int)v;
    if (!next && !(next = gl_v2_g_add(&o->state, id)))
        return GL_E_NOMEM;
    g_set(o, next, GL_G_RUNNING, ev->arg[1]);
    o->flags |= GL_FLAG_COROUTINE;
    emit(o, m, ev, GL_EV_GoUnpark)->arg[0] = id;
    if (m->g != 0) {
        bool ends = ev->type == V2_EV_GoSwitchDestroy;
        emit(o, m, ev, ends ? GL_EV_GoEnd : GL_EV_GoBlock)->arg[0] = ends ? (uint64_t)GL_G_RUNNING : 0;
        g = current(o, m);
        if (g && ends)
            gl_v2_g_remove(&o->state, g);
        else if (g)
            g->status = GL_G_WAITING;
        m->g = 0;
    }
    emit(o, m, ev, GL_EV_GoStart)->arg[0] = id;
    m->g = id;
    return V2_OK;
}

int gl_v2_rule_go_syscall_begin(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (m->g == 0)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_g *g = current(o, m);
    unsigned v = worse(g_is(g, GL_G_RUNNING, V2_BAD), needs_user(m));
    gl_v2_p *p = m->p != V2_NONE ? gl_v2_p_at(&o->state, m->p) : NULL;
    if (v == V2_OK && !p_follows(o, p, ev->arg[0]))
        v = p->status == V2_P_DOUBTFUL ? V2_DOUBT : V2_BAD;
    if (!go_on(o, v, force))
        return (int)v;
    if (p)
        p_set(o, p, V2_P_SYSCALL, ev->arg[0]);
    if (g)
        g->status = GL_G_SYSCALL;
    emit(o, m, ev, GL_EV_GoSyscallBegin)->stack = gl_v2_order_stack(o, ev->arg[1]);
    return V2_OK;
}

int gl_v2_rule_go_syscall_end(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (m->g == 0)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_g *g = current(o, m);
    unsigned v = worse(g_is(g, GL_G_SYSCALL, V2_BAD), needs_user(m));
    gl_v2_p *p = m->p != V2_NONE ? gl_v2_p_at(&o->state, m->p) : NULL;
    if (p)
        v = worse(v, p_is(p, V2_P_SYSCALL, V2_BAD));
    if (!go_on(o, v, force))
        return (int)v;
    if (p)
        p->status = V2_P_RUNNING;
    if (g)
        g->status = GL_G_RUNNING;
    emit(o, m, ev, GL_EV_GoSyscallEnd);
    return V2_OK;
}

/* The thread has lost its P by now: until that is seen, the event waits. */
int gl_v2_rule_go_syscall_end_blocked(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (m->g == 0)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_p *p = m->p != V2_NONE ? gl_v2_p_at(&o->state, m->p) : NULL;
    gl_v2_g *g = current(o, m);
    unsigned v = p && p->status == V2_P_SYSCALL ? V2_WAIT : g_is(g, GL_G_SYSCALL, V2_BAD);
    if (!go_on(o, v, force))
        return (int)v;
    if (p && p->status == V2_P_SYSCALL) {
        p->status = V2_P_DOUBTFUL;
        gl_v2_m_drop_p(m);
    }
    if (g)
        g->status = GL_G_RUNNABLE;
    emit(o, m, ev, GL_EV_GoSyscallEnd)->arg[0] = 1;
    m->g = 0;
    return V2_OK;
}

/*
 * The end of a goroutine that C code called in. A P that is still there is abandoned: shown as stolen by its own
 * thread.
 */
int gl_v2_rule_go_destroy_syscall(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (m->g == 0)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_g *g = current(o, m);
    gl_v2_p *p = m->p != V2_NONE ? gl_v2_p_at(&o->state, m->p) : NULL;
    unsigned v = g_is(g, GL_G_SYSCALL, V2_BAD);
    if (p)
        v = worse(v, p_is(p, V2_P_SYSCALL, V2_BAD));
    if (!go_on(o, v, force))
        return (int)v;
    if (p) {
        gl_event *out = emit(o, m, ev, GL_EV_ProcSteal);
        out->arg[0] = p->id;
        out->arg[1] = GL_P_RUNNING;
        out->arg[2] = m->thread;
        p->status = V2_P_ABANDONED;
    }
    emit(o, m, ev, GL_EV_GoEnd)->arg[0] = GL_G_SYSCALL;
    if (g)
        gl_v2_g_remove(&o->state, g);
    gl_v2_m_drop_p(m);
    m->g = 0;
    return V2_OK;
}

/* Wire statuses to ours. */
static const uint8_t g_status[] = {GL_G_UNDETERMINED, GL_G_RUNNABLE, GL_G_RUNNING, GL_G_SYSCALL, GL_G_WAITING};

/* The thread that a goroutine in a system call sits on, and whether it may. */
static unsigned syscall_thread(gl_v2_order *o, gl_v2_m *m, uint64_t id, uint64_t thread, gl_v2_m **on, int *rc)
{
    unsigned otherwise = o->lenient ? V2_DOUBT : V2_BAD;
    if (thread == m->id) {
        *on = m;
        return !o->initial && m->g != id ? otherwise : V2_OK;
    }
    *rc = gl_v2_m_add(&o->state, thread, on);
    if (*rc < 0)
        return V2_BAD;
    return (*on)->seen && (*on)->g != id ? otherwise : V2_OK;
}

static unsigned g_state_before(const gl_v2_order *o, const gl_v2_g *g, unsigned status, uint64_t *from)
{
    *from = g ? g->status : GL_G_UNDETERMINED;
    if (g ? g->status == status : o->initial)
        return V2_OK;
    return o->lenient || (g && g->status == GL_G_UNDETERMINED) ? V2_DOUBT : V2_BAD;
}

int gl_v2_rule_go_status(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint64_t id = ev->arg[0], from;
    unsigned status = ev->arg[2] < sizeof g_status ? g_status[ev->arg[2]] : 0;
    if (!good_goroutine(id) || status == GL_G_UNDETERMINED || (status == GL_G_SYSCALL && ev->arg[1] == V2_NO_M))
        return force ? V2_SKIP : V2_BAD;
    unsigned v = g_state_before(o, gl_v2_g_find(&o->state, id), status, &from);
    gl_v2_m *on = m;
    int rc = 0;
    if (status == GL_G_SYSCALL)
        v = worse(v, syscall_thread(o, m, id, ev->arg[1], &on, &rc));
    if (rc < 0)
        return rc;
    if (!go_on(o, v, force))
        return (int)v;
    gl_v2_g *g = gl_v2_g_add(&o->state, id);
    if (!g)
        return GL_E_NOMEM;
    g_set(o, g, (gl_gstate)status, 0);
    gl_event *out = emit(o, m, ev, GL_EV_GoStatus);
    out->arg[0] = id;
    out->arg[1] = from;
    out->arg[2] = status;
    out->arg[3] = gl_v2_order_thread(o, ev->arg[1]);
    if (ev->type == V2_EV_GoStatusStack)
        out->stack = gl_v2_order_stack(o, ev->arg[3]);
    if (on != m) { /* shown on the thread that it sits on, with the goroutine that is known there, if any */
        out->thread = on->thread;
        if (on->seen)
            out->g = on->g;
    }
    if (status == GL_G_RUNNING || status == GL_G_SYSCALL) {
        on->g = id;
        on->seen = true;
    }
    return V2_OK;
}
