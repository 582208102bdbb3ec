/* One source of field offsets, and how sources are asked. */
#ifndef GOLANES_GOBIN_LAYOUT_H
#define GOLANES_GOBIN_LAYOUT_H

#include "golanes/golayout.h"

#include "program.h"

#define GL_OFFSET_UNKNOWN (-2) /* the source does not say */
#define GL_OFFSET_ABSENT (-1)  /* the source says that there is no such field */
#define GL_OFFSET_MAX 65536

enum { GL_STRUCT_G, GL_STRUCT_M, GL_STRUCT_P, GL_STRUCT_HCHAN, GL_STRUCT_SUDOG, GL_STRUCT_SCASE, GL_STRUCTS };
extern const char *const gl_struct_names[GL_STRUCTS];

#define GL_GOFIELD(...) +1
enum {
    GL_FIELDS = 0
#include "golanes/gofields.def"
};

typedef struct gl_offsets {
    int32_t field[GL_FIELDS];
    int32_t size[GL_STRUCTS];
    bool any;
} gl_offsets;

void gl_offsets_from_types(const gl_goprog *p, gl_offsets *out);
/** Opens the program's file again; says nothing where that is no more the same file, or has no debug information. */
void gl_offsets_from_dwarf(const gl_goprog *p, gl_offsets *out);
void gl_offsets_known(unsigned minor, gl_offsets *out);

/* A struct type in some source, and how to go from one to a member's. */
typedef struct gl_type_ref {
    uint64_t address; /* of a descriptor */
    uint64_t die;     /* offset in the debug information */
} gl_type_ref;
typedef bool (*gl_member_fn)(void *source, gl_type_ref type, const char *name, size_t n, gl_type_ref *inner, uint64_t *offset);
/** Offset along a path ("a.b|c": the first alternative that exists), or GL_OFFSET_ABSENT. */
int32_t gl_offset_by_path(gl_member_fn member, void *source, gl_type_ref type, const char *path);

#endif
