/*
 * Each stop of the world: why, how long, how long it took to stop and who stopped last, and what it held up.
 *
 * How long it took to stop: the event that begins a stop is written before the processors are asked to give up, and each
 * of those that ran is seen to stop; the last one to do so ends the stopping. Where one of them is not seen, it is not
 * known.
 *
 * Memory: about 150 bytes a pause, for the first GL_PAUSES_MAX.
 */
#ifndef GOLANES_ANALYSIS_PAUSES_H
#define GOLANES_ANALYSIS_PAUSES_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_PAUSES_MAX ((size_t)1 << 17)

typedef struct gl_pause {
    int64_t begin, end; /**< end of one that never ended: that of the trace */
    uint32_t reason;
    bool gc, open_end;
    uint64_t g; /**< who stopped the world, 0 not known */
    uint32_t group;
    gl_site site;         /**< where it did */
    uint32_t running;     /**< other processors that ran then */
    int64_t stopping_ns;  /**< until the last of them had stopped; -1 not known */
    uint64_t last_g;      /**< who ran there, 0 nobody or not known */
    uint32_t last_p, last_group;
    gl_site last_site;    /**< where it was when it stopped */
    uint64_t delayed;     /**< waits for a processor that it was a part of */
    uint64_t delayed_ns;  /**< their time inside it */
    uint64_t sends;       /**< sends (or operations of the kinds asked for) that straddle it */
    uint64_t sends_ns;    /**< their time inside it */
} gl_pause;

typedef struct gl_pauses_result {
    const gl_pause *list; /**< in order of their begin */
    size_t count;
    uint64_t in_all; /**< more than count where there were too many to keep */
    uint64_t stopping_known, stopping_ns;
    gl_spread stopping; /**< of those where it is known */
} gl_pauses_result;

typedef struct gl_pauses gl_pauses;
/** Watches s, which must outlive it. kinds: 1 << gl_operation_kind, of the operations to count. NULL: no memory. */
gl_pauses *gl_pauses_new(gl_summary *s, const gl_dict *dict, unsigned kinds);
/** The spread of the lengths of all stops, or of those of the collector. */
int gl_pauses_lengths(const gl_pauses_result *r, bool gc_only, gl_spread *out) GL_MUST_CHECK;
/** After gl_summary_finish. end_ns: that of the trace. */
int gl_pauses_finish(gl_pauses *p, int64_t end_ns, const gl_pauses_result **out) GL_MUST_CHECK;
void gl_pauses_destroy(gl_pauses *p);

#ifdef __cplusplus
}
#endif
#endif
