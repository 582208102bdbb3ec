/*
 * The viewer's configuration: a text of sections and names (golanes-config(5)). Reading it has no side effects; where the
 * text comes from is the caller's business.
 * Threads: works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_CONFIG_H
#define GOLANES_VIEWER_CONFIG_H

#include "app.h"

#define GL_CONFIG_COMMANDS 128 /* at least as many as there are commands */
#define GL_CONFIG_MAPS 16

struct gl_config {
    const gl_theme *theme;                 /**< NULL: by the terminal */
    gl_curves curves;
    bool ascii;
    bool has_order;
    gl_order order;
    char *keys[GL_CONFIG_COMMANDS];        /**< by command: instead of those of the table; NULL: those */
    bool has_keys;                         /**< some are not NULL */
    uint32_t hidden_columns[GL_VIEWS];
    struct {
        char *from, *to;
    } source[GL_CONFIG_MAPS];              /**< beginnings of source paths, as traced and as here */
    size_t source_count;
    char *editor;                          /**< NULL: $VISUAL, $EDITOR */
};

/** Zero-initialise first. GL_E_USAGE with the line and what is wrong there; what was read before it holds. */
int gl_config_parse(gl_config *c, const char *text, gl_error *err) GL_MUST_CHECK;
void gl_config_clean_up(gl_config *c);
/** From now on the app goes by it; it stays the caller's and must outlive the app. */
void gl_app_configure(gl_app *a, const gl_config *c);
/** Where a source file lies here: `path`, its beginning replaced where the configuration says so. */
void gl_config_source(const gl_config *c, const char *path, char *out, size_t size);

#endif
