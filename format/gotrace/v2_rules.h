/*
 * What the rules of the ordering share: verdicts, and the event that goes out. Internal to the v2 importer.
 *
 * Every rule first finds its verdict, then asks go_on() whether the event may take effect, then changes state and
 * delivers. A forced event comes through with any verdict; the rule mends what contradicts it.
 */
#ifndef GOLANES_GOTRACE_V2_RULES_H
#define GOLANES_GOTRACE_V2_RULES_H

#include "v2_order.h"

/* gl_v2_rule_go_start and so on. A gl_v2_verdict, or negative. There is room for the events that it delivers. */
#define V2_EVENT(code, name, args, rule) \
    int gl_v2_rule_##rule(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force);
#include "v2_events.def"
#undef V2_EVENT

/* States of the collector. */
enum { GC_UNKNOWN, GC_OFF, GC_ON, GC_DOUBTFUL };

/* May the event take effect? Marks and counts it where it does so on doubtful ground: it then has to be delivered. */
static inline bool go_on(gl_v2_order *o, unsigned verdict, bool force)
{
    if (verdict == V2_OK)
        return true;
    if (verdict != V2_DOUBT && !force)
        return false;
    o->flags |= GL_FLAG_RESYNC;
    o->resyncs++;
    return true;
}

static inline unsigned worse(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static inline bool good_goroutine(uint64_t id)
{
    return id - 1 < V2_GOROUTINE_LIMIT - 1;
}

static inline bool nobody(const gl_v2_order *o, const gl_v2_m *m)
{
    return m == &o->state.nobody;
}

/* The goroutine in the state it has to be in; `otherwise` where it is not. */
static inline unsigned g_is(const gl_v2_g *g, gl_gstate status, unsigned otherwise)
{
    if (g && g->status == status)
        return V2_OK;
    return g && g->status == GL_G_UNDETERMINED ? V2_DOUBT : otherwise;
}

/* g_is, and the sequence number is the next one in this generation. */
static inline unsigned g_is_next(const gl_v2_order *o, const gl_v2_g *g, gl_gstate status, uint64_t seq)
{
    unsigned v = g_is(g, status, V2_WAIT);
    return v == V2_OK && (g->seq + 1 != seq || g->part != o->part) ? V2_WAIT : v;
}

static inline unsigned p_is(const gl_v2_p *p, unsigned status, unsigned otherwise)
{
    return p->status == status ? V2_OK : p->status == V2_P_DOUBTFUL ? V2_DOUBT : otherwise;
}

static inline bool p_follows(const gl_v2_order *o, const gl_v2_p *p, uint64_t seq)
{
    return p->seq + 1 == seq && p->part == o->part;
}

static inline void g_set(const gl_v2_order *o, gl_v2_g *g, gl_gstate status, uint64_t seq)
{
    g->status = (uint8_t)status;
    g->seq = seq;
    g->part = o->part;
}

static inline void p_set(const gl_v2_order *o, gl_v2_p *p, uint8_t status, uint64_t seq)
{
    p->status = status;
    p->seq = seq;
    p->part = o->part;
}

/* A thread with a P and a goroutine, as user code has. */
static inline unsigned needs_user(const gl_v2_m *m)
{
    return m->p != V2_NONE && m->g != 0 ? V2_OK : V2_BAD;
}

static inline gl_v2_g *current(const gl_v2_order *o, const gl_v2_m *m)
{
    return m->g != 0 ? gl_v2_g_find(&o->state, m->g) : NULL;
}

/* An event in the context of a thread; there is room. */
static inline gl_event *emit(gl_v2_order *o, const gl_v2_m *m, const gl_v2_event *ev, gl_event_type type)
{
    gl_event *out = &o->run.events[o->run.n++];
    *out = (gl_event){.time = ev->time - o->time_zero, .g = m->g, .thread = m->thread, .p = m->p_id,
                      .type = (uint16_t)type, .flags = o->flags};
    return out;
}

#endif
