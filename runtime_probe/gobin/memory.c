/*
 * A running process beside its program's file.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "program.h"

#define CHUNK 4096

static int read_by_file(int pid, uint64_t live, void *to, size_t n)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return GL_E_IO;
    ssize_t got;
    do
        got = pread(fd, to, n, (off_t)live);
    while (got < 0 && errno == EINTR);
    close(fd);
    return got == (ssize_t)n ? 0 : GL_E_IO;
}

int gl_gomemory_read_pid(void *user, uint64_t live, void *to, size_t n)
{
    int pid = *(const int *)user;
    struct iovec local = {to, n}, remote = {(void *)(uintptr_t)live, n}; /* NOLINT: another process's address */
    if (n == 0 || process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)n)
        return 0;
    return read_by_file(pid, live, to, n);
}

/* Bias */

typedef struct mapping {
    uint64_t begin, offset;
    unsigned major, minor;
    uint64_t inode;
} mapping;

/* A line of /proc/PID/maps: begin-end perms offset major:minor inode path. */
static bool parse_mapping(const char *line, mapping *m)
{
    uint64_t end;
    char rights[8];
    return sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64, &m->begin, &end, rights, &m->offset, &m->major,
                  &m->minor, &m->inode) == 7;
}

/* The first mapping of the program's file: its lowest segment lies there. Filesystems may give another device number. */
static bool find_mapping(const gl_goprog *p, FILE *maps, bool by_device, mapping *m)
{
    char line[4608];
    while (fgets(line, sizeof line, maps))
        if (parse_mapping(line, m) && m->inode == (uint64_t)p->inode && m->inode != 0 &&
            (!by_device || makedev(m->major, m->minor) == p->device))
            return true;
    return false;
}

int gl_goprog_bias(const gl_goprog *p, int pid, uint64_t *bias, gl_error *err)
{
    *bias = 0;
    if (!p->info.pie)
        return 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    if (!maps)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: %s", path, strerror(errno));
    mapping m;
    bool found = find_mapping(p, maps, true, &m);
    if (!found && fseek(maps, 0, SEEK_SET) == 0)
        found = find_mapping(p, maps, false, &m);
    fclose(maps);
    for (unsigned i = 0; found && i < p->image.count; i++) {
        const gl_segment *s = &p->image.segments[i];
        if (m.offset <= s->offset && s->offset - m.offset < CHUNK) {
            *bias = m.begin + (s->offset - m.offset) - s->address;
            return 0;
        }
    }
    return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d has not loaded %s", pid, p->path);
}

/* Comparison */

static int unreadable(uint64_t live, gl_error *err)
{
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the process's memory at 0x%" PRIx64 " can't be read", live);
}

static int compare_code(const gl_goprog *p, const gl_gomemory *mem, uint64_t bias, const gl_gofunc *f, gl_error *err)
{
    uint8_t have[CHUNK];
    for (uint64_t at = f->entry; at < f->end;) {
        size_t n = f->end - at < CHUNK ? (size_t)(f->end - at) : CHUNK;
        const uint8_t *want = gl_image_at(&p->image, at, n);
        if (!want || mem->read(mem->user, at + bias, have, n) < 0)
            return unreadable(at + bias, err);
        for (size_t i = 0; i < n; i++)
            if (have[i] != want[i])
                return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                               "the code of %s in memory is not that of the file (at 0x%" PRIx64
                               "): another probe or a patch is in the process",
                               f->name, at + i);
        at += n;
    }
    return 0;
}

int gl_goprog_check_memory(const gl_goprog *p, const gl_gomemory *mem, uint64_t bias, const gl_gofunc *functions, size_t n,
                           gl_error *err)
{
    uint8_t module[16], header[64];
    if (mem->read(mem->user, p->info.module_data + bias, module, sizeof module) < 0)
        return unreadable(p->info.module_data + bias, err);
    if (gl_le64(module) != p->info.table + bias)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the process is not this program (its module data does not point to its table)");
    if (mem->read(mem->user, p->info.table + bias, header, sizeof header) < 0)
        return unreadable(p->info.table + bias, err);
    /* Magic and count of functions; the word of the text's address is moved with the program. */
    if (memcmp(header, p->table.all.at, 16) != 0 || memcmp(header + 32, p->table.all.at + 32, 32) != 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the process is not this program (its function table is another)");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = compare_code(p, mem, bias, &functions[i], err);
    return rc;
}
