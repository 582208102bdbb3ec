/*
 * No length in a trace is believed before it is compared with what there is: small inputs that claim much cost little
 * memory. The allocator is watched through the linker (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "craft.h"
#include "golanes/gotrace.h"

static size_t asked;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
    asked += n;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    asked += n * size;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    asked += n;
    return __real_realloc(p, n);
}

static int ignore(void *user, const gl_event *events, size_t n)
{
    (void)events;
    *(size_t *)user += n;
    return 0;
}

/* All that an import asks for, added up, though much of it is given back. */
static size_t memory_for(const craft *c)
{
    gl_input *in = NULL;
    size_t seen = 0;
    gl_gotrace_options opt = {.dict = gl_dict_new(), .on_events = ignore, .events_user = &seen};
    static gl_gotrace_result result;
    gl_error err = {0};
    assert_int_equal(gl_input_from_memory(c->bytes, c->n, &in), 0);
    asked = 0;
    int rc = gl_gotrace_import(in, &opt, &result, &err);
    size_t out = asked;
    gl_input_close(in);
    gl_dict_destroy(opt.dict);
    assert_int_equal(rc, 0);
    return out;
}

static void numbers(craft *c, const uint64_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        craft_number(c, v[i]);
}
#define NUMBERS(c, ...)                                                                                                \
    numbers(c, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void claim_batch(craft *c) { NUMBERS(c, 1, 1, 1, 1000, UINT64_C(1) << 62); }
static void claim_largest_batch(craft *c) { NUMBERS(c, 1, 1, 1, 1000, 65536); }

static void claim_string(craft *c)
{
    craft_batch(c, UINT64_MAX, 1000);
    NUMBERS(c, 4, 5, 1, UINT64_C(1) << 50);
}

static void claim_frames(craft *c)
{
    craft_batch(c, UINT64_MAX, 1000);
    NUMBERS(c, 2, 3, 1, UINT64_C(1) << 55);
}

static void claim_ids(craft *c)
{
    craft_batch(c, UINT64_MAX, 1000);
    NUMBERS(c, 4, 5, UINT64_C(1) << 40, 0, 5, UINT32_MAX, 0, 5, UINT32_MAX / 4, 0);
    craft_batch(c, UINT64_MAX, 1000);
    NUMBERS(c, 2, 3, UINT64_C(1) << 31, 0, 3, UINT64_C(1) << 63, 0);
}

static void claim_resources(craft *c)
{
    craft_batch(c, UINT64_C(1) << 63, 1000);
    EV(c, 13, 1, UINT32_MAX - 1, 1);
    EV(c, 25, 1, (UINT64_C(1) << 48) - 1, 1, 2);
    EV(c, 9, 1, UINT64_MAX, UINT64_MAX);
}

static void test_claims_cost_nothing(void **state)
{
    (void)state;
    static void (*const claims[])(craft *) = {claim_batch, claim_largest_batch, claim_string, claim_frames, claim_ids,
                                              claim_resources};
    static craft c;
    for (size_t v = 22; v <= 26; v++)
        for (size_t i = 0; v != 24 && i < sizeof claims / sizeof claims[0]; i++) {
            craft_begin(&c, (unsigned)v);
            craft_generation(&c, 1, 1000);
            claims[i](&c);
            craft_finish(&c);
            assert_true(c.n < 200);
            assert_true(memory_for(&c) < 1 << 20);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_claims_cost_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
