/* What each command does, one function each; all return an exit code (commands.h). */
#ifndef GOLANES_CLI_RUN_H
#define GOLANES_CLI_RUN_H

struct cli_args;

int cli_run_import(const struct cli_args *args);
int cli_run_info(const struct cli_args *args);
int cli_run_events(const struct cli_args *args);
int cli_run_summary(const struct cli_args *args);
int cli_run_repair(const struct cli_args *args);
int cli_run_help(const struct cli_args *args);
int cli_run_version(const struct cli_args *args);

#endif
