/*
 * Lists: tables of straddles, pauses, stuck goroutines, groups, statistics. A column knows its text and its order.
 * Threads: as the app's.
 */
#ifndef GOLANES_VIEWER_LIST_H
#define GOLANES_VIEWER_LIST_H

#include "draw.h"

typedef struct gl_list_cell {
    char text[200];
    gl_role role;
} gl_list_cell;

typedef struct gl_list_column {
    const char *title;
    uint8_t width;   /**< 0: what is left, shared */
    uint8_t drop_at; /**< left out where the screen is narrower than this */
    bool right;
    void (*put)(const gl_app *a, uint32_t row, gl_list_cell *out);
    /** What the column sorts by: smaller first. NULL: it does not. */
    int64_t (*key)(const gl_app *a, uint32_t row);
} gl_list_column;

#define GL_LIST_COLUMNS_MAX 16

typedef struct gl_list_kind {
    const gl_list_column *columns;
    size_t n;
    const char *empty;
} gl_list_kind;
/** By view. */
extern const gl_list_kind gl_list_kinds[GL_VIEWS];

#endif
