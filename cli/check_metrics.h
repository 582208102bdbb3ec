/*
 * The figures that `golanes check` can be asked for, and whence they come. One table: what is not in it does not exist,
 * and the manual page lists it.
 */
#ifndef GOLANES_CLI_CHECK_METRICS_H
#define GOLANES_CLI_CHECK_METRICS_H

#include "check_expr.h"
#include "golanes_analysis/anomalies.h"
#include "golanes_analysis/blocked.h"
#include "golanes_analysis/latency.h"
#include "golanes_analysis/marks.h"
#include "golanes_analysis/pauses.h"
#include "golanes_analysis/straddling.h"
#include "report.h"

/** All that figures come from. */
typedef struct cli_measures {
    const cli_report_run *run; /**< NULL: before the trace is read */
    gl_anomalies *anomalies_of;
    gl_channels *channels_of;
    gl_blocked *blocked_of;
    gl_latency *latency_of;
    gl_marks *marks_of;
    gl_pauses *pauses_of;
    gl_straddling *straddling_of;
    const gl_anomalies_result *anomalies;
    const gl_channels_result *channels;
    const gl_blocked_result *blocked;
    const gl_latency_result *latency;
    const gl_marks_result *marks;
    const gl_pauses_result *pauses;
    const gl_straddling_result *straddling;
} cli_measures;

int cli_measures_start(cli_measures *m, const cli_report_run *run) GL_MUST_CHECK;
int cli_measures_finish(cli_measures *m, const cli_report_run *run) GL_MUST_CHECK;
void cli_measures_clean_up(cli_measures *m);

/** A cli_ask_fn; user is a cli_measures. */
cli_asked cli_measure_ask(void *user, const cli_question *q, cli_value *out, char *why, size_t why_size);
/** What the trace shows of a figure that was asked for: a line for each piece of evidence. */
void cli_measure_evidence(const cli_measures *m, const char *question, cli_page *p);
/** For the manual page. */
void cli_measure_page(gl_text *out);

#endif
