#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "golanes/dict.h"

static int make(void **state) { return (*state = gl_dict_new()) ? 0 : -1; }
static int destroy(void **state) { gl_dict_destroy(*state); return 0; }

static void a_new_dictionary_holds_only_the_nothings(void **state)
{
    gl_dict *d = *state;
    size_t n = 9;
    assert_int_equal(gl_dict_string_count(d), 1);
    assert_int_equal(gl_dict_stack_count(d), 1);
    assert_int_equal(gl_dict_thread_count(d), 0);
    assert_string_equal(gl_dict_text(d, 0, &n), "");
    assert_int_equal(n, 0);
    assert_null(gl_dict_get_stack(d, 0, &n));
    assert_string_equal(gl_dict_stack_root(d, 0), "");
}

static void equal_things_have_one_id_and_pointers_stay(void **state)
{
    gl_dict *d = *state;
    uint32_t first, id;
    assert_int_equal(gl_dict_string(d, "main.worker", 11, &first), 0);
    const char *text = gl_dict_text(d, first, NULL);
    for (int i = 0; i < 100000; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "f%d", i);
        assert_int_equal(gl_dict_string(d, name, (size_t)n, &id), 0);
        assert_int_equal(id, first + 1 + (uint32_t)i);
    }
    assert_int_equal(gl_dict_string(d, "main.worker", 11, &id), 0);
    assert_int_equal(id, first);
    assert_ptr_equal(gl_dict_text(d, id, NULL), text);
    assert_int_equal(gl_dict_string(d, "f77777", 6, &id), 0);
    assert_int_equal(id, first + 1 + 77777);
}

static void a_text_keeps_its_zero_bytes(void **state)
{
    gl_dict *d = *state;
    uint32_t a, b;
    size_t n;
    assert_int_equal(gl_dict_string(d, "a\0b", 3, &a), 0);
    assert_int_equal(gl_dict_string(d, "a", 1, &b), 0);
    assert_int_not_equal(a, b);
    assert_memory_equal(gl_dict_text(d, a, &n), "a\0b", 4);
    assert_int_equal(n, 3);
}

static void a_stack_names_its_leaf_and_its_root(void **state)
{
    gl_dict *d = *state;
    uint32_t leaf, root, fn, frames[2], stack, again;
    assert_int_equal(gl_dict_string(d, "runtime.chansend1", 17, &leaf), 0);
    assert_int_equal(gl_dict_string(d, "main.main", 9, &root), 0);
    assert_int_equal(gl_dict_func(d, (gl_func){leaf, 0}, &fn), 0);
    assert_int_equal(gl_dict_frame(d, (gl_frame){0x401000, fn, 161}, &frames[0]), 0);
    assert_int_equal(gl_dict_func(d, (gl_func){root, 0}, &fn), 0);
    assert_int_equal(gl_dict_frame(d, (gl_frame){0x402000, fn, 12}, &frames[1]), 0);
    assert_int_equal(gl_dict_stack(d, frames, 2, &stack), 0);
    assert_int_equal(gl_dict_stack(d, frames, 2, &again), 0);
    assert_int_equal(stack, again);
    assert_string_equal(gl_dict_stack_func(d, stack, 0), "runtime.chansend1");
    assert_string_equal(gl_dict_stack_root(d, stack), "main.main");
    assert_string_equal(gl_dict_stack_func(d, stack, 2), "");
    assert_int_equal(gl_dict_get_frame(d, frames[0]).line, 161);
}

static void unknown_ids_give_zero_values(void **state)
{
    gl_dict *d = *state;
    size_t n;
    assert_string_equal(gl_dict_text(d, UINT32_MAX, &n), "");
    assert_null(gl_dict_get_stack(d, 12345, &n));
    assert_int_equal(gl_dict_get_frame(d, 99).line, 0);
    assert_int_equal(gl_dict_get_thread(d, 99).tid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_dictionary_holds_only_the_nothings, make, destroy),
        cmocka_unit_test_setup_teardown(equal_things_have_one_id_and_pointers_stay, make, destroy),
        cmocka_unit_test_setup_teardown(a_text_keeps_its_zero_bytes, make, destroy),
        cmocka_unit_test_setup_teardown(a_stack_names_its_leaf_and_its_root, make, destroy),
        cmocka_unit_test_setup_teardown(unknown_ids_give_zero_values, make, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
