/* golanes straddles: operations that a GC pause cut. */
#include "golanes_analysis/pauses.h"
#include "golanes_analysis/straddling.h"
#include "out.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

typedef struct answer {
    unsigned kinds;
    bool cycle;
    gl_straddling *straddling;
    gl_pauses *pauses;
    const gl_straddling_result *r;
    const gl_pauses_result *p;
    const gl_pause **costly; /* those that cut anything, most first */
    size_t costly_count;
} answer;

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    const char *list = cli_args_text(run->args, CLI_OPT_OPERATION, "send");
    a->cycle = cli_args_has(run->args, CLI_OPT_CYCLE);
    for (const char *at = list; at;) {
        size_t n = strcspn(at, ",");
        unsigned i = 0;
        char word[32] = "";
        memcpy(word, at, n < sizeof word ? n : sizeof word - 1);
        if (strcmp(word, "recv") == 0)
            strcpy(word, "receive");
        while (i < GL_OPERATION_KINDS && strcmp(word, gl_operation_name[i]) != 0)
            i++;
        if (i == GL_OPERATION_KINDS) {
            const char *near = cli_nearest(word, gl_operation_name, GL_OPERATION_KINDS);
            cli_usage_error(run->args->command, "--kind: there is no operation '%.30s', at character %zu%s%s%s", word,
                            (size_t)(at - list) + 1, near ? "; did you mean " : "; send, receive, select and mutex are",
                            near ? near : "", near ? "?" : "");
            return cli_point_at(list, (size_t)(at - list), n);
        }
        a->kinds |= 1u << i;
        at = at[n] ? at + n + 1 : NULL;
    }
    return 0;
}

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    gl_straddling_options o = {
        .kinds = a->kinds, .worst = run->top, .cycle = a->cycle, .wanted = cli_report_wants, .user = run};
    a->straddling = gl_straddling_new(run->summary, &o);
    a->pauses = a->straddling ? gl_pauses_new(run->summary, run->dict, a->kinds) : NULL;
    return a->pauses ? 0 : GL_E_NOMEM;
}

static int costlier(const void *a, const void *b)
{
    const gl_pause *x = *(const gl_pause *const *)a, *y = *(const gl_pause *const *)b;
    if (x->sends_ns != y->sends_ns)
        return x->sends_ns > y->sends_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    int status = gl_straddling_finish(a->straddling, &a->r);
    if (status == 0)
        status = gl_pauses_finish(a->pauses, run->r->end_ns, &a->p);
    if (status < 0)
        return status;
    a->costly = malloc((a->p->count + 1) * sizeof *a->costly);
    if (!a->costly)
        return GL_E_NOMEM;
    for (size_t i = 0; i < a->p->count; i++) {
        if (a->p->list[i].sends)
            a->costly[a->costly_count++] = &a->p->list[i];
    }
    qsort(a->costly, a->costly_count, sizeof *a->costly, costlier);
    return 0;
}

static void clean_up(void *self)
{
    answer *a = self;
    gl_straddling_destroy(a->straddling);
    gl_pauses_destroy(a->pauses);
    free(a->costly);
}

static bool is_recorded(const cli_report_run *run, const answer *a)
{
    bool recorded = false;
    for (unsigned i = 0; i < GL_OPERATION_KINDS; i++)
        recorded |= (a->kinds >> i & 1) && run->r->operations[i].recorded;
    return recorded;
}

/* --- text --- */

static void kinds(const cli_report_run *run, cli_page *p, const answer *a)
{
    for (unsigned i = 0; i < GL_OPERATION_KINDS; i++) {
        const gl_sends_figures *f = &run->r->operations[i];
        cli_unit u, v, d, inside;
        char words[80];
        gl_text line = {0};
        if (!(a->kinds >> i & 1))
            continue;
        gl_text_printf(&line, "%s: %s of %s%s met a pause, by %s; %s inside pauses; %s released inside one",
                       gl_operation_name[i], f->straddling ? gl_unit_count(u, f->straddling) : "none", gl_unit_count(v, f->n),
                       f->recorded ? "" : " that waited", cli_many(words, sizeof words, f->goroutines, "goroutine", "goroutines"), cli_ns(d, f->overlap_ns),
                       gl_unit_count(inside, f->released_inside));
        if (f->during_gc)
            gl_text_printf(&line, "; %s more met only concurrent marking", gl_unit_count(u, f->during_gc));
        cli_note(p, "", line.bytes);
        gl_text_clean_up(&line);
    }
}

/* The way in which most of them were released. */
static const char *main_release(const gl_straddling_group *g, char *out, size_t n)
{
    unsigned best = 0;
    uint64_t sum = 0;
    for (unsigned i = 0; i < GL_RELEASE_KINDS; i++) {
        sum += g->released[i];
        best = g->released[i] > g->released[best] ? i : best;
    }
    if (!sum)
        snprintf(out, n, "-");
    else if (g->released[best] == sum)
        snprintf(out, n, "%s", gl_release_name(best));
    else
        snprintf(out, n, "%s (%llu of %llu)", gl_release_name(best), (unsigned long long)g->released[best],
                 (unsigned long long)sum);
    return out;
}

static void groups(cli_page *p, const answer *a, bool recorded)
{
    static const gl_column columns[] = {
        {"kind", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},         {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0},
        {"channel", GL_ALIGN_LEFT, GL_CUT_START, 8, 1},    {"at", GL_ALIGN_LEFT, GL_CUT_START, 12, 0},
        {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},           {"in pauses", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4},         {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2},
        {"max", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},         {"ran after p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5},
        {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},         {"released by", GL_ALIGN_LEFT, GL_CUT_END, 8, 6}};
    enum { KIND = 0, CHANNEL = 2, ALL = sizeof columns / sizeof *columns };
    bool left_out[ALL] = {[KIND] = (a->kinds & (a->kinds - 1)) == 0, [CHANNEL] = !recorded};
    gl_column used[ALL];
    size_t n = 0, rows = 0, all = 0;
    for (size_t i = 0; i < ALL; i++) {
        if (!left_out[i])
            used[n++] = columns[i];
    }
    gl_table *t = gl_table_new(used, n);
    for (size_t i = 0; i < a->r->group_count; i++) {
        const gl_straddling_group *g = &a->r->groups[i];
        cli_unit u[7];
        char where[300], chan[32], by[80];
        if (!g->n || ++all > p->top)
            continue;
        rows++;
        snprintf(chan, sizeof chan, "%#llx", (unsigned long long)g->chan);
        const char *cells[ALL] = {gl_operation_name[g->kind],
                                  cli_group_name(p, g->group),
                                  g->chan ? chan : "-",
                                  cli_place(p, &g->site, where, sizeof where),
                                  gl_unit_count(u[0], g->n),
                                  cli_ns(u[1], g->overlap.total_ns),
                                  cli_ns(u[2], g->overlap.p50_ns),
                                  cli_ns(u[3], g->overlap.p99_ns),
                                  cli_ns(u[4], g->overlap.max_ns),
                                  cli_ns(u[5], g->delay.p50_ns),
                                  cli_ns(u[6], g->delay.p99_ns),
                                  main_release(g, by, sizeof by)};
        const char *shown[ALL];
        size_t k = 0;
        for (size_t c = 0; c < ALL; c++) {
            if (!left_out[c])
                shown[k++] = cells[c];
        }
        cli_add_row(p, t, shown);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, all, "groups");
}

static void costly_pauses(cli_page *p, const answer *a)
{
    static const gl_column columns[] = {
        {"begun", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},    {"length", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"reason", GL_ALIGN_LEFT, GL_CUT_END, 12, 0},   {"operations cut", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"their time in it", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    char words[80];
    cli_heading(p, "PAUSES THAT COST MOST", cli_many(words, sizeof words, a->costly_count, "pause cut any", "pauses cut any"));
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t rows = a->costly_count < p->top ? a->costly_count : p->top;
    for (size_t i = 0; i < rows; i++) {
        const gl_pause *x = a->costly[i];
        cli_unit u[4];
        const char *cells[] = {gl_unit_ns(u[0], x->begin), gl_unit_ns(u[1], x->end - x->begin), cli_reason_name(p, x->reason),
                               gl_unit_count(u[2], x->sends), cli_ns(u[3], x->sends_ns)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, a->costly_count, "pauses");
}

static void during_gc(cli_page *p, const answer *a, bool recorded)
{
    cli_unit u, v;
    char line[200];
    const gl_straddling_group *all = &a->r->all;
    snprintf(line, sizeof line, "%s, %s during marking", gl_unit_count(u, all->during_gc), cli_ns(v, all->during_gc_ns));
    cli_heading(p, "THOSE THAT MET ONLY MARKING", line);
    if (all->during_gc)
        cli_page_send_table(p, a->r->worst_during_gc, a->r->worst_during_gc_count, recorded, all->during_gc, "operations");
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    bool recorded = is_recorded(run, a);
    cli_heading(p, "OPERATIONS OVER A GC PAUSE", "");
    kinds(run, p, a);
    if (a->r->all.n) {
        cli_heading(p, "BY PLACE", "");
        groups(p, a, recorded);
        costly_pauses(p, a);
        cli_heading(p, "THE WORST", "");
        cli_page_send_table(p, a->r->worst, a->r->worst_count, recorded, a->r->all.n, "operations");
    }
    if (a->cycle)
        during_gc(p, a, recorded);
    if (a->r->cut)
        cli_note(p, CLI_WARN, "There are so many channels that some are not told apart.");
    if (a->r->all.n)
        cli_note(p, CLI_DIM, recorded ? "took: from its begin to its end; ran after: how long after the restart it went on."
                                      : "took: from the block until it ran again; ran after: how long after the restart that was. "
                                        "A trace that Go wrote shows operations only where they wait, and no channels.");
}

/* --- JSON --- */

static void json_group(cli_summary_json *w, const char *key, const gl_straddling_group *g, bool all)
{
    cli_json *j = &w->json;
    cli_json_open(j, key, '{');
    if (!all) {
        cli_json_str(j, "kind", gl_operation_name[g->kind]);
        cli_summary_json_string(w, "start", g->group);
        cli_json_channel(j, "channel", g->chan);
        cli_summary_json_site(w, "site", &g->site);
    }
    cli_json_uint(j, "n", g->n);
    cli_json_uint(j, "took_ns", g->took_ns);
    cli_json_spread(j, "overlap", &g->overlap);
    cli_json_spread(j, "delay", &g->delay);
    cli_json_uint(j, "released_inside", g->released_inside);
    cli_json_open(j, "released", '{');
    for (unsigned i = 0; i < GL_RELEASE_KINDS; i++) {
        if (g->released[i])
            cli_json_uint(j, gl_release_name(i), g->released[i]);
    }
    cli_json_close(j, '}');
    cli_json_uint(j, "during_gc", g->during_gc);
    cli_json_uint(j, "during_gc_ns", g->during_gc_ns);
    cli_json_close(j, '}');
}

static void json_kinds(cli_json *j, const gl_summary_result *r, unsigned kinds)
{
    cli_json_open(j, "kinds", '{');
    for (unsigned i = 0; i < GL_OPERATION_KINDS; i++) {
        const gl_sends_figures *f = &r->operations[i];
        if (!(kinds >> i & 1))
            continue;
        cli_json_open(j, gl_operation_name[i], '{');
        cli_json_bool(j, "recorded", f->recorded);
        cli_json_uint(j, "n", f->n);
        cli_json_uint(j, "wait_ns", f->wait_ns);
        cli_json_uint(j, "straddling", f->straddling);
        cli_json_uint(j, "goroutines", f->goroutines);
        cli_json_uint(j, "overlap_ns", f->overlap_ns);
        cli_json_uint(j, "released_inside", f->released_inside);
        cli_json_uint(j, "during_gc", f->during_gc);
        cli_json_close(j, '}');
    }
    cli_json_close(j, '}');
}

static void json_worst(cli_summary_json *w, const char *key, const gl_send *list, size_t n, const gl_ranges_figures *stw)
{
    cli_json_open(&w->json, key, '[');
    for (size_t i = 0; i < n; i++)
        cli_summary_json_send(w, &list[i], stw);
    cli_json_close(&w->json, ']');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const answer *a = self;
    cli_json *j = &w->json;
    cli_json_bool(j, "recorded", is_recorded(run, a));
    json_kinds(j, run->r, a->kinds);
    json_group(w, "all", &a->r->all, true);
    cli_json_open(j, "groups", '[');
    for (size_t i = 0; i < a->r->group_count; i++)
        json_group(w, NULL, &a->r->groups[i], false);
    cli_json_close(j, ']');
    cli_json_open(j, "pauses", '[');
    for (size_t i = 0; i < a->costly_count && i < run->top; i++) {
        const gl_pause *x = a->costly[i];
        cli_json_open(j, NULL, '{');
        cli_json_int(j, "begin", x->begin);
        cli_json_int(j, "end", x->end);
        cli_summary_json_string(w, "reason", x->reason);
        cli_json_uint(j, "operations", x->sends);
        cli_json_uint(j, "operations_ns", x->sends_ns);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    json_worst(w, "worst", a->r->worst, a->r->worst_count, &run->r->stw);
    json_worst(w, "worst_during_gc", a->r->worst_during_gc, a->r->worst_during_gc_count, &run->r->stw);
}

static const cli_report report = {.bytes = sizeof(answer),
                                  .prepare = prepare,
                                  .start = start,
                                  .finish = finish,
                                  .text = text,
                                  .json = json,
                                  .clean_up = clean_up};

static int run_straddles(const cli_args *args) { return cli_report_answer(args, &report); }

const cli_command cli_command_straddles = {
    .name = "straddles", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_straddles,
    .brief = "channel operations that a GC pause cut: where, how long, released by whom",
    .description =
        "Prints the sends (or, with --kind, the receives, selects and waits for mutexes) that straddle a stop of the world of the "
        "garbage collector: how many, and by start function, channel and place how much of their time lay inside pauses and how "
        "long after the restart they went on; the pauses that cost most, and how many operations each of them cut; and the worst "
        "operations one by one, with who released them.\n\n"
        "An operation straddles a pause when the two share any time. In a recorded trace it lasts from its begin to its end; in "
        "one that Go wrote from the block until the goroutine ran again, and only operations that waited are there. With --cycle "
        "those are shown too that met no pause, but the concurrent mark phase.",
    CLI_OPTIONS(CLI_OPT_OPERATION, CLI_OPT_CYCLE, CLI_OPT_GROUP, CLI_REPORT_OPTIONS),
    .examples = {{"golanes straddles run.lanes", "Sends over a pause."},
                 {"golanes straddles --kind send,receive,select,mutex server.trace", "Everything that waits, over a pause."},
                 {"golanes straddles --json run.lanes | jq '.groups[] | {start, n, p99: .overlap.p99_ns}'", "For a script."}},
};
