#include "kinds.h"

#include <string.h>

static const gl_span_look looks[GL_SPAN_KINDS] = {
#define GL_SPAN(name, role, glyph, word, legend) {GL_ROLE_##role, glyph, word, legend},
#include "kinds.def"
#undef GL_SPAN
};

const gl_span_look *gl_span_look_of(gl_span_kind kind) { return &looks[kind < GL_SPAN_KINDS ? kind : GL_SPAN_OTHER]; }

/* Go 1.26 src/runtime/traceruntime.go, traceBlockReasonStrings; the v1 importer uses the same words. First match
 * counts. */
static const struct {
    const char *part;
    gl_span_kind kind;
} reasons[] = {
    {"chan send", GL_SPAN_SEND},    {"chan receive", GL_SPAN_RECV}, {"select", GL_SPAN_SELECT},
    {"GC", GL_SPAN_GCWAIT},         {"sync", GL_SPAN_SYNC},         {"mutex", GL_SPAN_SYNC},
    {"semacquire", GL_SPAN_SYNC},   {"network", GL_SPAN_NET},       {"IO wait", GL_SPAN_NET},
    {"sleep", GL_SPAN_SLEEP},       {"timer", GL_SPAN_SLEEP},       {"system goroutine", GL_SPAN_GCWAIT},
};

gl_span_kind gl_span_kind_of_reason(const char *reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(reason, reasons[i].part))
            return reasons[i].kind;
    return GL_SPAN_OTHER;
}

/* Go 1.26 src/runtime/proc.go, stwReasonStrings: the collector's are those with its name in them. */
bool gl_stop_is_gc(const char *reason) { return strstr(reason, "GC") != NULL; }
