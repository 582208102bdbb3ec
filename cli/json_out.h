/*
 * JSON written as it is made: nothing is kept, so an array of seven million objects costs no memory. Commas come by
 * themselves. Texts may hold any bytes: what is not UTF-8 becomes U+FFFD, so the output is valid JSON always.
 *
 * Failures of the output are sticky and told by cli_json_finish.
 */
#ifndef GOLANES_CLI_JSON_OUT_H
#define GOLANES_CLI_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct cli_json {
    FILE *out;
    bool failed, comma;
    size_t n;
    char buffer[16384];
} cli_json;

void cli_json_init(cli_json *j, FILE *out);
/** Writes out what is buffered (and a newline). False where any write failed. */
bool cli_json_finish(cli_json *j);

/** bracket: '{' or '['; key NULL inside an array. */
void cli_json_open(cli_json *j, const char *key, char bracket);
void cli_json_close(cli_json *j, char bracket);
void cli_json_uint(cli_json *j, const char *key, uint64_t value);
void cli_json_int(cli_json *j, const char *key, int64_t value);
void cli_json_real(cli_json *j, const char *key, double value);
void cli_json_bool(cli_json *j, const char *key, bool value);
void cli_json_null(cli_json *j, const char *key);
/** n bytes, whatever they are; the key may be any text too. */
void cli_json_text(cli_json *j, const char *key, const char *text, size_t n);
void cli_json_str(cli_json *j, const char *key, const char *text);

#endif
