#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mmu.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void a_pause_shows_in_each_window_by_its_share(void **state)
{
    (void)state;
    gl_curve c = {0};
    double mean;
    assert_int_equal(gl_curve_change(&c, 0, 1), 0);
    assert_int_equal(gl_curve_change(&c, 5000000, 0), 0);
    assert_int_equal(gl_curve_change(&c, 5400000, 1), 0);
    assert_int_equal(gl_curve_finish(&c, 200000000, &mean), 0);
    NEAR(c.least[0], 0);
    NEAR(c.least[1], 0.6);
    NEAR(c.least[2], 0.96);
    NEAR(c.least[3], 0.996);
    NEAR(c.least[4], mean); /* the window is longer than the trace */
    NEAR(mean, 1 - 0.4 / 200);
    gl_curve_clean_up(&c);
}

typedef struct step {
    int64_t time;
    double util;
} step;

/* The mean over every window whose edge meets a change, worked out from all the changes. */
static double slow_mmu(const step *s, size_t n, int64_t end, int64_t window)
{
    double least = 1;
    for (size_t i = 0; i < 2 * n + 1; i++) {
        int64_t left = i < n ? s[i].time : (i < 2 * n ? s[i - n].time : end) - window;
        if (left < s[0].time || left + window > end)
            continue;
        double sum = 0;
        for (size_t k = 0; k < n; k++) {
            int64_t from = s[k].time > left ? s[k].time : left;
            int64_t to = k + 1 < n ? s[k + 1].time : end;
            to = to < left + window ? to : left + window;
            if (to > from)
                sum += s[k].util * (double)(to - from);
        }
        if (sum / (double)window < least)
            least = sum / (double)window;
    }
    return least;
}

static void one_pass_finds_what_a_full_search_finds(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 30; round++) {
        step s[300];
        gl_curve c = {0};
        double mean;
        int64_t t = 1000;
        for (size_t i = 0; i < 300; i++) {
            s[i] = (step){t, (double)(i % 2 ? rand() % 4 : 4 + rand() % 4) / 8};
            t += 1 + rand() % (round % 3 ? 200000 : 20000000);
            assert_int_equal(gl_curve_change(&c, s[i].time, s[i].util), 0);
        }
        assert_int_equal(gl_curve_finish(&c, t, &mean), 0);
        for (size_t w = 0; w < GL_MMU_WINDOWS; w++) {
            if (gl_mmu_window_ns[w] <= t - 1000)
                NEAR(c.least[w], slow_mmu(s, 300, t, gl_mmu_window_ns[w]));
        }
        gl_curve_clean_up(&c);
    }
}

static void memory_follows_the_longest_window_not_the_trace(void **state)
{
    (void)state;
    gl_curve c = {0};
    double mean;
    for (int64_t i = 0; i < 200000; i++)
        assert_int_equal(gl_curve_change(&c, i * 1000000, i % 2 ? 0.5 : 1), 0);
    assert_int_equal(gl_curve_finish(&c, 200000 * INT64_C(1000000), &mean), 0);
    assert_true(c.capacity <= 2048);
    assert_false(c.too_many);
    NEAR(mean, 0.75);
    NEAR(c.least[1], 0.5);
    NEAR(c.least[4], 0.75);
    gl_curve_clean_up(&c);
}

static void percentiles_are_shares_of_all_windows(void **state)
{
    (void)state;
    gl_curve_mass *m = calloc(GL_MMU_WINDOWS, sizeof *m);
    assert_non_null(m);
    gl_curve_mass_add(&m[0], 1, 1, 90);
    gl_curve_mass_add(&m[0], 0.25, 0.75, 10);
    assert_true(fabs(gl_curve_mass_at(&m[0], 0.05) - 0.5) < 0.002);
    assert_true(fabs(gl_curve_mass_at(&m[0], 0.5) - 1) < 0.002);
    gl_curve c = {.mass = m};
    double mean;
    memset(m, 0, GL_MMU_WINDOWS * sizeof *m);
    assert_int_equal(gl_curve_change(&c, 0, 1), 0);
    assert_int_equal(gl_curve_change(&c, 50000000, 0), 0);
    assert_int_equal(gl_curve_change(&c, 51000000, 1), 0);
    assert_int_equal(gl_curve_finish(&c, 100000000, &mean), 0);
    /* Windows of 1 ms: over 2 of the 99 ms in which they can begin the mean falls from 1 to 0 and rises again. */
    assert_true(fabs(gl_curve_mass_at(&m[1], 0.01) - 0.01 * 99 / 2) < 0.002);
    assert_true(fabs(gl_curve_mass_at(&m[1], 0.001) - 0.001 * 99 / 2) < 0.002);
    assert_true(fabs(gl_curve_mass_at(&m[1], 0.05) - 1) < 0.002);
    /* Of 10 ms: 9 of 90 ms hold the whole pause and 2 a part of it. */
    assert_true(fabs(gl_curve_mass_at(&m[2], 0.05) - 0.9) < 0.002);
    assert_true(fabs(gl_curve_mass_at(&m[2], 0.5) - 1) < 0.002);
    gl_curve_clean_up(&c);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_shows_in_each_window_by_its_share),
        cmocka_unit_test(one_pass_finds_what_a_full_search_finds),
        cmocka_unit_test(percentiles_are_shares_of_all_windows),
        cmocka_unit_test(memory_follows_the_longest_window_not_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
