/*
 * Small containers of the v2 importer: a map from 64-bit numbers, id tables of a generation, growing arrays.
 */
#include "v2.h"

#include <stdlib.h>

static size_t slot_of(uint64_t key, uint32_t mask)
{
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
}

static gl_v2_map_slot *map_find(const gl_v2_map *map, uint64_t key)
{
    size_t i = slot_of(key, map->mask);
    while (map->slots[i].value != 0 && map->slots[i].key != key)
        i = (i + 1) & map->mask;
    return &map->slots[i];
}

uint32_t gl_v2_map_get(const gl_v2_map *map, uint64_t key)
{
    if (!map->slots)
        return V2_NONE;
    const gl_v2_map_slot *s = map_find(map, key);
    return s->value != 0 ? s->value - 1 : V2_NONE;
}

static int map_grow(gl_v2_map *map)
{
    size_t n = map->slots ? ((size_t)map->mask + 1) * 2 : 16;
    if (n > (size_t)1 << 31)
        return GL_E_NOMEM;
    gl_v2_map bigger = {.slots = calloc(n, sizeof *map->slots), .count = map->count, .mask = (uint32_t)(n - 1)};
    if (!bigger.slots)
        return GL_E_NOMEM;
    for (size_t i = 0; map->slots && i <= map->mask; i++)
        if (map->slots[i].value != 0)
            *map_find(&bigger, map->slots[i].key) = map->slots[i];
    free(map->slots);
    *map = bigger;
    return 0;
}

int gl_v2_map_put(gl_v2_map *map, uint64_t key, uint32_t value)
{
    if (!map->slots || map->count >= map->mask / 4 * 3) {
        int rc = map_grow(map);
        if (rc < 0)
            return rc;
    }
    gl_v2_map_slot *s = map_find(map, key);
    map->count += s->value == 0;
    s->key = key;
    s->value = value + 1;
    return 0;
}

void gl_v2_map_free(gl_v2_map *map)
{
    free(map->slots);
    *map = (gl_v2_map){0};
}

/* A map that was large once is given back: clearing it costs as much as filling it. */
void gl_v2_map_clear(gl_v2_map *map)
{
    if (!map->slots)
        return;
    if (map->mask >= 1024 && map->count < map->mask / 16) {
        gl_v2_map_free(map);
        return;
    }
    memset(map->slots, 0, ((size_t)map->mask + 1) * sizeof *map->slots);
    map->count = 0;
}

/* Ids that are this far ahead of their number go into the map. */
static bool dense_enough(const gl_v2_remap *r, uint64_t id)
{
    return id < 1024 || id / 8 <= r->count;
}

static int remap_grow(gl_v2_remap *r, uint32_t id)
{
    size_t size = r->size ? r->size : 256;
    while (size <= id)
        size *= 2;
    uint32_t *dense = realloc(r->dense, size * sizeof *dense);
    if (!dense)
        return GL_E_NOMEM;
    memset(dense + r->size, 0, (size - r->size) * sizeof *dense);
    r->dense = dense;
    r->size = (uint32_t)size;
    return 0;
}

int gl_v2_remap_put(gl_v2_remap *r, uint64_t id, uint32_t value)
{
    if (id >= r->size && (id > UINT32_MAX / 4 || !dense_enough(r, id)))
        return gl_v2_map_put(&r->sparse, id, value);
    if (id >= r->size) {
        int rc = remap_grow(r, (uint32_t)id);
        if (rc < 0)
            return rc;
    }
    r->dense[id] = value + 1;
    r->count++;
    return 0;
}

void gl_v2_remap_clear(gl_v2_remap *r)
{
    if (r->size > 4096 && r->count < r->size / 16) {
        gl_v2_remap_free(r);
        return;
    }
    if (r->dense)
        memset(r->dense, 0, r->size * sizeof *r->dense);
    r->count = 0;
    gl_v2_map_clear(&r->sparse);
}

void gl_v2_remap_free(gl_v2_remap *r)
{
    free(r->dense);
    gl_v2_map_free(&r->sparse);
    *r = (gl_v2_remap){0};
}

void *gl_v2_array_add(gl_v2_array *a)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 16;
        char *at = realloc(a->at, cap * a->size);
        if (!at)
            return NULL;
        a->at = at;
        a->cap = cap;
    }
    void *out = a->at + a->n++ * a->size;
    memset(out, 0, a->size);
    return out;
}

/* The generation as a container */

void gl_v2_gen_init(gl_v2_gen *gen)
{
    memset(gen, 0, sizeof *gen);
    gen->batches.size = sizeof(gl_v2_batch);
    gen->streams.size = sizeof(gl_v2_stream);
    gen->tables.size = sizeof(gl_v2_table);
    gen->samples.size = sizeof(gl_v2_sample);
    gen->losses.size = sizeof(gl_v2_loss);
}

void gl_v2_gen_reset(gl_v2_gen *gen)
{
    gl_v2_gen kept = *gen;
    gl_v2_gen_init(gen);
    gl_v2_array *const to[] = {&gen->batches, &gen->streams, &gen->tables, &gen->samples, &gen->losses};
    const gl_v2_array *const from[] = {&kept.batches, &kept.streams, &kept.tables, &kept.samples, &kept.losses};
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        *to[i] = *from[i];
        to[i]->n = 0;
    }
    gen->stream_of = kept.stream_of;
    gen->strings = kept.strings;
    gen->stacks = kept.stacks;
    gl_v2_map_clear(&gen->stream_of);
    gl_v2_remap_clear(&gen->strings);
    gl_v2_remap_clear(&gen->stacks);
}

void gl_v2_gen_free(gl_v2_gen *gen)
{
    free(gen->batches.at);
    free(gen->streams.at);
    free(gen->tables.at);
    free(gen->samples.at);
    free(gen->losses.at);
    gl_v2_map_free(&gen->stream_of);
    gl_v2_remap_free(&gen->strings);
    gl_v2_remap_free(&gen->stacks);
    gl_v2_gen_init(gen);
}

int gl_v2_gen_lose(gl_v2_gen *gen, gl_v2_loss loss)
{
    gl_v2_loss *at = gl_v2_array_add(&gen->losses);
    if (!at)
        return GL_E_NOMEM;
    *at = loss;
    return 0;
}
