/*
 * Patching a Go program so that it emits events: from attach to the last record. What is changed in the program stands in
 * docs/probe.md.
 *
 * Threads: one at a time.
 */
#ifndef GOLANES_PATCH_PATCH_H
#define GOLANES_PATCH_PATCH_H

#include "golanes/goprog.h"
#include "golanes/golayout.h"
#include "golanes/goprobes.h"
#include "gorun/snapshot.h"
#include "gorun/surgeon.h"
#include "hooks.h"
#include "layout.h"

typedef struct gl_patch_options {
    gl_patch_stacks stacks;
    unsigned frames; /* 0: the default */
    bool exact;      /* each begin and end of an operation has a time of its own */
    bool gate; /* what the program starts waits for us */
    uint64_t large_bytes; /* memory that the first rings begin with at least */
} gl_patch_options;

typedef struct gl_patch {
    pid_t pid;
    gl_goprog *prog;
    const gl_goprog_info *info;
    gl_golayout layout;
    gl_govars vars;
    gl_goplan *plan;
    gl_gosite gates[2]; /* where what it starts, and what it becomes, waits */
    uint32_t gate_count;
    uint64_t spare; /* where calls are made in its name: GL_INJECT_BYTES that it never runs */
    uint64_t bias;
    gl_patch_options opt;
    /* The shared memory: ours, and where it lies in the program. */
    int fd;
    uint8_t *memory;
    gl_patch_header *header;
    uint64_t bytes, data, code;
    uint32_t made;           /* rings offered for the first time so far: 0 … made - 1 */
    uint64_t left;           /* records that a killed recorder has left in its rings unread */
    uint32_t half;
    /* The hooks. */
    gl_hook *hooks;
    uint32_t hook_count;
    uint8_t *image; /* of the half of the code that they are in */
    size_t image_bytes;
    bool patched;
    int64_t stop_ns; /* how long all threads stood */
    uint64_t begin_ticks;
    gl_snapshot snapshot;
} gl_patch;

/** Reads the program and finds the sites; nothing of the process is touched. pid 0: a program that is to be started. */
int gl_patch_open(const char *path, pid_t pid, const gl_patch_options *opt, gl_patch *out, gl_error *err) GL_MUST_CHECK;
/** Patches a running process. On failure it is as it was. */
int gl_patch_attach(gl_patch *p, gl_error *err) GL_MUST_CHECK;
/** Patches a process that is stopped by its exec, and lets it run; on failure it runs unpatched. It is a child of ours
    that asked to be traced, or caught: one that this thread has seized and waited for. */
int gl_patch_start(gl_patch *p, pid_t pid, bool caught, gl_error *err) GL_MUST_CHECK;
/** False once the process has ended or executes another program. */
bool gl_patch_is_there(const gl_patch *p);
/** Takes the hooks out again. The process may be gone already: then there is nothing to do. */
int gl_patch_detach(gl_patch *p, gl_error *err) GL_MUST_CHECK;
/** Frees; what memory the rings took is given back. */
void gl_patch_close(gl_patch *p);

/* left.c */
/** Counts what stands unread in the rings of a recorder that was killed, whose hooks are out: p->left. */
void gl_patch_count_left(gl_patch *p, const gl_surgeon *s, uint64_t data);

/* memory.c */
int gl_patch_memory_make(gl_patch *p, gl_error *err) GL_MUST_CHECK;
/** Where an earlier recording has left its memory in the process: *data 0 where there was none. */
int gl_patch_memory_find(gl_patch *p, gl_surgeon *s, gl_patch_header *found, uint64_t *data, gl_error *err) GL_MUST_CHECK;
/** Maps the memory and the code into the process, in the name of s->held[0]. */
int gl_patch_memory_inject(gl_patch *p, gl_surgeon *s, const gl_patch_header *found, uint64_t data, gl_error *err) GL_MUST_CHECK;
/** Bytes after which a ring is written to from its start again, where its reader keeps up. */
uint64_t gl_patch_memory_lap(const gl_patch *p);
/** Makes the first rings; nothing need be stopped for it. */
int gl_patch_memory_ready(gl_patch *p, gl_error *err) GL_MUST_CHECK;
/** Keeps rings at hand for threads that are yet to come. */
void gl_patch_memory_tend(gl_patch *p);
/** Offers a ring that nobody writes to any more to the next thread. */
void gl_patch_memory_offer(gl_patch *p, uint32_t ring);
/** More memory for a ring whose reader is behind. */
void gl_patch_memory_grow(gl_patch *p, uint32_t ring);
void gl_patch_memory_free(gl_patch *p);
/** When a process started, in the units of its stat file; 0: there is none. */
uint64_t gl_patch_start_time(uint32_t pid);

static inline gl_patch_ring *gl_patch_ring_of(const gl_patch *p, uint32_t i)
{
    return (gl_patch_ring *)(void *)(p->memory + gl_patch_rings_offset() + i * gl_patch_ring_stride(GL_PATCH_RING_BYTES));
}

#endif
