#include "lanes/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void ln_file_damaged(const gl_reader *r)
{
    __atomic_fetch_add(&r->info->damaged_chunks, 1, __ATOMIC_RELAXED);
}

int ln_file_payload(const gl_reader *r, const ln_row *row, unsigned kind, ln_buf *out)
{
    uint8_t bytes[LN_CHUNK_HEADER_BYTES];
    ln_chunk_header h;
    ln_buf_clear(out);
    int rc = ln_read_at(r->fd, bytes, sizeof bytes, row->offset);
    if (rc == 0)
        rc = ln_chunk_header_get(bytes, &h);
    if (rc < 0)
        return rc;
    uint64_t end = r->info->file_bytes;
    if (h.kind != kind || h.stored != row->stored || h.number != row->number || h.count != row->count ||
        h.stored > LN_PAYLOAD_MAX)
        return GL_E_CORRUPT;
    if (h.stored > end || row->offset > end - h.stored)
        return GL_E_TRUNCATED;
    if (!ln_buf_room(out, (size_t)h.stored + 1)) {
        out->failed = false;
        return GL_E_NOMEM;
    }
    rc = ln_read_at(r->fd, out->base, (size_t)h.stored, row->offset + LN_CHUNK_HEADER_BYTES);
    if (rc == 0 && XXH3_64bits(out->base, (size_t)h.stored) != h.payload_hash)
        rc = GL_E_CORRUPT;
    out->p = out->base + h.stored;
    return rc;
}

int ln_file_section(gl_reader *r, const ln_row *row, unsigned kind, unsigned section, ln_span *out)
{
    ln_span spans[LN_S_LIMIT];
    int rc = ln_file_payload(r, row, kind, &r->payload);
    if (rc == 0)
        rc = ln_unpack(&r->unpacker, r->payload.base, ln_buf_size(&r->payload), 1u << section, spans);
    if (rc == 0 && !spans[section].bytes)
        rc = GL_E_CORRUPT;
    if (rc == 0)
        *out = spans[section];
    return rc;
}

/**
 * Where the next sound chunk header is at or after `from`, or UINT64_MAX. Mostly it is near: little is read at first, so
 * that many small holes do not cost a large read each.
 */
static uint64_t find_header(const gl_reader *r, uint64_t from, uint64_t end)
{
    uint8_t magic[4], piece[1 << 16];
    size_t size = 1 << 10;
    ln_put32(magic, LN_CHUNK_MAGIC);
    while (end - from >= LN_CHUNK_HEADER_BYTES) {
        size_t n = end - from < size ? (size_t)(end - from) : size;
        if (ln_read_at(r->fd, piece, n, from) < 0)
            break;
        const uint8_t *p = piece, *stop = piece + n - LN_CHUNK_HEADER_BYTES + 1;
        while (p < stop && (p = memmem(p, (size_t)(stop - p) + 3, magic, 4)) != NULL) {
            ln_chunk_header h;
            if (ln_chunk_header_get(p, &h) == 0)
                return from + (uint64_t)(p - piece);
            p++;
        }
        from += n - LN_CHUNK_HEADER_BYTES + 1;
        size = sizeof piece;
    }
    return UINT64_MAX;
}

static bool is_trailer(const gl_reader *r, uint64_t at, uint64_t end)
{
    uint8_t bytes[LN_TRAILER_BYTES];
    ln_trailer t;
    return end - at == sizeof bytes && ln_read_at(r->fd, bytes, sizeof bytes, at) == 0 && ln_trailer_get(bytes, &t);
}

static int walk_one(gl_reader *r, uint64_t end, bool *more, gl_error *err)
{
    uint8_t bytes[LN_CHUNK_HEADER_BYTES];
    ln_chunk_header h;
    *more = false;
    if (end - r->at < sizeof bytes)
        return 0;
    int rc = ln_read_at(r->fd, bytes, sizeof bytes, r->at);
    if (rc < 0)
        return gl_fail(err, (gl_status)rc, r->at, "Cannot read %s at byte %llu.", r->path, (unsigned long long)r->at);
    rc = ln_chunk_header_get(bytes, &h);
    if (rc == GL_E_VERSION)
        return gl_fail(err, GL_E_VERSION, r->at,
                       "%s uses a feature of a later version at byte %llu: use a newer golanes.", r->path,
                       (unsigned long long)r->at);
    if (rc < 0) {
        uint64_t next = find_header(r, r->at + 1, end);
        if (next == UINT64_MAX)
            return 0;
        ln_file_damaged(r);
        r->at = next;
        *more = true;
        return 0;
    }
    if (h.stored > end - r->at - sizeof bytes)
        return 0;
    rc = ln_index_add(&r->index, &h, r->at);
    if (rc < 0)
        return gl_fail(err, (gl_status)rc, r->at, "No memory for the list of chunks of %s.", r->path);
    rc = r->on_chunk ? r->on_chunk(r->chunk_user, &h, r->at) : 0;
    if (rc < 0)
        return rc;
    r->at += sizeof bytes + h.stored;
    *more = true;
    return 0;
}

static void take_totals(gl_reader *r)
{
    const ln_totals *t = &r->index.totals;
    const ln_list *events = ln_index_list(&r->index, LN_EVENTS, 0);
    gl_reader_info *i = r->info;
    i->events = t->events;
    i->event_chunks = events ? events->n : 0;
    i->chunks = t->chunks;
    i->unknown_chunks = t->unknown_chunks;
    i->bytes_events = t->bytes_events;
    i->bytes_tables = t->bytes_tables;
    i->bytes_keyframes = t->bytes_keyframes;
    i->bytes_summaries = t->bytes_summaries;
    i->time_first = t->time_first;
    i->time_last = t->time_last;
}

int ln_file_walk(gl_reader *r, bool *added, gl_error *err)
{
    uint64_t before = r->index.totals.chunks;
    bool more = true;
    int rc = 0;
    while (rc == 0 && more)
        rc = walk_one(r, r->info->file_bytes, &more, err);
    *added = r->index.totals.chunks > before;
    r->info->usable_bytes = r->at;
    r->info->cut = r->at < r->info->file_bytes && !is_trailer(r, r->at, r->info->file_bytes);
    take_totals(r);
    return rc;
}

/** Takes the index at the end. False where there is none that can be trusted. */
static bool take_index(gl_reader *r)
{
    uint64_t size = r->info->file_bytes;
    uint8_t bytes[LN_CHUNK_HEADER_BYTES];
    ln_trailer t;
    ln_chunk_header h;
    if (size < LN_FILE_HEADER_BYTES + LN_CHUNK_HEADER_BYTES + LN_TRAILER_BYTES ||
        ln_read_at(r->fd, bytes, LN_TRAILER_BYTES, size - LN_TRAILER_BYTES) < 0 || !ln_trailer_get(bytes, &t))
        return false;
    if (t.file_bytes != size || t.index_offset > size - LN_TRAILER_BYTES - LN_CHUNK_HEADER_BYTES ||
        ln_read_at(r->fd, bytes, sizeof bytes, t.index_offset) < 0 || ln_chunk_header_get(bytes, &h) < 0 ||
        h.kind != LN_INDEX || h.stored != size - LN_TRAILER_BYTES - LN_CHUNK_HEADER_BYTES - t.index_offset) {
        ln_file_damaged(r);
        return false;
    }
    if (ln_index_get(&r->index, r->fd, t.index_offset + sizeof bytes, h.stored, h.payload_hash, NULL) < 0) {
        ln_file_damaged(r);
        return false;
    }
    r->info->indexed = true;
    r->info->bytes_index = size - t.index_offset;
    r->info->usable_bytes = r->at = size;
    take_totals(r);
    return true;
}

static int file_size(const gl_reader *r, uint64_t *size, gl_error *err)
{
    struct stat st;
    if (fstat(r->fd, &st) < 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "Cannot ask for the size of %s.", r->path);
    if (!S_ISREG(st.st_mode))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s is not a plain file: copy it into one first.", r->path);
    *size = (uint64_t)st.st_size;
    return 0;
}

static int read_header(gl_reader *r, gl_error *err)
{
    uint8_t bytes[LN_FILE_HEADER_BYTES] = {0};
    uint16_t version[2];
    uint32_t header_bytes;
    size_t n = r->info->file_bytes < sizeof bytes ? (size_t)r->info->file_bytes : sizeof bytes;
    int rc = ln_read_at(r->fd, bytes, n, 0);
    if (rc < 0)
        return gl_fail(err, (gl_status)rc, 0, "Cannot read %s.", r->path);
    rc = ln_file_header_get(bytes, n, version, &header_bytes, err);
    if (rc < 0)
        return rc;
    r->info->version_major = version[0];
    r->info->version_minor = version[1];
    r->at = header_bytes;
    return 0;
}

int ln_file_open(gl_reader *r, gl_error *err)
{
    int rc = file_size(r, &r->info->file_bytes, err);
    if (rc == 0)
        rc = read_header(r, err);
    if (rc < 0)
        return rc;
    if (r->at > r->info->file_bytes) { /* a longer header of a later minor version, cut */
        r->info->cut = true;
        return 0;
    }
    bool added;
    rc = take_index(r) ? 0 : ln_file_walk(r, &added, err);
    return rc < 0 ? rc : ln_file_load_metas(r, err);
}

int ln_file_grown(gl_reader *r, gl_error *err)
{
    uint64_t size;
    bool added = false;
    int rc = file_size(r, &size, err);
    if (rc < 0)
        return rc;
    if (size < r->info->usable_bytes)
        return gl_fail(err, GL_E_TRUNCATED, size, "%s was cut to %llu bytes while it was read: open it anew.", r->path,
                       (unsigned long long)size);
    if (r->info->indexed || size == r->info->file_bytes)
        return 0;
    r->info->file_bytes = size;
    rc = ln_file_walk(r, &added, err);
    if (rc == 0)
        rc = ln_file_load_metas(r, err);
    return rc < 0 ? rc : added;
}
