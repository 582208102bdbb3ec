#include "goroutines.h"

#include <stdlib.h>
#include <string.h>

static int add_block(gl_goroutines *gs)
{
    int grown = GL_GROW(gs->blocks, gs->block_capacity, gs->block_count + 1);
    if (grown == 0)
        grown = GL_GROW(gs->free_slots, gs->free_capacity, (gs->block_count + 1) * GL_GOROUTINE_BLOCK);
    if (grown < 0)
        return grown;
    if (gs->block_count >= GL_NONE32 / GL_GOROUTINE_BLOCK)
        return GL_E_LIMIT;
    gl_goroutine *block = aligned_alloc(64, GL_GOROUTINE_BLOCK * sizeof *block);
    if (!block)
        return GL_E_NOMEM;
    memset(block, 0, GL_GOROUTINE_BLOCK * sizeof *block);
    gs->blocks[gs->block_count] = block;
    uint32_t first = (uint32_t)gs->block_count++ * GL_GOROUTINE_BLOCK;
    for (uint32_t i = GL_GOROUTINE_BLOCK; i-- > 0;)
        gs->free_slots[gs->free_count++] = first + i;
    return 0;
}

int gl_goroutines_add(gl_goroutines *gs, uint64_t id, uint32_t *slot)
{
    int status = gs->free_count ? 0 : add_block(gs);
    if (status == 0)
        status = gl_map_put(&gs->by_id, id, gs->free_slots[gs->free_count - 1]);
    if (status < 0)
        return status;
    *slot = gs->free_slots[--gs->free_count];
    gl_goroutine *g = gl_goroutines_at(gs, *slot);
    gl_waited *more = g->more_waited;
    size_t capacity = g->more_capacity;
    memset(g, 0, sizeof *g);
    g->more_waited = more;
    g->more_capacity = capacity;
    g->id = id;
    g->parent = GL_NO_GOROUTINE;
    g->last_waker = GL_NO_GOROUTINE;
    g->started = g->ended = -1;
    gs->seen++;
    return 0;
}

gl_waited *gl_goroutine_waited(gl_goroutine *g, uint8_t reason)
{
    for (uint32_t i = 0; i < g->waited_count; i++) {
        gl_waited *w = gl_goroutine_waited_at(g, i);
        if (w->reason == reason)
            return w;
    }
    if (g->waited_count >= GL_WAITED_INSIDE &&
        GL_GROW(g->more_waited, g->more_capacity, (size_t)g->waited_count - GL_WAITED_INSIDE + 1) < 0)
        return NULL;
    gl_waited *w = gl_goroutine_waited_at(g, g->waited_count++);
    *w = (gl_waited){0, reason, false, false};
    return w;
}

void gl_goroutines_ended(gl_goroutines *gs, uint32_t slot, uint32_t *out)
{
    *out = GL_NONE32;
    gl_goroutine *g = gl_goroutines_at(gs, slot);
    if (g->leaving)
        return;
    g->leaving = true;
    if (gs->leaving_count == GL_LEAVING) {
        uint32_t oldest = gs->leaving[gs->leaving_at];
        gl_goroutines_at(gs, oldest)->leaving = false;
        if (gl_goroutines_at(gs, oldest)->state == GL_G_NOT_EXIST)
            *out = oldest;
        gs->leaving[gs->leaving_at] = slot;
        gs->leaving_at = (gs->leaving_at + 1) % GL_LEAVING;
        return;
    }
    gs->leaving[(gs->leaving_at + gs->leaving_count++) % GL_LEAVING] = slot;
}

/* As Go's own IsSystemGoroutine: the runtime's, but for the one that runs main; a goroutine without a name counts too.
 */
bool gl_system_goroutine(const char *name)
{
    return *name == 0 || (strncmp(name, "runtime.", 8) == 0 && strcmp(name, "runtime.main") != 0);
}

static gl_group *group_of(gl_goroutines *gs, uint32_t name)
{
    uint32_t at = gl_map_get(&gs->group_of, name);
    if (at != GL_NONE32)
        return &gs->groups[at];
    if (GL_GROW(gs->groups, gs->group_capacity, gs->group_count + 1) < 0 ||
        gl_map_put(&gs->group_of, name, (uint32_t)gs->group_count) < 0)
        return NULL;
    gl_group *x = &gs->groups[gs->group_count++];
    x->name = name;
    return x;
}

static int add_to_group(gl_goroutines *gs, gl_goroutine *g)
{
    gl_group *x = group_of(gs, g->name);
    if (!x)
        return GL_E_NOMEM;
    int grown = GL_GROW(x->block, x->block_capacity, (size_t)gs->reasons->count);
    if (grown < 0)
        return grown;
    x->n++;
    x->alive += g->state != GL_G_NOT_EXIST;
    for (unsigned i = 0; i < GL_G_STATES; i++)
        x->ns[i] += g->ns[i];
    for (uint32_t i = 0; i < g->waited_count; i++)
        x->block[gl_goroutine_waited_at(g, i)->reason] += gl_goroutine_waited_at(g, i)->ns;
    return 0;
}

static int tell(gl_goroutines *gs, gl_goroutine *g)
{
    if (!gs->on_goroutine)
        return 0;
    int grown = GL_GROW(gs->row, gs->row_capacity, (size_t)g->waited_count);
    if (grown < 0)
        return grown;
    for (uint32_t i = 0; i < g->waited_count; i++) {
        const gl_waited *w = gl_goroutine_waited_at(g, i);
        gs->row[i] = (gl_reason_time){gs->reasons->list[w->reason].figures.reason, w->ns};
    }
    gl_goroutine_figures f = {
        .id = g->id,
        .parent = g->parent,
        .name = g->name,
        .end_state = g->state,
        .preexisting = g->preexisting,
        .created = g->created,
        .started = g->started,
        .ended = g->ended,
        .transitions = g->transitions,
        .times = {.block = gs->row, .block_count = g->waited_count},
    };
    memcpy(f.times.ns, g->ns, sizeof f.times.ns);
    return gs->on_goroutine(gs->user, &f);
}

static void count_goroutine(gl_goroutines *gs, const gl_goroutine *g)
{
    gs->preexisting += g->preexisting;
    gs->alive += g->state != GL_G_NOT_EXIST;
    gs->unnamed += g->name == 0;
    gs->system += gl_system_goroutine(gl_dict_text(gs->dict, g->name, NULL));
    gs->end_states[g->state]++;
}

int gl_goroutines_leave(gl_goroutines *gs, uint32_t slot)
{
    gl_goroutine *g = gl_goroutines_at(gs, slot);
    count_goroutine(gs, g);
    int status = add_to_group(gs, g);
    if (status == 0)
        status = tell(gs, g);
    gl_map_remove(&gs->by_id, g->id);
    g->id = GL_NO_GOROUTINE;
    gs->free_slots[gs->free_count++] = slot; /* its room was made when the record was */
    return status;
}

typedef struct id_slot {
    uint64_t id;
    uint32_t slot;
} id_slot;

static int by_id(const void *a, const void *b)
{
    const id_slot *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

int gl_goroutines_all(const gl_goroutines *gs, uint32_t **slots, size_t *n)
{
    size_t count = 0;
    id_slot *list = malloc((gs->by_id.count + 1) * sizeof *list);
    uint32_t *out = malloc((gs->by_id.count + 1) * sizeof *out);
    if (!list || !out) {
        free(list);
        free(out);
        return GL_E_NOMEM;
    }
    for (size_t i = 0; gs->by_id.slots && i <= gs->by_id.mask; i++) {
        if (gs->by_id.slots[i].value != GL_NONE32)
            list[count++] = (id_slot){gs->by_id.slots[i].key, gs->by_id.slots[i].value};
    }
    qsort(list, count, sizeof *list, by_id);
    for (size_t i = 0; i < count; i++)
        out[i] = list[i].slot;
    free(list);
    *slots = out;
    *n = count;
    return 0;
}

void gl_goroutines_clean_up(gl_goroutines *gs)
{
    for (size_t i = 0; i < gs->block_count; i++) {
        for (size_t k = 0; k < GL_GOROUTINE_BLOCK; k++)
            free(gs->blocks[i][k].more_waited);
        free(gs->blocks[i]);
    }
    free(gs->blocks);
    free(gs->free_slots);
    for (size_t i = 0; i < gs->group_count; i++)
        free(gs->groups[i].block);
    free(gs->groups);
    free(gs->row);
    gl_map_clean_up(&gs->by_id);
    gl_map_clean_up(&gs->group_of);
}
