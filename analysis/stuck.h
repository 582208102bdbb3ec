/*
 * Who waits at the end, grouped by place.
 */
#ifndef GOLANES_ANALYSIS_STUCK_H
#define GOLANES_ANALYSIS_STUCK_H

#include "golanes_analysis/summary.h"
#include "goroutines.h"
#include "sites.h"

typedef struct gl_stuck {
    gl_stuck_goroutine *goroutines; /* in order of site */
    gl_stuck_site *sites;
    size_t site_count;
} gl_stuck;

/** Looks at the goroutines that are alive. Call it before they leave. */
int gl_stuck_find(gl_stuck *x, const gl_goroutines *gs, gl_sites *sites) GL_MUST_CHECK;
void gl_stuck_clean_up(gl_stuck *x);

#endif
