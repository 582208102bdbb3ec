/*
 * A regular expression (PCRE2) over the texts of a trace. A trace has many events and few texts, so the answer for each
 * text, function and stack is kept: after its first meeting it costs an array access.
 * Threads: one thread per pattern.
 */
#ifndef GOLANES_VIEWER_PATTERN_H
#define GOLANES_VIEWER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/dict.h"
#include "golanes/events.h"

typedef struct gl_pattern gl_pattern;

/** Ignores case where the expression has no capital letter. NULL where it is wrong; why (why_size bytes) says what is.
 */
gl_pattern *gl_pattern_new(const char *regex, char *why, size_t why_size);
void gl_pattern_destroy(gl_pattern *p);
bool gl_pattern_matches(gl_pattern *p, const char *text, size_t n);
/** True where the text, or for a stack the name or file of any of its frames, matches. Ids not in the dictionary do
 * not. */
bool gl_pattern_string(gl_pattern *p, const gl_dict *d, uint32_t id);
bool gl_pattern_stack(gl_pattern *p, const gl_dict *d, uint32_t id);
/** True where the event's name, a text among its arguments, or a stack that it carries matches. */
bool gl_pattern_event(gl_pattern *p, const gl_dict *d, const gl_event *ev);

#endif
