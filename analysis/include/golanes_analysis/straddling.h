/*
 * The operations that a GC pause cut, summed up: by start function, channel and place, how much of them lay inside pauses
 * and how long after the restart they went on, and who released them; and the worst of them.
 *
 * Memory: about a KB for each distinct (kind, start function, channel, place), at most GL_STRADDLING_MAX of them; past
 * that channels are no longer told apart.
 */
#ifndef GOLANES_ANALYSIS_STRADDLING_H
#define GOLANES_ANALYSIS_STRADDLING_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_STRADDLING_MAX 16384

typedef struct gl_straddling_group {
    gl_operation_kind kind;
    uint32_t group;
    uint64_t chan; /**< 0 not known */
    gl_site site;
    uint64_t n;           /**< that straddle a pause */
    gl_spread overlap;    /**< time of each inside pauses */
    gl_spread delay;      /**< from the restart until it went on, of those that were not on before */
    uint64_t took_ns;
    uint64_t released[GL_RELEASE_KINDS]; /**< of those that were woken */
    uint64_t released_inside;
    uint64_t during_gc, during_gc_ns; /**< met only concurrent marking, and how long */
} gl_straddling_group;

typedef struct gl_straddling_result {
    const gl_straddling_group *groups; /**< most time inside pauses first */
    size_t group_count;
    gl_straddling_group all; /**< of all kinds asked for */
    gl_straddling_group of_kind[GL_OPERATION_KINDS];
    const gl_send *worst;    /**< most time inside pauses first */
    size_t worst_count;
    const gl_send *worst_during_gc; /**< of those that met only marking */
    size_t worst_during_gc_count;
    bool cut; /**< channels were not told apart any more */
} gl_straddling_result;

typedef struct gl_straddling_options {
    unsigned kinds; /**< 1 << gl_operation_kind */
    size_t worst;
    bool cycle; /**< groups that met only marking too */
    bool (*wanted)(void *user, uint32_t group); /**< NULL: all start functions */
    void *user;
} gl_straddling_options;

typedef struct gl_straddling gl_straddling;
/** Watches s, which must outlive it. NULL: no memory. */
gl_straddling *gl_straddling_new(gl_summary *s, const gl_straddling_options *opt);
/** After gl_summary_finish. */
int gl_straddling_finish(gl_straddling *x, const gl_straddling_result **out) GL_MUST_CHECK;
void gl_straddling_destroy(gl_straddling *x);

#ifdef __cplusplus
}
#endif
#endif
