/* What a reader makes of a ring whose program has gone mad: never more than Lost events. And the clock's lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder.h"
#include "session_internal.h"

static uint64_t seed = 88172645463325252u;

static uint64_t random_number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void emit_a_bit_of_all(uint64_t n)
{
    gl_emit_GoStart(n);
    gl_emit_ChanSendBegin(n * 64, n, 8);
    gl_emit_GoBlock_at((gl_emit_stack){&n, 1}, "chan send");
    gl_emit_UserLog(n, "category", "some message");
    gl_emit_set_goroutine(n * 3);
    gl_emit_ClockSync(n, n, n);
}

/** Bytes of the data, or words of the ring's control, are changed before the reader comes. */
static void random_damage(void)
{
    static const gl_session_options opt = {.slots = 1, .large_rings = 1, .large_bytes = 1};
    for (unsigned round = 0; round < 1500; round++) {
        recorder r;
        recorder_join(&r, &opt);
        r.keep = false;
        gl_session_set_policy(r.session, round % 3 ? GL_RING_DROP : GL_RING_OVERWRITE);
        for (uint64_t n = 0; n < 100 + random_number() % 3000; n++)
            emit_a_bit_of_all(n);
        gl_ring_control *c = gl_session_control(r.session, 0);
        gl_ring_control before = *c;
        uint8_t *data = (uint8_t *)c + GL_RING_CONTROL_BYTES;
        uint64_t written = before.head < r.session->ring_bytes[0] ? before.head : r.session->ring_bytes[0];
        for (unsigned i = 0; i < 1 + random_number() % 20; i++)
            data[random_number() % written] = (uint8_t)random_number();
        if (round % 5 == 0)
            memset(data + random_number() % (written / 2), (int)random_number(), random_number() % (written / 2));
        if (round % 7 == 0)
            c->head = random_number() >> (random_number() % 64);
        if (round % 11 == 0)
            c->opening = random_number() >> (random_number() % 64);
        if (round % 13 == 0)
            c->lost = random_number();
        recorder_drain(&r);
        recorder_finish(&r);
        *c = before;
        recorder_close(&r);
    }
}

static void damage_is_told_and_passed_over(void)
{
    static const gl_session_options opt = {.slots = 1, .large_rings = 1, .large_bytes = 1 << 20};
    recorder r;
    recorder_join(&r, &opt);
    for (uint64_t n = 1; n <= 20000; n++)
        gl_emit_HeapLive(n);
    uint8_t *data = (uint8_t *)gl_session_control(r.session, 0) + GL_RING_CONTROL_BYTES;
    data[GL_RING_BLOCK + GL_RING_BLOCK_HEADER] = 0x7f; /* an event that there is not, the second block's first */
    recorder_finish(&r);
    CHECK_EQUAL(r.damaged, 1);
    uint64_t next = 1, holes = 0;
    for (size_t i = 0; i < r.events; i++) {
        if (r.event[i].type == GL_EV_Lost) {
            CHECK(!strcmp(recorder_text(&r, r.event[i].arg[3]), "the ring is damaged"));
            continue;
        }
        holes += r.event[i].arg[0] != next;
        next = r.event[i].arg[0] + 1;
    }
    CHECK_EQUAL(holes, 1);
    CHECK_EQUAL(next, 20001);
    CHECK(r.count > 20000 - GL_RING_BLOCK / 7);
    recorder_close(&r);
}

static void foreign_layouts_are_refused(void)
{
    recorder r;
    gl_session_options opt = {.slots = 4};
    recorder_create(&r, &opt);
    gl_ring_header *h = r.session->header, good = *h;
    gl_ring_slot *slot = gl_session_slot(r.session, 2), good_slot = *slot;
    CHECK(gl_ring_check(h, h->total_bytes) == NULL && gl_ring_check_slot(h, slot));
    CHECK(gl_ring_check(h, h->total_bytes - 1) != NULL);
#define REFUSED(member, value)                            \
    h->member = (value);                                  \
    CHECK(gl_ring_check(h, good.total_bytes) != NULL);    \
    *h = good
    REFUSED(magic, 1);
    REFUSED(version, 2);
    REFUSED(block_bytes, 4096);
    REFUSED(slots, 0);
    REFUSED(slots, GL_RING_SLOTS_MAX + 1);
    REFUSED(total_bytes, UINT64_MAX);
    REFUSED(table_offset, UINT64_MAX - 63);
    REFUSED(table_offset, good.total_bytes - 64);
    REFUSED(table_offset, 64);
#define SLOT_REFUSED(member, value)         \
    slot->member = (value);                 \
    CHECK(!gl_ring_check_slot(h, slot));    \
    *slot = good_slot
    SLOT_REFUSED(ring_offset, good.total_bytes - 4096);
    SLOT_REFUSED(ring_offset, UINT64_MAX - 4095);
    SLOT_REFUSED(ring_offset, 1);
    SLOT_REFUSED(ring_bytes, 16384);
    SLOT_REFUSED(ring_bytes, good_slot.ring_bytes + 1);
    SLOT_REFUSED(ring_bytes, UINT64_C(1) << 63);
    recorder_close(&r);
}

/** What many ticks in a row are converted by gives what one gives, over all lines that are kept and before them. */
static void lines_are_found(const gl_clock_map *map, uint64_t from)
{
    const gl_clock_segment newest = gl_clock_map_newest(map);
    for (uint64_t k = 0, ticks = from; k < 200; k++, ticks += UINT64_C(1222700000) + k % 3 - 1) {
        gl_clock_segment line;
        uint64_t span = gl_clock_map_find(map, ticks, &line), since = ticks - line.ticks;
        int64_t want = gl_clock_map_ns(map, ticks);
        CHECK_EQUAL(gl_clock_line_ns(map, &newest, ticks), want);
        CHECK(span == 0 || since < span);
        __extension__ uint64_t ns = (uint64_t)(((unsigned __int128)since * line.rate) >> 32);
        CHECK(span == 0 || line.ns + (int64_t)ns == want);
        CHECK(span == 0 || span == UINT64_MAX || gl_clock_map_ns(map, line.ticks + span) >= want);
    }
}

static void clock_lines_join(void)
{
    gl_clock_map map;
    gl_ring_pair pair = {1000000, 5000000, 0}, second = {1000000 + 24454000, 5000000 + 10000300, 0};
    gl_clock_map_start(&map, &pair, &second);
    int64_t before = gl_clock_map_ns(&map, 0);
    CHECK(before < 5000000);
    for (uint64_t i = 1; i < 300; i++) { /* 2.4454 GHz, with a jitter of 50 ns and a drift of 3 ppm from second 100 on */
        gl_ring_pair next = {1000000 + i * UINT64_C(2445400000), 5000000 + (int64_t)i * 1000000000, 0};
        next.monotonic_ns += (int64_t)(random_number() % 100) - 50 + (i > 100 ? (int64_t)(i - 100) * 3000 : 0);
        int64_t here = gl_clock_map_ns(&map, next.ticks);
        gl_clock_map_add(&map, &next);
        CHECK_EQUAL(gl_clock_map_ns(&map, next.ticks), here); /* no step */
        int64_t error = here - next.monotonic_ns;
        CHECK(i < 3 || i == 101 || (error < 10000 && error > -10000));
        for (uint64_t k = 0; k < 100; k++) { /* never back, on either side of the joint */
            int64_t ns = gl_clock_map_ns(&map, next.ticks - 50 + k);
            CHECK(k == 0 || ns >= before);
            before = ns;
        }
        lines_are_found(&map, next.ticks - UINT64_C(2445400000) * 70);
    }
    gl_ring_pair now, later;
    gl_ring_clock clock = gl_clock_best();
    gl_clock_take(clock, &now);
    CHECK(gl_clock_ticks(clock) >= now.ticks && now.wall_ns > 0);
    usleep(20000);
    gl_clock_take(clock, &later);
    gl_clock_map_start(&map, &now, &later);
    CHECK_EQUAL(gl_clock_map_ns(&map, now.ticks), now.monotonic_ns);
    int64_t error = gl_clock_map_ns(&map, later.ticks) - later.monotonic_ns;
    CHECK(error <= 1 && error >= -1);
}

static void run_random(void **state) { (void)state; assert_true(in_child(random_damage)); }
static void run_told(void **state) { (void)state; assert_true(in_child(damage_is_told_and_passed_over)); }
static void run_layouts(void **state) { (void)state; assert_true(in_child(foreign_layouts_are_refused)); }
static void run_clock(void **state) { (void)state; assert_true(in_child(clock_lines_join)); }

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(run_random), cmocka_unit_test(run_told),
                                       cmocka_unit_test(run_layouts), cmocka_unit_test(run_clock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
