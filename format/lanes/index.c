#include "lanes/index.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

int ln_read_at(int fd, void *out, size_t n, uint64_t offset)
{
    uint8_t *p = out;
    while (n) {
        if (offset > (uint64_t)INT64_MAX)
            return GL_E_TRUNCATED;
        ssize_t got = pread(fd, p, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return GL_E_IO;
        if (got == 0)
            return GL_E_TRUNCATED;
        p += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

void ln_index_free(ln_index *x)
{
    for (unsigned i = 0; i < x->n; i++)
        free(x->lists[i].rows);
    *x = (ln_index){.n = 0};
}

static ln_list *find(ln_index *x, unsigned kind, unsigned level)
{
    for (unsigned i = 0; i < x->n; i++)
        if (x->lists[i].kind == kind && x->lists[i].level == level)
            return &x->lists[i];
    return NULL;
}

const ln_list *ln_index_list(const ln_index *x, unsigned kind, unsigned level)
{
    for (unsigned i = 0; i < x->n; i++)
        if (x->lists[i].kind == kind && x->lists[i].level == level)
            return &x->lists[i];
    return NULL;
}

static void count(ln_totals *t, const ln_chunk_header *h)
{
    uint64_t bytes = LN_CHUNK_HEADER_BYTES + h->stored;
    t->chunks++;
    switch (h->kind) {
    case LN_EVENTS:
        t->bytes_events += bytes;
        if (t->events == 0 || h->a < t->time_first)
            t->time_first = h->a;
        if (t->events == 0 || h->b > t->time_last)
            t->time_last = h->b;
        t->events += h->count;
        break;
    case LN_KEYFRAME:
        t->bytes_keyframes += bytes;
        break;
    case LN_SUMMARY:
        t->bytes_summaries += bytes;
        break;
    case LN_INDEX:
        break;
    default:
        t->bytes_tables += bytes;
        break;
    }
}

int ln_index_add(ln_index *x, const ln_chunk_header *h, uint64_t offset)
{
    count(&x->totals, h);
    if (h->kind == 0 || h->kind > LN_INDEX || h->level >= LN_LEVELS_MAX) {
        x->totals.unknown_chunks++;
        return 0;
    }
    if (h->kind == LN_INDEX)
        return 0;
    ln_list *l = find(x, h->kind, h->level);
    if (!l) {
        if (x->n == LN_LISTS_MAX)
            return GL_E_LIMIT;
        l = &x->lists[x->n++];
        *l = (ln_list){.kind = h->kind, .level = h->level};
    }
    if (l->n == l->capacity) {
        uint64_t capacity = l->capacity ? l->capacity * 2 : 16;
        ln_row *rows = realloc(l->rows, (size_t)capacity * sizeof *rows);
        if (!rows)
            return GL_E_NOMEM;
        l->rows = rows;
        l->capacity = capacity;
    }
    int64_t reach = h->b;
    if (l->n && l->rows[l->n - 1].reach > reach)
        reach = l->rows[l->n - 1].reach;
    l->rows[l->n++] = (ln_row){offset, h->stored, h->number, h->first, h->a, h->b, reach, {h->aux[0], h->aux[1]}, h->count};
    return 0;
}

static void row_put(uint8_t *p, const ln_row *r)
{
    ln_put64(p, r->offset);
    ln_put64(p + 8, r->stored);
    ln_put64(p + 16, r->number);
    ln_put64(p + 24, r->first);
    ln_put64(p + 32, (uint64_t)r->a);
    ln_put64(p + 40, (uint64_t)r->b);
    ln_put64(p + 48, (uint64_t)r->reach);
    ln_put64(p + 56, r->aux[0]);
    ln_put64(p + 64, r->aux[1]);
    ln_put32(p + 72, r->count);
    ln_put32(p + 76, 0);
}

static void row_get(const uint8_t *p, ln_row *r)
{
    r->offset = ln_get64(p);
    r->stored = ln_get64(p + 8);
    r->number = ln_get64(p + 16);
    r->first = ln_get64(p + 24);
    r->a = (int64_t)ln_get64(p + 32);
    r->b = (int64_t)ln_get64(p + 40);
    r->reach = (int64_t)ln_get64(p + 48);
    r->aux[0] = ln_get64(p + 56);
    r->aux[1] = ln_get64(p + 64);
    r->count = ln_get32(p + 72);
}

int ln_index_row(const ln_list *l, int fd, uint64_t i, ln_row *out)
{
    if (i >= l->n)
        return GL_E_NOT_FOUND;
    if (l->rows) {
        *out = l->rows[i];
        return 0;
    }
    uint8_t bytes[LN_ROW_BYTES];
    int rc = ln_read_at(fd, bytes, sizeof bytes, l->offset + i * LN_ROW_BYTES);
    if (rc == 0)
        row_get(bytes, out);
    return rc;
}

/*
 * Head: lists u32, row bytes u32, then the totals; then 24 bytes a list: kind u16, level u16, zero u32, rows u64, and
 * where they start, counted from the payload's start; then the rows.
 */
static void put_payload(const ln_index *x, ln_buf *out)
{
    const ln_totals *t = &x->totals;
    ln_buf_u32(out, x->n);
    ln_buf_u32(out, LN_ROW_BYTES);
    const uint64_t head[] = {t->events, t->chunks, t->unknown_chunks, (uint64_t)t->time_first, (uint64_t)t->time_last,
                             t->bytes_events, t->bytes_tables, t->bytes_keyframes, t->bytes_summaries, 0, 0, 0, 0, 0};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        ln_buf_u64(out, head[i]);
    uint64_t at = LN_INDEX_HEAD_BYTES + (uint64_t)x->n * LN_LIST_HEAD_BYTES;
    for (unsigned i = 0; i < x->n; i++) {
        const ln_list *l = &x->lists[i];
        ln_buf_u32(out, l->kind | (uint32_t)l->level << 16);
        ln_buf_u32(out, 0);
        ln_buf_u64(out, l->n);
        ln_buf_u64(out, at);
        at += l->n * LN_ROW_BYTES;
    }
    for (unsigned i = 0; i < x->n; i++)
        for (uint64_t k = 0; k < x->lists[i].n && ln_buf_room(out, LN_ROW_BYTES); k++) {
            row_put(out->p, &x->lists[i].rows[k]);
            out->p += LN_ROW_BYTES;
        }
}

int ln_index_chunk(const ln_index *x, ln_buf *out)
{
    ln_chunk_header h = {.kind = LN_INDEX};
    if (!ln_buf_room(out, LN_CHUNK_HEADER_BYTES))
        return GL_E_NOMEM;
    out->p += LN_CHUNK_HEADER_BYTES;
    put_payload(x, out);
    if (out->failed)
        return GL_E_NOMEM;
    h.stored = ln_buf_size(out) - LN_CHUNK_HEADER_BYTES;
    h.payload_hash = XXH3_64bits(out->base + LN_CHUNK_HEADER_BYTES, (size_t)h.stored);
    ln_chunk_header_put(out->base, &h);
    return 0;
}

/** The hash of a stretch of the file, read in pieces so that an index of any size costs no memory. */
static int hash_file(int fd, uint64_t offset, uint64_t n, uint64_t *hash)
{
    enum { PIECE = 256 * 1024 };
    XXH3_state_t *state = XXH3_createState();
    uint8_t *piece = malloc(PIECE);
    int rc = state && piece ? 0 : GL_E_NOMEM;
    if (rc == 0)
        XXH3_64bits_reset(state);
    while (rc == 0 && n) {
        size_t want = n < PIECE ? (size_t)n : PIECE;
        rc = ln_read_at(fd, piece, want, offset);
        if (rc == 0)
            XXH3_64bits_update(state, piece, want);
        offset += want;
        n -= want;
    }
    if (rc == 0)
        *hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    free(piece);
    return rc;
}

static void totals_get(const uint8_t *p, ln_totals *t)
{
    t->events = ln_get64(p + 8);
    t->chunks = ln_get64(p + 16);
    t->unknown_chunks = ln_get64(p + 24);
    t->time_first = (int64_t)ln_get64(p + 32);
    t->time_last = (int64_t)ln_get64(p + 40);
    t->bytes_events = ln_get64(p + 48);
    t->bytes_tables = ln_get64(p + 56);
    t->bytes_keyframes = ln_get64(p + 64);
    t->bytes_summaries = ln_get64(p + 72);
}

static int load_rows(ln_list *l, int fd)
{
    ln_row *rows = calloc((size_t)l->n + 1, sizeof *rows);
    if (!rows)
        return GL_E_NOMEM;
    enum { AT_ONCE = 256 };
    uint8_t bytes[AT_ONCE * LN_ROW_BYTES];
    int rc = 0;
    for (uint64_t i = 0; i < l->n && rc == 0; i += AT_ONCE) {
        size_t n = l->n - i < AT_ONCE ? (size_t)(l->n - i) : AT_ONCE;
        rc = ln_read_at(fd, bytes, n * LN_ROW_BYTES, l->offset + i * LN_ROW_BYTES);
        for (size_t k = 0; rc == 0 && k < n; k++)
            row_get(&bytes[k * LN_ROW_BYTES], &rows[i + k]);
    }
    if (rc < 0) {
        free(rows);
        return rc;
    }
    l->rows = rows;
    l->capacity = l->n + 1;
    return 0;
}

static int get_list(ln_index *x, int fd, const uint8_t *p, uint64_t offset, uint64_t n)
{
    ln_list l = {.kind = ln_get16(p), .level = ln_get16(p + 2), .n = ln_get64(p + 8), .offset = ln_get64(p + 16)};
    if (l.offset > n || l.n > (n - l.offset) / LN_ROW_BYTES)
        return GL_E_CORRUPT;
    if (l.kind == 0 || l.kind >= LN_INDEX || l.level >= LN_LEVELS_MAX)
        return 0; /* of a later minor version */
    if (find(x, l.kind, l.level))
        return GL_E_CORRUPT;
    l.offset += offset;
    int rc = n <= LN_INDEX_RESIDENT_BYTES ? load_rows(&l, fd) : 0;
    if (rc == 0)
        x->lists[x->n++] = l;
    return rc;
}

int ln_index_get(ln_index *x, int fd, uint64_t offset, uint64_t n, uint64_t hash, gl_error *err)
{
    uint8_t head[LN_INDEX_HEAD_BYTES], list[LN_LIST_HEAD_BYTES];
    uint64_t got = 0;
    int rc = n < sizeof head ? GL_E_CORRUPT : hash_file(fd, offset, n, &got);
    if (rc == 0 && got != hash)
        rc = GL_E_CORRUPT;
    if (rc == 0)
        rc = ln_read_at(fd, head, sizeof head, offset);
    if (rc == 0 && (ln_get32(head) > LN_LISTS_MAX || ln_get32(head + 4) != LN_ROW_BYTES))
        rc = GL_E_CORRUPT;
    if (rc == 0 && (n - sizeof head) / sizeof list < ln_get32(head))
        rc = GL_E_CORRUPT;
    if (rc == 0)
        totals_get(head, &x->totals);
    for (uint32_t i = 0; rc == 0 && i < ln_get32(head); i++) {
        rc = ln_read_at(fd, list, sizeof list, offset + sizeof head + i * sizeof list);
        if (rc == 0)
            rc = get_list(x, fd, list, offset, n);
    }
    if (rc < 0) {
        ln_index_free(x);
        return gl_fail(err, (gl_status)rc, offset, "The index at the file's end is damaged.");
    }
    return 0;
}
