#include "slices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_OCTAVE 5 /* shorter ones are all of one size */
#define PARTS 4        /* of an octave */

/* --- while the trace is read --- */

static void merge_sizes(uint32_t **into, uint32_t *from)
{
    if (!*into) {
        *into = from;
        return;
    }
    for (unsigned i = 0; from && i < GL_SLICE_SIZES; i++)
        (*into)[i] += from[i];
    free(from);
}

static void fold(gl_slices *x)
{
    for (unsigned i = 0; i < GL_SLICES / 2; i++) {
        uint32_t *first = x->sizes[2 * i], *second = x->sizes[2 * i + 1];
        x->n[i] = x->n[2 * i] + x->n[2 * i + 1];
        x->sizes[2 * i] = x->sizes[2 * i + 1] = NULL;
        merge_sizes(&first, second);
        x->sizes[i] = first;
    }
    memset(&x->n[GL_SLICES / 2], 0, sizeof x->n / 2);
    x->shift++;
}

static unsigned slice_at(gl_slices *x, int64_t time)
{
    uint64_t at = time > 0 ? (uint64_t)time >> GL_SLICE_FIRST : 0;
    while (at >> x->shift >= GL_SLICES)
        fold(x);
    return (unsigned)(at >> x->shift);
}

void gl_slices_count(gl_slices *x, int64_t time) { x->n[slice_at(x, time)]++; }

static unsigned size_of(uint64_t ns)
{
    double at = (log2((double)ns + 1) - FIRST_OCTAVE) * PARTS;
    return at <= 0 ? 0 : at >= GL_SLICE_SIZES ? GL_SLICE_SIZES - 1 : (unsigned)at;
}

int gl_slices_add(gl_slices *x, int64_t time, uint64_t ns)
{
    unsigned i = slice_at(x, time);
    if (!x->sizes[i])
        x->sizes[i] = calloc(GL_SLICE_SIZES, sizeof *x->sizes[i]);
    if (!x->sizes[i])
        return GL_E_NOMEM;
    x->n[i]++;
    x->sizes[i][size_of(ns)]++;
    return 0;
}

void gl_slices_clean_up(gl_slices *x)
{
    for (unsigned i = 0; i < GL_SLICES; i++)
        free(x->sizes[i]);
    *x = (gl_slices){0};
}

/* --- after --- */

/* Of the logarithms, as if the durations were all in the middle of their sizes. */
static double sum_within(const uint32_t *sizes, double least, double most)
{
    double sum = 0;
    for (unsigned i = 0; sizes && i < GL_SLICE_SIZES; i++) {
        double middle = (FIRST_OCTAVE + (i + 0.5) / PARTS) * M_LN2;
        sum += sizes[i] * fmin(fmax(middle, log(least)), log(most));
    }
    return sum;
}

gl_slices_mean gl_slices_mean_within(const gl_slices *x, double least, double most)
{
    gl_slices_mean m = {0};
    double n = 0, sum = 0, squares = 0, sums[GL_SLICES];
    for (unsigned i = 0; i < GL_SLICES; i++) {
        sums[i] = sum_within(x->sizes[i], least, most);
        n += x->n[i];
        sum += sums[i];
        m.used += x->n[i] > 0;
    }
    m.mean = n > 0 ? sum / n : 0;
    for (unsigned i = 0; i < GL_SLICES; i++) {
        double off = sums[i] - x->n[i] * m.mean;
        squares += off * off;
    }
    m.variance = m.used > 1 ? squares / (n * n) * m.used / (m.used - 1) : 0;
    return m;
}

double gl_slices_count_variance(const gl_slices *x, int64_t end_ns)
{
    uint64_t all = (uint64_t)(end_ns > 0 ? end_ns : 0) >> (GL_SLICE_FIRST + x->shift);
    double n = 0, squares = 0, slices = (double)(all < GL_SLICES ? all + 1 : GL_SLICES);
    for (unsigned i = 0; i < GL_SLICES; i++)
        n += x->n[i];
    for (unsigned i = 0; i < (unsigned)slices; i++)
        squares += (x->n[i] - n / slices) * (x->n[i] - n / slices);
    return fmax(n, slices > 1 ? squares * slices / (slices - 1) : n * n);
}
