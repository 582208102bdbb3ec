#include "golanes/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define NAME_MAX_SHOWN 200
#define SPOOL_BYTES ((size_t)128 * 1024)

struct gl_input {
    int fd;              /* -1: memory */
    const char *memory;  /* the caller's */
    uint64_t size;
    const char *packing;
    bool cut;
    char cut_why[160];
    char name[NAME_MAX_SHOWN];
};

/* ---- unpacking into a temporary file ------------------------------------------------------------------------------ */

/*
 * A packed or unseekable source on its way into an unlinked temporary file. A packing feeds it with what the source
 * gave; `emit` puts plain bytes down.
 */
typedef struct spool {
    gl_input *in;
    int source, target;
    uint64_t source_done, source_total;
    gl_input_progress_fn progress;
    void *user;
    unsigned char buffer[SPOOL_BYTES], plain[SPOOL_BYTES];
} spool;

static ssize_t read_some(int fd, void *buf, size_t n)
{
    ssize_t got;
    do
        got = read(fd, buf, n);
    while (got < 0 && errno == EINTR);
    return got;
}

static int spool_emit(spool *s, const void *bytes, size_t n, gl_error *err)
{
    const char *p = bytes;
    while (n) {
        ssize_t put = write(s->target, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return gl_fail(err, GL_E_IO, s->in->size,
                           "%s: the temporary file could not be written (%s); set TMPDIR to a folder with room",
                           s->in->name, strerror(errno));
        p += put;
        n -= (size_t)put;
        s->in->size += (uint64_t)put;
    }
    return 0;
}

/** Next bytes of the source; *n = 0 at its end. */
static int spool_fill(spool *s, size_t *n, gl_error *err)
{
    ssize_t got = read_some(s->source, s->buffer, sizeof s->buffer);
    if (got < 0)
        return gl_fail(err, GL_E_IO, s->source_done, "%s: could not be read (%s)", s->in->name, strerror(errno));
    *n = (size_t)got;
    s->source_done += (uint64_t)got;
    if (s->progress && s->progress(s->user, s->source_done, s->source_total))
        return gl_fail(err, GL_E_CANCELLED, s->source_done, "%s: reading was cancelled", s->in->name);
    return 0;
}

static void mark_cut(gl_input *in, const char *packing, const char *why)
{
    in->cut = true;
    snprintf(in->cut_why, sizeof in->cut_why, "the %s data %s; %llu bytes could be unpacked", packing, why,
             (unsigned long long)in->size);
}

static int spool_plain(spool *s, gl_error *err)
{
    size_t n;
    int rc;
    while ((rc = spool_fill(s, &n, err)) == 0 && n)
        if ((rc = spool_emit(s, s->buffer, n, err)) < 0)
            break;
    return rc;
}

/** Inflates what lies in the buffer; several members in a row are one file, as gzip(1) has it. */
static int gzip_step(spool *s, z_stream *z, bool *ended, bool *broken, gl_error *err)
{
    while (z->avail_in) {
        if (*ended) {
            inflateReset(z);
            *ended = false;
        }
        z->next_out = s->plain;
        z->avail_out = sizeof s->plain;
        int zrc = inflate(z, Z_NO_FLUSH);
        int rc = spool_emit(s, s->plain, sizeof s->plain - z->avail_out, err);
        if (rc < 0)
            return rc;
        if (zrc == Z_STREAM_END)
            *ended = true;
        else if (zrc != Z_OK) {
            *broken = true;
            return 0;
        }
    }
    return 0;
}

static int spool_gzip(spool *s, gl_error *err)
{
    z_stream z = {0};
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return gl_fail(err, GL_E_NOMEM, 0, "%s: no memory to unpack gzip", s->in->name);
    bool ended = false, broken = false;
    size_t n;
    int rc;
    while ((rc = spool_fill(s, &n, err)) == 0 && n && !broken) {
        z.next_in = s->buffer;
        z.avail_in = (unsigned)n;
        if ((rc = gzip_step(s, &z, &ended, &broken, err)) < 0)
            break;
    }
    if (rc == 0 && broken)
        mark_cut(s->in, "gzip", "is damaged");
    else if (rc == 0 && !ended)
        mark_cut(s->in, "gzip", "ends early");
    inflateEnd(&z);
    return rc;
}

static int spool_zstd(spool *s, gl_error *err)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    if (!z)
        return gl_fail(err, GL_E_NOMEM, 0, "%s: no memory to unpack zstd", s->in->name);
    size_t n, pending = 0;
    int rc;
    bool broken = false;
    while (!broken && (rc = spool_fill(s, &n, err)) == 0 && n) {
        ZSTD_inBuffer from = {s->buffer, n, 0};
        ZSTD_outBuffer to;
        do {
            to = (ZSTD_outBuffer){s->plain, sizeof s->plain, 0};
            pending = ZSTD_decompressStream(z, &to, &from);
            broken = ZSTD_isError(pending);
            rc = spool_emit(s, s->plain, to.pos, err);
            /* A full output buffer may hide more of the same input: go round until it comes back with room. */
        } while (rc == 0 && !broken && (from.pos < from.size || to.pos == to.size));
        if (rc < 0)
            break;
    }
    if (rc == 0 && broken)
        mark_cut(s->in, "zstd", "is damaged");
    else if (rc == 0 && pending)
        mark_cut(s->in, "zstd", "ends early");
    ZSTD_freeDStream(z);
    return rc;
}

int gl_input_temporary(void)
{
    const char *dir = getenv("TMPDIR");
    if (!dir || !*dir)
        dir = "/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/golanes-XXXXXX", dir);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* ---- packings, found from the first bytes ------------------------------------------------------------------------- */

typedef struct packing {
    const char *name;
    unsigned char magic[4];
    size_t magic_bytes;
    int (*unpack)(spool *, gl_error *);
} packing;

static const packing packings[] = {
    {"gzip", {0x1f, 0x8b}, 2, spool_gzip},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, spool_zstd},
};

static const packing *packing_of(const unsigned char *first, size_t n)
{
    for (size_t i = 0; i < sizeof packings / sizeof packings[0]; i++)
        if (n >= packings[i].magic_bytes && memcmp(first, packings[i].magic, packings[i].magic_bytes) == 0)
            return &packings[i];
    return NULL;
}

/** Replaces in->fd by a temporary file that holds the unpacked bytes. */
static int unpack(gl_input *in, int (*how)(spool *, gl_error *), uint64_t total, gl_input_progress_fn progress,
                  void *user, gl_error *err)
{
    spool *s = calloc(1, sizeof *s);
    if (!s)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: no memory to unpack", in->name);
    *s = (spool){.in = in, .source = in->fd, .target = gl_input_temporary(), .source_total = total, .progress = progress,
                 .user = user};
    int rc;
    if (s->target < 0) {
        rc = gl_fail(err, GL_E_IO, UINT64_MAX, "%s: no temporary file could be made (%s); set TMPDIR to a folder with room",
                     in->name, strerror(errno));
    } else {
        in->size = 0;
        rc = how(s, err);
        close(in->fd);
        in->fd = s->target;
    }
    free(s);
    return rc;
}

/**
 * A stream is put down as it comes first; only then can its first bytes be looked at again, so a packed stream is
 * unpacked from that file in a second step.
 */
static int settle(gl_input *in, gl_input_progress_fn progress, void *user, gl_error *err)
{
    struct stat st;
    if (fstat(in->fd, &st) < 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: %s", in->name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: is a folder; name a trace file in it", in->name);
    int rc = 0;
    if (S_ISREG(st.st_mode))
        in->size = (uint64_t)st.st_size;
    else
        rc = unpack(in, spool_plain, 0, progress, user, err);
    if (rc < 0)
        return rc;
    unsigned char first[4];
    ssize_t got = gl_input_read(in, 0, first, sizeof first);
    const packing *p = got > 0 ? packing_of(first, (size_t)got) : NULL;
    if (!p)
        return got < 0 ? gl_fail(err, GL_E_IO, 0, "%s: could not be read (%s)", in->name, strerror(errno)) : 0;
    if (lseek(in->fd, 0, SEEK_SET) < 0)
        return gl_fail(err, GL_E_IO, 0, "%s: %s", in->name, strerror(errno));
    in->packing = p->name;
    return unpack(in, p->unpack, in->size, progress, user, err);
}

/* ---- public ------------------------------------------------------------------------------------------------------- */

static gl_input *input_new(int fd, const char *name)
{
    gl_input *in = calloc(1, sizeof *in);
    if (!in)
        return NULL;
    in->fd = fd;
    in->packing = "plain";
    snprintf(in->name, sizeof in->name, "%s", name);
    return in;
}

int gl_input_from_fd(int fd, const char *name, gl_input_progress_fn progress, void *user, gl_input **out, gl_error *err)
{
    gl_input *in = input_new(fd, name);
    if (!in) {
        close(fd);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: no memory", name);
    }
    int rc = settle(in, progress, user, err);
    if (rc < 0) {
        gl_input_close(in);
        return rc;
    }
    *out = in;
    return 0;
}

int gl_input_open(const char *path, gl_input_progress_fn progress, void *user, gl_input **out, gl_error *err)
{
    if (strcmp(path, "-") == 0) {
        int fd = dup(STDIN_FILENO);
        if (fd < 0)
            return gl_fail(err, GL_E_IO, UINT64_MAX, "standard input: %s", strerror(errno));
        return gl_input_from_fd(fd, "standard input", progress, user, out, err);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return gl_fail(err, errno == ENOENT ? GL_E_NOT_FOUND : GL_E_IO, UINT64_MAX, "%s: %s", path, strerror(errno));
    return gl_input_from_fd(fd, path, progress, user, out, err);
}

int gl_input_from_memory(const void *data, size_t n, gl_input **out)
{
    gl_input *in = input_new(-1, "memory");
    if (!in)
        return GL_E_NOMEM;
    in->memory = data;
    in->size = n;
    *out = in;
    return 0;
}

void gl_input_close(gl_input *in)
{
    if (!in)
        return;
    if (in->fd >= 0)
        close(in->fd);
    free(in);
}

ssize_t gl_input_read(gl_input *in, uint64_t offset, void *buf, size_t n)
{
    if (offset >= in->size)
        return 0;
    if (n > in->size - offset)
        n = (size_t)(in->size - offset);
    if (in->memory) {
        memcpy(buf, in->memory + offset, n);
        return (ssize_t)n;
    }
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(in->fd, (char *)buf + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return GL_E_IO;
        if (got == 0)
            break; /* the file shrank */
        done += (size_t)got;
    }
    return (ssize_t)done;
}

uint64_t gl_input_size(const gl_input *in) { return in->size; }

int gl_input_was_cut(const gl_input *in, const char **why)
{
    if (why)
        *why = in->cut_why;
    return in->cut;
}

const char *gl_input_name(const gl_input *in) { return in->name; }
const char *gl_input_packing(const gl_input *in) { return in->packing; }
