#include "facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define WARNINGS_MAX 8

void cli_say(const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    gl_text safe = {0};
    gl_text_safe(&safe, text, strlen(text));
    fprintf(stderr, "golanes: %s\n", safe.bytes ? safe.bytes : text);
    gl_text_clean_up(&safe);
}

const char *cli_go_versions(unsigned header_version)
{
    static const struct {
        unsigned header;
        const char *versions;
    } known[] = {
        {5, "1.5 or 1.6"}, {7, "1.7"}, {8, "1.8"}, {9, "1.9"}, {10, "1.10"}, {11, "1.11 to 1.18"}, {19, "1.19 or 1.20"},
        {21, "1.21"}, {22, "1.22"}, {23, "1.23 or 1.24"}, {25, "1.25"}, {26, "1.26 or 1.27"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].header == header_version)
            return known[i].versions;
    return "not known";
}

/*
 * Facts as keys and values: one table, so that what is written is what is read. Texts are arrays of `size` bytes.
 */
typedef enum fact_kind { FACT_TEXT, FACT_BOOL, FACT_U32, FACT_U64, FACT_I64, FACT_REAL } fact_kind;
typedef struct fact {
    const char *key;
    fact_kind kind;
    size_t offset, size;
} fact;

#define FACT(key, kind, field) {key, kind, offsetof(cli_facts, field), sizeof(((cli_facts *)0)->field)}
static const fact at_start[] = {
    FACT("source.kind", FACT_TEXT, source_kind),
    FACT("source.name", FACT_TEXT, source_name),
    FACT("source.packing", FACT_TEXT, source_packing),
    FACT("golanes.version", FACT_TEXT, golanes_version),
    FACT("go.version", FACT_TEXT, go_version),
    FACT("go.header_version", FACT_U32, r.header_version),
};
static const fact at_end[] = {
    FACT("import.finished", FACT_BOOL, finished),
    FACT("import.complete", FACT_BOOL, r.complete),
    FACT("import.truncated", FACT_BOOL, r.truncated),
    FACT("import.source_cut", FACT_BOOL, cut),
    FACT("import.source_cut_why", FACT_TEXT, cut_why),
    FACT("import.bytes_total", FACT_U64, r.bytes_total),
    FACT("import.bytes_lost", FACT_U64, r.bytes_lost),
    FACT("import.events", FACT_U64, r.events),
    FACT("import.events_lost", FACT_U64, r.events_lost),
    FACT("import.parts", FACT_U64, r.parts),
    FACT("import.unnamed_parts", FACT_U64, r.unnamed_parts),
    FACT("import.resyncs", FACT_U64, r.resyncs),
    FACT("import.experimental_batches", FACT_U64, r.experimental_batches),
    FACT("import.ticks_per_second", FACT_REAL, r.ticks_per_second),
    FACT("clock.first_abs_ns", FACT_I64, r.first_abs_ns),
    FACT("clock.wall_unix_ns", FACT_I64, r.wall_unix_ns),
    FACT("damage.count", FACT_U64, r.damage_count),
};

#define DAMAGE(key, kind, field) {key, kind, offsetof(gl_damage, field), sizeof(((gl_damage *)0)->field)}
static const fact of_damage[] = {
    DAMAGE("offset", FACT_U64, offset),       DAMAGE("bytes", FACT_U64, bytes),
    DAMAGE("events", FACT_U64, events),       DAMAGE("time_from", FACT_I64, time_from),
    DAMAGE("time_to", FACT_I64, time_to),     DAMAGE("reason", FACT_TEXT, reason),
};

static void fact_format(const fact *f, const void *base, char *out, size_t n)
{
    const char *at = (const char *)base + f->offset;
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    double real;
    switch (f->kind) {
    case FACT_TEXT: snprintf(out, n, "%s", at); break;
    case FACT_BOOL: snprintf(out, n, "%s", *(const bool *)at ? "true" : "false"); break;
    case FACT_U32: memcpy(&u32, at, sizeof u32); snprintf(out, n, "%" PRIu32, u32); break;
    case FACT_U64: memcpy(&u64, at, sizeof u64); snprintf(out, n, "%" PRIu64, u64); break;
    case FACT_I64: memcpy(&i64, at, sizeof i64); snprintf(out, n, "%" PRId64, i64); break;
    case FACT_REAL: memcpy(&real, at, sizeof real); snprintf(out, n, "%.17g", real); break;
    }
}

/* Values come from a file: whatever does not parse becomes 0. */
static void fact_parse(const fact *f, void *base, const char *text)
{
    char *at = (char *)base + f->offset;
    uint64_t u64 = strtoull(text, NULL, 10);
    uint32_t u32 = u64 > UINT32_MAX ? 0 : (uint32_t)u64;
    int64_t i64 = strtoll(text, NULL, 10);
    double real = strtod(text, NULL);
    bool yes = strcmp(text, "true") == 0;
    switch (f->kind) {
    case FACT_TEXT: snprintf(at, f->size, "%s", text); break;
    case FACT_BOOL: memcpy(at, &yes, sizeof yes); break;
    case FACT_U32: memcpy(at, &u32, sizeof u32); break;
    case FACT_U64: memcpy(at, &u64, sizeof u64); break;
    case FACT_I64: memcpy(at, &i64, sizeof i64); break;
    case FACT_REAL: memcpy(at, &real, sizeof real); break;
    }
}

static int put_all(const fact *facts, size_t n, const char *prefix, const void *base, gl_writer *w)
{
    for (size_t i = 0; i < n; i++) {
        char key[64], value[512];
        snprintf(key, sizeof key, "%s%s", prefix, facts[i].key);
        fact_format(&facts[i], base, value, sizeof value);
        if (facts[i].kind == FACT_TEXT && !*value)
            continue;
        int rc = gl_writer_meta(w, key, value);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int cli_facts_put_start(const cli_facts *f, gl_writer *w)
{
    return put_all(at_start, sizeof at_start / sizeof *at_start, "", f, w);
}

static size_t damages_kept(const cli_facts *f)
{
    return f->r.damage_count < GL_GOTRACE_DAMAGES_MAX ? (size_t)f->r.damage_count : GL_GOTRACE_DAMAGES_MAX;
}

int cli_facts_put_end(const cli_facts *f, gl_writer *w)
{
    int rc = put_all(at_end, sizeof at_end / sizeof *at_end, "", f, w);
    for (size_t i = 0; rc == 0 && i < damages_kept(f); i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "damage.%zu.", i);
        rc = put_all(of_damage, sizeof of_damage / sizeof *of_damage, prefix, &f->r.damages[i], w);
    }
    return rc;
}

static void take_all(const fact *facts, size_t n, const char *prefix, void *base, const gl_reader *r)
{
    for (size_t i = 0; i < n; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s%s", prefix, facts[i].key);
        const char *value = gl_reader_meta(r, key);
        if (value)
            fact_parse(&facts[i], base, value);
    }
}

void cli_facts_take(gl_reader *r, cli_facts *out)
{
    memset(out, 0, sizeof *out);
    out->r.first_abs_ns = -1;
    take_all(at_start, sizeof at_start / sizeof *at_start, "", out, r);
    take_all(at_end, sizeof at_end / sizeof *at_end, "", out, r);
    for (size_t i = 0; i < damages_kept(out); i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "damage.%zu.", i);
        take_all(of_damage, sizeof of_damage / sizeof *of_damage, prefix, &out->r.damages[i], r);
    }
    /* Files of other writers have no import, hence nothing of it that could be missing. */
    if (strcmp(out->source_kind, "gotrace") != 0) {
        out->finished = true;
        out->r.complete = true;
    }
    cli_facts_take_damage(r, out);
}

void cli_facts_take_damage(gl_reader *r, cli_facts *out)
{
    const gl_reader_info *info = gl_reader_get_info(r);
    if (info->cut || info->damaged_chunks) {
        out->cut = true;
        if (info->damaged_chunks)
            snprintf(out->cut_why, sizeof out->cut_why,
                     "%" PRIu64 " chunks are damaged and were passed over; golanes repair writes the file anew without them",
                     info->damaged_chunks);
        else
            snprintf(out->cut_why, sizeof out->cut_why,
                     "the file was not finished: %" PRIu64 " bytes after the last whole chunk are not used",
                     info->file_bytes - info->usable_bytes);
    }
}

bool cli_facts_sound(const cli_facts *f)
{
    return f->finished && f->r.complete && !f->cut && f->r.damage_count == 0;
}

static void warn_damage(const gl_damage *d, const char *name)
{
    char lost[96] = "", bytes[GL_UNIT_TEXT_MAX], count[GL_UNIT_TEXT_MAX];
    if (d->bytes && d->events)
        snprintf(lost, sizeof lost, ", %s and %s events passed over", gl_unit_bytes(bytes, d->bytes),
                 gl_unit_count(count, d->events));
    else if (d->bytes)
        snprintf(lost, sizeof lost, ", %s passed over", gl_unit_bytes(bytes, d->bytes));
    else if (d->events)
        snprintf(lost, sizeof lost, ", %s events passed over", gl_unit_count(count, d->events));
    cli_say("warning: %s: at byte %" PRIu64 ": %s%s", name, d->offset, d->reason, lost);
}

void cli_facts_warn(const cli_facts *f, const char *name)
{
    size_t kept = damages_kept(f);
    size_t shown = kept <= WARNINGS_MAX ? kept : WARNINGS_MAX;
    for (size_t i = 0; i < shown; i++)
        warn_damage(&f->r.damages[i], name);
    if (f->r.damage_count > shown)
        cli_say("warning: %s: %" PRIu64 " more places are damaged; golanes info lists them", name,
                f->r.damage_count - shown);
    if (f->cut)
        cli_say("warning: %s: %s", name, f->cut_why);
    if (!f->finished)
        cli_say("warning: %s: its import did not come to an end; the rest of the source is missing", name);
    else if (!f->r.complete && f->r.damage_count == 0)
        cli_say("warning: %s: the trace is not complete", name);
    else if (strcmp(f->source_kind, "gotrace") == 0 && f->r.events == 0 && f->r.damage_count == 0)
        cli_say("warning: %s: the trace holds no events", name);
}

static void damage_json(const gl_damage *d, cli_json *j)
{
    cli_json_open(j, NULL, '{');
    cli_json_uint(j, "offset", d->offset);
    cli_json_uint(j, "bytes", d->bytes);
    cli_json_uint(j, "events", d->events);
    cli_json_int(j, "time_from_ns", d->time_from);
    cli_json_int(j, "time_to_ns", d->time_to);
    cli_json_str(j, "reason", d->reason);
    cli_json_close(j, '}');
}

void cli_facts_json(const cli_facts *f, cli_json *j)
{
    cli_json_bool(j, "complete", cli_facts_sound(f));
    cli_json_bool(j, "finished", f->finished);
    cli_json_bool(j, "truncated", f->r.truncated);
    if (f->cut)
        cli_json_str(j, "cut", f->cut_why);
    else
        cli_json_null(j, "cut");
    cli_json_uint(j, "bytes_lost", f->r.bytes_lost);
    cli_json_uint(j, "events_lost", f->r.events_lost);
    cli_json_uint(j, "resyncs", f->r.resyncs);
    cli_json_uint(j, "unnamed_parts", f->r.unnamed_parts);
    cli_json_uint(j, "damage_count", f->r.damage_count);
    cli_json_open(j, "damages", '[');
    for (size_t i = 0; i < damages_kept(f); i++)
        damage_json(&f->r.damages[i], j);
    cli_json_close(j, ']');
}
