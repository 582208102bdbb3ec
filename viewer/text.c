#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <utf8proc.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

void gl_text_clean_up(gl_text *t)
{
    free(t->bytes);
    *t = (gl_text){0};
}

void gl_text_clear(gl_text *t)
{
    t->n = 0;
    t->failed = false;
    if (t->bytes)
        t->bytes[0] = '\0';
}

/* Room for n more bytes and a NUL. */
static bool text_grow(gl_text *t, size_t n)
{
    if (t->failed || n > SIZE_MAX / 4 || t->n > SIZE_MAX / 4) {
        t->failed = true;
        return false;
    }
    size_t need = t->n + n + 1;
    if (need <= t->capacity)
        return true;
    size_t capacity = t->capacity ? t->capacity : 128;
    while (capacity < need)
        capacity *= 2;
    char *bytes = realloc(t->bytes, capacity);
    if (!bytes) {
        t->failed = true;
        return false;
    }
    t->bytes = bytes;
    t->capacity = capacity;
    return true;
}

void gl_text_add(gl_text *t, const char *bytes, size_t n)
{
    if (!text_grow(t, n))
        return;
    if (n)
        memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    t->bytes[t->n] = '\0';
}

void gl_text_str(gl_text *t, const char *s)
{
    gl_text_add(t, s, strlen(s));
}

void gl_text_repeat(gl_text *t, const char *s, size_t times)
{
    size_t n = strlen(s);
    if (n && times > SIZE_MAX / 8 / n)
        t->failed = true;
    for (size_t i = 0; i < times && !t->failed; i++)
        gl_text_add(t, s, n);
}

void gl_text_printf(gl_text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        t->failed = true;
    else if (text_grow(t, (size_t)n)) {
        vsnprintf(t->bytes + t->n, (size_t)n + 1, fmt, again);
        t->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

/* One character of a string as it will be shown. */
typedef struct glyph {
    const char *bytes;
    size_t n;     /* bytes to show */
    size_t taken; /* bytes of the source */
    size_t width;
} glyph;

static bool is_control(utf8proc_int32_t c)
{
    /* Line and paragraph separators and the characters that turn the writing direction about change what a terminal
     * shows of the text around them, so they count as controls too. */
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

static glyph glyph_at(const char *s, size_t n)
{
    const unsigned char *u = (const unsigned char *)s;
    if (u[0] >= 0x20 && u[0] < 0x7f)
        return (glyph){s, 1, 1, 1};
    utf8proc_int32_t c = -1;
    utf8proc_ssize_t taken = utf8proc_iterate(u, n > 8 ? 8 : (utf8proc_ssize_t)n, &c);
    if (taken <= 0 || c < 0)
        return (glyph){REPLACEMENT, sizeof REPLACEMENT - 1, 1, 1};
    if (is_control(c))
        return (glyph){REPLACEMENT, sizeof REPLACEMENT - 1, (size_t)taken, 1};
    int width = utf8proc_charwidth(c);
    return (glyph){s, (size_t)taken, (size_t)taken, width < 0 ? 0 : (size_t)width};
}

size_t gl_text_width(const char *s, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n;) {
        glyph g = glyph_at(s + i, n - i);
        width += g.width;
        i += g.taken;
    }
    return width;
}

void gl_text_safe(gl_text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t plain = i;
        while (plain < n && (unsigned char)s[plain] >= 0x20 && (unsigned char)s[plain] < 0x7f)
            plain++;
        gl_text_add(t, s + i, plain - i);
        i = plain;
        if (i < n) {
            glyph g = glyph_at(s + i, n - i);
            gl_text_add(t, g.bytes, g.n);
            i += g.taken;
        }
    }
}

/* Adds characters from the front as long as they fit; marks without width stay with the character before them. */
static size_t add_front(gl_text *t, const char *s, size_t n, size_t width)
{
    size_t used = 0;
    for (size_t i = 0; i < n;) {
        glyph g = glyph_at(s + i, n - i);
        if (used + g.width > width)
            break;
        gl_text_add(t, g.bytes, g.n);
        used += g.width;
        i += g.taken;
    }
    return used;
}

/* Adds the last characters that fit: drops from the front until the rest does. */
static size_t add_back(gl_text *t, const char *s, size_t n, size_t width)
{
    size_t left = gl_text_width(s, n), i = 0;
    while (i < n) {
        glyph g = glyph_at(s + i, n - i);
        if (left <= width && g.width > 0)
            break;
        left -= g.width;
        i += g.taken;
    }
    gl_text_safe(t, s + i, n - i);
    return left;
}

size_t gl_text_fit(gl_text *t, const char *s, size_t n, size_t width, gl_text_cut cut)
{
    size_t all = gl_text_width(s, n);
    if (all <= width) {
        gl_text_safe(t, s, n);
        return all;
    }
    if (width == 0)
        return 0;
    size_t front = cut == GL_CUT_START ? 0 : cut == GL_CUT_END ? width - 1 : width / 2;
    size_t back = width - 1 - front;
    size_t used = 1;
    if (front)
        used += add_front(t, s, n, front);
    gl_text_str(t, ELLIPSIS);
    if (back)
        used += add_back(t, s, n, back);
    return used;
}

void gl_text_cell(gl_text *t, const char *s, size_t n, size_t width, gl_text_align align, gl_text_cut cut)
{
    size_t all = gl_text_width(s, n);
    if (align == GL_ALIGN_RIGHT && all < width)
        gl_text_repeat(t, " ", width - all);
    size_t used = gl_text_fit(t, s, n, width, cut);
    if (align == GL_ALIGN_RIGHT && all < width)
        return;
    gl_text_repeat(t, " ", width - used);
}

void gl_text_wrap(gl_text *t, const char *s, size_t width, size_t indent)
{
    size_t column = 0;
    bool fresh = true;
    while (*s) {
        size_t n = strcspn(s, " \n");
        size_t w = gl_text_width(s, n);
        if (!fresh && (column + 1 + w > width)) {
            gl_text_str(t, "\n");
            gl_text_repeat(t, " ", indent);
            column = indent;
            fresh = true;
        }
        if (n) {
            if (!fresh)
                gl_text_str(t, " ");
            gl_text_safe(t, s, n);
            column += w + (fresh ? 0 : 1);
            fresh = false;
        }
        s += n;
        if (*s == '\n') {
            gl_text_str(t, "\n");
            gl_text_repeat(t, " ", s[1] && s[1] != '\n' ? indent : 0);
            column = indent;
            fresh = true;
        }
        s += *s != '\0';
    }
}

void gl_text_bar(gl_text *t, double share, size_t width)
{
    static const char *const eighth[8] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    if (!(share > 0) || width == 0)
        return;
    if (share > 1)
        share = 1;
    size_t eighths = (size_t)(share * (double)width * 8 + 0.5);
    if (eighths == 0)
        eighths = 1;
    if (eighths > width * 8)
        eighths = width * 8;
    gl_text_repeat(t, "█", eighths / 8);
    gl_text_str(t, eighth[eighths % 8]);
}

size_t gl_text_terminal_width(int fd, size_t fallback)
{
    const char *columns = getenv("COLUMNS");
    if (columns && *columns) {
        char *end;
        unsigned long n = strtoul(columns, &end, 10);
        if (*end == '\0' && n > 0 && n <= 10000)
            return n;
    }
    struct winsize ws = {0};
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
        return ws.ws_col;
    return fallback;
}
