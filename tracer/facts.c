#include "facts.h"

#include <stdlib.h>
#include <string.h>

static void *room(void *array, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return array;
    size_t more = *capacity ? 2 * *capacity : 16;
    void *grown = realloc(array, more * size);
    if (grown)
        *capacity = more;
    return grown;
}

static gl_fact *find(gl_facts *f, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->fact[i].key, key) == 0)
            return &f->fact[i];
    return NULL;
}

int gl_facts_meta(gl_facts *f, const char *key, const char *value)
{
    if (!value || !*value)
        return 0;
    char *copy = strdup(value);
    gl_fact *there = find(f, key);
    if (copy && there) {
        free(there->value);
        there->value = copy;
        return 0;
    }
    gl_fact *grown = room(f->fact, f->n, &f->capacity, sizeof *grown);
    if (grown)
        f->fact = grown;
    char *name = strdup(key);
    if (!grown || !copy || !name) {
        free(copy);
        free(name);
        return GL_E_NOMEM;
    }
    f->fact[f->n++] = (gl_fact){name, copy};
    return 0;
}

int gl_facts_process(gl_facts *f, const gl_process_info *process)
{
    gl_process_info *grown = room(f->process, f->processes, &f->processes_capacity, sizeof *grown);
    if (!grown)
        return GL_E_NOMEM;
    f->process = grown;
    grown[f->processes++] = *process;
    return 0;
}

int gl_facts_copy(gl_facts *to, const gl_facts *from)
{
    int status = 0;
    for (size_t i = 0; i < from->n && status >= 0; i++)
        status = gl_facts_meta(to, from->fact[i].key, from->fact[i].value);
    for (size_t i = 0; i < from->processes && status >= 0; i++)
        status = gl_facts_process(to, &from->process[i]);
    return status;
}

int gl_facts_put(const gl_facts *f, gl_writer *w)
{
    int status = 0;
    for (size_t i = 0; i < f->n && status >= 0; i++)
        status = gl_writer_meta(w, f->fact[i].key, f->fact[i].value);
    for (size_t i = 0; i < f->processes && status >= 0; i++)
        status = gl_writer_process(w, &f->process[i]);
    return status;
}

void gl_facts_free(gl_facts *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->fact[i].key);
        free(f->fact[i].value);
    }
    free(f->fact);
    free(f->process);
    *f = (gl_facts){0};
}
