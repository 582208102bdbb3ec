/* golanes anomalies: rules that are broken, and what looks wrong. */
#include "golanes_analysis/anomalies.h"
#include "out.h"
#include "report.h"

#include <string.h>

typedef struct answer {
    gl_anomalies *anomalies;
    gl_channels *channels;
    const gl_anomalies_result *r;
    bool wanted[GL_ANOMALY_KINDS];
} answer;

static const char *names[GL_ANOMALY_KINDS];

static int prepare(cli_report_run *run, void *self)
{
    answer *a = self;
    const char *list = cli_args_text(run->args, CLI_OPT_ANOMALY, NULL);
    for (unsigned i = 0; i < GL_ANOMALY_KINDS; i++) {
        names[i] = gl_anomaly_kinds[i].name;
        a->wanted[i] = !list;
    }
    for (const char *at = list; at;) {
        size_t n = strcspn(at, ","), i = 0;
        char word[64] = "";
        memcpy(word, at, n < sizeof word ? n : sizeof word - 1);
        while (i < GL_ANOMALY_KINDS && strcmp(word, names[i]) != 0)
            i++;
        if (i == GL_ANOMALY_KINDS) {
            const char *near = cli_nearest(word, names, GL_ANOMALY_KINDS);
            cli_usage_error(run->args->command, "--kind: there is no anomaly '%.40s', at character %zu%s%s%s", word,
                            (size_t)(at - list) + 1, near ? "; did you mean " : "; golanes-anomalies(1) lists them all", near ? near : "", near ? "?" : "");
            return cli_point_at(list, (size_t)(at - list), n);
        }
        a->wanted[i] = true;
        at = at[n] ? at + n + 1 : NULL;
    }
    return 0;
}

static int start(cli_report_run *run, void *self)
{
    answer *a = self;
    a->anomalies = gl_anomalies_new(run->summary, run->dict, run->top);
    a->channels = a->anomalies ? gl_channels_new(run->summary, run->dict, &(gl_channels_options){.keep = 0}) : NULL;
    if (a->channels)
        gl_anomalies_set_channels(a->anomalies, a->channels);
    return a->channels ? 0 : GL_E_NOMEM;
}

static int finish(cli_report_run *run, void *self)
{
    answer *a = self;
    return gl_anomalies_finish(a->anomalies, run->r->end_ns, &a->r);
}

static void clean_up(void *self)
{
    answer *a = self;
    gl_anomalies_destroy(a->anomalies);
    gl_channels_destroy(a->channels);
}

/* --- text --- */

static void add_who(cli_page *p, gl_text *line, uint64_t g, uint32_t group)
{
    gl_text_printf(line, "G%llu", (unsigned long long)g);
    if (group)
        gl_text_printf(line, " %s", cli_group_name(p, group));
}

static void add_where(cli_page *p, gl_text *line, const gl_site *site)
{
    char where[300];
    if (site->stack)
        gl_text_printf(line, " at %s", cli_place(p, site, where, sizeof where));
}

static void say_panic(cli_page *p, gl_text *line, const gl_anomaly *x)
{
    cli_unit u;
    if (x->chan)
        gl_text_printf(line, ", channel 0x%llx", (unsigned long long)x->chan);
    if (x->other_at < 0) {
        gl_text_str(line, x->kind == GL_ANOMALY_CLOSE_OF_NIL ? "" : "; who had closed it is not in the trace");
        return;
    }
    gl_text_str(line, "; closed by ");
    add_who(p, line, x->other_g, x->other_group);
    add_where(p, line, &x->other_site);
    if (x->waiting)
        gl_text_printf(line, " while it waited (%s after it began)", gl_unit_ns(u, x->other_at - x->begin));
    else
        gl_text_printf(line, " %s before", gl_unit_ns(u, x->begin - x->other_at));
}

static void evidence(cli_page *p, gl_text *line, const gl_anomaly *x)
{
    cli_unit u, v;
    const char *said = cli_string_of(p, x->text);
    switch (x->kind) {
    case GL_ANOMALY_SEND_ON_CLOSED:
    case GL_ANOMALY_CLOSE_OF_CLOSED:
    case GL_ANOMALY_CLOSE_OF_NIL: say_panic(p, line, x); break;
    case GL_ANOMALY_PANIC: gl_text_printf(line, ": %s; last seen %s later", *said ? said : "(no message)",
                                          gl_unit_ns(u, x->end - x->begin)); break;
    case GL_ANOMALY_NO_UNPARK: gl_text_printf(line, " waited, and ran %s later", gl_unit_ns(u, x->end - x->begin)); break;
    case GL_ANOMALY_IMPOSSIBLE:
        gl_text_printf(line, " was %s, and left %s %s later", gl_gstate_name(x->state), gl_gstate_name(x->left_as),
                       gl_unit_ns(u, x->end - x->begin));
        break;
    case GL_ANOMALY_EXPLOSION: gl_text_printf(line, "%s goroutines more, until %s; most made", gl_unit_count(u, x->count),
                                              gl_unit_ns(v, x->end)); break;
    case GL_ANOMALY_BUSY_SELECT:
    case GL_ANOMALY_GOSCHED_STORM:
        gl_text_printf(line, " %s times within %s", gl_unit_count(u, x->count), gl_unit_ns(v, (int64_t)x->ns));
        break;
    case GL_ANOMALY_TIMER_STORM:
        gl_text_printf(line, "%s waits ended by timers within %s", gl_unit_count(u, x->count), gl_unit_ns(v, (int64_t)x->ns));
        break;
    case GL_ANOMALY_LONG_RUNNABLE: gl_text_printf(line, " waited %s for a processor", gl_unit_ns(u, (int64_t)x->ns)); break;
    case GL_ANOMALY_DELAYED_UNPARK: gl_text_printf(line, " was held %s by a stop of the world (%s)",
                                                   gl_unit_ns(u, (int64_t)x->ns), said); break;
    default:
        gl_text_printf(line, "%s until %s: %s", x->count > 1 ? gl_unit_count(u, x->count) : "events", gl_unit_ns(v, x->end), said);
        break;
    }
}

static void one(cli_page *p, const gl_anomaly *x)
{
    cli_unit at;
    gl_text line = {0};
    gl_text_printf(&line, "%s  ", gl_unit_ns(at, x->begin));
    if (x->g)
        add_who(p, &line, x->g, x->group);
    evidence(p, &line, x);
    add_where(p, &line, &x->site);
    cli_note(p, "", line.bytes);
    gl_text_clean_up(&line);
}

static void text(const cli_report_run *run, void *self, cli_page *p)
{
    const answer *a = self;
    size_t at = 0;
    uint64_t found = 0;
    gl_text none = {0}, hidden = {0};
    (void)run;
    for (unsigned k = 0; k < GL_ANOMALY_KINDS; k++) {
        const gl_anomalies_kind_figures *f = &a->r->kind[k];
        char words[80];
        size_t shown = 0;
        bool told = a->wanted[k] && f->n;
        if (told) {
            cli_heading(p, gl_anomaly_kinds[k].name, cli_many(words, sizeof words, f->n, "time", "times"));
            cli_note(p, CLI_DIM, gl_anomaly_kinds[k].meaning);
            found += f->n;
        } else if (a->wanted[k]) {
            gl_text *list = f->can_tell ? &none : &hidden;
            gl_text_printf(list, "%s%s", list->n ? ", " : "", gl_anomaly_kinds[k].name);
        }
        for (; at < a->r->count && a->r->list[at].kind == k; at++, shown++) {
            if (told)
                one(p, &a->r->list[at]);
        }
        if (told)
            cli_more(p, shown, (size_t)f->n, "of these");
    }
    cli_heading(p, found ? "NOT FOUND" : "NOTHING FOUND", none.n ? none.bytes : "");
    if (hidden.n) {
        cli_heading(p, "NOT TOLD", hidden.bytes);
        cli_note(p, CLI_DIM, "A trace that Go wrote cannot show these; golanes record sees them.");
    }
    gl_text_clean_up(&none);
    gl_text_clean_up(&hidden);
}

/* --- JSON --- */

static void json_one(cli_summary_json *w, const gl_anomaly *x)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_str(j, "kind", gl_anomaly_kinds[x->kind].name);
    cli_json_int(j, "begin", x->begin);
    cli_json_int(j, "end", x->end);
    cli_json_known(j, "goroutine", x->g != 0, x->g);
    cli_summary_json_string(w, "start", x->group);
    cli_summary_json_site(w, "site", &x->site);
    cli_json_uint(j, "count", x->count);
    cli_json_uint(j, "ns", x->ns);
    cli_json_channel(j, "channel", x->chan);
    cli_summary_json_string(w, "text", x->text);
    cli_json_known(j, "other_goroutine", x->other_g != 0, x->other_g);
    cli_summary_json_string(w, "other_start", x->other_group);
    cli_summary_json_site(w, "other_site", &x->other_site);
    cli_json_known(j, "other_at", x->other_at >= 0, (uint64_t)x->other_at);
    cli_json_bool(j, "was_waiting", x->waiting);
    if (x->kind == GL_ANOMALY_NO_UNPARK || x->kind == GL_ANOMALY_IMPOSSIBLE) {
        cli_json_str(j, "state", gl_gstate_name(x->state));
        cli_json_str(j, "left_as", gl_gstate_name(x->left_as));
    }
    cli_json_close(j, '}');
}

static void json(const cli_report_run *run, void *self, cli_summary_json *w)
{
    const answer *a = self;
    cli_json *j = &w->json;
    (void)run;
    cli_json_open(j, "kinds", '{');
    for (unsigned k = 0; k < GL_ANOMALY_KINDS; k++) {
        cli_json_open(j, gl_anomaly_kinds[k].name, '{');
        cli_json_uint(j, "n", a->r->kind[k].n);
        cli_json_uint(j, "count", a->r->kind[k].count);
        cli_json_uint(j, "total_ns", a->r->kind[k].ns);
        cli_json_bool(j, "can_tell", a->r->kind[k].can_tell);
        cli_json_str(j, "meaning", gl_anomaly_kinds[k].meaning);
        cli_json_close(j, '}');
    }
    cli_json_close(j, '}');
    cli_json_open(j, "anomalies", '[');
    for (size_t i = 0; i < a->r->count; i++) {
        if (a->wanted[a->r->list[i].kind])
            json_one(w, &a->r->list[i]);
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

static int run_anomalies(const cli_args *args) { return cli_report_answer(args, &report); }

/* The kinds and what they mean, for the manual page. */
static void page_kinds(gl_text *out)
{
    gl_text_str(out, "# KINDS\n\n");
    for (unsigned i = 0; i < GL_ANOMALY_KINDS; i++)
        gl_text_printf(out, "*%s*\n\t%s%s\n\n", gl_anomaly_kinds[i].name, gl_anomaly_kinds[i].meaning,
                       gl_anomaly_kinds[i].recorded_only ? " Only recorded traces show it." : "");
}

const cli_command cli_command_anomalies = {
    .name = "anomalies", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = run_anomalies,
    .brief = "broken rules and suspicious behaviour, with evidence",
    .description =
        "Looks for what should not be in a trace, and prints each finding with its evidence: sends on closed channels (with who "
        "closed it, and how long before), second closes, goroutines that died by a panic, goroutines that ran without an unpark, "
        "explosions of goroutines, busy loops around a select with default, storms of Gosched or timers, long waits for a "
        "processor, goroutines that were woken but held by a stop of the world, and places where events are missing.\n\n"
        "What was looked for and not found is listed too, and what the trace cannot show.",
    CLI_OPTIONS(CLI_OPT_ANOMALY, CLI_REPORT_OPTIONS),
    .page_more = page_kinds,
    .examples = {{"golanes anomalies run.lanes", "Everything that looks wrong."},
                 {"golanes anomalies --kind send-on-closed,close-of-closed run.lanes", "Only wrong use of close."},
                 {"golanes anomalies --json run.lanes | jq '.kinds | map_values(.n)'", "How many of each kind."}},
};
