/*
 * A regular expression over the texts of a trace. A trace has many events and few texts, so each text is looked at once:
 * afterwards an event costs an array look-up.
 */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Steps for one text; a sane expression needs a few for each byte. */
#define STEPS_MAX 10000000
#define HEAP_KIB_MAX (64 * 1024)

enum { UNKNOWN = 0, NO = 1, YES = 2 };

typedef struct memo {
    unsigned char *answers;
    size_t n;
} memo;

struct cli_pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    memo strings, funcs, stacks;
    bool gave_up;
};

cli_pattern *cli_pattern_new(const char *regex, bool ignore_case, char *why, size_t why_size)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    cli_pattern *p = calloc(1, sizeof *p);
    if (!p) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | (ignore_case ? PCRE2_CASELESS : 0);
    p->code = pcre2_compile((PCRE2_SPTR)regex, strlen(regex), options, &error, &at, NULL);
    if (!p->code) {
        char text[200] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
        snprintf(why, why_size, "the regular expression is wrong at character %zu: %s", (size_t)at + 1, text);
        cli_pattern_destroy(p);
        return NULL;
    }
    /* Without JIT (a system that forbids it) matching is slower, not different. */
    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
    p->match = pcre2_match_data_create(1, NULL);
    p->context = pcre2_match_context_create(NULL);
    if (!p->match || !p->context) {
        snprintf(why, why_size, "no memory");
        cli_pattern_destroy(p);
        return NULL;
    }
    pcre2_set_match_limit(p->context, STEPS_MAX);
    pcre2_set_heap_limit(p->context, HEAP_KIB_MAX);
    return p;
}

void cli_pattern_destroy(cli_pattern *p)
{
    if (!p)
        return;
    pcre2_match_context_free(p->context);
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    free(p->strings.answers);
    free(p->funcs.answers);
    free(p->stacks.answers);
    free(p);
}

bool cli_pattern_gave_up(const cli_pattern *p)
{
    return p->gave_up;
}

bool cli_pattern_text(cli_pattern *p, const char *text, size_t n)
{
    int rc = pcre2_match(p->code, (PCRE2_SPTR)text, n, 0, 0, p->match, p->context);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        p->gave_up = true;
    return rc >= 0;
}

/* Where the answer for an id is kept; NULL for an id that the dictionary does not have, or without memory. */
static unsigned char *memo_at(memo *m, uint32_t id, uint32_t count)
{
    if (id >= count)
        return NULL;
    if (id >= m->n) {
        size_t n = (size_t)count + count / 2 + 64;
        unsigned char *answers = realloc(m->answers, n);
        if (!answers)
            return NULL;
        memset(answers + m->n, UNKNOWN, n - m->n);
        m->answers = answers;
        m->n = n;
    }
    return &m->answers[id];
}

bool cli_pattern_string(cli_pattern *p, const gl_dict *d, uint32_t id)
{
    unsigned char *answer = id ? memo_at(&p->strings, id, gl_dict_string_count(d)) : NULL;
    if (!answer)
        return false;
    if (*answer == UNKNOWN) {
        size_t n;
        const char *text = gl_dict_text(d, id, &n);
        *answer = cli_pattern_text(p, text, n) ? YES : NO;
    }
    return *answer == YES;
}

static bool func_matches(cli_pattern *p, const gl_dict *d, uint32_t id)
{
    unsigned char *answer = id ? memo_at(&p->funcs, id, gl_dict_func_count(d)) : NULL;
    if (!answer)
        return false;
    if (*answer == UNKNOWN) {
        gl_func f = gl_dict_get_func(d, id);
        *answer = cli_pattern_string(p, d, f.name) || cli_pattern_string(p, d, f.file) ? YES : NO;
    }
    return *answer == YES;
}

bool cli_pattern_stack(cli_pattern *p, const gl_dict *d, uint32_t id)
{
    unsigned char *answer = id ? memo_at(&p->stacks, id, gl_dict_stack_count(d)) : NULL;
    if (!answer)
        return false;
    if (*answer == UNKNOWN) {
        size_t n;
        const uint32_t *frames = gl_dict_get_stack(d, id, &n);
        *answer = NO;
        for (size_t i = 0; i < n && *answer == NO; i++)
            if (func_matches(p, d, gl_dict_get_frame(d, frames[i]).func))
                *answer = YES;
    }
    return *answer == YES;
}
