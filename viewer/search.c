#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gl_search_begin(gl_search *s, gl_reader *r, const char *regex, gl_error *err)
{
    char why[200];
    gl_pattern *p = gl_pattern_new(regex, GL_PATTERN_SMART_CASE, why, sizeof why);
    if (!p)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "%s", why);
    gl_search_clean_up(s);
    s->pattern = p;
    snprintf(s->text, sizeof s->text, "%s", regex);
    return gl_cursor_open(r, GL_COL_ALL, &s->cursor, err);
}

int gl_search_begin_query(gl_search *s, gl_reader *r, const char *expression, gl_error *err)
{
    gl_query_error wrong;
    gl_query *q = gl_query_new(expression, &wrong);
    if (!q)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "at character %zu: %s", wrong.at + 1, wrong.text);
    gl_search_clean_up(s);
    s->query = q;
    snprintf(s->text, sizeof s->text, "%s", expression);
    return gl_cursor_open(r, GL_COL_ALL, &s->cursor, err);
}

void gl_search_stop(gl_search *s)
{
    gl_cursor_close(s->cursor);
    s->cursor = NULL;
}

void gl_search_clean_up(gl_search *s)
{
    gl_search_stop(s);
    gl_pattern_destroy(s->pattern);
    gl_query_destroy(s->query);
    free(s->hits);
    memset(s, 0, sizeof *s);
}

/* Stamps may step back between threads by a little, so that a hit sinks past a few of its neighbours. */
static int add_hit(gl_search *s, const gl_event *ev, uint64_t g)
{
    s->found++;
    if (s->count >= GL_SEARCH_HITS_MAX)
        return 0;
    if (s->count >= s->capacity) {
        size_t capacity = s->capacity ? s->capacity * 2 : 256;
        gl_hit *hits = realloc(s->hits, capacity * sizeof *hits);
        if (!hits)
            return GL_E_NOMEM;
        s->hits = hits;
        s->capacity = capacity;
    }
    size_t at = s->count++;
    while (at > 0 && s->hits[at - 1].time > ev->time) {
        s->hits[at] = s->hits[at - 1];
        at--;
    }
    s->hits[at] = (gl_hit){ev->time, g};
    return 0;
}

/* A hit's lane: whom the event is about. */
static int look_at(gl_search *s, const gl_dict *d, const gl_event *ev)
{
    if (s->query) {
        int meant = gl_query_event(s->query, d, ev);
        return meant > 0 ? add_hit(s, ev, gl_query_about(s->query)) : meant;
    }
    bool names = ev->type == GL_EV_GoCreate || ev->type == GL_EV_GoStatus || ev->type == GL_EV_GoCarried;
    return gl_pattern_event(s->pattern, d, ev) ? add_hit(s, ev, names ? ev->arg[0] : ev->g) : 0;
}

int gl_search_step(gl_search *s, const gl_dict *d, uint64_t events, gl_error *err)
{
    for (uint64_t done = 0; s->cursor && done < events;) {
        const gl_event *ev;
        size_t n = 0;
        int status = gl_cursor_next(s->cursor, &ev, &n, err);
        for (size_t i = 0; i < n && status == 0; i++)
            status = look_at(s, d, &ev[i]);
        if (status < 0 || n == 0) {
            gl_search_stop(s);
            return status;
        }
        s->looked += n;
        done += n;
    }
    return s->cursor != NULL;
}

const gl_hit *gl_search_next(const gl_search *s, int64_t time, bool forward)
{
    size_t lo = 0, hi = s->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (forward ? s->hits[mid].time <= time : s->hits[mid].time < time)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (forward)
        return lo < s->count ? &s->hits[lo] : NULL;
    return lo > 0 ? &s->hits[lo - 1] : NULL;
}
