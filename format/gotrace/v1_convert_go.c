/*
 * Goroutines and their system calls in today's words.
 */
#include "v1_convert.h"

int gl_v1_go_create(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    if (c->starting) {
        gl_v1_set_bits(gl_v1_subject(c, ev, ev->arg[0]), 0, V1_G_PRESENT);
        return 0;
    }
    uint32_t start = 0;
    int rc = 0;
    if (c->t->wire.version < 7)
        rc = gl_v1_pc_stack(c->t, ev->arg[1], &start);
    else
        start = gl_v1_stack_of(c, ev->arg[1]);
    if (rc < 0)
        return rc;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GoCreate, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = ev->arg[0];
    out->arg[1] = GL_G_RUNNABLE;
    out->arg[2] = start;
    return 0;
}

int gl_v1_go_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    gl_v1_set_bits(gl_v1_subject(c, ev, ev->g), V1_G_PRESENT | V1_G_NETPOLL, 0);
    return c->starting ? gl_v1_status_of(c, ev, flags, GL_G_RUNNING) : gl_v1_plain(c, ev, flags, GL_EV_GoStart, 1);
}

int gl_v1_go_start_label(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    gl_v1_set_bits(gl_v1_subject(c, ev, ev->g), V1_G_PRESENT | V1_G_NETPOLL, 0);
    int rc = gl_v1_plain(c, ev, flags, GL_EV_GoStart, 1);
    if (rc < 0)
        return rc;
    uint32_t label = gl_v1_string_of(c, ev->arg[2]);
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GoLabel, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = label;
    return 0;
}

int gl_v1_go_end(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GoEnd, flags, &rc);
    if (out)
        out->arg[0] = GL_G_RUNNING;
    return out ? 0 : rc;
}

static const uint8_t reasons[V1_EV_LIMIT] = {
    [V1_EV_GoStop] = V1_W_FOREVER,        [V1_EV_GoSched] = V1_W_GOSCHED,    [V1_EV_GoPreempt] = V1_W_PREEMPTED,
    [V1_EV_GoSleep] = V1_W_SLEEP,         [V1_EV_GoBlock] = V1_W_NONE,       [V1_EV_GoBlockSend] = V1_W_SEND,
    [V1_EV_GoBlockRecv] = V1_W_RECEIVE,   [V1_EV_GoBlockSelect] = V1_W_SELECT, [V1_EV_GoBlockSync] = V1_W_SYNC,
    [V1_EV_GoBlockCond] = V1_W_COND,      [V1_EV_GoBlockNet] = V1_W_NETWORK, [V1_EV_GoBlockGC] = V1_W_ASSIST,
};

int gl_v1_go_park(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    gl_v1_set_bits(gl_v1_subject(c, ev, ev->g), V1_G_NETPOLL, ev->type == V1_EV_GoBlockNet ? V1_G_NETPOLL : 0);
    return gl_v1_worded(c, ev, flags, GL_EV_GoBlock, reasons[ev->type]);
}

int gl_v1_go_yield(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_worded(c, ev, flags, GL_EV_GoYield, reasons[ev->type]);
}

/* Wake-ups by the timers' goroutine and by the network poller are no P's own. Go 1.19 puts both down to the timers. */
int gl_v1_go_unpark(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    uint32_t unused;
    bool timer = gl_v1_ids_get(&c->t->timers, ev->g, &unused);
    gl_v1_g *woken = gl_v1_subject(c, ev, ev->arg[0]);
    bool netpoll = gl_v1_has_bit(woken, V1_G_NETPOLL) && !(timer && c->t->wire.version < 11);
    gl_v1_set_bits(woken, V1_G_NETPOLL, 0);
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GoUnpark, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = ev->arg[0];
    if (timer || netpoll)
        gl_v1_move_to(out, netpoll ? V1_P_NETPOLL : V1_P_TIMERS);
    return 0;
}

int gl_v1_go_waiting(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    gl_v1_set_bits(gl_v1_subject(c, ev, ev->g), V1_G_PRESENT | V1_G_NETPOLL, 0);
    return gl_v1_status_of(c, ev, flags, GL_G_WAITING);
}

int gl_v1_go_in_syscall(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    gl_v1_set_bits(gl_v1_subject(c, ev, ev->g), V1_G_PRESENT | V1_G_NETPOLL, V1_G_IN_CALL);
    return gl_v1_status_of(c, ev, flags, GL_G_SYSCALL);
}

/* System calls */

int gl_v1_sys_call(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = gl_v1_plain(c, ev, flags, GL_EV_GoSyscallBegin, 0);
    if (rc < 0)
        return rc;
    if (c->order->next_blocks) {
        gl_v1_set_bits(gl_v1_subject(c, ev, ev->g), 0, V1_G_CALLED);
        return 0;
    }
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GoSyscallEnd, flags, &rc);
    if (!out)
        return rc;
    out->time++;
    out->stack = 0;
    return 0;
}

/* Nothing by itself, unless it is the first that tells of the call. */
int gl_v1_sys_block(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    gl_v1_g *g = gl_v1_subject(c, ev, ev->g);
    bool called = gl_v1_has_bit(g, V1_G_CALLED);
    gl_v1_set_bits(g, V1_G_CALLED, V1_G_IN_CALL);
    return called ? 0 : gl_v1_plain(c, ev, flags | GL_FLAG_INFERRED, GL_EV_GoSyscallBegin, 0);
}

static int end_call(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GoSyscallEnd, flags, &rc);
    if (!out)
        return rc;
    gl_v1_move_to(out, V1_P_SYSCALLS);
    out->arg[0] = 1;
    return 0;
}

int gl_v1_convert_exit(gl_v1_convert *c, const gl_v1_exit *exit, bool *told)
{
    gl_v1_g *g = gl_v1_find_g(c, exit->g);
    bool late = exit->key > exit->own, in_call = gl_v1_has_bit(g, V1_G_IN_CALL);
    *told = in_call || late;
    if (!*told)
        return 0;
    gl_v1_set_bits(g, V1_G_IN_CALL, late ? 0 : V1_G_EXIT_TOLD);
    gl_v1_event ev = {.ticks = exit->ticks, .g = exit->g, .proc = V1_NONE, .record = V1_NONE};
    return end_call(c, &ev, in_call ? 0 : GL_FLAG_RESYNC);
}

/* In its place in the file: mostly it has been told already, or will be. */
int gl_v1_sys_exit(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    uint64_t key;
    int64_t ticks;
    gl_v1_g *g = gl_v1_subject(c, ev, ev->g);
    bool told = gl_v1_has_bit(g, V1_G_EXIT_TOLD);
    if (gl_v1_exit_of(c->t, ev, &key, &ticks) && (told || key > ev->key)) {
        gl_v1_set_bits(g, V1_G_EXIT_TOLD, 0);
        return 0;
    }
    gl_v1_set_bits(g, V1_G_IN_CALL, 0);
    return end_call(c, ev, flags);
}
