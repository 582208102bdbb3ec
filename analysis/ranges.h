/*
 * Stretches of the collector and of stopped worlds, in order of their begin. Other figures ask here what a stretch of
 * time has in common with them.
 */
#ifndef GOLANES_ANALYSIS_RANGES_H
#define GOLANES_ANALYSIS_RANGES_H

#include "collect.h"
#include "golanes_analysis/summary.h"

/** Ranges kept: about 100 bytes each. What comes after is counted, not listed, and overlaps with it are not found. */
#define GL_RANGES_MAX ((size_t)1 << 18)
#define GL_RANGES_OPEN_MAX 16

/** Begin and end of each range by one clock; end INT64_MAX: still open. */
typedef struct gl_clocked {
    int64_t *begin, *end;
    int64_t *reach; /* the largest end up to here: what lies before a smaller one need not be looked at */
    size_t begin_capacity, end_capacity, reach_capacity;
    bool disordered; /* a begin lies before an earlier begin: no short cut to the last one before a time */
} gl_clocked;

typedef struct gl_ranges {
    gl_range_figures *list;
    size_t capacity, count;
    /* Two clocks: the events' own stamps, and their order, which is the better one where stamps step back (the state of
     * a goroutine that does nothing is told late). */
    gl_clocked stamps, order;
    uint64_t total, total_ns, max_ns; /* all ever, finished or not */
    size_t open[GL_RANGES_OPEN_MAX];
    size_t open_count;
} gl_ranges;

int gl_ranges_begin(gl_ranges *r, const gl_range_figures *begun, int64_t order) GL_MUST_CHECK;
/** Ends the newest open range of goroutine g (of any of the process, where g is 0 or has none). NULL where none is open. */
const gl_range_figures *gl_ranges_end(gl_ranges *r, uint64_t g, uint32_t process, int64_t time, int64_t order);
bool gl_ranges_is_open(const gl_ranges *r, uint32_t process);
/** The trace ends: what is open ends now. */
void gl_ranges_finish(gl_ranges *r, int64_t time);
void gl_ranges_clean_up(gl_ranges *r);

typedef struct gl_overlap {
    uint32_t count;
    uint64_t ns;
    int64_t last_end; /* end of the last range touched */
    bool mark_inside; /* `mark` lies inside one of those touched */
} gl_overlap;

gl_overlap gl_ranges_overlap_search(const gl_ranges *r, uint32_t process, int64_t begin, int64_t end, bool gc_only,
                                    int64_t mark);
/** What [begin, end) has in common with the ranges of the process (gc_only: those of the collector), by stamps. */
static inline gl_overlap gl_ranges_overlap(const gl_ranges *r, uint32_t process, int64_t begin, int64_t end, bool gc_only,
                                           int64_t mark)
{
    if (!r->count || r->stamps.reach[r->count - 1] <= begin) /* as most: everything was over before it began */
        return (gl_overlap){0, 0, INT64_MIN, false};
    return gl_ranges_overlap_search(r, process, begin, end, gc_only, mark);
}
uint32_t gl_ranges_met_count(const gl_ranges *r, uint32_t process, int64_t begin, int64_t end);
/** How many ranges of the process were open, by the order of events, at some moment from begin to end. */
static inline uint32_t gl_ranges_met(const gl_ranges *r, uint32_t process, int64_t begin, int64_t end)
{
    if (!r->count || r->order.reach[r->count - 1] <= begin)
        return 0;
    return gl_ranges_met_count(r, process, begin, end);
}
gl_ranges_figures gl_ranges_result(const gl_ranges *r);

#endif
