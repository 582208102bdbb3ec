/* From an expression's text to its tests. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "query.h"

#define DEPTH_MAX 64
#define VALUE_MAX 512

typedef enum value_kind { NUMBER, TIME, TEXT, WORD, TYPE } value_kind;

static const struct {
    const char *name;
    value_kind kind;
    bool past;
} fields[] = {
#define GL_FIELD(id, word, kind_, past_, help_) {word, kind_, past_},
#include "golanes_analysis/query.def"
#undef GL_FIELD
};
#define FIELDS (sizeof fields / sizeof *fields)

static const gl_query_field_info infos[] = {
#define GL_FIELD(id, word, kind_, past_, help_) {word, help_},
#include "golanes_analysis/query.def"
#undef GL_FIELD
};

const gl_query_field_info *gl_query_field_at(size_t i) { return i < FIELDS ? &infos[i] : NULL; }

typedef struct parser {
    const char *text, *at;
    gl_query *q;
    gl_query_error *err;
    int depth;
    bool failed;
} parser;

/* The first thing that is wrong is the one that is told. */
static uint32_t GL_PRINTF(3, 4) fail(parser *p, const char *at, const char *fmt, ...)
{
    if (!p->failed) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(p->err->text, sizeof p->err->text, fmt, ap);
        va_end(ap);
        p->err->at = (size_t)(at - p->text);
    }
    p->failed = true;
    return GL_NONE32;
}

static void skip_spaces(parser *p) { p->at += strspn(p->at, " \t\n"); }

static uint32_t add_node(parser *p, gl_node_kind kind, uint32_t left, uint32_t right)
{
    gl_query *q = p->q;
    if (p->failed)
        return GL_NONE32;
    if (GL_GROW(q->nodes, q->node_capacity, q->node_count + 1) < 0)
        return fail(p, p->at, "no memory is left for this expression");
    q->nodes[q->node_count] = (gl_node){(uint8_t)kind, left, right};
    return (uint32_t)q->node_count++;
}

/* A keyword is one only where a word ends there. */
static bool take_word(parser *p, const char *word)
{
    size_t n = strlen(word);
    skip_spaces(p);
    if (strncasecmp(p->at, word, n) != 0)
        return false;
    if (isalpha((unsigned char)*word) && p->at[n] && !strchr(" \t\n()", p->at[n]))
        return false;
    p->at += n;
    return true;
}

/* "quoted", where \" and \\ stand for themselves, or up to a space or the parenthesis that closes what is around it. */
static bool take_value(parser *p, char *out)
{
    size_t n = 0;
    const char *start = p->at;
    if (*p->at == '"') {
        for (p->at++; *p->at && *p->at != '"'; p->at++) {
            if (*p->at == '\\' && (p->at[1] == '"' || (p->at[1] == '\\' && p->at[2] == '"')))
                p->at++;
            if (n < VALUE_MAX - 1)
                out[n++] = *p->at;
        }
        if (*p->at++ != '"') {
            p->at--;
            fail(p, start, "the quote that begins here has no end");
            return false;
        }
    } else {
        int inner = 0;
        for (; *p->at && !strchr(" \t\n", *p->at); p->at++) {
            if (*p->at == '\\' && p->at[1] && !strchr(" \t\n", p->at[1]) && n < VALUE_MAX - 1)
                out[n++] = *p->at++;
            else if (*p->at == '(')
                inner++;
            else if (*p->at == ')' && inner-- == 0)
                break;
            if (n < VALUE_MAX - 1)
                out[n++] = *p->at;
        }
    }
    out[n] = '\0';
    if (n == VALUE_MAX - 1)
        fail(p, start, "this value is too long");
    return !p->failed;
}

static const struct {
    const char *sign;
    gl_compare compare;
} signs[] = {{"!=", GL_IS_NOT}, {"!~", GL_NOT_LIKE}, {"<=", GL_AT_MOST}, {">=", GL_AT_LEAST}, {"==", GL_IS},
             {"=~", GL_LIKE},   {"=", GL_IS},        {"~", GL_LIKE},     {"<", GL_BELOW},    {">", GL_ABOVE}};

static bool take_sign(parser *p, gl_compare *out)
{
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(p->at, signs[i].sign, strlen(signs[i].sign)) == 0) {
            p->at += strlen(signs[i].sign);
            *out = signs[i].compare;
            return true;
        }
    return false;
}

static bool read_number(const char *s, uint64_t *out)
{
    char *end;
    if (*s == 'G' || *s == 'g' || *s == 'P' || *s == 'p' || *s == 'M' || *s == 'm')
        s++;
    if (!isxdigit((unsigned char)*s))
        return false;
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    *out = strtoull(s, &end, hex ? 16 : 10);
    return *end == '\0';
}

static bool read_time(const char *s, int64_t *out)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    char *end;
    if (!isdigit((unsigned char)*s) && *s != '.')
        return false;
    double v = strtod(s, &end);
    if (strcmp(s, "0") == 0) {
        *out = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0 && v * units[i].ns < 9e18) {
            *out = (int64_t)(v * units[i].ns + 0.5);
            return true;
        }
    return false;
}

static bool read_state(const char *s, uint8_t *out)
{
    static const struct {
        const char *word;
        uint8_t state;
    } words[] = {{"running", GL_G_RUNNING}, {"runnable", GL_G_RUNNABLE}, {"blocked", GL_G_WAITING},
                 {"waiting", GL_G_WAITING}, {"syscall", GL_G_SYSCALL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(s, words[i].word) == 0) {
            *out = words[i].state;
            return true;
        }
    return false;
}

static bool set_pattern(parser *p, gl_test *t, const char *at, const char *value, bool like)
{
    char why[200];
    unsigned options = like ? GL_PATTERN_SMART_CASE : GL_PATTERN_EXACT;
    options |= t->field == GL_FIELD_FUNC ? GL_PATTERN_FUNCS : t->field == GL_FIELD_FILE ? GL_PATTERN_FILES : 0;
    t->pattern = gl_pattern_new(value, options, why, sizeof why);
    if (!t->pattern)
        fail(p, at, "%s", why);
    return t->pattern != NULL;
}

static bool set_types(parser *p, gl_test *t, const char *at, const char *value, bool like)
{
    bool any = false;
    char why[200];
    gl_pattern *pattern = like ? gl_pattern_new(value, GL_PATTERN_IGNORE_CASE, why, sizeof why) : NULL;
    if (like && !pattern)
        fail(p, at, "%s", why);
    for (unsigned code = 1; code < GL_EV_LIMIT && !p->failed; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        if (!info)
            continue;
        if (like)
            t->types[code] = gl_pattern_matches(pattern, info->name, strlen(info->name)) ||
                             gl_pattern_matches(pattern, info->operation, strlen(info->operation));
        else
            t->types[code] = strcasecmp(info->name, value) == 0 || strcasecmp(info->operation, value) == 0;
        any = any || t->types[code];
    }
    gl_pattern_destroy(pattern);
    if (!any)
        fail(p, at, "there is no event %.60s; golanes-format(5) lists them all", value);
    return any;
}

static bool set_value(parser *p, gl_test *t, const char *at, const char *value)
{
    value_kind k = fields[t->field].kind;
    const char *name = fields[t->field].name;
    bool like = t->compare == GL_LIKE || t->compare == GL_NOT_LIKE, ordered = t->compare >= GL_BELOW;
    if (like && k != TEXT && k != TYPE)
        return fail(p, at, "%s is no text, so ~ has no meaning for it", name) == 0;
    if (ordered && k != NUMBER && k != TIME)
        return fail(p, at, "%s is no quantity: it takes = != ~ !~", name) == 0;
    switch (k) {
    case NUMBER: return read_number(value, &t->number) || fail(p, at, "%s takes a number, not %.60s", name, value) == 0;
    case TIME:
        return read_time(value, &t->time) || fail(p, at, "%s takes a time with its unit, such as 5ms, not %.60s", name, value) == 0;
    case WORD:
        return read_state(value, &t->state) ||
               fail(p, at, "%s is running, runnable, blocked or syscall, not %.60s", name, value) == 0;
    case TYPE: return set_types(p, t, at, value, like);
    default: return set_pattern(p, t, at, value, like);
    }
}

static gl_test *add_test(parser *p)
{
    gl_query *q = p->q;
    if (GL_GROW(q->tests, q->test_capacity, q->test_count + 1) < 0) {
        fail(p, p->at, "no memory is left for this expression");
        return NULL;
    }
    gl_test *t = &q->tests[q->test_count];
    memset(t, 0, sizeof *t);
    return t;
}

static bool ends_a_value(char c) { return c == '\0' || strchr(" \t\n)", c) != NULL; }

/* field, sign, value. False where no field stands here. */
static bool parse_field_test(parser *p, gl_test *t)
{
    const char *start = p->at;
    size_t n = 0;
    gl_compare compare;
    char value[VALUE_MAX];
    while (isalpha((unsigned char)start[n]))
        n++;
    p->at = start + n;
    skip_spaces(p);
    if (n == 0 || !take_sign(p, &compare)) {
        p->at = start;
        return false;
    }
    for (t->field = 0; t->field < FIELDS; t->field++)
        if (strlen(fields[t->field].name) == n && strncasecmp(fields[t->field].name, start, n) == 0)
            break;
    if (t->field == FIELDS) {
        fail(p, start, "there is no field %.*s: type time dur state reason g creator start func file text p m chan task",
             (int)(n < 40 ? n : 40), start);
        return true;
    }
    t->compare = (uint8_t)compare;
    skip_spaces(p);
    const char *at = p->at;
    if (ends_a_value(*at)) {
        fail(p, at, "%s lacks its value", fields[t->field].name);
        return true;
    }
    if (take_value(p, value))
        set_value(p, t, at, value);
    p->q->past = p->q->past || fields[t->field].past;
    return true;
}

static uint32_t parse_test(parser *p)
{
    gl_test *t = add_test(p);
    const char *start = p->at;
    char value[VALUE_MAX];
    if (!t)
        return GL_NONE32;
    if (!parse_field_test(p, t)) {
        t->field = GL_FIELD_WORD;
        t->compare = GL_LIKE;
        if (take_value(p, value))
            set_pattern(p, t, start, value, true);
        if (!p->failed && (*value == 'G' || *value == 'g') && !read_number(value, &t->number))
            t->number = 0;
        p->q->past = true;
    }
    if (p->failed) {
        gl_pattern_destroy(t->pattern);
        return GL_NONE32;
    }
    p->q->test_count++;
    return add_node(p, GL_NODE_TEST, (uint32_t)(p->q->test_count - 1), 0);
}

static uint32_t parse_or(parser *p);

static uint32_t parse_not(parser *p)
{
    if (p->failed)
        return GL_NONE32;
    if (++p->depth > DEPTH_MAX)
        return fail(p, p->at, "this expression is nested too deeply");
    uint32_t node;
    skip_spaces(p);
    const char *start = p->at;
    if (take_word(p, "not") || (*p->at == '!' && take_word(p, "!"))) {
        node = add_node(p, GL_NODE_NOT, parse_not(p), 0);
    } else if (*p->at == '(') {
        p->at++;
        node = parse_or(p);
        skip_spaces(p);
        if (!p->failed && *p->at != ')')
            fail(p, *p->at ? p->at : start, *p->at ? "a ) is expected here" : "this ( is not closed");
        p->at += *p->at == ')';
    } else if (!*p->at) {
        node = fail(p, p->at, p->at == p->text ? "the expression is empty" : "something is expected after this");
    } else if (*p->at == ')') {
        node = fail(p, p->at, "there is no ( for this )");
    } else {
        node = parse_test(p);
    }
    p->depth--;
    return node;
}

static uint32_t parse_and(parser *p)
{
    uint32_t node = parse_not(p);
    while (!p->failed) {
        const char *before;
        if (take_word(p, "&&") || take_word(p, "and")) {
            node = add_node(p, GL_NODE_AND, node, parse_not(p));
            continue;
        }
        skip_spaces(p);
        before = p->at;
        bool other = take_word(p, "or") || take_word(p, "||");
        p->at = before;
        if (other || !*p->at || *p->at == ')')
            break;
        node = add_node(p, GL_NODE_AND, node, parse_not(p));
    }
    return node;
}

static uint32_t parse_or(parser *p)
{
    uint32_t node = parse_and(p);
    while (!p->failed && (take_word(p, "or") || take_word(p, "||")))
        node = add_node(p, GL_NODE_OR, node, parse_and(p));
    return node;
}

gl_query *gl_query_new(const char *expression, gl_query_error *err)
{
    gl_query *q = calloc(1, sizeof *q);
    parser p = {.text = expression, .at = expression, .q = q, .err = err};
    *err = (gl_query_error){0};
    if (!q) {
        fail(&p, expression, "no memory is left for this expression");
        return NULL;
    }
    q->free_open = q->free_past = q->dying = GL_NONE32;
    q->root = parse_or(&p);
    skip_spaces(&p);
    if (!p.failed && *p.at)
        fail(&p, p.at, "there is no ( for this )");
    if (p.failed) {
        gl_query_destroy(q);
        return NULL;
    }
    return q;
}
