/*
 * Sorting of many things by keys that are numbers, in time that grows with their number only.
 * Threads: works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_SORT_H
#define GOLANES_VIEWER_SORT_H

#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

/** What is sorted: by group, within it by key, and what is equal there by tie, so that the order is one and the same on
 *  every machine. */
typedef struct gl_item {
    int64_t key, tie;
    uint32_t group, index;
} gl_item;

/** GL_E_NOMEM: as it was. */
int gl_items_sort(gl_item *list, size_t n) GL_MUST_CHECK;

#endif
