/*
 * Rules of the life of goroutines and channels that are broken, and what looks wrong: each finding has its evidence (when,
 * who, where, how much).
 *
 * Memory: some bytes for each goroutine that yields or looks into channels without waiting, and the findings kept.
 */
#ifndef GOLANES_ANALYSIS_ANOMALIES_H
#define GOLANES_ANALYSIS_ANOMALIES_H

#include "golanes_analysis/channels.h"
#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gl_anomaly_kind {
    GL_ANOMALY_SEND_ON_CLOSED,
    GL_ANOMALY_CLOSE_OF_CLOSED,
    GL_ANOMALY_CLOSE_OF_NIL,
    GL_ANOMALY_PANIC,
    GL_ANOMALY_NO_UNPARK,
    GL_ANOMALY_IMPOSSIBLE,
    GL_ANOMALY_EXPLOSION,
    GL_ANOMALY_BUSY_SELECT,
    GL_ANOMALY_GOSCHED_STORM,
    GL_ANOMALY_TIMER_STORM,
    GL_ANOMALY_LONG_RUNNABLE,
    GL_ANOMALY_DELAYED_UNPARK,
    GL_ANOMALY_LOST,
    GL_ANOMALY_KINDS
} gl_anomaly_kind;

typedef struct gl_anomaly_info {
    const char *name;    /**< "send-on-closed" */
    const char *meaning; /**< a sentence */
    bool recorded_only;  /**< a trace that Go wrote cannot show it */
} gl_anomaly_info;
extern const gl_anomaly_info gl_anomaly_kinds[GL_ANOMALY_KINDS];

/** What counts; changed by tests only. */
#define GL_ANOMALY_LONG_RUNNABLE_NS INT64_C(10000000)
#define GL_ANOMALY_DELAYED_NS INT64_C(100000)
#define GL_ANOMALY_BUSY_LEAST 1000       /**< looks into channels in a row */
#define GL_ANOMALY_BUSY_GAP_NS 10000     /**< mean distance of these */
#define GL_ANOMALY_GOSCHED_LEAST 1000    /**< yields in a row */
#define GL_ANOMALY_GOSCHED_GAP_NS 20000
#define GL_ANOMALY_TIMERS_LEAST 1000     /**< waits ended by timers within */
#define GL_ANOMALY_TIMERS_NS INT64_C(10000000)
#define GL_ANOMALY_EXPLOSION_LEAST 1000  /**< goroutines more than at some moment within the last */
#define GL_ANOMALY_EXPLOSION_NS INT64_C(100000000)
#define GL_ANOMALY_DEATH_NS INT64_C(100000000) /**< from a panic to the end of the trace, at most */

typedef struct gl_anomaly {
    gl_anomaly_kind kind;
    int64_t begin, end; /**< equal for what has no length */
    uint64_t g;         /**< whom it is about, 0 nobody */
    uint32_t group;
    gl_site site;       /**< where */
    uint64_t count;     /**< how many, 1 where it is one */
    uint64_t ns;        /**< how long, of what the kind is about */
    uint64_t chan;      /**< 0 none */
    uint32_t text;      /**< string id: a panic's message, why events were lost */
    uint64_t other_g;   /**< who closed it, woke it, stopped the world; 0 nobody */
    uint32_t other_group;
    gl_site other_site;
    int64_t other_at;   /**< when, -1 not known */
    bool waiting;       /**< a send that waited already when the channel was closed */
    uint8_t state, left_as; /**< of an impossible move */
} gl_anomaly;

typedef struct gl_anomalies_kind_figures {
    uint64_t n;     /**< findings */
    uint64_t count; /**< the sum of theirs */
    uint64_t ns;
    bool can_tell;  /**< the trace would show it */
} gl_anomalies_kind_figures;

typedef struct gl_anomalies_result {
    gl_anomalies_kind_figures kind[GL_ANOMALY_KINDS];
    const gl_anomaly *list; /**< by kind, the weightiest of each first */
    size_t count;
    uint64_t in_all;
} gl_anomalies_result;

typedef struct gl_anomalies gl_anomalies;
/** Watches s. keep: findings of each kind. Make it before the channels that it is told of. NULL: no memory. */
gl_anomalies *gl_anomalies_new(gl_summary *s, const gl_dict *dict, size_t keep);
/** Who closed what comes from there. It must outlive a. */
void gl_anomalies_set_channels(gl_anomalies *a, const gl_channels *channels);
/** After gl_summary_finish, before gl_channels_finish. */
int gl_anomalies_finish(gl_anomalies *a, int64_t end_ns, const gl_anomalies_result **out) GL_MUST_CHECK;
void gl_anomalies_destroy(gl_anomalies *a);

#ifdef __cplusplus
}
#endif
#endif
