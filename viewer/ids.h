/*
 * Numbers to small numbers, and lists that grow: what the catalogue is made of.
 * Threads: works on the caller's own storage.
 */
#ifndef GOLANES_VIEWER_IDS_H
#define GOLANES_VIEWER_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#define GL_NONE UINT32_MAX
#define GL_TIME_NONE INT64_MAX

/** Ids to indexes. */
typedef struct gl_ids {
    uint64_t *key;
    uint32_t *value; /* index + 1, 0: free */
    size_t capacity, n;
} gl_ids;

/** GL_NONE where it is not there. */
uint32_t gl_ids_get(const gl_ids *ids, uint64_t key);
int gl_ids_put(gl_ids *ids, uint64_t key, uint32_t value) GL_MUST_CHECK;
void gl_ids_clean_up(gl_ids *ids);

/** Ids to indexes where ids follow each other closely, as goroutines' do: 64 neighbours at a time, four bytes each. */
typedef struct gl_id_page {
    uint32_t at[64]; /* index + 1, 0: free */
} gl_id_page;
typedef struct gl_id_map {
    gl_ids page_of;
    gl_id_page *pages;
    size_t n, capacity;
} gl_id_map;
static inline uint32_t gl_id_map_get(const gl_id_map *m, uint64_t id)
{
    uint32_t page = gl_ids_get(&m->page_of, id / 64);
    return page == GL_NONE ? GL_NONE : m->pages[page].at[id % 64] - 1;
}
int gl_id_map_put(gl_id_map *m, uint64_t id, uint32_t index) GL_MUST_CHECK;
void gl_id_map_clean_up(gl_id_map *m);

/** As realloc. Large memory comes in large pages where the system has them: touching it for the first time is then cheap. */
void *gl_memory(void *old, size_t bytes) GL_MUST_CHECK;

/** Makes room for element n of the list whose pointer stands at list_address. GL_E_NOMEM. */
int gl_list_grow(void *list_address, size_t *capacity, size_t n, size_t size) GL_MUST_CHECK;
/** The same for n elements at once, where it is known how many there will be. */
int gl_list_reserve(void *list_address, size_t *capacity, size_t n, size_t size) GL_MUST_CHECK;
#define GL_ROOM(list, capacity, n) gl_list_grow(&(list), &(capacity), (n), sizeof *(list))

#endif
