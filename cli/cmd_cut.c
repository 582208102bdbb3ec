/* golanes cut: a part of a trace that stands alone. */
#include "filter.h"
#include "outlanes.h"
#include "source.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "golanes_export/cut.h"
#include "golanes_export/remap.h"

typedef struct cutting {
    const cli_args *args;
    int64_t from, to;
    cli_source *source;
    gl_remap *remap;
    gl_cut *cut;
    cli_outlanes out;
} cutting;

static int on_part(void *user, const gl_event *events, size_t n)
{
    cutting *x = user;
    for (size_t i = 0; i < n; i++) {
        gl_event ev = events[i];
        int status = gl_remap_event(x->remap, &ev);
        if (status == 0)
            status = cli_outlanes_events(&x->out, &ev, 1);
        if (status < 0)
            return status;
    }
    return 0;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    cutting *x = user;
    int status = gl_cut_sink(x->cut, events, n);
    return status == 0 && gl_cut_done(x->cut) ? GL_E_CANCELLED : status;
}

/* What the source says of itself still holds, but that it is a part, and when it began. */
static int put_facts(cutting *x, int64_t first)
{
    const cli_facts *from = cli_source_facts(x->source);
    cli_facts f = *from;
    snprintf(f.source_kind, sizeof f.source_kind, "cut");
    snprintf(f.source_name, sizeof f.source_name, "%s", cli_source_name(x->source));
    snprintf(f.golanes_version, sizeof f.golanes_version, "%s", GOLANES_VERSION);
    int status = cli_facts_put_start(&f, x->out.writer);
    if (status == 0)
        status = cli_outlanes_meta(&x->out, "cut.of", "%s", cli_source_name(x->source));
    if (status == 0)
        status = cli_outlanes_meta(&x->out, "cut.time_zero_ns", "%" PRId64, first);
    if (status == 0 && from->r.wall_unix_ns)
        status = cli_outlanes_meta(&x->out, "clock.wall_unix_ns", "%" PRId64, from->r.wall_unix_ns + first);
    if (status == 0 && from->r.first_abs_ns >= 0)
        status = cli_outlanes_meta(&x->out, "clock.first_abs_ns", "%" PRId64, from->r.first_abs_ns + first);
    return status;
}

static int stream(cutting *x, gl_error *err)
{
    const gl_dict *dict;
    int status = cli_source_dict(x->source, &dict, err);
    if (status < 0)
        return status;
    gl_cut_options o = {.dict = dict, .from = x->from, .to = x->to, .rebase = true, .on_events = on_part, .user = x};
    x->remap = gl_remap_new(dict, x->out.dict, 0);
    x->cut = gl_cut_new(&o);
    if (!x->remap || !x->cut)
        return GL_E_NOMEM;
    status = cli_source_stream(x->source, &(cli_plan){0}, on_events, x, err);
    status = gl_cut_done(x->cut) ? 0 : status;
    int64_t first;
    if (status == 0 && !gl_cut_began(x->cut, &first))
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "%s: the trace ends before --from", cli_source_name(x->source));
    return status == 0 ? put_facts(x, first) : status;
}

static void say_result(const cutting *x)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX];
    cli_say("%s: %s events, %s", x->out.path, gl_unit_count(a, x->out.stats.events), gl_unit_bytes(b, x->out.stats.bytes));
}

static int run_lanes(cutting *x)
{
    gl_error err = {0};
    cli_source_options o = cli_source_options_of(x->args);
    o.binary = cli_args_text(x->args, CLI_OPT_BINARY, NULL);
    int status = cli_source_open(x->args->operands[0], &o, &x->source, &err);
    if (status < 0)
        return cli_failed(status, &err);
    int rc = cli_outlanes_open(&x->out, x->args);
    if (rc)
        return rc;
    status = stream(x, &err);
    rc = cli_outlanes_close(&x->out, status, &err);
    if (rc == 0 && !cli_args_has(x->args, CLI_OPT_QUIET))
        say_result(x);
    return rc || gl_cut_done(x->cut) ? rc : cli_ended(x->source, x->args); /* what follows the part was not looked at */
}

static int run_cut(const cli_args *args)
{
    cutting x = {.args = args, .from = (int64_t)cli_args_number(args, CLI_OPT_FROM, 0),
                 .to = (int64_t)cli_args_number(args, CLI_OPT_TO, INT64_MAX)};
    if (x.from >= x.to)
        return cli_usage_error(args->command, "--from is not before --to");
    int rc = run_lanes(&x);
    gl_cut_destroy(x.cut);
    gl_remap_destroy(x.remap);
    cli_source_close(x.source);
    return rc;
}

const cli_command cli_command_cut = {
    .name = "cut", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_cut,
    .brief = "a part of a trace, as a trace of its own",
    .description =
        "Writes what lies between two times as a .lanes file that stands alone: it begins with the state of every goroutine "
        "and processor at that time, with reasons, stacks and who made them. What was under way (a pause, a region, a task, "
        "an operation on a channel) is begun again there, and marked inferred. Times count anew from the part's first event; "
        "the wall clock goes on as it was, and golanes info tells where the part comes from.",
    CLI_OPTIONS(CLI_OPT_FROM, CLI_OPT_TO, CLI_OPT_OUT, CLI_OPT_FORCE, CLI_OPT_LEVEL, CLI_OPT_BINARY, CLI_OPT_SECONDS,
                CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
    .examples = {{"golanes cut run.lanes --from 14ms --to 16ms -o pause.lanes", "Two milliseconds, to send to somebody."}},
};
