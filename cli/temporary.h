/* Nameless files in $TMPDIR: what is unpacked or imported on the way is gone however the program ends. */
#ifndef GOLANES_CLI_TEMPORARY_H
#define GOLANES_CLI_TEMPORARY_H

#include "golanes/reader.h"

/** $TMPDIR, else /tmp. */
const char *cli_temporary_folder(void);
/** A descriptor, closed by exec; -1 with errno where the folder does not take one. */
int cli_temporary_file(void);
/** A reader of a .lanes file that is open at fd, which stays the caller's. */
int cli_temporary_reader(int fd, gl_reader **out, gl_error *err) GL_MUST_CHECK;

#endif
