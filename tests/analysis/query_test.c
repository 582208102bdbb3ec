/* Filter expressions: what they mean of a small trace with known times, and where a wrong one went wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "golanes_analysis/query.h"

#define MS INT64_C(1000000)

static gl_dict *dict;
static gl_event events[32];
static size_t n;

static uint32_t text(const char *s)
{
    uint32_t id;
    assert_int_equal(gl_dict_string(dict, s, strlen(s), &id), 0);
    return id;
}

static uint32_t stack(const char *leaf, const char *root)
{
    const char *names[2] = {leaf, root};
    uint32_t frames[2], id;
    for (int i = 0; i < 2; i++) {
        uint32_t f;
        gl_func func = {text(names[i]), text(i ? "/src/main.go" : "/src/lib.go")};
        assert_int_equal(gl_dict_func(dict, func, &f), 0);
        assert_int_equal(gl_dict_frame(dict, (gl_frame){(uint64_t)(f * 10 + 1), f, 7}, &frames[i]), 0);
    }
    assert_int_equal(gl_dict_stack(dict, frames, 2, &id), 0);
    return id;
}

static gl_event *add(int64_t ms, gl_event_type type, uint64_t g, uint32_t p)
{
    events[n] = (gl_event){.time = ms * MS, .g = g, .p = p, .thread = p, .type = (uint16_t)type};
    return &events[n++];
}

/* 0 create G7 by G1; 1 start; 2 block 'chan send'; 3 STW begin; 4 STW end; 5 unpark by G1; 6 start; 7, 8 a region; 9 log;
 * 10 block 'sleep', for good. */
static int set_up(void **state)
{
    (void)state;
    dict = gl_dict_new();
    n = 0;
    gl_event *e = add(1, GL_EV_GoCreate, 1, 0);
    e->arg[0] = 7;
    e->arg[1] = GL_G_RUNNABLE;
    e->arg[2] = stack("main.worker", "main.worker");
    add(2, GL_EV_GoStart, 0, 1)->arg[0] = 7;
    e = add(5, GL_EV_GoBlock, 7, 1);
    e->arg[0] = text("chan send");
    e->stack = stack("main.put", "main.worker");
    add(6, GL_EV_GCSTWBegin, 1, 0)->arg[0] = text("GC sweep termination");
    add(9, GL_EV_GCSTWEnd, 1, 0)->arg[0] = text("GC sweep termination");
    e = add(15, GL_EV_GoUnpark, 1, 0);
    e->arg[0] = 7;
    e->stack = stack("main.take", "main.main");
    add(16, GL_EV_GoStart, 0, 2)->arg[0] = 7;
    add(17, GL_EV_RegionBegin, 7, 2)->arg[1] = text("parse");
    add(19, GL_EV_RegionEnd, 7, 2)->arg[1] = text("parse");
    e = add(20, GL_EV_UserLog, 7, 2);
    e->arg[0] = 4;
    e->arg[2] = text("cache miss");
    add(21, GL_EV_GoBlock, 7, 2)->arg[0] = text("sleep");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_dict_destroy(dict);
    return 0;
}

static gl_query *query(const char *expression)
{
    gl_query_error err;
    gl_query *q = gl_query_new(expression, &err);
    if (!q)
        fail_msg("%s: at %zu: %s", expression, err.at, err.text);
    return q;
}

/* Numbers of the events that an expression means, as "2 5 ". */
static const char *meant(const char *expression)
{
    static char out[200];
    size_t at = 0;
    gl_query *q = query(expression);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        int yes = gl_query_event(q, dict, &events[i]);
        assert_true(yes >= 0);
        if (yes)
            at += (size_t)snprintf(out + at, sizeof out - at, "%zu ", i);
    }
    gl_query_destroy(q);
    return out;
}

static void expressions_mean_the_events_that_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *expression, *events;
    } cases[] = {
        {"type=GoBlock", "2 10 "},
        {"type=gcstw", "3 4 "},
        {"type~^region", "7 8 "},
        {"type!=GoStart type!~^(GC|Region)", "0 2 5 9 10 "},
        {"time>=16ms time<19ms", "6 7 "},
        {"time=5ms", "2 "},
        {"g=7", "0 1 2 5 6 7 8 9 10 "},
        {"g=G1", "0 3 4 5 "},
        {"g!=7", "3 4 "},
        {"p=2 type=GoStart", "6 "},
        {"p>=2", "6 7 8 9 10 "},
        {"m<1", "0 3 4 5 "},
        {"task=4", "9 "},
        {"text~miss", "9 "},
        {"text=\"cache miss\"", "9 "},
        {"text=cache", ""},
        {"text~Miss", ""},
        {"text~(?i)Miss", "9 "},
        /* What ends: the wait of 10 ms at the unpark, runnable times at the starts, the pause of 3 ms, the region of 2 ms. */
        {"state=blocked", "5 "},
        {"state=waiting dur>=10ms", "5 "},
        {"state=blocked dur>10ms", ""},
        {"state=runnable dur=1ms", "1 6 "},
        {"type=GCSTWEnd dur=3ms", "4 "},
        {"type=region dur=2ms", "8 "},
        {"dur<2ms", "1 6 "},
        {"reason~\"chan send\"", "2 5 "},
        {"reason=sleep", "10 "},
        {"reason~gc", "3 4 "},
        {"state=blocked reason~chan func~^main\\.put$", "5 "},
        {"func~take", "5 "},
        {"func=main.worker", "0 2 5 "},
        {"file~lib\\.go", "0 2 5 "},
        {"func~lib", ""},
        {"start~worker not type=GoStart", "0 2 5 7 8 9 10 "},
        {"creator=1 type=GoBlock", "2 10 "},
        {"worker type=UserLog", "9 "},
        {"G7 type=UserLog", "9 "},
        {"type=UserLog or type=GoCreate", "0 9 "},
        {"type=UserLog || type=GoCreate && g=99", "9 "},
        {"(type=UserLog or type=GoCreate) and g=99", ""},
        {"!(g=7) !type~gc", ""},
        {"not not type=UserLog", "9 "},
        {"  ( type = UserLog ) ", "9 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(meant(cases[i].expression), cases[i].events) != 0)
            fail_msg("%s means %s, not %s", cases[i].expression, meant(cases[i].expression), cases[i].events);
}

static void a_wrong_expression_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *expression;
        size_t at;
        const char *says;
    } cases[] = {
        {"", 0, "empty"},
        {"type=", 5, "lacks its value"},
        {"dur>5", 4, "with its unit"},
        {"g=1 dur>>5ms", 8, "with its unit"},
        {"g~1", 2, "no text"},
        {"reason>chan", 7, "no quantity"},
        {"state=asleep", 6, "running, runnable"},
        {"type=GoBlokc", 5, "no event GoBlokc"},
        {"g=1 colour=red", 4, "no field colour"},
        {"(g=1", 0, "not closed"},
        {"g=1)", 3, "no ( for this"},
        {"g=1 and", 7, "expected after"},
        {"reason~a(b", 7, "regular expression"},
        {"reason=\"chan", 7, "no end"},
        {"g=12x", 2, "takes a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gl_query_error err;
        assert_null(gl_query_new(cases[i].expression, &err));
        if (err.at != cases[i].at || !strstr(err.text, cases[i].says))
            fail_msg("%s: at %zu: %s", cases[i].expression, err.at, err.text);
    }
    char deep[400];
    gl_query_error err;
    memset(deep, '(', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    assert_null(gl_query_new(deep, &err));
    assert_non_null(strstr(err.text, "nested"));
}

static void goroutines_still_waiting_at_the_end_are_meant_too(void **state)
{
    (void)state;
    gl_query *q = query("state=blocked dur>5ms reason=sleep");
    size_t at = 0;
    uint64_t g = 0;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(gl_query_event(q, dict, &events[i]), 0);
    assert_true(gl_query_open(q, dict, 30 * MS, &at, &g));
    assert_int_equal(g, 7);
    assert_false(gl_query_open(q, dict, 30 * MS, &at, &g));
    gl_query_destroy(q);
}

static void what_an_event_is_about_is_whose_stretch_it_ends(void **state)
{
    (void)state;
    gl_query *q = query("type=GoUnpark state=blocked");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(gl_query_event(q, dict, &events[i]), 0);
    assert_int_equal(gl_query_event(q, dict, &events[5]), 1);
    assert_int_equal(gl_query_about(q), 7);
    gl_query_destroy(q);
}

static void expressions_of_goroutines_need_no_events(void **state)
{
    (void)state;
    gl_query_goroutine_info info = {7, 1, text("main.worker"), text("sleep")};
    static const struct {
        const char *expression;
        bool holds;
    } cases[] = {{"worker", true}, {"sleep", true}, {"G7", true}, {"G8", false}, {"creator=1 start~^main", true},
                 {"g=7 or g=8", true}, {"not worker", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gl_query *q = query(cases[i].expression);
        assert_true(gl_query_is_of_goroutines(q));
        assert_int_equal(gl_query_goroutine(q, dict, &info), cases[i].holds);
        gl_query_destroy(q);
    }
    gl_query *q = query("worker state=blocked");
    assert_false(gl_query_is_of_goroutines(q));
    assert_true(gl_query_needs_past(q));
    gl_query_destroy(q);
    q = query("type=GoBlock g=3");
    assert_false(gl_query_needs_past(q));
    gl_query_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_mean_the_events_that_they_say),
        cmocka_unit_test(a_wrong_expression_says_where),
        cmocka_unit_test(goroutines_still_waiting_at_the_end_are_meant_too),
        cmocka_unit_test(what_an_event_is_about_is_whose_stretch_it_ends),
        cmocka_unit_test(expressions_of_goroutines_need_no_events),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
