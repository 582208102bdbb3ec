/*
 * Strings and stacks of a v1 trace, into the dictionary.
 */
#include "v1.h"

#include <stdlib.h>

int gl_v1_take_string(gl_v1_trace *t, uint64_t id, const uint8_t *p, size_t n)
{
    uint32_t text;
    if (id == 0 || n == 0 || gl_v1_ids_get(&t->strings, id, &text)) {
        t->name_faults++;
        return 0;
    }
    int rc = gl_dict_string(t->opt->dict, (const char *)p, n, &text);
    return rc < 0 ? rc : gl_v1_ids_put(&t->strings, id, text);
}

/* A stack on its way into the dictionary. */
typedef struct frame_list {
    uint32_t at[V1_FRAMES_MAX];
    size_t n;
} frame_list;

static int add_frame(gl_v1_trace *t, frame_list *list, gl_func f, uint64_t pc, uint64_t line)
{
    gl_frame frame = {.pc = pc, .line = line <= UINT32_MAX ? (uint32_t)line : 0};
    if (list->n == V1_FRAMES_MAX)
        return 0;
    int rc = f.name == 0 && f.file == 0 ? 0 : gl_dict_func(t->opt->dict, f, &frame.func);
    return rc < 0 ? rc : gl_dict_frame(t->opt->dict, frame, &list->at[list->n++]);
}

/* A bare PC: as many frames as the symboliser knows, or one without a name. */
static int add_pc(gl_v1_trace *t, frame_list *list, uint64_t pc, uint64_t lookup)
{
    gl_pc_name names[16];
    size_t n = t->opt->symbolize ? t->opt->symbolize(t->opt->symbolize_user, lookup, names, 16) : 0;
    if (n == 0)
        return add_frame(t, list, (gl_func){0}, pc, 0);
    for (size_t i = 0; i < n && i < 16; i++) {
        gl_func f;
        const char *func = names[i].func ? names[i].func : "", *file = names[i].file ? names[i].file : "";
        int rc = gl_dict_string(t->opt->dict, func, strlen(func), &f.name);
        if (rc == 0)
            rc = gl_dict_string(t->opt->dict, file, strlen(file), &f.file);
        if (rc == 0)
            rc = add_frame(t, list, f, pc, names[i].line);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int gl_v1_pc_stack(gl_v1_trace *t, uint64_t pc, uint32_t *stack)
{
    frame_list list;
    list.n = 0;
    *stack = 0;
    if (pc == 0)
        return 0;
    int rc = add_pc(t, &list, pc, pc);
    return rc < 0 ? rc : gl_dict_stack(t->opt->dict, list.at, list.n, stack);
}

/* The dictionary's string for one of the file. false: not there. */
static bool name_of(const gl_v1_trace *t, uint64_t id, uint32_t *text)
{
    *text = 0;
    return id == 0 || gl_v1_ids_get(&t->strings, id, text);
}

/* One frame: pc, and since Go 1.7 the ids of function and file, and the line. */
static int take_frame(gl_v1_trace *t, frame_list *list, const uint64_t number[4], bool last_try, bool *later)
{
    if (t->wire.version < 7)
        return add_pc(t, list, number[0], number[0] - 1); /* a return address: the call is before it */
    gl_func f;
    bool named = name_of(t, number[1], &f.name), placed = name_of(t, number[2], &f.file);
    bool known = named && placed;
    if (!known && !last_try) {
        *later = true;
        return 0;
    }
    t->name_faults += !known;
    return add_frame(t, list, f, number[0], number[3]);
}

int gl_v1_take_stack(gl_v1_trace *t, const uint8_t *p, size_t n, bool last_try, bool *later)
{
    const uint8_t *end = p + n;
    uint64_t id, count, number[4];
    unsigned width = t->wire.version < 7 ? 1 : 4;
    frame_list list;
    list.n = 0;
    *later = false;
    bool sound = gl_leb_read(&p, end, &id) && gl_leb_read(&p, end, &count) && count <= V1_FRAMES_MAX;
    for (uint64_t i = 0; sound && i < count; i++) {
        for (unsigned k = 0; sound && k < width; k++)
            sound = gl_leb_read(&p, end, &number[k]);
        int rc = sound ? take_frame(t, &list, number, last_try, later) : 0;
        if (rc < 0 || *later)
            return rc;
    }
    if (!sound || p != end) {
        t->name_faults++;
        return 0;
    }
    uint32_t stack;
    int rc = gl_dict_stack(t->opt->dict, list.at, list.n, &stack);
    if (rc < 0 || (uint32_t)id == 0 || stack == 0)
        return rc;
    t->has_stacks = true;
    return gl_v1_ids_put(&t->stacks, (uint32_t)id, stack);
}

int gl_v1_take_late_stacks(gl_v1_trace *t)
{
    uint8_t *buf = t->late_count ? malloc(V1_STACK_BYTES_MAX) : NULL;
    int rc = t->late_count && !buf ? GL_E_NOMEM : 0;
    for (uint32_t i = 0; rc == 0 && i < t->late_count; i++) {
        ssize_t got = gl_input_read(t->in, t->late[i].offset, buf, t->late[i].length);
        bool later;
        rc = got < 0 ? (int)got : gl_v1_take_stack(t, buf, (size_t)got, true, &later);
    }
    free(buf);
    return rc;
}
