#include "lanes/rows.h"

#include <stdlib.h>

/* Every table: the number of rows, then column by column; what grows or repeats is stored as steps. */

static void put_step(ln_buf *out, uint64_t *last, uint64_t value)
{
    ln_buf_num(out, ln_zigzag(value - *last));
    *last = value;
}

static uint64_t get_step(ln_in *in, uint64_t *last)
{
    return *last += ln_unzigzag(ln_num_get(in));
}

/** The number of rows: every row takes at least a byte. */
static int get_count(ln_in *in, uint64_t *rows)
{
    *rows = ln_num_get(in);
    return in->bad || *rows > (uint64_t)(in->end - in->p) ? GL_E_CORRUPT : 0;
}

#define ROW_BEFORE 1u
#define ROW_ALIVE 2u

void ln_goroutines_put(const ln_ended *rows, size_t n, uint64_t number, ln_buf *out)
{
    uint64_t g = 0, stack = 0, creator = 0;
    ln_buf_num(out, n);
    for (size_t i = 0; i < n; i++)
        ln_buf_u8(out, (uint8_t)((rows[i].before ? ROW_BEFORE : 0) | (rows[i].last_chunk == GL_STILL_ALIVE ? ROW_ALIVE : 0)));
    for (size_t i = 0; i < n; i++)
        put_step(out, &g, rows[i].g);
    for (size_t i = 0; i < n; i++)
        put_step(out, &stack, rows[i].start_stack);
    for (size_t i = 0; i < n; i++)
        put_step(out, &creator, rows[i].creator);
    for (size_t i = 0; i < n; i++)
        ln_buf_num(out, number - rows[i].first_chunk);
    for (size_t i = 0; i < n; i++)
        ln_buf_num(out, rows[i].last_chunk == GL_STILL_ALIVE ? 0 : number - rows[i].last_chunk);
}

int ln_goroutines_get(const uint8_t *bytes, size_t n, uint64_t number, gl_goroutine_info **out, size_t *capacity,
                      size_t *count)
{
    ln_in in = {bytes, bytes + n, false};
    const uint8_t *flags;
    uint64_t rows, g = 0, stack = 0, creator = 0;
    *count = 0;
    int rc = get_count(&in, &rows);
    if (rc < 0)
        return rc;
    gl_goroutine_info *r = ln_grow(*out, capacity, rows, sizeof *r);
    if (!r)
        return GL_E_NOMEM;
    *out = r;
    if (!ln_in_bytes(&in, (size_t)rows, &flags))
        return GL_E_CORRUPT;
    for (size_t i = 0; i < rows; i++)
        r[i] = (gl_goroutine_info){.g = get_step(&in, &g), .before = flags[i] & ROW_BEFORE};
    for (size_t i = 0; i < rows; i++)
        r[i].start_stack = (uint32_t)get_step(&in, &stack);
    for (size_t i = 0; i < rows; i++)
        r[i].creator = get_step(&in, &creator);
    for (size_t i = 0; i < rows; i++)
        r[i].first_chunk = number - ln_num_get(&in);
    for (size_t i = 0; i < rows; i++) {
        uint64_t back = ln_num_get(&in);
        r[i].last_chunk = flags[i] & ROW_ALIVE ? GL_STILL_ALIVE : number - back;
    }
    *count = (size_t)rows;
    return in.bad ? GL_E_CORRUPT : 0;
}

void ln_channels_put(const gl_channel_info *rows, size_t n, ln_buf *out)
{
    uint64_t chan = 0, g = 0, made = 0, type = 0, stack = 0;
    ln_buf_num(out, n);
    for (size_t i = 0; i < n; i++)
        put_step(out, &chan, rows[i].chan);
    for (size_t i = 0; i < n; i++)
        ln_buf_num(out, rows[i].cap);
    for (size_t i = 0; i < n; i++)
        put_step(out, &g, rows[i].g);
    for (size_t i = 0; i < n; i++)
        put_step(out, &made, (uint64_t)rows[i].made);
    for (size_t i = 0; i < n; i++)
        put_step(out, &type, rows[i].elem_type);
    for (size_t i = 0; i < n; i++)
        put_step(out, &stack, rows[i].stack);
}

int ln_channels_get(const uint8_t *bytes, size_t n, gl_channel_info **out, size_t *capacity, size_t *count)
{
    ln_in in = {bytes, bytes + n, false};
    uint64_t rows, chan = 0, g = 0, made = 0, type = 0, stack = 0;
    *count = 0;
    int rc = get_count(&in, &rows);
    if (rc < 0)
        return rc;
    gl_channel_info *r = ln_grow(*out, capacity, rows, sizeof *r);
    if (!r)
        return GL_E_NOMEM;
    *out = r;
    for (size_t i = 0; i < rows; i++)
        r[i] = (gl_channel_info){.chan = get_step(&in, &chan)};
    for (size_t i = 0; i < rows; i++)
        r[i].cap = ln_num_get(&in);
    for (size_t i = 0; i < rows; i++)
        r[i].g = get_step(&in, &g);
    for (size_t i = 0; i < rows; i++)
        r[i].made = (int64_t)get_step(&in, &made);
    for (size_t i = 0; i < rows; i++)
        r[i].elem_type = (uint32_t)get_step(&in, &type);
    for (size_t i = 0; i < rows; i++)
        r[i].stack = (uint32_t)get_step(&in, &stack);
    *count = (size_t)rows;
    return in.bad ? GL_E_CORRUPT : 0;
}

void ln_processes_put(const gl_process_info *rows, size_t n, ln_buf *out)
{
    ln_buf_num(out, n);
    for (size_t i = 0; i < n; i++) {
        ln_buf_num(out, rows[i].index);
        ln_buf_num(out, rows[i].pid);
        ln_buf_num(out, rows[i].name);
        ln_buf_num(out, rows[i].go_version);
        ln_buf_num(out, rows[i].parent);
    }
}

int ln_processes_get(const uint8_t *bytes, size_t n, gl_process_info **out, size_t *capacity, size_t *count)
{
    ln_in in = {bytes, bytes + n, false};
    uint64_t rows;
    *count = 0;
    int rc = get_count(&in, &rows);
    if (rc < 0)
        return rc;
    gl_process_info *r = ln_grow(*out, capacity, rows, sizeof *r);
    if (!r)
        return GL_E_NOMEM;
    *out = r;
    for (size_t i = 0; i < rows; i++) {
        gl_process_info *p = &r[i];
        *p = (gl_process_info){.index = (uint32_t)ln_num_get(&in)};
        p->pid = ln_num_get(&in);
        p->name = (uint32_t)ln_num_get(&in);
        p->go_version = (uint32_t)ln_num_get(&in);
        p->parent = ln_num_get(&in);
    }
    *count = (size_t)rows;
    return in.bad ? GL_E_CORRUPT : 0;
}
