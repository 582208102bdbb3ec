#include "keep.h"

#include <stdlib.h>
#include <string.h>

static unsigned char *at(const gl_keep *k, size_t i) { return k->list + i * k->bytes; }

static int make_room(gl_keep *k)
{
    if (k->count < k->capacity)
        return 0;
    size_t want = k->capacity ? k->capacity * 2 : 16;
    if (want > k->most)
        want = k->most;
    if (want > SIZE_MAX / k->bytes)
        return GL_E_NOMEM;
    unsigned char *p = realloc(k->list, want * k->bytes);
    if (!p)
        return GL_E_NOMEM;
    k->list = p;
    k->capacity = want;
    return 0;
}

/* The place for `element` from the top down; what is worse moves up. */
static void sift_down(gl_keep *k, const void *element)
{
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < k->count && k->better(at(k, child), at(k, child + 1)) < 0)
            child++;
        if (child >= k->count || k->better(element, at(k, child)) > 0)
            break;
        memcpy(at(k, i), at(k, child), k->bytes);
        i = child;
    }
    memcpy(at(k, i), element, k->bytes);
}

int gl_keep_add(gl_keep *k, const void *element)
{
    if (!k->most)
        return 0;
    if (k->count == k->most) {
        if (k->better(element, at(k, 0)) < 0)
            sift_down(k, element);
        return 0;
    }
    int status = make_room(k);
    if (status < 0)
        return status;
    size_t i = k->count++;
    for (; i > 0 && k->better(at(k, (i - 1) / 2), element) < 0; i = (i - 1) / 2)
        memcpy(at(k, i), at(k, (i - 1) / 2), k->bytes);
    memcpy(at(k, i), element, k->bytes);
    return 0;
}

void gl_keep_sort(gl_keep *k)
{
    if (k->count)
        qsort(k->list, k->count, k->bytes, k->better);
}

void gl_keep_clean_up(gl_keep *k)
{
    free(k->list);
    k->list = NULL;
    k->capacity = k->count = 0;
}
