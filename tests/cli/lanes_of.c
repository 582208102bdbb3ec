/*
 * Makes a .lanes file from lines of text, so that a test can write down a trace.
 *
 *     lanes_of OUT < LINES
 *
 * A line is, separated by tabs: time, event name, goroutine, P (- none), the arguments in the order of the table, and
 * last, where the event has one, its stack behind an @. A stack is FUNC:LINE<FUNC:LINE…, innermost first, all in x.go;
 * an argument that is a stack looks the same, and an empty one is 0. Strings are the text itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golanes/writer.h"

static void die(const char *what, const char *line)
{
    fprintf(stderr, "lanes_of: %s: %s\n", what, line);
    exit(1);
}

static uint32_t string_id(gl_dict *d, const char *s)
{
    uint32_t id;
    if (gl_dict_string(d, s, strlen(s), &id) < 0)
        die("no memory", s);
    return id;
}

static uint32_t stack_id(gl_dict *d, char *text)
{
    uint32_t frames[64], id = 0, func;
    size_t n = 0;
    char *save = NULL;
    for (char *f = strtok_r(text, "<", &save); f && n < 64; f = strtok_r(NULL, "<", &save)) {
        char *colon = strrchr(f, ':');
        if (!colon)
            die("a frame without a line", f);
        *colon = 0;
        if (gl_dict_func(d, (gl_func){string_id(d, f), string_id(d, "x.go")}, &func) < 0 ||
            gl_dict_frame(d, (gl_frame){0, func, (uint32_t)strtoul(colon + 1, NULL, 10)}, &frames[n++]) < 0)
            die("no memory", f);
    }
    if (gl_dict_stack(d, frames, n, &id) < 0)
        die("no memory", "a stack");
    return id;
}

static uint64_t argument(gl_dict *d, gl_kind kind, char *text)
{
    if (kind == GL_KIND_STRING)
        return string_id(d, text);
    if (kind == GL_KIND_STACK)
        return stack_id(d, text);
    return strcmp(text, "-") == 0 ? UINT32_MAX : strtoull(text, NULL, 0);
}

static void add_line(gl_writer *w, gl_dict *d, char *line)
{
    char *fields[12] = {NULL};
    size_t n = 0;
    for (char *f = line; f && n < 12; n++) {
        char *tab = strchr(f, '\t');
        fields[n] = f;
        if (tab)
            *tab++ = 0;
        f = tab;
    }
    const gl_event_info *info = n >= 4 ? gl_event_by_name(fields[1]) : NULL;
    if (!info)
        die("no such event", n > 1 ? fields[1] : line);
    gl_event ev = {.time = strtoll(fields[0], NULL, 10), .type = info->code, .thread = GL_NO_THREAD};
    ev.g = strtoull(fields[2], NULL, 0);
    ev.p = (uint32_t)argument(d, GL_KIND_PROC, fields[3]);
    size_t at = 4;
    for (unsigned i = 0; i < info->arg_count && at < n && fields[at][0] != '@'; i++, at++)
        ev.arg[i] = argument(d, info->args[i].kind, fields[at]);
    if (at < n && fields[at][0] == '@')
        ev.stack = stack_id(d, fields[at] + 1);
    else if (at < n)
        die("too many arguments", fields[1]);
    if (gl_writer_events(w, &ev, 1) < 0)
        die("cannot write", fields[1]);
}

int main(int argc, char **argv)
{
    gl_error err = {0};
    gl_writer *w;
    gl_dict *d = gl_dict_new();
    char line[4096];
    if (argc != 2 || !d || gl_writer_open(&(gl_writer_options){.path = argv[1], .dict = d}, &w, &err) < 0)
        die("cannot begin", err.text);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (*line)
            add_line(w, d, line);
    }
    if (gl_writer_close(w, NULL, &err) < 0)
        die("cannot end", err.text);
    gl_dict_destroy(d);
    return 0;
}
