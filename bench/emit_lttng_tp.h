/* The neighbour's event: two integers, as bench_emit's own. */
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

#endif
#include <lttng/tracepoint-event.h>
