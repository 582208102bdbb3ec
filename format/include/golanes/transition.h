/*
 * The rule of golanes/state.h as an inline function, for those who ask it for every event. Where the compiler knows the
 * type it costs nothing.
 */
#ifndef GOLANES_TRANSITION_H
#define GOLANES_TRANSITION_H

#include "golanes/state.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline bool gl_moves(gl_transition *t, uint64_t id, unsigned from, unsigned to, uint64_t reason)
{
    t->id = id;
    t->from = (uint8_t)from;
    t->to = (uint8_t)to;
    t->reason = (uint32_t)reason;
    return true;
}

static inline bool gl_transition_of(const gl_event *ev, gl_transition *t)
{
    switch (ev->type) {
    case GL_EV_GoCreate: return gl_moves(t, ev->arg[0], GL_G_NOT_EXIST, (unsigned)ev->arg[1], 0);
    case GL_EV_GoStart: return gl_moves(t, ev->arg[0], GL_G_RUNNABLE, GL_G_RUNNING, 0);
    case GL_EV_GoBlock: return gl_moves(t, ev->g, GL_G_RUNNING, GL_G_WAITING, ev->arg[0]);
    case GL_EV_GoUnpark: return gl_moves(t, ev->arg[0], GL_G_WAITING, GL_G_RUNNABLE, 0);
    case GL_EV_GoYield: return gl_moves(t, ev->g, GL_G_RUNNING, GL_G_RUNNABLE, ev->arg[0]);
    case GL_EV_GoEnd: return gl_moves(t, ev->g, (unsigned)ev->arg[0], GL_G_NOT_EXIST, 0);
    case GL_EV_GoSyscallBegin: return gl_moves(t, ev->g, GL_G_RUNNING, GL_G_SYSCALL, 0);
    case GL_EV_GoSyscallEnd: return gl_moves(t, ev->g, GL_G_SYSCALL, ev->arg[0] ? GL_G_RUNNABLE : GL_G_RUNNING, 0);
    case GL_EV_GoStatus: return gl_moves(t, ev->arg[0], (unsigned)ev->arg[1], (unsigned)ev->arg[2], 0);
    case GL_EV_GoCarried: return gl_moves(t, ev->arg[0], GL_G_UNDETERMINED, (unsigned)ev->arg[1], ev->arg[2]);
    default: return false;
    }
}

#ifdef __cplusplus
}
#endif
#endif
