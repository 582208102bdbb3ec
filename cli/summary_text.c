#include "summary_inside.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOP_DEFAULT 10
#define WIDTH_DEFAULT 80
#define WIDTH_LEAST 40

/* --- what was read --- */

static void wall_clock(const cli_page *p, int64_t unix_ns, char *out, size_t n)
{
    time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm parts;
    char text[64] = "";
    *out = 0;
    if (!(p->utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)))
        return;
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(out, n, " from %s.%03d%s", text, (int)(unix_ns / 1000000 % 1000), p->utc ? " UTC" : "");
}

static void go_version(const cli_summary_file *f, char *out, size_t n)
{
    if (f->go_version && *f->go_version)
        snprintf(out, n, "Go %s", strncmp(f->go_version, "go", 2) == 0 ? f->go_version + 2 : f->go_version);
    else if (f->header_version)
        snprintf(out, n, "Go 1.%u", f->header_version);
    else
        snprintf(out, n, "Go version not known");
}

void cli_page_title(cli_page *p)
{
    const gl_summary_result *r = p->r;
    cli_unit size, span;
    char version[100], wall[100] = "";
    int64_t start = p->file->wall_unix_ns ? p->file->wall_unix_ns : r->wall_unix_ns;
    gl_text line = {0};
    cli_style(p, CLI_BOLD);
    gl_text_safe(&p->out, p->file->name, strlen(p->file->name));
    cli_style(p, CLI_PLAIN);
    go_version(p->file, version, sizeof version);
    gl_text_str(&p->out, "\n");
    if (start > 0)
        wall_clock(p, start, wall, sizeof wall);
    gl_text_printf(&line, "%s, %s, %s%s", version, gl_unit_bytes(size, p->file->size),
                   gl_unit_ns(span, r->end_ns > 0 ? r->end_ns : 0), wall);
    cli_note(p, "", line.bytes ? line.bytes : "");
    gl_text_clean_up(&line);
}

static void what_was_read(cli_page *p)
{
    const gl_summary_result *r = p->r;
    cli_unit events, goroutines;
    gl_text line = {0};
    cli_page_title(p);
    gl_text_printf(&line, "%s events, %s goroutines", gl_unit_count(events, r->events),
                   gl_unit_count(goroutines, r->seen));
    uint64_t runtime = r->system > r->unnamed ? r->system - r->unnamed : 0;
    gl_text_printf(&line, " (%s of the runtime", gl_unit_count(goroutines, runtime));
    if (r->unnamed)
        gl_text_printf(&line, ", %s of no known start", gl_unit_count(goroutines, r->unnamed));
    gl_text_str(&line, ")");
    gl_text_printf(&line, ", %zu Ps, %u threads", r->proc_count, r->threads);
    if (r->samples)
        gl_text_printf(&line, ", %s CPU samples", gl_unit_count(events, r->samples));
    cli_note(p, "", line.bytes ? line.bytes : "");
    gl_text_clean_up(&line);
}

/* Loud and first: figures of a part of a trace must not pass for the whole. */
void cli_page_lost(cli_page *p)
{
    const cli_summary_file *f = p->file;
    cli_unit bytes, share, events;
    char places[80];
    gl_text line = {0};
    if (f->complete)
        return;
    gl_text_str(&line, "INCOMPLETE: ");
    if (f->places_lost)
        gl_text_printf(&line, "%s events were lost while recording, at %s", gl_unit_count(events, f->events_lost),
                       cli_many(places, sizeof places, f->places_lost, "place", "places"));
    else if (f->bytes_lost)
        gl_text_printf(&line, "%s of %s could not be read (%s)", gl_unit_bytes(bytes, f->bytes_lost),
                       gl_unit_bytes(events, f->size),
                       gl_unit_share(share, f->size ? (double)f->bytes_lost / (double)f->size : 1));
    else
        gl_text_str(&line, f->truncated ? "the file ends early" : "something is missing");
    if (f->events_lost && !f->places_lost)
        gl_text_printf(&line, ", with at least %s events", gl_unit_count(events, f->events_lost));
    if (f->unnamed_parts)
        gl_text_str(&line, "; the last part has no names and stacks of its own");
    gl_text_str(&line, ". All figures are of what is left.");
    cli_note(p, CLI_WARN, line.bytes ? line.bytes : "");
    for (size_t i = 0; i < f->damage_count && i < 3; i++) {
        gl_text_clear(&line);
        gl_text_printf(&line, "at byte %s: ", gl_unit_count(bytes, f->damages[i].offset));
        gl_text_safe(&line, f->damages[i].reason, strlen(f->damages[i].reason));
        cli_note(p, CLI_WARN, line.bytes ? line.bytes : "");
    }
    cli_more(p, f->damage_count < 3 ? f->damage_count : 3, (size_t)f->damages_in_all, "places");
    gl_text_clean_up(&line);
}

/* --- goroutines --- */

static uint64_t weight(const gl_group_figures *g) { return g->times.ns[GL_G_RUNNING] + g->times.ns[GL_G_RUNNABLE]; }

static int by_weight(const void *a, const void *b)
{
    const gl_group_figures *x = *(const gl_group_figures *const *)a, *y = *(const gl_group_figures *const *)b;
    if (weight(x) != weight(y))
        return weight(x) > weight(y) ? -1 : 1;
    return x->n != y->n ? (x->n > y->n ? -1 : 1) : (x < y ? -1 : x > y);
}

/* The two reasons that took most: "462 ms chan receive, 183 ms sync". */
static void main_reasons(const cli_page *p, const gl_state_times *t, gl_text *out)
{
    size_t first = SIZE_MAX, second = SIZE_MAX;
    cli_unit a;
    for (size_t i = 0; i < t->block_count; i++) {
        if (first == SIZE_MAX || t->block[i].ns > t->block[first].ns) {
            second = first;
            first = i;
        } else if (second == SIZE_MAX || t->block[i].ns > t->block[second].ns) {
            second = i;
        }
    }
    gl_text_clear(out);
    if (first != SIZE_MAX)
        gl_text_printf(out, "%s %s", cli_ns(a, t->block[first].ns), cli_reason_name(p, t->block[first].reason));
    if (second != SIZE_MAX && t->block[second].ns > t->block[first].ns / 10)
        gl_text_printf(out, ", %s %s", cli_ns(a, t->block[second].ns), cli_reason_name(p, t->block[second].reason));
    if (!out->n)
        gl_text_str(out, "-");
}

static void group_row(cli_page *p, gl_table *t, const char *name, uint64_t n, uint64_t alive,
                      const gl_state_times *times, gl_text *blocked)
{
    cli_unit all_text, alive_text, running, runnable, syscall;
    char of[2 * GL_UNIT_TEXT_MAX];
    main_reasons(p, times, blocked);
    snprintf(of, sizeof of, "%s/%s", gl_unit_count(alive_text, alive), gl_unit_count(all_text, n));
    const char *cells[] = {name,
                           of,
                           cli_ns(running, times->ns[GL_G_RUNNING]),
                           cli_ns(runnable, times->ns[GL_G_RUNNABLE]),
                           cli_ns(syscall, times->ns[GL_G_SYSCALL]),
                           blocked->bytes ? blocked->bytes : ""};
    cli_add_row(p, t, cells);
}

/* The tracer's goroutines are not the program's either; those of no known start may be. */
static bool of_program(const cli_page *p, const gl_group_figures *g)
{
    return !g->name || (!g->system && strncmp(cli_string_of(p, g->name), "runtime/trace.", 14) != 0);
}

static void runtime_row(cli_page *p, gl_table *t, gl_text *blocked)
{
    gl_group_figures sum = {0};
    for (size_t i = 0; i < p->r->group_count; i++) {
        const gl_group_figures *g = &p->r->groups[i];
        if (of_program(p, g))
            continue;
        sum.n += g->n;
        sum.alive += g->alive;
        for (unsigned k = 0; k < GL_G_STATES; k++)
            sum.times.ns[k] += g->times.ns[k];
    }
    if (sum.n)
        group_row(p, t, "(the runtime's own)", sum.n, sum.alive, &sum.times, blocked);
}

static void goroutines(cli_page *p)
{
    static const gl_column columns[] = {
        {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 19, 0}, {"alive/n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"running", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},       {"runnable", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"syscall", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2},       {"waited, mostly for", GL_ALIGN_LEFT, GL_CUT_END, 20, 0}};
    const gl_summary_result *r = p->r;
    size_t n = 0;
    gl_text blocked = {0};
    const gl_group_figures **list = calloc(r->group_count + 1, sizeof *list);
    if (!list) {
        p->out.failed = true;
        return;
    }
    for (size_t i = 0; i < r->group_count; i++) {
        if (of_program(p, &r->groups[i]))
            list[n++] = &r->groups[i];
    }
    qsort(list, n, sizeof *list, by_weight);
    cli_heading(p, "GOROUTINES", "by start function; times are sums over all of them");
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t shown = n < p->top ? n : p->top;
    for (size_t i = 0; i < shown; i++)
        group_row(p, t, cli_group_name(p, list[i]->name), list[i]->n, list[i]->alive, &list[i]->times, &blocked);
    runtime_row(p, t, &blocked);
    if (n > 1)
        group_row(p, t, "(everything)", r->seen, r->alive, &r->sum, &blocked);
    cli_finish_table(p, t);
    cli_more(p, shown, n, "start functions");
    gl_text_clean_up(&blocked);
    free(list);
}

/* --- the collector and stopped worlds --- */

static void collector(cli_page *p)
{
    const gl_summary_result *r = p->r;
    cli_unit a, b, c;
    char words[80];
    gl_text line = {0};
    if (!r->gc.count && !r->metrics[GL_METRIC_LIVE].count)
        return;
    gl_text_str(&line, cli_many(words, sizeof words, r->gc.count, "cycle", "cycles"));
    if (r->gc.count) {
        gl_text_printf(&line, ", marking for %s (%s of the time), longest %s", cli_ns(a, r->gc.total_ns),
                       gl_unit_share(b, r->end_ns > 0 ? (double)r->gc.total_ns / (double)r->end_ns : 0),
                       cli_ns(c, r->gc.max_ns));
    }
    cli_heading(p, "GARBAGE COLLECTOR", line.bytes);
    gl_text_clear(&line);
    if (r->assists)
        gl_text_printf(&line, "%s took %s. ", cli_many(words, sizeof words, r->assists, "mark assist", "mark assists"),
                       cli_ns(b, r->assist_ns));
    if (r->sweeps)
        gl_text_printf(&line, "%s took %s.", cli_many(words, sizeof words, r->sweeps, "sweep", "sweeps"),
                       cli_ns(b, r->sweep_ns));
    if (line.n)
        cli_note(p, "", line.bytes);
    gl_text_clear(&line);
    const gl_metric_figures *live = &r->metrics[GL_METRIC_LIVE], *goal = &r->metrics[GL_METRIC_GOAL];
    if (live->count)
        gl_text_printf(&line, "Live heap %s first, %s most, %s last", gl_unit_bytes(a, live->first),
                       gl_unit_bytes(b, live->max), gl_unit_bytes(c, live->last));
    if (goal->count)
        gl_text_printf(&line, "%s %s", line.n ? "; goal" : "Heap goal", gl_unit_bytes(a, goal->max));
    if (goal->last != goal->max)
        gl_text_printf(&line, " most, %s last", gl_unit_bytes(b, goal->last));
    if (line.n)
        cli_note(p, "", line.bytes);
    gl_text_clean_up(&line);
}

static void processors_left(cli_page *p)
{
    cli_unit share;
    gl_text line = {0};
    for (size_t i = 0; i < p->r->mmu_count; i++) {
        const gl_mmu_figures *m = &p->r->mmu[i];
        if (strcmp(m->set, "allstw+background+assist") != 0)
            continue;
        gl_text_printf(&line, "Processor time left to the program: %s on the whole;", gl_unit_share(share, m->mean));
        gl_text_str(&line, " in the worst window of");
        for (size_t k = 1; k < GL_MMU_WINDOWS; k++) {
            cli_unit window;
            if (gl_mmu_window_ns[k] > p->r->end_ns)
                break;
            gl_text_printf(&line, "%s %s %s", k > 1 ? "," : "", gl_unit_ns(window, gl_mmu_window_ns[k]),
                           gl_unit_share(share, m->window[k]));
        }
        if (p->r->end_ns >= gl_mmu_window_ns[1])
            cli_note(p, "", line.bytes);
    }
    gl_text_clean_up(&line);
}

static int by_total(const void *a, const void *b)
{
    const gl_reason_figures *x = *(const gl_reason_figures *const *)a, *y = *(const gl_reason_figures *const *)b;
    if (x->stw.total_ns != y->stw.total_ns)
        return x->stw.total_ns > y->stw.total_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void stopped_worlds(cli_page *p)
{
    static const gl_column columns[] = {
        {"why", GL_ALIGN_LEFT, GL_CUT_END, 12, 0},    {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"total", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},  {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"p90", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},    {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 1},
        {"longest", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    const gl_reason_figures *list[256];
    size_t n = 0;
    cli_unit b;
    char words[80];
    gl_text line = {0};
    for (size_t i = 0; i < p->r->reason_count && n < 256; i++) {
        if (p->r->reasons[i].stw.n)
            list[n++] = &p->r->reasons[i];
    }
    if (!n)
        return;
    qsort(list, n, sizeof *list, by_total);
    gl_text_printf(&line, "%s, %s in all, from the request to the restart",
                   cli_many(words, sizeof words, p->r->stw.count, "time", "times"), cli_ns(b, p->r->stw.total_ns));
    cli_heading(p, "STOPPED WORLDS", line.bytes);
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t shown = n < p->top ? n : p->top;
    for (size_t i = 0; i < shown; i++) {
        const gl_spread *s = &list[i]->stw;
        cli_unit u[6];
        const char *cells[] = {cli_reason_name(p, list[i]->reason),
                               gl_unit_count(u[0], s->n),
                               cli_ns(u[1], s->total_ns),
                               cli_ns(u[2], s->p50_ns),
                               cli_ns(u[3], s->p90_ns),
                               cli_ns(u[4], s->p99_ns),
                               cli_ns(u[5], s->max_ns)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, shown, n, "reasons");
    gl_text_clean_up(&line);
}

static void user_marks(cli_page *p)
{
    const gl_user_figures *u = &p->r->user;
    cli_unit a, b, c;
    gl_text line = {0};
    if (!u->task_begin && !u->region_begin && !u->logs && !p->r->panics)
        return;
    gl_text_printf(&line, "%s tasks, %s regions, %s messages", gl_unit_count(a, u->task_begin),
                   gl_unit_count(b, u->region_begin), gl_unit_count(c, u->logs));
    if (p->r->panics)
        gl_text_printf(&line, ", %s panics", gl_unit_count(a, p->r->panics));
    cli_heading(p, "THE PROGRAM'S OWN MARKS", line.bytes);
    gl_text_clean_up(&line);
}

bool cli_summary_text(FILE *out, const gl_dict *dict, const cli_summary_file *file, const gl_summary_result *r,
                      const cli_summary_look *look)
{
    cli_page p = {.dict = dict, .file = file, .r = r, .colour = look->colour, .utc = look->utc};
    p.width = look->width ? look->width : WIDTH_DEFAULT;
    p.width = p.width < WIDTH_LEAST ? WIDTH_LEAST : p.width;
    p.top = look->top ? look->top : TOP_DEFAULT;
    what_was_read(&p);
    cli_page_lost(&p);
    goroutines(&p);
    collector(&p);
    processors_left(&p);
    stopped_worlds(&p);
    cli_page_sends(&p);
    cli_page_releases(&p);
    cli_page_waiting_at_the_end(&p);
    user_marks(&p);
    bool done = !p.out.failed && fwrite(p.out.bytes, 1, p.out.n, out) == p.out.n && fflush(out) == 0;
    gl_text_clean_up(&p.out);
    return done;
}
