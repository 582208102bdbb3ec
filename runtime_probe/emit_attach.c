/*
 * How this process meets a recorder, and how its threads get rings.
 *
 * At start the process either takes up the file that a recorder has left to it (GL_RING_ENV_FD), or makes a file of one
 * page by which a recorder can find it later. A recorder that joins makes that file larger. So the process needs no
 * thread and no socket for it: it looks at one word, and maps the rest when that word is set.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "emit_internal.h"
#include "ring_layout.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#define KEYS_WITHOUT_MEMORY 32u /* glibc keeps the values of so many keys in the thread itself */
#define HIGH_DESCRIPTOR 100     /* out of the way of programs that count on low numbers */

enum { MAP_NONE, MAP_BUSY, MAP_WHOLE };

gl_emit_process gl_emit_process_;

static struct {
    gl_ring_header *page;   /* page 0; stays mapped while the process lives */
    void *place;            /* in a child: where its parent's was, and its own is to be */
    gl_ring_header *whole;  /* all of the file, once a thread wanted a ring */
    uint64_t bytes;
    uint32_t map_state;
    uint32_t pid;
    int fd;
    dev_t device;           /* by which fd is known to be still ours */
    ino_t inode;
    int once;               /* the process-wide parts are done */
    pthread_key_t key;
    int have_key;
    gl_emit_writer *writers; /* one for each slot; emptied in children */
    gl_emit_writer *at_fork; /* the same, as they were when their thread forked last; not emptied */
    uint32_t writer_count;
    uint64_t populated[GL_RING_SLOTS_MAX / 64]; /* rings whose pages this process has */
} here = {.fd = -1};

gl_ring_header *gl_emit_header(void)
{
    static gl_ring_header nobody;
    return here.page ? here.page : &nobody;
}

uint32_t gl_emit_pid(void)
{
    return here.pid;
}

static bool fd_is_ours(void)
{
    struct stat st;
    return here.fd >= 0 && fstat(here.fd, &st) == 0 && st.st_dev == here.device && st.st_ino == here.inode;
}

bool gl_emit_recorder_lives(void)
{
    if (fd_is_ours()) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
        if (fcntl(here.fd, F_OFD_GETLK, &lock) == 0)
            return lock.l_type != F_UNLCK;
    }
    uint32_t pid = __atomic_load_n(&here.page->recorder_pid, __ATOMIC_RELAXED);
    return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

void gl_emit_count_no_ring(void)
{
    gl_ring_header *h = here.page;
    if (!h)
        return;
    uint64_t now = gl_ring_clock_is_counter(h->clock) ? gl_emit_counter_() : gl_emit_soft_clock();
    if (__atomic_fetch_add(&h->lost, 1, __ATOMIC_RELAXED) == 0)
        __atomic_store_n(&h->lost_first, now, __ATOMIC_RELAXED);
    __atomic_store_n(&h->lost_last, now, __ATOMIC_RELAXED);
}

/* The whole file. */

/** Writers' state, where the kernel empties it in a child, however it was forked. Kept for the life of the process: it is
    the same for each file that the process takes up, as slots are below a limit. */
static bool make_writers(uint32_t slots)
{
    size_t bytes = (slots * sizeof *here.writers + GL_EMIT_PAGE_ - 1) / GL_EMIT_PAGE_ * GL_EMIT_PAGE_;
    if (here.writers)
        return slots <= here.writer_count;
    char *at = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return false;
    madvise(at, bytes, MADV_WIPEONFORK); /* a kernel before 4.14 leaves it to atfork */
    here.writers = (gl_emit_writer *)(void *)at;
    here.at_fork = (gl_emit_writer *)(void *)(at + bytes);
    here.writer_count = slots;
    return true;
}

static bool map_whole(void)
{
    struct stat st;
    if (!__atomic_load_n(&here.page->laid_out, __ATOMIC_ACQUIRE) || !fd_is_ours() || fstat(here.fd, &st) < 0)
        return false;
    if (gl_ring_check(here.page, (uint64_t)st.st_size) != NULL)
        return false;
    uint64_t bytes = here.page->total_bytes;
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, here.fd, 0);
    if (at == MAP_FAILED)
        return false;
    gl_ring_header *h = at;
    for (uint32_t i = 0; i < h->slots; i++)
        if (!gl_ring_check_slot(h, gl_ring_table(h) + i)) {
            munmap(at, bytes);
            return false;
        }
    if (!make_writers(h->slots)) {
        munmap(at, bytes);
        return false;
    }
    here.whole = h;
    here.bytes = bytes;
    __atomic_fetch_add(&here.page->attached, 1, __ATOMIC_RELAXED);
    return true;
}

/** One thread maps, others wait a little for it: it holds no other lock, and no handler of its own can come here. */
static bool attach(void)
{
    for (unsigned tries = 0; tries < 10000; tries++) {
        uint32_t state = __atomic_load_n(&here.map_state, __ATOMIC_ACQUIRE);
        if (state == MAP_WHOLE)
            return true;
        if (state == MAP_NONE && __atomic_compare_exchange_n(&here.map_state, &state, MAP_BUSY, false, __ATOMIC_ACQUIRE,
                                                             __ATOMIC_RELAXED)) {
            bool good = map_whole();
            __atomic_store_n(&here.map_state, good ? MAP_WHOLE : MAP_NONE, __ATOMIC_RELEASE);
            return good;
        }
        sched_yield();
    }
    return false;
}

/* Slots. */

static gl_ring_control *ring_of(const gl_ring_slot *slot)
{
    return (gl_ring_control *)(void *)((char *)here.whole + slot->ring_offset);
}

/** How welcome a slot is; 0: not to be had. A ring that a thread of ours has left needs no page and no block. */
static unsigned rank(const gl_ring_slot *slot, uint64_t owner)
{
    switch (gl_ring_owner_state(owner)) {
    case GL_RING_FREE: return __atomic_load_n(&slot->ready, __ATOMIC_RELAXED) ? 3 : 2;
    case GL_RING_CLOSED: break;
    default: return 0;
    }
    bool ours = __atomic_load_n(&slot->pid, __ATOMIC_RELAXED) == here.pid;
    return ours && gl_ring_waiting(ring_of(slot)) <= slot->ring_bytes / 2 ? 4 : 1;
}

/** The best slot and what its owner word was, or NULL. Slots above those ever used are free: one look is enough there. */
static gl_ring_slot *best_slot(uint64_t *word)
{
    gl_ring_slot *table = gl_ring_table(here.whole), *best = NULL;
    uint32_t used = __atomic_load_n(&here.whole->slots_used, __ATOMIC_RELAXED);
    unsigned best_rank = 0;
    for (uint32_t i = 0; i < here.whole->slots && best_rank < 4 && !(i > used && best_rank >= 2); i++) {
        uint64_t owner = __atomic_load_n(&table[i].owner, __ATOMIC_ACQUIRE);
        unsigned r = rank(&table[i], owner);
        if (r > best_rank) {
            best_rank = r;
            best = &table[i];
            *word = owner;
        }
    }
    return best;
}

static bool take_slot(uint32_t tid, gl_ring_slot **out, uint64_t *before)
{
    gl_ring_slot *slot;
    while ((slot = best_slot(before)) != NULL) {
        uint64_t mine = gl_ring_owner_word(GL_RING_OWNED, gl_ring_owner_turn(*before) + 1, tid), expected = *before;
        if (!__atomic_compare_exchange_n(&slot->owner, &expected, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            continue;
        uint32_t i = (uint32_t)(slot - gl_ring_table(here.whole)), used = __atomic_load_n(&here.whole->slots_used, __ATOMIC_RELAXED);
        while (used <= i && !__atomic_compare_exchange_n(&here.whole->slots_used, &used, i + 1, true, __ATOMIC_RELEASE,
                                                         __ATOMIC_RELAXED)) {
        }
        *out = slot;
        return true;
    }
    return false;
}

/** The word's turn and thread stay: they tell who had it last. */
static void give_back(gl_ring_slot *slot, gl_ring_state state)
{
    uint64_t owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);
    owner = gl_ring_owner_word(state, gl_ring_owner_turn(owner), gl_ring_owner_tid(owner));
    __atomic_store_n(&slot->owner, owner, __ATOMIC_RELEASE);
    __atomic_fetch_add(&here.whole->releases, 1, __ATOMIC_RELEASE);
}

/** Sees to it that no store into the ring will fault. False where memory is not to be had. */
static bool populate(gl_ring_slot *slot)
{
    uint32_t i = (uint32_t)(slot - gl_ring_table(here.whole));
    uint64_t *word = &here.populated[i / 64], bit = UINT64_C(1) << (i % 64);
    if (__atomic_load_n(word, __ATOMIC_RELAXED) & bit)
        return true;
    if (madvise(ring_of(slot), GL_RING_CONTROL_BYTES + slot->ring_bytes, MADV_POPULATE_WRITE) < 0 && errno != EINVAL)
        return false; /* EINVAL: a kernel before 5.14; pages come one by one then */
    __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
    return true;
}

/** Goes on in the block that an earlier thread of this process has left. */
static void continue_block(gl_emit_thread *self, gl_emit_writer *t, uint64_t head)
{
    gl_ring_control *r = t->ring;
    t->real_limit = t->data + (head & t->data_mask & ~(uint64_t)(GL_RING_BLOCK - 1)) + GL_RING_BLOCK - GL_RING_EVENT_MAX;
    if (t->pos >= t->real_limit)
        return;
    t->last = r->last;
    t->chan = r->chan;
    t->texts = r->texts;
    t->stacks = r->stacks;
    t->block = (uint32_t)(head / GL_RING_BLOCK) + 1;
    uint8_t *p = t->pos;
    *p++ = GL_RING_CONTROL;
    *p++ = GL_RING_OWNER;
    p = gl_ring_put(p, here.pid);
    p = gl_ring_put(p, self->tid);
    p = gl_ring_put(p, t->turn);
    p = gl_ring_put(p, self->g);
    p = gl_ring_put(p, (uint32_t)(self->p + 1));
    gl_emit_publish(t, p);
}

static void take_ring(gl_emit_thread *self, gl_ring_slot *slot, bool go_on)
{
    gl_ring_control *r = ring_of(slot);
    uint32_t i = (uint32_t)(slot - gl_ring_table(here.whole));
    gl_emit_writer *t = &here.writers[i];
    uint64_t head = __atomic_load_n(&r->head, __ATOMIC_RELAXED);
    memset(t, 0, sizeof *t);
    t->slot = i;
    t->turn = gl_ring_owner_turn(__atomic_load_n(&slot->owner, __ATOMIC_RELAXED));
    t->data = (uint8_t *)r + GL_RING_CONTROL_BYTES;
    t->data_mask = slot->ring_bytes - 1;
    t->head = &r->head;
    t->soft_clock = !gl_ring_clock_is_counter(here.whole->clock);
    t->pos = t->real_limit = t->data + (head & t->data_mask);
    t->bias = head - (uint64_t)(uintptr_t)t->pos;
    t->ring = r;
    t->pending = __atomic_load_n(&r->lost, __ATOMIC_RELAXED) != r->lost_told;
    if (go_on && head % GL_RING_BLOCK)
        continue_block(self, t, head);
    self->ring = t;
}

/** Has the thread's end noticed. A key that would need memory for its value is left alone: then the recorder finds out
    that the thread is gone. */
static void watch_end(gl_emit_thread *self)
{
    if (!self->has_key && here.have_key && here.key < KEYS_WITHOUT_MEMORY)
        self->has_key = pthread_setspecific(here.key, self) == 0;
}

bool gl_emit_acquire(gl_emit_thread *self)
{
    if (!here.page || !attach())
        return false;
    uint32_t releases = __atomic_load_n(&here.whole->releases, __ATOMIC_ACQUIRE);
    if (self->in_vain && self->releases == releases)
        return false;
    if (!self->tid)
        self->tid = (uint32_t)syscall(SYS_gettid);
    gl_ring_slot *slot;
    uint64_t before;
    self->in_vain = 1;
    self->releases = releases;
    if (!take_slot(self->tid, &slot, &before))
        return false;
    if (!populate(slot)) {
        give_back(slot, gl_ring_owner_state(before));
        return false;
    }
    bool go_on = gl_ring_owner_state(before) == GL_RING_CLOSED && slot->pid == here.pid;
    __atomic_store_n(&slot->pid, here.pid, __ATOMIC_RELAXED);
    take_ring(self, slot, go_on);
    self->in_vain = 0;
    watch_end(self);
    return true;
}

void gl_emit_thread_end(void)
{
    gl_emit_thread *self = gl_emit_thread_();
    gl_emit_writer *t = self->ring;
    if (!t || !t->ring || gl_emit_busy())
        return;
    self->state = GL_EMIT_ENTERING_; /* a handler that emits now is counted, and takes no ring */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    self->writer = self->ring = NULL;
    gl_ring_control *r = t->ring;
    r->last = t->last;
    r->chan = t->chan;
    r->texts = t->texts;
    r->stacks = t->stacks;
    give_back(gl_ring_table(here.whole) + t->slot, GL_RING_CLOSED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    self->state = GL_EMIT_NONE_;
}

/* The process. */

static void at_thread_end(void *value)
{
    (void)value;
    gl_emit_thread_()->has_key = 0; /* a later destructor may emit again */
    gl_emit_thread_end();
}

static uint64_t pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

/** Takes the descriptor up as ours: its page 0, and by what it is known again. */
static bool take_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size < (off_t)GL_RING_HEADER_BYTES)
        return false;
    int flags = MAP_SHARED | (here.place ? MAP_FIXED : 0);
    void *page = mmap(here.place, GL_RING_HEADER_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (page == MAP_FAILED)
        return false;
    here.place = NULL;
    here.page = page;
    here.fd = fd;
    here.device = st.st_dev;
    here.inode = st.st_ino;
    __atomic_store_n(&here.map_state, MAP_NONE, __ATOMIC_RELEASE);
    return true;
}

static void drop_file(void)
{
    munmap(here.page, GL_RING_HEADER_BYTES);
    here.page = NULL;
    here.fd = -1;
}

/** In a child: its parent's page 0 goes, but not the place. fork may have been called by a signal handler that interrupted
    a look at it, which is still to be finished. */
static bool leave_file(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(here.page, GL_RING_HEADER_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
        return false;
    here.place = here.page;
    here.page = NULL;
    here.fd = -1;
    return true;
}

/** The file that a recorder has left to us. The number may mean something else by now: the file must say what it is. */
static bool take_inherited(void)
{
    const char *text = secure_getenv(GL_RING_ENV_FD);
    if (!text || *text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    long fd = strtol(text, &end, 10);
    if (errno || *end || fd > 1 << 20 || fcntl((int)fd, F_GET_SEALS) < 0 || !take_file((int)fd))
        return false;
    if (here.page->magic == GL_RING_MAGIC && here.page->version != GL_RING_VERSION)
        __atomic_store_n(&here.page->refused_version, GL_RING_VERSION, __ATOMIC_RELAXED);
    if (here.page->magic != GL_RING_MAGIC || here.page->version != GL_RING_VERSION || !attach()) {
        drop_file();
        return false;
    }
    if (!(here.page->flags & GL_RING_FOLLOW))
        fcntl(here.fd, F_SETFD, FD_CLOEXEC);
    return true;
}

/** A file of one page, for a recorder that may come. */
static bool make_file(void)
{
    int fd = memfd_create(GL_RING_FILE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0)
        fd = memfd_create(GL_RING_FILE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return false;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
    if (high >= 0) {
        close(fd);
        fd = high;
    }
    if (ftruncate(fd, GL_RING_HEADER_BYTES) < 0 || !take_file(fd)) {
        close(fd);
        return false;
    }
    here.page->version = GL_RING_VERSION;
    here.page->maker_pid = here.pid;
    here.page->pid_namespace = pid_namespace();
    __atomic_store_n(&here.page->magic, GL_RING_MAGIC, __ATOMIC_RELEASE);
    return true;
}

static void offer(void)
{
    __atomic_store_n(&gl_emit_process_.listening, &here.page->listening, __ATOMIC_RELEASE);
}

/** The forking thread's writer, which the child may still need, see forget_ring. */
static void before_fork(void)
{
    gl_emit_thread *self = gl_emit_thread_();
    if (self->ring)
        here.at_fork[self->ring - here.writers] = *self->ring;
}

/** The child's one thread starts without a ring. Where fork was called by a handler that had interrupted an emit, that one
    still ends: it does so in memory that nobody reads. */
static void forget_ring(gl_emit_thread *self)
{
    if (here.writers)
        memset(here.writers, 0, here.writer_count * sizeof *here.writers);
    if (self->ring) {
        *self->ring = here.at_fork[self->ring - here.writers];
        self->ring->limit = NULL;
        self->ring->ghost = 1;
    }
    self->writer = self->ring = NULL;
    self->state = GL_EMIT_NONE_;
    self->tid = self->in_vain = 0;
}

/**
 * The child has its parent's memory, rings included. What lies there is replaced by memory of its own, so that even an
 * emit that was under way cannot reach the parent's rings any more.
 */
static void in_child(void)
{
    __atomic_store_n(&gl_emit_process_.listening, NULL, __ATOMIC_RELEASE);
    if (!here.page)
        return;
    int before = errno, fd = here.fd;
    bool ours = fd_is_ours(), follow = (here.page->flags & GL_RING_FOLLOW) && here.map_state == MAP_WHOLE && ours;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    if (here.whole && mmap(here.whole, here.bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
        return;
    forget_ring(gl_emit_thread_());
    here.whole = NULL;
    here.pid = (uint32_t)getpid();
    memset(here.populated, 0, sizeof here.populated);
    __atomic_store_n(&here.map_state, MAP_NONE, __ATOMIC_RELEASE);
    if (!leave_file())
        return;
    if (!(follow && take_file(fd) && attach())) {
        if (ours)
            close(fd);
        here.fd = -1;
        make_file();
    }
    if (here.page)
        offer();
    errno = before;
}

/** What is done once a process, not once a file. */
static void prepare(void)
{
    if (here.once)
        return;
    here.once = 1;
    /* In .bss and a page of its own, so it can be emptied; a linker that has moved it elsewhere is left with atfork. */
    long page = sysconf(_SC_PAGESIZE);
    if (page > 0 && (size_t)page <= sizeof gl_emit_process_ && (uintptr_t)&gl_emit_process_ % sizeof gl_emit_process_ == 0)
        madvise(&gl_emit_process_, sizeof gl_emit_process_, MADV_WIPEONFORK);
    pthread_atfork(before_fork, NULL, in_child);
    here.have_key = pthread_key_create(&here.key, at_thread_end) == 0;
}

void gl_emit_init(void)
{
    if (here.page)
        return;
    const char *off = secure_getenv(GL_RING_ENV_OFF);
    if (off && !strcmp(off, "off"))
        return;
    int before = errno;
    here.pid = (uint32_t)getpid();
    prepare();
    if (take_inherited() || make_file())
        offer();
    errno = before;
}

__attribute__((constructor)) static void at_start(void)
{
    gl_emit_init();
}

void gl_emit_adopt_(void *base, int fd)
{
    __atomic_store_n(&gl_emit_process_.listening, NULL, __ATOMIC_RELEASE);
    struct stat st;
    here.page = base;
    here.whole = base;
    here.bytes = here.page->total_bytes;
    if (!make_writers(here.page->slots))
        return;
    here.fd = fd;
    if (fstat(fd, &st) == 0) {
        here.device = st.st_dev;
        here.inode = st.st_ino;
    }
    memset(here.populated, 0, sizeof here.populated);
    __atomic_store_n(&here.map_state, MAP_WHOLE, __ATOMIC_RELEASE);
    offer();
}
