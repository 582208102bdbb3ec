/*
 * Many threads, and a reader at the same time. Writers and reader use one mapping here, so that a thread sanitizer sees
 * both ends of each ring; elsewhere each has its own.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "emit_internal.h"
#include "recorder.h"
#include "session_internal.h"

#if defined(TESTS_EMULATED)
#define SLOWER 40u
#elif defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOWER 10u
#else
#define SLOWER 1u
#endif

#define THREADS_MAX 2000u
#define MAX_LANES 64u

static void join_in_one_mapping(recorder *r, const gl_session_options *opt)
{
    recorder_join(r, opt);
    gl_emit_adopt_(r->session->header, gl_session_fd(r->session));
}

/** What thread `lane` says as its n-th word: all can be checked from lane and n. */
static void say(uint64_t lane, uint64_t n)
{
    static const char *const reason[] = {"chan send", "chan receive", "select", "sleep"};
    char text[40];
    switch (n % 5) {
    case 0: gl_emit_GoStart(lane + 1); break;
    case 1: gl_emit_ChanSendBegin(lane << 20 | (n & 0xff00), n & 1023, lane); break;
    case 2: gl_emit_GoBlock(reason[n & 3]); break;
    case 3: gl_emit_HeapLive(n); break;
    default:
        snprintf(text, sizeof text, "%llu", (unsigned long long)(n % 100));
        gl_emit_UserLog(n, reason[lane & 3], text);
    }
}

/** Checks what is drained as it comes: each lane's words without one too many, too few or out of order but for Lost. */
typedef struct lanes {
    recorder *r;
    uint64_t next[MAX_LANES]; /* the number of the next HeapLive or UserLog, at least */
    uint64_t checked;
} lanes;

static int check_events(void *user, const gl_event *events, size_t n)
{
    lanes *l = user;
    for (size_t i = 0; i < n; i++) {
        const gl_event *ev = &events[i];
        CHECK(ev->thread < MAX_LANES);
        if (ev->type == GL_EV_Lost) {
            l->r->lost += ev->arg[0];
            l->r->damaged += ev->arg[1] != 0;
            continue;
        }
        l->r->count++;
        CHECK(ev->type == GL_EV_GoStart || ev->type == GL_EV_ChanSendBegin || ev->type == GL_EV_GoBlock ||
              ev->type == GL_EV_HeapLive || ev->type == GL_EV_UserLog);
        if (ev->type == GL_EV_ChanSendBegin)
            CHECK_EQUAL(ev->arg[0] & 0xff, 0);
        if (ev->type != GL_EV_HeapLive && ev->type != GL_EV_UserLog)
            continue;
        CHECK(ev->arg[0] >= l->next[ev->thread]);
        CHECK_EQUAL(ev->arg[0] % 5, ev->type == GL_EV_HeapLive ? 3 : 4);
        l->next[ev->thread] = ev->arg[0] + 1;
        l->checked++;
        if (ev->type == GL_EV_UserLog)
            CHECK_EQUAL(strtoull(recorder_text(l->r, ev->arg[2]), NULL, 10), ev->arg[0] % 100);
    }
    return 0;
}

static lanes *current;

/** The recorder is the sink's user; its events go to the lanes that are being checked. */
static int to_lanes(void *user, const gl_event *events, size_t n)
{
    (void)user;
    return check_events(current, events, n);
}

typedef struct writer {
    pthread_t thread;
    uint64_t lane, events;
} writer;

static unsigned running;

static void *write_words(void *arg)
{
    writer *w = arg;
    for (uint64_t n = 0; n < w->events; n++)
        say(w->lane, n);
    gl_emit_thread_end(); /* before the count goes down: then all is in the ring */
    __atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
    return NULL;
}

static gl_session_no_ring race(recorder *r, gl_ring_policy policy, unsigned threads, uint64_t events, lanes *l)
{
    gl_session_options opt = {.slots = MAX_LANES, .large_rings = MAX_LANES, .large_bytes = 1 << 17, .policy = policy};
    static writer w[MAX_LANES];
    join_in_one_mapping(r, &opt);
    *l = (lanes){.r = r};
    current = l;
    r->sink.on_events = to_lanes;
    __atomic_store_n(&running, threads, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < threads; i++) {
        w[i] = (writer){.lane = i, .events = events};
        CHECK(pthread_create(&w[i].thread, NULL, write_words, &w[i]) == 0);
    }
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
        recorder_drain(r);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(w[i].thread, NULL);
    recorder_finish(r);
    gl_session_no_ring no_ring;
    gl_session_no_ring_get(r->session, &no_ring);
    return no_ring;
}

static void all_arrive_where_writers_wait(void)
{
    recorder r;
    lanes l;
    gl_session_no_ring no_ring = race(&r, GL_RING_WAIT, 8, 100000 / SLOWER, &l);
    CHECK_EQUAL(no_ring.events + r.lost + r.damaged, 0);
    CHECK_EQUAL(r.count, 8 * (uint64_t)(100000 / SLOWER));
    recorder_close(&r);
}

static void all_arrive_or_are_counted(void)
{
    recorder r;
    lanes l;
    gl_session_no_ring no_ring = race(&r, GL_RING_DROP, 8, 300000 / SLOWER, &l);
    CHECK_EQUAL(r.damaged, 0);
    CHECK_EQUAL(r.count + r.lost + no_ring.events, 8 * (uint64_t)(300000 / SLOWER));
    CHECK(r.count > 0);
    recorder_close(&r);
}

static void overwriting_never_garbles(void)
{
    recorder r;
    lanes l;
    gl_session_no_ring no_ring = race(&r, GL_RING_OVERWRITE, 8, 300000 / SLOWER, &l);
    CHECK_EQUAL(r.lost + no_ring.events, 0);
    for (unsigned i = 0; i < 8; i++) /* the ends are all there */
        CHECK(l.next[i] > 300000 / SLOWER - 5);
    recorder_close(&r);
}

/* Threads that come and go. */

static void *three_words(void *arg)
{
    uint64_t n = (uint64_t)(uintptr_t)arg;
    gl_emit_set_goroutine(n);
    gl_emit_HeapLive(n);
    gl_emit_GoBlock("chan send");
    gl_emit_HeapGoal(n);
    return NULL;
}

static void threads_in_turn_share_a_ring(void)
{
    recorder r;
    gl_session_options opt = {.slots = 16, .large_rings = 16, .large_bytes = 1 << 18};
    const uint64_t threads = 20000 / SLOWER;
    join_in_one_mapping(&r, &opt);
    uint64_t seen = 0;
    for (uint64_t i = 1; i <= threads; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, three_words, (void *)(uintptr_t)i) == 0);
        pthread_join(thread, NULL);
        if (i % 100)
            continue;
        recorder_drain(&r);
        for (size_t k = 0; k < r.events; k++) {
            const gl_event *ev = &r.event[k];
            CHECK_EQUAL(ev->type, k % 3 == 0 ? GL_EV_HeapLive : k % 3 == 1 ? GL_EV_GoBlock : GL_EV_HeapGoal);
            seen += k % 3 == 0;
            if (k % 3 != 1)
                CHECK_EQUAL(ev->arg[0], seen);
            CHECK_EQUAL(ev->g, k % 3 == 2 ? 0 : seen);
            CHECK_EQUAL(r.thread[ev->thread].turn, seen);
        }
        r.events = 0;
        r.threads = 0; /* the search for them is not what is tested */
        free(r.thread);
        r.thread = NULL;
        r.session->decoder[0].thread_known = false;
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.count, 3 * threads);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    CHECK_EQUAL(gl_session_rings(r.session), 1);
    recorder_close(&r);
}

static pthread_barrier_t all_there;

static void *words_at_once(void *arg)
{
    gl_emit_HeapLive((uint64_t)(uintptr_t)arg);
    pthread_barrier_wait(&all_there);
    for (unsigned i = 0; i < 20; i++)
        gl_emit_HeapGoal((uint64_t)(uintptr_t)arg);
    return NULL;
}

static gl_session_no_ring at_once(recorder *r, uint32_t slots, unsigned threads)
{
    static pthread_t thread[THREADS_MAX];
    gl_session_options opt = {.slots = slots, .large_rings = 1, .large_bytes = 1, .small_bytes = 1};
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    join_in_one_mapping(r, &opt);
    pthread_barrier_init(&all_there, NULL, threads);
    for (unsigned i = 0; i < threads; i++)
        CHECK(pthread_create(&thread[i], &attr, words_at_once, (void *)(uintptr_t)(i + 1)) == 0);
    for (unsigned i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    recorder_finish(r);
    gl_session_no_ring no_ring;
    gl_session_no_ring_get(r->session, &no_ring);
    return no_ring;
}

static void two_thousand_at_once(void)
{
    recorder r;
    unsigned threads = THREADS_MAX / SLOWER;
    gl_session_no_ring no_ring = at_once(&r, THREADS_MAX, threads);
    CHECK_EQUAL(no_ring.events + r.lost + r.damaged, 0);
    CHECK_EQUAL(r.count, 21 * (uint64_t)threads);
    recorder_close(&r);
}

static void too_many_at_once_are_counted(void)
{
    recorder r;
    unsigned threads = 32 + 500 / SLOWER;
    gl_session_no_ring no_ring = at_once(&r, 16, threads);
    CHECK_EQUAL(r.count + r.lost + no_ring.events, 21 * (uint64_t)threads);
    CHECK(no_ring.events > 0 && no_ring.first > 0 && no_ring.last >= no_ring.first);
    recorder_close(&r);
}

static void *vanish(void *arg)
{
    (void)arg;
    gl_emit_HeapLive(1);
    syscall(SYS_exit, 0); /* without a farewell */
    return NULL;
}

static void rings_of_vanished_threads_come_back(void)
{
    recorder r;
    gl_session_options opt = {.slots = 1, .large_rings = 1, .large_bytes = 1};
    join_in_one_mapping(&r, &opt);
    for (unsigned i = 0; i < 50; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, vanish, NULL) == 0);
        pthread_join(thread, NULL);
        while (gl_session_tend(r.session) == 0) /* the kernel may take a moment */
            usleep(100);
        recorder_drain(&r);
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.count, 50);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    recorder_close(&r);
}

static void run_wait(void **state) { (void)state; assert_true(in_child(all_arrive_where_writers_wait)); }
static void run_drop(void **state) { (void)state; assert_true(in_child(all_arrive_or_are_counted)); }
static void run_overwrite(void **state) { (void)state; assert_true(in_child(overwriting_never_garbles)); }
static void run_turns(void **state) { (void)state; assert_true(in_child(threads_in_turn_share_a_ring)); }
static void run_at_once(void **state) { (void)state; assert_true(in_child(two_thousand_at_once)); }
static void run_too_many(void **state) { (void)state; assert_true(in_child(too_many_at_once_are_counted)); }

static void run_vanished(void **state)
{
    (void)state;
    if (SLOWER > 1)
        skip(); /* a sanitizer wants to see a thread's end */
    assert_true(in_child(rings_of_vanished_threads_come_back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_wait),    cmocka_unit_test(run_drop),     cmocka_unit_test(run_overwrite),
        cmocka_unit_test(run_turns),   cmocka_unit_test(run_at_once),  cmocka_unit_test(run_too_many),
        cmocka_unit_test(run_vanished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
