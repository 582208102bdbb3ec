#include "cells.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define CELLS_MAX (4096 * 2048)

const char *const gl_block_left[9] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
const char *const gl_block_low[9] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

/* What stands for a glyph where only ASCII may be shown. */
static const struct {
    const char *glyph, *ascii;
} stand_ins[] = {
    {"█", "#"},  {"▉", "#"}, {"▊", "#"}, {"▋", "#"}, {"▌", "|"}, {"▍", "|"}, {"▎", "|"}, {"▏", "|"}, {"▐", "|"},
    {"▀", "\""}, {"▔", "\""}, {"◆", "*"}, {"▇", "#"}, {"▆", "#"}, {"▅", "="}, {"▄", "="}, {"▃", "-"}, {"▂", "_"}, {"▁", "_"}, {"▓", "X"},
    {"▒", "&"},  {"░", ":"}, {"━", "="}, {"─", "-"}, {"╌", "~"}, {"┄", "s"}, {"┈", "n"}, {"═", "%"}, {"│", "|"},
    {"╍", "m"},  {"┉", "g"}, {"┅", ","},
    {"┃", "|"},  {"┊", ":"}, {"┆", ":"}, {"┼", "+"}, {"╪", "+"}, {"┿", "+"}, {"▸", ">"}, {"▾", "v"}, {"▼", "V"},
    {"▲", "^"},  {"●", "o"}, {"○", "o"}, {"◆", "*"}, {"→", ">"}, {"←", "<"}, {"↑", "^"}, {"↓", "v"}, {"·", "."},
    {"×", "x"},  {"…", "~"}, {"µ", "u"}, {"╵", "'"}, {"╷", ","}, {"┬", "+"}, {"┴", "+"}, {"✕", "x"}, {"≥", ">"},
    {"╎", ":"},  {"▖", "."}, {"▗", "."}, {"▘", "'"}, {"▝", "'"}, {"┌", "+"}, {"└", "+"}, {"├", "+"}, {"┤", "+"},
    {"╳", "X"},  {"⋯", "~"}, {"Δ", "d"}, {"¦", "|"}, {"╸", "="}, {"╺", "="},
};

static const char *ascii_of(const char *s, size_t n)
{
    for (size_t i = 0; i < sizeof stand_ins / sizeof *stand_ins; i++)
        if (strlen(stand_ins[i].glyph) == n && memcmp(stand_ins[i].glyph, s, n) == 0)
            return stand_ins[i].ascii;
    return "?";
}

int gl_cells_resize(gl_cells *c, int w, int h)
{
    w = w < 1 ? 1 : w;
    h = h < 1 ? 1 : h;
    if (w > CELLS_MAX / h)
        return GL_E_NOMEM;
    if (w != c->w || h != c->h || !c->cell) {
        gl_cell *cell = realloc(c->cell, (size_t)w * (size_t)h * sizeof *cell);
        if (!cell)
            return GL_E_NOMEM;
        c->cell = cell;
        c->w = w;
        c->h = h;
    }
    gl_cells_blank(c);
    return 0;
}

void gl_cells_clean_up(gl_cells *c)
{
    free(c->cell);
    c->cell = NULL;
    c->w = c->h = 0;
}

static const gl_cell blank = {.text = " ", .style = {GL_ROLE_DEFAULT, GL_ROLE_DEFAULT, 0}, .width = 1};

void gl_cells_blank(gl_cells *c)
{
    for (size_t i = 0; i < (size_t)c->w * (size_t)c->h; i++)
        c->cell[i] = blank;
}

gl_cell *gl_cells_at(gl_cells *c, int x, int y)
{
    return x >= 0 && y >= 0 && x < c->w && y < c->h ? &c->cell[(size_t)y * (size_t)c->w + (size_t)x] : NULL;
}

/* A cell is about to be overwritten: if it is half of a wide character, the other half becomes a space. */
static void split_wide(gl_cells *c, int x, int y)
{
    gl_cell *cell = gl_cells_at(c, x, y);
    gl_cell *other = cell->width == 2 ? gl_cells_at(c, x + 1, y) : cell->width == 0 ? gl_cells_at(c, x - 1, y) : NULL;
    if (other) {
        memcpy(other->text, " ", 2);
        other->width = 1;
    }
    cell->width = 1;
}

static void store(gl_cells *c, int x, int y, gl_style style, const char *s, size_t n, int width)
{
    split_wide(c, x, y);
    if (width == 2)
        split_wide(c, x + 1, y);
    gl_cell *cell = gl_cells_at(c, x, y);
    memcpy(cell->text, s, n);
    cell->text[n] = '\0';
    cell->style = style;
    cell->width = (uint8_t)width;
    if (width == 2) {
        cell[1].text[0] = '\0';
        cell[1].style = style;
        cell[1].width = 0;
    }
}

static void append_combining(gl_cells *c, int x, int y, const char *s, size_t n)
{
    gl_cell *cell = gl_cells_at(c, x, y);
    if (cell && cell->width == 0)
        cell = gl_cells_at(c, x - 1, y);
    size_t have = cell ? strlen(cell->text) : GL_CELL_BYTES;
    if (have + n >= GL_CELL_BYTES)
        return;
    memcpy(cell->text + have, s, n);
    cell->text[have + n] = '\0';
}

typedef struct glyph {
    const char *s;
    size_t n, taken;
    int width;
} glyph;

static glyph next_glyph(const gl_cells *c, const char *s, size_t n)
{
    unsigned char first = (unsigned char)*s;
    if (first >= 0x20 && first < 0x7f)
        return (glyph){s, 1, 1, 1};
    utf8proc_int32_t code = -1;
    utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)s, n > 8 ? 8 : (utf8proc_ssize_t)n, &code);
    bool bad = taken <= 0 || code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
               (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    if (bad)
        return (glyph){c->ascii ? "?" : "\xef\xbf\xbd", c->ascii ? 1 : 3, taken > 0 ? (size_t)taken : 1, 1};
    int width = utf8proc_charwidth(code);
    if (c->ascii)
        return (glyph){width ? ascii_of(s, (size_t)taken) : "", width ? 1 : 0, (size_t)taken, width ? 1 : 0};
    return (glyph){s, (size_t)taken, (size_t)taken, width < 0 ? 0 : width > 2 ? 2 : width};
}

int gl_cells_put(gl_cells *c, int x, int y, int room, gl_style style, const char *s, size_t n)
{
    int used = 0;
    int room_left = x < c->w ? c->w - x : 0;
    room = room < room_left ? room : room_left;
    if (y < 0 || y >= c->h || x < 0)
        return 0;
    for (size_t i = 0; i < n;) {
        glyph g = next_glyph(c, s + i, n - i);
        i += g.taken;
        if (g.width == 0) {
            if (used > 0 && g.n > 0)
                append_combining(c, x + used - 1, y, g.s, g.n);
            continue;
        }
        if (used + g.width > room) {
            if (used < room)
                store(c, x + used++, y, style, " ", 1, 1);
            break;
        }
        store(c, x + used, y, style, g.s, g.n, g.width);
        used += g.width;
    }
    return used;
}

int gl_cells_fit(gl_cells *c, int x, int y, int room, gl_style style, const char *s, gl_text_cut cut)
{
    if (room <= 0)
        return 0;
    size_t n = strlen(s);
    if (gl_text_width(s, n) <= (size_t)room)
        return gl_cells_put(c, x, y, room, style, s, n);
    gl_text t = {0};
    gl_text_fit(&t, s, n, (size_t)room, cut);
    int used = t.bytes ? gl_cells_put(c, x, y, room, style, t.bytes, t.n) : 0;
    gl_text_clean_up(&t);
    return used;
}

void gl_cells_fit_right(gl_cells *c, int x, int y, int room, gl_style style, const char *s)
{
    int width = (int)gl_text_width(s, strlen(s));
    int from = width < room ? room - width : 0;
    gl_cells_fit(c, x + from, y, room - from, style, s, GL_CUT_END);
}

/* Most of a screen is made of these, and they are known to be one column wide. */
void gl_cells_glyph(gl_cells *c, int x, int y, gl_style style, const char *s)
{
    size_t n = strlen(s);
    if (x < 0 || y < 0 || x >= c->w || y >= c->h || n >= GL_CELL_BYTES)
        return;
    if (c->ascii && n > 1) {
        s = ascii_of(s, n);
        n = 1;
    }
    store(c, x, y, style, s, n, 1);
}

int gl_cells_printf(gl_cells *c, int x, int y, int room, gl_style style, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    return gl_cells_fit(c, x, y, room, style, line, GL_CUT_END);
}

void gl_cells_fill(gl_cells *c, gl_rect r, gl_style style, const char *glyph_text)
{
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            gl_cells_glyph(c, x, y, style, glyph_text);
}

void gl_cells_tint(gl_cells *c, gl_rect r, gl_role bg)
{
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++) {
            gl_cell *cell = gl_cells_at(c, x, y);
            if (cell && cell->style.bg == GL_ROLE_DEFAULT)
                cell->style.bg = (uint8_t)bg;
        }
}

bool gl_cells_equal(const gl_cells *a, const gl_cells *b)
{
    if (a->w != b->w || a->h != b->h)
        return false;
    for (size_t i = 0; i < (size_t)a->w * (size_t)a->h; i++) {
        const gl_cell *p = &a->cell[i], *q = &b->cell[i];
        if (strcmp(p->text, q->text) != 0 || p->width != q->width || memcmp(&p->style, &q->style, sizeof p->style) != 0)
            return false;
    }
    return true;
}
