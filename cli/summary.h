/*
 * `golanes summary` in its two forms. The figures come from analysis/; what is known of the file itself comes from
 * whoever read it.
 */
#ifndef GOLANES_CLI_SUMMARY_H
#define GOLANES_CLI_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "golanes/gotrace.h"
#include "golanes_analysis/summary.h"
#include "json_out.h"

/** What is known of the file. Zero-initialise; texts may be NULL. */
typedef struct cli_summary_file {
    const char *name;        /**< as the user gave it */
    const char *format;      /**< "go trace", "golanes" */
    const char *go_version;  /**< "go1.26.11", where it is known better than by the header */
    uint64_t size;           /**< bytes */
    unsigned header_version; /**< 26 for "go 1.26 trace", 0 not known */
    bool complete, truncated;
    uint64_t bytes_lost, events_lost;
    uint64_t places_lost; /**< where a recorder lost them; 0: it was not a recorder */
    uint64_t parts, unnamed_parts, resyncs;
    int64_t wall_unix_ns;     /**< at time 0; 0 not known */
    const gl_damage *damages; /**< those that were kept */
    size_t damage_count;
    uint64_t damages_in_all;
} cli_summary_file;

/** Fills what an import tells. */
void cli_summary_file_from_import(cli_summary_file *f, const gl_gotrace_result *r);
/** Adds what the trace tells of losses, where the file itself is sound: a recorder's, that found no room. */
void cli_summary_file_losses(cli_summary_file *f, const gl_summary_result *r);

/*
 * JSON, streamed: begin, then each goroutine as it leaves (cli_summary_json_goroutine is a gl_goroutine_fn; user is the
 * cli_summary_json), then end.
 */
typedef struct cli_summary_json {
    const gl_dict *dict;
    cli_json json;
} cli_summary_json;

void cli_summary_json_begin(cli_summary_json *w, const gl_dict *dict, FILE *out);
int cli_summary_json_goroutine(void *w, const gl_goroutine_figures *g);
/** False where the output failed. r NULL: there are no figures; what was begun is closed and `error` told. */
bool cli_summary_json_end(cli_summary_json *w, const cli_summary_file *file, const gl_summary_result *r,
                          const char *error);

typedef struct cli_summary_look {
    unsigned width; /**< columns; 0: 80 */
    bool colour;
    unsigned top; /**< rows of each list; 0: 10 */
    bool utc;     /**< clocks in UTC, not local time */
} cli_summary_look;

/** A page of text. False where the output failed or memory could not be had. */
bool cli_summary_text(FILE *out, const gl_dict *dict, const cli_summary_file *file, const gl_summary_result *r,
                      const cli_summary_look *look);

#endif
