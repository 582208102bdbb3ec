#include "out.h"
#include "report.h"
#include "source.h"
#include "summary.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct summing {
    const cli_args *args;
    cli_source *source;
    const gl_dict *dict;
    gl_summary *summary;
    cli_summary_json json;
    cli_out out;
    FILE *stream;
    bool as_json;
} summing;

static bool print_text(summing *s, const gl_summary_result *r)
{
    cli_summary_file file = {0};
    cli_source_file(s->source, r, &file);
    size_t width = gl_text_terminal_width(STDOUT_FILENO, 100);
    bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    cli_summary_look look = {.width = (unsigned)cli_args_number(s->args, CLI_OPT_WIDTH, width), .colour = colour, .utc = true,
                             .top = (unsigned)cli_args_number(s->args, CLI_OPT_TOP, 10)};
    if (cli_args_has(s->args, CLI_OPT_TOP) && look.top == 0)
        look.top = UINT32_MAX;
    return cli_summary_text(s->stream, s->dict, &file, r, &look);
}

static bool print_json(summing *s, const gl_summary_result *r, int status, const gl_error *err)
{
    cli_summary_file file = {0};
    cli_source_file(s->source, r, &file);
    return cli_summary_json_end(&s->json, &file, r,
                                status < 0 ? (err->text[0] ? err->text : gl_status_text(status)) : NULL);
}

/* JSON has goroutines in it as they end, so it starts before the events do. */
static int prepare(summing *s, gl_error *err)
{
    gl_summary_options o = {0};
    int rc = cli_source_dict(s->source, &o.dict, err);
    if (rc < 0)
        return rc;
    s->dict = o.dict;
    uint64_t top = cli_args_number(s->args, CLI_OPT_TOP, 10);
    o.worst = top ? (unsigned)top : 100000;
    s->stream = cli_out_stream(&s->out);
    if (!s->stream)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    if (s->as_json) {
        cli_summary_json_begin(&s->json, s->dict, s->stream);
        o.on_goroutine = cli_summary_json_goroutine;
        o.goroutine_user = &s->json;
    }
    s->summary = gl_summary_new(&o);
    return s->summary ? 0 : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
}

static int run(summing *s)
{
    gl_error err = {0};
    const gl_summary_result *r = NULL;
    int status = prepare(s, &err);
    bool begun = status == 0;
    if (status == 0)
        status = cli_source_stream(s->source, &(cli_plan){0}, gl_summary_sink, s->summary, &err);
    if (status == 0)
        status = gl_summary_finish(s->summary, &r);
    bool written = true;
    /* A document that somebody has the beginning of is closed, and says what went wrong; else nothing is printed. */
    bool owed = status == 0 || s->out.written > 0;
    if (begun && s->as_json && owed)
        written = print_json(s, r, status, &err);
    else if (r)
        written = print_text(s, r);
    if (s->stream)
        fclose(s->stream);
    if (!owed)
        cli_out_drop(&s->out);
    bool taken = cli_out_open(&s->out);
    int code = cli_out_finish(&s->out);
    if (!taken || code)
        return code; /* why is said, or nobody reads any more */
    if (status < 0)
        return cli_failed(status, &err);
    if (!written) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    return cli_ended(s->source, s->args);
}

static int run_summary(const cli_args *args)
{
    gl_error err = {0};
    summing *s = calloc(1, sizeof *s);
    if (!s) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    s->args = args;
    s->as_json = cli_args_has(args, CLI_OPT_JSON);
    cli_out_init(&s->out, STDOUT_FILENO);
    cli_source_options o = cli_source_options_of(args);
    int status = cli_source_open(args->operands[0], &o, &s->source, &err);
    int code = status < 0 ? cli_failed(status, &err) : run(s);
    gl_summary_destroy(s->summary);
    cli_source_close(s->source);
    free(s);
    return code;
}

const cli_command cli_command_summary = {
    .name = "summary", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_summary,
    .brief = "what happened in a trace, on one page",
    .description = "Prints what a trace says as a whole: how long it is, where goroutines spent their time, garbage "
                   "collections and pauses, the sends that a pause cut, who waited for what and where, and what is still "
                   "blocked at the end. With --json every figure, for scripts and for gates in a build.",
    CLI_OPTIONS(CLI_OPT_JSON, CLI_OPT_WIDTH, CLI_OPT_TOP, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
    .examples = {{"golanes summary server.trace", "The page for a trace that Go wrote."},
                 {"golanes summary --json run.lanes | jq .stw", "One part of the figures."},
                 {"golanes summary --seconds 10 http://localhost:6060", "Trace a running server for ten seconds."}},
};
