/*
 * Every event of every small v1 trace of the corpus, in Go's order, with Go's figures: our stream against
 * NAME.events.txt, line by line.
 *
 * Two things are not decided by Go: the order of two Ps' events with one time stamp (its readers go through a map of Ps),
 * and that of the runnable goroutines at the start (a map of goroutines). So where lines of one tick differ
 * in order, only the order of the lines of each goroutine (or else each P) counts.
 */
#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golanes/gotrace.h"
#include "support/golines.h"

#define PATH_ROOM 4096

typedef struct text {
    char *bytes;
    size_t n, room;
    golines *lines;
} text;

static void add_line(text *t, const char *line)
{
    size_t n = strlen(line);
    if (t->n + n + 2 > t->room) {
        t->room = (t->room + n + 2) * 2;
        t->bytes = realloc(t->bytes, t->room);
        assert_non_null(t->bytes);
    }
    memcpy(t->bytes + t->n, line, n);
    t->n += n;
    t->bytes[t->n++] = '\n';
    t->bytes[t->n] = 0;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    text *t = user;
    for (size_t i = 0; i < n; i++)
        add_line(t, golines_line(t->lines, &events[i]));
    return 0;
}

static text import_lines(const char *path, gl_gotrace_result *result)
{
    size_t n;
    char *bytes = golines_load(path, &n);
    assert_non_null(bytes);
    gl_input *in;
    assert_int_equal(gl_input_from_memory(bytes, n, &in), 0);
    gl_dict *dict = gl_dict_new();
    text t = {.lines = golines_new(dict, true)};
    gl_gotrace_options opt = {.dict = dict, .on_events = on_events, .events_user = &t};
    gl_error err = {0};
    int rc = gl_gotrace_import(in, &opt, result, &err);
    if (rc != 0)
        fail_msg("%s: %s", path, err.text);
    golines_free(t.lines);
    gl_dict_destroy(dict);
    gl_input_close(in);
    free(bytes);
    return t;
}

/* The next line of the reference, without its first column. */
static char *next_line(char **rest)
{
    char *line = *rest;
    if (*line == 0)
        return NULL;
    char *end = strchr(line, '\n');
    assert_non_null(end);
    *end = 0;
    *rest = end + 1;
    return line;
}

/* What a line is about: "g17 " of a transition, else its P: "RAW KIND M P G DETAILS". */
static const char *subject(const char *line, int *n)
{
    const char *field = line;
    const char *p = NULL;
    for (int i = 0; i < 5; i++) {
        field = strchr(field, ' ') + 1;
        if (i == 2)
            p = field;
    }
    if (field[0] != 'g' || field[1] < '0' || field[1] > '9')
        field = p;
    *n = (int)strcspn(field, " ");
    return field;
}

static bool subject_before(const char *a, const char *b)
{
    int n, m;
    const char *x = subject(a, &n), *y = subject(b, &m);
    int order = strncmp(x, y, (size_t)(n < m ? n : m));
    return order != 0 ? order < 0 : n < m;
}

/* By subject; the order of each subject's lines stays. */
static void sort_by_subject(char **lines, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && subject_before(lines[j], lines[j - 1]); j--) {
            char *swap = lines[j];
            lines[j] = lines[j - 1];
            lines[j - 1] = swap;
        }
}

static char **split(char *s, bool reference, size_t *n)
{
    char **lines = NULL, *line;
    size_t room = 0;
    *n = 0;
    while ((line = next_line(&s))) {
        char *cut = reference ? strchr(line, ' ') + 1 : line;
        if (*n == room) {
            room = room * 2 + 64;
            lines = realloc(lines, room * sizeof *lines);
            assert_non_null(lines);
        }
        lines[(*n)++] = cut;
    }
    return lines;
}

/* Where the lines of line i's tick end: its time, or one more (the end that a system call is given). */
static size_t same_tick(char **lines, size_t n, size_t i)
{
    long long time = atoll(lines[i]);
    size_t j = i + 1;
    while (j < n && (atoll(lines[j]) == time || atoll(lines[j]) == time + 1))
        j++;
    return j;
}

static void compare(const char *name, char **want, size_t want_n, char **got, size_t got_n)
{
    size_t swapped = 0;
    for (size_t i = 0; i < want_n && i < got_n;) {
        if (strcmp(want[i], got[i]) == 0) {
            i++;
            continue;
        }
        size_t j = same_tick(want, want_n, i);
        if (j > got_n || j == i + 1)
            fail_msg("%s: line %zu\nwant %s\ngot  %s", name, i + 1, want[i], got[i]);
        sort_by_subject(want + i, j - i);
        sort_by_subject(got + i, j - i);
        for (size_t k = i; k < j; k++)
            if (strcmp(want[k], got[k]) != 0)
                fail_msg("%s: line %zu\nwant %s\ngot  %s", name, k + 1, want[k], got[k]);
        swapped += j - i;
        i = j;
    }
    if (want_n != got_n)
        fail_msg("%s: %zu lines wanted, %zu came", name, want_n, got_n);
    print_message("%s: %zu lines, %zu of them in another order within a tick\n", name, want_n, swapped);
}

static void join(char path[PATH_ROOM], const char *dir, const char *name, const char *suffix)
{
    int n = snprintf(path, PATH_ROOM, "%s/%s%s", dir, name, suffix);
    assert_true(n > 0 && n < PATH_ROOM);
}

/* One trace against its reference. sound: nothing about it may be complained of. */
static void check(const char *dir, const char *reference_dir, const char *name, bool sound)
{
    char path[PATH_ROOM];
    join(path, reference_dir, name, ".events.txt");
    size_t n, want_n, got_n;
    char *reference = golines_load(path, &n);
    if (!reference)
        fail_msg("%s is not there", path);
    join(path, dir, name, ".trace");
    gl_gotrace_result result;
    text t = import_lines(path, &result);
    char **want = split(reference, true, &want_n), **got = split(t.bytes, false, &got_n);
    /* Go ends with a Sync of its own; we have one at the start of a part only. */
    assert_true(want_n > 0 && strstr(want[want_n - 1], " Sync - - - n=2"));
    compare(name, want, want_n - 1, got, got_n);
    assert_int_equal(result.complete, sound);
    assert_int_equal(result.damage_count == 0, sound);
    assert_false(result.truncated);
    assert_int_equal(result.resyncs, 0);
    assert_int_equal(result.bytes_lost, 0);
    assert_int_equal(result.events, got_n);
    free(want);
    free(got);
    free(reference);
    free(t.bytes);
}

static bool is_v1(const char *dir, const char *name)
{
    char path[PATH_ROOM];
    size_t n;
    join(path, dir, name, ".trace");
    char *bytes = golines_load(path, &n);
    unsigned version = bytes ? gl_gotrace_detect(bytes, n) : 0;
    free(bytes);
    return version != 0 && version < 22;
}

static int check_folder(const char *dir)
{
    static const char suffix[] = ".events.txt.zst";
    DIR *d = opendir(dir);
    int checked = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n <= sizeof suffix - 1 || strcmp(e->d_name + n - (sizeof suffix - 1), suffix) != 0)
            continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(n - (sizeof suffix - 1)), e->d_name);
        if (is_v1(dir, name)) {
            check(dir, dir, name, true);
            checked++;
        }
    }
    if (d)
        closedir(d);
    return checked;
}

static void test_order(void **state)
{
    (void)state;
    const char *corpus = golines_corpus();
    if (!corpus) {
        print_message("no corpus: GOLANES_CORPUS names none\n");
        skip();
    }
    static const char *const folders[] = {"programs", "golden", "servers", "gotests"};
    int checked = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char dir[PATH_ROOM];
        join(dir, corpus, folders[i], "");
        checked += check_folder(dir);
    }
    assert_true(checked > 0);
}

/*
 * Versions that today's Go does not read. The references for 1.9 and 1.10 were made from what Go 1.19's reader gives, put
 * into today's words by Go 1.26's converter. The 1.5 trace has broken clocks: its order is right, its times are not.
 */
static void test_old_versions(void **state)
{
    (void)state;
    const char *corpus = golines_corpus();
    if (!corpus) {
        print_message("no corpus: GOLANES_CORPUS names none\n");
        skip();
    }
    char dir[PATH_ROOM];
    join(dir, corpus, "golden", "");
    check(dir, GOTRACE1_GOLDEN, "gov1-http_1_10_good", true);
    check(dir, GOTRACE1_GOLDEN, "gov1-stress_start_stop_1_9_good", true);
    check(dir, GOTRACE1_GOLDEN, "gov1-stress_1_5_unordered", false);
}

/* The traces that come with the sources, so that a clone has something to be held to. */
static void test_small_set(void **state)
{
    (void)state;
    static const char *const names[] = {"annot-go1.19", "leak-go1.21", "msort-go1.19", "sysc-go1.21"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check(GOLANES_SMALL_CORPUS "/traces", GOTRACE1_GOLDEN, names[i], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_small_set), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_old_versions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
