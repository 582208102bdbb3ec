/* One event as a line of text, or as a JSON object. */
#ifndef GOLANES_CLI_PRINT_H
#define GOLANES_CLI_PRINT_H

#include "golanes/dict.h"
#include "golanes/events.h"

#include "out.h"

typedef struct cli_print {
    cli_out *out;
    const gl_dict *dict;
    bool stacks;          /**< whole stacks, else where it happened */
    bool wall;            /**< wall-clock times: */
    int64_t wall_unix_ns; /**< of time 0 */
} cli_print;

void cli_print_text(const cli_print *p, const gl_event *ev);
void cli_print_json(const cli_print *p, const gl_event *ev);

/** The innermost frame that is not the runtime's, else the innermost one. False where the stack has none. */
bool cli_site(const gl_dict *d, uint32_t stack, gl_frame *out);
/** "2026-11-21T03:41:52.000000001Z"; returns out (at least 40 bytes). */
const char *cli_wall_text(char *out, size_t n, int64_t unix_ns);

#endif
