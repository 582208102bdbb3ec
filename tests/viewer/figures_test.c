/* The panes have the figures that the commands print: what the viewer counts is compared with the analysis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "golanes_analysis/channels.h"
#include "scene.h"

#define US INT64_C(1000)
#define CHANNELS 4096

typedef struct figures {
    gl_summary *summary;
    gl_channels *channels;
    const gl_summary_result *r;
    const gl_channels_result *c;
} figures;

static void analyse(gl_reader *reader, figures *f)
{
    gl_error err = {0};
    const gl_dict *dict;
    gl_cursor *cursor;
    const gl_event *ev;
    size_t n;
    assert_int_equal(gl_reader_dict(reader, &dict, &err), 0);
    f->summary = gl_summary_new(&(gl_summary_options){.dict = dict});
    f->channels = gl_channels_new(f->summary, dict, &(gl_channels_options){.keep = CHANNELS});
    assert_non_null(f->channels);
    assert_int_equal(gl_cursor_open(reader, GL_COL_ALL, &cursor, &err), 0);
    while (gl_cursor_next(cursor, &ev, &n, &err) == 0 && n)
        assert_int_equal(gl_summary_sink(f->summary, ev, n), 0);
    gl_cursor_close(cursor);
    assert_int_equal(gl_summary_finish(f->summary, &f->r), 0);
    assert_int_equal(gl_channels_finish(f->channels, f->r->end_ns, &f->c), 0);
}

static void compare_pauses_and_straddles(const gl_model *m, const gl_summary_result *r)
{
    uint64_t overlap = 0, inside = 0, total = 0, gc = 0;
    assert_int_equal(m->pause_count, r->stw.count);
    for (size_t i = 0; i < m->pause_count; i++) {
        total += (uint64_t)(gl_model_end(m, m->pauses[i].end) - m->pauses[i].begin);
        gc += m->pauses[i].gc;
    }
    assert_int_equal(total, r->stw.total_ns);
    assert_int_equal(gc, m->gc_pause_count);
    for (size_t i = 0; i < m->straddle_count; i++) {
        overlap += (uint64_t)m->straddles[i].overlap;
        inside += m->straddles[i].released_inside;
    }
    assert_int_equal(m->straddle_count, r->sends.straddling);
    assert_int_equal(overlap, r->sends.overlap_ns);
    assert_int_equal(inside, r->sends.released_inside);
}

static void compare_stuck(gl_app *a, const gl_summary_result *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->stuck_count; i++)
        n += r->stuck[i].system || r->stuck[i].idle ? 0 : r->stuck[i].n;
    scene_press(a, "7");
    gl_text t = scene_text(a);
    gl_text_clean_up(&t);
    assert_int_equal(a->list_count, n);
}

static void compare_channels(const gl_model *m, const gl_channels_result *c)
{
    size_t compared = 0;
    for (size_t i = 0; i < c->channel_count; i++) {
        const gl_channel *x = &c->channels[i];
        uint32_t at = gl_chans_at(&m->chans, x->chan, x->first);
        if (!x->chan)
            continue;
        assert_int_not_equal(at, GL_NONE);
        const gl_chan *y = &m->chans.list[at];
        assert_int_equal(y->sends, x->end[GL_CHANNEL_SEND].done);
        assert_int_equal(y->recvs, x->end[GL_CHANNEL_RECV].done);
        assert_int_equal(y->send_wait, x->end[GL_CHANNEL_SEND].wait.total_ns);
        assert_int_equal(y->recv_wait, x->end[GL_CHANNEL_RECV].wait.total_ns);
        assert_int_equal(y->senders, x->end[GL_CHANNEL_SEND].waiting);
        assert_int_equal(y->receivers, x->end[GL_CHANNEL_RECV].waiting);
        compared++;
    }
    assert_int_equal(compared, m->chans.n);
}

static void the_panes_have_the_figures_of_the_commands(void **state)
{
    static const char *const traces[] = {"made", "chans", "annot-gens-go1.25", "pipeline-go1.26", "leak-go1.23"};
    (void)state;
    for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
        gl_reader *r = scene_open(traces[i]);
        figures f = {0};
        if (!r)
            continue;
        gl_app *a = scene_app(r, traces[i], "dark", false, 120, 40);
        analyse(r, &f);
        print_message("%s\n", traces[i]);
        compare_pauses_and_straddles(a->m, f.r);
        compare_stuck(a, f.r);
        compare_channels(a->m, f.c);
        gl_channels_destroy(f.channels);
        gl_summary_destroy(f.summary);
        gl_app_close(a);
        gl_reader_close(r);
    }
}

/* Which channel a select waited for is known at its end; it has waited for that one all the time. */
static void a_select_waits_for_the_channel_that_it_chose(void **state)
{
    (void)state;
    gl_chans cs = {0};
    gl_chan_op op = {.chan = GL_NONE, .gor = 3};
    gl_event begin = {.time = 100 * US, .type = GL_EV_ChanSelectBegin, .arg = {0, 2, 0}};
    gl_event end = {.time = 900 * US, .type = GL_EV_ChanSelectEnd, .arg = {0xc1, GL_CHAN_RECV, 0, GL_CHAN_DONE}};
    assert_int_equal(gl_chans_take(&cs, &begin, &op), 0);
    assert_int_equal(gl_chans_wait(&cs, &op, 110 * US, true), 0);
    assert_int_equal(gl_chans_wait(&cs, &op, 800 * US, false), 0);
    assert_int_equal(gl_chans_take(&cs, &end, &op), 0);
    assert_int_equal(cs.n, 1);
    assert_int_equal(cs.list[0].recvs, 1);
    assert_int_equal(cs.list[0].recv_wait, 800 * US);
    assert_int_equal(cs.wait_count, 1);
    assert_int_equal(cs.waits[0].begin, 110 * US);
    assert_int_equal(cs.waits[0].end, 800 * US);
    assert_int_equal(cs.waits[0].gor, 3);
    /* The next one takes its default: it waited for nothing. */
    end.arg[1] = GL_CHAN_DEFAULT;
    assert_int_equal(gl_chans_take(&cs, &begin, &op), 0);
    assert_int_equal(gl_chans_take(&cs, &end, &op), 0);
    assert_int_equal(cs.list[0].recvs, 1);
    assert_int_equal(cs.wait_count, 1);
    gl_chans_clean_up(&cs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_panes_have_the_figures_of_the_commands),
                                       cmocka_unit_test(a_select_waits_for_the_channel_that_it_chose)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
