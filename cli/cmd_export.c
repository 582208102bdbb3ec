/* golanes export: a trace in the formats of other tools. */
#include "export_page.h"
#include "filter.h"
#include "out.h"
#include "outfile.h"
#include "source.h"
#include "text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "golanes_export/cut.h"
#include "golanes_export/export.h"

#define LIST_MAX 900
#define COLUMNS_MAX 64

typedef struct exporting {
    const cli_args *args;
    const gl_export_format *format;
    cli_filter filter;
    bool filters_events; /* the table of events: a row an event, chosen as `events` does */
    bool enough;
    uint64_t kept;
    gl_export_options opt;
    char *column_text;
    const char *columns[COLUMNS_MAX];
    cli_source *source;
    gl_export *export;
    gl_cut *cut;
    cli_out out;
} exporting;

/* ---- what was asked for: every refusal says where, and what there is ------------------------------------------------ */

typedef const char *(*name_at)(const void *user, size_t i);

/* Made of the viewer's screen, so not by the library. */
static const gl_export_format pages[] = {
    {.name = "svg", .ending = ".svg", .brief = "a picture of the goroutines' lanes"},
    {.name = "html", .ending = ".html", .brief = "a page that needs nothing else: the summary, and pictures of the lanes and lists"}};
#define PAGES (sizeof pages / sizeof *pages)

static const gl_export_format *format_at(size_t i)
{
    size_t n = 0;
    while (gl_export_format_at(n))
        n++;
    return i < n ? gl_export_format_at(i) : i < n + PAGES ? &pages[i - n] : NULL;
}

static const char *format_name(const void *user, size_t i)
{
    (void)user;
    return format_at(i) ? format_at(i)->name : NULL;
}

static bool is_page(const gl_export_format *f) { return f >= pages && f < pages + PAGES; }

static const char *table_name(const void *user, size_t i)
{
    (void)user;
    return gl_export_table_at(i) ? gl_export_table_at(i)->name : NULL;
}

static const char *profile_name(const void *user, size_t i)
{
    (void)user;
    return gl_export_profile_at(i) ? gl_export_profile_at(i)->name : NULL;
}

static const char *column_name(const void *user, size_t i) { return gl_export_column_at(user, i); }

static bool there_is(name_at names, const void *user, const char *name)
{
    for (size_t i = 0; names(user, i); i++)
        if (strcmp(names(user, i), name) == 0)
            return true;
    return false;
}

static const char *list_of(name_at names, const void *user, char *out, size_t size)
{
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; names(user, i) && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", i ? ", " : "", names(user, i));
    return out;
}

static int no_such(const cli_args *args, const char *option, const char *what, const char *given, name_at names, const void *user)
{
    char list[LIST_MAX];
    cli_say("export: --%s: there is no %s %.60s; there are %s", option, what, given, list_of(names, user, list, sizeof list));
    (void)args;
    return CLI_EXIT_USAGE;
}

static int take_format(exporting *x)
{
    const char *name = NULL;
    for (size_t i = 0; i < x->args->given_count; i++) {
        const cli_given *g = &x->args->given[i];
        int64_t time;
        if (g->id != CLI_OPT_EXPORT_TO)
            continue;
        if (cli_time_parse(g->text, &time))
            x->filter.to = time;
        else if (!there_is(format_name, NULL, g->text))
            return no_such(x->args, "to", "format", g->text, format_name, NULL);
        else
            name = g->text;
    }
    if (x->filter.from >= x->filter.to)
        return cli_usage_error(x->args->command, "--from is not before --to");
    if (!name) {
        char list[LIST_MAX];
        return cli_usage_error(x->args->command, "--to is missing: one of %s", list_of(format_name, NULL, list, sizeof list));
    }
    for (size_t i = 0; !x->format; i++)
        if (strcmp(format_at(i)->name, name) == 0)
            x->format = format_at(i);
    return 0;
}

/* The list with the bad name marked in it: "g,>>statex<<,reason". */
static int bad_column(exporting *x, const char *whole, const char *name)
{
    char list[LIST_MAX], marked[200];
    size_t at = (size_t)(name - x->column_text), n = strlen(name);
    snprintf(marked, sizeof marked, "%.*s>>%s<<%.60s", (int)(at < 60 ? at : 60), whole, name, whole + at + n);
    cli_say("export: --columns: in %s: the table %s has no column '%.60s'; it has %s", marked, x->opt.table, name,
            list_of(column_name, x->opt.table, list, sizeof list));
    return CLI_EXIT_USAGE;
}

static int take_columns(exporting *x)
{
    const char *whole = cli_args_text(x->args, CLI_OPT_COLUMNS, NULL);
    if (!whole)
        return 0;
    x->column_text = strdup(whole);
    if (!x->column_text) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    for (char *at = x->column_text; at; x->opt.column_count++) {
        if (x->opt.column_count == COLUMNS_MAX)
            return cli_usage_error(x->args->command, "--columns: more than %d", COLUMNS_MAX);
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        if (!there_is(column_name, x->opt.table, at))
            return bad_column(x, whole, at);
        x->columns[x->opt.column_count] = at;
        at = comma ? comma + 1 : NULL;
    }
    x->opt.columns = x->columns;
    return 0;
}

/* Options that only some formats have. */
static int check_use(const exporting *x)
{
    static const struct {
        cli_id id;
        unsigned ability;
        const char *whose;
    } uses[] = {{CLI_OPT_TABLE, GL_EXPORT_TABLES, "csv and jsonl"},
                {CLI_OPT_COLUMNS, GL_EXPORT_TABLES, "csv and jsonl"},
                {CLI_OPT_PROFILE, GL_EXPORT_PROFILES, "pprof and folded"},
                {CLI_OPT_OWN_TIMES, GL_EXPORT_PROFILES, "pprof and folded"}};
    static const cli_id of_events[] = {CLI_OPT_TYPE, CLI_OPT_GREP, CLI_OPT_IGNORE_CASE, CLI_OPT_LIMIT};
    static const cli_id of_pages[] = {CLI_OPT_THEME, CLI_OPT_WIDTH};
    for (size_t i = 0; i < sizeof of_pages / sizeof *of_pages && !is_page(x->format); i++)
        if (cli_args_has(x->args, of_pages[i]))
            return cli_usage_error(x->args->command, "--%s is for the formats svg and html, not for %s",
                                   cli_options[of_pages[i]].name, x->format->name);
    if (is_page(x->format) && cli_args_has(x->args, CLI_OPT_GOROUTINE))
        return cli_usage_error(x->args->command, "--goroutine is not for pictures");
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (cli_args_has(x->args, uses[i].id) && !(x->format->abilities & uses[i].ability))
            return cli_usage_error(x->args->command, "--%s is for the formats %s, not for %s", cli_options[uses[i].id].name,
                                   uses[i].whose, x->format->name);
    for (size_t i = 0; i < sizeof of_events / sizeof *of_events && !x->filters_events; i++)
        if (cli_args_has(x->args, of_events[i]))
            return cli_usage_error(x->args->command, "--%s chooses among events: it goes with csv and jsonl and their table events",
                                   cli_options[of_events[i]].name);
    return 0;
}

static int take_options(exporting *x)
{
    int rc = take_format(x);
    if (rc)
        return rc;
    x->opt.table = cli_args_text(x->args, CLI_OPT_TABLE, "events");
    x->opt.profile = cli_args_text(x->args, CLI_OPT_PROFILE, NULL);
    x->opt.goroutines = x->filter.goroutines;
    x->opt.goroutine_count = x->filter.goroutine_count;
    x->filters_events = (x->format->abilities & GL_EXPORT_TABLES) && strcmp(x->opt.table, "events") == 0;
    if (!there_is(table_name, NULL, x->opt.table))
        return no_such(x->args, "table", "table", x->opt.table, table_name, NULL);
    if (x->opt.profile && !there_is(profile_name, NULL, x->opt.profile))
        return no_such(x->args, "profile", "profile", x->opt.profile, profile_name, NULL);
    rc = check_use(x);
    return rc ? rc : take_columns(x);
}

/* ---- the export ----------------------------------------------------------------------------------------------------- */

static int write_bytes(void *user, const void *bytes, size_t n)
{
    exporting *x = user;
    cli_out_add(&x->out, bytes, n);
    return cli_out_open(&x->out) ? 0 : GL_E_IO;
}

static int take_event(exporting *x, const gl_event *ev)
{
    if (!cli_filter_keeps(&x->filter, x->opt.dict, ev))
        return 0;
    if (x->kept == x->filter.limit) {
        x->enough = true;
        return GL_E_CANCELLED;
    }
    x->kept++;
    return gl_export_sink(x->export, ev, 1);
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    exporting *x = user;
    int status = 0;
    if (x->cut) {
        status = gl_cut_sink(x->cut, events, n);
        x->enough = gl_cut_done(x->cut);
        return status == 0 && x->enough ? GL_E_CANCELLED : status;
    }
    if (!x->filters_events)
        return gl_export_sink(x->export, events, n);
    for (size_t i = 0; i < n && status == 0; i++)
        status = take_event(x, &events[i]);
    return status;
}

/* What is drawn or summed up over a part of the trace needs to know what was going on when the part began. */
static int open_cut(exporting *x, cli_plan *plan, gl_error *err)
{
    bool part = x->filter.from > 0 || x->filter.to != INT64_MAX;
    if (x->filters_events) {
        *plan = cli_filter_plan(&x->filter, GL_COL_ALL);
        return 0;
    }
    *plan = (cli_plan){0};
    if (!part)
        return 0;
    gl_cut_options o = {.dict = x->opt.dict, .from = x->filter.from, .to = x->filter.to, .on_events = gl_export_sink,
                        .user = x->export};
    x->cut = gl_cut_new(&o);
    return x->cut ? 0 : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
}

static int stream(exporting *x, gl_error *err)
{
    cli_plan plan;
    int rc = cli_source_dict(x->source, &x->opt.dict, err);
    if (rc == 0)
        rc = gl_export_open(x->format->name, &x->opt, &x->export, err);
    if (rc < 0)
        return rc;
    rc = open_cut(x, &plan, err);
    if (rc == 0)
        rc = cli_source_stream(x->source, &plan, on_events, x, err);
    if (rc == 0 || x->enough)
        return gl_export_close(x->export, err);
    gl_export_abandon(x->export);
    return rc;
}

/* A file that could not be finished is taken away: half an export looks like a whole one. */
static int finish(exporting *x, int status, const gl_error *err, const char *out)
{
    bool output_failed = !cli_out_open(&x->out);
    if (status < 0 && !output_failed)
        cli_out_drop(&x->out);
    int rc = cli_out_finish(&x->out);
    if (rc == 0 && status < 0 && !output_failed)
        rc = cli_failed(status, err);
    if (out && x->out.fd >= 0 && close(x->out.fd) < 0 && rc == 0) {
        cli_say("%s: could not be written", out);
        rc = CLI_EXIT_OUTPUT;
    }
    if (out && rc)
        cli_outfile_drop(out, rc);
    return rc || x->enough ? rc : cli_ended(x->source, x->args);
}

/* Pages are small: made as a whole, then written. An exit code. */
static int run_page(exporting *x, int fd, const char *out)
{
    gl_text text = {0};
    const char *slash = strrchr(x->args->operands[0], '/');
    cli_page_options o = {.name = slash && slash[1] ? slash + 1 : x->args->operands[0], .html = x->format == &pages[1],
                          .theme = cli_args_text(x->args, CLI_OPT_THEME, NULL), .from = x->filter.from, .to = x->filter.to,
                          .width = (unsigned)cli_args_number(x->args, CLI_OPT_WIDTH, 0)};
    int rc = cli_export_page(x->source, &o, &text);
    if (rc == 0)
        cli_out_add(&x->out, text.bytes, text.n);
    int written = cli_out_finish(&x->out);
    rc = rc ? rc : written;
    if (out && close(fd) < 0 && rc == 0)
        rc = CLI_EXIT_OUTPUT;
    if (out && rc)
        cli_outfile_drop(out, rc);
    gl_text_clean_up(&text);
    return rc ? rc : cli_ended(x->source, x->args);
}

static int run(exporting *x)
{
    gl_error err = {0};
    const char *out = cli_args_text(x->args, CLI_OPT_EXPORT_OUTPUT, NULL);
    if (out && strcmp(out, "-") == 0)
        out = NULL;
    if (!out && (x->format->abilities & GL_EXPORT_BINARY) && isatty(STDOUT_FILENO))
        return cli_usage_error(x->args->command, "%s is not for a terminal: give -o OUT%s", x->format->name, x->format->ending);
    int rc = out ? cli_outfile_check(x->args, out) : 0;
    if (rc)
        return rc;
    cli_source_options o = cli_source_options_of(x->args);
    o.binary = cli_args_text(x->args, CLI_OPT_BINARY, NULL);
    o.to_terminal = !out && isatty(STDOUT_FILENO);
    int status = cli_source_open(x->args->operands[0], &o, &x->source, &err);
    if (status < 0)
        return cli_failed(status, &err);
    int fd = out ? cli_outfile_open(out) : STDOUT_FILENO;
    if (fd < 0)
        return CLI_EXIT_OUTPUT;
    cli_out_init(&x->out, fd);
    if (is_page(x->format))
        return run_page(x, fd, out);
    x->opt.sink = write_bytes;
    x->opt.sink_user = x;
    x->opt.title = cli_source_name(x->source);
    x->opt.go_times = cli_source_facts(x->source)->r.header_version && !cli_args_has(x->args, CLI_OPT_OWN_TIMES);
    status = stream(x, &err);
    return finish(x, status, &err, out);
}

static int run_export(const cli_args *args)
{
    exporting *x = calloc(1, sizeof *x);
    if (!x) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    x->args = args;
    int rc = cli_filter_init(&x->filter, args);
    if (rc == 0) {
        rc = take_options(x);
        if (rc == 0)
            rc = run(x);
        cli_filter_clean_up(&x->filter);
    }
    cli_source_close(x->source);
    gl_cut_destroy(x->cut);
    free(x->column_text);
    free(x);
    return rc;
}

/* ---- the page ------------------------------------------------------------------------------------------------------- */

static void add_row(const char *name, const char *brief, gl_text *out) { gl_text_printf(out, "*%s*\n\t%s.\n\n", name, brief); }

static void add_columns(const char *table, gl_text *out)
{
    for (size_t i = 0; gl_export_column_at(table, i); i++) {
        gl_text_str(out, i ? ", " : "\n\tColumns: ");
        for (const char *c = gl_export_column_at(table, i); *c; c++)
            gl_text_printf(out, "%s%c", *c == '_' ? "\\" : "", *c);
    }
    gl_text_str(out, ".\n\n");
}

static void export_page(gl_text *out)
{
    gl_text_str(out, "\n# FORMATS\n\n");
    for (size_t i = 0; format_at(i); i++)
        add_row(format_at(i)->name, format_at(i)->brief, out);
    gl_text_str(out, "# PROFILES\n\n");
    for (size_t i = 0; gl_export_profile_at(i); i++)
        add_row(gl_export_profile_at(i)->name, gl_export_profile_at(i)->brief, out);
    gl_text_str(out, "# TABLES\n\nTimes and durations are whole nanoseconds, times since the start of the trace. What is not known is empty in "
                     "CSV and absent in JSON. Addresses are texts (0xc000012345).\n\n");
    for (size_t i = 0; gl_export_table_at(i); i++) {
        gl_text_printf(out, "*%s*\n\t%s.\n", gl_export_table_at(i)->name, gl_export_table_at(i)->brief);
        add_columns(gl_export_table_at(i)->name, out);
    }
    out->n--;
}

const cli_command cli_command_export = {
    .name = "export", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_export,
    .brief = "a trace in the formats of other tools",
    .description =
        "Writes a trace as chrome, perfetto (timelines), pprof, folded (profiles), csv, jsonl (tables), svg or html (pictures); its manual "
        "page has all formats, profiles and tables with their columns.\n\n"
        "With --from, or --to with a time, only that part is written; what was going on when it began is in it. --goroutine "
        "leaves other goroutines out.",
    CLI_OPTIONS(CLI_OPT_EXPORT_TO, CLI_OPT_EXPORT_OUTPUT, CLI_OPT_FORCE, CLI_OPT_TABLE, CLI_OPT_COLUMNS, CLI_OPT_PROFILE,
                CLI_OPT_OWN_TIMES, CLI_OPT_THEME, CLI_OPT_WIDTH, CLI_OPT_FROM, CLI_OPT_GOROUTINE, CLI_OPT_TYPE, CLI_OPT_GREP, CLI_OPT_IGNORE_CASE,
                CLI_OPT_LIMIT, CLI_OPT_BINARY, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
    .page_more = export_page,
    .examples = {{"golanes export run.lanes --to chrome -o run.json", "A timeline for ui.perfetto.dev, chrome://tracing or speedscope."},
                 {"golanes export server.trace --to pprof --profile sched | go tool pprof -top -", "Who waited for a processor."},
                 {"golanes export run.lanes --to csv --table spans --from 14ms --to 16ms > spans.csv", "Two milliseconds, for DuckDB or SQLite."},
                 {"golanes export run.lanes --to folded --profile straddle | flamegraph.pl > straddles.svg", "Where sends straddled a pause."}},
};
