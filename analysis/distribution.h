/*
 * Exact percentiles of durations with bounded memory. Durations repeat (Go's clock has ticks of 64 ns), so a count per
 * distinct value is small; past a bound of distinct values it turns into buckets of less than 0.2 % width and says so.
 */
#ifndef GOLANES_ANALYSIS_DISTRIBUTION_H
#define GOLANES_ANALYSIS_DISTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#define GL_DIST_STEP 64     /* ns: the tick of Go's clock on Linux */
#define GL_DIST_SMALL 16384 /* values below STEP * SMALL on a tick are counted in an array */
#define GL_DIST_DISTINCT_MAX 131072

typedef struct gl_dist_slot {
    uint64_t value; /* plus one, 0: empty */
    uint64_t count;
} gl_dist_slot;

/** Zero-initialise. */
typedef struct gl_dist {
    uint64_t n, total, max;
    uint32_t *small;     /* counts of k * STEP; a count that would overflow goes on in the table */
    gl_dist_slot *slots; /* exact counts of the other values */
    size_t mask, used;
    uint64_t *buckets; /* instead of slots once there are too many distinct values */
} gl_dist;

int gl_dist_add_slowly(gl_dist *d, uint64_t value) GL_MUST_CHECK;

static inline int gl_dist_add(gl_dist *d, uint64_t value)
{
    uint64_t step = value / GL_DIST_STEP;
    d->n++;
    d->total += value;
    if (value > d->max)
        d->max = value;
    if (step < GL_DIST_SMALL && value % GL_DIST_STEP == 0 && d->small && d->small[step] < UINT32_MAX) {
        d->small[step]++;
        return 0;
    }
    return gl_dist_add_slowly(d, value);
}

bool gl_dist_approximate(const gl_dist *d);
/** Nearest rank: the smallest value that at least `percent` of all values do not exceed. values[i] for percents[i],
 *  which must rise. 0 values give 0. */
int gl_dist_percentiles(const gl_dist *d, const unsigned *percents, uint64_t *values, size_t n) GL_MUST_CHECK;
void gl_dist_clean_up(gl_dist *d);

#endif
