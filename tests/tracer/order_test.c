#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "idmap.h"
#include "order.h"

typedef struct got {
    gl_event event[4096];
    size_t n;
} got;

static int keep(void *user, gl_event *events, size_t n)
{
    got *g = user;
    assert_true(g->n + n <= sizeof g->event / sizeof *g->event);
    memcpy(g->event + g->n, events, n * sizeof *events);
    g->n += n;
    return 0;
}

static void put(gl_queue *q, int64_t time, uint64_t ring, uint64_t number)
{
    gl_event *ev = gl_queue_room(q, 1);
    assert_non_null(ev);
    *ev = (gl_event){.time = time, .type = GL_EV_HeapLive, .g = ring, .arg = {number}};
    q->tail++;
}

static void by_time_up_to_a_limit(void **state)
{
    (void)state;
    static got g;
    gl_queue q[3] = {{0}};
    gl_order o;
    g.n = 0;
    gl_order_init(&o, keep, NULL, &g);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(gl_order_add(&o, &q[i]), 0);
    const int64_t times[3][4] = {{1, 4, 7, 20}, {2, 3, 8, 9}, {5, 6, 30, 31}};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 4; k++)
            put(&q[i], times[i][k], i, k);
    assert_int_equal(gl_order_run(&o, 9), 0);
    assert_int_equal(g.n, 9);
    for (size_t i = 0; i < g.n; i++)
        assert_int_equal(g.event[i].time, i + 1);
    assert_int_equal(gl_order_run(&o, INT64_MAX), 0);
    assert_int_equal(g.n, 12);
    assert_int_equal(g.event[11].time, 31);
    assert_int_equal(o.late, 0);
    gl_order_free(&o);
    for (size_t i = 0; i < 3; i++)
        gl_queue_free(&q[i]);
}

/* What comes too late comes next, whatever its stamp, and is counted. */
static void late_events_come_next(void **state)
{
    (void)state;
    static got g;
    gl_queue q[2] = {{0}};
    gl_order o;
    g.n = 0;
    gl_order_init(&o, keep, NULL, &g);
    assert_int_equal(gl_order_add(&o, &q[0]), 0);
    assert_int_equal(gl_order_add(&o, &q[1]), 0);
    put(&q[0], 100, 0, 0);
    assert_int_equal(gl_order_run(&o, 100), 0);
    put(&q[1], 50, 1, 0);
    put(&q[0], 101, 0, 1);
    assert_int_equal(gl_order_run(&o, 200), 0);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.event[1].time, 50);
    assert_int_equal(g.event[2].time, 101);
    assert_int_equal(o.late, 1);
    gl_order_free(&o);
    gl_queue_free(&q[0]);
    gl_queue_free(&q[1]);
}

/* A ring's own order holds even where its stamps step back, through many runs and queues that grow and are emptied. */
static void a_ring_keeps_its_order(void **state)
{
    (void)state;
    enum { RINGS = 7, EVENTS = 500 };
    static got g;
    gl_queue q[RINGS] = {{0}};
    gl_order o;
    uint64_t random = 12345, next[RINGS] = {0}, told[RINGS] = {0};
    g.n = 0;
    gl_order_init(&o, keep, NULL, &g);
    for (size_t i = 0; i < RINGS; i++)
        assert_int_equal(gl_order_add(&o, &q[i]), 0);
    for (int64_t step = 0; g.n < RINGS * EVENTS; step++) {
        for (size_t i = 0; i < RINGS; i++)
            for (unsigned k = 0; k < 5 && next[i] < EVENTS; k++) {
                random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
                put(&q[i], step * 10 + (int64_t)(random >> 60) - 4, i, next[i]++);
            }
        assert_int_equal(gl_order_run(&o, step * 10 - 20), 0);
        if (step > 200)
            assert_int_equal(gl_order_run(&o, INT64_MAX), 0);
    }
    for (size_t i = 0; i < g.n; i++)
        assert_int_equal(g.event[i].arg[0], told[g.event[i].g]++);
    gl_order_free(&o);
    for (size_t i = 0; i < RINGS; i++)
        gl_queue_free(&q[i]);
}

/** What the merge promises, event by event: of the queues' first events the earliest; of equal ones, any. */
static void check_merge(const got *g, const gl_queue *q, size_t rings, int64_t upto)
{
    size_t at[8] = {0}, total = 0;
    for (size_t n = 0; n < g->n; n++) {
        const gl_event *ev = &g->event[n];
        int64_t earliest = INT64_MAX;
        for (size_t i = 0; i < rings; i++)
            if (at[i] < q[i].tail && q[i].event[at[i]].time < earliest)
                earliest = q[i].event[at[i]].time;
        assert_int_equal(ev->time, earliest);
        assert_true(ev->time <= upto);
        assert_int_equal(ev->arg[0], at[ev->g]++);
    }
    for (size_t i = 0; i < rings; i++) {
        assert_int_equal(q[i].head, at[i]);
        total += at[i];
        assert_true(at[i] == q[i].tail || q[i].event[at[i]].time > upto);
    }
    assert_int_equal(total, g->n);
}

/* One ring, two, many; turns of one event and of hundreds; equal times; more than a batch. */
static void the_earliest_is_next(void **state)
{
    (void)state;
    static got g;
    uint64_t random = 99;
    for (size_t rings = 1; rings <= 8; rings++)
        for (unsigned spread = 0; spread <= 9; spread += 3) {
            gl_queue q[8] = {{0}};
            gl_order o;
            g.n = 0;
            gl_order_init(&o, keep, NULL, &g);
            for (size_t i = 0; i < rings; i++) {
                assert_int_equal(gl_order_add(&o, &q[i]), 0);
                int64_t time = 0;
                for (uint64_t k = 0; k < 480 - 40 * i; k++) {
                    random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
                    put(&q[i], time += (int64_t)(random >> 33 & ((1u << spread) - 1)), i, k);
                }
            }
            int64_t upto = q[0].event[300].time;
            assert_int_equal(gl_order_run(&o, upto), 0);
            check_merge(&g, q, rings, upto);
            assert_int_equal(gl_order_run(&o, INT64_MAX), 0);
            check_merge(&g, q, rings, INT64_MAX);
            assert_int_equal(o.late, 0);
            gl_order_free(&o);
            for (size_t i = 0; i < rings; i++)
                gl_queue_free(&q[i]);
        }
}

/* Queues that have more: what a ring gives by and by is merged as if it had been there all the time. */

typedef struct spring {
    gl_queue queue; /* the first field */
    gl_event all[500];
    size_t n, given, at_once;
} spring;

typedef struct springs {
    got *out;
    spring *spring;
    size_t refills;
} springs;

static int keep_of(void *user, gl_event *events, size_t n)
{
    springs *s = user;
    return keep(s->out, events, n);
}

static int give(void *user, gl_queue *q)
{
    springs *s = user;
    spring *of = (spring *)(void *)q;
    assert_true(q->more && gl_queue_count(q) == 0);
    size_t n = of->n - of->given < of->at_once ? of->n - of->given : of->at_once;
    gl_event *to = gl_queue_room(q, n ? n : 1);
    assert_non_null(to);
    memcpy(to, of->all + of->given, n * sizeof *to);
    q->tail += n;
    of->given += n;
    q->more = of->given < of->n;
    s->refills++;
    return 0;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const gl_event *)a)->time, y = ((const gl_event *)b)->time;
    return (x > y) - (x < y);
}

static void flows_together(size_t rings, unsigned spread, uint64_t *random)
{
    static spring sp[5];
    static got g;
    static gl_event want[2500];
    springs s = {&g, sp, 0};
    size_t total = 0;
    gl_order o;
    g.n = 0;
    memset(sp, 0, sizeof sp);
    gl_order_init(&o, keep_of, give, &s);
    for (size_t i = 0; i < rings; i++) {
        assert_int_equal(gl_order_add(&o, &sp[i].queue), 0);
        int64_t time = 0;
        sp[i].n = 500 - 90 * i;
        sp[i].at_once = (size_t[]){1, 70, 3, 256, 500}[(i + spread) % 5];
        sp[i].queue.more = true;
        for (size_t k = 0; k < sp[i].n; k++) {
            *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
            /* long stretches of one ring, too; no two times are the same */
            time += (1 + (int64_t)(*random >> 33 & ((1u << spread) - 1)) + (k % 270 == 269 ? 9000 : 0)) * 8;
            sp[i].all[k] = want[total++] = (gl_event){.time = time + (int64_t)i, .g = i, .arg = {k}};
        }
    }
    qsort(want, total, sizeof *want, by_time);
    size_t half = total / 2;
    assert_int_equal(gl_order_run(&o, want[half].time), 0);
    assert_int_equal(g.n, half + 1);
    assert_int_equal(gl_order_run(&o, INT64_MAX), 0);
    assert_int_equal(g.n, total);
    for (size_t i = 0; i < total; i++)
        assert_memory_equal(&g.event[i], &want[i], sizeof *want);
    assert_int_equal(o.late, 0);
    assert_true(s.refills >= rings);
    gl_order_free(&o);
    for (size_t i = 0; i < rings; i++)
        gl_queue_free(&sp[i].queue);
}

static void what_comes_by_and_by_is_in_order(void **state)
{
    (void)state;
    uint64_t random = 4711;
    for (size_t rings = 1; rings <= 5; rings++)
        for (unsigned spread = 0; spread <= 12; spread += 2)
            flows_together(rings, spread, &random);
}

static int dry(void *user, gl_queue *q)
{
    (void)user;
    (void)q;
    return GL_E_NOMEM;
}

static void a_ring_s_failure_is_passed_on(void **state)
{
    (void)state;
    static got g;
    gl_queue q[2] = {{0}};
    gl_order o;
    g.n = 0;
    gl_order_init(&o, keep, dry, &g);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gl_order_add(&o, &q[i]), 0);
        put(&q[i], 1, i, 0);
    }
    q[1].more = true;
    assert_int_equal(gl_order_run(&o, 10), GL_E_NOMEM);
    gl_order_free(&o);
    gl_queue_free(&q[0]);
    gl_queue_free(&q[1]);
}

static int refuse(void *user, gl_event *events, size_t n)
{
    (void)user;
    (void)events;
    return n ? GL_E_IO : 0;
}

static void a_receiver_s_refusal_is_passed_on(void **state)
{
    (void)state;
    gl_queue q = {0};
    gl_order o;
    gl_order_init(&o, refuse, NULL, NULL);
    assert_int_equal(gl_order_add(&o, &q), 0);
    put(&q, 1, 0, 0);
    assert_int_equal(gl_order_run(&o, 10), GL_E_IO);
    gl_order_free(&o);
    gl_queue_free(&q);
}

static void ids_are_found_again(void **state)
{
    (void)state;
    gl_idmap map = {0};
    uint32_t value = 7;
    assert_false(gl_idmap_find(&map, 1, &value));
    for (uint64_t i = 0; i < 10000; i++)
        assert_true(gl_idmap_put(&map, i * i * UINT64_C(0x100000001), (uint32_t)i));
    for (uint64_t i = 0; i < 10000; i++) {
        assert_true(gl_idmap_find(&map, i * i * UINT64_C(0x100000001), &value));
        assert_int_equal(value, i);
    }
    assert_false(gl_idmap_find(&map, 3, &value));
    gl_idmap_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_time_up_to_a_limit),          cmocka_unit_test(late_events_come_next),
        cmocka_unit_test(a_ring_keeps_its_order),         cmocka_unit_test(a_receiver_s_refusal_is_passed_on),
        cmocka_unit_test(the_earliest_is_next),           cmocka_unit_test(ids_are_found_again),
        cmocka_unit_test(what_comes_by_and_by_is_in_order), cmocka_unit_test(a_ring_s_failure_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
