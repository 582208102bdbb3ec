/*
 * The one table of commands and options: commands.def lists the commands, each row stands beside its command's code
 * (cmd_NAME.c), options.def holds the options. Dispatch, --help, usage errors, man pages and shell completions all come
 * from there: what is not in the table does not exist.
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
#define CLI_OPTION(id, ...) CLI_OPT_##id,
#include "options.def"
#undef CLI_OPTION
    CLI_OPT_COUNT_
} cli_id;

typedef struct cli_option {
    const char *name; /**< without dashes */
    char letter;      /**< 0: none */
    char prefix;             /**< of a number: what may stand before it, as reports print it; 0: nothing */
    cli_kind kind;
    bool repeatable;
    const char *value; /**< "FILE"; NULL for a flag */
    uint64_t least, most;
    const char *heading; /**< under which help and man page show it */
    const char *help;    /**< whole sentences */
} cli_option;
/** The headings. */
#define CLI_IN_GENERAL "General"
#define CLI_IN_SELECTION "Selection"
#define CLI_IN_OUTPUT "Output"
#define CLI_IN_INPUT "Input"
#define CLI_IN_FLIGHT "Flight recorder"
/** Indexed by cli_id. */
extern const cli_option cli_options[CLI_OPT_COUNT_];

typedef struct cli_example {
    const char *line, *says;
} cli_example;

struct cli_args;
struct gl_text;
#define CLI_COMMAND_OPTIONS_MAX 32
#define CLI_COMMAND_EXAMPLES_MAX 6

typedef struct cli_command {
    const char *name;
    const char *operands; /**< "FILE", "[COMMAND]", "" */
    unsigned operands_min, operands_max;
    bool program;            /**< the operands are a program and its arguments: options end at the first, see cli_args.rest */
    const char *brief;       /**< half a sentence, no capital, no full stop */
    const char *description; /**< paragraphs, separated by empty lines */
    int (*run)(const struct cli_args *args);
    unsigned char option_count;
    cli_id options[CLI_COMMAND_OPTIONS_MAX];
    void (*page_more)(struct gl_text *out); /**< further parts of its manual page, or NULL */
    const cli_exit *exits; /**< where they are not cli_exits */
    size_t exit_count;
    cli_example examples[CLI_COMMAND_EXAMPLES_MAX]; /**< up to the first with line NULL */
} cli_command;
/** The fields option_count and options, from a list of ids. */
#define CLI_OPTIONS(...) .option_count = sizeof((cli_id[]){__VA_ARGS__}) / sizeof(cli_id), .options = {__VA_ARGS__}
/** cli_command_NAME for each command. */
#define CLI_COMMAND(name) extern const cli_command cli_command_##name;
#include "commands.def"
#undef CLI_COMMAND
extern const cli_command *const cli_commands[];
extern const size_t cli_command_count;
/** What the program is, for the page of the whole. */
extern const char cli_about[];
extern const char cli_about_description[];

/** NULL where there is none of that name. */
const cli_command *cli_command_find(const char *name);

#endif
