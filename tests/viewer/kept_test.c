/* The configuration, what is kept of a trace, the statistics of a selection, the way to an editor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "command.h"
#include "config.h"
#include "edit.h"
#include "scene.h"
#include "store.h"

#define US INT64_C(1000)

static gl_reader *reader;

static int open_app(void **state)
{
    *state = scene_app(reader, "chans", "dark", false, 100, 30);
    return 0;
}

static void a_configuration_gives_keys_theme_and_columns(void **state)
{
    gl_app *a = *state;
    gl_config *c = calloc(1, sizeof *c);
    gl_error err = {0};
    assert_int_equal(gl_config_parse(c, "; mine\n[view]\ntheme = safe\ncurves = none\norder = id\neditor = nvim -R\n"
                                        "[keys]\nnext-pause = W s\nquit =\n"
                                        "[columns]\npauses = lasted, reason\n"
                                        "[source]\n/build = /home/me\n", &err), 0);
    assert_string_equal(c->theme->name, "safe");
    gl_app_configure(a, c);
    assert_int_equal(a->layout.heap.h, 0);
    assert_int_equal(a->lanes.order, GL_ORDER_ID);
    assert_string_equal(gl_app_command_by_key(a, 'W')->name, "next-pause");
    assert_string_equal(gl_app_command_by_key(a, 's')->name, "next-pause"); /* taken from next-straddle */
    assert_null(gl_app_command_by_key(a, 'p'));
    assert_null(gl_app_command_by_key(a, 'q'));
    scene_press(a, "Home W");
    assert_int_equal(a->cursor, 2500 * US);
    /* What the status line and the help say is what the keys do. */
    scene_says(a, "? keys  S straddle  W/P pause  +/- zoom");
    char keys[GL_KEYS_TEXT_MAX];
    assert_string_equal(gl_app_keys(a, gl_command_by_name("next-pause", 10), keys), "W s");
    assert_string_equal(gl_app_keys(a, gl_command_by_name("next-straddle", 13), keys), "");
    assert_string_equal(gl_app_key_of(a, "quit", keys), "");
    assert_string_equal(gl_app_key_of(a, "zoom out of this", keys), "");
    scene_press(a, "6");
    scene_says(a, "reason");
    gl_text t = scene_text(a);
    assert_null(strstr(t.bytes, "stopped by  "));
    gl_text_clean_up(&t);
    scene_press(a, "?");
    for (int i = 0; i < 8; i++)
        scene_press(a, "PageUp");
    char file[100];
    gl_config_source(c, "/build/x/main.go", file, sizeof file);
    assert_string_equal(file, "/home/me/x/main.go");
    gl_config_source(c, "/elsewhere/main.go", file, sizeof file);
    assert_string_equal(file, "/elsewhere/main.go");
    assert_string_equal(gl_edit_command(c), "nvim -R");
    a->config = NULL;
    gl_config_clean_up(c);
    free(c);
}

static void a_wrong_configuration_says_in_which_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[view]\ntheme = pink\n", "line 2: there is no theme pink"},
        {"[keys]\n\nnext-pasue = p\n", "line 3: there is no command next-pasue"},
        {"[keys]\nnext-pause = Strg-p\n", "line 2: Strg-p is no key"},
        {"[columns]\npauses = colour\n", "has no column colour"},
        {"[columns]\nlanes = g\n", "there is no list lanes"},
        {"[colours]\na = b\n", "there is no section [colours]"},
        {"theme = dark\n", "before the first section"},
        {"[view]\nnonsense\n", "line 2: it is neither"},
        {"[view]\ncolumns = 3\n", "[view] has no columns"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gl_config *c = calloc(1, sizeof *c);
        gl_error err = {0};
        assert_int_equal(gl_config_parse(c, cases[i].text, &err), GL_E_USAGE);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s", err.text);
        gl_config_clean_up(c);
        free(c);
    }
}

static void what_was_kept_is_there_again(void **state)
{
    gl_app *a = *state;
    gl_text kept = {0};
    gl_store_read(a, "");
    assert_false(gl_store_is_changed(a));
    gl_app_go(a, 4000 * US);
    gl_app_command(a, "bookmark why it waits");
    gl_app_go_lane(a, gl_model_find(a->m, 30));
    scene_press(a, "T o");
    assert_true(gl_store_is_changed(a));
    gl_store_write(a, &kept);
    gl_app *b = scene_app(reader, "chans", "dark", false, 100, 30);
    gl_store_read(b, kept.bytes);
    assert_false(gl_store_is_changed(b));
    assert_int_equal(b->bookmarks.n, 1);
    assert_int_equal(b->lanes.order, a->lanes.order);
    assert_int_equal(b->lanes.pins, 1);
    assert_int_equal(b->lanes.rows[0].index, gl_model_find(b->m, 30));
    gl_app_command(b, "jump why it waits");
    assert_int_equal(b->cursor, 4000 * US);
    gl_app_command(b, "unmark why it waits");
    assert_true(gl_store_is_changed(b));
    gl_app_close(b);
    gl_text_clean_up(&kept);
}

static void what_another_version_kept_does_no_harm(void **state)
{
    gl_app *a = *state;
    gl_store_read(a, "[bookmarks]\nfine = 1000 0 5000 1\nfar = 99999999999999 0 5 1\nbad = x\nback = 5 9 1 0\n"
                     "[lanes]\ngroup = colour\norder = 5\npinned = 30 77777 x\n[else]\na = b\nnonsense\n");
    assert_int_equal(a->bookmarks.n, 1);
    assert_int_equal(a->lanes.pins, 1);
    gl_store_read(a, "\x01\xff[[[==\n\n=\n");
    assert_int_equal(a->bookmarks.n, 1);
}

static const gl_stats_row *row_of(const gl_app *a, const char *group, const char *reason, unsigned state)
{
    for (size_t i = 0; i < a->stats.n; i++) {
        const gl_stats_row *r = &a->stats.rows[i];
        if (strcmp(gl_model_group_name(a->m, r->group), group) == 0 && r->state == state &&
            (!reason || strcmp(gl_model_text(a->m, r->reason), reason) == 0))
            return r;
    }
    return NULL;
}

static void a_selection_has_statistics_by_group_and_state(void **state)
{
    gl_app *a = *state;
    gl_app_go(a, 2000 * US);
    scene_press(a, "v");
    gl_app_go(a, 5000 * US);
    scene_press(a, "%");
    assert_int_equal(a->view, GL_VIEW_SELECTION);
    const gl_stats_row *r = row_of(a, "main.producer", "chan send", GL_G_WAITING);
    assert_non_null(r);
    assert_int_equal(r->ns, 1900 * US); /* from 2.11 to 4.01 ms */
    assert_int_equal(r->n, 1);
    r = row_of(a, "main.producer", NULL, GL_G_RUNNING);
    assert_int_equal(r->ns, 910 * US); /* 2.0 to 2.11 and 4.2 to 5.0 */
    assert_int_equal(r->n, 2);
    assert_int_equal(r->longest, 800 * US);
    r = row_of(a, "main.waiter", "chan receive", GL_G_WAITING);
    assert_int_equal(r->ns, 3000 * US);
    scene_says(a, "(3.00 ms), parts inside it count");
    /* Everything together is the selection, for each of the four goroutines that live through it. */
    int64_t sum = 0;
    for (size_t i = 0; i < a->stats.n; i++)
        sum += a->stats.rows[i].ns;
    assert_int_equal(sum, 4 * 3000 * US);
    scene_press(a, "Enter");
    assert_int_equal(a->view, GL_VIEW_GOROUTINES);
}

static void percentiles_are_within_three_percent(void **state)
{
    (void)state;
    gl_model *m = NULL;
    gl_error err = {0};
    gl_stats s = {0};
    assert_int_equal(gl_model_open(reader, "chans", &m, &err), 0);
    assert_int_equal(gl_stats_begin(&s, m, 0, 10000 * US, &err), 0);
    while (gl_stats_step(&s, m, 1, &err) > 0)
        ;
    assert_true(s.n > 4);
    for (size_t i = 0; i < s.n; i++) {
        int64_t last = 0;
        for (double share = 0.01; share <= 1; share += 0.01) {
            int64_t p = gl_stats_percentile(&s.rows[i], share);
            assert_true(p >= last && p <= s.rows[i].longest);
            last = p;
        }
        assert_true(last >= s.rows[i].longest * 97 / 100);
        if (s.rows[i].n == 1)
            assert_in_range(gl_stats_percentile(&s.rows[i], 0.5), s.rows[i].ns * 97 / 100, s.rows[i].ns);
    }
    gl_stats_clean_up(&s);
    gl_model_close(m);
}

static void editors_are_called_as_they_want_it(void **state)
{
    (void)state;
    char room[200];
    const char *out[4];
    assert_int_equal(gl_edit_arguments("vim -R", "/src/a b.go", 12, room, sizeof room, out), 2);
    assert_string_equal(out[0], "+12");
    assert_string_equal(out[1], "/src/a b.go");
    assert_int_equal(gl_edit_arguments("/usr/bin/code --wait", "/src/a.go", 12, room, sizeof room, out), 2);
    assert_string_equal(out[0], "--goto");
    assert_string_equal(out[1], "/src/a.go:12");
    assert_int_equal(gl_edit_arguments("hx", "/src/a.go", 12, room, sizeof room, out), 1);
    assert_string_equal(out[0], "/src/a.go:12");
    assert_int_equal(gl_edit_run("sh -c 'exit 3'", "/dev/null", 1), 3);
    assert_int_equal(gl_edit_run("/no/such/editor 2>/dev/null", "/dev/null", 1), 127);
}

static void a_drag_along_the_ruler_selects(void **state)
{
    gl_app *a = *state;
    int y = a->layout.ruler.y, x = a->layout.gutter;
    gl_app_mouse(a, GL_MOUSE_PRESS, x + 10, y);
    assert_int_equal(a->anchor, GL_TIME_NONE);
    gl_app_mouse(a, GL_MOUSE_DRAG, x + 30, y);
    gl_app_mouse(a, GL_MOUSE_RELEASE, x + 30, y);
    assert_int_equal(a->anchor, gl_scale_time(gl_app_scale(a), 10));
    assert_int_equal(a->cursor, gl_scale_time(gl_app_scale(a), 30));
    scene_says(a, "Δ ");
    gl_app_mouse(a, GL_MOUSE_PRESS, x + 40, y);
    gl_app_mouse(a, GL_MOUSE_RELEASE, x + 40, y);
    assert_int_equal(a->anchor, GL_TIME_NONE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_app, scene_close_app)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_configuration_gives_keys_theme_and_columns),
        cmocka_unit_test(a_wrong_configuration_says_in_which_line),
        TEST(what_was_kept_is_there_again),
        TEST(what_another_version_kept_does_no_harm),
        TEST(a_selection_has_statistics_by_group_and_state),
        cmocka_unit_test(percentiles_are_within_three_percent),
        cmocka_unit_test(editors_are_called_as_they_want_it),
        TEST(a_drag_along_the_ruler_selects),
    };
    reader = scene_open("chans");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gl_reader_close(reader);
    return failed;
}
