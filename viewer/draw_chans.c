/* Lanes of channels: how full each is as height, who waits for it as colour, its make and its close as marks. Unfolded,
 * the waiting senders and receivers have a row each. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "canvas.h"

/* What a channel's columns hold. */
typedef struct level {
    double fill, most;          /* mean and highest; below 0: not known, or not there */
    double senders, receivers;  /* mean number waiting */
    unsigned sends, recvs;      /* operations that ended there */
    bool refused;
} level;
#define COLUMNS_MAX 2048

static int first_column(const gl_canvas *f, int64_t t)
{
    int x = gl_scale_column(f->s, t);
    return x < 0 ? 0 : x;
}

/* Adds a level that lasts from begin to end to the means of the columns. */
static void add_level(const gl_canvas *f, level *out, int n, int64_t begin, int64_t end, double value, int which)
{
    double step = gl_scale_step(f->s);
    double from = begin <= f->s.from ? 0 : ((double)begin - (double)f->s.from) / step;
    double to = end >= f->s.to ? n : ((double)end - (double)f->s.from) / step;
    for (int x = (int)from; x < n && x < to; x++) {
        double part = (to < x + 1 ? to : x + 1) - (from > x ? from : x);
        if (which == 0) {
            out[x].fill = (out[x].fill < 0 ? 0 : out[x].fill) + part * value;
            out[x].most = value > out[x].most ? value : out[x].most;
        } else {
            *(which == GL_CHAN_SEND ? &out[x].senders : &out[x].receivers) += part * value;
        }
    }
}

static void levels_from_steps(const gl_canvas *f, const gl_chan *c, uint32_t chan, level *out, int n)
{
    size_t count;
    const gl_step *s = gl_steps_of(&f->w->steps, chan, &count);
    int64_t at = f->s.from > c->first ? f->s.from : c->first;
    int64_t end = f->s.to;
    /* Before the first step of the window it is as it was after the one before, which only the history knows. */
    double now = (double)gl_history_get(&c->fill, at, at + 1).mean;
    size_t i = 0;
    for (; i < count && s[i].time <= at; i++)
        now = s[i].len;
    if (i == 0 && count && (s[0].type == GL_EV_ChanSendBegin || s[0].type == GL_EV_ChanRecvBegin))
        now = s[0].len;
    for (; i < count && s[i].time < end; i++) {
        add_level(f, out, n, at, s[i].time, now, 0);
        at = s[i].time > at ? s[i].time : at;
        now = s[i].len;
        int x = first_column(f, s[i].time);
        if (x >= n)
            continue;
        bool ends = s[i].type == GL_EV_ChanSendEnd || s[i].type == GL_EV_ChanRecvEnd || s[i].type == GL_EV_ChanSelectEnd;
        if (ends && s[i].result == GL_CHAN_DONE)
            *(s[i].dir == GL_CHAN_SEND ? &out[x].sends : &out[x].recvs) += 1;
        out[x].refused = out[x].refused || s[i].result == GL_CHAN_WOULD_BLOCK || s[i].result == GL_CHAN_PANIC;
    }
    add_level(f, out, n, at, end, now, 0);
}

static void levels_from_afar(const gl_canvas *f, const gl_chan *c, level *out, int n)
{
    for (int x = first_column(f, c->first); x < n; x++) {
        int64_t from = gl_scale_time(f->s, x), to = gl_scale_time(f->s, x + 1);
        gl_history_bucket b = gl_history_get(&c->fill, from, to);
        out[x].fill = (double)b.mean;
        out[x].most = (double)b.most;
    }
}

/* Waits are kept one by one; what goes beyond them comes from the history. */
static void add_waits(const gl_canvas *f, const gl_chan *c, uint32_t chan, level *out, int n)
{
    const gl_model *m = f->a->m;
    const gl_chans *cs = &m->chans;
    if (cs->waits_beyond) {
        for (int x = first_column(f, c->first); x < n; x++) {
            int64_t from = gl_scale_time(f->s, x), to = gl_scale_time(f->s, x + 1);
            out[x].senders = (double)gl_history_get(&c->sending, from, to).mean;
            out[x].receivers = (double)gl_history_get(&c->receiving, from, to).mean;
        }
        return;
    }
    for (uint32_t i = c->first_wait; i != GL_NONE; i = cs->waits[i].next)
        if (cs->waits[i].end > f->s.from && cs->waits[i].begin < f->s.to)
            add_level(f, out, n, cs->waits[i].begin, cs->waits[i].end, 1, cs->waits[i].dir);
    if (c->senders + c->receivers == 0)
        return;
    for (size_t i = 0; i < m->life_count; i++) {
        const gl_chan_op *op = &m->lives[i].op;
        if (op->chan == chan && op->waits && op->since < f->s.to)
            add_level(f, out, n, op->since, m->read_end, 1, op->dir);
    }
}

static void find_levels(const gl_canvas *f, uint32_t chan, level *out, int n)
{
    const gl_chan *c = &f->a->m->chans.list[chan];
    for (int x = 0; x < n; x++)
        out[x] = (level){.fill = -1};
    if (c->first < f->s.to) {
        if (f->w)
            levels_from_steps(f, c, chan, out, n);
        else
            levels_from_afar(f, c, out, n);
        add_waits(f, c, chan, out, n);
    }
}

static gl_role role_of(const level *l)
{
    if (l->senders > 0 && l->senders >= l->receivers)
        return GL_ROLE_SEND;
    return l->receivers > 0 ? GL_ROLE_RECV : GL_ROLE_CHAN;
}

/* An unbuffered channel is never filled: it shows by height how many wait, and what was handed over. */
static void draw_fill(const gl_canvas *f, const gl_chan *c, const level *l, int x, int y)
{
    gl_role role = role_of(l);
    double waits = l->senders + l->receivers, share;
    if (l->fill < 0) {
        gl_canvas_bar(f, x, y, 0, role);
        return;
    }
    if (c->cap)
        share = l->fill / (double)c->cap;
    else
        share = waits / (double)(c->senders_most + c->receivers_most ? c->senders_most + c->receivers_most : 1);
    if (share > 0.0625 || waits > 0) {
        gl_canvas_bar(f, x, y, share > 0.125 ? share : 0.125, role);
        return;
    }
    gl_role band = gl_canvas_band(f, x);
    bool used = l->sends + l->recvs > 0 || l->most > 0;
    gl_cells_glyph(f->c, f->time.x + x, y, gl_style_on(used ? GL_ROLE_CHAN : GL_ROLE_FAINT, band), used ? "▁" : "─");
}

static void draw_marks(const gl_canvas *f, const gl_chan *c, int y)
{
    int made = gl_scale_column(f->s, c->first), closed = c->closed == GL_TIME_NONE ? -1 : gl_scale_column(f->s, c->closed);
    gl_style style = gl_style_bold(gl_style_of(GL_ROLE_TITLE));
    if (c->made && made >= 0 && made < f->s.n)
        gl_cells_glyph(f->c, f->time.x + made, y, style, "◆");
    if (closed >= 0 && closed < f->s.n)
        gl_cells_glyph(f->c, f->time.x + closed, y, gl_style_bold(gl_style_of(GL_ROLE_PANIC)), "✕");
}

static void draw_chan(const gl_canvas *f, uint32_t chan, int y)
{
    const gl_app *a = f->a;
    const gl_chan *c = &a->m->chans.list[chan];
    level l[COLUMNS_MAX];
    int n = f->s.n < COLUMNS_MAX ? f->s.n : COLUMNS_MAX;
    char name[160], value[48], t[GL_UNIT_TEXT_MAX];
    find_levels(f, chan, l, n);
    for (int x = 0; x < n; x++)
        draw_fill(f, c, &l[x], x, y);
    draw_marks(f, c, y);
    bool open = chan < a->chan_open_capacity && a->chan_open[chan];
    /* The front of addresses is the same in all of a program; the detail has the whole. */
    snprintf(name, sizeof name, "%s …%06llx [%llu] %s", open ? "▾" : "▸", (unsigned long long)c->id & 0xffffff,
             (unsigned long long)c->cap, a->layout.gutter >= 28 ? gl_model_text(a->m, c->elem) : "");
    *value = '\0';
    if (c->straddles)
        snprintf(value, sizeof value, "▓%u", c->straddles);
    else if (c->send_wait + c->recv_wait > 0)
        snprintf(value, sizeof value, "%s", gl_unit_ns(t, c->send_wait + c->recv_wait));
    gl_canvas_gutter(f, y, name, gl_style_of(GL_ROLE_TEXT), value, c->straddles ? GL_ROLE_STRADDLE : GL_ROLE_DIM);
}

/* Waiting senders, or receivers, as height; where nobody waited, a mark for each column with an operation. */
static void draw_side(const gl_canvas *f, uint32_t chan, bool senders, int y)
{
    const gl_chan *c = &f->a->m->chans.list[chan];
    level l[COLUMNS_MAX];
    int n = f->s.n < COLUMNS_MAX ? f->s.n : COLUMNS_MAX;
    uint32_t most = senders ? c->senders_most : c->receivers_most;
    char name[64], value[48], t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX];
    find_levels(f, chan, l, n);
    for (int x = 0; x < n; x++) {
        double waits = senders ? l[x].senders : l[x].receivers;
        gl_canvas_bar(f, x, y, waits / (most ? most : 1), senders ? GL_ROLE_SEND : GL_ROLE_RECV);
        if (waits <= 0 && (senders ? l[x].sends : l[x].recvs))
            gl_cells_glyph(f->c, f->time.x + x, y, gl_style_on(GL_ROLE_CHAN, gl_canvas_band(f, x)), "·");
    }
    snprintf(name, sizeof name, "    %s", senders ? "senders" : "receivers");
    int64_t wait = senders ? c->send_wait : c->recv_wait;
    snprintf(value, sizeof value, "%s, %s", gl_unit_count_short(u, (double)(senders ? c->sends : c->recvs)),
             gl_unit_ns(t, wait));
    gl_canvas_gutter(f, y, name, gl_style_of(GL_ROLE_DIM), value, GL_ROLE_DIM);
}

void gl_canvas_chan(const gl_canvas *f, gl_row row, int y)
{
    if (row.index >= f->a->m->chans.n)
        return;
    if (row.type == GL_ROW_CHAN)
        draw_chan(f, row.index, y);
    else
        draw_side(f, row.index, row.type == GL_ROW_CHAN_SENDERS, y);
}
