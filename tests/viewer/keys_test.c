/* Key scripts without a terminal, and the command table that they come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "command.h"
#include "scene.h"

#define US INT64_C(1000)

static gl_reader *reader;

static int open_app(void **state)
{
    *state = scene_app(reader, "made", "dark", false, 100, 30);
    return 0;
}

static void every_key_belongs_to_one_command(void **state)
{
    (void)state;
    for (size_t i = 0; gl_command_at(i); i++) {
        const gl_command *c = gl_command_at(i);
        assert_ptr_equal(gl_command_by_name(c->name, strlen(c->name)), c);
        assert_true(*c->help && *c->keys);
        for (const char *at = c->keys; *at;) {
            size_t n = strcspn(at, " ");
            int key = gl_key_by_name(at, n);
            assert_int_not_equal(key, 0);
            if (gl_command_by_key(key) != c)
                fail_msg("%.*s is a key of %s and of %s", (int)n, at, c->name, gl_command_by_key(key)->name);
            at += n + (at[n] == ' ');
        }
    }
    assert_int_equal(gl_key_by_name("NoSuchKey", 9), 0);
    assert_int_equal(gl_key_by_name("", 0), 0);
    assert_int_equal(gl_key_by_name("C-l", 3), 12);
}

static void the_first_look_falls_on_the_worst_straddle(void **state)
{
    gl_app *a = *state;
    assert_int_equal(a->cursor, 2000 * US);
    assert_int_equal(a->row.index, gl_model_find(a->m, 10));
    scene_says(a, "1 straddling send");
    scene_says(a, "straddles GC sweep termination: 500 µs inside the pause, ran 500 µs after the restart");
    scene_says(a, "released by G20 main.worker");
}

static void zooming_keeps_the_cursor_where_it_is(void **state)
{
    gl_app *a = *state;
    gl_scale s = gl_app_scale(a);
    int column = gl_scale_column(s, a->cursor);
    for (int i = 0; i < 10; i++) {
        scene_press(a, "+");
        assert_int_equal(a->cursor, 2000 * US);
        assert_in_range(gl_scale_column(gl_app_scale(a), a->cursor), column - 1, column + 1);
    }
    for (int i = 0; i < 40; i++)
        scene_press(a, "-");
    assert_int_equal(a->from, a->m->begin);
    assert_int_equal(a->to, a->m->end);
    for (int i = 0; i < 200; i++)
        scene_press(a, "+");
    assert_true(a->to - a->from >= 10);
}

static void panning_never_leaves_the_trace(void **state)
{
    gl_app *a = *state;
    scene_press(a, "+ + + +");
    int64_t span = a->to - a->from;
    for (int i = 0; i < 60; i++)
        scene_press(a, "d");
    assert_int_equal(a->to, a->m->end);
    assert_int_equal(a->to - a->from, span);
    for (int i = 0; i < 60; i++)
        scene_press(a, "a");
    assert_int_equal(a->from, a->m->begin);
    scene_press(a, "End");
    assert_int_equal(a->cursor, a->m->end - 1);
    scene_press(a, "Home");
    assert_int_equal(a->cursor, a->m->begin);
}

static void jumps_go_from_pause_to_pause_and_undo_comes_back(void **state)
{
    gl_app *a = *state;
    scene_press(a, "p");
    assert_int_equal(a->cursor, 6000 * US);
    scene_press(a, "p");
    assert_int_equal(a->cursor, 8000 * US);
    scene_press(a, "p");
    scene_says(a, "no pause after this moment");
    scene_press(a, "P");
    assert_int_equal(a->cursor, 6000 * US);
    scene_press(a, "u");
    assert_int_equal(a->cursor, 8000 * US);
    scene_press(a, "u u");
    assert_int_equal(a->cursor, 2000 * US);
    scene_press(a, "U");
    assert_int_equal(a->cursor, 6000 * US);
}

static void back_goes_to_the_waker_when_it_woke(void **state)
{
    gl_app *a = *state;
    scene_press(a, "b");
    assert_int_equal(a->row.index, gl_model_find(a->m, 20));
    assert_int_equal(a->cursor, 2700 * US - 1);
    scene_says(a, "G20 main.worker  running");
    scene_press(a, "B");
    assert_int_equal(a->row.index, gl_model_find(a->m, 10));
    assert_int_equal(a->cursor, 2700 * US);
}

static void straddle_keys_find_it_from_anywhere(void **state)
{
    gl_app *a = *state;
    scene_press(a, "Home > s");
    assert_int_equal(a->cursor, 2000 * US);
    assert_int_equal(a->row.index, gl_model_find(a->m, 10));
    scene_press(a, "s");
    scene_says(a, "no straddling send after this one");
    scene_press(a, "End S");
    assert_int_equal(a->cursor, 2000 * US);
    scene_press(a, "X");
    assert_true(a->to - a->from < 3000 * US);
}

static void lists_lead_to_the_moment_of_their_row(void **state)
{
    gl_app *a = *state;
    scene_press(a, "6 Down Enter");
    assert_int_equal(a->view, GL_VIEW_GOROUTINES);
    assert_int_equal(a->cursor, 8000 * US);
    scene_press(a, "7");
    scene_says(a, "chan receive");
    scene_says(a, "main.worker main.go:42");
    scene_press(a, "Enter");
    assert_int_equal(a->row.index, gl_model_find(a->m, 21));
    assert_int_equal(a->cursor, 1000 * US);
    scene_says(a, "never released in this trace");
    scene_press(a, "8 Enter 5 Enter");
    assert_int_equal(a->cursor, 2000 * US);
}

static void go_takes_times_goroutines_and_functions(void **state)
{
    gl_app *a = *state;
    gl_app_go_text(a, "7.25ms");
    assert_int_equal(a->cursor, 7250 * US);
    gl_app_go_text(a, "G21");
    assert_int_equal(a->row.index, gl_model_find(a->m, 21));
    gl_app_go_text(a, "main.main");
    assert_int_equal(a->row.index, gl_model_find(a->m, 1));
    gl_app_go_text(a, "1e300s");
    gl_app_go_text(a, "nonsense(");
    assert_true(a->message_is_error);
    gl_app_go_text(a, "G999");
    assert_true(a->message_is_error);
    gl_app_go_text(a, "99999s");
    assert_in_range(a->cursor, a->m->end - 1, a->m->end);
}

static void a_search_finds_events_and_walks_through_them(void **state)
{
    gl_app *a = *state;
    scene_press(a, "/ i n d e x Space o u t Enter");
    assert_int_equal(a->search.found, 1);
    scene_press(a, "Home n");
    assert_int_equal(a->cursor, 9000 * US);
    assert_int_equal(a->row.index, gl_model_find(a->m, 20));
    scene_press(a, "n");
    scene_says(a, "no match after this moment");
    scene_press(a, "/ ( Enter");
    assert_true(a->message_is_error);
    assert_int_equal(a->search.found, 1);
}

static void filters_hide_lanes_and_escape_shows_them_again(void **state)
{
    gl_app *a = *state;
    size_t all = a->lanes.n;
    gl_app_command(a, "filter worker");
    assert_int_equal(a->lanes.gor_count, 2);
    scene_says(a, "filter worker: 2 of 5");
    gl_app_command(a, "filter G10");
    assert_int_equal(a->lanes.gor_count, 1);
    gl_app_command(a, "filter [");
    assert_true(a->message_is_error);
    assert_int_equal(a->lanes.gor_count, 1);
    scene_press(a, "Esc");
    assert_int_equal(a->lanes.n, all);
    gl_app_go_lane(a, gl_model_find(a->m, 10));
    scene_press(a, "r");
    assert_int_equal(a->lanes.gor_count, 3); /* G10, its creator, who released it */
}

static void marks_are_remembered(void **state)
{
    gl_app *a = *state;
    scene_press(a, "p m x Home ' x");
    assert_int_equal(a->cursor, 6000 * US);
    scene_press(a, "' y");
    assert_true(a->message_is_error);
    scene_press(a, "m 1");
    assert_true(a->message_is_error);
}

static void the_prompt_knows_every_command_and_says_what_it_does_not(void **state)
{
    gl_app *a = *state;
    scene_press(a, ": p a u s e s Enter");
    assert_true(a->message_is_error);
    scene_press(a, ": v i e w Space p a u s e s Enter");
    assert_int_equal(a->view, GL_VIEW_PAUSES);
    scene_press(a, ": t h e m e Space m o n o Enter");
    assert_string_equal(a->theme->name, "mono");
    assert_true(a->plain);
    scene_press(a, ": x Backspace Backspace");
    assert_int_equal(a->prompt, GL_PROMPT_NONE);
    scene_press(a, ": q u i t Enter");
    assert_true(a->quit);
}

static void help_shows_every_command(void **state)
{
    gl_app *a = *state;
    gl_app_resize(a, 120, 100);
    scene_press(a, "?");
    for (size_t i = 0; gl_command_at(i); i++)
        scene_says(a, gl_command_at(i)->name);
    scene_press(a, "s");
    assert_false(a->help);
    assert_int_equal(a->cursor, 2000 * US);
}

static void the_mouse_points_zooms_and_drags(void **state)
{
    gl_app *a = *state;
    gl_rect time = gl_layout_time(&a->layout, a->layout.lanes);
    gl_app_mouse(a, GL_MOUSE_PRESS, time.x + 10, time.y + 2);
    assert_int_equal(a->at, a->top + 2);
    assert_int_equal(gl_scale_column(gl_app_scale(a), a->cursor), 10);
    gl_app_mouse(a, GL_MOUSE_RELEASE, time.x + 10, time.y + 2);
    int64_t under = gl_scale_time(gl_app_scale(a), 40), span = a->to - a->from;
    gl_app_mouse(a, GL_MOUSE_WHEEL_UP, time.x + 40, time.y + 1);
    assert_true(a->to - a->from < span);
    assert_in_range(gl_scale_column(gl_app_scale(a), under), 39, 41);
    int64_t from = a->from;
    gl_app_mouse(a, GL_MOUSE_PRESS, time.x + 40, time.y + 1);
    gl_app_mouse(a, GL_MOUSE_DRAG, time.x + 20, time.y + 1);
    assert_true(a->from > from);
    gl_app_mouse(a, GL_MOUSE_RELEASE, time.x + 20, time.y + 1);
    from = a->from;
    gl_app_mouse(a, GL_MOUSE_DRAG, time.x + 60, time.y + 1);
    assert_int_equal(a->from, from);
    gl_rect map = gl_layout_time(&a->layout, a->layout.map);
    gl_app_mouse(a, GL_MOUSE_PRESS, map.x + map.w - 1, map.y);
    assert_true(a->to > 9 * 1000 * US);
    gl_app_mouse(a, GL_MOUSE_PRESS, -5, 9999);
}

static void a_wrong_line_is_there_again_to_be_mended(void **state)
{
    gl_app *a = *state;
    scene_press(a, "/ s t ( Enter");
    assert_true(a->message_is_error);
    scene_press(a, "/ Up");
    assert_string_equal(a->prompt_text, "st(");
    scene_press(a, "Backspace Enter");
    assert_string_equal(a->search.text, "st");
    scene_press(a, "f Up"); /* each prompt has its own */
    assert_string_equal(a->prompt_text, "");
    scene_press(a, "Esc / Up Down");
    assert_string_equal(a->prompt_text, "");
    scene_press(a, "Enter");
}

static void the_cursor_stays_in_the_window_however_small_the_screen(void **state)
{
    gl_app *a = *state;
    gl_app_show(a, 2000 * US, 6000 * US);
    gl_app_go(a, 2100 * US);
    gl_app_resize(a, 1, 1);
    static const char *const presses[] = {"Left", "a", "Left", "Left", "a", "Right", "Right", "d", "Right"};
    for (size_t i = 0; i < sizeof presses / sizeof *presses; i++) {
        scene_press(a, presses[i]);
        assert_true(a->cursor >= a->from && a->cursor < a->to);
    }
}

static void lanes_hold_still_while_panning_and_zooming(void **state)
{
    gl_app *a = *state;
    gl_row before[16];
    size_t n = a->lanes.n;
    assert_true(n <= 16);
    memcpy(before, a->lanes.rows, n * sizeof *before);
    scene_press(a, "+ + d d a - x 0 p p P s S Right Left h l");
    assert_int_equal(a->lanes.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(before[i].type, a->lanes.rows[i].type);
        assert_int_equal(before[i].index, a->lanes.rows[i].index);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_app, scene_close_app)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_key_belongs_to_one_command),
        TEST(the_first_look_falls_on_the_worst_straddle),
        TEST(zooming_keeps_the_cursor_where_it_is),
        TEST(panning_never_leaves_the_trace),
        TEST(jumps_go_from_pause_to_pause_and_undo_comes_back),
        TEST(back_goes_to_the_waker_when_it_woke),
        TEST(straddle_keys_find_it_from_anywhere),
        TEST(lists_lead_to_the_moment_of_their_row),
        TEST(go_takes_times_goroutines_and_functions),
        TEST(a_search_finds_events_and_walks_through_them),
        TEST(filters_hide_lanes_and_escape_shows_them_again),
        TEST(marks_are_remembered),
        TEST(the_prompt_knows_every_command_and_says_what_it_does_not),
        TEST(help_shows_every_command),
        TEST(the_mouse_points_zooms_and_drags),
        TEST(a_wrong_line_is_there_again_to_be_mended),
        TEST(the_cursor_stays_in_the_window_however_small_the_screen),
        TEST(lanes_hold_still_while_panning_and_zooming),
    };
    reader = scene_open("made");
    int failed = reader ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    gl_reader_close(reader);
    return failed;
}
