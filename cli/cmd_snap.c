#include "args.h"
#include "facts.h"

#include "control.h"

static int run_snap(const cli_args *args)
{
    uint64_t pid;
    char text[4700];
    if (!cli_number_parse(args->operands[0], &pid) || pid == 0 || pid > INT32_MAX)
        return cli_usage_error(args->command, "'%.60s' is not the number of a process", args->operands[0]);
    int status = gl_control_ask((pid_t)pid, text, sizeof text);
    if (status < 0 || !cli_args_has(args, CLI_OPT_QUIET))
        cli_say("%s", text);
    return status >= 0 ? CLI_EXIT_DONE : status == GL_E_IO ? CLI_EXIT_OUTPUT : CLI_EXIT_INPUT;
}

const cli_command cli_command_snap = {
    .name = "snap", .operands = "PID", .operands_min = 1, .operands_max = 1, .run = run_snap,
    .brief = "have a flight recorder write the recent past",
    .description = "Asks a golanes record --flight to write what it keeps, and waits until that is done. PID is its process, or "
                   "the program that it records. The recording goes on meanwhile. It is the recorder that writes the file, in "
                   "its own folder and under the name that it was given, with a number: run-1.lanes.",
    CLI_OPTIONS(CLI_OPT_QUIET, CLI_OPT_HELP),
    .examples = {{"golanes snap $(pidof server)", "What happened just now?"}},
};
