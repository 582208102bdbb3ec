/* The formats svg and html of golanes export: pictures of the viewer's screen, and the summary. */
#ifndef GOLANES_CLI_EXPORT_PAGE_H
#define GOLANES_CLI_EXPORT_PAGE_H

#include <stdint.h>

#include "source.h"
#include "text.h"

typedef struct cli_page_options {
    const char *name;  /**< of the trace */
    const char *theme; /**< NULL: dark */
    unsigned width;    /**< of pictures, in columns; 0: 160 */
    int64_t from, to;  /**< what is shown; INT64_MIN and INT64_MAX: all */
    bool html;         /**< else svg: the picture alone */
} cli_page_options;

/** Makes the page. 0, or an exit code after a line on standard error. */
int cli_export_page(cli_source *s, const cli_page_options *opt, gl_text *out);

#endif
