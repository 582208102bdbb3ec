/*
 * Where the fields of the runtime's structures lie, in one program. They differ from release to release, so they are read
 * out of the program itself: from its type descriptors (which every program has), compared with its debug information
 * where there is one, and with what is known of its release (gofields.def). Where two sources disagree, or a field that is
 * needed is in none, the answer is a refusal: a wrong offset would make a hook write where it must not.
 */
#ifndef GOLANES_GOLAYOUT_H
#define GOLANES_GOLAYOUT_H

#include "golanes/goprog.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Offsets in bytes, -1: this release has no such field. Names are struct_field: layout.g_atomicstatus. */
typedef struct gl_golayout {
#define GL_GOFIELD(structure, name, path, need, ...) int32_t structure##_##name;
#include "golanes/gofields.def"
    int32_t g_size, m_size, p_size, hchan_size, sudog_size, scase_size;
    uint8_t sources;          /**< which GL_GOLAYOUT_* agreed */
} gl_golayout;

#define GL_GOLAYOUT_TYPES 1u /**< the program's type descriptors */
#define GL_GOLAYOUT_DWARF 2u /**< its debug information */
#define GL_GOLAYOUT_KNOWN 4u /**< the table of known releases */

/** One row of the table. */
typedef struct gl_gofield {
    const char *structure, *name, *path; /**< path: alternatives separated by '|', the first that exists counts */
    bool needed;                         /**< without it there is no recording */
    size_t member;                       /**< its place in gl_golayout */
} gl_gofield;
extern const gl_gofield gl_gofields[];
extern const size_t gl_gofield_count;

/** 0, or GL_E_UNSUPPORTED with a sentence that names the field and the sources that disagree. */
GL_API int gl_goprog_layout(const gl_goprog *p, gl_golayout *out, gl_error *err) GL_MUST_CHECK;
/** A field by its row: -1 where the release has none. */
GL_API int32_t gl_golayout_field(const gl_golayout *l, const gl_gofield *f);

/** Names of wait reasons and of reasons to stop the world, as that release numbers them; NULL: no such number. */
GL_API const char *gl_goprog_wait_reason(unsigned minor, unsigned number);
GL_API const char *gl_goprog_stop_reason(unsigned minor, unsigned number);

/** Addresses of the runtime's variables; 0: not found. */
typedef struct gl_govars {
    uint64_t allgs;  /**< []*g */
    uint64_t allm;   /**< *m, a list by m.alllink */
    uint64_t allp;   /**< []*p */
    uint64_t work_cycles; /**< uint32: garbage collection cycles begun */
} gl_govars;
GL_API void gl_goprog_vars(const gl_goprog *p, gl_govars *out);

/**
 * Whether what the layout and the variables say holds in a running (better: stopped) process: every goroutine of allgs has
 * a state, an id, a stack, a start function that are possible, those that run belong to an M that says the same, and whose
 * thread is one of the process. GL_E_NOT_FOUND: the runtime has not started yet, so nothing could be checked.
 */
GL_API int gl_goprog_check_live(const gl_goprog *p, const gl_golayout *l, const gl_govars *v, const gl_gomemory *mem,
                                uint64_t bias, const int *threads, size_t n, gl_error *err) GL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
