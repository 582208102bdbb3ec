/*
 * The rules of the events that most of a trace is made of, for where the type is known when this is compiled: what a rule
 * asks of other types is left away then. Internal to the v2 importer.
 */
#ifndef GOLANES_GOTRACE_V2_OFTEN_H
#define GOLANES_GOTRACE_V2_OFTEN_H

#include "v2_rules.h"

#define V2_OFTEN static inline __attribute__((always_inline))

V2_OFTEN int often_go_start(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint64_t id = ev->arg[0];
    if (!good_goroutine(id))
        return force ? V2_SKIP : V2_BAD;
    gl_v2_g *g = gl_v2_g_find(&o->state, id);
    unsigned v = g_is_next(o, g, GL_G_RUNNABLE, ev->arg[1]);
    if (v <= V2_DOUBT && (m->p == V2_NONE || m->g != 0))
        v = V2_BAD;
    if (!go_on(o, v, force))
        return (int)v;
    if (v != V2_OK) {
        gl_v2_g *old = current(o, m);
        if (old)
            old->status = GL_G_UNDETERMINED;
        m->g = 0;
        g = gl_v2_g_add(&o->state, id);
        if (!g)
            return GL_E_NOMEM;
    }
    g_set(o, g, GL_G_RUNNING, ev->arg[1]);
    emit(o, m, ev, GL_EV_GoStart)->arg[0] = id;
    m->g = id;
    return V2_OK;
}

/* GoDestroy, GoStop, GoBlock: the running goroutine leaves its thread. */
V2_OFTEN int often_go_stop(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, unsigned type, bool force)
{
    if (m->g == 0)
        return force ? V2_SKIP : V2_BAD;
    gl_v2_g *g = current(o, m);
    unsigned v = worse(g_is(g, GL_G_RUNNING, V2_BAD), needs_user(m));
    if (!go_on(o, v, force))
        return (int)v;
    gl_event *out;
    if (type == V2_EV_GoDestroy) {
        out = emit(o, m, ev, GL_EV_GoEnd);
        out->arg[0] = GL_G_RUNNING;
        if (g)
            gl_v2_g_remove(&o->state, g);
    } else {
        bool block = type == V2_EV_GoBlock;
        out = emit(o, m, ev, block ? GL_EV_GoBlock : GL_EV_GoYield);
        out->arg[0] = gl_v2_order_string(o, ev->arg[0], type);
        out->stack = gl_v2_order_stack(o, ev->arg[1]);
        if (g)
            g->status = block ? GL_G_WAITING : GL_G_RUNNABLE;
    }
    m->g = 0;
    return V2_OK;
}

V2_OFTEN int often_go_unblock(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    uint64_t id = ev->arg[0];
    if (!good_goroutine(id))
        return force ? V2_SKIP : V2_BAD;
    gl_v2_g *g = gl_v2_g_find(&o->state, id);
    unsigned v = g_is_next(o, g, GL_G_WAITING, ev->arg[1]);
    if (!go_on(o, v, force))
        return (int)v;
    if (!g && !(g = gl_v2_g_add(&o->state, id)))
        return GL_E_NOMEM;
    g_set(o, g, GL_G_RUNNABLE, ev->arg[1]);
    gl_event *out = emit(o, m, ev, GL_EV_GoUnpark);
    out->arg[0] = id;
    out->stack = gl_v2_order_stack(o, ev->arg[2]);
    return V2_OK;
}

/** gl_v2_order_advance, not forced, for a thread's events in a row: the frequent types come without a call. */
V2_OFTEN int gl_v2_order_next(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev)
{
    if (__builtin_expect(o->run.n == GL_EVENT_RUN || nobody(o, m), 0))
        return gl_v2_order_advance(o, m, ev, false);
    o->flags = 0;
    m->seen = true;
    switch (ev->type) {
    case V2_EV_GoStart: return often_go_start(o, m, ev, false);
    case V2_EV_GoBlock: return often_go_stop(o, m, ev, V2_EV_GoBlock, false);
    case V2_EV_GoUnblock: return often_go_unblock(o, m, ev, false);
    default: return gl_v2_order_advance(o, m, ev, false);
    }
}

#endif
