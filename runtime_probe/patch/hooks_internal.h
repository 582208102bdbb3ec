/* What hooks.c and hook_bodies.c share: pieces of hooks. R13: ring; R15: record; R12: what RAX was; RAX, RDX: free. */
#ifndef GOLANES_PATCH_HOOKS_INTERNAL_H
#define GOLANES_PATCH_HOOKS_INTERNAL_H

#include "hooks.h"

/** Where the hooked code's registers are kept, from RSP on; above them lie R13, R15 and the ring. */
#define GL_HOOK_SAVED(i) (-32 - 8 * (int32_t)(i))

/** Writes the record; goes to `full` where there is no room. */
typedef void (*gl_hook_body)(gl_asm *a, const gl_hook_env *env, unsigned full);
gl_hook_body gl_hook_body_of(gl_goprobe_id probe);

/** Waits at the gate, in a child between fork and exec or a thread before it; no register is kept but R14, RSP and RBP. */
void gl_hook_gate(gl_asm *a, const gl_hook_env *env);

void gl_hook_slot(gl_asm *a, const gl_hook_env *env);
void gl_hook_room(gl_asm *a, const gl_hook_env *env, unsigned full);
void gl_hook_count_drop(gl_asm *a);
void gl_hook_stamp(gl_asm *a);
void gl_hook_keep_four(gl_asm *a);
void gl_hook_restore_four(gl_asm *a);
void gl_hook_walk(gl_asm *a, const gl_hook_env *env, bool first_rsp);

#endif
