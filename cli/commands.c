#include "commands.h"

#include <string.h>

const char cli_about[] = "execution traces of Go programs, read in a terminal";
const char cli_about_description[] =
    "golanes reads execution traces of Go programs, from Go 1.5 to Go 1.27, and its own trace files (.lanes), which are "
    "smaller, need no parsing as a whole, and stay readable when their writer is killed.\n\n"
    "Every reading command takes a Go trace as it takes a .lanes file; either may be packed with gzip or zstd, come from "
    "standard input (-), or be fetched from a running program (http://HOST:PORT, which asks for /debug/pprof/trace). What "
    "a file is, is found from its bytes, never from its name.\n\n"
    "golanes FILE, without a command, shows FILE in the terminal (golanes view); where standard output is no terminal, it "
    "prints the summary.";

const cli_exit cli_exits[] = {
    {CLI_EXIT_DONE, "Done. A damaged or incomplete trace that could be read counts as done: what was lost is said on standard "
                    "error. So does a listing whose reader went away, as head(1) does."},
    {CLI_EXIT_DAMAGED, "Done, but the trace is damaged or incomplete, and --strict was given."},
    {CLI_EXIT_USAGE, "The command line was wrong."},
    {CLI_EXIT_INPUT, "The input could not be read, or is not a trace."},
    {CLI_EXIT_OUTPUT, "The output could not be written."},
    {CLI_EXIT_SYSTEM, "The system refused something else, such as memory."},
    {CLI_EXIT_INTERRUPTED, "Interrupted (SIGINT). What an import had written by then is kept, and can be read."},
    {CLI_EXIT_TERMINATED, "Terminated (SIGTERM). As above."},
};
const size_t cli_exit_count = sizeof cli_exits / sizeof *cli_exits;

const cli_variable cli_variables[] = {
    {"TMPDIR", "Where packed or piped input is unpacked while it is read (else /tmp). The files there have no name and go "
               "away with golanes."},
    {"COLUMNS", "Width of text output, where it is set; else that of the terminal, else 100."},
    {"http_proxy, no_proxy", "As curl(1) has them, for traces fetched over HTTP."},
};
const size_t cli_variable_count = sizeof cli_variables / sizeof *cli_variables;

const cli_option cli_options[CLI_OPT_COUNT_] = {
#define CLI_OPTION(id, ...) [CLI_OPT_##id] = {__VA_ARGS__},
#include "options.def"
#undef CLI_OPTION
};

const cli_command *const cli_commands[] = {
#define CLI_COMMAND(name) &cli_command_##name,
#include "commands.def"
#undef CLI_COMMAND
};
const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}
