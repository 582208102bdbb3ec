/*
 * How fast a Go trace is decoded, ordered and handed over: the importer alone, with a consumer that only counts.
 *
 *   bench_decode TRACE        prints: metric, value, unit, goal, met|missed (tab-separated)
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "golanes/gotrace.h"

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(const char *metric, double value, const char *unit, double goal, bool at_least)
{
    bool met = at_least ? value >= goal : value <= goal;
    printf("%s\t%.3f\t%s\t%s%.3f\t%s\n", metric, value, unit, at_least ? ">=" : "<=", goal, met ? "met" : "missed");
}

static int count(void *user, const gl_event *events, size_t n)
{
    uint64_t *sum = user;
    for (size_t i = 0; i < n; i++)
        *sum += (uint64_t)events[i].time ^ events[i].type;
    return 0;
}

static int bench_look(gl_input *in)
{
    gl_gotrace_glance g;
    gl_error err = {0};
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (gl_gotrace_look(in, &g, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    double mb = (double)g.bytes_total / 1e6;
    tell("look_cpu_per_gb", cpu / mb * 1e6, "ms", 100, false);
    return 0;
}

static int bench_import(gl_input *in)
{
    static gl_gotrace_result r;
    gl_error err = {0};
    uint64_t sum = 0;
    gl_dict *dict = gl_dict_new();
    gl_gotrace_options opt = {.dict = dict, .on_events = count, .events_user = &sum};
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    int rc = dict ? gl_gotrace_import(in, &opt, &r, &err) : GL_E_NOMEM;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    wall = seconds(CLOCK_MONOTONIC) - wall;
    gl_dict_destroy(dict);
    if (rc < 0 || r.events == 0) {
        fprintf(stderr, "%s\n", rc < 0 ? err.text : "no events");
        return 1;
    }
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    tell("decode_cpu_per_event", cpu / (double)r.events * 1e9, "ns", 25, false);
    tell("decode_rate", (double)r.events / cpu / 1e6, "M events/s", 40, true);
    tell("decode_mb_per_cpu_second", (double)r.bytes_total / cpu / 1e6, "MB/s", 220, true);
    tell("decode_peak_rss", (double)use.ru_maxrss / 1024, "MiB", 200, false);
    tell("decode_damages", (double)r.damage_count, "count", 0, false);
    tell("decode_resyncs", (double)r.resyncs, "count", 0, false);
    fprintf(stderr, "%" PRIu64 " events, %" PRIu64 " parts, %.3f s CPU, %.3f s wall, sum %016" PRIx64 "\n", r.events,
            r.parts, cpu, wall, sum);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_decode TRACE\n");
        return 2;
    }
    gl_input *in = NULL;
    gl_error err = {0};
    if (gl_input_open(argv[1], NULL, NULL, &in, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int rc = bench_look(in);
    if (rc == 0)
        rc = bench_import(in);
    gl_input_close(in);
    return rc;
}
