/*
 * One test on a trace made by hand: the trace, its import, and questions about what came. After cmocka.h.
 */
#ifndef GOLANES_TEST_CRAFT_CASE_H
#define GOLANES_TEST_CRAFT_CASE_H

#include "corpus_walk.h"
#include "craft.h"

#define VERSIONS ((const unsigned[]){22, 23, 25, 26})

static craft *made;
static imported im;

static inline int set_up(void **state)
{
    (void)state;
    made = malloc(sizeof *made);
    memset(&im, 0, sizeof im);
    return made ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    imported_free(&im);
    free(made);
    return 0;
}

static inline void import_made(void)
{
    imported_free(&im);
    import_bytes(made->bytes, made->n, &im);
    assert_int_equal(im.rc, 0);
    assert_int_equal(im.result.events, im.n);
}

/* Events without the beginning of a generation, and which is the i-th of them. */
static inline const gl_event *event(size_t i)
{
    for (size_t k = 0; k < im.n; k++)
        if (im.events[k].type != GL_EV_ClockSync && im.events[k].type != GL_EV_Lost && i-- == 0)
            return &im.events[k];
    fail_msg("there are not so many events");
    return NULL;
}

static inline size_t count_of(gl_event_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < im.n; i++)
        n += im.events[i].type == type;
    return n;
}

static inline const gl_event *find(gl_event_type type)
{
    for (size_t i = 0; i < im.n; i++)
        if (im.events[i].type == type)
            return &im.events[i];
    fail_msg("no event of type %d", (int)type);
    return NULL;
}

static inline const char *text(uint64_t id)
{
    return gl_dict_text(im.dict, (uint32_t)id, NULL);
}

static inline void assert_sound(void)
{
    if (!im.result.complete)
        print_error("%s\n", im.result.damages[0].reason);
    assert_true(im.result.complete);
    assert_int_equal(im.result.damage_count, 0);
    assert_int_equal(im.result.resyncs, 0);
    assert_int_equal(im.result.bytes_lost, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
