/*
 * The files of the viewer: the user's configuration, and what is kept of a trace from one look to the next.
 * Threads: one at a time.
 */
#ifndef GOLANES_CLI_VIEW_FILES_H
#define GOLANES_CLI_VIEW_FILES_H

#include "config.h"

/** Reads the configuration, where there is one. 0, or an exit code after a line on standard error. */
int cli_config_read(gl_config *c);
/** Takes up what was kept of the trace at `path`: beside it, or in the user's state folder. */
void cli_state_read(gl_app *a, const char *path);
/** Keeps it, where it has changed: beside the trace, or, where nothing can be written there, in the state folder. 0, or
 *  -1 where it could not be kept; why (why_size bytes) says so. */
int cli_state_write(const gl_app *a, const char *path, char *why, size_t why_size);

#endif
