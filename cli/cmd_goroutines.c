/* golanes goroutines: where goroutines spent their lives, by start function and one by one. */
#include "golanes_analysis/breakdown.h"
#include "report.h"

#include <string.h>

typedef struct answer {
    gl_breakdown *breakdown;
    const gl_breakdown_result *r;
    gl_time_class sort;
} answer;

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    const char *sort = cli_args_text(run->args, CLI_OPT_SORT, gl_time_class_name[GL_TIME_LIFE]);
    for (unsigned i = 0; i < GL_TIME_CLASSES; i++) {
        if (strcmp(sort, gl_time_class_name[i]) == 0) {
            a->sort = (gl_time_class)i;
            return 0;
        }
    }
    const char *near = cli_nearest(sort, gl_time_class_name, GL_TIME_CLASSES);
    return cli_usage_error(run->args->command, "--sort: there is no column '%.40s'%s%s%s", sort,
                           near ? "; did you mean " : "; life, running, sched, channel, sync, network, sleep, collector, "
                                                      "other and syscall are",
                           near ? near : "", near ? "?" : "");
}

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    gl_breakdown_options o = {.sort = a->sort, .rows = run->top, .wanted = cli_report_wants, .user = run};
    a->breakdown = gl_breakdown_new(run->summary, run->dict, &o);
    return a->breakdown ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    (void)run;
    answer *a = self;
    return gl_breakdown_finish(a->breakdown, &a->r);
}

/* --- text --- */

#define TIMES 9
static const gl_time_class shown[TIMES] = {GL_TIME_LIFE, GL_TIME_RUNNING, GL_TIME_SCHED,   GL_TIME_SYSCALL, GL_TIME_CHANNEL,
                                           GL_TIME_SYNC, GL_TIME_NETWORK, GL_TIME_SLEEP, GL_TIME_OTHER};

static const gl_column columns[] = {
    {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 16, 0}, {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
    {"alive", GL_ALIGN_RIGHT, GL_CUT_END, 0, 8},         {"life", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
    {"running", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},       {"sched", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
    {"syscall", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},       {"channel", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
    {"sync", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2},          {"network", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},
    {"sleep", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5},         {"other", GL_ALIGN_RIGHT, GL_CUT_END, 0, 6}};
#define COLUMNS (sizeof columns / sizeof *columns)

static void add_times(cli_page *p, gl_table *t, const char *name, const char *n, const char *alive, const uint64_t *ns)
{
    cli_unit u[TIMES];
    const char *cells[COLUMNS] = {name, n, alive};
    for (unsigned i = 0; i < TIMES; i++) {
        uint64_t value = ns[shown[i]] + (shown[i] == GL_TIME_OTHER ? ns[GL_TIME_COLLECTOR] : 0);
        cells[3 + i] = cli_ns(u[i], value);
    }
    cli_add_row(p, t, cells);
}

static void group_row(cli_page *p, gl_table *t, const gl_breakdown_group *g, const char *name)
{
    cli_unit n, alive;
    uint64_t ns[GL_TIME_CLASSES];
    for (unsigned i = 0; i < GL_TIME_CLASSES; i++)
        ns[i] = g->time[i].total_ns;
    add_times(p, t, name, gl_unit_count(n, g->n), cli_count(alive, g->alive), ns);
}

static void totals(cli_page *p, const answer *a)
{
    gl_table *t = gl_table_new(columns, COLUMNS);
    char words[80], line[160];
    size_t rows = a->r->group_count < p->top ? a->r->group_count : p->top;
    snprintf(line, sizeof line, "%s; most time in '%s' first",
             cli_many(words, sizeof words, a->r->group_count, "start function", "start functions"),
             gl_time_class_name[a->sort]);
    cli_heading(p, "TIME IN ALL, BY START FUNCTION", line);
    for (size_t i = 0; i < rows; i++)
        group_row(p, t, &a->r->groups[i], cli_group_name(p, a->r->groups[i].group));
    if (a->r->group_count > 1)
        group_row(p, t, &a->r->all, "(all)");
    cli_finish_table(p, t);
    cli_more(p, rows, a->r->group_count, "start functions");
}

/* One column for itself: how it is spread over the goroutines of a group. */
static void spreads(cli_page *p, const answer *a)
{
    static const gl_column spread_columns[] = {
        {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 16, 0}, {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},           {"p95", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},           {"max", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"sched waits", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},   {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"p95", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},           {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2}};
    gl_table *t = gl_table_new(spread_columns, sizeof spread_columns / sizeof *spread_columns);
    char line[160];
    snprintf(line, sizeof line, "'%s' of each goroutine, and each single wait for a processor", gl_time_class_name[a->sort]);
    cli_heading(p, "SPREAD", line);
    size_t rows = a->r->group_count < p->top ? a->r->group_count : p->top;
    for (size_t i = 0; i < rows; i++) {
        const gl_breakdown_group *g = &a->r->groups[i];
        const gl_spread *s = &g->time[a->sort], *w = &g->sched_span;
        cli_unit u[9];
        const char *cells[] = {cli_group_name(p, g->group), gl_unit_count(u[0], g->n), cli_ns(u[1], s->p50_ns),
                               cli_ns(u[2], s->p95_ns),     cli_ns(u[3], s->p99_ns),   cli_ns(u[4], s->max_ns),
                               cli_count(u[5], w->n),       cli_ns(u[6], w->p50_ns),   cli_ns(u[7], w->p95_ns),
                               cli_ns(u[8], w->p99_ns)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
}

static void one_by_one(cli_page *p, const answer *a)
{
    gl_column own[COLUMNS];
    memcpy(own, columns, sizeof own);
    own[1].title = "G";
    own[2].title = "end";
    char words[80];
    cli_heading(p, "ONE BY ONE", cli_many(words, sizeof words, a->r->rows_in_all, "goroutine", "goroutines"));
    gl_table *t = gl_table_new(own, COLUMNS);
    for (size_t i = 0; i < a->r->row_count; i++) {
        const gl_breakdown_row *x = &a->r->rows[i];
        char g[32];
        const char *end = x->end_state == GL_G_NOT_EXIST ? "ended" : gl_gstate_name(x->end_state);
        add_times(p, t, cli_group_name(p, x->group), cli_goroutine(g, sizeof g, x->g), end, x->ns);
    }
    cli_finish_table(p, t);
    cli_more(p, a->r->row_count, (size_t)a->r->rows_in_all, "goroutines");
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    (void)run;
    if (!a->r->group_count) {
        cli_heading(p, "GOROUTINES", "none that --group wants");
        return;
    }
    totals(p, a);
    spreads(p, a);
    one_by_one(p, a);
    cli_note(p, CLI_DIM, "sched: runnable, waiting for a processor; channel: send, receive, select; sync: mutexes and "
                         "conditions; other: all other waits, those for the collector included.");
}

/* --- JSON --- */

static void json_group(cli_summary_json *w, const char *key, const gl_breakdown_group *g)
{
    cli_json *j = &w->json;
    cli_json_open(j, key, '{');
    cli_summary_json_string(w, "start", g->group);
    cli_json_bool(j, "system", g->system);
    cli_json_uint(j, "n", g->n);
    cli_json_uint(j, "created", g->created);
    cli_json_uint(j, "alive", g->alive);
    cli_json_open(j, "time", '{');
    for (unsigned i = 0; i < GL_TIME_CLASSES; i++)
        cli_json_spread(j, gl_time_class_name[i], &g->time[i]);
    cli_json_close(j, '}');
    cli_json_spread(j, "sched_waits", &g->sched_span);
    cli_json_close(j, '}');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const answer *a = self;
    cli_json *j = &w->json;
    (void)run;
    cli_json_str(j, "sorted_by", gl_time_class_name[a->sort]);
    json_group(w, "all", &a->r->all);
    cli_json_open(j, "groups", '[');
    for (size_t i = 0; i < a->r->group_count; i++)
        json_group(w, NULL, &a->r->groups[i]);
    cli_json_close(j, ']');
    cli_json_uint(j, "goroutines_in_all", a->r->rows_in_all);
    cli_json_open(j, "goroutines", '[');
    for (size_t i = 0; i < a->r->row_count; i++) {
        const gl_breakdown_row *x = &a->r->rows[i];
        cli_json_open(j, NULL, '{');
        cli_json_uint(j, "goroutine", x->g);
        cli_json_known(j, "parent", x->parent != GL_NO_GOROUTINE, x->parent);
        cli_summary_json_string(w, "start", x->group);
        cli_json_str(j, "end_state", gl_gstate_name(x->end_state));
        cli_json_int(j, "created", x->created);
        cli_json_known(j, "ended", x->ended >= 0, (uint64_t)x->ended);
        cli_json_open(j, "time_ns", '{');
        for (unsigned k = 0; k < GL_TIME_CLASSES; k++)
            cli_json_uint(j, gl_time_class_name[k], x->ns[k]);
        cli_json_close(j, '}');
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void clean_up(void *self) { gl_breakdown_destroy(((answer *)self)->breakdown); }

static const cli_report report = {.bytes = sizeof(answer),
                                  .prepare = prepare,
                                  .start = start,
                                  .finish = finish,
                                  .text = text,
                                  .json = json,
                                  .clean_up = clean_up};

static int run_goroutines(const cli_args *args) { return cli_report_answer(args, &report); }

const cli_command cli_command_goroutines = {
    .name = "goroutines", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_goroutines,
    .brief = "where goroutines spent their time, by start function",
    .description =
        "Prints, for the goroutines of each start function and for the goroutines themselves, how long they lived, ran, waited "
        "for a processor (sched), were in system calls, and waited: in channel operations, for mutexes and conditions (sync), "
        "the network, a sleep, the collector, or something else. Percentiles are over the goroutines of a start function; of "
        "waits for a processor also over the single waits.\n\n"
        "With --json every start function is there, and as many goroutines as --top says.",
    CLI_OPTIONS(CLI_OPT_SORT, CLI_OPT_GROUP, CLI_REPORT_OPTIONS),
    .examples = {{"golanes goroutines server.trace", "All start functions, longest lives first."},
                 {"golanes goroutines --sort sched --group 'http' server.trace", "Who of the HTTP server waited most for a processor?"},
                 {"golanes goroutines --json run.lanes | jq '.groups[] | {start, n, p99: .time.sync.p99_ns}'", "For a script."}},
};
