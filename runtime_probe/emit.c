/*
 * The slow half of an emit: a thread's first ring, its next block, its losses, its context. The other half is inline, in
 * emit.h.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "emit_internal.h"
#include "ring_layout.h"

__attribute__((used)) __thread gl_emit_thread gl_emit_self_ = {.p = GL_NO_PROC};

static uint64_t next_task = 1;

uint64_t gl_emit_soft_clock(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t gl_emit_now(const gl_emit_writer *t)
{
    return t->soft_clock ? gl_emit_soft_clock() : gl_emit_counter_();
}

void gl_emit_publish(gl_emit_writer *t, uint8_t *p)
{
    t->pos = p;
    __atomic_store_n(t->head, (uint64_t)(uintptr_t)p + t->bias, __ATOMIC_RELEASE);
}

/** Makes the next emit come by gl_emit_refill_ first. */
static void set_pending(gl_emit_writer *t)
{
    __atomic_store_n(&t->pending, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&t->limit, NULL, __ATOMIC_RELAXED);
}

/** Lets emits go the short way, unless a signal handler has just left something to be told. With a clock that is not the
    processor's counter every emit goes the long one. */
static void open_limit(gl_emit_writer *t)
{
    if (!t->soft_clock)
        __atomic_store_n(&t->limit, t->real_limit, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&t->pending, __ATOMIC_RELAXED))
        __atomic_store_n(&t->limit, NULL, __ATOMIC_RELAXED);
}

/* This may run in a handler that has interrupted this, so the count is atomic. */
static void count_lost(gl_emit_writer *t)
{
    gl_ring_control *r = t->ring;
    uint64_t now = gl_emit_now(t);
    if (__atomic_load_n(&r->lost, __ATOMIC_RELAXED) == r->lost_told)
        __atomic_store_n(&r->lost_first, now, __ATOMIC_RELAXED);
    __atomic_store_n(&r->lost_last, now, __ATOMIC_RELAXED);
    __atomic_fetch_add(&r->lost, 1, __ATOMIC_RELEASE);
    set_pending(t);
}

/** Writes what is pending; there is room for an event. */
static void tell(gl_emit_thread *self, gl_emit_writer *t)
{
    gl_ring_control *r = t->ring;
    __atomic_store_n(&t->pending, 0, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    uint64_t lost = __atomic_load_n(&r->lost, __ATOMIC_RELAXED);
    uint8_t *p = t->pos;
    *p++ = GL_RING_CONTROL;
    if (lost != r->lost_told) {
        uint64_t first = __atomic_load_n(&r->lost_first, __ATOMIC_RELAXED);
        *p++ = GL_RING_LOST;
        p = gl_ring_put(p, lost);
        p = gl_ring_put(p, gl_ring_zigzag(first - t->last));
        p = gl_ring_put(p, __atomic_load_n(&r->lost_last, __ATOMIC_RELAXED) - first);
    } else {
        *p++ = GL_RING_CONTEXT;
    }
    p = gl_ring_put(p, self->g);
    p = gl_ring_put(p, (uint32_t)(self->p + 1));
    r->lost_told = lost;
    gl_emit_publish(t, p);
}

static void open_block(gl_emit_thread *self, gl_emit_writer *t, uint64_t start)
{
    gl_ring_control *r = t->ring;
    uint8_t *base = t->data + (start & t->data_mask);
    /* A reader of the block that lay here must be able to notice before the first byte of it changes. */
    __atomic_store_n(&r->opening, start, __ATOMIC_RELAXED);
    GL_RING_FENCE(__ATOMIC_RELEASE);
    __atomic_store_n(&t->pending, 0, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    gl_ring_block h = {.position = start, .ticks = gl_emit_now(t), .g = self->g, .lost = r->lost_told,
                       .pid = gl_emit_pid(), .tid = self->tid, .turn = t->turn, .p = self->p};
    memcpy(base, &h, sizeof h);
    t->last = h.ticks;
    t->chan = 0;
    t->texts = t->stacks = 0;
    t->block = (uint32_t)(start / GL_RING_BLOCK) + 1;
    t->bias = start - (uint64_t)(uintptr_t)base;
    t->real_limit = base + GL_RING_BLOCK - GL_RING_EVENT_MAX;
    gl_emit_publish(t, base + sizeof h);
    if (__atomic_load_n(&r->lost, __ATOMIC_RELAXED) != r->lost_told)
        tell(self, t);
    open_limit(t);
}

/** The reader's position. A reader that has not come to the last jump yet has only that block to read before it, which
    next_start leaves alone; all else before the jump is free. */
static uint64_t reader_at(const gl_emit_writer *t)
{
    uint64_t tail = __atomic_load_n(&t->ring->tail, __ATOMIC_ACQUIRE);
    uint64_t jump = __atomic_load_n(&t->ring->jump_to, __ATOMIC_RELAXED);
    return tail < jump ? jump : tail;
}

static bool has_room(const gl_emit_writer *t, uint64_t start)
{
    if (__atomic_load_n(&gl_emit_header()->policy, __ATOMIC_RELAXED) == GL_RING_OVERWRITE)
        return true;
    return start + GL_RING_BLOCK - reader_at(t) <= t->data_mask + 1;
}

/** Waits while a living recorder wants it. nanosleep as a bare system call: it must not be a point of cancellation. */
static bool wait_for_room(const gl_emit_writer *t, uint64_t start)
{
    gl_ring_header *h = gl_emit_header();
    for (unsigned n = 1; __atomic_load_n(&h->policy, __ATOMIC_RELAXED) == GL_RING_WAIT; n++) {
        if (has_room(t, start))
            return true;
        if (!__atomic_load_n(&h->listening, __ATOMIC_RELAXED))
            return false;
        if (n % 64 == 0 && !gl_emit_recorder_lives())
            __atomic_store_n(&h->policy, GL_RING_DROP, __ATOMIC_RELAXED);
        struct timespec pause = {.tv_nsec = n < 20 ? 50000 : 1000000};
        syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    return has_room(t, start);
}

static uint64_t next_multiple(uint64_t position, uint64_t mask)
{
    return (position + mask) & ~mask;
}

/** Where the next block is to be: behind this one, or, where the reader has kept up, at the ring's start. */
static uint64_t next_start(const gl_emit_writer *t, uint64_t head, bool *jump)
{
    const gl_ring_control *r = t->ring;
    *jump = false;
    uint64_t start = next_multiple(head, GL_RING_BLOCK - 1), tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
    if (head == start || __atomic_load_n(&gl_emit_header()->policy, __ATOMIC_RELAXED) == GL_RING_OVERWRITE)
        return start;
    *jump = (start & t->data_mask) >= GL_RING_WINDOW && tail + GL_RING_BLOCK >= start;
    if (*jump)
        return next_multiple(start, t->data_mask);
    /* The block that ends with the jump is still to be read: step over it. */
    bool occupied = tail < r->jump_to && ((start - (r->jump_from - GL_RING_BLOCK)) & t->data_mask) == 0;
    return occupied ? start + GL_RING_BLOCK : start;
}

/** The current block ends here: it is full, or what follows lies elsewhere. */
static void close_block(gl_emit_writer *t, uint64_t head, uint64_t start, bool jump)
{
    gl_ring_control *r = t->ring;
    uint64_t behind = next_multiple(head, GL_RING_BLOCK - 1);
    if (start == behind) {
        *t->pos = GL_RING_END;
        return;
    }
    __atomic_store_n(&r->skipped, r->skipped + start - behind, __ATOMIC_RELAXED);
    if (jump) {
        __atomic_store_n(&r->jump_from, behind, __ATOMIC_RELAXED);
        __atomic_store_n(&r->jump_to, start, __ATOMIC_RELAXED);
    }
    t->pos[0] = GL_RING_CONTROL;
    t->pos[1] = GL_RING_JUMP;
    (void)gl_emit_u64_(t->pos + 2, start);
}

bool gl_emit_next_block(gl_emit_thread *self, gl_emit_writer *t)
{
    bool jump;
    uint64_t head = __atomic_load_n(t->head, __ATOMIC_RELAXED), start = next_start(t, head, &jump);
    if (!has_room(t, start) && !wait_for_room(t, start)) {
        count_lost(t);
        return false;
    }
    if (head != start)
        close_block(t, head, start, jump);
    open_block(self, t, start);
    return true;
}

/* Entering: a thread's way to a writer that has room. */

static void set_writer(gl_emit_thread *self, gl_emit_writer *t)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    __atomic_store_n(&self->writer, t, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void set_state(gl_emit_thread *self, uint32_t state)
{
    __atomic_store_n(&self->state, state, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void count_nested(const gl_emit_thread *self)
{
    if (self->ring && self->ring->ring)
        count_lost(self->ring);
    else
        gl_emit_count_no_ring();
}

static gl_emit_writer *first_ring(gl_emit_thread *self)
{
    set_state(self, GL_EMIT_ENTERING_);
    /* No handler is to see a ring half taken; one may have been here between the look at the state and its change. */
    uint64_t none = UINT64_MAX, before;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, &before, sizeof none);
    bool good = self->ring || gl_emit_acquire(self);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof none);
    if (!good) {
        gl_emit_count_no_ring();
        set_state(self, GL_EMIT_NONE_);
        return NULL;
    }
    set_writer(self, NULL);
    set_state(self, GL_EMIT_READY_);
    return self->ring;
}

/** The thread's writer, taken away from it; NULL: none, and the event is counted. */
static gl_emit_writer *take_writer(gl_emit_thread *self)
{
    gl_emit_writer *t = __atomic_load_n(&self->writer, __ATOMIC_RELAXED);
    if (t) {
        set_writer(self, NULL);
        return t;
    }
    switch (__atomic_load_n(&self->state, __ATOMIC_RELAXED)) {
    case GL_EMIT_NONE_: return first_ring(self);
    case GL_EMIT_PARKED_:
        set_state(self, GL_EMIT_READY_);
        set_pending(self->ring); /* what the thread runs may have changed meanwhile */
        return self->ring;
    default: count_nested(self); return NULL;
    }
}

/** No writer until somebody listens again; the ring stays the thread's, unless it is a lost one. */
static void park(gl_emit_thread *self, bool keep)
{
    if (!keep)
        self->ring = NULL;
    set_state(self, keep ? GL_EMIT_PARKED_ : GL_EMIT_NONE_);
}

/** Sees to it that one event can be written, and what is pending is told before it. */
static bool make_room(gl_emit_thread *self, gl_emit_writer *t)
{
    for (;;) {
        if (t->pos >= t->real_limit && !gl_emit_next_block(self, t))
            return false;
        if (!__atomic_load_n(&t->pending, __ATOMIC_RELAXED))
            break;
        tell(self, t);
    }
    open_limit(t);
    return true;
}

/* Any event. */

typedef struct code_info {
    uint8_t count;
    struct {
        gl_kind kind;
        const char *name;
    } arg[GL_EVENT_ARGS_MAX];
} code_info;

#define GL_ARG(kind, name) {GL_KIND_##kind, #name}
#define GL_EVENT(code, name, op, phase, stack, meaning, count, ...) [code] = {count, {__VA_ARGS__}},
static const code_info codes[GL_EV_LIMIT] = {
#include "golanes/events.def"
};
#undef GL_EVENT
#undef GL_ARG

typedef struct pending_event {
    const code_info *info;
    uint64_t value[GL_EVENT_ARGS_MAX];
    gl_emit_ref ref[GL_EVENT_ARGS_MAX + 1];
    unsigned refs;
} pending_event;

static void add_stack(pending_event *e, const gl_emit_stack *stack)
{
    e->ref[e->refs++] = (gl_emit_ref){.p = stack->pcs, .n = stack->n, .kind = GL_EMIT_STACK};
}

static void collect_refs(pending_event *e, const uint64_t *args, const gl_emit_stack *at)
{
    for (unsigned i = 0; i < e->info->count; i++) {
        const void *p = (const void *)(uintptr_t)args[i];
        if (e->info->arg[i].kind == GL_KIND_STACK)
            add_stack(e, p);
        if (e->info->arg[i].kind != GL_KIND_STRING)
            continue;
        uint32_t kind = strcmp(e->info->arg[i].name, GL_RING_COPIED) == 0 ? GL_EMIT_COPY : GL_EMIT_TEXT;
        e->ref[e->refs++] = (gl_emit_ref){.p = p, .kind = kind};
    }
    if (at)
        add_stack(e, at);
}

/** Values as they go into the ring; true where one is too large for its width. A channel stays an address. */
static bool collect_values(pending_event *e, const gl_emit_writer *t, const uint64_t *args)
{
    bool wide = false;
    for (unsigned i = 0, ref = 0; i < e->info->count; i++) {
        unsigned kind = e->info->arg[i].kind, bits = 8 * GL_RING_WIDTH(kind);
        bool refers = kind == GL_KIND_STACK || kind == GL_KIND_STRING;
        e->value[i] = refers ? e->ref[ref++].id : args[i];
        if (kind == GL_KIND_CHAN)
            wide |= (args[i] - t->chan + UINT64_C(0x80000000)) >> 32 != 0;
        else if (bits < 64)
            wide |= e->value[i] >> bits != 0;
    }
    return wide;
}

static uint8_t *put_wide(const pending_event *e, gl_emit_writer *t, uint8_t *p, unsigned code, uint64_t since)
{
    *p++ = GL_RING_CONTROL;
    *p++ = GL_RING_WIDE;
    *p++ = (uint8_t)code;
    p = gl_emit_u64_(p, since);
    for (unsigned i = 0; i < e->info->count; i++) {
        if (e->info->arg[i].kind == GL_KIND_CHAN)
            t->chan = e->value[i];
        p = gl_emit_u64_(p, e->value[i]);
    }
    return p;
}

static uint8_t *put_common(const pending_event *e, gl_emit_writer *t, uint8_t *p, unsigned code, uint64_t since)
{
    if (since > GL_RING_TICKS_MAX) {
        *p++ = GL_RING_CONTROL;
        *p++ = GL_RING_GAP;
        p = gl_emit_u64_(p, since);
        since = 0;
    }
    *p++ = (uint8_t)code;
    p = gl_emit_u16_(p, since);
    for (unsigned i = 0; i < e->info->count; i++) {
        uint64_t v = e->value[i];
        unsigned kind = e->info->arg[i].kind;
        if (kind == GL_KIND_CHAN) {
            v -= t->chan;
            t->chan = e->value[i];
        }
        memcpy(p, &v, 8);
        p += GL_RING_WIDTH(kind);
    }
    return p;
}

static bool write_event(gl_emit_thread *self, gl_emit_writer *t, unsigned code, const uint64_t *args,
                        const gl_emit_stack *at)
{
    pending_event e;
    e.info = &codes[code];
    e.refs = 0;
    collect_refs(&e, args, at);
    if (!make_room(self, t) || !gl_emit_resolve(self, t, e.ref, e.refs))
        return false;
    bool wide = collect_values(&e, t, args);
    uint64_t now = gl_emit_now(t), since = now - t->last;
    unsigned stack = at ? e.ref[e.refs - 1].id : 0;
    t->last = now;
    code |= stack ? GL_RING_HAS_STACK : 0;
    uint8_t *p = (wide ? put_wide : put_common)(&e, t, t->pos, code, since);
    gl_emit_publish(t, stack ? gl_emit_u16_(p, stack) : p);
    return true;
}

static void emit(gl_emit_thread *self, unsigned code, const uint64_t *args, const gl_emit_stack *at)
{
    gl_emit_writer *t = take_writer(self);
    if (!t)
        return;
    bool lost_ring = t->ghost || !t->ring; /* a child's; without a ring: nobody was told of the fork */
    if (lost_ring || !gl_emit_listening()) {
        park(self, !lost_ring);
        return;
    }
    (void)write_event(self, t, code, args, at);
    set_writer(self, t);
}

void gl_emit_slowly_(unsigned code, const uint64_t *args, const gl_emit_stack *at)
{
    gl_emit_thread *self = gl_emit_thread_();
    int before = errno;
    emit(self, code, args, at);
    (void)gl_ring_effect(code, args ? args[0] : 0, &self->g, &self->p);
    errno = before;
}

/* The caller's word on what its thread runs. It is told before the next event: it may well change again without one. */

static void context_changed(const gl_emit_thread *self)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (self->ring)
        set_pending(self->ring);
}

void gl_emit_set_goroutine(uint64_t g)
{
    gl_emit_thread *self = gl_emit_thread_();
    if (self->g == g)
        return;
    self->g = g;
    context_changed(self);
}

void gl_emit_set_proc(uint32_t p)
{
    gl_emit_thread *self = gl_emit_thread_();
    if (self->p == p)
        return;
    self->p = p;
    context_changed(self);
}

int gl_emit_busy(void)
{
    const gl_emit_thread *self = gl_emit_thread_();
    uint32_t state = __atomic_load_n(&self->state, __ATOMIC_RELAXED);
    return state == GL_EMIT_ENTERING_ ||
           (state == GL_EMIT_READY_ && __atomic_load_n(&self->writer, __ATOMIC_RELAXED) == NULL);
}

uint64_t gl_emit_new_task(void)
{
    return __atomic_fetch_add(&next_task, 1, __ATOMIC_RELAXED);
}

void gl_emit_get_status(gl_emit_status *out)
{
    const gl_emit_thread *self = gl_emit_thread_();
    const gl_emit_writer *t = self->ring;
    const gl_ring_header *h = gl_emit_header();
    *out = (gl_emit_status){.listening = gl_emit_listening(), .has_ring = t && t->ring};
    if (out->has_ring) {
        out->written = __atomic_load_n(&t->ring->head, __ATOMIC_RELAXED) - __atomic_load_n(&t->ring->skipped, __ATOMIC_RELAXED);
        out->lost = __atomic_load_n(&t->ring->lost, __ATOMIC_RELAXED);
    }
    out->no_ring = __atomic_load_n(&h->lost, __ATOMIC_RELAXED);
}
