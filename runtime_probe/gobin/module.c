/*
 * The function table and runtime.firstmoduledata, each of which vouches for the other: the module's first words point to
 * the table and to its parts. So neither a look-alike of the table (a Go program embedded in this one has its own) nor a
 * table that someone moved is taken for it.
 */
#include <string.h>

#include "program.h"

/* Words of runtime.moduledata; src/runtime/symtab.go of each release. */
enum {
    WORD_HEADER = 0,
    WORD_NAMES = 1,
    WORD_UNITS = 4,
    WORD_FUNCTIONS = 13, /* pclntable */
    WORD_FTAB = 16,
    WORD_MIN_PC = 20,
    WORD_MAX_PC = 21,
    WORD_TEXT = 22,
    WORD_TEXT_END = 23,
    WORD_DATA_BEGIN = 24,
    WORD_DATA_END = 31, /* enoptrbss */
    WORDS = 48,
};

/* Words that have moved: where they stand since which release. The newest first. */
static const struct tail {
    unsigned minor, end, types, types_end, go_func;
} tails[] = {
    {27, 34, 37, 39, 43}, /* typedesclen behind types, itaboffset and itabsize behind etypes */
    {20, 34, 37, 38, 40}, /* covctrs, ecovctrs before end */
    {18, 32, 35, 36, 38},
};

static uint64_t word(const uint8_t *p, unsigned n)
{
    return gl_le64(p + (size_t)n * 8);
}

static bool in_table(const gl_goprog *p, gl_bytes part, uint64_t address)
{
    return address - p->info.table == (uint64_t)(part.at - p->table.all.at);
}

/* The words in front are pointers into the table, exactly to the parts that its own header names. */
static bool vouches(const gl_goprog *p, const uint8_t *m)
{
    return word(m, WORD_HEADER) == p->info.table && in_table(p, p->table.names, word(m, WORD_NAMES)) &&
           in_table(p, p->table.units, word(m, WORD_UNITS)) && in_table(p, p->table.funcs, word(m, WORD_FUNCTIONS)) &&
           in_table(p, p->table.funcs, word(m, WORD_FTAB)) && word(m, WORD_FTAB + 1) == p->table.nfunc + 1;
}

static bool sound_text(const gl_goprog *p, uint64_t text, uint64_t end)
{
    const gl_segment *s = gl_image_segment(&p->image, text);
    return s && s->executable && end > text && end - s->address <= s->n;
}

/* Takes what the module says. False where it can't be true. */
static bool take_module(gl_goprog *p, const uint8_t *m, uint64_t address)
{
    const struct tail *t = tails;
    while (t < tails + sizeof tails / sizeof *tails - 1 && p->info.minor < t->minor)
        t++;
    gl_goprog_info *i = &p->info;
    i->module_data = address;
    i->text = word(m, WORD_TEXT);
    i->text_end = word(m, WORD_TEXT_END);
    i->types = word(m, t->types);
    i->types_end = word(m, t->types_end);
    p->go_func = word(m, t->go_func);
    p->data_end = word(m, t->end);
    if (p->table.text != 0 && p->table.text != i->text)
        return false;
    p->table.text = i->text;
    if (!sound_text(p, i->text, i->text_end) || word(m, WORD_MIN_PC) < i->text || word(m, WORD_MAX_PC) > i->text_end)
        return false;
    return i->types < i->types_end && gl_image_left(&p->image, i->types) >= i->types_end - i->types &&
           gl_image_segment(&p->image, p->go_func);
}

static bool find_module(gl_goprog *p)
{
    for (unsigned i = 0; i < p->image.count; i++) {
        const gl_segment *s = &p->image.segments[i];
        if (s->executable)
            continue;
        for (uint64_t at = (8 - s->address % 8) % 8; at + WORDS * 8 <= s->n; at += 8) {
            const uint8_t *m = p->image.bytes + s->offset + at;
            if (gl_le64(m) == p->info.table && vouches(p, m))
                return take_module(p, m, s->address + at);
        }
    }
    return false;
}

/* Takes n bytes at an address as the table. */
static gl_module_answer try_table(gl_goprog *p, uint64_t address, uint64_t n)
{
    const uint8_t *bytes = gl_image_at(&p->image, address, n);
    if (!bytes || !gl_pclntab_parse(&p->table, bytes, n) || p->table.pointer != 8 || p->table.quantum != 1)
        return GL_MODULE_NO_TABLE;
    if (p->table.format < 18)
        return GL_MODULE_OLD_TABLE;
    p->info.table = address;
    return find_module(p) ? GL_MODULE_FOUND : GL_MODULE_UNSOUND;
}

gl_module_answer gl_module_find(gl_goprog *p, const gl_sections *s)
{
    gl_module_answer best = s->table_n ? try_table(p, s->table, s->table_n) : GL_MODULE_NO_TABLE;
    for (unsigned i = 0; best != GL_MODULE_FOUND && i < p->image.count; i++) {
        const gl_segment *seg = &p->image.segments[i];
        const uint8_t *b = p->image.bytes + seg->offset;
        for (uint64_t at = (8 - seg->address % 8) % 8; best != GL_MODULE_FOUND && at + 64 <= seg->n; at += 8) {
            if (b[at + 1] != 0xff || b[at + 2] != 0xff || !gl_pclntab_begins(b + at, (size_t)(seg->n - at)))
                continue;
            gl_module_answer a = try_table(p, seg->address + at, seg->n - at);
            best = a == GL_MODULE_FOUND || a > best ? a : best;
        }
    }
    return best;
}
