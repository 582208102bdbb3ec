#include "ring_layout.h"

#include <stddef.h>

_Static_assert(sizeof(gl_ring_header) == GL_RING_HEADER_BYTES, "the header is one page");
_Static_assert(offsetof(gl_ring_header, listening) == 128, "part of the layout");
_Static_assert(offsetof(gl_ring_header, attached) == 256, "part of the layout");
_Static_assert(offsetof(gl_ring_header, recorder_pid) == 384, "part of the layout");
_Static_assert(offsetof(gl_ring_header, pairs) == 512, "part of the layout");
_Static_assert(sizeof(gl_ring_slot) == 64, "part of the layout");
_Static_assert(sizeof(gl_ring_control) == GL_RING_CONTROL_BYTES, "the control is two pages");
_Static_assert(offsetof(gl_ring_control, tail) == 128, "part of the layout");
_Static_assert(offsetof(gl_ring_control, lost) == 256, "part of the layout");
_Static_assert(offsetof(gl_ring_control, lost_told) == 384, "part of the layout");
_Static_assert(offsetof(gl_ring_control, text_memo) == 4096, "part of the layout");
_Static_assert(sizeof(gl_ring_block) == GL_RING_BLOCK_HEADER, "part of the layout");
_Static_assert(GL_RING_EVENT_MAX >= 10 + 3 + 8 * GL_EVENT_ARGS_MAX + 2 + 8, "room for the largest event and a wide store");
_Static_assert(GL_RING_EVENT_MAX - (10 + 3 + 8 * GL_EVENT_ARGS_MAX + 2) >= 10, "room for a jump behind the last event");
_Static_assert(GL_RING_WINDOW >= 2 * GL_RING_BLOCK, "a jump never runs into what is not read yet");
_Static_assert(GL_RING_EVENT_MAX >= 2 + 5 * 9 + 8, "room for what is told of a loss or an owner");
_Static_assert(2 * (GL_RING_TEXT_MAX + 11) + 2 * (11 + 9 * GL_RING_STACK_MAX) + 3 * GL_RING_EVENT_MAX +
                       GL_RING_BLOCK_HEADER < GL_RING_BLOCK,
               "all that one event refers to fits into one block");

const char *gl_ring_check(const gl_ring_header *h, uint64_t bytes)
{
    if (h->magic != GL_RING_MAGIC)
        return "it is not a golanes ring file";
    if (h->version != GL_RING_VERSION)
        return "its layout has a version that is not known here";
    if (h->block_bytes != GL_RING_BLOCK || h->control_bytes != GL_RING_CONTROL_BYTES)
        return "its block or control size is not that of its version";
    if (h->slots == 0 || h->slots > GL_RING_SLOTS_MAX)
        return "its number of slots is out of range";
    if (h->total_bytes > bytes || h->total_bytes > (uint64_t)1 << 46)
        return "it is shorter than it says";
    if (h->table_offset % 64 || h->table_offset < GL_RING_HEADER_BYTES || h->table_offset > h->total_bytes ||
        (h->total_bytes - h->table_offset) / sizeof(gl_ring_slot) < h->slots)
        return "its slot table lies outside";
    return NULL;
}

bool gl_ring_check_slot(const gl_ring_header *h, const gl_ring_slot *slot)
{
    uint64_t at = slot->ring_offset, data = slot->ring_bytes;
    if (at % 4096 || data < (uint64_t)GL_RING_BLOCKS_MIN * GL_RING_BLOCK || (data & (data - 1)))
        return false;
    return at >= GL_RING_HEADER_BYTES && at < h->total_bytes && data < h->total_bytes &&
           h->total_bytes - at >= data + GL_RING_CONTROL_BYTES;
}
