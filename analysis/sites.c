#include "sites.h"

#include <stdlib.h>
#include <string.h>

/*
 * Top frames of the stack of a GoUnpark. The runtime's tracer leaves out the frames below the channel operation, so the
 * top one names it; close is the exception: its frame is left out too, and the stack begins with the caller (measured
 * on Go 1.19 to 1.26).
 */
static const struct {
    const char *func;
    gl_release release;
} release_frames[] = {
    {"runtime.chansend1", GL_RELEASE_SEND},    {"runtime.chansend", GL_RELEASE_SEND},
    {"runtime.selectnbsend", GL_RELEASE_SEND}, {"reflect.chansend", GL_RELEASE_SEND},
    {"reflect.chansend0", GL_RELEASE_SEND},    {"runtime.chanrecv1", GL_RELEASE_RECV},
    {"runtime.chanrecv2", GL_RELEASE_RECV},    {"runtime.chanrecv", GL_RELEASE_RECV},
    {"runtime.selectnbrecv", GL_RELEASE_RECV}, {"runtime.selectnbrecv2", GL_RELEASE_RECV},
    {"reflect.chanrecv", GL_RELEASE_RECV},     {"runtime.selectgo", GL_RELEASE_SELECT},
    {"reflect.rselect", GL_RELEASE_SELECT},    {"runtime.closechan", GL_RELEASE_CLOSE},
    {"reflect.chanclose", GL_RELEASE_CLOSE},
};

static bool of_runtime(const char *func) { return strncmp(func, "runtime.", 8) == 0; }

/* What waits on behalf of its caller: to know that it was inside Lock says nothing of whose lock it was. */
static bool for_its_caller(const char *func)
{
    static const char *const packages[] = {"sync.", "internal/sync.", "internal/poll.", "time.Sleep"};
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
        if (strncmp(func, packages[i], strlen(packages[i])) == 0)
            return true;
    }
    return of_runtime(func);
}

/* How well a frame says where in the program a stack is. */
static unsigned tells_place(const char *func) { return of_runtime(func) ? 1 : for_its_caller(func) ? 2 : 3; }

static uint8_t release_of(const char *func)
{
    for (size_t i = 0; i < sizeof release_frames / sizeof *release_frames; i++) {
        if (strcmp(release_frames[i].func, func) == 0)
            return (uint8_t)release_frames[i].release;
    }
    return *func == 0 || of_runtime(func) ? GL_RELEASE_UNKNOWN : GL_RELEASE_CLOSE;
}

const char *gl_release_name(unsigned kind)
{
    static const char *const names[GL_RELEASE_KINDS] = {"not known", "send",  "receive",
                                                        "select",    "close", "timer or network"};
    return kind < GL_RELEASE_KINDS ? names[kind] : "not known";
}

static void learn_frame(gl_sites *s, gl_frame f, uint32_t frame)
{
    if (!gl_bits_set(&s->frames, frame, &s->status))
        return;
    s->frame_count++;
    if (gl_bits_set(&s->funcs, f.func, &s->status))
        s->func_count++;
    int status = gl_map_put(&s->lines, (uint64_t)f.func << 32 | f.line, 0);
    if (status < 0)
        s->status = status;
}

gl_stack_facts *gl_sites_learn(gl_sites *s, uint32_t stack)
{
    if (stack >= gl_dict_stack_count(s->dict))
        stack = 0;
    int grown = GL_GROW(s->facts, s->capacity, (size_t)stack + 1);
    if (grown < 0) {
        s->status = grown;
        return NULL;
    }
    gl_stack_facts *k = &s->facts[stack];
    if (stack == 0) {
        k->known = true;
        return k;
    }
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(s->dict, stack, &n);
    unsigned placed = 0;
    for (size_t i = 0; i < n; i++) {
        gl_frame f = gl_dict_get_frame(s->dict, frames[i]);
        gl_func func = gl_dict_get_func(s->dict, f.func);
        const char *name = gl_dict_text(s->dict, func.name, NULL);
        learn_frame(s, f, frames[i]);
        if (i == 0)
            k->release = release_of(name);
        if (tells_place(name) > placed) {
            k->site = (gl_site){func.name, func.file, f.line, stack};
            placed = tells_place(name);
        }
        k->root = func.name;
    }
    s->stacks++;
    if (n > s->depth)
        s->depth = n;
    k->known = true;
    return k;
}

/* By prefix, since some have numbered or suffixed kin (chanrecv1, runtime_SemacquireMutex). */
static const struct {
    const char *func, *reason;
} wait_frames[] = {
    {"runtime.chansend", "chan send"},
    {"runtime.chanrecv", "chan receive"},
    {"runtime.selectgo", "select"},
    {"runtime.block", "forever"},
    {"time.Sleep", "sleep"},
    {"internal/poll.runtime_pollWait", "network"},
    {"net.runtime_pollWait", "network"},
    {"sync.runtime_notifyListWait", "sync.(*Cond).Wait"},
    {"sync.runtime_Sem", "sync"},
    {"internal/sync.runtime_Sem", "sync"},
    {"os/signal.signal_recv", "signal"},
};

const char *gl_sites_wait(const gl_sites *s, uint32_t stack)
{
    size_t n;
    gl_dict_get_stack(s->dict, stack, &n);
    for (size_t i = 0; i < n; i++) {
        const char *func = gl_dict_stack_func(s->dict, stack, i);
        for (size_t k = 0; k < sizeof wait_frames / sizeof *wait_frames; k++) {
            if (strncmp(func, wait_frames[k].func, strlen(wait_frames[k].func)) == 0)
                return wait_frames[k].reason;
        }
        if (!of_runtime(func))
            return NULL;
    }
    return NULL;
}

bool gl_stack_enters(const gl_dict *dict, uint32_t stack, const char *func)
{
    size_t n;
    gl_dict_get_stack(dict, stack, &n);
    for (size_t i = 0; i < n; i++) {
        const char *frame = gl_dict_stack_func(dict, stack, i);
        if (strcmp(frame, func) == 0)
            return true;
        if (!of_runtime(frame))
            return false;
    }
    return false;
}

gl_site gl_sites_where(gl_sites *s, uint32_t stack)
{
    const gl_stack_facts *k = gl_sites_get(s, stack);
    return k ? k->site : (gl_site){0};
}

gl_site gl_sites_maker(gl_sites *s, uint32_t stack)
{
    size_t n, i = 0;
    const uint32_t *frames = gl_dict_get_stack(s->dict, stack, &n);
    while (i < n && strncmp(gl_dict_stack_func(s->dict, stack, i), "runtime.makechan", 16) == 0)
        i++;
    if (i == n || !of_runtime(gl_dict_stack_func(s->dict, stack, i)))
        return gl_sites_where(s, stack);
    gl_frame f = gl_dict_get_frame(s->dict, frames[i]);
    gl_func func = gl_dict_get_func(s->dict, f.func);
    return (gl_site){func.name, func.file, f.line, stack};
}

static int by_time(const void *a, const void *b)
{
    const gl_block_site *x = a, *y = b;
    return x->ns > y->ns ? -1 : x->ns < y->ns;
}

static int by_place(const void *a, const void *b)
{
    const gl_block_site *x = a, *y = b;
    if (x->reason != y->reason)
        return x->reason < y->reason ? -1 : 1;
    if (x->site.func != y->site.func)
        return x->site.func < y->site.func ? -1 : 1;
    return x->site.line < y->site.line ? -1 : x->site.line > y->site.line;
}

/* Different ways to the same place are one site. */
static size_t merge_places(gl_block_site *list, size_t n)
{
    qsort(list, n, sizeof *list, by_place);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept && by_place(&list[kept - 1], &list[i]) == 0) {
            list[kept - 1].n += list[i].n;
            list[kept - 1].ns += list[i].ns;
        } else {
            list[kept++] = list[i];
        }
    }
    return kept;
}

int gl_sites_list(const gl_sites *s, size_t most, gl_block_site **out, size_t *n)
{
    size_t count = 0;
    gl_block_site *list = malloc((s->capacity + 1) * sizeof *list);
    if (!list)
        return GL_E_NOMEM;
    for (size_t i = 1; i < s->capacity; i++) {
        const gl_stack_facts *k = &s->facts[i];
        if (k->waits_ended)
            list[count++] = (gl_block_site){k->wait_reason, k->site, k->waits_ended, k->wait_ns};
    }
    count = merge_places(list, count);
    qsort(list, count, sizeof *list, by_time);
    *out = list;
    *n = count < most ? count : most;
    return 0;
}

void gl_sites_clean_up(gl_sites *s)
{
    free(s->facts);
    free(s->frames.words);
    free(s->funcs.words);
    gl_map_clean_up(&s->lines);
}
