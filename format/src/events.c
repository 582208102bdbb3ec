#include "golanes/events.h"

#include <string.h>

#include "src/transition.h"

static const gl_event_info table[GL_EV_LIMIT] = {
#define GL_ARG(kind, name) {GL_KIND_##kind, #name}
#define GL_EVENT(code_, name_, op_, phase_, stack_, meaning_, count_, ...)                                             \
    [code_] = {.name = #name_,                                                                                         \
               .operation = #op_,                                                                                      \
               .meaning = meaning_,                                                                                    \
               .phase = GL_PHASE_##phase_,                                                                             \
               .code = code_,                                                                                          \
               .has_stack = stack_,                                                                                    \
               .arg_count = count_,                                                                                    \
               .args = {__VA_ARGS__}},
#include "golanes/events.def"
#undef GL_EVENT
#undef GL_ARG
};

const gl_event_info *gl_event_lookup(unsigned code)
{
    return code < GL_EV_LIMIT && table[code].name ? &table[code] : NULL;
}

const gl_event_info *gl_event_by_name(const char *name)
{
    for (unsigned i = 1; i < GL_EV_LIMIT; i++)
        if (table[i].name && strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const char *gl_gstate_name(unsigned state)
{
    static const char *const names[GL_G_STATES] = {"Undetermined", "NotExist", "Runnable", "Running", "Syscall", "Waiting"};
    return state < GL_G_STATES ? names[state] : "Bad";
}

const char *gl_pstate_name(unsigned state)
{
    static const char *const names[GL_P_STATES] = {"Undetermined", "NotExist", "Running", "Idle"};
    return state < GL_P_STATES ? names[state] : "Bad";
}

const char *gl_kind_name(unsigned kind)
{
    static const char *const names[GL_KIND_COUNT_] = {
        "none", "goroutine", "proc", "thread", "chan", "string", "stack", "gstate", "pstate", "bool",
        "chanresult", "chandir", "task", "count", "bytes", "time", "clock", "sequence", "number"};
    return kind < GL_KIND_COUNT_ ? names[kind] : "unknown";
}

bool gl_event_transition(const gl_event *ev, gl_transition *t)
{
    return gl_transition_of(ev, t);
}

bool gl_event_proc_transition(const gl_event *ev, gl_transition *t)
{
    switch (ev->type) {
    case GL_EV_ProcStart: return gl_moves(t, ev->arg[0], GL_P_IDLE, GL_P_RUNNING, 0);
    case GL_EV_ProcStop: return gl_moves(t, ev->arg[0], GL_P_RUNNING, GL_P_IDLE, 0);
    case GL_EV_ProcSteal: return gl_moves(t, ev->arg[0], (unsigned)ev->arg[1], GL_P_IDLE, 0);
    case GL_EV_ProcStatus: return gl_moves(t, ev->arg[0], (unsigned)ev->arg[1], (unsigned)ev->arg[2], 0);
    default: return false;
    }
}
