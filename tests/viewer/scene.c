#include "scene.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "golanes/gotrace.h"
#include "golanes/writer.h"

#define US INT64_C(1000)

typedef struct maker {
    gl_dict *d;
    gl_event ev[256];
    size_t n;
} maker;

static uint32_t text_id(maker *k, const char *s)
{
    uint32_t id;
    assert_int_equal(gl_dict_string(k->d, s, strlen(s), &id), 0);
    return id;
}

/* A stack of one frame of a function in main.go. */
static uint32_t stack_id(maker *k, const char *func, uint32_t line)
{
    uint32_t f, frame, stack;
    gl_func info = {text_id(k, func), text_id(k, "/src/app/main.go")};
    assert_int_equal(gl_dict_func(k->d, info, &f), 0);
    assert_int_equal(gl_dict_frame(k->d, (gl_frame){0x1000 + line, f, line}, &frame), 0);
    assert_int_equal(gl_dict_stack(k->d, &frame, 1, &stack), 0);
    return stack;
}

static gl_event *add(maker *k, int64_t us, gl_event_type type, uint64_t g, uint32_t p)
{
    assert_true(k->n < sizeof k->ev / sizeof *k->ev);
    gl_event *e = &k->ev[k->n++];
    *e = (gl_event){.time = us * US, .g = g, .p = p, .thread = p, .type = (uint16_t)type};
    return e;
}

static void create(maker *k, int64_t us, uint64_t g, const char *func, uint32_t line)
{
    gl_event *e = add(k, us, GL_EV_GoCreate, 1, 0);
    e->arg[0] = g;
    e->arg[1] = GL_G_RUNNABLE;
    e->arg[2] = stack_id(k, func, line);
}

static void start(maker *k, int64_t us, uint64_t g, uint32_t p) { add(k, us, GL_EV_GoStart, 0, p)->arg[0] = g; }

static void block(maker *k, int64_t us, uint64_t g, uint32_t p, const char *reason, const char *func, uint32_t line)
{
    gl_event *e = add(k, us, GL_EV_GoBlock, g, p);
    e->arg[0] = text_id(k, reason);
    e->stack = stack_id(k, func, line);
}

static void unpark(maker *k, int64_t us, uint64_t by, uint32_t p, uint64_t g, const char *func, uint32_t line)
{
    gl_event *e = add(k, us, GL_EV_GoUnpark, by, p);
    e->arg[0] = g;
    e->stack = stack_id(k, func, line);
}

static void stop(maker *k, int64_t us, bool begin, const char *reason)
{
    add(k, us, begin ? GL_EV_GCSTWBegin : GL_EV_GCSTWEnd, 1, 0)->arg[0] = text_id(k, reason);
}

static void status(maker *k, uint64_t g, gl_gstate state)
{
    gl_event *e = add(k, 0, GL_EV_GoStatus, g, 0);
    e->arg[0] = g;
    e->arg[2] = state;
    e->arg[3] = GL_NO_THREAD;
    e->stack = stack_id(k, "main.main", 5);
}

static void play(maker *k)
{
    add(k, 0, GL_EV_ProcsChange, 1, 0)->arg[0] = 4;
    status(k, 1, GL_G_RUNNING);
    create(k, 100, 10, "main.producer", 20);
    create(k, 110, 11, "main.producer", 20);
    create(k, 120, 20, "main.worker", 40);
    create(k, 130, 21, "main.worker", 40);
    start(k, 200, 10, 1);
    start(k, 210, 20, 2);
    start(k, 220, 11, 3);
    block(k, 600, 11, 3, "sleep", "main.producer", 24);
    start(k, 700, 21, 3);
    block(k, 1000, 21, 3, "chan receive", "main.worker", 42);
    block(k, 1800, 10, 1, "chan send", "main.producer", 22);
    stop(k, 2000, true, "GC sweep termination");
    stop(k, 2500, false, "GC sweep termination");
    add(k, 2500, GL_EV_GCStart, 1, 0)->arg[0] = 1;
    unpark(k, 2700, 20, 2, 10, "main.worker", 43);
    start(k, 3000, 10, 1);
    add(k, 3500, GL_EV_HeapLive, 1, 0)->arg[0] = 4 << 20;
    add(k, 4000, GL_EV_GCMarkAssistBegin, 10, 1);
    add(k, 4500, GL_EV_GCMarkAssistEnd, 10, 1);
    stop(k, 6000, true, "GC mark termination");
    stop(k, 6050, false, "GC mark termination");
    add(k, 6050, GL_EV_GCEnd, 1, 0)->arg[0] = 1;
    unpark(k, 6500, 1, 0, 11, "main.main", 7);
    start(k, 6600, 11, 3);
    block(k, 7000, 11, 3, "chan send", "main.producer", 22);
    unpark(k, 7400, 20, 2, 11, "main.worker", 43);
    start(k, 7500, 11, 3);
    stop(k, 8000, true, "read mem stats");
    stop(k, 8200, false, "read mem stats");
    add(k, 8500, GL_EV_GoSyscallBegin, 10, 1);
    add(k, 8700, GL_EV_GoSyscallEnd, 10, 1);
    add(k, 9000, GL_EV_Panic, 20, 2)->arg[0] = text_id(k, "index out of range");
    add(k, 9500, GL_EV_GoEnd, 11, 3)->arg[0] = GL_G_RUNNING;
    add(k, 10000, GL_EV_HeapLive, 1, 0)->arg[0] = 6 << 20;
}

/* ---- a recorded trace: channels have identity, tasks and regions too ------------------------------------------------
 */

#define BUFFERED UINT64_C(0xc000112000)
#define PLAIN UINT64_C(0xc000112060)
#define IDLE UINT64_C(0xc0001120c0)

static void chan_make(maker *k, int64_t us, uint64_t chan, uint64_t cap, const char *elem)
{
    gl_event *e = add(k, us, GL_EV_ChanMake, 1, 0);
    e->arg[0] = chan;
    e->arg[1] = cap;
    e->arg[2] = text_id(k, elem);
    e->stack = stack_id(k, "main.main", 9);
}

static void chan_op(maker *k, int64_t us, gl_event_type type, uint64_t g, uint32_t p, uint64_t chan, uint64_t len)
{
    gl_event *e = add(k, us, type, g, p);
    bool begins = type == GL_EV_ChanSendBegin || type == GL_EV_ChanRecvBegin;
    bool sends = type == GL_EV_ChanSendBegin || type == GL_EV_ChanSendEnd;
    e->arg[0] = chan;
    e->arg[1] = len;
    e->arg[2] = begins ? (chan == BUFFERED ? 4 : 0) : (uint64_t)GL_CHAN_DONE;
    if (begins)
        e->stack = stack_id(k, sends ? "main.producer" : "main.worker", sends ? 22 : 42);
}

static void span_event(maker *k, int64_t us, gl_event_type type, uint64_t g, uint64_t task, const char *name)
{
    gl_event *e = add(k, us, type, g, 1);
    e->arg[0] = task;
    e->arg[type == GL_EV_TaskBegin ? 2 : 1] = name ? text_id(k, name) : 0;
}

static void play_chans(maker *k)
{
    add(k, 0, GL_EV_ProcsChange, 1, 0)->arg[0] = 4;
    status(k, 1, GL_G_RUNNING);
    chan_make(k, 50, BUFFERED, 4, "int");
    chan_make(k, 60, PLAIN, 0, "struct {}");
    chan_make(k, 70, IDLE, 2, "error");
    create(k, 100, 10, "main.producer", 20);
    create(k, 120, 20, "main.worker", 40);
    create(k, 130, 30, "main.waiter", 60);
    start(k, 200, 10, 1);
    start(k, 210, 20, 2);
    start(k, 220, 30, 3);
    span_event(k, 240, GL_EV_TaskBegin, 10, 7, "request");
    span_event(k, 250, GL_EV_RegionBegin, 10, 7, "fill");
    chan_op(k, 300, GL_EV_ChanRecvBegin, 30, 3, PLAIN, 0);
    block(k, 310, 30, 3, "chan receive", "main.waiter", 62);
    for (int i = 0; i < 4; i++) {
        chan_op(k, 500 + 400 * i, GL_EV_ChanSendBegin, 10, 1, BUFFERED, (uint64_t)i);
        chan_op(k, 510 + 400 * i, GL_EV_ChanSendEnd, 10, 1, BUFFERED, (uint64_t)i + 1);
    }
    span_event(k, 2050, GL_EV_RegionEnd, 10, 7, "fill");
    chan_op(k, 2100, GL_EV_ChanSendBegin, 10, 1, BUFFERED, 4);
    block(k, 2110, 10, 1, "chan send", "main.producer", 22);
    stop(k, 2500, true, "GC sweep termination");
    stop(k, 3000, false, "GC sweep termination");
    add(k, 3050, GL_EV_GCStart, 1, 0)->arg[0] = 1;
    add(k, 3060, GL_EV_HeapLive, 1, 0)->arg[0] = 3 << 20;
    add(k, 3061, GL_EV_HeapGoal, 1, 0)->arg[0] = 8 << 20;
    chan_op(k, 4000, GL_EV_ChanRecvBegin, 20, 2, BUFFERED, 4);
    unpark(k, 4010, 20, 2, 10, "main.worker", 42);
    chan_op(k, 4020, GL_EV_ChanRecvEnd, 20, 2, BUFFERED, 4);
    start(k, 4200, 10, 1);
    chan_op(k, 4210, GL_EV_ChanSendEnd, 10, 1, BUFFERED, 4);
    add(k, 4300, GL_EV_GCEnd, 1, 0)->arg[0] = 1;
    for (int i = 0; i < 4; i++) {
        chan_op(k, 5000 + 500 * i, GL_EV_ChanRecvBegin, 20, 2, BUFFERED, (uint64_t)(4 - i));
        chan_op(k, 5010 + 500 * i, GL_EV_ChanRecvEnd, 20, 2, BUFFERED, (uint64_t)(3 - i));
    }
    chan_op(k, 7000, GL_EV_ChanRecvBegin, 20, 2, BUFFERED, 0);
    block(k, 7010, 20, 2, "chan receive", "main.worker", 42);
    span_event(k, 7100, GL_EV_RegionBegin, 10, 7, "hand over");
    chan_op(k, 7200, GL_EV_ChanSendBegin, 10, 1, PLAIN, 0);
    unpark(k, 7210, 10, 1, 30, "main.producer", 26);
    chan_op(k, 7220, GL_EV_ChanSendEnd, 10, 1, PLAIN, 0);
    start(k, 7400, 30, 3);
    chan_op(k, 7410, GL_EV_ChanRecvEnd, 30, 3, PLAIN, 0);
    span_event(k, 7500, GL_EV_RegionEnd, 10, 7, "hand over");
    span_event(k, 7600, GL_EV_TaskEnd, 10, 7, NULL);
    gl_event *e = add(k, 8000, GL_EV_ChanClose, 10, 1);
    e->arg[0] = BUFFERED;
    e->stack = stack_id(k, "main.producer", 30);
    unpark(k, 8010, 10, 1, 20, "main.producer", 30);
    start(k, 8200, 20, 2);
    e = add(k, 8210, GL_EV_ChanRecvEnd, 20, 2);
    e->arg[0] = BUFFERED;
    e->arg[2] = GL_CHAN_CLOSED;
    add(k, 8300, GL_EV_GoEnd, 20, 2)->arg[0] = GL_G_RUNNING;
    chan_op(k, 8500, GL_EV_ChanSendBegin, 10, 1, PLAIN, 0);
    block(k, 8510, 10, 1, "chan send", "main.producer", 32);
    add(k, 10000, GL_EV_HeapLive, 1, 0)->arg[0] = 4 << 20;
}

static gl_reader *open_written(int fd)
{
    char path[64];
    gl_reader *r = NULL;
    gl_error err = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (gl_reader_open(path, &r, &err) < 0)
        fail_msg("%s", err.text);
    close(fd);
    return r;
}

static int nameless(void)
{
    char path[] = "/tmp/golanes-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

/* finished: by its writer; else what is there so far. */
static gl_reader *make(void (*of)(maker *k), bool finished)
{
    maker *k = calloc(1, sizeof *k);
    gl_writer *w = NULL;
    gl_error err = {0};
    int fd = nameless();
    assert_non_null(k);
    k->d = gl_dict_new();
    of(k);
    assert_int_equal(gl_writer_open(&(gl_writer_options){.fd = fd, .dict = k->d}, &w, &err), 0);
    assert_int_equal(gl_writer_events(w, k->ev, k->n), 0);
    if (finished) {
        assert_int_equal(gl_writer_close(w, NULL, &err), 0);
    } else {
        assert_int_equal(gl_writer_flush(w, NULL), 0);
        gl_writer_abandon(w);
    }
    gl_dict_destroy(k->d);
    free(k);
    return open_written(fd);
}

static gl_reader *import(gl_input *in)
{
    gl_error err = {0};
    gl_writer *w = NULL;
    int fd = nameless();
    gl_dict *d = gl_dict_new();
    gl_gotrace_result *res = calloc(1, sizeof *res);
    assert_int_equal(gl_writer_open(&(gl_writer_options){.fd = fd, .dict = d}, &w, &err), 0);
    gl_gotrace_options o = {.dict = d, .on_events = gl_writer_sink, .events_user = w};
    if (gl_gotrace_import(in, &o, res, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(gl_writer_close(w, NULL, &err), 0);
    gl_dict_destroy(d);
    free(res);
    return open_written(fd);
}

gl_reader *scene_open_unfinished(void) { return make(play, false); }

gl_reader *scene_open(const char *name)
{
    if (strcmp(name, "made") == 0)
        return make(play, true);
    if (strcmp(name, "chans") == 0)
        return make(play_chans, true);
    const char *corpus = getenv("GOLANES_CORPUS");
    static const char *const endings[] = {".trace", ".trace.zst"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        char path[4096];
        gl_error err = {0};
        gl_input *in = NULL;
        snprintf(path, sizeof path, "%s/programs/%s%s", corpus ? corpus : GOLANES_CORPUS_DEFAULT, name, endings[i]);
        if (gl_input_open(path, NULL, NULL, &in, &err) == 0) {
            gl_reader *r = import(in);
            gl_input_close(in);
            return r;
        }
    }
    print_message("%s: not in the corpus, or no corpus here\n", name);
    return NULL;
}

gl_app *scene_app(gl_reader *r, const char *name, const char *theme, bool ascii, int w, int h)
{
    gl_app *a = NULL;
    gl_error err = {0};
    gl_app_options o = {.reader = r, .name = name, .theme = gl_theme_by_name(theme), .ascii = ascii};
    assert_non_null(o.theme);
    if (gl_app_open(&o, &a, &err) < 0)
        fail_msg("%s", err.text);
    gl_app_resize(a, w, h);
    assert_int_equal(gl_app_settle(a, &err), 0);
    return a;
}

void scene_press(gl_app *a, const char *keys)
{
    while (*keys) {
        gl_error err = {0};
        size_t n = strcspn(keys, " ");
        int key = gl_key_by_name(keys, n);
        assert_int_not_equal(key, 0);
        gl_app_key(a, key);
        assert_int_equal(gl_app_settle(a, &err), 0);
        keys += n;
        keys += *keys == ' ';
    }
}

gl_text scene_text(gl_app *a)
{
    gl_cells c = {0};
    gl_text t = {0};
    gl_app_draw(a, &c);
    gl_cells_text(&c, &t);
    gl_cells_clean_up(&c);
    assert_false(t.failed);
    return t;
}

void scene_says(gl_app *a, const char *text)
{
    gl_text t = scene_text(a);
    if (!strstr(t.bytes, text))
        fail_msg("the screen does not say \"%s\":\n%s", text, t.bytes);
    gl_text_clean_up(&t);
}

int scene_close_app(void **state)
{
    gl_app_close(*state);
    return 0;
}
