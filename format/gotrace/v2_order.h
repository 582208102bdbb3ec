/*
 * The order of events: what each needs before it may come, what it changes, and its delivery. Internal to the v2
 * importer.
 *
 * The rules are those of Go 1.26 src/internal/trace/order.go. Where Go stops with an error, an event can be forced
 * here:
 * state is then taken up anew from what the event says.
 */
#ifndef GOLANES_GOTRACE_V2_ORDER_H
#define GOLANES_GOTRACE_V2_ORDER_H

#include "v2_state.h"

/** What became of an event. The larger is the worse. */
typedef enum gl_v2_verdict {
    V2_OK = 0,    /**< delivered */
    V2_DOUBT = 1, /**< delivered, on state that damage had made doubtful (inside the ordering only) */
    V2_WAIT = 2,  /**< another thread's event has to come before */
    V2_BAD = 3,   /**< contradicts what is known; waiting will not help */
    V2_SKIP = 4   /**< forced, but it means nothing without what was lost */
} gl_v2_verdict;

#define V2_STW_MAX 16

typedef struct gl_v2_stw {
    uint64_t g;
    uint32_t reason;
} gl_v2_stw;

typedef struct gl_v2_order {
    gl_v2_state state;
    gl_event_run run;
    gl_v2_gen *gen;
    gl_v2_names *names;
    int64_t time_zero;
    uint32_t part;     /* ordinal of the generation */
    bool initial;      /* no generation with events came before */
    bool lenient;      /* something was lost before this generation: statuses are taken as they come */
    uint16_t flags;    /* of the events that are being delivered */
    uint64_t resyncs;  /* events that came on doubtful ground, or were forced */
    unsigned version;
    uint8_t gc_state;
    uint64_t gc_seq;
    uint32_t supposed[2][V2_FIXED_NAMES]; /* dictionary ids of reasons where a generation has no strings; [1]: of yields */
    uint32_t stw_count;
    gl_v2_stw stw[V2_STW_MAX];
} gl_v2_order;

int gl_v2_order_init(gl_v2_order *o, const gl_gotrace_options *opt, gl_gotrace_result *result);
void gl_v2_order_free(gl_v2_order *o);

/** The rule for each wire code of an event batch. A gl_v2_verdict, or negative. */
typedef int (*gl_v2_rule)(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force);
extern const gl_v2_rule gl_v2_rules[256];
/* Events that one wire event makes at most. */
#define V2_EVENTS_PER_WIRE_EVENT 4

/**
 * Tries to deliver the event of a thread. A gl_v2_verdict (never V2_DOUBT), or negative. force: never V2_WAIT nor
 * V2_BAD.
 */
static inline int gl_v2_order_advance(gl_v2_order *o, gl_v2_m *m, const gl_v2_event *ev, bool force)
{
    if (o->run.n > GL_EVENT_RUN - V2_EVENTS_PER_WIRE_EVENT) {
        int rc = gl_event_run_flush(&o->run);
        if (rc < 0)
            return rc;
    }
    o->flags = 0;
    m->seen = true;
    int v = gl_v2_rules[ev->type](o, m, ev, force);
    if (m->id == V2_NO_M) { /* nothing is bound to no thread */
        m->g = 0;
        gl_v2_m_drop_p(m);
    }
    return v;
}

/** After a gap on all threads: what the collector does is not known any more. (Threads are cleared as they appear.) */
void gl_v2_order_forget(gl_v2_order *o);
/** Delivers a CPU sample. 0 or negative. */
int gl_v2_order_sample(gl_v2_order *o, const gl_v2_sample *s);

/** Ids of the generation to those of the dictionary; where they are not there, a guess for reasons, else 0. */
uint32_t gl_v2_order_missing_string(gl_v2_order *o, uint64_t id, unsigned type);
static inline uint32_t gl_v2_order_string(gl_v2_order *o, uint64_t id, unsigned type)
{
    uint32_t out;
    return gl_v2_remap_get(&o->gen->strings, id, &out) ? out : gl_v2_order_missing_string(o, id, type);
}
static inline uint32_t gl_v2_order_stack(gl_v2_order *o, uint64_t id)
{
    uint32_t out;
    if (!gl_v2_remap_get(&o->gen->stacks, id, &out))
        o->gen->names_missing++;
    return out;
}
/** The dictionary's index of a thread that an event names. */
uint32_t gl_v2_order_thread(gl_v2_order *o, uint64_t id);

#endif
