/*
 * The detail's lines: written from top to bottom, those beyond the last row nowhere.
 * Threads: as the app's.
 */
#ifndef GOLANES_VIEWER_DETAIL_H
#define GOLANES_VIEWER_DETAIL_H

#include "draw.h"

typedef struct gl_lines {
    gl_cells *c;
    gl_rect r;
    int used;
} gl_lines;

/** A pen at the next free line; beyond the last one it writes nowhere. */
gl_pen gl_lines_next(gl_lines *l);
void gl_put_site(gl_pen *p, const gl_model *m, uint32_t stack);
void gl_put_gor(gl_pen *p, const gl_model *m, uint64_t g);
/** Length, begin and end; end GL_TIME_NONE: still open. gor: whose span it is, GL_NONE where it is of the catalogue. */
void gl_put_times(gl_pen *p, gl_app *a, uint32_t gor, int64_t begin, int64_t end);
void gl_life_line(gl_lines *l, const gl_app *a, uint32_t gor);
void gl_pause_line(gl_lines *l, gl_app *a);
void gl_gor_lines(gl_lines *l, gl_app *a, uint32_t gor);

/* Of other rows than goroutines (draw_detail_more.c). */
void gl_lane_group_lines(gl_lines *l, gl_app *a, uint32_t group);
void gl_other_lines(gl_lines *l, gl_app *a, gl_row row);

#endif
