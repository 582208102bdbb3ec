/*
 * Colours: roles, attributes, and the themes that give roles a look. Made from roles.def.
 * Threads: constant data.
 */
#ifndef GOLANES_VIEWER_THEME_H
#define GOLANES_VIEWER_THEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GL_ATTR_BOLD 1u
#define GL_ATTR_REVERSE 2u
#define GL_ATTR_UNDERLINE 4u
#define GL_ATTR_ITALIC 8u

typedef enum gl_role {
#define GL_ROLE(name, use, dark, light, safe, index16, mono) GL_ROLE_##name,
#include "roles.def"
#undef GL_ROLE
    GL_ROLES
} gl_role;

/** How a theme asks for colour: 24-bit values, the terminal's sixteen, or none at all. */
typedef enum gl_depth { GL_DEPTH_RGB, GL_DEPTH_16, GL_DEPTH_MONO } gl_depth;

typedef struct gl_theme {
    const char *name, *help;
    gl_depth depth;
    uint8_t column; /**< which colours of roles.def: 0 dark, 1 light, 2 safe */
} gl_theme;

typedef struct gl_style {
    uint8_t fg, bg; /**< gl_role; bg GL_ROLE_DEFAULT is the terminal's own */
    uint8_t attr;
} gl_style;

static inline gl_style gl_style_of(gl_role fg) { return (gl_style){.fg = (uint8_t)fg, .bg = GL_ROLE_DEFAULT}; }
static inline gl_style gl_style_on(gl_role fg, gl_role bg) { return (gl_style){.fg = (uint8_t)fg, .bg = (uint8_t)bg}; }
static inline gl_style gl_style_bold(gl_style s)
{
    s.attr |= GL_ATTR_BOLD;
    return s;
}

/** NULL past the last. */
const gl_theme *gl_theme_at(size_t i);
/** NULL where no theme has this name. */
const gl_theme *gl_theme_by_name(const char *name);
/** The theme to start with: by NO_COLOR, the number of colours of the terminal, and COLORFGBG. */
const gl_theme *gl_theme_default(int terminal_colours);
/** 0xRRGGBB of a role. */
uint32_t gl_theme_rgb(const gl_theme *t, gl_role role);
/** 0..15, -1 the terminal's default. */
int gl_theme_index16(gl_role role);
/** The same for a terminal of eight colours. Grey is not among them: black would be read for it, on black. */
int gl_theme_index8(gl_role role);
/** Nearest of the 256 colours that terminals share (16..255), -1 for the terminal's default. */
int gl_theme_index256(const gl_theme *t, gl_role role);
/** Attributes with which a style is shown: its own, and in a theme without colours those that stand in for them. */
unsigned gl_theme_attr(const gl_theme *t, gl_style s);
const char *gl_role_use(gl_role role);

#endif
