#include "relocate.h"

#include <Zydis/Zydis.h>
#include <string.h>

typedef struct insn {
    ZydisDecodedInstruction i;
    const uint8_t *bytes;
    uint64_t from;
} insn;

/** A branch by a distance: as the same one with 32 bits of it. */
static bool branch(gl_asm *a, const insn *x, gl_relocation *r)
{
    uint64_t target = x->from + x->i.length + (uint64_t)x->i.raw.imm[0].value.s;
    ZydisMnemonic m = x->i.mnemonic;
    if (m == ZYDIS_MNEMONIC_JMP) {
        gl_asm_jmp_to(a, target);
        r->ends = true;
        return !a->failed;
    }
    /* 70+cc rel8 and 0f 80+cc rel32 are the conditional jumps; loops and jrcxz reach no farther than they do */
    unsigned op = x->i.opcode;
    bool is_jcc = (x->i.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && op >= 0x70 && op <= 0x7f) ||
                  (x->i.opcode_map == ZYDIS_OPCODE_MAP_0F && op >= 0x80 && op <= 0x8f);
    int64_t by = (int64_t)(target - (gl_asm_here(a) + 6));
    if (!is_jcc || by != (int32_t)by)
        return false;
    uint8_t code[6] = {0x0f, (uint8_t)(0x80 | (op & 15))};
    int32_t by32 = (int32_t)by;
    memcpy(code + 2, &by32, 4);
    gl_asm_bytes(a, code, sizeof code);
    return !a->failed;
}

static bool copy(gl_asm *a, const insn *x)
{
    uint8_t code[16];
    memcpy(code, x->bytes, x->i.length);
    bool by_rip = (x->i.attributes & ZYDIS_ATTRIB_IS_RELATIVE) != 0;
    if (by_rip) {
        if (x->i.raw.disp.size != 32)
            return false;
        int64_t by = x->i.raw.disp.value + (int64_t)(x->from - gl_asm_here(a));
        int32_t by32 = (int32_t)by;
        if (by != by32)
            return false;
        memcpy(code + x->i.raw.disp.offset, &by32, 4);
    }
    gl_asm_bytes(a, code, x->i.length);
    return !a->failed;
}

static bool move(gl_asm *a, const insn *x, gl_relocation *r)
{
    ZydisInstructionCategory c = x->i.meta.category;
    if (c == ZYDIS_CATEGORY_CALL)
        return false;
    if (x->i.raw.imm[0].is_relative)
        return branch(a, x, r);
    if (c == ZYDIS_CATEGORY_RET)
        r->ends = true;
    return copy(a, x);
}

bool gl_relocate(gl_asm *a, const uint8_t *bytes, size_t n, uint64_t from, gl_relocation *r)
{
    ZydisDecoder d;
    if (!ZYAN_SUCCESS(ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
        return false;
    for (size_t at = 0; at < n;) {
        insn x = {.bytes = bytes + at, .from = from + at};
        if (r->n >= GL_MOVED_MAX || !ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&d, NULL, bytes + at, n - at, &x.i)))
            return false;
        r->moved[r->n++] = (gl_moved){x.from, gl_asm_here(a)};
        r->ends = false;
        if (!move(a, &x, r))
            return false;
        at += x.i.length;
    }
    return !a->failed;
}
