/* Files that were cut, damaged, are still written, or come from another version. */
#include <stdio.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lanes/layout.h"
#include "lanes_test.h"

typedef struct sample {
    lt_events l;
    gl_dict *d;
    uint8_t *bytes;
    size_t n;
    char path[256];
} sample;

static void sample_make(sample *s, uint64_t seed, size_t events, uint32_t chunk)
{
    lt_random r = {seed};
    memset(s, 0, sizeof *s);
    s->d = gl_dict_new();
    lt_path(s->path, "damage");
    if (events)
        lt_schedule(&s->l, &r, events, 20, 2, s->d);
    lt_write(s->path, &s->l, s->d, chunk, 0);
    s->bytes = lt_slurp(s->path, &s->n);
}

static void sample_free(sample *s)
{
    remove(s->path);
    free(s->bytes);
    gl_dict_destroy(s->d);
    lt_free(&s->l);
}

/** Offsets of the chunks' ends by the headers themselves; *events_at[i]: events in whole chunks before end i. */
static size_t chunk_ends(const sample *s, size_t *ends, uint64_t *events, size_t max)
{
    size_t at = LN_FILE_HEADER_BYTES, n = 0;
    uint64_t sum = 0;
    ln_chunk_header h;
    while (n < max && s->n - at >= LN_CHUNK_HEADER_BYTES && ln_chunk_header_get(s->bytes + at, &h) == 0) {
        at += LN_CHUNK_HEADER_BYTES + (size_t)h.stored;
        sum += h.kind == LN_EVENTS ? h.count : 0;
        ends[n] = at;
        events[n++] = sum;
    }
    return n;
}

/** Reads everything that a reader offers, whatever it says; returns the events. */
static uint64_t read_everything(gl_reader *r)
{
    gl_error err = {0};
    gl_cursor *c;
    const gl_event *ev;
    const gl_dict *d;
    const gl_goroutine_at *at;
    const gl_lane_share *lanes;
    const gl_goroutine_info *gs;
    const gl_channel_info *chans;
    gl_summary_node node;
    gl_goroutine_info g;
    gl_process_info p;
    uint64_t events = 0;
    size_t n;
    int rc = gl_reader_dict(r, &d, &err);
    for (unsigned columns = 0; columns <= GL_COL_ALL; columns += GL_COL_ALL) {
        assert_int_equal(gl_cursor_open(r, columns, &c, &err), 0);
        events = 0;
        while (gl_cursor_next(c, &ev, &n, &err) == 0 && n)
            for (size_t i = 0; i < n; i++)
                events += ev[i].type == GL_EV_Lost && ev[i].flags == (GL_FLAG_INFERRED | GL_FLAG_RESYNC) ? 0 : 1;
        rc += gl_cursor_seek(c, 1000, &err);
        rc += gl_cursor_keyframe(c, INT64_MAX, &at, &n, &err);
        rc += gl_cursor_goroutine(c, 3, &g, &err) + gl_cursor_process(c, 0, &p, &err);
        for (uint64_t i = 0; i < gl_reader_goroutine_blocks(r); i++)
            rc += gl_cursor_goroutines(c, i, &gs, &n, &err);
        for (uint64_t i = 0; i < gl_reader_channel_blocks(r); i++)
            rc += gl_cursor_channels(c, i, &chans, &n, &err);
        for (unsigned level = 0; level < gl_reader_levels(r); level++)
            for (uint64_t i = 0; i < gl_reader_level_size(r, level) && i < 1000; i++)
                rc += gl_reader_summary(r, level, i, &node, &err) + gl_cursor_lanes(c, level, i, &lanes, &n, &err);
        gl_cursor_close(c);
    }
    assert_true(rc <= 0);
    return events;
}

static void check_cut(const sample *s, size_t cut, uint64_t events)
{
    gl_reader *r;
    gl_error err = {0};
    lt_spill(s->path, s->bytes, cut);
    int rc = gl_reader_open(s->path, &r, &err);
    if (cut < LN_FILE_HEADER_BYTES) {
        assert_true(rc == GL_E_TRUNCATED || rc == GL_E_NOT_TRACE);
        assert_true(err.text[0]);
        return;
    }
    assert_int_equal(rc, 0);
    const gl_reader_info *info = gl_reader_get_info(r);
    assert_int_equal(info->events, events);
    assert_int_equal(info->indexed, cut == s->n);
    lt_events back = {0};
    lt_read(r, GL_COL_ALL, &back);
    assert_int_equal(back.n, events);
    lt_same(s->l.at, back.at, back.n);
    lt_free(&back);
    gl_reader_close(r);
}

/** Events in chunks that end at or before a byte. */
static uint64_t events_before(const size_t *ends, const uint64_t *events, size_t n, size_t cut)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n && ends[i] <= cut; i++)
        sum = events[i];
    return sum;
}

static void a_cut_at_any_byte_leaves_the_chunks_before(void **state)
{
    (void)state;
    sample s;
    size_t ends[256];
    uint64_t events[256];
    sample_make(&s, 21, 150, 40);
    size_t n = chunk_ends(&s, ends, events, 256);
    assert_true(n > 8);
    for (size_t cut = 0; cut <= s.n; cut++)
        check_cut(&s, cut, events_before(ends, events, n, cut));
    sample_free(&s);
}

static void a_large_file_cut_at_chunks_and_anywhere(void **state)
{
    (void)state;
    sample s;
    static size_t ends[4096];
    static uint64_t events[4096];
    lt_random r = {22};
    sample_make(&s, 23, 30000, 1500);
    size_t n = chunk_ends(&s, ends, events, 4096);
    for (size_t i = 0; i < n; i++)
        for (int d = -1; d <= 1; d++)
            check_cut(&s, ends[i] + (size_t)d, events_before(ends, events, n, ends[i] + (size_t)d));
    for (unsigned i = 0; i < 100; i++) {
        size_t cut = LN_FILE_HEADER_BYTES + (size_t)lt_below(&r, s.n - LN_FILE_HEADER_BYTES);
        check_cut(&s, cut, events_before(ends, events, n, cut));
    }
    sample_free(&s);
}

static void a_flipped_bit_never_goes_unnoticed(void **state)
{
    (void)state;
    sample s;
    gl_reader *r;
    gl_error err = {0};
    sample_make(&s, 24, 400, 100);
    for (size_t bit = 0; bit < s.n * 8; bit += 3) {
        size_t byte = bit / 8;
        if (byte >= 24 && byte < 32)
            continue; /* the header's ignored field is under its checksum, too: see below */
        s.bytes[byte] ^= (uint8_t)(1u << bit % 8);
        lt_spill(s.path, s.bytes, s.n);
        int rc = gl_reader_open(s.path, &r, &err);
        if (rc == 0) {
            uint64_t got = read_everything(r);
            const gl_reader_info *info = gl_reader_get_info(r);
            assert_true(info->damaged_chunks > 0 || info->cut || !info->indexed);
            assert_true(got <= s.l.n);
            gl_reader_close(r);
        } else {
            assert_true(byte < LN_FILE_HEADER_BYTES && err.text[0]);
        }
        s.bytes[byte] ^= (uint8_t)(1u << bit % 8);
    }
    sample_free(&s);
}

/** Damage that the checksums bless: what only a hostile hand makes. Must not crash; sanitizers watch. */
static void forged_payloads_do_no_harm(void **state)
{
    (void)state;
    sample s;
    static size_t ends[512];
    static uint64_t events[512];
    lt_random rnd = {25};
    gl_reader *r;
    gl_error err = {0};
    sample_make(&s, 26, 1200, 300);
    size_t n = chunk_ends(&s, ends, events, 512);
    uint8_t *copy = malloc(s.n);
    for (unsigned round = 0; round < 1500; round++) {
        memcpy(copy, s.bytes, s.n);
        size_t i = (size_t)lt_below(&rnd, n), from = i ? ends[i - 1] : LN_FILE_HEADER_BYTES;
        ln_chunk_header h;
        assert_int_equal(ln_chunk_header_get(copy + from, &h), 0);
        uint8_t *payload = copy + from + LN_CHUNK_HEADER_BYTES;
        for (uint64_t k = 1 + lt_below(&rnd, 4); k > 0; k--)
            payload[lt_below(&rnd, h.stored)] = (uint8_t)lt_next(&rnd);
        if (lt_below(&rnd, 4) == 0)
            h.count = (uint32_t)lt_below(&rnd, 2000);
        if (lt_below(&rnd, 4) == 0)
            h.number = lt_next(&rnd) >> lt_below(&rnd, 64);
        h.payload_hash = XXH3_64bits(payload, (size_t)h.stored);
        ln_chunk_header_put(copy + from, &h);
        lt_spill(s.path, copy, round % 2 ? s.n : s.n - LN_TRAILER_BYTES);
        if (gl_reader_open(s.path, &r, &err) == 0) {
            read_everything(r);
            gl_reader_close(r);
        }
    }
    free(copy);
    sample_free(&s);
}

static void a_growing_file_is_followed(void **state)
{
    (void)state;
    char path[256];
    gl_error err = {0};
    gl_writer *w;
    gl_reader *r;
    gl_cursor *c;
    gl_dict *d = gl_dict_new();
    const gl_dict *seen;
    lt_random rnd = {27};
    lt_events l = {0}, back = {0};
    lt_path(path, "grow");
    lt_schedule(&l, &rnd, 20000, 40, 3, d);
    gl_writer_options o = {.path = path, .dict = d, .chunk_events = 700, .threads = 1};
    assert_int_equal(gl_writer_open(&o, &w, &err), 0);
    assert_int_equal(gl_reader_open(path, &r, &err), 0);
    assert_int_equal(gl_cursor_open(r, GL_COL_ALL, &c, &err), 0);
    for (size_t at = 0, part; at < l.n; at += part) {
        part = 1 + (size_t)lt_below(&rnd, 1500);
        part = part < l.n - at ? part : l.n - at;
        assert_int_equal(gl_writer_events(w, l.at + at, part), 0);
        assert_int_equal(gl_writer_meta(w, "at", at % 2 ? "odd" : "even"), 0);
        assert_int_equal(gl_writer_flush(w, &err), 0);
        assert_int_equal(gl_reader_refresh(r, &err), 1);
        assert_int_equal(gl_reader_refresh(r, &err), 0);
        assert_int_equal(gl_reader_dict(r, &seen, &err), 0);
        assert_int_equal(gl_dict_stack_count(seen), gl_dict_stack_count(d));
        const gl_event *ev;
        size_t n;
        while (gl_cursor_next(c, &ev, &n, &err) == 0 && n)
            for (size_t i = 0; i < n; i++)
                lt_push(&back, &ev[i]);
        assert_int_equal(back.n, at + part);
        gl_summary_node node;
        unsigned levels = gl_reader_levels(r);
        assert_int_equal(gl_reader_summary(r, levels - 1, 0, &node, &err), 0);
        assert_int_equal(node.events, at + part); /* the top holds all, though it is not in the file yet */
        assert_string_equal(gl_reader_meta(r, "at"), at % 2 ? "odd" : "even");
    }
    lt_same(l.at, back.at, l.n);
    assert_int_equal(gl_writer_close(w, NULL, &err), 0);
    assert_true(gl_reader_refresh(r, &err) >= 0);
    assert_false(gl_reader_get_info(r)->cut);
    assert_int_equal(gl_reader_get_info(r)->events, l.n);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(gl_reader_refresh(r, &err), GL_E_TRUNCATED);
    gl_cursor_close(c);
    gl_reader_close(r);
    gl_dict_destroy(d);
    lt_free(&l);
    lt_free(&back);
    remove(path);
}

static bool same_share(const gl_lane_share *a, const gl_lane_share *b)
{
    return a->g == b->g && a->running == b->running && a->runnable == b->runnable && a->waiting == b->waiting &&
           a->syscall == b->syscall && a->dominant_reason_class == b->dominant_reason_class && a->flags == b->flags;
}

static void check_same_pyramid(gl_reader *a, gl_reader *b)
{
    gl_error err = {0};
    gl_cursor *ca, *cb;
    assert_int_equal(gl_cursor_open(a, 0, &ca, &err), 0);
    assert_int_equal(gl_cursor_open(b, 0, &cb, &err), 0);
    assert_int_equal(gl_reader_levels(a), gl_reader_levels(b));
    for (unsigned level = 0; level < gl_reader_levels(a); level++) {
        assert_int_equal(gl_reader_level_size(a, level), gl_reader_level_size(b, level));
        for (uint64_t i = 0; i < gl_reader_level_size(a, level); i++) {
            gl_summary_node x, y;
            const gl_lane_share *lx, *ly;
            size_t nx, ny;
            assert_int_equal(gl_reader_summary(a, level, i, &x, &err), 0);
            assert_int_equal(gl_reader_summary(b, level, i, &y, &err), 0);
            assert_memory_equal(&x, &y, sizeof x);
            assert_int_equal(gl_cursor_lanes(ca, level, i, &lx, &nx, &err), 0);
            assert_int_equal(gl_cursor_lanes(cb, level, i, &ly, &ny, &err), 0);
            assert_int_equal(nx, ny);
            for (size_t k = 0; k < nx; k++)
                assert_true(same_share(&lx[k], &ly[k]));
        }
    }
    gl_cursor_close(ca);
    gl_cursor_close(cb);
}

static void repair_gives_back_an_index(void **state)
{
    (void)state;
    sample s;
    char fixed[256], as_was[256], what[256];
    static size_t ends[4096];
    static uint64_t events[4096];
    gl_reader *whole, *r;
    gl_error err = {0};
    lt_random rnd = {28};
    sample_make(&s, 29, 20000, 400);
    size_t n = chunk_ends(&s, ends, events, 4096);
    lt_path(fixed, "fixed");
    lt_path(as_was, "as-was");
    for (unsigned i = 0; i < 20; i++) {
        size_t cut = i ? LN_FILE_HEADER_BYTES + (size_t)lt_below(&rnd, s.n - LN_FILE_HEADER_BYTES) : s.n;
        lt_spill(s.path, s.bytes, cut);
        if (gl_repair(s.path, i % 2 ? s.path : fixed, what, sizeof what, &err) < 0)
            fail_msg("%s", err.text);
        assert_true(strlen(what) > 20);
        assert_int_equal(gl_reader_open(i % 2 ? s.path : fixed, &r, &err), 0);
        assert_true(gl_reader_get_info(r)->indexed);
        assert_int_equal(gl_reader_get_info(r)->events, events_before(ends, events, n, cut));
        lt_events back = {0};
        lt_read(r, GL_COL_ALL, &back);
        lt_same(s.l.at, back.at, back.n);
        lt_free(&back);
        lt_spill(as_was, s.bytes, cut);
        assert_int_equal(gl_reader_open(as_was, &whole, &err), 0);
        check_same_pyramid(whole, r);
        gl_reader_close(whole);
        gl_reader_close(r);
    }
    remove(fixed);
    remove(as_was);
    sample_free(&s);
}

static void a_damaged_chunk_shows_as_lost_events(void **state)
{
    (void)state;
    sample s;
    char what[512];
    static size_t ends[4096];
    static uint64_t events[4096];
    gl_reader *r;
    gl_error err = {0};
    sample_make(&s, 30, 5000, 500);
    size_t n = chunk_ends(&s, ends, events, 4096), victim = 0;
    while (events[victim] < 2000)
        victim++; /* the fourth event chunk */
    s.bytes[ends[victim] - 5] ^= 1;
    lt_spill(s.path, s.bytes, s.n);
    for (unsigned repaired = 0; repaired < 2; repaired++) {
        assert_int_equal(gl_reader_open(s.path, &r, &err), 0);
        lt_events back = {0};
        lt_read(r, GL_COL_ALL, &back);
        assert_int_equal(back.n, s.l.n - 500 + 1);
        lt_same(s.l.at, back.at, 1500);
        assert_int_equal(back.at[1500].type, GL_EV_Lost);
        assert_int_equal(back.at[1500].arg[0], 500);
        lt_same(s.l.at + 2000, back.at + 1501, s.l.n - 2000);
        assert_int_equal(gl_reader_get_info(r)->damaged_chunks, repaired ? 0 : 1);
        lt_free(&back);
        gl_reader_close(r);
        assert_int_equal(gl_repair(s.path, s.path, what, sizeof what, &err), 0);
        if (!repaired)
            assert_non_null(strstr(what, "1 damaged"));
    }
    assert_true(n > 0);
    sample_free(&s);
}

static void seal_header(uint8_t *bytes)
{
    ln_put64(bytes + 56, XXH3_64bits(bytes, 56));
}

static int open_bytes(const sample *s, gl_error *err)
{
    gl_reader *r;
    lt_spill(s->path, s->bytes, s->n);
    int rc = gl_reader_open(s->path, &r, err);
    if (rc == 0) {
        lt_events back = {0};
        lt_read(r, GL_COL_ALL, &back);
        assert_int_equal(back.n, s->l.n);
        lt_free(&back);
        gl_reader_close(r);
    }
    return rc;
}

static void versions_and_reserved_fields(void **state)
{
    (void)state;
    sample s;
    gl_error err = {0};
    sample_make(&s, 31, 300, 100);
    s.bytes[10] = 9; /* a later minor version reads on */
    seal_header(s.bytes);
    assert_int_equal(open_bytes(&s, &err), 0);
    s.bytes[24] = 77; /* so does a field that may be ignored */
    seal_header(s.bytes);
    assert_int_equal(open_bytes(&s, &err), 0);
    s.bytes[16] = 1; /* a field that must be zero does not */
    seal_header(s.bytes);
    assert_int_equal(open_bytes(&s, &err), GL_E_VERSION);
    s.bytes[16] = 0;
    s.bytes[8] = LN_VERSION_MAJOR + 1; /* nor does a later major version, whatever the rest looks like */
    assert_int_equal(open_bytes(&s, &err), GL_E_VERSION);
    assert_non_null(strstr(err.text, "newer golanes"));
    s.bytes[8] = LN_VERSION_MAJOR;
    seal_header(s.bytes);
    uint8_t *chunk = s.bytes + LN_FILE_HEADER_BYTES;
    chunk[14] = 1; /* the chunk header's two kinds, read without an index */
    ln_put64(chunk + 80, XXH3_64bits(chunk, 80));
    s.n -= LN_TRAILER_BYTES;
    assert_int_equal(open_bytes(&s, &err), 0);
    chunk[12] = 1;
    ln_put64(chunk + 80, XXH3_64bits(chunk, 80));
    assert_int_equal(open_bytes(&s, &err), GL_E_VERSION);
    sample_free(&s);
}

static void unknown_chunks_are_passed_over_and_kept(void **state)
{
    (void)state;
    sample s;
    char what[256];
    gl_error err = {0};
    gl_reader *r;
    sample_make(&s, 32, 300, 100);
    static const char payload[] = "of a later version";
    ln_chunk_header h = {.kind = 4711, .stored = sizeof payload, .payload_hash = XXH3_64bits(payload, sizeof payload)};
    size_t extra = LN_CHUNK_HEADER_BYTES + sizeof payload, n = s.n + extra - LN_TRAILER_BYTES;
    uint8_t *bytes = malloc(n);
    memcpy(bytes, s.bytes, LN_FILE_HEADER_BYTES);
    ln_chunk_header_put(bytes + LN_FILE_HEADER_BYTES, &h);
    memcpy(bytes + LN_FILE_HEADER_BYTES + LN_CHUNK_HEADER_BYTES, payload, sizeof payload);
    memcpy(bytes + LN_FILE_HEADER_BYTES + extra, s.bytes + LN_FILE_HEADER_BYTES,
           s.n - LN_FILE_HEADER_BYTES - LN_TRAILER_BYTES);
    free(s.bytes);
    s.bytes = bytes;
    s.n = n;
    assert_int_equal(open_bytes(&s, &err), 0);
    assert_int_equal(gl_repair(s.path, s.path, what, sizeof what, &err), 0);
    assert_int_equal(gl_reader_open(s.path, &r, &err), 0);
    assert_true(gl_reader_get_info(r)->indexed);
    assert_int_equal(gl_reader_get_info(r)->unknown_chunks, 1);
    gl_reader_close(r);
    sample_free(&s);
}

static void a_writer_that_vanishes_leaves_what_it_flushed(void **state)
{
    (void)state;
    char path[256];
    gl_error err = {0};
    gl_writer *w;
    gl_reader *r;
    gl_dict *d = gl_dict_new();
    lt_events l = {0}, back = {0};
    lt_random rnd = {33};
    lt_path(path, "gone");
    lt_schedule(&l, &rnd, 5000, 40, 3, d);
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = path, .dict = d, .threads = 2}, &w, &err), 0);
    assert_int_equal(gl_writer_events(w, l.at, 3000), 0);
    assert_int_equal(gl_writer_flush(w, &err), 0);
    assert_int_equal(gl_writer_events(w, l.at + 3000, l.n - 3000), 0);
    gl_writer_abandon(w);
    assert_int_equal(gl_reader_open(path, &r, &err), 0);
    lt_read(r, GL_COL_ALL, &back);
    assert_int_equal(back.n, 3000);
    lt_same(l.at, back.at, 3000);
    gl_reader_close(r);
    gl_dict_destroy(d);
    lt_free(&l);
    lt_free(&back);
    remove(path);
}

static void wrong_use_is_refused(void **state)
{
    (void)state;
    gl_error err = {0};
    gl_writer *w;
    gl_reader *r;
    gl_dict *d = gl_dict_new();
    char path[256];
    lt_path(path, "use");
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = path}, &w, &err), GL_E_USAGE);
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = path, .dict = d, .level = 99}, &w, &err), GL_E_USAGE);
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = "/nowhere/x", .dict = d}, &w, &err), GL_E_IO);
    assert_int_equal(gl_writer_open(&(gl_writer_options){.path = path, .dict = d}, &w, &err), 0);
    assert_int_equal(gl_writer_events(w, &(gl_event){.type = 0}, 1), GL_E_USAGE);
    assert_int_equal(gl_writer_events(w, &(gl_event){.type = GL_EV_GoStart}, 1), GL_E_USAGE);
    assert_int_equal(gl_writer_close(w, NULL, &err), GL_E_USAGE);
    assert_int_equal(gl_reader_open("/nowhere/x", &r, &err), GL_E_NOT_FOUND);
    lt_spill(path, "go 1.26 trace\0\0\0", 16);
    assert_int_equal(gl_reader_open(path, &r, &err), GL_E_NOT_TRACE);
    assert_false(gl_reader_detect("go 1.26 trace", 13));
    assert_true(gl_reader_detect(LN_MAGIC, 8));
    gl_dict_destroy(d);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_byte_leaves_the_chunks_before),
        cmocka_unit_test(a_large_file_cut_at_chunks_and_anywhere),
        cmocka_unit_test(a_flipped_bit_never_goes_unnoticed),
        cmocka_unit_test(forged_payloads_do_no_harm),
        cmocka_unit_test(a_growing_file_is_followed),
        cmocka_unit_test(repair_gives_back_an_index),
        cmocka_unit_test(a_damaged_chunk_shows_as_lost_events),
        cmocka_unit_test(versions_and_reserved_fields),
        cmocka_unit_test(unknown_chunks_are_passed_over_and_kept),
        cmocka_unit_test(a_writer_that_vanishes_leaves_what_it_flushed),
        cmocka_unit_test(wrong_use_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
