/*
 * Text for reports and screens: a growing buffer, strings cut to a number of terminal columns, quantities in units that
 * people read, bars, and tables that fit a width.
 *
 * All text is UTF-8. Columns are counted with utf8proc, which does not look at the locale, so that the same input gives the
 * same output everywhere. Whatever comes out of a trace may hold anything: control characters and malformed UTF-8 are
 * shown as "�" by every function here that measures or cuts, so that no trace can talk to the terminal.
 *
 * Threads: everything works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_TEXT_H
#define GOLANES_VIEWER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

/** A growing text. Zero-initialise. After a failed allocation `failed` stays set and additions do nothing. */
typedef struct gl_text {
    char *bytes; /**< NUL-terminated once something was added, else NULL */
    size_t n, capacity;
    bool failed;
} gl_text;

void gl_text_clean_up(gl_text *t);
/** Empties, keeps the memory. */
void gl_text_clear(gl_text *t);
void gl_text_add(gl_text *t, const char *bytes, size_t n);
void gl_text_str(gl_text *t, const char *s);
void gl_text_repeat(gl_text *t, const char *s, size_t times);
void gl_text_printf(gl_text *t, const char *fmt, ...) GL_PRINTF(2, 3);

/** Where a string that is too wide loses its middle part: paths keep their end, names their beginning. */
typedef enum gl_text_cut { GL_CUT_END, GL_CUT_START, GL_CUT_MIDDLE } gl_text_cut;
typedef enum gl_text_align { GL_ALIGN_LEFT, GL_ALIGN_RIGHT } gl_text_align;

/** Terminal columns of s[0..n). */
size_t gl_text_width(const char *s, size_t n);
/** Adds s with control characters and malformed bytes made harmless, whatever its width. */
void gl_text_safe(gl_text *t, const char *s, size_t n);
/** Adds s cut to at most `width` columns ("…" marks the cut). Returns the columns used. */
size_t gl_text_fit(gl_text *t, const char *s, size_t n, size_t width, gl_text_cut cut);
/** The same, filled up with spaces to exactly `width` columns. */
void gl_text_cell(gl_text *t, const char *s, size_t n, size_t width, gl_text_align align, gl_text_cut cut);
/** Adds s broken into lines at spaces, each at most `width` columns, each but the first indented by `indent` columns. */
void gl_text_wrap(gl_text *t, const char *s, size_t width, size_t indent);

/** Enough for any of the units below. */
#define GL_UNIT_TEXT_MAX 40
/** Each writes into out (GL_UNIT_TEXT_MAX bytes) and returns it. Three significant digits: "12.3 ms", "4.00 KiB". */
const char *gl_unit_ns(char *out, int64_t ns);
const char *gl_unit_bytes(char *out, uint64_t bytes);
/** "191,402,007" */
const char *gl_unit_count(char *out, uint64_t n);
/** "12.3 M", "450": for counts where digits do not matter. */
const char *gl_unit_count_short(char *out, double n);
/** "12.3 %"; "<0.1 %" where something is there but little; "0 %" for nothing. */
const char *gl_unit_share(char *out, double share);

/** A bar `width` columns long at share 1, drawn in eighths of a column; any share above 0 shows. Not padded. */
void gl_text_bar(gl_text *t, double share, size_t width);

typedef struct gl_column {
    const char *title;
    gl_text_align align;
    gl_text_cut cut;
    /** 0: never narrower than its contents. Else it may shrink to this many columns. */
    size_t shrink_to;
    /** 0: always shown. Else left out, highest first, where shrinking is not enough. */
    unsigned drop;
} gl_column;

typedef struct gl_table gl_table;
/** The columns are copied, their titles are not. NULL: no memory. */
gl_table *gl_table_new(const gl_column *columns, size_t n);
void gl_table_destroy(gl_table *t);
/** Adds a row of as many cells as there are columns; the texts are copied; NULL counts as "". */
int gl_table_row(gl_table *t, const char *const *cells) GL_MUST_CHECK;
size_t gl_table_rows(const gl_table *t);
/** Adds the table to out: the titles (unless all are NULL), then the rows; no line wider than `width` columns (0: as wide
 *  as it needs), nor with spaces at its end. Each line begins with `indent` spaces, which count. */
void gl_table_write(const gl_table *t, size_t width, size_t indent, gl_text *out);

/** Columns of the terminal behind fd; $COLUMNS where that is set; fallback where there is none. */
size_t gl_text_terminal_width(int fd, size_t fallback);

#endif
