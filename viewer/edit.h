/*
 * A source file in the user's editor.
 * Threads: no state.
 */
#ifndef GOLANES_VIEWER_EDIT_H
#define GOLANES_VIEWER_EDIT_H

#include <stddef.h>
#include <stdint.h>

struct gl_config;

/** The editor: the configuration's, $VISUAL, $EDITOR, vi. */
const char *gl_edit_command(const struct gl_config *c);
/** What it is to be called with to stand at a line; out has room for 4, room is for texts that they need. */
size_t gl_edit_arguments(const char *editor, const char *file, uint32_t line, char *room, size_t size, const char **out);
/** Runs it and waits. Its exit status; 127: there is no such program; -1: it could not be run, or was killed. */
int gl_edit_run(const char *editor, const char *file, uint32_t line);

#endif
