/*
 * A list that may become larger than memory should hold: from some size on it lies in a nameless file, of which the system
 * keeps in memory what is used. Elements are reached as those of any array; whoever walks along all of them gives back
 * what lies behind (gl_spill_rest).
 * Threads: works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_SPILL_H
#define GOLANES_VIEWER_SPILL_H

#include "ids.h"

#define GL_SPILL_FROM (UINT64_C(48) << 20) /* bytes */

typedef struct gl_spill {
    void *map;      /**< NULL: the list is in memory */
    size_t bytes;   /**< of the mapping */
    int fd;         /**< of the file + 1; 0: none */
    bool refused;   /**< no file can be had: memory has to do */
} gl_spill;

/** As gl_list_grow. from: bytes from which on the list is to lie in a file. */
int gl_spill_grow(gl_spill *s, void *list_address, size_t *capacity, size_t n, size_t size, size_t from) GL_MUST_CHECK;
/** Lets go of the memory of what is in the file; it comes back when it is used. */
void gl_spill_rest(const gl_spill *s);
/** Frees the list. */
void gl_spill_free(gl_spill *s, void *list);

#endif
