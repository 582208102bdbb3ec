/*
 * A regular expression (PCRE2) over the texts of a trace. A trace has many events and few texts, so the answer for each
 * text, function and stack is kept: after its first meeting it costs an array access.
 * Threads: one thread per pattern.
 */
#ifndef GOLANES_ANALYSIS_PATTERN_H
#define GOLANES_ANALYSIS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/dict.h"
#include "golanes/events.h"

typedef struct gl_pattern gl_pattern;

#define GL_PATTERN_IGNORE_CASE 1u
#define GL_PATTERN_SMART_CASE 2u /**< ignores case where the expression has no capital letter */
#define GL_PATTERN_EXACT 4u      /**< the whole text, letter by letter: no expression */
#define GL_PATTERN_FUNCS 8u      /**< of frames only their functions' names, not their files */
#define GL_PATTERN_FILES 16u     /**< of frames only their files */

/** NULL where it is wrong; why (why_size bytes) says what is, and at which character. */
gl_pattern *gl_pattern_new(const char *regex, unsigned options, char *why, size_t why_size);
void gl_pattern_destroy(gl_pattern *p);
/** The text itself, nothing remembered. */
bool gl_pattern_matches(gl_pattern *p, const char *text, size_t n);
/** True where the text, or for a stack any of its frames, matches. Ids not in the dictionary do not. d may grow, but
 *  must stay the same. */
bool gl_pattern_string(gl_pattern *p, const gl_dict *d, uint32_t id);
bool gl_pattern_stack(gl_pattern *p, const gl_dict *d, uint32_t id);
/** True where a text among the event's arguments, or a stack that it carries, matches. */
bool gl_pattern_texts(gl_pattern *p, const gl_dict *d, const gl_event *ev);
/** The same, or the event's own name. */
bool gl_pattern_event(gl_pattern *p, const gl_dict *d, const gl_event *ev);
/** Set once a text took more steps than anybody waits for; what such a text says counts as no match. */
bool gl_pattern_gave_up(const gl_pattern *p);

#endif
