/*
 * A program that emits what a test can check: each thread t writes HeapLive events whose bytes are 1, 2, 3, … in goroutine
 * t + 1, so that a gap can be seen. What it does is told by its arguments, one after the other:
 *
 *     threads N       how many threads emit (1)
 *     events N        events a thread (1000)
 *     rate N          events a second and thread (0: as fast as it goes)
 *     churn N         so many threads in turn, each with `events`
 *     fork N          so many children, each with `events` in goroutine 1
 *     stacks          RegionBegin, with the stack, in the place of HeapLive
 *     wait            waits for a byte on standard input before it begins
 *     linger MS       stays after the last event
 *     print           writes "done" and the sum of what was emitted to standard output
 *     exit N | signal N
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "golanes/emit.h"

static long threads = 1, events = 1000, rate, churn, forks, linger, status;
static int stacks, print;

static void sleep_ns(long long ns)
{
    struct timespec ts = {ns / 1000000000, ns % 1000000000};
    nanosleep(&ts, NULL);
}

__attribute__((noinline)) static void emit_here(long i)
{
    gl_emit_RegionBegin_here((uint64_t)i, "step");
}

static void emit_all(long g)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    gl_emit_GoStart((uint64_t)g);
    for (long i = 1; i <= events; i++) {
        if (stacks)
            emit_here(i);
        else
            gl_emit_HeapLive((uint64_t)i);
        if (rate && i % 100 == 0) {
            clock_gettime(CLOCK_MONOTONIC, &now);
            long long due = (long long)i * 1000000000 / rate;
            long long done = (now.tv_sec - start.tv_sec) * 1000000000LL + now.tv_nsec - start.tv_nsec;
            if (due > done)
                sleep_ns(due - done);
        }
    }
    gl_emit_GoEnd(GL_G_RUNNING);
}

static void *thread(void *user)
{
    emit_all((long)(intptr_t)user);
    return NULL;
}

static void run_threads(long n)
{
    pthread_t *id = calloc((size_t)n, sizeof *id);
    for (long i = 0; i < n; i++)
        if (pthread_create(&id[i], NULL, thread, (void *)(intptr_t)(i + 1)))
            exit(99);
    for (long i = 0; i < n; i++)
        pthread_join(id[i], NULL);
    free(id);
}

static void run_churn(void)
{
    for (long i = 0; i < churn; i++) {
        pthread_t id;
        if (pthread_create(&id, NULL, thread, (void *)(intptr_t)(i + 1)))
            exit(99);
        pthread_join(id, NULL);
    }
}

static void run_forks(void)
{
    for (long i = 0; i < forks; i++)
        if (fork() == 0) {
            emit_all(1);
            _exit(0);
        }
    while (wait(NULL) > 0) {
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        long *value;
    } numbers[] = {{"threads", &threads}, {"events", &events}, {"rate", &rate}, {"churn", &churn},
                   {"fork", &forks},      {"linger", &linger}, {"exit", &status}};
    int number = 0, wait_first = 0;
    for (int i = 1; i < argc; i++) {
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (!strcmp(argv[i], numbers[k].name) && i + 1 < argc)
                *numbers[k].value = atol(argv[++i]);
        stacks |= !strcmp(argv[i], "stacks");
        print |= !strcmp(argv[i], "print");
        wait_first |= !strcmp(argv[i], "wait");
        if (!strcmp(argv[i], "signal") && i + 1 < argc)
            number = atoi(argv[++i]);
    }
    if (wait_first && getchar() == EOF)
        return 98;
    if (churn)
        run_churn();
    else if (forks)
        run_forks();
    else
        run_threads(threads);
    if (print) {
        printf("done %ld\n", threads * (events * (events + 1) / 2));
        fflush(stdout);
    }
    sleep_ns(linger * 1000000LL);
    if (number)
        raise(number);
    return (int)status;
}
