/*
 * A guessed column: only misses are stored, as the number of hits since the last miss and a value.
 */
#ifndef GOLANES_LANES_COL_H
#define GOLANES_LANES_COL_H

#include "lanes/bytes.h"

typedef struct ln_col {
    uint32_t after; /* place after the last miss */
    ln_buf gaps, values;
} ln_col;

/** at: how many entries of the column came before. */
LN_INLINE void ln_col_miss(ln_col *c, uint32_t at, uint64_t value)
{
    ln_buf_num(&c->gaps, at - c->after);
    c->after = at + 1;
    ln_buf_num(&c->values, value);
}

static inline void ln_col_start(ln_col *c)
{
    c->after = 0;
    ln_buf_clear(&c->gaps);
    ln_buf_clear(&c->values);
}

static inline void ln_col_free(ln_col *c)
{
    ln_buf_free(&c->gaps);
    ln_buf_free(&c->values);
}

#endif
