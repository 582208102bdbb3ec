/*
 * Where events come from: a .lanes file or a Go trace, plain or packed, from a path, standard input or a running program.
 * Which of these it is, is found from the bytes. Commands see one thing: events, a dictionary, and the facts.
 */
#ifndef GOLANES_CLI_SOURCE_H
#define GOLANES_CLI_SOURCE_H

#include "golanes/input.h"

#include "args.h"
#include "facts.h"

typedef struct cli_source cli_source;

typedef struct cli_source_options {
    bool quiet;           /**< no progress line */
    unsigned seconds;     /**< to trace a program for */
    const char *binary;   /**< names the addresses of a Go 1.5 or 1.6 trace; NULL none */
    bool to_terminal;     /**< events go to the terminal as they come, so that a progress line would be in the way */
} cli_source_options;
/** From --seconds and --quiet. */
cli_source_options cli_source_options_of(const cli_args *args);

int cli_source_open(const char *name, const cli_source_options *opt, cli_source **out, gl_error *err) GL_MUST_CHECK;
void cli_source_close(cli_source *s);

const char *cli_source_name(const cli_source *s);
/** NULL for a Go trace. */
gl_reader *cli_source_reader(cli_source *s);
/** NULL for a .lanes file. */
gl_input *cli_source_input(cli_source *s);
/** The packing it came in: "plain", "gzip", "zstd". */
const char *cli_source_packing(const cli_source *s);
/** Bytes of the file as it is, unpacked. */
uint64_t cli_source_bytes(const cli_source *s);
/** Of a Go trace it grows while events come. Owned by the source. */
int cli_source_dict(cli_source *s, const gl_dict **out, gl_error *err) GL_MUST_CHECK;
/** For an import, which hands it to a writer; NULL for a .lanes file. */
gl_dict *cli_source_own_dict(cli_source *s);
/** Of a Go trace they are whole only after cli_source_stream. */
const cli_facts *cli_source_facts(const cli_source *s);

/** What the consumer will not look at. Only hints: more may come. All zero: everything, all columns. */
typedef struct cli_plan {
    int64_t from, to;      /**< ns; to 0: to the end */
    bool some_columns;     /**< only `columns` are needed */
    unsigned columns;      /**< GL_COL_… */
    const uint16_t *types; /**< NULL: all */
    size_t type_count;
} cli_plan;

/** Hands events to fn in trace order. 0, or a negative status: fn's own, GL_E_CANCELLED after a signal, a reader's. */
int cli_source_stream(cli_source *s, const cli_plan *plan, gl_event_fn fn, void *user, gl_error *err) GL_MUST_CHECK;

/** Prints err (but not for a cancelled one), returns the exit code for a status. */
int cli_failed(int status, const gl_error *err);
/** The exit code of a run that came to its end: warns unless quiet; --strict counts. */
int cli_ended(const cli_source *s, const cli_args *args);

#endif
