/*
 * What the viewer keeps from one look to the next is what a look that keeps nothing would find: windows that begin at a
 * stand, nodes of the pyramid, sums of groups, the state of goroutines that ended. The trace is a random program of many
 * short chunks, so that keyframes are far apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "golanes/writer.h"
#include "scene.h"

#define SLOTS 40 /* goroutines at once */
#define PS 4
#define EVENTS 12000
#define CHUNK 128

typedef struct program {
    gl_writer *w;
    gl_dict *d;
    uint64_t random, next_id, id[SLOTS];
    int at[SLOTS];     /* -1 runnable, -2 waits, else the P */
    int on[PS];        /* slot, -1 idle */
    int64_t now;
    uint32_t stacks[8], reasons[3], sweep;
    char path[64];
} program;

static unsigned draw(program *k, unsigned below)
{
    k->random ^= k->random << 13;
    k->random ^= k->random >> 7;
    k->random ^= k->random << 17;
    return (unsigned)(k->random % below);
}

static void put(program *k, gl_event e)
{
    e.time = k->now += 1 + draw(k, 2000);
    assert_int_equal(gl_writer_events(k->w, &e, 1), 0);
}

static gl_event event(gl_event_type type, uint64_t g, uint32_t p) { return (gl_event){.g = g, .p = p, .thread = p, .type = (uint16_t)type}; }

static uint32_t text(program *k, const char *s)
{
    uint32_t id;
    assert_int_equal(gl_dict_string(k->d, s, strlen(s), &id), 0);
    return id;
}

static void make_stacks(program *k)
{
    for (uint32_t i = 0; i < 8; i++) {
        char name[32];
        uint32_t f, frame;
        snprintf(name, sizeof name, "main.f%u", i);
        assert_int_equal(gl_dict_func(k->d, (gl_func){text(k, name), text(k, "/src/main.go")}, &f), 0);
        assert_int_equal(gl_dict_frame(k->d, (gl_frame){0x1000 + i, f, 10 + i}, &frame), 0);
        assert_int_equal(gl_dict_stack(k->d, &frame, 1, &k->stacks[i]), 0);
    }
    k->reasons[0] = text(k, "chan send");
    k->reasons[1] = text(k, "chan receive");
    k->reasons[2] = text(k, "sleep");
    k->sweep = text(k, "GC sweep termination");
}

/* Now and then an id comes again, as those of another process may. */
static void create(program *k, int slot)
{
    gl_event e = event(GL_EV_GoCreate, 1, 0);
    k->id[slot] = k->id[slot] && draw(k, 8) == 0 ? k->id[slot] : k->next_id++;
    e.arg[0] = k->id[slot];
    e.arg[1] = GL_G_RUNNABLE;
    e.arg[2] = k->stacks[k->id[slot] % 8];
    k->at[slot] = -1;
    put(k, e);
}

static void leave(program *k, int p)
{
    int slot = k->on[p];
    gl_event e = event(draw(k, 20) ? GL_EV_GoBlock : GL_EV_GoEnd, k->id[slot], (uint32_t)p);
    e.arg[0] = e.type == GL_EV_GoEnd ? (uint64_t)GL_G_RUNNING : k->reasons[draw(k, 3)];
    e.stack = k->stacks[draw(k, 8)];
    k->on[p] = -1;
    k->at[slot] = -2;
    put(k, e);
    if (e.type == GL_EV_GoEnd)
        create(k, slot);
}

static void enter(program *k, int p, int slot)
{
    gl_event e = event(GL_EV_GoStart, 0, (uint32_t)p);
    if (k->at[slot] == -2) {
        gl_event wake = event(GL_EV_GoUnpark, k->id[draw(k, SLOTS)], 0);
        wake.arg[0] = k->id[slot];
        put(k, wake);
    }
    e.arg[0] = k->id[slot];
    k->at[slot] = p;
    k->on[p] = slot;
    put(k, e);
}

static void stop_the_world(program *k)
{
    for (int i = 0; i < 2; i++) {
        gl_event e = event(i ? GL_EV_GCSTWEnd : GL_EV_GCSTWBegin, 1, 0);
        e.arg[0] = k->sweep;
        put(k, e);
    }
}

static void go_on(program *k, int turns)
{
    for (int i = 0; i < turns; i++) {
        int p = (int)draw(k, PS), slot = (int)draw(k, SLOTS);
        if (k->on[p] >= 0)
            leave(k, p);
        else if (k->at[slot] < 0)
            enter(k, p, slot);
        if (draw(k, 50) == 0)
            stop_the_world(k);
    }
}

static program *begin(uint32_t chunk)
{
    program *k = calloc(1, sizeof *k);
    gl_error err = {0};
    assert_non_null(k);
    k->random = UINT64_C(88172645463325252);
    k->next_id = 10;
    k->d = gl_dict_new();
    make_stacks(k);
    snprintf(k->path, sizeof k->path, "/tmp/golanes-test-XXXXXX");
    int fd = mkstemp(k->path);
    assert_true(fd >= 0);
    close(fd);
    gl_writer_options o = {.path = k->path, .dict = k->d, .chunk_events = chunk};
    assert_int_equal(gl_writer_open(&o, &k->w, &err), 0);
    for (int p = 0; p < PS; p++)
        k->on[p] = -1;
    for (int slot = 0; slot < SLOTS; slot++)
        create(k, slot);
    return k;
}

static gl_reader *open_it(const program *k)
{
    gl_reader *r = NULL;
    gl_error err = {0};
    if (gl_reader_open(k->path, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static void end(program *k)
{
    unlink(k->path);
    gl_dict_destroy(k->d);
    free(k);
}

static gl_reader *whole(uint32_t chunk)
{
    program *k = begin(chunk);
    go_on(k, EVENTS);
    assert_int_equal(gl_writer_close(k->w, NULL, NULL), 0);
    gl_reader *r = open_it(k);
    end(k);
    return r;
}

/* ---- stands and windows --------------------------------------------------------------------------------------------- */

static gl_lane_span *spans(size_t n) { return calloc(n, sizeof(gl_lane_span)); }

static void stands_are_found_by_time_and_the_unused_go(void **state)
{
    (void)state;
    gl_stands ss = {0};
    assert_null(gl_stands_find(&ss, INT64_MAX));
    for (uint64_t i = 0; i < GL_STANDS; i++)
        gl_stands_keep(&ss, i * 10, (int64_t)i * 100, spans(3), 3);
    assert_null(gl_stands_find(&ss, -1));
    assert_int_equal(gl_stands_find(&ss, 0)->event, 0);
    assert_int_equal(gl_stands_find(&ss, 199)->event, 10);
    gl_stands_keep(&ss, 10, 100, spans(3), 3); /* there already */
    assert_int_equal(ss.count, GL_STANDS);
    gl_stands_keep(&ss, 1000, 10000, spans(3), 3);
    assert_int_equal(ss.count, GL_STANDS);
    assert_int_equal(gl_stands_find(&ss, 299)->event, 10); /* 20 had not been asked for the longest */
    assert_int_equal(gl_stands_find(&ss, 20000)->event, 1000);
    gl_stands_keep(&ss, 2000, 20000, spans(GL_STANDS_SPANS / 2), GL_STANDS_SPANS / 2);
    gl_stands_keep(&ss, 3000, 30000, spans(GL_STANDS_SPANS / 2), GL_STANDS_SPANS / 2);
    assert_true(ss.spans <= GL_STANDS_SPANS);
    assert_int_equal(gl_stands_find(&ss, 30000)->event, 3000);
    gl_stands_keep(&ss, 4000, 40000, spans(GL_STANDS_SPANS), GL_STANDS_SPANS); /* too large */
    assert_int_equal(gl_stands_find(&ss, 40000)->event, 3000);
    gl_stands_clean_up(&ss);
    assert_int_equal(ss.count, 0);
}

/* As far as a keyframe tells it too: its times are rounded, and it does not know wakers and Ps. */
static void assert_same_lanes(const gl_model *m, const gl_window *a, const gl_window *b, int64_t from, int64_t to)
{
    for (uint32_t g = 0; g < m->gor_count; g++) {
        size_t na, nb;
        const gl_lane_span *x = gl_window_spans(a, g, &na), *y = gl_window_spans(b, g, &nb);
        size_t i = gl_spans_after(x, na, from), k = gl_spans_after(y, nb, from);
        for (; i < na && x[i].begin < to; i++, k++) {
            assert_true(k < nb);
            assert_int_equal(x[i].kind, y[k].kind);
            assert_int_equal(x[i].reason, y[k].reason);
            if (x[i].begin > from)
                assert_int_equal(x[i].begin, y[k].begin);
            if (x[i].end < to)
                assert_int_equal(x[i].end, y[k].end);
        }
        assert_true(k >= nb || y[k].begin >= to);
    }
}

static void compare_windows(gl_reader *r)
{
    gl_error err = {0};
    gl_model *m = NULL;
    gl_windows kept;
    program k = {.random = 42};
    assert_int_equal(gl_model_open(r, "x", &m, &err), 0);
    while (gl_model_scan(m, 1000000, &err) > 0)
        ;
    assert_int_equal(gl_windows_init(&kept, m, &err), 0);
    int64_t length = m->end / 200, from = m->end / 2;
    size_t most = 0;
    for (int i = 0; i < 60; i++) {
        gl_windows fresh;
        const gl_window *a, *b;
        from = draw(&k, 6) ? from + length / 2 * ((int)draw(&k, 5) - 2) : (int64_t)draw(&k, (unsigned)(m->end - length));
        from = from < 0 ? 0 : from > m->end - length ? m->end - length : from;
        assert_int_equal(gl_windows_init(&fresh, m, &err), 0);
        assert_int_equal(gl_windows_get(&kept, from, from + length, &a, &err), 0);
        assert_int_equal(gl_windows_get(&fresh, from, from + length, &b, &err), 0);
        assert_same_lanes(m, a, b, from, from + length);
        most = kept.stands.count > most ? kept.stands.count : most;
        gl_windows_clean_up(&fresh);
    }
    assert_true(most > 2);
    gl_windows_clean_up(&kept);
    gl_model_close(m);
}

static void a_window_from_a_stand_is_as_one_from_a_keyframe(void **state) { compare_windows(*state); }

static void a_stand_may_stand_within_a_chunk(void **state)
{
    (void)state;
    gl_reader *r = whole(100000);
    compare_windows(r);
    gl_reader_close(r);
}

static void a_cursor_comes_back_to_an_events_chunk(void **state)
{
    gl_cursor *c = NULL;
    gl_error err = {0};
    const gl_event *ev;
    size_t n;
    uint64_t at, seen = 0;
    assert_int_equal(gl_cursor_open(*state, GL_COL_ALL, &c, &err), 0);
    for (;;) {
        bool whole_chunk = gl_cursor_position(c, &at);
        assert_int_equal(at, seen);
        assert_true(!whole_chunk || at % CHUNK == 0 || at == gl_reader_get_info(*state)->events);
        assert_int_equal(gl_cursor_next(c, &ev, &n, &err), 0);
        if (n == 0)
            break;
        seen += n;
    }
    assert_int_equal(seen, gl_reader_get_info(*state)->events);
    for (uint64_t event = 0; event < seen; event += 997) {
        assert_int_equal(gl_cursor_seek_event(c, event, &err), 0);
        assert_true(gl_cursor_position(c, &at));
        assert_true(at <= event && event < at + CHUNK);
    }
    assert_int_equal(gl_cursor_seek_event(c, UINT64_MAX, &err), 0);
    assert_int_equal(gl_cursor_next(c, &ev, &n, &err), 0);
    assert_int_equal(n, 0);
    gl_cursor_close(c);
}

/* ---- lists that are large ------------------------------------------------------------------------------------------- */

static void grow_and_check(gl_spill *s, size_t n, bool in_file)
{
    uint64_t *list = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(gl_spill_grow(s, &list, &capacity, i, sizeof *list, 4096), 0);
        list[i] = i * 3;
        if (i % 10000 == 9999)
            gl_spill_rest(s);
    }
    gl_spill_rest(s);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(list[i], i * 3);
    assert_int_equal(s->map != NULL, in_file);
    gl_spill_free(s, list);
    assert_null(s->map);
}

static void a_large_list_lies_in_a_file_and_keeps_what_is_in_it(void **state)
{
    (void)state;
    grow_and_check(&(gl_spill){0}, 100, false);
    grow_and_check(&(gl_spill){0}, 3000000, true); /* grows beyond its first 16 MiB */
}

static void without_a_file_a_list_stays_in_memory(void **state)
{
    (void)state;
    const char *folder = getenv("TMPDIR");
    char *kept = folder ? strdup(folder) : NULL;
    setenv("TMPDIR", "/nonexistent/folder", 1);
    grow_and_check(&(gl_spill){0}, 10000, false);
    if (kept)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
}

static void ids_are_found_whatever_they_are(void **state)
{
    (void)state;
    gl_id_map m = {0};
    program k = {.random = 7};
    static uint64_t ids[5000];
    assert_int_equal(gl_id_map_get(&m, 0), GL_NONE);
    for (uint32_t i = 0; i < 5000; i++) {
        uint64_t near = i < 2500 ? i * 2 : ((uint64_t)draw(&k, UINT32_MAX) << 32) + draw(&k, UINT32_MAX) * 2u;
        ids[i] = i == 0 ? UINT64_MAX : near | 1;
        assert_int_equal(gl_id_map_put(&m, ids[i], i), 0);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(gl_id_map_get(&m, ids[i]), i);
        assert_int_equal(gl_id_map_get(&m, ids[i] - 1), GL_NONE);
    }
    assert_int_equal(gl_id_map_put(&m, ids[9], 77), 0);
    assert_int_equal(gl_id_map_get(&m, ids[9]), 77);
    gl_id_map_clean_up(&m);
}

/* ---- nodes ---------------------------------------------------------------------------------------------------------- */

static void assert_nodes(gl_nodes *ns, gl_reader *r)
{
    for (int round = 0; round < 2; round++)
        for (unsigned level = 0; level < gl_reader_levels(r); level++)
            for (uint64_t i = 0; i < gl_reader_level_size(r, level); i++) {
                gl_summary_node want;
                gl_node have;
                assert_int_equal(gl_reader_summary(r, level, i, &want, NULL), 0);
                assert_int_equal(gl_nodes_get(ns, level, i, &have), 0);
                assert_int_equal(have.time_from, want.time_from);
                assert_int_equal(have.time_to, want.time_to);
                assert_int_equal(have.first_event, want.first_event);
                assert_int_equal(have.events, want.events);
                assert_int_equal(have.running_ns, want.state_ns[GL_G_RUNNING]);
            }
}

static void nodes_are_those_of_the_file(void **state)
{
    gl_nodes ns = {.reader = *state};
    gl_node node;
    const gl_reader_info *info = gl_reader_get_info(*state);
    assert_true(gl_reader_levels(*state) > 2);
    assert_nodes(&ns, *state);
    assert_true(gl_nodes_get(&ns, 0, UINT64_MAX >> 8, &node) < 0);
    assert_true(gl_nodes_get(&ns, 60, 0, &node) < 0);
    assert_int_equal(gl_nodes_events(&ns, info->time_first, info->time_last + 1), info->events);
    for (int64_t t = 0; t < info->time_last; t += info->time_last / 37) {
        uint64_t at = gl_nodes_after(&ns, 0, t);
        assert_int_equal(gl_nodes_get(&ns, 0, at, &node), 0);
        assert_true(node.time_to > t);
        assert_true(at == 0 || (gl_nodes_get(&ns, 0, at - 1, &node) == 0 && node.time_to <= t));
    }
    gl_nodes_clean_up(&ns);
}

/* ---- screens -------------------------------------------------------------------------------------------------------- */

/* The screen is that of an app that has kept nothing of the groups. */
static void assert_fresh(gl_app *a, const char *after)
{
    gl_cells kept = {0}, fresh = {0};
    gl_text x = {0}, y = {0};
    gl_app_draw(a, &kept);
    gl_app_draw(a, &kept);
    a->group_sums.count = 0;
    a->map_revision = UINT64_MAX;
    gl_app_draw(a, &fresh);
    gl_cells_golden(&kept, &x);
    gl_cells_golden(&fresh, &y);
    if (x.n != y.n || memcmp(x.bytes, y.bytes, x.n) != 0)
        fail_msg("after %s what was kept is shown:\n%s\nnot what is there:\n%s", after, x.bytes, y.bytes);
    gl_text_clean_up(&x);
    gl_text_clean_up(&y);
    gl_cells_clean_up(&kept);
    gl_cells_clean_up(&fresh);
}

static void sums_of_groups_follow_whatever_changes_them(void **state)
{
    static const char *const presses[] = {"+ + + +", "d",      "a",   "j j j", "Enter", "*",  ">",        "<", "*",  "O", "O", "o",
                                          "G",       "G",      "Z",   "Z",     "Z",     "T",  "2",        "1", "~", "~", "~", "0",
                                          "Home",    "- - - -", "s s", "X",     "u",     "R"};
    gl_app *a = scene_app(*state, "random", "dark", false, 120, 40);
    for (size_t i = 0; i < sizeof presses / sizeof *presses; i++) {
        scene_press(a, presses[i]);
        gl_app_key(a, GL_KEY_ESC);
        assert_fresh(a, presses[i]);
    }
    gl_app_command(a, "filter g<40");
    gl_error err = {0};
    assert_int_equal(gl_app_settle(a, &err), 0);
    assert_fresh(a, "a filter");
    static const int sizes[][2] = {{80, 24}, {200, 50}, {120, 40}, {40, 120}, {41, 30}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        gl_app_resize(a, sizes[i][0], sizes[i][1]);
        assert_fresh(a, "a resize");
    }
    gl_app_close(a);
}

static void what_was_kept_of_a_growing_trace_is_not_shown(void **state)
{
    (void)state;
    program *k = begin(CHUNK);
    gl_error err = {0};
    go_on(k, 2000);
    assert_int_equal(gl_writer_flush(k->w, &err), 0);
    gl_reader *r = open_it(k);
    gl_app *a = scene_app(r, "growing", "dark", false, 120, 40);
    for (int i = 0; i < 6; i++) {
        scene_press(a, i % 2 ? "Home + + + +" : "- - - - - - -");
        assert_fresh(a, "keys");
        uint64_t had = a->m->info->events;
        go_on(k, 700);
        assert_int_equal(gl_writer_flush(k->w, &err), 0);
        assert_int_equal(gl_model_refresh(a->m, &err), 1);
        assert_true(a->m->info->events > had);
        assert_int_equal(gl_app_settle(a, &err), 0);
        assert_fresh(a, "growth");
        assert_nodes(&a->m->nodes, r);
    }
    gl_app_close(a);
    gl_reader_close(r);
    gl_writer_abandon(k->w);
    end(k);
}

/* ---- lives ---------------------------------------------------------------------------------------------------------- */

static void what_a_goroutine_is_at_is_its_own(void **state)
{
    gl_error err = {0};
    gl_model *m = NULL;
    size_t ended = 0, alive = 0, again = 0;
    assert_int_equal(gl_model_open(*state, "x", &m, &err), 0);
    while (gl_model_scan(m, 1, &err) > 0)
        ;
    for (uint32_t i = 0; i < m->gor_count; i++) {
        const gl_gor *g = &m->gors[i];
        if (g->life == GL_NONE) {
            ended += g->last != GL_TIME_NONE;
            assert_int_equal(gl_model_life(m, i)->gor, GL_NONE);
            continue;
        }
        alive++;
        again += g->last != GL_TIME_NONE;
        assert_true(g->life < m->life_count);
        assert_int_equal(m->lives[g->life].gor, i);
        /* Its time by state is its life, but for what it was before it came again. */
        int64_t sum = m->end - gl_model_since(m, i);
        for (unsigned s = GL_G_RUNNABLE; s < GL_G_STATES; s++)
            sum += gl_gor_ns(g, s);
        if (g->last == GL_TIME_NONE)
            assert_int_equal(sum, m->end - g->first);
    }
    assert_true(ended > SLOTS);
    assert_int_equal(alive, SLOTS);
    assert_true(again > 0);
    assert_true(m->life_count <= SLOTS + 1);
    assert_int_equal(m->life_count - m->free_life_count, alive);
    gl_model_close(m);
}

/* A goroutine's straddles hang together although others had its life in between. */
static void straddles_of_a_goroutine_are_its_own(void **state)
{
    gl_error err = {0};
    gl_model *m = NULL;
    size_t found = 0;
    assert_int_equal(gl_model_open(*state, "x", &m, &err), 0);
    while (gl_model_scan(m, 1000000, &err) > 0)
        ;
    for (uint32_t i = 0; i < m->gor_count; i++) {
        uint32_t n = 0;
        int64_t ns = 0;
        for (uint32_t s = m->gors[i].first_straddle; s != GL_NONE; s = m->straddles[s].next_of_gor, n++) {
            assert_int_equal(m->straddles[s].gor, i);
            ns += m->straddles[s].overlap;
        }
        assert_int_equal(n, m->gors[i].straddles);
        assert_int_equal(ns, m->gors[i].straddle_ns);
        found += n;
    }
    assert_true(found > 100);
    assert_int_equal(found, m->straddle_count);
    gl_model_close(m);
}

static int open_whole(void **state)
{
    *state = whole(CHUNK);
    return 0;
}

static int close_whole(void **state)
{
    gl_reader_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_are_found_by_time_and_the_unused_go),
        cmocka_unit_test(a_window_from_a_stand_is_as_one_from_a_keyframe),
        cmocka_unit_test(a_stand_may_stand_within_a_chunk),
        cmocka_unit_test(a_cursor_comes_back_to_an_events_chunk),
        cmocka_unit_test(a_large_list_lies_in_a_file_and_keeps_what_is_in_it),
        cmocka_unit_test(without_a_file_a_list_stays_in_memory),
        cmocka_unit_test(ids_are_found_whatever_they_are),
        cmocka_unit_test(nodes_are_those_of_the_file),
        cmocka_unit_test(sums_of_groups_follow_whatever_changes_them),
        cmocka_unit_test(what_was_kept_of_a_growing_trace_is_not_shown),
        cmocka_unit_test(what_a_goroutine_is_at_is_its_own),
        cmocka_unit_test(straddles_of_a_goroutine_are_its_own),
    };
    return cmocka_run_group_tests(tests, open_whole, close_whole);
}
