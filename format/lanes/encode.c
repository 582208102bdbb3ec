#include "lanes/encode.h"

#include <stdlib.h>

#include "lanes/layout.h"

/** Of a type that is not in the vocabulary everything is kept. */
static void shape_of(unsigned code, ln_shape *s)
{
    *s = ln_vocabulary[code];
    if (gl_event_lookup(code))
        return;
    *s = (ln_shape){.arg_count = GL_EVENT_ARGS_MAX, .has_stack = true};
    memset(s->kinds, GL_KIND_NUMBER, sizeof s->kinds);
}

bool ln_enc_init(ln_enc *e)
{
    memset(e, 0, sizeof *e);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        shape_of(code, &e->shapes[code]);
    if (!ln_model_init(&e->model)) {
        ln_enc_free(e);
        return false;
    }
    ln_enc_start(e);
    return true;
}

/** Runs fn on every column of the encoder. */
static void each_col(ln_enc *e, void (*fn)(ln_col *))
{
    ln_col *plain[] = {&e->p, &e->g, &e->stack, &e->flags};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        fn(plain[i]);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        for (unsigned i = 0; i < GL_EVENT_ARGS_MAX; i++)
            fn(&e->args[code][i]);
}

void ln_enc_free(ln_enc *e)
{
    each_col(e, ln_col_free);
    ln_model_free(&e->model);
}

void ln_enc_start(ln_enc *e)
{
    each_col(e, ln_col_start);
    memset(e->counts, 0, sizeof e->counts);
    e->n = e->stacks = 0;
    ln_model_start(&e->model);
}

void ln_enc_p(ln_enc *e, ln_lane *l, uint32_t p, uint32_t at)
{
    ln_col_miss(&e->p, at, ln_zigzag((uint32_t)(p + 1)));
    l->p = p;
}

void ln_enc_g(ln_enc *e, ln_lane *l, uint64_t g, uint32_t at)
{
    ln_col_miss(&e->g, at, ln_zigzag(g - l->g));
    l->g = g;
    l->gi = ln_gmap_touch(&e->model.map, g);
    if (l->gi == UINT32_MAX) {
        e->no_memory = true;
        l->gi = 0;
    }
}

void ln_enc_args(ln_enc *e, const gl_event *ev, unsigned type, unsigned i, uint32_t at)
{
    const ln_shape *s = &e->shapes[type];
    for (; i < s->arg_count; i++)
        ln_enc_arg(e, ev, type, s, i, at);
}

static void put_shape(const ln_enc *e, const ln_spool *spool, uint64_t unit, ln_buf *out)
{
    unsigned kinds = 0;
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        kinds += e->counts[code] > 0;
    ln_buf_num(out, unit);
    ln_buf_num(out, kinds);
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        if (e->counts[code]) {
            const ln_shape *s = &e->shapes[code];
            ln_buf_u8(out, (uint8_t)code);
            ln_buf_num(out, e->counts[code]);
            ln_buf_u8(out, (uint8_t)(s->arg_count | (s->has_stack ? LN_SHAPE_STACK : 0)));
            ln_buf_bytes(out, s->kinds, s->arg_count);
        }
    ln_buf_num(out, spool->threads.n);
    for (uint32_t k = 0; k < spool->threads.n; k++) {
        ln_buf_num(out, spool->threads.thread[k]);
        ln_buf_num(out, spool->reels[k].n);
        ln_buf_num(out, ln_buf_size(&spool->reels[k].more));
        ln_buf_u64(out, (uint64_t)spool->reels[k].first);
    }
}

/** Streams of one section: their number, their lengths, then their bytes. */
static void put_streams(ln_buf *out, ln_buf *const *streams, size_t n)
{
    ln_buf_num(out, n);
    for (size_t i = 0; i < n; i++)
        ln_buf_num(out, ln_buf_size(streams[i]));
    for (size_t i = 0; i < n; i++) {
        ln_buf_bytes(out, streams[i]->base, ln_buf_size(streams[i]));
        out->failed |= streams[i]->failed;
    }
}

#define STREAMS_MAX (2u * GL_EV_LIMIT * GL_EVENT_ARGS_MAX + 8u)

static size_t add_col(ln_buf **streams, size_t n, ln_col *c)
{
    streams[n] = &c->gaps;
    streams[n + 1] = &c->values;
    return n + 2;
}

/** Columns of the arguments that lie in the context section, or of those that do not, in order of code and place. */
static size_t add_args(ln_enc *e, ln_buf **streams, size_t n, bool context)
{
    for (unsigned code = 0; code < GL_EV_LIMIT; code++)
        for (unsigned i = 0; e->counts[code] && i < e->shapes[code].arg_count; i++)
            if ((ln_context_args[code] >> i & 1) == context)
                n = add_col(streams, n, &e->args[code][i]);
    return n;
}

bool ln_enc_finish(ln_enc *e, ln_spool *spool, ln_buf sections[LN_S_ARGS + 1])
{
    uint64_t unit;
    for (unsigned i = LN_S_SHAPE; i <= LN_S_ARGS; i++)
        ln_buf_clear(&sections[i]);
    if (!ln_spool_finish(spool, &unit, &sections[LN_S_TYPES], &sections[LN_S_TIMES]))
        return false;
    put_shape(e, spool, unit, &sections[LN_S_SHAPE]);
    ln_buf *streams[STREAMS_MAX];
    size_t n = add_col(streams, 0, &e->p);
    n = add_col(streams, n, &e->g);
    put_streams(&sections[LN_S_CONTEXT], streams, add_args(e, streams, n, true));
    put_streams(&sections[LN_S_STACKS], streams, add_col(streams, 0, &e->stack));
    n = add_col(streams, 0, &e->flags);
    put_streams(&sections[LN_S_ARGS], streams, add_args(e, streams, n, false));
    bool ok = !e->no_memory;
    for (unsigned i = LN_S_SHAPE; i <= LN_S_ARGS; i++)
        ok = ok && !sections[i].failed;
    return ok;
}
