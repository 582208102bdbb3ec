#include "lanes/dictchunk.h"

#include <stdio.h>

#include "src/dict_lock.h"

/*
 * One section: for each table in turn its first id, the number of entries, and the entries. Numbers that grow or stay
 * near each other are stored as zigzag differences to the entry before.
 */

#define TEXT_BYTES_ONCE ((size_t)16 << 20)
#define STACK_FRAMES_ONCE ((size_t)4 << 20)
#define ENTRIES_ONCE (UINT32_C(1) << 20)

ln_dict_mark ln_dict_reach(const gl_dict *d)
{
    uint32_t n[5];
    gl_dict_counts(d, n);
    return (ln_dict_mark){n[0], n[1], n[2], n[3], n[4]};
}

bool ln_dict_grew(const ln_dict_mark *reach, const ln_dict_mark *m)
{
    return reach->strings > m->strings || reach->funcs > m->funcs || reach->frames > m->frames ||
           reach->stacks > m->stacks || reach->threads > m->threads;
}

static uint32_t put_range(ln_buf *out, uint32_t from, uint32_t to)
{
    if (to - from > ENTRIES_ONCE)
        to = from + ENTRIES_ONCE;
    ln_buf_num(out, from);
    ln_buf_num(out, to - from);
    return to;
}

static void put_step(ln_buf *out, uint64_t *last, uint64_t value)
{
    ln_buf_num(out, ln_zigzag(value - *last));
    *last = value;
}

static uint32_t put_strings(const gl_dict *d, uint32_t from, uint32_t end, ln_buf *out)
{
    uint32_t to = from;
    size_t total = 0, n;
    while (to < end && to - from < ENTRIES_ONCE && total < TEXT_BYTES_ONCE) {
        gl_dict_text(d, to++, &n);
        total += n;
    }
    put_range(out, from, to);
    for (uint32_t id = from; id < to; id++) {
        gl_dict_text(d, id, &n);
        ln_buf_num(out, n);
    }
    for (uint32_t id = from; id < to; id++) {
        const char *text = gl_dict_text(d, id, &n);
        ln_buf_bytes(out, text, n);
    }
    return to;
}

static uint32_t put_funcs(const gl_dict *d, uint32_t from, uint32_t end, ln_buf *out)
{
    uint32_t to = put_range(out, from, end);
    uint64_t name = 0, file = 0;
    for (uint32_t id = from; id < to; id++)
        put_step(out, &name, gl_dict_get_func(d, id).name);
    for (uint32_t id = from; id < to; id++)
        put_step(out, &file, gl_dict_get_func(d, id).file);
    return to;
}

static uint32_t put_frames(const gl_dict *d, uint32_t from, uint32_t end, ln_buf *out)
{
    uint32_t to = put_range(out, from, end);
    uint64_t func = 0, line = 0, pc = 0;
    for (uint32_t id = from; id < to; id++)
        put_step(out, &func, gl_dict_get_frame(d, id).func);
    for (uint32_t id = from; id < to; id++)
        put_step(out, &line, gl_dict_get_frame(d, id).line);
    for (uint32_t id = from; id < to; id++)
        put_step(out, &pc, gl_dict_get_frame(d, id).pc);
    return to;
}

static uint32_t put_stacks(const gl_dict *d, uint32_t from, uint32_t end, ln_buf *out)
{
    uint32_t to = from;
    size_t total = 0, n;
    while (to < end && to - from < ENTRIES_ONCE && total < STACK_FRAMES_ONCE) {
        gl_dict_get_stack(d, to++, &n);
        total += n;
    }
    put_range(out, from, to);
    for (uint32_t id = from; id < to; id++) {
        gl_dict_get_stack(d, id, &n);
        ln_buf_num(out, n);
    }
    uint64_t last = 0;
    for (uint32_t id = from; id < to; id++) {
        const uint32_t *frames = gl_dict_get_stack(d, id, &n);
        for (size_t i = n; i-- > 0;) /* from the root: stacks share their outer frames */
            put_step(out, &last, frames[i]);
    }
    return to;
}

static uint32_t put_threads(const gl_dict *d, uint32_t from, uint32_t end, ln_buf *out)
{
    uint32_t to = put_range(out, from, end);
    uint64_t tid = 0, process = 0, name = 0;
    for (uint32_t id = from; id < to; id++) {
        gl_thread_info t = gl_dict_get_thread(d, id);
        put_step(out, &tid, t.tid);
        put_step(out, &process, t.process);
        put_step(out, &name, t.name);
    }
    return to;
}

void ln_dict_put(const gl_dict *d, const ln_dict_mark *reach, ln_dict_mark *m, ln_buf *out)
{
    m->strings = put_strings(d, m->strings, reach->strings, out);
    m->funcs = put_funcs(d, m->funcs, reach->funcs, out);
    m->frames = put_frames(d, m->frames, reach->frames, out);
    m->stacks = put_stacks(d, m->stacks, reach->stacks, out);
    m->threads = put_threads(d, m->threads, reach->threads, out);
}

typedef struct range {
    uint32_t first, count;
} range;

/** An entry takes at least one byte, so that a count can't make us loop far past the section's end. */
static bool get_range(ln_in *in, range *r)
{
    uint64_t first = ln_num_get(in), count = ln_num_get(in);
    if (in->bad || first > UINT32_MAX || count > LN_TABLE_ENTRIES_MAX || count > (uint64_t)(in->end - in->p) ||
        first + count > UINT32_MAX)
        return false;
    *r = (range){(uint32_t)first, (uint32_t)count};
    return true;
}

static uint64_t get_step(ln_in *in, uint64_t *last)
{
    return *last += ln_unzigzag(ln_num_get(in));
}

/* Stand-ins for lost entries: contents that nothing else has, as a dictionary holds each content once. */
#define LOST_BIT UINT32_C(0x80000000)

static int fill_strings(gl_dict *d, uint32_t to)
{
    for (uint32_t id = gl_dict_string_count(d), got; id < to; id++) {
        char text[40];
        int n = snprintf(text, sizeof text, "(lost string %u)", id);
        int rc = gl_dict_string(d, text, (size_t)n, &got);
        if (rc < 0)
            return rc;
        if (got != id)
            return GL_E_CORRUPT;
    }
    return 0;
}

static int fill_funcs(gl_dict *d, uint32_t to)
{
    for (uint32_t id = gl_dict_func_count(d), got; id < to; id++)
        if (gl_dict_func(d, (gl_func){.file = id | LOST_BIT}, &got) < 0)
            return GL_E_NOMEM;
    return 0;
}

static int fill_frames(gl_dict *d, uint32_t to)
{
    for (uint32_t id = gl_dict_frame_count(d), got; id < to; id++)
        if (gl_dict_frame(d, (gl_frame){.line = id | LOST_BIT}, &got) < 0)
            return GL_E_NOMEM;
    return 0;
}

static int fill_stacks(gl_dict *d, uint32_t to)
{
    for (uint32_t id = gl_dict_stack_count(d), got; id < to; id++)
        if (gl_dict_stack(d, &(uint32_t){id | LOST_BIT}, 1, &got) < 0)
            return GL_E_NOMEM;
    return 0;
}

static int fill_threads(gl_dict *d, uint32_t to)
{
    for (uint32_t id = gl_dict_thread_count(d), got; id < to; id++)
        if (gl_dict_thread(d, (gl_thread_info){.tid = UINT64_MAX - id}, &got) < 0)
            return GL_E_NOMEM;
    return 0;
}

/** Makes the table `count` entries long before a range that starts at r.first is added. */
static int line_up(gl_dict *d, range r, uint32_t count, uint64_t *spare, int (*fill)(gl_dict *, uint32_t))
{
    if (r.count == 0 || r.first == count)
        return 0;
    if (r.first < count || r.first - count > *spare)
        return GL_E_CORRUPT;
    *spare -= r.first - count;
    return fill(d, r.first);
}

static int get_strings(gl_dict *d, ln_in *in, uint64_t *spare)
{
    range r;
    if (!get_range(in, &r))
        return GL_E_CORRUPT;
    int rc = line_up(d, r, gl_dict_string_count(d), spare, fill_strings);
    ln_in lengths = *in;
    for (uint32_t i = 0; i < r.count; i++)
        if (ln_num_get(in) > LN_STRING_MAX)
            return GL_E_LIMIT;
    for (uint32_t i = 0; i < r.count && rc == 0 && !in->bad; i++) {
        uint32_t id;
        const uint8_t *text;
        size_t n = (size_t)ln_num_get(&lengths);
        if (!ln_in_bytes(in, n, &text))
            return GL_E_CORRUPT;
        rc = gl_dict_string(d, (const char *)text, n, &id);
        if (rc == 0 && id != r.first + i)
            rc = GL_E_CORRUPT;
    }
    return rc;
}

static int get_funcs(gl_dict *d, ln_in *in, uint64_t *spare)
{
    range r;
    if (!get_range(in, &r))
        return GL_E_CORRUPT;
    int rc = line_up(d, r, gl_dict_func_count(d), spare, fill_funcs);
    ln_in files = *in;
    uint64_t name = 0, file = 0;
    for (uint32_t i = 0; i < r.count; i++)
        ln_num_get(&files);
    for (uint32_t i = 0; i < r.count && rc == 0; i++) {
        uint32_t id;
        gl_func f = {.name = (uint32_t)get_step(in, &name), .file = (uint32_t)get_step(&files, &file)};
        rc = gl_dict_func(d, f, &id);
        if (rc == 0 && id != r.first + i)
            rc = GL_E_CORRUPT;
    }
    if (r.count)
        *in = files;
    return rc;
}

static int get_frames(gl_dict *d, ln_in *in, uint64_t *spare)
{
    range r;
    if (!get_range(in, &r))
        return GL_E_CORRUPT;
    int rc = line_up(d, r, gl_dict_frame_count(d), spare, fill_frames);
    ln_in lines = *in;
    uint64_t func = 0, line = 0, pc = 0;
    for (uint32_t i = 0; i < r.count; i++)
        ln_num_get(&lines);
    ln_in pcs = lines;
    for (uint32_t i = 0; i < r.count; i++)
        ln_num_get(&pcs);
    for (uint32_t i = 0; i < r.count && rc == 0; i++) {
        uint32_t id;
        gl_frame f = {.func = (uint32_t)get_step(in, &func), .line = (uint32_t)get_step(&lines, &line)};
        f.pc = get_step(&pcs, &pc);
        rc = gl_dict_frame(d, f, &id);
        if (rc == 0 && id != r.first + i)
            rc = GL_E_CORRUPT;
    }
    if (r.count)
        *in = pcs;
    return rc;
}

static int get_stacks(gl_dict *d, ln_in *in, uint64_t *spare)
{
    range r;
    if (!get_range(in, &r))
        return GL_E_CORRUPT;
    int rc = line_up(d, r, gl_dict_stack_count(d), spare, fill_stacks);
    ln_in lengths = *in;
    ln_buf frames = {0};
    uint64_t last = 0;
    for (uint32_t i = 0; i < r.count; i++)
        ln_num_get(in);
    for (uint32_t i = 0; i < r.count && rc == 0; i++) {
        uint64_t n = ln_num_get(&lengths);
        uint32_t id;
        if (n > LN_STACK_FRAMES_MAX || n > (uint64_t)(in->end - in->p)) {
            rc = GL_E_LIMIT;
            break;
        }
        ln_buf_clear(&frames);
        if (!ln_buf_room(&frames, ((size_t)n + 1) * sizeof(uint32_t))) {
            rc = GL_E_NOMEM;
            break;
        }
        uint32_t *ids = (uint32_t *)(void *)frames.base;
        for (uint64_t k = n; k-- > 0;)
            ids[k] = (uint32_t)get_step(in, &last);
        rc = gl_dict_stack(d, ids, (size_t)n, &id);
        if (rc == 0 && id != r.first + i)
            rc = GL_E_CORRUPT;
    }
    ln_buf_free(&frames);
    return rc;
}

static int get_threads(gl_dict *d, ln_in *in, uint64_t *spare)
{
    range r;
    if (!get_range(in, &r))
        return GL_E_CORRUPT;
    int rc = line_up(d, r, gl_dict_thread_count(d), spare, fill_threads);
    uint64_t tid = 0, process = 0, name = 0;
    for (uint32_t i = 0; i < r.count && rc == 0; i++) {
        uint32_t id;
        gl_thread_info t = {.tid = get_step(in, &tid)};
        t.process = (uint32_t)get_step(in, &process);
        t.name = (uint32_t)get_step(in, &name);
        rc = gl_dict_thread(d, t, &id);
        if (rc == 0 && id != r.first + i)
            rc = GL_E_CORRUPT;
    }
    return rc;
}

int ln_dict_get(gl_dict *d, const uint8_t *bytes, size_t n, uint64_t *spare)
{
    static int (*const readers[])(gl_dict *, ln_in *, uint64_t *) = {get_strings, get_funcs, get_frames, get_stacks, get_threads};
    ln_in in = {bytes, bytes + n, false};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        int rc = readers[i](d, &in, spare);
        if (rc < 0)
            return rc;
    }
    return in.bad ? GL_E_CORRUPT : 0;
}
