/* The parts of the exports that a real trace does not reach: texts that need care, channels of a recorder, cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golanes_export/cut.h"
#include "golanes_export/export.h"
#include "out.h"
#include "proto.h"

typedef struct memory {
    char *bytes;
    size_t n;
    int refuse; /* a status to give */
} memory;

static int keep(void *user, const void *bytes, size_t n)
{
    memory *m = user;
    if (m->refuse)
        return m->refuse;
    m->bytes = realloc(m->bytes, m->n + n + 1);
    assert_non_null(m->bytes);
    memcpy(m->bytes + m->n, bytes, n);
    m->n += n;
    m->bytes[m->n] = 0;
    return 0;
}

static uint32_t string(gl_dict *d, const char *text)
{
    uint32_t id = 0;
    assert_int_equal(gl_dict_string(d, text, strlen(text), &id), 0);
    return id;
}

static uint32_t stack(gl_dict *d, const char *func, uint32_t line)
{
    uint32_t f = 0, frame = 0, id = 0;
    assert_int_equal(gl_dict_func(d, (gl_func){string(d, func), string(d, "x.go")}, &f), 0);
    assert_int_equal(gl_dict_frame(d, (gl_frame){.pc = 100 + line, .func = f, .line = line}, &frame), 0);
    assert_int_equal(gl_dict_stack(d, &frame, 1, &id), 0);
    return id;
}

static gl_event event(unsigned type, int64_t time, uint64_t g, uint64_t a, uint64_t b, uint64_t c)
{
    return (gl_event){.type = (uint16_t)type, .time = time, .g = g, .thread = GL_NO_THREAD, .p = 0, .arg = {a, b, c}};
}

/* The export of n events; the caller frees. */
static char *export_of(const char *format, gl_export_options o, const gl_event *events, size_t n)
{
    memory m = {0};
    gl_export *x = NULL;
    gl_error err = {0};
    o.sink = keep;
    o.sink_user = &m;
    assert_int_equal(gl_export_open(format, &o, &x, &err), 0);
    assert_int_equal(gl_export_sink(x, events, n), 0);
    assert_int_equal(gl_export_close(x, &err), 0);
    return m.bytes;
}

static void test_texts(void **state)
{
    (void)state;
    static ex_out o;
    memory m = {0};
    ex_out_init(&o, keep, &m);
    ex_out_json(&o, "a\"\\\n\xff\xc3\xa9", 7);
    ex_out_char(&o, ' ');
    ex_out_csv(&o, "plain", 5);
    ex_out_char(&o, ' ');
    ex_out_csv(&o, "a,\"b\"\n", 6);
    ex_out_char(&o, ' ');
    ex_out_csv(&o, "", 0);
    ex_out_char(&o, ' ');
    ex_out_us(&o, -1234567);
    ex_out_char(&o, ' ');
    ex_out_us(&o, 5);
    ex_out_char(&o, ' ');
    ex_out_hex(&o, 0xc000);
    assert_int_equal(ex_out_flush(&o), 0);
    assert_string_equal(m.bytes, "\"a\\\"\\\\\\u000a\xef\xbf\xbd\xc3\xa9\" plain \"a,\"\"b\"\"\n\" \"\" -1234.567 0.005 0xc000");
    free(m.bytes);
}

static void test_lengths_of_messages(void **state)
{
    (void)state;
    ex_proto p = {0};
    char text[200];
    memset(text, 'x', sizeof text);
    size_t outer = ex_proto_begin(&p, 1);
    ex_proto_text(&p, 2, text, 3);
    ex_proto_end(&p, outer);
    assert_memory_equal(p.bytes, "\x0a\x05\x12\x03xxx", 7);
    ex_proto_clear(&p);
    ex_proto_text(&p, 2, text, sizeof text); /* its length in five bytes: 200 */
    assert_int_equal(p.n, 1 + 5 + sizeof text);
    assert_memory_equal(p.bytes, "\x12\xc8\x81\x80\x80\x00", 6);
    ex_proto_clean_up(&p);
}

static void test_a_sink_that_fails_ends_it(void **state)
{
    (void)state;
    gl_dict *d = gl_dict_new();
    memory m = {.refuse = GL_E_IO};
    gl_export *x = NULL;
    gl_export_options o = {.dict = d, .sink = keep, .sink_user = &m, .table = "events"};
    gl_event ev = event(GL_EV_HeapLive, 1, 0, 5, 0, 0);
    int status = gl_export_open("csv", &o, &x, NULL);
    assert_int_equal(status, 0);
    for (int i = 0; i < 100000 && status == 0; i++)
        status = gl_export_sink(x, &ev, 1);
    assert_int_equal(status, GL_E_IO);
    assert_int_equal(gl_export_close(x, NULL), GL_E_IO);
    gl_dict_destroy(d);
}

static void test_channels_of_a_recorder(void **state)
{
    (void)state;
    gl_dict *d = gl_dict_new();
    uint32_t where = stack(d, "main.send", 7);
    gl_event events[] = {event(GL_EV_GoCreate, 0, 0, 5, GL_G_RUNNABLE, 0), event(GL_EV_GoStart, 10, 0, 5, 0, 0),
                         event(GL_EV_ChanSendBegin, 100, 5, 0xc0ffee, 0, 1), event(GL_EV_ChanSendEnd, 5100, 5, 0xc0ffee, 1, 0),
                         event(GL_EV_ChanSendBegin, 6000, 5, 0xc0ffee, 1, 1)};
    events[2].stack = events[4].stack = where;
    char *text = export_of("folded", (gl_export_options){.dict = d, .profile = "channel"}, events, 5);
    assert_string_equal(text, "main.send;ChanSend 0xc0ffee 5\n");
    free(text);
    text = export_of("jsonl", (gl_export_options){.dict = d, .table = "spans", .columns = (const char *[]){"state", "end_ns"}, .column_count = 2},
                     events, 5);
    assert_string_equal(text, "{\"state\":\"Runnable\",\"end_ns\":10}\n{\"state\":\"Running\",\"end_ns\":6000}\n");
    free(text);
    gl_dict_destroy(d);
}

typedef struct list {
    gl_event events[64];
    size_t n;
} list;

static int collect(void *user, const gl_event *events, size_t n)
{
    list *l = user;
    assert_true(l->n + n <= 64);
    memcpy(l->events + l->n, events, n * sizeof *events);
    l->n += n;
    return 0;
}

static const gl_event *find(const list *l, unsigned type)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->events[i].type == type)
            return &l->events[i];
    return NULL;
}

static void test_a_cut_knows_what_went_on(void **state)
{
    (void)state;
    gl_dict *d = gl_dict_new();
    uint32_t reason = string(d, "chan send"), where = stack(d, "main.send", 7), name = string(d, "load");
    gl_event events[] = {
        event(GL_EV_ClockSync, 0, 0, 1, 1000, 500000),
        event(GL_EV_GoStatus, 1, 0, 1, GL_G_UNDETERMINED, GL_G_RUNNING),
        event(GL_EV_GoCreate, 2, 1, 5, GL_G_RUNNABLE, 0),
        event(GL_EV_GoStart, 10, 0, 5, 0, 0),
        event(GL_EV_RegionBegin, 12, 5, 0, name, 0),
        event(GL_EV_ChanSendBegin, 100, 5, 0xc0ffee, 0, 1),
        event(GL_EV_GoBlock, 110, 5, reason, 0, 0),
        event(GL_EV_GCStart, 120, 1, 3, 0, 0),
        event(GL_EV_GoCreate, 130, 1, 6, GL_G_RUNNABLE, 0),
        event(GL_EV_GoEnd, 140, 6, GL_G_RUNNING, 0, 0),
        event(GL_EV_GoUnpark, 205, 1, 5, 0, 0),
        event(GL_EV_GoStart, 210, 0, 5, 0, 0),
        event(GL_EV_ChanSendEnd, 220, 5, 0xc0ffee, 0, GL_CHAN_DONE),
        event(GL_EV_HeapLive, 290, 0, 7, 0, 0),
        event(GL_EV_HeapLive, 300, 0, 8, 0, 0),
    };
    events[6].stack = where;
    list l = {0};
    gl_cut *c = gl_cut_new(&(gl_cut_options){.dict = d, .from = 200, .to = 300, .rebase = true, .on_events = collect, .user = &l});
    assert_int_equal(gl_cut_sink(c, events, sizeof events / sizeof *events), 0);
    int64_t first;
    assert_true(gl_cut_began(c, &first));
    assert_int_equal(first, 205);
    gl_cut_destroy(c);

    const gl_event *clock = find(&l, GL_EV_ClockSync);
    assert_ptr_equal(clock, &l.events[0]);
    assert_int_equal(clock->arg[1], 1205);
    assert_int_equal(clock->arg[2], 500205);
    const gl_event *waits = NULL;
    size_t carried = 0;
    for (size_t i = 0; i < l.n; i++) {
        carried += l.events[i].type == GL_EV_GoCarried;
        if (l.events[i].type == GL_EV_GoCarried && l.events[i].arg[0] == 5)
            waits = &l.events[i];
        assert_true(l.events[i].time >= 0 && l.events[i].time < 95);
    }
    assert_int_equal(carried, 2);
    assert_non_null(waits);
    assert_int_equal(waits->arg[1], GL_G_WAITING);
    assert_int_equal(waits->arg[2], reason);
    assert_int_equal(waits->arg[3], 1);
    assert_int_equal(waits->stack, where);
    assert_true(waits->flags & GL_FLAG_INFERRED);
    const gl_event *region = find(&l, GL_EV_RegionBegin), *send = find(&l, GL_EV_ChanSendBegin);
    assert_true(region && send && region < send);
    assert_non_null(find(&l, GL_EV_GCActive));
    assert_int_equal(find(&l, GL_EV_GoUnpark)->time, 0);
    assert_int_equal(l.events[l.n - 1].type, GL_EV_HeapLive);
    assert_int_equal(l.events[l.n - 1].arg[0], 7);
    gl_dict_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_lengths_of_messages),
        cmocka_unit_test(test_a_sink_that_fails_ends_it),
        cmocka_unit_test(test_channels_of_a_recorder),
        cmocka_unit_test(test_a_cut_knows_what_went_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
