/*
 * Checks a recording of tracer_emitter: in each goroutine HeapLive's bytes (or RegionBegin's task) are 1, 2, 3, …, and a
 * gap is no longer than what the Lost events before it on the same thread say. Prints figures as "name value" lines.
 *
 *     tracer_check FILE [middle]       middle: it begins anywhere
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golanes/reader.h"
#include "golanes/writer.h"

#define IDS_MAX 300000

typedef struct figures {
    uint64_t events, heaplive, lost, gaps, starts, ends, back, threads, unknown_lost;
} figures;

/* By goroutine; goroutines of different processes by process * 4096 + g. */
static uint64_t last_of[IDS_MAX];
/* By thread: events that may be missing before its next one. */
static uint64_t *allowed;
static bool any_of_no_ring, middle;

static int wrong(const char *what, const gl_event *ev, uint64_t expected, uint64_t got)
{
    printf("wrong: %s at %" PRId64 " ns, thread %u, goroutine %" PRIx64 ": expected %" PRIu64 ", got %" PRIu64 "\n", what, ev->time,
           ev->thread, ev->g, expected, got);
    return 1;
}

static uint64_t *last_place(uint64_t g)
{
    uint64_t i = (g >> 48) * 4096 + (g & 0xffffffffffff);
    if (i >= IDS_MAX) {
        printf("wrong: goroutine %" PRIx64 "\n", g);
        exit(1);
    }
    return &last_of[i];
}

static int take(const gl_event *ev, uint32_t threads, figures *f)
{
    uint64_t number = ev->arg[0];
    f->events++;
    if (ev->type == GL_EV_Lost) {
        f->lost += ev->arg[0];
        f->unknown_lost += ev->arg[0] == 0;
        uint64_t most = ev->arg[0] ? ev->arg[0] : UINT64_MAX / 2;
        if (ev->thread < threads)
            allowed[ev->thread] += most;
        else
            any_of_no_ring = true;
        return (int64_t)ev->arg[2] < ev->time - 1 ? wrong("the loss ends before it begins", ev, (uint64_t)ev->time, ev->arg[2]) : 0;
    }
    f->starts += ev->type == GL_EV_GoStart;
    f->ends += ev->type == GL_EV_GoEnd;
    f->threads += ev->type == GL_EV_ThreadStart;
    if (ev->type != GL_EV_HeapLive && ev->type != GL_EV_RegionBegin)
        return 0;
    f->heaplive++;
    if (ev->thread >= threads)
        return wrong("no thread", ev, 0, ev->thread);
    uint64_t *last = last_place(ev->g);
    if (middle && !*last)
        *last = number - 1;
    uint64_t missing = number - *last - 1;
    if (number <= *last)
        return wrong("an event came twice or out of order", ev, *last + 1, number);
    if (missing && missing > allowed[ev->thread] && !any_of_no_ring)
        return wrong("a gap without a loss", ev, *last + 1, number);
    if (missing) {
        f->gaps++;
        allowed[ev->thread] -= allowed[ev->thread] > missing ? missing : allowed[ev->thread];
    }
    *last = number;
    return 0;
}

int main(int argc, char **argv)
{
    gl_reader *r;
    gl_cursor *c;
    gl_error err = {0};
    const gl_dict *dict;
    figures f = {0};
    middle = argc == 3 && strcmp(argv[2], "middle") == 0;
    if (argc < 2 || gl_reader_open(argv[1], &r, &err) < 0 || gl_reader_dict(r, &dict, &err) < 0 ||
        gl_cursor_open(r, GL_COL_ALL, &c, &err) < 0) {
        printf("wrong: %s\n", err.text);
        return 1;
    }
    uint32_t threads = gl_dict_thread_count(dict);
    allowed = calloc(threads + 1, sizeof *allowed);
    const gl_event *ev;
    size_t n;
    int64_t before = INT64_MIN;
    int status;
    while ((status = gl_cursor_next(c, &ev, &n, &err)) == 0 && n > 0)
        for (size_t i = 0; i < n; i++) {
            f.back += ev[i].time < before;
            before = ev[i].time;
            if (take(&ev[i], threads, &f))
                return 1;
        }
    if (status < 0) {
        printf("wrong: %s\n", err.text);
        return 1;
    }
    const gl_reader_info *info = gl_reader_get_info(r);
    printf("events %" PRIu64 "\nnumbered %" PRIu64 "\nlost %" PRIu64 "\ngaps %" PRIu64 "\nstarts %" PRIu64 "\nends %" PRIu64
           "\nthreads %" PRIu64 "\nback %" PRIu64 "\nindexed %d\ndamaged %" PRIu64 "\nunknown_lost %" PRIu64 "\n",
           f.events, f.heaplive, f.lost, f.gaps, f.starts, f.ends, f.threads, f.back, info->indexed, info->damaged_chunks,
           f.unknown_lost);
    for (uint32_t i = 0; i < IDS_MAX; i++)
        if (last_of[i] && i < 8)
            printf("last.%u %" PRIu64 "\n", i, last_of[i]);
    struct gl_process_info p;
    unsigned processes = 0;
    while (gl_cursor_process(c, processes, &p, &err) == 0)
        processes++;
    printf("processes %u\n", processes);
    gl_cursor_close(c);
    gl_reader_close(r);
    free(allowed);
    return 0;
}
