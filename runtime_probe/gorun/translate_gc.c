/* The collector, and stops of the world. */
#include <string.h>

#include "translate_internal.h"

void gl_turn_gc_start(const gl_turn *x)
{
    gl_turn_event(x, GL_EV_GCStart, x->g)->arg[0] = ++x->t->cycle;
}

void gl_turn_gc_end(const gl_turn *x)
{
    gl_turn_event(x, GL_EV_GCEnd, x->g)->arg[0] = x->t->cycle;
}

/**
 * Until 1.20 no reason is given, but each has a function of its own that asks for it (the callers of stopTheWorld,
 * stopTheWorldGC and stopTheWorldWithSema in src/runtime of 1.18 to 1.20). The texts are those that later releases give.
 */
static const struct {
    const char *function, *reason;
} askers[] = {
    {"runtime.gcStart", "GC sweep termination"},
    {"runtime.gcMarkDone", "GC mark termination"},
    {"runtime.ReadMemStats", "read mem stats"},
    {"runtime.GOMAXPROCS", "GOMAXPROCS"},
    {"runtime.goroutineProfileWithLabelsConcurrent", "goroutine profile"},
    {"runtime.goroutineProfileWithLabelsSync", "goroutine profile"},
    {"runtime.goroutineProfileWithLabels", "goroutine profile"},
    {"runtime.Stack", "all goroutines stack trace"},
    {"syscall.runtime_doAllThreadsSyscall", "AllThreadsSyscall"},
    {"runtime.syscall_runtime_doAllThreadsSyscall", "AllThreadsSyscall"},
    {"runtime.StartTrace", "start trace"},
    {"runtime.StopTrace", "stop trace"},
    {"runtime/debug.WriteHeapDump", "write heap dump"},
    {"runtime.runtime_debug_WriteHeapDump", "write heap dump"},
};

/** A function, or a closure in it ("runtime.gcStart.func2"). */
static bool is_in(const char *name, const char *function)
{
    size_t n = strlen(function);
    return strncmp(name, function, n) == 0 && (name[n] == '\0' || name[n] == '.');
}

static const char *reason_of_caller(const gl_translated *p, uint64_t return_address)
{
    gl_gofunc f;
    if (return_address == 0 || !gl_goprog_func_of(p->prog, return_address - p->bias - 1, &f))
        return NULL;
    for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
        if (is_in(f.name, askers[i].function))
            return askers[i].reason;
    return NULL;
}

static const char *stop_reason(const gl_turn *x)
{
    const gl_translated *p = &x->t->of;
    size_t more = (x->r->g >> GL_PATCH_EXTRA_SHIFT) != 0 ? GL_PATCH_UNIT / 8 : 0;
    if (p->minor > 20)
        return gl_goprog_stop_reason(p->minor, x->r->a);
    const char *reason = reason_of_caller(p, x->r->arg);
    for (size_t i = 0; !reason && i < more; i++)
        reason = reason_of_caller(p, x->more[i]);
    return reason;
}

void gl_turn_stop(const gl_turn *x)
{
    const char *reason = stop_reason(x);
    x->t->stop_reason = reason ? gl_translate_text(x->t, reason, strlen(reason)) : x->t->empty_text;
    gl_turn_event(x, GL_EV_GCSTWBegin, x->g)->arg[0] = x->t->stop_reason;
}

void gl_turn_stop_end(const gl_turn *x)
{
    x->t->restarts++;
    gl_turn_event(x, GL_EV_GCSTWEnd, x->g)->arg[0] = x->t->stop_reason;
}

void gl_turn_assist(const gl_turn *x)
{
    gl_turn_event(x, GL_EV_GCMarkAssistBegin, x->g);
}

void gl_turn_assist_end(const gl_turn *x)
{
    gl_turn_event(x, GL_EV_GCMarkAssistEnd, x->g);
}
