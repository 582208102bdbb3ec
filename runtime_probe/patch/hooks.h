/* The code behind a hooked place: what the place did, and a record of it. */
#ifndef GOLANES_PATCH_HOOKS_H
#define GOLANES_PATCH_HOOKS_H

#include "golanes/golayout.h"
#include "golanes/goprobes.h"
#include "layout.h"
#include "relocate.h"

typedef enum gl_patch_stacks { GL_STACKS_BLOCK, GL_STACKS_NONE, GL_STACKS_ALL } gl_patch_stacks;

typedef struct gl_hook_env {
    const gl_golayout *layout;
    uint64_t data;       /* the shared memory, in the program */
    uint64_t ring_bytes; /* a power of two */
    uint64_t lap;        /* bytes after which a writer begins anew if its reader keeps up */
    gl_patch_stacks stacks;
    unsigned frames;     /* of a stack, at most GL_PATCH_FRAMES */
    unsigned minor;      /* of the release */
    bool exact;          /* the clock is read for each begin and end of an operation */
    uint64_t find_ring, find_room; /* made by gl_hooks_begin */
} gl_hook_env;

typedef struct gl_hook {
    uint64_t address; /* of the place, live */
    uint64_t entry;   /* of the hook */
    uint32_t length;
    uint8_t before[GL_PATCH_BYTES], after[GL_PATCH_BYTES];
    gl_relocation moved;
} gl_hook;

/** What all hooks use comes first. */
bool gl_hooks_begin(gl_asm *a, gl_hook_env *env);
/** Writes the hook of a site whose bytes are given. False: it can't be made (the buffer is full, or an instruction can't be moved). */
bool gl_hook_make(gl_asm *a, const gl_hook_env *env, const gl_gosite *site, const uint8_t *bytes, uint64_t bias, gl_hook *out);
/** The same for a place where somebody waits at the program's gate. */
bool gl_hook_make_gate(gl_asm *a, const gl_hook_env *env, const gl_gosite *site, const uint8_t *bytes, uint64_t bias, gl_hook *out);
/** Whether there is a hook for this probe at all. */
bool gl_hook_known(gl_goprobe_id probe);

#endif
