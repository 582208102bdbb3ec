/* Bookmarks, and what their commands do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define ACTION(id) void gl_do_##id(gl_app *a, const char *text, int key)
#define NO_ARGUMENT (void)text, (void)key

void gl_bookmarks_clean_up(gl_bookmarks *b)
{
    free(b->list);
    memset(b, 0, sizeof *b);
}

const gl_bookmark *gl_bookmarks_find(const gl_bookmarks *b, const char *name)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->list[i].name, name) == 0)
            return &b->list[i];
    return NULL;
}

bool gl_bookmarks_remove(gl_bookmarks *b, const char *name)
{
    const gl_bookmark *m = gl_bookmarks_find(b, name);
    if (!m)
        return false;
    size_t i = (size_t)(m - b->list);
    memmove(&b->list[i], &b->list[i + 1], (b->n - i - 1) * sizeof *b->list);
    b->n--;
    b->changed = true;
    return true;
}

/* A name stands before a "=" in a file of lines. */
static bool is_name(const char *s)
{
    if (!*s || strchr(" [;#", *s))
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == '=' || *s == ':' || *s == 0x7f)
            return false;
    return s[-1] != ' ';
}

int gl_bookmarks_put(gl_bookmarks *b, gl_bookmark m)
{
    if (!is_name(m.name))
        return GL_E_USAGE;
    gl_bookmarks_remove(b, m.name);
    if (b->n >= GL_BOOKMARKS_MAX)
        return GL_E_LIMIT;
    if (gl_list_grow(&b->list, &b->capacity, b->n, sizeof *b->list) < 0)
        return GL_E_NOMEM;
    size_t at = b->n++;
    for (; at > 0 && b->list[at - 1].time > m.time; at--)
        b->list[at] = b->list[at - 1];
    b->list[at] = m;
    b->changed = true;
    return 0;
}

const gl_bookmark *gl_bookmarks_next(const gl_bookmarks *b, int64_t time, bool forward)
{
    const gl_bookmark *best = NULL;
    for (size_t i = 0; i < b->n; i++) {
        if (forward && b->list[i].time > time)
            return &b->list[i];
        if (b->list[i].time < time)
            best = &b->list[i];
    }
    return forward ? NULL : best;
}

static void go(gl_app *a, const gl_bookmark *m)
{
    char name[GL_BOOKMARK_NAME_MAX];
    snprintf(name, sizeof name, "%s", m->name);
    int64_t time = m->time, from = m->from, to = m->to;
    uint32_t gor = m->g ? gl_model_find(a->m, m->g) : GL_NONE;
    gl_app_remember(a);
    if (gl_view_info_of(a->view)->list)
        gl_app_set_view(a, GL_VIEW_GOROUTINES);
    gl_app_show(a, from, to);
    if (gor != GL_NONE)
        gl_app_go_lane(a, gor);
    gl_app_go(a, time);
    gl_app_say(a, false, "bookmark %s", name);
}

static void put(gl_app *a, const char *name)
{
    gl_bookmark m = {.time = a->cursor, .from = a->from, .to = a->to};
    uint32_t gor = gl_app_gor(a);
    m.g = gor == GL_NONE ? 0 : a->m->gors[gor].id;
    int n = snprintf(m.name, sizeof m.name, "%s", name);
    int status = n < 0 || (size_t)n >= sizeof m.name ? GL_E_USAGE : gl_bookmarks_put(&a->bookmarks, m);
    if (status < 0)
        gl_app_say(a, true,
                   status == GL_E_USAGE ? "a bookmark's name has at most 47 bytes, and no = : or control characters"
                                        : "there are too many bookmarks");
    else
        gl_app_say(a, false, "bookmark %s is here; '%s goes back to it", name, name[1] ? "" : name);
}

ACTION(mark)
{
    if (key) {
        gl_app_prompt(a, GL_PROMPT_MARK, "");
        return;
    }
    if (!((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z')) || text[1]) {
        gl_app_say(a, true, "a mark is a letter; M takes a name");
        return;
    }
    put(a, text);
}

ACTION(bookmark)
{
    if (key)
        gl_app_prompt(a, GL_PROMPT_BOOKMARK, "");
    else if (*text)
        put(a, text);
}

ACTION(jump)
{
    if (key) {
        gl_app_prompt(a, GL_PROMPT_JUMP, "");
        return;
    }
    const gl_bookmark *m = gl_bookmarks_find(&a->bookmarks, text);
    if (m)
        go(a, m);
    else
        gl_app_say(a, true, "there is no bookmark %.60s", text);
}

static void step(gl_app *a, bool forward)
{
    const gl_bookmark *m = gl_bookmarks_next(&a->bookmarks, a->cursor, forward);
    if (m)
        go(a, m);
    else
        gl_app_say(a, false, a->bookmarks.n ? "no bookmark %s this moment" : "there are no bookmarks: m and M make them",
                   forward ? "after" : "before");
}

ACTION(next_bookmark) { NO_ARGUMENT; step(a, true); }
ACTION(prev_bookmark) { NO_ARGUMENT; step(a, false); }

ACTION(unmark)
{
    (void)key;
    char name[GL_BOOKMARK_NAME_MAX];
    const gl_bookmark *at = NULL;
    for (size_t i = 0; !*text && i < a->bookmarks.n; i++)
        if (gl_scale_column(gl_app_scale(a), a->bookmarks.list[i].time) == gl_scale_column(gl_app_scale(a), a->cursor))
            at = &a->bookmarks.list[i];
    snprintf(name, sizeof name, "%s", at ? at->name : text);
    if (gl_bookmarks_remove(&a->bookmarks, name))
        gl_app_say(a, false, "bookmark %s is gone", name);
    else
        gl_app_say(a, false, *text ? "there is no bookmark %s" : "there is no bookmark here%s", name);
}
