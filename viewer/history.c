#include "history.h"

#include <stdlib.h>
#include <string.h>

void gl_history_clean_up(gl_history *h)
{
    free(h->bucket);
    memset(h, 0, sizeof *h);
}

/* Twice the time in each bucket: pairs become one, the upper half is free. */
static void merge(gl_history *h)
{
    for (uint32_t i = 0; i < h->n / 2; i++) {
        gl_history_bucket a = h->bucket[2 * i], b = h->bucket[2 * i + 1];
        h->bucket[i] = (gl_history_bucket){a.mean + b.mean, a.most > b.most ? a.most : b.most};
    }
    memset(h->bucket + h->n / 2, 0, (h->n - h->n / 2) * sizeof *h->bucket);
    h->step *= 2;
}

/* Puts the present level into the buckets up to `time`. */
static void fill(gl_history *h, int64_t time)
{
    float level = (float)h->level;
    while (h->at < time) {
        size_t i = (size_t)((h->at - h->begin) / h->step);
        int64_t end = h->begin + ((int64_t)i + 1) * h->step;
        int64_t until = end < time ? end : time;
        h->bucket[i].mean += (float)((double)(until - h->at) * h->level);
        h->bucket[i].most = level > h->bucket[i].most ? level : h->bucket[i].most;
        h->at = until;
    }
}

int gl_history_set(gl_history *h, uint32_t buckets, int64_t time, double level)
{
    if (!h->bucket) {
        h->bucket = calloc(buckets, sizeof *h->bucket);
        if (!h->bucket)
            return GL_E_NOMEM;
        h->n = buckets;
        h->begin = h->at = time;
        h->step = 1024;
    }
    if (time > h->at) {
        while ((time - h->begin) / h->step >= h->n)
            merge(h);
        fill(h, time);
    }
    h->level = level;
    /* A level that lasts no time is still one that was reached. */
    size_t i = (size_t)((h->at - h->begin) / h->step);
    if (i < h->n && level > h->bucket[i].most)
        h->bucket[i].most = (float)level;
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
        size_t i = (size_t)((t - h->begin) / h->step);
        int64_t end = h->begin + ((int64_t)i + 1) * h->step, until = end < last ? end : last;
        /* The bucket that is being filled holds less time than the others. */
        int64_t held = end < h->at ? h->step : h->at - (end - h->step);
        sum += held > 0 ? (double)h->bucket[i].mean * (double)(until - t) / (double)held : 0;
        out.most = h->bucket[i].most > out.most ? h->bucket[i].most : out.most;
        t = until;
    }
    int64_t open = h->at > from ? h->at : from;
    if (to > open) {
        sum += h->level * (double)(to - open);
        out.most = h->level > (double)out.most ? (float)h->level : out.most;
    }
    out.mean = (float)(sum / (double)(to - from));
    return out;
}
