/* golanes tasks --task N: the page of one task. */
#ifndef GOLANES_CLI_CMD_TASK_H
#define GOLANES_CLI_CMD_TASK_H

#include "report.h"

extern const cli_report cli_task_report;

#endif
