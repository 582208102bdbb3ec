/* Moving instructions to another address: what they do stays the same. */
#ifndef GOLANES_PATCH_RELOCATE_H
#define GOLANES_PATCH_RELOCATE_H

#include "asm.h"

/** Where an instruction of the displaced bytes went. */
typedef struct gl_moved {
    uint64_t from, to;
} gl_moved;
#define GL_MOVED_MAX 16

typedef struct gl_relocation {
    gl_moved moved[GL_MOVED_MAX];
    unsigned n;
    bool ends; /* the last one leaves: a return or an unconditional jump */
} gl_relocation;

/** Writes the instructions in bytes[0 … n-1], which lie at `from`, to where the assembler is. Adds to *r. False where one
    can't be moved (a call, a loop, a short reach, bytes that don't end with an instruction). */
bool gl_relocate(gl_asm *a, const uint8_t *bytes, size_t n, uint64_t from, gl_relocation *r);

#endif
