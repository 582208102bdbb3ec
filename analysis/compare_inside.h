/* The parts of a profile, and what two of them are compared by. */
#ifndef GOLANES_ANALYSIS_COMPARE_INSIDE_H
#define GOLANES_ANALYSIS_COMPARE_INSIDE_H

#include "collect.h"
#include "golanes_analysis/compare.h"
#include "sample.h"
#include "slices.h"

/** What nobody is told of, but what shows the machine's mood: times of the runtime's goroutines, and how long goroutines
 *  ran at a time. */
#define GL_ASPECT_CONTROL GL_ASPECTS

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
