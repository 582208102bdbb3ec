/*
 * The terminal: shows a grid of cells and says what was pressed. The only part of the viewer that knows of one.
 * Threads: one terminal at a time, in one thread.
 */
#ifndef GOLANES_VIEWER_TERM_H
#define GOLANES_VIEWER_TERM_H

#include "app.h"

typedef struct gl_term gl_term;

typedef enum gl_input_type {
    GL_INPUT_NONE,   /**< nothing within the time */
    GL_INPUT_KEY,    /**< `key`: a code point or GL_KEY_… */
    GL_INPUT_MOUSE,  /**< `mouse`, x, y */
    GL_INPUT_RESIZE, /**< the size is x, y now */
    GL_INPUT_END     /**< the terminal went away, or a signal asks to leave */
} gl_input_type;

typedef struct gl_input_event {
    gl_input_type type;
    int key, x, y;
    gl_mouse mouse;
} gl_input_event;

/** Takes the terminal over: keys come from it even where standard input is a file. */
int gl_term_open(gl_term **out, gl_error *err) GL_MUST_CHECK;
/** Gives it back as it was. NULL is accepted. Signals that end the program do the same. */
void gl_term_close(gl_term *t);
int gl_term_colours(const gl_term *t);
/** True where it shows UTF-8. */
bool gl_term_is_unicode(const gl_term *t);
void gl_term_size(const gl_term *t, int *w, int *h);
/** Shows the grid; what did not change since the last time costs nothing. */
void gl_term_show(gl_term *t, const gl_cells *c, const gl_theme *theme);
/** Makes the next gl_term_show draw everything anew. */
void gl_term_forget(gl_term *t);
/** Gives the terminal to another program, as it was before; and takes it back, to be drawn anew. */
void gl_term_lend(gl_term *t);
void gl_term_take_back(gl_term *t);
/** Waits up to timeout_ms (-1: for ever). */
gl_input_event gl_term_wait(gl_term *t, int timeout_ms);
/** The signal that asks to leave, 0 none. */
int gl_term_signal(const gl_term *t);

/** Runs until the user leaves. 0, or the number of the signal that ended it. */
int gl_app_run(gl_app *a, gl_term *t);

#endif
