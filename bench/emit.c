/*
 * What an emitted event costs: ours, the bare floor, no recorder, a stack, and LTTng-UST where it is installed.
 *
 *     bench_emit [LTTNG_COMMAND]
 *
 * All in one run, in turns, as CPU time of the thread over many short chunks: neighbours on the machine then disturb
 * all alike, and the minimum is what the machine can do. One line a figure on standard output, tab-separated: metric,
 * value, unit, goal, met or missed (or - where it is only to be seen). Exit status 1 where a goal was missed.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "golanes/emit.h"
#include "golanes/probe_session.h"

/* Where LTTng-UST is installed: the command that measures it, see emit-lttng.sh. */
#ifndef LTTNG_COMMAND
#define LTTNG_COMMAND NULL
#endif

#define CHUNK 8000u
#define CHUNKS 400u
#define THREADS_MAX 2u
#define NUMBERS 4096u

/* Two fields an event, of 10 and 20 bits, irregular. */
static uint32_t small[NUMBERS], large[NUMBERS];

static double cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void fill_numbers(void)
{
    uint32_t x = 2463534242u;
    for (unsigned i = 0; i < NUMBERS; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        small[i] = x & 1023;
        large[i] = (x >> 10) & 1048575;
    }
}

/* The floor: a buffer of the thread's own, the clock, 24 bytes, in a function of its own. */

typedef struct floor_record {
    uint64_t ticks;
    uint64_t b;
    uint32_t a, type;
} floor_record;

#define FLOOR_RECORDS 2730u /* 64 KiB */
static __thread floor_record floor_buffer[FLOOR_RECORDS];
static __thread uint32_t floor_used;

__attribute__((noinline)) static void floor_event(uint32_t a, uint64_t b)
{
    uint32_t i = floor_used;
    if (i == FLOOR_RECORDS)
        i = 0;
    floor_record *r = &floor_buffer[i];
    r->ticks = gl_emit_counter_();
    r->type = 1;
    r->a = a;
    r->b = b;
    floor_used = i + 1;
}

static void run_floor(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        floor_event(small[i % NUMBERS], large[i % NUMBERS]);
    __asm__ volatile("" : : : "memory");
}

static void run_clock(unsigned n)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += gl_emit_counter_();
        __asm__ volatile("" : "+r"(sum));
    }
}

__attribute__((noinline)) static void our_event(uint32_t a, uint64_t b)
{
    gl_emit_GCSweepEnd(a, b);
}

static void run_ours(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        our_event(small[i % NUMBERS], large[i % NUMBERS]);
}

static void run_chan(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        gl_emit_ChanSendBegin(UINT64_C(0xc000100000) + large[i % NUMBERS] * 16, i & 7, 8);
}

static void run_text(unsigned n)
{
    static const char *const reason[] = {"chan send", "chan receive", "select", "sync.Mutex.Lock"};
    for (unsigned i = 0; i < n; i++)
        gl_emit_GoBlock(reason[small[i % NUMBERS] & 3]);
}

__attribute__((noinline)) static void emit_with_stack(uint32_t a)
{
    gl_emit_ProcsChange_here(a);
    __asm__ volatile("" : : : "memory");
}

/** Seven frames above the one that emits. */
__attribute__((noinline)) static void deep(unsigned depth, unsigned n)
{
    if (depth) {
        deep(depth - 1, n);
        __asm__ volatile("" : : : "memory");
        return;
    }
    for (unsigned i = 0; i < n; i++)
        emit_with_stack(small[i % NUMBERS]);
    __asm__ volatile("" : : : "memory");
}

static void run_stack(unsigned n)
{
    deep(7, n);
}

/** As a program has it: in its own code. */
static void run_in_line(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        gl_emit_GCSweepEnd(small[i % NUMBERS], large[i % NUMBERS]);
}

static void run_empty(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __asm__ volatile("" : : "r"(small[i % NUMBERS]), "r"((uint64_t)large[i % NUMBERS]));
}

typedef struct subject {
    const char *name;
    void (*run)(unsigned n);
    bool listen;
} subject;

enum { CLOCK, FLOOR, OURS, CHAN, TEXT, STACK, EMPTY, OFF, SUBJECTS };
static const subject subjects[SUBJECTS] = {
    [CLOCK] = {"clock", run_clock, true},
    [FLOOR] = {"floor_24_bytes", run_floor, true},
    [OURS] = {"ours_two_integers", run_ours, true},
    [CHAN] = {"ours_chan_send", run_chan, true},
    [TEXT] = {"ours_go_block", run_text, true},
    [STACK] = {"ours_8_frames", run_stack, true},
    [EMPTY] = {"empty_loop", run_empty, false},
    [OFF] = {"no_recorder_with_loop", run_in_line, false},
};

typedef struct figures {
    double min, median;
} figures;

static double sample[THREADS_MAX][SUBJECTS][CHUNKS];
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

static const gl_session_sink sink = {NULL, on_thread, on_text, on_stack, on_events};

/** What the chunk has left in the rings goes, outside of the measured time. */
static bool drain(void)
{
    for (uint32_t i = 0; i < gl_session_rings(session); i++)
        if (gl_session_drain(session, i, &sink, NULL) < 0)
            return false;
    return true;
}

static void *measure(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    for (unsigned c = 0; c < CHUNKS; c++) {
        for (unsigned s = 0; s < SUBJECTS; s++) {
            pthread_barrier_wait(&barrier);
            if (me == 0) {
                drain();
                gl_session_listen(session, subjects[s].listen);
            }
            pthread_barrier_wait(&barrier);
            if (!subjects[s].listen)
                subjects[s].run(2 * GL_RING_BLOCK / 3); /* a recorder that has gone is noticed at the end of a block */
            double before = cpu_ns();
            subjects[s].run(CHUNK);
            sample[me][s][c] = (cpu_ns() - before) / CHUNK;
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

static bool all_met = true;

static void line(const char *metric, double value, const char *unit, double goal, bool at_least)
{
    bool met = at_least ? value >= goal : value <= goal;
    all_met &= met;
    printf("%s\t%.3f\t%s\t%s %g\t%s\n", metric, value, unit, at_least ? ">=" : "<=", goal, met ? "met" : "missed");
}

static void plain(const char *metric, unsigned threads, const char *which, double value, const char *unit)
{
    printf("%s_%ut_%s\t%.3f\t%s\t-\t-\n", metric, threads, which, value, unit);
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

/** The neighbour prints "min median" for so many threads; it is run under a session that its script makes. */
static bool lttng(const char *program, unsigned threads, figures *out)
{
    char command[512];
    snprintf(command, sizeof command, "%s %u", program, threads);
    FILE *f = popen(command, "r");
    if (!f)
        return false;
    bool good = fscanf(f, "%lf %lf", &out->min, &out->median) == 2;
    return pclose(f) == 0 && good;
}

static bool report(unsigned threads, const char *lttng_program)
{
    figures f[SUBJECTS];
    for (unsigned s = 0; s < SUBJECTS; s++) {
        f[s] = figures_of(s);
        plain(subjects[s].name, threads, "min", f[s].min, "ns/event");
        plain(subjects[s].name, threads, "median", f[s].median, "ns/event");
    }
    char name[80];
    snprintf(name, sizeof name, "emit_to_floor_%ut", threads);
    line(name, f[OURS].min / f[FLOOR].min, "ratio", 1.1, false);
    snprintf(name, sizeof name, "no_recorder_%ut", threads);
    line(name, f[OFF].min - f[EMPTY].min, "ns/event", 1, false);
    snprintf(name, sizeof name, "emit_8_frames_%ut", threads);
    line(name, f[STACK].min, "ns/event", 50, false);
    figures other;
    if (!lttng_program)
        return true;
    if (!lttng(lttng_program, threads, &other))
        return false;
    plain("lttng_ust", threads, "min", other.min, "ns/event");
    plain("lttng_ust", threads, "median", other.median, "ns/event");
    snprintf(name, sizeof name, "lttng_to_emit_%ut", threads);
    line(name, other.min / f[OURS].min, "ratio", 9, true);
    return true;
}

/** Two goroutines of 5,000 that hand something over: seven events. */
static void run_mix(unsigned n)
{
    for (unsigned i = 0; i < n / 7; i++) {
        uint64_t a = 1 + small[i % NUMBERS] * 4, b = 1 + large[i % NUMBERS] % 5000;
        uint64_t chan = UINT64_C(0xc000100000) + (uint64_t)(large[i % NUMBERS] % 2500) * 96;
        gl_emit_GoStart(a);
        gl_emit_ChanSendBegin(chan, 0, 0);
        gl_emit_GoUnpark(b);
        gl_emit_ChanSendEnd(chan, 0, GL_CHAN_DONE);
        gl_emit_GoBlock("chan receive");
        gl_emit_GoStart(b);
        gl_emit_ChanRecvEnd(chan, 0, GL_CHAN_DONE);
    }
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
        double start = cpu_ns();
        if (!drain() || after.lost != before.lost || drained_events == events)
            return false;
        double cost = (cpu_ns() - start) / (double)(drained_events - events);
        best = cost < best ? cost : best;
        bytes = (double)(after.written - before.written) / (double)(drained_events - events);
    }
    printf("ring_%s\t%.3f\tB/event\t-\t-\ndrain_%s\t%.3f\tns/event\t-\t-\n", name, bytes, name, best);
    return true;
}

int main(int argc, char **argv)
{
    gl_session_options opt = {.slots = 8, .large_rings = 8};
    gl_error err = {0};
    if (gl_session_join(getpid(), &opt, &session, &err) < 0) {
        fprintf(stderr, "bench_emit: %s\n", err.text);
        return 1;
    }
    fill_numbers();
    bool good = true;
    for (unsigned threads = 1; good && threads <= THREADS_MAX; threads++)
        good = run_threads(threads) && report(threads, argc > 1 ? argv[1] : LTTNG_COMMAND);
    good = good && report_ring("two_integers", run_ours) && report_ring("goroutines_and_channels", run_mix);
    /* What others say of themselves, for comparison: Tracy's manual, two events a zone, over twelve threads. */
    printf("tracy_as_published\t2.25\tns/zone\t-\t-\n");
    if (!good)
        fprintf(stderr, "bench_emit: a measurement could not be made\n");
    gl_session_close(session);
    return good && all_met ? 0 : 1;
}
