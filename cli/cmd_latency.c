/* golanes latency: how long goroutines that could run waited for a processor. */
#include "golanes_analysis/latency.h"
#include "report.h"

#include <string.h>

typedef struct answer {
    gl_latency *latency;
    const gl_latency_result *r;
} answer;

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    gl_latency_options o = {.worst = run->top, .wanted = cli_report_wants, .user = run};
    a->latency = gl_latency_new(run->summary, &o);
    return a->latency ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    (void)run;
    answer *a = self;
    return gl_latency_finish(a->latency, &a->r);
}

/* --- text --- */

/* Lower bound of a bucket. */
static int64_t bucket_from(unsigned i) { return i ? gl_latency_bucket_ns[i - 1] : 0; }

static void histogram(cli_page *p, const gl_latency_result *r)
{
    unsigned first = 0, last = GL_LATENCY_BUCKETS - 1;
    uint64_t most = 0;
    while (first < last && !r->bucket[first])
        first++;
    while (last > first && !r->bucket[last])
        last--;
    for (unsigned i = first; i <= last; i++)
        most = r->bucket[i] > most ? r->bucket[i] : most;
    size_t room = p->width > 44 ? p->width - 34 : 6;
    for (unsigned i = first; i <= last; i++) {
        cli_unit from, n, time;
        gl_text_str(&p->out, "  ");
        const char *edge = gl_unit_ns(from, bucket_from(i));
        gl_text_cell(&p->out, edge, strlen(edge), 8, GL_ALIGN_RIGHT, GL_CUT_END);
        const char *count = cli_count(n, r->bucket[i]);
        gl_text_cell(&p->out, count, strlen(count), 12, GL_ALIGN_RIGHT, GL_CUT_END);
        const char *all = cli_ns(time, r->bucket_ns[i]);
        gl_text_cell(&p->out, all, strlen(all), 10, GL_ALIGN_RIGHT, GL_CUT_END);
        if (r->bucket[i]) {
            gl_text_str(&p->out, "  ");
            cli_bar(&p->out, (double)r->bucket[i] / (double)most, room);
        }
        gl_text_str(&p->out, "\n");
    }
    cli_note(p, CLI_DIM, "from this length on (up to the next line's): how many waits, their time, their share.");
}

static void spread_row(cli_page *p, gl_table *t, const char *name, const gl_spread *s)
{
    cli_unit u[7];
    const char *cells[] = {name,
                           gl_unit_count(u[0], s->n),
                           cli_ns(u[1], s->total_ns),
                           cli_ns(u[2], s->p50_ns),
                           cli_ns(u[3], s->p90_ns),
                           cli_ns(u[4], s->p95_ns),
                           cli_ns(u[5], s->p99_ns),
                           cli_ns(u[6], s->max_ns)};
    cli_add_row(p, t, cells);
}

static gl_table *spread_table(const char *what)
{
    const gl_column columns[] = {{what, GL_ALIGN_LEFT, GL_CUT_MIDDLE, 16, 0}, {"waits", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                 {"in all", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},  {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                 {"p90", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5},     {"p95", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},
                                 {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},     {"max", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    return gl_table_new(columns, sizeof columns / sizeof *columns);
}

static void causes(cli_page *p, const gl_latency_result *r)
{
    cli_heading(p, "BY WHAT MADE THEM RUNNABLE", "");
    gl_table *t = spread_table("made runnable by");
    for (unsigned i = 0; i < GL_LATENCY_CAUSES; i++) {
        if (r->cause[i].n)
            spread_row(p, t, gl_latency_cause_name[i], &r->cause[i]);
    }
    spread_row(p, t, "(all)", &r->all);
    cli_finish_table(p, t);
}

static void groups(cli_page *p, const gl_latency_result *r)
{
    cli_heading(p, "BY START FUNCTION", "");
    gl_table *t = spread_table("started as");
    size_t rows = r->group_count < p->top ? r->group_count : p->top;
    for (size_t i = 0; i < rows; i++)
        spread_row(p, t, cli_group_name(p, r->groups[i].group), &r->groups[i].wait);
    cli_finish_table(p, t);
    cli_more(p, rows, r->group_count, "start functions");
}

static void worst(cli_page *p, const gl_latency_result *r)
{
    static const gl_column columns[] = {
        {"G", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},         {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0},
        {"runnable", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}, {"waited", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"because", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},   {"by", GL_ALIGN_LEFT, GL_CUT_END, 0, 3},
        {"at", GL_ALIGN_LEFT, GL_CUT_START, 14, 2}};
    cli_heading(p, "THE LONGEST", "");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < r->worst_count; i++) {
        const gl_latency_wait *w = &r->worst[i];
        cli_unit at, ns;
        char g[32], by[32], where[300];
        const char *cells[] = {cli_goroutine(g, sizeof g, w->g),
                               cli_group_name(p, w->group),
                               gl_unit_ns(at, w->begin),
                               gl_unit_ns(ns, w->end - w->begin),
                               gl_latency_cause_name[w->cause],
                               cli_goroutine(by, sizeof by, w->by),
                               w->site.stack ? cli_place(p, &w->site, where, sizeof where) : ""};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, r->worst_count, (size_t)r->all.n, "waits");
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const gl_latency_result *r = ((answer *)self)->r;
    char words[80];
    (void)run;
    cli_heading(p, "WAITS FOR A PROCESSOR", cli_many(words, sizeof words, r->all.n, "wait", "waits"));
    if (!r->all.n)
        return;
    histogram(p, r);
    causes(p, r);
    groups(p, r);
    worst(p, r);
}

/* --- JSON --- */

static void json_histogram(cli_json *j, const gl_latency_result *r)
{
    cli_json_open(j, "histogram", '[');
    for (unsigned i = 0; i < GL_LATENCY_BUCKETS; i++) {
        if (!r->bucket[i])
            continue;
        cli_json_open(j, NULL, '{');
        cli_json_int(j, "from_ns", bucket_from(i));
        cli_json_known(j, "to_ns", i + 1 < GL_LATENCY_BUCKETS, (uint64_t)gl_latency_bucket_ns[i]);
        cli_json_uint(j, "n", r->bucket[i]);
        cli_json_uint(j, "total_ns", r->bucket_ns[i]);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const gl_latency_result *r = ((answer *)self)->r;
    cli_json *j = &w->json;
    (void)run;
    cli_json_spread(j, "all", &r->all);
    json_histogram(j, r);
    cli_json_open(j, "causes", '{');
    for (unsigned i = 0; i < GL_LATENCY_CAUSES; i++)
        cli_json_spread(j, gl_latency_cause_name[i], &r->cause[i]);
    cli_json_close(j, '}');
    cli_json_open(j, "groups", '[');
    for (size_t i = 0; i < r->group_count; i++) {
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "start", r->groups[i].group);
        cli_json_spread(j, "wait", &r->groups[i].wait);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_open(j, "worst", '[');
    for (size_t i = 0; i < r->worst_count; i++) {
        const gl_latency_wait *x = &r->worst[i];
        cli_json_open(j, NULL, '{');
        cli_json_uint(j, "goroutine", x->g);
        cli_summary_json_string(w, "start", x->group);
        cli_json_int(j, "begin", x->begin);
        cli_json_int(j, "end", x->end);
        cli_json_str(j, "cause", gl_latency_cause_name[x->cause]);
        cli_json_known(j, "by", x->by != 0, x->by);
        cli_summary_json_site(w, "site", &x->site);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void clean_up(void *self) { gl_latency_destroy(((answer *)self)->latency); }

static const cli_report report = {
    .bytes = sizeof(answer), .start = start, .finish = finish, .text = text, .json = json, .clean_up = clean_up};

static int run_latency(const cli_args *args) { return cli_report_answer(args, &report); }

const cli_command cli_command_latency = {
    .name = "latency", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_latency,
    .brief = "how long runnable goroutines waited for a processor",
    .description = "Prints the scheduler's latency: a histogram of the time from when a goroutine could run until it ran, the same "
                   "by what had made it runnable (it was created, woken by another goroutine, by a timer or the network, "
                   "preempted, or came back from a system call) and by start function, and the longest of these waits.\n\n"
                   "Waits that began before the trace, or were not over at its end, are left out.",
    CLI_OPTIONS(CLI_OPT_GROUP, CLI_REPORT_OPTIONS),
    .examples = {{"golanes latency server.trace", "The histogram, and the longest waits."},
                 {"golanes latency --group 'net/http' server.trace", "Only goroutines of the HTTP server."},
                 {"golanes latency --json run.lanes | jq .all.p99_ns", "One figure."}},
};
