#include "json_out.h"
#include "print.h"
#include "source.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

/* What info finds out, the same for both kinds of file; unset figures are not printed. */
typedef struct info {
    const char *name;
    cli_source *source;
    const cli_facts *facts;
    gl_gotrace_glance glance;    /* of a Go trace */
    const gl_reader_info *lanes; /* of a .lanes file, else NULL */
    gl_summary_node *whole;      /* sums over the file, NULL where it has no summaries */
    uint64_t by_type[GL_EV_LIMIT];
    int64_t span_ns, wall_unix_ns; /* -1, 0: not known */
    bool sound;
} info;

/* ---- gathering ---------------------------------------------------------------------------------------------------- */

static void add_node(gl_summary_node *sum, const gl_summary_node *n)
{
    sum->events += n->events;
    for (unsigned i = 0; i < GL_EV_LIMIT; i++)
        sum->by_type[i] += n->by_type[i];
    sum->gc_ns += n->gc_ns;
    sum->stw_ns += n->stw_ns;
    sum->lost_events += n->lost_events;
    if (n->goroutines_max > sum->goroutines_max)
        sum->goroutines_max = n->goroutines_max;
    if (n->stw_max_ns > sum->stw_max_ns)
        sum->stw_max_ns = n->stw_max_ns;
}

/* The top of the pyramid holds the whole trace in at most eight nodes. */
static gl_summary_node *sum_whole(gl_reader *r)
{
    unsigned levels = gl_reader_levels(r);
    gl_summary_node *sum = calloc(2, sizeof *sum);
    if (!levels || !sum) {
        free(sum);
        return NULL;
    }
    for (uint64_t i = 0; i < gl_reader_level_size(r, levels - 1); i++) {
        if (gl_reader_summary(r, levels - 1, i, &sum[1], NULL) < 0) {
            free(sum);
            return NULL;
        }
        add_node(sum, &sum[1]);
    }
    return sum;
}

static void gather_lanes(info *in)
{
    gl_reader *r = cli_source_reader(in->source);
    in->lanes = gl_reader_get_info(r);
    in->whole = sum_whole(r);
    if (in->whole)
        memcpy(in->by_type, in->whole->by_type, sizeof in->by_type);
    in->span_ns = in->lanes->events ? in->lanes->time_last - in->lanes->time_first : -1;
    in->wall_unix_ns = in->facts->r.wall_unix_ns;
    in->sound = cli_facts_sound(in->facts);
}

static int gather_gotrace(info *in, gl_error *err)
{
    int rc = gl_gotrace_look(cli_source_input(in->source), &in->glance, err);
    in->span_ns = in->glance.span_ns;
    in->wall_unix_ns = in->glance.wall_unix_ns;
    in->sound = in->glance.ends_well && in->glance.bytes_walked == in->glance.bytes_total && !in->facts->cut;
    return rc;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

typedef struct page {
    gl_table *table;
    bool failed;
} page;

static void row(page *p, const char *left, const char *fmt, ...) GL_PRINTF(3, 4);
static void row(page *p, const char *left, const char *fmt, ...)
{
    char right[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(right, sizeof right, fmt, ap);
    va_end(ap);
    p->failed |= gl_table_row(p->table, (const char *const[]){left, right}) < 0;
}

static void rows_time(page *p, const info *in)
{
    char a[GL_UNIT_TEXT_MAX], wall[48];
    if (in->span_ns >= 0)
        row(p, "length", "%s", gl_unit_ns(a, in->span_ns));
    if (in->wall_unix_ns)
        row(p, "started", "%s", cli_wall_text(wall, sizeof wall, in->wall_unix_ns));
    else
        row(p, "started", "not known (Go notes it since 1.25)");
}

static void rows_gotrace(page *p, const info *in)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX], c[GL_UNIT_TEXT_MAX];
    const gl_gotrace_glance *g = &in->glance;
    bool packed = strcmp(cli_source_packing(in->source), "plain") != 0;
    row(p, "kind", "Go execution trace, header \"go 1.%" PRIu32 "\": written by Go %s", g->header_version,
        cli_go_versions(g->header_version));
    row(p, "size", "%s%s%s", gl_unit_bytes(a, g->bytes_total), packed ? " unpacked from " : "",
        packed ? cli_source_packing(in->source) : "");
    rows_time(p, in);
    row(p, "events", "about %s (estimated; import or summary counts them)", gl_unit_count_short(a, (double)g->events_estimate));
    row(p, "batches", "%s in %s part%s, from %s %s", gl_unit_count(a, g->batches), gl_unit_count(b, g->parts),
        g->parts == 1 ? "" : "s (generations)", gl_unit_count(c, g->threads),
        g->header_version >= 22 ? "threads" : "Ps");
    if (g->bytes_walked < g->bytes_total)
        row(p, "damage", "the structure breaks at byte %" PRIu64 "; %s follow", g->bytes_walked,
            gl_unit_bytes(a, g->bytes_total - g->bytes_walked));
    if (in->facts->cut)
        row(p, "damage", "%s", in->facts->cut_why);
    row(p, "end", "%s", g->ends_well ? "as its format says" : "early: it was cut, or its program was killed");
}

static void row_part(page *p, const char *name, uint64_t bytes, uint64_t of)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX];
    if (bytes)
        row(p, name, "%s, %s", gl_unit_bytes(a, bytes), gl_unit_share(b, of ? (double)bytes / (double)of : 0));
}

static void rows_source(page *p, const cli_facts *f)
{
    char a[GL_UNIT_TEXT_MAX];
    if (!*f->source_kind)
        return;
    bool gotrace = strcmp(f->source_kind, "gotrace") == 0;
    row(p, "source", "%s%s%s%s%s", gotrace ? "Go execution trace" : f->source_kind, *f->source_name ? " " : "",
        f->source_name, *f->go_version ? ", Go " : "", f->go_version);
    if (gotrace && f->r.bytes_total)
        row(p, "", "%s, %" PRIu64 " part%s", gl_unit_bytes(a, f->r.bytes_total), f->r.parts, f->r.parts == 1 ? "" : "s (generations)");
}

static const char *meta_of_process(gl_reader *r, unsigned i, const char *what)
{
    char key[48];
    snprintf(key, sizeof key, "process.%u.%s", i, what);
    return gl_reader_meta(r, key);
}

/** The programs of a recording that followed children, or was added to. */
static void rows_processes(page *p, gl_reader *r)
{
    const char *path;
    for (unsigned i = 0; (path = meta_of_process(r, i, "path")) != NULL; i++) {
        char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX], life[120] = "";
        const char *from = meta_of_process(r, i, "start_ns"), *to = meta_of_process(r, i, "end_ns"),
                   *as = meta_of_process(r, i, "exit");
        if (from)
            snprintf(life, sizeof life, ", from %s%s%s%s%s", gl_unit_ns(a, strtoll(from, NULL, 10)), to ? " to " : "",
                     to ? gl_unit_ns(b, strtoll(to, NULL, 10)) : "", as ? ", ended with " : "", as ? as : "");
        row(p, i ? "" : "programs", "%s%s", path, life);
    }
}

/** lost: events that tell of others that are not there. */
static void rows_damage(page *p, const cli_facts *f, uint64_t lost)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX];
    if (lost)
        row(p, "missing", "events, %s %s: golanes events --type Lost says how many", gl_unit_count(a, lost), lost == 1 ? "time" : "times");
    else if (cli_facts_sound(f))
        row(p, "missing", "nothing");
    if (cli_facts_sound(f))
        return;
    if (f->cut)
        row(p, "missing", "%s", f->cut_why);
    if (!f->finished)
        row(p, "missing", "what follows: its import did not come to an end");
    else if (!f->r.complete)
        row(p, "missing", "%s and %s events of the source, as far as it can be told", gl_unit_bytes(a, f->r.bytes_lost),
            gl_unit_count(b, f->r.events_lost));
    size_t n = f->r.damage_count < GL_GOTRACE_DAMAGES_MAX ? (size_t)f->r.damage_count : GL_GOTRACE_DAMAGES_MAX;
    for (size_t i = 0; i < n; i++)
        row(p, "", "at byte %" PRIu64 ": %s", f->r.damages[i].offset, f->r.damages[i].reason);
    if (f->r.damage_count > n)
        row(p, "", "and %" PRIu64 " more", f->r.damage_count - n);
}

static void rows_lanes(page *p, const info *in)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX];
    const gl_reader_info *l = in->lanes;
    row(p, "kind", "golanes trace file, version %u.%u", l->version_major, l->version_minor);
    rows_source(p, in->facts);
    rows_processes(p, cli_source_reader(in->source));
    rows_time(p, in);
    row(p, "events", "%s in %s chunks", gl_unit_count(a, l->events), gl_unit_count(b, l->event_chunks));
    if (in->whole) {
        row(p, "goroutines", "at most %s at once", gl_unit_count(a, in->whole->goroutines_max));
        row(p, "stop-the-world", "%s in all, the longest %s", gl_unit_ns(a, (int64_t)in->whole->stw_ns),
            gl_unit_ns(b, (int64_t)in->whole->stw_max_ns));
    }
    row(p, "size", "%s%s", gl_unit_bytes(a, l->file_bytes), l->indexed ? "" : ", without an index");
    row_part(p, "  events", l->bytes_events, l->file_bytes);
    row_part(p, "  tables", l->bytes_tables, l->file_bytes);
    row_part(p, "  keyframes", l->bytes_keyframes, l->file_bytes);
    row_part(p, "  summaries", l->bytes_summaries, l->file_bytes);
    row_part(p, "  index", l->bytes_index, l->file_bytes);
    if (l->events)
        row(p, "  an event", "%.2f bytes", (double)l->file_bytes / (double)l->events);
    if (in->facts->r.bytes_total)
        row(p, "  of the source", "%s", gl_unit_share(a, (double)l->file_bytes / (double)in->facts->r.bytes_total));
    if (l->unknown_chunks)
        row(p, "newer", "%" PRIu64 " chunks of a kind that this version does not know, left alone", l->unknown_chunks);
    rows_damage(p, in->facts, in->by_type[GL_EV_Lost]);
}

static int add_types(const info *in, size_t width, gl_text *out)
{
    static const gl_column columns[] = {{.title = "EVENT"}, {.title = "COUNT", .align = GL_ALIGN_RIGHT},
                                        {.title = "SHARE", .align = GL_ALIGN_RIGHT, .drop = 1}};
    gl_table *t = gl_table_new(columns, 3);
    int rc = t ? 0 : GL_E_NOMEM;
    for (unsigned type = 0; rc == 0 && type < GL_EV_LIMIT; type++) {
        char count[GL_UNIT_TEXT_MAX], share[GL_UNIT_TEXT_MAX], unknown[24];
        const gl_event_info *known = gl_event_lookup(type);
        snprintf(unknown, sizeof unknown, "Event%u", type);
        if (in->by_type[type])
            rc = gl_table_row(t, (const char *const[]){known ? known->name : unknown, gl_unit_count(count, in->by_type[type]),
                                                       gl_unit_share(share, (double)in->by_type[type] / (double)in->whole->events)});
    }
    if (rc == 0) {
        gl_text_str(out, "\n");
        gl_table_write(t, width, 2, out);
    }
    gl_table_destroy(t);
    return rc;
}

static int print_text(const info *in, size_t width, gl_text *out)
{
    static const gl_column columns[] = {{.title = NULL}, {.title = NULL, .cut = GL_CUT_MIDDLE, .shrink_to = 20}};
    page p = {.table = gl_table_new(columns, 2)};
    if (!p.table)
        return GL_E_NOMEM;
    gl_text_fit(out, in->name, strlen(in->name), width, GL_CUT_MIDDLE);
    gl_text_str(out, "\n");
    if (in->lanes)
        rows_lanes(&p, in);
    else
        rows_gotrace(&p, in);
    gl_table_write(p.table, width, 2, out);
    gl_table_destroy(p.table);
    int rc = p.failed || out->failed ? GL_E_NOMEM : 0;
    if (rc == 0 && in->whole && in->whole->events)
        rc = add_types(in, width, out);
    return rc;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void json_gotrace(const info *in, cli_json *j)
{
    const gl_gotrace_glance *g = &in->glance;
    cli_json_open(j, "gotrace", '{');
    cli_json_uint(j, "header_version", g->header_version);
    cli_json_uint(j, "bytes_walked", g->bytes_walked);
    cli_json_uint(j, "batches", g->batches);
    cli_json_uint(j, "parts", g->parts);
    cli_json_uint(j, "threads", g->threads);
    cli_json_bool(j, "ends_well", g->ends_well);
    cli_json_real(j, "ticks_per_second", g->ticks_per_second);
    cli_json_uint(j, "events_estimate", g->events_estimate);
    cli_json_close(j, '}');
}

static void json_lanes(const info *in, cli_json *j)
{
    const gl_reader_info *l = in->lanes;
    cli_json_open(j, "lanes", '{');
    cli_json_uint(j, "version_major", l->version_major);
    cli_json_uint(j, "version_minor", l->version_minor);
    cli_json_bool(j, "indexed", l->indexed);
    cli_json_bool(j, "cut", l->cut);
    cli_json_uint(j, "usable_bytes", l->usable_bytes);
    cli_json_uint(j, "chunks", l->chunks);
    cli_json_uint(j, "event_chunks", l->event_chunks);
    cli_json_uint(j, "unknown_chunks", l->unknown_chunks);
    cli_json_uint(j, "damaged_chunks", l->damaged_chunks);
    cli_json_uint(j, "bytes_events", l->bytes_events);
    cli_json_uint(j, "bytes_tables", l->bytes_tables);
    cli_json_uint(j, "bytes_keyframes", l->bytes_keyframes);
    cli_json_uint(j, "bytes_summaries", l->bytes_summaries);
    cli_json_uint(j, "bytes_index", l->bytes_index);
    cli_json_close(j, '}');
}

static void json_meta(gl_reader *r, cli_json *j)
{
    const char *key, *value;
    cli_json_open(j, "meta", '{');
    for (size_t i = 0; gl_reader_meta_at(r, i, &key, &value) == 0; i++)
        cli_json_str(j, key, value);
    cli_json_close(j, '}');
}

static void json_types(const info *in, cli_json *j)
{
    cli_json_open(j, "by_type", '{');
    for (unsigned type = 0; type < GL_EV_LIMIT; type++) {
        char unknown[24];
        const gl_event_info *known = gl_event_lookup(type);
        snprintf(unknown, sizeof unknown, "Event%u", type);
        if (in->by_type[type])
            cli_json_uint(j, known ? known->name : unknown, in->by_type[type]);
    }
    cli_json_close(j, '}');
}

static bool print_json(const info *in, FILE *out)
{
    cli_json j;
    cli_json_init(&j, out);
    cli_json_open(&j, NULL, '{');
    cli_json_str(&j, "file", in->name);
    cli_json_str(&j, "kind", in->lanes ? "lanes" : "gotrace");
    cli_json_str(&j, "packing", cli_source_packing(in->source));
    cli_json_uint(&j, "bytes", cli_source_bytes(in->source));
    cli_json_str(&j, "go_versions", in->facts->go_version);
    if (in->span_ns >= 0)
        cli_json_int(&j, "span_ns", in->span_ns);
    if (in->wall_unix_ns)
        cli_json_int(&j, "wall_unix_ns", in->wall_unix_ns);
    cli_json_bool(&j, "sound", in->sound);
    if (in->lanes) {
        cli_json_uint(&j, "events", in->lanes->events);
        if (in->whole) {
            cli_json_uint(&j, "goroutines_max", in->whole->goroutines_max);
            json_types(in, &j);
        }
        json_lanes(in, &j);
        cli_json_open(&j, "missing", '{');
        cli_facts_json(in->facts, &j);
        cli_json_close(&j, '}');
        json_meta(cli_source_reader(in->source), &j);
    } else {
        json_gotrace(in, &j);
    }
    cli_json_close(&j, '}');
    return cli_json_finish(&j);
}

static int print(const info *in, const cli_args *args)
{
    static cli_out out;
    cli_out_init(&out, STDOUT_FILENO);
    if (cli_args_has(args, CLI_OPT_JSON)) {
        FILE *stream = cli_out_stream(&out);
        bool whole = stream && print_json(in, stream);
        if (stream)
            fclose(stream);
        if (!whole && cli_out_open(&out)) {
            cli_say("no memory");
            return CLI_EXIT_SYSTEM;
        }
        return cli_out_finish(&out);
    }
    gl_text text = {0};
    size_t width = (size_t)cli_args_number(args, CLI_OPT_WIDTH, gl_text_terminal_width(STDOUT_FILENO, 100));
    int rc = print_text(in, width, &text);
    if (rc == 0 && !text.failed)
        cli_out_add(&out, text.bytes, text.n);
    else
        cli_say("no memory");
    bool failed = rc < 0 || text.failed;
    gl_text_clean_up(&text);
    return failed ? CLI_EXIT_SYSTEM : cli_out_finish(&out);
}

static int run_info(const cli_args *args)
{
    gl_error err = {0};
    info in = {.span_ns = -1};
    cli_source_options o = cli_source_options_of(args);
    int rc = cli_source_open(args->operands[0], &o, &in.source, &err);
    if (rc < 0)
        return cli_failed(rc, &err);
    in.name = cli_source_name(in.source);
    in.facts = cli_source_facts(in.source);
    if (cli_source_reader(in.source))
        gather_lanes(&in);
    else
        rc = gather_gotrace(&in, &err);
    int code = rc < 0 ? cli_failed(rc, &err) : print(&in, args);
    if (code == CLI_EXIT_DONE && !in.sound && cli_args_has(args, CLI_OPT_STRICT))
        code = CLI_EXIT_DAMAGED;
    free(in.whole);
    cli_source_close(in.source);
    return code;
}

const cli_command cli_command_info = {
    .name = "info", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_info,
    .brief = "what a file is, without reading all of it",
    .description = "Prints what kind of file it is, the Go version, the length of the trace, when it was taken, events by "
                   "name, sizes of the parts, and what is missing or damaged. Of a .lanes file only the index is read; of a "
                   "Go trace only the headers of its batches, so that figures which that cannot tell are left out or "
                   "marked as estimates.",
    CLI_OPTIONS(CLI_OPT_JSON, CLI_OPT_WIDTH, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
    .examples = {{"golanes info big.trace", "What is in this file?"},
                 {"golanes info --strict --quiet run.lanes", "Succeeds only where nothing is missing."}},
};
