#include "names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "idmap.h"
#include "symbols.h"

#define PROCESS_MAX 0xffffu

typedef struct process {
    uint32_t pid, index;
    gl_symbols *symbols;
    bool looked, ended;
    gl_idmap threads; /* by tid: thread index */
    gl_idmap frames;  /* by address: where in `lists` its frames are */
} process;

/** A stack that was met: its addresses are kept, so that a hash is never believed alone. */
typedef struct known_stack {
    uint64_t hash;
    uint32_t process, n, id; /* process: its place in the table */
    size_t at; /* in `pcs` */
} known_stack;

struct gl_names {
    gl_dict *dict;
    gl_names_process_fn on_process;
    void *user;
    process *process;
    size_t processes, processes_cap;
    gl_idmap process_of; /* by pid */
    known_stack *stack;  /* open addressing, n = 0 is empty */
    size_t stacks, stack_mask;
    uint64_t *pcs;
    size_t pcs_n, pcs_cap;
    uint32_t *lists; /* runs of frame ids, each led by its length */
    size_t lists_n, lists_cap;
};

gl_names *gl_names_new(gl_dict *dict, gl_names_process_fn on_process, void *user)
{
    gl_names *n = calloc(1, sizeof *n);
    if (n) {
        n->dict = dict;
        n->on_process = on_process;
        n->user = user;
    }
    return n;
}

void gl_names_free(gl_names *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->processes; i++) {
        gl_symbols_close(n->process[i].symbols);
        gl_idmap_free(&n->process[i].threads);
        gl_idmap_free(&n->process[i].frames);
    }
    free(n->process);
    gl_idmap_free(&n->process_of);
    free(n->stack);
    free(n->pcs);
    free(n->lists);
    free(n);
}

/** Room for n more of size bytes each; the array, or NULL without memory. */
static void *room(void *array, size_t used, size_t *capacity, size_t n, size_t size)
{
    if (used + n <= *capacity)
        return array;
    size_t more = *capacity ? *capacity : 64;
    while (more < used + n)
        more *= 2;
    void *grown = realloc(array, more * size);
    if (grown)
        *capacity = more;
    return grown;
}

/* Processes and threads. */

/** The first line of a small file, without its end; its length, 0 where there is none. */
static size_t read_line(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return strlen(out);
}

static uint32_t text_id(gl_names *n, const char *text)
{
    uint32_t id = 0;
    return *text && gl_dict_string(n->dict, text, strlen(text), &id) == 0 ? id : 0;
}

static uint64_t parent_of(uint32_t pid)
{
    char path[48], line[512];
    unsigned parent = 0;
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    const char *after = read_line(path, line, sizeof line) ? strrchr(line, ')') : NULL;
    return after && sscanf(after + 1, " %*c %u", &parent) == 1 ? parent : 0;
}

static int tell_process(gl_names *n, const gl_probe_source *source, const process *p)
{
    char path[48], name[64];
    snprintf(path, sizeof path, "/proc/%u/comm", p->pid);
    read_line(path, name, sizeof name);
    gl_process_info info = {.index = p->index, .pid = p->pid, .name = text_id(n, name), .parent = parent_of(p->pid)};
    if (source->go_version && p->pid == source->pid)
        info.go_version = text_id(n, source->go_version);
    return n->on_process ? n->on_process(n->user, &info) : 0;
}

static int find_process(gl_names *n, const gl_probe_source *source, uint32_t pid, process **out)
{
    uint32_t at;
    if (n->processes && gl_idmap_find(&n->process_of, pid, &at) && !n->process[at].ended) {
        *out = &n->process[at];
        return 0;
    }
    process *grown = room(n->process, n->processes, &n->processes_cap, 1, sizeof *grown);
    if (grown)
        n->process = grown;
    if (!grown || !gl_idmap_set(&n->process_of, pid, (uint32_t)n->processes))
        return GL_E_NOMEM;
    process *p = *out = &n->process[n->processes++];
    uint32_t index = n->processes <= PROCESS_MAX ? (uint32_t)n->processes - 1 : PROCESS_MAX;
    *p = (process){.pid = pid, .index = index};
    return n->processes <= PROCESS_MAX ? tell_process(n, source, p) : 0;
}

int gl_names_process(gl_names *n, const gl_probe_source *source, uint32_t *index)
{
    process *p;
    int status = find_process(n, source, source->pid, &p);
    *index = status < 0 ? 0 : p->index;
    return status;
}

void gl_names_end(gl_names *n, uint32_t pid)
{
    uint32_t at;
    if (gl_idmap_find(&n->process_of, pid, &at))
        n->process[at].ended = true;
}

int gl_names_thread(gl_names *n, const gl_probe_source *source, uint32_t pid, uint32_t tid, gl_session_thread *out, bool *fresh)
{
    process *p;
    int status = find_process(n, source, pid, &p);
    if (status < 0)
        return status;
    out->process = p->index;
    *fresh = !gl_idmap_find(&p->threads, tid, &out->thread);
    if (!*fresh)
        return 0;
    char path[64], name[64];
    snprintf(path, sizeof path, "/proc/%u/task/%u/comm", pid, tid);
    read_line(path, name, sizeof name);
    status = gl_dict_thread(n->dict, (gl_thread_info){tid, p->index, text_id(n, name)}, &out->thread);
    if (status >= 0 && !gl_idmap_put(&p->threads, tid, out->thread))
        status = GL_E_NOMEM;
    return status < 0 ? status : 0;
}

/* Stacks. */

void gl_names_look(gl_names *n, const gl_probe_source *source, uint32_t pid)
{
    process *p;
    if (source->ops->places || find_process(n, source, pid, &p) < 0)
        return;
    p->looked = true;
    if (p->symbols)
        gl_symbols_look(p->symbols);
    else
        p->symbols = gl_symbols_open(pid);
}

/** A process that was gone before it was looked at was most likely forked from the first: the same is mapped there. */
static gl_symbols *symbols_of(gl_names *n, const gl_probe_source *source, process *p)
{
    if (!p->looked)
        gl_names_look(n, source, p->pid);
    return p->symbols ? p->symbols : n->process[0].symbols;
}

static size_t places_of(gl_names *n, const gl_probe_source *source, process *p, uint64_t pc, gl_probe_place *out)
{
    size_t count = source->ops->places ? source->ops->places(source->self, p->pid, pc, out, GL_PROBE_PLACES_MAX) : 0;
    if (count)
        return count;
    gl_symbols *symbols = symbols_of(n, source, p);
    return symbols ? gl_symbols_places(symbols, pc, out, GL_PROBE_PLACES_MAX) : 0;
}

static int add_frame(gl_names *n, uint64_t pc, const gl_probe_place *place, uint32_t *id)
{
    gl_func func = {text_id(n, place->func), text_id(n, place->file)};
    gl_frame frame = {pc, 0, place->line};
    int status = func.name ? gl_dict_func(n->dict, func, &frame.func) : 0;
    return status < 0 ? status : gl_dict_frame(n->dict, frame, id);
}

/** Inlined parts of the emit API itself say nothing of the program. */
static size_t skip_own(const gl_probe_place *place, size_t count)
{
    size_t own = 0;
    while (own + 1 < count && strncmp(place[own].func, "gl_emit_", 8) == 0)
        own++;
    return own;
}

/** Works out an address once, and keeps the frames; *at is where they are. */
static int make_frames(gl_names *n, const gl_probe_source *source, process *p, uint64_t pc, uint64_t lookup, uint32_t *at)
{
    gl_probe_place found[GL_PROBE_PLACES_MAX], *place = found;
    size_t count = places_of(n, source, p, lookup, found);
    if (!count)
        found[count++] = (gl_probe_place){"", "", 0};
    size_t own = skip_own(found, count);
    place += own;
    count -= own;
    uint32_t *lists = room(n->lists, n->lists_n, &n->lists_cap, count + 1, sizeof *lists);
    if (!lists || n->lists_n + count + 1 >= UINT32_MAX)
        return GL_E_NOMEM;
    n->lists = lists;
    *at = (uint32_t)n->lists_n;
    lists[n->lists_n] = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        int status = add_frame(n, pc, &place[i], &lists[n->lists_n + 1 + i]);
        if (status < 0)
            return status;
    }
    n->lists_n += count + 1;
    return 0;
}

/** The addresses of one stack as frames; a return address belongs to the call before it. */
static int resolve(gl_names *n, const gl_probe_source *source, process *p, const uint64_t *pcs, size_t count, uint32_t *id)
{
    uint32_t frame[GL_RING_STACK_MAX + GL_PROBE_PLACES_MAX];
    size_t frames = 0;
    for (size_t i = 0; i < count && frames < GL_RING_STACK_MAX; i++) {
        uint64_t lookup = pcs[i] - (i > 0 && pcs[i] > 0);
        uint32_t at;
        if (!gl_idmap_find(&p->frames, lookup, &at)) {
            int status = make_frames(n, source, p, pcs[i], lookup, &at);
            if (status >= 0 && !gl_idmap_put(&p->frames, lookup, at))
                status = GL_E_NOMEM;
            if (status < 0)
                return status;
        }
        memcpy(frame + frames, n->lists + at + 1, n->lists[at] * sizeof *frame);
        frames += n->lists[at];
    }
    return gl_dict_stack(n->dict, frame, frames, id);
}

static uint64_t hash_of(uint32_t of, const uint64_t *pcs, size_t count)
{
    uint64_t h = of + count * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < count; i++)
        h = gl_idmap_hash(h ^ pcs[i]) * UINT64_C(0xff51afd7ed558ccd);
    return h ^ h >> 31;
}

/** The cell of that stack, or the empty one where it belongs. */
static known_stack *cell_of(const gl_names *n, known_stack *table, size_t mask, uint64_t hash, uint32_t of,
                            const uint64_t *pcs, size_t count)
{
    size_t i = (size_t)hash & mask;
    for (; table[i].n; i = (i + 1) & mask)
        if (table[i].hash == hash && table[i].process == of && table[i].n == count &&
            !memcmp(n->pcs + table[i].at, pcs, count * sizeof *pcs))
            break;
    return &table[i];
}

static bool grow_stacks(gl_names *n)
{
    size_t mask = n->stack ? 2 * n->stack_mask + 1 : 1023;
    known_stack *table = calloc(mask + 1, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; n->stack && i <= n->stack_mask; i++) {
        const known_stack *s = &n->stack[i];
        if (s->n)
            *cell_of(n, table, mask, s->hash, s->process, n->pcs + s->at, s->n) = *s;
    }
    free(n->stack);
    n->stack = table;
    n->stack_mask = mask;
    return true;
}

int gl_names_stack(gl_names *n, const gl_probe_source *source, uint32_t pid, const uint64_t *pcs, size_t count, uint32_t *id)
{
    process *p;
    int status = find_process(n, source, pid, &p);
    *id = 0;
    if (status < 0 || count == 0)
        return status;
    if ((!n->stack || 2 * n->stacks > n->stack_mask) && !grow_stacks(n))
        return GL_E_NOMEM;
    uint32_t number = (uint32_t)(p - n->process);
    uint64_t hash = hash_of(number, pcs, count);
    known_stack *cell = cell_of(n, n->stack, n->stack_mask, hash, number, pcs, count);
    if (cell->n) {
        *id = cell->id;
        return 0;
    }
    uint64_t *kept = room(n->pcs, n->pcs_n, &n->pcs_cap, count, sizeof *kept);
    if (!kept)
        return GL_E_NOMEM;
    n->pcs = kept;
    status = resolve(n, source, p, pcs, count, id);
    if (status < 0)
        return status;
    memcpy(kept + n->pcs_n, pcs, count * sizeof *pcs);
    *cell = (known_stack){hash, number, (uint32_t)count, *id, n->pcs_n};
    n->pcs_n += count;
    n->stacks++;
    return 0;
}
