#include "emit_lttng.h"

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "emit_lttng_tp.h"

__attribute__((noinline)) void lttng_two_integers(uint32_t a, uint64_t b)
{
    lttng_ust_tracepoint(golanes_bench, two_integers, a, b);
}

void lttng_go_start(uint64_t goroutine)
{
    lttng_ust_tracepoint(golanes_bench, go_start, (uint32_t)goroutine);
}

void lttng_go_block(const char *reason)
{
    lttng_ust_tracepoint(golanes_bench, go_block, reason);
}

void lttng_go_unpark(uint64_t goroutine)
{
    lttng_ust_tracepoint(golanes_bench, go_unpark, (uint32_t)goroutine);
}

void lttng_send_begin(uint64_t chan, uint64_t len, uint64_t cap)
{
    lttng_ust_tracepoint(golanes_bench, send_begin, chan, (uint16_t)len, (uint16_t)cap);
}

void lttng_send_end(uint64_t chan, uint64_t len, unsigned result)
{
    lttng_ust_tracepoint(golanes_bench, send_end, chan, (uint16_t)len, (uint16_t)result);
}

void lttng_recv_begin(uint64_t chan, uint64_t len, uint64_t cap)
{
    lttng_ust_tracepoint(golanes_bench, recv_begin, chan, (uint16_t)len, (uint16_t)cap);
}

void lttng_recv_end(uint64_t chan, uint64_t len, unsigned result)
{
    lttng_ust_tracepoint(golanes_bench, recv_end, chan, (uint16_t)len, (uint16_t)result);
}
