/*
 * Two tables with open addressing: ids of the file to ids of the dictionary (insert-only), and the live goroutines
 * (with removal, so that a trace of millions of short goroutines needs memory for those alive at one time only).
 */
#include "v1.h"

#include <stdlib.h>

#define FIRST_SLOTS 64u

static uint32_t spread(uint64_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

/* Ids. Keys are stored plus one, so that 0 is an empty slot; UINT64_MAX is no key (and never an id of a sound file). */

static struct gl_v1_id_slot *id_slot(struct gl_v1_id_slot *slots, uint32_t mask, uint64_t stored)
{
    uint32_t i = spread(stored) & mask;
    while (slots[i].key != 0 && slots[i].key != stored)
        i = (i + 1) & mask;
    return &slots[i];
}

static int ids_grow(gl_v1_ids *ids)
{
    uint64_t n = ids->slots ? ((uint64_t)ids->mask + 1) * 2 : FIRST_SLOTS;
    if (n > UINT32_MAX)
        return GL_E_NOMEM;
    struct gl_v1_id_slot *slots = calloc((size_t)n, sizeof *slots);
    if (!slots)
        return GL_E_NOMEM;
    uint32_t mask = (uint32_t)(n - 1);
    for (uint32_t i = 0; ids->slots && i <= ids->mask; i++)
        if (ids->slots[i].key != 0)
            *id_slot(slots, mask, ids->slots[i].key) = ids->slots[i];
    free(ids->slots);
    ids->slots = slots;
    ids->mask = mask;
    return 0;
}

bool gl_v1_ids_get_sparse(const gl_v1_ids *ids, uint64_t key, uint32_t *value)
{
    *value = 0;
    if (!ids->slots || key == UINT64_MAX)
        return false;
    const struct gl_v1_id_slot *s = id_slot(ids->slots, ids->mask, key + 1);
    if (s->key == 0)
        return false;
    *value = s->value;
    return true;
}

/* Room in the array for a key that is not far above what is there already. */
static int dense_room(gl_v1_ids *ids, uint64_t key)
{
    if (key < ids->dense_size || key > (uint64_t)ids->all * 4 + 1024 || key >= UINT32_MAX / 4)
        return 0;
    uint32_t size = (uint32_t)key * 2 + 1024;
    uint32_t *grown = realloc(ids->dense, size * sizeof *grown);
    if (!grown)
        return GL_E_NOMEM;
    memset(grown + ids->dense_size, 0, (size - ids->dense_size) * sizeof *grown);
    ids->dense = grown;
    ids->dense_size = size;
    return 0;
}

int gl_v1_ids_put(gl_v1_ids *ids, uint64_t key, uint32_t value)
{
    if (key == UINT64_MAX)
        return 0;
    if (dense_room(ids, key) < 0)
        return GL_E_NOMEM;
    ids->all += ids->all < UINT32_MAX / 8;
    if (key < ids->dense_size && value < UINT32_MAX) {
        ids->dense[key] = value + 1;
        return 0;
    }
    if (!ids->slots || ids->count > ids->mask / 2) {
        int rc = ids_grow(ids);
        if (rc < 0)
            return rc;
    }
    struct gl_v1_id_slot *s = id_slot(ids->slots, ids->mask, key + 1);
    ids->count += s->key == 0;
    s->key = key + 1;
    s->value = value;
    return 0;
}

void gl_v1_ids_free(gl_v1_ids *ids)
{
    free(ids->dense);
    free(ids->slots);
    *ids = (gl_v1_ids){0};
}

/* Goroutines */

/* The slot of an id, or the empty one where it belongs. */
static uint32_t g_slot(const gl_v1_gs *gs, uint64_t id)
{
    uint32_t i = spread(id) & gs->mask;
    while (gs->slots[i] != 0 && gs->records[gs->slots[i] - 1].id != id)
        i = (i + 1) & gs->mask;
    return i;
}

static int grow_slots(gl_v1_gs *gs)
{
    uint64_t n = gs->slots ? ((uint64_t)gs->mask + 1) * 2 : FIRST_SLOTS;
    uint32_t *old = gs->slots, old_mask = gs->mask;
    uint32_t *slots = n > UINT32_MAX ? NULL : calloc((size_t)n, sizeof *slots);
    if (!slots)
        return GL_E_NOMEM;
    gs->slots = slots;
    gs->mask = (uint32_t)(n - 1);
    for (uint32_t i = 0; old && i <= old_mask; i++)
        if (old[i] != 0)
            gs->slots[g_slot(gs, gs->records[old[i] - 1].id)] = old[i];
    free(old);
    return 0;
}

uint32_t gl_v1_gs_find(const gl_v1_gs *gs, uint64_t id)
{
    return gs->slots ? gs->slots[g_slot(gs, id)] - 1 : V1_NONE;
}

/* A record given back, or a new one. */
static uint32_t take_record(gl_v1_gs *gs)
{
    if (gs->used == 0)
        gs->unused = V1_NONE;
    uint32_t record = gs->unused;
    if (record != V1_NONE) {
        gs->unused = gs->records[record].waiters;
        return record;
    }
    if (gl_v1_room(&gs->records, gs->used, &gs->room, sizeof *gs->records) < 0)
        return V1_NONE;
    return gs->used++;
}

uint32_t gl_v1_gs_add(gl_v1_gs *gs, uint64_t id)
{
    uint32_t record = gl_v1_gs_find(gs, id);
    if (record != V1_NONE)
        return record;
    if ((!gs->slots || gs->count > gs->mask / 2) && grow_slots(gs) < 0)
        return V1_NONE;
    record = take_record(gs);
    if (record == V1_NONE)
        return V1_NONE;
    gs->records[record] = (gl_v1_g){.id = id, .waiters = V1_NONE};
    gs->slots[g_slot(gs, id)] = record + 1;
    gs->count++;
    return record;
}

/* Closes the hole: whatever stands behind it and would not be found any more moves up. */
void gl_v1_gs_drop(gl_v1_gs *gs, uint32_t record)
{
    uint32_t hole = g_slot(gs, gs->records[record].id), mask = gs->mask;
    for (uint32_t i = (hole + 1) & mask; gs->slots[i] != 0; i = (i + 1) & mask) {
        uint32_t home = spread(gs->records[gs->slots[i] - 1].id) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            gs->slots[hole] = gs->slots[i];
            hole = i;
        }
    }
    gs->slots[hole] = 0;
    gs->records[record] = (gl_v1_g){.id = UINT64_MAX, .waiters = gs->unused};
    gs->unused = record;
    gs->count--;
}

void gl_v1_gs_free(gl_v1_gs *gs)
{
    free(gs->slots);
    free(gs->records);
    *gs = (gl_v1_gs){0};
}
