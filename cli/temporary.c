#include "temporary.h"

#include <stdio.h>
#include <stdlib.h>

const char *cli_temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

int cli_temporary_reader(int fd, gl_reader **out, gl_error *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return gl_reader_open(path, out, err);
}
