#include "distribution.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"

#define BUCKET_BITS 9 /* 512 buckets an octave: width 1/512 of the value, the middle is at most 0.1 % away */
#define BUCKETS ((size_t)(64 - BUCKET_BITS + 1) << BUCKET_BITS)

static size_t bucket_of(uint64_t value)
{
    if (value < (UINT64_C(1) << BUCKET_BITS))
        return (size_t)value;
    unsigned top = 63u - (unsigned)__builtin_clzll(value);
    unsigned shift = top - BUCKET_BITS;
    return ((size_t)(shift + 1) << BUCKET_BITS) + (size_t)((value >> shift) & ((1u << BUCKET_BITS) - 1));
}

static uint64_t bucket_middle(size_t i)
{
    size_t octave = i >> BUCKET_BITS;
    uint64_t in = i & ((1u << BUCKET_BITS) - 1);
    if (octave == 0)
        return in;
    unsigned shift = (unsigned)octave - 1;
    uint64_t low = ((UINT64_C(1) << BUCKET_BITS) + in) << shift;
    return low + ((UINT64_C(1) << shift) >> 1);
}

static gl_dist_slot *slot_find(gl_dist_slot *slots, size_t mask, uint64_t key)
{
    size_t i = (size_t)gl_mix(key) & mask;
    while (slots[i].value && slots[i].value != key)
        i = (i + 1) & mask;
    return &slots[i];
}

static int to_buckets(gl_dist *d)
{
    d->buckets = calloc(BUCKETS, sizeof *d->buckets);
    if (!d->buckets)
        return GL_E_NOMEM;
    for (size_t i = 0; i <= d->mask; i++) {
        if (d->slots[i].value)
            d->buckets[bucket_of(d->slots[i].value - 1)] += d->slots[i].count;
    }
    free(d->slots);
    d->slots = NULL;
    d->mask = d->used = 0;
    return 0;
}

static int slots_grow(gl_dist *d)
{
    if (d->used >= GL_DIST_DISTINCT_MAX)
        return to_buckets(d);
    size_t size = d->slots ? (d->mask + 1) * 2 : 64;
    gl_dist_slot *slots = calloc(size, sizeof *slots);
    if (!slots)
        return GL_E_NOMEM;
    for (size_t i = 0; d->slots && i <= d->mask; i++) {
        if (d->slots[i].value)
            *slot_find(slots, size - 1, d->slots[i].value) = d->slots[i];
    }
    free(d->slots);
    d->slots = slots;
    d->mask = size - 1;
    return 0;
}

static int count_value(gl_dist *d, uint64_t value, uint64_t count)
{
    if (value > INT64_MAX)
        value = INT64_MAX; /* no difference of two bounded stamps is */
    if (!d->buckets && (!d->slots || d->used * 2 > d->mask)) {
        int status = slots_grow(d);
        if (status < 0)
            return status;
    }
    if (d->buckets) {
        d->buckets[bucket_of(value)] += count;
        return 0;
    }
    gl_dist_slot *s = slot_find(d->slots, d->mask, value + 1);
    d->used += s->value == 0;
    s->value = value + 1;
    s->count += count;
    return 0;
}

int gl_dist_add_slowly(gl_dist *d, uint64_t value)
{
    uint64_t step = value / GL_DIST_STEP;
    if (value % GL_DIST_STEP || step >= GL_DIST_SMALL || d->small)
        return count_value(d, value, 1);
    d->small = calloc(GL_DIST_SMALL, sizeof *d->small);
    if (!d->small)
        return GL_E_NOMEM;
    d->small[step] = 1;
    return 0;
}

bool gl_dist_approximate(const gl_dist *d) { return d->buckets != NULL; }

static int by_value(const void *a, const void *b)
{
    const gl_dist_slot *x = a, *y = b;
    return x->value < y->value ? -1 : x->value > y->value;
}

/* All values with their counts, in order of value. */
static gl_dist_slot *sorted_values(const gl_dist *d, size_t *n)
{
    size_t room = (d->small ? GL_DIST_SMALL : 0) + (d->buckets ? BUCKETS : d->used) + 1;
    gl_dist_slot *out = malloc(room * sizeof *out);
    if (!out)
        return NULL;
    size_t k = 0;
    for (size_t i = 0; d->small && i < GL_DIST_SMALL; i++) {
        if (d->small[i])
            out[k++] = (gl_dist_slot){i * GL_DIST_STEP, d->small[i]};
    }
    for (size_t i = 0; d->slots && i <= d->mask; i++) {
        if (d->slots[i].value)
            out[k++] = (gl_dist_slot){d->slots[i].value - 1, d->slots[i].count};
    }
    for (size_t i = 0; d->buckets && i < BUCKETS; i++) {
        if (d->buckets[i])
            out[k++] = (gl_dist_slot){bucket_middle(i), d->buckets[i]};
    }
    qsort(out, k, sizeof *out, by_value);
    *n = k;
    return out;
}

/* ceil(n * percent / 100), without overflow for any n. */
static uint64_t rank_of(uint64_t n, unsigned percent) { return n / 100 * percent + (n % 100 * percent + 99) / 100; }

int gl_dist_percentiles(const gl_dist *d, const unsigned *percents, uint64_t *values, size_t n)
{
    memset(values, 0, n * sizeof *values);
    if (!d->n)
        return 0;
    size_t count = 0;
    gl_dist_slot *sorted = sorted_values(d, &count);
    if (!sorted)
        return GL_E_NOMEM;
    uint64_t seen = 0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        seen += sorted[i].count;
        for (; at < n && seen >= rank_of(d->n, percents[at]); at++)
            values[at] = sorted[i].value < d->max ? sorted[i].value : d->max;
    }
    free(sorted);
    return 0;
}

void gl_dist_clean_up(gl_dist *d)
{
    free(d->small);
    free(d->slots);
    free(d->buckets);
    memset(d, 0, sizeof *d);
}
