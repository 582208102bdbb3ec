/* The neighbour's side of bench_emit: the same events, as LTTng-UST tracepoints. Only where it is installed. */
#ifndef GOLANES_BENCH_EMIT_LTTNG_H
#define GOLANES_BENCH_EMIT_LTTNG_H

#include <stdint.h>

void lttng_two_integers(uint32_t a, uint64_t b);

/* Those of the mix; each has the fields that ours has. */
void lttng_go_start(uint64_t goroutine);
void lttng_go_block(const char *reason);
void lttng_go_unpark(uint64_t goroutine);
void lttng_send_begin(uint64_t chan, uint64_t len, uint64_t cap);
void lttng_send_end(uint64_t chan, uint64_t len, unsigned result);
void lttng_recv_begin(uint64_t chan, uint64_t len, uint64_t cap);
void lttng_recv_end(uint64_t chan, uint64_t len, unsigned result);

#endif
