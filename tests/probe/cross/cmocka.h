/* As much of cmocka as the ring tests use, for processors that it is not installed for. */
#ifndef TESTS_PROBE_CROSS_CMOCKA_H
#define TESTS_PROBE_CROSS_CMOCKA_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};
#define cmocka_unit_test(test) {#test, test}

static const char *cross_failure;

#define skip() ((void)0)
#define assert_true(condition) (cross_failure = (condition) ? cross_failure : #condition)
#define assert_int_equal(a, b) assert_true((uint64_t)(a) == (uint64_t)(b))

#define cmocka_run_group_tests(tests, setup, teardown) cross_run(tests, sizeof(tests) / sizeof *(tests))

static int cross_run(const struct CMUnitTest *tests, size_t n)
{
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        cross_failure = NULL;
        tests[i].run(NULL);
        printf("%s: %s\n", tests[i].name, cross_failure ? cross_failure : "ok");
        failed += cross_failure != NULL;
    }
    return failed;
}

#endif
