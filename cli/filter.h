/* Which events a person asked for. */
#ifndef GOLANES_CLI_FILTER_H
#define GOLANES_CLI_FILTER_H

#include "golanes/dict.h"
#include "golanes/events.h"
#include "golanes_analysis/pattern.h"
#include "golanes_analysis/query.h"

#include "args.h"
#include "source.h"

/** A set of event types. */
typedef struct cli_types {
    bool has[GL_EV_LIMIT];
    bool some; /**< else all are meant */
} cli_types;
/** Adds a list of names or operations, separated by commas. 0, or -1 and a sentence in `why`. */
int cli_types_add(cli_types *t, const char *list, char *why, size_t why_size);

typedef struct cli_filter {
    int64_t from, to; /**< [from, to); to INT64_MAX: no end */
    cli_types types;
    uint64_t *goroutines; /**< sorted */
    size_t goroutine_count;
    uint8_t names[GL_EV_LIMIT]; /**< by type: which arguments are goroutines, one bit each */
    gl_pattern *pattern; /**< NULL: none */
    gl_query *query;     /**< of --where, NULL: none */
    uint64_t limit;       /**< UINT64_MAX: none */
    uint16_t type_list[GL_EV_LIMIT];
    size_t type_count;
} cli_filter;

/** From the options of `events`. 0, or an exit code after a line on standard error. */
int cli_filter_init(cli_filter *f, const cli_args *args);
void cli_filter_clean_up(cli_filter *f);
/** 1: it is meant; 0: it is not; GL_E_NOMEM. All events that the plan lets through must be given, in their order. */
int cli_filter_keeps(cli_filter *f, const gl_dict *d, const gl_event *ev) GL_MUST_CHECK;
/** What a reader need not give. columns: what the consumer itself looks at. */
cli_plan cli_filter_plan(const cli_filter *f, unsigned columns);

#endif
