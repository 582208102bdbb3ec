/*
 * Wait, stop and stop-the-world reasons: each text gets a small number at first sight, so that the counters of an event
 * are one array access away and no text is compared twice.
 */
#ifndef GOLANES_ANALYSIS_REASONS_H
#define GOLANES_ANALYSIS_REASONS_H

#include "distribution.h"
#include "golanes/dict.h"
#include "golanes_analysis/summary.h"

#define GL_REASONS_MAX 250 /* Go knows about twenty; what a damaged trace has beyond shares number 0 */

/** What a wait is for, as far as it matters here. */
typedef enum gl_wait_kind {
    GL_WAIT_OTHER,
    GL_WAIT_SEND,
    GL_WAIT_RECV,
    GL_WAIT_SELECT,
    GL_WAIT_IDLE,
    GL_WAIT_RUNTIME,
    GL_WAIT_SYNC /* mutexes and wait groups */
} gl_wait_kind;

typedef struct gl_reason {
    gl_reason_figures figures; /* spreads are filled at the end */
    gl_dist wait, stw;
    uint8_t kind; /* gl_wait_kind */
    bool gc;      /* as the reason of a stop-the-world: the collector's */
} gl_reason;

typedef struct gl_reasons {
    const gl_dict *dict;
    uint8_t *numbers; /* by string id: number + 1 */
    size_t capacity;
    gl_reason *list;
    unsigned count;
    int status; /* sticky */
} gl_reasons;

int gl_reasons_init(gl_reasons *r, const gl_dict *dict) GL_MUST_CHECK;
void gl_reasons_clean_up(gl_reasons *r);
uint8_t gl_reasons_add(gl_reasons *r, uint32_t string);

/** The number of a reason. Number 0 is "". */
static inline uint8_t gl_reasons_find(gl_reasons *r, uint32_t string)
{
    if (string < r->capacity && r->numbers[string])
        return (uint8_t)(r->numbers[string] - 1);
    return gl_reasons_add(r, string);
}

/** Fills *out from d. */
int gl_spread_of(const gl_dist *d, gl_spread *out) GL_MUST_CHECK;

#endif
