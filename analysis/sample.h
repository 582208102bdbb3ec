/*
 * A set of durations of which there may be many: a small one is exact, a large one is counted in 32 buckets an octave
 * (percentiles within 1.6 %). A few bytes where it is empty, 16 KB at most.
 */
#ifndef GOLANES_ANALYSIS_SAMPLE_H
#define GOLANES_ANALYSIS_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "golanes_analysis/summary.h"

#define GL_SAMPLE_EXACT_MAX 1024

/** Zero-initialise. */
typedef struct gl_sample {
    uint64_t n, total, min, max;
    uint64_t *values; /* the values themselves, in no order, while they are few */
    size_t capacity;
    uint32_t *buckets; /* instead, once they are many */
} gl_sample;

int gl_sample_add(gl_sample *s, uint64_t value) GL_MUST_CHECK;
/** Sorts what is kept. Percentiles by nearest rank. */
gl_spread gl_sample_spread(gl_sample *s);
/** The value at `share` of all, from 0 to 1. */
uint64_t gl_sample_at(gl_sample *s, double share);
void gl_sample_clean_up(gl_sample *s);

#endif
