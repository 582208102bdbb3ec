/*
 * Chrome's Trace Event format, JSON object form, as chrome://tracing, Perfetto and speedscope read it. Times are
 * microseconds with three decimals, so that no nanosecond is lost.
 *
 * A process of the format is a kind of track: goroutines, processors, the collector, what goroutines do, tasks. States
 * are complete events (X); what nests (regions, channel operations) are pairs (B, E), as readers take complete events
 * that begin together in no certain order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "spans.h"

typedef enum track { TRACK_GOROUTINES = 1, TRACK_PROCS, TRACK_COLLECTOR, TRACK_DOINGS, TRACK_TASKS, TRACKS } track;
static const char *const track_names[TRACKS] = {"", "Goroutines", "Processors", "Collector and counters", "What goroutines do",
                                                "Tasks"};

/* The same places come again and again, so what is written of the last ones is kept. */
typedef struct place {
    uint32_t stack, n; /* n 0: none is kept */
    char text[248];
} place;
#define PLACES 1024

typedef struct chrome {
    ex_out *out;
    const gl_dict *dict;
    ex_spans spans;
    bool some; /* an event was written: the next needs a comma */
    gl_bits pids_named, procs_named;
    place places[PLACES];
} chrome;

static const char *const counter_names[EX_COUNTERS] = {
    [EX_HEAP_LIVE] = "heap live (bytes)", [EX_HEAP_GOAL] = "heap goal (bytes)", [EX_PROCS] = "GOMAXPROCS",
    [EX_RUNNING] = "goroutines running", [EX_RUNNABLE] = "goroutines runnable", [EX_WAITING] = "goroutines waiting",
    [EX_IN_SYSCALL] = "goroutines in system calls"};

static uint64_t pid_of(uint64_t g, track t) { return EX_PROCESS(g) * 10 + t; }

static void text_key(chrome *x, const char *key, const char *text, size_t n)
{
    ex_out_char(x->out, '"');
    ex_out_str(x->out, key);
    ex_out_str(x->out, "\":");
    ex_out_json(x->out, text, n);
}

/* Keys are literals, so that the compiler knows their lengths. */
#define NUMBER_KEY(x, key, n) (ex_out_str((x)->out, ",\"" key "\":"), ex_out_u64((x)->out, n))
#define STAMP(x, key, ns) (ex_out_str((x)->out, ",\"" key "\":"), ex_out_us((x)->out, ns))

/* {"ph":"P","pid":1,"tid":2 */
static void head(chrome *x, char phase, uint64_t pid, uint64_t tid)
{
    if (x->some)
        ex_out_str(x->out, ",\n");
    x->some = true;
    ex_out_str(x->out, "{\"ph\":\"");
    ex_out_char(x->out, phase);
    ex_out_str(x->out, "\",\"pid\":");
    ex_out_u64(x->out, pid);
    NUMBER_KEY(x, "tid", tid);
}

/*
 * Readers hold times as floating-point microseconds, some of them counted from a track's first one, and take ts + dur for
 * the end, which by rounding can lie behind the begin of what follows: such slices are then not beside each other, and a
 * reader (speedscope) drops one. So a duration is a hundredth of a nanosecond shorter, which no rounding to nanoseconds sees.
 */
static void stretch(chrome *x, int64_t begin, int64_t end)
{
    STAMP(x, "ts", begin);
    STAMP(x, "dur", end > begin ? end - begin - 1 : 0);
    if (end > begin)
        ex_out_str(x->out, "99");
}

static void tail(chrome *x) { ex_out_char(x->out, '}'); }

static void metadata(chrome *x, const char *what, uint64_t pid, uint64_t tid, const char *name, size_t n)
{
    head(x, 'M', pid, tid);
    ex_out_str(x->out, ",\"name\":\"");
    ex_out_str(x->out, what);
    ex_out_str(x->out, "\",\"args\":{");
    text_key(x, "name", name, n);
    ex_out_str(x->out, "}}");
}

static int name_pid(chrome *x, uint64_t g, track t)
{
    int status = 0;
    uint64_t pid = pid_of(g, t);
    if (!gl_bits_set(&x->pids_named, (uint32_t)pid, &status))
        return status;
    char name[96];
    int n = EX_PROCESS(g) ? snprintf(name, sizeof name, "%s, process %u", track_names[t], (unsigned)EX_PROCESS(g))
                          : snprintf(name, sizeof name, "%s", track_names[t]);
    metadata(x, "process_name", pid, 0, name, (size_t)n);
    head(x, 'M', pid, 0);
    ex_out_str(x->out, ",\"name\":\"process_sort_index\",\"args\":{\"sort_index\":");
    ex_out_u64(x->out, t == TRACK_COLLECTOR ? pid_of(g, 0) : pid);
    ex_out_str(x->out, "}}");
    return status;
}

/* A name that needs no escaping. */
static void name_key(chrome *x, const char *name)
{
    ex_out_str(x->out, ",\"name\":\"");
    ex_out_str(x->out, name);
    ex_out_char(x->out, '"');
}

static void write_site(chrome *x, uint32_t stack, bool comma)
{
    gl_frame f;
    if (!ex_site(x->dict, stack, &f))
        return;
    const char *func = ex_func(x->dict, f), *file = ex_file(x->dict, f);
    ex_out_str(x->out, comma ? ",\"at\":" : "\"at\":");
    ex_out_json(x->out, func, strlen(func));
    if (*file) {
        ex_out_str(x->out, ",\"file\":");
        ex_out_json(x->out, file, strlen(file));
        NUMBER_KEY(x, "line", f.line);
    }
}

static void site_args(chrome *x, uint32_t stack, bool comma)
{
    place *p = &x->places[stack % PLACES];
    if (p->n && p->stack == stack) {
        ex_out_add(x->out, comma ? p->text : p->text + 1, comma ? p->n : p->n - 1);
        return;
    }
    if (sizeof x->out->buffer - x->out->n < sizeof x->out->buffer / 2)
        ex_out_flush(x->out); /* so that what is written now stays in the buffer */
    size_t at = x->out->n;
    write_site(x, stack, comma);
    if (!comma || x->out->n <= at || x->out->n - at > sizeof p->text)
        return;
    p->stack = stack;
    p->n = (uint32_t)(x->out->n - at);
    memcpy(p->text, x->out->buffer + at, p->n);
}

/* ---- states and runs ------------------------------------------------------------------------------------------------ */

static void write_state(chrome *x, const ex_span *s)
{
    size_t n;
    const char *reason = gl_dict_text(x->dict, s->name, &n);
    head(x, 'X', pid_of(s->g, TRACK_GOROUTINES), EX_NUMBER(s->g));
    stretch(x, s->begin, s->end);
    if (n && s->state == GL_G_WAITING) { /* the reason is what a lane should say */
        ex_out_char(x->out, ',');
        text_key(x, "name", reason, n);
    } else {
        name_key(x, ex_state_word(s->state));
    }
    if (s->state == GL_G_WAITING)
        ex_out_str(x->out, ",\"cat\":\"waiting\",\"args\":{\"m\":");
    else
        ex_out_str(x->out, ",\"cat\":\"state\",\"args\":{\"m\":");
    ex_out_u64(x->out, s->thread == GL_NO_THREAD ? 0 : gl_dict_get_thread(x->dict, s->thread).tid);
    if (s->waker)
        NUMBER_KEY(x, "released_by", EX_NUMBER(s->waker));
    site_args(x, s->stack, true);
    ex_out_char(x->out, '}');
    tail(x);
}

static void finish_flow(chrome *x, uint64_t flow, uint64_t pid, uint64_t tid, int64_t time)
{
    head(x, 'f', pid, tid);
    STAMP(x, "ts", time);
    ex_out_str(x->out, ",\"bp\":\"e\",\"cat\":\"unpark\",\"name\":\"unpark\"");
    NUMBER_KEY(x, "id", flow);
    tail(x);
}

static int write_run(chrome *x, const ex_span *s)
{
    char name[512];
    int status = name_pid(x, s->g, TRACK_PROCS);
    uint64_t pid = pid_of(s->g, TRACK_PROCS);
    int bad = 0;
    if (s->p < 65536 && gl_bits_set(&x->procs_named, (uint32_t)(EX_PROCESS(s->g) << 16) | s->p, &bad)) {
        char proc[24];
        int length = snprintf(proc, sizeof proc, "P%" PRIu32, s->p);
        metadata(x, "thread_name", pid, s->p, proc, (size_t)length);
    }
    size_t n = ex_goroutine_name(&x->spans, s->g, name, sizeof name);
    head(x, 'X', pid, s->p);
    stretch(x, s->begin, s->end);
    ex_out_char(x->out, ',');
    text_key(x, "name", name, n);
    tail(x);
    return status < 0 ? status : bad;
}

/* ---- what nests ----------------------------------------------------------------------------------------------------- */

static void doing_name(chrome *x, const ex_span *s)
{
    const gl_event_info *op = gl_event_lookup(s->op);
    size_t n;
    const char *text = gl_dict_text(x->dict, s->name, &n);
    if (s->kind == EX_REGION || s->kind == EX_TASK) {
        ex_out_char(x->out, ',');
        text_key(x, "name", n ? text : "(not known)", n ? n : 11);
        return;
    }
    name_key(x, s->kind == EX_CHAN ? op ? op->operation : "channel" : s->kind == EX_ASSIST ? "GC mark assist" : "GC sweep");
}

static const char *doing_category(const ex_span *s)
{
    return s->kind == EX_REGION ? "region" : s->kind == EX_CHAN ? "channel" : "gc";
}

static int begin_doing(chrome *x, const ex_span *s)
{
    int status = name_pid(x, s->g, TRACK_DOINGS);
    head(x, 'B', pid_of(s->g, TRACK_DOINGS), EX_NUMBER(s->g));
    STAMP(x, "ts", s->begin);
    doing_name(x, s);
    ex_out_str(x->out, ",\"cat\":\"");
    ex_out_str(x->out, doing_category(s));
    ex_out_str(x->out, "\",\"args\":{");
    bool some = s->kind == EX_REGION || s->chan;
    if (s->kind == EX_REGION) {
        ex_out_str(x->out, "\"task\":");
        ex_out_u64(x->out, s->task);
    } else if (s->chan) {
        ex_out_str(x->out, "\"chan\":\"");
        ex_out_hex(x->out, s->chan);
        ex_out_char(x->out, '"');
    }
    site_args(x, s->stack, some);
    ex_out_char(x->out, '}');
    tail(x);
    return status;
}

static void end_doing(chrome *x, const ex_span *s)
{
    head(x, 'E', pid_of(s->g, TRACK_DOINGS), EX_NUMBER(s->g));
    STAMP(x, "ts", s->end);
    tail(x);
}

/* Tasks overlap as they like: asynchronous pairs. */
static int write_task(chrome *x, const ex_span *s, char phase, int64_t time)
{
    int status = name_pid(x, s->g, TRACK_TASKS);
    head(x, phase, pid_of(s->g, TRACK_TASKS), EX_NUMBER(s->g));
    STAMP(x, "ts", time);
    doing_name(x, s);
    ex_out_str(x->out, ",\"cat\":\"task\"");
    NUMBER_KEY(x, "id", s->task);
    tail(x);
    return status;
}

/* ---- the collector -------------------------------------------------------------------------------------------------- */

static int write_pause(chrome *x, const ex_span *s)
{
    int status = name_pid(x, 0, TRACK_COLLECTOR);
    size_t n;
    const char *reason = gl_dict_text(x->dict, s->name, &n);
    head(x, 'X', TRACK_COLLECTOR, s->kind == EX_GC ? 1 : 2);
    stretch(x, s->begin, s->end);
    name_key(x, s->kind == EX_GC ? "GC mark" : "stop the world");
    ex_out_str(x->out, ",\"cat\":\"gc\",\"args\":{\"g\":");
    ex_out_u64(x->out, EX_NUMBER(s->g));
    if (s->kind == EX_STW) {
        ex_out_char(x->out, ',');
        text_key(x, "reason", reason, n);
    }
    site_args(x, s->stack, true);
    ex_out_char(x->out, '}');
    tail(x);
    return status;
}

/* ---- what the spans tell -------------------------------------------------------------------------------------------- */

static int on_begin(void *user, const ex_span *s)
{
    chrome *x = user;
    if (s->kind >= EX_REGION)
        return begin_doing(x, s);
    if (s->kind == EX_TASK)
        return write_task(x, s, 'b', s->begin);
    if (s->kind == EX_STATE && s->flow)
        finish_flow(x, s->flow, pid_of(s->g, TRACK_GOROUTINES), EX_NUMBER(s->g), s->begin);
    return x->out->status;
}

static int on_end(void *user, const ex_span *s)
{
    chrome *x = user;
    switch (s->kind) {
    case EX_STATE: write_state(x, s); return x->out->status;
    case EX_RUN: return write_run(x, s);
    case EX_GC:
    case EX_STW: return write_pause(x, s);
    case EX_TASK: return write_task(x, s, 'e', s->end);
    default: end_doing(x, s); return x->out->status;
    }
}

static int on_named(void *user, const ex_goroutine *g)
{
    chrome *x = user;
    char name[512];
    int status = name_pid(x, g->id, TRACK_GOROUTINES);
    size_t n = ex_goroutine_name(&x->spans, g->id, name, sizeof name);
    metadata(x, "thread_name", pid_of(g->id, TRACK_GOROUTINES), EX_NUMBER(g->id), name, n);
    return status;
}

static int on_wake(void *user, const ex_wake *w)
{
    chrome *x = user;
    head(x, 's', pid_of(w->waker, TRACK_GOROUTINES), EX_NUMBER(w->waker));
    STAMP(x, "ts", w->time);
    ex_out_str(x->out, ",\"cat\":\"unpark\",\"name\":\"unpark\"");
    NUMBER_KEY(x, "id", w->flow);
    tail(x);
    return x->out->status;
}

static int on_count(void *user, int64_t time, ex_counter c, uint64_t value)
{
    chrome *x = user;
    int status = name_pid(x, 0, TRACK_COLLECTOR);
    head(x, 'C', TRACK_COLLECTOR, 0);
    STAMP(x, "ts", time);
    name_key(x, counter_names[c]);
    ex_out_str(x->out, ",\"args\":{\"value\":");
    ex_out_u64(x->out, value);
    ex_out_str(x->out, "}}");
    return status;
}

static int on_mark(void *user, const gl_event *ev, int64_t time)
{
    chrome *x = user;
    const gl_event_info *info = gl_event_lookup(ev->type);
    head(x, 'i', ev->g ? pid_of(ev->g, TRACK_GOROUTINES) : TRACK_COLLECTOR, EX_NUMBER(ev->g));
    STAMP(x, "ts", time);
    name_key(x, info->name);
    ex_out_str(x->out, ev->g ? ",\"s\":\"t\",\"args\":{" : ",\"s\":\"g\",\"args\":{");
    bool some = false;
    for (unsigned i = 0; i < info->arg_count; i++) {
        if (info->args[i].kind != GL_KIND_STRING)
            continue;
        size_t n;
        const char *text = ex_text(x->dict, ev->arg[i], &n);
        if (some)
            ex_out_char(x->out, ',');
        text_key(x, info->args[i].name, text, n);
        some = true;
    }
    site_args(x, ev->stack, some);
    ex_out_str(x->out, "}}");
    return x->out->status;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static int open_chrome(ex_out *out, const gl_export_options *opt, void **made, gl_error *err)
{
    (void)err;
    chrome *x = calloc(1, sizeof *x);
    if (!x)
        return GL_E_NOMEM;
    *made = x;
    x->out = out;
    x->dict = opt->dict;
    ex_spans_init(&x->spans, opt, &(ex_listener){x, on_begin, on_end, on_named, on_wake, on_count, on_mark});
    ex_out_str(out, "{\"displayTimeUnit\":\"ns\",\"otherData\":{");
    text_key(x, "trace", opt->title ? opt->title : "", opt->title ? strlen(opt->title) : 0);
    ex_out_str(out, "},\"traceEvents\":[\n");
    int status = name_pid(x, 0, TRACK_COLLECTOR);
    metadata(x, "thread_name", TRACK_COLLECTOR, 1, "GC mark phase", 13);
    metadata(x, "thread_name", TRACK_COLLECTOR, 2, "stop-the-world", 14);
    return status;
}

static int take_chrome(void *made, const gl_event *ev) { return ex_spans_take(&((chrome *)made)->spans, ev); }

static int finish_chrome(void *made)
{
    chrome *x = made;
    int status = ex_spans_finish(&x->spans);
    ex_out_str(x->out, "\n]}\n");
    return status;
}

static void discard_chrome(void *made)
{
    chrome *x = made;
    if (!x)
        return;
    ex_spans_clean_up(&x->spans);
    free(x->pids_named.words);
    free(x->procs_named.words);
    free(x);
}

const ex_ops ex_chrome = {
    .format = {.name = "chrome", .ending = ".json", .brief = "Trace Event JSON, for Perfetto, chrome://tracing and speedscope"},
    .open = open_chrome, .take = take_chrome, .finish = finish_chrome, .discard = discard_chrome};
