/*
 * The function table of a Go program: all four formats, both sizes of pointers, and damaged tables; ELF files with and
 * without sections.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "golanes/gobin.h"
#include "pclntab.h"

#define TEXT 0x401000u
#define TABLE_ROOM 4096

typedef struct maker {
    uint8_t bytes[TABLE_ROOM];
    size_t n;
    unsigned format, pointer;
} maker;

static void put(maker *m, size_t at, uint64_t v, unsigned size)
{
    assert_true(at + size <= sizeof m->bytes);
    for (unsigned i = 0; i < size; i++)
        m->bytes[at + i] = (uint8_t)(v >> 8 * i);
    if (at + size > m->n)
        m->n = at + size;
}

static size_t add_text(maker *m, const char *s)
{
    size_t at = m->n;
    memcpy(m->bytes + at, s, strlen(s) + 1);
    m->n += strlen(s) + 1;
    return at;
}

static size_t add_bytes(maker *m, const void *p, size_t n)
{
    size_t at = m->n;
    memcpy(m->bytes + at, p, n);
    m->n += n;
    return at;
}

/*
 * Two functions: main.first at the text's begin, 32 bytes, lines 10 and (from byte 16 on) 12; main.second behind it, 16
 * bytes, line 30. Values are steps: twice the step, less one where it is negative.
 */
static const uint8_t files_table[] = {4, 32, 0};    /* value -1 + 2 = 1 */
static const uint8_t lines_first[] = {22, 16, 4, 16, 0}; /* 10, then 12 */
static const uint8_t lines_second[] = {62, 16, 0};  /* 30 */

typedef struct places {
    size_t names[2], file, files, lines[2], units, values, functab;
} places;

static void put_func(maker *m, size_t at, uint64_t entry, size_t name, size_t files, size_t lines)
{
    unsigned size = m->format >= 18 ? 4 : m->pointer;
    put(m, at, entry, size);
    put(m, at + size, name, 4);
    put(m, at + size + 16, files, 4);
    put(m, at + size + 20, lines, 4);
    put(m, at + size + 28, 0, 4); /* unit */
}

static void put_header(maker *m)
{
    static const uint32_t magics[] = {[2] = 0xfffffffb, [16] = 0xfffffffa, [18] = 0xfffffff0, [20] = 0xfffffff1};
    put(m, 0, magics[m->format], 4);
    put(m, 6, 1, 1);
    put(m, 7, m->pointer, 1);
    put(m, 8, 2, m->pointer);
}

/* Texts and values, anywhere behind the header. Offsets count from the table's begin. */
static places put_contents(maker *m)
{
    places p = {{0}, 0, 0, {0}, 0, 0, 0};
    m->n = 200;
    p.names[0] = add_text(m, "main.first");
    p.names[1] = add_text(m, "main.second");
    p.file = add_text(m, "main.go");
    p.values = m->n;
    add_text(m, "");
    p.files = add_bytes(m, files_table, sizeof files_table);
    p.lines[0] = add_bytes(m, lines_first, sizeof lines_first);
    p.lines[1] = add_bytes(m, lines_second, sizeof lines_second);
    m->n = (m->n + 7) & ~(size_t)7;
    p.units = m->n;
    put(m, p.units, UINT32_MAX, 4);
    put(m, p.units + 4, 0, 4); /* file 1 of the unit is at the begin of the files */
    return p;
}

/* Pairs of address and offset, a last address, then the functions. base: what offsets count from. */
static void put_functab(maker *m, const places *p, size_t at, size_t base)
{
    unsigned size = m->format >= 18 ? 4 : m->pointer;
    uint64_t text = m->format >= 18 ? 0 : TEXT;
    size_t funcs = at + 5 * size + 8, name_base = m->format == 2 ? 0 : p->names[0], value_base = m->format == 2 ? 0 : p->values;
    const uint64_t entries[] = {text, text + 32, text + 48};
    for (int i = 0; i < 2; i++) {
        size_t func = funcs + (size_t)i * 48;
        put(m, at + (size_t)i * 2 * size, entries[i], size);
        put(m, at + (size_t)i * 2 * size + size, func - base, size);
        put_func(m, func, entries[i], p->names[i] - name_base, p->files - value_base, p->lines[i] - value_base);
    }
    put(m, at + 4 * (size_t)size, entries[2], size);
}

static void make_table(maker *m, unsigned format, unsigned pointer, uint64_t text_word)
{
    memset(m, 0, sizeof *m);
    m->format = format;
    m->pointer = pointer;
    put_header(m);
    places p = put_contents(m);
    if (format == 2) {
        size_t files = m->n; /* number of files, then where each text is; file 0 is none */
        put(m, files, 2, 4);
        put(m, files + 4, p.file, 4);
        put_functab(m, &p, 8 + pointer, 0);
        put(m, 8 + pointer + 5 * (size_t)pointer, files, 4);
        return;
    }
    unsigned first = format >= 18 ? 3 : 2;
    size_t functab = (m->n + 7) & ~(size_t)7;
    const size_t parts[] = {p.names[0], p.units, p.file, p.values, functab};
    for (unsigned i = 0; i < 5; i++)
        put(m, 8 + (size_t)(first + i) * pointer, parts[i], pointer);
    if (format >= 18)
        put(m, GL_PCLNTAB_TEXT_WORD(pointer), text_word, pointer);
    put_functab(m, &p, functab, functab);
}

static void expect(const gl_pclntab *t, uint64_t pc, const char *func, uint32_t line)
{
    gl_gobin_place name = {0};
    assert_true(gl_pclntab_find(t, pc, &name));
    assert_string_equal(name.func, func);
    assert_string_equal(name.file, "main.go");
    assert_int_equal(name.line, line);
}

static const unsigned formats[] = {2, 16, 18, 20};

static void test_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        maker m;
        gl_pclntab t;
        gl_gobin_place name;
        make_table(&m, formats[i / 2], i % 2 ? 8 : 4, TEXT);
        assert_true(gl_pclntab_parse(&t, m.bytes, m.n));
        assert_int_equal(t.format, formats[i / 2]);
        assert_int_equal(t.nfunc, 2);
        expect(&t, TEXT, "main.first", 10);
        expect(&t, TEXT + 15, "main.first", 10);
        expect(&t, TEXT + 16, "main.first", 12);
        expect(&t, TEXT + 31, "main.first", 12);
        expect(&t, TEXT + 32, "main.second", 30);
        expect(&t, TEXT + 47, "main.second", 30);
        assert_false(gl_pclntab_find(&t, TEXT - 1, &name));
        assert_false(gl_pclntab_find(&t, TEXT + 48, &name));
    }
}

static void ask_all(const uint8_t *bytes, size_t n)
{
    gl_pclntab t;
    if (!gl_pclntab_parse(&t, bytes, n))
        return;
    static const uint64_t pcs[] = {0, TEXT, TEXT + 20, TEXT + 40, TEXT + 48, UINT64_MAX};
    for (size_t i = 0; i < sizeof pcs / sizeof pcs[0]; i++) {
        gl_gobin_place name = {0};
        if (gl_pclntab_find(&t, pcs[i], &name)) {
            assert_true(strlen(name.func) < TABLE_ROOM);
            assert_true(strlen(name.file) < TABLE_ROOM);
        }
    }
}

/* Exact memory, so that a sanitizer sees a step too far. */
static void ask_copy(const maker *m, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, m->bytes, n);
    ask_all(exact, n);
    free(exact);
}

static void test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        maker m;
        make_table(&m, formats[i], 8, TEXT);
        for (size_t n = 0; n < m.n; n++)
            ask_copy(&m, n);
        for (size_t bit = 0; bit < m.n * 8; bit++) {
            m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ask_copy(&m, m.n);
            m.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t at = 0; at + 8 <= m.n; at++) {
            uint8_t kept[8];
            memcpy(kept, m.bytes + at, 8);
            memset(m.bytes + at, 0xff, 8);
            ask_copy(&m, m.n);
            memcpy(m.bytes + at, kept, 8);
        }
    }
}

/* Files */

static void write_file(char *path, const void *bytes, size_t n)
{
    strcpy(path, "/tmp/golanes-gobin-XXXXXX");
    const char *dir = getenv("TMPDIR");
    if (dir && strlen(dir) < 100)
        sprintf(path, "%s/golanes-gobin-XXXXXX", dir);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

typedef struct program {
    Elf64_Ehdr head;
    Elf64_Phdr segment;
    uint8_t zeros[8];
    uint64_t module[24];
    uint8_t table[TABLE_ROOM];
} program;

/* A program without sections: one segment with a module record and the table. */
static void make_program(program *p, uint64_t text_word)
{
    maker m;
    make_table(&m, 20, 8, text_word);
    memset(p, 0, sizeof *p);
    memcpy(p->head.e_ident, ELFMAG "\2\1\1", 7);
    p->head.e_type = ET_EXEC;
    p->head.e_machine = EM_X86_64;
    p->head.e_version = EV_CURRENT;
    p->head.e_phoff = offsetof(program, segment);
    p->head.e_ehsize = sizeof p->head;
    p->head.e_phentsize = sizeof p->segment;
    p->head.e_phnum = 1;
    p->segment = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R, .p_offset = 0, .p_vaddr = 0x500000,
                              .p_filesz = sizeof *p, .p_memsz = sizeof *p};
    p->module[0] = 0x500000 + offsetof(program, table);
    p->module[22] = TEXT;
    p->module[23] = TEXT + 48;
    memcpy(p->table, m.bytes, sizeof p->table);
}

static int open_bytes(const void *bytes, size_t n, gl_gobin **bin, gl_error *err)
{
    char path[128];
    write_file(path, bytes, n);
    memset(err, 0, sizeof *err);
    int rc = gl_gobin_open(path, bin, err);
    unlink(path);
    return rc;
}

/* With the text's address in the table (up to Go 1.25), and in the module record only. */
static void test_program(void **state)
{
    (void)state;
    for (int in_module = 0; in_module < 2; in_module++) {
        program p;
        gl_gobin *bin;
        gl_error err;
        gl_gobin_place name;
        make_program(&p, in_module ? 0 : TEXT);
        assert_int_equal(open_bytes(&p, sizeof p, &bin, &err), 0);
        assert_int_equal(gl_gobin_format(bin), 20);
        assert_int_equal(gl_gobin_functions(bin), 2);
        assert_true(gl_gobin_find(bin, TEXT + 40, &name));
        assert_string_equal(name.func, "main.second");
        assert_false(gl_gobin_find(bin, 1, &name));
        gl_gobin_close(bin);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    program p;
    gl_gobin *bin;
    gl_error err;
    memset(&err, 0, sizeof err);
    assert_int_equal(gl_gobin_open("/nowhere/at/all", &bin, &err), GL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    assert_int_equal(gl_gobin_open("/", &bin, &err), GL_E_UNSUPPORTED);
    assert_int_equal(open_bytes("not a program", 13, &bin, &err), GL_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "ELF"));
    make_program(&p, 0);
    p.module[0] = 0; /* no table's address: the text can't be found */
    assert_int_equal(open_bytes(&p, sizeof p, &bin, &err), GL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "where its code begins"));
    p.table[0] = 0;
    assert_int_equal(open_bytes(&p, sizeof p, &bin, &err), GL_E_NOT_FOUND);
    assert_non_null(strstr(err.text, "no Go function table"));
    p.head.e_ident[EI_DATA] = ELFDATA2MSB;
    assert_true(open_bytes(&p, sizeof p, &bin, &err) < 0);
    assert_null(bin);
}

/* Whatever the file's headers say. */
static void test_damaged_program(void **state)
{
    (void)state;
    program p;
    make_program(&p, 0);
    uint8_t *bytes = (uint8_t *)&p;
    for (size_t bit = 0; bit < offsetof(program, module) * 8; bit++) {
        gl_gobin *bin;
        gl_error err;
        gl_gobin_place name;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (open_bytes(&p, sizeof p, &bin, &err) == 0) {
            gl_gobin_find(bin, TEXT + 40, &name);
            gl_gobin_close(bin);
        } else {
            assert_true(err.text[0] != 0 && !strchr(err.text, '\n'));
        }
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),  cmocka_unit_test(test_damage),          cmocka_unit_test(test_program),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_damaged_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
