/* A grid of cells as text, as a terminal's escape sequences, as SVG and as HTML. */
#include "cells.h"

#include <string.h>

static const char *const role_names[GL_ROLES] = {
#define GL_ROLE(name, use, dark, light, safe, index16, mono) #name,
#include "roles.def"
#undef GL_ROLE
};

const char *gl_role_name(gl_role role) { return role < GL_ROLES ? role_names[role] : "?"; }

static const gl_cell *row_of(const gl_cells *c, int y) { return &c->cell[(size_t)y * (size_t)c->w]; }

static bool same_style(gl_style a, gl_style b) { return a.fg == b.fg && a.bg == b.bg && a.attr == b.attr; }

/* Columns from x on that share its style. */
static int run_of(const gl_cells *c, int x, int y)
{
    const gl_cell *row = row_of(c, y);
    int to = x + 1;
    while (to < c->w && same_style(row[to].style, row[x].style))
        to++;
    return to - x;
}

static void add_row_text(const gl_cells *c, int y, gl_text *out)
{
    const gl_cell *row = row_of(c, y);
    int end = c->w;
    while (end > 0 && strcmp(row[end - 1].text, " ") == 0)
        end--;
    for (int x = 0; x < end; x++)
        gl_text_str(out, row[x].text);
    gl_text_str(out, "\n");
}

void gl_cells_text(const gl_cells *c, gl_text *out)
{
    for (int y = 0; y < c->h; y++)
        add_row_text(c, y, out);
}

void gl_cells_golden(const gl_cells *c, gl_text *out)
{
    gl_cells_text(c, out);
    gl_text_str(out, "--- styles\n");
    for (int y = 0; y < c->h; y++) {
        gl_text_printf(out, "%d:", y);
        for (int x = 0, n; x < c->w; x += n) {
            n = run_of(c, x, y);
            gl_style s = row_of(c, y)[x].style;
            if (s.fg == GL_ROLE_DEFAULT && s.bg == GL_ROLE_DEFAULT && !s.attr)
                continue;
            gl_text_printf(out, " %d+%d=%s", x, n, gl_role_name(s.fg));
            if (s.bg != GL_ROLE_DEFAULT)
                gl_text_printf(out, "/%s", gl_role_name(s.bg));
            if (s.attr)
                gl_text_printf(out, "!%u", s.attr);
        }
        gl_text_str(out, "\n");
    }
}

static void add_sgr_attr(gl_text *out, unsigned attr)
{
    static const struct {
        unsigned bit;
        const char *sgr;
    } codes[] = {
        {GL_ATTR_BOLD, ";1"}, {GL_ATTR_ITALIC, ";3"}, {GL_ATTR_UNDERLINE, ";4"}, {GL_ATTR_REVERSE, ";7"}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (attr & codes[i].bit)
            gl_text_str(out, codes[i].sgr);
}

static void add_sgr_colour(gl_text *out, const gl_theme *t, gl_role role, bool back)
{
    if (t->depth == GL_DEPTH_MONO || role == GL_ROLE_DEFAULT)
        return;
    if (t->depth == GL_DEPTH_16) {
        int i = gl_theme_index16(role);
        if (i >= 0)
            gl_text_printf(out, ";%d", (i < 8 ? 30 + i : 82 + i) + (back ? 10 : 0));
        return;
    }
    uint32_t rgb = gl_theme_rgb(t, role);
    gl_text_printf(out, ";%d;2;%u;%u;%u", back ? 48 : 38, rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255);
}

void gl_cells_ansi(const gl_cells *c, const gl_theme *theme, gl_text *out)
{
    for (int y = 0; y < c->h; y++) {
        for (int x = 0, n; x < c->w; x += n) {
            n = run_of(c, x, y);
            gl_style s = row_of(c, y)[x].style;
            gl_text_str(out, "\x1b[0");
            add_sgr_attr(out, gl_theme_attr(theme, s));
            add_sgr_colour(out, theme, s.fg, false);
            add_sgr_colour(out, theme, s.bg, true);
            gl_text_str(out, "m");
            for (int i = 0; i < n; i++)
                gl_text_str(out, row_of(c, y)[x + i].text);
        }
        gl_text_str(out, "\x1b[0m\n");
    }
}

static void add_xml(gl_text *out, const char *s)
{
    for (; *s; s++) {
        const char *entity = *s == '<'   ? "&lt;"
                             : *s == '>' ? "&gt;"
                             : *s == '&' ? "&amp;"
                             : *s == '"' ? "&quot;"
                                         : NULL;
        if (entity)
            gl_text_str(out, entity);
        else
            gl_text_add(out, s, 1);
    }
}

typedef struct look {
    uint32_t fg, bg;
    unsigned attr;
} look;

/* The colours that a page shows for a style: without a palette of its own, the sixteen borrow the dark theme's. */
static look look_of(const gl_theme *t, gl_style s)
{
    bool mono = t->depth == GL_DEPTH_MONO;
    gl_role ink = s.fg == GL_ROLE_DEFAULT || mono ? GL_ROLE_TEXT : (gl_role)s.fg;
    gl_role paper = mono ? GL_ROLE_DEFAULT : (gl_role)s.bg;
    look l = {gl_theme_rgb(t, ink), gl_theme_rgb(t, paper), gl_theme_attr(t, s)};
    if (l.attr & GL_ATTR_REVERSE) {
        uint32_t fg = l.fg;
        l.fg = l.bg;
        l.bg = fg;
    }
    return l;
}

#define CELL_W 8.4
#define CELL_H 17.0

/* Blocks are drawn as rectangles: fonts leave seams between them. Share of the cell as x, y, w, h; false: use the font.
 */
static bool block_shape(const char *s, double shape[4])
{
    for (int i = 1; i <= 8; i++) {
        if (strcmp(s, gl_block_left[i]) == 0)
            return shape[0] = 0, shape[1] = 0, shape[2] = i / 8.0, shape[3] = 1, true;
        if (strcmp(s, gl_block_low[i]) == 0)
            return shape[0] = 0, shape[1] = 1 - i / 8.0, shape[2] = 1, shape[3] = i / 8.0, true;
    }
    return false;
}

static void add_svg_rect(gl_text *out, double x, double y, double w, double h, uint32_t rgb)
{
    gl_text_printf(out, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#%06x\"/>\n", x, y, w, h,
                   rgb);
}

static void add_svg_glyph(gl_text *out, const gl_cell *cell, look l, int x, int y)
{
    double shape[4];
    if (block_shape(cell->text, shape)) {
        add_svg_rect(out, (x + shape[0]) * CELL_W, (y + shape[1]) * CELL_H, shape[2] * CELL_W, shape[3] * CELL_H, l.fg);
        return;
    }
    gl_text_printf(
        out, "<text x=\"%.2f\" y=\"%.2f\" textLength=\"%.2f\" lengthAdjust=\"spacingAndGlyphs\" fill=\"#%06x\"%s%s>",
        x * CELL_W, (y + 0.76) * CELL_H, cell->width * CELL_W, l.fg,
        l.attr & GL_ATTR_BOLD ? " font-weight=\"bold\"" : "", l.attr & GL_ATTR_ITALIC ? " font-style=\"italic\"" : "");
    add_xml(out, cell->text);
    gl_text_str(out, "</text>\n");
}

void gl_cells_svg(const gl_cells *c, const gl_theme *theme, gl_text *out)
{
    double w = c->w * CELL_W, h = c->h * CELL_H;
    uint32_t paper = gl_theme_rgb(theme, GL_ROLE_DEFAULT);
    gl_text_printf(out,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.1f %.1f\" width=\"%.0f\" height=\"%.0f\" "
                   "font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\" "
                   "shape-rendering=\"crispEdges\">\n",
                   w, h, w, h);
    add_svg_rect(out, 0, 0, w, h, paper);
    for (int y = 0; y < c->h; y++)
        for (int x = 0, n; x < c->w; x += n) {
            n = run_of(c, x, y);
            look l = look_of(theme, row_of(c, y)[x].style);
            if (l.bg != paper)
                add_svg_rect(out, x * CELL_W, y * CELL_H, n * CELL_W, CELL_H, l.bg);
            for (int i = x; i < x + n; i++)
                if (row_of(c, y)[i].width && strcmp(row_of(c, y)[i].text, " ") != 0)
                    add_svg_glyph(out, &row_of(c, y)[i], l, i, y);
        }
    gl_text_str(out, "</svg>\n");
}

void gl_cells_html(const gl_cells *c, const gl_theme *theme, const char *title, gl_text *out)
{
    uint32_t paper = gl_theme_rgb(theme, GL_ROLE_DEFAULT), ink = gl_theme_rgb(theme, GL_ROLE_TEXT);
    gl_text_str(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    add_xml(out, title);
    gl_text_printf(out,
                   "</title></head>\n<body style=\"background:#%06x;color:#%06x\">\n<pre style=\"font:14px/1.2 'DejaVu "
                   "Sans Mono',Menlo,Consolas,monospace\">\n",
                   paper, ink);
    for (int y = 0; y < c->h; y++) {
        for (int x = 0, n; x < c->w; x += n) {
            n = run_of(c, x, y);
            look l = look_of(theme, row_of(c, y)[x].style);
            gl_text_printf(out, "<span style=\"color:#%06x", l.fg);
            if (l.bg != paper)
                gl_text_printf(out, ";background:#%06x", l.bg);
            gl_text_printf(out, "%s%s\">", l.attr & GL_ATTR_BOLD ? ";font-weight:bold" : "",
                           l.attr & GL_ATTR_ITALIC ? ";font-style:italic" : "");
            for (int i = x; i < x + n; i++)
                add_xml(out, row_of(c, y)[i].text);
            gl_text_str(out, "</span>");
        }
        gl_text_str(out, "\n");
    }
    gl_text_str(out, "</pre>\n</body></html>\n");
}
