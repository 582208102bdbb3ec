#include "trigger.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "idmap.h"

#define CONDITIONS_MAX 16
#define STOPS_KEPT 16 /* GC pauses that are remembered: older ones lie before every send that a person waits for */
#define SENDS_MAX (1u << 20)

typedef enum what { STW, STRADDLE, PANIC, GOROUTINES, EVENT } what;

typedef struct condition {
    what what;
    int64_t limit;      /* ns, or a count */
    bool type[GL_EV_LIMIT];
    bool and_next;      /* && stands behind it */
} condition;

typedef struct send {
    uint64_t g;
    int64_t began;
    bool blocked; /* all that is known of it is that the goroutine waits: a program without channel events */
} send;

struct gl_trigger {
    char *text;
    condition condition[CONDITIONS_MAX];
    size_t n;
    bool sends;              /* sends are looked at */
    int64_t stop_began;      /* INT64_MIN: none is going on */
    bool stop_is_gc;
    int64_t stops[STOPS_KEPT][2];
    unsigned stops_n;
    send *send;              /* under way: open addressing by goroutine, g 0 is empty */
    size_t send_n, send_mask;
};

/* ---- the language --------------------------------------------------------------------------------------------------- */

typedef struct parser {
    const char *text, *at;
    gl_error *err;
} parser;

static const struct {
    const char *name;
    what what;
    char operator; /* 0: none */
} words[] = {{"send-straddle", STRADDLE, '>'}, {"stw", STW, '>'}, {"panic", PANIC, 0}, {"goroutines", GOROUTINES, '>'},
             {"event", EVENT, '='}};

static void skip_blanks(parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static int wrong(parser *p, const char *says)
{
    return gl_fail(p->err, GL_E_USAGE, (uint64_t)(p->at - p->text), "%s", says);
}

static bool take_text(parser *p, const char *text)
{
    skip_blanks(p);
    size_t n = strlen(text);
    if (strncmp(p->at, text, n) != 0)
        return false;
    p->at += n;
    return true;
}

/** 1.5ms, 5us, 2s, 1m30s are not needed here: one number, one unit. */
static int take_time(parser *p, int64_t *ns)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}};
    skip_blanks(p);
    if (!isdigit((unsigned char)*p->at))
        return wrong(p, "a time such as 5ms is missing here");
    char *end;
    double value = strtod(p->at, &end);
    p->at = end;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t n = strlen(units[i].unit);
        if (strncmp(end, units[i].unit, n) == 0 && !isalnum((unsigned char)end[n])) {
            if (value * units[i].ns > 1e18)
                return wrong(p, "this time is too long");
            *ns = (int64_t)(value * units[i].ns);
            p->at += n;
            return 0;
        }
    }
    return wrong(p, "a unit is wanted here: ns, us, ms, s or m");
}

static int take_count(parser *p, int64_t *count)
{
    skip_blanks(p);
    if (!isdigit((unsigned char)*p->at))
        return wrong(p, "a number is missing here");
    char *end;
    unsigned long long value = strtoull(p->at, &end, 10);
    if (value > INT64_MAX)
        return wrong(p, "this number is too large");
    p->at = end;
    if (isalnum((unsigned char)*p->at))
        return wrong(p, "goroutines are counted without a unit");
    *count = (int64_t)value;
    return 0;
}

/** An event's name, or an operation's, in whatever case. */
static int take_event(parser *p, condition *c)
{
    skip_blanks(p);
    size_t n = 0;
    while (isalnum((unsigned char)p->at[n]))
        n++;
    if (!n)
        return wrong(p, "an event's name is missing here");
    bool found = false;
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        bool same = info && ((strlen(info->name) == n && strncasecmp(info->name, p->at, n) == 0) ||
                             (strlen(info->operation) == n && strncasecmp(info->operation, p->at, n) == 0));
        c->type[code] = same;
        found |= same;
    }
    if (!found)
        return wrong(p, "there is no event of this name; golanes-format(5) lists them");
    p->at += n;
    return 0;
}

static int take_value(parser *p, condition *c)
{
    switch (c->what) {
    case STW:
    case STRADDLE: return take_time(p, &c->limit);
    case GOROUTINES: return take_count(p, &c->limit);
    case EVENT: return take_event(p, c);
    case PANIC: break;
    }
    return 0;
}

static int take_condition(parser *p, condition *c)
{
    skip_blanks(p);
    size_t n = 0;
    while (isalnum((unsigned char)p->at[n]) || p->at[n] == '-')
        n++;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i].name) != n || strncmp(words[i].name, p->at, n) != 0)
            continue;
        p->at += n;
        c->what = words[i].what;
        char operator[2] = {words[i].operator, '\0'};
        if (*operator && !take_text(p, operator))
            return wrong(p, *operator == '>' ? "'>' is wanted here" : "'=' is wanted here");
        return take_value(p, c);
    }
    return wrong(p, n ? "this is none of stw, send-straddle, panic, goroutines, event"
                      : "a condition is missing here: stw, send-straddle, panic, goroutines or event");
}

static int parse(gl_trigger *t, parser *p)
{
    for (;;) {
        if (t->n == CONDITIONS_MAX)
            return wrong(p, "these are too many conditions");
        condition *c = &t->condition[t->n];
        int status = take_condition(p, c);
        if (status < 0)
            return status;
        t->n++;
        t->sends |= c->what == STRADDLE;
        skip_blanks(p);
        if (!*p->at)
            return 0;
        c->and_next = take_text(p, "&&");
        if (!c->and_next && !take_text(p, "||") && !take_text(p, ","))
            return wrong(p, "'&&', '||' or the end is wanted here");
    }
}

int gl_trigger_parse(const char *text, gl_trigger **out, size_t *at, gl_error *err)
{
    gl_trigger *t = calloc(1, sizeof *t);
    if (!t || !(t->text = strdup(text))) {
        free(t);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a trigger");
    }
    t->stop_began = INT64_MIN;
    parser p = {t->text, t->text, err};
    int status = parse(t, &p);
    *at = (size_t)(p.at - p.text);
    if (status < 0)
        gl_trigger_free(t);
    else
        *out = t;
    return status;
}

void gl_trigger_free(gl_trigger *t)
{
    if (!t)
        return;
    free(t->text);
    free(t->send);
    free(t);
}

const char *gl_trigger_text(const gl_trigger *t)
{
    return t->text;
}

/* ---- sends under way ------------------------------------------------------------------------------------------------ */

static send *find_send(const gl_trigger *t, uint64_t g)
{
    size_t i = gl_idmap_hash(g) & t->send_mask;
    while (t->send[i].g && t->send[i].g != g)
        i = (i + 1) & t->send_mask;
    return &t->send[i];
}

static bool grow_sends(gl_trigger *t)
{
    gl_trigger more = {.send_mask = t->send ? 2 * t->send_mask + 1 : 255};
    if (more.send_mask >= SENDS_MAX || !(more.send = calloc(more.send_mask + 1, sizeof *more.send)))
        return false;
    for (size_t i = 0; t->send && i <= t->send_mask; i++)
        if (t->send[i].g)
            *find_send(&more, t->send[i].g) = t->send[i];
    free(t->send);
    t->send = more.send;
    t->send_mask = more.send_mask;
    return true;
}

/** Without memory a send is not looked at: the recording matters more. */
static void begin_send(gl_trigger *t, uint64_t g, int64_t time, bool blocked)
{
    if (!g || ((!t->send || 2 * t->send_n >= t->send_mask) && !grow_sends(t)))
        return;
    send *s = find_send(t, g);
    if (s->g) /* ChanSendBegin, then the block: the send began with the former */
        return;
    *s = (send){g, time, blocked};
    t->send_n++;
}

/** When it began; INT64_MIN where none is under way, or none that this ends. */
static int64_t end_send(gl_trigger *t, uint64_t g, bool only_blocked)
{
    send *s = t->send && g ? find_send(t, g) : NULL;
    if (!s || !s->g || (only_blocked && !s->blocked))
        return INT64_MIN;
    int64_t began = s->began;
    size_t hole = (size_t)(s - t->send);
    for (size_t i = (hole + 1) & t->send_mask; t->send[i].g; i = (i + 1) & t->send_mask) {
        size_t home = gl_idmap_hash(t->send[i].g) & t->send_mask;
        if (((i - home) & t->send_mask) >= ((i - hole) & t->send_mask)) {
            t->send[hole] = t->send[i];
            hole = i;
        }
    }
    t->send[hole].g = 0;
    t->send_n--;
    return began;
}

static bool touches_pause(const gl_trigger *t, int64_t from, int64_t to)
{
    if (t->stop_began != INT64_MIN && t->stop_is_gc && t->stop_began < to)
        return true;
    unsigned kept = t->stops_n < STOPS_KEPT ? t->stops_n : STOPS_KEPT;
    for (unsigned i = 0; i < kept; i++)
        if (t->stops[i][0] < to && t->stops[i][1] > from)
            return true;
    return false;
}

/** The length of a send that ends here and had a GC pause in it; -1: none does. */
static int64_t straddle_at(gl_trigger *t, const gl_dict *dict, const gl_event *ev)
{
    int64_t began = INT64_MIN;
    switch (ev->type) {
    case GL_EV_ChanSendBegin: begin_send(t, ev->g, ev->time, false); return -1;
    case GL_EV_GoBlock:
        if (strcmp(gl_dict_text(dict, (uint32_t)ev->arg[0], NULL), "chan send") == 0)
            begin_send(t, ev->g, ev->time, true);
        return -1;
    case GL_EV_ChanSendEnd: began = end_send(t, ev->g, false); break;
    case GL_EV_GoStart: began = end_send(t, ev->arg[0], true); break;
    case GL_EV_GoEnd: (void)end_send(t, ev->g, false); return -1;
    default: return -1;
    }
    return began != INT64_MIN && touches_pause(t, began, ev->time) ? ev->time - began : -1;
}

/** The length of a stop-the-world that ends here; -1: none does. */
static int64_t stop_at(gl_trigger *t, const gl_dict *dict, const gl_event *ev)
{
    if (ev->type == GL_EV_GCSTWBegin) {
        t->stop_began = ev->time;
        t->stop_is_gc = strstr(gl_dict_text(dict, (uint32_t)ev->arg[0], NULL), "GC") != NULL;
        return -1;
    }
    if (ev->type != GL_EV_GCSTWEnd || t->stop_began == INT64_MIN)
        return -1;
    int64_t began = t->stop_began;
    t->stop_began = INT64_MIN;
    if (t->stop_is_gc) {
        t->stops[t->stops_n % STOPS_KEPT][0] = began;
        t->stops[t->stops_n++ % STOPS_KEPT][1] = ev->time;
    }
    return ev->time - began;
}

bool gl_trigger_event(gl_trigger *t, const gl_dict *dict, const gl_event *ev, uint64_t goroutines)
{
    int64_t stop = stop_at(t, dict, ev), straddle = t->sends ? straddle_at(t, dict, ev) : -1;
    bool all = true;
    for (size_t i = 0; i < t->n; i++) {
        const condition *c = &t->condition[i];
        switch (c->what) {
        case STW: all &= stop > c->limit; break;
        case STRADDLE: all &= straddle > c->limit; break;
        case PANIC: all &= ev->type == GL_EV_Panic; break;
        case GOROUTINES: all &= goroutines > (uint64_t)c->limit; break;
        case EVENT: all &= ev->type < GL_EV_LIMIT && c->type[ev->type]; break;
        }
        if (!c->and_next) {
            if (all)
                return true;
            all = true;
        }
    }
    return false;
}
