/*
 * Where a program can be hooked. The sites of every probe (goprobes.def) are found by disassembling the functions in the
 * program's file, before anything is stopped; each says what bytes a hook would displace, and whether that is safe:
 * whole instructions, none of which is jumped to, none of which leaves a return address behind, and a table of results
 * where not. Moving the instructions is the backend's business.
 *
 * Threads: a plan is never changed after it was made.
 */
#ifndef GOLANES_GOPROBES_H
#define GOLANES_GOPROBES_H

#include "golanes/golayout.h"
#include "golanes/goprog.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gl_gosite_kind { GL_GOSITE_CAS, GL_GOSITE_ENTRY, GL_GOSITE_RETURN } gl_gosite_kind;

typedef enum gl_goprobe_id {
#define GL_GOPROBE(id, function, site, first, last, need, events, tells) GL_GOPROBE_##id,
#include "golanes/goprobes.def"
#undef GL_GOPROBE
    GL_GOPROBE_COUNT
} gl_goprobe_id;

typedef struct gl_goprobe {
    const char *name;     /**< "CHANSEND_BEGIN" */
    const char *function; /**< "" for CAS */
    gl_gosite_kind site;
    unsigned first, last;
    bool needed;
    const char *events, *tells;
    int stands_for;       /**< gl_goprobe_id of the probe that it stands in for; -1: it is no stand-in */
} gl_goprobe;
/** Indexed by gl_goprobe_id. */
extern const gl_goprobe gl_goprobes[GL_GOPROBE_COUNT];

/** x86-64 registers as in machine code: 0 RAX, 1 RCX, 2 RDX, 3 RBX, 4 RSP, 5 RBP, 6 RSI, 7 RDI, 8 to 15. */
typedef enum gl_goreg {
    GL_RAX, GL_RCX, GL_RDX, GL_RBX, GL_RSP, GL_RBP, GL_RSI, GL_RDI,
    GL_R8, GL_R9, GL_R10, GL_R11, GL_R12, GL_R13, GL_R14, GL_R15
} gl_goreg;

/** Where a kernel probe for a return may stand before it, because the results are constants behind it. */
typedef enum gl_goearly { GL_GOEARLY_NOT, GL_GOEARLY_CALL, GL_GOEARLY_JUMP } gl_goearly;

typedef struct gl_gosite {
    gl_goprobe_id probe;
    gl_gosite_kind kind;
    gl_gofunc function;
    uint64_t address;   /**< of the first displaced byte */
    uint32_t length;    /**< displaced bytes: whole instructions, at least 5 (a near jump) */
    uint32_t event;     /**< how many of them run before the record is made: ENTRY the stack check, RETURN what is not epilogue, CAS 0 */
    bool hookable;
    const char *why;    /**< one half sentence where it is not; else NULL */
    bool stack_check;   /**< ENTRY: the displaced bytes begin with one */
    bool calls;         /**< the function contains a call, so stack below RSP is accounted for */
    uint16_t dead;      /**< registers (1 << gl_goreg) whose values at the record's place nobody reads any more */
    bool flags_dead;    /**< nor the flags. CAS: before the instruction; what it leaves in them is read behind it */
    uint64_t uprobe;    /**< where a kernel probe goes. ENTRY: `push rbp` behind the check if there is one (the kernel emulates
                             it). CAS: behind the instruction, the jump that asks for its success if that can be */
    bool uprobe_clear;  /**< CAS: the exchange took place if at `uprobe` the zero flag is clear; else, if it is set */
    gl_goearly uprobe_early; /**< RETURN: what stands at `uprobe` is a call; or a jump, and it is a return where that is not taken */
    int8_t uprobe_al, uprobe_bl; /**< the results then; -1: not known */
    gl_goreg base, value; /**< CAS: `lock cmpxchg [base + displacement], value`; the old value is in EAX */
    int32_t displacement;
    int32_t sp_delta;   /**< RSP below the return address at `address`; -1 not known */
} gl_gosite;

/** What became of one probe. */
typedef struct gl_goprobe_state {
    bool applies;        /**< this release has it; of a stand-in: the other's function was inlined into its own */
    uint32_t first_site; /**< its sites: first_site … first_site + sites - 1 */
    uint32_t sites, hookable;
    uint32_t inlined;    /**< functions that its function was inlined into and that no stand-in covers */
    bool works;          /**< there is a site, every one is hookable, and nothing else stands in the way of any operation */
    bool partly;         /**< it does not work, but only because of inlining: hooks at its sites show a part of the operations */
    char why[200];       /**< a sentence where it does not; else "" */
} gl_goprobe_state;

typedef struct gl_goplan {
    gl_gosite *sites; /**< grouped by probe */
    uint32_t site_count;
    gl_goprobe_state probes[GL_GOPROBE_COUNT];
    bool records;        /**< every needed probe works */
} gl_goplan;

/** Finds the sites. Negative only where memory is short or code can't be read; what is not hookable stands in the plan. */
GL_API int gl_goplan_make(const gl_goprog *p, const gl_golayout *layout, gl_goplan **out, gl_error *err) GL_MUST_CHECK;
GL_API void gl_goplan_free(gl_goplan *plan);
/** The place at the entry of any one function. False: there is no such function, or it can't be hooked. The site belongs
    to no probe. */
GL_API bool gl_goplan_entry(const gl_goprog *p, const gl_golayout *layout, const char *function, gl_gosite *out);

#ifdef __cplusplus
}
#endif
#endif
