/* What is known of each goroutine while records are turned into events. */
#ifndef GOLANES_GORUN_GOROUTINES_H
#define GOLANES_GORUN_GOROUTINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gl_patch_g {
    uint64_t id; /* 0: free */
    uint64_t chan, closed; /* of the operation that goes on; the channel that it closed last */
    uint64_t *cases;       /* of a select */
    uint32_t cap, sends, receives;
    uint8_t state;  /* gl_gstate */
    uint8_t op;     /* gl_patch_type of the operation that goes on, or 0 */
    bool hidden;    /* waits for the runtime's bookkeeping only: to us it runs */
    bool parked;    /* since the operation began */
} gl_patch_g;

typedef struct gl_patch_gs {
    gl_patch_g *slot;
    size_t room, n;
} gl_patch_gs;

/** Finds one, or makes it with state 0. NULL: no memory. The pointer is good until the next call. */
gl_patch_g *gl_patch_gs_get(gl_patch_gs *gs, uint64_t id);
void gl_patch_gs_remove(gl_patch_gs *gs, uint64_t id);
void gl_patch_gs_free(gl_patch_gs *gs);

#endif
