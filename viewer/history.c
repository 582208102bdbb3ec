#include "history.h"

#include <stdlib.h>
#include <string.h>

void gl_history_clean_up(gl_history *h)
{
    free(h->bucket);
    memset(h, 0, sizeof *h);
}

static int64_t bucket_end(const gl_history *h, uint32_t i) { return h->begin + ((int64_t)(i + 1) << h->shift); }

/* Twice the time in each bucket: pairs become one, the upper half is free. */
static void merge(gl_history *h)
{
    for (uint32_t i = 0; i < h->n / 2; i++) {
        gl_history_bucket a = h->bucket[2 * i], b = h->bucket[2 * i + 1];
        h->bucket[i] = (gl_history_bucket){a.mean + b.mean, a.most > b.most ? a.most : b.most};
    }
    memset(h->bucket + h->n / 2, 0, (h->n - h->n / 2) * sizeof *h->bucket);
    h->shift++;
    h->now /= 2;
    h->end = bucket_end(h, h->now);
}

/* The present level lasts until `time`, which lies in the bucket that is being filled, or ends it. */
static void put(gl_history *h, int64_t time)
{
    gl_history_bucket *b = &h->bucket[h->now];
    b->mean += (float)(time - h->at) * h->level;
    b->most = h->level > b->most ? h->level : b->most;
    h->at = time;
}

static void go_on_to(gl_history *h, int64_t time)
{
    while ((time - h->begin) >> h->shift >= h->n)
        merge(h);
    while (time > h->end) {
        put(h, h->end);
        h->now++;
        h->end = bucket_end(h, h->now);
    }
    put(h, time);
}

static int begin(gl_history *h, uint32_t buckets, int64_t time)
{
    h->bucket = calloc(buckets, sizeof *h->bucket);
    if (!h->bucket)
        return GL_E_NOMEM;
    h->n = buckets;
    h->begin = h->at = time;
    h->shift = 10;
    h->end = bucket_end(h, 0);
    return 0;
}

int gl_history_set(gl_history *h, uint32_t buckets, int64_t time, double level)
{
    if (!h->bucket && begin(h, buckets, time) < 0)
        return GL_E_NOMEM;
    /* Most changes fall into the bucket of the one before. */
    if (time > h->at && time <= h->end)
        put(h, time);
    else if (time > h->at)
        go_on_to(h, time);
    h->level = (float)level;
    /* A level that lasts no time is still one that was reached. */
    if (h->level > h->bucket[h->now].most)
        h->bucket[h->now].most = h->level;
    return 0;
}

gl_history_bucket gl_history_get(const gl_history *h, int64_t from, int64_t to)
{
    gl_history_bucket out = {0};
    if (!h->bucket || to <= from)
        return out;
    double sum = 0;
    int64_t last = h->at < to ? h->at : to;
    for (int64_t t = from > h->begin ? from : h->begin; t < last;) {
        uint32_t i = (uint32_t)((t - h->begin) >> h->shift);
        int64_t end = bucket_end(h, i), until = end < last ? end : last, step = INT64_C(1) << h->shift;
        /* The bucket that is being filled holds less time than the others. */
        int64_t held = end < h->at ? step : h->at - (end - step);
        sum += held > 0 ? (double)h->bucket[i].mean * (double)(until - t) / (double)held : 0;
        out.most = h->bucket[i].most > out.most ? h->bucket[i].most : out.most;
        t = until;
    }
    int64_t open = h->at > from ? h->at : from;
    if (to > open) {
        sum += (double)h->level * (double)(to - open);
        out.most = h->level > out.most ? h->level : out.most;
    }
    out.mean = (float)(sum / (double)(to - from));
    return out;
}
