#include "sites.h"

#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#define BACK 12 /* instructions: how far away a thing is looked for */

static gl_gosite *add(gl_sites *s, gl_goprobe_id probe, gl_gosite_kind kind, const gl_code *c)
{
    if (s->n == s->room) {
        uint32_t room = s->room ? 2 * s->room : 64;
        gl_gosite *more = realloc(s->at, room * sizeof *more);
        if (!more) {
            s->failed = true;
            return NULL;
        }
        s->at = more;
        s->room = room;
    }
    gl_gosite *site = &s->at[s->n++];
    *site = (gl_gosite){.probe = probe, .kind = kind, .function = c->function, .calls = c->calls, .sp_delta = -1,
                        .base = GL_RAX, .value = GL_RAX};
    return site;
}

/* What is asked of the displaced instructions first … last - 1. NULL: nothing is against it. */
static const char *objection(const gl_code *c, uint32_t first, uint32_t last, uint32_t length)
{
    if (length < GL_JUMP_SIZE)
        return "there is no room for a jump";
    for (uint32_t i = first; i < last; i++) {
        const gl_insn *in = &c->insns[i];
        if (i > first && in->jumped_to)
            return "a branch leads between its instructions";
        if (in->flow == GL_FLOW_CALL)
            return "it would displace a call, whose return address is seen by the runtime";
        if (in->flow == GL_FLOW_COMPUTED || in->flow == GL_FLOW_STOP)
            return "it would displace an instruction that can't be moved";
        if (i + 1 < last && (in->flow == GL_FLOW_JUMP || in->flow == GL_FLOW_RETURN))
            return "it would displace the begin of another block";
    }
    return NULL;
}

static void settle(gl_gosite *s, const gl_code *c, uint32_t first, uint32_t last, uint32_t record)
{
    uint64_t end = last < c->count ? c->insns[last].at : c->function.end;
    s->address = c->insns[first].at;
    s->length = (uint32_t)(end - s->address);
    s->event = record < c->count ? (uint32_t)(c->insns[record].at - s->address) : s->length;
    s->why = objection(c, first, last, s->length);
    s->hookable = s->why == NULL;
    gl_regs live = record < c->count ? c->live[record] : GL_REGS_ALL | GL_FLAGS;
    s->dead = (uint16_t)~(live | live >> 16);
    s->flags_dead = !(live & GL_FLAGS);
}

/* Entry */

typedef struct check {
    uint32_t n;   /* instructions of the stack check; 0: there is none */
    bool unknown; /* something that begins like one */
} check;

static bool reads_guard(const gl_insn *in, const gl_golayout *l)
{
    return in->base == GL_R14 && in->index == GL_REG_NONE &&
           (in->displacement == l->g_stackguard0 || in->displacement == l->g_stackguard1);
}

/* [lea r12,[rsp-N]]; cmp rsp|r12,[r14+stackguard]; jbe: all of it or nothing (half a check would lose r12). */
static check stack_check(const gl_code *c, const gl_golayout *l)
{
    const gl_insn *in = c->insns;
    uint32_t i = 0;
    bool big = c->count > 0 && in[0].mnemonic == ZYDIS_MNEMONIC_LEA && in[0].reg == GL_R12 && in[0].base == GL_RSP;
    i += big;
    if (i + 1 < c->count && in[i].mnemonic == ZYDIS_MNEMONIC_CMP && reads_guard(&in[i], l) &&
        in[i].reg == (big ? GL_R12 : GL_RSP) && in[i + 1].mnemonic == ZYDIS_MNEMONIC_JBE)
        return (check){.n = i + 2};
    /* Huge frames have another form (mov r12,rsp; sub; jb; cmp …), wrappers look at a panic first. */
    for (uint32_t k = 0; k < c->count && k < 6; k++)
        if (reads_guard(&in[k], l) || in[k].reg == GL_R12)
            return (check){.unknown = true};
    return (check){0};
}

void gl_sites_entry(gl_sites *s, gl_goprobe_id probe, const gl_code *c, const gl_golayout *l)
{
    gl_gosite *site = add(s, probe, GL_GOSITE_ENTRY, c);
    if (!site)
        return;
    check k = stack_check(c, l);
    uint32_t last = k.n;
    while (last < c->count && (last == 0 || c->insns[last].at - c->function.entry < GL_JUMP_SIZE))
        last++;
    settle(site, c, 0, last, k.n);
    site->stack_check = k.n > 0;
    if (k.unknown) {
        site->hookable = false;
        site->why = "its stack check has a form that is not known";
    }
    if (c->count > 0 && c->insns[0].jumped_to && k.n == 0) {
        site->hookable = false;
        site->why = "it jumps back to its begin, so calls can't be told apart";
    }
    /* By Go's calling convention; whatever helper might take a register later finds what the function put there. */
    site->dead |= 1u << GL_R12 | 1u << GL_R13 | 1u << GL_R15;
    uint32_t behind = k.n < c->count ? k.n : 0;
    site->uprobe = c->insns[behind].at;
}

/* Returns */

static bool is_epilogue(const gl_insn *in)
{
    bool moves_stack = in->mnemonic == ZYDIS_MNEMONIC_ADD || in->mnemonic == ZYDIS_MNEMONIC_SUB; /* sub rsp,-128 */
    return (moves_stack && in->reg == GL_RSP && in->base == GL_REG_NONE) || in->mnemonic == ZYDIS_MNEMONIC_NOP ||
           (in->mnemonic == ZYDIS_MNEMONIC_POP && in->reg == GL_RBP) ||
           (in->mnemonic == ZYDIS_MNEMONIC_MOV && in->reg == GL_RBP && in->base == GL_RSP) || in->flow == GL_FLOW_RETURN;
}

static bool joins(const gl_code *c, uint32_t i)
{
    return !c->insns[i].jumped_to && c->insns[i - 1].flow == GL_FLOW_NEXT;
}

/* A constant that an instruction puts into EAX or EBX; -1: it puts there something else. */
static int constant(const gl_goprog *p, const gl_insn *in)
{
    const uint8_t *b = gl_goprog_bytes(p, in->at, in->n);
    if (b && in->n == 2 && b[0] == 0x31 && (b[1] == 0xc0 || b[1] == 0xdb)) /* xor r, r */
        return 0;
    return b && in->n == 5 && (b[0] == 0xb8 || b[0] == 0xbb) && b[1] < 128 && !(b[2] | b[3] | b[4]) ? b[1] : -1;
}

static bool unlocks(const gl_goprog *p, const gl_insn *in)
{
    gl_gofunc f;
    return in->flow == GL_FLOW_CALL && in->target && gl_goprog_func_of(p, in->target, &f) &&
           (strcmp(f.name, "runtime.unlock2") == 0 || strcmp(f.name, "runtime.unlock") == 0);
}

/*
 * The kernel single-steps what an epilogue is made of, but emulates jumps and calls. Where the results are constants that are
 * set behind a conditional jump, or behind the release of the channel's lock, and nothing else leads here, the outcome is
 * decided at that instruction.
 */
static void place_earlier(gl_gosite *s, const gl_goprog *p, const gl_code *c, uint32_t record)
{
    int al = -1, bl = -1;
    bool same = false; /* mov ebx, eax */
    gl_regs open = GL_REG_BYTE(GL_RAX) | GL_REG_BYTE(GL_RBX);
    for (uint32_t i = record; i > 0 && record - i < BACK && !c->insns[i].jumped_to; i--) {
        const gl_insn *in = &c->insns[i - 1];
        bool jump = in->flow == GL_FLOW_BRANCH;
        if (jump || unlocks(p, in)) {
            s->uprobe_early = jump ? GL_GOEARLY_JUMP : GL_GOEARLY_CALL;
            s->uprobe_early = al < 0 ? GL_GOEARLY_NOT : s->uprobe_early;
            s->uprobe = s->uprobe_early ? in->at : s->uprobe;
            s->uprobe_al = (int8_t)al;
            s->uprobe_bl = (int8_t)(same ? al : bl);
            return;
        }
        bool part = (in->reg == GL_RAX || in->reg == GL_RBX) && !(in->kills & GL_REG_BYTE(in->reg)); /* cmov, say */
        if (in->flow != GL_FLOW_NEXT || part)
            return;
        if (in->kills & open & GL_REG_BYTE(GL_RAX))
            al = constant(p, in);
        if (in->kills & open & GL_REG_BYTE(GL_RBX)) {
            const uint8_t *b = gl_goprog_bytes(p, in->at, in->n);
            same = b && in->n == 2 && b[0] == 0x89 && b[1] == 0xc3;
            bl = constant(p, in);
        }
        open &= ~in->kills;
    }
}

static void add_return(gl_sites *s, gl_goprobe_id probe, const gl_goprog *p, const gl_code *c, uint32_t ret)
{
    gl_gosite *site = add(s, probe, GL_GOSITE_RETURN, c);
    if (!site)
        return;
    uint32_t record = ret;
    while (record > 0 && joins(c, record) && is_epilogue(&c->insns[record - 1]))
        record--;
    uint64_t end = c->insns[ret].at + c->insns[ret].n;
    uint32_t first = record;
    while (first > 0 && end - c->insns[first].at < GL_JUMP_SIZE && joins(c, first))
        first--;
    settle(site, c, first, ret + 1, record);
    site->uprobe = c->insns[record].at;
    place_earlier(site, p, c, record);
}

void gl_sites_returns(gl_sites *s, gl_goprobe_id probe, const gl_goprog *p, const gl_code *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->insns[i].flow == GL_FLOW_RETURN)
            add_return(s, probe, p, c, i);
}

/* Compare and swap */

bool gl_sites_cas_likely(const gl_goprog *p, const gl_gofunc *f)
{
    size_t n = (size_t)(f->end - f->entry);
    const uint8_t *b = gl_image_at(&p->image, f->entry, n);
    const uint8_t *end = b ? b + n : NULL;
    for (const uint8_t *at = b; at && (at = memchr(at, 0xb1, (size_t)(end - at))); at++)
        if (at > b && at[-1] == 0x0f)
            return true;
    return false;
}

static bool computed_status(const gl_code *c, uint32_t i, const gl_golayout *l)
{
    uint8_t base = c->insns[i].base;
    for (uint32_t k = i; k-- > 0 && i - k <= BACK;) {
        const gl_insn *in = &c->insns[k];
        if (base < GL_REG_NONE && (in->kills & GL_REG_BYTE(base)))
            return (in->mnemonic == ZYDIS_MNEMONIC_LEA || in->mnemonic == ZYDIS_MNEMONIC_ADD) &&
                   in->displacement == l->g_atomicstatus;
    }
    return false;
}

/*
 * The kernel puts no probe on an instruction with a lock prefix, and has to single-step most others; a conditional jump it
 * emulates. So: the jump that asks whether the exchange took place, where nothing between has touched what is to be read
 * there (sete R; test R, R; jump), else the instruction right behind the exchange.
 */
static void place_behind(gl_gosite *s, const gl_code *c, uint32_t cas)
{
    gl_regs set = 0, keep = GL_REG(s->base) | GL_REG(s->value) | GL_REG(GL_RAX);
    bool tested = false;
    s->uprobe = cas + 1 < c->count ? c->insns[cas + 1].at : s->address + s->length;
    s->uprobe_clear = false;
    for (uint32_t i = cas + 1; i < c->count && i <= cas + BACK && !c->insns[i].jumped_to; i++) {
        const gl_insn *in = &c->insns[i];
        gl_regs kills = in->kills & ~GL_FLAGS;
        if (in->flow == GL_FLOW_BRANCH && (tested || i == cas + 1)) {
            s->uprobe = in->at;
            s->uprobe_clear = tested;
            return;
        }
        if (in->mnemonic == ZYDIS_MNEMONIC_SETZ && set == 0 && kills != 0 && !(kills & keep))
            set = kills;
        else if (in->mnemonic == ZYDIS_MNEMONIC_TEST && set != 0 && (in->reads & GL_REGS_ALL) == set && !in->memory_bits)
            tested = true;
        else if (in->mnemonic != ZYDIS_MNEMONIC_NOP)
            return;
    }
}

void gl_sites_cas(gl_sites *s, const gl_code *c, const gl_golayout *l)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const gl_insn *in = &c->insns[i];
        if (in->mnemonic != ZYDIS_MNEMONIC_CMPXCHG || !in->lock || in->memory_bits != 32 || in->memory)
            continue;
        bool direct = in->displacement == l->g_atomicstatus && in->index == GL_REG_NONE && in->base != GL_RSP;
        if (!direct && !(in->displacement == 0 && computed_status(c, i, l)))
            continue;
        gl_gosite *site = add(s, GL_GOPROBE_CAS, GL_GOSITE_CAS, c);
        if (!site)
            return;
        settle(site, c, i, i + 1, i);
        site->base = (gl_goreg)in->base;
        site->value = (gl_goreg)in->reg;
        place_behind(site, c, i);
        site->displacement = (int32_t)in->displacement;
        if (!direct) {
            site->hookable = false;
            site->why = "the address of the state was computed before";
        }
    }
}
