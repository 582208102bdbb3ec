/*
 * The kernel's side, from ours: the programs loaded and put at their places, and the ring that they write.
 *
 * All of it goes with its descriptors: the kernel takes the probes out when they are closed, however we end.
 */
#ifndef GOLANES_UPROBE_KERNEL_H
#define GOLANES_UPROBE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "golanes/goprobes.h"
#include "shared.h"

typedef struct gl_uprobe_kernel {
    struct bpf_object *object;
    struct bpf_program *program;
    bool at_once;            /* one descriptor has all probes (the kernel's uprobe_multi, 6.6 and later), else each has its own */
    int all;                 /* that one, or -1 */
    struct bpf_link **links; /* or these */
    uint32_t placed;  /* probes */
    uint32_t stepped; /* of them on instructions that the kernel has to single-step */
    gl_uprobe_state *state;
    /* The ring: what is between the two positions, as far as it is complete. */
    uint64_t *consumer;
    const uint64_t *producer;
    const uint8_t *data; /* twice in a row, so that each entry lies in one piece */
    uint64_t size;
} gl_uprobe_kernel;

/** Whether this process has the rights (CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN): 0, or a sentence. */
int gl_uprobe_may(gl_error *err) GL_MUST_CHECK;
/** at_once: fails where the kernel can't. */
int gl_uprobe_load(gl_uprobe_kernel *k, const gl_uprobe_config *config, bool at_once, gl_error *err) GL_MUST_CHECK;
/** Puts the probes of a plan into a process. On failure all are out again. */
int gl_uprobe_place(gl_uprobe_kernel *k, const gl_goprog *prog, const gl_goplan *plan, pid_t pid, gl_error *err) GL_MUST_CHECK;
void gl_uprobe_take_out(gl_uprobe_kernel *k);
void gl_uprobe_unload(gl_uprobe_kernel *k);

/** Whether a site is one that we use, where its probe goes, and what that gets along. */
bool gl_uprobe_wants(const gl_goprog *prog, const gl_goplan *plan, const gl_gosite *site, uint64_t *at, uint64_t *cookie);

#endif
