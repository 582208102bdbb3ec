#include "lanes/track_move.h"

#include <stdlib.h>

#include "src/transition.h"

/* Goroutines that did nothing have a share too, unless they are so many that a small chunk would be made of them. */
#define IDLE_PER_EVENT 8u
#define IDLE_FREE 4096u
#define TOUCHED_PER_EVENT 3u /* goroutines at most: its own, its target, one that it tells the state of */
#define LIVED_ENOUGH 16u /* one part in so many of the chunk, to have a lane share */

void ln_track_init(ln_track *t, ln_gmap *map, const gl_dict *dict)
{
    memset(t, 0, sizeof *t);
    t->map = map;
    t->dict = dict;
}

void ln_track_free(ln_track *t)
{
    free(t->live);
    free(t->lives);
    free(t->sorted);
    free(t->fresh);
    free(t->ended);
    free(t->classes);
    free(t->gc_reasons);
}

uint8_t ln_share(uint64_t part, uint64_t whole)
{
    while (whole >> 54) { /* so that the product below fits */
        whole >>= 8;
        part >>= 8;
    }
    if (whole == 0)
        return 0;
    uint64_t share = (part * 255 + whole / 2) / whole;
    return share > 255 ? 255 : (uint8_t)share;
}

bool ln_track_reserve(ln_track *t, size_t events)
{
    size_t wanted = t->map->top + TOUCHED_PER_EVENT * events;
    if (wanted <= t->capacity)
        return true;
    wanted += wanted / 2;
    ln_live *live = realloc(t->live, wanted * sizeof *live);
    if (live)
        t->live = live;
    ln_life *lives = realloc(t->lives, wanted * sizeof *lives);
    if (lives)
        t->lives = lives;
    if (!live || !lives) {
        t->no_memory = true;
        return false;
    }
    memset(live + t->capacity, 0, (wanted - t->capacity) * sizeof *live);
    memset(lives + t->capacity, 0, (wanted - t->capacity) * sizeof *lives);
    t->capacity = (uint32_t)wanted;
    return true;
}

static bool has(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

/** Go's wait reasons, of all versions (Go 1.26 src/runtime/runtime2.go and src/runtime/traceruntime.go). */
static ln_wait_class classify(const char *text)
{
    static const struct {
        const char *word;
        ln_wait_class class;
    } words[] = {
        {"chan send", LN_WAIT_CHAN_SEND}, {"chan receive", LN_WAIT_CHAN_RECEIVE}, {"select", LN_WAIT_SELECT},
        {"sync", LN_WAIT_SYNC},           {"semacquire", LN_WAIT_SYNC},           {"sleep", LN_WAIT_SLEEP},
        {"network", LN_WAIT_NETWORK},     {"IO wait", LN_WAIT_NETWORK},           {"GC", LN_WAIT_GC},
    };
    if (!*text)
        return LN_WAIT_NONE;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has(text, words[i].word))
            return words[i].class;
    return LN_WAIT_OTHER;
}

/** Makes the class tables reach up to string id `id`. */
static bool reach_class(ln_track *t, uint32_t id)
{
    if (id < t->classes_n)
        return true;
    if (id >= gl_dict_string_count(t->dict))
        return false;
    uint32_t n = gl_dict_string_count(t->dict) + 64;
    uint8_t *classes = realloc(t->classes, n);
    if (classes)
        t->classes = classes;
    uint8_t *gc = realloc(t->gc_reasons, n);
    if (gc)
        t->gc_reasons = gc;
    if (!classes || !gc) {
        t->no_memory = true;
        return false;
    }
    memset(classes + t->classes_n, 0, n - t->classes_n);
    memset(gc + t->classes_n, 0, n - t->classes_n);
    t->classes_n = n;
    return true;
}

/** The class of a reason that was not asked for before. */
ln_wait_class ln_track_new_class(ln_track *t, uint64_t reason)
{
    if (reason > UINT32_MAX || !reach_class(t, (uint32_t)reason))
        return reason ? LN_WAIT_OTHER : LN_WAIT_NONE;
    uint8_t *c = &t->classes[reason];
    if (!*c)
        *c = (uint8_t)(1 + classify(gl_dict_text(t->dict, (uint32_t)reason, NULL)));
    return (ln_wait_class)(*c - 1);
}

/** True for the two pauses of a GC cycle: sweep termination and mark termination. */
static bool stop_is_gc(ln_track *t, uint64_t reason)
{
    if (reason > UINT32_MAX || !reach_class(t, (uint32_t)reason))
        return false;
    uint8_t *c = &t->gc_reasons[reason];
    if (!*c) {
        const char *text = gl_dict_text(t->dict, (uint32_t)reason, NULL);
        *c = has(text, "mark termination") || has(text, "sweep termination") ? 2 : 1;
    }
    return *c == 2;
}

void ln_track_start(ln_track *t, uint64_t number, uint64_t first_event, const int64_t *time)
{
    if (!t->started && time) {
        t->started = true;
        t->clock = (uint64_t)*time;
    }
    t->chunk = number;
    t->from = t->clock;
    t->node = (gl_summary_node){.first_event = first_event};
    t->gc_since = t->stw_since = t->clock;
    t->alive_max = t->alive;
    t->fresh_n = 0;
    memset(t->state_sum, 0, sizeof t->state_sum);
}

void ln_track_begin_life(ln_track *t, uint32_t index, const gl_event *ev)
{
    bool created = ev->type == GL_EV_GoCreate;
    t->live[index] = (ln_live){.since = ev->time, .mark = t->clock, .chunk = (uint32_t)t->chunk};
    t->lives[index] = (ln_life){.creator = created ? ev->g : ev->type == GL_EV_GoCarried ? ev->arg[3] : 0,
                                .created = created ? ev->time : INT64_MIN,
                                .start_stack = created ? (uint32_t)ev->arg[2] : 0,
                                .birth = t->clock,
                                .first_chunk = t->chunk,
                                .fresh = true};
    uint32_t *fresh = ln_grow(t->fresh, &t->fresh_capacity, t->fresh_n + 1, sizeof *fresh);
    if (fresh) {
        t->fresh = fresh;
        fresh[t->fresh_n++] = index;
    } else {
        t->no_memory = true;
    }
    if (++t->alive > t->alive_max)
        t->alive_max = t->alive;
}

static void add_ended(ln_track *t, uint32_t index, uint64_t last_chunk)
{
    const ln_life *l = &t->lives[index];
    ln_ended *ended = ln_grow(t->ended, &t->ended_capacity, t->ended_n + 1, sizeof *ended);
    if (!ended) {
        t->no_memory = true;
        return;
    }
    t->ended = ended;
    ended[t->ended_n++] = (ln_ended){t->map->recs[index].id, l->creator,     l->first_chunk,
                                     last_chunk,             l->start_stack, l->created == INT64_MIN};
}

void ln_track_end_life(ln_track *t, uint32_t index)
{
    t->alive--;
    add_ended(t, index, t->chunk);
    t->live[index].state = 0;
}

/** A wait for a channel to take a value, from its start to the goroutine's next run, may have overlapped a GC pause. */
void ln_track_end_send(ln_track *t, uint32_t index)
{
    uint64_t since = t->lives[index].send_since;
    bool in_pause = t->stw_on && t->stw_gc && t->clock > t->stw_begin && t->clock > since;
    bool over_pause = t->pause_seen && t->pause_end > since && t->pause_end > t->pause_begin;
    if (in_pause || over_pause) {
        t->node.straddles++;
        t->live[index].lane_flags |= LN_LANE_STRADDLE;
    }
}

static void track_pause(ln_track *t, const gl_event *ev)
{
    if (ev->type == GL_EV_GCSTWBegin) {
        t->stw_on = true;
        t->stw_gc = stop_is_gc(t, ev->arg[0]);
        t->stw_since = t->stw_begin = t->clock;
    } else if (t->stw_on) {
        uint64_t whole = t->clock - t->stw_begin, here = t->clock - t->stw_since;
        t->node.stw_ns += here;
        if (whole > t->node.stw_max_ns)
            t->node.stw_max_ns = whole;
        if (t->stw_gc) {
            t->node.stw_gc_ns += here;
            t->pause_begin = t->stw_begin;
            t->pause_end = t->clock;
            t->pause_seen = true;
        }
        t->stw_on = false;
    }
}

static void track_gc(ln_track *t, bool on)
{
    if (t->gc_on)
        t->node.gc_ns += t->clock - t->gc_since;
    t->gc_on = on;
    t->gc_since = t->clock;
}

/** Events that are not about a goroutine's state. */
static void track_other(ln_track *t, const gl_event *ev, uint32_t gi)
{
    ln_live *l = &t->live[gi];
    gl_summary_node *n = &t->node;
    switch (ev->type) {
    case GL_EV_GCSTWBegin:
    case GL_EV_GCSTWEnd:
        track_pause(t, ev);
        break;
    case GL_EV_GCStart:
    case GL_EV_GCActive:
        track_gc(t, true);
        break;
    case GL_EV_GCEnd:
        track_gc(t, false);
        break;
    case GL_EV_HeapLive:
        if (n->heap_live_max == 0 || ev->arg[0] < n->heap_live_min)
            n->heap_live_min = ev->arg[0];
        if (ev->arg[0] > n->heap_live_max)
            n->heap_live_max = ev->arg[0];
        break;
    case GL_EV_HeapGoal:
        if (ev->arg[0] > n->heap_goal_max)
            n->heap_goal_max = ev->arg[0];
        break;
    case GL_EV_Lost:
        n->lost_events += ev->arg[0];
        break;
    case GL_EV_Panic:
        if (l->state) {
            ln_track_open_account(t, l);
            l->lane_flags |= LN_LANE_PANIC;
        }
        break;
    default:
        break;
    }
}

void ln_track_event(ln_track *t, const gl_event *ev, uint32_t gi, uint32_t ti)
{
    gl_transition m;
    ln_track_advance(t, ev->time);
    if (!gl_transition_of(ev, &m)) {
        track_other(t, ev, gi);
        return;
    }
    uint32_t index = m.id == ev->g ? gi : ti;
    if (ln_track_states(ev->type) && m.id != ev->g) {
        index = ln_gmap_touch(t->map, m.id);
        if (index == UINT32_MAX) {
            t->no_memory = true;
            return;
        }
    }
    if (index != 0) /* "no goroutine" has no state */
        ln_track_move(t, ev, ev->type, &m, index);
}

void ln_track_send_begin(ln_track *t, const gl_event *ev, uint32_t gi)
{
    ln_track_advance(t, ev->time);
    ln_live *l = &t->live[gi];
    l->flags |= LN_LIVE_IN_SEND;
    t->lives[gi].send_since = t->clock;
}

void ln_track_send_end(ln_track *t, const gl_event *ev, uint32_t gi)
{
    ln_track_advance(t, ev->time);
    ln_live *l = &t->live[gi];
    if (l->state && (l->flags & LN_LIVE_IN_SEND)) {
        ln_track_open_account(t, l);
        ln_track_end_send(t, gi);
    }
    l->flags &= (uint8_t)~(LN_LIVE_IN_SEND | LN_LIVE_SEND_WAIT);
}

const uint32_t *ln_track_sorted(const ln_track *t, size_t *n)
{
    *n = t->sorted_n;
    return t->sorted;
}

/** How much of the chunk a goroutine was alive for, up to its mark. */
static uint64_t lived(const ln_track *t, uint32_t index)
{
    uint64_t birth = t->lives[index].birth;
    return t->live[index].mark - ((int64_t)birth > (int64_t)t->from ? birth : t->from);
}

typedef struct by_id {
    uint64_t id;
    uint32_t index;
} by_id;

static int compare_ids(const void *a, const void *b)
{
    const by_id *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/** Adds this chunk's newcomers that are worth it to the sorted list: those still alive, and those with a share. */
static int merge_fresh(ln_track *t, uint64_t enough)
{
    by_id *fresh = malloc((t->fresh_n + 1) * sizeof *fresh);
    uint32_t *merged = malloc((t->sorted_n + t->fresh_n + 1) * sizeof *merged);
    if (!fresh || !merged) {
        free(fresh);
        free(merged);
        return GL_E_NOMEM;
    }
    size_t n = 0, out = 0, i = 0;
    for (size_t k = 0; k < t->fresh_n; k++) {
        uint32_t index = t->fresh[k];
        if (t->lives[index].fresh && (t->live[index].state || lived(t, index) >= enough))
            fresh[n++] = (by_id){t->map->recs[index].id, index};
        t->lives[index].fresh = false; /* an id that ended and came again is listed twice, and taken once */
    }
    qsort(fresh, n, sizeof *fresh, compare_ids);
    for (size_t k = 0; k < n || i < t->sorted_n;) {
        if (k < n && i < t->sorted_n && t->sorted[i] == fresh[k].index)
            i++; /* it ended and came again: one entry */
        else if (k == n || (i < t->sorted_n && t->map->recs[t->sorted[i]].id < fresh[k].id))
            merged[out++] = t->sorted[i++];
        else
            merged[out++] = fresh[k++].index;
    }
    free(fresh);
    free(t->sorted);
    t->sorted = merged;
    t->sorted_n = out;
    return 0;
}

static bool make_share(ln_track *t, uint32_t index, uint64_t span, gl_lane_share *out)
{
    ln_live *l = &t->live[index];
    if (l->state)
        ln_track_settle(t, l);
    else if (l->chunk != (uint32_t)t->chunk)
        return false;
    uint64_t life = lived(t, index), waited = life - l->spent[0] - l->spent[1] - l->spent[2];
    if (life < span / LIVED_ENOUGH && !l->lane_flags)
        return false;
    *out = (gl_lane_share){.g = t->map->recs[index].id,
                           .running = ln_share(l->spent[0], span),
                           .runnable = ln_share(l->spent[1], span),
                           .waiting = ln_share(waited, span),
                           .syscall = ln_share(l->spent[2], span),
                           .dominant_reason_class = waited ? l->long_class : 0,
                           .flags = l->lane_flags};
    return true;
}

static void finish_node(ln_track *t, const uint32_t *by_type, int64_t smallest)
{
    gl_summary_node *n = &t->node;
    uint64_t span = t->clock - t->from;
    n->time_from = smallest < (int64_t)t->from ? smallest : (int64_t)t->from;
    n->time_to = (int64_t)t->clock;
    for (unsigned i = 0; i < GL_EV_LIMIT; i++) {
        n->by_type[i] = by_type[i];
        n->events += by_type[i];
    }
    for (unsigned s = 0; s < GL_G_STATES; s++)
        n->state_ns[s] = t->state_sum[s] + t->in_state[s] * span;
    track_gc(t, t->gc_on);
    if (t->stw_on) {
        n->stw_ns += t->clock - t->stw_since;
        n->stw_gc_ns += t->stw_gc ? t->clock - t->stw_since : 0;
    }
    n->goroutines_max = t->alive_max;
}

/** Those that have ended leave the list and the map. */
static void bury(ln_track *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->sorted_n; i++)
        if (t->live[t->sorted[i]].state)
            t->sorted[kept++] = t->sorted[i];
    t->sorted_n = kept;
    for (uint32_t i = 0; i < t->map->touched_n; i++) {
        uint32_t index = t->map->touched[i];
        if (index == 0 || (index < t->capacity && t->live[index].state))
            continue;
        if (index < t->capacity) {
            t->live[index] = (ln_live){0};
            t->lives[index] = (ln_life){0};
        }
        ln_gmap_remove(t->map, index);
    }
}

int ln_track_finish(ln_track *t, const uint32_t *by_type, int64_t smallest, gl_lane_share **lanes, size_t *n)
{
    uint64_t span = t->clock - t->from;
    *n = 0;
    *lanes = NULL;
    int rc = t->fresh_n ? merge_fresh(t, span / LIVED_ENOUGH) : 0;
    if (rc < 0)
        return rc;
    gl_lane_share *out = malloc((t->sorted_n + 1) * sizeof *out);
    if (!out)
        return GL_E_NOMEM;
    finish_node(t, by_type, smallest);
    bool idle_too = t->sorted_n <= t->node.events * IDLE_PER_EVENT + IDLE_FREE;
    for (size_t i = 0; i < t->sorted_n; i++) {
        uint32_t index = t->sorted[i];
        if (!idle_too && t->live[index].chunk != (uint32_t)t->chunk)
            continue;
        *n += make_share(t, index, span, &out[*n]);
    }
    bury(t);
    *lanes = out;
    return t->no_memory ? GL_E_NOMEM : 0;
}

int ln_track_end_all(ln_track *t)
{
    for (size_t i = 0; i < t->sorted_n; i++)
        add_ended(t, t->sorted[i], GL_STILL_ALIVE);
    return t->no_memory ? GL_E_NOMEM : 0;
}
