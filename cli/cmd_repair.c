#include "source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int run_repair(const cli_args *args)
{
    gl_error err = {0};
    char what[600] = "";
    const char *path = args->operands[0];
    const char *given = cli_args_text(args, CLI_OPT_REPAIR_OUTPUT, NULL);
    struct stat st;
    if (strcmp(path, "-") == 0)
        return cli_usage_error(args->command, "standard input can't be repaired; name a file");
    if (given && !cli_args_has(args, CLI_OPT_FORCE) && stat(given, &st) == 0 && S_ISREG(st.st_mode)) {
        cli_say("%s exists; --force overwrites it", given);
        return CLI_EXIT_OUTPUT;
    }
    int rc = gl_repair(path, given ? given : path, what, sizeof what, &err);
    if (rc < 0)
        return cli_failed(rc, &err);
    if (!cli_args_has(args, CLI_OPT_QUIET))
        cli_say("%s: %s", given ? given : path, what);
    return CLI_EXIT_DONE;
}

const cli_command cli_command_repair = {
    .name = "repair", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_repair,
    .brief = "rebuild a .lanes file that was cut or damaged",
    .description = "Writes what is readable in a .lanes file again, with a new index. Reading commands take damaged files as "
                   "they are; a repaired one opens faster and can be handed on.",
    CLI_OPTIONS(CLI_OPT_REPAIR_OUTPUT, CLI_OPT_FORCE, CLI_OPT_QUIET, CLI_OPT_HELP),
    .examples = {{"golanes repair -o whole.lanes killed.lanes", "Keeps the damaged file."}},
};
