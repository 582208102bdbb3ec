#include "chans.h"

#include <stdlib.h>
#include <string.h>

void gl_chans_clean_up(gl_chans *cs)
{
    for (size_t i = 0; i < cs->n; i++) {
        gl_history_clean_up(&cs->list[i].fill);
        gl_history_clean_up(&cs->list[i].sending);
        gl_history_clean_up(&cs->list[i].receiving);
    }
    free(cs->list);
    free(cs->waits);
    gl_ids_clean_up(&cs->by_id);
    memset(cs, 0, sizeof *cs);
}

uint32_t gl_chans_find(const gl_chans *cs, uint64_t id) { return id ? gl_ids_get(&cs->by_id, id) : GL_NONE; }

uint32_t gl_chans_at(const gl_chans *cs, uint64_t id, int64_t time)
{
    uint32_t at = gl_chans_find(cs, id);
    while (at != GL_NONE && cs->list[at].first > time && cs->list[at].older != GL_NONE)
        at = cs->list[at].older;
    return at;
}

static int add(gl_chans *cs, uint64_t id, int64_t time, uint32_t *out)
{
    uint32_t older = gl_chans_find(cs, id);
    if (cs->n >= GL_NONE - 1 || GL_ROOM(cs->list, cs->capacity, cs->n) < 0 ||
        gl_ids_put(&cs->by_id, id, (uint32_t)cs->n) < 0)
        return GL_E_NOMEM;
    cs->list[cs->n] = (gl_chan){.id = id, .first = time, .closed = GL_TIME_NONE, .older = older,
                                .first_wait = GL_NONE, .last_wait = GL_NONE};
    *out = (uint32_t)cs->n++;
    return 0;
}

static int find_or_add(gl_chans *cs, uint64_t id, int64_t time, uint32_t *out)
{
    *out = gl_chans_find(cs, id);
    return *out == GL_NONE && id ? add(cs, id, time, out) : 0;
}

static int set_fill(gl_chans *cs, uint32_t at, int64_t time, uint64_t len)
{
    gl_chan *c = &cs->list[at];
    c->len = len;
    return at < GL_CHANS_DRAWN_MAX ? gl_history_set(&c->fill, GL_HISTORY_FEW, time, (double)len) : 0;
}

static int set_waiting(gl_chans *cs, uint32_t at, int64_t time)
{
    gl_chan *c = &cs->list[at];
    c->senders_most = c->senders > c->senders_most ? c->senders : c->senders_most;
    c->receivers_most = c->receivers > c->receivers_most ? c->receivers : c->receivers_most;
    if (at >= GL_CHANS_DRAWN_MAX)
        return 0;
    int status = gl_history_set(&c->sending, GL_HISTORY_FEW, time, c->senders);
    return status < 0 ? status : gl_history_set(&c->receiving, GL_HISTORY_FEW, time, c->receivers);
}

static int keep_wait(gl_chans *cs, const gl_chan_op *op, int64_t end)
{
    if (cs->wait_count >= GL_CHAN_WAITS_MAX) {
        cs->waits_beyond++;
        return 0;
    }
    if (GL_ROOM(cs->waits, cs->wait_capacity, cs->wait_count) < 0)
        return GL_E_NOMEM;
    uint32_t at = (uint32_t)cs->wait_count++;
    gl_chan *c = &cs->list[op->chan];
    cs->waits[at] = (gl_chan_wait){op->since, end, op->gor, GL_NONE, op->dir};
    *(c->last_wait == GL_NONE ? &c->first_wait : &cs->waits[c->last_wait].next) = at;
    c->last_wait = at;
    return 0;
}

int gl_chans_wait(gl_chans *cs, gl_chan_op *op, int64_t time, bool waits)
{
    if (op->select && op->waits != waits) {
        op->waits = waits;
        *(waits ? &op->since : &op->until) = time;
        return 0;
    }
    if (op->chan >= cs->n || op->dir == GL_CHAN_DEFAULT || op->waits == waits)
        return 0;
    gl_chan *c = &cs->list[op->chan];
    bool sends = op->dir == GL_CHAN_SEND;
    uint32_t *n = sends ? &c->senders : &c->receivers;
    op->waits = waits;
    *n += waits ? 1u : *n ? -1u : 0;
    if (waits) {
        op->since = time;
    } else if (time > op->since && keep_wait(cs, op, time) < 0) {
        return GL_E_NOMEM;
    }
    return set_waiting(cs, op->chan, time);
}

static int begin_op(gl_chans *cs, const gl_event *ev, gl_chan_op *op, uint8_t dir)
{
    uint32_t at;
    int status = find_or_add(cs, ev->arg[0], ev->time, &at);
    if (status < 0 || at == GL_NONE)
        return status;
    op->chan = at;
    op->last = at + 1;
    op->dir = dir;
    op->waits = op->select = false;
    op->open = true;
    op->begin = ev->time;
    cs->list[at].cap = ev->arg[2];
    return set_fill(cs, at, ev->time, ev->arg[1]);
}

static int end_op(gl_chans *cs, uint64_t id, uint64_t len, unsigned result, uint8_t dir, int64_t time, gl_chan_op *op)
{
    uint32_t at;
    int status = gl_chans_wait(cs, op, time, false);
    gl_chan_op was = *op;
    op->chan = GL_NONE;
    op->open = op->select = false;
    op->until = 0;
    if (status == 0)
        status = find_or_add(cs, id, time, &at);
    if (status < 0 || at == GL_NONE || dir == GL_CHAN_DEFAULT)
        return status;
    op->last = at + 1;
    gl_chan *c = &cs->list[at];
    if (result == GL_CHAN_DONE) {
        *(dir == GL_CHAN_SEND ? &c->sends : &c->recvs) += 1;
        *(dir == GL_CHAN_SEND ? &c->send_wait : &c->recv_wait) += was.open && time > was.begin ? time - was.begin : 0;
    } else {
        c->refused++;
    }
    /* A select turns out to have waited for this channel. */
    was.chan = at;
    was.dir = dir;
    if (was.select && was.until > was.since && keep_wait(cs, &was, was.until) < 0)
        return GL_E_NOMEM;
    return set_fill(cs, at, time, len);
}

static int take_make(gl_chans *cs, const gl_event *ev)
{
    uint32_t at = gl_chans_find(cs, ev->arg[0]);
    /* Nobody makes a channel twice: what had this address was collected. */
    int status = at == GL_NONE || cs->list[at].made || cs->list[at].first < ev->time ? add(cs, ev->arg[0], ev->time, &at)
                                                                                     : 0;
    if (status < 0)
        return status;
    gl_chan *c = &cs->list[at];
    c->cap = ev->arg[1];
    c->elem = (uint32_t)ev->arg[2];
    c->maker = ev->g;
    c->stack = ev->stack;
    c->made = true;
    return set_fill(cs, at, ev->time, 0);
}

static int take_close(gl_chans *cs, const gl_event *ev)
{
    uint32_t at;
    int status = find_or_add(cs, ev->arg[0], ev->time, &at);
    if (status < 0 || at == GL_NONE || ev->arg[2] == GL_CHAN_PANIC)
        return status;
    gl_chan *c = &cs->list[at];
    c->closed = ev->time;
    c->closer = ev->g;
    c->close_stack = ev->stack;
    return set_fill(cs, at, ev->time, ev->arg[1]);
}

int gl_chans_take(gl_chans *cs, const gl_event *ev, gl_chan_op *op)
{
    switch (ev->type) {
    case GL_EV_ChanMake: return ev->arg[0] ? take_make(cs, ev) : 0;
    case GL_EV_ChanSendBegin: return begin_op(cs, ev, op, GL_CHAN_SEND);
    case GL_EV_ChanRecvBegin: return begin_op(cs, ev, op, GL_CHAN_RECV);
    case GL_EV_ChanSendEnd:
        return end_op(cs, ev->arg[0], ev->arg[1], (unsigned)ev->arg[2], GL_CHAN_SEND, ev->time, op);
    case GL_EV_ChanRecvEnd:
        return end_op(cs, ev->arg[0], ev->arg[1], (unsigned)ev->arg[2], GL_CHAN_RECV, ev->time, op);
    case GL_EV_ChanSelectBegin:
        op->chan = GL_NONE;
        op->dir = GL_CHAN_DEFAULT;
        op->open = op->select = true;
        op->waits = false;
        op->begin = ev->time;
        op->until = 0;
        return 0;
    case GL_EV_ChanSelectEnd:
        return end_op(cs, ev->arg[0], ev->arg[2], (unsigned)ev->arg[3], (uint8_t)ev->arg[1], ev->time, op);
    case GL_EV_ChanClose: return take_close(cs, ev);
    default: return 0;
    }
}
