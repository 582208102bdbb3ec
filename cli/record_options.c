/* What the options of "golanes record" say of files, sizes and triggers. */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOLDOWN_DEFAULT INT64_C(10000000000)
#define LIMIT_DEFAULT 10
#define KEEP_LEAST (UINT64_C(1) << 20)

bool cli_size_parse(const char *text, uint64_t *bytes)
{
    static const struct {
        const char *unit;
        unsigned shift;
        double times;
    } units[] = {{"", 0, 1},      {"B", 0, 1},      {"K", 10, 0},   {"M", 20, 0},   {"G", 30, 0},   {"T", 40, 0},
                 {"KiB", 10, 0},  {"MiB", 20, 0},   {"GiB", 30, 0}, {"TiB", 40, 0}, {"kB", 0, 1e3}, {"KB", 0, 1e3},
                 {"MB", 0, 1e6},  {"GB", 0, 1e9},   {"TB", 0, 1e12}};
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    double value = strtod(text, &end);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(end, units[i].unit) != 0)
            continue;
        double times = units[i].times > 0 ? units[i].times : (double)(UINT64_C(1) << units[i].shift);
        if (value * times > 9e18)
            return false;
        *bytes = (uint64_t)(value * times);
        return true;
    }
    return false;
}

/** "30s", "64MiB", or both with a comma between them. */
static int parse_past(const cli_args *args, const char *text, cli_record_plan *out)
{
    char words[128], *save = NULL;
    if ((size_t)snprintf(words, sizeof words, "%s", text) >= sizeof words)
        return cli_usage_error(args->command, "--flight: '%.60s' is too long", text);
    bool any = false;
    for (char *word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        uint64_t bytes;
        int64_t ns;
        bool is_time = cli_time_parse(word, &ns) && strcmp(word, "0") != 0;
        if (is_time && ns > 0)
            out->keep_ns = ns;
        else if (cli_size_parse(word, &bytes) && bytes >= KEEP_LEAST)
            out->keep_bytes = bytes;
        else
            return cli_usage_error(args->command, "--flight: '%.60s' is neither a time, such as 30s, nor a size of 1MiB or more",
                                   word);
        any = true;
    }
    return any ? 0 : cli_usage_error(args->command, "--flight: the value is empty");
}

/** Under the line with the mistake: the expression, and a mark where it is wrong. */
static int wrong_trigger(const cli_args *args, const char *text, size_t at, const gl_error *err)
{
    int rc = cli_usage_error(args->command, "--trigger: %s", err->text);
    fprintf(stderr, "    %s\n    %*s^\n", text, (int)at, "");
    return rc;
}

static int parse_triggers(const cli_args *args, cli_record_plan *out)
{
    for (size_t i = 0; i < args->given_count; i++) {
        gl_error err = {0};
        size_t at;
        if (args->given[i].id != CLI_OPT_TRIGGER)
            continue;
        if (out->trigger_count == CLI_RECORD_TRIGGERS_MAX)
            return cli_usage_error(args->command, "--trigger: at most %d can be given", CLI_RECORD_TRIGGERS_MAX);
        int status = gl_trigger_parse(args->given[i].text, &out->triggers[out->trigger_count], &at, &err);
        if (status < 0)
            return wrong_trigger(args, args->given[i].text, at, &err);
        out->trigger_count++;
    }
    return 0;
}

int cli_record_plan_parse(const cli_args *args, cli_record_plan *out)
{
    const char *size = cli_args_text(args, CLI_OPT_MAX_SIZE, NULL), *past = cli_args_text(args, CLI_OPT_FLIGHT, NULL);
    int rc = past ? parse_past(args, past, out) : 0;
    out->flight = past != NULL;
    out->max_files = (unsigned)cli_args_number(args, CLI_OPT_MAX_FILES, 0);
    out->cooldown_ns = (int64_t)cli_args_number(args, CLI_OPT_COOLDOWN, (uint64_t)COOLDOWN_DEFAULT);
    out->limit = (unsigned)cli_args_number(args, CLI_OPT_SNAP_LIMIT, LIMIT_DEFAULT);
    if (rc == 0 && size && (!cli_size_parse(size, &out->max_bytes) || !out->max_bytes))
        rc = cli_usage_error(args->command, "--max-size: '%.60s' is not a size, such as 100MiB", size);
    if (rc == 0 && out->max_files && !size)
        rc = cli_usage_error(args->command, "--max-files: this needs --max-size");
    if (rc == 0 && size && past)
        rc = cli_usage_error(args->command, "--max-size and --flight exclude each other: a flight's size is --flight SIZE");
    if (rc == 0)
        rc = parse_triggers(args, out);
    if (rc == 0 && !past && (out->trigger_count || cli_args_has(args, CLI_OPT_COOLDOWN) || cli_args_has(args, CLI_OPT_SNAP_LIMIT)))
        rc = cli_usage_error(args->command, "--trigger, --cooldown and --limit need --flight");
    return rc;
}

void cli_record_plan_clean_up(cli_record_plan *plan)
{
    for (size_t i = 0; i < plan->trigger_count; i++)
        gl_trigger_free(plan->triggers[i]);
}
