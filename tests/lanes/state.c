/* Keyframes and the pyramid say what a plain replay of all events says. */
#include <stdio.h>

#include "golanes/state.h"
#include "lanes_test.h"

#define IDS 4096

typedef struct sheep {
    gl_goroutine_at at; /* state 0: not alive */
    uint64_t spent[GL_G_STATES], longest;
    bool listed, sending;
    uint64_t send_since;
    uint8_t flags;
} sheep;

typedef struct replay {
    sheep g[IDS];
    unsigned top; /* ids so far are below */
    uint64_t alive;
    int64_t clock, pause_begin, stw_begin;
    bool started, gc, stw, stw_gc;
    struct {
        int64_t from, to;
    } pauses[2048];
    size_t pauses_n;
    uint32_t send_reason, gc_reason;
    gl_summary_node node;
} replay;

static void replay_move(replay *r, const gl_event *ev, const gl_transition *t)
{
    sheep *s = &r->g[t->id];
    assert_true(t->id > 0 && t->id < IDS);
    r->top = t->id >= r->top ? (unsigned)t->id + 1 : r->top;
    if (!s->at.state && t->to != GL_G_NOT_EXIST) {
        s->at = (gl_goroutine_at){.g = t->id, .created = INT64_MIN};
        if (ev->type == GL_EV_GoCreate) {
            s->at.created = ev->time;
            s->at.creator = ev->g;
            s->at.start_stack = (uint32_t)ev->arg[2];
        }
        s->listed = true;
        r->alive++;
    }
    if (t->to == GL_G_NOT_EXIST) {
        r->alive -= s->at.state != 0;
        s->at.state = 0;
        return;
    }
    if (s->at.state != t->to)
        s->at.since = ev->time;
    s->at.state = t->to;
    s->at.reason = t->reason;
    if (ev->type == GL_EV_GoBlock || ev->type == GL_EV_GoYield || ev->type == GL_EV_GoSyscallBegin)
        s->at.stack = ev->stack;
    if (ev->type == GL_EV_GoBlock && t->reason == r->send_reason) {
        s->sending = true;
        s->send_since = (uint64_t)r->clock;
    } else if (ev->type == GL_EV_GoStart && s->sending) {
        bool over = r->stw && r->stw_gc && r->clock > r->stw_begin && (uint64_t)r->clock > s->send_since;
        for (size_t i = 0; i < r->pauses_n; i++)
            over |= (uint64_t)r->pauses[i].to > s->send_since && r->pauses[i].to > r->pauses[i].from;
        s->sending = false;
        r->node.straddles += over;
        s->flags |= over;
    }
}

static void replay_other(replay *r, const gl_event *ev)
{
    gl_summary_node *n = &r->node;
    switch (ev->type) {
    case GL_EV_GCStart: r->gc = true; break;
    case GL_EV_GCEnd: r->gc = false; break;
    case GL_EV_GCSTWBegin:
        r->stw = true;
        r->stw_gc = ev->arg[0] == r->gc_reason;
        r->stw_begin = r->clock;
        break;
    case GL_EV_GCSTWEnd:
        r->stw = false;
        if ((uint64_t)(r->clock - r->stw_begin) > n->stw_max_ns)
            n->stw_max_ns = (uint64_t)(r->clock - r->stw_begin);
        if (r->stw_gc) {
            r->pauses[r->pauses_n].from = r->stw_begin;
            r->pauses[r->pauses_n++].to = r->clock;
        }
        break;
    case GL_EV_HeapLive:
        n->heap_live_max = ev->arg[0] > n->heap_live_max ? ev->arg[0] : n->heap_live_max;
        n->heap_live_min = !n->heap_live_min || ev->arg[0] < n->heap_live_min ? ev->arg[0] : n->heap_live_min;
        break;
    default: break;
    }
}

static void replay_event(replay *r, const gl_event *ev)
{
    gl_transition t;
    if (!r->started) {
        r->started = true;
        r->clock = ev->time;
    }
    uint64_t passed = ev->time > r->clock ? (uint64_t)(ev->time - r->clock) : 0;
    r->clock += (int64_t)passed;
    for (unsigned i = 1; i < r->top; i++)
        if (r->g[i].at.state) {
            r->g[i].spent[r->g[i].at.state] += passed;
            r->node.state_ns[r->g[i].at.state] += passed;
        }
    r->node.gc_ns += r->gc ? passed : 0;
    r->node.stw_ns += r->stw ? passed : 0;
    r->node.stw_gc_ns += r->stw && r->stw_gc ? passed : 0;
    r->node.by_type[ev->type]++;
    r->node.events++;
    if (gl_event_transition(ev, &t))
        replay_move(r, ev, &t);
    else
        replay_other(r, ev);
    if (r->alive > r->node.goroutines_max)
        r->node.goroutines_max = r->alive;
}

typedef struct scene {
    lt_events l;
    gl_dict *d;
    gl_reader *r;
    gl_cursor *c;
    replay *replay;
    char path[256];
} scene;

static void scene_start(scene *s, uint64_t seed, size_t events, unsigned goroutines, uint32_t chunk)
{
    gl_error err = {0};
    lt_random r = {seed};
    memset(s, 0, sizeof *s);
    s->d = gl_dict_new();
    s->replay = calloc(1, sizeof *s->replay);
    lt_path(s->path, "state");
    lt_schedule(&s->l, &r, events, goroutines, 3, s->d);
    lt_write(s->path, &s->l, s->d, chunk, 1);
    if (gl_reader_open(s->path, &s->r, &err) < 0 || gl_cursor_open(s->r, GL_COL_ALL, &s->c, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(gl_dict_string(s->d, "chan send", 9, &s->replay->send_reason), 0);
    assert_int_equal(gl_dict_string(s->d, "GC mark termination", 19, &s->replay->gc_reason), 0);
}

static void scene_end(scene *s)
{
    gl_cursor_close(s->c);
    gl_reader_close(s->r);
    gl_dict_destroy(s->d);
    free(s->replay);
    lt_free(&s->l);
    remove(s->path);
}

static size_t check_keyframe(scene *s, int64_t time)
{
    gl_error err = {0};
    const gl_goroutine_at *at;
    const gl_event *ev;
    size_t n, run, rest = 0;
    if (gl_cursor_keyframe(s->c, time, &at, &n, &err) < 0)
        fail_msg("%s", err.text);
    gl_goroutine_at *rows = malloc((n + 1) * sizeof *rows); /* reading on may not change them, but the rule allows it */
    if (n)
        memcpy(rows, at, n * sizeof *rows);
    bool first = true;
    do {
        assert_int_equal(gl_cursor_next(s->c, &ev, &run, &err), 0);
        if (first && run && rest == 0)
            assert_true(ev[0].time <= time || n == 0);
        first = false;
        rest += run;
    } while (run);
    size_t before = s->l.n - rest, k = 0;
    memset(s->replay->g, 0, sizeof s->replay->g);
    s->replay->alive = s->replay->pauses_n = 0;
    s->replay->started = false;
    for (size_t i = 0; i < before; i++)
        replay_event(s->replay, &s->l.at[i]);
    for (unsigned i = 1; i < IDS; i++) {
        const gl_goroutine_at *want = &s->replay->g[i].at, *got = &rows[k];
        if (!want->state)
            continue;
        assert_true(k < n);
        assert_int_equal(got->g, i);
        assert_int_equal(got->state, want->state);
        assert_int_equal(got->since, want->since);
        assert_int_equal(got->created, want->created);
        assert_int_equal(got->creator, want->creator);
        assert_int_equal(got->reason, want->reason);
        assert_int_equal(got->stack, want->stack);
        assert_int_equal(got->start_stack, want->start_stack);
        k++;
    }
    assert_int_equal(k, n);
    free(rows);
    return n;
}

static void keyframes_equal_a_replay(void **state)
{
    (void)state;
    scene s;
    lt_random r = {11};
    scene_start(&s, 12, 60000, 12, 300);
    assert_true(gl_reader_get_info(s.r)->bytes_keyframes > 0);
    int64_t from = s.l.at[0].time, to = s.l.at[s.l.n - 1].time;
    check_keyframe(&s, INT64_MIN);
    check_keyframe(&s, INT64_MAX);
    check_keyframe(&s, from);
    size_t found = 0;
    for (unsigned i = 0; i < 25; i++)
        found += check_keyframe(&s, from + (int64_t)lt_below(&r, (uint64_t)(to - from))) > 0;
    assert_true(found > 20);
    scene_end(&s);
}

static void seeking_finds_the_first_chunk_that_reaches_a_time(void **state)
{
    (void)state;
    scene s;
    gl_error err = {0};
    lt_random r = {13};
    scene_start(&s, 14, 20000, 50, 400);
    for (unsigned i = 0; i < 200; i++) {
        int64_t time = s.l.at[lt_below(&r, s.l.n)].time + (int64_t)lt_below(&r, 3) - 1;
        size_t at = 0, run;
        const gl_event *ev;
        while (at < s.l.n && s.l.at[at].time < time)
            at++;
        assert_int_equal(gl_cursor_seek(s.c, time, &err), 0);
        assert_int_equal(gl_cursor_next(s.c, &ev, &run, &err), 0);
        if (at == s.l.n) {
            assert_int_equal(run, 0);
        } else {
            assert_true(run > 0);
            lt_same(ev, &s.l.at[at / 400 * 400], run);
        }
    }
    scene_end(&s);
}

static uint8_t share(uint64_t part, uint64_t whole)
{
    return whole ? (uint8_t)((part * 255 + whole / 2) / whole) : 0;
}

static void check_lanes(scene *s, uint64_t node, uint64_t span)
{
    gl_error err = {0};
    const gl_lane_share *got;
    size_t n, k = 0;
    assert_int_equal(gl_cursor_lanes(s->c, 0, node, &got, &n, &err), 0);
    assert_int_equal(gl_reader_lane_count(s->r, 0, node), n);
    for (unsigned i = 1; i < IDS; i++) {
        sheep *g = &s->replay->g[i];
        uint64_t lived = 0;
        for (unsigned state = 0; state < GL_G_STATES; state++)
            lived += g->spent[state];
        bool there = (g->at.state || g->listed || lived || g->flags) && (lived >= span / 16 || g->flags);
        if (there && (g->at.state || lived || g->flags)) {
            assert_true(k < n);
            assert_int_equal(got[k].g, i);
            assert_int_equal(got[k].running, share(g->spent[GL_G_RUNNING], span));
            assert_int_equal(got[k].runnable, share(g->spent[GL_G_RUNNABLE], span));
            assert_int_equal(got[k].waiting, share(g->spent[GL_G_WAITING], span));
            assert_int_equal(got[k].syscall, share(g->spent[GL_G_SYSCALL], span));
            assert_int_equal(got[k].flags, g->flags);
            k++;
        }
        memset(g->spent, 0, sizeof g->spent);
        g->flags = 0;
        g->listed = false;
    }
    assert_int_equal(k, n);
}

static void check_node(const gl_summary_node *got, const gl_summary_node *want)
{
    assert_int_equal(got->time_from, want->time_from);
    assert_int_equal(got->time_to, want->time_to);
    assert_int_equal(got->first_event, want->first_event);
    assert_int_equal(got->events, want->events);
    assert_memory_equal(got->by_type, want->by_type, sizeof got->by_type);
    assert_memory_equal(got->state_ns, want->state_ns, sizeof got->state_ns);
    assert_int_equal(got->gc_ns, want->gc_ns);
    assert_int_equal(got->stw_ns, want->stw_ns);
    assert_int_equal(got->stw_max_ns, want->stw_max_ns);
    assert_int_equal(got->stw_gc_ns, want->stw_gc_ns);
    assert_int_equal(got->straddles, want->straddles);
    assert_int_equal(got->heap_live_min, want->heap_live_min);
    assert_int_equal(got->heap_live_max, want->heap_live_max);
    assert_int_equal(got->goroutines_max, want->goroutines_max);
    assert_int_equal(got->lost_events, want->lost_events);
}

static void the_lowest_level_equals_a_replay(void **state)
{
    (void)state;
    enum { CHUNK = 1000 };
    scene s;
    gl_error err = {0};
    gl_summary_node got;
    uint64_t straddles = 0;
    scene_start(&s, 15, 50000, 60, CHUNK);
    replay *r = s.replay;
    for (size_t at = 0; at < s.l.n; at += CHUNK) {
        size_t end = at + CHUNK < s.l.n ? at + CHUNK : s.l.n;
        int64_t from = at ? r->clock : s.l.at[0].time;
        memset(&r->node, 0, sizeof r->node);
        r->node.goroutines_max = r->alive;
        r->node.first_event = at;
        for (size_t i = at; i < end; i++)
            replay_event(r, &s.l.at[i]);
        r->node.time_from = from;
        r->node.time_to = r->clock;
        assert_int_equal(gl_reader_summary(s.r, 0, at / CHUNK, &got, &err), 0);
        check_node(&got, &r->node);
        straddles += got.straddles;
        check_lanes(&s, at / CHUNK, (uint64_t)(r->clock - from));
    }
    assert_true(straddles > 0);
    scene_end(&s);
}

/** A node of an upper level from its children, by the rule of the format, one goroutine at a time. */
static void check_upper_lanes(scene *s, unsigned level, uint64_t i, size_t children)
{
    static uint64_t sum[IDS][4];
    static uint8_t flags[IDS];
    gl_error err = {0};
    const gl_lane_share *lane;
    gl_summary_node node;
    size_t n, k = 0;
    uint64_t total = 0;
    memset(sum, 0, sizeof sum);
    memset(flags, 0, sizeof flags);
    for (uint64_t c = i * 8; c < i * 8 + children; c++) {
        assert_int_equal(gl_reader_summary(s->r, level - 1, c, &node, &err), 0);
        uint64_t span = (uint64_t)(node.time_to - node.time_from);
        total += span;
        assert_int_equal(gl_cursor_lanes(s->c, level - 1, c, &lane, &n, &err), 0);
        for (size_t q = 0; q < n; q++) {
            sum[lane[q].g][0] += lane[q].running * span;
            sum[lane[q].g][1] += lane[q].runnable * span;
            sum[lane[q].g][2] += lane[q].waiting * span;
            sum[lane[q].g][3] += lane[q].syscall * span;
            flags[lane[q].g] |= lane[q].flags;
        }
    }
    assert_int_equal(gl_cursor_lanes(s->c, level, i, &lane, &n, &err), 0);
    assert_int_equal(gl_reader_lane_count(s->r, level, i), n);
    assert_int_equal(gl_reader_lane_count(s->r, level, UINT64_MAX), 0);
    for (unsigned g = 1; g < IDS; g++) {
        if ((sum[g][0] + sum[g][1] + sum[g][2] + sum[g][3]) / 16 < total && !flags[g])
            continue;
        assert_true(k < n);
        assert_int_equal(lane[k].g, g);
        assert_int_equal(lane[k].running, (sum[g][0] + total / 2) / total);
        assert_int_equal(lane[k].runnable, (sum[g][1] + total / 2) / total);
        assert_int_equal(lane[k].waiting, (sum[g][2] + total / 2) / total);
        assert_int_equal(lane[k].syscall, (sum[g][3] + total / 2) / total);
        k++;
    }
    assert_int_equal(k, n);
}

static void upper_levels_are_sums_of_the_lower(void **state)
{
    (void)state;
    scene s;
    gl_error err = {0};
    scene_start(&s, 16, 61000, 30, 200);
    unsigned levels = gl_reader_levels(s.r);
    assert_int_equal(levels, 4); /* 306 nodes, 39, 5, 1 */
    assert_int_equal(gl_reader_level_size(s.r, levels - 1), 1);
    for (unsigned level = 1; level < levels; level++)
        for (uint64_t i = 0; i < gl_reader_level_size(s.r, level); i++) {
            gl_summary_node sum = {.first_event = 0}, child, got;
            size_t children = 0;
            for (uint64_t c = i * 8; c < i * 8 + 8 && c < gl_reader_level_size(s.r, level - 1); c++, children++) {
                assert_int_equal(gl_reader_summary(s.r, level - 1, c, &child, &err), 0);
                if (!children) {
                    sum = child;
                    continue;
                }
                assert_int_equal(sum.time_to, child.time_from);
                sum.time_to = child.time_to;
                sum.events += child.events;
                for (unsigned t = 0; t < GL_EV_LIMIT; t++)
                    sum.by_type[t] += child.by_type[t];
                for (unsigned t = 0; t < GL_G_STATES; t++)
                    sum.state_ns[t] += child.state_ns[t];
                sum.gc_ns += child.gc_ns;
                sum.stw_ns += child.stw_ns;
                sum.stw_gc_ns += child.stw_gc_ns;
                sum.straddles += child.straddles;
                sum.stw_max_ns = child.stw_max_ns > sum.stw_max_ns ? child.stw_max_ns : sum.stw_max_ns;
                sum.goroutines_max = child.goroutines_max > sum.goroutines_max ? child.goroutines_max : sum.goroutines_max;
                sum.heap_live_max = child.heap_live_max > sum.heap_live_max ? child.heap_live_max : sum.heap_live_max;
                if (child.heap_live_min && (!sum.heap_live_min || child.heap_live_min < sum.heap_live_min))
                    sum.heap_live_min = child.heap_live_min;
            }
            assert_int_equal(gl_reader_summary(s.r, level, i, &got, &err), 0);
            check_node(&got, &sum);
            check_upper_lanes(&s, level, i, children);
        }
    scene_end(&s);
}

static void tables_tell_of_goroutines_channels_and_processes(void **state)
{
    (void)state;
    char path[256];
    gl_error err = {0};
    gl_writer *w;
    gl_reader *r;
    gl_cursor *c;
    gl_dict *d = gl_dict_new();
    lt_path(path, "tables");
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = path, .dict = d, .chunk_events = 2}, &w, &err), 0);
    assert_int_equal(gl_writer_process(w, &(gl_process_info){.index = 1, .pid = 77, .parent = 76}), 0);
    const gl_event ev[] = {
        {.type = GL_EV_GoStatus, .arg = {5, 0, GL_G_RUNNING, GL_NO_THREAD}, .time = 1},
        {.type = GL_EV_GoCreate, .g = 5, .arg = {900, GL_G_RUNNABLE, 0}, .time = 2},
        {.type = GL_EV_ChanMake, .g = 5, .arg = {0xc000, 4, 0}, .time = 3},
        {.type = GL_EV_GoBlock, .g = 5, .time = 4},
        {.type = GL_EV_GoStart, .arg = {900}, .time = 5},
        {.type = GL_EV_GoEnd, .g = 900, .arg = {GL_G_RUNNING}, .time = 6},
    };
    assert_int_equal(gl_writer_events(w, ev, 6), 0);
    assert_int_equal(gl_writer_close(w, NULL, &err), 0);
    assert_int_equal(gl_reader_open(path, &r, &err), 0);
    assert_int_equal(gl_cursor_open(r, GL_COL_ALL, &c, &err), 0);
    gl_goroutine_info g;
    assert_int_equal(gl_cursor_goroutine(c, 900, &g, &err), 0);
    assert_int_equal(g.creator, 5);
    assert_int_equal(g.first_chunk, 0);
    assert_int_equal(g.last_chunk, 2);
    assert_false(g.before);
    assert_int_equal(gl_cursor_goroutine(c, 5, &g, &err), 0);
    assert_true(g.before);
    assert_true(g.last_chunk == GL_STILL_ALIVE);
    assert_int_equal(gl_cursor_goroutine(c, 6, &g, &err), GL_E_NOT_FOUND);
    const gl_channel_info *ch;
    size_t n;
    assert_int_equal(gl_reader_channel_blocks(r), 1);
    assert_int_equal(gl_cursor_channels(c, 0, &ch, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(ch[0].chan, 0xc000);
    assert_int_equal(ch[0].cap, 4);
    assert_int_equal(ch[0].made, 3);
    gl_process_info p;
    assert_int_equal(gl_cursor_process(c, 0, &p, &err), 0);
    assert_int_equal(p.pid, 77);
    assert_int_equal(gl_cursor_process(c, 1, &p, &err), GL_E_NOT_FOUND);
    gl_cursor_close(c);
    gl_reader_close(r);
    gl_dict_destroy(d);
    remove(path);
}

static void unwanted_chunks_are_skipped(void **state)
{
    (void)state;
    char path[256];
    gl_error err = {0};
    gl_dict *d = gl_dict_new();
    gl_reader *r;
    gl_cursor *c;
    const gl_event *ev;
    size_t n, seen = 0;
    lt_events l = {0};
    for (unsigned i = 0; i < 1000; i++)
        lt_push(&l, &(gl_event){.time = i, .type = i / 100 == 7 ? GL_EV_GCStart : GL_EV_GoStart, .arg = {i}});
    lt_path(path, "want");
    lt_write(path, &l, d, 50, 0);
    assert_int_equal(gl_reader_open(path, &r, &err), 0);
    assert_int_equal(gl_cursor_open(r, 0, &c, &err), 0);
    assert_int_equal(gl_cursor_want_types(c, (const uint16_t[]){GL_EV_GCStart, GL_EV_GCEnd}, 2), 0);
    while (gl_cursor_next(c, &ev, &n, &err) == 0 && n)
        for (size_t i = 0; i < n; i++, seen++)
            assert_int_equal(ev[i].type, GL_EV_GCStart);
    assert_int_equal(seen, 100);
    gl_cursor_close(c);
    gl_reader_close(r);
    gl_dict_destroy(d);
    lt_free(&l);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyframes_equal_a_replay),
        cmocka_unit_test(seeking_finds_the_first_chunk_that_reaches_a_time),
        cmocka_unit_test(the_lowest_level_equals_a_replay),
        cmocka_unit_test(upper_levels_are_sums_of_the_lower),
        cmocka_unit_test(tables_tell_of_goroutines_channels_and_processes),
        cmocka_unit_test(unwanted_chunks_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
