/*
 * Drawing: each function fills one part of the grid from the app's state. Nothing here changes what is looked at.
 * Threads: as the app's.
 */
#ifndef GOLANES_VIEWER_DRAW_H
#define GOLANES_VIEWER_DRAW_H

#include "app.h"

void gl_draw_header(gl_app *a, gl_cells *c);
void gl_draw_map(gl_app *a, gl_cells *c);
void gl_draw_ruler(gl_app *a, gl_cells *c);
void gl_draw_gc(gl_app *a, gl_cells *c);
void gl_draw_curves(gl_app *a, gl_cells *c);
void gl_draw_lanes(gl_app *a, gl_cells *c);
void gl_draw_detail(gl_app *a, gl_cells *c);
void gl_draw_list(gl_app *a, gl_cells *c);
void gl_draw_status(gl_app *a, gl_cells *c);
void gl_draw_help(gl_app *a, gl_cells *c);

/** A moment, with as many digits as steps of step_ns need: "14.118 ms". GL_UNIT_TEXT_MAX bytes. */
const char *gl_time_text(char *out, int64_t t, double step_ns);
/** The smallest of 1, 2, 5 x 10^n that is not below x. */
double gl_nice_step(double x);

/** A bar in column x of r, to an eighth of a row. */
void gl_draw_bar(gl_cells *c, gl_rect r, int x, double share, gl_style style);

/** How much of each column pauses take. */
typedef struct gl_pause_column {
    float gc, other; /**< 0..1 */
} gl_pause_column;
void gl_pause_columns(const gl_model *m, gl_scale s, gl_pause_column *out);

/** Writing from left to right in one row. */
typedef struct gl_pen {
    gl_cells *c;
    int x, y, end;
} gl_pen;
void gl_pen_text(gl_pen *p, gl_role role, const char *text);
void gl_pen_printf(gl_pen *p, gl_role role, const char *fmt, ...) GL_PRINTF(3, 4);

#endif
