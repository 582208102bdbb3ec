/*
 * A dictionary that one thread adds to while others look into it. Texts and frame lists never move, so what a lookup has
 * returned stays good without the lock.
 */
#ifndef GOLANES_SRC_DICT_LOCK_H
#define GOLANES_SRC_DICT_LOCK_H

#include <stdbool.h>

#include "golanes/dict.h"

/** From now on (more), or no longer, another thread uses it too: every access takes a lock while there are any. */
void gl_dict_share(gl_dict *d, bool more);
/** Strings, functions, frames, stacks, threads that there are. For the thread that adds: without the lock. */
void gl_dict_counts(const gl_dict *d, uint32_t out[5]);

#endif
