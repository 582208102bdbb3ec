/*
 * What every counter here is made of: arrays that grow, a map of numbers, and a set of pairs. Nothing in it fails other
 * than by lack of memory.
 */
#ifndef GOLANES_ANALYSIS_COLLECT_H
#define GOLANES_ANALYSIS_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#define GL_NONE32 UINT32_MAX

/** Of a merged trace: the process that a goroutine, task or channel is of; and how far its Ps are apart from others'. */
#define GL_PROCESS_OF(g) ((uint32_t)((g) >> 48))
#define GL_PROCS_APART 1000

/**
 * Makes room for `need` elements in an array; new room is zeroed. array_address is the address of the array's pointer,
 * whatever its type. 0 or GL_E_NOMEM.
 */
int gl_grow(void *array_address, size_t *capacity, size_t need, size_t element_bytes) GL_MUST_CHECK;
#define GL_GROW(array, capacity, need)                                                                                 \
    ((need) <= (capacity) ? 0 : gl_grow(&(array), &(capacity), (need), sizeof *(array)))

static inline uint64_t gl_mix(uint64_t x)
{
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ (x >> 29);
}

typedef struct gl_map_slot {
    uint64_t key;
    uint32_t value; /* GL_NONE32: the slot is empty */
} gl_map_slot;

/** Number to number; the value GL_NONE32 cannot be stored. Zero-initialise. */
typedef struct gl_map {
    gl_map_slot *slots;
    size_t mask, count;
} gl_map;

int gl_map_put(gl_map *m, uint64_t key, uint32_t value) GL_MUST_CHECK;
void gl_map_remove(gl_map *m, uint64_t key);
void gl_map_clean_up(gl_map *m);

static inline uint32_t gl_map_get(const gl_map *m, uint64_t key)
{
    if (!m->slots)
        return GL_NONE32;
    for (size_t i = (size_t)gl_mix(key) & m->mask;; i = (i + 1) & m->mask) {
        if (m->slots[i].value == GL_NONE32)
            return GL_NONE32;
        if (m->slots[i].key == key)
            return m->slots[i].value;
    }
}

typedef struct gl_pair {
    uint64_t a, b;
} gl_pair;

#define GL_PAIRS_WAITING 64

/**
 * Counts distinct pairs. Before the set grows, pairs for which `gone` is true (they can never come again) leave the set
 * and stay counted, so that its size follows the live goroutines. Pairs are put in some at a time, so that the memory
 * they need is fetched together. Zero-initialise, then set gone and user.
 */
typedef struct gl_pairs {
    gl_pair *slots; /* b = UINT64_MAX: empty */
    size_t mask, count;
    uint64_t left; /* counted and dropped */
    bool (*gone)(const void *user, gl_pair p);
    const void *user;
    bool overflow; /* more than GL_PAIRS_MAX alive at once: the count is a lower bound */
    size_t waiting_count;
    gl_pair waiting[GL_PAIRS_WAITING];
} gl_pairs;

#define GL_PAIRS_MAX ((size_t)1 << 20)

/** Puts those in that wait. */
int gl_pairs_settle(gl_pairs *s) GL_MUST_CHECK;

static inline int gl_pairs_add(gl_pairs *s, gl_pair p)
{
    s->waiting[s->waiting_count++] = p;
    return s->waiting_count == GL_PAIRS_WAITING ? gl_pairs_settle(s) : 0;
}

/** After gl_pairs_settle. */
uint64_t gl_pairs_count(const gl_pairs *s);
void gl_pairs_clean_up(gl_pairs *s);

/** One bit a number. True where the bit was clear before; *status is GL_E_NOMEM where it could not be kept. */
typedef struct gl_bits {
    uint64_t *words;
    size_t capacity;
} gl_bits;
bool gl_bits_set(gl_bits *b, uint32_t i, int *status);
static inline bool gl_bits_get(const gl_bits *b, uint32_t i)
{
    return i / 64 < b->capacity && (b->words[i / 64] >> (i % 64) & 1);
}

#endif
