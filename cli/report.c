#include "report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out.h"

typedef struct answering {
    cli_report_run run;
    const cli_report *report;
    void *self;
    cli_out out;
} answering;

void cli_source_file(cli_source *source, const gl_summary_result *r, cli_summary_file *f)
{
    const cli_facts *facts = cli_source_facts(source);
    cli_summary_file_from_import(f, &facts->r);
    if (!f->header_version) /* a header names versions; a recorder has read the one */
        f->go_version = facts->go_version;
    f->name = cli_source_name(source);
    f->format = cli_source_reader(source) ? "golanes" : "go trace";
    f->size = cli_source_bytes(source);
    f->complete = cli_facts_sound(facts);
    f->truncated |= facts->cut;
    cli_summary_file_losses(f, r);
}

void cli_report_file(const cli_report_run *run, cli_summary_file *f) { cli_source_file(run->source, run->r, f); }

bool cli_report_wants(void *user, uint32_t group)
{
    const cli_report_run *run = user;
    return !run->group || gl_pattern_string(run->group, run->dict, group);
}

static bool print_text(answering *a, FILE *stream)
{
    cli_summary_file file = {0};
    const cli_args *args = a->run.args;
    cli_report_file(&a->run, &file);
    cli_page p = {.dict = a->run.dict, .file = &file, .r = a->run.r, .top = a->run.top, .utc = true};
    p.width = (size_t)cli_args_number(args, CLI_OPT_WIDTH, gl_text_terminal_width(STDOUT_FILENO, 100));
    p.width = p.width < 40 ? 40 : p.width;
    p.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    cli_page_title(&p);
    cli_page_lost(&p);
    a->report->text(&a->run, a->self, &p);
    bool done = !p.out.failed && fwrite(p.out.bytes, 1, p.out.n, stream) == p.out.n && fflush(stream) == 0;
    gl_text_clean_up(&p.out);
    return done;
}

static bool print_json(answering *a, FILE *stream)
{
    cli_summary_file file = {0};
    cli_report_file(&a->run, &file);
    cli_summary_json *w = calloc(1, sizeof *w);
    if (!w)
        return false;
    w->dict = a->run.dict;
    cli_json_init(&w->json, stream);
    cli_json_open(&w->json, NULL, '{');
    cli_json_uint(&w->json, "schema", 1);
    cli_json_str(&w->json, "command", a->run.args->command->name);
    cli_summary_json_file(w, &file);
    cli_summary_json_time(w, &file, a->run.r);
    a->report->json(&a->run, a->self, w);
    cli_json_close(&w->json, '}');
    bool done = cli_json_finish(&w->json);
    free(w);
    return done;
}

static int prepare(cli_report_run *run, const cli_report *report, void *self)
{
    const char *group = cli_args_text(run->args, CLI_OPT_GROUP, NULL);
    char why[300];
    uint64_t top = cli_args_number(run->args, CLI_OPT_TOP, 10);
    run->top = top ? (size_t)top : CLI_REPORT_ROWS_MAX;
    run->options.worst = (unsigned)run->top;
    if (group && !(run->group = gl_pattern_new(group, 0, why, sizeof why)))
        return cli_usage_error(run->args->command, "--group: %s", why);
    return report->prepare ? report->prepare(run, self) : 0;
}

static int stream(cli_report_run *run, const cli_report *report, void *self, gl_error *err)
{
    int status = cli_source_dict(run->source, &run->dict, err);
    if (status < 0)
        return status;
    run->options.dict = run->dict;
    run->summary = gl_summary_new(&run->options);
    if (!run->summary)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    status = report->start ? report->start(run, self) : 0;
    if (status == 0)
        status = cli_source_stream(run->source, &(cli_plan){0}, gl_summary_sink, run->summary, err);
    if (status == 0)
        status = gl_summary_finish(run->summary, &run->r);
    if (status == 0 && report->finish)
        status = report->finish(run, self);
    return status;
}

int cli_report_read(const cli_args *args, const char *file, const cli_report *report, void *self, cli_report_run *run)
{
    gl_error err = {0};
    run->args = args;
    cli_source_options o = cli_source_options_of(args);
    int code = prepare(run, report, self);
    if (code)
        return code;
    int status = cli_source_open(file, &o, &run->source, &err);
    if (status == 0)
        status = stream(run, report, self, &err);
    return status < 0 ? cli_failed(status, &err) : 0;
}

void cli_report_close(cli_report_run *run)
{
    gl_summary_destroy(run->summary);
    cli_source_close(run->source);
    gl_pattern_destroy(run->group);
}

static int print(answering *a)
{
    FILE *stream = cli_out_stream(&a->out);
    bool written = false;
    if (stream) {
        written = cli_args_has(a->run.args, CLI_OPT_JSON) ? print_json(a, stream) : print_text(a, stream);
        fclose(stream);
    }
    bool taken = cli_out_open(&a->out);
    int code = cli_out_finish(&a->out);
    if (!taken || code)
        return code; /* why is said, or nobody reads any more */
    if (!written) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    code = a->report->verdict ? a->report->verdict(&a->run, a->self) : 0;
    int ended = cli_ended(a->run.source, a->run.args);
    return code ? code : ended;
}

int cli_report_answer(const cli_args *args, const cli_report *report)
{
    return cli_report_answer_of(args, args->operands[0], report);
}

int cli_report_answer_of(const cli_args *args, const char *file, const cli_report *report)
{
    answering *a = calloc(1, sizeof *a);
    void *self = calloc(1, report->bytes ? report->bytes : 1);
    int code = CLI_EXIT_SYSTEM;
    if (!a || !self) {
        cli_say("no memory");
    } else {
        a->report = report;
        a->self = self;
        cli_out_init(&a->out, STDOUT_FILENO);
        code = cli_report_read(args, file, report, self, &a->run);
        if (code == 0)
            code = print(a);
        if (report->clean_up)
            report->clean_up(self);
        cli_report_close(&a->run);
    }
    free(self);
    free(a);
    return code;
}

void cli_json_spread(cli_json *j, const char *key, const gl_spread *s)
{
    cli_json_open(j, key, '{');
    cli_json_uint(j, "n", s->n);
    cli_json_uint(j, "total_ns", s->total_ns);
    cli_json_uint(j, "p50_ns", s->p50_ns);
    cli_json_uint(j, "p90_ns", s->p90_ns);
    cli_json_uint(j, "p95_ns", s->p95_ns);
    cli_json_uint(j, "p99_ns", s->p99_ns);
    cli_json_uint(j, "max_ns", s->max_ns);
    if (s->approximate)
        cli_json_bool(j, "approximate", true);
    cli_json_close(j, '}');
}

void cli_json_known(cli_json *j, const char *key, bool known, uint64_t value)
{
    if (known)
        cli_json_uint(j, key, value);
    else
        cli_json_null(j, key);
}

const char *cli_goroutine(char *out, size_t n, uint64_t g)
{
    if (!g || g == GL_NO_GOROUTINE)
        snprintf(out, n, "-");
    else
        snprintf(out, n, "G%llu", (unsigned long long)g);
    return out;
}

void cli_bar(gl_text *out, double share, size_t width)
{
    if (share > 0)
        gl_text_bar(out, share > 1 ? 1 : share, width);
}

/* --- the longest first --- */

typedef struct length {
    int64_t ns;
    size_t index;
} length;

static int longer(const void *a, const void *b)
{
    const length *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

size_t *cli_longest(const void *list, size_t n, size_t bytes, size_t begin_at, size_t end_at)
{
    length *lengths = malloc((n + 1) * sizeof *lengths);
    size_t *out = malloc((n + 1) * sizeof *out);
    for (size_t i = 0; lengths && out && i < n; i++) {
        const char *at = (const char *)list + i * bytes;
        int64_t begin, end;
        memcpy(&begin, at + begin_at, sizeof begin);
        memcpy(&end, at + end_at, sizeof end);
        lengths[i] = (length){end - begin, i};
    }
    if (lengths && out) {
        qsort(lengths, n, sizeof *lengths, longer);
        for (size_t i = 0; i < n; i++)
            out[i] = lengths[i].index;
    }
    if (!lengths) {
        free(out);
        out = NULL;
    }
    free(lengths);
    return out;
}
