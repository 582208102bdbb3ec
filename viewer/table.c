#include "text.h"

#include <stdlib.h>
#include <string.h>

#define GAP 2 /* spaces between two columns */

struct gl_table {
    gl_column *columns;
    size_t *natural; /* widest cell or title of each column */
    size_t n;
    char **cells; /* row after row */
    size_t rows, capacity;
};

gl_table *gl_table_new(const gl_column *columns, size_t n)
{
    gl_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->columns = calloc(n ? n : 1, sizeof *t->columns);
    t->natural = calloc(n ? n : 1, sizeof *t->natural);
    if (!t->columns || !t->natural) {
        gl_table_destroy(t);
        return NULL;
    }
    t->n = n;
    for (size_t i = 0; i < n; i++) {
        t->columns[i] = columns[i];
        t->natural[i] = columns[i].title ? gl_text_width(columns[i].title, strlen(columns[i].title)) : 0;
    }
    return t;
}

void gl_table_destroy(gl_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->rows * t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->columns);
    free(t->natural);
    free(t);
}

static int grow_rows(gl_table *t)
{
    if (t->rows < t->capacity)
        return 0;
    size_t capacity = t->capacity ? t->capacity * 2 : 16;
    if (t->n && capacity > SIZE_MAX / sizeof *t->cells / t->n)
        return GL_E_NOMEM;
    char **cells = realloc(t->cells, capacity * (t->n ? t->n : 1) * sizeof *cells);
    if (!cells)
        return GL_E_NOMEM;
    t->cells = cells;
    t->capacity = capacity;
    return 0;
}

int gl_table_row(gl_table *t, const char *const *cells)
{
    if (grow_rows(t) < 0)
        return GL_E_NOMEM;
    char **row = t->cells + t->rows * t->n;
    for (size_t i = 0; i < t->n; i++) {
        row[i] = strdup(cells[i] ? cells[i] : "");
        if (!row[i]) {
            while (i > 0)
                free(row[--i]);
            return GL_E_NOMEM;
        }
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t width = gl_text_width(row[i], strlen(row[i]));
        if (width > t->natural[i])
            t->natural[i] = width;
    }
    t->rows++;
    return 0;
}

size_t gl_table_rows(const gl_table *t)
{
    return t->rows;
}

static size_t total_width(const size_t *widths, const bool *shown, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += shown[i] ? widths[i] + (sum ? GAP : 0) : 0;
    return sum;
}

/* Takes one column after another from the widest column that may still shrink. Returns false where none may. */
static bool shrink_once(const gl_table *t, size_t *widths, const bool *shown)
{
    size_t best = t->n;
    for (size_t i = 0; i < t->n; i++) {
        size_t least = t->columns[i].shrink_to;
        if (shown[i] && least && widths[i] > least && (best == t->n || widths[i] > widths[best]))
            best = i;
    }
    if (best == t->n)
        return false;
    widths[best]--;
    return true;
}

static bool drop_once(const gl_table *t, bool *shown)
{
    size_t best = t->n;
    for (size_t i = 0; i < t->n; i++)
        if (shown[i] && t->columns[i].drop && (best == t->n || t->columns[i].drop > t->columns[best].drop))
            best = i;
    if (best == t->n)
        return false;
    shown[best] = false;
    return true;
}

/* Least width to which the shown columns can be brought. */
static size_t least_width(const gl_table *t, const bool *shown)
{
    size_t sum = 0;
    for (size_t i = 0; i < t->n; i++) {
        size_t least = t->columns[i].shrink_to;
        if (shown[i])
            sum += (least && least < t->natural[i] ? least : t->natural[i]) + (sum ? GAP : 0);
    }
    return sum;
}

static void choose_widths(const gl_table *t, size_t width, size_t *widths, bool *shown)
{
    for (size_t i = 0; i < t->n; i++) {
        widths[i] = t->natural[i];
        shown[i] = true;
    }
    while (width && least_width(t, shown) > width && drop_once(t, shown))
        ;
    while (width && total_width(widths, shown, t->n) > width && shrink_once(t, widths, shown))
        ;
}

/* One line; cut at `width` where the columns could not be brought below it. */
static void write_line(const gl_table *t, const char *const *cells, const size_t *widths, const bool *shown, size_t width,
                       size_t indent, gl_text *line, gl_text *out)
{
    gl_text_clear(line);
    bool first = true;
    for (size_t i = 0; i < t->n; i++) {
        if (!shown[i])
            continue;
        const char *s = cells[i] ? cells[i] : "";
        if (!first)
            gl_text_repeat(line, " ", GAP);
        gl_text_cell(line, s, strlen(s), widths[i], t->columns[i].align, t->columns[i].cut);
        first = false;
    }
    while (line->n && line->bytes[line->n - 1] == ' ')
        line->n--;
    if (line->n)
        gl_text_repeat(out, " ", indent);
    gl_text_fit(out, line->bytes ? line->bytes : "", line->n, width ? width : SIZE_MAX, GL_CUT_END);
    gl_text_str(out, "\n");
    out->failed |= line->failed;
}

static bool has_titles(const gl_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->columns[i].title)
            return true;
    return false;
}

static void write_all(const gl_table *t, const size_t *widths, const bool *shown, size_t width, size_t indent, gl_text *out)
{
    gl_text line = {0};
    const char **titles = calloc(t->n ? t->n : 1, sizeof *titles);
    if (!titles) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < t->n; i++)
        titles[i] = t->columns[i].title;
    if (has_titles(t))
        write_line(t, titles, widths, shown, width, indent, &line, out);
    for (size_t r = 0; r < t->rows; r++)
        write_line(t, (const char *const *)(t->cells + r * t->n), widths, shown, width, indent, &line, out);
    free(titles);
    gl_text_clean_up(&line);
}

void gl_table_write(const gl_table *t, size_t width, size_t indent, gl_text *out)
{
    size_t *widths = calloc(t->n ? t->n : 1, sizeof *widths);
    bool *shown = calloc(t->n ? t->n : 1, sizeof *shown);
    if (width && width <= indent)
        indent = 0;
    if (width)
        width -= indent;
    if (widths && shown) {
        choose_widths(t, width, widths, shown);
        write_all(t, widths, shown, width, indent, out);
    } else {
        out->failed = true;
    }
    free(widths);
    free(shown);
}
