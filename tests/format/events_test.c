#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "golanes/events.h"
#include "golanes/state.h"

static void every_code_has_one_name_and_is_found_by_it(void **state)
{
    (void)state;
    unsigned known = 0;
    for (unsigned code = 0; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        if (!info)
            continue;
        known++;
        assert_int_equal(info->code, code);
        assert_ptr_equal(gl_event_by_name(info->name), info);
        assert_true(info->arg_count <= GL_EVENT_ARGS_MAX);
        for (unsigned i = 0; i < info->arg_count; i++)
            assert_int_not_equal(info->args[i].kind, GL_KIND_NONE);
    }
    assert_true(known > 40);
    assert_null(gl_event_lookup(0));
    assert_null(gl_event_lookup(GL_EV_LIMIT));
    assert_null(gl_event_by_name("GoTeleport"));
}

static void every_begin_has_an_end_of_the_same_operation(void **state)
{
    (void)state;
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *begin = gl_event_lookup(code);
        if (!begin || begin->phase != GL_PHASE_BEGIN)
            continue;
        unsigned ends = 0;
        for (unsigned other = 1; other < GL_EV_LIMIT; other++) {
            const gl_event_info *end = gl_event_lookup(other);
            ends += end && end->phase == GL_PHASE_END && strcmp(end->operation, begin->operation) == 0;
        }
        assert_int_equal(ends, 1);
    }
}

static void an_event_moves_the_goroutine_that_it_names(void **state)
{
    (void)state;
    gl_transition t;
    gl_event ev = {.type = GL_EV_GoStart, .arg = {7}};
    assert_true(gl_event_transition(&ev, &t));
    assert_int_equal(t.id, 7);
    assert_int_equal(t.from, GL_G_RUNNABLE);
    assert_int_equal(t.to, GL_G_RUNNING);
    ev = (gl_event){.type = GL_EV_GoBlock, .g = 7, .arg = {3}};
    assert_true(gl_event_transition(&ev, &t));
    assert_int_equal(t.id, 7);
    assert_int_equal(t.reason, 3);
    assert_int_equal(t.to, GL_G_WAITING);
    ev = (gl_event){.type = GL_EV_GoSyscallEnd, .g = 7, .arg = {1}};
    assert_true(gl_event_transition(&ev, &t));
    assert_int_equal(t.to, GL_G_RUNNABLE);
    ev.type = GL_EV_HeapLive;
    assert_false(gl_event_transition(&ev, &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_one_name_and_is_found_by_it),
        cmocka_unit_test(every_begin_has_an_end_of_the_same_operation),
        cmocka_unit_test(an_event_moves_the_goroutine_that_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
