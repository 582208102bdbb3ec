#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lanes/dictchunk.h"
#include "lanes/file.h"

bool gl_reader_detect(const void *bytes, size_t n)
{
    return n >= 8 && memcmp(bytes, LN_MAGIC, 8) == 0;
}

int gl_reader_open(const char *path, gl_reader **out, gl_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gl_fail(err, errno == ENOENT ? GL_E_NOT_FOUND : GL_E_IO, UINT64_MAX, "Cannot open %s: %s.", path,
                       strerror(errno));
    gl_reader *r = calloc(1, sizeof *r);
    if (!r) {
        close(fd);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "No memory for a reader.");
    }
    r->fd = fd;
    pthread_mutex_init(&r->lock, NULL);
    r->path = strdup(path);
    r->info = calloc(1, sizeof *r->info);
    int rc = r->path && r->info && ln_unpacker_init(&r->unpacker) == 0
                 ? 0
                 : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "No memory for a reader.");
    if (rc == 0)
        rc = ln_file_open(r, err);
    if (rc < 0) {
        gl_reader_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

void gl_reader_close(gl_reader *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->metas_n; i++) {
        free(r->metas[i].key);
        free(r->metas[i].value);
    }
    for (size_t i = 0; i < r->old_n; i++)
        free(r->old_values[i]);
    free(r->metas);
    free(r->old_values);
    gl_dict_destroy(r->dict);
    ln_index_free(&r->index);
    ln_buf_free(&r->payload);
    ln_unpacker_free(&r->unpacker);
    pthread_mutex_destroy(&r->lock);
    close(r->fd);
    free(r->info);
    free(r->path);
    free(r);
}

int gl_reader_refresh(gl_reader *r, gl_error *err)
{
    return ln_file_grown(r, err);
}

const gl_reader_info *gl_reader_get_info(const gl_reader *r)
{
    return r->info;
}

const char *gl_reader_meta(const gl_reader *r, const char *key)
{
    for (size_t i = 0; i < r->metas_n; i++)
        if (strcmp(r->metas[i].key, key) == 0)
            return r->metas[i].value;
    return NULL;
}

int gl_reader_meta_at(const gl_reader *r, size_t i, const char **key, const char **value)
{
    if (i >= r->metas_n)
        return GL_E_NOT_FOUND;
    *key = r->metas[i].key;
    *value = r->metas[i].value;
    return 0;
}

/** Takes over key and value. A key that is there gets the new value; the old one stays in memory. */
static int put_meta(gl_reader *r, char *key, char *value)
{
    for (size_t i = 0; i < r->metas_n; i++)
        if (strcmp(r->metas[i].key, key) == 0) {
            char **old = realloc(r->old_values, (r->old_n + 1) * sizeof *old);
            if (!old)
                return GL_E_NOMEM;
            r->old_values = old;
            old[r->old_n++] = r->metas[i].value;
            r->metas[i].value = value;
            free(key);
            return 0;
        }
    if (r->metas_n == r->metas_capacity) {
        size_t capacity = r->metas_capacity ? r->metas_capacity * 2 : 16;
        ln_meta *metas = realloc(r->metas, capacity * sizeof *metas);
        if (!metas)
            return GL_E_NOMEM;
        r->metas = metas;
        r->metas_capacity = capacity;
    }
    r->metas[r->metas_n++] = (ln_meta){key, value};
    return 0;
}

static char *get_text(ln_in *in)
{
    uint64_t n = ln_num_get(in);
    const uint8_t *bytes;
    if (n > LN_STRING_MAX || !ln_in_bytes(in, (size_t)n, &bytes)) {
        in->bad = true;
        return NULL;
    }
    return strndup((const char *)bytes, (size_t)n);
}

static int get_metas(gl_reader *r, ln_span span)
{
    ln_in in = {span.bytes, span.bytes + span.n, false};
    while (in.p < in.end) {
        char *key = get_text(&in), *value = get_text(&in);
        int rc = in.bad ? GL_E_CORRUPT : !key || !value ? GL_E_NOMEM : put_meta(r, key, value);
        if (rc < 0) {
            free(key);
            free(value);
            return rc;
        }
    }
    return 0;
}

int ln_file_load_metas(gl_reader *r, gl_error *err)
{
    const ln_list *l = ln_index_list(&r->index, LN_META, 0);
    for (; l && r->metas_loaded < l->n; r->metas_loaded++) {
        ln_row row;
        ln_span span;
        int rc = ln_index_row(l, r->fd, r->metas_loaded, &row);
        if (rc == 0)
            rc = ln_file_section(r, &row, LN_META, LN_S_ROWS, &span);
        if (rc == 0)
            rc = get_metas(r, span);
        if (rc == GL_E_NOMEM || rc == GL_E_IO)
            return gl_fail(err, (gl_status)rc, row.offset, "Cannot read the metadata of %s.", r->path);
        if (rc < 0)
            ln_file_damaged(r);
    }
    return 0;
}

static int load_dict(gl_reader *r)
{
    const ln_list *l = ln_index_list(&r->index, LN_TABLES, 0);
    if (!r->dict && !(r->dict = gl_dict_new()))
        return GL_E_NOMEM;
    uint64_t allowed = LN_ENTRIES_LOST_FREE + r->info->file_bytes, spare = allowed - r->entries_lost;
    for (; l && r->tables_loaded < l->n; r->tables_loaded++) {
        ln_row row;
        ln_span span;
        int rc = ln_index_row(l, r->fd, r->tables_loaded, &row);
        if (rc == 0)
            rc = ln_file_section(r, &row, LN_TABLES, LN_S_ROWS, &span);
        if (rc == 0)
            rc = ln_dict_get(r->dict, span.bytes, span.n, &spare);
        r->entries_lost = allowed - spare;
        if (rc == GL_E_NOMEM || rc == GL_E_IO)
            return rc;
        if (rc < 0)
            ln_file_damaged(r);
    }
    return 0;
}

int gl_reader_dict(gl_reader *r, const gl_dict **out, gl_error *err)
{
    pthread_mutex_lock(&r->lock);
    int rc = load_dict(r);
    *out = r->dict;
    pthread_mutex_unlock(&r->lock);
    return rc < 0 ? gl_fail(err, (gl_status)rc, UINT64_MAX, "Cannot read the tables of %s: %s.", r->path,
                            gl_status_text(rc))
                  : 0;
}
