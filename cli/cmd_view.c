/*
 * golanes view. A .lanes file is shown as it is, and followed where it grows. A Go trace is imported by a child process
 * into a nameless .lanes file, which the viewer follows in the same way: there is one way to look at what is not yet
 * whole.
 */

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "out.h"
#include "progress.h"
#include "source.h"
#include "temporary.h"
#include "term.h"
#include "view.h"
#include "view_files.h"

#define FLUSH_NS 100000000 /* what was imported in this time can be seen */
#define LARGE 2000000      /* events: a smaller trace is whole before the eye has found its beginning */

typedef struct view {
    const cli_args *args;
    const char *path;    /* of what is shown, as it was given */
    const gl_live *live; /* NULL: it is no live view */
    cli_source *source;
    gl_reader *reader;
    gl_reader *own; /* of an imported file, else NULL */
    int spool;      /* -1 none */
    pid_t child;    /* that imports, 0 none */
    bool failed;    /* the child did */
    int64_t promised; /* length of the trace as its batch headers tell it, 0 not known */
} view;

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- the import behind the viewer -----------------------------------------------------------------------------------
 */

typedef struct spool {
    gl_writer *writer;
    int64_t flushed;
} spool;

static int on_events(void *user, const gl_event *events, size_t n)
{
    spool *s = user;
    int rc = gl_writer_events(s->writer, events, n);
    if (rc == 0 && now_ns() - s->flushed > FLUSH_NS) {
        rc = gl_writer_flush(s->writer, NULL);
        s->flushed = now_ns();
    }
    return rc;
}

/* Imports the source into the spool file. 0 or an exit code, after a line on standard error. */
static int import_into(view *v)
{
    gl_error err = {0};
    spool s = {.flushed = now_ns()};
    gl_writer_options o = {.fd = v->spool, .dict = cli_source_own_dict(v->source)};
    int rc = gl_writer_open(&o, &s.writer, &err);
    if (rc < 0)
        return cli_failed(rc, &err);
    rc = cli_facts_put_start(cli_source_facts(v->source), s.writer);
    if (rc == 0)
        rc = cli_source_stream(v->source, &(cli_plan){0}, on_events, &s, &err);
    int closed = cli_facts_put_end(cli_source_facts(v->source), s.writer);
    if (closed < 0) {
        gl_writer_abandon(s.writer);
        return cli_failed(closed, &err);
    }
    gl_error close_err = {0};
    closed = gl_writer_close(s.writer, NULL, &close_err);
    if (rc < 0)
        return cli_failed(rc, &err);
    return closed < 0 ? cli_failed(closed, &close_err) : 0;
}

static int open_spool(view *v)
{
    v->spool = gl_input_temporary();
    if (v->spool >= 0)
        return 0;
    cli_say("%s: no file can be made there for the import: %s", cli_temporary_folder(), strerror(errno));
    return CLI_EXIT_OUTPUT;
}

static int open_spooled(view *v, gl_error *err)
{
    int rc = cli_temporary_reader(v->spool, &v->own, err);
    v->reader = v->own;
    return rc;
}

static int exit_code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_EXIT_SYSTEM; }

static void start_import(view *v)
{
    fflush(NULL);
    v->child = fork();
    if (v->child == 0) {
        /* The terminal is the parent's: its signals end this import only by way of the parent. */
        setpgid(0, 0);
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0)
            dup2(null, STDERR_FILENO);
        _exit(import_into(v));
    }
}

static int state_of_import(void *user)
{
    view *v = user;
    int status = 0;
    if (v->child > 0 && waitpid(v->child, &status, WNOHANG) == v->child) {
        v->child = 0;
        v->failed = exit_code_of(status) != 0;
    }
    return v->failed ? -1 : v->child > 0;
}

/* The length of the whole trace, so that the first screen need not wait for any event of it. */
static void look_ahead(view *v)
{
    gl_gotrace_glance glance;
    gl_error err = {0};
    if (gl_gotrace_look(cli_source_input(v->source), &glance, &err) == 0 && glance.span_ns > 0 && glance.events_estimate > LARGE)
        v->promised = glance.span_ns;
}

/* Waits for the first part of the import that can be shown. 0 or an exit code. */
static int await_first_part(view *v)
{
    for (;;) {
        gl_error err = {0};
        int status = 0;
        bool ended = waitpid(v->child, &status, WNOHANG) == v->child;
        if (ended)
            v->child = 0;
        if (ended && exit_code_of(status) != 0 && lseek(v->spool, 0, SEEK_END) == 0)
            return import_into(v); /* again, for its message */
        int rc = open_spooled(v, &err);
        if (rc == 0 && (ended || v->promised || gl_reader_get_info(v->reader)->events > 0))
            return 0;
        if (ended)
            return cli_failed(rc, &err);
        gl_reader_close(v->own);
        v->own = v->reader = NULL;
        if (cli_signals_came())
            return cli_signals_came();
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
}

static void end_import(view *v)
{
    if (v->child > 0) {
        kill(v->child, SIGKILL);
        waitpid(v->child, NULL, 0);
    }
}

static int open_trace(view *v, bool picture)
{
    gl_error err = {0};
    cli_source_options o = cli_source_options_of(v->args);
    int rc = cli_source_open(v->args->operands[0], &o, &v->source, &err);
    if (rc < 0)
        return cli_failed(rc, &err);
    v->reader = cli_source_reader(v->source);
    if (v->reader)
        return 0;
    rc = open_spool(v);
    if (rc)
        return rc;
    if (!picture) {
        look_ahead(v);
        start_import(v);
        if (v->child > 0)
            return await_first_part(v);
    }
    rc = import_into(v);
    if (rc)
        return rc;
    int status = open_spooled(v, &err);
    return status < 0 ? cli_failed(status, &err) : 0;
}

/* ---- what is to be shown --------------------------------------------------------------------------------------------
 */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (strcmp(path, "-") == 0)
        return "standard input";
    return slash && slash[1] ? slash + 1 : path;
}

/* --view, --at, --span: the place to begin with. 0 or an exit code. */
static int place(gl_app *a, const cli_args *args)
{
    const char *view_name = cli_args_text(args, CLI_OPT_VIEW, NULL);
    if (view_name) {
        gl_do_view(a, view_name, 0);
        if (a->message_is_error)
            return cli_usage_error(args->command, "--view: %s", a->message);
    }
    int64_t at = (int64_t)cli_args_number(args, CLI_OPT_AT, (uint64_t)a->cursor);
    int64_t span = (int64_t)cli_args_number(args, CLI_OPT_SPAN, 0);
    if (cli_args_has(args, CLI_OPT_SPAN))
        gl_app_show(a, at - span / 2, at - span / 2 + span);
    if (cli_args_has(args, CLI_OPT_AT))
        gl_app_go(a, at);
    return 0;
}

static int press(gl_app *a, const cli_args *args)
{
    const char *keys = cli_args_text(args, CLI_OPT_KEYS, "");
    while (*keys) {
        gl_error err = {0};
        size_t n = strcspn(keys, " ");
        int key = n ? gl_key_by_name(keys, n) : 0;
        if (n && !key)
            return cli_usage_error(args->command, "--keys: %.*s is no key", (int)n, keys);
        if (n)
            gl_app_key(a, key);
        int rc = gl_app_settle(a, &err);
        if (rc < 0)
            return cli_failed(rc, &err);
        keys += n;
        keys += *keys == ' ';
    }
    return 0;
}

static const gl_theme *theme_of(const cli_args *args, const gl_config *config, int colours)
{
    const char *name = cli_args_text(args, CLI_OPT_THEME, NULL), *none = getenv("NO_COLOR");
    if (name)
        return gl_theme_by_name(name);
    return config && config->theme && !(none && *none) ? config->theme : gl_theme_default(colours);
}

/* ---- pictures -------------------------------------------------------------------------------------------------------
 */

static int print_cells(const cli_args *args, const gl_cells *c, const gl_theme *theme)
{
    gl_text text = {0};
    if (cli_args_has(args, CLI_OPT_ANSI))
        gl_cells_ansi(c, theme, &text);
    else if (cli_args_has(args, CLI_OPT_SVG))
        gl_cells_svg(c, theme, &text);
    else if (cli_args_has(args, CLI_OPT_HTML))
        gl_cells_html(c, theme, name_of(args->operands[0]), &text);
    else
        gl_cells_text(c, &text);
    cli_out *o = text.failed ? NULL : malloc(sizeof *o);
    int rc = CLI_EXIT_SYSTEM;
    if (o) {
        cli_out_init(o, STDOUT_FILENO);
        cli_out_add(o, text.bytes, text.n);
        rc = cli_out_finish(o);
    } else {
        cli_say("no memory");
    }
    free(o);
    gl_text_clean_up(&text);
    return rc;
}

static int render(view *v, int w, int h)
{
    gl_error err = {0};
    gl_app *a = NULL;
    gl_cells cells = {0};
    gl_app_options o = {.reader = v->reader, .name = name_of(v->args->operands[0]), .theme = theme_of(v->args, NULL, 1 << 24),
                        .ascii = cli_args_has(v->args, CLI_OPT_ASCII)};
    int rc = gl_app_open(&o, &a, &err);
    if (rc == 0) {
        gl_app_resize(a, w, h);
        rc = gl_app_settle(a, &err);
    }
    int code = rc < 0 ? cli_failed(rc, &err) : place(a, v->args);
    if (code == 0)
        code = press(a, v->args);
    if (code == 0) {
        gl_app_draw(a, &cells);
        code = print_cells(v->args, &cells, a->theme);
    }
    gl_cells_clean_up(&cells);
    gl_app_close(a);
    return code;
}

static int parse_size(const cli_args *args, int *w, int *h)
{
    char rest;
    if (sscanf(cli_args_text(args, CLI_OPT_RENDER, ""), "%4dx%4d%c", w, h, &rest) == 2 && *w >= 1 && *h >= 1 &&
        *w <= 2000 && *h <= 2000)
        return 0;
    return cli_usage_error(args->command, "--render takes a size such as 120x40, at most 2000x2000");
}

/* ---- the terminal ---------------------------------------------------------------------------------------------------
 */

static int look(view *v, gl_term *t, const gl_config *config)
{
    gl_error err = {0};
    gl_app *a = NULL;
    char why[200];
    bool ascii = cli_args_has(v->args, CLI_OPT_ASCII) || !gl_term_is_unicode(t) || config->ascii;
    gl_app_options o = {.reader = v->reader, .name = name_of(v->path), .importing = v->own != NULL, .live = v->live,
                        .promised = v->promised, .import_state = v->own ? state_of_import : NULL, .import_user = v,
                        .theme = theme_of(v->args, config, gl_term_colours(t)), .ascii = ascii};
    int rc = gl_app_open(&o, &a, &err);
    if (rc < 0) {
        gl_term_close(t);
        return cli_failed(rc, &err);
    }
    gl_app_configure(a, config);
    if (!v->live)
        cli_state_read(a, v->path);
    int came = 0, code = place(a, v->args);
    if (code == 0)
        came = gl_app_run(a, t);
    bool kept = v->live || cli_state_write(a, v->path, why, sizeof why) == 0;
    gl_app_close(a);
    gl_term_close(t);
    if (!kept)
        cli_say("%s", why);
    return came ? 128 + came : code;
}

static int run(view *v)
{
    gl_error err = {0};
    gl_term *t = NULL;
    gl_config *config = calloc(1, sizeof *config);
    int code = config ? cli_config_read(config) : CLI_EXIT_SYSTEM;
    int rc = code == 0 ? gl_term_open(&t, &err) : 0;
    if (rc < 0)
        code = cli_failed(rc, &err);
    if (code == 0)
        code = look(v, t, config);
    if (config)
        gl_config_clean_up(config);
    free(config);
    return code;
}

int cli_view_live(const cli_args *args, gl_reader *reader, const char *name, const gl_live *live)
{
    view v = {.args = args, .path = name, .live = live, .reader = reader, .spool = -1};
    return run(&v);
}

bool cli_view_theme_is_known(const cli_args *args) { return theme_of(args, NULL, 256) != NULL; }

static int run_view(const cli_args *args)
{
    view v = {.args = args, .path = args->operands[0], .spool = -1};
    int w = 0, h = 0;
    bool picture = cli_args_has(args, CLI_OPT_RENDER);
    int code = picture ? parse_size(args, &w, &h) : 0;
    if (code == 0 && !theme_of(args, NULL, 256))
        code = cli_usage_error(args->command, "--theme: there are dark, light, safe, 16 and mono");
    if (code)
        return code;
    code = open_trace(&v, picture);
    if (code == 0)
        code = picture ? render(&v, w, h) : run(&v);
    end_import(&v);
    gl_reader_close(v.own);
    cli_source_close(v.source);
    if (v.spool >= 0)
        close(v.spool);
    return code;
}

/* ---- the page -------------------------------------------------------------------------------------------------------
 */

static void add_escaped(const char *s, gl_text *out)
{
    for (; *s; s++) {
        if (strchr("\\*_<>#[]~`.", *s))
            gl_text_str(out, "\\");
        gl_text_add(out, s, 1);
    }
}

static void add_key(const gl_command *c, gl_text *out)
{
    const char *at = c->keys;
    for (int i = 0; *at; i++) {
        char name[32];
        size_t n = strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        gl_text_str(out, i ? ", *" : "*");
        add_escaped(name, out);
        gl_text_str(out, "*");
        at += n + (at[n] == ' ');
    }
    gl_text_printf(out, " (:%s", c->name);
    if (*c->argument)
        gl_text_printf(out, " _%s_", c->argument);
    gl_text_str(out, ")\n\t");
    add_escaped(c->help, out);
    gl_text_str(out, ".\n\n");
}

static void add_keys(gl_text *out)
{
    gl_text_str(out,
                "\n# KEYS\n\nC- is Control, S- is Shift. Every command can also be given by name after a colon.\n\n");
    for (int s = 0; s < GL_SECTIONS; s++) {
        gl_text_printf(out, "## %s\n\n", gl_section_title((gl_section)s));
        for (size_t i = 0; gl_command_at(i); i++)
            if (gl_command_at(i)->section == (gl_section)s)
                add_key(gl_command_at(i), out);
    }
    gl_text_str(out, "## Mouse and prompt\n\n");
    for (size_t i = 0; gl_gesture_at(i); i++) {
        gl_text_str(out, "*");
        add_escaped(gl_gesture_at(i)->what, out);
        gl_text_str(out, "*\n\t");
        add_escaped(gl_gesture_at(i)->does, out);
        gl_text_str(out, ".\n\n");
    }
    out->n--;
}

const cli_command cli_command_view = {
    .name = "view", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_view,
    .brief = "look at a trace in the terminal",
    .description =
        "Shows a lane for each goroutine, time to the right: what it did as colour and glyph, stop-the-world pauses as bands "
        "across all lanes, and the channel sends that straddle a GC pause lit up. The cursor starts on the worst of them. "
        "? shows the legend and all keys.\n\n"
        "A .lanes file that is still being written is followed. A Go trace is imported behind the screen, which has its "
        "whole time from the beginning and fills as the import goes on.\n\n"
        "With --render the same screen is printed instead, as text or as a picture, for reports, chat and documents.",
    CLI_OPTIONS(CLI_OPT_AT, CLI_OPT_SPAN, CLI_OPT_VIEW, CLI_OPT_KEYS, CLI_OPT_THEME, CLI_OPT_ASCII, CLI_OPT_RENDER, CLI_OPT_PLAIN,
            CLI_OPT_ANSI, CLI_OPT_SVG, CLI_OPT_HTML, CLI_OPT_SECONDS, CLI_OPT_QUIET, CLI_OPT_HELP),
    .page_more = add_keys,
    .examples = {{"golanes view server.trace", "Look at a trace that Go wrote."},
                 {"golanes view --at 14.2ms --span 3ms run.lanes", "Begin with three milliseconds around a moment."},
                 {"golanes view --render 120x40 --keys X --svg run.lanes > worst.svg", "A picture of the worst straddling send."}},
};
