/*
 * Addresses of the runtime's variables, out of the code that uses them.
 */
#include <string.h>

#include <Zydis/Zydis.h>

#include "code.h"

static bool read_function(const gl_goprog *p, const char *name, gl_code *c)
{
    gl_gofunc f;
    *c = (gl_code){.insns = NULL};
    return gl_goprog_func(p, name, &f, NULL) == 0 && gl_code_read(c, p, &f) == 0;
}

static bool refers(const gl_code *c, uint64_t address)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->insns[i].memory == address)
            return true;
    return false;
}

static bool has(const gl_code *c, ZydisMnemonic mnemonic, uint64_t address)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (c->insns[i].memory == address && c->insns[i].mnemonic == mnemonic)
            return true;
    return false;
}

/* Takes an address as the answer; a second, other one makes it none. */
static void offer(uint64_t *answer, bool *twice, uint64_t address)
{
    if (*answer != 0 && *answer != address)
        *twice = true;
    *answer = address;
}

typedef bool (*rule)(const gl_code *c, uint32_t i);

static uint64_t only_one(const gl_code *c, rule fits)
{
    uint64_t answer = 0;
    bool twice = false;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->insns[i].memory != 0 && fits(c, i))
            offer(&answer, &twice, c->insns[i].memory);
    return twice ? 0 : answer;
}

/* append(allgs, gp) touches pointer, length and capacity. */
static bool is_slice(const gl_code *c, uint32_t i)
{
    return refers(c, c->insns[i].memory + 8) && refers(c, c->insns[i].memory + 16);
}

/* mp.alllink = allm, then its address for the atomic store. */
static bool is_list_head(const gl_code *c, uint32_t i)
{
    return c->insns[i].mnemonic == ZYDIS_MNEMONIC_MOV && c->insns[i].memory_bits == 64 && !c->insns[i].writes_memory &&
           has(c, ZYDIS_MNEMONIC_LEA, c->insns[i].memory);
}

/* A loop over allp: its length is compared, its pointer loaded. */
static bool is_looped_over(const gl_code *c, uint32_t i)
{
    return c->insns[i].mnemonic == ZYDIS_MNEMONIC_MOV && c->insns[i].memory_bits == 64 && !c->insns[i].writes_memory &&
           has(c, ZYDIS_MNEMONIC_CMP, c->insns[i].memory + 8);
}

/*
 * work.cycles.Add(1): the one 32-bit exchange-and-add in gcStart, through an address that was computed just before; up to
 * 1.19 a plain increment of what runtime.GC loads first.
 */
static uint64_t find_counted_up(const gl_code *start, const gl_code *gc)
{
    uint64_t answer = 0;
    bool twice = false;
    for (uint32_t i = 0; i < start->count; i++) {
        const gl_insn *in = &start->insns[i];
        if (in->mnemonic == ZYDIS_MNEMONIC_INC && in->memory && in->memory_bits == 32 && has(gc, ZYDIS_MNEMONIC_MOV, in->memory))
            offer(&answer, &twice, in->memory);
    }
    return twice ? 0 : answer;
}

static uint64_t find_cycles(const gl_code *c)
{
    uint64_t answer = 0;
    bool twice = false;
    for (uint32_t i = 0; i < c->count; i++) {
        const gl_insn *in = &c->insns[i];
        if (in->mnemonic != ZYDIS_MNEMONIC_XADD || !in->lock || in->memory_bits != 32)
            continue;
        uint64_t at = in->memory;
        for (uint32_t k = i; !at && k-- > 0 && i - k < 8;)
            if (c->insns[k].mnemonic == ZYDIS_MNEMONIC_LEA && c->insns[k].reg == in->base) {
                at = c->insns[k].memory + (uint64_t)in->displacement;
                break;
            }
        if (at)
            offer(&answer, &twice, at);
    }
    return twice ? 0 : answer;
}

/* A variable that is written to must lie in the module's data. */
static uint64_t in_data(const gl_goprog *p, uint64_t address, uint64_t n)
{
    for (unsigned i = 0; i < p->image.count; i++) {
        const gl_segment *s = &p->image.segments[i];
        if (s->writable && address >= s->address && n <= s->memory && address - s->address <= s->memory - n)
            return address;
    }
    return 0;
}

void gl_goprog_vars(const gl_goprog *p, gl_govars *out)
{
    gl_code c;
    *out = (gl_govars){0};
    if (read_function(p, "runtime.allgadd", &c))
        out->allgs = in_data(p, only_one(&c, is_slice), 24);
    gl_code_clean_up(&c);
    if (read_function(p, "runtime.mcommoninit", &c))
        out->allm = in_data(p, only_one(&c, is_list_head), 8);
    gl_code_clean_up(&c);
    if (read_function(p, "runtime.retake", &c))
        out->allp = in_data(p, only_one(&c, is_looped_over), 24);
    gl_code_clean_up(&c);
    if (read_function(p, "runtime.gcStart", &c))
        out->work_cycles = in_data(p, find_cycles(&c), 4);
    gl_code gc;
    if (out->work_cycles == 0 && c.count > 0 && read_function(p, "runtime.GC", &gc)) {
        out->work_cycles = in_data(p, find_counted_up(&c, &gc), 4);
        gl_code_clean_up(&gc);
    }
    gl_code_clean_up(&c);
}
