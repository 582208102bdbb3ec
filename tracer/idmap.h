/* Numbers to numbers: open addressing, for ids that a recording meets. One thread. */
#ifndef GOLANES_IDMAP_H
#define GOLANES_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gl_idmap_cell {
    uint64_t key;
    uint32_t value; /* one more than what it stands for; 0: an empty cell */
} gl_idmap_cell;

/** Zero-initialise. */
typedef struct gl_idmap {
    gl_idmap_cell *cell;
    size_t n, mask; /* cells in use; cells less one */
} gl_idmap;

static inline uint64_t gl_idmap_hash(uint64_t key)
{
    key ^= key >> 32;
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return key ^ key >> 29;
}

/** False where there is none. */
bool gl_idmap_find(const gl_idmap *map, uint64_t key, uint32_t *value);
/** Adds a key that is not there yet; false: no memory. value < UINT32_MAX. */
bool gl_idmap_put(gl_idmap *map, uint64_t key, uint32_t value);
/** The same, also where it is there: then the value is another from now on. */
bool gl_idmap_set(gl_idmap *map, uint64_t key, uint32_t value);
void gl_idmap_free(gl_idmap *map);

#endif
