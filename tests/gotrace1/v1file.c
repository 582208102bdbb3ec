#include "v1file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/golines.h"

void v1file_byte(v1file *f, unsigned byte)
{
    if (f->n == f->room) {
        f->room = f->room * 2 + 256;
        f->bytes = realloc(f->bytes, f->room);
        assert_non_null(f->bytes);
    }
    f->bytes[f->n++] = (uint8_t)byte;
}

static void put_text(v1file *f, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v1file_byte(f, (unsigned char)s[i]);
}

void v1file_begin(v1file *f, unsigned version)
{
    char head[17] = {0};
    memset(f, 0, sizeof *f);
    f->version = version;
    snprintf(head, sizeof head, "go 1.%u trace", version);
    put_text(f, head, 16);
}

void v1file_free(v1file *f)
{
    free(f->bytes);
    memset(f, 0, sizeof *f);
}

void v1file_number(v1file *f, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        v1file_byte(f, (unsigned)(v & 0x7f) | 0x80);
    v1file_byte(f, (unsigned)v);
}

void v1file_batch_seq(v1file *f, uint64_t pid, uint64_t seq, uint64_t ticks)
{
    v1file_byte(f, EV_BATCH | 1 << 6);
    v1file_number(f, pid);
    if (f->version < 7)
        v1file_number(f, seq);
    v1file_number(f, ticks);
}

void v1file_batch(v1file *f, uint64_t pid, uint64_t ticks)
{
    v1file_batch_seq(f, pid, 0, ticks);
}

static void put_event(v1file *f, unsigned type, unsigned n, const uint64_t *numbers)
{
    unsigned counted = n - (f->version < 7 ? 2 : 1);
    v1file_byte(f, type | (counted < 3 ? counted : 3) << 6);
    v1file args = {0};
    for (unsigned i = 0; i < n; i++)
        v1file_number(&args, numbers[i]);
    if (counted >= 3)
        v1file_number(f, args.n);
    put_text(f, (const char *)args.bytes, args.n);
    free(args.bytes);
}

void v1file_event(v1file *f, unsigned type, unsigned n, ...)
{
    uint64_t numbers[8];
    va_list args;
    va_start(args, n);
    for (unsigned i = 0; i < n; i++)
        numbers[i] = (uint64_t)va_arg(args, int);
    va_end(args);
    put_event(f, type, n, numbers);
}

void v1file_log(v1file *f, uint64_t delta, uint64_t task, uint64_t key, uint64_t stack, const char *message)
{
    put_event(f, EV_LOG, 4, (uint64_t[]){delta, task, key, stack});
    v1file_number(f, strlen(message));
    put_text(f, message, strlen(message));
}

void v1file_string(v1file *f, uint64_t id, const char *text)
{
    v1file_byte(f, EV_STRING);
    v1file_number(f, id);
    v1file_number(f, strlen(text));
    put_text(f, text, strlen(text));
}

void v1file_stack(v1file *f, uint64_t id, unsigned n, ...)
{
    v1file inner = {0};
    v1file_number(&inner, id);
    v1file_number(&inner, n);
    va_list args;
    va_start(args, n);
    for (unsigned i = 0; i < n * (f->version < 7 ? 1 : 4); i++)
        v1file_number(&inner, (uint64_t)va_arg(args, int));
    va_end(args);
    v1file_byte(f, EV_STACK | 3 << 6);
    v1file_number(f, inner.n);
    put_text(f, (const char *)inner.bytes, inner.n);
    free(inner.bytes);
}

void v1file_frequency(v1file *f, uint64_t hz)
{
    v1file_byte(f, EV_FREQUENCY);
    v1file_number(f, hz);
    if (f->version < 7)
        v1file_number(f, 0);
}

void v1file_start(v1file *f, uint64_t ticks)
{
    v1file_batch(f, 0, ticks);
    v1file_event(f, EV_GO_CREATE, 4, 0, 1, 0, 0);
    v1file_event(f, EV_PROC_START, 2, 1, 7);
    v1file_event(f, EV_GO_START, 3, 1, 1, 1);
    v1file_event(f, EV_GOMAXPROCS, 3, 1, 2, 0);
}

/* Lines */

typedef struct taker {
    v1lines *l;
    golines *lines;
} taker;

static int take(void *user, const gl_event *events, size_t n)
{
    taker *t = user;
    for (size_t i = 0; i < n; i++) {
        const char *line = golines_line(t->lines, &events[i]);
        char *copy = malloc(strlen(line) + 32);
        if (t->l->n == t->l->room) {
            t->l->room = t->l->room * 2 + 64;
            t->l->at = realloc(t->l->at, t->l->room * sizeof *t->l->at);
        }
        assert_true(copy && t->l->at);
        sprintf(copy, "%s%s%s", line, events[i].flags & GL_FLAG_RESYNC ? " RESYNC" : "",
                events[i].flags & GL_FLAG_INFERRED ? " INFERRED" : "");
        t->l->at[t->l->n++] = copy;
    }
    return 0;
}

void v1lines_import(v1lines *l, const void *bytes, size_t n, gl_symbolize_fn symbolize)
{
    memset(l, 0, sizeof *l);
    gl_input *in;
    assert_int_equal(gl_input_from_memory(bytes, n, &in), 0);
    gl_dict *dict = gl_dict_new();
    assert_non_null(dict);
    taker t = {l, golines_new(dict, true)};
    gl_gotrace_options opt = {.dict = dict, .on_events = take, .events_user = &t, .symbolize = symbolize};
    l->rc = gl_gotrace_import(in, &opt, &l->result, &l->err);
    golines_free(t.lines);
    gl_dict_destroy(dict);
    gl_input_close(in);
}

void v1lines_free(v1lines *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
    l->at = NULL;
    l->n = 0;
}

void v1lines_expect(const v1lines *l, const char *const *want)
{
    if (l->rc != 0)
        fail_msg("import: %s", l->err.text);
    size_t i = 0;
    for (; want[i]; i++)
        if (i >= l->n || strcmp(l->at[i], want[i]) != 0)
            fail_msg("line %zu\nwant %s\ngot  %s", i, want[i], i < l->n ? l->at[i] : "(end)");
    if (i < l->n)
        fail_msg("line %zu\nwant (end)\ngot  %s", i, l->at[i]);
    assert_int_equal(l->result.events, l->n);
}

v1lines v1file_expect(v1file *f, const char *const *want)
{
    v1lines l;
    v1lines_import(&l, f->bytes, f->n, NULL);
    v1lines_expect(&l, want);
    v1file_free(f);
    return l;
}
