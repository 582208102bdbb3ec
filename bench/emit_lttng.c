/*
 * LTTng-UST's side of bench_emit: the same chunks of the same two integers, measured the same way.
 *
 *     bench_emit_lttng THREADS
 *
 * Run by emit-lttng.sh, inside a tracing session. One line on standard output: minimum and median, ns of CPU an event.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "emit_lttng_tp.h"

#define CHUNK 20000u
#define CHUNKS 100u
#define THREADS_MAX 2u
#define NUMBERS 4096u

static uint32_t small[NUMBERS], large[NUMBERS];
static double sample[THREADS_MAX * CHUNKS];

static double cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

__attribute__((noinline)) static void event(uint32_t a, uint64_t b)
{
    lttng_ust_tracepoint(golanes_bench, two_integers, a, b);
}

static void *measure(void *arg)
{
    double *out = arg;
    for (unsigned c = 0; c < CHUNKS; c++) {
        double before = cpu_ns();
        for (unsigned i = 0; i < CHUNK; i++)
            event(small[i % NUMBERS], large[i % NUMBERS]);
        out[c] = (cpu_ns() - before) / CHUNK;
        struct timespec pause = {.tv_nsec = 3000000}; /* its consumer keeps up */
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    if (threads < 1 || threads > THREADS_MAX)
        return 1;
    uint32_t x = 2463534242u;
    for (unsigned i = 0; i < NUMBERS; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        small[i] = x & 1023;
        large[i] = (x >> 10) & 1048575;
    }
    pthread_t thread[THREADS_MAX];
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, measure, sample + (size_t)i * CHUNKS) != 0)
            return 1;
    for (unsigned i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    qsort(sample, (size_t)threads * CHUNKS, sizeof *sample, compare);
    printf("%.3f %.3f\n", sample[0], sample[threads * CHUNKS / 2]);
    return 0;
}
