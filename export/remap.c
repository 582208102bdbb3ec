#include "golanes_export/remap.h"

#include <stdlib.h>

#include "collect.h"


/* Numbers of one kind: [id] is the other dictionary's number plus one, 0 not known yet. */
typedef struct numbers {
    uint32_t *of;
    size_t capacity;
} numbers;

struct gl_remap {
    const gl_dict *from;
    gl_dict *to;
    uint32_t process;
    numbers strings, funcs, frames, stacks, threads;
    uint32_t *frame_list;
    size_t frame_capacity;
};

gl_remap *gl_remap_new(const gl_dict *from, gl_dict *to, uint32_t process)
{
    gl_remap *r = calloc(1, sizeof *r);
    if (r) {
        r->from = from;
        r->to = to;
        r->process = process;
    }
    return r;
}

void gl_remap_destroy(gl_remap *r)
{
    if (!r)
        return;
    free(r->strings.of);
    free(r->funcs.of);
    free(r->frames.of);
    free(r->stacks.of);
    free(r->threads.of);
    free(r->frame_list);
    free(r);
}

/* 1 where it is known, 0 where it is to be added, a negative status. */
static int look(numbers *n, uint32_t id, uint32_t *out)
{
    if (id >= n->capacity && GL_GROW(n->of, n->capacity, (size_t)id + 1) < 0)
        return GL_E_NOMEM;
    *out = n->of[id] - 1;
    return n->of[id] != 0;
}

static int keep(numbers *n, uint32_t id, const uint32_t *other, int status)
{
    if (status == 0)
        n->of[id] = *other + 1;
    return status;
}

int gl_remap_string(gl_remap *r, uint32_t id, uint32_t *out)
{
    int known = look(&r->strings, id, out);
    if (known)
        return known < 0 ? known : 0;
    size_t n;
    const char *text = gl_dict_text(r->from, id, &n);
    int status = gl_dict_string(r->to, text, n, out);
    return keep(&r->strings, id, out, status);
}

static int func(gl_remap *r, uint32_t id, uint32_t *out)
{
    int known = look(&r->funcs, id, out);
    if (known)
        return known < 0 ? known : 0;
    gl_func f = gl_dict_get_func(r->from, id);
    int status = gl_remap_string(r, f.name, &f.name);
    if (status == 0)
        status = gl_remap_string(r, f.file, &f.file);
    if (status == 0)
        status = gl_dict_func(r->to, f, out);
    return keep(&r->funcs, id, out, status);
}

static int frame(gl_remap *r, uint32_t id, uint32_t *out)
{
    int known = look(&r->frames, id, out);
    if (known)
        return known < 0 ? known : 0;
    gl_frame f = gl_dict_get_frame(r->from, id);
    int status = f.func ? func(r, f.func, &f.func) : 0;
    if (status == 0)
        status = gl_dict_frame(r->to, f, out);
    return keep(&r->frames, id, out, status);
}

static int stack(gl_remap *r, uint32_t id, uint32_t *out)
{
    int known = look(&r->stacks, id, out);
    if (known)
        return known < 0 ? known : 0;
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(r->from, id, &n);
    int status = GL_GROW(r->frame_list, r->frame_capacity, n + 1);
    for (size_t i = 0; i < n && status == 0; i++)
        status = frame(r, frames[i], &r->frame_list[i]);
    if (status == 0)
        status = gl_dict_stack(r->to, r->frame_list, n, out);
    return keep(&r->stacks, id, out, status);
}

static int thread(gl_remap *r, uint32_t id, uint32_t *out)
{
    *out = id;
    if (id == GL_NO_THREAD)
        return 0;
    int known = look(&r->threads, id, out);
    if (known)
        return known < 0 ? known : 0;
    gl_thread_info t = gl_dict_get_thread(r->from, id);
    t.process += r->process;
    int status = gl_remap_string(r, t.name, &t.name);
    if (status == 0)
        status = gl_dict_thread(r->to, t, out);
    return keep(&r->threads, id, out, status);
}

static uint64_t proc(const gl_remap *r, uint64_t p)
{
    return p == GL_NO_PROC ? p : p + (uint64_t)r->process * GL_PROCS_APART;
}

static int argument(gl_remap *r, gl_kind kind, uint64_t *v)
{
    uint32_t id = *v > UINT32_MAX ? 0 : (uint32_t)*v;
    int status = 0;
    switch (kind) {
    case GL_KIND_STRING: status = gl_remap_string(r, id, &id); break;
    case GL_KIND_STACK: status = id ? stack(r, id, &id) : 0; break;
    case GL_KIND_THREAD: status = thread(r, id, &id); break;
    case GL_KIND_PROC: *v = proc(r, *v); return 0;
    case GL_KIND_GOROUTINE:
    case GL_KIND_TASK:
    case GL_KIND_CHAN: *v = *v ? *v + ((uint64_t)r->process << 48) : 0; return 0;
    default: return 0;
    }
    *v = id;
    return status;
}

int gl_remap_event(gl_remap *r, gl_event *ev)
{
    const gl_event_info *info = gl_event_lookup(ev->type);
    int status = thread(r, ev->thread, &ev->thread);
    if (status == 0 && ev->stack)
        status = stack(r, ev->stack, &ev->stack);
    ev->p = (uint32_t)proc(r, ev->p);
    ev->g = ev->g ? ev->g + ((uint64_t)r->process << 48) : 0;
    for (unsigned i = 0; info && i < info->arg_count && status == 0; i++)
        status = argument(r, info->args[i].kind, &ev->arg[i]);
    return status;
}
