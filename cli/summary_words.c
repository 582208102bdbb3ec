/* The words and tables of the summary's page. */
#include "summary_inside.h"

#include <string.h>

const char *cli_ns(cli_unit out, uint64_t value)
{
    if (value == 0)
        return "-";
    return gl_unit_ns(out, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

const char *cli_count(cli_unit out, uint64_t n) { return n ? gl_unit_count(out, n) : "-"; }

/* "1 cycle", "13 cycles" */
const char *cli_many(char *out, size_t size, uint64_t n, const char *one, const char *several)
{
    cli_unit digits;
    snprintf(out, size, "%s %s", gl_unit_count(digits, n), n == 1 ? one : several);
    return out;
}

void cli_style(cli_page *p, const char *sgr)
{
    if (p->colour)
        gl_text_str(&p->out, sgr);
}

/* A heading and, after it on the same line, what is to be said of the whole; broken where it does not fit. */
void cli_heading(cli_page *p, const char *title, const char *rest)
{
    gl_text line = {0};
    gl_text_str(&p->out, "\n");
    cli_style(p, CLI_BOLD);
    gl_text_str(&p->out, title);
    cli_style(p, CLI_PLAIN);
    if (rest && *rest) {
        size_t room = p->width - gl_text_width(title, strlen(title));
        if (gl_text_width(rest, strlen(rest)) + 2 <= room) {
            gl_text_printf(&p->out, "  %s", rest);
        } else {
            gl_text_printf(&p->out, "\n%*s", CLI_INDENT, "");
            gl_text_wrap(&line, rest, p->width - CLI_INDENT, 0);
            for (size_t i = 0; i < line.n; i++) {
                gl_text_add(&p->out, &line.bytes[i], 1);
                if (line.bytes[i] == '\n')
                    gl_text_printf(&p->out, "%*s", CLI_INDENT, "");
            }
        }
    }
    gl_text_str(&p->out, "\n");
    gl_text_clean_up(&line);
}

void cli_note(cli_page *p, const char *sgr, const char *text)
{
    gl_text wrapped = {0};
    gl_text_wrap(&wrapped, text, p->width - CLI_INDENT, 0);
    const char *at = wrapped.bytes ? wrapped.bytes : "";
    while (*at) {
        size_t n = strcspn(at, "\n");
        cli_style(p, sgr);
        gl_text_printf(&p->out, "%*s", CLI_INDENT, "");
        gl_text_add(&p->out, at, n);
        cli_style(p, *sgr ? CLI_PLAIN : "");
        gl_text_str(&p->out, "\n");
        at += n + (at[n] == '\n');
    }
    gl_text_clean_up(&wrapped);
}

void cli_more(cli_page *p, size_t shown, size_t all, const char *what)
{
    cli_unit n;
    if (shown < all) {
        cli_style(p, CLI_DIM);
        gl_text_printf(&p->out, "%*s… and %s more %s\n", CLI_INDENT, "", gl_unit_count(n, all - shown), what);
        cli_style(p, CLI_PLAIN);
    }
}

void cli_finish_table(cli_page *p, gl_table *t)
{
    if (t)
        gl_table_write(t, p->width, CLI_INDENT, &p->out);
    else
        p->out.failed = true;
    gl_table_destroy(t);
}

void cli_add_row(cli_page *p, gl_table *t, const char *const *cells)
{
    if (t && gl_table_row(t, cells) < 0)
        p->out.failed = true;
}

/* A function without the path of its package: "caddyhttp.(*Server).serve". */
const char *cli_short_name(const char *name)
{
    const char *end = name + strcspn(name, "([");
    const char *last = name;
    for (const char *s = name; s < end; s++) {
        if (*s == '/')
            last = s + 1;
    }
    return last;
}

const char *cli_string_of(const cli_page *p, uint32_t id) { return gl_dict_text(p->dict, id, NULL); }

const char *cli_group_name(const cli_page *p, uint32_t name)
{
    return name ? cli_short_name(cli_string_of(p, name)) : "(not known)";
}

const char *cli_reason_name(const cli_page *p, uint32_t reason)
{
    const char *s = cli_string_of(p, reason);
    return *s ? s : "not known";
}

/* "pipeline.go:41" */
const char *cli_place(const cli_page *p, const gl_site *s, char *out, size_t n)
{
    const char *file = cli_string_of(p, s->file);
    const char *slash = strrchr(file, '/');
    if (!s->stack)
        snprintf(out, n, "not known");
    else if (*file)
        snprintf(out, n, "%s:%u", slash ? slash + 1 : file, s->line);
    else
        snprintf(out, n, "%s", cli_short_name(cli_string_of(p, s->func)));
    return out;
}
