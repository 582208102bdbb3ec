/*
 * Recording Go programs that know nothing of it, by probes that the kernel puts at their places (uprobes), for hosts where
 * a program's code may not be patched. linux/amd64, Go 1.18 and later. An event costs the program a trap into the kernel:
 * docs/probe.md has the figures.
 */
#ifndef GOLANES_PROBE_UPROBE_H
#define GOLANES_PROBE_UPROBE_H

#include "golanes/probe_patch.h"

#ifdef __cplusplus
extern "C" {
#endif

/** For all recordings that begin later. Not while another thread begins one. */
GL_API void gl_probe_uprobe_choose(const gl_probe_patch_options *opt);

/** Whether this build has it, and this process the rights to use it: 0, or GL_E_UNSUPPORTED with a sentence. */
GL_API int gl_probe_uprobe_available(gl_error *err) GL_MUST_CHECK;

/** Fits Go programs, where it is available. */
extern GL_API const gl_probe_provider gl_probe_uprobe;

/** What it costs the program, in one sentence. */
extern GL_API const char gl_probe_uprobe_cost[];
/** What it can't see that patching can, in one sentence. */
extern GL_API const char gl_probe_uprobe_limits[];

#ifdef __cplusplus
}
#endif
#endif
