/*
 * What a recording costs: a program of two threads emits at a fixed rate, this one records it into a file. Prints one line
 * a metric: metric, value, unit, goal, met or missed, separated by tabs. Processor time is the recorder's own.
 *
 *     bench_record [SECONDS [EVENTS A SECOND AND THREAD [drop|block]]]        5, 5000000, drop
 *
 * The events are those of 5,200 goroutines (hand_over.h) that hand things over by channels.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <pthread.h>

#include "hand_over.h"
#include "launch.h"
#include "recording.h"

#define THREADS 2
#define WARM_NS 1000000000 /* memory that is used for the first time costs more than what is done with it: not counted */
#define BURST 1000 /* events between two looks at the clock of the pace */
#define RING_BYTES 92 /* what the ten events of bench_hand_over() take in a ring */

static double seconds = 5, rate = 5e6;

/* ---- the program ---------------------------------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void *emit(void *user)
{
    unsigned thread = (unsigned)(uintptr_t)user;
    uint64_t random = 88172645463325252u + thread, done = 0;
    int64_t start = now_ns(), end = start + (int64_t)(seconds * 1e9);
    gl_emit_ProcStart(thread);
    for (int64_t now = start; now < end; now = now_ns()) {
        double due = (double)(now - start) * rate / 1e9;
        if ((double)done > due) {
            struct timespec nap = {0, 100000};
            nanosleep(&nap, NULL);
            continue;
        }
        for (unsigned n = 0; n < BURST;)
            n += bench_hand_over(&random, thread, THREADS);
        done += BURST;
    }
    return NULL;
}

static int program(void)
{
    pthread_t id[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&id[i], NULL, emit, (void *)(uintptr_t)i))
            return 1;
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    return 0;
}

/* ---- the recorder --------------------------------------------------------------------------------------------------- */

static void line(const char *metric, double value, const char *unit, double goal)
{
    printf("%s\t%.4g\t%s\t<=%.4g\t%s\n", metric, value, unit, goal, value <= goal ? "met" : "missed");
}

static void die(const char *text)
{
    fprintf(stderr, "bench_record: %s\n", text);
    exit(1);
}

/** KiB of our own memory, rings not counted: they are shared. */
static long own_memory(void)
{
    char text[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(text, sizeof text, f))
        if (sscanf(text, "RssAnon: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

static double cpu_seconds(int whose)
{
    struct rusage u;
    getrusage(whose, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/** How long a ring takes what a thread emits while nobody drains it. */
static double ring_ms(const gl_probe_source *source)
{
    uint64_t waiting, size;
    source->ops->fill(source->self, 0, &waiting, &size);
    return 1e3 * (double)size / (rate * RING_BYTES / 10);
}

static int record(char *self, char **argv, bool block)
{
    gl_error err = {0};
    gl_recording *r;
    gl_recording_result result;
    gl_probe_source source;
    gl_probe_target target = {.path = self, .argv = argv, .rings = {.policy = block ? GL_RING_WAIT : GL_RING_DROP}};
    pid_t pid = 0;
    char path[] = "/tmp/bench_record.XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        die("no temporary file");
    close(fd);
    if (gl_recording_open(&(gl_recording_options){.path = path, .force = true}, &r, &err) < 0 ||
        gl_launch(&gl_probe_emit, &target, NULL, &pid, &source, &err) != GL_LAUNCHED || !source.ops ||
        gl_recording_add(r, &source, &err) < 0 || gl_recording_start(r, &err) < 0)
        die(err.text);
    double cpu = 0, holds = ring_ms(&source);
    gl_recording_figures warm = {0};
    long most = 0;
    int status;
    int64_t start = now_ns();
    for (unsigned look = 0; waitpid(pid, &status, WNOHANG) == 0; look++) {
        long now = look % 10 ? 0 : own_memory(); /* a look is dear */
        most = now > most ? now : most;
        if (!warm.events && now_ns() - start > WARM_NS) {
            gl_recording_look(r, &warm);
            cpu = cpu_seconds(RUSAGE_SELF);
        }
        struct timespec nap = {0, 50000000};
        nanosleep(&nap, NULL);
    }
    if (gl_recording_close(r, NULL, &result, &err) < 0)
        die(err.text);
    cpu = cpu_seconds(RUSAGE_SELF) - cpu;
    unlink(path);
    double events = (double)result.figures.events, lost = (double)result.figures.lost;
    if (events < 1)
        die("nothing was recorded");
    printf("events recorded\t%.4g\tM/s\t-\t-\n", events / seconds / 1e6);
    line("drain, order, encode, compress, write", cpu * 1e9 / (events - (double)warm.events), "ns of CPU an event", 30);
    printf("the program, with its naps\t%.4g\tns of CPU an event\t-\t-\n",
           cpu_seconds(RUSAGE_CHILDREN) * 1e9 / (events + lost));
    printf("a ring holds\t%.4g\tms at this rate\t>=100\t%s\n", holds, holds >= 100 ? "met" : "missed");
    line("events lost", 100 * lost / (events + lost), "%", 0);
    line("memory beside the rings", (double)most / 1024, "MiB", 64);
    line("file", (double)result.stats.bytes / events, "bytes an event", 1.4);
    printf("late events\t%.4g\t%%\t-\t-\n", 100 * (double)result.figures.late / events);
    return 0;
}

int main(int argc, char **argv)
{
    static char self[] = "/proc/self/exe";
    if (argc > 1)
        seconds = strtod(argv[1], NULL);
    if (argc > 2)
        rate = strtod(argv[2], NULL);
    if (argc > 3 && strcmp(argv[3], "program") == 0)
        return program();
    bool block = argc > 3 && strcmp(argv[3], "block") == 0;
    char a[32], b[32];
    snprintf(a, sizeof a, "%g", seconds);
    snprintf(b, sizeof b, "%g", rate);
    static char word[] = "program";
    char *words[] = {self, a, b, word, NULL};
    return record(self, words, block);
}
