#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "distribution.h"

static const unsigned percents[] = {50, 90, 99};

static void nearest_rank_of_few_values(void **state)
{
    (void)state;
    gl_dist d = {0};
    uint64_t v[3];
    assert_int_equal(gl_dist_percentiles(&d, percents, v, 3), 0);
    assert_int_equal(v[0], 0);
    const uint64_t values[] = {13312, 21248, 7, 64};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(gl_dist_add(&d, values[i]), 0);
    assert_int_equal(gl_dist_percentiles(&d, percents, v, 3), 0);
    assert_int_equal(v[0], 64); /* ceil(4 * 0.5) = 2nd smallest */
    assert_int_equal(v[1], 21248);
    assert_int_equal(v[2], 21248);
    assert_int_equal(d.total, 13312 + 21248 + 7 + 64);
    assert_int_equal(d.max, 21248);
    gl_dist_clean_up(&d);
}

/* 1000 values 64, 128, …: on and off the tick, below and above the array's end. */
static void ranks_are_exact_across_both_stores(void **state)
{
    (void)state;
    gl_dist d = {0};
    uint64_t v[3];
    for (uint64_t i = 1; i <= 10000; i++)
        assert_int_equal(gl_dist_add(&d, i * 61), 0);
    assert_int_equal(gl_dist_percentiles(&d, percents, v, 3), 0);
    assert_int_equal(v[0], 5000 * 61);
    assert_int_equal(v[1], 9000 * 61);
    assert_int_equal(v[2], 9900 * 61);
    assert_false(gl_dist_approximate(&d));
    gl_dist_clean_up(&d);
}

static void too_many_distinct_values_cost_a_little_truth(void **state)
{
    (void)state;
    gl_dist d = {0};
    uint64_t v[3];
    const uint64_t n = 400000;
    for (uint64_t i = 1; i <= n; i++)
        assert_int_equal(gl_dist_add(&d, i * 1009), 0);
    assert_true(gl_dist_approximate(&d));
    assert_int_equal(gl_dist_percentiles(&d, percents, v, 3), 0);
    for (size_t i = 0; i < 3; i++) {
        double want = (double)(n / 100 * percents[i] * 1009);
        assert_true(fabs((double)v[i] - want) < want * 0.002);
    }
    assert_int_equal(d.max, n * 1009);
    gl_dist_clean_up(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_rank_of_few_values),
        cmocka_unit_test(ranks_are_exact_across_both_stores),
        cmocka_unit_test(too_many_distinct_values_cost_a_little_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
