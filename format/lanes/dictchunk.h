/*
 * Dictionary entries as table chunks.
 */
#ifndef GOLANES_LANES_DICTCHUNK_H
#define GOLANES_LANES_DICTCHUNK_H

#include "golanes/dict.h"
#include "lanes/pack.h"

/** How many entries of each dictionary table are known to be in the file. */
typedef struct ln_dict_mark {
    uint32_t strings, funcs, frames, stacks, threads;
} ln_dict_mark;

/** Entries 0 of strings, functions and stacks are in every dictionary and never written. */
#define LN_DICT_MARK_START ((ln_dict_mark){1, 1, 0, 1, 0})

/** How far a dictionary reaches now. For the thread that adds to it. */
ln_dict_mark ln_dict_reach(const gl_dict *d);
/** True where `reach` lies beyond *m in any table. */
bool ln_dict_grew(const ln_dict_mark *reach, const ln_dict_mark *m);
/** Puts what is new since *m, up to `reach` and to about 16 MB of text, into out, and moves *m. Call again while ln_dict_grew. */
void ln_dict_put(const gl_dict *d, const ln_dict_mark *reach, ln_dict_mark *m, ln_buf *out);
/**
 * Adds a chunk's entries. Where entries before it are lost, stand-ins keep the ids right: at most *spare, which they use up,
 * as a few bytes could claim that millions are lost.
 */
int ln_dict_get(gl_dict *d, const uint8_t *bytes, size_t n, uint64_t *spare);

#endif
