/*
 * Merges the Ps of a v1 trace into one row of events.
 *
 * Of all Ps' next events the earliest comes, if its goroutine is where the event needs it (Go 1.26
 * src/internal/trace/internal/tracev1/order.go). An event that is not ready waits, hung up at its goroutine. In a sound
 * trace only equal time stamps make anything wait. Where clocks of processors differ a little, waiting puts the events
 * right; where what it waits for is missing, the event is taken all the same after some time, and the goroutine's state
 * is taken up anew from it. So each step delivers an event, whatever the file holds.
 *
 * Before Go 1.7 every event has a number of its own and nothing waits.
 */
#include "v1.h"

#include <stdlib.h>

#define TRIES_MAX 256u
#define WINDOW_MAX (64u * 1024)
#define WINDOW_MIN 4096u
#define WINDOWS_BYTES (16u * 1024 * 1024) /* of all Ps together */

/* States */

/* What an event needs its goroutine to be, and what it makes of it. */
static const struct {
    uint8_t from, to;
    uint8_t step; /* of the goroutine's sequence number */
} moves[] = {
    [V1_RULE_CREATE] = {V1_G_DEAD, V1_G_RUNNABLE, 1},
    [V1_RULE_PRESENT] = {V1_G_RUNNABLE, V1_G_WAITING, 1},
    [V1_RULE_START] = {V1_G_RUNNABLE, V1_G_RUNNING, 1},
    [V1_RULE_START_LOCAL] = {V1_G_RUNNABLE, V1_G_RUNNING, 1},
    [V1_RULE_PARK] = {V1_G_RUNNING, V1_G_WAITING, 0},
    [V1_RULE_YIELD] = {V1_G_RUNNING, V1_G_RUNNABLE, 0},
    [V1_RULE_UNPARK] = {V1_G_WAITING, V1_G_RUNNABLE, 1},
    [V1_RULE_UNPARK_LOCAL] = {V1_G_WAITING, V1_G_RUNNABLE, 1},
    [V1_RULE_GC] = {V1_G_DEAD, V1_G_DEAD, 1},
};

/* The record of the event's goroutine, looked up once. NULL: no memory. */
static gl_v1_g *subject_of(gl_v1_order *o, gl_v1_event *ev)
{
    if (ev->record == V1_NONE || o->gs.records[ev->record].id != ev->subject)
        ev->record = gl_v1_gs_add(&o->gs, ev->subject);
    return ev->record == V1_NONE ? NULL : &o->gs.records[ev->record];
}

static bool is_ready(const gl_v1_g *g, const gl_v1_event *ev)
{
    return g->status == moves[gl_v1_rule_of(ev->type)].from && (ev->needs == V1_ANY_SEQ || ev->needs == g->seq);
}

static void advance(gl_v1_g *g, const gl_v1_event *ev)
{
    gl_v1_rule rule = gl_v1_rule_of(ev->type);
    g->seq = (ev->needs == V1_ANY_SEQ ? g->seq : ev->needs) + moves[rule].step;
    g->status = moves[rule].to;
}

/* Heaps of cursors by the place of their next event; equal places by number of the cursor. */

static bool before(struct gl_v1_heap_entry a, struct gl_v1_heap_entry b)
{
    return a.key != b.key ? a.key < b.key : a.cursor < b.cursor;
}

static void put(gl_v1_order *o, gl_v1_heap *h, uint32_t place, struct gl_v1_heap_entry e)
{
    h->at[place] = e;
    o->cursors[e.cursor].place = place;
}

static uint32_t sift_up(gl_v1_order *o, gl_v1_heap *h, uint32_t i, struct gl_v1_heap_entry e)
{
    for (; i > 0 && before(e, h->at[(i - 1) / 2]); i = (i - 1) / 2)
        put(o, h, i, h->at[(i - 1) / 2]);
    return i;
}

static uint32_t sift_down(gl_v1_order *o, gl_v1_heap *h, uint32_t i, struct gl_v1_heap_entry e)
{
    for (uint32_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && before(h->at[child + 1], h->at[child]))
            child++;
        if (!before(h->at[child], e))
            break;
        put(o, h, i, h->at[child]);
    }
    return i;
}

/* The cursor has this place to go from; its event is another one than before. */
static void heap_settle(gl_v1_order *o, gl_v1_heap *h, uint32_t place, uint32_t cursor)
{
    struct gl_v1_heap_entry e = {o->cursors[cursor].ev.key, cursor};
    put(o, h, sift_down(o, h, sift_up(o, h, place, e), e), e);
}

static void heap_add(gl_v1_order *o, gl_v1_heap *h, uint32_t cursor)
{
    heap_settle(o, h, h->n++, cursor);
}

static void heap_take(gl_v1_order *o, gl_v1_heap *h, uint32_t place)
{
    uint32_t last = h->at[--h->n].cursor;
    if (place != h->n)
        heap_settle(o, h, place, last);
}

/* An event has no end of chances: each costs time, and no sound trace needs many. */
static bool is_hopeless(const gl_v1_cursor *c)
{
    return c->tries >= TRIES_MAX;
}

/* Whether a cursor's next event may come. If not, the cursor is hung up at its goroutine. 1, 0, or negative. */
static int try_cursor(gl_v1_order *o, uint32_t i)
{
    gl_v1_cursor *c = &o->cursors[i];
    if (!c->ev.ordered || o->t->wire.version < 7 || is_hopeless(c))
        return 1;
    gl_v1_g *g = subject_of(o, &c->ev);
    if (!g)
        return GL_E_NOMEM;
    if (is_ready(g, &c->ev))
        return 1;
    c->tries++;
    c->next_waiter = g->waiters;
    g->waiters = i;
    return 0;
}

/* Puts a cursor that is in no heap where its next event belongs. */
static int place_cursor(gl_v1_order *o, uint32_t i)
{
    int rc = try_cursor(o, i);
    if (rc >= 0)
        heap_add(o, rc > 0 ? &o->ready : &o->stuck, i);
    return rc < 0 ? rc : 0;
}

/* The goroutine moved: whoever waits for it looks again. */
static int wake_waiters(gl_v1_order *o, uint32_t first)
{
    int rc = 0;
    while (rc == 0 && first != V1_NONE) {
        uint32_t i = first;
        first = o->cursors[i].next_waiter;
        heap_take(o, &o->stuck, o->cursors[i].place);
        rc = place_cursor(o, i);
    }
    return rc;
}

static void unhang(gl_v1_order *o, gl_v1_g *g, uint32_t cursor)
{
    uint32_t *link = &g->waiters;
    while (*link != V1_NONE && *link != cursor)
        link = &o->cursors[*link].next_waiter;
    if (*link == cursor)
        *link = o->cursors[cursor].next_waiter;
}

/* Cursors */

static bool next_sample(gl_v1_order *o, gl_v1_cursor *c)
{
    const gl_v1_trace *t = o->t;
    if (o->next_sample == t->sample_count)
        return false;
    const gl_v1_sample *s = &t->samples[o->next_sample++];
    c->ev = (gl_v1_event){
        .ticks = s->ticks, .key = (uint64_t)s->ticks, .g = s->g, .stack = s->stack, .type = V1_EV_CPUSample,
        .proc = V1_NONE, .record = V1_NONE, .arg = {s->p}};
    return true;
}

/* Brings a cursor to its next event: 1; 0: it has no more. */
static int next_event(gl_v1_order *o, uint32_t i)
{
    gl_v1_cursor *c = &o->cursors[i];
    c->tries = 0;
    return i == o->t->proc_count ? next_sample(o, c) : gl_v1_cursor_next(c, o->t, o->window);
}

/* The cursor's event was taken: it goes on. As a rule it stays in the heap of those that are ready. */
static int move_on(gl_v1_order *o, gl_v1_heap *h, uint32_t i)
{
    int rc = next_event(o, i);
    if (rc > 0)
        rc = try_cursor(o, i);
    else if (rc == 0) {
        heap_take(o, h, o->cursors[i].place);
        return 0;
    }
    if (rc < 0)
        return rc;
    gl_v1_heap *to = rc > 0 ? &o->ready : &o->stuck;
    if (to == h) {
        heap_settle(o, h, o->cursors[i].place, i);
    } else {
        heap_take(o, h, o->cursors[i].place);
        heap_add(o, to, i);
    }
    return 0;
}

static uint32_t window_for(uint32_t procs)
{
    uint32_t each = WINDOWS_BYTES / (procs + 1);
    return each > WINDOW_MAX ? WINDOW_MAX : each < WINDOW_MIN ? WINDOW_MIN : each;
}

int gl_v1_order_init(gl_v1_order *o, gl_v1_trace *t)
{
    *o = (gl_v1_order){.t = t, .cursor_count = t->proc_count + 1, .window = window_for(t->proc_count)};
    o->cursors = calloc(o->cursor_count, sizeof *o->cursors);
    o->ready.at = calloc(o->cursor_count, sizeof *o->ready.at);
    o->stuck.at = calloc(o->cursor_count, sizeof *o->stuck.at);
    if (!o->cursors || !o->ready.at || !o->stuck.at)
        return GL_E_NOMEM;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < o->cursor_count; i++) {
        if (i < t->proc_count)
            rc = gl_v1_cursor_open(&o->cursors[i], t, i, t->procs[i].first, o->window);
        if (rc == 0 && (rc = next_event(o, i)) > 0)
            rc = place_cursor(o, i);
    }
    return rc;
}

void gl_v1_order_free(gl_v1_order *o)
{
    for (uint32_t i = 0; o->cursors && i < o->cursor_count; i++)
        free(o->cursors[i].window);
    free(o->cursors);
    free(o->ready.at);
    free(o->stuck.at);
    gl_v1_gs_free(&o->gs);
}

/* Taking events */

/* Whether the first of the waiting events has waited long enough, or waits for what can't come any more. */
static bool gives_up(const gl_v1_order *o)
{
    if (o->stuck.n == 0)
        return false;
    if (o->ready.n == 0)
        return true;
    uint64_t waits = o->stuck.at[0].key, comes = o->ready.at[0].key;
    return comes > waits && comes - waits > o->patience;
}

/* What the event does to its goroutine; those that waited for it look again. */
static int apply(gl_v1_order *o, uint32_t cursor, gl_v1_event *ev, bool forced)
{
    if (ev->type == V1_EV_GoEnd) {
        uint32_t ended = gl_v1_gs_find(&o->gs, ev->g);
        if (ended != V1_NONE && o->gs.records[ended].waiters == V1_NONE)
            gl_v1_gs_drop(&o->gs, ended);
        return 0;
    }
    if (!ev->ordered)
        return 0;
    gl_v1_g *g = subject_of(o, ev);
    if (!g)
        return GL_E_NOMEM;
    if (forced)
        unhang(o, g, cursor);
    advance(g, ev);
    uint32_t waiters = g->waiters;
    g->waiters = V1_NONE;
    return waiters == V1_NONE ? 0 : wake_waiters(o, waiters);
}

/* An event may have become ready, and not be so any more as another one came first. */
static bool still_ready(gl_v1_order *o, gl_v1_event *ev)
{
    if (!ev->ordered || o->t->wire.version < 7)
        return true;
    const gl_v1_g *g = subject_of(o, ev);
    return g && is_ready(g, ev);
}

static uint8_t plain_type(uint8_t type)
{
    switch (type) {
    case V1_EV_GoStartLocal:
        return V1_EV_GoStart;
    case V1_EV_GoUnblockLocal:
        return V1_EV_GoUnblock;
    case V1_EV_GoSysExitLocal:
        return V1_EV_GoSysExit;
    default:
        return type;
    }
}

/* The cursor of the last event goes on, now that the event is done with. */
static int release(gl_v1_order *o)
{
    gl_v1_heap *h = o->taken_from;
    o->taken_from = NULL;
    return h ? move_on(o, h, o->taken) : 0;
}

static int take(gl_v1_order *o, gl_v1_heap *h, const gl_v1_event **out, bool forced)
{
    uint32_t i = h->at[0].cursor;
    gl_v1_event *ev = &o->cursors[i].ev;
    int rc = apply(o, i, ev, forced);
    if (rc < 0)
        return rc;
    if (ev->type == V1_EV_GoSysExitLocal)
        ev->arg[2] = ev->arg[1] = 0;
    ev->type = plain_type(ev->type);
    *out = ev;
    o->taken_from = h;
    o->taken = i;
    if (ev->type != V1_EV_GoSysCall)
        return 1;
    /* A system call blocks where the next thing that its P tells is so (Go looks through all that follows). */
    o->kept = *ev;
    *out = &o->kept;
    rc = release(o);
    o->next_blocks = ev->type == V1_EV_GoSysBlock && ev->g == o->kept.g;
    return rc < 0 ? rc : 1;
}

int gl_v1_order_next(gl_v1_order *o, const gl_v1_event **ev, bool *forced)
{
    int rc = release(o);
    while (rc >= 0) {
        *forced = gives_up(o);
        if (*forced)
            return take(o, &o->stuck, ev, true);
        if (o->ready.n == 0)
            return 0;
        uint32_t i = o->ready.at[0].cursor;
        if (still_ready(o, &o->cursors[i].ev))
            return take(o, &o->ready, ev, false);
        if (is_hopeless(&o->cursors[i])) {
            *forced = true;
            return take(o, &o->ready, ev, true);
        }
        heap_take(o, &o->ready, 0);
        rc = place_cursor(o, i);
    }
    return rc;
}
