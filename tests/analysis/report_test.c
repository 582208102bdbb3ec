/* Both forms of the summary, from a trace made by hand whose names are as nasty as a trace's names can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "summary.h"
#include "text.h"

static uint32_t text(gl_dict *d, const char *s)
{
    uint32_t id;
    assert_int_equal(gl_dict_string(d, s, strlen(s), &id), 0);
    return id;
}

static uint32_t stack(gl_dict *d, const char *leaf, const char *root)
{
    const char *const names[] = {leaf, root};
    uint32_t frames[2], func, id;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gl_dict_func(d, (gl_func){text(d, names[i]), text(d, "/src/pipe.go")}, &func), 0);
        assert_int_equal(gl_dict_frame(d, (gl_frame){0, func, 41}, &frames[i]), 0);
    }
    assert_int_equal(gl_dict_stack(d, frames, 2, &id), 0);
    return id;
}

#define EV(t, kind, who, ...)                                                                                          \
    {                                                                                                                  \
        .time = t, .type = GL_EV_##kind, .g = who, .thread = GL_NO_THREAD, .p = 0, __VA_ARGS__                         \
    }
#define US INT64_C(1000)

static void feed(gl_dict *d, gl_summary *s)
{
    uint32_t send = text(d, "chan send"), mark = text(d, "GC mark termination"), evil = text(d, "\033[2J\xff\"evil\\");
    uint32_t send_stack = stack(d, "runtime.chansend1", "github.com/x/y.(*P).produce");
    uint32_t recv_stack = stack(d, "runtime.chanrecv2", "main.consumer");
    uint32_t evil_stack = stack(d, "main.\033]0;\x01\xfe", "main.\033]0;\x01\xfe");
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1, 0, UINT64_C(1795226445761000000)}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(0, ProcsChange, 1, .arg = {2}),
        EV(10 * US, GoCreate, 1, .arg = {7, GL_G_RUNNABLE, send_stack}),
        EV(11 * US, GoCreate, 1, .arg = {8, GL_G_RUNNABLE, evil_stack}),
        EV(20 * US, GoStart, 0, .arg = {7}),
        EV(100 * US, GoBlock, 7, .arg = {send}, .stack = send_stack),
        EV(120 * US, GoStart, 0, .arg = {8}),
        EV(130 * US, GoBlock, 8, .arg = {evil}, .stack = evil_stack),
        EV(200 * US, GCSTWBegin, 1, .arg = {mark}),
        EV(300 * US, GCSTWEnd, 1, .arg = {mark}),
        EV(320 * US, GoUnpark, 1, .arg = {7}, .stack = recv_stack),
        EV(340 * US, GoStart, 0, .arg = {7}),
        EV(400 * US, GoEnd, 7, .arg = {GL_G_RUNNING}),
        EV(500 * US, HeapLive, 1, .arg = {4096}),
    };
    assert_int_equal(gl_summary_sink(s, events, sizeof events / sizeof *events), 0);
}

static const gl_damage damage = {
    .offset = 77, .bytes = 10, .time_from = -1, .time_to = -1, .reason = "bad \033[31m byte"};
static const cli_summary_file file = {.name = "pi\033pe.trace",
                                      .size = 1000,
                                      .header_version = 26,
                                      .bytes_lost = 10,
                                      .damages = &damage,
                                      .damage_count = 1,
                                      .damages_in_all = 1};

static char *read_all(FILE *f)
{
    long n = ftell(f);
    assert_true(n > 0);
    char *s = calloc(1, (size_t)n + 1);
    assert_non_null(s);
    rewind(f);
    assert_int_equal(fread(s, 1, (size_t)n, f), (size_t)n);
    fclose(f);
    return s;
}

static char *page(unsigned width, bool colour)
{
    gl_dict *d = gl_dict_new();
    gl_summary *s = gl_summary_new(&(gl_summary_options){.dict = d});
    const gl_summary_result *r;
    feed(d, s);
    assert_int_equal(gl_summary_finish(s, &r), 0);
    FILE *f = tmpfile();
    assert_non_null(f);
    assert_true(cli_summary_text(f, d, &file, r, &(cli_summary_look){.width = width, .colour = colour, .utc = true}));
    gl_summary_destroy(s);
    gl_dict_destroy(d);
    return read_all(f);
}

static void the_page_says_what_is_lost_and_which_send_suffered(void **state)
{
    (void)state;
    char *s = page(80, false);
    const char *const parts[] = {
        "Go 1.26, 1000 B, 500 µs from 2026-11-21 02:00:45.761 UTC",
        "INCOMPLETE: 10 B of 1000 B could not be read (1.0 %)",
        "at byte 77: bad",
        "1 of 1 send that waited, by 1 goroutine; 100 µs inside pauses; 0 released",
        "y.(*P).produce",
        "pipe.go:41",
        "G1 receive",
        "GC mark termination  1",
        "WAITING AT THE END",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!strstr(s, parts[i]))
            fail_msg("no \"%s\" in:\n%s", parts[i], s);
    }
    assert_true(strstr(s, "INCOMPLETE") < strstr(s, "GOROUTINES"));
    free(s);
}

/* A recorder that found no room says so in the trace; the file is sound, its figures are those of a part all the same. */
static void what_a_recorder_lost_is_said_first(void **state)
{
    (void)state;
    gl_dict *d = gl_dict_new();
    gl_summary *s = gl_summary_new(&(gl_summary_options){.dict = d});
    const gl_summary_result *r;
    const gl_event lost = EV(900 * US, Lost, 0, .arg = {4321, 0, 950 * US, text(d, "no room in the ring")});
    feed(d, s);
    assert_int_equal(gl_summary_sink(s, &lost, 1), 0);
    assert_int_equal(gl_summary_finish(s, &r), 0);
    cli_summary_file sound = {.name = "run.lanes", .format = "golanes", .complete = true};
    cli_summary_file_losses(&sound, r);
    assert_false(sound.complete);
    FILE *f = tmpfile(), *j = tmpfile();
    assert_true(f && j && cli_summary_text(f, d, &sound, r, &(cli_summary_look){.width = 100, .utc = true}));
    char *page_text = read_all(f);
    assert_non_null(strstr(page_text, "INCOMPLETE: 4,321 events were lost while recording, at 1 place."));
    free(page_text);
    static cli_summary_json w;
    cli_summary_json_begin(&w, d, j);
    assert_true(cli_summary_json_end(&w, &sound, r, NULL));
    char *json_text = read_all(j);
    assert_non_null(strstr(json_text, "\"complete\":false,\"lost\":{\"bytes\":0,\"events\":4321,"));
    free(json_text);
    gl_summary_destroy(s);
    gl_dict_destroy(d);
}

static void no_line_is_too_wide_and_no_trace_talks_to_the_terminal(void **state)
{
    (void)state;
    for (unsigned width = 40; width <= 200; width += 7) {
        char *s = page(width, false);
        for (char *at = s; *at;) {
            size_t n = strcspn(at, "\n");
            if (gl_text_width(at, n) > width)
                fail_msg("%zu columns at width %u: %.*s", gl_text_width(at, n), width, (int)n, at);
            assert_true(n == 0 || at[n - 1] != ' ');
            for (size_t i = 0; i < n; i++)
                assert_true((unsigned char)at[i] >= 0x20 && at[i] != 0x7f);
            at += n + 1;
        }
        free(s);
    }
}

static void colour_only_where_asked_and_always_ended(void **state)
{
    (void)state;
    char *s = page(80, true);
    size_t on = 0, off = 0;
    for (char *at = s; (at = strchr(at, '\033')) != NULL; at++) {
        assert_int_equal(at[1], '[');
        *(strncmp(at, "\033[0m", 4) == 0 ? &off : &on) += 1;
    }
    assert_true(on > 5);
    assert_int_equal(on, off);
    free(s);
}

static void the_json_is_valid_whatever_the_names_hold(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    assert_non_null(f);
    gl_dict *d = gl_dict_new();
    static cli_summary_json w;
    cli_summary_json_begin(&w, d, f);
    gl_summary *s = gl_summary_new(
        &(gl_summary_options){.dict = d, .on_goroutine = cli_summary_json_goroutine, .goroutine_user = &w});
    const gl_summary_result *r;
    feed(d, s);
    assert_int_equal(gl_summary_finish(s, &r), 0);
    assert_true(cli_summary_json_end(&w, &file, r, NULL));
    gl_summary_destroy(s);
    gl_dict_destroy(d);
    char *text_of = read_all(f);
    json_error_t error;
    json_t *j = json_loads(text_of, JSON_REJECT_DUPLICATES, &error);
    if (!j)
        fail_msg("%s at %d: %s", error.text, error.position, text_of);
    free(text_of);
    assert_int_equal(json_array_size(json_object_get(j, "goroutines")), 3);
    json_int_t n, overlap;
    const char *operation;
    assert_int_equal(json_unpack(j, "{s:{s:I, s:[{s:I, s:n, s:{s:s}}]}}", "sends", "straddling", &n, "worst",
                                 "overlap_ns", &overlap, "channel", "released", "operation", &operation),
                     0);
    assert_int_equal(n, 1);
    assert_int_equal(overlap, 100 * US);
    assert_string_equal(operation, "receive");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "counts"), "GoCreate")), 2);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "counts"), "GCSTW")), 1);
    json_decref(j);
}

static void an_import_that_failed_still_gives_valid_json(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    assert_non_null(f);
    gl_dict *d = gl_dict_new();
    static cli_summary_json w;
    cli_summary_json_begin(&w, d, f);
    assert_true(cli_summary_json_end(&w, &file, NULL, "not a \"trace\""));
    gl_dict_destroy(d);
    char *s = read_all(f);
    json_t *j = json_loads(s, 0, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "error")), "not a \"trace\"");
    json_decref(j);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_what_is_lost_and_which_send_suffered),
        cmocka_unit_test(what_a_recorder_lost_is_said_first),
        cmocka_unit_test(no_line_is_too_wide_and_no_trace_talks_to_the_terminal),
        cmocka_unit_test(colour_only_where_asked_and_always_ended),
        cmocka_unit_test(the_json_is_valid_whatever_the_names_hold),
        cmocka_unit_test(an_import_that_failed_still_gives_valid_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
