/*
 * Type descriptors: what the linker leaves of each type for the runtime and for package reflect. Layout of 1.18 to 1.27:
 * src/internal/abi/type.go (src/runtime/type.go before 1.21).
 */
#ifndef GOLANES_GOBIN_TYPES_H
#define GOLANES_GOBIN_TYPES_H

#include "program.h"

/** The descriptor of a struct type of a package ("runtime", "g"); 0: there is none. */
uint64_t gl_types_struct(const gl_goprog *p, const char *package, const char *name);
/** Size of the type's values; 0 where it can't be read. */
uint64_t gl_types_size(const gl_goprog *p, uint64_t type);

typedef struct gl_types_member {
    uint64_t type, offset;
} gl_types_member;
/** A field by its name; the first word of the path counts, n bytes long. */
bool gl_types_field(const gl_goprog *p, uint64_t type, const char *name, size_t n, gl_types_member *out);

#endif
