#include "kernel.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "golanes/golayout.h"

#define UPROBE_MULTI 48u /* BPF_TRACE_UPROBE_MULTI of later headers */

/* probe.bpf.c, compiled. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        "gl_uprobe_object: .incbin \"" GL_UPROBE_OBJECT "\"\n"
        "gl_uprobe_object_end: .byte 0\n"
        ".previous\n");
extern const uint8_t gl_uprobe_object[] __attribute__((visibility("hidden")));
extern const uint8_t gl_uprobe_object_end[] __attribute__((visibility("hidden")));

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level, (void)format, (void)args;
    return 0;
}

/* Rights */

static bool has(const struct __user_cap_data_struct data[2], unsigned cap)
{
    return data[cap / 32].effective >> (cap % 32) & 1;
}

int gl_uprobe_may(gl_error *err)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    if (syscall(SYS_capget, &head, data) < 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the rights of this process can't be asked for: %s", strerror(errno));
    if (has(data, CAP_SYS_ADMIN) || (has(data, CAP_BPF) && has(data, CAP_PERFMON)))
        return 0;
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "probes in the kernel need root, or the capabilities CAP_BPF and CAP_PERFMON, which golanes does not have here");
}

/* Loading */

static int fail(gl_error *err, int error, const char *what)
{
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the kernel's probes can't be used: %s: %s%s", what, strerror(error),
                   error == EPERM ? " (CAP_BPF and CAP_PERFMON are needed)" : "");
}

static int map_of(const gl_uprobe_kernel *k, const char *name)
{
    struct bpf_map *map = bpf_object__find_map_by_name(k->object, name);
    return map ? bpf_map__fd(map) : -1;
}

static int map_memory(gl_uprobe_kernel *k, gl_error *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int ring = map_of(k, "ring"), state = map_of(k, ".data.state");
    k->size = bpf_map__max_entries(bpf_object__find_map_by_name(k->object, "ring"));
    void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
    void *producer = mmap(NULL, page + 2 * k->size, PROT_READ, MAP_SHARED, ring, (off_t)page);
    void *st = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, state, 0);
    k->consumer = consumer == MAP_FAILED ? NULL : consumer;
    k->producer = producer == MAP_FAILED ? NULL : producer;
    k->data = k->producer ? (const uint8_t *)producer + page : NULL;
    k->state = st == MAP_FAILED ? NULL : st;
    return k->consumer && k->producer && k->state ? 0 : fail(err, errno, "the ring can't be mapped");
}

int gl_uprobe_load(gl_uprobe_kernel *k, const gl_uprobe_config *config, bool at_once, gl_error *err)
{
    struct bpf_object_open_opts opts = {.sz = sizeof opts, .object_name = "golanes"};
    *k = (gl_uprobe_kernel){.all = -1, .at_once = at_once};
    libbpf_set_print(silent);
    k->object = bpf_object__open_mem(gl_uprobe_object, (size_t)(gl_uprobe_object_end - gl_uprobe_object), &opts);
    if (!k->object)
        return fail(err, errno, "their code can't be read");
    k->program = bpf_object__find_program_by_name(k->object, "on_place");
    struct bpf_map *map = bpf_object__find_map_by_name(k->object, ".rodata.config");
    int rc = map && k->program ? bpf_map__set_initial_value(map, config, sizeof *config) : -ENOENT;
    if (rc == 0 && at_once)
        rc = bpf_program__set_expected_attach_type(k->program, (enum bpf_attach_type)UPROBE_MULTI);
    if (rc == 0)
        rc = bpf_object__load(k->object);
    if (rc < 0) {
        gl_uprobe_unload(k);
        return fail(err, -rc, "their code can't be loaded");
    }
    rc = map_memory(k, err);
    if (rc < 0)
        gl_uprobe_unload(k);
    return rc;
}

void gl_uprobe_unload(gl_uprobe_kernel *k)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    gl_uprobe_take_out(k);
    if (k->consumer)
        munmap(k->consumer, page);
    if (k->producer)
        munmap((void *)(uintptr_t)k->producer, page + 2 * k->size);
    if (k->state)
        munmap(k->state, page);
    bpf_object__close(k->object);
    memset(k, 0, sizeof *k);
}

/* Probes */

/** push of a register, a conditional or a short or near jump, a near call: what the kernel does itself. */
static bool is_emulated(const uint8_t *b)
{
    return (b[0] >= 0x50 && b[0] <= 0x57) || (b[0] >= 0x70 && b[0] <= 0x7f) || b[0] == 0xeb || b[0] == 0xe9 || b[0] == 0xe8 ||
           b[0] == 0x90 || (b[0] == 0x0f && b[1] >= 0x80 && b[1] <= 0x8f);
}

typedef struct spots {
    uint64_t *offsets, *cookies;
    uint32_t n;
} spots;

static int find_spots(gl_uprobe_kernel *k, const gl_goprog *prog, const gl_goplan *plan, spots *out, gl_error *err)
{
    k->stepped = 0;
    for (uint32_t i = 0; i < plan->site_count; i++) {
        const gl_gosite *s = &plan->sites[i];
        uint64_t address;
        if (!gl_uprobe_wants(prog, plan, s, &address, &out->cookies[out->n]))
            continue;
        const uint8_t *bytes = gl_goprog_bytes(prog, address, 2);
        if (!bytes || !gl_goprog_file_offset(prog, address, &out->offsets[out->n]))
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s can't be probed", s->function.name);
        k->stepped += !is_emulated(bytes);
        out->n++;
    }
    return 0;
}

/* What linux/bpf.h of 6.6 and later has of BPF_LINK_CREATE. */
typedef struct link_create {
    uint32_t program, target, attach_type, flags;
    uint64_t path, offsets, counters, cookies;
    uint32_t count, multi_flags, pid, pad;
} link_create;

static int place_all(gl_uprobe_kernel *k, const char *exe, const spots *at, pid_t pid)
{
    link_create attr = {.program = (uint32_t)bpf_program__fd(k->program), .attach_type = UPROBE_MULTI, .path = (uintptr_t)exe,
                        .offsets = (uintptr_t)at->offsets, .cookies = (uintptr_t)at->cookies, .count = at->n,
                        .pid = (uint32_t)pid};
    k->all = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
    return k->all < 0 ? errno : 0;
}

static int place_each(gl_uprobe_kernel *k, const char *exe, const spots *at, pid_t pid)
{
    k->links = calloc(at->n + 1, sizeof *k->links);
    for (uint32_t i = 0; k->links && i < at->n; i++) {
        struct bpf_uprobe_opts opts = {.sz = sizeof opts, .bpf_cookie = at->cookies[i]};
        k->links[i] = bpf_program__attach_uprobe_opts(k->program, pid, exe, at->offsets[i], &opts);
        if (!k->links[i])
            return errno;
        k->placed++;
    }
    return k->links ? 0 : ENOMEM;
}

int gl_uprobe_place(gl_uprobe_kernel *k, const gl_goprog *prog, const gl_goplan *plan, pid_t pid, gl_error *err)
{
    char exe[64];
    uint64_t *room = calloc(2 * (size_t)plan->site_count + 2, sizeof *room);
    spots at = {room, room ? room + plan->site_count + 1 : NULL, 0};
    snprintf(exe, sizeof exe, "/proc/%d/exe", (int)pid);
    int rc = room ? find_spots(k, prog, plan, &at, err) : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for probes");
    if (rc == 0) {
        int error = k->at_once ? place_all(k, exe, &at, pid) : place_each(k, exe, &at, pid);
        if (error)
            rc = gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the kernel puts no probes into process %d: %s", (int)pid, strerror(error));
        else
            k->placed = at.n;
    }
    if (rc < 0)
        gl_uprobe_take_out(k);
    free(room);
    return rc;
}

void gl_uprobe_take_out(gl_uprobe_kernel *k)
{
    if (k->object && k->all >= 0)
        close(k->all);
    for (uint32_t i = 0; k->links && i < k->placed; i++)
        bpf_link__destroy(k->links[i]);
    free(k->links);
    k->links = NULL;
    k->all = -1;
}
