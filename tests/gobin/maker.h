/*
 * Makes small Go programs, as far as a reader can tell: an ELF file with build information, a function table with inlined
 * calls, module data, type descriptors and code. Any release, position-independent or not, and wrong where a test wants it.
 */
#ifndef GOLANES_TEST_GOBIN_MAKER_H
#define GOLANES_TEST_GOBIN_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAKER_BASE UINT64_C(0x400000)
#define MAKER_ROOM 65536
#define MAKER_FUNCTIONS 16

typedef struct maker_function {
    const char *name;
    const uint8_t *code;
    size_t n;
    const char *inlined; /* a call of this was inlined into bytes 4 … 8 */
} maker_function;

typedef struct maker_options {
    unsigned minor;
    bool pie;
    const maker_function *functions;
    size_t function_count;
    const char *build;          /* lines of the module text; NULL: some */
    const char *version;        /* NULL: "go1.MINOR.3" */
    const char *without_struct; /* "g": no descriptor of runtime.g */
    const char *wrong_field;    /* "g.goid": 8 bytes behind where it should be */
} maker_options;

typedef struct maker {
    uint8_t bytes[MAKER_ROOM];
    size_t n;
    uint64_t entries[MAKER_FUNCTIONS]; /* addresses */
    size_t table, module, types, build, relocations; /* offsets in the file */
    uint64_t type_g, data;             /* addresses: a descriptor, 64 bytes of the program's variables */
} maker;

void maker_make(maker *m, const maker_options *o);
/* A file of it, in memory; its path into path. Close the descriptor. */
int maker_file(const uint8_t *bytes, size_t n, char *path, size_t size);
void maker_put(maker *m, size_t at, uint64_t v, unsigned size);

/* Code of functions that are to be hooked: a check, an entry, returns, a compare-and-swap. */
extern const maker_function maker_usual[];
extern const size_t maker_usual_count;

#endif
