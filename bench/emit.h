/* What bench_emit measures, and with what. */
#ifndef GOLANES_BENCH_EMIT_H
#define GOLANES_BENCH_EMIT_H

#include <stdbool.h>
#include <stdint.h>

/** CPU time of this thread. */
double bench_cpu_ns(void);

/** A loop of n events of one kind. */
typedef struct bench_subject {
    const char *name;
    void (*run)(unsigned n);
    bool listen;     /* with a recorder */
    unsigned pause_us; /* after each turn, for a neighbour's consumer to keep up */
} bench_subject;

enum { CLOCK, FLOOR, OURS, CHAN, TEXT, STACK, EMPTY, OFF, LTTNG, BENCH_SUBJECTS };
extern const bench_subject bench_subjects[BENCH_SUBJECTS];
extern const bool bench_has_lttng;
void bench_fill_numbers(void);

/**
 * 5,000 goroutines in pipelines on two threads, which hand things over as a scheduler would have them do, with some work
 * between: about n events, through our API or LTTng's. Slow enough for either consumer. The number of events.
 */
uint64_t bench_mix(uint64_t n, bool lttng);
/** The same events by one thread and without the work: for what a ring takes. */
void bench_mix_fast(unsigned n);

#endif
