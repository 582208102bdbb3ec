/* Many things sorted by numbers: as a comparison of each with its neighbour says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sort.h"

static uint64_t seed = 88172645463325252u;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static void check(size_t n, uint64_t keys, uint32_t groups)
{
    gl_item *list = calloc(n + 1, sizeof *list);
    char *seen = calloc(n + 1, 1);
    assert_true(list && seen);
    for (size_t i = 0; i < n; i++)
        list[i] = (gl_item){.key = (int64_t)draw(keys) - (int64_t)(keys / 2), .tie = (int64_t)(n - i),
                            .group = (uint32_t)draw(groups), .index = (uint32_t)i};
    if (n > 2) {
        list[0].key = INT64_MIN;
        list[n - 1].key = INT64_MAX;
        list[1].group = UINT32_MAX;
    }
    assert_int_equal(gl_items_sort(list, n), 0);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(seen[list[i].index]++, 0);
        if (i == 0)
            continue;
        const gl_item *a = &list[i - 1], *b = &list[i];
        assert_true(a->group <= b->group);
        assert_true(a->group < b->group || a->key <= b->key);
        assert_true(a->group < b->group || a->key < b->key || a->tie < b->tie);
    }
    free(list);
    free(seen);
}

static void few_and_many_come_in_order(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 511, 512, 513, 5000, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check(sizes[i], 2, 1);
        check(sizes[i], UINT64_C(1) << 62, 3000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(few_and_many_come_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
