/* Traces made by hand, for the tests of analysis/. Include after cmocka.h. */
#ifndef GOLANES_TESTS_HAND_H
#define GOLANES_TESTS_HAND_H

#include <string.h>

#include "golanes_analysis/watch.h"

/* Not every test uses all of these. */
#define HAND static __attribute__((unused))

HAND uint32_t text(gl_dict *d, const char *s)
{
    uint32_t id;
    assert_int_equal(gl_dict_string(d, s, strlen(s), &id), 0);
    return id;
}

/* Two frames, at x.go:10 and x.go:11. */
HAND uint32_t stack(gl_dict *d, const char *leaf, const char *root)
{
    const char *const names[] = {leaf, root};
    uint32_t frames[2], func, id;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(gl_dict_func(d, (gl_func){text(d, names[i]), text(d, "x.go")}, &func), 0);
        assert_int_equal(gl_dict_frame(d, (gl_frame){0, func, (uint32_t)(10 + i)}, &frames[i]), 0);
    }
    assert_int_equal(gl_dict_stack(d, frames, 2, &id), 0);
    return id;
}

HAND void take(gl_summary *s, const gl_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(gl_summary_sink(s, &events[i], 1), 0);
}
#define TAKE(s, events) take(s, events, sizeof(events) / sizeof *(events))

#define EV(t, kind, who, ...)                                                                                          \
    {                                                                                                                  \
        .time = t, .type = GL_EV_##kind, .g = who, .thread = GL_NO_THREAD, .p = 0, __VA_ARGS__                         \
    }
/* The same on processor `proc`. */
#define EVP(t, kind, who, proc, ...)                                                                                   \
    {                                                                                                                  \
        .time = t, .type = GL_EV_##kind, .g = who, .thread = GL_NO_THREAD, .p = proc, __VA_ARGS__                      \
    }

#endif
