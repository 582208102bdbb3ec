/*
 * Recording Go programs that know nothing of it, by patching their code in memory while they run. linux/amd64, Go 1.18
 * and later. What is changed, and the limits: docs/probe.md.
 */
#ifndef GOLANES_PROBE_PATCH_H
#define GOLANES_PROBE_PATCH_H

#include "golanes/probe_source.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which events carry the stack of their goroutine. */
typedef enum gl_probe_stacks {
    GL_PROBE_STACKS_BLOCK, /**< where a goroutine parks, is created, closes or makes a channel, panics */
    GL_PROBE_STACKS_NONE,
    GL_PROBE_STACKS_ALL    /**< also where it yields */
} gl_probe_stacks;

typedef struct gl_probe_patch_options {
    gl_probe_stacks stacks;
    unsigned frames; /**< of a stack at most; 0: 12 */
    bool exact_times; /**< the clock is read for each begin and end of an operation on a channel (probes in the kernel always do) */
} gl_probe_patch_options;

/** For all recordings that begin later. Not while another thread begins one. */
GL_API void gl_probe_patch_choose(const gl_probe_patch_options *opt);

/** Fits Go programs, and refuses those that it can't record safely, with the reason. */
extern GL_API const gl_probe_provider gl_probe_patch;

#ifdef __cplusplus
}
#endif
#endif
