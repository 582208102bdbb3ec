#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

bool gl_store_is_changed(const gl_app *a)
{
    return a->bookmarks.changed || a->lanes.pin_count + a->pins_wanted_count != a->stored_pins || a->lanes.by != a->stored_by;
}

void gl_store_write(const gl_app *a, gl_text *out)
{
    gl_text_str(out, "; golanes view: bookmarks (time from to goroutine, in ns) and lanes of this trace\n[bookmarks]\n");
    for (size_t i = 0; i < a->bookmarks.n; i++) {
        const gl_bookmark *b = &a->bookmarks.list[i];
        gl_text_printf(out, "%s = %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n", b->name, b->time, b->from, b->to, b->g);
    }
    gl_text_printf(out, "[lanes]\ngroup = %s\norder = %s\npinned =", gl_grouping_word(a->lanes.by),
                   gl_order_name(a->lanes.order));
    for (size_t i = 0; i < a->lanes.pin_count; i++)
        gl_text_printf(out, " %" PRIu64, a->m->gors[a->lanes.pinned[i]].id);
    for (size_t i = 0; i < a->pins_wanted_count; i++)
        gl_text_printf(out, " %" PRIu64, a->pins_wanted[i]);
    gl_text_str(out, "\n");
}

static void read_bookmark(gl_app *a, const char *name, const char *value)
{
    gl_bookmark b = {0};
    if (strlen(name) >= sizeof b.name ||
        sscanf(value, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu64, &b.time, &b.from, &b.to, &b.g) != 4)
        return;
    bool inside = b.time >= a->m->begin && b.time <= a->m->end && b.from < b.to;
    snprintf(b.name, sizeof b.name, "%s", name);
    if (!inside || gl_bookmarks_put(&a->bookmarks, b) < 0)
        return;
}

static void read_pins(gl_app *a, const char *value)
{
    char *end;
    size_t most = sizeof a->pins_wanted / sizeof *a->pins_wanted;
    for (uint64_t g = strtoull(value, &end, 10); end != value && a->pins_wanted_count < most; g = strtoull(value, &end, 10)) {
        a->pins_wanted[a->pins_wanted_count++] = g;
        value = end;
    }
}

static int on_line(void *user, const char *section, const char *name, const char *value)
{
    gl_app *a = user;
    bool lanes = strcmp(section, "lanes") == 0;
    if (strcmp(section, "bookmarks") == 0)
        read_bookmark(a, name, value);
    else if (lanes && strcmp(name, "pinned") == 0)
        read_pins(a, value);
    for (int i = 0; lanes && i < GL_GROUPINGS; i++)
        /* What is of a moment (state, reason) cannot be taken up again. */
        if (strcmp(name, "group") == 0 && strcmp(value, gl_grouping_word((gl_grouping)i)) == 0 &&
            (i == GL_BY_CREATOR || i == GL_BY_PROCESS) && a->lanes.by == GL_BY_FUNCTION)
            gl_lanes_group(&a->lanes, (gl_grouping)i, NULL, 0);
    for (int i = 0; lanes && i < GL_ORDERS; i++)
        if (strcmp(name, "order") == 0 && strcmp(value, gl_order_name((gl_order)i)) == 0)
            a->lanes.order = (gl_order)i;
    return 1;
}

void gl_store_read(gl_app *a, const char *text)
{
    /* Its answer is the first line that is not understood, which is passed over. */
    (void)ini_parse_string(text, on_line, a);
    a->bookmarks.changed = false;
    a->stored_pins = a->pins_wanted_count;
    a->stored_by = a->lanes.by;
    gl_app_relist(a);
}
