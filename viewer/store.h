/*
 * What is kept of a trace from one look to the next: its bookmarks, how its lanes are grouped and ordered, which are
 * pinned. As a text of sections and names; where it is kept is the caller's business.
 * Threads: as the app's.
 */
#ifndef GOLANES_VIEWER_STORE_H
#define GOLANES_VIEWER_STORE_H

#include "app.h"

/** True where there is something that was not there when it was read. */
bool gl_store_is_changed(const gl_app *a);
void gl_store_write(const gl_app *a, gl_text *out);
/** Takes up what was kept. Lines that are not understood are passed over: another version may have written them. */
void gl_store_read(gl_app *a, const char *text);

#endif
