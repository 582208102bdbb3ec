/* golanes diff: two traces compared. */
#include "golanes_analysis/compare.h"
#include "report.h"

#include <stdlib.h>

#define TOLERANCE_DEFAULT 75 /* per cent */
#define MOOD_BUSY 1.4 /* two runs on a quiet machine are at 1.05 to 1.3 */

typedef struct half {
    gl_profile *profile;
    gl_anomalies *anomalies;
    gl_channels *channels;
    gl_blocked *blocked;
    gl_straddling *straddling;
} half;

typedef struct answer {
    half b, a;
    cli_report_run *a_run;
    double tolerance;
    gl_comparison found;
} answer;

static int start_half(cli_report_run *run, void *self)
{
    half *h = self;
    gl_straddling_options so = {.kinds = (1u << GL_OPERATION_KINDS) - 1};
    h->anomalies = gl_anomalies_new(run->summary, run->dict, 0);
    h->channels = gl_channels_new(run->summary, run->dict, &(gl_channels_options){.keep = 0});
    h->straddling = gl_straddling_new(run->summary, &so);
    h->profile = gl_profile_new(run->summary, run->dict);
    if (!h->anomalies || !h->channels || !h->straddling || !h->profile)
        return GL_E_NOMEM;
    gl_anomalies_set_channels(h->anomalies, h->channels);
    h->blocked = gl_blocked_new(run->summary, run->dict, h->channels);
    return h->blocked ? 0 : GL_E_NOMEM;
}

static int finish_half(cli_report_run *run, void *self)
{
    half *h = self;
    gl_profile_sources from = {.summary = run->r};
    int status = gl_anomalies_finish(h->anomalies, run->r->end_ns, &from.anomalies);
    if (status == 0)
        status = gl_blocked_finish(h->blocked, run->r, &from.blocked);
    if (status == 0)
        status = gl_channels_finish(h->channels, run->r->end_ns, &from.channels);
    if (status == 0)
        status = gl_straddling_finish(h->straddling, &from.straddling);
    return status < 0 ? status : gl_profile_finish(h->profile, &from);
}

static void clean_up_half(half *h)
{
    gl_profile_destroy(h->profile);
    gl_blocked_destroy(h->blocked);
    gl_anomalies_destroy(h->anomalies);
    gl_channels_destroy(h->channels);
    gl_straddling_destroy(h->straddling);
}

static const cli_report half_report = {.bytes = sizeof(half), .start = start_half, .finish = finish_half};

/* The report itself is about B; A is read before. */
static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    a->tolerance = (double)cli_args_number(run->args, CLI_OPT_TOLERANCE, TOLERANCE_DEFAULT) / 100;
    a->a_run = calloc(1, sizeof *a->a_run);
    if (!a->a_run) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    return cli_report_read(run->args, run->args->operands[0], &half_report, &a->a, a->a_run);
}

static int start(cli_report_run *run, void *self) { return start_half(run, &((answer *)self)->b); }

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    int status = finish_half(run, &a->b);
    return status < 0 ? status : gl_profile_compare(a->a.profile, a->b.profile, a->tolerance, &a->found);
}

static void clean_up(void *self)
{
    answer *a = self;
    free(a->found.list);
    clean_up_half(&a->b);
    clean_up_half(&a->a);
    if (a->a_run)
        cli_report_close(a->a_run);
    free(a->a_run);
}

static size_t count_worse(const answer *a)
{
    size_t n = 0;
    for (size_t i = 0; i < a->found.n; i++)
        n += a->found.list[i].worse;
    return n;
}

static int verdict(const cli_report_run *run, void *self)
{
    return cli_args_has(run->args, CLI_OPT_FAIL) && count_worse(self) ? 1 : 0;
}

/* --- text --- */

static void row(cli_page *p, gl_table *t, const gl_difference *d)
{
    cli_unit a, b;
    char factor[40] = "new";
    bool time = gl_aspect_is_time(d->aspect);
    if (time) {
        gl_unit_ns(a, (int64_t)d->a.p50_ns);
        gl_unit_ns(b, (int64_t)d->b.p50_ns);
    } else {
        gl_unit_count(a, (uint64_t)d->value_a);
        gl_unit_count(b, (uint64_t)d->value_b);
    }
    if (!time && d->value_b == 0)
        snprintf(factor, sizeof factor, "gone");
    else if (d->factor >= 1)
        snprintf(factor, sizeof factor, "x %.2f", d->factor);
    else if (d->factor > 0)
        snprintf(factor, sizeof factor, "/ %.2f", 1 / d->factor);
    const char *cells[] = {gl_aspect_name[d->aspect], cli_short_name(d->key), a, b, factor};
    cli_add_row(p, t, cells);
}

static void table(cli_page *p, const gl_difference *list, size_t all, const char *title, const char *note)
{
    static const gl_column columns[] = {{"what", GL_ALIGN_LEFT, GL_CUT_END, 0, 0}, {"of", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 16, 0},
                                        {"A", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},   {"B", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    size_t shown = 0;
    cli_unit n;
    if (!all)
        return;
    cli_heading(p, title, note ? note : gl_unit_count(n, all));
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (; shown < all && shown < p->top; shown++)
        row(p, t, &list[shown]);
    cli_finish_table(p, t);
    cli_more(p, shown, all, "differences");
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    cli_summary_file file = {0};
    cli_page other = *p;
    other.out = (gl_text){0};
    cli_report_file(a->a_run, &file);
    other.file = &file;
    other.r = a->a_run->r;
    gl_text_str(&p->out, "  compared with\n");
    cli_page_title(&other);
    cli_page_lost(&other);
    gl_text_add(&p->out, other.out.bytes ? other.out.bytes : "", other.out.n);
    gl_text_clean_up(&other.out);
    (void)run;
    size_t worse = count_worse(a); /* these come first */
    table(p, a->found.list, worse, "WORSE IN B", NULL);
    table(p, a->found.list + worse, a->found.n - worse, "BETTER IN B", NULL);
    if (!a->found.n)
        cli_heading(p, "NO DIFFERENCE", "beyond what chance and the tolerance explain");
    table(p, a->found.list + a->found.n, a->found.unsure, "NOT SURE", "a busy machine could do that, too: run both once more");
    if (a->found.mood > MOOD_BUSY) {
        char line[200];
        snprintf(line, sizeof line, "Times differ throughout, by a factor of %.1f: the machine was busy in one of the two, or "
                 "everything is different.", a->found.mood);
        cli_note(p, CLI_WARN, line);
    }
    else
        cli_note(p, CLI_DIM, "Of times the medians; counts are those of each trace, compared for equal lengths.");
}

/* --- JSON --- */

static void json_list(cli_json *j, const char *name, const gl_difference *list, size_t n)
{
    cli_json_open(j, name, '[');
    for (const gl_difference *d = list; d < list + n; d++) {
        cli_json_open(j, NULL, '{');
        cli_json_str(j, "what", gl_aspect_name[d->aspect]);
        cli_json_str(j, "of", d->key);
        cli_json_bool(j, "worse", d->worse);
        if (d->factor > 0)
            cli_json_real(j, "factor", d->factor);
        else
            cli_json_null(j, "factor");
        if (gl_aspect_is_time(d->aspect)) {
            cli_json_spread(j, "a", &d->a);
            cli_json_spread(j, "b", &d->b);
        } else {
            cli_json_real(j, "a", d->value_a);
            cli_json_real(j, "b", d->value_b);
        }
        cli_json_real(j, "sigmas", d->sigmas);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const answer *a = self;
    cli_json *j = &w->json;
    (void)run;
    cli_json_str(j, "against", cli_source_name(a->a_run->source));
    cli_json_int(j, "against_end_ns", a->a_run->r->end_ns);
    cli_json_real(j, "tolerance", a->tolerance);
    cli_json_real(j, "mood", a->found.mood);
    cli_json_uint(j, "worse", count_worse(a));
    cli_json_uint(j, "better", a->found.n - count_worse(a));
    json_list(j, "differences", a->found.list, a->found.n);
    json_list(j, "unsure", a->found.list + a->found.n, a->found.unsure);
}

static const cli_report report = {.bytes = sizeof(answer),
                                  .prepare = prepare,
                                  .start = start,
                                  .finish = finish,
                                  .text = text,
                                  .json = json,
                                  .verdict = verdict,
                                  .clean_up = clean_up};

static int run_diff(const cli_args *args)
{
    return cli_report_answer_of(args, args->operands[1], &report); /* the first one is read by prepare */
}

static const cli_exit exits[] = {
    {0, "Compared (with --fail: and nothing is worse)."},
    {1, "With --fail: something is worse in B. With --strict: a trace is damaged or incomplete."},
    {CLI_EXIT_USAGE, "The command line was wrong."},
    {CLI_EXIT_INPUT, "One of the two could not be read, or is not a trace."},
    {CLI_EXIT_OUTPUT, "The output could not be written."},
    {CLI_EXIT_SYSTEM, "The system refused something else, such as memory."},
    {CLI_EXIT_INTERRUPTED, "Interrupted (SIGINT)."},
    {CLI_EXIT_TERMINATED, "Terminated (SIGTERM)."},
};

const cli_command cli_command_diff = {
    .name = "diff", .operands = "A B", .operands_min = 2, .operands_max = 2, .run = run_diff,
    .brief = "what is worse or better in a second trace",
    .description =
        "Compares two traces and prints what is worse in B, then what is better: lengths and numbers of pauses, waits for a "
        "processor and other waits, running times and system calls by start function, operations that straddle pauses, goroutines "
        "that are stuck, anomalies, numbers of goroutines, capacities of channels.\n\n"
        "Nothing is said of what chance, the machine or a longer run may explain. Of times, the median and the first "
        "quartile must differ by more than the tolerance, and the third by half of that (a busy machine adds long ones); the means "
        "by more than four standard deviations, as the scatter between parts of each trace gives them. Counts must differ by more than the "
        "tolerance and as many deviations of such counts, as they are, for the length of the traces, and for the work that was "
        "done. Waits get twice the tolerance, numbers of straddling operations four times: they depend on the scheduler.\n\n"
        "Where all other times differ too, it is said, and the tolerance grows with it (little for pauses, more for what the "
        "scheduler decides): one of the two runs may have met a busy machine. What is beyond the tolerance, but not beyond that one, "
        "is listed as not sure, and is no failure. Two runs of one program are to compare as equal; to see small differences, "
        "compare runs on a quiet machine.",
    CLI_OPTIONS(CLI_OPT_TOLERANCE, CLI_OPT_FAIL, CLI_REPORT_OPTIONS),
    .exits = exits, .exit_count = sizeof exits / sizeof *exits,
    .examples = {{"golanes diff before.lanes after.lanes", "Did a change make anything worse?"},
                 {"golanes diff --fail --tolerance 50 before.lanes after.lanes", "For a build: fails where anything is half again as bad."},
                 {"golanes diff --json a.trace b.trace | jq '.differences[] | select(.worse)'", "For a script."}},
};
