/*
 * What a recorder does with an event before it is encoded, stage by stage: two threads fill their rings, then one drains
 * them, and so on. Prints one line a stage: stage, the least of the rounds, their median, unit; separated by tabs. Each
 * stage does what the one above it does, too.
 *
 *     bench_drain [ROUNDS [EVENTS A THREAD AND ROUND]]        40, 50000
 *
 * Processor time of the draining thread. Where the program runs meanwhile, on other processors, what it has just written
 * is in their caches, and copying costs more than here.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "golanes/writer.h"
#include "golanes/probe_session.h"

#include "hand_over.h"
#include "order.h"

#define THREADS 2
#define ROUNDS_MAX 1000
#define ROOM 128u
#define QUOTA 1024u
#define TURN 1000 /* events after which threads wait for each other, so that their times are mixed as on two processors */

enum { DECODE, PLACE, ORDER, WRITE, STAGES };
static const char *const stage_name[STAGES] = {"copy, decode", "into a queue, in ns", "order", "encode, compress beside it"};

static gl_session *session;
static unsigned rounds = 40, events_a_round = 50000;
static pthread_barrier_t begin, turn, end;

static void die(const char *text)
{
    fprintf(stderr, "bench_drain: %s\n", text);
    exit(1);
}

static void *emit(void *user)
{
    unsigned thread = (unsigned)(uintptr_t)user;
    uint64_t random = 88172645463325252u + thread;
    for (unsigned r = 0; r < rounds * STAGES; r++) {
        pthread_barrier_wait(&begin);
        for (unsigned n = 0; n < events_a_round;) {
            for (unsigned stop = n + TURN; n < stop;)
                n += bench_hand_over(&random, thread, THREADS);
            pthread_barrier_wait(&turn);
        }
        pthread_barrier_wait(&end);
    }
    return NULL;
}

/* ---- the stages ----------------------------------------------------------------------------------------------------- */

static uint64_t delivered;
static gl_dict *dict;
static gl_writer *writer;
static gl_clock_map map;

typedef struct lane {
    gl_queue queue;
    uint32_t ring;
    gl_session_sink sink;
} lane;

static int on_thread(void *user, const gl_session_owner *owner, gl_session_thread *out)
{
    (void)user;
    *out = (gl_session_thread){owner->ring, 0};
    return 0;
}

static int on_text(void *user, const char *text, size_t n, uint32_t *id)
{
    (void)user;
    return gl_dict_string(dict, text, n, id);
}

static int on_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    (void)user, (void)pid, (void)pcs;
    *id = (uint32_t)n;
    return 0;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    (void)user, (void)events;
    delivered += n;
    return 0;
}

static gl_event *room(void *user, size_t *n)
{
    lane *l = user;
    size_t have = gl_queue_count(&l->queue), left = have < QUOTA ? QUOTA - have : 1;
    *n = left < ROOM ? left : ROOM;
    return gl_queue_room(&l->queue, *n);
}

static int added(void *user, size_t n)
{
    lane *l = user;
    l->queue.tail += n;
    l->queue.more = gl_queue_count(&l->queue) >= QUOTA;
    return l->queue.more ? GL_DRAIN_ENOUGH : 0;
}

static int refill(void *user, gl_queue *q)
{
    lane *l = (lane *)(void *)q;
    (void)user;
    q->more = false;
    return gl_session_drain(session, l->ring, &l->sink, NULL);
}

static int count(void *user, gl_event *events, size_t n)
{
    (void)user, (void)events;
    delivered += n;
    return 0;
}

static int store(void *user, gl_event *events, size_t n)
{
    (void)user;
    delivered += n;
    return gl_writer_events(writer, events, n);
}

static lane lanes[THREADS];
static gl_order order;

/** One queue after the other. */
static void place_all(void)
{
    for (unsigned i = 0; i < THREADS; i++)
        do {
            lanes[i].queue.head = lanes[i].queue.tail = 0;
            if (refill(NULL, &lanes[i].queue) < 0)
                die("a ring can't be drained");
            delivered += gl_queue_count(&lanes[i].queue);
        } while (lanes[i].queue.more);
}

static void run_stage(unsigned stage)
{
    static const gl_session_sink counting = {NULL, on_thread, on_text, on_stack, on_events, NULL};
    for (unsigned i = 0; i < THREADS; i++) {
        if (stage == DECODE && gl_session_drain(session, i, &counting, NULL) < 0)
            die("a ring can't be drained");
        lanes[i].queue.more = true;
    }
    if (stage == PLACE)
        place_all();
    order.deliver = stage == ORDER ? count : store;
    if (stage >= ORDER && gl_order_run(&order, INT64_MAX) < 0)
        die("events can't be ordered or written");
}

static double cpu_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void open_all(void)
{
    static const gl_session_direct direct = {room, added, &map};
    gl_ring_pair first, second;
    gl_error err = {0};
    gl_writer_options o = {.path = "/dev/null", .threads = 1, .encode_here = true};
    dict = o.dict = gl_dict_new();
    if (!dict || gl_writer_open(&o, &writer, &err) < 0 || gl_session_join(getpid(), &(gl_session_options){.slots = 8, .large_rings = 8}, &session, &err) < 0)
        die(err.text);
    gl_session_take_clock(session, &first);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    gl_session_take_clock(session, &second);
    gl_clock_map_start(&map, &first, &second);
    gl_order_init(&order, count, refill, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        lanes[i].ring = i;
        lanes[i].sink = (gl_session_sink){&lanes[i], on_thread, on_text, on_stack, on_events, &direct};
        if (gl_order_add(&order, &lanes[i].queue) < 0)
            die("no memory");
    }
    gl_session_listen(session, true);
}

int main(int argc, char **argv)
{
    static double sample[STAGES][ROUNDS_MAX];
    pthread_t id[THREADS];
    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        events_a_round = (unsigned)strtoul(argv[2], NULL, 10) / TURN * TURN;
    if (rounds < 1 || rounds > ROUNDS_MAX || events_a_round < TURN)
        die("at most 1000 rounds, of at least 1000 events");
    open_all();
    pthread_barrier_init(&begin, NULL, THREADS + 1);
    pthread_barrier_init(&turn, NULL, THREADS);
    pthread_barrier_init(&end, NULL, THREADS + 1);
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&id[i], NULL, emit, (void *)(uintptr_t)i))
            die("a thread can't be started");
    for (unsigned r = 0; r < rounds * STAGES; r++) {
        pthread_barrier_wait(&begin);
        pthread_barrier_wait(&end);
        delivered = 0;
        double before = cpu_ns();
        run_stage(r % STAGES);
        sample[r % STAGES][r / STAGES] = (cpu_ns() - before) / (double)(delivered ? delivered : 1);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    for (unsigned s = 0; s < STAGES; s++) {
        qsort(sample[s], rounds, sizeof(double), compare);
        printf("%s\t%.2f\t%.2f\tns of CPU an event\n", stage_name[s], sample[s][0], sample[s][rounds / 2]);
    }
    gl_writer_abandon(writer);
    gl_session_close(session);
    return 0;
}
