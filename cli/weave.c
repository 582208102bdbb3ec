#include "weave.h"

#include <stdlib.h>


typedef struct weave {
    gl_event_fn sink;
    void *user;
    gl_event batch[256];
    size_t batched;
} weave;

int cli_strand_wall(gl_reader *reader, int64_t *wall, gl_error *err)
{
    static const uint16_t clocks[] = {GL_EV_ClockSync};
    gl_cursor *c = NULL;
    const gl_event *events;
    size_t n = 0;
    const char *told = gl_reader_meta(reader, "clock.wall_unix_ns");
    *wall = told ? strtoll(told, NULL, 10) : 0;
    if (*wall)
        return 0;
    int status = gl_cursor_open(reader, GL_COL_ARGS, &c, err);
    if (status == 0)
        status = gl_cursor_want_types(c, clocks, 1);
    while (status == 0 && !*wall && (status = gl_cursor_next(c, &events, &n, err)) == 0 && n > 0)
        for (size_t i = 0; i < n && !*wall; i++)
            if (events[i].type == GL_EV_ClockSync && events[i].arg[2] && events[i].arg[2] < INT64_MAX)
                *wall = (int64_t)events[i].arg[2] - events[i].time;
    gl_cursor_close(c);
    return status;
}

int cli_strand_open(cli_strand *s, gl_dict *dict, gl_error *err)
{
    const gl_dict *own;
    int status = gl_reader_dict(s->reader, &own, err);
    if (status == 0)
        status = gl_cursor_open(s->reader, GL_COL_ALL, &s->cursor, err);
    if (status < 0)
        return status;
    s->remap = gl_remap_new(own, dict, s->process);
    return s->remap ? 0 : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
}

void cli_strand_close(cli_strand *s)
{
    gl_cursor_close(s->cursor);
    gl_remap_destroy(s->remap);
    s->cursor = NULL;
    s->remap = NULL;
}

/* Makes the next event ready. A stamp may step back a little: each file's own order holds. */
static int advance(cli_strand *s, gl_error *err)
{
    if (s->at == s->n) {
        s->at = 0;
        int status = gl_cursor_next(s->cursor, &s->events, &s->n, err);
        if (status < 0)
            return status;
        s->ended = s->n == 0;
    }
    if (!s->ended && s->events[s->at].time + s->shift > s->due)
        s->due = s->events[s->at].time + s->shift;
    return 0;
}

static int flush(weave *w)
{
    size_t n = w->batched;
    w->batched = 0;
    return n ? w->sink(w->user, w->batch, n) : 0;
}

static int take(weave *w, cli_strand *s)
{
    gl_event *ev = &w->batch[w->batched++];
    *ev = s->events[s->at++];
    ev->time += s->shift;
    if (ev->type == GL_EV_Lost)
        ev->arg[2] += (uint64_t)s->shift;
    int status = gl_remap_event(s->remap, ev);
    return status == 0 && w->batched == sizeof w->batch / sizeof *w->batch ? flush(w) : status;
}

static cli_strand *next_of(cli_strand *const *strands, size_t n)
{
    cli_strand *next = NULL;
    for (size_t i = 0; i < n; i++)
        if (!strands[i]->ended && (!next || strands[i]->due < next->due))
            next = strands[i];
    return next;
}

/* In proportion to what the files hold, as bytes of theirs. Non-zero: a signal came. */
static int tick(cli_progress *p, cli_strand *const *strands, size_t n, uint64_t done)
{
    uint64_t events = 0, bytes = 0;
    if (!p)
        return cli_signals_came();
    for (size_t i = 0; i < n; i++) {
        events += gl_reader_get_info(strands[i]->reader)->events;
        bytes += gl_reader_get_info(strands[i]->reader)->file_bytes;
    }
    return cli_progress_tick(p, cli_progress_share(done, events, bytes), bytes);
}

int cli_weave(cli_strand *const *strands, size_t n, gl_event_fn sink, void *user, cli_progress *p, gl_error *err)
{
    weave *w = malloc(sizeof *w);
    if (!w)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    *w = (weave){.sink = sink, .user = user};
    int status = 0;
    uint64_t done = 0;
    for (size_t i = 0; i < n && status == 0; i++) {
        strands[i]->due = INT64_MIN;
        status = advance(strands[i], err);
    }
    for (cli_strand *s; status == 0 && (s = next_of(strands, n)) != NULL;) {
        status = take(w, s);
        if (status == 0)
            status = advance(s, err);
        done++;
        if (status == 0 && w->batched == 0 && tick(p, strands, n, done))
            status = gl_fail(err, GL_E_CANCELLED, UINT64_MAX, "cancelled");
    }
    if (status == 0)
        status = flush(w);
    free(w);
    return status;
}
