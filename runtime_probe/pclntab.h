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
/* ---- of formats 18 and 20, for those who look into functions ------------------------------------------------------- */

typedef struct gl_pclntab_func {
    gl_bytes bytes; /* its record, from its begin to the end of the table */
    uint64_t entry, end;
    const char *name;
    uint32_t sp, file, line; /* tables of values, offsets in gl_pclntab.values; 0: none */
    uint32_t unit, start_line, defer_return;
    uint32_t data_count; /* npcdata */
    uint8_t id, flag, func_data_count;
} gl_pclntab_func;

/** Function i, in order of addresses. False where its record is not sound. */
bool gl_pclntab_func_at(const gl_pclntab *t, uint64_t i, gl_pclntab_func *out);
/** The index of the function that an address is in; nfunc: none. */
uint64_t gl_pclntab_index(const gl_pclntab *t, uint64_t pc);
/** Table of PCDATA n (0: none), offset of FUNCDATA n (UINT32_MAX: none). */
uint32_t gl_pclntab_pcdata(const gl_pclntab_func *f, unsigned n);
uint32_t gl_pclntab_funcdata(const gl_pclntab_func *f, unsigned n);
/** A text of the table of names. Never NULL. */
const char *gl_pclntab_name(const gl_pclntab *t, uint32_t offset);
const char *gl_pclntab_file(const gl_pclntab *t, const gl_pclntab_func *f, uint64_t pc);
uint32_t gl_pclntab_line(const gl_pclntab *t, const gl_pclntab_func *f, uint64_t pc);
/** The value that a table has at an address; false: none there. */
bool gl_pclntab_value(const gl_pclntab *t, uint32_t table, uint64_t entry, uint64_t pc, int32_t *value);

/** Walks a table of values: the stretch [begin, end) has the value. */
typedef struct gl_pcvalues {
    const gl_pclntab *t;
    uint64_t at, begin, end;
    int32_t value;
    bool begun;
} gl_pcvalues;
void gl_pcvalues_begin(gl_pcvalues *w, const gl_pclntab *t, uint32_t table, uint64_t entry);
bool gl_pcvalues_next(gl_pcvalues *w);

/** Addresses from *low up to *high are in some function. */
bool gl_pclntab_range(const gl_pclntab *t, uint64_t *low, uint64_t *high);

#endif
