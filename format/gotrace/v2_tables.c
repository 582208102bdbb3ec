/*
 * The tables of a generation: clocks, strings, stacks, CPU samples. Strings are read before stacks, whatever their
 * order
 * in the file. What cannot be read is left out and counted; events that refer to it get the empty name or stack.
 */
#include "v2.h"

#include <stdlib.h>

typedef struct table_reader {
    gl_v2_gen *gen;
    gl_v2_walker *w;
    gl_dict *dict;
    gl_v2_map frame_of; /* PC -> dictionary frame plus nothing: the first that is seen for a PC wins, as in Go */
} table_reader;

/* Clocks */

static bool read_clock(gl_v2_gen *gen, uint64_t *last, const uint8_t **p, const uint8_t *end)
{
    uint64_t v[4];
    for (size_t i = 0; i < 4; i++)
        if (!gl_leb_read(p, end, &v[i]))
            return false;
    *last += v[0];
    if (gen->has_clock)
        return false;
    gen->has_clock = true;
    gen->clock_ticks = *last;
    gen->mono_ns = v[1];
    bool sane = v[2] < (uint64_t)INT64_MAX / 1000000000 - 1 && v[3] < 1000000000;
    gen->wall_unix_ns = sane ? (int64_t)(v[2] * 1000000000 + v[3]) : 0;
    return true;
}

bool gl_v2_gen_read_sync(gl_v2_gen *gen, unsigned version, uint64_t time, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    if (version >= 25)
        p++; /* the byte that says so */
    while (p < end) {
        uint8_t type = *p++;
        if (type == V2_FREQUENCY) {
            uint64_t f;
            if (!gl_leb_read(&p, end, &f) || gen->frequency != 0)
                return false;
            gen->frequency = f;
        } else if (type != V2_CLOCK_SNAPSHOT || version < 25 || !read_clock(gen, &time, &p, end)) {
            return false;
        }
    }
    return true;
}

/* Entries: each is looked over before it is read, so that the readers need not doubt it. */

static bool skip_numbers(const uint8_t **p, const uint8_t *end, uint64_t n)
{
    uint64_t v;
    while (n > 0 && gl_leb_read(p, end, &v))
        n--;
    return n == 0;
}

static bool skip_string(const uint8_t **p, const uint8_t *end)
{
    uint64_t n;
    if (*(*p)++ != V2_STRING || !skip_numbers(p, end, 1) || !gl_leb_read(p, end, &n))
        return false;
    if (n > V2_STRING_MAX || n > (uint64_t)(end - *p))
        return false;
    *p += n;
    return true;
}

static bool skip_stack(const uint8_t **p, const uint8_t *end)
{
    uint64_t n;
    if (*(*p)++ != V2_STACK || !skip_numbers(p, end, 1) || !gl_leb_read(p, end, &n) || n > V2_FRAMES_MAX)
        return false;
    return skip_numbers(p, end, 4 * n);
}

static bool skip_sample(const uint8_t **p, const uint8_t *end)
{
    return *(*p)++ == V2_CPU_SAMPLE && skip_numbers(p, end, 5);
}

/* A number that has been looked over. */
static uint64_t number(const uint8_t **p, const uint8_t *end)
{
    uint64_t v = 0;
    return gl_leb_read(p, end, &v) ? v : 0;
}

static int read_string(table_reader *r, const uint8_t *p, const uint8_t *end)
{
    uint64_t id = number(&p, end), n = number(&p, end);
    uint32_t have, s;
    if (id == 0 || gl_v2_remap_get(&r->gen->strings, id, &have)) {
        r->gen->names_broken++; /* a second text for the id: the first stands */
        return 0;
    }
    int rc = gl_dict_string(r->dict, (const char *)p, (size_t)n, &s);
    return rc < 0 ? rc : gl_v2_remap_put(&r->gen->strings, id, s);
}

static uint32_t string_of(table_reader *r, uint64_t id)
{
    uint32_t s;
    if (!gl_v2_remap_get(&r->gen->strings, id, &s))
        r->gen->names_missing++;
    return s;
}

static int frame_for(table_reader *r, const uint64_t v[4], uint32_t *frame)
{
    *frame = gl_v2_map_get(&r->frame_of, v[0]);
    if (*frame != V2_NONE)
        return 0;
    gl_func f = {.name = string_of(r, v[1]), .file = string_of(r, v[2])};
    gl_frame fr = {.pc = v[0], .line = v[3] <= UINT32_MAX ? (uint32_t)v[3] : 0};
    int rc = f.name | f.file ? gl_dict_func(r->dict, f, &fr.func) : 0;
    if (rc == 0)
        rc = gl_dict_frame(r->dict, fr, frame);
    return rc < 0 ? rc : gl_v2_map_put(&r->frame_of, v[0], *frame);
}

static int read_stack(table_reader *r, const uint8_t *p, const uint8_t *end)
{
    uint64_t id = number(&p, end), n = number(&p, end);
    uint32_t frames[V2_FRAMES_MAX], have, s;
    for (uint64_t i = 0; i < n && i < V2_FRAMES_MAX; i++) {
        uint64_t v[4];
        for (size_t k = 0; k < 4; k++)
            v[k] = number(&p, end);
        int rc = frame_for(r, v, &frames[i]);
        if (rc < 0)
            return rc;
    }
    if (id == 0 || gl_v2_remap_get(&r->gen->stacks, id, &have)) {
        r->gen->names_broken++;
        return 0;
    }
    int rc = gl_dict_stack(r->dict, frames, (size_t)n, &s);
    return rc < 0 ? rc : gl_v2_remap_put(&r->gen->stacks, id, s);
}

static int read_sample(table_reader *r, const uint8_t *p, const uint8_t *end)
{
    gl_v2_sample *s = gl_v2_array_add(&r->gen->samples);
    if (!s)
        return GL_E_NOMEM;
    s->time = (int64_t)(number(&p, end) & INT64_MAX);
    s->m = number(&p, end);
    s->p = number(&p, end);
    s->g = number(&p, end);
    s->stack = number(&p, end);
    return 0;
}

/* In order of time; of equal times the first in the file comes first. */
static int sort_samples(gl_v2_array *a)
{
    gl_v2_sample *from = (void *)a->at, *all = from;
    size_t n = a->n;
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = from[i - 1].time <= from[i].time;
    if (sorted)
        return 0;
    gl_v2_sample *to = malloc(n * sizeof *to), *spare = to;
    if (!to)
        return GL_E_NOMEM;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n, hi = mid + width < n ? mid + width : n;
            for (size_t i = lo, j = mid, k = lo; k < hi; k++)
                to[k] = i < mid && (j >= hi || from[i].time <= from[j].time) ? from[i++] : from[j++];
        }
        gl_v2_sample *swap = from;
        from = to;
        to = swap;
    }
    if (from != all)
        memcpy(all, from, n * sizeof *all);
    free(spare);
    return 0;
}

static int finish_samples(gl_v2_gen *gen)
{
    gl_v2_sample *s = (void *)gen->samples.at;
    for (size_t i = 0; i < gen->samples.n; i++)
        s[i].time = gl_v2_ns(gen->ns_per_tick, (uint64_t)s[i].time);
    return sort_samples(&gen->samples);
}

/* All of them */

typedef struct table_kind {
    uint8_t kind;
    bool (*skip)(const uint8_t **p, const uint8_t *end);
    int (*read)(table_reader *r, const uint8_t *p, const uint8_t *end); /* p: behind the entry's first byte */
    const char *broken;
} table_kind;

static const table_kind table_kinds[] = {
    {V2_STRINGS, skip_string, read_string, "an entry of the strings cannot be read"},
    {V2_STACKS, skip_stack, read_stack, "an entry of the stacks cannot be read"},
    {V2_CPU_SAMPLES, skip_sample, read_sample, "an entry of the CPU samples cannot be read"},
};
#define TABLE_KINDS (sizeof table_kinds / sizeof table_kinds[0])

/* The next place where so many entries follow each other, or as many as there is room for; else the end. */
static const uint8_t *next_entries(const table_kind *k, const uint8_t *p, const uint8_t *end)
{
    const int enough = 3;
    for (; p < end; p++) {
        const uint8_t *at = p;
        int n = 0;
        while (n < enough && at < end && k->skip(&at, end))
            n++;
        if (n == enough || (n > 0 && at == end))
            return p;
    }
    return end;
}

static int read_table(table_reader *r, const gl_v2_table *t, const table_kind *k)
{
    const uint8_t *p;
    size_t n;
    int rc = gl_v2_walker_bytes(r->w, t->offset, t->size, &p, &n);
    if (rc < 0 || n == 0)
        return rc;
    const uint8_t *begin = p, *end = p + n;
    p++; /* the byte that says which table */
    while (p < end && rc == 0) {
        const uint8_t *at = p;
        if (k->skip(&p, end)) {
            rc = k->read(r, at + 1, p);
            continue;
        }
        p = next_entries(k, at + 1, end);
        r->gen->names_broken++;
        rc = gl_v2_gen_lose(r->gen, (gl_v2_loss){.time = -1, .until = -1, .offset = t->offset + (uint64_t)(at - begin),
                                                 .bytes = (uint64_t)(p - at), .reason = k->broken});
    }
    return rc;
}

static int read_sync_table(table_reader *r, const gl_v2_table *t)
{
    const uint8_t *p;
    size_t n;
    int rc = gl_v2_walker_bytes(r->w, t->offset, t->size, &p, &n);
    if (rc < 0 || n == 0 || gl_v2_gen_read_sync(r->gen, r->w->version, t->time, p, n))
        return rc;
    return gl_v2_gen_lose(r->gen, (gl_v2_loss){.time = -1, .until = -1, .offset = t->offset, .bytes = n,
                                               .reason = "a batch of clocks cannot be read"});
}

static int read_all(table_reader *r)
{
    const gl_v2_table *t = (const void *)r->gen->tables.at;
    int rc = 0;
    for (size_t i = 0; i < r->gen->tables.n && rc == 0; i++)
        if (t[i].kind == V2_SYNC || t[i].kind == V2_FREQUENCY)
            rc = read_sync_table(r, &t[i]);
    for (size_t k = 0; k < TABLE_KINDS; k++)
        for (size_t i = 0; i < r->gen->tables.n && rc == 0; i++) {
            r->gen->has_strings = r->gen->has_strings || t[i].kind == V2_STRINGS;
            if (t[i].kind == table_kinds[k].kind)
                rc = read_table(r, &t[i], &table_kinds[k]);
        }
    return rc;
}

/* Without a frequency of its own a generation takes the last one, or what Linux has always written. */
static int settle_frequency(gl_v2_gen *gen, gl_v2_names *names)
{
    const uint64_t usual = 15625000;
    gen->has_frequency = gen->frequency != 0;
    if (!gen->has_frequency) {
        gen->frequency = names->last_frequency ? names->last_frequency : usual;
        int rc = gl_v2_gen_lose(
            gen,
            (gl_v2_loss){.time = -1,
                         .until = -1,
                         .offset = gen->end,
                         .bytes = 0,
                         .reason = names->last_frequency ? "no clock frequency; that of the generation before is taken"
                                                         : "no clock frequency; the usual 15.625 MHz is taken"});
        if (rc < 0)
            return rc;
    }
    names->last_frequency = gen->frequency;
    gen->ns_per_tick = 1.0 / ((double)gen->frequency / 1e9);
    uint32_t whole = gen->ns_per_tick < 1e6 ? (uint32_t)gen->ns_per_tick : 0;
    gen->whole_ns = (double)whole == gen->ns_per_tick ? whole : 0;
    return 0;
}

/* The strings that each generation begins with keep their ids all through a trace: an unfinished end needs them. */
static void learn_fixed(const gl_v2_gen *gen, gl_v2_names *names)
{
    uint32_t id;
    if (gl_v2_remap_get(&gen->strings, 1, &id) && id != 0)
        for (uint64_t i = 1; i <= 22; i++)
            if (gl_v2_remap_get(&gen->strings, i, &id))
                names->fixed[i] = id;
}

static int compare_times(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/*
 * A damaged header can put a batch hours or years before all others, and the start of the trace with it: in a damaged
 * generation the start is the first batch that is not too far from the middle one.
 */
static int settle_start(gl_v2_gen *gen)
{
    size_t n = gen->batches.n;
    const gl_v2_batch *b = (const void *)gen->batches.at;
    uint64_t *times = n ? malloc(n * sizeof *times) : NULL;
    if (!times)
        return n ? GL_E_NOMEM : 0;
    for (size_t i = 0; i < n; i++)
        times[i] = b[i].time;
    qsort(times, n, sizeof *times, compare_times);
    uint64_t far =
        gen->frequency < UINT64_MAX / V2_GENERATION_SECONDS ? gen->frequency * V2_GENERATION_SECONDS : UINT64_MAX;
    uint64_t middle = times[n / 2];
    size_t i = 0;
    while (middle - times[i] > far)
        i++;
    if (middle > far && gen->min_time < middle - far)
        gen->min_time = times[i];
    free(times);
    return 0;
}

int gl_v2_gen_read_tables(gl_v2_gen *gen, gl_v2_walker *w, gl_dict *dict, gl_v2_names *names)
{
    table_reader r = {.gen = gen, .w = w, .dict = dict};
    int rc = read_all(&r);
    gl_v2_map_free(&r.frame_of);
    if (rc == 0)
        rc = settle_frequency(gen, names);
    if (rc == 0 && gen->losses.n + gen->names_broken != 0)
        rc = settle_start(gen);
    if (rc == 0)
        rc = finish_samples(gen);
    learn_fixed(gen, names);
    return rc;
}
