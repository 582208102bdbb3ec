/*
 * A child that has been forked, or a thread that is about to exec, waits here until the recorder has seized it, so that
 * the program it becomes is recorded from its first instruction on.
 *
 * The child of a vfork runs in its parent's memory, on its parent's stack, while the parent waits: nothing is pushed, and
 * what is written is the gate only. At the entry of a Go function that takes no arguments no register but R14 (the
 * goroutine), RSP and RBP holds anything.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "hooks_internal.h"

#define GATE(member) ((int32_t)(offsetof(gl_patch_header, gate) + offsetof(gl_probe_gate, member)))

static void constant(gl_asm *a, gl_goreg to, int32_t v)
{
    gl_asm_rr(a, GL_OP_XOR, false, to, to);
    if (v)
        gl_asm_imm(a, 0, false, to, v);
}

static void system_call(gl_asm *a, int32_t number)
{
    constant(a, GL_RAX, number);
    gl_asm_bytes(a, "\x0f\x05", 2);
}

void gl_hook_gate(gl_asm *a, const gl_hook_env *env)
{
    unsigned again = gl_asm_label(a), out = gl_asm_label(a);
    gl_asm_abs(a, GL_RBX, env->data);
    gl_asm_mem_imm(a, 7, false, GL_RBX, GATE(open), 0);
    gl_asm_jcc(a, GL_CC_E, out);
    system_call(a, SYS_gettid);
    gl_asm_store(a, false, GL_RBX, GATE(tid), GL_RAX);
    gl_asm_rm(a, GL_OP_MOV, false, GL_R12, GL_RBX, GATE(asked));
    gl_asm_imm(a, 0, false, GL_R12, 1);
    gl_asm_store(a, false, GL_RBX, GATE(asked), GL_R12);
    gl_asm_lea(a, GL_RDI, GL_RBX, GATE(asked));
    constant(a, GL_RSI, FUTEX_WAKE);
    constant(a, GL_RDX, 1);
    system_call(a, SYS_futex);
    gl_asm_set(a, again);
    gl_asm_rm(a, GL_OP_MOV, false, GL_RDX, GL_RBX, GATE(answered));
    gl_asm_rr(a, GL_OP_CMP, false, GL_RDX, GL_R12);
    gl_asm_jcc(a, GL_CC_E, out);
    gl_asm_lea(a, GL_RDI, GL_RBX, GATE(answered));
    constant(a, GL_RSI, FUTEX_WAIT);
    gl_asm_lea(a, GL_R10, GL_RBX, GATE(patience));
    system_call(a, SYS_futex);
    gl_asm_imm(a, 7, false, GL_RAX, -ETIMEDOUT);
    gl_asm_jcc(a, GL_CC_NE, again);
    gl_asm_store32_imm(a, false, GL_RBX, GATE(open), 0);
    gl_asm_set(a, out);
}
