/*
 * A search through the whole trace, by a regular expression over texts or by a filter expression, in steps, with its hits
 * so far at every moment.
 * Threads: one thread per search.
 */
#ifndef GOLANES_VIEWER_SEARCH_H
#define GOLANES_VIEWER_SEARCH_H

#include "golanes/reader.h"
#include "golanes_analysis/pattern.h"
#include "golanes_analysis/query.h"

#define GL_SEARCH_HITS_MAX 2000000 /* further ones are counted, not kept */

typedef struct gl_hit {
    int64_t time;
    uint64_t g; /* 0 none */
} gl_hit;

typedef struct gl_search {
    gl_pattern *pattern; /**< both NULL: no search */
    gl_query *query;
    char text[256];
    gl_cursor *cursor;   /**< NULL: not going on */
    gl_hit *hits;        /**< sorted by time */
    size_t count, capacity;
    uint64_t found, looked; /**< events; found may be more than count */
    int64_t ns;          /**< time spent on it */
} gl_search;

/** Ends what was going on and begins anew. GL_E_USAGE with text for a wrong expression. */
int gl_search_begin(gl_search *s, gl_reader *r, const char *regex, gl_error *err) GL_MUST_CHECK;
/** The same by a filter expression. */
int gl_search_begin_query(gl_search *s, gl_reader *r, const char *expression, gl_error *err) GL_MUST_CHECK;
static inline bool gl_search_is_on(const gl_search *s) { return s->pattern || s->query; }
/** Looks at about `events` events. 1: more to do, 0: done, negative: a gl_status. */
int gl_search_step(gl_search *s, const gl_dict *d, uint64_t events, gl_error *err) GL_MUST_CHECK;
/** Stops looking, keeps the hits. */
void gl_search_stop(gl_search *s);
void gl_search_clean_up(gl_search *s);
/** First hit after `time` (forward) or last before it; NULL none. */
const gl_hit *gl_search_next(const gl_search *s, int64_t time, bool forward);

#endif
