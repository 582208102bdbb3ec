#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gl_filter_stop(gl_filter *f)
{
    gl_cursor_close(f->cursor);
    f->cursor = NULL;
}

void gl_filter_clean_up(gl_filter *f)
{
    gl_filter_stop(f);
    gl_query_destroy(f->query);
    free(f->meant);
    memset(f, 0, sizeof *f);
}

int gl_filter_begin(gl_filter *f, gl_reader *r, const char *expression, size_t *at, gl_error *err)
{
    gl_query_error wrong;
    gl_query *q = gl_query_new(expression, &wrong);
    if (!q) {
        *at = wrong.at;
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "at character %zu: %s", wrong.at + 1, wrong.text);
    }
    gl_filter_clean_up(f);
    f->query = q;
    f->at_once = gl_query_is_of_goroutines(q);
    snprintf(f->text, sizeof f->text, "%s", expression);
    return f->at_once ? 0 : gl_cursor_open(r, GL_COL_ALL, &f->cursor, err);
}

static int mean(gl_filter *f, gl_model *m, uint64_t g, int64_t time)
{
    uint32_t gor = gl_model_add(m, g, time);
    if (gor == GL_NONE)
        return GL_E_NOMEM;
    if (gor >= f->capacity) {
        size_t capacity = (size_t)gor * 2 + 256;
        uint8_t *p = realloc(f->meant, capacity);
        if (!p)
            return GL_E_NOMEM;
        memset(p + f->capacity, 0, capacity - f->capacity);
        f->meant = p;
        f->capacity = capacity;
    }
    f->found += !f->meant[gor];
    f->meant[gor] = 1;
    return 0;
}

static int take_events(gl_filter *f, gl_model *m, const gl_event *ev, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int status = gl_query_event(f->query, m->dict, &ev[i]);
        uint64_t g = status > 0 ? gl_query_about(f->query) : 0;
        if (g)
            status = mean(f, m, g, ev[i].time);
        if (status < 0)
            return status;
    }
    return 0;
}

int gl_filter_step(gl_filter *f, gl_model *m, uint64_t events, gl_error *err)
{
    for (uint64_t done = 0; f->cursor && done < events;) {
        const gl_event *ev;
        size_t n = 0, at = 0;
        uint64_t g;
        int status = gl_cursor_next(f->cursor, &ev, &n, err);
        if (status == 0)
            status = take_events(f, m, ev, n);
        while (status == 0 && n == 0 && gl_query_open(f->query, m->dict, m->read_end, &at, &g))
            status = mean(f, m, g, m->read_end);
        if (status < 0 || n == 0) {
            gl_filter_stop(f);
            return status;
        }
        f->looked += n;
        done += n;
    }
    return f->cursor != NULL;
}

bool gl_filter_keeps(gl_filter *f, const gl_model *m, uint32_t gor)
{
    if (!f->at_once)
        return gor < f->capacity && f->meant[gor];
    const gl_gor *g = &m->gors[gor];
    gl_query_goroutine_info info = {g->id, g->creator, g->group < m->group_count ? m->groups[g->group].name : 0,
                                    g->state == GL_G_WAITING ? gl_model_life(m, gor)->reason : 0};
    return gl_query_goroutine(f->query, m->dict, &info);
}
