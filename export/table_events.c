/*
 * The table of events: beside the columns that every event has, one for each name that an argument has in the
 * vocabulary, so that a new event needs no line here.
 */
#include <string.h>
#include <threads.h>

#include "tables.h"

enum { E_TIME, E_EVENT, E_M, E_P, E_G, E_STACK, E_FUNC, E_FILE, E_LINE, E_FLAGS, E_FIXED };

static const char *columns[EX_COLUMNS_MAX + 1] = {"time_ns", "event", "m", "p", "g", "stack", "func", "file", "line", "flags"};
static unsigned char column_of[GL_EV_LIMIT][GL_EVENT_ARGS_MAX]; /* 0: no room for it */
static once_flag once = ONCE_FLAG_INIT;

/* Names that mean something else in the columns before. */
static const char *column_name(const gl_arg_info *arg)
{
    return strcmp(arg->name, "events") == 0 ? "lost_events" : arg->name;
}

static unsigned column_named(const char *name)
{
    unsigned i = E_FIXED;
    while (columns[i] && strcmp(columns[i], name) != 0)
        i++;
    if (i >= EX_COLUMNS_MAX)
        return 0;
    columns[i] = name;
    return i;
}

static void make_columns(void)
{
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        for (unsigned i = 0; info && i < info->arg_count; i++)
            column_of[code][i] = (unsigned char)column_named(column_name(&info->args[i]));
    }
}

static void prepare(void) { call_once(&once, make_columns); }

static void put_thread(ex_tables *t, unsigned column, uint64_t index)
{
    if (index < GL_NO_THREAD)
        ex_put_u64(t, column, gl_dict_get_thread(t->dict, (uint32_t)index).tid);
}

static const char *word(gl_kind kind, uint64_t v)
{
    static const char *const results[] = {"done", "would block", "closed", "panic"};
    static const char *const directions[] = {"default", "send", "recv"};
    switch (kind) {
    case GL_KIND_GSTATE: return v < GL_G_STATES ? gl_gstate_name((unsigned)v) : "Bad";
    case GL_KIND_PSTATE: return v < GL_P_STATES ? gl_pstate_name((unsigned)v) : "Bad";
    case GL_KIND_CHANRESULT: return v < sizeof results / sizeof *results ? results[v] : "Bad";
    default: return v < sizeof directions / sizeof *directions ? directions[v] : "Bad";
    }
}

static void put_arg(ex_tables *t, unsigned column, gl_kind kind, uint64_t v)
{
    switch (kind) {
    case GL_KIND_NONE: break;
    case GL_KIND_GOROUTINE:
    case GL_KIND_CLOCK:
    case GL_KIND_STACK:
        if (v)
            ex_put_u64(t, column, v);
        break;
    case GL_KIND_PROC:
        if (v != GL_NO_PROC)
            ex_put_u64(t, column, v);
        break;
    case GL_KIND_THREAD: put_thread(t, column, v); break;
    case GL_KIND_CHAN:
        if (v)
            ex_put_hex(t, column, v);
        break;
    case GL_KIND_STRING: ex_put_string(t, column, v); break;
    case GL_KIND_GSTATE:
    case GL_KIND_PSTATE:
    case GL_KIND_CHANRESULT:
    case GL_KIND_CHANDIR: ex_put_str(t, column, word(kind, v)); break;
    case GL_KIND_BOOL: ex_put_bool(t, column, v != 0); break;
    case GL_KIND_TIME: ex_put_i64(t, column, (int64_t)v); break;
    default: ex_put_u64(t, column, v);
    }
}

static void put_flags(ex_tables *t, unsigned flags)
{
    static const char *const names[8] = {NULL, "coroutine", "inferred", "coroutine inferred", "resync", "coroutine resync",
                                         "inferred resync", "coroutine inferred resync"};
    if (names[flags & 7])
        ex_put_str(t, E_FLAGS, names[flags & 7]);
}

static int take(ex_tables *t, const gl_event *ev)
{
    const gl_event_info *info = gl_event_lookup(ev->type);
    char unknown[25] = "Event";
    ex_put_i64(t, E_TIME, ev->time);
    if (info)
        ex_put_str(t, E_EVENT, info->name);
    else
        ex_put_text(t, E_EVENT, unknown, 5 + ex_decimal(ev->type, unknown + 5));
    if (ev->thread != GL_NO_THREAD)
        put_thread(t, E_M, ev->thread);
    if (ev->p != GL_NO_PROC)
        ex_put_u64(t, E_P, ev->p);
    if (ev->g)
        ex_put_u64(t, E_G, ev->g);
    if (ev->stack) {
        ex_put_u64(t, E_STACK, ev->stack);
        ex_put_site(t, E_FUNC, ev->stack);
    }
    put_flags(t, ev->flags);
    for (unsigned i = 0; info && i < info->arg_count; i++)
        if (column_of[info->code][i])
            put_arg(t, column_of[info->code][i], info->args[i].kind, ev->arg[i]);
    return ex_row(t);
}

const ex_table ex_table_events = {
    .choice = {"events", "each event, with a column for each name of an argument"}, .columns = columns, .prepare = prepare,
    .take = take};
