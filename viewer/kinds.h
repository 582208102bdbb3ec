/*
 * Kinds of stretches on a lane (kinds.def) and which kind a wait reason of Go belongs to.
 * Threads: constant data.
 */
#ifndef GOLANES_VIEWER_KINDS_H
#define GOLANES_VIEWER_KINDS_H

#include "golanes/events.h"
#include "theme.h"

typedef enum gl_span_kind {
#define GL_SPAN(name, role, glyph, word, legend) GL_SPAN_##name,
#include "kinds.def"
#undef GL_SPAN
    GL_SPAN_KINDS
} gl_span_kind;

typedef struct gl_span_look {
    gl_role role;
    const char *glyph, *word, *legend;
} gl_span_look;

/** kind below GL_SPAN_KINDS. */
const gl_span_look *gl_span_look_of(gl_span_kind kind);
/** True for what is drawn as a filled stretch and holds a processor or would. */
static inline bool gl_span_is_busy(gl_span_kind kind)
{
    return kind == GL_SPAN_RUNNING || kind == GL_SPAN_ASSIST || kind == GL_SPAN_SYSCALL;
}
static inline bool gl_span_is_wait(gl_span_kind kind) { return kind >= GL_SPAN_SEND && kind <= GL_SPAN_OTHER; }

/** The kind of waiting that Go's wait reason ("chan send", "sync.Mutex.Lock") stands for. */
gl_span_kind gl_span_kind_of_reason(const char *reason);
/** True where a stop-the-world reason is the collector's. */
bool gl_stop_is_gc(const char *reason);

#endif
