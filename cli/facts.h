/*
 * What is known of a trace as a whole, beside its events: where it came from, and what is missing. An import writes the
 * facts into the .lanes file as metadata, so that the file answers as the trace itself did.
 */
#ifndef GOLANES_CLI_FACTS_H
#define GOLANES_CLI_FACTS_H

#include <stdbool.h>

#include "golanes/gotrace.h"
#include "golanes/reader.h"
#include "golanes/writer.h"

#include "json_out.h"

typedef struct cli_facts {
    char source_kind[32];     /**< "gotrace"; else what a recorder called itself; "" not known */
    char source_name[256];    /**< the file or address that it was read from */
    char source_packing[16];  /**< "plain", "gzip", "zstd" */
    char golanes_version[32]; /**< that wrote the .lanes file, "" for a Go trace itself */
    char go_version[64];      /**< "1.23 or 1.24": who writes that header */
    bool finished;            /**< the whole source was read: else the figures of `r` are not there, or of a part */
    bool cut;                 /**< the packed source, or the .lanes file, ends early or is damaged */
    char cut_why[200];
    gl_gotrace_result r;
} cli_facts;

/** Which Go versions write that header: "1.11 to 1.18". */
const char *cli_go_versions(unsigned header_version);

/** The keys known at the start of an import, and those known at its end. 0 or a gl_status. */
int cli_facts_put_start(const cli_facts *f, gl_writer *w) GL_MUST_CHECK;
int cli_facts_put_end(const cli_facts *f, gl_writer *w) GL_MUST_CHECK;
void cli_facts_take(gl_reader *r, cli_facts *out);
/** What is known now to be damaged in the file itself: most is met only while events are read. */
void cli_facts_take_damage(gl_reader *r, cli_facts *out);

/** Nothing is missing. */
bool cli_facts_sound(const cli_facts *f);
/** One line on standard error for each thing that is missing; `name` leads each. */
void cli_facts_warn(const cli_facts *f, const char *name);
/** Keys of an object that is open: what is missing. */
void cli_facts_json(const cli_facts *f, cli_json *j);

/** "golanes: …" and a newline on standard error, harmless for a terminal. */
void cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
