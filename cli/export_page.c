#include "export_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "command.h"
#include "golanes_export/cut.h"
#include "report.h"
#include "spool.h"
#include "summary.h"

#define WIDTH 160
#define HEIGHT 48
#define LIST_HEIGHT 24
#define TEXT_WIDTH 140

typedef struct page {
    cli_source *source;
    const cli_page_options *opt;
    const gl_theme *theme;
    gl_reader *reader, *own;
    gl_app *app; /* NULL: there was no picture yet */
    int spool;
    gl_text *out;
} page;

static void add_escaped(gl_text *out, const char *s, size_t n)
{
    gl_text safe = {0};
    gl_text_safe(&safe, s, n);
    for (size_t i = 0; i < safe.n; i++) {
        char c = safe.bytes[i];
        if (c == '<' || c == '>' || c == '&')
            gl_text_str(out, c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;");
        else
            gl_text_add(out, &c, 1);
    }
    gl_text_clean_up(&safe);
}

/* ---- pictures ------------------------------------------------------------------------------------------------------- */

/* One look at the trace serves all pictures: what it has read of a large one is not read again for each. */
static int open_app(page *p, gl_error *err)
{
    gl_app_options o = {.reader = p->reader, .name = p->opt->name, .theme = p->theme};
    return p->app ? 0 : gl_app_open(&o, &p->app, err);
}

/* One view of the viewer, as SVG. */
static int add_picture(page *p, const char *view, int height, gl_error *err)
{
    gl_cells cells = {0};
    int status = open_app(p, err);
    if (status == 0) {
        gl_app_resize(p->app, (int)(p->opt->width ? p->opt->width : WIDTH), height);
        gl_do_view(p->app, view, 0);
        status = gl_app_settle(p->app, err);
    }
    if (status == 0 && (p->opt->from != INT64_MIN || p->opt->to != INT64_MAX)) {
        int64_t end = gl_reader_get_info(p->reader)->time_last;
        gl_app_show(p->app, p->opt->from == INT64_MIN ? 0 : p->opt->from, p->opt->to < end ? p->opt->to : end);
        status = gl_app_settle(p->app, err);
    }
    if (status == 0) {
        gl_app_draw(p->app, &cells);
        gl_cells_svg(&cells, p->theme, p->out);
    }
    gl_cells_clean_up(&cells);
    return status;
}

/* ---- the summary ---------------------------------------------------------------------------------------------------- */

static int read_all(page *p, gl_event_fn fn, void *user, gl_error *err)
{
    gl_cursor *c = NULL;
    const gl_event *events;
    size_t n = 0;
    int status = gl_cursor_open(p->reader, GL_COL_ALL, &c, err);
    while (status == 0 && (status = gl_cursor_next(c, &events, &n, err)) == 0 && n > 0)
        status = fn(user, events, n);
    gl_cursor_close(c);
    return status;
}

static int sum_up(page *p, const gl_dict *dict, gl_summary *s, gl_error *err)
{
    if (p->opt->from == INT64_MIN && p->opt->to == INT64_MAX)
        return read_all(p, gl_summary_sink, s, err);
    gl_cut_options o = {.dict = dict, .from = p->opt->from, .to = p->opt->to, .rebase = true, .on_events = gl_summary_sink, .user = s};
    gl_cut *cut = gl_cut_new(&o);
    int status = cut ? read_all(p, gl_cut_sink, cut, err) : GL_E_NOMEM;
    gl_cut_destroy(cut);
    return status;
}

static int add_summary_text(page *p, const gl_dict *dict, const gl_summary_result *r)
{
    cli_summary_file file = {0};
    char *text = NULL;
    size_t n = 0;
    cli_source_file(p->source, r, &file);
    file.name = p->opt->name;
    FILE *stream = open_memstream(&text, &n);
    bool done = stream && cli_summary_text(stream, dict, &file, r, &(cli_summary_look){.width = TEXT_WIDTH, .utc = true, .top = 20});
    if (stream && fclose(stream) != 0)
        done = false;
    /* Line by line: what makes a text harmless for a terminal takes newlines away. */
    for (size_t i = 0; done && i < n;) {
        size_t line = strcspn(text + i, "\n");
        add_escaped(p->out, text + i, line);
        gl_text_str(p->out, "\n");
        i += line + 1;
    }
    free(text);
    return done ? 0 : GL_E_NOMEM;
}

static int add_summary(page *p, gl_error *err)
{
    const gl_dict *dict;
    const gl_summary_result *r;
    int status = gl_reader_dict(p->reader, &dict, err);
    if (status < 0)
        return status;
    gl_summary *s = gl_summary_new(&(gl_summary_options){.dict = dict});
    status = s ? sum_up(p, dict, s, err) : GL_E_NOMEM;
    if (status == 0)
        status = gl_summary_finish(s, &r);
    gl_text_str(p->out, "<h2>Summary</h2>\n<pre>\n");
    if (status == 0)
        status = add_summary_text(p, dict, r);
    gl_text_str(p->out, "</pre>\n");
    gl_summary_destroy(s);
    return status;
}

/* ---- the page ------------------------------------------------------------------------------------------------------- */

static int add_html(page *p, gl_error *err)
{
    static const struct {
        const char *view, *title;
        int height;
    } pictures[] = {{"goroutines", "Goroutines", HEIGHT}, {"processors", "Processors", LIST_HEIGHT},
                    {"straddles", "Sends that straddle a pause", LIST_HEIGHT}, {"pauses", "Pauses", LIST_HEIGHT},
                    {"stuck", "Blocked at the end", LIST_HEIGHT}};
    gl_text_str(p->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    add_escaped(p->out, p->opt->name, strlen(p->opt->name));
    gl_text_str(p->out, "</title>\n<style>body{font-family:sans-serif;margin:2em;background:#fff;color:#111}"
                        "svg{max-width:100%;height:auto}pre{font-size:13px;line-height:1.25;overflow-x:auto}</style>\n</head>\n<body>\n<h1>");
    add_escaped(p->out, p->opt->name, strlen(p->opt->name));
    gl_text_str(p->out, "</h1>\n");
    int status = add_summary(p, err);
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures && status == 0; i++) {
        gl_text_printf(p->out, "<h2>%s</h2>\n", pictures[i].title);
        status = add_picture(p, pictures[i].view, pictures[i].height, err);
        gl_text_str(p->out, "\n");
    }
    gl_text_printf(p->out, "<p>Made by golanes %s.</p>\n</body>\n</html>\n", GOLANES_VERSION);
    return status;
}

int cli_export_page(cli_source *s, const cli_page_options *opt, gl_text *out)
{
    gl_error err = {0};
    page p = {.source = s, .opt = opt, .spool = -1, .out = out, .theme = gl_theme_by_name(opt->theme ? opt->theme : "dark")};
    if (!p.theme) {
        cli_say("export: --theme: there are dark, light, safe, 16 and mono");
        return CLI_EXIT_USAGE;
    }
    int status = cli_spool(s, &p.reader, &p.own, &p.spool, &err);
    if (status == 0)
        status = opt->html ? add_html(&p, &err) : add_picture(&p, "goroutines", HEIGHT, &err);
    if (status == 0 && out->failed)
        status = GL_E_NOMEM;
    gl_app_close(p.app);
    gl_reader_close(p.own);
    if (p.spool >= 0)
        close(p.spool);
    return status < 0 ? cli_failed(status, &err) : 0;
}
