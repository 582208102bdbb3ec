/*
 * Events of any numbers are decoded as they were coded, at once and one number after the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gotrace/v2.h"

#define PADDING 128 /* as behind a cursor's window */

/* Types by the number of their arguments. */
static const uint8_t types[] = {V2_EV_GoDestroy, V2_EV_GCActive, V2_EV_GoStart, V2_EV_GoUnblock, V2_EV_UserLog};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *state >> 33;
}

static uint8_t *put_number(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

/* Of one to ten bytes; small ones are more frequent. */
static uint64_t any_number(uint64_t *random)
{
    unsigned bits = (unsigned)(next_random(random) % (next_random(random) % 2 ? 21 : 65));
    uint64_t v = next_random(random) << 33 ^ next_random(random);
    return bits == 64 ? v | UINT64_C(1) << 63 : v & ((UINT64_C(1) << bits) - 1);
}

/* Codes n events behind each other; the end of them. */
static uint8_t *put_events(uint8_t *p, gl_v2_event *events, unsigned n, uint64_t *random)
{
    int64_t time = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned args = (unsigned)(next_random(random) % 5);
        uint64_t step = any_number(random) % (UINT64_C(1) << 34);
        events[i].type = *p++ = types[args];
        events[i].time = time += (int64_t)step * 64;
        p = put_number(p, step);
        for (unsigned k = 0; k < args; k++)
            p = put_number(p, events[i].arg[k] = any_number(random));
    }
    return p;
}

static void check(const gl_v2_event *truth, unsigned n, uint8_t *bytes, uint8_t *end, const gl_v2_spread *spread)
{
    gl_v2_event out[V2_DECODE_AHEAD + V2_LOOK_AHEAD];
    gl_v2_gen gen = {.ns_per_tick = 64, .whole_ns = 64};
    gl_v2_cursor c = {.events = out, .at = bytes, .end = end, .ahead = V2_DECODE_AHEAD};
    gl_v2_cursor_decode(&c, &gen, spread);
    assert_false(c.broken);
    assert_int_equal(c.ev_end - c.ev, n);
    assert_ptr_equal(c.at, end);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(c.ev[i].type, truth[i].type);
        assert_int_equal(c.ev[i].time, truth[i].time);
        for (unsigned k = 0; types[k] != truth[i].type; k++)
            assert_int_equal(c.ev[i].arg[k], truth[i].arg[k]);
    }
}

static void numbers_of_any_length(void **state)
{
    (void)state;
    uint64_t random = 7;
    static gl_v2_spread spread;
    gl_v2_spread_init(&spread);
    for (unsigned round = 0; round < 4000; round++) {
        uint8_t bytes[V2_DECODE_AHEAD * 51 + PADDING];
        gl_v2_event events[V2_DECODE_AHEAD];
        memset(bytes, round % 2 ? 0xff : 0, sizeof bytes); /* what stands behind must not matter */
        uint8_t *end = put_events(bytes, events, V2_DECODE_AHEAD, &random);
        check(events, V2_DECODE_AHEAD, bytes, end, NULL);
        if (gl_v2_has_spread())
            check(events, V2_DECODE_AHEAD, bytes, end, &spread);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_of_any_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
