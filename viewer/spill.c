#include "spill.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "golanes/input.h"

#define STEP (UINT64_C(16) << 20) /* the file grows by an eighth, but by so much at least */

/* The file's blocks are had before they are mapped: a full disk is an answer here, but a signal later. */
static bool make_room(gl_spill *s, size_t bytes)
{
    if (!s->fd)
        s->fd = gl_input_temporary() + 1;
    if (!s->fd || posix_fallocate(s->fd - 1, (off_t)s->bytes, (off_t)(bytes - s->bytes)) != 0)
        return false;
    void *p = s->map ? mremap(s->map, s->bytes, bytes, MREMAP_MAYMOVE)
                     : mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd - 1, 0);
    if (p == MAP_FAILED)
        return false;
    s->map = p;
    s->bytes = bytes;
    return true;
}

int gl_spill_grow(gl_spill *s, void *list_address, size_t *capacity, size_t n, size_t size, size_t from)
{
    if (n < *capacity)
        return 0;
    bool is_there = s->map != NULL;
    if (s->refused || (!is_there && (*capacity ? *capacity * 2 : 64) * size < from))
        return gl_list_grow(list_address, capacity, n, size);
    size_t had = *capacity * size, more = had / 8 > STEP ? had / 8 : STEP;
    void *p;
    memcpy(&p, list_address, sizeof p);
    if (n >= SIZE_MAX / size / 2 || !make_room(s, had + more)) {
        s->refused = !is_there;
        return is_there ? GL_E_NOMEM : gl_list_grow(list_address, capacity, n, size);
    }
    if (!is_there) {
        if (had)
            memcpy(s->map, p, had);
        free(p);
    }
    memcpy(list_address, &s->map, sizeof p);
    *capacity = s->bytes / size;
    return 0;
}

void gl_spill_rest(const gl_spill *s)
{
    if (s->map)
        (void)madvise(s->map, s->bytes, MADV_DONTNEED);
}

void gl_spill_free(gl_spill *s, void *list)
{
    if (s->map)
        munmap(s->map, s->bytes);
    else
        free(list);
    if (s->fd)
        close(s->fd - 1);
    *s = (gl_spill){0};
}
