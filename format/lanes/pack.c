#include "lanes/pack.h"

#include <zstd.h>

#include "lanes/encode.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define LIGHT_HASH_LOG 6     /* the least that zstd takes */
#define LIGHT_MATCH_BYTES 7  /* the most */
#define SMALL_BYTES 48u /* a zstd frame's own bytes eat the gain below this */

int ln_packer_init(ln_packer *p, int level)
{
    p->zstd = ZSTD_createCCtx();
    if (!p->zstd)
        return GL_E_NOMEM;
    if (ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, level)))
        return GL_E_USAGE;
    p->fast = level == 1;
    return 0;
}

void ln_packer_free(ln_packer *p)
{
    ZSTD_freeCCtx(p->zstd);
    p->zstd = NULL;
}

/**
 * Steps of time are mostly noise, of which some values come more often than others: in a hundred megabytes of them the
 * search for what came before finds one part in a hundred, and takes two thirds of the time. Where speed was asked for, it
 * looks for long repeats only, in a table that needs no memory but the nearest. Zeros: as the level has it.
 */
static int set_search(ln_packer *p, bool steps)
{
    bool light = p->fast && steps;
    if (light == p->light)
        return 0;
    p->light = light;
    size_t hash = ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_hashLog, light ? LIGHT_HASH_LOG : 0);
    size_t match = ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_minMatch, light ? LIGHT_MATCH_BYTES : 0);
    return ZSTD_isError(hash) || ZSTD_isError(match) ? GL_E_USAGE : 0;
}

/** Appends a section's bytes, compressed where that makes them smaller; *coding says which. */
static int pack_section(ln_packer *p, const ln_buf *raw, ln_buf *out, uint8_t *coding)
{
    size_t n = ln_buf_size(raw);
    *coding = LN_CODING_RAW;
    if (n >= SMALL_BYTES) {
        size_t room = ZSTD_compressBound(n);
        if (!ln_buf_room(out, room))
            return GL_E_NOMEM;
        size_t got = ZSTD_compress2(p->zstd, out->p, room, raw->base, n);
        if (ZSTD_isError(got))
            return GL_E_NOMEM;
        if (got < n) {
            out->p += got;
            *coding = LN_CODING_ZSTD;
            return 0;
        }
    }
    ln_buf_bytes(out, raw->base, n);
    return out->failed ? GL_E_NOMEM : 0;
}

int ln_pack(ln_packer *p, ln_draft *d, ln_buf *out)
{
    size_t start = ln_buf_size(out), sections = (size_t)__builtin_popcount(d->present);
    size_t directory = 4 + sections * LN_DIRECTORY_ROW_BYTES;
    if (!ln_buf_room(out, LN_CHUNK_HEADER_BYTES + directory))
        return GL_E_NOMEM;
    memset(out->p, 0, LN_CHUNK_HEADER_BYTES + directory);
    out->p += LN_CHUNK_HEADER_BYTES + directory;
    ln_put32(out->base + start + LN_CHUNK_HEADER_BYTES, (uint32_t)sections);
    size_t row = start + LN_CHUNK_HEADER_BYTES + 4;
    for (unsigned id = 0; id < LN_S_LIMIT; id++) {
        if (!(d->present >> id & 1))
            continue;
        const ln_buf *raw = &d->sections[id];
        size_t before = ln_buf_size(out);
        uint8_t coding;
        if (raw->failed)
            return GL_E_NOMEM;
        if (ln_buf_size(raw) > LN_SECTION_RAW_MAX)
            return GL_E_LIMIT;
        int rc = set_search(p, d->h.kind == LN_EVENTS && id == LN_S_TIMES);
        if (rc == 0)
            rc = pack_section(p, raw, out, &coding);
        if (rc < 0)
            return rc;
        uint8_t *at = out->base + row;
        ln_put16(at, (uint16_t)id);
        at[2] = coding;
        ln_put32(at + 4, (uint32_t)ln_buf_size(raw));
        ln_put32(at + 8, (uint32_t)(ln_buf_size(out) - before));
        row += LN_DIRECTORY_ROW_BYTES;
    }
    uint8_t *payload = out->base + start + LN_CHUNK_HEADER_BYTES;
    d->h.stored = (uint64_t)(out->p - payload);
    d->h.payload_hash = XXH3_64bits(payload, (size_t)d->h.stored);
    ln_chunk_header_put(out->base + start, &d->h);
    return d->h.stored > LN_PAYLOAD_MAX ? GL_E_LIMIT : 0;
}

int ln_unpacker_init(ln_unpacker *u)
{
    *u = (ln_unpacker){.zstd = ZSTD_createDCtx()};
    return u->zstd ? 0 : GL_E_NOMEM;
}

void ln_unpacker_free(ln_unpacker *u)
{
    ZSTD_freeDCtx(u->zstd);
    ln_buf_free(&u->raw);
    u->zstd = NULL;
}

typedef struct section {
    unsigned id;
    uint8_t coding;
    uint32_t raw, stored;
    const uint8_t *bytes;
} section;

/** Reads and checks the directory; the number of sections, or a negative code. */
static int read_directory(const uint8_t *payload, size_t n, section out[LN_SECTIONS_MAX])
{
    if (n < 4)
        return GL_E_CORRUPT;
    uint32_t count = ln_get32(payload);
    if (count > LN_SECTIONS_MAX)
        return GL_E_LIMIT;
    if ((n - 4) / LN_DIRECTORY_ROW_BYTES < count)
        return GL_E_CORRUPT;
    size_t at = 4 + (size_t)count * LN_DIRECTORY_ROW_BYTES;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *row = payload + 4 + (size_t)i * LN_DIRECTORY_ROW_BYTES;
        out[i] = (section){ln_get16(row), row[2], ln_get32(row + 4), ln_get32(row + 8), payload + at};
        if (row[3] != 0)
            return GL_E_VERSION;
        if (out[i].raw > LN_SECTION_RAW_MAX)
            return GL_E_LIMIT;
        if (out[i].stored > n - at || (out[i].coding == LN_CODING_RAW && out[i].raw != out[i].stored))
            return GL_E_CORRUPT;
        at += out[i].stored;
    }
    return at == n ? (int)count : GL_E_CORRUPT;
}

static bool wants(const section *s, unsigned wanted)
{
    return s->id < LN_S_LIMIT && (wanted >> s->id & 1);
}

int ln_unpack(ln_unpacker *u, const uint8_t *payload, size_t n, unsigned wanted, ln_span spans[LN_S_LIMIT])
{
    section sections[LN_SECTIONS_MAX];
    int count = read_directory(payload, n, sections);
    if (count < 0)
        return count;
    memset(spans, 0, LN_S_LIMIT * sizeof *spans);
    size_t raw = 0;
    for (int i = 0; i < count; i++)
        if (wants(&sections[i], wanted) && sections[i].coding == LN_CODING_ZSTD) {
            /* a frame says how much it holds: so no claim makes us reserve what the bytes cannot fill */
            if (ZSTD_getFrameContentSize(sections[i].bytes, sections[i].stored) != sections[i].raw)
                return GL_E_CORRUPT;
            raw += sections[i].raw;
        }
    ln_buf_clear(&u->raw);
    if (!ln_buf_room(&u->raw, raw + 1)) {
        u->raw.failed = false;
        return GL_E_NOMEM;
    }
    for (int i = 0; i < count; i++) {
        const section *s = &sections[i];
        if (!wants(s, wanted))
            continue;
        if (s->coding == LN_CODING_RAW) {
            spans[s->id] = (ln_span){s->bytes, s->raw};
            continue;
        }
        if (s->coding != LN_CODING_ZSTD)
            return GL_E_UNSUPPORTED;
        size_t got = ZSTD_decompressDCtx(u->zstd, u->raw.p, s->raw, s->bytes, s->stored);
        if (ZSTD_isError(got) || got != s->raw)
            return GL_E_CORRUPT;
        spans[s->id] = (ln_span){u->raw.p, s->raw};
        u->raw.p += s->raw;
    }
    return 0;
}
