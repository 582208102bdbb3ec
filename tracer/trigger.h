/*
 * When a flight recorder writes: conditions on events, in a small language.
 *
 *     stw>5ms                 a stop-the-world that lasted longer
 *     send-straddle>10ms      a send that lasted longer and had a GC pause in it
 *     panic                   a goroutine panicked
 *     goroutines>10000        so many live
 *     event=ChanClose         an event of that name, or of that operation
 *     A && B                  both at one event         A || B, or A, B       either
 *
 * Threads: one.
 */
#ifndef GOLANES_TRIGGER_H
#define GOLANES_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/dict.h"
#include "golanes/error.h"
#include "golanes/events.h"

typedef struct gl_trigger gl_trigger;

/** *at: where in the text the mistake is, as err says. GL_E_USAGE, GL_E_NOMEM. The text is copied. */
int gl_trigger_parse(const char *text, gl_trigger **out, size_t *at, gl_error *err) GL_MUST_CHECK;
void gl_trigger_free(gl_trigger *t);
const char *gl_trigger_text(const gl_trigger *t);
/** Sees every event of the trace, in order; true where the condition holds now. goroutines: alive after the event. */
bool gl_trigger_event(gl_trigger *t, const gl_dict *dict, const gl_event *ev, uint64_t goroutines);

#endif
