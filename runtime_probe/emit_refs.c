/*
 * Texts and stacks: known ones by their number in the current block, new ones defined there first.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "emit_internal.h"

#define STACK_DEPTH_DEFAULT 8u
#define MAIN_STACK_MAX ((uintptr_t)64 << 20) /* less than the gap that the kernel keeps below it */

static uint32_t stack_depth = STACK_DEPTH_DEFAULT;

/** Mixes 16 bytes into a hash by one wide multiplication. */
static uint64_t mix(uint64_t hash, uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 wide =
        (unsigned __int128)(a ^ hash ^ UINT64_C(0xa0761d6478bd642f)) * (b ^ UINT64_C(0xe7037ed1a0b428db));
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

/** Never 0, and never what an address of the program can be. */
static uint64_t hash_bytes(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint64_t hash = n, word[2];
    for (; n >= 16; p += 16, n -= 16) {
        memcpy(word, p, 16);
        hash = mix(hash, word[0], word[1]);
    }
    word[0] = word[1] = 0;
    memcpy(word, p, n);
    return mix(hash, word[0], word[1]) | UINT64_C(1) << 63;
}

/** Likewise, of n >= 1 frames. */
static uint64_t hash_frames(const uint64_t *pcs, uint32_t n)
{
    uint64_t hash = n;
    for (; n >= 2; pcs += 2, n -= 2)
        hash = mix(hash, pcs[0], pcs[1]);
    if (n)
        hash = mix(hash, pcs[0], 0);
    return mix(hash, 0, 0) | UINT64_C(1) << 63;
}

/** Makes sure that n bytes can be defined in one block and an event can follow. */
static bool reserve(gl_emit_thread *self, gl_emit_writer *t, size_t n)
{
    return t->pos + n < t->real_limit || gl_emit_next_block(self, t);
}

static bool define_text(gl_emit_thread *self, gl_emit_writer *t, const char *text, size_t n)
{
    if (!reserve(self, t, n + 11))
        return false;
    uint8_t *p = t->pos;
    *p++ = GL_RING_CONTROL;
    *p++ = GL_RING_TEXT;
    p = gl_ring_put(p, n);
    memcpy(p, text, n);
    t->texts++;
    gl_emit_publish(t, p + n);
    return true;
}

static bool define_stack(gl_emit_thread *self, gl_emit_writer *t, const uint64_t *pcs, uint32_t n)
{
    if (!reserve(self, t, 11 + 9 * (size_t)n))
        return false;
    uint8_t *p = t->pos;
    *p++ = GL_RING_CONTROL;
    *p++ = GL_RING_STACK;
    p = gl_ring_put(p, n);
    uint64_t before = 0;
    for (uint32_t i = 0; i < n; i++) {
        p = gl_ring_put(p, gl_ring_zigzag(pcs[i] - before));
        before = pcs[i];
    }
    t->stacks++;
    gl_emit_publish(t, p);
    return true;
}

static bool resolve_text(gl_emit_thread *self, gl_emit_writer *t, gl_emit_ref *ref)
{
    const char *text = ref->p;
    ref->id = 0;
    if (!text)
        return true;
    uint64_t key = (uint64_t)(uintptr_t)text;
    size_t n = 0;
    if (ref->kind == GL_EMIT_COPY) {
        n = strnlen(text, GL_RING_TEXT_MAX);
        key = hash_bytes(text, n);
    }
    gl_ring_memo *m = &t->ring->text_memo[gl_emit_memo_index_(key)];
    if (m->key != key || m->block != t->block) {
        if (ref->kind != GL_EMIT_COPY)
            n = strnlen(text, GL_RING_TEXT_MAX);
        if (!define_text(self, t, text, n))
            return false;
        *m = (gl_ring_memo){key, t->block, t->texts};
    }
    ref->id = m->id;
    return true;
}

static bool resolve_stack(gl_emit_thread *self, gl_emit_writer *t, gl_emit_ref *ref)
{
    uint32_t n = ref->n < GL_RING_STACK_MAX ? ref->n : GL_RING_STACK_MAX;
    ref->id = 0;
    if (!n || !ref->p)
        return true;
    uint64_t key = hash_frames(ref->p, n);
    gl_ring_memo *m = &t->ring->stack_memo[gl_emit_memo_index_(key)];
    if (m->key != key || m->block != t->block) {
        if (!define_stack(self, t, ref->p, n))
            return false;
        *m = (gl_ring_memo){key, t->block, t->stacks};
    }
    ref->id = m->id;
    return true;
}

/* Where a definition opens a new block, the ids found before it are void: once more, and now all fit. */
bool gl_emit_resolve(gl_emit_thread *self, gl_emit_writer *t, gl_emit_ref *refs, unsigned n)
{
    for (;;) {
        uint32_t block = t->block;
        for (unsigned i = 0; i < n; i++)
            if (!(refs[i].kind == GL_EMIT_STACK ? resolve_stack(self, t, &refs[i]) : resolve_text(self, t, &refs[i])))
                return false;
        if (t->block == block)
            return true;
    }
}

/* The stack that this code runs on. Walks stay inside it, so that a frame pointer that is none can't do harm. */

/** A number in hexadecimal, and what follows it. */
static const char *hex(const char *s, const char *end, uintptr_t *v)
{
    *v = 0;
    for (; s < end; s++) {
        unsigned digit = (unsigned)*s - '0';
        if (digit > 9)
            digit = ((unsigned)*s | 0x20) - 'a' + 10;
        if (digit > 15 || (digit > 9 && ((unsigned char)*s | 0x20) < 'a'))
            break;
        *v = *v << 4 | digit;
    }
    return s;
}

/** One line of /proc/self/maps: true where its range has sp. */
static bool line_has(const char *line, const char *end, uintptr_t sp, uintptr_t *low, uintptr_t *high)
{
    const char *s = hex(line, end, low);
    if (s >= end || *s != '-')
        return false;
    hex(s + 1, end, high);
    if (sp >= *high)
        return false;
    /* The main stack grows: below its mapping there is nothing else for a long way. */
    if (end - line >= 7 && !memcmp(end - 7, "[stack]", 7))
        *low = *high > MAIN_STACK_MAX ? *high - MAIN_STACK_MAX : 0;
    return sp >= *low;
}

/** By bare system calls, which are no points of cancellation. */
static void look_up_stack(gl_emit_thread *self, uintptr_t sp)
{
    char buf[2048];
    size_t have = 0;
    self->stack_known = 1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (bool found = false; !found;) {
        long got = syscall(SYS_read, fd, buf + have, sizeof buf - have);
        if (got <= 0)
            break;
        have += (size_t)got;
        char *line = buf, *end;
        while (!found && (end = memchr(line, '\n', have - (size_t)(line - buf))) != NULL) {
            found = line_has(line, end, sp, &self->stack_low, &self->stack_high);
            line = end + 1;
        }
        /* A line that is longer than the buffer is only a long path: its start was what counted. */
        have = line == buf && have == sizeof buf ? 0 : have - (size_t)(line - buf);
        memmove(buf, line, have);
        if (!found)
            self->stack_low = self->stack_high = 0;
    }
    syscall(SYS_close, fd);
    /* Other memory may follow a thread's stack without a gap, but only behind what pthread_self names. */
    uintptr_t top = (uintptr_t)pthread_self();
    if (top > sp && top < self->stack_high)
        self->stack_high = top;
}

#if defined(__clang__)
__attribute__((no_sanitize("address", "thread", "undefined")))
#else
__attribute__((no_sanitize("address"), no_sanitize("thread"), no_sanitize("undefined")))
#endif
static uint32_t walk(uintptr_t fp, uintptr_t sp, uintptr_t high, uint64_t *pcs, uint32_t n, uint32_t depth)
{
    while (n < depth && fp >= sp && fp < high && high - fp >= 2 * sizeof(uintptr_t) && !(fp & (sizeof fp - 1))) {
        const uintptr_t *frame = (const uintptr_t *)fp; /* saved frame pointer, return address */
        uintptr_t up = frame[0], ret = frame[1];
#if defined(__aarch64__)
        ret &= ((uintptr_t)1 << 48) - 1; /* without its signature */
#endif
        if (!ret)
            break;
        pcs[n++] = ret;
        if (up <= fp)
            break;
        fp = up;
    }
    return n;
}

uint32_t gl_emit_walk_(const void *frame, uint64_t pc, uint64_t *pcs)
{
    uint32_t depth = __atomic_load_n(&stack_depth, __ATOMIC_RELAXED);
    if (!depth)
        return 0;
    gl_emit_thread *self = gl_emit_thread_();
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    pcs[0] = pc;
    if (__builtin_expect(!self->stack_known, 0)) {
        int before = errno;
        look_up_stack(self, sp);
        errno = before;
    }
    if (sp < self->stack_low || sp >= self->stack_high)
        return 1;
    return walk((uintptr_t)frame, sp, self->stack_high, pcs, 1, depth);
}

void gl_emit_set_stack_bounds(uintptr_t low, uintptr_t high)
{
    gl_emit_thread *self = gl_emit_thread_();
    self->stack_low = low;
    self->stack_high = high;
    self->stack_known = high != 0;
}

void gl_emit_set_stack_depth(unsigned frames)
{
    __atomic_store_n(&stack_depth, frames < GL_RING_STACK_MAX ? frames : GL_RING_STACK_MAX, __ATOMIC_RELAXED);
}
