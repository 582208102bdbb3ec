#include "patch.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "golanes/clock.h"
#include "golanes/goprocess.h"
#include "gorun/inject.h"

#define FRAMES 12u
#define WITHIN_NS INT64_C(20000000)
#define ONE_WITHIN_NS INT64_C(5000000000) /* the others go on meanwhile */
#define TRIES 100

static gl_patch_undo *undo_table(const gl_patch *p)
{
    return (gl_patch_undo *)(void *)(p->memory + gl_patch_undo_offset());
}

/* Before anything is touched */

static int refuse(const gl_patch *p, const char *why, gl_error *err)
{
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s can't be recorded: %s", p->info->path, why);
}

/** A program without them starts no others. */
static void find_gates(gl_patch *p)
{
    static const char *const names[] = {"syscall.runtime_AfterForkInChild", "syscall.runtime_BeforeExec"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        p->gate_count += gl_goplan_entry(p->prog, &p->layout, names[i], &p->gates[p->gate_count]);
}

static int check_program(gl_patch *p, gl_error *err)
{
    if (p->info->race || p->info->msan || p->info->asan)
        return refuse(p, "it was built with a sanitizer (-race, -msan, -asan), whose own hooks would meet ours", err);
    if (!gl_goprog_spare(p->prog, GL_INJECT_BYTES, &p->spare))
        return refuse(p, "its code has no room in which system calls could be made in its name", err);
    if (p->pid == 0 && gl_goprog_moves_text(p->prog))
        return refuse(p, "its code is changed when it is loaded; it can be recorded once it runs", err);
    if (gl_clock_best() != GL_RING_CLOCK_TSC)
        return refuse(p, "this machine's time stamp counter can't be relied on", err);
    int rc = gl_goprog_layout(p->prog, &p->layout, err);
    if (rc >= 0)
        rc = gl_goplan_make(p->prog, &p->layout, &p->plan, err);
    if (rc < 0)
        return rc;
    gl_goprog_vars(p->prog, &p->vars);
    find_gates(p);
    for (size_t i = 0; i < GL_GOPROBE_COUNT && !p->plan->records; i++)
        if (gl_goprobes[i].needed && !p->plan->probes[i].works)
            return refuse(p, p->plan->probes[i].why, err);
    return p->plan->records ? 0 : refuse(p, "a place that must be hooked was not found", err);
}

int gl_patch_open(const char *path, pid_t pid, const gl_patch_options *opt, gl_patch *p, gl_error *err)
{
    memset(p, 0, sizeof *p);
    p->fd = -1;
    p->pid = pid;
    p->opt = *opt;
    if (p->opt.frames == 0 || p->opt.frames > GL_PATCH_FRAMES)
        p->opt.frames = FRAMES;
    int rc = pid ? gl_goprog_open_pid(pid, &p->prog, NULL, err) : gl_goprog_open(path, &p->prog, NULL, err);
    if (rc < 0)
        return rc;
    p->info = gl_goprog_get_info(p->prog);
    rc = check_program(p, err);
    if (rc < 0)
        gl_patch_close(p);
    return rc;
}

/* Hooks */

static bool wanted(const gl_patch *p, const gl_gosite *s)
{
    return s->hookable && gl_hook_known(s->probe) && p->plan->probes[s->probe].works &&
           (s->kind == GL_GOSITE_CAS || s->flags_dead);
}

/** The hooks' code, for the half that is not in use; in our memory, to be copied to the program. */
static int make_hooks(gl_patch *p, gl_error *err)
{
    uint64_t half_bytes = GL_PATCH_CODE_BYTES / 2;
    gl_hook_env env = {.layout = &p->layout,
                       .data = p->data,
                       .ring_bytes = GL_PATCH_RING_BYTES,
                       .lap = gl_patch_memory_lap(p),
                       .stacks = p->opt.stacks,
                       .frames = p->opt.frames,
                       .exact = p->opt.exact,
                       .minor = p->info->minor};
    gl_asm a;
    p->image = malloc(half_bytes);
    p->hooks = calloc(GL_PATCH_SITES, sizeof *p->hooks);
    if (!p->image || !p->hooks)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for hooks");
    gl_asm_start(&a, p->image, half_bytes, p->code + p->half * half_bytes);
    bool ok = gl_hooks_begin(&a, &env);
    for (uint32_t i = 0; ok && i < p->plan->site_count; i++) {
        const gl_gosite *s = &p->plan->sites[i];
        if (!wanted(p, s))
            continue;
        const uint8_t *bytes = gl_goprog_bytes(p->prog, s->address, s->length);
        ok = p->hook_count < GL_PATCH_SITES && bytes && gl_hook_make(&a, &env, s, bytes, p->bias, &p->hooks[p->hook_count]);
        if (!ok)
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s can't be recorded: the code of %s can't be moved",
                           p->info->path, s->function.name);
        p->hook_count++;
    }
    for (uint32_t i = 0; ok && p->opt.gate && i < p->gate_count && p->hook_count < GL_PATCH_SITES; i++) {
        const uint8_t *bytes = gl_goprog_bytes(p->prog, p->gates[i].address, p->gates[i].length);
        const gl_asm before = a; /* one that can't be made is left out: what is started is not followed then */
        if (bytes && gl_hook_make_gate(&a, &env, &p->gates[i], bytes, p->bias, &p->hooks[p->hook_count]))
            p->hook_count++;
        else
            a = before;
    }
    p->image_bytes = a.n;
    return ok ? 0 : gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "hooks can't be made");
}

/** All places look as they do in the file: nobody else has changed them. */
static int verify(const gl_patch *p, const gl_surgeon *s, gl_error *err)
{
    uint8_t live[GL_PATCH_SITES][GL_PATCH_BYTES];
    struct iovec ours[GL_PATCH_SITES], theirs[GL_PATCH_SITES];
    ssize_t all = 0;
    for (uint32_t i = 0; i < p->hook_count; i++) {
        const gl_hook *h = &p->hooks[i];
        ours[i] = (struct iovec){live[i], h->length};
        theirs[i] = (struct iovec){(void *)(uintptr_t)h->address, h->length};
        all += (ssize_t)h->length;
    }
    bool read = process_vm_readv(s->pid, ours, p->hook_count, theirs, p->hook_count, 0) == all;
    for (uint32_t i = 0; i < p->hook_count; i++) {
        const gl_hook *h = &p->hooks[i];
        if ((!read && !gl_surgeon_read(s, h->address, live[i], h->length)) || memcmp(live[i], h->before, h->length) != 0)
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                           "the code of process %d is not that of its file: another tracer or profiler has changed it", (int)p->pid);
    }
    return 0;
}

/** A thread that stands between displaced instructions goes on in the copy. */
static bool move_threads(const gl_patch *p, gl_surgeon *s)
{
    for (size_t t = 0; t < s->n; t++) {
        struct user_regs_struct r;
        if (s->held[t].gone || !gl_surgeon_regs(&s->held[t], &r))
            continue;
        for (uint32_t i = 0; i < p->hook_count; i++) {
            const gl_hook *h = &p->hooks[i];
            if (r.rip <= h->address || r.rip >= h->address + h->length)
                continue;
            bool moved = false;
            for (unsigned k = 0; k < h->moved.n && !moved; k++)
                if (h->moved.moved[k].from == r.rip) {
                    r.rip = h->moved.moved[k].to;
                    moved = gl_surgeon_set_regs(&s->held[t], &r);
                }
            if (!moved)
                return false;
        }
    }
    return true;
}

static bool restore(const gl_patch_undo *u, uint32_t n, gl_surgeon *s)
{
    bool all = true;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t live[GL_PATCH_BYTES];
        if (!u[i].done || u[i].length > GL_PATCH_BYTES || !gl_surgeon_read(s, u[i].address, live, u[i].length))
            continue;
        if (memcmp(live, u[i].after, u[i].length) == 0)
            all &= gl_surgeon_write(s, u[i].address, u[i].before, u[i].length);
    }
    return all;
}

static int write_jumps(gl_patch *p, gl_surgeon *s, gl_error *err)
{
    gl_patch_undo *u = undo_table(p);
    for (uint32_t i = 0; i < p->hook_count; i++) {
        const gl_hook *h = &p->hooks[i];
        u[i] = (gl_patch_undo){.address = h->address, .length = h->length, .done = 1};
        memcpy(u[i].before, h->before, h->length);
        memcpy(u[i].after, h->after, h->length);
    }
    p->header->sites = p->hook_count;
    p->header->attached = p->begin_ticks;
    __atomic_store_n(&p->header->state, GL_PATCH_PATCHED, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < p->hook_count; i++)
        if (!gl_surgeon_write(s, p->hooks[i].address, p->hooks[i].after, p->hooks[i].length)) {
            int why = errno;
            restore(u, p->hook_count, s);
            p->header->state = GL_PATCH_RESTORED;
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the code of process %d can't be written: %s", (int)p->pid, strerror(why));
        }
    p->patched = true;
    return 0;
}

/** What is done while the program stands still. */
static int operate(gl_patch *p, gl_surgeon *s, bool runs, gl_error *err)
{
    int rc = verify(p, s, err);
    if (rc < 0)
        return rc;
    if (runs && !move_threads(p, s)) /* first: in the copies they are well, whatever becomes of us */
        return gl_fail(err, GL_E_CANCELLED, UINT64_MAX, "a thread stands within an instruction");
    p->begin_ticks = gl_clock_ticks(GL_RING_CLOCK_TSC);
    rc = write_jumps(p, s, err);
    if (rc < 0 || !runs)
        return rc;
    rc = gl_snapshot_take(s, &p->layout, &p->vars, p->bias, &p->snapshot, err);
    if (rc < 0) {
        restore(undo_table(p), p->hook_count, s);
        p->header->state = GL_PATCH_RESTORED;
        p->patched = false;
    }
    return rc;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

typedef int (*standing_fn)(gl_patch *p, gl_surgeon *s, void *user, gl_error *err);

/** Stops all threads, does something, lets them go on; tries again where a thread did not stop in time. */
static int while_stopped(gl_patch *p, gl_surgeon *s, standing_fn fn, void *user, gl_error *err)
{
    int rc = GL_E_CANCELLED;
    for (int tries = 0; rc == GL_E_CANCELLED && tries < TRIES; tries++) {
        sigset_t before;
        gl_surgeon_quiet(&before);
        int64_t began = now_ns();
        rc = gl_surgeon_stop(s, WITHIN_NS, err);
        if (rc == 0) {
            rc = fn(p, s, user, err);
            gl_surgeon_release(s);
        }
        p->stop_ns = now_ns() - began;
        gl_surgeon_unquiet(&before);
        if (rc == GL_E_CANCELLED)
            nanosleep(&(struct timespec){0, 1000000L * (1 + tries)}, NULL);
    }
    return rc;
}

static int operate_running(gl_patch *p, gl_surgeon *s, void *user, gl_error *err)
{
    (void)user;
    return operate(p, s, true, err);
}

/* Attach */

/** Not a later process of that number. */
static bool lives(const gl_patch_header *h)
{
    return h->recorder != (uint32_t)getpid() && h->recorder_start != 0 && gl_patch_start_time(h->recorder) == h->recorder_start;
}

static int put_back(gl_patch *p, gl_surgeon *s, void *user, gl_error *err)
{
    uint32_t restored = GL_PATCH_RESTORED;
    uint64_t data = *(uint64_t *)user;
    gl_patch_header h;
    gl_patch_undo *u = calloc(GL_PATCH_SITES, sizeof *u);
    bool ok = u && gl_surgeon_read(s, data, &h, sizeof h) && h.sites <= GL_PATCH_SITES &&
              gl_surgeon_read(s, data + gl_patch_undo_offset(), u, h.sites * sizeof *u);
    /* Only places that we would hook ourselves are ever written to. */
    for (uint32_t i = 0; ok && i < h.sites; i++) {
        const gl_gosite *site = NULL;
        for (uint32_t k = 0; k < p->plan->site_count && !site; k++)
            if (p->plan->sites[k].address + p->bias == u[i].address && p->plan->sites[k].length == u[i].length)
                site = &p->plan->sites[k];
        for (uint32_t k = 0; k < p->gate_count && !site; k++)
            if (p->gates[k].address + p->bias == u[i].address && p->gates[k].length == u[i].length)
                site = &p->gates[k];
        const uint8_t *file = site ? gl_goprog_bytes(p->prog, site->address, site->length) : NULL;
        ok = file && memcmp(file, u[i].before, u[i].length) == 0;
    }
    ok = ok && restore(u, h.sites, s) && gl_surgeon_write(s, data + offsetof(gl_patch_header, state), &restored, sizeof restored);
    free(u);
    return ok ? 0 : gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "what an earlier recorder changed in process %d can't be taken back", (int)p->pid);
}

/** An earlier recorder that was killed has left its hooks: they are taken out first. */
static int take_over(gl_patch *p, gl_surgeon *s, const gl_patch_header *found, uint64_t data, gl_error *err)
{
    if (data == 0 || found->state == GL_PATCH_RESTORED)
        return 0;
    if (found->state == GL_PATCH_EMPTY && !lives(found)) /* it was killed before it changed anything */
        return 0;
    if (lives(found))
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "process %d is being recorded already, by process %u", (int)p->pid, found->recorder);
    int rc = while_stopped(p, s, put_back, &data, err);
    if (rc >= 0)
        gl_patch_count_left(p, s, data);
    return rc;
}

static int inject_running(gl_patch *p, gl_surgeon *s, const gl_patch_header *found, uint64_t data, gl_error *err)
{
    sigset_t before;
    gl_surgeon_quiet(&before);
    int rc = gl_surgeon_stop_one(s, ONE_WITHIN_NS, err);
    if (rc == 0) {
        rc = gl_patch_memory_inject(p, s, found, data, err);
        gl_surgeon_release(s);
    }
    gl_surgeon_unquiet(&before);
    return rc < 0 ? rc : gl_patch_memory_ready(p, err);
}

/** Gives the program its own copies of the pages that will be changed, by writing to each what stands there already: that
    takes long, and would be done while all threads stand still. */
static void copy_pages(const gl_patch *p, gl_surgeon *s)
{
    for (uint32_t i = 0; i < p->hook_count; i++) {
        const gl_hook *h = &p->hooks[i];
        uint64_t last = h->address + h->length - 1;
        if (i == 0 || (h->address ^ p->hooks[i - 1].address) >> 12 != 0)
            (void)gl_surgeon_write(s, h->address, h->before, 1);
        if ((h->address ^ last) >> 12 != 0)
            (void)gl_surgeon_write(s, last, h->before + h->length - 1, 1);
    }
}

static int write_hooks(gl_patch *p, gl_surgeon *s, gl_error *err)
{
    int rc = make_hooks(p, err);
    if (rc < 0)
        return rc;
    if (!gl_surgeon_write(s, p->code + p->half * (GL_PATCH_CODE_BYTES / 2), p->image, p->image_bytes))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "hooks can't be written into process %d: %s", (int)p->pid, strerror(errno));
    return 0;
}

typedef struct part {
    uint64_t from, n;
} part;

/** Code that is to be written anew may still be run, by a thread that was held up in it since then. */
static int nobody_inside(gl_patch *p, gl_surgeon *s, void *user, gl_error *err)
{
    const part *code = user;
    for (size_t t = 0; t < s->n; t++) {
        struct user_regs_struct r;
        if (!s->held[t].gone && gl_surgeon_regs(&s->held[t], &r) && r.rip - code->from < code->n)
            return gl_fail(err, GL_E_CANCELLED, UINT64_MAX, "a thread of process %d is still in a hook of an earlier recording", (int)p->pid);
    }
    return 0;
}

/** A call that was made for a recorder that was killed may not have ended. */
static int nobody_calls(gl_patch *p, gl_surgeon *s, gl_error *err)
{
    part calls = {p->spare + p->bias, GL_INJECT_BYTES};
    return gl_inject_is_left(s, calls.from) ? while_stopped(p, s, nobody_inside, &calls, err) : 0;
}

static int nobody_in_half(gl_patch *p, gl_surgeon *s, gl_error *err)
{
    uint64_t half_bytes = GL_PATCH_CODE_BYTES / 2;
    part half = {p->code + p->half * half_bytes, half_bytes};
    return while_stopped(p, s, nobody_inside, &half, err);
}

static int check_live(gl_patch *p, gl_error *err)
{
    gl_gomemory mem = {gl_gomemory_read_pid, &p->pid};
    int rc = gl_goprog_check_live(p->prog, &p->layout, &p->vars, &mem, p->bias, NULL, 0, err);
    return rc == GL_E_NOT_FOUND ? 0 : rc;
}

static int check_process(const gl_patch *p, gl_error *err)
{
    gl_goprocess *look = malloc(sizeof *look);
    int rc = look ? gl_goprocess_look(p->pid, look, err) : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    if (rc >= 0)
        rc = gl_goprocess_check(look, err);
    free(look);
    return rc;
}

int gl_patch_attach(gl_patch *p, gl_error *err)
{
    gl_surgeon s;
    gl_patch_header found;
    uint64_t data = 0;
    int rc = check_process(p, err);
    if (rc >= 0)
        rc = gl_goprog_bias(p->prog, p->pid, &p->bias, err);
    if (rc >= 0)
        rc = check_live(p, err);
    if (rc >= 0)
        rc = gl_patch_memory_make(p, err);
    if (rc >= 0)
        rc = gl_surgeon_open(&s, p->pid, err);
    if (rc < 0)
        return rc;
    rc = gl_patch_memory_find(p, &s, &found, &data, err);
    if (rc >= 0)
        rc = take_over(p, &s, &found, data, err);
    if (rc >= 0)
        rc = nobody_calls(p, &s, err);
    if (rc >= 0)
        rc = inject_running(p, &s, &found, data, err);
    if (rc >= 0 && data != 0)
        rc = nobody_in_half(p, &s, err);
    if (rc >= 0)
        rc = write_hooks(p, &s, err);
    if (rc >= 0)
        rc = verify(p, &s, err);
    if (rc >= 0) {
        copy_pages(p, &s);
        rc = while_stopped(p, &s, operate_running, NULL, err);
    }
    gl_surgeon_close(&s);
    return rc;
}

/** AT_ENTRY of the kernel's list: where the program begins, after the dynamic linker if there is one. */
static int find_entry(const gl_patch *p, uint64_t *entry, gl_error *err)
{
    char path[48];
    uint64_t pair[2];
    snprintf(path, sizeof path, "/proc/%d/auxv", (int)p->pid);
    FILE *f = fopen(path, "re");
    *entry = 0;
    while (f && *entry == 0 && fread(pair, sizeof pair, 1, f) == 1)
        if (pair[0] == 9)
            *entry = pair[1];
    if (f)
        fclose(f);
    return *entry ? 0 : gl_fail(err, GL_E_IO, UINT64_MAX, "%s can't be read", path);
}

int gl_patch_start(gl_patch *p, pid_t pid, bool caught, gl_error *err)
{
    gl_surgeon s;
    sigset_t before;
    uint64_t entry;
    p->pid = pid;
    gl_surgeon_quiet(&before);
    int rc = gl_surgeon_open(&s, pid, err), stopped = rc;
    if (rc >= 0)
        stopped = rc = gl_surgeon_adopt(&s, caught, err);
    if (rc >= 0)
        rc = find_entry(p, &entry, err);
    if (rc >= 0) {
        p->bias = entry - p->info->entry;
        rc = gl_patch_memory_make(p, err);
    }
    if (rc >= 0)
        rc = gl_patch_memory_inject(p, &s, NULL, 0, err);
    if (rc >= 0)
        rc = gl_patch_memory_ready(p, err);
    if (rc >= 0)
        rc = write_hooks(p, &s, err);
    if (rc >= 0)
        rc = operate(p, &s, false, err);
    if (stopped < 0)
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
    gl_surgeon_release(&s);
    gl_surgeon_close(&s);
    gl_surgeon_unquiet(&before);
    return rc;
}

/** A program that this process executes later could have another recorder's memory at the same place. */
bool gl_patch_is_there(const gl_patch *p)
{
    const char *header = (const char *)(uintptr_t)p->data; /* NOLINT: an address in the program */
    char magic[sizeof p->header->magic];
    uint64_t attached = 0;
    struct iovec to[2] = {{magic, sizeof magic}, {&attached, sizeof attached}};
    struct iovec from[2] = {{(void *)(uintptr_t)header, sizeof magic},
                            {(void *)(uintptr_t)(header + offsetof(gl_patch_header, attached)), sizeof attached}};
    ssize_t n = process_vm_readv(p->pid, to, 2, from, 2, 0);
    if (n < 0)
        return errno == EPERM;
    return n == (ssize_t)(sizeof magic + sizeof attached) && memcmp(magic, GL_PATCH_MAGIC, sizeof magic) == 0 &&
           attached == p->header->attached;
}

/* Detach */

static int take_out(gl_patch *p, gl_surgeon *s, void *user, gl_error *err)
{
    (void)user;
    if (!restore(undo_table(p), p->hook_count, s))
        return gl_fail(err, GL_E_IO, UINT64_MAX, "the hooks can't be taken out of process %d", (int)p->pid);
    p->header->state = GL_PATCH_RESTORED;
    p->patched = false;
    return 0;
}

/** A thread whose child waits at the gate can't be stopped. */
static void open_gate(gl_patch *p)
{
    gl_probe_gate *g = &p->header->gate;
    __atomic_store_n(&g->open, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&g->answered, __atomic_load_n(&g->asked, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &g->answered, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

int gl_patch_detach(gl_patch *p, gl_error *err)
{
    gl_surgeon s;
    if (!p->patched)
        return 0;
    if (!gl_patch_is_there(p)) { /* it has ended, or executes another program, whose code is not ours to touch */
        p->patched = false;
        return 0;
    }
    open_gate(p);
    int rc = gl_surgeon_open(&s, p->pid, err);
    if (rc == 0) {
        rc = while_stopped(p, &s, take_out, NULL, err);
        gl_surgeon_close(&s);
    }
    if (rc == GL_E_NOT_FOUND) { /* it has ended */
        p->patched = false;
        rc = 0;
    }
    return rc;
}

void gl_patch_close(gl_patch *p)
{
    gl_snapshot_free(&p->snapshot);
    gl_patch_memory_free(p);
    free(p->hooks);
    free(p->image);
    gl_goplan_free(p->plan);
    gl_goprog_close(p->prog);
    p->hooks = NULL;
    p->image = NULL;
    p->plan = NULL;
    p->prog = NULL;
}
