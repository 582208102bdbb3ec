/*
 * Machine code of x86-64, a few instructions of it, written into a buffer that will lie at a known address.
 *
 * Jumps go to labels, which are places in the buffer, set before or after; or to addresses. Whatever does not fit (the
 * buffer is full, a target is out of reach) sets `failed`: asked once, at the end.
 */
#ifndef GOLANES_PATCH_ASM_H
#define GOLANES_PATCH_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/goprobes.h"

#define GL_ASM_FIXUPS 128

typedef struct gl_asm {
    uint8_t *code;
    size_t n, room;
    uint64_t base; /* where code[0] will lie */
    bool failed;
    int32_t label[64]; /* -1: not set yet */
    unsigned labels;
    struct {
        uint32_t at; /* of the 32-bit distance */
        unsigned label;
    } fixup[GL_ASM_FIXUPS];
    unsigned fixups;
} gl_asm;

typedef enum gl_asm_cc { GL_CC_B = 2, GL_CC_AE = 3, GL_CC_E = 4, GL_CC_NE = 5, GL_CC_BE = 6, GL_CC_A = 7 } gl_asm_cc;
/** Two-operand instructions, as their opcode for "register, memory or register". */
typedef enum gl_asm_op {
    GL_OP_ADD = 0x03,
    GL_OP_OR = 0x0b,
    GL_OP_AND = 0x23,
    GL_OP_SUB = 0x2b,
    GL_OP_XOR = 0x33,
    GL_OP_CMP = 0x3b,
    GL_OP_MOV = 0x8b
} gl_asm_op;

void gl_asm_start(gl_asm *a, uint8_t *code, size_t room, uint64_t base);
uint64_t gl_asm_here(const gl_asm *a);
void gl_asm_bytes(gl_asm *a, const void *p, size_t n);

unsigned gl_asm_label(gl_asm *a);
void gl_asm_set(gl_asm *a, unsigned label);
void gl_asm_jcc(gl_asm *a, gl_asm_cc cc, unsigned label);
void gl_asm_jmp(gl_asm *a, unsigned label);
void gl_asm_jmp_to(gl_asm *a, uint64_t address);
/** Fills the distances in. False: something failed. Labels begin anew after it. */
bool gl_asm_finish(gl_asm *a);

/* w: 64 bits, else 32 */
void gl_asm_rr(gl_asm *a, gl_asm_op op, bool w, gl_goreg to, gl_goreg from);
void gl_asm_rm(gl_asm *a, gl_asm_op op, bool w, gl_goreg to, gl_goreg base, int32_t at);
void gl_asm_store(gl_asm *a, bool w, gl_goreg base, int32_t at, gl_goreg from);
void gl_asm_store8(gl_asm *a, gl_goreg base, int32_t at, gl_goreg from);
void gl_asm_load8(gl_asm *a, gl_goreg to, gl_goreg base, int32_t at);
void gl_asm_load16(gl_asm *a, gl_goreg to, gl_goreg base, int32_t at);
void gl_asm_zx8(gl_asm *a, gl_goreg to, gl_goreg from);
void gl_asm_store8_imm(gl_asm *a, gl_goreg base, int32_t at, uint8_t v);
void gl_asm_store32_imm(gl_asm *a, bool w, gl_goreg base, int32_t at, int32_t v);
/** op: 0 add, 1 or, 4 and, 5 sub, 7 cmp */
void gl_asm_imm(gl_asm *a, unsigned op, bool w, gl_goreg r, int32_t v);
void gl_asm_mem_imm(gl_asm *a, unsigned op, bool w, gl_goreg base, int32_t at, int32_t v);
void gl_asm_shl(gl_asm *a, gl_goreg r, uint8_t by);
void gl_asm_shr(gl_asm *a, gl_goreg r, uint8_t by);
void gl_asm_test(gl_asm *a, bool w, gl_goreg x, gl_goreg y);
void gl_asm_abs(gl_asm *a, gl_goreg r, uint64_t v);
/** to = [base + index * scale + at] or its address; index is not RSP */
void gl_asm_load_index(gl_asm *a, gl_goreg to, gl_goreg base, gl_goreg index, unsigned scale, int32_t at);
void gl_asm_store_index(gl_asm *a, gl_goreg base, gl_goreg index, unsigned scale, int32_t at, gl_goreg from);
void gl_asm_lea_index(gl_asm *a, gl_goreg to, gl_goreg base, gl_goreg index, unsigned scale, int32_t at);
void gl_asm_lea(gl_asm *a, gl_goreg to, gl_goreg base, int32_t at);
void gl_asm_imul(gl_asm *a, gl_goreg to, gl_goreg from);
void gl_asm_rdtsc(gl_asm *a);
void gl_asm_lock_cmpxchg(gl_asm *a, gl_goreg base, int32_t at, gl_goreg from);
void gl_asm_lock_inc(gl_asm *a, gl_goreg base, int32_t at);

#endif
