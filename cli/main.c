/* golanes: finds the command in the table and runs it. */
#include "args.h"
#include "progress.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch.h"
#include "pprof_fetch.h"

/* A word that can only be meant as a file: it is one, or it looks like one. */
static bool means_file(const char *word)
{
    return strcmp(word, "-") == 0 || gl_pprof_is_address(word) || strpbrk(word, "./") || access(word, F_OK) == 0;
}

static int unknown_command(const char *word)
{
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < cli_command_count && n < sizeof names / sizeof *names; i++)
        names[n++] = cli_commands[i]->name;
    const char *nearest = cli_nearest(word, names, n);
    if (nearest)
        return cli_usage_error(NULL, "there is no command or file '%.60s'; did you mean %s?", word, nearest);
    return cli_usage_error(NULL, "there is no command or file '%.60s'", word);
}

static int run(const cli_command *command, int argc, char **argv)
{
    cli_args args;
    int rc = cli_args_parse(command, argc, argv, &args);
    if (rc)
        return rc;
    if (cli_args_has(&args, CLI_OPT_HELP)) {
        cli_args help = {.command = &cli_command_help, .operands = {command->name}, .operand_count = 1};
        rc = cli_command_help.run(&help);
    } else {
        rc = command->run(&args);
    }
    cli_args_clean_up(&args);
    return rc;
}

static bool has_option(const cli_command *command, const char *word)
{
    size_t n = strcspn(word, "=");
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *o = &cli_options[command->options[i]];
        bool by_name = strncmp(word, "--", 2) == 0 && n == strlen(o->name) + 2 && memcmp(word + 2, o->name, n - 2) == 0;
        if (by_name || (o->letter && word[1] == o->letter && !word[2]))
            return true;
    }
    return false;
}

/* golanes FILE: who sits at a terminal looks at it, everything else reads its summary; so does who asks for what only
 * the summary has. */
static const cli_command *for_file(int argc, char **argv)
{
    const char *term = getenv("TERM");
    if (!isatty(STDOUT_FILENO) || !term || !*term || strcmp(term, "dumb") == 0)
        return &cli_command_summary;
    for (int i = 2; i < argc; i++)
        if (argv[i][0] == '-' && argv[i][1] && !has_option(&cli_command_view, argv[i]) &&
            has_option(&cli_command_summary, argv[i]))
            return &cli_command_summary;
    return &cli_command_view;
}

static int run_alone(const cli_command *command)
{
    cli_args args = {.command = command};
    return command->run(&args);
}

int main(int argc, char **argv)
{
    /* Only for what the terminal shows; numbers stay as they are. */
    setlocale(LC_CTYPE, "");
    gl_launch_remember();
    /* A closed pipe and a file-size limit are errors of a write, to be told as such. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    cli_signals_catch();
    if (argc < 2)
        return cli_usage_error(NULL, "a command or a file is missing");
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return run_alone(&cli_command_help);
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return run_alone(&cli_command_version);
    const cli_command *command = cli_command_find(word);
    if (command)
        return run(command, argc - 1, argv + 1);
    if (word[0] == '-' && word[1] != '\0')
        return cli_usage_error(NULL, "there is no option %.60s before the command", word);
    if (!means_file(word))
        return unknown_command(word);
    /* The word before FILE plays the command's. */
    return run(for_file(argc, argv), argc, argv);
}
