/*
 * How high something stood over the whole trace (a channel's fill, how many goroutines run), in a bounded number of
 * buckets: neighbours merge when the trace outgrows them. What is seen from afar comes from here.
 * Threads: works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_HISTORY_H
#define GOLANES_VIEWER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#define GL_HISTORY_FEW 128   /* buckets: of what there may be thousands of */
#define GL_HISTORY_MANY 2048 /* of what there is one of */

typedef struct gl_history_bucket {
    float mean, most; /**< over the time of the bucket */
} gl_history_bucket;

/** Zero-initialise; `buckets` is then given with each gl_history_set. */
typedef struct gl_history {
    gl_history_bucket *bucket; /**< mean holds level x ns until it is read */
    uint32_t n;
    unsigned shift;            /**< a bucket holds 1 << shift ns */
    int64_t begin;
    int64_t at;                /**< everything before this is in the buckets */
    int64_t end;               /**< of the bucket that is being filled */
    uint32_t now;              /**< that bucket */
    float level;
} gl_history;

/** From `time` on the level is this. Times that step back count as the latest so far. GL_E_NOMEM. */
int gl_history_set(gl_history *h, uint32_t buckets, int64_t time, double level) GL_MUST_CHECK;
/** The mean and the highest level from..to; what lies behind the last change counts with its level. */
gl_history_bucket gl_history_get(const gl_history *h, int64_t from, int64_t to);
void gl_history_clean_up(gl_history *h);

#endif
