/*
 * The heap: an arena of spans, each with objects of one size. A large object has as many spans as it needs. Each object
 * has a header; free ones of a span are in a list. A span is swept before it is allocated from again.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "rt.h"

#define SPAN ((size_t)32 << 10)
#define SMALL_MAX ((size_t)8 << 10)

static const uint32_t class_bytes[] = {32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, SMALL_MAX};
#define CLASSES (sizeof class_bytes / sizeof *class_bytes)

typedef struct span {
    uint32_t object_bytes; /* 0: not in use; of a large object: all its spans */
    uint32_t first;        /* the span that it begins in */
    uint32_t swept;        /* in this round */
    object *free;
    struct span *next; /* of its class */
} span;

static struct {
    uint32_t lock;
    unsigned char *arena;
    size_t bytes;
    span *spans;
    uint32_t span_count, used; /* spans below `used` were in use at some time */
    span *classes[CLASSES];    /* spans of the class that may have room */
    uint32_t sweep_at;
    uint32_t round;
    uint64_t live; /* bytes of objects */
} heap;

bool rt_heap_init(size_t min, size_t max)
{
    (void)min;
    memset(&heap, 0, sizeof heap);
    heap.span_count = (uint32_t)((max ? max : (size_t)256 << 20) / SPAN);
    heap.bytes = heap.span_count * SPAN;
    void *arena = mmap(NULL, heap.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
        return false;
    heap.arena = arena;
    heap.spans = calloc(heap.span_count, sizeof *heap.spans);
    return heap.spans != NULL;
}

void rt_heap_clean_up(void)
{
    if (heap.arena)
        munmap(heap.arena, heap.bytes);
    free(heap.spans);
    memset(&heap, 0, sizeof heap);
}

static unsigned char *span_base(const span *s)
{
    return heap.arena + (size_t)(s - heap.spans) * SPAN;
}

object *rt_heap_find(uintptr_t word)
{
    uintptr_t at = word - (uintptr_t)heap.arena;
    if (at >= heap.bytes)
        return NULL;
    const span *s = &heap.spans[at / SPAN];
    s = &heap.spans[__atomic_load_n(&s->first, __ATOMIC_ACQUIRE)];
    uint32_t size = __atomic_load_n(&s->object_bytes, __ATOMIC_ACQUIRE);
    size_t in_span = word - (uintptr_t)span_base(s);
    if (!size || (size <= SMALL_MAX && in_span / size >= SPAN / size))
        return NULL;
    object *o = (object *)(void *)(span_base(s) + in_span / size * size);
    return __atomic_load_n(&o->used, __ATOMIC_ACQUIRE) ? o : NULL;
}

/* Everything below has the heap's lock. */

static void give(span *s, object *o)
{
    o->next_free = s->free;
    s->free = o;
}

static void free_object(span *s, object *o)
{
    heap.live -= o->bytes;
    __atomic_store_n(&o->used, 0, __ATOMIC_RELEASE);
    if (s->object_bytes <= SMALL_MAX) {
        give(s, o);
        return;
    }
    uint32_t n = s->object_bytes / SPAN;
    __atomic_store_n(&s->object_bytes, 0, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < n; i++)
        __atomic_store_n(&s[i].first, s->first + i, __ATOMIC_RELEASE);
}

/** Bytes that became free. */
static uint64_t sweep(span *s, uint8_t mark, uint64_t *freed)
{
    uint64_t before = heap.live;
    size_t step = s->object_bytes, end = step <= SMALL_MAX ? SPAN : step;
    s->swept = heap.round;
    for (size_t at = 0; at + step <= end; at += step) {
        object *o = (object *)(void *)(span_base(s) + at);
        if (o->used && __atomic_load_n(&o->mark, __ATOMIC_RELAXED) != mark) {
            free_object(s, o);
            ++*freed;
        }
    }
    return before - heap.live;
}

static void sweep_told(span *s, uint8_t mark)
{
    uint64_t bytes = s->object_bytes <= SMALL_MAX ? SPAN : s->object_bytes, freed = 0;
    worker *w = rt_self();
    gl_emit_GCSweepBegin();
    uint64_t reclaimed = sweep(s, mark, &freed);
    w->counts.sweeps++;
    w->counts.objects_freed += freed;
    gl_emit_GCSweepEnd(bytes, reclaimed);
}

/** So many free spans in a row; the first of them, or NULL. */
static span *free_spans(uint32_t n)
{
    uint32_t run = 0;
    for (uint32_t i = 0; i < heap.span_count; i++) {
        const span *s = &heap.spans[i];
        bool is_free = i >= heap.used || (s->object_bytes == 0 && s->first == i);
        run = is_free ? run + 1 : 0;
        if (run < n)
            continue;
        for (uint32_t k = heap.used; k <= i; k++)
            __atomic_store_n(&heap.spans[k].first, k, __ATOMIC_RELEASE);
        heap.used = i + 1 > heap.used ? i + 1 : heap.used;
        return &heap.spans[i + 1 - n];
    }
    return NULL;
}

static span *new_small_span(uint32_t size)
{
    span *s = free_spans(1);
    if (!s)
        return NULL;
    s->swept = heap.round;
    s->free = NULL;
    for (size_t at = SPAN / size * size; at > 0; at -= size) {
        object *o = (object *)(void *)(span_base(s) + at - size);
        __atomic_store_n(&o->used, 0, __ATOMIC_RELAXED);
        give(s, o);
    }
    __atomic_store_n(&s->object_bytes, size, __ATOMIC_RELEASE);
    return s;
}

static object *take_small(unsigned class, uint8_t mark)
{
    for (span **at = &heap.classes[class]; *at;) {
        span *s = *at;
        if (s->swept != heap.round)
            sweep_told(s, mark);
        if (s->free) {
            object *o = s->free;
            s->free = o->next_free;
            return o;
        }
        *at = s->next; /* full: it comes back when the next round finds something in it */
    }
    span *s = new_small_span(class_bytes[class]);
    if (!s)
        return NULL;
    s->next = heap.classes[class];
    heap.classes[class] = s;
    object *o = s->free;
    s->free = o->next_free;
    return o;
}

static object *take_large(size_t bytes)
{
    uint32_t n = (uint32_t)((bytes + SPAN - 1) / SPAN);
    span *s = free_spans(n);
    if (!s)
        return NULL;
    uint32_t first = (uint32_t)(s - heap.spans);
    for (uint32_t i = 1; i < n; i++)
        __atomic_store_n(&s[i].first, first, __ATOMIC_RELEASE);
    s->swept = heap.round;
    __atomic_store_n(&((object *)(void *)span_base(s))->used, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&s->object_bytes, (uint32_t)(n * SPAN), __ATOMIC_RELEASE);
    return (object *)(void *)span_base(s);
}

object *rt_heap_take(size_t bytes, unsigned pointers, uint8_t mark)
{
    size_t whole = bytes + sizeof(object);
    unsigned class = 0;
    while (class < CLASSES && class_bytes[class] < whole)
        class++;
    rt_lock(&heap.lock);
    object *o = whole >= heap.bytes ? NULL : class < CLASSES ? take_small(class, mark) : take_large(whole);
    if (o) {
        memset(o + 1, 0, bytes);
        o->bytes = (uint32_t)whole;
        o->pointers = (uint16_t)pointers;
        heap.live += whole;
        __atomic_store_n(&o->mark, mark, __ATOMIC_RELAXED);
        __atomic_store_n(&o->used, 1, __ATOMIC_RELEASE);
    }
    rt_unlock(&heap.lock);
    return o;
}

bool rt_heap_sweep(uint8_t mark)
{
    rt_lock(&heap.lock);
    while (heap.sweep_at < heap.used) {
        span *s = &heap.spans[heap.sweep_at++];
        if (!s->object_bytes || s->swept == heap.round)
            continue;
        sweep_told(s, mark);
        break;
    }
    bool more = heap.sweep_at < heap.used;
    rt_unlock(&heap.lock);
    return more;
}

static unsigned class_of(uint32_t size)
{
    unsigned class = 0;
    while (class_bytes[class] < size)
        class++;
    return class;
}

void rt_heap_sweep_again(void)
{
    rt_lock(&heap.lock);
    heap.round++;
    heap.sweep_at = 0;
    memset(heap.classes, 0, sizeof heap.classes);
    for (uint32_t i = heap.used; i-- > 0;) {
        span *s = &heap.spans[i];
        if (!s->object_bytes || s->object_bytes > SMALL_MAX)
            continue;
        unsigned class = class_of(s->object_bytes);
        s->next = heap.classes[class];
        heap.classes[class] = s;
    }
    rt_unlock(&heap.lock);
}

uint64_t rt_heap_live(void)
{
    rt_lock(&heap.lock);
    uint64_t live = heap.live;
    rt_unlock(&heap.lock);
    return live;
}
