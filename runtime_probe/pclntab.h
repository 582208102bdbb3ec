/*
 * The table itself ("pclntab"), as bytes in memory. Nothing in it is believed before it was compared with its length.
 */
#ifndef GOLANES_PCLNTAB_H
#define GOLANES_PCLNTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/gobin.h"

typedef struct gl_bytes {
    const uint8_t *at;
    uint64_t n;
} gl_bytes;

typedef struct gl_pclntab {
    gl_bytes all, functab, funcs, names, units, files, values;
    uint64_t nfunc;
    uint64_t text;     /* address of the first instruction, from 1.18 on: the caller sets it where it is 0 */
    unsigned format;   /* 2, 16, 18, 20 */
    unsigned pointer;  /* 4 or 8 */
    unsigned quantum;  /* of an instruction's length */
} gl_pclntab;

/** Bytes from a header on that tell whether a table may begin there. */
#define GL_PCLNTAB_HEADER 8
/** Offset, from the table's begin, of the word that held the address of the text up to Go 1.25. */
#define GL_PCLNTAB_TEXT_WORD(pointer) (8 + 2 * (pointer))

/** True where these bytes can be the first of a little-endian table. */
bool gl_pclntab_begins(const uint8_t *p, size_t n);
/** Takes the table apart. False where it contradicts itself. The bytes stay the caller's. */
bool gl_pclntab_parse(gl_pclntab *t, const uint8_t *p, uint64_t n);
/** Function, file and line of an address; false where it is in no function. */
bool gl_pclntab_find(const gl_pclntab *t, uint64_t pc, gl_gobin_place *out);
/** Addresses from *low up to *high are in some function. */
bool gl_pclntab_range(const gl_pclntab *t, uint64_t *low, uint64_t *high);

#endif
