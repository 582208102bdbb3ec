/* What the commands for choosing lanes do: grouping, hiding, pinning, who deals with whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define ACTION(id) void gl_do_##id(gl_app *a, const char *text, int key)
#define NO_ARGUMENT (void)text, (void)key

/* State, or wait reason, of a goroutine at the cursor. */
static uint64_t key_at(gl_app *a, const gl_window *w, gl_grouping by, uint32_t gor)
{
    const gl_lane_span *s = gl_window_span_at(w, gor, a->cursor);
    if (by == GL_BY_CHANNEL)
        return gl_model_last_chan(a->m, gor);
    if (!s)
        return by == GL_BY_REASON ? 0 : GL_G_NOT_EXIST;
    gl_span_kind k = (gl_span_kind)s->kind;
    if (by == GL_BY_REASON)
        return gl_span_is_wait(k) ? s->reason : 0;
    return k == GL_SPAN_RUNNABLE ? GL_G_RUNNABLE : k == GL_SPAN_SYSCALL ? GL_G_SYSCALL : gl_span_is_busy(k) ? GL_G_RUNNING
                                                                                      : GL_G_WAITING;
}

static void group_by(gl_app *a, gl_grouping by)
{
    uint64_t *keys = NULL;
    size_t n = a->m->gor_count;
    char t[GL_UNIT_TEXT_MAX];
    if (by == GL_BY_STATE || by == GL_BY_REASON || by == GL_BY_CHANNEL) {
        const gl_window *w;
        keys = malloc((n ? n : 1) * sizeof *keys);
        if (!keys || gl_windows_get(&a->windows, a->cursor, a->cursor + 1, &w, NULL) < 0) {
            free(keys);
            gl_app_say(a, true, "what goroutines do at this moment cannot be read");
            return;
        }
        for (uint32_t i = 0; i < n; i++)
            keys[i] = key_at(a, w, by, i);
    }
    gl_lanes_group(&a->lanes, by, keys, n);
    a->moved = true;
    if (a->view != GL_VIEW_GOROUTINES)
        gl_app_set_view(a, GL_VIEW_GOROUTINES);
    gl_app_relist(a);
    bool moment = by == GL_BY_STATE || by == GL_BY_REASON;
    gl_app_say(a, false, "grouped by %s%s%s", gl_grouping_what(by), moment ? ", " : "",
               moment ? gl_unit_ns(t, a->cursor) : "");
}

ACTION(group)
{
    (void)key;
    if (!*text) {
        group_by(a, (gl_grouping)((a->lanes.by + 1) % GL_GROUPINGS));
        return;
    }
    for (int by = 0; by < GL_GROUPINGS; by++)
        if (strcmp(text, gl_grouping_word((gl_grouping)by)) == 0) {
            group_by(a, (gl_grouping)by);
            return;
        }
    gl_app_say(a, true, "groups are by function, state, reason, creator, channel or process, not by %.40s", text);
}

ACTION(flat)
{
    NO_ARGUMENT;
    a->lanes.flat = !a->lanes.flat;
    a->moved = true;
    gl_app_relist(a);
}

ACTION(pin)
{
    NO_ARGUMENT;
    uint32_t gor = gl_app_gor(a);
    if (gor == GL_NONE) {
        gl_app_say(a, false, "choose a goroutine's lane first");
        return;
    }
    bool pinned = gl_lanes_pin(&a->lanes, gor);
    gl_app_relist(a);
    char name[GL_KEYS_TEXT_MAX];
    gl_app_say(a, false, pinned ? "G%llu stays on top; %s on it takes it down" : "G%llu is back among the others%.0s",
               (unsigned long long)a->m->gors[gor].id, gl_app_key_of(a, "pin", name));
}

/* Ran in the window, or was in a system call. */
static int add_busy(gl_app *a)
{
    const gl_window *w = gl_app_window(a);
    int status = 0;
    for (size_t i = 0; w && i < w->count && status == 0; i++) {
        const gl_lane_span *s = &w->spans[i];
        if (gl_span_is_busy((gl_span_kind)s->kind) && s->begin < a->to && s->end > a->from)
            status = gl_ids_put(&a->active, s->gor, 0);
    }
    if (w || gl_far_look(&a->far, a->m, gl_app_scale(a)) < 0)
        return status;
    for (size_t i = 0; i < a->far.count && status == 0; i++)
        if (gl_far_is_busy(&a->far.shares[i]))
            status = gl_ids_put(&a->active, a->far.shares[i].gor, 0);
    return status;
}

static int add_alive(gl_app *a)
{
    int status = 0;
    for (uint32_t i = 0; i < a->m->gor_count && status == 0; i++) {
        const gl_gor *g = &a->m->gors[i];
        gl_model_pass(a->m, i);
        if (g->first < a->to && gl_model_end(a->m, g->last) > a->from)
            status = gl_ids_put(&a->active, i, 0);
    }
    return status;
}

ACTION(hide)
{
    NO_ARGUMENT;
    a->hide = (gl_hide)((a->hide + 1) % GL_HIDES);
    gl_ids_clean_up(&a->active);
    if ((a->hide == GL_HIDE_FINISHED && add_alive(a) < 0) || (a->hide == GL_HIDE_IDLE && add_busy(a) < 0)) {
        gl_app_say(a, true, "no memory is left for this list");
        a->hide = GL_HIDE_NONE;
    }
    a->moved = true;
    gl_app_set_view(a, GL_VIEW_GOROUTINES);
    gl_app_relist(a);
    gl_app_say(a, false,
               a->hide == GL_HIDE_NONE       ? "all goroutines"
               : a->hide == GL_HIDE_FINISHED ? "%zu goroutines that were there in this window; Z hides the idle ones too"
                                             : "%zu goroutines that ran in this window; Z shows all",
               a->active.n);
}

/* Adds those that wake, or are woken by, one of the goroutines that are there. */
static int add_hop(gl_app *a, const gl_window *w)
{
    gl_ids more = {0};
    int status = 0;
    for (size_t i = 0; i < w->count && status == 0; i++) {
        const gl_lane_span *s = &w->spans[i];
        uint64_t g = a->m->gors[s->gor].id;
        if (!s->by || s->begin >= a->to || s->end <= a->from)
            continue;
        bool has = gl_ids_get(&a->related_to, g) != GL_NONE, has_by = gl_ids_get(&a->related_to, s->by) != GL_NONE;
        if (has != has_by)
            status = gl_ids_put(&more, has ? s->by : g, 0);
    }
    for (size_t i = 0; i < more.capacity && status == 0; i++)
        if (more.value[i])
            status = gl_ids_put(&a->related_to, more.key[i], 0);
    gl_ids_clean_up(&more);
    return status;
}

static void show_related(gl_app *a)
{
    a->moved = true;
    gl_app_set_view(a, GL_VIEW_GOROUTINES);
    gl_app_relist(a);
    gl_app_go_lane(a, gl_model_find(a->m, a->related));
    gl_app_say(a, false, "the %zu goroutines within %u hop%s of G%llu here; R goes a hop further, r shows all",
               a->related_to.n, a->related_hops, a->related_hops == 1 ? "" : "s", (unsigned long long)a->related);
}

/* Who wakes whom within the window, both ways. */
static void relate(gl_app *a)
{
    uint32_t gor = gl_app_gor(a);
    const gl_window *w = gor == GL_NONE ? NULL : gl_app_window(a);
    if (!w) {
        gl_app_say(a, false, "choose a goroutine's lane first, and zoom in");
        return;
    }
    gl_ids_clean_up(&a->related_to);
    if (gl_ids_put(&a->related_to, a->m->gors[gor].id, 0) < 0 || add_hop(a, w) < 0) {
        gl_app_say(a, true, "no memory is left for this list");
        return;
    }
    a->related = a->m->gors[gor].id;
    a->related_hops = 1;
    show_related(a);
}

ACTION(related)
{
    NO_ARGUMENT;
    if (!a->related) {
        relate(a);
        return;
    }
    a->related = 0;
    gl_app_relist(a);
}

ACTION(related_more)
{
    NO_ARGUMENT;
    const gl_window *w = a->related ? gl_app_window(a) : NULL;
    if (!a->related) {
        relate(a);
        return;
    }
    size_t had = a->related_to.n;
    if (!w || add_hop(a, w) < 0 || a->related_to.n == had) {
        gl_app_say(a, false, w ? "nobody else deals with these in this window" : "zoom in first");
        return;
    }
    a->related_hops++;
    show_related(a);
}

ACTION(curves)
{
    NO_ARGUMENT;
    a->curves = (gl_curves)((a->curves + 1) % GL_CURVES);
    gl_app_resize(a, a->w, a->h);
    static const char *const says[GL_CURVES] = {"summary lanes as fits", "summary lanes large", "no summary lanes"};
    gl_app_say(a, false, "%s", says[a->curves]);
}

bool gl_app_go_chan(gl_app *a, uint32_t chan)
{
    if (chan >= a->m->chans.n)
        return false;
    gl_app_set_view(a, GL_VIEW_CHANNELS);
    uint32_t at = gl_lanes_find(&a->other, GL_ROW_CHAN, chan);
    a->moved = true;
    a->at = at == GL_NONE ? a->at : at;
    gl_app_move_lane(a, 0);
    return at != GL_NONE;
}

/* The operation that holds the cursor, else the one that ended last before it. */
static uint32_t chan_of(gl_app *a, uint32_t gor)
{
    uint32_t straddle = gl_app_straddle(a, gor), best = GL_NONE;
    if (straddle != GL_NONE && a->m->straddles[straddle].chan)
        return gl_chans_at(&a->m->chans, a->m->straddles[straddle].chan, a->cursor);
    a->windows.want_units = true;
    const gl_window *w;
    if (gl_windows_get(&a->windows, a->from, a->to, &w, NULL) < 0)
        return gl_model_last_chan(a->m, gor) - 1; /* 0 becomes GL_NONE */
    int64_t latest = INT64_MIN;
    for (size_t i = 0; i < w->steps.n; i++) {
        const gl_step *s = &w->steps.list[i];
        if (s->gor == gor && s->time <= a->cursor && s->time >= latest) {
            best = s->chan;
            latest = s->time;
        }
    }
    return best == GL_NONE ? gl_model_last_chan(a->m, gor) - 1 : best;
}

ACTION(channel)
{
    (void)key;
    uint32_t gor = gl_app_gor(a), chan = GL_NONE;
    if (*text)
        chan = gl_chans_at(&a->m->chans, strtoull(text, NULL, 16), a->cursor);
    else if (gor != GL_NONE && a->m->chans.n)
        chan = chan_of(a, gor);
    if (chan == GL_NONE) {
        gl_app_say(a, false,
                   a->m->chans.n == 0 ? "this trace names no channels: Go's own traces do not"
                   : *text            ? "this trace has no channel of that address"
                                      : "this goroutine has not used a channel in what is shown");
        return;
    }
    gl_app_remember(a);
    gl_app_go_chan(a, chan);
}

ACTION(pause)
{
    NO_ARGUMENT;
    if (!a->m->follow) {
        gl_app_say(a, false, "this file is not being written");
        return;
    }
    a->follow = !a->follow;
    if (a->follow) {
        int64_t span = a->to - a->from;
        gl_app_show(a, a->m->read_end - span, a->m->read_end);
        a->follow = true;
        a->cursor = a->to - 1;
    }
    char name[GL_KEYS_TEXT_MAX];
    gl_app_say(a, false, a->follow ? "following%.0s" : "held still: %s follows again", gl_app_key_of(a, "pause", name));
}
