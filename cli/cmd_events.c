#include "filter.h"
#include "print.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct listing {
    cli_filter filter;
    cli_print print;
    cli_out out;
    const cli_facts *facts;
    bool json, count_only;
    bool enough;      /* the limit is reached, or nobody reads any more */
    bool wall_known;
    bool wall_missing;
    uint64_t kept;
} listing;

/*
 * An import knows what time 0 was once it has read the first clocks, a .lanes file of another writer may have it only in
 * its first clock record.
 */
static void look_for_wall(listing *l, const gl_event *ev)
{
    if (l->facts->r.wall_unix_ns) {
        l->print.wall_unix_ns = l->facts->r.wall_unix_ns;
        l->wall_known = true;
    }
    if (l->wall_known || ev->type != GL_EV_ClockSync || ev->arg[2] == 0 || ev->arg[2] > INT64_MAX)
        return;
    int64_t zero;
    if (__builtin_sub_overflow((int64_t)ev->arg[2], ev->time, &zero))
        return;
    l->print.wall_unix_ns = zero;
    l->wall_known = true;
}

static int take(listing *l, const gl_event *ev)
{
    if (l->print.wall && !l->wall_known)
        look_for_wall(l, ev);
    int kept = cli_filter_keeps(&l->filter, l->print.dict, ev);
    if (kept <= 0)
        return kept;
    if (l->print.wall && !l->wall_known && !l->count_only) {
        l->wall_missing = true;
        return GL_E_CANCELLED;
    }
    if (l->kept >= l->filter.limit) {
        l->enough = true;
        return GL_E_CANCELLED;
    }
    l->kept++;
    if (l->count_only)
        return 0;
    if (l->json)
        cli_print_json(&l->print, ev);
    else
        cli_print_text(&l->print, ev);
    return 0;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    listing *l = user;
    for (size_t i = 0; i < n; i++) {
        int rc = take(l, &events[i]);
        if (rc < 0)
            return rc;
    }
    if (!cli_out_open(&l->out)) {
        l->enough = true;
        return GL_E_CANCELLED;
    }
    return 0;
}

/*
 * A count of whole types over the whole of a .lanes file stands in its summaries already. False where it cannot be had
 * from there.
 */
static bool count_from_summaries(listing *l, gl_reader *r)
{
    const cli_filter *f = &l->filter;
    if (!r || f->pattern || f->query || f->goroutine_count || f->from != INT64_MIN || f->to != INT64_MAX)
        return false;
    unsigned levels = gl_reader_levels(r);
    const gl_reader_info *info = gl_reader_get_info(r);
    if (levels == 0 || info->damaged_chunks)
        return false;
    gl_summary_node *node = calloc(1, sizeof *node);
    uint64_t sum = 0, all = 0;
    bool whole = node != NULL;
    for (uint64_t i = 0; whole && i < gl_reader_level_size(r, levels - 1); i++) {
        whole = gl_reader_summary(r, levels - 1, i, node, NULL) == 0;
        for (unsigned type = 0; whole && type < GL_EV_LIMIT; type++)
            sum += !f->types.some || f->types.has[type] ? node->by_type[type] : 0;
        all += whole ? node->events : 0;
    }
    free(node);
    if (!whole || all != info->events)
        return false;
    l->kept = f->types.some ? sum : all;
    if (l->kept > f->limit)
        l->kept = f->limit;
    return true;
}

static void print_count(listing *l)
{
    if (l->json)
        cli_out_printf(&l->out, "{\"count\":%llu}\n", (unsigned long long)l->kept);
    else
        cli_out_printf(&l->out, "%llu\n", (unsigned long long)l->kept);
}

static int stream(listing *l, cli_source *s, gl_error *err)
{
    if (l->count_only && count_from_summaries(l, cli_source_reader(s)))
        return 0;
    unsigned columns = l->count_only ? 0 : GL_COL_ALL;
    cli_plan plan = cli_filter_plan(&l->filter, columns);
    int rc = 0;
    /* A plain count needs no names, so it does not wait for them. */
    if (plan.columns)
        rc = cli_source_dict(s, &l->print.dict, err);
    if (rc == 0)
        rc = cli_source_stream(s, &plan, on_events, l, err);
    return l->enough || l->wall_missing ? 0 : rc;
}

static int finish(listing *l, cli_source *s, const cli_args *args, int status, const gl_error *err)
{
    if (l->wall_missing) {
        cli_say("%s: the trace does not say what time it was (Go does since 1.25); leave out --wall", cli_source_name(s));
        return CLI_EXIT_INPUT;
    }
    if (l->count_only && status == 0)
        print_count(l);
    int rc = cli_out_finish(&l->out);
    if (status < 0)
        return cli_failed(status, err);
    bool gave_up = (l->filter.pattern && gl_pattern_gave_up(l->filter.pattern)) ||
                   (l->filter.query && gl_query_gave_up(l->filter.query));
    if (gave_up) {
        cli_say("%s: the regular expression needs too many steps on some texts; events are missing from the result",
                l->filter.query ? "--where" : "--grep");
        return CLI_EXIT_SYSTEM;
    }
    if (rc || l->enough)
        return rc;
    return cli_ended(s, args);
}

static int run_events(const cli_args *args)
{
    gl_error err = {0};
    cli_source *s = NULL;
    listing *l = calloc(1, sizeof *l);
    if (!l) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    int rc = cli_filter_init(&l->filter, args);
    if (rc) {
        free(l);
        return rc;
    }
    l->json = cli_args_has(args, CLI_OPT_JSON);
    l->count_only = cli_args_has(args, CLI_OPT_COUNT);
    l->print.stacks = cli_args_has(args, CLI_OPT_STACKS);
    l->print.wall = cli_args_has(args, CLI_OPT_WALL);
    l->print.out = &l->out;
    cli_out_init(&l->out, STDOUT_FILENO);
    cli_source_options o = cli_source_options_of(args);
    o.to_terminal = !l->count_only && isatty(STDOUT_FILENO);
    int status = cli_source_open(args->operands[0], &o, &s, &err);
    if (status == 0) {
        l->facts = cli_source_facts(s);
        status = stream(l, s, &err);
    }
    rc = s ? finish(l, s, args, status, &err) : cli_failed(status, &err);
    cli_source_close(s);
    cli_filter_clean_up(&l->filter);
    free(l);
    return rc;
}

static void add_plain(const char *s, gl_text *out)
{
    for (; *s; s++) {
        if (strchr("\\*_<>~#", *s))
            gl_text_str(out, "\\");
        gl_text_add(out, s, 1);
    }
}

/* What --where takes, for the manual page. */
static void add_expressions(gl_text *out)
{
    gl_text_str(out, "\n# EXPRESSIONS\n\n");
    add_plain("The option --where, and f and F in golanes-view(1), take an expression. A test is a field, one of = != ~ !~ < "
              "<= > >=, and a value. ~ is a regular expression, as Perl has them, whose case counts only where it has a "
              "capital letter. A value with spaces stands in double quotes. Tests side by side must all hold; or, not and "
              "parentheses do the rest. A word alone means goroutines: their start function or wait reason by a regular "
              "expression, or G and a number.\n\n"
              "An event that ends a stretch of a goroutine's life (a wait, a run) is asked about that stretch: its state, "
              "reason and length. A goroutine is meant where any of its events is.\n\n", out);
    for (size_t i = 0; gl_query_field_at(i); i++) {
        gl_text_printf(out, "*%s*\n\t", gl_query_field_at(i)->name);
        add_plain(gl_query_field_at(i)->help, out);
        gl_text_str(out, ".\n\n");
    }
    out->n--;
}

const cli_command cli_command_events = {
    .name = "events", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_events,
    .brief = "list, search and count events",
    .description =
        "Prints one line for each event, in the order of the trace: time, name, thread (M), processor (P), goroutine (G), "
        "arguments by name, and the function and line where it happened. \"-\" stands for none.\n\n"
        "With --json each line is an object: t (ns), name, m, p, g, args (by the names of golanes-format(5)), func, file and "
        "line, or stack with --stacks, and flags. Absent keys mean none or not known.\n\n"
        "Selections narrow each other; several --type or --goroutine widen their own.",
    CLI_OPTIONS(CLI_OPT_FROM, CLI_OPT_TO, CLI_OPT_GOROUTINE, CLI_OPT_TYPE, CLI_OPT_WHERE, CLI_OPT_GREP, CLI_OPT_IGNORE_CASE, CLI_OPT_LIMIT,
            CLI_OPT_JSON, CLI_OPT_STACKS, CLI_OPT_WALL, CLI_OPT_COUNT, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET,
            CLI_OPT_HELP),
    .page_more = add_expressions,
    .examples = {{"golanes events --where 'state=blocked reason~chan dur>5ms' run.lanes", "The ends of long waits for channels."},
                 {"golanes events --goroutine 37 --from 14ms --to 16ms run.lanes", "Two milliseconds of one goroutine."},
                 {"golanes events --type gcstw --stacks server.trace", "Every stop-the-world, and who asked for it."},
                 {"golanes events --type GoBlock --grep 'chan send' --count run.lanes", "How many sends had to wait."},
                 {"golanes events --json run.lanes | jq -r 'select(.name==\"UserLog\").args.message'",
                  "The program's own log."}},
};
