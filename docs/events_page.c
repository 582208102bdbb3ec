/*
 * Copies a document to standard output, and puts lists that the event table gives in the places marked for them, so that
 * the document can't say anything else than the library does.
 *
 *   events_page PAGE.scd     a manual page's source; the marks are lines "@EVENTS@" and "@KINDS@"
 *   events_page TEXT.md      Markdown; what stands between "<!-- events -->" or "<!-- kinds -->" and "<!-- end -->" is
 *                            made anew
 */
#include "golanes/events.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const phases[] = {
    [GL_PHASE_INSTANT] = "", [GL_PHASE_BEGIN] = "begin", [GL_PHASE_END] = "end", [GL_PHASE_ACTIVE] = "state"};

static const char *const kinds[] = {
    [GL_KIND_NONE] = "not there",
    [GL_KIND_GOROUTINE] = "the number of a goroutine; 0: none. Bits 48 and up: which process, where a trace holds several",
    [GL_KIND_PROC] = "the number of a P; 4294967295: none",
    [GL_KIND_THREAD] = "a place in the table of threads; 4294967295: none",
    [GL_KIND_CHAN] = "the address of a channel; 0: not known. A trace that Go wrote does not have any",
    [GL_KIND_STRING] = "a place in the table of strings; 0: the empty string",
    [GL_KIND_STACK] = "a place in the table of stacks; 0: no stack",
    [GL_KIND_GSTATE] = "the state of a goroutine: 0 Undetermined, 1 NotExist, 2 Runnable, 3 Running, 4 Syscall, 5 Waiting",
    [GL_KIND_PSTATE] = "the state of a P: 0 Undetermined, 1 NotExist, 2 Running, 3 Idle",
    [GL_KIND_BOOL] = "0 or 1",
    [GL_KIND_CHANRESULT] = "how a channel operation ended: 0 it took place, 1 it would have had to wait, 2 channel closed and empty, 3 panic",
    [GL_KIND_CHANDIR] = "what the chosen case of a select did: 0 it was the default, 1 sent, 2 received",
    [GL_KIND_TASK] = "the number of a user task; 0: none, or the background",
    [GL_KIND_COUNT] = "a count",
    [GL_KIND_BYTES] = "a size in bytes",
    [GL_KIND_TIME] = "nanoseconds since the start of the trace",
    [GL_KIND_CLOCK] = "nanoseconds of another clock; 0: not known",
    [GL_KIND_SEQUENCE] = "a number that grows by small steps",
    [GL_KIND_NUMBER] = "any number",
};
_Static_assert(sizeof kinds / sizeof *kinds == GL_KIND_COUNT_, "every kind has a meaning");

/* Text with the markup's own characters made plain. */
static void put_plain(const char *s, const char *special)
{
    for (; *s; s++) {
        if (strchr(special, *s))
            putchar('\\');
        putchar(*s);
    }
}

/* ---- scdoc --------------------------------------------------------------------------------------------------------- */

static void page_event(const gl_event_info *e)
{
    printf("*%s* (%u, %s%s%s)\n\t", e->name, e->code, e->operation, *phases[e->phase] ? ", " : "", phases[e->phase]);
    put_plain(e->meaning, "\\*_<>#");
    printf("%s\n", e->has_stack ? ". May carry a stack." : ".");
    for (unsigned i = 0; i < e->arg_count; i++) {
        printf("%s_", i ? ", " : "\n\tArguments: ");
        put_plain(e->args[i].name, "\\*_<>#");
        printf("_ (%s)", gl_kind_name(e->args[i].kind));
    }
    printf("%s\n", e->arg_count ? "\n" : "");
}

static void page_kind(unsigned kind)
{
    printf("*%s*\n\t", gl_kind_name(kind));
    put_plain(kinds[kind], "\\*_<>#");
    printf(".\n\n");
}

/* ---- Markdown ------------------------------------------------------------------------------------------------------ */

static void text_event(const gl_event_info *e)
{
    printf("| %u | %s | %s | %s | %s | ", e->code, e->name, e->operation, phases[e->phase], e->has_stack ? "yes" : "");
    for (unsigned i = 0; i < e->arg_count; i++)
        printf("%s%s %s", i ? ", " : "", gl_kind_name(e->args[i].kind), e->args[i].name);
    printf(" | ");
    put_plain(e->meaning, "|");
    printf(" |\n");
}

static void text_kind(unsigned kind)
{
    printf("| %u | %s | %s |\n", kind, gl_kind_name(kind), kinds[kind]);
}

/* ---- both ---------------------------------------------------------------------------------------------------------- */

typedef struct mark {
    const char *line, *head;
    void (*event)(const gl_event_info *e); /* one of the two is NULL */
    void (*kind)(unsigned kind);
    bool until_end; /* what stands there until "<!-- end -->" is left out */
} mark;

static const mark marks[] = {
    {"@EVENTS@\n", "", page_event, NULL, false},
    {"@KINDS@\n", "", NULL, page_kind, false},
    {"<!-- events -->\n", "<!-- events -->\n\n| code | name | operation | phase | stack | arguments: kind and name | meaning "
                          "|\n|---|---|---|---|---|---|---|\n", text_event, NULL, true},
    {"<!-- kinds -->\n", "<!-- kinds -->\n\n| number | name | what it holds |\n|---|---|---|\n", NULL, text_kind, true},
};

static const mark *find_mark(const char *line)
{
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(marks[i].line, line) == 0)
            return &marks[i];
    return NULL;
}

static void put_list(const mark *m)
{
    fputs(m->head, stdout);
    for (unsigned code = 1; m->event && code < GL_EV_LIMIT; code++)
        if (gl_event_lookup(code))
            m->event(gl_event_lookup(code));
    for (unsigned kind = 0; m->kind && kind < GL_KIND_COUNT_; kind++)
        m->kind(kind);
    if (m->until_end)
        fputs("\n<!-- end -->\n", stdout);
}

int main(int argc, char **argv)
{
    FILE *page = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (!page) {
        fprintf(stderr, "usage: events_page PAGE.scd | TEXT.md\n");
        return 2;
    }
    char line[4096];
    while (fgets(line, sizeof line, page)) {
        const mark *m = find_mark(line);
        if (m)
            put_list(m);
        else
            fputs(line, stdout);
        while (m && m->until_end && fgets(line, sizeof line, page) && strcmp(line, "<!-- end -->\n") != 0)
            continue;
    }
    int bad = ferror(page);
    fclose(page);
    return bad || fflush(stdout) != 0;
}
