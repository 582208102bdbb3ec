#include "tables.h"

#include <stdlib.h>
#include <string.h>

static const ex_table *const tables[] = {
    &ex_table_events, &ex_table_spans,   &ex_table_goroutines, &ex_table_waits, &ex_table_straddles,
    &ex_table_pauses, &ex_table_regions, &ex_table_tasks,      &ex_table_logs,  &ex_table_stacks};
#define TABLES (sizeof tables / sizeof *tables)

static const ex_table *find(const char *name)
{
    for (size_t i = 0; i < TABLES; i++)
        if (strcmp(tables[i]->choice.name, name) == 0) {
            if (tables[i]->prepare)
                tables[i]->prepare();
            return tables[i];
        }
    return NULL;
}

const gl_export_choice *ex_table_choice(size_t i) { return i < TABLES ? &tables[i]->choice : NULL; }

const char *ex_table_column(const char *table, size_t i)
{
    const ex_table *t = find(table);
    for (size_t k = 0; t && k < i; k++)
        if (!t->columns[k])
            return NULL;
    return t ? t->columns[i] : NULL;
}

/* ---- values --------------------------------------------------------------------------------------------------------- */

void ex_put_i64(ex_tables *t, unsigned column, int64_t v) { t->row[column] = (ex_value){.type = EX_I64, .i64 = v}; }
void ex_put_u64(ex_tables *t, unsigned column, uint64_t v) { t->row[column] = (ex_value){.type = EX_U64, .u64 = v}; }
void ex_put_hex(ex_tables *t, unsigned column, uint64_t v) { t->row[column] = (ex_value){.type = EX_HEX, .u64 = v}; }
void ex_put_bool(ex_tables *t, unsigned column, bool v) { t->row[column] = (ex_value){.type = EX_BOOL, .yes = v}; }

void ex_put_text(ex_tables *t, unsigned column, const char *text, size_t n)
{
    t->row[column] = (ex_value){.type = EX_TEXT, .text = text, .n = n};
}

void ex_put_str(ex_tables *t, unsigned column, const char *text) { ex_put_text(t, column, text, strlen(text)); }

void ex_put_string(ex_tables *t, unsigned column, uint64_t id)
{
    size_t n;
    const char *text = ex_text(t->dict, id, &n);
    if (n)
        ex_put_text(t, column, text, n);
}

void ex_put_site(ex_tables *t, unsigned column, uint32_t stack)
{
    gl_frame f;
    if (!ex_site(t->dict, stack, &f))
        return;
    gl_func func = gl_dict_get_func(t->dict, f.func);
    ex_put_string(t, column, func.name);
    ex_put_string(t, column + 1, func.file);
    if (func.file)
        ex_put_u64(t, column + 2, f.line);
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static void write_text(ex_tables *t, const ex_value *v)
{
    if (t->json)
        ex_out_json(t->out, v->text, v->n);
    else
        ex_out_csv(t->out, v->text, v->n);
}

static void write_value(ex_tables *t, const ex_value *v)
{
    ex_out *o = t->out;
    switch (v->type) {
    case EX_NULL: break;
    case EX_I64: ex_out_i64(o, v->i64); break;
    case EX_U64: ex_out_u64(o, v->u64); break;
    case EX_BOOL: ex_out_str(o, v->yes ? "true" : "false"); break;
    case EX_TEXT: write_text(t, v); break;
    case EX_HEX: /* a text: no reader takes it for a number then */
        if (t->json)
            ex_out_char(o, '"');
        ex_out_hex(o, v->u64);
        if (t->json)
            ex_out_char(o, '"');
        break;
    }
}

/* Null values are left out of a JSON object, and empty in CSV. */
static void write_json(ex_tables *t)
{
    bool some = false;
    for (size_t i = 0; i < t->chosen_count; i++) {
        const ex_value *v = &t->row[t->chosen[i]];
        if (v->type == EX_NULL)
            continue;
        ex_out_str(t->out, some ? ",\"" : "{\"");
        ex_out_str(t->out, t->table->columns[t->chosen[i]]);
        ex_out_str(t->out, "\":");
        write_value(t, v);
        some = true;
    }
    ex_out_str(t->out, some ? "}\n" : "{}\n");
}

static void write_csv(ex_tables *t)
{
    for (size_t i = 0; i < t->chosen_count; i++) {
        if (i)
            ex_out_char(t->out, ',');
        write_value(t, &t->row[t->chosen[i]]);
    }
    ex_out_char(t->out, '\n');
}

int ex_row(ex_tables *t)
{
    if (t->json)
        write_json(t);
    else
        write_csv(t);
    memset(t->row, 0, t->column_count * sizeof *t->row);
    return t->out->status;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static int choose_column(ex_tables *t, const char *name, gl_error *err)
{
    for (size_t i = 0; i < t->column_count; i++) {
        if (strcmp(t->table->columns[i], name) == 0) {
            t->chosen[t->chosen_count++] = (unsigned char)i;
            return 0;
        }
    }
    return gl_fail(err, GL_E_USAGE, UINT64_MAX, "the table %s has no column %s", t->table->choice.name, name);
}

static int choose_columns(ex_tables *t, gl_error *err)
{
    int status = 0;
    while (t->table->columns[t->column_count])
        t->column_count++;
    if (t->options.column_count > EX_COLUMNS_MAX)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "more columns than %d", EX_COLUMNS_MAX);
    for (size_t i = 0; i < t->options.column_count && status == 0; i++)
        status = choose_column(t, t->options.columns[i], err);
    for (size_t i = 0; i < t->column_count && t->options.column_count == 0; i++)
        t->chosen[t->chosen_count++] = (unsigned char)i;
    return status;
}

static int on_goroutine(void *user, const gl_goroutine_figures *g);
static int on_send(void *user, const gl_send *s);

static int open_parts(ex_tables *t)
{
    if (t->table->listener.begin || t->table->listener.end || t->table->listener.mark) {
        ex_listener listener = t->table->listener;
        listener.user = t;
        t->spans = malloc(sizeof *t->spans);
        if (!t->spans)
            return GL_E_NOMEM;
        ex_spans_init(t->spans, &t->options, &listener);
    }
    if (t->table->uses_summary) {
        gl_summary_options o = {.dict = t->dict, .on_goroutine = on_goroutine, .goroutine_user = t, .on_send = on_send,
                                .send_user = t};
        t->summary = gl_summary_new(&o);
        if (!t->summary)
            return GL_E_NOMEM;
    }
    return 0;
}

static void write_header(ex_tables *t)
{
    for (size_t i = 0; i < t->chosen_count && !t->json; i++) {
        ex_out_str(t->out, i ? "," : "");
        ex_out_str(t->out, t->table->columns[t->chosen[i]]);
    }
    if (!t->json)
        ex_out_char(t->out, '\n');
}

static int open_tables(ex_out *out, const gl_export_options *opt, void **made, gl_error *err, bool json)
{
    const ex_table *table = find(opt->table ? opt->table : "events");
    if (!table)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "there is no table %s", opt->table);
    ex_tables *t = calloc(1, sizeof *t);
    if (!t)
        return GL_E_NOMEM;
    *made = t;
    t->out = out;
    t->table = table;
    t->dict = opt->dict;
    t->options = *opt;
    t->json = json;
    int status = choose_columns(t, err);
    if (status == 0)
        status = open_parts(t);
    if (status == 0)
        write_header(t);
    return status;
}

static int open_csv(ex_out *out, const gl_export_options *opt, void **made, gl_error *err)
{
    return open_tables(out, opt, made, err, false);
}

static int open_jsonl(ex_out *out, const gl_export_options *opt, void **made, gl_error *err)
{
    return open_tables(out, opt, made, err, true);
}

static int take_tables(void *made, const gl_event *ev)
{
    ex_tables *t = made;
    if (t->table->take)
        return t->table->take(t, ev);
    return t->spans ? ex_spans_take(t->spans, ev) : t->summary ? gl_summary_sink(t->summary, ev, 1) : 0;
}

static int finish_tables(void *made)
{
    ex_tables *t = made;
    const gl_summary_result *result;
    int status = t->spans ? ex_spans_finish(t->spans) : t->summary ? gl_summary_finish(t->summary, &result) : 0;
    return status == 0 && t->table->finish ? t->table->finish(t) : status;
}

static void discard_tables(void *made)
{
    ex_tables *t = made;
    if (!t)
        return;
    if (t->spans)
        ex_spans_clean_up(t->spans);
    free(t->spans);
    gl_summary_destroy(t->summary);
    free(t);
}

const ex_ops ex_csv = {
    .format = {.name = "csv", .ending = ".csv", .brief = "a table as comma-separated values with a header",
               .abilities = GL_EXPORT_TABLES},
    .open = open_csv, .take = take_tables, .finish = finish_tables, .discard = discard_tables};
const ex_ops ex_jsonl = {
    .format = {.name = "jsonl", .ending = ".jsonl", .brief = "a table as JSON, one object a line", .abilities = GL_EXPORT_TABLES},
    .open = open_jsonl, .take = take_tables, .finish = finish_tables, .discard = discard_tables};

/* ---- tables made from a summary ------------------------------------------------------------------------------------- */

enum { G_ID, G_NAME, G_CREATOR, G_BEFORE, G_CREATED, G_STARTED, G_ENDED, G_STATE, G_TRANSITIONS, G_RUNNING, G_RUNNABLE, G_WAITING,
       G_SYSCALL };
static const char *const goroutine_columns[] = {"g", "func", "creator", "preexisting", "created_ns", "started_ns", "ended_ns",
                                                "end_state", "transitions", "running_ns", "runnable_ns", "waiting_ns",
                                                "syscall_ns", NULL};
const ex_table ex_table_goroutines = {
    .choice = {"goroutines", "each goroutine with its life and its time in each state"}, .columns = goroutine_columns,
    .uses_summary = true};

enum { W_G, W_FUNC, W_REASON, W_NS };
static const char *const wait_columns[] = {"g", "func", "reason", "wait_ns", NULL};
const ex_table ex_table_waits = {.choice = {"waits", "time that each goroutine waited, by reason"}, .columns = wait_columns,
                                 .uses_summary = true};

static int goroutine_row(ex_tables *t, const gl_goroutine_figures *g)
{
    ex_put_u64(t, G_ID, g->id);
    ex_put_string(t, G_NAME, g->name);
    if (g->parent != GL_NO_GOROUTINE)
        ex_put_u64(t, G_CREATOR, g->parent);
    ex_put_bool(t, G_BEFORE, g->preexisting);
    ex_put_i64(t, G_CREATED, g->created);
    if (g->started >= 0)
        ex_put_i64(t, G_STARTED, g->started);
    if (g->ended >= 0)
        ex_put_i64(t, G_ENDED, g->ended);
    ex_put_str(t, G_STATE, gl_gstate_name(g->end_state));
    ex_put_u64(t, G_TRANSITIONS, g->transitions);
    ex_put_u64(t, G_RUNNING, g->times.ns[GL_G_RUNNING]);
    ex_put_u64(t, G_RUNNABLE, g->times.ns[GL_G_RUNNABLE]);
    ex_put_u64(t, G_WAITING, g->times.ns[GL_G_WAITING]);
    ex_put_u64(t, G_SYSCALL, g->times.ns[GL_G_SYSCALL]);
    return ex_row(t);
}

static int wait_rows(ex_tables *t, const gl_goroutine_figures *g)
{
    int status = 0;
    for (size_t i = 0; i < g->times.block_count && status == 0; i++) {
        ex_put_u64(t, W_G, g->id);
        ex_put_string(t, W_FUNC, g->name);
        ex_put_string(t, W_REASON, g->times.block[i].reason);
        ex_put_u64(t, W_NS, g->times.block[i].ns);
        status = ex_row(t);
    }
    return status;
}

static int on_goroutine(void *user, const gl_goroutine_figures *g)
{
    ex_tables *t = user;
    if (!ex_wanted(t->options.goroutines, t->options.goroutine_count, g->id))
        return 0;
    return t->table == &ex_table_goroutines ? goroutine_row(t, g) : t->table == &ex_table_waits ? wait_rows(t, g) : 0;
}

enum { S_G, S_GROUP, S_CHAN, S_RECORDED, S_BEGIN, S_END, S_PAUSES, S_OVERLAP, S_INSIDE, S_WOKEN, S_BY, S_RELEASE, S_DELAY, S_FUNC,
       S_FILE, S_LINE };
static const char *const straddle_columns[] = {
    "g", "group_func", "chan", "recorded", "begin_ns", "end_ns", "pauses", "overlap_ns", "released_inside", "released_ns",
    "released_by", "release", "delay_ns", "func", "file", "line", NULL};
const ex_table ex_table_straddles = {
    .choice = {"straddles", "each send that straddles a stop-the-world pause of the collector"}, .columns = straddle_columns,
    .uses_summary = true};

static int on_send(void *user, const gl_send *s)
{
    ex_tables *t = user;
    if (t->table != &ex_table_straddles || !ex_wanted(t->options.goroutines, t->options.goroutine_count, s->g))
        return 0;
    ex_put_u64(t, S_G, s->g);
    ex_put_string(t, S_GROUP, s->group);
    if (s->chan)
        ex_put_hex(t, S_CHAN, s->chan);
    ex_put_bool(t, S_RECORDED, s->recorded);
    ex_put_i64(t, S_BEGIN, s->begin);
    ex_put_i64(t, S_END, s->end);
    ex_put_u64(t, S_PAUSES, s->pauses);
    ex_put_u64(t, S_OVERLAP, s->overlap_ns);
    ex_put_bool(t, S_INSIDE, s->released_inside);
    if (s->woken) {
        ex_put_i64(t, S_WOKEN, s->woken_at);
        if (s->woken_by)
            ex_put_u64(t, S_BY, s->woken_by);
        ex_put_str(t, S_RELEASE, gl_release_name(s->release));
    }
    if (s->delay_ns >= 0)
        ex_put_i64(t, S_DELAY, s->delay_ns);
    ex_put_string(t, S_FUNC, s->site.func);
    ex_put_string(t, S_FILE, s->site.file);
    if (s->site.file)
        ex_put_u64(t, S_LINE, s->site.line);
    return ex_row(t);
}
