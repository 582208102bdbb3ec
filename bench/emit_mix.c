/* Events as a program's scheduler has them, for what they take in a ring and on disk. */
#include <pthread.h>
#include <time.h>

#include "emit.h"
#include "golanes/emit.h"

#if BENCH_LTTNG
#include "emit_lttng.h"
#define EMIT(ours, theirs) (m->lttng ? (void)(theirs) : (void)(ours))
#else
#define EMIT(ours, theirs) ((void)(ours))
#endif

#define STAGES 10u
#define PIPELINES 250u /* a thread */
#define GOROUTINES (STAGES * PIPELINES)
#define TURNS_A_PAUSE 1500u

typedef struct mixer {
    uint32_t thread;
    bool lttng;
    uint64_t wanted, events, random;
    uint32_t queue[GOROUTINES], head, tail;
    bool waiting[GOROUTINES], queued[GOROUTINES];
} mixer;

static uint32_t below(mixer *m, uint32_t n)
{
    m->random = m->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((m->random >> 33) % n);
}

static uint64_t id_of(const mixer *m, uint32_t g)
{
    return 1 + m->thread * GOROUTINES + g;
}

/** The channel that goroutine g receives from. */
static uint64_t chan_of(const mixer *m, uint32_t g)
{
    return UINT64_C(0xc000100000) + (m->thread * GOROUTINES + g) * UINT64_C(112);
}

static void queue_up(mixer *m, uint32_t g)
{
    if (m->queued[g])
        return;
    m->queued[g] = true;
    m->queue[m->tail++ % GOROUTINES] = g;
}

/** 0 to about 300 ns, and at times more: what a goroutine does itself. */
static void work(mixer *m)
{
    uint32_t n = below(m, 100) + (below(m, 32) ? 0 : below(m, 2000));
    for (uint32_t i = 0; i < n; i++)
        __asm__ volatile("" : : "r"(i));
}

/** Takes what has been handed to it, works on it, hands it on, and waits for more. */
static void turn(mixer *m)
{
    uint32_t g = m->queue[m->head++ % GOROUTINES];
    uint32_t next = (g + 1) % STAGES ? g + 1 : g + 1 - STAGES;
    uint64_t from = chan_of(m, g), to = chan_of(m, next);
    m->queued[g] = false;
    EMIT(gl_emit_GoStart(id_of(m, g)), lttng_go_start(id_of(m, g)));
    if (m->waiting[g])
        EMIT(gl_emit_ChanRecvEnd(from, 0, GL_CHAN_DONE), lttng_recv_end(from, 0, GL_CHAN_DONE));
    work(m);
    EMIT(gl_emit_ChanSendBegin(to, 0, 1), lttng_send_begin(to, 0, 1));
    if (m->waiting[next] && !m->queued[next]) {
        EMIT(gl_emit_GoUnpark(id_of(m, next)), lttng_go_unpark(id_of(m, next)));
        m->events++;
    }
    queue_up(m, next);
    EMIT(gl_emit_ChanSendEnd(to, 0, GL_CHAN_DONE), lttng_send_end(to, 0, GL_CHAN_DONE));
    work(m);
    EMIT(gl_emit_ChanRecvBegin(from, 0, 1), lttng_recv_begin(from, 0, 1));
    EMIT(gl_emit_GoBlock("chan receive"), lttng_go_block("chan receive"));
    m->events += 5 + m->waiting[g];
    m->waiting[g] = true;
    if (m->head == m->tail || below(m, 20) == 0) /* something new comes from outside */
        queue_up(m, below(m, PIPELINES) * STAGES);
}

static void *mix(void *arg)
{
    mixer *m = arg;
    EMIT(gl_emit_ProcStart(m->thread), (void)0);
    for (uint32_t i = 0; i < 64; i++)
        queue_up(m, below(m, GOROUTINES));
    for (uint32_t turns = 1; m->events < m->wanted; turns++) {
        turn(m);
        struct timespec pause = {.tv_nsec = 2000000};
        if (turns % TURNS_A_PAUSE == 0)
            nanosleep(&pause, NULL);
    }
    return NULL;
}

uint64_t bench_mix(uint64_t n, bool lttng)
{
    static mixer m[2];
    pthread_t thread[2];
    uint64_t sum = 0;
    for (unsigned i = 0; i < 2; i++) {
        m[i] = (mixer){.thread = i, .lttng = lttng, .wanted = n / 2, .random = 77 + i};
        if (pthread_create(&thread[i], NULL, mix, &m[i]) != 0)
            return 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        sum += m[i].events;
    }
    return sum;
}

void bench_mix_fast(unsigned n)
{
    static mixer kept;
    mixer *m = &kept;
    if (!m->random) {
        m->random = 7;
        queue_up(m, 0);
    }
    for (uint64_t until = m->events + n; m->events < until;)
        turn(m);
}
