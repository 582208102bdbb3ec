/*
 * Any bytes as what people type: times, numbers, lists of event names, regular expressions, whole command lines; and as
 * the texts of a trace, on their way to a terminal or into JSON.
 */
#include "args.h"
#include "filter.h"
#include "out.h"
#include "pprof_fetch.h"
#include "sniff.h"
#include "text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held, const char *what)
{
    if (!held) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static void values(const char *text)
{
    int64_t ns = 0;
    uint64_t number = 0;
    char again[64], why[400], url[4096];
    if (cli_time_parse(text, &ns))
        must(ns >= 0, "a time below zero");
    if (cli_number_parse(text, &number)) {
        while (text[0] == '0' && text[1])
            text++;
        snprintf(again, sizeof again, "%llu", (unsigned long long)number);
        must(strcmp(text, again) == 0, "a number that is not what was typed");
    }
    cli_types types = {0};
    if (cli_types_add(&types, text, why, sizeof why) < 0)
        must(strlen(why) > 0 && !strchr(why, '\n'), "a refusal without a sentence");
    gl_pprof_address(text, 5, url, sizeof url);
}

static void pattern(const char *regex, const char *text, size_t n)
{
    char why[300] = "";
    /* Long expressions are slow to compile, which is the caller's own business. */
    if (strlen(regex) > 200)
        return;
    gl_pattern *p = gl_pattern_new(regex, n & 1, why, sizeof why);
    must(p || *why, "an expression refused without a reason");
    if (p)
        gl_pattern_matches(p, text, n < 2000 ? n : 2000);
    gl_pattern_destroy(p);
}

/* An expression, and a few events that are all about its own words. */
static void expression(const char *text, size_t n)
{
    gl_query_error err;
    gl_dict *d = gl_dict_new();
    gl_query *q = strlen(text) < 400 ? gl_query_new(text, &err) : NULL;
    uint32_t id = 0;
    must(d != NULL, "no memory");
    if (!q) {
        must(strlen(text) >= 400 || (err.at <= strlen(text) && *err.text && !strchr(err.text, '\n')), "refused without a place");
        gl_dict_destroy(d);
        return;
    }
    must(gl_dict_string(d, text, n < 100 ? n : 100, &id) == 0, "no string");
    for (unsigned i = 0; i < 64; i++) {
        gl_event ev = {.time = i * 1000, .g = i % 5, .p = i % 2, .type = (uint16_t)((i * 7 + n) % 80)};
        for (unsigned k = 0; k < GL_EVENT_ARGS_MAX; k++)
            ev.arg[k] = (i + k) % 3 ? id : i % 7;
        must(gl_query_event(q, d, &ev) >= 0, "an event refused");
    }
    size_t at = 0;
    uint64_t g;
    for (int i = 0; gl_query_open(q, d, 64000, &at, &g); i++)
        must(i < 64, "open goroutines without an end");
    gl_query_destroy(q);
    gl_dict_destroy(d);
}

static void check_safe(const gl_text *t)
{
    for (size_t i = 0; i < t->n; i++)
        must((unsigned char)t->bytes[i] >= 0x20 && t->bytes[i] != 0x7f, "a control character got through");
}

static void texts(const char *s, size_t n)
{
    gl_text t = {0};
    gl_text_safe(&t, s, n);
    check_safe(&t);
    for (size_t width = 0; width < 40; width += 13)
        for (int cut = GL_CUT_END; cut <= GL_CUT_MIDDLE; cut++) {
            gl_text_clear(&t);
            gl_text_cell(&t, s, n, width, GL_ALIGN_LEFT, (gl_text_cut)cut);
            must(gl_text_width(t.bytes ? t.bytes : "", t.n) == width, "a cell of another width");
            check_safe(&t);
        }
    gl_text_clean_up(&t);
    must(*cli_sniff(s, n) != '\0', "nothing said of it");
}

static void json(const char *s, size_t n)
{
    static cli_out out;
    static int null = -1;
    if (null < 0)
        null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    cli_out_init(&out, null);
    cli_out_json_string(&out, s, n < 4000 ? n : 4000);
    must(out.n >= 2 && out.buffer[0] == '"' && out.buffer[out.n - 1] == '"', "no quotes");
    for (size_t i = 1; i + 1 < out.n; i++) {
        unsigned char c = (unsigned char)out.buffer[i];
        must(c >= 0x20, "a raw control character in JSON");
        must(c != '"', "a raw quote in JSON");
        if (c == '\\')
            i++;
    }
    cli_out_drop(&out);
}

/* Words, separated by newlines, for the command that the first byte chooses. Refusals are printed: to nowhere. */
static void command_line(const char *text, size_t n)
{
    static FILE *nowhere;
    FILE *aside = stderr;
    char *words[34], *copy = malloc(n + 1);
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    must(copy && nowhere, "no memory");
    memcpy(copy, text, n);
    copy[n] = '\0';
    const cli_command *command = cli_commands[(unsigned char)copy[0] % cli_command_count];
    int argc = 0;
    words[argc++] = copy;
    for (char *w = strtok(copy + (n > 0), "\n"); w && argc < 33; w = strtok(NULL, "\n"))
        words[argc++] = w;
    words[argc] = NULL;
    cli_args args;
    stderr = nowhere; /* an object in glibc; what a fuzzer itself says still comes through */
    if (cli_args_parse(command, argc, words, &args) == 0) {
        must(cli_args_has(&args, CLI_OPT_HELP) || args.operand_count >= command->operands_min, "too few operands");
        cli_filter f;
        if (strcmp(command->name, "events") == 0 && strlen(cli_args_text(&args, CLI_OPT_GREP, "")) < 200 &&
            cli_filter_init(&f, &args) == 0)
            cli_filter_clean_up(&f);
        cli_args_clean_up(&args);
    }
    stderr = aside;
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1);
    must(text != NULL, "no memory");
    if (n)
        memcpy(text, data, n);
    text[n] = '\0';
    size_t line = strcspn(text, "\n");
    texts(text, n);
    json(text, n);
    command_line(text, n);
    if (text[line] == '\n') {
        text[line] = '\0';
        expression(text, line);
        pattern(text, text + line + 1, n - line - 1);
    }
    values(text);
    expression(text, strlen(text));
    free(text);
    return 0;
}
