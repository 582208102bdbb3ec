/*
 * The shared memory: made by us, mapped into the program in its own name.
 *
 * The program opens our descriptor through /proc, which asks for nothing but what its own runtime does all the time; where
 * it can't see us (another user, another pid namespace), it makes the memory and we open it. Either way no descriptor
 * stays open in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "patch.h"
#include "seccomp.h"

#define FAR (UINT64_C(1) << 28) /* behind the program: room for the C library's heap */
#define PAGE UINT64_C(4096)
#define READY_RINGS 8u
#define LARGE_RINGS 4u /* the first ones begin with more memory */
#define LARGE_BYTES (UINT64_C(4) << 20)
#define SMALL_BYTES (UINT64_C(1) << 20)

int gl_patch_memory_make(gl_patch *p, gl_error *err)
{
    p->bytes = gl_patch_file_bytes(GL_PATCH_RINGS, GL_PATCH_RING_BYTES);
    p->fd = memfd_create(GL_PATCH_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (p->fd < 0 || ftruncate(p->fd, (off_t)p->bytes) != 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "shared memory can't be made: %s", strerror(errno));
    void *at = mmap(NULL, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
    if (at == MAP_FAILED)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "shared memory can't be mapped: %s", strerror(errno));
    p->memory = at;
    p->header = at;
    return 0;
}

uint64_t gl_patch_start_time(uint32_t pid)
{
    char path[48], line[1024] = "";
    unsigned long long start = 0;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    FILE *f = fopen(path, "re");
    const char *at = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL; /* the name may hold anything */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (at)
        start = strtoull(at, NULL, 10);
    if (f)
        fclose(f);
    return start;
}

static void fill_header(gl_patch *p)
{
    gl_patch_header *h = p->header;
    memcpy(h->magic, GL_PATCH_MAGIC, sizeof h->magic);
    h->version = GL_PATCH_VERSION;
    h->state = GL_PATCH_EMPTY;
    h->bytes = p->bytes;
    h->data = p->data;
    h->code = p->code;
    h->ring_bytes = GL_PATCH_RING_BYTES;
    h->rings = GL_PATCH_RINGS;
    h->half = p->half;
    h->recorder = (uint32_t)getpid();
    h->gate.patience[0] = 1;
    h->gate.open = p->opt.gate; /* who comes before somebody looks has to wait a little */
    h->recorder_start = gl_patch_start_time(h->recorder);
}

/** Memory that hooks touch is there before they do: where the system has none left, we fail, not the program. */
static bool populate(const gl_patch *p, uint64_t at, uint64_t bytes)
{
    uint64_t from = at & ~(PAGE - 1);
    return fallocate(p->fd, 0, (off_t)from, (off_t)(at + bytes - from)) == 0;
}

/**
 * Page faults cost far more than records: memory that nobody uses yet is put into both page tables, ours by asking for it,
 * the program's by reading it from here, one byte a page (a shared page that is read can be written to from then on, too;
 * and should the program have become another by exec, nothing is changed in that). It need not be stopped for this. Where
 * it does not work, the faults happen when the time comes.
 */
static void fault_in(const gl_patch *p, uint64_t at, uint64_t bytes)
{
    enum { MANY = 512 };
    char nothing[MANY];
    struct iovec theirs[MANY], ours = {nothing, 0};
    uint64_t from = at & ~(PAGE - 1), to = at + bytes;
#ifdef MADV_POPULATE_WRITE
    (void)!madvise(p->memory + from, to - from, MADV_POPULATE_WRITE);
#endif
    while (p->data != 0 && from < to) {
        unsigned long n = 0;
        for (; n < MANY && from < to; from += PAGE)
            theirs[n++] = (struct iovec){(void *)(uintptr_t)(p->data + from), 1};
        ours.iov_len = n;
        if (process_vm_readv(p->pid, &ours, 1, theirs, n, 0) != (ssize_t)n)
            break;
    }
}

static bool populate_ring(gl_patch *p, uint32_t i, uint64_t bytes)
{
    uint64_t at = gl_patch_rings_offset() + i * gl_patch_ring_stride(GL_PATCH_RING_BYTES), head = sizeof(gl_patch_ring);
    uint64_t had = gl_patch_ring_of(p, i)->populated;
    if (!populate(p, at, head + bytes + GL_PATCH_SLACK))
        return false;
    if (had == 0)
        fault_in(p, at, head + bytes + GL_PATCH_SLACK);
    else /* the slack behind what was there is in use */
        fault_in(p, at + head + had + GL_PATCH_SLACK, bytes - had);
    __atomic_store_n(&gl_patch_ring_of(p, i)->populated, bytes, __ATOMIC_RELEASE);
    return true;
}

void gl_patch_memory_grow(gl_patch *p, uint32_t ring)
{
    uint64_t bytes = gl_patch_ring_of(p, ring)->populated;
    if (bytes >= SMALL_BYTES && bytes < GL_PATCH_RING_BYTES)
        populate_ring(p, ring, 2 * bytes);
}

static uint64_t at_least(uint64_t bytes, uint64_t wanted)
{
    while (wanted > bytes && bytes < GL_PATCH_RING_BYTES)
        bytes *= 2;
    return bytes;
}

static uint64_t first_bytes(const gl_patch *p)
{
    return at_least(LARGE_BYTES, p->opt.large_bytes);
}

uint64_t gl_patch_memory_lap(const gl_patch *p)
{
    uint64_t lap = at_least(GL_PATCH_LAP, p->opt.large_bytes);
    return lap < GL_PATCH_RING_BYTES ? lap : GL_PATCH_RING_BYTES - 1; /* the jump is never needed there */
}

void gl_patch_memory_offer(gl_patch *p, uint32_t ring)
{
    gl_patch_header *h = p->header;
    uint64_t n = __atomic_load_n(&h->offered, __ATOMIC_RELAXED);
    h->offer[n & 1023] = (uint16_t)ring;
    __atomic_store_n(&h->offered, n + 1, __ATOMIC_RELEASE);
}

static bool offer_new_ring(gl_patch *p)
{
    if (!populate_ring(p, p->made, p->made < LARGE_RINGS ? first_bytes(p) : SMALL_BYTES))
        return false;
    gl_patch_memory_offer(p, p->made++);
    return true;
}

void gl_patch_memory_tend(gl_patch *p)
{
    gl_patch_header *h = p->header;
    uint64_t offered = __atomic_load_n(&h->offered, __ATOMIC_RELAXED), taken = __atomic_load_n(&h->taken, __ATOMIC_RELAXED);
    while (p->made < GL_PATCH_RINGS && offered - taken < READY_RINGS && offer_new_ring(p))
        offered++;
}

/* What an earlier recording left */

static bool parse_map(const char *line, uint64_t *from, uint64_t *to, char mode[5], const char **name)
{
    int at = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", from, to, mode, &at) != 3)
        return false;
    *name = line + at;
    return true;
}

static FILE *open_maps(const gl_patch *p)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)p->pid);
    return fopen(path, "re");
}

int gl_patch_memory_find(gl_patch *p, gl_surgeon *s, gl_patch_header *found, uint64_t *data, gl_error *err)
{
    FILE *maps = open_maps(p);
    char line[512], mode[5];
    uint64_t from, to;
    const char *name;
    *data = 0;
    if (!maps)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d is gone", (int)p->pid);
    while (*data == 0 && fgets(line, sizeof line, maps))
        if (parse_map(line, &from, &to, mode, &name) && strncmp(name, "/memfd:" GL_PATCH_NAME " ", 8 + strlen(GL_PATCH_NAME)) == 0)
            *data = from;
    fclose(maps);
    if (*data == 0)
        return 0;
    if (!gl_surgeon_read(s, *data, found, sizeof *found) || memcmp(found->magic, GL_PATCH_MAGIC, 8) != 0 ||
        found->version != GL_PATCH_VERSION || found->data != *data || found->bytes != p->bytes ||
        found->rings != GL_PATCH_RINGS || found->ring_bytes != GL_PATCH_RING_BYTES || found->sites > GL_PATCH_SITES ||
        found->half > 1)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "process %d was recorded by another version of golanes: it can be recorded again after a restart", (int)p->pid);
    return 0;
}

/* Mapping */

/** Room for the code in reach of the program's text. */
static int find_hole(const gl_patch *p, uint64_t *at, gl_error *err)
{
    FILE *maps = open_maps(p);
    char line[512], mode[5];
    const char *name;
    uint64_t text = p->info->text + p->bias, want = (p->info->text_end + p->bias + FAR) & ~(PAGE - 1), from, to;
    if (!maps)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d is gone", (int)p->pid);
    while (fgets(line, sizeof line, maps))
        if (parse_map(line, &from, &to, mode, &name) && to > want && from < want + GL_PATCH_CODE_BYTES)
            want = to;
    fclose(maps);
    *at = want;
    if (want - text < (UINT64_C(1) << 31) - (UINT64_C(1) << 24))
        return 0;
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "there is no room for hooks near the code of process %d", (int)p->pid);
}

/** The instruction by which the program makes system calls. */
static int find_syscall(const gl_patch *p, uint64_t *at, gl_error *err)
{
    static const char *const names[] = {"runtime.exit", "runtime.exit.abi0", "runtime.futex", "runtime.futex.abi0",
                                        "runtime.usleep", "runtime.usleep.abi0"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        gl_gofunc f;
        if (gl_goprog_func(p->prog, names[i], &f, NULL) < 0)
            continue;
        const uint8_t *code = gl_goprog_bytes(p->prog, f.entry, f.end - f.entry);
        for (uint64_t k = 0; code && k + 7 < f.end - f.entry; k++)
            if (memcmp(code + k, "\xb8", 1) == 0 && memcmp(code + k + 5, "\x0f\x05", 2) == 0) { /* mov eax,n; syscall */
                *at = f.entry + k + 5 + p->bias;
                return 0;
            }
    }
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "no system call instruction was found in the program");
}

typedef struct injection {
    gl_patch *p;
    gl_surgeon *s;
    uint64_t syscall;
    gl_error *err;
} injection;

static int64_t call(const injection *in, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t result = -EIO;
    uint64_t args[6] = {a, b, c, d, e, f};
    int rc = gl_inject(in->s, in->syscall, number, args, &result, in->err);
    return rc < 0 ? -EIO : result;
}

static bool same_file(const gl_patch *p, int64_t their_fd)
{
    char path[64];
    struct stat ours, theirs;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)p->pid, (int)their_fd);
    return fstat(p->fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static bool filtered(const gl_patch *p)
{
    char path[48], line[128];
    int mode = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Seccomp: %d", &mode) == 1)
            break;
    if (f)
        fclose(f);
    return mode != 0;
}

/** Takes memory that the program made as ours. */
static bool take_theirs(gl_patch *p, int64_t their_fd)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)p->pid, (int)their_fd);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)p->bytes) != 0 ||
        mmap(p->memory, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(p->fd);
    p->fd = fd;
    return true;
}

/** Texts for the program's system calls are put below its stack's red zone, and what was there is put back. */
static int64_t open_in_program(const injection *in)
{
    struct user_regs_struct r;
    char text[64], before[64];
    if (!gl_surgeon_regs(&in->s->held[0], &r))
        return -ESRCH;
    uint64_t at = (r.rsp - 512) & ~UINT64_C(15);
    memset(text, 0, sizeof text);
    snprintf(text, sizeof text, "/proc/%d/fd/%d", (int)getpid(), in->p->fd);
    if (!gl_surgeon_read(in->s, at, before, sizeof before) || !gl_surgeon_write(in->s, at, text, sizeof text))
        return -EFAULT;
    int64_t fd = call(in, SYS_openat, (uint64_t)AT_FDCWD, at, O_RDWR | O_CLOEXEC, 0, 0, 0);
    if (fd >= 0 && !same_file(in->p, fd)) {
        call(in, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
        fd = -EXDEV;
    }
    if (fd < 0 && !filtered(in->p)) {
        memset(text, 0, sizeof text);
        snprintf(text, sizeof text, GL_PATCH_NAME);
        if (gl_surgeon_write(in->s, at, text, sizeof text))
            fd = call(in, SYS_memfd_create, at, MFD_CLOEXEC, 0, 0, 0, 0);
        if (fd >= 0 && !take_theirs(in->p, fd)) {
            call(in, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
            fd = -EACCES;
        }
    }
    gl_surgeon_write(in->s, at, before, sizeof before);
    return fd;
}

static int map_all(const injection *in, const gl_patch_header *found, uint64_t data)
{
    gl_patch *p = in->p;
    int64_t fd = open_in_program(in), got;
    if (fd < 0)
        return (int)fd;
    got = call(in, SYS_mmap, data, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (data ? MAP_FIXED : 0), (uint64_t)fd, 0);
    call(in, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
    if (got < 0 && got > -4096)
        return (int)got;
    p->data = (uint64_t)got;
    if (data) {
        p->code = found->code;
        p->half = 1 - found->half;
        return 0;
    }
    uint64_t hole = 0;
    int rc = find_hole(p, &hole, in->err);
    if (rc < 0)
        return -ENOMEM;
    got = call(in, SYS_mmap, hole, GL_PATCH_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
               (uint64_t)-1, 0);
    if (got == (int64_t)hole) {
        p->code = hole;
        return 0;
    }
    if (got > 0) /* a kernel that does not know the flag took it as a wish */
        call(in, SYS_munmap, (uint64_t)got, GL_PATCH_CODE_BYTES, 0, 0, 0, 0);
    call(in, SYS_munmap, p->data, p->bytes, 0, 0, 0, 0);
    return got < 0 ? (int)got : -EEXIST;
}

/** All that map_all may call, and what the kernel calls by itself where a thread was stopped while it slept. */
static int may_call(const injection *in, uint64_t data)
{
    const gl_patch *p = in->p;
    uint64_t hole = 0;
    int rc = data ? 0 : find_hole(p, &hole, in->err);
    const gl_seccomp_call calls[] = {
        {"openat", SYS_openat, {(uint64_t)AT_FDCWD, 0, O_RDWR | O_CLOEXEC}},
        {"mmap", SYS_mmap, {data, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (data ? MAP_FIXED : 0), 3}},
        {"close", SYS_close, {3}},
        {"restart_syscall", SYS_restart_syscall, {0}},
        {"mmap", SYS_mmap, {hole, GL_PATCH_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1}},
        {"munmap", SYS_munmap, {hole, GL_PATCH_CODE_BYTES}},
    };
    return rc < 0 ? rc : gl_seccomp_check(in->s, in->syscall + 2, calls, data ? 4 : 6, in->err);
}

int gl_patch_memory_inject(gl_patch *p, gl_surgeon *s, const gl_patch_header *found, uint64_t data, gl_error *err)
{
    injection in = {p, s, 0, err};
    int rc = find_syscall(p, &in.syscall, err);
    if (rc == 0)
        rc = may_call(&in, data);
    if (rc < 0)
        return rc;
    rc = map_all(&in, found, data);
    if (rc < 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "shared memory can't be mapped into process %d: %s", (int)p->pid, strerror(-rc));
    if (!populate(p, 0, gl_patch_rings_offset()))
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for the rings: %s", strerror(errno));
    fill_header(p);
    return 0;
}

int gl_patch_memory_ready(gl_patch *p, gl_error *err)
{
    fault_in(p, 0, gl_patch_rings_offset());
    gl_patch_memory_tend(p);
    if (p->header->offered == 0)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for the rings: %s", strerror(errno));
    return 0;
}

/** The rings' memory goes back to the system; the mapping in the program stays valid, as does the header. */
void gl_patch_memory_free(gl_patch *p)
{
    if (p->memory) {
        if (!p->patched)
            fallocate(p->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)gl_patch_slots_offset(),
                      (off_t)(p->bytes - gl_patch_slots_offset()));
        munmap(p->memory, p->bytes);
    }
    if (p->fd > 0)
        close(p->fd);
    p->memory = NULL;
    p->fd = -1;
}
