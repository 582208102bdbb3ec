/* One file that several recordings are added to, one after another or at the same time: golanes record --append. */
#ifndef GOLANES_CLI_APPEND_H
#define GOLANES_CLI_APPEND_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/error.h"

/**
 * Each recording is written into a file of its own beside the whole, NAME.part-…, and becomes a part of the whole when it
 * has ended: the whole is written anew and put in the old one's place, so that whoever opens it finds it sound. A part
 * whose recorder was killed is taken up by the next one.
 */
typedef struct cli_append {
    const char *whole;
    char part[4096]; /**< where this recording goes */
    int lock;        /**< on the whole, while held; else -1 */
    int own;         /**< on the part: it is being written; else -1 */
} cli_append;

/** Looks whether there can be a whole, and chooses the part's name; holds the whole's lock until cli_append_made. */
int cli_append_begin(cli_append *a, const char *whole, gl_error *err) GL_MUST_CHECK;
/** The part has been created, or has not. */
void cli_append_made(cli_append *a);
/** The part is finished. On failure it stays where it is. */
int cli_append_end(cli_append *a, gl_error *err) GL_MUST_CHECK;
/** There is no part after all. */
void cli_append_drop(cli_append *a);

#endif
