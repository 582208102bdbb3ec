/*
 * Screens, cell by cell. GOLANES_GOLDEN_WRITE=1 writes the expected ones anew: look at the difference before you keep
 * it. Scenes of the corpus are passed over where it is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "scene.h"

typedef struct scene {
    const char *name, *trace, *theme, *keys;
    int w, h;
    bool ascii;
} scene;

static const scene scenes[] = {
#define SCENE(name, trace, w, h, theme, ascii, keys) {#name, trace, theme, keys, w, h, ascii},
#include "scenes.def"
#undef SCENE
};
#define SCENES (sizeof scenes / sizeof *scenes)

static void read_golden(const char *path, gl_text *out)
{
    FILE *f = fopen(path, "rb");
    char buf[4096];
    size_t n;
    if (!f)
        fail_msg("%s is missing; GOLANES_GOLDEN_WRITE=1 writes it", path);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        gl_text_add(out, buf, n);
    fclose(f);
}

static void write_golden(const char *path, const gl_text *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text->bytes, 1, text->n, f), text->n);
    assert_int_equal(fclose(f), 0);
}

static void compare(const scene *s, const gl_text *have, const gl_text *want)
{
    size_t at = 0, line = 1;
    if (have->n == want->n && memcmp(have->bytes, want->bytes, have->n) == 0)
        return;
    while (at < have->n && at < want->n && have->bytes[at] == want->bytes[at])
        line += have->bytes[at++] == '\n';
    fail_msg("%s differs from its golden screen in line %zu; it is now:\n%s", s->name, line, have->bytes);
}

static void check_scene(const scene *s, gl_reader *r)
{
    char path[4096];
    gl_cells c = {0};
    gl_text have = {0}, want = {0};
    gl_app *a = scene_app(r, s->trace, s->theme, s->ascii, s->w, s->h);
    scene_press(a, s->keys);
    gl_app_draw(a, &c);
    gl_cells_golden(&c, &have);
    assert_false(have.failed);
    snprintf(path, sizeof path, "%s/%s.txt", GOLANES_GOLDEN, s->name);
    if (getenv("GOLANES_GOLDEN_WRITE")) {
        write_golden(path, &have);
    } else {
        read_golden(path, &want);
        compare(s, &have, &want);
    }
    gl_text_clean_up(&have);
    gl_text_clean_up(&want);
    gl_cells_clean_up(&c);
    gl_app_close(a);
}

/* Scenes of one trace stand together, so that it is imported once. */
static void screens_are_as_they_were(void **state)
{
    (void)state;
    gl_reader *r = NULL;
    size_t checked = 0;
    for (size_t i = 0; i < SCENES; i++) {
        if (i == 0 || strcmp(scenes[i].trace, scenes[i - 1].trace) != 0) {
            gl_reader_close(r);
            r = scene_open(scenes[i].trace);
        }
        if (r) {
            check_scene(&scenes[i], r);
            checked++;
        }
    }
    gl_reader_close(r);
    print_message("%zu of %zu scenes\n", checked, SCENES);
    assert_true(checked >= 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(screens_are_as_they_were)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
