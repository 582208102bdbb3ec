#include "lanes/bytes.h"

#include <stdlib.h>

uint64_t ln_num_get_slow(ln_in *in)
{
    if (in->p >= in->end) {
        in->bad = true;
        return 0;
    }
    uint8_t b = *in->p++;
    if (b < LN_NUM_ONE)
        return b;
    if (b < LN_NUM_NEGATIVE) {
        if (in->p < in->end)
            return LN_NUM_ONE + (uint64_t)(b - LN_NUM_ONE) * 256 + *in->p++;
    } else if (b == LN_NUM_ESCAPE) {
        uint64_t rest = ln_leb_get(in);
        if (rest <= UINT64_MAX - LN_NUM_TWO)
            return rest + LN_NUM_TWO;
    }
    in->bad = true;
    return 0;
}

bool ln_buf_grow(ln_buf *b, size_t room)
{
    size_t used = ln_buf_size(b), size = (size_t)(b->end - b->base);
    if (b->failed || room > SIZE_MAX / 4 - used) {
        b->failed = true;
        return false;
    }
    size_t want = size ? size : 256;
    while (want < used + room)
        want *= 2;
    uint8_t *base = realloc(b->base, want);
    if (!base) {
        b->failed = true;
        return false;
    }
    b->base = base;
    b->p = base + used;
    b->end = base + want;
    return true;
}

void ln_buf_free(ln_buf *b)
{
    free(b->base);
    *b = (ln_buf){0};
}

void *ln_grow(void *array, size_t *capacity, uint64_t n, size_t size)
{
    if (array && n <= *capacity)
        return array;
    if (n > SIZE_MAX / 4 / size)
        return NULL;
    size_t want = *capacity * 2 > (size_t)n ? *capacity * 2 : (size_t)n + 16;
    void *grown = realloc(array, want * size);
    if (grown)
        *capacity = want;
    return grown;
}
