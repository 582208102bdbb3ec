/* Texts that are no literals, each kept once for the rest of the process. Not for signal handlers. */
#include <pthread.h>
#include <stdlib.h>

#include "emit_internal.h"

typedef struct kept {
    struct kept *next;
    size_t n;
    char text[];
} kept;

#define CHAINS 4096u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static kept *chain[CHAINS];

static size_t chain_of(const char *text, size_t n)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619u;
    return (h ^ h >> 15) % CHAINS;
}

static kept *find(size_t i, const char *text, size_t n)
{
    kept *k = chain[i];
    while (k && (k->n != n || memcmp(k->text, text, n) != 0))
        k = k->next;
    return k;
}

static kept *keep(size_t i, const char *text, size_t n)
{
    kept *k = malloc(sizeof *k + n + 1);
    if (!k)
        return NULL;
    memcpy(k->text, text, n);
    k->text[n] = 0;
    k->n = n;
    k->next = chain[i];
    chain[i] = k;
    return k;
}

const char *gl_emit_intern(const char *text, size_t n)
{
    if (n > GL_RING_TEXT_MAX)
        n = GL_RING_TEXT_MAX;
    size_t i = chain_of(text, n);
    pthread_mutex_lock(&lock);
    kept *k = find(i, text, n);
    if (!k)
        k = keep(i, text, n);
    pthread_mutex_unlock(&lock);
    return k ? k->text : NULL;
}
