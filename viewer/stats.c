#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golanes/state.h"

void gl_stats_stop(gl_stats *s)
{
    gl_cursor_close(s->cursor);
    s->cursor = NULL;
}

void gl_stats_clean_up(gl_stats *s)
{
    gl_stats_stop(s);
    for (size_t i = 0; i < s->n; i++)
        free(s->rows[i].bucket);
    free(s->rows);
    free(s->gors);
    gl_ids_clean_up(&s->row_of);
    memset(s, 0, sizeof *s);
}

/* By powers of two, each in GL_STATS_SUB equal parts; short lengths have a bucket each. */
static unsigned bucket_of(int64_t ns)
{
    uint64_t v = (uint64_t)ns;
    if (v < 2 * GL_STATS_SUB)
        return (unsigned)v;
    unsigned top = 63u - (unsigned)__builtin_clzll(v), shift = top - 5;
    return (shift + 1) * GL_STATS_SUB + (unsigned)(v >> shift) - GL_STATS_SUB;
}

/* The largest length that belongs into a bucket. */
static int64_t bucket_end(unsigned b)
{
    if (b < 2 * GL_STATS_SUB)
        return b;
    unsigned shift = b / GL_STATS_SUB - 1;
    return (int64_t)(((uint64_t)(b % GL_STATS_SUB + GL_STATS_SUB + 1) << shift) - 1);
}

int64_t gl_stats_percentile(const gl_stats_row *r, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)r->n), seen = 0;
    for (unsigned b = 0; b < GL_STATS_BUCKETS; b++) {
        seen += r->bucket[b];
        if (seen >= rank)
            return bucket_end(b) < r->longest ? bucket_end(b) : r->longest;
    }
    return r->longest;
}

static gl_stats_row *row_for(gl_stats *s, uint32_t group, uint8_t state, uint32_t reason)
{
    uint64_t key = ((uint64_t)group << 36) ^ ((uint64_t)state << 32) ^ reason;
    uint32_t at = gl_ids_get(&s->row_of, key);
    if (at != GL_NONE)
        return &s->rows[at];
    if (GL_ROOM(s->rows, s->capacity, s->n) < 0)
        return NULL;
    uint32_t *bucket = calloc(GL_STATS_BUCKETS, sizeof *bucket);
    if (!bucket || gl_ids_put(&s->row_of, key, (uint32_t)s->n) < 0) {
        free(bucket);
        return NULL;
    }
    s->rows[s->n] = (gl_stats_row){.group = group, .reason = reason, .state = state, .bucket = bucket};
    return &s->rows[s->n++];
}

/* The goroutine's stretch ends at `time`: what of it lies in the selection counts. */
static int end_stretch(gl_stats *s, const gl_model *m, uint32_t gor, int64_t time)
{
    const gl_stats_gor *g = &s->gors[gor];
    int64_t from = g->since > s->from ? g->since : s->from, to = time < s->to ? time : s->to;
    if (g->state < GL_G_RUNNABLE || to <= from)
        return 0;
    gl_stats_row *r = row_for(s, m->gors[gor].group, g->state, g->state == GL_G_WAITING ? g->reason : 0);
    if (!r)
        return GL_E_NOMEM;
    r->n++;
    r->ns += to - from;
    r->bucket[bucket_of(to - from)]++;
    if (to - from > r->longest) {
        r->longest = to - from;
        r->longest_begin = from;
        r->longest_gor = gor;
    }
    return 0;
}

static int reach(gl_stats *s, uint32_t gor)
{
    if (gor < s->gor_capacity)
        return 0;
    size_t capacity = (size_t)gor * 2 + 256;
    gl_stats_gor *p = realloc(s->gors, capacity * sizeof *p);
    if (!p)
        return GL_E_NOMEM;
    memset(p + s->gor_capacity, 0, (capacity - s->gor_capacity) * sizeof *p);
    s->gors = p;
    s->gor_capacity = capacity;
    return 0;
}

static int begin_stretch(gl_stats *s, gl_model *m, uint64_t g, int64_t since, uint8_t state, uint32_t reason)
{
    uint32_t gor = gl_model_add(m, g, since);
    if (gor == GL_NONE || reach(s, gor) < 0 || end_stretch(s, m, gor, since) < 0)
        return GL_E_NOMEM;
    s->gors[gor] = (gl_stats_gor){since, reason, state};
    return 0;
}

/* The scan of the whole may not have come here yet: names come from here too. */
static int begin_known(gl_stats *s, gl_model *m, const gl_goroutine_at *at)
{
    int status = begin_stretch(s, m, at->g, at->since, at->state, at->reason);
    uint32_t gor = gl_model_find(m, at->g);
    return status < 0 || !at->start_stack ? status : gl_model_name(m, gor, at->start_stack);
}

int gl_stats_begin(gl_stats *s, gl_model *m, int64_t from, int64_t to, gl_error *err)
{
    /* It only ever grows, so that a list made from what was here before is known to be stale. */
    uint64_t revision = s->revision + 1;
    gl_stats_clean_up(s);
    s->revision = revision;
    const gl_goroutine_at *at;
    size_t n = 0;
    int status = gl_cursor_open(m->reader, GL_COL_ALL, &s->cursor, err);
    if (status < 0)
        return status;
    s->from = from;
    s->to = to;
    status = gl_cursor_keyframe(s->cursor, from, &at, &n, err);
    if (status == GL_E_NOT_FOUND) {
        n = 0;
        status = gl_cursor_seek(s->cursor, from, err);
    }
    for (size_t i = 0; i < n && status == 0; i++)
        status = begin_known(s, m, &at[i]);
    return status;
}

static int take(gl_stats *s, gl_model *m, const gl_event *ev, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        gl_transition t;
        if (!gl_event_transition(&ev[i], &t) || !t.id || t.from == t.to)
            continue;
        bool before = t.from == GL_G_UNDETERMINED;
        if (begin_stretch(s, m, t.id, before ? m->begin : ev[i].time, t.to, t.reason) < 0)
            return GL_E_NOMEM;
        if (ev[i].type == GL_EV_GoCreate && gl_model_name(m, gl_model_find(m, t.id), (uint32_t)ev[i].arg[2]) < 0)
            return GL_E_NOMEM;
    }
    return 0;
}

int gl_stats_step(gl_stats *s, gl_model *m, uint64_t events, gl_error *err)
{
    for (uint64_t done = 0; s->cursor && done < events;) {
        const gl_event *ev;
        size_t n = 0;
        int status = gl_cursor_next(s->cursor, &ev, &n, err);
        if (status == 0 && n && ev[0].time <= s->to)
            status = take(s, m, ev, n);
        else
            n = 0;
        for (uint32_t i = 0; i < m->gor_count && i < s->gor_capacity && status == 0 && n == 0; i++)
            status = end_stretch(s, m, i, s->to);
        s->revision++;
        if (status < 0 || n == 0) {
            gl_stats_stop(s);
            return status;
        }
        s->looked += n;
        done += n;
    }
    return s->cursor != NULL;
}
