#include "pclntab.h"

#include <string.h>

/*
 * Layouts (Go 1.27 src/debug/gosym/pclntab.go and src/runtime/symtab.go). A header of eight bytes: magic, two zeros,
 * quantum, size of a pointer. Then:
 *   1.2   number of functions, then (address, offset of the function) in pairs, one address more, the offset of the
 *         file table. All offsets count from the table's begin.
 *   1.16  words: functions, files, and where names, units, files, values and functions begin.
 *   1.18  as before, with the text's address as third word; addresses are 32-bit offsets from there.
 *   1.20  as 1.18. From Go 1.26 on the third word is 0.
 */

#define MAGIC_1_2 UINT32_C(0xfffffffb)
#define MAGIC_1_16 UINT32_C(0xfffffffa)
#define MAGIC_1_18 UINT32_C(0xfffffff0)
#define MAGIC_1_20 UINT32_C(0xfffffff1)

#define STEPS_MAX (1u << 20)

static bool get32(gl_bytes b, uint64_t at, uint32_t *v)
{
    if (at > b.n || b.n - at < 4)
        return false;
    const uint8_t *p = b.at + at;
    *v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return true;
}

static bool get_pointer(gl_bytes b, uint64_t at, unsigned size, uint64_t *v)
{
    uint32_t low, high = 0;
    if (!get32(b, at, &low) || (size == 8 && !get32(b, at + 4, &high)))
        return false;
    *v = (uint64_t)high << 32 | low;
    return true;
}

static bool tail(gl_bytes b, uint64_t at, gl_bytes *out)
{
    if (at > b.n)
        return false;
    *out = (gl_bytes){b.at + at, b.n - at};
    return true;
}

/* A text that ends within the bytes, or "". */
static const char *text_at(gl_bytes b, uint64_t at)
{
    if (at >= b.n || !memchr(b.at + at, 0, b.n - at))
        return "";
    return (const char *)b.at + at;
}

static unsigned format_of(const uint8_t *p, size_t n)
{
    uint32_t magic;
    if (n < GL_PCLNTAB_HEADER || !get32((gl_bytes){p, n}, 0, &magic) || p[4] != 0 || p[5] != 0)
        return 0;
    if ((p[6] != 1 && p[6] != 2 && p[6] != 4) || (p[7] != 4 && p[7] != 8))
        return 0;
    return magic == MAGIC_1_2 ? 2 : magic == MAGIC_1_16 ? 16 : magic == MAGIC_1_18 ? 18 : magic == MAGIC_1_20 ? 20 : 0;
}

bool gl_pclntab_begins(const uint8_t *p, size_t n)
{
    return format_of(p, n) != 0;
}

static unsigned address_size(const gl_pclntab *t)
{
    return t->format >= 18 ? 4 : t->pointer;
}

/* A pair is an address and an offset; one address stands behind the last pair. */
static bool bound_functab(gl_pclntab *t)
{
    uint64_t size = address_size(t);
    if (t->nfunc == 0 || t->nfunc > t->functab.n / (2 * size))
        return false;
    uint64_t n = (2 * t->nfunc + 1) * size;
    if (n > t->functab.n)
        return false;
    t->functab.n = n;
    return true;
}

static bool parse_1_2(gl_pclntab *t)
{
    uint32_t files;
    if (!get_pointer(t->all, 8, t->pointer, &t->nfunc) || !tail(t->all, 8 + t->pointer, &t->functab) || !bound_functab(t))
        return false;
    if (!get32(t->all, 8 + t->pointer + t->functab.n, &files))
        return false;
    t->funcs = t->names = t->values = t->all;
    return tail(t->all, files, &t->files);
}

/* Where a part begins, by its word in the header. */
static bool part(const gl_pclntab *t, unsigned word, gl_bytes *out)
{
    uint64_t at;
    return get_pointer(t->all, 8 + (uint64_t)word * t->pointer, t->pointer, &at) && tail(t->all, at, out);
}

static bool parse_words(gl_pclntab *t)
{
    unsigned first = t->format >= 18 ? 3 : 2;
    if (!get_pointer(t->all, 8, t->pointer, &t->nfunc) || !part(t, first, &t->names) || !part(t, first + 1, &t->units) ||
        !part(t, first + 2, &t->files) || !part(t, first + 3, &t->values) || !part(t, first + 4, &t->funcs))
        return false;
    if (t->format >= 18 && !get_pointer(t->all, GL_PCLNTAB_TEXT_WORD(t->pointer), t->pointer, &t->text))
        return false;
    t->functab = t->funcs;
    return bound_functab(t);
}

bool gl_pclntab_parse(gl_pclntab *t, const uint8_t *p, uint64_t n)
{
    *t = (gl_pclntab){.all = {p, n}, .format = format_of(p, n)};
    if (t->format == 0)
        return false;
    t->quantum = p[6];
    t->pointer = p[7];
    return t->format == 2 ? parse_1_2(t) : parse_words(t);
}

/* Address of function i; i = nfunc: where the last one ends. */
static uint64_t address(const gl_pclntab *t, uint64_t i)
{
    unsigned size = address_size(t);
    uint64_t v = 0;
    if (!get_pointer(t->functab, i * 2 * size, size, &v))
        return 0;
    return t->format >= 18 ? t->text + v : v;
}

bool gl_pclntab_range(const gl_pclntab *t, uint64_t *low, uint64_t *high)
{
    *low = address(t, 0);
    *high = address(t, t->nfunc);
    return *low < *high;
}

/* A function's record: its entry address, then 32-bit fields. */
typedef struct func_record {
    gl_bytes bytes;
    uint64_t entry;
} func_record;

static bool record_of(const gl_pclntab *t, uint64_t i, func_record *f)
{
    unsigned size = address_size(t);
    uint64_t at;
    if (!get_pointer(t->functab, i * 2 * size + size, size, &at) || !tail(t->funcs, at, &f->bytes) ||
        !get_pointer(f->bytes, 0, size, &f->entry))
        return false;
    f->entry += t->format >= 18 ? t->text : 0;
    return true;
}

enum { FIELD_NAME = 1, FIELD_FILES = 5, FIELD_LINES = 6, FIELD_UNIT = 8 };

static bool field(const gl_pclntab *t, const func_record *f, unsigned n, uint32_t *v)
{
    return get32(f->bytes, address_size(t) + (uint64_t)(n - 1) * 4, v);
}

static bool read_varint(gl_bytes b, uint64_t *at, uint32_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (*at >= b.n)
            return false;
        uint8_t byte = b.at[(*at)++];
        *v |= (uint32_t)((uint64_t)(byte & 0x7f) << shift);
        if (byte < 0x80)
            return true;
    }
    return false;
}

void gl_pcvalues_begin(gl_pcvalues *w, const gl_pclntab *t, uint32_t table, uint64_t entry)
{
    *w = (gl_pcvalues){.t = t, .at = table, .begin = entry, .end = entry, .value = -1};
}

/* Pairs of steps of value and address; a value's step of 0 ends the table, but for the first. */
bool gl_pcvalues_next(gl_pcvalues *w)
{
    uint32_t step, length;
    if (!read_varint(w->t->values, &w->at, &step) || (step == 0 && w->begun) ||
        !read_varint(w->t->values, &w->at, &length))
        return false;
    w->value = (int32_t)((uint32_t)w->value + (step & 1 ? ~(step >> 1) : step >> 1));
    w->begin = w->end;
    w->end += (uint64_t)length * w->t->quantum;
    w->begun = true;
    return true;
}

bool gl_pclntab_value(const gl_pclntab *t, uint32_t table, uint64_t entry, uint64_t pc, int32_t *value)
{
    gl_pcvalues w;
    gl_pcvalues_begin(&w, t, table, entry);
    for (unsigned i = 0; i < STEPS_MAX && gl_pcvalues_next(&w); i++)
        if (pc < w.end) {
            *value = w.value;
            return true;
        }
    return false;
}

/* -1 where there is none. */
static int32_t value_at(const gl_pclntab *t, uint32_t table, uint64_t entry, uint64_t pc)
{
    int32_t value;
    return gl_pclntab_value(t, table, entry, pc, &value) && value >= 0 ? value : -1;
}

static const char *file_of(const gl_pclntab *t, const func_record *f, uint64_t pc)
{
    uint32_t table, unit = 0, at;
    if (!field(t, f, FIELD_FILES, &table))
        return "";
    int32_t number = value_at(t, table, f->entry, pc);
    if (number < 0 || (t->format == 2 && number == 0))
        return "";
    if (t->format == 2)
        return get32(t->files, (uint64_t)number * 4, &at) ? text_at(t->all, at) : "";
    if (!field(t, f, FIELD_UNIT, &unit) || !get32(t->units, ((uint64_t)unit + (uint32_t)number) * 4, &at) ||
        at == UINT32_MAX)
        return "";
    return text_at(t->files, at);
}

/* The last function that begins at or before the address. */
static uint64_t function_index(const gl_pclntab *t, uint64_t pc)
{
    uint64_t low = 0, high = t->nfunc;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (address(t, middle) <= pc)
            low = middle;
        else
            high = middle;
    }
    return low;
}

bool gl_pclntab_find(const gl_pclntab *t, uint64_t pc, gl_gobin_place *out)
{
    uint64_t low, high;
    func_record f;
    uint32_t name, lines;
    if (!gl_pclntab_range(t, &low, &high) || pc < low || pc >= high)
        return false;
    if (!record_of(t, function_index(t, pc), &f) || pc < f.entry || !field(t, &f, FIELD_NAME, &name))
        return false;
    out->func = text_at(t->names, name);
    out->file = file_of(t, &f, pc);
    int32_t line = field(t, &f, FIELD_LINES, &lines) ? value_at(t, lines, f.entry, pc) : -1;
    out->line = line > 0 ? (uint32_t)line : 0;
    return out->func[0] != 0;
}

/* Formats 18 and 20 */

enum { FIELD_DEFER = 3, FIELD_SP = 4, FIELD_DATA = 7, FIELD_START_LINE = 9 };

static unsigned fixed_size(const gl_pclntab *t)
{
    return t->format >= 20 ? 44 : 40;
}

bool gl_pclntab_func_at(const gl_pclntab *t, uint64_t i, gl_pclntab_func *out)
{
    func_record f;
    uint32_t name, last;
    *out = (gl_pclntab_func){0};
    if (t->format < 18 || i >= t->nfunc || !record_of(t, i, &f) || f.entry != address(t, i))
        return false;
    unsigned size = fixed_size(t);
    if (!field(t, &f, FIELD_NAME, &name) || !field(t, &f, FIELD_DEFER, &out->defer_return) ||
        !field(t, &f, FIELD_SP, &out->sp) || !field(t, &f, FIELD_FILES, &out->file) ||
        !field(t, &f, FIELD_LINES, &out->line) || !field(t, &f, FIELD_DATA, &out->data_count) ||
        !field(t, &f, FIELD_UNIT, &out->unit) || !get32(f.bytes, size - 4, &last))
        return false;
    if (t->format >= 20 && !field(t, &f, FIELD_START_LINE, &out->start_line))
        return false;
    out->bytes = f.bytes;
    out->entry = f.entry;
    out->end = address(t, i + 1);
    out->name = text_at(t->names, name);
    out->id = (uint8_t)last;
    out->flag = (uint8_t)(last >> 8);
    out->func_data_count = (uint8_t)(last >> 24);
    /* The arrays of offsets follow. */
    uint64_t room = (f.bytes.n - size) / 4;
    if (out->end <= out->entry || out->data_count > room || out->func_data_count > room - out->data_count)
        return false;
    out->bytes.at += size;
    out->bytes.n -= size;
    return out->name[0] != 0;
}

uint64_t gl_pclntab_index(const gl_pclntab *t, uint64_t pc)
{
    uint64_t low, high;
    return gl_pclntab_range(t, &low, &high) && pc >= low && pc < high ? function_index(t, pc) : t->nfunc;
}

uint32_t gl_pclntab_pcdata(const gl_pclntab_func *f, unsigned n)
{
    uint32_t v = 0;
    return n < f->data_count && get32(f->bytes, (uint64_t)n * 4, &v) ? v : 0;
}

uint32_t gl_pclntab_funcdata(const gl_pclntab_func *f, unsigned n)
{
    uint32_t v;
    return n < f->func_data_count && get32(f->bytes, ((uint64_t)f->data_count + n) * 4, &v) ? v : UINT32_MAX;
}

const char *gl_pclntab_name(const gl_pclntab *t, uint32_t offset)
{
    return text_at(t->names, offset);
}

const char *gl_pclntab_file(const gl_pclntab *t, const gl_pclntab_func *f, uint64_t pc)
{
    uint32_t at;
    int32_t number = value_at(t, f->file, f->entry, pc);
    if (number < 0 || !get32(t->units, ((uint64_t)f->unit + (uint32_t)number) * 4, &at) || at == UINT32_MAX)
        return "";
    return text_at(t->files, at);
}

uint32_t gl_pclntab_line(const gl_pclntab *t, const gl_pclntab_func *f, uint64_t pc)
{
    int32_t line = value_at(t, f->line, f->entry, pc);
    return line > 0 ? (uint32_t)line : 0;
}
