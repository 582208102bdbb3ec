#include "golanes_analysis/pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Steps for one text; a sane expression needs a few for each byte. */
#define STEPS_MAX 1000000
#define HEAP_KIB_MAX (64 * 1024)

enum { NOT_ASKED, NO, YES };

typedef struct answers {
    unsigned char *of;
    size_t n;
} answers;

struct gl_pattern {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    answers strings, funcs, stacks;
    unsigned char types[GL_EV_LIMIT];
    unsigned options;
    bool gave_up;
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

static uint32_t compile_options(const char *regex, unsigned options)
{
    bool ignore = (options & GL_PATTERN_IGNORE_CASE) || ((options & GL_PATTERN_SMART_CASE) && !has_capital(regex));
    uint32_t out = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | (ignore ? PCRE2_CASELESS : 0);
    if (options & GL_PATTERN_EXACT)
        return out | PCRE2_LITERAL | PCRE2_ANCHORED | PCRE2_ENDANCHORED;
    return out | PCRE2_NEVER_BACKSLASH_C;
}

gl_pattern *gl_pattern_new(const char *regex, unsigned options, char *why, size_t why_size)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    gl_pattern *p = calloc(1, sizeof *p);
    if (p)
        p->code = pcre2_compile((PCRE2_SPTR)regex, strlen(regex), compile_options(regex, options), &error, &at, NULL);
    if (p && !p->code) {
        char text[160] = "";
        pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof text);
        snprintf(why, why_size, "the regular expression is wrong at character %zu: %s", (size_t)at + 1, text);
        gl_pattern_destroy(p);
        return NULL;
    }
    if (p) {
        /* Where the system forbids it, matching is slower, not different. */
        pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
        p->match = pcre2_match_data_create(1, NULL);
        p->context = pcre2_match_context_create(NULL);
    }
    if (!p || !p->match || !p->context) {
        snprintf(why, why_size, "no memory");
        gl_pattern_destroy(p);
        return NULL;
    }
    p->options = options;
    pcre2_set_match_limit(p->context, STEPS_MAX);
    pcre2_set_heap_limit(p->context, HEAP_KIB_MAX);
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
    free(p->funcs.of);
    free(p->stacks.of);
    free(p);
}

bool gl_pattern_gave_up(const gl_pattern *p) { return p->gave_up; }

bool gl_pattern_matches(gl_pattern *p, const char *text, size_t n)
{
    int rc = pcre2_match(p->code, (PCRE2_SPTR)text, n, 0, 0, p->match, p->context);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        p->gave_up = true;
    return rc >= 0;
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

static bool func_matches(gl_pattern *p, const gl_dict *d, uint32_t id)
{
    unsigned char *answer = id ? answer_at(&p->funcs, id, gl_dict_func_count(d)) : NULL;
    if (answer && *answer == NOT_ASKED) {
        gl_func f = gl_dict_get_func(d, id);
        bool name = !(p->options & GL_PATTERN_FILES) && gl_pattern_string(p, d, f.name);
        *answer = name || (!(p->options & GL_PATTERN_FUNCS) && gl_pattern_string(p, d, f.file)) ? YES : NO;
    }
    return answer && *answer == YES;
}

bool gl_pattern_stack(gl_pattern *p, const gl_dict *d, uint32_t id)
{
    unsigned char *answer = id ? answer_at(&p->stacks, id, gl_dict_stack_count(d)) : NULL;
    if (answer && *answer == NOT_ASKED) {
        size_t n;
        const uint32_t *frames = gl_dict_get_stack(d, id, &n);
        *answer = NO;
        for (size_t i = 0; i < n && *answer == NO; i++)
            if (func_matches(p, d, gl_dict_get_frame(d, frames[i]).func))
                *answer = YES;
    }
    return answer && *answer == YES;
}

/* Ids come from a file and may be wider than the tables'. */
static uint32_t id_of(uint64_t arg) { return arg > UINT32_MAX ? 0 : (uint32_t)arg; }

bool gl_pattern_texts(gl_pattern *p, const gl_dict *d, const gl_event *ev)
{
    if (ev->stack && gl_pattern_stack(p, d, ev->stack))
        return true;
    const gl_event_info *info = ev->type < GL_EV_LIMIT ? gl_event_lookup(ev->type) : NULL;
    for (unsigned i = 0; info && i < info->arg_count; i++) {
        if (info->args[i].kind == GL_KIND_STRING && gl_pattern_string(p, d, id_of(ev->arg[i])))
            return true;
        if (info->args[i].kind == GL_KIND_STACK && gl_pattern_stack(p, d, id_of(ev->arg[i])))
            return true;
    }
    return false;
}

bool gl_pattern_event(gl_pattern *p, const gl_dict *d, const gl_event *ev)
{
    const gl_event_info *info = ev->type < GL_EV_LIMIT ? gl_event_lookup(ev->type) : NULL;
    if (info && p->types[ev->type] == NOT_ASKED)
        p->types[ev->type] = gl_pattern_matches(p, info->name, strlen(info->name)) ? YES : NO;
    return (info && p->types[ev->type] == YES) || gl_pattern_texts(p, d, ev);
}
