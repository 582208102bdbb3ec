/* Records whose time is that of another: begins take the next one's, ends behind a wait the one's before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gorun/queue.h"

#define NEVER UINT64_MAX

static bool put(gl_record_queue *q, uint8_t type, uint64_t ticks, uint64_t passed)
{
    gl_patch_record r = {.ticks = ticks, .g = 7, .type = type};
    assert_true(gl_record_queue_room(q, sizeof r));
    return gl_record_queue_put(q, &r, sizeof r, passed, NEVER);
}

/** The next record's ticks; 0: there is none that may be handed on. */
static uint64_t take(gl_record_queue *q, uint8_t type)
{
    const gl_patch_record *r = gl_record_queue_next(q);
    if (!r)
        return 0;
    assert_true(r->type == type);
    gl_record_queue_taken(q, sizeof *r);
    return r->ticks;
}

static void test_begins_take_the_next_time(void **state)
{
    (void)state;
    gl_record_queue q = {.last = 100};
    assert_true(put(&q, GL_PATCH_SEND, 0, 90) && gl_record_queue_waits(&q) && !gl_record_queue_next(&q));
    assert_true(put(&q, GL_PATCH_CAS, 140, 90) && !gl_record_queue_waits(&q));
    assert_true(take(&q, GL_PATCH_SEND) == 140 && take(&q, GL_PATCH_CAS) == 140);
    /* Two in a row, where what was between was lost. */
    assert_true(put(&q, GL_PATCH_RECV, 0, 90) && put(&q, GL_PATCH_SEND, 0, 90) && !gl_record_queue_next(&q));
    assert_true(put(&q, GL_PATCH_SEND_END, 150, 90));
    assert_true(take(&q, GL_PATCH_RECV) == 150 && take(&q, GL_PATCH_SEND) == 150 && take(&q, GL_PATCH_SEND_END) == 150);
    /* What was told before it does not wait with it. */
    assert_true(put(&q, GL_PATCH_CAS, 160, 90) && put(&q, GL_PATCH_RECV, 0, 90));
    assert_true(take(&q, GL_PATCH_CAS) == 160 && take(&q, GL_PATCH_RECV) == 0);
    gl_record_queue_free(&q);
}

/** The lock was held, or there is a buffer. */
static void test_own_times_stay(void **state)
{
    (void)state;
    gl_record_queue q = {.last = 100};
    assert_true(put(&q, GL_PATCH_SEND, 110, 90) && put(&q, GL_PATCH_CAS, 5110, 90) && put(&q, GL_PATCH_SEND_END, 5200, 90));
    assert_true(take(&q, GL_PATCH_SEND) == 110 && take(&q, GL_PATCH_CAS) == 5110 && take(&q, GL_PATCH_SEND_END) == 5200);
    gl_record_queue_free(&q);
}

static void test_ends_take_the_time_before(void **state)
{
    (void)state;
    gl_record_queue q = {.last = 100};
    assert_true(put(&q, GL_PATCH_CAS, 120, 90) && put(&q, GL_PATCH_RECV_END, 0, 90));
    assert_true(take(&q, GL_PATCH_CAS) == 120 && take(&q, GL_PATCH_RECV_END) == 120);
    /* The start was handed on, and what others did up to 170: time does not step back. */
    assert_true(put(&q, GL_PATCH_CAS, 130, 110) && take(&q, GL_PATCH_CAS) == 130);
    assert_true(put(&q, GL_PATCH_RECV_END, 0, 170) && take(&q, GL_PATCH_RECV_END) == 170);
    /* Not earlier than a begin that waits before it, whose time it gives. */
    assert_true(put(&q, GL_PATCH_SEND, 0, 170) && put(&q, GL_PATCH_SELECT_END, 0, 180));
    assert_true(take(&q, GL_PATCH_SEND) == 180 && take(&q, GL_PATCH_SELECT_END) == 180);
    gl_record_queue_free(&q);
}

/** The thread is gone, or kept from the processor. */
static void test_settled(void **state)
{
    (void)state;
    gl_record_queue q = {.last = 100};
    assert_true(put(&q, GL_PATCH_CAS, 120, 90) && put(&q, GL_PATCH_SEND, 0, 90));
    gl_record_queue_settle(&q, 90);
    assert_true(take(&q, GL_PATCH_CAS) == 120 && take(&q, GL_PATCH_SEND) == 120);
    assert_true(put(&q, GL_PATCH_SEND, 0, 90));
    gl_record_queue_settle(&q, 200);
    assert_true(take(&q, GL_PATCH_SEND) == 200);
    /* It does go on: its stamps are its own, and in order. */
    assert_true(put(&q, GL_PATCH_CAS, 230, 200) && take(&q, GL_PATCH_CAS) == 230);
    gl_record_queue_settle(&q, 1000);
    assert_true(!gl_record_queue_next(&q) && gl_record_queue_bytes(&q) == 0);
    gl_record_queue_free(&q);
}

static void test_nonsense_is_refused(void **state)
{
    (void)state;
    gl_record_queue q = {.last = 100};
    gl_patch_record r = {.ticks = 500, .type = GL_PATCH_CAS};
    assert_true(!put(&q, GL_PATCH_CAS, 99, 90)); /* a thread's stamps only grow */
    assert_true(!put(&q, GL_PATCH_CAS, 0, 90) && !put(&q, GL_PATCH_SELECT, 0, 90) && !put(&q, GL_PATCH_GC_START, 0, 90));
    assert_true(gl_record_queue_room(&q, sizeof r) && !gl_record_queue_put(&q, &r, sizeof r, 90, 499));
    assert_true(gl_record_queue_bytes(&q) == 0);
    gl_record_queue_free(&q);
}

/** Some waits when the queue is moved, and grown. */
static void test_room_is_made(void **state)
{
    (void)state;
    gl_record_queue q = {.last = 100};
    uint64_t ticks = 1000, taken = 0;
    for (unsigned i = 0; i < 20000; i++) {
        assert_true(put(&q, GL_PATCH_SEND, 0, 90));
        if (i % 3 == 0)
            continue;
        assert_true(put(&q, GL_PATCH_CAS, ++ticks, 90));
        while (gl_record_queue_bytes(&q) > (i % 7) * 4096) {
            uint64_t at = gl_record_queue_next(&q)->ticks;
            assert_true(at >= taken && at <= ticks);
            taken = at;
            gl_record_queue_taken(&q, GL_PATCH_UNIT);
        }
    }
    gl_record_queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins_take_the_next_time),
        cmocka_unit_test(test_own_times_stay),
        cmocka_unit_test(test_ends_take_the_time_before),
        cmocka_unit_test(test_settled),
        cmocka_unit_test(test_nonsense_is_refused),
        cmocka_unit_test(test_room_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
