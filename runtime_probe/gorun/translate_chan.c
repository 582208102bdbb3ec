/*
 * Operations on channels. Begin and end are paired by the goroutine. What the end's record does not know (the channel,
 * where the goroutine parked meanwhile) the begin has said; the fill is then what it was at the hand-over: a parked
 * receiver was given its value past an empty buffer, a parked sender's went into the place that was just emptied.
 */
#include <stdlib.h>
#include <string.h>

#include "translate_internal.h"

static gl_patch_g *goroutine(const gl_turn *x)
{
    if (x->g == 0)
        return &x->thread->itself;
    gl_patch_g *g = gl_patch_gs_get(&x->t->gs, x->g);
    if (!g)
        x->t->status = GL_E_NOMEM;
    return g;
}

void gl_turn_chan_begin(const gl_turn *x)
{
    gl_patch_g *g = goroutine(x);
    if (!g)
        return;
    bool send = x->r->type == GL_PATCH_SEND;
    uint32_t cap = x->r->a | (uint32_t)x->r->b << 8 | (uint32_t)x->r->c << 16;
    gl_event *ev = gl_turn_event(x, send ? GL_EV_ChanSendBegin : GL_EV_ChanRecvBegin, x->g);
    ev->arg[0] = x->r->arg;
    ev->arg[1] = x->r->aux;
    ev->arg[2] = cap;
    g->op = x->r->type;
    g->chan = x->r->arg;
    g->cap = cap;
    g->parked = false;
}

static gl_event *end_with(const gl_turn *x, gl_patch_g *g, gl_event_type type, gl_chan_result result)
{
    bool told = x->r->type != GL_PATCH_PANIC && x->r->arg != 0;
    gl_event *ev = gl_turn_event(x, type, x->g);
    ev->arg[0] = told ? x->r->arg : g->chan;
    if (told && !g->parked)
        ev->arg[1] = x->r->aux;
    else if (g->parked && type == GL_EV_ChanSendEnd && result == GL_CHAN_DONE)
        ev->arg[1] = g->cap;
    ev->arg[2] = result;
    g->op = 0;
    return ev;
}

/** An end whose begin lies before the trace, or was lost, is none. */
static gl_patch_g *open_operation(const gl_turn *x, gl_patch_type type)
{
    gl_patch_g *g = goroutine(x);
    return g && g->op == type ? g : NULL;
}

void gl_turn_send_end(const gl_turn *x)
{
    gl_patch_g *g = open_operation(x, GL_PATCH_SEND);
    if (g)
        end_with(x, g, GL_EV_ChanSendEnd, x->r->a ? GL_CHAN_DONE : GL_CHAN_WOULD_BLOCK);
}

void gl_turn_recv_end(const gl_turn *x)
{
    gl_patch_g *g = open_operation(x, GL_PATCH_RECV);
    if (!g)
        return;
    gl_event *ev = end_with(x, g, GL_EV_ChanRecvEnd, !x->r->a ? GL_CHAN_WOULD_BLOCK : x->r->b ? GL_CHAN_DONE : GL_CHAN_CLOSED);
    if (x->r->c) /* the function had no result to tell it */
        ev->flags |= GL_FLAG_INFERRED;
}

void gl_turn_close(const gl_turn *x)
{
    gl_patch_g *g = goroutine(x);
    if (!g)
        return;
    uint32_t stack = gl_translate_stack_id(x->t, x->more[0]);
    gl_event *ev = gl_turn_event(x, GL_EV_ChanClose, x->g);
    ev->arg[0] = x->r->arg;
    ev->arg[1] = x->r->aux;
    ev->arg[2] = x->r->a ? GL_CHAN_PANIC : GL_CHAN_DONE;
    ev->stack = stack;
    g->closed = x->r->arg;
}

void gl_turn_select(const gl_turn *x)
{
    gl_patch_g *g = goroutine(x);
    if (!g)
        return;
    g->sends = x->r->aux & 0xffff;
    g->receives = x->r->aux >> 16;
    g->op = GL_PATCH_SELECT;
    g->parked = false;
    if (!g->cases)
        g->cases = malloc(GL_PATCH_SELECT_CASES * sizeof *g->cases);
    if (g->cases) {
        size_t units = (size_t)(x->r->g >> GL_PATCH_EXTRA_SHIFT);
        memset(g->cases, 0, GL_PATCH_SELECT_CASES * sizeof *g->cases);
        memcpy(g->cases, x->more, units * GL_PATCH_UNIT);
    }
    gl_event *ev = gl_turn_event(x, GL_EV_ChanSelectBegin, x->g);
    ev->arg[0] = g->sends;
    ev->arg[1] = g->receives;
    ev->arg[2] = x->r->a == 0;
}

void gl_turn_select_end(const gl_turn *x)
{
    gl_patch_g *g = open_operation(x, GL_PATCH_SELECT);
    if (!g)
        return;
    uint32_t chosen = x->r->b | (uint32_t)x->r->c << 8;
    gl_event *ev = gl_turn_event(x, GL_EV_ChanSelectEnd, x->g);
    g->op = 0;
    if (chosen == 0xffff) {
        ev->arg[3] = GL_CHAN_WOULD_BLOCK;
        return;
    }
    bool send = chosen < g->sends;
    ev->arg[0] = x->r->arg ? x->r->arg : chosen < GL_PATCH_SELECT_CASES && g->cases ? g->cases[chosen] : 0;
    ev->arg[1] = send ? GL_CHAN_SEND : GL_CHAN_RECV;
    ev->arg[2] = g->parked ? 0 : x->r->aux;
    ev->arg[3] = send || x->r->a ? GL_CHAN_DONE : GL_CHAN_CLOSED;
}

void gl_turn_make(const gl_turn *x)
{
    char name[256];
    const gl_translated *of = &x->t->of;
    bool named = gl_goprog_type_name(of->prog, x->more[2] - of->bias, name, sizeof name);
    uint32_t type = named ? gl_translate_text(x->t, name, strlen(name)) : x->t->empty_text;
    gl_event *ev = gl_turn_event(x, GL_EV_ChanMake, x->g);
    ev->arg[0] = x->r->arg;
    ev->arg[1] = x->more[1];
    ev->arg[2] = type;
    ev->stack = gl_translate_stack_id(x->t, x->more[0]);
}

/* Failures */

static bool says(const gl_turn *x, const char *what)
{
    return x->r->aux == strlen(what) && memcmp(x->more + 4, what, x->r->aux) == 0;
}

/** The channel that a panic is about: that of the operation it ends. */
static uint64_t end_of_operation(const gl_turn *x)
{
    gl_patch_g *g = goroutine(x);
    if (!g)
        return 0;
    if (says(x, "send on closed channel") && g->op == GL_PATCH_SEND) {
        end_with(x, g, GL_EV_ChanSendEnd, GL_CHAN_PANIC);
        return g->chan;
    }
    if (says(x, "send on closed channel") && g->op == GL_PATCH_SELECT) {
        g->op = 0;
        gl_event *ev = gl_turn_event(x, GL_EV_ChanSelectEnd, x->g);
        ev->arg[0] = g->sends == 1 && g->cases ? g->cases[0] : 0; /* of several sends it is not said which */
        ev->arg[1] = GL_CHAN_SEND;
        ev->arg[3] = GL_CHAN_PANIC;
        return ev->arg[0];
    }
    return says(x, "close of closed channel") ? g->closed : 0;
}

void gl_turn_failure(const gl_turn *x)
{
    static const char fatal[] = "fatal error: ";
    char text[sizeof fatal + GL_PATCH_TEXT];
    size_t n = x->r->aux < GL_PATCH_TEXT ? x->r->aux : GL_PATCH_TEXT, at = 0;
    uint64_t chan = 0;
    if (x->r->type == GL_PATCH_PANIC) {
        chan = end_of_operation(x);
    } else {
        at = sizeof fatal - 1;
        memcpy(text, fatal, at);
    }
    memcpy(text + at, x->more + 4, n);
    at += n;
    if (n == 0 && x->r->type == GL_PATCH_PANIC) {
        memcpy(text, "of type ", 8);
        at = gl_goprog_type_name(x->t->of.prog, x->r->arg - x->t->of.bias, text + 8, sizeof text - 8) ? strlen(text) : 0;
    }
    uint32_t message = gl_translate_text(x->t, text, at);
    uint32_t stack = gl_translate_stack_id(x->t, x->more[0]);
    gl_event *ev = gl_turn_event(x, GL_EV_Panic, x->g);
    ev->arg[0] = message;
    ev->arg[1] = chan;
    ev->stack = stack;
}
