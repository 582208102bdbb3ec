/* Which events a person asked for. */
#ifndef GOLANES_CLI_FILTER_H
#define GOLANES_CLI_FILTER_H

#include "golanes/dict.h"
#include "golanes/events.h"

#include "args.h"
#include "source.h"

/** A set of event types. */
typedef struct cli_types {
    bool has[GL_EV_LIMIT];
    bool some; /**< else all are meant */
} cli_types;
/** Adds a list of names or operations, separated by commas. 0, or -1 and a sentence in `why`. */
int cli_types_add(cli_types *t, const char *list, char *why, size_t why_size);

/** A regular expression that remembers its answer for each string, function and stack of a dictionary. */
typedef struct cli_pattern cli_pattern;
/** NULL: `why` says what is wrong with it. */
cli_pattern *cli_pattern_new(const char *regex, bool ignore_case, char *why, size_t why_size);
void cli_pattern_destroy(cli_pattern *p);
/** Answers for the ids of d; d may grow, but must stay the same. */
bool cli_pattern_string(cli_pattern *p, const gl_dict *d, uint32_t id);
bool cli_pattern_stack(cli_pattern *p, const gl_dict *d, uint32_t id);
/** Set once a text took more steps than anybody waits for; what such a text says counts as no match. */
bool cli_pattern_gave_up(const cli_pattern *p);
/** For tests and fuzzing: the text itself, nothing remembered. */
bool cli_pattern_text(cli_pattern *p, const char *text, size_t n);

typedef struct cli_filter {
    int64_t from, to; /**< [from, to); to INT64_MAX: no end */
    cli_types types;
    uint64_t *goroutines; /**< sorted */
    size_t goroutine_count;
    cli_pattern *pattern; /**< NULL: none */
    uint64_t limit;       /**< UINT64_MAX: none */
    uint16_t type_list[GL_EV_LIMIT];
    size_t type_count;
} cli_filter;

/** From the options of `events`. 0, or an exit code after a line on standard error. */
int cli_filter_init(cli_filter *f, const cli_args *args);
void cli_filter_clean_up(cli_filter *f);
bool cli_filter_keeps(cli_filter *f, const gl_dict *d, const gl_event *ev);
/** What a reader need not give. columns: what the consumer itself looks at. */
cli_plan cli_filter_plan(const cli_filter *f, unsigned columns);

#endif
