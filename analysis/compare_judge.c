/* Two profiles compared: what chance, the machine's mood and a different amount of work do not explain. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare_inside.h"

#define SPREAD_LEAST 8  /* values, of which a median says something */
#define SLICES_LEAST 5  /* in which there are any, to tell how much they scatter */
#define MOOD_LEAST 16   /* values, of which the quartiles say something */
#define GRAIN_NS 500.0  /* of the clocks and the scheduler: no mood */
#define SMALL_NS 2000.0 /* differences below this are the clock's and the scheduler's own grain */
#define SMALL_SCHED_NS 10000.0 /* whether a processor slept deep or spun when it was needed */
#define KIND 2          /* what is so many times shorter or longer than both medians is of another kind */
#define CALM 0.15       /* on a quiet machine the mood is below that, as a logarithm */

/* What depends on the scheduler's mood differs more between two runs of one program than within one: it gets so many
 * times the tolerance. */
static const double slack[GL_ASPECTS] = {
    [GL_ASPECT_PAUSE] = 1,     [GL_ASPECT_PAUSES] = 1,     [GL_ASPECT_SCHED] = 2,     [GL_ASPECT_WAIT] = 2,
    [GL_ASPECT_RUNNING] = 1,   [GL_ASPECT_SYSCALL] = 2,    [GL_ASPECT_STRADDLES] = 4, [GL_ASPECT_STUCK] = 1,
    [GL_ASPECT_ANOMALIES] = 1, [GL_ASPECT_GOROUTINES] = 1, [GL_ASPECT_CAPACITY] = 1};

/* On a busy machine what suffers most moves so many times further than the mood. Its pauses do not: what is moody is who
 * is woken when. */
static const double moody[GL_ASPECTS] = {[GL_ASPECT_PAUSE] = 1,   [GL_ASPECT_SCHED] = 3.5,   [GL_ASPECT_WAIT] = 2.5,
                                         [GL_ASPECT_RUNNING] = 2, [GL_ASPECT_SYSCALL] = 3.5, [GL_ASPECT_STRADDLES] = 3.5};

static double sure(gl_aspect a) { return slack[a] > 1 ? GL_COMPARE_SURE_MOOD : GL_COMPARE_SURE; }

typedef struct match {
    gl_profile_entry *a, *b; /* NULL: it has none of that */
    double shift;            /* of two spreads: how far the quartiles and the p90 lie apart, in the mean, as a logarithm */
    bool has_shift;
} match;

/* --- the mood --- */

static void measure_shift(match *m)
{
    static const double ranks[] = {0.25, 0.5, 0.75, 0.9};
    if (!m->a || !m->b || m->a->times.n < MOOD_LEAST || m->b->times.n < MOOD_LEAST)
        return;
    m->has_shift = true;
    for (unsigned i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        double x = (double)gl_sample_at(&m->a->times, ranks[i]) + GRAIN_NS;
        double y = (double)gl_sample_at(&m->b->times, ranks[i]) + GRAIN_NS;
        m->shift += fabs(log(y / x)) / (sizeof ranks / sizeof *ranks);
    }
}

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/*
 * How far the times of everything else have moved: the median of that. A program that is worse in one thing moves what has
 * to do with it; a machine that is busy with something else moves most, and some of it much more. room has one element for each match.
 */
static double mood(const match *list, size_t n, unsigned but, double *room)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (list[i].has_shift && list[i].b->aspect != but)
            room[k++] = list[i].shift;
    }
    if (!k)
        return 0;
    qsort(room, k, sizeof *room, by_number);
    return k % 2 ? room[k / 2] : (room[k / 2 - 1] + room[k / 2]) / 2;
}

/* By what the tolerance is multiplied. */
static double allowance(gl_aspect a, double moved) { return exp(moody[a] * fmax(0, moved - CALM)); }

/* --- each aspect --- */

/*
 * Short ones, the middle and long ones have all moved by more than `factor` (the long ones by half of that: what a busy
 * machine adds is long ones). The shortest may be of another kind (a pause that found nothing to wait for) and do not count.
 */
static bool all_moved(gl_profile_entry *less, gl_profile_entry *more, double factor)
{
    static const struct {
        double rank, share;
    } looks[] = {{0.25, 1}, {0.5, 1}, {0.75, 0.5}};
    for (unsigned i = 0; i < sizeof looks / sizeof *looks; i++) {
        double x = (double)gl_sample_at(&less->times, looks[i].rank), y = (double)gl_sample_at(&more->times, looks[i].rank);
        if (y <= x * pow(factor, looks[i].share))
            return false;
    }
    return true;
}

static bool times_differ(gl_profile_entry *a, gl_profile_entry *b, double factor, gl_difference *d)
{
    if (a->times.n < SPREAD_LEAST || b->times.n < SPREAD_LEAST)
        return false;
    d->a = gl_sample_spread(&a->times);
    d->b = gl_sample_spread(&b->times);
    double x = (double)d->a.p50_ns, y = (double)d->b.p50_ns;
    d->worse = y > x;
    d->factor = x > 0 ? y / x : 0;
    if (fabs(y - x) <= (b->aspect == GL_ASPECT_SCHED ? SMALL_SCHED_NS : SMALL_NS) || !all_moved(d->worse ? a : b, d->worse ? b : a, factor))
        return false;
    double least = fmin(x, y) / KIND, most = fmax(x, y) * KIND;
    gl_slices_mean ma = gl_slices_mean_within(&a->slices, least, most), mb = gl_slices_mean_within(&b->slices, least, most);
    unsigned used = ma.used < mb.used ? ma.used : mb.used;
    double apart = d->worse ? mb.mean - ma.mean : ma.mean - mb.mean;
    d->sigmas = apart / fmax(sqrt(ma.variance + mb.variance), 1e-3);
    /* Few slices tell their own scatter badly: as Student has it, about. */
    return used >= SLICES_LEAST && d->sigmas > sure(b->aspect) * (1 + 8.0 / used);
}

/* Counts, where b has `scale` times as many occasions: true where they differ, and in d by how much. */
static bool differ_at_scale(const gl_profile_entry *x, double va, const gl_profile_entry *y, double vb, double scale,
                            double factor, gl_difference *d)
{
    double a = x->value, b = y->value / scale, deviation = sqrt(va + vb / (scale * scale) + 1);
    d->worse = b > a;
    d->factor = a > 0 ? b / a : 0;
    d->sigmas = fabs(b - a) / deviation;
    return d->sigmas > sure(y->aspect) && fmax(a, b) > fmin(a, b) * factor;
}

/* A count differs where it does so as it is, and for the length of the traces, and for the work that was done: the one that says least counts. */
static bool counts_differ(const gl_profile *p, const gl_profile *q, const gl_profile_entry *x, const gl_profile_entry *y,
                          double factor, gl_difference *d)
{
    double scales[] = {1, q->length / p->length, q->work / p->work, q->pauses / p->pauses, q->paused / p->paused};
    size_t n = y->aspect == GL_ASPECT_STUCK ? 1 : y->aspect == GL_ASPECT_STRADDLES ? 5 : 3;
    double va = x->sliced ? gl_slices_count_variance(&x->slices, p->end_ns) : x->value;
    double vb = y->sliced ? gl_slices_count_variance(&y->slices, q->end_ns) : y->value;
    gl_difference least = *d;
    for (size_t i = 0; i < n; i++) {
        gl_difference at = *d;
        if (!isfinite(scales[i]) || scales[i] <= 0)
            continue;
        if (!differ_at_scale(x, va, y, vb, scales[i], factor, &at) || (i && at.worse != least.worse))
            return false;
        if (!i || at.sigmas < least.sigmas)
            least = at;
    }
    *d = least;
    d->value_a = x->value;
    d->value_b = y->value;
    return true;
}

static bool values_differ(double a, double b, gl_difference *d)
{
    d->value_a = a;
    d->value_b = b;
    d->worse = b < a; /* a channel that holds less makes its senders wait */
    d->factor = a > 0 ? b / a : 0;
    return a != b;
}

static bool differ_by(const gl_profile *p, const gl_profile *q, const match *m, double factor, gl_difference *d)
{
    const gl_profile_entry *some = m->b ? m->b : m->a;
    gl_profile_entry none = {.aspect = some->aspect};
    gl_profile_entry *a = m->a ? m->a : &none, *b = m->b ? m->b : &none;
    gl_aspect aspect = (gl_aspect)some->aspect;
    *d = (gl_difference){.aspect = aspect, .key = some->key};
    if (gl_aspect_is_time(aspect))
        return times_differ(a, b, factor, d);
    if (aspect == GL_ASPECT_CAPACITY)
        return m->a && m->b && values_differ(a->value, b->value, d);
    return counts_differ(p, q, a, b, factor, d);
}

/* What differs more than chance and the tolerance explain, but no more than a machine does that is so busy, is not sure. */
static bool differ(const gl_profile *p, const gl_profile *q, const match *m, double tolerance, double moved,
                   gl_difference *d)
{
    gl_aspect aspect = (gl_aspect)(m->b ? m->b : m->a)->aspect;
    double factor = 1 + tolerance * slack[aspect], allowed = factor * allowance(aspect, moved);
    if (differ_by(p, q, m, allowed, d))
        return true;
    bool differs = allowed > factor && differ_by(p, q, m, factor, d);
    d->unsure = differs;
    return differs;
}

/* --- both --- */

static int by_weight(const void *a, const void *b)
{
    const gl_difference *x = a, *y = b;
    if (x->unsure != y->unsure)
        return x->unsure ? 1 : -1;
    if (x->worse != y->worse)
        return x->worse ? -1 : 1;
    if (x->aspect != y->aspect)
        return x->aspect < y->aspect ? -1 : 1;
    double left = x->factor > 0 ? fabs(log(x->factor)) : INFINITY,
           right = y->factor > 0 ? fabs(log(y->factor)) : INFINITY;
    if (left != right)
        return left > right ? -1 : 1;
    return strcmp(x->key, y->key);
}

static int by_key(const void *a, const void *b)
{
    const gl_profile_entry *x = *(gl_profile_entry *const *)a, *y = *(gl_profile_entry *const *)b;
    if (x->aspect != y->aspect)
        return x->aspect < y->aspect ? -1 : 1;
    return strcmp(x->key, y->key);
}

static gl_profile_entry **sorted(gl_profile *p)
{
    gl_profile_entry **list = malloc((p->count + 1) * sizeof *list);
    for (size_t i = 0; list && i < p->count; i++)
        list[i] = &p->entries[i];
    if (list)
        qsort(list, p->count, sizeof *list, by_key);
    return list;
}

/* Entries of the same thing, side by side; those that one of the two lacks too. */
static size_t pair_up(gl_profile_entry **a, size_t na, gl_profile_entry **b, size_t nb, match *out)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; i < na || j < nb; n++) {
        int order = i == na ? 1 : j == nb ? -1 : by_key(&a[i], &b[j]);
        out[n] = (match){.a = order <= 0 ? a[i] : NULL, .b = order >= 0 ? b[j] : NULL};
        measure_shift(&out[n]);
        i += order <= 0;
        j += order >= 0;
    }
    return n;
}

static size_t judge(const gl_profile *a, const gl_profile *b, const match *list, size_t n, double tolerance, double *room,
                    gl_comparison *out)
{
    double moved[GL_ASPECTS];
    size_t found = 0;
    for (unsigned i = 0; i < GL_ASPECTS; i++)
        moved[i] = mood(list, n, i, room);
    out->mood = exp(mood(list, n, GL_ASPECT_CONTROL + 1, room));
    for (size_t i = 0; i < n; i++) {
        unsigned aspect = list[i].b ? list[i].b->aspect : list[i].a->aspect;
        if (aspect != GL_ASPECT_CONTROL)
            found += differ(a, b, &list[i], tolerance, moved[aspect], &out->list[found]);
    }
    return found;
}

int gl_profile_compare(gl_profile *a, gl_profile *b, double tolerance, gl_comparison *out)
{
    size_t most = a->count + b->count + 1;
    *out = (gl_comparison){.list = calloc(most, sizeof *out->list)};
    gl_profile_entry **x = sorted(a), **y = sorted(b);
    match *list = malloc(most * sizeof *list);
    double *room = malloc(most * sizeof *room);
    bool able = out->list && x && y && list && room;
    if (able) {
        size_t n = pair_up(x, a->count, y, b->count, list);
        size_t found = judge(a, b, list, n, tolerance, room, out);
        qsort(out->list, found, sizeof *out->list, by_weight);
        for (out->n = found; out->n && out->list[out->n - 1].unsure; out->n--)
            out->unsure++;
    }
    free(x);
    free(y);
    free(list);
    free(room);
    return able ? 0 : GL_E_NOMEM;
}
