#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts.h"

int cli_outfile_check(const cli_args *args, const char *out)
{
    struct stat to, from;
    if (strcmp(out, "-") == 0)
        return cli_usage_error(args->command, "this is not written to standard output: give the name of a file (./- is one)");
    if (stat(out, &to) < 0)
        return 0;
    for (size_t i = 0; i < args->operand_count; i++)
        if (stat(args->operands[i], &from) == 0 && from.st_dev == to.st_dev && from.st_ino == to.st_ino)
            return cli_usage_error(args->command, "%s is the input itself", out);
    if (S_ISDIR(to.st_mode))
        return cli_usage_error(args->command, "%s is a folder", out);
    if (S_ISREG(to.st_mode) && !cli_args_has(args, CLI_OPT_FORCE)) {
        cli_say("%s exists; --force overwrites it", out);
        return CLI_EXIT_OUTPUT;
    }
    return 0;
}

int cli_outfile_open(const char *out)
{
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        cli_say("%s: could not be made: %s", out, strerror(errno));
    return fd;
}

void cli_outfile_drop(const char *out, int rc)
{
    bool gone = unlink(out) == 0;
    if (gone && (rc == CLI_EXIT_INTERRUPTED || rc == CLI_EXIT_TERMINATED))
        cli_say("interrupted: %s was not finished and is gone", out);
}
