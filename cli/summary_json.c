#include "summary_inside.h"

#include <string.h>

typedef const gl_summary_result result;

const char *cli_summary_json_name(const cli_summary_json *w, uint32_t string)
{
    return gl_dict_text(w->dict, string, NULL);
}

void cli_summary_json_string(cli_summary_json *w, const char *key, uint32_t string)
{
    size_t n;
    const char *s = gl_dict_text(w->dict, string, &n);
    cli_json_text(&w->json, key, s, n);
}

/* "from->to": n for the counts that are not 0. */
static void moves(cli_summary_json *w, const char *key, const uint64_t *counts, unsigned states,
                  const char *(*name)(unsigned))
{
    char label[64];
    cli_json_open(&w->json, key, '{');
    for (unsigned from = 0; from < states; from++) {
        for (unsigned to = 0; to < states; to++) {
            if (!counts[from * states + to])
                continue;
            snprintf(label, sizeof label, "%s->%s", name(from), name(to));
            cli_json_uint(&w->json, label, counts[from * states + to]);
        }
    }
    cli_json_close(&w->json, '}');
}

static void range_count(cli_summary_json *w, const char *phase, const char *name, uint64_t n)
{
    char label[80];
    if (!n)
        return;
    snprintf(label, sizeof label, "%s %s", phase, name);
    cli_json_uint(&w->json, label, n);
}

/* The keys are Go's names of ranges, which the trace itself does not hold (but for the reasons). */
static void ranges(cli_summary_json *w, result *r)
{
    static const struct {
        const char *name;
        uint8_t begin, active, end;
    } kinds[] = {
        {"GC concurrent mark phase", GL_EV_GCStart, GL_EV_GCActive, GL_EV_GCEnd},
        {"GC incremental sweep", GL_EV_GCSweepBegin, GL_EV_GCSweepActive, GL_EV_GCSweepEnd},
        {"GC mark assist", GL_EV_GCMarkAssistBegin, GL_EV_GCMarkAssistActive, GL_EV_GCMarkAssistEnd},
    };
    cli_json_open(&w->json, "ranges", '{');
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        range_count(w, "Begin", kinds[i].name, r->by_type[kinds[i].begin]);
        range_count(w, "Active", kinds[i].name, r->by_type[kinds[i].active]);
        range_count(w, "End", kinds[i].name, r->by_type[kinds[i].end]);
    }
    for (size_t i = 0; i < r->reason_count; i++) {
        const gl_reason_figures *f = &r->reasons[i];
        char label[1200];
        if (f->stw_begins) {
            snprintf(label, sizeof label, "Begin stop-the-world (%s)", cli_summary_json_name(w, f->reason));
            cli_json_uint(&w->json, label, f->stw_begins);
        }
        if (f->stw_ends) {
            snprintf(label, sizeof label, "End stop-the-world (%s)", cli_summary_json_name(w, f->reason));
            cli_json_uint(&w->json, label, f->stw_ends);
        }
    }
    cli_json_close(&w->json, '}');
}

static void named(cli_summary_json *w, const char *key, const gl_named_count *list, size_t n)
{
    cli_json_open(&w->json, key, '{');
    for (size_t i = 0; i < n; i++)
        cli_json_uint(&w->json, cli_summary_json_name(w, list[i].name), list[i].n);
    cli_json_close(&w->json, '}');
}

/* One counter of every reason that has any. */
static void by_reason(cli_summary_json *w, const char *key, result *r, size_t offset)
{
    cli_json_open(&w->json, key, '{');
    for (size_t i = 0; i < r->reason_count; i++) {
        uint64_t n;
        memcpy(&n, (const char *)&r->reasons[i] + offset, sizeof n);
        if (n)
            cli_json_uint(&w->json, cli_summary_json_name(w, r->reasons[i].reason), n);
    }
    cli_json_close(&w->json, '}');
}

static void events(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "events", '{');
    cli_json_uint(j, "total", r->events);
    moves(w, "goroutine_transitions", r->goroutine_moves[0], GL_G_STATES, gl_gstate_name);
    moves(w, "proc_transitions", r->proc_moves[0], GL_P_STATES, gl_pstate_name);
    by_reason(w, "block_reasons", r, offsetof(gl_reason_figures, blocks));
    by_reason(w, "stop_reasons", r, offsetof(gl_reason_figures, stops));
    ranges(w, r);
    named(w, "labels", r->labels, r->label_count);
    cli_json_uint(j, "with_stack", r->with_stack);
    if (r->unknown_types)
        cli_json_uint(j, "unknown_types", r->unknown_types);
    cli_json_close(j, '}');
}

/* A begin and its end are one operation, counted at its begin. */
static void counts(cli_summary_json *w, result *r)
{
    cli_json_open(&w->json, "counts", '{');
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        if (info && info->phase != GL_PHASE_END && r->by_type[code])
            cli_json_uint(&w->json, info->operation, r->by_type[code]);
    }
    cli_json_close(&w->json, '}');
}

static void times(cli_summary_json *w, const char *key, const gl_state_times *t)
{
    cli_json *j = &w->json;
    cli_json_open(j, key, '{');
    cli_json_uint(j, "running", t->ns[GL_G_RUNNING]);
    cli_json_uint(j, "runnable", t->ns[GL_G_RUNNABLE]);
    cli_json_uint(j, "waiting", t->ns[GL_G_WAITING]);
    cli_json_uint(j, "syscall", t->ns[GL_G_SYSCALL]);
    cli_json_open(j, "block", '{');
    for (size_t i = 0; i < t->block_count; i++) {
        if (t->block[i].ns)
            cli_json_uint(j, cli_summary_json_name(w, t->block[i].reason), t->block[i].ns);
    }
    cli_json_close(j, '}');
    cli_json_close(j, '}');
}

static void totals(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "goroutine_totals", '{');
    cli_json_uint(j, "seen", r->seen);
    cli_json_uint(j, "created", r->created);
    cli_json_uint(j, "ended", r->ended);
    cli_json_uint(j, "preexisting", r->preexisting);
    cli_json_uint(j, "alive_at_end", r->alive);
    cli_json_uint(j, "blocked_forever", r->blocked_forever);
    cli_json_uint(j, "unnamed", r->unnamed);
    cli_json_uint(j, "system", r->system);
    cli_json_open(j, "end_states", '{');
    for (unsigned i = 0; i < GL_G_STATES; i++) {
        if (r->end_states[i])
            cli_json_uint(j, gl_gstate_name(i), r->end_states[i]);
    }
    cli_json_close(j, '}');
    times(w, "raw_sum", &r->sum);
    cli_json_close(j, '}');
}

static void range_list(cli_summary_json *w, const gl_ranges_figures *f, bool stw)
{
    cli_json *j = &w->json;
    cli_json_uint(j, "count", f->count);
    cli_json_uint(j, "total_ns", f->total_ns);
    cli_json_uint(j, "max_ns", f->max_ns);
    if (f->list_count < f->count)
        cli_json_uint(j, "not_listed", f->count - f->list_count);
    cli_json_open(j, "ranges", '[');
    for (size_t i = 0; i < f->list_count; i++) {
        const gl_range_figures *x = &f->list[i];
        cli_json_open(j, NULL, '{');
        cli_json_int(j, "raw_start", x->begin);
        cli_json_int(j, "raw_end", x->end);
        if (stw) {
            cli_summary_json_string(w, "reason", x->reason);
            cli_json_uint(j, "g", x->g);
        }
        if (x->open_start)
            cli_json_bool(j, "open_start", true);
        if (x->open_end)
            cli_json_bool(j, "open_end", true);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void spread_figures(cli_json *j, const gl_spread *s)
{
    cli_json_uint(j, "n", s->n);
    cli_json_uint(j, "total_ns", s->total_ns);
    cli_json_uint(j, "p50_ns", s->p50_ns);
    cli_json_uint(j, "p90_ns", s->p90_ns);
    cli_json_uint(j, "p99_ns", s->p99_ns);
    cli_json_uint(j, "max_ns", s->max_ns);
    if (s->approximate)
        cli_json_bool(j, "approximate", true);
}

static void spread(cli_json *j, const char *key, const gl_spread *s)
{
    if (!s->n)
        return;
    cli_json_open(j, key, '{');
    spread_figures(j, s);
    cli_json_close(j, '}');
}

static void collector(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "gc", '{');
    range_list(w, &r->gc, false);
    cli_json_close(j, '}');
    cli_json_open(j, "stw", '{');
    range_list(w, &r->stw, true);
    by_reason(w, "by_reason", r, offsetof(gl_reason_figures, stw_begins));
    cli_json_open(j, "durations", '{');
    for (size_t i = 0; i < r->reason_count; i++)
        spread(j, cli_summary_json_name(w, r->reasons[i].reason), &r->reasons[i].stw);
    cli_json_close(j, '}');
    cli_json_close(j, '}');
    cli_json_open(j, "sweep", '{');
    cli_json_uint(j, "count", r->sweeps);
    cli_json_uint(j, "total_ns", r->sweep_ns);
    cli_json_uint(j, "bytes_swept", r->swept_bytes);
    cli_json_uint(j, "bytes_reclaimed", r->reclaimed_bytes);
    cli_json_close(j, '}');
    cli_json_open(j, "mark_assist", '{');
    cli_json_uint(j, "count", r->assists);
    cli_json_uint(j, "total_ns", r->assist_ns);
    cli_json_close(j, '}');
}

static void metrics(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "metrics", '{');
    for (unsigned i = 0; i < GL_METRICS; i++) {
        const gl_metric_figures *m = &r->metrics[i];
        if (!m->count)
            continue;
        cli_json_open(j, m->name, '{');
        cli_json_uint(j, "count", m->count);
        cli_json_uint(j, "first", m->first);
        cli_json_uint(j, "last", m->last);
        cli_json_uint(j, "min", m->min);
        cli_json_uint(j, "max", m->max);
        cli_json_close(j, '}');
    }
    cli_json_close(j, '}');
    cli_json_open(j, "cpu_samples", '{');
    cli_json_uint(j, "count", r->samples);
    cli_json_uint(j, "with_g", r->samples_with_g);
    cli_json_uint(j, "with_p", r->samples_with_p);
    cli_json_close(j, '}');
}

static void task(cli_summary_json *w, const gl_task_figures *t)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_uint(j, "id", t->id);
    cli_summary_json_string(w, "name", t->name);
    cli_json_int(j, "parent", (int64_t)t->parent);
    cli_json_int(j, "start", t->start);
    cli_json_int(j, "end", t->end);
    cli_json_uint(j, "regions", t->regions);
    cli_json_uint(j, "logs", t->logs);
    cli_json_uint(j, "children", t->children);
    cli_json_close(j, '}');
}

/* Up to Go 1.21 a task without a parent is a child of task 0, the background, once it has ended; later it has none. */
static bool child_of_background(const gl_task_figures *t)
{
    return t->parent == UINT64_MAX && t->start >= 0 && t->end >= 0;
}

static void tasks(cli_summary_json *w, const gl_user_figures *u, bool background)
{
    gl_task_figures root = {.parent = UINT64_MAX, .start = -1, .end = -1};
    bool has_root = u->task_count && u->tasks[0].id == 0;
    if (has_root)
        root = u->tasks[0];
    for (size_t i = 0; i < u->task_count; i++)
        root.children += background && child_of_background(&u->tasks[i]);
    cli_json_open(&w->json, "tasks", '[');
    if (has_root || root.children)
        task(w, &root);
    for (size_t i = has_root; i < u->task_count; i++) {
        gl_task_figures t = u->tasks[i];
        if (background && child_of_background(&t))
            t.parent = 0;
        task(w, &t);
    }
    cli_json_close(&w->json, ']');
}

static void user(cli_summary_json *w, const gl_user_figures *u, unsigned header_version)
{
    cli_json *j = &w->json;
    cli_json_open(j, "user", '{');
    cli_json_uint(j, "task_begin", u->task_begin);
    cli_json_uint(j, "task_end", u->task_end);
    cli_json_uint(j, "region_begin", u->region_begin);
    cli_json_uint(j, "region_end", u->region_end);
    cli_json_uint(j, "logs", u->logs);
    if (u->tasks_cut)
        cli_json_bool(j, "tasks_cut", true);
    tasks(w, u, header_version && header_version < 22);
    cli_json_open(j, "regions", '[');
    for (size_t i = 0; i < u->region_count; i++) {
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "type", u->regions[i].type);
        cli_json_uint(j, "complete", u->regions[i].complete);
        cli_json_uint(j, "total_ns", u->regions[i].total_ns);
        cli_json_uint(j, "open_start", u->regions[i].open_start);
        cli_json_uint(j, "open_end", u->regions[i].open_end);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    named(w, "logs_by_category", u->logs_by_category, u->category_count);
    cli_json_close(j, '}');
}

static void machine(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "procs", '{');
    cli_json_uint(j, "count", r->proc_count);
    cli_json_open(j, "procs", '[');
    for (size_t i = 0; i < r->proc_count; i++) {
        cli_json_open(j, NULL, '{');
        cli_json_uint(j, "id", r->procs[i].id);
        cli_json_uint(j, "running_ns", r->procs[i].running_ns);
        cli_json_uint(j, "running_spans", r->procs[i].running_spans);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_close(j, '}');
    cli_json_open(j, "threads", '{');
    cli_json_uint(j, "count", r->threads);
    cli_json_close(j, '}');
    cli_json_open(j, "stacks", '{');
    cli_json_uint(j, "distinct_referenced", r->stacks);
    cli_json_uint(j, "distinct_frames", r->stack_frames);
    cli_json_uint(j, "distinct_frames_line", r->stack_lines);
    cli_json_uint(j, "distinct_funcs", r->stack_funcs);
    cli_json_uint(j, "max_depth", r->stack_depth);
    cli_json_close(j, '}');
    cli_json_open(j, "unblocks", '{');
    cli_json_uint(j, "total", r->unparks);
    cli_json_uint(j, "with_operator", r->unparks_by_goroutine);
    cli_json_uint(j, "distinct_pairs", r->unpark_pairs);
    if (r->unpark_pairs_cut)
        cli_json_bool(j, "distinct_pairs_is_a_lower_bound", true);
    cli_json_close(j, '}');
}

static void mmu(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "mmu", '{');
    for (size_t i = 0; i < r->mmu_count; i++) {
        cli_json_open(j, r->mmu[i].set, '{');
        for (size_t k = 0; k < GL_MMU_WINDOWS; k++)
            cli_json_real(j, gl_mmu_window_name[k], r->mmu[i].window[k]);
        cli_json_real(j, "mean", r->mmu[i].mean);
        cli_json_close(j, '}');
    }
    cli_json_close(j, '}');
    if (r->mmu_missing)
        cli_json_str(j, "mmu_missing", r->mmu_missing);
}

static void straddles(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "straddles", '{');
    cli_json_open(j, "by_reason", '{');
    for (size_t i = 0; i < r->reason_count; i++) {
        const gl_reason_figures *f = &r->reasons[i];
        if (!f->spans)
            continue;
        cli_json_open(j, cli_summary_json_name(w, f->reason), '{');
        cli_json_uint(j, "spans", f->spans);
        cli_json_uint(j, "spans_over_stw", f->spans_over_stw);
        cli_json_uint(j, "goroutines_over_stw", f->goroutines_over_stw);
        cli_json_uint(j, "pairs_stw", f->pairs_stw);
        cli_json_uint(j, "spans_over_gc", f->spans_over_gc);
        cli_json_uint(j, "goroutines_over_gc", f->goroutines_over_gc);
        cli_json_close(j, '}');
    }
    cli_json_close(j, '}');
    cli_json_uint(j, "chan_send_spans_by_raw_time", r->send_waits_over_stw);
    cli_json_uint(j, "chan_send_goroutines_by_raw_time", r->send_waiters_over_stw);
    cli_json_close(j, '}');
}

static void latency(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    char label[1200];
    cli_json_open(j, "latency", '{');
    spread(j, "runnable", &r->runnable);
    spread(j, "running", &r->running);
    spread(j, "syscall", &r->syscall);
    for (size_t i = 0; i < r->reason_count; i++) {
        snprintf(label, sizeof label, "block:%s", cli_summary_json_name(w, r->reasons[i].reason));
        spread(j, label, &r->reasons[i].wait);
    }
    cli_json_close(j, '}');
}

static void groups(cli_summary_json *w, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "groups", '[');
    for (size_t i = 0; i < r->group_count; i++) {
        const gl_group_figures *g = &r->groups[i];
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "name", g->name);
        cli_json_uint(j, "n", g->n);
        cli_json_uint(j, "alive", g->alive);
        cli_json_bool(j, "system", g->system);
        times(w, "raw_sum", &g->times);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void lost(cli_summary_json *w, const cli_summary_file *f)
{
    cli_json *j = &w->json;
    cli_json_open(j, "lost", '{');
    cli_json_uint(j, "bytes", f->bytes_lost);
    cli_json_uint(j, "events", f->events_lost);
    cli_json_bool(j, "truncated", f->truncated);
    cli_json_uint(j, "unnamed_parts", f->unnamed_parts);
    cli_json_uint(j, "resyncs", f->resyncs);
    cli_json_uint(j, "damages_in_all", f->damages_in_all);
    cli_json_open(j, "damages", '[');
    for (size_t i = 0; i < f->damage_count; i++) {
        const gl_damage *d = &f->damages[i];
        cli_json_open(j, NULL, '{');
        cli_json_uint(j, "offset", d->offset);
        cli_json_uint(j, "bytes", d->bytes);
        cli_json_uint(j, "events", d->events);
        cli_json_int(j, "time_from", d->time_from);
        cli_json_int(j, "time_to", d->time_to);
        cli_json_str(j, "reason", d->reason);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_close(j, '}');
}

void cli_summary_json_file(cli_summary_json *w, const cli_summary_file *f)
{
    cli_json *j = &w->json;
    cli_json_open(j, "file", '{');
    cli_json_str(j, "name", f->name ? f->name : "");
    cli_json_str(j, "format", f->format ? f->format : "");
    cli_json_uint(j, "size", f->size);
    cli_json_uint(j, "header_version", f->header_version);
    if (f->go_version && *f->go_version)
        cli_json_str(j, "go_version", f->go_version);
    cli_json_uint(j, "parts", f->parts);
    cli_json_close(j, '}');
    cli_json_bool(j, "complete", f->complete);
    lost(w, f);
}

void cli_summary_json_begin(cli_summary_json *w, const gl_dict *dict, FILE *out)
{
    w->dict = dict;
    cli_json_init(&w->json, out);
    cli_json_open(&w->json, NULL, '{');
    cli_json_uint(&w->json, "schema", 1);
    cli_json_open(&w->json, "goroutines", '[');
}

int cli_summary_json_goroutine(void *user_data, const gl_goroutine_figures *g)
{
    cli_summary_json *w = user_data;
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_uint(j, "id", g->id);
    cli_summary_json_string(w, "name", g->name);
    cli_json_int(j, "parent", (int64_t)g->parent);
    cli_json_int(j, "created", g->created);
    cli_json_int(j, "started", g->started);
    cli_json_int(j, "ended", g->ended);
    cli_json_bool(j, "preexisting", g->preexisting);
    cli_json_str(j, "end_state", gl_gstate_name(g->end_state));
    cli_json_uint(j, "transitions", g->transitions);
    times(w, "raw", &g->times);
    cli_json_close(j, '}');
    return j->failed ? GL_E_IO : 0;
}

void cli_summary_json_time(cli_summary_json *w, const cli_summary_file *file, result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "time", '{');
    cli_json_int(j, "raw_end_ns", r->end_ns);
    int64_t wall = file->wall_unix_ns ? file->wall_unix_ns : r->wall_unix_ns;
    if (wall)
        cli_json_int(j, "wall_unix_ns", wall);
    else
        cli_json_null(j, "wall_unix_ns");
    cli_json_close(j, '}');
}

static void all_figures(cli_summary_json *w, const cli_summary_file *file, result *r)
{
    cli_summary_json_time(w, file, r);
    events(w, r);
    counts(w, r);
    totals(w, r);
    collector(w, r);
    metrics(w, r);
    user(w, &r->user, file->header_version);
    machine(w, r);
    straddles(w, r);
    latency(w, r);
    cli_summary_json_sends(w, "sends", &r->sends, &r->stw);
    cli_summary_json_sends(w, "selects", &r->selects, &r->stw);
    cli_summary_json_released(w, r);
    cli_summary_json_stuck(w, r);
    cli_summary_json_block_sites(w, r);
    groups(w, r);
    mmu(w, r);
}

bool cli_summary_json_end(cli_summary_json *w, const cli_summary_file *file, const gl_summary_result *r,
                          const char *error)
{
    cli_json_close(&w->json, ']');
    cli_summary_json_file(w, file);
    if (error)
        cli_json_str(&w->json, "error", error);
    if (r)
        all_figures(w, file, r);
    cli_json_close(&w->json, '}');
    return cli_json_finish(&w->json);
}

void cli_summary_file_from_import(cli_summary_file *f, const gl_gotrace_result *r)
{
    f->format = "go trace";
    f->size = r->bytes_total;
    f->header_version = r->header_version;
    f->complete = r->complete;
    f->truncated = r->truncated;
    f->bytes_lost = r->bytes_lost;
    f->events_lost = r->events_lost;
    f->parts = r->parts;
    f->unnamed_parts = r->unnamed_parts;
    f->resyncs = r->resyncs;
    f->wall_unix_ns = r->wall_unix_ns;
    f->damages = r->damages;
    f->damages_in_all = r->damage_count;
    f->damage_count = r->damage_count < GL_GOTRACE_DAMAGES_MAX ? (size_t)r->damage_count : GL_GOTRACE_DAMAGES_MAX;
}

void cli_summary_file_losses(cli_summary_file *f, const gl_summary_result *r)
{
    if (!f->complete || !r || !r->lost_events)
        return;
    f->complete = false;
    f->events_lost = r->lost_events;
    f->places_lost = r->lost_places;
}
