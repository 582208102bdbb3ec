/*
 * The door of the ordering: rules by event, and ids of a generation as ids of the dictionary. See v2_order.h.
 */
#include "v2_rules.h"

/* Ids */

/*
 * Reasons and labels have fixed ids (Go 1.26 src/runtime/trace.go, traceRegisterLabelsAndReasons): good for an
 * unfinished end.
 */
static uint32_t fixed_string(gl_v2_order *o, uint64_t id, unsigned type)
{
    static const char *const texts[] = {"",
                                        "Not worker",
                                        "GC (dedicated)",
                                        "GC (fractional)",
                                        "GC (idle)",
                                        "unspecified",
                                        "forever",
                                        "network",
                                        "select",
                                        "sync.(*Cond).Wait",
                                        "sync",
                                        "chan send",
                                        "chan receive",
                                        "GC mark assist wait for work",
                                        "GC background sweeper wait",
                                        "system goroutine wait",
                                        "preempted",
                                        "wait for debug call",
                                        "wait until GC ends",
                                        "sleep",
                                        "GC weak to strong wait",
                                        "synctest",
                                        "runtime.Gosched"};
    _Static_assert(sizeof texts / sizeof texts[0] <= V2_FIXED_NAMES, "there is room for each");
    if (id >= sizeof texts / sizeof texts[0] || type == V2_EV_STWBegin)
        return 0;
    if (o->names->fixed[id] != 0)
        return o->names->fixed[id];
    uint32_t *known = &o->supposed[type == V2_EV_GoStop][id];
    if (*known != 0)
        return *known;
    const char *text = texts[id];
    /* 1.22 had two reasons less, 1.23 one (1.24 has its header): a yield has no other reason than this there. */
    if (type == V2_EV_GoStop && id >= 20)
        text = "runtime.Gosched";
    uint32_t out;
    return gl_dict_string(o->state.dict, text, strlen(text), &out) == 0 ? (*known = out) : 0;
}

uint32_t gl_v2_order_missing_string(gl_v2_order *o, uint64_t id, unsigned type)
{
    o->gen->names_missing++;
    bool reason = type == V2_EV_GoBlock || type == V2_EV_GoStop || type == V2_EV_GoLabel;
    return reason ? fixed_string(o, id, type) : 0;
}

uint32_t gl_v2_order_thread(gl_v2_order *o, uint64_t id)
{
    gl_v2_m *m = gl_v2_m_find(&o->state, id);
    uint32_t index = GL_NO_THREAD;
    if (m)
        return m->thread;
    if (id == V2_NO_M || gl_dict_thread(o->state.dict, (gl_thread_info){.tid = id}, &index) < 0)
        return GL_NO_THREAD;
    return index;
}

/* Rules by event */

const gl_v2_rule gl_v2_rules[256] = {
#define V2_EVENT(code, name, args, rule) [code] = gl_v2_rule_##rule,
#include "v2_events.def"
#undef V2_EVENT
};

int gl_v2_order_init(gl_v2_order *o, const gl_gotrace_options *opt, gl_gotrace_result *result)
{
    memset(o, 0, sizeof *o);
    gl_event_run_init(&o->run, opt, result);
    o->initial = true;
    return gl_v2_state_init(&o->state, opt->dict);
}

void gl_v2_order_free(gl_v2_order *o)
{
    gl_v2_state_free(&o->state);
}

void gl_v2_order_forget(gl_v2_order *o)
{
    o->stw_count = 0;
    if (o->gc_state != GC_UNKNOWN)
        o->gc_state = GC_DOUBTFUL;
}

int gl_v2_order_sample(gl_v2_order *o, const gl_v2_sample *s)
{
    int rc = 0;
    gl_event *out = gl_event_run_next(&o->run, &rc);
    if (!out)
        return rc;
    out->time = s->time - o->time_zero;
    out->type = GL_EV_CPUSample;
    out->thread = gl_v2_order_thread(o, s->m);
    out->p = s->p < GL_NO_PROC ? (uint32_t)s->p : GL_NO_PROC;
    out->g = good_goroutine(s->g) ? s->g : 0;
    out->stack = gl_v2_order_stack(o, s->stack);
    return 0;
}
