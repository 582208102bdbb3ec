#include "text.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static size_t width_of(const char *s)
{
    return gl_text_width(s, strlen(s));
}

static void width_counts_columns_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(width_of(""), 0);
    assert_int_equal(width_of("abc"), 3);
    assert_int_equal(width_of("µs…"), 3);
    assert_int_equal(width_of("日本"), 4);
    assert_int_equal(width_of("e\xcc\x81"), 1);
    assert_int_equal(width_of("\x1b[2J"), 4);
    assert_int_equal(width_of("a\xff\xfe"), 3);
}

static void safe_text_cannot_reach_the_terminal(void **state)
{
    (void)state;
    gl_text t = {0};
    gl_text_safe(&t, "a\x1b[31mb\nc\x7f\xc2\x9b\xff\0z", 15);
    assert_null(strpbrk(t.bytes, "\x1b\n\x7f\xff"));
    assert_null(strstr(t.bytes, "\xc2\x9b"));
    assert_string_equal(t.bytes, "a�[31mb�c����z");
    gl_text_clear(&t);
    gl_text_safe(&t, "x\xe2\x80\xaey", 5);
    assert_string_equal(t.bytes, "x�y");
    gl_text_clean_up(&t);
}

static void check_fit(const char *s, size_t width, gl_text_cut cut, const char *want)
{
    gl_text t = {0};
    gl_text_str(&t, "");
    size_t used = gl_text_fit(&t, s, strlen(s), width, cut);
    assert_string_equal(t.bytes, want);
    assert_int_equal(used, width_of(want));
    assert_true(used <= width);
    gl_text_clean_up(&t);
}

static void fit_cuts_where_it_is_told(void **state)
{
    (void)state;
    check_fit("abcdef", 6, GL_CUT_END, "abcdef");
    check_fit("abcdef", 4, GL_CUT_END, "abc…");
    check_fit("abcdef", 4, GL_CUT_START, "…def");
    check_fit("abcdef", 4, GL_CUT_MIDDLE, "ab…f");
    check_fit("abcdef", 1, GL_CUT_END, "…");
    check_fit("abcdef", 0, GL_CUT_END, "");
    check_fit("日本語", 4, GL_CUT_END, "日…");
    check_fit("日本語", 4, GL_CUT_START, "…語");
    check_fit("e\xcc\x81" "e\xcc\x81z", 2, GL_CUT_END, "e\xcc\x81…");
}

static void fit_never_exceeds_any_width(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "plain", "日本語日本語", "mixed 日 µ e\xcc\x81 x", "\xff\xff\x80 bad", "\x1b]0;t\a"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t width = 0; width < 30; width++)
            for (int cut = GL_CUT_END; cut <= GL_CUT_MIDDLE; cut++) {
                gl_text t = {0};
                gl_text_cell(&t, texts[i], strlen(texts[i]), width, GL_ALIGN_RIGHT, (gl_text_cut)cut);
                assert_int_equal(gl_text_width(t.bytes ? t.bytes : "", t.n), width);
                gl_text_clean_up(&t);
            }
}

static void wrapped_lines_stay_inside(void **state)
{
    (void)state;
    gl_text t = {0};
    gl_text_wrap(&t, "one two three four\nfive", 9, 2);
    assert_string_equal(t.bytes, "one two\n  three\n  four\n  five");
    gl_text_clean_up(&t);
}

static void check_ns(int64_t ns, const char *want)
{
    char out[GL_UNIT_TEXT_MAX];
    assert_string_equal(gl_unit_ns(out, ns), want);
}

static void times_have_three_digits_and_a_unit(void **state)
{
    (void)state;
    check_ns(0, "0 ns");
    check_ns(999, "999 ns");
    check_ns(1000, "1.00 µs");
    check_ns(12345, "12.3 µs");
    check_ns(999499, "999 µs");
    check_ns(999500, "1.00 ms");
    check_ns(-1500000, "-1.50 ms");
    check_ns(INT64_C(59990000000), "60.0 s");
    check_ns(INT64_C(150000000000), "2m30s");
    check_ns(INT64_C(7500000000000), "2h05m");
    check_ns(INT64_MAX, "2562047h47m");
    check_ns(INT64_MIN, "-2562047h47m");
}

static void sizes_counts_and_shares(void **state)
{
    (void)state;
    char out[GL_UNIT_TEXT_MAX];
    assert_string_equal(gl_unit_bytes(out, 0), "0 B");
    assert_string_equal(gl_unit_bytes(out, 1023), "1023 B");
    assert_string_equal(gl_unit_bytes(out, 1024), "1.00 KiB");
    assert_string_equal(gl_unit_bytes(out, 1048575), "1.00 MiB");
    assert_string_equal(gl_unit_bytes(out, UINT64_MAX), "16.0 EiB");
    assert_string_equal(gl_unit_count(out, 0), "0");
    assert_string_equal(gl_unit_count(out, 191402007), "191,402,007");
    assert_string_equal(gl_unit_count(out, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(gl_unit_count_short(out, 450), "450");
    assert_string_equal(gl_unit_count_short(out, 12345678), "12.3 M");
    assert_string_equal(gl_unit_share(out, 0), "0 %");
    assert_string_equal(gl_unit_share(out, 0.0001), "<0.1 %");
    assert_string_equal(gl_unit_share(out, 0.1234), "12.3 %");
}

static void check_bar(double share, size_t width, const char *want)
{
    gl_text t = {0};
    gl_text_str(&t, "");
    gl_text_bar(&t, share, width);
    assert_string_equal(t.bytes, want);
    gl_text_clean_up(&t);
}

static void bars_grow_by_eighths(void **state)
{
    (void)state;
    check_bar(0, 4, "");
    check_bar(1e-9, 4, "▏");
    check_bar(0.5, 4, "██");
    check_bar(0.53125, 4, "██▏");
    check_bar(1, 4, "████");
    check_bar(7, 4, "████");
    check_bar(0.5, 0, "");
}

static gl_table *sample_table(void)
{
    static const gl_column columns[] = {
        {.title = "NAME", .shrink_to = 6},
        {.title = "COUNT", .align = GL_ALIGN_RIGHT},
        {.title = "FILE", .cut = GL_CUT_START, .shrink_to = 5, .drop = 1},
    };
    gl_table *t = gl_table_new(columns, 3);
    assert_non_null(t);
    assert_int_equal(gl_table_row(t, (const char *const[]){"main.producer", "12", "/src/pipeline.go:41"}), 0);
    assert_int_equal(gl_table_row(t, (const char *const[]){"main.x", "1,204", NULL}), 0);
    return t;
}

static void check_table(size_t width, size_t indent, const char *want)
{
    gl_table *t = sample_table();
    gl_text out = {0};
    gl_table_write(t, width, indent, &out);
    assert_false(out.failed);
    assert_string_equal(out.bytes, want);
    gl_text_clean_up(&out);
    gl_table_destroy(t);
}

static void tables_fit_their_width(void **state)
{
    (void)state;
    check_table(0, 1, " NAME           COUNT  FILE\n"
                      " main.producer     12  /src/pipeline.go:41\n"
                      " main.x         1,204\n");
    check_table(30, 0, "NAME        COUNT  FILE\n"
                       "main.prod…     12  …line.go:41\n"
                       "main.x      1,204\n");
    check_table(16, 0, "NAME       COUNT\n"
                       "main.pro…     12\n"
                       "main.x     1,204\n");
}

static void no_table_line_is_wider_than_asked(void **state)
{
    (void)state;
    for (size_t width = 1; width < 60; width++) {
        gl_table *t = sample_table();
        gl_text out = {0};
        gl_table_write(t, width, 2, &out);
        for (char *line = strtok(out.bytes, "\n"); line; line = strtok(NULL, "\n"))
            assert_true(width_of(line) <= width);
        gl_text_clean_up(&out);
        gl_table_destroy(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_counts_columns_not_bytes),
        cmocka_unit_test(safe_text_cannot_reach_the_terminal),
        cmocka_unit_test(fit_cuts_where_it_is_told),
        cmocka_unit_test(fit_never_exceeds_any_width),
        cmocka_unit_test(wrapped_lines_stay_inside),
        cmocka_unit_test(times_have_three_digits_and_a_unit),
        cmocka_unit_test(sizes_counts_and_shares),
        cmocka_unit_test(bars_grow_by_eighths),
        cmocka_unit_test(tables_fit_their_width),
        cmocka_unit_test(no_table_line_is_wider_than_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
