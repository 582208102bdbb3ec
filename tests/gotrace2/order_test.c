/*
 * Sound traces: every event, in Go's order, with Go's contents, and not a word of damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/golines.h"
#include "corpus_walk.h"

static const char *const sound_folders[] = {"programs", "gotests", "servers", "golden", "malformed"};
#define FOLDERS (sizeof sound_folders / sizeof sound_folders[0])

typedef struct tally {
    size_t files, compared, bad;
    uint64_t lines;
} tally;

/*
 * "0 0 Sync - - - n=1 trace=1 mono=2 wall=3": what a ClockSync has to say. The trace's own number is not in the line.
 */
static void sync_line(char *out, size_t room, const gl_event *ev, unsigned n)
{
    int at = snprintf(out, room, "%" PRId64 " Sync - - - n=%u", ev->time, n);
    if (ev->arg[1] != 0)
        snprintf(out + at, room - (size_t)at, " mono=%" PRIu64 " wall=%" PRId64, ev->arg[1], (int64_t)ev->arg[2]);
}

/* Go prints the arguments of experimental events with the names of its own table. */
static void experimental_line(char *out, size_t room, const imported *im, const gl_event *ev)
{
    static const char *const names[][4] = {
        {"Span", "id", "npages_value", "kindclass"}, {"SpanAlloc", "id", "npages_value", "kindclass"},
        {"SpanFree", "id", NULL, NULL},              {"HeapObject", "id", "type", NULL},
        {"HeapObjectAlloc", "id", "type", NULL},     {"HeapObjectFree", "id", NULL, NULL},
        {"GoroutineStack", "id", "order", NULL},     {"GoroutineStackAlloc", "id", "order", NULL},
        {"GoroutineStackFree", "id", NULL, NULL}};
    const char *name = gl_dict_text(im->dict, (uint32_t)ev->arg[0], NULL);
    char p[16] = "-", g[24] = "-";
    if (ev->p != GL_NO_PROC)
        snprintf(p, sizeof p, "%u", ev->p);
    if (ev->g != 0)
        snprintf(g, sizeof g, "%" PRIu64, ev->g);
    int at = snprintf(out, room, "%" PRId64 " Experimental %" PRIu64 " %s %s %s", ev->time,
                      gl_dict_get_thread(im->dict, ev->thread).tid, p, g, name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 1; strcmp(names[i][0], name) == 0 && k < 4 && names[i][k]; k++)
            at += snprintf(out + at, room - (size_t)at, " %s=%" PRIu64, names[i][k], ev->arg[k]);
}

/* A reference line without its first number, and a Sync without "trace=N". Cut out in place. */
static char *comparable(char *line)
{
    char *raw = strchr(line, ' ') + 1;
    char *trace = strstr(raw, " trace=");
    if (trace && strstr(raw, " Sync - - - n=")) {
        char *after = strchr(trace + 1, ' ');
        memmove(trace, after ? after : "", after ? strlen(after) + 1 : 1);
    }
    return raw;
}

/* The event with its time counted as the reference counts. */
static gl_event at_zero(const gl_event *ev, int64_t zero)
{
    gl_event out = *ev;
    out.time += zero;
    return out;
}

/*
 * Compares what was imported with the reference; the reference's last Sync is not an event of ours. Its times count
 * from
 * the first event's bumped time: where the trace's clock begins at 0, the first raw time is -1.
 */
static bool same_lines(const corpus_file *f, const imported *im, char *reference, uint64_t *lines)
{
    golines *gl = golines_new(im->dict, false);
    unsigned syncs = 0;
    int64_t zero = strtoll(strchr(reference, ' ') + 1, NULL, 10);
    size_t i = 0;
    bool same = true;
    char *save = NULL;
    char *line = strtok_r(reference, "\n", &save);
    for (char *next; line && same; line = next, i++) {
        next = strtok_r(NULL, "\n", &save);
        const char *want = comparable(line);
        if (!next && strstr(want, " Sync - - - n="))
            break;
        char special[512];
        const char *got = special;
        gl_event ev = i < im->n ? at_zero(&im->events[i], zero) : (gl_event){0};
        if (ev.type == GL_EV_ClockSync)
            sync_line(special, sizeof special, &ev, ++syncs);
        else if (ev.type == GL_EV_Experimental)
            experimental_line(special, sizeof special, im, &ev);
        else
            got = golines_line(gl, &ev);
        same = strcmp(want, got) == 0;
        if (!same)
            print_error("%s: event %zu\n  want %s\n  got  %s\n", f->name, i + 1, want, got);
    }
    if (same && i != im->n) {
        print_error("%s: %zu events, the reference has %zu\n", f->name, im->n, i);
        same = false;
    }
    *lines += i;
    golines_free(gl);
    return same;
}

static void check_sound(const corpus_file *f, void *user)
{
    tally *t = user;
    size_t n, ref_n;
    char *reference = corpus_load(f, ".events.txt", &ref_n);
    long long total = corpus_figure(f, (const char *const[]){"events", "total", NULL});
    long long syncs = corpus_figure(f, (const char *const[]){"events", "by_kind", "Sync", NULL});
    char *expect = corpus_load(f, ".expect.txt", &ref_n);
    bool sound =
        !expect || strstr(expect, "class: valid") || strstr(expect, "SUCCESS") || strstr(expect, "expected: yes");
    if (!reference && (!sound || total < 0)) {
        free(expect);
        return;
    }
    char *data = corpus_load(f, ".trace", &n);
    imported im;
    import_bytes(data, n, &im);
    t->files++;
    bool good = im.rc == 0 && im.result.complete && im.result.damage_count == 0 && im.result.resyncs == 0 &&
                im.result.events == im.n;
    if (!good)
        print_error("%s: rc %d complete %d damages %" PRIu64 " resyncs %" PRIu64 " %s %s\n", f->name, im.rc,
                    im.result.complete, im.result.damage_count, im.result.resyncs, im.result.damages[0].reason,
                    im.err.text);
    if (total >= 0 && (long long)im.n != total - 1) {
        print_error("%s: %zu events, want %lld\n", f->name, im.n, total - 1);
        good = false;
    }
    if (syncs >= 0 && (long long)im.result.parts != syncs - 1)
        good = false;
    if (reference) {
        t->compared++;
        good = same_lines(f, &im, reference, &t->lines) && good;
    }
    t->bad += !good;
    imported_free(&im);
    free(data);
    free(reference);
    free(expect);
}

static void test_sound_traces_come_as_go_reads_them(void **state)
{
    (void)state;
    const char *corpus = golines_corpus();
    if (!corpus)
        skip();
    static char paths[FOLDERS][600];
    const char *folders[FOLDERS];
    for (size_t i = 0; i < FOLDERS; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", corpus, sound_folders[i]);
        folders[i] = paths[i];
    }
    tally t = {0};
    corpus_each(folders, FOLDERS, check_sound, &t);
    print_message("%zu sound traces, %zu compared event by event (%" PRIu64 " lines)\n", t.files, t.compared, t.lines);
    assert_int_equal(t.bad, 0);
    assert_true(t.compared > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sound_traces_come_as_go_reads_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
