#include <stdlib.h>

#include "lanes/cursor.h"

int gl_cursor_open(gl_reader *r, unsigned columns, gl_cursor **out, gl_error *err)
{
    gl_cursor *c = calloc(1, sizeof *c);
    int rc = c ? ln_unpacker_init(&c->unpacker) : GL_E_NOMEM;
    if (rc == 0)
        rc = ln_unpacker_init(&c->side_unpacker);
    if (rc == 0 && !ln_dec_init(&c->dec))
        rc = GL_E_NOMEM;
    if (rc < 0) {
        gl_cursor_close(c);
        return gl_fail(err, (gl_status)rc, UINT64_MAX, "No memory for a cursor.");
    }
    c->reader = r;
    c->columns = columns & GL_COL_ALL;
    c->full_number = UINT64_MAX;
    *out = c;
    return 0;
}

void gl_cursor_close(gl_cursor *c)
{
    if (!c)
        return;
    ln_unpacker_free(&c->unpacker);
    ln_dec_free(&c->dec);
    ln_buf_free(&c->payload);
    ln_cursor_side_free(c);
    free(c);
}

/** A stretch that cannot be read shows as one event, so that nothing is missing silently. */
static void lost_event(gl_cursor *c, int64_t time, int64_t until, uint64_t events, uint64_t bytes)
{
    c->run[0] = (gl_event){.time = time,
                           .arg = {events, bytes, (uint64_t)until, 0},
                           .thread = GL_NO_THREAD,
                           .p = GL_NO_PROC,
                           .type = GL_EV_Lost,
                           .flags = GL_FLAG_INFERRED | GL_FLAG_RESYNC};
    c->dirty = true;
}

static int start_chunk(gl_cursor *c, const ln_row *row)
{
    ln_span spans[LN_S_LIMIT];
    int rc = ln_file_payload(c->reader, row, LN_EVENTS, &c->payload);
    if (rc == 0)
        rc = ln_unpack(&c->unpacker, c->payload.base, ln_buf_size(&c->payload), ln_dec_sections(c->columns), spans);
    if (rc == 0)
        rc = ln_dec_start(&c->dec, c->columns, row->count, spans);
    return rc;
}

static bool wanted(const gl_cursor *c, const ln_row *row)
{
    return !c->choosy || (row->aux[0] & c->want[0]) || (row->aux[1] & c->want[1]);
}

static int fail_read(const gl_cursor *c, int rc, gl_error *err)
{
    return gl_fail(err, (gl_status)rc, c->row.offset, "Cannot read events of %s at byte %llu: %s.", c->reader->path,
                   (unsigned long long)c->row.offset, gl_status_text(rc));
}

/** The chunk at hand could not be read (on): 0 with a Lost event in its stead, or a failure that concerns all chunks. */
static int give_up_chunk(gl_cursor *c, int rc, uint64_t events, size_t *n, gl_error *err)
{
    if (rc == GL_E_NOMEM || rc == GL_E_IO)
        return fail_read(c, rc, err);
    ln_file_damaged(c->reader);
    lost_event(c, c->row.a, c->row.b, events, c->row.stored);
    c->open = false;
    *n = 1;
    return 0;
}

/** Goes on to the next chunk that is wanted. *n = 1 where something is missing before it, or it could not be read. */
static int next_chunk(gl_cursor *c, size_t *n, gl_error *err)
{
    for (;;) {
        const ln_list *l = ln_index_list(&c->reader->index, LN_EVENTS, 0);
        if (!l || c->at >= l->n)
            return 0;
        int rc = ln_index_row(l, c->reader->fd, c->at, &c->row);
        if (rc < 0)
            return fail_read(c, rc, err);
        if (c->row.first > c->expected) {
            lost_event(c, c->row.a, c->row.a, c->row.first - c->expected, 0);
            c->expected = c->row.first;
            *n = 1;
            return 0;
        }
        c->at++;
        c->expected = c->row.first + c->row.count;
        if (!wanted(c, &c->row))
            continue;
        rc = start_chunk(c, &c->row);
        if (rc < 0)
            return give_up_chunk(c, rc, c->row.count, n, err);
        c->open = true;
        return 0;
    }
}

int gl_cursor_next(gl_cursor *c, const gl_event **events, size_t *n, gl_error *err)
{
    *n = 0;
    *events = c->run;
    if (c->dirty) { /* fields that runs of few columns leave alone must be zero again */
        memset(&c->run[0], 0, sizeof c->run[0]);
        c->dirty = false;
    }
    for (;;) {
        if (!c->open) {
            int rc = next_chunk(c, n, err);
            if (rc < 0 || *n || !c->open)
                return rc;
        }
        uint32_t left = c->dec.n - c->dec.at;
        int got = ln_dec_run(&c->dec, c->run);
        if (got < 0)
            return give_up_chunk(c, got, left, n, err);
        if (got > 0) {
            *n = (size_t)got;
            return 0;
        }
        c->open = false;
    }
}

int gl_cursor_want_types(gl_cursor *c, const uint16_t *types, size_t n)
{
    c->want[0] = c->want[1] = 0;
    c->choosy = n > 0;
    for (size_t i = 0; i < n; i++) {
        if (types[i] >= GL_EV_LIMIT)
            return GL_E_USAGE;
        c->want[types[i] / 64] |= UINT64_C(1) << types[i] % 64;
    }
    return 0;
}

void ln_cursor_place(gl_cursor *c, uint64_t chunk)
{
    c->at = chunk;
    c->expected = UINT64_MAX;
    c->open = false;
}

/** Places the cursor at the first chunk of events that reaches what is looked for: all after it do so, too. */
static int seek_chunk(gl_cursor *c, bool (*reaches)(const ln_row *, const void *), const void *what, gl_error *err)
{
    const ln_list *l = ln_index_list(&c->reader->index, LN_EVENTS, 0);
    uint64_t low = 0, high = l ? l->n : 0;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int rc = ln_index_row(l, c->reader->fd, middle, &c->row);
        if (rc < 0)
            return fail_read(c, rc, err);
        if (reaches(&c->row, what))
            high = middle;
        else
            low = middle + 1;
    }
    ln_cursor_place(c, low);
    return 0;
}

static bool reaches_time(const ln_row *row, const void *time) { return row->reach >= *(const int64_t *)time; }

static bool reaches_event(const ln_row *row, const void *event) { return row->first + row->count > *(const uint64_t *)event; }

int gl_cursor_seek(gl_cursor *c, int64_t time, gl_error *err) { return seek_chunk(c, reaches_time, &time, err); }

bool gl_cursor_position(const gl_cursor *c, uint64_t *event)
{
    const ln_list *l = ln_index_list(&c->reader->index, LN_EVENTS, 0);
    ln_row row;
    if (c->open) {
        *event = c->row.first + c->dec.at;
        return c->dec.at == c->dec.n;
    }
    *event = c->reader->info->events;
    if (l && c->at < l->n && ln_index_row(l, c->reader->fd, c->at, &row) == 0)
        *event = row.first;
    return true;
}

int gl_cursor_seek_event(gl_cursor *c, uint64_t event, gl_error *err) { return seek_chunk(c, reaches_event, &event, err); }
