/* The loop between a terminal and the app. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "edit.h"
#include "term.h"

#define STEP_NS 8000000   /* of background work between two looks at the keys */
#define INPUTS_AT_ONCE 64 /* keys that were pressed meanwhile are answered in one frame */
#define FOLLOW_MS 200

static bool take(gl_app *a, gl_term *t, gl_input_event e)
{
    switch (e.type) {
    case GL_INPUT_KEY:
        if (e.key == 12)
            gl_term_forget(t);
        gl_app_key(a, e.key);
        return true;
    case GL_INPUT_MOUSE: gl_app_mouse(a, e.mouse, e.x, e.y); return true;
    case GL_INPUT_RESIZE:
        gl_app_resize(a, e.x, e.y);
        gl_term_forget(t);
        return true;
    case GL_INPUT_END: a->quit = true; return true;
    default: return false;
    }
}

/* Enter on a frame: the editor gets the terminal until it leaves. */
static void open_editor(gl_app *a, gl_term *t)
{
    char file[1024];
    a->wants_editor = false;
    gl_config_source(a->config, a->edit_file, file, sizeof file);
    if (access(file, R_OK) != 0) {
        const char *slash = strrchr(file, '/');
        gl_app_say(a, true, "%.60s is not here; [source] in the configuration can map %.*s", slash ? slash + 1 : file,
                   slash ? (int)(slash - file) : 0, file);
        return;
    }
    const char *editor = gl_edit_command(a->config);
    gl_term_lend(t);
    int status = gl_edit_run(editor, file, a->edit_line);
    gl_term_take_back(t);
    if (status == 127)
        gl_app_say(a, true, "there is no editor %.60s; set EDITOR", editor);
    int w, h;
    gl_term_size(t, &w, &h);
    gl_app_resize(a, w, h);
}

int gl_app_run(gl_app *a, gl_term *t)
{
    gl_cells cells = {0};
    int w, h;
    bool more = true, changed = true;
    gl_term_size(t, &w, &h);
    gl_app_begin(a, w, h);
    while (!a->quit) {
        if (changed) {
            gl_app_draw(a, &cells);
            gl_term_show(t, &cells, a->theme);
        }
        gl_input_event e = gl_term_wait(t, more ? 0 : a->m->follow ? FOLLOW_MS : -1);
        changed = take(a, t, e);
        for (int i = 0; i < INPUTS_AT_ONCE && e.type != GL_INPUT_NONE && !a->quit; i++) {
            e = gl_term_wait(t, 0);
            changed = take(a, t, e) || changed;
        }
        if (a->quit)
            break;
        if (a->wants_editor)
            open_editor(a, t);
        uint64_t revision = a->m->revision;
        bool before = more;
        more = gl_app_step(a, STEP_NS);
        changed = changed || more || before || a->m->revision != revision;
    }
    gl_cells_clean_up(&cells);
    return gl_term_signal(t);
}
