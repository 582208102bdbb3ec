/*
 * What the two halves of the converter share: v1_convert.c has the table, the start, Ps, the collector and what the
 * program says of itself; v1_convert_go.c has goroutines and their system calls.
 */
#ifndef GOLANES_GOTRACE_V1_CONVERT_H
#define GOLANES_GOTRACE_V1_CONVERT_H

#include "v1.h"

/* Our own texts. */
enum {
    V1_W_NONE,
    V1_W_FOREVER,
    V1_W_PREEMPTED,
    V1_W_GOSCHED,
    V1_W_SLEEP,
    V1_W_SEND,
    V1_W_RECEIVE,
    V1_W_NETWORK,
    V1_W_SYNC,
    V1_W_COND,
    V1_W_SELECT,
    V1_W_ASSIST,
    V1_W_STW, /* 16 reasons of Go 1.21 from here on */
    V1_W_STW_MARK_TERMINATION = V1_W_STW,
    V1_W_STW_LAST = V1_W_STW + 15,
    V1_W_COUNT
};

/** Dictionary ids of the file's strings and stacks, 0 where they are missing. */
uint32_t gl_v1_string_of(gl_v1_convert *c, uint64_t id);
uint32_t gl_v1_stack_of(gl_v1_convert *c, uint64_t id);

/** One event with its context, or NULL with *rc set. */
gl_event *gl_v1_emit(gl_v1_convert *c, const gl_v1_event *ev, unsigned type, uint16_t flags, int *rc);
/** One event, whose first arguments are the file's. */
int gl_v1_plain(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags, unsigned type, unsigned arguments);
/** One event with one of our texts. */
int gl_v1_worded(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags, unsigned type, unsigned w);
/** Goroutine arg[0] was in this state when the trace started. */
int gl_v1_status_of(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags, unsigned state);

/* The event is not the P's that wrote it. */
static inline void gl_v1_move_to(gl_event *out, uint32_t p)
{
    out->p = p;
    out->thread = GL_NO_THREAD;
}

/* A goroutine's bits: by its number, or of the event's subject, which v1_order looked up. */

static inline gl_v1_g *gl_v1_find_g(const gl_v1_convert *c, uint64_t id)
{
    uint32_t record = gl_v1_gs_find(&c->order->gs, id);
    return record == V1_NONE ? NULL : &c->order->gs.records[record];
}

static inline gl_v1_g *gl_v1_subject(const gl_v1_convert *c, const gl_v1_event *ev, uint64_t id)
{
    const gl_v1_gs *gs = &c->order->gs;
    return ev->record != V1_NONE && gs->records[ev->record].id == id ? &gs->records[ev->record] : gl_v1_find_g(c, id);
}

static inline void gl_v1_set_bits(gl_v1_g *g, unsigned off, unsigned on)
{
    if (g)
        g->bits = (uint8_t)((g->bits & ~off) | on);
}

static inline bool gl_v1_has_bit(const gl_v1_g *g, unsigned bit)
{
    return g && (g->bits & bit);
}

int gl_v1_go_create(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_start_label(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_end(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_park(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_yield(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_unpark(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_waiting(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_go_in_syscall(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_sys_call(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_sys_block(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);
int gl_v1_sys_exit(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);

#endif
