/*
 * The screen before it is a screen: a grid of cells, each a grapheme with a style. Everything that is shown is drawn
 * into such a grid; a terminal, a text, an ANSI stream, an SVG or an HTML page is made from it afterwards.
 *
 * Text that comes out of a trace may hold anything: control characters and malformed UTF-8 become "�", and a wide
 * character that would be cut in half at an edge becomes a space.
 *
 * Threads: everything works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_CELLS_H
#define GOLANES_VIEWER_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"
#include "text.h"
#include "theme.h"

#define GL_CELL_BYTES 16 /* a base character and its combining ones; what goes beyond is left out */

typedef struct gl_cell {
    char text[GL_CELL_BYTES]; /**< NUL-terminated; "" in the right half of a wide character */
    gl_style style;
    uint8_t width; /**< 1, 2, or 0: the right half of a wide character */
} gl_cell;

typedef struct gl_rect {
    int x, y, w, h;
} gl_rect;

typedef struct gl_cells {
    int w, h;
    bool ascii; /**< only 7-bit glyphs: lines and blocks get stand-ins, other characters "?" */
    gl_cell *cell;
} gl_cells;

/** Makes the grid w x h (at least 1 x 1), all blank. GL_E_NOMEM leaves it as it was. Zero-initialise before first use.
 */
int gl_cells_resize(gl_cells *c, int w, int h) GL_MUST_CHECK;
void gl_cells_clean_up(gl_cells *c);
void gl_cells_blank(gl_cells *c);
/** NULL outside the grid. */
gl_cell *gl_cells_at(gl_cells *c, int x, int y);

/** Puts s[0..n) at x, y, clipped to columns x .. x + room - 1 and to the grid. Returns the columns used. */
int gl_cells_put(gl_cells *c, int x, int y, int room, gl_style style, const char *s, size_t n);
/** The same for a string, cut with "…" where it does not fit. */
int gl_cells_fit(gl_cells *c, int x, int y, int room, gl_style style, const char *s, gl_text_cut cut);
/** The same, ending at column x + room - 1. */
void gl_cells_fit_right(gl_cells *c, int x, int y, int room, gl_style style, const char *s);
/** A glyph of one column; s is one of ours. */
void gl_cells_glyph(gl_cells *c, int x, int y, gl_style style, const char *s);
/** Text by format, clipped like gl_cells_fit. */
int gl_cells_printf(gl_cells *c, int x, int y, int room, gl_style style, const char *fmt, ...) GL_PRINTF(6, 7);
void gl_cells_fill(gl_cells *c, gl_rect r, gl_style style, const char *glyph);
/** Gives cells whose background is the default one another background. */
void gl_cells_tint(gl_cells *c, gl_rect r, gl_role bg);
bool gl_cells_equal(const gl_cells *a, const gl_cells *b);

/** Blocks by eighths, 0 (blank) to 8 (full): from the left edge, and from the bottom. */
extern const char *const gl_block_left[9];
extern const char *const gl_block_low[9];

/** The grid as plain text: a line a row, without spaces at line ends. */
void gl_cells_text(const gl_cells *c, gl_text *out);
/** Text and styles in a form made for comparing: the text, then for each row the runs of style. */
void gl_cells_golden(const gl_cells *c, gl_text *out);
/** With the escape sequences of a terminal; each row ends in a reset and a newline. */
void gl_cells_ansi(const gl_cells *c, const gl_theme *theme, gl_text *out);
void gl_cells_svg(const gl_cells *c, const gl_theme *theme, gl_text *out);
/** A whole page with one <pre>. */
void gl_cells_html(const gl_cells *c, const gl_theme *theme, const char *title, gl_text *out);
/** Name of a role as goldens and HTML classes write it: "RUNNING". */
const char *gl_role_name(gl_role role);

#endif
