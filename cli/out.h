/*
 * Standard output: buffered here, so that a listing of a hundred million events costs no lock and no format parsing, and
 * so that a reader that went away (head) is told apart from a disk that is full.
 */
#ifndef GOLANES_CLI_OUT_H
#define GOLANES_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cli_out {
    int fd;
    int error;   /**< errno of the first failed write, 0 none */
    bool closed; /**< the reader went away */
    uint64_t written; /**< bytes that have left */
    size_t n;
    char buffer[1 << 16];
} cli_out;

void cli_out_init(cli_out *o, int fd);
void cli_out_add(cli_out *o, const char *bytes, size_t n);
void cli_out_str(cli_out *o, const char *s);
void cli_out_char(cli_out *o, char c);
void cli_out_u64(cli_out *o, uint64_t n);
void cli_out_i64(cli_out *o, int64_t n);
/** Right-aligned with spaces. */
void cli_out_pad(cli_out *o, size_t from, size_t width);
void cli_out_printf(cli_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** s as a JSON string with its quotes; malformed UTF-8 becomes U+FFFD, byte by byte. */
void cli_out_json_string(cli_out *o, const char *s, size_t n);
/** s with control characters and malformed UTF-8 made harmless for a terminal. */
void cli_out_safe(cli_out *o, const char *s, size_t n);

/** False once writing is of no more use; producers stop then. */
bool cli_out_open(const cli_out *o);
/** Forgets what has not left yet. */
void cli_out_drop(cli_out *o);
/** Flushes. An exit code: done (also where the reader went away), or CLI_EXIT_OUTPUT after a line on standard error. */
int cli_out_finish(cli_out *o);

/** A stream whose bytes go through o, for writers that want one. NULL: no memory. Close it before cli_out_finish. */
FILE *cli_out_stream(cli_out *o);

/** Below a message about an option's value: the value, and marks under n bytes of it. CLI_EXIT_USAGE. */
int cli_point_at(const char *text, size_t at, size_t n);

#endif
