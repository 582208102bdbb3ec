/* golanes cut: a part of a trace that stands alone. */
#include "filter.h"
#include "out.h"
#include "outfile.h"
#include "outlanes.h"
#include "source.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- a Go trace of whole generations -------------------------------------------------------------------------------- */

static int write_bytes(void *user, const void *bytes, size_t n)
{
    cli_out_add(user, bytes, n);
    return cli_out_open(user) ? 0 : GL_E_IO;
}

static void say_generations(const gl_gotrace_part *part, const char *path)
{
    char from[GL_UNIT_TEXT_MAX], to[GL_UNIT_TEXT_MAX];
    cli_say("%s: %" PRIu64 " of %" PRIu64 " generations, from %s to %s", path, part->generations,
            part->generations + part->generations_left, gl_unit_ns(from, part->from),
            part->to == INT64_MAX ? "the end" : gl_unit_ns(to, part->to));
    if (part->damaged)
        cli_say("warning: the source is damaged; what lies behind the damage is not in %s", path);
}

static int write_go(const cutting *x, const char *path)
{
    gl_error err = {0};
    gl_gotrace_part part;
    cli_out *out = malloc(sizeof *out);
    int fd = out ? cli_outfile_open(path) : -1;
    if (fd < 0) {
        free(out);
        return out ? CLI_EXIT_OUTPUT : CLI_EXIT_SYSTEM;
    }
    cli_out_init(out, fd);
    int status = gl_gotrace_cut(cli_source_input(x->source), x->from, x->to, write_bytes, out, &part, &err);
    int rc = cli_out_open(out) && status < 0 ? cli_failed(status, &err) : cli_out_finish(out);
    if (close(fd) < 0 && rc == 0)
        rc = CLI_EXIT_OUTPUT;
    free(out);
    if (rc)
        cli_outfile_drop(path, rc);
    else if (!cli_args_has(x->args, CLI_OPT_QUIET))
        say_generations(&part, path);
    return rc;
}

static int run_go(cutting *x)
{
    gl_error err = {0};
    const char *path = cli_args_text(x->args, CLI_OPT_OUT, NULL);
    if (!path)
        return cli_usage_error(x->args->command, "-o OUT is missing");
    int rc = cli_outfile_check(x->args, path);
    if (rc)
        return rc;
    cli_source_options o = cli_source_options_of(x->args);
    int status = cli_source_open(x->args->operands[0], &o, &x->source, &err);
    if (status < 0)
        return cli_failed(status, &err);
    if (cli_source_input(x->source))
        return write_go(x, path);
    cli_say("%s is a .lanes file; a Go trace can only be cut out of a Go trace", cli_source_name(x->source));
    return CLI_EXIT_INPUT;
}

static bool wants_go(const cli_args *args)
{
    const char *path = cli_args_text(args, CLI_OPT_OUT, "");
    size_t n = strlen(path);
    return cli_args_has(args, CLI_OPT_GO) || (n > 6 && strcmp(path + n - 6, ".trace") == 0);
}

static int run_cut(const cli_args *args)
{
    cutting x = {.args = args, .from = (int64_t)cli_args_number(args, CLI_OPT_FROM, 0),
                 .to = (int64_t)cli_args_number(args, CLI_OPT_TO, INT64_MAX)};
    if (x.from >= x.to)
        return cli_usage_error(args->command, "--from is not before --to");
    int rc = wants_go(args) ? run_go(&x) : run_lanes(&x);
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
        "the wall clock goes on as it was, and golanes info tells where the part comes from.\n\n"
        "With --go, or where OUT ends in .trace, a Go trace is cut out of a Go trace (since Go 1.22): the generations, about a "
        "second each, that hold that time. go tool trace opens it.",
    CLI_OPTIONS(CLI_OPT_FROM, CLI_OPT_TO, CLI_OPT_OUT, CLI_OPT_GO, CLI_OPT_FORCE, CLI_OPT_LEVEL, CLI_OPT_BINARY, CLI_OPT_SECONDS,
                CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
    .examples = {{"golanes cut run.lanes --from 14ms --to 16ms -o pause.lanes", "Two milliseconds, to send to somebody."},
                 {"golanes cut server.trace --from 5s --to 6s -o second.trace", "The same for go tool trace."}},
};
