/*
 * chanrt-demo: does what it is told to, and then says how often it has done what, one "name value" a line.
 *
 *     chanrt-demo [--procs n] [--straddle k] [--leak g] … in this order, as often as wanted
 *     golanes record -o demo.lanes -- chanrt-demo --straddle 7
 *
 * Exit status: 0, or as a Go program's: 2 after a deadlock or a panic that nobody caught. 1: it could not run at all.
 */
#include "demo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const demo demos[] = {
    {"straddle", "k", demo_straddle, "exactly k sends straddle a collector's pause"},
    {"sends", "n", demo_quiet_sends, "n sends that straddle nothing"},
    {"leak", "g", demo_leak, "g goroutines stay blocked on a channel"},
    {"send-closed", "n", demo_send_closed, "n panics by a send on a closed channel"},
    {"close-closed", "n", demo_close_closed, "n panics by a close of a closed channel"},
    {"select", "n", demo_select, "n values by way of selects"},
    {"pipeline", "n", demo_pipeline, "n jobs through stages, with tasks, regions and garbage"},
    {"storm", "n", demo_storm, "n goroutines at once: channels, a mutex, sleeps, garbage"},
    {"gc", "n", demo_gc, "n cycles of the collector"},
    {"stop", "n", demo_stop, "the world stops n times, not for the collector"},
    {"system", "n", demo_system, "n calls of the system that block"},
    {"deadlock", NULL, demo_deadlock, "all goroutines wait for each other"},
    {"uncaught", NULL, demo_uncaught, "a panic that nobody catches"},
};
const unsigned demo_count = sizeof demos / sizeof *demos;

typedef struct step {
    const demo *demo;
    uint64_t n;
} step;

typedef struct plan {
    step *steps;
    unsigned count;
} plan;

static void run_plan(void *arg)
{
    const plan *p = arg;
    for (unsigned i = 0; i < p->count; i++)
        p->steps[i].demo->run(p->steps[i].n);
}

static int usage(FILE *f, int status)
{
    fputs("usage: chanrt-demo [--procs n] [what to do]...\n", f);
    for (unsigned i = 0; i < demo_count; i++)
        fprintf(f, "  --%s %-*s%s\n", demos[i].name, 16 - (int)strlen(demos[i].name),
                demos[i].argument ? demos[i].argument : "", demos[i].help);
    return status;
}

static bool number(const char *text, uint64_t *n)
{
    char *end;
    errno = 0;
    *n = text ? strtoull(text, &end, 10) : 0;
    return text && *text >= '0' && *text <= '9' && !*end && !errno && *n <= 10000000;
}

static const demo *find(const char *word)
{
    for (unsigned i = 0; i < demo_count; i++)
        if (!strncmp(word, "--", 2) && !strcmp(word + 2, demos[i].name))
            return &demos[i];
    return NULL;
}

/** False: not to be understood. */
static bool parse(int argc, char **argv, plan *p, rt_options *o)
{
    for (int i = 1; i < argc; i++) {
        const demo *d = find(argv[i]);
        uint64_t n = 0;
        bool procs = !strcmp(argv[i], "--procs");
        if (!d && !procs)
            return false;
        if ((procs || d->argument) && !number(argv[++i], &n))
            return false;
        if (procs && (n < 1 || n > 64))
            return false;
        if (procs)
            o->procs = (unsigned)n;
        else
            p->steps[p->count++] = (step){d, n};
    }
    return true;
}

static void print_counts(const rt_counts *c)
{
#define PRINT(name) printf(#name " %llu\n", (unsigned long long)c->name);
    RT_COUNTS(PRINT)
#undef PRINT
    printf("leaks %llu\n", (unsigned long long)demo_leaks);
}

int main(int argc, char **argv)
{
    static const char *const ends[] = {"done", "deadlock", "panic", "failed"};
    if (argc == 2 && !strcmp(argv[1], "--help"))
        return usage(stdout, 0);
    rt_options o = {.heap_min = (size_t)1 << 20};
    rt_counts counts;
    const char *message;
    plan p = {calloc((size_t)argc, sizeof(step)), 0};
    if (!p.steps || !parse(argc, argv, &p, &o)) {
        free(p.steps);
        return usage(stderr, 1);
    }
    rt_end end = rt_run(&o, run_plan, &p, &counts, &message);
    free(p.steps);
    print_counts(&counts);
    printf("end %s\n", ends[end]);
    if (end == RT_PANIC)
        fprintf(stderr, "panic: %s\n", message);
    else if (end == RT_DEADLOCK)
        fputs("fatal error: all goroutines are asleep - deadlock!\n", stderr);
    else if (end == RT_FAILED)
        fputs("chanrt-demo: no memory, or no thread\n", stderr);
    return end == RT_DONE ? 0 : end == RT_FAILED ? 1 : 2;
}
