#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "states.h"
#include "trigger.h"

static gl_dict *dict;

static uint64_t text(const char *s)
{
    uint32_t id;
    assert_int_equal(gl_dict_string(dict, s, strlen(s), &id), 0);
    return id;
}

static gl_trigger *parse(const char *s)
{
    gl_trigger *t = NULL;
    gl_error err = {0};
    size_t at;
    assert_int_equal(gl_trigger_parse(s, &t, &at, &err), 0);
    assert_string_equal(gl_trigger_text(t), s);
    return t;
}

static bool see(gl_trigger *t, int64_t ms, unsigned type, uint64_t g, uint64_t arg)
{
    gl_event ev = {.time = ms * 1000000, .type = (uint16_t)type, .g = g, .arg = {arg}};
    return gl_trigger_event(t, dict, &ev, 5);
}

static void long_stops(void **state)
{
    (void)state;
    gl_trigger *t = parse("stw>5ms");
    uint64_t why = text("GC mark termination");
    assert_false(see(t, 0, GL_EV_GCSTWBegin, 1, why));
    assert_false(see(t, 5, GL_EV_GCSTWEnd, 1, why));
    assert_false(see(t, 10, GL_EV_GCSTWBegin, 1, why));
    assert_false(see(t, 15, GL_EV_HeapLive, 1, 0));
    assert_true(see(t, 16, GL_EV_GCSTWEnd, 1, why));
    assert_false(see(t, 30, GL_EV_GCSTWEnd, 1, why));
    gl_trigger_free(t);
}

/* A send that a GC pause cut counts, by its channel events or by its wait alone; other pauses do not. */
static void straddling_sends(void **state)
{
    (void)state;
    gl_trigger *t = parse("send-straddle > 10ms");
    uint64_t gc = text("GC sweep termination"), other = text("read mem stats"), send = text("chan send");
    see(t, 0, GL_EV_ChanSendBegin, 7, 1);
    see(t, 1, GL_EV_GoBlock, 7, send);
    see(t, 2, GL_EV_GCSTWBegin, 1, gc);
    see(t, 3, GL_EV_GCSTWEnd, 1, gc);
    assert_false(see(t, 11, GL_EV_GoStart, 0, 7));
    assert_true(see(t, 12, GL_EV_ChanSendEnd, 7, 1));
    assert_false(see(t, 13, GL_EV_ChanSendEnd, 7, 1));
    see(t, 20, GL_EV_GoBlock, 8, send);
    see(t, 21, GL_EV_GCSTWBegin, 1, other);
    see(t, 22, GL_EV_GCSTWEnd, 1, other);
    assert_false(see(t, 40, GL_EV_GoStart, 0, 8));
    see(t, 50, GL_EV_GoBlock, 8, send);
    see(t, 51, GL_EV_GCSTWBegin, 1, gc);
    assert_true(see(t, 70, GL_EV_GoStart, 0, 8));
    see(t, 71, GL_EV_GCSTWEnd, 1, gc);
    see(t, 80, GL_EV_ChanSendBegin, 9, 1);
    assert_false(see(t, 99, GL_EV_ChanSendEnd, 9, 1));
    gl_trigger_free(t);
}

static void conditions_are_joined(void **state)
{
    (void)state;
    gl_trigger *t = parse("event=ChanClose && goroutines>4 || panic, event=gosyscall");
    assert_true(see(t, 0, GL_EV_ChanClose, 1, 0));
    assert_true(see(t, 0, GL_EV_Panic, 1, 0));
    assert_true(see(t, 0, GL_EV_GoSyscallEnd, 1, 0));
    assert_false(see(t, 0, GL_EV_GoStart, 1, 1));
    gl_trigger_free(t);
    t = parse("event=ChanClose&&goroutines>5");
    assert_false(see(t, 0, GL_EV_ChanClose, 1, 0));
    gl_trigger_free(t);
}

static void mistakes_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } wrong[] = {{"", 0},           {"  ", 2},        {"stw", 3},         {"stw>", 4},      {"stw>5", 5},
                 {"stw>5xs", 5},    {"panic panic", 6}, {"panic &&", 8},  {"event=", 6},    {"goroutines>5ms", 12},
                 {"goroutines>-1", 11}, {"stw>99999999999999s", 18}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gl_trigger *t;
        gl_error err = {0};
        size_t at = 99;
        assert_int_equal(gl_trigger_parse(wrong[i].text, &t, &at, &err), GL_E_USAGE);
        assert_int_equal(at, wrong[i].at);
        assert_true(err.text[0]);
    }
}

typedef struct put {
    gl_event event[2000];
    size_t n;
} put;

static int keep(void *user, const gl_event *events, size_t n)
{
    put *p = user;
    memcpy(p->event + p->n, events, n * sizeof *events);
    p->n += n;
    return 0;
}

/* Goroutines come and go; those that are left are told, each once. */
static void states_are_told(void **state)
{
    (void)state;
    static put p;
    gl_states s = {0};
    for (uint64_t g = 1; g <= 1000; g++) {
        gl_event create = {.type = GL_EV_GoCreate, .arg = {g, GL_G_RUNNABLE, 3}};
        assert_int_equal(gl_states_event(&s, &create), 0);
    }
    for (uint64_t g = 1; g <= 1000; g++) {
        if (g % 10 == 0)
            continue;
        gl_event end = {.type = GL_EV_GoEnd, .g = g, .arg = {GL_G_RUNNING}};
        assert_int_equal(gl_states_event(&s, &end), 0);
    }
    gl_event block = {.type = GL_EV_GoBlock, .g = 500, .arg = {text("chan send")}, .stack = 9, .thread = 2};
    gl_event proc = {.type = GL_EV_ProcStart, .arg = {3}, .thread = 2};
    assert_int_equal(gl_states_event(&s, &block), 0);
    assert_int_equal(gl_states_event(&s, &proc), 0);
    assert_int_equal(gl_states_goroutines(&s), 100);
    p.n = 0;
    assert_int_equal(gl_states_put(&s, 77, keep, &p), 0);
    assert_int_equal(p.n, 102);
    uint64_t sum = 0;
    for (size_t i = 0; i < p.n; i++) {
        const gl_event *ev = &p.event[i];
        assert_int_equal(ev->time, 77);
        if (ev->type == GL_EV_GoStatus)
            sum += ev->arg[0];
        else if (ev->type == GL_EV_GoBlock)
            assert_true(ev->g == 500 && ev->arg[0] == text("chan send") && ev->stack == 9);
        else
            assert_true(ev->type == GL_EV_ProcStatus && ev->arg[0] == 3 && ev->thread == 2);
    }
    assert_int_equal(sum, 10 * (100 * 101 / 2));
    gl_states_free(&s);
}

static int set_up(void **state)
{
    (void)state;
    return (dict = gl_dict_new()) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    gl_dict_destroy(dict);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_stops),           cmocka_unit_test(straddling_sends), cmocka_unit_test(conditions_are_joined),
        cmocka_unit_test(mistakes_have_a_place), cmocka_unit_test(states_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
