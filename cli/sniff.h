/* What bytes that are no trace look like, so that the message can say it. */
#ifndef GOLANES_CLI_SNIFF_H
#define GOLANES_CLI_SNIFF_H

#include <stddef.h>

/** A clause: "looks like HTML", "is empty"; "looks like something else" where nothing fits. */
const char *cli_sniff(const void *first, size_t n);

#endif
