/* The loops that bench_emit measures. */
#include "emit.h"

#include "golanes/emit.h"

#if BENCH_LTTNG
#include "emit_lttng.h"
const bool bench_has_lttng = true;
#else
const bool bench_has_lttng = false;
#endif

#define NUMBERS 4096u

/* Two fields an event, of 10 and 20 bits, irregular. */
static uint32_t small[NUMBERS], large[NUMBERS];

void bench_fill_numbers(void)
{
    uint32_t x = 2463534242u;
    for (unsigned i = 0; i < NUMBERS; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        small[i] = x & 1023;
        large[i] = (x >> 10) & 1048575;
    }
}

/* The floor: a buffer of the thread's own, the clock, 24 bytes, in a function of its own. */

typedef struct floor_record {
    uint64_t ticks;
    uint64_t b;
    uint32_t a, type;
} floor_record;

#define FLOOR_RECORDS 2730u /* 64 KiB */
static __thread floor_record floor_buffer[FLOOR_RECORDS];
static __thread uint32_t floor_used;

__attribute__((noinline)) static void floor_event(uint32_t a, uint64_t b)
{
    uint32_t i = floor_used;
    if (i == FLOOR_RECORDS)
        i = 0;
    floor_record *r = &floor_buffer[i];
    r->ticks = gl_emit_counter_();
    r->type = 1;
    r->a = a;
    r->b = b;
    floor_used = i + 1;
}

static void run_floor(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        floor_event(small[i % NUMBERS], large[i % NUMBERS]);
    __asm__ volatile("" : : : "memory");
}

static void run_clock(unsigned n)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += gl_emit_counter_();
        __asm__ volatile("" : "+r"(sum));
    }
}

__attribute__((noinline)) static void our_event(uint32_t a, uint64_t b)
{
    gl_emit_GCSweepEnd(a, b);
}

static void run_ours(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        our_event(small[i % NUMBERS], large[i % NUMBERS]);
}

static void run_chan(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        gl_emit_ChanSendBegin(UINT64_C(0xc000100000) + large[i % NUMBERS] * 16, i & 7, 8);
}

static void run_text(unsigned n)
{
    static const char *const reason[] = {"chan send", "chan receive", "select", "sync.Mutex.Lock"};
    for (unsigned i = 0; i < n; i++)
        gl_emit_GoBlock(reason[small[i % NUMBERS] & 3]);
}

__attribute__((noinline)) static void emit_with_stack(uint32_t a)
{
    gl_emit_ProcsChange_here(a);
    __asm__ volatile("" : : : "memory");
}

/** Seven frames above the one that emits. */
__attribute__((noinline)) static void deep(unsigned depth, unsigned n)
{
    if (depth) {
        deep(depth - 1, n);
        __asm__ volatile("" : : : "memory");
        return;
    }
    for (unsigned i = 0; i < n; i++)
        emit_with_stack(small[i % NUMBERS]);
    __asm__ volatile("" : : : "memory");
}

static void run_stack(unsigned n)
{
    deep(7, n);
}

/** As a program has it: in its own code. */
static void run_in_line(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        gl_emit_GCSweepEnd(small[i % NUMBERS], large[i % NUMBERS]);
}

static void run_empty(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        __asm__ volatile("" : : "r"(small[i % NUMBERS]), "r"((uint64_t)large[i % NUMBERS]));
}

static void run_lttng(unsigned n)
{
#if BENCH_LTTNG
    for (unsigned i = 0; i < n; i++)
        lttng_two_integers(small[i % NUMBERS], large[i % NUMBERS]);
#else
    (void)n;
#endif
}

const bench_subject bench_subjects[BENCH_SUBJECTS] = {
    [CLOCK] = {"clock", run_clock, true, 0},
    [FLOOR] = {"floor_24_bytes", run_floor, true, 0},
    [OURS] = {"ours_two_integers", run_ours, true, 0},
    [CHAN] = {"ours_chan_send", run_chan, true, 0},
    [TEXT] = {"ours_go_block", run_text, true, 0},
    [STACK] = {"ours_8_frames", run_stack, true, 0},
    [EMPTY] = {"empty_loop", run_empty, false, 0},
    [OFF] = {"no_recorder_with_loop", run_in_line, false, 0},
    [LTTNG] = {"lttng_ust_two_integers", run_lttng, false, 500},
};
