/*
 * Places with names: by a letter or a word. They are kept from one look at a trace to the next (see store.h).
 * Threads: as the app's.
 */
#ifndef GOLANES_VIEWER_BOOKMARKS_H
#define GOLANES_VIEWER_BOOKMARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#define GL_BOOKMARK_NAME_MAX 48
#define GL_BOOKMARKS_MAX 1000

typedef struct gl_bookmark {
    char name[GL_BOOKMARK_NAME_MAX];
    int64_t time, from, to; /**< the cursor, and the window around it */
    uint64_t g;             /**< the lane, 0 none */
} gl_bookmark;

typedef struct gl_bookmarks {
    gl_bookmark *list;      /**< in order of time */
    size_t n, capacity;
    bool changed;           /**< since they were read */
} gl_bookmarks;

/** Puts it in, over one of the same name. GL_E_LIMIT: there are too many. GL_E_USAGE: no name that can be kept. */
int gl_bookmarks_put(gl_bookmarks *b, gl_bookmark m) GL_MUST_CHECK;
bool gl_bookmarks_remove(gl_bookmarks *b, const char *name);
/** NULL where there is none of that name. */
const gl_bookmark *gl_bookmarks_find(const gl_bookmarks *b, const char *name);
/** The next after `time`, or the last before it. */
const gl_bookmark *gl_bookmarks_next(const gl_bookmarks *b, int64_t time, bool forward);
void gl_bookmarks_clean_up(gl_bookmarks *b);

#endif
