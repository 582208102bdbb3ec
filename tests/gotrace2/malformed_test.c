/*
 * Damaged traces of the corpus: what is sound is delivered, what is lost is said, and never less than Go delivers.
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

typedef struct tally {
    size_t files, bad;
} tally;

static char folder[512], sound_folder[512];

static bool find_corpus(void)
{
    const char *corpus = golines_corpus();
    if (!corpus)
        return false;
    snprintf(folder, sizeof folder, "%s/malformed", corpus);
    snprintf(sound_folder, sizeof sound_folder, "%s/programs", corpus);
    return true;
}

/* The number behind a key of NAME.expect.txt, or what is to be taken where it is not there. */
static long long figure(const char *expect, const char *key, long long absent)
{
    const char *at = strstr(expect, key);
    return at ? strtoll(at + strlen(key), NULL, 10) : absent;
}

static bool say(const corpus_file *f, const char *what)
{
    print_error("%s: %s\n", f->name, what);
    return false;
}

/* Ids that the events hold are in the dictionary, and nothing claims more than there is. */
static bool ids_are_sound(const corpus_file *f, const imported *im)
{
    for (size_t i = 0; i < im->n; i++) {
        const gl_event *ev = &im->events[i];
        const gl_event_info *info = gl_event_lookup(ev->type);
        if (!info || ev->stack >= gl_dict_stack_count(im->dict) || ev->g >> 48 != 0)
            return say(f, "an event without name, or with a wild stack or goroutine");
        if (ev->thread != GL_NO_THREAD && ev->thread >= gl_dict_thread_count(im->dict))
            return say(f, "a wild thread");
        for (size_t k = 0; k < info->arg_count; k++)
            if ((info->args[k].kind == GL_KIND_STRING && ev->arg[k] >= gl_dict_string_count(im->dict)) ||
                (info->args[k].kind == GL_KIND_STACK && ev->arg[k] >= gl_dict_stack_count(im->dict)))
                return say(f, "a wild string or stack in an argument");
    }
    return true;
}

static size_t plain_events(const imported *im)
{
    size_t n = 0;
    for (size_t i = 0; i < im->n; i++)
        n += im->events[i].type != GL_EV_ClockSync && im->events[i].type != GL_EV_Lost;
    return n;
}

/* The first n events of the trace that this one was made from, line by line. */
static bool begins_like_base(const corpus_file *f, const imported *im, const char *expect, size_t n)
{
    corpus_file base = {0};
    const char *at = strstr(expect, "base: ");
    if (!at || n == 0)
        return true;
    snprintf(base.folder, sizeof base.folder, "%s", sound_folder);
    sscanf(at, "base: %255s", base.name);
    size_t size;
    char *data = corpus_load(&base, ".trace", &size);
    if (!data)
        return say(f, "its base is not there");
    imported whole;
    import_bytes(data, size, &whole);
    golines *a = golines_new(whole.dict, false), *b = golines_new(im->dict, false);
    bool same = whole.n >= n && im->n >= n;
    for (size_t i = 0; i < n && same; i++)
        same = strcmp(golines_line(a, &whole.events[i]), golines_line(b, &im->events[i])) == 0;
    golines_free(a);
    golines_free(b);
    imported_free(&whole);
    free(data);
    return same || say(f, "its whole generations differ from those of its base");
}

static bool damage_is_told(const corpus_file *f, const imported *im, const char *expect)
{
    const gl_gotrace_result *r = &im->result;
    bool valid = strstr(expect, "class: valid"), go_reads_it = strstr(expect, "go-parser: complete, no error");
    if (valid && (!r->complete || r->damage_count != 0 || r->resyncs != 0))
        return say(f, "sound, but said to be damaged");
    if (!valid && !go_reads_it && (r->complete || r->damage_count == 0))
        return say(f, "damaged, and nothing is said");
    if (strstr(expect, "class: truncated") && !go_reads_it && (r->complete || !r->truncated))
        return say(f, "cut, and not said so");
    for (uint64_t i = 0; i < r->damage_count && i < GL_GOTRACE_DAMAGES_MAX; i++)
        if (r->damages[i].reason[0] == 0 || r->damages[i].offset > r->bytes_total ||
            r->damages[i].bytes > r->bytes_total - r->damages[i].offset)
            return say(f, "a damage without reason, or outside of the file");
    return r->bytes_lost <= r->bytes_total || say(f, "more bytes lost than there are");
}

static void check_damaged(const corpus_file *f, void *user)
{
    tally *t = user;
    size_t n, expect_n;
    char *data = corpus_load(f, ".trace", &n);
    char *expect = corpus_load(f, ".expect.txt", &expect_n);
    imported im;
    import_bytes(data, n, &im);
    t->files++;
    bool good = (im.rc == 0 || say(f, im.err.text)) && ids_are_sound(f, &im) && damage_is_told(f, &im, expect);
    long long go = figure(expect, "go_events: ", 0) - figure(expect, "\nsyncs: ", 1);
    if (good && (long long)plain_events(&im) < go)
        good = say(f, "fewer events than Go delivers");
    size_t exact = (size_t)figure(expect, "exact_events: ", 0);
    good = good && begins_like_base(f, &im, expect, exact);
    t->bad += !good;
    imported_free(&im);
    free(expect);
    free(data);
}

static void test_damage_is_told_and_the_rest_is_read(void **state)
{
    (void)state;
    if (!find_corpus())
        skip();
    tally t = {0};
    const char *const folders[] = {folder};
    corpus_each(folders, 1, check_damaged, &t);
    print_message("%zu damaged traces\n", t.files);
    assert_int_equal(t.bad, 0);
    assert_true(t.files > 40);
}

static imported import_named(const char *name)
{
    corpus_file f = {0};
    snprintf(f.folder, sizeof f.folder, "%s", folder);
    snprintf(f.name, sizeof f.name, "%s", name);
    size_t n;
    char *data = corpus_load(&f, ".trace", &n);
    assert_non_null(data);
    imported im;
    import_bytes(data, n, &im);
    free(data);
    return im;
}

static bool has_damage(const imported *im, const char *words)
{
    for (uint64_t i = 0; i < im->result.damage_count && i < GL_GOTRACE_DAMAGES_MAX; i++)
        if (strstr(im->result.damages[i].reason, words))
            return true;
    return false;
}

static void test_what_is_no_trace_is_refused(void **state)
{
    (void)state;
    if (!find_corpus())
        skip();
    static const struct {
        const char *name;
        int rc;
    } cases[] = {{"bad-elf", GL_E_NOT_TRACE}, {"bad-empty", GL_E_NOT_TRACE}, {"bad-short-header", GL_E_NOT_TRACE},
                 {"bad-version-99", GL_E_VERSION}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        imported im = import_named(cases[i].name);
        assert_int_equal(im.rc, cases[i].rc);
        assert_true(im.err.text[0] != 0);
        assert_int_equal(im.n, 0);
        imported_free(&im);
    }
}

static void test_what_follows_a_trace_is_named(void **state)
{
    (void)state;
    if (!find_corpus())
        skip();
    static const struct {
        const char *name, *words;
    } cases[] = {{"concat-sysc-go1.27", "second trace"}, {"tail-zeros-sysc-go1.27", "zeros"},
                 {"tail-garbage-sysc-go1.27", "no batch"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        imported im = import_named(cases[i].name);
        assert_int_equal(im.rc, 0);
        assert_int_equal(plain_events(&im), 13685);
        assert_true(has_damage(&im, cases[i].words));
        imported_free(&im);
    }
}

/* A size that makes no sense costs no event: the batch reaches to the next header. */
static void test_broken_sizes_are_found_again(void **state)
{
    (void)state;
    if (!find_corpus())
        skip();
    static const struct {
        const char *name;
        size_t events;
    } cases[] = {{"flip-batchsize-leak-go1.26", 1009}, {"flip-batchsize-pipeline-gens-go1.26", 137424},
                 {"flip-batchsize-sysc-go1.22", 13890}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        imported im = import_named(cases[i].name);
        assert_int_equal(plain_events(&im), cases[i].events);
        assert_int_equal(im.result.bytes_lost, 0);
        assert_int_equal(im.result.resyncs, 0);
        imported_free(&im);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage_is_told_and_the_rest_is_read),
        cmocka_unit_test(test_what_is_no_trace_is_refused),
        cmocka_unit_test(test_what_follows_a_trace_is_named),
        cmocka_unit_test(test_broken_sizes_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
