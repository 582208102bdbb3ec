/*
 * Repair: every sound chunk of a file goes into a new one, in its place; then the summaries that are missing above them,
 * an index and a trailer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lanes/cursor.h"
#include "lanes/pipe.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct copy {
    gl_reader *from;
    ln_pipe to;
    ln_buf bytes;
    uint64_t dropped, copied;
    gl_error *err;
} copy;

static int fail_write(copy *c, const char *path, int rc)
{
    return gl_fail(c->err, (gl_status)rc, UINT64_MAX, "Cannot write %s: %s.", path,
                   rc == GL_E_IO ? strerror(errno) : gl_status_text(rc));
}

/** Copies one chunk if its payload is sound. The old index is left behind. */
static int copy_chunk(void *user, const ln_chunk_header *h, uint64_t offset)
{
    copy *c = user;
    if (h->kind == LN_INDEX)
        return 0;
    size_t n = (size_t)(LN_CHUNK_HEADER_BYTES + h->stored);
    ln_buf_clear(&c->bytes);
    if (!ln_buf_room(&c->bytes, n))
        return fail_write(c, "a copy in memory", GL_E_NOMEM);
    int rc = ln_read_at(c->from->fd, c->bytes.base, n, offset);
    if (rc < 0)
        return gl_fail(c->err, (gl_status)rc, offset, "Cannot read %s at byte %llu.", c->from->path,
                       (unsigned long long)offset);
    if (XXH3_64bits(c->bytes.base + LN_CHUNK_HEADER_BYTES, (size_t)h->stored) != h->payload_hash) {
        c->dropped++;
        return 0;
    }
    rc = ln_index_add(&c->to.index, h, c->to.offset);
    if (rc == 0)
        rc = ln_pipe_raw(&c->to, c->bytes.base, n);
    c->copied += rc == 0;
    return rc < 0 ? fail_write(c, "the copy", rc) : 0;
}

/** The header as it is, longer ones of later minor versions too. */
static int copy_header(copy *c)
{
    uint8_t bytes[LN_FILE_HEADER_MAX];
    size_t n = (size_t)c->from->at;
    int rc = ln_read_at(c->from->fd, bytes, n, 0);
    if (rc == 0)
        rc = ln_pipe_raw(&c->to, bytes, n);
    return rc < 0 ? fail_write(c, "the copy", rc) : 0;
}

static int add_sum(copy *c, unsigned level, uint64_t number, const ln_sum *sum)
{
    ln_job *j = ln_pipe_take(&c->to);
    ln_draft *d = j ? ln_job_draft(j, LN_SUMMARY) : NULL;
    if (!d)
        return GL_E_NOMEM;
    ln_sum_draft(d, level, number, sum);
    ln_pipe_give(&c->to, j);
    return ln_pipe_wait(&c->to);
}

/** Makes the nodes that the upper levels lack; each finds what was made below it, as the copy's reader takes it up. */
static int add_missing_sums(copy *c, const char *path)
{
    gl_reader *r;
    ln_unpacker unpacker = {0};
    int rc = gl_reader_open(path, &r, c->err);
    if (rc < 0)
        return rc;
    rc = ln_unpacker_init(&unpacker);
    for (unsigned level = 1; rc == 0 && level < gl_reader_levels(r); level++) {
        const uint64_t size = gl_reader_level_size(r, level);
        for (uint64_t i = ln_sum_next(r, level, 0); rc == 0 && i < size; i = ln_sum_next(r, level, i + 1)) {
            ln_sum sum;
            if (ln_sum_stored(r, level, i))
                continue;
            rc = ln_sum_load(r, &c->bytes, &unpacker, level, i, &sum);
            if (rc == GL_E_NOT_FOUND || rc == GL_E_CORRUPT) {
                rc = 0; /* all eight below are lost */
                continue;
            }
            if (rc == 0) {
                rc = add_sum(c, level, i, &sum);
                free(sum.lanes);
            }
        }
        if (rc == 0)
            rc = gl_reader_refresh(r, NULL) < 0 ? GL_E_IO : 0;
    }
    ln_unpacker_free(&unpacker);
    gl_reader_close(r);
    return rc < 0 ? fail_write(c, path, rc) : 0;
}

static int add_index(copy *c, const char *path)
{
    ln_buf out = {0};
    uint64_t at = c->to.offset;
    uint8_t trailer[LN_TRAILER_BYTES];
    int rc = ln_index_chunk(&c->to.index, &out);
    if (rc == 0)
        rc = ln_pipe_raw(&c->to, out.base, ln_buf_size(&out));
    ln_trailer_put(trailer, &(ln_trailer){at, c->to.offset + LN_TRAILER_BYTES});
    if (rc == 0)
        rc = ln_pipe_raw(&c->to, trailer, sizeof trailer);
    ln_buf_free(&out);
    return rc < 0 ? fail_write(c, path, rc) : 0;
}

/** Forgets what an index said, so that the walk sees every chunk. */
static int walk_all(copy *c)
{
    gl_reader *r = c->from;
    uint8_t bytes[LN_FILE_HEADER_BYTES];
    uint16_t version[2];
    uint32_t header_bytes = 0;
    bool added;
    int rc = ln_read_at(r->fd, bytes, sizeof bytes, 0);
    if (rc == 0)
        rc = ln_file_header_get(bytes, sizeof bytes, version, &header_bytes, c->err);
    if (rc < 0)
        return rc;
    ln_index_free(&r->index);
    r->info->damaged_chunks = 0;
    r->at = header_bytes;
    r->on_chunk = copy_chunk;
    r->chunk_user = c;
    rc = copy_header(c);
    return rc < 0 ? rc : ln_file_walk(r, &added, c->err);
}

static void say(const copy *c, bool was_indexed, char *what, size_t size)
{
    const gl_reader_info *i = c->from->info;
    uint64_t after = i->file_bytes - i->usable_bytes;
    if (!what || !size)
        return;
    if (was_indexed && c->dropped == 0 && i->damaged_chunks == 0)
        snprintf(what, size, "The file was whole: %llu events, all chunks sound.", (unsigned long long)i->events);
    else
        snprintf(what, size,
                 "%s; %llu chunks kept, %llu damaged ones left out, %llu damaged stretches passed over, %llu bytes of an "
                 "unfinished chunk cut off the end; the index was written anew.",
                 was_indexed ? "The file had its index" : "The file had no index", (unsigned long long)c->copied,
                 (unsigned long long)c->dropped, (unsigned long long)i->damaged_chunks,
                 (unsigned long long)(i->cut ? after : 0));
}

int gl_repair(const char *path, const char *out_path, char *what, size_t what_size, gl_error *err)
{
    copy c = {.err = err};
    size_t n = strlen(out_path) + 16;
    char *temporary = malloc(n);
    if (!temporary)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "No memory for a repair.");
    snprintf(temporary, n, "%s.repair", out_path);
    int rc = gl_reader_open(path, &c.from, err);
    if (rc < 0) {
        free(temporary);
        return rc;
    }
    bool was_indexed = c.from->info->indexed;
    struct stat st;
    mode_t mode = fstat(c.from->fd, &st) == 0 ? st.st_mode & 0777 : 0666;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        rc = gl_fail(err, GL_E_IO, UINT64_MAX, "Cannot create %s: %s.", temporary, strerror(errno));
    if (rc == 0)
        rc = ln_pipe_open(&c.to, fd, 1, 0) < 0 ? fail_write(&c, temporary, GL_E_NOMEM) : 0;
    if (rc == 0)
        rc = walk_all(&c);
    if (rc == 0)
        rc = add_missing_sums(&c, temporary);
    if (rc == 0)
        rc = add_index(&c, temporary);
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = fail_write(&c, temporary, GL_E_IO);
    if (rc == 0 && rename(temporary, out_path) < 0)
        rc = gl_fail(err, GL_E_IO, UINT64_MAX, "Cannot put %s in place: %s.", out_path, strerror(errno));
    if (rc == 0)
        say(&c, was_indexed, what, what_size);
    else if (fd >= 0)
        unlink(temporary);
    if (c.to.jobs)
        ln_pipe_close(&c.to, true);
    ln_buf_free(&c.bytes);
    gl_reader_close(c.from);
    free(temporary);
    return rc;
}
