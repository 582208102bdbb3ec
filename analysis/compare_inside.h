/* The parts of a profile, and what two of them are compared by. */
#ifndef GOLANES_ANALYSIS_COMPARE_INSIDE_H
#define GOLANES_ANALYSIS_COMPARE_INSIDE_H

#include "collect.h"
#include "golanes_analysis/compare.h"
#include "sample.h"

/** What nobody is told of, but what shows the machine's mood: times of the runtime's goroutines, and how long goroutines
 *  ran at a time. */
#define GL_ASPECT_CONTROL GL_ASPECTS

#define GL_SLICES 32
#define GL_SLICE_FIRST 16 /* 2^16 ns */

/**
 * The trace in slices of time, at most GL_SLICES of them: how what falls into each scatters tells how far chance goes
 * where what is near in time is alike, as it is on a busy machine. Zero-initialise.
 */
typedef struct gl_slices {
    double sum[GL_SLICES]; /* of the values' logarithms */
    uint32_t n[GL_SLICES];
    uint8_t shift; /* a slice is 2^(GL_SLICE_FIRST + shift) ns long */
} gl_slices;

void gl_slices_add(gl_slices *x, int64_t time, double value);

typedef struct gl_slices_mean {
    double mean, variance; /* of the mean */
    unsigned used;         /* slices that have any */
} gl_slices_mean;
gl_slices_mean gl_slices_mean_of(const gl_slices *x);
/** The variance of how many there are in all. */
double gl_slices_count_variance(const gl_slices *x, int64_t end_ns);

typedef struct gl_profile_entry {
    unsigned aspect;       /* gl_aspect, or GL_ASPECT_CONTROL */
    uint32_t name, second; /* while the trace is read: string ids */
    char *key;             /* after */
    gl_slices slices;
    gl_sample times;
    double value; /* of a count */
    bool sliced;  /* of a count: slices tell when each came */
} gl_profile_entry;

struct gl_profile {
    gl_summary *summary;
    const gl_dict *dict;
    gl_map entry_of;
    gl_profile_entry *entries;
    size_t capacity, count;
    gl_slices straddled[GL_OPERATION_KINDS];
    bool finished;
    /* What a count may follow: a trace twice as long has twice as many. */
    double length, work, pauses, paused;
    int64_t end_ns;
};

#endif
