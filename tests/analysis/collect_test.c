#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "collect.h"

static void map_finds_what_was_put_and_not_what_was_removed(void **state)
{
    (void)state;
    gl_map m = {0};
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(gl_map_put(&m, (uint64_t)i * 64, i), 0);
    for (uint32_t i = 0; i < 5000; i += 2)
        gl_map_remove(&m, (uint64_t)i * 64);
    for (uint32_t i = 0; i < 5000; i++)
        assert_int_equal(gl_map_get(&m, (uint64_t)i * 64), i % 2 ? i : GL_NONE32);
    assert_int_equal(m.count, 2500);
    gl_map_remove(&m, 1);
    assert_int_equal(m.count, 2500);
    gl_map_clean_up(&m);
}

static void map_stays_small_under_coming_and_going(void **state)
{
    (void)state;
    gl_map m = {0};
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(gl_map_put(&m, i, (uint32_t)i), 0);
        if (i >= 10)
            gl_map_remove(&m, i - 10);
    }
    assert_int_equal(m.count, 10);
    assert_true(m.mask < 64);
    gl_map_clean_up(&m);
}

static bool below(const void *limit, gl_pair p) { return p.a < *(const uint64_t *)limit; }

static void pairs_are_counted_once_and_forgotten_when_gone(void **state)
{
    (void)state;
    uint64_t limit = 0;
    gl_pairs s = {.gone = below, .user = &limit};
    for (uint64_t i = 0; i < 200000; i++) {
        assert_int_equal(gl_pairs_add(&s, (gl_pair){i, 1}), 0);
        assert_int_equal(gl_pairs_add(&s, (gl_pair){i, 1}), 0);
        limit = i > 20 ? i - 20 : 0;
    }
    assert_int_equal(gl_pairs_settle(&s), 0);
    assert_int_equal(gl_pairs_count(&s), 200000);
    assert_true(s.mask < 16384);
    gl_pairs_clean_up(&s);
}

static void bits_tell_the_first_time(void **state)
{
    (void)state;
    gl_bits b = {0};
    int status = 0;
    assert_true(gl_bits_set(&b, 700, &status));
    assert_false(gl_bits_set(&b, 700, &status));
    assert_true(gl_bits_set(&b, 0, &status));
    assert_int_equal(status, 0);
    free(b.words);
}

static void grow_zeroes_new_room(void **state)
{
    (void)state;
    uint32_t *array = NULL;
    size_t capacity = 0;
    assert_int_equal(GL_GROW(array, capacity, 3), 0);
    array[2] = 7;
    assert_int_equal(GL_GROW(array, capacity, 1000), 0);
    assert_int_equal(array[2], 7);
    assert_int_equal(array[999], 0);
    assert_int_equal(gl_grow(&array, &capacity, SIZE_MAX / 2, sizeof *array), GL_E_NOMEM);
    free(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_finds_what_was_put_and_not_what_was_removed),
        cmocka_unit_test(map_stays_small_under_coming_and_going),
        cmocka_unit_test(pairs_are_counted_once_and_forgotten_when_gone),
        cmocka_unit_test(bits_tell_the_first_time),
        cmocka_unit_test(grow_zeroes_new_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
