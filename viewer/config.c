#include "config.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "list.h"

typedef struct reading {
    gl_config *c;
    char why[200];
} reading;

/* libinih wants 0 for what is wrong. */
static int GL_PRINTF(2, 3) refuse(reading *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!*r->why)
        vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    return 0;
}

static int set_text(reading *r, char **to, const char *value)
{
    char *copy = strdup(value);
    if (!copy)
        return refuse(r, "no memory");
    free(*to);
    *to = copy;
    return 1;
}

static int set_view(reading *r, const char *name, const char *value)
{
    static const char *const curves[GL_CURVES] = {"auto", "all", "none"};
    if (strcmp(name, "theme") == 0) {
        r->c->theme = gl_theme_by_name(value);
        return r->c->theme || strcmp(value, "auto") == 0 ? 1 : refuse(r, "there is no theme %.40s", value);
    }
    if (strcmp(name, "curves") == 0) {
        for (int i = 0; i < GL_CURVES; i++)
            if (strcmp(value, curves[i]) == 0)
                return r->c->curves = (gl_curves)i, 1;
        return refuse(r, "curves is auto, all or none, not %.40s", value);
    }
    if (strcmp(name, "ascii") == 0) {
        r->c->ascii = strcasecmp(value, "yes") == 0;
        return r->c->ascii || strcasecmp(value, "no") == 0 ? 1 : refuse(r, "ascii is yes or no, not %.40s", value);
    }
    if (strcmp(name, "order") == 0) {
        for (int o = 0; o < GL_ORDERS; o++)
            if (strcmp(value, gl_order_name((gl_order)o)) == 0) {
                r->c->order = (gl_order)o;
                r->c->has_order = true;
                return 1;
            }
        return refuse(r, "there is no order of lanes %.40s", value);
    }
    if (strcmp(name, "editor") == 0)
        return set_text(r, &r->c->editor, value);
    return refuse(r, "[view] has no %.40s", name);
}

static int set_keys(reading *r, const char *name, const char *value)
{
    size_t i = 0;
    while (gl_command_at(i) && strcmp(gl_command_at(i)->name, name) != 0)
        i++;
    if (!gl_command_at(i) || i >= GL_CONFIG_COMMANDS)
        return refuse(r, "there is no command %.40s", name);
    for (const char *at = value; *at;) {
        size_t n = strcspn(at, " ");
        if (n && !gl_key_by_name(at, n))
            return refuse(r, "%.*s is no key", (int)(n < 40 ? n : 40), at);
        at += n + (at[n] == ' ');
    }
    r->c->has_keys = true;
    return set_text(r, &r->c->keys[i], value);
}

/* A list's columns by their titles, separated by commas: those that are not named are left out. */
static int set_columns(reading *r, const char *name, const char *value)
{
    int v = 0;
    while (v < GL_VIEWS && (strcmp(gl_view_info_of((gl_view)v)->word, name) != 0 || !gl_view_info_of((gl_view)v)->list))
        v++;
    if (v == GL_VIEWS)
        return refuse(r, "there is no list %.40s", name);
    const gl_list_kind *k = &gl_list_kinds[v];
    uint32_t shown = 0;
    for (const char *at = value; *at;) {
        at += strspn(at, " ,");
        size_t n = strcspn(at, ","), i = 0;
        while (n > 0 && at[n - 1] == ' ')
            n--;
        for (; n && i < k->n; i++)
            if (strlen(k->columns[i].title) == n && memcmp(k->columns[i].title, at, n) == 0)
                break;
        if (n && i == k->n)
            return refuse(r, "the list %.20s has no column %.*s", name, (int)(n < 40 ? n : 40), at);
        if (n)
            shown |= UINT32_C(1) << i;
        at += strcspn(at, ",");
    }
    if (!shown)
        return refuse(r, "no column is left of %.40s", name);
    r->c->hidden_columns[v] = ~shown & ((UINT32_C(1) << k->n) - 1);
    return 1;
}

static int set_source(reading *r, const char *name, const char *value)
{
    if (r->c->source_count == GL_CONFIG_MAPS)
        return refuse(r, "there are more than %d [source] lines", GL_CONFIG_MAPS);
    size_t i = r->c->source_count;
    if (!set_text(r, &r->c->source[i].from, name) || !set_text(r, &r->c->source[i].to, value))
        return 0;
    r->c->source_count++;
    return 1;
}

static int on_line(void *user, const char *section, const char *name, const char *value)
{
    static const struct {
        const char *section;
        int (*set)(reading *r, const char *name, const char *value);
    } sections[] = {{"view", set_view}, {"keys", set_keys}, {"columns", set_columns}, {"source", set_source}};
    reading *r = user;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (strcmp(section, sections[i].section) == 0)
            return sections[i].set(r, name, value);
    return refuse(r, *section ? "there is no section [%.40s]" : "a line stands before the first section%.0s", section);
}

int gl_config_parse(gl_config *c, const char *text, gl_error *err)
{
    reading r = {.c = c};
    int line = ini_parse_string(text, on_line, &r);
    if (line == 0)
        return 0;
    return gl_fail(err, GL_E_USAGE, UINT64_MAX, "line %d: %s", line > 0 ? line : 1,
                   *r.why ? r.why : "it is neither a section nor a name = value");
}

void gl_config_clean_up(gl_config *c)
{
    for (size_t i = 0; i < GL_CONFIG_COMMANDS; i++)
        free(c->keys[i]);
    for (size_t i = 0; i < GL_CONFIG_MAPS; i++) {
        free(c->source[i].from);
        free(c->source[i].to);
    }
    free(c->editor);
    memset(c, 0, sizeof *c);
}

void gl_app_configure(gl_app *a, const gl_config *c)
{
    a->config = c;
    a->curves = c->curves;
    if (c->has_order)
        a->lanes.order = c->order;
    memcpy(a->hidden_columns, c->hidden_columns, sizeof a->hidden_columns);
    gl_app_resize(a, a->w, a->h);
}

void gl_config_source(const gl_config *c, const char *path, char *out, size_t size)
{
    for (size_t i = 0; c && i < c->source_count; i++) {
        size_t n = strlen(c->source[i].from);
        if (strncmp(path, c->source[i].from, n) == 0) {
            snprintf(out, size, "%s%s", c->source[i].to, path + n);
            return;
        }
    }
    snprintf(out, size, "%s", path);
}
