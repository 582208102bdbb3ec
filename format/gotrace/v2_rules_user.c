/*
 * Rules for events that need a context, but change no state: metrics, what the program says of itself, experiments.
 * See v2_rules.h.
 */
#include "v2_rules.h"

/* Delivers an event that needs a P, and a goroutine where `user` says so. NULL: not now; the verdict is in *v. */
static gl_event *annotation(gl_v2_order *o, const gl_v2_m *m, const gl_v2_event *ev, gl_event_type type, bool user,
                            bool force, int *v)
{
    unsigned verdict = user ? needs_user(m) : m->p == V2_NONE ? V2_BAD : V2_OK;
    *v = (int)verdict;
    if (!go_on(o, verdict, force))
        return NULL;
    *v = V2_OK;
    return emit(o, m, ev, type);
}

int gl_v2_rule_procs_change(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    int v;
    gl_event *out = annotation(o, m, ev, GL_EV_ProcsChange, true, force, &v);
    if (out) {
        out->arg[0] = ev->arg[0];
        out->stack = gl_v2_order_stack(o, ev->arg[1]);
    }
    return v;
}

int gl_v2_rule_heap_metric(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    int v;
    gl_event_type type = ev->type == V2_EV_HeapAlloc ? GL_EV_HeapLive : GL_EV_HeapGoal;
    gl_event *out = annotation(o, m, ev, type, false, force, &v);
    if (out)
        out->arg[0] = ev->arg[0];
    return v;
}

int gl_v2_rule_go_label(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    int v;
    gl_event *out = annotation(o, m, ev, GL_EV_GoLabel, true, force, &v);
    if (out)
        out->arg[0] = gl_v2_order_string(o, ev->arg[0], ev->type);
    return v;
}

int gl_v2_rule_user_task_begin(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    int v;
    gl_event *out = annotation(o, m, ev, GL_EV_TaskBegin, true, force, &v);
    if (out) {
        out->arg[0] = ev->arg[0];
        out->arg[1] = ev->arg[1];
        out->arg[2] = gl_v2_order_string(o, ev->arg[2], ev->type);
        out->stack = gl_v2_order_stack(o, ev->arg[3]);
    }
    return v;
}

int gl_v2_rule_user_task_end(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    int v;
    gl_event *out = annotation(o, m, ev, GL_EV_TaskEnd, true, force, &v);
    if (out) {
        out->arg[0] = ev->arg[0];
        out->stack = gl_v2_order_stack(o, ev->arg[1]);
    }
    return v;
}

int gl_v2_rule_user_region(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    int v;
    gl_event_type type = ev->type == V2_EV_UserRegionBegin ? GL_EV_RegionBegin : GL_EV_RegionEnd;
    gl_event *out = annotation(o, m, ev, type, true, force, &v);
    if (out) {
        out->arg[0] = ev->arg[0];
        out->arg[1] = gl_v2_order_string(o, ev->arg[1], ev->type);
        out->stack = gl_v2_order_stack(o, ev->arg[2]);
    }
    return v;
}

int gl_v2_rule_user_log(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    int v;
    gl_event *out = annotation(o, m, ev, GL_EV_UserLog, true, force, &v);
    if (out) {
        out->arg[0] = ev->arg[0];
        out->arg[1] = gl_v2_order_string(o, ev->arg[1], ev->type);
        out->arg[2] = gl_v2_order_string(o, ev->arg[2], ev->type);
        out->stack = gl_v2_order_stack(o, ev->arg[3]);
    }
    return v;
}

/* Events of the alloc-free experiment (Go 1.23 and later), as they stand. */
int gl_v2_rule_experimental(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    static const char *const names[] = {
#define V2_EVENT(code, name, args, rule) [code] = #name,
#include "v2_events.def"
#undef V2_EVENT
    };
    static const uint8_t args[] = {
#define V2_EVENT(code, name, args, rule) [code] = (args),
#include "v2_events.def"
#undef V2_EVENT
    };
    unsigned v = nobody(o, m) ? V2_BAD : V2_OK;
    if (!go_on(o, v, force))
        return (int)v;
    uint32_t name;
    int rc = gl_dict_string(o->state.dict, names[ev->type], strlen(names[ev->type]), &name);
    if (rc < 0)
        return rc;
    gl_event *out = emit(o, m, ev, GL_EV_Experimental);
    out->arg[0] = name;
    for (unsigned i = 0; i < args[ev->type] && i < 3; i++)
        out->arg[i + 1] = ev->arg[i];
    return V2_OK;
}
