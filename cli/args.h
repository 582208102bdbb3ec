/* A command line, checked against the table of commands. */
#ifndef GOLANES_CLI_ARGS_H
#define GOLANES_CLI_ARGS_H

#include "commands.h"

typedef struct cli_given {
    cli_id id;
    const char *text; /**< as given; NULL for a flag */
    uint64_t number;  /**< of CLI_NUMBER, and in ns of CLI_TIME */
} cli_given;

#define CLI_OPERANDS_MAX 16

typedef struct cli_args {
    const cli_command *command;
    const char *operands[CLI_OPERANDS_MAX];
    size_t operand_count;
    char **rest; /**< of a command with a program: its words, up to a NULL */
    size_t rest_count;
    cli_given *given;
    size_t given_count;
} cli_args;

/**
 * Parses argv[0..argc) (argv[0] is the command's word) for a command. 0, or an exit code after one line on standard
 * error. --help ends the parsing at once: it is then among what was given. The texts stay argv's.
 */
int cli_args_parse(const cli_command *command, int argc, char **argv, cli_args *out);
void cli_args_clean_up(cli_args *args);

/** The last one of that id, or NULL. */
const cli_given *cli_args_find(const cli_args *args, cli_id id);
bool cli_args_has(const cli_args *args, cli_id id);
uint64_t cli_args_number(const cli_args *args, cli_id id, uint64_t otherwise);
const char *cli_args_text(const cli_args *args, cli_id id, const char *otherwise);

/** One line on standard error that points at --help; returns CLI_EXIT_USAGE. command may be NULL. */
int cli_usage_error(const cli_command *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Parses "1.5ms", "2s", "500us", "1m30s", "0" into ns. False where it is none, or does not fit. */
bool cli_time_parse(const char *text, int64_t *ns);
/** Parses digits only. False where there is anything else, or it does not fit. */
bool cli_number_parse(const char *text, uint64_t *number);

/** Of the names, the one nearest to `word` and not too far to be meant; NULL where there is none. */
const char *cli_nearest(const char *word, const char *const *names, size_t n);

#endif
