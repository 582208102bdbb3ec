#include "cmd_task.h"

#include "golanes_analysis/task_story.h"

typedef struct answer {
    gl_task_story *story;
    const gl_task_story_result *r;
} answer;

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    a->story = gl_task_story_new(run->summary, cli_args_number(run->args, CLI_OPT_TASK, 0));
    return a->story ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    return gl_task_story_finish(a->story, run->r, &a->r);
}

static void clean_up(void *self) { gl_task_story_destroy(((answer *)self)->story); }

/* --- text --- */

static void title(cli_page *p, const gl_task_story_result *r)
{
    const gl_task_figures *t = &r->task;
    cli_unit at, took;
    char line[400], parent[64] = "", heading[64];
    const char *name = cli_string_of(p, t->name);
    if (t->parent != UINT64_MAX)
        snprintf(parent, sizeof parent, ", child of task %llu", (unsigned long long)t->parent);
    if (t->start >= 0 && t->end >= 0)
        snprintf(line, sizeof line, "%s%s, begun at %s, took %s", name, parent, gl_unit_ns(at, t->start),
                 gl_unit_ns(took, t->end - t->start));
    else if (t->start >= 0)
        snprintf(line, sizeof line, "%s%s, begun at %s, did not end", name, parent, gl_unit_ns(at, t->start));
    else
        snprintf(line, sizeof line, "begun before the trace%s", parent);
    snprintf(heading, sizeof heading, "TASK %llu", (unsigned long long)t->id);
    cli_heading(p, heading, line);
}

static void what(const cli_page *p, const gl_task_event *e, char *out, size_t n)
{
    if (e->kind == GL_TASK_LOGGED)
        snprintf(out, n, "%s%s%s", cli_string_of(p, e->name), e->name ? ": " : "", cli_string_of(p, e->text));
    else if (e->kind == GL_TASK_CHILD_BEGAN || e->kind == GL_TASK_CHILD_ENDED)
        snprintf(out, n, "task %llu %s", (unsigned long long)e->child, cli_string_of(p, e->name));
    else
        snprintf(out, n, "%s", cli_string_of(p, e->name));
}

static void events(cli_page *p, const gl_task_story_result *r)
{
    static const gl_column columns[] = {
        {"at", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},   {"after", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"G", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},     {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 4},
        {"event", GL_ALIGN_LEFT, GL_CUT_END, 0, 0}, {"", GL_ALIGN_LEFT, GL_CUT_END, 12, 0}};
    size_t rows = r->event_count < p->top ? r->event_count : p->top;
    cli_heading(p, "WHAT HAPPENED", "after: since the event before");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < rows; i++) {
        const gl_task_event *e = &r->events[i];
        cli_unit at, after;
        char g[32], text[300];
        what(p, e, text, sizeof text);
        const char *cells[] = {gl_unit_ns(at, e->time),
                               i ? gl_unit_ns(after, e->time - r->events[i - 1].time) : "",
                               cli_goroutine(g, sizeof g, e->g),
                               cli_group_name(p, e->group),
                               gl_task_event_name[e->kind],
                               text};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->event_count, "events");
}

static void regions(cli_page *p, const gl_task_story_result *r)
{
    static const gl_column columns[] = {
        {"region", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0}, {"G", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},
        {"begun", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},     {"took", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"running", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},   {"sched", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"waiting", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},   {"syscall", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5}};
    size_t rows = r->region_count < p->top ? r->region_count : p->top;
    if (!r->region_count)
        return;
    cli_heading(p, "ITS REGIONS", "");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < rows; i++) {
        const gl_region *x = &r->regions[i];
        cli_unit u[6];
        char g[32], took[64];
        snprintf(took, sizeof took, "%s%s", x->open_end ? ">" : "", gl_unit_ns(u[1], x->end - x->begin));
        const char *cells[] = {cli_string_of(p, x->type),
                               cli_goroutine(g, sizeof g, x->g),
                               x->open_start ? "before" : gl_unit_ns(u[0], x->begin),
                               took,
                               cli_ns(u[2], x->ns[GL_G_RUNNING]),
                               cli_ns(u[3], x->ns[GL_G_RUNNABLE]),
                               cli_ns(u[4], x->ns[GL_G_WAITING]),
                               cli_ns(u[5], x->ns[GL_G_SYSCALL])};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->region_count, "regions");
}

static void workers(cli_page *p, const gl_task_story_result *r)
{
    static const gl_column columns[] = {
        {"G", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},        {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0},
        {"events", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},  {"regions", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"running", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3}, {"sched", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"waiting", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3}, {"syscall", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5}};
    size_t rows = r->worker_count < p->top ? r->worker_count : p->top;
    if (!r->worker_count)
        return;
    cli_heading(p, "WHO WORKED ON IT", "times within its regions");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < rows; i++) {
        const gl_task_worker *x = &r->workers[i];
        cli_unit u[6];
        char g[32];
        const char *cells[] = {cli_goroutine(g, sizeof g, x->g),       cli_group_name(p, x->group),
                               cli_count(u[0], x->events),             cli_count(u[1], x->regions),
                               cli_ns(u[2], x->ns[GL_G_RUNNING]), cli_ns(u[3], x->ns[GL_G_RUNNABLE]),
                               cli_ns(u[4], x->ns[GL_G_WAITING]), cli_ns(u[5], x->ns[GL_G_SYSCALL])};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->worker_count, "goroutines");
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const gl_task_story_result *r = ((answer *)self)->r;
    (void)run;
    if (!r->found) {
        cli_heading(p, "NO SUCH TASK", "");
        cli_note(p, CLI_DIM, "The trace has no task of that number; golanes tasks --top 1000 lists those that it has.");
        return;
    }
    title(p, r);
    events(p, r);
    regions(p, r);
    workers(p, r);
    if (r->cut)
        cli_note(p, CLI_WARN, "The task has more events than are kept; these are the first of them.");
}

/* --- JSON --- */

static void json_states(cli_json *j, const uint64_t *ns)
{
    cli_json_open(j, "time_ns", '{');
    cli_json_uint(j, "running", ns[GL_G_RUNNING]);
    cli_json_uint(j, "sched", ns[GL_G_RUNNABLE]);
    cli_json_uint(j, "waiting", ns[GL_G_WAITING]);
    cli_json_uint(j, "syscall", ns[GL_G_SYSCALL]);
    cli_json_close(j, '}');
}

static void json_event(cli_summary_json *w, const gl_task_event *e)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_int(j, "time", e->time);
    cli_json_str(j, "event", gl_task_event_name[e->kind]);
    cli_json_known(j, "goroutine", e->g != 0, e->g);
    cli_summary_json_string(w, "start", e->group);
    cli_json_known(j, "child", e->child != 0, e->child);
    cli_summary_json_string(w, "name", e->name);
    cli_summary_json_string(w, "message", e->text);
    cli_json_close(j, '}');
}

static void json_region(cli_summary_json *w, const gl_region *x)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_summary_json_string(w, "type", x->type);
    cli_json_uint(j, "goroutine", x->g);
    cli_json_int(j, "begin", x->begin);
    cli_json_int(j, "end", x->end);
    cli_json_bool(j, "open_start", x->open_start);
    cli_json_bool(j, "open_end", x->open_end);
    json_states(j, x->ns);
    cli_json_close(j, '}');
}

static void json_worker(cli_summary_json *w, const gl_task_worker *x)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_uint(j, "goroutine", x->g);
    cli_summary_json_string(w, "start", x->group);
    cli_json_uint(j, "events", x->events);
    cli_json_uint(j, "regions", x->regions);
    json_states(j, x->ns);
    cli_json_close(j, '}');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const gl_task_story_result *r = ((answer *)self)->r;
    const gl_task_figures *t = &r->task;
    cli_json *j = &w->json;
    cli_json_bool(j, "found", r->found);
    cli_json_uint(j, "task", t->id);
    cli_summary_json_string(w, "name", t->name);
    cli_json_known(j, "parent", t->parent != UINT64_MAX, t->parent);
    cli_json_known(j, "begin", t->start >= 0, (uint64_t)t->start);
    cli_json_known(j, "end", t->end >= 0, (uint64_t)t->end);
    cli_json_uint(j, "events_in_all", r->event_count);
    cli_json_bool(j, "cut", r->cut);
    cli_json_open(j, "events", '[');
    for (size_t i = 0; i < r->event_count && i < run->top; i++)
        json_event(w, &r->events[i]);
    cli_json_close(j, ']');
    cli_json_open(j, "regions", '[');
    for (size_t i = 0; i < r->region_count && i < run->top; i++)
        json_region(w, &r->regions[i]);
    cli_json_close(j, ']');
    cli_json_open(j, "goroutines", '[');
    for (size_t i = 0; i < r->worker_count && i < run->top; i++)
        json_worker(w, &r->workers[i]);
    cli_json_close(j, ']');
}

const cli_report cli_task_report = {
    .bytes = sizeof(answer), .start = start, .finish = finish, .text = text, .json = json, .clean_up = clean_up};
