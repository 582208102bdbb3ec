/* golanes channels: the life of each channel. */
#include "golanes_analysis/channels.h"
#include "report.h"

#include <string.h>

typedef struct answer {
    gl_channels *channels;
    const gl_channels_result *r;
} answer;

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    a->channels = gl_channels_new(run->summary, run->dict, &(gl_channels_options){.keep = run->top});
    return a->channels ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    return gl_channels_finish(a->channels, run->r->end_ns, &a->r);
}

static void clean_up(void *self) { gl_channels_destroy(((answer *)self)->channels); }

static const char *const end_names[GL_CHANNEL_ENDS] = {"send", "receive"};

/* --- text --- */

static const char *capacity(char *out, size_t n, uint64_t least, uint64_t most)
{
    if (least > most)
        snprintf(out, n, "-");
    else if (least == most)
        snprintf(out, n, "%llu", (unsigned long long)least);
    else
        snprintf(out, n, "%llu-%llu", (unsigned long long)least, (unsigned long long)most);
    return out;
}

static double share(uint64_t part, uint64_t whole) { return whole ? (double)part / (double)whole : 0; }

static void groups(cli_page *p, const gl_channels_result *r)
{
    static const gl_column columns[] = {
        {"made at", GL_ALIGN_LEFT, GL_CUT_START, 14, 0},   {"of", GL_ALIGN_LEFT, GL_CUT_END, 8, 4},
        {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},           {"closed", GL_ALIGN_RIGHT, GL_CUT_END, 0, 3},
        {"cap", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},         {"sends", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5},         {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"receives", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},    {"p50", GL_ALIGN_RIGHT, GL_CUT_END, 0, 5},
        {"p99", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},         {"full", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2},
        {"empty", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2}};
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t rows = r->group_count < p->top ? r->group_count : p->top;
    for (size_t i = 0; i < rows; i++) {
        const gl_channel_group *g = &r->groups[i];
        cli_unit u[10];
        char where[300], cap[50];
        bool buffered = g->cap_most > 0 && g->cap_least <= g->cap_most;
        const char *elem = cli_string_of(p, g->elem);
        const char *cells[] = {g->site.stack ? cli_place(p, &g->site, where, sizeof where) : "(not known)",
                               elem,
                               gl_unit_count(u[0], g->n),
                               cli_count(u[1], g->closed),
                               capacity(cap, sizeof cap, g->cap_least, g->cap_most),
                               cli_count(u[2], g->done[GL_CHANNEL_SEND]),
                               cli_ns(u[3], g->wait[GL_CHANNEL_SEND].p50_ns),
                               cli_ns(u[4], g->wait[GL_CHANNEL_SEND].p99_ns),
                               cli_count(u[5], g->done[GL_CHANNEL_RECV]),
                               cli_ns(u[6], g->wait[GL_CHANNEL_RECV].p50_ns),
                               cli_ns(u[7], g->wait[GL_CHANNEL_RECV].p99_ns),
                               buffered ? gl_unit_share(u[8], share(g->full_ns, g->seen_ns)) : "-",
                               buffered ? gl_unit_share(u[9], share(g->empty_ns, g->seen_ns)) : "-"};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->group_count, "places");
    cli_note(p, CLI_DIM, "p50, p99: how long an operation took, from its begin to its end; full, empty: share of the time.");
}

static void users(cli_page *p, gl_text *out, const gl_channel_end *e)
{
    gl_text_clear(out);
    for (size_t i = 0; i < e->user_count; i++) {
        bool told = false;
        for (size_t k = 0; k < i && !told; k++)
            told = e->users[k].group == e->users[i].group;
        if (!told)
            gl_text_printf(out, "%s%s", out->n ? ", " : "", cli_group_name(p, e->users[i].group));
    }
    if (e->more_users)
        gl_text_str(out, ", …");
    if (!out->n)
        gl_text_str(out, "-");
}

static void one_channel(cli_page *p, const gl_channel *c)
{
    cli_unit a, b, d;
    char where[300], words[100];
    gl_text line = {0}, who = {0};
    cli_style(p, CLI_BOLD);
    if (c->chan)
        gl_text_printf(&p->out, "  0x%llx", (unsigned long long)c->chan);
    else
        gl_text_str(&p->out, "  nil channel");
    cli_style(p, CLI_PLAIN);
    if (c->life > 1)
        gl_text_printf(&line, ", life %u of this address", c->life);
    if (c->elem)
        gl_text_printf(&line, ", chan %s", cli_string_of(p, c->elem));
    if (c->cap_known)
        gl_text_printf(&line, ", capacity %s", gl_unit_count(a, c->cap));
    if (c->made_at >= 0)
        gl_text_printf(&line, ", made at %s in %s by G%llu %s", gl_unit_ns(a, c->made_at),
                       cli_place(p, &c->made_site, where, sizeof where), (unsigned long long)c->made_by,
                       cli_group_name(p, c->made_group));
    else if (c->chan)
        gl_text_str(&line, ", made before the trace");
    gl_text_str(&line, "\n");
    gl_text_fit(&p->out, line.bytes, line.n - 1, p->width > 24 ? p->width - 20 : 20, GL_CUT_END);
    gl_text_str(&p->out, "\n");
    for (unsigned i = 0; i < GL_CHANNEL_ENDS; i++) {
        const gl_channel_end *e = &c->end[i];
        gl_text_clear(&line);
        users(p, &who, e);
        gl_text_printf(&line, "%s, %s in all",
                       cli_many(words, sizeof words, e->done, i ? "receive" : "send", i ? "receives" : "sends"),
                       cli_ns(a, e->wait.total_ns));
        if (e->wait_spread && e->done)
            gl_text_printf(&line, " (p50 %s, p99 %s", cli_ns(b, e->wait.p50_ns), cli_ns(d, e->wait.p99_ns));
        if (e->done)
            gl_text_printf(&line, "%smax %s)", e->wait_spread ? ", " : " (", cli_ns(a, e->wait.max_ns));
        if (e->would_block)
            gl_text_printf(&line, "; %s found it not ready", gl_unit_count(a, e->would_block));
        if (e->closed)
            gl_text_printf(&line, "; %s found it closed", gl_unit_count(a, e->closed));
        if (e->panics)
            gl_text_printf(&line, "; %s on the closed channel PANICKED", gl_unit_count(a, e->panics));
        if (e->waiting)
            gl_text_printf(&line, "; %s waiting at the end", gl_unit_count(a, e->waiting));
        gl_text_printf(&line, "; by %s", who.bytes);
        cli_note(p, "", line.bytes);
    }
    gl_text_clear(&line);
    if (c->cap_known && c->cap && c->seen_ns)
        gl_text_printf(&line, "fill: %s at most, %.2f in the mean, full %s and empty %s of the time",
                       gl_unit_count(d, c->fill_max), share(c->fill_ns, c->seen_ns),
                       gl_unit_share(a, share(c->full_ns, c->seen_ns)), gl_unit_share(b, share(c->empty_ns, c->seen_ns)));
    if (c->closed_at >= 0)
        gl_text_printf(&line, "%sclosed at %s by G%llu %s in %s", line.n ? "; " : "", gl_unit_ns(a, c->closed_at),
                       (unsigned long long)c->closed_by, cli_group_name(p, c->closed_group),
                       cli_place(p, &c->closed_site, where, sizeof where));
    else if (c->asked_for_close)
        gl_text_printf(&line, "%snever closed, though somebody receives until it is", line.n ? "; " : "");
    if (c->closes_too_many)
        gl_text_printf(&line, "; closed again %s times (PANIC)", gl_unit_count(a, c->closes_too_many));
    if (line.n)
        cli_note(p, "", line.bytes);
    gl_text_clean_up(&line);
    gl_text_clean_up(&who);
}

static void rendezvous(cli_page *p, const gl_channels_result *r)
{
    static const gl_column columns[] = {
        {"waited in", GL_ALIGN_LEFT, GL_CUT_END, 8, 0},   {"at", GL_ALIGN_LEFT, GL_CUT_START, 14, 0},
        {"released by", GL_ALIGN_LEFT, GL_CUT_END, 8, 0}, {"at", GL_ALIGN_LEFT, GL_CUT_START, 14, 0},
        {"n", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},          {"in all", GL_ALIGN_RIGHT, GL_CUT_END, 0, 0},
        {"mean", GL_ALIGN_RIGHT, GL_CUT_END, 0, 2}};
    char words[80];
    cli_heading(p, "RENDEZVOUS", cli_many(words, sizeof words, r->rendezvous_count, "pair of places", "pairs of places"));
    gl_table *t = gl_table_new(columns, sizeof columns / sizeof *columns);
    size_t rows = r->rendezvous_count < p->top ? r->rendezvous_count : p->top;
    for (size_t i = 0; i < rows; i++) {
        const gl_rendezvous *x = &r->rendezvous[i];
        cli_unit n, ns, mean;
        char here[300], there[300];
        const char *cells[] = {cli_reason_name(p, x->reason),
                               cli_place(p, &x->wait, here, sizeof here),
                               gl_release_name(x->how),
                               cli_place(p, &x->release, there, sizeof there),
                               gl_unit_count(n, x->n),
                               cli_ns(ns, x->ns),
                               cli_ns(mean, x->ns / x->n)};
        cli_add_row(p, t, cells);
    }
    cli_finish_table(p, t);
    cli_more(p, rows, r->rendezvous_count, "pairs");
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const gl_channels_result *r = ((answer *)self)->r;
    char words[80], line[200];
    cli_unit n;
    (void)run;
    if (!r->recorded) {
        cli_heading(p, "CHANNELS", "");
        cli_note(p, "", "A trace that Go wrote does not say which channel an operation is about, nor does it show operations "
                        "that did not wait. What follows is inferred: waits in channel operations, and the places from where "
                        "they were ended, by the stacks of both. Operations at one pair of places may be about several "
                        "channels. golanes record sees the channels themselves.");
        if (r->rendezvous_count)
            rendezvous(p, r);
        return;
    }
    snprintf(line, sizeof line, "%s, %s operations", cli_many(words, sizeof words, r->seen, "channel", "channels"),
             gl_unit_count(n, r->operations));
    cli_heading(p, "CHANNELS", line);
    groups(p, r);
    cli_heading(p, "ONE BY ONE", "those where most time was spent first");
    for (size_t i = 0; i < r->channel_count; i++)
        one_channel(p, &r->channels[i]);
    cli_more(p, r->channel_count, (size_t)r->seen, "channels");
    if (r->cut)
        cli_note(p, CLI_WARN, "There are more channels at once than are kept; some are listed in several parts.");
}

/* --- JSON --- */

static void json_end(cli_summary_json *w, const char *key, const gl_channel_end *e)
{
    cli_json *j = &w->json;
    cli_json_open(j, key, '{');
    cli_json_uint(j, "done", e->done);
    cli_json_uint(j, "would_block", e->would_block);
    cli_json_uint(j, "closed", e->closed);
    cli_json_uint(j, "panics", e->panics);
    cli_json_uint(j, "waiting", e->waiting);
    cli_json_bool(j, "percentiles_kept", e->wait_spread);
    cli_json_spread(j, "wait", &e->wait);
    cli_json_open(j, "users", '[');
    for (size_t i = 0; i < e->user_count; i++) {
        cli_json_open(j, NULL, '{');
        cli_json_uint(j, "goroutine", e->users[i].g);
        cli_summary_json_string(w, "start", e->users[i].group);
        cli_json_uint(j, "n", e->users[i].n);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_bool(j, "more_users", e->more_users);
    cli_json_close(j, '}');
}

static void json_channel(cli_summary_json *w, const gl_channel *c)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_channel(j, "channel", c->chan);
    cli_json_uint(j, "life", c->life);
    cli_summary_json_string(w, "element", c->elem);
    cli_json_known(j, "capacity", c->cap_known, c->cap);
    cli_json_known(j, "made_at", c->made_at >= 0, (uint64_t)c->made_at);
    cli_json_known(j, "made_by", c->made_at >= 0, c->made_by);
    cli_summary_json_string(w, "made_by_start", c->made_group);
    cli_summary_json_site(w, "made_site", &c->made_site);
    cli_json_int(j, "first", c->first);
    cli_json_int(j, "last", c->last);
    for (unsigned i = 0; i < GL_CHANNEL_ENDS; i++)
        json_end(w, end_names[i], &c->end[i]);
    cli_json_open(j, "fill", '{');
    cli_json_uint(j, "max", c->fill_max);
    cli_json_real(j, "mean", share(c->fill_ns, c->seen_ns));
    cli_json_uint(j, "last", c->fill_last);
    cli_json_uint(j, "seen_ns", c->seen_ns);
    cli_json_uint(j, "full_ns", c->full_ns);
    cli_json_uint(j, "empty_ns", c->empty_ns);
    cli_json_close(j, '}');
    cli_json_known(j, "closed_at", c->closed_at >= 0, (uint64_t)c->closed_at);
    cli_json_known(j, "closed_by", c->closed_at >= 0, c->closed_by);
    cli_summary_json_string(w, "closed_by_start", c->closed_group);
    cli_summary_json_site(w, "closed_site", &c->closed_site);
    cli_json_uint(j, "closes_too_many", c->closes_too_many);
    cli_json_bool(j, "received_until_closed", c->asked_for_close);
    cli_json_close(j, '}');
}

static void json_group(cli_summary_json *w, const gl_channel_group *g)
{
    cli_json *j = &w->json;
    bool caps = g->cap_least <= g->cap_most;
    cli_json_open(j, NULL, '{');
    cli_summary_json_site(w, "made_site", &g->site);
    cli_summary_json_string(w, "element", g->elem);
    cli_json_uint(j, "n", g->n);
    cli_json_uint(j, "closed", g->closed);
    cli_json_uint(j, "unclosed_though_received_until_closed", g->unclosed_though_asked);
    cli_json_uint(j, "sends_after_close", g->late_sends);
    cli_json_known(j, "capacity_min", caps, g->cap_least);
    cli_json_known(j, "capacity_max", caps, g->cap_most);
    for (unsigned i = 0; i < GL_CHANNEL_ENDS; i++) {
        cli_json_open(j, end_names[i], '{');
        cli_json_uint(j, "done", g->done[i]);
        cli_json_uint(j, "waiting", g->waiting[i]);
        cli_json_spread(j, "wait", &g->wait[i]);
        cli_json_close(j, '}');
    }
    cli_json_uint(j, "fill_max", g->fill_max);
    cli_json_uint(j, "seen_ns", g->seen_ns);
    cli_json_uint(j, "full_ns", g->full_ns);
    cli_json_uint(j, "empty_ns", g->empty_ns);
    cli_json_close(j, '}');
}

static void json_rendezvous(cli_summary_json *w, const gl_channels_result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "rendezvous", '[');
    for (size_t i = 0; i < r->rendezvous_count; i++) {
        const gl_rendezvous *x = &r->rendezvous[i];
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "waited_in", x->reason);
        cli_summary_json_site(w, "site", &x->wait);
        cli_json_str(j, "released_by", gl_release_name(x->how));
        cli_summary_json_site(w, "release_site", &x->release);
        cli_json_uint(j, "n", x->n);
        cli_json_uint(j, "total_ns", x->ns);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const gl_channels_result *r = ((answer *)self)->r;
    cli_json *j = &w->json;
    (void)run;
    cli_json_bool(j, "recorded", r->recorded);
    cli_json_uint(j, "channels_in_all", r->seen);
    cli_json_uint(j, "operations", r->operations);
    cli_json_bool(j, "cut", r->cut);
    cli_json_open(j, "groups", '[');
    for (size_t i = 0; i < r->group_count; i++)
        json_group(w, &r->groups[i]);
    cli_json_close(j, ']');
    cli_json_open(j, "channels", '[');
    for (size_t i = 0; i < r->channel_count; i++)
        json_channel(w, &r->channels[i]);
    cli_json_close(j, ']');
    json_rendezvous(w, r);
}

static const cli_report report = {
    .bytes = sizeof(answer), .start = start, .finish = finish, .text = text, .json = json, .clean_up = clean_up};

static int run_channels(const cli_args *args) { return cli_report_answer(args, &report); }

const cli_command cli_command_channels = {
    .name = "channels", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_channels,
    .brief = "the life of each channel: who uses it, how full, how long both ends wait",
    .description =
        "Prints the channels of a recorded trace, by the place where they were made and one by one: capacity, sends and "
        "receives and how long they took, how full the channel was, who used which end, when and by whom it was closed, and "
        "what went wrong: sends on the closed channel, a second close, a channel that is received from until it is closed but "
        "never is.\n\n"
        "A trace that Go wrote does not know channels. Of such a trace the rendezvous are printed: the places where channel "
        "operations waited, with the places from where these waits were ended.",
    CLI_OPTIONS(CLI_REPORT_OPTIONS),
    .examples = {{"golanes channels run.lanes", "All channels, those where most time was spent first."},
                 {"golanes channels --json run.lanes | jq '.channels[] | select(.send.panics > 0)'",
                  "Channels that were sent on after their close."}},
};
