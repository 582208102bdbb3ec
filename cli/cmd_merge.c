/*
 * golanes merge: the traces of several processes as one. Each is read through a cursor of its own; a Go trace is imported
 * into a nameless .lanes file first, as it can only be read from one end to the other in one go.
 */
#include "outlanes.h"
#include "source.h"
#include "spool.h"
#include "text.h"
#include "weave.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct part {
    const char *name;
    cli_source *source;
    gl_reader *reader, *own; /* own: of a Go trace, imported */
    int spool;
    cli_strand strand;
    int64_t wall; /* clock at its time 0, 0 not known */
} part;

typedef struct merging {
    const cli_args *args;
    part parts[CLI_OPERANDS_MAX];
    size_t count;
    cli_outlanes out;
} merging;

/* ---- opening -------------------------------------------------------------------------------------------------------- */

static int find_wall(part *p, gl_error *err)
{
    p->wall = cli_source_facts(p->source)->r.wall_unix_ns;
    return p->wall ? 0 : cli_strand_wall(p->reader, &p->wall, err);
}

static int open_part(merging *x, size_t i, gl_error *err)
{
    part *p = &x->parts[i];
    cli_source_options o = cli_source_options_of(x->args);
    p->name = x->args->operands[i];
    p->spool = -1;
    int status = cli_source_open(p->name, &o, &p->source, err);
    if (status < 0)
        return status;
    status = cli_spool(p->source, &p->reader, &p->own, &p->spool, err);
    if (status == 0)
        status = find_wall(p, err);
    p->strand.reader = p->reader;
    p->strand.process = (uint32_t)i;
    return status < 0 ? status : cli_strand_open(&p->strand, x->out.dict, err);
}

static void close_part(part *p)
{
    cli_strand_close(&p->strand);
    gl_reader_close(p->own);
    cli_source_close(p->source);
    if (p->source && p->spool >= 0)
        close(p->spool);
}

/* ---- one clock ------------------------------------------------------------------------------------------------------ */

static size_t offsets_given(const cli_args *args)
{
    size_t n = 0;
    for (size_t i = 0; i < args->given_count; i++)
        n += args->given[i].id == CLI_OPT_OFFSET;
    return n;
}

static int shift_by_offsets(merging *x)
{
    size_t k = 1;
    for (size_t i = 0; i < x->args->given_count; i++)
        if (x->args->given[i].id == CLI_OPT_OFFSET)
            x->parts[k++].strand.shift = (int64_t)x->args->given[i].number;
    return 0;
}

static int shift_by_walls(merging *x, gl_error *err)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < x->count; i++) {
        const part *p = &x->parts[i];
        if (!p->wall)
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                           "%s: the trace does not say what time it was (Go does since 1.25); say how long after the first "
                           "each other one began: --offset 1.5ms, once for each file but the first",
                           p->name);
        first = p->wall < first ? p->wall : first;
    }
    for (size_t i = 0; i < x->count; i++)
        x->parts[i].strand.shift = x->parts[i].wall - first;
    return 0;
}

/* ---- the merge ------------------------------------------------------------------------------------------------------ */

static int to_out(void *user, const gl_event *events, size_t n)
{
    return cli_outlanes_events(user, events, n);
}

static int run_parts(merging *x, gl_error *err)
{
    cli_strand *strands[CLI_OPERANDS_MAX];
    char what[300];
    cli_progress p;
    for (size_t i = 0; i < x->count; i++)
        strands[i] = &x->parts[i].strand;
    snprintf(what, sizeof what, "merging into %s", x->out.path);
    cli_progress_start(&p, what, cli_args_has(x->args, CLI_OPT_QUIET));
    int status = cli_weave(strands, x->count, to_out, &x->out, &p, err);
    cli_progress_end(&p);
    return status;
}

/* Each file is a process: its name is the file's. */
static int put_process(merging *x, size_t i)
{
    const part *p = &x->parts[i];
    const cli_facts *f = cli_source_facts(p->source);
    const char *slash = strrchr(p->name, '/'), *name = slash ? slash + 1 : p->name;
    gl_process_info info = {.index = (uint32_t)i};
    char key[64];
    int status = gl_dict_string(x->out.dict, name, strlen(name), &info.name);
    if (status == 0)
        status = gl_dict_string(x->out.dict, f->go_version, strlen(f->go_version), &info.go_version);
    if (status == 0)
        status = gl_writer_process(x->out.writer, &info);
    snprintf(key, sizeof key, "merge.%zu.name", i);
    if (status == 0)
        status = cli_outlanes_meta(&x->out, key, "%s", p->name);
    snprintf(key, sizeof key, "merge.%zu.shift_ns", i);
    return status == 0 ? cli_outlanes_meta(&x->out, key, "%" PRId64, p->strand.shift) : status;
}

static int put_facts(merging *x)
{
    int64_t wall = x->parts[0].wall - x->parts[0].strand.shift;
    int status = cli_outlanes_meta(&x->out, "source.kind", "merge");
    if (status == 0)
        status = cli_outlanes_meta(&x->out, "golanes.version", "%s", GOLANES_VERSION);
    if (status == 0 && x->parts[0].wall)
        status = cli_outlanes_meta(&x->out, "clock.wall_unix_ns", "%" PRId64, wall);
    for (size_t i = 0; i < x->count && status == 0; i++)
        status = put_process(x, i);
    return status;
}

static int run(merging *x, gl_error *err)
{
    int status = 0;
    for (size_t i = 0; i < x->count && status == 0; i++)
        status = open_part(x, i, err);
    if (status == 0)
        status = offsets_given(x->args) ? shift_by_offsets(x) : shift_by_walls(x, err);
    if (status == 0)
        status = put_facts(x);
    return status == 0 ? run_parts(x, err) : status;
}

static void say_result(const merging *x)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX];
    cli_say("%s: %zu processes, %s events, %s", x->out.path, x->count, gl_unit_count(a, x->out.stats.events),
            gl_unit_bytes(b, x->out.stats.bytes));
}

static int run_merge(const cli_args *args)
{
    gl_error err = {0};
    size_t offsets = offsets_given(args);
    if (offsets && offsets != args->operand_count - 1)
        return cli_usage_error(args->command, "--offset is given %zu times; it is once for each file but the first", offsets);
    merging *x = calloc(1, sizeof *x);
    if (!x) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    x->args = args;
    x->count = args->operand_count;
    int rc = cli_outlanes_open(&x->out, args);
    if (rc == 0) {
        int status = run(x, &err);
        rc = cli_outlanes_close(&x->out, status, &err);
        if (rc == 0 && !cli_args_has(args, CLI_OPT_QUIET))
            say_result(x);
        for (size_t i = 0; i < x->count && rc == 0; i++)
            rc = cli_ended(x->parts[i].source, args);
    }
    for (size_t i = 0; i < x->count; i++)
        close_part(&x->parts[i]);
    free(x);
    return rc;
}

const cli_command cli_command_merge = {
    .name = "merge", .operands = "FILE...", .operands_min = 2, .operands_max = CLI_OPERANDS_MAX, .run = run_merge,
    .brief = "the traces of several processes as one",
    .description =
        "Writes several traces into one .lanes file, in the order of the wall clock. Each file is a process of it: a goroutine "
        "has its process in bits 48 and up of its number, so do tasks and channels, and the Ps of the second file are P1000 and "
        "up, of the third P2000 and up.\n\n"
        "Go writes the wall clock into traces since Go 1.25. Older ones are put in place by --offset.",
    CLI_OPTIONS(CLI_OPT_OUT, CLI_OPT_OFFSET, CLI_OPT_FORCE, CLI_OPT_LEVEL, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET,
                CLI_OPT_HELP),
    .examples = {{"golanes merge front.trace back.trace -o both.lanes", "A client and its server on one time line."},
                 {"golanes merge a.trace b.trace --offset 1.5ms -o both.lanes", "The second began 1.5 ms after the first."}},
};
