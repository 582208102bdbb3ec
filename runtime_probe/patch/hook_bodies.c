/*
 * What each probe's hook writes into its record (layout.h). Registers at these places are those of Go's internal calling
 * convention: arguments in RAX, RBX, RCX, RDI, RSI, R8; results in RAX, RBX.
 *
 * Only the running g, its m, and a channel that is not nil are looked into: they are there as long as this code runs.
 */
#include "hooks_internal.h"

#define RING(member) ((int32_t)offsetof(gl_patch_ring, member))
#define KEPT(i) GL_HOOK_SAVED(8 + (i)) /* behind the saved registers, the last at RSP - 104 */

/* Go's type descriptors (internal/abi): the same in all releases that we know. */
enum { TYPE_KIND = 23, TYPE_ELEM = 48, TYPE_FIELDS = 56, TYPE_FIELD_COUNT = 64, FIELD_TYPE = 8 };
enum { KIND_MASK = 31, KIND_POINTER = 22, KIND_STRING = 24, KIND_STRUCT = 25 };

/** The record has its time, and is published. */
static void finish(gl_asm *a, int32_t units)
{
    gl_hook_stamp(a);
    gl_asm_mem_imm(a, 0, true, GL_R13, RING(head), units * (int32_t)GL_PATCH_UNIT);
    gl_asm_store8_imm(a, GL_R13, RING(busy), 0);
}

/** A record of one unit is published without a time: its reader knows it by the one before, or the next. */
static void finish_untimed(gl_asm *a)
{
    gl_asm_store32_imm(a, true, GL_R15, 0, 0);
    gl_asm_mem_imm(a, 0, true, GL_R13, RING(head), GL_PATCH_UNIT);
}

/**
 * The end of an operation. If it parked, and nothing was recorded here since its goroutine went on running, that was just
 * now. (Before a lap's first record stand zeros.) RAX is lost.
 */
static void finish_end(gl_asm *a, const gl_hook_env *env)
{
    enum { STARTED = GL_PATCH_CAS << 24 | 2 << 8 | 1 }; /* runnable, running */
    unsigned timed = gl_asm_label(a), done = gl_asm_label(a);
    if (!env->exact) {
        gl_asm_mem_imm(a, 7, true, GL_R15, 16, 0); /* else it is known what it was on, so it did not park */
        gl_asm_jcc(a, GL_CC_NE, timed);
        gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R15, 8);
        gl_asm_rm(a, GL_OP_CMP, true, GL_RAX, GL_R15, 8 - (int32_t)GL_PATCH_UNIT);
        gl_asm_jcc(a, GL_CC_NE, timed);
        gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, GL_R15, 28 - (int32_t)GL_PATCH_UNIT);
        gl_asm_imm(a, 4, false, GL_RAX, (int32_t)0xff00ffff);
        gl_asm_imm(a, 7, false, GL_RAX, STARTED);
        gl_asm_jcc(a, GL_CC_NE, timed);
        finish_untimed(a);
        gl_asm_jmp(a, done);
        gl_asm_set(a, timed);
    }
    finish(a, 1);
    gl_asm_set(a, done);
}

static void set_type(gl_asm *a, gl_patch_type type)
{
    gl_asm_store32_imm(a, false, GL_R15, 28, (int32_t)((uint32_t)type << 24));
}

/** RAX: the goroutine that runs here, or whose thread this is; 0: none. */
static void load_user_goroutine(gl_asm *a, const gl_golayout *l)
{
    unsigned none = gl_asm_label(a);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, l->g_m);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RAX, l->m_curg);
    gl_asm_test(a, true, GL_RAX, GL_RAX);
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RAX, l->g_goid);
    gl_asm_set(a, none);
}

/** The stack of this thread's goroutine: its frame pointer is RBP where it runs itself, else it was left in g.sched. */
static void user_stack(gl_asm *a, const gl_hook_env *env, bool first_rsp)
{
    const gl_golayout *l = env->layout;
    unsigned none = gl_asm_label(a), itself = gl_asm_label(a), done = gl_asm_label(a);
    gl_asm_rr(a, GL_OP_XOR, false, GL_RCX, GL_RCX);
    if (env->stacks == GL_STACKS_NONE)
        return;
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDI, GL_R14, l->g_m);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDI, GL_RDI, l->m_curg);
    gl_asm_test(a, true, GL_RDI, GL_RDI);
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_rr(a, GL_OP_CMP, true, GL_RDI, GL_R14);
    gl_asm_jcc(a, GL_CC_E, itself);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RDI, l->g_sched_bp);
    gl_hook_walk(a, env, false);
    gl_asm_jmp(a, done);
    gl_asm_set(a, itself);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RAX, GL_RBP);
    gl_hook_walk(a, env, first_rsp);
    gl_asm_set(a, none);
    gl_asm_set(a, done);
}

/* Channels */

/**
 * c: the register that has the channel. Where it is unbuffered and its lock free, the next record of this thread comes in some
 * ten nanoseconds, and before anything that another thread could make of it: the time is left out. Else (the lock is held;
 * a value that lies in a buffer can be taken before the operation's end is recorded) the clock is read.
 */
static void channel_begin(gl_asm *a, const gl_hook_env *env, unsigned full, gl_goreg c, gl_patch_type type)
{
    const gl_golayout *l = env->layout;
    const int32_t empty = (int32_t)((uint32_t)type << 24);
    bool may_omit = !env->exact && l->hchan_lock >= 0;
    unsigned nil = gl_asm_label(a), small = gl_asm_label(a), buffered = gl_asm_label(a), timed = gl_asm_label(a), done = gl_asm_label(a);
    gl_hook_room(a, env, full);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, l->g_goid);
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
    gl_asm_store(a, true, GL_R13, RING(op_g), GL_RAX);
    gl_asm_store(a, true, GL_R13, RING(op_arg), c);
    gl_asm_store(a, true, GL_R15, 16, c);
    gl_asm_store32_imm(a, false, GL_R15, 24, 0);
    gl_asm_store32_imm(a, false, GL_R15, 28, empty);
    gl_asm_test(a, true, c, c);
    gl_asm_jcc(a, GL_CC_E, nil);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, c, l->hchan_dataqsiz);
    gl_asm_test(a, true, GL_RAX, GL_RAX);
    gl_asm_jcc(a, GL_CC_NE, buffered);
    if (may_omit) {
        gl_asm_mem_imm(a, 7, true, c, l->hchan_lock, 0);
        gl_asm_jcc(a, GL_CC_NE, timed);
        gl_asm_set(a, nil);
        finish_untimed(a);
        gl_asm_jmp(a, done);
    } else {
        gl_asm_set(a, nil);
        gl_asm_jmp(a, timed);
    }
    gl_asm_set(a, buffered);
    gl_asm_imm(a, 7, true, GL_RAX, 0xffffff);
    gl_asm_jcc(a, GL_CC_BE, small);
    gl_asm_abs(a, GL_RAX, 0xffffff);
    gl_asm_set(a, small);
    gl_asm_imm(a, 1, false, GL_RAX, empty);
    gl_asm_store(a, false, GL_R15, 28, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, c, l->hchan_qcount);
    gl_asm_store(a, false, GL_R15, 24, GL_RAX);
    gl_asm_set(a, timed);
    finish(a, 1);
    gl_asm_set(a, done);
}

static void send_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    channel_begin(a, env, full, GL_R12, GL_PATCH_SEND);
}

static void recv_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    channel_begin(a, env, full, GL_R12, GL_PATCH_RECV);
}

/** selectnbrecv(place, channel) */
static void recv_second_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    channel_begin(a, env, full, GL_RBX, GL_PATCH_RECV);
}

/** [R15+8]: the goroutine; RDX: what its operation was on if no other began on this thread meanwhile, else goes to unknown. */
static void operation(gl_asm *a, const gl_hook_env *env, unsigned unknown)
{
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, env->layout->g_goid);
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
    gl_asm_rm(a, GL_OP_CMP, true, GL_RAX, GL_R13, RING(op_g));
    gl_asm_jcc(a, GL_CC_NE, unknown);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_R13, RING(op_arg));
    gl_asm_test(a, true, GL_RDX, GL_RDX);
    gl_asm_jcc(a, GL_CC_E, unknown);
    gl_asm_store32_imm(a, true, GL_R13, RING(op_g), 0);
}

/** Channel RDX and its fill; at `unknown` there is none. */
static void channel_after(gl_asm *a, const gl_hook_env *env, unsigned unknown)
{
    unsigned done = gl_asm_label(a);
    gl_asm_store(a, true, GL_R15, 16, GL_RDX);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, GL_RDX, env->layout->hchan_qcount);
    gl_asm_store(a, false, GL_R15, 24, GL_RAX);
    gl_asm_jmp(a, done);
    gl_asm_set(a, unknown);
    gl_asm_store32_imm(a, true, GL_R15, 16, 0);
    gl_asm_store32_imm(a, false, GL_R15, 24, 0);
    gl_asm_set(a, done);
}

static void channel_end(gl_asm *a, const gl_hook_env *env, unsigned full, gl_patch_type type)
{
    unsigned unknown = gl_asm_label(a);
    gl_hook_room(a, env, full);
    operation(a, env, unknown);
    channel_after(a, env, unknown);
    gl_asm_zx8(a, GL_RAX, GL_R12);
    if (type == GL_PATCH_RECV_END) {
        gl_asm_zx8(a, GL_RDX, GL_RBX);
        gl_asm_shl(a, GL_RDX, 8);
        gl_asm_rr(a, GL_OP_OR, false, GL_RAX, GL_RDX);
    }
    gl_asm_imm(a, 1, false, GL_RAX, (int32_t)((uint32_t)type << 24));
    gl_asm_store(a, false, GL_R15, 28, GL_RAX);
    finish_end(a, env);
}

static void send_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    channel_end(a, env, full, GL_PATCH_SEND_END);
}

static void recv_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    channel_end(a, env, full, GL_PATCH_RECV_END);
}

/* Ends of functions that others were inlined into: they have another result, or none. */

/** It returned, so it was sent. */
static void sent_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    unsigned unknown = gl_asm_label(a);
    gl_hook_room(a, env, full);
    operation(a, env, unknown);
    channel_after(a, env, unknown);
    gl_asm_store32_imm(a, false, GL_R15, 28, (int32_t)((uint32_t)GL_PATCH_SEND_END << 24 | 1));
    finish_end(a, env);
}

/** AL: whether a value was received, or the channel is closed. */
static void received_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    unsigned unknown = gl_asm_label(a);
    gl_hook_room(a, env, full);
    operation(a, env, unknown);
    channel_after(a, env, unknown);
    gl_asm_zx8(a, GL_RAX, GL_R12);
    gl_asm_shl(a, GL_RAX, 8);
    gl_asm_imm(a, 1, false, GL_RAX, (int32_t)((uint32_t)GL_PATCH_RECV_END << 24 | 1));
    gl_asm_store(a, false, GL_R15, 28, GL_RAX);
    finish_end(a, env);
}

/** No result: a channel that is closed and empty gave no value, which byte 2 says is a conclusion. */
static void untold_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    const int32_t value = (int32_t)((uint32_t)GL_PATCH_RECV_END << 24 | 0x010101), none = value & ~0x100;
    unsigned unknown = gl_asm_label(a), open = gl_asm_label(a), done = gl_asm_label(a);
    gl_hook_room(a, env, full);
    operation(a, env, unknown);
    gl_asm_store(a, true, GL_R15, 16, GL_RDX);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, GL_RDX, env->layout->hchan_qcount);
    gl_asm_store(a, false, GL_R15, 24, GL_RAX);
    gl_asm_test(a, false, GL_RAX, GL_RAX);
    gl_asm_jcc(a, GL_CC_NE, open);
    gl_asm_mem_imm(a, 7, false, GL_RDX, env->layout->hchan_closed, 0);
    gl_asm_jcc(a, GL_CC_E, open);
    gl_asm_store32_imm(a, false, GL_R15, 28, none);
    gl_asm_jmp(a, done);
    gl_asm_set(a, unknown);
    gl_asm_store32_imm(a, true, GL_R15, 16, 0);
    gl_asm_store32_imm(a, false, GL_R15, 24, 0);
    gl_asm_set(a, open);
    gl_asm_store32_imm(a, false, GL_R15, 28, value);
    gl_asm_set(a, done);
    finish_end(a, env);
}

static void close_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    const gl_golayout *l = env->layout;
    unsigned nil = gl_asm_label(a), open = gl_asm_label(a), done = gl_asm_label(a);
    gl_hook_room(a, env, full);
    gl_hook_keep_four(a);
    user_stack(a, env, true);
    gl_hook_slot(a, env);
    gl_asm_store(a, true, GL_R15, 32, GL_RCX);
    gl_hook_restore_four(a);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, l->g_goid);
    gl_asm_abs(a, GL_RDX, UINT64_C(1) << GL_PATCH_EXTRA_SHIFT);
    gl_asm_rr(a, GL_OP_OR, true, GL_RAX, GL_RDX);
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
    gl_asm_store(a, true, GL_R15, 16, GL_R12);
    gl_asm_rr(a, GL_OP_XOR, false, GL_RAX, GL_RAX);
    set_type(a, GL_PATCH_CLOSE);
    gl_asm_test(a, true, GL_R12, GL_R12);
    gl_asm_jcc(a, GL_CC_E, nil);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, GL_R12, l->hchan_qcount);
    gl_asm_mem_imm(a, 7, false, GL_R12, l->hchan_closed, 0);
    gl_asm_jcc(a, GL_CC_E, open);
    gl_asm_set(a, nil);
    gl_asm_store8_imm(a, GL_R15, 28, 1);
    gl_asm_set(a, open);
    gl_asm_store(a, false, GL_R15, 24, GL_RAX);
    gl_asm_set(a, done);
    finish(a, 2);
}

/** The cases' channels go along: which of them was chosen is known by its number later, and the cases may move meanwhile. */
static void select_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    const gl_golayout *l = env->layout;
    unsigned few = gl_asm_label(a), again = gl_asm_label(a), done = gl_asm_label(a);
    int32_t c = l->scase_c < 0 ? 0 : l->scase_c;
    gl_hook_room(a, env, full);
    gl_asm_store(a, true, GL_RSP, KEPT(0), GL_RCX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, l->g_stack_hi);
    gl_asm_rr(a, GL_OP_SUB, true, GL_RAX, GL_R12);
    gl_asm_store(a, true, GL_R13, RING(op_arg), GL_RAX);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RAX, GL_RSI);
    gl_asm_shl(a, GL_RAX, 16);
    gl_asm_rr(a, GL_OP_OR, true, GL_RAX, GL_RDI);
    gl_asm_store(a, false, GL_R15, 24, GL_RAX);
    gl_asm_lea_index(a, GL_RCX, GL_RDI, GL_RSI, 1, 0);
    gl_asm_imm(a, 7, true, GL_RCX, (int32_t)GL_PATCH_SELECT_CASES);
    gl_asm_jcc(a, GL_CC_BE, few);
    gl_asm_abs(a, GL_RCX, GL_PATCH_SELECT_CASES);
    gl_asm_set(a, few);
    gl_asm_lea(a, GL_RDX, GL_RCX, 3);
    gl_asm_shr(a, GL_RDX, 2); /* further units */
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, l->g_goid);
    gl_asm_store(a, true, GL_R13, RING(op_g), GL_RAX);
    gl_asm_store(a, true, GL_RSP, KEPT(1), GL_RDX);
    gl_asm_shl(a, GL_RDX, GL_PATCH_EXTRA_SHIFT);
    gl_asm_rr(a, GL_OP_OR, true, GL_RAX, GL_RDX);
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
    gl_asm_store(a, true, GL_R15, 16, GL_RCX);
    gl_asm_set(a, again);
    gl_asm_test(a, true, GL_RCX, GL_RCX);
    gl_asm_jcc(a, GL_CC_E, done);
    gl_asm_lea(a, GL_RCX, GL_RCX, -1);
    gl_asm_lea_index(a, GL_RDX, GL_RCX, GL_RCX, 1, 0);
    gl_asm_load_index(a, GL_RAX, GL_R12, GL_RDX, 8, c);
    gl_asm_store_index(a, GL_R15, GL_RCX, 8, GL_PATCH_UNIT, GL_RAX);
    gl_asm_jmp(a, again);
    gl_asm_set(a, done);
    set_type(a, GL_PATCH_SELECT);
    gl_asm_store8(a, GL_R15, 28, GL_R8);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RCX, GL_RSP, KEPT(1));
    gl_asm_shl(a, GL_RCX, 5);
    gl_hook_stamp(a);
    gl_asm_lea(a, GL_RDX, GL_RCX, GL_PATCH_UNIT);
    gl_asm_rm(a, GL_OP_ADD, true, GL_RDX, GL_R13, RING(head));
    gl_asm_store(a, true, GL_R13, RING(head), GL_RDX);
    gl_asm_store8_imm(a, GL_R13, RING(busy), 0);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RCX, GL_RSP, KEPT(0));
}

static void select_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    const gl_golayout *l = env->layout;
    unsigned unknown = gl_asm_label(a);
    int32_t c = l->scase_c < 0 ? 0 : l->scase_c;
    gl_hook_room(a, env, full);
    operation(a, env, unknown);
    gl_asm_imm(a, 7, true, GL_R12, 0xffff); /* -1: none was ready */
    gl_asm_jcc(a, GL_CC_AE, unknown);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, l->g_stack_hi);
    gl_asm_rr(a, GL_OP_SUB, true, GL_RAX, GL_RDX);
    gl_asm_jcc(a, GL_CC_B, unknown);
    gl_asm_rm(a, GL_OP_CMP, true, GL_RAX, GL_R14, l->g_stack_lo);
    gl_asm_jcc(a, GL_CC_B, unknown);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RDX, GL_R12);
    gl_asm_shl(a, GL_RDX, 4);
    gl_asm_load_index(a, GL_RDX, GL_RAX, GL_RDX, 1, c);
    gl_asm_test(a, true, GL_RDX, GL_RDX);
    gl_asm_jcc(a, GL_CC_E, unknown);
    channel_after(a, env, unknown);
    gl_asm_zx8(a, GL_RAX, GL_RBX);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RDX, GL_R12);
    gl_asm_imm(a, 4, false, GL_RDX, 0xffff);
    gl_asm_shl(a, GL_RDX, 8);
    gl_asm_rr(a, GL_OP_OR, false, GL_RAX, GL_RDX);
    gl_asm_imm(a, 1, false, GL_RAX, (int32_t)((uint32_t)GL_PATCH_SELECT_END << 24));
    gl_asm_store(a, false, GL_R15, 28, GL_RAX);
    finish_end(a, env);
}

/** A record of two units with a stack: [R15+8] and the hash are written, four registers are kept. */
static void with_stack(gl_asm *a, const gl_hook_env *env, unsigned full, bool first_rsp, uint64_t units)
{
    gl_hook_room(a, env, full);
    gl_hook_keep_four(a);
    user_stack(a, env, first_rsp);
    gl_hook_slot(a, env);
    gl_asm_store(a, true, GL_R15, 32, GL_RCX);
    load_user_goroutine(a, env->layout);
    gl_asm_abs(a, GL_RDX, units << GL_PATCH_EXTRA_SHIFT);
    gl_asm_rr(a, GL_OP_OR, true, GL_RAX, GL_RDX);
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
}

static void make_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    const gl_golayout *l = env->layout;
    with_stack(a, env, full, false, 1);
    gl_hook_restore_four(a);
    gl_asm_store(a, true, GL_R15, 16, GL_R12);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R12, l->hchan_dataqsiz);
    gl_asm_store(a, true, GL_R15, 40, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R12, l->hchan_elemtype);
    gl_asm_store(a, true, GL_R15, 48, GL_RAX);
    gl_asm_store32_imm(a, false, GL_R15, 24, 0);
    set_type(a, GL_PATCH_MAKE);
    finish(a, 2);
}

/* Goroutines */

static void newproc_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    const gl_golayout *l = env->layout;
    with_stack(a, env, full, false, 1);
    gl_hook_restore_four(a);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R12, l->g_goid);
    gl_asm_store(a, true, GL_R15, 16, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R12, l->g_startpc);
    gl_asm_store(a, true, GL_R15, 40, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R12, l->g_gopc);
    gl_asm_store(a, true, GL_R15, 48, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, GL_R12, l->g_atomicstatus);
    gl_asm_store(a, false, GL_R15, 24, GL_RAX);
    set_type(a, GL_PATCH_NEWPROC);
    finish(a, 2);
}

/* Collector */

static void plain(gl_asm *a, const gl_hook_env *env, unsigned full, gl_patch_type type)
{
    gl_hook_room(a, env, full);
    load_user_goroutine(a, env->layout);
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
    gl_asm_store32_imm(a, true, GL_R15, 16, 0);
    gl_asm_store32_imm(a, false, GL_R15, 24, 0);
    set_type(a, type);
    finish(a, 1);
}

/** RDX: a word on the stack of the goroutine RAX, or goes to `none` where it is not. */
static void within_stack(gl_asm *a, const gl_golayout *l, unsigned none)
{
    gl_asm_imm(a, 4, true, GL_RDX, -8);
    gl_asm_rm(a, GL_OP_CMP, true, GL_RDX, GL_RAX, l->g_stack_lo);
    gl_asm_jcc(a, GL_CC_B, none);
    gl_asm_rm(a, GL_OP_CMP, true, GL_RDX, GL_RAX, l->g_stack_hi);
    gl_asm_jcc(a, GL_CC_AE, none);
}

/**
 * Who had the world stopped, where the runtime gives no reason: this runs on the scheduler's stack, called by systemstack,
 * or by a closure that was. Who called systemstack the goroutine's own stack tells, and who called that one, its frames.
 */
static void stop_callers(gl_asm *a, const gl_hook_env *env)
{
    const gl_golayout *l = env->layout;
    unsigned none = gl_asm_label(a);
    for (int32_t i = 0; i < 4; i++)
        gl_asm_store32_imm(a, true, GL_R15, GL_PATCH_UNIT + 8 * i, 0);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R14, l->g_m);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RAX, l->m_curg);
    gl_asm_test(a, true, GL_RAX, GL_RAX);
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RAX, l->g_sched_sp);
    within_stack(a, l, none);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RDX, 0);
    gl_asm_store(a, true, GL_R15, GL_PATCH_UNIT, GL_RDX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RAX, l->g_sched_bp);
    for (int32_t i = 1; i < 3; i++) {
        within_stack(a, l, none);
        gl_asm_lea(a, GL_RDX, GL_RDX, 8);
        within_stack(a, l, none);
        gl_asm_rm(a, GL_OP_MOV, true, GL_R12, GL_RDX, 0);
        gl_asm_store(a, true, GL_R15, GL_PATCH_UNIT + 8 * i, GL_R12);
        gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RDX, -8);
    }
    gl_asm_set(a, none);
}

static void gc_start(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    plain(a, env, full, GL_PATCH_GC_START);
}

static void gc_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    plain(a, env, full, GL_PATCH_GC_END);
}

static void stw_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    bool told = env->minor > 20;
    gl_hook_room(a, env, full);
    load_user_goroutine(a, env->layout);
    if (!told) {
        gl_asm_abs(a, GL_RDX, UINT64_C(1) << GL_PATCH_EXTRA_SHIFT);
        gl_asm_rr(a, GL_OP_OR, true, GL_RAX, GL_RDX);
    }
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RSP, 0);
    gl_asm_store(a, true, GL_R15, 16, GL_RAX);
    gl_asm_store32_imm(a, false, GL_R15, 24, 0);
    set_type(a, GL_PATCH_STW);
    if (told)
        gl_asm_store8(a, GL_R15, 28, GL_R12);
    else
        stop_callers(a, env);
    finish(a, told ? 1 : 2);
}

static void stw_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    plain(a, env, full, GL_PATCH_STW_END);
}

static void assist_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    plain(a, env, full, GL_PATCH_ASSIST);
}

static void assist_end(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    plain(a, env, full, GL_PATCH_ASSIST_END);
}

/* Failures */

static void kind_is(gl_asm *a, gl_goreg type, int32_t kind, unsigned otherwise)
{
    gl_asm_load8(a, GL_RAX, type, TYPE_KIND);
    gl_asm_imm(a, 4, false, GL_RAX, KIND_MASK);
    gl_asm_imm(a, 7, false, GL_RAX, kind);
    gl_asm_jcc(a, GL_CC_NE, otherwise);
}

/** Where the value of type R12, at RBX, is a string, or (a pointer to) a structure that begins with one: RSI, RCX are its
    bytes. That covers the runtime's own errors, errors.New and fmt.Errorf. Else goes to none. */
static void text_of_value(gl_asm *a, unsigned none)
{
    unsigned found = gl_asm_label(a), structure = gl_asm_label(a), not_string = gl_asm_label(a), direct = gl_asm_label(a);
    gl_asm_test(a, true, GL_R12, GL_R12);
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_test(a, true, GL_RBX, GL_RBX);
    gl_asm_jcc(a, GL_CC_E, none);
    kind_is(a, GL_R12, KIND_STRING, not_string);
    gl_asm_jmp(a, found);
    gl_asm_set(a, not_string);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RDX, GL_R12);
    kind_is(a, GL_RDX, KIND_POINTER, direct);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RDX, TYPE_ELEM);
    gl_asm_set(a, direct);
    gl_asm_set(a, structure);
    kind_is(a, GL_RDX, KIND_STRUCT, none);
    gl_asm_mem_imm(a, 7, true, GL_RDX, TYPE_FIELD_COUNT, 0);
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RDX, TYPE_FIELDS);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RDX, FIELD_TYPE);
    kind_is(a, GL_RDX, KIND_STRING, none);
    gl_asm_set(a, found);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RSI, GL_RBX, 0);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RCX, GL_RBX, 8);
}

static void failure(gl_asm *a, const gl_hook_env *env, unsigned full, gl_patch_type type)
{
    unsigned none = gl_asm_label(a), some = gl_asm_label(a), fits = gl_asm_label(a);
    with_stack(a, env, full, true, 1 + GL_PATCH_TEXT / GL_PATCH_UNIT);
    gl_asm_store(a, true, GL_R15, 16, GL_R12);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RBX, GL_RSP, GL_HOOK_SAVED(4));
    if (type == GL_PATCH_PANIC) {
        text_of_value(a, none);
    } else {
        gl_asm_rr(a, GL_OP_MOV, true, GL_RSI, GL_R12);
        gl_asm_rr(a, GL_OP_MOV, true, GL_RCX, GL_RBX);
    }
    gl_asm_jmp(a, some);
    gl_asm_set(a, none);
    gl_asm_rr(a, GL_OP_XOR, false, GL_RCX, GL_RCX);
    gl_asm_set(a, some);
    gl_asm_imm(a, 7, true, GL_RCX, GL_PATCH_TEXT);
    gl_asm_jcc(a, GL_CC_BE, fits);
    gl_asm_abs(a, GL_RCX, GL_PATCH_TEXT);
    gl_asm_set(a, fits);
    gl_asm_store(a, false, GL_R15, 24, GL_RCX);
    gl_asm_lea(a, GL_RDI, GL_R15, 2 * GL_PATCH_UNIT);
    gl_asm_bytes(a, "\xf3\xa4", 2); /* rep movsb; Go keeps the direction flag clear */
    gl_hook_restore_four(a);
    set_type(a, type);
    finish(a, 2 + GL_PATCH_TEXT / GL_PATCH_UNIT);
}

static void panic_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    failure(a, env, full, GL_PATCH_PANIC);
}

static void throw_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    failure(a, env, full, GL_PATCH_THROW);
}

static void fatal_begin(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    failure(a, env, full, GL_PATCH_FATAL);
}

static const gl_hook_body bodies[GL_GOPROBE_COUNT] = {
    [GL_GOPROBE_NEWPROC] = newproc_end,
    [GL_GOPROBE_CHANSEND_BEGIN] = send_begin,
    [GL_GOPROBE_CHANSEND_END] = send_end,
    [GL_GOPROBE_CHANRECV_BEGIN] = recv_begin,
    [GL_GOPROBE_CHANRECV_END] = recv_end,
    [GL_GOPROBE_CHANCLOSE_BEGIN] = close_begin,
    [GL_GOPROBE_SELECT_BEGIN] = select_begin,
    [GL_GOPROBE_SELECT_END] = select_end,
    [GL_GOPROBE_MAKECHAN] = make_end,
    [GL_GOPROBE_GC_START] = gc_start,
    [GL_GOPROBE_GC_END] = gc_end,
    [GL_GOPROBE_STW_BEGIN] = stw_begin,
    [GL_GOPROBE_STW_END] = stw_end,
    [GL_GOPROBE_ASSIST_BEGIN] = assist_begin,
    [GL_GOPROBE_ASSIST_END] = assist_end,
    [GL_GOPROBE_PANIC] = panic_begin,
    [GL_GOPROBE_THROW] = throw_begin,
    [GL_GOPROBE_FATAL] = fatal_begin,
    [GL_GOPROBE_CHANSEND1_BEGIN] = send_begin,
    [GL_GOPROBE_CHANSEND1_END] = sent_end,
    [GL_GOPROBE_SELECTNBSEND_BEGIN] = send_begin,
    [GL_GOPROBE_SELECTNBSEND_END] = send_end,
    [GL_GOPROBE_CHANRECV1_BEGIN] = recv_begin,
    [GL_GOPROBE_CHANRECV1_END] = untold_end,
    [GL_GOPROBE_CHANRECV2_BEGIN] = recv_begin,
    [GL_GOPROBE_CHANRECV2_END] = received_end,
    [GL_GOPROBE_SELECTNBRECV_BEGIN] = recv_second_begin,
    [GL_GOPROBE_SELECTNBRECV_END] = recv_end,
};

gl_hook_body gl_hook_body_of(gl_goprobe_id probe)
{
    return bodies[probe];
}
