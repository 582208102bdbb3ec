#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "golanes/input.h"
#include "golanes/gobin.h"
#include "pprof_fetch.h"

#include "progress.h"
#include "sniff.h"
#include "temporary.h"

#define FIRST_BYTES 512
#define COPY_BYTES ((size_t)1 << 20)

struct cli_source {
    char name[256];
    cli_source_options opt;
    gl_input *input; /* Go trace */
    gl_dict *dict;   /* Go trace */
    gl_gobin *binary; /* names bare addresses; NULL: none was given */
    gl_reader *reader;
    int spool; /* holds the bytes of a .lanes that came as a stream; -1 none */
    char packing[16];
    cli_facts facts;
};

cli_source_options cli_source_options_of(const cli_args *args)
{
    return (cli_source_options){.quiet = cli_args_has(args, CLI_OPT_QUIET),
                                .seconds = (unsigned)cli_args_number(args, CLI_OPT_SECONDS, 5)};
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static int open_reader(cli_source *s, const char *path, gl_error *err)
{
    int rc = gl_reader_open(path, &s->reader, err);
    if (rc == 0)
        cli_facts_take(s->reader, &s->facts);
    return rc;
}

/* True for a file that can be mapped as it stands; anything else goes through an input. */
static bool is_plain_lanes(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    struct stat st;
    char first[FIRST_BYTES];
    ssize_t n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, first, sizeof first, 0) : -1;
    close(fd);
    return n > 0 && gl_reader_detect(first, (size_t)n);
}

static int copy_input(gl_input *in, int fd, gl_error *err)
{
    char *buffer = malloc(COPY_BYTES);
    int rc = buffer ? 0 : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    uint64_t at = 0;
    while (rc == 0) {
        ssize_t n = gl_input_read(in, at, buffer, COPY_BYTES);
        if (n < 0)
            rc = gl_fail(err, GL_E_IO, at, "%s: could not be read", gl_input_name(in));
        if (n <= 0)
            break;
        for (ssize_t done = 0; rc == 0 && done < n;) {
            ssize_t put = write(fd, buffer + done, (size_t)(n - done));
            if (put >= 0)
                done += put;
            else if (errno != EINTR)
                rc = gl_fail(err, GL_E_IO, at, "the temporary file could not be written (%s); set TMPDIR to a folder with room",
                             strerror(errno));
        }
        at += (uint64_t)n;
    }
    free(buffer);
    return rc;
}

/* A .lanes that was packed, or came as a stream: a reader maps a file, so the bytes are put into a nameless one. */
static int open_spooled(cli_source *s, gl_error *err)
{
    s->spool = gl_input_temporary();
    if (s->spool < 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "no temporary file could be made (%s); set TMPDIR to a folder with room",
                       strerror(errno));
    int rc = copy_input(s->input, s->spool, err);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->spool);
    if (rc == 0)
        rc = open_reader(s, path, err);
    return rc;
}

static int not_a_trace(cli_source *s, const void *first, size_t n, gl_error *err)
{
    bool packed = strcmp(s->packing, "plain") != 0;
    return gl_fail(err, GL_E_NOT_TRACE, 0, "%s: neither a Go trace nor a .lanes file: it %s%s%s", s->name,
                   packed ? "holds, packed with " : "", packed ? s->packing : cli_sniff(first, n),
                   packed ? ", something that is no trace" : "");
}

static void note_cut(cli_source *s)
{
    const char *why = NULL;
    if (!gl_input_was_cut(s->input, &why))
        return;
    s->facts.cut = true;
    snprintf(s->facts.cut_why, sizeof s->facts.cut_why, "%s", why);
}

static int start_gotrace(cli_source *s, unsigned version, gl_error *err)
{
    s->dict = gl_dict_new();
    if (!s->dict)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    cli_facts *f = &s->facts;
    snprintf(f->source_kind, sizeof f->source_kind, "gotrace");
    snprintf(f->source_name, sizeof f->source_name, "%s", s->name);
    snprintf(f->source_packing, sizeof f->source_packing, "%s", s->packing);
    snprintf(f->go_version, sizeof f->go_version, "%s", cli_go_versions(version));
    f->r.header_version = version;
    note_cut(s);
    return 0;
}

/* An input is there: what does it hold? */
static int open_input(cli_source *s, gl_error *err)
{
    unsigned char first[FIRST_BYTES];
    snprintf(s->packing, sizeof s->packing, "%s", gl_input_packing(s->input));
    ssize_t n = gl_input_read(s->input, 0, first, sizeof first);
    if (n < 0)
        return gl_fail(err, GL_E_IO, 0, "%s: could not be read", s->name);
    unsigned version = gl_gotrace_detect(first, (size_t)n);
    if (version)
        return start_gotrace(s, version, err);
    if (!gl_reader_detect(first, (size_t)n))
        return not_a_trace(s, first, (size_t)n, err);
    int rc = open_spooled(s, err);
    if (rc == 0)
        note_cut(s);
    gl_input_close(s->input);
    s->input = NULL;
    return rc;
}

static int fetch_tick(void *user, uint64_t done_ns, uint64_t total_ns, uint64_t bytes)
{
    (void)bytes;
    return cli_progress_tick(user, done_ns, total_ns);
}

static int open_address(cli_source *s, cli_progress *p, gl_error *err)
{
    gl_pprof_options o = {.address = s->name, .seconds = s->opt.seconds, .progress = fetch_tick, .progress_user = p};
    int fd = -1;
    p->live = true;
    int rc = gl_pprof_fetch(&o, &fd, err);
    return rc < 0 ? rc : gl_input_from_fd(fd, s->name, NULL, NULL, &s->input, err);
}

static int open_any(cli_source *s, const char *name, gl_error *err)
{
    if (is_plain_lanes(name))
        return open_reader(s, name, err);
    char what[300];
    bool address = gl_pprof_is_address(name);
    snprintf(what, sizeof what, "%s %s", address ? "tracing" : "unpacking", s->name);
    cli_progress p;
    cli_progress_start(&p, what, s->opt.quiet);
    int rc = address ? open_address(s, &p, err) : gl_input_open(name, cli_progress_tick, &p, &s->input, err);
    cli_progress_end(&p);
    return rc < 0 ? rc : open_input(s, err);
}

int cli_source_open(const char *name, const cli_source_options *opt, cli_source **out, gl_error *err)
{
    cli_source *s = calloc(1, sizeof *s);
    if (!s)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    s->opt = *opt;
    s->spool = -1;
    s->facts.r.first_abs_ns = -1;
    snprintf(s->name, sizeof s->name, "%s", strcmp(name, "-") == 0 ? "standard input" : name);
    snprintf(s->packing, sizeof s->packing, "plain");
    int rc = opt->binary ? gl_gobin_open(opt->binary, &s->binary, err) : 0;
    if (rc == 0)
        rc = open_any(s, name, err);
    if (rc < 0) {
        cli_source_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void cli_source_close(cli_source *s)
{
    if (!s)
        return;
    gl_reader_close(s->reader);
    gl_input_close(s->input);
    gl_dict_destroy(s->dict);
    gl_gobin_close(s->binary);
    if (s->spool >= 0)
        close(s->spool);
    free(s);
}

const char *cli_source_name(const cli_source *s) { return s->name; }
gl_reader *cli_source_reader(cli_source *s) { return s->reader; }
gl_input *cli_source_input(cli_source *s) { return s->input; }
const char *cli_source_packing(const cli_source *s) { return s->packing; }
const cli_facts *cli_source_facts(const cli_source *s) { return &s->facts; }
gl_dict *cli_source_own_dict(cli_source *s) { return s->dict; }

uint64_t cli_source_bytes(const cli_source *s)
{
    return s->reader ? gl_reader_get_info(s->reader)->file_bytes : gl_input_size(s->input);
}

int cli_source_dict(cli_source *s, const gl_dict **out, gl_error *err)
{
    if (s->reader)
        return gl_reader_dict(s->reader, out, err);
    *out = s->dict;
    return 0;
}

/* ---- streaming ---------------------------------------------------------------------------------------------------- */

/* A gl_symbolize_fn. */
static size_t name_address(void *binary, uint64_t pc, gl_pc_name *out, size_t max)
{
    gl_gobin_place place;
    if (max == 0 || !gl_gobin_find(binary, pc, &place))
        return 0;
    *out = (gl_pc_name){.func = place.func, .file = place.file, .line = place.line};
    return 1;
}

static int stream_gotrace(cli_source *s, gl_event_fn fn, void *user, cli_progress *p, gl_error *err)
{
    gl_gotrace_options o = {.dict = s->dict, .on_events = fn, .events_user = user, .on_progress = cli_progress_tick,
                            .progress_user = p, .symbolize = s->binary ? name_address : NULL,
                            .symbolize_user = s->binary};
    int rc = gl_gotrace_import(s->input, &o, &s->facts.r, err);
    s->facts.finished = rc == 0;
    return rc;
}

/*
 * Where reading may stop. Times may step back a little from one chunk to the next, so that the first event after `to` says
 * nothing about what follows. The summaries tell which chunk is the last that may hold an earlier one, and the largest
 * time up to its end: an event after that time lies behind that chunk, and so does everything that follows it. Without
 * summaries (a damaged file) everything is read.
 */
static int64_t last_useful_time(gl_reader *r, int64_t to)
{
    uint64_t n = to > 0 && gl_reader_levels(r) ? gl_reader_level_size(r, 0) : 0;
    if (n != gl_reader_get_info(r)->event_chunks)
        n = 0;
    gl_summary_node *node = n ? calloc(1, sizeof *node) : NULL;
    int64_t last = INT64_MAX;
    for (uint64_t i = n; node && i > 0; i--) {
        if (gl_reader_summary(r, 0, i - 1, node, NULL) < 0)
            break;
        if (node->time_from < to) {
            last = node->time_to;
            break;
        }
    }
    free(node);
    return last;
}

static int cursor_loop(gl_cursor *c, const gl_reader_info *all, int64_t last, gl_event_fn fn, void *user, cli_progress *p, gl_error *err)
{
    const gl_event *events;
    size_t n = 0;
    uint64_t done = 0;
    int rc;
    while ((rc = gl_cursor_next(c, &events, &n, err)) == 0 && n > 0) {
        rc = fn(user, events, n);
        if (rc < 0)
            return rc;
        if (events[n - 1].time > last)
            return 0;
        done += n;
        if (cli_progress_tick(p, cli_progress_share(done, all->events, all->file_bytes), all->file_bytes))
            return gl_fail(err, GL_E_CANCELLED, UINT64_MAX, "cancelled");
    }
    return rc;
}

static int stream_lanes(cli_source *s, const cli_plan *plan, gl_event_fn fn, void *user, cli_progress *p, gl_error *err)
{
    gl_cursor *c = NULL;
    int rc = gl_cursor_open(s->reader, plan->some_columns ? plan->columns : GL_COL_ALL, &c, err);
    if (rc == 0 && plan->types)
        rc = gl_cursor_want_types(c, plan->types, plan->type_count);
    if (rc == 0 && plan->from > 0)
        rc = gl_cursor_seek(c, plan->from, err);
    bool beyond = rc == GL_E_NOT_FOUND; /* no event is that late */
    if (rc == 0)
        rc = cursor_loop(c, gl_reader_get_info(s->reader), last_useful_time(s->reader, plan->to), fn, user, p, err);
    gl_cursor_close(c);
    return beyond ? 0 : rc;
}

int cli_source_stream(cli_source *s, const cli_plan *plan, gl_event_fn fn, void *user, gl_error *err)
{
    char what[300];
    cli_progress p;
    snprintf(what, sizeof what, "reading %s", s->name);
    cli_progress_start(&p, what, s->opt.quiet || s->opt.to_terminal);
    int rc = s->reader ? stream_lanes(s, plan, fn, user, &p, err) : stream_gotrace(s, fn, user, &p, err);
    cli_progress_end(&p);
    if (s->reader)
        cli_facts_take_damage(s->reader, &s->facts);
    return rc;
}

/* ---- endings ------------------------------------------------------------------------------------------------------ */

int cli_failed(int status, const gl_error *err)
{
    int signal = cli_signals_came();
    if (status == GL_E_CANCELLED && signal)
        return signal;
    cli_say("%s", err && err->text[0] ? err->text : gl_status_text(status));
    switch (status) {
    case GL_E_NOMEM: return CLI_EXIT_SYSTEM;
    case GL_E_USAGE: return CLI_EXIT_USAGE;
    default: return CLI_EXIT_INPUT;
    }
}

int cli_ended(const cli_source *s, const cli_args *args)
{
    if (!cli_args_has(args, CLI_OPT_QUIET))
        cli_facts_warn(&s->facts, s->name);
    return cli_args_has(args, CLI_OPT_STRICT) && !cli_facts_sound(&s->facts) ? CLI_EXIT_DAMAGED : CLI_EXIT_DONE;
}
