/* Probes in the kernel as the recorder sees them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <time.h>

#include "golanes/clock.h"
#include "golanes/probe_uprobe.h"
#include "gorun/surgeon.h"
#include "reader.h"

#define FRAMES 12u
#define WITHIN_NS INT64_C(20000000)
#define TRIES 100

typedef struct uprobe_source {
    pid_t pid;
    gl_goprog *prog;
    const gl_goprog_info *info;
    gl_golayout layout;
    gl_govars vars;
    gl_goplan *plan;
    uint64_t bias, begin_ticks;
    gl_snapshot snapshot;
    gl_uprobe_kernel kernel;
    gl_translation t;
    gl_uprobe_reader reader;
    bool reading;
} uprobe_source;

static gl_probe_patch_options chosen;

void gl_probe_uprobe_choose(const gl_probe_patch_options *opt)
{
    chosen = *opt;
}

int gl_probe_uprobe_available(gl_error *err)
{
    return gl_uprobe_may(err);
}

/* Source */

static uint32_t rings(void *self)
{
    (void)self;
    return 1;
}

static int drain(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    (void)ring;
    uprobe_source *s = self;
    return gl_uprobe_reader_drain(&s->reader, sink, false, err);
}

static int finish(void *self, uint32_t ring, const gl_session_sink *sink, gl_error *err)
{
    (void)ring;
    uprobe_source *s = self;
    return gl_uprobe_reader_drain(&s->reader, sink, true, err);
}

static void fill(void *self, uint32_t ring, uint64_t *waiting, uint64_t *size)
{
    (void)ring;
    uprobe_source *s = self;
    *waiting = gl_uprobe_reader_waiting(&s->reader);
    *size = s->kernel.size;
}

static void tend(void *self)
{
    (void)self;
}

static void take_clock(void *self, gl_ring_pair *out)
{
    (void)self;
    gl_clock_take(GL_RING_CLOCK_MONOTONIC, out);
}

static int begin(void *self, const gl_session_sink *sink, gl_error *err)
{
    uprobe_source *s = self;
    s->t.sink = sink;
    s->t.status = 0;
    gl_translate_snapshot(&s->t);
    if (s->t.status >= 0)
        return 0;
    return gl_fail(err, (gl_status)s->t.status, UINT64_MAX, "the state of process %d can't be written: %s", (int)s->pid,
                   gl_status_text(s->t.status));
}

static void stop(void *self)
{
    uprobe_source *s = self;
    if (s->kernel.state)
        __atomic_store_n(&s->kernel.state->tgid, 0, __ATOMIC_RELAXED);
    gl_uprobe_take_out(&s->kernel);
}

static size_t places(void *self, uint32_t pid, uint64_t pc, gl_probe_place *out, size_t n)
{
    uprobe_source *s = self;
    return gl_translate_places(&s->t, pid, pc, out, n);
}

static int meta(void *self, int (*put)(void *user, const char *key, const char *value), void *user)
{
    uprobe_source *s = self;
    char text[16];
    snprintf(text, sizeof text, "%u", s->kernel.placed);
    int rc = put(user, "uprobe.sites", text);
    snprintf(text, sizeof text, "%u", s->kernel.stepped);
    return rc >= 0 ? put(user, "uprobe.stepped", text) : rc;
}

static void close_source(void *self)
{
    uprobe_source *s = self;
    stop(s);
    if (s->reading) {
        gl_uprobe_reader_end(&s->reader);
        gl_translation_end(&s->t);
    }
    gl_uprobe_unload(&s->kernel);
    gl_snapshot_free(&s->snapshot);
    gl_goplan_free(s->plan);
    gl_goprog_close(s->prog);
    free(s);
}

static const gl_probe_source_ops ops = {
    .name = "uprobe",
    .rings = rings,
    .drain = drain,
    .finish = finish,
    .fill = fill,
    .tend = tend,
    .take_clock = take_clock,
    .begin = begin,
    .stop = stop,
    .places = places,
    .meta = meta,
    .close = close_source,
};

/* Before anything is touched */

static int refuse(const uprobe_source *s, const char *why, gl_error *err)
{
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s can't be recorded: %s", s->info->path, why);
}

static int read_program(uprobe_source *s, gl_error *err)
{
    s->info = gl_goprog_get_info(s->prog);
    if (s->info->race || s->info->msan || s->info->asan)
        return refuse(s, "it was built with a sanitizer (-race, -msan, -asan)", err);
    int rc = gl_goprog_layout(s->prog, &s->layout, err);
    if (rc >= 0)
        rc = gl_goplan_make(s->prog, &s->layout, &s->plan, err);
    if (rc < 0)
        return rc;
    gl_goprog_vars(s->prog, &s->vars);
    for (size_t i = 0; i < GL_GOPROBE_COUNT && !s->plan->records; i++)
        if (gl_goprobes[i].needed && !s->plan->probes[i].works)
            return refuse(s, s->plan->probes[i].why, err);
    return 0;
}

static int load(uprobe_source *s, bool at_once, gl_error *err)
{
    const gl_golayout *l = &s->layout;
    struct stat ns;
    if (stat("/proc/self/ns/pid", &ns) < 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "/proc/self/ns/pid can't be read: %s", strerror(errno));
    gl_uprobe_config c = {.pid_dev = ns.st_dev, .pid_ino = ns.st_ino, .g_goid = l->g_goid, .g_m = l->g_m,
                          .g_atomicstatus = l->g_atomicstatus, .g_waitreason = l->g_waitreason, .g_startpc = l->g_startpc,
                          .g_gopc = l->g_gopc, .g_stack_lo = l->g_stack_lo, .g_stack_hi = l->g_stack_hi,
                          .g_sched_bp = l->g_sched_bp, .g_sched_sp = l->g_sched_sp, .m_curg = l->m_curg, .m_p = l->m_p,
                          .p_id = l->p_id, .hchan_qcount = l->hchan_qcount, .hchan_dataqsiz = l->hchan_dataqsiz,
                          .hchan_closed = l->hchan_closed, .hchan_elemtype = l->hchan_elemtype, .scase_c = l->scase_c,
                          .minor = s->info->minor, .stacks = (uint32_t)chosen.stacks,
                          .frames = chosen.frames && chosen.frames <= GL_PATCH_FRAMES ? chosen.frames : FRAMES};
    return gl_uprobe_load(&s->kernel, &c, at_once, err);
}

/** All at once where the kernel can, else one by one. */
static int place(uprobe_source *s, gl_error *err)
{
    int rc = gl_uprobe_place(&s->kernel, s->prog, s->plan, s->pid, err);
    if (rc == 0 || !s->kernel.at_once)
        return rc;
    gl_uprobe_unload(&s->kernel);
    rc = load(s, false, err);
    return rc < 0 ? rc : gl_uprobe_place(&s->kernel, s->prog, s->plan, s->pid, err);
}

static int open_source(const gl_probe_target *target, uprobe_source **out, gl_error *err)
{
    uprobe_source *s = calloc(1, sizeof *s);
    if (!s)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    s->pid = target->pid;
    int rc = s->pid ? gl_goprog_open_pid(s->pid, &s->prog, NULL, err) : gl_goprog_open(target->path, &s->prog, NULL, err);
    if (rc >= 0)
        rc = read_program(s, err);
    if (rc >= 0 && load(s, true, err) < 0)
        rc = load(s, false, err);
    if (rc >= 0) {
        *out = s;
        return 0;
    }
    close_source(s);
    return rc;
}

/* Provider */

static int is_go(const gl_probe_target *target, gl_error *err)
{
    gl_goprog *prog;
    int rc = target->pid ? gl_goprog_open_pid(target->pid, &prog, NULL, err) : gl_goprog_open(target->path, &prog, NULL, err);
    if (rc < 0)
        return rc;
    gl_goprog_close(prog);
    return 1;
}

static int fits(const gl_probe_target *target, gl_error *err)
{
    int rc = gl_uprobe_may(err);
    if (rc >= 0)
        rc = is_go(target, err);
    if (rc > 0 && target->rings.policy != GL_RING_DROP)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "a Go program can't be made to wait for the recorder, only to drop events");
    return rc;
}

static int prepare(const gl_probe_target *target, gl_probe_start *start, void **state, gl_error *err)
{
    (void)start;
    uprobe_source *s = NULL;
    int rc = open_source(target, &s, err);
    *state = s;
    return rc;
}

/** It stops when it has become the program, for the probes to be placed. */
static int forked(void *state, pid_t pid)
{
    (void)state;
    return gl_surgeon_seize_child(pid);
}

static int open_reader(uprobe_source *s, gl_probe_source *out, gl_error *err)
{
    gl_translated of = {s->pid, s->prog, s->info->minor, s->bias, s->begin_ticks, &s->snapshot, GL_UPROBE_THREADS};
    int rc = gl_translation_start(&s->t, &of);
    s->reading = true;
    if (rc == 0)
        rc = gl_uprobe_reader_start(&s->reader, &s->kernel, &s->t);
    if (rc < 0) {
        close_source(s);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    }
    *out = (gl_probe_source){.ops = &ops, .self = s, .clock = GL_RING_CLOCK_MONOTONIC, .pid = (uint32_t)s->pid,
                              .go_version = s->info->version};
    return 0;
}

/** From now on the program's events are told of. */
static void tell(uprobe_source *s)
{
    s->begin_ticks = gl_clock_ticks(GL_RING_CLOCK_MONOTONIC);
    __atomic_store_n(&s->kernel.state->tgid, (uint64_t)s->pid, __ATOMIC_RELEASE);
}

static int started(void *state, pid_t pid, gl_probe_source *out, gl_error *err)
{
    uprobe_source *s = state;
    gl_surgeon surgeon;
    sigset_t before;
    s->pid = pid;
    gl_surgeon_quiet(&before);
    int rc = gl_surgeon_open(&surgeon, pid, err), held = rc;
    if (rc >= 0)
        held = rc = gl_surgeon_adopt(&surgeon, false, err);
    if (rc >= 0)
        rc = gl_goprog_bias(s->prog, pid, &s->bias, err);
    if (rc >= 0)
        rc = place(s, err);
    if (rc >= 0)
        tell(s);
    if (held < 0)
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
    gl_surgeon_release(&surgeon);
    gl_surgeon_close(&surgeon);
    gl_surgeon_unquiet(&before);
    if (rc >= 0)
        return open_reader(s, out, err);
    close_source(s);
    return rc;
}

static void discard(void *state)
{
    close_source(state);
}

/* A process */

/**
 * The code is that of the file, but for a probe that somebody else has in the kernel at the very place (it shows as int3):
 * what another tracer has put elsewhere the kernel would run over.
 */
static int check_code(const uprobe_source *s, gl_error *err)
{
    for (uint32_t i = 0; i < s->plan->site_count; i++) {
        const gl_gosite *site = &s->plan->sites[i];
        uint64_t cookie, at;
        uint8_t live[256];
        if (!gl_uprobe_wants(s->prog, s->plan, site, &at, &cookie))
            continue;
        uint64_t from = site->address < at ? site->address : at, end = site->address + site->length;
        size_t n = (size_t)((end > at ? end : at + 1) - from);
        n = n < sizeof live ? n : sizeof live;
        const uint8_t *file = gl_goprog_bytes(s->prog, from, n);
        int pid = s->pid;
        if (!file || gl_gomemory_read_pid(&pid, from + s->bias, live, n) < 0)
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the memory of process %d can't be read", (int)s->pid);
        if (at - from < n && live[at - from] == 0xcc)
            live[at - from] = file[at - from];
        if (memcmp(live, file, n) != 0)
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                           "the code of process %d is not that of its file: another tracer or profiler has changed it", (int)s->pid);
    }
    return 0;
}

/** All goroutines as they are at the first moment that is recorded: the program stands still for it. */
static int take_snapshot(uprobe_source *s, gl_error *err)
{
    gl_surgeon surgeon;
    int rc = gl_surgeon_open(&surgeon, s->pid, err);
    if (rc < 0)
        return rc;
    rc = GL_E_CANCELLED;
    for (int tries = 0; rc == GL_E_CANCELLED && tries < TRIES; tries++) {
        sigset_t before;
        gl_surgeon_quiet(&before);
        rc = gl_surgeon_stop(&surgeon, WITHIN_NS, err);
        if (rc == 0) {
            rc = gl_snapshot_take(&surgeon, &s->layout, &s->vars, s->bias, &s->snapshot, err);
            if (rc == 0)
                tell(s);
            gl_surgeon_release(&surgeon);
        }
        gl_surgeon_unquiet(&before);
        if (rc == GL_E_CANCELLED)
            nanosleep(&(struct timespec){0, 1000000L * (1 + tries)}, NULL);
    }
    gl_surgeon_close(&surgeon);
    return rc;
}

static int check_live(uprobe_source *s, gl_error *err)
{
    int pid = s->pid;
    gl_gomemory mem = {gl_gomemory_read_pid, &pid};
    int rc = gl_goprog_check_live(s->prog, &s->layout, &s->vars, &mem, s->bias, NULL, 0, err);
    return rc == GL_E_NOT_FOUND ? 0 : rc;
}

static int join(const gl_probe_target *target, gl_probe_source *out, gl_error *err)
{
    uprobe_source *s = NULL;
    int rc = open_source(target, &s, err);
    if (rc < 0)
        return rc;
    rc = gl_goprog_bias(s->prog, s->pid, &s->bias, err);
    if (rc >= 0)
        rc = check_live(s, err);
    if (rc >= 0)
        rc = check_code(s, err);
    if (rc >= 0)
        rc = place(s, err);
    if (rc >= 0)
        rc = take_snapshot(s, err);
    if (rc >= 0)
        return open_reader(s, out, err);
    close_source(s);
    return rc;
}

const gl_probe_provider gl_probe_uprobe = {.name = "uprobe", .fits = fits, .prepare = prepare, .forked = forked,
                                           .started = started, .discard = discard, .join = join};
