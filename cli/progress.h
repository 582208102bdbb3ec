/*
 * One line on a terminal that says how far a long run is, and the signals that end such a run in good order. Nothing is
 * shown where standard error is no terminal, or where the person asked for quiet.
 */
#ifndef GOLANES_CLI_PROGRESS_H
#define GOLANES_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_progress {
    bool shown;       /**< may draw */
    const char *what; /**< "importing x.trace" */
    int64_t started, drawn; /**< monotonic ns */
    size_t width;     /**< columns on the screen now */
    bool live;        /**< done and total are ns of recording */
} cli_progress;

void cli_progress_start(cli_progress *p, const char *what, bool quiet);
/** Draws now and then. Non-zero once a signal asked to stop: fits gl_progress_fn, gl_input_progress_fn. total 0: not known. */
int cli_progress_tick(void *progress, uint64_t done, uint64_t total);
/** Of `size` bytes those that `done` of `all` stand for. */
uint64_t cli_progress_share(uint64_t done, uint64_t all, uint64_t size);
/** Takes the line off the screen. */
void cli_progress_end(cli_progress *p);
/** The line itself, at most `width` columns; for tests too. elapsed in ns. */
void cli_progress_line(const cli_progress *p, uint64_t done, uint64_t total, int64_t elapsed, size_t width, char *out,
                       size_t out_size);

/** SIGINT and SIGTERM set a mark once; a second one ends the program. */
void cli_signals_catch(void);
/** 0, or the exit code for the signal that came. */
int cli_signals_came(void);

#endif
