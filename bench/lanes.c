/*
 * What a .lanes file costs: bytes an event, time to write and to read. Prints one line a metric:
 * metric, value, unit, goal, met or missed, separated by tabs. Times are processor time, the best of several runs.
 *
 *     bench_lanes [FILE.lanes [EVENTS]]     events of a file, or made-up ones of 5,200 goroutines in pipelines on two Ps
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "golanes/reader.h"
#include "golanes/writer.h"

#define EVENTS_DEFAULT ((size_t)4 << 20)
#define RUNS 7
#define BATCH 4096

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void line(const char *metric, double value, const char *unit, double goal, bool at_most)
{
    bool met = at_most ? value <= goal : value >= goal;
    printf("%s\t%.4g\t%s\t%s%.4g\t%s\n", metric, value, unit, at_most ? "<=" : ">=", goal, met ? "met" : "missed");
}

static _Noreturn void die(const char *text)
{
    fprintf(stderr, "bench_lanes: %s\n", text);
    exit(1);
}

/* Made-up events */

#define STAGES 10
#define PIPELINES 520
#define GOROUTINES (STAGES * PIPELINES)

typedef struct maker {
    gl_event *out;
    size_t n, max;
    uint64_t random;
    int64_t time[2];
    uint32_t queue[2][GOROUTINES + 1], head[2], tail[2], next[2];
    uint64_t running[2];
    bool waiting[GOROUTINES + 1];
    uint32_t reason, stacks[4];
} maker;

static uint32_t below(maker *m, uint32_t n)
{
    m->random = m->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((m->random >> 33) % n);
}

static void emit(maker *m, unsigned p, unsigned type, uint64_t arg, uint32_t stack)
{
    m->time[p] += 64 * (1 + below(m, 6) + (below(m, 16) ? 0 : below(m, 60)));
    if (m->n < m->max)
        m->out[m->n++] = (gl_event){.time = m->time[p], .g = m->running[p], .arg = {arg}, .thread = p, .p = p,
                                    .stack = stack, .type = (uint16_t)type};
}

static void ready(maker *m, unsigned p, uint32_t g)
{
    if (m->next[p]) {
        m->queue[p][m->tail[p]++ % (GOROUTINES + 1)] = m->next[p];
    }
    m->next[p] = g;
    m->waiting[g] = false;
}

static uint32_t take(maker *m, unsigned p)
{
    uint32_t g = m->next[p];
    m->next[p] = 0;
    for (unsigned from = p; !g && from < p + 2; from++)
        if (m->head[from % 2] != m->tail[from % 2])
            g = m->queue[from % 2][m->head[from % 2]++ % (GOROUTINES + 1)];
    return g;
}

/** A goroutine runs: it hands on to its neighbours, and waits. */
static void make_turn(maker *m, unsigned p)
{
    uint32_t g = take(m, p);
    while (!g) { /* a message comes from outside */
        g = 1 + STAGES * below(m, PIPELINES);
        if (!m->waiting[g]) {
            g = 0;
            continue;
        }
        m->running[p] = 0;
        emit(m, p, GL_EV_GoUnpark, g, 0);
        m->waiting[g] = false;
    }
    m->running[p] = 0;
    emit(m, p, GL_EV_GoStart, g, 0);
    m->running[p] = g;
    if (g % STAGES != 0 && m->waiting[g + 1]) {
        emit(m, p, GL_EV_GoUnpark, g + 1, m->stacks[0]);
        ready(m, p, g + 1);
    }
    if (g % STAGES > 1 && m->waiting[g - 1] && below(m, 2)) {
        emit(m, p, GL_EV_GoUnpark, g - 1, m->stacks[1]);
        ready(m, p, g - 1);
    }
    emit(m, p, GL_EV_GoBlock, m->reason, m->stacks[2 + below(m, 2)]);
    m->waiting[g] = true;
    m->running[p] = 0;
}

static size_t make_events(gl_event *out, size_t max, gl_dict *d)
{
    maker *m = calloc(1, sizeof *m);
    if (!m)
        die("no memory");
    m->out = out;
    m->max = max;
    if (gl_dict_string(d, "chan receive", 12, &m->reason) < 0)
        die("no memory");
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t frame;
        if (gl_dict_frame(d, (gl_frame){.pc = i + 1}, &frame) < 0 || gl_dict_stack(d, &frame, 1, &m->stacks[i]) < 0)
            die("no memory");
    }
    for (uint32_t g = 1; g <= GOROUTINES; g++) {
        emit(m, 0, GL_EV_GoStatus, g, 0);
        m->out[m->n - 1].arg[2] = GL_G_WAITING;
        m->waiting[g] = true;
    }
    m->time[1] = m->time[0];
    while (m->n < max)
        make_turn(m, m->time[1] < m->time[0]);
    size_t n = m->n;
    free(m);
    return n;
}

/* Events of a file */

static size_t load_events(const char *path, gl_event *out, size_t max, gl_reader **r)
{
    gl_error err = {0};
    gl_cursor *c;
    const gl_event *ev;
    size_t n = 0, got;
    if (gl_reader_open(path, r, &err) < 0 || gl_cursor_open(*r, GL_COL_ALL, &c, &err) < 0)
        die(err.text);
    while (n < max && gl_cursor_next(c, &ev, &got, &err) == 0 && got) {
        got = got < max - n ? got : max - n;
        memcpy(out + n, ev, got * sizeof *ev);
        n += got;
    }
    gl_cursor_close(c);
    return n;
}

/* Measurements */

static double write_once(const char *path, gl_dict *d, const gl_event *ev, size_t n, gl_writer_stats *stats)
{
    gl_error err = {0};
    gl_writer *w;
    double start = cpu_seconds();
    if (gl_writer_open(&(gl_writer_options){.path = path, .dict = d}, &w, &err) < 0)
        die(err.text);
    for (size_t i = 0; i < n; i += BATCH)
        if (gl_writer_events(w, ev + i, n - i < BATCH ? n - i : BATCH) < 0)
            break;
    if (gl_writer_close(w, stats, &err) < 0)
        die(err.text);
    return (cpu_seconds() - start) / (double)n;
}

static double scan_once(gl_reader *r, unsigned columns, unsigned type, uint64_t g)
{
    gl_error err = {0};
    gl_cursor *c;
    const gl_event *ev;
    size_t n;
    uint64_t all = 0, hits = 0;
    double start = cpu_seconds();
    if (gl_cursor_open(r, columns, &c, &err) < 0)
        die(err.text);
    while (gl_cursor_next(c, &ev, &n, &err) == 0 && n) {
        uint64_t found = 0;
        for (size_t i = 0; i < n; i++)
            found += ev[i].type == type && ev[i].g == g;
        hits += found;
        all += n;
    }
    gl_cursor_close(c);
    if (hits > all) /* never; it keeps the comparisons from being optimised away */
        die("more found than there are");
    return (cpu_seconds() - start) / (double)all;
}

/** The largest resident memory of this process so far, in KB; not of what it was before an exec. */
static long peak_kb(void)
{
    char text[256];
    long kb = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(text, sizeof text, f))
        if (strncmp(text, "VmHWM:", 6) == 0)
            kb = strtol(text + 6, NULL, 10);
    if (f)
        fclose(f);
    return kb;
}

/** Opens a file and asks for one moment in its middle, as a viewer's first picture does. */
static void first_answer(const char *path)
{
    gl_error err = {0};
    gl_reader *r;
    gl_cursor *c;
    gl_summary_node *node = malloc(sizeof *node);
    const gl_event *ev;
    const gl_goroutine_at *at;
    const gl_lane_share *lanes;
    size_t n;
    if (!node || gl_reader_open(path, &r, &err) < 0 || gl_cursor_open(r, GL_COL_ALL, &c, &err) < 0)
        die(err.text);
    const gl_reader_info *info = gl_reader_get_info(r);
    unsigned top = gl_reader_levels(r) - 1;
    if (gl_reader_summary(r, top, 0, node, &err) < 0 || gl_cursor_lanes(c, top, 0, &lanes, &n, &err) < 0 ||
        gl_cursor_keyframe(c, info->time_first + (info->time_last - info->time_first) / 2, &at, &n, &err) < 0 ||
        gl_cursor_next(c, &ev, &n, &err) < 0)
        die(err.text);
    gl_cursor_close(c);
    gl_reader_close(r);
    free(node);
}

static void measure_open(const char *self, const char *path)
{
    double best = 1e9;
    for (int i = 0; i < RUNS; i++) {
        double start = cpu_seconds();
        first_answer(path);
        double took = cpu_seconds() - start;
        best = took < best ? took : best;
    }
    line("open and first answer", best * 1e3, "ms", 50, true);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, "--first-answer", path, (char *)NULL);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        die("the process that measures memory failed");
}

static double best_scan(gl_reader *r, unsigned columns, unsigned type, uint64_t g)
{
    double best = 1;
    for (int i = 0; i < RUNS; i++) {
        double took = scan_once(r, columns, type, g);
        best = took < best ? took : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--first-answer") == 0) {
        first_answer(argv[2]);
        line("resident memory of that", (double)peak_kb() / 1024, "MB", 32, true);
        return 0;
    }
    size_t max = argc > 2 ? (size_t)strtoull(argv[2], NULL, 10) : EVENTS_DEFAULT;
    gl_event *ev = malloc(max * sizeof *ev);
    gl_reader *source = NULL, *r;
    gl_dict *made = gl_dict_new(), *copy = gl_dict_new();
    gl_error err = {0};
    if (!ev || !made || !copy || max < GOROUTINES)
        die("no memory, or too few events asked for");
    size_t n = argc > 1 ? load_events(argv[1], ev, max, &source) : make_events(ev, max, made);

    char path[64];
    snprintf(path, sizeof path, "/tmp/golanes-bench-%ld.lanes", (long)getpid());
    gl_writer_stats s = {0};
    double best = 1;
    for (int i = 0; i < RUNS; i++) {
        double took = write_once(path, source ? copy : made, ev, n, &s);
        best = took < best ? took : best;
    }
    line("write", best * 1e9, "ns/event", 40, true);
    line("size", (double)s.bytes / (double)n, "B/event", 1.25, true);
    line("size of events alone", (double)s.bytes_events / (double)n, "B/event", 1.15, true);
    if (gl_reader_open(path, &r, &err) < 0)
        die(err.text);
    line("read all", 1e-6 / best_scan(r, GL_COL_ALL, GL_EV_GoBlock, 77), "M events/s", 25, false);
    line("scan by type and time", 1e-6 / best_scan(r, 0, GL_EV_GoBlock, 0), "M events/s", 50, false);
    line("scan by goroutine", 1e-6 / best_scan(r, GL_COL_CONTEXT, GL_EV_GoBlock, 77), "M events/s", 50, false);
    measure_open(argv[0], argc > 1 ? argv[1] : path);
    gl_reader_close(r);
    gl_reader_close(source);
    gl_dict_destroy(made);
    gl_dict_destroy(copy);
    free(ev);
    remove(path);
    return 0;
}
