/* Tables whose rows are spans: states, pauses, regions, tasks; and those of the program's log and of stacks. */
#include "tables.h"

/* ---- states --------------------------------------------------------------------------------------------------------- */

enum { S_G, S_GROUP, S_STATE, S_REASON, S_BEGIN, S_END, S_LENGTH, S_P, S_M, S_BY, S_OPEN_BEGIN, S_OPEN_END, S_STACK, S_FUNC, S_FILE,
       S_LINE };
static const char *const span_columns[] = {"g", "group_func", "state", "reason", "begin_ns", "end_ns", "duration_ns", "p", "m",
                                           "released_by", "open_begin", "open_end", "stack", "func", "file", "line", NULL};

static void put_times(ex_tables *t, unsigned column, const ex_span *s)
{
    ex_put_i64(t, column, s->begin);
    ex_put_i64(t, column + 1, s->end);
    ex_put_i64(t, column + 2, s->end - s->begin);
}

static void put_group(ex_tables *t, unsigned column, uint64_t g)
{
    const ex_goroutine *live = ex_spans_goroutine(t->spans, g);
    if (live)
        ex_put_string(t, column, live->name);
}

static int on_span(void *user, const ex_span *s)
{
    ex_tables *t = user;
    if (s->kind != EX_STATE)
        return 0;
    ex_put_u64(t, S_G, s->g);
    put_group(t, S_GROUP, s->g);
    ex_put_str(t, S_STATE, gl_gstate_name(s->state));
    ex_put_string(t, S_REASON, s->name);
    put_times(t, S_BEGIN, s);
    if (s->p != GL_NO_PROC)
        ex_put_u64(t, S_P, s->p);
    if (s->thread != GL_NO_THREAD)
        ex_put_u64(t, S_M, gl_dict_get_thread(t->dict, s->thread).tid);
    if (s->waker)
        ex_put_u64(t, S_BY, s->waker);
    ex_put_bool(t, S_OPEN_BEGIN, s->open_begin);
    ex_put_bool(t, S_OPEN_END, s->open_end);
    if (s->stack)
        ex_put_u64(t, S_STACK, s->stack);
    ex_put_site(t, S_FUNC, s->stack);
    return ex_row(t);
}

const ex_table ex_table_spans = {
    .choice = {"spans", "each stretch of a goroutine's life in one state, with who ended a wait"}, .columns = span_columns,
    .listener = {.end = on_span}};

/* ---- pauses --------------------------------------------------------------------------------------------------------- */

enum { P_KIND, P_REASON, P_GC, P_G, P_BEGIN, P_END, P_LENGTH, P_OPEN_BEGIN, P_OPEN_END, P_FUNC, P_FILE, P_LINE };
static const char *const pause_columns[] = {"kind", "reason", "gc", "g", "begin_ns", "end_ns", "duration_ns", "open_begin",
                                            "open_end", "func", "file", "line", NULL};

static int on_pause(void *user, const ex_span *s)
{
    ex_tables *t = user;
    if (s->kind != EX_GC && s->kind != EX_STW)
        return 0;
    ex_put_str(t, P_KIND, s->kind == EX_GC ? "mark" : "stw");
    if (s->kind == EX_STW)
        ex_put_string(t, P_REASON, s->name);
    ex_put_bool(t, P_GC, s->kind == EX_GC || s->gc);
    if (s->g)
        ex_put_u64(t, P_G, s->g);
    put_times(t, P_BEGIN, s);
    ex_put_bool(t, P_OPEN_BEGIN, s->open_begin);
    ex_put_bool(t, P_OPEN_END, s->open_end);
    ex_put_site(t, P_FUNC, s->stack);
    return ex_row(t);
}

const ex_table ex_table_pauses = {
    .choice = {"pauses", "each stop-the-world pause and each concurrent mark phase"}, .columns = pause_columns,
    .listener = {.end = on_pause}};

/* ---- what the program says ------------------------------------------------------------------------------------------ */

enum { R_NAME, R_G, R_GROUP, R_TASK, R_BEGIN, R_END, R_LENGTH, R_OPEN_BEGIN, R_OPEN_END };
static const char *const region_columns[] = {"name", "g", "group_func", "task", "begin_ns", "end_ns", "duration_ns", "open_begin",
                                             "open_end", NULL};

static int on_region(void *user, const ex_span *s)
{
    ex_tables *t = user;
    if (s->kind != EX_REGION)
        return 0;
    ex_put_string(t, R_NAME, s->name);
    ex_put_u64(t, R_G, s->g);
    put_group(t, R_GROUP, s->g);
    ex_put_u64(t, R_TASK, s->task);
    put_times(t, R_BEGIN, s);
    ex_put_bool(t, R_OPEN_BEGIN, s->open_begin);
    ex_put_bool(t, R_OPEN_END, s->open_end);
    return ex_row(t);
}

const ex_table ex_table_regions = {.choice = {"regions", "each region of runtime/trace"}, .columns = region_columns,
                                   .listener = {.end = on_region}};

enum { T_TASK, T_PARENT, T_NAME, T_G, T_BEGIN, T_END, T_LENGTH, T_OPEN_BEGIN, T_OPEN_END };
static const char *const task_columns[] = {"task", "parent", "name", "g", "begin_ns", "end_ns", "duration_ns", "open_begin",
                                           "open_end", NULL};

static int on_task(void *user, const ex_span *s)
{
    ex_tables *t = user;
    if (s->kind != EX_TASK)
        return 0;
    ex_put_u64(t, T_TASK, s->task);
    if (s->parent)
        ex_put_u64(t, T_PARENT, s->parent);
    ex_put_string(t, T_NAME, s->name);
    if (s->g)
        ex_put_u64(t, T_G, s->g);
    put_times(t, T_BEGIN, s);
    ex_put_bool(t, T_OPEN_BEGIN, s->open_begin);
    ex_put_bool(t, T_OPEN_END, s->open_end);
    return ex_row(t);
}

const ex_table ex_table_tasks = {.choice = {"tasks", "each task of runtime/trace"}, .columns = task_columns,
                                 .listener = {.end = on_task}};

enum { L_TIME, L_G, L_TASK, L_CATEGORY, L_MESSAGE, L_FUNC, L_FILE, L_LINE };
static const char *const log_columns[] = {"time_ns", "g", "task", "category", "message", "func", "file", "line", NULL};

static int on_log(void *user, const gl_event *ev, int64_t time)
{
    ex_tables *t = user;
    if (ev->type != GL_EV_UserLog)
        return 0;
    ex_put_i64(t, L_TIME, time);
    if (ev->g)
        ex_put_u64(t, L_G, ev->g);
    ex_put_u64(t, L_TASK, ev->arg[0]);
    ex_put_string(t, L_CATEGORY, ev->arg[1]);
    ex_put_string(t, L_MESSAGE, ev->arg[2]);
    ex_put_site(t, L_FUNC, ev->stack);
    return ex_row(t);
}

const ex_table ex_table_logs = {.choice = {"logs", "each message of runtime/trace"}, .columns = log_columns,
                                .listener = {.mark = on_log}};

/* ---- stacks --------------------------------------------------------------------------------------------------------- */

enum { K_STACK, K_DEPTH, K_FUNC, K_FILE, K_LINE, K_PC };
static const char *const stack_columns[] = {"stack", "depth", "func", "file", "line", "pc", NULL};

static int nothing(ex_tables *t, const gl_event *ev)
{
    (void)t;
    (void)ev;
    return 0;
}

static int stack_rows(ex_tables *t)
{
    int status = 0;
    for (uint32_t id = 1; id < gl_dict_stack_count(t->dict) && status == 0; id++) {
        size_t n;
        const uint32_t *frames = gl_dict_get_stack(t->dict, id, &n);
        for (size_t i = 0; i < n && status == 0; i++) {
            gl_frame f = gl_dict_get_frame(t->dict, frames[i]);
            gl_func func = gl_dict_get_func(t->dict, f.func);
            ex_put_u64(t, K_STACK, id);
            ex_put_u64(t, K_DEPTH, i);
            ex_put_string(t, K_FUNC, func.name);
            ex_put_string(t, K_FILE, func.file);
            if (f.line)
                ex_put_u64(t, K_LINE, f.line);
            if (f.pc)
                ex_put_hex(t, K_PC, f.pc);
            status = ex_row(t);
        }
    }
    return status;
}

const ex_table ex_table_stacks = {
    .choice = {"stacks", "each frame of each stack that the column stack of other tables refers to, depth 0 innermost"},
    .columns = stack_columns, .take = nothing, .finish = stack_rows};
