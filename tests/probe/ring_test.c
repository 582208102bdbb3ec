/* One thread and its ring: every event with every kind of value, full rings, context, texts, stacks, signals. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

#include "recorder.h"

static const gl_session_options tiny = {.slots = 2, .large_rings = 2, .large_bytes = 1};

static void varints(void)
{
    uint8_t bytes[32];
    uint64_t seed = 1;
    for (unsigned i = 0; i < 200000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t v = i < 128 ? UINT64_MAX >> (i % 64) : seed >> (seed % 64), back;
        v -= i >= 64 && i < 128;
        uint8_t *end = gl_ring_put(bytes, v);
        memset(end, (int)(seed & 255), 9);
        CHECK(gl_ring_get(bytes, &back) == end);
        CHECK_EQUAL(back, v);
        CHECK_EQUAL(gl_ring_unzigzag(gl_ring_zigzag(v)), v);
        CHECK(end - bytes <= 9 && (v >= 128 || end - bytes == 1));
    }
}

/* Every event. What an argument is follows from its event, its name and the round, so it can be said twice. */

static const uint64_t edges[] = {0,          1,          127,        128,         255,        256,         65535,
                                 65536,      0x7fffffff, 0x80000000, 0xffffffff,  1ull << 32, 1ull << 47,  1ull << 48,
                                 1ull << 63, UINT64_MAX};
#define EDGES (sizeof edges / sizeof *edges)
static const char *const words[] = {NULL, "", "chan send", "a text that is somewhat longer than sixteen bytes"};

static unsigned mix_of(unsigned round, const char *event, const char *argument)
{
    unsigned h = round * 2654435761u;
    for (; *event; event++)
        h = (h ^ (unsigned char)*event) * 16777619u;
    for (; *argument; argument++)
        h = (h ^ (unsigned char)*argument) * 16777619u;
    return h ^ h >> 13;
}

static uint64_t number(unsigned round, const char *event, const char *argument)
{
    unsigned h = mix_of(round, event, argument);
    return round < EDGES ? edges[round] : edges[h % EDGES] + (h >> 8) % 3;
}

static const char *word(unsigned round, const char *event, const char *argument)
{
    return words[mix_of(round, event, argument) % 4];
}

static gl_emit_stack frames(unsigned round, const char *event, const char *argument)
{
    static uint64_t pcs[GL_RING_STACK_MAX];
    unsigned h = mix_of(round, event, argument);
    for (unsigned i = 0; i < GL_RING_STACK_MAX; i++)
        pcs[i] = edges[(h + i) % EDGES] + i;
    return (gl_emit_stack){pcs, h % 5 == 0 ? 0 : h % 5 == 1 ? GL_RING_STACK_MAX : h % 7 + 1};
}

#define V_GOROUTINE number
#define V_PROC (uint32_t)number
#define V_THREAD number
#define V_CHAN number
#define V_STRING word
#define V_STACK frames
#define V_GSTATE (gl_gstate)number
#define V_PSTATE (gl_pstate)number
#define V_BOOL (int)number
#define V_CHANRESULT (gl_chan_result)number
#define V_CHANDIR (gl_chan_dir)number
#define V_TASK number
#define V_COUNT number
#define V_BYTES number
#define V_TIME number
#define V_CLOCK number
#define V_SEQUENCE number
#define V_NUMBER number
static void emit_all(unsigned round)
{
#define GL_ARG(kind, argument) V_##kind(round, event, #argument)
#define EMIT_0(name, ...) gl_emit_##name()
#define EMIT_1(name, ...) gl_emit_##name(__VA_ARGS__)
#define EMIT_2 EMIT_1
#define EMIT_3 EMIT_1
#define EMIT_4 EMIT_1
#define V_NONE(a, b, c) 0
#define GL_EVENT(code, name, op, phase, stack, meaning, count, ...) \
    {                                                               \
        const char *event = #name;                                  \
        (void)event;                                                \
        EMIT_##count(name, __VA_ARGS__);                            \
    }
#include "golanes/events.def"
#undef GL_EVENT
#undef GL_ARG
}

typedef struct row {
    unsigned code, count;
    const char *name;
    struct {
        gl_kind kind;
        const char *name;
    } arg[4];
} row;

static const row rows[] = {
#define GL_ARG(kind, argument) {GL_KIND_##kind, #argument}
#define GL_EVENT(code, name, op, phase, stack, meaning, count, ...) {code, count, #name, {__VA_ARGS__}},
#include "golanes/events.def"
#undef GL_EVENT
#undef GL_ARG
};
#define ROWS (sizeof rows / sizeof *rows)

static void check_stack(const recorder *r, gl_emit_stack want, uint64_t id)
{
    CHECK((id == 0) == (want.n == 0) && id <= r->stacks);
    if (id) {
        CHECK_EQUAL(r->stack[id - 1].n, want.n);
        CHECK(!memcmp(r->stack[id - 1].pcs, want.pcs, want.n * sizeof *want.pcs));
    }
}

static void check_argument(const recorder *r, const row *e, unsigned i, unsigned round, uint64_t got)
{
    uint64_t want = number(round, e->name, e->arg[i].name);
    const char *text = word(round, e->name, e->arg[i].name);
    switch (e->arg[i].kind) {
    case GL_KIND_STRING: CHECK(!strcmp(recorder_text(r, got), text ? text : "")); return;
    case GL_KIND_STACK: check_stack(r, frames(round, e->name, e->arg[i].name), got); return;
    case GL_KIND_BOOL: CHECK_EQUAL(got, (int)want != 0); return;
    case GL_KIND_THREAD:
        if (want == 0 || want >= GL_NO_THREAD)
            CHECK_EQUAL(got, GL_NO_THREAD);
        else
            CHECK_EQUAL(r->thread[got].tid, want);
        return;
    case GL_KIND_PROC:
    case GL_KIND_GSTATE:
    case GL_KIND_PSTATE:
    case GL_KIND_CHANRESULT:
    case GL_KIND_CHANDIR: CHECK_EQUAL(got, (uint32_t)want); return;
    default: CHECK_EQUAL(got, want);
    }
}

/** Whole rounds of all events, in order, each in the context that the ones before it have made. */
static void check_all(const recorder *r, unsigned first_round, unsigned rounds, uint64_t *g, uint32_t *p)
{
    CHECK_EQUAL(r->events, rounds * ROWS);
    for (size_t i = 0; i < r->events; i++) {
        const gl_event *ev = &r->event[i];
        const row *e = &rows[i % ROWS];
        unsigned round = first_round + (unsigned)(i / ROWS);
        CHECK_EQUAL(ev->type, e->code);
        CHECK_EQUAL(ev->g, *g);
        CHECK_EQUAL(ev->p, *p);
        CHECK(i == 0 || ev->time >= r->event[i - 1].time);
        for (unsigned k = 0; k < e->count; k++)
            check_argument(r, e, k, round, ev->arg[k]);
        uint64_t first = number(round, e->name, e->arg[0].name);
        if (e->arg[0].kind == GL_KIND_BOOL)
            first = (int)first != 0;
        (void)gl_ring_effect(e->code, first, g, p);
    }
}

static void every_event_with(const gl_session_options *opt, gl_clock_map *direct)
{
    recorder r;
    uint64_t g = 0;
    uint32_t p = GL_NO_PROC;
    recorder_join(&r, opt);
    gl_ring_pair now, first;
    gl_clock_take(gl_session_clock(r.session), &first);
    const int64_t began = first.monotonic_ns;
    if (direct) {
        usleep(10000);
        gl_clock_take(gl_session_clock(r.session), &now);
        gl_clock_map_start(direct, &first, &now);
        recorder_go_direct(&r, direct);
    }
    for (unsigned round = 0; round < 3000; round += 5) { /* many times round the ring */
        for (unsigned i = 0; i < 5; i++) {
            emit_all(round + i);
            if (direct && i == 2) { /* a new line begins between events that are drained at once */
                gl_clock_take(gl_session_clock(r.session), &now);
                gl_clock_map_add(direct, &now);
            }
        }
        recorder_drain(&r);
        check_all(&r, round, 5, &g, &p);
        gl_clock_take(gl_session_clock(r.session), &now);
        CHECK(!direct || (r.event[0].time >= began && r.event[r.events - 1].time <= now.monotonic_ns + 10000000));
        recorder_forget(&r);
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.lost + r.damaged + r.count, 0);
    recorder_close(&r);
}

static void every_event(void)
{
    every_event_with(&tiny, NULL);
}

static void every_event_into_its_place(void)
{
    gl_clock_map map;
    every_event_with(&tiny, &map);
}

static void every_event_by_the_slow_clock(void)
{
    gl_session_options opt = tiny;
    gl_clock_map map;
    opt.soft_clock = true;
    every_event_with(&opt, NULL);
    every_event_with(&opt, &map);
}

/* Full rings. */

static void full_ring_drops_the_new(void)
{
    recorder r;
    recorder_join(&r, &tiny);
    uint64_t sent = 0, kept = 0;
    for (unsigned lap = 0; lap < 50; lap++) {
        for (unsigned i = 0; i < 3000 + 1000 * lap; i++)
            gl_emit_HeapLive(++sent);
        recorder_drain(&r);
        /* What is kept is a run without a hole, and a Lost that says where the hole before it was. */
        uint64_t last_time = 0;
        for (size_t i = 0; i < r.events; i++) {
            const gl_event *ev = &r.event[i];
            CHECK((uint64_t)ev->time >= last_time);
            last_time = (uint64_t)ev->time;
            if (ev->type == GL_EV_Lost) {
                CHECK(ev->arg[2] >= (uint64_t)ev->time);
                CHECK(!strcmp(recorder_text(&r, ev->arg[3]), "no room in the ring"));
                last_time = ev->arg[2];
                kept += ev->arg[0];
                continue;
            }
            CHECK_EQUAL(ev->arg[0], ++kept);
        }
        r.events = 0;
    }
    gl_emit_status status;
    gl_emit_get_status(&status);
    CHECK(status.lost > 0);
    recorder_finish(&r);
    CHECK_EQUAL(r.count + r.lost, sent);
    CHECK_EQUAL(r.lost, status.lost);
    recorder_finish(&r); /* told once */
    CHECK_EQUAL(r.count + r.lost, sent);
    recorder_close(&r);
}

static void full_ring_overwrites_the_old(void)
{
    gl_session_options opt = tiny;
    opt.policy = GL_RING_OVERWRITE;
    recorder r;
    recorder_join(&r, &opt);
    const uint64_t sent = 1000000;
    for (uint64_t i = 1; i <= sent; i++)
        gl_emit_HeapLive(i);
    recorder_finish(&r);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    CHECK(r.count >= 2 * GL_RING_BLOCK / 8); /* at least half of the ring */
    for (size_t i = 0; i < r.events; i++)
        CHECK_EQUAL(r.event[i].arg[0], sent - r.events + 1 + i);
    gl_session_ring_info info;
    gl_session_ring_info_get(r.session, 0, &info);
    CHECK(info.overwritten > 0);
    /* A second look goes on where the first one ended, and says what it missed. */
    recorder_forget(&r);
    for (uint64_t i = 1; i <= 100; i++)
        gl_emit_HeapLive(sent + i);
    recorder_drain(&r);
    CHECK_EQUAL(r.count, 100);
    CHECK_EQUAL(r.event[0].arg[0], sent + 1);
    recorder_forget(&r);
    for (uint64_t i = 1; i <= 100000; i++)
        gl_emit_HeapLive(i);
    recorder_drain(&r);
    CHECK_EQUAL(r.damaged, 1);
    CHECK_EQUAL(r.event[r.events - 1].arg[0], 100000);
    recorder_close(&r);
}

static void reader_that_keeps_up_makes_the_writer_stay(void)
{
    gl_session_options opt = {.slots = 1, .large_rings = 1, .large_bytes = 4 << 20};
    recorder r;
    recorder_join(&r, &opt);
    r.keep = false;
    for (unsigned i = 0; i < 2000; i++) {
        for (unsigned k = 0; k < 1000; k++)
            gl_emit_HeapLive(k);
        recorder_drain(&r);
        gl_session_ring_info info;
        gl_session_ring_info_get(r.session, 0, &info);
        CHECK_EQUAL(info.waiting, 0);
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.count, 2000000);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    gl_session_ring_info info;
    gl_session_ring_info_get(r.session, 0, &info);
    CHECK(info.written < 2000000 * 16); /* jumps do not count */
    recorder_close(&r);
}

/** A reader that keeps up and then does not: wherever the writer has gone by then, a ring's worth finds room. */
/* Dear where each event is dear. */
#if defined(__SANITIZE_THREAD__) || defined(TESTS_EMULATED)
#define BURST_ROUNDS 60
#else
#define BURST_ROUNDS 600
#endif

static void bursts_find_the_whole_ring(void)
{
    gl_session_options opt = {.slots = 1, .large_rings = 1, .large_bytes = 1 << 19};
    const uint64_t burst = ((1u << 19) - 3 * GL_RING_BLOCK) / 8;
    recorder r;
    recorder_join(&r, &opt);
    uint64_t sent = 0, got = 0;
    for (unsigned round = 0; round < BURST_ROUNDS; round++) {
        for (unsigned i = 0; i < round; i++) { /* a while of keeping up, another one each time */
            for (unsigned k = 0; k < 2000; k++)
                gl_emit_HeapLive(++sent);
            recorder_drain(&r);
            got += r.count;
            recorder_forget(&r);
        }
        for (uint64_t k = 0; k < burst; k++)
            gl_emit_HeapLive(++sent);
        recorder_drain(&r);
        for (size_t i = 0; i < r.events; i++)
            CHECK_EQUAL(r.event[i].arg[0], ++got);
        CHECK_EQUAL(got, sent);
        recorder_forget(&r);
        round += round / 4;
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.lost + r.damaged + r.count, 0);
    recorder_close(&r);
}

/* Texts, stacks, context. */

static void texts_with(bool direct)
{
    static const gl_clock_map ticks;
    recorder r;
    char big[GL_RING_TEXT_MAX + 100], buf[40];
    recorder_join(&r, &tiny);
    if (direct)
        recorder_go_direct(&r, &ticks);
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    gl_emit_UserLog(1, "category", big);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(buf, sizeof buf, "message %u", i % 700);
        gl_emit_UserLog(i, "category", buf);
        if (i % 500 == 0)
            recorder_drain(&r);
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.count, 20001);
    CHECK_EQUAL(strlen(recorder_text(&r, r.event[0].arg[2])), GL_RING_TEXT_MAX);
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(buf, sizeof buf, "message %u", i % 700);
        CHECK(!strcmp(recorder_text(&r, r.event[i + 1].arg[2]), buf));
        CHECK(!strcmp(recorder_text(&r, r.event[i + 1].arg[1]), "category"));
    }
    const char *kept = gl_emit_intern("made at run time", 4);
    CHECK(!strcmp(kept, "made") && kept == gl_emit_intern("made", 4) && kept != gl_emit_intern("mad", 3));
    recorder_close(&r);
}

static void texts_are_cut_and_many(void)
{
    texts_with(false);
}

static void texts_into_their_place(void)
{
    texts_with(true);
}

__attribute__((noinline)) static void leaf(void)
{
    gl_emit_GoBlock_here("here");
    __asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) static void middle(unsigned depth)
{
    if (depth)
        middle(depth - 1);
    else
        leaf();
    __asm__ volatile("" : : : "memory");
}

static bool inside(uint64_t pc, const void *function)
{
    return pc > (uint64_t)(uintptr_t)function && pc < (uint64_t)(uintptr_t)function + 3000;
}

static void stacks_are_walked(void)
{
    recorder r;
    recorder_join(&r, &tiny);
    middle(2);
    middle(20);
    gl_emit_set_stack_depth(3);
    middle(20);
    gl_emit_set_stack_depth(0);
    middle(20);
    gl_emit_set_stack_depth(8);
    gl_emit_set_stack_bounds(16, 32); /* we are not on that stack, so nothing of it may be read */
    middle(20);
    recorder_finish(&r);
    CHECK_EQUAL(r.events, 5);
    CHECK(r.event[0].stack && r.stack[r.event[0].stack - 1].n >= 5);
    CHECK(inside(r.stack[r.event[0].stack - 1].pcs[0], (const void *)(uintptr_t)leaf));
    for (unsigned i = 1; i <= 3; i++)
        CHECK(inside(r.stack[r.event[0].stack - 1].pcs[i], (const void *)(uintptr_t)middle));
    CHECK_EQUAL(r.stack[r.event[1].stack - 1].n, 8);
    CHECK_EQUAL(r.stack[r.event[2].stack - 1].n, 3);
    CHECK_EQUAL(r.event[3].stack, 0);
    CHECK_EQUAL(r.stack[r.event[4].stack - 1].n, 1);
    recorder_close(&r);
}

static void context_follows(void)
{
    recorder r;
    gl_emit_GoStart(5); /* nobody listens yet */
    gl_emit_ProcStart(3);
    recorder_join(&r, &tiny);
    gl_emit_GCSweepBegin();
    gl_emit_set_goroutine(UINT64_C(1) << 40);
    gl_emit_GCSweepBegin();
    gl_emit_GoBlock("x");
    gl_emit_GCSweepBegin();
    gl_emit_ProcStop(3);
    gl_emit_GoStart(9);
    gl_emit_ProcStart(4);
    gl_emit_GoSyscallEnd(0);
    gl_emit_GoSyscallEnd(1);
    gl_emit_GCSweepBegin();
    gl_session_listen(r.session, false);
    for (unsigned i = 0; i < 10000; i++) /* the end of a block, where that is noticed */
        gl_emit_HeapLive(i);
    gl_emit_GoStart(77);
    gl_session_listen(r.session, true);
    gl_emit_GCSweepBegin();
    recorder_finish(&r);
    static const struct {
        uint64_t g;
        uint32_t p;
    } want[] = {{5, 3}, {UINT64_C(1) << 40, 3}, {UINT64_C(1) << 40, 3}, {0, 3}, {0, 3}, {0, GL_NO_PROC}, {9, GL_NO_PROC}, {9, 4},
                {9, 4}, {0, GL_NO_PROC}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        CHECK_EQUAL(r.event[i].g, want[i].g);
        CHECK_EQUAL(r.event[i].p, want[i].p);
    }
    CHECK(r.events < 10000);
    CHECK_EQUAL(r.event[r.events - 1].type, GL_EV_GCSweepBegin);
    CHECK_EQUAL(r.event[r.events - 1].g, 77);
    recorder_close(&r);
}

/* Signals. */

static volatile sig_atomic_t handled;

static void emitting_handler(int sig)
{
    (void)sig;
    char text[32] = "from the handler";
    gl_emit_UserLog(7, "signal", text);
    gl_emit_HeapGoal((uint64_t)++handled);
}

/** A handler emits two events at any moment of a run that emits; all are there in order, or counted. */
static void handlers_may_emit(void)
{
    recorder r;
    gl_session_options opt = {.slots = 1, .large_rings = 1, .large_bytes = 1 << 20};
    recorder_join(&r, &opt);
    r.keep = true;
    struct sigaction sa = {.sa_handler = emitting_handler};
    CHECK(sigaction(SIGALRM, &sa, NULL) == 0);
    struct itimerval timer = {{0, 50}, {0, 50}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    uint64_t sent = 0, seen = 0, goals = 0, got = 0;
    while (sent < 600000 || (handled < 500 && sent < 100000000)) {
        for (unsigned i = 0; i < 5000; i++)
            gl_emit_ChanSendBegin(++sent, 1, 2);
        recorder_drain(&r);
        for (size_t i = 0; i < r.events; i++) {
            const gl_event *ev = &r.event[i];
            CHECK(ev->type == GL_EV_Lost || ev->type == GL_EV_UserLog || ev->type == GL_EV_HeapGoal ||
                  ev->type == GL_EV_ChanSendBegin);
            if (ev->type == GL_EV_HeapGoal) {
                CHECK(ev->arg[0] > goals);
                goals = ev->arg[0];
                got++;
            }
            if (ev->type == GL_EV_ChanSendBegin) {
                CHECK(ev->arg[0] > seen && ev->arg[1] == 1 && ev->arg[2] == 2);
                seen = ev->arg[0];
            }
            if (ev->type == GL_EV_UserLog)
                CHECK(!strcmp(recorder_text(&r, ev->arg[2]), "from the handler"));
        }
        r.events = 0;
    }
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    recorder_finish(&r);
    CHECK_EQUAL(r.damaged, 0);
    CHECK(handled >= 500 && got > 0);
    gl_session_no_ring no_ring; /* while the thread was taking its ring */
    gl_session_no_ring_get(r.session, &no_ring);
    CHECK_EQUAL(r.count + r.lost + no_ring.events, sent + 2 * (uint64_t)handled);
    CHECK(r.lost + no_ring.events <= 2 * (uint64_t)handled);
    recorder_close(&r);
}

static void run_varints(void **state) { (void)state; assert_true(in_child(varints)); }
static void run_every_event(void **state) { (void)state; assert_true(in_child(every_event)); }
static void run_every_event_direct(void **state) { (void)state; assert_true(in_child(every_event_into_its_place)); }
static void run_every_event_slow(void **state) { (void)state; assert_true(in_child(every_event_by_the_slow_clock)); }
static void run_drop(void **state) { (void)state; assert_true(in_child(full_ring_drops_the_new)); }
static void run_overwrite(void **state) { (void)state; assert_true(in_child(full_ring_overwrites_the_old)); }
static void run_stay(void **state) { (void)state; assert_true(in_child(reader_that_keeps_up_makes_the_writer_stay)); }
static void run_bursts(void **state) { (void)state; assert_true(in_child(bursts_find_the_whole_ring)); }
static void run_texts(void **state) { (void)state; assert_true(in_child(texts_are_cut_and_many)); }
static void run_texts_direct(void **state) { (void)state; assert_true(in_child(texts_into_their_place)); }
static void run_stacks(void **state) { (void)state; assert_true(in_child(stacks_are_walked)); }
static void run_context(void **state) { (void)state; assert_true(in_child(context_follows)); }
static void run_handlers(void **state) { (void)state; assert_true(in_child(handlers_may_emit)); }

static void moves_are_known_in_advance(void **state)
{
    (void)state;
    for (unsigned code = 0; code < GL_EV_LIMIT; code++) {
        uint64_t g = 0;
        uint32_t p = 0;
        assert_int_equal(gl_ring_effect(code, 1, &g, &p) != 0, GL_RING_MOVES(code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_varints),   cmocka_unit_test(run_every_event), cmocka_unit_test(run_every_event_direct), cmocka_unit_test(run_every_event_slow),
        cmocka_unit_test(run_drop),      cmocka_unit_test(run_overwrite),   cmocka_unit_test(run_stay),
        cmocka_unit_test(run_bursts), cmocka_unit_test(run_texts), cmocka_unit_test(run_texts_direct),     cmocka_unit_test(run_stacks),      cmocka_unit_test(run_context),
        cmocka_unit_test(run_handlers), cmocka_unit_test(moves_are_known_in_advance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
