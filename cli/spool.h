/* A Go trace imported into a nameless .lanes file, for what needs to read here and there. */
#ifndef GOLANES_CLI_SPOOL_H
#define GOLANES_CLI_SPOOL_H

#include "source.h"

/**
 * A reader of the source: its own where it is a .lanes file, else one of an import into *fd (-1: none was made; to be
 * closed by the caller, as *own is).
 */
int cli_spool(cli_source *s, gl_reader **reader, gl_reader **own, int *fd, gl_error *err) GL_MUST_CHECK;

#endif
