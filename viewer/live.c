/* Of a live view: keeping its recording, and leaving. Of any other: leaving. */
#include "command.h"

void gl_do_keep(gl_app *a, const char *name, int key)
{
    char why[200] = "";
    (void)key;
    if (!a->live) {
        gl_app_say(a, true, "this is a file already; golanes live has something to keep");
        return;
    }
    if (!*name) {
        gl_app_prompt(a, GL_PROMPT_KEEP, a->live->name);
        return;
    }
    if (a->live->keep(a->live->user, name, why, sizeof why) < 0) {
        gl_app_say(a, true, "%s", why);
        a->leaving = false;
        return;
    }
    a->live_kept = true;
    a->quit = a->leaving;
    gl_app_say(a, false, "kept as %.100s; what is recorded from now on goes there too", name);
}

void gl_do_quit(gl_app *a, const char *argument, int key)
{
    (void)argument;
    (void)key;
    if (a->live && !a->live_kept)
        gl_app_prompt(a, GL_PROMPT_LEAVE, "");
    else
        a->quit = true;
}

void gl_live_leave_key(gl_app *a, int key)
{
    a->prompt = GL_PROMPT_NONE;
    a->leaving = key == 'y' || key == 'Y';
    if (a->leaving)
        gl_do_keep(a, "", 0);
    else
        a->quit = key == 'n' || key == 'N';
}
