#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "golanes_analysis/breakdown.h"
#include "golanes_analysis/latency.h"
#include "golanes_analysis/marks.h"
#include "golanes_analysis/path.h"
#include "golanes_analysis/pauses.h"
#include "hand.h"
#include "keep.h"
#include "sample.h"

typedef struct fixture {
    gl_dict *dict;
    gl_summary *s;
    const gl_summary_result *r;
    uint32_t recv, sync, net, mark_term, preempted, worker, main_stack, send;
} fixture;

static void set_up(fixture *f, const gl_mmu_request *mmu)
{
    memset(f, 0, sizeof *f);
    f->dict = gl_dict_new();
    f->recv = text(f->dict, "chan receive");
    f->sync = text(f->dict, "sync");
    f->net = text(f->dict, "network");
    f->mark_term = text(f->dict, "GC mark termination");
    f->preempted = text(f->dict, "preempted");
    f->send = text(f->dict, "chan send");
    f->worker = stack(f->dict, "runtime.chanrecv1", "main.worker");
    f->main_stack = stack(f->dict, "main.work", "main.main");
    f->s = gl_summary_new(&(gl_summary_options){.dict = f->dict, .mmu = mmu});
    assert_non_null(f->s);
}

static void tear_down(fixture *f)
{
    gl_summary_destroy(f->s);
    gl_dict_destroy(f->dict);
}

static void finish(fixture *f) { assert_int_equal(gl_summary_finish(f->s, &f->r), 0); }

/* main (G1) makes two workers; G7 waits 100, 20 and 30, G8 is open in a network wait at the end. */
static void feed_workers(fixture *f)
{
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(10, GoCreate, 1, .arg = {7, GL_G_RUNNABLE, f->worker}, .stack = f->main_stack),
        EV(20, GoCreate, 1, .arg = {8, GL_G_RUNNABLE, f->worker}, .stack = f->main_stack),
        EVP(30, GoStart, 0, 1, .arg = {7}), /* 20 after its creation */
        EVP(50, GoBlock, 7, 1, .arg = {f->recv}, .stack = f->worker),
        EVP(60, GoStart, 0, 1, .arg = {8}), /* 40 */
        EVP(100, GoBlock, 8, 1, .arg = {f->net}, .stack = f->worker),
        EV(150, GoUnpark, 1, .arg = {7}, .stack = f->main_stack),
        EVP(155, GoStart, 0, 1, .arg = {7}), /* 5 after it was woken */
        EVP(200, GoYield, 7, 1, .arg = {f->preempted}, .stack = f->worker),
        EVP(207, GoStart, 0, 1, .arg = {7}), /* 7 after preemption */
        EVP(210, GoBlock, 7, 1, .arg = {f->sync}, .stack = f->worker),
        EV(230, GoUnpark, 0, .arg = {7}),
        EVP(240, GoStart, 0, 1, .arg = {7}), /* 10, by no goroutine */
        EVP(250, GoSyscallBegin, 7, 1, .arg = {0}, .stack = f->worker),
        EVP(280, GoSyscallEnd, 7, 1, .arg = {1}),
        EVP(283, GoStart, 0, 1, .arg = {7}), /* 3 after the call */
        EVP(300, GoEnd, 7, 1, .arg = {GL_G_RUNNING}),
        EV(400, UserLog, 1, .arg = {0}),
    };
    TAKE(f->s, events);
}

static bool is_worker(void *user, uint32_t group)
{
    const fixture *f = user;
    return strcmp(gl_dict_text(f->dict, group, NULL), "main.worker") == 0;
}

static void lives_are_divided_by_class_and_group(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, NULL);
    gl_breakdown_options o = {.sort = GL_TIME_RUNNING, .rows = 2};
    gl_breakdown *b = gl_breakdown_new(f.s, f.dict, &o);
    assert_non_null(b);
    feed_workers(&f);
    finish(&f);
    const gl_breakdown_result *r;
    assert_int_equal(gl_breakdown_finish(b, &r), 0);
    assert_int_equal(r->group_count, 2);
    assert_int_equal(r->rows_in_all, 3);
    assert_int_equal(r->row_count, 2);
    assert_int_equal(r->rows[0].g, 1); /* it ran all the time */
    assert_int_equal(r->rows[0].ns[GL_TIME_RUNNING], 400);
    const gl_breakdown_row *seven = &r->rows[1];
    assert_int_equal(seven->g, 7);
    assert_int_equal(seven->ns[GL_TIME_RUNNING], 20 + 45 + 3 + 10 + 17);
    assert_int_equal(seven->ns[GL_TIME_SCHED], 20 + 5 + 7 + 10 + 3);
    assert_int_equal(seven->ns[GL_TIME_CHANNEL], 100);
    assert_int_equal(seven->ns[GL_TIME_SYNC], 20);
    assert_int_equal(seven->ns[GL_TIME_SYSCALL], 30);
    assert_int_equal(seven->ns[GL_TIME_LIFE], 290);
    const gl_breakdown_group *workers = &r->groups[1];
    assert_string_equal(gl_dict_text(f.dict, workers->group, NULL), "main.worker");
    assert_int_equal(workers->n, 2);
    assert_int_equal(workers->created, 2);
    assert_int_equal(workers->alive, 1);
    assert_int_equal(workers->time[GL_TIME_NETWORK].max_ns, 300);
    assert_int_equal(workers->time[GL_TIME_NETWORK].p50_ns, 0);
    assert_int_equal(workers->sched_span.n, 6);
    assert_int_equal(workers->sched_span.p50_ns, 7);
    assert_int_equal(workers->sched_span.max_ns, 40);
    gl_breakdown_destroy(b);
    tear_down(&f);
}

static void latency_is_told_by_its_cause(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, NULL);
    gl_latency_options o = {.worst = 2, .wanted = is_worker, .user = &f};
    gl_latency *l = gl_latency_new(f.s, &o);
    assert_non_null(l);
    feed_workers(&f);
    finish(&f);
    const gl_latency_result *r;
    assert_int_equal(gl_latency_finish(l, &r), 0);
    assert_int_equal(r->all.n, 6);
    assert_int_equal(r->all.total_ns, 20 + 40 + 5 + 7 + 10 + 3);
    assert_int_equal(r->all.total_ns, f.r->runnable.total_ns);
    assert_int_equal(r->bucket[0], 6);
    assert_int_equal(r->cause[GL_LATENCY_CREATED].total_ns, 60);
    assert_int_equal(r->cause[GL_LATENCY_WOKEN].total_ns, 5);
    assert_int_equal(r->cause[GL_LATENCY_EVENT].total_ns, 10);
    assert_int_equal(r->cause[GL_LATENCY_YIELD].total_ns, 7);
    assert_int_equal(r->cause[GL_LATENCY_SYSCALL].total_ns, 3);
    assert_int_equal(r->cause[GL_LATENCY_UNKNOWN].n, 0);
    assert_int_equal(r->worst_count, 2);
    assert_int_equal(r->worst[0].g, 8);
    assert_int_equal(r->worst[0].by, 1);
    assert_int_equal(r->worst[1].g, 7);
    assert_int_equal(r->worst[1].end - r->worst[1].begin, 20);
    assert_string_equal(gl_dict_text(f.dict, r->worst[1].site.func, NULL), "main.work");
    gl_latency_destroy(l);
    tear_down(&f);
}

static void regions_know_where_their_time_went(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, NULL);
    gl_marks *m = gl_marks_new(f.s, &(gl_marks_options){.slow = 8});
    assert_non_null(m);
    uint32_t outer = text(f.dict, "outer"), inner = text(f.dict, "inner"), job = text(f.dict, "job");
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(5, TaskBegin, 1, .arg = {3, 0, job}),
        EV(6, TaskBegin, 1, .arg = {4, 3, job}),
        EV(10, RegionBegin, 1, .arg = {3, outer}, .stack = f.main_stack),
        EV(20, RegionBegin, 1, .arg = {3, inner}, .stack = f.main_stack),
        EV(30, GoBlock, 1, .arg = {f.recv}, .stack = f.main_stack),
        EV(70, GoUnpark, 0, .arg = {1}),
        EV(75, GoStart, 0, .arg = {1}),
        EV(80, RegionEnd, 1, .arg = {3, inner}),
        EV(90, RegionEnd, 1, .arg = {3, outer}),
        EV(95, TaskEnd, 1, .arg = {3}),
        EV(96, RegionEnd, 1, .arg = {0, outer}), /* its begin is not in the trace */
        EV(97, RegionBegin, 1, .arg = {0, inner}, .stack = f.main_stack),
        EV(100, UserLog, 1, .arg = {3}),
    };
    TAKE(f.s, events);
    finish(&f);
    const gl_marks_result *r;
    assert_int_equal(gl_marks_finish(m, f.r, &r), 0);
    assert_int_equal(r->region_count, 2);
    const gl_marks_type *o = &r->regions[0], *i = &r->regions[1];
    assert_int_equal(o->name, outer);
    assert_int_equal(o->time.total_ns, 80);
    assert_int_equal(o->open_start, 1);
    assert_int_equal(o->ns[GL_G_WAITING], 40);
    assert_int_equal(o->ns[GL_G_RUNNABLE], 5);
    assert_int_equal(o->ns[GL_G_RUNNING], 35);
    assert_int_equal(i->time.n, 1);
    assert_int_equal(i->open_end, 1);
    assert_int_equal(i->ns[GL_G_RUNNING], 15);
    assert_int_equal(r->slow_region_count, 3);
    assert_int_equal(r->slow_regions[0].begin, 10);
    assert_true(r->slow_regions[2].open_end);
    assert_int_equal(r->tasks_in_all, 2);
    assert_int_equal(r->tasks[0].time.max_ns, 90);
    assert_int_equal(r->tasks[0].open_end, 1);
    assert_int_equal(r->tasks[0].regions, 2);
    assert_int_equal(r->slow_tasks[0].id, 4); /* it did not end */
    gl_marks_destroy(m);
    tear_down(&f);
}

static void a_pause_knows_who_stopped_last_and_what_it_held_up(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, NULL);
    gl_pauses *x = gl_pauses_new(f.s, f.dict, 1u << GL_OPERATION_SEND);
    assert_non_null(x);
    const gl_event events[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EVP(0, ProcStatus, 0, GL_NO_PROC, .arg = {0, GL_P_UNDETERMINED, GL_P_RUNNING}),
        EVP(0, ProcStatus, 0, GL_NO_PROC, .arg = {1, GL_P_UNDETERMINED, GL_P_RUNNING}),
        EVP(0, ProcStatus, 0, GL_NO_PROC, .arg = {2, GL_P_UNDETERMINED, GL_P_RUNNING}),
        EVP(0, ProcStatus, 0, GL_NO_PROC, .arg = {3, GL_P_UNDETERMINED, GL_P_IDLE}),
        EVP(0, GoStatus, 0, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EVP(10, GoCreate, 1, 0, .arg = {7, GL_G_RUNNABLE, f.worker}),
        EVP(11, GoCreate, 1, 0, .arg = {8, GL_G_RUNNABLE, f.worker}),
        EVP(20, GoStart, 0, 1, .arg = {7}),
        EVP(30, GoStart, 0, 2, .arg = {8}),
        EVP(50, GoBlock, 8, 2, .arg = {f.send}, .stack = f.worker),
        EVP(100, GCSTWBegin, 1, 0, .arg = {f.mark_term}, .stack = f.main_stack),
        EVP(110, ProcStop, 0, 2, .arg = {2}),
        EVP(140, GoYield, 7, 1, .arg = {f.preempted}, .stack = f.worker),
        EVP(145, ProcStop, 0, 1, .arg = {1}),
        EVP(150, GoUnpark, 1, 0, .arg = {8}, .stack = f.worker),
        EVP(190, ProcStart, 0, GL_NO_PROC, .arg = {1}),
        EVP(200, GCSTWEnd, 1, 0, .arg = {f.mark_term}),
        EVP(210, GoStart, 0, 1, .arg = {7}),
        EVP(260, GoEnd, 7, 1, .arg = {GL_G_RUNNING}),
        EVP(270, GoStart, 0, 1, .arg = {8}),
        /* the second pause ends before P 1 is seen to stop */
        EVP(300, GCSTWBegin, 1, 0, .arg = {f.mark_term}),
        EVP(320, GCSTWEnd, 1, 0, .arg = {f.mark_term}),
        EVP(330, GoEnd, 8, 1, .arg = {GL_G_RUNNING}),
    };
    TAKE(f.s, events);
    finish(&f);
    const gl_pauses_result *r;
    assert_int_equal(gl_pauses_finish(x, f.r->end_ns, &r), 0);
    assert_int_equal(r->count, 2);
    const gl_pause *p = &r->list[0];
    assert_int_equal(p->end - p->begin, 100);
    assert_true(p->gc);
    assert_int_equal(p->running, 2);
    assert_int_equal(p->stopping_ns, 45);
    assert_int_equal(p->last_p, 1);
    assert_int_equal(p->last_g, 7);
    assert_string_equal(gl_dict_text(f.dict, p->last_group, NULL), "main.worker");
    assert_int_equal(p->delayed, 2); /* G7 from 140 on, G8 from 150 on */
    assert_int_equal(p->delayed_ns, 60 + 50);
    assert_int_equal(p->sends, 1);
    assert_int_equal(p->sends_ns, 100);
    assert_int_equal(r->list[1].stopping_ns, -1);
    assert_int_equal(r->list[1].running, 1);
    assert_int_equal(r->stopping_known, 1);
    gl_pauses_destroy(x);
    tear_down(&f);
}

static void a_curve_that_was_asked_for_finds_the_worst_windows(void **state)
{
    (void)state;
    fixture f;
    static const int64_t windows[] = {10, 100, 1000};
    gl_mmu_request q = {.windows = windows, .window_count = 3, .worst_of = 1, .worst = 3};
    set_up(&f, &q);
    const gl_event events[] = {
        EV(0, ProcsChange, 0, .arg = {4}),
        EV(0, GoStatus, 0, .arg = {1, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(1000, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(1040, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(2000, GCSTWBegin, 1, .arg = {f.mark_term}),
        EV(2070, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(2090, GCSTWBegin, 1, .arg = {f.mark_term}), /* within 100 of the last one */
        EV(2100, GCSTWEnd, 1, .arg = {f.mark_term}),
        EV(5000, UserLog, 1, .arg = {0}),
    };
    TAKE(f.s, events);
    finish(&f);
    const gl_mmu_curve *c = &f.r->mmu_curve;
    assert_float_equal(c->least[0], 0, 1e-9);
    assert_float_equal(c->least[1], 0.2, 1e-9);
    assert_float_equal(c->least[2], 0.92, 1e-9);
    assert_float_equal(c->mean, 1 - 120.0 / 5000, 1e-9);
    assert_int_equal(c->worst_count, 2);
    assert_int_equal(c->worst[0].begin, 2000);
    assert_float_equal(c->worst[0].utilisation, 0.2, 1e-9);
    assert_float_equal(c->worst[1].utilisation, 0.6, 1e-9);
    assert_true(c->worst[1].begin <= 1000 && c->worst[1].begin + 100 >= 1040);
    tear_down(&f);

    q.per_proc = true;
    set_up(&f, &q);
    TAKE(f.s, events);
    finish(&f);
    assert_float_equal(f.r->mmu_curve.least[1], 0.2, 1e-9);
    assert_int_equal(f.r->mmu_curve.worst_count, 3); /* the same window on four Ps */
    assert_int_equal(f.r->mmu_curve.worst[0].p, 0);
    assert_int_equal(f.r->mmu_curve.worst[2].p, 2);
    tear_down(&f);
}

/* Two goroutines wake each other for ever: the path has a step more with each turn. */
static void a_long_path_forgets_its_beginning(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, NULL);
    gl_path *p = gl_path_new(f.s, &(gl_path_options){.g = 7, .to = INT64_MAX, .steps_max = 1000});
    assert_non_null(p);
    const gl_event begin[] = {
        EV(0, ClockSync, 0, .arg = {1}),
        EV(0, GoStatus, 0, .arg = {7, GL_G_UNDETERMINED, GL_G_RUNNING}),
        EV(0, GoStatus, 0, .arg = {8, GL_G_UNDETERMINED, GL_G_WAITING}),
        EV(0, GoStatus, 0, .arg = {9, GL_G_UNDETERMINED, GL_G_WAITING}),
    };
    TAKE(f.s, begin);
    for (int64_t i = 0; i < 10000; i++) {
        uint64_t a = 7 + (uint64_t)(i & 1), b = 15 - a;
        int64_t t = 10 + i * 10;
        const gl_event turn[] = {
            EV(t, GoUnpark, a, .arg = {b}),
            EV(t + 1, GoBlock, a, .arg = {f.recv}),
            EV(t + 2, GoStart, 0, .arg = {b}),
        };
        TAKE(f.s, turn);
    }
    finish(&f);
    const gl_path_result *r;
    assert_int_equal(gl_path_finish(p, f.r->end_ns, &r), 0);
    assert_true(r->found);
    assert_true(r->cut);
    assert_int_equal(r->end, f.r->end_ns);
    assert_in_range(r->step_count, 200, 1000);
    uint64_t sum = 0;
    for (size_t i = 0; i < r->step_count; i++) {
        sum += (uint64_t)(r->steps[i].end - r->steps[i].begin);
        if (i)
            assert_int_equal(r->steps[i].begin, r->steps[i - 1].end);
    }
    assert_int_equal(sum, r->end - r->begin);
    gl_path_destroy(p);
    tear_down(&f);
}

static int larger(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return *x > *y ? -1 : *x < *y;
}

static void the_best_are_kept_in_order(void **state)
{
    (void)state;
    for (size_t most = 0; most < 20; most++) {
        gl_keep k = {.most = most, .bytes = sizeof(int), .better = larger};
        for (int i = 0; i < 100; i++)
            assert_int_equal(gl_keep_add(&k, &(int){i * 37 % 100}), 0);
        gl_keep_sort(&k);
        assert_int_equal(k.count, most);
        for (size_t i = 0; i < most; i++)
            assert_int_equal(((int *)(void *)k.list)[i], 99 - (int)i);
        gl_keep_clean_up(&k);
    }
}

static void a_sample_is_exact_while_it_is_small(void **state)
{
    (void)state;
    gl_sample s = {0};
    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal(gl_sample_add(&s, i * 1001 % 1009 * 1000), 0); /* each of 1..1008 at most once */
    gl_spread x = gl_sample_spread(&s);
    assert_false(x.approximate);
    assert_int_equal(x.n, 1000);
    gl_sample_clean_up(&s);
    for (uint64_t i = 0; i < 100000; i++)
        assert_int_equal(gl_sample_add(&s, i), 0);
    x = gl_sample_spread(&s);
    assert_true(x.approximate);
    assert_int_equal(x.max_ns, 99999);
    const uint64_t want[] = {50000, 90000, 95000, 99000}, got[] = {x.p50_ns, x.p90_ns, x.p95_ns, x.p99_ns};
    for (size_t i = 0; i < 4; i++)
        assert_in_range(got[i], want[i] - want[i] / 60, want[i] + want[i] / 60);
    assert_int_equal(gl_sample_at(&s, 0), 0);
    gl_sample_clean_up(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_are_divided_by_class_and_group),
        cmocka_unit_test(latency_is_told_by_its_cause),
        cmocka_unit_test(regions_know_where_their_time_went),
        cmocka_unit_test(a_pause_knows_who_stopped_last_and_what_it_held_up),
        cmocka_unit_test(a_curve_that_was_asked_for_finds_the_worst_windows),
        cmocka_unit_test(a_long_path_forgets_its_beginning),
        cmocka_unit_test(the_best_are_kept_in_order),
        cmocka_unit_test(a_sample_is_exact_while_it_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
