/* A source file in the user's editor. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "edit.h"

/* How editors take the line, by the name of the program; the others as vi does: +LINE FILE. */
static const struct {
    const char *program, *option; /* FILE:LINE, after an option where one is needed */
} editors[] = {{"code", "--goto"}, {"codium", "--goto"}, {"subl", NULL}, {"hx", NULL}, {"helix", NULL}, {"zed", NULL}};

static bool is_program(const char *command, const char *name)
{
    size_t n = strcspn(command, " ");
    const char *slash = memrchr(command, '/', n);
    const char *base = slash ? slash + 1 : command;
    return (size_t)(command + n - base) == strlen(name) && strncmp(base, name, strlen(name)) == 0;
}

size_t gl_edit_arguments(const char *editor, const char *file, uint32_t line, char *room, size_t size, const char **out)
{
    for (size_t i = 0; i < sizeof editors / sizeof *editors; i++)
        if (is_program(editor, editors[i].program)) {
            size_t n = 0;
            if (editors[i].option)
                out[n++] = editors[i].option;
            snprintf(room, size, "%s:%u", file, line);
            out[n++] = room;
            return n;
        }
    snprintf(room, size, "+%u", line);
    out[0] = room;
    out[1] = file;
    return 2;
}

const char *gl_edit_command(const gl_config *c)
{
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
    if (c && c->editor && *c->editor)
        return c->editor;
    return visual && *visual ? visual : editor && *editor ? editor : "vi";
}

static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int gl_edit_run(const char *editor, const char *file, uint32_t line)
{
    char room[1200], script[600];
    const char *arguments[4];
    size_t n = gl_edit_arguments(editor, file, line, room, sizeof room, arguments);
    /* The command may have options of its own, which a shell takes apart; what is ours goes through untouched. */
    snprintf(script, sizeof script, "exec %s \"$@\"", editor);
    char *argv[8] = {(char[]){"sh"}, (char[]){"-c"}, script, (char[]){"golanes"}};
    char copies[2][1200];
    for (size_t i = 0; i < n; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", arguments[i]);
        argv[4 + i] = copies[i];
    }
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        execv("/bin/sh", argv);
        _exit(127);
    }
    return child < 0 ? -1 : wait_for(child);
}
