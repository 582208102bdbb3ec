/*
 * Programs that are linked with golanes, as a source of a recording: a session behind the interface of probe_source.h.
 */
#include <stdio.h>

#include "golanes/probe_source.h"

static uint32_t emit_rings(void *self)
{
    return gl_session_rings(self);
}

static int emit_drain(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    return gl_session_drain(self, ring, sink, err);
}

static int emit_finish(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    return gl_session_finish(self, ring, sink, err);
}

static void emit_fill(void *self, uint32_t ring, uint64_t *waiting, uint64_t *size)
{
    gl_session_ring_info info;
    gl_session_ring_info_get(self, ring, &info);
    *waiting = info.waiting;
    *size = info.bytes;
}

static void emit_tend(void *self)
{
    (void)gl_session_tend(self);
}

static void emit_take_clock(void *self, gl_ring_pair *out)
{
    gl_session_take_clock(self, out);
}

static void emit_no_ring(void *self, gl_session_no_ring *out)
{
    gl_session_no_ring_get(self, out);
}

static void emit_stop(void *self)
{
    gl_session_listen(self, false);
}

static bool emit_explain(void *self, char *text, size_t size)
{
    uint32_t refused;
    if (gl_session_attached(self, &refused) && !refused)
        return false;
    if (refused)
        snprintf(text, size, "the program is linked with a golanes whose rings have version %u, this recorder knows version %u; "
                 "use the recorder of its golanes", refused, GL_RING_VERSION);
    else
        snprintf(text, size, "the program does not use golanes: it must be linked with it, and not have " GL_RING_ENV_OFF
                 "=off in its environment");
    return true;
}

static void emit_close(void *self)
{
    gl_session_close(self);
}

static const gl_probe_source_ops emit_ops = {
    .name = "emit",
    .rings = emit_rings,
    .drain = emit_drain,
    .finish = emit_finish,
    .fill = emit_fill,
    .tend = emit_tend,
    .take_clock = emit_take_clock,
    .no_ring = emit_no_ring,
    .stop = emit_stop,
    .explain = emit_explain,
    .close = emit_close,
};

static void make_source(gl_session *s, pid_t pid, gl_probe_source *out)
{
    *out = (gl_probe_source){.ops = &emit_ops, .self = s, .clock = gl_session_clock(s), .pid = (uint32_t)pid};
}

/* Any program may start one that emits. Of a process, joining says more than a look from outside could. */
static int emit_fits(const gl_probe_target *target, gl_error *err)
{
    (void)target;
    (void)err;
    return 1;
}

static int emit_prepare(const gl_probe_target *target, gl_probe_start *start, void **state, gl_error *err)
{
    gl_session *s;
    int status = gl_session_create(&target->rings, &s, err);
    if (status < 0)
        return status;
    start->fds[start->fd_count++] = gl_session_fd(s);
    gl_session_environment(s, start->environment[start->environment_count++], sizeof start->environment[0]);
    gl_session_listen(s, true);
    *state = s;
    return 0;
}

static int emit_started(void *state, pid_t pid, gl_probe_source *out, gl_error *err)
{
    (void)err;
    make_source(state, pid, out);
    return 0;
}

static int emit_join(const gl_probe_target *target, gl_probe_source *out, gl_error *err)
{
    gl_session *s;
    int status = gl_session_join(target->pid, &target->rings, &s, err);
    if (status < 0)
        return status;
    gl_session_listen(s, true);
    make_source(s, target->pid, out);
    return 0;
}

const gl_probe_provider gl_probe_emit = {
    .name = "emit",
    .fits = emit_fits,
    .prepare = emit_prepare,
    .started = emit_started,
    .discard = emit_close,
    .join = emit_join,
};
