/* Files on the way to an answer: what is unpacked or imported there is gone however the program ends (gl_input_temporary). */
#ifndef GOLANES_CLI_TEMPORARY_H
#define GOLANES_CLI_TEMPORARY_H

#include "golanes/reader.h"

/** $TMPDIR, else /tmp. */
const char *cli_temporary_folder(void);
/** A reader of a .lanes file that is open at fd, which stays the caller's. */
int cli_temporary_reader(int fd, gl_reader **out, gl_error *err) GL_MUST_CHECK;

#endif
