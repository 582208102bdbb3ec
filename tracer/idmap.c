#include "idmap.h"

#include <stdlib.h>

bool gl_idmap_find(const gl_idmap *map, uint64_t key, uint32_t *value)
{
    if (!map->cell)
        return false;
    for (size_t i = gl_idmap_hash(key) & map->mask; map->cell[i].value; i = (i + 1) & map->mask)
        if (map->cell[i].key == key) {
            *value = map->cell[i].value - 1;
            return true;
        }
    return false;
}

static void place(gl_idmap *map, uint64_t key, uint32_t value)
{
    size_t i = gl_idmap_hash(key) & map->mask;
    while (map->cell[i].value)
        i = (i + 1) & map->mask;
    map->cell[i] = (gl_idmap_cell){key, value};
}

static bool grow(gl_idmap *map)
{
    gl_idmap more = {.mask = map->cell ? 2 * map->mask + 1 : 63, .n = map->n};
    more.cell = calloc(more.mask + 1, sizeof *more.cell);
    if (!more.cell)
        return false;
    for (size_t i = 0; map->cell && i <= map->mask; i++)
        if (map->cell[i].value)
            place(&more, map->cell[i].key, map->cell[i].value);
    free(map->cell);
    *map = more;
    return true;
}

bool gl_idmap_put(gl_idmap *map, uint64_t key, uint32_t value)
{
    if ((!map->cell || 2 * map->n > map->mask) && !grow(map))
        return false;
    place(map, key, value + 1);
    map->n++;
    return true;
}

bool gl_idmap_set(gl_idmap *map, uint64_t key, uint32_t value)
{
    for (size_t i = map->cell ? gl_idmap_hash(key) & map->mask : 0; map->cell && map->cell[i].value; i = (i + 1) & map->mask)
        if (map->cell[i].key == key) {
            map->cell[i].value = value + 1;
            return true;
        }
    return gl_idmap_put(map, key, value);
}

void gl_idmap_free(gl_idmap *map)
{
    free(map->cell);
    *map = (gl_idmap){0};
}
