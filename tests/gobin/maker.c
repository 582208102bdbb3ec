#include "maker.h"

#include <assert.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT 0x1000u   /* offsets in the file, which are addresses less MAKER_BASE */
#define RODATA 0x4000u
#define DATA 0xc000u
#define FIELDS_ROOM 64

void maker_put(maker *m, size_t at, uint64_t v, unsigned size)
{
    assert(at + size <= sizeof m->bytes);
    for (unsigned i = 0; i < size; i++)
        m->bytes[at + i] = (uint8_t)(v >> 8 * i);
    if (at + size > m->n)
        m->n = at + size;
}

static size_t add(maker *m, const void *p, size_t n)
{
    size_t at = m->n;
    assert(at + n <= sizeof m->bytes);
    memcpy(m->bytes + at, p, n);
    m->n += n;
    return at;
}

static size_t align(maker *m, size_t to)
{
    m->n = (m->n + to - 1) / to * to;
    return m->n;
}

/* Pointers of a position-independent program: zero in the file, and a relocation. */
typedef struct relocations {
    bool used;
    size_t n;
    uint64_t at[512], to[512];
} relocations;

static void pointer(maker *m, relocations *r, size_t at, uint64_t address)
{
    maker_put(m, at, r->used ? 0 : address, 8);
    if (!r->used)
        return;
    assert(r->n < 512);
    r->at[r->n] = MAKER_BASE + at;
    r->to[r->n++] = address;
}

/* Code */

/* cmp rsp,[r14+16]; jbe stub; push rbp; mov rbp,rsp; sub rsp,16; xor eax,eax; add rsp,16; pop rbp; ret; stub: call; jmp */
static const uint8_t ordinary[] = {0x49, 0x3b, 0x66, 0x10, 0x76, 0x10, 0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0x31, 0xc0,
                                   0x48, 0x83, 0xc4, 0x10, 0x5d, 0xc3, 0xe8, 0x00, 0x00, 0x00, 0x00, 0xeb, 0xe3};
/* push rbp; mov rbp,rsp; sub rsp,16; mov eax,ebx; lock cmpxchg [rdx+status],ecx; sete al; add rsp,16; pop rbp; ret */
static const uint8_t swap_144[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0x89, 0xd8, 0xf0, 0x0f, 0xb1, 0x8a, 0x90,
                                   0x00, 0x00, 0x00, 0x0f, 0x94, 0xc0, 0x48, 0x83, 0xc4, 0x10, 0x5d, 0xc3};
static const uint8_t swap_152[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0x89, 0xd8, 0xf0, 0x0f, 0xb1, 0x8a, 0x98,
                                   0x00, 0x00, 0x00, 0x0f, 0x94, 0xc0, 0x48, 0x83, 0xc4, 0x10, 0x5d, 0xc3};

const maker_function maker_usual[] = {
    {"runtime.chansend", ordinary, sizeof ordinary, NULL},   {"runtime.casgstatus", swap_144, sizeof swap_144, NULL},
    {"runtime.castogscanstatus", swap_152, sizeof swap_152, NULL}, {"runtime.newproc1", ordinary, sizeof ordinary, NULL},
    {"main.main", ordinary, sizeof ordinary, "main.small"},
};
const size_t maker_usual_count = sizeof maker_usual / sizeof *maker_usual;

static void put_code(maker *m, const maker_options *o)
{
    m->n = TEXT;
    for (size_t i = 0; i < o->function_count; i++) {
        m->entries[i] = MAKER_BASE + m->n;
        add(m, o->functions[i].code, o->functions[i].n);
        while (m->n % 32)
            add(m, "\xcc", 1);
    }
}

/* Names, as type descriptors have them: flags, length, bytes. */
static size_t add_name(maker *m, const char *text)
{
    size_t n = strlen(text), at = m->n;
    assert(n < 128);
    add(m, (const uint8_t[]){0, (uint8_t)n}, 2);
    add(m, text, n);
    return at;
}

/* Types */

typedef struct field {
    const char *name; /* of n bytes */
    size_t n;
    int32_t offset;
    uint64_t type;
} field;

static uint64_t add_struct(maker *m, relocations *r, const char *full_name, const field *f, size_t n, uint64_t size)
{
    char star[64];
    size_t names[FIELDS_ROOM];
    snprintf(star, sizeof star, "*%s", full_name);
    size_t name = add_name(m, star), package = add_name(m, "runtime");
    for (size_t i = 0; i < n; i++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)f[i].n, f[i].name);
        names[i] = add_name(m, text);
    }
    size_t fields = align(m, 8);
    for (size_t i = 0; i < n; i++) {
        pointer(m, r, fields + i * 24, MAKER_BASE + names[i]);
        pointer(m, r, fields + i * 24 + 8, f[i].type ? f[i].type : MAKER_BASE + m->types);
        maker_put(m, fields + i * 24 + 16, (uint64_t)f[i].offset, 8);
    }
    size_t at = align(m, 8);
    maker_put(m, at, size, 8);
    maker_put(m, at + 16, 0x1234, 4);
    maker_put(m, at + 20, 2, 1); /* its name has an extra star */
    maker_put(m, at + 23, 25, 1);
    maker_put(m, at + 40, name - m->types, 4);
    pointer(m, r, at + 48, MAKER_BASE + package);
    pointer(m, r, at + 56, MAKER_BASE + fields);
    maker_put(m, at + 64, n, 8);
    maker_put(m, at + 72, n, 8);
    return MAKER_BASE + at;
}

typedef struct row {
    const char *structure, *name, *path;
    int32_t known[8];
} row;
#define GL_GOFIELD(structure, name, path, need, ...) {#structure, #name, path, {__VA_ARGS__}},
static const row rows[] = {
#include "golanes/gofields.def"
};
#define ROWS (sizeof rows / sizeof *rows)

static int32_t offset_of(const maker_options *o, const row *r)
{
    static const unsigned releases[] = {19, 21, 22, 23, 24, 25, 26, 27};
    size_t column = 7;
    for (size_t i = 0; i < 8; i++)
        if (releases[i] == o->minor)
            column = i;
    char name[64];
    snprintf(name, sizeof name, "%s.%s", r->structure, r->name);
    return r->known[column] + (o->wrong_field && strcmp(o->wrong_field, name) == 0 ? 8 : 0);
}

/* The path's simplest alternative. */
static const char *plain_path(const row *r)
{
    const char *bar = strrchr(r->path, '|');
    return bar ? bar + 1 : r->path;
}

/* Fields a.b of one structure: a struct of its own, from the least offset on. */
static bool add_nested(maker *m, relocations *rel, const maker_options *o, size_t first, field *out)
{
    const char *path = plain_path(&rows[first]);
    size_t n = strcspn(path, "."), count = 0;
    field inner[FIELDS_ROOM];
    int32_t least = INT32_MAX;
    for (size_t i = 0; i < ROWS; i++) {
        const char *other = plain_path(&rows[i]);
        if (strcmp(rows[i].structure, rows[first].structure) != 0 || strncmp(other, path, n + 1) != 0)
            continue;
        if (i < first)
            return false; /* made already */
        int32_t offset = offset_of(o, &rows[i]);
        least = offset < least ? offset : least;
        inner[count++] = (field){other + n + 1, strlen(other + n + 1), offset, 0};
    }
    for (size_t i = 0; i < count; i++)
        inner[i].offset -= least;
    *out = (field){path, n, least, add_struct(m, rel, "runtime.inner", inner, count, 4096)};
    return true;
}

static void put_types(maker *m, relocations *r, const maker_options *o)
{
    static const char *const structs[] = {"g", "m", "p", "hchan", "sudog"};
    m->types = align(m, 32);
    align(m, 64);
    m->n += 64;
    for (size_t s = 0; s < sizeof structs / sizeof *structs; s++) {
        field fields[FIELDS_ROOM];
        size_t n = 0;
        char name[32];
        if (o->without_struct && strcmp(o->without_struct, structs[s]) == 0)
            continue;
        for (size_t i = 0; i < ROWS; i++) {
            const char *path = plain_path(&rows[i]);
            if (strcmp(rows[i].structure, structs[s]) != 0 || offset_of(o, &rows[i]) < 0)
                continue;
            if (!strchr(path, '.'))
                fields[n++] = (field){path, strlen(path), offset_of(o, &rows[i]), 0};
            else if (add_nested(m, r, o, i, &fields[n]))
                n++;
        }
        snprintf(name, sizeof name, "runtime.%s", structs[s]);
        uint64_t at = add_struct(m, r, name, fields, n, 456);
        if (s == 0)
            m->type_g = at;
    }
}

/* The function table */

typedef struct parts {
    size_t names, units, files, values, functions;
} parts;

static size_t add_text(maker *m, const char *s)
{
    return add(m, s, strlen(s) + 1);
}

/* Where go.func.* begins: the inline tree of the function that has one. */
static size_t put_tree(maker *m, const maker_options *o, size_t names, size_t name)
{
    size_t at = align(m, 8);
    unsigned size = o->minor < 20 ? 20 : 16;
    m->n += size;
    maker_put(m, at + (o->minor < 20 ? 12 : 4), name - names, 4);
    maker_put(m, at + (o->minor < 20 ? 16 : 8), 0, 4); /* the parent's instruction: the first */
    if (o->minor >= 20)
        maker_put(m, at + 12, 77, 4);
    return at;
}

static void put_function(maker *m, const maker_options *o, size_t i, size_t name, size_t at, bool tree)
{
    uint64_t entry = m->entries[i] - (MAKER_BASE + TEXT);
    unsigned fixed = o->minor < 20 ? 40 : 44;
    maker_put(m, at, entry, 4);
    maker_put(m, at + 4, name, 4);
    maker_put(m, at + 16, 1, 4); /* sp */
    maker_put(m, at + 20, 4, 4); /* file */
    maker_put(m, at + 24, 8, 4); /* line */
    maker_put(m, at + 28, 3, 4); /* npcdata */
    if (o->minor >= 20)
        maker_put(m, at + 36, 5 + i, 4);
    maker_put(m, at + fixed - 1, 4, 1); /* nfuncdata */
    maker_put(m, at + fixed + 8, tree ? 16 : 0, 4);
    for (unsigned k = 0; k < 4; k++)
        maker_put(m, at + fixed + 12 + 4 * k, tree && k == 3 ? 0 : UINT32_MAX, 4);
}

/* Values from offset 1 on: sp 0 (all), file 0 (all), line 10 then 12 from byte 6 on, tree -1, 0 in bytes 4 to 8, -1. */
static const uint8_t values[] = {0, 2, 0x7f, 0, 2, 0x7f, 0, 0, 22, 6, 4, 0x70, 0, 0, 0, 0, 0, 4, 2, 4, 1, 0x60, 0};

static parts put_table(maker *m, relocations *r, const maker_options *o, size_t *tree)
{
    parts p;
    size_t names[MAKER_FUNCTIONS], inlined = 0, n = o->function_count;
    m->table = align(m, 32);
    maker_put(m, m->table, o->minor < 20 ? 0xfffffff0u : 0xfffffff1u, 4);
    maker_put(m, m->table + 6, 0x0801, 2);
    maker_put(m, m->table + 8, n, 8);
    m->n = m->table + 72;
    if (o->minor < 26)
        pointer(m, r, m->table + 24, MAKER_BASE + TEXT);
    p.names = m->n;
    add_text(m, "");
    for (size_t i = 0; i < n; i++) {
        names[i] = add_text(m, o->functions[i].name);
        if (o->functions[i].inlined)
            inlined = add_text(m, o->functions[i].inlined);
    }
    p.units = align(m, 4);
    maker_put(m, p.units, 0, 4);
    p.files = m->n;
    add_text(m, "/src/main.go");
    p.values = add(m, values, sizeof values);
    p.functions = align(m, 8);
    size_t records = p.functions + 8 * n + 8;
    for (size_t i = 0; i < n; i++) {
        maker_put(m, p.functions + 8 * i, m->entries[i] - (MAKER_BASE + TEXT), 4);
        maker_put(m, p.functions + 8 * i + 4, records + 80 * i - p.functions, 4);
        put_function(m, o, i, names[i] - p.names, records + 80 * i, o->functions[i].inlined != NULL);
    }
    const maker_function *last = &o->functions[n - 1];
    maker_put(m, p.functions + 8 * n, m->entries[n - 1] + (last->n + 31) / 32 * 32 - (MAKER_BASE + TEXT), 4);
    m->n = records + 80 * n;
    const size_t at[] = {p.names, p.units, p.files, p.values, p.functions};
    for (size_t i = 0; i < 5; i++)
        maker_put(m, m->table + 32 + 8 * i, at[i] - m->table, 8);
    *tree = put_tree(m, o, p.names, inlined ? inlined : p.names);
    return p;
}

/* Module data and build information */

static void put_module(maker *m, relocations *r, const maker_options *o, const parts *p, size_t types_end, size_t tree)
{
    size_t at = m->module = align(m, 32);
    uint64_t text_end = m->entries[o->function_count - 1] + (o->functions[o->function_count - 1].n + 31) / 32 * 32;
    size_t types = o->minor >= 20 ? 37 : 35, types_end_word = o->minor >= 27 ? 39 : types + 1;
    size_t go_func = o->minor >= 27 ? 43 : types + 3;
    const struct {
        size_t word;
        uint64_t address;
    } words[] = {{0, m->table},      {1, p->names},     {4, p->units}, {7, p->files},   {10, p->values}, {13, p->functions},
                 {16, p->functions}, {20, TEXT},        {22, TEXT},    {types, m->types}, {types_end_word, types_end},
                 {go_func, tree}};
    m->n += 64 * 8;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        pointer(m, r, at + 8 * words[i].word, MAKER_BASE + words[i].address);
    pointer(m, r, at + 8 * 21, text_end);
    pointer(m, r, at + 8 * 23, text_end);
    maker_put(m, at + 8 * 17, o->function_count + 1, 8);
    maker_put(m, at + 8 * 18, o->function_count + 1, 8);
}

static void add_with_length(maker *m, const char *text, size_t n)
{
    assert(n < 16384);
    add(m, (const uint8_t[]){(uint8_t)(n | 0x80), (uint8_t)(n >> 7)}, 2);
    add(m, text, n);
}

static void put_build(maker *m, const maker_options *o)
{
    char version[64], text[1024];
    snprintf(version, sizeof version, "go1.%u.3", o->minor);
    const char *lines = o->build ? o->build
                                 : "path\texample.com/tool\nmod\texample.com/tool\t(devel)\t\nbuild\t-buildmode=exe\n"
                                   "build\t-ldflags=\"-s -w\"\nbuild\tCGO_ENABLED=0\n";
    int n = snprintf(text, sizeof text, "0123456789abcdef%s0123456789abcdef", lines);
    m->build = align(m, 16);
    add(m, "\xff Go buildinf:\x08\x02", 16);
    m->n = m->build + 32;
    add_with_length(m, o->version ? o->version : version, strlen(o->version ? o->version : version));
    add_with_length(m, text, (size_t)n);
}

/* The file */

static void put_segment(maker *m, size_t i, uint32_t type, uint32_t flags, size_t from, size_t to)
{
    Elf64_Phdr h = {.p_type = type, .p_flags = flags, .p_offset = from, .p_vaddr = MAKER_BASE + from,
                    .p_paddr = MAKER_BASE + from, .p_filesz = to - from, .p_memsz = to - from, .p_align = 8};
    memcpy(m->bytes + sizeof(Elf64_Ehdr) + i * sizeof h, &h, sizeof h);
}

static void put_relocations(maker *m, const relocations *r)
{
    size_t table = m->relocations = align(m, 8);
    for (size_t i = 0; i < r->n; i++) {
        maker_put(m, table + 24 * i, r->at[i], 8);
        maker_put(m, table + 24 * i + 8, R_X86_64_RELATIVE, 8);
        maker_put(m, table + 24 * i + 16, r->to[i], 8);
    }
    size_t dynamic = align(m, 8);
    const uint64_t entries[] = {DT_RELA, MAKER_BASE + table, DT_RELASZ, 24 * r->n, DT_RELAENT, 24, DT_NULL, 0};
    for (size_t i = 0; i < 8; i++)
        maker_put(m, dynamic + 8 * i, entries[i], 8);
    put_segment(m, 4, PT_DYNAMIC, PF_R, dynamic, dynamic + 64);
}

void maker_make(maker *m, const maker_options *options)
{
    maker_options o = *options;
    static relocations r;
    memset(m, 0, sizeof *m);
    r = (relocations){.used = o.pie};
    if (!o.functions) {
        o.functions = maker_usual;
        o.function_count = maker_usual_count;
    }
    put_code(m, &o);
    size_t text_end = m->n, tree;
    m->n = RODATA;
    put_types(m, &r, &o);
    size_t types_end = align(m, 8);
    parts p = put_table(m, &r, &o, &tree);
    size_t rodata_end = m->n;
    m->n = DATA;
    put_build(m, &o);
    put_module(m, &r, &o, &p, types_end, tree);
    m->data = MAKER_BASE + align(m, 64);
    m->n += 64;
    Elf64_Ehdr h = {.e_type = o.pie ? ET_DYN : ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = m->entries[0],
                    .e_phoff = sizeof h, .e_ehsize = sizeof h, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = o.pie ? 5 : 3};
    memcpy(h.e_ident, ELFMAG "\x02\x01\x01", SELFMAG + 3);
    memcpy(m->bytes, &h, sizeof h);
    if (o.pie) {
        put_segment(m, 3, PT_INTERP, PF_R, RODATA, RODATA + 16);
        put_relocations(m, &r);
    }
    put_segment(m, 0, PT_LOAD, PF_R | PF_X, 0, text_end);
    put_segment(m, 1, PT_LOAD, PF_R, RODATA, rodata_end);
    put_segment(m, 2, PT_LOAD, PF_R | PF_W, DATA, m->n);
    assert(rodata_end <= DATA && text_end <= RODATA);
}

int maker_file(const uint8_t *bytes, size_t n, char *path, size_t size)
{
    int fd = memfd_create("program", 0);
    assert(fd >= 0);
    while (n > 0) {
        ssize_t put = write(fd, bytes, n);
        assert(put > 0);
        bytes += put;
        n -= (size_t)put;
    }
    snprintf(path, size, "/proc/self/fd/%d", fd);
    return fd;
}
