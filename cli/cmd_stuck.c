/* golanes stuck: who is blocked at the end, and why nobody releases them. */
#include "golanes_analysis/blocked.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

typedef struct answer {
    gl_channels *channels;
    gl_blocked *blocked;
    const gl_channels_result *all_channels;
    const gl_blocked_result *r;
    struct answer *before; /* --baseline */
    cli_report_run *before_run;
    size_t known; /* places that the baseline has as well */
} answer;

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    a->channels = gl_channels_new(run->summary, run->dict, &(gl_channels_options){.keep = 0});
    a->blocked = a->channels ? gl_blocked_new(run->summary, run->dict, a->channels) : NULL;
    return a->blocked ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    int status = gl_blocked_finish(a->blocked, run->r, &a->r);
    return status < 0 ? status : gl_channels_finish(a->channels, run->r->end_ns, &a->all_channels);
}

static void clean_up_one(answer *a)
{
    gl_blocked_destroy(a->blocked);
    gl_channels_destroy(a->channels);
}

static void clean_up(void *self)
{
    answer *a = self;
    clean_up_one(a);
    if (a->before)
        clean_up_one(a->before);
    if (a->before_run)
        cli_report_close(a->before_run);
    free(a->before);
    free(a->before_run);
}

static const cli_report baseline_report = {.bytes = sizeof(answer), .start = start, .finish = finish};

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    const char *baseline = cli_args_text(run->args, CLI_OPT_BASELINE, NULL);
    if (!baseline)
        return 0;
    a->before = calloc(1, sizeof *a->before);
    a->before_run = calloc(1, sizeof *a->before_run);
    if (!a->before || !a->before_run) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    return cli_report_read(run->args, baseline, &baseline_report, a->before, a->before_run);
}

/* --- against a baseline --- */

static bool same_text(const gl_dict *a, uint32_t x, const gl_dict *b, uint32_t y)
{
    return strcmp(gl_dict_text(a, x, NULL), gl_dict_text(b, y, NULL)) == 0;
}

/* Lines move when a program is changed, functions less so. */
static bool same_place(const gl_dict *a, const gl_stuck_site *x, const gl_dict *b, const gl_stuck_site *y)
{
    return same_text(a, x->reason, b, y->reason) && same_text(a, x->name, b, y->name) &&
           same_text(a, x->site.func, b, y->site.func) && same_text(a, x->created_at.func, b, y->created_at.func);
}

static uint64_t count_like(const gl_blocked_result *r, const gl_dict *d, const gl_dict *of, const gl_stuck_site *like)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->site_count; i++)
        n += same_place(d, r->sites[i].figures, of, like) ? r->sites[i].figures->n : 0;
    return n;
}

/* How many wait there that did not in the baseline. */
static uint64_t new_here(const answer *a, const gl_dict *dict, const gl_blocked_site *s)
{
    if (!a->before)
        return s->figures->n;
    uint64_t before = count_like(a->before->r, a->before_run->dict, dict, s->figures);
    uint64_t now = count_like(a->r, dict, dict, s->figures);
    uint64_t more = now > before ? now - before : 0;
    return more < s->figures->n ? more : s->figures->n;
}

static bool is_told(const cli_report_run *run, const answer *a, const gl_blocked_site *s)
{
    return !s->figures->system && !s->figures->idle && cli_report_wants((void *)(uintptr_t)run, s->figures->name) &&
           new_here(a, run->dict, s) > 0;
}

/* --- text --- */

/* Of the one that waits longest. */
static void how_long(const cli_page *p, const gl_stuck_site *s, cli_unit out)
{
    const gl_stuck_goroutine *longest = &s->goroutines[0];
    cli_unit length;
    gl_unit_ns(length, p->r->end_ns - (longest->since_known ? longest->since : 0));
    snprintf(out, sizeof(cli_unit), "%s%.24s", longest->since_known ? "" : ">", length);
}

static void cause_text(const gl_blocked_site *s, char *out, size_t n)
{
    const char *cause = s->cause ? gl_blocked_cause_name[s->cause] : "";
    if (s->growing)
        snprintf(out, n, "%s%sleak, +%.3g/s", cause, *cause ? "; " : "", s->grown_per_s);
    else if (s->cause)
        snprintf(out, n, "%s", cause);
    else
        snprintf(out, n, "%s", s->figures->released_here ? "not known" : "never released here");
}

static void places(const cli_report_run *run, cli_page *p, const answer *a, size_t *told)
{
    static const gl_column columns[] = {
        {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},           {"started as", GL_ALIGN_LEFT, GL_CUT_MIDDLE, 14, 0},
        {"waits for", GL_ALIGN_LEFT, GL_CUT_END, 12, 0},   {"at", GL_ALIGN_LEFT, GL_CUT_START, 14, 0},
        {"up to", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2},       {"why", GL_ALIGN_LEFT, GL_CUT_END, 24, 0},
        {"released before", GL_ALIGN_RIGHT, GL_CUT_END, 0, 4}, {"created at", GL_ALIGN_LEFT, GL_CUT_START, 14, 3}};
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t all = 0;
    *told = 0;
    for (size_t i = 0; i < a->r->site_count; i++) {
        const gl_blocked_site *s = &a->r->sites[i];
        const gl_stuck_site *f = s->figures;
        if (!is_told(run, a, s) || ++all > p->top)
            continue;
        ++*told;
        cli_unit n, when, before;
        char where[300], made[300], reason[300], why[200];
        snprintf(reason, sizeof reason, "%s%s", f->inferred_reason ? "~" : "",
                 f->inferred_reason ? f->inferred_reason : cli_reason_name(p, f->reason));
        how_long(p, f, when);
        cause_text(s, why, sizeof why);
        const char *cells[] = {gl_unit_count(n, new_here(a, run->dict, s)),
                               cli_group_name(p, f->name),
                               reason,
                               cli_place(p, &f->site, where, sizeof where),
                               when,
                               why,
                               cli_count(before, f->released_here),
                               f->created_at.stack ? cli_place(p, &f->created_at, made, sizeof made) : "-"};
        cli_add_row(p, t, cells);
    }
    if (all)
        cli_finish_table(p, t);
    else
        gl_table_destroy(t);
    cli_more(p, *told, all, "places");
}

static void say_ends(cli_page *p, const gl_channel *c, gl_text *line)
{
    static const char *const verbs[] = {"sent", "received"};
    cli_unit u;
    for (unsigned k = 0; k < GL_CHANNEL_ENDS; k++) {
        const gl_channel_end *e = &c->end[k];
        if (!e->user_count) {
            gl_text_printf(line, "; nobody ever %s", verbs[k]);
            continue;
        }
        gl_text_printf(line, "; %s %s times by", verbs[k], gl_unit_count(u, e->done));
        for (size_t i = 0; i < e->user_count && i < 3; i++)
            gl_text_printf(line, "%s G%llu %s", i ? "," : "", (unsigned long long)e->users[i].g,
                           cli_group_name(p, e->users[i].group));
        if (e->user_count > 3 || e->more_users)
            gl_text_str(line, " and others");
    }
}

static void about_channel(cli_page *p, const gl_blocked_site *s)
{
    const gl_channel *c = &s->channel;
    char where[300];
    cli_unit a, b;
    gl_text line = {0};
    gl_text_printf(&line, "%s at %s: channel 0x%llx", cli_group_name(p, s->figures->name),
                   cli_place(p, &s->figures->site, where, sizeof where), (unsigned long long)c->chan);
    if (c->made_at >= 0)
        gl_text_printf(&line, ", made in %s by G%llu", cli_place(p, &c->made_site, where, sizeof where),
                       (unsigned long long)c->made_by);
    if (c->cap_known)
        gl_text_printf(&line, "; %s of %s filled", gl_unit_count(a, c->fill_last), gl_unit_count(b, c->cap));
    gl_text_printf(&line, ", %s", c->closed_at >= 0 ? "closed" : "not closed");
    say_ends(p, c, &line);
    if (s->others)
        gl_text_printf(&line, "; %s others wait for it", gl_unit_count(a, s->others));
    if (s->reach_count) {
        gl_text_str(&line, "; still alive and seen with it:");
        for (size_t i = 0; i < s->reach_count; i++)
            gl_text_printf(&line, "%s G%llu", i ? "," : "", (unsigned long long)s->reach[i]);
    } else {
        gl_text_printf(&line, "; no living goroutine that was seen with it is left%s",
                       s->reach_complete ? "" : " (though not all who used it are known)");
    }
    gl_text_str(&line, ".");
    cli_note(p, "", line.bytes);
    gl_text_clean_up(&line);
}

static void cycles(cli_page *p, const answer *a)
{
    gl_text line = {0};
    cli_unit n;
    for (uint32_t c = 1; c <= a->r->cycles && c <= p->top; c++) {
        size_t told = 0, all = 0;
        gl_text_clear(&line);
        for (size_t i = 0; i < a->r->site_count; i++) {
            const gl_blocked_site *s = &a->r->sites[i];
            for (size_t k = 0; k < s->figures->n; k++) {
                const gl_blocked_goroutine *g = &s->goroutines[k];
                char where[300];
                if (g->cycle != c || all++ >= 8)
                    continue;
                told++;
                gl_text_printf(&line, "%sG%llu %s %s 0x%llx in %s", told > 1 ? "; " : "Deadlock: ",
                               (unsigned long long)g->figures->g, cli_group_name(p, g->figures->name),
                               g->op.end == GL_CHANNEL_SEND ? "sends to" : "receives from", (unsigned long long)g->op.chan,
                               cli_place(p, &g->figures->site, where, sizeof where));
            }
        }
        if (all > told)
            gl_text_printf(&line, "; and %s more", gl_unit_count(n, all - told));
        gl_text_str(&line, ". All who used the other ends of these channels are among them, or have ended.");
        cli_note(p, "", line.bytes);
    }
    gl_text_clean_up(&line);
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    cli_unit i, s;
    char words[80];
    gl_text line = {0};
    size_t told, shown = 0;
    gl_text_printf(&line, "%s for each other; %s for time or the network; %s of the runtime",
                   cli_many(words, sizeof words, a->r->waiting, "goroutine", "goroutines"), gl_unit_count(i, a->r->idle),
                   gl_unit_count(s, a->r->system));
    cli_heading(p, "WAITING AT THE END", line.bytes);
    if (a->r->everybody)
        cli_note(p, CLI_WARN, p->file->complete
                     ? "Everybody waits for somebody else: no goroutine of the program can go on. It is deadlocked."
                     : "Everybody who is seen waits for somebody else. The trace is incomplete: if it shows all goroutines, it is a deadlock.");
    if (a->before)
        cli_note(p, CLI_DIM, "Only what the baseline does not have is shown: places by functions, reason and creator.");
    places(run, p, a, &told);
    if (a->before && !told)
        cli_note(p, "", "Nothing new.");
    for (size_t k = 0; k < a->r->site_count && shown < p->top; k++) {
        if (!is_told(run, a, &a->r->sites[k]))
            continue;
        shown++;
        if (a->r->sites[k].channel_known)
            about_channel(p, &a->r->sites[k]);
    }
    cycles(p, a);
    if (told)
        cli_note(p, CLI_DIM, "up to: how long the first of them has waited. why: as far as the trace saw. ~ inferred from the stack.");
    if (told && !a->all_channels->recorded)
        cli_note(p, CLI_DIM, "The trace does not know channels (golanes record does), so that who could release whom is not "
                             "known.");
    gl_text_clean_up(&line);
}

/* --- JSON --- */

static void json_channel(cli_summary_json *w, const gl_blocked_site *s)
{
    cli_json *j = &w->json;
    const gl_channel *c = &s->channel;
    static const char *const keys[] = {"sent_by", "received_by"};
    if (!s->channel_known) {
        cli_json_null(j, "channel");
        return;
    }
    cli_json_open(j, "channel", '{');
    cli_json_channel(j, "channel", c->chan);
    cli_json_known(j, "capacity", c->cap_known, c->cap);
    cli_json_uint(j, "fill", c->fill_last);
    cli_json_known(j, "closed_at", c->closed_at >= 0, (uint64_t)c->closed_at);
    cli_json_known(j, "made_by", c->made_at >= 0, c->made_by);
    cli_summary_json_site(w, "made_site", &c->made_site);
    for (unsigned k = 0; k < GL_CHANNEL_ENDS; k++) {
        cli_json_open(j, keys[k], '[');
        for (size_t i = 0; i < c->end[k].user_count; i++)
            cli_json_uint(j, NULL, c->end[k].users[i].g);
        cli_json_close(j, ']');
    }
    cli_json_uint(j, "others_waiting", s->others);
    cli_json_open(j, "alive_and_seen_with_it", '[');
    for (size_t i = 0; i < s->reach_count; i++)
        cli_json_uint(j, NULL, s->reach[i]);
    cli_json_close(j, ']');
    cli_json_bool(j, "all_users_known", s->reach_complete);
    cli_json_close(j, '}');
}

static void json_site(cli_summary_json *w, const cli_report_run *run, const answer *a, const gl_blocked_site *s)
{
    cli_json *j = &w->json;
    const gl_stuck_site *f = s->figures;
    cli_json_open(j, NULL, '{');
    cli_json_uint(j, "n", f->n);
    cli_json_uint(j, "new", new_here(a, run->dict, s));
    cli_summary_json_string(w, "start", f->name);
    cli_summary_json_string(w, "reason", f->reason);
    if (f->inferred_reason)
        cli_json_str(j, "inferred_reason", f->inferred_reason);
    cli_summary_json_site(w, "site", &f->site);
    cli_summary_json_site(w, "created_at", &f->created_at);
    cli_json_uint(j, "released_here", f->released_here);
    cli_json_str(j, "cause", gl_blocked_cause_name[s->cause]);
    cli_json_bool(j, "growing", s->growing);
    if (s->growing)
        cli_json_real(j, "growing_per_s", s->grown_per_s);
    json_channel(w, s);
    cli_json_open(j, "goroutines", '[');
    for (size_t i = 0; i < f->n && i < run->top; i++) {
        const gl_blocked_goroutine *g = &s->goroutines[i];
        cli_json_open(j, NULL, '{');
        cli_json_uint(j, "goroutine", g->figures->g);
        cli_json_known(j, "parent", g->figures->parent != GL_NO_GOROUTINE, g->figures->parent);
        cli_json_known(j, "since", g->figures->since_known, (uint64_t)g->figures->since);
        cli_json_str(j, "cause", gl_blocked_cause_name[g->cause]);
        cli_json_known(j, "cycle", g->cycle != 0, g->cycle);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_close(j, '}');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const answer *a = self;
    cli_json *j = &w->json;
    cli_json_bool(j, "channels_recorded", a->all_channels->recorded);
    cli_json_uint(j, "waiting", a->r->waiting);
    cli_json_uint(j, "idle", a->r->idle);
    cli_json_uint(j, "system", a->r->system);
    cli_json_bool(j, "everybody", a->r->everybody);
    cli_json_uint(j, "cycles", a->r->cycles);
    cli_json_bool(j, "against_baseline", a->before != NULL);
    cli_json_open(j, "places", '[');
    for (size_t i = 0; i < a->r->site_count; i++) {
        if (is_told(run, a, &a->r->sites[i]))
            json_site(w, run, a, &a->r->sites[i]);
    }
    cli_json_close(j, ']');
}

static const cli_report report = {.bytes = sizeof(answer),
                                  .prepare = prepare,
                                  .start = start,
                                  .finish = finish,
                                  .text = text,
                                  .json = json,
                                  .clean_up = clean_up};

static int run_stuck(const cli_args *args) { return cli_report_answer(args, &report); }

const cli_command cli_command_stuck = {
    .name = "stuck", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_stuck,
    .brief = "goroutines blocked at the end, and why nobody releases them",
    .description =
        "Prints the goroutines that are blocked when the trace ends, by the place where they wait: since when, for what, created "
        "where, how many waits at that place did end before, and why nobody releases them, as far as the trace saw: a nil "
        "channel, an empty select, a deadlock (all who ever used the other end wait for each other), a channel that is received "
        "from until it is closed but never will be, no sender or receiver left, or a leak (their number grew all the time, and "
        "none of them was ever released). Where the trace knows channels (golanes record), also which channel it is, how full, "
        "who used its ends, and who is left that was seen with it.\n\n"
        "With --baseline only what another trace does not have is shown.",
    CLI_OPTIONS(CLI_OPT_BASELINE, CLI_OPT_GROUP, CLI_REPORT_OPTIONS),
    .examples = {{"golanes stuck run.lanes", "Who waits at the end?"},
                 {"golanes stuck --baseline before.lanes after.lanes", "Which waits are new?"},
                 {"golanes stuck --json run.lanes | jq '.places[] | select(.growing)'", "Leaks only."}},
};
