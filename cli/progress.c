#include "progress.h"
#include "commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define DRAW_EVERY_NS INT64_C(100000000)
#define FIRST_DRAW_NS INT64_C(300000000) /* what is done at once needs no line */

#define NARROW 60 /* columns below which a share says it all */
#define WIDE 90   /* columns from which there is room for a rate beside the bar */

static volatile sig_atomic_t came;

static void on_signal(int number)
{
    came = number;
}

void cli_signals_catch(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

int cli_signals_came(void)
{
    return came == 0 ? 0 : came == SIGTERM ? CLI_EXIT_TERMINATED : CLI_EXIT_INTERRUPTED;
}

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void cli_progress_start(cli_progress *p, const char *what, bool quiet)
{
    *p = (cli_progress){.shown = !quiet && isatty(STDERR_FILENO), .what = what, .started = now_ns()};
    p->drawn = p->started + FIRST_DRAW_NS - DRAW_EVERY_NS;
}

static void add_live(uint64_t done, uint64_t total, gl_text *t)
{
    char left[GL_UNIT_TEXT_MAX];
    if (done < total)
        gl_text_printf(t, "%s left", gl_unit_ns(left, (int64_t)(total - done) / 1000000000 * 1000000000));
    else
        gl_text_str(t, "waiting for the last of it");
}

/* "512 MiB of 968 MiB  85 MiB/s  5.00 s left" */
static void add_figures(uint64_t done, uint64_t total, int64_t elapsed, size_t width, gl_text *t)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX];
    double seconds = (double)elapsed / 1e9;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    if (total)
        gl_text_printf(t, "%3.0f %%", done < total ? 100.0 * (double)done / (double)total : 100.0);
    if (width >= NARROW || !total) {
        gl_text_printf(t, "%s%s", total ? "  " : "", gl_unit_bytes(a, done));
        if (total)
            gl_text_printf(t, " of %s", gl_unit_bytes(b, total));
        if (width >= WIDE || !total)
            gl_text_printf(t, "  %s/s", gl_unit_bytes(a, rate < 1e18 ? (uint64_t)rate : 0));
    }
    if (total > done && rate > 0) {
        double left = (double)(total - done) / rate;
        gl_text_printf(t, "  %s left", left < 1e8 ? gl_unit_ns(b, (int64_t)(left + 1) * 1000000000) : "long");
    }
}

void cli_progress_line(const cli_progress *p, uint64_t done, uint64_t total, int64_t elapsed, size_t width, char *out,
                       size_t out_size)
{
    gl_text figures = {0}, line = {0};
    if (p->live)
        add_live(done, total, &figures);
    else
        add_figures(done, total, elapsed, width, &figures);
    size_t used = gl_text_width(figures.bytes ? figures.bytes : "", figures.n);
    size_t bar = !total ? 0 : width >= used + 40 ? 16 : width >= used + 30 ? 8 : 0;
    size_t taken = used + (bar ? bar + 6 : 2);
    gl_text_fit(&line, p->what, strlen(p->what), width > taken ? width - taken : 0, GL_CUT_MIDDLE);
    if (bar) {
        double share = total ? (double)done / (double)total : 0;
        share = share > 1 ? 1 : share;
        gl_text drawn = {0};
        gl_text_bar(&drawn, share, bar);
        gl_text_str(&line, "  ▕");
        gl_text_cell(&line, drawn.bytes ? drawn.bytes : "", drawn.n, bar, GL_ALIGN_LEFT, GL_CUT_END);
        gl_text_str(&line, "▏");
        gl_text_clean_up(&drawn);
    }
    gl_text_printf(&line, "  %s", figures.bytes ? figures.bytes : "");
    gl_text fitted = {0};
    gl_text_fit(&fitted, line.bytes ? line.bytes : "", line.n, width, GL_CUT_END);
    snprintf(out, out_size, "%s", fitted.bytes ? fitted.bytes : "");
    gl_text_clean_up(&figures);
    gl_text_clean_up(&line);
    gl_text_clean_up(&fitted);
}

/* Blanks what an earlier, longer line left over; no terminal needs to know more than a carriage return for that. */
static void put_line(cli_progress *p, const char *line)
{
    size_t width = gl_text_width(line, strlen(line));
    size_t blanks = p->width > width ? p->width - width : 0;
    fprintf(stderr, "\r%s%*s%s", line, (int)blanks, "", blanks || !width ? "\r" : "");
    fflush(stderr);
    p->width = width;
}

uint64_t cli_progress_share(uint64_t done, uint64_t all, uint64_t size)
{
    return all ? (uint64_t)((double)done / (double)all * (double)size) : 0;
}

int cli_progress_tick(void *progress, uint64_t done, uint64_t total)
{
    cli_progress *p = progress;
    if (came)
        return 1;
    if (!p->shown)
        return 0;
    int64_t now = now_ns();
    if (now - p->drawn < DRAW_EVERY_NS)
        return 0;
    p->drawn = now;
    char line[1024];
    size_t width = gl_text_terminal_width(STDERR_FILENO, 80);
    cli_progress_line(p, done, total, now - p->started, width > 1 ? width - 1 : 1, line, sizeof line);
    put_line(p, line);
    return 0;
}

void cli_progress_end(cli_progress *p)
{
    if (p->width)
        put_line(p, "");
    p->width = 0;
}
