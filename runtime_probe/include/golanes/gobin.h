/*
 * A Go program's own table of functions: from a program counter to function, file and line, without debug information.
 * It is there in stripped programs too, as the runtime needs it for its stack traces. Formats of Go 1.2 to 1.27, for
 * little-endian ELF files.
 *
 * Threads: an open binary belongs to one thread at a time.
 */
#ifndef GOLANES_GOBIN_H
#define GOLANES_GOBIN_H

#include <stdbool.h>
#include <stdint.h>

#include "golanes/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_gobin gl_gobin;

/** Opens a program. Where it is not one of Go, or its table can't be read: a negative status, and *err says why. */
GL_API int gl_gobin_open(const char *path, gl_gobin **out, gl_error *err) GL_MUST_CHECK;
GL_API void gl_gobin_close(gl_gobin *bin);

/** Where in the source an address belongs. Texts live as long as the binary is open; "" and 0: not known. */
typedef struct gl_gobin_place {
    const char *func;
    const char *file;
    uint32_t line;
} gl_gobin_place;

/**
 * The place of an address; false where it is in no function. Functions that were inlined are not told apart. Addresses
 * are those of the file: a program that was loaded elsewhere (position-independent) needs its load address taken off
 * first; a return address needs 1 taken off to be the call's.
 */
GL_API bool gl_gobin_find(const gl_gobin *bin, uint64_t pc, gl_gobin_place *out);

/** How many functions the table has, and the Go version from which on its format is used: 2, 16, 18 or 20 (for 1.20). */
GL_API uint64_t gl_gobin_functions(const gl_gobin *bin);
GL_API unsigned gl_gobin_format(const gl_gobin *bin);

#ifdef __cplusplus
}
#endif
#endif
