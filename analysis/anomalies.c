#include "anomalies.h"

#include <stdlib.h>
#include <string.h>

const gl_anomaly_info gl_anomaly_kinds[GL_ANOMALY_KINDS] = {
    [GL_ANOMALY_SEND_ON_CLOSED] =
        {"send-on-closed", "A send on a closed channel panics: whoever closes must know that nobody sends any more.",
         true},
    [GL_ANOMALY_CLOSE_OF_CLOSED] = {"close-of-closed",
                                    "A second close panics: two goroutines think that closing is theirs.", true},
    [GL_ANOMALY_CLOSE_OF_NIL] = {"close-of-nil",
                                 "A close of a nil channel panics: it was never made, or was set to nil.", true},
    [GL_ANOMALY_PANIC] = {"dead-by-panic",
                          "A goroutine panicked, and the trace ended with it: nothing recovered, and the program died.",
                          true},
    [GL_ANOMALY_NO_UNPARK] =
        {"ran-without-unpark",
         "A goroutine ran though nothing had ended its wait: events are missing, or the trace is wrong.", false},
    [GL_ANOMALY_IMPOSSIBLE] =
        {"impossible-move", "A goroutine left a state that it was not in: events are missing, or the trace is wrong.",
         false},
    [GL_ANOMALY_EXPLOSION] =
        {"goroutine-explosion",
         "There were 1000 goroutines more than at some moment of the 100 ms before: work comes in faster than "
         "it is done, and nothing holds it back.",
         false},
    [GL_ANOMALY_BUSY_SELECT] =
        {"busy-select",
         "A goroutine looked into channels (select with default) again and again without ever waiting: it "
         "takes a processor to do nothing.",
         true},
    [GL_ANOMALY_GOSCHED_STORM] = {"gosched-storm",
                                  "A goroutine yielded (Gosched) again and again without ever waiting: it spins.",
                                  false},
    [GL_ANOMALY_TIMER_STORM] =
        {"timer-storm",
         "Timers ended 1000 waits or more within 10 ms: many short sleeps or tickers cost more than their "
         "work.",
         false},
    [GL_ANOMALY_LONG_RUNNABLE] =
        {"long-runnable",
         "A goroutine that could run waited 10 ms or longer for a processor: there are too few, or others "
         "do not give way.",
         false},
    [GL_ANOMALY_DELAYED_UNPARK] =
        {"delayed-unpark", "A goroutine was woken, but a stop of the world kept it from running for 0.1 ms or longer.",
         false},
    [GL_ANOMALY_LOST] = {"lost-events", "Something is missing here: what follows from events around it may be wrong.",
                         false},
};

/* The weightier is kept; of equals the earlier. */
static int weightier(const void *a, const void *b)
{
    const gl_anomaly *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->g < y->g ? -1 : x->g > y->g;
}

int gl_anomaly_add(gl_anomalies *a, const gl_anomaly *found)
{
    gl_anomalies_kind_figures *f = &a->result.kind[found->kind];
    f->n++;
    f->count += found->count;
    f->ns += found->ns;
    a->result.in_all++;
    return gl_keep_add(&a->kept[found->kind], found);
}

gl_anomaly gl_anomaly_of(const gl_anomalies *a, gl_anomaly_kind kind, int64_t time, uint64_t g, uint32_t stack)
{
    return (gl_anomaly){.kind = kind,
                        .begin = time,
                        .end = time,
                        .g = g,
                        .group = gl_summary_group_of(a->summary, g),
                        .site = gl_summary_site_of(a->summary, stack),
                        .count = 1,
                        .other_at = -1};
}

int gl_suspect_find(gl_anomalies *a, uint64_t g, bool make, gl_suspect **out)
{
    uint32_t at = gl_map_get(&a->suspect_of, g);
    *out = at == GL_NONE32 ? NULL : &a->suspects[at];
    if (*out || !make)
        return 0;
    if (a->free_count) {
        at = a->free_suspects[--a->free_count];
    } else {
        at = (uint32_t)a->suspect_count;
        if (GL_GROW(a->suspects, a->suspect_capacity, a->suspect_count + 1) < 0 ||
            GL_GROW(a->free_suspects, a->free_capacity, a->suspect_count + 1) < 0)
            return GL_E_NOMEM;
        a->suspect_count++;
    }
    a->suspects[at] =
        (gl_suspect){.g = g, .group = gl_summary_group_of(a->summary, g), .panicked_at = -1, .used = true};
    *out = &a->suspects[at];
    return gl_map_put(&a->suspect_of, g, at);
}

/* --- panics --- */

static void who_closed(const gl_anomalies *a, gl_anomaly *x)
{
    const gl_channel *c = a->channels && x->chan ? gl_channels_find(a->channels, x->chan) : NULL;
    if (!c || c->closed_at < 0)
        return;
    x->other_g = c->closed_by;
    x->other_group = c->closed_group;
    x->other_site = c->closed_site;
    x->other_at = c->closed_at;
}

/* The close of a channel is told after the send that failed for it, where the closer's thread was held up meanwhile. */
static void closed_after(gl_anomalies *a, const gl_event *ev)
{
    gl_keep *k = &a->kept[GL_ANOMALY_SEND_ON_CLOSED];
    const gl_channel *c = a->channels && k->count ? gl_channels_find(a->channels, ev->arg[0]) : NULL;
    for (size_t i = 0; c && i < k->count; i++) {
        gl_anomaly *x = (gl_anomaly *)(void *)(k->list + i * k->bytes);
        if (x->chan != ev->arg[0] || x->other_at >= 0 || c->made_at > x->end)
            continue;
        x->other_g = ev->g;
        x->other_group = gl_summary_group_of(a->summary, ev->g);
        x->other_site = gl_summary_site_of(a->summary, ev->stack);
        x->other_at = ev->time;
        x->waiting = x->begin < ev->time;
    }
}

/* A panic about a channel may be told by the operation's end, by the Panic event, or both. */
static int take_channel_panic(gl_anomalies *a, const gl_event *ev, gl_anomaly_kind kind, uint64_t chan, uint32_t stack)
{
    gl_suspect *s;
    gl_channel_operation op;
    int status = gl_suspect_find(a, ev->g, true, &s);
    if (status < 0)
        return status;
    uint8_t by = ev->type == GL_EV_Panic ? GL_TOLD_BY_PANIC : GL_TOLD_BY_RESULT;
    bool told = s->told_by && s->told_by != by;
    s->told_by = told ? GL_TOLD_NOT : by;
    if (told)
        return 0;
    gl_anomaly x = gl_anomaly_of(a, kind, ev->time, ev->g, stack);
    x.chan = chan;
    who_closed(a, &x);
    if (a->channels && gl_channels_operation_of(a->channels, ev->g, &op)) {
        x.begin = op.begin;
        if (!x.site.stack)
            x.site = gl_summary_site_of(a->summary, op.stack);
        x.waiting = x.other_at >= 0 && op.begin < x.other_at;
    }
    /* How far apart the close and the send were. */
    x.ns = x.other_at >= 0 && x.begin > x.other_at ? (uint64_t)(x.begin - x.other_at) : 0;
    return gl_anomaly_add(a, &x);
}

static int take_panic(gl_anomalies *a, const gl_event *ev)
{
    const char *message = gl_dict_text(a->dict, (uint32_t)ev->arg[0], NULL);
    gl_suspect *s;
    int status = gl_suspect_find(a, ev->g, true, &s);
    if (status < 0)
        return status;
    s->panicked_at = ev->time;
    s->waits_for_death = false;
    s->panic_text = (uint32_t)ev->arg[0];
    s->panic_stack = ev->stack;
    s->panic_chan = ev->arg[1];
    if (strstr(message, "send on closed channel"))
        return take_channel_panic(a, ev, GL_ANOMALY_SEND_ON_CLOSED, ev->arg[1], ev->stack);
    if (strstr(message, "close of closed channel"))
        return take_channel_panic(a, ev, GL_ANOMALY_CLOSE_OF_CLOSED, ev->arg[1], ev->stack);
    if (strstr(message, "close of nil channel"))
        return take_channel_panic(a, ev, GL_ANOMALY_CLOSE_OF_NIL, 0, ev->stack);
    return 0;
}

/* It panicked, and that was the last that was seen of it: the trace ended soon after, as its program did. */
static int died(gl_anomalies *a, gl_suspect *s, int64_t end)
{
    if (s->panicked_at < 0 || (!s->waits_for_death && end - s->panicked_at > GL_ANOMALY_DEATH_NS))
        return 0;
    gl_anomaly x = gl_anomaly_of(a, GL_ANOMALY_PANIC, s->panicked_at, s->g, s->panic_stack);
    x.group = s->group ? s->group : x.group;
    x.end = end;
    x.text = s->panic_text;
    x.chan = s->panic_chan;
    s->panicked_at = -1;
    return gl_anomaly_add(a, &x);
}

/* --- channels --- */

static int take_chan(gl_anomalies *a, const gl_event *ev)
{
    a->recorded = true;
    switch (ev->type) {
    case GL_EV_ChanSendEnd:
        if (ev->arg[2] == GL_CHAN_PANIC)
            return take_channel_panic(a, ev, GL_ANOMALY_SEND_ON_CLOSED, ev->arg[0], 0);
        return ev->arg[2] == GL_CHAN_WOULD_BLOCK ? gl_crowd_look(a, ev, 0) : 0;
    case GL_EV_ChanRecvEnd: return ev->arg[2] == GL_CHAN_WOULD_BLOCK ? gl_crowd_look(a, ev, 0) : 0;
    case GL_EV_ChanSelectEnd:
        if (ev->arg[1] == GL_CHAN_SEND && ev->arg[3] == GL_CHAN_PANIC)
            return take_channel_panic(a, ev, GL_ANOMALY_SEND_ON_CLOSED, ev->arg[0], 0);
        if (ev->arg[1] == GL_CHAN_DEFAULT || ev->arg[3] == GL_CHAN_WOULD_BLOCK) {
            gl_channel_operation op;
            bool had = a->channels && gl_channels_operation_of(a->channels, ev->g, &op);
            return gl_crowd_look(a, ev, had ? op.stack : 0);
        }
        return 0;
    case GL_EV_ChanClose:
        if (ev->arg[2] != GL_CHAN_PANIC) {
            closed_after(a, ev);
            return 0;
        }
        return take_channel_panic(a, ev, ev->arg[0] ? GL_ANOMALY_CLOSE_OF_CLOSED : GL_ANOMALY_CLOSE_OF_NIL, ev->arg[0],
                                  ev->stack);
    default: return 0;
    }
}

/* --- goroutines --- */

static int leave(gl_anomalies *a, uint64_t g)
{
    gl_suspect *s;
    int status = gl_suspect_find(a, g, false, &s);
    if (status < 0 || !s)
        return status;
    status = gl_crowd_break(a, s); /* one that ends has recovered: else the program had ended */
    a->free_suspects[a->free_count++] = (uint32_t)(s - a->suspects);
    s->used = false;
    gl_map_remove(&a->suspect_of, g);
    return status;
}

/* The end of an operation that panicked is no sign of life. */
static bool is_panic_result(const gl_event *ev)
{
    return ((ev->type == GL_EV_ChanSendEnd || ev->type == GL_EV_ChanClose) && ev->arg[2] == GL_CHAN_PANIC) ||
           (ev->type == GL_EV_ChanSelectEnd && ev->arg[3] == GL_CHAN_PANIC);
}

/* In Go's words, a goroutine whose panic nothing recovers. */
static bool waits_for_death(const gl_anomalies *a, const gl_event *ev)
{
    return ev->type == GL_EV_GoBlock && strcmp(gl_dict_text(a->dict, (uint32_t)ev->arg[0], NULL), "panicwait") == 0;
}

/* Whoever does something has lived on. */
static int take_life(gl_anomalies *a, const gl_event *ev)
{
    gl_suspect *s;
    if (ev->type == GL_EV_GoEnd) {
        int status = leave(a, ev->g);
        return status < 0 ? status : gl_crowd_alive(a, ev->time, -1, 0);
    }
    if (ev->type == GL_EV_GoCreate) {
        int status = gl_crowd_alive(a, ev->time, 1, ev->stack);
        if (status < 0)
            return status;
    }
    if (!ev->g || !a->suspect_of.count)
        return 0;
    int status = gl_suspect_find(a, ev->g, false, &s);
    if (status < 0 || !s)
        return status;
    if (waits_for_death(a, ev))
        s->waits_for_death = true;
    else if (ev->type != GL_EV_Panic && !is_panic_result(ev))
        s->panicked_at = -1;
    if (ev->type == GL_EV_ChanSendBegin || ev->type == GL_EV_ChanRecvBegin || ev->type == GL_EV_ChanSelectBegin)
        s->told_by = GL_TOLD_NOT;
    return ev->type == GL_EV_GoBlock ? gl_crowd_break(a, s) : 0;
}

static int take_lost(gl_anomalies *a, const gl_event *ev)
{
    int64_t until = ev->arg[2] <= INT64_MAX ? (int64_t)ev->arg[2] : ev->time;
    gl_anomaly x = gl_anomaly_of(a, GL_ANOMALY_LOST, ev->time, 0, 0);
    x.end = until > ev->time ? until : ev->time;
    x.count = ev->arg[0] ? ev->arg[0] : 1;
    x.text = (uint32_t)ev->arg[3];
    a->lost_until = x.end > a->lost_until ? x.end : a->lost_until;
    return gl_anomaly_add(a, &x);
}

static void take_stw(gl_anomalies *a, const gl_event *ev)
{
    uint32_t process = gl_summary_process_of(a->summary, ev);
    if (ev->type == GL_EV_GCSTWBegin) {
        gl_recent_pause *p = &a->pauses[a->pause_count++ % GL_RECENT_PAUSES];
        *p = (gl_recent_pause){ev->time, INT64_MAX, ev->g, (uint32_t)ev->arg[0], process};
        return;
    }
    for (size_t i = a->pause_count; i-- > 0 && i + GL_RECENT_PAUSES >= a->pause_count;) {
        gl_recent_pause *p = &a->pauses[i % GL_RECENT_PAUSES];
        if (p->process == process) {
            p->end = ev->time;
            return;
        }
    }
}

static int take_event(void *user, const gl_event *ev)
{
    gl_anomalies *a = user;
    int status = take_life(a, ev);
    if (status < 0)
        return status;
    switch (ev->type) {
    case GL_EV_GCSTWBegin:
    case GL_EV_GCSTWEnd: take_stw(a, ev); return 0;
    case GL_EV_GoYield: return gl_crowd_yield(a, ev);
    case GL_EV_Panic: return take_panic(a, ev);
    case GL_EV_Lost: return take_lost(a, ev);
    default: return ev->type >= GL_EV_ChanMake && ev->type <= GL_EV_ChanSelectEnd ? take_chan(a, ev) : 0;
    }
}

/* --- spans --- */

static int take_runnable(gl_anomalies *a, const gl_span *s)
{
    int64_t ns = s->end - s->begin;
    gl_anomaly x = gl_anomaly_of(a, GL_ANOMALY_LONG_RUNNABLE, s->begin, s->g, s->cause_stack);
    x.end = s->end;
    x.group = s->group;
    x.other_g = s->cause_g;
    x.other_group = gl_summary_group_of(a->summary, s->cause_g);
    if (ns >= GL_ANOMALY_LONG_RUNNABLE_NS) {
        x.ns = (uint64_t)ns;
        int status = gl_anomaly_add(a, &x);
        if (status < 0)
            return status;
    }
    if (s->cause != GL_EV_GoUnpark)
        return 0;
    const gl_recent_pause *worst = NULL;
    int64_t held = 0, most = 0;
    for (size_t i = 0; i < GL_RECENT_PAUSES && i < a->pause_count; i++) {
        const gl_recent_pause *p = &a->pauses[i];
        int64_t from = p->begin > s->begin ? p->begin : s->begin, to = p->end < s->end ? p->end : s->end;
        if (from >= to || p->process != GL_PROCESS_OF(s->g))
            continue;
        held += to - from;
        if (to - from > most) {
            most = to - from;
            worst = p;
        }
    }
    if (held < GL_ANOMALY_DELAYED_NS)
        return 0;
    x.kind = GL_ANOMALY_DELAYED_UNPARK;
    x.ns = (uint64_t)held;
    x.other_g = worst->g;
    x.other_group = gl_summary_group_of(a->summary, worst->g);
    x.other_at = worst->begin;
    x.text = worst->reason;
    return gl_anomaly_add(a, &x);
}

static int take_broken(gl_anomalies *a, const gl_span *s)
{
    bool waited = s->state == GL_G_WAITING && s->left_as == GL_G_RUNNABLE;
    gl_anomaly x =
        gl_anomaly_of(a, waited ? GL_ANOMALY_NO_UNPARK : GL_ANOMALY_IMPOSSIBLE, s->begin, s->g, s->cause_stack);
    x.end = s->end;
    x.group = s->group;
    x.state = s->state;
    x.left_as = s->left_as;
    return gl_anomaly_add(a, &x);
}

static bool ended_by_timer(const gl_anomalies *a, const gl_span *s)
{
    if (s->state != GL_G_WAITING || s->ender != GL_EV_GoUnpark || s->ender_g)
        return false;
    const char *reason = gl_dict_text(a->dict, s->reason, NULL);
    return strcmp(reason, "sleep") == 0 || strncmp(reason, "chan receive", 12) == 0 || strcmp(reason, "select") == 0;
}

static int take_span(void *user, const gl_span *s)
{
    gl_anomalies *a = user;
    bool known = !s->open_start && !s->open_end && !s->resync && s->begin > a->lost_until;
    if (s->state != s->left_as && known && s->state != GL_G_NOT_EXIST)
        return take_broken(a, s);
    if (s->state == GL_G_RUNNABLE && !s->open_start && !s->open_end && s->end - s->begin >= GL_ANOMALY_DELAYED_NS)
        return take_runnable(a, s);
    return ended_by_timer(a, s) ? gl_crowd_timer(a, s->end) : 0;
}

gl_anomalies *gl_anomalies_new(gl_summary *s, const gl_dict *dict, size_t keep)
{
    gl_anomalies *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->summary = s;
    a->dict = dict;
    a->lost_until = INT64_MIN;
    for (unsigned i = 0; i < GL_ANOMALY_KINDS; i++)
        a->kept[i] = (gl_keep){.most = keep, .bytes = sizeof(gl_anomaly), .better = weightier};
    if (gl_summary_watch(s, &(gl_watcher){.user = a, .on_event = take_event, .on_span = take_span}) == 0)
        return a;
    gl_anomalies_destroy(a);
    return NULL;
}

void gl_anomalies_set_channels(gl_anomalies *a, const gl_channels *channels) { a->channels = channels; }

int gl_anomalies_finish(gl_anomalies *a, int64_t end_ns, const gl_anomalies_result **out)
{
    *out = &a->result;
    if (a->list)
        return 0;
    int status = gl_crowd_finish(a);
    for (size_t i = 0; i < a->suspect_count && status == 0; i++) {
        if (a->suspects[i].used)
            status = died(a, &a->suspects[i], end_ns);
    }
    size_t n = 0;
    for (unsigned i = 0; i < GL_ANOMALY_KINDS; i++)
        n += a->kept[i].count;
    a->list = calloc(n + 1, sizeof *a->list);
    if (!a->list)
        return GL_E_NOMEM;
    for (unsigned i = 0; i < GL_ANOMALY_KINDS; i++) {
        gl_keep_sort(&a->kept[i]);
        if (a->kept[i].count)
            memcpy(&a->list[a->result.count], a->kept[i].list, a->kept[i].count * sizeof *a->list);
        a->result.count += a->kept[i].count;
        a->result.kind[i].can_tell = a->recorded || !gl_anomaly_kinds[i].recorded_only || a->result.kind[i].n;
    }
    a->result.list = a->list;
    return status;
}

void gl_anomalies_destroy(gl_anomalies *a)
{
    if (!a)
        return;
    for (unsigned i = 0; i < GL_ANOMALY_KINDS; i++)
        gl_keep_clean_up(&a->kept[i]);
    free(a->list);
    free(a->suspects);
    free(a->free_suspects);
    gl_map_clean_up(&a->suspect_of);
    free(a);
}
