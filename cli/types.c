/* Lists of event names as people type them. */
#include "filter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 64
#define SUGGESTIONS_MAX 4

static bool add_name(cli_types *t, const char *word)
{
    bool found = false;
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        if (info && (strcasecmp(info->name, word) == 0 || strcasecmp(info->operation, word) == 0)) {
            t->has[code] = true;
            found = true;
        }
    }
    return found;
}

static bool contains(const char *name, const char *word)
{
    size_t n = strlen(word);
    if (n < 3)
        return false;
    for (; *name; name++)
        if (strncasecmp(name, word, n) == 0)
            return true;
    return false;
}

/* Names that hold the word, then the one spelt most like it. */
static void suggest(const char *word, char *out, size_t size)
{
    const char *names[GL_EV_LIMIT];
    size_t n = 0, given = 0, at = 0;
    *out = '\0';
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        if (!info)
            continue;
        names[n++] = info->name;
        if (given < SUGGESTIONS_MAX && contains(info->name, word) && at + strlen(info->name) + 3 < size)
            at += (size_t)snprintf(out + at, size - at, "%s%s", given++ ? ", " : "", info->name);
    }
    const char *nearest = given ? NULL : cli_nearest(word, names, n);
    if (nearest)
        snprintf(out, size, "%s", nearest);
}

int cli_types_add(cli_types *t, const char *list, char *why, size_t why_size)
{
    t->some = true;
    for (;;) {
        size_t n = strcspn(list, ",");
        char word[WORD_MAX + 1] = "";
        if (n == 0 || n > WORD_MAX) {
            snprintf(why, why_size, n ? "a name in the list is too long to be an event" : "an event's name is empty");
            return -1;
        }
        memcpy(word, list, n);
        if (!add_name(t, word)) {
            char near[256];
            suggest(word, near, sizeof near);
            snprintf(why, why_size, "there is no event '%s'%s%s%s", word, *near ? "; did you mean " : "", near,
                     *near ? "?" : "; golanes-format(5) lists them all");
            return -1;
        }
        if (list[n] == '\0')
            return 0;
        list += n + 1;
    }
}
