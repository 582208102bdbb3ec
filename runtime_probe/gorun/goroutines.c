#include "goroutines.h"

#include <stdlib.h>
#include <string.h>

static size_t place(const gl_patch_gs *gs, uint64_t id)
{
    return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (gs->room - 1);
}

static gl_patch_g *probe(const gl_patch_gs *gs, uint64_t id)
{
    size_t i = place(gs, id);
    while (gs->slot[i].id != 0 && gs->slot[i].id != id)
        i = (i + 1) & (gs->room - 1);
    return &gs->slot[i];
}

static bool grow(gl_patch_gs *gs)
{
    gl_patch_gs more = {NULL, gs->room ? 2 * gs->room : 1024, gs->n};
    more.slot = calloc(more.room, sizeof *more.slot);
    if (!more.slot)
        return false;
    for (size_t i = 0; i < gs->room; i++)
        if (gs->slot[i].id != 0)
            *probe(&more, gs->slot[i].id) = gs->slot[i];
    free(gs->slot);
    *gs = more;
    return true;
}

gl_patch_g *gl_patch_gs_get(gl_patch_gs *gs, uint64_t id)
{
    if (2 * (gs->n + 1) > gs->room && !grow(gs))
        return NULL;
    gl_patch_g *g = probe(gs, id);
    if (g->id == 0) {
        g->id = id;
        gs->n++;
    }
    return g;
}

void gl_patch_gs_remove(gl_patch_gs *gs, uint64_t id)
{
    if (gs->room == 0)
        return;
    gl_patch_g *g = probe(gs, id);
    if (g->id == 0)
        return;
    free(g->cases);
    gs->n--;
    size_t hole = (size_t)(g - gs->slot);
    /* What lies behind it in the same run moves up, so that no search ends too early. */
    for (size_t i = (hole + 1) & (gs->room - 1); gs->slot[i].id != 0; i = (i + 1) & (gs->room - 1)) {
        size_t home = place(gs, gs->slot[i].id);
        if (((i - home) & (gs->room - 1)) >= ((i - hole) & (gs->room - 1))) {
            gs->slot[hole] = gs->slot[i];
            hole = i;
        }
    }
    memset(&gs->slot[hole], 0, sizeof gs->slot[hole]);
}

void gl_patch_gs_free(gl_patch_gs *gs)
{
    for (size_t i = 0; i < gs->room; i++)
        free(gs->slot[i].cases);
    free(gs->slot);
    memset(gs, 0, sizeof *gs);
}
