#include "sample.h"

#include <stdlib.h>

#include "collect.h"

#define BITS 5
#define BUCKETS ((size_t)(64 - BITS + 1) << BITS)

static size_t bucket_of(uint64_t value)
{
    if (value < (UINT64_C(1) << BITS))
        return (size_t)value;
    unsigned top = 63u - (unsigned)__builtin_clzll(value), shift = top - BITS;
    return ((size_t)(shift + 1) << BITS) + (size_t)((value >> shift) & ((1u << BITS) - 1));
}

static uint64_t bucket_middle(size_t i)
{
    size_t octave = i >> BITS;
    uint64_t in = i & ((1u << BITS) - 1);
    if (octave == 0)
        return in;
    unsigned shift = (unsigned)octave - 1;
    return (((UINT64_C(1) << BITS) + in) << shift) + ((UINT64_C(1) << shift) >> 1);
}

static void count(gl_sample *s, uint64_t value)
{
    uint32_t *b = &s->buckets[bucket_of(value)];
    *b += *b < UINT32_MAX;
}

static int to_buckets(gl_sample *s)
{
    s->buckets = calloc(BUCKETS, sizeof *s->buckets);
    if (!s->buckets)
        return GL_E_NOMEM;
    for (uint64_t i = 0; i < s->n; i++)
        count(s, s->values[i]);
    free(s->values);
    s->values = NULL;
    s->capacity = 0;
    return 0;
}

int gl_sample_add(gl_sample *s, uint64_t value)
{
    if (!s->buckets && s->n == GL_SAMPLE_EXACT_MAX) {
        int status = to_buckets(s);
        if (status < 0)
            return status;
    }
    if (s->buckets) {
        count(s, value);
    } else {
        int grown = GL_GROW(s->values, s->capacity, (size_t)s->n + 1);
        if (grown < 0)
            return grown;
        s->values[s->n] = value;
    }
    if (!s->n || value < s->min)
        s->min = value;
    if (value > s->max)
        s->max = value;
    s->n++;
    s->total += value;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static uint64_t at_rank(const gl_sample *s, uint64_t rank)
{
    if (!s->buckets)
        return s->values[rank - 1];
    uint64_t seen = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += s->buckets[i];
        if (seen >= rank) {
            uint64_t value = bucket_middle(i);
            return value > s->max ? s->max : value < s->min ? s->min : value;
        }
    }
    return s->max;
}

static void sort(gl_sample *s)
{
    if (!s->buckets && s->n)
        qsort(s->values, (size_t)s->n, sizeof *s->values, by_value);
}

/* ceil(n * percent / 100), without overflow for any n. */
static uint64_t rank_of(uint64_t n, unsigned percent) { return n / 100 * percent + (n % 100 * percent + 99) / 100; }

gl_spread gl_sample_spread(gl_sample *s)
{
    gl_spread x = {.n = s->n, .total_ns = s->total, .max_ns = s->max, .approximate = s->buckets != NULL};
    if (!s->n)
        return x;
    sort(s);
    x.p50_ns = at_rank(s, rank_of(s->n, 50));
    x.p90_ns = at_rank(s, rank_of(s->n, 90));
    x.p95_ns = at_rank(s, rank_of(s->n, 95));
    x.p99_ns = at_rank(s, rank_of(s->n, 99));
    return x;
}

uint64_t gl_sample_at(gl_sample *s, double share)
{
    if (!s->n)
        return 0;
    sort(s);
    uint64_t rank = (uint64_t)((double)s->n * share + 0.999999);
    return at_rank(s, rank < 1 ? 1 : rank > s->n ? s->n : rank);
}

void gl_sample_clean_up(gl_sample *s)
{
    free(s->values);
    free(s->buckets);
    *s = (gl_sample){0};
}
