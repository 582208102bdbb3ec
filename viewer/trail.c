#include "trail.h"

#include <stdlib.h>
#include <string.h>

#define HOPS_AT_ONCE 64 /* wake-ups of one moment that name each other in a circle */

void gl_trail_clean_up(gl_trail *t)
{
    free(t->steps);
    memset(t, 0, sizeof *t);
}

static int add(gl_trail *t, uint32_t gor, int64_t begin, int64_t end, gl_span_kind kind)
{
    if (GL_ROOM(t->steps, t->capacity, t->n) < 0)
        return GL_E_NOMEM;
    t->steps[t->n++] = (gl_trail_step){begin, end, gor, (uint8_t)kind};
    int64_t *of = gl_span_is_busy(kind) ? &t->running : kind == GL_SPAN_RUNNABLE ? &t->runnable : &t->waiting;
    *of += end - begin;
    t->from = begin;
    return 0;
}

/* Who ended a wait, or made the goroutine that begins with this span: GL_NONE nobody that is known. */
static uint32_t before(const gl_model *m, const gl_window *w, const gl_span *s)
{
    bool first = s == w->spans || s[-1].gor != s->gor;
    bool hops = gl_span_is_wait((gl_span_kind)s->kind) ? s->end != GL_TIME_NONE : s->kind == GL_SPAN_RUNNABLE && first;
    uint32_t by = hops && s->by ? gl_model_find(m, s->by) : GL_NONE;
    return by == s->gor ? GL_NONE : by;
}

int gl_trail_make(gl_trail *t, const gl_model *m, const gl_window *w, uint32_t gor, int64_t from, int64_t to)
{
    int64_t at = to;
    unsigned here = 0;
    gl_trail_clean_up(t);
    t->to = to;
    t->gor = gor;
    while (at > from && t->n < GL_TRAIL_STEPS_MAX) {
        const gl_span *s = gl_window_span_at(w, gor, at - 1);
        uint32_t by = s ? before(m, w, s) : GL_NONE;
        bool wait = s && gl_span_is_wait((gl_span_kind)s->kind);
        if (!s)
            break;
        /* A wait that had ended by then: the path is the waker's. One that the path begins in is its own. */
        if (wait && by != GL_NONE && s->end <= at && here++ < HOPS_AT_ONCE) {
            gor = by;
            t->hops++;
            continue;
        }
        int64_t begin = s->begin > from ? s->begin : from;
        if (add(t, gor, begin, at, (gl_span_kind)s->kind) < 0)
            return GL_E_NOMEM;
        at = begin;
        here = 0;
        if (!wait && by != GL_NONE && at > from) {
            gor = by;
            t->hops++;
        }
    }
    return 0;
}
