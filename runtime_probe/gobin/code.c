#include "code.h"

#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#define FUNCTION_MAX (UINT64_C(1) << 20)
#define ARITHMETIC (ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF)

static uint8_t number_of(ZydisRegister r)
{
    ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r);
    if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
        return GL_REG_NONE;
    return (uint8_t)ZydisRegisterGetId(whole);
}

static gl_regs set_of(uint8_t number)
{
    return number < GL_REG_NONE ? GL_REG(number) : 0;
}

/* The part that an operand is. */
static gl_regs part_of(uint8_t number, const ZydisDecodedOperand *o)
{
    bool high = o->reg.value >= ZYDIS_REGISTER_AH && o->reg.value <= ZYDIS_REGISTER_BH;
    return number < GL_REG_NONE && o->size == 8 && !high ? GL_REG_BYTE(number) : set_of(number);
}

static uint8_t flow_of(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *first)
{
    bool direct = z->operand_count > 0 && first->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && first->imm.is_relative;
    switch (z->meta.category) {
    case ZYDIS_CATEGORY_CALL: return GL_FLOW_CALL;
    case ZYDIS_CATEGORY_RET: return GL_FLOW_RETURN;
    case ZYDIS_CATEGORY_COND_BR: return GL_FLOW_BRANCH;
    case ZYDIS_CATEGORY_UNCOND_BR: return direct ? GL_FLOW_JUMP : GL_FLOW_COMPUTED;
    default: break;
    }
    switch (z->mnemonic) {
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_HLT: return GL_FLOW_STOP;
    default: return GL_FLOW_NEXT;
    }
}

static void take_register(gl_insn *in, const ZydisDecodedOperand *o)
{
    uint8_t r = number_of(o->reg.value);
    if (in->reg == GL_REG_NONE && o->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
        in->reg = r;
    gl_regs part = part_of(r, o);
    if (o->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
        in->reads |= part;
    /* What leaves a part of it as it was, or may leave all of it, ends nothing. */
    if ((o->size >= 32 || (o->size == 8 && part != set_of(r))) && (o->actions & ZYDIS_OPERAND_ACTION_WRITE))
        in->kills |= part;
}

static void take_memory(gl_insn *in, const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
    in->reads |= set_of(number_of(o->mem.base)) | set_of(number_of(o->mem.index));
    if (o->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
        return;
    in->writes_memory |= (o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    in->base = number_of(o->mem.base);
    in->index = number_of(o->mem.index);
    in->displacement = o->mem.disp.has_displacement ? o->mem.disp.value : 0;
    in->memory_bits = o->size;
    if (o->mem.base == ZYDIS_REGISTER_RIP)
        in->memory = in->at + z->length + (uint64_t)o->mem.disp.value;
}

static void take_flags(gl_insn *in, const ZydisAccessedFlags *f)
{
    if (!f)
        return;
    if (f->tested & ARITHMETIC)
        in->reads |= GL_FLAGS;
    if (((f->modified | f->set_0 | f->set_1 | f->undefined) & ARITHMETIC) == ARITHMETIC)
        in->kills |= GL_FLAGS;
}

/* xor r,r does not care what was in r. */
static bool clears(const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
    return (z->mnemonic == ZYDIS_MNEMONIC_XOR || z->mnemonic == ZYDIS_MNEMONIC_SUB) && o[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           o[1].type == ZYDIS_OPERAND_TYPE_REGISTER && o[0].reg.value == o[1].reg.value && o[0].size >= 32;
}

static void take(gl_insn *in, uint64_t at, const ZydisDecodedInstruction *z, const ZydisDecodedOperand *o)
{
    *in = (gl_insn){.at = at, .n = z->length, .mnemonic = (uint16_t)z->mnemonic, .base = GL_REG_NONE, .index = GL_REG_NONE,
                    .reg = GL_REG_NONE, .lock = (z->attributes & ZYDIS_ATTRIB_HAS_LOCK) != 0, .flow = flow_of(z, o)};
    for (unsigned i = 0; i < z->operand_count; i++) {
        if (o[i].type == ZYDIS_OPERAND_TYPE_REGISTER)
            take_register(in, &o[i]);
        else if (o[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            take_memory(in, z, &o[i]);
        else if (o[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE && o[i].imm.is_relative)
            in->target = at + z->length + (uint64_t)o[i].imm.value.s;
    }
    take_flags(in, z->cpu_flags);
    if (clears(z, o))
        in->reads &= ~set_of(in->reg);
}

uint32_t gl_code_index(const gl_code *c, uint64_t at)
{
    uint32_t low = 0, high = c->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->insns[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->count && c->insns[low].at == at ? low : c->count;
}

/* What is jumped to */

static void mark(gl_code *c, uint64_t at)
{
    uint32_t i = gl_code_index(c, at);
    if (i < c->count)
        c->insns[i].jumped_to = true;
}

/* A jump through a table: every word of the program's that points into the function may be one of the table's. */
static void mark_tables(gl_code *c, const gl_goprog *p)
{
    for (unsigned s = 0; s < p->image.count; s++) {
        const gl_segment *seg = &p->image.segments[s];
        if (seg->executable)
            continue;
        const uint8_t *b = p->image.bytes + seg->offset;
        for (uint64_t at = (8 - seg->address % 8) % 8; at + 8 <= seg->n; at += 8) {
            uint64_t v = gl_le64(b + at);
            if (v > c->function.entry && v < c->function.end)
                mark(c, v);
        }
    }
}

static void mark_all(gl_code *c, const gl_goprog *p)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const gl_insn *in = &c->insns[i];
        c->calls |= in->flow == GL_FLOW_CALL;
        c->computed |= in->flow == GL_FLOW_COMPUTED;
        if (in->target && in->flow != GL_FLOW_CALL)
            mark(c, in->target);
    }
    if (c->function.defer_return)
        mark(c, c->function.entry + c->function.defer_return);
    if (c->computed)
        mark_tables(c, p);
}

int gl_code_read(gl_code *c, const gl_goprog *p, const gl_gofunc *f)
{
    ZydisDecoder decoder;
    uint64_t n = f->end - f->entry;
    const uint8_t *b = f->end > f->entry && n <= FUNCTION_MAX ? gl_image_at(&p->image, f->entry, n) : NULL;
    *c = (gl_code){.function = *f};
    if (!b || ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
        return GL_E_UNSUPPORTED;
    c->insns = malloc((size_t)n * sizeof *c->insns);
    if (!c->insns)
        return GL_E_NOMEM;
    for (uint64_t at = 0; at < n;) {
        ZydisDecodedInstruction z;
        ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
        if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, b + at, (size_t)(n - at), &z, operands))) {
            gl_code_clean_up(c);
            return GL_E_UNSUPPORTED;
        }
        take(&c->insns[c->count++], f->entry + at, &z, operands);
        at += z.length;
    }
    mark_all(c, p);
    return 0;
}

void gl_code_clean_up(gl_code *c)
{
    free(c->insns);
    free(c->live);
    *c = (gl_code){.insns = NULL};
}

/* Liveness: a register is dead where no way on reads it before it is written. */

#define R(name) GL_REG(GL_##name)
#define ABI_WORDS (R(RAX) | R(RBX) | R(RCX) | R(RDI) | R(RSI) | R(R8) | R(R9) | R(R10) | R(R11))
#define ALWAYS (R(RSP) | R(RBP) | R(R14)) /* stack, frame, current goroutine */

/* Helpers of the runtime that take what they need from, or leave alone, any register (bounds checks, write barriers). */
static bool is_helper(const gl_goprog *p, uint64_t target)
{
    gl_gofunc f;
    if (!target || !gl_goprog_func_of(p, target, &f) || f.entry != target)
        return target != 0;
    return strncmp(f.name, "runtime.panic", 13) == 0 || strncmp(f.name, "runtime.gcWriteBarrier", 22) == 0 ||
           strncmp(f.name, "runtime.duff", 12) == 0;
}

static gl_regs reads_of(const gl_insn *in, const gl_goprog *p, bool at_entry)
{
    if (in->flow == GL_FLOW_CALL) /* through a register: the closure is in RDX */
        return in->reads | (at_entry || !is_helper(p, in->target) ? ABI_WORDS | ALWAYS | (in->target ? 0 : R(RDX)) : GL_REGS_ALL);
    if (in->flow == GL_FLOW_RETURN)
        return in->reads | ABI_WORDS | ALWAYS;
    if (in->flow == GL_FLOW_COMPUTED)
        return GL_REGS_ALL | GL_FLAGS;
    return in->reads;
}

static gl_regs live_at(const gl_code *c, uint64_t at)
{
    uint32_t i = gl_code_index(c, at);
    return i < c->count ? c->live[i] : GL_REGS_ALL | GL_FLAGS;
}

static gl_regs live_behind(const gl_code *c, uint32_t i)
{
    const gl_insn *in = &c->insns[i];
    gl_regs next = i + 1 < c->count ? c->live[i + 1] : 0;
    switch (in->flow) {
    case GL_FLOW_BRANCH: return next | live_at(c, in->target);
    case GL_FLOW_JUMP: return live_at(c, in->target);
    case GL_FLOW_RETURN:
    case GL_FLOW_STOP: return 0;
    case GL_FLOW_COMPUTED: return GL_REGS_ALL | GL_FLAGS;
    default: return next;
    }
}

int gl_code_liveness(gl_code *c, const gl_goprog *p, bool at_entry)
{
    free(c->live);
    c->live = calloc(c->count ? c->count : 1, sizeof *c->live);
    gl_regs *reads = malloc((c->count ? c->count : 1) * sizeof *reads);
    if (!c->live || !reads) {
        free(reads);
        return GL_E_NOMEM;
    }
    for (uint32_t i = 0; i < c->count; i++)
        reads[i] = reads_of(&c->insns[i], p, at_entry);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = c->count; i-- > 0;) {
            gl_regs live = reads[i] | (live_behind(c, i) & ~c->insns[i].kills);
            changed |= live != c->live[i];
            c->live[i] = live;
        }
    }
    free(reads);
    return 0;
}
