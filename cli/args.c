#include "args.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values that getopt_long returns for options are above every letter. */
#define ID_BASE 256

int cli_usage_error(const cli_command *command, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "golanes%s%s: %s (see golanes%s%s --help)\n", command ? " " : "", command ? command->name : "", text,
            command ? " " : "", command ? command->name : "");
    return CLI_EXIT_USAGE;
}

typedef struct option_tables {
    struct option longs[CLI_COMMAND_OPTIONS_MAX + 1];
    char letters[2 * CLI_COMMAND_OPTIONS_MAX + 5];
    const char *names[CLI_COMMAND_OPTIONS_MAX];
} option_tables;

static void tables_make(const cli_command *command, option_tables *t)
{
    memset(t, 0, sizeof *t);
    char *letter = t->letters;
    if (command->program)
        *letter++ = '+';
    *letter++ = ':'; /* a missing value is told apart from an unknown option */
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *o = &cli_options[command->options[i]];
        t->names[i] = o->name;
        t->longs[i] = (struct option){.name = o->name, .has_arg = o->kind == CLI_FLAG ? no_argument : required_argument,
                                      .val = ID_BASE + (int)command->options[i]};
        if (o->letter) {
            *letter++ = o->letter;
            if (o->kind != CLI_FLAG)
                *letter++ = ':';
        }
    }
}

static int id_of(const cli_command *command, int got)
{
    if (got >= ID_BASE)
        return got - ID_BASE;
    for (size_t i = 0; i < command->option_count; i++)
        if (cli_options[command->options[i]].letter == got)
            return (int)command->options[i];
    return -1;
}

static int unknown_option(const cli_command *command, const option_tables *t, const char *word)
{
    if (word[0] != '-' || word[1] != '-')
        return cli_usage_error(command, "there is no option %.60s", word);
    char name[64];
    snprintf(name, sizeof name, "%s", word + 2);
    char *equals = strchr(name, '=');
    if (equals)
        *equals = '\0';
    for (size_t i = 0; i < command->option_count; i++)
        if (strcmp(t->names[i], name) == 0)
            return cli_usage_error(command, "--%s takes no value", name);
    const char *nearest = cli_nearest(name, t->names, command->option_count);
    if (nearest)
        return cli_usage_error(command, "there is no option --%s; did you mean --%s?", name, nearest);
    return cli_usage_error(command, "there is no option --%s", name);
}

static bool is_shell(const char *text)
{
    return strcmp(text, "bash") == 0 || strcmp(text, "zsh") == 0 || strcmp(text, "fish") == 0;
}

/* Checks a value by its kind; 0 or CLI_EXIT_USAGE. */
static int check_value(const cli_command *command, const cli_option *o, cli_given *g)
{
    int64_t ns;
    switch (o->kind) {
    case CLI_NUMBER:
        if (!cli_number_parse(g->text + (o->prefix && *g->text == o->prefix), &g->number))
            return cli_usage_error(command, "--%s: '%.60s' is not a whole number", o->name, g->text);
        if (g->number < o->least || g->number > o->most)
            return cli_usage_error(command, "--%s: %.60s is not between %llu and %llu", o->name, g->text,
                                   (unsigned long long)o->least, (unsigned long long)o->most);
        return 0;
    case CLI_TIME:
        if (!cli_time_parse(g->text, &ns))
            return cli_usage_error(command, "--%s: '%.60s' is not a time with a unit, such as 1.5ms, 2s, 500us, 120ns",
                                   o->name, g->text);
        g->number = (uint64_t)ns;
        return 0;
    case CLI_SHELL:
        return is_shell(g->text)
                   ? 0
                   : cli_usage_error(command, "--%s: '%.60s' is not bash, zsh or fish", o->name, g->text);
    case CLI_PATH:
    case CLI_TYPES:
        return *g->text ? 0 : cli_usage_error(command, "--%s: the value is empty", o->name);
    case CLI_FLAG:
    case CLI_TEXT: break;
    }
    return 0;
}

/* One option from getopt: found, checked, remembered. */
static int take_option(const cli_command *command, int id, cli_args *out)
{
    const cli_option *o = &cli_options[id];
    cli_given g = {.id = (cli_id)id, .text = o->kind == CLI_FLAG ? NULL : optarg};
    int rc = check_value(command, o, &g);
    if (rc == 0)
        out->given[out->given_count++] = g;
    return rc;
}

static int take_options(const cli_command *command, int argc, char **argv, const option_tables *t, cli_args *out)
{
    opterr = 0;
    optind = 0; /* glibc: start anew, also with its hidden state */
    for (;;) {
        int word = optind ? optind : 1;
        int got = getopt_long(argc, argv, t->letters, t->longs, NULL);
        if (got == -1)
            return 0;
        /* optind stays at a cluster of letters until its last one, else it is behind the word just read. */
        const char *at = optind > word && optind - 1 < argc ? argv[optind - 1] : argv[word];
        if (got == ':') {
            const char *name = optopt >= ID_BASE ? cli_options[optopt - ID_BASE].name : NULL;
            return name ? cli_usage_error(command, "--%s needs a value", name)
                        : cli_usage_error(command, "-%c needs a value", optopt);
        }
        if (got == '?') {
            char letter[3] = {'-', (char)optopt, '\0'};
            bool is_letter = optopt > 0 && optopt < ID_BASE;
            return unknown_option(command, t, is_letter ? letter : at);
        }
        int id = id_of(command, got);
        int rc = take_option(command, id, out);
        if (rc || id == CLI_OPT_HELP)
            return rc;
    }
}

static int take_operands(const cli_command *command, int argc, char **argv, cli_args *out)
{
    if (command->program) {
        out->rest = argv + optind;
        out->rest_count = (size_t)(argc - optind);
        return 0;
    }
    for (; optind < argc; optind++) {
        if (out->operand_count == command->operands_max)
            return cli_usage_error(command, "'%.60s' is one too many", argv[optind]);
        out->operands[out->operand_count++] = argv[optind];
    }
    if (out->operand_count < command->operands_min)
        return cli_usage_error(command, "%s is missing", command->operands);
    return 0;
}

int cli_args_parse(const cli_command *command, int argc, char **argv, cli_args *out)
{
    option_tables t;
    *out = (cli_args){.command = command};
    /* A word can hold several letters, so letters bound the number of options. */
    size_t room = 1;
    for (int i = 1; i < argc; i++)
        room += strlen(argv[i]) + 1;
    out->given = calloc(room, sizeof *out->given);
    if (!out->given) {
        fprintf(stderr, "golanes: no memory\n");
        return CLI_EXIT_SYSTEM;
    }
    tables_make(command, &t);
    int rc = take_options(command, argc, argv, &t, out);
    if (rc == 0 && !cli_args_has(out, CLI_OPT_HELP))
        rc = take_operands(command, argc, argv, out);
    if (rc)
        cli_args_clean_up(out);
    return rc;
}

void cli_args_clean_up(cli_args *args)
{
    free(args->given);
    *args = (cli_args){0};
}

const cli_given *cli_args_find(const cli_args *args, cli_id id)
{
    for (size_t i = args->given_count; i > 0; i--)
        if (args->given[i - 1].id == id)
            return &args->given[i - 1];
    return NULL;
}

bool cli_args_has(const cli_args *args, cli_id id)
{
    return cli_args_find(args, id) != NULL;
}

uint64_t cli_args_number(const cli_args *args, cli_id id, uint64_t otherwise)
{
    const cli_given *g = cli_args_find(args, id);
    return g ? g->number : otherwise;
}

const char *cli_args_text(const cli_args *args, cli_id id, const char *otherwise)
{
    const cli_given *g = cli_args_find(args, id);
    return g ? g->text : otherwise;
}
