/*
 * What every hook has in common: a ring for this thread, room in it, the time, and registers left as they were found.
 *
 * R14 is the running g wherever we hook. R13 becomes the ring, R15 the record, R12 keeps RAX; RAX and RDX are for work.
 * Registers that the place still needs are kept in the 128 bytes below the stack pointer (handlers of signals leave those
 * alone, and so does Go's preemption, which never happens in code that the runtime does not know), and not in the ring: a
 * thread may be held up in a hook until the recording is over, and the ring's memory gone or another's. Nothing is
 * pushed, nothing called: whoever looks at the stack sees what was there.
 */
#include "hooks.h"

#include <string.h>

#include "hooks_internal.h"

#define RED_R13 (-8)
#define RED_R15 (-16)
#define RED_RING (-24)
#define BELOW_BACK (-112) /* behind what is saved and kept */

enum { SAVE_RAX = 0, SAVE_RDX, SAVE_R12, SAVE_RCX, SAVE_RBX, SAVE_RSI, SAVE_RDI, SAVE_HASH };

static int32_t save_at(unsigned i)
{
    return GL_HOOK_SAVED(i);
}

#define RING(member) ((int32_t)offsetof(gl_patch_ring, member))

/* A ring */

/** Gives an M that has none the next ring that is offered. R15: where to go on; R13: the ring, or 0. */
static void make_find_ring(gl_asm *a, gl_hook_env *env)
{
    const gl_golayout *l = env->layout;
    unsigned none = gl_asm_label(a), retry = gl_asm_label(a), leave = gl_asm_label(a);
    env->find_ring = gl_asm_here(a);
    gl_asm_store(a, true, GL_RSP, -24, GL_R15);
    gl_asm_store(a, true, GL_RSP, -32, GL_RAX);
    gl_asm_store(a, true, GL_RSP, -40, GL_RDX);
    gl_asm_store(a, true, GL_RSP, -48, GL_R12);
    gl_asm_abs(a, GL_R15, env->data);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R12, GL_R14, l->g_m);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R12, l->m_id);
    gl_asm_imm(a, 4, true, GL_RAX, GL_PATCH_MS - 1);
    gl_asm_load_index(a, GL_RAX, GL_R15, GL_RAX, 8, (int32_t)gl_patch_slots_offset());
    gl_asm_test(a, true, GL_RAX, GL_RAX);
    gl_asm_jcc(a, GL_CC_NE, none); /* another M that is alive has the place */
    gl_asm_set(a, retry);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, GL_R15, offsetof(gl_patch_header, taken));
    gl_asm_rm(a, GL_OP_CMP, false, GL_RAX, GL_R15, offsetof(gl_patch_header, offered));
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_lea(a, GL_RDX, GL_RAX, 1);
    gl_asm_lock_cmpxchg(a, GL_R15, offsetof(gl_patch_header, taken), GL_RDX);
    gl_asm_jcc(a, GL_CC_NE, retry);
    gl_asm_imm(a, 4, false, GL_RAX, 1023);
    gl_asm_lea_index(a, GL_RAX, GL_R15, GL_RAX, 2, offsetof(gl_patch_header, offer));
    gl_asm_load16(a, GL_RAX, GL_RAX, 0);
    gl_asm_abs(a, GL_RDX, gl_patch_ring_stride(env->ring_bytes));
    gl_asm_imul(a, GL_RAX, GL_RDX);
    gl_asm_abs(a, GL_RDX, env->data + gl_patch_rings_offset());
    gl_asm_rr(a, GL_OP_ADD, true, GL_RAX, GL_RDX);
    gl_asm_rr(a, GL_OP_MOV, true, GL_R13, GL_RAX);
    gl_asm_store(a, true, GL_R13, RING(m), GL_R12);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_R12, l->m_procid);
    gl_asm_store(a, true, GL_R13, RING(tid), GL_RDX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_R12, l->m_id);
    gl_asm_store(a, true, GL_R13, RING(m_id), GL_RDX);
    gl_asm_store32_imm(a, true, GL_R13, RING(assigned), 1);
    gl_asm_imm(a, 4, true, GL_RDX, GL_PATCH_MS - 1);
    gl_asm_store_index(a, GL_R15, GL_RDX, 8, (int32_t)gl_patch_slots_offset(), GL_R13);
    gl_asm_jmp(a, leave);
    gl_asm_set(a, none);
    gl_asm_rdtsc(a);
    gl_asm_shl(a, GL_RDX, 32);
    gl_asm_rr(a, GL_OP_OR, true, GL_RAX, GL_RDX);
    gl_asm_store(a, true, GL_R15, offsetof(gl_patch_header, no_ring_last), GL_RAX);
    gl_asm_lock_inc(a, GL_R15, offsetof(gl_patch_header, no_ring));
    gl_asm_rr(a, GL_OP_XOR, false, GL_R13, GL_R13);
    gl_asm_set(a, leave);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RSP, -32);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RSP, -40);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R12, GL_RSP, -48);
    gl_asm_bytes(a, "\xff\x64\x24\xe8", 4); /* jmp [rsp-24] */
}

/** Goes on behind these two instructions, when what it goes to has jumped to what `back` then holds. */
static void call_with(gl_asm *a, gl_goreg back, uint64_t to)
{
    /* lea back,[rip+5] */
    gl_asm_bytes(a, back == GL_R15 ? "\x4c\x8d\x3d\x05\x00\x00\x00" : "\x48\x8d\x05\x05\x00\x00\x00", 7);
    gl_asm_jmp_to(a, to);
}

/** R13: this thread's ring; goes to `none` where it has none. R15 is lost. */
static void find_ring(gl_asm *a, const gl_hook_env *env, unsigned none)
{
    const gl_golayout *l = env->layout;
    unsigned have = gl_asm_label(a), slow = gl_asm_label(a);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_R14, l->g_m);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_R13, l->m_id);
    gl_asm_imm(a, 4, true, GL_R13, GL_PATCH_MS - 1);
    gl_asm_abs(a, GL_R15, env->data + gl_patch_slots_offset());
    gl_asm_load_index(a, GL_R13, GL_R15, GL_R13, 8, 0);
    gl_asm_test(a, true, GL_R13, GL_R13);
    gl_asm_jcc(a, GL_CC_E, slow);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_R14, l->g_m);
    gl_asm_rm(a, GL_OP_CMP, true, GL_R15, GL_R13, RING(m));
    gl_asm_jcc(a, GL_CC_E, have);
    gl_asm_set(a, slow);
    call_with(a, GL_R15, env->find_ring);
    gl_asm_test(a, true, GL_R13, GL_R13);
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_set(a, have);
}

/* A record */

void gl_hook_slot(gl_asm *a, const gl_hook_env *env)
{
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_R13, RING(head));
    gl_asm_imm(a, 4, true, GL_R15, (int32_t)(env->ring_bytes - 1));
    gl_asm_lea_index(a, GL_R15, GL_R13, GL_R15, 1, sizeof(gl_patch_ring));
}

/** To `full` where the next piece, and a record that begins at its end, have no room. R15: the head. RAX: what is unread. */
static void check_room(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    gl_asm_rr(a, GL_OP_MOV, true, GL_RAX, GL_R15);
    gl_asm_rm(a, GL_OP_SUB, true, GL_RAX, GL_R13, RING(tail));
    gl_asm_imm(a, 7, true, GL_RAX, (int32_t)(env->ring_bytes - GL_PATCH_PIECE - GL_PATCH_LONGEST));
    gl_asm_jcc(a, GL_CC_A, full);
}

/** R15 is where the ring's memory ends: a jump to the start of the next lap. */
static void next_lap(gl_asm *a, const gl_hook_env *env)
{
    gl_asm_lea_index(a, GL_RAX, GL_R13, GL_R15, 1, sizeof(gl_patch_ring));
    gl_asm_store32_imm(a, true, GL_RAX, 8, 0);
    gl_asm_store32_imm(a, false, GL_RAX, 28, (int32_t)GL_PATCH_JUMP << 24);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_R13, RING(head));
    gl_asm_imm(a, 0, true, GL_R15, (int32_t)(env->ring_bytes - 1));
    gl_asm_imm(a, 4, true, GL_R15, -(int32_t)env->ring_bytes);
    gl_asm_store(a, true, GL_R13, RING(head), GL_R15);
}

/** Looks where the reader is, once a piece: sets the limit up to which records may begin, if there is room. RAX: where to
    go on. R15: the head. */
static void make_find_room(gl_asm *a, gl_hook_env *env)
{
    unsigned here = gl_asm_label(a), next = gl_asm_label(a), leave = gl_asm_label(a);
    env->find_room = gl_asm_here(a);
    gl_asm_store(a, true, GL_RSP, BELOW_BACK, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_R13, RING(head));
    check_room(a, env, leave);
    gl_asm_imm(a, 4, true, GL_R15, (int32_t)(env->ring_bytes - 1));
    gl_asm_imm(a, 7, true, GL_R15, (int32_t)env->lap);
    gl_asm_jcc(a, GL_CC_B, here);
    gl_asm_rm(a, GL_OP_CMP, true, GL_R15, GL_R13, RING(populated));
    gl_asm_jcc(a, GL_CC_AE, next);
    gl_asm_imm(a, 7, true, GL_RAX, (int32_t)env->lap / 16); /* unread, of check_room */
    gl_asm_jcc(a, GL_CC_A, here);
    gl_asm_set(a, next);
    next_lap(a, env);
    check_room(a, env, leave);
    gl_asm_set(a, here);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_R13, RING(head));
    gl_asm_imm(a, 1, true, GL_R15, (int32_t)GL_PATCH_PIECE - 1);
    gl_asm_imm(a, 0, true, GL_R15, 1);
    gl_asm_store(a, true, GL_R13, RING(limit), GL_R15);
    gl_asm_set(a, leave);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_R13, RING(head));
    gl_asm_bytes(a, "\xff\x64\x24", 3); /* jmp [rsp+BELOW_BACK] */
    gl_asm_bytes(a, &(int8_t){BELOW_BACK}, 1);
}

/**
 * R15: where the record goes, whatever its length; to `full` where there is no room. RAX is lost. The recorder has read this
 * memory since it was written last: a line of it is asked back early, as the exchanges of the runtime wait for all stores.
 */
void gl_hook_room(gl_asm *a, const gl_hook_env *env, unsigned full)
{
    unsigned here = gl_asm_label(a);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_R13, RING(head));
    gl_asm_rm(a, GL_OP_CMP, true, GL_R15, GL_R13, RING(limit));
    gl_asm_jcc(a, GL_CC_B, here);
    call_with(a, GL_RAX, env->find_room);
    gl_asm_rm(a, GL_OP_CMP, true, GL_R15, GL_R13, RING(limit));
    gl_asm_jcc(a, GL_CC_AE, full);
    gl_asm_set(a, here);
    gl_asm_imm(a, 4, true, GL_R15, (int32_t)(env->ring_bytes - 1));
    gl_asm_lea_index(a, GL_R15, GL_R13, GL_R15, 1, sizeof(gl_patch_ring));
    gl_asm_bytes(a, "\x41\x0f\x0d\x8f\x00\x01\x00\x00", 8); /* prefetchw [r15+256] */
}

void gl_hook_count_drop(gl_asm *a)
{
    gl_asm_rdtsc(a);
    gl_asm_shl(a, GL_RDX, 32);
    gl_asm_rr(a, GL_OP_OR, true, GL_RAX, GL_RDX);
    gl_asm_store(a, true, GL_R13, RING(dropped_last), GL_RAX);
    gl_asm_mem_imm(a, 0, true, GL_R13, RING(dropped), 1);
}

/** The time, of this moment, into the record; it is in the making until it is published. RAX, RDX are lost. */
void gl_hook_stamp(gl_asm *a)
{
    gl_asm_store8_imm(a, GL_R13, RING(busy), 1);
    gl_asm_rdtsc(a);
    gl_asm_store(a, false, GL_R15, 0, GL_RAX);
    gl_asm_store(a, false, GL_R15, 4, GL_RDX);
}

/* A stack */

static const gl_goreg stack_regs[4] = {GL_RCX, GL_RBX, GL_RSI, GL_RDI};

void gl_hook_keep_four(gl_asm *a)
{
    for (unsigned i = 0; i < 4; i++)
        gl_asm_store(a, true, GL_RSP, save_at(SAVE_RCX + i), stack_regs[i]);
}

void gl_hook_restore_four(gl_asm *a)
{
    for (unsigned i = 0; i < 4; i++)
        gl_asm_rm(a, GL_OP_MOV, true, stack_regs[i], GL_RSP, save_at(SAVE_RCX + i));
}

/** One return address, RDX, goes into the hash. */
static void take_frame(gl_asm *a)
{
    gl_asm_rr(a, GL_OP_XOR, true, GL_RCX, GL_RDX);
    gl_asm_imul(a, GL_RCX, GL_RBX);
    gl_asm_imm(a, 0, false, GL_RSI, 1);
}

/** One return address, RDX, goes to RBX. */
static void put_frame(gl_asm *a)
{
    gl_asm_store(a, true, GL_RBX, 0, GL_RDX);
    gl_asm_imm(a, 0, true, GL_RBX, 8);
}

/** A record of the stack that was walked: RCX its hash, RSI its frames, of which those behind the first lie from RDI on. */
static void tell_stack(gl_asm *a, const gl_hook_env *env, bool first_rsp, unsigned full)
{
    unsigned again = gl_asm_label(a), done = gl_asm_label(a);
    gl_hook_room(a, env, full);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RDX, GL_RCX);
    gl_asm_shr(a, GL_RDX, 56);
    gl_asm_store_index(a, GL_R13, GL_RDX, 8, RING(memo), GL_RCX);
    gl_asm_store(a, true, GL_R15, 16, GL_RCX);
    gl_asm_lea(a, GL_RCX, GL_RSI, GL_PATCH_UNIT / 8 - 1);
    gl_asm_shr(a, GL_RCX, 2); /* further units */
    gl_asm_rr(a, GL_OP_MOV, true, GL_RDX, GL_RCX);
    gl_asm_shl(a, GL_RDX, GL_PATCH_EXTRA_SHIFT);
    gl_asm_rr(a, GL_OP_OR, true, GL_RDX, GL_RSI);
    gl_asm_store(a, true, GL_R15, 8, GL_RDX);
    gl_asm_store32_imm(a, false, GL_R15, 28, (int32_t)GL_PATCH_STACK << 24);
    gl_asm_lea(a, GL_RBX, GL_R15, GL_PATCH_UNIT);
    if (first_rsp) {
        gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RSP, 0);
        put_frame(a);
        gl_asm_imm(a, 5, false, GL_RSI, 1);
    }
    gl_asm_set(a, again);
    gl_asm_test(a, false, GL_RSI, GL_RSI);
    gl_asm_jcc(a, GL_CC_E, done);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RDI, 8);
    put_frame(a);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDI, GL_RDI, 0);
    gl_asm_imm(a, 5, false, GL_RSI, 1);
    gl_asm_jmp(a, again);
    gl_asm_set(a, done);
    gl_asm_shl(a, GL_RCX, 5);
    gl_asm_imm(a, 0, true, GL_RCX, GL_PATCH_UNIT);
    gl_asm_rm(a, GL_OP_ADD, true, GL_RCX, GL_R13, RING(head));
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_R15, 16);
    gl_asm_store(a, true, GL_R13, RING(head), GL_RCX);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RCX, GL_RDX);
}

/**
 * Walks the frames whose pointer is RAX, on the stack of the g in RDI. RCX: hash of the stack, 0: none. The frames are put
 * into the ring if it does not have them already. First_rsp: [RSP] is the innermost frame's return address. RAX, RBX, RDX,
 * RSI, RDI, R15 are lost. Only the bytes between the stack's bounds are looked at, and only upwards: whatever RBP was, this
 * ends, and reads nothing else.
 */
void gl_hook_walk(gl_asm *a, const gl_hook_env *env, bool first_rsp)
{
    const gl_golayout *l = env->layout;
    unsigned again = gl_asm_label(a), walked = gl_asm_label(a), none = gl_asm_label(a), known = gl_asm_label(a);
    gl_asm_abs(a, GL_RBX, UINT64_C(0x9e3779b97f4a7c15));
    gl_asm_rr(a, GL_OP_XOR, false, GL_RCX, GL_RCX);
    gl_asm_rr(a, GL_OP_XOR, false, GL_RSI, GL_RSI);
    gl_asm_rr(a, GL_OP_MOV, true, GL_R15, GL_RAX);
    if (first_rsp) {
        gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RSP, 0);
        take_frame(a);
    }
    gl_asm_rm(a, GL_OP_CMP, true, GL_RAX, GL_RDI, l->g_stack_lo);
    gl_asm_jcc(a, GL_CC_B, walked);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDI, GL_RDI, l->g_stack_hi);
    gl_asm_imm(a, 0, true, GL_RDI, -16);
    gl_asm_set(a, again);
    gl_asm_bytes(a, "\xa8\x07", 2); /* test al,7 */
    gl_asm_jcc(a, GL_CC_NE, walked);
    gl_asm_rr(a, GL_OP_CMP, true, GL_RAX, GL_RDI);
    gl_asm_jcc(a, GL_CC_A, walked);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RAX, 8);
    gl_asm_test(a, true, GL_RDX, GL_RDX);
    gl_asm_jcc(a, GL_CC_E, walked);
    take_frame(a);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RAX, 0);
    gl_asm_rr(a, GL_OP_CMP, true, GL_RDX, GL_RAX);
    gl_asm_jcc(a, GL_CC_BE, walked);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RAX, GL_RDX);
    gl_asm_imm(a, 7, false, GL_RSI, (int32_t)env->frames);
    gl_asm_jcc(a, GL_CC_B, again);
    gl_asm_set(a, walked);
    gl_asm_test(a, false, GL_RSI, GL_RSI);
    gl_asm_jcc(a, GL_CC_E, none);
    gl_asm_imm(a, 1, true, GL_RCX, 1);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RDX, GL_RCX);
    gl_asm_shr(a, GL_RDX, 56);
    gl_asm_load_index(a, GL_RAX, GL_R13, GL_RDX, 8, RING(memo));
    gl_asm_rr(a, GL_OP_CMP, true, GL_RAX, GL_RCX);
    gl_asm_jcc(a, GL_CC_E, known);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RDI, GL_R15);
    tell_stack(a, env, first_rsp, none);
    gl_asm_jmp(a, known);
    gl_asm_set(a, none);
    gl_asm_rr(a, GL_OP_XOR, false, GL_RCX, GL_RCX);
    gl_asm_set(a, known);
}

/** Common to all hooks. */
bool gl_hooks_begin(gl_asm *a, gl_hook_env *env)
{
    make_find_ring(a, env);
    make_find_room(a, env);
    return gl_asm_finish(a);
}

/* Entry and return */

static bool needs(const gl_gosite *s, gl_goreg r)
{
    return !(s->dead >> r & 1);
}

static void make_around(gl_asm *a, const gl_hook_env *env, const gl_gosite *s, gl_hook_body body)
{
    unsigned none = gl_asm_label(a), out = gl_asm_label(a), full = gl_asm_label(a), rest = gl_asm_label(a);
    if (needs(s, GL_R13))
        gl_asm_store(a, true, GL_RSP, RED_R13, GL_R13);
    if (needs(s, GL_R15))
        gl_asm_store(a, true, GL_RSP, RED_R15, GL_R15);
    find_ring(a, env, none);
    if (needs(s, GL_R12))
        gl_asm_store(a, true, GL_RSP, save_at(SAVE_R12), GL_R12);
    if (needs(s, GL_RDX))
        gl_asm_store(a, true, GL_RSP, save_at(SAVE_RDX), GL_RDX);
    gl_asm_rr(a, GL_OP_MOV, true, GL_R12, GL_RAX);
    body(a, env, full);
    gl_asm_set(a, out);
    gl_asm_rr(a, GL_OP_MOV, true, GL_RAX, GL_R12);
    if (needs(s, GL_RDX))
        gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RSP, save_at(SAVE_RDX));
    if (needs(s, GL_R12))
        gl_asm_rm(a, GL_OP_MOV, true, GL_R12, GL_RSP, save_at(SAVE_R12));
    gl_asm_set(a, none);
    if (needs(s, GL_R13))
        gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_RSP, RED_R13);
    if (needs(s, GL_R15))
        gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_RSP, RED_R15);
    gl_asm_jmp(a, rest);
    gl_asm_set(a, full);
    gl_hook_count_drop(a);
    gl_asm_jmp(a, out);
    gl_asm_set(a, rest);
}

/* A change of state */

/** The hooked code's own value of a register, into `to`. */
static void original(gl_asm *a, gl_goreg to, gl_goreg r)
{
    if (r == GL_R13 || r == GL_R15)
        gl_asm_rm(a, GL_OP_MOV, true, to, GL_RSP, r == GL_R13 ? RED_R13 : RED_R15);
    else if (r == GL_RAX || r == GL_RDX || r == GL_R12)
        gl_asm_rm(a, GL_OP_MOV, true, to, GL_RSP,
                  save_at(r == GL_RAX ? SAVE_RAX : r == GL_RDX ? SAVE_RDX : SAVE_R12));
    else if (to != r)
        gl_asm_rr(a, GL_OP_MOV, true, to, r);
}

enum { G_RUNNABLE = 1, G_RUNNING = 2, G_WAITING = 4, G_COPYSTACK = 8, G_SCAN = 0x1000, G_SCAN_PREEMPTED = 0x1009 };

/**
 * The stack of a goroutine that is about to park, before it does: afterwards the collector may move it. Its own code
 * has switched to the scheduler's stack by then, and left its frame pointer in g.sched.
 */
static void park_stack(gl_asm *a, const gl_hook_env *env, const gl_gosite *s)
{
    unsigned none = gl_asm_label(a), wanted = gl_asm_label(a), done = gl_asm_label(a), skip = gl_asm_label(a);
    if (env->stacks != GL_STACKS_NONE) {
        original(a, GL_R15, s->value);
        gl_asm_imm(a, 7, false, GL_RAX, G_RUNNING);
        gl_asm_jcc(a, GL_CC_NE, none);
        gl_asm_imm(a, 7, false, GL_R15, G_WAITING);
        gl_asm_jcc(a, GL_CC_E, wanted);
        if (env->stacks == GL_STACKS_ALL) {
            gl_asm_imm(a, 7, false, GL_R15, G_RUNNABLE);
            gl_asm_jcc(a, GL_CC_E, wanted);
        }
        gl_asm_jmp(a, none);
        gl_asm_set(a, wanted);
        gl_hook_keep_four(a);
        original(a, GL_RDI, s->base);
        gl_asm_rr(a, GL_OP_XOR, false, GL_RCX, GL_RCX);
        gl_asm_rr(a, GL_OP_CMP, true, GL_RDI, GL_R14);
        gl_asm_jcc(a, GL_CC_E, skip);
        gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RDI, env->layout->g_sched_bp);
        gl_hook_walk(a, env, false);
        gl_asm_set(a, skip);
        gl_asm_store(a, true, GL_RSP, save_at(SAVE_HASH), GL_RCX);
        gl_hook_restore_four(a);
        gl_asm_jmp(a, done);
    }
    gl_asm_set(a, none);
    gl_asm_store32_imm(a, true, GL_RSP, save_at(SAVE_HASH), 0);
    gl_asm_set(a, done);
}

static void cas_record(gl_asm *a, const gl_hook_env *env, const gl_gosite *s)
{
    const gl_golayout *l = env->layout;
    unsigned no_p = gl_asm_label(a);
    original(a, GL_R12, s->base);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R13, RING(stamp));
    gl_asm_store(a, true, GL_R15, 0, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_R12, l->g_goid);
    gl_asm_store(a, true, GL_R15, 8, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RSP, save_at(SAVE_HASH));
    gl_asm_store(a, true, GL_R15, 16, GL_RAX);
    gl_asm_store8(a, GL_R15, 29, GL_RDX); /* new */
    gl_asm_rm(a, GL_OP_MOV, false, GL_RDX, GL_RSP, save_at(SAVE_RAX));
    gl_asm_store8(a, GL_R15, 28, GL_RDX); /* old */
    gl_asm_load8(a, GL_RDX, GL_R12, l->g_waitreason);
    gl_asm_store8(a, GL_R15, 30, GL_RDX);
    gl_asm_store8_imm(a, GL_R15, 31, GL_PATCH_CAS);
    gl_asm_rr(a, GL_OP_XOR, false, GL_RAX, GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_R14, l->g_m);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RDX, l->m_p);
    gl_asm_test(a, true, GL_RDX, GL_RDX);
    gl_asm_jcc(a, GL_CC_E, no_p);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RAX, GL_RDX, l->p_id);
    gl_asm_imm(a, 0, false, GL_RAX, 1);
    gl_asm_set(a, no_p);
    gl_asm_store(a, false, GL_R15, 24, GL_RAX);
    gl_asm_mem_imm(a, 0, true, GL_R13, RING(head), GL_PATCH_UNIT);
}

/**
 * A goroutine that stops running here may go on elsewhere: what it was about to do is not known of this thread any more.
 * Else it could come back here with another operation, and we would take this one's channel, or cases, for that one's.
 * RDX: the new state.
 */
static void forget_operation(gl_asm *a)
{
    unsigned stays = gl_asm_label(a);
    gl_asm_mem_imm(a, 7, false, GL_RSP, save_at(SAVE_RAX), G_RUNNING);
    gl_asm_jcc(a, GL_CC_NE, stays);
    gl_asm_imm(a, 7, false, GL_RDX, G_COPYSTACK);
    gl_asm_jcc(a, GL_CC_E, stays);
    gl_asm_store32_imm(a, true, GL_R13, RING(op_g), 0);
    gl_asm_set(a, stays);
}

/** The exchange itself uses a register. */
static bool takes(const gl_gosite *s, gl_goreg r)
{
    return s->base == r || s->value == r;
}

/**
 * The stamp is taken before the exchange: afterwards another thread could act on it, and be first. Whatever the exchange
 * finds and leaves (RAX, the flags) reaches the code behind it unchanged.
 */
static void make_cas(gl_asm *a, const gl_hook_env *env, const gl_gosite *s)
{
    unsigned none = gl_asm_label(a), fail = gl_asm_label(a), keep = gl_asm_label(a), drop = gl_asm_label(a),
             out = gl_asm_label(a), full = gl_asm_label(a), rest = gl_asm_label(a);
    gl_asm_store(a, true, GL_RSP, RED_R13, GL_R13);
    gl_asm_store(a, true, GL_RSP, RED_R15, GL_R15);
    find_ring(a, env, none);
    gl_asm_store(a, true, GL_RSP, save_at(SAVE_RAX), GL_RAX);
    gl_asm_store(a, true, GL_RSP, save_at(SAVE_RDX), GL_RDX);
    gl_asm_store(a, true, GL_RSP, save_at(SAVE_R12), GL_R12);
    park_stack(a, env, s);
    gl_asm_store8_imm(a, GL_R13, RING(busy), 1);
    gl_asm_rdtsc(a);
    gl_asm_store(a, false, GL_R13, RING(stamp), GL_RAX);
    gl_asm_store(a, false, GL_R13, RING(stamp) + 4, GL_RDX);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RSP, save_at(SAVE_RAX));
    if (takes(s, GL_RDX))
        gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RSP, save_at(SAVE_RDX));
    if (takes(s, GL_R15))
        gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_RSP, RED_R15);
    if (takes(s, GL_R13)) {
        gl_asm_store(a, true, GL_RSP, RED_RING, GL_R13);
        gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_RSP, RED_R13);
    }
    gl_asm_lock_cmpxchg(a, s->base, s->displacement, s->value);
    if (takes(s, GL_R13))
        gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_RSP, RED_RING);
    gl_asm_jcc(a, GL_CC_NE, fail);
    /* Marks of the collector's scan are no changes; to preempt for a scan is one. */
    original(a, GL_RDX, s->value);
    gl_asm_rr(a, GL_OP_MOV, false, GL_RAX, GL_RDX);
    gl_asm_rm(a, GL_OP_OR, false, GL_RAX, GL_RSP, save_at(SAVE_RAX));
    gl_asm_bytes(a, "\xf6\xc4\x10", 3); /* test ah,0x10 */
    gl_asm_jcc(a, GL_CC_E, keep);
    gl_asm_imm(a, 7, false, GL_RDX, G_SCAN_PREEMPTED);
    gl_asm_jcc(a, GL_CC_NE, out);
    gl_asm_mem_imm(a, 7, false, GL_RSP, save_at(SAVE_RAX), G_RUNNING);
    gl_asm_jcc(a, GL_CC_NE, out);
    gl_asm_set(a, keep);
    forget_operation(a);
    gl_hook_room(a, env, full);
    cas_record(a, env, s);
    gl_asm_set(a, out);
    gl_asm_store8_imm(a, GL_R13, RING(busy), 0);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R12, GL_RSP, save_at(SAVE_R12));
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RSP, save_at(SAVE_RDX));
    gl_asm_rm(a, GL_OP_MOV, true, GL_RAX, GL_RSP, save_at(SAVE_RAX));
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_RSP, RED_R15);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_RSP, RED_R13);
    gl_asm_rr(a, GL_OP_CMP, false, GL_RAX, GL_RAX); /* the flags of an exchange that took place */
    gl_asm_jmp(a, rest);
    gl_asm_set(a, fail); /* RAX and the flags are what it left */
    gl_asm_store8_imm(a, GL_R13, RING(busy), 0);
    gl_asm_rm(a, GL_OP_MOV, true, GL_RDX, GL_RSP, save_at(SAVE_RDX));
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_RSP, RED_R15);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_RSP, RED_R13);
    gl_asm_jmp(a, rest);
    gl_asm_set(a, full);
    gl_hook_count_drop(a);
    gl_asm_jmp(a, out);
    gl_asm_set(a, drop);
    gl_asm_set(a, none);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R15, GL_RSP, RED_R15);
    gl_asm_rm(a, GL_OP_MOV, true, GL_R13, GL_RSP, RED_R13);
    gl_asm_lock_cmpxchg(a, s->base, s->displacement, s->value);
    gl_asm_set(a, rest);
}

/* A hook */

bool gl_hook_known(gl_goprobe_id probe)
{
    return probe == GL_GOPROBE_CAS || gl_hook_body_of(probe) != NULL;
}

static void jump_there(gl_hook *h, uint64_t address)
{
    int32_t by = (int32_t)(h->entry - (address + 5));
    h->after[0] = 0xe9;
    memcpy(h->after + 1, &by, 4);
    /* Nobody comes here any more; int3 tells of whoever does. */
    memset(h->after + 5, 0xcc, h->length - 5);
}

static bool begin_hook(const gl_asm *a, const gl_gosite *site, const uint8_t *bytes, uint64_t from, gl_hook *out)
{
    int64_t reach = (int64_t)(gl_asm_here(a) - from);
    if (site->length < 5 || site->length > GL_PATCH_BYTES || site->event > site->length || reach != (int32_t)reach)
        return false;
    memset(out, 0, sizeof *out);
    out->address = from;
    out->entry = gl_asm_here(a);
    out->length = site->length;
    memcpy(out->before, bytes, site->length);
    jump_there(out, from);
    return true;
}

bool gl_hook_make_gate(gl_asm *a, const gl_hook_env *env, const gl_gosite *site, const uint8_t *bytes, uint64_t bias, gl_hook *out)
{
    uint64_t from = site->address + bias;
    if (!begin_hook(a, site, bytes, from, out) || !gl_relocate(a, bytes, site->event, from, &out->moved))
        return false;
    gl_hook_gate(a, env);
    if (!gl_relocate(a, bytes + site->event, site->length - site->event, from + site->event, &out->moved))
        return false;
    if (!out->moved.ends || site->event == site->length)
        gl_asm_jmp_to(a, from + site->length);
    return gl_asm_finish(a);
}

bool gl_hook_make(gl_asm *a, const gl_hook_env *env, const gl_gosite *site, const uint8_t *bytes, uint64_t bias, gl_hook *out)
{
    uint64_t from = site->address + bias;
    size_t n = site->length, first = site->kind == GL_GOSITE_CAS ? 0 : site->event;
    if (!begin_hook(a, site, bytes, from, out))
        return false;
    if (site->kind == GL_GOSITE_CAS) {
        make_cas(a, env, site);
        gl_asm_jmp_to(a, from + n);
    } else {
        gl_hook_body body = gl_hook_body_of(site->probe);
        if (!body || !gl_relocate(a, bytes, first, from, &out->moved))
            return false;
        make_around(a, env, site, body);
        if (!gl_relocate(a, bytes + first, n - first, from + first, &out->moved))
            return false;
        if (!out->moved.ends || first == n)
            gl_asm_jmp_to(a, from + n);
    }
    return gl_asm_finish(a);
}
