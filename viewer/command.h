/*
 * The command table: made from commands.def.
 * Threads: constant data.
 */
#ifndef GOLANES_VIEWER_COMMAND_H
#define GOLANES_VIEWER_COMMAND_H

#include "app.h"

typedef enum gl_section { GL_SECTION_MOVE, GL_SECTION_JUMP, GL_SECTION_LOOK, GL_SECTIONS } gl_section;

typedef struct gl_command {
    const char *name, *keys, *argument, *help;
    gl_section section;
    /** argument: "" where none was given. key: what was pressed, 0 where the command came by name. */
    void (*run)(gl_app *a, const char *argument, int key);
} gl_command;

/** NULL past the last. */
const gl_command *gl_command_at(size_t i);
const gl_command *gl_command_by_name(const char *name, size_t n);
/** By the table alone. */
const gl_command *gl_command_by_key(int key);
/** By the configuration, then by the table. */
const gl_command *gl_app_command_by_key(const gl_app *a, int key);
#define GL_KEYS_TEXT_MAX 64
/** The keys that run a command, as configured, the first one the one to show; "" none. Returns out (GL_KEYS_TEXT_MAX). */
const char *gl_app_keys(const gl_app *a, const gl_command *c, char *out);
/** The first of them, by the command's name. */
const char *gl_app_key_of(const gl_app *a, const char *command, char *out);
const char *gl_section_title(gl_section s);
/** The answer to whether the recording of a live view is to be kept. */
void gl_live_leave_key(gl_app *a, int key);
/** Goes to what a person typed: a time ("14.2ms", "3s"), "G37", or a function (regular expression). */
void gl_app_go_text(gl_app *a, const char *text);

#define GL_COMMAND(id, name, keys, argument, section, help)                                                            \
    void gl_do_##id(gl_app *a, const char *argument_text, int key);
#include "commands.def"
#undef GL_COMMAND

#endif
