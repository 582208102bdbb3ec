/*
 * Where everything stands on the screen: a pure function of its size and of what is shown.
 * Threads: no state.
 */
#ifndef GOLANES_VIEWER_LAYOUT_H
#define GOLANES_VIEWER_LAYOUT_H

#include <stdbool.h>

#include "cells.h"

#define GL_SCREEN_MIN_W 20
#define GL_SCREEN_MIN_H 5

/** How much room the detail takes. */
typedef enum gl_detail_size { GL_DETAIL_NONE, GL_DETAIL_NORMAL, GL_DETAIL_LARGE } gl_detail_size;

/** Summary lanes: heap, goroutines by state. */
typedef enum gl_curves { GL_CURVES_AUTO, GL_CURVES_ALL, GL_CURVES_NONE, GL_CURVES } gl_curves;

/** Rectangles with h == 0 are not shown. */
typedef struct gl_layout {
    bool too_small;
    int gutter;     /**< columns of lane names, the gap to the time columns among them */
    gl_rect header; /**< name and figures of the trace */
    gl_rect map;    /**< the whole trace: activity */
    gl_rect marks;  /**< the whole trace: pauses and straddles */
    gl_rect ruler;
    gl_rect gc;     /**< collector; its pauses too where stw is not shown */
    gl_rect stw;
    gl_rect heap;
    gl_rect counts; /**< goroutines by state */
    gl_rect lanes;  /**< gutter and time columns of the lanes */
    gl_rect table;  /**< instead of all from ruler to lanes where a list is shown */
    gl_rect rule;
    gl_rect detail;
    gl_rect side;   /**< right part of the detail: the stack */
    gl_rect status;
} gl_layout;

gl_layout gl_layout_make(int w, int h, bool table, gl_detail_size detail, gl_curves curves);
/** The time columns of a rectangle that has a gutter. */
gl_rect gl_layout_time(const gl_layout *l, gl_rect r);

#endif
