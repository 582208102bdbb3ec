/* Channels, threads, tasks; choosing lanes; bookmarks; the way into a stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "command.h"
#include "scene.h"

#define US INT64_C(1000)

static gl_reader *reader;

static int open_app(void **state)
{
    *state = scene_app(reader, "chans", "dark", false, 100, 30);
    return 0;
}

static void a_history_keeps_means_and_peaks_however_long_it_gets(void **state)
{
    (void)state;
    gl_history h = {0};
    /* Level 2 for the first third of each million ns, then 0; a peak of 9 for an instant. */
    for (int64_t t = 0; t < 3000; t++) {
        assert_int_equal(gl_history_set(&h, 64, t * 1000000, 2), 0);
        assert_int_equal(gl_history_set(&h, 64, t * 1000000 + 250000, 0), 0);
        if (t == 1500)
            assert_int_equal(gl_history_set(&h, 64, t * 1000000 + 250000, 9), 0);
        if (t == 1500)
            assert_int_equal(gl_history_set(&h, 64, t * 1000000 + 250000, 0), 0);
    }
    gl_history_bucket all = gl_history_get(&h, 0, INT64_C(3000000000));
    assert_in_range((int)(all.mean * 1000), 495, 505);
    assert_int_equal((int)all.most, 9);
    gl_history_bucket late = gl_history_get(&h, INT64_C(2900000000), INT64_C(3000000000));
    assert_int_equal((int)late.most, 2);
    gl_history_bucket none = gl_history_get(&h, 5, 5);
    assert_true(none.mean == 0 && none.most == 0);
    gl_history_clean_up(&h);
}

static void channels_know_their_operations_waits_and_straddles(void **state)
{
    gl_app *a = *state;
    const gl_chans *cs = &a->m->chans;
    assert_int_equal(cs->n, 3);
    const gl_chan *c = &cs->list[gl_chans_find(cs, UINT64_C(0xc000112000))];
    assert_int_equal(c->cap, 4);
    assert_int_equal(c->sends, 5);
    assert_int_equal(c->recvs, 5);
    assert_int_equal(c->refused, 1); /* it was closed */
    assert_int_equal(c->send_wait, (4 * 10 + 2110) * US);
    assert_int_equal(c->recv_wait, (5 * 10 + 10) * US);
    assert_int_equal(c->straddles, 1);
    assert_int_equal(c->straddle_ns, 500 * US);
    assert_int_equal(c->closed, 8000 * US);
    assert_int_equal(c->closer, 10);
    assert_int_equal(c->senders_most, 1);
    const gl_chan *plain = &cs->list[gl_chans_find(cs, UINT64_C(0xc000112060))];
    assert_int_equal(plain->senders, 1); /* for good */
    assert_int_equal(plain->recv_wait, 7110 * US);
}

static void a_channel_made_anew_at_an_old_address_is_another(void **state)
{
    (void)state;
    gl_chans cs = {0};
    gl_chan_op op = {.chan = GL_NONE};
    gl_event make = {.time = 10, .type = GL_EV_ChanMake, .arg = {0xc1, 1, 0}};
    gl_event send = {.time = 20, .type = GL_EV_ChanSendEnd, .arg = {0xc1, 1, GL_CHAN_DONE}};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(gl_chans_take(&cs, &make, &op), 0);
        assert_int_equal(gl_chans_take(&cs, &send, &op), 0);
        make.time += 100;
        send.time += 100;
    }
    assert_int_equal(cs.n, 2);
    assert_int_equal(cs.list[0].sends, 1);
    assert_int_equal(cs.list[1].sends, 1);
    assert_int_equal(gl_chans_at(&cs, 0xc1, 50), 0);
    assert_int_equal(gl_chans_at(&cs, 0xc1, 115), 1);
    assert_int_equal(gl_chans_at(&cs, 0xc2, 115), GL_NONE);
    gl_chans_clean_up(&cs);
}

static void the_channel_of_a_straddle_is_a_key_away(void **state)
{
    gl_app *a = *state;
    scene_press(a, "X c");
    assert_int_equal(a->view, GL_VIEW_CHANNELS);
    assert_int_equal(gl_app_chan(a), gl_chans_find(&a->m->chans, UINT64_C(0xc000112000)));
    scene_says(a, "holds 4 of 4, full");
    scene_says(a, "1 sender waits (G10 main.producer)");
    /* From the channel to who waits, and to who released it. */
    scene_press(a, "b");
    assert_int_equal(a->view, GL_VIEW_GOROUTINES);
    assert_int_equal(a->row.index, gl_model_find(a->m, 20));
    gl_app_command(a, "go 0xc000112060");
    assert_int_equal(a->view, GL_VIEW_CHANNELS);
    scene_says(a, "unbuffered");
    gl_app_command(a, "channel 0xdead");
    scene_says(a, "no channel of that address");
}

static void channels_unfold_into_senders_and_receivers(void **state)
{
    gl_app *a = *state;
    scene_press(a, "4");
    assert_int_equal(a->other.n, 3);
    scene_press(a, "Enter");
    assert_int_equal(a->other.n, 5);
    assert_int_equal(a->other.rows[1].type, GL_ROW_CHAN_SENDERS);
    scene_says(a, "receivers");
    scene_press(a, "*");
    assert_int_equal(a->other.n, 9);
    scene_press(a, "o");
    scene_says(a, "lanes by first seen");
    assert_int_equal(a->other.rows[0].index, 0);
}

static void threads_and_tasks_have_lanes(void **state)
{
    gl_app *a = *state;
    scene_press(a, "3");
    assert_int_equal(a->other.n, 4);
    assert_int_equal(a->m->use.threads.list[1].starts, 2);
    scene_press(a, "9 *");
    assert_int_equal(a->other.n, 6); /* a task and two kinds of regions, one of each */
    const gl_tasks *ts = &a->m->tasks;
    assert_int_equal(ts->kinds[0].ns, 7360 * US);
    assert_int_equal(ts->kinds[1].longest, 1800 * US);
    scene_says(a, "request");
    scene_press(a, "Down");
    scene_says(a, "begun by G10 main.producer");
    gl_app_go(a, 9000 * US); /* from wherever the cursor is, z shows the task */
    scene_press(a, "z");
    assert_in_range(a->from, 0, 240 * US);
    assert_in_range(a->to, 7600 * US, 9300 * US);
    assert_int_equal(a->cursor, 7600 * US);
    scene_press(a, "0");
    assert_int_equal(a->m->use.most, 4);
}

static void groups_follow_what_they_are_made_by(void **state)
{
    gl_app *a = *state;
    gl_app_go(a, 2600 * US);
    gl_app_command(a, "group state");
    assert_int_equal(a->lanes.n, 2); /* two wait, two run */
    scene_says(a, "waiting ×2");
    int64_t at = a->cursor;
    gl_app_go(a, 9000 * US); /* they hold still */
    gl_app_relist(a);
    scene_says(a, "waiting ×2");
    gl_app_go(a, at);
    gl_app_command(a, "group reason");
    scene_says(a, "chan send");
    gl_app_command(a, "group creator");
    scene_says(a, "by G1 main.main");
    gl_app_command(a, "group nonsense");
    assert_true(a->message_is_error);
    gl_app_command(a, "group function");
    assert_true(gl_app_go_lane(a, gl_model_find(a->m, 30)));
}

static void idle_and_finished_goroutines_can_be_hidden(void **state)
{
    gl_app *a = *state;
    gl_app_show(a, 8600 * US, 9900 * US);
    scene_press(a, "Z");
    assert_int_equal(a->lanes.gor_count, 3); /* G20 has ended */
    scene_press(a, "Z");
    assert_int_equal(a->lanes.gor_count, 2); /* G10 waits all the time */
    scene_press(a, "Z");
    assert_int_equal(a->lanes.gor_count, 4);
}

static void pinned_lanes_stay_on_top(void **state)
{
    gl_app *a = *state;
    gl_app_go_lane(a, gl_model_find(a->m, 30));
    scene_press(a, "T");
    assert_int_equal(a->lanes.pins, 1);
    assert_int_equal(a->lanes.rows[0].index, gl_model_find(a->m, 30));
    gl_app_resize(a, 60, 6);
    scene_press(a, ">");
    assert_true(a->top > 0);
    assert_int_equal(gl_app_row_at(a, 0), 0);
    assert_int_equal(gl_app_screen_row(a, 0), 0);
    assert_in_range(gl_app_screen_row(a, a->at), 1, a->layout.lanes.h - 1);
    scene_press(a, "< T");
    assert_int_equal(a->lanes.pins, 0);
}

static void hops_widen_who_is_related(void **state)
{
    gl_app *a = *state;
    gl_app_go_lane(a, gl_model_find(a->m, 30));
    scene_press(a, "r");
    assert_int_equal(a->related_to.n, 3); /* itself, G1 that made it, G10 that released it */
    scene_press(a, "R");
    assert_int_equal(a->related_to.n, 4); /* and G20, which released G10 */
    scene_press(a, "R");
    scene_says(a, "nobody else");
    scene_press(a, "r");
    assert_int_equal(a->lanes.gor_count, 4);
}

static void bookmarks_have_names_and_an_order_in_time(void **state)
{
    gl_app *a = *state;
    gl_app_go(a, 5000 * US);
    gl_app_command(a, "bookmark after the pause");
    gl_app_go(a, 1000 * US);
    scene_press(a, "m a");
    assert_int_equal(a->bookmarks.n, 2);
    scene_press(a, "]");
    assert_int_equal(a->cursor, 5000 * US);
    scene_says(a, "bookmark after the pause");
    scene_press(a, "[");
    assert_int_equal(a->cursor, 1000 * US);
    scene_press(a, "[");
    scene_says(a, "no bookmark before");
    gl_app_command(a, "jump after the pause");
    assert_int_equal(a->cursor, 5000 * US);
    scene_press(a, "Delete");
    assert_int_equal(a->bookmarks.n, 1);
    gl_app_command(a, "bookmark a=b");
    assert_true(a->message_is_error);
    gl_app_command(a, "unmark a");
    assert_int_equal(a->bookmarks.n, 0);
}

static void enter_goes_into_the_stack_and_on_to_the_editor(void **state)
{
    gl_app *a = *state;
    scene_press(a, "X Enter");
    assert_true(a->in_stack);
    assert_false(a->wants_editor);
    scene_press(a, "Enter");
    assert_true(a->wants_editor);
    assert_string_equal(a->edit_file, "/src/app/main.go");
    assert_int_equal(a->edit_line, 22);
    a->wants_editor = false;
    uint32_t at = a->at;
    scene_press(a, "Down");
    assert_int_equal(a->at, at);
    scene_press(a, "Esc");
    assert_false(a->in_stack);
    scene_press(a, "Down");
    assert_int_equal(a->at, at + 1);
}

static void expressions_choose_lanes_and_find_events(void **state)
{
    gl_app *a = *state;
    gl_app_command(a, "filter state=blocked dur>=1900us reason~send");
    gl_error err = {0};
    assert_int_equal(gl_app_settle(a, &err), 0);
    assert_int_equal(a->lanes.gor_count, 1);
    assert_int_equal(a->lanes.rows[0].index, gl_model_find(a->m, 10));
    gl_app_command(a, "filter state=blocked reason~send dur>1900us");
    assert_int_equal(gl_app_settle(a, &err), 0);
    assert_int_equal(a->lanes.gor_count, 0);
    scene_says(a, "no goroutine matches");
    gl_app_command(a, "filter dur>9");
    scene_says(a, "at character 5");
    scene_press(a, "Esc");
    assert_int_equal(a->lanes.gor_count, 4);
    scene_press(a, "Home");
    gl_app_command(a, "find type=GCSTWEnd dur=500us");
    assert_int_equal(gl_app_settle(a, &err), 0);
    assert_int_equal(a->search.found, 1);
    scene_press(a, "n");
    assert_int_equal(a->cursor, 3000 * US);
}

static void go_takes_a_time_of_day_where_the_trace_has_one(void **state)
{
    gl_app *a = *state;
    gl_app_command(a, "go 12:00:00.004");
    scene_says(a, "does not say what time it was");
    a->m->wall_unix_ns = INT64_C(1700000000) * 1000000000; /* 22:13:20 UTC */
    gl_app_command(a, "go 22:13:20.004");
    assert_int_equal(a->cursor, 4000 * US);
    gl_app_command(a, "go 22:13:21");
    scene_says(a, "lies outside");
}

static void summary_lanes_come_and_go(void **state)
{
    gl_app *a = *state;
    int had = a->layout.lanes.h;
    scene_press(a, "~");
    assert_true(a->layout.counts.h >= 2 && a->layout.lanes.h < had);
    scene_says(a, "run, ");
    scene_press(a, "~");
    assert_int_equal(a->layout.counts.h + a->layout.heap.h, 0);
}

static void the_critical_path_follows_the_wake_ups(void **state)
{
    gl_app *a = *state;
    /* To G30 at 9 ms: it runs since 7.4; runnable since 7.21, when G10 released it; G10 runs since 4.2, runnable since
     * 4.01, when G20 released it; G20 runs since 0.21; it was made at 0.12. */
    gl_app_go_lane(a, gl_model_find(a->m, 30));
    gl_app_go(a, 9000 * US);
    scene_press(a, "C");
    const gl_trail *t = &a->trail;
    assert_int_equal(t->hops, 3);
    assert_int_equal(t->steps[0].gor, gl_model_find(a->m, 30));
    assert_int_equal(t->steps[1].begin, 7210 * US);
    assert_int_equal(t->steps[2].gor, gl_model_find(a->m, 10));
    assert_int_equal(t->steps[4].gor, gl_model_find(a->m, 20));
    assert_int_equal(t->runnable, (190 + 190 + 90) * US);
    assert_int_equal(t->waiting, 0);
    assert_int_equal(t->running + t->runnable, t->to - t->from);
    assert_int_equal(t->steps[t->n - 1].gor, gl_model_find(a->m, 1));
    scene_says(a, "path to G30, 9.00 ms");
    scene_press(a, "Esc");
    assert_int_equal(t->n, 0);
    /* Between two marks. */
    gl_app_go(a, 7300 * US);
    scene_press(a, "v");
    gl_app_go(a, 9000 * US);
    scene_press(a, "C");
    assert_int_equal(t->hops, 0);
    assert_int_equal(t->from, 7300 * US);
    assert_null(t->cursor);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_app, scene_close_app)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_history_keeps_means_and_peaks_however_long_it_gets),
        TEST(channels_know_their_operations_waits_and_straddles),
        cmocka_unit_test(a_channel_made_anew_at_an_old_address_is_another),
        TEST(the_channel_of_a_straddle_is_a_key_away),
        TEST(channels_unfold_into_senders_and_receivers),
        TEST(threads_and_tasks_have_lanes),
        TEST(groups_follow_what_they_are_made_by),
        TEST(idle_and_finished_goroutines_can_be_hidden),
        TEST(pinned_lanes_stay_on_top),
        TEST(hops_widen_who_is_related),
        TEST(bookmarks_have_names_and_an_order_in_time),
        TEST(enter_goes_into_the_stack_and_on_to_the_editor),
        TEST(expressions_choose_lanes_and_find_events),
        TEST(go_takes_a_time_of_day_where_the_trace_has_one),
        TEST(summary_lanes_come_and_go),
        TEST(the_critical_path_follows_the_wake_ups),
    };
    reader = scene_open("chans");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    gl_reader_close(reader);
    return failed;
}
