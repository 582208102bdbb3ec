/* Channels that may still be used, and what stays of those that are not. */
#include <stdlib.h>
#include <string.h>

#include "channels.h"

static bool same_group(const gl_channel_group *g, const gl_channel *c)
{
    return g->site.func == c->made_site.func && g->site.line == c->made_site.line && g->elem == c->elem;
}

/* The group of channels made like this one; few places, so that equal hashes are sought through in line. */
static int find_group(gl_channels *x, const gl_channel *c, uint32_t *out)
{
    uint64_t key = gl_mix((uint64_t)c->made_site.func << 32 | c->made_site.line) ^ c->elem;
    uint32_t at = gl_map_get(&x->group_of, key);
    while (at != GL_NONE32 && !same_group(&x->groups[at].figures, c))
        at = gl_map_get(&x->group_of, ++key);
    if (at == GL_NONE32) {
        at = (uint32_t)x->group_count;
        if (GL_GROW(x->groups, x->group_capacity, x->group_count + 1) < 0 || gl_map_put(&x->group_of, key, at) < 0)
            return GL_E_NOMEM;
        x->groups[x->group_count++].figures =
            (gl_channel_group){.site = c->made_site, .elem = c->elem, .cap_least = UINT64_MAX};
    }
    *out = at;
    return 0;
}

void gl_channel_fill(gl_live_channel *c, int64_t time, uint64_t len)
{
    gl_channel *f = &c->figures;
    uint64_t ns = time > c->since && f->closed_at < 0 ? (uint64_t)(time - c->since) : 0;
    f->seen_ns += ns;
    f->fill_ns += ns * f->fill_last;
    if (f->cap_known && f->cap) {
        f->full_ns += f->fill_last >= f->cap ? ns : 0;
        f->empty_ns += f->fill_last == 0 ? ns : 0;
    }
    if (time > c->since)
        c->since = time;
    f->fill_last = len;
    if (len > f->fill_max)
        f->fill_max = len;
    if (time > f->last)
        f->last = time;
}

static gl_spread spread_of(gl_live_channel *c, unsigned end)
{
    if (c->wait)
        return gl_sample_spread(&c->wait[end]);
    return (gl_spread){.n = c->figures.end[end].done, .total_ns = c->total[end], .max_ns = c->max[end]};
}

static void add_to_group(gl_made_group *g, const gl_channel *f)
{
    gl_channel_group *sum = &g->figures;
    sum->n++;
    sum->closed += f->closed_at >= 0;
    sum->unclosed_though_asked += f->closed_at < 0 && f->asked_for_close;
    sum->late_sends += f->end[GL_CHANNEL_SEND].panics;
    if (f->cap_known) {
        sum->cap_least = f->cap < sum->cap_least ? f->cap : sum->cap_least;
        sum->cap_most = f->cap > sum->cap_most ? f->cap : sum->cap_most;
    }
    for (unsigned i = 0; i < GL_CHANNEL_ENDS; i++) {
        sum->done[i] += f->end[i].done;
        sum->waiting[i] += f->end[i].waiting;
    }
    sum->fill_ns += f->fill_ns;
    sum->full_ns += f->full_ns;
    sum->empty_ns += f->empty_ns;
    sum->seen_ns += f->seen_ns;
    sum->fill_max = f->fill_max > sum->fill_max ? f->fill_max : sum->fill_max;
}

/* The address may be used no more, or by another channel: its figures leave. */
static int leave(gl_channels *x, uint32_t at, int64_t time)
{
    gl_live_channel *c = &x->live[at];
    gl_channel *f = &c->figures;
    gl_channel_fill(c, time, f->fill_last);
    for (unsigned i = 0; i < GL_CHANNEL_ENDS; i++) {
        f->end[i].wait = spread_of(c, i);
        f->end[i].wait_spread = c->wait != NULL;
        if (c->wait)
            gl_sample_clean_up(&c->wait[i]);
    }
    x->samples -= c->wait != NULL;
    free(c->wait);
    c->wait = NULL;
    add_to_group(&x->groups[c->group], f);
    gl_map_remove(&x->live_of, f->chan);
    c->used = false;
    x->free_live[x->free_count++] = at;
    return gl_keep_add(&x->worst, f);
}

static _Thread_local const gl_live_channel *sorted; /* qsort hands no context on */

static int by_last_use(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    int64_t left = sorted[*x].figures.last, right = sorted[*y].figures.last;
    return left < right ? -1 : left > right;
}

/* Too many at once: the quarter longest out of use leaves. Should one of these be used again it counts anew. */
static int thin_out(gl_channels *x)
{
    uint32_t *order = malloc(x->live_count * sizeof *order);
    size_t n = 0;
    int status = 0;
    if (!order)
        return GL_E_NOMEM;
    for (uint32_t i = 0; i < x->live_count; i++) {
        if (x->live[i].used)
            order[n++] = i;
    }
    sorted = x->live;
    qsort(order, n, sizeof *order, by_last_use);
    for (size_t i = 0; i < n / 4 && status == 0; i++)
        status = leave(x, order[i], x->live[order[i]].figures.last);
    free(order);
    x->result.cut = true;
    return status;
}

static int new_slot(gl_channels *x, uint32_t *at)
{
    if (!x->free_count && x->live_count == GL_CHANNELS_MAX) {
        int status = thin_out(x);
        if (status < 0)
            return status;
    }
    if (x->free_count) {
        *at = x->free_live[--x->free_count];
        return 0;
    }
    if (GL_GROW(x->live, x->live_capacity, x->live_count + 1) < 0 ||
        GL_GROW(x->free_live, x->free_capacity, x->live_count + 1) < 0)
        return GL_E_NOMEM;
    *at = (uint32_t)x->live_count++;
    return 0;
}

static int begin_life(gl_channels *x, const gl_channel *made, gl_live_channel **out)
{
    uint32_t at;
    int status = new_slot(x, &at);
    if (status < 0)
        return status;
    gl_live_channel *c = &x->live[at];
    *c = (gl_live_channel){.figures = *made, .since = made->first, .used = true};
    status = find_group(x, made, &c->group);
    if (status == 0)
        status = gl_map_put(&x->live_of, made->chan, at);
    if (status == 0 && x->samples < GL_CHANNEL_SAMPLES_MAX) {
        c->wait = calloc(GL_CHANNEL_ENDS, sizeof *c->wait);
        x->samples += c->wait != NULL;
    }
    x->result.seen++;
    *out = c;
    return status;
}

int gl_channel_meet(gl_channels *x, uint64_t chan, int64_t time, gl_live_channel **out)
{
    uint32_t at = gl_map_get(&x->live_of, chan);
    if (at != GL_NONE32) {
        *out = &x->live[at];
        return 0;
    }
    gl_channel made = {.chan = chan, .life = 1, .made_at = -1, .first = time, .last = time, .closed_at = -1};
    return begin_life(x, &made, out);
}

int gl_channel_make(gl_channels *x, const gl_event *ev)
{
    uint32_t at = gl_map_get(&x->live_of, ev->arg[0]);
    gl_channel made = {.chan = ev->arg[0],
                       .life = 1,
                       .elem = (uint32_t)ev->arg[2],
                       .cap = ev->arg[1],
                       .cap_known = true,
                       .made_at = ev->time,
                       .made_by = ev->g,
                       .made_group = gl_summary_group_of(x->summary, ev->g),
                       .made_site = gl_summary_maker_of(x->summary, ev->stack),
                       .first = ev->time,
                       .last = ev->time,
                       .closed_at = -1};
    if (at != GL_NONE32) {
        made.life = x->live[at].figures.life + 1;
        int status = leave(x, at, x->live[at].figures.last);
        if (status < 0)
            return status;
    }
    gl_live_channel *c;
    return begin_life(x, &made, &c);
}

static void note_user(gl_channel_end *e, uint64_t g, uint32_t group)
{
    for (size_t i = 0; i < e->user_count; i++) {
        if (e->users[i].g == g) {
            e->users[i].n++;
            return;
        }
    }
    if (e->user_count == GL_CHANNEL_USERS_MAX)
        e->more_users = true;
    else
        e->users[e->user_count++] = (gl_channel_user){g, 1, group};
}

int gl_channel_done(gl_channels *x, gl_live_channel *c, unsigned end, uint64_t g, uint64_t ns)
{
    gl_channel_end *e = &c->figures.end[end];
    e->done++;
    note_user(e, g, gl_summary_group_of(x->summary, g));
    c->total[end] += ns;
    c->max[end] = ns > c->max[end] ? ns : c->max[end];
    int status = gl_sample_add(&x->groups[c->group].wait[end], ns);
    return status == 0 && c->wait ? gl_sample_add(&c->wait[end], ns) : status;
}

int gl_channels_leave(gl_channels *x, int64_t end_ns)
{
    int status = 0;
    for (uint32_t i = 0; i < x->live_count && status == 0; i++) {
        if (x->live[i].used)
            status = leave(x, i, end_ns);
    }
    return status;
}
