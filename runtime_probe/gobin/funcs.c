/*
 * Functions and source lines. An inlined call is an element of its function's inline tree (FUNCDATA_InlTree); which one an
 * address belongs to stands in PCDATA_InlTreeIndex; its caller's place is where the parent's address is.
 */
#include <string.h>

#include "program.h"

/* Numbers of src/internal/abi/symtab.go, the same since 1.18 (src/runtime/symtab.go then). */
enum { PCDATA_TREE = 2, FUNCDATA_TREE = 3, FUNCDATA_WRAPPED = 7 };
#define DEPTH_MAX 256
#define VALUES_MAX (1u << 20)

static void fill(const gl_pclntab_func *f, uint64_t index, gl_gofunc *out)
{
    *out = (gl_gofunc){.entry = f->entry, .end = f->end, .index = index, .name = f->name, .start_line = f->start_line,
                       .defer_return = f->defer_return, .id = f->id, .flag = f->flag};
}

bool gl_goprog_func_at(const gl_goprog *p, uint64_t i, gl_gofunc *out)
{
    gl_pclntab_func f;
    if (!gl_pclntab_func_at(&p->table, i, &f))
        return false;
    fill(&f, i, out);
    return true;
}

bool gl_goprog_func_of(const gl_goprog *p, uint64_t pc, gl_gofunc *out)
{
    return gl_goprog_func_at(p, gl_pclntab_index(&p->table, pc), out);
}

int gl_goprog_func(const gl_goprog *p, const char *name, gl_gofunc *out, gl_error *err)
{
    unsigned found = 0;
    gl_pclntab_func f;
    for (uint64_t i = 0; i < p->table.nfunc; i++)
        if (gl_pclntab_func_at(&p->table, i, &f) && strcmp(f.name, name) == 0 && found++ == 0)
            fill(&f, i, out);
    if (found == 0)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "%s: has no function %s", p->path, name);
    if (found > 1)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: has %u functions named %s", p->path, found, name);
    return 0;
}

bool gl_goprog_sp_delta(const gl_goprog *p, uint64_t pc, int32_t *delta)
{
    gl_pclntab_func f;
    return gl_pclntab_func_at(&p->table, gl_pclntab_index(&p->table, pc), &f) && f.sp != 0 &&
           gl_pclntab_value(&p->table, f.sp, f.entry, pc, delta);
}

/* Inline trees */

typedef struct call {
    const char *name;
    uint32_t parent_pc; /* offset in the function, of an instruction that belongs to the caller */
    uint32_t start_line;
} call;

/*
 * Elements: in 1.18 and 1.19 {parent i16, id u8, pad, file u32, line u32, name u32, parent_pc u32}, since 1.20 {id u8,
 * pad[3], name, parent_pc, start_line}.
 */
static bool call_at(const gl_goprog *p, const gl_pclntab_func *f, int32_t n, call *out)
{
    uint32_t offset = gl_pclntab_funcdata(f, FUNCDATA_TREE);
    bool old = p->table.format < 20;
    uint64_t size = old ? 20 : 16;
    if (offset == UINT32_MAX || n < 0)
        return false;
    const uint8_t *e = gl_image_at(&p->image, p->go_func + offset + (uint64_t)n * size, size);
    if (!e)
        return false;
    *out = (call){.name = gl_pclntab_name(&p->table, gl_le32(e + (old ? 12 : 4))),
                  .parent_pc = gl_le32(e + (old ? 16 : 8)), .start_line = old ? 0 : gl_le32(e + 12)};
    return true;
}

static int32_t tree_index(const gl_goprog *p, const gl_pclntab_func *f, uint64_t pc)
{
    int32_t n;
    uint32_t table = gl_pclntab_pcdata(f, PCDATA_TREE);
    return table != 0 && gl_pclntab_value(&p->table, table, f->entry, pc, &n) ? n : -1;
}

size_t gl_goprog_frames(const gl_goprog *p, uint64_t pc, gl_goframe *out, size_t max)
{
    gl_pclntab_func f;
    if (max == 0 || !gl_pclntab_func_at(&p->table, gl_pclntab_index(&p->table, pc), &f))
        return 0;
    call c;
    size_t n = 0;
    int32_t index = tree_index(p, &f, pc);
    while (n + 1 < max && n < DEPTH_MAX && index >= 0 && call_at(p, &f, index, &c)) {
        out[n++] = (gl_goframe){.func = c.name, .file = gl_pclntab_file(&p->table, &f, pc),
                                .line = gl_pclntab_line(&p->table, &f, pc), .start_line = c.start_line, .inlined = true};
        pc = f.entry + c.parent_pc;
        index = tree_index(p, &f, pc);
    }
    out[n++] = (gl_goframe){.func = f.name, .file = gl_pclntab_file(&p->table, &f, pc),
                            .line = gl_pclntab_line(&p->table, &f, pc), .start_line = f.start_line};
    return n;
}

/** FUNCDATA_WrapInfo says where the wrapped function lies in the text. */
uint64_t gl_goprog_wrapped(const gl_goprog *p, uint64_t pc)
{
    gl_pclntab_func f;
    if (!gl_pclntab_func_at(&p->table, gl_pclntab_index(&p->table, pc), &f))
        return 0;
    uint32_t offset = gl_pclntab_funcdata(&f, FUNCDATA_WRAPPED);
    const uint8_t *in_text = offset == UINT32_MAX ? NULL : gl_image_at(&p->image, p->go_func + offset, 4);
    uint64_t entry = in_text ? p->table.text + gl_le32(in_text) : 0;
    return in_text && gl_pclntab_func_at(&p->table, gl_pclntab_index(&p->table, entry), &f) && f.entry == entry ? entry : 0;
}

/* Which of the names is inlined at, or around, an address. */
typedef struct inlined_walk {
    const gl_goprog *p;
    const char *const *names;
    size_t n;
    uint64_t told; /* bits of names that were told of this function; those above 63 are told each time */
    gl_goprog_inlined_fn fn;
    void *user;
} inlined_walk;

static int tell(inlined_walk *w, const gl_pclntab_func *f, uint64_t index, const char *name, uint64_t pc)
{
    gl_gofunc into;
    for (size_t i = 0; i < w->n; i++) {
        if ((i < 64 && (w->told >> i & 1)) || strcmp(w->names[i], name) != 0)
            continue;
        w->told |= i < 64 ? UINT64_C(1) << i : 0;
        fill(f, index, &into);
        return w->fn(w->user, w->names[i], pc, &into);
    }
    return 0;
}

/* Every element is some address's own, or an ancestor of one that is. */
static int walk_chain(inlined_walk *w, const gl_pclntab_func *f, uint64_t index, int32_t n, uint64_t pc)
{
    int rc = 0;
    call c;
    for (unsigned depth = 0; rc == 0 && depth < DEPTH_MAX && call_at(w->p, f, n, &c); depth++) {
        rc = tell(w, f, index, c.name, pc);
        n = tree_index(w->p, f, f->entry + c.parent_pc);
    }
    return rc;
}

int gl_goprog_inlined(const gl_goprog *p, const char *const *names, size_t n, gl_goprog_inlined_fn fn, void *user)
{
    inlined_walk w = {.p = p, .names = names, .n = n, .fn = fn, .user = user};
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < p->table.nfunc; i++) {
        gl_pclntab_func f;
        gl_pcvalues values;
        if (!gl_pclntab_func_at(&p->table, i, &f) || gl_pclntab_funcdata(&f, FUNCDATA_TREE) == UINT32_MAX ||
            gl_pclntab_pcdata(&f, PCDATA_TREE) == 0)
            continue;
        w.told = 0;
        gl_pcvalues_begin(&values, &p->table, gl_pclntab_pcdata(&f, PCDATA_TREE), f.entry);
        for (unsigned k = 0; rc == 0 && k < VALUES_MAX && gl_pcvalues_next(&values); k++)
            if (values.value >= 0)
                rc = walk_chain(&w, &f, i, values.value, values.begin);
    }
    return rc;
}
