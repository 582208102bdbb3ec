/*
 * Events as lines of text, in the form of the corpus' NAME.events.txt files: what Go's own reader prints for the same
 * trace. Shared by the tests of both importers.
 *
 * A reference line is "TIME RAW KIND M P G DETAILS"; TIME is Go's bumped time and never compared, so the lines made here
 * begin at RAW. Sync lines end at their number: "0 Sync - - - n=1".
 */
#ifndef GOLANES_TEST_GOLINES_H
#define GOLANES_TEST_GOLINES_H

#include <stdbool.h>
#include <stddef.h>

#include "golanes/dict.h"
#include "golanes/events.h"

typedef struct golines golines;

/**
 * Holds what a line needs from earlier events (a task's name and parent). The dictionary stays the caller's.
 * v1: Go prints the end of a task without parent as "parent=0" there, and as "parent=-" for newer traces.
 */
golines *golines_new(const gl_dict *dict, bool v1);
void golines_free(golines *gl);
/** The line for one event, without newline; valid until the next call. */
const char *golines_line(golines *gl, const gl_event *ev);

/** Folder of the corpus: GOLANES_CORPUS, else the one beside the source tree, else NULL. */
const char *golines_corpus(void);
/** A whole file, unpacked where it is zstd: PATH, or PATH.zst. NUL-terminated. NULL: not there. Free it. */
char *golines_load(const char *path, size_t *n);

#endif
