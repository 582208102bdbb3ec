/*
 * The kernel's side: a program that the kernel runs when a thread of the traced program comes to one of the places. It looks
 * (nothing can be written from here) and puts an entry into the ring. It is one for all places, so that all can be put in
 * and taken out at once.
 *
 * A record is stamped after its room in the ring was taken: so no later entry is older than the moment its room was taken.
 * Registers are those of Go's internal calling convention, R14 is the running g. What can't be read is 0.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "shared.h"

/* struct pt_regs of x86-64, as uprobes give it to programs. */
typedef struct regs {
    uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
} regs;

#define ZERO_FLAG 0x40u
enum { RUNNABLE = 1, RUNNING = 2, WAITING = 4, SCAN = 0x1000, SCAN_PREEMPTED = 0x1009 };
/* Go's type descriptors (internal/abi): the same in all releases that we know. */
enum { TYPE_KIND = 23, TYPE_ELEM = 48, TYPE_FIELDS = 56, TYPE_FIELD_COUNT = 64, FIELD_TYPE = 8 };
enum { KIND_MASK = 31, KIND_POINTER = 22, KIND_STRING = 24, KIND_STRUCT = 25 };

const volatile gl_uprobe_config config SEC(".rodata.config");
gl_uprobe_state state SEC(".data.state") = {0};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 24);
} ring SEC(".maps");

/* What a goroutine's operation is on, by its g: the channel, or how far a select's cases lie below the end of its stack. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 65536);
    __type(key, uint64_t);
    __type(value, uint64_t);
} operations SEC(".maps");

#define INLINE static __attribute__((always_inline)) inline

INLINE uint64_t read64(uint64_t at)
{
    uint64_t v = 0;
    bpf_probe_read_user(&v, sizeof v, (const void *)at);
    return v;
}

INLINE uint32_t read32(uint64_t at)
{
    uint32_t v = 0;
    bpf_probe_read_user(&v, sizeof v, (const void *)at);
    return v;
}

INLINE uint8_t read8(uint64_t at)
{
    uint8_t v = 0;
    bpf_probe_read_user(&v, sizeof v, (const void *)at);
    return v;
}

/* The context may be read at fixed places only: written out, so that the compiler does not work a place out. */
#define FROM(member)                                                                                                   \
    asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(v) : "r"(r), "i"(__builtin_offsetof(regs, member)));                  \
    break

INLINE uint64_t reg(const regs *r, unsigned number)
{
    uint64_t v = 0;
    switch (number) {
    case 0: FROM(ax);
    case 1: FROM(cx);
    case 2: FROM(dx);
    case 3: FROM(bx);
    case 5: FROM(bp);
    case 6: FROM(si);
    case 7: FROM(di);
    case 8: FROM(r8);
    case 9: FROM(r9);
    case 10: FROM(r10);
    case 11: FROM(r11);
    case 12: FROM(r12);
    case 13: FROM(r13);
    case 14: FROM(r14);
    case 15: FROM(r15);
    default: break;
    }
    return v;
}

/* Entries */

/** The thread, or 0: not one of the traced program's, or it is not to be told of now. */
INLINE uint32_t thread(void)
{
    struct bpf_pidns_info id = {0};
    uint64_t wanted = *(volatile uint64_t *)&state.tgid;
    if (!wanted || bpf_get_ns_current_pid_tgid(config.pid_dev, config.pid_ino, &id, sizeof id) != 0 || id.tgid != wanted)
        return 0;
    return id.pid;
}

#define ENTRY(name, extra, with_frames)                                                                                \
    struct name {                                                                                                      \
        gl_uprobe_head head;                                                                                           \
        gl_patch_record r;                                                                                             \
        uint64_t more[(extra) * 4 + 0];                                                                                \
        uint64_t pcs[with_frames];                                                                                     \
    }
ENTRY(short_entry, 0, 0);
ENTRY(park_entry, 0, GL_PATCH_FRAMES);
ENTRY(stop_entry, 1, 0);
ENTRY(one_entry, 1, GL_PATCH_FRAMES);
ENTRY(cases_entry, GL_PATCH_SELECT_CASES / 4, 0);
ENTRY(text_entry, 1 + GL_PATCH_TEXT / GL_PATCH_UNIT, GL_PATCH_FRAMES);

INLINE void *take(uint64_t bytes)
{
    void *e = bpf_ringbuf_reserve(&ring, bytes, 0);
    if (!e)
        __sync_fetch_and_add(&state.lost, 1);
    return e;
}

INLINE void begin(gl_uprobe_head *h, gl_patch_record *r, uint32_t tid, uint8_t type, uint64_t g, unsigned units)
{
    *h = (gl_uprobe_head){.tid = tid, .units = (uint8_t)units, .bytes = (uint16_t)(GL_PATCH_UNIT * (1 + units))};
    r->ticks = bpf_ktime_get_ns();
    r->g = g | (uint64_t)units << GL_PATCH_EXTRA_SHIFT;
    r->arg = 0;
    r->aux = 0;
    r->a = r->b = r->c = 0;
    r->type = type;
}

INLINE void give(void *e)
{
    bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

/* Goroutines and stacks */

INLINE uint64_t goid(uint64_t g)
{
    return read64(g + (uint64_t)config.g_goid);
}

/** The g that runs here, or whose thread this is: not the scheduler's. */
INLINE uint64_t user_g(const regs *r)
{
    return read64(read64(r->r14 + (uint64_t)config.g_m) + (uint64_t)config.m_curg);
}

/** Frames from a frame pointer on, on the stack of g. `n` are there already. */
INLINE unsigned walk(uint64_t *pcs, unsigned n, uint64_t g, uint64_t bp)
{
    uint64_t low = read64(g + (uint64_t)config.g_stack_lo), high = read64(g + (uint64_t)config.g_stack_hi);
    for (unsigned i = 0; i < GL_PATCH_FRAMES; i++) {
        uint64_t frame[2] = {0, 0};
        if (n >= config.frames || n >= GL_PATCH_FRAMES || (bp & 7) || bp < low || bp + 16 > high)
            break;
        if (bpf_probe_read_user(frame, sizeof frame, (const void *)bp) != 0 || frame[1] == 0)
            break;
        pcs[n++ & (GL_PATCH_FRAMES - 1)] = frame[1];
        if (frame[0] <= bp)
            break;
        bp = frame[0];
    }
    return n;
}

/** The stack of this thread's goroutine: its frame pointer is RBP where it runs itself, else it was left in g.sched. */
INLINE uint8_t user_stack(const regs *r, uint64_t *pcs, int entered)
{
    uint64_t g = user_g(r);
    unsigned n = 0;
    if (config.stacks == 1 || g == 0)
        return 0;
    if (g != r->r14)
        return (uint8_t)walk(pcs, 0, g, read64(g + (uint64_t)config.g_sched_bp));
    if (entered) { /* no frame of its own yet: the return address is on top */
        pcs[0] = read64(r->sp);
        n = 1;
    }
    return (uint8_t)walk(pcs, n, g, r->bp);
}

/* A change of state */

INLINE uint32_t processor(const regs *r)
{
    uint64_t p = read64(read64(r->r14 + (uint64_t)config.g_m) + (uint64_t)config.m_p);
    return p ? read32(p + (uint64_t)config.p_id) + 1 : 0;
}

INLINE void changed(const regs *r, gl_patch_record *rec, uint64_t g, uint32_t old, uint32_t new)
{
    rec->aux = processor(r);
    rec->a = (uint8_t)old;
    rec->b = (uint8_t)new;
    rec->c = read8(g + (uint64_t)config.g_waitreason);
}

INLINE int on_cas(const regs *r, uint32_t tid, uint64_t cookie)
{
    uint32_t old = (uint32_t)r->ax, new = (uint32_t)reg(r, GL_UPROBE_VALUE(cookie));
    uint64_t g = reg(r, GL_UPROBE_BASE(cookie));
    if (!(r->flags & ZERO_FLAG) != !!(cookie & GL_UPROBE_CLEAR))
        return 0;
    /* Marks of the collector's scan are no changes; to preempt for a scan is one. */
    if (((old | new) & SCAN) && !(new == SCAN_PREEMPTED && old == RUNNING))
        return 0;
    if (old == RUNNING && g != r->r14 && config.stacks != 1 && (new == WAITING || (new == RUNNABLE && config.stacks == 2))) {
        struct park_entry *e = take(sizeof *e);
        if (!e)
            return 0;
        begin(&e->head, &e->r, tid, GL_PATCH_CAS, goid(g), 0);
        changed(r, &e->r, g, old, new);
        e->head.frames = (uint8_t)walk(e->pcs, 0, g, read64(g + (uint64_t)config.g_sched_bp));
        give(e);
        return 0;
    }
    struct short_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    begin(&e->head, &e->r, tid, GL_PATCH_CAS, goid(g), 0);
    changed(r, &e->r, g, old, new);
    give(e);
    return 0;
}

INLINE int on_newproc(const regs *r, uint32_t tid)
{
    struct one_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    uint64_t g = r->ax;
    begin(&e->head, &e->r, tid, GL_PATCH_NEWPROC, goid(user_g(r)), 1);
    e->r.arg = goid(g);
    e->r.aux = read32(g + (uint64_t)config.g_atomicstatus);
    e->more[0] = e->more[3] = 0;
    e->more[1] = read64(g + (uint64_t)config.g_startpc);
    e->more[2] = read64(g + (uint64_t)config.g_gopc);
    e->head.frames = user_stack(r, e->pcs, 0);
    give(e);
    return 0;
}

/* Channels */

INLINE int channel_begins(const regs *r, uint32_t tid, uint64_t cookie, uint8_t type)
{
    uint64_t g = r->r14, c = reg(r, GL_UPROBE_BASE(cookie));
    bpf_map_update_elem(&operations, &g, &c, BPF_ANY);
    struct short_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    begin(&e->head, &e->r, tid, type, goid(g), 0);
    e->r.arg = c;
    if (c) {
        uint64_t cap = read64(c + (uint64_t)config.hchan_dataqsiz);
        if (cap > 0xffffff)
            cap = 0xffffff;
        e->r.aux = read32(c + (uint64_t)config.hchan_qcount);
        e->r.a = (uint8_t)cap;
        e->r.b = (uint8_t)(cap >> 8);
        e->r.c = (uint8_t)(cap >> 16);
    }
    give(e);
    return 0;
}

/** What the goroutine's operation was on; that is over now. */
INLINE uint64_t operation(uint64_t g)
{
    uint64_t *at = bpf_map_lookup_elem(&operations, &g), v = 0;
    if (at) {
        v = *at;
        bpf_map_delete_elem(&operations, &g);
    }
    return v;
}

/** Whether a conditional jump is taken: the condition as in its opcode. */
INLINE int taken(uint64_t flags, unsigned condition)
{
    int cf = flags & 1, pf = flags >> 2 & 1, zf = flags >> 6 & 1, sf = flags >> 7 & 1, of = flags >> 11 & 1, is;
    switch (condition >> 1) {
    case 0: is = of; break;
    case 1: is = cf; break;
    case 2: is = zf; break;
    case 3: is = cf | zf; break;
    case 4: is = sf; break;
    case 5: is = pf; break;
    case 6: is = sf ^ of; break;
    default: is = zf | (sf ^ of); break;
    }
    return is ^ (condition & 1);
}

INLINE int channel_ends(const regs *r, uint32_t tid, uint64_t cookie, uint8_t type)
{
    if ((cookie & GL_UPROBE_EARLY_JUMP) && taken(r->flags, GL_UPROBE_CONDITION(cookie)))
        return 0;
    uint64_t g = r->r14, c = operation(g);
    struct short_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    begin(&e->head, &e->r, tid, type, goid(g), 0);
    e->r.arg = c;
    if (c)
        e->r.aux = read32(c + (uint64_t)config.hchan_qcount);
    if (cookie & GL_UPROBE_EARLY) {
        e->r.a = (cookie & GL_UPROBE_EARLY_A) != 0;
        e->r.b = (cookie & GL_UPROBE_EARLY_B) != 0;
        give(e);
        return 0;
    }
    switch (GL_UPROBE_RESULT(cookie)) {
    case GL_UPROBE_AL:
        e->r.a = (uint8_t)r->ax;
        break;
    case GL_UPROBE_AL_BL:
        e->r.a = (uint8_t)r->ax;
        e->r.b = (uint8_t)r->bx;
        break;
    case GL_UPROBE_SENT:
        e->r.a = 1;
        break;
    case GL_UPROBE_AL_ONLY:
        e->r.a = 1;
        e->r.b = (uint8_t)r->ax;
        break;
    default: /* a channel that is closed and empty gave no value, which is a conclusion */
        e->r.a = e->r.b = e->r.c = 1;
        if (c && e->r.aux == 0 && read32(c + (uint64_t)config.hchan_closed) != 0)
            e->r.b = 0;
        break;
    }
    give(e);
    return 0;
}

INLINE int on_close(const regs *r, uint32_t tid)
{
    struct one_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    uint64_t c = r->ax;
    begin(&e->head, &e->r, tid, GL_PATCH_CLOSE, goid(r->r14), 1);
    e->r.arg = c;
    e->r.a = 1;
    if (c) {
        e->r.aux = read32(c + (uint64_t)config.hchan_qcount);
        e->r.a = read32(c + (uint64_t)config.hchan_closed) != 0;
    }
    e->more[0] = e->more[1] = e->more[2] = e->more[3] = 0;
    e->head.frames = user_stack(r, e->pcs, 1);
    give(e);
    return 0;
}

INLINE int on_make(const regs *r, uint32_t tid)
{
    struct one_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    uint64_t c = r->ax;
    begin(&e->head, &e->r, tid, GL_PATCH_MAKE, goid(user_g(r)), 1);
    e->r.arg = c;
    e->more[0] = e->more[3] = 0;
    e->more[1] = read64(c + (uint64_t)config.hchan_dataqsiz);
    e->more[2] = read64(c + (uint64_t)config.hchan_elemtype);
    e->head.frames = user_stack(r, e->pcs, 0);
    give(e);
    return 0;
}

INLINE uint64_t case_channel(uint64_t cases, uint64_t i)
{
    return read64(cases + i * 16 + (uint64_t)(config.scase_c < 0 ? 0 : config.scase_c));
}

INLINE int on_select(const regs *r, uint32_t tid)
{
    uint64_t g = r->r14, cases = r->ax, sends = r->di, receives = r->si;
    uint64_t below = read64(g + (uint64_t)config.g_stack_hi) - cases;
    bpf_map_update_elem(&operations, &g, &below, BPF_ANY);
    struct cases_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    uint64_t n = sends + receives;
    if (n > GL_PATCH_SELECT_CASES)
        n = GL_PATCH_SELECT_CASES;
    begin(&e->head, &e->r, tid, GL_PATCH_SELECT, goid(g), 0);
    e->head.bytes = (uint16_t)(GL_PATCH_UNIT * (1 + GL_PATCH_SELECT_CASES / 4));
    e->head.units = (uint8_t)((n + 3) / 4);
    e->r.g |= ((n + 3) / 4) << GL_PATCH_EXTRA_SHIFT;
    e->r.arg = n;
    e->r.aux = (uint32_t)sends | (uint32_t)receives << 16;
    e->r.a = (uint8_t)r->r8;
    for (unsigned i = 0; i < GL_PATCH_SELECT_CASES; i++)
        e->more[i] = i < n ? case_channel(cases, i) : 0;
    give(e);
    return 0;
}

INLINE int on_select_end(const regs *r, uint32_t tid)
{
    uint64_t g = r->r14, below = operation(g), chosen = r->ax;
    struct short_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    begin(&e->head, &e->r, tid, GL_PATCH_SELECT_END, goid(g), 0);
    if (chosen >= 0xffff) { /* -1: none was ready */
        e->r.b = e->r.c = 0xff;
    } else {
        uint64_t c = below ? case_channel(read64(g + (uint64_t)config.g_stack_hi) - below, chosen) : 0;
        e->r.arg = c;
        e->r.aux = c ? read32(c + (uint64_t)config.hchan_qcount) : 0;
        e->r.a = (uint8_t)r->bx;
        e->r.b = (uint8_t)chosen;
        e->r.c = (uint8_t)(chosen >> 8);
    }
    give(e);
    return 0;
}

/* The collector */

INLINE int plain(const regs *r, uint32_t tid, uint8_t type)
{
    struct short_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    begin(&e->head, &e->r, tid, type, goid(user_g(r)), 0);
    give(e);
    return 0;
}

/** Until 1.20 the reason is known by who asked: the caller of systemstack, and who called that one. */
INLINE int on_stop_world(const regs *r, uint32_t tid)
{
    struct stop_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    uint64_t g = user_g(r);
    begin(&e->head, &e->r, tid, GL_PATCH_STW, goid(g), config.minor > 20 ? 0 : 1);
    e->head.bytes = 2 * GL_PATCH_UNIT;
    e->r.arg = read64(r->sp);
    e->r.a = (uint8_t)r->ax;
    e->more[0] = e->more[1] = e->more[2] = e->more[3] = 0;
    if (g) {
        uint64_t bp = read64(g + (uint64_t)config.g_sched_bp);
        e->more[0] = read64(read64(g + (uint64_t)config.g_sched_sp));
        e->more[1] = read64(bp + 8);
        e->more[2] = read64(read64(bp) + 8);
    }
    give(e);
    return 0;
}

/* Failures */

INLINE unsigned kind(uint64_t type)
{
    return read8(type + TYPE_KIND) & KIND_MASK;
}

/** Whether the value of a type, at data, is a string, or (a pointer to) a structure that begins with one. */
INLINE int begins_with_string(uint64_t type, uint64_t data)
{
    if (!type || !data)
        return 0;
    unsigned k = kind(type);
    if (k == KIND_STRING)
        return 1;
    if (k == KIND_POINTER) {
        type = read64(type + TYPE_ELEM);
        k = kind(type);
    }
    return k == KIND_STRUCT && read64(type + TYPE_FIELD_COUNT) != 0 &&
           kind(read64(read64(type + TYPE_FIELDS) + FIELD_TYPE)) == KIND_STRING;
}

INLINE int fails(const regs *r, uint32_t tid, uint8_t type)
{
    struct text_entry *e = take(sizeof *e);
    if (!e)
        return 0;
    uint64_t text = r->ax, n = r->bx;
    begin(&e->head, &e->r, tid, type, goid(user_g(r)), 1 + GL_PATCH_TEXT / GL_PATCH_UNIT);
    e->r.arg = r->ax;
    if (type == GL_PATCH_PANIC) {
        int is = begins_with_string(r->ax, r->bx);
        text = is ? read64(r->bx) : 0;
        n = is ? read64(r->bx + 8) : 0;
    }
    if (n > GL_PATCH_TEXT)
        n = GL_PATCH_TEXT;
    e->more[0] = e->more[1] = e->more[2] = e->more[3] = 0;
    __builtin_memset(&e->more[4], 0, GL_PATCH_TEXT);
    if (n > 0 && bpf_probe_read_user(&e->more[4], (uint32_t)n, (const void *)text) == 0)
        e->r.aux = (uint32_t)n;
    e->head.frames = user_stack(r, e->pcs, 1);
    give(e);
    return 0;
}

SEC("uprobe")
int on_place(regs *r)
{
    uint64_t cookie = bpf_get_attach_cookie(r);
    uint32_t tid = thread();
    if (!tid)
        return 0;
    switch (GL_UPROBE_KIND(cookie)) {
    case GL_UPROBE_CAS: return on_cas(r, tid, cookie);
    case GL_UPROBE_NEWPROC: return on_newproc(r, tid);
    case GL_UPROBE_SEND: return channel_begins(r, tid, cookie, GL_PATCH_SEND);
    case GL_UPROBE_SEND_END: return channel_ends(r, tid, cookie, GL_PATCH_SEND_END);
    case GL_UPROBE_RECV: return channel_begins(r, tid, cookie, GL_PATCH_RECV);
    case GL_UPROBE_RECV_END: return channel_ends(r, tid, cookie, GL_PATCH_RECV_END);
    case GL_UPROBE_CLOSE: return on_close(r, tid);
    case GL_UPROBE_SELECT: return on_select(r, tid);
    case GL_UPROBE_SELECT_END: return on_select_end(r, tid);
    case GL_UPROBE_MAKE: return on_make(r, tid);
    case GL_UPROBE_GC_START: return plain(r, tid, GL_PATCH_GC_START);
    case GL_UPROBE_GC_END: return plain(r, tid, GL_PATCH_GC_END);
    case GL_UPROBE_STOP: return on_stop_world(r, tid);
    case GL_UPROBE_START: return plain(r, tid, GL_PATCH_STW_END);
    case GL_UPROBE_ASSIST: return plain(r, tid, GL_PATCH_ASSIST);
    case GL_UPROBE_ASSIST_END: return plain(r, tid, GL_PATCH_ASSIST_END);
    case GL_UPROBE_PANIC: return fails(r, tid, GL_PATCH_PANIC);
    case GL_UPROBE_THROW: return fails(r, tid, GL_PATCH_THROW);
    case GL_UPROBE_FATAL: return fails(r, tid, GL_PATCH_FATAL);
    default: return 0;
    }
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
