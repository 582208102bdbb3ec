#include "collect.h"

#include <stdlib.h>
#include <string.h>

int gl_grow(void *array_address, size_t *capacity, size_t need, size_t element_bytes)
{
    if (need <= *capacity)
        return 0;
    size_t want = *capacity < 8 ? 8 : *capacity;
    while (want < need) {
        if (want > SIZE_MAX / 2)
            return GL_E_NOMEM;
        want *= 2;
    }
    if (want > SIZE_MAX / element_bytes)
        return GL_E_NOMEM;
    void *p;
    memcpy(&p, array_address, sizeof p); /* the pointer has its owner's type: only its bytes are touched here */
    p = realloc(p, want * element_bytes);
    if (!p)
        return GL_E_NOMEM;
    memset((char *)p + *capacity * element_bytes, 0, (want - *capacity) * element_bytes);
    memcpy(array_address, &p, sizeof p);
    *capacity = want;
    return 0;
}

static gl_map_slot *map_find(gl_map_slot *slots, size_t mask, uint64_t key)
{
    size_t i = (size_t)gl_mix(key) & mask;
    while (slots[i].value != GL_NONE32 && slots[i].key != key)
        i = (i + 1) & mask;
    return &slots[i];
}

static int map_grow(gl_map *m)
{
    size_t size = m->slots ? (m->mask + 1) * 2 : 16;
    gl_map_slot *slots = size <= SIZE_MAX / sizeof *slots ? malloc(size * sizeof *slots) : NULL;
    if (!slots)
        return GL_E_NOMEM;
    for (size_t i = 0; i < size; i++)
        slots[i] = (gl_map_slot){0, GL_NONE32};
    for (size_t i = 0; m->slots && i <= m->mask; i++) {
        if (m->slots[i].value != GL_NONE32)
            *map_find(slots, size - 1, m->slots[i].key) = m->slots[i];
    }
    free(m->slots);
    m->slots = slots;
    m->mask = size - 1;
    return 0;
}

int gl_map_put(gl_map *m, uint64_t key, uint32_t value)
{
    if (!m->slots || m->count * 4 > m->mask) { /* sparse: a lookup that finds its slot at once is worth the room */
        int status = map_grow(m);
        if (status < 0)
            return status;
    }
    gl_map_slot *s = map_find(m->slots, m->mask, key);
    if (s->value == GL_NONE32)
        m->count++;
    *s = (gl_map_slot){key, value};
    return 0;
}

/* Entries behind the hole move up where their own place allows it, so that no tombstones are needed. */
void gl_map_remove(gl_map *m, uint64_t key)
{
    if (!m->slots)
        return;
    gl_map_slot *s = map_find(m->slots, m->mask, key);
    if (s->value == GL_NONE32)
        return;
    size_t hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & m->mask; m->slots[i].value != GL_NONE32; i = (i + 1) & m->mask) {
        size_t home = (size_t)gl_mix(m->slots[i].key) & m->mask;
        if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole].value = GL_NONE32;
    m->count--;
}

void gl_map_clean_up(gl_map *m)
{
    free(m->slots);
    memset(m, 0, sizeof *m);
}

#define PAIRS_ASK 8191 /* a smaller set just grows: asking who is gone costs more than room */

static size_t pair_home(size_t mask, gl_pair p) { return (size_t)gl_mix(p.a * 31 + gl_mix(p.b)) & mask; }

static gl_pair *pair_find(gl_pair *slots, size_t mask, gl_pair p)
{
    size_t i = pair_home(mask, p);
    while (slots[i].b != UINT64_MAX && (slots[i].a != p.a || slots[i].b != p.b))
        i = (i + 1) & mask;
    return &slots[i];
}

/* Pairs that may still come again move to the front of the old array. Returns their number. */
static size_t pairs_compact(gl_pairs *s)
{
    size_t kept = 0;
    bool ask = s->gone && s->mask >= PAIRS_ASK;
    for (size_t i = 0; s->slots && i <= s->mask; i++) {
        gl_pair p = s->slots[i];
        if (p.b != UINT64_MAX && !(ask && s->gone(s->user, p)))
            s->slots[kept++] = p;
    }
    return kept;
}

static int pairs_rebuild(gl_pairs *s)
{
    size_t kept = pairs_compact(s), size = 4 * GL_PAIRS_WAITING;
    while (size < kept * 4)
        size *= 2;
    gl_pair *slots = malloc(size * sizeof *slots);
    if (!slots)
        return GL_E_NOMEM;
    memset(slots, 0xff, size * sizeof *slots);
    for (size_t i = 0; i < kept; i++)
        *pair_find(slots, size - 1, s->slots[i]) = s->slots[i];
    s->left += s->count - kept;
    s->count = kept;
    free(s->slots);
    s->slots = slots;
    s->mask = size - 1;
    return 0;
}

static void pairs_put(gl_pairs *s, gl_pair p)
{
    gl_pair *slot = p.b == UINT64_MAX ? NULL : pair_find(s->slots, s->mask, p);
    if (slot && slot->b == UINT64_MAX) {
        *slot = p;
        s->count++;
    }
}

/* The set is thinned out only when nothing waits: who waits may be gone by now, and known already. */
int gl_pairs_settle(gl_pairs *s)
{
    int status = s->slots ? 0 : pairs_rebuild(s);
    if (status < 0 || s->overflow) {
        s->waiting_count = 0;
        return status;
    }
    for (size_t i = 0; i < s->waiting_count; i++)
        __builtin_prefetch(&s->slots[pair_home(s->mask, s->waiting[i])]);
    for (size_t i = 0; i < s->waiting_count; i++)
        pairs_put(s, s->waiting[i]);
    s->waiting_count = 0;
    if (s->count * 2 > s->mask)
        status = pairs_rebuild(s);
    s->overflow = s->count >= GL_PAIRS_MAX;
    return status;
}

uint64_t gl_pairs_count(const gl_pairs *s) { return s->left + s->count; }

void gl_pairs_clean_up(gl_pairs *s)
{
    free(s->slots);
    s->slots = NULL;
    s->mask = s->count = 0;
}

bool gl_bits_set(gl_bits *b, uint32_t i, int *status)
{
    size_t word = i / 64;
    int grown = GL_GROW(b->words, b->capacity, word + 1);
    if (grown < 0) {
        *status = grown;
        return false;
    }
    uint64_t bit = UINT64_C(1) << (i % 64);
    bool was = b->words[word] & bit;
    b->words[word] |= bit;
    return !was;
}
