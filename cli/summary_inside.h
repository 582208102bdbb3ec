/*
 * What the parts of the two summary reports share. Internal to cli/summary_*.c.
 */
#ifndef GOLANES_CLI_SUMMARY_INSIDE_H
#define GOLANES_CLI_SUMMARY_INSIDE_H

#include "summary.h"
#include "text.h"

/* --- JSON --- */
const char *cli_summary_json_name(const cli_summary_json *w, uint32_t string);
/** A member whose value is a string of the dictionary, with zero bytes and all. */
void cli_summary_json_string(cli_summary_json *w, const char *key, uint32_t string);
/** stw: where the pauses that a send met are looked up. */
void cli_summary_json_sends(cli_summary_json *w, const char *key, const gl_sends_figures *f,
                            const gl_ranges_figures *stw);
/** One of them; the members "touched" lists the pauses, so far as they are among stw. */
void cli_summary_json_send(cli_summary_json *w, const gl_send *s, const gl_ranges_figures *stw);
/** An address as text, "0xc000102000"; null for 0. */
void cli_json_channel(cli_json *j, const char *key, uint64_t chan);
/** {func, file, line}, or null. */
void cli_summary_json_site(cli_summary_json *w, const char *key, const gl_site *s);
/** The members "file", "complete" and "lost"; the member "time". */
void cli_summary_json_file(cli_summary_json *w, const cli_summary_file *f);
void cli_summary_json_time(cli_summary_json *w, const cli_summary_file *file, const gl_summary_result *r);
void cli_summary_json_stuck(cli_summary_json *w, const gl_summary_result *r);
void cli_summary_json_released(cli_summary_json *w, const gl_summary_result *r);
void cli_summary_json_block_sites(cli_summary_json *w, const gl_summary_result *r);

/* --- text --- */
#define CLI_INDENT 2
#define CLI_BOLD "\033[1m"
#define CLI_WARN "\033[1;31m"
#define CLI_DIM "\033[2m"
#define CLI_PLAIN "\033[0m"

/** A page in the making. */
typedef struct cli_page {
    const gl_dict *dict;
    const cli_summary_file *file;
    const gl_summary_result *r;
    gl_text out;
    size_t width, top;
    bool colour, utc;
} cli_page;

/** Units on the way into a cell; one row uses several at once. */
typedef char cli_unit[GL_UNIT_TEXT_MAX];

/** "-" for nothing. */
const char *cli_ns(cli_unit out, uint64_t value);
const char *cli_count(cli_unit out, uint64_t n);
/** "1 cycle", "13 cycles" */
const char *cli_many(char *out, size_t size, uint64_t n, const char *one, const char *several);

void cli_style(cli_page *p, const char *sgr);
/** A heading and, after it on the same line where it fits, what is to be said of the whole. */
void cli_heading(cli_page *p, const char *title, const char *rest);
/** Indented lines in a style ("": plain). */
void cli_note(cli_page *p, const char *sgr, const char *text);
/** "… and 27 more sends" */
void cli_more(cli_page *p, size_t shown, size_t all, const char *what);
void cli_add_row(cli_page *p, gl_table *t, const char *const *cells);
/** Writes and destroys; NULL: memory ran out. */
void cli_finish_table(cli_page *p, gl_table *t);

const char *cli_string_of(const cli_page *p, uint32_t id);
/** A function without the path of its package: "caddyhttp.(*Server).serve". */
const char *cli_short_name(const char *name);
const char *cli_group_name(const cli_page *p, uint32_t name);
const char *cli_reason_name(const cli_page *p, uint32_t reason);
/** "pipeline.go:41" */
const char *cli_place(const cli_page *p, const gl_site *s, char *out, size_t n);

/** The file's name, what it is, and from when; in warning colours what is missing. */
void cli_page_title(cli_page *p);
void cli_page_lost(cli_page *p);
/** A table of operations that met a pause; recorded: with their channels. */
void cli_page_send_table(cli_page *p, const gl_send *list, size_t shown, bool recorded, uint64_t in_all, const char *what);
void cli_page_sends(cli_page *p);
void cli_page_releases(cli_page *p);
void cli_page_waiting_at_the_end(cli_page *p);

#endif
