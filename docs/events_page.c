/*
 * Copies a scdoc page to standard output, and puts the list of events in place of the line "@EVENTS@". The list comes
 * from the event table, so the page can't say anything else than the library does.
 */
#include "golanes/events.h"

#include <stdio.h>
#include <string.h>

static const char *phase_text(gl_phase phase)
{
    static const char *const text[] = {
        [GL_PHASE_INSTANT] = "", [GL_PHASE_BEGIN] = ", begin", [GL_PHASE_END] = ", end", [GL_PHASE_ACTIVE] = ", state"};
    return text[phase];
}

/* Underscores are markup in scdoc. */
static void put_plain(const char *s)
{
    for (; *s; s++) {
        if (strchr("\\*_<>#", *s))
            putchar('\\');
        putchar(*s);
    }
}

static void put_event(const gl_event_info *info)
{
    printf("*%s* (%u, %s%s)\n\t", info->name, info->code, info->operation, phase_text(info->phase));
    put_plain(info->meaning);
    printf("%s\n", info->has_stack ? ". May carry a stack." : ".");
    for (unsigned i = 0; i < info->arg_count; i++) {
        printf("%s_", i ? ", " : "\n\tArguments: ");
        put_plain(info->args[i].name);
        printf("_ (%s)", gl_kind_name(info->args[i].kind));
    }
    printf("%s\n", info->arg_count ? "\n" : "");
}

int main(int argc, char **argv)
{
    FILE *page = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!page) {
        fprintf(stderr, "usage: events_page PAGE.scd\n");
        return 2;
    }
    char line[4096];
    while (fgets(line, sizeof line, page)) {
        if (strcmp(line, "@EVENTS@\n") != 0) {
            fputs(line, stdout);
            continue;
        }
        for (unsigned code = 1; code < GL_EV_LIMIT; code++)
            if (gl_event_lookup(code))
                put_event(gl_event_lookup(code));
    }
    int bad = ferror(page);
    fclose(page);
    return bad || fflush(stdout) != 0;
}
