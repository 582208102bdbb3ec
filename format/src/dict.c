#include "golanes/dict.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "src/dict_lock.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/*
 * Each table is an array of entries in order of id, and an open-addressing hash of ids beside it (0 = empty slot, so ids
 * are stored plus one). Variable-length contents (texts, frame lists) lie in blocks that never move, so that pointers
 * given out stay good while the tables grow.
 */

typedef struct pool_block {
    struct pool_block *next;
    size_t used, size;
    _Alignas(8) char bytes[];
} pool_block;

typedef struct pool {
    pool_block *head;
} pool;

#define POOL_BLOCK_BYTES ((size_t)256 * 1024)

static void *pool_take(pool *p, size_t n)
{
    n = (n + 7) & ~(size_t)7;
    if (!p->head || p->head->size - p->head->used < n) {
        size_t size = n > POOL_BLOCK_BYTES ? n : POOL_BLOCK_BYTES;
        pool_block *b = malloc(sizeof *b + size);
        if (!b)
            return NULL;
        b->next = p->head;
        b->used = 0;
        b->size = size;
        p->head = b;
    }
    void *out = p->head->bytes + p->head->used;
    p->head->used += n;
    return out;
}

static void pool_free(pool *p)
{
    while (p->head) {
        pool_block *next = p->head->next;
        free(p->head);
        p->head = next;
    }
}

typedef struct text_entry {
    const char *bytes;
    size_t n;
} text_entry;

typedef struct stack_entry {
    const uint32_t *frames;
    size_t n;
} stack_entry;

typedef struct table {
    char *entries;
    size_t entry_size;
    uint32_t count, capacity;
    uint32_t *slots; /* id + 1 */
    uint32_t *hashes; /* low 32 bits of each entry's hash, in order of id: growing needs no rehash of contents */
    uint32_t slot_mask;
} table;

struct gl_dict {
    table strings, funcs, frames, stacks, threads;
    pool text_pool, stack_pool;
    unsigned sharers;       /* 0: one thread, which needs no lock */
    pthread_mutex_t *mutex; /* apart, so that a look at a constant dictionary may take it */
};

void gl_dict_share(gl_dict *d, bool more)
{
    d->sharers = more ? d->sharers + 1 : d->sharers - 1;
}

static inline void lock(const gl_dict *d)
{
    if (d->sharers)
        pthread_mutex_lock(d->mutex);
}

static inline void unlock(const gl_dict *d)
{
    if (d->sharers)
        pthread_mutex_unlock(d->mutex);
}

static void *entry_at(const table *t, uint32_t id)
{
    return t->entries + (size_t)id * t->entry_size;
}

static int table_grow_slots(table *t)
{
    size_t n = t->slots ? ((size_t)t->slot_mask + 1) * 2 : 64;
    if (n > (size_t)1 << 31)
        return GL_E_LIMIT;
    uint32_t *slots = calloc(n, sizeof *slots);
    if (!slots)
        return GL_E_NOMEM;
    uint32_t mask = (uint32_t)(n - 1);
    for (uint32_t id = 0; id < t->count; id++) {
        uint32_t i = t->hashes[id] & mask;
        while (slots[i])
            i = (i + 1) & mask;
        slots[i] = id + 1;
    }
    free(t->slots);
    t->slots = slots;
    t->slot_mask = mask;
    return 0;
}

static int table_reserve(table *t)
{
    if (!t->slots || t->count >= t->slot_mask / 4 * 3) {
        int rc = table_grow_slots(t);
        if (rc < 0)
            return rc;
    }
    if (t->count < t->capacity)
        return 0;
    uint32_t capacity = t->capacity ? t->capacity * 2 : 64;
    char *entries = realloc(t->entries, (size_t)capacity * t->entry_size);
    if (!entries)
        return GL_E_NOMEM;
    t->entries = entries;
    uint32_t *hashes = realloc(t->hashes, (size_t)capacity * sizeof *hashes);
    if (!hashes)
        return GL_E_NOMEM;
    t->hashes = hashes;
    t->capacity = capacity;
    return 0;
}

/** Appends the entry; the caller has reserved room and knows that it is new. */
static uint32_t table_append(table *t, uint32_t hash, const void *entry)
{
    uint32_t id = t->count++;
    memcpy(entry_at(t, id), entry, t->entry_size);
    t->hashes[id] = hash;
    uint32_t i = hash & t->slot_mask;
    while (t->slots[i])
        i = (i + 1) & t->slot_mask;
    t->slots[i] = id + 1;
    return id;
}

/** Finds or adds an entry that is all in its own bytes (no padding, no pointers). */
static int table_plain(table *t, const void *entry, uint32_t *id)
{
    uint32_t hash = (uint32_t)XXH3_64bits(entry, t->entry_size);
    if (t->slots)
        for (uint32_t i = hash & t->slot_mask; t->slots[i]; i = (i + 1) & t->slot_mask) {
            uint32_t at = t->slots[i] - 1;
            if (t->hashes[at] == hash && memcmp(entry_at(t, at), entry, t->entry_size) == 0) {
                *id = at;
                return 0;
            }
        }
    int rc = table_reserve(t);
    if (rc == 0)
        *id = table_append(t, hash, entry);
    return rc;
}

static void table_free(table *t)
{
    free(t->entries);
    free(t->slots);
    free(t->hashes);
}

_Static_assert(sizeof(gl_func) == 8, "hashed as bytes: no padding");
_Static_assert(sizeof(gl_frame) == 16, "hashed as bytes: no padding");
_Static_assert(sizeof(gl_thread_info) == 16, "hashed as bytes: no padding");

gl_dict *gl_dict_new(void)
{
    gl_dict *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->strings.entry_size = sizeof(text_entry);
    d->funcs.entry_size = sizeof(gl_func);
    d->frames.entry_size = sizeof(gl_frame);
    d->stacks.entry_size = sizeof(stack_entry);
    d->threads.entry_size = sizeof(gl_thread_info);
    uint32_t zero;
    d->mutex = malloc(sizeof *d->mutex);
    if (d->mutex)
        pthread_mutex_init(d->mutex, NULL);
    if (!d->mutex || gl_dict_string(d, "", 0, &zero) < 0 || gl_dict_func(d, (gl_func){0}, &zero) < 0 ||
        gl_dict_stack(d, NULL, 0, &zero) < 0) {
        gl_dict_destroy(d);
        return NULL;
    }
    return d;
}

void gl_dict_destroy(gl_dict *d)
{
    if (!d)
        return;
    table_free(&d->strings);
    table_free(&d->funcs);
    table_free(&d->frames);
    table_free(&d->stacks);
    table_free(&d->threads);
    pool_free(&d->text_pool);
    pool_free(&d->stack_pool);
    if (d->mutex)
        pthread_mutex_destroy(d->mutex);
    free(d->mutex);
    free(d);
}

static int find_string(gl_dict *d, const char *text, size_t n, uint32_t *id)
{
    table *t = &d->strings;
    uint32_t hash = (uint32_t)XXH3_64bits(text, n);
    if (t->slots)
        for (uint32_t i = hash & t->slot_mask; t->slots[i]; i = (i + 1) & t->slot_mask) {
            uint32_t at = t->slots[i] - 1;
            const text_entry *e = entry_at(t, at);
            if (t->hashes[at] == hash && e->n == n && memcmp(e->bytes, text, n) == 0) {
                *id = at;
                return 0;
            }
        }
    int rc = table_reserve(t);
    if (rc < 0)
        return rc;
    char *copy = pool_take(&d->text_pool, n + 1);
    if (!copy)
        return GL_E_NOMEM;
    memcpy(copy, text, n);
    copy[n] = 0;
    *id = table_append(t, hash, &(text_entry){copy, n});
    return 0;
}

static int find_stack(gl_dict *d, const uint32_t *frames, size_t n, uint32_t *id)
{
    table *t = &d->stacks;
    uint32_t hash = (uint32_t)XXH3_64bits(frames, n * sizeof *frames);
    if (t->slots)
        for (uint32_t i = hash & t->slot_mask; t->slots[i]; i = (i + 1) & t->slot_mask) {
            uint32_t at = t->slots[i] - 1;
            const stack_entry *e = entry_at(t, at);
            if (t->hashes[at] == hash && e->n == n && (n == 0 || memcmp(e->frames, frames, n * sizeof *frames) == 0)) {
                *id = at;
                return 0;
            }
        }
    int rc = table_reserve(t);
    if (rc < 0)
        return rc;
    uint32_t *copy = NULL;
    if (n) {
        copy = pool_take(&d->stack_pool, n * sizeof *frames);
        if (!copy)
            return GL_E_NOMEM;
        memcpy(copy, frames, n * sizeof *frames);
    }
    *id = table_append(t, hash, &(stack_entry){copy, n});
    return 0;
}

int gl_dict_string(gl_dict *d, const char *text, size_t n, uint32_t *id)
{
    lock(d);
    int rc = find_string(d, text, n, id);
    unlock(d);
    return rc;
}

int gl_dict_stack(gl_dict *d, const uint32_t *frames, size_t n, uint32_t *id)
{
    lock(d);
    int rc = find_stack(d, frames, n, id);
    unlock(d);
    return rc;
}

static int find_plain(gl_dict *d, table *t, const void *entry, uint32_t *id)
{
    lock(d);
    int rc = table_plain(t, entry, id);
    unlock(d);
    return rc;
}

int gl_dict_func(gl_dict *d, gl_func f, uint32_t *id) { return find_plain(d, &d->funcs, &f, id); }
int gl_dict_frame(gl_dict *d, gl_frame f, uint32_t *id) { return find_plain(d, &d->frames, &f, id); }
int gl_dict_thread(gl_dict *d, gl_thread_info t, uint32_t *index) { return find_plain(d, &d->threads, &t, index); }

static uint32_t count_of(const gl_dict *d, const table *t)
{
    lock(d);
    uint32_t n = t->count;
    unlock(d);
    return n;
}

/** An entry by value: the arrays move while they grow. False where there is none. */
static inline bool copy_entry(const gl_dict *d, const table *t, uint32_t id, void *out, size_t size)
{
    lock(d);
    bool there = id < t->count;
    if (there)
        memcpy(out, t->entries + id * size, size);
    unlock(d);
    return there;
}

uint32_t gl_dict_string_count(const gl_dict *d) { return count_of(d, &d->strings); }
uint32_t gl_dict_func_count(const gl_dict *d) { return count_of(d, &d->funcs); }
uint32_t gl_dict_frame_count(const gl_dict *d) { return count_of(d, &d->frames); }
uint32_t gl_dict_stack_count(const gl_dict *d) { return count_of(d, &d->stacks); }
uint32_t gl_dict_thread_count(const gl_dict *d) { return count_of(d, &d->threads); }

void gl_dict_counts(const gl_dict *d, uint32_t out[5])
{
    const table *const tables[] = {&d->strings, &d->funcs, &d->frames, &d->stacks, &d->threads};
    for (size_t i = 0; i < 5; i++)
        out[i] = tables[i]->count;
}

const char *gl_dict_text(const gl_dict *d, uint32_t id, size_t *n)
{
    text_entry e;
    bool there = copy_entry(d, &d->strings, id, &e, sizeof e);
    if (n)
        *n = there ? e.n : 0;
    return there ? e.bytes : "";
}

gl_func gl_dict_get_func(const gl_dict *d, uint32_t id)
{
    gl_func f;
    return copy_entry(d, &d->funcs, id, &f, sizeof f) ? f : (gl_func){0};
}

gl_frame gl_dict_get_frame(const gl_dict *d, uint32_t id)
{
    gl_frame f;
    return copy_entry(d, &d->frames, id, &f, sizeof f) ? f : (gl_frame){0};
}

gl_thread_info gl_dict_get_thread(const gl_dict *d, uint32_t index)
{
    gl_thread_info t;
    return copy_entry(d, &d->threads, index, &t, sizeof t) ? t : (gl_thread_info){0};
}

const uint32_t *gl_dict_get_stack(const gl_dict *d, uint32_t id, size_t *n)
{
    stack_entry e;
    bool there = copy_entry(d, &d->stacks, id, &e, sizeof e);
    *n = there ? e.n : 0;
    return there ? e.frames : NULL;
}

const char *gl_dict_stack_func(const gl_dict *d, uint32_t stack, size_t i)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(d, stack, &n);
    if (i >= n)
        return "";
    return gl_dict_text(d, gl_dict_get_func(d, gl_dict_get_frame(d, frames[i]).func).name, NULL);
}

const char *gl_dict_stack_root(const gl_dict *d, uint32_t stack)
{
    size_t n;
    gl_dict_get_stack(d, stack, &n);
    return n ? gl_dict_stack_func(d, stack, n - 1) : "";
}
