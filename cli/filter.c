#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "out.h"

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int take_goroutines(cli_filter *f, const cli_args *args)
{
    f->goroutines = calloc(args->given_count + 1, sizeof *f->goroutines);
    if (!f->goroutines) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].id == CLI_OPT_GOROUTINE)
            f->goroutines[f->goroutine_count++] = args->given[i].number;
    qsort(f->goroutines, f->goroutine_count, sizeof *f->goroutines, compare_u64);
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        for (unsigned i = 0; info && i < info->arg_count; i++)
            f->names[code] |= (uint8_t)((info->args[i].kind == GL_KIND_GOROUTINE) << i);
    }
    return 0;
}

static int take_types(cli_filter *f, const cli_args *args)
{
    for (size_t i = 0; i < args->given_count; i++) {
        char why[400];
        if (args->given[i].id == CLI_OPT_TYPE && cli_types_add(&f->types, args->given[i].text, why, sizeof why) < 0)
            return cli_usage_error(args->command, "--type: %s", why);
    }
    for (unsigned code = 1; code < GL_EV_LIMIT; code++)
        if (f->types.has[code])
            f->type_list[f->type_count++] = (uint16_t)code;
    return 0;
}

static int take_pattern(cli_filter *f, const cli_args *args)
{
    const char *regex = cli_args_text(args, CLI_OPT_GREP, NULL);
    char why[300];
    if (!regex)
        return 0;
    f->pattern =
        gl_pattern_new(regex, cli_args_has(args, CLI_OPT_IGNORE_CASE) ? GL_PATTERN_IGNORE_CASE : 0, why, sizeof why);
    return f->pattern ? 0 : cli_usage_error(args->command, "--grep: %s", why);
}

static int take_query(cli_filter *f, const cli_args *args)
{
    const char *where = cli_args_text(args, CLI_OPT_WHERE, NULL);
    gl_query_error err;
    if (!where)
        return 0;
    f->query = gl_query_new(where, &err);
    if (f->query)
        return 0;
    /* The place in the expression, with a few words of what stands there. */
    const char *rest = where + err.at;
    cli_usage_error(args->command, "--where: at character %zu%s%.24s%s: %s", err.at + 1, *rest ? ", '" : "", rest,
                    *rest ? "'" : " (its end)", err.text);
    return cli_point_at(where, err.at, 1);
}

int cli_filter_init(cli_filter *f, const cli_args *args)
{
    *f = (cli_filter){.from = (int64_t)cli_args_number(args, CLI_OPT_FROM, 0),
                      .to = (int64_t)cli_args_number(args, CLI_OPT_TO, INT64_MAX),
                      .limit = cli_args_number(args, CLI_OPT_LIMIT, UINT64_MAX)};
    if (f->from >= f->to)
        return cli_usage_error(args->command, "--from is not before --to");
    if (!cli_args_has(args, CLI_OPT_FROM))
        f->from = INT64_MIN;
    int rc = take_goroutines(f, args);
    if (rc == 0)
        rc = take_types(f, args);
    if (rc == 0)
        rc = take_pattern(f, args);
    if (rc == 0)
        rc = take_query(f, args);
    if (rc)
        cli_filter_clean_up(f);
    return rc;
}

void cli_filter_clean_up(cli_filter *f)
{
    free(f->goroutines);
    gl_pattern_destroy(f->pattern);
    gl_query_destroy(f->query);
    f->query = NULL;
    f->goroutines = NULL;
    f->pattern = NULL;
}

static bool is_wanted(const cli_filter *f, uint64_t g)
{
    if (f->goroutine_count == 1) /* mostly, and asked of every event */
        return f->goroutines[0] == g;
    return bsearch(&g, f->goroutines, f->goroutine_count, sizeof g, compare_u64) != NULL;
}

static bool names_goroutine(const cli_filter *f, const gl_event *ev)
{
    if (is_wanted(f, ev->g))
        return true;
    unsigned names = ev->type < GL_EV_LIMIT ? f->names[ev->type] : 0;
    for (unsigned i = 0; names >> i; i++)
        if ((names >> i & 1) && is_wanted(f, ev->arg[i]))
            return true;
    return false;
}

static bool selected(cli_filter *f, const gl_dict *d, const gl_event *ev)
{
    if (ev->time < f->from || ev->time >= f->to)
        return false;
    if (f->types.some && (ev->type >= GL_EV_LIMIT || !f->types.has[ev->type]))
        return false;
    if (f->goroutine_count && !names_goroutine(f, ev))
        return false;
    return !f->pattern || gl_pattern_texts(f->pattern, d, ev);
}

int cli_filter_keeps(cli_filter *f, const gl_dict *d, const gl_event *ev)
{
    /* The expression is told of every event: what it says of one depends on those before. */
    int meant = f->query && gl_query_needs_past(f->query) ? gl_query_event(f->query, d, ev) : 1;
    if (meant <= 0 || !selected(f, d, ev))
        return meant < 0 ? meant : 0;
    return f->query && !gl_query_needs_past(f->query) ? gl_query_event(f->query, d, ev) : 1;
}

cli_plan cli_filter_plan(const cli_filter *f, unsigned columns)
{
    cli_plan plan = {.from = f->from > 0 ? f->from : 0, .to = f->to == INT64_MAX ? 0 : f->to, .some_columns = true,
                     .columns = columns};
    if (f->goroutine_count)
        plan.columns |= GL_COL_CONTEXT | GL_COL_ARGS;
    if (f->pattern)
        plan.columns |= GL_COL_STACK | GL_COL_ARGS;
    bool past = f->query && gl_query_needs_past(f->query);
    if (f->query)
        plan.columns = GL_COL_ALL;
    if (past)
        plan.from = 0;
    if (f->types.some && !past) {
        plan.types = f->type_list;
        plan.type_count = f->type_count;
    }
    return plan;
}
