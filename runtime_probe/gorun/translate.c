#include <stdlib.h>
#include <string.h>

#include "translate_internal.h"

/* Stacks, by the hash that stands in records */

typedef struct gl_stack_ids {
    struct {
        uint64_t hash;
        uint32_t id;
    } *slot;
    size_t room, n;
} gl_stack_ids;

static size_t stack_place(const gl_stack_ids *s, uint64_t hash)
{
    size_t i = (size_t)(hash >> 8) & (s->room - 1);
    while (s->slot[i].hash != 0 && s->slot[i].hash != hash)
        i = (i + 1) & (s->room - 1);
    return i;
}

static bool stack_grow(gl_stack_ids *s)
{
    gl_stack_ids more = {NULL, s->room ? 2 * s->room : 256, s->n};
    more.slot = calloc(more.room, sizeof *more.slot);
    if (!more.slot)
        return false;
    for (size_t i = 0; i < s->room; i++)
        if (s->slot[i].hash != 0)
            more.slot[stack_place(&more, s->slot[i].hash)] = s->slot[i];
    free(s->slot);
    *s = more;
    return true;
}

size_t gl_translate_places(const gl_translation *t, uint32_t pid, uint64_t pc, gl_probe_place *out, size_t n)
{
    gl_goframe f[GL_PROBE_PLACES_MAX];
    if (pid != (uint32_t)t->of.pid)
        return 0;
    if (n > GL_PROBE_PLACES_MAX)
        n = GL_PROBE_PLACES_MAX;
    size_t count = gl_goprog_frames(t->of.prog, pc - t->of.bias, f, n);
    if (count > 1 && count < n && gl_goprog_wrapped(t->of.prog, pc - t->of.bias))
        count--;
    for (size_t i = 0; i < count; i++)
        out[i] = (gl_probe_place){f[i].func, f[i].file, f[i].line};
    return count;
}

static bool is_goexit(const gl_translation *t, uint64_t pc)
{
    gl_gofunc f;
    return gl_goprog_func_of(t->of.prog, pc - t->of.bias - 1, &f) && strncmp(f.name, "runtime.goexit", 14) == 0;
}

/** Without goexit, to which the first function of a goroutine returns, and the function that the compiler made around it:
    Go's own traces have neither. */
size_t gl_translate_unwrapped(const gl_translation *t, const uint64_t *pcs, size_t n)
{
    gl_gofunc above;
    while (n > 0 && is_goexit(t, pcs[n - 1]))
        n--;
    uint64_t inside = n > 1 ? gl_goprog_wrapped(t->of.prog, pcs[n - 1] - t->of.bias - 1) : 0;
    bool called = inside && gl_goprog_func_of(t->of.prog, pcs[n - 2] - t->of.bias - (n > 2), &above) && above.entry == inside;
    return called ? n - 1 : n;
}

void gl_translate_stack(gl_translation *t, const gl_patch_record *r, const uint64_t *pcs, size_t n)
{
    gl_stack_ids *s = t->stacks;
    if (r->arg == 0 || (2 * (s->n + 1) > s->room && !stack_grow(s)))
        return;
    size_t i = stack_place(s, r->arg);
    if (s->slot[i].hash == r->arg)
        return;
    uint64_t frames[GL_PATCH_FRAMES + 1];
    if (n > GL_PATCH_FRAMES)
        n = GL_PATCH_FRAMES;
    /* All are return addresses; of the innermost the sink takes it that it is not. */
    for (size_t k = 0; k < n; k++)
        frames[k] = pcs[k] - (k == 0);
    uint32_t id = 0;
    n = gl_translate_unwrapped(t, frames, n);
    if (n == 0)
        return;
    int status = t->sink->on_stack(t->sink->user, (uint32_t)t->of.pid, frames, n, &id);
    if (status < 0) {
        t->status = status;
        return;
    }
    s->slot[i].hash = r->arg;
    s->slot[i].id = id;
    s->n++;
}

uint32_t gl_translate_stack_id(gl_translation *t, uint64_t hash)
{
    const gl_stack_ids *s = t->stacks;
    return hash && s->room ? s->slot[stack_place(s, hash)].id : 0;
}

/* Events */

void gl_translate_flush(gl_translation *t)
{
    size_t n = t->n;
    t->n = 0;
    if (n == 0 || t->status < 0)
        return;
    int status = t->sink->on_events(t->sink->user, t->batch, n);
    if (status != 0)
        t->status = status;
}

uint32_t gl_translate_text(gl_translation *t, const char *text, size_t n)
{
    uint32_t id = 0;
    int status = t->sink->on_text(t->sink->user, text, n, &id);
    if (status < 0)
        t->status = status;
    return id;
}

uint64_t gl_turn_goroutine(const gl_turn *x, uint64_t g)
{
    return g ? g | x->t->process << 48 : 0;
}

gl_event *gl_turn_event(const gl_turn *x, gl_event_type type, uint64_t g)
{
    gl_translation *t = x->t;
    if (t->n == GL_TRANSLATE_BATCH)
        gl_translate_flush(t);
    gl_event *ev = &t->batch[t->n++];
    *ev = (gl_event){.time = (int64_t)x->r->ticks,
                     .g = gl_turn_goroutine(x, g),
                     .thread = x->thread ? x->thread->who.thread : GL_NO_THREAD,
                     .p = x->thread ? x->thread->p : GL_NO_PROC,
                     .type = (uint16_t)type};
    return ev;
}

/* Records */

static const struct {
    gl_turn_fn turn;
    uint32_t extra_min, extra_max;
} kinds[GL_PATCH_TYPES] = {
    [GL_PATCH_CAS] = {gl_turn_cas, 0, 0},
    [GL_PATCH_STACK] = {NULL, 1, GL_PATCH_FRAMES / 4 + 1},
    [GL_PATCH_NEWPROC] = {gl_turn_newproc, 1, 1},
    [GL_PATCH_SEND] = {gl_turn_chan_begin, 0, 0},
    [GL_PATCH_SEND_END] = {gl_turn_send_end, 0, 0},
    [GL_PATCH_RECV] = {gl_turn_chan_begin, 0, 0},
    [GL_PATCH_RECV_END] = {gl_turn_recv_end, 0, 0},
    [GL_PATCH_CLOSE] = {gl_turn_close, 1, 1},
    [GL_PATCH_SELECT] = {gl_turn_select, 0, GL_PATCH_SELECT_CASES / 4},
    [GL_PATCH_SELECT_END] = {gl_turn_select_end, 0, 0},
    [GL_PATCH_MAKE] = {gl_turn_make, 1, 1},
    [GL_PATCH_GC_START] = {gl_turn_gc_start, 0, 0},
    [GL_PATCH_GC_END] = {gl_turn_gc_end, 0, 0},
    [GL_PATCH_STW] = {gl_turn_stop, 0, 1},
    [GL_PATCH_STW_END] = {gl_turn_stop_end, 0, 0},
    [GL_PATCH_ASSIST] = {gl_turn_assist, 0, 0},
    [GL_PATCH_ASSIST_END] = {gl_turn_assist_end, 0, 0},
    [GL_PATCH_PANIC] = {gl_turn_failure, 9, 9},
    [GL_PATCH_THROW] = {gl_turn_failure, 9, 9},
    [GL_PATCH_FATAL] = {gl_turn_failure, 9, 9},
    [GL_PATCH_JUMP] = {NULL, 0, 0},
};

uint32_t gl_record_units(const gl_patch_record *r)
{
    uint32_t extra = (uint32_t)(r->g >> GL_PATCH_EXTRA_SHIFT);
    if (r->type >= GL_PATCH_TYPES || r->type == GL_PATCH_NONE)
        return 0;
    return extra >= kinds[r->type].extra_min && extra <= kinds[r->type].extra_max ? 1 + extra : 0;
}

void gl_translate(gl_translation *t, uint32_t ring, const gl_patch_record *r)
{
    gl_turn x = {t, &t->threads[ring], ring, r, (const uint64_t *)(const void *)(r + 1),
                 r->g & ((UINT64_C(1) << GL_PATCH_EXTRA_SHIFT) - 1)};
    if (kinds[r->type].turn && t->status >= 0)
        kinds[r->type].turn(&x);
}

void gl_translate_lost(gl_translation *t, uint32_t ring, uint64_t events, uint64_t first, uint64_t last, const char *why)
{
    gl_patch_record r = {.ticks = first};
    gl_turn x = {t, ring == UINT32_MAX ? NULL : &t->threads[ring], ring, &r, NULL, 0};
    if (!why)
        why = "no room in the ring";
    uint32_t text = gl_translate_text(t, why, strlen(why));
    gl_event *ev = gl_turn_event(&x, GL_EV_Lost, 0);
    ev->arg[0] = events;
    ev->arg[2] = last;
    ev->arg[3] = text;
}

bool gl_translate_procs(gl_translation *t, uint64_t procs, uint64_t ticks)
{
    gl_patch_record r = {.ticks = ticks};
    for (uint32_t i = 0; i < t->of.threads; i++) {
        if (!t->threads[i].known)
            continue;
        gl_turn x = {t, &t->threads[i], i, &r, NULL, 0};
        gl_event *ev = gl_turn_event(&x, GL_EV_ProcsChange, 0);
        ev->p = GL_NO_PROC; /* whoever did it, it need not have been this thread */
        ev->arg[0] = procs;
        return true;
    }
    return false;
}

int gl_translation_start(gl_translation *t, const gl_translated *of)
{
    memset(t, 0, sizeof *t);
    t->of = *of;
    t->stacks = calloc(1, sizeof *t->stacks);
    t->threads = calloc(of->threads, sizeof *t->threads);
    for (uint32_t i = 0; t->threads && i < of->threads; i++)
        t->threads[i].p = GL_NO_PROC;
    return t->stacks && t->threads ? 0 : GL_E_NOMEM;
}

void gl_translation_end(gl_translation *t)
{
    if (t->stacks)
        free(t->stacks->slot);
    free(t->stacks);
    for (uint32_t i = 0; t->threads && i < t->of.threads; i++)
        free(t->threads[i].itself.cases);
    free(t->threads);
    free(t->p_thread);
    gl_patch_gs_free(&t->gs);
}
