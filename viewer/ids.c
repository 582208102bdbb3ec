#include "ids.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE (UINT64_C(2) << 20) /* what large pages there are */
#define LARGE (UINT64_C(1) << 20)
#define MOVABLE (UINT64_C(64) << 20) /* from here on the system moves memory without copying it, and its ends do not count */

/* Blocks of that size are mapped for themselves, so that what is given back is the system's again at once. malloc would
 * otherwise learn from each that is freed to keep the next one. */
static void keep_apart(void)
{
    static bool done;
    if (!done)
        done = mallopt(M_MMAP_THRESHOLD, (int)LARGE) != 0;
}

static void *advised(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), skip = page - 1 - ((uintptr_t)p + page - 1) % page;
    if (p) /* it is only advice: whether it was taken does not matter */
        (void)madvise((char *)p + skip, (bytes - skip) / page * page, MADV_HUGEPAGE);
#endif
    return p;
}

/* Lists that grow would touch their memory piece by piece, and each piece costs a fault: more than all the rest. */
void *gl_memory(void *old, size_t bytes)
{
    if (bytes < LARGE)
        return realloc(old, bytes);
    if (bytes > MOVABLE)
        return advised(realloc(old, bytes), bytes);
    keep_apart();
    size_t had = old ? malloc_usable_size(old) : 0, whole = (bytes + PAGE - 1) / PAGE * PAGE;
    void *p = advised(aligned_alloc(PAGE, whole), whole);
    if (p && old)
        memcpy(p, old, had < bytes ? had : bytes);
    if (p)
        free(old);
    return p;
}

static int list_make(void *list_address, size_t *capacity, size_t more, size_t size)
{
    void *p;
    memcpy(&p, list_address, sizeof p);
    p = more > SIZE_MAX / size ? NULL : gl_memory(p, more * size);
    if (!p)
        return GL_E_NOMEM;
    memcpy(list_address, &p, sizeof p);
    *capacity = more;
    return 0;
}

int gl_list_grow(void *list_address, size_t *capacity, size_t n, size_t size)
{
    if (n < *capacity)
        return 0;
    size_t more = *capacity ? *capacity * 2 : 64;
    return more <= n ? GL_E_NOMEM : list_make(list_address, capacity, more, size);
}

int gl_list_reserve(void *list_address, size_t *capacity, size_t n, size_t size)
{
    return n <= *capacity ? 0 : list_make(list_address, capacity, n, size);
}

static size_t slot_of(const gl_ids *ids, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (ids->capacity - 1);
    while (ids->value[at] && ids->key[at] != key)
        at = (at + 1) & (ids->capacity - 1);
    return at;
}

uint32_t gl_ids_get(const gl_ids *ids, uint64_t key)
{
    return ids->capacity ? ids->value[slot_of(ids, key)] - 1 : GL_NONE;
}

static int ids_grow(gl_ids *ids)
{
    gl_ids old = *ids;
    size_t capacity = old.capacity ? old.capacity * 2 : 256;
    gl_ids new = {gl_memory(NULL, capacity * sizeof *new.key), gl_memory(NULL, capacity * sizeof *new.value), capacity, old.n};
    if (!new.key || !new.value) {
        gl_ids_clean_up(&new);
        return GL_E_NOMEM;
    }
    memset(new.value, 0, capacity * sizeof *new.value);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.value[i]) {
            size_t at = slot_of(&new, old.key[i]);
            new.key[at] = old.key[i];
            new.value[at] = old.value[i];
        }
    gl_ids_clean_up(&old);
    *ids = new;
    return 0;
}

int gl_ids_put(gl_ids *ids, uint64_t key, uint32_t value)
{
    if (value >= GL_NONE - 1)
        return GL_E_LIMIT;
    if (ids->n >= ids->capacity / 2) {
        int status = ids_grow(ids);
        if (status < 0)
            return status;
    }
    size_t at = slot_of(ids, key);
    ids->n += ids->value[at] == 0;
    ids->key[at] = key;
    ids->value[at] = value + 1;
    return 0;
}

void gl_ids_clean_up(gl_ids *ids)
{
    free(ids->key);
    free(ids->value);
    memset(ids, 0, sizeof *ids);
}

int gl_id_map_put(gl_id_map *m, uint64_t id, uint32_t index)
{
    uint32_t page = gl_ids_get(&m->page_of, id / 64);
    if (page == GL_NONE) {
        if (GL_ROOM(m->pages, m->capacity, m->n) < 0 || gl_ids_put(&m->page_of, id / 64, (uint32_t)m->n) < 0)
            return GL_E_NOMEM;
        page = (uint32_t)m->n++;
        m->pages[page] = (gl_id_page){{0}};
    }
    m->pages[page].at[id % 64] = index + 1;
    return 0;
}

void gl_id_map_clean_up(gl_id_map *m)
{
    gl_ids_clean_up(&m->page_of);
    free(m->pages);
    *m = (gl_id_map){0};
}
