/* A .lanes file that a command makes out of other traces. */
#ifndef GOLANES_CLI_OUTLANES_H
#define GOLANES_CLI_OUTLANES_H

#include "golanes/writer.h"

#include "args.h"
#include "facts.h"

typedef struct cli_outlanes {
    const char *path;
    gl_dict *dict;
    gl_writer *writer;
    gl_writer_stats stats;
    int write_errno; /* of the first write that failed */
    bool failed;
} cli_outlanes;

/** Checks -o OUT and opens it. 0, or an exit code after a line on standard error. */
int cli_outlanes_open(cli_outlanes *o, const cli_args *args);
/** What is known of the trace as a whole. A gl_status. */
int cli_outlanes_meta(cli_outlanes *o, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int cli_outlanes_events(cli_outlanes *o, const gl_event *events, size_t n) GL_MUST_CHECK;
/** Finishes the file, or takes it away where status is negative or writing failed. An exit code; err tells of status. */
int cli_outlanes_close(cli_outlanes *o, int status, const gl_error *err);

#endif
