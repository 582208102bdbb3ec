/*
 * A runtime whose truth is known: it counts what it does, and every one of its counts is to be the trace's, whatever the
 * threads did. Sends that straddle pauses and goroutines that leak are exactly as many as the program was told to make.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "golanes_analysis/summary.h"
#include "traced.h"

#define WORDS_MAX 32

typedef struct run {
    traced t;
    gl_summary *s;
    const gl_summary_result *r;
} run;

/** "--straddle 7 --leak 3" and so on, with the demo in front. */
static void run_demo(run *x, const char *program, const char *words)
{
    static char copy[512];
    char *argv[WORDS_MAX + 1] = {(char *)(uintptr_t)program};
    int n = 1;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word && n < WORDS_MAX; word = strtok(NULL, " "))
        argv[n++] = word;
    assert_true(traced_run(&x->t, argv));
    x->s = gl_summary_new(&(gl_summary_options){.dict = x->t.dict, .worst = 1000});
    assert_non_null(x->s);
    assert_int_equal(gl_summary_sink(x->s, x->t.events, x->t.count), 0);
    assert_int_equal(gl_summary_finish(x->s, &x->r), 0);
    if (x->r->lost_events || x->r->lost_bytes)
        fail_msg("%llu events were lost", (unsigned long long)x->r->lost_events);
}

static void forget(run *x)
{
    gl_summary_destroy(x->s);
    traced_clean_up(&x->t);
}

static uint64_t said(const run *x, const char *name)
{
    uint64_t n = traced_number(&x->t, name);
    if (n == UINT64_MAX)
        fail_msg("the program does not say %s, but:\n%s", name, x->t.text);
    return n;
}

static void compare(const run *x, const char *name, uint64_t have)
{
    if (said(x, name) != have)
        fail_msg("%s: the program says %llu, the trace %llu", name, (unsigned long long)said(x, name), (unsigned long long)have);
}

/** Events of a type whose argument `arg` is `value`. */
static uint64_t count_where(const run *x, unsigned type, unsigned arg, uint64_t value)
{
    uint64_t n = 0;
    for (size_t i = 0; i < x->t.count; i++)
        n += x->t.events[i].type == type && x->t.events[i].arg[arg] == value;
    return n;
}

static void compare_all(const run *x)
{
    const uint64_t *n = x->r->by_type;
    compare(x, "goroutines", n[GL_EV_GoCreate]);
    compare(x, "goroutines", x->r->created);
    compare(x, "ended", n[GL_EV_GoEnd]);
    compare(x, "ended", x->r->ended);
    compare(x, "blocks", n[GL_EV_GoBlock]);
    compare(x, "unparks", n[GL_EV_GoUnpark]);
    compare(x, "yields", n[GL_EV_GoYield]);
    compare(x, "syscalls", n[GL_EV_GoSyscallEnd]);
    compare(x, "chans", n[GL_EV_ChanMake]);
    compare(x, "sends", count_where(x, GL_EV_ChanSendEnd, 2, GL_CHAN_DONE));
    compare(x, "send_panics", count_where(x, GL_EV_ChanSendEnd, 2, GL_CHAN_PANIC));
    compare(x, "receives", count_where(x, GL_EV_ChanRecvEnd, 2, GL_CHAN_DONE));
    compare(x, "receives_closed", count_where(x, GL_EV_ChanRecvEnd, 2, GL_CHAN_CLOSED));
    compare(x, "closes", count_where(x, GL_EV_ChanClose, 2, GL_CHAN_DONE));
    compare(x, "close_panics", count_where(x, GL_EV_ChanClose, 2, GL_CHAN_PANIC));
    compare(x, "selects", n[GL_EV_ChanSelectBegin]);
    compare(x, "select_receives", count_where(x, GL_EV_ChanSelectEnd, 1, GL_CHAN_RECV));
    compare(x, "select_defaults", count_where(x, GL_EV_ChanSelectEnd, 1, GL_CHAN_DEFAULT));
    compare(x, "select_panics", count_where(x, GL_EV_ChanSelectEnd, 3, GL_CHAN_PANIC));
    compare(x, "panics", x->r->panics);
    compare(x, "gcs", x->r->gc.count);
    compare(x, "stws", x->r->stw.count);
    compare(x, "assists", x->r->assists);
    compare(x, "sweeps", x->r->sweeps);
    compare(x, "tasks", x->r->user.task_begin);
    compare(x, "regions", x->r->user.region_begin);
    compare(x, "logs", x->r->user.logs);
    /* Sends as reports have them: those of selects too, and those that panicked. */
    assert_true(!x->r->sends.n || x->r->sends.recorded);
    assert_int_equal(x->r->sends.n, said(x, "sends") + said(x, "send_panics") + said(x, "select_sends") + said(x, "select_panics"));
    uint64_t sure = said(x, "straddles");
    assert_in_range(x->r->sends.straddling, sure, sure + said(x, "straddles_maybe"));
    uint64_t pauses = 0;
    for (size_t i = 0; i < x->r->stw.list_count; i++)
        pauses += x->r->stw.list[i].gc;
    compare(x, "pauses", pauses);
}

static uint64_t stuck(const run *x)
{
    uint64_t n = 0;
    for (size_t i = 0; i < x->r->stuck_count; i++)
        n += x->r->stuck[i].system || x->r->stuck[i].idle ? 0 : x->r->stuck[i].n;
    return n;
}

static void k_straddling_sends_are_k(void **state)
{
    (void)state;
    static const unsigned ks[] = {0, 1, 2, 7, 40, 333};
    for (unsigned i = 0; i < sizeof ks / sizeof *ks; i++) {
        char words[100];
        run x;
        snprintf(words, sizeof words, "--procs %u --sends 50 --straddle %u --sends 50 --gc 2", 1 + i % 3, ks[i]);
        run_demo(&x, i % 2 ? DEMO_UCONTEXT : DEMO, words);
        compare_all(&x);
        assert_int_equal(said(&x, "straddles"), ks[i]);
        assert_int_equal(said(&x, "straddles_maybe"), 0);
        assert_int_equal(x.r->sends.straddling, ks[i]);
        assert_int_equal(x.r->sends.worst_count, ks[i]);
        for (unsigned k = 0; k < ks[i]; k++) { /* each knows its channel, and that it met both pauses of the cycle */
            assert_true(x.r->sends.worst[k].chan != 0 && x.r->sends.worst[k].chan == x.r->sends.worst[0].chan);
            assert_int_equal(x.r->sends.worst[k].pauses, 2);
            assert_true(x.r->sends.worst[k].recorded && x.r->sends.worst[k].woken);
            assert_int_equal(x.r->sends.worst[k].release, GL_RELEASE_RECV); /* main received them all */
            assert_true(x.r->sends.worst[k].release_recorded && x.r->sends.worst[k].woken_by == 1);
        }
        forget(&x);
    }
}

static void g_leaks_are_g(void **state)
{
    (void)state;
    static const unsigned gs[] = {0, 1, 5, 200};
    for (unsigned i = 0; i < sizeof gs / sizeof *gs; i++) {
        char words[100];
        run x;
        snprintf(words, sizeof words, "--procs %u --sends 10 --leak %u --gc 1 --sends 10", 1 + i % 3, gs[i]);
        run_demo(&x, DEMO, words);
        compare_all(&x);
        assert_int_equal(said(&x, "leaks"), gs[i]);
        assert_int_equal(stuck(&x), gs[i]);
        assert_int_equal(x.r->sends.not_ended, (gs[i] + 1) / 2);
        forget(&x);
    }
}

static void all_counts_are_those_of_the_program(void **state)
{
    (void)state;
    static const char *const words[] = {
        "--straddle 9 --leak 4 --send-closed 11 --close-closed 4 --select 300 --pipeline 400 --storm 100 --gc 2 --stop 3 --system 5",
        "--procs 1 --pipeline 700 --select 200",
        "--procs 4 --storm 600 --pipeline 300",
    };
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        run x;
        run_demo(&x, i % 2 ? DEMO_UCONTEXT : DEMO, words[i]);
        compare_all(&x);
        assert_int_equal(x.t.status, 0);
        forget(&x);
    }
}

static void panics_are_told_with_their_channel(void **state)
{
    (void)state;
    run x;
    run_demo(&x, DEMO, "--send-closed 20 --close-closed 10");
    compare_all(&x);
    assert_int_equal(said(&x, "panics"), 30);
    uint64_t sends = 0, closes = 0, nils = 0;
    for (size_t i = 0; i < x.t.count; i++) {
        const gl_event *ev = &x.t.events[i];
        if (ev->type != GL_EV_Panic)
            continue;
        const char *text = gl_dict_text(x.t.dict, (uint32_t)ev->arg[0], NULL);
        sends += !strcmp(text, "send on closed channel") && ev->arg[1];
        closes += !strcmp(text, "close of closed channel") && ev->arg[1];
        nils += !strcmp(text, "close of nil channel") && !ev->arg[1];
    }
    assert_int_equal(sends, 20);
    assert_int_equal(closes, 5);
    assert_int_equal(nils, 5);
    assert_int_equal(x.r->released[GL_WAITED_SEND][GL_RELEASE_CLOSE] + x.r->released[GL_WAITED_SELECT][GL_RELEASE_CLOSE], 10);
    forget(&x);
}

static void the_last_events_before_an_end_are_there(void **state)
{
    (void)state;
    run x;
    run_demo(&x, DEMO, "--sends 20 --deadlock");
    compare_all(&x);
    assert_true(WIFEXITED(x.t.status) && WEXITSTATUS(x.t.status) == 2);
    assert_int_equal(stuck(&x), 2);
    forget(&x);
    run_demo(&x, DEMO_UCONTEXT, "--sends 20 --uncaught");
    compare_all(&x);
    assert_true(WIFEXITED(x.t.status) && WEXITSTATUS(x.t.status) == 2);
    assert_int_equal(x.r->panics, 1);
    forget(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k_straddling_sends_are_k),
        cmocka_unit_test(g_leaks_are_g),
        cmocka_unit_test(all_counts_are_those_of_the_program),
        cmocka_unit_test(panics_are_told_with_their_channel),
        cmocka_unit_test(the_last_events_before_an_end_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
