/*
 * What the two importers of Go traces share: their entry points, the run of events on its way to the consumer, the list
 * of damages, and the reader of LEB128 numbers. Internal to format/gotrace.
 *
 * Threads: every object here belongs to one import.
 */
#ifndef GOLANES_GOTRACE_INTERNAL_H
#define GOLANES_GOTRACE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"
#include "golanes/gotrace.h"
#include "golanes/input.h"

/** The header of every Go trace: "go 1.N trace" and zeros. */
#define GL_GOTRACE_HEADER_BYTES 16

/*
 * version: what gl_gotrace_detect found. The dispatcher has zeroed *result and filled header_version and bytes_total
 * before the call, and sets complete = false where the part left damages behind.
 */
int gl_v1_import(gl_input *in, const gl_gotrace_options *opt, unsigned version, gl_gotrace_result *result,
                 gl_error *err);
int gl_v2_import(gl_input *in, const gl_gotrace_options *opt, unsigned version, gl_gotrace_result *result,
                 gl_error *err);
/* *out is zeroed but for header_version and bytes_total; span_ns is -1. */
int gl_v1_look(gl_input *in, unsigned version, gl_gotrace_glance *out, gl_error *err);
int gl_v2_look(gl_input *in, unsigned version, gl_gotrace_glance *out, gl_error *err);

/*
 * Events on their way to the consumer, handed over in runs.
 */
#define GL_EVENT_RUN 256

typedef struct gl_event_run {
    gl_event_fn on_events;
    void *user;
    gl_gotrace_result *result; /* counts what was delivered */
    size_t n;
    gl_event events[GL_EVENT_RUN];
} gl_event_run;

void gl_event_run_init(gl_event_run *run, const gl_gotrace_options *opt, gl_gotrace_result *result);
/** Hands over what is there. 0, or the consumer's code. */
int gl_event_run_flush(gl_event_run *run) GL_MUST_CHECK;

/**
 * A zeroed place for the next event (thread, p: none); it counts as delivered from now on. NULL: the consumer stopped;
 * the code is in *rc. Fill it before the next call.
 */
static inline gl_event *gl_event_run_next(gl_event_run *run, int *rc)
{
    if (run->n == GL_EVENT_RUN) {
        *rc = gl_event_run_flush(run);
        if (*rc < 0)
            return NULL;
    }
    gl_event *ev = &run->events[run->n++];
    memset(ev, 0, sizeof *ev);
    ev->thread = GL_NO_THREAD;
    ev->p = GL_NO_PROC;
    return ev;
}

/** A Lost event at a place in the stream. until: ns up to which something is missing. */
int gl_event_run_lost(gl_event_run *run, gl_dict *dict, int64_t time, int64_t until, uint64_t events, uint64_t bytes,
                      const char *reason) GL_MUST_CHECK;

/**
 * Puts one stretch on the list of damages (the first GL_GOTRACE_DAMAGES_MAX are kept, all are counted), adds to
 * bytes_lost and events_lost, and makes the result incomplete. Times -1: not known.
 */
void gl_damage_add(gl_gotrace_result *result, uint64_t offset, uint64_t bytes, uint64_t events, int64_t time_from,
                   int64_t time_to, const char *fmt, ...) GL_PRINTF(7, 8);

/*
 * LEB128 as encoding/binary.Uvarint has it: at most ten bytes, and the tenth at most 1.
 */

/** Reads one number at *at; false where it is cut or too long (*at then unchanged). */
static inline bool gl_leb_read(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    const uint8_t *p = *at;
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (p == end)
            return false;
        uint8_t b = *p++;
        if (shift == 63 && b > 1)
            return false;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *at = p;
            *value = v;
            return true;
        }
    }
    return false;
}

#endif
