/*
 * Damaged v1 traces: whatever the bytes, the import ends, delivers what is sound, and says what is not.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/golines.h"
#include "v1file.h"

#define GHZ 1000000000u

static bool has_damage(const v1lines *l, const char *part)
{
    for (uint64_t i = 0; i < l->result.damage_count && i < GL_GOTRACE_DAMAGES_MAX; i++)
        if (strstr(l->result.damages[i].reason, part))
            return true;
    return false;
}

static size_t lines_with(const v1lines *l, const char *part)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += strstr(l->at[i], part) != NULL;
    return n;
}

static v1lines import_and_free(v1file *f)
{
    v1lines l;
    v1lines_import(&l, f->bytes, f->n, NULL);
    v1file_free(f);
    return l;
}

static void test_empty(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, GL_E_TRUNCATED);
    assert_non_null(strstr(l.err.text, "holds no events"));
    v1lines_free(&l);
}

/* A killed program leaves no frequency: times are told in an assumed unit, and it is said so. */
static void test_no_footer(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_GO_SLEEP, 2, 39062500 - 3, 9);
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, 0);
    assert_true(l.result.truncated);
    assert_false(l.result.complete);
    assert_int_equal(l.result.unnamed_parts, 1);
    assert_true(has_damage(&l, "no frequency record"));
    assert_true(has_damage(&l, "1 events have stacks that the file does not hold"));
    assert_int_equal(lines_with(&l, "1000000001 StateTransition 7 0 1 g1 Running->Waiting reason=\"sleep\""), 1);
    assert_int_equal(lines_with(&l, "Lost - - -"), 1);
    v1lines_free(&l);
}

static void many_allocs(v1file *f, int n, int from)
{
    for (int i = 0; i < n; i++)
        v1file_event(f, EV_HEAP_ALLOC, 2, 10, from + i);
}

/* One bad byte costs a few events: the batch is taken up again behind it. */
static void test_bad_event(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    many_allocs(&f, 300, 0);
    size_t middle = f.n;
    many_allocs(&f, 300, 300);
    v1file_frequency(&f, GHZ);
    f.bytes[middle] = 0x3f; /* no event of any version */
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, 0);
    assert_false(l.result.complete);
    assert_false(l.result.truncated);
    assert_in_range(lines_with(&l, "Metric"), 580, 599);
    assert_int_equal(lines_with(&l, "Lost - - -"), 1);
    assert_int_equal(lines_with(&l, "bytes=599"), 1);
    assert_in_range(l.result.bytes_lost, 1, 100);
    assert_true(has_damage(&l, "no events of this version"));
    assert_in_range(l.result.damages[0].offset, middle - 20, middle);
    v1lines_free(&l);
}

/* A stretch of zeros: the P goes on with its next batch, the other P is whole. */
static void test_lost_stretch(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    many_allocs(&f, 50, 0);
    for (int i = 0; i < 5000; i++)
        v1file_byte(&f, 0);
    v1file_batch(&f, 1, 2000);
    v1file_event(&f, EV_PROC_START, 2, 1, 9);
    many_allocs(&f, 50, 1000);
    v1file_batch(&f, 0, 90000);
    many_allocs(&f, 50, 2000);
    v1file_frequency(&f, GHZ);
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, 0);
    assert_in_range(lines_with(&l, "Metric"), 147, 150);
    assert_int_equal(lines_with(&l, "Metric 9 1 "), 50);
    assert_int_equal(lines_with(&l, "until=89001 "), 1);
    assert_in_range(l.result.bytes_lost, 5000, 5010);
    for (size_t i = 0; i < l.n; i++)
        if (strstr(l.at[i], "Lost"))
            assert_in_range(atoi(l.at[i]), 480, 504);
    v1lines_free(&l);
}

/* The wake-up is missing: the start comes all the same, and says that it was not led up to. */
static void test_missing_cause(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_GO_SLEEP, 2, 1, 0);
    v1file_event(&f, EV_GO_START, 3, 10, 1, 5);
    v1file_event(&f, EV_GO_SLEEP, 2, 10, 0);
    v1file_event(&f, EV_GO_UNBLOCK, 4, 10, 1, 6, 0);
    v1file_event(&f, EV_GO_START, 3, 10, 1, 7);
    v1file_frequency(&f, GHZ);
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, 0);
    assert_int_equal(l.result.resyncs, 1);
    assert_int_equal(lines_with(&l, " RESYNC"), 1);
    assert_int_equal(lines_with(&l, "15 StateTransition 7 0 1 g1 Runnable->Running reason=\"\" RESYNC"), 1);
    assert_true(has_damage(&l, "1 events came without what must precede them"));
    assert_false(l.result.complete);
    v1lines_free(&l);
}

/* A P whose events wait in vain holds up its own events no longer than a moment. */
static void test_waiting_ends(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    for (int i = 0; i < 100; i++)
        v1file_event(&f, EV_HEAP_ALLOC, 2, 100000, i); /* 10 ms */
    v1file_batch(&f, 1, 1100);
    v1file_event(&f, EV_PROC_START, 2, 1, 9);
    v1file_event(&f, EV_GO_START, 3, 1, 77, 3);
    v1file_event(&f, EV_GO_END, 1, 1);
    v1file_frequency(&f, GHZ);
    v1lines l = import_and_free(&f);
    size_t start = 0, last = 0;
    for (size_t i = 0; i < l.n; i++) {
        if (strstr(l.at[i], "g77 Runnable->Running"))
            start = i;
        if (strstr(l.at[i], "Metric"))
            last = i;
    }
    assert_in_range(start, 5, 20);
    assert_int_equal(last, l.n - 1);
    v1lines_free(&l);
}

/* Many that wait for one goroutine, which goes on and on: none of them is asked without end. */
static void test_many_waiters(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 5, 0, 0);
    for (int i = 0; i < 1000; i++) {
        v1file_event(&f, EV_GO_START_LOCAL, 2, 0, 5);
        v1file_event(&f, EV_GO_SCHED, 2, 0, 0);
    }
    for (uint64_t p = 1; p < 1000; p++) {
        v1file_batch(&f, p, 1000);
        v1file_event(&f, EV_GO_START, 3, 1, 5, 1000000);
        v1file_event(&f, EV_GO_SCHED, 2, 1, 0);
    }
    v1file_frequency(&f, GHZ);
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, 0);
    assert_int_equal(lines_with(&l, "g5 Runnable->Running"), 1999);
    size_t first = 0;
    while (first < l.n && !strstr(l.at[first], "RESYNC"))
        first++;
    assert_in_range(first, 100, 1500);
    assert_in_range(l.result.resyncs, 999, 4000);
    v1lines_free(&l);
}

static void test_impossible_lengths(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {1000001, UINT32_MAX, UINT64_C(1) << 40, UINT64_MAX};
    for (int kind = 0; kind < 4; kind++)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            v1file f;
            v1file_begin(&f, 19);
            v1file_start(&f, 1000);
            many_allocs(&f, 3, 0);
            if (kind == 0) { /* a string */
                v1file_byte(&f, EV_STRING);
                v1file_number(&f, 1);
            } else if (kind == 1) { /* a stack */
                v1file_byte(&f, EV_STACK | 3 << 6);
            } else if (kind == 2) { /* numbers */
                v1file_byte(&f, EV_GO_CREATE | 3 << 6);
            } else { /* a message */
                v1file_event(&f, EV_LOG, 4, 1, 1, 0, 0);
            }
            v1file_number(&f, lengths[i]);
            v1lines l = import_and_free(&f);
            assert_int_equal(l.rc, 0);
            assert_false(l.result.complete);
            assert_in_range(lines_with(&l, "Metric"), 1, 3);
            v1lines_free(&l);
        }
}

static void test_many_ps(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    for (uint64_t p = 1; p < 5000; p++) {
        v1file_batch(&f, p, 1000 + p);
        v1file_event(&f, EV_PROC_START, 2, 1, 9);
    }
    v1file_frequency(&f, GHZ);
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, 0);
    assert_false(l.result.complete);
    assert_in_range(lines_with(&l, "Undetermined->Running"), 4000, 4200);
    v1lines_free(&l);
}

static void test_impossible_values(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    v1file_byte(&f, EV_HEAP_ALLOC | 1 << 6);
    v1file_number(&f, UINT64_MAX); /* a step back of one tick, or one of 584 years */
    v1file_number(&f, 5);
    v1file_byte(&f, EV_GO_UNBLOCK | 3 << 6);
    v1file_number(&f, 13);
    v1file_number(&f, 1);
    v1file_number(&f, UINT64_MAX); /* no goroutine of ours: the upper 16 bits mean something else */
    v1file_number(&f, 1);
    v1file_number(&f, 0);
    v1file_frequency(&f, GHZ);
    v1lines l = import_and_free(&f);
    assert_int_equal(l.rc, 0);
    assert_true(has_damage(&l, "1 events have impossible times"));
    assert_int_equal(lines_with(&l, "4 Metric"), 1);
    assert_int_equal(lines_with(&l, "g281474976710655 Waiting->Runnable"), 1);
    v1lines_free(&l);
}

/* Every prefix, and every bit turned over, of a trace with one of everything. */
static void everything(v1file *f, unsigned version)
{
    v1file_begin(f, version);
    v1file_start(f, 1000);
    v1file_event(f, EV_GO_CREATE, 4, 1, 2, 7, 6);
    v1file_event(f, EV_SYS_CALL, 2, 1, 6);
    v1file_event(f, EV_SYS_BLOCK, 1, 1);
    v1file_batch(f, 1, 1000);
    v1file_event(f, EV_PROC_START, 2, 5, 8);
    v1file_event(f, EV_GO_START, 3, 5, 2, 1);
    v1file_event(f, EV_GO_BLOCK_SEND, 2, 10, 6);
    v1file_event(f, EV_SYS_EXIT, 4, 10, 1, 2, 1020);
    v1file_event(f, EV_GO_START_LABEL, 4, 1, 1, 3, 3);
    v1file_event(f, EV_TASK_CREATE, 5, 1, 6, 5, 1, 0);
    v1file_log(f, 1, 6, 2, 6, "message");
    v1file_event(f, EV_GO_UNBLOCK, 4, 1, 2, 2, 6);
    v1file_batch(f, 3, 5000);
    v1file_event(f, EV_CPU_SAMPLE, 5, 7, 1010, 0, 1, 6);
    v1file_batch(f, 0, 1100);
    v1file_event(f, EV_GO_START, 3, 1, 2, 3);
    v1file_event(f, EV_GO_END, 1, 1);
    v1file_stack(f, 6, 2, 0x10, 3, 4, 11, 0x20, 3, 4, 22);
    v1file_string(f, 3, "main.work");
    v1file_string(f, 4, "main.go");
    v1file_frequency(f, GHZ);
}

static void check_any(const uint8_t *bytes, size_t n)
{
    v1lines l;
    v1lines_import(&l, bytes, n, NULL);
    assert_true(l.rc == 0 || l.rc == GL_E_TRUNCATED || l.rc == GL_E_NOT_TRACE || l.rc == GL_E_VERSION);
    assert_true(l.result.bytes_lost <= n);
    v1lines_free(&l);
    gl_input *in;
    gl_gotrace_glance glance;
    assert_int_equal(gl_input_from_memory(bytes, n, &in), 0);
    if (gl_gotrace_look(in, &glance, NULL) == 0)
        assert_true(glance.bytes_walked <= n);
    gl_input_close(in);
}

static void test_every_prefix(void **state)
{
    (void)state;
    v1file f;
    everything(&f, 21);
    for (size_t n = 0; n < f.n; n++) {
        uint8_t *exact = malloc(n + 1); /* a reader that goes too far is caught by the sanitizer */
        assert_non_null(exact);
        memcpy(exact, f.bytes, n);
        exact = realloc(exact, n ? n : 1);
        check_any(exact, n);
        free(exact);
    }
    v1file_free(&f);
}

static void test_every_bit(void **state)
{
    (void)state;
    v1file f;
    everything(&f, 19);
    for (size_t i = 0; i < f.n * 8; i++) {
        f.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        check_any(f.bytes, f.n);
        f.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    v1file_free(&f);
}

/* Callbacks that stop the import */

static int stop_at_once(void *user, const gl_event *events, size_t n)
{
    (void)user;
    (void)events;
    (void)n;
    return GL_E_CANCELLED;
}

static int go_on(void *user, const gl_event *events, size_t n)
{
    *(size_t *)user += n;
    (void)events;
    return 0;
}

static int no_progress(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    assert_true(done <= total);
    return 1;
}

static void test_cancel(void **state)
{
    (void)state;
    for (int by_progress = 0; by_progress < 2; by_progress++) {
        v1file f;
        everything(&f, 19);
        gl_input *in;
        assert_int_equal(gl_input_from_memory(f.bytes, f.n, &in), 0);
        gl_dict *dict = gl_dict_new();
        size_t n = 0;
        gl_gotrace_options opt = {.dict = dict, .on_events = by_progress ? go_on : stop_at_once, .events_user = &n};
        opt.on_progress = by_progress ? no_progress : NULL;
        gl_gotrace_result result;
        gl_error err = {0};
        assert_int_equal(gl_gotrace_import(in, &opt, &result, &err), GL_E_CANCELLED);
        assert_int_equal(n, 0);
        gl_dict_destroy(dict);
        gl_input_close(in);
        v1file_free(&f);
    }
}

static void test_look(void **state)
{
    (void)state;
    v1file f;
    everything(&f, 21);
    gl_input *in;
    gl_gotrace_glance g;
    assert_int_equal(gl_input_from_memory(f.bytes, f.n, &in), 0);
    assert_int_equal(gl_gotrace_look(in, &g, NULL), 0);
    assert_int_equal(g.header_version, 21);
    assert_int_equal(g.bytes_walked, f.n);
    assert_int_equal(g.batches, 4);
    assert_true(g.ends_well);
    assert_int_equal(g.span_ns, 102);
    assert_int_equal(g.events_estimate, 18);
    gl_input_close(in);
    assert_int_equal(gl_input_from_memory(f.bytes, f.n - 3, &in), 0);
    assert_int_equal(gl_gotrace_look(in, &g, NULL), 0);
    assert_false(g.ends_well);
    gl_input_close(in);
    v1file_free(&f);
}

/* The corpus */

typedef struct expectation {
    bool truncated, go_failed;
    uint64_t go_events;
} expectation;

static expectation read_expectation(const char *dir, const char *name)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s.expect.txt", dir, name);
    assert_true(len > 0 && (size_t)len < sizeof path);
    size_t n;
    char *text = golines_load(path, &n);
    assert_non_null(text);
    expectation e = {0};
    e.truncated = strstr(text, "class: truncated") != NULL;
    e.go_failed = strstr(text, "go-parser: error") != NULL;
    const char *events = strstr(text, "go_events: ");
    assert_non_null(events);
    e.go_events = strtoull(events + strlen("go_events: "), NULL, 10);
    free(text);
    return e;
}

static bool check_file(const char *dir, const char *name)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s.trace", dir, name);
    assert_true(len > 0 && (size_t)len < sizeof path);
    size_t n;
    char *bytes = golines_load(path, &n);
    unsigned version = bytes ? gl_gotrace_detect(bytes, n) : 0;
    if (version == 0 || version >= 22) {
        free(bytes);
        return false;
    }
    expectation e = read_expectation(dir, name);
    v1lines l;
    v1lines_import(&l, bytes, n, NULL);
    print_message("%s: %llu events (Go: %llu), %llu bytes lost, %llu resyncs\n", name,
                  (unsigned long long)l.result.events, (unsigned long long)e.go_events,
                  (unsigned long long)l.result.bytes_lost, (unsigned long long)l.result.resyncs);
    assert_true(l.rc == 0 || (l.rc == GL_E_TRUNCATED && n == 16));
    assert_true(l.result.events + 1 >= e.go_events); /* Go counts a Sync at the end */
    assert_true(!e.truncated || l.result.truncated);
    assert_true(!e.go_failed || !l.result.complete);
    assert_true(l.result.complete == (l.result.damage_count == 0));
    assert_true(!e.go_failed || l.n > 1000 || n < 100);
    v1lines_free(&l);
    free(bytes);
    return true;
}

static void test_corpus(void **state)
{
    (void)state;
    const char *corpus = golines_corpus();
    if (!corpus) {
        print_message("no corpus: GOLANES_CORPUS names none; the small set has to do\n");
        corpus = GOLANES_SMALL_CORPUS;
    }
    char dir[4096];
    int len = snprintf(dir, sizeof dir, "%s/malformed", corpus);
    assert_true(len > 0 && (size_t)len < sizeof dir);
    DIR *d = opendir(dir);
    int checked = 0;
    static const char suffix[] = ".expect.txt";
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t n = strlen(e->d_name), tail = sizeof suffix - 1;
        if (n <= tail || strcmp(e->d_name + n - tail, suffix) != 0)
            continue;
        e->d_name[n - tail] = 0;
        checked += check_file(dir, e->d_name);
    }
    if (d)
        closedir(d);
    assert_true(checked >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),           cmocka_unit_test(test_no_footer),
        cmocka_unit_test(test_bad_event),       cmocka_unit_test(test_lost_stretch),
        cmocka_unit_test(test_missing_cause),   cmocka_unit_test(test_waiting_ends),
        cmocka_unit_test(test_impossible_lengths), cmocka_unit_test(test_many_ps),
        cmocka_unit_test(test_impossible_values), cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_every_bit),       cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_look),            cmocka_unit_test(test_many_waiters),
        cmocka_unit_test(test_corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
