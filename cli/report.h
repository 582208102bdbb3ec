/*
 * What the commands that answer one question have in common: open the trace, make a summary and whatever watches it,
 * stream the events through, and print the answer as a page of text or as one JSON document.
 */
#ifndef GOLANES_CLI_REPORT_H
#define GOLANES_CLI_REPORT_H

#include "args.h"
#include "filter.h"
#include "golanes_analysis/watch.h"
#include "source.h"
#include "summary_inside.h"

typedef struct cli_report_run {
    const cli_args *args;
    cli_source *source;
    const gl_dict *dict;
    gl_summary_options options; /**< to be changed by prepare() only */
    gl_summary *summary;
    const gl_summary_result *r; /**< from finish() on */
    size_t top;                 /**< rows of each table; all: CLI_REPORT_ROWS_MAX */
    gl_pattern *group;         /**< --group; NULL: all */
} cli_report_run;

#define CLI_REPORT_ROWS_MAX 100000

/** Every function may be NULL; self is `bytes` of zeros at first. */
typedef struct cli_report {
    size_t bytes;
    /** Looks at the options. 0, or an exit code after a line on standard error. */
    int (*prepare)(cli_report_run *run, void *self);
    /** The summary is there: 0 or a gl_status. */
    int (*start)(cli_report_run *run, void *self);
    int (*finish)(cli_report_run *run, void *self);
    void (*text)(const cli_report_run *run, void *self, cli_page *p);
    /** Members of the document's object, which is open. */
    void (*json)(const cli_report_run *run, void *self, cli_summary_json *w);
    /** The exit code of a run that came to its end, where it is not always 0. */
    int (*verdict)(const cli_report_run *run, void *self);
    void (*clean_up)(void *self);
} cli_report;

/** An exit code. */
int cli_report_answer(const cli_args *args, const cli_report *report);
/** About this file, not the first operand. */
int cli_report_answer_of(const cli_args *args, const char *file, const cli_report *report);
/** The same for one file of several that one question is about: no printing; what the report made is in self. Closes
 *  what it opened but the source and the dictionary, which are the caller's to close. An exit code. */
int cli_report_read(const cli_args *args, const char *file, const cli_report *report, void *self, cli_report_run *run);
void cli_report_close(cli_report_run *run);

/** What is known of a source that was read to its end. */
void cli_source_file(cli_source *source, const gl_summary_result *r, cli_summary_file *f);
/** The same of a run. */
void cli_report_file(const cli_report_run *run, cli_summary_file *f);

/** The options that each of these commands has. */
#define CLI_REPORT_OPTIONS                                                                                             \
    CLI_OPT_JSON, CLI_OPT_WIDTH, CLI_OPT_TOP, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP

/** True where --group wants a start function (or where it was not given): fits the wanted() of analysis/. */
bool cli_report_wants(void *run, uint32_t group);

/**
 * The indices of n things that have a begin and an end, the longest first, of equal ones the earlier. The caller frees it;
 * NULL: no memory.
 */
size_t *cli_longest(const void *list, size_t n, size_t bytes, size_t begin_at, size_t end_at);
#define CLI_LONGEST(list, n)                                                                                           \
    cli_longest((list), (n), sizeof *(list), offsetof(__typeof__(*(list)), begin), offsetof(__typeof__(*(list)), end))

/* --- parts of documents and pages --- */
/** {n, total_ns, p50_ns, p90_ns, p95_ns, p99_ns, max_ns}, whatever n is. */
void cli_json_spread(cli_json *j, const char *key, const gl_spread *s);
/** null where unknown is true. */
void cli_json_known(cli_json *j, const char *key, bool known, uint64_t value);
/** "G12", "-" for none. */
const char *cli_goroutine(char *out, size_t n, uint64_t g);
/** A line of a histogram: a bar `width` columns wide at share 1, blank where it is 0. */
void cli_bar(gl_text *out, double share, size_t width);

#endif
