#include "asm.h"

#include <string.h>

void gl_asm_start(gl_asm *a, uint8_t *code, size_t room, uint64_t base)
{
    memset(a, 0, sizeof *a);
    a->code = code;
    a->room = room;
    a->base = base;
}

uint64_t gl_asm_here(const gl_asm *a)
{
    return a->base + a->n;
}

void gl_asm_bytes(gl_asm *a, const void *p, size_t n)
{
    if (a->failed || n > a->room - a->n) {
        a->failed = true;
        return;
    }
    memcpy(a->code + a->n, p, n);
    a->n += n;
}

static void byte(gl_asm *a, unsigned v)
{
    uint8_t b = (uint8_t)v;
    gl_asm_bytes(a, &b, 1);
}

static void word32(gl_asm *a, int32_t v)
{
    gl_asm_bytes(a, &v, 4);
}

/* Labels */

unsigned gl_asm_label(gl_asm *a)
{
    if (a->labels >= sizeof a->label / sizeof *a->label) {
        a->failed = true;
        return 0;
    }
    a->label[a->labels] = -1;
    return a->labels++;
}

void gl_asm_set(gl_asm *a, unsigned label)
{
    a->label[label] = (int32_t)a->n;
}

static void distance(gl_asm *a, unsigned label)
{
    if (a->fixups >= GL_ASM_FIXUPS) {
        a->failed = true;
        return;
    }
    a->fixup[a->fixups].at = (uint32_t)a->n;
    a->fixup[a->fixups++].label = label;
    word32(a, 0);
}

void gl_asm_jcc(gl_asm *a, gl_asm_cc cc, unsigned label)
{
    byte(a, 0x0f);
    byte(a, 0x80u + (unsigned)cc);
    distance(a, label);
}

void gl_asm_jmp(gl_asm *a, unsigned label)
{
    byte(a, 0xe9);
    distance(a, label);
}

void gl_asm_jmp_to(gl_asm *a, uint64_t address)
{
    int64_t by = (int64_t)(address - (gl_asm_here(a) + 5));
    if (by != (int32_t)by)
        a->failed = true;
    byte(a, 0xe9);
    word32(a, (int32_t)by);
}

bool gl_asm_finish(gl_asm *a)
{
    for (unsigned i = 0; i < a->fixups && !a->failed; i++) {
        int32_t to = a->label[a->fixup[i].label], by = to - (int32_t)(a->fixup[i].at + 4);
        if (to < 0)
            a->failed = true;
        else
            memcpy(a->code + a->fixup[i].at, &by, 4);
    }
    a->fixups = a->labels = 0;
    return !a->failed;
}

/* Operands */

static void rex(gl_asm *a, bool w, unsigned reg, unsigned index, unsigned base, bool always)
{
    unsigned v = 0x40u | (w ? 8u : 0) | (reg >> 3 << 2) | (index >> 3 << 1) | base >> 3;
    if (v != 0x40 || always)
        byte(a, v);
}

static void mod_rm(gl_asm *a, unsigned reg, gl_goreg base, int32_t at)
{
    unsigned b = base & 7u, mod = at == 0 && b != 5 ? 0u : at == (int8_t)at ? 1u : 2u;
    byte(a, mod << 6 | (reg & 7u) << 3 | b);
    if (b == 4)
        byte(a, 0x24);
    if (mod == 1)
        byte(a, (uint8_t)at);
    else if (mod == 2)
        word32(a, at);
}

static void op_rm(gl_asm *a, bool w, unsigned op, unsigned reg, gl_goreg base, int32_t at)
{
    rex(a, w, reg, 0, base, false);
    byte(a, op);
    mod_rm(a, reg, base, at);
}

void gl_asm_rr(gl_asm *a, gl_asm_op op, bool w, gl_goreg to, gl_goreg from)
{
    rex(a, w, to, 0, from, false);
    byte(a, op);
    byte(a, 0xc0u | (to & 7u) << 3 | (from & 7u));
}

void gl_asm_rm(gl_asm *a, gl_asm_op op, bool w, gl_goreg to, gl_goreg base, int32_t at)
{
    op_rm(a, w, op, to, base, at);
}

void gl_asm_store(gl_asm *a, bool w, gl_goreg base, int32_t at, gl_goreg from)
{
    op_rm(a, w, 0x89, from, base, at);
}

void gl_asm_store8(gl_asm *a, gl_goreg base, int32_t at, gl_goreg from)
{
    rex(a, false, from, 0, base, true);
    byte(a, 0x88);
    mod_rm(a, from, base, at);
}

static void zx(gl_asm *a, unsigned op, gl_goreg to, gl_goreg base, int32_t at)
{
    rex(a, false, to, 0, base, false);
    byte(a, 0x0f);
    byte(a, op);
    mod_rm(a, to, base, at);
}

void gl_asm_load8(gl_asm *a, gl_goreg to, gl_goreg base, int32_t at)
{
    zx(a, 0xb6, to, base, at);
}

void gl_asm_load16(gl_asm *a, gl_goreg to, gl_goreg base, int32_t at)
{
    zx(a, 0xb7, to, base, at);
}

void gl_asm_zx8(gl_asm *a, gl_goreg to, gl_goreg from)
{
    rex(a, false, to, 0, from, true);
    byte(a, 0x0f);
    byte(a, 0xb6);
    byte(a, 0xc0u | (to & 7u) << 3 | (from & 7u));
}

void gl_asm_store8_imm(gl_asm *a, gl_goreg base, int32_t at, uint8_t v)
{
    op_rm(a, false, 0xc6, 0, base, at);
    byte(a, v);
}

void gl_asm_store32_imm(gl_asm *a, bool w, gl_goreg base, int32_t at, int32_t v)
{
    op_rm(a, w, 0xc7, 0, base, at);
    word32(a, v);
}

void gl_asm_imm(gl_asm *a, unsigned op, bool w, gl_goreg r, int32_t v)
{
    bool small = v == (int8_t)v;
    rex(a, w, 0, 0, r, false);
    byte(a, small ? 0x83 : 0x81);
    byte(a, 0xc0u | op << 3 | (r & 7u));
    if (small)
        byte(a, (uint8_t)v);
    else
        word32(a, v);
}

void gl_asm_mem_imm(gl_asm *a, unsigned op, bool w, gl_goreg base, int32_t at, int32_t v)
{
    bool small = v == (int8_t)v;
    op_rm(a, w, small ? 0x83 : 0x81, op, base, at);
    if (small)
        byte(a, (uint8_t)v);
    else
        word32(a, v);
}

static void shift(gl_asm *a, unsigned op, gl_goreg r, uint8_t by)
{
    rex(a, true, 0, 0, r, false);
    byte(a, 0xc1);
    byte(a, 0xc0u | op << 3 | (r & 7u));
    byte(a, by);
}

void gl_asm_shl(gl_asm *a, gl_goreg r, uint8_t by)
{
    shift(a, 4, r, by);
}

void gl_asm_shr(gl_asm *a, gl_goreg r, uint8_t by)
{
    shift(a, 5, r, by);
}

void gl_asm_test(gl_asm *a, bool w, gl_goreg x, gl_goreg y)
{
    rex(a, w, y, 0, x, false);
    byte(a, 0x85);
    byte(a, 0xc0u | (y & 7u) << 3 | (x & 7u));
}

void gl_asm_abs(gl_asm *a, gl_goreg r, uint64_t v)
{
    rex(a, true, 0, 0, r, false);
    byte(a, 0xb8u + (r & 7u));
    gl_asm_bytes(a, &v, 8);
}

static void indexed(gl_asm *a, unsigned op, unsigned reg, gl_goreg base, gl_goreg index, unsigned scale, int32_t at)
{
    unsigned bits = scale == 8 ? 3 : scale == 4 ? 2 : scale == 2 ? 1 : 0;
    rex(a, true, reg, index, base, false);
    byte(a, op);
    byte(a, 0x80u | (reg & 7u) << 3 | 4u);
    byte(a, bits << 6 | (index & 7u) << 3 | (base & 7u));
    word32(a, at);
}

void gl_asm_load_index(gl_asm *a, gl_goreg to, gl_goreg base, gl_goreg index, unsigned scale, int32_t at)
{
    indexed(a, 0x8b, to, base, index, scale, at);
}

void gl_asm_store_index(gl_asm *a, gl_goreg base, gl_goreg index, unsigned scale, int32_t at, gl_goreg from)
{
    indexed(a, 0x89, from, base, index, scale, at);
}

void gl_asm_lea_index(gl_asm *a, gl_goreg to, gl_goreg base, gl_goreg index, unsigned scale, int32_t at)
{
    indexed(a, 0x8d, to, base, index, scale, at);
}

void gl_asm_lea(gl_asm *a, gl_goreg to, gl_goreg base, int32_t at)
{
    op_rm(a, true, 0x8d, to, base, at);
}

void gl_asm_imul(gl_asm *a, gl_goreg to, gl_goreg from)
{
    rex(a, true, to, 0, from, false);
    byte(a, 0x0f);
    byte(a, 0xaf);
    byte(a, 0xc0u | (to & 7u) << 3 | (from & 7u));
}

void gl_asm_rdtsc(gl_asm *a)
{
    gl_asm_bytes(a, "\x0f\x31", 2);
}

void gl_asm_lock_cmpxchg(gl_asm *a, gl_goreg base, int32_t at, gl_goreg from)
{
    byte(a, 0xf0);
    rex(a, true, from, 0, base, false);
    byte(a, 0x0f);
    byte(a, 0xb1);
    mod_rm(a, from, base, at);
}

void gl_asm_lock_inc(gl_asm *a, gl_goreg base, int32_t at)
{
    byte(a, 0xf0);
    op_rm(a, true, 0xff, 0, base, at);
}
