/* The command `view`: the viewer on a terminal, or its screen as text or a picture. Returns an exit code (commands.h). */
#ifndef GOLANES_CLI_VIEW_H
#define GOLANES_CLI_VIEW_H

#include "text.h"

struct cli_args;

int cli_run_view(const struct cli_args *args);
/** The keys of the viewer, for its manual page. */
void cli_view_keys(gl_text *out);

#endif
