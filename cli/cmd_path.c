/* golanes path: what a goroutine's progress depended on. */
#include "golanes_analysis/path.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

typedef struct answer {
    gl_path_options o;
    gl_path *path;
    const gl_path_result *r;
    size_t *longest; /* steps, the longest first */
} answer;

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    a->o.g = cli_args_number(run->args, CLI_OPT_PATH_GOROUTINE, 1);
    a->o.from = (int64_t)cli_args_number(run->args, CLI_OPT_PATH_FROM, 0);
    a->o.to = (int64_t)cli_args_number(run->args, CLI_OPT_PATH_TO, INT64_MAX);
    if (a->o.from >= a->o.to)
        return cli_usage_error(run->args->command, "--from must be before --to");
    return 0;
}

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    a->path = gl_path_new(run->summary, &a->o);
    return a->path ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    int status = gl_path_finish(a->path, run->r->end_ns, &a->r);
    if (status < 0)
        return status;
    a->longest = CLI_LONGEST(a->r->steps, a->r->step_count);
    return a->longest ? 0 : GL_E_NOMEM;
}

static void clean_up(void *self)
{
    answer *a = self;
    gl_path_destroy(a->path);
    free(a->longest);
}

static const char *state_name(uint8_t state)
{
    static const char *const names[GL_G_STATES] = {[GL_G_RUNNABLE] = "sched", [GL_G_RUNNING] = "running",
                                                   [GL_G_SYSCALL] = "syscall", [GL_G_WAITING] = "waiting"};
    return state < GL_G_STATES && names[state] ? names[state] : "?";
}

static const char *link_name(gl_path_link link)
{
    static const char *const names[] = {"goes on", "wakes", "makes", "the end"};
    return names[link];
}

/* --- text --- */

static void shares(cli_page *p, const gl_path_result *r)
{
    static const gl_column columns[] = {
        {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 16, 0}, {"state", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},
        {"for", GL_ALIGN_LEFT, GL_CUT_END, 10, 3},           {"steps", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2},
        {"time", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},          {"share", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    cli_heading(p, "WHERE THE TIME WENT", "");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t rows = r->share_count < p->top ? r->share_count : p->top;
    for (size_t i = 0; i < rows; i++) {
        const gl_path_share *x = &r->shares[i];
        cli_unit steps, time, part;
        const char *cells[] = {cli_group_name(p, x->group),
                               state_name(x->state),
                               x->state == GL_G_WAITING ? cli_reason_name(p, x->reason) : "",
                               gl_unit_count(steps, x->steps),
                               cli_ns(time, x->ns),
                               gl_unit_share(part, r->end > r->begin ? (double)x->ns / (double)(r->end - r->begin) : 0)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->share_count, "rows");
}

static gl_table *step_table(void)
{
    static const gl_column columns[] = {
        {"begun", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},         {"G", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},
        {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 14, 0}, {"state", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},
        {"took", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},          {"at", GL_ALIGN_LEFT, GL_CUT_START, 14, 2},
        {"then", GL_ALIGN_LEFT, GL_CUT_END, 0, 3}};
    return gl_table_new(columns, sizeof columns / sizeof *columns);
}

static void step_row(cli_page *p, gl_table *t, const gl_path_step *x)
{
    cli_unit at, took;
    char g[32], where[300], state[120], then[80];
    snprintf(state, sizeof state, "%s", x->state == GL_G_WAITING ? cli_reason_name(p, x->reason) : state_name(x->state));
    if (x->link == GL_PATH_WAKES || x->link == GL_PATH_CREATES)
        snprintf(then, sizeof then, "%s G%llu", link_name(x->link), (unsigned long long)x[1].g);
    else
        snprintf(then, sizeof then, "%s", link_name(x->link));
    const char *cells[] = {gl_unit_ns(at, x->begin),
                           cli_goroutine(g, sizeof g, x->g),
                           cli_group_name(p, x->group),
                           state,
                           gl_unit_ns(took, x->end - x->begin),
                           x->site.stack ? cli_place(p, &x->site, where, sizeof where) : "",
                           then};
    cli_add_row(p, t, cells);
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    const gl_path_result *r = a->r;
    cli_unit from, to, steps, hops;
    char line[200];
    size_t rows = r->step_count < p->top ? r->step_count : p->top;
    (void)run;
    if (!r->found) {
        snprintf(line, sizeof line, "G%llu is not in that part of the trace", (unsigned long long)a->o.g);
        cli_heading(p, "THE PATH", line);
        return;
    }
    snprintf(line, sizeof line, "to where G%llu is at %s, from %s on: %s steps, %s hops from one goroutine to another",
             (unsigned long long)a->o.g, gl_unit_ns(to, r->end), gl_unit_ns(from, r->begin), gl_unit_count(steps, r->step_count),
             gl_unit_count(hops, r->hops));
    cli_heading(p, "THE PATH", line);
    if (r->cut)
        cli_note(p, CLI_WARN, "It has more steps than are kept: its beginning was forgotten. --from makes it shorter.");
    shares(p, r);
    cli_heading(p, "ITS LONGEST STEPS", "");
    gl_table *t = step_table();
    for (size_t i = 0; i < rows; i++)
        step_row(p, t, &a->r->steps[a->longest[i]]);
    cli_finish_table(p, t);
    cli_heading(p, "ITS LAST STEPS", "");
    t = step_table();
    for (size_t i = r->step_count - rows; i < r->step_count; i++)
        step_row(p, t, &r->steps[i]);
    cli_finish_table(p, t);
    cli_note(p, CLI_DIM, "sched: could run, and waited for a processor. A wait is on the path where nobody of the program ended "
                         "it; else the path is that of whom it waited for.");
}

/* --- JSON --- */

static void json_step(cli_summary_json *w, const gl_path_step *x)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_uint(j, "goroutine", x->g);
    cli_summary_json_string(w, "start", x->group);
    cli_json_str(j, "state", state_name(x->state));
    cli_summary_json_string(w, "reason", x->reason);
    cli_json_int(j, "begin", x->begin);
    cli_json_int(j, "end", x->end);
    cli_summary_json_site(w, "site", &x->site);
    cli_json_str(j, "then", link_name(x->link));
    cli_json_close(j, '}');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const answer *a = self;
    const gl_path_result *r = a->r;
    cli_json *j = &w->json;
    size_t rows = r->step_count < run->top ? r->step_count : run->top;
    cli_json_uint(j, "goroutine", a->o.g);
    cli_json_bool(j, "found", r->found);
    cli_json_bool(j, "cut", r->cut);
    cli_json_int(j, "begin", r->begin);
    cli_json_int(j, "end", r->end);
    cli_json_uint(j, "steps_in_all", r->step_count);
    cli_json_uint(j, "hops", r->hops);
    cli_json_open(j, "shares", '[');
    for (size_t i = 0; i < r->share_count; i++) {
        const gl_path_share *x = &r->shares[i];
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "start", x->group);
        cli_json_str(j, "state", state_name(x->state));
        cli_summary_json_string(w, "reason", x->reason);
        cli_json_uint(j, "steps", x->steps);
        cli_json_uint(j, "total_ns", x->ns);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_open(j, "longest", '[');
    for (size_t i = 0; i < rows; i++)
        json_step(w, &a->r->steps[a->longest[i]]);
    cli_json_close(j, ']');
    cli_json_open(j, "last", '[');
    for (size_t i = r->step_count - rows; i < r->step_count; i++)
        json_step(w, &r->steps[i]);
    cli_json_close(j, ']');
}

static const cli_report report = {.bytes = sizeof(answer),
                                  .prepare = prepare,
                                  .start = start,
                                  .finish = finish,
                                  .text = text,
                                  .json = json,
                                  .clean_up = clean_up};

static int run_path(const cli_args *args) { return cli_report_answer(args, &report); }

const cli_command cli_command_path = {
    .name = "path", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_path,
    .brief = "the critical path to where a goroutine is at a moment",
    .description =
        "Follows back what a goroutine's progress depended on: while it ran or waited for a processor the path is its own; where "
        "it waited for another goroutine the path is that one's, up to the moment when it ended the wait, and so on, up to --from. "
        "Prints where the time of the path went, its longest steps and its last ones. What is not on the path could have been "
        "faster without any effect on the goroutine.",
    CLI_OPTIONS(CLI_OPT_PATH_GOROUTINE, CLI_OPT_PATH_FROM, CLI_OPT_PATH_TO, CLI_REPORT_OPTIONS),
    .examples = {{"golanes path server.trace", "What the whole program (goroutine 1) waited for."},
                 {"golanes path --goroutine 37 --from 14ms --to 16ms run.lanes", "Why did it take these two milliseconds?"},
                 {"golanes path --json --top 0 run.lanes | jq '.last[]'", "Every step."}},
};
