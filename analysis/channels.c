#include "channels.h"
#include "sites.h"

#include <stdlib.h>
#include <string.h>

static uint64_t waited(const gl_channel *c)
{
    return c->end[GL_CHANNEL_SEND].wait.total_ns + c->end[GL_CHANNEL_RECV].wait.total_ns;
}

static int more_waiting(const void *a, const void *b)
{
    const gl_channel *x = a, *y = b;
    if (waited(x) != waited(y))
        return waited(x) > waited(y) ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->chan != y->chan)
        return x->chan < y->chan ? -1 : 1;
    return x->life < y->life ? -1 : x->life > y->life;
}

/* --- operations in progress --- */

static int begin_operation(gl_channels *x, uint64_t g, const gl_channel_operation *op)
{
    uint32_t at = gl_map_get(&x->operation_of, g);
    if (at == GL_NONE32) {
        if (x->free_operation_count) {
            at = x->free_operations[--x->free_operation_count];
        } else {
            at = (uint32_t)x->operation_count;
            if (GL_GROW(x->operations, x->operation_capacity, x->operation_count + 1) < 0 ||
                GL_GROW(x->free_operations, x->free_operation_capacity, x->operation_count + 1) < 0)
                return GL_E_NOMEM;
            x->operation_count++;
        }
        int status = gl_map_put(&x->operation_of, g, at);
        if (status < 0)
            return status;
    }
    x->operations[at] = (gl_open_operation){g, *op, true};
    return 0;
}

/* Takes it off; false where there was none (its begin is not in the trace). */
static bool end_operation(gl_channels *x, uint64_t g, gl_channel_operation *op)
{
    uint32_t at = gl_map_get(&x->operation_of, g);
    if (at == GL_NONE32)
        return false;
    *op = x->operations[at].op;
    x->operations[at].used = false;
    x->free_operations[x->free_operation_count++] = at;
    gl_map_remove(&x->operation_of, g);
    return true;
}

bool gl_channels_operation_of(const gl_channels *x, uint64_t g, gl_channel_operation *out)
{
    uint32_t at = gl_map_get(&x->operation_of, g);
    if (at == GL_NONE32)
        return false;
    *out = x->operations[at].op;
    return true;
}

uint64_t gl_channels_waiting(const gl_channels *x, uint64_t chan, unsigned end)
{
    uint64_t n = 0;
    for (size_t i = 0; i < x->operation_count; i++) {
        const gl_open_operation *o = &x->operations[i];
        n += o->used && !o->op.select && o->op.chan == chan && o->op.end == end;
    }
    return n;
}

const gl_channel *gl_channels_find(const gl_channels *x, uint64_t chan)
{
    uint32_t at = gl_map_get(&x->live_of, chan);
    return at == GL_NONE32 ? NULL : &x->live[at].figures;
}

/* --- events --- */

/* `for range` and `v, ok := <-c` ask whether the channel is closed. */
static bool asks_for_close(const gl_channels *x, uint32_t stack) { return gl_stack_enters(x->dict, stack, "runtime.chanrecv2"); }

/* A recorder that keeps no stack of an operation keeps that of its wait. */
static int take_wait(gl_channels *x, const gl_event *ev)
{
    gl_live_channel *c;
    uint32_t at = ev->stack && x->operation_of.count ? gl_map_get(&x->operation_of, ev->g) : GL_NONE32;
    if (at == GL_NONE32 || x->operations[at].op.stack)
        return 0;
    gl_channel_operation *op = &x->operations[at].op;
    op->stack = ev->stack;
    if (op->select || op->end != GL_CHANNEL_RECV || !asks_for_close(x, ev->stack))
        return 0;
    int status = gl_channel_meet(x, op->chan, op->begin, &c);
    if (status == 0)
        c->figures.asked_for_close = true;
    return status;
}

static int take_begin(gl_channels *x, const gl_event *ev)
{
    gl_live_channel *c;
    bool recv = ev->type == GL_EV_ChanRecvBegin;
    int status = gl_channel_meet(x, ev->arg[0], ev->time, &c);
    if (status < 0)
        return status;
    if (!c->figures.cap_known && ev->arg[0]) {
        c->figures.cap = ev->arg[2];
        c->figures.cap_known = true;
    }
    gl_channel_fill(c, ev->time, ev->arg[1]);
    c->figures.asked_for_close |= recv && asks_for_close(x, ev->stack);
    gl_channel_operation op = {
        .chan = ev->arg[0], .end = recv ? GL_CHANNEL_RECV : GL_CHANNEL_SEND, .begin = ev->time, .stack = ev->stack};
    return begin_operation(x, ev->g, &op);
}

static int take_result(gl_channels *x, const gl_event *ev, unsigned end, uint64_t len, uint64_t result,
                       const gl_channel_operation *op)
{
    gl_live_channel *c;
    int status = gl_channel_meet(x, ev->arg[0], ev->time, &c);
    if (status < 0)
        return status;
    gl_channel_end *e = &c->figures.end[end];
    gl_channel_fill(c, ev->time, len);
    e->would_block += result == GL_CHAN_WOULD_BLOCK;
    e->closed += result == GL_CHAN_CLOSED;
    e->panics += result == GL_CHAN_PANIC;
    x->result.operations++;
    if (result != GL_CHAN_DONE)
        return 0;
    return gl_channel_done(x, c, end, ev->g, op && ev->time > op->begin ? (uint64_t)(ev->time - op->begin) : 0);
}

static int take_end(gl_channels *x, const gl_event *ev)
{
    gl_channel_operation op;
    bool had = end_operation(x, ev->g, &op);
    unsigned end = ev->type == GL_EV_ChanRecvEnd ? GL_CHANNEL_RECV : GL_CHANNEL_SEND;
    return take_result(x, ev, end, ev->arg[1], ev->arg[2], had ? &op : NULL);
}

static int take_select_end(gl_channels *x, const gl_event *ev)
{
    gl_channel_operation op;
    bool had = end_operation(x, ev->g, &op);
    if (ev->arg[1] != GL_CHAN_SEND && ev->arg[1] != GL_CHAN_RECV)
        return 0;
    unsigned end = ev->arg[1] == GL_CHAN_RECV ? GL_CHANNEL_RECV : GL_CHANNEL_SEND;
    return take_result(x, ev, end, ev->arg[2], ev->arg[3], had ? &op : NULL);
}

static int take_close(gl_channels *x, const gl_event *ev)
{
    gl_live_channel *c;
    int status = gl_channel_meet(x, ev->arg[0], ev->time, &c);
    if (status < 0)
        return status;
    gl_channel_fill(c, ev->time, ev->arg[1]);
    x->result.operations++;
    if (ev->arg[2] == GL_CHAN_PANIC || c->figures.closed_at >= 0) {
        c->figures.closes_too_many++;
        return 0;
    }
    c->figures.closed_at = ev->time;
    c->figures.closed_by = ev->g;
    c->figures.closed_group = gl_summary_group_of(x->summary, ev->g);
    c->figures.closed_site = gl_summary_site_of(x->summary, ev->stack);
    return 0;
}

static int take_event(void *user, const gl_event *ev)
{
    gl_channels *x = user;
    if (ev->type < GL_EV_ChanMake || ev->type > GL_EV_ChanSelectEnd) {
        gl_channel_operation op;
        if (ev->type == GL_EV_GoEnd)
            end_operation(x, ev->g, &op);
        return ev->type == GL_EV_GoBlock ? take_wait(x, ev) : 0;
    }
    x->result.recorded = true;
    switch (ev->type) {
    case GL_EV_ChanMake: return gl_channel_make(x, ev);
    case GL_EV_ChanSendBegin:
    case GL_EV_ChanRecvBegin: return take_begin(x, ev);
    case GL_EV_ChanSendEnd:
    case GL_EV_ChanRecvEnd: return take_end(x, ev);
    case GL_EV_ChanSelectBegin:
        return begin_operation(x, ev->g,
                               &(gl_channel_operation){.select = true, .begin = ev->time, .stack = ev->stack});
    case GL_EV_ChanSelectEnd: return take_select_end(x, ev);
    case GL_EV_ChanClose: return take_close(x, ev);
    default: return 0;
    }
}

static int take_span(void *user, const gl_span *s) { return gl_rendezvous_take(user, s); }

gl_channels *gl_channels_new(gl_summary *s, const gl_dict *dict, const gl_channels_options *opt)
{
    gl_channels *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->summary = s;
    x->dict = dict;
    x->worst = (gl_keep){.most = opt->keep, .bytes = sizeof(gl_channel), .better = more_waiting};
    gl_watcher w = {.user = x, .on_event = take_event, .on_span = take_span};
    if (gl_summary_watch(s, &w) == 0)
        return x;
    gl_channels_destroy(x);
    return NULL;
}

/* --- the end --- */

static int by_waiting(const void *a, const void *b)
{
    const gl_channel_group *x = a, *y = b;
    uint64_t left = x->wait[0].total_ns + x->wait[1].total_ns, right = y->wait[0].total_ns + y->wait[1].total_ns;
    if (left != right)
        return left > right ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    if (x->site.func != y->site.func)
        return x->site.func < y->site.func ? -1 : 1;
    return x->site.line < y->site.line ? -1 : x->site.line > y->site.line;
}

static int finish_groups(gl_channels *x)
{
    x->group_list = calloc(x->group_count + 1, sizeof *x->group_list);
    if (!x->group_list)
        return GL_E_NOMEM;
    for (size_t i = 0; i < x->group_count; i++) {
        for (unsigned k = 0; k < GL_CHANNEL_ENDS; k++)
            x->groups[i].figures.wait[k] = gl_sample_spread(&x->groups[i].wait[k]);
        x->group_list[i] = x->groups[i].figures;
    }
    qsort(x->group_list, x->group_count, sizeof *x->group_list, by_waiting);
    x->result.groups = x->group_list;
    x->result.group_count = x->group_count;
    return 0;
}

int gl_channels_finish(gl_channels *x, int64_t end_ns, const gl_channels_result **out)
{
    *out = &x->result;
    if (x->finished)
        return 0;
    x->finished = true;
    for (size_t i = 0; i < x->operation_count; i++) {
        gl_live_channel *c;
        const gl_open_operation *o = &x->operations[i];
        if (!o->used || o->op.select)
            continue;
        int status = gl_channel_meet(x, o->op.chan, o->op.begin, &c);
        if (status < 0)
            return status;
        c->figures.end[o->op.end].waiting++;
    }
    int status = gl_channels_leave(x, end_ns);
    if (status == 0)
        status = finish_groups(x);
    gl_keep_sort(&x->worst);
    gl_rendezvous_finish(x);
    x->result.channels = (const gl_channel *)(const void *)x->worst.list;
    x->result.channel_count = x->worst.count;
    return status;
}

void gl_channels_destroy(gl_channels *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->live_count; i++) {
        for (unsigned k = 0; x->live[i].wait && k < GL_CHANNEL_ENDS; k++)
            gl_sample_clean_up(&x->live[i].wait[k]);
        free(x->live[i].wait);
    }
    for (size_t i = 0; i < x->group_count; i++) {
        for (unsigned k = 0; k < GL_CHANNEL_ENDS; k++)
            gl_sample_clean_up(&x->groups[i].wait[k]);
    }
    free(x->live);
    free(x->free_live);
    free(x->operations);
    free(x->free_operations);
    free(x->groups);
    free(x->group_list);
    free(x->rendezvous);
    gl_map_clean_up(&x->live_of);
    gl_map_clean_up(&x->operation_of);
    gl_map_clean_up(&x->group_of);
    gl_map_clean_up(&x->rendezvous_of);
    gl_keep_clean_up(&x->worst);
    free(x);
}
