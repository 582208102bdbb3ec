/*
 * Build information (Go 1.18 and later: debug/buildinfo): a header of 32 bytes at a multiple of 16, then version and
 * module texts, each with its length in front.
 */
#include <stdlib.h>
#include <string.h>

#include "program.h"

#define MAGIC "\xff Go buildinf:"
#define MAGIC_SIZE 14
#define HEADER 32
#define FLAG_INLINE 2
#define TEXT_MAX ((uint64_t)1 << 22)
#define FRAME 16 /* bytes before and behind the module text that mark it for those who search */

static const uint8_t *text_with_length(const uint8_t *p, uint64_t left, uint64_t *n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < left && i < 5; i++) {
        v |= (uint64_t)(p[i] & 0x7f) << 7 * i;
        if (p[i] < 0x80) {
            *n = v;
            return v <= TEXT_MAX && v <= left - i - 1 ? p + i + 1 : NULL;
        }
    }
    return NULL;
}

static bool is_version(const uint8_t *p, uint64_t n)
{
    return n >= 3 && (memcmp(p, "go1", 3) == 0 || (n > 5 && memcmp(p, "devel", 5) == 0));
}

/* A value in quotes, as Go's strconv.Quote writes it; unquoted in place. */
static void unquote(char *s)
{
    size_t n = strlen(s);
    if (n < 2 || (s[0] != '"' && s[0] != '`') || s[n - 1] != s[0])
        return;
    bool raw = s[0] == '`';
    char *to = s;
    for (const char *from = s + 1; from < s + n - 1; from++) {
        if (*from == '\\' && !raw && from + 1 < s + n - 1) {
            from++;
            *to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from == 'r' ? '\r' : *from;
        } else {
            *to++ = *from;
        }
    }
    *to = 0;
}

static int add_setting(gl_buildinfo *b, char *text)
{
    char *equals = text[0] == '"' || text[0] == '`' ? NULL : strchr(text, '=');
    if (!equals)
        return 0;
    gl_gosetting *more = realloc(b->settings, (b->count + 1) * sizeof *more);
    if (!more)
        return GL_E_NOMEM;
    b->settings = more;
    *equals = 0;
    unquote(equals + 1);
    b->settings[b->count++] = (gl_gosetting){text, equals + 1};
    return 0;
}

/* Lines of words separated by tabs: path, mod PATH VERSION SUM, dep …, build KEY=VALUE. */
static int take_lines(gl_buildinfo *b, char *text)
{
    int rc = 0;
    for (char *line = text, *next; rc == 0 && line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        char *tab = strchr(line, '\t');
        if (!tab)
            continue;
        *tab++ = 0;
        if (strcmp(line, "path") == 0) {
            b->package = tab;
        } else if (strcmp(line, "mod") == 0) {
            b->module = tab;
            tab[strcspn(tab, "\t")] = 0;
        } else if (strcmp(line, "build") == 0) {
            rc = add_setting(b, tab);
        }
    }
    return rc;
}

static int take(gl_buildinfo *b, const uint8_t *version, uint64_t version_n, const uint8_t *module, uint64_t module_n)
{
    if (module_n >= 2 * FRAME + 1 && module[module_n - FRAME - 1] == '\n') {
        module += FRAME;
        module_n -= 2 * FRAME;
    } else {
        module_n = 0;
    }
    b->text = calloc(1, (size_t)(version_n + module_n) + 2);
    if (!b->text)
        return GL_E_NOMEM;
    memcpy(b->text, version, (size_t)version_n);
    memcpy(b->text + version_n + 1, module, (size_t)module_n);
    b->version = b->text;
    b->package = b->module = "";
    int rc = take_lines(b, b->text + version_n + 1);
    return rc < 0 ? rc : 1;
}

/* The magic also stands as a constant in programs that read build information: the texts behind it decide. */
static int try_at(gl_buildinfo *b, const uint8_t *p, uint64_t left, bool *old)
{
    if (left < HEADER || memcmp(p, MAGIC, MAGIC_SIZE) != 0)
        return 0;
    if (!(p[15] & FLAG_INLINE)) {
        *old |= (p[14] == 4 || p[14] == 8) && gl_le64(p + 16) != 0;
        return 0;
    }
    uint64_t version_n = 0, module_n = 0;
    const uint8_t *version = text_with_length(p + HEADER, left - HEADER, &version_n);
    if (!version || !is_version(version, version_n))
        return 0;
    const uint8_t *module = text_with_length(version + version_n, left - (uint64_t)(version + version_n - p), &module_n);
    return take(b, version, version_n, module ? module : version, module ? module_n : 0);
}

int gl_buildinfo_read(gl_buildinfo *b, const gl_image *im, uint64_t section, uint64_t section_n, bool *old)
{
    *b = (gl_buildinfo){.version = "", .package = "", .module = ""};
    *old = false;
    const uint8_t *p = section_n ? gl_image_at(im, section, section_n) : NULL;
    int rc = p ? try_at(b, p, section_n, old) : 0;
    for (unsigned i = 0; rc == 0 && i < im->count; i++) {
        const gl_segment *s = &im->segments[i];
        const uint8_t *begin = im->bytes + s->offset;
        uint64_t first = (16 - s->address % 16) % 16;
        for (uint64_t at = first; rc == 0 && at + HEADER <= s->n; at += 16)
            if (begin[at] == 0xff && begin[at + 1] == ' ')
                rc = try_at(b, begin + at, s->n - at, old);
    }
    return rc;
}

void gl_buildinfo_clean_up(gl_buildinfo *b)
{
    free(b->text);
    free(b->settings);
    *b = (gl_buildinfo){0};
}

const char *gl_buildinfo_setting(const gl_buildinfo *b, const char *key)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->settings[i].key, key) == 0)
            return b->settings[i].value;
    return NULL;
}
