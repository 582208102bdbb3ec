/* What the viewer knows of a trace with known times: catalogue, windows, columns, lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scene.h"

#define US INT64_C(1000)

static int set_up(void **state)
{
    *state = scene_open("made");
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    gl_reader_close(*state);
    return 0;
}

static void the_catalogue_holds_goroutines_by_start_function(void **state)
{
    gl_app *a = scene_app(*state, "made", "dark", false, 80, 24);
    const gl_model *m = a->m;
    assert_int_equal(m->gor_count, 5);
    assert_int_equal(m->procs, 4);
    const gl_gor *g10 = &m->gors[gl_model_find(m, 10)];
    assert_string_equal(gl_model_group_name(m, g10->group), "main.producer");
    assert_int_equal(g10->creator, 1);
    assert_int_equal(g10->first, 100 * US);
    assert_int_equal(m->groups[g10->group].n, 2);
    assert_int_equal(m->groups[g10->group].alive, 1);
    assert_int_equal(m->gors[gl_model_find(m, 11)].last, 9500 * US);
    assert_int_equal(gl_model_find(m, 12), GL_NONE);
    gl_app_close(a);
}

static void a_send_that_meets_a_pause_is_a_straddle_with_its_figures(void **state)
{
    gl_app *a = scene_app(*state, "made", "dark", false, 80, 24);
    const gl_model *m = a->m;
    assert_int_equal(m->pause_count, 3);
    assert_int_equal(m->gc_pause_count, 2);
    assert_int_equal(m->pause_ns, 550 * US);
    assert_int_equal(m->straddle_count, 1);
    const gl_straddle *s = &m->straddles[0];
    assert_int_equal(s->g, 10);
    assert_int_equal(s->begin, 1800 * US);
    assert_int_equal(s->end, 3000 * US);
    assert_int_equal(s->overlap, 500 * US);
    assert_int_equal(s->delay, 500 * US);
    assert_int_equal(s->by, 20);
    assert_int_equal(s->unparked, 2700 * US);
    assert_false(s->released_inside);
    assert_int_equal(m->pauses[0].straddles, 1);
    assert_int_equal(m->note_count, 1);
    gl_app_close(a);
}

/* Go tells of a goroutine that nothing happens to only at the end of a part of the trace. */
static void a_state_that_is_told_late_counts_from_the_beginning(void **state)
{
    gl_model *m = NULL;
    gl_error err = {0};
    assert_int_equal(gl_model_open(*state, "made", &m, &err), 0);
    gl_event e = {.time = 9000 * US, .g = 77, .type = GL_EV_GoStatus, .p = GL_NO_PROC, .thread = GL_NO_THREAD};
    e.arg[0] = 77;
    e.arg[2] = GL_G_WAITING;
    assert_int_equal(gl_model_take(m, &e, 1), 0);
    m->scanned = true;
    uint32_t gor = gl_model_find(m, 77);
    assert_true(m->gors[gor].from_before);
    assert_int_equal(gl_model_since(m, gor), m->begin);
    assert_int_equal(gl_order_value(m, GL_ORDER_BLOCKED, gor), m->read_end - m->begin);
    gl_model_close(m);
}

static void spans_of_a_window_have_reasons_and_wakers(void **state)
{
    gl_app *a = scene_app(*state, "made", "dark", false, 80, 24);
    const gl_window *w = gl_app_window(a);
    assert_non_null(w);
    uint32_t g10 = gl_model_find(a->m, 10), g21 = gl_model_find(a->m, 21);
    const gl_lane_span *s = gl_window_span_at(w, g10, 2000 * US);
    assert_non_null(s);
    assert_int_equal(s->kind, GL_SPAN_SEND);
    assert_int_equal(s->begin, 1800 * US);
    assert_int_equal(s->end, 2700 * US);
    assert_int_equal(s->by, 20);
    assert_string_equal(gl_model_text(a->m, s->reason), "chan send");
    assert_int_equal(gl_model_site(a->m, s->stack).line, 22);
    assert_int_equal(gl_window_span_at(w, g10, 4200 * US)->kind, GL_SPAN_ASSIST);
    assert_int_equal(gl_window_span_at(w, g10, 4600 * US)->kind, GL_SPAN_RUNNING);
    assert_int_equal(gl_window_span_at(w, g10, 8600 * US)->kind, GL_SPAN_SYSCALL);
    assert_int_equal(gl_window_span_at(w, g21, 9900 * US)->kind, GL_SPAN_RECV);
    assert_int_equal(gl_window_span_at(w, g21, 9900 * US)->end, GL_TIME_NONE);
    assert_null(gl_window_span_at(w, g10, 50 * US));
    assert_null(gl_window_span_at(w, gl_model_find(a->m, 11), 9600 * US));
    gl_app_close(a);
}

/* More points than are kept: each part of the time still has its heap, as high as it was. */
static void a_long_trace_keeps_the_heap_of_its_beginning(void **state)
{
    gl_app *a = scene_app(*state, "made", "dark", false, 80, 24);
    gl_model *m = a->m;
    m->heap_count = 0;
    for (int i = 0; i < 200000; i++) {
        gl_event ev = {.time = i * US, .type = i % 10 ? GL_EV_HeapLive : GL_EV_HeapGoal, .arg = {(uint64_t)i + 1}};
        assert_int_equal(gl_model_take(m, &ev, 1), 0);
    }
    assert_in_range(m->heap_count, GL_HEAP_POINTS / 4, GL_HEAP_POINTS);
    for (int i = 1000; i < 200000; i += 1000) {
        gl_heap_point at = gl_model_heap_at(m, i * US);
        assert_in_range(at.live, i - 400, i + 400);
        assert_in_range(at.goal, i - 400, i + 400);
    }
    gl_app_close(a);
}

static int at_work = 1;

static int import_state(void *user)
{
    (void)user;
    return at_work;
}

/* An import of a trace whose length is known: the screen has its whole time from the beginning, and says what is there. */
static void an_import_fills_the_time_that_was_promised(void **state)
{
    gl_app *a = NULL;
    gl_error err = {0};
    gl_reader *r = scene_open_unfinished();
    (void)state;
    gl_app_options o = {.reader = r, .name = "made", .theme = gl_theme_by_name("dark"), .importing = true,
                        .promised = 40000 * US, .import_state = import_state};
    assert_int_equal(gl_app_open(&o, &a, &err), 0);
    gl_app_begin(a, 100, 30);
    assert_int_equal(a->to, 40000 * US);
    assert_in_range(a->m->read_end, 9000 * US, 11000 * US);
    scene_says(a, "40.0 ms");
    scene_says(a, "not imported yet");
    scene_says(a, "importing, 25.");
    /* What goes on where the file ends so far is not known to go on. */
    gl_app_go(a, 30000 * US);
    scene_says(a, "not imported yet");
    a->moved = false;
    at_work = -1;
    a->now_ns = 0;
    while (gl_app_step(a, 1000000))
        ;
    assert_false(a->importing);
    assert_int_equal(a->to, a->m->end);
    assert_int_equal(a->m->end, a->m->read_end);
    scene_says(a, "the import broke off");
    gl_app_close(a);
    gl_reader_close(r);
}

/* Every lane's columns are full at any scale: what a goroutine did plus where it was not add up to the whole column. */
static void columns_add_up_at_every_scale(void **state)
{
    gl_app *a = scene_app(*state, "made", "dark", false, 80, 24);
    const gl_window *w = gl_app_window(a);
    gl_column_mix *mix = calloc(300, sizeof *mix);
    for (int n = 1; n <= 300; n += 7)
        for (int64_t from = 0; from < 10000 * US; from += 999 * US)
            for (uint32_t g = 0; g < a->m->gor_count; g++) {
                gl_columns_of_gor(a->m, w, g, (gl_scale){from, 10000 * US, n}, mix);
                for (int x = 0; x < n; x++) {
                    unsigned sum = 0;
                    for (int k = 0; k < GL_SPAN_STRADDLE; k++)
                        sum += mix[x].share[k];
                    if (!mix[x].share[GL_SPAN_STRADDLE])
                        assert_in_range(sum, GL_SHARE_FULL - 300, GL_SHARE_FULL + 300);
                    assert_in_range(mix[x].split, 0, 8);
                    assert_true(mix[x].left < GL_SPAN_KINDS && mix[x].right < GL_SPAN_KINDS);
                }
            }
    free(mix);
    gl_app_close(a);
}

static void a_straddle_marks_its_column_however_narrow(void **state)
{
    gl_app *a = scene_app(*state, "made", "dark", false, 80, 24);
    uint32_t g10 = gl_model_find(a->m, 10);
    gl_column_mix mix[3];
    /* A window a thousand times as long, as in a long trace: the send is a thousandth of a column. */
    gl_scale s = {0, INT64_C(3600000000000), 3};
    gl_columns_clear(mix, 3);
    gl_columns_straddles(a->m, g10, s, mix);
    assert_true(mix[0].share[GL_SPAN_STRADDLE] > 0);
    assert_true(mix[0].begins && mix[0].ends);
    assert_int_equal(gl_column_main(&mix[0]), GL_SPAN_STRADDLE);
    assert_int_equal(mix[1].share[GL_SPAN_STRADDLE], 0);
    gl_app_close(a);
}

static void boundaries_are_drawn_to_an_eighth_of_a_column(void **state)
{
    (void)state;
    gl_column_mix mix[2];
    gl_scale s = {0, 1600, 2};
    gl_columns_clear(mix, 2);
    gl_columns_add(mix, s, 0, 300, GL_SPAN_RUNNING);
    gl_columns_add(mix, s, 300, 1600, GL_SPAN_SEND);
    assert_int_equal(mix[0].parts, 2);
    assert_int_equal(mix[0].left, GL_SPAN_RUNNING);
    assert_int_equal(mix[0].right, GL_SPAN_SEND);
    assert_int_equal(mix[0].split, 3);
    assert_int_equal(mix[1].parts, 1);
    assert_int_equal(mix[1].right, GL_SPAN_SEND);
}

static void orders_sort_lanes_and_folding_hides_them(void **state)
{
    gl_app *a = scene_app(*state, "made", "dark", false, 80, 24);
    gl_lanes *l = &a->lanes;
    uint32_t producer = gl_lanes_find_group(l, gl_lanes_group_of(l, gl_model_find(a->m, 10)));
    assert_int_equal(producer, 0); /* what suffers stands first */
    assert_int_equal(l->rows[1].index, gl_model_find(a->m, 10));
    size_t open = l->n;
    scene_press(a, "< Enter");
    assert_int_equal(l->n, open - 2);
    assert_int_equal(gl_lanes_find(l, GL_ROW_GOR, gl_model_find(a->m, 10)), GL_NONE);
    assert_true(gl_app_go_lane(a, gl_model_find(a->m, 10)));
    assert_int_equal(l->n, open);
    scene_press(a, "O");
    assert_int_equal(l->n, 5);
    for (int o = 0; o < GL_ORDERS; o++) {
        scene_press(a, "o");
        for (size_t i = 1; i < l->n; i++)
            assert_true(gl_order_value(a->m, l->order, l->rows[i - 1].index) >=
                        gl_order_value(a->m, l->order, l->rows[i].index));
    }
    gl_app_close(a);
}

static void scanning_in_steps_gives_the_same_as_at_once(void **state)
{
    gl_model *m = NULL;
    gl_error err = {0};
    assert_int_equal(gl_model_open(*state, "made", &m, &err), 0);
    int steps = 0, status = 1;
    while (status > 0 && steps++ < 1000)
        status = gl_model_scan(m, 1, &err);
    assert_int_equal(status, 0);
    assert_int_equal(m->gor_count, 5);
    assert_int_equal(m->straddle_count, 1);
    assert_int_equal(gl_model_refresh(m, &err), 0);
    gl_model_close(m);
}

static void wait_reasons_of_every_go_version_have_a_kind(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        gl_span_kind kind;
    } cases[] = {
        {"chan send", GL_SPAN_SEND},
        {"chan send (nil chan)", GL_SPAN_SEND},
        {"chan receive", GL_SPAN_RECV},
        {"select", GL_SPAN_SELECT},
        {"select (no cases)", GL_SPAN_SELECT},
        {"sync", GL_SPAN_SYNC},
        {"sync.(*Cond).Wait", GL_SPAN_SYNC},
        {"semacquire", GL_SPAN_SYNC},
        {"network", GL_SPAN_NET},
        {"sleep", GL_SPAN_SLEEP},
        {"GC mark assist wait for work", GL_SPAN_GCWAIT},
        {"GC background sweeper wait", GL_SPAN_GCWAIT},
        {"system goroutine wait", GL_SPAN_GCWAIT},
        {"forever", GL_SPAN_OTHER},
        {"", GL_SPAN_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(gl_span_kind_of_reason(cases[i].reason), cases[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_holds_goroutines_by_start_function),
        cmocka_unit_test(a_send_that_meets_a_pause_is_a_straddle_with_its_figures),
        cmocka_unit_test(a_state_that_is_told_late_counts_from_the_beginning),
        cmocka_unit_test(spans_of_a_window_have_reasons_and_wakers),
        cmocka_unit_test(an_import_fills_the_time_that_was_promised),
        cmocka_unit_test(a_long_trace_keeps_the_heap_of_its_beginning),
        cmocka_unit_test(columns_add_up_at_every_scale),
        cmocka_unit_test(a_straddle_marks_its_column_however_narrow),
        cmocka_unit_test(boundaries_are_drawn_to_an_eighth_of_a_column),
        cmocka_unit_test(orders_sort_lanes_and_folding_hides_them),
        cmocka_unit_test(scanning_in_steps_gives_the_same_as_at_once),
        cmocka_unit_test(wait_reasons_of_every_go_version_have_a_kind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
