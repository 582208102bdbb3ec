#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "translate.h"

bool gl_record_queue_room(gl_record_queue *q, size_t bytes)
{
    if (q->from == q->to)
        q->from = q->ready = q->to = 0;
    if (q->to + bytes <= q->room)
        return true;
    if (q->from > 0) {
        memmove(q->bytes, q->bytes + q->from, q->to - q->from);
        q->to -= q->from;
        q->ready -= q->from;
        q->from = 0;
    }
    if (q->to + bytes <= q->room)
        return true;
    size_t room = q->room ? q->room : 65536;
    while (room < q->to + bytes)
        room *= 2;
    uint8_t *more = realloc(q->bytes, room);
    if (!more)
        return false;
    q->bytes = more;
    q->room = room;
    return true;
}

/* Times */

static bool is_begin(const gl_patch_record *r)
{
    return r->type == GL_PATCH_SEND || r->type == GL_PATCH_RECV;
}

static bool is_end(const gl_patch_record *r)
{
    return r->type == GL_PATCH_SEND_END || r->type == GL_PATCH_RECV_END || r->type == GL_PATCH_SELECT_END;
}

/** Those that wait have this time. */
static void settle_at(gl_record_queue *q, uint64_t ticks)
{
    while (q->ready < q->to) {
        gl_patch_record *r = (gl_patch_record *)(void *)(q->bytes + q->ready);
        if (r->ticks == 0)
            r->ticks = ticks;
        q->ready += gl_record_units(r) * (size_t)GL_PATCH_UNIT;
    }
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void gl_record_queue_settle(gl_record_queue *q, uint64_t passed)
{
    settle_at(q, later(q->last, passed));
}

bool gl_record_queue_put(gl_record_queue *q, const gl_patch_record *r, size_t bytes, uint64_t passed, uint64_t latest)
{
    bool own = r->ticks != 0;
    if (own ? r->ticks < q->last || r->ticks > latest : !is_begin(r) && !is_end(r))
        return false;
    gl_patch_record *put = (gl_patch_record *)(void *)(q->bytes + q->to);
    memcpy(put, r, bytes);
    q->to += bytes;
    if (!own && is_begin(r))
        return true;
    if (own)
        q->last = r->ticks;
    else /* the record before may have been handed on, and later ones of other threads */
        put->ticks = later(q->last, passed);
    settle_at(q, put->ticks);
    return true;
}

/* Handing on */

const gl_patch_record *gl_record_queue_next(const gl_record_queue *q)
{
    return q->from < q->ready ? (const gl_patch_record *)(const void *)(q->bytes + q->from) : NULL;
}

void gl_record_queue_taken(gl_record_queue *q, size_t bytes)
{
    q->from += bytes;
}

bool gl_record_queue_waits(const gl_record_queue *q)
{
    return q->ready < q->to;
}

size_t gl_record_queue_bytes(const gl_record_queue *q)
{
    return q->to - q->from;
}

void gl_record_queue_free(gl_record_queue *q)
{
    free(q->bytes);
    *q = (gl_record_queue){0};
}
