/*
 * The best so many of whatever comes: a heap with the least of them on top, at the end a list, best first.
 */
#ifndef GOLANES_ANALYSIS_KEEP_H
#define GOLANES_ANALYSIS_KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

/** Zero-initialise, then set most, bytes and better. */
typedef struct gl_keep {
    size_t most;  /**< how many are kept */
    size_t bytes; /**< of an element */
    /** Below 0: a is to be kept before b. As for qsort; never 0 for different elements. */
    int (*better)(const void *a, const void *b);
    unsigned char *list;
    size_t capacity, count;
} gl_keep;

/** The element is copied. 0 or GL_E_NOMEM. */
int gl_keep_add(gl_keep *k, const void *element) GL_MUST_CHECK;
/** Puts the list in order, best first. Nothing may be added after. */
void gl_keep_sort(gl_keep *k);
void gl_keep_clean_up(gl_keep *k);

#endif
