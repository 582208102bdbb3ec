#include "pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A sane expression needs a few steps for each byte; one that needs more than this counts as not matching. */
#define STEPS_MAX 1000000

enum { NOT_ASKED, NO, YES };

typedef struct answers {
    unsigned char *of;
    size_t n;
} answers;

struct gl_pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    answers strings, stacks;
    unsigned char types[GL_EV_LIMIT];
};

static bool has_capital(const char *s)
{
    for (; *s; s++) {
        if (*s == '\\' && s[1])
            s++;
        else if (isupper((unsigned char)*s))
            return true;
    }
    return false;
}

gl_pattern *gl_pattern_new(const char *regex, char *why, size_t why_size)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    gl_pattern *p = calloc(1, sizeof *p);
    uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | (has_capital(regex) ? 0 : PCRE2_CASELESS);
    if (p)
        p->code = pcre2_compile((PCRE2_SPTR)regex, strlen(regex), options, &error, &at, NULL);
    if (p && !p->code) {
        char text[160] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
        snprintf(why, why_size, "wrong at character %zu: %s", (size_t)at + 1, text);
        gl_pattern_destroy(p);
        return NULL;
    }
    if (p) {
        pcre2_jit_compile(p->code,
                          PCRE2_JIT_COMPLETE); /* where the system forbids it, matching is slower, not different */
        p->match = pcre2_match_data_create(1, NULL);
        p->context = pcre2_match_context_create(NULL);
    }
    if (!p || !p->match || !p->context) {
        snprintf(why, why_size, "no memory is left");
        gl_pattern_destroy(p);
        return NULL;
    }
    pcre2_set_match_limit(p->context, STEPS_MAX);
    return p;
}

void gl_pattern_destroy(gl_pattern *p)
{
    if (!p)
        return;
    pcre2_match_context_free(p->context);
    pcre2_match_data_free(p->match);
    pcre2_code_free(p->code);
    free(p->strings.of);
    free(p->stacks.of);
    free(p);
}

bool gl_pattern_matches(gl_pattern *p, const char *text, size_t n)
{
    return pcre2_match(p->code, (PCRE2_SPTR)text, n, 0, 0, p->match, p->context) >= 0;
}

/* Where the answer for an id stands; NULL for ids that the dictionary does not have, or without memory. */
static unsigned char *answer_at(answers *a, uint32_t id, uint32_t count)
{
    if (id >= count)
        return NULL;
    if (id >= a->n) {
        size_t n = (size_t)count + count / 2 + 64;
        unsigned char *of = realloc(a->of, n);
        if (!of)
            return NULL;
        memset(of + a->n, NOT_ASKED, n - a->n);
        a->of = of;
        a->n = n;
    }
    return &a->of[id];
}

bool gl_pattern_string(gl_pattern *p, const gl_dict *d, uint32_t id)
{
    unsigned char *answer = id ? answer_at(&p->strings, id, gl_dict_string_count(d)) : NULL;
    if (answer && *answer == NOT_ASKED) {
        size_t n;
        const char *text = gl_dict_text(d, id, &n);
        *answer = gl_pattern_matches(p, text, n) ? YES : NO;
    }
    return answer && *answer == YES;
}

static bool any_frame(gl_pattern *p, const gl_dict *d, uint32_t stack)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(d, stack, &n);
    for (size_t i = 0; i < n; i++) {
        gl_func f = gl_dict_get_func(d, gl_dict_get_frame(d, frames[i]).func);
        if (gl_pattern_string(p, d, f.name) || gl_pattern_string(p, d, f.file))
            return true;
    }
    return false;
}

bool gl_pattern_stack(gl_pattern *p, const gl_dict *d, uint32_t id)
{
    unsigned char *answer = id ? answer_at(&p->stacks, id, gl_dict_stack_count(d)) : NULL;
    if (answer && *answer == NOT_ASKED)
        *answer = any_frame(p, d, id) ? YES : NO;
    return answer && *answer == YES;
}

static bool type_matches(gl_pattern *p, unsigned type, const gl_event_info *info)
{
    if (p->types[type] == NOT_ASKED)
        p->types[type] = gl_pattern_matches(p, info->name, strlen(info->name)) ? YES : NO;
    return p->types[type] == YES;
}

bool gl_pattern_event(gl_pattern *p, const gl_dict *d, const gl_event *ev)
{
    const gl_event_info *info = ev->type < GL_EV_LIMIT ? gl_event_lookup(ev->type) : NULL;
    if (info && type_matches(p, ev->type, info))
        return true;
    for (unsigned i = 0; info && i < info->arg_count; i++) {
        if (info->args[i].kind == GL_KIND_STRING && gl_pattern_string(p, d, (uint32_t)ev->arg[i]))
            return true;
        if (info->args[i].kind == GL_KIND_STACK && gl_pattern_stack(p, d, (uint32_t)ev->arg[i]))
            return true;
    }
    return ev->stack && gl_pattern_stack(p, d, ev->stack);
}
