/*
 * Filter expressions over events and goroutines:
 *
 *     state=blocked reason~"chan" dur>5ms func~^main\.
 *     type=gcstw and not reason~sweep
 *     (g=37 or creator=37) time>=1.2s
 *
 * Tests stand side by side where all must hold ("and" may be written), "or" and "not" ("||", "!") and parentheses do the
 * rest. A test is a field (query.def), one of = != ~ !~ < <= > >=, and a value; ~ is a regular expression, whose case
 * counts only where it has a capital letter. A word alone is a goroutine's: its start function or its wait reason as a
 * regular expression, or G and its number.
 *
 * What an event is asked includes what came before it: an event that ends a stretch of a goroutine's life (a wait, a run)
 * carries that stretch's state, reason and length. So a goroutine is meant by an expression where any of its events is,
 * and one that is still in a stretch at the end is asked about that one as if it ended there.
 *
 * Threads: one thread per query.
 */
#ifndef GOLANES_ANALYSIS_QUERY_H
#define GOLANES_ANALYSIS_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/dict.h"
#include "golanes/events.h"

typedef struct gl_query gl_query;

typedef struct gl_query_error {
    size_t at; /**< byte of the expression where it went wrong */
    char text[240];
} gl_query_error;

/** NULL: *err says what is wrong and where. */
gl_query *gl_query_new(const char *expression, gl_query_error *err);
void gl_query_destroy(gl_query *q);
/** True where an answer depends on earlier events: then all events from the start of the trace must be given. */
bool gl_query_needs_past(const gl_query *q);
/** True where it asks of goroutines only what they are (g, creator, start, a word): gl_query_goroutine answers that. */
bool gl_query_is_of_goroutines(const gl_query *q);

/** Takes the next event, in trace order. 1: it is meant; 0: it is not; GL_E_NOMEM. */
int gl_query_event(gl_query *q, const gl_dict *d, const gl_event *ev) GL_MUST_CHECK;
/** The goroutine that the event given last was about, 0 none: whose stretch it ended, else in whose context it stood. */
uint64_t gl_query_about(const gl_query *q);
/** At the end: goes through the goroutines still alive whose stretch is meant. *at: 0 to begin with. False past the last. */
bool gl_query_open(gl_query *q, const gl_dict *d, int64_t end, size_t *at, uint64_t *g);

/** What a goroutine is; reason 0: not waiting. */
typedef struct gl_query_goroutine_info {
    uint64_t g, creator;
    uint32_t start, reason; /**< string ids */
} gl_query_goroutine_info;
bool gl_query_goroutine(gl_query *q, const gl_dict *d, const gl_query_goroutine_info *info);
/** True where a regular expression gave up on some text. */
bool gl_query_gave_up(const gl_query *q);

typedef struct gl_query_field_info {
    const char *name, *help;
} gl_query_field_info;
/** NULL past the last. */
const gl_query_field_info *gl_query_field_at(size_t i);

#endif
