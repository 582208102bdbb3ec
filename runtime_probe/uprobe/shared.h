/*
 * What the programs in the kernel (probe.bpf.c) and the recorder share: what they are told of the runtime before they are
 * loaded, and what they write. Included by both, so: fixed sizes, and no other header than that of the types.
 *
 * A ring's entry is a head, a record with its further units (gorun/record.h), and the frames of a stack.
 */
#ifndef GOLANES_UPROBE_SHARED_H
#define GOLANES_UPROBE_SHARED_H

#include <stdint.h>

#include "gorun/record.h"

/** Offsets as in gl_golayout. */
typedef struct gl_uprobe_config {
    uint64_t pid_dev, pid_ino; /* of the pid namespace that numbers are to be of */
    int32_t g_goid, g_m, g_atomicstatus, g_waitreason, g_startpc, g_gopc, g_stack_lo, g_stack_hi, g_sched_bp, g_sched_sp;
    int32_t m_curg, m_p, p_id;
    int32_t hchan_qcount, hchan_dataqsiz, hchan_closed, hchan_elemtype;
    int32_t scase_c;
    uint32_t minor;
    uint32_t stacks; /* 0: where it blocks, 1: none, 2: also where it yields */
    uint32_t frames; /* of a stack at most, up to GL_PATCH_FRAMES */
} gl_uprobe_config;

typedef struct gl_uprobe_state {
    uint64_t tgid; /* whose events these are (other processes may come here, too); 0: nothing is told of */
    uint64_t lost; /* records that found no room: counted by the kernel side */
} gl_uprobe_state;

typedef struct gl_uprobe_head {
    uint32_t tid;
    uint8_t units;  /* further units of the record */
    uint8_t frames; /* behind them */
    uint16_t bytes; /* of what lies between the head and the frames: fixed for each kind of entry */
} gl_uprobe_head;

/** What a place is, in its cookie. */
typedef enum gl_uprobe_kind {
    GL_UPROBE_NONE,
    GL_UPROBE_CAS,
    GL_UPROBE_NEWPROC,
    GL_UPROBE_SEND,
    GL_UPROBE_SEND_END,
    GL_UPROBE_RECV,
    GL_UPROBE_RECV_END,
    GL_UPROBE_CLOSE,
    GL_UPROBE_SELECT,
    GL_UPROBE_SELECT_END,
    GL_UPROBE_MAKE,
    GL_UPROBE_GC_START,
    GL_UPROBE_GC_END,
    GL_UPROBE_STOP,
    GL_UPROBE_START,
    GL_UPROBE_ASSIST,
    GL_UPROBE_ASSIST_END,
    GL_UPROBE_PANIC,
    GL_UPROBE_THROW,
    GL_UPROBE_FATAL
} gl_uprobe_kind;

/** How the result of an operation on a channel is had. */
typedef enum gl_uprobe_result {
    GL_UPROBE_AL,      /* send: AL sent */
    GL_UPROBE_AL_BL,   /* receive: AL selected, BL received */
    GL_UPROBE_SENT,    /* it returned, so it was sent */
    GL_UPROBE_AL_ONLY, /* receive that waits: AL received */
    GL_UPROBE_UNTOLD   /* receive: there is no result */
} gl_uprobe_result;

#define GL_UPROBE_BASE(cookie) ((cookie) & 15)       /* the register that has the g, or the channel */
#define GL_UPROBE_VALUE(cookie) ((cookie) >> 4 & 15) /* the one with the new state */
#define GL_UPROBE_CLEAR 0x100u                       /* the exchange took place where the zero flag is clear */
/* Of an end that is told before the registers have it: in the place of the two registers. */
#define GL_UPROBE_EARLY 1u       /* the results are the next two bits */
#define GL_UPROBE_EARLY_A 2u
#define GL_UPROBE_EARLY_B 4u
#define GL_UPROBE_EARLY_JUMP 8u  /* if the jump of this condition is not taken: */
#define GL_UPROBE_CONDITION(cookie) ((cookie) >> 4 & 15)
#define GL_UPROBE_RESULT(cookie) ((cookie) >> 12 & 7)
#define GL_UPROBE_KIND(cookie) ((cookie) >> 16 & 31)
#define GL_UPROBE_COOKIE(kind, base, result) ((uint64_t)(kind) << 16 | (uint64_t)(result) << 12 | (uint64_t)(base))

#endif
