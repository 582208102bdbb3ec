/*
 * The shared memory: made by us, mapped into the program in its own name.
 *
 * The program opens our descriptor through /proc, which asks for nothing but what its own runtime does all the time; where
 * it can't see us (another user, another pid namespace), it makes the memory and we open it. Either way no descriptor
 * stays open in it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "gorun/inject.h"
#include "patch.h"
#include "seccomp.h"

#define FAR (UINT64_C(1) << 28) /* behind the program: room for the C library's heap */
#define PAGE UINT64_C(4096)
#define READY_RINGS 24u
#define WHOLE_RINGS 8u /* the first ones are in the page tables whole; later threads are many, and come all at once */
#define BEGIN_BYTES (UINT64_C(64) << 10) /* of the others: to put a MiB there takes as long as many threads take to start */
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

/** Before it is mapped into the program, so that whoever comes after us knows whatever stands there. */
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
        fault_in(p, at, i < WHOLE_RINGS ? head + bytes + GL_PATCH_SLACK : head + BEGIN_BYTES);
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

/** Whether the room for hooks that an earlier recorder had in mind is there. */
static bool has_code(const gl_patch *p, uint64_t code)
{
    FILE *maps = open_maps(p);
    char line[512], mode[5];
    const char *name;
    uint64_t from, to;
    bool there = false;
    while (maps && code != 0 && !there && fgets(line, sizeof line, maps))
        there = parse_map(line, &from, &to, mode, &name) && from <= code && code - from < to - from &&
                to - code >= GL_PATCH_CODE_BYTES && strcmp(mode, "r-xp") == 0 && *name != '/';
    if (maps)
        fclose(maps);
    return there;
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
        found->version != GL_PATCH_VERSION || found->bytes != p->bytes || found->rings != GL_PATCH_RINGS ||
        found->ring_bytes != GL_PATCH_RING_BYTES || found->sites > GL_PATCH_SITES || found->half > 1 ||
        (found->state != GL_PATCH_EMPTY && found->data != *data))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "process %d was recorded by another version of golanes: it can be recorded again after a restart", (int)p->pid);
    if (!has_code(p, found->code)) /* its recorder was killed before it got there */
        found->code = 0;
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

typedef struct injection {
    gl_patch *p;
    gl_surgeon *s;
    gl_injector by;
    gl_error *err;
    bool code_there; /* an earlier recording mapped the room for hooks */
} injection;

static int64_t call(injection *in, long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t result = -EIO;
    uint64_t args[6] = {a, b, c, d, e, f};
    int rc = gl_inject(&in->by, number, args, &result, in->err);
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

/** One that was killed may have left ours open in the program. */
static void close_left(injection *in)
{
    static const char ours[] = "/memfd:" GL_PATCH_NAME " ";
    char path[64], name[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)in->p->pid);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, name, sizeof name);
        if (n >= (ssize_t)sizeof ours - 1 && memcmp(name, ours, sizeof ours - 1) == 0)
            call(in, SYS_close, strtoull(e->d_name, NULL, 10), 0, 0, 0, 0, 0);
    }
    if (dir)
        closedir(dir);
}

static int64_t open_in_program(injection *in)
{
    char text[GL_INJECT_TEXT];
    snprintf(text, sizeof text, "/proc/%d/fd/%d", (int)getpid(), in->p->fd);
    uint64_t at = gl_inject_text(&in->by, text);
    int64_t fd = at ? call(in, SYS_openat, (uint64_t)AT_FDCWD, at, O_RDWR | O_CLOEXEC, 0, 0, 0) : -EFAULT;
    if (fd >= 0 && !same_file(in->p, fd)) {
        call(in, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
        fd = -EXDEV;
    }
    if (fd < 0 && !filtered(in->p) && (at = gl_inject_text(&in->by, GL_PATCH_NAME)) != 0) {
        fd = call(in, SYS_memfd_create, at, MFD_CLOEXEC, 0, 0, 0, 0);
        if (fd >= 0 && !take_theirs(in->p, fd)) {
            call(in, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
            fd = -EACCES;
        }
    }
    return fd;
}

/** Room for hooks, where the header says that it is to be. */
static int map_code(injection *in)
{
    uint64_t hole = in->p->code;
    int64_t got = call(in, SYS_mmap, hole, GL_PATCH_CODE_BYTES, PROT_READ | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0);
    if (got == (int64_t)hole)
        return 0;
    if (got > 0) /* a kernel that does not know the flag took it as a wish */
        call(in, SYS_munmap, (uint64_t)got, GL_PATCH_CODE_BYTES, 0, 0, 0, 0);
    return got < 0 ? (int)got : -EEXIST;
}

/** found: of an earlier recording, at `data`, whose places are used again; data 0: there was none. */
static int map_all(injection *in, const gl_patch_header *found, uint64_t data)
{
    gl_patch *p = in->p;
    int64_t fd = open_in_program(in), got;
    int rc;
    if (fd < 0)
        return (int)fd;
    p->half = data ? 1 - found->half : 0;
    if (!populate(p, 0, gl_patch_rings_offset())) {
        call(in, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
        return -ENOMEM;
    }
    fill_header(p);
    got = call(in, SYS_mmap, data, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (data ? MAP_FIXED : 0), (uint64_t)fd, 0);
    call(in, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
    if (got < 0 && got > -4096)
        return (int)got;
    p->header->data = p->data = (uint64_t)got;
    rc = in->code_there ? 0 : map_code(in);
    if (rc < 0 && data == 0)
        call(in, SYS_munmap, p->data, p->bytes, 0, 0, 0, 0);
    return rc;
}

/** All that map_all may call, what the kernel calls by itself where a thread was stopped while it slept, and what a thread
    whose tracer has died calls. */
static int may_call(const injection *in, uint64_t data)
{
    const gl_patch *p = in->p;
    const gl_seccomp_call calls[] = {
        {"openat", SYS_openat, {(uint64_t)AT_FDCWD, 0, O_RDWR | O_CLOEXEC}},
        {"mmap", SYS_mmap, {data, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (data ? MAP_FIXED : 0), 3}},
        {"close", SYS_close, {3}},
        {"restart_syscall", SYS_restart_syscall, {0}},
        {"rt_sigprocmask", SYS_rt_sigprocmask, {SIG_SETMASK, in->by.at, 0, 8}},
        {"mmap", SYS_mmap, {p->code, GL_PATCH_CODE_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1}},
        {"munmap", SYS_munmap, {p->code, GL_PATCH_CODE_BYTES}},
    };
    return gl_seccomp_check(in->s, in->by.at + 2, calls, in->code_there ? 5 : 7, in->err);
}

int gl_patch_memory_inject(gl_patch *p, gl_surgeon *s, const gl_patch_header *found, uint64_t data, gl_error *err)
{
    injection in = {.p = p, .s = s, .err = err, .code_there = data && found->code};
    bool left = gl_inject_is_left(s, p->spare + p->bias);
    int rc = gl_inject_begin(&in.by, s, p->spare + p->bias, gl_goprog_bytes(p->prog, p->spare, GL_INJECT_BYTES), err);
    p->code = in.code_there ? found->code : 0;
    if (rc >= 0 && !in.code_there)
        rc = find_hole(p, &p->code, err);
    if (rc >= 0)
        rc = may_call(&in, data);
    if (rc < 0)
        return rc;
    if (left)
        close_left(&in);
    rc = map_all(&in, found, data);
    gl_inject_end(&in.by);
    if (rc >= 0)
        return 0;
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "shared memory can't be mapped into process %d: %s", (int)p->pid, strerror(-rc));
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
