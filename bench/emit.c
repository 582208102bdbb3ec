/*
 * What an emitted event costs: ours, the bare floor, no recorder, a stack, and LTTng-UST where it is installed. See
 * bench/emit, which runs this and adds what events take on disk.
 *
 *     bench_emit                     measures
 *     bench_emit --mix N [--lttng]   emits about N events as a program with 5,000 goroutines would; prints how many
 *
 * All in one run, in turns, as CPU time of the thread over many short chunks: neighbours on the machine then disturb
 * all alike. The minimum is what the machine can do; ratios are the median of those of each round, whose two chunks lie
 * a moment apart. One line a figure on standard output, tab-separated: metric, value, unit, goal, met or missed (or -
 * where it is only to be seen). Exit status 0 also where a goal was missed; 1 where something could not be measured.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "emit.h"
#include "golanes/emit.h"
#include "golanes/probe_session.h"

#define CHUNK 8000u
#define CHUNKS 400u
#define THREADS_MAX 2u

double bench_cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

typedef struct figures {
    double min, median;
} figures;

static double sample[THREADS_MAX][BENCH_SUBJECTS][CHUNKS];
static gl_session *session;
static pthread_barrier_t barrier;
static unsigned thread_count;
static uint64_t drained_events;

static int on_thread(void *user, const gl_session_owner *owner, gl_session_thread *out)
{
    (void)user, (void)owner;
    *out = (gl_session_thread){0, 0};
    return 0;
}

static int on_text(void *user, const char *text, size_t n, uint32_t *id)
{
    (void)user, (void)text, (void)n;
    *id = 1;
    return 0;
}

static int on_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    (void)user, (void)pid, (void)pcs;
    *id = (uint32_t)n;
    return 0;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    (void)user, (void)events;
    drained_events += n;
    return 0;
}

static const gl_session_sink sink = {NULL, on_thread, on_text, on_stack, on_events, NULL};

/** What the chunk has left in the rings goes, outside of the measured time. */
static bool drain(void)
{
    for (uint32_t i = 0; i < gl_session_rings(session); i++)
        if (gl_session_drain(session, i, &sink, NULL) < 0)
            return false;
    return true;
}

static void measure_once(const bench_subject *x, double *out)
{
    if (!x->listen && !x->pause_us)
        x->run(2 * GL_RING_BLOCK / 3); /* a recorder that has gone is noticed at the end of a block */
    double before = bench_cpu_ns();
    x->run(CHUNK);
    *out = (bench_cpu_ns() - before) / CHUNK;
    struct timespec pause = {.tv_nsec = x->pause_us * 1000L};
    if (x->pause_us)
        nanosleep(&pause, NULL);
}

static void *measure(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    for (unsigned c = 0; c < CHUNKS; c++) {
        for (unsigned s = 0; s < BENCH_SUBJECTS; s++) {
            if (s == LTTNG && !bench_has_lttng)
                continue;
            pthread_barrier_wait(&barrier);
            if (me == 0) {
                drain();
                gl_session_listen(session, bench_subjects[s].listen);
            }
            pthread_barrier_wait(&barrier);
            measure_once(&bench_subjects[s], &sample[me][s][c]);
        }
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static figures figures_of(unsigned s)
{
    static double all[THREADS_MAX * CHUNKS];
    for (unsigned t = 0; t < thread_count; t++)
        memcpy(all + t * CHUNKS, sample[t][s], sizeof sample[t][s]);
    qsort(all, thread_count * CHUNKS, sizeof *all, compare);
    return (figures){all[0], all[thread_count * CHUNKS / 2]};
}

/** Median over the rounds of what s took in one against what t took. */
static double ratio(unsigned s, unsigned t)
{
    static double all[THREADS_MAX * CHUNKS];
    for (unsigned i = 0; i < thread_count * CHUNKS; i++)
        all[i] = sample[i / CHUNKS][s][i % CHUNKS] / sample[i / CHUNKS][t][i % CHUNKS];
    qsort(all, thread_count * CHUNKS, sizeof *all, compare);
    return all[thread_count * CHUNKS / 2];
}

static void line(const char *metric, unsigned threads, double value, const char *unit, double goal, bool at_least)
{
    bool met = at_least ? value >= goal : value <= goal;
    printf("%s_%ut\t%.3f\t%s\t%s%g\t%s\n", metric, threads, value, unit, at_least ? ">=" : "<=", goal, met ? "met" : "missed");
}

static void plain(const char *metric, unsigned threads, const char *which, double value)
{
    printf("%s_%ut_%s\t%.3f\tns/event\t-\t-\n", metric, threads, which, value);
}

static bool run_threads(unsigned n)
{
    pthread_t thread[THREADS_MAX];
    thread_count = n;
    pthread_barrier_init(&barrier, NULL, n);
    for (unsigned i = 0; i < n; i++)
        if (pthread_create(&thread[i], NULL, measure, (void *)(uintptr_t)i) != 0)
            return false;
    for (unsigned i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&barrier);
    return true;
}

static void report(unsigned threads)
{
    figures f[BENCH_SUBJECTS] = {{0, 0}};
    for (unsigned s = 0; s < BENCH_SUBJECTS; s++) {
        if (s == LTTNG && !bench_has_lttng)
            continue;
        f[s] = figures_of(s);
        plain(bench_subjects[s].name, threads, "min", f[s].min);
        plain(bench_subjects[s].name, threads, "median", f[s].median);
    }
    line("emit_to_floor", threads, ratio(OURS, FLOOR), "ratio", 1.1, false);
    line("no_recorder", threads, f[OFF].min - f[EMPTY].min, "ns/event", 1, false);
    line("emit_8_frames", threads, f[STACK].min, "ns/event", 50, false);
    if (bench_has_lttng)
        line("lttng_to_emit", threads, ratio(LTTNG, OURS), "ratio", 9, true);
}

/** Bytes an event in the ring, and what it costs the recorder to get it out, as far as to a gl_event. */
static bool report_ring(const char *name, void (*run)(unsigned n))
{
    double best = 1e9, bytes = 0;
    gl_session_listen(session, true);
    for (unsigned i = 0; i < 200; i++) {
        gl_emit_status before, after;
        run(7);
        gl_emit_get_status(&before);
        if (!drain())
            return false;
        uint64_t events = drained_events;
        run(CHUNK);
        gl_emit_get_status(&after);
        double start = bench_cpu_ns();
        if (!drain() || after.lost != before.lost || drained_events == events)
            return false;
        double cost = (bench_cpu_ns() - start) / (double)(drained_events - events);
        best = cost < best ? cost : best;
        bytes = (double)(after.written - before.written) / (double)(drained_events - events);
    }
    printf("ring_%s\t%.3f\tB/event\t-\t-\ndrain_%s\t%.3f\tns/event\t-\t-\n", name, bytes, name, best);
    return true;
}

static bool measure_all(void)
{
    bool good = true;
    for (unsigned threads = 1; good && threads <= THREADS_MAX; threads++) {
        good = run_threads(threads);
        if (good)
            report(threads);
    }
    good = good && report_ring("two_integers", bench_subjects[OURS].run) && report_ring("goroutines_and_channels", bench_mix_fast);
    /* What others say of themselves, for comparison: Tracy's manual, two events a zone, spread over twelve threads. */
    printf("tracy_as_published\t2.25\tns/zone\t-\t-\n");
    return good;
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "--mix")) {
        bool lttng = argc > 3 && !strcmp(argv[3], "--lttng");
        uint64_t n = lttng && !bench_has_lttng ? 0 : bench_mix(strtoull(argv[2], NULL, 10), lttng);
        printf("%llu\n", (unsigned long long)n);
        return n ? 0 : 1;
    }
    gl_session_options opt = {.slots = 8, .large_rings = 8};
    gl_error err = {0};
    if (gl_session_join(getpid(), &opt, &session, &err) < 0) {
        fprintf(stderr, "bench_emit: %s\n", err.text);
        return 1;
    }
    bench_fill_numbers();
    bool good = measure_all();
    if (!good)
        fprintf(stderr, "bench_emit: a measurement could not be made\n");
    gl_session_close(session);
    return good ? 0 : 1;
}
