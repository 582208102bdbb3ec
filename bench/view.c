/*
 * What a look at a large trace costs: the first frame, pans and zooms at 200x50, a repaint, sorting and scrolling many
 * lanes, a search through everything. No terminal: the time is that from a key to a finished grid of cells, as processor
 * time, so that other work on the machine does not count. Prints one line a metric: metric, value, unit, goal, met or
 * missed (- where there is no goal), separated by tabs.
 *
 *     bench_view FILE.lanes            measures a file; where it has up to 100,000 goroutines, 200 ms is the goal of what is
 *                                      done with all of them
 *     bench_view --make FILE.lanes EVENTS GOROUTINES    writes one
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "app.h"
#include "command.h"
#include "golanes/writer.h"

#define KEYS 600
#define MANY 110000 /* goroutines: with so many, those of the runtime among them, what is done with all has a goal */

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static _Noreturn void die(const gl_error *err)
{
    fprintf(stderr, "bench_view: %s\n", err->text);
    exit(1);
}

/* ---- a trace to look at ---------------------------------------------------------------------------------------------
 */

typedef struct maker {
    gl_writer *w;
    gl_dict *d;
    uint64_t random;
    int64_t now;
    gl_event ev[4096];
    size_t n;
    uint64_t made;
    uint32_t stacks[64], send, recv, sweep, mark;
} maker;

static uint64_t draw(maker *k, uint64_t below)
{
    k->random ^= k->random << 13;
    k->random ^= k->random >> 7;
    k->random ^= k->random << 17;
    return k->random % below;
}

static gl_event *add(maker *k, gl_event_type type, uint64_t g, uint32_t p)
{
    if (k->n == sizeof k->ev / sizeof *k->ev) {
        if (gl_writer_events(k->w, k->ev, k->n) < 0)
            exit(1);
        k->n = 0;
    }
    k->made++;
    gl_event *e = &k->ev[k->n++];
    *e = (gl_event){.time = k->now, .g = g, .p = p, .thread = p, .type = (uint16_t)type};
    return e;
}

static uint32_t text(maker *k, const char *s)
{
    uint32_t id = 0;
    if (gl_dict_string(k->d, s, strlen(s), &id) < 0)
        exit(1);
    return id;
}

static void make_stacks(maker *k)
{
    for (uint32_t i = 0; i < 64; i++) {
        char name[64];
        uint32_t f, frame;
        snprintf(name, sizeof name, "main.%s%u", i % 3 == 0 ? "producer" : i % 3 == 1 ? "stage" : "worker", i / 3);
        if (gl_dict_func(k->d, (gl_func){text(k, name), text(k, "/src/app/main.go")}, &f) < 0 ||
            gl_dict_frame(k->d, (gl_frame){0x1000 + i, f, 10 + i}, &frame) < 0 ||
            gl_dict_stack(k->d, &frame, 1, &k->stacks[i]) < 0)
            exit(1);
    }
    k->send = text(k, "chan send");
    k->recv = text(k, "chan receive");
    k->sweep = text(k, "GC sweep termination");
    k->mark = text(k, "GC mark termination");
}

static void collect(maker *k, uint64_t cycle)
{
    add(k, GL_EV_GCSTWBegin, 1, 0)->arg[0] = k->sweep;
    k->now += 60000;
    add(k, GL_EV_GCSTWEnd, 1, 0)->arg[0] = k->sweep;
    add(k, GL_EV_GCStart, 1, 0)->arg[0] = cycle;
    add(k, GL_EV_HeapLive, 1, 0)->arg[0] = (4 << 20) + draw(k, 4 << 20);
    k->now += 400000;
    add(k, GL_EV_GCSTWBegin, 1, 0)->arg[0] = k->mark;
    k->now += 25000;
    add(k, GL_EV_GCSTWEnd, 1, 0)->arg[0] = k->mark;
    add(k, GL_EV_GCEnd, 1, 0)->arg[0] = cycle;
}

/* Goroutine g blocks on its P and another starts there; both are random, as in a busy program. */
static void turn(maker *k, uint64_t goroutines, uint64_t *running, unsigned char *waits)
{
    uint32_t p = (uint32_t)draw(k, 8);
    uint64_t g = running[p], next = 2 + draw(k, goroutines);
    k->now += 200 + (int64_t)draw(k, 900);
    if (waits[next] == 2 || next == g)
        return;
    if (waits[next] == 1) {
        gl_event *e = add(k, GL_EV_GoUnpark, g, p);
        e->arg[0] = next;
        e->stack = k->stacks[g % 64];
    }
    gl_event *e = add(k, GL_EV_GoBlock, g, p);
    e->arg[0] = draw(k, 2) ? k->send : k->recv;
    e->stack = k->stacks[g % 64];
    waits[g] = 1;
    k->now += 150;
    add(k, GL_EV_GoStart, 0, p)->arg[0] = next;
    waits[next] = 2;
    running[p] = next;
}

static int make(const char *path, uint64_t events, uint64_t goroutines)
{
    gl_error err = {0};
    maker *k = calloc(1, sizeof *k);
    unsigned char *waits = calloc(goroutines + 2, 1);
    uint64_t running[8], cycle = 0;
    if (!k || !waits || goroutines < 16)
        return 1;
    k->d = gl_dict_new();
    k->random = 88172645463325252u;
    make_stacks(k);
    if (gl_writer_open(&(gl_writer_options){.path = path, .dict = k->d, .threads = 1}, &k->w, &err) < 0)
        die(&err);
    add(k, GL_EV_ProcsChange, 0, 0)->arg[0] = 8;
    for (uint64_t g = 2; g < goroutines + 2; g++) {
        gl_event *e = add(k, GL_EV_GoCreate, 1, 0);
        e->arg[0] = g;
        e->arg[1] = GL_G_RUNNABLE;
        e->arg[2] = k->stacks[g % 64];
        k->now += 100;
    }
    for (uint32_t p = 0; p < 8; p++) {
        running[p] = 2 + p;
        waits[2 + p] = 2;
        add(k, GL_EV_GoStart, 0, p)->arg[0] = 2 + p;
    }
    for (int64_t next_gc = 10000000; k->made < events;) {
        turn(k, goroutines, running, waits);
        if (k->now > next_gc) {
            collect(k, ++cycle);
            next_gc = k->now + 10000000;
        }
    }
    gl_writer_stats st;
    if (gl_writer_events(k->w, k->ev, k->n) < 0 || gl_writer_close(k->w, &st, &err) < 0)
        die(&err);
    printf("%s: %llu events, %.1f MB, %.1f s of trace\n", path, (unsigned long long)st.events, (double)st.bytes / 1e6,
           (double)k->now / 1e9);
    gl_dict_destroy(k->d);
    free(waits);
    free(k);
    return 0;
}

/* ---- looking at it --------------------------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void line(const char *metric, double value, const char *unit, double goal)
{
    if (goal > 0)
        printf("%s\t%.4g\t%s\t<=%.4g\t%s\n", metric, value, unit, goal, value <= goal ? "met" : "missed");
    else
        printf("%s\t%.4g\t%s\t-\t-\n", metric, value, unit);
}

static void print_spread(const char *what, int64_t *ns, size_t n)
{
    char metric[100];
    qsort(ns, n, sizeof *ns, by_value);
    snprintf(metric, sizeof metric, "%s, median", what);
    line(metric, (double)ns[n / 2] / 1e6, "ms", 16);
    snprintf(metric, sizeof metric, "%s, 99th of 100", what);
    line(metric, (double)ns[n * 99 / 100] / 1e6, "ms", 50);
}

/* CPU time: nothing here waits for anything but pages that the system has, and other work on the machine must not
 * count. */
static int64_t frame_after(gl_app *a, gl_cells *c, int key)
{
    int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (key)
        gl_app_key(a, key);
    gl_app_draw(a, c);
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static void walk(gl_app *a, gl_cells *c, const char *what, const char *keys)
{
    static int64_t ns[KEYS];
    size_t n = strlen(keys);
    for (size_t i = 0; i < KEYS; i++)
        ns[i] = frame_after(a, c, (unsigned char)keys[i % n]);
    print_spread(what, ns, KEYS);
}

static void repaint(gl_app *a, gl_cells *c, const char *what)
{
    int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < 100; i++)
        gl_app_draw(a, c);
    line(what, (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e8, "ms", 5);
}

static long peak_kib(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_maxrss;
}

static void time_keys(gl_app *a, gl_cells *c, const char *what, const char *keys)
{
    int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (const char *at = keys; *at; at++)
        gl_app_key(a, (unsigned char)*at);
    gl_app_draw(a, c);
    double ms = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e6;
    line(what, ms, "ms", a->m->gor_count <= MANY ? 200 : 0);
}

static void measure(gl_app *a, gl_cells *c)
{
    line("goroutines", (double)a->m->gor_count, "", 0);
    walk(a, c, "zoom in and out, whole trace", "++++++--+++---");
    gl_app_show(a, a->m->begin, a->m->end);
    repaint(a, c, "repaint, whole trace");
    gl_app_show(a, a->m->begin, a->m->begin + (a->m->end - a->m->begin) / 50);
    walk(a, c, "pan and zoom, a fiftieth of it", "dddd+dd-aa-dddd+a");
    gl_app_show(a, a->m->begin, a->m->begin + 5000000);
    walk(a, c, "pan and zoom, 5 ms", "dddd+dd-aa-dddd+a");
    gl_app_show(a, a->m->begin, a->m->begin + 5000000);
    repaint(a, c, "repaint, 5 ms");
    walk(a, c, "up and down lanes", "jjjjkk");
    time_keys(a, c, "unfold all lanes", "*");
    time_keys(a, c, "go to the last lane", ">");
    time_keys(a, c, "sort them anew", "o");
    time_keys(a, c, "without groups", "O");
    time_keys(a, c, "grouped by state", "G");
    time_keys(a, c, "grouped by wait reason", "G");
    time_keys(a, c, "idle ones hidden", "ZZ");
    time_keys(a, c, "list of straddles", "5");
    time_keys(a, c, "processors", "2");
    time_keys(a, c, "threads", "3");
}

static int look(const char *path)
{
    gl_error err = {0};
    gl_reader *r = NULL;
    gl_app *a = NULL;
    gl_cells c = {0};
    int64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (gl_reader_open(path, &r, &err) < 0 ||
        gl_app_open(&(gl_app_options){.reader = r, .name = path, .theme = gl_theme_by_name("dark")}, &a, &err) < 0)
        die(&err);
    gl_app_begin(a, 200, 50);
    gl_app_draw(a, &c);
    line("first frame", (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e6, "ms", 100);
    line("first frame, resident", (double)peak_kib() / 1024, "MiB", 64);
    walk(a, &c, "zoom while the scan is behind", "++++++--+++---");
    int64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (gl_app_step(a, 1000000000))
        ;
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    line("scan of the whole file", (double)a->m->scanned_events * 1e3 / (double)(cpu + 1), "M events/s", 0);
    line("scan of the whole file, resident", (double)peak_kib() / 1024, "MiB", 0);
    measure(a, &c);
    gl_app_command(a, "search worker7$");
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (gl_app_step(a, 1000000000))
        ;
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    line("regular expression through everything", (double)a->search.looked * 1e3 / (double)(cpu + 1), "M events/s", 0);
    gl_app_command(a, "find state=blocked dur>1s");
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (gl_app_step(a, 1000000000))
        ;
    cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    line("expression through everything", (double)a->search.looked * 1e3 / (double)(cpu + 1), "M events/s", 0);
    gl_cells_clean_up(&c);
    gl_app_close(a);
    gl_reader_close(r);
    return 0;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 5 && strcmp(argv[1], "--make") == 0)
        return make(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
    if (argc == 2)
        return look(argv[1]);
    fprintf(stderr, "usage: bench_view FILE.lanes | bench_view --make FILE.lanes EVENTS GOROUTINES\n");
    return 2;
}
