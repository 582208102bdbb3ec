/*
 * The live sanity check: what offsets and addresses say must make sense in the process itself.
 */
#include <inttypes.h>
#include <string.h>

#include "golanes/golayout.h"

#include "program.h"

#define GOROUTINES_MAX (UINT64_C(1) << 27)
#define LOOK_AT 4096
#define THREAD_IDS_MAX (INT64_C(1) << 31)
#define SCAN_BIT 0x1000u
#define TRIES 4

/* src/runtime/runtime2.go. */
enum { IDLE = 0, RUNNABLE = 1, RUNNING = 2, SYSCALL = 3, WAITING = 4, DEAD = 6, COPYSTACK = 8, PREEMPTED = 9, LEAKED = 10, EXTRA = 11 };

typedef struct look {
    const gl_goprog *p;
    const gl_golayout *l;
    const gl_gomemory *mem;
    uint64_t bias;
    const int *threads;
    size_t thread_count;
    gl_error *err;
    unsigned with_threads; /* goroutines whose M was looked at */
} look;

static bool word_at(const look *k, uint64_t live, uint64_t *v)
{
    uint8_t b[8];
    if (k->mem->read(k->mem->user, live, b, sizeof b) < 0)
        return false;
    *v = gl_le64(b);
    return true;
}

static int senseless(const look *k, uint64_t g, const char *what, uint64_t v)
{
    return gl_fail(k->err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "what the runtime's structures hold makes no sense: the goroutine at 0x%" PRIx64 " has %s 0x%" PRIx64, g, what, v);
}

static bool is_thread(const look *k, uint64_t id)
{
    for (size_t i = 0; i < k->thread_count; i++)
        if ((uint64_t)k->threads[i] == id)
            return true;
    return k->thread_count == 0 && id > 0 && id < (uint64_t)THREAD_IDS_MAX;
}

/* A goroutine that runs and its M name each other; the M's own goroutine names it too; its thread is there. */
static int check_m(look *k, uint64_t g, uint64_t m)
{
    uint64_t v;
    if (!word_at(k, m + (uint64_t)k->l->m_curg, &v))
        return senseless(k, g, "an M that can't be read at", m);
    if (v != g)
        return senseless(k, g, "an M that runs another goroutine,", v);
    if (!word_at(k, m + (uint64_t)k->l->m_procid, &v) || !is_thread(k, v))
        return senseless(k, g, "an M without a thread of the process,", v);
    uint64_t g0;
    if (!word_at(k, m + (uint64_t)k->l->m_g0, &g0) || !word_at(k, g0 + (uint64_t)k->l->g_m, &v) || v != m)
        return senseless(k, g, "an M whose own goroutine belongs to another M,", v);
    if (!word_at(k, m + (uint64_t)k->l->m_id, &v) || v > (uint64_t)THREAD_IDS_MAX)
        return senseless(k, g, "an M of number", v);
    k->with_threads++;
    return 0;
}

static bool is_text(const look *k, uint64_t live)
{
    uint64_t pc = live - k->bias;
    return pc >= k->p->info.text && pc < k->p->info.text_end;
}

static uint64_t field(const uint8_t *g, int32_t offset)
{
    return gl_le64(g + offset);
}

static int check_stack(const look *k, uint64_t at, const uint8_t *g, bool parked)
{
    uint64_t low = field(g, k->l->g_stack_lo), high = field(g, k->l->g_stack_hi), sp = field(g, k->l->g_sched_sp);
    if (low == 0 || low >= high || high - low > (UINT64_C(1) << 31))
        return senseless(k, at, "a stack from", low);
    if (parked && (sp < low || sp > high))
        return senseless(k, at, "its stack pointer outside its stack, at", sp);
    if (parked && !is_text(k, field(g, k->l->g_sched_pc)))
        return senseless(k, at, "its program counter outside the program, at", field(g, k->l->g_sched_pc));
    return 0;
}

static int check_start(const look *k, uint64_t at, const uint8_t *g)
{
    gl_gofunc f;
    uint64_t pc = field(g, k->l->g_startpc);
    if (pc != 0 && (!gl_goprog_func_of(k->p, pc - k->bias, &f) || f.entry != pc - k->bias))
        return senseless(k, at, "a start function that is none, at", pc);
    return 0;
}

static int check_g(look *k, uint64_t at)
{
    uint8_t g[1024];
    size_t n = k->l->g_size > 0 && (size_t)k->l->g_size <= sizeof g ? (size_t)k->l->g_size : 0;
    if (n == 0 || k->mem->read(k->mem->user, at, g, n) < 0)
        return senseless(k, at, "an address that can't be read,", at);
    uint32_t state = gl_le32(g + k->l->g_atomicstatus) & ~SCAN_BIT;
    uint64_t id = field(g, k->l->g_goid), m = field(g, k->l->g_m);
    if (state > EXTRA || state == 5 || state == 7)
        return senseless(k, at, "the state", state);
    if (state == IDLE || state == DEAD || state >= LEAKED || state == COPYSTACK)
        return 0;
    if (id == 0 || id >> 48)
        return senseless(k, at, "the id", id);
    if (state == WAITING && !gl_goprog_wait_reason(k->p->info.minor, g[k->l->g_waitreason]) && k->l->sources & GL_GOLAYOUT_KNOWN)
        return senseless(k, at, "the wait reason", g[k->l->g_waitreason]);
    int rc = check_stack(k, at, g, state == WAITING || state == RUNNABLE || state == PREEMPTED);
    if (rc == 0)
        rc = check_start(k, at, g);
    if (rc == 0 && (state == RUNNING || state == SYSCALL) && m != 0)
        rc = check_m(k, at, m);
    return rc;
}

/* A goroutine that runs may change between two reads; one whose fields lie elsewhere makes no sense any time. */
static int check_again(look *k, uint64_t at)
{
    int rc = GL_E_UNSUPPORTED;
    for (unsigned i = 0; i < TRIES && rc == GL_E_UNSUPPORTED; i++)
        rc = check_g(k, at);
    return rc;
}

int gl_goprog_check_live(const gl_goprog *p, const gl_golayout *l, const gl_govars *v, const gl_gomemory *mem, uint64_t bias,
                         const int *threads, size_t n, gl_error *err)
{
    look k = {p, l, mem, bias, threads, n, err, 0};
    uint64_t list = 0, count = 0, g = 0;
    if (v->allgs == 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: its list of goroutines is not to be found", p->info.path);
    if (!word_at(&k, v->allgs + bias, &list) || !word_at(&k, v->allgs + bias + 8, &count))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the process's list of goroutines can't be read");
    if (list == 0 && count == 0)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "the process has no goroutines yet");
    if (count == 0 || count > GOROUTINES_MAX)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "what the runtime's structures hold makes no sense: a list of %" PRIu64 " goroutines", count);
    int rc = 0;
    for (uint64_t i = 0; rc == 0 && i < count && i < LOOK_AT; i++) {
        if (!word_at(&k, list + i * 8, &g) || g == 0)
            return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                           "what the runtime's structures hold makes no sense: goroutine %" PRIu64 " of the list is not there", i);
        rc = check_again(&k, g);
    }
    return rc;
}
