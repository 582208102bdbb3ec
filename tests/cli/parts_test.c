/* The parts of the command line that need no trace: values, names, expressions, the table and what is made from it. */
#include "args.h"
#include "filter.h"
#include "help.h"
#include "out.h"
#include "print.h"
#include "progress.h"
#include "sniff.h"
#include "pprof_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void check_time(const char *text, int64_t want)
{
    int64_t ns = -1;
    assert_true(cli_time_parse(text, &ns));
    assert_int_equal(ns, want);
}

static void times_take_units_and_fractions(void **state)
{
    (void)state;
    check_time("0", 0);
    check_time("1.5ms", 1500000);
    check_time("2s", INT64_C(2000000000));
    check_time("500us", 500000);
    check_time("500µs", 500000);
    check_time("120ns", 120);
    check_time("1m30s", INT64_C(90000000000));
    check_time("0.5h", INT64_C(1800000000000));
    check_time(".25s", 250000000);
    check_time("14.118032ms", 14118032);
    check_time("1.9999999999ms", 1999999);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "5",  "ms", "-1s", "1.5", "1 s", "1sx", ".s", "1.2.3s", "99999999999999999999s",
                                      "9223372037s", "2562048h", "1s1", "0x5s", "s1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ns;
        if (cli_time_parse(bad[i], &ns))
            fail_msg("'%s' was taken for a time", bad[i]);
    }
}

static void numbers_are_digits_that_fit(void **state)
{
    (void)state;
    uint64_t n;
    assert_true(cli_number_parse("18446744073709551615", &n));
    assert_true(n == UINT64_MAX);
    assert_false(cli_number_parse("18446744073709551616", &n));
    assert_false(cli_number_parse("", &n));
    assert_false(cli_number_parse("-1", &n));
    assert_false(cli_number_parse(" 1", &n));
    assert_false(cli_number_parse("0x10", &n));
}

static void types_are_names_or_operations(void **state)
{
    (void)state;
    cli_types t = {0};
    char why[400];
    assert_int_equal(cli_types_add(&t, "goblock,GoSyscall", why, sizeof why), 0);
    assert_true(t.has[GL_EV_GoBlock] && t.has[GL_EV_GoSyscallBegin] && t.has[GL_EV_GoSyscallEnd]);
    assert_false(t.has[GL_EV_GoStart]);
    assert_int_equal(cli_types_add(&t, "GC", why, sizeof why), 0);
    assert_true(t.has[GL_EV_GCStart] && t.has[GL_EV_GCEnd] && !t.has[GL_EV_GCSTWBegin]);
}

static void a_mistyped_type_is_told_what_is_near(void **state)
{
    (void)state;
    cli_types t = {0};
    char why[400];
    assert_int_equal(cli_types_add(&t, "GoBlok", why, sizeof why), -1);
    assert_non_null(strstr(why, "did you mean GoBlock?"));
    assert_int_equal(cli_types_add(&t, "syscallbeg", why, sizeof why), -1);
    assert_non_null(strstr(why, "GoSyscallBegin"));
    assert_int_equal(cli_types_add(&t, "GoStart,", why, sizeof why), -1);
    assert_non_null(strstr(why, "empty"));
    assert_int_equal(cli_types_add(&t, "xyzzyxyzzy", why, sizeof why), -1);
    assert_null(strstr(why, "did you mean"));
}

static void patterns_remember_and_agree_with_themselves(void **state)
{
    (void)state;
    gl_dict *d = gl_dict_new();
    char why[300];
    gl_pattern *p = gl_pattern_new("chan (send|receive)$", 0, why, sizeof why);
    assert_non_null(p);
    uint32_t ids[3], func, frames[2], stack, name;
    assert_int_equal(gl_dict_string(d, "chan send", 9, &ids[0]), 0);
    assert_int_equal(gl_dict_string(d, "chan sender", 11, &ids[1]), 0);
    for (int round = 0; round < 2; round++) {
        assert_true(gl_pattern_string(p, d, ids[0]));
        assert_false(gl_pattern_string(p, d, ids[1]));
        assert_false(gl_pattern_string(p, d, 0));
        assert_false(gl_pattern_string(p, d, 4000000000u));
    }
    /* Entries that come later, as they do while a trace is read, are looked at too. */
    for (int i = 0; i < 5000; i++) {
        char text[32];
        snprintf(text, sizeof text, "s%d chan receive", i);
        assert_int_equal(gl_dict_string(d, text, strlen(text), &name), 0);
        assert_true(gl_pattern_string(p, d, name));
    }
    assert_int_equal(gl_dict_func(d, (gl_func){.name = ids[1]}, &func), 0);
    assert_int_equal(gl_dict_frame(d, (gl_frame){.func = func, .line = 1}, &frames[0]), 0);
    assert_int_equal(gl_dict_func(d, (gl_func){.name = ids[1], .file = ids[0]}, &func), 0);
    assert_int_equal(gl_dict_frame(d, (gl_frame){.func = func, .line = 2}, &frames[1]), 0);
    assert_int_equal(gl_dict_stack(d, frames, 1, &stack), 0);
    assert_false(gl_pattern_stack(p, d, stack));
    assert_int_equal(gl_dict_stack(d, frames, 2, &stack), 0);
    assert_true(gl_pattern_stack(p, d, stack));
    assert_false(gl_pattern_gave_up(p));
    gl_pattern_destroy(p);
    gl_dict_destroy(d);
}

static void a_wrong_pattern_says_where(void **state)
{
    (void)state;
    char why[300];
    assert_null(gl_pattern_new("a(b", 0, why, sizeof why));
    assert_non_null(strstr(why, "character 4"));
}

static void a_pattern_that_never_ends_gives_up(void **state)
{
    (void)state;
    char why[300], text[200];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    gl_pattern *p = gl_pattern_new("^(a+)+$", 0, why, sizeof why);
    assert_non_null(p);
    assert_false(gl_pattern_matches(p, text, sizeof text));
    assert_true(gl_pattern_gave_up(p));
    gl_pattern_destroy(p);
}

static void sniffing_names_what_people_hand_in(void **state)
{
    (void)state;
    assert_string_equal(cli_sniff("", 0), "is empty");
    assert_non_null(strstr(cli_sniff("\x7f" "ELF\2\1\1", 7), "ELF"));
    assert_string_equal(cli_sniff("  <!DOCTYPE html>", 17), "looks like HTML");
    assert_string_equal(cli_sniff("<?xml", 5), "looks like XML or HTML");
    assert_string_equal(cli_sniff("{\"traceEvents\":", 15), "looks like JSON");
    assert_string_equal(cli_sniff("hello\n", 6), "looks like text");
    assert_string_equal(cli_sniff("\0\0\0", 3), "holds nothing but zeros");
    assert_non_null(strstr(cli_sniff("go 1.2", 6), "header"));
    assert_string_equal(cli_sniff("\1\2\3", 3), "looks like something else");
    /* Never behind the end, however short. */
    char *one = malloc(1);
    for (int c = 0; c < 256; c++) {
        *one = (char)c;
        assert_non_null(cli_sniff(one, 1));
    }
    free(one);
}

static void addresses_get_a_path_and_seconds(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"http://h:1", "http://h:1/debug/pprof/trace?seconds=7"},
        {"http://h:1/", "http://h:1/debug/pprof/trace?seconds=7"},
        {"http://h:1/debug/pprof", "http://h:1/debug/pprof/trace?seconds=7"},
        {"http://h:1/debug/pprof/", "http://h:1/debug/pprof/trace?seconds=7"},
        {"https://h/x/trace", "https://h/x/trace?seconds=7"},
        {"http://h/t?a=b", "http://h/t?a=b&seconds=7"},
        {"http://h/t?seconds=2", "http://h/t?seconds=2"},
        {"http://h?seconds=2#f", "http://h/debug/pprof/trace?seconds=2"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char out[200];
        gl_pprof_address(pairs[i][0], 7, out, sizeof out);
        assert_string_equal(out, pairs[i][1]);
    }
    assert_false(gl_pprof_is_address("httpx"));
    assert_true(gl_pprof_is_address("https://x"));
}

static void wall_clock_texts_keep_every_nanosecond(void **state)
{
    (void)state;
    char out[48];
    assert_string_equal(cli_wall_text(out, sizeof out, 1), "1970-01-01T00:00:00.000000001Z");
    assert_string_equal(cli_wall_text(out, sizeof out, -1), "1969-12-31T23:59:59.999999999Z");
    assert_string_equal(cli_wall_text(out, sizeof out, INT64_C(1795232512123456789)), "2026-11-21T03:41:52.123456789Z");
}

static void json_strings_are_valid_for_any_bytes(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    static cli_out out;
    cli_out_init(&out, fds[1]);
    cli_out_json_string(&out, "a\"\\\n\x01\x7f\xff" "µ\0b", 11);
    assert_int_equal(cli_out_finish(&out), 0);
    char got[100] = "";
    ssize_t n = read(fds[0], got, sizeof got - 1);
    assert_true(n > 0);
    got[n] = '\0';
    assert_string_equal(got, "\"a\\\"\\\\\\n\\u0001\\u007f\xef\xbf\xbdµ\\u0000b\"");
    close(fds[0]);
    close(fds[1]);
}

static void progress_lines_stay_inside_any_width(void **state)
{
    (void)state;
    char line[1024];
    cli_progress p = {.what = "importing a-file-with-a-rather-long-name-日本.trace"};
    for (size_t width = 1; width < 200; width++) {
        cli_progress_line(&p, 500, 1000, 2000000000, width, line, sizeof line);
        assert_true(gl_text_width(line, strlen(line)) <= width);
    }
    assert_non_null(strstr(line, "50 %"));
    assert_non_null(strstr(line, "left"));
    cli_progress_line(&p, UINT64_MAX, 0, 1, 80, line, sizeof line);
    cli_progress_line(&p, 1, UINT64_MAX, 1000000000, 80, line, sizeof line);
    assert_true(gl_text_width(line, strlen(line)) <= 80);
}

/* Every option of the table is in its command's help, page and completions; nothing is said twice. */
static void the_table_is_told_in_full(void **state)
{
    (void)state;
    gl_text bash = {0}, zsh = {0}, fish = {0};
    cli_help_completion("bash", &bash);
    cli_help_completion("zsh", &zsh);
    cli_help_completion("fish", &fish);
    for (size_t i = 0; i < cli_command_count; i++) {
        const cli_command *c = cli_commands[i];
        gl_text help = {0}, page = {0};
        cli_help_text(c, 80, &help);
        cli_help_scdoc(c, &page);
        assert_true(c->option_count <= CLI_COMMAND_OPTIONS_MAX);
        for (size_t k = 0; k < c->option_count; k++) {
            char long_name[64], in_page[64], in_fish[200];
            const cli_option *o = &cli_options[c->options[k]];
            assert_non_null(o->name);
            assert_non_null(o->help);
            assert_true((o->kind == CLI_FLAG) == (o->value == NULL));
            snprintf(long_name, sizeof long_name, "--%s", o->name);
            snprintf(in_page, sizeof in_page, "*--%s*", o->name);
            snprintf(in_fish, sizeof in_fish, "from %s' -l %s", c->name, o->name);
            assert_non_null(strstr(help.bytes, long_name));
            assert_non_null(strstr(page.bytes, in_page));
            assert_non_null(strstr(bash.bytes, long_name));
            assert_non_null(strstr(zsh.bytes, long_name));
            assert_non_null(strstr(fish.bytes, in_fish));
            for (size_t other = 0; other < k; other++) {
                assert_string_not_equal(cli_options[c->options[other]].name, o->name);
                assert_true(!o->letter || cli_options[c->options[other]].letter != o->letter);
            }
        }
        gl_text_clean_up(&help);
        gl_text_clean_up(&page);
    }
    gl_text_clean_up(&bash);
    gl_text_clean_up(&zsh);
    gl_text_clean_up(&fish);
}

static void help_fits_any_width(void **state)
{
    (void)state;
    for (size_t width = 60; width <= 120; width += 20)
        for (size_t i = 0; i < cli_command_count; i++) {
            gl_text help = {0};
            cli_help_text(cli_commands[i], width, &help);
            char *examples = strstr(help.bytes, "\nExamples\n"); /* those are lines to copy, whatever their length */
            if (examples)
                *examples = '\0';
            for (char *line = strtok(help.bytes, "\n"); line; line = strtok(NULL, "\n"))
                if (gl_text_width(line, strlen(line)) > width)
                    fail_msg("%s, width %zu: '%s'", cli_commands[i]->name, width, line);
            gl_text_clean_up(&help);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_take_units_and_fractions),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(numbers_are_digits_that_fit),
        cmocka_unit_test(types_are_names_or_operations),
        cmocka_unit_test(a_mistyped_type_is_told_what_is_near),
        cmocka_unit_test(patterns_remember_and_agree_with_themselves),
        cmocka_unit_test(a_wrong_pattern_says_where),
        cmocka_unit_test(a_pattern_that_never_ends_gives_up),
        cmocka_unit_test(sniffing_names_what_people_hand_in),
        cmocka_unit_test(addresses_get_a_path_and_seconds),
        cmocka_unit_test(wall_clock_texts_keep_every_nanosecond),
        cmocka_unit_test(json_strings_are_valid_for_any_bytes),
        cmocka_unit_test(progress_lines_stay_inside_any_width),
        cmocka_unit_test(the_table_is_told_in_full),
        cmocka_unit_test(help_fits_any_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
