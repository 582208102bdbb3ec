#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hand.h"

/* A trace made by hand. */
typedef struct fixture {
    gl_dict *dict;
    gl_summary *s;
    const gl_summary_result *r;
    gl_goroutine_figures rows[16];
    uint64_t send_wait[16]; /* "chan send" of each row */
    size_t row_count;
    uint32_t chan_send, select, mark_term, read_stats, send_stack, recv_stack, close_stack, start_stack;
} fixture;

static int keep_row(void *user, const gl_goroutine_figures *g)
{
    fixture *f = user;
    for (size_t i = 0; i < g->times.block_count; i++) {
        if (g->times.block[i].reason == f->chan_send)
            f->send_wait[f->row_count] = g->times.block[i].ns;
    }
    f->rows[f->row_count++] = *g;
    return 0;
}

static void set_up(fixture *f)
{
    memset(f, 0, sizeof *f);
    f->dict = gl_dict_new();
    f->chan_send = text(f->dict, "chan send");
    f->select = text(f->dict, "select");
    f->mark_term = text(f->dict, "GC mark termination");
    f->read_stats = text(f->dict, "read mem stats");
    f->send_stack = stack(f->dict, "runtime.chansend1", "main.producer");
    f->recv_stack = stack(f->dict, "runtime.chanrecv2", "main.consumer");
    f->close_stack = stack(f->dict, "main.stop", "main.main");
    f->start_stack = stack(f->dict, "main.producer", "main.producer");
    f->s = gl_summary_new(&(gl_summary_options){.dict = f->dict, .on_goroutine = keep_row, .goroutine_user = f});
    assert_non_null(f->s);
}

static void tear_down(fixture *f)
{
    gl_summary_destroy(f->s);
    gl_dict_destroy(f->dict);
}

static void feed(fixture *f, const gl_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(gl_summary_sink(f->s, &events[i], 1), 0);
    assert_int_equal(gl_summary_finish(f->s, &f->r), 0);
}
#define FEED(f, events) feed(f, events, sizeof(events) / sizeof *(events))

static void time_in_states_is_the_difference_of_stamps(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    const gl_event events[] = {
        EV(100, ClockSync, 0, .arg = {1}),
        EV(150, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(200, GoCreate, 1, .arg = {7, GL_G_RUNNABLE, f.start_stack}),
        EV(260, GoStart, 0, .arg = {7}),
        EV(300, GoBlock, 7, .arg = {f.chan_send}, .stack = f.send_stack),
        EV(380, GoUnpark, 1, .arg = {7}, .stack = f.recv_stack),
        EV(390, GoStart, 0, .arg = {7}),
        EV(400, GoSyscallBegin, 7, .arg = {0}),
        EV(430, GoSyscallEnd, 7, .arg = {1}),
        EV(420, GoStart, 0, .arg = {7}), /* a stamp that steps back counts 0 */
        EV(450, GoEnd, 7, .arg = {GL_G_RUNNING}),
        EV(500, UserLog, 1, .arg = {0}),
    };
    FEED(&f, events);
    assert_int_equal(f.r->end_ns, 500);
    assert_int_equal(f.r->seen, 2);
    assert_int_equal(f.r->created, 1);
    assert_int_equal(f.r->ended, 1);
    assert_int_equal(f.r->preexisting, 1);
    assert_int_equal(f.row_count, 2);
    const gl_goroutine_figures *main_row = &f.rows[0], *row = &f.rows[1];
    assert_int_equal(main_row->id, 1);
    assert_int_equal(main_row->times.ns[GL_G_RUNNING], 400); /* back to the sync at 100 */
    assert_int_equal(row->id, 7);
    assert_int_equal(row->parent, 1);
    assert_string_equal(gl_dict_text(f.dict, row->name, NULL), "main.producer");
    assert_int_equal(row->times.ns[GL_G_RUNNABLE], 60 + 10 + 0);
    assert_int_equal(row->times.ns[GL_G_RUNNING], 40 + 10 + 30);
    assert_int_equal(row->times.ns[GL_G_WAITING], 80);
    assert_int_equal(row->times.ns[GL_G_SYSCALL], 30);
    assert_int_equal(f.send_wait[1], 80);
    assert_int_equal(row->transitions, 9);
    assert_int_equal(f.r->running.n, 3); /* that of G1 began before the trace */
    assert_int_equal(f.r->syscall.max_ns, 30);
    assert_int_equal(f.r->released[GL_WAITED_SEND][GL_RELEASE_RECV], 1);
    tear_down(&f);
}

static void a_send_lasts_until_it_runs_again_and_straddles_gc_pauses_only(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(10, GoCreate, 1, .arg = {7, GL_G_RUNNABLE, f.start_stack}),
        EV(20, GoStart, 0, .arg = {7}),
        EV(100, GoBlock, 7, .arg = {f.chan_send}, .stack = f.send_stack),
        EV(200, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(250, GoUnpark, 1, .arg = {7}, .stack = f.recv_stack),
        EV(300, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(340, GoStart, 0, .arg = {7}),
        EV(400, GoBlock, 7, .arg = {f.chan_send}, .stack = f.send_stack),
        EV(410, GCSTWBegin, 1, .arg = {f.read_stats}),
        EV(420, GCSTWEnd, 1, .arg = {f.read_stats}),
        EV(430, GoUnpark, 1, .arg = {7}, .stack = f.close_stack),
        EV(440, GoStart, 0, .arg = {7}),
        EV(500, GoBlock, 7, .arg = {f.select}, .stack = f.send_stack),
        EV(510, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(520, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(530, GoUnpark, 0, .arg = {7}),
        EV(540, GoStart, 0, .arg = {7}),
        /* touches a pause in one instant only: no straddle */
        EV(600, GoBlock, 7, .arg = {f.chan_send}, .stack = f.send_stack),
        EV(650, GoUnpark, 1, .arg = {7}, .stack = f.recv_stack),
        EV(660, GoStart, 0, .arg = {7}),
        EV(660, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(700, GCSTWEnd, 1, .arg = {f.mark_term}),
    };
    FEED(&f, events);
    const gl_sends_figures *x = &f.r->sends;
    assert_int_equal(x->n, 3);
    assert_int_equal(x->wait_ns, 240 + 40 + 60);
    assert_int_equal(x->straddling, 1);
    assert_int_equal(x->overlap_ns, 100);
    assert_int_equal(x->released_inside, 1);
    assert_int_equal(x->goroutines, 1);
    assert_int_equal(x->worst_count, 1);
    const gl_send *w = &x->worst[0];
    assert_int_equal(w->g, 7);
    assert_int_equal(w->begin, 100);
    assert_int_equal(w->end, 340);
    assert_int_equal(w->pauses, 1);
    assert_int_equal(w->delay_ns, 40);
    assert_int_equal(w->woken_by, 1);
    assert_int_equal(w->release, GL_RELEASE_RECV);
    assert_int_equal(w->chan, 0);
    assert_string_equal(gl_dict_text(f.dict, w->site.func, NULL), "main.producer");
    assert_int_equal(f.r->selects.straddling, 1);
    assert_int_equal(f.r->selects.worst[0].release, GL_RELEASE_OUTSIDE);
    assert_int_equal(f.r->released[GL_WAITED_SEND][GL_RELEASE_CLOSE], 1);
    assert_int_equal(f.r->stw.count, 4);
    for (size_t i = 0; i < f.r->reason_count; i++) {
        if (f.r->reasons[i].reason == f.chan_send) {
            assert_int_equal(f.r->reasons[i].spans, 3);
            assert_int_equal(f.r->reasons[i].spans_over_stw, 2); /* any stopped world */
            assert_int_equal(f.r->reasons[i].goroutines_over_stw, 1);
        }
    }
    tear_down(&f);
}

static void a_recorded_send_is_its_operation(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(0, GoStatus, 0, .arg = {7, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(90, ChanSendBegin, 7, .arg = {0xc000, 0, 1}, .stack = f.start_stack),
        EV(100, GoBlock, 7, .arg = {f.chan_send}, .stack = f.send_stack),
        EV(110, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(150, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(160, GoUnpark, 1, .arg = {7}, .stack = f.recv_stack),
        EV(170, GoStart, 0, .arg = {7}),
        EV(180, ChanSendEnd, 7, .arg = {0xc000, 1, GL_CHAN_DONE}),
        EV(200, ChanSelectBegin, 7, .arg = {1, 1, 0}, .stack = f.start_stack),
        EV(210, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(220, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(230, ChanSelectEnd, 7, .arg = {0xc001, GL_CHAN_SEND, 0, GL_CHAN_DONE}),
        EV(240, ChanSelectBegin, 7, .arg = {1, 1, 0}, .stack = f.start_stack),
        EV(250, ChanSelectEnd, 7, .arg = {0xc001, GL_CHAN_RECV, 0, GL_CHAN_DONE}),
    };
    FEED(&f, events);
    assert_true(f.r->sends.recorded);
    assert_int_equal(f.r->sends.n, 2);
    assert_int_equal(f.r->sends.straddling, 2);
    assert_int_equal(f.r->sends.worst[0].chan, 0xc000);
    assert_int_equal(f.r->sends.worst[0].begin, 90);
    assert_int_equal(f.r->sends.worst[0].end, 180);
    assert_int_equal(f.r->sends.worst[0].woken_by, 1);
    assert_int_equal(f.r->sends.worst[1].chan, 0xc001);
    assert_int_equal(f.r->selects.n, 0);
    tear_down(&f);
}

/* Where the operation itself came without a stack, it is where its goroutine parked. */
static void a_recorded_send_is_placed_by_its_wait(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(0, GoStatus, 0, .arg = {7, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(90, ChanSendBegin, 7, .arg = {0xc000, 0, 1}),
        EV(100, GoBlock, 7, .arg = {f.chan_send}, .stack = f.send_stack),
        EV(110, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(150, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(160, GoUnpark, 1, .arg = {7}, .stack = f.recv_stack),
        EV(170, GoStart, 0, .arg = {7}),
        EV(180, ChanSendEnd, 7, .arg = {0xc000, 1, GL_CHAN_DONE}),
    };
    FEED(&f, events);
    assert_int_equal(f.r->sends.straddling, 1);
    assert_int_equal(f.r->sends.worst[0].begin, 90);
    assert_string_equal(gl_dict_text(f.dict, f.r->sends.worst[0].site.func, NULL), "main.producer");
    tear_down(&f);
}

/* A recorder that came late knows nobody; and a send that would have had to wait has not taken place. */
static void a_recorded_operation_makes_its_goroutine_known(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(10, ChanSendBegin, 7, .arg = {0xc000, 1, 1}),
        EV(20, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(30, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(40, ChanSendEnd, 7, .arg = {0xc000, 1, GL_CHAN_WOULD_BLOCK}),
        EV(50, ChanSendBegin, 7, .arg = {0xc000, 1, 1}),
        EV(60, GoBlock, 7, .arg = {f.chan_send}),
        EV(70, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(80, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(85, ChanClose, 8, .arg = {0xc000, 1, GL_CHAN_DONE}),
        EV(90, GoUnpark, 8, .arg = {7}),
        EV(95, GoStart, 0, .arg = {7}),
        EV(99, ChanSendEnd, 7, .arg = {0xc000, 1, GL_CHAN_PANIC}),
        EV(100, ChanRecvEnd, 8, .arg = {0xc000, 1, GL_CHAN_DONE}), /* its begin was before the recorder came */
        EV(100, ChanSendEnd, 8, .arg = {0xc000, 1, GL_CHAN_DONE}),
    };
    FEED(&f, events);
    assert_int_equal(f.r->sends.n, 1);
    assert_int_equal(f.r->sends.straddling, 1);
    assert_int_equal(f.r->sends.worst[0].begin, 50);
    assert_int_equal(f.r->sends.worst[0].release, GL_RELEASE_CLOSE);
    assert_true(f.r->sends.worst[0].release_recorded);
    assert_int_equal(f.r->released[GL_WAITED_SEND][GL_RELEASE_CLOSE], 1);
    assert_int_equal(f.r->released_recorded, 1);
    tear_down(&f);
}

static void who_waits_at_the_end_is_grouped_by_place(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    uint32_t worker = stack(f.dict, "runtime.gcBgMarkWorker", "runtime.gcBgMarkWorker");
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(0, GoStatus, 0, .arg = {5, GL_G_UNDETERMINED, GL_G_WAITING}, .stack = worker),
        EV(10, GoCreate, 1, .arg = {7, GL_G_RUNNABLE, f.start_stack}, .stack = f.close_stack),
        EV(11, GoCreate, 1, .arg = {8, GL_G_RUNNABLE, f.start_stack}, .stack = f.close_stack),
        EV(20, GoStart, 0, .arg = {7}),
        EV(30, GoBlock, 7, .arg = {f.chan_send}, .stack = f.send_stack),
        EV(40, GoStart, 0, .arg = {8}),
        EV(50, GoBlock, 8, .arg = {f.chan_send}, .stack = f.send_stack),
    };
    FEED(&f, events);
    assert_int_equal(f.r->stuck_count, 2);
    const gl_stuck_site *s = &f.r->stuck[0];
    assert_int_equal(s->n, 2);
    assert_false(s->system);
    assert_int_equal(s->released_here, 0);
    assert_int_equal(s->goroutines[0].g, 7);
    assert_int_equal(s->goroutines[0].since, 30);
    assert_int_equal(s->goroutines[1].g, 8);
    assert_string_equal(gl_dict_text(f.dict, s->created_at.func, NULL), "main.stop");
    assert_true(f.r->stuck[1].system);
    assert_false(f.r->stuck[1].goroutines[0].since_known);
    assert_int_equal(f.r->sends.not_ended, 2);
    tear_down(&f);
}

static int stop(void *user, const gl_goroutine_figures *g)
{
    (void)user, (void)g;
    return GL_E_CANCELLED;
}

static void a_callback_can_stop_and_odd_numbers_do_no_harm(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    gl_event e = {.type = GL_EV_GoCreate, .arg = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    for (unsigned type = 0; type < 300; type++) {
        e.type = (uint16_t)type;
        e.time = (int64_t)type % 2 ? INT64_MAX : INT64_MIN;
        e.stack = type * 77u;
        e.g = type % 3;
        e.thread = type;
        e.p = type * 1000003u;
        assert_int_equal(gl_summary_sink(f.s, &e, 1), 0);
    }
    assert_int_equal(gl_summary_finish(f.s, &f.r), 0);
    assert_int_equal(gl_summary_sink(f.s, &e, 1), GL_E_USAGE);
    tear_down(&f);

    set_up(&f);
    gl_summary_destroy(f.s);
    f.s = gl_summary_new(&(gl_summary_options){.dict = f.dict, .on_goroutine = stop});
    gl_event one = EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING});
    assert_int_equal(gl_summary_sink(f.s, &one, 1), 0);
    assert_int_equal(gl_summary_finish(f.s, &f.r), GL_E_CANCELLED);
    assert_null(f.r);
    tear_down(&f);
    assert_null(gl_summary_new(&(gl_summary_options){0}));
}

/* A goroutine that is gone costs nothing; its group keeps its time. */
static void ended_goroutines_leave(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    gl_summary_destroy(f.s);
    f.s = gl_summary_new(&(gl_summary_options){.dict = f.dict});
    for (int64_t i = 0; i < 20000; i++) {
        const gl_event events[] = {
            EV(i * 10, GoCreate, 1, .arg = {(uint64_t)i + 2, GL_G_RUNNABLE, f.start_stack}),
            EV(i * 10 + 2, GoStart, 0, .arg = {(uint64_t)i + 2}),
            EV(i * 10 + 5, GoEnd, (uint64_t)i + 2, .arg = {GL_G_RUNNING}),
        };
        assert_int_equal(gl_summary_sink(f.s, events, 3), 0);
    }
    assert_int_equal(gl_summary_finish(f.s, &f.r), 0);
    assert_int_equal(f.r->seen, 20000);
    assert_int_equal(f.r->ended, 20000);
    assert_int_equal(f.r->group_count, 1);
    assert_int_equal(f.r->groups[0].n, 20000);
    assert_int_equal(f.r->groups[0].times.ns[GL_G_RUNNING], 60000);
    assert_int_equal(f.r->sum.ns[GL_G_RUNNABLE], 40000);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_in_states_is_the_difference_of_stamps),
        cmocka_unit_test(a_send_lasts_until_it_runs_again_and_straddles_gc_pauses_only),
        cmocka_unit_test(a_recorded_send_is_its_operation),
        cmocka_unit_test(a_recorded_send_is_placed_by_its_wait),
        cmocka_unit_test(a_recorded_operation_makes_its_goroutine_known),
        cmocka_unit_test(who_waits_at_the_end_is_grouped_by_place),
        cmocka_unit_test(a_callback_can_stop_and_odd_numbers_do_no_harm),
        cmocka_unit_test(ended_goroutines_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
