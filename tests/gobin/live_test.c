/*
 * The check of a process against its file, on memory that was made: what makes sense passes, each thing that can't be is
 * named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "golanes/golayout.h"
#include "golanes/goprocess.h"
#include "golanes/goprog.h"
#include "maker.h"

#define HEAP UINT64_C(0x7000000000)
#define HEAP_SIZE 0x4000
#define BIAS UINT64_C(0x100000000)
/* In the heap: the list's slice, the list, goroutines, an M, its own goroutine. */
#define ALLGS 0
#define LIST 64
#define G(n) (0x400 + 0x400 * (n))
#define M 0x2000
#define G0 0x2c00
#define THREAD 4711

static maker made;
static gl_goprog *program;
static gl_golayout layout;
static uint8_t heap[HEAP_SIZE];

static int read_heap(void *user, uint64_t live, void *to, size_t n)
{
    (void)user;
    if (live < HEAP || live - HEAP > HEAP_SIZE - n)
        return GL_E_IO;
    memcpy(to, heap + (live - HEAP), n);
    return 0;
}

static void put(size_t at, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        heap[at + i] = (uint8_t)(v >> 8 * i);
}

static void put_g(unsigned n, uint32_t state, uint64_t id, uint64_t m)
{
    size_t g = G(n);
    put(LIST + 8 * n, HEAP + g, 8);
    put(g + (size_t)layout.g_atomicstatus, state, 4);
    put(g + (size_t)layout.g_goid, id, 8);
    put(g + (size_t)layout.g_stack_lo, 0xc000100000, 8);
    put(g + (size_t)layout.g_stack_hi, 0xc000102000, 8);
    put(g + (size_t)layout.g_sched_sp, 0xc000101000, 8);
    put(g + (size_t)layout.g_sched_pc, made.entries[0] + 7 + BIAS, 8);
    put(g + (size_t)layout.g_startpc, made.entries[4] + BIAS, 8);
    put(g + (size_t)layout.g_waitreason, 19, 1); /* chan receive */
    put(g + (size_t)layout.g_m, m, 8);
}

/* One that waits, one that runs, one that is dead; an M that runs the second. */
static void make_heap(void)
{
    memset(heap, 0, sizeof heap);
    put(ALLGS, HEAP + LIST, 8);
    put(ALLGS + 8, 3, 8);
    put(ALLGS + 16, 4, 8);
    put_g(0, 4, 1, 0);
    put_g(1, 2, 18, HEAP + M);
    put_g(2, 6, 0, 0);
    put(G(2) + (size_t)layout.g_stack_lo, 0, 8);
    put(M + (size_t)layout.m_curg, HEAP + G(1), 8);
    put(M + (size_t)layout.m_procid, THREAD, 8);
    put(M + (size_t)layout.m_g0, HEAP + G0, 8);
    put(M + (size_t)layout.m_id, 3, 8);
    put(G0 + (size_t)layout.g_m, HEAP + M, 8);
}

static int check(gl_error *err)
{
    gl_govars v = {.allgs = HEAP + ALLGS - BIAS};
    gl_gomemory mem = {read_heap, NULL};
    int threads[] = {17, THREAD};
    return gl_goprog_check_live(program, &layout, &v, &mem, BIAS, threads, 2, err);
}

static void what_makes_sense_passes(void **state)
{
    (void)state;
    gl_error err = {0};
    make_heap();
    if (check(&err) < 0)
        fail_msg("%s", err.text);
    put(G(0) + (size_t)layout.g_atomicstatus, 0x1004, 4); /* the collector looks at it */
    assert_int_equal(check(&err), 0);
    put(G(1) + (size_t)layout.g_atomicstatus, 3, 4);
    assert_int_equal(check(&err), 0);
}

static void a_process_that_has_not_begun(void **state)
{
    (void)state;
    gl_error err = {0};
    make_heap();
    put(ALLGS, 0, 8);
    put(ALLGS + 8, 0, 8);
    assert_int_equal(check(&err), GL_E_NOT_FOUND);
}

static void what_cannot_be_is_named(void **state)
{
    (void)state;
    const struct {
        size_t at;
        uint64_t v;
        unsigned size;
        const char *words;
    } wrong[] = {
        {G(0) + (size_t)layout.g_atomicstatus, 5, 4, "the state 0x5"},
        {G(0) + (size_t)layout.g_atomicstatus, 77, 4, "the state 0x4d"},
        {G(0) + (size_t)layout.g_goid, 0, 8, "the id 0x0"},
        {G(0) + (size_t)layout.g_goid, UINT64_C(0xc000012345678901), 8, "the id"},
        {G(0) + (size_t)layout.g_waitreason, 200, 1, "the wait reason 0xc8"},
        {G(0) + (size_t)layout.g_stack_hi, 0, 8, "a stack from"},
        {G(0) + (size_t)layout.g_sched_sp, 16, 8, "its stack pointer outside"},
        {G(0) + (size_t)layout.g_sched_pc, 16, 8, "its program counter outside"},
        {G(0) + (size_t)layout.g_startpc, made.entries[4] + BIAS + 1, 8, "a start function that is none"},
        {G(1) + (size_t)layout.g_m, 24, 8, "an M that can't be read"},
        {M + (size_t)layout.m_curg, HEAP + G(0), 8, "an M that runs another goroutine"},
        {M + (size_t)layout.m_procid, 99, 8, "an M without a thread"},
        {M + (size_t)layout.m_g0, HEAP + G(0), 8, "whose own goroutine belongs to another"},
        {M + (size_t)layout.m_id, UINT64_MAX, 8, "an M of number"},
        {ALLGS + 8, UINT64_C(1) << 40, 8, "a list of 1099511627776 goroutines"},
        {ALLGS, 64, 8, "goroutine 0 of the list is not there"},
        {LIST + 8, 0, 8, "goroutine 1 of the list is not there"},
        {LIST + 8, HEAP - 8, 8, "an address that can't be read"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gl_error err = {0};
        make_heap();
        put(wrong[i].at, wrong[i].v, wrong[i].size);
        int rc = check(&err);
        if (rc != GL_E_UNSUPPORTED || !strstr(err.text, wrong[i].words))
            fail_msg("%zu: %d, %s", i, rc, err.text);
    }
}

/* Code and tables, in memory that is the file's own, moved. */
static bool spoiled;
static uint64_t spoiled_at;

static int read_file(void *user, uint64_t live, void *to, size_t n)
{
    (void)user;
    const uint8_t *p = gl_goprog_bytes(program, live - BIAS, n);
    if (!p)
        return GL_E_IO;
    memcpy(to, p, n);
    if (live - BIAS <= gl_goprog_get_info(program)->module_data && gl_goprog_get_info(program)->module_data < live - BIAS + n)
        for (unsigned i = 0; i < 8; i++) /* its first word is a pointer, which was moved too */
            ((uint8_t *)to)[i] = (uint8_t)((gl_goprog_get_info(program)->table + BIAS) >> 8 * i);
    if (spoiled && spoiled_at >= live - BIAS && spoiled_at - (live - BIAS) < n)
        ((uint8_t *)to)[spoiled_at - (live - BIAS)] ^= 0xcc;
    return 0;
}

static void memory_is_compared_with_the_file(void **state)
{
    (void)state;
    gl_gomemory mem = {read_file, NULL};
    gl_gofunc f;
    gl_error err = {0};
    assert_int_equal(gl_goprog_func(program, "runtime.chansend", &f, &err), 0);
    spoiled = false;
    assert_int_equal(gl_goprog_check_memory(program, &mem, BIAS, &f, 1, &err), 0);
    const struct {
        uint64_t at;
        const char *words;
    } spoil[] = {{f.entry + 6, "the code of runtime.chansend in memory is not that of the file (at 0x401006)"},
                 {gl_goprog_get_info(program)->module_data + 2, "its module data does not point to its table"},
                 {gl_goprog_get_info(program)->table + 8, "its function table is another"}};
    spoiled = true;
    for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        spoiled_at = spoil[i].at;
        assert_int_equal(gl_goprog_check_memory(program, &mem, BIAS, &f, 1, &err), GL_E_UNSUPPORTED);
        if (!strstr(err.text, spoil[i].words))
            fail_msg("%s", err.text);
    }
    assert_int_equal(gl_goprog_check_memory(program, &mem, BIAS * 2, &f, 1, &err), GL_E_UNSUPPORTED);
}

static void processes(void **state)
{
    (void)state;
    static gl_goprocess p;
    gl_error err = {0};
    assert_int_equal(gl_goprocess_look((int)getpid(), &p, &err), 0);
    assert_true(p.thread_count == 1 && p.threads[0] == (int)getpid() && p.state == 'R');
    assert_int_equal(gl_goprocess_check(&p, &err), GL_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "is golanes itself"));
    assert_int_equal(gl_goprocess_look(0x7ffffff0, &p, &err), GL_E_NOT_FOUND);
    const struct {
        gl_goprocess p;
        const char *words;
    } refused[] = {
        {{.pid = 5, .state = 'Z', .may_trace = true}, "process 5 has ended"},
        {{.pid = 5, .state = 'S', .may_trace = true, .tracer = 6}, "is traced by process 6 already"},
        {{.pid = 5, .state = 'S', .uid = 0, .own_uid = 65534}, "belongs to user root and golanes runs as nobody; run golanes as root"},
        {{.pid = 5, .state = 'S', .uid = 65534, .own_uid = 65534, .ptrace_scope = 1}, "start the program with golanes record -- PROGRAM"},
        {{.pid = 5, .state = 'S', .uid = 65534, .own_uid = 65534, .ptrace_scope = 3}, "until the next boot"},
        {{.pid = 5, .state = 'S', .uid = 65534, .own_uid = 65534, .ptrace_scope = -1}, "the kernel does not allow it"},
        {{.pid = 5, .state = 'S', .may_trace = true, .seccomp = 1}, "strict seccomp mode"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(gl_goprocess_check(&refused[i].p, &err), GL_E_UNSUPPORTED);
        if (!strstr(err.text, refused[i].words))
            fail_msg("%s", err.text);
    }
    const gl_goprocess filter = {.pid = 5, .state = 'S', .may_trace = true, .seccomp = 2};
    assert_int_equal(gl_goprocess_check(&filter, &err), 0);
}

static int set_up(void **state)
{
    (void)state;
    char path[64];
    gl_error err = {0};
    maker_make(&made, &(maker_options){.minor = 26, .pie = true});
    int fd = maker_file(made.bytes, made.n, path, sizeof path);
    int rc = gl_goprog_open(path, &program, NULL, &err);
    close(fd);
    return rc < 0 || gl_goprog_layout(program, &layout, &err) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    gl_goprog_close(program);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_makes_sense_passes),
        cmocka_unit_test(a_process_that_has_not_begun),
        cmocka_unit_test(what_cannot_be_is_named),
        cmocka_unit_test(memory_is_compared_with_the_file),
        cmocka_unit_test(processes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
