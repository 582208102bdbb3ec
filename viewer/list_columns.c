/* What each list has for columns: text, width, order. */
#include <stdio.h>
#include <string.h>

#include "list.h"

static void put_ns(gl_list_cell *out, int64_t ns)
{
    gl_unit_ns(out->text, ns);
}

static void put_time(const gl_app *a, gl_list_cell *out, int64_t t)
{
    gl_time_text(out->text, t, (double)(a->m->end - a->m->begin) / 1e6);
}

static void put_where(const gl_app *a, gl_list_cell *out, uint32_t stack)
{
    gl_site_text s = gl_model_site(a->m, stack);
    const char *slash = strrchr(s.file, '/');
    if (*s.func)
        snprintf(out->text, sizeof out->text, "%s %s:%u", s.func, slash ? slash + 1 : s.file, s.line);
    else
        snprintf(out->text, sizeof out->text, "not known");
}

static void put_who(const gl_app *a, gl_list_cell *out, uint64_t g)
{
    uint32_t gor = g ? gl_model_find(a->m, g) : GL_NONE;
    if (!g)
        snprintf(out->text, sizeof out->text, "-");
    else if (gor == GL_NONE)
        snprintf(out->text, sizeof out->text, "G%llu", (unsigned long long)g);
    else
        snprintf(out->text, sizeof out->text, "G%llu %s", (unsigned long long)g,
                 gl_model_group_name(a->m, a->m->gors[gor].group));
}

#define STRADDLE(a, row) (&(a)->m->straddles[row])
static void s_overlap(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    put_ns(o, STRADDLE(a, r)->overlap), o->role = GL_ROLE_STRADDLE;
}
static void s_length(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    put_ns(o, STRADDLE(a, r)->end - STRADDLE(a, r)->begin);
}
static void s_begin(const gl_app *a, uint32_t r, gl_list_cell *o) { put_time(a, o, STRADDLE(a, r)->begin); }
static void s_who(const gl_app *a, uint32_t r, gl_list_cell *o) { put_who(a, o, STRADDLE(a, r)->g); }
static void s_by(const gl_app *a, uint32_t r, gl_list_cell *o) { put_who(a, o, STRADDLE(a, r)->by); }
static void s_where(const gl_app *a, uint32_t r, gl_list_cell *o) { put_where(a, o, STRADDLE(a, r)->stack); }
static void s_pause(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    snprintf(o->text, sizeof o->text, "%.190s", gl_model_text(a->m, a->m->pauses[STRADDLE(a, r)->pause].reason));
    o->role = GL_ROLE_STW;
}
static void s_delay(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    if (STRADDLE(a, r)->delay >= 0)
        put_ns(o, STRADDLE(a, r)->delay);
    else
        snprintf(o->text, sizeof o->text, "-");
}
static int64_t s_by_overlap(const gl_app *a, uint32_t r) { return -STRADDLE(a, r)->overlap; }
static int64_t s_by_length(const gl_app *a, uint32_t r) { return STRADDLE(a, r)->begin - STRADDLE(a, r)->end; }
static int64_t s_by_begin(const gl_app *a, uint32_t r) { return STRADDLE(a, r)->begin; }
static int64_t s_by_delay(const gl_app *a, uint32_t r) { return -STRADDLE(a, r)->delay; }

#define PAUSE(a, row) (&(a)->m->pauses[row])
static int64_t pause_length(const gl_app *a, uint32_t r)
{
    return gl_model_end(a->m, PAUSE(a, r)->end) - PAUSE(a, r)->begin;
}
static void p_length(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    put_ns(o, pause_length(a, r)), o->role = PAUSE(a, r)->gc ? GL_ROLE_STW : GL_ROLE_STOP;
}
static void p_begin(const gl_app *a, uint32_t r, gl_list_cell *o) { put_time(a, o, PAUSE(a, r)->begin); }
static void p_reason(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    snprintf(o->text, sizeof o->text, "%.190s", gl_model_text(a->m, PAUSE(a, r)->reason));
}
static void p_who(const gl_app *a, uint32_t r, gl_list_cell *o) { put_who(a, o, PAUSE(a, r)->g); }
static void p_straddles(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    if (PAUSE(a, r)->straddles)
        snprintf(o->text, sizeof o->text, "%u", PAUSE(a, r)->straddles);
    o->role = GL_ROLE_STRADDLE;
}
static int64_t p_by_length(const gl_app *a, uint32_t r) { return -pause_length(a, r); }
static int64_t p_by_begin(const gl_app *a, uint32_t r) { return PAUSE(a, r)->begin; }
static int64_t p_by_straddles(const gl_app *a, uint32_t r) { return -(int64_t)PAUSE(a, r)->straddles; }

#define GOR(a, row) (&(a)->m->gors[row])
static void g_who(const gl_app *a, uint32_t r, gl_list_cell *o) { put_who(a, o, GOR(a, r)->id); }
static void g_for(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    put_ns(o, a->m->read_end - gl_model_since(a->m, r)), o->role = GL_ROLE_WARN;
}
static void g_since(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    if (gl_model_since(a->m, r) <= a->m->begin)
        snprintf(o->text, sizeof o->text, "the beginning");
    else
        put_time(a, o, gl_model_since(a->m, r));
}
static void g_reason(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    const char *reason = gl_model_text(a->m, gl_model_life(a->m, r)->reason);
    snprintf(o->text, sizeof o->text, "%.190s", *reason ? reason : "not known");
    o->role = gl_span_look_of(gl_span_kind_of_reason(reason))->role;
}
static void g_where(const gl_app *a, uint32_t r, gl_list_cell *o) { put_where(a, o, gl_model_life(a->m, r)->stack); }
static void g_creator(const gl_app *a, uint32_t r, gl_list_cell *o) { put_who(a, o, GOR(a, r)->creator); }
static int64_t g_by_since(const gl_app *a, uint32_t r) { return gl_model_since(a->m, r); }
static int64_t g_by_id(const gl_app *a, uint32_t r) { return (int64_t)(GOR(a, r)->id >> 1); }
static int64_t g_by_where(const gl_app *a, uint32_t r) { return gl_model_life(a->m, r)->stack; }

#define GROUP(a, row) (&(a)->m->groups[row])
static void n_name(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    snprintf(o->text, sizeof o->text, "%.190s", gl_model_group_name(a->m, r));
    o->role = GROUP(a, r)->system ? GL_ROLE_DIM : GL_ROLE_GROUP;
}
static void n_count(const gl_app *a, uint32_t r, gl_list_cell *o) { gl_unit_count(o->text, GROUP(a, r)->n); }
static void n_alive(const gl_app *a, uint32_t r, gl_list_cell *o) { gl_unit_count(o->text, GROUP(a, r)->alive); }
static int64_t group_ns(const gl_app *a, uint32_t r, gl_order order)
{
    return r < a->group_time_count ? a->group_time[r][order] : 0;
}
static void n_running(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, group_ns(a, r, GL_ORDER_RUNNING)); }
static void n_runnable(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, group_ns(a, r, GL_ORDER_RUNNABLE)); }
static void n_blocked(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, group_ns(a, r, GL_ORDER_BLOCKED)); }
static void n_straddles(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    char t[GL_UNIT_TEXT_MAX];
    if (GROUP(a, r)->straddles)
        snprintf(o->text, sizeof o->text, "%u  %s", GROUP(a, r)->straddles, gl_unit_ns(t, GROUP(a, r)->straddle_ns));
    o->role = GL_ROLE_STRADDLE;
}
static int64_t n_by_count(const gl_app *a, uint32_t r) { return -(int64_t)GROUP(a, r)->n; }
static int64_t n_by_straddles(const gl_app *a, uint32_t r) { return -GROUP(a, r)->straddle_ns; }
static int64_t n_by_running(const gl_app *a, uint32_t r) { return -group_ns(a, r, GL_ORDER_RUNNING); }
static int64_t n_by_blocked(const gl_app *a, uint32_t r) { return -group_ns(a, r, GL_ORDER_BLOCKED); }

static void s_chan(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    if (STRADDLE(a, r)->chan)
        snprintf(o->text, sizeof o->text, "%#llx", (unsigned long long)STRADDLE(a, r)->chan);
}
static int64_t s_by_chan(const gl_app *a, uint32_t r) { return (int64_t)(STRADDLE(a, r)->chan >> 1); }

#define STAT(a, row) (&(a)->stats.rows[row])
static void t_group(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    snprintf(o->text, sizeof o->text, "%.190s", gl_model_group_name(a->m, STAT(a, r)->group));
    o->role = GL_ROLE_GROUP;
}
static void t_what(const gl_app *a, uint32_t r, gl_list_cell *o)
{
    static const struct {
        const char *word;
        gl_role role;
    } states[GL_G_STATES] = {[GL_G_RUNNABLE] = {"runnable", GL_ROLE_RUNNABLE}, [GL_G_RUNNING] = {"running", GL_ROLE_RUNNING},
                             [GL_G_SYSCALL] = {"system call", GL_ROLE_SYSCALL}, [GL_G_WAITING] = {"blocked", GL_ROLE_OTHER}};
    const gl_stats_row *row = STAT(a, r);
    const char *reason = row->state == GL_G_WAITING ? gl_model_text(a->m, row->reason) : "";
    snprintf(o->text, sizeof o->text, "%.190s", *reason ? reason : states[row->state].word);
    o->role = *reason ? gl_span_look_of(gl_span_kind_of_reason(reason))->role : states[row->state].role;
}
static void t_n(const gl_app *a, uint32_t r, gl_list_cell *o) { gl_unit_count(o->text, STAT(a, r)->n); }
static void t_total(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, STAT(a, r)->ns), o->role = GL_ROLE_TITLE; }
static void t_p50(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, gl_stats_percentile(STAT(a, r), 0.50)); }
static void t_p95(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, gl_stats_percentile(STAT(a, r), 0.95)); }
static void t_p99(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, gl_stats_percentile(STAT(a, r), 0.99)); }
static void t_max(const gl_app *a, uint32_t r, gl_list_cell *o) { put_ns(o, STAT(a, r)->longest); }
static int64_t t_by_total(const gl_app *a, uint32_t r) { return -STAT(a, r)->ns; }
static int64_t t_by_n(const gl_app *a, uint32_t r) { return -(int64_t)STAT(a, r)->n; }
static int64_t t_by_p99(const gl_app *a, uint32_t r) { return -gl_stats_percentile(STAT(a, r), 0.99); }
static int64_t t_by_max(const gl_app *a, uint32_t r) { return -STAT(a, r)->longest; }
static const gl_list_column straddle_columns[] = {
    {"in the pause", 12, 0, true, s_overlap, s_by_overlap}, {"send lasted", 12, 40, true, s_length, s_by_length},
    {"at", 16, 0, true, s_begin, s_by_begin},               {"goroutine", 0, 0, false, s_who, NULL},
    {"released by", 0, 72, false, s_by, NULL},              {"ran after", 10, 100, true, s_delay, s_by_delay},
    {"pause", 21, 110, false, s_pause, NULL},               {"where", 0, 130, false, s_where, NULL},
    {"channel", 14, 150, false, s_chan, s_by_chan},
};
static const gl_list_column pause_columns[] = {
    {"lasted", 12, 0, true, p_length, p_by_length},       {"at", 16, 0, true, p_begin, p_by_begin},
    {"straddles", 9, 48, true, p_straddles, p_by_straddles}, {"reason", 0, 0, false, p_reason, NULL},
    {"stopped by", 0, 70, false, p_who, NULL},
};
static const gl_list_column stuck_columns[] = {
    {"blocked for", 12, 0, true, g_for, g_by_since}, {"goroutine", 0, 0, false, g_who, g_by_id},
    {"since", 16, 90, true, g_since, NULL},          {"reason", 22, 60, false, g_reason, NULL},
    {"where", 0, 80, false, g_where, g_by_where},    {"created by", 0, 120, false, g_creator, NULL},
};
static const gl_list_column group_columns[] = {
    {"start function", 0, 0, false, n_name, NULL},          {"goroutines", 10, 0, true, n_count, n_by_count},
    {"alive", 8, 60, true, n_alive, NULL},                  {"running", 10, 60, true, n_running, n_by_running},
    {"for a P", 10, 80, true, n_runnable, NULL},            {"blocked", 10, 72, true, n_blocked, n_by_blocked},
    {"straddles", 16, 50, true, n_straddles, n_by_straddles},
};

static const gl_list_column selection_columns[] = {
    {"start function", 0, 0, false, t_group, NULL}, {"did", 22, 0, false, t_what, NULL},
    {"together", 10, 0, true, t_total, t_by_total},       {"times", 9, 60, true, t_n, t_by_n},
    {"median", 9, 80, true, t_p50, NULL},                 {"p95", 9, 100, true, t_p95, NULL},
    {"p99", 9, 72, true, t_p99, t_by_p99},                {"longest", 9, 60, true, t_max, t_by_max},
};

#define LIST(columns, empty) {columns, sizeof(columns) / sizeof *(columns), empty}
const gl_list_kind gl_list_kinds[GL_VIEWS] = {
    [GL_VIEW_STRADDLES] = LIST(straddle_columns, "no send in this trace straddles a GC pause"),
    [GL_VIEW_PAUSES] = LIST(pause_columns, "the world was never stopped in this trace"),
    [GL_VIEW_STUCK] =
        LIST(stuck_columns, "none was still blocked at the end (timers, network, runtime's own aside)"),
    [GL_VIEW_SELECTION] = LIST(selection_columns, "no goroutine was there in this span of time"),
    [GL_VIEW_GROUPS] = LIST(group_columns, "no goroutines in this trace"),
};
