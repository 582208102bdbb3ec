/*
 * A trace in slices of time: how what falls into each scatters tells how far chance goes where what is near in time is
 * alike, as it is on a busy machine.
 */
#ifndef GOLANES_ANALYSIS_SLICES_H
#define GOLANES_ANALYSIS_SLICES_H

#include <stdint.h>

#include "golanes/error.h"

#define GL_SLICES 32
#define GL_SLICE_FIRST 16 /* 2^16 ns: how long a slice is at first */
#define GL_SLICE_SIZES 128

/** At most GL_SLICES of them, and for each how many durations of which size. Zero-initialise. */
typedef struct gl_slices {
    uint32_t n[GL_SLICES];
    uint32_t *sizes[GL_SLICES]; /* GL_SLICE_SIZES: by quarters of an octave; NULL where there are none */
    uint8_t shift;              /* a slice is 2^(GL_SLICE_FIRST + shift) ns long */
} gl_slices;

/** Something that happened. */
void gl_slices_count(gl_slices *x, int64_t time);
/** Something that took time. */
int gl_slices_add(gl_slices *x, int64_t time, uint64_t ns) GL_MUST_CHECK;
void gl_slices_clean_up(gl_slices *x);

typedef struct gl_slices_mean {
    double mean, variance; /* of the durations' logarithms, and of their mean */
    unsigned used;         /* slices that have any */
} gl_slices_mean;
/** What is shorter or longer counts as `least` and `most`: a few that are of another kind would drown the rest. */
gl_slices_mean gl_slices_mean_within(const gl_slices *x, double least, double most);
/** The variance of how many there are in all. */
double gl_slices_count_variance(const gl_slices *x, int64_t end_ns);

#endif
