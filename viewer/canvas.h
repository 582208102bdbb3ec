/*
 * What the drawers of lanes share: the time columns, with what was worked out for it once.
 * Threads: as the app's.
 */
#ifndef GOLANES_VIEWER_CANVAS_H
#define GOLANES_VIEWER_CANVAS_H

#include "draw.h"

typedef struct gl_canvas {
    gl_app *a;
    gl_cells *c;
    gl_rect time;           /* the time columns of the lanes */
    gl_scale s;
    const gl_window *w;     /* NULL: too much for spans, lanes come from the pyramid */
    gl_pause_column *pause;
    gl_column_mix *mix;     /* of the lane that is being drawn */
    gl_column_sum *sums;    /* of the groups on the screen, a row of columns each */
    uint32_t *row_of_group; /* GL_NONE: not on the screen */
    bool pauses_are_dense;  /* so many that lines for narrow ones would hide the lanes */
} gl_canvas;

typedef struct gl_look {
    const char *glyph;
    gl_style style;
} gl_look;

/** Background of a column: a pause's band, or none. */
gl_role gl_canvas_band(const gl_canvas *f, int x);
/** True where a pause narrower than a column is to be drawn as a line through column x. */
bool gl_canvas_has_line(const gl_canvas *f, int x);
gl_look gl_look_of_kind(const gl_canvas *f, gl_span_kind k, gl_role band);
/** Draws f->mix as the lane in row y. */
void gl_canvas_mix(const gl_canvas *f, int y);
/** A word inside a stretch, where that has room for it and `least` columns. */
void gl_canvas_label(const gl_canvas *f, int y, int64_t begin, int64_t end, const char *text, gl_style style, int least);
/** A bar of eighths in column x, over whatever pause is there. */
void gl_canvas_bar(const gl_canvas *f, int x, int y, double share, gl_role role);
/** The lane's name at the left, and a value at the right of the gutter where it has room. */
void gl_canvas_gutter(const gl_canvas *f, int y, const char *name, gl_style style, const char *value, gl_role role);

void gl_canvas_sum_groups(const gl_canvas *f);
void gl_canvas_group(const gl_canvas *f, uint32_t group, int y);
void gl_canvas_unit(const gl_canvas *f, gl_row row, int y);
void gl_canvas_chan(const gl_canvas *f, gl_row row, int y);
void gl_canvas_task(const gl_canvas *f, gl_row row, int y);
/** Wake-ups of the span under the cursor, and the critical path. */
void gl_canvas_arrows(const gl_canvas *f);

#endif
