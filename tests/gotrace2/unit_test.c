/*
 * The rules of the v2 importer one by one, on sound traces made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "craft_case.h"

static void test_a_small_trace_of_every_version(void **state)
{
    (void)state;
    static const uint16_t types[] = {GL_EV_ProcStatus, GL_EV_GoStatus, GL_EV_GoCreate, GL_EV_GoBlock,
                                     GL_EV_GoStart,    GL_EV_GoUnpark, GL_EV_GoEnd,    GL_EV_GoStart};
    for (size_t v = 0; v < 4; v++) {
        craft_begin(made, VERSIONS[v]);
        craft_small(made, 5, 1000);
        import_made();
        assert_sound();
        assert_int_equal(im.result.parts, 1);
        assert_int_equal(im.result.header_version, VERSIONS[v]);
        assert_int_equal(im.events[0].type, GL_EV_ClockSync);
        assert_int_equal(im.events[0].arg[0], 5);
        assert_int_equal(im.n, 9);
        for (size_t i = 0; i < 8; i++) {
            assert_int_equal(event(i)->type, types[i]);
            assert_int_equal(event(i)->time, (10 + (int64_t)i + 1) * 64);
        }
        assert_string_equal(text(find(GL_EV_GoBlock)->arg[0]), "chan receive");
        assert_string_equal(gl_dict_stack_func(im.dict, find(GL_EV_GoBlock)->stack, 0), "main.main");
        assert_int_equal(find(GL_EV_GoBlock)->g, 1);
        assert_int_equal(find(GL_EV_GoStart)->g, 0);
        assert_int_equal(find(GL_EV_GoStatus)->arg[1], GL_G_UNDETERMINED);
        assert_int_equal(im.result.wall_unix_ns, VERSIONS[v] >= 25 ? INT64_C(1700000000000000005) : 0);
    }
}

/*
 * Where a tick is no whole number of ns, each step is cut off, as Go does (src/internal/trace/base.go,
 * frequency.mul).
 */
static void test_ticks_of_any_length(void **state)
{
    (void)state;
    static const uint64_t frequencies[] = {1234567, 3000000000, 24000000, 1, 1000000000};
    for (size_t i = 0; i < sizeof frequencies / sizeof frequencies[0]; i++) {
        craft_begin(made, 26);
        made->frequency = frequencies[i];
        craft_small(made, 1, 1000);
        import_made();
        assert_sound();
        double tick = 1.0 / ((double)frequencies[i] / 1e9);
        int64_t zero = (int64_t)(1000.0 * tick), time = (int64_t)(1010.0 * tick) - zero;
        for (size_t k = 0; k < 8; k++) {
            time += (int64_t)tick;
            assert_int_equal(event(k)->time, time);
        }
    }
}

/* Sequence numbers decide, not times: the wake-up stands on another thread with an earlier time than the block. */
static void test_order_is_that_of_the_sequence_numbers(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_GO_BLOCK, 50, 0, 0);
    craft_batch(made, 2, 1000);
    EV(made, W_PROC_STATUS, 1, 1, W_P_RUNNING);
    EV(made, W_GO_UNBLOCK, 10, 1, 1, 0);
    EV(made, W_GO_START, 1, 1, 2);
    craft_finish(made);
    import_made();
    assert_sound();
    assert_int_equal(event(3)->type, GL_EV_GoBlock);
    assert_int_equal(event(4)->type, GL_EV_GoUnpark);
    assert_int_equal(event(4)->time, 11 * 64);
    assert_int_equal(event(5)->type, GL_EV_GoStart);
    assert_int_equal(event(5)->p, 1);
}

static void test_a_coroutine_switch_is_three_events(void **state)
{
    (void)state;
    craft_begin(made, 23);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_GO_CREATE_BLOCKED, 1, 2, 0, 0);
    EV(made, W_GO_SWITCH, 1, 2, 1);
    EV(made, W_GO_SWITCH_DESTROY, 1, 1, 1);
    craft_string(made, 1, "any");
    craft_finish(made);
    import_made();
    assert_sound();
    static const struct {
        uint16_t type;
        uint64_t g, arg;
    } want[] = {{GL_EV_GoUnpark, 1, 2}, {GL_EV_GoBlock, 1, 0}, {GL_EV_GoStart, 0, 2},
                {GL_EV_GoUnpark, 2, 1}, {GL_EV_GoEnd, 2, GL_G_RUNNING}, {GL_EV_GoStart, 0, 1}};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(event(3 + i)->type, want[i].type);
        assert_int_equal(event(3 + i)->g, want[i].g);
        assert_int_equal(event(3 + i)->arg[0], want[i].arg);
        assert_int_equal(event(3 + i)->flags, GL_FLAG_COROUTINE);
    }
}

static void test_samples_come_in_their_place(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_GO_BLOCK, 50, 0, 0);
    craft_sample(made, 1090, 1, 0, 1, 0);
    craft_sample(made, 1020, 1, UINT64_MAX, 0, 0);
    craft_finish(made);
    import_made();
    assert_sound();
    assert_int_equal(event(2)->type, GL_EV_CPUSample);
    assert_int_equal(event(2)->time, 20 * 64);
    assert_int_equal(event(2)->p, GL_NO_PROC);
    assert_int_equal(event(2)->g, 0);
    assert_int_equal(event(4)->type, GL_EV_CPUSample);
    assert_int_equal(event(4)->g, 1);
}

static void test_a_stop_of_the_world_ends_with_its_reason(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_STW_BEGIN, 1, 9, 0);
    craft_string(made, 9, "GC mark termination");
    craft_finish(made);
    craft_generation(made, 2, 2000);
    craft_batch(made, 1, 2000);
    craft_running(made);
    EV(made, W_STW_END, 1);
    craft_finish(made);
    import_made();
    assert_sound();
    assert_string_equal(text(find(GL_EV_GCSTWEnd)->arg[0]), "GC mark termination");
}

static void test_experiments_are_carried_or_counted(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_SPAN, 1, 26, 1, 72);
    craft_finish(made);
    made->n--;
    static const uint8_t batch[] = {49, 1, 1, 1, 0xe8, 0x07, 3, 'a', 'b', 'c', 52};
    craft_raw(made, batch, sizeof batch);
    import_made();
    assert_sound();
    const gl_event *ev = find(GL_EV_Experimental);
    assert_string_equal(text(ev->arg[0]), "Span");
    assert_int_equal(ev->arg[3], 72);
    assert_int_equal(im.result.experimental_batches, 1);
}

static int stop_at_once(void *user, const gl_event *events, size_t n)
{
    (void)events;
    *(size_t *)user += n;
    return GL_E_CANCELLED;
}

static void test_the_consumer_can_stop(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_small(made, 1, 1000);
    gl_input *in;
    assert_int_equal(gl_input_from_memory(made->bytes, made->n, &in), 0);
    size_t seen = 0;
    gl_gotrace_options opt = {.dict = gl_dict_new(), .on_events = stop_at_once, .events_user = &seen};
    gl_gotrace_result result;
    gl_error err = {0};
    assert_int_equal(gl_gotrace_import(in, &opt, &result, &err), GL_E_CANCELLED);
    assert_true(seen > 0);
    gl_dict_destroy(opt.dict);
    gl_input_close(in);
}

static void test_a_look_agrees_with_the_import(void **state)
{
    (void)state;
    for (size_t v = 0; v < 4; v++) {
        craft_begin(made, VERSIONS[v]);
        craft_small(made, 1, 1000);
        craft_states(made, 2, 16625000, W_WAITING);
        gl_input *in;
        gl_gotrace_glance g;
        gl_error err = {0};
        assert_int_equal(gl_input_from_memory(made->bytes, made->n, &in), 0);
        assert_int_equal(gl_gotrace_look(in, &g, &err), 0);
        gl_input_close(in);
        assert_true(g.ends_well);
        assert_int_equal(g.bytes_walked, made->n);
        assert_int_equal(g.header_version, VERSIONS[v]);
        assert_int_equal(g.parts, 2);
        assert_int_equal(g.threads, 1);
        assert_int_equal((int64_t)g.ticks_per_second, 15625000);
        assert_int_equal(g.span_ns, INT64_C(16624000) * 64);
        assert_int_equal(g.wall_unix_ns, VERSIONS[v] >= 25 ? INT64_C(1700000000000000005) : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_small_trace_of_every_version),
        T(test_ticks_of_any_length),
        T(test_order_is_that_of_the_sequence_numbers),
        T(test_a_coroutine_switch_is_three_events),
        T(test_samples_come_in_their_place),
        T(test_a_stop_of_the_world_ends_with_its_reason),
        T(test_experiments_are_carried_or_counted),
        T(test_the_consumer_can_stop),
        T(test_a_look_agrees_with_the_import),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
