/*
 * A window: everything that goroutines did in a stretch of time, as spans, taken from a keyframe and the events after
 * it. Windows are cached; what is asked for must hold a bounded number of events (gl_windows_get says where it does
 * not). Threads: one thread per gl_windows.
 */
#ifndef GOLANES_VIEWER_WINDOW_H
#define GOLANES_VIEWER_WINDOW_H

#include "model.h"
#include "stands.h"
#include "steps.h"

#define GL_WINDOW_EVENTS_MAX UINT64_C(300000)

/** Spans by what they ran on: Ps, or threads. */
typedef struct gl_window_units {
    uint32_t *spans;      /**< indexes of spans, unit by unit in order of time */
    gl_ids slot_of;
    gl_slot *slots;
    size_t count, capacity;
} gl_window_units;

typedef struct gl_window {
    int64_t from, to;
    gl_lane_span *spans;       /**< goroutine by goroutine, each in order of time */
    size_t count, capacity;
    gl_lane_span *sorted;      /**< room for putting them in order */
    size_t sorted_capacity;
    uint32_t *slot_of_gor; /**< by catalogue index: slot + 1, 0 none */
    size_t gor_capacity;
    gl_slot *slots;
    size_t slot_count, slot_capacity;
    gl_window_units procs, threads; /**< what ran on each; empty where want_units was not set */
    gl_steps steps;       /**< of channels */
    gl_heap_point *heap;  /**< every change of the heap, or its goal; 0 where that was not told yet */
    size_t heap_count, heap_capacity;
    uint64_t used;        /**< for the cache: when it was last asked for */
    uint64_t serial;      /**< no other window had or will have it */
    uint64_t revision;    /**< of the file, when it was read */
} gl_window;

#define GL_WINDOWS 3
typedef struct gl_windows {
    gl_model *model;
    gl_cursor *cursor;
    gl_window *w[GL_WINDOWS];
    gl_stands stands;
    uint64_t clock, serials;
    bool want_units;      /**< set before gl_windows_get: also index what ran on each P and thread */
} gl_windows;

int gl_windows_init(gl_windows *ws, gl_model *m, gl_error *err) GL_MUST_CHECK;
void gl_windows_clean_up(gl_windows *ws);
/** A window that covers from..to; it lives until the next call. GL_E_LIMIT: too many events, look from afar. */
int gl_windows_get(gl_windows *ws, int64_t from, int64_t to, const gl_window **out, gl_error *err) GL_MUST_CHECK;

/** Reads what gl_windows_get wants into an empty window. */
int gl_window_read(gl_windows *ws, int64_t from, int64_t to, gl_window *w, gl_error *err) GL_MUST_CHECK;

static inline uint32_t gl_window_slot(const gl_window *w, uint32_t gor)
{
    return gor < w->gor_capacity ? w->slot_of_gor[gor] - 1 : GL_NONE;
}
/** Spans of a goroutine; *n 0 where it has none here. */
const gl_lane_span *gl_window_spans(const gl_window *w, uint32_t gor, size_t *n);
/** Index of the first of n spans of a lane that ends after `time`, n none. */
size_t gl_spans_after(const gl_lane_span *spans, size_t n, int64_t time);
/** The span that holds `time`, NULL none. */
const gl_lane_span *gl_window_span_at(const gl_window *w, uint32_t gor, int64_t time);
/** Indexes of the spans that ran on a unit (of w->procs or w->threads). */
const uint32_t *gl_window_unit(const gl_window_units *us, uint32_t unit, size_t *n);
/** Makes the lists of both, and puts channels' steps in order, where that is not done yet. */
int gl_window_index(gl_window *w, const gl_model *m) GL_MUST_CHECK;
void gl_window_units_clean_up(gl_window_units *us);

#endif
