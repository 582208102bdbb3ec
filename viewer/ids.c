#include "ids.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE (UINT64_C(4) << 20)

void *gl_memory(void *old, size_t bytes)
{
    char *p = realloc(old, bytes);
#ifdef MADV_HUGEPAGE
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), skip = page - 1 - ((uintptr_t)p + page - 1) % page;
    if (p && bytes >= LARGE) /* it is only advice: whether it was taken does not matter */
        (void)madvise(p + skip, (bytes - skip) / page * page, MADV_HUGEPAGE);
#endif
    return p;
}

int gl_list_grow(void *list_address, size_t *capacity, size_t n, size_t size)
{
    if (n < *capacity)
        return 0;
    void *p;
    memcpy(&p, list_address, sizeof p);
    size_t more = *capacity ? *capacity * 2 : 64;
    p = more <= n || more > SIZE_MAX / size ? NULL : gl_memory(p, more * size);
    if (!p)
        return GL_E_NOMEM;
    memcpy(list_address, &p, sizeof p);
    *capacity = more;
    return 0;
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
