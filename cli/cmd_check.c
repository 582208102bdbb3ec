/* golanes check: assertions about a trace, for builds. */
#include "check_metrics.h"
#include "out.h"

#include <stdlib.h>
#include <string.h>

enum { CLI_EXIT_FAILED = 1, CLI_EXIT_NOT_JUDGED = 2 };

typedef struct answer {
    cli_measures measures;
    cli_checked *checked;
    const char **expressions;
    size_t count;
    bool unsound; /* --strict, and something is missing */
} answer;

/* The expression, and a line of marks under what is wrong. */
static int point_at(const cli_args *args, const char *expression, const cli_checked *c)
{
    int code = cli_usage_error(args->command, "--assert: %s, at character %zu", c->why, c->at + 1);
    cli_point_at(expression, c->at, c->n);
    return code;
}

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    const cli_args *args = run->args;
    a->expressions = calloc(args->given_count + 1, sizeof *a->expressions);
    a->checked = calloc(args->given_count + 1, sizeof *a->checked);
    if (!a->expressions || !a->checked) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    for (size_t i = 0; i < args->given_count; i++) {
        if (args->given[i].id != CLI_OPT_ASSERT)
            continue;
        cli_check_eval(args->given[i].text, cli_measure_ask, &a->measures, &a->checked[a->count]);
        if (a->checked[a->count].verdict == CLI_CHECK_WRONG)
            return point_at(args, args->given[i].text, &a->checked[a->count]);
        a->expressions[a->count++] = args->given[i].text;
    }
    return a->count ? 0 : cli_usage_error(args->command, "there is nothing to check: --assert 'EXPR' is missing");
}

static int start(cli_report_run *run, void *self) { return cli_measures_start(&((answer *)self)->measures, run); }

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    int status = cli_measures_finish(&a->measures, run);
    for (size_t i = 0; i < a->count && status == 0; i++)
        cli_check_eval(a->expressions[i], cli_measure_ask, &a->measures, &a->checked[i]);
    a->unsound = cli_args_has(run->args, CLI_OPT_STRICT) && !cli_facts_sound(cli_source_facts(run->source));
    return status;
}

static void clean_up(void *self)
{
    answer *a = self;
    cli_measures_clean_up(&a->measures);
    free(a->checked);
    free(a->expressions);
}

static const char *verdict_name(cli_verdict v)
{
    return v == CLI_CHECK_HOLDS ? "holds" : v == CLI_CHECK_FAILS ? "FAILS" : "not judged";
}

static int verdict(const cli_report_run *run, void *self)
{
    const answer *a = self;
    bool fails = false, unknown = a->unsound;
    (void)run;
    for (size_t i = 0; i < a->count; i++) {
        fails |= a->checked[i].verdict == CLI_CHECK_FAILS;
        unknown |= a->checked[i].verdict == CLI_CHECK_NOT_KNOWN;
    }
    return fails ? CLI_EXIT_FAILED : unknown ? CLI_EXIT_NOT_JUDGED : 0;
}

/* --- text --- */

static void one(cli_page *p, const answer *a, size_t i)
{
    const cli_checked *c = &a->checked[i];
    const char *expression = a->expressions[i];
    gl_text line = {0};
    gl_text_printf(&line, "%-10s  ", verdict_name(c->verdict));
    gl_text_safe(&line, expression, strlen(expression));
    cli_note(p, c->verdict == CLI_CHECK_HOLDS ? "" : CLI_WARN, line.bytes);
    if (c->verdict == CLI_CHECK_NOT_KNOWN) {
        gl_text_clear(&line);
        gl_text_printf(&line, "%.*s: %s", (int)c->n, expression + c->at, c->why);
        cli_note(p, CLI_DIM, line.bytes);
    }
    for (size_t k = 0; k < c->figure_count; k++) {
        char value[80], question[300];
        const cli_figure *f = &c->figures[k];
        snprintf(question, sizeof question, "%.*s", (int)f->n, expression + f->at);
        gl_text_clear(&line);
        gl_text_printf(&line, "%s = %s", question, cli_value_text(value, sizeof value, &f->value));
        cli_note(p, CLI_DIM, line.bytes);
        if (c->verdict == CLI_CHECK_FAILS)
            cli_measure_evidence(&a->measures, question, p);
    }
    gl_text_clean_up(&line);
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    (void)run;
    size_t of[3] = {0};
    char line[100];
    for (size_t i = 0; i < a->count; i++)
        of[a->checked[i].verdict == CLI_CHECK_FAILS ? 0 : a->checked[i].verdict == CLI_CHECK_HOLDS ? 1 : 2]++;
    snprintf(line, sizeof line, of[2] ? "%zu fail, %zu hold, %zu could not be judged" : "%zu fail, %zu hold", of[0], of[1], of[2]);
    cli_heading(p, "ASSERTIONS", line);
    for (size_t i = 0; i < a->count; i++)
        one(p, a, i);
    if (a->unsound)
        cli_note(p, CLI_WARN, "Something is missing in the trace, and --strict was given: what holds of the rest is not judged.");
}

/* --- JSON --- */

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    static const char *const measures[] = {"count", "ns", "bytes", "share", "truth"};
    const answer *a = self;
    cli_json *j = &w->json;
    int code = verdict(run, self);
    cli_json_str(j, "verdict", code == 0 ? "holds" : code == CLI_EXIT_FAILED ? "fails" : "not judged");
    cli_json_open(j, "assertions", '[');
    for (size_t i = 0; i < a->count; i++) {
        const cli_checked *c = &a->checked[i];
        cli_json_open(j, NULL, '{');
        cli_json_str(j, "expression", a->expressions[i]);
        cli_json_str(j, "verdict", c->verdict == CLI_CHECK_HOLDS ? "holds" : c->verdict == CLI_CHECK_FAILS ? "fails" : "not judged");
        if (c->verdict == CLI_CHECK_NOT_KNOWN)
            cli_json_str(j, "why", c->why);
        else
            cli_json_null(j, "why");
        cli_json_open(j, "figures", '[');
        for (size_t k = 0; k < c->figure_count; k++) {
            const cli_figure *f = &c->figures[k];
            cli_json_open(j, NULL, '{');
            cli_json_text(j, "figure", a->expressions[i] + f->at, f->n);
            cli_json_real(j, "value", f->value.x);
            cli_json_str(j, "measure", measures[f->value.measure]);
            cli_json_close(j, '}');
        }
        cli_json_close(j, ']');
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static const cli_report report = {.bytes = sizeof(answer),
                                  .prepare = prepare,
                                  .start = start,
                                  .finish = finish,
                                  .text = text,
                                  .json = json,
                                  .verdict = verdict,
                                  .clean_up = clean_up};

/* A build wants three answers, not five: whatever keeps an assertion from being judged is the same to it. */
static int run_check(const cli_args *args)
{
    int code = cli_report_answer(args, &report);
    return code == CLI_EXIT_INPUT || code == CLI_EXIT_SYSTEM ? CLI_EXIT_NOT_JUDGED : code;
}

static const cli_exit exits[] = {
    {0, "Every assertion holds."},
    {CLI_EXIT_FAILED, "An assertion fails."},
    {CLI_EXIT_NOT_JUDGED, "None fails, but one could not be judged: it is wrong, the trace cannot be read or cannot tell, or it is "
                          "incomplete and --strict was given."},
    {CLI_EXIT_OUTPUT, "The output could not be written."},
    {CLI_EXIT_INTERRUPTED, "Interrupted (SIGINT)."},
    {CLI_EXIT_TERMINATED, "Terminated (SIGTERM)."},
};

const cli_command cli_command_check = {
    .name = "check", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_check,
    .brief = "assertions about a trace, for builds",
    .description =
        "Judges assertions about the figures of a trace, and says so by its exit status; for each that fails it prints the figures "
        "and the evidence.\n\n"
        "An assertion compares (<, <=, ==, !=, >=, >) figures and numbers with their units (ns, us, ms, s, m, h, %, B, KiB, MiB, "
        "GiB); it may calculate with + - * / and parentheses, and join comparisons with and, or, not. Of a figure that has many "
        "values a function takes one: p99(stw) < 1ms. Some figures take a name in quotes: p99(wait(\"chan send\")) < 10ms.",
    CLI_OPTIONS(CLI_OPT_ASSERT, CLI_OPT_JSON, CLI_OPT_WIDTH, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
    .page_more = cli_measure_page,
    .exits = exits, .exit_count = sizeof exits / sizeof *exits,
    .examples = {{"golanes check --assert 'p99(stw) < 1ms' --assert 'straddles == 0' run.lanes", "Two assertions."},
                 {"golanes check --assert 'stuck == 0 and anomalies(\"send-on-closed\") == 0' run.lanes", "One of two comparisons."},
                 {"golanes check --assert 'max(sched_latency) < 10ms' --seconds 5 http://localhost:6060", "Of a running server."}},
};
