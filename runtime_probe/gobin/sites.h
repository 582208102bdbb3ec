/* Finding places to hook in one function's code. */
#ifndef GOLANES_GOBIN_SITES_H
#define GOLANES_GOBIN_SITES_H

#include "code.h"

#define GL_JUMP_SIZE 5 /* a near jump, which a hook puts in place of what it displaces */

typedef struct gl_sites {
    gl_gosite *at;
    uint32_t n, room;
    bool failed; /* no memory */
} gl_sites;

void gl_sites_entry(gl_sites *s, gl_goprobe_id probe, const gl_code *c, const gl_golayout *l);
void gl_sites_returns(gl_sites *s, gl_goprobe_id probe, const gl_goprog *p, const gl_code *c);
void gl_sites_cas(gl_sites *s, const gl_code *c, const gl_golayout *l);
/** Whether a function's bytes may hold a compare-and-swap at all, without decoding them. */
bool gl_sites_cas_likely(const gl_goprog *p, const gl_gofunc *f);

#endif
