#include "check_expr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define DEPTH_MAX 64
#define WORD_MAX 200

typedef struct reading {
    const char *text, *at;
    cli_ask_fn ask;
    void *user;
    cli_checked *out;
    bool failed;
    unsigned depth;
} reading;

static const char *const measure_names[] = {"a number", "a time", "a number of bytes", "a share", "a comparison"};

static cli_value fail(reading *r, const char *from, size_t n, cli_verdict verdict, const char *why)
{
    if (!r->failed) {
        r->failed = true;
        r->out->verdict = verdict;
        r->out->at = (size_t)(from - r->text);
        r->out->n = n ? n : 1;
        snprintf(r->out->why, sizeof r->out->why, "%s", why);
    }
    return (cli_value){CLI_NUMBER_OF, 0};
}

static void skip_space(reading *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* The next thing is this sign, or this word: takes it. */
static bool take(reading *r, const char *what)
{
    skip_space(r);
    size_t n = strlen(what);
    if (strncmp(r->at, what, n) != 0 || (is_word(what[0]) && is_word(r->at[n])))
        return false;
    r->at += n;
    return true;
}

static cli_value either(reading *r);

/* --- numbers --- */

static const struct {
    const char *name;
    cli_measure measure;
    double scale;
} units[] = {
    {"ns", CLI_TIME_OF, 1},           {"us", CLI_TIME_OF, 1e3},        {"µs", CLI_TIME_OF, 1e3},
    {"ms", CLI_TIME_OF, 1e6},         {"s", CLI_TIME_OF, 1e9},         {"m", CLI_TIME_OF, 6e10},
    {"h", CLI_TIME_OF, 3.6e12},       {"%", CLI_SHARE_OF, 0.01},       {"B", CLI_BYTES_OF, 1},
    {"KiB", CLI_BYTES_OF, 1024},      {"MiB", CLI_BYTES_OF, 1048576.0}, {"GiB", CLI_BYTES_OF, 1073741824.0},
    {"KB", CLI_BYTES_OF, 1e3},        {"MB", CLI_BYTES_OF, 1e6},       {"GB", CLI_BYTES_OF, 1e9},
};

static cli_value number(reading *r)
{
    const char *from = r->at;
    char digits[64], why[120];
    size_t n = strspn(from, "0123456789_.");
    size_t k = 0;
    for (size_t i = 0; i < n && k + 1 < sizeof digits; i++) {
        if (from[i] != '_')
            digits[k++] = from[i];
    }
    digits[k] = 0;
    char *end;
    double x = strtod(digits, &end);
    if (*end || k + 1 == sizeof digits)
        return fail(r, from, n, CLI_CHECK_WRONG, "this is no number");
    r->at += n;
    size_t word = 0;
    while (r->at[word] && (is_word(r->at[word]) || r->at[word] == '%' || (unsigned char)r->at[word] >= 0x80))
        word++;
    if (!word)
        return (cli_value){CLI_NUMBER_OF, x};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i].name) == word && strncmp(r->at, units[i].name, word) == 0) {
            r->at += word;
            return (cli_value){units[i].measure, x * units[i].scale};
        }
    }
    snprintf(why, sizeof why, "there is no unit '%.*s': ns, us, ms, s, m, h, %%, B, KiB, MiB and GiB are",
             (int)(word > 20 ? 20 : word), r->at);
    return fail(r, r->at, word, CLI_CHECK_WRONG, why);
}

/* --- figures --- */

static void word(reading *r, char *out)
{
    size_t n = 0;
    while (is_word(r->at[n]) && n + 1 < WORD_MAX)
        n++;
    memcpy(out, r->at, n);
    out[n] = 0;
    r->at += n;
}

/* A text in double or single quotes. */
static bool quoted(reading *r, char *out)
{
    skip_space(r);
    char quote = *r->at;
    const char *from = r->at;
    if (quote != '"' && quote != '\'')
        return false;
    const char *end = strchr(r->at + 1, quote);
    size_t n = end ? (size_t)(end - r->at) - 1 : 0;
    if (!end || n + 1 >= WORD_MAX) {
        fail(r, from, strlen(from), CLI_CHECK_WRONG, end ? "this text is too long" : "this text has no end");
        return true;
    }
    memcpy(out, r->at + 1, n);
    out[n] = 0;
    r->at = end + 1;
    return true;
}

/* Where the parts of a question stand. */
typedef struct places {
    const char *from, *name, *argument;
    size_t argument_n;
} places;

static cli_value ask(reading *r, const places *at, cli_question *q)
{
    char why[300] = "";
    cli_value v = {CLI_NUMBER_OF, 0};
    const char *from = at->from, *part = NULL;
    if (r->failed)
        return v;
    size_t n = (size_t)(r->at - from);
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    q->wrong = &part;
    cli_asked asked = r->ask(r->user, q, &v, why, sizeof why);
    if (asked == CLI_ASKED_WRONG && part)
        return fail(r, part == q->argument ? at->argument : part == q->name ? at->name : from,
                    part == q->argument ? at->argument_n : strlen(part), CLI_CHECK_WRONG, why);
    if (asked != CLI_ASKED_OK)
        return fail(r, from, n, asked == CLI_ASKED_WRONG ? CLI_CHECK_WRONG : CLI_CHECK_NOT_KNOWN, why);
    if (r->out->figure_count < CLI_CHECK_FIGURES_MAX)
        r->out->figures[r->out->figure_count++] = (cli_figure){(size_t)(from - r->text), n, v};
    return v;
}

/* A text in quotes, or a length of time without them: mmu(10ms). False: there is none. */
static bool argument_of(reading *r, char *out, places *at)
{
    skip_space(r);
    at->argument = r->at;
    size_t n = 0;
    while (isdigit((unsigned char)*r->at) && (is_word(r->at[n]) || r->at[n] == '.' || (unsigned char)r->at[n] >= 0x80) && n + 1 < WORD_MAX)
        n++;
    memcpy(out, r->at, n);
    out[n] = 0;
    r->at += n;
    bool there = n || quoted(r, out);
    at->argument_n = (size_t)(r->at - at->argument);
    return there;
}

/* name, name("argument"), function(name), function(name("argument")) */
static cli_value figure(reading *r)
{
    char first[WORD_MAX], second[WORD_MAX] = "", argument[WORD_MAX];
    places at = {.from = r->at, .name = r->at};
    cli_question q = {.function = "", .name = first};
    word(r, first);
    if (!take(r, "("))
        return ask(r, &at, &q);
    if (argument_of(r, argument, &at)) {
        q.argument = argument;
    } else {
        at.name = r->at;
        word(r, second);
        if (!*second)
            return fail(r, at.name, 1, CLI_CHECK_WRONG, "a name, or a text in quotes, is missing here");
        q.function = first;
        q.name = second;
        if (take(r, "(")) {
            if (!argument_of(r, argument, &at))
                return fail(r, r->at, 1, CLI_CHECK_WRONG, "a text in quotes is missing here");
            q.argument = argument;
            if (!take(r, ")"))
                return fail(r, r->at, 1, CLI_CHECK_WRONG, "a ) is missing here");
        }
    }
    if (!take(r, ")"))
        return fail(r, r->at, 1, CLI_CHECK_WRONG, "a ) is missing here");
    return ask(r, &at, &q);
}

/* --- operators --- */

static cli_value factor(reading *r)
{
    skip_space(r);
    const char *from = r->at;
    if (r->failed || ++r->depth > DEPTH_MAX)
        return fail(r, from, 1, CLI_CHECK_WRONG, "this is nested too deeply");
    cli_value v;
    if (take(r, "(")) {
        v = either(r);
        if (!take(r, ")"))
            v = fail(r, r->at, 1, CLI_CHECK_WRONG, "a ) is missing here");
    } else if (isdigit((unsigned char)*r->at) || *r->at == '.') {
        v = number(r);
    } else if (take(r, "-")) {
        v = factor(r);
        v.x = -v.x;
    } else if (isalpha((unsigned char)*r->at)) {
        v = figure(r);
    } else {
        v = fail(r, from, 1, CLI_CHECK_WRONG, *from ? "a figure or a number is missing here" : "a figure or a number is missing at the end");
    }
    r->depth--;
    return v;
}

static cli_value scaled(reading *r, cli_value a, cli_value b, bool divide, const char *from)
{
    size_t n = (size_t)(r->at - from);
    if (a.measure == CLI_TRUTH_OF || b.measure == CLI_TRUTH_OF)
        return fail(r, from, n, CLI_CHECK_WRONG, "a comparison cannot be multiplied or divided");
    bool plain = b.measure == CLI_NUMBER_OF || b.measure == CLI_SHARE_OF;
    if (divide) {
        if (!plain && a.measure != b.measure)
            return fail(r, from, n, CLI_CHECK_WRONG, "these two cannot be divided");
        if (b.x == 0)
            return fail(r, from, n, CLI_CHECK_NOT_KNOWN, "this divides by zero");
        return (cli_value){plain ? a.measure : CLI_NUMBER_OF, a.x / b.x};
    }
    if (!plain && a.measure != CLI_NUMBER_OF && a.measure != CLI_SHARE_OF)
        return fail(r, from, n, CLI_CHECK_WRONG, "these two cannot be multiplied");
    return (cli_value){plain ? a.measure : b.measure, a.x * b.x};
}

static cli_value term(reading *r)
{
    skip_space(r);
    const char *from = r->at;
    cli_value a = factor(r);
    for (;;) {
        bool divide = take(r, "/");
        if (r->failed || (!divide && !take(r, "*")))
            return a;
        cli_value b = factor(r);
        a = scaled(r, a, b, divide, from);
    }
}

/* Numbers and shares are one another's; 0 is anything's. */
static bool alike(const cli_value *a, const cli_value *b)
{
    bool plain_a = a->measure == CLI_NUMBER_OF || a->measure == CLI_SHARE_OF;
    bool plain_b = b->measure == CLI_NUMBER_OF || b->measure == CLI_SHARE_OF;
    return a->measure == b->measure || (plain_a && plain_b);
}

static bool is_zero(const cli_value *v) { return v->measure == CLI_NUMBER_OF && v->x == 0; }

static void demand_alike(reading *r, cli_value a, const char *a_at, cli_value b, const char *b_at)
{
    char why[200];
    if (r->failed || alike(&a, &b) || (is_zero(&b) && a.measure != CLI_TRUTH_OF) ||
        (is_zero(&a) && b.measure != CLI_TRUTH_OF && a_at && isdigit((unsigned char)*a_at)))
        return;
    bool unit = b.measure == CLI_NUMBER_OF;
    snprintf(why, sizeof why, "this is %s, and what stands before it %s%s", measure_names[b.measure], measure_names[a.measure],
             unit && a.measure == CLI_TIME_OF ? ": a unit is missing, such as ms" : unit && a.measure == CLI_BYTES_OF ? ": a unit is missing, such as MiB" : "");
    fail(r, b_at, (size_t)(r->at - b_at), CLI_CHECK_WRONG, why);
}

static cli_value sum(reading *r)
{
    skip_space(r);
    const char *a_at = r->at;
    cli_value a = term(r);
    for (;;) {
        bool minus = take(r, "-");
        if (r->failed || (!minus && !take(r, "+")))
            return a;
        skip_space(r);
        const char *b_at = r->at;
        cli_value b = term(r);
        demand_alike(r, a, a_at, b, b_at);
        a.x = minus ? a.x - b.x : a.x + b.x;
    }
}

static bool compare(unsigned how, double a, double b)
{
    switch (how) {
    case 0: return a <= b;
    case 1: return a >= b;
    case 2: return a == b;
    case 3: return a != b;
    case 4: return a < b;
    default: return a > b;
    }
}

static cli_value comparison(reading *r)
{
    static const char *const signs[] = {"<=", ">=", "==", "!=", "<", ">"};
    skip_space(r);
    const char *a_at = r->at;
    cli_value a = sum(r);
    unsigned how = 0;
    if (r->failed)
        return a;
    while (how < sizeof signs / sizeof *signs && !take(r, signs[how]))
        how++;
    if (how == sizeof signs / sizeof *signs) {
        if (*r->at == '=')
            return fail(r, r->at, 1, CLI_CHECK_WRONG, "equal is written ==");
        return a;
    }
    skip_space(r);
    const char *b_at = r->at;
    cli_value b = sum(r);
    demand_alike(r, a, a_at, b, b_at);
    return (cli_value){CLI_TRUTH_OF, compare(how, a.x, b.x)};
}

static cli_value demand_truth(reading *r, cli_value v, const char *from)
{
    if (r->failed || v.measure == CLI_TRUTH_OF)
        return v;
    while (r->at > from && isspace((unsigned char)r->at[-1]))
        r->at--;
    return fail(r, from, (size_t)(r->at - from), CLI_CHECK_WRONG, "this is not a comparison: one of < <= == != >= > is missing");
}

static cli_value negation(reading *r)
{
    skip_space(r);
    const char *from = r->at;
    if (r->failed || ++r->depth > DEPTH_MAX)
        return fail(r, from, 1, CLI_CHECK_WRONG, "this is nested too deeply");
    cli_value v;
    if (take(r, "not") || (*r->at == '!' && r->at[1] != '=' && take(r, "!"))) {
        const char *inner = r->at;
        v = demand_truth(r, negation(r), inner);
        v.x = v.x == 0;
    } else {
        v = comparison(r);
    }
    r->depth--;
    return v;
}

static cli_value both(reading *r)
{
    skip_space(r);
    const char *from = r->at;
    cli_value a = negation(r);
    while (!r->failed && (take(r, "and") || take(r, "&&"))) {
        demand_truth(r, a, from);
        skip_space(r);
        from = r->at;
        cli_value b = demand_truth(r, negation(r), from);
        a.x = a.x != 0 && b.x != 0;
    }
    return a;
}

static cli_value either(reading *r)
{
    skip_space(r);
    const char *from = r->at;
    cli_value a = both(r);
    while (!r->failed && (take(r, "or") || take(r, "||"))) {
        demand_truth(r, a, from);
        skip_space(r);
        from = r->at;
        cli_value b = demand_truth(r, both(r), from);
        a.x = a.x != 0 || b.x != 0;
    }
    return a;
}

void cli_check_eval(const char *expression, cli_ask_fn ask_fn, void *user, cli_checked *out)
{
    memset(out, 0, sizeof *out);
    reading r = {.text = expression, .at = expression, .ask = ask_fn, .user = user, .out = out};
    cli_value v = either(&r);
    skip_space(&r);
    if (!r.failed && *r.at)
        fail(&r, r.at, strlen(r.at), CLI_CHECK_WRONG, "this is too much");
    skip_space(&r);
    demand_truth(&r, v, expression);
    if (!r.failed)
        out->verdict = v.x != 0 ? CLI_CHECK_HOLDS : CLI_CHECK_FAILS;
}

const char *cli_value_text(char *out, size_t n, const cli_value *v)
{
    char unit[GL_UNIT_TEXT_MAX];
    double x = v->x;
    switch (v->measure) {
    case CLI_TIME_OF: snprintf(out, n, "%s", gl_unit_ns(unit, (int64_t)x)); break;
    case CLI_BYTES_OF: snprintf(out, n, "%s", gl_unit_bytes(unit, x > 0 ? (uint64_t)x : 0)); break;
    case CLI_SHARE_OF: snprintf(out, n, "%.4g %%", x * 100); break;
    default:
        if (x == (double)(int64_t)x)
            snprintf(out, n, "%lld", (long long)x);
        else
            snprintf(out, n, "%.6g", x);
    }
    return out;
}
