/*
 * Any bytes as a .lanes file: everything that a reader can be asked, and a repair, whose result must be sound. Checksums
 * would keep every change away from the decoders, so most inputs get theirs mended first.
 */
#include "golanes/reader.h"
#include "lanes/layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t walk(gl_cursor *c)
{
    const gl_event *ev;
    size_t n = 0;
    uint64_t seen = 0;
    while (gl_cursor_next(c, &ev, &n, NULL) == 0 && n > 0) {
        seen += n;
        if (seen > 4000000) /* a small file may hold very many equal events */
            break;
    }
    return seen;
}

static void use_tables(gl_reader *r)
{
    const gl_dict *d;
    if (gl_reader_dict(r, &d, NULL) < 0)
        return;
    size_t n = 0, bytes = 0;
    for (uint32_t i = 0; i < gl_dict_string_count(d); i++)
        bytes += strlen(gl_dict_text(d, i, &n));
    for (uint32_t i = 0; i < gl_dict_stack_count(d); i++)
        bytes += strlen(gl_dict_stack_root(d, i)) + (gl_dict_get_stack(d, i, &n) ? n : 0);
    if (bytes == SIZE_MAX)
        abort(); /* never; it keeps the calls from being optimised away */
}

static void use_summaries(gl_reader *r, gl_cursor *c)
{
    gl_summary_node node;
    const gl_lane_share *shares;
    size_t n;
    for (unsigned level = 0; level < gl_reader_levels(r) && level < 40; level++)
        for (uint64_t i = 0; i < gl_reader_level_size(r, level) && i < 16; i++) {
            (void)!gl_reader_summary(r, level, i, &node, NULL);
            (void)!gl_cursor_lanes(c, level, i, &shares, &n, NULL);
        }
}

static void use(const char *path)
{
    gl_reader *r = NULL;
    if (gl_reader_open(path, &r, NULL) < 0)
        return;
    const gl_reader_info *info = gl_reader_get_info(r);
    const char *key, *value;
    for (size_t i = 0; i < 64 && gl_reader_meta_at(r, i, &key, &value) == 0; i++)
        (void)gl_reader_meta(r, key);
    use_tables(r);
    gl_cursor *c = NULL;
    if (gl_cursor_open(r, GL_COL_ALL, &c, NULL) == 0) {
        const gl_goroutine_at *at;
        size_t n;
        walk(c);
        const int64_t middle = info->time_first / 2 + info->time_last / 2;
        if (gl_cursor_keyframe(c, middle, &at, &n, NULL) == 0)
            walk(c);
        const uint16_t types[] = {GL_EV_GoBlock, GL_EV_GCSTWBegin};
        if (gl_cursor_want_types(c, types, 2) == 0 && gl_cursor_seek(c, middle, NULL) == 0)
            walk(c);
        use_summaries(r, c);
    }
    (void)!gl_reader_refresh(r, NULL);
    gl_cursor_close(c);
    gl_reader_close(r);
}

static void repair(const char *path)
{
    char out[] = "/tmp/golanes-fuzz-XXXXXX", what[256];
    int fd = mkstemp(out);
    if (fd < 0)
        return;
    close(fd);
    if (gl_repair(path, out, what, sizeof what, NULL) >= 0) {
        gl_reader *r = NULL;
        if (gl_reader_open(out, &r, NULL) < 0 || !gl_reader_get_info(r)->indexed || gl_reader_get_info(r)->cut) {
            fprintf(stderr, "fuzz: what a repair wrote is not whole\n");
            abort();
        }
        gl_reader_close(r);
    }
    unlink(out);
}

static void mend_chunks(uint8_t *file, size_t n)
{
    for (size_t at = LN_FILE_HEADER_BYTES; n - at >= LN_CHUNK_HEADER_BYTES;) {
        uint8_t *h = file + at;
        uint64_t stored = ln_get64(h + 16);
        if (ln_get32(h) != LN_CHUNK_MAGIC)
            return;
        if (stored <= n - at - LN_CHUNK_HEADER_BYTES)
            ln_put64(h + 72, XXH3_64bits(h + LN_CHUNK_HEADER_BYTES, (size_t)stored));
        ln_put64(h + 80, XXH3_64bits(h, 80));
        if (stored > n - at - LN_CHUNK_HEADER_BYTES)
            return;
        at += LN_CHUNK_HEADER_BYTES + (size_t)stored;
    }
}

/* All checksums made right: of the file header, of the chunks in a row, of the trailer. */
static void mend(uint8_t *file, size_t n)
{
    if (n < LN_FILE_HEADER_BYTES)
        return;
    memcpy(file, LN_MAGIC, 8);
    ln_put64(file + 56, XXH3_64bits(file, 56));
    mend_chunks(file, n);
    if (n >= LN_FILE_HEADER_BYTES + LN_TRAILER_BYTES && memcmp(file + n - LN_TRAILER_BYTES, LN_TRAILER_MAGIC, 8) == 0)
        ln_put64(file + n - 8, XXH3_64bits(file + n - LN_TRAILER_BYTES, 56));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    int fd = memfd_create("fuzz", 0);
    char path[64];
    uint8_t *copy = malloc(n ? n : 1);
    if (fd < 0 || !copy)
        abort();
    if (n)
        memcpy(copy, data, n);
    /* Now and then the checksums stay as they are: refusing is to be tested too. */
    if (n && data[n / 2] % 8 != 7)
        mend(copy, n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (write(fd, copy, n) != (ssize_t)n)
        abort();
    use(path);
    repair(path);
    close(fd);
    free(copy);
    return 0;
}
