/* What goes into a file comes out of it: every type, every value, every chunk size, any number of threads. */
#include <stdio.h>

#include "lanes_test.h"

static void check_round_trip(const lt_events *l, gl_dict *d, uint32_t chunk, unsigned threads)
{
    char path[256];
    gl_reader *r;
    gl_error err = {0};
    lt_path(path, "round");
    lt_write(path, l, d, chunk, threads);
    if (gl_reader_open(path, &r, &err) < 0)
        fail_msg("%s", err.text);
    const gl_reader_info *info = gl_reader_get_info(r);
    assert_true(info->indexed);
    assert_false(info->cut);
    assert_int_equal(info->events, l->n);
    lt_events back = {0};
    lt_read(r, GL_COL_ALL, &back);
    assert_int_equal(back.n, l->n);
    lt_same(l->at, back.at, l->n);
    assert_int_equal(info->damaged_chunks, 0);
    assert_string_equal(gl_reader_meta(r, "source"), "made up");
    lt_free(&back);
    gl_reader_close(r);
    remove(path);
}

static void any_event_survives(void **state)
{
    (void)state;
    lt_random r = {1};
    for (unsigned i = 0; i < 12; i++) {
        lt_events l = {0};
        gl_dict *d = gl_dict_new();
        lt_noise(&l, &r, 3000);
        check_round_trip(&l, d, (const uint32_t[]){0, 1, 7, 3000, 2999, 1024}[i % 6], i % 3);
        lt_free(&l);
        gl_dict_destroy(d);
    }
}

static void a_schedule_survives(void **state)
{
    (void)state;
    lt_random r = {2};
    lt_events l = {0};
    gl_dict *d = gl_dict_new();
    lt_schedule(&l, &r, 100000, 300, 4, d);
    check_round_trip(&l, d, 0, 0);
    check_round_trip(&l, d, 5000, 2);
    lt_free(&l);
    gl_dict_destroy(d);
}

/** Events of some threads whose steps are whole numbers of a unit; every so often, many of one time, or a step back. */
static void push_in_units(lt_events *l, lt_random *r, size_t n, uint64_t unit, bool back)
{
    int64_t time = l->n ? l->at[l->n - 1].time : 0;
    while (n) {
        size_t ties = lt_below(r, 100) == 0 ? 1 + lt_below(r, 90) : 1;
        for (; ties && n; ties--, n--)
            lt_push(l, &(gl_event){.time = time, .type = GL_EV_GCSweepBegin, .thread = (uint32_t)lt_below(r, 4), .p = GL_NO_PROC});
        uint64_t steps = lt_below(r, 50) == 0 ? lt_next(r) >> (24 + lt_below(r, 40)) : lt_below(r, 40);
        time += (int64_t)(steps * unit % (UINT64_C(1) << 40) / unit * unit);
        if (back && lt_below(r, 200) == 0)
            time -= (int64_t)(unit * lt_below(r, 5000));
    }
}

/** The unit of times may change from chunk to chunk, or turn out to be finer in a chunk's midst. */
static void times_of_any_unit_survive(void **state)
{
    (void)state;
    static const uint64_t units[] = {64, 128, 64, 1, 96, 1000, 7, 4096, 32, UINT64_C(1) << 33, 64};
    lt_random r = {5};
    for (unsigned round = 0; round < 8; round++) {
        lt_events l = {0};
        gl_dict *d = gl_dict_new();
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            push_in_units(&l, &r, 1500, units[i], round % 2);
        check_round_trip(&l, d, (const uint32_t[]){1500, 1000, 100, 0}[round / 2], 0);
        lt_free(&l);
        gl_dict_destroy(d);
    }
}

static void no_event_and_one_event(void **state)
{
    (void)state;
    lt_events l = {0};
    gl_dict *d = gl_dict_new();
    check_round_trip(&l, d, 0, 0);
    lt_push(&l, &(gl_event){.time = -5, .type = GL_EV_GoStart, .arg = {UINT64_MAX}, .thread = 3, .p = GL_NO_PROC});
    check_round_trip(&l, d, 0, 1);
    lt_free(&l);
    gl_dict_destroy(d);
}

/** Columns that were not asked for are zero, those that were are the same as in a full reading. */
static void columns_alone_equal_columns_together(void **state)
{
    (void)state;
    char path[256];
    lt_random r = {3};
    gl_error err = {0};
    gl_reader *reader;
    lt_path(path, "columns");
    for (unsigned round = 0; round < 4; round++) {
        lt_events l = {0};
        gl_dict *d = gl_dict_new();
        if (round % 2)
            lt_noise(&l, &r, 20000);
        else
            lt_schedule(&l, &r, 20000, 50, 3, d);
        lt_write(path, &l, d, 6000, 0);
        assert_int_equal(gl_reader_open(path, &reader, &err), 0);
        for (unsigned columns = 0; columns <= GL_COL_ALL; columns++) {
            lt_events back = {0};
            lt_read(reader, columns, &back);
            assert_int_equal(back.n, l.n);
            for (size_t i = 0; i < l.n; i++) {
                const gl_event *a = &l.at[i], *b = &back.at[i];
                assert_int_equal(a->time, b->time);
                assert_int_equal(a->type, b->type);
                if (columns & GL_COL_CONTEXT) {
                    assert_int_equal(a->g, b->g);
                    assert_int_equal(a->p, b->p);
                    assert_int_equal(a->thread, b->thread);
                }
                assert_int_equal(b->stack, columns & (GL_COL_STACK | GL_COL_ARGS) ? a->stack : 0);
                for (unsigned k = 0; k < GL_EVENT_ARGS_MAX; k++)
                    assert_int_equal(b->arg[k], columns & GL_COL_ARGS ? a->arg[k] : 0);
            }
            lt_free(&back);
        }
        gl_reader_close(reader);
        lt_free(&l);
        gl_dict_destroy(d);
    }
    remove(path);
}

static void threads_do_not_change_the_file(void **state)
{
    (void)state;
    char path[256];
    lt_random r = {4};
    lt_events l = {0};
    gl_dict *d = gl_dict_new();
    lt_path(path, "threads");
    lt_schedule(&l, &r, 60000, 100, 4, d);
    size_t n, m;
    lt_write(path, &l, d, 1500, 0);
    uint8_t *alone = lt_slurp(path, &n);
    for (unsigned threads = 1; threads <= 5; threads += 2) {
        lt_write(path, &l, d, 1500, threads);
        uint8_t *helped = lt_slurp(path, &m);
        assert_int_equal(n, m);
        assert_memory_equal(alone, helped, n);
        free(helped);
    }
    free(alone);
    remove(path);
    lt_free(&l);
    gl_dict_destroy(d);
}

/** Writes in runs of 100 events, with new table entries and metadata on the way. */
static void write_growing(const char *path, const lt_events *l, unsigned threads)
{
    gl_error err = {0};
    gl_writer *w;
    gl_dict *d = gl_dict_new();
    char text[32];
    uint32_t id, frame;
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = path, .dict = d, .chunk_events = 1500, .threads = threads},
                                    &w, &err), 0);
    for (size_t i = 0; i < l->n; i += 100) {
        for (size_t k = i; k < i + 100 && i % 700 == 0; k += 10) {
            int n = snprintf(text, sizeof text, "name %zu", k);
            assert_int_equal(gl_dict_string(d, text, (size_t)n, &id), 0);
            assert_int_equal(gl_dict_func(d, (gl_func){.name = id}, &id), 0);
            assert_int_equal(gl_dict_frame(d, (gl_frame){.func = id}, &frame), 0);
            assert_int_equal(gl_dict_stack(d, &frame, 1, &id), 0);
        }
        if (i == 7000)
            assert_int_equal(gl_writer_meta(w, "half", "way"), 0);
        if (i == 9000)
            assert_int_equal(gl_writer_flush(w, &err), 0);
        assert_int_equal(gl_writer_events(w, l->at + i, l->n - i < 100 ? l->n - i : 100), 0);
    }
    assert_int_equal(gl_writer_close(w, NULL, &err), 0);
    gl_dict_destroy(d);
}

static void tables_that_grow_do_not_depend_on_threads(void **state)
{
    (void)state;
    char path[256];
    lt_random r = {5};
    lt_events l = {0};
    gl_dict *d = gl_dict_new();
    lt_path(path, "growing");
    lt_schedule(&l, &r, 30000, 100, 4, d);
    size_t n, m;
    write_growing(path, &l, 0);
    uint8_t *alone = lt_slurp(path, &n);
    for (unsigned threads = 1; threads <= 3; threads++) {
        write_growing(path, &l, threads);
        uint8_t *helped = lt_slurp(path, &m);
        assert_int_equal(n, m);
        assert_memory_equal(alone, helped, n);
        free(helped);
    }
    free(alone);
    remove(path);
    lt_free(&l);
    gl_dict_destroy(d);
}

static void names_survive(void **state)
{
    (void)state;
    char path[256], text[64];
    gl_dict *d = gl_dict_new();
    gl_error err = {0};
    gl_writer *w;
    lt_random r = {5};
    lt_path(path, "names");
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = path, .dict = d}, &w, &err), 0);
    for (unsigned round = 0; round < 20; round++) { /* entries come between events, and come in bursts */
        for (unsigned i = 0; i < round * 50; i++) {
            uint32_t name, func, frames[40], stack, thread;
            int n = snprintf(text, sizeof text, "pkg%u.name%u", round, i);
            assert_int_equal(gl_dict_string(d, text, (size_t)n + (i % 7 == 0), &name), 0); /* some hold a zero byte */
            assert_int_equal(gl_dict_func(d, (gl_func){name, (uint32_t)lt_next(&r)}, &func), 0);
            for (unsigned k = 0; k < 40; k++)
                assert_int_equal(gl_dict_frame(d, (gl_frame){lt_next(&r), func, k}, &frames[k]), 0);
            assert_int_equal(gl_dict_stack(d, frames, i % 41, &stack), 0);
            assert_int_equal(gl_dict_thread(d, (gl_thread_info){lt_next(&r), round, name}, &thread), 0);
        }
        assert_int_equal(gl_writer_events(w, &(gl_event){.time = round, .type = GL_EV_GoBlock, .stack = 1}, 1), 0);
        assert_int_equal(gl_writer_flush(w, &err), 0);
    }
    assert_int_equal(gl_writer_close(w, NULL, &err), 0);
    gl_reader *reader;
    const gl_dict *back;
    assert_int_equal(gl_reader_open(path, &reader, &err), 0);
    assert_int_equal(gl_reader_dict(reader, &back, &err), 0);
    assert_int_equal(gl_dict_string_count(d), gl_dict_string_count(back));
    assert_int_equal(gl_dict_func_count(d), gl_dict_func_count(back));
    assert_int_equal(gl_dict_frame_count(d), gl_dict_frame_count(back));
    assert_int_equal(gl_dict_stack_count(d), gl_dict_stack_count(back));
    assert_int_equal(gl_dict_thread_count(d), gl_dict_thread_count(back));
    for (uint32_t i = 0; i < gl_dict_string_count(d); i++) {
        size_t n, m;
        const char *a = gl_dict_text(d, i, &n), *b = gl_dict_text(back, i, &m);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, n);
    }
    for (uint32_t i = 0; i < gl_dict_frame_count(d); i++) {
        gl_frame a = gl_dict_get_frame(d, i), b = gl_dict_get_frame(back, i);
        assert_memory_equal(&a, &b, sizeof a);
    }
    for (uint32_t i = 0; i < gl_dict_func_count(d); i++) {
        gl_func a = gl_dict_get_func(d, i), b = gl_dict_get_func(back, i);
        assert_memory_equal(&a, &b, sizeof a);
    }
    for (uint32_t i = 0; i < gl_dict_thread_count(d); i++) {
        gl_thread_info a = gl_dict_get_thread(d, i), b = gl_dict_get_thread(back, i);
        assert_memory_equal(&a, &b, sizeof a);
    }
    for (uint32_t i = 0; i < gl_dict_stack_count(d); i++) {
        size_t n, m;
        const uint32_t *a = gl_dict_get_stack(d, i, &n), *b = gl_dict_get_stack(back, i, &m);
        assert_int_equal(n, m);
        if (n)
            assert_memory_equal(a, b, n * sizeof *a);
    }
    gl_reader_close(reader);
    gl_dict_destroy(d);
    remove(path);
}

/** More threads than one chunk takes: it ends before its time, and so does each that follows. */
static void more_threads_than_a_chunk_takes(void **state)
{
    (void)state;
    lt_random r = {5};
    lt_events l = {0};
    gl_dict *d = gl_dict_new();
    for (uint32_t i = 0; i < 20000; i++)
        lt_push(&l, &(gl_event){.time = i, .type = GL_EV_GoUnpark, .arg = {1 + lt_below(&r, 50)}, .thread = (uint32_t)lt_below(&r, 3000),
                                .p = GL_NO_PROC});
    for (unsigned threads = 0; threads <= 2; threads++)
        check_round_trip(&l, d, 0, threads);
    lt_free(&l);
    gl_dict_destroy(d);
}

/** Goroutines in tens of thousands: what is fetched ahead, and room made for, must not matter. */
static void more_goroutines_than_a_cache_holds(void **state)
{
    (void)state;
    lt_random r = {6};
    lt_events l = {0};
    gl_dict *d = gl_dict_new();
    lt_schedule(&l, &r, 200000, 40000, 4, d);
    check_round_trip(&l, d, 0, 0);
    check_round_trip(&l, d, 3000, 1);
    lt_free(&l);
    gl_dict_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_event_survives),
        cmocka_unit_test(a_schedule_survives),
        cmocka_unit_test(times_of_any_unit_survive),
        cmocka_unit_test(no_event_and_one_event),
        cmocka_unit_test(columns_alone_equal_columns_together),
        cmocka_unit_test(threads_do_not_change_the_file),
        cmocka_unit_test(tables_that_grow_do_not_depend_on_threads),
        cmocka_unit_test(names_survive),
        cmocka_unit_test(more_threads_than_a_chunk_takes),
        cmocka_unit_test(more_goroutines_than_a_cache_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
