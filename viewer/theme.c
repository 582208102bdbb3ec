#include "theme.h"

#include <stdlib.h>
#include <string.h>

static const gl_theme themes[] = {
    {"dark", "for dark backgrounds, 256 colours or more", GL_DEPTH_RGB, 0},
    {"light", "for light backgrounds", GL_DEPTH_RGB, 1},
    {"safe", "told apart by every kind of colour vision", GL_DEPTH_RGB, 2},
    {"16", "the terminal's own sixteen colours", GL_DEPTH_16, 0},
    {"mono", "no colour: glyphs and attributes only", GL_DEPTH_MONO, 0},
};

static const struct {
    uint32_t rgb[3];
    int8_t index16;
    uint8_t mono;
    const char *use;
} roles[GL_ROLES] = {
#define GL_ROLE(name, use, dark, light, safe, index16, mono) {{dark, light, safe}, index16, mono, use},
#include "roles.def"
#undef GL_ROLE
};

const gl_theme *gl_theme_at(size_t i) { return i < sizeof themes / sizeof *themes ? &themes[i] : NULL; }

const gl_theme *gl_theme_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++)
        if (strcmp(themes[i].name, name) == 0)
            return &themes[i];
    return NULL;
}

/* COLORFGBG is "15;0" (or "15;default;0"): some terminals say their background there, 7 and 15 being light. */
static bool background_is_light(void)
{
    const char *v = getenv("COLORFGBG");
    const char *last = v ? strrchr(v, ';') : NULL;
    return last && (strcmp(last, ";7") == 0 || strcmp(last, ";15") == 0);
}

const gl_theme *gl_theme_default(int terminal_colours)
{
    const char *no = getenv("NO_COLOR");
    if ((no && *no) || terminal_colours < 8)
        return gl_theme_by_name("mono");
    if (terminal_colours < 256)
        return gl_theme_by_name("16");
    return gl_theme_by_name(background_is_light() ? "light" : "dark");
}

uint32_t gl_theme_rgb(const gl_theme *t, gl_role role) { return role < GL_ROLES ? roles[role].rgb[t->column] : 0; }

int gl_theme_index16(gl_role role) { return role < GL_ROLES ? roles[role].index16 : -1; }

int gl_theme_index8(gl_role role)
{
    int i = gl_theme_index16(role);
    if (i == 8)
        return role == GL_ROLE_ROW ? 4 : -1;
    return i > 8 ? i - 8 : i;
}

/* Steps of the colour cube: 0, 95, 135, 175, 215, 255. */
static int cube_step(unsigned v)
{
    if (v < 48)
        return 0;
    return v < 115 ? 1 : (int)(v - 35) / 40;
}

static unsigned distance(uint32_t a, uint32_t b)
{
    int r = (int)(a >> 16 & 255) - (int)(b >> 16 & 255), g = (int)(a >> 8 & 255) - (int)(b >> 8 & 255);
    int bl = (int)(a & 255) - (int)(b & 255);
    return (unsigned)(r * r * 3 + g * g * 6 + bl * bl);
}

int gl_theme_index256(const gl_theme *t, gl_role role)
{
    if (role == GL_ROLE_DEFAULT)
        return -1;
    uint32_t rgb = gl_theme_rgb(t, role);
    static const uint8_t level[] = {0, 95, 135, 175, 215, 255};
    int r = cube_step(rgb >> 16 & 255), g = cube_step(rgb >> 8 & 255), b = cube_step(rgb & 255);
    uint32_t cube = (uint32_t)level[r] << 16 | (uint32_t)level[g] << 8 | level[b];
    unsigned mean = ((rgb >> 16 & 255) + (rgb >> 8 & 255) + (rgb & 255)) / 3;
    int grey_i = mean < 8 ? 0 : mean > 238 ? 23 : (int)(mean - 3) / 10;
    uint32_t grey_v = (uint32_t)(8 + 10 * grey_i);
    uint32_t grey = grey_v << 16 | grey_v << 8 | grey_v;
    return distance(rgb, grey) < distance(rgb, cube) ? 232 + grey_i : 16 + 36 * r + 6 * g + b;
}

unsigned gl_theme_attr(const gl_theme *t, gl_style s)
{
    unsigned attr = s.attr;
    if (t->depth == GL_DEPTH_MONO) {
        attr |= roles[s.fg < GL_ROLES ? s.fg : 0].mono;
        attr |= roles[s.bg < GL_ROLES ? s.bg : 0].mono & (GL_ATTR_REVERSE | GL_ATTR_BOLD);
    }
    return attr;
}

const char *gl_role_use(gl_role role) { return role < GL_ROLES ? roles[role].use : ""; }
