#include "sort.h"

#include <stdlib.h>
#include <string.h>

#include "ids.h"

#define FEW 512 /* up to here comparing is faster */
#define DIGIT_BITS 11
#define DIGITS ((64 + DIGIT_BITS - 1) / DIGIT_BITS)
#define DIGIT_VALUES (1u << DIGIT_BITS)

static int by_key(const void *a, const void *b)
{
    const gl_item *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->tie < y->tie ? -1 : x->tie > y->tie;
}

typedef enum part { TIE, KEY, GROUP, PARTS } part;

/* As a number without a sign, in the same order. */
static inline uint64_t part_of(const gl_item *x, part of)
{
    if (of == GROUP)
        return x->group;
    return (uint64_t)(of == KEY ? x->key : x->tie) ^ (UINT64_C(1) << 63);
}

static inline unsigned digit_of(uint64_t v, unsigned digit)
{
    return (unsigned)(v >> (digit * DIGIT_BITS)) & (DIGIT_VALUES - 1);
}

/* One digit of one part: equal ones stay in the order in which they stood. */
static void pass(const gl_item *from, gl_item *to, size_t n, part of, unsigned digit)
{
    size_t at[DIGIT_VALUES] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++)
        at[digit_of(part_of(&from[i], of), digit)]++;
    for (size_t v = 0; v < DIGIT_VALUES; v++) {
        size_t here = at[v];
        at[v] = sum;
        sum += here;
    }
    for (size_t i = 0; i < n; i++)
        to[at[digit_of(part_of(&from[i], of), digit)]++] = from[i];
}

int gl_items_sort(gl_item *list, size_t n)
{
    if (n <= FEW) {
        qsort(list, n, sizeof *list, by_key);
        return 0;
    }
    gl_item *other = gl_memory(NULL, n * sizeof *other), *from = list, *to = other;
    if (!other)
        return GL_E_NOMEM;
    uint64_t differs[PARTS] = {0};
    for (size_t i = 1; i < n; i++)
        for (unsigned of = 0; of < PARTS; of++)
            differs[of] |= part_of(&list[i], (part)of) ^ part_of(&list[0], (part)of);
    /* From the digit that weighs least on; one that all share is left out. */
    for (unsigned of = 0; of < PARTS; of++)
        for (unsigned digit = 0; digit < DIGITS; digit++) {
            if (!digit_of(differs[of], digit))
                continue;
            pass(from, to, n, (part)of, digit);
            gl_item *was = from;
            from = to;
            to = was;
        }
    if (from != list)
        memcpy(list, from, n * sizeof *list);
    free(other);
    return 0;
}
