/*
 * Making a session, and joining a program that offers itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session_internal.h"

#define SLOTS_DEFAULT 2048u
#define LARGE_RINGS_DEFAULT 32u
#define LARGE_DEFAULT (UINT64_C(8) << 20)
#define SMALL_DEFAULT ((uint64_t)256 << 10)
#define RING_MAX ((uint64_t)1 << 30)

/** Sizes, with the defaults in. */
typedef struct plan {
    uint32_t slots, large_rings;
    uint64_t large_bytes, small_bytes, table_offset, rings_offset, total;
} plan;

static uint64_t power_of_two(uint64_t bytes)
{
    uint64_t p = (uint64_t)GL_RING_BLOCKS_MIN * GL_RING_BLOCK;
    while (p < bytes)
        p *= 2;
    return p;
}

static int make_plan(const gl_session_options *opt, plan *p, gl_error *err)
{
    if (opt->slots > GL_RING_SLOTS_MAX || opt->large_bytes > RING_MAX || opt->small_bytes > RING_MAX)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "a session has at most %u rings of at most 1 GiB each; ask for less",
                       GL_RING_SLOTS_MAX);
    p->slots = opt->slots ? opt->slots : SLOTS_DEFAULT;
    p->large_rings = opt->large_rings ? opt->large_rings : LARGE_RINGS_DEFAULT;
    if (p->large_rings > p->slots)
        p->large_rings = p->slots;
    p->large_bytes = power_of_two(opt->large_bytes ? opt->large_bytes : LARGE_DEFAULT);
    p->small_bytes = power_of_two(opt->small_bytes ? opt->small_bytes : SMALL_DEFAULT);
    p->table_offset = GL_RING_HEADER_BYTES;
    p->rings_offset = (p->table_offset + p->slots * sizeof(gl_ring_slot) + 4095) & ~(uint64_t)4095;
    p->total = p->rings_offset + p->large_rings * (p->large_bytes + GL_RING_CONTROL_BYTES) +
               (p->slots - p->large_rings) * (p->small_bytes + GL_RING_CONTROL_BYTES);
    return 0;
}

static void lay_out(gl_ring_header *h, const plan *p, const gl_session_options *opt)
{
    h->total_bytes = p->total;
    h->table_offset = p->table_offset;
    h->slots = p->slots;
    h->block_bytes = GL_RING_BLOCK;
    h->control_bytes = GL_RING_CONTROL_BYTES;
    h->clock = opt->soft_clock ? GL_RING_CLOCK_MONOTONIC : gl_clock_best();
    h->flags = opt->follow ? GL_RING_FOLLOW : 0;
    uint64_t at = p->rings_offset;
    for (uint32_t i = 0; i < p->slots; i++) {
        gl_ring_slot *slot = gl_ring_table(h) + i;
        slot->ring_offset = at;
        slot->ring_bytes = i < p->large_rings ? p->large_bytes : p->small_bytes;
        at += slot->ring_bytes + GL_RING_CONTROL_BYTES;
    }
    __atomic_store_n(&h->laid_out, 1, __ATOMIC_RELEASE);
}

static uint64_t pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

/** An open file description of our own, with the lock that says that a recorder is there. */
static int take_lock(gl_session *s, gl_error *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
    s->lock_fd = open(path, O_RDWR | O_CLOEXEC);
    if (s->lock_fd < 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s can't be opened: %s; recording needs /proc", path,
                       strerror(errno));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (fcntl(s->lock_fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    if (errno != EAGAIN && errno != EACCES)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "the rings can't be locked: %s", strerror(errno));
    uint32_t other = 0;
    (void)!pread(s->fd, &other, sizeof other, offsetof(gl_ring_header, recorder_pid));
    return gl_fail(err, GL_E_USAGE, UINT64_MAX, "the program is being recorded already, by process %u; stop that one first",
                   other);
}

static int map_file(gl_session *s, uint64_t bytes, gl_error *err)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, s->fd, 0);
    if (at == MAP_FAILED)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%llu MiB of rings can't be mapped: %s; ask for fewer or smaller ones",
                       (unsigned long long)(bytes >> 20), strerror(errno));
    s->header = at;
    s->bytes = bytes;
    return 0;
}

/** Nobody can cut the file off under us, or it is refused: reading beyond its end would kill us. */
static int seal(gl_session *s, int seals, gl_error *err)
{
    (void)fcntl(s->fd, F_ADD_SEALS, seals);
    int have = fcntl(s->fd, F_GET_SEALS);
    if (have >= 0 && (have & F_SEAL_SHRINK))
        return 0;
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the rings can't be sealed against being cut off: %s", strerror(errno));
}

static int grow_and_lay_out(gl_session *s, const gl_session_options *opt, gl_error *err)
{
    plan p = {0};
    int status = make_plan(opt, &p, err);
    if (status < 0)
        return status;
    if (ftruncate(s->fd, (off_t)p.total) < 0)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%llu MiB of rings can't be had: %s", (unsigned long long)(p.total >> 20),
                       strerror(errno));
    if ((status = map_file(s, p.total, err)) < 0)
        return status;
    lay_out(s->header, &p, opt);
    return seal(s, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, err);
}

/** Copies what the header and the table say, after a look whether it makes sense. */
static int take_over(gl_session *s, const gl_session_options *opt, gl_error *err)
{
    gl_ring_header *h = s->header;
    const char *wrong = gl_ring_check(h, s->bytes);
    if (wrong)
        return gl_fail(err, GL_E_CORRUPT, 0, "the program's rings can't be used: %s", wrong);
    s->slots = h->slots;
    s->table = gl_ring_table(h);
    s->clock = (gl_ring_clock)h->clock;
    s->same_pid_namespace = h->pid_namespace != 0 && h->pid_namespace == pid_namespace();
    s->ring_offset = calloc(s->slots, sizeof *s->ring_offset);
    s->ring_bytes = calloc(s->slots, sizeof *s->ring_bytes);
    s->decoder = calloc(s->slots, sizeof *s->decoder);
    if (!s->ring_offset || !s->ring_bytes || !s->decoder)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for %u rings", s->slots);
    for (uint32_t i = 0; i < s->slots; i++) {
        gl_ring_slot slot = *gl_session_slot(s, i);
        if (!gl_ring_check_slot(h, &slot))
            return gl_fail(err, GL_E_CORRUPT, UINT64_MAX, "the program's rings can't be used: ring %u "
                           "lies outside of the file", i);
        s->ring_offset[i] = slot.ring_offset;
        s->ring_bytes[i] = slot.ring_bytes;
        s->decoder[i].ring = i;
    }
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    s->ready = opt->ready ? opt->ready : 2 * (cpus > 0 ? (uint32_t)cpus : 1) + 4;
    __atomic_store_n(&h->policy, opt->policy, __ATOMIC_RELAXED);
    __atomic_store_n(&h->recorder_pid, (uint32_t)getpid(), __ATOMIC_RELAXED);
    gl_session_tend(s);
    return 0;
}

/** The newest block's start in a ring that was written up to head. */
static uint64_t newest_block(uint64_t head)
{
    return head ? (head - 1) & ~(uint64_t)(GL_RING_BLOCK - 1) : 0;
}

/** A block can be understood only from its start, so readers begin there and keep quiet up to where they want to be. */
static void begin_ring(gl_session *s, uint32_t i, bool salvage)
{
    gl_ring_control *r = gl_session_control(s, i);
    gl_ring_decoder *d = &s->decoder[i];
    uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE), tail = __atomic_load_n(&r->tail, __ATOMIC_RELAXED);
    bool sound = tail <= head && gl_ring_waiting(r) <= s->ring_bytes[i];
    d->mute_until = salvage && sound ? tail : head;
    d->tail = d->mute_until & ~(uint64_t)(GL_RING_BLOCK - 1);
    if (!salvage) {
        d->tail = newest_block(head);
        d->lost_seen = __atomic_load_n(&r->lost, __ATOMIC_RELAXED);
        d->lost_known = true;
    }
    __atomic_store_n(&r->tail, d->tail, __ATOMIC_RELEASE);
}

static int finish_open(gl_session *s, const gl_session_options *opt, bool fresh, gl_error *err)
{
    int status = take_over(s, opt, err);
    if (status < 0)
        return status;
    uint32_t used = fresh ? 0 : gl_session_rings(s);
    for (uint32_t i = 0; i < used; i++)
        begin_ring(s, i, opt->salvage);
    gl_ring_pair pair;
    gl_session_take_clock(s, &pair);
    return 0;
}

static gl_session *new_session(void)
{
    gl_session *s = calloc(1, sizeof *s);
    if (s)
        s->fd = s->lock_fd = -1;
    return s;
}

static int create(gl_session *s, const gl_session_options *opt, gl_error *err)
{
    s->fd = memfd_create(GL_RING_FILE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (s->fd < 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "memory to share with the program can't be made: %s", strerror(errno));
    int status = take_lock(s, err);
    if (status >= 0)
        status = grow_and_lay_out(s, opt, err);
    if (status < 0)
        return status;
    s->header->version = GL_RING_VERSION;
    s->header->maker_pid = (uint32_t)getpid();
    s->header->pid_namespace = pid_namespace();
    s->header->magic = GL_RING_MAGIC;
    return finish_open(s, opt, true, err);
}

int gl_session_create(const gl_session_options *opt, gl_session **out, gl_error *err)
{
    gl_session *s = new_session();
    *out = NULL;
    if (!s)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a session");
    int status = create(s, opt, err);
    if (status < 0)
        gl_session_close(s);
    else
        *out = s;
    return status;
}

/* Joining. */

static bool is_ring_file(const char *directory, const char *name)
{
    static const char wanted[] = "/memfd:" GL_RING_FILE_NAME;
    char path[340], target[64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    ssize_t n = readlink(path, target, sizeof target);
    size_t len = sizeof wanted - 1;
    return n >= (ssize_t)len && !memcmp(target, wanted, len) && ((size_t)n == len || target[len] == ' ');
}

/** Opens the file if it is the one that this process offers; a child may still hold its parent's. */
static int open_offer(const char *directory, const char *name, pid_t pid, bool *foreign)
{
    char path[340];
    gl_ring_header h;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (pread(fd, &h, sizeof h, 0) == (ssize_t)sizeof h && h.magic == GL_RING_MAGIC) {
        bool comparable = h.pid_namespace != 0 && h.pid_namespace == pid_namespace();
        if (!comparable || h.maker_pid == (uint32_t)pid || (h.laid_out && (h.flags & GL_RING_FOLLOW)))
            return fd;
        *foreign = true;
        /* Made by its recorder: then that one is what is in the way. */
        if (h.laid_out && h.recorder_pid == h.maker_pid)
            return fd;
    }
    close(fd);
    return -1;
}

static int find_offer(gl_session *s, pid_t pid, gl_error *err)
{
    char directory[64];
    snprintf(directory, sizeof directory, "/proc/%ld/fd", (long)pid);
    DIR *dir = opendir(directory);
    if (!dir && (errno == EACCES || errno == EPERM))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "process %ld may not be looked at; record it as its own user, or as "
                       "root", (long)pid);
    if (!dir)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "there is no process %ld that can be joined: %s", (long)pid,
                       strerror(errno));
    bool foreign = false;
    for (struct dirent *e; s->fd < 0 && (e = readdir(dir)) != NULL;)
        if (is_ring_file(directory, e->d_name))
            s->fd = open_offer(directory, e->d_name, pid, &foreign);
    closedir(dir);
    if (s->fd >= 0)
        return 0;
    return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX,
                   foreign ? "process %ld has no rings of its own: it is a child that was made without fork()"
                           : "process %ld does not offer itself: it must be linked with golanes, not have " GL_RING_ENV_OFF
                             "=off in its environment, and leave the library's descriptor open",
                   (long)pid);
}

static int join(gl_session *s, pid_t pid, const gl_session_options *opt, gl_error *err)
{
    gl_ring_header h;
    struct stat st;
    int status = find_offer(s, pid, err);
    if (status >= 0)
        status = take_lock(s, err);
    if (status >= 0)
        status = seal(s, F_SEAL_SHRINK, err);
    if (status < 0)
        return status;
    if (pread(s->fd, &h, sizeof h, 0) != (ssize_t)sizeof h || fstat(s->fd, &st) < 0)
        return gl_fail(err, GL_E_IO, 0, "the rings of process %ld can't be read: %s", (long)pid, strerror(errno));
    if (h.version != GL_RING_VERSION)
        return gl_fail(err, GL_E_UNSUPPORTED, 0, "process %ld has rings of version %u, this recorder knows version %u; use "
                       "the recorder of its golanes", (long)pid, h.version, GL_RING_VERSION);
    status = h.laid_out ? map_file(s, (uint64_t)st.st_size, err) : grow_and_lay_out(s, opt, err);
    return status < 0 ? status : finish_open(s, opt, !h.laid_out, err);
}

int gl_session_join(pid_t pid, const gl_session_options *opt, gl_session **out, gl_error *err)
{
    gl_session *s = new_session();
    *out = NULL;
    if (!s)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a session");
    int status = join(s, pid, opt, err);
    if (status < 0)
        gl_session_close(s);
    else
        *out = s;
    return status;
}
