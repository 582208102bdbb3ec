/*
 * What a recorder that was killed has left in its rings. It can't be told any more: the states and the stacks that its
 * records go on from were in the recorder. But it is counted.
 */
#include <stdlib.h>

#include "gorun/translate.h"
#include "patch.h"

#define PIECE UINT64_C(65536)

typedef struct left {
    const gl_surgeon *s;
    uint64_t data; /* of a ring, in the program */
    uint64_t records;
    uint8_t piece[PIECE];
} left;

/** Counts from one position up to the head; what makes no sense ends it. */
static void count_ring(left *l, uint64_t tail, uint64_t head)
{
    while (tail < head) {
        uint64_t at = tail & (GL_PATCH_RING_BYTES - 1), n = head - tail < PIECE ? head - tail : PIECE, k = 0;
        if (n > GL_PATCH_RING_BYTES + GL_PATCH_SLACK - at)
            n = GL_PATCH_RING_BYTES + GL_PATCH_SLACK - at;
        if (!gl_surgeon_read(l->s, l->data + at, l->piece, n))
            return;
        while (k + GL_PATCH_UNIT <= n) {
            const gl_patch_record *r = (const gl_patch_record *)(const void *)(l->piece + k);
            uint64_t bytes = gl_record_units(r) * (uint64_t)GL_PATCH_UNIT;
            if (bytes == 0)
                return;
            if (r->type == GL_PATCH_JUMP) {
                tail = (tail + k + GL_PATCH_RING_BYTES) & ~(GL_PATCH_RING_BYTES - 1);
                k = 0;
                break;
            }
            l->records += r->type != GL_PATCH_STACK;
            k += bytes;
            if (at + k >= GL_PATCH_RING_BYTES)
                break;
        }
        tail += k;
    }
}

void gl_patch_count_left(gl_patch *p, const gl_surgeon *s, uint64_t data)
{
    left *l = calloc(1, sizeof *l);
    for (uint32_t i = 0; l && i < GL_PATCH_RINGS; i++) {
        gl_patch_ring ring;
        uint64_t at = data + gl_patch_rings_offset() + i * gl_patch_ring_stride(GL_PATCH_RING_BYTES);
        if (!gl_surgeon_read(s, at, &ring, sizeof ring) || !ring.assigned)
            continue;
        l->s = s;
        l->data = at + sizeof ring;
        if (ring.head > ring.tail && ring.head - ring.tail <= GL_PATCH_RING_BYTES)
            count_ring(l, ring.tail, ring.head);
        l->records += ring.dropped;
    }
    p->left = l ? l->records : 0;
    free(l);
}
