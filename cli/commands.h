/*
 * The one table of commands and options. Dispatch, --help, usage errors, man pages and shell completions all come from
 * here: what is not in the table does not exist.
 */
#ifndef GOLANES_CLI_COMMANDS_H
#define GOLANES_CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a command ended. The texts are in cli_exits. */
enum {
    CLI_EXIT_DONE = 0,
    CLI_EXIT_DAMAGED = 1,
    CLI_EXIT_USAGE = 2,
    CLI_EXIT_INPUT = 3,
    CLI_EXIT_OUTPUT = 4,
    CLI_EXIT_SYSTEM = 5,
    CLI_EXIT_INTERRUPTED = 130,
    CLI_EXIT_TERMINATED = 143
};

typedef struct cli_exit {
    int code;
    const char *meaning;
} cli_exit;
extern const cli_exit cli_exits[];
extern const size_t cli_exit_count;

typedef struct cli_variable {
    const char *name, *meaning;
} cli_variable;
extern const cli_variable cli_variables[];
extern const size_t cli_variable_count;

/** What an option's value is: how it is checked, and how a shell completes it. */
typedef enum cli_kind {
    CLI_FLAG,   /**< takes no value */
    CLI_TEXT,   /**< anything */
    CLI_PATH,   /**< a file name */
    CLI_NUMBER, /**< a whole number from least to most */
    CLI_TIME,   /**< a time with its unit; the number is in ns */
    CLI_TYPES,  /**< event names, separated by commas */
    CLI_SHELL,  /**< bash, zsh, fish */
} cli_kind;

typedef enum cli_id {
    CLI_OPT_HELP,
    CLI_OPT_VERSION,
    CLI_OPT_QUIET,
    CLI_OPT_STRICT,
    CLI_OPT_SECONDS,
    CLI_OPT_JSON,
    CLI_OPT_OUTPUT,
    CLI_OPT_FORCE,
    CLI_OPT_BINARY,
    CLI_OPT_LEVEL,
    CLI_OPT_THREADS,
    CLI_OPT_FROM,
    CLI_OPT_TO,
    CLI_OPT_GOROUTINE,
    CLI_OPT_TYPE,
    CLI_OPT_GREP,
    CLI_OPT_IGNORE_CASE,
    CLI_OPT_STACKS,
    CLI_OPT_WALL,
    CLI_OPT_COUNT,
    CLI_OPT_LIMIT,
    CLI_OPT_WIDTH,
    CLI_OPT_TOP,
    CLI_OPT_REPAIR_OUTPUT,
    CLI_OPT_RENDER,
    CLI_OPT_AT,
    CLI_OPT_SPAN,
    CLI_OPT_VIEW,
    CLI_OPT_KEYS,
    CLI_OPT_THEME,
    CLI_OPT_ASCII,
    CLI_OPT_ANSI,
    CLI_OPT_SVG,
    CLI_OPT_HTML,
    CLI_OPT_SCDOC,
    CLI_OPT_COMPLETION,
    CLI_OPT_COUNT_
} cli_id;

typedef struct cli_option {
    const char *name; /**< without dashes */
    char letter;      /**< 0: none */
    cli_kind kind;
    bool repeatable;
    const char *value; /**< "FILE"; NULL for a flag */
    uint64_t least, most;
    const char *heading; /**< under which help and man page show it */
    const char *help;    /**< whole sentences */
} cli_option;
/** Indexed by cli_id. */
extern const cli_option cli_options[CLI_OPT_COUNT_];

typedef struct cli_example {
    const char *line, *says;
} cli_example;

struct cli_args;
struct gl_text;
#define CLI_COMMAND_OPTIONS_MAX 20
#define CLI_COMMAND_EXAMPLES_MAX 5

typedef struct cli_command {
    const char *name;
    const char *operands; /**< "FILE", "[COMMAND]", "" */
    unsigned operands_min, operands_max;
    const char *brief;       /**< half a sentence, no capital, no full stop */
    const char *description; /**< paragraphs, separated by empty lines */
    int (*run)(const struct cli_args *args);
    unsigned char option_count;
    cli_id options[CLI_COMMAND_OPTIONS_MAX];
    void (*page_more)(struct gl_text *out); /**< further parts of its manual page, or NULL */
    cli_example examples[CLI_COMMAND_EXAMPLES_MAX]; /**< up to the first with line NULL */
} cli_command;
extern const cli_command cli_commands[];
extern const size_t cli_command_count;
/** What the program is, for the page of the whole. */
extern const char cli_about[];
extern const char cli_about_description[];

/** NULL where there is none of that name. */
const cli_command *cli_command_find(const char *name);

#endif
