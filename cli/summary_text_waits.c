/* The page's part on sends over pauses, on what released whom, and on who is stuck. */
#include "summary_inside.h"

#include <string.h>

/* --- sends that met a pause --- */

static const char *operation_of(const gl_send *s)
{
    if (!s->woken)
        return "did not wait";
    return s->release == GL_RELEASE_OUTSIDE ? "timer or net" : gl_release_name(s->release);
}

/* A channel's column is there only where channels are known. */
#define CHANNEL_COLUMN 1

static void send_row(cli_page *p, gl_table *t, const gl_send *s, bool channel)
{
    cli_unit at, waited, overlap, delay;
    char g[32], chan[32], by[64], where[300], there[300];
    snprintf(chan, sizeof chan, "%#llx", (unsigned long long)s->chan);
    snprintf(g, sizeof g, "%llu", (unsigned long long)s->g);
    if (s->woken && s->woken_by)
        snprintf(by, sizeof by, "G%llu %s", (unsigned long long)s->woken_by, operation_of(s));
    else
        snprintf(by, sizeof by, "%s", operation_of(s));
    const char *cells[] = {g,
                           chan,
                           cli_group_name(p, s->group),
                           cli_place(p, &s->site, where, sizeof where),
                           gl_unit_ns(at, s->begin),
                           cli_ns(waited, s->end > s->begin ? (uint64_t)(s->end - s->begin) : 0),
                           cli_ns(overlap, s->overlap_ns),
                           s->delay_ns < 0 ? "-" : cli_ns(delay, (uint64_t)s->delay_ns),
                           by,
                           s->release_site.stack ? cli_place(p, &s->release_site, there, sizeof there) : ""};
    if (!channel)
        memmove(cells + CHANNEL_COLUMN, cells + CHANNEL_COLUMN + 1, sizeof cells - (CHANNEL_COLUMN + 1) * sizeof *cells);
    cli_add_row(p, t, cells);
}

void cli_page_send_table(cli_page *p, const gl_send *list, size_t shown, bool recorded, uint64_t in_all, const char *what)
{
    static const gl_column columns[] = {
        {"G", GL_ALIGN_LEFT, GL_CUT_END, 0, 0},          {"channel", GL_ALIGN_LEFT, GL_CUT_START, 8, 1},
        {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 12, 0}, {"at", GL_ALIGN_LEFT, GL_CUT_START, 14, 0},      {"begun", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"took", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},      {"in pause", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"ran after", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}, {"released by", GL_ALIGN_LEFT, GL_CUT_END, 13, 0},
        {"there", GL_ALIGN_LEFT, GL_CUT_START, 14, 4}};
    gl_column used[sizeof columns / sizeof *columns];
    size_t n = 0;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (recorded || i != CHANNEL_COLUMN)
            used[n++] = columns[i];
    gl_table *t = gl_table_new(used, n);
    for (size_t i = 0; i < shown; i++)
        send_row(p, t, &list[i], recorded);
    cli_finish_table(p, t);
    cli_more(p, shown, (size_t)in_all, what);
}

static void send_table(cli_page *p, const gl_sends_figures *f, size_t most, const char *what)
{
    size_t shown = f->worst_count < most ? f->worst_count : most;
    cli_page_send_table(p, f->worst, shown, f->recorded, f->straddling, what);
}

static void straddling_selects(cli_page *p)
{
    const gl_sends_figures *s = &p->r->selects;
    cli_unit a, b;
    char words[80];
    gl_text line = {0};
    if (!s->straddling)
        return;
    gl_text_printf(&line, "%s of %s that waited met a pause too, for %s", gl_unit_count(a, s->straddling),
                   cli_many(words, sizeof words, s->n, "select", "selects"), cli_ns(b, s->overlap_ns));
    gl_text_str(&line, s->recorded ? "; none of these chose a send:" : "; the trace cannot say which of them sent:");
    cli_note(p, "", line.bytes);
    send_table(p, s, p->top < 3 ? p->top : p->top / 3 < 3 ? 3 : p->top / 3, "selects");
    gl_text_clean_up(&line);
}

void cli_page_sends(cli_page *p)
{
    const gl_sends_figures *f = &p->r->sends;
    cli_unit a, b;
    char words[80];
    gl_text line = {0};
    if (!f->n && !p->r->selects.straddling)
        return;
    gl_text_printf(&line, "%s of %s", f->straddling ? gl_unit_count(a, f->straddling) : "none",
                   cli_many(words, sizeof words, f->n, "send", "sends"));
    gl_text_str(&line, f->recorded ? "" : " that waited");
    if (f->straddling) {
        gl_text_printf(&line, ", by %s;", cli_many(words, sizeof words, f->goroutines, "goroutine", "goroutines"));
        gl_text_printf(&line, " %s inside pauses; %s released inside one", cli_ns(b, f->overlap_ns),
                       gl_unit_count(a, f->released_inside));
    }
    if (f->during_gc)
        gl_text_printf(&line, "; %s more met only concurrent marking", gl_unit_count(a, f->during_gc));
    cli_heading(p, "SENDS OVER A GC PAUSE", line.bytes);
    if (f->straddling)
        send_table(p, f, p->top, "sends");
    straddling_selects(p);
    if (f->straddling || p->r->selects.straddling)
        cli_note(p, CLI_DIM,
                 f->recorded ? "took: from the operation's begin to its end; ran after: how long after the restart that was."
                             : "took: from the block until it ran again; ran after: how long after the restart that was.");
    gl_text_clean_up(&line);
}

void cli_page_releases(cli_page *p)
{
    static const gl_column columns[] = {
        {"waited in", GL_ALIGN_LEFT, GL_CUT_END, 0, 0}, {"send", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"receive", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},  {"select", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"close", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},    {"timer, network", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"not known", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0}};
    static const char *const rows[GL_WAITED_KINDS] = {"chan send", "chan receive", "select"};
    static const unsigned order[] = {GL_RELEASE_SEND,  GL_RELEASE_RECV,    GL_RELEASE_SELECT,
                                     GL_RELEASE_CLOSE, GL_RELEASE_OUTSIDE, GL_RELEASE_UNKNOWN};
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    for (unsigned i = 0; i < GL_WAITED_KINDS; i++) {
        cli_unit u[GL_RELEASE_KINDS];
        const char *cells[1 + GL_RELEASE_KINDS] = {rows[i]};
        uint64_t any = 0;
        for (unsigned k = 0; k < GL_RELEASE_KINDS; k++) {
            any += p->r->released[i][order[k]];
            cells[1 + k] = cli_count(u[k], p->r->released[i][order[k]]);
        }
        if (any)
            cli_add_row(p, t, cells);
    }
    if (t && gl_table_rows(t)) {
        bool known = p->r->released_recorded > 0;
        cli_heading(p, "WHAT ENDED WAITS IN CHANNEL OPERATIONS", known ? "by what the waker was doing" : "inferred from the waker's stack");
        gl_table_write(t, p->width, CLI_INDENT, &p->out);
    }
    gl_table_destroy(t);
}

/* --- who waits at the end --- */

static const char *how_long(const cli_page *p, const gl_stuck_site *s, cli_unit out)
{
    const gl_stuck_goroutine *longest = &s->goroutines[0];
    if (!longest->since_known) { /* since before the trace */
        cli_unit whole;
        snprintf(out, sizeof(cli_unit), ">%.30s", gl_unit_ns(whole, p->r->end_ns));
        return out;
    }
    return cli_ns(out, p->r->end_ns > longest->since ? (uint64_t)(p->r->end_ns - longest->since) : 0);
}

static void stuck_row(cli_page *p, gl_table *t, const gl_stuck_site *s)
{
    cli_unit n, since, before;
    char where[300], made[300], reason[300];
    if (s->inferred_reason)
        snprintf(reason, sizeof reason, "~%s", s->inferred_reason);
    else
        snprintf(reason, sizeof reason, "%s", cli_reason_name(p, s->reason));
    const char *cells[] = {gl_unit_count(n, s->n),
                           cli_group_name(p, s->name),
                           reason,
                           cli_place(p, &s->site, where, sizeof where),
                           how_long(p, s, since),
                           s->released_here ? gl_unit_count(before, s->released_here)
                           : s->site.stack  ? "never"
                                            : "-",
                           s->created_at.stack ? cli_place(p, &s->created_at, made, sizeof made) : "-"};
    cli_add_row(p, t, cells);
}

void cli_page_waiting_at_the_end(cli_page *p)
{
    static const gl_column columns[] = {
        {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},           {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 16, 0},
        {"waits for", GL_ALIGN_LEFT, GL_CUT_END, 13, 0},   {"at", GL_ALIGN_LEFT, GL_CUT_START, 16, 0},
        {"longest", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},     {"released", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"created at", GL_ALIGN_LEFT, GL_CUT_START, 16, 2}};
    size_t sites = 0, inferred = 0;
    uint64_t n = 0, idle = 0, system = 0;
    cli_unit a, b;
    char words[80];
    gl_text line = {0};
    for (size_t i = 0; i < p->r->stuck_count; i++) {
        const gl_stuck_site *s = &p->r->stuck[i];
        *(s->system ? &system : s->idle ? &idle : &n) += s->n;
        sites += !s->system && !s->idle;
    }
    if (!n && !idle)
        return;
    gl_text_printf(&line, "%s for each other", cli_many(words, sizeof words, n, "goroutine", "goroutines"));
    if (n)
        gl_text_printf(&line, ", at %s", cli_many(words, sizeof words, sites, "place", "places"));
    gl_text_printf(&line, "; %s for time or the network; %s of the runtime", gl_unit_count(a, idle),
                   gl_unit_count(b, system));
    cli_heading(p, "WAITING AT THE END", line.bytes);
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t shown = 0;
    for (size_t i = 0; i < p->r->stuck_count && shown < p->top; i++) {
        const gl_stuck_site *s = &p->r->stuck[i];
        if (s->system || s->idle)
            continue;
        inferred += s->inferred_reason != NULL;
        stuck_row(p, t, s);
        shown++;
    }
    if (shown)
        cli_finish_table(p, t);
    else
        gl_table_destroy(t);
    cli_more(p, shown, sites, "places");
    if (shown)
        cli_note(p, CLI_DIM,
                 inferred ? "released: waits there that did end; never hints at a leak. ~ inferred from the stack."
                          : "released: waits there that did end; never hints at a leak.");
    gl_text_clean_up(&line);
}
