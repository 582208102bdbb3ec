#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mmu.h"

const int64_t gl_mmu_window_ns[GL_MMU_WINDOWS] = {100000, 1000000, 10000000, 100000000, 1000000000};
const char *const gl_mmu_window_name[GL_MMU_WINDOWS] = {"100us", "1ms", "10ms", "100ms", "1s"};

static gl_util_change *change_at(const gl_curve *c, uint64_t i) { return &c->ring[i & (c->capacity - 1)]; }

static int make_room(gl_curve *c)
{
    if (c->next - c->first < c->capacity)
        return 0;
    size_t size = c->capacity ? c->capacity * 2 : 64;
    gl_util_change *ring = malloc(size * sizeof *ring);
    if (!ring)
        return GL_E_NOMEM;
    for (uint64_t i = c->first; i < c->next; i++)
        ring[i & (size - 1)] = *change_at(c, i);
    free(c->ring);
    c->ring = ring;
    c->capacity = size;
    return 0;
}

/* The integral up to `time`, which lies in the piece that begins with change i. */
static double integral_at(const gl_curve *c, uint64_t i, int64_t time)
{
    const gl_util_change *u = change_at(c, i);
    return u->before + u->util * (double)(time - u->time);
}

/* Of windows that overlap the worst one stays. */
static void keep_worst(gl_curve_worst *x, int64_t begin, int64_t length, double mean)
{
    if (mean >= 1 - 1e-12 || (x->count == x->most && mean >= x->list[x->count - 1].utilisation))
        return;
    for (size_t i = 0; i < x->count; i++) {
        if (begin < x->list[i].begin + length && x->list[i].begin < begin + length && x->list[i].utilisation <= mean)
            return;
    }
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < x->count; i++) {
        if (begin >= x->list[i].begin + length || x->list[i].begin >= begin + length)
            x->list[kept++] = x->list[i];
    }
    x->count = kept < x->most ? kept + 1 : kept;
    while (at < x->count - 1 && x->list[at].utilisation <= mean)
        at++;
    memmove(&x->list[at + 1], &x->list[at], (x->count - 1 - at) * sizeof *x->list);
    x->list[at] = (gl_mmu_window){begin, mean, UINT32_MAX, 0};
}

static double clamp(double share) { return share < 0 ? 0 : share > 1 ? 1 : share; }

void gl_curve_mass_add(gl_curve_mass *m, double from, double to, double mass)
{
    double low = clamp(fmin(from, to)) * GL_CURVE_BINS, high = clamp(fmax(from, to)) * GL_CURVE_BINS;
    unsigned first = (unsigned)fmin(low, GL_CURVE_BINS - 1), last = (unsigned)fmin(high, GL_CURVE_BINS - 1);
    if (first == last) {
        m->part[first] += mass;
        return;
    }
    double density = mass / (high - low);
    m->part[first] += density * (first + 1 - low);
    m->part[last] += density * (high - last);
    m->step[first + 1] += density;
    m->step[last] -= density;
}

double gl_curve_mass_at(const gl_curve_mass *m, double share)
{
    double all = 0, density = 0, below = 0;
    for (unsigned i = 0; i < GL_CURVE_BINS; i++) {
        density += m->step[i];
        all += m->part[i] + density;
    }
    density = 0;
    for (unsigned i = 0; i < GL_CURVE_BINS; i++) {
        density += m->step[i];
        double here = m->part[i] + density;
        if (below + here >= share * all && here > 1e-9 * all)
            return (i + clamp((share * all - below) / here)) / GL_CURVE_BINS;
        below += here;
    }
    return 1;
}

/* The window has moved on from where it was looked at before. */
static void weigh(gl_curve *c, size_t w, int64_t begin, double mean)
{
    if (c->has_looked >> w & 1)
        gl_curve_mass_add(&c->mass[w], c->looked[w], mean, (double)(begin - c->looked_at[w]));
    c->has_looked |= UINT64_C(1) << w;
    c->looked_at[w] = begin;
    c->looked[w] = mean;
}

/* A window that begins at `begin`. */
static void look(gl_curve *c, size_t w, double sum, int64_t length, int64_t begin)
{
    double mean = sum / (double)length;
    if (c->mass)
        weigh(c, w, begin, mean);
    if (mean < c->least[w])
        c->least[w] = mean;
    if (c->worst && c->worst->most && c->worst->window == w)
        keep_worst(c->worst, begin, length, mean > 0 ? mean : 0);
}

/* The newest piece has got its end: moves window w's right edge along it. */
static void slide(gl_curve *c, size_t w, int64_t end)
{
    int64_t length = c->window[w];
    uint64_t newest = c->next - 1;
    while (c->left[w] <= newest) {
        const gl_util_change *u = change_at(c, c->left[w]);
        if (u->time > end - length)
            break;
        look(c, w, integral_at(c, newest, u->time + length) - u->before, length, u->time);
        c->left[w]++;
    }
    if (c->left[w] > 0)
        look(c, w, integral_at(c, newest, end) - integral_at(c, c->left[w] - 1, end - length), length, end - length);
}

/* Changes left of the longest window are not needed again. */
static void forget(gl_curve *c)
{
    uint64_t left = c->left[c->windows - 1];
    if (left > c->first + 1)
        c->first = left - 1;
}

static void close_piece(gl_curve *c, int64_t end)
{
    for (size_t w = 0; w < c->windows; w++)
        slide(c, w, end);
    forget(c);
}

static int add_change(gl_curve *c, int64_t time, double util)
{
    double before = 0;
    if (c->next > 0) {
        close_piece(c, time);
        before = integral_at(c, c->next - 1, time);
    } else {
        if (!c->window) {
            c->window = gl_mmu_window_ns;
            c->windows = GL_MMU_WINDOWS;
        }
        c->begin = time;
        for (size_t w = 0; w < c->windows; w++)
            c->least[w] = 1;
    }
    if (c->next - c->first >= GL_CURVE_CHANGES_MAX) {
        c->too_many = true;
        return 0;
    }
    int status = make_room(c);
    if (status < 0)
        return status;
    *change_at(c, c->next++) = (gl_util_change){time, util, before};
    return 0;
}

int gl_curve_copy(gl_curve *to, const gl_curve *from)
{
    gl_util_change *ring = malloc((from->capacity ? from->capacity : 1) * sizeof *ring);
    if (!ring)
        return GL_E_NOMEM;
    if (from->capacity)
        memcpy(ring, from->ring, from->capacity * sizeof *ring);
    *to = *from;
    to->ring = ring;
    return 0;
}

int gl_curve_change(gl_curve *c, int64_t time, double util)
{
    if (c->ended || c->too_many)
        return 0;
    if (c->next > 0) {
        gl_util_change *last = change_at(c, c->next - 1);
        if (util >= last->util - 1e-12 && util <= last->util + 1e-12)
            return 0;
        if (time <= last->time && util < last->util) { /* of several at one time the lowest holds */
            last->util = util;
            return 0;
        }
        if (time <= last->time)
            time = last->time + 1;
    }
    return add_change(c, time, util);
}

int gl_curve_finish(gl_curve *c, int64_t time, double *mean)
{
    *mean = c->ended ? c->mean : 1;
    if (c->ended || c->too_many || c->next == 0)
        return 0;
    c->ended = true;
    int64_t span = c->span = time - c->begin;
    if (span <= 0) {
        *mean = c->mean = change_at(c, c->next - 1)->util;
        return 0;
    }
    close_piece(c, time);
    double sum = integral_at(c, c->next - 1, time);
    *mean = c->mean = sum / (double)span;
    for (size_t w = 0; w < c->windows; w++) {
        if (c->window[w] > span)
            c->least[w] = *mean;
        c->least[w] = fmax(0, c->least[w]);
    }
    return 0;
}

void gl_curve_clean_up(gl_curve *c)
{
    free(c->ring);
    *c = (gl_curve){0};
}
