#include "ranges.h"

#include <stdlib.h>

static int clock_begin(gl_clocked *c, size_t at, int64_t begin)
{
    if (GL_GROW(c->begin, c->begin_capacity, at + 1) < 0 || GL_GROW(c->end, c->end_capacity, at + 1) < 0 ||
        GL_GROW(c->reach, c->reach_capacity, at + 1) < 0)
        return GL_E_NOMEM;
    c->disordered |= at && begin < c->begin[at - 1];
    c->begin[at] = begin;
    c->end[at] = c->reach[at] = INT64_MAX;
    return 0;
}

static void clock_end(gl_clocked *c, size_t at, size_t count, int64_t end)
{
    c->end[at] = end;
    for (size_t i = at; i < count; i++)
        c->reach[i] = i && c->reach[i - 1] > c->end[i] ? c->reach[i - 1] : c->end[i];
}

/* Index behind the last range that begins before `time`. */
static size_t clock_before(const gl_clocked *c, size_t count, int64_t time)
{
    size_t low = 0, high = count;
    if (!high || c->disordered || c->begin[high - 1] < time)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->begin[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void clock_clean_up(gl_clocked *c)
{
    free(c->begin);
    free(c->end);
    free(c->reach);
}

int gl_ranges_begin(gl_ranges *r, const gl_range_figures *begun, int64_t order)
{
    r->total++;
    if (r->count == GL_RANGES_MAX || r->open_count == GL_RANGES_OPEN_MAX)
        return 0;
    if (GL_GROW(r->list, r->capacity, r->count + 1) < 0 || clock_begin(&r->stamps, r->count, begun->begin) < 0 ||
        clock_begin(&r->order, r->count, order) < 0)
        return GL_E_NOMEM;
    r->list[r->count] = *begun;
    r->list[r->count].end = INT64_MAX;
    r->open[r->open_count++] = r->count++;
    return 0;
}

static void close_range(gl_ranges *r, size_t at, int64_t time, int64_t order)
{
    gl_range_figures *x = &r->list[at];
    x->end = time;
    clock_end(&r->stamps, at, r->count, time);
    clock_end(&r->order, at, r->count, order);
    uint64_t ns = time > x->begin ? (uint64_t)(time - x->begin) : 0;
    r->total_ns += ns;
    if (ns > r->max_ns)
        r->max_ns = ns;
}

bool gl_ranges_is_open(const gl_ranges *r, uint32_t process)
{
    for (size_t i = 0; i < r->open_count; i++) {
        if (r->list[r->open[i]].process == process)
            return true;
    }
    return false;
}

const gl_range_figures *gl_ranges_end(gl_ranges *r, uint64_t g, uint32_t process, int64_t time, int64_t order)
{
    size_t at = SIZE_MAX;
    for (size_t i = r->open_count; i-- > 0;) {
        const gl_range_figures *x = &r->list[r->open[i]];
        if (x->process == process && x->g == g) {
            at = i;
            break;
        }
        at = x->process == process && at == SIZE_MAX ? i : at;
    }
    if (at == SIZE_MAX)
        return NULL;
    size_t ended = r->open[at];
    for (size_t i = at; i + 1 < r->open_count; i++)
        r->open[i] = r->open[i + 1];
    r->open_count--;
    close_range(r, ended, time, order);
    return &r->list[ended];
}

void gl_ranges_finish(gl_ranges *r, int64_t time)
{
    for (size_t i = 0; i < r->open_count; i++) {
        r->list[r->open[i]].open_end = true;
        close_range(r, r->open[i], time, INT64_MAX);
    }
    r->open_count = 0;
}

void gl_ranges_clean_up(gl_ranges *r)
{
    free(r->list);
    clock_clean_up(&r->stamps);
    clock_clean_up(&r->order);
}

static void add_overlap(gl_overlap *o, const gl_range_figures *x, int64_t begin, int64_t end, int64_t mark)
{
    int64_t from = x->begin > begin ? x->begin : begin;
    int64_t to = x->end < end ? x->end : end;
    if (from >= to)
        return;
    o->count++;
    o->ns += (uint64_t)(to - from);
    if (x->end > o->last_end)
        o->last_end = x->end;
    o->mark_inside |= mark >= x->begin && mark < x->end;
}

gl_overlap gl_ranges_overlap_search(const gl_ranges *r, uint32_t process, int64_t begin, int64_t end, bool gc_only,
                                    int64_t mark)
{
    gl_overlap o = {0, 0, INT64_MIN, false};
    for (size_t i = clock_before(&r->stamps, r->count, end); i-- > 0 && r->stamps.reach[i] > begin;) {
        if (r->list[i].process == process && (!gc_only || r->list[i].gc))
            add_overlap(&o, &r->list[i], begin, end, mark);
    }
    return o;
}

uint32_t gl_ranges_met_count(const gl_ranges *r, uint32_t process, int64_t begin, int64_t end)
{
    const gl_clocked *c = &r->order;
    uint32_t n = 0;
    for (size_t i = clock_before(c, r->count, end); i-- > 0 && c->reach[i] > begin;)
        n += c->end[i] > begin && r->list[i].process == process;
    return n;
}

gl_ranges_figures gl_ranges_result(const gl_ranges *r)
{
    return (gl_ranges_figures){r->total, r->total_ns, r->max_ns, r->list, r->count};
}
