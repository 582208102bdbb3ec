/*
 * What the importer makes of v1 events, rule by rule, on traces written byte by byte. A tick is a nanosecond here, and
 * the first event is at 1 ns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "v1file.h"

#define GHZ 1000000000u
#define SYNC "0 Sync - - - n=1"
/* Goroutine 1 is told by its start, so nothing is left at the first Gomaxprocs. */
#define STARTED SYNC, "2 StateTransition 7 0 - p0 Undetermined->Running", \
                "3 StateTransition 7 0 1 g1 Undetermined->Running reason=\"\""
#define EXPECT(f, ...) v1file_expect((f), (const char *const[]){__VA_ARGS__, NULL})

static void sound(v1lines l)
{
    assert_true(l.result.complete);
    assert_false(l.result.truncated);
    assert_int_equal(l.result.damage_count, 0);
    assert_int_equal(l.result.resyncs, 0);
    v1lines_free(&l);
}

/* Goroutines that were there: waiting, in a call, running, and one that is only created. */
static void test_start(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_batch(&f, 0, 1000);
    v1file_event(&f, EV_GO_CREATE, 4, 0, 1, 0, 0);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 2, 0, 0);
    v1file_event(&f, EV_GO_WAITING, 2, 1, 2);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 3, 0, 0);
    v1file_event(&f, EV_GO_IN_SYSCALL, 2, 1, 3);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 9, 0, 0);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 8, 0, 0);
    v1file_event(&f, EV_PROC_START, 2, 1, 7);
    v1file_event(&f, EV_GO_START, 3, 1, 1, 1);
    v1file_event(&f, EV_GOMAXPROCS, 3, 1, 4, 0);
    v1file_event(&f, EV_GOMAXPROCS, 3, 1, 6, 0);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, SYNC, "3 StateTransition - 0 2 g2 Undetermined->Waiting reason=\"\"",
                 "5 StateTransition - 0 3 g3 Undetermined->Syscall reason=\"\"",
                 "8 StateTransition 7 0 - p0 Undetermined->Running",
                 "9 StateTransition 7 0 1 g1 Undetermined->Running reason=\"\"",
                 "10 StateTransition - - - g8 Undetermined->Runnable reason=\"\"",
                 "10 StateTransition - - - g9 Undetermined->Runnable reason=\"\"",
                 "11 Metric 7 0 1 /sched/gomaxprocs:threads=6"));
}

/* One time on two Ps: the wake-up has to come before the start, whichever P the file has first. */
static void test_equal_times(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 2, 0, 0);
    v1file_event(&f, EV_GO_START_LOCAL, 2, 1, 2); /* goroutine 1 is left out here: its P just takes another */
    v1file_event(&f, EV_GO_BLOCK_RECV, 2, 1, 0);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 3, 0, 0);
    v1file_event(&f, EV_GO_START_LOCAL, 2, 1, 3);
    v1file_event(&f, EV_GO_UNBLOCK, 4, 91, 2, 2, 0);
    v1file_batch(&f, 5, 1000);
    v1file_event(&f, EV_PROC_START, 2, 50, 8);
    v1file_event(&f, EV_GO_START, 3, 49, 2, 3);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 StateTransition 7 0 1 g2 NotExist->Runnable reason=\"\"",
                 "6 StateTransition 7 0 2 g2 Runnable->Running reason=\"\"",
                 "7 StateTransition 7 0 2 g2 Running->Waiting reason=\"chan receive\"",
                 "8 StateTransition 7 0 - g3 NotExist->Runnable reason=\"\"",
                 "9 StateTransition 7 0 3 g3 Runnable->Running reason=\"\"",
                 "51 StateTransition 8 5 - p5 Undetermined->Running",
                 "100 StateTransition 7 0 3 g2 Waiting->Runnable reason=\"\"",
                 "100 StateTransition 8 5 2 g2 Runnable->Running reason=\"\""));
}

/* Clocks that differ a little: the sequence decides, and it is said that times contradict it. */
static void test_skewed_clocks(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_GO_CREATE, 4, 100, 2, 0, 0);
    v1file_batch(&f, 1, 1000);
    v1file_event(&f, EV_PROC_START, 2, 10, 8);
    v1file_event(&f, EV_GO_START, 3, 10, 2, 1);
    v1file_frequency(&f, GHZ);
    v1lines l = EXPECT(&f, STARTED, "11 StateTransition 8 1 - p1 Undetermined->Running",
                       "104 StateTransition 7 0 1 g2 NotExist->Runnable reason=\"\"",
                       "21 StateTransition 8 1 2 g2 Runnable->Running reason=\"\"");
    assert_false(l.result.complete);
    assert_int_equal(l.result.damage_count, 1);
    assert_non_null(strstr(l.result.damages[0].reason, "1 events have times before"));
    assert_int_equal(l.result.bytes_lost, 0);
    v1lines_free(&l);
}

static void test_reasons(void **state)
{
    (void)state;
    static const struct {
        unsigned type;
        const char *line;
    } parks[] = {
        {EV_GO_STOP, "Running->Waiting reason=\"forever\""},
        {EV_GO_SCHED, "Running->Runnable reason=\"runtime.Gosched\""},
        {EV_GO_PREEMPT, "Running->Runnable reason=\"preempted\""},
        {EV_GO_SLEEP, "Running->Waiting reason=\"sleep\""},
        {EV_GO_BLOCK, "Running->Waiting reason=\"\""},
        {EV_GO_BLOCK_SEND, "Running->Waiting reason=\"chan send\""},
        {EV_GO_BLOCK_RECV, "Running->Waiting reason=\"chan receive\""},
        {EV_GO_BLOCK_SELECT, "Running->Waiting reason=\"select\""},
        {EV_GO_BLOCK_SYNC, "Running->Waiting reason=\"sync\""},
        {EV_GO_BLOCK_COND, "Running->Waiting reason=\"sync.(*Cond).Wait\""},
        {EV_GO_BLOCK_NET, "Running->Waiting reason=\"network\""},
        {EV_GO_BLOCK_GC, "Running->Waiting reason=\"GC mark assist wait for work\""},
    };
    for (size_t i = 0; i < sizeof parks / sizeof parks[0]; i++) {
        v1file f;
        char line[128];
        v1file_begin(&f, 11);
        v1file_start(&f, 1000);
        v1file_event(&f, parks[i].type, 2, 1, 0);
        v1file_frequency(&f, GHZ);
        snprintf(line, sizeof line, "5 StateTransition 7 0 1 g1 %s", parks[i].line);
        sound(EXPECT(&f, STARTED, line));
    }
}

static void test_ps_and_end(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 11);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_GO_END, 1, 1);
    v1file_event(&f, EV_PROC_STOP, 1, 1);
    v1file_event(&f, EV_PROC_START, 2, 1, 9);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 1, 4096);
    v1file_event(&f, EV_HEAP_GOAL, 2, 1, 8192);
    v1file_batch(&f, 1, 1010);
    v1file_event(&f, EV_PROC_STOP, 1, 1);
    v1file_batch(&f, UINT64_MAX, 1020);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 1, 1);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 StateTransition 7 0 1 g1 Running->NotExist reason=\"\"",
                 "6 StateTransition 7 0 - p0 Running->Idle", "7 StateTransition 9 0 - p0 Idle->Running",
                 "8 Metric 9 0 - /memory/classes/heap/objects:bytes=4096", "9 Metric 9 0 - /gc/heap/goal:bytes=8192",
                 "12 StateTransition - 1 - p1 Undetermined->Idle",
                 "22 Metric - - - /memory/classes/heap/objects:bytes=1"));
}

static void test_call_that_does_not_block(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 21);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_SYS_CALL, 2, 1, 0);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 10, 5);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 StateTransition 7 0 1 g1 Running->Syscall reason=\"\"",
                 "6 StateTransition 7 0 1 g1 Syscall->Running reason=\"\"",
                 "15 Metric 7 0 1 /memory/classes/heap/objects:bytes=5"));
}

/* The return is told at its true time, between events of another P, though it stands later in the file. */
static void test_call_that_blocks(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 21);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_SYS_CALL, 2, 1, 0);
    v1file_batch(&f, 0, 1010); /* the block is the first event of the P's next batch */
    v1file_event(&f, EV_SYS_BLOCK, 1, 0);
    v1file_event(&f, EV_PROC_STOP, 1, 0);
    v1file_batch(&f, 1, 1010);
    v1file_event(&f, EV_PROC_START, 2, 5, 8);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 5, 20);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 10, 30);
    v1file_event(&f, EV_SYS_EXIT, 4, 10, 1, 2, 1020);
    v1file_event(&f, EV_GO_START, 3, 1, 1, 3);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 StateTransition 7 0 1 g1 Running->Syscall reason=\"\"",
                 "11 StateTransition 7 0 - p0 Running->Idle", "16 StateTransition 8 1 - p1 Undetermined->Running",
                 "21 Metric 8 1 - /memory/classes/heap/objects:bytes=20",
                 "21 StateTransition - 1000003 1 g1 Syscall->Runnable reason=\"\"",
                 "31 Metric 8 1 - /memory/classes/heap/objects:bytes=30",
                 "42 StateTransition 8 1 1 g1 Runnable->Running reason=\"\""));
}

/* A return without a true time stays where it is; one whose true time is before the block can't be true. */
static void test_returns_at_their_place(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        v1file f;
        v1file_begin(&f, 21);
        v1file_start(&f, 1000);
        v1file_event(&f, EV_SYS_CALL, 2, 1, 0);
        v1file_event(&f, EV_SYS_BLOCK, 1, 6);
        v1file_event(&f, EV_SYS_EXIT, 4, 10, 1, 2, wrong ? 1006 : 0);
        v1file_frequency(&f, GHZ);
        sound(EXPECT(&f, STARTED, "5 StateTransition 7 0 1 g1 Running->Syscall reason=\"\"",
                     "21 StateTransition - 1000003 1 g1 Syscall->Runnable reason=\"\""));
    }
}

/* Something stands between the call and its block: what was taken for a short call becomes a new, inferred one. */
static void test_block_that_comes_late(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 21);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_SYS_CALL, 2, 1, 0);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 6, 5);
    v1file_event(&f, EV_SYS_BLOCK, 1, 10);
    v1file_event(&f, EV_SYS_EXIT, 4, 10, 1, 2, 1025);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 StateTransition 7 0 1 g1 Running->Syscall reason=\"\"",
                 "6 StateTransition 7 0 1 g1 Syscall->Running reason=\"\"",
                 "11 Metric 7 0 1 /memory/classes/heap/objects:bytes=5",
                 "21 StateTransition 7 0 1 g1 Running->Syscall reason=\"\" INFERRED",
                 "26 StateTransition - 1000003 1 g1 Syscall->Runnable reason=\"\""));
}

/* Wake-ups by the network poller and by the timers' goroutine have Ps of their own. */
static void test_ps_of_no_p(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 11);
    v1file_batch(&f, 0, 1000);
    for (int g = 1; g <= 4; g++)
        v1file_event(&f, EV_GO_CREATE, 4, 0, g, 0, 0);
    v1file_event(&f, EV_GO_WAITING, 2, 0, 3);
    v1file_event(&f, EV_PROC_START, 2, 0, 7);
    v1file_event(&f, EV_GO_START, 3, 0, 1, 1);
    v1file_event(&f, EV_GOMAXPROCS, 3, 0, 1, 0);
    v1file_event(&f, EV_GO_BLOCK_NET, 2, 1, 0);
    v1file_event(&f, EV_GO_START, 3, 1, 4, 1);
    v1file_event(&f, EV_GO_UNBLOCK, 4, 1, 1, 2, 0);
    v1file_event(&f, EV_GO_END, 1, 1);
    v1file_event(&f, EV_GO_START, 3, 1, 2, 1);
    v1file_event(&f, EV_GO_UNBLOCK_LOCAL, 3, 1, 3, 0);
    v1file_frequency(&f, GHZ);
    v1file_byte(&f, EV_TIMER_GOROUTINE);
    v1file_number(&f, 2);
    sound(EXPECT(&f, SYNC, "1 StateTransition - 0 3 g3 Undetermined->Waiting reason=\"\"",
                 "1 StateTransition 7 0 - p0 Undetermined->Running",
                 "1 StateTransition 7 0 1 g1 Undetermined->Running reason=\"\"",
                 "1 StateTransition - - - g2 Undetermined->Runnable reason=\"\"",
                 "1 StateTransition - - - g4 Undetermined->Runnable reason=\"\"",
                 "2 StateTransition 7 0 1 g1 Running->Waiting reason=\"network\"",
                 "3 StateTransition 7 0 4 g4 Runnable->Running reason=\"\"",
                 "4 StateTransition - 1000002 4 g1 Waiting->Runnable reason=\"\"",
                 "5 StateTransition 7 0 4 g4 Running->NotExist reason=\"\"",
                 "6 StateTransition 7 0 2 g2 Runnable->Running reason=\"\"",
                 "7 StateTransition - 1000001 2 g3 Waiting->Runnable reason=\"\""));
}

static void collect(unsigned version, int kind, const char *reason)
{
    v1file f;
    char begin[128], end[128];
    v1file_begin(&f, version);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_STW_START, 2, 1, kind);
    v1file_event(&f, EV_STW_DONE, 1, 2);
    v1file_frequency(&f, GHZ);
    snprintf(begin, sizeof begin, "5 RangeBegin 7 0 1 name=\"stop-the-world (%s)\" scope=g1", reason);
    snprintf(end, sizeof end, "7 RangeEnd 7 0 1 name=\"stop-the-world (%s)\" scope=g1", reason);
    sound(EXPECT(&f, STARTED, begin, end));
}

static void test_pauses(void **state)
{
    (void)state;
    collect(11, 0, "GC mark termination");
    collect(19, 1, "GC sweep termination");
    collect(19, 2, "");
    collect(21, 0, "");
    collect(21, 1, "GC mark termination");
    collect(21, 2, "GC sweep termination");
    collect(21, 9, "GOMAXPROCS");
    collect(21, 16, "ResetDebugLog (test)");
    collect(21, 17, "");
}

/* Before 1.10 each P told of its part, without a kind: overlapping parts are one pause. */
static void test_pause_in_parts(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 9);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_STW_START, 1, 1);
    v1file_event(&f, EV_STW_DONE, 1, 8);
    v1file_batch(&f, 1, 1000);
    v1file_event(&f, EV_PROC_START, 2, 5, 8);
    v1file_event(&f, EV_STW_START, 1, 5);
    v1file_event(&f, EV_STW_DONE, 1, 10);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 RangeBegin 7 0 1 name=\"stop-the-world (GC mark termination)\" scope=g1",
                 "6 StateTransition 8 1 - p1 Undetermined->Running",
                 "21 RangeEnd 8 1 - name=\"stop-the-world (GC mark termination)\" scope=g-1"));
}

static void test_collector(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 21);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_GC_START, 3, 1, 0, 0);
    v1file_event(&f, EV_ASSIST_START, 2, 1, 0);
    v1file_event(&f, EV_ASSIST_DONE, 1, 1);
    v1file_event(&f, EV_GC_DONE, 1, 1);
    v1file_event(&f, EV_SWEEP_START, 2, 1, 0);
    v1file_event(&f, EV_SWEEP_DONE, 3, 1, 500, 200);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 2, 0, 0);
    v1file_event(&f, EV_GO_SCHED, 2, 1, 0);
    v1file_event(&f, EV_GO_START_LABEL, 4, 1, 2, 1, 5);
    v1file_string(&f, 5, "GC (idle)");
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 RangeBegin - 1000004 1 name=\"GC concurrent mark phase\" scope=none",
                 "6 RangeBegin 7 0 1 name=\"GC mark assist\" scope=g1", "7 RangeEnd 7 0 1 name=\"GC mark assist\" scope=g1",
                 "8 RangeEnd 7 0 1 name=\"GC concurrent mark phase\" scope=none",
                 "9 RangeBegin 7 0 1 name=\"GC incremental sweep\" scope=p0",
                 "10 RangeEnd 7 0 1 name=\"GC incremental sweep\" scope=p0 \"bytes swept\"=500 \"bytes reclaimed\"=200",
                 "11 StateTransition 7 0 1 g2 NotExist->Runnable reason=\"\"",
                 "12 StateTransition 7 0 1 g1 Running->Runnable reason=\"runtime.Gosched\"",
                 "13 StateTransition 7 0 2 g2 Runnable->Running reason=\"\"",
                 "13 Label 7 0 2 label=\"GC (idle)\" scope=g2"));
}

static void test_program_marks_and_stacks(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 11);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_TASK_CREATE, 5, 1, 5, 0, 1, 6);
    v1file_event(&f, EV_TASK_CREATE, 5, 1, 6, 5, 1, 0);
    v1file_event(&f, EV_REGION, 5, 1, 6, 0, 2, 0);
    v1file_log(&f, 1, 6, 2, 6, "a \"message\"");
    v1file_log(&f, 1, 0, 0, 0, "");
    v1file_event(&f, EV_REGION, 5, 1, 6, 1, 2, 0);
    v1file_event(&f, EV_TASK_END, 3, 1, 6, 0);
    v1file_event(&f, EV_GO_CREATE, 4, 1, 2, 7, 6);
    v1file_stack(&f, 6, 2, 0x10, 3, 4, 11, 0x20, 8, 4, 22); /* string 8 comes later */
    v1file_stack(&f, 7, 1, 0x30, 8, 4, 33);
    v1file_string(&f, 1, "order");
    v1file_string(&f, 2, "step");
    v1file_string(&f, 3, "main.work");
    v1file_string(&f, 4, "main.go");
    v1file_string(&f, 8, "main.main");
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "5 TaskBegin 7 0 1 id=5 parent=- type=\"order\" stack=main.work:11|main.main:22",
                 "6 TaskBegin 7 0 1 id=6 parent=5 type=\"order\"", "7 RegionBegin 7 0 1 task=6 type=\"step\"",
                 "8 Log 7 0 1 task=6 category=\"step\" message=\"a \\\"message\\\"\" stack=main.work:11|main.main:22",
                 "9 Log 7 0 1 task=0 category=\"\" message=\"\"", "10 RegionEnd 7 0 1 task=6 type=\"step\"",
                 "11 TaskEnd 7 0 1 id=6 parent=5 type=\"order\"",
                 "12 StateTransition 7 0 1 g2 NotExist->Runnable reason=\"\" stack=main.work:11|main.main:22 "
                 "tstack=main.main:33"));
}

/* Samples are written by one goroutine late and in any order; their own times count. */
static void test_samples(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 1000);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 20, 1);
    v1file_batch(&f, 3, 5000);
    v1file_event(&f, EV_CPU_SAMPLE, 5, 7, 1010, 0, 1, 0);
    v1file_event(&f, EV_CPU_SAMPLE, 5, 7, 1005, 4, 0, 0);
    v1file_frequency(&f, GHZ);
    sound(EXPECT(&f, STARTED, "6 StackSample - 4 -", "11 StackSample - 0 1",
                 "24 Metric 7 0 1 /memory/classes/heap/objects:bytes=1"));
}

/* Before 1.7: one sequence for all; stacks and start functions are bare PCs, which the caller's symboliser names. */
static size_t name_pc(void *user, uint64_t pc, gl_pc_name *out, size_t max)
{
    (void)user;
    assert_true(max >= 1);
    *out = (gl_pc_name){.func = pc == 0x1000 ? "main.worker" : "main.caller", .file = "main.go", .line = (uint32_t)pc};
    return pc == 0x1000 || pc == 0x41f;
}

static void old_trace(v1file *f)
{
    v1file_begin(f, 5);
    v1file_batch_seq(f, 0, 10, 1000);
    v1file_event(f, EV_GO_CREATE, 5, 0, 0, 1, 0, 0);
    v1file_event(f, EV_PROC_START, 3, 1, 1, 7);
    v1file_event(f, EV_GO_START, 3, 1, 1, 1);
    v1file_event(f, EV_GOMAXPROCS, 4, 1, 1, 2, 0);
    v1file_event(f, EV_GO_CREATE, 5, 7, 10, 2, 0x1000, 3);     /* seq 20 */
    v1file_event(f, EV_SYS_CALL, 3, 1, 1, 0);                  /* 21 */
    v1file_event(f, EV_SYS_BLOCK, 2, 1, 1);                    /* 22 */
    v1file_event(f, EV_SYS_EXIT, 5, 20, 50, 1, 24, 1020);      /* stands at 42, was 24 */
    v1file_batch_seq(f, 1, 15, 1005);
    v1file_event(f, EV_PROC_START, 3, 0, 0, 8);                /* 15: before the creation, though its time may be not */
    v1file_event(f, EV_GO_START, 3, 8, 10, 2);                 /* 23 */
    v1file_event(f, EV_GO_UNBLOCK, 4, 10, 5, 1, 0);            /* 33 */
    v1file_stack(f, 3, 2, 0x420, 0x500);
    v1file_frequency(f, GHZ);
}

static void test_go_1_5(void **state)
{
    (void)state;
    v1file f;
    old_trace(&f);
    v1lines l;
    v1lines_import(&l, f.bytes, f.n, name_pc);
    v1lines_expect(&l, (const char *const[]){
        SYNC, "2 StateTransition 7 0 - p0 Undetermined->Running", "3 StateTransition 7 0 1 g1 Undetermined->Running reason=\"\"",
        "6 StateTransition 8 1 - p1 Undetermined->Running",
        "14 StateTransition 7 0 1 g2 NotExist->Runnable reason=\"\" stack=main.caller:1055|:0 tstack=main.worker:4096",
        "15 StateTransition 7 0 1 g1 Running->Syscall reason=\"\"",
        "16 StateTransition 8 1 2 g2 Runnable->Running reason=\"\"",
        "21 StateTransition - 1000003 1 g1 Syscall->Runnable reason=\"\"",
        "21 StateTransition 8 1 2 g1 Waiting->Runnable reason=\"\"", NULL});
    v1file_free(&f);
    sound(l);
}

/* What each version lacks is read as that version wrote it. */
static void test_older_events(void **state)
{
    (void)state;
    static const unsigned versions[] = {7, 8, 9, 10};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        unsigned v = versions[i];
        v1file f;
        v1file_begin(&f, v);
        v1file_start(&f, 1000);
        v1file_event(&f, EV_SWEEP_START, 2, 1, 0);
        v1file_event(&f, EV_SWEEP_DONE, v < 9 ? 1 : 3, 1, 500, 200);
        v1file_event(&f, EV_STW_START, v < 10 ? 1 : 2, 1, 1);
        v1file_event(&f, EV_FUTILE_WAKEUP, 1, 1);
        v1file_frequency(&f, GHZ);
        char sweep[128], stw[128];
        snprintf(sweep, sizeof sweep, "6 RangeEnd 7 0 1 name=\"GC incremental sweep\" scope=p0 \"bytes swept\"=%d "
                 "\"bytes reclaimed\"=%d", v < 9 ? 0 : 500, v < 9 ? 0 : 200);
        snprintf(stw, sizeof stw, "7 RangeBegin 7 0 1 name=\"stop-the-world (GC %s termination)\" scope=g1",
                 v < 10 ? "mark" : "sweep");
        sound(EXPECT(&f, STARTED, "5 RangeBegin 7 0 1 name=\"GC incremental sweep\" scope=p0", sweep, stw));
    }
}

/* Float arithmetic as Go does it: ticks times 1e9/frequency, cut off. */
static void test_times(void **state)
{
    (void)state;
    v1file f;
    v1file_begin(&f, 19);
    v1file_start(&f, 123456789012345);
    v1file_event(&f, EV_HEAP_ALLOC, 2, 1000000000, 1);
    v1file_frequency(&f, 38209785);
    v1lines l;
    v1lines_import(&l, f.bytes, f.n, NULL);
    int64_t want = (int64_t)(1000000003.0 * (1e9 / 38209785.0)) + 1;
    char line[128];
    snprintf(line, sizeof line, "%lld Metric 7 0 1 /memory/classes/heap/objects:bytes=1", (long long)want);
    assert_int_equal(l.rc, 0);
    assert_string_equal(l.at[l.n - 1], line);
    assert_true(l.result.ticks_per_second == 38209785.0);
    assert_int_equal(l.result.first_abs_ns, -1);
    assert_int_equal(l.result.parts, 1);
    v1lines_free(&l);
    v1file_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_equal_times),
        cmocka_unit_test(test_skewed_clocks),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_ps_and_end),
        cmocka_unit_test(test_call_that_does_not_block),
        cmocka_unit_test(test_call_that_blocks),
        cmocka_unit_test(test_returns_at_their_place),
        cmocka_unit_test(test_block_that_comes_late),
        cmocka_unit_test(test_ps_of_no_p),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_pause_in_parts),
        cmocka_unit_test(test_collector),
        cmocka_unit_test(test_program_marks_and_stacks),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_go_1_5),
        cmocka_unit_test(test_older_events),
        cmocka_unit_test(test_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
