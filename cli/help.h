/* Text made from the table of commands: help, manual pages, completions. */
#ifndef GOLANES_CLI_HELP_H
#define GOLANES_CLI_HELP_H

#include "commands.h"
#include "text.h"

/** command NULL: the program as a whole. */
void cli_help_text(const cli_command *command, size_t width, gl_text *out);
void cli_help_scdoc(const cli_command *command, gl_text *out);
/** shell: "bash", "zsh" or "fish". */
void cli_help_completion(const char *shell, gl_text *out);

#endif
