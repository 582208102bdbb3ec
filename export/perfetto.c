/*
 * Perfetto's own format: a stream of TracePackets with track events, one sequence, names interned. The field numbers are
 * those that Perfetto publishes as stable (tests/export/perfetto_facts.proto has the same ones, for protoc).
 *
 * Times are nanoseconds since the start of the trace. Trace processors sort by time, so that a slice whose begin was not
 * known earlier can be written when it ends.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto.h"
#include "spans.h"

enum { TRACE_PACKET = 1 };
enum { PACKET_TIMESTAMP = 8, PACKET_SEQUENCE = 10, PACKET_EVENT = 11, PACKET_INTERNED = 12, PACKET_FLAGS = 13, PACKET_TRACK = 60 };
enum { FLAG_CLEARED = 1, FLAG_NEEDS_STATE = 2 };
enum { EVENT_CATEGORY_IID = 3, EVENT_ANNOTATION = 4, EVENT_TYPE = 9, EVENT_NAME_IID = 10, EVENT_TRACK = 11, EVENT_NAME = 23,
       EVENT_COUNTER_VALUE = 30, EVENT_LOCATION_IID = 34, EVENT_FLOWS = 47, EVENT_LAST_FLOWS = 48 };
enum { TYPE_BEGIN = 1, TYPE_END, TYPE_INSTANT, TYPE_COUNTER };
enum { TRACK_UUID = 1, TRACK_NAME, TRACK_PROCESS, TRACK_PARENT = 5, TRACK_COUNTER = 8 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum { COUNTER_UNIT = 3, UNIT_COUNT = 2, UNIT_BYTES = 3 };
enum { INTERNED_CATEGORIES = 1, INTERNED_NAMES, INTERNED_ANNOTATIONS, INTERNED_LOCATIONS };
enum { INTERNED_IID = 1, INTERNED_TEXT };
enum { LOCATION_FILE = 2, LOCATION_FUNCTION, LOCATION_LINE };
enum { ANNOTATION_NAME_IID = 1, ANNOTATION_UINT = 3, ANNOTATION_TEXT = 6 };

/* Kinds of track: the top four bits of a track's number; the rest is a goroutine, a P, a task. */
enum { OF_PROCESS = 1, OF_GROUP, OF_GOROUTINE, OF_PROC, OF_DOINGS, OF_TASK, OF_COLLECTOR, OF_COUNTER };
typedef enum group { GROUP_GOROUTINES, GROUP_PROCS, GROUP_DOINGS, GROUP_TASKS, GROUPS } group;
static const char *const group_names[GROUPS] = {"Goroutines", "Processors", "What goroutines do", "Tasks"};

static const struct {
    const char *name;
    unsigned unit;
} counters[EX_COUNTERS] = {
    [EX_HEAP_LIVE] = {"heap live", UNIT_BYTES},       [EX_HEAP_GOAL] = {"heap goal", UNIT_BYTES},
    [EX_PROCS] = {"GOMAXPROCS", UNIT_COUNT},          [EX_RUNNING] = {"goroutines running", UNIT_COUNT},
    [EX_RUNNABLE] = {"goroutines runnable", UNIT_COUNT}, [EX_WAITING] = {"goroutines waiting", UNIT_COUNT},
    [EX_IN_SYSCALL] = {"goroutines in system calls", UNIT_COUNT}};

/* Words of our own that are interned: their numbers are their places here. */
enum { WORD_NONE, WORD_STATE, WORD_WAIT, WORD_RUN, WORD_GC, WORD_STW, WORD_REGION, WORD_CHANNEL, WORD_TASK, WORD_MARK, WORD_UNPARK,
       WORD_CREATE, WORD_ASSIST, WORD_SWEEP, WORD_REASON, WORD_M, WORD_G, WORD_BY, WORD_TASK_ID, WORD_CHAN, WORDS };
static const char *const words[WORDS] = {"", "state", "waiting", "run", "GC mark", "stop the world", "region", "channel", "task", "mark",
                                         "unpark", "create", "GC mark assist", "GC sweep", "reason", "m", "g", "released by",
                                         "task number", "channel address"};
#define TEXT_KEY(id) ((uint64_t)1 << 32 | (id)) /* a string of the dictionary, among names */

typedef struct perfetto {
    ex_out *out;
    const gl_dict *dict;
    ex_spans spans;
    ex_proto packet, event, interned;
    gl_map names, categories, annotations, locations; /* what is interned, to its iid */
    gl_map named; /* group and process tracks and Ps that have been described */
    bool begun;
    char title[256];
} perfetto;

static uint64_t track(unsigned kind, uint64_t id) { return (uint64_t)kind << 60 | (id & ((UINT64_C(1) << 60) - 1)); }

/* ---- packets -------------------------------------------------------------------------------------------------------- */

static int send(perfetto *x, int64_t time, unsigned field, const ex_proto *body)
{
    ex_proto *p = &x->packet;
    ex_proto_clear(p);
    size_t at = ex_proto_begin(p, TRACE_PACKET);
    if (field == PACKET_EVENT)
        ex_proto_uint(p, PACKET_TIMESTAMP, time > 0 ? (uint64_t)time : 0);
    ex_proto_uint(p, PACKET_SEQUENCE, 1);
    ex_proto_uint(p, PACKET_FLAGS, x->begun ? FLAG_NEEDS_STATE : FLAG_CLEARED | FLAG_NEEDS_STATE);
    if (x->interned.n)
        ex_proto_bytes(p, PACKET_INTERNED, x->interned.bytes, x->interned.n);
    ex_proto_bytes(p, field, body->bytes, body->n);
    ex_proto_end(p, at);
    x->begun = true;
    ex_proto_clear(&x->interned);
    if (p->failed || body->failed || x->interned.failed)
        return GL_E_NOMEM;
    ex_out_add(x->out, p->bytes, p->n);
    return x->out->status;
}

static void start_event(perfetto *x, unsigned type, uint64_t track_number)
{
    ex_proto_clear(&x->event);
    ex_proto_uint(&x->event, EVENT_TYPE, type);
    ex_proto_uint(&x->event, EVENT_TRACK, track_number);
}

static int send_event(perfetto *x, int64_t time) { return send(x, time, PACKET_EVENT, &x->event); }

static int end_slice(perfetto *x, uint64_t track_number, int64_t time)
{
    start_event(x, TYPE_END, track_number);
    return send_event(x, time);
}

/* ---- interning ------------------------------------------------------------------------------------------------------ */

static uint64_t intern(perfetto *x, gl_map *known, unsigned field, uint64_t key, const char *text, size_t n)
{
    uint32_t iid = gl_map_get(known, key);
    if (iid != GL_NONE32)
        return iid;
    iid = (uint32_t)known->count + 1;
    if (gl_map_put(known, key, iid) < 0) {
        x->interned.failed = true;
        return 0;
    }
    size_t at = ex_proto_begin(&x->interned, field);
    ex_proto_uint(&x->interned, INTERNED_IID, iid);
    ex_proto_text(&x->interned, INTERNED_TEXT, text, n);
    ex_proto_end(&x->interned, at);
    return iid;
}

static void category(perfetto *x, unsigned word)
{
    uint64_t iid = intern(x, &x->categories, INTERNED_CATEGORIES, word, words[word], strlen(words[word]));
    ex_proto_uint(&x->event, EVENT_CATEGORY_IID, iid);
}

static void name_text(perfetto *x, uint64_t key, const char *text, size_t n)
{
    ex_proto_uint(&x->event, EVENT_NAME_IID, intern(x, &x->names, INTERNED_NAMES, key, text, n));
}

static void name_word(perfetto *x, unsigned word) { name_text(x, word, words[word], strlen(words[word])); }

static void name_string(perfetto *x, uint32_t id)
{
    size_t n;
    const char *text = gl_dict_text(x->dict, id, &n);
    name_text(x, TEXT_KEY(id), n ? text : "(not known)", n ? n : 11);
}

static size_t annotation(perfetto *x, const char *name, uint64_t key)
{
    uint64_t iid = intern(x, &x->annotations, INTERNED_ANNOTATIONS, key, name, strlen(name));
    size_t at = ex_proto_begin(&x->event, EVENT_ANNOTATION);
    ex_proto_uint(&x->event, ANNOTATION_NAME_IID, iid);
    return at;
}

static void annotate_number(perfetto *x, unsigned word, uint64_t value)
{
    size_t at = annotation(x, words[word], word);
    ex_proto_uint(&x->event, ANNOTATION_UINT, value);
    ex_proto_end(&x->event, at);
}

static void annotate_string(perfetto *x, const char *name, uint64_t key, uint64_t id)
{
    size_t n, at = annotation(x, name, key);
    const char *text = ex_text(x->dict, id, &n);
    ex_proto_text(&x->event, ANNOTATION_TEXT, text, n);
    ex_proto_end(&x->event, at);
}

static void location(perfetto *x, uint32_t stack)
{
    gl_frame f;
    if (!ex_site(x->dict, stack, &f))
        return;
    uint64_t key = (uint64_t)f.func << 32 | f.line;
    uint32_t iid = gl_map_get(&x->locations, key);
    if (iid == GL_NONE32) {
        iid = (uint32_t)x->locations.count + 1;
        if (gl_map_put(&x->locations, key, iid) < 0)
            x->interned.failed = true;
        size_t at = ex_proto_begin(&x->interned, INTERNED_LOCATIONS);
        ex_proto_uint(&x->interned, INTERNED_IID, iid);
        ex_proto_str(&x->interned, LOCATION_FILE, ex_file(x->dict, f));
        ex_proto_str(&x->interned, LOCATION_FUNCTION, ex_func(x->dict, f));
        ex_proto_uint(&x->interned, LOCATION_LINE, f.line);
        ex_proto_end(&x->interned, at);
    }
    ex_proto_uint(&x->event, EVENT_LOCATION_IID, iid);
}

/* ---- tracks --------------------------------------------------------------------------------------------------------- */

static int describe(perfetto *x, uint64_t number, uint64_t parent, const char *name, size_t n)
{
    ex_proto_clear(&x->event);
    ex_proto_uint(&x->event, TRACK_UUID, number);
    if (parent)
        ex_proto_uint(&x->event, TRACK_PARENT, parent);
    ex_proto_text(&x->event, TRACK_NAME, name, n);
    return send(x, 0, PACKET_TRACK, &x->event);
}

/* 1 where this is the first call for that number. */
static int first_time(perfetto *x, uint64_t number)
{
    if (gl_map_get(&x->named, number) != GL_NONE32)
        return 0;
    return gl_map_put(&x->named, number, 0) < 0 ? GL_E_NOMEM : 1;
}

static int describe_process(perfetto *x, uint64_t process)
{
    uint64_t number = track(OF_PROCESS, process);
    int status = first_time(x, number);
    if (status <= 0)
        return status;
    ex_proto_clear(&x->event);
    ex_proto_uint(&x->event, TRACK_UUID, number);
    size_t at = ex_proto_begin(&x->event, TRACK_PROCESS);
    ex_proto_uint(&x->event, PROCESS_PID, process + 1);
    ex_proto_str(&x->event, PROCESS_NAME, x->title[0] ? x->title : "Go program");
    ex_proto_end(&x->event, at);
    return send(x, 0, PACKET_TRACK, &x->event);
}

/* The track that holds a process's tracks of one group. */
static int parent_of(perfetto *x, uint64_t g, group which, uint64_t *number)
{
    *number = track(OF_GROUP, EX_PROCESS(g) << 8 | which);
    int status = first_time(x, *number);
    if (status > 0) {
        status = describe_process(x, EX_PROCESS(g));
        if (status == 0)
            status = describe(x, *number, track(OF_PROCESS, EX_PROCESS(g)), group_names[which], strlen(group_names[which]));
    }
    return status;
}

static int describe_counter(perfetto *x, ex_counter c)
{
    uint64_t number = track(OF_COUNTER, c);
    int status = first_time(x, number);
    if (status <= 0)
        return status;
    status = describe_process(x, 0);
    if (status < 0)
        return status;
    ex_proto_clear(&x->event);
    ex_proto_uint(&x->event, TRACK_UUID, number);
    ex_proto_uint(&x->event, TRACK_PARENT, track(OF_PROCESS, 0));
    ex_proto_str(&x->event, TRACK_NAME, counters[c].name);
    size_t at = ex_proto_begin(&x->event, TRACK_COUNTER);
    ex_proto_uint(&x->event, COUNTER_UNIT, counters[c].unit);
    ex_proto_end(&x->event, at);
    return send(x, 0, PACKET_TRACK, &x->event);
}

static int describe_child(perfetto *x, uint64_t number, uint64_t g, group which, const char *name, size_t n)
{
    uint64_t parent;
    int status = parent_of(x, g, which, &parent);
    return status < 0 ? status : describe(x, number, parent, name, n);
}

/* ---- slices --------------------------------------------------------------------------------------------------------- */

static int begin_state(perfetto *x, const ex_span *s)
{
    start_event(x, TYPE_BEGIN, track(OF_GOROUTINE, s->g));
    bool reason = s->state == GL_G_WAITING && s->name;
    category(x, s->state == GL_G_WAITING ? WORD_WAIT : WORD_STATE);
    const char *word = ex_state_word(s->state);
    if (reason)
        name_string(x, s->name);
    else
        name_text(x, (uint64_t)2 << 32 | s->state, word, strlen(word));
    if (s->state == GL_G_RUNNING && s->thread != GL_NO_THREAD)
        annotate_number(x, WORD_M, gl_dict_get_thread(x->dict, s->thread).tid);
    if (s->flow)
        ex_proto_fixed64(&x->event, EVENT_LAST_FLOWS, s->flow);
    location(x, s->stack);
    return send_event(x, s->begin);
}

static int end_state(perfetto *x, const ex_span *s)
{
    start_event(x, TYPE_END, track(OF_GOROUTINE, s->g));
    if (s->waker)
        annotate_number(x, WORD_BY, EX_NUMBER(s->waker));
    return send_event(x, s->end);
}

static uint64_t proc_id(const ex_span *s) { return EX_PROCESS(s->g) << 32 | s->p; }

static int write_run(perfetto *x, const ex_span *s)
{
    char name[512];
    int n = snprintf(name, sizeof name, "P%" PRIu32, s->p);
    int status = first_time(x, track(OF_PROC, proc_id(s)));
    if (status > 0)
        status = describe_child(x, track(OF_PROC, proc_id(s)), s->g, GROUP_PROCS, name, (size_t)n);
    if (status < 0)
        return status;
    start_event(x, TYPE_BEGIN, track(OF_PROC, proc_id(s)));
    category(x, WORD_RUN);
    ex_proto_text(&x->event, EVENT_NAME, name, ex_goroutine_name(&x->spans, s->g, name, sizeof name));
    status = send_event(x, s->begin);
    return status < 0 ? status : end_slice(x, track(OF_PROC, proc_id(s)), s->end);
}

static unsigned word_of_doing(const ex_span *s)
{
    static const unsigned of_kind[] = {[EX_REGION] = WORD_REGION, [EX_ASSIST] = WORD_ASSIST, [EX_SWEEP] = WORD_SWEEP,
                                       [EX_CHAN] = WORD_CHANNEL};
    return of_kind[s->kind];
}

static int begin_doing(perfetto *x, const ex_span *s)
{
    char name[512];
    size_t n = ex_goroutine_name(&x->spans, s->g, name, sizeof name);
    int status = ex_spans_first_doing(&x->spans, s->g) ? describe_child(x, track(OF_DOINGS, s->g), s->g, GROUP_DOINGS, name, n) : 0;
    if (status < 0)
        return status;
    start_event(x, TYPE_BEGIN, track(OF_DOINGS, s->g));
    category(x, word_of_doing(s));
    const gl_event_info *op = gl_event_lookup(s->op);
    if (s->kind == EX_REGION) {
        name_string(x, s->name);
        annotate_number(x, WORD_TASK_ID, s->task);
    } else if (s->kind == EX_CHAN && op) {
        name_text(x, (uint64_t)3 << 32 | s->op, op->operation, strlen(op->operation));
        annotate_number(x, WORD_CHAN, s->chan);
    } else {
        name_word(x, word_of_doing(s));
    }
    location(x, s->stack);
    return send_event(x, s->begin);
}

static int begin_task(perfetto *x, const ex_span *s)
{
    size_t n;
    const char *name = gl_dict_text(x->dict, s->name, &n);
    int status = describe_child(x, track(OF_TASK, s->task), s->g, GROUP_TASKS, n ? name : "task", n ? n : 4);
    if (status < 0)
        return status;
    start_event(x, TYPE_BEGIN, track(OF_TASK, s->task));
    category(x, WORD_TASK);
    name_string(x, s->name);
    annotate_number(x, WORD_TASK_ID, s->task);
    return send_event(x, s->begin);
}

static int describe_collector(perfetto *x, unsigned word)
{
    int status = first_time(x, track(OF_COLLECTOR, word));
    if (status <= 0)
        return status;
    status = describe_process(x, 0);
    return status < 0 ? status : describe(x, track(OF_COLLECTOR, word), track(OF_PROCESS, 0), words[word], strlen(words[word]));
}

static int write_pause(perfetto *x, const ex_span *s)
{
    unsigned word = s->kind == EX_GC ? WORD_GC : WORD_STW;
    int status = describe_collector(x, word);
    if (status < 0)
        return status;
    start_event(x, TYPE_BEGIN, track(OF_COLLECTOR, word));
    category(x, word);
    name_word(x, word);
    annotate_number(x, WORD_G, EX_NUMBER(s->g));
    if (s->kind == EX_STW)
        annotate_string(x, words[WORD_REASON], WORD_REASON, s->name);
    location(x, s->stack);
    status = send_event(x, s->begin);
    return status < 0 ? status : end_slice(x, track(OF_COLLECTOR, word), s->end);
}

/* ---- what the spans tell -------------------------------------------------------------------------------------------- */

static int on_begin(void *user, const ex_span *s)
{
    perfetto *x = user;
    if (s->kind >= EX_REGION)
        return begin_doing(x, s);
    if (s->kind == EX_TASK)
        return begin_task(x, s);
    return s->kind == EX_STATE ? begin_state(x, s) : 0;
}

static int on_end(void *user, const ex_span *s)
{
    perfetto *x = user;
    switch (s->kind) {
    case EX_STATE: return end_state(x, s);
    case EX_RUN: return write_run(x, s);
    case EX_GC:
    case EX_STW: return write_pause(x, s);
    case EX_TASK: return end_slice(x, track(OF_TASK, s->task), s->end);
    default: return end_slice(x, track(OF_DOINGS, s->g), s->end);
    }
}

static int on_named(void *user, const ex_goroutine *g)
{
    perfetto *x = user;
    char name[512];
    size_t n = ex_goroutine_name(&x->spans, g->id, name, sizeof name);
    return describe_child(x, track(OF_GOROUTINE, g->id), g->id, GROUP_GOROUTINES, name, n);
}

static int on_wake(void *user, const ex_wake *w)
{
    perfetto *x = user;
    start_event(x, TYPE_INSTANT, track(OF_GOROUTINE, w->waker));
    category(x, WORD_MARK);
    name_word(x, w->create ? WORD_CREATE : WORD_UNPARK);
    annotate_number(x, WORD_G, EX_NUMBER(w->g));
    ex_proto_fixed64(&x->event, EVENT_FLOWS, w->flow);
    location(x, w->stack);
    return send_event(x, w->time);
}

static int on_count(void *user, int64_t time, ex_counter c, uint64_t value)
{
    perfetto *x = user;
    int status = describe_counter(x, c);
    if (status < 0)
        return status;
    start_event(x, TYPE_COUNTER, track(OF_COUNTER, c));
    ex_proto_uint(&x->event, EVENT_COUNTER_VALUE, value);
    return send_event(x, time);
}

static int on_mark(void *user, const gl_event *ev, int64_t time)
{
    perfetto *x = user;
    const gl_event_info *info = gl_event_lookup(ev->type);
    start_event(x, TYPE_INSTANT, ev->g ? track(OF_GOROUTINE, ev->g) : track(OF_PROCESS, 0));
    category(x, WORD_MARK);
    name_text(x, (uint64_t)3 << 32 | ev->type, info->name, strlen(info->name));
    for (unsigned i = 0; i < info->arg_count; i++)
        if (info->args[i].kind == GL_KIND_STRING)
            annotate_string(x, info->args[i].name, (uint64_t)ev->type << 8 | 0x10000 | i, ev->arg[i]);
    location(x, ev->stack);
    return send_event(x, time);
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static int open_perfetto(ex_out *out, const gl_export_options *opt, void **made, gl_error *err)
{
    (void)err;
    perfetto *x = calloc(1, sizeof *x);
    if (!x)
        return GL_E_NOMEM;
    *made = x;
    x->out = out;
    x->dict = opt->dict;
    snprintf(x->title, sizeof x->title, "%s", opt->title ? opt->title : "");
    ex_spans_init(&x->spans, opt, &(ex_listener){x, on_begin, on_end, on_named, on_wake, on_count, on_mark});
    return 0;
}

static int take_perfetto(void *made, const gl_event *ev) { return ex_spans_take(&((perfetto *)made)->spans, ev); }
static int finish_perfetto(void *made) { return ex_spans_finish(&((perfetto *)made)->spans); }

static void discard_perfetto(void *made)
{
    perfetto *x = made;
    if (!x)
        return;
    ex_spans_clean_up(&x->spans);
    ex_proto_clean_up(&x->packet);
    ex_proto_clean_up(&x->event);
    ex_proto_clean_up(&x->interned);
    gl_map_clean_up(&x->names);
    gl_map_clean_up(&x->categories);
    gl_map_clean_up(&x->annotations);
    gl_map_clean_up(&x->locations);
    gl_map_clean_up(&x->named);
    free(x);
}

const ex_ops ex_perfetto = {
    .format = {.name = "perfetto", .ending = ".pftrace", .brief = "Perfetto's own format, for ui.perfetto.dev and trace_processor",
               .abilities = GL_EXPORT_BINARY},
    .open = open_perfetto, .take = take_perfetto, .finish = finish_perfetto, .discard = discard_perfetto};
