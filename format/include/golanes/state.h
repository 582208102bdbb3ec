/*
 * What an event does to a goroutine or a P: the one place where the rule stands. Stateless.
 */
#ifndef GOLANES_STATE_H
#define GOLANES_STATE_H

#include <stdbool.h>

#include "golanes/events.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_transition {
    uint64_t id;     /**< goroutine, or P for gl_event_proc_transition */
    uint32_t reason; /**< string id of a wait or stop reason, 0 none */
    uint8_t from, to; /**< gl_gstate, or gl_pstate */
} gl_transition;

/** True where the event moves a goroutine from one state to another (or restates it); *t says which. */
GL_API bool gl_event_transition(const gl_event *ev, gl_transition *t);
/** The same for Ps: ProcStart, ProcStop, ProcSteal, ProcStatus. */
GL_API bool gl_event_proc_transition(const gl_event *ev, gl_transition *t);

#ifdef __cplusplus
}
#endif
#endif
