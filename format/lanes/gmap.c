#include "lanes/gmap.h"

#include <stdlib.h>

#define FIRST_RECORDS 1024u

bool ln_gmap_init(ln_gmap *m)
{
    *m = (ln_gmap){.capacity = FIRST_RECORDS, .mask = FIRST_RECORDS * 4 - 1, .used = 1, .top = 1, .epoch = 1};
    m->recs = calloc(m->capacity, sizeof *m->recs);
    m->slots = calloc((size_t)m->mask + 1, sizeof *m->slots);
    m->touched = calloc(m->capacity, sizeof *m->touched);
    if (m->recs && m->slots && m->touched)
        return true;
    ln_gmap_free(m);
    return false;
}

void ln_gmap_free(ln_gmap *m)
{
    free(m->recs);
    free(m->slots);
    free(m->touched);
    *m = (ln_gmap){0};
}

static void put_slot(uint32_t *slots, uint32_t mask, uint64_t id, uint32_t index)
{
    uint32_t i = ln_gmap_hash(id) & mask;
    while (slots[i])
        i = (i + 1) & mask;
    slots[i] = index;
}

static bool grow(ln_gmap *m)
{
    if (m->capacity > UINT32_MAX / 16)
        return false;
    uint32_t capacity = m->capacity * 2, mask = capacity * 4 - 1;
    ln_grec *recs = realloc(m->recs, capacity * sizeof *recs);
    if (!recs)
        return false;
    m->recs = recs;
    uint32_t *touched = realloc(m->touched, capacity * sizeof *touched);
    if (!touched)
        return false;
    m->touched = touched;
    uint32_t *slots = calloc((size_t)mask + 1, sizeof *slots);
    if (!slots)
        return false;
    for (uint32_t i = 0; i <= m->mask; i++)
        if (m->slots[i])
            put_slot(slots, mask, recs[m->slots[i]].id, m->slots[i]);
    free(m->slots);
    m->slots = slots;
    m->mask = mask;
    m->capacity = capacity;
    return true;
}

void ln_gmap_reset(ln_gmap *m, uint32_t index)
{
    ln_grec *r = &m->recs[index];
    *r = (ln_grec){.id = r->id, .epoch = m->epoch};
    m->touched[m->touched_n++] = index;
}

uint32_t ln_gmap_add(ln_gmap *m, uint64_t id)
{
    uint32_t index = m->free_head;
    if (index) {
        m->free_head = m->recs[index].epoch;
    } else {
        if (m->top == m->capacity && !grow(m))
            return UINT32_MAX;
        index = m->top++;
    }
    m->used++;
    m->recs[index].id = id;
    put_slot(m->slots, m->mask, id, index);
    ln_gmap_reset(m, index);
    return index;
}

/* Taking an entry out of linear probing: later entries of the same run move up, so that no search stops short. */
static void take_slot(ln_gmap *m, uint64_t id)
{
    uint32_t hole = ln_gmap_hash(id) & m->mask;
    while (m->recs[m->slots[hole]].id != id)
        hole = (hole + 1) & m->mask;
    for (uint32_t i = (hole + 1) & m->mask; m->slots[i]; i = (i + 1) & m->mask) {
        uint32_t home = ln_gmap_hash(m->recs[m->slots[i]].id) & m->mask;
        if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = 0;
}

void ln_gmap_remove(ln_gmap *m, uint32_t index)
{
    take_slot(m, m->recs[index].id);
    m->recs[index].epoch = m->free_head;
    m->free_head = index;
    m->used--;
}

void ln_gmap_next_epoch(ln_gmap *m)
{
    m->touched_n = 0;
    if (++m->epoch == 0) { /* once in 2^32 chunks: no record may look touched by accident */
        for (uint32_t i = 0; i < m->top; i++)
            m->recs[i].epoch = 0;
        m->epoch = 1;
    }
    ln_gmap_reset(m, 0);
}

void ln_gmap_forget_touched(ln_gmap *m)
{
    if (m->touched_n > m->mask / 16) {
        memset(m->slots, 0, ((size_t)m->mask + 1) * sizeof *m->slots);
    } else {
        for (uint32_t i = 0; i < m->touched_n; i++)
            if (m->touched[i])
                take_slot(m, m->recs[m->touched[i]].id);
    }
    m->used = m->top = 1;
    m->free_head = 0;
    m->touched_n = 0;
}
