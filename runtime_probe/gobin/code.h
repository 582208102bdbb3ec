/*
 * One function's machine code, decoded: what each instruction reads and writes, where it goes on, what is jumped to.
 */
#ifndef GOLANES_GOBIN_CODE_H
#define GOLANES_GOBIN_CODE_H

#include "golanes/goprobes.h"

#include "program.h"

typedef enum gl_flow {
    GL_FLOW_NEXT,
    GL_FLOW_BRANCH,   /* conditional */
    GL_FLOW_JUMP,
    GL_FLOW_CALL,
    GL_FLOW_RETURN,
    GL_FLOW_COMPUTED, /* a jump through a register or memory */
    GL_FLOW_STOP,     /* ud2, int3, hlt */
} gl_flow;

#define GL_REG_NONE 16
/*
 * Sets of registers. The lowest byte and the rest of a register count as two: a condition is often set and read as a byte
 * of a register that holds nothing else.
 */
typedef uint64_t gl_regs;
#define GL_REG_BYTE(number) (UINT64_C(1) << (number))
#define GL_REG(number) (UINT64_C(0x10001) << (number))
#define GL_REGS_ALL UINT64_C(0xffffffff)
#define GL_FLAGS (UINT64_C(1) << 32) /* the arithmetic flags, as one more register */

typedef struct gl_insn {
    uint64_t at, target;   /* target: of a direct branch, jump or call; 0: none */
    uint64_t memory;       /* address of a RIP-relative memory operand; 0: none */
    int64_t displacement;  /* of the memory operand */
    gl_regs reads, kills;  /* kills: written whole, whatever happens */
    uint16_t mnemonic;     /* ZydisMnemonic */
    uint16_t memory_bits;  /* size of the memory operand */
    uint8_t n, flow;
    uint8_t base, index;   /* of the memory operand */
    uint8_t reg;           /* the first operand that is a whole register, before memory or behind it */
    bool lock, writes_memory, jumped_to;
} gl_insn;

typedef struct gl_code {
    gl_gofunc function;
    gl_insn *insns;
    uint32_t count;
    gl_regs *live; /* by instruction: what is read from there on before it is written; made by gl_code_liveness */
    bool calls, computed;
} gl_code;

/** Decodes a function. GL_E_UNSUPPORTED where some of its bytes are no instruction; GL_E_NOMEM. */
int gl_code_read(gl_code *c, const gl_goprog *p, const gl_gofunc *f) GL_MUST_CHECK;
void gl_code_clean_up(gl_code *c);
/** Index of the instruction at an address; count: none begins there. */
uint32_t gl_code_index(const gl_code *c, uint64_t at);
/**
 * at_entry: for registers as they are where the function begins. There a helper that may take any register (of bounds
 * checks, of write barriers) takes only what the function itself puts there.
 */
int gl_code_liveness(gl_code *c, const gl_goprog *p, bool at_entry) GL_MUST_CHECK;

#endif
