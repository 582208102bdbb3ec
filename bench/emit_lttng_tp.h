/* The neighbour's events, as narrow as their fields may be. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER golanes_bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./emit_lttng_tp.h"

#if !defined(GOLANES_EMIT_LTTNG_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define GOLANES_EMIT_LTTNG_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(golanes_bench, two_integers, LTTNG_UST_TP_ARGS(uint32_t, a, uint64_t, b),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint32_t, a, a)
                                                   lttng_ust_field_integer(uint64_t, b, b)))

LTTNG_UST_TRACEPOINT_EVENT_CLASS(golanes_bench, of_goroutine, LTTNG_UST_TP_ARGS(uint32_t, goroutine),
                                 LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint32_t, goroutine, goroutine)))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(golanes_bench, of_goroutine, golanes_bench, go_start,
                                    LTTNG_UST_TP_ARGS(uint32_t, goroutine))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(golanes_bench, of_goroutine, golanes_bench, go_unpark,
                                    LTTNG_UST_TP_ARGS(uint32_t, goroutine))

LTTNG_UST_TRACEPOINT_EVENT(golanes_bench, go_block, LTTNG_UST_TP_ARGS(const char *, reason),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_string(reason, reason)))

LTTNG_UST_TRACEPOINT_EVENT_CLASS(golanes_bench, of_chan, LTTNG_UST_TP_ARGS(uint64_t, chan, uint16_t, len, uint16_t, more),
                                 LTTNG_UST_TP_FIELDS(lttng_ust_field_integer_hex(uint64_t, chan, chan)
                                                         lttng_ust_field_integer(uint16_t, len, len)
                                                             lttng_ust_field_integer(uint16_t, more, more)))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(golanes_bench, of_chan, golanes_bench, send_begin,
                                    LTTNG_UST_TP_ARGS(uint64_t, chan, uint16_t, len, uint16_t, more))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(golanes_bench, of_chan, golanes_bench, send_end,
                                    LTTNG_UST_TP_ARGS(uint64_t, chan, uint16_t, len, uint16_t, more))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(golanes_bench, of_chan, golanes_bench, recv_begin,
                                    LTTNG_UST_TP_ARGS(uint64_t, chan, uint16_t, len, uint16_t, more))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(golanes_bench, of_chan, golanes_bench, recv_end,
                                    LTTNG_UST_TP_ARGS(uint64_t, chan, uint16_t, len, uint16_t, more))

#endif
#include <lttng/tracepoint-event.h>
