/*
 * Random keys, clicks and resizes: after each the view lies inside the trace and the screen can be drawn; memory does not
 * grow with their number. GOLANES_SOAK sets how many (20,000), GOLANES_SOAK_SEED which (1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <malloc.h>
#include <cmocka.h>

#include "command.h"
#include "scene.h"

static uint64_t seed = 1;

static unsigned draw(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % below);
}

static int number(const char *name, int otherwise)
{
    const char *v = getenv(name);
    return v ? atoi(v) : otherwise;
}

/* Mostly keys that do something, now and then any character. */
static int some_key(void)
{
    size_t commands = 0;
    while (gl_command_at(commands))
        commands++;
    if (draw(8) == 0)
        return (int)(draw(16) ? ' ' + draw(95) : GL_KEY_FIRST + draw(GL_KEY_LAST - GL_KEY_FIRST));
    const char *keys = gl_command_at(draw((unsigned)commands))->keys;
    return gl_key_by_name(keys, strcspn(keys, " "));
}

static void check(gl_app *a, gl_cells *c)
{
    assert_true(a->from >= a->m->begin && a->to <= a->m->end && a->from < a->to);
    assert_true(a->cursor >= a->m->begin && a->cursor <= a->m->end);
    const gl_lanes *l = gl_app_lanes(a);
    assert_true(l->n == 0 || a->at < l->n);
    gl_app_draw(a, c);
    assert_int_equal(c->w, a->w);
    assert_int_equal(c->h, a->h);
}

static void soak(const char *trace, int n)
{
    gl_reader *r = scene_open(trace);
    if (!r)
        return;
    gl_app *a = scene_app(r, trace, "dark", false, 80, 24);
    gl_cells c = {0};
    size_t early = 0;
    for (int i = 0; i < n; i++) {
        if (i == n / 4)
            early = mallinfo2().uordblks;
        switch (draw(40)) {
        case 0: gl_app_resize(a, 1 + (int)draw(260), 1 + (int)draw(90)); break;
        case 1: gl_app_mouse(a, (gl_mouse)draw(5), (int)draw(280) - 10, (int)draw(100) - 5); break;
        default: gl_app_key(a, some_key());
        }
        gl_app_step(a, 1000000);
        a->quit = false;
        check(a, &c);
    }
    /* What is open differs from moment to moment; what is kept for each key would show. */
    size_t late = mallinfo2().uordblks;
    if (late > early * 2 + (8u << 20))
        fail_msg("%s: %zu bytes in use after a quarter of the keys, %zu at the end", trace, early, late);
    gl_cells_clean_up(&c);
    gl_app_close(a);
    gl_reader_close(r);
}

static void random_keys_on_a_made_trace(void **state)
{
    (void)state;
    soak("made", number("GOLANES_SOAK", 20000));
}

static void random_keys_on_real_traces(void **state)
{
    (void)state;
    soak("pipeline-go1.26", number("GOLANES_SOAK", 20000) / 20);
    soak("annot-gens-go1.25", number("GOLANES_SOAK", 20000) / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_keys_on_a_made_trace),
                                       cmocka_unit_test(random_keys_on_real_traces)};
    seed = (uint64_t)number("GOLANES_SOAK_SEED", 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
