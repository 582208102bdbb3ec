/* golanes pauses: each stop of the world, what it held up, and how much of the processors the program had. */
#include "golanes_analysis/pauses.h"
#include "out.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DECADES 6 /* of window lengths, from a microsecond on */
#define STEPS 10  /* lengths a decade */
#define WINDOWS (DECADES * STEPS + 2)
#define WINDOW_DEFAULT INT64_C(10000000)
#define WORST_MAX 32

typedef struct answer {
    gl_pauses *pauses;
    const gl_pauses_result *r;
    int64_t windows[WINDOWS];
    gl_mmu_request request;
    size_t *longest; /* pauses, the longest first */
} answer;

/* "stw,background": the marks of what is counted. */
static int take_includes(const cli_args *args, const char *list, gl_mmu_request *r)
{
    static const char *const names[] = {"stw", "background", "assist", "sweep", "all-stw"};
    bool stw = false, *const marks[] = {&stw, &r->background, &r->assist, &r->sweep, &r->all_stw};
    for (const char *at = list;;) {
        size_t n = strcspn(at, ",");
        char word[24] = "";
        size_t i = 0;
        if (n < sizeof word)
            memcpy(word, at, n);
        while (i < sizeof names / sizeof *names && strcmp(word, names[i]) != 0)
            i++;
        if (i == sizeof names / sizeof *names) {
            cli_usage_error(args->command, "--include: '%.*s', at character %zu, is none of stw, background, assist, sweep, all-stw",
                            (int)(n > 40 ? 40 : n), at, (size_t)(at - list) + 1);
            return cli_point_at(list, (size_t)(at - list), n);
        }
        *marks[i] = true;
        r->no_stw = !stw && !r->all_stw;
        if (!at[n])
            return 0;
        at += n + 1;
    }
}

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    gl_mmu_request *q = &a->request;
    int64_t asked = (int64_t)cli_args_number(run->args, CLI_OPT_WINDOW, WINDOW_DEFAULT);
    int code = take_includes(run->args, cli_args_text(run->args, CLI_OPT_INCLUDE, "stw,background,assist"), q);
    if (code)
        return code;
    if (asked < 1000 || asked > INT64_C(1000000000))
        return cli_usage_error(run->args->command, "--window: from 1us to 1s");
    unsigned n = 0;
    for (int i = 0; i <= DECADES * STEPS; i++) {
        int64_t length = (int64_t)llround(1000 * pow(10, (double)i / STEPS));
        if (length > asked && (n == 0 || a->windows[n - 1] < asked)) {
            q->worst_of = n;
            a->windows[n++] = asked;
        }
        if (length == asked)
            q->worst_of = n;
        a->windows[n++] = length;
    }
    q->windows = a->windows;
    q->window_count = n;
    q->worst = run->top < WORST_MAX ? (unsigned)run->top : WORST_MAX;
    q->per_proc = cli_args_has(run->args, CLI_OPT_PER_P);
    q->percentiles = cli_args_has(run->args, CLI_OPT_PERCENTILES);
    run->options.mmu = q;
    return 0;
}

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    a->pauses = gl_pauses_new(run->summary, run->dict, 1u << GL_OPERATION_SEND);
    return a->pauses ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    int status = gl_pauses_finish(a->pauses, run->r->end_ns, &a->r);
    if (status < 0)
        return status;
    a->longest = CLI_LONGEST(a->r->list, a->r->count);
    return a->longest ? 0 : GL_E_NOMEM;
}

static void clean_up(void *self)
{
    answer *a = self;
    gl_pauses_destroy(a->pauses);
    free(a->longest);
}

/* --- text --- */

static void by_reason(cli_page *p)
{
    static const gl_column columns[] = {{"reason", GL_ALIGN_LEFT, GL_CUT_END, 12, 0}, {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"in all", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}, {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"p95", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},    {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"max", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < p->r->reason_count; i++) {
        const gl_spread *s = &p->r->reasons[i].stw;
        cli_unit u[6];
        if (!s->n)
            continue;
        const char *cells[] = {cli_reason_name(p, p->r->reasons[i].reason),
                               gl_unit_count(u[0], s->n),
                               cli_ns(u[1], s->total_ns),
                               cli_ns(u[2], s->p50_ns),
                               cli_ns(u[3], s->p95_ns),
                               cli_ns(u[4], s->p99_ns),
                               cli_ns(u[5], s->max_ns)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
}

static void pause_row(cli_page *p, gl_table *t, const gl_pause *x)
{
    cli_unit at, length, stopping, stopped, delayed, sends;
    char last[400] = "-", held[100] = "-", sent[100] = "-", where[300];
    bool known = x->stopping_ns >= 0;
    if (known && x->last_g) {
        snprintf(last, sizeof last, "G%llu %s", (unsigned long long)x->last_g, cli_group_name(p, x->last_group));
        if (x->last_site.stack)
            snprintf(last + strlen(last), sizeof last - strlen(last), " %s", cli_place(p, &x->last_site, where, sizeof where));
    } else if (known && x->last_p != GL_NO_PROC) {
        snprintf(last, sizeof last, "P%u (nobody ran)", x->last_p);
    }
    if (x->delayed)
        snprintf(held, sizeof held, "%s: %s", gl_unit_count(delayed, x->delayed), cli_ns(stopped, x->delayed_ns));
    if (x->sends)
        snprintf(sent, sizeof sent, "%s: %s", gl_unit_count(sends, x->sends), cli_ns(stopped, x->sends_ns));
    const char *cells[] = {gl_unit_ns(at, x->begin),
                           gl_unit_ns(length, x->end - x->begin),
                           known ? gl_unit_ns(stopping, x->stopping_ns) : "not known",
                           cli_reason_name(p, x->reason),
                           held,
                           sent,
                           last};
    cli_add_row(p, t, cells);
}

static void longest(cli_page *p, const answer *a)
{
    static const gl_column columns[] = {
        {"begun", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},          {"length", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"to stop", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},        {"reason", GL_ALIGN_LEFT, GL_CUT_END, 12, 0},
        {"runnable held", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},  {"sends held", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2},
        {"stopped last", GL_ALIGN_LEFT, GL_CUT_END, 16, 4}};
    size_t rows = a->r->count < p->top ? a->r->count : p->top;
    cli_heading(p, "THE LONGEST", "");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < rows; i++)
        pause_row(p, t, &a->r->list[a->longest[i]]);
    cli_finish_table(p, t);
    cli_more(p, rows, a->r->count, "pauses");
    cli_note(p, CLI_DIM, "to stop: until the last processor that ran had stopped; held: how many waited through a part of it, "
                         "and how long.");
}

/* How many of the lengths the trace is long enough for. */
static unsigned windows_of(const answer *a, int64_t end)
{
    unsigned n = 0;
    while (n < a->request.window_count && a->request.windows[n] <= end)
        n++;
    return n;
}

#define PLOT_LINES 8

static void plot(cli_page *p, const answer *a, unsigned n)
{
    static const char *const steps[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    unsigned step = (unsigned)((n + p->width - 10) / (p->width - 9)); /* a column stands for so many lengths */
    unsigned columns = (n + step - 1) / step;
    for (int line = PLOT_LINES; line-- > 0;) {
        gl_text_printf(&p->out, "  %3d %% ", (line + 1) * 100 / PLOT_LINES);
        gl_text row = {0};
        for (unsigned c = 0; c < columns; c++) {
            double filled = p->r->mmu_curve.least[c * step] * PLOT_LINES - line;
            gl_text_str(&row, steps[filled >= 1 ? 8 : filled <= 0 ? 0 : (int)(filled * 8)]);
        }
        while (row.n && row.bytes[row.n - 1] == ' ')
            row.n--;
        if (row.bytes)
            gl_text_add(&p->out, row.bytes, row.n);
        gl_text_str(&p->out, "\n");
        gl_text_clean_up(&row);
    }
    gl_text axis = {0};
    size_t at = 0;
    for (unsigned i = 0; i < n; i++) {
        static const char *const names[] = {"1us", "10us", "100us", "1ms", "10ms", "100ms", "1s"};
        int64_t length = 1000;
        for (unsigned k = 0; k < sizeof names / sizeof *names; k++, length *= 10) {
            if (a->request.windows[i] == length && i / step >= at && i / step + strlen(names[k]) + 8 <= p->width) {
                gl_text_repeat(&axis, " ", i / step - at);
                gl_text_str(&axis, names[k]);
                at = i / step + strlen(names[k]);
            }
        }
    }
    gl_text_printf(&p->out, "        %s\n", axis.bytes ? axis.bytes : "");
    gl_text_clean_up(&axis);
}

/* The minimum and the percentiles of some lengths, of which there are too many to print all. */
static void percentiles(cli_page *p, const answer *a, unsigned n)
{
    static const gl_column columns[] = {{"window", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"least", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"99.9 %", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"99 %", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"95 %", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    const gl_mmu_curve *c = &p->r->mmu_curve;
    cli_heading(p, "PERCENTILES", "so many of all windows of a length left the program this much, or more");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < n; i++) {
        cli_unit u[5];
        int64_t decade = 1000;
        while (decade * 10 <= a->request.windows[i])
            decade *= 10;
        if (a->request.windows[i] != decade && i != a->request.worst_of)
            continue;
        const char *cells[] = {gl_unit_ns(u[0], a->request.windows[i]), gl_unit_share(u[1], c->least[i]),
                               gl_unit_share(u[2], c->percentile[i][GL_MMU_P999]),
                               gl_unit_share(u[3], c->percentile[i][GL_MMU_P99]),
                               gl_unit_share(u[4], c->percentile[i][GL_MMU_P95])};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
}

static void mmu(cli_page *p, const answer *a)
{
    static const gl_column columns[] = {{"the program had", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"in the window from", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"to", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
                                        {"on", GL_ALIGN_LEFT, GL_CUT_END, 0, 0}};
    const gl_mmu_curve *c = &p->r->mmu_curve;
    cli_unit u, mean;
    char line[200];
    if (p->r->mmu_missing || !c->least) {
        cli_heading(p, "MINIMUM MUTATOR UTILISATION", "");
        cli_note(p, "", p->r->mmu_missing ? p->r->mmu_missing : "it changed too often to be kept");
        return;
    }
    unsigned n = windows_of(a, p->r->end_ns);
    snprintf(line, sizeof line, "the least share of %s that the program had in any window; %s in all",
             a->request.per_proc ? "one processor" : "the processors", gl_unit_share(mean, c->mean));
    cli_heading(p, "MINIMUM MUTATOR UTILISATION", line);
    plot(p, a, n);
    if (p->r->mmu_inferred)
        cli_note(p, "", a->request.background ? "Who had which processor is inferred; all that the collector's workers ran counts, that of idle ones too."
                                              : "Who had which processor is inferred.");
    if (c->percentile)
        percentiles(p, a, n);
    if (!c->worst_count)
        return;
    int64_t length = a->request.windows[a->request.worst_of];
    snprintf(line, sizeof line, "of %s each; they do not overlap", gl_unit_ns(u, length));
    cli_heading(p, "THE WORST WINDOWS", line);
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < c->worst_count; i++) {
        cli_unit share, from, to;
        char on[32] = "";
        if (c->worst[i].p != UINT32_MAX)
            snprintf(on, sizeof on, "P%u", c->worst[i].p);
        if (c->worst[i].process)
            snprintf(on + strlen(on), sizeof on - strlen(on), "%sprocess %u", *on ? " " : "", c->worst[i].process);
        const char *cells[] = {gl_unit_share(share, c->worst[i].utilisation), gl_unit_ns(from, c->worst[i].begin),
                               gl_unit_ns(to, c->worst[i].begin + length), on};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    const gl_ranges_figures *stw = &run->r->stw;
    cli_unit total, share;
    char words[80], line[200];
    snprintf(line, sizeof line, "%s, %s in all (%s of the trace)", cli_many(words, sizeof words, stw->count, "stop", "stops"),
             cli_ns(total, stw->total_ns),
             gl_unit_share(share, run->r->end_ns > 0 ? (double)stw->total_ns / (double)run->r->end_ns : 0));
    cli_heading(p, "STOPS OF THE WORLD", line);
    if (stw->count) {
        by_reason(p);
        longest(p, a);
    }
    mmu(p, a);
}

/* --- JSON --- */

static void json_pause(cli_summary_json *w, const gl_pause *x)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_int(j, "begin", x->begin);
    cli_json_int(j, "end", x->end);
    cli_json_bool(j, "open_end", x->open_end);
    cli_summary_json_string(w, "reason", x->reason);
    cli_json_bool(j, "gc", x->gc);
    cli_json_known(j, "goroutine", x->g != 0, x->g);
    cli_summary_json_site(w, "site", &x->site);
    cli_json_uint(j, "processors_running", x->running);
    cli_json_known(j, "to_stop_ns", x->stopping_ns >= 0, (uint64_t)x->stopping_ns);
    cli_json_open(j, "stopped_last", '{');
    cli_json_known(j, "processor", x->stopping_ns >= 0 && x->last_p != GL_NO_PROC, x->last_p);
    cli_json_known(j, "goroutine", x->last_g != 0, x->last_g);
    cli_summary_json_string(w, "start", x->last_group);
    cli_summary_json_site(w, "site", &x->last_site);
    cli_json_close(j, '}');
    cli_json_uint(j, "runnable_held", x->delayed);
    cli_json_uint(j, "runnable_held_ns", x->delayed_ns);
    cli_json_uint(j, "sends_held", x->sends);
    cli_json_uint(j, "sends_held_ns", x->sends_ns);
    cli_json_close(j, '}');
}

static void json_mmu(cli_json *j, const answer *a, const gl_summary_result *r)
{
    const gl_mmu_curve *c = &r->mmu_curve;
    const gl_mmu_request *q = &a->request;
    if (r->mmu_missing || !c->least) {
        cli_json_null(j, "mmu");
        return;
    }
    cli_json_open(j, "mmu", '{');
    cli_json_open(j, "includes", '[');
    if (!q->no_stw)
        cli_json_str(j, NULL, q->all_stw ? "all-stw" : "stw");
    if (q->background)
        cli_json_str(j, NULL, "background");
    if (q->assist)
        cli_json_str(j, NULL, "assist");
    if (q->sweep)
        cli_json_str(j, NULL, "sweep");
    cli_json_close(j, ']');
    cli_json_bool(j, "per_p", q->per_proc);
    cli_json_bool(j, "inferred", r->mmu_inferred);
    cli_json_real(j, "mean", c->mean);
    cli_json_open(j, "curve", '[');
    for (unsigned i = 0; i < windows_of(a, r->end_ns); i++) {
        cli_json_open(j, NULL, '{');
        cli_json_int(j, "window_ns", q->windows[i]);
        cli_json_real(j, "utilisation", c->least[i]);
        if (c->percentile) {
            cli_json_real(j, "p999", c->percentile[i][GL_MMU_P999]);
            cli_json_real(j, "p99", c->percentile[i][GL_MMU_P99]);
            cli_json_real(j, "p95", c->percentile[i][GL_MMU_P95]);
        }
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_int(j, "worst_window_ns", q->windows[q->worst_of]);
    cli_json_open(j, "worst", '[');
    for (size_t i = 0; i < c->worst_count; i++) {
        cli_json_open(j, NULL, '{');
        cli_json_int(j, "begin", c->worst[i].begin);
        cli_json_real(j, "utilisation", c->worst[i].utilisation);
        cli_json_known(j, "processor", c->worst[i].p != UINT32_MAX, c->worst[i].p);
        cli_json_uint(j, "process", c->worst[i].process);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_close(j, '}');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const answer *a = self;
    cli_json *j = &w->json;
    cli_json_uint(j, "count", run->r->stw.count);
    cli_json_uint(j, "total_ns", run->r->stw.total_ns);
    cli_json_open(j, "by_reason", '{');
    for (size_t i = 0; i < run->r->reason_count; i++) {
        if (run->r->reasons[i].stw.n)
            cli_json_spread(j, cli_summary_json_name(w, run->r->reasons[i].reason), &run->r->reasons[i].stw);
    }
    cli_json_close(j, '}');
    cli_json_spread(j, "to_stop", &a->r->stopping);
    cli_json_open(j, "pauses", '[');
    for (size_t i = 0; i < a->r->count && i < run->top; i++)
        json_pause(w, &a->r->list[a->longest[i]]);
    cli_json_close(j, ']');
    json_mmu(j, a, run->r);
}

static const cli_report report = {.bytes = sizeof(answer),
                                  .prepare = prepare,
                                  .start = start,
                                  .finish = finish,
                                  .text = text,
                                  .json = json,
                                  .clean_up = clean_up};

static int run_pauses(const cli_args *args) { return cli_report_answer(args, &report); }

const cli_command cli_command_pauses = {
    .name = "pauses", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_pauses,
    .brief = "every stop of the world, what it held up, and mutator utilisation",
    .description =
        "Prints the stops of the world by reason, and the longest of them: how long each was, how long it took until every "
        "processor had stopped and which goroutine stopped last, how many goroutines waited for a processor through it, and how "
        "many sends straddle it.\n\n"
        "Then the minimum mutator utilisation: for each length of a window the least share of the processors that the program "
        "itself had in any window of that length, as a curve, and the worst windows of one length. What counts as the "
        "collector's is chosen with --include; with --per-p each processor is looked at for itself, and the worst counts, which "
        "bounds how long one goroutine could be held up; with --percentiles also how the windows are spread: 99.9, 99 and 95 of a "
        "hundred left the program that much, or more. In a recording of a Go program, who had which processor is inferred, and which of the "
        "collector's workers are idle ones is not told: all that its workers ran counts. With --backend uprobe nor is how many "
        "processors there are: as many count as were seen.",
    CLI_OPTIONS(CLI_OPT_WINDOW, CLI_OPT_INCLUDE, CLI_OPT_PER_P, CLI_OPT_PERCENTILES, CLI_REPORT_OPTIONS),
    .examples = {{"golanes pauses server.trace", "The longest stops, and the curve."},
                 {"golanes pauses --per-p --window 1ms server.trace", "The worst milliseconds of single processors."},
                 {"golanes pauses --percentiles --include stw,assist,sweep server.trace", "How often it was how bad."},
                 {"golanes pauses --json run.lanes | jq '.pauses[0]'", "The longest one."}},
};
