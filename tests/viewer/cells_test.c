/* The grid of cells and what is made from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cells.h"
#include "kinds.h"

static const gl_style plain = {GL_ROLE_DEFAULT, GL_ROLE_DEFAULT, 0};

static void row_is(const gl_cells *c, const char *want)
{
    gl_text t = {0};
    gl_cells_text(c, &t);
    assert_string_equal(t.bytes, want);
    gl_text_clean_up(&t);
}

static int put(gl_cells *c, int x, const char *s) { return gl_cells_put(c, x, 0, c->w, plain, s, strlen(s)); }

static void text_is_clipped_at_the_edge(void **state)
{
    (void)state;
    gl_cells c = {0};
    assert_int_equal(gl_cells_resize(&c, 5, 1), 0);
    assert_int_equal(put(&c, 3, "abc"), 2);
    row_is(&c, "   ab\n");
    assert_int_equal(put(&c, 7, "x"), 0);
    assert_int_equal(gl_cells_put(&c, 0, 1, 5, plain, "x", 1), 0);
    assert_int_equal(gl_cells_put(&c, -1, 0, 5, plain, "x", 1), 0);
    gl_cells_clean_up(&c);
}

static void wide_characters_take_two_cells_and_are_never_halved(void **state)
{
    (void)state;
    gl_cells c = {0};
    assert_int_equal(gl_cells_resize(&c, 5, 1), 0);
    assert_int_equal(put(&c, 0, "世界x"), 5);
    row_is(&c, "世界x\n");
    assert_int_equal(gl_cells_at(&c, 0, 0)->width, 2);
    assert_int_equal(gl_cells_at(&c, 1, 0)->width, 0);
    put(&c, 1, "y");
    row_is(&c, " y界x\n");
    put(&c, 2, "z");
    row_is(&c, " yz x\n");
    gl_cells_blank(&c);
    assert_int_equal(put(&c, 0, "ab世世"), 5);
    row_is(&c, "ab世\n");
    gl_cells_clean_up(&c);
}

static void combining_characters_join_the_cell_before(void **state)
{
    (void)state;
    gl_cells c = {0};
    assert_int_equal(gl_cells_resize(&c, 4, 1), 0);
    assert_int_equal(put(&c, 0, "e\xcc\x81z"), 2);
    row_is(&c, "e\xcc\x81z\n");
    assert_string_equal(gl_cells_at(&c, 0, 0)->text, "e\xcc\x81");
    /* More of them than a cell holds are left out, never written past it. */
    gl_cells_blank(&c);
    put(&c, 0, "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81z");
    assert_true(strlen(gl_cells_at(&c, 0, 0)->text) < GL_CELL_BYTES);
    assert_string_equal(gl_cells_at(&c, 1, 0)->text, "z");
    gl_cells_clean_up(&c);
}

static void a_trace_cannot_talk_to_the_terminal(void **state)
{
    (void)state;
    gl_cells c = {0};
    assert_int_equal(gl_cells_resize(&c, 12, 1), 0);
    assert_int_equal(put(&c, 0, "\x1b[2Ja\xff\xc2\x9b\xe2\x80\xae" "b"), 9);
    row_is(&c, "�[2Ja���b\n");
    gl_cells_clean_up(&c);
}

static void ascii_grids_hold_ascii_only(void **state)
{
    (void)state;
    gl_cells c = {.ascii = true};
    gl_text t = {0};
    assert_int_equal(gl_cells_resize(&c, 40, 1), 0);
    put(&c, 0, "█▓░━─╌═│▸▾●→←×…µé世\x1b");
    gl_cells_text(&c, &t);
    for (size_t i = 0; i < t.n; i++)
        assert_in_range((unsigned char)t.bytes[i], 1, 126);
    assert_non_null(strstr(t.bytes, "#X:=-~%|>vo><x~u"));
    gl_text_clean_up(&t);
    gl_cells_clean_up(&c);
}

static void cut_text_says_so(void **state)
{
    (void)state;
    gl_cells c = {0};
    assert_int_equal(gl_cells_resize(&c, 8, 1), 0);
    gl_cells_fit(&c, 0, 0, 6, plain, "main.producer", GL_CUT_START);
    row_is(&c, "…ducer\n");
    gl_cells_blank(&c);
    gl_cells_fit_right(&c, 0, 0, 8, plain, "12 ms");
    row_is(&c, "   12 ms\n");
    gl_cells_clean_up(&c);
}

static void pictures_carry_colours_and_escape_text(void **state)
{
    (void)state;
    gl_cells c = {0};
    gl_text ansi = {0}, svg = {0}, html = {0};
    const gl_theme *dark = gl_theme_by_name("dark");
    assert_int_equal(gl_cells_resize(&c, 4, 1), 0);
    gl_cells_put(&c, 0, 0, 4, gl_style_on(GL_ROLE_STRADDLE, GL_ROLE_STW_BAND), "<&█", 5);
    gl_cells_ansi(&c, dark, &ansi);
    gl_cells_svg(&c, dark, &svg);
    gl_cells_html(&c, dark, "a<b", &html);
    assert_non_null(strstr(ansi.bytes, "\x1b[0;38;2;255;212;59;48;2;75;28;34m<&█"));
    assert_non_null(strstr(svg.bytes, "&lt;"));
    assert_non_null(strstr(svg.bytes, "#ffd43b"));
    assert_null(strstr(svg.bytes, ">█<"));
    assert_non_null(strstr(html.bytes, "<title>a&lt;b</title>"));
    assert_non_null(strstr(html.bytes, "&lt;&amp;█"));
    gl_text_clean_up(&ansi);
    gl_cells_ansi(&c, gl_theme_by_name("mono"), &ansi);
    assert_null(strstr(ansi.bytes, ";38;"));
    gl_text_clean_up(&ansi);
    gl_text_clean_up(&svg);
    gl_text_clean_up(&html);
    gl_cells_clean_up(&c);
}

/* Without colour, and without Unicode, glyphs alone tell kinds apart. */
static void every_kind_has_a_glyph_of_its_own(void **state)
{
    (void)state;
    for (int ascii = 0; ascii < 2; ascii++) {
        gl_cells c = {.ascii = ascii};
        assert_int_equal(gl_cells_resize(&c, GL_SPAN_KINDS, 1), 0);
        for (int k = 0; k < GL_SPAN_KINDS; k++)
            gl_cells_glyph(&c, k, 0, gl_style_of(GL_ROLE_DEFAULT), gl_span_look_of((gl_span_kind)k)->glyph);
        for (int k = 0; k < GL_SPAN_KINDS; k++)
            for (int other = 0; other < k; other++)
                assert_string_not_equal(gl_cells_at(&c, k, 0)->text, gl_cells_at(&c, other, 0)->text);
        gl_cells_clean_up(&c);
    }
}

/* On eight colours text that stands back is not black on black. */
static void eight_colours_can_be_read(void **state)
{
    (void)state;
    for (int role = 0; role < GL_ROLES; role++) {
        int i = gl_theme_index8((gl_role)role);
        assert_in_range(i + 1, 0, 8);
        if (role != GL_ROLE_STRADDLE_INK)
            assert_int_not_equal(i, 0);
    }
    assert_int_equal(gl_theme_index8(GL_ROLE_DIM), -1);
    assert_int_equal(gl_theme_index8(GL_ROLE_ROW), 4);
    assert_int_equal(gl_theme_index8(GL_ROLE_STW), 1);
}

static void themes_follow_the_terminal(void **state)
{
    (void)state;
    unsetenv("NO_COLOR");
    unsetenv("COLORFGBG");
    assert_string_equal(gl_theme_default(256)->name, "dark");
    assert_string_equal(gl_theme_default(8)->name, "16");
    assert_string_equal(gl_theme_default(0)->name, "mono");
    setenv("COLORFGBG", "0;15", 1);
    assert_string_equal(gl_theme_default(256)->name, "light");
    setenv("NO_COLOR", "1", 1);
    assert_string_equal(gl_theme_default(256)->name, "mono");
    unsetenv("NO_COLOR");
    unsetenv("COLORFGBG");
    assert_null(gl_theme_by_name("none such"));
    for (int r = 1; r < GL_ROLES; r++)
        assert_in_range(gl_theme_index256(gl_theme_by_name("dark"), (gl_role)r), 16, 255);
    assert_int_equal(gl_theme_index256(gl_theme_by_name("dark"), GL_ROLE_DEFAULT), -1);
}

/* What must be told apart at a glance differs by enough in every theme with colours. */
static void straddles_and_pauses_stand_out_in_every_theme(void **state)
{
    (void)state;
    static const gl_role apart[] = {GL_ROLE_DEFAULT, GL_ROLE_RUNNING,  GL_ROLE_RUNNABLE,
                                    GL_ROLE_SYSCALL, GL_ROLE_STW_BAND, GL_ROLE_SEND};
    for (size_t i = 0; gl_theme_at(i); i++)
        for (size_t k = 0; gl_theme_at(i)->depth == GL_DEPTH_RGB && k < sizeof apart / sizeof *apart; k++) {
            uint32_t a = gl_theme_rgb(gl_theme_at(i), GL_ROLE_STRADDLE), b = gl_theme_rgb(gl_theme_at(i), apart[k]);
            int d = abs((int)(a >> 16) - (int)(b >> 16)) + abs((int)(a >> 8 & 255) - (int)(b >> 8 & 255)) +
                    abs((int)(a & 255) - (int)(b & 255));
            assert_true(d > 80);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_clipped_at_the_edge),
        cmocka_unit_test(wide_characters_take_two_cells_and_are_never_halved),
        cmocka_unit_test(combining_characters_join_the_cell_before),
        cmocka_unit_test(a_trace_cannot_talk_to_the_terminal),
        cmocka_unit_test(ascii_grids_hold_ascii_only),
        cmocka_unit_test(cut_text_says_so),
        cmocka_unit_test(pictures_carry_colours_and_escape_text),
        cmocka_unit_test(every_kind_has_a_glyph_of_its_own),
        cmocka_unit_test(eight_colours_can_be_read),
        cmocka_unit_test(themes_follow_the_terminal),
        cmocka_unit_test(straddles_and_pauses_stand_out_in_every_theme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
