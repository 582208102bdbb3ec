#include "check_metrics.h"

#include <stdarg.h>
#include <string.h>

/* --- sources --- */

int cli_measures_start(cli_measures *m, const cli_report_run *run)
{
    gl_straddling_options so = {.kinds = (1u << GL_OPERATION_KINDS) - 1, .worst = 3};
    m->anomalies_of = gl_anomalies_new(run->summary, run->dict, 3);
    m->channels_of = gl_channels_new(run->summary, run->dict, &(gl_channels_options){.keep = 0});
    if (!m->anomalies_of || !m->channels_of)
        return GL_E_NOMEM;
    gl_anomalies_set_channels(m->anomalies_of, m->channels_of);
    m->blocked_of = gl_blocked_new(run->summary, run->dict, m->channels_of);
    m->latency_of = gl_latency_new(run->summary, &(gl_latency_options){.worst = 3});
    m->marks_of = gl_marks_new(run->summary, &(gl_marks_options){.slow = 3});
    m->pauses_of = gl_pauses_new(run->summary, run->dict, 1u << GL_OPERATION_SEND);
    m->straddling_of = gl_straddling_new(run->summary, &so);
    return m->blocked_of && m->latency_of && m->marks_of && m->pauses_of && m->straddling_of ? 0 : GL_E_NOMEM;
}

int cli_measures_finish(cli_measures *m, const cli_report_run *run)
{
    int status = gl_anomalies_finish(m->anomalies_of, run->r->end_ns, &m->anomalies);
    if (status == 0)
        status = gl_blocked_finish(m->blocked_of, run->r, &m->blocked);
    if (status == 0)
        status = gl_channels_finish(m->channels_of, run->r->end_ns, &m->channels);
    if (status == 0)
        status = gl_latency_finish(m->latency_of, &m->latency);
    if (status == 0)
        status = gl_marks_finish(m->marks_of, run->r, &m->marks);
    if (status == 0)
        status = gl_pauses_finish(m->pauses_of, run->r->end_ns, &m->pauses);
    if (status == 0)
        status = gl_straddling_finish(m->straddling_of, &m->straddling);
    m->run = run;
    return status;
}

void cli_measures_clean_up(cli_measures *m)
{
    gl_anomalies_destroy(m->anomalies_of);
    gl_blocked_destroy(m->blocked_of);
    gl_channels_destroy(m->channels_of);
    gl_latency_destroy(m->latency_of);
    gl_marks_destroy(m->marks_of);
    gl_pauses_destroy(m->pauses_of);
    gl_straddling_destroy(m->straddling_of);
}

/* --- spreads --- */

typedef struct asking {
    const cli_measures *m;
    const char *argument; /* NULL none */
    char *why;
    size_t why_size;
} asking;

static cli_asked not_known(const asking *a, const char *fmt, ...) GL_PRINTF(2, 3);
static cli_asked not_known(const asking *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(a->why, a->why_size, fmt, args);
    va_end(args);
    return CLI_ASKED_NOT_KNOWN;
}

static const char *text_of(const asking *a, uint32_t id) { return gl_dict_text(a->m->run->dict, id, NULL); }

static cli_asked stw(const asking *a, gl_spread *out)
{
    return gl_pauses_lengths(a->m->pauses, false, out) < 0 ? not_known(a, "%s", "no memory") : CLI_ASKED_OK;
}

static cli_asked gc_pause(const asking *a, gl_spread *out)
{
    return gl_pauses_lengths(a->m->pauses, true, out) < 0 ? not_known(a, "%s", "no memory") : CLI_ASKED_OK;
}

static cli_asked time_to_stop(const asking *a, gl_spread *out)
{
    *out = a->m->pauses->stopping;
    return CLI_ASKED_OK;
}

static cli_asked sched_latency(const asking *a, gl_spread *out)
{
    *out = a->m->latency->all;
    if (!a->argument)
        return CLI_ASKED_OK;
    for (size_t i = 0; i < a->m->latency->group_count; i++) {
        if (strcmp(text_of(a, a->m->latency->groups[i].group), a->argument) == 0) {
            *out = a->m->latency->groups[i].wait;
            return CLI_ASKED_OK;
        }
    }
    return not_known(a, "no goroutine of the trace was started as '%.100s'", a->argument);
}

static cli_asked running(const asking *a, gl_spread *out)
{
    *out = a->m->run->r->running;
    return CLI_ASKED_OK;
}

static cli_asked syscall_time(const asking *a, gl_spread *out)
{
    *out = a->m->run->r->syscall;
    return CLI_ASKED_OK;
}

/* A reason that does not occur may be a wrong one; these are right ones. */
static const char *const known_reasons[] = {"chan send", "chan receive", "select", "sync", "sync.(*Cond).Wait", "sleep", "network",
                                            "forever", "GC mark assist wait for work", "preempted"};

static cli_asked wait_time(const asking *a, gl_spread *out)
{
    const gl_summary_result *r = a->m->run->r;
    *out = (gl_spread){0};
    for (size_t i = 0; i < r->reason_count; i++) {
        if (strcmp(text_of(a, r->reasons[i].reason), a->argument) == 0) {
            *out = r->reasons[i].wait;
            return CLI_ASKED_OK;
        }
    }
    for (size_t i = 0; i < sizeof known_reasons / sizeof *known_reasons; i++) {
        if (strcmp(known_reasons[i], a->argument) == 0)
            return CLI_ASKED_OK;
    }
    return not_known(a, "nobody waits for '%.100s' in this trace, nor is it a reason of Go's", a->argument);
}

static cli_asked mark_time(const asking *a, const gl_marks_type *list, size_t n, const char *what, gl_spread *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text_of(a, list[i].name), a->argument) == 0) {
            *out = list[i].time;
            return CLI_ASKED_OK;
        }
    }
    return not_known(a, "the trace has no %s '%.100s'", what, a->argument);
}

static cli_asked region(const asking *a, gl_spread *out)
{
    return mark_time(a, a->m->marks->regions, a->m->marks->region_count, "region", out);
}

static cli_asked task(const asking *a, gl_spread *out)
{
    return mark_time(a, a->m->marks->tasks, a->m->marks->task_count, "task", out);
}

/* Those of sends, or of another kind. */
static cli_asked straddle_spread(const asking *a, bool delay, gl_spread *out)
{
    const char *kind = a->argument ? a->argument : "send";
    for (unsigned i = 0; i < GL_OPERATION_KINDS; i++) {
        const gl_straddling_group *g = &a->m->straddling->of_kind[i];
        if (strcmp(gl_operation_name[i], kind) == 0)
            *out = delay ? g->delay : g->overlap;
    }
    return CLI_ASKED_OK;
}

static cli_asked straddle_overlap(const asking *a, gl_spread *out) { return straddle_spread(a, false, out); }
static cli_asked straddle_delay(const asking *a, gl_spread *out) { return straddle_spread(a, true, out); }

/* --- counts --- */

static cli_asked straddles(const asking *a, double *out)
{
    const char *kind = a->argument ? a->argument : "send";
    for (unsigned i = 0; i < GL_OPERATION_KINDS; i++) {
        if (strcmp(kind, gl_operation_name[i]) == 0)
            *out = (double)a->m->run->r->operations[i].straddling;
    }
    return CLI_ASKED_OK;
}

static cli_asked stuck(const asking *a, double *out)
{
    const gl_blocked_result *b = a->m->blocked;
    *out = a->argument ? 0 : (double)b->waiting;
    for (size_t i = 0; a->argument && i < b->site_count; i++) {
        const gl_stuck_site *f = b->sites[i].figures;
        if (!f->system && !f->idle && strcmp(text_of(a, f->name), a->argument) == 0)
            *out += (double)f->n;
    }
    return CLI_ASKED_OK;
}

static cli_asked leaks(const asking *a, double *out)
{
    *out = 0;
    for (size_t i = 0; i < a->m->blocked->site_count; i++) {
        const gl_blocked_site *s = &a->m->blocked->sites[i];
        if (s->growing && !s->figures->system && !s->figures->idle)
            *out += (double)s->figures->n;
    }
    return CLI_ASKED_OK;
}

static cli_asked deadlocks(const asking *a, double *out)
{
    *out = (double)a->m->blocked->cycles + a->m->blocked->everybody;
    return CLI_ASKED_OK;
}

static cli_asked anomalies(const asking *a, double *out)
{
    *out = a->argument ? 0 : (double)a->m->anomalies->in_all;
    for (unsigned i = 0; a->argument && i < GL_ANOMALY_KINDS; i++) {
        if (strcmp(a->argument, gl_anomaly_kinds[i].name) != 0)
            continue;
        if (!a->m->anomalies->kind[i].can_tell)
            return not_known(a, "a trace that Go wrote cannot show %s; golanes record sees it", a->argument);
        *out = (double)a->m->anomalies->kind[i].n;
    }
    return CLI_ASKED_OK;
}

#define COUNT(name, expression)                                                                                        \
    static cli_asked name(const asking *a, double *out)                                                                \
    {                                                                                                                  \
        const gl_summary_result *r = a->m->run->r;                                                                     \
        *out = (double)(expression);                                                                                   \
        return CLI_ASKED_OK;                                                                                           \
    }
COUNT(goroutines, r->seen)
COUNT(alive, r->alive)
COUNT(events, r->events)
COUNT(stops, r->stw.count)
COUNT(gc_cycles, r->gc.count)
COUNT(panics, r->panics)
COUNT(lost_events, r->lost_events ? r->lost_events : r->lost_places)
COUNT(duration, r->end_ns)
COUNT(stopped_share, r->end_ns > 0 ? (double)r->stw.total_ns / (double)r->end_ns : 0)
COUNT(heap_max, r->metrics[GL_METRIC_LIVE].max)
COUNT(heap_goal_max, r->metrics[GL_METRIC_GOAL].max)

static cli_asked unended_tasks(const asking *a, double *out)
{
    *out = 0;
    for (size_t i = 0; i < a->m->marks->task_count; i++)
        *out += (double)a->m->marks->tasks[i].open_end;
    return CLI_ASKED_OK;
}

static cli_asked mmu(const asking *a, double *out)
{
    const gl_summary_result *r = a->m->run->r;
    if (r->mmu_missing)
        return not_known(a, "%s", r->mmu_missing);
    for (size_t i = 0; i < r->mmu_count; i++) {
        for (unsigned w = 0; w < GL_MMU_WINDOWS; w++) {
            if (strcmp(r->mmu[i].set, "stw+background+assist") == 0 && strcmp(gl_mmu_window_name[w], a->argument) == 0)
                *out = r->mmu[i].window[w];
        }
    }
    return CLI_ASKED_OK;
}

/* --- the table --- */

static const char *operation_name(size_t i) { return i < GL_OPERATION_KINDS ? gl_operation_name[i] : NULL; }
static const char *anomaly_name(size_t i) { return i < GL_ANOMALY_KINDS ? gl_anomaly_kinds[i].name : NULL; }
static const char *window_name(size_t i) { return i < GL_MMU_WINDOWS ? gl_mmu_window_name[i] : NULL; }
#define CHOICES_MAX 32

typedef enum argument_use { NO_ARGUMENT, MAY_HAVE, MUST_HAVE } argument_use;

static const struct metric {
    const char *name;
    cli_asked (*spread)(const asking *a, gl_spread *out); /* one of these two */
    cli_asked (*count)(const asking *a, double *out);
    cli_measure measure; /* of a count */
    argument_use use;
    const char *(*choice)(size_t i); /* what an argument may be, then NULL; NULL: anything */
    const char *argument, *help;
} metrics[] = {
    {"stw", stw, .help = "how long the world was stopped, each time"},
    {"gc_pause", gc_pause, .help = "the same, by the garbage collector only"},
    {"time_to_stop", time_to_stop, .help = "how long it took until all processors had stopped"},
    {"sched_latency", sched_latency, .use = MAY_HAVE, .argument = "START",
     .help = "waits for a processor; of goroutines started as START"},
    {"running", running, .help = "how long goroutines ran without a break"},
    {"syscall", syscall_time, .help = "system calls"},
    {"wait", wait_time, .use = MUST_HAVE, .argument = "REASON", .help = "waits for REASON, in Go's words (\"chan send\")"},
    {"region", region, .use = MUST_HAVE, .argument = "TYPE", .help = "user regions of that type"},
    {"task", task, .use = MUST_HAVE, .argument = "NAME", .help = "user tasks of that name"},
    {"straddle_overlap", straddle_overlap, .use = MAY_HAVE, .choice = operation_name, .argument = "KIND",
     .help = "time of straddling sends (or other operations) inside pauses"},
    {"straddle_delay", straddle_delay, .use = MAY_HAVE, .choice = operation_name, .argument = "KIND",
     .help = "from the restart until they went on"},
    {"straddles", .count = straddles, .use = MAY_HAVE, .choice = operation_name, .argument = "KIND",
     .help = "sends that straddle a GC pause; KIND: send, receive, select or mutex"},
    {"stuck", .count = stuck, .use = MAY_HAVE, .argument = "START",
     .help = "goroutines that wait for another one when the trace ends; started as START"},
    {"leaks", .count = leaks, .help = "those of them whose number grew all the time"},
    {"deadlocks", .count = deadlocks, .help = "circles of goroutines that wait for each other"},
    {"anomalies", .count = anomalies, .use = MAY_HAVE, .choice = anomaly_name, .argument = "KIND",
     .help = "findings, as golanes-anomalies(1) has them"},
    {"goroutines", .count = goroutines, .help = "goroutines in all"},
    {"alive", .count = alive, .help = "goroutines that are there when the trace ends"},
    {"events", .count = events, .help = "events"},
    {"stops", .count = stops, .help = "stops of the world"},
    {"gc_cycles", .count = gc_cycles, .help = "concurrent mark phases"},
    {"panics", .count = panics, .help = "panics (recorded traces)"},
    {"lost_events", .count = lost_events, .help = "events that are known to be missing"},
    {"unended_tasks", .count = unended_tasks, .help = "user tasks that began and did not end"},
    {"duration", .count = duration, .measure = CLI_TIME_OF, .help = "length of the trace"},
    {"stopped_share", .count = stopped_share, .measure = CLI_SHARE_OF, .help = "share of the time in which the world was stopped"},
    {"mmu", .count = mmu, .measure = CLI_SHARE_OF, .use = MUST_HAVE, .choice = window_name, .argument = "WINDOW",
     .help = "minimum mutator utilisation; WINDOW: 100us, 1ms, 10ms, 100ms or 1s"},
    {"heap_max", .count = heap_max, .measure = CLI_BYTES_OF, .help = "the largest live heap"},
    {"heap_goal_max", .count = heap_goal_max, .measure = CLI_BYTES_OF, .help = "the largest heap goal"},
};
#define METRICS (sizeof metrics / sizeof *metrics)

static const struct {
    const char *name;
    size_t offset;
    bool plain; /* a number, not a time */
    const char *help;
} functions[] = {
    {"count", offsetof(gl_spread, n), true, "how many"},
    {"total", offsetof(gl_spread, total_ns), false, "their sum"},
    {"mean", offsetof(gl_spread, total_ns), false, "their mean"},
    {"p50", offsetof(gl_spread, p50_ns), false, "the median"},
    {"p90", offsetof(gl_spread, p90_ns), false, "the 90th percentile"},
    {"p95", offsetof(gl_spread, p95_ns), false, "the 95th percentile"},
    {"p99", offsetof(gl_spread, p99_ns), false, "the 99th percentile"},
    {"max", offsetof(gl_spread, max_ns), false, "the longest"},
};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static cli_asked wrong(char *why, size_t size, const char *fmt, ...) GL_PRINTF(3, 4);
static cli_asked wrong(char *why, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, size, fmt, args);
    va_end(args);
    return CLI_ASKED_WRONG;
}

static const struct metric *find_metric(const cli_question *q, char *why, size_t size)
{
    const char *names[METRICS], *name = q->name;
    for (size_t i = 0; i < METRICS; i++) {
        if (strcmp(q->function, metrics[i].name) == 0 && metrics[i].use != NO_ARGUMENT) {
            snprintf(why, size, "quotes are missing: %s(\"%.40s\")", metrics[i].name, name);
            return NULL;
        }
    }
    for (size_t i = 0; i < METRICS; i++) {
        names[i] = metrics[i].name;
        if (strcmp(name, names[i]) == 0)
            return &metrics[i];
    }
    const char *near = cli_nearest(name, names, METRICS);
    snprintf(why, size, "there is no figure '%.40s'%s%s%s", name, near ? "; did you mean " : "; golanes-check(1) lists them all",
             near ? near : "", near ? "?" : "");
    return NULL;
}

static size_t find_function(const char *name)
{
    size_t i = 0;
    while (i < FUNCTIONS && strcmp(name, functions[i].name) != 0)
        i++;
    return i;
}

static bool is_choice(const struct metric *x, const char *argument)
{
    size_t i = 0;
    while (x->choice(i) && strcmp(x->choice(i), argument) != 0)
        i++;
    return x->choice(i) != NULL;
}

/* Says which there are. */
static cli_asked wrong_choice(const struct metric *x, const char *argument, char *why, size_t size)
{
    const char *names[CHOICES_MAX];
    size_t n = 0;
    char all[240] = "";
    for (; n < CHOICES_MAX && x->choice(n); n++) {
        names[n] = x->choice(n);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", n ? ", " : "", names[n]);
    }
    const char *near = cli_nearest(argument, names, n);
    return near ? wrong(why, size, "%s has no \"%.60s\"; did you mean %s?", x->name, argument, near)
                : wrong(why, size, "%s has no \"%.60s\": there are %s", x->name, argument, all);
}

/* What can be said before the trace is read. */
static cli_asked judge(const struct metric *x, const cli_question *q, char *why, size_t size)
{
    if (q->argument && x->use == NO_ARGUMENT)
        return wrong(why, size, "%s takes nothing in parentheses", x->name);
    if (!q->argument && x->use == MUST_HAVE)
        return wrong(why, size, "which one? %s(\"%s\")", x->name, x->argument);
    if (q->argument && x->choice && !is_choice(x, q->argument)) {
        *q->wrong = q->argument;
        return wrong_choice(x, q->argument, why, size);
    }
    if (x->spread && !*q->function)
        return wrong(why, size, "%s has many values: p99(%s), max, mean, total, count, p50, p90 or p95", x->name, x->name);
    if (!*q->function)
        return CLI_ASKED_OK;
    size_t f = find_function(q->function);
    if (f == FUNCTIONS) {
        *q->wrong = q->function;
        return wrong(why, size, "there is no function '%.40s': count, total, mean, p50, p90, p95, p99 and max are", q->function);
    }
    if (!x->spread)
        return wrong(why, size, "%s is one number: %s cannot be taken of it", x->name, q->function);
    return CLI_ASKED_OK;
}

static cli_value take_function(const gl_spread *s, const char *name)
{
    size_t f = find_function(name);
    uint64_t v;
    memcpy(&v, (const char *)s + functions[f].offset, sizeof v);
    double x = (double)v;
    if (strcmp(name, "mean") == 0)
        x = s->n ? x / (double)s->n : 0;
    return (cli_value){functions[f].plain ? CLI_NUMBER_OF : CLI_TIME_OF, x};
}

cli_asked cli_measure_ask(void *user, const cli_question *q, cli_value *out, char *why, size_t why_size)
{
    const cli_measures *m = user;
    const struct metric *x = find_metric(q, why, why_size);
    if (!x)
        *q->wrong = q->name;
    cli_asked asked = x ? judge(x, q, why, why_size) : CLI_ASKED_WRONG;
    if (asked != CLI_ASKED_OK)
        return asked;
    gl_spread s = {0};
    double count = 0;
    asking a = {m, q->argument, why, why_size};
    if (m->run)
        asked = x->spread ? x->spread(&a, &s) : x->count(&a, &count);
    if (x->spread)
        *out = take_function(&s, q->function);
    else
        *out = (cli_value){x->measure, count};
    return asked;
}

/* --- evidence --- */

static void say(cli_page *p, const char *fmt, ...) GL_PRINTF(2, 3);
static void say(cli_page *p, const char *fmt, ...)
{
    char line[700];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    cli_note(p, CLI_DIM, line);
}

static void longest_pause(const cli_measures *m, cli_page *p)
{
    const gl_pause *worst = NULL;
    cli_unit u, v, w;
    for (size_t i = 0; i < m->pauses->count; i++) {
        const gl_pause *x = &m->pauses->list[i];
        worst = !worst || x->end - x->begin > worst->end - worst->begin ? x : worst;
    }
    if (worst)
        say(p, "the longest: %s at %s, %s; %s until all had stopped", gl_unit_ns(u, worst->end - worst->begin),
            gl_unit_ns(v, worst->begin), cli_reason_name(p, worst->reason),
            worst->stopping_ns >= 0 ? gl_unit_ns(w, worst->stopping_ns) : "not known how long");
}

static void longest_waits(const cli_measures *m, cli_page *p)
{
    for (size_t i = 0; i < m->latency->worst_count; i++) {
        const gl_latency_wait *x = &m->latency->worst[i];
        cli_unit u, v;
        say(p, "G%llu %s waited %s at %s (%s)", (unsigned long long)x->g, cli_group_name(p, x->group),
            gl_unit_ns(u, x->end - x->begin), gl_unit_ns(v, x->begin), gl_latency_cause_name[x->cause]);
    }
}

static void stuck_places(const cli_measures *m, cli_page *p)
{
    size_t told = 0;
    for (size_t i = 0; i < m->blocked->site_count && told < 3; i++) {
        const gl_blocked_site *s = &m->blocked->sites[i];
        const gl_stuck_site *f = s->figures;
        char where[300];
        if (f->system || f->idle)
            continue;
        told++;
        const char *reason = f->inferred_reason ? f->inferred_reason : f->reason ? cli_reason_name(p, f->reason) : "something";
        say(p, "%zu %s wait%s for %s at %s%s%s%s", f->n, cli_group_name(p, f->name), f->n == 1 ? "s" : "", reason,
            cli_place(p, &f->site, where, sizeof where), s->cause ? ": " : "", s->cause ? gl_blocked_cause_name[s->cause] : "",
            s->growing ? ", growing" : "");
    }
}

static void worst_straddles(const cli_measures *m, cli_page *p)
{
    for (size_t i = 0; i < m->straddling->worst_count; i++) {
        const gl_send *x = &m->straddling->worst[i];
        cli_unit u, v;
        char where[300];
        say(p, "G%llu %s: a %s at %s, begun at %s, %s inside pauses", (unsigned long long)x->g, cli_group_name(p, x->group),
            gl_operation_name[x->kind], cli_place(p, &x->site, where, sizeof where), gl_unit_ns(u, x->begin),
            cli_ns(v, x->overlap_ns));
    }
}

static void findings(const cli_measures *m, const char *question, cli_page *p)
{
    size_t told = 0;
    bool some = strchr(question, '(') != NULL;
    for (size_t i = 0; i < m->anomalies->count && told < 3; i++) {
        const gl_anomaly *x = &m->anomalies->list[i];
        cli_unit u;
        char where[300];
        if (some && !strstr(question, gl_anomaly_kinds[x->kind].name))
            continue;
        told++;
        say(p, "%s at %s: G%llu %s at %s", gl_anomaly_kinds[x->kind].name, gl_unit_ns(u, x->begin), (unsigned long long)x->g,
            cli_group_name(p, x->group), cli_place(p, &x->site, where, sizeof where));
    }
}

void cli_measure_evidence(const cli_measures *m, const char *question, cli_page *p)
{
    if (strstr(question, "stw") || strstr(question, "gc_pause") || strstr(question, "time_to_stop"))
        longest_pause(m, p);
    else if (strstr(question, "sched_latency"))
        longest_waits(m, p);
    else if (strstr(question, "stuck") || strstr(question, "leaks") || strstr(question, "deadlocks"))
        stuck_places(m, p);
    else if (strstr(question, "straddle"))
        worst_straddles(m, p);
    else if (strstr(question, "anomalies"))
        findings(m, question, p);
}

void cli_measure_page(gl_text *out)
{
    gl_text_str(out, "# FIGURES\n\n");
    for (size_t i = 0; i < METRICS; i++) {
        const struct metric *x = &metrics[i];
        gl_text_str(out, "*");
        for (const char *c = x->name; *c; c++)
            gl_text_printf(out, "%s%c", *c == '_' ? "\\" : "", *c);
        gl_text_str(out, "*");
        if (x->use == MUST_HAVE)
            gl_text_printf(out, "(\"%s\")", x->argument);
        else if (x->use == MAY_HAVE)
            gl_text_printf(out, ", or with (\"%s\")", x->argument);
        gl_text_printf(out, "\n\t%s%s\n\n", x->help, x->spread ? "; many values" : "");
    }
    gl_text_str(out, "# FUNCTIONS\n\nOf figures with many values; of none each of these is 0.\n\n");
    for (size_t i = 0; i < FUNCTIONS; i++)
        gl_text_printf(out, "*%s*\n\t%s\n\n", functions[i].name, functions[i].help);
}
