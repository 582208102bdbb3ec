/* What the commands for jumping do. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define ACTION(id) void gl_do_##id(gl_app *a, const char *text, int key)
#define NO_ARGUMENT (void)text, (void)key

static void to_timeline(gl_app *a)
{
    if (gl_view_info_of(a->view)->list) {
        a->view = GL_VIEW_GOROUTINES;
        gl_app_resize(a, a->w, a->h);
        gl_app_relist(a);
    }
}

/* Where the cursor stands on a straddle: the pause in it, or its beginning where that is later. */
static int64_t moment_of(const gl_model *m, const gl_straddle *s)
{
    return m->pauses[s->pause].begin > s->begin ? m->pauses[s->pause].begin : s->begin;
}

/* Straddles in order of their moment, those of one moment by goroutine: a list to walk through with one key. */
static bool straddle_before(const gl_model *m, const gl_straddle *x, int64_t moment, uint64_t g)
{
    int64_t t = moment_of(m, x);
    return t < moment || (t == moment && x->g < g);
}

static void step_straddle(gl_app *a, bool forward)
{
    const gl_model *m = a->m;
    uint32_t gor = gl_app_gor(a), at = gor == GL_NONE ? GL_NONE : gl_app_straddle(a, gor);
    int64_t moment = at == GL_NONE ? a->cursor : moment_of(m, &m->straddles[at]);
    uint64_t g = at == GL_NONE ? (forward ? 0 : UINT64_MAX) : m->straddles[at].g;
    const gl_straddle *best = NULL;
    for (size_t i = 0; i < m->straddle_count; i++) {
        const gl_straddle *s = &m->straddles[i];
        bool before = straddle_before(m, s, moment, g), same = moment_of(m, s) == moment && s->g == g;
        if (same || before == forward)
            continue;
        if (!best || straddle_before(m, s, moment_of(m, best), best->g) == forward)
            best = s;
    }
    if (!best) {
        gl_app_say(a, false,
                   m->straddle_count ? "no straddling send %s this one" : "no send in this trace straddles a GC pause",
                   forward ? "after" : "before");
        return;
    }
    gl_app_remember(a);
    to_timeline(a);
    if (!gl_app_go_lane(a, best->gor))
        gl_app_say(a, true, "the filter hides its goroutine, G%llu", (unsigned long long)best->g);
    gl_app_go(a, moment_of(m, best));
}

ACTION(next_straddle) { NO_ARGUMENT; step_straddle(a, true); }
ACTION(prev_straddle) { NO_ARGUMENT; step_straddle(a, false); }

ACTION(worst)
{
    NO_ARGUMENT;
    const gl_straddle *s = NULL;
    for (size_t i = 0; i < a->m->straddle_count; i++)
        if (!s || a->m->straddles[i].overlap > s->overlap)
            s = &a->m->straddles[i];
    if (!s) {
        gl_app_say(a, false, "no send in this trace straddles a GC pause");
        return;
    }
    gl_app_remember(a);
    to_timeline(a);
    gl_app_go_lane(a, s->gor);
    int64_t margin = (s->end - s->begin) / 3 + 1;
    gl_app_show(a, s->begin - margin, s->end + margin);
    gl_app_go(a, moment_of(a->m, s));
}

static void step_pause(gl_app *a, bool forward)
{
    const gl_model *m = a->m;
    size_t best = m->pause_count;
    for (size_t i = 0; i < m->pause_count; i++) {
        int64_t t = m->pauses[i].begin;
        if (forward ? t > a->cursor : t < a->cursor) {
            best = i;
            if (forward)
                break;
        }
    }
    if (best == m->pause_count) {
        gl_app_say(a, false, "no pause %s this moment", forward ? "after" : "before");
        return;
    }
    gl_app_remember(a);
    to_timeline(a);
    gl_app_go(a, m->pauses[best].begin);
}

ACTION(next_pause) { NO_ARGUMENT; step_pause(a, true); }
ACTION(prev_pause) { NO_ARGUMENT; step_pause(a, false); }

static void step_note(gl_app *a, bool forward)
{
    const gl_note *best = NULL;
    for (size_t i = 0; i < a->m->note_count; i++) {
        const gl_note *n = &a->m->notes[i];
        if ((forward ? n->time > a->cursor : n->time < a->cursor) && (!best || (n->time < best->time) == forward))
            best = n;
    }
    if (!best) {
        gl_app_say(a, false, "no panic or loss %s this moment", forward ? "after" : "before");
        return;
    }
    gl_app_remember(a);
    to_timeline(a);
    if (best->g)
        gl_app_go_lane(a, gl_model_find(a->m, best->g));
    gl_app_go(a, best->time);
    gl_app_say(a, false, "%s: %.200s", best->type == GL_EV_Panic ? "panic" : "lost", gl_model_text(a->m, best->text));
}

ACTION(next_note) { NO_ARGUMENT; step_note(a, true); }
ACTION(prev_note) { NO_ARGUMENT; step_note(a, false); }

/* To the next or last boundary between two stretches of this lane. Beyond the window, to its edge: another press reads
 * on. */
static void step_change(gl_app *a, bool forward)
{
    uint32_t gor = gl_app_gor(a);
    const gl_window *w = gor == GL_NONE ? NULL : gl_app_window(a);
    size_t n = 0;
    const gl_lane_span *spans = w ? gl_window_spans(w, gor, &n) : NULL;
    int64_t best = GL_TIME_NONE;
    for (size_t i = 0; i < n; i++) {
        int64_t t = spans[i].begin;
        if (forward ? t > a->cursor : t < a->cursor) {
            best = t;
            if (forward)
                break;
        }
    }
    if (best == GL_TIME_NONE) {
        gl_app_say(a, false, w ? "no change %s this moment in what is read" : "zoom in, or choose a lane",
                   forward ? "after" : "before");
        return;
    }
    gl_app_go(a, best);
}

ACTION(next_change) { NO_ARGUMENT; step_change(a, true); }
ACTION(prev_change) { NO_ARGUMENT; step_change(a, false); }

static void step_match(gl_app *a, bool forward)
{
    if (!gl_search_is_on(&a->search)) {
        gl_app_say(a, false, "nothing was searched for yet: / does");
        return;
    }
    const gl_hit *hit = gl_search_next(&a->search, a->cursor, forward);
    if (!hit) {
        gl_app_say(a, false, "no match %s this moment%s", forward ? "after" : "before",
                   a->search.cursor ? " so far" : "");
        return;
    }
    gl_app_remember(a);
    to_timeline(a);
    if (hit->g && a->view == GL_VIEW_GOROUTINES)
        gl_app_go_lane(a, gl_model_find(a->m, hit->g));
    gl_app_go(a, hit->time);
}

ACTION(next_match) { NO_ARGUMENT; step_match(a, true); }
ACTION(prev_match) { NO_ARGUMENT; step_match(a, false); }

/* The wait that holds the cursor, or that ended just before: what a goroutine was waiting for when it was released. */
static const gl_lane_span *wait_at(gl_app *a, uint32_t gor)
{
    const gl_window *w = gl_app_window(a);
    size_t n = 0;
    const gl_lane_span *spans = w ? gl_window_spans(w, gor, &n) : NULL;
    const gl_lane_span *best = NULL;
    for (size_t i = 0; i < n && spans[i].begin <= a->cursor; i++)
        if (gl_span_is_wait((gl_span_kind)spans[i].kind) || (spans[i].kind == GL_SPAN_RUNNABLE && spans[i].by))
            best = &spans[i];
    return best;
}

ACTION(back)
{
    NO_ARGUMENT;
    uint32_t gor = gl_app_gor(a);
    const gl_lane_span *span = gor == GL_NONE ? NULL : wait_at(a, gor);
    if (!span) {
        gl_app_say(a, false, "this goroutine has not waited before this moment, in what is shown");
        return;
    }
    if (!span->by) {
        gl_app_say(a, false,
                   span->end == GL_TIME_NONE ? "nothing has released it in what is shown"
                                             : "no goroutine released it: a timer, the network or the scheduler");
        return;
    }
    int64_t when = span->kind == GL_SPAN_RUNNABLE ? span->begin : span->end;
    uint64_t by = span->by;
    gl_app_remember(a);
    bool found = gl_app_go_lane(a, gl_model_find(a->m, by));
    gl_app_go(a, when > a->m->begin ? when - 1 : when);
    if (!found)
        gl_app_say(a, true, "G%llu released it, but the filter hides it", (unsigned long long)by);
}

ACTION(forth)
{
    NO_ARGUMENT;
    uint32_t gor = gl_app_gor(a);
    const gl_window *w = gor == GL_NONE ? NULL : gl_app_window(a);
    const gl_lane_span *best = NULL;
    for (size_t i = 0; w && i < w->count; i++) {
        const gl_lane_span *s = &w->spans[i];
        if (s->kind == GL_SPAN_RUNNABLE && s->by == a->m->gors[gor].id && s->begin > a->cursor &&
            (!best || s->begin < best->begin))
            best = s;
    }
    if (!best) {
        gl_app_say(a, false, "it releases nobody after this moment, in what is read");
        return;
    }
    int64_t when = best->begin;
    gl_app_remember(a);
    gl_app_go_lane(a, best->gor);
    gl_app_go(a, when);
}

/* From the cursor back to the second cursor, or to the beginning of the window. */
ACTION(path)
{
    NO_ARGUMENT;
    if (a->trail.n || a->trail.cursor) {
        gl_trail_clean_up(&a->trail);
        return;
    }
    uint32_t gor = gl_app_gor(a);
    int64_t from = a->from, to = a->cursor + 1;
    if (a->anchor != GL_TIME_NONE && a->anchor != a->cursor) {
        from = a->anchor < a->cursor ? a->anchor : a->cursor;
        to = (a->anchor < a->cursor ? a->cursor : a->anchor) + 1;
    }
    gl_error err = {0};
    if (gor == GL_NONE)
        gl_app_say(a, false, "choose a goroutine's lane: the path is followed back through its wake-ups");
    else if (gl_trail_begin(&a->trail, a->m, gor, from, to, &err) < 0)
        gl_app_say(a, true, "%s", err.text);
}

static bool parse_time(const char *text, int64_t *out)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"", 1e6}};
    char *end;
    double v = strtod(text, &end);
    if (end == text || !isfinite(v))
        return false;
    end += strspn(end, " ");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].name) == 0 && fabs(v * units[i].ns) < 9e18) {
            *out = (int64_t)(v * units[i].ns);
            return true;
        }
    return false;
}

/* Row of the goroutines with a start function, whatever the lanes are grouped by. */
static uint32_t group_row(gl_app *a, uint32_t group)
{
    if (a->lanes.by == GL_BY_FUNCTION)
        return gl_lanes_find_group(&a->lanes, group);
    for (uint32_t i = 0; i < a->m->gor_count; i++) {
        gl_model_pass(a->m, i);
        if (a->m->gors[i].group == group && gl_app_go_lane(a, i))
            return a->at;
    }
    return GL_NONE;
}

static bool go_function(gl_app *a, const char *text)
{
    char why[160];
    gl_pattern *p = gl_pattern_new(text, GL_PATTERN_SMART_CASE, why, sizeof why);
    if (!p) {
        gl_app_say(a, true, "%s", why);
        return true;
    }
    bool found = false;
    for (uint32_t i = 0; i < a->m->group_count && !found; i++) {
        const char *name = gl_model_group_name(a->m, i);
        uint32_t at = a->m->groups[i].n && gl_pattern_matches(p, name, strlen(name))
                          ? group_row(a, i)
                          : GL_NONE;
        if (at != GL_NONE) {
            to_timeline(a);
            a->at = at;
            gl_app_move_lane(a, 0);
            found = true;
        }
    }
    gl_pattern_destroy(p);
    return found;
}

/* A time of day (UTC), "12:04:51.223", on the day of the trace's first moment, or on the next where that fits. */
static bool go_clock(gl_app *a, const char *text)
{
    unsigned h, m;
    double s;
    char rest;
    int n = sscanf(text, "%2u:%2u:%lf%c", &h, &m, &s, &rest);
    if (n != 3 && !(n == 2 && (s = 0, true) && sscanf(text, "%2u:%2u%c", &h, &m, &rest) == 2))
        return false;
    if (h > 23 || m > 59 || !(s >= 0 && s < 61))
        return false;
    if (!a->m->wall_unix_ns) {
        gl_app_say(a, true, "this trace does not say what time it was (Go's do since 1.25)");
        return true;
    }
    const int64_t day = INT64_C(86400000000000);
    int64_t in_day = (int64_t)(h * 3600 + m * 60) * 1000000000 + (int64_t)(s * 1e9 + 0.5);
    int64_t t = in_day - (a->m->wall_unix_ns + a->m->begin) % day + a->m->begin;
    t += t < a->m->begin ? day : 0;
    if (t > a->m->end) {
        gl_app_say(a, true, "%.40s lies outside this trace", text);
        return true;
    }
    to_timeline(a);
    gl_app_go(a, t);
    return true;
}

void gl_app_go_text(gl_app *a, const char *text)
{
    int64_t t;
    text += strspn(text, " ");
    if (!*text)
        return;
    gl_app_remember(a);
    a->moved = true;
    if ((text[0] == 'G' || text[0] == 'g') && isdigit((unsigned char)text[1])) {
        uint32_t gor = gl_model_find(a->m, strtoull(text + 1, NULL, 10));
        if (gor == GL_NONE || !gl_app_go_lane(a, gor))
            gl_app_say(a, true, gor == GL_NONE ? "this trace has no goroutine %.30s" : "the filter hides %.30s", text);
        else if (a->cursor < a->m->gors[gor].first || a->cursor > gl_model_end(a->m, a->m->gors[gor].last))
            gl_app_go(a, a->m->gors[gor].first);
        return;
    }
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        gl_do_channel(a, text, 0);
        return;
    }
    if (go_clock(a, text))
        return;
    if (parse_time(text, &t)) {
        to_timeline(a);
        gl_app_go(a, t);
        return;
    }
    if (!go_function(a, text))
        gl_app_say(a, true, "%.60s is no time, goroutine, channel or start function of this trace", text);
}

ACTION(go)
{
    if (!key) {
        gl_app_go_text(a, text);
        return;
    }
    a->prompt = GL_PROMPT_GOTO;
    a->prompt_n = 0;
    a->prompt_text[0] = '\0';
}

ACTION(search)
{
    if (key) {
        a->prompt = GL_PROMPT_SEARCH;
        a->prompt_n = 0;
        a->prompt_text[0] = '\0';
        return;
    }
    gl_error err = {0};
    if (*text && gl_search_begin(&a->search, a->m->reader, text, &err) < 0)
        gl_app_say(a, true, "%.250s", err.text);
}
