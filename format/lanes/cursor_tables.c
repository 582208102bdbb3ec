/* What a cursor reads beside events: keyframes and table rows. */
#include <stdlib.h>

#include "lanes/cursor.h"
#include "lanes/keyframe.h"
#include "lanes/rows.h"

static int fail_side(const gl_cursor *c, int rc, const char *what, gl_error *err)
{
    return gl_fail(err, (gl_status)rc, UINT64_MAX, "Cannot read the %s of %s: %s.", what, c->reader->path,
                   gl_status_text(rc));
}

/** The rows section of a chunk. */
static int side_rows(gl_cursor *c, const ln_row *row, unsigned kind, ln_span *out)
{
    ln_span spans[LN_S_LIMIT];
    int rc = ln_file_payload(c->reader, row, kind, &c->side);
    if (rc == 0)
        rc = ln_unpack(&c->side_unpacker, c->side.base, ln_buf_size(&c->side), 1u << LN_S_ROWS, spans);
    if (rc == 0 && !spans[LN_S_ROWS].bytes)
        rc = GL_E_CORRUPT;
    if (rc == 0)
        *out = spans[LN_S_ROWS];
    return rc;
}

/** How many rows of a list have a number at or below `number`. */
static int rows_up_to(const gl_reader *r, const ln_list *l, uint64_t number, uint64_t *n)
{
    uint64_t low = 0, high = l ? l->n : 0;
    ln_row row;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int rc = ln_index_row(l, r->fd, middle, &row);
        if (rc < 0)
            return rc;
        if (row.number <= number)
            low = middle + 1;
        else
            high = middle;
    }
    *n = low;
    return 0;
}

/** Loads the full keyframe of a chunk number into the cursor, unless it is there. */
static int load_full(gl_cursor *c, const ln_list *l, uint64_t number)
{
    uint64_t n;
    ln_row row;
    ln_span span;
    if (c->full_number == number && c->full)
        return 0;
    c->full_number = UINT64_MAX;
    int rc = rows_up_to(c->reader, l, number, &n);
    if (rc == 0)
        rc = n ? ln_index_row(l, c->reader->fd, n - 1, &row) : GL_E_NOT_FOUND;
    if (rc == 0 && (row.number != number || row.first != number))
        rc = GL_E_CORRUPT;
    if (rc == 0)
        rc = side_rows(c, &row, LN_KEYFRAME, &span);
    if (rc == 0)
        rc = ln_keyframe_get(span.bytes, span.n, NULL, 0, &c->full, &c->full_capacity, &c->full_n);
    if (rc == 0)
        c->full_number = number;
    return rc;
}

static int load_keyframe(gl_cursor *c, const ln_list *l, const ln_row *row)
{
    ln_span span;
    bool light = row->first != row->number;
    int rc = light ? load_full(c, l, row->first) : 0;
    if (rc == 0)
        rc = side_rows(c, row, LN_KEYFRAME, &span);
    if (rc == 0)
        rc = ln_keyframe_get(span.bytes, span.n, light ? c->full : NULL, light ? c->full_n : 0, &c->keyframe,
                             &c->keyframe_capacity, &c->keyframe_n);
    return rc;
}

/** Puts the cursor at the event chunk of that number, or the next that there is. */
static int place_at(gl_cursor *c, uint64_t number)
{
    const ln_list *l = ln_index_list(&c->reader->index, LN_EVENTS, 0);
    uint64_t n = 0;
    int rc = number ? rows_up_to(c->reader, l, number - 1, &n) : 0;
    if (rc == 0)
        ln_cursor_place(c, n);
    return rc;
}

/** How many keyframes stand before a first event at or before `time` (on the clock that never steps back). */
static int keyframes_up_to(const gl_reader *r, const ln_list *l, int64_t time, uint64_t *n)
{
    uint64_t low = 0, high = l ? l->n : 0;
    ln_row row;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int rc = ln_index_row(l, r->fd, middle, &row);
        if (rc < 0)
            return rc;
        if (row.reach <= time)
            low = middle + 1;
        else
            high = middle;
    }
    *n = low;
    return 0;
}

int gl_cursor_keyframe(gl_cursor *c, int64_t time, const gl_goroutine_at **out, size_t *n, gl_error *err)
{
    const ln_list *l = ln_index_list(&c->reader->index, LN_KEYFRAME, 0);
    uint64_t rows = 0;
    int rc = keyframes_up_to(c->reader, l, time, &rows);
    for (; rc == 0 && rows > 0; rows--) { /* a damaged one falls back to the one before */
        ln_row row;
        rc = ln_index_row(l, c->reader->fd, rows - 1, &row);
        if (rc == 0)
            rc = load_keyframe(c, l, &row);
        if (rc == 0)
            rc = place_at(c, row.number);
        if (rc == 0) {
            *out = c->keyframe;
            *n = c->keyframe_n;
            return 0;
        }
        if (rc == GL_E_NOMEM || rc == GL_E_IO)
            break;
        ln_file_damaged(c->reader);
        rc = 0;
    }
    if (rc < 0)
        return fail_side(c, rc, "keyframe", err);
    *out = c->keyframe; /* before the first event nobody is known to live */
    *n = 0;
    ln_cursor_place(c, 0);
    c->expected = 0;
    return 0;
}

uint64_t gl_reader_goroutine_blocks(const gl_reader *r)
{
    const ln_list *l = ln_index_list(&r->index, LN_GOROUTINES, 0);
    return l ? l->n : 0;
}

uint64_t gl_reader_channel_blocks(const gl_reader *r)
{
    const ln_list *l = ln_index_list(&r->index, LN_CHANNELS, 0);
    return l ? l->n : 0;
}

static int block(gl_cursor *c, unsigned kind, uint64_t i, ln_row *row, ln_span *span)
{
    const ln_list *l = ln_index_list(&c->reader->index, kind, 0);
    int rc = l ? ln_index_row(l, c->reader->fd, i, row) : GL_E_NOT_FOUND;
    if (rc == 0)
        rc = side_rows(c, row, kind, span);
    if (rc == GL_E_CORRUPT)
        ln_file_damaged(c->reader);
    return rc;
}

static int goroutines(gl_cursor *c, uint64_t i)
{
    ln_row row;
    ln_span span;
    int rc = block(c, LN_GOROUTINES, i, &row, &span);
    if (rc == 0)
        rc = ln_goroutines_get(span.bytes, span.n, row.number, &c->goroutines, &c->goroutines_capacity, &c->goroutines_n);
    return rc;
}

int gl_cursor_goroutines(gl_cursor *c, uint64_t i, const gl_goroutine_info **out, size_t *n, gl_error *err)
{
    int rc = goroutines(c, i);
    *out = c->goroutines;
    *n = c->goroutines_n;
    return rc < 0 ? fail_side(c, rc, "goroutine table", err) : 0;
}

int gl_cursor_goroutine(gl_cursor *c, uint64_t g, gl_goroutine_info *out, gl_error *err)
{
    const ln_list *l = ln_index_list(&c->reader->index, LN_GOROUTINES, 0);
    for (uint64_t i = 0; l && i < l->n; i++) {
        ln_row row;
        int rc = ln_index_row(l, c->reader->fd, i, &row);
        if (rc == 0 && (g < (uint64_t)row.a || g > (uint64_t)row.b))
            continue;
        if (rc == 0)
            rc = goroutines(c, i);
        if (rc == GL_E_NOMEM || rc == GL_E_IO)
            return fail_side(c, rc, "goroutine table", err);
        for (size_t k = 0; rc == 0 && k < c->goroutines_n; k++)
            if (c->goroutines[k].g == g) {
                *out = c->goroutines[k];
                return 0;
            }
    }
    return GL_E_NOT_FOUND;
}

int gl_cursor_channels(gl_cursor *c, uint64_t i, const gl_channel_info **out, size_t *n, gl_error *err)
{
    ln_row row;
    ln_span span;
    int rc = block(c, LN_CHANNELS, i, &row, &span);
    if (rc == 0)
        rc = ln_channels_get(span.bytes, span.n, &c->channels, &c->channels_capacity, n);
    *out = c->channels;
    return rc < 0 ? fail_side(c, rc, "channel table", err) : 0;
}

int gl_cursor_process(gl_cursor *c, uint32_t i, gl_process_info *out, gl_error *err)
{
    const ln_list *l = ln_index_list(&c->reader->index, LN_PROCESSES, 0);
    uint64_t before = 0;
    for (uint64_t k = 0; l && k < l->n; k++) {
        ln_row row;
        ln_span span;
        gl_process_info *rows = NULL;
        size_t capacity = 0, n = 0;
        int rc = block(c, LN_PROCESSES, k, &row, &span);
        if (rc == 0)
            rc = ln_processes_get(span.bytes, span.n, &rows, &capacity, &n);
        if (rc == 0 && i - before < n)
            *out = rows[i - before];
        free(rows);
        if (rc < 0)
            return fail_side(c, rc, "process table", err);
        if (i - before < n)
            return 0;
        before += n;
    }
    return GL_E_NOT_FOUND;
}

void ln_cursor_side_free(gl_cursor *c)
{
    ln_buf_free(&c->side);
    ln_unpacker_free(&c->side_unpacker);
    free(c->lanes);
    free(c->full);
    free(c->keyframe);
    free(c->goroutines);
    free(c->channels);
}
