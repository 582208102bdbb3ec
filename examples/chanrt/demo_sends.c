/* Sends that straddle pauses and sends that do not; leaks; panics; deadlock. */
#include "demo.h"

uint64_t demo_leaks;

void demo_wait_for(uint64_t alive)
{
    while (rt_alive() > alive)
        rt_sleep(50000);
}

static void send_one(void *c)
{
    uint64_t value = rt_id();
    rt_send(c, &value);
}

/** By a select, which another case can never win. */
static void select_one(void *c)
{
    uint64_t value = rt_id(), other;
    rt_case cases[] = {{.chan = c, .send = true, .value = &value}, {.chan = NULL, .value = &other}};
    rt_select(cases, 2, false);
}

/** All have begun before the pause begins, as they are queued by then, and end after it. */
void demo_straddle(uint64_t k)
{
    uint64_t before = rt_alive();
    rt_chan *c = rt_chan_make(sizeof(uint64_t), 0, "uint64");
    demo_quiet_sends(k);
    for (uint64_t i = 0; i < k; i++)
        rt_go(i % 3 == 2 ? select_one : send_one, c);
    while (rt_chan_senders(c) < k)
        rt_sleep(50000);
    rt_gc();
    for (uint64_t i = 0; i < k; i++) {
        uint64_t value;
        rt_recv(c, &value);
    }
    demo_wait_for(before); /* and none is under way when another pause comes */
}

static void receive_all(void *c)
{
    while (rt_recv(c, NULL))
        rt_yield();
}

void demo_quiet_sends(uint64_t n)
{
    uint64_t before = rt_alive();
    rt_chan *unbuffered = rt_chan_make(sizeof(uint64_t), 0, "uint64");
    rt_chan *buffered = rt_chan_make(sizeof(uint64_t), 8, "uint64");
    rt_go(receive_all, unbuffered);
    rt_go(receive_all, buffered);
    for (uint64_t i = 0; i < n; i++)
        rt_send(i % 2 ? buffered : unbuffered, &i);
    rt_close(unbuffered);
    rt_close(buffered);
    demo_wait_for(before);
}

static void receive_one(void *c)
{
    uint64_t value;
    rt_recv(c, &value);
}

void demo_leak(uint64_t n)
{
    uint64_t before = rt_waiting();
    rt_chan *sent = rt_chan_make(sizeof(uint64_t), 0, "uint64"), *received = rt_chan_make(sizeof(uint64_t), 4, "uint64");
    for (uint64_t i = 0; i < n; i++)
        rt_go(i % 2 ? receive_one : send_one, i % 2 ? received : sent);
    while (rt_waiting() < before + n)
        rt_sleep(50000);
    demo_leaks += n;
}

static void send_and_catch(void *c)
{
    rt_catch(send_one, c);
}

static void select_and_catch(void *c)
{
    rt_catch(select_one, c);
}

/** Some find it closed, others have parked when it is. */
void demo_send_closed(uint64_t n)
{
    uint64_t before = rt_alive(), parked = n / 2;
    rt_chan *c = rt_chan_make(sizeof(uint64_t), 0, "uint64");
    for (uint64_t i = 0; i < parked; i++)
        rt_go(i % 2 ? select_and_catch : send_and_catch, c);
    while (rt_chan_senders(c) < parked)
        rt_sleep(50000);
    rt_close(c);
    for (uint64_t i = parked; i < n; i++)
        rt_go(i % 2 ? select_and_catch : send_and_catch, c);
    demo_wait_for(before);
}

static void close_it(void *c)
{
    rt_close(c);
}

void demo_close_closed(uint64_t n)
{
    rt_chan *c = rt_chan_make(0, 0, "struct{}");
    rt_close(c);
    for (uint64_t i = 0; i < n; i++)
        rt_catch(close_it, i % 2 ? NULL : c);
}

static void wait_for_partner(void *c)
{
    rt_recv(c, NULL);
}

void demo_deadlock(uint64_t n)
{
    (void)n;
    rt_chan *c = rt_chan_make(sizeof(uint64_t), 0, "uint64");
    rt_go(wait_for_partner, c);
    wait_for_partner(c);
}

static void fail(void *c)
{
    uint64_t value = 0;
    rt_send(c, &value);
}

void demo_uncaught(uint64_t n)
{
    (void)n;
    rt_chan *c = rt_chan_make(sizeof(uint64_t), 0, "uint64");
    rt_close(c);
    rt_go(fail, c);
    rt_recv(rt_chan_make(0, 0, "struct{}"), NULL);
}
