/* The patch backend as the recorder sees it. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "golanes/clock.h"
#include "golanes/goprocess.h"
#include "golanes/probe_patch.h"
#include "reader.h"

typedef struct patch_source {
    gl_patch p;
    gl_translation t;
    gl_reader reader;
    bool stopped;
} patch_source;

static gl_probe_patch_options chosen;

void gl_probe_patch_choose(const gl_probe_patch_options *opt)
{
    chosen = *opt;
}

static gl_patch_options options(const gl_probe_target *target)
{
    static const gl_patch_stacks stacks[] = {[GL_PROBE_STACKS_BLOCK] = GL_STACKS_BLOCK,
                                             [GL_PROBE_STACKS_NONE] = GL_STACKS_NONE,
                                             [GL_PROBE_STACKS_ALL] = GL_STACKS_ALL};
    return (gl_patch_options){.stacks = stacks[chosen.stacks], .frames = chosen.frames, .exact = chosen.exact_times,
                              .large_bytes = target->rings.large_bytes, .gate = target->gate};
}

/* Source */

static uint32_t rings(void *self)
{
    (void)self;
    return 1; /* they are put in order here, so that they are one to the recorder */
}

static int drain(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    (void)ring;
    patch_source *s = self;
    return gl_reader_drain(&s->reader, sink, false, err);
}

static int finish(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    (void)ring;
    patch_source *s = self;
    return gl_reader_drain(&s->reader, sink, true, err);
}

static void fill(void *self, uint32_t ring, uint64_t *waiting, uint64_t *size)
{
    (void)ring;
    patch_source *s = self;
    *waiting = gl_reader_waiting(&s->reader);
    *size = GL_PATCH_RING_BYTES;
}

static void tend(void *self)
{
    patch_source *s = self;
    gl_patch_memory_tend(&s->p);
}

static void take_clock(void *self, gl_ring_pair *out)
{
    (void)self;
    gl_clock_take(GL_RING_CLOCK_TSC, out);
}

static int begin(void *self, const gl_session_sink *sink, gl_error *err)
{
    patch_source *s = self;
    s->t.sink = sink;
    s->t.status = 0;
    gl_translate_snapshot(&s->t);
    if (s->p.left > 0)
        gl_translate_lost(&s->t, UINT32_MAX, s->p.left, s->p.begin_ticks, s->p.begin_ticks, "left by a recorder that was killed");
    gl_translate_flush(&s->t);
    if (s->t.status >= 0)
        return 0;
    return gl_fail(err, (gl_status)s->t.status, UINT64_MAX, "the state of process %d can't be written: %s", (int)s->p.pid,
                   gl_status_text(s->t.status));
}

static void no_ring(void *self, gl_session_no_ring *out)
{
    patch_source *s = self;
    memset(out, 0, sizeof *out);
    out->events = __atomic_load_n(&s->p.header->no_ring, __ATOMIC_RELAXED);
    out->first = s->p.begin_ticks;
    out->last = __atomic_load_n(&s->p.header->no_ring_last, __ATOMIC_RELAXED);
}

/** The program's image has our memory in it until the process ends, or executes another program. */
static bool alive(void *self)
{
    patch_source *s = self;
    return gl_patch_is_there(&s->p);
}

static void stop(void *self)
{
    patch_source *s = self;
    gl_error err;
    if (!s->stopped && gl_patch_detach(&s->p, &err) == 0)
        s->stopped = true;
}

static size_t places(void *self, uint32_t pid, uint64_t pc, gl_probe_place *out, size_t n)
{
    patch_source *s = self;
    return gl_translate_places(&s->t, pid, pc, out, n);
}

static int meta(void *self, int (*put)(void *user, const char *key, const char *value), void *user)
{
    patch_source *s = self;
    char text[32], sites[16];
    snprintf(text, sizeof text, "%.3f", (double)s->p.stop_ns / 1e6);
    snprintf(sites, sizeof sites, "%u", s->p.hook_count);
    int rc = put(user, "patch.sites", sites);
    return rc >= 0 && s->p.snapshot.gs ? put(user, "patch.stop_ms", text) : rc;
}

static int gate(void *self, size_t *offset)
{
    patch_source *s = self;
    *offset = offsetof(gl_patch_header, gate);
    return s->p.opt.gate && s->p.gate_count ? fcntl(s->p.fd, F_DUPFD_CLOEXEC, 3) : -1;
}

static void close_source(void *self)
{
    patch_source *s = self;
    stop(s);
    gl_reader_end(&s->reader);
    gl_translation_end(&s->t);
    gl_patch_close(&s->p);
    free(s);
}

static const gl_probe_source_ops ops = {
    .name = "patch",
    .rings = rings,
    .drain = drain,
    .finish = finish,
    .fill = fill,
    .tend = tend,
    .take_clock = take_clock,
    .begin = begin,
    .no_ring = no_ring,
    .alive = alive,
    .stop = stop,
    .places = places,
    .meta = meta,
    .gate = gate,
    .close = close_source,
};

/* Provider */

/** Its file could not be opened: mostly because we have no right to it. 0, or why not. */
static int may_trace(pid_t pid, gl_error *err)
{
    gl_goprocess *look = malloc(sizeof *look);
    int rc = look ? gl_goprocess_look(pid, look, err) : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    if (rc >= 0)
        rc = gl_goprocess_check(look, err);
    free(look);
    return rc;
}

static int is_go(const gl_probe_target *target, gl_error *err)
{
    gl_goprog *prog;
    gl_goprog_refusal why = GL_GOPROG_READABLE;
    int rc = target->pid ? gl_goprog_open_pid(target->pid, &prog, &why, err) : gl_goprog_open(target->path, &prog, &why, err);
    if (rc >= 0) {
        gl_goprog_close(prog);
        return 1;
    }
    if (why == GL_GOPROG_TOO_OLD || why == GL_GOPROG_GARBLED || why == GL_GOPROG_PLUGIN || why == GL_GOPROG_ARCHITECTURE)
        return rc;
    return target->pid && why == GL_GOPROG_READABLE ? may_trace(target->pid, err) : 0;
}

static int fits(const gl_probe_target *target, gl_error *err)
{
    struct stat st;
    int rc = is_go(target, err);
    if (rc <= 0)
        return rc;
    if (target->rings.policy != GL_RING_DROP)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "a Go program can't be made to wait for the recorder, only to drop events");
    if (target->pid == 0 && stat(target->path, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) && geteuid() != 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s takes another user's rights when it starts: such a program can't be recorded",
                       target->path);
    return 1;
}

static int prepare(const gl_probe_target *target, gl_probe_start *start, void **state, gl_error *err)
{
    (void)start;
    patch_source *s = calloc(1, sizeof *s);
    if (!s)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    gl_patch_options opt = options(target);
    int rc = gl_patch_open(target->path, 0, &opt, &s->p, err);
    if (rc < 0) {
        free(s);
        return rc;
    }
    *state = s;
    return 0;
}

static int forked(void *state, pid_t pid)
{
    (void)state;
    return gl_surgeon_seize_child(pid);
}

static void discard(void *state)
{
    patch_source *s = state;
    gl_patch_close(&s->p);
    free(s);
}

/** What reads the rings, once the program is patched. */
static int open_reader(patch_source *s, gl_probe_source *out, gl_error *err)
{
    const gl_patch *p = &s->p;
    gl_translated of = {p->pid, p->prog, p->info->minor, p->bias, p->begin_ticks, &p->snapshot, GL_PATCH_RINGS};
    int rc = gl_translation_start(&s->t, &of);
    if (rc == 0)
        rc = gl_reader_start(&s->reader, &s->p, &s->t);
    if (rc < 0) {
        close_source(s);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    }
    *out = (gl_probe_source){&ops, s, GL_RING_CLOCK_TSC, (uint32_t)s->p.pid, s->p.info->version, s->p.info->path};
    return 0;
}

static int start(patch_source *s, pid_t pid, bool caught, gl_probe_source *out, gl_error *err)
{
    int rc = gl_patch_start(&s->p, pid, caught, err);
    if (rc < 0) {
        discard(s);
        return rc;
    }
    return open_reader(s, out, err);
}

static int started(void *state, pid_t pid, gl_probe_source *out, gl_error *err)
{
    return start(state, pid, false, out, err);
}

static int caught(void *state, pid_t pid, gl_probe_source *out, gl_error *err)
{
    return start(state, pid, true, out, err);
}

static int join(const gl_probe_target *target, gl_probe_source *out, gl_error *err)
{
    patch_source *s = calloc(1, sizeof *s);
    if (!s)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    gl_patch_options opt = options(target);
    int rc = gl_patch_open(NULL, target->pid, &opt, &s->p, err);
    if (rc < 0) {
        free(s);
        return rc;
    }
    rc = gl_patch_attach(&s->p, err);
    if (rc < 0) {
        discard(s);
        return rc;
    }
    return open_reader(s, out, err);
}

const gl_probe_provider gl_probe_patch = {
    .name = "patch",
    .fits = fits,
    .prepare = prepare,
    .forked = forked,
    .started = started,
    .caught = caught,
    .discard = discard,
    .join = join,
};
