/*
 * Reading Go programs, with made ones: what is found, what is refused and why, and that damage is never more than an error.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "golanes/golayout.h"
#include "golanes/goprobes.h"
#include "golanes/goprog.h"
#include "maker.h"

static maker made;

static gl_goprog *opened(const maker_options *o)
{
    char path[64];
    gl_goprog *p = NULL;
    gl_error err = {0};
    maker_make(&made, o);
    int fd = maker_file(made.bytes, made.n, path, sizeof path);
    int rc = gl_goprog_open(path, &p, NULL, &err);
    close(fd);
    if (rc < 0)
        fail_msg("Go 1.%u: %s", o->minor, err.text);
    return p;
}

static void expect_refusal(const maker *m, size_t n, gl_goprog_refusal want, const char *words)
{
    char path[64];
    gl_goprog *p = NULL;
    gl_goprog_refusal why;
    gl_error err = {0};
    int fd = maker_file(m->bytes, n, path, sizeof path);
    assert_true(gl_goprog_open(path, &p, &why, &err) < 0);
    close(fd);
    assert_null(p);
    if (why != want || !strstr(err.text, words))
        fail_msg("refusal %d: %s", why, err.text);
}

static const unsigned releases[] = {18, 19, 20, 21, 22, 23, 24, 25, 26, 27};
#define EACH_RELEASE(o)                                                                                                 \
    for (size_t r_ = 0; r_ < 2 * sizeof releases / sizeof *releases; r_++)                                              \
        for (maker_options o = {.minor = releases[r_ / 2], .pie = r_ % 2}, *once_ = &o; once_; once_ = NULL)

static void what_it_is(void **state)
{
    (void)state;
    EACH_RELEASE(o)
    {
        gl_goprog *p = opened(&o);
        const gl_goprog_info *i = gl_goprog_get_info(p);
        assert_int_equal(i->minor, o.minor);
        assert_string_equal(i->package, "example.com/tool");
        assert_string_equal(i->module, "example.com/tool");
        assert_string_equal(gl_goprog_setting(p, "-ldflags"), "-s -w");
        assert_string_equal(gl_goprog_setting(p, "CGO_ENABLED"), "0");
        assert_null(gl_goprog_setting(p, "CGO"));
        assert_true(i->pie == o.pie);
        assert_int_equal(i->functions, maker_usual_count);
        assert_int_equal(i->text, made.entries[0]);
        assert_false(i->symbols || i->dwarf || i->cgo || i->race);
        gl_goprog_close(p);
    }
}

static void functions_and_lines(void **state)
{
    (void)state;
    EACH_RELEASE(o)
    {
        gl_goprog *p = opened(&o);
        gl_gofunc f;
        gl_goframe frames[8];
        gl_error err = {0};
        assert_int_equal(gl_goprog_func(p, "main.main", &f, &err), 0);
        assert_int_equal(f.entry, made.entries[4]);
        assert_int_equal(f.start_line, o.minor < 20 ? 0 : 9);
        assert_int_equal(gl_goprog_func(p, "main.mai", &f, &err), GL_E_NOT_FOUND);
        assert_true(gl_goprog_func_of(p, made.entries[1] + 7, &f));
        assert_string_equal(f.name, "runtime.casgstatus");
        assert_false(gl_goprog_func_of(p, made.entries[0] - 1, &f));
        assert_int_equal(gl_goprog_frames(p, made.entries[4] + 5, frames, 8), 2);
        assert_string_equal(frames[0].func, "main.small");
        assert_true(frames[0].inlined && !frames[1].inlined);
        assert_string_equal(frames[1].func, "main.main");
        assert_string_equal(frames[1].file, "/src/main.go");
        assert_int_equal(frames[1].line, 10);
        assert_int_equal(gl_goprog_frames(p, made.entries[4] + 5, frames, 1), 1);
        assert_string_equal(frames[0].func, "main.main");
        assert_int_equal(gl_goprog_frames(p, made.entries[4] + 9, frames, 8), 1);
        assert_int_equal(frames[0].line, 12);
        assert_int_equal(gl_goprog_frames(p, 1, frames, 8), 0);
        gl_goprog_close(p);
    }
}

static int note_inlined(void *user, const char *callee, uint64_t pc, const gl_gofunc *into)
{
    assert_string_equal(callee, "main.small");
    assert_string_equal(into->name, "main.main");
    assert_int_equal(pc, into->entry + 4);
    return ++*(int *)user;
}

static void inlined_calls_are_found(void **state)
{
    (void)state;
    gl_goprog *p = opened(&(maker_options){.minor = 26});
    int count = 0;
    assert_int_equal(gl_goprog_inlined(p, (const char *const[]){"main.tall", "main.small"}, 2, note_inlined, &count), 1);
    assert_int_equal(gl_goprog_inlined(p, (const char *const[]){"main.tall"}, 1, note_inlined, &count), 0);
    gl_goprog_close(p);
}

static void two_of_a_name_are_none(void **state)
{
    (void)state;
    maker_function twice[] = {maker_usual[0], maker_usual[0], maker_usual[1]};
    gl_goprog *p = opened(&(maker_options){.minor = 26, .functions = twice, .function_count = 3});
    gl_gofunc f;
    gl_error err = {0};
    assert_int_equal(gl_goprog_func(p, "runtime.chansend", &f, &err), GL_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "2 functions named runtime.chansend"));
    gl_goprog_close(p);
}

static void types_have_names(void **state)
{
    (void)state;
    gl_goprog *p = opened(&(maker_options){.minor = 27, .pie = true});
    char name[64], small[5];
    assert_true(gl_goprog_type_name(p, made.type_g, name, sizeof name));
    assert_string_equal(name, "runtime.g");
    assert_true(gl_goprog_type_name(p, made.type_g, small, sizeof small));
    assert_string_equal(small, "runt");
    assert_false(gl_goprog_type_name(p, made.entries[0], name, sizeof name));
    gl_goprog_close(p);
}

/* Layout */

static void layouts_of_known_releases(void **state)
{
    (void)state;
    EACH_RELEASE(o)
    {
        gl_golayout l;
        gl_error err = {0};
        if (o.minor == 18 || o.minor == 20) /* made with the offsets of 1.27, and not in the table */
            o.minor = 28;
        gl_goprog *p = opened(&o);
        if (gl_goprog_layout(p, &l, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(l.sources, GL_GOLAYOUT_TYPES | (o.minor == 28 ? 0 : GL_GOLAYOUT_KNOWN));
        assert_int_equal(l.g_atomicstatus, o.minor == 23 || o.minor == 24 ? 152 : 144);
        assert_int_equal(l.m_id, o.minor == 25 ? 224 : 232);
        assert_int_equal(l.g_parentGoid, o.minor == 19 ? -1 : o.minor == 23 || o.minor == 24 || o.minor >= 26 ? 280 : 272);
        assert_int_equal(l.g_size, 456);
        gl_goprog_close(p);
    }
}

static void disagreement_is_a_refusal(void **state)
{
    (void)state;
    static const char *const fields[] = {"g.atomicstatus", "g.sched_bp", "m.id", "hchan.closed", "sudog.c", "g.labels"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        gl_golayout l;
        gl_error err = {0};
        gl_goprog *p = opened(&(maker_options){.minor = 26, .wrong_field = fields[i]});
        assert_int_equal(gl_goprog_layout(p, &l, &err), GL_E_UNSUPPORTED);
        assert_non_null(strstr(err.text, "is not certain: its type metadata says"));
        gl_goprog_close(p);
    }
}

static void nothing_known_is_a_refusal(void **state)
{
    (void)state;
    gl_golayout l;
    gl_error err = {0};
    gl_goprog *p = opened(&(maker_options){.minor = 26, .without_struct = "m"});
    assert_int_equal(gl_goprog_layout(p, &l, &err), 0); /* the table of releases knows it */
    assert_int_equal(l.sources, GL_GOLAYOUT_KNOWN);
    gl_goprog_close(p);
    p = opened(&(maker_options){.minor = 28, .without_struct = "m"});
    assert_int_equal(gl_goprog_layout(p, &l, &err), GL_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "runtime.m.g0 is not to be found"));
    gl_goprog_close(p);
}

static void reasons_have_numbers(void **state)
{
    (void)state;
    assert_string_equal(gl_goprog_wait_reason(19, 14), "chan receive");
    assert_string_equal(gl_goprog_wait_reason(26, 14), "sleep");
    assert_string_equal(gl_goprog_wait_reason(26, 19), "chan receive");
    assert_null(gl_goprog_wait_reason(26, 200));
    assert_null(gl_goprog_wait_reason(20, 1));
    assert_string_equal(gl_goprog_stop_reason(22, 1), "GC mark termination");
    assert_null(gl_goprog_stop_reason(19, 1));
}

/* Refusals */

static void refusals(void **state)
{
    (void)state;
    maker_options o = {.minor = 26};
    maker_make(&made, &o);
    expect_refusal(&made, 3, GL_GOPROG_NOT_ELF, "not an ELF program");
    maker_put(&made, 0, 0x2f2f2f2f, 4);
    expect_refusal(&made, made.n, GL_GOPROG_NOT_ELF, "not an ELF program");
    maker_make(&made, &o);
    maker_put(&made, offsetof(Elf64_Ehdr, e_machine), EM_AARCH64, 2);
    expect_refusal(&made, made.n, GL_GOPROG_ARCHITECTURE, "a program for arm64; golanes records on amd64 only");
    maker_make(&made, &o);
    maker_put(&made, EI_CLASS, ELFCLASS32, 1);
    expect_refusal(&made, made.n, GL_GOPROG_ARCHITECTURE, "golanes records on amd64 only");
    maker_make(&made, &o);
    maker_put(&made, offsetof(Elf64_Ehdr, e_type), ET_REL, 2);
    expect_refusal(&made, made.n, GL_GOPROG_NOT_PROGRAM, "not a program");
    maker_make(&made, &o);
    maker_put(&made, offsetof(Elf64_Ehdr, e_phnum), 0, 2);
    expect_refusal(&made, made.n, GL_GOPROG_NOT_PROGRAM, "nothing in it is to be loaded");
    maker_make(&made, &o);
    maker_put(&made, made.build, 0, 8);
    expect_refusal(&made, made.n, GL_GOPROG_NOT_GO, "not a Go program");
    maker_make(&made, &o);
    maker_put(&made, made.build + 15, 0, 1); /* pointers instead of texts: before 1.18 */
    maker_put(&made, made.build + 16, MAKER_BASE, 8);
    expect_refusal(&made, made.n, GL_GOPROG_TOO_OLD, "before 1.18");
    maker_make(&made, &(maker_options){.minor = 26, .version = "go1.17.9"});
    expect_refusal(&made, made.n, GL_GOPROG_TOO_OLD, "made by go1.17.9");
    maker_make(&made, &o);
    maker_put(&made, made.table, 0x12345678, 4);
    expect_refusal(&made, made.n, GL_GOPROG_GARBLED, "without Go's function table");
    maker_make(&made, &o);
    maker_put(&made, made.module + 8, 0, 8);
    expect_refusal(&made, made.n, GL_GOPROG_GARBLED, "do not fit each other");
}

static void ways_to_build_that_are_refused(void **state)
{
    (void)state;
    static const char *const modes[] = {"plugin", "shared", "c-shared", "c-archive"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        char build[64];
        snprintf(build, sizeof build, "build\t-buildmode=%s\n", modes[i]);
        maker_make(&made, &(maker_options){.minor = 26, .build = build});
        expect_refusal(&made, made.n, GL_GOPROG_PLUGIN, modes[i]);
    }
    maker_make(&made, &(maker_options){.minor = 26, .build = "build\t-linkshared=true\n"});
    expect_refusal(&made, made.n, GL_GOPROG_PLUGIN, "-linkshared");
    maker_make(&made, &(maker_options){.minor = 26, .build = "path\tx\n"});
    maker_put(&made, offsetof(Elf64_Ehdr, e_type), ET_DYN, 2); /* without an interpreter */
    expect_refusal(&made, made.n, GL_GOPROG_PLUGIN, "a shared library");
}

static void files_that_are_none(void **state)
{
    (void)state;
    gl_goprog *p;
    gl_goprog_refusal why;
    gl_error err = {0};
    assert_int_equal(gl_goprog_open("/nowhere/at/all", &p, &why, &err), GL_E_NOT_FOUND);
    assert_int_equal(why, GL_GOPROG_READABLE);
    assert_int_equal(gl_goprog_open("/dev/null", &p, &why, &err), GL_E_UNSUPPORTED);
    assert_int_equal(gl_goprog_open("/", &p, &why, &err), GL_E_UNSUPPORTED);
    assert_true(gl_goprog_open_pid(0x7fffffff, &p, &why, &err) < 0);
}

static void set_user_id_is_seen(void **state)
{
    (void)state;
    char path[] = "/tmp/golanes-gobin-XXXXXX";
    maker_make(&made, &(maker_options){.minor = 26});
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, made.bytes, made.n), made.n);
    assert_int_equal(fchmod(fd, 04755), 0);
    gl_goprog *p;
    gl_error err = {0};
    int rc = gl_goprog_open(path, &p, NULL, &err);
    close(fd);
    unlink(path);
    assert_int_equal(rc, 0);
    assert_true(gl_goprog_get_info(p)->privileged);
    gl_goprog_close(p);
}

/* A table of another program, as data in front of the program's own, is not taken for it. */
static void an_embedded_table_is_passed_by(void **state)
{
    (void)state;
    maker_options o = {.minor = 26};
    maker_make(&made, &o);
    memcpy(made.bytes + 0x3000, made.bytes + made.table, 0x200);
    maker_put(&made, sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), 0x3800, 8);
    char path[64];
    gl_goprog *p;
    gl_error err = {0};
    int fd = maker_file(made.bytes, made.n, path, sizeof path);
    int rc = gl_goprog_open(path, &p, NULL, &err);
    close(fd);
    assert_int_equal(rc, 0);
    assert_int_equal(gl_goprog_get_info(p)->table, MAKER_BASE + made.table);
    gl_goprog_close(p);
}

/* Damage */

static void use_all(const uint8_t *bytes, size_t n)
{
    char path[64];
    gl_goprog *p;
    gl_golayout l;
    gl_goplan *plan;
    gl_govars v;
    gl_goframe frames[16];
    int fd = maker_file(bytes, n, path, sizeof path);
    if (gl_goprog_open(path, &p, NULL, NULL) == 0) {
        gl_goprog_vars(p, &v);
        for (size_t i = 0; i < maker_usual_count; i++)
            gl_goprog_frames(p, made.entries[i] + 5, frames, 16);
        if (gl_goprog_layout(p, &l, NULL) == 0 && gl_goplan_make(p, &l, &plan, NULL) == 0)
            gl_goplan_free(plan);
        gl_goprog_close(p);
    }
    close(fd);
}

static void a_cut_file_is_an_error_at_most(void **state)
{
    (void)state;
    maker_make(&made, &(maker_options){.minor = 26, .pie = true});
    for (size_t n = 0; n < made.n; n += n < 512 ? 7 : 251)
        use_all(made.bytes, n);
}

static void wrong_bytes_are_an_error_at_most(void **state)
{
    (void)state;
    static const uint8_t with[] = {0x00, 0xff, 0x80, 0x7f};
    maker_make(&made, &(maker_options){.minor = 27, .pie = true});
    static uint8_t bytes[MAKER_ROOM];
    for (size_t at = 0, step = 0; at < made.n; at++, step++) {
        if (made.bytes[at] == 0 && at % 8 != 0)
            continue; /* mostly padding */
        memcpy(bytes, made.bytes, made.n);
        bytes[at] ^= with[step % 4] ? with[step % 4] : 1;
        use_all(bytes, made.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_is),
        cmocka_unit_test(functions_and_lines),
        cmocka_unit_test(inlined_calls_are_found),
        cmocka_unit_test(two_of_a_name_are_none),
        cmocka_unit_test(types_have_names),
        cmocka_unit_test(layouts_of_known_releases),
        cmocka_unit_test(disagreement_is_a_refusal),
        cmocka_unit_test(nothing_known_is_a_refusal),
        cmocka_unit_test(reasons_have_numbers),
        cmocka_unit_test(refusals),
        cmocka_unit_test(ways_to_build_that_are_refused),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(set_user_id_is_seen),
        cmocka_unit_test(an_embedded_table_is_passed_by),
        cmocka_unit_test(a_cut_file_is_an_error_at_most),
        cmocka_unit_test(wrong_bytes_are_an_error_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
