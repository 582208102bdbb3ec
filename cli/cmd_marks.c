/* golanes regions and golanes tasks: what the program says of itself. */
#include "cmd_task.h"
#include "golanes_analysis/marks.h"
#include "report.h"

typedef struct answer {
    cli_report_run *run;
    gl_marks *marks;
    const gl_marks_result *r;
    gl_pattern *name;
} answer;

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    const char *regex = cli_args_text(run->args, CLI_OPT_NAME, NULL);
    char why[300];
    a->run = run;
    if (regex && !(a->name = gl_pattern_new(regex, 0, why, sizeof why)))
        return cli_usage_error(run->args->command, "--name: %s", why);
    return 0;
}

static bool wanted(void *user, uint32_t name)
{
    answer *a = user;
    return !a->name || gl_pattern_string(a->name, a->run->dict, name);
}

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    gl_marks_options o = {.slow = run->top, .wanted = wanted, .user = a};
    a->marks = gl_marks_new(run->summary, &o);
    return a->marks ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    return gl_marks_finish(a->marks, run->r, &a->r);
}

static void clean_up(void *self)
{
    answer *a = self;
    gl_marks_destroy(a->marks);
    gl_pattern_destroy(a->name);
}

/* --- regions --- */

static void region_types(cli_page *p, const gl_marks_result *r)
{
    static const gl_column columns[] = {
        {"region", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0},  {"at", GL_ALIGN_LEFT, GL_CUT_START, 12, 7},
        {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},          {"in all", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},        {"p95", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},
        {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},        {"max", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"running", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},    {"sched", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"waiting", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},    {"syscall", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5},
        {"unended", GL_ALIGN_RIGHT, GL_CUT_END, 0, 6}};
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t rows = r->region_count < p->top ? r->region_count : p->top;
    for (size_t i = 0; i < rows; i++) {
        const gl_marks_type *m = &r->regions[i];
        cli_unit u[11];
        char where[300];
        const char *cells[] = {cli_string_of(p, m->name),
                               m->site.stack ? cli_place(p, &m->site, where, sizeof where) : "",
                               gl_unit_count(u[0], m->time.n),
                               cli_ns(u[1], m->time.total_ns),
                               cli_ns(u[2], m->time.p50_ns),
                               cli_ns(u[3], m->time.p95_ns),
                               cli_ns(u[4], m->time.p99_ns),
                               cli_ns(u[5], m->time.max_ns),
                               cli_ns(u[6], m->ns[GL_G_RUNNING]),
                               cli_ns(u[7], m->ns[GL_G_RUNNABLE]),
                               cli_ns(u[8], m->ns[GL_G_WAITING]),
                               cli_ns(u[9], m->ns[GL_G_SYSCALL]),
                               cli_count(u[10], m->open_end)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->region_count, "types of regions");
}

static void slow_regions(cli_page *p, const gl_marks_result *r)
{
    static const gl_column columns[] = {
        {"region", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0}, {"G", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},
        {"task", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},      {"begun", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"took", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},      {"running", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"sched", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},     {"waiting", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"syscall", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5}};
    cli_heading(p, "THE SLOWEST", "");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < r->slow_region_count; i++) {
        const gl_region *x = &r->slow_regions[i];
        cli_unit u[7];
        char g[32], took[64], task[32] = "-";
        if (x->task)
            snprintf(task, sizeof task, "%llu", (unsigned long long)x->task);
        snprintf(took, sizeof took, "%s%s", x->open_end ? ">" : "", gl_unit_ns(u[1], x->end - x->begin));
        const char *cells[] = {cli_string_of(p, x->type),
                               cli_goroutine(g, sizeof g, x->g),
                               task,
                               gl_unit_ns(u[0], x->begin),
                               took,
                               cli_ns(u[2], x->ns[GL_G_RUNNING]),
                               cli_ns(u[3], x->ns[GL_G_RUNNABLE]),
                               cli_ns(u[4], x->ns[GL_G_WAITING]),
                               cli_ns(u[5], x->ns[GL_G_SYSCALL])};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
}

static void text_regions(const cli_report_run *run, void *self, cli_page *p)
{
    const gl_marks_result *r = ((answer *)self)->r;
    char words[80];
    (void)run;
    cli_heading(p, "REGIONS", cli_many(words, sizeof words, r->region_count, "type", "types"));
    if (!r->region_count) {
        cli_note(p, CLI_DIM, "The trace has none of these. A program makes them with runtime/trace's WithRegion "
                             "and StartRegion.");
        return;
    }
    region_types(p, r);
    slow_regions(p, r);
    cli_note(p, CLI_DIM, "running, sched, waiting, syscall: where the time of the region's goroutine went. > was still open.");
}

static void json_type(cli_summary_json *w, const char *key, const gl_marks_type *m)
{
    cli_json *j = &w->json;
    cli_summary_json_string(w, key, m->name);
    cli_json_uint(j, "open_start", m->open_start);
    cli_json_uint(j, "open_end", m->open_end);
    cli_json_spread(j, "time", &m->time);
}

static void json_states(cli_json *j, const uint64_t *ns)
{
    cli_json_open(j, "time_ns", '{');
    cli_json_uint(j, "running", ns[GL_G_RUNNING]);
    cli_json_uint(j, "sched", ns[GL_G_RUNNABLE]);
    cli_json_uint(j, "waiting", ns[GL_G_WAITING]);
    cli_json_uint(j, "syscall", ns[GL_G_SYSCALL]);
    cli_json_close(j, '}');
}

static void json_regions(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const gl_marks_result *r = ((answer *)self)->r;
    cli_json *j = &w->json;
    (void)run;
    cli_json_open(j, "regions", '[');
    for (size_t i = 0; i < r->region_count; i++) {
        cli_json_open(j, NULL, '{');
        json_type(w, "type", &r->regions[i]);
        cli_summary_json_site(w, "site", &r->regions[i].site);
        json_states(j, r->regions[i].ns);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_open(j, "slowest", '[');
    for (size_t i = 0; i < r->slow_region_count; i++) {
        const gl_region *x = &r->slow_regions[i];
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "type", x->type);
        cli_json_uint(j, "goroutine", x->g);
        cli_summary_json_string(w, "start", x->group);
        cli_json_known(j, "task", x->task != 0, x->task);
        cli_json_int(j, "begin", x->begin);
        cli_json_int(j, "end", x->end);
        cli_json_bool(j, "open_end", x->open_end);
        cli_summary_json_site(w, "site", &x->site);
        json_states(j, x->ns);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

/* --- tasks --- */

static void task_types(cli_page *p, const gl_marks_result *r)
{
    static const gl_column columns[] = {
        {"task", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0},  {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"in all", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},   {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"p95", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},      {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"max", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},      {"unended", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"regions", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},  {"messages", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4}};
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t rows = r->task_count < p->top ? r->task_count : p->top;
    for (size_t i = 0; i < rows; i++) {
        const gl_marks_type *m = &r->tasks[i];
        const char *name = cli_string_of(p, m->name);
        cli_unit u[9];
        const char *cells[] = {*name ? name : "(begun before the trace)",
                               gl_unit_count(u[0], m->time.n + m->open_start + m->open_end),
                               cli_ns(u[1], m->time.total_ns),
                               cli_ns(u[2], m->time.p50_ns),
                               cli_ns(u[3], m->time.p95_ns),
                               cli_ns(u[4], m->time.p99_ns),
                               cli_ns(u[5], m->time.max_ns),
                               cli_count(u[6], m->open_end),
                               cli_count(u[7], m->regions),
                               cli_count(u[8], m->logs)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->task_count, "names of tasks");
}

static void slow_tasks(cli_page *p, const gl_marks_result *r)
{
    static const gl_column columns[] = {
        {"task", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},    {"name", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0},
        {"parent", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},  {"begun", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"took", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},    {"children", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},
        {"regions", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4}, {"messages", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4}};
    cli_heading(p, "THE SLOWEST", "those that did not end first");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < r->slow_task_count; i++) {
        const gl_task_figures *x = &r->slow_tasks[i];
        cli_unit u[6];
        char id[32], parent[32] = "-", took[64] = "-";
        snprintf(id, sizeof id, "%llu", (unsigned long long)x->id);
        if (x->parent != UINT64_MAX)
            snprintf(parent, sizeof parent, "%llu", (unsigned long long)x->parent);
        if (x->start >= 0 && x->end >= 0)
            snprintf(took, sizeof took, "%s", gl_unit_ns(u[0], x->end - x->start));
        else if (x->start >= 0)
            snprintf(took, sizeof took, ">%s", gl_unit_ns(u[0], p->r->end_ns - x->start));
        const char *cells[] = {id,
                               cli_string_of(p, x->name),
                               parent,
                               x->start >= 0 ? gl_unit_ns(u[1], x->start) : "before",
                               took,
                               cli_count(u[2], x->children),
                               cli_count(u[3], x->regions),
                               cli_count(u[4], x->logs)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, r->slow_task_count, (size_t)r->tasks_in_all, "tasks");
    if (r->tasks_cut)
        cli_note(p, CLI_WARN, "There are more tasks than are kept; these are the first of them.");
}

static void text_tasks(const cli_report_run *run, void *self, cli_page *p)
{
    const gl_marks_result *r = ((answer *)self)->r;
    char words[80];
    (void)run;
    cli_heading(p, "TASKS", cli_many(words, sizeof words, r->tasks_in_all, "task", "tasks"));
    if (!r->task_count) {
        cli_note(p, CLI_DIM, "The trace has none of these. A program makes them with runtime/trace's NewTask.");
        return;
    }
    task_types(p, r);
    slow_tasks(p, r);
}

static void json_tasks(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const gl_marks_result *r = ((answer *)self)->r;
    cli_json *j = &w->json;
    (void)run;
    cli_json_open(j, "names", '[');
    for (size_t i = 0; i < r->task_count; i++) {
        cli_json_open(j, NULL, '{');
        json_type(w, "name", &r->tasks[i]);
        cli_json_uint(j, "regions", r->tasks[i].regions);
        cli_json_uint(j, "messages", r->tasks[i].logs);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_uint(j, "tasks_in_all", r->tasks_in_all);
    cli_json_bool(j, "tasks_cut", r->tasks_cut);
    cli_json_open(j, "tasks", '[');
    for (size_t i = 0; i < r->slow_task_count; i++) {
        const gl_task_figures *x = &r->slow_tasks[i];
        cli_json_open(j, NULL, '{');
        cli_json_uint(j, "task", x->id);
        cli_summary_json_string(w, "name", x->name);
        cli_json_known(j, "parent", x->parent != UINT64_MAX, x->parent);
        cli_json_known(j, "begin", x->start >= 0, (uint64_t)x->start);
        cli_json_known(j, "end", x->end >= 0, (uint64_t)x->end);
        cli_json_uint(j, "children", x->children);
        cli_json_uint(j, "regions", x->regions);
        cli_json_uint(j, "messages", x->logs);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static const cli_report regions_report = {.bytes = sizeof(answer),
                                          .prepare = prepare,
                                          .start = start,
                                          .finish = finish,
                                          .text = text_regions,
                                          .json = json_regions,
                                          .clean_up = clean_up};
static const cli_report tasks_report = {.bytes = sizeof(answer),
                                        .prepare = prepare,
                                        .start = start,
                                        .finish = finish,
                                        .text = text_tasks,
                                        .json = json_tasks,
                                        .clean_up = clean_up};

static int run_regions(const cli_args *args) { return cli_report_answer(args, &regions_report); }
static int run_tasks(const cli_args *args)
{
    return cli_report_answer(args, cli_args_has(args, CLI_OPT_TASK) ? &cli_task_report : &tasks_report);
}

const cli_command cli_command_regions = {
    .name = "regions", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_regions,
    .brief = "the program's own regions, how long they took and why",
    .description = "Prints the user regions (runtime/trace's WithRegion and StartRegion) by type: how many there were, how long "
                   "they took, with percentiles, and where the time of their goroutines went meanwhile: running, waiting for a "
                   "processor, waiting, in system calls. Then the slowest of them one by one.",
    CLI_OPTIONS(CLI_OPT_NAME, CLI_REPORT_OPTIONS),
    .examples = {{"golanes regions server.trace", "All types, most time first."},
                 {"golanes regions --name '^parse' --top 20 server.trace", "The twenty slowest of some."}},
};

const cli_command cli_command_tasks = {
    .name = "tasks", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_tasks,
    .brief = "the program's own tasks, and the slowest of them",
    .description = "Prints the user tasks (runtime/trace's NewTask) by name: how many there were, how long they took, with "
                   "percentiles, how many did not end, and what they held. Then the slowest of them one by one, those that did "
                   "not end first.\n\nWith --task N the page of one task: what happened in it, in order (its begin and end, "
                   "messages, regions, children), its regions with where their time went, and which goroutines worked on it.",
    CLI_OPTIONS(CLI_OPT_NAME, CLI_OPT_TASK, CLI_REPORT_OPTIONS),
    .examples = {{"golanes tasks server.trace", "All names, most time first."},
                 {"golanes tasks --task 17 --top 100 server.trace", "Everything that happened in one task."},
                 {"golanes tasks --json run.lanes | jq '.names[] | {name, p99: .time.p99_ns}'", "For a script."}},
};
