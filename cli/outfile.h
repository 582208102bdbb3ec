/* Files that commands write. */
#ifndef GOLANES_CLI_OUTFILE_H
#define GOLANES_CLI_OUTFILE_H

#include "args.h"

/** 0 where `out` may be written: it is none of the inputs, no folder, and does not exist, or --force was given. Else an
 *  exit code after a line on standard error. */
int cli_outfile_check(const cli_args *args, const char *out);
/** Opens it for writing, cut to nothing. -1 after a line on standard error. */
int cli_outfile_open(const char *out);

/** Takes away what could not be finished (half a file looks like a whole one), and says so where rc is of a signal. */
void cli_outfile_drop(const char *out, int rc);

#endif
