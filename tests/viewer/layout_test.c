/* Properties of the layout over all sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "layout.h"

static bool inside(gl_rect r, int w, int h)
{
    return r.x >= 0 && r.y >= 0 && r.w >= 0 && r.h >= 0 && r.x + r.w <= w && r.y + r.h <= h;
}

static void check_size(int w, int h, bool table, gl_detail_size detail, gl_curves curves)
{
    gl_layout l = gl_layout_make(w, h, table, detail, curves);
    assert_int_equal(l.too_small, w < 20 || h < 5);
    if (l.too_small)
        return;
    const gl_rect rects[] = {l.header, l.map,   l.marks, l.ruler,  l.gc,   l.stw,   l.heap, l.counts,
                             l.lanes,  l.table, l.rule,  l.detail, l.side, l.status};
    unsigned char used[301] = {0}; /* by row: 1 the left part, 2 the right */
    for (size_t i = 0; i < sizeof rects / sizeof *rects; i++) {
        if (rects[i].h == 0)
            continue;
        if (!inside(rects[i], w, h))
            fail_msg("%dx%d: rectangle %zu leaves the screen", w, h, i);
        for (int y = rects[i].y; y < rects[i].y + rects[i].h; y++) {
            unsigned char part = rects[i].x > 0 ? 2 : rects[i].w < w ? 1 : 3;
            if (used[y] & part)
                fail_msg("%dx%d: rectangle %zu overlaps another in row %d", w, h, i, y);
            used[y] |= part;
        }
    }
    for (int y = 0; y < h; y++)
        if (!used[y])
            fail_msg("%dx%d: row %d belongs to nothing", w, h, y);
    gl_rect body = table ? l.table : l.lanes;
    assert_true(body.h >= 2);
    assert_int_equal(l.status.h, 1);
    assert_true(l.gutter >= 6 && l.gutter <= w / 2);
}

static void nothing_overlaps_or_leaves_the_screen(void **state)
{
    (void)state;
    for (int h = 1; h <= 100; h++)
        for (int w = 1; w <= 300; w++)
            for (int table = 0; table < 2; table++)
                for (int detail = 0; detail < 3; detail++)
                    for (int curves = 0; curves < GL_CURVES; curves++)
                        check_size(w, h, table, (gl_detail_size)detail, (gl_curves)curves);
}

static void common_sizes_show_what_they_should(void **state)
{
    (void)state;
    gl_layout l = gl_layout_make(80, 24, false, GL_DETAIL_NORMAL, GL_CURVES_AUTO);
    assert_int_equal(l.map.h, 1);
    assert_int_equal(l.gutter, 20);
    assert_true(l.detail.h >= 2);
    assert_true(l.lanes.h >= 12);
    l = gl_layout_make(200, 50, false, GL_DETAIL_NORMAL, GL_CURVES_AUTO);
    assert_true(l.side.w >= 60);
    assert_int_equal(l.stw.h, 1);
    assert_true(l.lanes.h >= 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_overlaps_or_leaves_the_screen),
                                       cmocka_unit_test(common_sizes_show_what_they_should)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
