#include "ring_decode.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 128

/** How an event lies in a ring: without a loop over its arguments where nothing about it is special. */
typedef struct form {
    uint64_t mask[GL_EVENT_ARGS_MAX];
    uint64_t chan, goroutine; /* all ones where the first argument is that */
    uint8_t at[GL_EVENT_ARGS_MAX], kind[GL_EVENT_ARGS_MAX];
    uint8_t known, count, bytes; /* bytes: of all arguments */
    uint8_t text;                /* the first argument is one */
    uint8_t moves;               /* it changes its thread's context: gl_ring_effect */
} form;

/* Kinds that are not the same in a ring and in a trace. */
#define REFERS(kind)                                                                                              \
    ((kind) == GL_KIND_GOROUTINE || (kind) == GL_KIND_CHAN || (kind) == GL_KIND_STRING || (kind) == GL_KIND_STACK || \
     (kind) == GL_KIND_THREAD)
#define ONES(yes) ((yes) ? UINT64_MAX : 0)
#define WIDTH(kind, there) ((there) ? GL_RING_WIDTH(kind) : 0u)
#define MASK(kind, there) ((there) ? UINT64_MAX >> (64 - 8 * GL_RING_WIDTH(kind)) : 0)
#define SIMPLE(kind, there) (!(there) || !REFERS(kind))
#define BYTES(n, a, b, c, d) (WIDTH(a, (n) > 0) + WIDTH(b, (n) > 1) + WIDTH(c, (n) > 2) + WIDTH(d, (n) > 3))
#define FORM(code, n, a, b, c, d, ...)                                                                                    \
    {                                                                                                                    \
        .known = 1, .count = (n), .kind = {a, b, c, d},                                                                  \
        .mask = {MASK(a, (n) > 0), MASK(b, (n) > 1), MASK(c, (n) > 2), MASK(d, (n) > 3)},                                \
        .at = {0, WIDTH(a, (n) > 0), WIDTH(a, (n) > 0) + WIDTH(b, (n) > 1),                                              \
               WIDTH(a, (n) > 0) + WIDTH(b, (n) > 1) + WIDTH(c, (n) > 2)},                                               \
        .bytes = BYTES(n, a, b, c, d),                                                                                   \
        .chan = ONES((a) == GL_KIND_CHAN), .goroutine = ONES((a) == GL_KIND_GOROUTINE), .text = (a) == GL_KIND_STRING,   \
        .moves = GL_RING_MOVES(code)                                                                                             \
    }
#define GL_ARG(kind, name) GL_KIND_##kind
#define GL_EVENT(code, name, op, phase, stack, meaning, count, ...) \
    [code] = FORM(code, count, __VA_ARGS__, GL_KIND_NONE, GL_KIND_NONE, GL_KIND_NONE, GL_KIND_NONE),
static const form forms[GL_EV_LIMIT] = {
#include "golanes/events.def"
};
#undef GL_EVENT

/** By its first byte, how long an event is in its common form, where no argument but the first refers to anything; 0: it
    is to be looked at closely. Where the next one begins hangs on this alone: it is known before anything else. */
#define LENGTH(n, a, b, c, d, ...)                                                                                        \
    ((a) != GL_KIND_STACK && (a) != GL_KIND_THREAD && SIMPLE(b, (n) > 1) && SIMPLE(c, (n) > 2) && SIMPLE(d, (n) > 3)      \
         ? 3 + BYTES(n, a, b, c, d)                                                                                       \
         : 0)
#define GL_EVENT(code, name, op, phase, stack, meaning, count, ...)                                                       \
    [code] = LENGTH(count, __VA_ARGS__, GL_KIND_NONE, GL_KIND_NONE, GL_KIND_NONE, GL_KIND_NONE),                          \
    [(code) | GL_RING_HAS_STACK] = (LENGTH(count, __VA_ARGS__, GL_KIND_NONE, GL_KIND_NONE, GL_KIND_NONE, GL_KIND_NONE)    \
                                        ? 2 + LENGTH(count, __VA_ARGS__, GL_KIND_NONE, GL_KIND_NONE, GL_KIND_NONE,        \
                                                     GL_KIND_NONE)                                                        \
                                        : 0),
static const uint8_t lengths[256] = {
#include "golanes/events.def"
};
#undef GL_EVENT
#undef GL_ARG

/* One record without a loop in it reads less than the slack: it may be read to its end before a look at the end. */
_Static_assert(GL_DECODE_SLACK >= 2 + 1 + 8 + 8 * GL_EVENT_ARGS_MAX + 2 + 8 && GL_DECODE_SLACK >= 2 + 5 * 9, "enough slack");

typedef struct cursor {
    gl_ring_decoder *d;
    const gl_session_sink *sink;
    const uint8_t *start, *at, *end;
    uint64_t next; /* where the next block is, once this one is known to have ended */
    bool cut;      /* the block goes on behind the end */
    bool enough;   /* the sink wants no more for now */
    const gl_clock_map *clock; /* NULL: times stay ticks */
    gl_clock_segment line;
    gl_event *event; /* where they go: n of them are there, room is for so many */
    size_t n, room;
    gl_event own[BATCH];
} cursor;

void gl_ring_decoder_free(gl_ring_decoder *d)
{
    if (!d->text && !d->stack) /* as most: what is not written to stays shared with a child */
        return;
    free(d->text);
    free(d->stack);
    d->text = d->stack = NULL;
    d->text_cap = d->stack_cap = 0;
}

/** Not by an initialiser: that would clear the array of events too. */
static void begin(cursor *c, gl_ring_decoder *d, const gl_session_sink *sink, const uint8_t *bytes, size_t n)
{
    c->d = d;
    c->sink = sink;
    c->start = c->at = bytes;
    c->end = bytes ? bytes + n : NULL;
    c->next = 0;
    c->n = c->room = 0;
    c->cut = c->enough = false;
    c->clock = sink->direct ? sink->direct->clock : NULL;
    c->line = gl_clock_map_newest(c->clock);
}

static int flush(cursor *c)
{
    const gl_session_direct *direct = c->sink->direct;
    size_t n = c->n;
    c->n = c->room = 0;
    if (!n)
        return 0;
    c->d->delivered = true;
    int status = direct ? direct->added(c->sink->user, n) : c->sink->on_events(c->sink->user, c->event, n);
    c->enough |= status == GL_DRAIN_ENOUGH;
    return status < 0 ? status : 0;
}

static int make_room(cursor *c)
{
    const gl_session_direct *direct = c->sink->direct;
    int status = flush(c);
    if (status < 0)
        return status;
    c->event = direct ? direct->room(c->sink->user, &c->room) : c->own;
    c->room = direct ? c->room : BATCH;
    return c->event ? 0 : GL_E_NOMEM;
}

static int64_t time_of(const cursor *c, uint64_t ticks)
{
    return gl_clock_line_ns(c->clock, &c->line, ticks);
}

static uint64_t get(cursor *c)
{
    uint64_t v;
    c->at = gl_ring_get(c->at, &v);
    return v;
}

static inline uint64_t load8(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint16_t load2(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

/** True where the record is cut off. */
static bool overrun(const cursor *c)
{
    return c->at > c->end;
}

static bool muted(const cursor *c, const uint8_t *record)
{
    return c->d->tail + (uint64_t)(record - c->start) < c->d->mute_until;
}

static int remember(uint32_t **table, uint32_t *count, uint32_t *cap, uint32_t id)
{
    if (*count == *cap) {
        uint32_t more = *cap ? *cap * 2 : 32;
        uint32_t *grown = realloc(*table, more * sizeof **table);
        if (!grown)
            return GL_E_NOMEM;
        *table = grown;
        *cap = more;
    }
    (*table)[(*count)++] = id;
    return 0;
}

static int know_thread(cursor *c)
{
    gl_ring_decoder *d = c->d;
    if (d->thread_known)
        return 0;
    gl_session_owner owner = {d->pid, d->tid, d->turn, d->ring};
    int status = c->sink->on_thread(c->sink->user, &owner, &d->thread);
    d->thread_known = status >= 0;
    return status < 0 ? status : 0;
}

static void set_owner(gl_ring_decoder *d, uint32_t pid, uint32_t tid, uint32_t turn)
{
    d->thread_known &= d->pid == pid && d->tid == tid && d->turn == turn;
    d->pid = pid;
    d->tid = tid;
    d->turn = turn;
}

/** A place for one more event of this thread. */
static int new_event(cursor *c, gl_event **out)
{
    int status = c->n == c->room ? make_room(c) : 0;
    if (status >= 0)
        status = know_thread(c);
    if (status < 0)
        return status;
    gl_event *ev = &c->event[c->n];
    memset(ev, 0, sizeof *ev);
    ev->thread = c->d->thread.thread;
    *out = ev;
    return 0;
}

static uint64_t of_process(const gl_ring_decoder *d, uint64_t g)
{
    return g ? g | (uint64_t)d->thread.process << 48 : 0;
}

static int thread_argument(cursor *c, uint64_t *v)
{
    gl_session_thread named = {GL_NO_THREAD, 0};
    gl_session_owner owner = {c->d->pid, (uint32_t)*v, 0, c->d->ring};
    int status = *v == 0 || *v >= GL_NO_THREAD ? 0 : c->sink->on_thread(c->sink->user, &owner, &named);
    *v = named.thread;
    return status;
}

/** From the ring's way of saying it to the trace's. */
static int translate(cursor *c, unsigned kind, uint64_t *v)
{
    gl_ring_decoder *d = c->d;
    switch (kind) {
    case GL_KIND_GOROUTINE: *v = of_process(d, *v); return 0;
    case GL_KIND_CHAN: d->chan = *v; return 0;
    case GL_KIND_STRING:
        if (*v > d->texts)
            return GL_E_CORRUPT;
        *v = *v ? d->text[*v - 1] : 0;
        return 0;
    case GL_KIND_STACK:
        if (*v > d->stacks)
            return GL_E_CORRUPT;
        *v = *v ? d->stack[*v - 1] : 0;
        return 0;
    case GL_KIND_THREAD: return thread_argument(c, v);
    default: return 0;
    }
}

static int arguments(cursor *c, gl_event *ev, const form *f, bool wide)
{
    const uint8_t *at = c->at;
    for (unsigned i = 0; i < f->count; i++) {
        uint64_t v = wide ? load8(at + 8 * i) : load8(at + f->at[i]) & f->mask[i];
        if (REFERS(f->kind[i])) {
            if (f->kind[i] == GL_KIND_CHAN && !wide)
                v = c->d->chan + (uint64_t)(int64_t)(int32_t)v;
            int status = translate(c, f->kind[i], &v);
            if (status < 0)
                return status;
        }
        ev->arg[i] = v;
    }
    c->at = at + (wide ? 8u * f->count : f->bytes);
    return 0;
}

/** From code on: an event in either form, whatever it refers to. */
static int event(cursor *c, const uint8_t *record, bool wide)
{
    gl_ring_decoder *d = c->d;
    unsigned byte = *c->at, code = byte & (GL_EV_LIMIT - 1);
    const form *f = &forms[code];
    gl_event *ev;
    int status = f->known ? new_event(c, &ev) : GL_E_CORRUPT;
    if (status < 0)
        return status;
    d->last += wide ? load8(c->at + 1) : load2(c->at + 1);
    c->at += wide ? 9 : 3;
    ev->time = time_of(c, d->last);
    ev->type = (uint16_t)code;
    ev->g = of_process(d, d->g);
    ev->p = d->p;
    /* The thread's context is made from the first argument as it stands here, before it is translated. */
    (void)gl_ring_effect(code, wide ? load8(c->at) : load8(c->at) & f->mask[0], &d->g, &d->p);
    status = arguments(c, ev, f, wide);
    uint64_t stack = 0;
    if (byte & GL_RING_HAS_STACK) {
        stack = load2(c->at);
        c->at += 2;
    }
    if (status >= 0 && stack)
        status = translate(c, GL_KIND_STACK, &stack);
    if (status < 0)
        return status;
    ev->stack = (uint32_t)stack;
    if (overrun(c))
        return GL_E_CORRUPT;
    c->n += !muted(c, record);
    return 0;
}

/** True where it is known; *to is the trace's id of it. */
static inline bool look_up(const uint32_t *table, uint32_t n, uint64_t number, uint32_t *to)
{
    if (number > n)
        return false;
    *to = number ? table[number - 1] : 0;
    return true;
}

/** Where the fields behind the arguments lie: they are written two at a time. */
_Static_assert(offsetof(gl_event, p) == offsetof(gl_event, thread) + 4 && offsetof(gl_event, type) == offsetof(gl_event, stack) + 4 &&
                   offsetof(gl_event, flags) == offsetof(gl_event, stack) + 6, "four fields in a row");

/** Events in their common form, as many as follow each other and nothing is to be asked for. The first that is not so, or
    makes no sense, is left to event(). */
static void plain_events(cursor *c)
{
    gl_ring_decoder *d = c->d;
    if (!d->thread_known || muted(c, c->at))
        return;
    gl_clock_segment line;
    const uint64_t span = gl_clock_map_find(c->clock, d->last, &line), process = (uint64_t)d->thread.process << 48;
    const uint8_t *at = c->at, *end = c->end;
    uint64_t since = d->last - line.ticks, chan = d->chan, g = d->g, context = of_process(d, g);
    uint32_t p = d->p;
    gl_event *ev = c->event + c->n, *full = c->event + c->room;
    while (at < end && ev < full) {
        unsigned byte = *at, code = byte & (GL_EV_LIMIT - 1);
        const form *f = &forms[code];
        const uint8_t *args = at + 3, *next = at + lengths[byte];
        uint64_t now = since + load2(at + 1);
        if (next == at || next > end || now >= span)
            break;
        uint64_t first = load8(args) & f->mask[0], raw = first;
        uint32_t stack = 0, text;
        if ((byte & GL_RING_HAS_STACK) && !look_up(d->stack, d->stacks, load2(next - 2), &stack))
            break;
        if (f->text) {
            if (!look_up(d->text, d->texts, first, &text))
                break;
            first = text;
        }
        if (f->chan)
            first = chan += (uint64_t)(int64_t)(int32_t)first;
        if (f->goroutine)
            first = first ? first | process : 0;
        since = now;
        ev->time = (int64_t)((uint64_t)line.ns + gl_clock_span_ns(&line, since));
        ev->g = context;
        ev->arg[0] = first;
        ev->arg[1] = load8(args + f->at[1]) & f->mask[1];
        ev->arg[2] = load8(args + f->at[2]) & f->mask[2];
        ev->arg[3] = load8(args + f->at[3]) & f->mask[3];
        ev->thread = d->thread.thread;
        ev->p = p;
        ev->stack = stack;
        ev->type = (uint16_t)code;
        ev->flags = 0;
        ev++;
        at = next;
        if (f->moves) {
            (void)gl_ring_effect(code, raw, &g, &p);
            context = of_process(d, g);
        }
    }
    c->at = at;
    c->n = (size_t)(ev - c->event);
    d->last = since + line.ticks;
    d->chan = chan;
    d->g = g;
    d->p = p;
}

static void context(cursor *c)
{
    c->d->g = get(c);
    c->d->p = (uint32_t)get(c) - 1;
}

static int lost(cursor *c, const uint8_t *record)
{
    gl_ring_decoder *d = c->d;
    uint64_t total = get(c), first = d->last + gl_ring_unzigzag(get(c)), until = first + get(c);
    context(c);
    if (overrun(c))
        return GL_E_CORRUPT;
    uint64_t before = d->lost_known ? d->lost_seen : 0;
    d->lost_seen = total > before ? total : before;
    d->lost_known = true;
    if (total <= before || muted(c, record))
        return 0;
    int status = flush(c);
    return status < 0 ? status : gl_ring_decode_lost(d, c->sink, total - before, 0, first, until, "no room in the ring");
}

static int owner(cursor *c)
{
    uint32_t pid = (uint32_t)get(c), tid = (uint32_t)get(c), turn = (uint32_t)get(c);
    context(c);
    if (overrun(c))
        return GL_E_CORRUPT;
    set_owner(c->d, pid, tid, turn);
    return 0;
}

static int text(cursor *c)
{
    uint64_t n = get(c);
    if (n > GL_RING_TEXT_MAX || overrun(c) || n > (uint64_t)(c->end - c->at))
        return GL_E_CORRUPT;
    uint32_t id = 0;
    int status = c->sink->on_text(c->sink->user, (const char *)c->at, (size_t)n, &id);
    c->at += n;
    return status < 0 ? status : remember(&c->d->text, &c->d->texts, &c->d->text_cap, id);
}

static int stack(cursor *c)
{
    uint64_t pcs[GL_RING_STACK_MAX], n = get(c), before = 0;
    if (n > GL_RING_STACK_MAX)
        return GL_E_CORRUPT;
    for (uint64_t i = 0; i < n && !overrun(c); i++)
        pcs[i] = before += gl_ring_unzigzag(get(c));
    if (overrun(c))
        return GL_E_CORRUPT;
    uint32_t id = 0;
    int status = c->sink->on_stack(c->sink->user, c->d->pid, pcs, (size_t)n, &id);
    return status < 0 ? status : remember(&c->d->stack, &c->d->stacks, &c->d->stack_cap, id);
}

static uint64_t block_end(const gl_ring_decoder *d)
{
    return (d->tail & ~(uint64_t)(GL_RING_BLOCK - 1)) + GL_RING_BLOCK;
}

static int jump(cursor *c)
{
    uint64_t to = load8(c->at);
    c->at += 8;
    if (overrun(c) || to % GL_RING_BLOCK || to < block_end(c->d) || to >= c->d->head)
        return GL_E_CORRUPT;
    c->next = to;
    return 0;
}

static int control(cursor *c, const uint8_t *record)
{
    c->at += 2;
    switch (record[1]) {
    case GL_RING_CONTEXT: context(c); return overrun(c) ? GL_E_CORRUPT : 0;
    case GL_RING_LOST: return lost(c, record);
    case GL_RING_OWNER: return owner(c);
    case GL_RING_TEXT: return text(c);
    case GL_RING_STACK: return stack(c);
    case GL_RING_GAP:
        c->d->last += load8(c->at);
        c->at += 8;
        return overrun(c) ? GL_E_CORRUPT : 0;
    case GL_RING_JUMP: return jump(c);
    case GL_RING_WIDE: return event(c, record, true);
    default: return GL_E_CORRUPT;
    }
}

static int block_header(cursor *c)
{
    gl_ring_decoder *d = c->d;
    gl_ring_block h;
    if (c->end - c->at < (ptrdiff_t)sizeof h)
        return GL_E_CORRUPT;
    memcpy(&h, c->at, sizeof h);
    if (h.position != d->tail)
        return GL_E_CORRUPT;
    c->at += sizeof h;
    set_owner(d, h.pid, h.tid, h.turn);
    d->last = h.ticks;
    d->chan = 0;
    d->g = h.g;
    d->p = h.p;
    d->texts = d->stacks = 0;
    if (!d->lost_known)
        d->lost_seen = h.lost;
    d->lost_known = d->in_block = true;
    return 0;
}

static int records(cursor *c)
{
    int status = 0;
    while (status >= 0 && c->at < c->end && !c->next && !c->enough) {
        if (c->n == c->room && ((status = make_room(c)) < 0 || c->enough))
            break;
        plain_events(c);
        const uint8_t *record = c->at;
        /* But for texts and stacks, what is longer than the slack has not been cut off. */
        if (record == c->end || (c->cut && c->end - record < GL_DECODE_SLACK))
            break;
        if (*record == GL_RING_END)
            c->next = block_end(c->d);
        else
            status = *record == GL_RING_CONTROL ? control(c, record) : event(c, record, false);
        if (status == GL_E_CORRUPT && c->cut) {
            c->at = record;
            return 0;
        }
    }
    return status;
}

int gl_ring_decode(gl_ring_decoder *d, const uint8_t *bytes, size_t n, bool cut, const gl_session_sink *sink)
{
    cursor c;
    begin(&c, d, sink, bytes, n);
    c.cut = cut;
    int status = 0;
    if (d->tail % GL_RING_BLOCK == 0) {
        d->in_block = false;
        status = block_header(&c);
    } else if (!d->in_block) {
        status = GL_E_CORRUPT;
    }
    if (status >= 0)
        status = records(&c);
    int delivered = flush(&c); /* also what came before a damage */
    if (delivered < 0)
        status = delivered;
    if (status < 0) {
        d->in_block = false;
        return status;
    }
    d->tail = c.next ? c.next : d->tail + (uint64_t)(c.at - c.start);
    return c.enough ? GL_DRAIN_ENOUGH : 0;
}

int gl_ring_decode_lost(gl_ring_decoder *d, const gl_session_sink *sink, uint64_t events, uint64_t bytes, uint64_t first,
                        uint64_t last, const char *why)
{
    cursor c;
    begin(&c, d, sink, NULL, 0);
    gl_event *ev;
    uint32_t id = 0;
    int status = new_event(&c, &ev);
    if (status >= 0)
        status = sink->on_text(sink->user, why, strlen(why), &id);
    if (status < 0)
        return status;
    ev->time = time_of(&c, first);
    ev->type = GL_EV_Lost;
    ev->g = of_process(d, d->g);
    ev->p = d->p;
    ev->arg[0] = events;
    ev->arg[1] = bytes;
    ev->arg[2] = (uint64_t)time_of(&c, last);
    ev->arg[3] = id;
    c.n = 1;
    return flush(&c);
}
