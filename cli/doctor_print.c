#include "doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "golanes/probe_uprobe.h"

typedef struct page {
    gl_table *table;
    bool failed;
} page;

static void row(page *p, const char *left, const char *fmt, ...) GL_PRINTF(3, 4);
static void row(page *p, const char *left, const char *fmt, ...)
{
    char right[800];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(right, sizeof right, fmt, ap);
    va_end(ap);
    p->failed |= gl_table_row(p->table, (const char *const[]){left, right}) < 0;
}

static const char *either(bool is, const char *yes, const char *no)
{
    return is ? yes : no;
}

static const char *sources_text(const gl_golayout *l, char *out, size_t size)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{GL_GOLAYOUT_TYPES, "type metadata"}, {GL_GOLAYOUT_DWARF, "debug information"}, {GL_GOLAYOUT_KNOWN, "known releases"}};
    size_t n = 0, count = 0;
    out[0] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (l->sources & names[i].bit && n < size)
            n += (size_t)snprintf(out + n, size - n, "%s%s", count++ ? ", " : "", names[i].name);
    if (count > 1 && n < size)
        snprintf(out + n, size - n, " (they agree)");
    return out;
}

static void rows_program(page *p, const cli_doctor *d)
{
    const gl_goprog_info *i = gl_goprog_get_info(d->program);
    char sources[160];
    row(p, "version", "%s", i->version);
    if (i->package[0])
        row(p, "package", "%s%s%s%s", i->package, i->module[0] ? " (module " : "", i->module, i->module[0] ? ")" : "");
    row(p, "build", "%s, %s, %s, %s%s%s%s%s", i->build_mode, either(i->dynamic, "dynamic", "static"),
        either(i->symbols, "with symbols", "stripped"), either(i->dwarf, "with debug information", "no debug information"),
        either(i->cgo, ", cgo", ""), either(i->pgo, ", profile-guided (PGO)", ""), either(i->race, ", race detector", ""),
        either(i->msan || i->asan, ", sanitizer", ""));
    char a[GL_UNIT_TEXT_MAX];
    row(p, "functions", "%s, from 0x%" PRIx64 " to 0x%" PRIx64, gl_unit_count(a, i->functions), i->text, i->text_end);
    if (d->has_layout)
        row(p, "field offsets", "%s", sources_text(&d->layout, sources, sizeof sources));
    if (d->plan)
        row(p, "goroutines", "%s", d->vars.allgs ? "those alive at the start will be listed" : "those alive at the start can't be listed");
}

static void rows_process(page *p, const cli_doctor *d)
{
    char a[GL_UNIT_TEXT_MAX];
    row(p, "process", "%d, %s thread%s, user %u", d->pid, gl_unit_count(a, d->process.thread_count),
        d->process.thread_count == 1 ? "" : "s", d->process.uid);
    row(p, "tracing", "%s%s", d->process.may_trace ? "allowed" : "not allowed",
        d->process.tracer ? ", but another process traces it" : "");
    if (d->process.ptrace_scope >= 0)
        row(p, "Yama", "kernel.yama.ptrace_scope is %d", d->process.ptrace_scope);
    row(p, "seccomp", "%s", d->process.seccomp == 0 ? "none" : d->process.seccomp == 2 ? "a filter" : "strict");
    if (d->live)
        row(p, "memory", "that of the file%s; the runtime's structures make sense", d->bias ? ", moved" : "");
}

static void rows_host(page *p, const cli_doctor *d)
{
    gl_error err = {0};
    bool available = gl_probe_uprobe_available(&err) == 0;
    row(p, "--backend uprobe", "%s", available ? "can be used here" : err.text);
    if (available)
        row(p, "", "%s; %s", gl_probe_uprobe_cost, gl_probe_uprobe_limits);
    row(p, "clock", "%s; the processor's counter %s", d->clock.source,
        d->clock.constant && d->clock.nonstop ? "keeps its rate and never stops" : "may change its rate or stop");
}

/* Events */

typedef struct event_list {
    gl_text *out;
    page *missing;
    size_t width, column, seen, gone;
} event_list;

static void add_seen(void *user, const char *event, const char *objection)
{
    event_list *l = user;
    if (objection) {
        l->gone++;
        return;
    }
    size_t n = strlen(event);
    if (l->column == 0 || l->column + 1 + n > l->width) {
        gl_text_str(l->out, l->column ? "\n  " : "  ");
        l->column = 2;
    } else {
        gl_text_str(l->out, " ");
        l->column++;
    }
    gl_text_str(l->out, event);
    l->column += n;
    l->seen++;
}

static void add_missing(void *user, const char *event, const char *objection)
{
    event_list *l = user;
    if (objection)
        row(l->missing, event, "%s", objection);
}

static int events_text(const cli_doctor *d, size_t width, gl_text *out)
{
    static const gl_column columns[] = {{.title = NULL}, {.title = NULL}};
    event_list l = {.out = out, .width = width < 40 ? 40 : width};
    gl_text_str(out, "\nevents that will be seen\n");
    cli_doctor_events(d, add_seen, &l);
    gl_text_str(out, l.seen ? "\n" : "  none\n");
    if (!l.gone)
        return 0;
    page p = {.table = gl_table_new(columns, 2)};
    if (!p.table)
        return GL_E_NOMEM;
    l.missing = &p;
    cli_doctor_events(d, add_missing, &l);
    gl_text_str(out, "\nevents that will not be seen, or not all\n");
    gl_table_write(p.table, 0, 2, out);
    gl_table_destroy(p.table);
    return p.failed ? GL_E_NOMEM : 0;
}

int cli_doctor_text(const cli_doctor *d, size_t width, gl_text *out)
{
    static const gl_column columns[] = {{.title = NULL}, {.title = NULL, .cut = GL_CUT_MIDDLE, .shrink_to = 20}};
    page p = {.table = gl_table_new(columns, 2)};
    if (!p.table)
        return GL_E_NOMEM;
    const char *title = d->program ? gl_goprog_get_info(d->program)->path : d->name;
    gl_text_fit(out, title, strlen(title), width, GL_CUT_MIDDLE);
    gl_text_str(out, "\n");
    if (d->program)
        rows_program(&p, d);
    if (d->pid)
        rows_process(&p, d);
    rows_host(&p, d);
    gl_table_write(p.table, width, 2, out);
    gl_table_destroy(p.table);
    int rc = p.failed ? GL_E_NOMEM : 0;
    if (rc == 0 && d->plan)
        rc = events_text(d, width, out);
    if (d->note[0])
        gl_text_printf(out, "\nnote: %s\n", d->note);
    if (d->refused[0])
        gl_text_printf(out, "\ncan't be recorded: %s\n", d->refused);
    else
        gl_text_str(out, "\ncan be recorded\n");
    return rc;
}

/* JSON */

static const char *refusal_word(gl_goprog_refusal r)
{
    static const char *const words[] = {[GL_GOPROG_READABLE] = NULL,
                                        [GL_GOPROG_NOT_ELF] = "not_elf",
                                        [GL_GOPROG_NOT_PROGRAM] = "not_program",
                                        [GL_GOPROG_ARCHITECTURE] = "architecture",
                                        [GL_GOPROG_NOT_GO] = "not_go",
                                        [GL_GOPROG_TOO_OLD] = "too_old",
                                        [GL_GOPROG_GARBLED] = "garbled",
                                        [GL_GOPROG_PLUGIN] = "plugin"};
    return words[r];
}

static void json_program(const cli_doctor *d, cli_json *j)
{
    const gl_goprog_info *i = gl_goprog_get_info(d->program);
    cli_json_open(j, "program", '{');
    cli_json_str(j, "path", i->path);
    cli_json_str(j, "version", i->version);
    cli_json_str(j, "package", i->package);
    cli_json_str(j, "module", i->module);
    cli_json_str(j, "build_mode", i->build_mode);
    const struct {
        const char *key;
        bool value;
    } facts[] = {{"pie", i->pie}, {"dynamic", i->dynamic}, {"symbols", i->symbols}, {"dwarf", i->dwarf}, {"cgo", i->cgo},
                 {"pgo", i->pgo}, {"race", i->race}, {"msan", i->msan}, {"asan", i->asan}, {"privileged", i->privileged}};
    for (size_t k = 0; k < sizeof facts / sizeof *facts; k++)
        cli_json_bool(j, facts[k].key, facts[k].value);
    cli_json_uint(j, "functions", i->functions);
    cli_json_uint(j, "text", i->text);
    cli_json_uint(j, "text_end", i->text_end);
    cli_json_close(j, '}');
}

static void json_layout(const cli_doctor *d, cli_json *j)
{
    char key[64];
    cli_json_open(j, "offsets", '{');
    cli_json_open(j, "sources", '[');
    if (d->layout.sources & GL_GOLAYOUT_TYPES)
        cli_json_str(j, NULL, "types");
    if (d->layout.sources & GL_GOLAYOUT_DWARF)
        cli_json_str(j, NULL, "dwarf");
    if (d->layout.sources & GL_GOLAYOUT_KNOWN)
        cli_json_str(j, NULL, "known");
    cli_json_close(j, ']');
    for (size_t i = 0; i < gl_gofield_count; i++) {
        snprintf(key, sizeof key, "%s.%s", gl_gofields[i].structure, gl_gofields[i].name);
        int32_t v = gl_golayout_field(&d->layout, &gl_gofields[i]);
        if (v < 0)
            cli_json_null(j, key);
        else
            cli_json_int(j, key, v);
    }
    cli_json_close(j, '}');
}

static void json_process(const cli_doctor *d, cli_json *j)
{
    cli_json_open(j, "process", '{');
    cli_json_int(j, "pid", d->pid);
    cli_json_uint(j, "threads", d->process.thread_count);
    cli_json_uint(j, "uid", d->process.uid);
    cli_json_bool(j, "may_trace", d->process.may_trace);
    cli_json_int(j, "tracer", d->process.tracer);
    cli_json_int(j, "seccomp", d->process.seccomp);
    if (d->process.ptrace_scope < 0)
        cli_json_null(j, "ptrace_scope");
    else
        cli_json_int(j, "ptrace_scope", d->process.ptrace_scope);
    cli_json_bool(j, "memory_checked", d->live);
    cli_json_uint(j, "bias", d->bias);
    cli_json_close(j, '}');
}

static void json_event(void *user, const char *event, const char *objection)
{
    cli_json *j = user;
    cli_json_open(j, NULL, '{');
    cli_json_str(j, "event", event);
    cli_json_bool(j, "seen", objection == NULL);
    if (objection)
        cli_json_str(j, "why", objection);
    cli_json_close(j, '}');
}

static void json_probes(const cli_doctor *d, cli_json *j)
{
    cli_json_open(j, "probes", '[');
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++) {
        const gl_goprobe_state *s = &d->plan->probes[i];
        if (!s->applies)
            continue;
        cli_json_open(j, NULL, '{');
        cli_json_str(j, "probe", gl_goprobes[i].name);
        cli_json_str(j, "function", gl_goprobes[i].function);
        cli_json_bool(j, "works", s->works);
        cli_json_bool(j, "needed", gl_goprobes[i].needed);
        cli_json_uint(j, "sites", s->sites);
        cli_json_uint(j, "hookable", s->hookable);
        cli_json_uint(j, "inlined", s->inlined);
        if (s->why[0])
            cli_json_str(j, "why", s->why);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

void cli_doctor_json(const cli_doctor *d, cli_json *j)
{
    cli_json_open(j, NULL, '{');
    cli_json_str(j, "name", d->name);
    cli_json_bool(j, "recordable", d->refused[0] == 0);
    if (d->refused[0])
        cli_json_str(j, "why", d->refused);
    if (refusal_word(d->refusal))
        cli_json_str(j, "refusal", refusal_word(d->refusal));
    if (d->note[0])
        cli_json_str(j, "note", d->note);
    if (d->program)
        json_program(d, j);
    if (d->has_layout)
        json_layout(d, j);
    if (d->pid)
        json_process(d, j);
    gl_error err = {0};
    bool available = gl_probe_uprobe_available(&err) == 0;
    cli_json_open(j, "uprobe", '{');
    cli_json_bool(j, "available", available);
    if (!available)
        cli_json_str(j, "why", err.text);
    cli_json_close(j, '}');
    cli_json_open(j, "clock", '{');
    cli_json_str(j, "source", d->clock.source);
    cli_json_bool(j, "constant_tsc", d->clock.constant);
    cli_json_bool(j, "nonstop_tsc", d->clock.nonstop);
    cli_json_close(j, '}');
    if (d->plan) {
        cli_json_open(j, "events", '[');
        cli_doctor_events(d, json_event, j);
        cli_json_close(j, ']');
        json_probes(d, j);
    }
    cli_json_close(j, '}');
}
