/* Traces for the viewer's tests: one made here, with known times, and those of the corpus. */
#ifndef GOLANES_TESTS_SCENE_H
#define GOLANES_TESTS_SCENE_H

#include "app.h"

/**
 * "made": a trace of 10 ms that is written here; any other name is that of a corpus program's trace, imported into a
 * nameless file. NULL where the corpus does not have it (or is not there).
 *
 * "made": 4 Ps; G1 main.main; G10, G11 main.producer, G20, G21 main.worker; a GC from 2 to 6 ms whose pauses are 2.0 to
 * 2.5 ms and 6.0 to 6.05 ms; another stop ("read mem stats") from 8.0 to 8.2 ms. G10 sends from 1.8 to 3.0 ms: released
 * by G20 at 2.7 ms, so that it straddles the first pause by 0.5 ms and runs 0.5 ms after the restart. G11 sends
 * from 7.0 to 7.5 ms and meets no pause. G21 waits for a receive from 1.0 ms on and is never released. G20 panics at 9
 * ms.
 */
gl_reader *scene_open(const char *name);
/** "made", whose writer has not come to its end. */
gl_reader *scene_open_unfinished(void);
/** An app over it, settled, of that size. */
gl_app *scene_app(gl_reader *r, const char *name, const char *theme, bool ascii, int w, int h);
/** Keys separated by spaces; the app settles after each. */
void scene_press(gl_app *a, const char *keys);
/** Text of the screen. Free with gl_text_clean_up. */
gl_text scene_text(gl_app *a);
/** Fails the test where the screen does not hold the text. */
void scene_says(gl_app *a, const char *text);
/** A teardown: the app is *state. */
int scene_close_app(void **state);

#endif
