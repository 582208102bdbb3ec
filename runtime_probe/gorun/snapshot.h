/* The goroutines of a program that stands still. */
#ifndef GOLANES_GORUN_SNAPSHOT_H
#define GOLANES_GORUN_SNAPSHOT_H

#include "golanes/golayout.h"
#include "surgeon.h"

#define GL_SNAPSHOT_FRAMES 16

typedef struct gl_snapshot_g {
    uint64_t id, address, m; /* m: address of the M that runs it, 0: none */
    uint64_t parent, start_pc, go_pc, chan;
    int64_t wait_since; /* ns of the monotonic clock, 0: not known */
    uint32_t status;    /* the runtime's number, without the mark of a scan */
    uint8_t reason;     /* its wait reason */
    uint8_t frames;
    uint64_t pcs[GL_SNAPSHOT_FRAMES];
} gl_snapshot_g;

typedef struct gl_snapshot_m {
    uint64_t address, id, tid;
    uint64_t g; /* id of the goroutine that runs on it, 0: none */
    uint32_t p; /* + 1; 0: none */
} gl_snapshot_m;

typedef struct gl_snapshot {
    gl_snapshot_g *g;
    gl_snapshot_m *m;
    size_t gs, ms;
} gl_snapshot;

int gl_snapshot_take(const gl_surgeon *s, const gl_golayout *l, const gl_govars *v, uint64_t bias, gl_snapshot *out,
                     gl_error *err) GL_MUST_CHECK;
void gl_snapshot_free(gl_snapshot *snap);

#endif
