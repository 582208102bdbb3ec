/*
 * Keyframes: all live goroutines before a chunk's first event.
 *
 * What never changes in a goroutine's life (creator, time of creation, start) stands in full keyframes only; the lighter
 * ones between name the full one they rest on, and repeat those fields only for goroutines that came after it.
 */
#ifndef GOLANES_LANES_KEYFRAME_H
#define GOLANES_LANES_KEYFRAME_H

#include "lanes/pack.h"
#include "lanes/track.h"

#define LN_KEYFRAME_FULL_EVERY 16u

/** Puts the rows; goroutines that became live in chunk `base` or later get their constant fields. */
int ln_keyframe_put(const ln_track *t, uint64_t base, ln_buf *out);

/**
 * Reads rows. full: the rows of the keyframe it rests on, sorted, or NULL where it rests on itself. *out is a growing
 * array.
 */
int ln_keyframe_get(const uint8_t *bytes, size_t n, const gl_goroutine_at *full, size_t full_n, gl_goroutine_at **out,
                    size_t *capacity, size_t *count);

#endif
