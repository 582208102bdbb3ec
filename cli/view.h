/* The viewer on the terminal, for more than the command "view". */
#ifndef GOLANES_CLI_VIEW_H
#define GOLANES_CLI_VIEW_H

#include "args.h"

#include "app.h"

/** Shows a file that a recording writes, until the user leaves. Options of golanes view among args hold. Returns its exit
    code. */
int cli_view_live(const cli_args *args, gl_reader *reader, const char *name, const gl_live *live);
bool cli_view_theme_is_known(const cli_args *args);

#endif
