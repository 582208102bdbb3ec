/*
 * What the v2 importer does where a trace is cut, broken, or contradicts itself: on traces made by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "craft_case.h"

static void test_an_unfinished_end_is_delivered_with_fixed_reasons(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        uint64_t block, stop;
        const char *block_text;
    } cases[] = {{22, 12, 20, "chan receive"}, {23, 20, 21, "GC weak to strong wait"}, {23, 21, 22, "synctest"},
                 {25, 11, 22, "chan send"},    {26, 19, 16, "sleep"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        craft_begin(made, cases[i].version);
        craft_generation(made, 1, 1000);
        craft_batch(made, 1, 1000);
        craft_running(made);
        EV(made, W_GO_CREATE, 1, 2, 7, 8);
        EV(made, W_GO_STOP, 1, cases[i].stop, 9);
        EV(made, W_GO_START, 1, 2, 1);
        EV(made, W_GO_BLOCK, 1, cases[i].block, 9);
        craft_batch(made, 9, 1001);
        made->n -= 11; /* nothing of the last header but its first bytes */
        made->size_at = 0;
        import_made();
        assert_false(im.result.complete);
        assert_true(im.result.truncated);
        assert_int_equal(im.result.unnamed_parts, 1);
        assert_int_equal(event(5)->type, GL_EV_GoBlock);
        assert_string_equal(text(event(5)->arg[0]), cases[i].block_text);
        assert_string_equal(text(event(3)->arg[0]), cases[i].stop == 16 ? "preempted" : "runtime.Gosched");
        assert_int_equal(event(5)->stack, 0);
        assert_int_equal(im.result.resyncs, 0);
    }
}

static void test_without_an_end_mark_it_is_cut(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_small(made, 1, 1000);
    made->n--;
    import_made();
    assert_true(im.result.truncated);
    assert_int_equal(im.n, 9);
    assert_int_equal(im.result.bytes_lost, 0);
    assert_int_equal(im.result.unnamed_parts, 0);
}

static void test_a_broken_event_costs_the_rest_of_its_batch(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    size_t at = made->n;
    static const uint8_t garbage[] = {125, 1, 2, 3, 4};
    craft_raw(made, garbage, sizeof garbage);
    craft_batch(made, 1, 2000);
    EV(made, W_GO_STATUS, 1, 5, UINT64_MAX, W_WAITING);
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.damage_count, 1);
    assert_int_equal(im.result.damages[0].offset, at);
    assert_int_equal(im.result.damages[0].bytes, 5);
    assert_int_equal(im.result.bytes_lost, 5);
    assert_int_equal(im.result.damages[0].time_from, 2 * 64);
    assert_int_equal(im.result.damages[0].time_to, 1000 * 64);
    assert_int_equal(find(GL_EV_Lost)->arg[1], 5);
    assert_int_equal(event(2)->type, GL_EV_GoStatus);
    assert_int_equal(event(2)->arg[0], 5);
}

static void test_a_number_without_end_is_a_broken_event(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    static const uint8_t endless[] = {W_HEAP_ALLOC, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    craft_raw(made, endless, sizeof endless);
    craft_batch(made, 2, 1000);
    static const uint8_t cut[] = {W_HEAP_ALLOC, 1, 0x80};
    craft_raw(made, cut, sizeof cut);
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.damage_count, 2);
    assert_int_equal(im.result.bytes_lost, sizeof endless + sizeof cut);
    assert_int_equal(count_of(GL_EV_HeapLive), 0);
}

static void test_text_between_batches_is_passed_over(void **state)
{
    (void)state;
    static const char text_of_program[] = "hello, world\n1 2 3\n";
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    craft_batch(made, 2, 1000);
    size_t behind = made->n; /* close_batch leaves the lengths alone */
    craft_finish(made);
    made->n = behind;
    size_t at = made->n;
    craft_raw(made, text_of_program, sizeof text_of_program - 1);
    craft_batch(made, 1, 1100);
    EV(made, W_HEAP_ALLOC, 1, 4711);
    craft_batch(made, 3, 1100);
    EV(made, W_PROC_STATUS, 1, 1, W_P_IDLE);
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.damages[0].offset, at);
    assert_int_equal(im.result.damages[0].bytes, sizeof text_of_program - 1);
    assert_int_equal(find(GL_EV_HeapLive)->arg[0], 4711);
    assert_int_equal(count_of(GL_EV_ProcStatus), 2);
}

static void test_a_lone_wrong_generation_number_does_not_split(void **state)
{
    (void)state;
    craft_begin(made, 23);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    made->gen = 2;
    craft_batch(made, 1, 1100);
    EV(made, W_HEAP_ALLOC, 1, 1);
    made->gen = 1;
    craft_batch(made, 1, 1200);
    EV(made, W_HEAP_ALLOC, 1, 2);
    craft_string(made, 1, "any");
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.parts, 1);
    assert_int_equal(count_of(GL_EV_HeapLive), 2);
    assert_int_equal(im.result.damage_count, 1);
}

static void test_an_unknown_goroutine_is_taken_up(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    EV(made, W_PROC_STATUS, 1, 0, W_P_RUNNING);
    EV(made, W_GO_START, 1, 77, 9);
    EV(made, W_GO_BLOCK, 1, 0, 0);
    EV(made, W_GO_UNBLOCK, 1, 77, 10, 0);
    EV(made, W_GO_START, 1, 77, 11);
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.resyncs, 1);
    assert_int_equal(event(1)->type, GL_EV_GoStart);
    assert_int_equal(event(1)->flags, GL_FLAG_RESYNC);
    for (size_t i = 2; i < 5; i++)
        assert_int_equal(event(i)->flags, 0);
    assert_int_equal(event(2)->g, 77);
    assert_int_equal(im.result.events_lost, 0);
}

static void test_events_without_their_goroutine_are_left_out_and_counted(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    EV(made, W_PROC_STATUS, 1, 0, W_P_RUNNING);
    EV(made, W_GO_BLOCK, 1, 0, 0);
    EV(made, W_GO_SYSCALL_BEGIN, 1, 1, 0);
    EV(made, W_GO_SYSCALL_END, 1);
    EV(made, W_GO_DESTROY_SYSCALL, 1);
    EV(made, W_PROC_STOP, 1);
    EV(made, W_PROC_STOP, 1);
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.events_lost, 5);
    assert_int_equal(count_of(GL_EV_ProcStop), 1);
    assert_int_equal(count_of(GL_EV_Lost), 1);
    assert_false(im.result.complete);
}

static void test_wild_ids_are_left_out(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_GO_CREATE, 1, UINT64_C(1) << 60, 0, 0);
    EV(made, W_GO_CREATE, 1, 0, 0, 0);
    EV(made, W_GO_UNBLOCK, 1, UINT64_MAX, 1, 0);
    EV(made, W_GO_STATUS, 1, UINT64_C(1) << 50, 0, W_WAITING);
    EV(made, W_GO_STATUS, 1, 9, 0, 99);
    EV(made, W_PROC_STATUS, 1, UINT64_C(1) << 40, W_P_IDLE);
    EV(made, W_PROC_STATUS, 1, 5, 77);
    EV(made, W_PROC_START, 1, UINT64_C(1) << 33, 1);
    EV(made, W_PROC_STEAL, 1, UINT64_MAX, 1, 1);
    EV(made, W_HEAP_ALLOC, 1, 5);
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.events_lost, 9);
    assert_int_equal(event(2)->type, GL_EV_HeapLive);
}

/* A P whose sequence number jumped, a P that two threads have, a steal from a thread that has not got it. */
static void test_ps_are_taken_up(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_GO_SYSCALL_BEGIN, 1, 5, 0); /* 1 was due */
    craft_batch(made, 2, 1100);
    EV(made, W_PROC_START, 1, 0, 6); /* still bound to thread 1 */
    EV(made, W_PROC_STEAL, 1, 0, 9, 3); /* thread 3 never had it */
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.resyncs, 3);
    assert_int_equal(event(2)->type, GL_EV_GoSyscallBegin);
    assert_int_equal(event(3)->type, GL_EV_ProcStart);
    assert_int_equal(event(4)->type, GL_EV_ProcSteal);
    for (size_t i = 2; i < 5; i++)
        assert_int_equal(event(i)->flags, GL_FLAG_RESYNC);
}

static void test_the_collector_is_taken_up(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_GC_BEGIN, 1, 10, 0);
    EV(made, W_GC_END, 1, 20); /* 11 was due */
    EV(made, W_GC_BEGIN, 1, 21, 0);
    EV(made, W_GC_END, 1, 22);
    craft_finish(made);
    import_made();
    assert_int_equal(im.result.resyncs, 1);
    assert_int_equal(count_of(GL_EV_GCEnd), 2);
    assert_int_equal(event(3)->flags, GL_FLAG_RESYNC);
    assert_int_equal(event(4)->flags, 0);
}

static void test_a_missing_generation_is_told_and_states_are_restated(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_states(made, 1, 1000, W_WAITING);
    craft_states(made, 3, 9000, W_RUNNABLE);
    craft_states(made, 4, 19000, W_RUNNABLE);
    import_made();
    assert_int_equal(im.result.parts, 3);
    assert_int_equal(im.result.damage_count, 1);
    assert_non_null(strstr(im.result.damages[0].reason, "3 follows 1"));
    const gl_event *ev = event(5);
    assert_int_equal(ev->type, GL_EV_GoStatus);
    assert_int_equal(ev->arg[1], GL_G_WAITING);
    assert_int_equal(ev->arg[2], GL_G_RUNNABLE);
    assert_int_equal(ev->flags, GL_FLAG_RESYNC);
    assert_int_equal(event(8)->arg[1], GL_G_RUNNABLE);
    assert_int_equal(event(8)->flags, 0);
}

static void test_repeated_and_swapped_generations_are_told(void **state)
{
    (void)state;
    craft_begin(made, 23);
    craft_small(made, 2, 3000);
    craft_small(made, 1, 1000);
    craft_small(made, 1, 1000);
    import_made();
    assert_int_equal(im.result.parts, 2); /* without a mark between them, two of the same number are one */
    assert_int_equal(count_of(GL_EV_GoCreate), 3);
    assert_false(im.result.complete);
    craft_begin(made, 26);
    craft_small(made, 1, 1000);
    craft_small(made, 1, 1000);
    import_made();
    assert_int_equal(im.result.parts, 2);
    assert_non_null(strstr(im.result.damages[0].reason, "repeated"));
}

static void test_a_second_trace_and_zeros_are_named(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_small(made, 1, 1000);
    size_t n = made->n;
    craft_raw(made, made->bytes, n);
    import_made();
    assert_int_equal(im.n, 10);
    assert_int_equal(im.result.bytes_lost, n);
    assert_non_null(strstr(im.result.damages[0].reason, "second trace"));
    memset(made->bytes + n, 0, n);
    import_made();
    assert_non_null(strstr(im.result.damages[0].reason, "zeros"));
    assert_int_equal(im.result.bytes_lost, n);
}

static void test_a_header_alone_is_an_empty_trace(void **state)
{
    (void)state;
    for (size_t v = 0; v < 4; v++) {
        craft_begin(made, VERSIONS[v]);
        import_made();
        /* Where a mark ends each generation, a trace of none is whole. */
        bool whole = VERSIONS[v] >= 26;
        assert_int_equal(im.n, 0);
        assert_int_equal(im.result.truncated, !whole);
        assert_int_equal(im.result.complete, whole);
        assert_int_equal(im.result.damage_count, whole ? 0 : 1);
    }
}

static void test_names_that_come_twice_or_not_at_all(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_small(made, 1, 1000);
    made->n--;
    craft_string(made, 2, "another text");
    craft_stack(made, 2, 0x2000, 55, 0, 1); /* function 55 has no name */
    craft_finish(made);
    import_made();
    assert_string_equal(text(find(GL_EV_GoBlock)->arg[0]), "chan receive");
    assert_false(im.result.complete);
    assert_false(im.result.truncated);
    assert_non_null(strstr(im.result.damages[0].reason, "1 names are missing, 1 could not be read"));
}

static void test_a_broken_table_is_read_behind_the_damage(void **state)
{
    (void)state;
    craft_begin(made, 26);
    craft_generation(made, 1, 1000);
    craft_batch(made, 1, 1000);
    craft_running(made);
    EV(made, W_USER_LOG, 1, 0, 1, 4, 0);
    craft_batch(made, UINT64_MAX, 1000);
    static const uint8_t strings[] = {4, 5, 1, 1, 'a', 99, 99, 99, 5, 2, 1, 'b', 5, 3, 1, 'c', 5, 4, 1, 'd'};
    size_t at = made->n;
    craft_raw(made, strings, sizeof strings);
    craft_finish(made);
    import_made();
    assert_string_equal(text(find(GL_EV_UserLog)->arg[1]), "a");
    assert_string_equal(text(find(GL_EV_UserLog)->arg[2]), "d");
    assert_int_equal(im.result.damages[0].offset, at + 5);
    assert_int_equal(im.result.damages[0].bytes, 3);
}

/* Properties */

/* Cut at any byte: what comes is the beginning of what there is, and nothing is said to be complete that is not. */
static void test_cut_at_any_byte(void **state)
{
    (void)state;
    for (size_t v = 0; v < 4; v++) {
        craft_begin(made, VERSIONS[v]);
        craft_small(made, 1, 1000);
        size_t first = made->n;
        craft_generation(made, 2, 5000);
        craft_batch(made, 1, 5000);
        craft_running(made);
        EV(made, W_GO_BLOCK, 1, 2, 1);
        craft_string(made, 2, "select");
        craft_stack(made, 1, 0x1000, 2, 2, 7);
        craft_finish(made);
        size_t whole = made->n;
        for (made->n = 16; made->n <= whole; made->n++) {
            import_made();
            bool empty = made->n == 16 && VERSIONS[v] >= 26;
            bool end = made->n == whole || made->n == first || empty;
            if (im.result.complete != end || im.result.truncated == end)
                print_error("go 1.%u cut at %zu of %zu (%zu)\n", VERSIONS[v], made->n, whole, first);
            assert_int_equal(im.result.complete, end);
            assert_int_equal(im.result.truncated, !end);
            assert_true(made->n < first || im.n >= 9);
        }
    }
}

/* Any bit flipped: nothing but a status and sound events. */
static void test_any_bit_flipped(void **state)
{
    (void)state;
    for (size_t v = 0; v < 4; v++) {
        craft_begin(made, VERSIONS[v]);
        craft_small(made, 1, 1000);
        craft_states(made, 2, 9000, W_WAITING);
        for (size_t bit = 16 * 8; bit < made->n * 8; bit++) {
            made->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            import_made();
            for (size_t i = 0; i < im.n; i++)
                assert_non_null(gl_event_lookup(im.events[i].type));
            assert_true(im.result.bytes_lost <= made->n);
            made->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Many threads that all wait for what never comes: each is forced once, in a time that grows with their number. */
static void test_many_stuck_threads_take_no_square_of_time(void **state)
{
    (void)state;
    const size_t threads = 40000;
    craft_begin(made, 23);
    craft_generation(made, 1, 1000);
    for (size_t i = 0; i < threads; i++) {
        craft_batch(made, i + 1, 1000 + i % 7);
        EV(made, W_GO_START, 1, i + 1, 5);
    }
    craft_finish(made);
    clock_t begin = clock();
    import_made();
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    assert_int_equal(count_of(GL_EV_GoStart), threads);
    assert_int_equal(im.result.resyncs, threads);
    assert_true(seconds < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_an_unfinished_end_is_delivered_with_fixed_reasons),
        T(test_without_an_end_mark_it_is_cut),
        T(test_a_broken_event_costs_the_rest_of_its_batch),
        T(test_a_number_without_end_is_a_broken_event),
        T(test_text_between_batches_is_passed_over),
        T(test_a_lone_wrong_generation_number_does_not_split),
        T(test_an_unknown_goroutine_is_taken_up),
        T(test_events_without_their_goroutine_are_left_out_and_counted),
        T(test_wild_ids_are_left_out),
        T(test_ps_are_taken_up),
        T(test_the_collector_is_taken_up),
        T(test_a_missing_generation_is_told_and_states_are_restated),
        T(test_repeated_and_swapped_generations_are_told),
        T(test_a_second_trace_and_zeros_are_named),
        T(test_a_header_alone_is_an_empty_trace),
        T(test_names_that_come_twice_or_not_at_all),
        T(test_a_broken_table_is_read_behind_the_damage),
        T(test_cut_at_any_byte),
        T(test_any_bit_flipped),
        T(test_many_stuck_threads_take_no_square_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
