#include "outfile.h"
#include "source.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pprof_fetch.h"
#include "text.h"

#define PATH_BYTES 4096

/* ---- the name of the output --------------------------------------------------------------------------------------- */

static void cut_ending(char *name, const char *ending)
{
    size_t n = strlen(name), e = strlen(ending);
    if (n > e && strcmp(name + n - e, ending) == 0)
        name[n - e] = '\0';
}

/* http://localhost:6060/… becomes localhost-6060.lanes. */
static void name_of_address(const char *address, char *out, size_t size)
{
    const char *host = strstr(address, "://") + 3;
    const char *at = memchr(host, '@', strcspn(host, "/?#"));
    host = at ? at + 1 : host;
    char name[200];
    size_t n = strcspn(host, "/?#");
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), host);
    for (char *c = name; *c; c++)
        if (strchr(":[]", *c))
            *c = '-';
    snprintf(out, size, "%s.lanes", *name ? name : "trace");
}

/* 0, or an exit code after a line on standard error. */
static int choose_output(const cli_args *args, char *out, size_t size)
{
    static const char *const endings[] = {".zst", ".gz", ".trace", ".out"};
    const char *in = args->operands[0], *given = cli_args_text(args, CLI_OPT_OUTPUT, NULL);
    if (given) {
        if (strlen(given) >= size)
            return cli_usage_error(args->command, "--output: the name is too long");
        snprintf(out, size, "%s", given);
    } else if (strcmp(in, "-") == 0) {
        return cli_usage_error(args->command, "standard input needs a name for its result: -o OUT");
    } else if (gl_pprof_is_address(in)) {
        name_of_address(in, out, size);
    } else {
        if (strlen(in) + 8 >= size)
            return cli_usage_error(args->command, "the name is too long");
        snprintf(out, size, "%s", in);
        for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
            cut_ending(out, endings[i]);
        strcat(out, ".lanes");
    }
    return 0;
}

/* ---- the import --------------------------------------------------------------------------------------------------- */

typedef struct import {
    const cli_args *args;
    cli_source *source;
    gl_writer *writer;
    char out[PATH_BYTES];
    int write_status; /* of the first write that failed: tells a full disk from a bad input */
    int write_errno;
    gl_writer_stats stats;
    int64_t started;
} import;

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    import *im = user;
    errno = 0;
    int rc = gl_writer_events(im->writer, events, n);
    if (rc < 0 && im->write_status == 0) {
        im->write_status = rc;
        im->write_errno = errno;
    }
    return rc;
}

static unsigned helper_threads(const cli_args *args)
{
    cpu_set_t set; /* those that we may use: threads that share one only get into each other's way */
    int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int otherwise = cpus > 5 ? 4 : cpus > 1 ? cpus - 1 : 0;
    return (unsigned)cli_args_number(args, CLI_OPT_THREADS, (uint64_t)otherwise);
}

static int open_writer(import *im, gl_error *err)
{
    gl_writer_options o = {.path = im->out, .dict = cli_source_own_dict(im->source),
                           .level = (int)cli_args_number(im->args, CLI_OPT_LEVEL, 0), .threads = helper_threads(im->args)};
    int rc = gl_writer_open(&o, &im->writer, err);
    if (rc < 0)
        return rc;
    cli_facts facts = *cli_source_facts(im->source);
    snprintf(facts.golanes_version, sizeof facts.golanes_version, "%s", GOLANES_VERSION);
    rc = cli_facts_put_start(&facts, im->writer);
    return rc < 0 ? gl_fail(err, (gl_status)rc, UINT64_MAX, "%s: could not be written", im->out) : 0;
}

static void say_result(const import *im)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX], c[GL_UNIT_TEXT_MAX], d[GL_UNIT_TEXT_MAX], e[GL_UNIT_TEXT_MAX];
    double seconds = (double)(now_ns() - im->started) / 1e9;
    uint64_t in = gl_input_size(cli_source_input(im->source));
    cli_say("%s: %s events, %s -> %s (%s), %s events/s", im->out, gl_unit_count(a, im->stats.events), gl_unit_bytes(b, in),
            gl_unit_bytes(c, im->stats.bytes), gl_unit_share(e, in ? (double)im->stats.bytes / (double)in : 0),
            gl_unit_count_short(d, seconds > 0 ? (double)im->stats.events / seconds : 0));
}

/* Closes what was written in good order. 0 or an exit code. */
static int close_writer(import *im)
{
    gl_error err = {0};
    int rc = cli_facts_put_end(cli_source_facts(im->source), im->writer);
    if (rc < 0) {
        gl_writer_abandon(im->writer);
        cli_say("%s: could not be written: %s", im->out, gl_status_text(rc));
        return CLI_EXIT_OUTPUT;
    }
    rc = gl_writer_close(im->writer, &im->stats, &err);
    if (rc < 0) {
        cli_say("%s", err.text[0] ? err.text : gl_status_text(rc));
        return rc == GL_E_NOMEM ? CLI_EXIT_SYSTEM : CLI_EXIT_OUTPUT;
    }
    return 0;
}

static int fail_write(import *im)
{
    gl_error err = {0};
    int rc = gl_writer_close(im->writer, &im->stats, &err);
    const char *why = rc < 0 && err.text[0] ? err.text : im->write_errno ? strerror(im->write_errno) : gl_status_text(im->write_status);
    cli_say("%s: could not be written on: %s", im->out, why);
    cli_say("%s holds what was written before, and can be read; delete it or import again with room", im->out);
    return im->write_status == GL_E_NOMEM ? CLI_EXIT_SYSTEM : CLI_EXIT_OUTPUT;
}

static int run(import *im)
{
    gl_error err = {0};
    int rc = open_writer(im, &err);
    if (rc < 0) {
        gl_writer_abandon(im->writer);
        cli_say("%s", err.text[0] ? err.text : gl_status_text(rc));
        return rc == GL_E_NOMEM ? CLI_EXIT_SYSTEM : CLI_EXIT_OUTPUT;
    }
    int status = cli_source_stream(im->source, &(cli_plan){0}, on_events, im, &err);
    if (im->write_status)
        return fail_write(im);
    int code = close_writer(im);
    if (code)
        return code;
    if (status < 0) {
        code = cli_failed(status, &err);
        if (im->stats.events)
            cli_say("%s holds the %" PRIu64 " events read until then", im->out, im->stats.events);
        else
            unlink(im->out);
        return code;
    }
    code = cli_ended(im->source, im->args);
    if (!cli_args_has(im->args, CLI_OPT_QUIET))
        say_result(im);
    return code;
}

static int run_import(const cli_args *args)
{
    gl_error err = {0};
    import *im = calloc(1, sizeof *im);
    if (!im) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    im->args = args;
    int rc = choose_output(args, im->out, sizeof im->out);
    if (rc == 0)
        rc = cli_outfile_check(args, im->out);
    if (rc) {
        free(im);
        return rc;
    }
    cli_source_options o = cli_source_options_of(args);
    o.binary = cli_args_text(args, CLI_OPT_BINARY, NULL);
    int status = cli_source_open(args->operands[0], &o, &im->source, &err);
    im->started = now_ns();
    if (status < 0) {
        rc = cli_failed(status, &err);
    } else if (cli_source_reader(im->source)) {
        cli_say("%s is a .lanes file already; there is nothing to import", cli_source_name(im->source));
        rc = CLI_EXIT_INPUT;
    } else {
        rc = run(im);
    }
    cli_source_close(im->source);
    free(im);
    return rc;
}

const cli_command cli_command_import = {
    .name = "import", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_import,
    .brief = "turn a Go trace into a .lanes file",
    .description =
        "Reads a Go trace and writes the same events as a .lanes file, which opens at once whatever its size. A damaged "
        "or cut trace is imported as far as it is sound, with a mark wherever something is missing.\n\n"
        "OUT is written in place and can be read while it grows; an import that is interrupted leaves what it had.",
    CLI_OPTIONS(CLI_OPT_OUTPUT, CLI_OPT_FORCE, CLI_OPT_LEVEL, CLI_OPT_BINARY, CLI_OPT_SECONDS, CLI_OPT_THREADS, CLI_OPT_STRICT,
            CLI_OPT_QUIET, CLI_OPT_HELP),
    .examples = {{"golanes import server.trace", "Writes server.lanes."},
                 {"ssh host cat /tmp/run.trace.zst | golanes import -o run.lanes -", "From another machine."},
                 {"golanes import --seconds 30 -o now.lanes http://localhost:6060", "From a running program."}},
};
